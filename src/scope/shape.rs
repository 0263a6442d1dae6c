//! The shape of a URL: what is left of it when numbers and random-looking names are taken for one another. A calendar
//! has one shape whatever the day, a shop one for all products that it numbers.

use std::ops::Range;

use url::{Position, Url};

use super::normal;

/// Writes shapes, one after the other into the same memory.
#[derive(Debug, Default)]
pub(super) struct Shaper {
    shape: String,
    /// The names in the query, one after the other, and where each stands.
    names: String,
    places: Vec<Range<usize>>,
}

impl Shaper {
    /// The shape, like `http://h/cal/N/N?month`: runs of digits are `N`; hexadecimal, UUIDs and what looks random are
    /// `H`; of the query only the names are left, each once, sorted.
    ///
    /// A session id is thereby nothing that makes pages differ, be it a value (`?PHPSESSID=..`) or part of the path
    /// (`/page;jsessionid=..`).
    pub(super) fn shape(&mut self, url: &Url) -> &str {
        let shape = &mut self.shape;
        shape.clear();
        shape.push_str(url.scheme());
        shape.push_str("://");
        shape.push_str(&url[Position::BeforeHost..Position::BeforePath]);
        reduce(url.path(), shape);
        if let Some(query) = url.query() {
            self.add_names(query);
        }
        &self.shape
    }

    fn add_names(&mut self, query: &str) {
        self.names.clear();
        self.places.clear();
        for part in query.split('&').filter(|part| !part.is_empty()) {
            let start = self.names.len();
            reduce(normal::name(part), &mut self.names);
            self.places.push(start..self.names.len());
        }
        let names = &self.names;
        self.places.sort_unstable_by_key(|place| &names[place.clone()]);
        self.places.dedup_by_key(|place| &names[place.clone()]);
        for (at, place) in self.places.iter().enumerate() {
            self.shape.push(if at == 0 { '?' } else { '&' });
            self.shape.push_str(&names[place.clone()]);
        }
    }
}

/// Writes the shape of a text: of its words, which are what stands between other characters than letters, digits, `-`
/// and `_`. What is percent-encoded is no number.
///
/// Byte by byte, and a word without a digit is only passed over: this runs for each new link on the one thread that
/// counts them all.
fn reduce(text: &str, shape: &mut String) {
    let bytes = text.as_bytes();
    let (mut at, mut written) = (0, 0);
    while at < bytes.len() {
        let start = at;
        let mut has_digit = false;
        while at < bytes.len() && is_in_word(bytes[at]) {
            has_digit |= bytes[at].is_ascii_digit();
            at += 1;
        }
        if has_digit {
            shape.push_str(&text[written..start]);
            reduce_word(&text[start..at], shape);
            written = at;
        }
        if at < bytes.len() {
            at += if bytes[at] == b'%' { 3 } else { 1 };
        }
    }
    shape.push_str(&text[written..]);
}

fn is_in_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || is_joint(byte)
}

fn is_joint(byte: u8) -> bool {
    matches!(byte, b'-' | b'_')
}

fn reduce_word(word: &str, shape: &mut String) {
    if is_uuid(word) || is_random(word) {
        shape.push('H');
        return;
    }
    let mut rest = word;
    loop {
        let end = rest.bytes().position(is_joint);
        let token = &rest[..end.unwrap_or(rest.len())];
        if is_hexadecimal(token) || is_random(token) {
            shape.push('H');
        } else {
            reduce_digits(token, shape);
        }
        let Some(end) = end else { return };
        shape.push_str(&rest[end..=end]);
        rest = &rest[end + 1..];
    }
}

fn reduce_digits(token: &str, shape: &mut String) {
    let mut rest = token;
    while let Some(start) = rest.bytes().position(|byte| byte.is_ascii_digit()) {
        shape.push_str(&rest[..start]);
        shape.push('N');
        let digits = &rest[start..];
        let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
        rest = &digits[end..];
    }
    shape.push_str(rest);
}

/// Eight hexadecimal digits or more, which are neither a number nor a word.
fn is_hexadecimal(token: &str) -> bool {
    let bytes = token.as_bytes();
    bytes.len() >= 8
        && bytes.iter().all(u8::is_ascii_hexdigit)
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().any(u8::is_ascii_alphabetic)
}

/// `550e8400-e29b-41d4-a716-446655440000` (RFC 9562 4).
fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether small letters, capitals and digits take turns as they do where they are drawn by chance (every second
/// character or more in base 64), and not where words and numbers are joined, `iPhone-15-Pro-Max-256GB`.
fn is_random(word: &str) -> bool {
    if word.len() < 10 {
        return false;
    }
    let kind = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let (mut turns, mut has_digit, mut last) = (0, false, None);
    for kind in word.bytes().map(kind) {
        turns += usize::from(kind.is_some() && last.is_some() && kind != last);
        has_digit |= kind == Some(0);
        last = kind;
    }
    // In a short one words could do so too. In a long one base 36 turns at two of five characters.
    let share = if word.len() < 16 { 2 } else { 3 };
    has_digit && turns * share >= word.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_by_chance_are_one_and_words_are_not() {
        let mut shaper = Shaper::default();
        for (url, expected) in [
            ("http://h/", "http://h/"),
            ("https://u:p@h:8443/a", "https://h:8443/a"),
            ("http://h2/cal/2026/11?month=12", "http://h2/cal/N/N?month"),
            ("http://h/p12x3.html", "http://h/pNxN.html"),
            ("http://h/the-great-gatsby-1925", "http://h/the-great-gatsby-N"),
            ("http://h/2026-11-21-top-10-things-in-24h", "http://h/N-N-N-top-N-things-in-Nh"),
            ("http://h/iPhone-15-Pro-Max-256GB", "http://h/iPhone-N-Pro-Max-NGB"),
            ("http://h/caf%C3%A9/1", "http://h/caf%C3%A9/N"),
            ("http://h/550e8400-e29b-41d4-a716-446655440000.html", "http://h/H.html"),
            ("http://h/commit/9fceb02d", "http://h/commit/H"),
            ("http://h/v-9fceb02d-x", "http://h/v-H-x"),
            ("http://h/watch/dQw4w9WgXcQ", "http://h/watch/H"),
            ("http://h/x/pZ3_kQ-0aB7yT1mN-5c", "http://h/x/H"),
            ("http://h/a;jsessionid=0A1B2C3D4E5F60718293", "http://h/a;jsessionid=H"),
            ("http://h/?sid=1&PHPSESSID=abc&a=2&a=3", "http://h/?PHPSESSID&a&sid"),
            ("http://h/?f[2]=x&f[10]=y&&z", "http://h/?f[N]&z"),
            ("http://h/?1&2&3", "http://h/?N"),
            ("http://h/1%", "http://h/N%"),
            ("http://h/%1", "http://h/%1"),
            ("http://h/%411/%C3%A91", "http://h/%41N/%C3%A9N"),
            ("http://h/_a--b-1_/-2-", "http://h/_a--b-N_/-N-"),
        ] {
            assert_eq!(shaper.shape(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }
}
