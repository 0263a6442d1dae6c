//! Document order: the id of a node is its place in the document, whatever the way it came there.
//!
//! HTML parsing mostly makes nodes in document order, but misnested formatting and stray content of tables are moved
//! afterwards. Such documents are numbered again in one walk.

use super::dom::{Document, NONE, NodeData};

impl Document {
    /// Whether ids are in document order with none left out. One look at each node, a few per cent of the parsing.
    pub(super) fn is_in_order(&self) -> bool {
        let mut at = 0;
        for expected in 1..self.nodes.len() {
            at = self.following(at);
            if at as usize != expected {
                return false;
            }
        }
        self.following(at) == NONE
    }

    /// The node after `id` in document order.
    fn following(&self, mut id: u32) -> u32 {
        let child = self.nodes[id as usize].first_child;
        if child != NONE {
            return child;
        }
        while id != NONE {
            let node = &self.nodes[id as usize];
            if node.next != NONE {
                return node.next;
            }
            id = node.parent;
        }
        NONE
    }

    /// The same tree with its ids in document order. Nodes that stand nowhere are dropped, and texts that have become
    /// neighbours are joined.
    pub(super) fn renumber(mut self) -> Document {
        let mut ordered = Document::empty(self.is_html, 0);
        ordered.nodes.reserve(self.nodes.len());
        ordered.attributes = std::mem::take(&mut self.attributes);
        let mut new_ids = vec![0_u32; self.nodes.len()];
        let mut old = self.following(0);
        while old != NONE {
            let parent = new_ids[self.nodes[old as usize].parent as usize];
            match std::mem::replace(&mut self.nodes[old as usize].data, NodeData::Document) {
                NodeData::Text(text) => ordered.append_text(parent, text),
                data => {
                    let new = ordered.make(data);
                    ordered.append(parent, new);
                    new_ids[old as usize] = new;
                }
            }
            old = self.following(old);
        }
        ordered
    }
}

#[cfg(test)]
mod tests {
    use super::super::build::tests::check_links;
    use super::*;

    fn comments(texts: &[&str]) -> Document {
        let mut document = Document::empty(true, 0);
        for &text in texts {
            let id = document.make(NodeData::Comment(text.into()));
            document.append(0, id);
        }
        document
    }

    #[test]
    fn nodes_made_one_after_the_other_are_in_order() {
        assert!(Document::empty(true, 0).is_in_order());
        assert!(comments(&["a", "b"]).is_in_order());
    }

    #[test]
    fn a_moved_node_is_numbered_again() {
        let mut document = comments(&["a", "b"]);
        document.detach(1);
        document.append(0, 1);
        assert!(!document.is_in_order());
        let document = document.renumber();
        check_links(&document);
        let texts: Vec<&str> = document.children(Document::ROOT).map(|id| document.text(id)).collect();
        assert_eq!(texts, ["b", "a"]);
    }

    #[test]
    fn a_lost_node_is_dropped_and_the_texts_beside_it_are_joined() {
        let mut document = Document::empty(true, 0);
        document.append_text(0, "one ".into());
        let lost = document.make(NodeData::Comment("lost".into()));
        document.append(0, lost);
        document.append_text(0, "text".into());
        document.detach(lost);
        assert!(!document.is_in_order(), "a node that stands nowhere has an id");
        let document = document.renumber();
        check_links(&document);
        assert_eq!(document.len(), 2);
        assert_eq!(document.text(crate::html::NodeId(1)), "one text");
    }
}
