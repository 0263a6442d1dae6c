//! Ctrl-C, SIGTERM and the hangup of the terminal: the first asks for a stop, the second cuts off what is under way.
//!
//! One thread waits for signals; it ends when [`Signals`] is dropped. The only user of signal-hook.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::{Handle, Signals as Waiting};

use crate::stop::Stop;
use crate::sync::{Receiver, Sender, bounded};

/// After the second signal the run has this long to end in good order. It may not come to that if the reader of our
/// output has stopped reading: then the process ends itself.
const GRACE: Duration = Duration::from_secs(2);

/// The signals of this process, for as long as it lives.
#[derive(Debug)]
pub struct Signals {
    first: Arc<AtomicI32>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
    /// Dropped to say that the run has ended.
    ended: Option<Sender<()>>,
}

/// Makes a write beyond the size limit of the shell (`ulimit -f`) an error that names the limit; else it would kill us
/// without a word. To be called before anything is written.
///
/// # Errors
/// The system lets us handle no signals.
pub fn survive_file_limit() -> io::Result<()> {
    // With a handler, whatever it does, the write fails.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).map(drop)
}

impl Signals {
    /// Waits for signals from now on and passes them to `stop`.
    ///
    /// # Errors
    /// The system lets us handle no signals, or gives no thread.
    pub fn listen(stop: Arc<Stop>) -> io::Result<Signals> {
        let mut waiting = Waiting::new([SIGINT, SIGTERM])?;
        if !is_hangup_ignored() {
            waiting.handle().add_signal(SIGHUP)?;
        }
        let handle = waiting.handle();
        let first = Arc::new(AtomicI32::new(0));
        let (ended, run_ended) = bounded(1);
        let seen = Arc::clone(&first);
        let thread = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in waiting.forever() {
                if seen.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
                    stop.request();
                } else {
                    stop.abort();
                    end_soon(&run_ended, signal);
                }
            }
        })?;
        Ok(Signals { first, handle, thread: Some(thread), ended: Some(ended) })
    }

    /// The first signal that came.
    pub fn received(&self) -> Option<i32> {
        Some(self.first.load(Ordering::SeqCst)).filter(|&signal| signal != 0)
    }
}

/// Whether the run is to outlive its terminal, as under `nohup`: who ignores the signal has said so before we began, and
/// only the kernel can tell. Where it has no such file, a hangup ends the run in good order.
fn is_hangup_ignored() -> bool {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return false };
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    ignored >> (SIGHUP - 1) & 1 == 1
}

/// Ends the process if the run does not end by itself. Whole lines only have been written; nothing is torn.
fn end_soon(run_ended: &Receiver<()>, signal: i32) {
    if let Err(error) = run_ended.recv_timeout(GRACE)
        && error.is_timeout()
    {
        std::process::exit(128 + signal);
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.ended = None;
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            // It does nothing that could panic; if it did, the run is over anyway.
            let _ = thread.join();
        }
    }
}
