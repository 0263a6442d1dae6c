//! Our own evaluator: it works on the document itself, without a copy, and each step of work is counted.
//!
//! `compile` makes a [`Program`] of the tree (`program`), `plan` cuts its paths so that no node is met twice; `set`,
//! `axis`, `sweep` and `predicate` find nodes, `truth`, `compare`, `text`, `regexp` and
//! `number` make values of them. Sets are
//! not built but streamed: whoever asks says how much order it needs, and stops when it has enough. How deep calls go
//! depends on the expression alone, whose size is bounded by the parser.

mod axis;
mod buffer;
mod compare;
mod compile;
mod number;
mod plan;
mod predicate;
mod program;
mod regexp;
mod set;
mod sweep;
mod text;
mod truth;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::time::Duration;

use super::engine::Value;
use super::patterns::Patterns;
use crate::html::{Document, NodeId, Place};
use buffer::Pool;
pub(super) use compile::{Declined, compile};
use program::Expression;
pub(super) use program::Program;

/// One page that programs are run on. All of them together have one budget.
pub(super) struct Page<'s> {
    document: &'s Document,
    steps: u64,
    left: Cell<u64>,
    pool: Pool,
    /// Id ─▶ the first element that has it; made when it is asked for.
    ids: OnceCell<HashMap<&'s str, NodeId>>,
    /// Those that are computed.
    patterns: Patterns,
    /// The time that `re:replace()` took.
    replacing: Cell<Duration>,
    /// What [`Stop::Fault`] is about.
    fault: RefCell<String>,
}

/// The context of an expression (1).
#[derive(Clone, Copy)]
struct Focus {
    place: Place,
    position: usize,
    size: usize,
}

impl Focus {
    fn alone(place: Place) -> Focus {
        Focus { place, position: 1, size: 1 }
    }
}

/// A piece of work that may be cut short.
type Flow<T = ()> = ControlFlow<Stop, T>;

/// Why work was cut short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// Whoever asked for the nodes has what it needs.
    Enough,
    /// The budget is used up.
    Spent,
    /// A string grew too long.
    TooLong,
    /// A computed pattern is wrong, or searching for one took too long.
    Fault,
}

const GO_ON: Flow = ControlFlow::Continue(());

/// Ends what [`Stop::Enough`] has cut short.
fn until_enough(flow: Flow) -> Flow {
    match flow {
        ControlFlow::Break(Stop::Enough) => GO_ON,
        other => other,
    }
}

