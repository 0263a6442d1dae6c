//! Methods and bodies, with the servers' logs as the witness.

use std::fs;

use crate::support::{Hit, Ran, Reply, Server, pagemill, run, temp_dir};

fn pagemill_with(command: &str, url: &str, more: &[&str]) -> Ran {
    let args = [command, url, "-f", "t=//p"];
    run(&mut pagemill(args.iter().copied().chain(more.iter().copied())))
}

fn crawl(url: &str, more: &[&str]) -> Ran {
    let quiet = ["-q", "-j", "1", "--retry", "0"];
    pagemill_with("crawl", url, &[more, &quiet].concat())
}

fn said(hit: &Hit) -> (&str, &str, &str) {
    (&hit.method, hit.header("content-type").unwrap_or(""), &hit.body)
}

fn anything() -> Server {
    Server::start(|site| site.handle(|_| Reply::page("<p>x")))
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[test]
fn a_form_is_posted_page_by_page() {
    let server = anything();
    let ran = crawl(&server.url("/search"), &["-p", "1-3", "-d", "q=a b&from={(page-1)*25}", "-d", "n=25"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let hits = server.hits();
    let bodies: Vec<_> = hits.iter().map(said).collect();
    assert_eq!(
        bodies,
        [
            ("POST", FORM, "q=a b&from=0&n=25"),
            ("POST", FORM, "q=a b&from=25&n=25"),
            ("POST", FORM, "q=a b&from=50&n=25")
        ]
    );
    assert_eq!(hits[0].header("content-length"), Some("17"));
    assert_eq!(server.connections(), 1, "the connection is kept");
}

#[test]
fn json_keeps_its_braces_and_asks_for_json() {
    let server = anything();
    crawl(&server.url("/api"), &["-p", "7", "--json", r#"{"page": {page}, "q": {"a": 1}}"#]);
    let hits = server.hits();
    assert_eq!(said(&hits[0]), ("POST", JSON, r#"{"page": 7, "q": {"a": 1}}"#));
    assert!(hits[0].header("accept").unwrap().starts_with("application/json"));
}

#[test]
fn bodies_may_come_from_files_and_methods_and_types_from_the_user() {
    let server = anything();
    let folder = temp_dir();
    let path = folder.path().join("body");
    fs::write(&path, "a=1&\nb=2\n").unwrap();
    let file = format!("@{}", path.display());
    crawl(&server.url("/1"), &["-d", &file, "-X", "PUT", "-H", "Content-Type: text/x-own"]);
    crawl(&server.url("/2"), &["-X", "DELETE"]);
    crawl(&server.url("/3"), &["-X", "POST"]);
    crawl(&server.url("/4"), &["-X", "GET", "-d", "q=1"]);
    crawl(&server.url("/5"), &["-X", "PROPFIND", "--json", "[]"]);
    let hits = server.hits();
    assert_eq!(said(&hits[0]), ("PUT", "text/x-own", "a=1&b=2"));
    assert_eq!(said(&hits[1]), ("DELETE", "", ""));
    assert_eq!(said(&hits[2]), ("POST", "", ""));
    assert_eq!(hits[2].header("content-length"), Some("0"));
    assert_eq!(said(&hits[3]), ("GET", FORM, "q=1"));
    assert_eq!(said(&hits[4]), ("PROPFIND", JSON, "[]"));
}

#[test]
fn after_a_post_301_302_and_303_are_gets_without_a_body() {
    for status in [301, 302, 303] {
        let away = Server::start(|site| site.page("/", "<p>x"));
        let server = Server::start(|site| {
            site.on("/", Reply::redirect(status, "/done"));
            site.on("/done", Reply::redirect(302, away.url("/")));
        });
        let ran = crawl(&server.url("/"), &["-d", "a=1", "-H", "Content-Type: text/x-own"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert_eq!(said(&server.hits()[0]), ("POST", "text/x-own", "a=1"));
        for hit in [&server.hits()[1], &away.hits()[0]] {
            assert_eq!(said(hit), ("GET", "", ""), "{status}");
            assert_eq!(hit.header("content-length"), None);
        }
    }
}

#[test]
fn after_a_post_307_and_308_keep_it_on_its_origin_and_are_refused_elsewhere() {
    for status in [307, 308] {
        let away = Server::start(|site| site.page("/", "<p>x")).may_be_idle();
        let server = Server::start(|site| {
            site.on("/", Reply::redirect(status, "/again"));
            site.page("/again", "<p>x");
            site.on("/off", Reply::redirect(status, away.url("/")));
        });
        assert_eq!(crawl(&server.url("/"), &["-d", "a=1"]).code, Some(0));
        assert_eq!(said(&server.hits_of("/again")[0]), ("POST", FORM, "a=1"));
        let ran = crawl(&server.url("/off"), &["-d", "a=1"]);
        assert_eq!(ran.code, Some(3));
        assert!(ran.stderr.contains("refused: the POST would go with it"), "{}", ran.stderr);
        assert_eq!(away.hits().len(), 0);
        // Without a body there is nothing to keep from anybody.
        assert_eq!(crawl(&server.url("/off"), &[]).code, Some(0));
    }
}

#[test]
fn a_post_is_retried_as_it_was() {
    let server = Server::start(|site| site.fails_first("/", 1, Reply::status(503), Reply::page("<p>x")));
    let ran = pagemill_with(
        "crawl",
        &server.url("/"),
        &["-q", "-d", "a={page}", "-p", "4", "--retry-delay", "1ms"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let hits = server.hits();
    assert_eq!([said(&hits[0]), said(&hits[1])], [("POST", FORM, "a=4"), ("POST", FORM, "a=4")]);
}

#[test]
fn a_retry_behind_a_redirect_to_a_get_is_a_get() {
    let server = Server::start(|site| {
        site.on("/", Reply::redirect(303, "/done"));
        site.fails_first("/done", 1, Reply::status(503), Reply::page("<p>x"));
    });
    let ran = pagemill_with("crawl", &server.url("/"), &["-q", "-d", "a=1", "--retry-delay", "1ms"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let methods: Vec<_> = server.hits().iter().map(|hit| hit.method.clone()).collect();
    assert_eq!(methods, ["POST", "GET", "GET"]);
}

#[test]
fn check_and_try_tell_method_and_body() {
    let server = anything();
    let json = r#"{"page": {page}}"#;
    let url = server.url("/api");
    let ran = pagemill_with("check", &url, &["-p", "1-9", "--json", json]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.contains(&format!("  POST {url}\n    {{\"page\": 1}}\n")), "{}", ran.stdout);
    assert!(ran.stdout.contains(&format!("  ..\n  POST {url}\n    {{\"page\": 9}}\n")), "{}", ran.stdout);
    let ran = pagemill_with("try", &url, &["--page", "4", "--json", json]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with(&format!("POST {url}\n  {{\"page\": 4}}\n")), "{}", ran.stdout);
    assert_eq!(server.hits()[0].body, r#"{"page": 4}"#);
}

#[test]
fn what_cannot_be_sent_is_wrong_usage() {
    let ranged = ["-p", "1-2"];
    for (args, told) in [
        (vec!["-X", "post"], "--method: methods are written in capitals"),
        (vec!["-X", "HEAD"], "--method: the reply to a HEAD has no page"),
        (vec!["-d", "a=1", "--json", "{}"], "--data: cannot go with --json"),
        (vec!["--json", "{page: m4rker}"], "--json: this is not JSON"),
        (vec!["-d", "@/none"], "--data: No such file"),
        (vec!["-d", "a={page*}&m4rker"], "--data: "),
        (vec!["-d", "a={page}"], "the body has `{page}` but no pages are given"),
        (vec!["-H", "Content-Length: 3"], "`Content-Length` cannot be set"),
        (["-d", "a=1"].iter().chain(&ranged).copied().collect(), "--pages: "),
        (
            ["-d", "a={1/(page-1)}{page/(page-1)}"].iter().chain(&ranged).copied().collect(),
            "divides by zero on page 1",
        ),
    ] {
        let ran = crawl("http://h.invalid/", &args);
        assert_eq!(ran.code, Some(2), "{args:?} {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
        assert!(!ran.stderr.contains("m4rker"), "{}", ran.stderr);
    }
}
