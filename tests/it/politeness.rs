//! The pace at a host and the rules of its robots.txt, as the server sees them.
//!
//! The witness is the server's own log: when each request had arrived, and which there were.

use std::fs;
use std::time::Duration;

use crate::support::{Hit, Reply, Server, pagemill, polite, run, temp_dir};

/// A server of small pages at `/N`, and this robots.txt.
fn site(robots: Reply) -> Server {
    Server::start(move |site| {
        site.on("/robots.txt", robots.clone());
        site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path)));
    })
}

fn text(body: &str) -> Reply {
    Reply::page(body).header("Content-Type", "text/plain")
}

fn paths(hits: &[Hit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.path.as_str()).collect()
}

/// The times between one request and the next.
fn gaps(hits: &[Hit]) -> Vec<Duration> {
    hits.windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

#[test]
fn robots_txt_is_read_first_and_what_it_forbids_is_told_and_not_asked_for() {
    let server = site(text("User-agent: other\nDisallow: /\n\nUser-agent: *\nDisallow: /2\nAllow: /2$\n"));
    let folder = temp_dir();
    let summary = folder.path().join("summary.json");
    let ran = run(polite(["crawl", &server.url("/{page}"), "-p", "1-2,20-22", "-f", "h=//h1"])
        .arg("--summary")
        .arg(&summary));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let hits = server.hits();
    assert_eq!(hits[0].path, "/robots.txt");
    let mut rest = paths(&hits[1..]);
    rest.sort_unstable();
    assert_eq!(rest, ["/1", "/2"]);
    assert!(
        ran.stderr.contains(&format!("disallowed by robots.txt: {}", server.url("/20"))),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("5 pages (3 disallowed by robots.txt), 2 records"), "{}", ran.stderr);
    let counts: serde_json::Value = serde_json::from_str(&fs::read_to_string(summary).unwrap()).unwrap();
    assert_eq!((&counts["pages_disallowed"], &counts["pages_done"]), (&3.into(), &2.into()));
}

#[test]
fn the_group_of_our_own_name_counts_before_the_one_for_all() {
    let server = site(text("User-agent: *\nDisallow: /\n\nUser-agent: Pagemill\nDisallow: /2\n"));
    let ran = run(&mut polite(["crawl", &server.url("/{page}"), "-p", "1-2", "-f", "h=//h1", "-q"]));
    assert_eq!(paths(&server.hits()), ["/robots.txt", "/1"]);
    assert_eq!(ran.code, Some(0));
}

#[test]
fn each_name_that_is_sent_counts_and_the_strictest_rule_holds() {
    let rules =
        "User-agent: one\nDisallow: /1\n\nUser-agent: two\nDisallow: /2\n\nUser-agent: *\nDisallow: /3\n";
    let folder = temp_dir();
    let list = folder.path().join("agents");
    fs::write(&list, "One/1.0\nTwo/2.0 (x)\none/3\n").unwrap();
    for (flags, asked) in [
        (["--user-agent-file", list.to_str().unwrap()], &["/3"][..]),
        (["-H", "User-Agent: Two/1.0"], &["/1", "/3"]),
        (["-H", "User-Agent:"], &["/1", "/2"]),
        (["-A", "one"], &["/2", "/3"]),
    ] {
        let server = site(text(rules));
        let job =
            ["crawl", &server.url("/{page}"), "-p", "1-3", "-f", "h=//h1", "-q", "--ordered", "-j", "1"];
        assert_eq!(run(polite(job).args(flags)).code, Some(0));
        assert_eq!(paths(&server.hits())[1..], *asked, "{flags:?}");
    }
}

#[test]
fn a_site_that_forbids_everything_ends_with_a_code_of_its_own() {
    let server = site(text("User-agent: *\nDisallow: /\n"));
    let ran = run(&mut polite(["crawl", &server.url("/{page}"), "-p", "1-30", "-f", "h=//h1"]));
    assert_eq!(ran.code, Some(5));
    assert_eq!(paths(&server.hits()), ["/robots.txt"]);
    assert_eq!(ran.stderr.matches("disallowed by robots.txt: http").count(), 20, "{}", ran.stderr);
    assert!(ran.stderr.contains("--verbose lists them all"));
}

#[test]
fn no_robots_asks_for_no_robots_txt() {
    let server = site(text("User-agent: *\nDisallow: /\n"));
    let ran = run(&mut polite(["crawl", &server.url("/1"), "-f", "h=//h1", "-q", "--no-robots"]));
    assert_eq!((ran.code, paths(&server.hits())), (Some(0), vec!["/1"]));
}

#[test]
fn a_robots_txt_that_is_not_there_allows_everything() {
    for status in [401, 403, 404, 410] {
        let server = site(Reply::status(status));
        let ran = run(&mut polite(["crawl", &server.url("/1"), "-f", "h=//h1", "-q"]));
        assert_eq!((ran.code, paths(&server.hits())), (Some(0), vec!["/robots.txt", "/1"]), "{status}");
    }
}

#[test]
fn a_robots_txt_that_fails_is_waited_for_and_then_nothing_is_asked() {
    let server = site(Reply::status(503));
    let job = ["crawl", &server.url("/{page}"), "-p", "1-3", "-f", "h=//h1", "--retry-delay", "10ms"];
    let ran = run(&mut polite(job));
    assert_eq!(paths(&server.hits()), ["/robots.txt"; 3]);
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("/1: robots.txt cannot be read (status 503), so nothing may be asked for"),
        "{}",
        ran.stderr
    );

    let server = Server::start(|site| {
        site.fails_first("/robots.txt", 2, Reply::status(500), text("User-agent: *\nDisallow: /2"));
        site.page("/1", "<h1>one</h1>");
    });
    let job = ["crawl", &server.url("/{page}"), "-p", "1-2", "-f", "h=//h1", "-q", "--retry-delay", "10ms"];
    assert_eq!(run(&mut polite(job)).code, Some(0));
    assert_eq!(paths(&server.hits()), ["/robots.txt", "/robots.txt", "/robots.txt", "/1"]);
}

