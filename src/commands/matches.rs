//! What an expression finds on a page. The one place of the commands that knows evaluators and the make-up of rules;
//! what comes out is places of the document, JSON and plain values.

use std::time::SystemTime;

use serde_json::Value as Json;

pub(crate) use crate::extract::Expression;
use crate::extract::budget::Budget;
use crate::extract::json::parse_page;
use crate::extract::xpath::ast::{Expr, NodeTest, Start, Step};
use crate::extract::xpath::engine::{Engine, EngineChoice, Index, Programs, Session, Store, Value};
use crate::extract::{
    self, ExtractLimits, Extractor, Field, Follow, Namespaces, PageFacts, Rule, Shape, XPath,
};
use crate::html::dom::NodeKind;
use crate::html::{Document, NodeId, Place};
use crate::job::{Job, JobRule};
use crate::model::{Link, Records};
use crate::nearly::{self, Nearly};

/// What a page holds.
pub(crate) enum Content {
    /// HTML or XML.
    Markup(Document),
    /// JSON.
    Json(Json),
}

impl Content {
    /// The whole of it.
    pub(crate) fn root(&self) -> Context<'_> {
        match self {
            Content::Markup(_) => Context::Place(Place::ROOT),
            Content::Json(json) => Context::Json(json),
        }
    }
}

/// Where an expression is seen from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Context<'c> {
    /// A place of the document.
    Place(Place),
    /// A JSON value.
    Json(&'c Json),
}

/// What an expression found at one place.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Found<'c> {
    /// Nodes and attributes, in document order.
    Places(Vec<Place>),
    /// JSON values.
    Values(Vec<&'c Json>),
    /// A string.
    String(String),
    /// A number.
    Number(f64),
    /// True or false.
    Boolean(bool),
}

impl<'c> Found<'c> {
    /// Whether a record would have nothing of it: no place, no text, no number.
    pub(crate) fn is_nothing(&self) -> bool {
        match self {
            Found::Places(places) => places.is_empty(),
            Found::Values(values) => values.is_empty(),
            Found::String(text) => text.trim().is_empty(),
            Found::Number(number) => number.is_nan(),
            Found::Boolean(_) => false,
        }
    }

    /// What further expressions can be seen from.
    pub(crate) fn contexts(self) -> Vec<Context<'c>> {
        match self {
            Found::Places(places) => places.into_iter().map(Context::Place).collect(),
            Found::Values(values) => values.into_iter().map(Context::Json).collect(),
            Found::String(_) | Found::Number(_) | Found::Boolean(_) => Vec::new(),
        }
    }
}

/// The name of a field as it is shown: with `[]` if it takes all matches.
pub(crate) fn shown_name(field: &Field) -> String {
    let all = match &field.shape {
        Shape::Value(value) => value.many,
        Shape::List { .. } => true,
        Shape::Object { .. } | Shape::Constant(_) | Shape::Meta(_) | Shape::Carried { .. } => false,
    };
    format!("{}{}", field.name, if all { "[]" } else { "" })
}

/// Which engine runs the expression, and why if it is not the usual one; `None` if there is but one for its language.
pub(crate) fn engine(expression: &Expression, choice: EngineChoice) -> Option<String> {
    let (engine, reason) = match choice {
        EngineChoice::Fastest => expression.as_xpath()?.engine(),
        EngineChoice::Sxd => {
            expression.as_xpath()?;
            (Engine::Sxd, None)
        }
    };
    Some(match reason {
        Some(reason) => format!("{engine}: {reason}"),
        None => engine.to_string(),
    })
}

