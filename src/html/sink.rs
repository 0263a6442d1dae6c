//! The tree builder's hands: html5ever says what to create and where it goes, [`Sink`] does it in the arena.
//!
//! Names lose their namespace here (see `dom`), while the tree builder still sees it: it travels in the [`Handle`],
//! beside the name, so that html5ever's many walks over its open elements never touch the arena.

use std::borrow::Cow;
use std::cell::RefCell;

use html5ever::interface::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tree_builder::ElemName;
use html5ever::{Attribute as TokenAttribute, LocalName, Namespace, QualName, ns};

use super::Limits;
use super::dom::{Attribute, Document, Name, NodeData};

/// A node as the tree builder knows it.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    id: u32,
    space: Space,
    /// MathML's `annotation-xml` that holds HTML.
    holds_html: bool,
    local: LocalName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    /// Not an element.
    None,
    Html,
    Svg,
    MathMl,
}

static NO_SPACE: Namespace = ns!();
static HTML: Namespace = ns!(html);
static SVG: Namespace = ns!(svg);
static MATH_ML: Namespace = ns!(mathml);

impl ElemName for &Handle {
    fn ns(&self) -> &Namespace {
        match self.space {
            Space::None => &NO_SPACE,
            Space::Html => &HTML,
            Space::Svg => &SVG,
            Space::MathMl => &MATH_ML,
        }
    }

    fn local_name(&self) -> &LocalName {
        &self.local
    }
}

impl Handle {
    fn of_node(id: u32) -> Handle {
        Handle { id, space: Space::None, holds_html: false, local: LocalName::default() }
    }

    /// The name if it is an HTML element.
    pub(super) fn html_name(&self) -> Option<&LocalName> {
        (self.space == Space::Html).then_some(&self.local)
    }

    pub(super) fn is_element(&self) -> bool {
        self.space != Space::None
    }
}

/// Builds the arena.
pub(super) struct Sink {
    document: RefCell<Document>,
    /// Attributes of a second `<html>` or `<body>`, which arrive when others stand behind the element's own.
    late: RefCell<Vec<(u32, Attribute)>>,
    attribute_limit: usize,
}

impl Sink {
    pub(super) fn new(bytes: usize, limits: &Limits) -> Sink {
        Sink {
            document: RefCell::new(Document::empty(true, bytes)),
            late: RefCell::default(),
            attribute_limit: limits.attributes,
        }
    }

    /// Nodes made so far, the lost ones included.
    pub(super) fn node_count(&self) -> usize {
        self.document.borrow().nodes.len()
    }

    pub(super) fn attribute_count(&self) -> usize {
        self.document.borrow().attributes.len()
    }

    fn put(
        &self,
        child: NodeOrText<Handle>,
        node: impl Fn(&mut Document, u32),
        text: impl Fn(&mut Document, StrTendril),
    ) {
        let document = &mut self.document.borrow_mut();
        match child {
            NodeOrText::AppendNode(child) => {
                // Foster parenting may hand in a node that still stands elsewhere.
                document.detach(child.id);
                node(document, child.id);
            }
            NodeOrText::AppendText(characters) => text(document, characters),
        }
    }
}

