//! A predicate that keeps none of its candidates: attribute values that differ, text that is elsewhere, numbers that
//! count within a parent.

use super::{Broken, Search, counted, filter, listed, path, short};
use crate::extract::xpath::ast::{Axis, Expr, NodeTest, Operator, Start, Step};
use crate::extract::xpath::function::Function;
use crate::html::Place;
use crate::spelling::distance;

/// Values that are compared by letters, and how long they may be for that.
const MOST_VALUES: usize = 1000;
const LONGEST_VALUE: usize = 100;

impl Search<'_> {
    /// Explains predicate number `index` of the step, which keeps none of `candidates`.
    pub(super) fn predicate(&mut self, broken: &Broken<'_>, index: usize, candidates: &[Place]) {
        let predicate = &broken.step().predicates[index];
        let guilty = self.guilty(broken, index, predicate);
        let attribute = attribute_in(guilty);
        let there = attribute.map(|name| {
            let quoted: Vec<String> =
                self.values(candidates, name).map(|value| format!("\"{value}\"")).collect();
            match listed(quoted.iter().map(String::as_str)) {
                Some(values) => format!("@{name} there: {values}"),
                None => format!("no @{name} there"),
            }
        });
        let matching = short(&broken.with_predicates(index));
        self.stops(&matching, candidates.len(), &short(&broken.with_predicates(index + 1)), there);

        self.operand(&Edit { broken, index, guilty }, candidates);
    }

    /// Explains what keeps nothing: a predicate, or an operand of one.
    fn operand(&mut self, edit: &Edit<'_>, candidates: &[Place]) {
        let Edit { broken, index, guilty } = *edit;
        match guilty {
            // None of them keeps anything.
            Expr::Or(operands) => {
                for guilty in operands {
                    self.operand(&Edit { guilty, ..*edit }, candidates);
                }
            }
            Expr::Number(_) => {
                let subject = broken.with_predicates(index);
                if broken.is_deep() && broken.end == broken.steps.len() {
                    let counted = filter(&subject, std::slice::from_ref(guilty));
                    self.propose(
                        &[counted],
                        "a number counts within each parent; so it counts on the whole page",
                    );
                }
            }
            Expr::Chain { first, rest } => {
                if let [(Operator::Equal, second)] = rest.as_slice() {
                    match (&**first, second) {
                        (subject, Expr::Literal(text)) | (Expr::Literal(text), subject) => {
                            self.equality(edit, subject, text, candidates);
                        }
                        _ => {}
                    }
                }
            }
            Expr::Call { function: Function::Contains | Function::StartsWith, arguments } => {
                if let [subject, Expr::Literal(text)] = arguments.as_slice() {
                    self.containment(edit, subject, text, candidates);
                }
            }
            // Something must be inside, and is not: what of it is.
            Expr::Path { start: Start::Context, steps } => self.inner_path(broken, index, steps),
            _ => {}
        }
    }

    /// The operand of an `and` that alone keeps nothing, or the whole.
    fn guilty<'e>(&self, broken: &Broken<'_>, index: usize, predicate: &'e Expr) -> &'e Expr {
        let Expr::And(operands) = predicate else { return predicate };
        let keeps_nothing = |operand: &&Expr| {
            self.places(&with_predicate(broken, index, (*operand).clone(), false)).is_empty()
        };
        operands.iter().find(keeps_nothing).unwrap_or(predicate)
    }

    fn values<'s>(&'s self, candidates: &'s [Place], name: &'s str) -> impl Iterator<Item = &'s str> {
        candidates.iter().filter_map(move |place| self.document.attribute(place.node, name))
    }

    fn equality(&mut self, edit: &Edit<'_>, subject: &Expr, text: &str, candidates: &[Place]) {
        if let Some(name) = single_attribute(subject) {
            return self.attribute_value(edit, subject, name, text, candidates);
        }
        if let Expr::Call { function: Function::LocalName | Function::Name, arguments } = subject {
            if arguments.is_empty() {
                self.name_in_quotes(edit, subject, text, candidates);
            }
            return;
        }
        let here = path(&Start::Context, &[]);
        let literal = || Expr::Literal(text.to_owned());
        if is_text_step(subject) {
            let because = "the text is inside a child element; . is all text of the element";
            if self.propose(&edit.by(equal(here.clone(), literal())), because) {
                return;
            }
        }
        if is_text_step(subject) || is_context(subject) {
            let normal = call(Function::NormalizeSpace, vec![]);
            if self
                .propose(&edit.by(equal(normal, literal())), "with the white space around the text left out")
            {
                return;
            }
            self.propose(
                &edit.by(call(Function::Contains, vec![here, literal()])),
                "the text is a part of it, not all",
            );
        } else if let Expr::Path { start: Start::Context, steps } = subject {
            self.inner_path(edit.broken, edit.index, steps);
        }
    }

    /// `local-name() = "itme"`.
    fn name_in_quotes(&mut self, edit: &Edit<'_>, subject: &Expr, text: &str, candidates: &[Place]) {
        let document = self.document;
        let names = candidates.iter().filter_map(|place| document.name(place.node)).map(|name| &*name.local);
        let near = counted(names)
            .into_iter()
            .take(MOST_VALUES)
            .filter(|(name, _)| name.len() <= LONGEST_VALUE)
            .map(|(name, _)| (distance(text, name), name))
            .filter(|&(distance, name)| distance <= 1 + name.len().min(text.len()) / 4)
            .min();
        if let Some((_, name)) = near {
            let because = format!("`{name}` is there, `{text}` is not");
            self.propose(&edit.by(equal(subject.clone(), literal(name))), because);
        }
    }

    fn containment(&mut self, edit: &Edit<'_>, subject: &Expr, text: &str, candidates: &[Place]) {
        let Expr::Call { function, .. } = edit.guilty else { return };
        if let Some(name) = single_attribute(subject) {
            let lower = text.to_lowercase();
            let written = self.values(candidates, name).take(MOST_VALUES).find_map(|value| {
                let at = value.to_lowercase().find(&lower)?;
                // Lower case may be of another length; then there is nothing to point at.
                value.get(at..at + text.len()).map(str::to_owned)
            });
            if let Some(written) = written.filter(|written| written != text) {
                let other = call(*function, vec![subject.clone(), Expr::Literal(written)]);
                self.propose(&edit.by(other), "capital and small letters differ");
            }
            if *function == Function::StartsWith {
                let arguments = vec![subject.clone(), Expr::Literal(text.to_owned())];
                self.propose(&edit.by(call(Function::Contains, arguments)), "it is further inside");
            }
            return;
        }
        if is_text_step(subject) {
            let arguments = vec![path(&Start::Context, &[]), Expr::Literal(text.to_owned())];
            let because = "the text is inside a child element; . is all text of the element";
            self.propose(&edit.by(call(*function, arguments)), because);
        }
    }

    fn attribute_value(
        &mut self,
        edit: &Edit<'_>,
        subject: &Expr,
        name: &str,
        text: &str,
        candidates: &[Place],
    ) {
        let values: Vec<String> = counted(self.values(candidates, name))
            .iter()
            .take(MOST_VALUES)
            .map(|(v, _)| (*v).to_owned())
            .collect();
        let has_word = |value: &String| value.split_whitespace().any(|word| word == text);
        if let Some(value) = values.iter().find(|value| has_word(value)) {
            let words = call(
                Function::Concat,
                vec![literal(" "), call(Function::NormalizeSpace, vec![subject.clone()]), literal(" ")],
            );
            let contains = call(Function::Contains, vec![words, literal(&format!(" {text} "))]);
            let because = format!("`{text}` is one of several words in {name}=\"{}\"", super::cut(value));
            self.propose(&edit.by(contains), because);
            return;
        }
        if let Some(value) = values.iter().find(|value| !text.is_empty() && value.contains(text)) {
            let contains = call(Function::Contains, vec![subject.clone(), literal(text)]);
            let because = format!("`{text}` is a part of {name}=\"{}\"", super::cut(value));
            self.propose(&edit.by(contains), because);
        }
        let far = |value: &str| distance(&text.to_lowercase(), &value.trim().to_lowercase());
        let nearest = values
            .iter()
            .filter(|value| value.len() <= LONGEST_VALUE && !(value.contains('"') && value.contains('\'')))
            .map(|value| (far(value), value))
            .filter(|&(distance, value)| distance <= 1 + value.chars().count().min(text.chars().count()) / 4)
            .min();
        if let Some((_, value)) = nearest {
            let because = format!("{name}=\"{value}\" is there, \"{text}\" is not");
            self.propose(&edit.by(equal(subject.clone(), literal(value))), because);
        }
    }

    /// Goes on into the path of a predicate, as if it were a part of the whole path.
    fn inner_path(&mut self, broken: &Broken<'_>, index: usize, inner: &[Step]) {
        let Expr::Path { start, mut steps } = broken.with_predicates(index) else { return };
        steps.extend_from_slice(inner);
        if self.places(&path(&start, &steps)).is_empty() {
            self.path(&start, &steps);
        }
    }
}

