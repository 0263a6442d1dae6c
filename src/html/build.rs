//! Putting a document together: nodes are made in the arena and linked.
//!
//! Shared by the HTML and the XML side. Ids are places of creation here; `order` makes them places in the document
//! where the two differ.

use html5ever::tendril::StrTendril;

use super::dom::{Document, NONE, Node, NodeData};

impl Document {
    /// A document of the document node alone, with room for what `bytes` of markup usually hold.
    pub(super) fn empty(is_html: bool, bytes: usize) -> Document {
        // Saved pages have a node per 20 to 60 bytes and an attribute per 50 to 100; more room than needed costs
        // address space only.
        let mut nodes = Vec::with_capacity((bytes / 24).clamp(16, 100_000));
        nodes.push(Node::new(NodeData::Document));
        Document { nodes, attributes: Vec::with_capacity((bytes / 48).clamp(16, 100_000)), is_html }
    }

    /// Makes a node that stands nowhere yet.
    pub(super) fn make(&mut self, data: NodeData) -> u32 {
        // The limit on nodes is looked at every few kilobytes, so this cannot be far beyond it.
        let id =
            u32::try_from(self.nodes.len()).expect("fewer nodes than bytes of text, which fit in 32 bits");
        self.nodes.push(Node::new(data));
        id
    }

    /// Makes `child`, which stands nowhere, the last child of `parent`.
    pub(super) fn append(&mut self, parent: u32, child: u32) {
        let last = std::mem::replace(&mut self.nodes[parent as usize].last_child, child);
        match last {
            NONE => self.nodes[parent as usize].first_child = child,
            last => self.nodes[last as usize].next = child,
        }
        let node = &mut self.nodes[child as usize];
        node.parent = parent;
        node.previous = last;
    }

    /// Adds `text` at the end of `parent`, to the text that is there if there is one.
    pub(super) fn append_text(&mut self, parent: u32, text: StrTendril) {
        if text.is_empty() {
            return;
        }
        let last = self.nodes[parent as usize].last_child;
        if let Some(text) = self.merge(last, text) {
            let child = self.make(NodeData::Text(text));
            self.append(parent, child);
        }
    }

    /// Puts `child`, which stands nowhere, before `sibling`, which has a parent.
    pub(super) fn insert_before(&mut self, sibling: u32, child: u32) {
        let (parent, previous) = {
            let sibling = &mut self.nodes[sibling as usize];
            (sibling.parent, std::mem::replace(&mut sibling.previous, child))
        };
        match previous {
            NONE => self.nodes[parent as usize].first_child = child,
            previous => self.nodes[previous as usize].next = child,
        }
        let node = &mut self.nodes[child as usize];
        (node.parent, node.previous, node.next) = (parent, previous, sibling);
    }

    /// Puts `text` before `sibling`, into the text that is there if there is one.
    pub(super) fn insert_text_before(&mut self, sibling: u32, text: StrTendril) {
        let previous = self.nodes[sibling as usize].previous;
        if let Some(text) = self.merge(previous, text) {
            let child = self.make(NodeData::Text(text));
            self.insert_before(sibling, child);
        }
    }

    /// Takes `child` and what is in it out of the tree; it stays in the arena.
    pub(super) fn detach(&mut self, child: u32) {
        let node = &mut self.nodes[child as usize];
        let (parent, previous, next) = (node.parent, node.previous, node.next);
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
        if parent == NONE {
            return;
        }
        match previous {
            NONE => self.nodes[parent as usize].first_child = next,
            previous => self.nodes[previous as usize].next = next,
        }
        match next {
            NONE => self.nodes[parent as usize].last_child = previous,
            next => self.nodes[next as usize].previous = previous,
        }
    }

    /// Gives all children of `from` to `to`, behind those it has.
    pub(super) fn move_children(&mut self, from: u32, to: u32) {
        while self.nodes[from as usize].first_child != NONE {
            let child = self.nodes[from as usize].first_child;
            self.detach(child);
            self.append(to, child);
        }
    }

    /// Joins `text` to node `id` if that is text; gives it back if not.
    fn merge(&mut self, id: u32, text: StrTendril) -> Option<StrTendril> {
        if id != NONE
            && let NodeData::Text(before) = &mut self.nodes[id as usize].data
        {
            // Windows on neighbouring places of one buffer grow together without a copy.
            before.push_tendril(&text);
            return None;
        }
        Some(text)
    }
}

