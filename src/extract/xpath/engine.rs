//! One front for both engines: expressions compiled once per thread, evaluated page by page.
//!
//! Which engine an expression runs on is decided when it is compiled. Callers see [`Place`]s of the document and never
//! nodes of an engine; the copy that sxd-xpath works on is made when the first expression needs it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;

use super::{XPath, native, sxd};
use crate::extract::ExtractLimits;
use crate::html::dom::NodeKind;
use crate::html::{Document, NodeId, Place};
pub use sxd::{Index, Store};

/// What evaluates an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// Our own, on the document itself.
    Native,
    /// sxd-xpath, on a copy of the document.
    Sxd,
}

/// Its name for people.
impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Native => "native",
            Engine::Sxd => "sxd",
        })
    }
}

/// Which engines may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// Our own wherever it takes the expression.
    #[default]
    Fastest,
    /// sxd-xpath for all expressions.
    Sxd,
}

/// What an expression evaluated to.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A set of nodes: in document order, each once.
    Places(Vec<Place>),
    /// The string-values of a set with namespace nodes in it, in document order: those have no place.
    Texts(Vec<String>),
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

/// Expressions made ready for many pages. Not `Send`: one per thread.
pub struct Programs {
    expressions: Vec<Compiled>,
    sxd: sxd::Program,
}

enum Compiled {
    Native(native::Program),
    Sxd(Index),
}

impl Programs {
    /// Compiles `expressions`.
    ///
    /// # Errors
    ///
    /// The index of the expression that its engine does not take, and the reason; no expression that passed
    /// [`XPath::parse`] is known to do this.
    pub fn new<'x>(
        expressions: impl IntoIterator<Item = &'x XPath>,
        choice: EngineChoice,
    ) -> Result<Programs, (Index, String)> {
        let mut compiled = Vec::new();
        let mut for_sxd = Vec::new();
        for expression in expressions {
            let native = match choice {
                EngineChoice::Fastest => native::compile(expression.tree()).ok(),
                EngineChoice::Sxd => None,
            };
            compiled.push(native.map_or(Compiled::Sxd(Index(for_sxd.len())), Compiled::Native));
            if let Some(Compiled::Sxd(_)) = compiled.last() {
                for_sxd.push((compiled.len() - 1, expression));
            }
        }
        let sxd = sxd::Program::new(for_sxd.iter().map(|(_, expression)| *expression))
            .map_err(|(Index(index), reason)| (Index(for_sxd[index].0), reason))?;
        Ok(Programs { expressions: compiled, sxd })
    }

    /// The engine that the expression runs on.
    pub fn engine(&self, index: Index) -> Engine {
        match self.expressions[index.0] {
            Compiled::Native(_) => Engine::Native,
            Compiled::Sxd(_) => Engine::Sxd,
        }
    }
}

/// One page that expressions are evaluated on.
pub struct Session<'s> {
    programs: &'s Programs,
    document: &'s Document,
    store: &'s Store,
    limits: ExtractLimits,
    page: native::Page<'s>,
    copy: OnceCell<sxd::Page<'s>>,
}

impl<'s> Session<'s> {
    /// Evaluations of `programs` on `document`, all together within `limits`. `store` is memory for a copy of the
    /// document, and stays empty unless an expression needs one.
    pub fn new(
        programs: &'s Programs,
        document: &'s Document,
        store: &'s Store,
        limits: ExtractLimits,
    ) -> Session<'s> {
        let page = native::Page::new(document, limits.steps);
        Session { programs, document, store, limits, page, copy: OnceCell::new() }
    }

    /// Evaluates an expression with the node at `at` as its context, alone in its context: `position()` and `last()`
    /// are 1.
    ///
    /// # Errors
    ///
    /// What went wrong, in words: the limit of work, or a fault of the engine.
    pub fn evaluate(&self, index: Index, at: Place) -> Result<Value, String> {
        match &self.programs.expressions[index.0] {
            Compiled::Native(program) => self.page.evaluate(program, at),
            Compiled::Sxd(index) => self.evaluate_by_sxd(*index, at),
        }
    }

    /// As [`Session::evaluate`], but of a set of nodes only the first in document order, which may be found sooner.
    ///
    /// # Errors
    ///
    /// As [`Session::evaluate`].
    pub fn evaluate_first(&self, index: Index, at: Place) -> Result<Value, String> {
        let mut value = match &self.programs.expressions[index.0] {
            Compiled::Native(program) => return self.page.evaluate_first(program, at),
            Compiled::Sxd(index) => self.evaluate_by_sxd(*index, at)?,
        };
        match &mut value {
            Value::Places(places) => places.truncate(1),
            Value::Texts(texts) => texts.truncate(1),
            _ => {}
        }
        Ok(value)
    }

    fn evaluate_by_sxd(&self, index: Index, at: Place) -> Result<Value, String> {
        let page = self
            .copy
            .get_or_init(|| sxd::Page::new(self.store, &self.programs.sxd, self.document, self.limits.time));
        let node = page.node_at(self.document, at).ok_or("the node is not in the copy of the page")?;
        Ok(match page.evaluate(index, node)? {
            sxd::Value::String(text) => Value::String(text),
            sxd::Value::Number(number) => Value::Number(number),
            sxd::Value::Boolean(truth) => Value::Boolean(truth),
            sxd::Value::Nodes(nodes) => {
                let nodes = page.sorted(&nodes);
                let places: Option<Vec<Place>> = nodes.iter().map(|&node| page.place_of(node)).collect();
                let texts = || nodes.iter().map(|&node| page.string_value(node).to_owned()).collect();
                places.map_or_else(|| Value::Texts(texts()), Value::Places)
            }
        })
    }

    /// The string-value of a node (5).
    pub fn string_value(&self, place: Place) -> Cow<'s, str> {
        string_value(self.document, place)
    }

    /// Whether it is a text node.
    pub fn is_text(&self, place: Place) -> bool {
        place.attribute == 0 && self.document.kind(place.node) == NodeKind::Text
    }
}

