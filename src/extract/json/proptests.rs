//! Random texts, paths and pages: nothing breaks, slips are inside the text, and evaluation ends.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{JsonPath, parse_page};
use crate::extract::budget::Budget;

fn pieces() -> impl Strategy<Value = String> {
    let words = vec![
        "$",
        "@",
        ".",
        "..",
        "*",
        "[",
        "]",
        "'a'",
        "\"b\"",
        "a",
        "b",
        "0",
        "-1",
        ":",
        ",",
        "?",
        "(",
        ")",
        "!",
        "&&",
        "||",
        "==",
        "<",
        ">=",
        "!=",
        "length(",
        "count(",
        "match(",
        "search(",
        "value(",
        " ",
        "true",
        "null",
        "1.5",
        "'\\u00e9'",
        "\\",
        "é",
        "[*]",
        "[?@.a]",
        "..*",
        "9007199254740992",
        "-0",
        "'.*'",
    ];
    let tail = prop::collection::vec(prop::sample::select(words), 0..12);
    (any::<bool>(), tail).prop_map(|(root, tail)| if root { "$" } else { "" }.to_owned() + &tail.concat())
}

fn page() -> Value {
    json!({"a": [1, "x", {"a": {"b": null}, "b": 2.5}], "b": {"b": [[], {}], "é": true}})
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_character(text in prop_oneof![pieces(), any::<String>()]) {
        match JsonPath::parse(&text) {
            Err(slip) => prop_assert!(text.is_char_boundary(slip.at), "{text:?} {slip:?}"),
            Ok(path) => prop_assert!(path.select(&page(), &Budget::new(100_000)).is_ok() || text.contains("..")),
        }
    }

    #[test]
    fn any_page_is_read_or_refused(text in "[\\[\\]{}(),:=\"a1 ;\\\\\n]{0,40}|\\PC{0,40}") {
        let _ = parse_page(&text);
    }
}