#[test]
fn what_keeps_a_robots_txt_from_coming_is_told_as_its_own_fault() {
    let coded = text("User-agent: *\n").header("Content-Encoding", "x-own");
    let cut = Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n").then_close();
    let led_away = Reply::redirect(302, "http://no-such-host.invalid/robots.txt");
    for (robots, told) in [
        (coded, "/1: robots.txt: content encoding `x-own`: unknown encoding"),
        (cut, "/1: robots.txt: not a valid HTTP response"),
        (led_away, "/1: robots.txt: "),
    ] {
        let server = site(robots);
        let ran = run(&mut polite(["crawl", &server.url("/1"), "-f", "h=//h1", "--retry", "0"]));
        assert!(ran.code != Some(0) && ran.stderr.contains(told), "{told}: {}", ran.stderr);
        assert_eq!(paths(&server.hits()), ["/robots.txt"]);
    }
}

#[test]
fn redirects_of_robots_txt_are_followed_five_times() {
    for (hops, expected) in [(5, vec!["/1"]), (6, vec!["/1", "/2"])] {
        let server = Server::start(move |site| {
            site.compute("/robots.txt", |_| Reply::redirect(301, "/r1"));
            for hop in 1..hops {
                site.on(&format!("/r{hop}"), Reply::redirect(302, format!("/r{}", hop + 1)));
            }
            site.on(&format!("/r{hops}"), text("User-agent: *\nDisallow: /2\n"));
            site.page("/1", "<h1>1</h1>");
            site.page("/2", "<h1>2</h1>");
        });
        let ran = run(&mut polite(["crawl", &server.url("/{page}"), "-p", "1-2", "-f", "h=//h1", "-q"]));
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        let hits = server.hits();
        let mut pages: Vec<&str> = paths(&hits).into_iter().filter(|path| !path.starts_with("/r")).collect();
        pages.sort_unstable();
        assert_eq!(pages, expected, "{hops} redirects");
    }
}

