//! The keys of earlier runs, in the state: [`Known`] over the store.
//!
//! What was handed over for a commit may not be on disk yet; it is looked at first, and forgotten when it is there.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::keeper::KNOWN;
use super::news::{Entry, Known, KnownError, Note};
use crate::state::{StateError, Store};
use crate::wire::{Bytes, put_bytes, put_number};

/// Notes on their way to the disk.
#[derive(Debug, Clone, Default)]
pub(super) struct OnTheWay(Rc<RefCell<HashMap<u128, Option<Entry>>>>);

impl OnTheWay {
    /// These were handed over.
    pub(super) fn add(&self, notes: &[Note]) {
        let mut all = self.0.borrow_mut();
        all.extend(notes.iter().map(|note| (note.key, note.entry.clone())));
    }

    /// All that was handed over is on disk.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// The keys in a state.
pub(super) struct StoredKeys {
    store: Store,
    on_the_way: OnTheWay,
}

impl StoredKeys {
    pub(super) fn new(store: Store, on_the_way: OnTheWay) -> StoredKeys {
        StoredKeys { store, on_the_way }
    }
}

impl Known for StoredKeys {
    fn look_up(&mut self, key: u128) -> Result<Option<Entry>, KnownError> {
        if let Some(entry) = self.on_the_way.0.borrow().get(&key) {
            return Ok(entry.clone());
        }
        match self.store.lasting(&stored_key(key)).map_err(failed)? {
            Some(bytes) => from_bytes(&bytes).map(Some).ok_or_else(|| self.damaged()),
            None => Ok(None),
        }
    }

    fn not_met_since(
        &mut self,
        run: u64,
        after: Option<u128>,
        most: usize,
    ) -> Result<Vec<(u128, Entry)>, KnownError> {
        let after = after.map(stored_key);
        let mut found = Vec::new();
        let on_the_way = self.on_the_way.0.borrow();
        for row in self.store.lasting_after(KNOWN, after.as_deref()) {
            let (key, bytes) = row.map_err(failed)?;
            let key = key.get(1..).and_then(|key| <[u8; 16]>::try_from(key).ok()).map(u128::from_be_bytes);
            let (Some(key), Some(mut entry)) = (key, from_bytes(&bytes)) else { return Err(self.damaged()) };
            match on_the_way.get(&key) {
                Some(Some(newer)) => entry = newer.clone(),
                Some(None) => continue,
                None => {}
            }
            if entry.run < run {
                found.push((key, entry));
                if found.len() == most {
                    break;
                }
            }
        }
        Ok(found)
    }
}

impl StoredKeys {
    fn damaged(&self) -> KnownError {
        failed(self.store.damaged("a record that was written before"))
    }
}

fn failed(error: StateError) -> KnownError {
    KnownError(Box::new(error))
}

/// Where an entry stands.
pub(super) fn stored_key(key: u128) -> Vec<u8> {
    [&[KNOWN][..], &key.to_be_bytes()].concat()
}

pub(super) fn to_bytes(entry: &Entry) -> Vec<u8> {
    let mut out = entry.content.to_be_bytes().to_vec();
    put_number(entry.run, &mut out);
    put_bytes(entry.key_json.as_bytes(), &mut out);
    out
}

fn from_bytes(bytes: &[u8]) -> Option<Entry> {
    let (content, rest) = bytes.split_first_chunk::<16>()?;
    let mut rest = Bytes(rest);
    let run = rest.number()?;
    Some(Entry { content: u128::from_be_bytes(*content), run, key_json: rest.text()?.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Batch, Folder};

    fn entry(run: u64) -> Entry {
        Entry { content: u128::MAX - 5, run, key_json: "\"link\":\"/é\"".into() }
    }

    #[test]
    fn entries_read_back_and_what_is_on_its_way_goes_first() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::take(&place.path().join("s")).unwrap();
        let store = folder.open_store().unwrap();
        let mut batch = Batch::default();
        for key in 0..5_u128 {
            batch.lasting_entry(stored_key(key), Some(to_bytes(&entry(u64::try_from(key).unwrap()))));
        }
        store.commit(batch).unwrap();
        let on_the_way = OnTheWay::default();
        let mut keys = StoredKeys::new(store, on_the_way.clone());
        assert_eq!(keys.look_up(3).unwrap(), Some(entry(3)));
        assert_eq!(keys.look_up(9).unwrap(), None);
        on_the_way.add(&[Note { key: 0, entry: Some(entry(7)) }, Note { key: 1, entry: None }]);
        assert_eq!(keys.look_up(0).unwrap(), Some(entry(7)));
        assert_eq!(keys.look_up(1).unwrap(), None);
        let left = |keys: &mut StoredKeys, after, most| -> Vec<u128> {
            keys.not_met_since(4, after, most).unwrap().into_iter().map(|(key, _)| key).collect()
        };
        assert_eq!(left(&mut keys, None, 9), [2, 3]);
        assert_eq!(left(&mut keys, None, 1), [2]);
        assert_eq!(left(&mut keys, Some(2), 9), [3]);
        on_the_way.clear();
        assert_eq!(left(&mut keys, None, 9), [0, 1, 2, 3]);
    }
}
