//! Outcomes come back in any order; here they wait until those in front of them have come.
//!
//! Bounded by holding back, not by dropping: who hands out requests looks at [`Reorder::next_expected`] and
//! [`Reorder::bytes_held`] first. Does not know what it holds.

use std::collections::BTreeMap;

use crate::model::RequestId;

/// Things waiting for their turn.
#[derive(Debug)]
pub struct Reorder<T> {
    next: u64,
    /// A map and not a ring: a wide window costs nothing until it is used.
    waiting: BTreeMap<u64, (T, u64)>,
    bytes: u64,
}

impl<T> Reorder<T> {
    /// Nothing waits, and `next` is the first to come out.
    pub fn new(next: RequestId) -> Reorder<T> {
        Reorder { next: next.0, waiting: BTreeMap::new(), bytes: 0 }
    }

    /// Takes the thing of a request, of a size in bytes, and gives all whose turn it is now. What is not taken from
    /// the iterator comes with the next call.
    ///
    /// # Panics
    /// When the request had its turn before or waits already: its lines would be written twice or lost.
    pub fn push(&mut self, id: RequestId, thing: T, bytes: u64) -> Ready<'_, T> {
        assert!(id.0 >= self.next, "request {} was settled before", id.0);
        let before = self.waiting.insert(id.0, (thing, bytes));
        assert!(before.is_none(), "request {} was settled twice", id.0);
        self.bytes += bytes;
        Ready { of: self }
    }

    /// The request that all others wait for.
    pub fn next_expected(&self) -> RequestId {
        RequestId(self.next)
    }

    /// The size of all that waits.
    pub fn bytes_held(&self) -> u64 {
        self.bytes
    }

    /// What still waits, in order, when those in front will never come: the run was stopped.
    pub fn into_rest(self) -> impl Iterator<Item = (RequestId, T)> {
        self.waiting.into_iter().map(|(id, (thing, _))| (RequestId(id), thing))
    }
}

/// Things whose turn it is. See [`Reorder::push`].
#[derive(Debug)]
pub struct Ready<'r, T> {
    of: &'r mut Reorder<T>,
}

impl<T> Iterator for Ready<'_, T> {
    type Item = (RequestId, T);

    fn next(&mut self) -> Option<(RequestId, T)> {
        let id = self.of.next;
        let (thing, bytes) = self.of.waiting.remove(&id)?;
        self.of.next = id.saturating_add(1);
        self.of.bytes -= bytes;
        Some((RequestId(id), thing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pushed(reorder: &mut Reorder<&'static str>, id: u64, thing: &'static str) -> Vec<(u64, &'static str)> {
        reorder.push(RequestId(id), thing, 10).map(|(id, thing)| (id.0, thing)).collect()
    }

    #[test]
    fn what_comes_early_waits_for_those_in_front() {
        let mut reorder = Reorder::new(RequestId(0));
        assert_eq!(pushed(&mut reorder, 1, "b"), []);
        assert_eq!(pushed(&mut reorder, 3, "d"), []);
        assert_eq!((reorder.waiting.len(), reorder.bytes_held()), (2, 20));
        assert_eq!(pushed(&mut reorder, 0, "a"), [(0, "a"), (1, "b")]);
        assert_eq!((reorder.next_expected(), reorder.bytes_held()), (RequestId(2), 10));
        assert_eq!(pushed(&mut reorder, 2, "c"), [(2, "c"), (3, "d")]);
        assert_eq!((reorder.waiting.len(), reorder.bytes_held()), (0, 0));
    }

    #[test]
    fn what_was_not_taken_comes_with_the_next_call() {
        let mut reorder = Reorder::new(RequestId(0));
        let _ = reorder.push(RequestId(0), "a", 0);
        assert_eq!(pushed(&mut reorder, 1, "b"), [(0, "a"), (1, "b")]);
    }

    #[test]
    fn the_rest_of_a_stopped_run_comes_in_order() {
        let mut reorder = Reorder::new(RequestId(0));
        pushed(&mut reorder, 4, "e");
        pushed(&mut reorder, 2, "c");
        assert_eq!(reorder.into_rest().map(|(id, _)| id.0).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    #[should_panic(expected = "request 0 was settled before")]
    fn a_request_settled_twice_is_a_fault() {
        let mut reorder = Reorder::new(RequestId(0));
        pushed(&mut reorder, 0, "a");
        pushed(&mut reorder, 0, "a");
    }

    proptest! {
        #[test]
        fn any_order_comes_out_sorted_and_complete(
            order in (1..40_u64).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let mut reorder = Reorder::new(RequestId(0));
            let mut out = vec![];
            for &id in &order {
                out.extend(reorder.push(RequestId(id), id, id).map(|(id, thing)| (id.0, thing)));
            }
            prop_assert!(out.iter().copied().eq((0..order.len() as u64).map(|id| (id, id))));
            prop_assert_eq!(reorder.bytes_held(), 0);
        }
    }
}
