//! The rule of a job: from the job file's `[extract.NAME]`, with what the flags add to it or replace.

use super::fields::{FieldReader, parse_flag};
use super::layers::Layers;
use super::values;
use crate::config::WrittenRule;
use crate::extract::xpath::engine::EngineChoice;
use crate::extract::{Expression, ExtractLimits, Extractor, Namespaces, Rule};
use crate::mistake::{Mistake, Slip};
use crate::spelling;
use crate::written::{Place, Written};

/// The rule and whether its records carry where they come from.
pub(super) struct Meant {
    pub(super) rule: Rule,
    pub(super) with_meta: bool,
    pub(super) xpath_engine: EngineChoice,
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
        let with_meta = rule.with_meta.as_ref().and_then(|written| switch(layers, written));
        let engine = rule.xpath_engine.as_ref().and_then(|written| engine(layers, written));
        let (raw, rule) = parse_rule(layers, &rule, &namespaces);
        (rule, raw, with_meta, engine)
    });

    let each_flag = layers.value("each").map(|written| parse_each(layers, &written, &namespaces));
    let raw_flag = layers.written_switch("raw");
    let fields = layers.list("field");
    let nothing = || Rule { name: "page".to_owned(), each: None, fields: Vec::new() };
    let (mut rule, raw, with_meta, file_engine) = from_file.unwrap_or_else(|| (nothing(), false, None, None));
    if let Some(each) = each_flag {
        rule.each = each;
    }
    let mut reads = rule.reads();
    for written in &fields {
        let Some(mut field) = parse_flag(layers, written, &namespaces, &mut reads) else { continue };
        field.set_raw(raw);
        match rule.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => rule.fields.push(field),
        }
    }
    if let Some(raw) = raw_flag {
        rule.fields.iter_mut().for_each(|field| field.set_raw(raw));
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
    let with_meta = layers.written_switch("with-meta").or(with_meta).unwrap_or(false);
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
        let hint = match spelling::nearest(&wanted.text, names.iter().copied()) {
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

fn engine(layers: &mut Layers, written: &Written) -> Option<EngineChoice> {
    match written.text.trim() {
        "auto" => Some(EngineChoice::Fastest),
        "sxd" => Some(EngineChoice::Sxd),
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

/// The rule, and whether its fields keep white space if they do not say.
fn parse_rule(layers: &mut Layers, written: &WrittenRule, namespaces: &Namespaces) -> (bool, Rule) {
    let raw = written.raw.as_ref().and_then(|written| switch(layers, written)).unwrap_or(false);
    let each = written.each.as_ref().and_then(|each| parse_each(layers, each, namespaces));
    // After a mistake in `each` nobody knows what the fields are seen from; a guess would only give follow-up mistakes.
    let mut reads = each.as_ref().map(Expression::reads);
    let fields = FieldReader { layers, namespaces, raw }.read_all(&written.fields, &mut reads);
    (raw, Rule { name: written.name.text.clone(), each, fields })
}

fn parse_each(layers: &mut Layers, written: &Written, namespaces: &Namespaces) -> Option<Expression> {
    Expression::parse(&written.text, namespaces)
        .and_then(|each| each.check_places("each").map(|()| each))
        .map_err(|slip| layers.report(written, slip))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::extract::{Field, Shape};
    use crate::job::{Job, Purpose};
    use crate::written::Layer;

    const FILE: &str = "[extract.a]\nraw = true\nwith-meta = true\nfields.x = '//x'\n\
                        fields.y = { xpath = '//y', raw = false }\n";

    fn built(file: &str, flags: &[(&'static str, &str)]) -> (Option<Meant>, Vec<String>) {
        let (file, mistakes) = config::parse("job.toml", file);
        let mut layer = Layer::new();
        for &(name, text) in flags {
            let written = Written { text: text.to_owned(), place: Place::Flag(name) };
            layer.entry(name).or_default().push(written);
        }
        let mut layers = Layers::new(vec![layer], mistakes);
        let meant = build(&mut layers, file.rules, true);
        (meant, layers.mistakes.iter().map(ToString::to_string).collect())
    }

    fn raw_of(flags: &[(&'static str, &str)]) -> Vec<(String, bool)> {
        let (meant, mistakes) = built(FILE, flags);
        assert_eq!(mistakes, [""; 0]);
        let is_raw = |field: &Field| matches!(&field.shape, Shape::Value(value) if value.recipe.raw);
        meant.unwrap().rule.fields.into_iter().map(|field| (field.name.clone(), is_raw(&field))).collect()
    }

    #[test]
    fn a_field_says_more_of_white_space_than_its_rule_and_the_flag_most() {
        let named = |x, y, z| [("x".to_owned(), x), ("y".to_owned(), y), ("z".to_owned(), z)];
        assert_eq!(raw_of(&[("field", "z=//z")]), named(true, false, true));
        assert_eq!(raw_of(&[("field", "z=//z"), ("raw", "true")]), named(true, true, true));
        assert_eq!(raw_of(&[("field", "z=//z"), ("raw", "false")]), named(false, false, false));
    }

    #[test]
    fn a_flag_takes_back_what_the_rule_says_of_meta() {
        let with_meta = |flags: &[_]| built(FILE, flags).0.unwrap().with_meta;
        assert!(with_meta(&[]));
        assert!(!with_meta(&[("with-meta", "false")]));
        assert!(!built("[extract.a]\nfields.x = '//x'\n", &[]).0.unwrap().with_meta);
    }

    #[test]
    fn each_and_fields_of_the_flags_replace_those_of_the_rule() {
        let file = "[extract.a]\neach = '//a'\nfields.x = '//x'\nfields.y = '//y'\n";
        let rule = built(file, &[("each", "//b"), ("field", "x=//z")]).0.unwrap().rule;
        assert_eq!(rule.each.unwrap().source(), "//b");
        let source = |field: &Field| field.finding().unwrap().expression.source().to_owned();
        let fields: Vec<_> = rule.fields.iter().map(|field| (field.name.clone(), source(field))).collect();
        let named = |name: &str, source: &str| (name.to_owned(), source.to_owned());
        assert_eq!(fields, [named("x", "//z"), named("y", "//y")]);
    }

    #[test]
    fn a_key_is_not_written_twice_into_a_record() {
        let (_, mistakes) = built("[extract.a]\nfields.x = '//x'\nfields.'x[]' = '//x'\n", &[]);
        assert!(
            mistakes.len() == 1 && mistakes[0].contains("job.toml:3:8: extract.a.fields.x[]"),
            "{mistakes:?}"
        );
    }

    #[test]
    fn a_mistake_in_a_rule_that_is_not_used_is_told_too() {
        let file = "[extract.a]\nfields.x = '//x'\n[extract.b]\nfields.x = '//x['\n";
        assert!(built(file, &[]).1[0].contains("extract.b.fields.x"));
    }

    fn engine_of(file: &str, flag: Option<&str>) -> Result<EngineChoice, Vec<Mistake>> {
        let (file, mistakes) = config::parse("job.toml", &format!("[extract.a]\nfields.b = '//b'\n{file}"));
        let written = |text: &str| Written { text: text.to_owned(), place: Place::Flag("xpath-engine") };
        let flags: Layer = flag.map(|text| ("xpath-engine", vec![written(text)])).into_iter().collect();
        Job::build(Purpose::Saved, flags, Layer::new(), file, mistakes).map(|job| job.xpath_engine)
    }

    #[test]
    fn the_engine_of_the_flag_wins_over_the_rule_and_that_over_the_default() {
        assert_eq!(engine_of("", None), Ok(EngineChoice::Fastest));
        assert_eq!(engine_of("xpath-engine = 'sxd'", None), Ok(EngineChoice::Sxd));
        assert_eq!(engine_of("xpath-engine = 'sxd'", Some("auto")), Ok(EngineChoice::Fastest));
        let mistakes = engine_of("xpath-engine = 'libxml2'", None).unwrap_err();
        assert!(mistakes[0].to_string().contains("extract.a.xpath-engine: there is no such engine"));
    }
}
