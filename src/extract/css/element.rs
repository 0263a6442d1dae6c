//! An element of the arena as the crate `selectors` wants to see it.
//!
//! It sees no further up than [`Page::top`], as parsel's selectors do, and every step to another node is paid from the
//! budget. When that is spent, all doors close: no parent, no sibling, no child, so that matching ends at once.

use std::fmt;

use selectors::OpaqueElement;
use selectors::attr::{AttrSelectorOperation, CaseSensitivity, NamespaceConstraint};
use selectors::bloom::BloomFilter;
use selectors::matching::{ElementSelectorFlags, MatchingContext};

use super::words::{Name, PseudoClass, PseudoElement, Value, Words};
use crate::extract::budget::Budget;
use crate::extract::regular::has_class;
use crate::html::dom::{Attribute, Document, NodeId, NodeKind};

/// What one evaluation looks at.
pub(super) struct Page<'d> {
    pub(super) document: &'d Document,
    pub(super) budget: &'d Budget,
    /// The uppermost element that selectors may see, or the document node.
    pub(super) top: NodeId,
}

/// An element of that page.
#[derive(Clone, Copy)]
pub(super) struct Element<'p> {
    pub(super) page: &'p Page<'p>,
    pub(super) node: NodeId,
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.local_name(), self.node.0)
    }
}

/// The identity of an element: the address of its name, which the arena holds beside the links.
pub(super) fn opaque(document: &Document, node: NodeId) -> Option<OpaqueElement> {
    document.name(node).map(OpaqueElement::new)
}

/// Whether an attribute is the one that a selector calls `wanted`. Namespaces are ignored; in HTML documents so is
/// case, which only matters for the few names that SVG writes with capitals.
pub(super) fn is_named(document: &Document, attribute: &Attribute, wanted: &Name) -> bool {
    let name = &attribute.name;
    name.local == wanted.0
        || (document.is_html() && name.local.eq_ignore_ascii_case(&wanted.0))
        || name.prefix.as_ref().is_some_and(|prefix| {
            wanted.0.split_once(':').is_some_and(|(p, local)| p == &**prefix && local == &*name.local)
        })
}

impl<'p> Element<'p> {
    fn document(&self) -> &'p Document {
        self.page.document
    }

    /// One step; `false` if there is no budget for it.
    fn pay(&self, steps: usize) -> bool {
        self.page.budget.charge(steps as u64).is_ok()
    }

    fn local_name(&self) -> &'p str {
        self.document().name(self.node).map_or("", |name| &name.local)
    }

    fn at(&self, node: NodeId) -> Element<'p> {
        Element { page: self.page, node }
    }

    /// The first element of a chain of siblings.
    fn first_element(&self, start: Option<NodeId>, next: impl Fn(NodeId) -> Option<NodeId>) -> Option<Self> {
        let mut node = start?;
        while self.pay(1) {
            if self.document().kind(node) == NodeKind::Element {
                return Some(self.at(node));
            }
            node = next(node)?;
        }
        None
    }

    fn attribute(&self, local: &str) -> Option<&'p str> {
        let attributes = self.document().attributes(self.node);
        attributes.iter().find(|attribute| &*attribute.name.local == local).map(|attribute| &*attribute.value)
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        names.contains(&self.local_name())
    }

    fn is_checked(&self) -> bool {
        match self.local_name() {
            "option" => self.attribute("selected").is_some(),
            "input" => {
                let kind = self.attribute("type").unwrap_or_default();
                let has_tick = ["checkbox", "radio"].iter().any(|name| kind.eq_ignore_ascii_case(name));
                has_tick && self.attribute("checked").is_some()
            }
            _ => false,
        }
    }

    fn is_control(&self) -> bool {
        self.is_one_of(&["button", "input", "select", "textarea", "optgroup", "option", "fieldset"])
    }

    /// Whether the text of the element, all that is in it included, contains `wanted`.
    fn contains(&self, wanted: &str) -> bool {
        let document = self.document();
        let end = document.subtree_end(self.node);
        let texts = || {
            let nodes = (self.node.0..end.0).map(NodeId);
            nodes.filter(|&node| document.kind(node) == NodeKind::Text).map(|node| document.text(node))
        };
        // Nodes and bytes are both work; 16 bytes are searched in the time of a step.
        let bytes: usize = texts().map(str::len).sum();
        if !self.pay((end.0 - self.node.0) as usize + bytes / 16) {
            return false;
        }
        let mut rest = texts();
        match (rest.next(), rest.next()) {
            (Some(only), None) => only.contains(wanted),
            // A word may stand across elements: `<b>4</b>9`.
            _ => texts().collect::<String>().contains(wanted),
        }
    }
}

