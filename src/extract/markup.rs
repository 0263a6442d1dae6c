//! A page of markup as records see it: the one place that asks the XPath evaluator.

use std::borrow::Cow;

use super::ExtractLimits;
use super::budget::Budget;
use super::css::Css;
use super::sheet::Wanted;
use super::xpath::engine::{Index, Programs, Session, Store, Value};
use crate::html::{self, Document, Place};

/// A node or attribute.
pub(super) type Node = Place;

/// The elements of HTML that lead somewhere by an attribute.
const HAVE_ADDRESSES: [&str; 10] =
    ["a", "area", "link", "base", "img", "iframe", "frame", "script", "source", "embed"];

/// The page.
pub(super) struct Markup<'d> {
    session: Session<'d>,
    document: &'d Document,
    /// For CSS; the XPaths have as much again.
    budget: Budget,
}

impl<'d> Markup<'d> {
    pub(super) fn new(
        store: &'d Store,
        programs: &'d Programs,
        document: &'d Document,
        limits: ExtractLimits,
    ) -> Markup<'d> {
        let session = Session::new(programs, document, store, limits);
        Markup { session, document, budget: Budget::new(limits.steps) }
    }

    pub(super) fn evaluate(&self, index: Index, node: Node, wanted: Wanted) -> Result<Value, String> {
        match wanted {
            Wanted::First => self.session.evaluate_first(index, node),
            Wanted::All => self.session.evaluate(index, node),
        }
    }

    /// What a selector finds, in document order.
    pub(super) fn select(&self, css: &Css, node: Node) -> Result<Vec<Node>, String> {
        css.select(self.document, node, &self.budget).map_err(|error| error.to_string())
    }

    /// The string-value (XPath 1.0, 5).
    pub(super) fn text(&self, node: Node) -> Cow<'d, str> {
        self.session.string_value(node)
    }

    /// Whether it is a text of nothing but white space: the indentation between tags.
    pub(super) fn is_blank_text(&self, node: Node) -> bool {
        self.session.is_text(node) && self.text(node).trim().is_empty()
    }

    pub(super) fn outer_html(&self, node: Node) -> String {
        let mut markup = String::new();
        html::outer_html(self.document, node, &mut markup);
        markup
    }

    /// What a node says of where it leads: an element by its `href` or `src`, everything else by its string-value. A
    /// link or an image of HTML without either leads nowhere, whatever its text is.
    pub(super) fn link_text(&self, node: Node) -> Option<Cow<'d, str>> {
        if node.attribute == 0
            && let Some(name) = self.document.name(node.node)
        {
            let attribute = |name| self.document.attribute(node.node, name);
            if let Some(address) = attribute("href").or_else(|| attribute("src")) {
                return Some(Cow::Borrowed(address));
            }
            if self.document.is_html() && HAVE_ADDRESSES.contains(&&*name.local) {
                return None;
            }
        }
        Some(self.text(node))
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
