//! curl's globs: `https://h/[001-100:2]/{new,old}`.
//!
//! A URL is either a template or a glob, as the job says, and never both: in a template `{page}` is calculated, in a glob
//! it would be a set of one word. Ranges of numbers are padded to the width of a first one that begins with 0, `[a-z]`
//! are letters, `\` takes the next sign as it is, and the address in `http://[::1]/` is left alone. Several are combined,
//! the last one fastest.

use std::net::Ipv6Addr;
use std::sync::Arc;

use super::encoding::Encoding;
use super::names::Names;
use super::range::PageRange;
use super::template::{Piece, Template};
use super::variable::{Values, Variable};
use crate::mistake::Slip;

/// Longest glob in bytes, as for templates.
const LENGTH_MAX: usize = 8 * 1024;

/// Reads a glob: a template, and the variables in it, which have no names.
///
/// # Errors
/// The first slip: brackets that do not match or are nested, a range that is none.
pub fn parse_glob(text: &str) -> Result<(Template, Vec<Variable>), Slip> {
    if text.len() > LENGTH_MAX {
        return Err(Slip::new(LENGTH_MAX, format!("longer than {LENGTH_MAX} bytes")));
    }
    let mut variables: Vec<Variable> = Vec::new();
    let mut pieces = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(sign) = text[at..].chars().next() {
        let (values, end) = match sign {
            '\\' if text[at + 1..].starts_with(['[', ']', '{', '}', '\\', ',']) => {
                literal.push_str(&text[at + 1..at + 2]);
                at += 2;
                continue;
            }
            '[' => match address(&text[at..]) {
                Some(length) => {
                    literal.push_str(&text[at..at + length]);
                    at += length;
                    continue;
                }
                None => range(text, at)?,
            },
            '{' => set(text, at)?,
            ']' | '}' => {
                let hint = format!("write `\\{sign}` for the sign itself");
                return Err(Slip::new(at, format!("`{sign}` without its partner")).with_hint(hint));
            }
            _ => {
                literal.push(sign);
                at += sign.len_utf8();
                continue;
            }
        };
        pieces.push(Piece::Literal(std::mem::take(&mut literal)));
        pieces.push(Piece::Word { variable: variables.len(), is_raw: true });
        variables.push(Variable::nameless(variables.len() + 1, values));
        at = end;
    }
    pieces.push(Piece::Literal(literal));
    pieces.retain(|piece| !matches!(piece, Piece::Literal(literal) if literal.is_empty()));
    let names = Names::of(&variables);
    Ok((Template::of(text, pieces, &names, Encoding::Url), variables))
}

/// How long the address in brackets is that the text begins with, perhaps with a zone.
fn address(text: &str) -> Option<usize> {
    let end = text.find(']')?;
    let inside = &text[1..end];
    inside.split('%').next()?.parse::<Ipv6Addr>().ok().map(|_| end + 1)
}

/// What stands between the sign at `open` and its partner, and where that is.
fn between(text: &str, open: usize, close: char) -> Result<(&str, usize), Slip> {
    let inside = &text[open + 1..];
    let mut is_escaped = false;
    for (at, sign) in inside.char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '[' | '{' => {
                return Err(Slip::new(open + 1 + at, "sets and ranges cannot be nested")
                    .with_hint(format!("write `\\{sign}` for the sign itself")));
            }
            _ if sign == close => return Ok((&inside[..at], open + 1 + at)),
            _ => {}
        }
    }
    let sign = &text[open..=open];
    Err(Slip::new(open, format!("`{sign}` is never closed"))
        .with_hint(format!("close it with `{close}`, or write `\\{sign}` for the sign itself")))
}

/// `{a,b}`.
fn set(text: &str, open: usize) -> Result<(Values, usize), Slip> {
    let (inside, close) = between(text, open, '}')?;
    let mut words: Vec<String> = vec![String::new()];
    let mut signs = inside.chars();
    while let Some(sign) = signs.next() {
        let last = words.last_mut().expect("there is always one");
        match sign {
            '\\' => last.extend(signs.next()),
            ',' => words.push(String::new()),
            _ => last.push(sign),
        }
    }
    if words.len() == 1 {
        let message = match words[0].is_empty() {
            true => "nothing between the braces".to_owned(),
            false => format!("`{{{inside}}}` is a set of one word"),
        };
        let hint = "write {a,b}; without --glob, {page} is the page number";
        return Err(Slip::new(open, message).with_hint(hint));
    }
    let words: Arc<[Box<str>]> = words.into_iter().map(String::into_boxed_str).collect();
    Ok((Values::Words(words), close + 1))
}

