//! Comparisons (3.4): with node-sets they hold if they hold for some node, or some pair of nodes.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::ControlFlow::Continue;

use super::program::{Expression, Set};
use super::set::Demand;
use super::{Flow, Focus, GO_ON, Page};
use crate::extract::xpath::ast::Operator;
use crate::extract::xpath::number;

/// What is compared if neither side is a set.
enum Atom<'s> {
    Text(Cow<'s, str>),
    Number(f64),
    Truth(bool),
}

impl Atom<'_> {
    fn number(&self) -> f64 {
        match self {
            Atom::Text(text) => number::parse(text),
            Atom::Number(number) => *number,
            Atom::Truth(truth) => f64::from(u8::from(*truth)),
        }
    }

    fn truth(&self) -> bool {
        match self {
            Atom::Text(text) => !text.is_empty(),
            Atom::Number(number) => *number != 0.0 && !number.is_nan(),
            Atom::Truth(truth) => *truth,
        }
    }
}

impl<'s> Page<'s> {
    /// `a = b < c` from left to right.
    pub(super) fn compared(
        &self,
        first: &'s Expression,
        rest: &'s [(Operator, Expression)],
        focus: Focus,
    ) -> Flow<bool> {
        let Some(((operator, second), rest)) = rest.split_first() else { return Continue(false) };
        let mut holds = self.pair(*operator, first, second, focus)?;
        for (operator, operand) in rest {
            let left = Atom::Truth(holds);
            holds = match operand {
                Expression::Set(set) => {
                    let right = Atom::Truth(self.exists(set, focus)?);
                    atoms_hold(*operator, &left, &right)
                }
                other => atoms_hold(*operator, &left, &self.atom(other, focus)?),
            };
        }
        Continue(holds)
    }

    fn pair(
        &self,
        operator: Operator,
        left: &'s Expression,
        right: &'s Expression,
        focus: Focus,
    ) -> Flow<bool> {
        match (left, right) {
            (Expression::Set(left), Expression::Set(right)) => self.sets(operator, left, right, focus),
            (Expression::Set(set), other) => self.set_and_atom(operator, set, other, focus),
            (other, Expression::Set(set)) => self.set_and_atom(mirrored(operator), set, other, focus),
            _ => {
                let left = self.atom(left, focus)?;
                Continue(atoms_hold(operator, &left, &self.atom(right, focus)?))
            }
        }
    }

    fn atom(&self, program: &'s Expression, focus: Focus) -> Flow<Atom<'s>> {
        Continue(match program {
            Expression::Text(text) => Atom::Text(self.text(text, focus)?),
            Expression::Number(number) => Atom::Number(self.number(number, focus)?),
            Expression::Truth(truth) => Atom::Truth(self.truth(truth, focus)?),
            Expression::Set(set) => Atom::Truth(self.exists(set, focus)?),
        })
    }

    fn set_and_atom(
        &self,
        operator: Operator,
        set: &'s Set,
        other: &'s Expression,
        focus: Focus,
    ) -> Flow<bool> {
        let other = self.atom(other, focus)?;
        match (&other, operator) {
            (Atom::Truth(_), _) => {
                let exists = Atom::Truth(self.exists(set, focus)?);
                Continue(atoms_hold(operator, &exists, &other))
            }
            (Atom::Text(text), Operator::Equal) => {
                self.some(set, focus, &mut |place| self.has_value(place, text))
            }
            (Atom::Text(text), Operator::NotEqual) => {
                self.some(set, focus, &mut |place| Continue(!self.has_value(place, text)?))
            }
            _ => {
                let right = other.number();
                self.some(set, focus, &mut |place| {
                    Continue(numbers_hold(operator, number::parse(&self.string_value(place)?), right))
                })
            }
        }
    }

    /// Some pair of two sets, without trying all pairs.
    fn sets(&self, operator: Operator, left: &'s Set, right: &'s Set, focus: Focus) -> Flow<bool> {
        match operator {
            Operator::Equal => {
                // The page chooses the texts: the hash must not be one that it can foresee.
                let mut texts = HashSet::new();
                self.stream(left, focus, Demand::Loose, &mut |place| {
                    texts.insert(self.string_value(place)?);
                    GO_ON
                })?;
                if texts.is_empty() {
                    return Continue(false);
                }
                self.some(right, focus, &mut |place| Continue(texts.contains(&*self.string_value(place)?)))
            }
            Operator::NotEqual => {
                // Only two sets of one and the same text have no pair that differs.
                let Some(one) = self.any(right, focus)? else { return Continue(false) };
                if self.some(left, focus, &mut |place| Continue(!self.has_value(place, &one)?))? {
                    return Continue(true);
                }
                Continue(
                    self.exists(left, focus)?
                        && self.some(right, focus, &mut |place| Continue(!self.has_value(place, &one)?))?,
                )
            }
            Operator::Less | Operator::LessOrEqual => {
                let (least, most) = (self.extremes(left, focus)?.0, self.extremes(right, focus)?.1);
                Continue(numbers_hold(operator, least, most))
            }
            _ => {
                let (most, least) = (self.extremes(left, focus)?.1, self.extremes(right, focus)?.0);
                Continue(numbers_hold(operator, most, least))
            }
        }
    }

    /// The string-value of any node of a set.
    fn any(&self, set: &'s Set, focus: Focus) -> Flow<Option<Cow<'s, str>>> {
        let mut any = None;
        self.some(set, focus, &mut |place| {
            any = Some(self.string_value(place)?);
            Continue(true)
        })?;
        Continue(any)
    }

    /// The least and the greatest number of a set; NaN, which compares with nothing, if it has none.
    fn extremes(&self, set: &'s Set, focus: Focus) -> Flow<(f64, f64)> {
        let mut extremes = (f64::NAN, f64::NAN);
        self.stream(set, focus, Demand::Loose, &mut |place| {
            let number = number::parse(&self.string_value(place)?);
            // `min` and `max` pass over NaN.
            extremes = (extremes.0.min(number), extremes.1.max(number));
            GO_ON
        })?;
        Continue(extremes)
    }
}

fn atoms_hold(operator: Operator, left: &Atom<'_>, right: &Atom<'_>) -> bool {
    let is_equality = matches!(operator, Operator::Equal | Operator::NotEqual);
    match (left, right) {
        _ if !is_equality => numbers_hold(operator, left.number(), right.number()),
        (Atom::Truth(_), _) | (_, Atom::Truth(_)) => {
            (left.truth() == right.truth()) == (operator == Operator::Equal)
        }
        (Atom::Text(left), Atom::Text(right)) => (left == right) == (operator == Operator::Equal),
        _ => numbers_hold(operator, left.number(), right.number()),
    }
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

/// `a < b` is `b > a`.
fn mirrored(operator: Operator) -> Operator {
    match operator {
        Operator::Less => Operator::Greater,
        Operator::LessOrEqual => Operator::GreaterOrEqual,
        Operator::Greater => Operator::Less,
        Operator::GreaterOrEqual => Operator::LessOrEqual,
        other => other,
    }
}
