//! Only what is new: run after run of the same command, with the state that stands between them.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{Hit, Ran, Reply, Server, TempDir, pagemill, run, temp_dir};

const JOB: &str = "[extract.item]\neach = '//li'\nfields.id = '@id'\nfields.price = './i'\nkey = 'id'\n\
                   [fetch]\nper-host = 1\nretry = 0\n[output]\noutput = 'out.jsonl'\nsince-last = true\n\
                   with-op = true\nsummary = 'summary.json'\n";

/// A page of items, each with a price.
fn items(items: &[(u32, &str)]) -> Reply {
    Reply::page(items.iter().map(|(id, price)| format!("<li id='{id}'><i>{price}</i>")).collect::<String>())
}

fn folder() -> TempDir {
    let folder = temp_dir();
    fs::write(folder.path().join("job.toml"), JOB).unwrap();
    folder
}

/// The same command once more; gives the lines that it added, sorted.
fn again(folder: &Path, url: &str, more: &[&str]) -> (Vec<String>, Ran) {
    let before = lines(folder).len();
    let ran = run(pagemill(["crawl", url, "-c", "job.toml", "--no-robots"]).args(more).current_dir(folder));
    let mut added = lines(folder).split_off(before);
    added.sort_unstable();
    (added, ran)
}

fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("out.jsonl")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn summary(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

/// What the line of an item says.
fn line(id: u32, price: &str, op: &str) -> String {
    format!("{{\"id\":\"{id}\",\"price\":\"{price}\",\"_op\":\"{op}\"}}")
}

fn gone(id: u32) -> String {
    format!("{{\"id\":\"{id}\",\"_op\":\"gone\"}}")
}

#[test]
fn each_run_adds_what_is_new_has_changed_or_is_gone_since_the_last_one() {
    let first = items(&[(1, "a"), (2, "b"), (2, "c"), (3, "d")]);
    let second = items(&[(4, "x"), (1, "a"), (2, "B")]);
    let server = Server::start(|site| {
        site.in_turn("/", [first.clone(), second.clone(), second, first]);
    });
    let folder = folder();
    let next = || {
        let (added, ran) = again(folder.path(), &server.url("/"), &[]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        (added, ran.stderr)
    };
    let (added, told) = next();
    assert_eq!(added, [line(1, "a", "new"), line(2, "b", "new"), line(3, "d", "new")]);
    assert!(
        told.contains("news: 3 new, 0 changed, 0 gone, 0 unchanged\n  1  left out: the same key"),
        "{told}"
    );
    assert_eq!(next().0, [line(2, "B", "changed"), gone(3), line(4, "x", "new")]);
    assert_eq!(next().0, [""; 0], "told once");
    assert_eq!(next().0, [line(2, "b", "changed"), line(3, "d", "new"), gone(4)]);
    let summary = summary(folder.path());
    let counts = ["new", "changed", "unchanged", "same_key", "gone", "without_key"]
        .map(|name| summary[format!("records_{name}")].as_u64().unwrap());
    assert_eq!((counts, &summary["records"]), ([1, 1, 1, 1, 1, 0], &3.into()));
    assert_eq!(summary["fields"]["id"]["filled"], 4, "written or not");
}

#[test]
fn a_page_that_the_site_says_is_the_same_gives_nothing_new() {
    let server = Server::start(|site| {
        site.compute("/", |hit| match hit.header("If-None-Match") {
            Some("\"1\"") => Reply::raw("HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n"),
            _ => items(&[(1, "a"), (2, "b")]).header("ETag", "\"1\"").header("Cache-Control", "no-cache"),
        });
    });
    let folder = folder();
    for written in [2, 0, 0] {
        let (added, ran) = again(folder.path(), &server.url("/"), &[]);
        assert_eq!((ran.code, added.len()), (Some(0), written), "{}", ran.stderr);
    }
    assert_eq!(summary(folder.path())["records_unchanged"], 2);
    assert_eq!(summary(folder.path())["records_gone"], 0);
    let asked: Vec<bool> = server.hits().iter().map(|hit| hit.header("If-None-Match").is_some()).collect();
    assert_eq!(asked, [false, true, true]);
}

/// Page `n` of a listing with the newest first, two on a page, of which the newest is `newest`.
fn listing(hit: &Hit, newest: u32) -> Reply {
    let page: u32 = hit.path.trim_start_matches('/').parse().unwrap();
    let first = newest - (page - 1) * 2;
    items(&[(first, "p"), (first - 1, "p")])
}

#[test]
fn a_listing_with_the_newest_first_is_read_up_to_what_was_seen() {
    let newest = Arc::new(AtomicU32::new(0));
    let told = Arc::clone(&newest);
    let server =
        Server::start(move |site| site.handle(move |hit| listing(hit, told.load(Ordering::Relaxed))));
    let folder = folder();
    let url = server.url("/{page}");
    for ordered in ["--ordered", "--ordered=false"] {
        let _ = fs::remove_dir_all(folder.path().join("out.jsonl.pagemill"));
        let before = server.hits().len();
        let night = |number| {
            newest.store(number, Ordering::Relaxed);
            let more = ["-p", "1-10", "--stop-at-seen", ordered];
            let (added, ran) = again(folder.path(), &url, &more);
            assert_eq!(ran.code, Some(0), "{}", ran.stderr);
            (added.len(), ran.stderr)
        };
        assert_eq!(night(20).0, 20);
        let (added, told) = night(23);
        assert_eq!(added, 3, "{told}");
        assert!(told.contains("nothing is told as gone, since --stop-at-seen ended the run early"), "{told}");
        assert!(told.contains("ended at a record of an earlier run"), "{told}");
        assert_eq!(server.hits().len() - before, 10 + 2);
        assert_eq!(summary(folder.path())["end"], "at_seen");
        assert_eq!(summary(folder.path())["records_gone"], serde_json::Value::Null);
    }
}

#[test]
fn nothing_is_told_as_gone_while_a_page_has_failed_and_all_of_it_once_it_was_read() {
    let server = Server::start(|site| {
        site.in_turn("/1", [items(&[(1, "a"), (9, "z")]), items(&[(1, "a")])]);
        site.in_turn("/2", [items(&[(2, "b")]), Reply::status(500), items(&[(2, "b")])]);
    });
    let folder = folder();
    let url = server.url("/{page}");
    assert_eq!(again(folder.path(), &url, &["-p", "1-2"]).0.len(), 3);
    let (added, ran) = again(folder.path(), &url, &["-p", "1-2"]);
    assert_eq!((added.len(), ran.code), (0, Some(3)), "{}", ran.stderr);
    assert!(ran.stderr.contains("nothing is told as gone, since 1 page failed"), "{}", ran.stderr);
    // Its record was not met in this run, but is known.
    let retried = run(pagemill(["retry", "out.jsonl"]).current_dir(folder.path()));
    assert_eq!(retried.code, Some(0), "{}", retried.stderr);
    assert_eq!(lines(folder.path())[3..], [gone(9)], "{}", retried.stderr);
}

#[test]
fn without_with_op_lines_are_plain_and_what_was_away_for_a_night_is_not_written_again() {
    let server = Server::start(|site| {
        site.in_turn("/", [items(&[(1, "a"), (2, "b")]), items(&[(1, "a")]), items(&[(1, "A"), (2, "b")])]);
    });
    let folder = folder();
    let nights = [(); 3].map(|()| again(folder.path(), &server.url("/"), &["--with-op=false"]).0);
    let plain = |id, price| format!("{{\"id\":\"{id}\",\"price\":\"{price}\"}}");
    assert_eq!(nights, [vec![plain(1, "a"), plain(2, "b")], vec![], vec![plain(1, "A")]]);
    assert_eq!(summary(folder.path())["records_gone"], serde_json::Value::Null);
}
