//! Operators and filters that sxd reads otherwise than XPath 1.0, as functions that [`lower`] writes.
//!
//! [`lower`]: super::super::lower

use std::collections::HashSet;

use sxd_xpath::Value;
use sxd_xpath::function::Error;
use sxd_xpath::nodeset::Nodeset;

use super::library::{Call, Run, charged, number_of, text_of};
use super::order::{Rank, Shared, TICK};
use crate::extract::xpath::ast::Operator;
use crate::extract::xpath::lower::operator_code;
use crate::extract::xpath::number;

pub(super) const ALL: &[(&str, Run)] = &[
    ("compare", compare),
    ("calc", calc),
    ("neg", |call| Ok(Value::Number(-call.number(0)?))),
    ("union", union),
    ("nth", nth),
    ("final", |call| {
        let nodes = call.nodes(0)?;
        Ok(Value::Nodeset(nodes.iter().max_by_key(|&node| call.shared.order(node)).into_iter().collect()))
    }),
    ("rank", rank),
    ("place", |call| {
        let order = call.shared.order(call.context.node);
        let ranks = call.shared.ranks.borrow();
        let place = ranks.get(call.number(0)? as usize).and_then(|rank| rank.places.get(&order));
        Ok(Value::Number(place.map_or(0.0, |&place| place as f64)))
    }),
    ("size", |call| {
        let ranks = call.shared.ranks.borrow();
        let rank = ranks.get(call.number(0)? as usize);
        Ok(Value::Number(rank.map_or(0.0, |rank| rank.places.len() as f64)))
    }),
    ("tick", |call| {
        call.shared.budget.charge(TICK)?;
        Ok(Value::Boolean(true))
    }),
];

/// The operators in the first argument.
fn operators<'c>(call: &'c Call<'_, '_, '_>) -> impl Iterator<Item = Operator> + 'c {
    let codes = match call.arguments.first() {
        Some(Value::String(codes)) => codes.as_str(),
        _ => "",
    };
    codes
        .chars()
        .filter_map(|code| Operator::ALL.iter().copied().find(|&operator| operator_code(operator) == code))
}

/// `compare('=<', a, b, c)`: `a = b < c` from left to right.
fn compare<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let mut so_far: Option<Value<'d>> = None;
    for (index, operator) in operators(call).enumerate() {
        let left = so_far.as_ref().map_or_else(|| call.value(1), Ok)?;
        let right = call.value(index + 2)?;
        so_far = Some(Value::Boolean(holds(call.shared, operator, left, right)?));
    }
    so_far.ok_or(Error::ArgumentMissing)
}

/// `calc('+-', a, b, c)`: `a + b - c` from left to right.
fn calc<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let mut result = call.number(1)?;
    for (index, operator) in operators(call).enumerate() {
        let right = call.number(index + 2)?;
        result = match operator {
            Operator::Plus => result + right,
            Operator::Minus => result - right,
            Operator::Times => result * right,
            Operator::Divide => result / right,
            // Rust's remainder has the sign of the left side, as 3.5 says.
            _ => result % right,
        };
    }
    Ok(Value::Number(result))
}

