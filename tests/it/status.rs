use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Gate, LONG, Ran, Reply, Server, pagemill, run, signal, temp_dir, watchdog};

/// A list of items 0 to 5 at `/list`; item 2 answers 500 and item 4 answers 404.
pub(crate) fn shop() -> Server {
    Server::start(|site| {
        let links: String = (0..6).map(|n| format!("<a href='/item?n={n}'>{n}</a>")).collect();
        site.page("/list", format!("<html><body><h1>List</h1>{links}</body></html>"));
        site.compute("/item", |hit| match hit.query.as_deref() {
            Some("n=2") => Reply::status(500),
            Some("n=4") => Reply::status(404),
            query => Reply::page(item(query.unwrap_or_default())),
        });
    })
}

pub(crate) fn item(query: &str) -> String {
    format!("<html><body><h2>Item {}</h2></body></html>", query.trim_start_matches("n="))
}

/// A job for [`shop`], and a crawl with it in `folder`.
pub(crate) fn write_job(folder: &Path, server: &Server) {
    let job = format!(
        "[source]\nurl = \"{}\"\n[extract.listing]\nfollow = [{{ css = \"a\", to = \"item\" }}]\n\
         fields.title = \"//h1\"\n[extract.item]\nfields.title = \"//h2\"\n",
        server.url("/list")
    );
    fs::write(folder.join("job.toml"), job).unwrap();
}

pub(crate) fn crawl(folder: &Path) -> Command {
    let mut command =
        pagemill(["crawl", "-c", "job.toml", "--rule", "listing", "-o", "out.jsonl", "--retry", "1"]);
    command.args(["--retry-delay", "1ms"]).current_dir(folder);
    command
}

pub(crate) fn in_folder(folder: &Path, args: &[&str]) -> Ran {
    run(pagemill(args).current_dir(folder))
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error} in {ran:?}"))
}

/// What is in a folder, and in the files there.
fn all_of(folder: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => all.extend(all_of(&path)),
            false => all.push((path.clone(), fs::read(&path).unwrap())),
        }
    }
    all.sort();
    all
}

