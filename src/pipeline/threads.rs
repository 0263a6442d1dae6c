//! The crew of one run: crawl threads and parser threads, the channels between them, and who closes what.
//!
//! ```text
//! conductor ──requests──▶ crawl threads ──pages──▶ parser threads ──outcomes──▶ conductor
//! ```
//!
//! A thread ends because its channel closed: the conductor drops the request sender, the crawl threads run out of
//! requests and drop their page senders, the parser threads run out of pages and drop their outcome senders. If the
//! conductor leaves early, the same happens upstream: its receiver is gone, sends fail, every thread returns. No
//! thread is detached, none polls.
//!
//! What fetching and reading are is handed in, so that a test can run the same crew without a network.

use std::cell::RefCell;
use std::sync::{Mutex, PoisonError};

use super::stop::{Stop, StopOnPanic};
use super::sync::{self, Receiver, Sender, bounded};
use crate::extract::STACK_BYTES;
use crate::model::{Failure, Fetched, Found, Outcome, Page, Request};

/// How many threads, and how much may lie between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrewSize {
    /// Crawl threads.
    pub jobs: usize,
    /// Parser threads.
    pub parsers: usize,
    /// Pages that may wait for a parser thread. A crawl thread that holds one more waits: that is the back-pressure.
    pub pages: usize,
}

impl CrewSize {
    /// The usual room between so many threads: enough that a parser thread never waits for a crawl thread to be
    /// scheduled, little enough that full pages of the largest size do not fill the memory.
    pub fn new(jobs: usize, parsers: usize) -> CrewSize {
        CrewSize { jobs, parsers, pages: (parsers * 4).max(8) }
    }
}

/// A stack for crawl threads: they only fetch. 512 of them should not cost 4 GB of address space.
const CRAWL_STACK_BYTES: usize = 1 << 20;

/// The conductor's ends of the channels.
pub(crate) struct Channels {
    /// Dropping it ends the run from the front.
    pub(crate) requests: Sender<Request>,
    /// The other end of the same channel: to take back, on a stop, what no crawl thread has taken yet.
    pub(crate) recall: Receiver<Request>,
    /// Only for its length. It must be dropped with the rest, or crawl threads could wait for ever on a full channel.
    pub(crate) pages: Receiver<Fetched>,
    /// Exactly one for every request that was taken.
    pub(crate) outcomes: Receiver<Outcome>,
}

/// A thread that panicked, which is a fault of pagemill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("thread {thread} panicked{}: {message}", .at.as_ref().map(|at| format!(" at {at}")).unwrap_or_default())]
pub struct ThreadPanic {
    /// Its name: `crawl-3`.
    pub thread: String,
    /// The URL it was working on.
    pub at: Option<String>,
    /// What it said.
    pub message: String,
}

