//! The rules of a job: the job file's `[extract.NAME]`, with what the flags add to them or replace.

use super::fields::{FieldReader, parse_flag};
use super::layers::Layers;
use super::news;
use super::values;
use crate::config::WrittenRule;
use crate::extract::xpath::engine::EngineChoice;
use crate::extract::{Expression, ExtractLimits, Extractor, Namespaces, Rule};
use crate::mistake::{Mistake, Slip};
use crate::model::RuleId;
use crate::spelling;
use crate::written::{Place, Written};

/// A rule, and what is said of it as a whole.
#[derive(Debug)]
pub struct JobRule {
    /// What its pages yield, and where they lead.
    pub rule: Rule,
    /// Whether records carry where they come from.
    pub with_meta: bool,
    /// Which evaluator runs the expressions.
    pub xpath_engine: EngineChoice,
    /// The prefixes of the expressions, for further ones.
    pub namespaces: Namespaces,
}

/// All rules in the order of the file, and which of them reads the pages of the source.
pub(super) struct Rules {
    pub(super) rules: Vec<JobRule>,
    pub(super) start: RuleId,
}

/// More rules than this are no job but a mistake of whatever wrote it.
const MOST_RULES: usize = 1000;

/// What flags say of all rules.
struct ForAll {
    namespaces: Vec<Written>,
    raw: Option<bool>,
    with_meta: Option<bool>,
    xpath_engine: Option<EngineChoice>,
}

/// Builds the rules of the file, and of the flags where they add to the one that reads the pages of the source. If it
/// `needs_fields`, a rule that gives neither records nor links is a mistake.
pub(super) fn build(layers: &mut Layers, mut written: Vec<WrittenRule>, needs_fields: bool) -> Rules {
    let start = choose(layers, &written).unwrap_or(0);
    if let Some(rule) = written.get(MOST_RULES) {
        layers.report(&rule.name, Slip::new(0, format!("a job has at most {MOST_RULES} rules")));
        written.truncate(MOST_RULES);
    }
    if written.is_empty() {
        let name = Written { text: "page".to_owned(), place: Place::Default("rule") };
        written.push(WrittenRule::new(name));
    }
    let names: Vec<String> = written.iter().map(|rule| rule.name.text.clone()).collect();
    let for_all = ForAll {
        namespaces: layers.list("namespace"),
        raw: layers.written_switch("raw"),
        with_meta: layers.written_switch("with-meta"),
        // The rule of the file stands between what was typed and the default.
        xpath_engine: match layers.value("xpath-engine") {
            Some(Written { place: Place::Default(_), .. }) | None => None,
            Some(written) => engine(layers, &written),
        },
    };
    let rules = written.iter().enumerate();
    let rules = rules.map(|(index, rule)| build_rule(layers, rule, index, index == start, &names, &for_all));
    let rules = Rules { rules: rules.collect(), start: rule_id(start) };
    if layers.mistakes.is_empty() && needs_fields {
        check_yield(layers, &rules, &written);
    }
    // sxd-xpath compiles its own form of each expression; what it refuses is a mistake of the job too.
    if layers.mistakes.is_empty() {
        for JobRule { rule, xpath_engine, .. } in &rules.rules {
            if let Err(error) = Extractor::with_engine(rule, false, ExtractLimits::default(), *xpath_engine) {
                layers.mistakes.push(Mistake::new(format!("{}: {}", rule.name, error.name), error.reason));
            }
        }
    }
    rules
}

/// The number of a rule; there are no more than [`MOST_RULES`].
pub(super) fn rule_id(index: usize) -> RuleId {
    RuleId(u16::try_from(index).unwrap_or(u16::MAX))
}

/// A field that is counted in a run, or would be if its rule read a page.
#[derive(Debug)]
pub(super) struct TalliedField {
    /// Its name in the counts: with that of its rule if more than one rule has fields, `book.title`.
    pub(super) name: String,
    /// Its name with that of its rule, however many there are.
    pub(super) full_name: String,
    /// Whether it stands inside of another field.
    pub(super) is_nested: bool,
    /// Whether a page can come to its rule.
    pub(super) is_read: bool,
}

/// The fields of the rules that read pages, in the order in which they are counted, then those of the others.
pub(super) fn tallied(rules: &[JobRule], start: RuleId) -> Vec<TalliedField> {
    let reached = Rules::reached(rules, start);
    let others = (0..rules.len()).map(rule_id).filter(|id| !reached.contains(id));
    let find = |id: RuleId| rules.get(usize::from(id.0)).map(|rule| &rule.rule);
    let has_fields = |id: &&RuleId| find(**id).is_some_and(|rule| !rule.fields.is_empty());
    let is_alone = reached.iter().filter(has_fields).count() < 2;
    let mut tallied = Vec::new();
    for (id, is_read) in reached.iter().map(|id| (*id, true)).chain(others.map(|id| (id, false))) {
        let Some(rule) = find(id) else { continue };
        for field in rule.field_names() {
            let is_nested = rule.fields.iter().all(|own| own.name != field);
            let full_name = format!("{}.{field}", rule.name);
            let name = if is_alone { field } else { full_name.clone() };
            tallied.push(TalliedField { name, full_name, is_nested, is_read });
        }
    }
    tallied
}

impl Rules {
    /// The rules that pages can come to: the first one, and those that links lead to.
    pub(super) fn reached(rules: &[JobRule], start: RuleId) -> Vec<RuleId> {
        let mut reached = vec![start];
        let mut next = 0;
        while let Some(&RuleId(number)) = reached.get(next) {
            next += 1;
            for follow in rules.get(usize::from(number)).iter().flat_map(|rule| &rule.rule.follow) {
                if !reached.contains(&follow.to) {
                    reached.push(follow.to);
                }
            }
        }
        reached
    }
}

