//! Filters: conditions, comparisons and functions (RFC 9535, 2.3.5 and 2.4), with the types of functions checked.

use serde_json::Value;

use super::Parser;
use crate::extract::json::ast::{Comparison, Condition, Operand, Pattern, Query};
use crate::extract::json::regexp;
use crate::mistake::Slip;

const FUNCTIONS: &str =
    "`length(@.a)`, `count(@.a[*])`, `value(@..a)`, `match(@.a, \"x.*\")` and `search(@.a, \"x\")` are there";

/// What may stand where a condition or an operand is due.
enum Term {
    Condition(Condition),
    Query(Query),
    /// A literal, or a function that gives a value.
    Value(Operand),
}

impl Parser<'_> {
    /// `a || b`.
    pub(super) fn condition(&mut self) -> Result<Condition, Slip> {
        let mut parts = vec![self.and()?];
        while self.operator("||")? {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Or(parts) })
    }

    fn and(&mut self) -> Result<Condition, Slip> {
        let mut parts = vec![self.basic()?];
        while self.operator("&&")? {
            parts.push(self.basic()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::And(parts) })
    }

    /// Takes a logical operator and the blanks around it.
    fn operator(&mut self, operator: &str) -> Result<bool, Slip> {
        let start = self.at;
        self.skip_blanks();
        if self.take(operator) {
            self.skip_blanks();
            return Ok(true);
        }
        let slip = self.unexpected(&format!("`{operator}`"));
        for (wrong, right) in
            [("and ", "&&"), ("or ", "||"), ("AND ", "&&"), ("OR ", "||"), ("& ", "&&"), ("| ", "||")]
        {
            if self.rest().starts_with(wrong) {
                return Err(slip.with_hint(format!("write `{right}`")));
            }
        }
        self.at = start;
        Ok(false)
    }

    fn basic(&mut self) -> Result<Condition, Slip> {
        if self.take("!") {
            self.skip_blanks();
            let start = self.at;
            if self.take("(") {
                return Ok(Condition::Not(Box::new(self.in_parentheses()?)));
            }
            let inner = match self.term()? {
                Term::Condition(condition) => condition,
                Term::Query(query) => Condition::Exists(query),
                Term::Value(_) => return Err(not_a_condition(start)),
            };
            let end = self.at;
            if self.comparison()?.is_some() {
                return Err(
                    Slip::new(end, "a comparison after `!` wants brackets").with_hint("write `!(@.a == 1)`")
                );
            }
            return Ok(Condition::Not(Box::new(inner)));
        }
        if self.take("(") {
            return self.in_parentheses();
        }
        let start = self.at;
        let left = self.term()?;
        let after_left = self.at;
        let Some(comparison) = self.comparison()? else {
            self.at = after_left;
            return match left {
                Term::Condition(condition) => Ok(condition),
                Term::Query(query) => Ok(Condition::Exists(query)),
                Term::Value(_) => Err(not_a_condition(start)),
            };
        };
        let left = comparable(left, start)?;
        let start = self.at;
        let right = comparable(self.term()?, start)?;
        Ok(Condition::Compare(left, comparison, right))
    }

    /// After `(`.
    fn in_parentheses(&mut self) -> Result<Condition, Slip> {
        self.deeper()?;
        self.skip_blanks();
        let condition = self.condition()?;
        self.skip_blanks();
        if !self.take(")") {
            return Err(self.unexpected("`)`"));
        }
        self.depth -= 1;
        Ok(condition)
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, Slip> {
        self.skip_blanks();
        let start = self.at;
        if self.rest().starts_with("=~") {
            return Err(Slip::new(start, "unexpected `=~`").with_hint("write `search(@.name, \"x\")`"));
        }
        if self.rest().starts_with("===") || self.rest().starts_with("!==") {
            return Err(Slip::new(start + 2, "unexpected `=`").with_hint("write `==` or `!=`"));
        }
        let comparison = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ]
        .into_iter()
        .find(|(token, _)| self.take(token));
        if comparison.is_none() && self.peek() == Some('=') {
            return Err(Slip::new(start, "unexpected `=`").with_hint("write `==`"));
        }
        self.skip_blanks();
        Ok(comparison.map(|(_, comparison)| comparison))
    }

    fn term(&mut self) -> Result<Term, Slip> {
        match self.peek() {
            Some('@' | '$') => {
                let is_absolute = self.take("$");
                let _ = is_absolute || self.take("@");
                Ok(Term::Query(Query { is_absolute, segments: self.segments()? }))
            }
            Some('\'' | '"') => Ok(Term::Value(Operand::Literal(Value::String(self.string()?)))),
            Some('-' | '0'..='9') => Ok(Term::Value(Operand::Literal(self.number()?))),
            Some(c) if c.is_ascii_alphabetic() => self.word(),
            Some('/') => Err(self.unexpected("a condition").with_hint("write `search(@.name, \"x\")`")),
            Some('.') => Err(self.unexpected("a condition").with_hint("the current value is `@`: `@.name`")),
            _ => Err(self.unexpected("a condition or a value")),
        }
    }

    /// A word is a literal or a function.
    fn word(&mut self) -> Result<Term, Slip> {
        let start = self.at;
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
        let name = &self.rest()[..length];
        self.at += length;
        if self.take("(") {
            return self.call(start, name);
        }
        let literal = match name {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            _ => {
                return Err(Slip::new(start, format!("unexpected `{name}`"))
                    .with_hint(format!("write `@.{name}` for a member, `\"{name}\"` for a text")));
            }
        };
        Ok(Term::Value(Operand::Literal(literal)))
    }

    /// After `name(`.
    fn call(&mut self, start: usize, name: &str) -> Result<Term, Slip> {
        if !["length", "count", "value", "match", "search"].contains(&name) {
            return Err(Slip::new(start, format!("unknown function `{name}`")).with_hint(FUNCTIONS));
        }
        self.deeper()?;
        self.skip_blanks();
        let first = self.at;
        let argument = self.term()?;
        let term = match name {
            "length" => Term::Value(Operand::Length(Box::new(comparable(argument, first)?))),
            "count" => Term::Value(Operand::Count(nodes(argument, first)?)),
            "value" => Term::Value(Operand::Only(nodes(argument, first)?)),
            _ => {
                let text = comparable(argument, first)?;
                self.skip_blanks();
                if !self.take(",") {
                    return Err(self.unexpected("`,` and a pattern"));
                }
                self.skip_blanks();
                let is_whole = name == "match";
                let pattern = self.pattern(is_whole)?;
                Term::Condition(Condition::Regex { text, pattern, is_whole })
            }
        };
        self.skip_blanks();
        if !self.take(")") {
            return Err(self.unexpected("`)`"));
        }
        self.depth -= 1;
        Ok(term)
    }

    fn pattern(&mut self, is_whole: bool) -> Result<Pattern, Slip> {
        let start = self.at;
        match comparable(self.term()?, start)? {
            Operand::Literal(Value::String(pattern)) => {
                Ok(Pattern::Known(regexp::compile(&pattern, is_whole)))
            }
            Operand::Query(query) => Ok(Pattern::Query(query)),
            // Of another type, or a function that never gives a text: matches nothing.
            Operand::Only(query) => Ok(Pattern::Query(query)),
            Operand::Literal(_) | Operand::Length(_) | Operand::Count(_) => Ok(Pattern::Known(None)),
        }
    }
}

fn not_a_condition(at: usize) -> Slip {
    Slip::new(at, "a value alone is no condition").with_hint("compare it: `length(@.a) > 1`, `@.a == true`")
}

/// A term as something with one value at most (2.4.3).
fn comparable(term: Term, at: usize) -> Result<Operand, Slip> {
    match term {
        Term::Value(operand) => Ok(operand),
        Term::Query(query) if query.is_singular() => Ok(Operand::Query(query)),
        Term::Query(_) => Err(Slip::new(at, "this path may select several values")
            .with_hint("take one, `@.a[0]`, or their number, `count(@.a[*])`")),
        Term::Condition(_) => Err(Slip::new(at, "a condition has no value to compare")
            .with_hint("`match()` and `search()` stand alone: `[?search(@.a, \"x\")]`")),
    }
}

/// A term as nodes.
fn nodes(term: Term, at: usize) -> Result<Query, Slip> {
    match term {
        Term::Query(query) => Ok(query),
        _ => Err(Slip::new(at, "a path is due here: `@.a[*]`")),
    }
}
