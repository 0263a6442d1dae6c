//! Why an expression finds nothing, and what nearly does.
//!
//! Pure functions over a document and a syntax tree: parts of the expression, and expressions that differ from it in
//! one thing that people get wrong, are evaluated by a function that is handed in. What is proposed has been seen to
//! match. Knows no evaluator, job or screen.

mod names;
mod predicate;
mod selector;
mod short;

use std::fmt;

use crate::extract::xpath::ast::{Expr, Kind, Start, Step};
use crate::html::{Document, Place};
pub use selector::explain_selector;
pub use short::short;

/// More explanations than this confuse.
const MOST_EXPLANATIONS: usize = 5;

/// How many names or values are listed.
const MOST_LISTED: usize = 8;

/// What nearly matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Nearly {
    /// A part of the expression still matches, the next part of it nothing.
    Stops {
        /// The longest part that matches; empty if not even the first step does.
        matching: String,
        /// How many places it matches.
        count: usize,
        /// What follows and finds nothing.
        next: String,
        /// What is there instead: `children there: ol, p`.
        there: Option<String>,
    },
    /// Another expression matches.
    Instead {
        /// The expression.
        expression: String,
        /// How many places it matches.
        count: usize,
        /// What makes the difference.
        because: String,
    },
}

impl fmt::Display for Nearly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Nearly::Stops { matching, count, next, there } => {
                if matching.is_empty() {
                    write!(f, "`{next}` finds nothing from the start")?;
                } else {
                    write!(f, "`{matching}` matches {count}, `{next}` then nothing")?;
                }
                match there {
                    Some(there) => write!(f, "; {there}"),
                    None => Ok(()),
                }
            }
            Nearly::Instead { expression, count, because } => {
                write!(f, "`{expression}` matches {count}: {because}")
            }
        }
    }
}

/// Explains why `tree` finds nothing. `evaluate` gives the places that an expression finds, from wherever `tree` was
/// evaluated; nothing for one that fails.
pub fn explain(document: &Document, tree: &Expr, evaluate: &dyn Fn(&str) -> Vec<Place>) -> Vec<Nearly> {
    let mut search = Search { document, evaluate, found: Vec::new() };
    search.part(tree);
    search.found.truncate(MOST_EXPLANATIONS);
    search.found
}

struct Search<'a> {
    document: &'a Document,
    evaluate: &'a dyn Fn(&str) -> Vec<Place>,
    found: Vec<Nearly>,
}

impl Search<'_> {
    fn places(&self, expr: &Expr) -> Vec<Place> {
        (self.evaluate)(&short(expr))
    }

    /// Explains the parts of an expression that find nothing.
    fn part(&mut self, expr: &Expr) {
        match expr {
            Expr::Path { start, steps } => self.path(start, steps),
            Expr::Filter { subject, .. } if self.places(subject).is_empty() => self.part(subject),
            Expr::Filter { subject, predicates } => {
                for kept in (0..predicates.len()).rev() {
                    let kept = filter(subject, &predicates[..kept]);
                    let count = self.places(&kept).len();
                    if count > 0 {
                        let whole = short(expr);
                        self.stops(&short(&kept), count, &whole, None);
                        return;
                    }
                }
            }
            Expr::Or(operands) | Expr::And(operands) | Expr::Union(operands) => self.parts(operands),
            Expr::Call { arguments, .. } => self.parts(arguments),
            Expr::Chain { first, rest } => {
                self.empty_part(first);
                rest.iter().for_each(|(_, operand)| self.empty_part(operand));
            }
            Expr::Negate { operand, .. } => self.empty_part(operand),
            Expr::Literal(_) | Expr::Number(_) => {}
        }
    }

    fn parts(&mut self, parts: &[Expr]) {
        parts.iter().for_each(|part| self.empty_part(part));
    }

    fn empty_part(&mut self, part: &Expr) {
        if part.kind() != Kind::NodeSet || self.places(part).is_empty() {
            self.part(part);
        }
    }

    /// Explains a path that finds nothing: the longest part of it that matches, and the step or predicate after it.
    fn path(&mut self, start: &Start, steps: &[Step]) {
        if let Start::Expr(expr) = start
            && self.places(expr).is_empty()
        {
            return self.part(expr);
        }
        let ends = units(steps);
        let matching =
            ends.iter().rev().skip(1).find(|&&end| !self.places(&path(start, &steps[..end])).is_empty());
        let begin = matching.copied().unwrap_or(0);
        let Some(&end) = ends.iter().find(|&&end| end > begin) else { return };
        let broken = Broken { start, steps, begin, end };
        let predicates = &steps[end - 1].predicates;
        for kept in (0..predicates.len()).rev() {
            let candidates = self.places(&broken.with_predicates(kept));
            if !candidates.is_empty() {
                return self.predicate(&broken, kept, &candidates);
            }
        }
        self.name(&broken);
    }

    /// Notes that `matching`, the beginning of `whole`, is the longest part that matches.
    fn stops(&mut self, matching: &str, count: usize, whole: &str, there: Option<String>) {
        let next = whole.strip_prefix(matching).unwrap_or(whole).to_owned();
        self.found.push(Nearly::Stops { matching: matching.to_owned(), count, next, there });
    }

    /// Notes the first of `expressions` that matches; says whether one does. They go from the whole to a part, since
    /// there may be a second mistake further on.
    fn propose(&mut self, expressions: &[Expr], because: impl Into<String>) -> bool {
        let matching = expressions.iter().find_map(|expr| {
            let expression = short(expr);
            let count = (self.evaluate)(&expression).len();
            (count > 0).then_some((expression, count))
        });
        let Some((expression, count)) = matching else { return false };
        let is_other =
            |known: &Nearly| !matches!(known, Nearly::Instead { expression: e, .. } if *e == expression);
        if self.found.iter().all(is_other) {
            self.found.push(Nearly::Instead { expression, count, because: because.into() });
        }
        true
    }
}