impl selectors::Element for Element<'_> {
    type Impl = Words;

    fn opaque(&self) -> OpaqueElement {
        opaque(self.document(), self.node).expect("made of elements only")
    }

    fn parent_element(&self) -> Option<Self> {
        if self.node == self.page.top || !self.pay(1) {
            return None;
        }
        let parent = self.document().parent(self.node)?;
        (parent != Document::ROOT).then(|| self.at(parent))
    }

    fn parent_node_is_shadow_root(&self) -> bool {
        false
    }

    fn containing_shadow_host(&self) -> Option<Self> {
        None
    }

    fn is_pseudo_element(&self) -> bool {
        false
    }

    fn prev_sibling_element(&self) -> Option<Self> {
        let document = self.document();
        self.first_element(document.previous_sibling(self.node), |node| document.previous_sibling(node))
    }

    fn next_sibling_element(&self) -> Option<Self> {
        let document = self.document();
        self.first_element(document.next_sibling(self.node), |node| document.next_sibling(node))
    }

    fn first_element_child(&self) -> Option<Self> {
        let document = self.document();
        self.first_element(document.first_child(self.node), |node| document.next_sibling(node))
    }

    fn is_html_element_in_html_document(&self) -> bool {
        self.document().is_html()
    }

    fn has_local_name(&self, wanted: &Name) -> bool {
        let Some(name) = self.document().name(self.node) else { return false };
        // SVG names keep their capitals in HTML documents: `linearGradient`.
        name.local == wanted.0 || (self.document().is_html() && name.local.eq_ignore_ascii_case(&wanted.0))
    }

    fn has_namespace(&self, _: &Name) -> bool {
        true
    }

    fn is_same_type(&self, other: &Self) -> bool {
        let name = |element: &Self| element.document().name(element.node).map(|name| &name.local);
        name(self) == name(other)
    }

    fn attr_matches(
        &self,
        _: &NamespaceConstraint<&Name>,
        wanted: &Name,
        operation: &AttrSelectorOperation<&Value>,
    ) -> bool {
        let document = self.document();
        let attributes = document.attributes(self.node);
        self.pay(attributes.len())
            && attributes.iter().any(|attribute| {
                is_named(document, attribute, wanted)
                    && self.pay(attribute.value.len() / 64)
                    && operation.eval_str(&attribute.value)
            })
    }

    fn match_non_ts_pseudo_class(&self, class: &PseudoClass, _: &mut MatchingContext<'_, Words>) -> bool {
        match class {
            PseudoClass::Contains(text) => self.contains(text),
            PseudoClass::Link => self.is_link(),
            PseudoClass::Checked => self.is_checked(),
            PseudoClass::Disabled => self.is_control() && self.attribute("disabled").is_some(),
            PseudoClass::Enabled => self.is_control() && self.attribute("disabled").is_none(),
        }
    }

    fn match_pseudo_element(&self, _: &PseudoElement, _: &mut MatchingContext<'_, Words>) -> bool {
        false
    }

    fn apply_selector_flags(&self, _: ElementSelectorFlags) {}

    fn is_link(&self) -> bool {
        self.is_one_of(&["a", "area"]) && self.attribute("href").is_some()
    }

    fn is_html_slot_element(&self) -> bool {
        false
    }

    fn has_id(&self, id: &Name, case: CaseSensitivity) -> bool {
        let attributes = self.document().attributes(self.node);
        self.pay(attributes.len())
            && self.attribute("id").is_some_and(|value| case.eq(value.as_bytes(), id.0.as_bytes()))
    }

    /// Case is always kept: there is no quirks mode here.
    fn has_class(&self, class: &Name, _: CaseSensitivity) -> bool {
        let attributes = self.document().attributes(self.node);
        let Some(value) = self.attribute("class") else { return false };
        self.pay(attributes.len() + value.len() / 64) && has_class(value, &class.0)
    }

    fn has_custom_state(&self, _: &Name) -> bool {
        false
    }

    fn imported_part(&self, _: &Name) -> Option<Name> {
        None
    }

    fn is_part(&self, _: &Name) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        let document = self.document();
        let mut children = document.children(self.node);
        children
            .all(|child| self.pay(1) && !matches!(document.kind(child), NodeKind::Element | NodeKind::Text))
    }

    fn is_root(&self) -> bool {
        self.document().parent(self.node) == Some(Document::ROOT)
    }

    fn add_element_unique_hashes(&self, _: &mut BloomFilter) -> bool {
        false
    }
}
