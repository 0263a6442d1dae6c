//! The pending requests of a store, one after the other while others are settled and found.

use super::form::{PENDING, id_of_pending, take_request};
use super::{StateError, Store};
use crate::model::{Request, RequestId};

/// So many are read at a time.
const READ_AT_ONCE: usize = 1024;

/// See [`Store::pending`]. Reads a thousand at a time and begins anew behind them: an iterator of the store would keep
/// all that is removed in the meantime.
pub(super) struct Pending {
    store: Store,
    below: RequestId,
    last: Vec<u8>,
    ready: std::vec::IntoIter<Result<Request, StateError>>,
    is_over: bool,
}

impl Pending {
    /// Those with a number below this one.
    pub(super) fn of(store: &Store, below: RequestId) -> Pending {
        let (last, ready) = (vec![PENDING], Vec::new().into_iter());
        Pending { store: store.clone(), below, last, ready, is_over: false }
    }

    fn read_more(&mut self) {
        let mut more = Vec::new();
        let mut looked_at = 0;
        for row in self.store.pending_behind(&self.last).take(READ_AT_ONCE) {
            looked_at += 1;
            let read = row.and_then(|(key, bytes)| {
                let id = id_of_pending(&key).ok_or_else(|| self.store.damaged("a pending request"))?;
                self.last = key;
                let request = (id < self.below).then(|| take_request(&bytes));
                request
                    .map(|request| request.ok_or_else(|| self.store.damaged("a pending request")))
                    .transpose()
            });
            more.extend(read.transpose());
        }
        self.is_over = looked_at < READ_AT_ONCE;
        self.ready = more.into_iter();
    }
}

impl Iterator for Pending {
    type Item = Result<Request, StateError>;

    fn next(&mut self) -> Option<Result<Request, StateError>> {
        loop {
            if let Some(next) = self.ready.next() {
                self.is_over |= next.is_err();
                return Some(next);
            }
            if self.is_over {
                return None;
            }
            self.read_more();
        }
    }
}
