//! The syntax tree of an expression.
//!
//! Abbreviations are expanded, prefixes resolved, functions known by name and arity, node-sets where node-sets must
//! be: an evaluator needs to check nothing. The tree knows no evaluator. Chains of operators are lists, not left-deep
//! trees, so that the height of a tree is bounded by the nesting of its text.

use std::fmt;

use super::function::Function;

/// The four types of XPath 1.0 (1). There are no variables, so each expression has its type before any page is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A set of nodes.
    NodeSet,
    /// A string.
    String,
    /// An IEEE 754 double.
    Number,
    /// True or false.
    Boolean,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::NodeSet => "a set of nodes",
            Kind::String => "a string",
            Kind::Number => "a number",
            Kind::Boolean => "true or false",
        })
    }
}

/// An expression (3.1 to 3.5).
#[derive(Debug, Clone, PartialEq)]
pub enum Expr {
    /// `a or b or c`: two operands at least.
    Or(Vec<Expr>),
    /// `a and b and c`: two operands at least.
    And(Vec<Expr>),
    /// Operators of one precedence, from left to right: `a + b - c`, `a = b`; one operator at least.
    Chain {
        /// The leftmost operand.
        first: Box<Expr>,
        /// Each further operand with the operator before it.
        rest: Vec<(Operator, Expr)>,
    },
    /// `-a`, `--a`.
    Negate {
        /// How many signs; one at least.
        times: usize,
        /// What they stand before.
        operand: Box<Expr>,
    },
    /// `a | b`: two node-sets at least.
    Union(Vec<Expr>),
    /// A location path, or steps from a node-set.
    Path {
        /// Where the steps begin.
        start: Start,
        /// The steps; none only for `/`.
        steps: Vec<Step>,
    },
    /// `(a)[1][b]`: a node-set and predicates that count in document order; one predicate at least.
    Filter {
        /// The node-set.
        subject: Box<Expr>,
        /// The predicates.
        predicates: Vec<Expr>,
    },
    /// `"text"`; never with both kinds of quotes.
    Literal(String),
    /// `1.5`; never negative, never NaN.
    Number(f64),
    /// A call of a core function, with as many arguments as it takes.
    Call {
        /// Which.
        function: Function,
        /// The arguments.
        arguments: Vec<Expr>,
    },
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    /// `/`: the root of the document.
    Root,
    /// The context node.
    Context,
    /// A node-set.
    Expr(Box<Expr>),
}

/// One step of a path (2.1).
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The axis.
    pub axis: Axis,
    /// The node test.
    pub test: NodeTest,
    /// The predicates, each counting in the direction of the axis.
    pub predicates: Vec<Expr>,
}

/// A node test (2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeTest {
    /// `*`: any node of the axis's principal type.
    AnyName,
    /// `p:*`: any name of a namespace.
    AnyOf(Prefixed),
    /// `a`, `p:a`.
    Name(Option<Prefixed>, String),
    /// `node()`.
    Node,
    /// `text()`.
    Text,
    /// `comment()`.
    Comment,
    /// `processing-instruction()`, with the target if one is given.
    ProcessingInstruction(Option<String>),
}

/// A prefix with the namespace it was declared for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefixed {
    /// As written.
    pub prefix: String,
    /// What it stands for; never empty.
    pub namespace: String,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// As it is written.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// The axes (2.2).
    Axis {
        /// Parent, its parent, and so on.
        Ancestor = "ancestor",
        /// The node and its ancestors.
        AncestorOrSelf = "ancestor-or-self",
        /// Attributes of an element.
        Attribute = "attribute",
        /// Children.
        Child = "child",
        /// Children, their children, and so on.
        Descendant = "descendant",
        /// The node and its descendants.
        DescendantOrSelf = "descendant-or-self",
        /// All after the node but its descendants.
        Following = "following",
        /// Siblings after the node.
        FollowingSibling = "following-sibling",
        /// Namespaces in scope of an element.
        Namespace = "namespace",
        /// The parent.
        Parent = "parent",
        /// All before the node but its ancestors.
        Preceding = "preceding",
        /// Siblings before the node.
        PrecedingSibling = "preceding-sibling",
        /// The node.
        SelfNode = "self",
    }
}

words! {
    /// The operators that stand in a [`Expr::Chain`].
    Operator {
        /// Some pair is equal.
        Equal = "=",
        /// Some pair is different.
        NotEqual = "!=",
        /// Less.
        Less = "<",
        /// Less or equal.
        LessOrEqual = "<=",
        /// Greater.
        Greater = ">",
        /// Greater or equal.
        GreaterOrEqual = ">=",
        /// Sum.
        Plus = "+",
        /// Difference.
        Minus = "-",
        /// Product.
        Times = "*",
        /// Quotient.
        Divide = "div",
        /// Remainder with the sign of the left side.
        Remainder = "mod",
    }
}

impl Axis {
    /// Whether it reaches far from one node, so that many nodes reach the same ones.
    pub fn is_wide(self) -> bool {
        match self {
            Axis::Ancestor
            | Axis::AncestorOrSelf
            | Axis::Descendant
            | Axis::DescendantOrSelf
            | Axis::Following
            | Axis::FollowingSibling
            | Axis::Preceding
            | Axis::PrecedingSibling => true,
            Axis::Attribute | Axis::Child | Axis::Namespace | Axis::Parent | Axis::SelfNode => false,
        }
    }
}