/// An attribute as XPath meets it: without namespace, its prefix a part of its name, as libxml2 keeps it. So
/// `xlink:href` inside `<svg>` is not mistaken for `href`, and is found as `@*[name()="xlink:href"]`.
fn plain(attribute: TokenAttribute) -> Attribute {
    let QualName { prefix, local, .. } = attribute.name;
    let local = match prefix {
        Some(prefix) if !prefix.is_empty() => LocalName::from(format!("{}:{}", &*prefix, &*local)),
        _ => local,
    };
    Attribute { name: Name { prefix: None, namespace: ns!(), local }, value: attribute.value }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a> = &'a Handle;

    fn finish(self) -> Document {
        let mut document = self.document.into_inner();
        add_late_attributes(&mut document, &self.late.into_inner());
        if document.is_in_order() { document } else { document.renumber() }
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle::of_node(0)
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> &'a Handle {
        target
    }

    fn create_element(&self, name: QualName, attrs: Vec<TokenAttribute>, flags: ElementFlags) -> Handle {
        let document = &mut self.document.borrow_mut();
        let start = document.attributes.len();
        document.attributes.extend(attrs.into_iter().take(self.attribute_limit).map(plain));
        let attributes = (start as u32, document.attributes.len() as u32);
        let id = document.make(NodeData::Element {
            name: Name { prefix: None, namespace: ns!(), local: name.local.clone() },
            attributes,
        });
        let space = match name.ns {
            ns!(svg) => Space::Svg,
            ns!(mathml) => Space::MathMl,
            _ => Space::Html,
        };
        Handle { id, space, holds_html: flags.mathml_annotation_xml_integration_point, local: name.local }
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        Handle::of_node(self.document.borrow_mut().make(NodeData::Comment(text)))
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        Handle::of_node(self.document.borrow_mut().make(NodeData::ProcessingInstruction { target, data }))
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        self.put(child, |d, child| d.append(parent.id, child), |d, text| d.append_text(parent.id, text));
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        self.put(
            child,
            |d, child| d.insert_before(sibling.id, child),
            |d, text| d.insert_text_before(sibling.id, text),
        );
    }

    fn append_based_on_parent_node(&self, element: &Handle, previous: &Handle, child: NodeOrText<Handle>) {
        let has_parent = self.document.borrow().parent(super::NodeId(element.id)).is_some();
        if has_parent {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(&self, _name: StrTendril, _public: StrTendril, _system: StrTendril) {}

    /// What is in a template are its children here, so that XPath finds it.
    fn get_template_contents(&self, target: &Handle) -> Handle {
        target.clone()
    }

    fn same_node(&self, x: &Handle, y: &Handle) -> bool {
        x.id == y.id
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn add_attrs_if_missing(&self, target: &Handle, attrs: Vec<TokenAttribute>) {
        let document = self.document.borrow();
        let own = document.attributes(super::NodeId(target.id));
        let mut late = self.late.borrow_mut();
        for attribute in attrs {
            let attribute = plain(attribute);
            let others = late.iter().filter(|(id, _)| *id == target.id).map(|(_, a)| a);
            let is_known = own.iter().chain(others).any(|a| a.name.local == attribute.name.local);
            // There are two such elements at most, so the list stays short and the search cheap.
            if !is_known && late.len() < self.attribute_limit {
                late.push((target.id, attribute));
            }
        }
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.document.borrow_mut().detach(target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.document.borrow_mut().move_children(node.id, new_parent.id);
    }

    fn is_mathml_annotation_xml_integration_point(&self, handle: &Handle) -> bool {
        handle.holds_html
    }

    // `maybe_clone_an_option_into_selectedcontent` is left as it is: a copy of an option made for display would be
    // found twice.

    /// A shadow root is a template like any other here.
    fn allow_declarative_shadow_roots(&self, _intended_parent: &Handle) -> bool {
        false
    }
}

/// Moves the attributes of each element that got late ones to the end of the list, where there is room.
fn add_late_attributes(document: &mut Document, late: &[(u32, Attribute)]) {
    let mut targets: Vec<u32> = late.iter().map(|(id, _)| *id).collect();
    targets.sort_unstable();
    targets.dedup();
    for target in targets {
        let start = document.attributes.len() as u32;
        let own = document.attributes(super::NodeId(target)).to_vec();
        document.attributes.extend(own);
        document.attributes.extend(late.iter().filter(|(id, _)| *id == target).map(|(_, a)| a.clone()));
        let end = document.attributes.len() as u32;
        if let NodeData::Element { attributes, .. } = &mut document.nodes[target as usize].data {
            *attributes = (start, end);
        }
    }
}
