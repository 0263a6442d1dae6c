//! Limits of time and size, and the abort: nothing a server does holds a thread for ever.

use std::net::{Ipv4Addr, TcpListener};
use std::thread;
use std::time::Duration;

use pagemill::fetch::{FetchPolicy, Fetcher};
use pagemill::model::PageError;

use super::{error, fetch, policy, request};
use crate::support::{Gate, LONG, Reply, Server, watchdog};

/// Short enough to wait for, and the only limit that can end the test. On a busy machine it may pass before the server
/// has seen the request, which is the same to the client: those servers may be idle.
const SHORT: Duration = Duration::from_millis(200);

#[track_caller]
fn is_timeout(error: &PageError, clock: &str) {
    assert!(
        matches!(error, PageError::Timeout { clock: told, limit: SHORT, .. } if *told == clock),
        "{error:?}"
    );
}

#[test]
fn a_silent_server_runs_into_the_read_timeout() {
    let server = Server::start(|site| {
        site.on("/head", Reply::silence());
        site.on("/in-head", Reply::page("x").cut_at(20).then_stall());
        site.on("/body", Reply::page("x".repeat(100)).cut_before_end(10).then_stall());
        site.on("/chunk", Reply::page("x".repeat(100)).chunked(10).cut_before_end(3).then_stall());
        site.on("/no-length", Reply::raw("HTTP/1.1 200 OK\r\n\r\nhalf").then_stall());
    })
    .may_be_idle();
    for path in ["/head", "/in-head", "/body", "/chunk", "/no-length"] {
        let policy = FetchPolicy { read_timeout: SHORT, ..policy() };
        is_timeout(&error(policy, &server.url(path)), "read-timeout");
    }
}

#[test]
fn a_drip_that_never_falls_silent_runs_into_the_whole_timeout() {
    let pause = Duration::from_millis(5);
    let server = Server::start(|site| {
        site.on("/body", Reply::page("x".repeat(10_000)).drip(1, pause));
        site.on("/head", Reply::raw(format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(10_000))).drip(1, pause));
    })
    .may_be_idle();
    for path in ["/body", "/head"] {
        let policy = FetchPolicy { timeout: SHORT, ..policy() };
        is_timeout(&error(policy, &server.url(path)), "timeout");
    }
}

#[test]
fn a_drip_in_any_place_ends_at_the_least_speed() {
    let pause = Duration::from_millis(5);
    let drip = |bytes: String| Reply::raw(bytes).drip(1, pause);
    let long = "x".repeat(20_000);
    let server = Server::start(|site| {
        site.on("/head", drip(format!("HTTP/1.1 200 OK\r\nX: {long}")));
        site.on("/body", drip(format!("HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n{long}")));
        site.on("/no-length", drip(format!("HTTP/1.1 200 OK\r\n\r\n{long}")));
        site.on(
            "/chunks",
            drip(format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4e20\r\n{long}")),
        );
        site.on("/interim", drip("HTTP/1.1 102 Processing\r\n\r\n".repeat(1000)));
    })
    .may_be_idle();
    for path in ["/head", "/body", "/no-length", "/chunks", "/interim"] {
        // A byte each 5 ms is 200 a second at best.
        let policy = FetchPolicy { speed_limit: 2000, speed_time: SHORT, ..policy() };
        let error = error(policy, &server.url(path));
        is_timeout(&error, "speed-limit");
        assert!(error.is_worth_a_retry());
        assert!(error.to_string().ends_with("within 200ms (--speed-limit)"), "{error}");
    }
}

#[test]
fn a_reply_that_is_quick_once_it_begins_is_not_slow() {
    let gate = Gate::new();
    let server = Server::start(|site| site.on("/", Reply::page("x".repeat(100_000)).behind(&gate)));
    let policy = FetchPolicy { speed_limit: 1, speed_time: Duration::from_millis(1), ..policy() };
    let page = watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy);
        thread::scope(|scope| {
            let page = scope.spawn(|| fetcher.fetch_through(request(&server.url("/"))));
            server.wait_for_hits(1);
            gate.open();
            page.join().unwrap()
        })
    });
    assert_eq!(page.unwrap().body.len(), 100_000);
}

