//! Page ─▶ records: [`Rule`]s of [`Field`]s and their [`Expression`]s, checked when the job is read, evaluated by an
//! [`Extractor`].
//!
//! Knows documents and the words of the model; nothing of requests, threads or files.

pub mod budget;
pub mod convert;
pub mod css;
mod embedded;
mod expression;
mod field;
mod follow;
pub mod json;
mod mark;
mod markup;
mod plan;
mod record;
pub mod regular;
mod rule;
mod sheet;
pub mod xpath;

use std::time::Duration;

pub use css::Css;
pub use expression::{Expression, Language, Reads};
pub use field::{DEEPEST_FIELDS, Field, FieldText, Finding, Meta, Shape, ValueSpec, check_name, parse_field};
pub use follow::{Follow, LONGEST_LINK};
pub use json::JsonPath;
pub use record::{Content, Extractor, PageFacts};
pub use rule::Rule;
pub use xpath::{Namespaces, XPath};

/// How much work one page may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtractLimits {
    /// For all expressions of a rule together, by the engine that cannot count its steps. The clock is looked at between steps, so that it may be overrun by the
    /// longest of them.
    pub time: Duration,
    /// For all expressions of a rule together, by the engine that counts its steps: a node looked at is one.
    pub steps: u64,
    /// For the lines of one page. A page of elements inside each other gives its text once per level.
    pub bytes: usize,
}

impl Default for ExtractLimits {
    /// Ten seconds: a thousand times what common rules take on large pages. 50 million steps: less than a second.
    /// 128 MB: ten times the largest page.
    fn default() -> ExtractLimits {
        ExtractLimits { time: Duration::from_secs(10), steps: 50_000_000, bytes: 128 << 20 }
    }
}

/// Bytes of stack that a thread needs to compile and evaluate any expression [`XPath::parse`] takes: sxd-xpath recurses
/// once per level. Measured at 2.5 MB without optimisation for the deepest ones.
pub const STACK_BYTES: usize = 8 << 20;

/// An expression failed on a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct ExtractError {
    /// `each`, or the name of the field.
    pub name: String,
    /// What went wrong.
    pub reason: String,
}