/// How tightly an expression binds; the grammar's levels from 3.4 and 3.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// `or`
    Or,
    /// `and`
    And,
    /// `=`, `!=`
    Equality,
    /// `<`, `<=`, `>`, `>=`
    Relation,
    /// `+`, `-`
    Sum,
    /// `*`, `div`, `mod`
    Product,
    /// unary `-`
    Negation,
    /// `|`
    Union,
    /// a path
    Path,
    /// predicates behind a primary expression
    Filter,
    /// literals, calls
    Primary,
}

impl Operator {
    /// The level of the grammar the operator belongs to.
    pub fn precedence(self) -> Precedence {
        match self {
            Operator::Equal | Operator::NotEqual => Precedence::Equality,
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                Precedence::Relation
            }
            Operator::Plus | Operator::Minus => Precedence::Sum,
            Operator::Times | Operator::Divide | Operator::Remainder => Precedence::Product,
        }
    }

    /// Whether the result is true or false, not a number.
    pub fn compares(self) -> bool {
        self.precedence() <= Precedence::Relation
    }
}

impl Expr {
    /// What it evaluates to.
    pub fn kind(&self) -> Kind {
        match self {
            Expr::Or(_) | Expr::And(_) => Kind::Boolean,
            Expr::Chain { rest, .. } if rest.iter().any(|(operator, _)| operator.compares()) => Kind::Boolean,
            Expr::Chain { .. } | Expr::Negate { .. } | Expr::Number(_) => Kind::Number,
            Expr::Union(_) | Expr::Path { .. } | Expr::Filter { .. } => Kind::NodeSet,
            Expr::Literal(_) => Kind::String,
            Expr::Call { function, .. } => function.signature().result,
        }
    }

    /// The level of the grammar it is written at.
    pub fn precedence(&self) -> Precedence {
        match self {
            Expr::Or(_) => Precedence::Or,
            Expr::And(_) => Precedence::And,
            Expr::Chain { rest, .. } => {
                rest.first().map_or(Precedence::Product, |(operator, _)| operator.precedence())
            }
            Expr::Negate { .. } => Precedence::Negation,
            Expr::Union(_) => Precedence::Union,
            Expr::Path { .. } => Precedence::Path,
            Expr::Filter { .. } => Precedence::Filter,
            Expr::Literal(_) | Expr::Number(_) | Expr::Call { .. } => Precedence::Primary,
        }
    }

    /// How many operators, calls, paths and predicates are inside each other; what an evaluator that recurses needs
    /// of its stack. Each predicate of a filter and each step along a wide axis is a level of its own: it takes what
    /// those before it left.
    pub fn height(&self) -> usize {
        let highest = |exprs: &[Expr]| exprs.iter().map(Expr::height).max().unwrap_or(0);
        let below = match self {
            Expr::Or(operands) | Expr::And(operands) | Expr::Union(operands) => highest(operands),
            Expr::Chain { first, rest } => {
                rest.iter().map(|(_, operand)| operand.height()).fold(first.height(), usize::max)
            }
            Expr::Negate { operand, .. } => operand.height(),
            Expr::Path { start, steps } => {
                let start = if let Start::Expr(start) = start { start.height() } else { 0 };
                let wide = steps.iter().filter(|step| step.axis.is_wide()).count();
                wide + steps.iter().map(|step| highest(&step.predicates)).fold(start, usize::max)
            }
            Expr::Filter { subject, predicates } => {
                subject.height().max(highest(predicates)) + predicates.len() - 1
            }
            Expr::Literal(_) | Expr::Number(_) => 0,
            Expr::Call { arguments, .. } => highest(arguments),
        };
        below + 1
    }

    /// Whether it is `/` alone, which must not stand before an operator without parentheses: `/ * 2` is `/*` and a
    /// stray 2 (3.7).
    pub(super) fn is_bare_root(&self) -> bool {
        matches!(self, Expr::Path { start: Start::Root, steps } if steps.is_empty())
    }

    /// Whether its value depends on the context position or size (1): `position()` and `last()` outside of any
    /// predicate in it.
    pub fn asks_for_position(&self) -> bool {
        self.calls_here(&[Function::Position, Function::Last])
    }

    /// Whether its value depends on the context size (1).
    pub(super) fn asks_for_size(&self) -> bool {
        self.calls_here(&[Function::Last])
    }

    /// Whether one of `functions` is called outside of any predicate in it.
    fn calls_here(&self, functions: &[Function]) -> bool {
        let any = |operands: &[Expr]| operands.iter().any(|operand| operand.calls_here(functions));
        match self {
            Expr::Or(operands) | Expr::And(operands) | Expr::Union(operands) => any(operands),
            Expr::Chain { first, rest } => {
                first.calls_here(functions) || rest.iter().any(|(_, operand)| operand.calls_here(functions))
            }
            Expr::Negate { operand, .. } => operand.calls_here(functions),
            Expr::Path { start: Start::Expr(start), .. } => start.calls_here(functions),
            Expr::Path { .. } | Expr::Literal(_) | Expr::Number(_) => false,
            Expr::Filter { subject, .. } => subject.calls_here(functions),
            Expr::Call { function, arguments } => functions.contains(function) || any(arguments),
        }
    }

    /// Whether, as a predicate, it tells nodes apart by where they stand among the candidates: it is a number (2.4)
    /// or asks for the position.
    pub fn is_positional(&self) -> bool {
        self.kind() == Kind::Number || self.asks_for_position()
    }
}
