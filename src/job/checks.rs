//! What the job says must hold at its end.

use std::path::Path;

use super::layers::Layers;
use super::rules::TalliedField;
use crate::check::{CheckPolicy, FieldBound, Share};
use crate::mistake::Slip;
use crate::spelling;
use crate::summary::is_written_in_place;
use crate::written::Written;

/// What the checks are about.
pub(super) struct Subject<'a> {
    /// The fields; `None` if what they are is not known after mistakes.
    pub(super) fields: Option<Vec<TalliedField>>,
    /// Where the counts go.
    pub(super) summary: Option<&'a Path>,
    /// Whether a state outlives the run.
    pub(super) has_state: bool,
    /// Where the run ends with so many records.
    pub(super) max_records: Option<u64>,
}

/// The checks; what is wrong with them goes to the mistakes.
pub(super) fn build(layers: &mut Layers, subject: &Subject<'_>) -> CheckPolicy {
    let mut idle = Vec::new();
    CheckPolicy {
        min_records: min_records(layers, subject.max_records),
        max_failed: layers.read("max-failed", parse_share),
        min_fill: bounds(layers, "min-fill", subject, &mut idle),
        max_null: bounds(layers, "max-null", subject, &mut idle),
        max_drop: max_drop(layers, subject),
        idle,
    }
}

fn min_records(layers: &mut Layers, max_records: Option<u64>) -> Option<u64> {
    let least = layers.count("min-records", 0, u64::MAX)?;
    if let Some(most) = max_records.filter(|most| *most < least) {
        let written = layers.value("min-records").expect("it was just read");
        let slip = Slip::new(0, format!("the run ends with {most} records"))
            .with_hint("say less here, or more at --max-records");
        layers.report(&written, slip);
    }
    Some(least)
}

fn max_drop(layers: &mut Layers, subject: &Subject<'_>) -> Option<Share> {
    let most = layers.read("max-drop", parse_share)?;
    let problem = match subject.summary {
        _ if subject.has_state => return Some(most),
        None if layers.value("summary").is_none() => "there is no last run to compare with",
        Some(path) if is_written_in_place(path) => "of what --summary names, nothing can be read later",
        _ => return Some(most),
    };
    let written = layers.value("max-drop").expect("it was just read");
    let hint = "add --summary FILE or --state DIR: each run leaves its counts there for the next one";
    layers.report(&written, Slip::new(0, problem).with_hint(hint));
    None
}

/// The bounds by field, the strongest layer's for each. Those on fields of rules that read no page go to `idle`.
fn bounds(layers: &mut Layers, name: &str, subject: &Subject<'_>, idle: &mut Vec<String>) -> Vec<FieldBound> {
    let mut bounds: Vec<FieldBound> = Vec::new();
    for written in layers.list(name) {
        let (field, share) = match parse_bound(&written.text) {
            Ok(bound) => bound,
            Err(slip) => {
                layers.report(&written, slip);
                continue;
            }
        };
        let Some(fields) = &subject.fields else { continue };
        // With the name of its rule a field may always be written, so that one file serves each `--rule`.
        let found = fields.iter().find(|known| known.name == field);
        match found.or_else(|| fields.iter().find(|known| known.full_name == field)) {
            Some(known) if known.is_read => {
                bounds.retain(|bound| bound.field != known.name);
                bounds.push(FieldBound { field: known.name.clone(), is_nested: known.is_nested, share });
            }
            Some(_) => idle.push(format!("{name}.{field}")),
            None => report_unknown(layers, &written, field, fields),
        }
    }
    bounds
}

fn report_unknown(layers: &mut Layers, written: &Written, field: &str, fields: &[TalliedField]) {
    let names = || fields.iter().filter(|known| known.is_read).map(|known| known.name.as_str());
    // Without the name of its rule where there must be one.
    let is_near = |name: &&str| name.ends_with(&format!(".{field}"));
    let near = names().find(is_near).or_else(|| spelling::nearest(field, names()));
    let hint = match near {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("the fields are {}", names().collect::<Vec<_>>().join(", ")),
    };
    layers.report(written, Slip::new(0, format!("there is no field `{field}`")).with_hint(hint));
}

/// `price=10%`; a field may have an equals sign in its name, a share has none.
fn parse_bound(text: &str) -> Result<(&str, Share), Slip> {
    let hint = "like price=10%";
    let Some((field, share)) = text.rsplit_once('=') else {
        return Err(Slip::new(text.len(), "a field and a share are wanted").with_hint(hint));
    };
    let at = field.len() + 1;
    let share = parse_share(share).map_err(|slip| Slip { at: at + slip.at, ..slip })?;
    match field.trim() {
        "" => Err(Slip::new(0, "the name of a field is missing").with_hint(hint)),
        field => Ok((field, share)),
    }
}

/// `2%`, `0.5 %`, or as a number below 1: `0.02`. A bare 1 is refused: it may be meant as a percent or as all.
fn parse_share(text: &str) -> Result<Share, Slip> {
    let start = text.len() - text.trim_start().len();
    let hint = "like 2% or 0.02";
    let (number, factor) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 1.0),
        None => (text.trim(), 100.0),
    };
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    if number.strip_prefix('-').is_some_and(|digits| digits.starts_with(is_number)) {
        let slip = Slip::new(start, "a share is not less than nothing");
        return Err(slip.with_hint("from 0% to 100%"));
    }
    if let Some(at) = number.find(|c| !is_number(c)) {
        return Err(Slip::new(start + at, "this is not a share").with_hint(hint));
    }
    let Ok(value) = number.parse::<f64>() else {
        return Err(Slip::new(start, "this is not a share").with_hint(hint));
    };
    if factor > 1.0 && value >= 1.0 {
        let message = "of a share without a percent sign only what is below 1 has one meaning";
        let hint = match value <= 100.0 {
            true => format!("write {number}%, or 100% for all"),
            false => "write 100% for all".to_owned(),
        };
        return Err(Slip::new(start, message).with_hint(hint));
    }
    Share::of_percent(value * factor)
        .ok_or_else(|| Slip::new(start, "a share is not more than all").with_hint("from 0% to 100%"))
}

#[cfg(test)]
#[path = "checks_tests.rs"]
mod tests;
