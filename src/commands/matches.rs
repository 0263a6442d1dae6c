//! What an expression finds on a document. The one place of the commands that knows evaluators and the make-up of
//! rules; what comes out is places of the document and plain values.

use std::time::SystemTime;

pub(crate) use crate::extract::Expression;
use crate::extract::budget::Budget;
use crate::extract::xpath::ast::{Expr, NodeTest, Start, Step};
use crate::extract::xpath::engine::{EngineChoice, Index, Programs, Session, Store, Value};
use crate::extract::{Content, ExtractLimits, Extractor, Field, Namespaces, PageFacts, Rule, Shape, XPath};
use crate::html::{Document, Place};
use crate::job::Job;
use crate::nearly::{self, Nearly};

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

/// The expressions of a rule.
pub(crate) struct Parts {
    /// What a record is.
    pub(crate) each: Option<Expression>,
    /// The fields by name, with `[]` for those that take all matches.
    pub(crate) fields: Vec<(String, Expression)>,
}

/// Takes a rule apart.
pub(crate) fn parts(rule: &Rule) -> Parts {
    let fields = rule.fields.iter().filter_map(|field| {
        let all = if is_list(field) { "[]" } else { "" };
        let finding = field.finding()?;
        // Of a chain, what the page itself is asked for.
        let expression = finding.from.as_ref().unwrap_or(&finding.expression);
        Some((format!("{}{all}", field.name), expression.clone()))
    });
    Parts { each: rule.each.clone(), fields: fields.collect() }
}

fn is_list(field: &Field) -> bool {
    match &field.shape {
        Shape::Value(value) => value.many,
        Shape::List { .. } => true,
        Shape::Object { .. } | Shape::Constant(_) | Shape::Meta(_) => false,
    }
}

/// Which engine runs the expression.
pub(crate) fn engine(expression: &Expression, choice: EngineChoice) -> String {
    match expression {
        Expression::XPath(xpath) => match Programs::new([xpath], choice) {
            Ok(programs) => programs.engine(Index(0)).to_string(),
            Err((_, reason)) => reason,
        },
        Expression::Css(_) => "css".to_owned(),
        Expression::Json(_) => "json".to_owned(),
    }
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
    let limits = ExtractLimits::default();
    match expression {
        Expression::XPath(xpath) => {
            let programs = Programs::new([xpath], EngineChoice::default()).map_err(|(_, reason)| reason)?;
            let store = Store::new();
            let session = Session::new(&programs, document, &store, limits);
            contexts.iter().map(|&context| session.evaluate(Index(0), context).map(Found::from)).collect()
        }
        Expression::Css(css) => {
            let budget = Budget::new(limits.steps);
            let found = |&context| css.select(document, context, &budget).map(Found::Places);
            contexts.iter().map(found).collect::<Result<_, _>>().map_err(|error| error.to_string())
        }
        Expression::Json(_) => Err("this reads JSON, and the page is markup".to_owned()),
    }
}

impl From<Value> for Found {
    fn from(value: Value) -> Found {
        match value {
            Value::Places(places) => Found::Places(places),
            Value::Texts(texts) => Found::String(texts.join(" ")),
            Value::String(text) => Found::String(text),
            Value::Number(number) => Found::Number(number),
            Value::Boolean(truth) => Found::Boolean(truth),
        }
    }
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
    let Some(xpath) = expression.as_xpath() else { return Vec::new() };
    let mut namespaces = Namespaces::new();
    declare_all(xpath.tree(), &mut namespaces);
    // In parentheses nothing passes for a CSS selector.
    let evaluate = |text: &str| match XPath::parse(&format!("({text})"), &namespaces).map(Expression::XPath) {
        Ok(expression) => places(document, &expression, contexts),
        Err(_) => Vec::new(),
    };
    nearly::explain(document, xpath.tree(), &evaluate)
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
    let limits = ExtractLimits::default();
    let extractor = Extractor::with_engine(&job.rule, job.with_meta, limits, job.xpath_engine)
        .map_err(|error| error.to_string())?;
    let facts = PageFacts { url, page, fetched_at: Some(fetched_at) };
    let records = extractor.extract(Content::Markup(document), &facts).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&records.lines).into_owned())
}
