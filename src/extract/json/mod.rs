//! JSON pages: text ─▶ value ([`parse_page`]), and JSONPath (RFC 9535) on it ([`JsonPath`]).
//!
//! The engine is our own, since none of the crates can bound its work: `$..*..*` on a page of a megabyte would take all
//! memory. Knows nothing of documents or of records.
//!
//! # Numbers
//!
//! Integers of 64 bits and doubles, read to the nearest, so that they are written as they came up to 17 digits. Not
//! arbitrary precision: serde_json would then hold each number as a text, compare `1` and `1.0` as different, and do so
//! in all of the program. An integer beyond 64 bits becomes a double.

mod ast;
mod evaluate;
mod page;
mod parser;
#[cfg(test)]
mod proptests;
mod regexp;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::budget::{Budget, TooMuchWork};
use crate::mistake::Slip;
pub use page::{JsonError, parse_page};

/// A checked path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    source: Arc<str>,
    query: Arc<ast::Query>,
}

impl JsonPath {
    /// Checks `text`, which begins with `$` (RFC 9535, 2.1).
    ///
    /// # Errors
    ///
    /// What is wrong at which byte: grammar, types of functions, more than 4096 bytes, or more than 16 levels of
    /// brackets.
    pub fn parse(text: &str) -> Result<JsonPath, Slip> {
        Ok(JsonPath { source: text.into(), query: Arc::new(parser::parse(text)?) })
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it selects one value at most, whatever the page: names and indexes only (RFC 9535, 2.3.5.1).
    pub fn is_singular(&self) -> bool {
        self.query.is_singular()
    }

    /// The values it selects in `root`, in the order of the page where the RFC leaves it open; a value that is reached
    /// twice comes twice.
    ///
    /// # Errors
    ///
    /// The budget is spent: a step is a value looked at or selected.
    pub fn select<'v>(&self, root: &'v Value, budget: &Budget) -> Result<Vec<&'v Value>, TooMuchWork> {
        evaluate::Evaluation { root, budget }.query(&self.query, root)
    }
}

impl PartialEq for JsonPath {
    fn eq(&self, other: &JsonPath) -> bool {
        self.source == other.source
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

/// A value as the text of a field: a string as it is, numbers and booleans as JSON writes them, `null` as nothing at
/// all, arrays and objects as compact JSON.
pub fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_string())),
    }
}