#[test]
fn a_run_with_failed_pages_says_how_to_try_them_again_and_is_counted_by_rule_host_and_kind() {
    let (server, folder) = (shop(), temp_dir());
    write_job(folder.path(), &server);
    let ran = run(&mut crawl(folder.path()));
    assert_eq!(ran.code, Some(3), "{}", ran.stderr);
    let line = "2 pages failed; try them again with: pagemill retry out.jsonl.pagemill\n";
    assert!(ran.stderr.ends_with(line), "{}", ran.stderr);
    for name in ["out.jsonl", "out.jsonl.pagemill"] {
        let told = json(&in_folder(folder.path(), &["status", name, "--json"]));
        assert_eq!((&told["status"], &told["end"]), (&"done".into(), &"completed".into()));
        let pages = r#"{"done":5,"failed":2,"disallowed":0,"left_out":0,"pending":0,"waiting":0}"#;
        assert_eq!(told["pages"].to_string(), pages);
        assert_eq!((&told["records"], &told["retries"]), (&5.into(), &1.into()));
        let of = |done, failed| {
            let (done, failed): (u64, u64) = (done, failed);
            serde_json::json!({"done": done, "failed": failed, "disallowed": 0, "left_out": 0, "records": done})
        };
        assert_eq!(told["by_rule"], serde_json::json!({"listing": of(1, 0), "item": of(4, 2)}));
        assert_eq!(told["by_host"], serde_json::json!({"127.0.0.1": of(5, 2)}));
        assert_eq!(
            told["failures"],
            serde_json::json!([
                {"kind": "status 404", "count": 1, "example": server.url("/item?n=4")},
                {"kind": "status 500", "count": 1, "example": server.url("/item?n=2")},
            ])
        );
        assert_eq!(told["source"]["drawn"], 1);
        let length = fs::metadata(folder.path().join("out.jsonl")).unwrap().len();
        assert_eq!(told["output"]["bytes"], length);
        assert_eq!(told["next"], "pagemill retry out.jsonl.pagemill");
    }
    let ran = in_folder(folder.path(), &["status", "out.jsonl"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    for line in [
        "out.jsonl.pagemill: done (completed)\n",
        "           5  done\n           2  failed\nrecords\n           5  written\n",
        "        done      failed     records  by rule\n           1           0           1  listing\n",
        "           1  status 500, like http://",
        "to go on: pagemill retry out.jsonl.pagemill\n",
    ] {
        assert!(ran.stdout.contains(line), "{line} is missing in:\n{}", ran.stdout);
    }
}

#[test]
fn failed_pages_are_listed_as_json_lines_and_nothing_of_ours_is_changed() {
    let (server, folder) = (shop(), temp_dir());
    write_job(folder.path(), &server);
    run(&mut crawl(folder.path()));
    in_folder(folder.path(), &["status", "out.jsonl"]);
    let before = all_of(folder.path());
    let ran = in_folder(folder.path(), &["status", "out.jsonl", "--failed"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let pages: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| pages.iter().map(|page| page[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("url"), [server.url("/item?n=2"), server.url("/item?n=4")]);
    assert_eq!((of("rule"), of("status")), (vec!["item".into(); 2], vec![500.into(), 404.into()]));
    assert_eq!((of("attempts"), of("kind")[0].clone()), (vec![2.into(), 1.into()], "status 500".into()));
    let names =
        |all: &[(std::path::PathBuf, Vec<u8>)]| all.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    let after = all_of(folder.path());
    assert_eq!(names(&before), names(&after));
    let is_ours = |path: &Path| !path.to_string_lossy().contains("/store/");
    for (was, is) in before.iter().zip(&after).filter(|(was, _)| is_ours(&was.0)) {
        assert_eq!(was, is);
    }
}

#[test]
fn an_unfinished_run_tells_the_command_that_goes_on_without_its_secrets() {
    let gate = Gate::new();
    let server = {
        let gate = gate.clone();
        Server::start(move |site| {
            site.compute("/p", move |hit| {
                let reply = Reply::page("<h1>x</h1>");
                if hit.query.as_deref() == Some("n=0") { reply } else { reply.behind(&gate) }
            });
        })
    };
    let folder = temp_dir();
    let url = server.url("/p?n={page}");
    // So many that the signal comes before the last one, however late it is.
    let mut child = pagemill(["crawl", &url, "-p", "0-99999", "-f", "t=//h1", "-o", "out.jsonl", "-j", "2"])
        .args(["--bearer", "s3cret"])
        .current_dir(folder.path())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    server.wait_for_hits(3);
    let ran = in_folder(folder.path(), &["status", "out.jsonl"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(75), ""));
    let at_work = format!("process {} is at work\n", child.id());
    assert!(ran.stdout.contains(&at_work) && ran.stdout.contains("pagemill crawl --"), "{}", ran.stdout);
    let ran = in_folder(folder.path(), &["status", "out.jsonl", "--failed"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(75), ""));
    assert!(ran.stderr.contains(&format!("process {}", child.id())), "{}", ran.stderr);
    let ran = in_folder(folder.path(), &["retry", "out.jsonl", "--bearer", "s3cret"]);
    assert_eq!(ran.code, Some(75), "{}", ran.stderr);

    signal(&child, "INT");
    gate.open();
    let output = watchdog(LONG, move || {
        let mut stderr = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut stderr).unwrap();
        (child.wait().unwrap().code(), stderr)
    });
    assert_eq!(output.0, Some(130));
    assert!(output.1.ends_with("run the same command again to go on\n"), "{}", output.1);
    let ran = in_folder(folder.path(), &["status", "out.jsonl"]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("out.jsonl.pagemill: unfinished\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("to go on: pagemill crawl --"), "{}", ran.stdout);
    assert!(ran.stdout.contains("--bearer ...") && !ran.stdout.contains("s3cret"), "{}", ran.stdout);
}

#[test]
fn what_is_no_state_is_told_and_so_is_what_is_damaged_or_of_another_form() {
    let (server, folder) = (shop(), temp_dir());
    fs::write(folder.path().join("thesis.tex"), "").unwrap();
    for path in ["thesis.tex", "none", "."] {
        let ran = in_folder(folder.path(), &["status", path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{path}");
        assert!(ran.stderr.contains("there is no state in"), "{}", ran.stderr);
        let ran = in_folder(folder.path(), &["retry", path]);
        assert_eq!(ran.code, Some(2), "{path}: {}", ran.stderr);
    }
    assert_eq!(all_of(folder.path()).len(), 1, "nothing is made");
    write_job(folder.path(), &server);
    run(&mut crawl(folder.path()));
    let manifest = folder.path().join("out.jsonl.pagemill/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("\"form\": 1", "\"form\": 99")).unwrap();
    let ran = in_folder(folder.path(), &["status", "out.jsonl"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("has form 99"), "{}", ran.stderr);
    fs::write(&manifest, "{").unwrap();
    let ran = in_folder(folder.path(), &["status", "out.jsonl"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("is damaged"), "{}", ran.stderr);
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let (server, folder) = (shop(), temp_dir());
    write_job(folder.path(), &server);
    run(&mut crawl(folder.path()));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = pagemill(["status", "out.jsonl", "--failed"])
        .current_dir(folder.path())
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}
