//! Sets of nodes, streamed node by node to whoever asks.

use std::collections::HashMap;
use std::ops::ControlFlow;

use super::buffer::Buffer;
use super::predicate::{Sieve, Verdict};
use super::program::{Counting, Path, Predicate, Predicates, Segment, Set, Start, Step};
use super::{Flow, Focus, GO_ON, Page, Stop, until_enough};
use crate::extract::xpath::{XML_NAMESPACE, chars};
use crate::html::dom::Attribute;
use crate::html::{NodeId, Place};

/// What is done with each node of a set.
pub(super) type Visit<'v> = &'v mut dyn FnMut(Place) -> Flow;

/// What whoever asks for a set needs of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// Any order, and some nodes may come twice.
    Loose,
    /// Any order.
    Unique,
    /// Document order, each once.
    Ordered,
}

impl<'s> Page<'s> {
    /// Visits the nodes of `set`.
    pub(super) fn stream(&self, set: &'s Set, focus: Focus, demand: Demand, visit: Visit<'_>) -> Flow {
        match set {
            Set::Step(step) => self.step(step, focus.place, visit),
            Set::Path(path) => self.path(path, focus, demand, visit),
            Set::Filter { subject, predicates, .. } => self.filter(subject, predicates, focus, demand, visit),
            Set::Union(operands) => {
                let all = |visit: Visit<'_>| {
                    operands.iter().try_for_each(|operand| self.stream(operand, focus, Demand::Loose, visit))
                };
                if demand == Demand::Loose { all(visit) } else { self.sorted(all, visit) }
            }
            Set::IdsIn(nodes) => self.sorted(
                |visit| {
                    self.stream(nodes, focus, Demand::Loose, &mut |place| {
                        let text = self.string_value(place)?;
                        self.elements_with_ids(&text, visit)
                    })
                },
                visit,
            ),
            Set::Ids(text) => {
                let text = self.text(text, focus)?;
                self.sorted(|visit| self.elements_with_ids(&text, visit), visit)
            }
        }
    }

    /// Adds the nodes of `set` to `places` in document order.
    pub(super) fn collect(&self, set: &'s Set, focus: Focus, places: &mut Vec<Place>) -> Flow {
        if set.is_ordered() {
            return self.stream(set, focus, Demand::Ordered, &mut |place| push(places, place));
        }
        self.stream(set, focus, Demand::Loose, &mut |place| push(places, place))?;
        self.sort(places)
    }

    /// Whether there is a node in `set`.
    pub(super) fn exists(&self, set: &'s Set, focus: Focus) -> Flow<bool> {
        self.some(set, focus, &mut |_| ControlFlow::Continue(true))
    }

    /// Whether `test` holds for some node of `set`.
    pub(super) fn some(
        &self,
        set: &'s Set,
        focus: Focus,
        test: &mut dyn FnMut(Place) -> Flow<bool>,
    ) -> Flow<bool> {
        let mut found = false;
        until_enough(self.stream(set, focus, Demand::Loose, &mut |place| {
            found = test(place)?;
            if found { ControlFlow::Break(Stop::Enough) } else { GO_ON }
        }))?;
        ControlFlow::Continue(found)
    }

    /// The first node of `set` in document order.
    pub(super) fn first(&self, set: &'s Set, focus: Focus) -> Flow<Option<Place>> {
        let mut first: Option<Place> = None;
        if set.is_ordered() {
            until_enough(self.stream(set, focus, Demand::Ordered, &mut |place| {
                first = Some(place);
                ControlFlow::Break(Stop::Enough)
            }))?;
        } else {
            self.stream(set, focus, Demand::Loose, &mut |place| {
                first = Some(first.map_or(place, |first| first.min(place)));
                GO_ON
            })?;
        }
        ControlFlow::Continue(first)
    }

    fn path(&self, path: &'s Path, focus: Focus, demand: Demand, visit: Visit<'_>) -> Flow {
        let start;
        let mut from: Buffer<'_>;
        let mut contexts: &[Place] = match &path.start {
            Start::Root => &[Place::ROOT],
            Start::Context => {
                start = [focus.place];
                &start
            }
            Start::Set(set) => {
                from = self.pool.buffer();
                self.collect(set, focus, &mut from)?;
                &from
            }
        };
        let Some((last, before)) = path.segments.split_last() else {
            return contexts.iter().try_for_each(|&place| visit(place));
        };
        for segment in before {
            let mut reached = self.pool.buffer();
            self.segment(segment, contexts, &mut |place| push(&mut reached, place))?;
            if !segment.is_ordered {
                self.sort(&mut reached)?;
            }
            from = reached;
            contexts = &from;
        }
        match demand {
            Demand::Ordered if !last.is_ordered => {}
            Demand::Unique if !last.is_unique => {}
            _ => return self.segment(last, contexts, visit),
        }
        self.sorted(|visit| self.segment(last, contexts, visit), visit)
    }

    fn segment(&self, segment: &'s Segment, contexts: &[Place], visit: Visit<'_>) -> Flow {
        match &*segment.steps {
            [first, rest @ ..] if segment.is_swept => self.sweep(first, contexts, &mut |found| {
                if self.passes(&first.predicates.list, found)? {
                    self.walk(rest, found, visit)
                } else {
                    GO_ON
                }
            }),
            steps => contexts.iter().try_for_each(|&place| self.walk(steps, place, visit)),
        }
    }

    /// Follows all steps from one node, depth first.
    fn walk(&self, steps: &'s [Step], from: Place, visit: Visit<'_>) -> Flow {
        match steps {
            [] => visit(from),
            [last] => self.step(last, from, visit),
            [step, rest @ ..] => self.step(step, from, &mut |found| self.walk(rest, found, visit)),
        }
    }

    fn step(&self, step: &'s Step, from: Place, visit: Visit<'_>) -> Flow {
        let Step { axis, test, predicates } = step;
        match predicates.counting {
            Counting::Nothing if predicates.list.is_empty() => self.along(*axis, test, from, visit),
            Counting::Nothing => self.along(*axis, test, from, &mut |found| {
                if self.passes(&predicates.list, found)? { visit(found) } else { GO_ON }
            }),
            Counting::Position => {
                self.sieved(predicates, &mut |each| self.along(*axis, test, from, each), visit)
            }
            Counting::Size if matches!(*predicates.list, [Predicate::Last, ..]) => {
                self.narrowed(predicates, &mut |each| self.last_along(*axis, test, from, each), visit)
            }
            Counting::Size => {
                self.narrowed(predicates, &mut |each| self.along(*axis, test, from, each), visit)
            }
        }
    }

    fn filter(
        &self,
        subject: &'s Set,
        predicates: &'s Predicates,
        focus: Focus,
        demand: Demand,
        visit: Visit<'_>,
    ) -> Flow {
        match predicates.counting {
            Counting::Nothing => self.stream(subject, focus, demand, &mut |found| {
                if self.passes(&predicates.list, found)? { visit(found) } else { GO_ON }
            }),
            _ if matches!(*predicates.list, [Predicate::Nth(1)]) => {
                self.first(subject, focus)?.map_or(GO_ON, visit)
            }
            Counting::Position => {
                self.sieved(predicates, &mut |each| self.stream(subject, focus, Demand::Ordered, each), visit)
            }
            Counting::Size => self.narrowed(
                predicates,
                &mut |each| self.stream(subject, focus, Demand::Ordered, each),
                visit,
            ),
        }
    }

    /// The candidates that `find` gives, each decided as it comes.
    fn sieved(
        &self,
        predicates: &'s Predicates,
        find: &mut dyn FnMut(Visit<'_>) -> Flow,
        visit: Visit<'_>,
    ) -> Flow {
        let mut sieve = Sieve::new(predicates);
        let mut is_over = false;
        let flow = find(&mut |found| match self.decide(&mut sieve, found)? {
            Verdict::Out => GO_ON,
            Verdict::In => visit(found),
            Verdict::LastIn => {
                visit(found)?;
                is_over = true;
                ControlFlow::Break(Stop::Enough)
            }
            Verdict::LastOut => {
                is_over = true;
                ControlFlow::Break(Stop::Enough)
            }
        });
        if is_over { until_enough(flow) } else { flow }
    }

    /// The candidates that `find` gives, collected first since a predicate asks how many there are.
    fn narrowed(
        &self,
        predicates: &'s Predicates,
        find: &mut dyn FnMut(Visit<'_>) -> Flow,
        visit: Visit<'_>,
    ) -> Flow {
        if let [Predicate::Last, rest @ ..] = &*predicates.list {
            let mut last = None;
            find(&mut |found| {
                last = Some(found);
                GO_ON
            })?;
            let Some(last) = last else { return GO_ON };
            return if self.passes(rest, last)? { visit(last) } else { GO_ON };
        }
        let mut candidates = self.pool.buffer();
        find(&mut |found| push(&mut candidates, found))?;
        self.narrow(predicates, &mut candidates)?;
        candidates.iter().try_for_each(|&place| visit(place))
    }

    /// What `find` gives, in document order and each once.
    fn sorted(&self, find: impl FnOnce(Visit<'_>) -> Flow, visit: Visit<'_>) -> Flow {
        let mut places = self.pool.buffer();
        find(&mut |place| push(&mut places, place))?;
        self.sort(&mut places)?;
        places.iter().try_for_each(|&place| visit(place))
    }

    fn sort(&self, places: &mut Vec<Place>) -> Flow {
        self.charge(places.len())?;
        // The stable sort finds runs, and most sets are a few of them.
        places.sort();
        places.dedup();
        GO_ON
    }

    /// `id()`: of each id the first element that has it.
    fn elements_with_ids(&self, text: &str, visit: Visit<'_>) -> Flow {
        if self.ids.get().is_none() {
            self.charge(self.document.len())?;
        }
        let ids = self.ids.get_or_init(|| self.index_ids());
        let wanted = text.split(chars::is_space).filter(|id| !id.is_empty());
        wanted.filter_map(|id| ids.get(id)).try_for_each(|&node| {
            self.charge(1)?;
            visit(Place::of(node))
        })
    }

    fn index_ids(&self) -> HashMap<&'s str, NodeId> {
        let mut ids = HashMap::new();
        for node in (0..self.document.len() as u32).map(NodeId) {
            for attribute in self.document.attributes(node) {
                if is_id(attribute, self.document.is_html()) {
                    ids.entry(&*attribute.value).or_insert(node);
                }
            }
        }
        ids
    }
}

fn push(places: &mut Vec<Place>, place: Place) -> Flow {
    places.push(place);
    GO_ON
}

/// HTML has ids of its own (DOM 4.9); in XML without a DTD there is only `xml:id`.
fn is_id(Attribute { name, .. }: &Attribute, is_html: bool) -> bool {
    match &*name.local {
        "id" => &*name.namespace == XML_NAMESPACE || (is_html && name.namespace.is_empty()),
        "xml:id" => is_html && name.namespace.is_empty(),
        _ => false,
    }
}
