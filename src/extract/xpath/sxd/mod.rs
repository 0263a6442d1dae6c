//! Evaluation by sxd-xpath on a copy of the page in sxd-document. The only user of both.
//!
//! A [`Program`] is compiled once per thread; a [`Page`] is made per page and lives in a [`Store`]. sxd's panics end
//! here as errors, and its work is bounded by a limit of time. Nothing of this is `Send`.

mod copy;
mod library;
mod operators;
mod order;
mod regexp;
mod sweep;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::{Duration, Instant};

use sxd_document::Package;
use sxd_xpath::nodeset::{Node, Nodeset};
use sxd_xpath::{Context, Factory};

use super::XPath;
use super::lower::lower;
use super::patterns::Patterns;
use crate::html::{self, Document, NodeId};
use order::Shared;

/// Expressions made ready for many pages.
pub struct Program {
    expressions: Vec<sxd_xpath::XPath>,
    namespaces: Vec<String>,
    needs: Needs,
    /// Those of `re:test` and its like.
    patterns: Rc<Patterns>,
}

/// What the expressions ask of the copy beyond elements, attributes and texts.
#[derive(Debug, Clone, Copy, Default)]
struct Needs {
    namespaces: bool,
    ids: bool,
}

/// Which expression of a [`Program`]: its place among those it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index(pub usize);

impl Program {
    /// Compiles `expressions`.
    ///
    /// # Errors
    ///
    /// The index of the expression that sxd-xpath does not take, and its reason; no expression that passed
    /// [`XPath::parse`] is known to do this.
    pub fn new<'x>(expressions: impl IntoIterator<Item = &'x XPath>) -> Result<Program, (Index, String)> {
        let mut program = Program {
            expressions: Vec::new(),
            namespaces: Vec::new(),
            needs: Needs::default(),
            patterns: Rc::default(),
        };
        for (index, expression) in expressions.into_iter().enumerate() {
            let lowered = lower(expression.tree(), &mut program.namespaces);
            program.needs.namespaces |= lowered.asks_for_namespaces;
            program.needs.ids |= lowered.asks_for_ids;
            let built = catch_unwind(|| Factory::new().build(&lowered.text));
            match built {
                Ok(Ok(Some(compiled))) => program.expressions.push(compiled),
                Ok(Ok(None)) => return Err((Index(index), "the expression is empty".to_owned())),
                Ok(Err(error)) => return Err((Index(index), format!("cannot compile: {error}"))),
                Err(_) => return Err((Index(index), "the compiler broke down".to_owned())),
            }
        }
        Ok(program)
    }
}

/// The memory a [`Page`] is copied into.
pub struct Store(Package);

impl Store {
    /// Empty memory.
    pub fn new() -> Store {
        Store(Package::new())
    }
}

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}

/// A node of a [`Page`]. Attributes and namespaces are nodes here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place<'d>(Node<'d>);

impl Place<'_> {
    /// Whether it is a text node.
    pub fn is_text(self) -> bool {
        matches!(self.0, Node::Text(_))
    }
}

/// What an expression evaluated to.
#[derive(Debug)]
pub enum Value<'d> {
    /// A set of nodes.
    Nodes(Nodes<'d>),
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

/// A set of nodes, in no order until asked.
#[derive(Debug)]
pub struct Nodes<'d>(Nodeset<'d>);

/// A page that expressions are evaluated on.
pub struct Page<'d> {
    program: &'d Program,
    context: Context<'d>,
    shared: Rc<Shared>,
    /// By id; `None` for what is not in the copy.
    nodes: Vec<Option<Node<'d>>>,
    limit: Duration,
}

impl<'d> Page<'d> {
    /// Copies `document` into `store`. All evaluations on the page together may take `limit`.
    pub fn new(store: &'d Store, program: &'d Program, document: &Document, limit: Duration) -> Page<'d> {
        let package = store.0.as_document();
        let (mut shared, nodes) = copy::copy(document, package, program.needs, Instant::now() + limit);
        shared.patterns = Rc::clone(&program.patterns);
        let shared = Rc::new(shared);
        let mut context = Context::without_core_functions();
        library::register(&mut context, &shared);
        for (index, namespace) in program.namespaces.iter().enumerate() {
            context.set_namespace(&format!("n{index}"), namespace);
        }
        Page { program, context, shared, nodes, limit }
    }

    /// The node of the copy that stands for the one of `document` at `place`; `None` if it was left out.
    pub fn node_at(&self, document: &Document, place: html::Place) -> Option<Place<'d>> {
        let node = self.nodes.get(place.node.0 as usize).copied().flatten()?;
        match (document.attribute_at(place), node) {
            (None, node) => Some(Place(node)),
            (Some(attribute), Node::Element(element)) => {
                element.attribute(copy::qname(&attribute.name)).map(|attribute| Place(attribute.into()))
            }
            _ => None,
        }
    }

    /// Where in the document the node that `place` is a copy of stands; `None` for namespaces.
    pub fn place_of(&self, place: Place<'d>) -> Option<html::Place> {
        let (id, attribute) = self.shared.node_and_attribute(place.0)?;
        Some(html::Place { node: NodeId(id), attribute })
    }

    /// The document node.
    pub fn root(&self) -> Place<'d> {
        Place(self.nodes[0].expect("the root is the first that is copied"))
    }

    /// Evaluates an expression of the program with `place` as the context node.
    ///
    /// # Errors
    ///
    /// What went wrong, in words: the limit of time, or a fault of the evaluator.
    pub fn evaluate(&self, index: Index, place: Place<'d>) -> Result<Value<'d>, String> {
        let expression = &self.program.expressions[index.0];
        let evaluated = self
            .shared
            .budget
            .charge(order::EVALUATION)
            .map(|()| catch_unwind(AssertUnwindSafe(|| expression.evaluate(&self.context, place.0))));
        if self.shared.budget.is_spent() {
            let limit = crate::model::human_duration(self.limit);
            return Err(format!("took longer than {limit} on this page; make the expression narrower"));
        }
        match evaluated {
            Ok(Ok(Ok(value))) => Ok(match value {
                sxd_xpath::Value::Nodeset(nodes) => Value::Nodes(Nodes(nodes)),
                sxd_xpath::Value::String(text) => Value::String(text),
                sxd_xpath::Value::Number(number) => Value::Number(number),
                sxd_xpath::Value::Boolean(truth) => Value::Boolean(truth),
            }),
            Ok(Ok(Err(error))) => Err(error.to_string()),
            Ok(Err(_)) => Err("the evaluator broke down".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// The first node of a set in document order.
    pub fn first(&self, nodes: &Nodes<'d>) -> Option<Place<'d>> {
        self.shared.first(&nodes.0).map(Place)
    }

    /// The nodes of a set in document order.
    pub fn sorted(&self, nodes: &Nodes<'d>) -> Vec<Place<'d>> {
        self.shared.sorted(&nodes.0).into_iter().map(Place).collect()
    }

    /// Where a node stands in the document that the page was made of; a namespace stands where its element does.
    pub fn place(&self, place: Place<'d>) -> crate::html::Place {
        self.shared.place(place.0)
    }

    /// The string-value of a node (5).
    pub fn string_value(&self, place: Place<'d>) -> &str {
        self.shared.string_value(place.0)
    }
}
