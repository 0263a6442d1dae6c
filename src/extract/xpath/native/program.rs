//! What an expression is compiled to: typed, names as atoms, each path cut into segments that never meet a node twice.
//!
//! Types are known before any page is seen (`ast::Kind`), so conversions are written down here and nothing is decided
//! by type while a page is evaluated.

use crate::extract::regular::Pattern;
use crate::extract::xpath::ast::{Axis, Operator};
use crate::html::dom::{LocalName, Namespace};

/// A compiled expression.
pub(in crate::extract::xpath) struct Program(pub(super) Expression);

/// An expression of any type.
pub(super) enum Expression {
    Set(Set),
    Text(Text),
    Number(Number),
    Truth(Truth),
}

/// A set of nodes.
pub(super) enum Set {
    Path(Path),
    /// A path of one step from the context node that meets its nodes in order: most fields are one.
    Step(Step),
    Filter {
        subject: Box<Set>,
        predicates: Predicates,
        is_ordered: bool,
    },
    Union(Box<[Set]>),
    /// `id()` of the string-values of a set.
    IdsIn(Box<Set>),
    /// `id()` of a string.
    Ids(Box<Text>),
}

pub(super) struct Path {
    pub(super) start: Start,
    pub(super) segments: Box<[Segment]>,
}

pub(super) enum Start {
    Root,
    Context,
    Set(Box<Set>),
}

/// Steps that are followed depth first, from node to node, without a set in between.
pub(super) struct Segment {
    pub(super) steps: Box<[Step]>,
    /// Whether the first step is taken from all nodes at once, in one walk; it has no predicate that counts.
    pub(super) is_swept: bool,
    /// Whether it meets its nodes in document order, each once.
    pub(super) is_ordered: bool,
    /// Whether it meets each node once.
    pub(super) is_unique: bool,
}

pub(super) struct Step {
    pub(super) axis: Axis,
    pub(super) test: Test,
    pub(super) predicates: Predicates,
}

pub(super) enum Test {
    Node,
    Text,
    Comment,
    ProcessingInstruction(Option<Box<str>>),
    AnyName,
    AnyOf(Namespace),
    Name(Namespace, LocalName),
}

pub(super) struct Predicates {
    pub(super) list: Box<[Predicate]>,
    pub(super) counting: Counting,
}

/// What a list of predicates needs to know of a candidate beside the node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    Nothing,
    /// Its position among those before it.
    Position,
    /// All candidates before the first is decided.
    Size,
}

pub(super) enum Predicate {
    /// `[2]`.
    Nth(u32),
    /// `[last()]`.
    Last,
    /// Any other number: the position it must be.
    Place(Number),
    Truth(Truth),
}

pub(super) enum Text {
    Literal(Box<str>),
    /// The string-value of the context node.
    Context,
    /// The string-value of the first node of a set.
    First(Box<Set>),
    Number(Box<Number>),
    Truth(Box<Truth>),
    Concat(Box<[Text]>),
    Before(Box<(Text, Text)>),
    After(Box<(Text, Text)>),
    Substring(Box<(Text, Number, Option<Number>)>),
    Normalized(Box<Text>),
    Translated(Box<(Text, Text, Text)>),
    /// `re:match`.
    Matched(Box<(Text, Regexp)>),
    /// `re:replace`: text, pattern, replacement.
    Replaced(Box<(Text, Regexp, Text)>),
    /// A part of the name of the first node of a set, or of the context node.
    Name(NamePart, Option<Box<Set>>),
}

/// A regular expression.
pub(super) enum Regexp {
    /// Pattern and flags stand there.
    Known(Pattern),
    /// They are computed on the page.
    Computed(Box<(Text, Text)>),
}

#[derive(Clone, Copy)]
pub(super) enum NamePart {
    /// With the prefix as written.
    Whole,
    Local,
    Namespace,
}

pub(super) enum Number {
    Literal(f64),
    Text(Box<Text>),
    Truth(Box<Truth>),
    Position,
    Size,
    Count(Box<Set>),
    Sum(Box<Set>),
    Length(Box<Text>),
    Floor(Box<Number>),
    Ceiling(Box<Number>),
    Round(Box<Number>),
    Negated(Box<Number>),
    /// Arithmetic from left to right.
    Chain(Box<Number>, Box<[(Operator, Number)]>),
}

pub(super) enum Truth {
    Constant(bool),
    Or(Box<[Truth]>),
    And(Box<[Truth]>),
    Not(Box<Truth>),
    Exists(Box<Set>),
    NotEmpty(Box<Text>),
    NotZero(Box<Number>),
    StartsWith(Box<(Text, Text)>),
    Contains(Box<(Text, Text)>),
    Lang(Box<Text>),
    /// The context node has these classes.
    HasClasses(Box<[Text]>),
    /// `re:test`.
    Matches(Box<(Text, Regexp)>),
    /// Comparisons from left to right.
    Chain(Box<Expression>, Box<[(Operator, Expression)]>),
}

impl Set {
    /// Whether its nodes are met in document order, each once, without sorting.
    pub(super) fn is_ordered(&self) -> bool {
        match self {
            Set::Path(path) => match path.segments.last() {
                Some(segment) => segment.is_ordered,
                None => true,
            },
            Set::Filter { is_ordered, .. } => *is_ordered,
            Set::Union(_) => false,
            Set::Step(_) | Set::IdsIn(_) | Set::Ids(_) => true,
        }
    }
}
