//! Where redirects lead, and what is sent along: the user's headers go to the origin they were meant for.

use pagemill::fetch::cookies::Jar;
use pagemill::fetch::credentials::{Credentials, Netrc, basic};
use pagemill::fetch::{FetchPolicy, Fetcher, parse_header};
use pagemill::model::{Errand, PageError, Request};

use super::{error, fetch, policy, request};
use crate::support::{Hit, Reply, Server};

fn with_headers(headers: &[&str]) -> FetchPolicy {
    FetchPolicy { headers: headers.iter().map(|text| parse_header(text).unwrap()).collect(), ..policy() }
}

fn names(hit: &Hit) -> Vec<&str> {
    let mut names: Vec<_> = hit.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn every_redirect_with_a_location_is_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(|site| {
            site.on("/a/start", Reply::redirect(status, "../b?c=1"));
            site.page("/b", "found");
        });
        let page = fetch(policy(), &server.url("/a/start")).unwrap();
        assert_eq!(page.body, b"found");
        assert_eq!(page.final_url.as_str(), server.url("/b?c=1"));
        assert_eq!(page.request.url.as_str(), server.url("/a/start"));
    }
}

#[test]
fn a_redirect_without_a_location_is_a_page() {
    let server = Server::start(|site| {
        site.on("/", Reply::status(302));
        site.on("/choice", Reply::redirect(300, "/elsewhere"));
    });
    let page = fetch(policy(), &server.url("/")).unwrap();
    assert_eq!((page.status, page.body), (302, b"<p>status 302".to_vec()));
    assert_eq!(fetch(policy(), &server.url("/choice")).unwrap().status, 300);
}

#[test]
fn raw_characters_in_a_location_reach_the_server_encoded() {
    let server = Server::start(|site| {
        site.on("/", Reply::redirect(302, "/böök one"));
        site.page("/b%C3%B6%C3%B6k%20one", "found");
    });
    assert_eq!(fetch(policy(), &server.url("/")).unwrap().body, b"found");
}

#[test]
fn a_circle_ends_at_the_limit() {
    let server = Server::start(|site| site.on("/", Reply::redirect(302, "/")));
    let policy = FetchPolicy { max_redirects: 3, ..policy() };
    assert_eq!(error(policy, &server.url("/")), PageError::TooManyRedirects(3));
    assert_eq!(server.hits().len(), 4, "the request and three redirects");
}

#[test]
fn no_redirects_means_none() {
    let server = Server::start(|site| site.on("/", Reply::redirect(302, "/x")));
    let policy = FetchPolicy { max_redirects: 0, ..policy() };
    assert_eq!(error(policy, &server.url("/")), PageError::TooManyRedirects(0));
    assert_eq!(server.hits().len(), 1);
}

#[test]
fn other_schemes_are_refused_and_named() {
    for to in ["file:///etc/passwd", "javascript:alert(1)", "data:text/html,x", "ftp://127.0.0.1/x"] {
        let server = Server::start(|site| site.on("/", Reply::redirect(302, to)));
        let error = error(policy(), &server.url("/"));
        assert!(matches!(&error, PageError::RedirectRefused { to: told, .. } if told == to), "{error:?}");
        assert_eq!(server.hits().len(), 1);
    }
}

#[test]
fn the_usual_headers_are_sent() {
    let server = Server::start(|site| site.page("/", ""));
    fetch(policy(), &server.url("/")).unwrap();
    let hit = &server.hits()[0];
    assert_eq!(hit.method, "GET");
    assert_eq!(names(hit), ["accept", "accept-encoding", "host", "user-agent"]);
    assert_eq!(hit.header("User-Agent"), Some("pagemill-test"));
    assert_eq!(hit.header("Accept-Encoding"), Some("gzip, deflate, br, zstd"));
    assert_eq!(hit.header("Host"), Some(&*server.address().to_string()));
    assert!(hit.header("Accept").unwrap().starts_with("text/html,application/xhtml+xml,application/xml"));
}

#[test]
fn the_users_headers_replace_remove_and_repeat() {
    let server = Server::start(|site| site.page("/", ""));
    let policy = with_headers(&[
        "User-Agent:",
        "ACCEPT: text/plain",
        "Accept-Encoding:",
        "X-Two: 1",
        "X-Two: 2",
        "Host: other",
    ]);
    fetch(policy, &server.url("/")).unwrap();
    let hit = &server.hits()[0];
    assert_eq!(names(hit), ["accept", "host", "x-two", "x-two"]);
    assert_eq!(hit.header("Accept"), Some("text/plain"));
    assert_eq!(hit.header("Host"), Some("other"));
}

#[test]
fn secrets_stay_with_their_origin() {
    let other = Server::start(|site| site.on("/", Reply::redirect(302, "/again")));
    let server = Server::start(|site| {
        site.on("/", Reply::redirect(302, "/here"));
        site.on("/here", Reply::redirect(302, other.url("/")));
    });
    let secrets = ["Authorization: Bearer t", "Cookie: a=1", "X-Token: t"];
    let policy = with_headers(&secrets);
    assert_eq!(error(policy, &server.url("/")), PageError::Status(404));
    for hit in server.hits() {
        assert_eq!(hit.header("Authorization"), Some("Bearer t"), "{}", hit.path);
        assert_eq!(hit.header("X-Token"), Some("t"));
    }
    assert_eq!(other.hits().len(), 2);
    for hit in other.hits() {
        assert_eq!(names(&hit), ["accept", "accept-encoding", "host", "user-agent"], "{}", hit.path);
    }
}