impl<'s> Page<'s> {
    /// `document` with a budget of `steps`: a node looked at, an operator or function, 16 bytes of text.
    pub(super) fn new(document: &'s Document, steps: u64) -> Page<'s> {
        Page {
            document,
            steps,
            left: Cell::new(steps),
            pool: Pool::default(),
            ids: OnceCell::new(),
            patterns: Patterns::default(),
            replacing: Cell::default(),
            fault: RefCell::default(),
        }
    }

    /// Runs `program` with the node at `at` as its context.
    ///
    /// # Errors
    ///
    /// The budget is used up, a string grew beyond all measure, or a computed pattern is wrong.
    pub(super) fn evaluate(&self, program: &'s Program, at: Place) -> Result<Value, String> {
        let focus = Focus::alone(at);
        self.ended(self.charge(1))?;
        // Made where it is returned to: moving it once more costs a tenth of a short field.
        Ok(match &program.0 {
            Expression::Set(set) => {
                let mut places = self.pool.buffer();
                self.ended(self.collect(set, focus, &mut places))?;
                Value::Places(places.to_vec())
            }
            Expression::Text(text) => Value::String(self.ended(self.text(text, focus))?.into_owned()),
            Expression::Number(number) => Value::Number(self.ended(self.number(number, focus))?),
            Expression::Truth(truth) => Value::Boolean(self.ended(self.truth(truth, focus))?),
        })
    }

    /// As [`Page::evaluate`], of a set only the first node.
    ///
    /// # Errors
    ///
    /// As [`Page::evaluate`].
    pub(super) fn evaluate_first(&self, program: &'s Program, at: Place) -> Result<Value, String> {
        match &program.0 {
            Expression::Set(set) => {
                self.ended(self.charge(1))?;
                let first = self.ended(self.first(set, Focus::alone(at)))?;
                Ok(Value::Places(first.into_iter().collect()))
            }
            _ => self.evaluate(program, at),
        }
    }

    /// What came of the work, or why it was cut short.
    fn ended<T>(&self, flow: Flow<T>) -> Result<T, String> {
        match flow {
            ControlFlow::Continue(value) => Ok(value),
            ControlFlow::Break(Stop::TooLong) => Err("the text grows beyond 64M".to_owned()),
            ControlFlow::Break(Stop::Fault) => Err(self.fault.borrow().clone()),
            ControlFlow::Break(Stop::Spent | Stop::Enough) => {
                let steps = self.steps;
                Err(format!("took more than {steps} steps on this page; make the expression narrower"))
            }
        }
    }

    /// Returns steps that were charged and not taken.
    fn give_back(&self, steps: usize) {
        self.left.set(self.left.get() + steps as u64);
    }

    /// Takes `steps` from the budget.
    fn charge(&self, steps: usize) -> Flow {
        match self.left.get().checked_sub(steps as u64) {
            Some(left) => {
                self.left.set(left);
                GO_ON
            }
            None => {
                self.left.set(0);
                ControlFlow::Break(Stop::Spent)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::xpath::{Namespaces, XPath};
    use crate::html::sample::{document, html_document};

    fn program(text: &str) -> Program {
        compile(XPath::parse(text, &Namespaces::new()).unwrap().tree()).unwrap()
    }

    /// The steps that an expression takes.
    fn steps(document: &Document, text: &str) -> u64 {
        let program = program(text);
        let page = Page::new(document, u64::MAX);
        page.evaluate(&program, Place::ROOT).unwrap();
        u64::MAX - page.left.get()
    }

    #[test]
    fn who_needs_one_node_does_not_look_at_all() {
        let page = document(&format!("<r><b/>{}</r>", "<a k='1'/>".repeat(10_000)));
        for text in
            ["boolean(//a)", "(//a)[1]", "string(//a)", "//a = ''", "/r/a[2]", "//a/@k != '2'", "not(//*)"]
        {
            assert!(steps(&page, text) < 300, "{text} takes {}", steps(&page, text));
        }
        let first = program("//a");
        let page = Page::new(&page, 2_000);
        assert!(page.evaluate_first(&first, Place::ROOT).is_ok());
        assert!(page.evaluate(&first, Place::ROOT).is_err());
    }

    #[test]
    fn common_expressions_take_steps_in_proportion_to_the_page() {
        let wide = |n: usize| document(&format!("<r>{}</r>", "<a><b k='1'>x</b><c/></a>".repeat(n)));
        let deep = |n: usize| {
            html_document(&format!(
                "<r>{}</r>",
                format!("{}x{}", "<a><b>".repeat(50), "</b></a>".repeat(50)).repeat(n)
            ))
        };
        for text in [
            "//a//b",
            "//a//b//text()",
            "//*/following::b",
            "//*/preceding::b",
            "//*/following-sibling::*",
            "//*/preceding-sibling::*",
            "//*/ancestor::*",
            "//*[following::b]",
            "//*[preceding-sibling::*]",
            "//*[following-sibling::*[1]]",
            "//a[last()]",
            "//a/b[1]",
            "//a/../..//b/..",
            "(//a)[position() mod 2 = 0]",
            "(//a)[last()]",
            "count(//a | //b)",
            "//*[. = 'y']",
            "//a = //b",
            "//a[b/@k = '1']/c",
        ] {
            for (name, small, large) in [("wide", wide(50), wide(500)), ("deep", deep(5), deep(50))] {
                let (few, many) = (steps(&small, text), steps(&large, text));
                assert!(many < 11 * few, "{text} on {name} pages takes {few}, then {many} steps");
            }
        }
    }

    #[test]
    fn a_used_up_budget_stays_used_up() {
        let document = document(&format!("<r>{}</r>", "<a/>".repeat(1000)));
        let (all, cheap) = (program("count(//*[//*])"), program("count(/*)"));
        let page = Page::new(&document, 1000);
        let error = page.evaluate(&all, Place::ROOT).unwrap_err();
        assert_eq!(error, "took more than 1000 steps on this page; make the expression narrower");
        assert_eq!(page.evaluate(&cheap, Place::ROOT), Err(error));
    }

    #[test]
    fn buffers_are_used_again() {
        let document = document("<r><a><b/></a><a><b/></a></r>");
        let program = program("//a//b/../..//b[last()]");
        let page = Page::new(&document, 10_000);
        page.evaluate(&program, Place::ROOT).unwrap();
        let buffers = page.pool.len();
        (0..10).for_each(|_| drop(page.evaluate(&program, Place::ROOT).unwrap()));
        assert_eq!(page.pool.len(), buffers);
    }
}
