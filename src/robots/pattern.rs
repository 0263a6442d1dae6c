//! The pattern of a rule against a path: `*` is any text, `$` at its end the end of the path (RFC 9309 2.2.3), and a
//! pattern without it need only match a beginning.
//!
//! Time is linear in the lengths of both: a piece between two `*` is looked for once, from where the one before it
//! ended, with the two-way search of the standard library. Taking the first place is enough, since whatever matches
//! after a later one also matches after an earlier one.

use std::borrow::Cow;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether the pattern matches the path.
pub(super) fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, to_the_end) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let Some((beginning, more)) = pattern.split_once('*') else {
        return if to_the_end { path == pattern } else { path.starts_with(pattern) };
    };
    let Some(mut rest) = path.strip_prefix(beginning) else {
        return false;
    };
    let (middle, last) = more.rsplit_once('*').unwrap_or(("", more));
    for piece in middle.split('*') {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    if to_the_end { rest.ends_with(last) } else { rest.contains(last) }
}

/// Percent-encodes what is neither reserved nor unreserved (RFC 9309 2.2.2, RFC 3986 2), and writes hexadecimal digits
/// large (RFC 3986 6.2.2.1). Of rules as of URLs; the result is ASCII.
pub(super) fn encoded(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for (at, &byte) in bytes.iter().enumerate() {
        let is_digit_of_escape = byte.is_ascii_hexdigit()
            && (1..=2).any(|back| back <= at && escape_at(bytes, at - back).is_some());
        if is_digit_of_escape {
            text.push(byte.to_ascii_uppercase().into());
        } else if byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte) {
            text.push(byte.into());
        } else {
            escape(&mut text, byte);
        }
    }
    text
}

/// A path as the RFC compares it: what need not be encoded is decoded. A `*` or `$` in it is itself, so it is encoded,
/// as a rule that means one would.
pub(super) fn decoded_path(path: &str) -> Cow<'_, str> {
    decoded(path, |_, byte| matches!(byte, b'*' | b'$'))
}

/// The same for a pattern, whose `*`, and `$` at the end, are not text.
pub(super) fn decoded_pattern(pattern: &str) -> Cow<'_, str> {
    decoded(pattern, |at, byte| byte == b'$' && at + 1 < pattern.len())
}

fn decoded(text: &str, must_be_encoded: impl Fn(usize, u8) -> bool) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let needless = |at| escape_at(bytes, at).filter(|byte| is_unreserved(*byte));
    if !(0..bytes.len()).any(|at| needless(at).is_some() || must_be_encoded(at, bytes[at])) {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.char_indices();
    while let Some((at, char)) = rest.next() {
        if let Some(byte) = needless(at) {
            decoded.push(byte.into());
            // The two digits.
            rest.nth(1);
        } else if must_be_encoded(at, bytes[at]) {
            escape(&mut decoded, bytes[at]);
        } else {
            decoded.push(char);
        }
    }
    Cow::Owned(decoded)
}

/// The byte that `%XX` at this place stands for.
fn escape_at(bytes: &[u8], at: usize) -> Option<u8> {
    let [b'%', high, low] = *bytes.get(at..at + 3)? else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

fn escape(text: &mut String, byte: u8) {
    text.push('%');
    text.push(HEX[usize::from(byte >> 4)].into());
    text.push(HEX[usize::from(byte & 15)].into());
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the RFC says, word by word, in exponential time.
    fn naively(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', more @ ..] => (0..=path.len()).any(|at| naively(more, &path[at..])),
            [byte, more @ ..] => path.first() == Some(byte) && naively(more, &path[1..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn matching_agrees_with_the_plain_definition(
            pattern in "/[ab/*$]{0,8}",
            path in "/[ab/$]{0,10}",
        ) {
            prop_assert_eq!(matches(&pattern, &path), naively(pattern.as_bytes(), path.as_bytes()));
        }

        #[test]
        fn encoding_and_decoding_settle_at_once(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
            let once = encoded(&bytes);
            prop_assert!(once.is_ascii());
            prop_assert_eq!(encoded(once.as_bytes()), once.clone());
            let path = decoded_path(&once).into_owned();
            prop_assert_eq!(encoded(path.as_bytes()), path);
        }
    }

    #[test]
    fn a_pattern_is_a_beginning_with_wildcards() {
        for (pattern, path, does) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish", "/catfish", false),
            ("/fish$", "/fish", true),
            ("/fish$", "/fish/", false),
            ("/*.php", "/a/b.php5", true),
            ("/*.php$", "/a/b.php5", false),
            ("/*.php$", "/a.php/b.php", true),
            ("/a*b*c", "/aXbYc", true),
            ("/a*b*c", "/aXcYb", false),
            ("/a**b", "/ab", true),
            ("/a*ab$", "/ab", false),
            ("/a*$", "/a", true),
            ("*/x", "/y/x", true),
            ("/a$b", "/a$b", true),
        ] {
            assert_eq!(matches(pattern, path), does, "{pattern} {path}");
        }
    }

    #[test]
    fn what_a_url_encodes_is_encoded() {
        assert_eq!(encoded("/ツ".as_bytes()), "/%E3%83%84");
        assert_eq!(encoded(b"/%e3%83%84"), "/%E3%83%84");
        assert_eq!(encoded(b"/a b|\x1b"), "/a%20b%7C%1B");
        assert_eq!(encoded(b"/100%/%a/%zz/?q=a&b"), "/100%/%a/%zz/?q=a&b");
    }

    #[test]
    fn what_need_not_be_encoded_is_decoded() {
        assert_eq!(decoded_path("/%7Ea/%62%61%7A"), "/~a/baz");
        assert_eq!(decoded_path("/%2F%E3%"), "/%2F%E3%");
        assert_eq!(decoded_path("/a*b$"), "/a%2Ab%24");
        assert_eq!(decoded_pattern("/a*b$"), "/a*b$");
        assert_eq!(decoded_pattern("/a$b$"), "/a%24b$");
    }
}
