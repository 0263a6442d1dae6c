//! Random texts and selectors: nothing breaks the parser, slips are inside the text, and matching ends.

use proptest::prelude::*;

use super::Css;
use crate::extract::budget::Budget;
use crate::html::dom::{NodeId, Place};
use crate::html::sample::html_document;

fn pieces() -> impl Strategy<Value = String> {
    let words = vec![
        "a",
        "b",
        ".c",
        "#d",
        "[e]",
        "[e='1'",
        "]",
        "*",
        ">",
        "+",
        "~",
        ",",
        " ",
        ":",
        "::",
        "text",
        "attr(e)",
        ":not(",
        ":is(",
        ":has(",
        ")",
        ":nth-child(2n+1)",
        ":nth-last-child(1 of ",
        ":empty",
        ":root",
        ":scope",
        ":contains('x')",
        ":only-child",
        "\\",
        "\"",
        "'",
        "/*",
        "*/",
        "é",
        "|",
        "1",
        "-",
        "\u{0}",
        "{",
        "}",
        "\n",
    ];
    prop::collection::vec(prop::sample::select(words), 0..12).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_at_a_character(text in prop_oneof![pieces(), any::<String>()]) {
        if let Err(slip) = Css::parse(&text) {
            prop_assert!(text.is_char_boundary(slip.at), "{text:?} {slip:?}");
            prop_assert!(!slip.message.is_empty());
        }
    }

    #[test]
    fn what_is_read_is_evaluated_anywhere(text in pieces(), context in 0..12u32) {
        if let Ok(css) = Css::parse(&text) {
            let page = html_document("<a><b class='c' e='1'>x<a/>y</b><a id='d'><b e='2'/>x<b/><!-- --></a></a>");
            let places = css.select(&page, Place::of(NodeId(context % page.len() as u32)), &Budget::new(100_000));
            let places = places.unwrap();
            prop_assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "{text}: {places:?}");
        }
    }
}
