//! The document: an index arena, read-only once it is made.
//!
//! A node's id is its place in document order, so comparing two ids compares two places, and a subtree is a
//! contiguous range of ids. Attributes are not nodes here; they stand in one list, each element's side by side.

use html5ever::tendril::StrTendril;
pub use html5ever::{LocalName, Namespace, Prefix};

/// A node: its place in document order. 0 is the document itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// A node, or one of an element's attributes. The order is document order: an element, its attributes, its content
/// (XPath 1.0 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The node, or the element that has the attribute.
    pub node: NodeId,
    /// 0 for the node itself; from 1 for its attributes in the order they were written.
    pub attribute: u32,
}

impl Place {
    /// The document node.
    pub const ROOT: Place = Place { node: Document::ROOT, attribute: 0 };

    /// The node itself.
    pub fn of(node: NodeId) -> Place {
        Place { node, attribute: 0 }
    }
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// The document node, the root of XPath 1.0 (5.1).
    Document,
    /// An element.
    Element,
    /// Character data; two text nodes are never neighbours.
    Text,
    /// A comment.
    Comment,
    /// A processing instruction (XML only).
    ProcessingInstruction,
}

/// An element's or attribute's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The prefix as written, if any. In an HTML document it is a part of `local` (`xlink:href`), as in libxml2.
    pub prefix: Option<Prefix>,
    /// The namespace; empty if there is none. Always empty in an HTML document, SVG and MathML included, so that
    /// `//svg` finds what it says, as it does in libxml2.
    pub namespace: Namespace,
    /// The local part; HTML names are in lower case.
    pub local: LocalName,
}

/// One attribute.
#[derive(Debug, Clone)]
pub struct Attribute {
    /// Its name. Namespace declarations are not attributes (XPath 1.0 5.3) and do not appear here.
    pub name: Name,
    /// Its value, entities resolved.
    pub value: StrTendril,
}

/// A parsed page.
#[derive(Debug)]
pub struct Document {
    pub(super) nodes: Vec<Node>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) is_html: bool,
}

/// Links are ids; `NONE` stands for no node.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) parent: u32,
    pub(super) first_child: u32,
    pub(super) last_child: u32,
    pub(super) previous: u32,
    pub(super) next: u32,
    pub(super) data: NodeData,
}

#[derive(Debug, Clone)]
pub(super) enum NodeData {
    Document,
    Element { name: Name, attributes: (u32, u32) },
    Text(StrTendril),
    Comment(StrTendril),
    ProcessingInstruction { target: StrTendril, data: StrTendril },
}

pub(super) const NONE: u32 = u32::MAX;

fn link(id: u32) -> Option<NodeId> {
    (id != NONE).then_some(NodeId(id))
}

impl Document {
    /// The document node.
    pub const ROOT: NodeId = NodeId(0);

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// How many nodes there are, the document node included, attributes not.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is nothing but the document node.
    pub fn is_empty(&self) -> bool {
        self.nodes.len() <= 1
    }

    /// Whether it was parsed as HTML.
    pub fn is_html(&self) -> bool {
        self.is_html
    }

    /// What `id` is.
    pub fn kind(&self, id: NodeId) -> NodeKind {
        match self.node(id).data {
            NodeData::Document => NodeKind::Document,
            NodeData::Element { .. } => NodeKind::Element,
            NodeData::Text(_) => NodeKind::Text,
            NodeData::Comment(_) => NodeKind::Comment,
            NodeData::ProcessingInstruction { .. } => NodeKind::ProcessingInstruction,
        }
    }

    /// The parent; `None` for the document node.
    pub fn parent(&self, id: NodeId) -> Option<NodeId> {
        link(self.node(id).parent)
    }

    /// The first child.
    pub fn first_child(&self, id: NodeId) -> Option<NodeId> {
        link(self.node(id).first_child)
    }

    /// The last child.
    pub fn last_child(&self, id: NodeId) -> Option<NodeId> {
        link(self.node(id).last_child)
    }

    /// The sibling before.
    pub fn previous_sibling(&self, id: NodeId) -> Option<NodeId> {
        link(self.node(id).previous)
    }

