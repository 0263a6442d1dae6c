//! What became of requests since somebody wrote it down: the frontier's side of a run that can be resumed.
//!
//! Each request that is known and not settled for good is *kept*, in one of two [`Place`]s. The ledger notes the changes of
//! that; one that came and went between two commits leaves no trace. Knows no disk: who keeps the changes is the
//! caller's affair.

use std::collections::{BTreeMap, HashSet, btree_map::Entry};
use std::time::Instant;

use super::backlog::Order;
use crate::model::{Change, Errand, Kept, Place, Request, RequestId, Unmade};

/// The changes of a run; empty, and for free, where nobody wants them.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    is_wanted: bool,
    order: Option<Order>,
    changes: BTreeMap<u64, (Option<Place>, Option<Kept>)>,
    /// Settled, but in ordered output not yet written.
    held: BTreeMap<u64, Held>,
    holds: bool,
    found: Vec<u128>,
    /// Pages settled for good, whatever became of them.
    pages_settled: u64,
    /// What waits though it has not been tried: it had failed for good, and gets another chance.
    reopened: HashSet<u64>,
}

/// What is settled and not yet written.
#[derive(Debug)]
struct Held {
    place: Place,
    is_page: bool,
}

impl Ledger {
    /// Notes changes from now on; `holds` if output is in order, so that what is settled is not yet written.
    pub(super) fn begin(&mut self, order: Order, holds: bool) {
        (self.is_wanted, self.order, self.holds) = (true, Some(order), holds);
    }

    /// Pages settled before this run was resumed.
    pub(super) fn resume(&mut self, pages_settled: u64) {
        self.pages_settled = pages_settled;
    }

    /// An earlier run left this among what waits.
    pub(super) fn was_waiting(&mut self, request: &Request) {
        if self.is_wanted && request.attempt == 0 {
            self.reopened.insert(request.id.0);
        }
    }

    /// Something that was not known is, by its fingerprint.
    pub(super) fn found(&mut self, fingerprint: u128) {
        if self.is_wanted {
            self.found.push(fingerprint);
        }
    }

    /// A request is new.
    pub(super) fn pending(&mut self, request: &Request) {
        if self.is_wanted && !request.is_own() {
            let kept = Kept::Pending(self.rank(request), request.clone());
            self.note(request.id, None, Some(kept));
        }
    }

    /// A place of the source has no request.
    pub(super) fn unmade(&mut self, unmade: &Unmade) {
        if self.is_wanted && self.holds {
            self.note(unmade.id, None, Some(Kept::Unmade(unmade.clone())));
            self.unmade_again(unmade);
        }
    }

    /// As [`Ledger::unmade`], of one that is kept already.
    pub(super) fn unmade_again(&mut self, unmade: &Unmade) {
        self.held.insert(unmade.id.0, Held { place: Place::Waiting, is_page: false });
    }

    /// `request` goes on as `moved`.
    pub(super) fn moved(&mut self, request: &Request, moved: &Request) {
        if self.is_wanted && !request.is_own() {
            let kept = Kept::Pending(self.rank(moved), moved.clone());
            self.note(request.id, Some(self.place(request)), Some(kept));
            self.reopened.remove(&request.id.0);
        }
    }

    /// `request` failed, and goes out as `again`.
    pub(super) fn waiting(&mut self, request: &Request, again: &Request, due: Instant) {
        if self.is_wanted && !request.is_own() {
            self.note(request.id, Some(self.place(request)), Some(Kept::Waiting(due, again.clone())));
        }
    }

    /// A request is settled for good.
    pub(super) fn settled(&mut self, request: &Request) {
        if !self.is_wanted || request.is_own() {
            return;
        }
        let held = Held { place: self.place(request), is_page: request.errand == Errand::Page };
        self.reopened.remove(&request.id.0);
        if self.holds {
            self.held.insert(request.id.0, held);
        } else {
            self.settle(request.id, &held);
        }
    }

    /// Takes the changes. In ordered output, what is settled from `written` on is not written yet, and so is still kept;
    /// `None` if all of it is.
    pub(super) fn take(&mut self, written: Option<RequestId>) -> (Vec<Change>, Vec<u128>) {
        let still = written.map(|written| self.held.split_off(&written.0)).unwrap_or_default();
        for (id, held) in std::mem::replace(&mut self.held, still) {
            self.settle(RequestId(id), &held);
        }
        let changes = std::mem::take(&mut self.changes).into_iter();
        let changes = changes.map(|(id, (before, now))| Change { id: RequestId(id), before, now }).collect();
        (changes, std::mem::take(&mut self.found))
    }

    /// How much there is to take, at most.
    pub(super) fn len(&self) -> usize {
        self.changes.len() + self.found.len()
    }

    /// Pages settled for good and written, from the beginning of the first run on.
    pub(super) fn pages_settled(&self) -> u64 {
        self.pages_settled
    }

    fn settle(&mut self, id: RequestId, held: &Held) {
        self.pages_settled += u64::from(held.is_page);
        self.note(id, Some(held.place), None);
    }

