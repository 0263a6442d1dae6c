//! What is asked for, with the server's log as the witness.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::{LONG, Ran, Reply, Server, pagemill, run, run_with_input, signal, temp_dir, watchdog};

fn anything() -> Server {
    Server::start(|site| site.handle(|_| Reply::page("<p>x</p>")))
}

fn asked(server: &Server) -> Vec<String> {
    let path = |hit: &crate::support::Hit| match &hit.query {
        Some(query) => format!("{}?{query}", hit.path),
        None => hit.path.clone(),
    };
    server.hits().iter().map(path).collect()
}

fn crawl<'a>(args: impl IntoIterator<Item = &'a str>, input: &str) -> Ran {
    let usual = ["crawl", "-f", "p=//p", "-q", "-j", "1", "--ordered", "--retry", "0"];
    run_with_input(&mut pagemill(usual.into_iter().chain(args)), input.as_bytes())
}

#[test]
fn several_urls_are_asked_for_one_after_the_other_each_over_the_range() {
    let server = anything();
    let urls = [server.url("/a"), server.url("/b?p={page}"), server.url("/c/{page}")];
    let ran = crawl([&*urls[0], &urls[1], &urls[2], "-p", "1-2"], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(asked(&server), ["/a", "/b?p=1", "/b?p=2", "/c/1", "/c/2"]);
    assert_eq!(ran.stdout.lines().count(), 5);
}

#[test]
fn a_job_file_lists_urls_too_and_check_tells_what_will_be_asked_for() {
    let folder = temp_dir();
    let path = folder.path().join("job.toml");
    fs::write(&path, "[source]\nurl = ['http://h/a', 'http://h/b']\n[extract.x]\nfields.h = '//h1'\n")
        .unwrap();
    let list = folder.path().join("urls.txt");
    fs::write(&list, "http://h/c\n").unwrap();
    let job = path.to_str().unwrap();
    let ran = run(&mut pagemill(["check", job]));
    assert!(ran.stdout.starts_with("fetch 2 pages:\n  http://h/a\n  http://h/b\n"), "{}", ran.stdout);
    // A list on the command line is asked for instead.
    let ran = run(&mut pagemill(["check", job, "-i", list.to_str().unwrap()]));
    let told = format!("fetch pages:\n  each URL in {}\n", list.display());
    assert!(ran.stdout.starts_with(&told), "{}", ran.stdout);
    let ran = run(&mut pagemill(["check", "http://h/1", "http://h/2", "-i", "-", "-f", "a=//a"]));
    let told = "fetch pages:\n  http://h/1\n  http://h/2\n  each URL in standard input\n";
    assert!(ran.stdout.starts_with(told), "{}", ran.stdout);
}

#[test]
fn urls_of_a_list_are_asked_for_and_a_bad_line_is_a_failed_page() {
    let server = anything();
    let folder = temp_dir();
    let list = folder.path().join("urls.txt");
    let text = format!(
        "\u{feff}# today\r\n{}\r\n\r\nnot a url\n  {{\"url\": \"{}\", \"shelf\": 1}}\n",
        server.url("/a"),
        server.url("/b")
    );
    fs::write(&list, text).unwrap();
    let ran = crawl(["-i", list.to_str().unwrap(), &server.url("/first")], "");
    assert_eq!(asked(&server), ["/first", "/a", "/b"]);
    assert_eq!(ran.code, Some(3));
    assert_eq!(ran.stdout.lines().count(), 3);
    let told = format!("line 4 of {}: no URL for this page: not a full URL", list.display());
    assert!(ran.stderr.contains(&told), "{}", ran.stderr);
}

#[test]
fn max_pages_counts_the_lines_of_a_list() {
    let server = anything();
    let input = format!("{}\n{}\n{}\n", server.url("/a"), server.url("/b"), server.url("/c"));
    let ran = crawl(["-i", "-", "--max-pages", "2"], &input);
    assert_eq!((ran.code, asked(&server)), (Some(0), vec!["/a".to_owned(), "/b".to_owned()]));
}

#[test]
fn a_crawl_starts_before_standard_input_ends() {
    let server = anything();
    let args = ["crawl", "-f", "p=//p", "-q", "-i", "-"];
    let mut child =
        pagemill(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for page in 1..=3 {
        writeln!(stdin, "{}", server.url(&format!("/{page}"))).unwrap();
        // The next line is written only when this one has been asked for.
        server.wait_for_hits(page);
    }
    drop(stdin);
    let output = watchdog(LONG, move || child.wait_with_output().unwrap());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 3);
}

#[test]
fn a_run_can_be_stopped_while_it_waits_for_standard_input() {
    let server = anything();
    let args = ["crawl", "-f", "p=//p", "-q", "-i", "-"];
    let mut child =
        pagemill(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    writeln!(stdin, "{}", server.url("/a")).unwrap();
    server.wait_for_hits(1);
    signal(&child, "INT");
    // Standard input stays open.
    let output = watchdog(LONG, move || child.wait_with_output().unwrap());
    assert_eq!(output.status.code(), Some(130));
    drop(stdin);
}

#[test]
fn wrong_lists_are_mistakes_before_anything_is_asked_for() {
    let refused = |args: &[&str], told: &str| {
        let ran = run(&mut pagemill(["crawl", "-f", "p=//p"].iter().chain(args)));
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    };
    refused(&["-i", "/nowhere/urls.txt"], "--input-file: No such file or directory");
    refused(&["-i", "/"], "this is a directory");
    refused(&["-i", "-", "-i", "-"], "standard input can be read once only");
    refused(&["-i", "-", "-p", "1-3"], "there is no URL that {page} could stand in");
    refused(&["-i", "-", "-d", "a={page}", "-p", "1-3"], "there is no URL that {page} could stand in");
    refused(&["-i", "-", "--until-empty", "http://h/{page}", "-p", "1-"], "there are several");
    refused(
        &["http://h/{page}", "http://i/", "-p", "1-", "--max-pages", "9"],
        "the pages of the URL before it have no end",
    );
    refused(&["http://h/", "i.example/", "-f", "a=//a"], "did you mean https://i.example/?");
    refused(&["--sitemap", "h.example/map"], "did you mean https://h.example/map?");
    refused(&["--sitemap", "robots"], "there is no URL with a host whose robots.txt could be read");
    refused(&["--sitemap", "http://h/s", "--since", "soon"], "a day like 2024-05-01");
}

#[test]
fn check_tells_of_sitemaps_and_feeds() {
    let args = ["check", "-f", "a=//a", "http://h/", "--sitemap", "http://h/s.xml", "--sitemap", "robots"];
    let more = ["--feed", "http://me:pw@i/f", "--since", "2024-05-01"];
    let ran = run(&mut pagemill(args.iter().chain(&more)));
    let told = "fetch pages:\n  http://h/\n  each page in the sitemap http://h/s.xml\n  each page in the sitemaps \
                that robots.txt names\n  each entry of the feed http://i/f\n  changed since 2024-05-01T00:00:00Z, if \
                they say so\n";
    assert!(ran.stdout.starts_with(told), "{}{}", ran.stdout, ran.stderr);
}
