//! The fetcher against a server that misbehaves in every way we know of.
//!
//! [`framing`] is about replies that are broken, cut or not HTTP; [`limits`] about time, size and abort; [`redirects`]
//! about where one may go and what is sent along; [`private`] about where nobody may be led; [`proxies`] about ways around;
//! [`connections`] about keeping and losing them; [`cache`] about not asking again.

mod addresses;
mod cache;
mod connections;
mod framing;
mod limits;
mod private;
mod proxies;
mod redirects;
mod tls;

use std::time::Duration;

use pagemill::fetch::credentials::Credentials;
use pagemill::fetch::{FetchPolicy, Fetcher, NamedHosts};
use pagemill::model::{Failure, Page, PageError, Request, RequestId};

use crate::support::{LONG, Reply, Server, watchdog};

/// Longer than the watchdog: what waits for this does not end by itself.
const NEVER: Duration = Duration::from_secs(3600);

/// Limits that no test reaches unless it sets its own.
fn policy() -> FetchPolicy {
    FetchPolicy {
        connect_timeout: NEVER,
        read_timeout: NEVER,
        timeout: NEVER,
        speed_limit: 0,
        speed_time: NEVER,
        max_body_bytes: 1 << 20,
        max_redirects: 10,
        headers: Vec::new(),
        credentials: Credentials::default(),
        cookies: None,
        own_cookies: Vec::new(),
        user_agents: vec!["pagemill-test".into()],
        connections: 4,
        // The servers of the tests are all on this machine.
        allow_private: true,
        named_hosts: NamedHosts::OfEachRequest,
        addresses: Vec::new(),
        family: None,
        insecure: false,
        authorities: None,
        identity: None,
        proxies: Vec::new(),
        no_proxy: None,
        proxies_from_environment: false,
        cache: None,
    }
}

fn request(url: &str) -> Request {
    Request::new(RequestId(0), url.parse().unwrap(), None)
}

/// One request under a watchdog.
fn fetch(policy: FetchPolicy, url: &str) -> Result<Page, Box<Failure>> {
    let request = request(url);
    watchdog(LONG, move || Fetcher::new(policy).fetch_through(request))
}

/// The body at `url`.
pub(crate) fn body(url: &str) -> Vec<u8> {
    fetch(policy(), url).unwrap().body
}

fn error(policy: FetchPolicy, url: &str) -> PageError {
    fetch(policy, url).expect_err("no page").error
}

/// What comes of a reply: the page's body as text, or the error.
fn outcome(reply: Reply) -> Result<String, PageError> {
    let server = Server::start(|site| site.on("/", reply));
    match fetch(policy(), &server.url("/")) {
        Ok(page) => Ok(String::from_utf8(page.body).unwrap()),
        Err(failure) => Err(failure.error),
    }
}

/// What comes of a reply sent byte for byte, after which the connection is closed.
fn raw(response: impl Into<Vec<u8>>) -> Result<String, PageError> {
    outcome(Reply::raw(response))
}

#[track_caller]
fn is_broken(outcome: Result<String, PageError>) {
    assert!(matches!(outcome, Err(PageError::Broken(_))), "{outcome:?}");
}

#[track_caller]
fn is_protocol(outcome: Result<String, PageError>) {
    assert!(matches!(outcome, Err(PageError::Protocol(_))), "{outcome:?}");
}

#[track_caller]
fn is_page(outcome: Result<String, PageError>, body: &str) {
    assert_eq!(outcome, Ok(body.to_owned()));
}