/// Why a run with a crew failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum CrewError {
    /// The system gave no more threads.
    #[error("cannot start thread {name}: {source}; try fewer --jobs")]
    Spawn {
        /// The thread that could not be started.
        name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A thread panicked.
    #[error(transparent)]
    Panic(#[from] ThreadPanic),
}

/// Runs `conduct` on this thread with a crew at work on the other ends of its channels, and returns when every
/// thread has ended.
///
/// `fetch` is called by crawl threads; `make_reader` once by each parser thread, for what it reads pages with.
///
/// # Errors
/// A thread cannot be started, or one panicked.
pub(crate) fn run<T, F, M, R>(
    size: CrewSize,
    stop: &Stop,
    fetch: F,
    make_reader: M,
    conduct: impl FnOnce(Channels) -> T,
) -> Result<T, CrewError>
where
    F: Fn(Request) -> Fetched + Sync,
    M: Fn() -> R + Sync,
    R: FnMut(Page) -> Outcome,
{
    // Without room: a request leaves the conductor when a thread is free for it, and not before. One that waited in
    // between could not be called back when its host asks for a pause, and would not keep its distance.
    let (requests, requests_taken) = bounded(0);
    let (pages, pages_taken) = bounded(size.pages);
    let (outcomes, outcomes_taken) = bounded(size.parsers * 4);
    let panics: Mutex<Vec<ThreadPanic>> = Mutex::default();
    let watch = Watch { stop, panics: &panics };

    let (fetch, make_reader) = (&fetch, &make_reader);
    let conducted: Result<T, CrewError> = sync::scope(|scope| {
        for number in 0..size.jobs {
            let (requests, pages) = (requests_taken.clone(), pages.clone());
            let name = format!("crawl-{number}");
            let body = watch.over(name.clone(), move |at| crawl(&requests, &pages, fetch, at));
            sync::spawn(scope, &name, CRAWL_STACK_BYTES, body)
                .map_err(|source| CrewError::Spawn { name, source })?;
        }
        for number in 0..size.parsers {
            let (pages, outcomes) = (pages_taken.clone(), outcomes.clone());
            let name = format!("parse-{number}");
            let body = watch.over(name.clone(), move |at| parse(&pages, &outcomes, make_reader(), at));
            sync::spawn(scope, &name, STACK_BYTES, body)
                .map_err(|source| CrewError::Spawn { name, source })?;
        }
        // Only the threads may hold these now, or the channels would never close.
        drop((pages, outcomes));
        let channels =
            Channels { requests, recall: requests_taken, pages: pages_taken, outcomes: outcomes_taken };
        Ok(conduct(channels))
    });
    let conducted = conducted?;
    match panics.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().next() {
        Some(panic) => Err(panic.into()),
        None => Ok(conducted),
    }
}

fn crawl(
    requests: &Receiver<Request>,
    pages: &Sender<Fetched>,
    fetch: &impl Fn(Request) -> Fetched,
    at: &RefCell<Option<String>>,
) {
    while let Ok(request) = requests.recv() {
        at.replace(Some(crate::model::display_url(&request.url)));
        if pages.send(fetch(request)).is_err() {
            return;
        }
    }
}

fn parse(
    pages: &Receiver<Fetched>,
    outcomes: &Sender<Outcome>,
    mut read: impl FnMut(Page) -> Outcome,
    at: &RefCell<Option<String>>,
) {
    while let Ok(fetched) = pages.recv() {
        let outcome = match fetched {
            Fetched::Page(page) => {
                at.replace(Some(crate::model::display_url(&page.request.url)));
                read(page)
            }
            Fetched::Moved { request, to, exchange } => {
                Outcome { request, body_bytes: 0, result: Ok(Found::Moved(to)), exchange }
            }
            Fetched::Address { request, exchange } => {
                Outcome { request, body_bytes: 0, result: Ok(Found::Address), exchange }
            }
            Fetched::Failed(failure) => {
                let Failure { request, error, exchange } = *failure;
                Outcome { request, body_bytes: 0, result: Err(error), exchange }
            }
        };
        if outcomes.send(outcome).is_err() {
            return;
        }
    }
}

/// Notes which thread panicked over which page, and requests a stop.
#[derive(Clone, Copy)]
struct Watch<'a> {
    stop: &'a Stop,
    /// Locked only to push, by a thread that is about to end.
    panics: &'a Mutex<Vec<ThreadPanic>>,
}

impl<'a> Watch<'a> {
    fn over(
        self,
        thread: String,
        body: impl FnOnce(&RefCell<Option<String>>) + Send + 'a,
    ) -> impl FnOnce() + Send + 'a {
        move || {
            let at = RefCell::new(None);
            let guarded = std::panic::AssertUnwindSafe(|| {
                let _guard = StopOnPanic(self.stop);
                body(&at);
            });
            if let Err(payload) = std::panic::catch_unwind(guarded) {
                let panic = ThreadPanic { thread, at: at.take(), message: panic_message(&*payload) };
                self.panics.lock().unwrap_or_else(PoisonError::into_inner).push(panic);
            }
        }
    }
}

/// The text of a panic.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
