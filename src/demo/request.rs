//! The little HTTP/1.1 a shop must read (RFC 9110, RFC 9112): the header of a request.
//!
//! It works on any reader and knows nothing of books, sockets or threads. Requests with a body are answered without
//! reading it, and their connection ends.

use std::io::{self, BufRead, Read};

/// Bytes of a request line with all its header fields.
pub(super) const HEADER_BYTES: u64 = 16 << 10;

/// A request as far as it matters here.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path without query: `/page/1`.
    pub(super) path: String,
    pub(super) if_none_match: Option<String>,
    pub(super) if_modified_since: Option<String>,
    /// Whether the connection ends with this request.
    pub(super) last: bool,
}

impl Request {
    /// The request that a refusal answers: none was understood, so the connection ends.
    pub(super) fn refused() -> Request {
        Request { method: "GET".to_owned(), last: true, ..Request::default() }
    }
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoRequest {
    /// The peer went away, or fell silent.
    Gone,
    /// What came deserves this status, and the connection ends.
    Refused(u16),
}

const BAD: NoRequest = NoRequest::Refused(400);

/// Reads the header of one request and leaves what follows it in the reader.
pub(super) fn read(reader: &mut impl BufRead) -> Result<Request, NoRequest> {
    let mut header = reader.take(HEADER_BYTES);
    let mut start = line(&mut header)?;
    if start.is_empty() {
        // One empty line before a request is forgiven (RFC 9112 2.2).
        start = line(&mut header)?;
    }
    let (mut request, is_1_1) = request_line(&start)?;
    let mut hosts = 0;
    loop {
        let field = line(&mut header)?;
        if field.is_empty() {
            break;
        }
        let (name, value) = field.split_once(':').filter(|(name, _)| is_token(name)).ok_or(BAD)?;
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "host" => hosts += 1,
            "if-none-match" => request.if_none_match = Some(value.to_owned()),
            "if-modified-since" => request.if_modified_since = Some(value.to_owned()),
            "connection" => request.last |= value.split(',').any(|v| v.trim().eq_ignore_ascii_case("close")),
            "content-length" => request.last |= value != "0",
            "transfer-encoding" => request.last = true,
            _ => {}
        }
    }
    request.last |= !is_1_1;
    // RFC 9112 3.2: exactly one Host.
    if hosts == 1 || hosts == 0 && !is_1_1 { Ok(request) } else { Err(BAD) }
}

/// One line without its end. A bare line feed ends a line, too (RFC 9112 2.2).
fn line(header: &mut io::Take<impl BufRead>) -> Result<String, NoRequest> {
    let mut bytes = Vec::new();
    header.read_until(b'\n', &mut bytes).map_err(|_| NoRequest::Gone)?;
    if bytes.pop() != Some(b'\n') {
        return Err(if header.limit() == 0 { NoRequest::Refused(431) } else { NoRequest::Gone });
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    // Bytes beyond ASCII may stand in values (RFC 9110 5.5), and none that is read here has any.
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if text.contains(|c: char| c.is_control() && c != '\t') { Err(BAD) } else { Ok(text) }
}

/// The request so far, and whether it is HTTP/1.1.
fn request_line(line: &str) -> Result<(Request, bool), NoRequest> {
    let parts: Vec<&str> = line.split(' ').collect();
    let [method, target, version] = parts[..] else { return Err(BAD) };
    let is_1_1 = match version {
        "HTTP/1.1" => true,
        "HTTP/1.0" => false,
        _ if version.starts_with("HTTP/") => return Err(NoRequest::Refused(505)),
        _ => return Err(BAD),
    };
    if !is_token(method) {
        return Err(BAD);
    }
    let path = path(target).ok_or(BAD)?;
    Ok((Request { method: method.to_owned(), path, ..Request::default() }, is_1_1))
}

/// The path of a request target: origin-form, absolute-form as proxies send it, or `*` (RFC 9112 3.2).
fn path(target: &str) -> Option<String> {
    let after_host = match target.split_once("://") {
        Some(("http", rest)) => rest.find(['/', '?']).map_or("", |at| &rest[at..]),
        _ if target.starts_with(['/', '*']) => target,
        _ => return None,
    };
    let path = after_host.split('?').next().unwrap_or_default();
    Some(if path.is_empty() { "/".to_owned() } else { path.to_owned() })
}

/// RFC 9110 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Result<Request, NoRequest> {
        read(&mut text.as_bytes())
    }

    fn status_of(text: &str) -> u16 {
        match request(text) {
            Err(NoRequest::Refused(status)) => status,
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_to_its_end_and_no_further() {
        let mut reader =
            &b"\r\nGET /page/1?x=1 HTTP/1.1\r\nHOST: h\r\n\r\nGET /book/2 HTTP/1.1\r\nHost:h\r\n\r\n"[..];
        let first = read(&mut reader).unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str(), first.last), ("GET", "/page/1", false));
        assert_eq!(read(&mut reader).unwrap().path, "/book/2");
        assert_eq!(read(&mut reader), Err(NoRequest::Gone));
    }

    #[test]
    fn targets_of_all_forms_have_a_path() {
        assert_eq!(path("/a?b"), Some("/a".into()));
        assert_eq!(path("http://h:1/a/b?c"), Some("/a/b".into()));
        assert_eq!(path("http://h:1"), Some("/".into()));
        assert_eq!(path("http://h?q=/x"), Some("/".into()));
        assert_eq!(path("/a?u=http://x/y"), Some("/a".into()));
        assert_eq!(path("*"), Some("*".into()));
        assert_eq!(path("page/1"), None);
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "hello\r\n\r\n",
            "GET /\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: h\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : h\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n",
            "GET /\0 HTTP/1.1\r\nHost: h\r\n\r\n",
            "G(T / HTTP/1.1\r\nHost: h\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\n",
        ] {
            assert_eq!(status_of(text), 400, "{text:?}");
        }
        assert_eq!(status_of("PRI * HTTP/2.0\r\n\r\n"), 505);
    }

    #[test]
    fn a_header_beyond_its_limit_is_refused_and_one_at_it_is_not() {
        let frame = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n".len();
        let filled = |n: usize| format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(n - frame));
        assert!(request(&filled(16 << 10)).is_ok());
        assert_eq!(status_of(&filled((16 << 10) + 1)), 431);
        assert_eq!(status_of(&"x".repeat(20_000)), 431);
    }

    #[test]
    fn a_half_sent_request_is_gone() {
        assert_eq!(request("GET / HTTP/1.1\r\nHos"), Err(NoRequest::Gone));
    }

    #[test]
    fn a_body_or_an_old_version_or_a_wish_ends_the_connection() {
        for field in ["Content-Length: 5", "Transfer-Encoding: chunked", "Connection: te, Close"] {
            assert!(
                request(&format!("POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n")).unwrap().last,
                "{field}"
            );
        }
        assert!(request("GET / HTTP/1.0\r\n\r\n").unwrap().last);
        assert!(!request("GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n").unwrap().last);
    }
}