impl Node {
    fn new(data: NodeData) -> Node {
        Node { parent: NONE, first_child: NONE, last_child: NONE, previous: NONE, next: NONE, data }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::html::dom::NodeId;

    /// The tree on one line: `p[a=1 b=2]("text" <!--comment-->)`, with every link checked on the way.
    pub(in crate::html) fn sketch(document: &Document) -> String {
        check_links(document);
        let mut line = String::new();
        for child in document.children(Document::ROOT) {
            sketch_node(document, child, &mut line);
        }
        line.trim_end().to_owned()
    }

    fn sketch_node(document: &Document, id: NodeId, line: &mut String) {
        match &document.nodes[id.0 as usize].data {
            NodeData::Document => unreachable!("the document is no child"),
            NodeData::Text(text) => *line += &format!("{:?} ", &**text),
            NodeData::Comment(text) => *line += &format!("<!--{}--> ", &**text),
            NodeData::ProcessingInstruction { target, data } => *line += &format!("<?{target} {data}?> "),
            NodeData::Element { name, .. } => {
                *line += &name.local;
                let attributes: Vec<String> = document
                    .attributes(id)
                    .iter()
                    .map(|a| match &a.name.prefix {
                        Some(prefix) => format!("{}:{}={}", &**prefix, &*a.name.local, &*a.value),
                        None => format!("{}={}", &*a.name.local, &*a.value),
                    })
                    .collect();
                if !attributes.is_empty() {
                    *line += &format!("[{}]", attributes.join(" "));
                }
                if document.first_child(id).is_some() {
                    *line += "(";
                    for child in document.children(id) {
                        sketch_node(document, child, line);
                    }
                    line.truncate(line.trim_end().len());
                    *line += ")";
                }
                *line += " ";
            }
        }
    }

    /// Links agree with each other, ids are in document order, no node is lost, no two texts are neighbours.
    pub(in crate::html) fn check_links(document: &Document) {
        let mut expected = 0;
        let mut open = vec![Document::ROOT];
        while let Some(id) = open.pop() {
            assert_eq!(id.0, expected, "document order");
            expected += 1;
            let children: Vec<NodeId> = document.children(id).collect();
            assert_eq!(children.last().copied(), document.last_child(id));
            for (i, &child) in children.iter().enumerate() {
                assert_eq!(document.parent(child), Some(id));
                assert_eq!(document.previous_sibling(child), (i > 0).then(|| children[i - 1]));
                assert!(i == 0 || !is_text(document, child) || !is_text(document, children[i - 1]));
            }
            open.extend(children.iter().rev());
        }
        assert_eq!(expected as usize, document.len(), "no detached nodes");
    }

    fn is_text(document: &Document, id: NodeId) -> bool {
        matches!(document.nodes[id.0 as usize].data, NodeData::Text(_))
    }

    #[test]
    fn texts_that_meet_become_one() {
        let mut document = Document::empty(true, 0);
        document.append_text(0, "a".into());
        document.append_text(0, "b".into());
        let comment = document.make(NodeData::Comment("c".into()));
        document.append(0, comment);
        document.insert_text_before(comment, "d".into());
        assert_eq!(sketch_unordered(&document), ["abd", "c"]);
    }

    #[test]
    fn a_detached_child_leaves_its_siblings_linked() {
        let mut document = Document::empty(true, 0);
        let ids: Vec<u32> = ["a", "b", "c"]
            .map(|text| {
                let id = document.make(NodeData::Comment(text.into()));
                document.append(0, id);
                id
            })
            .to_vec();
        document.detach(ids[1]);
        assert_eq!(sketch_unordered(&document), ["a", "c"]);
        document.insert_before(ids[0], ids[1]);
        assert_eq!(sketch_unordered(&document), ["b", "a", "c"]);
        document.detach(ids[2]);
        assert_eq!(document.last_child(Document::ROOT), Some(NodeId(ids[0])));
    }

    fn sketch_unordered(document: &Document) -> Vec<&str> {
        document.children(Document::ROOT).map(|id| document.text(id)).collect()
    }
}
