//! CSS selectors: text ─▶ checked selectors, and the places of a document they select.
//!
//! Grammar and matching are those of the crate `selectors` (Selectors Level 4: `:is`, `:where`, `:not`, `:has`,
//! `:nth-child(2 of .x)`); this module is its only user, and cssparser's. What parsel adds is added here: `::text`,
//! `::attr(name)`, `:contains("x")`. Namespaces are ignored: a name means the local part.
//!
//! # What a selector sees
//!
//! As in parsel, the context element itself may match, and nothing above it is seen: within `div.item`, `::attr(id)` is
//! the item's own attribute first of all, and `.list a` finds nothing if `.list` stands around the item. `a ::text` is
//! all text inside of `a`, `a::text` what stands directly in it. Siblings of
//! the context count for `:nth-child` and the like, but are never selected unless asked for: `+ p`, `:scope ~ p`.

mod element;
mod hint;
mod parser;
#[cfg(test)]
mod proptests;
#[cfg(test)]
mod slips;
#[cfg(test)]
mod tests;
mod words;

use std::fmt;
use std::sync::Arc;

use selectors::matching::{
    MatchingContext, MatchingForInvalidation, MatchingMode, NeedsSelectorFlags, QuirksMode, SelectorCaches,
    matches_selector,
};
use selectors::parser::{Combinator, Component, Selector};

use super::budget::{Budget, TooMuchWork};
use crate::html::dom::{Document, NodeId, NodeKind, Place};
use crate::mistake::Slip;
use element::{Element, Page};
use words::{PseudoElement, Words};

/// A checked list of selectors.
#[derive(Debug, Clone)]
pub struct Css {
    source: Arc<str>,
    branches: Arc<[Branch]>,
}

/// One selector of the list.
#[derive(Debug)]
struct Branch {
    selector: Selector<Words>,
    /// It begins at the context and goes on with its siblings: `+ p`, `:scope ~ p`.
    is_beside: bool,
    /// Of `a ::text`: where `a` begins in the selector, read from its end.
    inside: Option<usize>,
}

impl Css {
    /// Checks `text`.
    ///
    /// # Errors
    ///
    /// What is wrong at which byte: grammar, unknown or interactive pseudo-classes, more than 4096 bytes, or more than
    /// 16 levels of brackets.
    pub fn parse(text: &str) -> Result<Css, Slip> {
        let selectors = parser::parse(text)?;
        let branch = |selector: Selector<Words>| Branch {
            is_beside: is_beside_scope(&selector),
            inside: start_of_inside(&selector),
            selector,
        };
        Ok(Css { source: text.into(), branches: selectors.into_iter().map(branch).collect() })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether all that it selects are elements: no selector ends with `::text` or `::attr()`.
    pub fn selects_elements(&self) -> bool {
        self.branches.iter().all(|branch| branch.selector.pseudo_element().is_none())
    }

    /// What it selects from `context`, in document order, each place once. A text, a comment or an attribute has
    /// nothing to select in it. From the document node, `:scope` is the root element.
    ///
    /// # Errors
    ///
    /// The budget is spent: a step is a node looked at.
    pub fn select(
        &self,
        document: &Document,
        context: Place,
        budget: &Budget,
    ) -> Result<Vec<Place>, TooMuchWork> {
        let is_tree = matches!(document.kind(context.node), NodeKind::Document | NodeKind::Element);
        let mut places = Vec::new();
        if context.attribute > 0 || !is_tree {
            return Ok(places);
        }
        for branch in &*self.branches {
            branch.select(document, context.node, budget, &mut places)?;
        }
        // The texts of an element stand around those of its children.
        if self.branches.len() > 1 || !self.selects_elements() {
            places.sort_unstable();
            places.dedup();
        }
        Ok(places)
    }
}

impl Branch {
    fn select(
        &self,
        document: &Document,
        context: NodeId,
        budget: &Budget,
        places: &mut Vec<Place>,
    ) -> Result<(), TooMuchWork> {
        let (top, start, end) = match document.parent(context) {
            Some(parent) if self.is_beside => {
                (parent, document.subtree_end(context), document.subtree_end(parent))
            }
            _ => (context, context, document.subtree_end(context)),
        };
        let page = Page { document, budget, top };
        let pseudo_element = self.selector.pseudo_element();
        let mode = match pseudo_element {
            Some(_) => MatchingMode::ForStatelessPseudoElement,
            None => MatchingMode::Normal,
        };
        let mut caches = SelectorCaches::default();
        let mut matching = MatchingContext::new(
            mode,
            None,
            &mut caches,
            QuirksMode::NoQuirks,
            NeedsSelectorFlags::No,
            MatchingForInvalidation::No,
        );
        matching.scope_element = element::opaque(document, context);
        for node in (start.0..end.0).map(NodeId) {
            budget.charge(1)?;
            if document.kind(node) != NodeKind::Element {
                continue;
            }
            let element = Element { page: &page, node };
            let mut matches = |offset| matches_selector(&self.selector, offset, None, element, &mut matching);
            if matches(0) || self.inside.is_some_and(matches) {
                take(document, node, pseudo_element, budget, places)?;
            }
        }
        // The last element may have been given up half-way.
        budget.charge(0)
    }
}

/// What the pseudo-element says of an element that matched.
fn take(
    document: &Document,
    node: NodeId,
    pseudo_element: Option<&PseudoElement>,
    budget: &Budget,
    places: &mut Vec<Place>,
) -> Result<(), TooMuchWork> {
    // A spent budget makes elements match that do not, inside `:not()`.
    budget.charge(1)?;
    match pseudo_element {
        None => places.push(Place::of(node)),
        Some(PseudoElement::Text) => {
            for child in document.children(node) {
                budget.charge(1)?;
                if document.kind(child) == NodeKind::Text {
                    places.push(Place::of(child));
                }
            }
        }
        Some(PseudoElement::Attribute(name)) => {
            let attributes = document.attributes(node);
            budget.charge(attributes.len() as u64)?;
            let named = |attribute| element::is_named(document, attribute, name);
            let numbered = (1..).zip(attributes).find(|(_, attribute)| named(attribute));
            places.extend(numbered.map(|(attribute, _)| Place { node, attribute }));
        }
    }
    Ok(())
}

/// Whether the first compound of a selector is `:scope`, written or understood, and a sibling follows.
fn is_beside_scope(selector: &Selector<Words>) -> bool {
    let mut is_scope = false;
    for component in selector.iter_raw_parse_order_from(0) {
        match component {
            Component::Scope | Component::ImplicitScope => is_scope = true,
            Component::Combinator(combinator) => {
                return is_scope && matches!(combinator, Combinator::NextSibling | Combinator::LaterSibling);
            }
            _ => {}
        }
    }
    false
}

/// In `a ::text` and `a *::attr(x)`, as parsel reads them, the texts and attributes of the `a` itself are also inside
/// it. Where such a selector goes on before the blank; `None` if it is none of these.
fn start_of_inside(selector: &Selector<Words>) -> Option<usize> {
    selector.pseudo_element()?;
    let mut is_any = true;
    for (offset, component) in selector.iter_raw_match_order().enumerate() {
        match component {
            Component::PseudoElement(_) | Component::Combinator(Combinator::PseudoElement) => {}
            Component::ExplicitUniversalType => {}
            Component::Combinator(Combinator::Descendant) if is_any => return Some(offset + 1),
            Component::Combinator(_) => return None,
            _ => is_any = false,
        }
    }
    None
}

impl PartialEq for Css {
    fn eq(&self, other: &Css) -> bool {
        self.source == other.source
    }
}

impl fmt::Display for Css {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}
