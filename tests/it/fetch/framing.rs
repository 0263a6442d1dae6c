//! Replies that are broken, cut off, or not HTTP: no page is ever made of half a reply.

use pagemill::model::PageError;

use super::{fetch, is_broken, is_page, is_protocol, outcome, policy, raw};
use crate::support::{Reply, Server};

const OK: &str = "HTTP/1.1 200 OK\r\n";

/// A reply with these header lines and body.
fn with(headers: &str, body: &str) -> Vec<u8> {
    format!("{OK}{headers}\r\n{body}").into_bytes()
}

#[test]
fn a_page_is_the_reply_with_its_type_and_place() {
    let server = Server::start(|site| site.page("/a", "<p>one"));
    let page = fetch(policy(), &server.url("/a#top")).unwrap();
    assert_eq!(page.body, b"<p>one");
    assert_eq!(page.status, 200);
    assert_eq!(page.content_type.as_deref(), Some("text/html; charset=utf-8"));
    assert_eq!(page.final_url.as_str(), server.url("/a"));
    assert_eq!(page.request.url.as_str(), server.url("/a#top"));
}

#[test]
fn every_encoding_is_undone_chunked_or_not() {
    let text = "a page ".repeat(1000);
    for reply in [Reply::page(&*text), Reply::page(&*text).gzip(), Reply::page(&*text).deflate()] {
        is_page(outcome(reply.clone()), &text);
        is_page(outcome(reply.chunked(100)), &text);
    }
    is_page(outcome(Reply::page(&*text).brotli()), &text);
    is_page(outcome(Reply::page(&*text).zstd()), &text);
}

#[test]
fn a_reply_in_single_bytes_is_a_page() {
    is_page(outcome(Reply::page("<p>").drip(1, std::time::Duration::ZERO)), "<p>");
    is_page(outcome(Reply::page("<p>text").chunked(2).drip(1, std::time::Duration::ZERO)), "<p>text");
}

#[test]
fn a_reset_in_the_body_is_a_broken_connection() {
    is_broken(outcome(Reply::page("x".repeat(1000)).cut_before_end(10).then_reset()));
    is_broken(outcome(Reply::page("x".repeat(1000)).chunked(10).cut_before_end(10).then_reset()));
}

#[test]
fn a_reset_in_a_body_without_a_length_is_not_its_end() {
    is_broken(outcome(Reply::raw(with("", "half a page")).then_reset()));
}

#[test]
fn a_reset_in_the_header_is_a_broken_connection() {
    is_broken(outcome(Reply::raw("HTTP/1.1 200 OK\r\nServ").then_reset()));
    is_broken(raw("HTTP/1.1 200 OK\r\nServ"));
}

#[test]
fn a_body_shorter_than_its_length_is_a_broken_connection() {
    is_broken(raw(with("Content-Length: 10\r\n", "123456789")));
}

#[test]
fn a_body_longer_than_its_length_is_cut_there() {
    is_page(raw(with("Content-Length: 3\r\n", "123456")), "123");
}

#[test]
fn a_body_without_a_length_ends_with_the_connection() {
    is_page(raw(with("", "all of it")), "all of it");
}

#[test]
fn a_length_that_is_no_number_is_a_protocol_error() {
    for length in ["-1", "ten", "1180591620717411303424", "0x10", "+5", "5, 6"] {
        is_protocol(raw(with(&format!("Content-Length: {length}\r\n"), "12345")));
    }
}

#[test]
fn two_lengths_must_agree() {
    is_protocol(raw(with("Content-Length: 5\r\nContent-Length: 6\r\n", "12345")));
    is_page(raw(with("Content-Length: 5\r\nContent-Length: 5\r\n", "12345")), "12345");
}

#[test]
fn chunks_win_over_a_length() {
    let chunks = "3\r\nabc\r\n0\r\n\r\n";
    is_page(raw(with("Content-Length: 99\r\nTransfer-Encoding: chunked\r\n", chunks)), "abc");
}

#[test]
fn chunks_may_have_short_extensions_and_trailers() {
    is_page(raw(with("Transfer-Encoding: chunked\r\n", "3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n")), "abc");
}

#[test]
fn a_chunk_size_that_is_no_number_is_a_protocol_error() {
    for size in ["zz", "-1", "fffffffffffffffff", ""] {
        is_protocol(raw(with("Transfer-Encoding: chunked\r\n", &format!("{size}\r\nabc\r\n0\r\n\r\n"))));
    }
}

#[test]
fn a_huge_chunk_size_does_not_take_the_memory_for_it() {
    is_broken(raw(with("Transfer-Encoding: chunked\r\n", "ffffffffffff\r\nabc")));
}

#[test]
fn chunks_that_are_cut_off_are_a_broken_connection() {
    for chunks in ["", "3", "3\r\n", "3\r\nab", "3\r\nabc", "3\r\nabc\r\n", "3\r\nabc\r\n0"] {
        is_broken(raw(with("Transfer-Encoding: chunked\r\n", chunks)));
    }
}

