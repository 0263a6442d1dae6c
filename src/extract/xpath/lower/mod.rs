//! Tree ─▶ text for sxd-xpath, which parses, but reads some of XPath 1.0 otherwise than it is written.
//!
//! What is written differently, and why:
//!
//! - Comparisons, arithmetic and all core functions are calls of own functions (`sxd::library`): sxd compares only the
//!   first node of a set, numbers the whole document for each conversion of a set, and parses numbers as Rust does.
//! - `[number]` becomes `[position() = number]`; sxd cuts 1.5 to 1.
//! - `(E)[P]`: sxd numbers the whole document. Where P does not count, `E/self::node()[P]` is the same. Where it does,
//!   `rank(k, E)` notes each node's place once, and `place(k)` and `size(k)` stand for `position()` and `last()`.
//! - `//x` becomes `descendant::x` where no predicate counts: the same nodes without a set of all nodes in between.
//! - A wide axis that begins at many nodes is swept once for all of them (`sweep`), in linear time. Where that cannot
//!   be, and in each predicate that may look far, `tick()` lets the limit of time end the work. Plain paths have none.
//! - Chains become one call with a list of operators: sxd would recurse once per operator.
//!
//! Names of functions have no colon (`re-test`) and must not begin with `and`, `or`, `mod` or `div`: behind a comma sxd takes those for operators.

mod shape;

use super::ast::{Axis, Expr, Kind, NodeTest, Operator, Prefixed, Start, Step};
use super::function::Function;
use super::print::{literal, number_literal};
use super::simplify::simplified;
use shape::{looks_far, sxd_reads_as_written};

/// An expression as sxd-xpath shall read it.
#[derive(Debug)]
pub(super) struct Lowered {
    pub(super) text: String,
    /// Whether namespace nodes must be there.
    pub(super) asks_for_namespaces: bool,
    /// Whether elements must be found by id.
    pub(super) asks_for_ids: bool,
}

/// Lowers `tree`. The prefix `n3` in the text stands for `namespaces[3]`; new ones are added.
pub(super) fn lower(tree: &Expr, namespaces: &mut Vec<String>) -> Lowered {
    let mut lowering = Lowering { namespaces, ranks: 0, asks_for_namespaces: false, asks_for_ids: false };
    let text = lowering.expr(tree, Counting::Native).text;
    Lowered { text, asks_for_namespaces: lowering.asks_for_namespaces, asks_for_ids: lowering.asks_for_ids }
}

/// The code of an operator in the list given to `compare` and `calc`.
pub(super) fn operator_code(operator: Operator) -> char {
    match operator {
        Operator::Equal => '=',
        Operator::NotEqual => '!',
        Operator::Less => '<',
        Operator::LessOrEqual => '{',
        Operator::Greater => '>',
        Operator::GreaterOrEqual => '}',
        Operator::Plus => '+',
        Operator::Minus => '-',
        Operator::Times => '*',
        Operator::Divide => 'd',
        Operator::Remainder => 'm',
    }
}

/// What `position()` and `last()` are at some place of the expression.
#[derive(Clone, Copy)]
enum Counting {
    /// The predicate of a step: sxd counts.
    Native,
    /// The predicate of a filter: the rank of this number counts.
    Rank(usize),
}

/// Lowered text and how it may be used.
struct Text {
    text: String,
    /// It may stand before `/` and as an operand without parentheses: all but operators may.
    is_closed: bool,
}

impl Text {
    fn closed(text: String) -> Text {
        Text { text, is_closed: true }
    }

    fn open(text: String) -> Text {
        Text { text, is_closed: false }
    }

    fn enclosed(self) -> String {
        if self.is_closed { self.text } else { format!("({})", self.text) }
    }
}

struct Lowering<'n> {
    namespaces: &'n mut Vec<String>,
    ranks: usize,
    asks_for_namespaces: bool,
    asks_for_ids: bool,
}

