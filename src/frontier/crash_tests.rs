//! Whole runs in virtual time that crash again and again: what was settled since the last commit is undone, as an output
//! that is cut back undoes it, and all the same each page is written once and none is lost.
//!
//! The store is a model: maps that do what a store on disk does with [`Changes`], and complain when something is not where
//! a change says that it was.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::proptests::{MOST_STEPS, World, answer, next_of, worlds};
use super::seen::Seen;
use super::{Changes, Frontier, Next, Progress, Resumed, Settled};
use crate::model::{Kept, Place, Request, RequestId};

/// A run that crashes on and on may never end.
const MOST_CRASHES: u32 = 15;

/// What is on disk.
#[derive(Default)]
struct Store {
    pending: BTreeMap<(u64, u64), Request>,
    waiting: BTreeMap<u64, (Instant, Request)>,
    seen: BTreeSet<u128>,
    progress: Progress,
    /// What the output had when this was committed, by the numbers of requests.
    written: Vec<u64>,
}

impl Store {
    fn commit(&mut self, changes: Changes, written: &[u64]) -> Result<(), TestCaseError> {
        for change in changes.requests {
            let id = change.id.0;
            let was_there = match change.before {
                Some(Place::Pending(rank)) => self.pending.remove(&(rank, id)).is_some(),
                Some(Place::Waiting) => self.waiting.remove(&id).is_some(),
                None => true,
            };
            prop_assert!(was_there, "{} is not at {:?}", id, change.before);
            match change.now {
                Some(Kept::Pending(rank, request)) => drop(self.pending.insert((rank, id), request)),
                Some(Kept::Waiting(due, request)) => drop(self.waiting.insert(id, (due, request))),
                Some(Kept::Unmade(_)) | None => {}
            }
        }
        for fingerprint in changes.found {
            prop_assert!(self.seen.insert(fingerprint), "found twice");
        }
        self.progress = changes.progress;
        self.written = written.to_vec();
        // What is kept is what is not written, and nothing is in two places.
        let mut kept: Vec<u64> =
            self.pending.keys().map(|&(_, id)| id).chain(self.waiting.keys().copied()).collect();
        kept.extend(written);
        kept.sort_unstable();
        prop_assert_eq!(kept, (0..self.progress.numbered()).collect::<Vec<_>>());
        Ok(())
    }

    fn resume(&self, world: &World, now: Instant) -> Frontier {
        let mut frontier = world.frontier(self.progress.source().drawn);
        let mut seen = Seen::new();
        self.seen.iter().for_each(|&fingerprint| assert!(seen.insert(fingerprint)));
        let pending: Vec<_> = self.pending.values().cloned().map(Ok).collect();
        let waiting = self.waiting.values();
        let waiting = waiting.map(|(due, request)| (due.saturating_duration_since(now), request.clone()));
        let resumed = Resumed {
            progress: self.progress.clone(),
            seen,
            pending: Box::new(pending.into_iter()),
            waiting: waiting.collect(),
            unmade: Vec::new(),
        };
        frontier.keep_changes(world.ordered);
        frontier.resume(resumed, now);
        frontier
    }
}

/// What is settled, and what of it is written: at once, or when all before it are.
#[derive(Default)]
struct Output {
    written: Vec<u64>,
    held: BTreeSet<u64>,
}

impl Output {
    fn settle(&mut self, id: u64, is_ordered: bool) {
        if !is_ordered {
            self.written.push(id);
            return;
        }
        self.held.insert(id);
        while self.held.remove(&self.next()) {
            self.written.push(self.next());
        }
    }

    /// In order, whose turn it is.
    fn next(&self) -> u64 {
        self.written.len() as u64
    }
}

/// Runs to the end through crashes; gives the requests in the order in which they were written.
fn run(world: &World) -> Result<Vec<Request>, TestCaseError> {
    let (mut now, mut luck) = (Instant::now(), world.luck);
    let mut store = Store::default();
    let mut output = Output::default();
    let mut frontier = world.frontier(0);
    frontier.keep_changes(world.ordered);
    let mut in_flight: Vec<Request> = Vec::new();
    let mut known: BTreeMap<u64, Request> = BTreeMap::new();
    let mut crashes = 0;
    for _ in 0..MOST_STEPS {
        if next_of(&mut luck, 6) == 0 {
            let first_unwritten = world.ordered.then(|| RequestId(output.next()));
            store.commit(frontier.take_changes(first_unwritten), &output.written)?;
        }
        if crashes < MOST_CRASHES && next_of(&mut luck, 20) == 0 {
            crashes += 1;
            in_flight.clear();
            output = Output { written: store.written.clone(), held: BTreeSet::new() };
            now += Duration::from_millis(next_of(&mut luck, 400));
            frontier = store.resume(world, now);
        }
        let horizon = world.ordered.then(|| RequestId(output.next() + 5));
        let mut settle = |request: &Request, output: &mut Output| {
            known.insert(request.id.0, request.clone());
            output.settle(request.id.0, world.ordered);
        };
        let may_answer = match frontier.next(now, horizon) {
            Next::Request(request) if next_of(&mut luck, 8) == 0 => {
                frontier.put_back(request, now);
                true
            }
            Next::Request(request) => {
                frontier.taken(now);
                in_flight.push(request);
                next_of(&mut luck, 3) == 0
            }
            Next::Disallowed(request) | Next::Failed(request, _) | Next::LeftOut(request) => {
                settle(&request, &mut output);
                false
            }
            Next::Unmade(_) => unreachable!("the source has a request for each place"),
            Next::At(due) if in_flight.is_empty() || next_of(&mut luck, 2) == 0 => {
                now = now.max(due);
                false
            }
            Next::At(_) => true,
            Next::AfterOutcome => {
                prop_assert!(!in_flight.is_empty(), "it waits for nobody: {:?}", frontier);
                true
            }
            Next::Done => {
                prop_assert!(in_flight.is_empty() && !frontier.has_work_left(), "{:?}", frontier);
                let first_unwritten = world.ordered.then(|| RequestId(output.next()));
                store.commit(frontier.take_changes(first_unwritten), &output.written)?;
                prop_assert!(store.pending.is_empty() && store.waiting.is_empty());
                return Ok(output.written.iter().map(|id| known[id].clone()).collect());
            }
        };
        if may_answer && !in_flight.is_empty() {
            let request = in_flight.swap_remove(next_of(&mut luck, in_flight.len() as u64) as usize);
            now += Duration::from_millis(next_of(&mut luck, 40));
            if let Some(settled) = answer(world, &mut frontier, &request, &mut luck, now) {
                prop_assert_eq!(settled, Settled::Done, "{:?}", request);
                settle(&request, &mut output);
            }
        }
        prop_assert!(!frontier.has_trouble());
    }
    Err(TestCaseError::fail(format!("no end after {MOST_STEPS} steps: {frontier:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_crashes_every_page_is_written_once_and_a_run_ends(world in worlds()) {
        let written = run(&world)?;
        let ids: BTreeSet<u64> = written.iter().map(|request| request.id.0).collect();
        prop_assert_eq!(ids.len(), written.len(), "one was written twice");
        prop_assert!(ids.iter().copied().eq(0..ids.len() as u64), "a number is missing");
        let pages: BTreeSet<&str> = written.iter().map(|request| request.url.path()).collect();
        prop_assert_eq!(pages.len(), written.len(), "a page was written twice");
        if world.ordered {
            prop_assert!(written.is_sorted_by_key(|request| request.id));
        }
        if world.seen.is_none() && (!world.links || !world.robots) {
            prop_assert_eq!(written.len() as u64, world.pages);
        }
    }
}
