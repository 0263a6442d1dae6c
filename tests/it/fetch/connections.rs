//! Connections are kept while they are good, and never carry one reply into the next.

use std::sync::Barrier;
use std::thread;

use pagemill::fetch::{FetchPolicy, Fetcher};
use pagemill::model::PageError;

use super::{is_broken, outcome, policy, request};
use crate::support::{Gate, LONG, Reply, Server, watchdog};

/// The bodies of these paths, or the errors, fetched one after another by one fetcher.
fn bodies(server: &Server, paths: &[&str]) -> Vec<Result<String, PageError>> {
    let urls: Vec<_> = paths.iter().map(|path| server.url(path)).collect();
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy());
        urls.iter()
            .map(|url| match fetcher.fetch_through(request(url)) {
                Ok(page) => Ok(String::from_utf8(page.body).unwrap()),
                Err(failure) => Err(failure.error),
            })
            .collect()
    })
}

#[test]
fn one_connection_serves_page_after_page() {
    let server = Server::start(|site| {
        site.page("/1", "one");
        site.on("/2", Reply::page("two").chunked(2));
        site.on("/3", Reply::page("three").gzip());
    });
    let found = bodies(&server, &["/1", "/2", "/3", "/1"]);
    assert_eq!(found, ["one", "two", "three", "one"].map(|body| Ok(body.to_owned())));
    assert_eq!(server.connections(), 1);
}

#[test]
fn errors_and_redirects_with_small_bodies_keep_the_connection() {
    let server = Server::start(|site| {
        site.on("/moved", Reply::redirect(301, "/1"));
        site.on("/chunked", Reply::status(500).chunked(5));
        site.page("/1", "one");
    });
    bodies(&server, &["/missing", "/moved", "/chunked", "/1"]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_large_error_body_is_not_read_for_the_sake_of_its_connection() {
    let server = Server::start(|site| {
        site.on("/", Reply::page("x".repeat(1 << 20)).with_status(500));
        site.page("/1", "one");
    });
    let found = bodies(&server, &["/", "/1"]);
    assert_eq!(found, [Err(PageError::Status(500)), Ok("one".into())]);
    assert_eq!(server.connections(), 2);
}

#[test]
fn bytes_after_a_reply_are_never_given_to_the_next_request() {
    let stray = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";
    for (first, status) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Ok("ok".to_owned())),
        ("HTTP/1.1 204 No Content\r\n\r\n", Ok(String::new())),
        ("HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", Err(PageError::Status(404))),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            Ok("ok".to_owned()),
        ),
    ] {
        let server = Server::start(|site| {
            site.on("/first", Reply::raw(format!("{first}{stray}")).then_keep());
            site.page("/next", "next");
        });
        assert_eq!(bodies(&server, &["/first", "/next"]), [status, Ok("next".into())]);
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn a_connection_closed_while_idle_costs_no_failure() {
    // The first reply promises to keep the connection; the second request over it finds it closed.
    for end in [Reply::hang_up(), Reply::hang_up().then_reset()] {
        let server = Server::start(|site| {
            site.page("/1", "one");
            site.in_turn("/2", [end, Reply::page("two")]);
        });
        assert_eq!(bodies(&server, &["/1", "/2"]), [Ok("one".into()), Ok("two".into())]);
        let connections: Vec<_> = server.hits().iter().map(|hit| hit.connection).collect();
        assert_eq!(connections, [0, 0, 1]);
    }
}

#[test]
fn a_request_is_sent_again_over_a_new_connection_though_others_are_idle() {
    let gate = Gate::new();
    let server = Server::start(|site| {
        site.on("/1", Reply::page("one").behind(&gate));
        site.compute("/2", |hit| if hit.connection < 2 { Reply::hang_up() } else { Reply::page("two") });
    });
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy());
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| fetcher.fetch_through(request(&server.url("/1"))).unwrap());
            }
            server.wait_for_hits(2);
            gate.open();
        });
        assert_eq!(server.connections(), 2);
        assert_eq!(fetcher.fetch_through(request(&server.url("/2"))).unwrap().body, b"two");
    });
}

#[test]
fn a_request_is_sent_again_only_once() {
    let server = Server::start(|site| {
        site.page("/1", "one");
        site.on("/2", Reply::hang_up());
    });
    let found = bodies(&server, &["/1", "/2"]);
    assert!(matches!(found[1], Err(PageError::Broken(_))), "{found:?}");
    assert_eq!(server.hits_of("/2").len(), 2);
}

#[test]
fn an_empty_reply_on_a_new_connection_is_not_sent_again() {
    is_broken(outcome(Reply::hang_up()));
    is_broken(outcome(Reply::hang_up().then_reset()));
    let server = Server::start(|site| site.on("/", Reply::hang_up()));
    bodies(&server, &["/"]);
    assert_eq!(server.hits().len(), 1);
}

#[test]
fn a_reply_cut_off_is_not_sent_again_by_the_fetcher() {
    let server = Server::start(|site| {
        site.page("/1", "one");
        site.on("/2", Reply::page("two").cut_before_end(1).then_close());
    });
    is_broken(bodies(&server, &["/1", "/2"]).remove(1));
    assert_eq!(server.hits_of("/2").len(), 1);
}

#[test]
fn all_threads_keep_their_connections() {
    const THREADS: usize = 16;
    let server = Server::start(|site| site.handle(|_| Reply::page("page")));
    let url = server.url("/");
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(FetchPolicy { connections: THREADS, ..policy() });
        let together = Barrier::new(THREADS);
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..20 {
                        together.wait();
                        fetcher.fetch_through(request(&url)).unwrap();
                    }
                });
            }
        });
    });
    assert_eq!(server.hits().len(), THREADS * 20);
    assert!(server.connections() <= THREADS, "{} connections", server.connections());
}
