//! What an HTML page says of its own character set, found before it can be read: WHATWG HTML 13.2.3.2, "prescan a
//! byte stream to determine its encoding".
//!
//! Knows tags just well enough for that; the tree is `parse`'s.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

use super::charset_named;

/// The standard looks at 1,024 bytes. Browsers change their mind at a later `<meta>` while they parse; looking on
/// through the head comes to the same.
const STANDARD: usize = 1024;
/// Heads beyond this have no `<meta charset>` that anything depends on.
const FARTHEST: usize = 64 << 10;

/// The character set of the page's `<meta>`, if it has one that is known.
pub(super) fn charset_of_meta(body: &[u8]) -> Option<&'static Encoding> {
    let mut bytes = Bytes { bytes: &body[..body.len().min(FARTHEST)], at: 0 };
    while let Some(start) = bytes.skip_to(b'<') {
        let rest = &bytes.bytes[start..];
        if rest.starts_with(b"<!--") {
            // `<!-->` is a comment: its last two dashes may be its first two.
            bytes.at = start + 2 + find(&rest[2..], b"-->")? + 3;
        } else if is_tag(rest, b"<meta") && rest.get(5) != Some(&b'>') {
            bytes.at = start + 5;
            if let Some(encoding) = charset_of_attributes(&mut bytes) {
                return Some(encoding);
            }
        } else if start >= STANDARD && (is_tag(rest, b"<body") || is_tag(rest, b"</head")) {
            return None;
        } else if is_letter(rest.get(1)) || (rest.get(1) == Some(&b'/') && is_letter(rest.get(2))) {
            bytes.skip_while(|b| !b.is_ascii_whitespace() && b != b'>');
            while bytes.attribute().is_some() {}
        } else if matches!(rest.get(1), Some(b'!' | b'/' | b'?')) {
            bytes.skip_to(b'>')?;
        } else {
            bytes.at = start + 1;
        }
    }
    None
}

/// The steps for a `<meta>`: what counts is `charset`, or `content` beside `http-equiv=content-type`.
fn charset_of_attributes(bytes: &mut Bytes<'_>) -> Option<&'static Encoding> {
    let mut seen: Vec<Vec<u8>> = Vec::new();
    let (mut got_pragma, mut need_pragma, mut charset) = (false, None, None);
    while let Some((name, value)) = bytes.attribute() {
        // There are three names of interest; the first of each counts.
        if seen.contains(&name) {
            continue;
        }
        match &*name {
            b"http-equiv" => got_pragma = value == b"content-type",
            b"content" if charset.is_none() => {
                if let Some(encoding) = charset_of_content(&value) {
                    (charset, need_pragma) = (Some(encoding), Some(true));
                }
            }
            b"charset" => {
                charset = std::str::from_utf8(&value).ok().and_then(charset_named);
                need_pragma = Some(false);
            }
            _ => continue,
        }
        seen.push(name);
    }
    let encoding = if need_pragma? && !got_pragma { None } else { charset }?;
    // The `<meta>` was readable as ASCII, so it is not UTF-16; x-user-defined stands for windows-1252 in pages.
    Some(match encoding.name() {
        "UTF-16BE" | "UTF-16LE" => UTF_8,
        "x-user-defined" => WINDOWS_1252,
        _ => encoding,
    })
}

/// The character set in `text/html; charset=...` (WHATWG HTML 2.5.4, on lower-case bytes).
fn charset_of_content(content: &[u8]) -> Option<&'static Encoding> {
    let mut rest = content;
    loop {
        rest = &rest[find(rest, b"charset")? + 7..];
        let value = rest.trim_ascii_start();
        if let Some(value) = value.strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            let label = match value.first()? {
                quote @ (b'"' | b'\'') => {
                    let value = &value[1..];
                    &value[..value.iter().position(|b| b == quote)?]
                }
                _ => value.split(|b| b.is_ascii_whitespace() || *b == b';').next()?,
            };
            return std::str::from_utf8(label).ok().and_then(charset_named);
        }
    }
}

