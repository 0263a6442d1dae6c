//! Any page under any expression: nothing may panic, hang or overflow the stack.
//!
//! An input is one line with the content type's first letter and a field as on the command line, then the bytes of
//! the page: `h title=//h3/text()`, a line feed, `<h3>..`. The seeds are made by `fuzz/seed.py`.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pagemill::extract::{ExtractLimits, Extractor, Field, Namespaces, PageFacts, Rule, XPath, parse_field};
use pagemill::html::{self, Limits};

fuzz_target!(|input: &[u8]| {
    let (head, body) = match input.iter().position(|&byte| byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &b""[..]),
    };
    let content_type = match head.first() {
        Some(b'x') => Some("text/xml"),
        Some(b'g') => Some("text/html; charset=gbk"),
        Some(b'n') => None,
        _ => Some("text/html"),
    };
    let limits = Limits { nodes: 20_000, ..Limits::default() };
    let Ok(document) = html::read(body, content_type, None, &limits) else { return };
    let Ok(text) = std::str::from_utf8(head.get(2..).unwrap_or_default()) else { return };
    let Ok(parsed) = parse_field(text) else { return };
    let Ok(xpath) = XPath::parse(parsed.xpath, &Namespaces::new()) else { return };
    let field = Field { name: parsed.name.to_owned(), many: parsed.many, raw: false, xpath };
    let rule = Rule { name: "fuzz".to_owned(), each: None, fields: vec![field] };
    let limits = ExtractLimits { time: Duration::from_millis(200), ..ExtractLimits::default() };
    let extractor = Extractor::new(&rule, false, limits).expect("what was parsed compiles");
    let facts = PageFacts { url: "http://h/", page: None, fetched_at: None };
    if let Err(error) = extractor.extract(&document, &facts) {
        assert!(!error.reason.contains("broke down"), "a panic inside the evaluator: {error}");
    }
});
