//! Templates of request bodies: `{"page": {page}, "q": {"a": 1}}`.
//!
//! A body has braces of its own, JSON above all, so here a brace is a brace unless what follows it at once, up to its
//! `}`, reads as an expression with a variable in it: `{page}`, `{page*25}`, `{(page-1)*25+1}`, `{page:04}`. `{ page }` is
//! text, as in GraphQL. An expression in doubled braces, `{{page}}`, is the literal text `{page}`, as in a URL.

use super::encoding::Encoding;
use super::names::Names;
use super::template::{Piece, Template, hole};
use super::variable::Kind;
use crate::mistake::Slip;

/// Longest template of a body in bytes: what is larger is a file to upload, not a question.
const LENGTH_MAX: usize = 1 << 20;

/// Longest expression in bytes, so that a body of nothing but braces is read in no time.
const EXPRESSION_MAX: usize = 256;

/// Reads the template of a body, in which words are written by `encoding`.
///
/// # Errors
/// When it is too long, or an expression that is clearly meant as one is not right.
pub fn parse_body(text: &str, names: &Names, encoding: Encoding) -> Result<Template, Slip> {
    if text.len() > LENGTH_MAX {
        return Err(Slip::new(LENGTH_MAX, format!("longer than {LENGTH_MAX} bytes")));
    }
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(found) = text[at..].find('{') {
        let brace = at + found;
        literal.push_str(&text[at..brace]);
        if text[brace + 1..].starts_with('{')
            && let Some((_, end)) = expression(text, brace + 1, names)?
            && text[end..].starts_with('}')
        {
            literal.push_str(&text[brace + 1..end]);
            at = end + 1;
        } else if let Some((hole, end)) = expression(text, brace, names)? {
            pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            pieces.push(hole);
            at = end;
        } else {
            literal.push('{');
            at = brace + 1;
        }
    }
    literal.push_str(&text[at..]);
    pieces.push(Piece::Literal(literal));
    Ok(Template::of(text, pieces, names, encoding))
}

/// The expression whose brace is at `open`, and where it ended; `None` if this is a brace like others.
fn expression(text: &str, open: usize, names: &Names) -> Result<Option<(Piece, usize)>, Slip> {
    let inside = &text[open + 1..];
    let Some(length) = inside.bytes().take(EXPRESSION_MAX).position(|byte| byte == b'}') else {
        return Ok(None);
    };
    let begins_a_name = |c: char| names.iter().any(|(name, _)| name.starts_with(c));
    if !inside.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '(' | '-' | '+') || begins_a_name(c)) {
        return Ok(None);
    }
    match hole(text, open, names) {
        Ok((hole, end)) if !hole.variables().is_empty() => Ok(Some((hole, end))),
        // `{page*}` would be sent as it is, to a server that cannot know what was meant.
        Err(slip) if is_meant(&inside[..length], names) => Err(slip),
        Ok(_) | Err(_) => Ok(None),
    }
}

/// Whether the text between braces begins as a calculation with a number, or as a variable that is none.
fn is_meant(inside: &str, names: &Names) -> bool {
    let rest = inside.trim_start_matches('(');
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let after = rest[length..].trim_start();
    match names.find(&rest[..length]) {
        Some((_, Kind::Number)) => after.starts_with(['+', '-', '*', '/', '%']),
        // `{q:1}` may be JSON5, `{q!x}` is nothing else.
        Some(_) => after.starts_with(['+', '-', '*', '/', '%', '!']) || after.starts_with(":%"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::variable::Value;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Template, Slip> {
        parse_body(text, &Names::default(), Encoding::Form)
    }

    fn expand(text: &str, page: i64) -> String {
        parse(text).unwrap().expand(&[Value::Number(page)]).unwrap()
    }

    #[test]
    fn json_keeps_its_braces_and_expressions_are_calculated() {
        assert_eq!(expand(r#"{"page": {page}, "q": {"a": 1}}"#, 7), r#"{"page": 7, "q": {"a": 1}}"#);
        assert_eq!(expand(r#"{"from":{(page-1)*25},"n":[{page:03},{}]}"#, 3), r#"{"from":50,"n":[003,{}]}"#);
        assert_eq!(expand("start={page*25}&n=25", 2), "start=50&n=25");
        assert_eq!(expand(r#"{"a":{"b":{page}}}"#, 1), r#"{"a":{"b":1}}"#);
        assert_eq!(expand("{page}", -3), "-3");
    }

    #[test]
    fn what_is_no_expression_with_page_is_text() {
        for text in [
            "{ page }",
            "query { page { id } }",
            "{pages}",
            "{1}",
            "{page:1}",
            "{",
            "}",
            "{{}}",
            "{{",
            "é{書}",
            "",
        ] {
            assert_eq!(expand(text, 5), text);
        }
    }

    #[test]
    fn doubled_braces_around_an_expression_are_the_text_itself() {
        assert_eq!(expand("{{page}} {page}", 5), "{page} 5");
        assert_eq!(expand("{{page*2}}", 5), "{page*2}");
        assert_eq!(expand("{{page}", 5), "{5");
    }

    #[test]
    fn a_calculation_that_is_not_right_is_told() {
        assert_eq!(parse(r#"{"a": {page*}}"#).unwrap_err().at, 12);
        assert!(parse("{page * x}").is_err());
        assert!(parse(&"x".repeat(LENGTH_MAX + 1)).is_err());
    }

    #[test]
    fn a_body_of_nothing_but_braces_is_read() {
        assert_eq!(expand(&"{p".repeat(100_000), 1), "{p".repeat(100_000));
    }

    proptest! {
        #[test]
        fn a_body_without_the_word_page_is_sent_as_it_is(text in "[{}p(0-9:+\" é]{0,40}") {
            prop_assert_eq!(expand(&text, 1), text);
        }
    }
}
