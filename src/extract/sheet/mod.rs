//! One page under evaluation: columns and a place on the page ─▶ an object in the line.

mod links;
mod nested;
mod value;

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::Instant;

use serde_json::Value as Json;
use url::Url;

use super::budget::Budget;
use super::convert::{MOST_ADDED, Piece};
use super::embedded::Embedded;
use super::markup::{Markup, Node};
use super::plan::{Column, Make, Probe, Search};
use super::record::{FactsJson, PageFacts};
use super::xpath::engine::Value;
use super::{ExtractError, ExtractLimits};
use crate::model::FieldTally;

/// Where a field is seen from.
#[derive(Clone, Copy)]
pub(super) enum Context<'c> {
    /// A node.
    Markup(Node),
    /// A JSON value.
    Json(&'c Json),
}

/// What an expression found.
pub(super) enum Found<'c> {
    Nodes(Vec<Node>),
    /// String-values of nodes that have no place on the page: namespaces.
    Texts(Vec<String>),
    Values(Vec<&'c Json>),
    String(String),
    Number(f64),
    Boolean(bool),
}

/// What became of a field.
struct Cell {
    fate: Fate,
    /// There is no value in the line, not even a default.
    is_missing: bool,
}

#[derive(Clone, Copy)]
enum Fate {
    Filled,
    Empty,
    WrongType,
}

impl Cell {
    fn filled() -> Cell {
        Cell { fate: Fate::Filled, is_missing: false }
    }

    fn empty() -> Cell {
        Cell { fate: Fate::Empty, is_missing: true }
    }
}

/// The page.
pub(super) struct Sheet<'d> {
    /// `None` for a page of JSON.
    pub(super) markup: Option<Markup<'d>>,
    pub(super) facts: &'d PageFacts<'d>,
    pub(super) facts_json: FactsJson,
    pub(super) limits: ExtractLimits,
    /// When the time of `limits` is up. The evaluator looks at its own clock; this one is for what is done with what
    /// it finds: texts collapsed and searched, JSON parsed, once for each of many records.
    pub(super) deadline: Instant,
    pub(super) base: OnceCell<Option<Url>>,
    pub(super) embedded: Embedded,
    /// For JSONPath.
    pub(super) budget: Budget,
}

/// How much of what an expression finds is looked at. The first one may be found sooner than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    First,
    All,
}

/// Goes through what was found; says whether to go on.
type Visit<'v> = dyn FnMut(Found<'_>) -> Result<bool, ExtractError> + 'v;

impl<'d> Sheet<'d> {
    /// Writes an object, and whether it has all that is required. The counts are those of all columns of the rule.
    pub(super) fn write_object(
        &self,
        columns: &[Column],
        context: Context<'_>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<bool, ExtractError> {
        let start = line.len();
        let mut is_complete = true;
        if let Some(column) = columns.first() {
            self.check_time(column)?;
        }
        for (position, column) in columns.iter().enumerate() {
            line.push(if position == 0 { b'{' } else { b',' });
            line.extend_from_slice(&column.key);
            let cell = self.write_column(column, context, line, tallies)?;
            // One record of many fields that each hold the page.
            self.check_size(column, &line[start..])?;
            let tally = &mut tallies[column.slot];
            match cell.fate {
                Fate::Filled => tally.filled += 1,
                Fate::Empty => tally.empty += 1,
                Fate::WrongType => tally.wrong_type += 1,
            }
            is_complete &= !(column.required && cell.is_missing);
        }
        if columns.is_empty() {
            line.push(b'{');
        }
        Ok(is_complete)
    }

    fn write_column(
        &self,
        column: &Column,
        context: Context<'_>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<Cell, ExtractError> {
        match &column.make {
            Make::Value(value) if value.many => self.write_all(column, value, context, line),
            Make::Value(value) => self.write_first(column, value, context, line),
            Make::Object(search, columns) => {
                self.write_nested(column, search.as_ref(), columns, context, line, tallies)
            }
            Make::List(search, columns) => self.write_list(column, search, columns, context, line, tallies),
            Make::Constant(json) => {
                line.extend_from_slice(json);
                Ok(Cell::filled())
            }
            Make::Meta(meta) => {
                let json = self.facts_json.of(*meta);
                line.extend_from_slice(json);
                Ok(if json == b"null" { Cell::empty() } else { Cell::filled() })
            }
            Make::Carried(name, default) => Ok(self.write_carried(name, default.as_deref(), line)),
        }
    }

    fn write_carried(&self, name: &str, default: Option<&[u8]>, line: &mut Vec<u8>) -> Cell {
        let carried = self.facts.carried.and_then(|carried| carried.get(name));
        match (carried.filter(|value| !value.is_null()), default) {
            (Some(value), _) => {
                serde_json::to_writer(line, value).expect("JSON is written to memory");
                Cell::filled()
            }
            (None, Some(default)) => {
                line.extend_from_slice(default);
                Cell { fate: Fate::Empty, is_missing: false }
            }
            (None, None) => {
                line.extend_from_slice(b"null");
                Cell::empty()
            }
        }
    }

