//! The request headers: how the user writes one, and which of them go to which host.
//!
//! Knows names and values only; who sends them is not its business.

use super::{FetchPolicy, Secret};
use crate::mistake::Slip;

const ACCEPT: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// What [`decode`](super::decode::decode) undoes.
const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// Headers that say what we are and want, not who the user is. Only these go to a host that the user did not name.
const HARMLESS: [&str; 4] = ["user-agent", "accept", "accept-encoding", "accept-language"];

/// Headers that say how a request body is sent, or about the connection, which is not the user's: a server that
/// believed them would wait for bytes that never come.
const NOT_THE_USERS: [&str; 6] =
    ["content-length", "transfer-encoding", "expect", "upgrade", "te", "trailer"];

/// The two sets of headers of a run.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Headers {
    /// For the origin that the request names: everything.
    pub(super) home: Vec<(String, String)>,
    /// For any other origin, reached by a redirect: nothing that could be a secret.
    pub(super) away: Vec<(String, String)>,
    /// The values of the user's `Cookie` headers: they become one with the cookies of the jar.
    pub(super) cookies: Vec<String>,
}

impl Headers {
    /// The defaults, with the user's headers in place of those of the same name.
    pub(super) fn new(policy: &FetchPolicy) -> Headers {
        let defaults = [
            ("user-agent", policy.user_agents.first().map_or("", String::as_str)),
            ("accept", ACCEPT),
            ("accept-encoding", ACCEPT_ENCODING),
        ];
        let named = |name: &str| policy.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
        let kept = defaults.iter().filter(|(name, _)| !named(name)).map(|&(name, value)| (name, value));
        let own = policy.headers.iter().map(|(name, value)| (name.as_str(), value.reveal()));
        let home: Vec<_> = kept
            .chain(own)
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let (cookies, home): (Vec<_>, Vec<_>) = home.into_iter().partition(|(name, _)| name == "cookie");
        let away = home.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str())).cloned().collect();
        let cookies = cookies.into_iter().map(|(_, value)| value).collect();
        Headers { home, away, cookies }
    }
}

/// Reads a header as the user writes it: `Name: value`, or `Name:` to leave out a header that pagemill would send.
///
/// # Errors
///
/// A [`Slip`] at the character that a header cannot have (RFC 9110 5.1, 5.5): line breaks would smuggle in further
/// headers.
pub fn parse_header(text: &str) -> Result<(String, Secret), Slip> {
    let Some(colon) = text.find(':') else {
        return Err(Slip::new(text.len(), "a header needs a `:`").with_hint("write `Name: value`"));
    };
    let (name, value) = (&text[..colon], &text[colon + 1..]);
    if name.is_empty() {
        return Err(Slip::new(0, "no header name before the `:`").with_hint("write `Name: value`"));
    }
    if let Some(at) = name.find(|c| !is_token(c)) {
        return Err(Slip::new(at, "a header name cannot have this character")
            .with_hint("use letters, digits and `-`, and no blank before the `:`"));
    }
    if NOT_THE_USERS.iter().any(|taken| name.eq_ignore_ascii_case(taken)) {
        return Err(Slip::new(
            0,
            format!("`{name}` cannot be set: it is about the connection or the length of a body"),
        ));
    }
    let value_at = colon + 1 + (value.len() - value.trim_start_matches([' ', '\t']).len());
    let value = value.trim_matches([' ', '\t']);
    if let Some(at) = value.find(|c: char| c.is_control() && c != '\t') {
        return Err(Slip::new(value_at + at, "a header value cannot have line breaks or control characters"));
    }
    // These two are read by the HTTP client itself, as ASCII.
    if ["host", "authorization"].iter().any(|read| name.eq_ignore_ascii_case(read))
        && let Some(at) = value.find(|c: char| !c.is_ascii())
    {
        return Err(Slip::new(value_at + at, format!("`{name}` must be ASCII")));
    }
    Ok((name.to_owned(), Secret::new(value)))
}