/// A comparison (3.4): with node-sets it holds if it holds for some node, or some pair of nodes.
fn holds(shared: &Shared, operator: Operator, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Error> {
    match (left, right) {
        (Value::Nodeset(_), Value::Boolean(_)) | (Value::Boolean(_), Value::Nodeset(_)) => {
            Ok(truths(operator, left, right))
        }
        (Value::Nodeset(left), Value::Nodeset(right)) => sets(shared, operator, left, right),
        (Value::Nodeset(nodes), other) => some(shared, nodes, |node| holds(shared, operator, node, other)),
        (other, Value::Nodeset(nodes)) => some(shared, nodes, |node| holds(shared, operator, other, node)),
        _ if !matches!(operator, Operator::Equal | Operator::NotEqual) => {
            numbers(shared, operator, left, right)
        }
        (Value::Boolean(_), _) | (_, Value::Boolean(_)) => Ok(truths(operator, left, right)),
        (Value::Number(_), _) | (_, Value::Number(_)) => numbers(shared, operator, left, right),
        _ => {
            let same = text_of(shared, left)? == text_of(shared, right)?;
            Ok(same == (operator == Operator::Equal))
        }
    }
}

/// Whether `test` holds for the string-value of some node.
fn some(
    shared: &Shared,
    nodes: &Nodeset<'_>,
    test: impl Fn(&Value<'_>) -> Result<bool, Error>,
) -> Result<bool, Error> {
    for node in nodes {
        if test(&Value::String(charged(shared, node)?.to_owned()))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn truths(operator: Operator, left: &Value<'_>, right: &Value<'_>) -> bool {
    let as_number = |value: &Value<'_>| f64::from(u8::from(value.boolean()));
    numbers_hold(operator, as_number(left), as_number(right))
}

fn numbers(shared: &Shared, operator: Operator, left: &Value<'_>, right: &Value<'_>) -> Result<bool, Error> {
    Ok(numbers_hold(operator, number_of(shared, left)?, number_of(shared, right)?))
}

fn numbers_hold(operator: Operator, left: f64, right: f64) -> bool {
    match operator {
        Operator::Equal => left == right,
        Operator::NotEqual => left != right,
        Operator::Less => left < right,
        Operator::LessOrEqual => left <= right,
        Operator::Greater => left > right,
        _ => left >= right,
    }
}

/// Some pair of two node-sets, without trying all pairs.
fn sets(shared: &Shared, operator: Operator, left: &Nodeset<'_>, right: &Nodeset<'_>) -> Result<bool, Error> {
    let texts = |nodes: &Nodeset<'_>| -> Result<HashSet<String>, Error> {
        nodes.iter().map(|node| charged(shared, node).map(str::to_owned)).collect()
    };
    let extremes = |nodes: &Nodeset<'_>| -> Result<(f64, f64), Error> {
        let mut extremes = (f64::NAN, f64::NAN);
        for node in nodes {
            let number = number::parse(charged(shared, node)?);
            // `min` and `max` pass over NaN, which compares with nothing.
            extremes = (extremes.0.min(number), extremes.1.max(number));
        }
        Ok(extremes)
    };
    match operator {
        Operator::Equal => Ok(!texts(left)?.is_disjoint(&texts(right)?)),
        Operator::NotEqual => {
            let (left, right) = (texts(left)?, texts(right)?);
            // Only two sets of one and the same text have no pair that differs.
            Ok(!left.is_empty() && !right.is_empty() && (left.len() > 1 || left != right))
        }
        Operator::Less | Operator::LessOrEqual => {
            Ok(numbers_hold(operator, extremes(left)?.0, extremes(right)?.1))
        }
        _ => Ok(numbers_hold(operator, extremes(left)?.1, extremes(right)?.0)),
    }
}

fn union<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let mut all = call.nodes(0)?.clone();
    for index in 1..call.arguments.len() {
        all.extend(call.nodes(index)?.iter());
    }
    Ok(Value::Nodeset(all))
}

/// `nth(E, n)`: the node at place n in document order.
fn nth<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let (nodes, place) = (call.nodes(0)?, call.number(1)? as usize);
    let node = match place.checked_sub(1) {
        Some(0) => call.shared.first(nodes),
        Some(index) if index < nodes.size() => call.shared.sorted(nodes).get(index).copied(),
        _ => None,
    };
    Ok(Value::Nodeset(node.into_iter().collect()))
}

/// `rank(k, E)`: E, after its nodes' places in document order were noted under k for `place(k)` and `size(k)`.
///
/// Each filter has its own k, and its predicate cannot contain the filter itself: a rank is never written while it is
/// read.
fn rank<'d>(call: &Call<'_, '_, 'd>) -> Result<Value<'d>, Error> {
    let (k, nodes) = (call.number(0)? as usize, call.nodes(1)?);
    let mut orders: Vec<_> = nodes.iter().map(|node| call.shared.order(node)).collect();
    orders.sort_unstable();
    call.shared.budget.charge(1 + orders.len() / 16)?;
    let places = orders.into_iter().zip(1..).collect();
    let mut ranks = call.shared.ranks.borrow_mut();
    if ranks.len() <= k {
        ranks.resize_with(k + 1, Rank::default);
    }
    ranks[k].places = places;
    Ok(Value::Nodeset(nodes.clone()))
}