/// A rule whose pages are loaded for nothing is a mistake.
fn check_yield(layers: &mut Layers, rules: &Rules, written: &[WrittenRule]) {
    for RuleId(number) in Rules::reached(&rules.rules, rules.start) {
        let rule = &rules.rules[usize::from(number)].rule;
        if !rule.fields.is_empty() || !rule.yields_records() {
            continue;
        }
        if RuleId(number) == rules.start {
            let hint = "say at least one field: -f 'title=.//h3/text()', or fields.title in the job file's [extract.NAME]";
            layers.mistakes.push(Mistake::new("--field", "there is nothing to extract").with_hint(hint));
        } else {
            let slip = Slip::new(0, "links lead to this rule, and it has no fields")
                .with_hint("like fields.title = '//h1', or follow = '//a' to go on from there");
            layers.report(&written[usize::from(number)].name, slip);
        }
    }
}

fn build_rule(
    layers: &mut Layers,
    written: &WrittenRule,
    index: usize,
    is_start: bool,
    names: &[String],
    for_all: &ForAll,
) -> JobRule {
    let mistakes_before = layers.mistakes.len();
    // What is wrong with a flag is told once.
    let namespaces = declare(layers, &written.namespaces, &for_all.namespaces, is_start);
    let with_meta = written.with_meta.as_ref().and_then(|written| switch(layers, written));
    let file_engine = written.xpath_engine.as_ref().and_then(|written| engine(layers, written));
    let (raw, mut rule) = parse_rule(layers, written, &namespaces);
    if is_start {
        add_flags(layers, &mut rule, &namespaces, raw);
    }
    let mut reads = rule.reads();
    let mut reader = FieldReader { layers: &mut *layers, namespaces: &namespaces, raw };
    rule.follow = reader.follows(&written.follow, names, rule_id(index), &mut reads);
    if is_start {
        for flag in layers.list("follow") {
            let mut reader = FieldReader { layers: &mut *layers, namespaces: &namespaces, raw };
            rule.follow.extend(reader.follow_flag(&flag, names, rule_id(index), &mut reads));
        }
    }
    if let Some(raw) = for_all.raw {
        let carried = rule.follow.iter_mut().flat_map(|follow| &mut follow.carry);
        rule.fields.iter_mut().chain(carried).for_each(|field| field.set_raw(raw));
    }
    let with_meta = for_all.with_meta.or(with_meta).unwrap_or(false);
    let flags = if is_start { layers.strongest_list("key-field") } else { Vec::new() };
    let key = if flags.is_empty() { &written.key } else { &flags };
    // A field that could not be read is not one that is missing.
    if layers.mistakes.len() == mistakes_before {
        rule.key = news::read_key(layers, key, &rule.fields, with_meta);
    }
    JobRule {
        rule,
        with_meta,
        xpath_engine: for_all.xpath_engine.or(file_engine).unwrap_or_default(),
        namespaces,
    }
}

/// `--each` and `--field` in place of what the file says, or beside it.
fn add_flags(layers: &mut Layers, rule: &mut Rule, namespaces: &Namespaces, raw: bool) {
    if let Some(written) = layers.value("each") {
        rule.each = parse_each(layers, &written, namespaces);
    }
    let mut reads = rule.reads();
    for written in &layers.list("field") {
        let Some(mut field) = parse_flag(layers, written, namespaces, &mut reads) else { continue };
        field.set_raw(raw);
        match rule.fields.iter_mut().find(|known| known.name == field.name) {
            Some(known) => *known = field,
            None => rule.fields.push(field),
        }
    }
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
fn declare(
    layers: &mut Layers,
    file: &[(String, Written)],
    flags: &[Written],
    tells_of_flags: bool,
) -> Namespaces {
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
        if let Err(slip) = declared
            && tells_of_flags
        {
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
    (raw, Rule { name: written.name.text.clone(), each, fields, ..Rule::default() })
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

    fn built(file: &str, flags: &[(&'static str, &str)]) -> (JobRule, Vec<String>) {
        let (file, mistakes) = config::parse("job.toml", file);
        let mut layer = Layer::new();
        for &(name, text) in flags {
            let written = Written { text: text.to_owned(), place: Place::Flag(name) };
            layer.entry(name).or_default().push(written);
        }
        let mut layers = Layers::new(vec![layer], mistakes);
        let mut rules = build(&mut layers, file.rules, true);
        (rules.rules.remove(0), layers.mistakes.iter().map(ToString::to_string).collect())
    }

    fn raw_of(flags: &[(&'static str, &str)]) -> Vec<(String, bool)> {
        let (meant, mistakes) = built(FILE, flags);
        assert_eq!(mistakes, [""; 0]);
        let is_raw = |field: &Field| matches!(&field.shape, Shape::Value(value) if value.recipe.raw);
        meant.rule.fields.into_iter().map(|field| (field.name.clone(), is_raw(&field))).collect()
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
        let with_meta = |flags: &[_]| built(FILE, flags).0.with_meta;
        assert!(with_meta(&[]));
        assert!(!with_meta(&[("with-meta", "false")]));
        assert!(!built("[extract.a]\nfields.x = '//x'\n", &[]).0.with_meta);
    }

    #[test]
    fn each_and_fields_of_the_flags_replace_those_of_the_rule() {
        let file = "[extract.a]\neach = '//a'\nfields.x = '//x'\nfields.y = '//y'\n";
        let rule = built(file, &[("each", "//b"), ("field", "x=//z")]).0.rule;
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
        Job::build(Purpose::Saved, flags, Layer::new(), file, mistakes)
            .map(|job| job.start_rule().xpath_engine)
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