    /// Hands out what is found, one time for each thing that `from` found. True if something was to be read as JSON
    /// and is none.
    fn search(
        &self,
        column: &Column,
        search: &Search,
        context: Context<'_>,
        wanted: Wanted,
        visit: &mut Visit<'_>,
    ) -> Result<bool, ExtractError> {
        let Some(from) = &search.from else {
            visit(self.probe(&search.probe, context, wanted, &column.name)?)?;
            return Ok(false);
        };
        let found = self.probe(from, context, Wanted::All, &column.name)?;
        if let (Found::Nodes(nodes), Probe::XPath(_) | Probe::Css(_)) = (&found, &search.probe) {
            for &node in nodes {
                if !visit(self.probe(&search.probe, Context::Markup(node), wanted, &column.name)?)? {
                    break;
                }
            }
            return Ok(false);
        }
        let mut has_broken = false;
        let mut look = |json: Option<&Json>| match json {
            Some(json) => visit(self.probe(&search.probe, Context::Json(json), wanted, &column.name)?),
            None => {
                has_broken = true;
                Ok(true)
            }
        };
        match found {
            Found::Nodes(nodes) => {
                let markup = self.markup_of(column)?;
                for node in nodes {
                    self.check_time(column)?;
                    let json: Option<Rc<Json>> = self.embedded.parse(&markup.text(node));
                    if !look(json.as_deref())? {
                        break;
                    }
                }
            }
            Found::Values(values) => {
                for json in values {
                    if !look(Some(json))? {
                        break;
                    }
                }
            }
            Found::String(text) if text.trim().is_empty() => {}
            Found::String(text) => {
                look(self.embedded.parse(&text).as_deref())?;
            }
            Found::Texts(_) | Found::Number(_) | Found::Boolean(_) => {}
        }
        Ok(has_broken)
    }

    /// Evaluates one expression.
    pub(super) fn probe<'c>(
        &self,
        probe: &Probe,
        context: Context<'c>,
        wanted: Wanted,
        name: &str,
    ) -> Result<Found<'c>, ExtractError> {
        let failed = |reason: String| ExtractError { name: name.to_owned(), reason };
        match (probe, context, &self.markup) {
            (Probe::XPath(index), Context::Markup(node), Some(markup)) => {
                Ok(match markup.evaluate(*index, node, wanted).map_err(failed)? {
                    Value::Places(nodes) => Found::Nodes(nodes),
                    Value::Texts(texts) => Found::Texts(texts),
                    Value::String(text) => Found::String(text),
                    Value::Number(number) => Found::Number(number),
                    Value::Boolean(truth) => Found::Boolean(truth),
                })
            }
            (Probe::Css(css), Context::Markup(node), Some(markup)) => {
                markup.select(css, node).map(Found::Nodes).map_err(failed)
            }
            (Probe::Json(path), Context::Json(json), _) => {
                path.select(json, &self.budget).map(Found::Values).map_err(|error| failed(error.to_string()))
            }
            (Probe::XPath(_) | Probe::Css(_), ..) => {
                Err(failed("this reads markup, and the page is JSON".to_owned()))
            }
            (Probe::Json(_), ..) => Err(failed("this reads JSON, and the page is markup".to_owned())),
        }
    }

    /// What records or links are seen from: the places that `each` finds, or the page.
    pub(super) fn places<'c>(
        &self,
        each: Option<&Probe>,
        root: Context<'c>,
        name: &str,
    ) -> Result<Vec<Context<'c>>, ExtractError> {
        let Some(each) = each else { return Ok(vec![root]) };
        match self.probe(each, root, Wanted::All, name)? {
            Found::Nodes(nodes) => Ok(nodes.into_iter().map(Context::Markup).collect()),
            Found::Values(values) => Ok(values.into_iter().map(Context::Json).collect()),
            _ => Err(ExtractError { name: name.to_owned(), reason: "is not a set of nodes".to_owned() }),
        }
    }

    fn markup_of(&self, column: &Column) -> Result<&Markup<'d>, ExtractError> {
        self.markup.as_ref().ok_or_else(|| ExtractError {
            name: column.name.clone(),
            reason: "this reads markup, and the page is JSON".to_owned(),
        })
    }

    /// What relative URLs are seen from: the page's own URL, and `base` in it (WHATWG HTML 2.4.3).
    fn base(&self) -> Option<&Url> {
        let find = || {
            let own = Url::parse(self.facts.url).ok();
            let href = self.markup.as_ref().and_then(Markup::base_href);
            let base = href.and_then(|href| Url::options().base_url(own.as_ref()).parse(href).ok());
            // Such a base is passed over (4.2.3).
            let base = base.filter(|base| !matches!(base.scheme(), "data" | "javascript"));
            base.or(own)
        };
        self.base.get_or_init(find).as_ref()
    }

    /// Elements inside each other give their text once per level.
    fn check_size(&self, column: &Column, line: &[u8]) -> Result<(), ExtractError> {
        if line.len() <= self.limits.bytes {
            return Ok(());
        }
        let reason = crate::extract::record::too_large(self.limits.bytes);
        Err(ExtractError { name: column.name.clone(), reason })
    }

    fn check_piece(&self, column: &Column, piece: Piece) -> Result<(), ExtractError> {
        if piece != Piece::TooLarge {
            return Ok(());
        }
        let most = crate::model::human_bytes(MOST_ADDED as u64);
        let reason = format!("`replace` makes the text more than {most} longer on this page");
        Err(ExtractError { name: column.name.clone(), reason })
    }

    fn check_time(&self, column: &Column) -> Result<(), ExtractError> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        let limit = crate::model::human_duration(self.limits.time);
        let reason = format!("took longer than {limit} on this page; look for less");
        Err(ExtractError { name: column.name.clone(), reason })
    }
}
