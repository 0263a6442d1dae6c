//! The rule of a job: from the job file's `[extract.NAME]`, with what the flags add to it or replace.

use super::XPathEngine;
use super::layers::Layers;
use super::values;
use crate::config::{WrittenField, WrittenRule};
use crate::extract::{ExtractLimits, Extractor, Field, Namespaces, Rule, XPath, parse_field};
use crate::mistake::{Mistake, Slip};
use crate::settings;
use crate::written::{Place, Written};

/// The rule and whether its records carry where they come from.
pub(super) struct Meant {
    pub(super) rule: Rule,
    pub(super) with_meta: bool,
    pub(super) xpath_engine: XPathEngine,
    pub(super) namespaces: Namespaces,
}

/// Builds the rule that reads the pages, and looks through the file's other rules for mistakes. A rule without fields
/// is one of them if it `needs_fields`.
pub(super) fn build(layers: &mut Layers, written: Vec<WrittenRule>, needs_fields: bool) -> Option<Meant> {
    let mut written = written;
    let chosen = choose(layers, &written);
    let from_file = chosen.map(|index| written.remove(index));
    for other in &written {
        // Not used in this run, but a mistake in it is a mistake of the file.
        let namespaces = declare(layers, &other.namespaces, &[]);
        parse_rule(layers, other, &namespaces);
    }
    let flags = layers.list("namespace");
    let namespaces = declare(layers, from_file.as_ref().map_or(&[], |rule| &rule.namespaces), &flags);
    let from_file = from_file.map(|rule| {
        let raw = rule.raw.as_ref().and_then(|written| switch(layers, written));
        let with_meta = rule.with_meta.as_ref().and_then(|written| switch(layers, written));
        let engine = rule.xpath_engine.as_ref().and_then(|written| engine(layers, written));
        (parse_rule(layers, &rule, &namespaces), raw, with_meta, engine)
    });

    let each_flag = layers.value("each").map(|written| parse_each(layers, &written, &namespaces));
    let raw_flag = layers.switch("raw");
    let fields = layers.list("field");
    let nothing = || Rule { name: "page".to_owned(), each: None, fields: Vec::new() };
    let (mut rule, raw, with_meta, file_engine) = from_file.unwrap_or_else(|| (nothing(), None, None, None));
    if let Some(each) = each_flag {
        rule.each = each;
    }
    for written in &fields {
        let Some(field) = parse_field_flag(layers, written, &namespaces) else { continue };
        match rule.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => rule.fields.push(field),
        }
    }
    if raw_flag || raw == Some(true) {
        rule.fields.iter_mut().for_each(|field| field.raw = true);
    }
    if needs_fields && rule.fields.is_empty() && layers.mistakes.is_empty() {
        let hint = "say at least one field: -f 'title=.//h3/text()', or fields.title in the job file's [extract.NAME]";
        layers.mistakes.push(Mistake::new("--field", "there is nothing to extract").with_hint(hint));
    }
    // sxd-xpath compiles its own form of each expression; what it refuses is a mistake of the job too.
    if layers.mistakes.is_empty()
        && let Err(error) = Extractor::new(&rule, false, ExtractLimits::default())
    {
        layers.mistakes.push(Mistake::new(format!("{}: {}", rule.name, error.name), error.reason));
    }
    let with_meta = layers.switch("with-meta") || with_meta == Some(true);
    // The rule of the file stands between what was typed and the default.
    let xpath_engine = match layers.value("xpath-engine") {
        Some(Written { place: Place::Default(_), .. }) | None => file_engine.unwrap_or_default(),
        Some(written) => engine(layers, &written).unwrap_or_default(),
    };
    Some(Meant { rule, with_meta, xpath_engine, namespaces })
}

/// The index of the rule that `--rule` names, or the first one.
fn choose(layers: &mut Layers, written: &[WrittenRule]) -> Option<usize> {
    let Some(wanted) = layers.value("rule") else { return (!written.is_empty()).then_some(0) };
    let found = written.iter().position(|rule| rule.name.text == wanted.text);
    if found.is_none() {
        let names: Vec<&str> = written.iter().map(|rule| rule.name.text.as_str()).collect();
        let hint = match settings::nearest(&wanted.text, names.iter().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None if names.is_empty() => "the job has no [extract.NAME]".to_owned(),
            None => format!("the job has {}", names.join(", ")),
        };
        layers.report(&wanted, Slip::new(0, "there is no rule of this name").with_hint(hint));
    }
    found
}

