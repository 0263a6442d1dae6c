//! A list that has changed before its run goes on: refused until it is put back, and nothing is lost.

use std::fs;
use std::process::{Command, Stdio};

use crate::kill::wait;
use crate::support::{Gate, LONG, Reply, Server, TempDir, pagemill, run, signal, temp_dir};

/// Pages of the list.
const PAGES: usize = 30;

/// So many come before the server says nothing more.
const FIRST: usize = 10;

fn crawl(folder: &TempDir) -> Command {
    let mut command = pagemill(["crawl", "-i", "list", "-f", "t=//p", "-o", "out.jsonl"]);
    command.args(["-j", "2", "--throttle", "off", "--no-progress"]).current_dir(folder.path());
    command
}

#[test]
fn a_changed_list_is_refused_each_time_and_the_run_goes_on_when_it_is_put_back() {
    let gate = Gate::new();
    let server = {
        let gate = gate.clone();
        Server::start(move |site| {
            site.handle(move |hit| {
                let page: usize = hit.path[1..].parse().expect("a page has a number");
                let reply = Reply::page(format!("<p>{page}</p>"));
                if page < FIRST { reply } else { reply.behind(&gate) }
            });
        })
    };
    let folder = temp_dir();
    let list = folder.path().join("list");
    let urls: Vec<String> = (0..PAGES).map(|page| server.url(&format!("/{page}")) + "\n").collect();
    fs::write(&list, urls.concat()).unwrap();

    let mut child = crawl(&folder).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    server.wait_for_hits(FIRST + 1);
    signal(&child, "INT");
    gate.open();
    assert_eq!(wait(&mut child, LONG).expect("it ends").code(), Some(130));

    let mut swapped = urls.clone();
    swapped.swap(0, 1);
    let cut = urls[..FIRST - 2].to_vec();
    for (how, other) in [("are not the same any more", swapped), ("the list ends before line", cut)] {
        fs::write(&list, other.concat()).unwrap();
        for _ in 0..2 {
            let ran = run(&mut crawl(&folder));
            assert_eq!(ran.code, Some(1), "{}", ran.stderr);
            assert!(ran.stderr.contains("the source has changed since this run began"), "{}", ran.stderr);
            assert!(ran.stderr.contains(how), "{}", ran.stderr);
            assert!(!ran.stderr.contains("no room"), "{}", ran.stderr);
        }
    }
    fs::write(&list, urls.concat()).unwrap();
    let ran = run(&mut crawl(&folder));
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let text = fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    let mut all: Vec<String> = (0..PAGES).map(|page| format!(r#"{{"t":"{page}"}}"#)).collect();
    all.sort_unstable();
    assert_eq!(lines, all, "all lines, each once");
}
