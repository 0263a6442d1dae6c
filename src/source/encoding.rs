//! How a word is written into a URL, a form or JSON, so that it arrives there as it is.

use std::fmt::Write;

/// Where a word goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Into a path segment or a value of a query (RFC 3986 2.3: all but letters, digits and `-._~` is percent-encoded).
    Url,
    /// Into a form: the same, which is right there, too.
    Form,
    /// Between the quotes of a JSON string.
    Json,
}

impl Encoding {
    /// Writes a word.
    pub(super) fn add(self, out: &mut String, word: &str) {
        match self {
            Encoding::Url | Encoding::Form => {
                for byte in word.bytes() {
                    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                        out.push(char::from(byte));
                    } else {
                        let _ = write!(out, "%{byte:02X}");
                    }
                }
            }
            Encoding::Json => {
                let quoted = serde_json::Value::from(word).to_string();
                out.push_str(&quoted[1..quoted.len() - 1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_arrives_as_it_is() {
        let written = |encoding: Encoding, word: &str| {
            let mut out = String::new();
            encoding.add(&mut out, word);
            out
        };
        assert_eq!(written(Encoding::Url, "a b/c?d&e=é~"), "a%20b%2Fc%3Fd%26e%3D%C3%A9~");
        assert_eq!(written(Encoding::Form, "a+b"), "a%2Bb");
        assert_eq!(written(Encoding::Json, "a\"b\\\n"), "a\\\"b\\\\\\n");
    }
}
