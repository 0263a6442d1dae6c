//! A step from all nodes of a set at once: where many nodes reach the same ones, each is met once.
//!
//! Walking `//a//b` or `//a/following::b` from each node by itself is quadratic. Document order says from where one
//! walk meets all.

use std::ops::ControlFlow;

use rustc_hash::FxHashSet;

use super::program::Step;
use super::set::Visit;
use super::{Flow, GO_ON, Page};
use crate::extract::xpath::ast::Axis;
use crate::html::{NodeId, Place};

impl Page<'_> {
    /// Visits the nodes along a wide axis from `contexts`, which are in document order, and passes over predicates.
    pub(super) fn sweep(&self, step: &Step, contexts: &[Place], visit: Visit<'_>) -> Flow {
        match step.axis {
            Axis::Descendant => self.sweep_descendants(step, contexts, false, visit),
            Axis::DescendantOrSelf => self.sweep_descendants(step, contexts, true, visit),
            Axis::Following => self.sweep_following(step, contexts, visit),
            Axis::Preceding => self.sweep_preceding(step, contexts, visit),
            Axis::FollowingSibling | Axis::PrecedingSibling => self.sweep_siblings(step, contexts, visit),
            _ => self.sweep_ancestors(step, contexts, visit),
        }
    }

    /// A node inside the subtree of an earlier one adds nothing.
    fn sweep_descendants(&self, step: &Step, contexts: &[Place], or_self: bool, visit: Visit<'_>) -> Flow {
        let mut covered_until = 0;
        for &place in contexts {
            let is_attribute = place.attribute > 0;
            if is_attribute || place.node.0 >= covered_until {
                if or_self {
                    self.own(&step.test, place, visit)?;
                }
                if !is_attribute {
                    covered_until = self.end_of(place.node)?;
                    self.scan(&step.test, place.node.0 + 1..covered_until, visit)?;
                }
            }
        }
        GO_ON
    }

    /// All behind the subtree that ends first.
    fn sweep_following(&self, step: &Step, contexts: &[Place], visit: Visit<'_>) -> Flow {
        let mut first = self.document.len() as u32;
        for place in contexts {
            first = first.min(self.end_of(place.node)?);
        }
        self.scan(&step.test, first..self.document.len() as u32, visit)
    }

    /// All before the last node, but its ancestors.
    fn sweep_preceding(&self, step: &Step, contexts: &[Place], visit: Visit<'_>) -> Flow {
        let Some(last) = contexts.last() else { return GO_ON };
        let mut ancestors = self.pool.buffer();
        let mut at = self.document.parent(last.node);
        while let Some(node) = at {
            ancestors.push(Place::of(node));
            at = self.document.parent(node);
        }
        self.charge(ancestors.len())?;
        ancestors.push(Place::of(last.node));
        ancestors.sort();
        // Between two ancestors there are none.
        ancestors
            .windows(2)
            .try_for_each(|pair| self.scan(&step.test, pair[0].node.0 + 1..pair[1].node.0, visit))
    }

    /// Of each family, the siblings from its outermost member on.
    fn sweep_siblings(&self, step: &Step, contexts: &[Place], visit: Visit<'_>) -> Flow {
        let mut families = FxHashSet::default();
        let mut family = |&place: &Place| -> Flow {
            self.charge(1)?;
            let Some(parent) = self.document.parent(place.node) else { return GO_ON };
            if place.attribute > 0 || !families.insert(parent) {
                return GO_ON;
            }
            self.along(step.axis, &step.test, place, visit)
        };
        match step.axis {
            Axis::FollowingSibling => contexts.iter().try_for_each(&mut family),
            _ => contexts.iter().rev().try_for_each(&mut family),
        }
    }

    /// Upwards from each node, until a node that an earlier way has passed.
    fn sweep_ancestors(&self, step: &Step, contexts: &[Place], visit: Visit<'_>) -> Flow {
        let mut passed: FxHashSet<NodeId> = FxHashSet::default();
        let or_self = step.axis == Axis::AncestorOrSelf;
        for &place in contexts {
            let mut at = match (place.attribute, or_self) {
                (0, true) => Some(place.node),
                (0, false) => self.document.parent(place.node),
                (_, true) => {
                    self.own(&step.test, place, visit)?;
                    Some(place.node)
                }
                (_, false) => Some(place.node),
            };
            while let Some(node) = at
                && passed.insert(node)
            {
                self.own(&step.test, Place::of(node), visit)?;
                at = self.document.parent(node);
            }
        }
        ControlFlow::Continue(())
    }
}
