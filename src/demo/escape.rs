//! Text made safe for HTML and XML, in content and in quoted attribute values alike.

use std::fmt::{self, Write};

/// Shows a text with `& < > " '` written as references that HTML and XML both know.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                // `&apos;` is not in HTML 4, and old parsers show it as it stands.
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

/// A text cut to `limit` characters, the last of them an ellipsis if something is missing.
pub(super) struct Cut<'a>(pub(super) &'a str, pub(super) usize);

impl fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cut(text, limit) = *self;
        if text.char_indices().nth(limit).is_none() {
            return Escaped(text).fmt(f);
        }
        let end = text.char_indices().nth(limit - 1).map_or(text.len(), |(at, _)| at);
        Escaped(text[..end].trim_end()).fmt(f)?;
        f.write_char('…')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_special_character_is_a_reference() {
        assert_eq!(Escaped(r#"<a b="c">'&é"#).to_string(), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;é");
        assert_eq!(Escaped("plain").to_string(), "plain");
    }

    #[test]
    fn a_long_text_is_cut_at_a_character_and_before_a_space() {
        assert_eq!(Cut("雪の図書館", 5).to_string(), "雪の図書館");
        assert_eq!(Cut("雪の図書館", 4).to_string(), "雪の図…");
        assert_eq!(Cut("Salt & Ash", 6).to_string(), "Salt…");
        assert_eq!(Cut("Salt & Ash", 7).to_string(), "Salt &amp;…");
    }
}