#[test]
fn a_redirect_into_a_forbidden_place_is_not_followed() {
    let server = Server::start(|site| {
        site.on("/robots.txt", text("User-agent: *\nDisallow: /private"));
        site.on("/1", Reply::redirect(302, "/private/1"));
    });
    let ran = run(&mut polite(["crawl", &server.url("/1"), "-f", "h=//h1"]));
    assert_eq!(paths(&server.hits()), ["/robots.txt", "/1"]);
    assert_eq!(ran.code, Some(5));
    assert!(
        ran.stderr.contains("disallowed by robots.txt") && ran.stderr.contains("/private/1"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_large_robots_txt_counts_by_its_first_half_million_bytes_whatever_the_limit_for_pages() {
    let rules = "User-agent: *\nDisallow: /2\n";
    let large = format!("{rules}{}Disallow: /1\n", "# so many words about nothing much\n".repeat(600_000));
    let folder = temp_dir();
    let cache = folder.path().to_str().unwrap();
    for robots in [text(&format!("{rules}# {}", "x".repeat(200))), text(&large), text(&large).gzip()] {
        let server = site(robots);
        let job = ["crawl", &server.url("/{page}"), "-p", "1-2", "-f", "h=//h1", "--max-body", "150"];
        for more in [&[][..], &["--cache", cache]] {
            let ran = run(polite(job).args(more));
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            assert!(ran.stderr.contains("2 pages (1 disallowed by robots.txt), 1 record"), "{}", ran.stderr);
        }
        assert_eq!(paths(&server.hits()), ["/robots.txt", "/1", "/robots.txt", "/1"]);
    }
}

#[test]
fn a_crawl_delay_keeps_the_requests_apart() {
    let server = site(text("User-agent: *\nCrawl-delay: 0.2\n"));
    let ran = run(&mut polite(["crawl", &server.url("/{page}"), "-p", "1-4", "-f", "h=//h1", "-q"]));
    assert_eq!(ran.code, Some(0));
    let hits = server.hits();
    assert_eq!(hits.len(), 5);
    // A little less may be seen where the request arrives than where it leaves.
    assert!(gaps(&hits[1..]).iter().all(|gap| *gap >= Duration::from_millis(180)), "{:?}", gaps(&hits));
}

#[test]
fn a_rate_keeps_the_requests_apart_however_many_may_run() {
    let server = site(Reply::status(404));
    let url = server.url("/{page}");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-p",
        "1-6",
        "-f",
        "h=//h1",
        "-q",
        "--rate",
        "10/s",
        "--throttle",
        "off",
        "-j",
        "6",
    ]));
    assert_eq!(ran.code, Some(0));
    let hits = server.hits();
    assert!(gaps(&hits).iter().all(|gap| *gap >= Duration::from_millis(80)), "{:?}", gaps(&hits));
}

#[test]
fn a_wait_varies_by_its_jitter() {
    let server = site(Reply::status(404));
    let url = server.url("/{page}");
    let ran = run(&mut pagemill(["crawl", &url, "-p", "1-6", "-f", "h=//h1", "-q", "--wait", "100ms"]));
    assert_eq!(ran.code, Some(0));
    let hits = server.hits();
    assert!(gaps(&hits).iter().all(|gap| *gap >= Duration::from_millis(45)), "{:?}", gaps(&hits));
}

#[test]
fn retry_after_stops_the_whole_host() {
    let server = Server::start(|site| {
        site.fails_first("/1", 1, Reply::status(429).header("Retry-After", "1"), Reply::page("<h1>1</h1>"));
        site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path)));
    });
    let url = server.url("/{page}");
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-p",
        "1-9",
        "-f",
        "h=//h1",
        "-q",
        "--retry-delay",
        "1ms",
        "--per-host",
        "1",
    ]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let hits = server.hits();
    assert_eq!((hits.len(), hits[0].path.as_str()), (10, "/1"));
    assert!(gaps(&hits)[0] >= Duration::from_millis(950), "{:?}", gaps(&hits));
}

#[test]
fn per_host_bounds_the_requests_at_a_host_and_hosts_may_have_their_own() {
    let server = Server::start(|site| {
        site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path)).drip(50, Duration::from_millis(20)));
    });
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    fs::write(
        &job,
        format!(
            "[source]\nurl = '{}'\npages = '1-12'\n[extract.x]\nfields.h = '//h1'\n\
             [fetch]\nper-host = 4\nthrottle = 'off'\n[host.\"127.0.0.1\"]\nper-host = 1\n",
            server.url("/{page}")
        ),
    )
    .unwrap();
    let ran = run(&mut pagemill(["crawl", "-q", "-c", job.to_str().unwrap()]));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(server.peak(), 1);
}

