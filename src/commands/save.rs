//! A job under trial as the text of a job file.

use serde_json::Value as Json;

use super::try_page::Asked;
use crate::extract::convert::Recipe;
use crate::extract::xpath::engine::EngineChoice;
use crate::extract::{Expression, Field, Finding, Follow, Language, Shape, ValueSpec};
use crate::job::{Job, JobRule};

/// The `[source]` and the `[extract.NAME]` of a job; it reads back as the same.
pub(super) fn toml_of(asked: &Asked, job: &Job) -> String {
    let mut text = String::from("[source]\n");
    match (&asked.file, &job.source) {
        (None, Some(source)) => {
            // A trial has one URL.
            for template in source.templates() {
                text.push_str(&format!("url = {}\n", quoted(template)));
            }
            if let Some(pages) = asked.job.flags.get("pages").and_then(|pages| pages.last()) {
                text.push_str(&format!("pages = {}\n", quoted(&pages.text)));
            } else if source.total() != Some(1) {
                text.push_str("# pages = \"1-9\"\n");
            }
        }
        _ => text.push_str("# url = \"https://example.com/list?page={page}\"\n# pages = \"1-9\"\n"),
    }
    // The first rule of a file is the one that reads the pages of its source.
    for id in job.reached() {
        add_rule(&mut text, job, job.rule_of(id));
    }
    text
}

fn add_rule(text: &mut String, job: &Job, JobRule { rule, with_meta, xpath_engine, namespaces }: &JobRule) {
    text.push_str(&format!("\n[extract.{}]\n", key(&rule.name)));
    if let Some(each) = &rule.each {
        text.push_str(&format!("each = {}\n", quoted(&prefixed(each))));
    }
    let is_raw = all_raw(&rule.fields) == Some(true);
    if is_raw {
        text.push_str("raw = true\n");
    }
    if *with_meta {
        text.push_str("with-meta = true\n");
    }
    if *xpath_engine == EngineChoice::Sxd {
        text.push_str("xpath-engine = 'sxd'\n");
    }
    if !rule.key.is_empty() {
        let names: Vec<String> = rule.key.iter().map(|path| quoted(&path.join("."))).collect();
        text.push_str(&format!("key = [{}]\n", names.join(", ")));
    }
    for field in &rule.fields {
        add_field(text, "fields.", field, is_raw);
    }
    for (prefix, uri) in namespaces.iter().filter(|(prefix, _)| *prefix != "xml") {
        text.push_str(&format!("namespaces.{} = {}\n", key(prefix), quoted(uri)));
    }
    for follow in &rule.follow {
        text.push_str(&format!("\n[[extract.{}.follow]]\n", key(&rule.name)));
        add_follow(text, follow, &job.rule_of(follow.to).rule.name, is_raw);
    }
}

fn add_follow(text: &mut String, follow: &Follow, to: &str, is_raw: bool) {
    let mut entries = Vec::new();
    entries.extend(follow.each.as_ref().map(|each| ("each", quoted(&prefixed(each)))));
    entries.extend(finding_of(&follow.at));
    entries.extend(pattern_of(&follow.recipe));
    entries.push(("to", quoted(to)));
    if follow.priority != 0 {
        entries.push(("priority", follow.priority.to_string()));
    }
    text.extend(entries.into_iter().map(|(name, value)| format!("{name} = {value}\n")));
    for field in &follow.carry {
        add_field(text, "carry.", field, is_raw);
    }
}

/// Whether all values keep their white space; `None` if there is no value.
fn all_raw(fields: &[Field]) -> Option<bool> {
    let raws = fields.iter().filter_map(|field| match &field.shape {
        Shape::Value(value) => Some(value.recipe.raw),
        _ => all_raw(field.nested()),
    });
    raws.reduce(|one, other| one && other)
}

