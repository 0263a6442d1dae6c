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

#[test]
fn variables_are_combined_in_urls_and_bodies_and_encoded_where_they_stand() {
    let server = anything();
    let folder = temp_dir();
    let words = folder.path().join("words.txt");
    fs::write(&words, "a b\nc&d\n").unwrap();
    let var = format!("q=@{}", words.display());
    let ran =
        crawl([&*server.url("/s/{q}?q={q}&n={page*10}"), "--var", &var, "-p", "1-2", "--with-meta"], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let of = |word: &str, n: u32| format!("/s/{word}?q={word}&n={n}");
    assert_eq!(asked(&server), [of("a%20b", 10), of("a%20b", 20), of("c%26d", 10), of("c%26d", 20)]);
    let pages: Vec<serde_json::Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(pages.iter().map(|page| page["_page"].as_i64()).collect::<Vec<_>>(), [1, 2, 1, 2].map(Some));

    let server = anything();
    let json = r#"{"q": "{q}", "on": "{d:%d.%m.%Y}"}"#;
    let vars = ["--var", "q=a\"b", "--var", "d=2024-02-28..2024-03-01:2d", "--json", json];
    let ran = crawl([&*server.url("/api")].into_iter().chain(vars), "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let bodies: Vec<_> = server.hits().into_iter().map(|hit| hit.body).collect();
    assert_eq!(bodies, [r#"{"q": "a\"b", "on": "28.02.2024"}"#, r#"{"q": "a\"b", "on": "01.03.2024"}"#]);
}

#[test]
fn globs_are_those_of_curl() {
    let server = anything();
    let ran = crawl(["--glob", &server.url("/{a,b}/[08-10:2]")], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(asked(&server), ["/a/08", "/a/10", "/b/08", "/b/10"]);
}

#[test]
fn check_shows_the_first_combinations_and_the_last() {
    let args = ["check", "http://h/{q}/{page}", "--var", "q=a,b", "-p", "1-500000000", "-f", "a=//a"];
    let ran = run(&mut pagemill(args));
    let told = "fetch 1000000000 pages:\n  http://h/a/1\n  http://h/a/2\n  http://h/a/3\n  ..\n  \
                http://h/b/500000000\n";
    assert!(ran.stdout.starts_with(told), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn wrong_variables_and_globs_are_shown_with_their_place() {
    let refused = |args: &[&str], told: &str| {
        let ran = run(&mut pagemill(["crawl", "-f", "p=//p"].iter().chain(args)));
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    };
    refused(
        &["http://h/{words}", "--var", "word=a"],
        "unknown name `words`\n    http://h/{words}\n              ^\n    hint: did you mean `word`?",
    );
    refused(&["http://h/{n}", "--var", "n=9-1"], "write `9-1:-1` to count down");
    refused(&["http://h/", "--var", "q=a"], "`{q}` stands in no URL and in no body");
    refused(&["http://h/{q}", "--var", "q=a", "--var", "q=b"], "there are two variables `q`");
    refused(&["http://h/{q}", "--var", "q=@/nowhere"], "No such file or directory");
    refused(&["http://h/{page}", "--var", "page=1-2", "-p", "3"], "the pages are given twice");
    refused(&["http://h/{q}{n}", "--var", "q=a,b", "--var", "n=1-", "--max-pages", "9"], "`n` has no end");
    refused(&["http://h/{page}", "--var", "page=1-"], "add --until-empty");
    refused(&["http://h/{page}", "--glob"], "`{page}` is a set of one word");
    refused(&["http://h/[1-2]", "--glob", "-p", "1-2"], "there are no variables in globs");
    refused(&["http://h/[1-2]", "--glob", "-d", "a={page}"], "there are no page numbers in globs");
    refused(&["-i", "-", "--var", "q=a", "-d", "q={q}"], "a list of URLs has no variables");
}