    /// The sibling after.
    pub fn next_sibling(&self, id: NodeId) -> Option<NodeId> {
        link(self.node(id).next)
    }

    /// The children in document order.
    pub fn children(&self, id: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        std::iter::successors(self.first_child(id), |&child| self.next_sibling(child))
    }

    /// The first id after the content of `id`: its descendants are the ids between the two.
    pub fn subtree_end(&self, id: NodeId) -> NodeId {
        let with_next = std::iter::successors(Some(id), |&id| self.parent(id));
        let next = with_next.filter_map(|id| self.next_sibling(id)).next();
        next.unwrap_or(NodeId(u32::try_from(self.len()).unwrap_or(NONE)))
    }

    /// The attribute at a place, if it is one.
    pub fn attribute_at(&self, place: Place) -> Option<&Attribute> {
        let index = usize::try_from(place.attribute.checked_sub(1)?).ok()?;
        self.attributes(place.node).get(index)
    }

    /// The element's name; `None` for other nodes.
    pub fn name(&self, id: NodeId) -> Option<&Name> {
        match &self.node(id).data {
            NodeData::Element { name, .. } => Some(name),
            _ => None,
        }
    }

    /// The element's attributes in the order they were written; empty for other nodes.
    pub fn attributes(&self, id: NodeId) -> &[Attribute] {
        match self.node(id).data {
            NodeData::Element { attributes: (start, end), .. } => {
                &self.attributes[start as usize..end as usize]
            }
            _ => &[],
        }
    }

    /// The value of the attribute with this local name and no namespace.
    pub fn attribute(&self, id: NodeId, local: &str) -> Option<&str> {
        self.attributes(id)
            .iter()
            .find(|a| &*a.name.local == local && a.name.namespace.is_empty())
            .map(|a| &*a.value)
    }

    /// The name and content of each `meta` that has both, wherever it stands: crawlers and authors are not strict about
    /// the head.
    pub fn metas(&self) -> impl Iterator<Item = (&str, &str)> {
        let elements = (0..).zip(&self.nodes).filter_map(|(id, node)| match &node.data {
            NodeData::Element { name, .. } if &*name.local == "meta" => Some(NodeId(id)),
            _ => None,
        });
        elements.filter_map(|id| Some((self.attribute(id, "name")?, self.attribute(id, "content")?)))
    }

    /// The characters of a text, comment or processing instruction; empty for other nodes.
    pub fn text(&self, id: NodeId) -> &str {
        match &self.node(id).data {
            NodeData::Text(text) | NodeData::Comment(text) => text,
            NodeData::ProcessingInstruction { data, .. } => data,
            NodeData::Document | NodeData::Element { .. } => "",
        }
    }

    /// The target of a processing instruction.
    pub fn target(&self, id: NodeId) -> Option<&str> {
        match &self.node(id).data {
            NodeData::ProcessingInstruction { target, .. } => Some(target),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::document;
    use super::*;

    #[test]
    fn a_subtree_is_the_ids_up_to_its_end() {
        // 0 document, 1 a, 2 b, 3 text, 4 c, 5 d
        let document = document("<a><b>x</b><c><d/></c></a>");
        let end = |id| document.subtree_end(NodeId(id)).0;
        assert_eq!([end(0), end(1), end(2), end(3), end(4), end(5)], [6, 6, 4, 4, 6, 6]);
    }

    #[test]
    fn metas_are_found_in_head_and_body() {
        let document = document(
            "<html><meta name='a' content='b'/><meta name='c'/><p><meta name='d' content=''/></p></html>",
        );
        assert_eq!(document.metas().collect::<Vec<_>>(), [("a", "b"), ("d", "")]);
    }

    #[test]
    fn attributes_stand_between_their_element_and_its_content() {
        let document = document("<a x='1' y='2'><b/></a>");
        let attribute = |number| Place { node: NodeId(1), attribute: number };
        assert!(Place::of(NodeId(1)) < attribute(1) && attribute(2) < Place::of(NodeId(2)));
        assert_eq!(document.attribute_at(attribute(2)).map(|a| &*a.value), Some("2"));
        assert!(
            document.attribute_at(attribute(0)).is_none() && document.attribute_at(attribute(3)).is_none()
        );
    }
}
