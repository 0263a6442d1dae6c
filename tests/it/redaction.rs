//! No output of any command has a secret in it: all of them are run against one word.

use std::fs;

use crate::support::{Ran, Reply, Server, polite, run, temp_dir};

/// Stands in every secret, and nowhere else.
const MARKER: &str = "m4rker";

/// Pages that fail, move, set cookies and are forbidden; each request is checked for having got its secrets.
fn site() -> Server {
    Server::start(|site| {
        site.on("/robots.txt", Reply::page("User-agent: *\nDisallow: /4\n"));
        site.on("/1", Reply::page("<p>x").header("Set-Cookie", "set=m4rker"));
        site.on("/2", Reply::status(404));
        site.on("/3", Reply::redirect(302, "ftp://me:m4rker@h/"));
        site.page("/4", "<p>x");
        site.on("/5", Reply::status(503));
        site.on("/6", Reply::redirect(302, "/7"));
        site.on("/7", Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"));
        site.on("/8", Reply::redirect(307, "http://me:m4rker@127.0.0.1:1/"));
    })
}

#[track_caller]
fn has_no_secret(ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains(MARKER), "{text}");
        // base64 of `m4rker` at its three places.
        assert!(["bTRya2Vy", "00cmtlc", "tNHJrZX"].iter().all(|coded| !text.contains(coded)), "{text}");
    }
}

#[test]
fn no_output_has_a_secret_in_it() {
    let server = site();
    let folder = temp_dir();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (netrc, cookies, summary, out) = (path("netrc"), path("cookies"), path("summary"), path("out"));
    fs::write(&netrc, "machine 127.0.0.1 login me password m4rker").unwrap();
    fs::write(&cookies, "127.0.0.1\tFALSE\t/\tFALSE\t0\tloaded\tm4rker\n").unwrap();
    let with_user = server.url("/{page}?q=shown").replace("://", "://me:m4rker@");
    let plain = server.url("/{page}?q=shown");
    let more = [
        "-b",
        "mine=m4rker",
        "-H",
        "X-Key: m4rker",
        "--load-cookies",
        &cookies,
        "--netrc-file",
        &netrc,
        "-f",
        "t=//p",
    ];
    let logins: [(&str, &[&str]); 4] =
        [(&with_user, &[]), (&plain, &["-u", "me:m4rker"]), (&plain, &["--bearer", "m4rker"]), (&plain, &[])];
    for (url, login) in logins {
        let of_all: Vec<&str> = more.iter().chain(login).copied().collect();
        for body in [&[][..], &["-d", "password=m4rker"]] {
            let args = [
                "crawl",
                url,
                "-p",
                "1-8",
                "-v",
                "--with-meta",
                "--retry",
                "1",
                "--retry-delay",
                "1ms",
                "--throttle",
                "off",
            ];
            let files = ["--summary", &summary, "-O", &out];
            let ran = run(&mut polite(args.iter().chain(&of_all).chain(&files).chain(body).copied()));
            assert_eq!(ran.code, Some(3), "{}", ran.stderr);
            assert!(ran.stderr.contains("/2?q=shown") && ran.stderr.contains("retry: "), "{}", ran.stderr);
            has_no_secret(&ran);
            let written = fs::read_to_string(&out).unwrap() + &fs::read_to_string(&summary).unwrap();
            assert!(written.contains("/1?q=shown") && !written.contains(MARKER), "{written}");
        }
        let ran = run(&mut polite(["check", url, "-p", "1-8"].iter().chain(&of_all).copied()));
        assert!(ran.code == Some(0) && ran.stdout.contains("/1?q=shown"), "{}", ran.stderr);
        has_no_secret(&ran);
        for body in
            [["-d", "password=m4rker&page={page}"], ["--json", r#"{"password": "m4rker", "page": {page}}"#]]
        {
            let args = ["check", url, "-p", "1-8"];
            let ran = run(&mut polite(args.iter().chain(&of_all).chain(&body).copied()));
            assert!(ran.code == Some(0) && ran.stdout.contains("page"), "{}", ran.stderr);
            has_no_secret(&ran);
        }
        for page in ["1", "2", "3", "8"] {
            has_no_secret(&run(&mut polite(
                ["try", url, "--page", page, "-v"].iter().chain(&of_all).copied(),
            )));
        }
        // And where the job itself is wrong.
        let wrong = ["check", url, "-p", "9-1", "-j", "0"];
        let ran = run(&mut polite(wrong.iter().chain(&of_all).copied()));
        assert_eq!(ran.code, Some(2));
        has_no_secret(&ran);
    }
    let hits = server.hits_of("/1");
    assert!(
        hits.iter().all(|hit| hit.header("x-key") == Some(MARKER) && hit.header("authorization").is_some())
    );
    assert!(hits.iter().all(|hit| hit.header("cookie") == Some("mine=m4rker; loaded=m4rker")));
    for hit in server.hits_of("/robots.txt") {
        assert_eq!(
            (hit.header("x-key"), hit.method.as_str()),
            (None, "GET"),
            "a robots.txt may be anybody's"
        );
    }
}

#[test]
fn a_url_that_is_none_does_not_show_its_password() {
    for url in
        ["http://me:m4rker@h:99999/", "http://me:m4r/m4rker@h/{page", "htp://me:m4rker@h/", "me:m4rker@h/"]
    {
        for command in ["crawl", "check", "try"] {
            let ran = run(&mut polite([command, url, "-f", "t=//p"]));
            assert_eq!(ran.code, Some(2), "{command} {url}");
            has_no_secret(&ran);
        }
    }
}
