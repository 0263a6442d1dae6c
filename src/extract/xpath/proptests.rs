//! Random texts and random trees: nothing breaks the parser, and what is printed reads back as it was.

use std::time::Duration;

use proptest::prelude::*;

use super::ast::{Axis, Expr, Kind, NodeTest, Operator, Precedence, Prefixed, Start, Step};
use super::function::Function;
use super::lexer::{is_name_char, is_name_start};
use super::lower::lower;
use super::parser::{MAX_BYTES, MAX_HEIGHT};
use super::sxd::{Index, Page, Program, Store, Value};
use super::{Namespaces, XPath};
use crate::html::sample::document;

pub(crate) fn namespaces() -> Namespaces {
    let mut namespaces = Namespaces::new();
    namespaces.declare("p", "urn:p").unwrap();
    namespaces
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        prop::sample::select(vec!["and", "or", "div", "mod", "text", "node", "self", "é-1.x", "order", "_"])
            .prop_map(str::to_owned),
    ]
}

fn prefixed() -> Prefixed {
    Prefixed { prefix: "p".into(), namespace: "urn:p".into() }
}

fn node_test() -> impl Strategy<Value = NodeTest> {
    prop_oneof![
        4 => name().prop_map(|name| NodeTest::Name(None, name)),
        1 => name().prop_map(|name| NodeTest::Name(Some(prefixed()), name)),
        2 => Just(NodeTest::AnyName),
        1 => Just(NodeTest::AnyOf(prefixed())),
        1 => Just(NodeTest::Node),
        1 => Just(NodeTest::Text),
        1 => Just(NodeTest::Comment),
        1 => Just(NodeTest::ProcessingInstruction(None)),
        1 => Just(NodeTest::ProcessingInstruction(Some("it's".into()))),
    ]
}

fn steps(inner: BoxedStrategy<Expr>, least: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = (prop::sample::select(Axis::ALL), node_test(), prop::collection::vec(inner, 0..2));
    let step = step.prop_map(|(axis, test, predicates)| Step { axis, test, predicates });
    prop::collection::vec(step, least..4)
}

fn leaf() -> BoxedStrategy<Expr> {
    prop_oneof![
        prop::sample::select(vec!["", "x", "it's", "say \"no\"", "书"]).prop_map(|t| Expr::Literal(t.into())),
        prop::sample::select(vec![0.0, 1.0, 1.5, 0.1, 12345678901234567890.0, f64::INFINITY])
            .prop_map(Expr::Number),
        steps(Just(Expr::Number(1.0)).boxed(), 0).prop_map(|steps| Expr::Path { start: Start::Root, steps }),
        steps(Just(Expr::Number(1.0)).boxed(), 1)
            .prop_map(|steps| Expr::Path { start: Start::Context, steps }),
    ]
    .boxed()
}

fn nodes(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    inner
        .clone()
        .prop_map(|expr| match expr.kind() {
            Kind::NodeSet => expr,
            _ => Expr::Path { start: Start::Root, steps: Vec::new() },
        })
        .boxed()
}

/// A chain of the level that `first` decides.
fn chain(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let levels = [Precedence::Equality, Precedence::Relation, Precedence::Sum, Precedence::Product];
    let inner = inner.clone();
    prop::sample::select(levels.to_vec())
        .prop_flat_map(move |level| {
            let of_level: Vec<Operator> =
                Operator::ALL.iter().copied().filter(|operator| operator.precedence() == level).collect();
            let rest = prop::collection::vec((prop::sample::select(of_level), inner.clone()), 1..3);
            (inner.clone(), rest)
        })
        .prop_map(|(first, rest)| Expr::Chain { first: Box::new(first), rest })
        .boxed()
}

fn call(inner: &BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    let (any, sets) = (inner.clone(), nodes(inner));
    prop::sample::select(Function::ALL)
        .prop_flat_map(move |function| {
            let signature = function.signature();
            let of = if signature.takes_nodes { sets.clone() } else { any.clone() };
            let arguments =
                prop::collection::vec(of, signature.least..=signature.most.min(signature.least + 2));
            arguments.prop_map(move |arguments| {
                let arguments = arguments.into_iter().enumerate();
                let arguments =
                    arguments.map(|(index, argument)| usable(function, index, argument)).collect();
                Expr::Call { function, arguments }
            })
        })
        .boxed()
}

/// An argument that no pattern, flag or class is wrong with.
fn usable(function: Function, index: usize, argument: Expr) -> Expr {
    let literal = |text: &str| Expr::Literal(text.to_owned());
    match (function.takes_pattern(), index) {
        (true, 1) => literal("(x|1)+"),
        (true, 2) => literal("gi"),
        _ if function == Function::HasClass && matches!(argument, Expr::Literal(_)) => literal("x"),
        _ => argument,
    }
}

