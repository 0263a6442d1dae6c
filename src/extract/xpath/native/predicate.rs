//! Predicates (2.4): which candidates stay.

use std::ops::ControlFlow;

use super::compile::MOST_COUNTED;
use super::program::{Predicate, Predicates};
use super::{Flow, Focus, Page};
use crate::html::Place;

/// Predicates with the number of candidates that each has seen.
pub(super) struct Sieve<'p> {
    predicates: &'p [Predicate],
    seen: [usize; MOST_COUNTED],
}

impl<'p> Sieve<'p> {
    pub(super) fn new(predicates: &'p Predicates) -> Sieve<'p> {
        Sieve { predicates: &predicates.list, seen: [0; MOST_COUNTED] }
    }
}

/// What becomes of a candidate, and whether those behind it have a chance.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    In,
    Out,
    LastIn,
    LastOut,
}

impl<'s> Page<'s> {
    /// Whether a candidate passes predicates that do not count, or any if it is the only one.
    pub(super) fn passes(&self, predicates: &'s [Predicate], place: Place) -> Flow<bool> {
        for predicate in predicates {
            if !self.holds(predicate, Focus::alone(place))? {
                return ControlFlow::Continue(false);
            }
        }
        ControlFlow::Continue(true)
    }

    /// Whether the next candidate passes.
    pub(super) fn decide(&self, sieve: &mut Sieve<'s>, place: Place) -> Flow<Verdict> {
        let mut is_last = false;
        for (predicate, seen) in sieve.predicates.iter().zip(&mut sieve.seen) {
            *seen += 1;
            // Nobody asks for the size, or the candidates would have been collected.
            let focus = Focus { place, position: *seen, size: 0 };
            if !self.holds(predicate, focus)? {
                return ControlFlow::Continue(if is_last { Verdict::LastOut } else { Verdict::Out });
            }
            is_last |= matches!(predicate, Predicate::Nth(_));
        }
        ControlFlow::Continue(if is_last { Verdict::LastIn } else { Verdict::In })
    }

    /// Takes out of `candidates` what does not pass, predicate by predicate.
    pub(super) fn narrow(&self, predicates: &'s Predicates, candidates: &mut Vec<Place>) -> Flow {
        for predicate in &predicates.list {
            let size = candidates.len();
            self.charge(1)?;
            let mut kept = 0;
            match predicate {
                Predicate::Nth(_) | Predicate::Last => {
                    let nth = if let &Predicate::Nth(nth) = predicate { nth as usize } else { size };
                    let one = nth.checked_sub(1).and_then(|index| candidates.get(index).copied());
                    candidates.clear();
                    candidates.extend(one);
                    continue;
                }
                Predicate::Place(_) | Predicate::Truth(_) => {}
            }
            for index in 0..size {
                let place = candidates[index];
                if self.holds(predicate, Focus { place, position: index + 1, size })? {
                    candidates[kept] = place;
                    kept += 1;
                }
            }
            candidates.truncate(kept);
        }
        ControlFlow::Continue(())
    }

    fn holds(&self, predicate: &'s Predicate, focus: Focus) -> Flow<bool> {
        ControlFlow::Continue(match predicate {
            Predicate::Nth(nth) => focus.position == *nth as usize,
            Predicate::Last => focus.position == focus.size,
            Predicate::Place(number) => focus.position as f64 == self.number(number, focus)?,
            Predicate::Truth(truth) => self.truth(truth, focus)?,
        })
    }
}
