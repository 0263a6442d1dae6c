//! Tree ─▶ text that reads back as the same tree: nothing abbreviated, parentheses only where they are needed.

use std::fmt;

use super::ast::{Expr, NodeTest, Precedence, Start, Step};

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::Or(operands) => joined(f, operands, " or ", Precedence::And),
            Expr::And(operands) => joined(f, operands, " and ", Precedence::Equality),
            Expr::Union(operands) => joined(f, operands, " | ", Precedence::Path),
            Expr::Chain { first, rest } => {
                let level = self.precedence();
                // Left-associative: the same level again needs parentheses on either side, or it would be one chain.
                tighter(f, first, level)?;
                rest.iter().try_for_each(|(operator, operand)| {
                    write!(f, " {} ", operator.word())?;
                    tighter(f, operand, level)
                })
            }
            Expr::Negate { times, operand } => {
                (0..*times).try_for_each(|_| f.write_str("-"))?;
                tighter(f, operand, Precedence::Negation)
            }
            Expr::Path { start, steps } => write_path(f, start, steps),
            Expr::Filter { subject, predicates } => {
                tighter(f, subject, Precedence::Filter)?;
                write_predicates(f, predicates)
            }
            Expr::Literal(text) => f.write_str(&literal(text)),
            Expr::Number(number) => f.write_str(&number_literal(*number)),
            Expr::Call { function, arguments } => {
                write!(f, "{}(", function.name())?;
                for (i, argument) in arguments.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{argument}")?;
                }
                f.write_str(")")
            }
        }
    }
}

fn joined(f: &mut fmt::Formatter<'_>, operands: &[Expr], word: &str, least: Precedence) -> fmt::Result {
    for (i, operand) in operands.iter().enumerate() {
        if i > 0 {
            f.write_str(word)?;
        }
        at_least(f, operand, least)?;
    }
    Ok(())
}

fn tighter(f: &mut fmt::Formatter<'_>, operand: &Expr, level: Precedence) -> fmt::Result {
    in_parentheses(f, operand, operand.precedence() <= level)
}

fn at_least(f: &mut fmt::Formatter<'_>, operand: &Expr, least: Precedence) -> fmt::Result {
    in_parentheses(f, operand, operand.precedence() < least)
}

fn in_parentheses(f: &mut fmt::Formatter<'_>, operand: &Expr, needed: bool) -> fmt::Result {
    if needed || operand.is_bare_root() { write!(f, "({operand})") } else { write!(f, "{operand}") }
}

fn write_path(f: &mut fmt::Formatter<'_>, start: &Start, steps: &[Step]) -> fmt::Result {
    match start {
        Start::Root => f.write_str("/")?,
        Start::Context => {}
        Start::Expr(start) => {
            at_least(f, start, Precedence::Filter)?;
            f.write_str("/")?;
        }
    }
    for (i, step) in steps.iter().enumerate() {
        if i > 0 {
            f.write_str("/")?;
        }
        write!(f, "{step}")?;
    }
    Ok(())
}

fn write_predicates(f: &mut fmt::Formatter<'_>, predicates: &[Expr]) -> fmt::Result {
    predicates.iter().try_for_each(|predicate| write!(f, "[{predicate}]"))
}

/// A literal in quotes it does not hold: the grammar has no way to write one that holds both kinds.
pub(super) fn literal(text: &str) -> String {
    let quote = if text.contains('"') { '\'' } else { '"' };
    format!("{quote}{text}{quote}")
}

/// A number as XPath's grammar writes it (3.7 `Number`): no exponent, and infinity as digits that overflow to it.
pub(super) fn number_literal(number: f64) -> String {
    if number.is_infinite() { format!("1{}", "0".repeat(309)) } else { number.to_string() }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{}", self.axis.word(), self.test)?;
        write_predicates(f, &self.predicates)
    }
}

impl fmt::Display for NodeTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NodeTest::AnyName => f.write_str("*"),
            NodeTest::AnyOf(prefixed) => write!(f, "{}:*", prefixed.prefix),
            NodeTest::Name(None, local) => f.write_str(local),
            NodeTest::Name(Some(prefixed), local) => write!(f, "{}:{local}", prefixed.prefix),
            NodeTest::Node => f.write_str("node()"),
            NodeTest::Text => f.write_str("text()"),
            NodeTest::Comment => f.write_str("comment()"),
            NodeTest::ProcessingInstruction(None) => f.write_str("processing-instruction()"),
            NodeTest::ProcessingInstruction(Some(target)) => {
                write!(f, "processing-instruction({})", literal(target))
            }
        }
    }
}
