//! A job under trial as the text of a job file.

use super::matches;
use super::try_page::Asked;
use crate::job::Job;

/// The `[source]` and the `[extract.NAME]` of a job; it reads back as the same.
pub(super) fn toml_of(asked: &Asked, job: &Job) -> String {
    let mut text = String::from("[source]\n");
    match (&asked.file, &job.source) {
        (None, Some(source)) => {
            text.push_str(&format!("url = {}\n", quoted(source.template())));
            if let Some(pages) = asked.job.flags.get("pages").and_then(|pages| pages.last()) {
                text.push_str(&format!("pages = {}\n", quoted(&pages.text)));
            } else if source.total() != Some(1) {
                text.push_str("# pages = \"1-9\"\n");
            }
        }
        _ => text.push_str("# url = \"https://example.com/list?page={page}\"\n# pages = \"1-9\"\n"),
    }
    text.push_str(&format!("\n[extract.{}]\n", key(&job.rule.name)));
    let parts = matches::parts(&job.rule);
    if let Some(each) = &parts.each {
        text.push_str(&format!("each = {}\n", quoted(&each.text())));
    }
    for (name, expression) in &parts.fields {
        text.push_str(&format!("fields.{} = {}\n", key(name), quoted(&expression.text())));
    }
    for (prefix, uri) in job.namespaces.iter().filter(|(prefix, _)| *prefix != "xml") {
        text.push_str(&format!("namespaces.{} = {}\n", key(prefix), quoted(uri)));
    }
    text
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
        let text = toml_of(&asked, &job.unwrap());
        let (file, mistakes) = config::parse("job.toml", &text);
        assert!(mistakes.is_empty(), "{text}\n{mistakes:?}");
        let job = Job::build(Purpose::Crawl, Layer::new(), Layer::new(), file, mistakes).unwrap();
        let parts = matches::parts(&job.rule);
        let texts: Vec<_> = parts.fields.iter().map(|(name, e)| (&**name, e.text())).collect();
        let fields: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
        assert_eq!(parts.each.unwrap().text(), "//a:li[@class=\"x\"]");
        assert_eq!(
            fields,
            [
                ("title", ".//h3[.='it']"),
                ("price (£)[]", "contains(., \"'\")"),
                ("both", "concat('\\', \"\\\")")
            ]
        );
        assert_eq!(job.source.unwrap().last_url().unwrap().as_str(), "http://h/l?p=7");
    }

    #[test]
    fn strings_are_literal_where_they_can_be() {
        assert_eq!(quoted("//a[@b=\"c\"]"), "'//a[@b=\"c\"]'");
        assert_eq!(quoted("it's \"\\\" \u{7f}"), "\"it's \\\"\\\\\\\" \\u007F\"");
        assert_eq!((key("a-b_1"), key("a[]"), key("")), ("a-b_1".into(), "'a[]'".into(), "''".into()));
    }
}
