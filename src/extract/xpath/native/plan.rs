//! Cutting a path into segments.
//!
//! Following all steps from one node before the next is looked at needs no memory, stops when enough was found, and
//! often meets the nodes in document order. It must not go on from a node that it may meet twice: `//a/..//a/..//a`
//! would take exponential time. There a segment ends: its nodes are sorted, and the next begins at each once.

use super::program::{Counting, Segment, Step, Test};
use crate::extract::xpath::ast::Axis;

/// Steps of one segment. Each is a level of recursion, and a long path must not exhaust the stack.
const MOST_STEPS: usize = 8;

/// What is known of the nodes that the steps so far lead to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    One,
    /// None of them inside another.
    Several,
    Nested,
}

/// The segments of a path that begins at nodes known to be `reach`.
pub(super) fn segments(steps: Vec<Step>, reach: Reach) -> Box<[Segment]> {
    let mut plan = Plan { done: Vec::new(), open: Segment::empty(), reach };
    steps.into_iter().for_each(|step| plan.add(step));
    plan.cut();
    plan.done.into()
}

impl Segment {
    fn empty() -> Segment {
        Segment { steps: Box::default(), is_swept: false, is_ordered: true, is_unique: true }
    }
}

struct Plan {
    done: Vec<Segment>,
    open: Segment,
    reach: Reach,
}

impl Plan {
    fn cut(&mut self) {
        if !self.open.steps.is_empty() {
            self.done.push(std::mem::replace(&mut self.open, Segment::empty()));
        }
    }

    fn add(&mut self, step: Step) {
        let reaches_twice = match step.axis {
            Axis::Descendant | Axis::DescendantOrSelf => self.reach == Reach::Nested,
            axis => axis.is_wide() && self.reach != Reach::One,
        };
        let sweeps = reaches_twice && step.predicates.counting == Counting::Nothing;
        if sweeps || !self.open.is_unique || self.open.steps.len() >= MOST_STEPS {
            self.cut();
        }
        let (is_ordered, is_unique) =
            if sweeps { (is_swept_in_order(&step), true) } else { self.after(step.axis, reaches_twice) };
        self.open.is_swept |= sweeps;
        self.open.is_ordered = is_ordered;
        self.open.is_unique = is_unique;
        self.reach = match step.axis {
            Axis::SelfNode => self.reach,
            Axis::Parent if self.reach == Reach::One => Reach::One,
            Axis::Child | Axis::Attribute if self.reach == Reach::One => Reach::Several,
            Axis::FollowingSibling | Axis::PrecedingSibling if self.reach == Reach::One => Reach::Several,
            Axis::Attribute => Reach::Several,
            Axis::Child => self.reach,
            _ => Reach::Nested,
        };
        let mut steps = std::mem::take(&mut self.open.steps).into_vec();
        steps.push(step);
        self.open.steps = steps.into();
    }

    /// Whether nodes are met in order, and each once, behind one more step that is taken from each node by itself.
    fn after(&self, axis: Axis, reaches_twice: bool) -> (bool, bool) {
        let Segment { is_ordered, is_unique, .. } = self.open;
        match axis {
            Axis::SelfNode | Axis::Attribute => (is_ordered, is_unique),
            Axis::Child => (is_ordered && self.reach != Reach::Nested, is_unique),
            _ if reaches_twice => (false, false),
            Axis::Descendant | Axis::DescendantOrSelf | Axis::Following | Axis::FollowingSibling => {
                (is_ordered, is_unique)
            }
            Axis::Parent => (self.reach == Reach::One, self.reach == Reach::One),
            // Backwards, from one node.
            _ => (false, is_unique),
        }
    }
}

/// Whether [`super::sweep`] meets nodes in document order. Attributes that are themselves among the nodes would come
/// behind the descendants of others.
fn is_swept_in_order(step: &Step) -> bool {
    match step.axis {
        Axis::DescendantOrSelf => !matches!(step.test, Test::Node),
        Axis::Descendant | Axis::Following | Axis::Preceding => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::program::{Expression, Set};
    use super::super::{Program, compile};
    use crate::extract::xpath::{Namespaces, XPath};

    /// The segments of a path: the words of their axes, `sweep` before them, and how they end.
    fn plan(text: &str) -> String {
        let xpath = XPath::parse(text, &Namespaces::new()).unwrap();
        let Program(Expression::Set(Set::Path(path))) = compile(xpath.tree()).unwrap() else {
            panic!("{text} is no path");
        };
        let shown = path.segments.iter().map(|segment| {
            let axes: Vec<&str> = segment.steps.iter().map(|step| step.axis.word()).collect();
            let sweep = if segment.is_swept { "sweep " } else { "" };
            let end = match (segment.is_ordered, segment.is_unique) {
                (true, true) => "ordered",
                (false, true) => "unique",
                _ => "loose",
            };
            format!("{sweep}{} {end}", axes.join("/"))
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn plain_paths_are_one_segment_and_often_in_order() {
        for (text, planned) in [
            ("./a/b/@href", "child/child/attribute ordered"),
            ("//a", "descendant ordered"),
            ("//a/@href", "descendant/attribute ordered"),
            ("a//b", "child/descendant ordered"),
            ("//a/b", "descendant/child unique"),
            ("../a", "parent/child ordered"),
            ("following::a/@k", "following/attribute ordered"),
            ("preceding-sibling::a/b", "preceding-sibling/child unique"),
            ("/", ""),
        ] {
            assert_eq!(plan(text), planned, "{text}");
        }
    }

    #[test]
    fn a_segment_ends_where_nodes_may_be_met_twice() {
        for (text, planned) in [
            ("//a/..", "descendant/parent loose"),
            ("//a/../b", "descendant/parent loose, child unique"),
            ("//a//b", "descendant ordered, sweep descendant ordered"),
            ("//a//b[1]", "descendant ordered, sweep descendant-or-self/child unique"),
            ("//a/following::b", "descendant ordered, sweep following ordered"),
            ("//a/following::b[1]/c", "descendant/following loose, child unique"),
            ("//a/ancestor::b", "descendant ordered, sweep ancestor unique"),
        ] {
            assert_eq!(plan(text), planned, "{text}");
        }
    }

    #[test]
    fn a_segment_has_no_more_steps_than_the_stack_allows() {
        let long = vec!["a"; 20].join("/");
        assert_eq!(plan(&long).matches("ordered").count(), 3);
    }
}
