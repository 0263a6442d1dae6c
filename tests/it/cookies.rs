//! Cookies, with the server's log as the witness.

use std::fs;

use crate::support::{Hit, Ran, Reply, Server, pagemill, run, temp_dir};

/// A run over one page at a time, so that what one sets is known before the next is asked for.
fn crawl(url: &str, more: &[&str]) -> Ran {
    let args = ["crawl", url, "-f", "t=//p", "-q", "-j", "1", "--ordered", "--retry", "0"];
    run(&mut pagemill(args.iter().copied().chain(more.iter().copied())))
}

fn cookie(hit: &Hit) -> &str {
    let all: Vec<_> = hit.headers.iter().filter(|(name, _)| name == "cookie").collect();
    assert!(all.len() < 2, "one header for all cookies: {all:?}");
    hit.header("cookie").unwrap_or("")
}

fn cookies(server: &Server) -> Vec<String> {
    server.hits().iter().map(|hit| cookie(hit).to_owned()).collect()
}

/// Pages `/1`, `/2` .. that each set a cookie of their number.
fn counting() -> Server {
    Server::start(|site| {
        site.handle(|hit| {
            let number = &hit.path[1..];
            Reply::page("<p>x").header("Set-Cookie", format!("c{number}={number}; Path=/"))
        });
    })
}

#[test]
fn what_a_server_sets_is_sent_back_by_all_threads() {
    let server = counting();
    assert_eq!(crawl(&server.url("/{page}"), &["-p", "1-3"]).code, Some(0));
    assert_eq!(cookies(&server), ["", "c1=1", "c1=1; c2=2"]);
}

#[test]
fn no_cookies_keeps_none_and_sends_only_the_users() {
    let server = counting();
    crawl(&server.url("/{page}"), &["-p", "1-2", "--no-cookies", "-b", "mine=1"]);
    assert_eq!(cookies(&server), ["mine=1", "mine=1"]);
}

#[test]
fn what_a_redirect_and_a_failure_set_counts() {
    let server = Server::start(|site| {
        site.on("/1", Reply::redirect(302, "/in").header("Set-Cookie", "session=s; HttpOnly"));
        site.page("/in", "<p>in");
        site.on("/2", Reply::status(404).header("Set-Cookie", "seen=404"));
        site.page("/3", "<p>x");
    });
    crawl(&server.url("/{page}"), &["-p", "1-3"]);
    assert!(cookie(&server.hits_of("/in")[0]).starts_with("session=s"));
    assert_eq!(cookie(&server.hits_of("/2")[0]), "session=s");
    assert_eq!(cookie(&server.hits_of("/3")[0]), "session=s; seen=404");
}

#[test]
fn the_users_cookies_stay_with_the_origin_of_the_url_and_the_server_may_change_them() {
    let other = Server::start(|site| site.page("/", "<p>other"));
    let server = Server::start(|site| {
        site.on("/1", Reply::page("<p>x").header("Set-Cookie", "a=server"));
        site.on("/2", Reply::redirect(302, other.url("/").replace("127.0.0.1", "localhost")));
    });
    crawl(&server.url("/{page}"), &["-p", "1-2", "-b", "a=mine; b=2", "-H", "Cookie: c=3"]);
    assert_eq!(cookies(&server), ["a=mine; b=2; c=3", "b=2; c=3; a=server"]);
    assert_eq!(cookies(&other), [""], "another host, another jar");
}

#[test]
fn the_users_cookies_do_not_go_to_another_port_of_the_host() {
    let other = Server::start(|site| site.page("/", "<p>other"));
    let server = Server::start(|site| {
        site.on("/", Reply::redirect(302, other.url("/")).header("Set-Cookie", "jar=1"));
    });
    crawl(&server.url("/"), &["-b", "a=mine"]);
    assert_eq!(cookies(&other), ["jar=1"], "cookies of the jar know no ports (RFC 6265 8.5)");
}

