//! Writes down what a run has done, so that it can go on after it died: commits, one after the other, on a thread of
//! their own, so that no page waits for the disk.
//!
//! A commit is handed over when the lines of all pages in it have been written to the output. The thread makes the
//! output safe on disk first, and then the state that says so: when the process dies between the two, the lines are
//! cut off again and their pages asked for once more.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::conductor::FrontierKept;
use super::known;
use super::news::Note;
use crate::memory::{self, Clock};
use crate::output::{Mark, OutputError};
use crate::state::{Batch, FailedPage, StateError, Store, Tally, TallyOf, Value, failpoint};
use crate::stop::{Stop, StopOnPanic};
use crate::sync::{self, Receiver, Scope, Sender, bounded};

/// So long what is done may be undone by a crash.
const COMMIT_EVERY: Duration = Duration::from_millis(200);

/// So many pages at most, if they did not come within [`COMMIT_GAP`].
const COMMIT_PAGES: u32 = 256;

/// Commits are no closer than this: with 20,000 pages a second, a commit of 256 of them would wait for the disk a hundred
/// times a second, and be no safer for it.
const COMMIT_GAP: Duration = Duration::from_millis(50);

/// So many changes of requests at most: a commit of them is some megabytes.
const COMMIT_CHANGES: usize = 20_000;

/// With so many the run waits for the disk, since they are in memory.
const MOST_CHANGES: usize = 10 * COMMIT_CHANGES;

/// And with so many pages: what became of them is, too.
const MOST_PAGES: u32 = 200_000;

/// It makes bytes of requests, and waits for the disk.
const STACK_BYTES: usize = 1 << 20;

/// The letters of tables in the state that others fill.
pub(super) const HOSTS: u8 = b'h';
pub(super) const TRAPS: u8 = b't';
pub(super) const COOKIES: u8 = b'c';
/// Of what outlives the run.
pub(super) const KNOWN: u8 = b'i';

/// Why a run cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// The output is not safe on disk.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The state cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
    /// The thread panicked, which is a fault of pagemill.
    #[error("the thread that writes down what was done has died")]
    Died,
}

impl KeepError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            KeepError::Output(error) => error.hint(),
            KeepError::State(error) => error.hint(),
            KeepError::Died => None,
        }
    }
}

/// What is written down together.
#[derive(Debug)]
pub(super) struct Commit {
    /// How far the output has come.
    pub(super) mark: Mark,
    pub(super) kept: FrontierKept,
    pub(super) done: Done,
    pub(super) summary: Vec<u8>,
    pub(super) cookies: Vec<memory::Change>,
    pub(super) notes: Vec<Note>,
    /// Nothing follows, be the run done or not.
    pub(super) is_last: bool,
}

/// What became of pages.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) failed: Vec<FailedPage>,
    pub(super) tallies: HashMap<TallyOf, Tally>,
}

/// The conductor's side.
pub(super) struct Keeper {
    commits: Sender<Commit>,
    kept: Receiver<Result<(), KeepError>>,
    is_busy: bool,
    /// Pages since the last commit, and when the first of them was done.
    pages: u32,
    since: Option<Instant>,
}

