//! Document ─▶ sxd-document, node by node in document order, each text in one piece.

use std::time::Instant;

use sxd_document::QName;
use sxd_document::dom;
use sxd_xpath::nodeset::Node;

use super::Needs;
use super::order::Shared;
use crate::extract::xpath::XML_NAMESPACE;
use crate::html::dom::{Name, NodeKind};
use crate::html::{Document, NodeId};

/// Copies `from` into the empty document `to`.
///
/// sxd has room for one element beside comments and processing instructions at the root. What else stands there in
/// text that is not well-formed is left out with all below it, as libxml2 does.
///
/// Gives what is known of the nodes, and the copies by the ids of their originals.
pub(super) fn copy<'d>(
    from: &Document,
    to: dom::Document<'d>,
    needs: Needs,
    deadline: Instant,
) -> (Shared, Vec<Option<Node<'d>>>) {
    let mut copier = Copier {
        from,
        to,
        needs,
        shared: Shared::new(ends(from), from.is_html(), deadline),
        nodes: vec![None; from.len()],
    };
    copier.shared.begin();
    copier.shared.place_node(to.root(), Document::ROOT.0);
    copier.nodes[0] = Some(to.root().into());
    let mut has_element = false;
    for id in 1..from.len() as u32 {
        let node = NodeId(id);
        copier.shared.begin();
        match (from.parent(node).and_then(|parent| copier.nodes[parent.0 as usize]), from.kind(node)) {
            (Some(Node::Root(_)), NodeKind::Element) if has_element => {}
            (Some(Node::Root(root)), kind) => {
                has_element |= kind == NodeKind::Element;
                copier.append(node, Parent::Root(root));
            }
            (Some(Node::Element(parent)), _) => copier.append(node, Parent::Element(parent)),
            _ => {}
        }
    }
    copier.shared.end();
    (copier.shared, copier.nodes)
}

/// By node: the id behind its last descendant. Backwards, the last child's is known before the parent's.
fn ends(document: &Document) -> Vec<u32> {
    let mut ends = vec![0; document.len()];
    for id in (0..document.len() as u32).rev() {
        let last = document.last_child(NodeId(id));
        ends[id as usize] = last.map_or(id + 1, |child| ends[child.0 as usize]);
    }
    ends
}

#[derive(Clone, Copy)]
enum Parent<'d> {
    Root(dom::Root<'d>),
    Element(dom::Element<'d>),
}

struct Copier<'a, 'd> {
    from: &'a Document,
    to: dom::Document<'d>,
    needs: Needs,
    shared: Shared,
    nodes: Vec<Option<Node<'d>>>,
}

impl<'d> Copier<'_, 'd> {
    fn append(&mut self, node: NodeId, parent: Parent<'d>) {
        match self.from.kind(node) {
            NodeKind::Document => {}
            NodeKind::Element => self.element(node, parent),
            NodeKind::Text => {
                // White space between the elements at the root is no text node (5.1).
                if let Parent::Element(parent) = parent {
                    let text = self.to.create_text(self.from.text(node));
                    parent.append_child(text);
                    self.shared.place_node(text, node.0);
                    self.nodes[node.0 as usize] = Some(text.into());
                    self.shared.add_text(self.from.text(node));
                }
            }
            NodeKind::Comment => {
                let comment = self.to.create_comment(self.from.text(node));
                match parent {
                    Parent::Root(root) => root.append_child(comment),
                    Parent::Element(element) => element.append_child(comment),
                }
                self.shared.place_node(comment, node.0);
                self.nodes[node.0 as usize] = Some(comment.into());
            }
            NodeKind::ProcessingInstruction => {
                let target = self.from.target(node).unwrap_or("");
                let pi = self.to.create_processing_instruction(target, Some(self.from.text(node)));
                match parent {
                    Parent::Root(root) => root.append_child(pi),
                    Parent::Element(element) => element.append_child(pi),
                }
                self.shared.place_node(pi, node.0);
                self.nodes[node.0 as usize] = Some(pi.into());
            }
        }
    }

    fn element(&mut self, node: NodeId, parent: Parent<'d>) {
        let Some(name) = self.from.name(node) else { return };
        let element = self.to.create_element(qname(name));
        element.set_preferred_prefix(name.prefix.as_deref());
        match parent {
            Parent::Root(root) => root.append_child(element),
            Parent::Element(parent) => parent.append_child(element),
        }
        self.shared.place_node(element, node.0);
        self.nodes[node.0 as usize] = Some(element.into());
        if self.needs.namespaces {
            declare(element, name);
        }
        for (index, attribute) in self.from.attributes(node).iter().enumerate() {
            let copied = element.set_attribute_value(qname(&attribute.name), &attribute.value);
            copied.set_preferred_prefix(attribute.name.prefix.as_deref());
            self.shared.place_attribute(copied, node.0, index);
            if self.needs.namespaces && attribute.name.prefix.is_some() {
                declare(element, &attribute.name);
            }
            if self.needs.ids && is_id(&attribute.name, self.from.is_html()) {
                self.shared.ids.entry(attribute.value.to_string()).or_insert(node.0);
            }
        }
    }
}

pub(super) fn qname(name: &Name) -> QName<'_> {
    let namespace = Some(&*name.namespace).filter(|namespace| !namespace.is_empty());
    QName::with_namespace_uri(namespace, &name.local)
}

/// Declares the namespace of a name where it is not yet in scope. The document no longer knows where it was declared,
/// so that the namespace axis has those that names use. An empty name takes the default namespace back.
fn declare(element: dom::Element<'_>, name: &Name) {
    let prefix = name.prefix.as_deref().unwrap_or("");
    let in_scope = element.namespace_uri_for_prefix(prefix).unwrap_or("");
    if *in_scope != *name.namespace && prefix != "xml" {
        element.register_prefix(prefix, &name.namespace);
    }
}

/// HTML has ids of its own (DOM 4.9); in XML without a DTD there is only `xml:id`.
fn is_id(name: &Name, is_html: bool) -> bool {
    let is_xml_id = &*name.local == "id" && &*name.namespace == XML_NAMESPACE;
    is_xml_id || (is_html && (&*name.local == "id" || &*name.local == "xml:id") && name.namespace.is_empty())
}
