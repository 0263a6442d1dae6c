//! Where redirects lead, and what is sent along: the user's headers go to the origin they were meant for.

use pagemill::fetch::{FetchPolicy, parse_header};
use pagemill::model::PageError;

use super::{error, fetch, policy};
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