/// The string-value of a node (5): borrowed where it stands in one piece.
pub(super) fn string_value(document: &Document, place: Place) -> Cow<'_, str> {
    let ids = || place.node.0 + 1..document.subtree_end(place.node).0;
    in_one_piece(document, place).map_or_else(|| joined(texts_in(document, ids())), Cow::Borrowed)
}

/// The string-value of a node that one look shows to be in one piece: of all but elements with more than a text in
/// them.
pub(super) fn in_one_piece(document: &Document, place: Place) -> Option<&str> {
    if place.attribute > 0 {
        return Some(document.attribute_at(place).map_or("", |attribute| &attribute.value));
    }
    match document.kind(place.node) {
        NodeKind::Text | NodeKind::Comment | NodeKind::ProcessingInstruction => {
            Some(document.text(place.node))
        }
        NodeKind::Document | NodeKind::Element => match document.first_child(place.node) {
            None => Some(""),
            Some(only) if document.next_sibling(only).is_none() && document.kind(only) == NodeKind::Text => {
                Some(document.text(only))
            }
            Some(_) => None,
        },
    }
}

/// The text nodes in a range of ids.
pub(super) fn texts_in(document: &Document, ids: Range<u32>) -> impl Iterator<Item = &str> {
    let texts = ids.map(NodeId).filter(|&id| document.kind(id) == NodeKind::Text);
    texts.map(|id| document.text(id))
}

/// Texts in one piece, borrowed if there is no more than one.
pub(super) fn joined<'d>(mut texts: impl Iterator<Item = &'d str>) -> Cow<'d, str> {
    let Some(first) = texts.next() else { return Cow::Borrowed("") };
    let Some(second) = texts.next() else { return Cow::Borrowed(first) };
    let mut all = String::with_capacity(2 * (first.len() + second.len()));
    all.push_str(first);
    all.push_str(second);
    texts.for_each(|text| all.push_str(text));
    Cow::Owned(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::xpath::Namespaces;
    use crate::html::sample::document;

    fn evaluated(document: &Document, text: &str, at: Place) -> Value {
        let xpath = XPath::parse(text, &Namespaces::new()).unwrap();
        let programs = Programs::new([&xpath], EngineChoice::Sxd).unwrap();
        let store = Store::new();
        let session = Session::new(&programs, document, &store, ExtractLimits::default());
        session.evaluate(Index(0), at).unwrap()
    }

    fn place(node: u32, attribute: u32) -> Place {
        Place { node: NodeId(node), attribute }
    }

    #[test]
    fn nodes_of_the_copy_are_places_of_the_document() {
        // 0 document, 1 r, 2 a, 3 text, 4 comment, 5 a
        let page = document("<r i='1' j='2'><a k='3'>x</a><!--c--><a/></r>");
        let all = evaluated(&page, "//a | //@* | //text() | //comment() | /", Place::ROOT);
        let places = [(0, 0), (1, 1), (1, 2), (2, 0), (2, 1), (3, 0), (4, 0), (5, 0)];
        assert_eq!(all, Value::Places(places.map(|(node, attribute)| place(node, attribute)).into()));
        assert_eq!(evaluated(&page, "name()", place(1, 2)), Value::String("j".into()));
        assert_eq!(evaluated(&page, "..", place(3, 0)), Value::Places(vec![place(2, 0)]));
    }

    #[test]
    fn namespace_nodes_are_texts() {
        let page = document("<r xmlns='urn:d'/>");
        let urls = ["urn:d", "http://www.w3.org/XML/1998/namespace"].map(str::to_owned);
        assert_eq!(evaluated(&page, "/*/namespace::*", Place::ROOT), Value::Texts(urls.into()));
    }

    #[test]
    fn a_text_in_one_piece_is_borrowed() {
        let page = document("<r><a k='v'>x</a><b>y<!--c--><i>z</i></b></r>");
        assert!(matches!(string_value(&page, place(2, 0)), Cow::Borrowed("x")));
        assert!(matches!(string_value(&page, place(2, 1)), Cow::Borrowed("v")));
        assert_eq!(string_value(&page, place(4, 0)), "yz");
        assert_eq!(string_value(&page, Place::ROOT), "xyz");
    }
}
