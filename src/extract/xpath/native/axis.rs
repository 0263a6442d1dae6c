//! Axes (2.2) and node tests (2.3): the nodes along an axis from one node, in the direction of the axis.

use std::ops::{ControlFlow, Range};

use super::program::Test;
use super::set::Visit;
use super::{Flow, GO_ON, Page, Stop};
use crate::extract::xpath::ast::Axis;
use crate::html::dom::{Attribute, NodeKind};
use crate::html::{NodeId, Place};

/// Nodes that a scan is charged for at once.
const SCAN: u32 = 1024;

/// Steps of going to a neighbour: in a large page that is a place in memory that nobody has fetched.
const LINK: usize = 4;

impl Page<'_> {
    /// Visits the nodes along `axis` that pass `test`.
    pub(super) fn along(&self, axis: Axis, test: &Test, from: Place, visit: Visit<'_>) -> Flow {
        let node = from.node;
        // Attributes have no content and no siblings.
        let is_node = from.attribute == 0;
        match axis {
            Axis::SelfNode => self.own(test, from, visit),
            Axis::Child if is_node => self.chain(test, self.document.first_child(node), Self::next, visit),
            Axis::Attribute if is_node => self.attributes(test, node, visit),
            Axis::Descendant if is_node => self.scan(test, node.0 + 1..self.end_of(node)?, visit),
            Axis::DescendantOrSelf => {
                self.own(test, from, visit)?;
                if is_node { self.scan(test, node.0 + 1..self.end_of(node)?, visit) } else { GO_ON }
            }
            Axis::Parent => {
                let parent = if is_node { self.document.parent(node) } else { Some(node) };
                parent.map_or(GO_ON, |parent| self.own(test, Place::of(parent), visit))
            }
            Axis::Ancestor | Axis::AncestorOrSelf => {
                if axis == Axis::AncestorOrSelf {
                    self.own(test, from, visit)?;
                }
                let first = if is_node { self.document.parent(node) } else { Some(node) };
                self.chain(test, first, Self::up, visit)
            }
            Axis::FollowingSibling if is_node => {
                self.chain(test, self.document.next_sibling(node), Self::next, visit)
            }
            Axis::PrecedingSibling if is_node => {
                self.chain(test, self.document.previous_sibling(node), Self::previous, visit)
            }
            Axis::Following => self.scan(test, self.end_of(node)?..self.document.len() as u32, visit),
            Axis::Preceding => self.preceding(test, node, visit),
            Axis::Child
            | Axis::Attribute
            | Axis::Descendant
            | Axis::FollowingSibling
            | Axis::PrecedingSibling
            | Axis::Namespace => GO_ON,
        }
    }

    /// Visits at least the last of the nodes along `axis`, and all before it only where there is no way back.
    pub(super) fn last_along(&self, axis: Axis, test: &Test, from: Place, visit: Visit<'_>) -> Flow {
        let (parent, first) = match axis {
            Axis::Child => (Some(from.node), None),
            Axis::FollowingSibling => (self.document.parent(from.node), Some(from.node)),
            _ => return self.along(axis, test, from, visit),
        };
        let mut at =
            parent.filter(|_| from.attribute == 0).and_then(|parent| self.document.last_child(parent));
        while let Some(node) = at
            && at != first
        {
            self.charge(LINK)?;
            if self.is(test, node) {
                return visit(Place::of(node));
            }
            at = self.document.previous_sibling(node);
        }
        GO_ON
    }

    fn next(&self, node: NodeId) -> Option<NodeId> {
        self.document.next_sibling(node)
    }

    fn previous(&self, node: NodeId) -> Option<NodeId> {
        self.document.previous_sibling(node)
    }

    fn up(&self, node: NodeId) -> Option<NodeId> {
        self.document.parent(node)
    }

    /// One place, which is an attribute or any node.
    pub(super) fn own(&self, test: &Test, place: Place, visit: Visit<'_>) -> Flow {
        self.charge(1)?;
        // The principal type of all axes but one is the element.
        let passes = if place.attribute > 0 { matches!(test, Test::Node) } else { self.is(test, place.node) };
        if passes { visit(place) } else { GO_ON }
    }

    /// Nodes that hang together by a link.
    pub(super) fn chain(
        &self,
        test: &Test,
        first: Option<NodeId>,
        link: impl Fn(&Self, NodeId) -> Option<NodeId>,
        visit: Visit<'_>,
    ) -> Flow {
        let mut at = first;
        while let Some(node) = at {
            self.charge(LINK)?;
            if self.is(test, node) {
                visit(Place::of(node))?;
            }
            at = link(self, node);
        }
        GO_ON
    }

    fn attributes(&self, test: &Test, node: NodeId, visit: Visit<'_>) -> Flow {
        let attributes = self.document.attributes(node);
        self.charge(1 + attributes.len() / 4)?;
        for (attribute, number) in attributes.iter().zip(1..) {
            if is_attribute(test, attribute) {
                visit(Place { node, attribute: number })?;
            }
        }
        GO_ON
    }

    /// The nodes of a range of ids.
    pub(super) fn scan(&self, test: &Test, ids: Range<u32>, visit: Visit<'_>) -> Flow {
        match test {
            // The one that most scans are for, without a choice per node.
            Test::Name(namespace, local) => {
                let is_named = |node| {
                    self.document
                        .name(node)
                        .is_some_and(|name| name.local == *local && name.namespace == *namespace)
                };
                self.scan_for(is_named, ids, visit)
            }
            test => self.scan_for(|node| self.is(test, node), ids, visit),
        }
    }

    fn scan_for(&self, passes: impl Fn(NodeId) -> bool, ids: Range<u32>, visit: Visit<'_>) -> Flow {
        let mut at = ids.start;
        while at < ids.end {
            let until = ids.end.min(at.saturating_add(SCAN));
            self.charge((until - at) as usize)?;
            for node in (at..until).map(NodeId) {
                if passes(node) {
                    let flow = visit(Place::of(node));
                    if flow == ControlFlow::Break(Stop::Enough) {
                        self.give_back((until - node.0 - 1) as usize);
                    }
                    flow?;
                }
            }
            at = until;
        }
        GO_ON
    }

    /// All before a node but its ancestors, backwards.
    fn preceding(&self, test: &Test, node: NodeId, visit: Visit<'_>) -> Flow {
        let mut ancestor = self.document.parent(node);
        for at in (0..node.0).rev().map(NodeId) {
            self.charge(1)?;
            if ancestor == Some(at) {
                ancestor = self.document.parent(at);
            } else if self.is(test, at) {
                visit(Place::of(at))?;
            }
        }
        GO_ON
    }

    /// The id behind the content of a node. The way up is charged, which [`Document::subtree_end`] cannot.
    ///
    /// [`Document::subtree_end`]: crate::html::Document::subtree_end
    pub(super) fn end_of(&self, node: NodeId) -> Flow<u32> {
        let mut at = node;
        loop {
            self.charge(1)?;
            if let Some(next) = self.document.next_sibling(at) {
                return ControlFlow::Continue(next.0);
            }
            match self.document.parent(at) {
                Some(parent) => at = parent,
                None => return ControlFlow::Continue(self.document.len() as u32),
            }
        }
    }

    /// Whether a node that is no attribute passes a test.
    fn is(&self, test: &Test, node: NodeId) -> bool {
        let kind = || self.document.kind(node);
        match test {
            Test::Node => true,
            Test::AnyName => kind() == NodeKind::Element,
            Test::Text => kind() == NodeKind::Text,
            Test::Comment => kind() == NodeKind::Comment,
            Test::ProcessingInstruction(None) => kind() == NodeKind::ProcessingInstruction,
            Test::ProcessingInstruction(Some(target)) => self.document.target(node) == Some(target),
            Test::AnyOf(namespace) => {
                self.document.name(node).is_some_and(|name| name.namespace == *namespace)
            }
            Test::Name(namespace, local) => self
                .document
                .name(node)
                .is_some_and(|name| name.local == *local && name.namespace == *namespace),
        }
    }
}

/// Whether an attribute passes a test of the attribute axis.
fn is_attribute(test: &Test, attribute: &Attribute) -> bool {
    match test {
        Test::Node | Test::AnyName => true,
        Test::AnyOf(namespace) => attribute.name.namespace == *namespace,
        Test::Name(namespace, local) => {
            attribute.name.local == *local && attribute.name.namespace == *namespace
        }
        Test::Text | Test::Comment | Test::ProcessingInstruction(_) => false,
    }
}
