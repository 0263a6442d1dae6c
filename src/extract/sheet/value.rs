//! Values: text, numbers, booleans and JSON that an expression found, one or all of them.

use serde_json::Value as Json;

use super::{Cell, Context, Fate, Found, Sheet, Wanted};
use crate::extract::convert::{Piece, Type};
use crate::extract::markup::Node;
use crate::extract::plan::{Column, Value};
use crate::extract::{ExtractError, xpath};

impl<'d> Sheet<'d> {
    pub(super) fn write_first(
        &self,
        column: &Column,
        value: &Value,
        context: Context<'_>,
        line: &mut Vec<u8>,
    ) -> Result<Cell, ExtractError> {
        let mut piece = Piece::Nothing;
        let has_broken = self.search(column, &value.search, context, Wanted::First, &mut |found| {
            piece = match found {
                Found::Nodes(nodes) => match nodes.first() {
                    Some(&node) => self.write_node(column, value, node, line)?,
                    None => Piece::Nothing,
                },
                Found::Texts(texts) => texts
                    .first()
                    .map_or(Piece::Nothing, |text| value.recipe.write(text, || self.base(), line)),
                Found::Values(values) => {
                    values.first().map_or(Piece::Nothing, |json| self.write_json(value, json, line))
                }
                one => self.write_scalar(value, &one, line),
            };
            self.check_piece(column, piece)?;
            Ok(piece == Piece::Nothing)
        })?;
        if has_broken && piece == Piece::Nothing {
            piece = Piece::WrongType;
        }
        Ok(match (piece, &value.default) {
            (Piece::Written, _) => Cell::filled(),
            (Piece::WrongType | Piece::TooLarge, _) => {
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
    pub(super) fn write_all(
        &self,
        column: &Column,
        value: &Value,
        context: Context<'_>,
        line: &mut Vec<u8>,
    ) -> Result<Cell, ExtractError> {
        line.push(b'[');
        let mut items = Items { start: line.len(), is_filled: false, has_wrong: false };
        // What is found may overlap, so that all of it together is many times the page.
        let mut add =
            |line: &mut Vec<u8>, write: &mut dyn FnMut(&mut Vec<u8>) -> Result<Piece, ExtractError>| {
                self.check_time(column)?;
                let piece = items.add(value, line, write)?;
                self.check_piece(column, piece)?;
                self.check_size(column, line)
            };
        let has_broken = self.search(column, &value.search, context, Wanted::All, &mut |found| {
            match found {
                Found::Nodes(nodes) => {
                    let markup = self.markup_of(column)?;
                    for node in nodes {
                        // Indentation; empty attributes and elements stay, so that arrays of the same nodes stay side
                        // by side.
                        if !value.recipe.raw && markup.is_blank_text(node) {
                            continue;
                        }
                        add(line, &mut |line| self.write_node(column, value, node, line))?;
                    }
                }
                Found::Texts(texts) => {
                    for text in texts {
                        add(line, &mut |line| Ok(value.recipe.write(&text, || self.base(), line)))?;
                    }
                }
                Found::Values(values) => {
                    for json in values {
                        add(line, &mut |line| Ok(self.write_json(value, json, line)))?;
                    }
                }
                one => add(line, &mut |line| Ok(self.write_scalar(value, &one, line)))?,
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

    fn write_node(
        &self,
        column: &Column,
        value: &Value,
        node: Node,
        line: &mut Vec<u8>,
    ) -> Result<Piece, ExtractError> {
        let markup = self.markup_of(column)?;
        Ok(match value.recipe.kind {
            Some(Type::Html) => value.recipe.write(&markup.outer_html(node), || self.base(), line),
            _ => value.recipe.write(&markup.text(node), || self.base(), line),
        })
    }

    fn write_scalar(&self, value: &Value, found: &Found<'_>, line: &mut Vec<u8>) -> Piece {
        match found {
            Found::String(text) => value.recipe.write(text, || self.base(), line),
            Found::Number(number) => value
                .recipe
                .write_number(*number, line)
                .unwrap_or_else(|| value.recipe.write(&xpath::number_text(*number), || self.base(), line)),
            Found::Boolean(truth) => self.write_boolean(value, *truth, line),
            Found::Nodes(_) | Found::Texts(_) | Found::Values(_) => Piece::Nothing,
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
        write: &mut dyn FnMut(&mut Vec<u8>) -> Result<Piece, ExtractError>,
    ) -> Result<Piece, ExtractError> {
        let before = line.len();
        if before > self.start {
            line.push(b',');
        }
        let piece = write(line)?;
        match (piece, &value.default) {
            (Piece::Written, _) => self.is_filled = true,
            (Piece::WrongType | Piece::TooLarge, _) => {
                line.extend_from_slice(b"null");
                self.has_wrong = true;
            }
            (Piece::Nothing | Piece::EmptyText, Some(default)) => line.extend_from_slice(default),
            (Piece::EmptyText, None) => line.extend_from_slice(b"\"\""),
            (Piece::Nothing, None) => line.truncate(before),
        }
        Ok(piece)
    }
}