impl Lowering<'_> {
    fn expr(&mut self, expr: &Expr, counting: Counting) -> Text {
        match expr {
            Expr::Or(operands) => self.balanced(operands, " or ", counting),
            Expr::And(operands) => self.balanced(operands, " and ", counting),
            Expr::Chain { first, rest } => self.chain(first, rest, counting),
            Expr::Negate { times, operand } => {
                let name = if times % 2 == 1 { "neg" } else { "number" };
                Text::closed(format!("{name}({})", self.expr(operand, counting).text))
            }
            Expr::Union(operands) => Text::closed(format!("union({})", self.list(operands, counting))),
            Expr::Path { start, steps } => self.path(start, steps, counting),
            Expr::Filter { subject, predicates } => self.filter(subject, predicates, counting),
            Expr::Literal(text) => Text::closed(literal(text)),
            Expr::Number(number) => Text::closed(number_literal(*number)),
            Expr::Call { function, arguments } => Text::closed(self.call(*function, arguments, counting)),
        }
    }

    fn list(&mut self, operands: &[Expr], counting: Counting) -> String {
        let texts: Vec<String> = operands.iter().map(|operand| self.expr(operand, counting).text).collect();
        texts.join(", ")
    }

    fn call(&mut self, function: Function, arguments: &[Expr], counting: Counting) -> String {
        match (function, counting) {
            (Function::Position, Counting::Rank(k)) => return format!("place({k})"),
            (Function::Last, Counting::Rank(k)) => return format!("size({k})"),
            (Function::Id, _) => self.asks_for_ids = true,
            _ => {}
        }
        // sxd takes a colon for a prefix that must be declared.
        format!("{}({})", function.name().replace(':', "-"), self.list(arguments, counting))
    }

    /// `and` and `or` as a balanced tree: they are associative, and keep their order and their short cut.
    fn balanced(&mut self, operands: &[Expr], word: &str, counting: Counting) -> Text {
        if let [only] = operands {
            return self.expr(only, counting);
        }
        let (left, right) = operands.split_at(operands.len() / 2);
        let left = self.balanced(left, word, counting).enclosed();
        let right = self.balanced(right, word, counting).enclosed();
        Text::open(format!("{left}{word}{right}"))
    }

    fn chain(&mut self, first: &Expr, rest: &[(Operator, Expr)], counting: Counting) -> Text {
        if let [(operator, second)] = rest
            && sxd_reads_as_written(first, *operator, second)
        {
            let left = self.expr(first, counting).enclosed();
            let right = self.expr(second, counting).enclosed();
            return Text::open(format!("{left} {} {right}", operator.word()));
        }
        let name = if rest.iter().any(|(operator, _)| operator.compares()) { "compare" } else { "calc" };
        let codes: String = rest.iter().map(|(operator, _)| operator_code(*operator)).collect();
        let mut text = format!("{name}('{codes}', {}", self.expr(first, counting).text);
        for (_, operand) in rest {
            text.push_str(", ");
            text.push_str(&self.expr(operand, counting).text);
        }
        text.push(')');
        Text::closed(text)
    }

    fn path(&mut self, start: &Start, steps: &[Step], counting: Counting) -> Text {
        let steps = simplified(steps);
        let mut path = match start {
            Start::Root if steps.is_empty() => return Text::closed("(/)".to_owned()),
            Start::Root => Walk { text: "/".to_owned(), needs_slash: false, set: Set::One },
            Start::Context => Walk { text: String::new(), needs_slash: false, set: Set::One },
            Start::Expr(start) => {
                Walk { text: self.expr(start, counting).enclosed(), needs_slash: true, set: Set::Nested }
            }
        };
        for step in &steps {
            self.step(&mut path, step);
        }
        Text::closed(path.text)
    }

    fn step(&mut self, path: &mut Walk, step: &Step) {
        let Step { axis, test, predicates } = step;
        let counts = predicates.iter().any(Expr::is_positional);
        let reaches_twice = match axis {
            Axis::Descendant | Axis::DescendantOrSelf => path.set == Set::Nested,
            _ => axis.is_wide() && path.set != Set::One,
        };
        if reaches_twice && !counts {
            self.sweep(path, step);
        } else if reaches_twice && !matches!(axis, Axis::Ancestor | Axis::AncestorOrSelf) {
            // Only the candidates that pass the node test reach the predicates, so the test becomes one.
            path.step(&format!("{}::node()[tick()]", axis.word()));
            if *test != NodeTest::Node {
                path.text.push_str(&format!("[self::{}]", self.test(test)));
            }
            self.predicates(path, predicates);
        } else {
            path.step(&format!("{}::{}", axis.word(), self.test(test)));
            if *axis == Axis::Namespace {
                self.asks_for_namespaces = true;
                // A default namespace that was taken back stands there with an empty name (see `sxd::copy`).
                path.text.push_str("[string-length() > 0]");
            }
            self.predicates(path, predicates);
        }
        path.set = match axis {
            Axis::SelfNode | Axis::Parent => path.set,
            Axis::Child | Axis::Attribute | Axis::Namespace => path.set.max(Set::Several),
            _ => Set::Nested,
        };
    }

    /// One walk for all nodes of the set so far.
    fn sweep(&mut self, path: &mut Walk, step: &Step) {
        let from = std::mem::take(&mut path.text);
        let word = step.axis.word();
        let mut test = None;
        path.text = match &step.test {
            NodeTest::Name(prefixed, local) => {
                let namespace = prefixed.as_ref().map_or("", |prefixed| &prefixed.namespace);
                format!("sweep('{word}', {from}, {}, {})", literal(namespace), literal(local))
            }
            other => {
                test = Some(self.test(other)).filter(|_| *other != NodeTest::Node);
                format!("sweep('{word}', {from})")
            }
        };
        path.needs_slash = true;
        if test.is_some() || !step.predicates.is_empty() {
            path.step(&format!("self::{}", test.as_deref().unwrap_or("node()")));
            self.predicates(path, &step.predicates);
        }
    }

    fn predicates(&mut self, path: &mut Walk, predicates: &[Expr]) {
        for predicate in predicates {
            let condition = self.condition(predicate, Counting::Native);
            path.text.push_str(&format!("[{condition}]"));
        }
    }

    /// A predicate; numbers are compared with the position (2.4).
    fn condition(&mut self, predicate: &Expr, counting: Counting) -> String {
        if let (&Expr::Number(number), Counting::Native) = (predicate, counting)
            && is_place(number)
        {
            return number_literal(number);
        }
        let mut condition = self.expr(predicate, counting);
        if predicate.kind() == Kind::Number {
            let position = self.call(Function::Position, &[], counting);
            condition = Text::open(format!("{position} = {}", condition.enclosed()));
        }
        if looks_far(predicate) { format!("tick() and {}", condition.enclosed()) } else { condition.text }
    }

    fn filter(&mut self, subject: &Expr, predicates: &[Expr], counting: Counting) -> Text {
        let mut text = self.expr(subject, counting);
        for predicate in predicates {
            text = match predicate {
                Expr::Number(number) => {
                    // No node stands at place 0, which is where 1.5 and 0 lead.
                    let place = if is_place(*number) { *number } else { 0.0 };
                    Text::closed(format!("nth({}, {})", text.text, number_literal(place)))
                }
                Expr::Call { function: Function::Last, .. } => Text::closed(format!("final({})", text.text)),
                counts if counts.is_positional() => {
                    let k = self.ranks;
                    self.ranks += 1;
                    let condition = self.condition(counts, Counting::Rank(k));
                    Text::closed(format!("rank({k}, {})/self::node()[{condition}]", text.text))
                }
                other => {
                    let condition = self.condition(other, Counting::Native);
                    Text::closed(format!("{}/self::node()[{condition}]", text.enclosed()))
                }
            };
        }
        text
    }

    fn test(&mut self, test: &NodeTest) -> String {
        match test {
            NodeTest::AnyName => "*".to_owned(),
            NodeTest::AnyOf(prefixed) => format!("{}:*", self.prefix(prefixed)),
            NodeTest::Name(None, local) => local.clone(),
            NodeTest::Name(Some(prefixed), local) => format!("{}:{local}", self.prefix(prefixed)),
            NodeTest::ProcessingInstruction(Some(target)) => {
                format!("processing-instruction({})", literal(target))
            }
            other => other.to_string(),
        }
    }

    fn prefix(&mut self, prefixed: &Prefixed) -> String {
        let known = self.namespaces.iter().position(|namespace| *namespace == prefixed.namespace);
        let index = known.unwrap_or_else(|| {
            self.namespaces.push(prefixed.namespace.clone());
            self.namespaces.len() - 1
        });
        format!("n{index}")
    }
}

