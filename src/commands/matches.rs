//! What an expression finds on a document. The one place of the commands that knows evaluators and the make-up of
//! rules; what comes out is places of the document and plain values.

use std::time::SystemTime;

use crate::extract::xpath::ast::{Expr, NodeTest, Start, Step};
use crate::extract::xpath::sxd::{self, Index, Program, Store, Value};
use crate::extract::{ExtractLimits, Extractor, Namespaces, PageFacts, Rule, XPath};
use crate::html::{Document, Place};
use crate::job::{Job, XPathEngine};
use crate::mistake::Slip;
use crate::nearly::{self, Nearly};

/// A checked expression.
#[derive(Debug, Clone)]
pub(crate) struct Expression(XPath);

/// What an expression found at one place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found {
    /// Nodes and attributes, in document order.
    Places(Vec<Place>),
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl Found {
    /// Whether a record would have nothing of it: no place, no text, no number.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Found::Places(places) => places.is_empty(),
            Found::String(text) => text.trim().is_empty(),
            Found::Number(number) => number.is_nan(),
            Found::Boolean(_) => false,
        }
    }
}

impl Expression {
    /// Checks `text`.
    ///
    /// # Errors
    /// What is wrong at which byte.
    pub(crate) fn parse(text: &str, namespaces: &Namespaces) -> Result<Expression, Slip> {
        XPath::parse(text, namespaces).map(Expression)
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        self.0.source()
    }
}

/// The expressions of a rule.
pub(crate) struct Parts {
    /// What a record is.
    pub(crate) each: Option<Expression>,
    /// The fields by name, with `[]` for those that take all matches.
    pub(crate) fields: Vec<(String, Expression)>,
}

/// Takes a rule apart.
pub(crate) fn parts(rule: &Rule) -> Parts {
    let fields = rule.fields.iter().map(|field| {
        let all = if field.many { "[]" } else { "" };
        (format!("{}{all}", field.name), Expression(field.xpath.clone()))
    });
    Parts { each: rule.each.clone().map(Expression), fields: fields.collect() }
}

/// Which engine runs the expression.
pub(crate) fn engine(_: &Expression, _: XPathEngine) -> &'static str {
    "sxd"
}

/// What the expression finds, seen from each of `contexts`.
///
/// # Errors
/// In words, why it cannot be evaluated on this document.
pub(crate) fn find(
    document: &Document,
    expression: &Expression,
    contexts: &[Place],
) -> Result<Vec<Found>, String> {
    let all = XPath::parse("//node() | //@*", &Namespaces::new()).expect("it is an XPath");
    let program = Program::new([&expression.0, &all]).map_err(|(_, reason)| reason)?;
    let store = Store::new();
    let page = sxd::Page::new(&store, &program, document, ExtractLimits::default().time);
    let nodes = if contexts == [Place::ROOT] {
        vec![page.root()]
    } else {
        match page.evaluate(Index(1), page.root())? {
            Value::Nodes(nodes) => {
                let is_context = |node: &sxd::Place<'_>| {
                    page.document_place(*node).is_some_and(|place| contexts.contains(&place))
                };
                page.sorted(&nodes).into_iter().filter(is_context).collect()
            }
            _ => Vec::new(),
        }
    };
    let found = |node| {
        Ok(match page.evaluate(Index(0), node)? {
            Value::Nodes(nodes) => Found::Places(
                page.sorted(&nodes).into_iter().filter_map(|node| page.document_place(node)).collect(),
            ),
            Value::String(text) => Found::String(text),
            Value::Number(number) => Found::Number(number),
            Value::Boolean(truth) => Found::Boolean(truth),
        })
    };
    nodes.into_iter().map(found).collect()
}

/// The places that the expression finds from any of `contexts`, each once in document order; none if it fails or
/// gives no places.
pub(crate) fn places(document: &Document, expression: &Expression, contexts: &[Place]) -> Vec<Place> {
    let found = find(document, expression, contexts).unwrap_or_default();
    let mut places: Vec<Place> = found
        .into_iter()
        .flat_map(|found| if let Found::Places(places) = found { places } else { Vec::new() })
        .collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// What nearly matched where the expression found nothing.
pub(crate) fn nearly(document: &Document, expression: &Expression, contexts: &[Place]) -> Vec<Nearly> {
    let mut namespaces = Namespaces::new();
    declare_all(expression.0.tree(), &mut namespaces);
    // In parentheses nothing passes for a CSS selector.
    let evaluate = |text: &str| match Expression::parse(&format!("({text})"), &namespaces) {
        Ok(expression) => places(document, &expression, contexts),
        Err(_) => Vec::new(),
    };
    nearly::explain(document, expression.0.tree(), &evaluate)
}

/// The prefixes that a tree was written with.
fn declare_all(expr: &Expr, namespaces: &mut Namespaces) {
    match expr {
        Expr::Or(operands) | Expr::And(operands) | Expr::Union(operands) => {
            operands.iter().for_each(|operand| declare_all(operand, namespaces));
        }
        Expr::Chain { first, rest } => {
            declare_all(first, namespaces);
            rest.iter().for_each(|(_, operand)| declare_all(operand, namespaces));
        }
        Expr::Negate { operand, .. } => declare_all(operand, namespaces),
        Expr::Path { start, steps } => {
            if let Start::Expr(start) = start {
                declare_all(start, namespaces);
            }
            steps.iter().for_each(|step| declare_step(step, namespaces));
        }
        Expr::Filter { subject, predicates } => {
            declare_all(subject, namespaces);
            predicates.iter().for_each(|predicate| declare_all(predicate, namespaces));
        }
        Expr::Call { arguments, .. } => {
            arguments.iter().for_each(|argument| declare_all(argument, namespaces));
        }
        Expr::Literal(_) | Expr::Number(_) => {}
    }
}

fn declare_step(step: &Step, namespaces: &mut Namespaces) {
    if let NodeTest::AnyOf(prefixed) | NodeTest::Name(Some(prefixed), _) = &step.test {
        // `xml` is declared already, and refuses to be again.
        let _ = namespaces.declare(&prefixed.prefix, &prefixed.namespace);
    }
    step.predicates.iter().for_each(|predicate| declare_all(predicate, namespaces));
}

/// The records of a page as a run would write them: lines of JSON.
///
/// # Errors
/// In words, which expression failed on this page.
pub(crate) fn records(
    job: &Job,
    document: &Document,
    url: &str,
    page: Option<i64>,
    fetched_at: SystemTime,
) -> Result<String, String> {
    let extractor = Extractor::new(&job.rule, job.with_meta, ExtractLimits::default())
        .map_err(|error| error.to_string())?;
    let facts = PageFacts { url, page, fetched_at: Some(fetched_at) };
    let records = extractor.extract(document, &facts).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&records.lines).into_owned())
}
