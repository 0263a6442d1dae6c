//! Regular expressions and classes for expressions: what `re:test`, `re:match`, `re:replace` (EXSLT) and `has-class`
//! (parsel) mean. The only user of the crate `regex`. Knows texts only; whoever calls keeps compiled patterns.
//!
//! The syntax is that of the crate `regex`, which is what JavaScript, Python and EXSLT share, without what would need
//! backtracking: look-around and backreferences. As in lxml, `\d`, `\w`, `\s` and `\b` know all of Unicode (a space may
//! be a no-break space, a word may be Chinese). Where that crate alone reads something else than the others, it is
//! written for it: `[` and `&&` in a class and a `{` that counts nothing are plain characters, `\Z` is the end.

use std::fmt::Write as _;

use regex::{Captures, Regex, RegexBuilder};

/// Longest pattern, in bytes.
const MAX_BYTES: usize = 4096;

/// Memory of a compiled pattern, and of what it caches while searching.
const MAX_COMPILED_BYTES: usize = 1 << 20;

/// Deepest nesting of groups.
const MAX_DEPTH: u32 = 64;

/// A compiled pattern with its flags.
#[derive(Debug, Clone)]
pub struct Pattern {
    regex: Regex,
    is_global: bool,
}

impl Pattern {
    /// Compiles `pattern`. `flags` are `g` (all matches) and `i` (case does not matter), in any order.
    ///
    /// # Errors
    ///
    /// What is wrong: syntax, an unknown flag, more than 4096 bytes, more than 1 MB compiled.
    pub fn new(pattern: &str, flags: &str) -> Result<Pattern, String> {
        if pattern.len() > MAX_BYTES {
            return Err(format!("the pattern is longer than {MAX_BYTES} bytes"));
        }
        if let Some(flag) = flags.chars().find(|flag| !"gi".contains(*flag)) {
            return Err(format!("unknown flag `{flag}`: `g` and `i` are there"));
        }
        let regex = RegexBuilder::new(&translated(pattern))
            .case_insensitive(flags.contains('i'))
            .size_limit(MAX_COMPILED_BYTES)
            .dfa_size_limit(MAX_COMPILED_BYTES)
            .nest_limit(MAX_DEPTH)
            .build()
            .map_err(|error| reason(&error))?;
        Ok(Pattern { regex, is_global: flags.contains('g') })
    }

    /// Whether it matches somewhere in `text` (EXSLT `regexp:test`).
    pub fn test(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The first match followed by its groups, empty where a group took no part; with `g`, all matches without their
    /// groups (EXSLT `regexp:match`). Nothing if it does not match.
    pub fn matches(&self, text: &str) -> Vec<String> {
        if self.is_global {
            return self.regex.find_iter(text).map(|found| found.as_str().to_owned()).collect();
        }
        let Some(captures) = self.regex.captures(text) else { return Vec::new() };
        captures.iter().map(|group| group.map_or("", |group| group.as_str()).to_owned()).collect()
    }

    /// The text that is meant where one text must do (`re:match` of an expression): the first group of the first match,
    /// empty if it took no part; the whole match if there is no group, or with `g`, which gives no groups. Empty if it
    /// does not match.
    pub fn first<'t>(&self, text: &'t str) -> &'t str {
        let found = if self.is_global || self.regex.captures_len() == 1 {
            self.regex.find(text)
        } else {
            self.regex.captures(text).and_then(|captures| captures.get(1))
        };
        found.map_or("", |found| found.as_str())
    }

    /// `text` with the first match, with `g` all of them, replaced (EXSLT `regexp:replace`). In `replacement`, `$1` to
    /// `$99` are groups, `$&` is the match and `$$` a dollar, as in JavaScript (ECMA-262 22.1.3.19.1).
    ///
    /// At each match, and more often, `goes_on` is told how many bytes were written; if it is false, the result is `None`.
    /// Both are needed: the replacement may be a page's text, and where each match is only known to be the longest at
    /// the end of the text (`a.*z|a`), the time grows with the square of the text.
    pub fn replace(
        &self,
        text: &str,
        replacement: &str,
        mut goes_on: impl FnMut(usize) -> bool,
    ) -> Option<String> {
        let limit = if self.is_global { usize::MAX } else { 1 };
        let mut out = String::new();
        let mut behind = 0;
        for captures in self.regex.captures_iter(text).take(limit) {
            let found = captures.get_match();
            out.push_str(&text[behind..found.start()]);
            behind = found.end();
            expand(&mut out, replacement, &captures, &mut goes_on)?;
        }
        out.push_str(&text[behind..]);
        goes_on(out.len()).then_some(out)
    }
}

