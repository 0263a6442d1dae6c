//! `sweep(axis, E)`: an axis from all nodes of a set at once, each node visited once.
//!
//! sxd walks the axis from each node of the set anew, which is quadratic for `//a//b` and `//a/following::b`. Without
//! predicates that count, the nodes reached are those of one walk: document order says from where.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use sxd_xpath::Value;
use sxd_xpath::function::Error;
use sxd_xpath::nodeset::{Node, Nodeset};

use super::library::Call;
use super::order::Shared;
use crate::extract::xpath::ast::Axis;

/// `sweep('axis', E)`, `sweep('axis', E, 'namespace', 'local')`: the latter only elements of that name.
pub(super) fn sweep<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let word = call.text(0)?;
    let nodes = call.nodes(1)?;
    let names = if call.arguments.len() > 2 { Some((call.text(2)?, call.text(3)?)) } else { None };
    let mut sweep = Sweep {
        shared: call.shared,
        name: names.as_ref().map(|(namespace, local)| (&**namespace, &**local)),
        found: Nodeset::new(),
    };
    match Axis::ALL.iter().find(|axis| axis.word() == word) {
        Some(Axis::Descendant) => sweep.descendants(nodes, false)?,
        Some(Axis::DescendantOrSelf) => sweep.descendants(nodes, true)?,
        Some(Axis::Following) => sweep.following(nodes)?,
        Some(Axis::Preceding) => sweep.preceding(nodes)?,
        Some(Axis::FollowingSibling) => sweep.siblings(nodes, true)?,
        Some(Axis::PrecedingSibling) => sweep.siblings(nodes, false)?,
        Some(Axis::Ancestor) => sweep.ancestors(nodes, false)?,
        _ => sweep.ancestors(nodes, true)?,
    }
    Ok(Value::Nodeset(sweep.found))
}

struct Sweep<'s, 'd> {
    shared: &'s Shared,
    /// Namespace and local name, if only elements of one name are wanted.
    name: Option<(&'s str, &'s str)>,
    found: Nodeset<'d>,
}

impl<'d> Sweep<'_, 'd> {
    fn add(&mut self, node: Node<'d>) {
        let wanted = match (self.name, node) {
            (None, _) => true,
            (Some((namespace, local)), Node::Element(element)) => {
                let name = element.name();
                name.local_part() == local && name.namespace_uri().unwrap_or("") == namespace
            }
            _ => false,
        };
        if wanted {
            self.found.add(node);
        }
    }

    fn subtree(&mut self, top: Node<'d>) -> Result<(), Error> {
        let mut open = vec![top];
        while let Some(node) = open.pop() {
            self.shared.budget.charge(1)?;
            self.add(node);
            open.extend(node.children());
        }
        Ok(())
    }

    /// In document order, a node inside the subtree of an earlier one adds nothing.
    fn descendants(&mut self, nodes: &Nodeset<'d>, or_self: bool) -> Result<(), Error> {
        let mut covered_until = 0;
        for node in self.shared.sorted(nodes) {
            let id = self.shared.id(node);
            if matches!(node, Node::Attribute(_) | Node::Namespace(_)) {
                if or_self {
                    self.add(node);
                }
                continue;
            }
            if id < covered_until {
                continue;
            }
            covered_until = self.shared.end_of(id);
            if or_self {
                self.add(node);
            }
            for child in node.children() {
                self.subtree(child)?;
            }
        }
        Ok(())
    }

    /// All behind the subtree that ends first.
    fn following(&mut self, nodes: &Nodeset<'d>) -> Result<(), Error> {
        let first = nodes.iter().min_by_key(|&node| self.shared.end_of(self.shared.id(node)));
        let mut next = first;
        while let Some(node) = next {
            for sibling in node.following_siblings() {
                self.subtree(sibling)?;
            }
            next = node.parent();
        }
        Ok(())
    }

    /// All before the last node, but its ancestors.
    fn preceding(&mut self, nodes: &Nodeset<'d>) -> Result<(), Error> {
        let mut next = nodes.iter().max_by_key(|&node| self.shared.id(node));
        while let Some(node) = next {
            for sibling in node.preceding_siblings() {
                self.subtree(sibling)?;
            }
            next = node.parent();
        }
        Ok(())
    }

    /// Of each family, the siblings from its outermost member on.
    fn siblings(&mut self, nodes: &Nodeset<'d>, following: bool) -> Result<(), Error> {
        let mut outermost: FxHashMap<u32, Node<'d>> = FxHashMap::default();
        for node in nodes {
            if matches!(node, Node::Attribute(_) | Node::Namespace(_)) {
                continue;
            }
            let Some(parent) = node.parent() else { continue };
            match outermost.entry(self.shared.id(parent)) {
                Entry::Vacant(entry) => {
                    entry.insert(node);
                }
                Entry::Occupied(mut entry) => {
                    if (self.shared.id(node) < self.shared.id(*entry.get())) == following {
                        entry.insert(node);
                    }
                }
            }
        }
        for node in outermost.into_values() {
            let siblings = if following { node.following_siblings() } else { node.preceding_siblings() };
            self.shared.budget.charge(siblings.len())?;
            siblings.into_iter().for_each(|sibling| self.add(sibling));
        }
        Ok(())
    }

    /// Upwards from each node, until a node that an earlier way has passed.
    fn ancestors(&mut self, nodes: &Nodeset<'d>, or_self: bool) -> Result<(), Error> {
        let mut passed = rustc_hash::FxHashSet::default();
        for node in nodes {
            if or_self {
                self.add(node);
            }
            let mut next = node.parent();
            while let Some(ancestor) = next
                && passed.insert(self.shared.id(ancestor))
            {
                self.shared.budget.charge(1)?;
                self.add(ancestor);
                next = ancestor.parent();
            }
        }
        Ok(())
    }
}
