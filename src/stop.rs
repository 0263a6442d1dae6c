//! The done flag: who may end a run early, and the guard that does it when a thread panics.
//!
//! Setting the flag only stops new work; threads end because their channels close. One reader, the conductor, acts
//! on it, and is woken by a knock so that nobody polls.

use super::sync::{AtomicU8, Ordering, Receiver, Sender, bounded, panicking};

const RUNNING: u8 = 0;
const DRAINING: u8 = 1;
const ABORTING: u8 = 2;

/// The done flag of one run.
#[derive(Debug)]
pub struct Stop {
    level: AtomicU8,
    knocker: Sender<()>,
    knocks: Receiver<()>,
}

impl Default for Stop {
    fn default() -> Self {
        Stop::new()
    }
}

impl Stop {
    /// A flag that is not set.
    pub fn new() -> Stop {
        let (knocker, knocks) = bounded(1);
        Stop { level: AtomicU8::new(RUNNING), knocker, knocks }
    }

    /// Nothing new goes out; what is in flight still arrives and is written.
    pub fn request(&self) {
        self.raise(DRAINING);
    }

    /// What is in flight is cut off too.
    pub fn abort(&self) {
        self.raise(ABORTING);
    }

    /// Whether [`Stop::request`] or [`Stop::abort`] was called.
    pub fn is_requested(&self) -> bool {
        self.level.load(Ordering::SeqCst) >= DRAINING
    }

    /// Whether [`Stop::abort`] was called.
    pub fn is_aborted(&self) -> bool {
        self.level.load(Ordering::SeqCst) >= ABORTING
    }

    /// Where the conductor hears that the flag changed.
    pub(crate) fn knocks(&self) -> &Receiver<()> {
        &self.knocks
    }

    /// Wakes the conductor, so that it looks again at what may have changed: this flag, or a source that had nothing
    /// to give. Who knocks makes the change first.
    pub(crate) fn knock(&self) {
        // A full channel means that a knock is waiting already; the reader looks after it.
        let _ = self.knocker.try_send(());
    }

    fn raise(&self, level: u8) {
        self.level.fetch_max(level, Ordering::SeqCst);
        self.knock();
    }
}

/// Requests a stop if its thread panics, so that the others do not crawl on for hours before anyone hears of it.
#[derive(Debug)]
pub(crate) struct StopOnPanic<'a>(pub(crate) &'a Stop);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if panicking() {
            self.0.request();
        }
    }
}
