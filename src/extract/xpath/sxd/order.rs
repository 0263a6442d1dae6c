//! What is known of a page beside its nodes: document order, string-values, ranks, the work done.
//!
//! Functions registered with sxd must be `'static` and cannot hold nodes, so all of this is keyed by the address a
//! node hashes as. Made once per page and shared by all functions.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};
use std::rc::Rc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use sxd_xpath::function::Error;
use sxd_xpath::nodeset::{Node, Nodeset};

use crate::extract::xpath::patterns::Patterns;

/// A place in document order (5): the id of the element or other node in the upper half; the namespaces and then the
/// attributes of an element are told apart by the lower half.
pub(super) type Order = u64;

const FIRST_NAMESPACE: Order = 1;
const FIRST_ATTRIBUTE: Order = 1 << 24;

pub(super) struct Shared {
    /// Address ─▶ place.
    order: FxHashMap<usize, Order>,
    /// The texts of the page, one behind another.
    text: String,
    /// By node id: where its text begins in `text`. One more than there are nodes.
    text_starts: Vec<usize>,
    /// By node id: the id behind its last descendant.
    ends: Vec<u32>,
    pub(super) is_html: bool,
    /// Id ─▶ the node that has it, if an expression asks for ids.
    pub(super) ids: FxHashMap<String, u32>,
    pub(super) budget: Budget,
    /// The sets that filters count in.
    pub(super) ranks: RefCell<Vec<Rank>>,
    /// Those of `re:test` and its like, which outlive the page.
    pub(super) patterns: Rc<Patterns>,
}

/// The places of the nodes in one set, from 1.
#[derive(Default)]
pub(super) struct Rank {
    pub(super) places: FxHashMap<Order, usize>,
}

impl Shared {
    pub(super) fn new(ends: Vec<u32>, is_html: bool, deadline: Instant) -> Shared {
        Shared {
            order: FxHashMap::with_capacity_and_hasher(ends.len() * 2, Default::default()),
            text: String::new(),
            text_starts: Vec::with_capacity(ends.len() + 1),
            ends,
            is_html,
            ids: FxHashMap::default(),
            budget: Budget::new(deadline),
            ranks: RefCell::default(),
            patterns: Rc::default(),
        }
    }

    /// Notes the next node of the document; its descendants come behind it.
    pub(super) fn begin(&mut self) {
        self.text_starts.push(self.text.len());
    }

    /// Ends the document.
    pub(super) fn end(&mut self) {
        self.text_starts.push(self.text.len());
    }

    pub(super) fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn place_node(&mut self, node: impl Hash, id: u32) {
        self.order.insert(address(node), Order::from(id) << 32);
    }

    pub(super) fn place_attribute(&mut self, node: impl Hash, id: u32, index: usize) {
        self.order.insert(address(node), (Order::from(id) << 32) + FIRST_ATTRIBUTE + index as Order);
    }

    /// Where a node stands. A node that was never placed cannot come out of an expression; it would stand last.
    pub(super) fn order(&self, node: Node<'_>) -> Order {
        let address = match node {
            Node::Root(n) => address(n),
            Node::Element(n) => address(n),
            Node::Attribute(n) => address(n),
            Node::Text(n) => address(n),
            Node::Comment(n) => address(n),
            Node::ProcessingInstruction(n) => address(n),
            Node::Namespace(n) => {
                let before = n.parent().namespaces_in_scope();
                let before = before.iter().filter(|other| other.prefix() < n.prefix()).count();
                return self.order(Node::Element(n.parent())) + FIRST_NAMESPACE + before as Order;
            }
        };
        self.order.get(&address).copied().unwrap_or(Order::MAX)
    }

    /// The id of the node or of the element that has it, with 0 for a node and the number from 1 for an attribute.
    pub(super) fn node_and_attribute(&self, node: Node<'_>) -> Option<(u32, u32)> {
        let attribute = match node {
            Node::Namespace(_) => return None,
            Node::Attribute(_) => (self.order(node) & Order::from(u32::MAX)) - FIRST_ATTRIBUTE + 1,
            _ => 0,
        };
        Some((self.id(node), attribute as u32))
    }