#[test]
fn floods_public_suffixes_and_control_bytes_end_at_the_limits() {
    let server = Server::start(|site| {
        let mut reply = Reply::page("<p>x");
        for number in 0..60 {
            reply = reply.header("Set-Cookie", format!("c{number}={}", "x".repeat(900)));
        }
        site.on("/1", reply);
        site.on(
            "/2",
            Reply::page("<p>x")
                .header("Set-Cookie", "tld=1; Domain=com")
                .header("Set-Cookie", "net=1; Domain=0.0.1")
                .header("Set-Cookie", "secure=1; Secure")
                .header("Set-Cookie", format!("big={}", "x".repeat(5000)))
                .header("Set-Cookie", "bell=\u{7f}"),
        );
        site.page("/3", "<p>x");
    });
    crawl(&server.url("/{page}"), &["-p", "1-3"]);
    let hits = server.hits();
    for hit in &hits[1..] {
        let names: Vec<_> =
            cookie(hit).split("; ").filter_map(|pair| Some(pair.split_once('=')?.0)).collect();
        let expected: Vec<_> = (10..60).map(|number| format!("c{number}")).collect();
        assert_eq!(names, expected);
    }
}

#[test]
fn a_jar_is_saved_for_its_owner_and_loaded_again() {
    let server = Server::start(|site| {
        site.on("/login", Reply::page("<p>x").header("Set-Cookie", "s=m4rker; HttpOnly; Max-Age=3600"));
        site.page("/inside", "<p>x");
    });
    let folder = temp_dir();
    let path = folder.path().join("cookies.txt");
    let file = path.to_str().unwrap();
    fs::write(&path, "127.0.0.1\tFALSE\t/\tFALSE\t0\told\t1\n").unwrap();
    let ran = crawl(&server.url("/login"), &["--load-cookies", file, "--save-cookies", file]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| line.contains('\t')).collect();
    assert_eq!(lines[0], "127.0.0.1\tFALSE\t/\tFALSE\t0\told\t1");
    assert!(
        lines[1].starts_with("#HttpOnly_127.0.0.1\tFALSE\t/\tFALSE\t") && lines[1].ends_with("\ts\tm4rker")
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    crawl(&server.url("/inside"), &["--load-cookies", file]);
    assert_eq!(cookie(&server.hits_of("/inside")[0]), "old=1; s=m4rker");
}

#[test]
fn cookies_are_saved_though_pages_failed_and_a_full_disk_is_told() {
    let server = Server::start(|site| {
        site.on("/", Reply::status(404).header("Set-Cookie", "s=1"));
    });
    let folder = temp_dir();
    let path = folder.path().join("new.txt");
    assert_eq!(crawl(&server.url("/"), &["--save-cookies", path.to_str().unwrap()]).code, Some(3));
    assert!(fs::read_to_string(&path).unwrap().contains("\ts\t1\n"));
    #[cfg(target_os = "linux")]
    {
        let ran = crawl(&server.url("/"), &["--save-cookies", "/dev/full"]);
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("error: cannot save the cookies to /dev/full: "), "{}", ran.stderr);
    }
}

#[test]
fn a_bad_line_of_a_cookie_file_is_wrong_usage_with_its_number() {
    let folder = temp_dir();
    let path = folder.path().join("cookies.txt");
    fs::write(&path, "# Netscape HTTP Cookie File\nh\tFALSE\t/\tFALSE\tsoon\ta\tm4rker\n").unwrap();
    let ran = crawl("http://h.invalid/", &["--load-cookies", path.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("--load-cookies: line 2: the fifth field is a time in seconds"),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains("m4rker"));
    let ran = crawl("http://h.invalid/", &["--no-cookies", "--load-cookies", path.to_str().unwrap()]);
    assert!(ran.code == Some(2) && ran.stderr.contains("cannot go with --no-cookies"), "{}", ran.stderr);
    let ran = crawl("http://h.invalid/", &["-b", "m4rker.txt"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("--load-cookies") && !ran.stderr.contains("m4rker"));
}
