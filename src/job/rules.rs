//! The rule of a job: from the job file's `[extract.NAME]`, with what the flags add to it or replace.

use super::fields::{FieldReader, parse_flag};
use super::layers::Layers;
use super::values;
use crate::config::WrittenRule;
use crate::extract::{Expression, ExtractLimits, Extractor, Field, Namespaces, Rule};
use crate::mistake::{Mistake, Slip};
use crate::settings;
use crate::written::Written;

/// The rule and whether its records carry where they come from.
pub(super) struct Meant {
    pub(super) rule: Rule,
    pub(super) with_meta: bool,
}

/// Builds the rule that reads the pages, and looks through the file's other rules for mistakes.
pub(super) fn build(layers: &mut Layers, written: Vec<WrittenRule>) -> Option<Meant> {
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
        (parse_rule(layers, &rule, &namespaces), raw, with_meta)
    });

    let each_flag = layers.value("each").map(|written| parse_each(layers, &written, &namespaces));
    let raw_flag = layers.switch("raw");
    let fields = layers.list("field");
    let (mut rule, raw, with_meta) = from_file
        .unwrap_or_else(|| (Rule { name: "page".to_owned(), each: None, fields: Vec::new() }, None, None));
    if let Some(each) = each_flag {
        rule.each = each;
    }
    let mut reads = rule.reads();
    for written in &fields {
        let Some(field) = parse_flag(layers, written, &namespaces, &mut reads) else { continue };
        match rule.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => rule.fields.push(field),
        }
    }
    if raw_flag || raw == Some(true) {
        rule.fields.iter_mut().for_each(Field::make_raw);
    }
    if rule.fields.is_empty() && layers.mistakes.is_empty() {
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
    Some(Meant { rule, with_meta })
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
    // After a mistake in `each` nobody knows what the fields are seen from; a guess would only give follow-up mistakes.
    let mut reads = each.as_ref().map(Expression::reads);
    let fields = FieldReader { layers, namespaces }.read_all(&written.fields, &mut reads);
    Rule { name: written.name.text.clone(), each, fields }
}

fn parse_each(layers: &mut Layers, written: &Written, namespaces: &Namespaces) -> Option<Expression> {
    Expression::parse(&written.text, namespaces)
        .and_then(|each| each.check_places("each").map(|()| each))
        .map_err(|slip| layers.report(written, slip))
        .ok()
}
