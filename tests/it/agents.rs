//! User agents, and what is tried again.

use std::fs;

use crate::support::{Ran, Reply, Server, pagemill, run, temp_dir};

fn crawl(url: &str, more: &[&str]) -> Ran {
    let args = ["crawl", url, "-f", "t=//p", "-q", "-j", "1", "--retry-delay", "1ms"];
    run(&mut pagemill(args.iter().copied().chain(more.iter().copied())))
}

fn agents(server: &Server) -> Vec<String> {
    server.hits().iter().map(|hit| hit.header("user-agent").unwrap_or("").to_owned()).collect()
}

#[test]
fn the_user_agent_says_who_we_are_and_where_to_read_about_it() {
    let server = Server::start(|site| site.page("/", "<p>x"));
    crawl(&server.url("/"), &[]);
    let [agent] = agents(&server).try_into().unwrap();
    assert!(agent.starts_with(concat!("pagemill/", env!("CARGO_PKG_VERSION"), " (+https://")), "{agent}");
    assert!(agent.ends_with(')'), "{agent}");
}

#[test]
fn user_agents_of_a_file_take_turns() {
    let server = Server::start(|site| site.handle(|_| Reply::page("<p>x")));
    let folder = temp_dir();
    let path = folder.path().join("agents");
    fs::write(&path, "\u{feff}# two\n\none/1\r\n  two/2 (x; y)\n").unwrap();
    let file = path.to_str().unwrap();
    crawl(&server.url("/{page}"), &["-p", "1-3", "--user-agent-file", file]);
    assert_eq!(agents(&server), ["one/1", "two/2 (x; y)", "one/1"]);
    crawl(&server.url("/4"), &["--user-agent-file", file, "-H", "User-Agent: own"]);
    assert_eq!(agents(&server)[3], "own");
    fs::write(&path, "\u{feff}one/1\n").unwrap();
    crawl(&server.url("/5"), &["--user-agent-file", file]);
    assert_eq!(agents(&server)[4], "one/1", "without the byte order mark");
    for (text, told) in
        [("# none\n", "there is no user agent"), ("a\nb\u{7}\n", "agents:2: a header value cannot")]
    {
        fs::write(&path, text).unwrap();
        let ran = crawl(&server.url("/"), &["--user-agent-file", file]);
        assert!(ran.code == Some(2) && ran.stderr.contains(told), "{}", ran.stderr);
    }
    let ran = crawl(&server.url("/"), &["--user-agent-file", file, "-A", "x"]);
    assert!(ran.code == Some(2) && ran.stderr.contains("cannot go with --user-agent-file"), "{}", ran.stderr);
}

#[test]
fn the_statuses_that_are_tried_again_can_be_chosen() {
    let server = Server::start(|site| {
        site.fails_first("/1", 1, Reply::status(404), Reply::page("<p>x"));
        site.fails_first("/2", 1, Reply::status(503), Reply::page("<p>x"));
        site.fails_first("/3", 1, Reply::hang_up(), Reply::page("<p>x"));
    });
    let ran = crawl(&server.url("/{page}"), &["-p", "1-3", "--retry-on", "404,520-529", "--throttle", "off"]);
    assert_eq!(ran.code, Some(3));
    let tries = ["/1", "/2", "/3"].map(|path| server.hits_of(path).len());
    assert_eq!(tries, [2, 1, 2], "broken connections are tried again as ever");
    let ran = crawl(&server.url("/1"), &["--retry-on", "5xx"]);
    assert!(
        ran.code == Some(2) && ran.stderr.contains("--retry-on: this is no HTTP status"),
        "{}",
        ran.stderr
    );
}

#[test]
fn every_failure_is_tried_again_if_that_is_asked_for() {
    let server = Server::start(|site| {
        site.on("/1", Reply::status(403));
        site.fails_first(
            "/2",
            1,
            Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
            Reply::page("<p>x"),
        );
    });
    let ran = crawl(&server.url("/{page}"), &["-p", "1-2", "--retry-all-errors", "--throttle", "off"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(["/1", "/2"].map(|path| server.hits_of(path).len()), [3, 2]);
}