/// A predicate, or the operand of one, to be replaced.
#[derive(Clone, Copy)]
struct Edit<'e> {
    broken: &'e Broken<'e>,
    index: usize,
    guilty: &'e Expr,
}

impl Edit<'_> {
    /// The path with `new` in place of the guilty part: the whole one, and up to there.
    fn by(&self, new: Expr) -> [Expr; 2] {
        let predicate = match &self.broken.step().predicates[self.index] {
            whole if whole == self.guilty => new,
            Expr::And(operands) => Expr::And(self.with(operands, &new)),
            Expr::Or(operands) => Expr::Or(self.with(operands, &new)),
            // The guilty part is deeper inside; nobody asks for that.
            _ => new,
        };
        [true, false].map(|whole| with_predicate(self.broken, self.index, predicate.clone(), whole))
    }

    fn with(&self, operands: &[Expr], new: &Expr) -> Vec<Expr> {
        let replaced = |operand: &Expr| if operand == self.guilty { new.clone() } else { operand.clone() };
        operands.iter().map(replaced).collect()
    }
}

/// The path with another predicate: the whole one, or only up to that predicate.
fn with_predicate(broken: &Broken<'_>, index: usize, predicate: Expr, whole: bool) -> Expr {
    let mut steps = broken.steps[..if whole { broken.steps.len() } else { broken.end }].to_vec();
    let step = &mut steps[broken.end - 1];
    if !whole {
        step.predicates.truncate(index + 1);
    }
    step.predicates[index] = predicate;
    path(broken.start, &steps)
}