/// A walk over bytes.
struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bytes<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Goes to the next `wanted`, and says where that is.
    fn skip_to(&mut self, wanted: u8) -> Option<usize> {
        self.skip_while(|b| b != wanted);
        (self.at < self.bytes.len()).then_some(self.at)
    }

    fn skip_while(&mut self, condition: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&condition) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, condition: impl Fn(u8) -> bool) -> Vec<u8> {
        let start = self.at;
        self.skip_while(condition);
        self.bytes[start..self.at].to_ascii_lowercase()
    }

    /// "Get an attribute": name and value in lower case; `None` at the end of the tag.
    fn attribute(&mut self) -> Option<(Vec<u8>, Vec<u8>)> {
        self.skip_while(|b| b.is_ascii_whitespace() || b == b'/');
        if self.peek()? == b'>' {
            return None;
        }
        let start = self.at;
        self.at += 1; // A `=` in front belongs to the name.
        self.skip_while(|b| !b.is_ascii_whitespace() && !matches!(b, b'=' | b'/' | b'>'));
        let name = self.bytes[start..self.at].to_ascii_lowercase();
        self.skip_while(|b| b.is_ascii_whitespace());
        if self.peek()? != b'=' {
            return Some((name, Vec::new()));
        }
        self.at += 1;
        self.skip_while(|b| b.is_ascii_whitespace());
        let value = match self.peek()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let value = self.take_while(|b| b != quote);
                // A value without its end is no value.
                self.peek()?;
                self.at += 1;
                value
            }
            _ => self.take_while(|b| !b.is_ascii_whitespace() && b != b'>'),
        };
        Some((name, value))
    }
}

fn is_tag(rest: &[u8], tag: &[u8]) -> bool {
    rest.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag))
        && rest.get(tag.len()).is_some_and(|&b| b.is_ascii_whitespace() || b == b'/' || b == b'>')
}

fn is_letter(byte: Option<&u8>) -> bool {
    byte.is_some_and(u8::is_ascii_alphabetic)
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(page: &str) -> Option<&'static str> {
        charset_of_meta(page.as_bytes()).map(Encoding::name)
    }

    #[test]
    fn both_forms_of_meta_are_read() {
        assert_eq!(name("<meta charset=koi8-r>"), Some("KOI8-R"));
        assert_eq!(name("<META\tCharSet = 'Big5' />"), Some("Big5"));
        let pragma = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=gb2312\">";
        assert_eq!(name(pragma), Some("GBK"));
        assert_eq!(name("<meta content='text/html;charset=\"gbk\"' http-equiv=content-type>"), Some("GBK"));
    }

    #[test]
    fn content_counts_only_beside_its_pragma() {
        assert_eq!(name("<meta name=x content='text/html; charset=gbk'>"), None);
        assert_eq!(name("<meta content='charset=gbk' charset=koi8-r>"), Some("KOI8-R"));
    }

    #[test]
    fn a_meta_in_a_comment_or_a_value_does_not_count() {
        assert_eq!(name("<!-- <meta charset=gbk> --><meta charset=koi8-r>"), Some("KOI8-R"));
        assert_eq!(name("<!--><meta charset=gbk>-->"), Some("GBK"));
        assert_eq!(name("<p title='<meta charset=gbk>'><meta charset=koi8-r>"), Some("KOI8-R"));
        assert_eq!(name("<?php '<meta charset=gbk>'"), None);
    }

    #[test]
    fn an_unknown_label_is_skipped() {
        assert_eq!(name("<meta charset=klingon><meta charset=gbk>"), Some("GBK"));
        assert_eq!(name("<meta charset>"), None);
    }

    #[test]
    fn a_page_that_can_say_so_is_not_utf_16() {
        assert_eq!(name("<meta charset=utf-16>"), Some("UTF-8"));
        assert_eq!(name("<meta charset=x-user-defined>"), Some("windows-1252"));
    }

    #[test]
    fn a_late_meta_counts_while_the_head_lasts() {
        let style = format!("<head><style>{}</style>", "x".repeat(5000));
        assert_eq!(name(&format!("{style}<meta charset=gbk></head>")), Some("GBK"));
        assert_eq!(name(&format!("{style}</head><body><meta charset=gbk>")), None);
        assert_eq!(name(&format!("{}<meta charset=gbk>", "<p>".repeat(30_000))), None);
    }

    #[test]
    fn cut_off_markup_ends_the_search() {
        for page in
            ["<", "<meta", "<meta charset", "<meta charset=", "<meta charset='gbk", "<!--", "<a b", "</", ""]
        {
            assert_eq!(name(page), None, "{page}");
        }
    }
}
