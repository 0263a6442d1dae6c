//! The store of a state: commits that are all or nothing, and what they left. The only user of fjall.
//!
//! What one run knows is in one keyspace, what outlives it in another. Both have the number of the last commit: if
//! these differ, one of them has lost something, and nothing of it is believed.

use std::cell::Cell;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::StateError;
use super::batch::Batch;
use super::failpoint;
use super::form::{
    FAILED, FailedPage, PENDING, SEEN, TALLY, TRIED, Tally, TallyOf, VALUE, WAITING, named_key, numbered_key,
    take_waiting,
};
use super::pending::Pending;
use crate::model::{Request, RequestId, Unmade};
use crate::wire::Bytes;

/// For blocks that are read: pending requests are read once, and known records at random.
const CACHE_BYTES: u64 = 8 << 20;

/// What is written and not yet in a table on disk is in memory, and so often twice.
const MEMTABLE_BYTES: u64 = 8 << 20;

/// The journal is read when the store is opened, so it must not become long; 64 MB is the least that fjall takes.
const JOURNAL_BYTES: u64 = 64 << 20;

/// Of this run.
const RUN: &str = "run";
/// Of all runs.
const ALWAYS: &str = "always";

/// Something that stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// How far the frontier has come.
    Progress,
    /// How far the output has come.
    Output,
    /// There if the last run ended in good order, so that nothing of ours stands behind the output's position.
    Clean,
    /// What was counted.
    Summary,
    /// The names that robots.txt was read for.
    Agents,
    /// How the run ended; there is none as long as it has not.
    End,
    /// There when the run was done, and now goes on with pages that had failed.
    Retry,
    /// What the last run that ended gave.
    LastRun,
}

impl Value {
    pub(super) fn key(self) -> Vec<u8> {
        let name: &[u8] = match self {
            Value::Progress => b"progress",
            Value::Output => b"output",
            Value::Clean => b"clean",
            Value::Summary => b"summary",
            Value::Agents => b"agents",
            Value::End => b"end",
            Value::Retry => b"retry",
            Value::LastRun => b"last run",
        };
        named_key(VALUE, name)
    }

    pub(super) fn is_of_run(self) -> bool {
        self != Value::LastRun
    }
}

/// The number of the last commit, in either keyspace.
const COMMIT: &[u8] = b"vcommit";

/// There while a run is being forgotten, of which the process may die in the middle.
const FORGETTING: &[u8] = b"vforgetting";

/// There from then on until something is committed: so that a store which has lost all is not taken for such a one.
const FORGOTTEN: &[u8] = b"vforgotten";

/// Keys and values of a table, each without the table's letter.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// A request that an earlier run would have tried again, and when, in milliseconds since 1970.
pub type WaitingRequest = (u64, Request);

/// The open store. Clones are the same store.
#[derive(Clone)]
pub struct Store {
    folder: PathBuf,
    database: Database,
    run: Keyspace,
    always: Keyspace,
    /// Where it is, with device and number.
    path: PathBuf,
    identity: Option<(u64, u64)>,
}

impl Store {
    /// Opens the store at `path`, which is made if it is not there; `folder` is the state's, for messages.
    ///
    /// # Errors
    /// It is damaged, or cannot be made.
    pub(super) fn open(folder: &Path, path: &Path) -> Result<Store, StateError> {
        let store = calm(folder, || Store::of(folder, path, open_database(path)?))?;
        if store.get(&store.always, FORGETTING)?.is_some() {
            store.forget_the_rest()?;
        }
        store.check()?;
        Ok(store)
    }

    /// As [`Store::open`], only to look at it: nothing of ours is changed, but fjall may put its own files in order.
    /// `None` if nothing was ever committed of this run.
    ///
    /// # Errors
    /// It is damaged.
    pub(super) fn look(folder: &Path, path: &Path) -> Result<Option<Store>, StateError> {
        if !path.is_dir() {
            return Ok(None);
        }
        let store = calm(folder, || {
            let database = open_database(path)?;
            // Keyspaces that are asked for are made.
            let is_there = [RUN, ALWAYS].iter().all(|name| database.keyspace_exists(name));
            is_there.then(|| Store::of(folder, path, database)).transpose()
        })?;
        let Some(store) = store else { return Ok(None) };
        // Whoever opens it next forgets the rest of an earlier run.
        if store.get(&store.always, FORGETTING)?.is_some() || store.commit_number(&store.run)? == 0 {
            return Ok(None);
        }
        store.check()?;
        Ok(Some(store))
    }

