//! What a request says beside its URL: a method, and perhaps a body.
//!
//! Words that every layer shares, like those of [`model`](crate::model). Knows neither templates nor sockets.

use std::fmt;
use std::sync::Arc;

use crate::mistake::Slip;

/// What a form is sent as.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// What JSON is sent as.
pub const JSON: &str = "application/json";

/// A method and a body. Most requests are a plain GET and have none; the others share theirs where it is the same for
/// all pages.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// What is to be done.
    pub method: Method,
    /// The `Content-Type` of the body, unless the user's headers have one: [`FORM`] or [`JSON`].
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

/// The beginning of a body, on one line, for people: of a form or JSON the names and the numbers, of which pages are
/// made. Texts may be passwords, and are left out; so are the numbers of what is named like one.
pub fn shown(body: &[u8]) -> String {
    const LONGEST: usize = 200;
    let text = String::from_utf8_lossy(body);
    let text = if is_json(&text) { shown_json(&text) } else { shown_form(&text) };
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Stands for what is not shown.
const HIDDEN: &str = "…";

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// `q=…&page=3`. What is no form is left out as a whole.
fn shown_form(text: &str) -> String {
    let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.[]%+".contains(c));
    let part = |part: &str| match part.split_once('=').filter(|(name, _)| is_name(name)) {
        Some((name, value)) if is_number(value) && !is_of_secret(name) => format!("{name}={value}"),
        Some((name, value)) => format!("{name}={}", if value.is_empty() { "" } else { HIDDEN }),
        None if is_number(part) || part.is_empty() => part.to_owned(),
        None => HIDDEN.to_owned(),
    };
    text.split('&').map(part).collect::<Vec<_>>().join("&")
}

/// JSON as it is written, but for its texts.
fn shown_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_of_secret_name = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let is_number_char = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        if c == '"' {
            let end = end_of_string(rest);
            let is_name = rest[end..].trim_start().starts_with(':');
            if is_name {
                is_of_secret_name = is_of_secret(&rest[..end]);
                shown.push_str(&rest[..end]);
            } else {
                shown.push_str(&format!("\"{HIDDEN}\""));
            }
            rest = &rest[end..];
        } else if is_of_secret_name && (c.is_ascii_digit() || c == '-') {
            shown.push_str(HIDDEN);
            rest = rest.trim_start_matches(is_number_char);
        } else {
            shown.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    shown
}

/// Behind the string of JSON that `text` begins with.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return at + 1,
            _ => is_escaped = byte == b'\\' && !is_escaped,
        }
    }
    text.len()
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a name is one that secrets have.
fn is_of_secret(name: &str) -> bool {
    const PARTS: [&str; 8] = ["pass", "pwd", "pin", "secret", "token", "key", "auth", "code"];
    let name = name.to_ascii_lowercase();
    PARTS.iter().any(|part| name.contains(part))
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
    fn of_a_body_names_and_numbers_are_shown_and_no_text() {
        for (body, expected) in [
            ("user=me&password=hunter2&page=3&q=", "user=…&password=…&page=3&q="),
            ("pin=1234&from=-25", "pin=…&from=-25"),
            ("hunter2", "…"),
            ("<login>hunter2</login>\n<b a='x'>", "…"),
            ("", ""),
        ] {
            assert_eq!(shown(body.as_bytes()), expected, "{body}");
        }
        assert_eq!(
            shown(br#"{"page": 1, "a\"b": ["x", "y\"", 2.5e3, true], "token" : -17, "q": {"pass": "p: \"1\""}}"#),
            r#"{"page": 1, "a\"b": ["…", "…", 2.5e3, true], "token" : …, "q": {"pass": "…"}}"#
        );
        assert_eq!(shown(br#""hunter2""#), "\"…\"");
    }

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