/// Writes the replacement of one match. `None` once `goes_on` is false.
fn expand(
    out: &mut String,
    replacement: &str,
    captures: &Captures<'_>,
    goes_on: &mut impl FnMut(usize) -> bool,
) -> Option<()> {
    let group = |number: usize| captures.get(number).map_or("", |group| group.as_str());
    let mut rest = replacement;
    while let Some(dollar) = rest.find('$') {
        if !goes_on(out.len()) {
            return None;
        }
        out.push_str(&rest[..dollar]);
        rest = &rest[dollar + 1..];
        let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
        // `$12` is group 12, or group 1 and a `2` if there are fewer.
        let number = (1..=digits).rev().find_map(|length| {
            let number: usize = rest[..length].parse().ok()?;
            (1..captures.len()).contains(&number).then_some((length, number))
        });
        if let Some((length, number)) = number {
            out.push_str(group(number));
            rest = &rest[length..];
        } else if let Some(after) = rest.strip_prefix('&') {
            out.push_str(group(0));
            rest = after;
        } else {
            out.push('$');
            rest = rest.strip_prefix('$').unwrap_or(rest);
        }
    }
    out.push_str(rest);
    goes_on(out.len()).then_some(())
}

/// The pattern as the crate `regex` has to read it.
fn translated(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut in_class = false;
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let here = rest;
        rest = &rest[c.len_utf8()..];
        match c {
            '\\' => {
                let escaped = rest.chars().next();
                rest = &rest[escaped.map_or(0, char::len_utf8)..];
                match escaped {
                    Some('Z') if !in_class => out.push_str(r"\z"),
                    Some(escaped) => out.extend(['\\', escaped]),
                    None => out.push('\\'),
                }
                // The braces of `\u{1F600}` and `\p{L}` are no characters.
                if let Some('u' | 'x' | 'p' | 'P') = escaped
                    && rest.starts_with('{')
                    && let Some(end) = rest.find('}')
                {
                    out.push_str(&rest[..=end]);
                    rest = &rest[end + 1..];
                }
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if let Some(after) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = after;
                }
                // A bracket that would close an empty class is a member of it.
                if let Some(after) = rest.strip_prefix(']') {
                    out.push_str(r"\]");
                    rest = after;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '[' | '&' | '~' if in_class => out.extend(['\\', c]),
            '{' if !in_class && !is_quantifier(here) => out.push_str(r"\{"),
            _ => out.push(c),
        }
    }
    out
}

/// Whether a text begins with `{2}`, `{2,}`, `{,3}` or `{2,3}`.
fn is_quantifier(text: &str) -> bool {
    let Some((inside, _)) = text[1..].split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |number: &str| number.bytes().all(|digit| digit.is_ascii_digit());
    is_number(least) && is_number(most) && !(least.is_empty() && most.is_empty())
}

/// One line of what the crate says, and what to do about the common cases.
fn reason(error: &regex::Error) -> String {
    let text = match error {
        regex::Error::CompiledTooBig(_) => {
            return "the pattern is too large when compiled; use smaller counts in `{...}`".to_owned();
        }
        error => error.to_string(),
    };
    let mut reason = text.rsplit_once("error: ").map_or(&*text, |(_, reason)| reason).trim().to_owned();
    if reason.starts_with("look-around") {
        let _ = write!(reason, "; put the part you want in a group");
    }
    reason
}

