//! What a job's requests say beside their URL: `--method`, `--data`, `--json`.
//!
//! Bodies may have passwords in them, so mistakes are told without their text.

use std::path::Path;

use super::identity::read_text;
use super::layers::Layers;
use crate::message::{self, Method};
use crate::mistake::{Mistake, Slip};
use crate::source::{Encoding, ExpandError, MessageTemplate, Names, Template, parse_body};
use crate::written::Written;

/// The message of the job's requests; `None` for a plain GET.
pub(super) fn build(layers: &mut Layers, names: &Names) -> Option<MessageTemplate> {
    let method = layers.read("method", Method::parse);
    let (body, content_type) = match layers.strongest(&["data", "json"]).as_slice() {
        [] => (None, None),
        ["data"] => (Some(form(layers, names)?), Some(message::FORM)),
        ["json"] => (Some(json(layers, names)?), Some(message::JSON)),
        _ => {
            let hint = "a request has one body";
            layers.mistakes.push(Mistake::new("--data", "cannot go with --json").with_hint(hint));
            return None;
        }
    };
    let method = match method {
        Some(method) if body.is_none() && method.name() == "GET" => return None,
        Some(method) => method,
        None if body.is_some() => Method::post(),
        None => return None,
    };
    let made = MessageTemplate::new(method, content_type, body);
    made.map_err(|error: ExpandError| layers.mistakes.push(Mistake::new("--data", error.to_string()))).ok()
}

/// The parts of a form, joined as curl does.
fn form(layers: &mut Layers, names: &Names) -> Option<Template> {
    let mut parts = Vec::new();
    for written in layers.strongest_list("data") {
        // Files end with a line feed that was not meant as part of the last value.
        let text = content(layers, &written)?.replace(['\r', '\n'], "");
        parse_body(&text, names, Encoding::Form).map_err(|slip| layers.report_hidden(&written, slip)).ok()?;
        parts.push(text);
    }
    parse_body(&parts.join("&"), names, Encoding::Form)
        .map_err(|slip| layers.mistakes.push(Mistake::new("--data", slip.message)))
        .ok()
}

fn json(layers: &mut Layers, names: &Names) -> Option<Template> {
    let written = layers.value("json")?;
    let text = content(layers, &written)?;
    let template =
        parse_body(&text, names, Encoding::Json).map_err(|slip| layers.report_hidden(&written, slip)).ok()?;
    let sample = template.sample();
    if let Err(error) = serde_json::from_str::<serde_json::Value>(&sample) {
        let slip = Slip::new(0, format!("this is not JSON: {error}"))
            .with_hint("variables like {page} are the only braces that are not JSON's own; has the shell taken the quotes?");
        layers.report_hidden(&written, slip);
        return None;
    }
    Some(template)
}

/// The text itself, or of the file behind an `@`.
fn content(layers: &mut Layers, written: &Written) -> Option<String> {
    let Some(path) = written.text.strip_prefix('@') else { return Some(written.text.clone()) };
    let read = read_text(Path::new(path));
    read.map_err(|reason| layers.report(written, Slip::new(1, reason).with_hint("@ is followed by a file")))
        .ok()
}