#[test]
fn back_at_the_origin_the_secrets_are_sent_again() {
    let other =
        Server::start(|site| site.handle(|hit| Reply::redirect(302, hit.query.clone().unwrap_or_default())));
    let (there, here) = (other.url("/?http://"), "/end");
    let server = Server::start(|site| {
        site.compute("/", move |hit| {
            Reply::redirect(302, format!("{there}{}{here}", hit.header("host").unwrap_or_default()))
        });
        site.page(here, "found");
    });
    assert_eq!(fetch(with_headers(&["X-Token: t"]), &server.url("/")).unwrap().body, b"found");
    assert_eq!(other.hits()[0].header("X-Token"), None);
    assert_eq!(server.hits_of(here)[0].header("X-Token"), Some("t"));
}

#[test]
fn user_and_password_of_the_url_are_sent_as_basic_to_their_origin_only() {
    let other = Server::start(|site| site.page("/", "found"));
    let server = Server::start(|site| {
        let here = "/absolute";
        site.compute("/", move |hit| {
            Reply::redirect(302, format!("http://{}{here}", hit.header("host").unwrap_or_default()))
        });
        site.on(here, Reply::redirect(302, other.url("/")));
    });
    let url = server.url("/").replace("http://", "http://me:p%40ss@");
    let page = fetch(policy(), &url).unwrap();
    for hit in server.hits() {
        // base64 of `me:p@ss`
        assert_eq!(hit.header("Authorization"), Some("Basic bWU6cEBzcw=="), "{}", hit.path);
    }
    assert_eq!(other.hits()[0].header("Authorization"), None);
    assert_eq!(page.final_url.as_str(), other.url("/"));
}

#[test]
fn a_location_with_user_and_password_sends_neither() {
    let server = Server::start(|site| {
        site.compute("/", |hit| {
            Reply::redirect(302, format!("http://evil:pw@{}/x", hit.header("host").unwrap_or_default()))
        });
        site.page("/x", "found");
    });
    let page = fetch(policy(), &server.url("/")).unwrap();
    assert_eq!(server.hits_of("/x")[0].header("Authorization"), None);
    assert_eq!(page.final_url.as_str(), server.url("/x"));
}

#[test]
fn a_header_of_the_user_wins_over_the_url() {
    let server = Server::start(|site| site.page("/", ""));
    let url = server.url("/").replace("http://", "http://me:pw@");
    fetch(with_headers(&["Authorization: Bearer t"]), &url).unwrap();
    let hit = &server.hits()[0];
    assert_eq!(hit.header("Authorization"), Some("Bearer t"));
    assert_eq!(names(hit).iter().filter(|name| **name == "authorization").count(), 1);
}

/// A policy with a secret of each kind for the server at this machine.
fn with_secrets_for_here() -> FetchPolicy {
    let netrc = Netrc::parse("machine 127.0.0.1 login me password pw").unwrap();
    FetchPolicy {
        credentials: Credentials { named: Some(basic("me:pw").unwrap()), netrc },
        cookies: Some(Jar::new()),
        ..with_headers(&["X-Token: t", "Cookie: own=1"])
    }
}

#[test]
fn a_robots_txt_is_asked_for_without_any_secret_not_even_those_of_its_host() {
    let server = Server::start(|site| {
        site.on("/", Reply::page("").header("Set-Cookie", "set=1"));
        site.on("/robots.txt", Reply::redirect(302, "/r"));
        site.page("/r", "");
    });
    let fetcher = Fetcher::new(with_secrets_for_here());
    let page = request(&server.url("/"));
    let robots = Request::for_robots(&page, server.url("/robots.txt").parse().unwrap());
    assert_eq!(robots.errand, Errand::Robots);
    for request in [page.clone(), page, robots] {
        fetcher.fetch_through(request).unwrap();
    }
    let hits = server.hits();
    assert_eq!(hits[1].header("Cookie"), Some("own=1; set=1"));
    assert!(hits[1].header("Authorization").is_some());
    for hit in &hits[2..] {
        assert_eq!(names(hit), ["accept", "accept-encoding", "host", "user-agent"], "{}", hit.path);
    }
    assert_eq!(hits.len(), 4);
}

#[test]
fn a_link_of_a_page_to_another_origin_takes_no_secret_along() {
    let server = Server::start(|site| site.page("/", ""));
    let credentials = Credentials { named: Some(basic("me:pw").unwrap()), ..Credentials::default() };
    let fetcher = Fetcher::new(FetchPolicy { credentials, ..with_secrets_for_here() });
    let link = Request { is_by_page: true, ..request(&server.url("/")) };
    fetcher.fetch_through(link).unwrap();
    assert_eq!(names(&server.hits()[0]), ["accept", "accept-encoding", "host", "user-agent"]);
}