#[test]
fn wrong_paces_are_refused_with_their_place() {
    let folder = temp_dir();
    let job = folder.path().join("job.toml");
    fs::write(
        &job,
        "[source]\nurl = 'http://h/'\n[extract.x]\nfields.h = '//h1'\n[fetch]\nrate = 'fast'\n\
         [host.\"http://h/\"]\nwait = '1x'\njobs = 3\n[host.example.com]\nwait = '1s'\n",
    )
    .unwrap();
    let ran = run(&mut pagemill(["check", job.to_str().unwrap(), "--jitter", "2", "--throttle", "of"]));
    assert_eq!(ran.code, Some(2));
    for part in [
        "job.toml:6:8: fetch.rate: a rate is a number of requests in a time",
        "job.toml:7:7: host.http://h/: a host is a name without scheme",
        "job.toml:8:8: host.http://h/.wait: unknown unit of time",
        "job.toml:9:1: host.http://h/.jobs: unknown key",
        "host.example: a dot ends a name here",
        "--jitter: a number from 0 to 1 is wanted",
        "--throttle: unknown throttle",
    ] {
        assert!(ran.stderr.contains(part), "{part}\n---\n{}", ran.stderr);
    }
}

#[test]
fn an_open_range_whose_rest_is_forbidden_ends() {
    let rules = "User-agent: *\nDisallow: /q\nDisallow: /login\n";
    let server = Server::start(move |site| {
        site.on("/robots.txt", text(rules));
        site.handle(|_| Reply::redirect(302, "/login"));
    });
    for path in ["/q/{page}", "/x/{page}"] {
        let ran = run(&mut polite([
            "crawl",
            &server.url(path),
            "-p",
            "1-",
            "--until-empty",
            "-f",
            "h=//h1",
            "--throttle",
            "off",
        ]));
        assert_eq!(ran.code, Some(5), "{}", ran.stderr);
        assert!(ran.stderr.contains("20 pages in a row failed"), "{}", ran.stderr);
    }
    assert!(server.hits().len() < 100);
}

#[test]
fn a_stop_does_not_wait_for_a_robots_txt_that_hangs() {
    let server = site(Reply::silence()).may_be_idle();
    let url = server.url("/{page}");
    let mut command = polite([
        "crawl",
        &url,
        "-p",
        "1-9",
        "-f",
        "h=//h1",
        "-q",
        "--read-timeout",
        "50s",
        "--max-time",
        "300ms",
    ]);
    // The watchdog is the witness: 50 s would be beyond it.
    let ran = crate::support::watchdog(Duration::from_secs(20), move || run(&mut command));
    assert_eq!(ran.code, Some(75), "{}", ran.stderr);
}

#[test]
fn per_ip_bounds_the_requests_at_an_address_though_each_page_has_a_host_of_its_own() {
    let server = Server::start(|site| {
        site.handle(|hit| Reply::page(format!("<h1>{}</h1>", hit.path)).drip(40, Duration::from_millis(20)));
    });
    let url = format!("http://h{{page}}.example:{}/x", server.address().port());
    let names = format!("*:{}:127.0.0.1", server.address().port());
    let ran = run(&mut pagemill([
        "crawl",
        &url,
        "-p",
        "1-12",
        "-f",
        "h=//h1",
        "-q",
        "--throttle",
        "off",
        "--per-ip",
        "2",
        "--resolve",
        &names,
    ]));
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 12), "{}", ran.stderr);
    assert_eq!(server.peak(), 2);
}

#[test]
fn a_run_that_stands_still_for_long_says_so_once() {
    let server = site(Reply::status(404));
    let url = server.url("/{page}");
    let args = ["crawl", &url, "-p", "1-6", "-f", "h=//h1", "--rate", "1/h", "--max-time", "1s"];
    let ran = run(&mut pagemill(args));
    assert_eq!(ran.code, Some(75));
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("waiting: ")).collect();
    assert_eq!(told.len(), 1, "{}", ran.stderr);
    assert!(told[0].contains("until 127.0.0.1 may be asked again (--rate, "), "{}", told[0]);
    assert_eq!(run(pagemill(args).arg("-q")).stderr, "");
}
