//! Which address a host is asked at: given by hand, of one family, the next one if one does not answer.

use pagemill::fetch::{Family, FetchPolicy, GivenAddress};
use pagemill::model::PageError;

use super::{error, fetch, policy};
use crate::support::{Reply, Server, pagemill, run};

fn given(texts: &[String]) -> FetchPolicy {
    FetchPolicy {
        addresses: texts.iter().map(|text| GivenAddress::parse(text).unwrap()).collect(),
        ..policy()
    }
}

#[test]
fn a_given_address_is_asked_under_the_hosts_name() {
    let server = Server::start(|site| site.page("/", "found"));
    let port = server.address().port();
    let url = format!("http://shop.invalid:{port}/");
    for text in [
        format!("shop.invalid:{port}:127.0.0.1"),
        format!("*:{port}:127.0.0.1"),
        "shop.invalid:*:127.0.0.1".into(),
    ] {
        assert_eq!(fetch(given(&[text]), &url).unwrap().body, b"found");
    }
    assert_eq!(server.hits()[0].header("host"), Some(&url[7..url.len() - 1]));
    // One for the host comes before one for all.
    let both = ["*:*:127.0.0.1".to_owned(), format!("shop.invalid:{port}:[::1]")];
    assert!(fetch(given(&both), &url).is_err());
}

#[test]
fn an_address_that_does_not_answer_is_followed_by_the_next() {
    let server = Server::start(|site| site.page("/", "found"));
    let port = server.address().port();
    // Nobody listens at the first; the second, of the network for documentation, swallows packets or cannot be reached.
    let text = format!("shop.invalid:{port}:127.0.0.9,2001:db8::1,127.0.0.1");
    let page = fetch(given(&[text]), &format!("http://shop.invalid:{port}/")).unwrap();
    assert_eq!(page.exchange.peer, Some("127.0.0.1".parse().unwrap()));
}

#[test]
fn a_given_address_allows_a_redirect_there() {
    let inner = Server::start(|site| site.page("/", "inner"));
    let port = inner.address().port();
    let outer =
        Server::start(|site| site.on("/", Reply::redirect(302, format!("http://shop.invalid:{port}/"))));
    let policy = FetchPolicy { allow_private: false, ..given(&[format!("shop.invalid:{port}:127.0.0.1")]) };
    assert_eq!(fetch(policy, &outer.url("/")).unwrap().body, b"inner");
}

#[test]
fn a_family_that_is_not_wanted_is_not_asked() {
    let server = Server::start(|site| site.page("/", "<a>found</a>"));
    let only = |family| FetchPolicy { family: Some(family), ..policy() };
    assert_eq!(fetch(only(Family::V4), &server.url("/")).unwrap().status, 200);
    let error = error(only(Family::V6), &server.url("/"));
    assert!(
        matches!(&error, PageError::Connect(told) if told.contains("no IPv6 address (--ipv6)")),
        "{error:?}"
    );
    let crawl = |flags: &[&str]| {
        let ran =
            run(pagemill(["crawl", &*server.url("/"), "-f", "a=//a", "-q", "--retry", "0"]).args(flags));
        (ran.stdout, ran.code)
    };
    assert_eq!(crawl(&["-4"]).0, "{\"a\":\"found\"}\n");
    assert_eq!(crawl(&["-6"]).0, "");
    assert_eq!(crawl(&["-4", "-6"]).1, Some(2));
    let port = server.address().port();
    let other = format!("http://shop.invalid:{port}/");
    let resolve = format!("shop.invalid:{port}:127.0.0.1");
    let ran = run(&mut pagemill(["crawl", &other, "-f", "a=//a", "-q", "--resolve", &resolve]));
    assert_eq!(ran.stdout, "{\"a\":\"found\"}\n");
}
