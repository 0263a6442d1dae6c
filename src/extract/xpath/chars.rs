//! The string functions of XPath 1.0 (4.2) on plain strings. Characters are Unicode code points.

use std::collections::HashMap;

use super::number;

/// White space of XML (XML 1.0, `S`); a no-break space is none.
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// `normalize-space()`.
pub(super) fn normalize_space(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !normal.is_empty() {
            normal.push(' ');
        }
        normal.push_str(word);
    }
    normal
}

/// `substring()`: the characters at the positions p with `p >= round(from)` and `p < round(from) + round(length)`.
/// Written so that NaN and the infinities fall out as in the examples of the recommendation.
pub(super) fn substring(text: &str, from: f64, length: Option<f64>) -> String {
    let from = number::round(from);
    let until = length.map_or(f64::INFINITY, |length| from + number::round(length));
    let positions = (1_u64..).map(|position| position as f64);
    let up_to_end = text.chars().zip(positions).take_while(|(_, position)| *position < until);
    up_to_end.filter(|(_, position)| *position >= from).map(|(c, _)| c).collect()
}

/// `substring-before()`.
pub(super) fn before<'t>(text: &'t str, mark: &str) -> &'t str {
    text.split_once(mark).map_or("", |(before, _)| before)
}

/// `substring-after()`.
pub(super) fn after<'t>(text: &'t str, mark: &str) -> &'t str {
    text.split_once(mark).map_or("", |(_, after)| after)
}

/// `translate()`: of a character that occurs twice in `from`, the first counts; those beyond `to` are taken out.
pub(super) fn translate(text: &str, from: &str, to: &str) -> String {
    let mut to = to.chars();
    // Mostly letters of ASCII are translated: those have a table without hashing.
    let mut ascii: [Option<Option<char>>; 128] = [None; 128];
    let mut others = HashMap::new();
    for c in from.chars() {
        let replacement = to.next();
        match ascii.get_mut(c as usize) {
            Some(entry) => {
                entry.get_or_insert(replacement);
            }
            None => {
                others.entry(c).or_insert(replacement);
            }
        }
    }
    let translated = |c: char| match ascii.get(c as usize) {
        Some(entry) => entry.unwrap_or(Some(c)),
        None if others.is_empty() => Some(c),
        None => others.get(&c).copied().unwrap_or(Some(c)),
    };
    let mut result = String::with_capacity(text.len());
    result.extend(text.chars().filter_map(translated));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn substring_rounds_as_in_the_recommendation() {
        let s = |from, length| substring("12345", from, length);
        assert_eq!(s(2.0, Some(3.0)), "234");
        assert_eq!(s(2.0, None), "2345");
        assert_eq!(s(1.5, Some(2.6)), "234");
        assert_eq!(s(0.0, Some(3.0)), "12");
        assert_eq!(s(f64::NAN, Some(3.0)), "");
        assert_eq!(s(1.0, Some(f64::NAN)), "");
        assert_eq!(s(-42.0, Some(f64::INFINITY)), "12345");
        assert_eq!(s(f64::NEG_INFINITY, Some(f64::INFINITY)), "");
    }

    #[test]
    fn translate_takes_the_first_of_two_and_drops_the_surplus() {
        assert_eq!(translate("bar", "abc", "ABC"), "BAr");
        assert_eq!(translate("--aaa--", "abc-", "ABC"), "AAA");
        assert_eq!(translate("aaa", "aa", "bc"), "bbb");
    }

    #[test]
    fn a_no_break_space_is_not_normalized() {
        assert_eq!(normalize_space(" a \n\t b\u{a0} c "), "a b\u{a0} c");
    }

    #[test]
    fn an_empty_mark_is_found_at_the_start() {
        assert_eq!((before("abc", ""), after("abc", "")), ("", "abc"));
        assert_eq!((before("1999/04/01", "/"), after("1999/04/01", "/")), ("1999", "04/01"));
        assert_eq!((before("abc", "x"), after("abc", "x")), ("", ""));
    }
}