    /// Where a request is kept that was handed out: one that was tried has been waiting since.
    fn place(&self, request: &Request) -> Place {
        let has_waited = request.attempt > 0 || self.reopened.contains(&request.id.0);
        if has_waited { Place::Waiting } else { Place::Pending(self.rank(request)) }
    }

    fn rank(&self, request: &Request) -> u64 {
        rank(request, self.order.unwrap_or(Order::Breadth))
    }

    fn note(&mut self, id: RequestId, before: Option<Place>, now: Option<Kept>) {
        match self.changes.entry(id.0) {
            Entry::Vacant(free) => {
                free.insert((before, now));
            }
            Entry::Occupied(mut noted) => {
                noted.get_mut().1 = now;
                if *noted.get() == (None, None) {
                    noted.remove();
                }
            }
        }
    }
}

/// What pending requests are ordered by before their numbers, the lowest first.
pub(super) fn rank(request: &Request, order: Order) -> u64 {
    match order {
        Order::Breadth => 0,
        Order::Depth => u64::from(u32::MAX - request.depth),
        Order::Priority => (i64::from(i32::MAX) - i64::from(request.priority)).unsigned_abs(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn request(id: u64) -> Request {
        Request::new(RequestId(id), Url::parse("http://h/").unwrap(), None)
    }

    fn ledger(holds: bool) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.begin(Order::Breadth, holds);
        ledger
    }

    #[test]
    fn what_comes_and_goes_between_two_commits_leaves_no_trace_but_is_counted() {
        let mut ledger = ledger(false);
        ledger.pending(&request(0));
        ledger.settled(&request(0));
        assert_eq!(ledger.take(None).0, []);
        assert_eq!(ledger.pages_settled(), 1);
    }

    #[test]
    fn a_request_is_removed_from_where_it_was_kept() {
        let mut ledger = ledger(false);
        let again = Request { attempt: 1, ..request(0) };
        ledger.pending(&request(0));
        ledger.take(None);
        let due = Instant::now();
        ledger.waiting(&request(0), &again, due);
        let waits = Some(Kept::Waiting(due, again.clone()));
        let id = RequestId(0);
        assert_eq!(ledger.take(None).0, [Change { id, before: Some(Place::Pending(0)), now: waits }]);
        let moved = again.clone().moved_to(Url::parse("http://other/").unwrap());
        ledger.moved(&again, &moved);
        ledger.settled(&moved);
        assert_eq!(ledger.take(None).0, [Change { id, before: Some(Place::Waiting), now: None }]);
    }

    #[test]
    fn what_waits_untried_is_removed_from_there_unless_it_has_moved() {
        let mut ledger = ledger(false);
        for id in 0..2 {
            ledger.was_waiting(&request(id));
        }
        ledger.settled(&request(0));
        let id = RequestId(0);
        assert_eq!(ledger.take(None).0, [Change { id, before: Some(Place::Waiting), now: None }]);
        let moved = request(1).moved_to(Url::parse("http://other/").unwrap());
        ledger.moved(&request(1), &moved);
        ledger.take(None);
        ledger.settled(&moved);
        let id = RequestId(1);
        assert_eq!(ledger.take(None).0, [Change { id, before: Some(Place::Pending(0)), now: None }]);
    }

    #[test]
    fn in_order_what_is_settled_is_kept_until_it_is_written() {
        let mut ledger = ledger(true);
        for id in 0..3 {
            ledger.pending(&request(id));
        }
        ledger.take(Some(RequestId(0)));
        ledger.settled(&request(1));
        assert_eq!(ledger.take(Some(RequestId(0))).0, []);
        ledger.settled(&request(0));
        let ids: Vec<u64> = ledger.take(Some(RequestId(2))).0.iter().map(|change| change.id.0).collect();
        assert_eq!((ids, ledger.pages_settled()), (vec![0, 1], 2));
        ledger.settled(&request(2));
        assert_eq!(ledger.take(None).0.len(), 1, "at the end all is written");
    }

    #[test]
    fn nothing_is_noted_where_nobody_wants_it_and_nothing_of_the_frontiers_own() {
        let mut unwanted = Ledger::default();
        unwanted.pending(&request(0));
        unwanted.found(1);
        assert_eq!(unwanted.len(), 0);
        let mut ledger = ledger(false);
        ledger.pending(&Request::for_address(&request(0)));
        assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn ranks_are_in_the_order_of_the_job() {
        let of = |depth, priority| Request { depth, priority, ..request(0) };
        assert!(rank(&of(2, 0), Order::Depth) < rank(&of(1, 0), Order::Depth));
        assert!(rank(&of(0, i32::MAX), Order::Priority) < rank(&of(0, 0), Order::Priority));
        assert!(rank(&of(0, 0), Order::Priority) < rank(&of(0, i32::MIN), Order::Priority));
        assert_eq!(rank(&of(9, 9), Order::Breadth), 0);
    }
}
