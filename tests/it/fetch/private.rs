//! A page cannot lead to a private address; the job can. The witness is a server that must stay silent.

use std::net::{Ipv4Addr, TcpListener};

use pagemill::fetch::{FetchPolicy, Fetcher, NamedHosts};
use pagemill::model::{Fetched, PageError};

use super::{error, fetch, policy, request};
use crate::support::{LONG, Reply, Server, watchdog};

/// A policy under which only the hosts that requests name may be at this machine.
fn guarded() -> FetchPolicy {
    FetchPolicy { allow_private: false, ..policy() }
}

#[test]
fn a_host_that_the_job_names_may_be_here() {
    let server = Server::start(|site| {
        site.on("/", Reply::redirect(302, "/next"));
        site.page("/next", "found");
    });
    assert_eq!(fetch(guarded(), &server.url("/")).unwrap().body, b"found");
    let these = FetchPolicy { named_hosts: NamedHosts::of([&server.url("/").parse().unwrap()]), ..guarded() };
    assert_eq!(fetch(these, &server.url("/")).unwrap().body, b"found");
    // A list of hosts counts for every request, not only for redirects.
    let others = FetchPolicy { named_hosts: NamedHosts::of([]), ..guarded() };
    assert!(matches!(error(others, &server.url("/")), PageError::PrivateAddress(_)));
}

#[test]
fn no_spelling_of_this_machine_in_a_redirect_reaches_another_service_on_it() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    silent.set_nonblocking(true).unwrap();
    let port = silent.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "me@127.0.0.1",
    ] {
        let server =
            Server::start(|site| site.on("/", Reply::redirect(302, format!("http://{host}:{port}/"))));
        let error = error(guarded(), &server.url("/"));
        assert!(
            matches!(&error, PageError::PrivateAddress(_) | PageError::HostNotFound(_)),
            "{host}: {error:?}"
        );
        assert!(!error.is_worth_a_retry());
        assert_eq!(server.hits().len(), 1);
    }
    assert!(silent.accept().is_err(), "somebody called");
}

#[test]
fn a_refusal_says_where_it_led_and_what_allows_it() {
    let server = Server::start(|site| site.on("/", Reply::redirect(302, "http://localhost:1/")));
    let told = error(guarded(), &server.url("/")).to_string();
    assert!(told.starts_with("localhost, ") && told.contains(" is a private address"), "{told}");
    assert!(told.contains("--allow-private"), "{told}");
}

#[test]
fn a_connection_made_for_a_named_host_does_not_carry_a_page_there() {
    let inner = Server::start(|site| site.page("/", "inner"));
    let to = inner.url("/");
    let outer = Server::start(|site| site.on("/", Reply::redirect(302, &*to)));
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(guarded());
        // The job names it once, and the connection is kept.
        assert_eq!(fetcher.fetch_through(request(&inner.url("/"))).unwrap().body, b"inner");
        let error = fetcher.fetch_through(request(&outer.url("/"))).unwrap_err().error;
        assert!(matches!(error, PageError::PrivateAddress(_)), "{error:?}");
        assert_eq!(inner.hits().len(), 1);
    });
}

#[test]
fn the_address_that_was_asked_is_told_on_new_and_kept_connections_and_with_failures() {
    let server = Server::start(|site| {
        site.page("/", "page");
        site.on("/cut", Reply::hang_up());
    });
    watchdog(LONG, move || {
        let fetcher = Fetcher::new(policy());
        let here = Some(Ipv4Addr::LOCALHOST.into());
        for _ in 0..2 {
            let Fetched::Page(page) = fetcher.fetch(request(&server.url("/"))) else { panic!("no page") };
            assert_eq!(page.exchange.peer, here);
        }
        assert_eq!(server.connections(), 1);
        let Fetched::Failed(failure) = fetcher.fetch(request(&server.url("/cut"))) else { panic!("a page") };
        assert_eq!(failure.exchange.peer, here);
        // Nobody was asked, and the one before does not count.
        let Fetched::Failed(failure) = fetcher.fetch(request("http://no-such-host.invalid/")) else {
            panic!("a page")
        };
        assert_eq!(failure.exchange.peer, None);
    });
}