#[test]
fn interim_replies_without_end_are_ended() {
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(100_000);
    // As fast as they come, and one at a time. The connection stays open, so that only their number can end it.
    let server = Server::start(|site| {
        site.on("/flood", Reply::raw([&*interim; 20].concat()).then_stall());
        site.on("/slow", Reply::raw(&*interim).drip(27, Duration::from_millis(1)).then_stall());
    });
    for (path, text) in
        [("/flood", "headers of more than 64 KB"), ("/slow", "interim replies (1xx) without end")]
    {
        let error = error(policy(), &server.url(path));
        assert!(matches!(&error, PageError::Protocol(told) if told == text), "{path}: {error:?}");
    }
}

#[test]
fn headers_without_end_are_ended() {
    let server = Server::start(|site| {
        site.on(
            "/lines",
            Reply::raw(["HTTP/1.1 200 OK\r\n", &"X: y\r\n".repeat(100_000)].concat()).then_stall(),
        );
        site.on("/line", Reply::raw(["HTTP/1.1 200 OK\r\nX: ", &"x".repeat(1 << 20)].concat()).then_stall());
    });
    for (path, text) in [("/lines", "too many header fields"), ("/line", "headers of more than 64 KB")] {
        assert_eq!(error(policy(), &server.url(path)), PageError::Protocol(text.into()));
    }
}

#[test]
fn a_connection_nobody_accepts_runs_into_the_connect_timeout() {
    // A TLS handshake that is never answered counts as connecting, and needs no address that swallows packets.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let policy = FetchPolicy { connect_timeout: SHORT, ..policy() };
    is_timeout(&error(policy, &url), "connect-timeout");
}

#[test]
fn a_refused_connection_is_told_with_its_address() {
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let error = error(policy(), &format!("http://{address}/"));
    assert_eq!(error, PageError::Connect(format!("connection refused ({address})")));
}

#[test]
fn https_to_a_port_that_speaks_http_is_a_tls_error() {
    // The handshake's bytes are no request, so it is answered before one is read.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = error(policy(), &url);
    assert!(matches!(&error, PageError::Tls(reason) if reason.contains("does not speak TLS")), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_handshake_cut_off_is_a_failed_connection() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || drop(listener.accept().unwrap()));
    let error = error(policy(), &url);
    assert!(matches!(&error, PageError::Connect(reason) if reason.contains("TLS handshake")), "{error:?}");
    server.join().unwrap();
}