/// What the expression finds, seen from each of `contexts`: one set-up of the engine for all of them.
///
/// # Errors
/// In words, why it cannot be evaluated on this page.
pub(crate) fn find<'c>(
    content: &Content,
    expression: &Expression,
    contexts: &[Context<'c>],
    choice: EngineChoice,
) -> Result<Vec<Found<'c>>, String> {
    let limits = ExtractLimits::default();
    match expression {
        Expression::Json(path) => {
            let budget = Budget::new(limits.steps);
            let find = |context: &Context<'c>| match context {
                Context::Json(json) => {
                    path.select(json, &budget).map(Found::Values).map_err(|error| error.to_string())
                }
                Context::Place(_) => {
                    Err("this reads JSON, and the page is markup; in a job file say where the \
                                          JSON stands: { from = '//script', json = '$.name' }"
                        .to_owned())
                }
            };
            contexts.iter().map(find).collect()
        }
        Expression::XPath(_) | Expression::Css(_) => {
            let places = places_in(contexts);
            let (Content::Markup(document), true) = (content, places.len() == contexts.len()) else {
                return Err("this reads markup, and this is JSON; write `json:$.name`".to_owned());
            };
            find_in_markup(document, expression, &places, choice, limits)
        }
    }
}

fn find_in_markup<'c>(
    document: &Document,
    expression: &Expression,
    places: &[Place],
    choice: EngineChoice,
    limits: ExtractLimits,
) -> Result<Vec<Found<'c>>, String> {
    match expression {
        Expression::XPath(xpath) => {
            let programs = Programs::new([xpath], choice).map_err(|(_, reason)| reason)?;
            let store = Store::new();
            let session = Session::new(&programs, document, &store, limits);
            places.iter().map(|&place| session.evaluate(Index(0), place).map(Found::from)).collect()
        }
        Expression::Css(css) => {
            let budget = Budget::new(limits.steps);
            let found = |&place| css.select(document, place, &budget).map(Found::Places);
            places.iter().map(found).collect::<Result<_, _>>().map_err(|error| error.to_string())
        }
        Expression::Json(_) => Err("this reads JSON, and the page is markup".to_owned()),
    }
}

impl From<Value> for Found<'_> {
    fn from(value: Value) -> Self {
        match value {
            Value::Places(places) => Found::Places(places),
            Value::Texts(texts) => Found::String(texts.join(" ")),
            Value::String(text) => Found::String(text),
            Value::Number(number) => Found::Number(number),
            Value::Boolean(truth) => Found::Boolean(truth),
        }
    }
}

