//! Small documents for the tests of other modules, made of well-formed text.
//!
//! No HTML rules, no recovery, no encodings: what the parser of pages does is tested where it is.

use html5ever::tendril::StrTendril;
use html5ever::{LocalName, Namespace, Prefix};
use quick_xml::events::{BytesStart, Event};

use super::dom::{Attribute, Document, NONE, Name, Node, NodeData};

/// An XML document; prefixes are resolved.
pub(crate) fn document(xmlish: &str) -> Document {
    build(xmlish, false)
}

/// The same text as an HTML document: prefixes and namespaces mean nothing.
pub(crate) fn html_document(xmlish: &str) -> Document {
    build(xmlish, true)
}

struct Builder {
    document: Document,
    open: Vec<u32>,
    /// Prefix and namespace; the scopes of all open elements, one after another.
    bindings: Vec<(String, String)>,
    scopes: Vec<usize>,
    text: String,
}

fn build(xmlish: &str, is_html: bool) -> Document {
    let root = Node {
        parent: NONE,
        first_child: NONE,
        last_child: NONE,
        previous: NONE,
        next: NONE,
        data: NodeData::Document,
    };
    let mut builder = Builder {
        document: Document { nodes: vec![root], attributes: Vec::new(), is_html },
        open: vec![0],
        bindings: vec![("xml".into(), "http://www.w3.org/XML/1998/namespace".into())],
        scopes: Vec::new(),
        text: String::new(),
    };
    let mut reader = quick_xml::Reader::from_str(xmlish);
    loop {
        let event = reader.read_event().unwrap();
        match event {
            Event::Text(text) => builder.text.push_str(&text.xml10_content()),
            Event::CData(text) => builder.text.push_str(&text.xml10_content()),
            Event::GeneralRef(name) => builder.reference(&name),
            other => {
                builder.end_text();
                match other {
                    Event::Start(tag) => builder.start(&tag),
                    Event::Empty(tag) => {
                        builder.start(&tag);
                        builder.end();
                    }
                    Event::End(_) => builder.end(),
                    Event::Comment(text) => {
                        let text = text.xml10_content();
                        builder.append(NodeData::Comment(StrTendril::from(&*text)));
                    }
                    Event::PI(pi) => {
                        let target = StrTendril::from(pi.target());
                        let data = StrTendril::from(pi.content().trim_start());
                        builder.append(NodeData::ProcessingInstruction { target, data });
                    }
                    Event::Eof => return builder.document,
                    _ => {}
                }
            }
        }
    }
}

impl Builder {
    fn reference(&mut self, name: &quick_xml::events::BytesRef<'_>) {
        let character = match &*name.xml10_content() {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            _ => name.resolve_char_ref().unwrap().unwrap(),
        };
        self.text.push(character);
    }

    fn end_text(&mut self) {
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() && self.open.len() > 1 {
            self.append(NodeData::Text(StrTendril::from(&*text)));
        }
    }

    fn append(&mut self, data: NodeData) -> u32 {
        let id = u32::try_from(self.document.nodes.len()).unwrap();
        let parent = *self.open.last().unwrap();
        let previous = self.document.nodes[parent as usize].last_child;
        let nodes = &mut self.document.nodes;
        nodes.push(Node { parent, first_child: NONE, last_child: NONE, previous, next: NONE, data });
        nodes[parent as usize].last_child = id;
        match previous {
            NONE => nodes[parent as usize].first_child = id,
            _ => nodes[previous as usize].next = id,
        }
        id
    }

    fn start(&mut self, tag: &BytesStart<'_>) {
        self.scopes.push(self.bindings.len());
        let mut written = Vec::new();
        for attribute in tag.attributes() {
            let attribute = attribute.unwrap();
            let key: &str = attribute.key.as_ref();
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).unwrap().into_owned();
            match key.strip_prefix("xmlns") {
                Some("") => self.bindings.push((String::new(), value)),
                Some(prefix) if prefix.starts_with(':') => self.bindings.push((prefix[1..].into(), value)),
                _ => written.push((key.to_owned(), value)),
            }
        }
        let start = u32::try_from(self.document.attributes.len()).unwrap();
        for (key, value) in written {
            let name = self.name(&key, true);
            self.document.attributes.push(Attribute { name, value: StrTendril::from(&*value) });
        }
        let end = u32::try_from(self.document.attributes.len()).unwrap();
        let name = self.name(tag.name().as_ref(), false);
        let id = self.append(NodeData::Element { name, attributes: (start, end) });
        self.open.push(id);
    }

    fn end(&mut self) {
        self.open.pop();
        let scope = self.scopes.pop().unwrap();
        self.bindings.truncate(scope);
    }

    fn name(&self, written: &str, is_attribute: bool) -> Name {
        let (prefix, local) = written.split_once(':').unwrap_or(("", written));
        if self.document.is_html || (is_attribute && prefix.is_empty()) {
            return Name { prefix: None, namespace: Namespace::from(""), local: LocalName::from(written) };
        }
        let bound = self.bindings.iter().rev().find(|(p, _)| p == prefix);
        let namespace = Namespace::from(bound.map_or("", |(_, uri)| uri));
        let prefix = (!prefix.is_empty()).then(|| Prefix::from(prefix));
        Name { prefix, namespace, local: LocalName::from(local) }
    }
}