    fn of(folder: &Path, path: &Path, database: Database) -> Result<Store, fjall::Error> {
        let keyspace = |name| {
            database.keyspace(name, || KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES))
        };
        let (run, always) = (keyspace(RUN)?, keyspace(ALWAYS)?);
        let (path, identity) = (path.to_owned(), identity(path));
        Ok(Store { folder: folder.to_owned(), database, run, always, path, identity })
    }

    /// Whether its parts are of one commit.
    fn check(&self) -> Result<(), StateError> {
        let (of_run, of_always) = (self.commit_number(&self.run)?, self.commit_number(&self.always)?);
        if of_run != of_always {
            let what = format!("its parts are of commits {of_run} and {of_always}");
            return Err(StateError::damaged(&self.folder, what));
        }
        Ok(())
    }

    fn commit_number(&self, keyspace: &Keyspace) -> Result<u64, StateError> {
        let Some(bytes) = self.get(keyspace, COMMIT)? else { return Ok(0) };
        let bytes =
            <[u8; 8]>::try_from(&bytes[..]).map_err(|_| self.damaged("the number of its last commit"))?;
        Ok(u64::from_be_bytes(bytes))
    }

    /// Whether a run was forgotten, and nothing committed since.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn is_forgotten(&self) -> Result<bool, StateError> {
        Ok(self.get(&self.always, FORGOTTEN)?.is_some())
    }

    /// Commits all of it or nothing, on disk when this returns.
    ///
    /// # Errors
    /// It cannot be written. What was committed before stays, and nothing can be committed afterwards.
    pub fn commit(&self, batch: Batch) -> Result<(), StateError> {
        let number = self.commit_number(&self.run)? + 1;
        let mut all = self.database.batch();
        if number == 1 {
            all.remove(&self.always, FORGOTTEN);
        }
        for (keyspace, entries) in [(&self.run, batch.run), (&self.always, batch.always)] {
            for (key, bytes) in entries {
                match bytes {
                    Some(bytes) => all.insert(keyspace, key, bytes),
                    None => all.remove(keyspace, key),
                }
            }
            all.insert(keyspace, COMMIT, number.to_be_bytes());
        }
        if !batch.seen.is_empty() {
            all.insert(&self.run, numbered_key(SEEN, number), batch.seen);
        }
        for page in batch.failed {
            let tried = numbered_key(TRIED, page.id.0);
            let before = match self.get(&self.run, &tried)? {
                Some(bytes) => {
                    all.remove(&self.run, tried);
                    let tries = Bytes(&bytes).number().and_then(|tries| u32::try_from(tries).ok());
                    tries.ok_or_else(|| self.damaged("a count of tries"))?
                }
                None => 0,
            };
            let page = FailedPage { attempts: page.attempts.saturating_add(before), ..page };
            all.insert(&self.run, numbered_key(FAILED, page.id.0), page.to_bytes());
        }
        for (of, more) in batch.tallies {
            let key = of.key();
            let mut tally = match self.get(&self.run, &key)? {
                Some(bytes) => Tally::from_bytes(&bytes).ok_or_else(|| self.damaged("a count of pages"))?,
                None => Tally::default(),
            };
            tally.add(more);
            all.insert(&self.run, key, tally.to_bytes());
        }
        failpoint::pass("batch made");
        let committed = all.durability(Some(PersistMode::SyncData)).commit();
        committed.map_err(|error| StateError::write(&self.folder, to_io(error)))?;
        failpoint::pass("batch written");
        // On a file system of Unix, all of this works on files that nobody will find again.
        match identity(&self.path) == self.identity {
            true => Ok(()),
            false => Err(StateError::Removed(self.folder.clone())),
        }
    }

    /// Forgets the run, and keeps what outlives it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn forget_run(&self) -> Result<(), StateError> {
        let mut batch = self.database.batch();
        batch.insert(&self.always, FORGETTING, []);
        let committed = batch.durability(Some(PersistMode::SyncAll)).commit();
        committed.map_err(|error| StateError::write(&self.folder, to_io(error)))?;
        failpoint::pass("forgetting");
        self.forget_the_rest()
    }

    fn forget_the_rest(&self) -> Result<(), StateError> {
        let failed = |error| StateError::write(&self.folder, to_io(error));
        self.run.clear().map_err(failed)?;
        failpoint::pass("forgotten");
        let mut batch = self.database.batch();
        batch.remove(&self.always, FORGETTING);
        batch.remove(&self.always, COMMIT);
        batch.insert(&self.always, FORGOTTEN, []);
        batch.durability(Some(PersistMode::SyncAll)).commit().map_err(failed)
    }

    /// What stands alone; `None` if it is not there.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn value(&self, value: Value) -> Result<Option<Vec<u8>>, StateError> {
        let keyspace = if value.is_of_run() { &self.run } else { &self.always };
        self.get(keyspace, &value.key())
    }

    /// The entries of a table of this run, without its letter.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn table(&self, letter: u8) -> Result<Entries, StateError> {
        self.rows(letter).map(|row| row.map(|(key, bytes)| (key[1..].to_vec(), bytes))).collect()
    }

    /// An entry of a table that outlives runs.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn lasting(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.get(&self.always, key)
    }

    /// Entries of the table that outlives runs with this letter: those behind the key `after`, in their order.
    ///
    /// # Errors
    /// They cannot be read, which ends them.
    pub fn lasting_after(
        &self,
        letter: u8,
        after: Option<&[u8]>,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StateError>> + use<'_> {
        use std::ops::Bound;
        let start = after.map_or(Bound::Included(vec![letter]), |after| Bound::Excluded(after.to_vec()));
        self.read(self.always.range((start, Bound::Excluded(vec![letter + 1]))))
    }

    /// Fingerprints of what is known, a commit's worth at a time.
    ///
    /// # Errors
    /// They cannot be read, which ends them.
    pub fn seen(&self) -> impl Iterator<Item = Result<Vec<u128>, StateError>> + use<'_> {
        self.rows(SEEN).map(|row| {
            let (_, bytes) = row?;
            let chunks = bytes.as_chunks::<16>();
            if !chunks.1.is_empty() {
                return Err(self.damaged("what it knows"));
            }
            Ok(chunks.0.iter().map(|bytes| u128::from_be_bytes(*bytes)).collect())
        })
    }

    /// Requests that may go out, by rank and number, but for those with a number from `below` on: they are of the run
    /// that reads them. Read when their turn comes.
    pub fn pending(&self, below: RequestId) -> impl Iterator<Item = Result<Request, StateError>> + use<> {
        Pending::of(self, below)
    }

    /// Rows of pending requests, those behind this key.
    pub(super) fn pending_behind(
        &self,
        last: &[u8],
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StateError>> + use<'_> {
        use std::ops::Bound;
        let range = (Bound::Excluded(last.to_vec()), Bound::Excluded(vec![PENDING + 1]));
        self.read(self.run.range(range))
    }

    /// How many requests may go out.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn count_pending(&self) -> Result<u64, StateError> {
        self.rows(PENDING).try_fold(0, |count, row| row.map(|_| count + 1))
    }

    /// Requests that wait for another try, and places without one.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn waiting(&self) -> Result<(Vec<WaitingRequest>, Vec<Unmade>), StateError> {
        let (mut requests, mut unmade) = (Vec::new(), Vec::new());
        for row in self.rows(WAITING) {
            match take_waiting(&row?.1).ok_or_else(|| self.damaged("a request that waits"))? {
                Ok(request) => requests.push(request),
                Err(place) => unmade.push(place),
            }
        }
        Ok((requests, unmade))
    }

    /// Pages that failed for good, by their numbers.
    ///
    /// # Errors
    /// They cannot be read, which ends them.
    pub fn failed(&self) -> impl Iterator<Item = Result<FailedPage, StateError>> + use<'_> {
        self.failed_after(None)
    }

    /// As [`Store::failed`], those behind this number.
    ///
    /// # Errors
    /// They cannot be read, which ends them.
    pub fn failed_after(
        &self,
        last: Option<RequestId>,
    ) -> impl Iterator<Item = Result<FailedPage, StateError>> + use<'_> {
        use std::ops::Bound;
        let first =
            last.map_or(Bound::Included(vec![FAILED]), |id| Bound::Excluded(numbered_key(FAILED, id.0)));
        self.read(self.run.range((first, Bound::Excluded(vec![FAILED + 1]))))
            .map(|row| FailedPage::from_bytes(&row?.1).ok_or_else(|| self.damaged("a page that failed")))
    }

    /// How pages fared, by rule and host.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn tallies(&self) -> Result<Vec<(TallyOf, Tally)>, StateError> {
        let read = |row: Result<(Vec<u8>, Vec<u8>), StateError>| {
            let (key, bytes) = row?;
            let both = TallyOf::of_key(&key).zip(Tally::from_bytes(&bytes));
            both.ok_or_else(|| self.damaged("a count of pages"))
        };
        self.rows(TALLY).map(read).collect()
    }

    /// Where the state is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// That this part of it is not what was written.
    pub fn damaged(&self, what: &str) -> StateError {
        StateError::damaged(&self.folder, format!("{what} cannot be read"))
    }

    fn rows(&self, letter: u8) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StateError>> + use<'_> {
        self.read(self.run.prefix([letter]))
    }

    fn read(
        &self,
        mut rows: fjall::Iter,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Vec<u8>), StateError>> + use<'_> {
        std::iter::from_fn(move || {
            let row = calm(&self.folder, || rows.next().map(fjall::Guard::into_inner).transpose());
            row.transpose().map(|row| row.map(|(key, bytes)| (key.to_vec(), bytes.to_vec())))
        })
    }

    fn get(&self, keyspace: &Keyspace, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        calm(&self.folder, || keyspace.get(key)).map(|bytes| bytes.map(|bytes| bytes.to_vec()))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("folder", &self.folder).finish_non_exhaustive()
    }
}