/// The text of a path while its steps are added.
struct Walk {
    text: String,
    needs_slash: bool,
    set: Set,
}

/// What is known of the nodes that the steps so far lead to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Set {
    One,
    /// None of them inside another.
    Several,
    Nested,
}

impl Walk {
    fn step(&mut self, step: &str) {
        if self.needs_slash {
            self.text.push('/');
        }
        self.text.push_str(step);
        self.needs_slash = true;
    }
}
/// Whether a number is one that positions take, and small enough for any machine.
fn is_place(number: f64) -> bool {
    number >= 1.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::xpath::{Namespaces, XPath};

    fn lowered(text: &str) -> String {
        let mut namespaces = Namespaces::new();
        namespaces.declare("p", "urn:p").unwrap();
        lower(XPath::parse(text, &namespaces).unwrap().tree(), &mut Vec::new()).text
    }

    #[test]
    fn plain_paths_stay_plain() {
        for (text, plain) in [
            (
                "//div[@class=\"x\"]/a/text()",
                "/descendant::div[attribute::class = \"x\"]/child::a/child::text()",
            ),
            (".//span", "descendant::span"),
            ("./a/@href", "child::a/attribute::href"),
            ("//@href", "/descendant-or-self::*/attribute::href"),
            ("//a[1]", "/descendant-or-self::node()/child::a[1]"),
            (".", "self::node()"),
            ("/.", "/self::node()"),
            ("//p:a", "/descendant::n0:a"),
            ("a/..", "child::a/parent::node()"),
        ] {
            assert_eq!(lowered(text), plain);
        }
    }

    #[test]
    fn a_number_in_a_predicate_is_compared_with_the_position() {
        assert_eq!(lowered("a[2]"), "child::a[2]");
        assert_eq!(lowered("a[1.5]"), "child::a[position() = 1.5]");
        assert_eq!(lowered("a[0]"), "child::a[position() = 0]");
        assert_eq!(lowered("a[last() - 1]"), "child::a[position() = (last() - 1)]");
    }

    #[test]
    fn filters_count_by_rank_only_where_they_must() {
        assert_eq!(lowered("(//a)[1]"), "nth(/descendant::a, 1)");
        assert_eq!(lowered("(//a)[last()]"), "final(/descendant::a)");
        assert_eq!(lowered("(//a)[@b]"), "/descendant::a/self::node()[attribute::b]");
        assert_eq!(lowered("(//a)[position() < 3]"), "rank(0, /descendant::a)/self::node()[place(0) < 3]");
        assert_eq!(lowered("(//a)[b[last()]]"), "/descendant::a/self::node()[child::b[position() = last()]]");
    }

    #[test]
    fn wide_steps_from_many_nodes_are_swept_or_ticked() {
        assert_eq!(lowered("//a//b"), "sweep('descendant', /descendant::a, \"\", \"b\")");
        assert_eq!(lowered("//a/following::b[1]"), "/descendant::a/following::node()[tick()][self::b][1]");
        assert_eq!(lowered("//a/following::*[c]"), "sweep('following', /descendant::a)/self::*[child::c]");
        assert_eq!(lowered("a/following-sibling::b"), "sweep('following-sibling', child::a, \"\", \"b\")");
        assert_eq!(lowered("following-sibling::b"), "following-sibling::b");
        assert_eq!(lowered("a//b"), "child::a/descendant::b");
        assert_eq!(lowered("//a[.//b]"), "/descendant::a[tick() and descendant::b]");
        assert_eq!(lowered("//a[../@b]"), "/descendant::a[parent::node()/attribute::b]");
        assert_eq!(lowered("//a[../b]"), "/descendant::a[tick() and parent::node()/child::b]");
    }
}