/// The lines of a field; `parent` is the key of the table that it stands in, with a dot behind it.
fn add_field(text: &mut String, parent: &str, field: &Field, is_raw: bool) {
    let mut add = |key: &str, value: &str| text.push_str(&format!("{key} = {value}\n"));
    if let Shape::Value(value) = &field.shape {
        let name = if value.many { format!("{}[]", field.name) } else { field.name.clone() };
        return add(&format!("{parent}{}", key(&name)), &value_of(field, value, is_raw));
    }
    let path = format!("{parent}{}", key(&field.name));
    match &field.shape {
        Shape::Value(_) => {}
        Shape::Constant(json) => add(&format!("{path}.const"), &literal(json)),
        Shape::Meta(meta) => add(&format!("{path}.meta"), &quoted(meta.name())),
        Shape::Carried { name, default } => {
            add(&format!("{path}.carry"), &quoted(name));
            if let Some(default) = default {
                add(&format!("{path}.default"), &literal(default));
            }
        }
        Shape::List { each, .. } => {
            if let Some(from) = &each.from {
                add(&format!("{path}.from"), &quoted(&prefixed(from)));
            }
            add(&format!("{path}.each"), &quoted(&prefixed(&each.expression)));
        }
        Shape::Object { at, .. } => {
            for (name, value) in at.iter().flat_map(finding_of) {
                add(&format!("{path}.{name}"), &value);
            }
        }
    }
    if field.required {
        add(&format!("{path}.required"), "true");
    }
    for inner in field.nested() {
        add_field(text, &format!("{path}.fields."), inner, is_raw);
    }
}

