//! What end-to-end tests stand on: a scripted server, the program as a child process, a watchdog for hangs.
//!
//! Nothing here sleeps to be right, uses a fixed port or reaches beyond the loopback address.

// Each test uses a part.
#![allow(dead_code, unused_imports)]

mod proxy;
mod reply;
mod server;
mod tests;
mod tls;

use std::io::{Read, Write};
use std::panic::resume_unwind;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub(crate) use proxy::{Asked, ScriptedProxy};
pub(crate) use reply::{Gate, Reply};
pub(crate) use server::{Hit, Server, Site};
pub(crate) use tempfile::TempDir;
pub(crate) use tls::{Authority, Goodbye, Signed, TlsServer};

/// Far more than any test needs, far less than anybody waits.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// Runs `work` and returns what it returns.
///
/// # Panics
///
/// If it panics, with its message, or does not end within `limit`.
pub(crate) fn watchdog<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = mpsc::channel();
    let worker = thread::spawn(move || {
        let result = work();
        // The receiver is gone only if the time is up, and then nobody listens.
        let _ = done.send(());
        result
    });
    if let Err(mpsc::RecvTimeoutError::Timeout) = ended.recv_timeout(limit) {
        panic!("still running after {limit:?}");
    }
    worker.join().unwrap_or_else(|panic| resume_unwind(panic))
}

/// An empty folder that is removed when dropped.
pub(crate) fn temp_dir() -> TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// The program with `args`, and nothing in its environment that could change what it does. It asks for no robots.txt,
/// so that the requests of a test are those that it names, and may go from one server of the test to another, though
/// all are on this machine; see [`polite`].
pub(crate) fn pagemill<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pagemill"));
    command.args(args).env_clear();
    for kept in ["PATH", "TMPDIR", "SystemRoot", "LLVM_PROFILE_FILE"] {
        if let Some(value) = std::env::var_os(kept) {
            command.env(kept, value);
        }
    }
    command.env("PAGEMILL_NO_ROBOTS", "true").env("PAGEMILL_ALLOW_PRIVATE", "true");
    command
}

/// The program as its users start it, with robots.txt and the guard of private addresses.
pub(crate) fn polite<S: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = pagemill(args);
    command.env_remove("PAGEMILL_NO_ROBOTS").env_remove("PAGEMILL_ALLOW_PRIVATE");
    command
}

/// Sends the signal of this name to a child (`INT`, `TERM`). The shell's own `kill` is everywhere; the program is not.
pub(crate) fn signal(child: &std::process::Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    let sent = Command::new("sh").args(["-c", &line]).status().expect("a shell can be started");
    assert!(sent.success(), "{line}");
}

/// What a child process left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ran {
    /// Its exit code; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Its standard output, which must be UTF-8.
    pub(crate) stdout: String,
    /// Its standard error.
    pub(crate) stderr: String,
}

/// Runs `command` to its end without input.
pub(crate) fn run(command: &mut Command) -> Ran {
    run_with_input(command, b"")
}

/// Runs `command` to its end with `input` on its standard input.
///
/// # Panics
///
/// If it runs longer than [`LONG`]: it is killed and its output is shown.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // A program that does not read its input closes it.
        let _ = stdin.write_all(&input);
    });
    let (ended, ends) = mpsc::channel();
    let stdout = collect(child.stdout.take().expect("stdout is piped"), ended.clone());
    let stderr = collect(child.stderr.take().expect("stderr is piped"), ended);
    let in_time = (0..2).all(|_| ends.recv_timeout(LONG).is_ok());
    if !in_time {
        child.kill().expect("a child can be killed");
    }
    let status = child.wait().expect("a child can be waited for");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    let stdout = text(stdout.join().expect("reading ends"));
    let stderr = text(stderr.join().expect("reading ends"));
    writer.join().expect("writing ends");
    assert!(in_time, "killed after {LONG:?}; stdout:\n{stdout}\nstderr:\n{stderr}");
    Ran { code: status.code(), stdout, stderr }
}

fn collect(mut from: impl Read + Send + 'static, ended: mpsc::Sender<()>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut all = Vec::new();
        let read = from.read_to_end(&mut all);
        let _ = ended.send(());
        read.expect("a pipe can be read");
        all
    })
}
