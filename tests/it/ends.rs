use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::crawl::listing;
use crate::support::{Gate, LONG, Reply, Server, pagemill, run, signal, temp_dir, watchdog};

/// A crawl of many pages of `server`, as a child with piped output.
fn start(server: &Server, more: &[&str]) -> Child {
    let url = server.url("/list?p={page}");
    let args = ["crawl", &url, "-p", "0-99999", "-e", "//li[2]", "-f", "t=./a"];
    pagemill(args.iter().chain(more))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The exit code and the whole output of a child that ends by itself.
fn ended(child: Child) -> (Option<i32>, String, String) {
    watchdog(LONG, move || {
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    })
}

fn endless() -> Server {
    Server::start(|site| {
        site.compute("/list", |hit| Reply::page(listing(&hit.query.as_deref().unwrap_or_default()[2..])));
    })
}

/// Pages 0 to 2 come; all others wait at the gate.
fn gated(gate: &Gate) -> Server {
    let gate = gate.clone();
    Server::start(move |site| {
        site.compute("/list", move |hit| {
            let page = &hit.query.as_deref().unwrap_or_default()[2..];
            let reply = Reply::page(listing(page));
            if ["0", "1", "2"].contains(&page) { reply } else { reply.behind(&gate) }
        });
    })
}

fn assert_whole_lines(stdout: &str) {
    assert!(stdout.is_empty() || stdout.ends_with('\n'));
    for line in stdout.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn the_first_signal_lets_pages_under_way_arrive_and_the_code_says_which() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let gate = Gate::new();
        let server = gated(&gate);
        let child = start(&server, &["-j", "2", "-q"]);
        // Three came, two wait at the gate.
        server.wait_for_hits(5);
        signal(&child, name);
        // The signal is on its way; what is at the gate must arrive all the same. No new page may go out.
        std::thread::sleep(Duration::from_millis(50));
        gate.open();
        let (ended_with, stdout, _) = ended(child);
        assert_eq!(ended_with, Some(code));
        assert_eq!(stdout.lines().count(), 5, "{stdout}");
        assert_whole_lines(&stdout);
    }
}

#[test]
fn the_second_signal_cuts_off_what_is_under_way() {
    let gate = Gate::new();
    let server = gated(&gate);
    let child = start(&server, &["-j", "2", "-q"]);
    server.wait_for_hits(5);
    signal(&child, "INT");
    signal(&child, "INT");
    // Two signals in a row may arrive as one.
    std::thread::sleep(Duration::from_millis(100));
    signal(&child, "INT");
    let (code, stdout, _) = ended(child);
    assert_eq!(code, Some(130));
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    assert_whole_lines(&stdout);
}

#[test]
fn the_second_signal_ends_even_a_run_whose_reader_has_stopped_reading() {
    let server = endless();
    let child = start(&server, &["-j", "4", "-q"]);
    // Nobody reads the pipe: it fills, and the run waits for it.
    server.wait_for_silence();
    signal(&child, "TERM");
    std::thread::sleep(Duration::from_millis(100));
    signal(&child, "TERM");
    let mut child = child;
    let status = watchdog(LONG, move || child.wait().unwrap());
    assert_eq!(status.code(), Some(143));
}

#[test]
fn a_reader_that_goes_away_ends_the_crawl_quietly() {
    let server = endless();
    let mut child = start(&server, &["-j", "4"]);
    let mut first = String::new();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    stdout.read_line(&mut first).unwrap();
    drop(stdout);
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(0));
    assert!(!stderr.contains("error") && !stderr.contains("panic"), "{stderr}");
    assert!(server.hits().len() < 50_000);
}

#[test]
fn lines_are_seen_while_the_run_goes_on() {
    let gate = Gate::new();
    let server = gated(&gate);
    let mut child = start(&server, &["-j", "2", "-q"]);
    let stdout = child.stdout.take().unwrap();
    // The run cannot end before the gate opens, so these lines were flushed while it went on.
    let lines = watchdog(LONG, move || {
        BufReader::new(stdout).lines().take(3).map(Result::unwrap).collect::<Vec<_>>()
    });
    assert_eq!(lines.len(), 3);
    signal(&child, "INT");
    gate.open();
    ended(child);
}

#[test]
fn out_of_time_with_pages_left_is_75_and_what_was_under_way_is_written() {
    let server = endless();
    let child = start(&server, &["-j", "2", "--max-time", "300ms"]);
    let (code, stdout, stderr) = ended(child);
    assert_eq!(code, Some(75));
    assert_whole_lines(&stdout);
    assert_eq!(stdout.lines().count(), server.hits().len());
    assert!(stderr.contains("pages"), "{stderr}");
}

#[test]
fn out_of_time_after_the_last_page_is_no_failure() {
    let server = endless();
    let url = server.url("/list?p={page}");
    let args = ["crawl", &url, "-p", "1-2", "-e", "//li[2]", "-f", "t=./a", "--max-time", "1h", "-q"];
    assert_eq!(run(&mut pagemill(args)).code, Some(0));
}