/// Whether a `class` attribute has the class `name`; case matters (parsel's `has-class`, one name of it).
#[inline]
pub fn has_class(attribute_value: &str, name: &str) -> bool {
    if name.is_empty() || attribute_value.len() < name.len() {
        return false;
    }
    if attribute_value == name {
        return !name.contains(|c: char| c.is_ascii_whitespace());
    }
    attribute_value.split_ascii_whitespace().any(|class| class == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, flags: &str, text: &str) -> Vec<String> {
        Pattern::new(pattern, flags).unwrap().matches(text)
    }

    fn replaced(pattern: &str, flags: &str, text: &str, replacement: &str) -> String {
        Pattern::new(pattern, flags).unwrap().replace(text, replacement, |_| true).unwrap()
    }

    #[test]
    fn a_pattern_matches_anywhere_unless_anchored() {
        let test = |pattern, flags, text| Pattern::new(pattern, flags).unwrap().test(text);
        assert!(test(r"\d+", "", "page 12"));
        assert!(!test(r"^\d+", "", "page 12"));
        assert!(test("PAGE", "i", "page 12") && !test("PAGE", "", "page 12"));
        assert!(test(r"^\w+\s\w+$", "", "价格\u{a0}été"));
    }

    #[test]
    fn without_g_the_match_and_its_groups_are_given() {
        assert_eq!(matches(r"(\d+)-(\d+)(x)?", "", "a 1-2 3-4"), ["1-2", "1", "2", ""]);
        assert_eq!(matches("x", "", "abc"), [""; 0]);
    }

    #[test]
    fn with_g_all_matches_are_given_without_groups() {
        assert_eq!(matches(r"(\d+)-(\d+)", "g", "a 1-2 3-4"), ["1-2", "3-4"]);
    }

    #[test]
    fn only_g_replaces_more_than_the_first() {
        assert_eq!(replaced("a", "", "banana", "o"), "bonana");
        assert_eq!(replaced("A", "gi", "banana", "o"), "bonono");
        assert_eq!(replaced("x", "g", "banana", "o"), "banana");
    }

    #[test]
    fn where_one_text_must_do_it_is_the_first_group_or_the_match() {
        let first = |pattern, flags, text| Pattern::new(pattern, flags).unwrap().first(text).to_owned();
        assert_eq!(first(r"\d+", "", "a 12 b 34"), "12");
        assert_eq!(first(r"(\d+)-(\d+)", "", "a 1-2"), "1");
        assert_eq!(first(r"(\d+)-(\d+)", "g", "a 1-2"), "1-2");
        assert_eq!(first("(x)?b", "", "ab"), "");
        assert_eq!(first("x", "", "ab"), "");
    }

    #[test]
    fn what_grows_too_long_is_not_put_together() {
        let all = Pattern::new("a+", "g").unwrap();
        let text = "a".repeat(100);
        assert_eq!(all.replace(&text, "$&$&", |length| length <= 200), Some("a".repeat(200)));
        assert_eq!(all.replace(&text, "$&$&", |length| length < 200), None);
        // A million times a hundred bytes, of which hardly more than ten thousand are written.
        assert_eq!(all.replace(&text, &"$&".repeat(1 << 20), |length| length < 10_000), None);
        let empty = Pattern::new("", "g").unwrap();
        assert_eq!(empty.replace(&text, &text, |length| length < 5_000), None);
        let mut calls = 0;
        let twice = |_| {
            calls += 1;
            calls <= 2
        };
        assert_eq!(empty.replace(&text, "", twice), None);
        assert_eq!(calls, 3);
    }

    #[test]
    fn dollars_in_a_replacement_are_groups() {
        assert_eq!(replaced(r"(\d+)/(\d+)", "", "on 3/4", "$2.$1."), "on 4.3.");
        assert_eq!(replaced("b", "", "abc", "[$&]"), "a[b]c");
        assert_eq!(replaced("b", "", "abc", "$$1 $x $"), "a$1 $x $c");
        // One group only: `$12` is the group and a 2, `$2` is nothing special.
        assert_eq!(replaced("(b)", "", "abc", "$12$2$0"), "ab2$2$0c");
    }

    #[test]
    fn plain_characters_of_other_dialects_are_plain_here() {
        assert_eq!(matches(r#"data = {"id":(\d+)}"#, "", r#"data = {"id":7};"#)[1], "7");
        assert_eq!(matches(r"[[&&~~]+", "", "x[&~y"), ["[&~"]);
        assert_eq!(matches(r"[]x]+", "", "a]x"), ["]x"]);
        assert_eq!(matches(r"\/p\/(\d{2,3})\Z", "", "/p/123"), ["/p/123", "123"]);
        assert_eq!(matches(r"\p{Lu}\u{e9}", "", "aÉé"), ["Éé"]);
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        let error = |pattern: &str, flags: &str| Pattern::new(pattern, flags).unwrap_err();
        assert_eq!(error("(a", ""), "unclosed group");
        assert!(error("a(?=b)", "").ends_with("put the part you want in a group"));
        assert!(error(r"(a)\1", "").starts_with("backreferences"), "{}", error(r"(a)\1", ""));
        assert_eq!(error("a", "gx"), "unknown flag `x`: `g` and `i` are there");
        assert!(error(r"(\w{100}){100}", "").starts_with("the pattern is too large"));
        assert!(error(&"a".repeat(5000), "").contains("4096"));
        assert!(!error(&"(".repeat(4000), "").contains('\n'));
    }

    #[test]
    fn a_class_is_a_whole_word_of_the_attribute() {
        assert!(has_class("item", "item") && has_class("\n an item\tx ", "item"));
        assert!(!has_class("items", "item") && !has_class("Item", "item") && !has_class("item-x", "item"));
        assert!(
            !has_class("a b", "a b")
                && !has_class("", "")
                && !has_class("a b", "a b ")
                && !has_class("a", "")
        );
    }

    #[test]
    fn any_pattern_is_compiled_or_refused() {
        use proptest::prelude::*;
        proptest!(|(pattern in r"[a-z0-9\\\[\](){}&~^$?*+.,|é-]{0,20}", text in ".{0,20}", flags in "[gi]{0,2}")| {
            if let Ok(pattern) = Pattern::new(&pattern, &flags) {
                let _ = (pattern.test(&text), pattern.matches(&text), pattern.replace(&text, "$1$&", |length| length < 99));
            }
        });
    }
}
