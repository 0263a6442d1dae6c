//! Processor time of the threads of a run, by what they do (Linux).

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Nanoseconds on a processor.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    /// All crawl threads.
    pub(super) crawl: u64,
    /// All parser threads.
    pub(super) parse: u64,
    /// The thread that called `run`.
    pub(super) conductor: u64,
}

/// Runs `work` on this thread, and looks at all threads every 20 ms until it is done: what a thread does between the
/// last look and its end is missed.
pub(super) fn watch<T>(work: impl FnOnce() -> T) -> (T, Cpu) {
    let done = AtomicBool::new(false);
    let here = Path::new("/proc/thread-self");
    let before = time_of(here);
    let (result, seen) = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = HashMap::new();
            while !done.load(Ordering::Relaxed) {
                look(&mut seen);
                thread::sleep(Duration::from_millis(20));
            }
            seen
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        (result, watcher.join().unwrap_or_default())
    });
    let all =
        |role: &str| seen.values().filter(|(name, _)| name.starts_with(role)).map(|(_, time)| time).sum();
    (result, Cpu { crawl: all("crawl-"), parse: all("parse-"), conductor: time_of(here) - before })
}

fn look(seen: &mut HashMap<std::ffi::OsString, (String, u64)>) {
    for task in fs::read_dir("/proc/self/task").into_iter().flatten().flatten() {
        if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
            let time = seen.entry(task.file_name()).or_default();
            *time = (name, time_of(&task.path()).max(time.1));
        }
    }
}

/// 0 where the kernel does not count.
fn time_of(task: &Path) -> u64 {
    let text = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
    text.split_whitespace().next().and_then(|nanoseconds| nanoseconds.parse().ok()).unwrap_or_default()
}
