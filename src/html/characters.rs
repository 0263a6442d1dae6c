//! Character references in HTML (WHATWG HTML 13.2.5.72 to 13.2.5.80).
//!
//! Knows text only; what a reference stands in is one flag.

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// What a reference stands for.
pub(super) struct Reference {
    characters: (char, Option<char>),
    /// Bytes of the reference as written.
    pub(super) length: usize,
}

impl Reference {
    /// The characters, written into `buffer`.
    pub(super) fn text<'a>(&self, buffer: &'a mut [u8; 8]) -> &'a str {
        let mut length = self.characters.0.encode_utf8(buffer).len();
        if let Some(second) = self.characters.1 {
            length += second.encode_utf8(&mut buffer[length..]).len();
        }
        std::str::from_utf8(&buffer[..length]).expect("two characters were written")
    }
}

/// The reference that `text` begins with, or `None` if its `&` is text. Old names need no semicolon (`&ampx`), but in
/// the value of an attribute they do if a letter, digit or `=` follows, so that `?a=1&copy=2` stays as it is.
pub(super) fn reference(text: &str, is_in_attribute: bool) -> Option<Reference> {
    match text.strip_prefix("&#") {
        Some(number) => numeric(number)
            .map(|(character, length)| Reference { characters: (character, None), length: length + 2 }),
        None => common(text).or_else(|| named(text.strip_prefix('&')?, is_in_attribute)),
    }
}

/// Nine of ten references in saved pages; the table is slow, since it is asked once for each letter.
fn common(text: &str) -> Option<Reference> {
    const NAMES: [(&str, char); 5] =
        [("&amp;", '&'), ("&nbsp;", '\u{a0}'), ("&quot;", '"'), ("&lt;", '<'), ("&gt;", '>')];
    let (name, character) = NAMES.iter().find(|(name, _)| text.starts_with(name))?;
    Some(Reference { characters: (*character, None), length: name.len() })
}

fn numeric(text: &str) -> Option<(char, usize)> {
    let (base, prefix) = if text.starts_with(['x', 'X']) { (16, 1) } else { (10, 0) };
    let digits = text[prefix..].bytes().take_while(|&b| char::from(b).is_digit(base)).count();
    let end = prefix + digits;
    if digits == 0 {
        return None;
    }
    // What has too many digits for 32 bits is beyond the last character.
    let number = u32::from_str_radix(&text[prefix..end], base).unwrap_or(u32::MAX);
    let character = match number {
        0 => None,
        0x80..=0x9f => C1_REPLACEMENTS[number as usize - 0x80].or(char::from_u32(number)),
        _ => char::from_u32(number),
    };
    let has_semicolon = text.as_bytes().get(end) == Some(&b';');
    Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), end + usize::from(has_semicolon)))
}

fn named(text: &str, is_in_attribute: bool) -> Option<Reference> {
    let bytes = text.as_bytes();
    let mut longest = None;
    // A name up to its semicolon is the longest there can be; one question instead of one for each letter.
    let end = bytes.iter().take(LONGEST).position(|b| !b.is_ascii_alphanumeric());
    if let Some(end) = end.filter(|&end| bytes[end] == b';')
        && let Some(&(first, second)) = NAMED_ENTITIES.get(&text[..=end])
    {
        return Some(of_table(first, second, end + 2));
    }
    // The table holds the beginnings of names, too, with no character.
    for (i, byte) in bytes.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() && *byte != b';' {
            break;
        }
        match NAMED_ENTITIES.get(&text[..=i]) {
            Some(&(0, _)) => {}
            Some(&(first, second)) => longest = Some((first, second, i + 1)),
            None => break,
        }
    }
    let (first, second, end) = longest?;
    let goes_on = bytes.get(end).is_some_and(|&b| b == b'=' || b.is_ascii_alphanumeric());
    if is_in_attribute && bytes[end - 1] != b';' && goes_on {
        return None;
    }
    Some(of_table(first, second, end + 1))
}

/// The longest name in the table, `CounterClockwiseContourIntegral;`, has 32 characters.
const LONGEST: usize = 32;

fn of_table(first: u32, second: u32, length: usize) -> Reference {
    let first = char::from_u32(first).expect("the table holds characters");
    Reference { characters: (first, char::from_u32(second).filter(|&c| c != '\0')), length }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(written: &str) -> Option<(String, usize)> {
        reference(written, false).map(|r| (r.text(&mut [0; 8]).to_owned(), r.length))
    }

    fn some(text: &str, length: usize) -> Option<(String, usize)> {
        Some((text.to_owned(), length))
    }

    #[test]
    fn names_are_taken_as_long_as_they_go() {
        assert_eq!(text("&amp;lt;"), some("&", 5));
        assert_eq!(text("&amplt;"), some("&", 4));
        assert_eq!(text("&notit;"), some("\u{ac}", 4));
        assert_eq!(text("&notin;"), some("\u{2209}", 7));
        assert_eq!(text("&acE;"), some("\u{223e}\u{333}", 5));
        assert_eq!(text("&CounterClockwiseContourIntegral;"), some("\u{2233}", 33));
        for written in ["&", "& ", "&;", "&hearts", "&nosuch;", "&\u{e4};"] {
            assert_eq!(text(written), None, "{written}");
        }
    }

    #[test]
    fn in_a_value_an_old_name_ends_with_a_semicolon_or_before_an_oddity() {
        for (written, length) in
            [("&copy=2", None), ("&copyx", None), ("&copy;=2", Some(6)), ("&copy&", Some(5))]
        {
            assert_eq!(reference(written, true).map(|r| r.length), length, "{written}");
        }
        assert_eq!(text("&copy=2"), some("\u{a9}", 5));
    }

    #[test]
    fn numbers_are_characters_as_far_as_they_can() {
        assert_eq!(text("&#65;B"), some("A", 5));
        assert_eq!(text("&#x4e2dg"), some("\u{4e2d}", 7));
        assert_eq!(text("&#X41"), some("A", 5));
        assert_eq!(text("&#128;"), some("\u{20ac}", 6));
        assert_eq!(text("&#x81;"), some("\u{81}", 6));
        for written in ["&#0;", "&#xD800;", "&#x110000;", "&#99999999999999999999;"] {
            assert_eq!(text(written), some("\u{fffd}", written.len()), "{written}");
        }
        for written in ["&#", "&#;", "&#x;", "&#xg"] {
            assert_eq!(text(written), None, "{written}");
        }
    }
}