/// A path and the unit of it that finds nothing though all before it does.
struct Broken<'e> {
    start: &'e Start,
    steps: &'e [Step],
    /// The steps before this one match, if there are any.
    begin: usize,
    /// The steps up to here do not. The last of them has the name and the predicates; one before it can only be `//`.
    end: usize,
}

impl Broken<'_> {
    fn step(&self) -> &Step {
        &self.steps[self.end - 1]
    }

    /// Whether `//` stands before the step.
    fn is_deep(&self) -> bool {
        self.end - self.begin > 1
    }

    /// Whether nothing stands before it.
    fn is_first(&self) -> bool {
        self.begin == 0 || self.steps[..self.begin].iter().all(is_here)
    }

    fn before(&self) -> Expr {
        path(self.start, &self.steps[..self.begin])
    }

    fn up_to_here(&self) -> Expr {
        path(self.start, &self.steps[..self.end])
    }

    /// Up to the step, with only the first `kept` of its predicates.
    fn with_predicates(&self, kept: usize) -> Expr {
        let mut steps = self.steps[..self.end].to_vec();
        if let Some(step) = steps.last_mut() {
            step.predicates.truncate(kept);
        }
        path(self.start, &steps)
    }

    /// The path with other steps in place of the unit: the whole one, and up to there.
    fn replaced(&self, by: impl IntoIterator<Item = Step>) -> [Expr; 2] {
        let mut steps = self.steps[..self.begin].to_vec();
        steps.extend(by);
        let up_to_here = path(self.start, &steps);
        steps.extend_from_slice(&self.steps[self.end..]);
        [path(self.start, &steps), up_to_here]
    }

    /// The path with another last step in the unit: the whole one, and up to there.
    fn with_step(&self, step: Step) -> [Expr; 2] {
        let before = self.steps[self.begin..self.end - 1].iter().cloned();
        self.replaced(before.chain([step]))
    }
}

fn path(start: &Start, steps: &[Step]) -> Expr {
    match (start, steps) {
        (Start::Expr(expr), []) => (**expr).clone(),
        // The context itself, which has no path of no steps.
        (Start::Context, []) => Expr::Path { start: Start::Context, steps: vec![here()] },
        _ => Expr::Path { start: start.clone(), steps: steps.to_vec() },
    }
}

fn filter(subject: &Expr, predicates: &[Expr]) -> Expr {
    if predicates.is_empty() {
        return subject.clone();
    }
    Expr::Filter { subject: Box::new(subject.clone()), predicates: predicates.to_vec() }
}

fn here() -> Step {
    use crate::extract::xpath::ast::{Axis, NodeTest};
    Step { axis: Axis::SelfNode, test: NodeTest::Node, predicates: Vec::new() }
}

fn is_here(step: &Step) -> bool {
    *step == here()
}

/// Where the units of a path end: each is a step, with the `//` before it.
fn units(steps: &[Step]) -> Vec<usize> {
    (1..=steps.len()).filter(|&end| end == steps.len() || !short::is_any_depth(&steps[end - 1])).collect()
}

/// `ol, p (2), a` in the order of first appearance, how often in parentheses; `None` for nothing.
fn listed<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<String> {
    let counted = counted(texts);
    let shown = counted.iter().take(MOST_LISTED).map(|&(text, count)| {
        let text = cut(text);
        if count > 1 { format!("{text} ({count})") } else { text }
    });
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if counted.len() > MOST_LISTED {
        list.push_str(", ..");
    }
    (!counted.is_empty()).then_some(list)
}

/// The different texts in the order of first appearance, and how often each.
fn counted<'t>(texts: impl IntoIterator<Item = &'t str>) -> Vec<(&'t str, usize)> {
    let mut places = std::collections::HashMap::new();
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for text in texts {
        let place = *places.entry(text).or_insert(counted.len());
        match counted.get_mut(place) {
            Some((_, count)) => *count += 1,
            None => counted.push((text, 1)),
        }
    }
    counted
}

/// A text as a part of a line.
fn cut(text: &str) -> String {
    const MOST_CHARACTERS: usize = 60;
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}..", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
