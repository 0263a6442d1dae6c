//! `--cache`: what the second run asks for, by the server's own log.

use std::fs;

use crate::support::{Hit, Ran, Reply, Server, TempDir, pagemill, run, temp_dir};

/// Crawls `url` for its title with a cache in `folder`.
fn crawl(folder: &TempDir, url: &str, more: &[&str]) -> Ran {
    let cache = folder.path().join("cache");
    let cache = cache.to_str().unwrap();
    let usual = ["crawl", url, "-f", "t=//title", "--retry-delay", "1ms", "-q", "--cache", cache];
    run(&mut pagemill(usual.iter().chain(more)))
}

fn title(text: &str) -> Reply {
    Reply::page(format!("<title>{text}</title>"))
}

#[track_caller]
fn is_record(ran: &Ran, text: &str) {
    let record = format!("{{\"t\":\"{text}\"}}\n");
    assert_eq!((ran.code, &*ran.stdout, &*ran.stderr), (Some(0), &*record, ""));
}

/// Without a body, and therefore byte for byte.
fn not_modified(headers: &str) -> Reply {
    Reply::raw(format!("HTTP/1.1 304 Not Modified\r\n{headers}\r\n\r\n"))
}

/// What each request said about what we have.
fn conditions(server: &Server) -> Vec<Option<String>> {
    let of = |hit: &Hit| hit.header("If-None-Match").or(hit.header("If-Modified-Since")).map(str::to_owned);
    server.hits().iter().map(of).collect()
}

#[test]
fn a_fresh_page_and_the_way_to_it_are_not_asked_for_again() {
    let server = Server::start(|site| {
        let forever = "max-age=86400";
        site.on("/", Reply::redirect(301, "/b").header("Cache-Control", forever));
        site.on("/b", title("böb").gzip().header("Cache-Control", forever));
    });
    let folder = temp_dir();
    let first = crawl(&folder, &server.url("/"), &["--with-meta"]);
    assert_eq!(server.hits().len(), 2);
    let second = crawl(&folder, &server.url("/"), &["--with-meta"]);
    assert_eq!(server.hits().len(), 2, "{:?}", server.hits());
    assert!(first.stdout.contains("\"t\":\"böb\"") && first.stdout.contains("/b\""), "{}", first.stdout);
    let parts = |ran: &Ran| {
        ran.stdout.split_once(",\"_fetched_at\":").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap()
    };
    let ((records, at), (again, then)) = (parts(&first), parts(&second));
    assert_eq!(records, again);
    assert!(then <= at, "the page arrived in the first run: {at} {then}");
}

#[test]
fn a_stale_page_is_confirmed_by_304_and_then_fresh_again() {
    let server = Server::start(|site| {
        site.compute("/", |hit| match hit.earlier {
            0 => title("one").header("ETag", "\"1\"").header("Cache-Control", "max-age=0"),
            _ => not_modified("ETag: \"1\"\r\nCache-Control: max-age=86400"),
        });
    });
    let folder = temp_dir();
    for _ in 0..3 {
        is_record(&crawl(&folder, &server.url("/"), &[]), "one");
    }
    assert_eq!(conditions(&server), [None, Some("\"1\"".to_owned())], "the 304 made it fresh");
}

#[test]
fn a_changed_page_takes_the_place_of_the_kept_one() {
    let modified = "Sat, 21 Nov 2026 10:00:00 GMT";
    let server = Server::start(|site| {
        site.compute("/", move |hit| {
            title(&hit.earlier.to_string())
                .header("Last-Modified", modified)
                .header("Cache-Control", "no-cache")
        });
    });
    let folder = temp_dir();
    for text in ["0", "1", "2"] {
        is_record(&crawl(&folder, &server.url("/"), &[]), text);
    }
    let since = Some(modified.to_owned());
    assert_eq!(conditions(&server), [None, since.clone(), since]);
}

#[test]
fn a_304_for_something_else_is_answered_by_asking_plainly() {
    let server = Server::start(|site| {
        site.compute("/", |hit| match hit.header("If-None-Match") {
            None => title("page").header("ETag", "\"1\""),
            Some(_) => not_modified("ETag: \"other\""),
        });
    });
    let folder = temp_dir();
    is_record(&crawl(&folder, &server.url("/"), &[]), "page");
    is_record(&crawl(&folder, &server.url("/"), &[]), "page");
    assert_eq!(conditions(&server), [None, Some("\"1\"".to_owned()), None]);
}

#[test]
fn what_a_site_forbids_to_keep_is_kept_only_for_an_age_of_ones_own() {
    let server = Server::start(|site| site.on("/", title("x").header("Cache-Control", "no-store")));
    let folder = temp_dir();
    is_record(&crawl(&folder, &server.url("/"), &[]), "x");
    is_record(&crawl(&folder, &server.url("/"), &[]), "x");
    assert_eq!(server.hits().len(), 2);
    for _ in 0..3 {
        is_record(&crawl(&folder, &server.url("/"), &["--cache-max-age", "1d"]), "x");
    }
    assert_eq!(server.hits().len(), 3);
    is_record(&crawl(&folder, &server.url("/"), &["--cache-max-age", "0"]), "x");
    assert_eq!(server.hits().len(), 4, "nothing is younger than that");
}