pub(crate) fn expr() -> impl Strategy<Value = Expr> {
    leaf().prop_recursive(5, 40, 3, |inner| {
        let sets = nodes(&inner);
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::Or),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expr::And),
            chain(&inner),
            (1..3_usize, inner.clone())
                .prop_map(|(times, operand)| Expr::Negate { times, operand: Box::new(operand) }),
            prop::collection::vec(sets.clone(), 2..4).prop_map(Expr::Union),
            (sets.clone(), steps(inner.clone(), 1))
                .prop_map(|(start, steps)| Expr::Path { start: Start::Expr(Box::new(start)), steps }),
            steps(inner.clone(), 1).prop_map(|steps| Expr::Path { start: Start::Context, steps }),
            (sets, prop::collection::vec(inner.clone(), 1..3)).prop_map(|(subject, predicates)| {
                Expr::Filter { subject: Box::new(subject), predicates }
            }),
            call(&inner),
        ]
        .boxed()
    })
}

/// Pieces of expressions, so that random texts get past the lexer.
fn soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "p:b",
        "x:y",
        "*",
        "@",
        "/",
        "//",
        "[",
        "]",
        "(",
        ")",
        ".",
        "..",
        "|",
        "+",
        "-",
        "=",
        "!=",
        "<",
        ">=",
        ",",
        "1",
        ".5",
        "'t'",
        "\"",
        "'",
        "::",
        "self::",
        "and",
        "or",
        "div",
        "mod",
        "text()",
        "node(",
        "count(",
        "last()",
        "concat(",
        "re:test(",
        "has-class(",
        " ",
        "\n",
        "#",
        "é",
        "\u{a0}",
        "processing-instruction('a')",
        "$v",
        "&&",
        "==",
        "😀",
        ":",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..30).prop_map(|pieces| pieces.concat())
}

/// Whether a printed tree is within the limits of size.
pub(crate) fn fits(tree: &Expr, text: &str) -> bool {
    tree.height() <= MAX_HEIGHT && text.len() <= MAX_BYTES
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_breaks_the_parser(text in any::<String>()) {
        if let Err(slip) = XPath::parse(&text, &namespaces()) {
            prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at), "{slip:?}");
        }
    }

    #[test]
    fn no_mixture_of_tokens_breaks_the_parser_and_what_it_takes_compiles(text in soup()) {
        match XPath::parse(&text, &namespaces()) {
            Ok(xpath) => {
                let compiled = Program::new([&xpath]).map(|_| ());
                prop_assert_eq!(compiled, Ok(()), "{}", xpath);
            }
            Err(slip) => prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at), "{slip:?}"),
        }
    }

    #[test]
    fn a_printed_tree_reads_back_as_it_was(tree in expr()) {
        let text = tree.to_string();
        if fits(&tree, &text) {
            // The check for CSS looks at short plain texts only, and those cannot be parenthesised by it.
            let parsed = XPath::parse(&format!("({text})"), &namespaces());
            prop_assert_eq!(parsed.as_ref().map(XPath::tree), Ok(&tree), "{}", text);
        }
    }

    #[test]
    fn every_tree_compiles(tree in expr()) {
        let text = tree.to_string();
        if let Ok(xpath) = XPath::parse(&format!("({text})"), &namespaces()) {
            let compiled = Program::new([&xpath]).map(|_| ());
            let lowered = lower(&tree, &mut Vec::new()).text;
            prop_assert_eq!(compiled, Ok(()), "{} lowered to {}", text, lowered);
        }
    }

    #[test]
    fn every_tree_evaluates(tree in expr()) {
        let text = tree.to_string();
        if let Ok(xpath) = XPath::parse(&format!("({text})"), &namespaces()) {
            let document = document("<a k='1'><a>1</a><!--c--><or><text>x</text></or><a xmlns='urn:p'><_/></a></a>");
            let program = Program::new([&xpath]).map_err(|(_, reason)| reason).unwrap();
            let store = Store::new();
            let page = Page::new(&store, &program, &document, Duration::from_secs(60));
            let value = page.evaluate(Index(0), page.root());
            let kind = value.as_ref().map(|value| match value {
                Value::Nodes(_) => Kind::NodeSet,
                Value::String(_) => Kind::String,
                Value::Number(_) => Kind::Number,
                Value::Boolean(_) => Kind::Boolean,
            });
            prop_assert_eq!(kind, Ok(tree.kind()), "{} is {:?}", text, value);
        }
    }
}

#[test]
fn every_character_of_a_name_compiles() {
    let of_plane_0_and_1 = || (0..0x2_0000).filter_map(char::from_u32);
    let starts: Vec<char> = of_plane_0_and_1().filter(|&c| is_name_start(c)).collect();
    let others: Vec<char> = of_plane_0_and_1().filter(|&c| is_name_char(c)).collect();
    let as_names = starts.chunks(500).map(|chunk| chunk.iter().map(|c| format!("/{c}")).collect::<String>());
    let inside_names = others.chunks(500).map(|chunk| format!("a{}", chunk.iter().collect::<String>()));
    for text in as_names.chain(inside_names) {
        let xpath = XPath::parse(&text, &namespaces()).unwrap();
        assert_eq!(Program::new([&xpath]).map(|_| ()), Ok(()), "{text}");
    }
}