    /// The id of the node, or of the element it is an attribute or namespace of.
    pub(super) fn id(&self, node: Node<'_>) -> u32 {
        (self.order(node) >> 32) as u32
    }

    /// Where the node stands in the document that was copied.
    pub(super) fn place(&self, node: Node<'_>) -> crate::html::Place {
        let order = self.order(node);
        let attribute = (order & u64::from(u32::MAX)).checked_sub(FIRST_ATTRIBUTE);
        let attribute = attribute.and_then(|index| u32::try_from(index + 1).ok()).unwrap_or(0);
        crate::html::Place { node: crate::html::NodeId((order >> 32) as u32), attribute }
    }

    /// The id behind the last descendant.
    pub(super) fn end_of(&self, id: u32) -> u32 {
        self.ends.get(id as usize).copied().unwrap_or(u32::MAX)
    }

    pub(super) fn first<'d>(&self, nodes: &Nodeset<'d>) -> Option<Node<'d>> {
        if nodes.size() < 2 { nodes.iter().next() } else { nodes.iter().min_by_key(|&node| self.order(node)) }
    }

    pub(super) fn sorted<'d>(&self, nodes: &Nodeset<'d>) -> Vec<Node<'d>> {
        let mut sorted: Vec<Node<'d>> = nodes.iter().collect();
        if sorted.len() > 1 {
            sorted.sort_by_cached_key(|&node| self.order(node));
        }
        sorted
    }

    /// The string-value (5): for elements a slice of the page's text, since descendants are neighbours there.
    pub(super) fn string_value<'a, 'd: 'a>(&'a self, node: Node<'d>) -> &'a str {
        match node {
            Node::Root(_) | Node::Element(_) => {
                let id = self.id(node);
                let range =
                    (self.text_starts.get(id as usize), self.text_starts.get(self.end_of(id) as usize));
                match range {
                    (Some(&start), Some(&end)) => &self.text[start..end],
                    _ => "",
                }
            }
            Node::Attribute(n) => n.value(),
            Node::Text(n) => n.text(),
            Node::Comment(n) => n.text(),
            Node::ProcessingInstruction(n) => n.value().unwrap_or(""),
            Node::Namespace(n) => n.uri(),
        }
    }
}

/// The address of a node, got out of the way it hashes: sxd-document hashes nothing but the pointer.
fn address(node: impl Hash) -> usize {
    struct Catch(usize);
    impl Hasher for Catch {
        fn finish(&self) -> u64 {
            self.0 as u64
        }
        fn write(&mut self, _: &[u8]) {}
        fn write_usize(&mut self, address: usize) {
            self.0 = address;
        }
    }
    let mut catch = Catch(0);
    node.hash(&mut catch);
    catch.0
}

/// What a predicate that may walk the page is charged: the clock is read each 16th time.
pub(super) const TICK: usize = CLOCK_INTERVAL / 16;
/// What an evaluation is charged.
pub(super) const EVALUATION: usize = CLOCK_INTERVAL / 64;
const CLOCK_INTERVAL: usize = 1024;

/// Work that may still be done, in time. The clock is read only once per [`CLOCK_INTERVAL`] units of work.
pub(super) struct Budget {
    deadline: Instant,
    since_clock: Cell<usize>,
    spent: Cell<bool>,
}

impl Budget {
    fn new(deadline: Instant) -> Budget {
        Budget { deadline, since_clock: Cell::new(0), spent: Cell::new(false) }
    }

    /// Whether the time ran out.
    pub(super) fn is_spent(&self) -> bool {
        self.spent.get()
    }

    /// Counts work.
    ///
    /// # Errors
    ///
    /// The time ran out, now or before.
    pub(super) fn charge(&self, units: usize) -> Result<(), Error> {
        let count = self.since_clock.get() + units;
        if count < CLOCK_INTERVAL {
            self.since_clock.set(count);
        } else {
            self.since_clock.set(0);
            if Instant::now() >= self.deadline {
                self.spent.set(true);
            }
        }
        if self.spent.get() { Err(Error::Other("the time ran out".to_owned())) } else { Ok(()) }
    }
}
