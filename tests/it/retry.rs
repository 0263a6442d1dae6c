use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::Value;

use crate::status::{crawl, in_folder, item, write_job};
use crate::support::{Gate, LONG, Reply, Server, TempDir, pagemill, run, signal, temp_dir, watchdog};

/// Whether the site has been repaired.
#[derive(Clone, Default)]
struct Repair(Arc<AtomicBool>);

impl Repair {
    fn is_done(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn happen(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// A list of items, of which the even ones answer 500 until the site is repaired. Each leads on to a page `more` of its
/// own, and to the list.
fn shop(items: usize, repair: &Repair) -> Server {
    let repair = repair.clone();
    Server::start(move |site| {
        let links: String = (0..items).map(|n| format!("<a href='/item?n={n}'>{n}</a>")).collect();
        site.page("/list", format!("<html><body><h1>List</h1>{links}</body></html>"));
        site.compute("/item", move |hit| {
            let query = hit.query.as_deref().unwrap_or_default();
            let n: usize = query[2..].parse().unwrap();
            match n.is_multiple_of(2) && !repair.is_done() {
                true => Reply::status(500),
                false => Reply::page(format!("{}<a href='/more?{query}'>more</a>", item(query))),
            }
        });
        site.compute("/more", |hit| Reply::page(item(hit.query.as_deref().unwrap_or_default())));
    })
}

fn write_following_job(folder: &Path, server: &Server) {
    write_job(folder, server);
    let path = folder.join("job.toml");
    let job = fs::read_to_string(&path).unwrap();
    let job =
        job.replace("[extract.item]\n", "[extract.item]\nfollow = [{ xpath = \"//a\", to = \"more\" }]\n");
    fs::write(path, job + "[extract.more]\nfields.more = \"//h2\"\n").unwrap();
}

fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("out.jsonl")).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    text.lines().map(str::to_owned).collect()
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// All that a run gives in which nothing fails.
fn all_lines(items: usize) -> Vec<String> {
    let mut lines = vec![r#"{"title":"List"}"#.to_owned()];
    for n in 0..items {
        lines.push(format!(r#"{{"title":"Item {n}"}}"#));
        lines.push(format!(r#"{{"more":"Item {n}"}}"#));
    }
    sorted(lines)
}

fn crawled(items: usize, repair: &Repair, more: &[&str]) -> (Server, TempDir) {
    let (server, folder) = (shop(items, repair), temp_dir());
    write_following_job(folder.path(), &server);
    let ran = run(crawl(folder.path()).args(more));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    (server, folder)
}

fn failed(folder: &Path) -> Vec<Value> {
    let ran = in_folder(folder, &["status", "out.jsonl", "--failed"]);
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn only_failed_pages_are_asked_again_and_what_they_lead_to_and_the_rest_of_the_output_stays() {
    for order in [&[][..], &["--ordered"], &["--order", "depth"]] {
        let repair = Repair::default();
        let (server, folder) = crawled(6, &repair, order);
        let before = lines(folder.path());
        assert_eq!(before.len(), 1 + 3 * 2);
        let hits = server.hits().len();
        repair.happen();
        let ran = in_folder(folder.path(), &["retry", "out.jsonl.pagemill"]);
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        assert!(ran.stderr.contains("\n13 pages ("), "the counts are those of all: {}", ran.stderr);
        let after = lines(folder.path());
        assert_eq!(after[..before.len()], before);
        assert_eq!(sorted(after), all_lines(6));
        // Three items, and where they lead to.
        assert_eq!(server.hits().len() - hits, 6);
        assert!(!folder.path().join("out.jsonl.pagemill").exists());
    }
}

#[test]
fn the_bound_of_pages_holds_for_both_together() {
    let repair = Repair::default();
    let (server, folder) = crawled(6, &repair, &["--max-pages", "7"]);
    assert_eq!(server.hits_of("/more").len(), 0);
    repair.happen();
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lines(folder.path()).len(), 7);
    assert_eq!(server.hits_of("/more").len(), 0);
}

#[test]
fn pages_that_fail_again_stay_with_all_their_tries() {
    let repair = Repair::default();
    let (_server, folder) = crawled(4, &repair, &[]);
    let before = lines(folder.path());
    let attempts =
        |folder: &Path| failed(folder).iter().map(|page| page["attempts"].clone()).collect::<Vec<_>>();
    assert_eq!(attempts(folder.path()), [2, 2]);
    let ran = in_folder(folder.path(), &["retry", "out.jsonl", "--retry", "2", "--summary", "sum.json"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 pages failed; try them again with: pagemill retry "), "{}", ran.stderr);
    assert_eq!(attempts(folder.path()), [5, 5]);
    assert_eq!(lines(folder.path()), before);
    let summary: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("sum.json")).unwrap()).unwrap();
    assert_eq!((&summary["pages_done"], &summary["pages_failed"]), (&5.into(), &2.into()));
    assert_eq!(summary["records"], 5);
    repair.happen();
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(sorted(lines(folder.path())), all_lines(4));
}

#[test]
fn a_state_that_is_kept_stays_and_then_there_is_nothing_to_try_again() {
    let repair = Repair::default();
    let (server, folder) = crawled(4, &repair, &["--state", "st"]);
    repair.happen();
    assert_eq!(in_folder(folder.path(), &["retry", "st"]).code, Some(0));
    assert_eq!(sorted(lines(folder.path())), all_lines(4));
    let hits = server.hits().len();
    let ran = in_folder(folder.path(), &["retry", "st"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stderr.contains("no page of this run has failed"), "{}", ran.stderr);
    let told = in_folder(folder.path(), &["status", "st", "--json"]).stdout;
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&told["status"], &told["next"]), (&"done".into(), &Value::Null));
    assert_eq!(told["pages"]["done"], 9);
    assert_eq!(server.hits().len(), hits);
}

#[test]
fn it_may_be_given_anywhere_and_files_of_the_job_are_found() {
    let repair = Repair::default();
    let (_server, folder) = crawled(4, &repair, &["--summary", "sum.json"]);
    repair.happen();
    let elsewhere = temp_dir();
    let state = folder.path().join("out.jsonl");
    let args = ["retry", state.to_str().unwrap(), "--save-cookies", "cookies.txt"];
    let ran = in_folder(elsewhere.path(), &args);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(sorted(lines(folder.path())), all_lines(4));
    let summary = fs::read_to_string(folder.path().join("sum.json")).unwrap();
    assert!(summary.contains("\"pages_done\": 9"), "what was said then is said from there: {summary}");
    assert!(elsewhere.path().join("cookies.txt").exists(), "what is said now is said from here");
}

#[test]
fn secrets_have_to_be_given_again() {
    let folder = temp_dir();
    let server = Server::start(|site| {
        site.compute("/p", |hit| match hit.header("authorization") {
            Some("Bearer new") => Reply::page("<h1>x</h1>"),
            _ => Reply::status(401),
        });
    });
    let url = server.url("/p");
    let ran =
        in_folder(folder.path(), &["crawl", &url, "-f", "t=//h1", "-o", "out.jsonl", "--bearer", "old"]);
    assert_eq!(ran.code, Some(5), "{}", ran.stderr);
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""));
    let told = "the job was given --bearer, which is not kept; give it again, or as PAGEMILL_BEARER";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let ran = run(pagemill(["retry", "out.jsonl"]).env("PAGEMILL_BEARER", "new").current_dir(folder.path()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lines(folder.path()), [r#"{"t":"x"}"#]);
}

#[test]
fn bodies_and_addresses_with_a_log_in_are_in_no_state_and_have_to_be_given_again() {
    let folder = temp_dir();
    let repair = Repair::default();
    let server = {
        let repair = repair.clone();
        Server::start(move |site| {
            site.compute("/p", move |_| match repair.is_done() {
                true => Reply::page("<h1>x</h1>"),
                false => Reply::status(404),
            });
        })
    };
    let url = server.url("/p").replace("://", "://me:s3cret@");
    let body = "password=s3cret";
    let ran = in_folder(folder.path(), &["crawl", &url, "-d", body, "-f", "t=//h1", "-o", "out.jsonl"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let manifest = fs::read_to_string(folder.path().join("out.jsonl.pagemill/manifest.json")).unwrap();
    assert!(!manifest.contains("s3cret"), "{manifest}");
    for more in [&["--json"][..], &[]] {
        let ran = in_folder(folder.path(), &[&["status", "out.jsonl"], more].concat());
        assert!(ran.code == Some(0) && !ran.stdout.contains("s3cret"), "{}", ran.stdout);
        assert!(ran.stdout.contains("URL... --data ..."), "{}", ran.stdout);
    }
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(2));
    for told in ["give it again as PAGEMILL_URL\n", "the job was given --data, which is not kept"] {
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
    repair.happen();
    let mut retry = pagemill(["retry", "out.jsonl", "-d", body]);
    let ran = run(retry.env("PAGEMILL_URL", &url).current_dir(folder.path()));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lines(folder.path()), [r#"{"t":"x"}"#]);
}

#[test]
fn a_run_that_has_all_records_asked_for_leaves_no_state_that_nobody_could_use() {
    let server = Server::start(|site| {
        site.on("/0", Reply::status(404));
        site.page("/1", "<h1>x</h1>");
    });
    let folder = temp_dir();
    let url = server.url("/{page}");
    let args = ["crawl", &url, "-p", "0-1", "-f", "t=//h1", "-o", "out.jsonl", "-j", "1", "--ordered"];
    let ran = in_folder(folder.path(), &[&args[..], &["--max-records", "1"]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 failed"), "{}", ran.stderr);
    assert!(!folder.path().join("out.jsonl.pagemill").exists());
}

#[test]
fn another_job_is_refused_with_what_differs() {
    let repair = Repair::default();
    let (server, folder) = crawled(4, &repair, &[]);
    let hits = server.hits().len();
    let path = folder.path().join("job.toml");
    let job = fs::read_to_string(&path).unwrap();
    fs::write(&path, job.replace("//h2", "//h3")).unwrap();
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("[extract]: it is another one now"), "{}", ran.stderr);
    fs::write(&path, job).unwrap();
    let ran = in_folder(folder.path(), &["retry", "out.jsonl", "--level", "1"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("level: it was not given, and is `1` now"), "{}", ran.stderr);
    assert_eq!(server.hits().len(), hits);
    assert_eq!(failed(folder.path()).len(), 2, "and nothing is lost");
}

#[test]
fn a_run_that_is_not_done_is_refused() {
    let gate = Gate::new();
    let server = {
        let gate = gate.clone();
        Server::start(move |site| site.on("/p", Reply::page("<h1>x</h1>").behind(&gate)))
    };
    let folder = temp_dir();
    let url = server.url("/p?n={page}");
    let child = pagemill(["crawl", &url, "-p", "0-9", "-f", "t=//h1", "-o", "out.jsonl", "-j", "2", "-q"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    server.wait_for_hits(2);
    signal(&child, "INT");
    gate.open();
    let mut child = child;
    watchdog(LONG, move || child.wait().unwrap());
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("is not done"), "{}", ran.stderr);
    assert!(ran.stderr.contains("run its command again first"), "{}", ran.stderr);
}

#[test]
fn a_host_that_refused_every_page_is_asked_again() {
    let repair = Repair::default();
    let is_repaired = repair.clone();
    let server = Server::start(move |site| {
        site.compute("/p", move |_| match is_repaired.is_done() {
            true => Reply::page("<h1>x</h1>"),
            false => Reply::status(503),
        });
    });
    let folder = temp_dir();
    let url = server.url("/p?n={page}");
    let args = ["crawl", &url, "-p", "0-19", "-f", "t=//h1", "-o", "out.jsonl", "-j", "1", "--retry", "0"];
    let ran = in_folder(folder.path(), &[&args[..], &["--max-pause", "1ms", "--throttle", "off"]].concat());
    assert_ne!(ran.code, Some(0));
    assert_eq!(failed(folder.path()).len(), 20);
    repair.happen();
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert_eq!(lines(folder.path()).len(), 20);
}

/// Kills a retry when the server has seen so many requests, or at a step of a commit, and goes on with either command.
#[test]
fn a_retry_that_is_killed_goes_on_by_either_command_and_nothing_is_lost_or_twice() {
    let mut went_on = 0;
    for (round, by_retry) in (0..8).flat_map(|round| [(round, true), (round, false)]) {
        let repair = Repair::default();
        let more: &[&str] = if round % 3 == 2 { &["--ordered"] } else { &[] };
        let (server, folder) = crawled(40, &repair, more);
        repair.happen();
        let mut retry = pagemill(["retry", "out.jsonl", "-q"]);
        retry.current_dir(folder.path()).stderr(Stdio::null());
        let hits = server.hits().len();
        match round {
            0..4 => {
                let steps = ["batch written:1", "batch written:2", "lines synced:1", "batch made:3"];
                let status = retry.env("PAGEMILL_DIE_AT", steps[round]).status().unwrap();
                assert_eq!(status.code(), None, "it died");
            }
            _ => {
                let mut child = retry.spawn().unwrap();
                server.wait_for_hits(hits + (round - 3) * 9);
                child.kill().unwrap();
                child.wait().unwrap();
            }
        }
        let told = in_folder(folder.path(), &["status", "out.jsonl", "--json"]).stdout;
        // A run that is done would begin anew: the retry had not begun yet, or was over.
        if !by_retry && told.contains("\"status\": \"done\"") {
            continue;
        }
        went_on += 1;
        let ran = match by_retry {
            true => in_folder(folder.path(), &["retry", "out.jsonl"]),
            false => run(crawl(folder.path()).args(more)),
        };
        assert_eq!(ran.code, Some(0), "round {round}, {by_retry}: {}", ran.stderr);
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        lines(folder.path()).into_iter().for_each(|line| *counts.entry(line).or_default() += 1);
        let wrong: Vec<_> = counts.iter().filter(|(_, count)| **count != 1).collect();
        assert!(wrong.is_empty(), "round {round}, {by_retry}: {wrong:?}");
        assert_eq!(counts.len(), 81, "round {round}, {by_retry}: {}", ran.stderr);
        assert!(!folder.path().join("out.jsonl.pagemill").exists());
    }
    assert!(went_on >= 10, "{went_on}");
}

#[test]
fn places_of_the_source_without_a_request_stay_failed_and_that_is_said() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let server = Server::start(move |site| {
        site.compute("/p", move |_| match counted.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::status(404),
            _ => Reply::page("<h1>x</h1>"),
        });
    });
    let folder = temp_dir();
    fs::write(folder.path().join("urls.txt"), format!("no url\n{}\n", server.url("/p"))).unwrap();
    let ran = in_folder(folder.path(), &["crawl", "-i", "urls.txt", "-f", "t=//h1", "-o", "out.jsonl"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("1 page failed; try them again with"), "{}", ran.stderr);
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let told = "note: 1 place of the source gave no request; that cannot be tried again";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    assert_eq!(lines(folder.path()), [r#"{"t":"x"}"#]);
    let ran = in_folder(folder.path(), &["retry", "out.jsonl"]);
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
}