#[test]
fn a_host_that_does_not_exist_is_told_by_name() {
    // Names under `.invalid` never exist (RFC 6761 6.4); without a name service the answer is another.
    match error(policy(), "http://no-such-host.invalid/") {
        PageError::HostNotFound(host) => assert_eq!(host, "no-such-host.invalid"),
        PageError::Connect(reason) => assert!(reason.contains("name service"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_host_name_is_looked_up_and_all_its_addresses_are_tried() {
    // Where `localhost` is `::1` first, nobody listens there.
    let server = Server::start(|site| site.page("/", "found"));
    let url = format!("http://localhost:{}/", server.address().port());
    assert_eq!(fetch(policy(), &url).unwrap().body, b"found");
}

#[test]
fn a_url_too_long_for_a_request_is_told() {
    let error = error(policy(), &format!("http://127.0.0.1:1/{}", "x".repeat(70_000)));
    assert!(matches!(error, PageError::BadUrl(_)), "{error:?}");
}

#[test]
fn a_body_of_the_limit_passes_and_one_byte_more_does_not() {
    let server = Server::start(|site| {
        for (path, size) in [("/fits", 1000), ("/not", 1001)] {
            site.page(path, "x".repeat(size));
            site.on(&format!("{path}/chunked"), Reply::page("x".repeat(size)).chunked(100));
            site.on(&format!("{path}/gzip"), Reply::page("x".repeat(size)).gzip());
            site.bytes(&format!("{path}/close"), format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(size)));
        }
    });
    for kind in ["", "/chunked", "/gzip", "/close"] {
        let policy = FetchPolicy { max_body_bytes: 1000, ..policy() };
        let page = fetch(policy.clone(), &server.url(&format!("/fits{kind}"))).unwrap();
        assert_eq!(page.body.len(), 1000);
        assert_eq!(error(policy, &server.url(&format!("/not{kind}"))), PageError::TooLarge(1000));
    }
}

#[test]
fn an_announced_size_over_the_limit_is_not_read() {
    // The body never comes, so reading it would end in another error.
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n";
    let server = Server::start(|site| site.on("/", Reply::raw(head).then_stall()));
    assert_eq!(error(policy(), &server.url("/")), PageError::TooLarge(1 << 20));
}

#[test]
fn an_endless_body_stops_at_the_limit() {
    let server = Server::start(|site| {
        site.bytes("/", [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &vec![b'x'; 64 << 20]].concat());
    });
    assert_eq!(error(policy(), &server.url("/")), PageError::TooLarge(1 << 20));
}

#[test]
fn what_is_no_body_stops_at_a_limit_too() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    // The connection stays open, so that only the amount can end it.
    let server = Server::start(|site| {
        let trailers = "Trailer-Field: 12345678\r\n".repeat(100_000);
        site.on("/trailers", Reply::raw(format!("{head}5\r\nfound\r\n0\r\n{trailers}")).then_stall());
        // Much around little is odd, but it does not go on without a body.
        let odd = "5;name=value-of-it\r\nfound\r\n".repeat(20_000);
        site.on("/odd", Reply::raw(format!("{head}{odd}0\r\nA: b\r\n\r\n")));
    });
    let told = error(policy(), &server.url("/trailers"));
    assert_eq!(told, PageError::Protocol("chunks or trailers without end".into()));
    assert_eq!(fetch(policy(), &server.url("/odd")).unwrap().body.len(), 100_000);
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let server = Server::start(|site| site.on("/", Reply::page(vec![0; 32 << 20]).gzip()));
    assert_eq!(error(policy(), &server.url("/")), PageError::TooLarge(1 << 20));
}

#[test]
fn a_bomb_below_the_limit_is_none_of_ours_either() {
    let server = Server::start(|site| site.on("/", Reply::page(vec![0; 8 << 20]).gzip()));
    let error = error(FetchPolicy { max_body_bytes: 1 << 30, ..policy() }, &server.url("/"));
    assert_eq!(error, PageError::Bomb("gzip".into()));
    assert!(!error.is_worth_a_retry());
}

#[test]
fn the_body_of_an_error_is_not_waited_for_without_end() {
    let server = Server::start(|site| {
        site.on("/endless", Reply::raw("HTTP/1.1 500 No\r\n\r\nand so on").then_stall());
        site.on("/huge", Reply::raw("HTTP/1.1 500 No\r\nContent-Length: 999999999\r\n\r\n").then_stall());
        // Five minutes for a body that is small enough to be read.
        let body = "x".repeat(60_000);
        site.on("/drip", Reply::page(body).with_status(500).drip(1, Duration::from_millis(5)));
        site.on("/silent", Reply::raw("HTTP/1.1 500 No\r\nContent-Length: 5000\r\n\r\n").then_stall());
        let moved = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 5000\r\n\r\n";
        site.on("/moved", Reply::raw(moved).then_stall());
        site.page("/there", "found");
    });
    for path in ["/endless", "/huge", "/drip", "/silent"] {
        assert_eq!(error(policy(), &server.url(path)), PageError::Status(500));
    }
    assert_eq!(fetch(policy(), &server.url("/moved")).unwrap().body, b"found");
}

#[test]
fn an_abort_ends_requests_wherever_they_wait_and_all_later_ones() {
    let server = Server::start(|site| {
        site.on("/head", Reply::silence());
        site.on("/body", Reply::page("x".repeat(100)).cut_before_end(10).then_stall());
        site.on("/no-length", Reply::raw("HTTP/1.1 200 OK\r\n\r\nhalf").then_stall());
    });
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy());
        thread::scope(|scope| {
            let waiting = ["/head", "/body", "/no-length"].map(|path| {
                let request = request(&server.url(path));
                scope.spawn(|| fetcher.fetch_through(request).expect_err("aborted").error)
            });
            server.wait_for_hits(3);
            fetcher.abort();
            for thread in waiting {
                assert_eq!(thread.join().unwrap(), PageError::Aborted);
            }
        });
        let later = fetcher.fetch_through(request(&server.url("/head"))).expect_err("aborted").error;
        assert_eq!(later, PageError::Aborted);
        assert_eq!(server.hits().len(), 3);
    });
}
