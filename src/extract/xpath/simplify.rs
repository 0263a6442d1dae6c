//! Paths with fewer steps that lead to the same nodes: what both engines begin with.

use super::ast::{Axis, Expr, NodeTest, Step};

/// The same path with fewer steps.
pub(super) fn simplified(steps: &[Step]) -> Vec<Step> {
    let mut simple: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        let follows_any = simple.last().is_some_and(|last| is_plain(last, Axis::DescendantOrSelf));
        let counts = step.predicates.iter().any(Expr::is_positional);
        if is_plain(step, Axis::SelfNode) && steps.len() > 1 {
            continue;
        }
        match step.axis {
            Axis::Child | Axis::Descendant if follows_any && !counts => {
                simple.pop();
                simple.push(Step { axis: Axis::Descendant, ..step.clone() });
            }
            Axis::SelfNode | Axis::DescendantOrSelf if follows_any && !counts => {
                simple.pop();
                simple.push(Step { axis: Axis::DescendantOrSelf, ..step.clone() });
            }
            Axis::Attribute if follows_any => {
                // Only elements have attributes.
                simple.pop();
                let test = NodeTest::AnyName;
                simple.push(Step { axis: Axis::DescendantOrSelf, test, predicates: Vec::new() });
                simple.push(step.clone());
            }
            _ => simple.push(step.clone()),
        }
    }
    if simple.is_empty() {
        // `./.`: one of them stays.
        simple.extend(steps.first().cloned());
    }
    simple
}

/// Whether a step is `axis::node()` without predicates.
pub(super) fn is_plain(step: &Step, axis: Axis) -> bool {
    step.axis == axis && step.test == NodeTest::Node && step.predicates.is_empty()
}
