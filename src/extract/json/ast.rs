//! The tree of a path (RFC 9535, 2). Knows nothing of values that are queried.

use serde_json::Value;

use crate::extract::regular;

/// A query: segments from the root or from the current node.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) is_absolute: bool,
    pub(super) segments: Vec<Segment>,
}

impl Query {
    /// Whether it selects one node at most (2.3.5.1).
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(|segment| {
            let is_single = matches!(segment.selectors[..], [Selector::Name(_) | Selector::Index(_)]);
            is_single && !segment.is_descendant
        })
    }
}

/// One step (2.5).
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// `..`: of the node and all below it.
    pub(super) is_descendant: bool,
    pub(super) selectors: Vec<Selector>,
}

/// What a step selects of a node (2.3).
#[derive(Debug, Clone)]
pub(super) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
    Filter(Condition),
}

/// What a filter asks (2.3.5).
#[derive(Debug, Clone)]
pub(super) enum Condition {
    Or(Vec<Condition>),
    And(Vec<Condition>),
    Not(Box<Condition>),
    /// A query that finds something.
    Exists(Query),
    Compare(Operand, Comparison, Operand),
    /// `match()` and `search()`.
    Regex {
        text: Operand,
        pattern: Pattern,
        is_whole: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One side of a comparison, or an argument: a value or nothing.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(Value),
    /// A singular query.
    Query(Query),
    Length(Box<Operand>),
    Count(Query),
    /// `value()`: the only node of a query.
    Only(Query),
}

/// A regular expression (RFC 9485), compiled when the path is read if it stands there.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// `None`: what stands there is no regular expression, and matches nothing (2.4.6).
    Known(Option<regular::Pattern>),
    /// Taken from the page.
    Query(Query),
}