/// The JSON of each text that was found, as a field with `from` reads it; `None` for a text that is none.
pub(crate) fn parsed(content: &Content, found: &[Found<'_>]) -> Vec<Option<Json>> {
    let mut parsed = Vec::new();
    for found in found {
        match (found, content) {
            (Found::Places(places), Content::Markup(document)) => {
                parsed.extend(places.iter().map(|&place| parse_page(&text_of(document, place)).ok()));
            }
            (Found::String(text), _) if !text.trim().is_empty() => parsed.push(parse_page(text).ok()),
            _ => {}
        }
    }
    parsed
}

/// The string-value of a place (XPath 1.0, 5).
fn text_of(document: &Document, place: Place) -> String {
    if let Some(attribute) = document.attribute_at(place) {
        return attribute.value.to_string();
    }
    match document.kind(place.node) {
        NodeKind::Document | NodeKind::Element => {
            let below = (place.node.0..document.subtree_end(place.node).0).map(NodeId);
            let texts = below.filter(|&node| document.kind(node) == NodeKind::Text);
            texts.map(|node| document.text(node)).collect()
        }
        NodeKind::Text | NodeKind::Comment | NodeKind::ProcessingInstruction => {
            document.text(place.node).to_owned()
        }
    }
}

/// What further expressions can be seen from, of all that was found: places once and in document order.
pub(crate) fn contexts(found: Vec<Found<'_>>) -> Vec<Context<'_>> {
    let is_one = found.len() == 1;
    let mut contexts: Vec<Context<'_>> = found.into_iter().flat_map(Found::contexts).collect();
    if !is_one {
        let place = |context: &Context<'_>| match context {
            Context::Place(place) => Some(*place),
            Context::Json(_) => None,
        };
        contexts.sort_by_key(place);
        contexts.dedup_by(|one, other| place(one).is_some() && place(one) == place(other));
    }
    contexts
}

/// An expression that nearly matches may take so many steps: there are dozens of them.
const NEARLY_STEPS: u64 = 20_000_000;

/// Nodes of a page that is still copied for each of them that our own engine does not take.
const MOST_COPIED: usize = 20_000;

/// The places among `contexts`.
fn places_in(contexts: &[Context<'_>]) -> Vec<Place> {
    let place = |context: &Context<'_>| match context {
        Context::Place(place) => Some(*place),
        Context::Json(_) => None,
    };
    contexts.iter().filter_map(place).collect()
}

/// The places that the expression finds from any of `from`, each once in document order; none if it fails, takes too
/// long or gives no places.
pub(crate) fn places(document: &Document, expression: &Expression, from: &[Place]) -> Vec<Place> {
    let limits = ExtractLimits { steps: NEARLY_STEPS, ..ExtractLimits::default() };
    let found = find_in_markup(document, expression, from, EngineChoice::Fastest, limits);
    places_in(&contexts(found.unwrap_or_default()))
}

/// What nearly matched where the expression found nothing.
pub(crate) fn nearly(content: &Content, expression: &Expression, contexts: &[Context<'_>]) -> Vec<Nearly> {
    let Content::Markup(document) = content else { return Vec::new() };
    let places = places_in(contexts);
    let found = |expression: &Expression| self::places(document, expression, &places);
    let is_cheap = |xpath: &XPath| document.len() <= MOST_COPIED || xpath.engine().0 == Engine::Native;
    match expression {
        Expression::XPath(xpath) => {
            let mut namespaces = Namespaces::new();
            declare_all(xpath.tree(), &mut namespaces);
            // In parentheses nothing passes for a CSS selector.
            let evaluate = |text: &str| match XPath::parse(&format!("({text})"), &namespaces) {
                Ok(xpath) if is_cheap(&xpath) => found(&Expression::XPath(xpath)),
                _ => Vec::new(),
            };
            nearly::explain(document, xpath.tree(), &evaluate)
        }
        Expression::Css(css) => {
            let limits = ExtractLimits::default();
            let count = |text: &str| {
                let css = Expression::Css(extract::Css::parse(text).ok()?);
                let found = find_in_markup(document, &css, &places, EngineChoice::Fastest, limits).ok()?;
                Some(self::contexts(found).len())
            };
            nearly::explain_selector(css.source(), &count).into_iter().collect()
        }
        Expression::Json(_) => Vec::new(),
    }
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

/// The records of a page as a run would write them, as lines of JSON, and where it leads.
///
/// # Errors
/// In words, which expression failed on this page.
pub(crate) fn records(
    job: &Job,
    content: &Content,
    url: &str,
    page: Option<i64>,
    fetched_at: SystemTime,
) -> Result<Records, String> {
    let facts = PageFacts { page, fetched_at: Some(fetched_at), ..PageFacts::of(url) };
    read_by(job, job.rule(), content, &facts)
}

/// Where an entry of `follow` leads, as a run would see it.
///
/// # Errors
/// In words, which expression failed on this page.
pub(crate) fn links(job: &Job, follow: &Follow, content: &Content, url: &str) -> Result<Vec<Link>, String> {
    let rule = Rule { name: job.rule().name.clone(), follow: vec![follow.clone()], ..Rule::default() };
    read_by(job, &rule, content, &PageFacts::of(url)).map(|records| records.links)
}

fn read_by(job: &Job, rule: &Rule, content: &Content, facts: &PageFacts<'_>) -> Result<Records, String> {
    let JobRule { with_meta, xpath_engine, .. } = job.start_rule();
    let extractor = Extractor::with_engine(rule, *with_meta, ExtractLimits::default(), *xpath_engine)
        .map_err(|error| error.to_string())?;
    let content = match content {
        Content::Markup(document) => extract::Content::Markup(document),
        Content::Json(json) => extract::Content::Json(json),
    };
    extractor.extract(content, facts).map_err(|error| error.to_string())
}
