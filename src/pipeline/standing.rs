//! How far a run has come and what became of its pages, read from its state. Changes nothing of ours there.
//!
//! Everything is counted once through, so that a million failed pages need no more memory than their hosts and kinds do.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use crate::frontier::Progress;
use crate::model::{RuleId, SourcePosition};
use crate::output::Position;
use crate::state::{FailedPage, StateError, Store, Value};
use crate::summary::Summary;

/// What became of pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates {
    /// Read.
    pub done: u64,
    /// Failed for good.
    pub failed: u64,
    /// Forbidden by robots.txt.
    pub disallowed: u64,
    /// Led by a redirect to what is not followed, or known.
    pub left_out: u64,
    /// Records on them.
    pub records: u64,
}

impl Fates {
    fn add(&mut self, more: Fates) {
        self.done += more.done;
        self.failed += more.failed;
        self.disallowed += more.disallowed;
        self.left_out += more.left_out;
        self.records += more.records;
    }
}

/// Failures of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// One of them, without passwords: its URL, or its place in the source.
    pub example: String,
}

/// How far a run has come.
#[derive(Debug, Default)]
pub struct Standing {
    /// How it ended, by [`End::name`](crate::summary::End::name); `None` if it has not.
    pub end: Option<String>,
    /// Whether pages that had failed are being tried again.
    pub is_retry: bool,
    /// Of all pages that are settled.
    pub all: Fates,
    /// By rule; `None` for places of the source without a request.
    pub by_rule: BTreeMap<Option<RuleId>, Fates>,
    /// By host, those with the most pages first; places without a request are of the host "".
    pub by_host: Vec<(String, Fates)>,
    /// By kind, the most frequent first.
    pub failures: Vec<(String, Failures)>,
    /// Failed places of the source that have no request and so cannot be tried again.
    pub without_request: u64,
    /// Pages that may go out.
    pub pending: u64,
    /// Pages that wait for another try.
    pub waiting: u64,
    /// When the first of them is due; `None` if it is already, or none waits.
    pub next_due: Option<SystemTime>,
    /// Tries after the first, of all pages.
    pub retries: u64,
    /// How far the source has been read.
    pub source: SourcePosition,
    /// How long the output is, in bytes; with `--rotate`, its last part.
    pub output_bytes: u64,
}

impl Standing {
    /// Reads all of it.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn read(store: &Store) -> Result<Standing, StateError> {
        let end = store.value(Value::End)?.map(|name| String::from_utf8_lossy(&name).into_owned());
        let mut standing =
            Standing { end, is_retry: store.value(Value::Retry)?.is_some(), ..Standing::default() };
        standing.count(store)?;
        standing.pending = store.count_pending()?;
        let (waiting, unmade) = store.waiting()?;
        standing.waiting = (waiting.len() + unmade.len()) as u64;
        let due =
            waiting.iter().map(|(due, _)| SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(*due)));
        standing.next_due = due.flatten().min().filter(|due| *due > SystemTime::now());
        if let Some(bytes) = store.value(Value::Summary)? {
            let counted = Summary::from_kept(&bytes, &Summary::starting_at(SystemTime::UNIX_EPOCH));
            standing.retries = counted.ok_or_else(|| store.damaged("what was counted"))?.retries;
        }
        if let Some(bytes) = store.value(Value::Progress)? {
            let progress = Progress::from_bytes(&bytes);
            standing.source = progress.ok_or_else(|| store.damaged("how far it has come"))?.source();
        }
        if let Some(bytes) = store.value(Value::Output)? {
            let position = Position::from_bytes(&bytes);
            standing.output_bytes =
                position.ok_or_else(|| store.damaged("how far the output has come"))?.end.length;
        }
        Ok(standing)
    }

    fn count(&mut self, store: &Store) -> Result<(), StateError> {
        let mut by_host: HashMap<String, Fates> = HashMap::new();
        let mut by_kind: HashMap<String, Failures> = HashMap::new();
        let mut add = |rule: Option<RuleId>, host: &str, more: Fates| {
            self.all.add(more);
            self.by_rule.entry(rule).or_default().add(more);
            match by_host.get_mut(host) {
                Some(fates) => fates.add(more),
                None => by_host.entry(host.to_owned()).or_default().add(more),
            }
        };
        for (of, tally) in store.tallies()? {
            let fates = Fates {
                done: tally.done,
                failed: 0,
                disallowed: tally.disallowed,
                left_out: tally.left_out,
                records: tally.records,
            };
            add(Some(of.rule), &of.host, fates);
        }
        for page in store.failed() {
            let FailedPage { request, whom, error, .. } = page?;
            let host = request.as_ref().and_then(|request| request.url.host_str()).unwrap_or_default();
            let rule = request.as_ref().map(|request| request.rule);
            add(rule, host, Fates { failed: 1, ..Fates::default() });
            self.without_request += u64::from(request.is_none());
            by_kind.entry(error.kind()).or_insert(Failures { count: 0, example: whom }).count += 1;
        }
        self.by_host = by_host.into_iter().collect();
        self.by_host.sort_by(|(a, of_a), (b, of_b)| {
            let pages = |fates: &Fates| fates.done + fates.failed + fates.disallowed + fates.left_out;
            pages(of_b).cmp(&pages(of_a)).then_with(|| a.cmp(b))
        });
        self.failures = by_kind.into_iter().collect();
        self.failures.sort_by(|(a, of_a), (b, of_b)| of_b.count.cmp(&of_a.count).then_with(|| a.cmp(b)));
        Ok(())
    }
}

/// How many failed pages can be tried again, and how many failed places of the source have no request.
///
/// # Errors
/// They cannot be read.
pub fn count_failed(store: &Store) -> Result<(u64, u64), StateError> {
    let (mut pages, mut without_request) = (0, 0);
    for page in store.failed() {
        match page?.request {
            Some(_) => pages += 1,
            None => without_request += 1,
        }
    }
    Ok((pages, without_request))
}
