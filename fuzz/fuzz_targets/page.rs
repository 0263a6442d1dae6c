//! Any page under any expression: nothing may panic, hang or overflow the stack.
//!
//! An input is one line with the content type's first letter and a field as on the command line, then the bytes of
//! the page: `h title=//h3/text()`, a line feed, `<h3>..`. The seeds are made by `fuzz/seed.py`.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use pagemill::extract::xpath::engine::EngineChoice;
use pagemill::extract::{
    Content, Expression, ExtractLimits, Extractor, Field, Finding, Follow, Namespaces, PageFacts, Rule, json, parse_field,
};
use pagemill::extract::convert::Recipe;
use pagemill::html::{self, Limits};
use pagemill::model::RuleId;
use pagemill::scope::{self, ScopePolicy};

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
    let Ok(text) = std::str::from_utf8(head.get(2..).unwrap_or_default()) else { return };
    let Ok(parsed) = parse_field(text) else { return };
    let Ok(expression) = Expression::parse(parsed.expression, &Namespaces::new()) else { return };
    let mut field = Field::text(parsed.name, parsed.many, expression.clone());
    field.set_raw(parsed.many);
    // The same expression leads on, and is carried along.
    let follow = Follow {
        each: None,
        at: Finding { from: None, expression: expression.clone() },
        recipe: Recipe::default(),
        to: RuleId(0),
        priority: 0,
        carry: vec![field.clone()],
    };
    let rule = Rule { name: "fuzz".to_owned(), each: None, fields: vec![field], follow: vec![follow], ..Rule::default() };
    let document = html::read(body, content_type, None, &limits);
    let page = json::parse_page(&html::decode(body, content_type, None));
    let facts = PageFacts::of("http://h/");
    let limits = ExtractLimits { time: Duration::from_millis(200), steps: 2_000_000, ..ExtractLimits::default() };
    let records = |choice| {
        let extractor = Extractor::with_engine(&rule, false, limits, choice).expect("what was parsed compiles");
        let contents = [document.as_ref().ok().map(Content::Markup), page.as_ref().ok().map(Content::Json)];
        contents.map(|content| {
            let records = extractor.extract(content?, &facts);
            if let Err(error) = &records {
                assert!(!error.reason.contains("broke down"), "a panic inside an engine: {error}");
            }
            records.ok()
        })
    };
    let native = records(EngineChoice::Fastest);
    let sxd = records(EngineChoice::Sxd);
    // Where both came to an end within their limits, they agree.
    for (native, sxd) in native.iter().zip(&sxd) {
        if let (Some(native), Some(sxd)) = (native, sxd) {
            assert_eq!(String::from_utf8_lossy(&native.lines), String::from_utf8_lossy(&sxd.lines), "{text}");
            assert_eq!(native.links, sxd.links, "{text}");
            for link in &native.links {
                let normal = scope::normalize(link.url.clone(), true);
                assert_eq!(scope::normalize(normal.clone(), true), normal);
                let _ = ScopePolicy::default().judge(&normal, &link.url, None, 1);
            }
        }
    }
});
