//! What is to be committed: how changes become entries of tables. Knows nothing of the store that takes them.

use std::collections::HashMap;

use super::form::{
    FAILED, FailedPage, TRIED, Tally, TallyOf, WAITING, numbered_key, pending_key, put_request, put_unmade,
    put_waiting,
};
use super::store::Value;
use crate::model::{Change, Kept, Place, Request};
use crate::wire::put_number;

/// Keys with what is to stand there; `None` to remove it.
type Writes = Vec<(Vec<u8>, Option<Vec<u8>>)>;

/// What is to be committed.
#[derive(Debug, Default)]
pub struct Batch {
    pub(super) run: Writes,
    pub(super) always: Writes,
    pub(super) seen: Vec<u8>,
    pub(super) failed: Vec<FailedPage>,
    pub(super) tallies: HashMap<TallyOf, Tally>,
}

impl Batch {
    /// A request is kept elsewhere, or no longer. `unix_ms` tells the time that it waits for.
    pub fn change(&mut self, change: &Change, unix_ms: impl Fn(std::time::Instant) -> u64) {
        let id = change.id;
        let key = |place| match place {
            Place::Pending(rank) => pending_key(rank, id),
            Place::Waiting => numbered_key(WAITING, id.0),
        };
        let now = change.now.as_ref().map(|kept| match kept {
            Kept::Pending(rank, request) => {
                let mut bytes = Vec::new();
                put_request(request, &mut bytes);
                (key(Place::Pending(*rank)), bytes)
            }
            Kept::Waiting(due, request) => (key(Place::Waiting), put_waiting(unix_ms(*due), request)),
            Kept::Unmade(unmade) => (key(Place::Waiting), put_unmade(unmade)),
        });
        let before = change.before.map(key);
        if let Some(before) = before.filter(|before| now.as_ref().is_none_or(|(now, _)| now != before)) {
            self.run.push((before, None));
        }
        self.run.extend(now.map(|(key, bytes)| (key, Some(bytes))));
    }

    /// These were not known before.
    pub fn found(&mut self, fingerprints: &[u128]) {
        self.seen.extend(fingerprints.iter().flat_map(|fingerprint| fingerprint.to_be_bytes()));
    }

    /// A page failed for good. Tries before it was given another chance are added to those of `page`.
    pub fn failed(&mut self, page: FailedPage) {
        self.failed.push(page);
    }

    /// A page that failed for good in an earlier commit gets another chance: it waits as if it had never been tried. One
    /// without a request stays as it is.
    pub fn reopen(&mut self, page: FailedPage) {
        let FailedPage { id, request: Some(request), attempts, .. } = page else { return };
        let mut tries = Vec::new();
        put_number(attempts.into(), &mut tries);
        let again = Request { attempt: 0, ..request };
        self.run.push((numbered_key(FAILED, id.0), None));
        self.run.push((numbered_key(TRIED, id.0), Some(tries)));
        self.run.push((numbered_key(WAITING, id.0), Some(put_waiting(0, &again))));
    }

    /// More of these.
    pub fn count(&mut self, of: TallyOf, more: Tally) {
        self.tallies.entry(of).or_default().add(more);
    }

    /// What stands alone.
    pub fn put(&mut self, value: Value, bytes: Vec<u8>) {
        self.of(value).push((value.key(), Some(bytes)));
    }

    /// What stood alone is no more.
    pub fn remove(&mut self, value: Value) {
        self.of(value).push((value.key(), None));
    }

    /// An entry of a table of this run; `None` to remove it. The letter of the table is the first byte of the key, and
    /// none of the store's own.
    pub fn entry(&mut self, key: Vec<u8>, bytes: Option<Vec<u8>>) {
        self.run.push((key, bytes));
    }

    /// As [`Batch::entry`], of a table that outlives the run.
    pub fn lasting_entry(&mut self, key: Vec<u8>, bytes: Option<Vec<u8>>) {
        self.always.push((key, bytes));
    }

    fn of(&mut self, value: Value) -> &mut Writes {
        if value.is_of_run() { &mut self.run } else { &mut self.always }
    }
}
