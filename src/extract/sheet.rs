//! One page under evaluation: columns and a place on the page ─▶ an object in the line.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::Value as Json;
use url::Url;

use super::convert::{Piece, Type};
use super::embedded::Embedded;
use super::markup::{Found as FoundInMarkup, Markup, Node};
use super::plan::{Column, Make, Probe, Search, Value};
use super::record::{FactsJson, PageFacts};
use super::xpath::sxd::Nodes;
use super::{ExtractError, xpath};
use crate::model::FieldTally;

/// Where a field is seen from.
#[derive(Clone, Copy)]
pub(super) enum Context<'c, 'd> {
    /// A node.
    Markup(Node<'d>),
    /// A JSON value.
    Json(&'c Json),
}

/// What an expression found.
pub(super) enum Found<'c, 'd> {
    Nodes(Nodes<'d>),
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
    /// Bytes that the records of the page may take.
    pub(super) most_bytes: usize,
    pub(super) base: OnceCell<Option<Url>>,
    pub(super) embedded: Embedded,
}

/// Goes through what was found; says whether to go on.
type Visit<'v, 'd> = dyn FnMut(Found<'_, 'd>) -> Result<bool, ExtractError> + 'v;

impl<'d> Sheet<'d> {
    /// Writes an object, and whether it has all that is required. The counts are those of all columns of the rule.
    pub(super) fn write_object(
        &self,
        columns: &[Column],
        context: Context<'_, 'd>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<bool, ExtractError> {
        let mut is_complete = true;
        for (position, column) in columns.iter().enumerate() {
            line.push(if position == 0 { b'{' } else { b',' });
            line.extend_from_slice(&column.key);
            let cell = self.write_column(column, context, line, tallies)?;
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
        context: Context<'_, 'd>,
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
        }
    }

    fn write_first(
        &self,
        column: &Column,
        value: &Value,
        context: Context<'_, 'd>,
        line: &mut Vec<u8>,
    ) -> Result<Cell, ExtractError> {
        let mut piece = Piece::Nothing;
        let has_broken = self.search(column, &value.search, context, &mut |found| {
            piece = match found {
                Found::Nodes(nodes) => match self.markup_of(column)?.first(&nodes) {
                    Some(node) => self.write_node(column, value, node, line)?,
                    None => Piece::Nothing,
                },
                Found::Values(values) => {
                    values.first().map_or(Piece::Nothing, |json| self.write_json(value, json, line))
                }
                one => self.write_scalar(value, &one, line),
            };
            Ok(piece == Piece::Nothing)
        })?;
        if has_broken && piece == Piece::Nothing {
            piece = Piece::WrongType;
        }
        Ok(match (piece, &value.default) {
            (Piece::Written, _) => Cell::filled(),
            (Piece::WrongType, _) => {
                line.extend_from_slice(b"null");
                Cell { fate: Fate::WrongType, is_missing: true }
            }
            (Piece::Nothing | Piece::EmptyText, Some(default)) => {
                line.extend_from_slice(default);
                Cell { fate: Fate::Empty, is_missing: false }
            }
            (Piece::Nothing, None) => {
                line.extend_from_slice(b"null");
                Cell::empty()
            }
            // There and empty is not the same as not there.
            (Piece::EmptyText, None) => {
                line.extend_from_slice(b"\"\"");
                Cell::empty()
            }
        })
    }

    /// All matches. What is no set is an array of one, or of none if it would be `null`. An item without a value is
    /// left out unless there is a default; one of another type is `null`.
    fn write_all(
        &self,
        column: &Column,
        value: &Value,
        context: Context<'_, 'd>,
        line: &mut Vec<u8>,
    ) -> Result<Cell, ExtractError> {
        line.push(b'[');
        let mut items = Items { start: line.len(), is_filled: false, has_wrong: false };
        let has_broken = self.search(column, &value.search, context, &mut |found| {
            match found {
                Found::Nodes(nodes) => {
                    let markup = self.markup_of(column)?;
                    for node in markup.sorted(&nodes) {
                        // Indentation; empty attributes and elements stay, so that arrays of the same nodes stay side
                        // by side.
                        if !value.recipe.raw && markup.is_blank_text(node) {
                            continue;
                        }
                        items.add(value, line, |line| self.write_node(column, value, node, line))?;
                    }
                }
                Found::Values(values) => {
                    for json in values {
                        items.add(value, line, |line| Ok(self.write_json(value, json, line)))?;
                    }
                }
                one => items.add(value, line, |line| Ok(self.write_scalar(value, &one, line)))?,
            }
            Ok(true)
        })?;
        let is_missing = line.len() == items.start;
        line.push(b']');
        let fate = match items {
            Items { has_wrong: true, .. } => Fate::WrongType,
            Items { is_filled: true, .. } => Fate::Filled,
            _ if has_broken => Fate::WrongType,
            _ => Fate::Empty,
        };
        Ok(Cell { fate, is_missing })
    }

    /// The object at the first thing found, or where the record is seen from; `null` without one.
    fn write_nested(
        &self,
        column: &Column,
        search: Option<&Search>,
        columns: &[Column],
        context: Context<'_, 'd>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<Cell, ExtractError> {
        let start = line.len();
        let mut is_written = false;
        let mut write = |context: Context<'_, 'd>| {
            is_written = self.write_object(columns, context, line, tallies)?;
            line.push(b'}');
            Ok(false)
        };
        let mut has_broken = false;
        match search {
            None => {
                write(context)?;
            }
            Some(search) => {
                has_broken = self.search(column, search, context, &mut |found| match found {
                    Found::Nodes(nodes) => match self.markup_of(column)?.first(&nodes) {
                        Some(node) => write(Context::Markup(node)),
                        None => Ok(true),
                    },
                    Found::Values(values) => match values.first() {
                        Some(json) => write(Context::Json(json)),
                        None => Ok(true),
                    },
                    _ => Ok(true),
                })?;
            }
        }
        if is_written {
            return Ok(Cell::filled());
        }
        let is_wrong = has_broken && line.len() == start;
        line.truncate(start);
        line.extend_from_slice(b"null");
        Ok(Cell { fate: if is_wrong { Fate::WrongType } else { Fate::Empty }, is_missing: true })
    }

    fn write_list(
        &self,
        column: &Column,
        search: &Search,
        columns: &[Column],
        context: Context<'_, 'd>,
        line: &mut Vec<u8>,
        tallies: &mut [FieldTally],
    ) -> Result<Cell, ExtractError> {
        line.push(b'[');
        let start = line.len();
        let mut write = |context: Context<'_, 'd>| -> Result<(), ExtractError> {
            let before = line.len();
            if before > start {
                line.push(b',');
            }
            if self.write_object(columns, context, line, tallies)? {
                line.push(b'}');
            } else {
                line.truncate(before);
            }
            self.check_size(column, line)
        };
        let has_broken = self.search(column, search, context, &mut |found| {
            match found {
                Found::Nodes(nodes) => {
                    for node in self.markup_of(column)?.sorted(&nodes) {
                        write(Context::Markup(node))?;
                    }
                }
                Found::Values(values) => {
                    for json in values {
                        write(Context::Json(json))?;
                    }
                }
                _ => {}
            }
            Ok(true)
        })?;
        let is_missing = line.len() == start;
        line.push(b']');
        let fate = match (is_missing, has_broken) {
            (false, _) => Fate::Filled,
            (true, true) => Fate::WrongType,
            (true, false) => Fate::Empty,
        };
        Ok(Cell { fate, is_missing })
    }

    /// Hands out what is found, one time for each thing that `from` found. True if something was to be read as JSON
    /// and is none.
    fn search(
        &self,
        column: &Column,
        search: &Search,
        context: Context<'_, 'd>,
        visit: &mut Visit<'_, 'd>,
    ) -> Result<bool, ExtractError> {
        let Some(from) = &search.from else {
            visit(self.probe(&search.probe, context, &column.name)?)?;
            return Ok(false);
        };
        let found = self.probe(from, context, &column.name)?;
        if let (Found::Nodes(nodes), Probe::XPath(_)) = (&found, &search.probe) {
            for node in self.markup_of(column)?.sorted(nodes) {
                if !visit(self.probe(&search.probe, Context::Markup(node), &column.name)?)? {
                    break;
                }
            }
            return Ok(false);
        }
        let mut has_broken = false;
        let mut look = |json: Option<&Json>| match json {
            Some(json) => visit(self.probe(&search.probe, Context::Json(json), &column.name)?),
            None => {
                has_broken = true;
                Ok(true)
            }
        };
        match found {
            Found::Nodes(nodes) => {
                let markup = self.markup_of(column)?;
                for node in markup.sorted(&nodes) {
                    let json: Option<Rc<Json>> = self.embedded.parse(markup.text(node));
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
            Found::Number(_) | Found::Boolean(_) => {}
        }
        Ok(has_broken)
    }

    /// Evaluates one expression.
    pub(super) fn probe<'c>(
        &self,
        probe: &Probe,
        context: Context<'c, 'd>,
        name: &str,
    ) -> Result<Found<'c, 'd>, ExtractError> {
        let failed = |reason: String| ExtractError { name: name.to_owned(), reason };
        match (probe, context, &self.markup) {
            (Probe::XPath(index), Context::Markup(node), Some(markup)) => {
                Ok(match markup.evaluate(*index, node).map_err(failed)? {
                    FoundInMarkup::Nodes(nodes) => Found::Nodes(nodes),
                    FoundInMarkup::String(text) => Found::String(text),
                    FoundInMarkup::Number(number) => Found::Number(number),
                    FoundInMarkup::Boolean(truth) => Found::Boolean(truth),
                })
            }
            (Probe::Json(path), Context::Json(json), _) => Ok(Found::Values(path.select(json))),
            (Probe::XPath(_), ..) => Err(failed("this reads markup, and the page is JSON".to_owned())),
            (Probe::Json(_), ..) => Err(failed("this reads JSON, and the page is markup".to_owned())),
        }
    }

    fn markup_of(&self, column: &Column) -> Result<&Markup<'d>, ExtractError> {
        self.markup.as_ref().ok_or_else(|| ExtractError {
            name: column.name.clone(),
            reason: "this reads markup, and the page is JSON".to_owned(),
        })
    }

    fn write_node(
        &self,
        column: &Column,
        value: &Value,
        node: Node<'d>,
        line: &mut Vec<u8>,
    ) -> Result<Piece, ExtractError> {
        let markup = self.markup_of(column)?;
        Ok(match value.recipe.kind {
            Some(Type::Html) => value.recipe.write(&markup.outer_html(node), || self.base(), line),
            _ => value.recipe.write(markup.text(node), || self.base(), line),
        })
    }

    fn write_scalar(&self, value: &Value, found: &Found<'_, 'd>, line: &mut Vec<u8>) -> Piece {
        match found {
            Found::String(text) => value.recipe.write(text, || self.base(), line),
            Found::Number(number) => value
                .recipe
                .write_number(*number, line)
                .unwrap_or_else(|| value.recipe.write(&xpath::number_text(*number), || self.base(), line)),
            Found::Boolean(truth) => self.write_boolean(value, *truth, line),
            Found::Nodes(_) | Found::Values(_) => Piece::Nothing,
        }
    }

    fn write_boolean(&self, value: &Value, truth: bool, line: &mut Vec<u8>) -> Piece {
        let text = if truth { "true" } else { "false" };
        if value.recipe.keeps_the_text() && matches!(value.recipe.kind, None | Some(Type::Bool | Type::Json))
        {
            line.extend_from_slice(text.as_bytes());
            return Piece::Written;
        }
        value.recipe.write(text, || self.base(), line)
    }

    /// A value of JSON: what it is, unless a type or a pattern asks for its text.
    fn write_json(&self, value: &Value, json: &Json, line: &mut Vec<u8>) -> Piece {
        let recipe = &value.recipe;
        match json {
            Json::Null => Piece::Nothing,
            Json::String(text) => recipe.write(text, || self.base(), line),
            Json::Bool(truth) => self.write_boolean(value, *truth, line),
            Json::Number(number) => {
                let stays = match recipe.kind {
                    None | Some(Type::Float | Type::Json) => true,
                    Some(Type::Int) => number.is_i64() || number.is_u64(),
                    Some(_) => false,
                };
                if stays && recipe.keeps_the_text() {
                    line.extend_from_slice(number.to_string().as_bytes());
                    return Piece::Written;
                }
                let written = number.as_f64().and_then(|number| recipe.write_number(number, line));
                written.unwrap_or_else(|| recipe.write(&number.to_string(), || self.base(), line))
            }
            Json::Array(_) | Json::Object(_) => match recipe.kind {
                None | Some(Type::Json) if recipe.keeps_the_text() => {
                    serde_json::to_writer(line, json).expect("JSON is written to memory");
                    Piece::Written
                }
                None | Some(Type::String | Type::Json) => {
                    recipe.write(&json.to_string(), || self.base(), line)
                }
                Some(_) => Piece::WrongType,
            },
        }
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
    pub(super) fn check_size(&self, column: &Column, line: &[u8]) -> Result<(), ExtractError> {
        if line.len() <= self.most_bytes {
            return Ok(());
        }
        let reason = super::record::too_large(self.most_bytes);
        Err(ExtractError { name: column.name.clone(), reason })
    }
}

/// An array under way.
struct Items {
    /// Where its first item begins.
    start: usize,
    is_filled: bool,
    has_wrong: bool,
}

impl Items {
    fn add(
        &mut self,
        value: &Value,
        line: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Result<Piece, ExtractError>,
    ) -> Result<(), ExtractError> {
        let before = line.len();
        if before > self.start {
            line.push(b',');
        }
        match (write(line)?, &value.default) {
            (Piece::Written, _) => self.is_filled = true,
            (Piece::WrongType, _) => {
                line.extend_from_slice(b"null");
                self.has_wrong = true;
            }
            (Piece::Nothing | Piece::EmptyText, Some(default)) => line.extend_from_slice(default),
            (Piece::EmptyText, None) => line.extend_from_slice(b"\"\""),
            (Piece::Nothing, None) => line.truncate(before),
        }
        Ok(())
    }
}
