//! Numbers (3.5, 4.4).

use std::ops::ControlFlow::Continue;

use super::program::Number;
use super::set::Demand;
use super::{Flow, Focus, GO_ON, Page};
use crate::extract::xpath::ast::Operator;
use crate::extract::xpath::number;

impl<'s> Page<'s> {
    pub(super) fn number(&self, number: &'s Number, focus: Focus) -> Flow<f64> {
        self.charge(1)?;
        Continue(match number {
            Number::Literal(number) => *number,
            Number::Text(text) => number::parse(&self.text(text, focus)?),
            Number::Truth(truth) => f64::from(u8::from(self.truth(truth, focus)?)),
            Number::Position => focus.position as f64,
            Number::Size => focus.size as f64,
            Number::Count(set) => {
                let mut count = 0_usize;
                self.stream(set, focus, Demand::Unique, &mut |_| {
                    count += 1;
                    GO_ON
                })?;
                count as f64
            }
            Number::Sum(set) => {
                // In document order: a sum of floats depends on it.
                let mut sum = 0.0;
                self.stream(set, focus, Demand::Ordered, &mut |place| {
                    sum += number::parse(&self.string_value(place)?);
                    GO_ON
                })?;
                sum
            }
            Number::Length(text) => self.text(text, focus)?.chars().count() as f64,
            Number::Floor(one) => self.number(one, focus)?.floor(),
            Number::Ceiling(one) => self.number(one, focus)?.ceil(),
            Number::Round(one) => number::round(self.number(one, focus)?),
            Number::Negated(one) => -self.number(one, focus)?,
            Number::Chain(first, rest) => {
                let mut result = self.number(first, focus)?;
                for (operator, operand) in rest {
                    let right = self.number(operand, focus)?;
                    result = match operator {
                        Operator::Plus => result + right,
                        Operator::Minus => result - right,
                        Operator::Times => result * right,
                        Operator::Divide => result / right,
                        // Rust's remainder has the sign of the left side, as 3.5 says.
                        _ => result % right,
                    };
                }
                result
            }
        })
    }
}