/// A value: its expression, or a table if there is more to say.
fn value_of(field: &Field, value: &ValueSpec, is_raw: bool) -> String {
    let recipe = &value.recipe;
    let mut more: Vec<(&str, String)> = Vec::new();
    more.extend(recipe.kind.map(|kind| ("type", quoted(kind.name()))));
    more.extend(recipe.locale.map(|locale| ("locale", quoted(locale.name))));
    more.extend(recipe.format.as_ref().map(|format| ("format", quoted(format))));
    more.extend(pattern_of(recipe));
    more.extend(value.default.as_ref().map(|default| ("default", literal(default))));
    if field.required {
        more.push(("required", "true".to_owned()));
    }
    if recipe.raw != is_raw {
        more.push(("raw", recipe.raw.to_string()));
    }
    if more.is_empty() && value.at.from.is_none() {
        return quoted(&prefixed(&value.at.expression));
    }
    let entries = finding_of(&value.at).into_iter().chain(more);
    let entries: Vec<String> = entries.map(|(name, value)| format!("{name} = {value}")).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// `regex` and `replace`.
fn pattern_of(recipe: &Recipe) -> Vec<(&'static str, String)> {
    let mut entries = Vec::new();
    entries.extend(recipe.regex.as_ref().map(|regex| ("regex", quoted(regex.as_str()))));
    if !recipe.replace.is_empty() {
        let pairs = recipe.replace.iter();
        let pairs = pairs.map(|(pattern, by)| format!("[{}, {}]", quoted(pattern.as_str()), quoted(by)));
        let pairs: Vec<String> = pairs.collect();
        entries.push(("replace", format!("[{}]", pairs.join(", "))));
    }
    entries
}

/// `from` and the expression under the key of its language.
fn finding_of(finding: &Finding) -> Vec<(&'static str, String)> {
    let from = finding.from.as_ref().map(|from| ("from", quoted(&prefixed(from))));
    let language = match &finding.expression {
        Expression::XPath(_) => Language::XPath,
        Expression::Css(_) => Language::Css,
        Expression::Json(_) => Language::Json,
    };
    from.into_iter().chain([(language.name(), quoted(finding.expression.source()))]).collect()
}

/// An expression where any language may stand. An XPath needs its prefix if it begins with that of another language,
/// which may be a prefix of a namespace too: `css:rule`.
fn prefixed(expression: &Expression) -> String {
    let text = expression.text();
    match expression.as_xpath() {
        Some(_) if begins_like_another(&text) => format!("xpath:{text}"),
        _ => text.into_owned(),
    }
}

fn begins_like_another(text: &str) -> bool {
    Language::ALL.iter().any(|language| {
        text.trim_start().strip_prefix(language.name()).is_some_and(|rest| rest.starts_with(':'))
    })
}

/// A string, a number or a boolean.
fn literal(json: &Json) -> String {
    match json {
        Json::String(text) => quoted(text),
        // As Rust writes it: `1.0` and `1e300` are floats in TOML too.
        Json::Number(number) => match number.as_i64() {
            Some(number) => number.to_string(),
            None => format!("{:?}", number.as_f64().unwrap_or_default()),
        },
        other => other.to_string(),
    }
}

/// A key: bare where TOML allows it.
fn key(name: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !name.is_empty() && name.chars().all(is_bare) { name.to_owned() } else { quoted(name) }
}

/// A string: literal where it can be, since expressions are full of double quotes.
fn quoted(text: &str) -> String {
    if !text.contains(|c: char| c == '\'' || (c.is_control() && c != '\t')) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::CrawlTyped;
    use crate::config;
    use crate::job::Purpose;
    use crate::written::{Layer, Place, Written};

    fn asked(flags: &[(&'static str, &str)]) -> Asked {
        let mut layer = Layer::new();
        for &(name, text) in flags {
            let written = Written { text: text.to_owned(), place: Place::Flag(name) };
            layer.entry(name).or_default().push(written);
        }
        Asked { file: None, job: CrawlTyped { config: None, flags: layer } }
    }

    #[test]
    fn what_is_saved_reads_back_as_the_same_job() {
        let asked = asked(&[
            ("url", "http://h/l?p={page}"),
            ("pages", "7"),
            ("namespace", "a=urn:it's"),
            ("each", "//a:li[@class=\"x\"]"),
            ("field", "title=.//h3[.='it']"),
            ("field", "price (£)[]=contains(., \"'\")"),
            ("field", "both=concat('\\', \"\\\")"),
        ]);
        let job =
            Job::build(Purpose::Trial, asked.job.flags.clone(), Layer::new(), Default::default(), vec![]);
        let job = job.unwrap();
        let text = toml_of(&asked, &job);
        let (file, mistakes) = config::parse("job.toml", &text);
        assert!(mistakes.is_empty(), "{text}\n{mistakes:?}");
        let again = Job::build(Purpose::Crawl, Layer::new(), Layer::new(), file, mistakes).unwrap();
        assert_eq!(format!("{:?}", again.rule().fields), format!("{:?}", job.rule().fields), "{text}");
        assert_eq!(again.rule().each, job.rule().each);
        let job = again;
        assert_eq!(job.source.unwrap().last_request().unwrap().url.as_str(), "http://h/l?p=7");
    }

    /// Makes the job of a job file's `[extract.a]`, and of the text it is saved as; both must be the same.
    fn check_saved(rule: &str) -> String {
        let build = |text: &str| {
            let (file, mistakes) = config::parse("job.toml", text);
            assert!(mistakes.is_empty(), "{text}\n{mistakes:?}");
            let job = Job::build(Purpose::Trial, Layer::new(), Layer::new(), file, mistakes);
            job.unwrap_or_else(|mistakes| panic!("{text}\n{mistakes:?}"))
        };
        // Patterns have no equality; all there is shows in what is made for debugging.
        let all = |job: &Job| format!("{:?}", job.rules);
        let job = build(&format!("[extract.a]\n{rule}\n"));
        let text = toml_of(&asked(&[]), &job);
        assert_eq!(all(&build(&text)), all(&job), "{text}");
        text
    }

    #[test]
    fn everything_that_a_field_can_have_is_saved() {
        for rule in [
            "fields.a = '//a'",
            "fields.a = 'css:a.b'\nfields.'b[]' = 'css:li::text'",
            "each = 'json:$.items[*]'\nfields.a = 'json:$.x'\nfields.b = { json = '$[\"y\"]', all = true }",
            "fields.a = { xpath = '//a', type = 'float', locale = 'de-CH', default = 1.0, required = true }",
            "fields.a = { xpath = '//a', type = 'float', default = 1e300 }",
            "fields.a = { xpath = '//a', type = 'int', default = -7 }",
            "fields.a = { xpath = '//a', type = 'bool', default = false }",
            "fields.a = { css = 'time', type = 'date', format = '%d.%m.%Y', locale = 'en-GB', default = '' }",
            "fields.a = { xpath = '//a', regex = '(\\d+)\\s*\"', replace = [[',', '.'], [\"(it)'s\", '$1']] }",
            "fields.a = { xpath = '//a', default = \"it's \\\"so\\\"\\n\" }",
            "raw = true\nfields.a = '//a'\nfields.b = { xpath = '//b', type = 'html' }",
            "raw = true\nfields.a = '//a'\nfields.b = { xpath = '//b', raw = false }",
            "fields.a = { from = '//script', json = '$.offers.price', type = 'float' }",
            "fields.a = { from = 'css:div', xpath = './p' }",
            "fields.a.const = 'x'\nfields.b.const = 1\nfields.c.const = true\nfields.d.const = 0.5",
            "fields.a.meta = 'url'\nfields.b = { meta = 'page', required = true }\nfields.c.meta = 'fetched_at'",
            "fields.a.fields = { b = '//b', 'c d' = { xpath = '//c', raw = true } }",
            "fields.a = { css = 'div', required = true, fields = { b = './b' } }",
            "fields.a = { from = '//script', json = '$.x', fields = { b = 'json:$.b' } }",
            "fields.a = { each = '//li', required = true, fields = { b = { each = './p', fields = { c = '.' } } } }",
            "fields.a = { from = '//script', each = 'json:$[*]', fields = { b = 'json:$.b' } }",
            "with-meta = true\nxpath-engine = 'sxd'\nfields.a = '//a'",
            "namespaces = { css = 'urn:c', b = \"urn:it's\" }\nfields.a = 'xpath:css:a'\nfields.b = '//b:c'",
            "each = '//li'",
            "key = ['a', 'b.c']\nfields.a = '//a'\nfields.b.fields.c = '//c'",
            "follow = '//a'",
            "fields.a = { carry = 'x', default = 1, required = true }\nfields.b.carry = 'y'",
            "follow = [{ each = '//li', css = 'a', priority = -3, carry = { a = './b', b = { each = 'i', fields.c = '.' } } }]",
            "follow = [{ from = '//script', json = '$.u', regex = 'x(.*)', replace = ['a', 'b'], to = 'b c' }]\n\
             [extract.'b c']\nwith-meta = true\nfollow = ['//a', 'css:b']",
        ] {
            check_saved(rule);
        }
    }

    #[test]
    fn what_is_saved_is_short_where_there_is_little_to_say() {
        let text =
            check_saved("raw = true\nfields.a = { xpath = '//a', all = true }\nfields.o.fields.b = '//b'");
        let rule = text.split_once("[extract.a]\n").unwrap().1;
        assert_eq!(rule, "raw = true\nfields.'a[]' = '//a'\nfields.o.fields.b = '//b'\n");
    }

    #[test]
    fn strings_are_literal_where_they_can_be() {
        assert_eq!(quoted("//a[@b=\"c\"]"), "'//a[@b=\"c\"]'");
        assert_eq!(quoted("it's \"\\\" \u{7f}"), "\"it's \\\"\\\\\\\" \\u007F\"");
        assert_eq!((key("a-b_1"), key("a[]"), key("")), ("a-b_1".into(), "'a[]'".into(), "''".into()));
    }
}