#[test]
fn half_a_page_is_not_kept_and_a_retry_asks_the_server() {
    let server = Server::start(|site| {
        let page = || title("whole").header("Cache-Control", "max-age=86400");
        site.fails_first("/cut", 1, page().cut_before_end(4).then_close(), page());
        // It came whole, and was kept: only the retry finds out that the site has mended it.
        let packed = title("x").header("Content-Encoding", "gzip").header("Cache-Control", "max-age=86400");
        site.fails_first("/garbled", 1, packed, page());
    });
    for path in ["/cut", "/garbled"] {
        let folder = temp_dir();
        is_record_after_a_retry(&crawl(&folder, &server.url(path), &[]));
        is_record(&crawl(&folder, &server.url(path), &[]), "whole");
        assert_eq!(server.hits_of(path).len(), 2, "{path}");
    }
}

#[track_caller]
fn is_record_after_a_retry(ran: &Ran) {
    assert_eq!((ran.code, &*ran.stdout), (Some(0), "{\"t\":\"whole\"}\n"), "{}", ran.stderr);
}

#[test]
fn failures_that_pass_are_not_kept() {
    let server = Server::start(|site| {
        site.on("/busy", Reply::status(503).header("Cache-Control", "max-age=86400"));
        site.on("/gone", Reply::status(410).header("Cache-Control", "max-age=86400"));
    });
    let folder = temp_dir();
    for _ in 0..2 {
        for path in ["/busy", "/gone"] {
            let ran = crawl(&folder, &server.url(path), &["--retry", "0"]);
            assert!(ran.stderr.contains("status "), "{}", ran.stderr);
        }
    }
    assert_eq!((server.hits_of("/busy").len(), server.hits_of("/gone").len()), (2, 1));
}

#[test]
fn torn_files_are_loaded_again() {
    let server = Server::start(|site| site.on("/", title("x").header("Cache-Control", "max-age=86400")));
    let folder = temp_dir();
    is_record(&crawl(&folder, &server.url("/"), &[]), "x");
    let mut torn = 0;
    for below in fs::read_dir(folder.path().join("cache")).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(below.path()).into_iter().flatten().map(Result::unwrap) {
            let bytes = fs::read(file.path()).unwrap();
            fs::write(file.path(), &bytes[..bytes.len() - 1]).unwrap();
            torn += 1;
        }
    }
    assert_eq!(torn, 1);
    is_record(&crawl(&folder, &server.url("/"), &[]), "x");
    is_record(&crawl(&folder, &server.url("/"), &[]), "x");
    assert_eq!(server.hits().len(), 2);
}

#[test]
fn no_secret_reaches_the_disk_and_nobody_elses_page_is_shown() {
    let server = Server::start(|site| {
        site.compute("/", |hit| {
            let who = hit.header("Authorization").unwrap_or("nobody").to_owned();
            title(&who).header("Cache-Control", "max-age=86400").header("Set-Cookie", "s=hush")
        });
        site.on("/kept", title("x").header("Cache-Control", "max-age=86400").header("Set-Cookie", "s=hush"));
    });
    let folder = temp_dir();
    for who in ["Bearer hush", "Bearer two", "Bearer hush"] {
        is_record(&crawl(&folder, &server.url("/"), &["-H", &format!("Authorization: {who}")]), who);
    }
    assert_eq!(server.hits().len(), 3);
    is_record(&crawl(&folder, &server.url("/kept"), &["-H", "Cookie: c=hush"]), "x");
    let mut files = 0;
    for below in fs::read_dir(folder.path().join("cache")).unwrap().map(Result::unwrap) {
        for file in fs::read_dir(below.path()).into_iter().flatten().map(Result::unwrap) {
            let bytes = fs::read(file.path()).unwrap();
            assert!(!bytes.windows(4).any(|bytes| bytes == b"hush"));
            files += 1;
        }
    }
    assert_eq!(files, 1);
}

#[test]
fn a_cache_that_cannot_be_is_a_mistake_before_the_first_request() {
    let server = Server::start(|_| {}).may_be_idle();
    let folder = temp_dir();
    fs::write(folder.path().join("cache"), "a file").unwrap();
    let ran = crawl(&folder, &server.url("/"), &[]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is not a folder"), "{}", ran.stderr);
    let ran = run(&mut pagemill(["crawl", &server.url("/"), "-f", "t=//t", "--cache-max-age", "1d"]));
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("add --cache DIR"), "{}", ran.stderr);
    assert_eq!(server.hits().len(), 0);
}

#[test]
fn a_page_that_cannot_be_kept_is_a_page_with_one_warning() {
    let server = Server::start(|site| {
        site.handle(|_| title("x").header("Cache-Control", "max-age=86400"));
    });
    let folder = temp_dir();
    let cache = folder.path().join("cache");
    fs::create_dir(&cache).unwrap();
    // Files in place of all its folders keep everybody out, even root.
    for name in 0..=255 {
        fs::write(cache.join(format!("{name:02x}")), "").unwrap();
    }
    let ran = crawl(&folder, &server.url("/{page}"), &["-p", "1-5"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 5));
    assert_eq!(ran.stderr.matches("pages could not be kept").count(), 1, "{}", ran.stderr);
}

#[test]
fn a_kept_page_waits_for_nobody() {
    let server = Server::start(|site| {
        site.handle(|_| title("x").header("Cache-Control", "max-age=86400"));
    });
    let folder = temp_dir();
    let filled = crawl(&folder, &server.url("/{page}"), &["-p", "1-3"]);
    assert_eq!((filled.stdout.lines().count(), server.hits().len()), (3, 3));
    let cache = folder.path().join("cache");
    let cache = cache.to_str().unwrap();
    let url = server.url("/{page}");
    let slow = ["crawl", &url, "-f", "t=//title", "-q", "--cache", cache, "-p", "1-3", "--wait", "1h"];
    let ran = run(&mut pagemill(slow));
    assert_eq!((ran.code, ran.stdout.lines().count(), server.hits().len()), (Some(0), 3, 3));
}
