//! What must hold at the end of a run, through whole runs.

use std::fs;
use std::path::Path;

use crate::support::{Ran, Reply, Server, pagemill, polite, run, temp_dir};

const JOB: &str =
    "[extract.book]\neach = '//li'\nfields.title = './b'\nfields.price = { xpath = './i', type = 'float' }\n";

/// A listing of ten books, of which so many have a price.
fn listing(priced: usize) -> String {
    let book = |number| {
        let price = if number < priced { "<i>1.50</i>" } else { "<em>1.50</em>" };
        format!("<li><b>Book {number}</b>{price}")
    };
    (0..10).map(book).collect()
}

/// A crawl of `pages` of the server by the job with these checks, in a folder that keeps its summary. Not quiet is told
/// much else.
fn crawl(server: &Server, folder: &Path, pages: &str, checks: &str, more: &[&str]) -> Ran {
    let job = folder.join("job.toml");
    fs::write(&job, format!("{JOB}[check]\n{checks}\n")).unwrap();
    let url = server.url("/{page}");
    let args = ["crawl", &url, "-p", pages, "-c", "job.toml", "-q", "--retry", "0", "-O", "out.jsonl"];
    run(pagemill(args).args(more).current_dir(folder))
}

fn summary(folder: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn a_site_whose_price_vanishes_ends_with_4_and_one_line() {
    let server = Server::start(|site| {
        site.in_turn("/1", [Reply::page(listing(10)), Reply::page(listing(9)), Reply::page(listing(8))]);
    });
    let folder = temp_dir();
    let night = || {
        let checks = "min_records = 10\nmax_failed = '2%'\nmax_null.price = '10%'\nmin-fill.title = '100%'";
        crawl(&server, folder.path(), "1", checks, &["--summary", "summary.json"])
    };
    // All have one, then as many as must.
    for _ in 0..2 {
        let ran = night();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert_eq!(summary(folder.path())["checks_broken"], serde_json::json!([]));
    }
    let ran = night();
    let line = "max-null.price: 2 of 10 records (20 %) have no price, at most 10 % may; \
                did the site change? `pagemill try URL` shows what the XPath matches";
    assert_eq!((ran.code, ran.stderr), (Some(4), format!("broken check: {line}\n")));
    let summary = summary(folder.path());
    assert_eq!(summary["checks_broken"], serde_json::json!([line]));
    assert_eq!((&summary["end"], &summary["exit_code"]), (&"completed".into(), &4.into()));
    // The records are what they are.
    assert_eq!(fs::read_to_string(folder.path().join("out.jsonl")).unwrap().lines().count(), 10);
}

#[test]
fn without_quiet_the_line_stands_below_the_counts() {
    let server = Server::start(|site| site.page("/1", listing(10)));
    let args = ["crawl", &server.url("/1"), "-e", "//li", "-f", "t=./b", "--min-records", "11"];
    let ran = run(&mut pagemill(args));
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(4), 10));
    let (counts, broken) = ran.stderr.split_once('\n').unwrap();
    assert!(counts.starts_with("1 page, 10 records"), "{}", ran.stderr);
    assert_eq!(broken, "broken check: min-records: 10 records, at least 11 should be there\n");
}