impl Keeper {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system gives none.
    pub(super) fn start<'scope, 'env: 'scope>(
        scope: &'scope Scope<'scope, 'env>,
        store: Store,
        stop: &'env Stop,
    ) -> std::io::Result<Keeper> {
        let (commits, to_keep) = bounded::<Commit>(1);
        let (keeps, kept) = bounded(1);
        sync::spawn(scope, "keep", STACK_BYTES, move || {
            let _guard = StopOnPanic(stop);
            for commit in &to_keep {
                let is_last = commit.is_last;
                let result = keep(&store, commit);
                let is_over = is_last || result.is_err();
                if is_over {
                    // Whoever hears of it may remove the folder.
                    drop(store);
                    let _ = keeps.send(result);
                    return stop.knock();
                }
                if keeps.send(result).is_err() {
                    return;
                }
                stop.knock();
            }
        })?;
        Ok(Keeper { commits, kept, is_busy: false, pages: 0, since: None })
    }

    /// A request went out, which is not written down.
    pub(super) fn note_sent(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    /// Something was done that is not written down.
    pub(super) fn note(&mut self) {
        self.pages += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    /// Whether it is time for a commit, when the frontier has so many changes; `is_kept` comes true when the one before is
    /// on disk.
    ///
    /// # Errors
    /// The one before could not be written.
    pub(super) fn is_due(
        &mut self,
        now: Instant,
        changes: usize,
        is_kept: &mut bool,
    ) -> Result<bool, KeepError> {
        if self.is_busy && (changes >= MOST_CHANGES || self.pages >= MOST_PAGES) {
            self.wait()?;
            *is_kept = true;
        }
        if self.is_busy {
            match self.kept.try_recv() {
                Ok(result) => {
                    self.is_busy = false;
                    *is_kept = true;
                    result?;
                }
                Err(error) if error.is_empty() => {}
                Err(_) => return Err(KeepError::Died),
            }
        }
        let is_due = self.since.is_some_and(|since| now >= since + COMMIT_EVERY);
        let is_full = self.pages >= COMMIT_PAGES && self.since.is_some_and(|since| now >= since + COMMIT_GAP);
        Ok(!self.is_busy && (is_due || is_full || changes >= COMMIT_CHANGES))
    }

    /// When it is time for a commit, if there is anything to write down.
    pub(super) fn due(&self) -> Option<Instant> {
        // The thread knocks when it is free again.
        self.since.filter(|_| !self.is_busy).map(|since| since + COMMIT_EVERY)
    }

    /// Hands over a commit, when [`Keeper::is_due`] or after [`Keeper::wait`].
    pub(super) fn hand_over(&mut self, commit: Commit) {
        failpoint::pass("handed over");
        (self.pages, self.since) = (0, None);
        // If the thread has failed, it said why, and that is heard next.
        let _ = self.commits.send(commit);
        self.is_busy = true;
    }

    /// Waits until all that was handed over is on disk.
    ///
    /// # Errors
    /// It could not be written.
    pub(super) fn wait(&mut self) -> Result<(), KeepError> {
        if std::mem::take(&mut self.is_busy) {
            // It hangs up without a word only if it panicked.
            return self.kept.recv().unwrap_or(Err(KeepError::Died));
        }
        Ok(())
    }
}

/// First the lines, then what says that they are there.
fn keep(store: &Store, commit: Commit) -> Result<(), KeepError> {
    commit.mark.sync()?;
    failpoint::pass("lines synced");
    store.commit(batch_of(commit))?;
    Ok(())
}

fn batch_of(commit: Commit) -> Batch {
    let clock = Clock::now();
    let mut batch = Batch::default();
    for change in &commit.kept.changes.requests {
        batch.change(change, |due| clock.to_unix_ms(due));
    }
    batch.found(&commit.kept.changes.found);
    batch.put(Value::Progress, commit.kept.changes.progress.to_bytes());
    let mut output = Vec::new();
    commit.mark.position().to_bytes(&mut output);
    batch.put(Value::Output, output);
    if commit.is_last {
        batch.put(Value::Clean, Vec::new());
    }
    batch.put(Value::Summary, commit.summary);
    commit.done.failed.into_iter().for_each(|page| batch.failed(page));
    for (of, tally) in commit.done.tallies {
        batch.count(of, tally);
    }
    for (letter, changes) in
        [(HOSTS, commit.kept.hosts), (TRAPS, commit.kept.traps), (COOKIES, commit.cookies)]
    {
        for change in changes {
            batch.entry([&[letter][..], &change.key].concat(), change.value);
        }
    }
    for note in commit.notes {
        batch.lasting_entry(known::stored_key(note.key), note.entry.as_ref().map(known::to_bytes));
    }
    batch
}