fn open_database(path: &Path) -> Result<Database, fjall::Error> {
    Database::builder(path)
        .cache_size(CACHE_BYTES)
        .worker_threads(1)
        .max_journaling_size(JOURNAL_BYTES)
        .manual_journal_persist(true)
        .open()
}

thread_local! {
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is reading a store: a panic there is damage, which is told otherwise.
pub fn is_reading() -> bool {
    IS_READING.get()
}

/// Reads; whatever goes wrong there is damage, if not the system is at fault. Damaged bytes may make the store panic where it expects its own.
fn calm<T>(folder: &Path, read: impl FnOnce() -> Result<T, fjall::Error>) -> Result<T, StateError> {
    let was_reading = IS_READING.replace(true);
    let read = catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(was_reading);
    match read {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(fjall::Error::Io(cause) | fjall::Error::Storage(fjall::LsmError::Io(cause)))) => {
            Err(StateError::reading(folder, "its store cannot be read", cause))
        }
        // Who is at work holds the folder, and we would not have come here.
        Ok(Err(fjall::Error::Locked)) => Err(StateError::LookedAt(folder.to_owned())),
        Ok(Err(error)) => Err(StateError::damaged(folder, format!("its store says {error:?}"))),
        Err(_) => Err(StateError::damaged(folder, "its store cannot make sense of it")),
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()))
}

