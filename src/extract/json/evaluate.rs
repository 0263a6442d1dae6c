//! Paths on values (RFC 9535, 2.3 to 2.6). Recursion goes no deeper than the page, which serde_json keeps below 128
//! levels, or the path.

use std::cmp::Ordering;
use std::slice;

use serde_json::{Number, Value};

use super::ast::{Comparison, Condition, Operand, Pattern, Query, Segment, Selector};
use super::regexp;
use crate::extract::budget::{Budget, TooMuchWork};

/// What one evaluation looks at.
#[derive(Clone, Copy)]
pub(super) struct Evaluation<'v, 'b> {
    pub(super) root: &'v Value,
    pub(super) budget: &'b Budget,
}

type Nodes<'v> = Vec<&'v Value>;

/// A value of a comparison; borrowed from the page or the path, or made by a function.
enum Known<'a> {
    Value(&'a Value),
    Number(u64),
}

impl<'v> Evaluation<'v, '_> {
    pub(super) fn query(self, query: &Query, current: &'v Value) -> Result<Nodes<'v>, TooMuchWork> {
        let mut nodes = vec![if query.is_absolute { self.root } else { current }];
        for segment in &query.segments {
            let mut selected = Vec::new();
            for node in nodes {
                if segment.is_descendant {
                    self.descend(segment, node, &mut selected)?;
                } else {
                    self.select_all(segment, node, &mut selected)?;
                }
            }
            nodes = selected;
        }
        Ok(nodes)
    }

    /// A node before what is below it, an array in its order (2.5.2.2).
    fn descend(self, segment: &Segment, node: &'v Value, out: &mut Nodes<'v>) -> Result<(), TooMuchWork> {
        self.budget.charge(1)?;
        self.select_all(segment, node, out)?;
        children(node).try_for_each(|child| self.descend(segment, child, out))
    }

    fn select_all(self, segment: &Segment, node: &'v Value, out: &mut Nodes<'v>) -> Result<(), TooMuchWork> {
        segment.selectors.iter().try_for_each(|selector| self.select(selector, node, out))
    }

    fn select(self, selector: &Selector, node: &'v Value, out: &mut Nodes<'v>) -> Result<(), TooMuchWork> {
        self.budget.charge(1)?;
        match selector {
            Selector::Name(name) => out.extend(node.as_object().and_then(|object| object.get(name))),
            Selector::Index(index) => {
                let items = items(node);
                out.extend(place(*index, items.len()).and_then(|place| items.get(place)));
            }
            Selector::Wildcard => {
                self.budget.charge(children(node).len() as u64)?;
                out.extend(children(node));
            }
            Selector::Slice { start, end, step } => self.slice(items(node), *start, *end, *step, out)?,
            Selector::Filter(condition) => {
                for child in children(node) {
                    self.budget.charge(1)?;
                    if self.holds(condition, child)? {
                        out.push(child);
                    }
                }
            }
        }
        Ok(())
    }

    /// RFC 9535, 2.3.4.2.2.
    fn slice(
        self,
        items: &'v [Value],
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
        out: &mut Nodes<'v>,
    ) -> Result<(), TooMuchWork> {
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let from_end = |index: i64| if index < 0 { length.saturating_add(index) } else { index };
        let (mut at, end) = match step {
            0 => return Ok(()),
            1.. => (
                from_end(start.unwrap_or(0)).clamp(0, length),
                from_end(end.unwrap_or(length)).clamp(0, length),
            ),
            _ => (
                from_end(start.unwrap_or(length - 1)).clamp(-1, length - 1),
                end.map_or(-1, |end| from_end(end).clamp(-1, length - 1)),
            ),
        };
        while (step > 0 && at < end) || (step < 0 && at > end) {
            self.budget.charge(1)?;
            out.extend(usize::try_from(at).ok().and_then(|at| items.get(at)));
            at = at.saturating_add(step);
        }
        Ok(())
    }

    fn holds(self, condition: &Condition, current: &'v Value) -> Result<bool, TooMuchWork> {
        self.budget.charge(1)?;
        Ok(match condition {
            Condition::Or(parts) => {
                for part in parts {
                    if self.holds(part, current)? {
                        return Ok(true);
                    }
                }
                false
            }
            Condition::And(parts) => {
                for part in parts {
                    if !self.holds(part, current)? {
                        return Ok(false);
                    }
                }
                true
            }
            Condition::Not(inner) => !self.holds(inner, current)?,
            Condition::Exists(query) => !self.query(query, current)?.is_empty(),
            Condition::Compare(left, comparison, right) => {
                let (left, right) = (self.value(left, current)?, self.value(right, current)?);
                self.compare(left.as_ref(), *comparison, right.as_ref())?
            }
            Condition::Regex { text, pattern, is_whole } => {
                self.is_match(text, pattern, *is_whole, current)?
            }
        })
    }

    fn is_match(
        self,
        text: &Operand,
        pattern: &Pattern,
        is_whole: bool,
        current: &'v Value,
    ) -> Result<bool, TooMuchWork> {
        let text = self.value(text, current)?;
        let Some(Known::Value(Value::String(text))) = text else { return Ok(false) };
        self.budget.charge(text.len() as u64 / 4)?;
        let pattern = match pattern {
            Pattern::Known(pattern) => pattern.clone(),
            Pattern::Query(query) => {
                let nodes = self.query(query, current)?;
                let pattern = nodes.first().and_then(|node| node.as_str());
                self.budget.charge(pattern.map_or(1, compile_steps))?;
                pattern.and_then(|pattern| regexp::compile(pattern, is_whole))
            }
        };
        Ok(pattern.is_some_and(|pattern| pattern.test(text)))
    }

    /// `None` is "nothing" (2.4.1).
    fn value<'a>(self, operand: &'a Operand, current: &'v Value) -> Result<Option<Known<'a>>, TooMuchWork>
    where
        'v: 'a,
    {
        self.budget.charge(1)?;
        Ok(match operand {
            Operand::Literal(value) => Some(Known::Value(value)),
            Operand::Query(query) => self.query(query, current)?.first().copied().map(Known::Value),
            Operand::Count(query) => Some(Known::Number(self.query(query, current)?.len() as u64)),
            Operand::Only(query) => match self.query(query, current)?[..] {
                [only] => Some(Known::Value(only)),
                _ => None,
            },
            Operand::Length(inner) => match self.value(inner, current)? {
                Some(Known::Value(Value::String(text))) => {
                    self.budget.charge(text.len() as u64 / 16)?;
                    Some(Known::Number(text.chars().count() as u64))
                }
                Some(Known::Value(Value::Array(items))) => Some(Known::Number(items.len() as u64)),
                Some(Known::Value(Value::Object(members))) => Some(Known::Number(members.len() as u64)),
                _ => None,
            },
        })
    }

    /// RFC 9535, 2.3.5.2.2.
    fn compare(
        self,
        left: Option<&Known<'_>>,
        comparison: Comparison,
        right: Option<&Known<'_>>,
    ) -> Result<bool, TooMuchWork> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        Ok(match comparison {
            Equal => self.equal(left, right)?,
            NotEqual => !self.equal(left, right)?,
            Less => self.less(left, right)?,
            Greater => self.less(right, left)?,
            LessOrEqual => self.less(left, right)? || self.equal(left, right)?,
            GreaterOrEqual => self.less(right, left)? || self.equal(left, right)?,
        })
    }

    fn equal(self, left: Option<&Known<'_>>, right: Option<&Known<'_>>) -> Result<bool, TooMuchWork> {
        match (left, right) {
            (None, None) => Ok(true),
            (Some(Known::Value(left)), Some(Known::Value(right))) => self.equal_values(left, right),
            (Some(left), Some(right)) => Ok(order(left, right) == Some(Ordering::Equal)),
            _ => Ok(false),
        }
    }

    fn less(self, left: Option<&Known<'_>>, right: Option<&Known<'_>>) -> Result<bool, TooMuchWork> {
        let (Some(left), Some(right)) = (left, right) else { return Ok(false) };
        if let (Known::Value(Value::String(left)), Known::Value(Value::String(right))) = (left, right) {
            self.budget.charge(left.len().min(right.len()) as u64 / 16)?;
            return Ok(left < right);
        }
        Ok(order(left, right) == Some(Ordering::Less))
    }

    fn equal_values(self, left: &Value, right: &Value) -> Result<bool, TooMuchWork> {
        self.budget.charge(1)?;
        match (left, right) {
            (Value::Number(left), Value::Number(right)) => {
                Ok(order_numbers(left, right) == Some(Ordering::Equal))
            }
            (Value::String(left), Value::String(right)) => {
                self.budget.charge(left.len().min(right.len()) as u64 / 16)?;
                Ok(left == right)
            }
            (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
                for (left, right) in left.iter().zip(right) {
                    if !self.equal_values(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(left), Value::Object(right)) if left.len() == right.len() => {
                for (name, left) in left {
                    let Some(right) = right.get(name) else { return Ok(false) };
                    if !self.equal_values(left, right)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Null, Value::Null) => Ok(true),
            (Value::Bool(left), Value::Bool(right)) => Ok(left == right),
            _ => Ok(false),
        }
    }
}

/// The values directly in a value, in their order.
fn children(value: &Value) -> Children<'_> {
    match value {
        Value::Array(items) => Children::Items(items.iter()),
        Value::Object(members) => Children::Members(members.values()),
        _ => Children::Items([].iter()),
    }
}

enum Children<'v> {
    Items(slice::Iter<'v, Value>),
    Members(serde_json::map::Values<'v>),
}

impl<'v> Iterator for Children<'v> {
    type Item = &'v Value;

    fn next(&mut self) -> Option<&'v Value> {
        match self {
            Children::Items(items) => items.next(),
            Children::Members(members) => members.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Children::Items(items) => items.size_hint(),
            Children::Members(members) => members.size_hint(),
        }
    }
}

impl ExactSizeIterator for Children<'_> {}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A negative index counts from the end (2.3.3.2).
fn place(index: i64, length: usize) -> Option<usize> {
    match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => length.checked_sub(usize::try_from(index.unsigned_abs()).ok()?),
    }
}

fn order(left: &Known<'_>, right: &Known<'_>) -> Option<Ordering> {
    let number = |known: &Known<'_>| match known {
        Known::Number(number) => Some(Number::from(*number)),
        Known::Value(value) => value.as_number().cloned(),
    };
    order_numbers(&number(left)?, &number(right)?)
}

/// Integers exactly, all else as doubles.
fn order_numbers(left: &Number, right: &Number) -> Option<Ordering> {
    let integer =
        |number: &Number| number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

/// To compile a pattern is far more work than to use it: in proportion to its length, but for counted repetitions, which
/// make a program of any size from a few bytes.
fn compile_steps(pattern: &str) -> u64 {
    let repeated = if pattern.contains('{') { 250_000 } else { 0 };
    1_000 + 200 * pattern.len() as u64 + repeated
}
