//! Text ─▶ typed value, written straight into the line of JSON.
//!
//! The order is: white space is collapsed (unless raw), `regex` picks a part, `replace` changes it, the type reads it.
//! Markup and JSON are never collapsed, since white space may matter inside of them. Knows texts only: no document, no
//! expression.

mod boolean;
mod date;
mod kind;
mod locale;
mod months;
mod number;
mod pattern;
mod replace;
mod text;
mod tokens;
mod written_date;

use std::borrow::Cow;

use regex::Regex;
use url::Url;

pub use date::check_format;
pub use kind::Type;
pub use locale::{DateOrder, Locale};
pub use pattern::parse_pattern;
pub(super) use replace::MOST_ADDED;
pub use replace::check_replacement;
pub(super) use text::{collapsed, escape_controls, write_json};

/// A checked regular expression.
pub type Pattern = Regex;

/// How the text that an expression found becomes a value.
#[derive(Debug, Clone, Default)]
pub struct Recipe {
    /// Text as it stands in the page: not stripped, white space not collapsed.
    pub raw: bool,
    /// The part that is meant: the first group, or the whole match if there is none. No match is no value.
    pub regex: Option<Regex>,
    /// What is replaced by what, one after the other; `$1` stands for a group.
    pub replace: Vec<(Regex, String)>,
    /// What the text is read as; `None` leaves it a string, and numbers and booleans of an expression what they are.
    pub kind: Option<Type>,
    /// How numbers and dates are written.
    pub locale: Option<Locale>,
    /// How dates are written, as for strftime.
    pub format: Option<String>,
}

/// What became of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    /// A value was written.
    Written,
    /// There is no value, and nothing was written: `regex` did not match, or there is no text to be read as a type.
    Nothing,
    /// The value is a string without a character; nothing was written.
    EmptyText,
    /// The text is not of the type; nothing was written.
    WrongType,
    /// `replace` made far more of the text than there was; nothing was written.
    TooLarge,
}

impl Recipe {
    /// Whether neither `regex` nor `replace` is asked for.
    pub(super) fn keeps_the_text(&self) -> bool {
        self.regex.is_none() && self.replace.is_empty()
    }

    fn is_string(&self) -> bool {
        matches!(self.kind, None | Some(Type::String))
    }

    /// Writes what `text` says. `base` gives the URL that relative ones are seen from.
    pub(super) fn write<'u>(
        &self,
        text: &str,
        base: impl FnOnce() -> Option<&'u Url>,
        line: &mut Vec<u8>,
    ) -> Piece {
        let keeps_space = self.raw || matches!(self.kind, Some(Type::Html | Type::Json));
        let text = if keeps_space { Cow::Borrowed(text) } else { Cow::Owned(collapsed(text)) };
        let Some(text) = self.picked(text) else { return Piece::Nothing };
        let Some(text) = replace::replace_all(&self.replace, text) else { return Piece::TooLarge };
        self.write_typed(&text, base, line)
    }

    /// The part of a text that `regex` and `replace` make of it, before any type reads it; `None` if there is none.
    pub(super) fn part<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        replace::replace_all(&self.replace, self.picked(Cow::Borrowed(text))?)
    }

    fn picked<'t>(&self, text: Cow<'t, str>) -> Option<Cow<'t, str>> {
        let Some(regex) = &self.regex else { return Some(text) };
        let found = if regex.captures_len() > 1 {
            // A first group that took no part in the match gives nothing.
            regex.captures(&text)?.get(1)?.as_str().to_owned()
        } else {
            regex.find(&text)?.as_str().to_owned()
        };
        Some(Cow::Owned(found))
    }

    fn write_typed<'u>(
        &self,
        text: &str,
        base: impl FnOnce() -> Option<&'u Url>,
        line: &mut Vec<u8>,
    ) -> Piece {
        if self.is_string() || self.kind == Some(Type::Html) {
            if text.is_empty() {
                return Piece::EmptyText;
            }
            write_json(text, line);
            return Piece::Written;
        }
        let text = text.trim();
        if text.is_empty() {
            return Piece::Nothing;
        }
        let written = match self.kind {
            Some(Type::Int) => number::parse_int(text, self.locale).ok().map(|number| number.to_string()),
            Some(Type::Float) => number::parse_float(text, self.locale).ok().and_then(float_json),
            Some(Type::Bool) => boolean::parse_bool(text).map(|truth| truth.to_string()),
            Some(Type::Json) => {
                serde_json::from_str::<serde_json::Value>(text).ok().map(|value| value.to_string())
            }
            Some(Type::Date) => {
                date::parse_date(text, self.format.as_deref(), self.locale).map(|date| json_string(&date))
            }
            Some(Type::Url) => resolved(text, base()).map(|url| json_string(url.as_str())),
            None | Some(Type::String | Type::Html) => unreachable!("strings were written above"),
        };
        match written {
            Some(json) => {
                line.extend_from_slice(json.as_bytes());
                Piece::Written
            }
            None => Piece::WrongType,
        }
    }

    /// Writes a number of an expression or of JSON that nothing is to be done to; `None` if it must go through text.
    pub(super) fn write_number(&self, number: f64, line: &mut Vec<u8>) -> Option<Piece> {
        if !self.keeps_the_text() {
            return None;
        }
        let piece = match self.kind {
            None | Some(Type::Float | Type::Json) => match float_json(number) {
                Some(json) => {
                    line.extend_from_slice(json.as_bytes());
                    Piece::Written
                }
                // JSON has neither NaN nor infinities: there is no number.
                None => Piece::Nothing,
            },
            Some(Type::Int) if !number.is_finite() => Piece::Nothing,
            // Beyond 2^53 neighbours are more than one apart, and below it an i64 holds it.
            Some(Type::Int) if number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0 => {
                line.extend_from_slice(super::xpath::number_text(number).as_bytes());
                Piece::Written
            }
            Some(Type::Int) => Piece::WrongType,
            Some(_) => return None,
        };
        Some(piece)
    }
}