#[test]
fn a_full_disk_ends_the_run_with_whole_lines_and_an_advice() {
    let server = endless();
    let folder = temp_dir();
    let path = folder.path().join("out.jsonl");
    let url = server.url("/list?p={page}");
    let command = format!(
        "ulimit -f 8; exec {} crawl '{url}' -p 0-99999 -e '//li[2]' -f t=./a -q --no-state -o {}",
        env!("CARGO_BIN_EXE_pagemill"),
        path.display()
    );
    let ran = run(std::process::Command::new("sh").args(["-c", &command]));
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stderr.contains("cannot write to") && ran.stderr.contains("hint:"), "{}", ran.stderr);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(!text.is_empty());
    assert_whole_lines(&text);
}

#[test]
fn a_device_without_room_ends_the_run() {
    let server = endless();
    let child = start(&server, &["-j", "2", "-q", "-o", "/dev/full"]);
    let (code, _, stderr) = ended(child);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("/dev/full"), "{stderr}");
}

#[test]
fn a_dead_server_fails_each_page_and_the_run_ends() {
    let gone = Server::start(|_| {}).may_be_idle();
    let url = gone.url("/{page}");
    drop(gone);
    let ran = run(&mut pagemill(["crawl", &url, "-p", "1-5", "-f", "a=//a", "--retry-delay", "1ms"]));
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(3), ""));
    // The host is given up for the last four, after the tries with the first.
    assert_eq!(ran.stderr.matches("failed: http").count(), 5, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("/1: cannot connect") && ran.stderr.contains("/5: not asked for"),
        "{}",
        ran.stderr
    );
    let ran =
        run(&mut pagemill(["crawl", &url, "-p", "1-", "--until-empty", "-f", "a=//a", "--retry", "0", "-q"]));
    assert_eq!(ran.code, Some(3));
    assert!(ran.stderr.contains("20 pages in a row failed"), "{}", ran.stderr);
}

#[test]
fn pages_without_a_url_neither_hide_a_signal_nor_run_on_for_ever() {
    // From page 2 on the number is beyond 64 bits.
    let server = Server::start(|site| site.handle(|_| Reply::page("<a>x</a>")));
    let url = server.url("/{page*4611686018427387904}");
    let ran = run(&mut pagemill(["crawl", &url, "-p", "0-", "--until-empty", "-f", "a=//a"]));
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(3), 2), "{}", ran.stderr);

    let args = ["crawl", &url, "-p", "0-999999999999", "-f", "a=//a", "-o", "/dev/null"];
    let mut child =
        pagemill(args).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    // The messages are read up, so that the run does not wait for their reader.
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut first = String::new();
    stderr.read_line(&mut first).unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut stderr, &mut std::io::sink()));
    signal(&child, "INT");
    let status = watchdog(LONG, move || child.wait().unwrap());
    assert_eq!(status.code(), Some(130), "{first}");
    reader.join().unwrap().unwrap();
}

#[test]
fn a_closed_standard_error_is_no_fault() {
    let server = endless();
    let url = server.url("/list?p={page}");
    let args = ["crawl", &url, "-p", "1-3", "-e", "//li[2]", "-f", "t=./a", "-v"];
    let mut child =
        pagemill(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stderr.take());
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout.lines().count(), 3);
    assert_eq!(ended(child).0, Some(0));
}

/// Only where the system shows it may a process be seen to sleep; elsewhere there is no wait.
fn wait_until_asleep(child: &Child) {
    let stat = format!("/proc/{}/stat", child.id());
    watchdog(LONG, move || {
        // The state follows the name, which is in parentheses.
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") S ")) {
            std::thread::yield_now();
        }
    });
}

#[test]
fn a_signal_ends_the_wait_for_the_reader_of_a_fifo() {
    use std::os::unix::process::ExitStatusExt;

    let folder = temp_dir();
    let fifo = folder.path().join("fifo");
    let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    assert!(made.success());
    let server = endless().may_be_idle();
    // The job has a warning: once it is told, opening the FIFO is next.
    let url = server.url("/list?p=1");
    let args = ["crawl", &url, "-e", "//li", "-f", "a=//a", "-o", fifo.to_str().unwrap()];
    let mut child = pagemill(args).stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut warning = String::new();
    stderr.read_line(&mut warning).unwrap();
    assert!(warning.starts_with("warning: "), "{warning}");
    wait_until_asleep(&child);
    // Nothing listens yet. Not Ctrl-C, which is ignored by all that a shell has started in the background.
    signal(&child, "TERM");
    let status = watchdog(LONG, move || child.wait().unwrap());
    assert_eq!(status.signal(), Some(15), "{status}");
    assert_eq!(server.hits().len(), 0);
}