fn switch(layers: &mut Layers, written: &Written) -> Option<bool> {
    values::parse_switch(&written.text).map_err(|slip| layers.report(written, slip)).ok()
}

fn engine(layers: &mut Layers, written: &Written) -> Option<XPathEngine> {
    match written.text.trim() {
        "auto" => Some(XPathEngine::Auto),
        "sxd" => Some(XPathEngine::Sxd),
        _ => {
            layers.report(written, Slip::new(0, "there is no such engine").with_hint("auto or sxd"));
            None
        }
    }
}

/// The prefixes of the file, then those of the flags, which win.
fn declare(layers: &mut Layers, file: &[(String, Written)], flags: &[Written]) -> Namespaces {
    let mut namespaces = Namespaces::new();
    for (prefix, uri) in file {
        if let Err(slip) = namespaces.declare(prefix, &uri.text) {
            layers.report(uri, slip);
        }
    }
    for written in flags {
        let declared = match written.text.split_once('=') {
            Some((prefix, uri)) => namespaces.declare(prefix.trim(), uri.trim()),
            None => Err(Slip::new(written.text.len(), "`=` is missing")
                .with_hint("like atom=http://www.w3.org/2005/Atom")),
        };
        if let Err(slip) = declared {
            layers.report(written, slip);
        }
    }
    namespaces
}

fn parse_rule(layers: &mut Layers, written: &WrittenRule, namespaces: &Namespaces) -> Rule {
    let each = written.each.as_ref().and_then(|each| parse_each(layers, each, namespaces));
    let mut fields: Vec<Field> = Vec::new();
    for field in &written.fields {
        let Some(field) = parse_written_field(layers, field, namespaces) else { continue };
        fields.push(field);
    }
    Rule { name: written.name.text.clone(), each, fields }
}

fn parse_each(layers: &mut Layers, written: &Written, namespaces: &Namespaces) -> Option<XPath> {
    XPath::parse(&written.text, namespaces)
        .and_then(|xpath| Rule::check_each(&xpath).map(|()| xpath))
        .map_err(|slip| layers.report(written, slip))
        .ok()
}

fn parse_written_field(
    layers: &mut Layers,
    written: &WrittenField,
    namespaces: &Namespaces,
) -> Option<Field> {
    // The name follows the same rules as in `--field`; the file has its own way to say which expression.
    let name = &written.name.text;
    if let Err(slip) = parse_field(&format!("{name}=.")) {
        layers.report(&written.name, slip);
    }
    let xpath = XPath::parse(&written.xpath.text, namespaces)
        .map_err(|slip| layers.report(&written.xpath, slip))
        .ok()?;
    Some(Field { name: name.clone(), many: written.all, raw: written.raw.unwrap_or(false), xpath })
}

fn parse_field_flag(layers: &mut Layers, written: &Written, namespaces: &Namespaces) -> Option<Field> {
    let parsed = parse_field(&written.text).and_then(|spec| {
        let xpath = XPath::parse(spec.xpath, namespaces)
            .map_err(|slip| Slip { at: slip.at + spec.xpath_at, ..slip })?;
        Ok(Field { name: spec.name.to_owned(), many: spec.many, raw: false, xpath })
    });
    parsed.map_err(|slip| layers.report(written, slip)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::job::{Job, Purpose};
    use crate::written::Layer;

    fn engine_of(file: &str, flag: Option<&str>) -> Result<XPathEngine, Vec<Mistake>> {
        let (file, mistakes) = config::parse("job.toml", &format!("[extract.a]\nfields.b = '//b'\n{file}"));
        let written = |text: &str| Written { text: text.to_owned(), place: Place::Flag("xpath-engine") };
        let flags: Layer = flag.map(|text| ("xpath-engine", vec![written(text)])).into_iter().collect();
        Job::build(Purpose::Saved, flags, Layer::new(), file, mistakes).map(|job| job.xpath_engine)
    }

    #[test]
    fn the_engine_of_the_flag_wins_over_the_rule_and_that_over_the_default() {
        assert_eq!(engine_of("", None), Ok(XPathEngine::Auto));
        assert_eq!(engine_of("xpath-engine = 'sxd'", None), Ok(XPathEngine::Sxd));
        assert_eq!(engine_of("xpath-engine = 'sxd'", Some("auto")), Ok(XPathEngine::Auto));
        let mistakes = engine_of("xpath-engine = 'libxml2'", None).unwrap_err();
        assert!(mistakes[0].to_string().contains("extract.a.xpath-engine: there is no such engine"));
    }
}