#[test]
fn a_last_chunk_without_its_empty_line_is_accepted() {
    is_page(raw(with("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n")), "abc");
}

#[test]
fn a_chunk_line_without_end_is_a_protocol_error() {
    let line = format!("3;{}", "x".repeat(2 << 20));
    is_protocol(raw(with("Transfer-Encoding: chunked\r\n", &line)));
}

#[test]
fn chunk_lines_must_end_in_cr_lf() {
    is_broken(raw(with("Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n")));
}

#[test]
fn a_header_too_large_or_with_too_many_fields_is_a_protocol_error() {
    is_protocol(raw(with(&format!("X: {}\r\n", "x".repeat(70_000)), "")));
    is_protocol(raw(with(&"X: y\r\n".repeat(200), "")));
}

#[test]
fn a_malformed_header_is_a_protocol_error() {
    for line in ["no colon\r\n", "X: a\0b\r\n", "X : blank before the colon\r\n", "X: a\r\n folded\r\n"] {
        is_protocol(raw(with(&format!("{line}Content-Length: 0\r\n"), "")));
    }
}

#[test]
fn what_is_not_http_1_is_a_protocol_error() {
    for start in
        ["<html>an answer of 1991", "HTTP/3.7 200 OK\r\n\r\n", "HTTP/1.1 099 No\r\n\r\n", "SSH-2.0-x\r\n\r\n"]
    {
        is_protocol(raw(start));
    }
}

#[test]
fn bytes_that_are_not_utf_8_in_a_header_are_replaced() {
    let server = Server::start(|site| {
        site.bytes(
            "/",
            [&b"HTTP/1.1 200 OK\r\nContent-Type: text/html; x=\xe9\r\nContent-Length: 0\r\n\r\n"[..]]
                .concat(),
        );
    });
    let page = fetch(policy(), &server.url("/")).unwrap();
    assert_eq!(page.content_type.as_deref(), Some("text/html; x=\u{fffd}"));
}

#[test]
fn interim_replies_are_skipped() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
    is_page(raw(format!("{interim}{OK}Content-Length: 2\r\n\r\nok")), "ok");
}

#[test]
fn a_flood_of_interim_replies_ends_in_an_error() {
    assert!(raw("HTTP/1.1 102 Processing\r\n\r\n".repeat(100_000)).is_err());
}

#[test]
fn a_reply_that_has_no_body_has_none_whatever_follows() {
    is_page(raw("HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc"), "");
    is_page(raw("HTTP/1.1 304 Not Modified\r\n\r\nabc"), "");
}

#[test]
fn a_status_that_is_no_success_is_told() {
    for status in [400, 404, 429, 500, 503, 600, 999] {
        assert_eq!(outcome(Reply::status(status)), Err(PageError::Status(status)));
    }
    assert_eq!(
        raw("HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n"),
        Err(PageError::Status(404)),
        "no reason phrase"
    );
    assert_eq!(raw("HTTP/1.1 101 Switching Protocols\r\n\r\n"), Err(PageError::Status(101)));
}

#[test]
fn success_of_every_kind_is_a_page() {
    for status in [200, 201, 203, 206, 226, 300] {
        is_page(outcome(Reply::status(status)), &format!("<p>status {status}"));
    }
}

#[test]
fn a_busy_server_may_say_when_to_come_back() {
    let server = Server::start(|site| {
        site.on("/", Reply::status(503).header("Retry-After", "7"));
        site.on("/nonsense", Reply::status(503).header("Retry-After", "-1"));
    });
    let wait = |path| fetch(policy(), &server.url(path)).unwrap_err().exchange.retry_after;
    assert_eq!(wait("/"), Some(std::time::Duration::from_secs(7)));
    assert_eq!(wait("/nonsense"), None);
}

#[test]
fn a_body_that_does_not_decode_is_told_with_its_encoding() {
    for (reply, encoding) in [
        (Reply::page("plain text").header("Content-Encoding", "gzip"), "gzip"),
        (Reply::page("plain text").header("Content-Encoding", "zstd"), "zstd"),
        (Reply::page("plain text").header("Content-Encoding", "compress"), "compress"),
        (Reply::page("x").gzip().gzip().gzip().gzip().gzip().gzip(), "gzip, gzip, gzip, gzip, gzip, gzip"),
        (Reply::page("x").gzip().header("Content-Encoding", "gzip"), "gzip, gzip"),
    ] {
        let outcome = outcome(reply);
        assert!(
            matches!(&outcome, Err(PageError::ContentEncoding { encoding: told, .. }) if told == encoding),
            "{outcome:?}"
        );
    }
}

#[test]
fn two_layers_named_in_two_headers_come_off() {
    is_page(outcome(Reply::page("text").deflate().gzip()), "text");
}