/// RFC 9110 5.6.2.
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// The value of `Authorization` or `Proxy-Authorization` for a user and a password (RFC 7617 2).
pub(super) fn basic(user: &[u8], password: &[u8]) -> String {
    format!("Basic {}", base64(&[user, b":", password].concat()))
}

/// The bytes that a text with `%41` stands for; a `%` without two digits is itself.
pub(super) fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let byte = match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                at += 2;
                u8::try_from(high << 4 | low).expect("two hexadecimal digits make a byte")
            }
            (byte, ..) => byte,
        };
        decoded.push(byte);
        at += 1;
    }
    decoded
}

/// RFC 4648 4, with padding. A crate for these lines would be one more to trust.
pub(super) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let group =
            three.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - three.len()));
        for place in 0..4 {
            let letter = LETTERS[(group >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= three.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::tests::policy;

    fn slip_at(text: &str) -> usize {
        parse_header(text).unwrap_err().at
    }

    fn values<'a>(headers: &'a [(String, String)], name: &str) -> Vec<&'a str> {
        headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    #[test]
    fn a_header_is_a_name_and_a_trimmed_value() {
        assert_eq!(parse_header("X-Token:  a: b\t"), Ok(("X-Token".into(), Secret::new("a: b"))));
        assert_eq!(parse_header("Accept:"), Ok(("Accept".into(), Secret::default())));
        assert_eq!(parse_header("X: é"), Ok(("X".into(), Secret::new("é"))));
    }

    #[test]
    fn the_caret_stands_where_the_header_goes_wrong() {
        assert_eq!(slip_at("X-Token"), 7);
        assert_eq!(slip_at(": v"), 0);
        assert_eq!(slip_at("X Token: v"), 1);
        assert_eq!(slip_at("X : v"), 1);
        assert_eq!(slip_at("Ü: v"), 0);
        assert_eq!(slip_at("X: a\r\nEvil: b"), 4);
        assert_eq!(slip_at("X:\n"), 2);
        assert_eq!(slip_at("X: \0"), 3);
        assert_eq!(slip_at("Host: ü"), 6);
    }

    #[test]
    fn headers_about_a_request_body_are_refused() {
        assert_eq!(slip_at("Content-length: 5"), 0);
        assert_eq!(slip_at("Transfer-Encoding: chunked"), 0);
    }

    #[test]
    fn a_header_of_the_user_replaces_the_default_and_may_repeat() {
        let own = [("ACCEPT", "text/plain"), ("Cookie", "a=1"), ("Cookie", "b=2")];
        let headers = Headers::new(&FetchPolicy {
            headers: own.map(|(name, value)| (name.into(), Secret::new(value))).to_vec(),
            ..policy()
        });
        assert_eq!(values(&headers.home, "accept"), ["text/plain"]);
        assert_eq!(headers.cookies, ["a=1", "b=2"]);
        assert_eq!(values(&headers.home, "accept-encoding"), [ACCEPT_ENCODING]);
    }

    #[test]
    fn an_empty_value_removes_the_default() {
        let headers = vec![("User-Agent".into(), Secret::default())];
        let headers = Headers::new(&FetchPolicy { headers, ..policy() });
        assert_eq!(values(&headers.home, "user-agent"), [""; 0]);
        assert_eq!(values(&headers.away, "user-agent"), [""; 0]);
    }

    #[test]
    fn another_origin_gets_no_header_that_could_be_a_secret() {
        let own = ["Authorization", "Cookie", "X-Token", "Referer", "Accept-Language"];
        let headers = own.map(|name| (name.to_owned(), Secret::new("v"))).to_vec();
        let headers = Headers::new(&FetchPolicy { headers, ..policy() });
        let names: Vec<_> = headers.away.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["user-agent", "accept", "accept-encoding", "accept-language"]);
    }

    #[test]
    fn base64_agrees_with_the_vectors_of_rfc_4648() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