/// WHATWG URL, as a browser resolves a link.
pub(super) fn resolved(text: &str, base: Option<&Url>) -> Option<Url> {
    Url::options().base_url(base).parse(text).ok()
}

fn float_json(number: f64) -> Option<String> {
    number.is_finite().then(|| super::xpath::number_text(number))
}

fn json_string(text: &str) -> String {
    let mut json = Vec::with_capacity(text.len() + 2);
    write_json(text, &mut json);
    String::from_utf8(json).expect("JSON of a string is UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(recipe: &Recipe, text: &str) -> (Piece, String) {
        let base = Url::parse("https://h/a/b?c").unwrap();
        let mut line = Vec::new();
        let piece = recipe.write(text, || Some(&base), &mut line);
        (piece, String::from_utf8(line).unwrap())
    }

    fn value(recipe: &Recipe, text: &str) -> Option<String> {
        let (piece, line) = written(recipe, text);
        assert_eq!(piece == Piece::Written, !line.is_empty(), "{text}");
        (piece == Piece::Written).then_some(line)
    }

    fn typed(kind: Type) -> Recipe {
        Recipe { kind: Some(kind), ..Recipe::default() }
    }

    fn pattern(text: &str) -> Regex {
        parse_pattern(text).unwrap()
    }

    #[test]
    fn each_type_writes_its_json() {
        for (kind, text, json) in [
            (Type::String, " a \n b ", "\"a b\""),
            (Type::Int, "1,234", "1234"),
            (Type::Float, "￥49.50", "49.5"),
            (Type::Float, "3", "3"),
            (Type::Bool, "Yes", "true"),
            (Type::Date, "20.11.2026", "\"2026-11-20\""),
            (Type::Url, "../x y?z#é", "\"https://h/x%20y?z#%C3%A9\""),
            (Type::Html, "<b> a </b>", "\"<b> a </b>\""),
            (Type::Json, " {\"b\": [1, 2.50],\n \"a\": \"x  y\"} ", "{\"b\":[1,2.5],\"a\":\"x  y\"}"),
        ] {
            assert_eq!(value(&typed(kind), text).as_deref(), Some(json), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_of_the_type_is_wrong_and_no_text_is_nothing() {
        for (kind, text) in [
            (Type::Int, "1.5"),
            (Type::Float, "x"),
            (Type::Bool, "maybe"),
            (Type::Date, "soon"),
            (Type::Url, "http://[x"),
            (Type::Json, "{"),
            (Type::Json, "{} {}"),
        ] {
            assert_eq!(written(&typed(kind), text), (Piece::WrongType, String::new()), "{text}");
            assert_eq!(written(&typed(kind), " \n"), (Piece::Nothing, String::new()), "{kind:?}");
        }
        assert_eq!(written(&typed(Type::String), " ").0, Piece::EmptyText);
        assert_eq!(written(&typed(Type::Html), "").0, Piece::EmptyText);
    }

    #[test]
    fn urls_are_resolved_as_browsers_do() {
        for (text, url) in [
            ("/x", "https://h/x"),
            ("x", "https://h/a/x"),
            ("?d", "https://h/a/b?d"),
            ("#f", "https://h/a/b?c#f"),
            ("//i/x", "https://i/x"),
            ("HTTP://H:80/../x", "http://h/x"),
            (" \t/x\n", "https://h/x"),
            ("mailto:a@b", "mailto:a@b"),
            ("书", "https://h/a/%E4%B9%A6"),
        ] {
            assert_eq!(value(&typed(Type::Url), text), Some(format!("\"{url}\"")), "{text}");
        }
    }

    #[test]
    fn regex_takes_the_first_group_or_the_whole_match() {
        let of = |regex: &str, text: &str| {
            value(&Recipe { regex: Some(pattern(regex)), ..Recipe::default() }, text)
        };
        assert_eq!(of(r"\d+", "a 12 b 34").as_deref(), Some("\"12\""));
        assert_eq!(of(r"b (\d+)", "a 12 b 34").as_deref(), Some("\"34\""));
        assert_eq!(of(r"(x)?\d", "1"), None);
        assert_eq!(of(r"\d+", "none"), None);
    }

    #[test]
    fn white_space_then_regex_then_replace_then_type() {
        let recipe = Recipe {
            regex: Some(pattern(r"^a b (\S+)$")),
            replace: vec![(pattern("x"), "y".to_owned()), (pattern(r"(\d)y"), "${1}0".to_owned())],
            kind: Some(Type::Int),
            ..Recipe::default()
        };
        // Collapsed, the pattern matches; the second replacement sees what the first one made.
        assert_eq!(value(&recipe, " a \n b  4x ").as_deref(), Some("40"));
        let raw = Recipe { raw: true, ..recipe };
        assert_eq!(written(&raw, " a \n b  4x ").0, Piece::Nothing);
    }

    #[test]
    fn a_replacement_may_leave_nothing() {
        let recipe = Recipe { replace: vec![(pattern("n/a"), String::new())], ..typed(Type::Float) };
        assert_eq!(written(&recipe, "n/a").0, Piece::Nothing);
        assert_eq!(value(&recipe, "5").as_deref(), Some("5"));
    }

    #[test]
    fn numbers_of_expressions_keep_their_value_whatever_the_locale() {
        let german = Recipe { locale: Some(Locale::parse("de").unwrap()), ..typed(Type::Float) };
        let number = |recipe: &Recipe, number| {
            let mut line = Vec::new();
            let piece = recipe.write_number(number, &mut line);
            (piece, String::from_utf8(line).unwrap())
        };
        assert_eq!(number(&german, 1.5), (Some(Piece::Written), "1.5".to_owned()));
        assert_eq!(number(&german, f64::NAN), (Some(Piece::Nothing), String::new()));
        assert_eq!(number(&typed(Type::Int), 2.0), (Some(Piece::Written), "2".to_owned()));
        assert_eq!(number(&typed(Type::Int), 2.5).0, Some(Piece::WrongType));
        assert_eq!(number(&typed(Type::String), 2.5).0, None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_text_the_line_stays_json(
            text in "[-+ 0-9.,:'()%$€年月日a-zA-Z/T\u{a0}\u{ff10}-\u{ff19}]{0,24}|\\PC{0,40}",
            kind in proptest::sample::select(Type::ALL.to_vec()),
            locale in proptest::sample::select(vec!["", "en", "de", "fr", "zh"]),
        ) {
            let locale = (!locale.is_empty()).then(|| Locale::parse(locale).unwrap());
            for format in [None, Some("%d. %B %Y".to_owned())] {
                let (piece, line) = written(&Recipe { locale, format, ..typed(kind) }, &text);
                if piece == Piece::Written {
                    proptest::prop_assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
                } else {
                    proptest::prop_assert_eq!(line, "");
                }
            }
        }
    }
}
