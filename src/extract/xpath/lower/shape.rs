//! What an expression looks like, as far as it decides how to write it for sxd.

use crate::extract::xpath::ast::{Axis, Expr, Kind, NodeTest, Operator, Start};

/// Whether sxd's operator does what XPath 1.0 says for these operands, and does it cheaply.
pub(super) fn sxd_reads_as_written(left: &Expr, operator: Operator, right: &Expr) -> bool {
    if left.kind() == Kind::Number && right.kind() == Kind::Number {
        return true;
    }
    let is_plain = |side: &Expr| side.kind() == Kind::String || holds_its_text(side);
    match operator {
        Operator::Equal => {
            left.kind() == Kind::Boolean
                || right.kind() == Kind::Boolean
                || (is_plain(left) && is_plain(right))
        }
        Operator::NotEqual => left.kind() == Kind::Boolean || right.kind() == Kind::Boolean,
        _ => false,
    }
}

/// Whether the nodes of a path are attributes or texts, whose string-value needs no walk through a subtree.
fn holds_its_text(expr: &Expr) -> bool {
    let Expr::Path { steps, .. } = expr else { return false };
    steps.last().is_some_and(|step| step.axis == Axis::Attribute || step.test == NodeTest::Text)
}

/// Whether one evaluation may visit more than the node and its children: a wide axis, the root, or children of a
/// parent.
pub(super) fn looks_far(expr: &Expr) -> bool {
    match expr {
        Expr::Or(operands) | Expr::And(operands) | Expr::Union(operands) => operands.iter().any(looks_far),
        Expr::Chain { first, rest } => looks_far(first) || rest.iter().any(|(_, operand)| looks_far(operand)),
        Expr::Negate { operand, .. } => looks_far(operand),
        Expr::Path { start, steps } => {
            let from_afar = match start {
                Start::Root => true,
                Start::Context => false,
                Start::Expr(start) => looks_far(start),
            };
            let up = steps.iter().position(|step| step.axis == Axis::Parent);
            let and_down = up.is_some_and(|up| steps[up..].iter().any(|step| step.axis == Axis::Child));
            from_afar || and_down || steps.iter().any(|step| step.axis.is_wide() || far_in(&step.predicates))
        }
        Expr::Filter { subject, predicates } => looks_far(subject) || far_in(predicates),
        Expr::Call { arguments, .. } => arguments.iter().any(looks_far),
        Expr::Literal(_) | Expr::Number(_) => false,
    }
}

fn far_in(predicates: &[Expr]) -> bool {
    predicates.iter().any(looks_far)
}