/// `a = b`.
pub(super) fn equal(first: Expr, second: Expr) -> Expr {
    Expr::Chain { first: Box::new(first), rest: vec![(Operator::Equal, second)] }
}

fn call(function: Function, arguments: Vec<Expr>) -> Expr {
    Expr::Call { function, arguments }
}

fn literal(text: &str) -> Expr {
    Expr::Literal(text.to_owned())
}

/// The attribute that a comparison or a call looks at.
fn attribute_in(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Chain { first, rest } => {
            single_attribute(first).or_else(|| rest.iter().find_map(|(_, operand)| single_attribute(operand)))
        }
        Expr::Call { arguments, .. } => arguments.iter().find_map(single_attribute),
        other => single_attribute(other),
    }
}

/// The name in `@name`.
fn single_attribute(expr: &Expr) -> Option<&str> {
    match single_step(expr)? {
        Step { axis: Axis::Attribute, test: NodeTest::Name(None, name), predicates }
            if predicates.is_empty() =>
        {
            Some(name)
        }
        _ => None,
    }
}

fn is_text_step(expr: &Expr) -> bool {
    single_step(expr).is_some_and(|step| step.axis == Axis::Child && step.test == NodeTest::Text)
}

fn is_context(expr: &Expr) -> bool {
    single_step(expr).is_some_and(super::is_here)
}

fn single_step(expr: &Expr) -> Option<&Step> {
    match expr {
        Expr::Path { start: Start::Context, steps } => match steps.as_slice() {
            [step] => Some(step),
            _ => None,
        },
        _ => None,
    }
}
