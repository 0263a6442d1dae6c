//! The answer as HTTP/1.1 writes it: status line, header fields, body, and 304 for what the peer knows already.
//!
//! It works on any writer and knows nothing of books, sockets or threads.

use std::hash::{DefaultHasher, Hasher};
use std::io::{self, Write};
use std::time::SystemTime;

use super::date::{Date, http_moment};
use super::request::Request;
use super::routes::{Reply, reason};

/// Writes `reply` in one piece; as 304 if the request's conditions say that it is known.
///
/// # Errors
///
/// Those of the writer.
pub(super) fn write(writer: &mut impl Write, request: &Request, reply: &Reply) -> io::Result<()> {
    let length = reply.body.len();
    let mut message = Vec::with_capacity(512 + length);
    let tag = (reply.status == 200).then(|| entity_tag(&reply.body));
    let modified = reply.modified.map(Date::http);
    let known = is_known(request, tag.as_deref(), modified.as_deref());
    let status = if known { 304 } else { reply.status };
    write!(message, "HTTP/1.1 {status} {}\r\nDate: {}\r\n", reason(status), http_moment(SystemTime::now()))?;
    if let Some(tag) = tag {
        write!(message, "ETag: {tag}\r\n")?;
    }
    if let Some(modified) = modified {
        write!(message, "Last-Modified: {modified}\r\n")?;
    }
    match status {
        405 => message.extend(b"Allow: GET, HEAD\r\n"),
        503 => message.extend(b"Retry-After: 1\r\n"),
        _ => {}
    }
    if request.last {
        message.extend(b"Connection: close\r\n");
    }
    if !known {
        write!(message, "Content-Type: {}\r\nContent-Length: {length}\r\n", reply.content_type)?;
    }
    message.extend(b"\r\n");
    if !known && request.method != "HEAD" {
        message.extend(reply.body.as_bytes());
    }
    writer.write_all(&message)
}

/// The same text has the same tag for as long as this build runs, which is as long as anybody remembers it.
fn entity_tag(body: &str) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    format!("\"{:016x}\"", hasher.finish())
}

/// RFC 9110 13.2.2: a tag decides; without one the date does. The date must be the one that was sent.
fn is_known(request: &Request, tag: Option<&str>, modified: Option<&str>) -> bool {
    let Some(tag) = tag else { return false };
    match (&request.if_none_match, &request.if_modified_since) {
        (Some(list), _) => {
            list.split(',').map(str::trim).any(|t| t == "*" || t.trim_start_matches("W/") == tag)
        }
        (None, Some(since)) => modified == Some(since),
        (None, None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::request::read;
    use crate::demo::routes::answer;

    fn reply_to(method: &str, path: &str, fields: &str) -> String {
        let text = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        let request = read(&mut text.as_bytes()).unwrap();
        let mut written = Vec::new();
        write(&mut written, &request, &answer(path, "http://h")).unwrap();
        String::from_utf8(written).unwrap()
    }

    fn field<'a>(reply: &'a str, name: &str) -> &'a str {
        let line = reply.lines().find(|line| line.starts_with(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name} in {reply}"))
    }

    #[test]
    fn a_head_reply_has_the_length_but_no_body() {
        let (get, head) = (reply_to("GET", "/page/1", ""), reply_to("HEAD", "/page/1", ""));
        let body = get.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(field(&get, "Content-Length"), format!("Content-Length: {}", body.len()));
        assert_eq!(field(&head, "Content-Length"), field(&get, "Content-Length"));
        assert!(head.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_known_page_is_304_without_body() {
        let first = reply_to("GET", "/book/1", "");
        let tag = field(&first, "ETag").replace("ETag: ", "");
        let date = field(&first, "Last-Modified").replace("Last-Modified: ", "");
        for condition in [
            format!("If-None-Match: {tag}\r\n"),
            format!("If-None-Match: \"other\", W/{tag}\r\nIf-Modified-Since: never\r\n"),
            format!("If-Modified-Since: {date}\r\n"),
        ] {
            let again = reply_to("GET", "/book/1", &condition);
            assert!(again.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{condition}");
            assert!(again.ends_with("\r\n\r\n"));
        }
        let other =
            reply_to("GET", "/book/1", &format!("If-None-Match: \"x\"\r\nIf-Modified-Since: {date}\r\n"));
        assert!(other.starts_with("HTTP/1.1 200 OK\r\n"), "the tag decides before the date");
        assert!(reply_to("GET", "/nowhere", "If-None-Match: *\r\n").starts_with("HTTP/1.1 404 "));
    }

    #[test]
    fn every_kind_of_page_names_its_type_and_charset() {
        for (path, kind) in [
            ("/", "text/html"),
            ("/cover/1.svg", "image/svg+xml"),
            ("/robots.txt", "text/plain"),
            ("/sitemap.xml", "application/xml"),
            ("/feed.xml", "application/rss+xml"),
            ("/nowhere", "text/html"),
        ] {
            let reply = reply_to("GET", path, "");
            assert_eq!(field(&reply, "Content-Type"), format!("Content-Type: {kind}; charset=utf-8"));
        }
    }
}