fn to_io(error: fjall::Error) -> io::Error {
    match error {
        fjall::Error::Io(cause) | fjall::Error::Storage(fjall::LsmError::Io(cause)) => cause,
        fjall::Error::Poisoned => io::Error::other("an earlier write failed"),
        error => io::Error::other(format!("{error:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::model::{Change, Kept, PageError, Place, RuleId};
    use url::Url;

    fn open(folder: &Path) -> Store {
        Store::open(folder, &folder.join("store")).unwrap()
    }

    fn request(id: u64) -> Request {
        Request::new(RequestId(id), Url::parse(&format!("http://h/{id}")).unwrap(), None)
    }

    fn pending(rank: u64, id: u64) -> Change {
        Change { id: RequestId(id), before: None, now: Some(Kept::Pending(rank, request(id))) }
    }

    fn ids(store: &Store, below: u64) -> Vec<u64> {
        store.pending(RequestId(below)).map(|read| read.unwrap().id.0).collect()
    }

    #[test]
    fn what_was_committed_is_there_after_opening_it_again() {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path());
        let mut batch = Batch::default();
        [(1, 7), (0, 9), (0, 3)].iter().for_each(|&(rank, id)| batch.change(&pending(rank, id), |_| 0));
        batch.found(&[1, u128::MAX]);
        batch.put(Value::Progress, b"far".to_vec());
        let of = TallyOf { rule: RuleId(1), host: "h".into() };
        batch.count(of.clone(), Tally { done: 2, ..Tally::default() });
        store.commit(batch).unwrap();
        let mut batch = Batch::default();
        let again = Request { attempt: 1, ..request(9) };
        let waits = Some(Kept::Waiting(Instant::now(), again.clone()));
        batch.change(&Change { id: RequestId(9), before: Some(Place::Pending(0)), now: waits }, |_| 55);
        batch.found(&[5]);
        batch.count(of.clone(), Tally { done: 1, records: 1, ..Tally::default() });
        store.commit(batch).unwrap();
        drop(store);
        let store = open(place.path());
        assert_eq!(ids(&store, 99), [3, 7]);
        assert_eq!(ids(&store, 7), [3], "what is found now is not read back");
        assert_eq!(store.waiting().unwrap(), (vec![(55, again)], vec![]));
        let seen: Vec<u128> = store.seen().flat_map(Result::unwrap).collect();
        assert_eq!(seen, [1, u128::MAX, 5]);
        assert_eq!(store.value(Value::Progress).unwrap().as_deref(), Some(&b"far"[..]));
        assert_eq!(store.tallies().unwrap(), [(of, Tally { done: 3, records: 1, ..Tally::default() })]);
    }

    #[test]
    fn pending_requests_are_read_while_others_are_settled_and_found() {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path());
        let mut batch = Batch::default();
        (0..3000).for_each(|id| batch.change(&pending(0, id), |_| 0));
        store.commit(batch).unwrap();
        let mut read = Vec::new();
        for next in store.pending(RequestId(3000)) {
            let id = next.unwrap().id.0;
            let mut batch = Batch::default();
            if id % 100 == 0 {
                batch
                    .change(&Change { id: RequestId(id), before: Some(Place::Pending(0)), now: None }, |_| 0);
                batch.change(&pending(0, 3000 + id), |_| 0);
                store.commit(batch).unwrap();
            }
            read.push(id);
        }
        assert!(read.into_iter().eq(0..3000));
    }

    #[test]
    fn a_run_that_is_forgotten_leaves_what_outlives_it() {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path());
        let mut batch = Batch::default();
        batch.change(&pending(0, 1), |_| 0);
        batch.put(Value::LastRun, b"last".to_vec());
        batch.lasting_entry(b"ikey".to_vec(), Some(b"entry".to_vec()));
        store.commit(batch).unwrap();
        store.forget_run().unwrap();
        drop(store);
        let store = open(place.path());
        assert!(store.is_forgotten().unwrap());
        assert_eq!(ids(&store, 99), [0_u64; 0]);
        assert_eq!(store.value(Value::LastRun).unwrap().as_deref(), Some(&b"last"[..]));
        assert_eq!(store.lasting(b"ikey").unwrap().as_deref(), Some(&b"entry"[..]));
        let keys = |after: Option<&[u8]>| store.lasting_after(b'i', after).filter_map(Result::ok).count();
        assert_eq!((keys(None), keys(Some(b"ikey"))), (1, 0));
        store.commit(Batch::default()).unwrap();
        assert!(!store.is_forgotten().unwrap());
    }

    #[test]
    fn failed_pages_that_get_another_chance_wait_and_keep_count_of_their_tries() {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path());
        let page = |id, attempts| FailedPage {
            id: RequestId(id),
            request: Some(Request { attempt: attempts - 1, ..request(id) }),
            whom: "x".into(),
            error: PageError::Status(500),
            attempts,
            at: std::time::SystemTime::UNIX_EPOCH,
        };
        let unmade = FailedPage { request: None, ..page(9, 1) };
        let mut batch = Batch::default();
        [page(4, 3), page(2, 3), unmade.clone()].into_iter().for_each(|page| batch.failed(page));
        store.commit(batch).unwrap();
        let mut batch = Batch::default();
        [page(2, 3), unmade.clone()].into_iter().for_each(|page| batch.reopen(page));
        store.commit(batch).unwrap();
        let failed = || store.failed().map(Result::unwrap).collect::<Vec<_>>();
        assert_eq!(failed(), [page(4, 3), unmade.clone()]);
        assert_eq!(store.waiting().unwrap(), (vec![(0, request(2))], vec![]));
        let mut batch = Batch::default();
        batch.failed(page(2, 2));
        store.commit(batch).unwrap();
        assert_eq!(failed()[0].attempts, 5);
        assert_eq!(failed().len(), 3);
    }

    #[test]
    fn parts_of_different_commits_are_not_believed() {
        let place = tempfile::tempdir().unwrap();
        let store = open(place.path());
        store.commit(Batch::default()).unwrap();
        let mut batch = store.database.batch();
        batch.insert(&store.run, COMMIT, 9_u64.to_be_bytes());
        batch.commit().unwrap();
        store.database.persist(PersistMode::SyncAll).unwrap();
        drop(store);
        let error = Store::open(place.path(), &place.path().join("store")).unwrap_err();
        assert!(error.to_string().contains("commits 9 and 1"), "{error}");
    }
}
