//! What a request says beside its URL: a method, and perhaps a body.
//!
//! Words that every layer shares, like those of [`model`](crate::model). Knows neither templates nor sockets.

use std::fmt;
use std::sync::Arc;

use crate::mistake::Slip;

/// A method and a body. Most requests are a plain GET and have none; the others share theirs where it is the same for
/// all pages.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What is to be done.
    pub method: Method,
    /// The `Content-Type` of the body, unless the user's headers have one.
    pub content_type: Option<&'static str>,
    /// The body; `None` for none at all.
    pub body: Option<Vec<u8>>,
}

/// A body may have a password in it.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} bytes", self.method, self.body.as_ref().map_or(0, Vec::len))
    }
}

/// An HTTP method (RFC 9110 9), in the case it is sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(Arc<str>);

/// The beginning of a body, on one line, for people.
pub fn shown(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Those that people misspell.
const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"];

impl Method {
    /// The method of this name.
    ///
    /// # Errors
    /// A [`Slip`] for what is no method, or gives no page.
    pub fn parse(text: &str) -> Result<Method, Slip> {
        if let Some(known) = KNOWN.iter().find(|known| known.eq_ignore_ascii_case(text) && **known != text) {
            return Err(Slip::new(0, "methods are written in capitals").with_hint(format!("write {known}")));
        }
        if text.is_empty() {
            return Err(Slip::new(0, "the method is empty").with_hint("like POST"));
        }
        // RFC 9110 5.6.2.
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if let Some(at) = text.find(|c| !is_token(c)) {
            return Err(Slip::new(at, "a method cannot have this character").with_hint("like POST"));
        }
        match text {
            "HEAD" => Err(Slip::new(0, "the reply to a HEAD has no page to read").with_hint("leave it out")),
            "CONNECT" | "TRACE" => Err(Slip::new(0, format!("{text} is not for pages"))),
            _ => Ok(Method(text.into())),
        }
    }

    /// POST.
    pub fn post() -> Method {
        Method("POST".into())
    }

    /// As it is sent.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether a server expects to be told the length of a body, be it none (RFC 9110 8.6).
    pub fn expects_body(&self) -> bool {
        matches!(self.name(), "POST" | "PUT" | "PATCH")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_tokens_in_capitals_that_give_a_page() {
        assert_eq!(Method::parse("PROPFIND").unwrap().name(), "PROPFIND");
        assert_eq!(Method::parse("post").unwrap_err().hint.as_deref(), Some("write POST"));
        assert_eq!(Method::parse("PO ST").unwrap_err().at, 2);
        for wrong in ["", "HEAD", "CONNECT", "TRACE", "GET\r\n"] {
            assert!(Method::parse(wrong).is_err(), "{wrong}");
        }
    }
}
