//! Text that must never be shown: passwords, tokens, cookies.
//!
//! Knows nothing of what it hides; the one way to the text is [`Secret::reveal`], which is easy to find in a review.

use std::fmt;

/// A text that is sent, and shown to nobody.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Hides `text`.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The text, for sending it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_shown_for_debugging() {
        let shown = format!("{:?}", Some(("user", Secret::new("s3cret"))));
        assert_eq!(shown, "Some((\"user\", (redacted)))");
    }
}