#[test]
fn more_failures_than_allowed_are_4_and_fewer_are_3() {
    let server = Server::start(|site| {
        (1..=3).for_each(|page| site.page(&format!("/{page}"), listing(10)));
    });
    let folder = temp_dir();
    // Page 4 is not there.
    let ran = crawl(&server, folder.path(), "1-4", "max_failed = '25%'", &[]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(!ran.stderr.contains("broken"), "{}", ran.stderr);
    let ran = crawl(&server, folder.path(), "1-4", "max_failed = 0.2", &[]);
    assert_eq!(ran.code, Some(4));
    let line =
        "broken check: max-failed: 1 of 4 pages (25 %) failed, at most 20 % may; 1 of them: status 404";
    assert_eq!(ran.stderr.lines().last(), Some(line));
}

#[test]
fn a_broken_check_goes_before_having_been_shut_out() {
    let server = Server::start(|site| {
        site.page("/robots.txt", "User-agent: *\nDisallow: /\n");
        site.page("/1", listing(10));
    });
    let url = server.url("/1");
    let job = ["crawl", &url, "-e", "//li", "-f", "t=./b", "-q"];
    assert_eq!(run(&mut polite(job)).code, Some(5));
    let ran = run(polite(job).args(["--max-failed", "2%", "--max-null", "t=10%"]));
    assert_eq!(ran.code, Some(4));
    let told: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(
        told,
        [
            "broken check: max-failed: no page was asked for: robots.txt forbids them all, at most 2 % of them may fail",
            "broken check: max-null.t: there is no record that could have a t, at most 10 % may; \
             did the site change? `pagemill try URL` shows what the XPath matches",
        ]
    );
}

#[test]
fn fewer_records_than_in_the_last_good_run_are_told_each_night_until_they_are_accepted() {
    let server = Server::start(|site| {
        (1..=4).for_each(|page| site.page(&format!("/{page}"), listing(10)));
    });
    let folder = temp_dir();
    let night = |pages, more: &[&str]| {
        let more = [&["--summary", "summary.json"], more].concat();
        crawl(&server, folder.path(), pages, "max_drop = '50%'", &more)
    };
    let ran = night("1-4", &["--quiet=false", "--no-progress"]);
    assert_eq!(ran.code, Some(0));
    let note = "note: summary.json tells of no run to compare with, so max-drop holds from the next one on\n";
    assert!(ran.stderr.starts_with(note), "{}", ran.stderr);
    let ended_at = summary(folder.path())["ended_at"].as_str().unwrap().to_owned();
    let line = format!(
        "broken check: max-drop: 10 records, 75 % fewer than the 40 of the last run ({ended_at}), \
         at most 50 % fewer may come\n"
    );
    // The second bad night is not compared with the first.
    for _ in 0..2 {
        let ran = night("1", &[]);
        assert_eq!((ran.code, &ran.stderr), (Some(4), &line));
        assert_eq!(summary(folder.path())["last_run"]["records"], 40);
    }
    // Nor is it lost by a run that ended early, which is not looked at itself.
    let ran = night("1", &["--max-records", "1"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(night("1", &[]).code, Some(4));
    // Exactly half is fine; and the new size can be accepted.
    assert_eq!(night("1", &["--max-drop", "100%"]).code, Some(0));
    let ran = night("1", &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(summary(folder.path())["last_run"]["records"], 10);
}

#[test]
fn a_damaged_summary_is_told_and_the_run_goes_on() {
    let server = Server::start(|site| site.page("/1", listing(10)));
    let folder = temp_dir();
    fs::write(folder.path().join("summary.json"), "{\"end\": \"compl").unwrap();
    let ran = crawl(&server, folder.path(), "1", "max_drop = '50%'", &["--summary", "summary.json"]);
    let warning = "warning: max-drop is not checked, since summary.json does not tell of the last run: \
                   this is no summary of a run\n";
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), warning));
    assert_eq!(summary(folder.path())["records"], 10);
}

#[test]
fn a_run_that_is_out_of_time_is_not_looked_at() {
    let server = Server::start(|site| site.handle(|_| Reply::page(listing(0))));
    let folder = temp_dir();
    let more = ["--max-time", "300ms", "-j", "2"];
    let ran =
        crawl(&server, folder.path(), "1-99999", "max_null.price = '10%'\nmin_records = 999999999", &more);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(75), ""));
}

#[test]
fn a_field_that_there_is_none_of_is_refused_before_the_first_request() {
    let server = Server::start(|site| site.page("/1", listing(10))).may_be_idle();
    let folder = temp_dir();
    let ran = crawl(&server, folder.path(), "1", "max_null.prise = '10%'\nmax_drop = 'ten'", &[]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.stderr.contains("there is no field `prise`") && ran.stderr.contains("did you mean `price`?"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("check.max_drop: this is not a share"), "{}", ran.stderr);
    assert_eq!(server.hits().len(), 0);
}

#[test]
fn saved_pages_are_checked_too_and_a_look_at_one_is_not() {
    let folder = temp_dir();
    fs::write(folder.path().join("page.html"), listing(8)).unwrap();
    fs::write(folder.path().join("job.toml"), format!("{JOB}[check]\nmax_null.price = '10%'\n")).unwrap();
    let command = |args: &[&str]| run(pagemill(args).current_dir(folder.path()));
    let ran = command(&["extract", "page.html", "-c", "job.toml", "-q"]);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(4), 10));
    assert!(ran.stderr.starts_with("broken check: max-null.price: 2 of 10 records"), "{}", ran.stderr);
    let ran = command(&["extract", "page.html", "-c", "job.toml", "-q", "--max-null", "price=20%"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert_eq!(command(&["try", "page.html", "-c", "job.toml"]).code, Some(0));
}

#[test]
fn checks_come_from_the_environment_too() {
    let server = Server::start(|site| site.page("/1", listing(8)));
    let args = ["crawl", &server.url("/1"), "-e", "//li", "-f", "title=./b", "-f", "price=./i", "-q"];
    let ran = run(pagemill(args).env("PAGEMILL_MAX_NULL", "title=10%\nprice=10%"));
    assert_eq!((ran.code, ran.stderr.lines().count()), (Some(4), 1), "{}", ran.stderr);
    assert!(ran.stderr.starts_with("broken check: max-null.price: 2 of 10 records"), "{}", ran.stderr);
}
