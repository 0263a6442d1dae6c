//! Regular expressions of fields, checked when the job is read.

use regex::{Regex, RegexBuilder};

use crate::mistake::Slip;

/// Bytes a compiled pattern may take: `\w{1000}` takes half of it, and no pattern of use more.
const LARGEST_BYTES: usize = 4 << 20;

/// Compiles `text`.
///
/// # Errors
///
/// What is wrong with it, at its place as far as that is told.
pub fn parse_pattern(text: &str) -> Result<Regex, Slip> {
    RegexBuilder::new(text).size_limit(LARGEST_BYTES).dfa_size_limit(LARGEST_BYTES).build().map_err(|error| {
        match error {
            regex::Error::Syntax(report) => slip_of(text, &report),
            regex::Error::CompiledTooBig(_) => Slip::new(0, "this pattern is too large")
                .with_hint("repeat less: `\\w{1,20}` instead of `\\w{1,20000}`"),
            other => Slip::new(0, other.to_string()),
        }
    })
}

/// The report is made for people: the pattern, a line of carets below it, and a line `error: ..`.
fn slip_of(text: &str, report: &str) -> Slip {
    let message =
        report.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or("this is no pattern");
    let is_caret_line = |line: &&str| line.contains('^') && line.trim_matches([' ', '^']).is_empty();
    let column = report.lines().skip(1).find(is_caret_line).and_then(|line| line.find('^'));
    let at = column.and_then(|column| text.char_indices().nth(column.checked_sub(4)?)).map(|(at, _)| at);
    let slip = Slip::new(at.unwrap_or(0), message.trim_end_matches('.').to_lowercase());
    match message.contains("look-around") || message.contains("backreference") {
        true => {
            slip.with_hint("take more with the pattern and the part you mean with a group: `price: (\\d+)`")
        }
        false => slip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        for (text, at, message) in [
            ("ab(c", 2, "unclosed group"),
            ("书*[z-a]", 5, "invalid character class range"),
            ("a**", 0, ""),
            (r"(?<=a)b", 0, "look-around"),
            (r"\p{Nope}", 0, "unicode property not found"),
        ] {
            match parse_pattern(text) {
                Ok(_) => assert_eq!(message, "", "{text}"),
                Err(slip) => {
                    assert!(slip.message.contains(message) && !message.is_empty(), "{text}: {slip:?}");
                    assert_eq!(slip.at, at, "{text}: {slip:?}");
                }
            }
        }
        assert!(parse_pattern(r"(\w{1000}){1000}").unwrap_err().message.contains("too large"));
    }
}
