//! A page of markup as records see it: the one place that asks the XPath evaluator.

use super::ExtractLimits;
use super::xpath::sxd::{Index, Nodes, Page, Place, Program, Store, Value};
use crate::html::{self, Document};

/// A node or attribute.
pub(super) type Node<'d> = Place<'d>;

/// What an XPath found.
pub(super) enum Found<'d> {
    /// Nodes and attributes.
    Nodes(Nodes<'d>),
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

/// The page.
pub(super) struct Markup<'d> {
    page: Page<'d>,
    document: &'d Document,
}

impl<'d> Markup<'d> {
    pub(super) fn new(
        store: &'d Store,
        program: &'d Program,
        document: &'d Document,
        limits: ExtractLimits,
    ) -> Markup<'d> {
        Markup { page: Page::new(store, program, document, limits.time), document }
    }

    pub(super) fn root(&self) -> Node<'d> {
        self.page.root()
    }

    pub(super) fn evaluate(&self, index: Index, node: Node<'d>) -> Result<Found<'d>, String> {
        Ok(match self.page.evaluate(index, node)? {
            Value::Nodes(nodes) => Found::Nodes(nodes),
            Value::String(text) => Found::String(text),
            Value::Number(number) => Found::Number(number),
            Value::Boolean(truth) => Found::Boolean(truth),
        })
    }

    /// The first one in document order.
    pub(super) fn first(&self, nodes: &Nodes<'d>) -> Option<Node<'d>> {
        self.page.first(nodes)
    }

    /// All in document order.
    pub(super) fn sorted(&self, nodes: &Nodes<'d>) -> Vec<Node<'d>> {
        self.page.sorted(nodes)
    }

    /// The string-value (XPath 1.0, 5).
    pub(super) fn text(&self, node: Node<'d>) -> &str {
        self.page.string_value(node)
    }

    /// Whether it is a text of nothing but white space: the indentation between tags.
    pub(super) fn is_blank_text(&self, node: Node<'d>) -> bool {
        node.is_text() && self.text(node).trim().is_empty()
    }

    pub(super) fn outer_html(&self, node: Node<'d>) -> String {
        let mut markup = String::new();
        html::outer_html(self.document, self.page.place(node), &mut markup);
        markup
    }

    /// `href` of the first `base` that has one (WHATWG HTML 4.2.3). Only HTML has it.
    pub(super) fn base_href(&self) -> Option<&str> {
        if !self.document.is_html() {
            return None;
        }
        let mut ids = (0..self.document.len()).filter_map(|id| u32::try_from(id).ok()).map(html::NodeId);
        ids.find_map(|id| {
            let is_base = self.document.name(id).is_some_and(|name| &*name.local == "base");
            if is_base { self.document.attribute(id, "href") } else { None }
        })
    }
}