/// `[1-9]`, `[001-100:2]`, `[a-z:2]`.
fn range(text: &str, open: usize) -> Result<(Values, usize), Slip> {
    let (inside, close) = between(text, open, ']')?;
    let hint = "as in [1-100], [001-100:2] or [a-z]; write `\\[` for the sign itself";
    let slip = |message: &str| Slip::new(open + 1, message).with_hint(hint);
    let (ends, step) = match inside.split_once(':') {
        Some((ends, step)) => (ends, Some(step)),
        None => (inside, None),
    };
    let step = match step.map(str::parse::<u32>) {
        None => 1,
        Some(Ok(step)) if step > 0 => step,
        Some(_) => return Err(slip("the step of this range is no number from 1 on")),
    };
    let (first, last) = ends.split_once('-').ok_or_else(|| slip("this is not a range"))?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_number(first) && is_number(last) {
        let ascends =
            first.parse::<i64>().ok().zip(last.parse::<i64>().ok()).map(|(first, last)| first <= last);
        if ascends == Some(false) {
            return Err(slip("this range goes down"));
        }
        let range =
            PageRange::parse(&format!("{first}-{last}:{step}")).map_err(|found| slip(&found.message))?;
        let width = if first.starts_with('0') { first.len() } else { 1 };
        return Ok((Values::Padded(range, width), close + 1));
    }
    match (first.as_bytes(), last.as_bytes()) {
        (&[first], &[last])
            if (first.is_ascii_lowercase() && last.is_ascii_lowercase())
                || (first.is_ascii_uppercase() && last.is_ascii_uppercase()) =>
        {
            if first > last {
                return Err(slip("this range goes down"));
            }
            let step = usize::try_from(step).unwrap_or(usize::MAX);
            let letters =
                (first..=last).step_by(step).map(|letter| char::from(letter).to_string().into_boxed_str());
            Ok((Values::Words(letters.collect()), close + 1))
        }
        _ => Err(slip("this is not a range")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RequestId;
    use crate::source::Grid;
    use proptest::prelude::*;

    fn urls(text: &str) -> Vec<String> {
        let (template, variables) = parse_glob(text).expect(text);
        let grid = Grid::new(template, None, &variables).expect(text);
        (0..grid.len().unwrap())
            .map(|i| grid.request(RequestId(i), i).unwrap().unwrap().url.to_string())
            .collect()
    }

    fn slip(text: &str) -> (usize, String) {
        let slip = parse_glob(text).expect_err(text);
        (slip.at, slip.message)
    }

    #[test]
    fn ranges_are_inclusive_stepped_and_padded_as_the_first_number_is() {
        assert_eq!(urls("http://h/[8-10]"), ["http://h/8", "http://h/9", "http://h/10"]);
        assert_eq!(urls("http://h/[001-100:50]"), ["http://h/001", "http://h/051"]);
        assert_eq!(urls("http://h/[a-e:2]"), ["http://h/a", "http://h/c", "http://h/e"]);
        assert_eq!(urls("http://h/[A-B]"), ["http://h/A", "http://h/B"]);
        assert_eq!(urls("http://h/[0-1]"), ["http://h/0", "http://h/1"]);
    }

    #[test]
    fn several_are_combined_and_the_last_is_fastest() {
        assert_eq!(
            urls("http://{a,b}.h/[1-2]?{x,}"),
            [
                "http://a.h/1?x",
                "http://a.h/1?",
                "http://a.h/2?x",
                "http://a.h/2?",
                "http://b.h/1?x",
                "http://b.h/1?",
                "http://b.h/2?x",
                "http://b.h/2?"
            ]
        );
    }

    #[test]
    fn addresses_are_left_alone_and_signs_can_be_escaped() {
        assert_eq!(urls("http://[::1]:8080/[1-1]"), ["http://[::1]:8080/1"]);
        assert_eq!(urls("http://h/?a=\\[1\\]&b=\\{c\\}"), ["http://h/?a=[1]&b={c}"]);
        assert_eq!(urls("http://h/{a\\,b,c}"), ["http://h/a,b", "http://h/c"]);
    }

    #[test]
    fn what_curl_refuses_is_refused_and_so_is_a_template() {
        assert_eq!(slip("http://h/[9-1]"), (10, "this range goes down".into()));
        assert_eq!(slip("http://h/[1-9:0]"), (10, "the step of this range is no number from 1 on".into()));
        assert_eq!(slip("http://h/[x]"), (10, "this is not a range".into()));
        assert_eq!(slip("http://h/[a-Z]"), (10, "this is not a range".into()));
        assert_eq!(slip("http://h/[1-9"), (9, "`[` is never closed".into()));
        assert_eq!(slip("http://h/{a,{b}}"), (12, "sets and ranges cannot be nested".into()));
        assert_eq!(slip("http://h/a]"), (10, "`]` without its partner".into()));
        assert_eq!(slip("http://h/{}"), (9, "nothing between the braces".into()));
        assert_eq!(slip("http://h/{page}"), (9, "`{page}` is a set of one word".into()));
        assert_eq!(slip("http://h/[0-99999999999999999999]").1, "number too large");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_a_place_in_it(text in "([\\[\\]{},:\\\\a-c0-9-]|\\PC){0,30}") {
            if let Err(slip) = parse_glob(&text) {
                prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at));
            }
        }
    }
}
