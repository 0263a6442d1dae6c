//! The two engines agree: random pages, random expressions, seen from random places, same value in the same order.
//!
//! `PROPTEST_CASES=100000 cargo test --release agreement` asks for longer than a test run should take.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::select;

use super::engine::{Engine, EngineChoice, Index, Programs, Session, Store, Value};
use super::{Namespaces, XPath};
use crate::extract::ExtractLimits;
use crate::html::sample::{document, html_document};
use crate::html::{Document, NodeId, Place};

fn words(words: &'static [&'static str]) -> BoxedStrategy<String> {
    select(words).prop_map(str::to_owned).boxed()
}

/// An element with a few attributes, and content of all kinds.
fn element() -> BoxedStrategy<String> {
    let attributes = words(&[
        "",
        "",
        " k='1'",
        " k='x'",
        " k='2' id='i'",
        " j='1' k=''",
        " id='i j'",
        " xml:lang='en'",
        " class='x'",
        " class='y x 1'",
    ]);
    let text = words(&[
        "1", "2", "10", "x", "xy", " ", " x\n 1 ", "é", "<!--c-->", "<!--1-->", "<?go x?>", "<?stop?>",
    ]);
    let leaf = prop_oneof![
        3 => text,
        2 => (words(&["a", "b", "c", "p:a"]), attributes.clone()).prop_map(|(name, attributes)| format!("<{name}{attributes}/>")),
    ];
    let inner = leaf.prop_recursive(5, 40, 5, move |inner| {
        let name = words(&["a", "a", "b", "b", "c", "p:a"]);
        (name, attributes.clone(), prop::collection::vec(inner, 0..5))
            .prop_map(|(name, attributes, content)| {
                format!("<{name}{attributes}>{}</{name}>", content.concat())
            })
            .boxed()
    });
    prop::collection::vec(inner, 0..6)
        .prop_map(|content| format!("<!--0--><r xmlns:p='urn:p'>{}</r><?end?>", content.concat()))
        .boxed()
}

fn page() -> impl Strategy<Value = (String, bool)> {
    (element(), any::<bool>())
}

/// A step without predicates.
fn bare_step() -> BoxedStrategy<String> {
    let axis = words(&[
        "",
        "",
        "",
        "",
        "",
        "@",
        "@",
        "self::",
        "parent::",
        "ancestor::",
        "ancestor-or-self::",
        "descendant::",
        "descendant-or-self::",
        "following::",
        "following-sibling::",
        "preceding::",
        "preceding-sibling::",
        "attribute::",
    ]);
    let test = words(&[
        "a",
        "a",
        "b",
        "b",
        "c",
        "k",
        "*",
        "*",
        "*",
        "node()",
        "node()",
        "text()",
        "comment()",
        "p:a",
        "p:*",
        "id",
        "processing-instruction()",
        "processing-instruction('go')",
    ]);
    let plain = (axis, test).prop_map(|(axis, test)| format!("{axis}{test}"));
    prop_oneof![6 => plain, 1 => words(&[".", ".."])].boxed()
}

/// What is inside each other: sets, numbers, strings, truths.
#[derive(Clone)]
struct Kinds {
    set: BoxedStrategy<String>,
    number: BoxedStrategy<String>,
    text: BoxedStrategy<String>,
    truth: BoxedStrategy<String>,
}

impl Kinds {
    fn any(&self) -> BoxedStrategy<String> {
        prop_oneof![
            2 => self.set.clone(),
            1 => self.number.clone(),
            1 => self.text.clone(),
            2 => self.truth.clone(),
        ]
        .boxed()
    }

    fn leaves() -> Kinds {
        let steps = prop::collection::vec((bare_step(), words(&["/", "/", "//"])), 1..3);
        Kinds {
            set: (words(&["", "", "/", "//", ".//"]), steps)
                .prop_map(|(start, steps)| joined(&start, &steps))
                .boxed(),
            number: words(&[
                "1",
                "2",
                "3",
                "0",
                "1.5",
                "-1",
                "position()",
                "last()",
                "count(*)",
                "1 div 0",
                "number()",
            ]),
            text: words(&[
                "'x'",
                "'1'",
                "''",
                "' x 1 '",
                "'i'",
                "string()",
                "name()",
                "local-name()",
                "normalize-space()",
            ]),
            truth: words(&[
                "true()",
                "false()",
                "@k",
                "a",
                "lang('en')",
                "not(b)",
                "has-class('x')",
                "has-class('x', 1)",
                "has-class(@k)",
            ]),
        }
    }

    fn deeper(&self) -> Kinds {
        let Kinds { set, number, text, truth } = self.clone();
        let any = self.any();
        let predicate = prop_oneof![2 => words(&["1", "2", "last()", "position() = 1", "position() < 3", "last() - 1"]), 4 => any.clone()];
        let predicates = prop::collection::vec(predicate.prop_map(|p| format!("[{p}]")), 0..3)
            .prop_map(|all| all.concat());
        let step = (bare_step(), predicates.clone())
            .prop_map(|(step, predicates)| if step.starts_with('.') { step } else { step + &predicates });
        let steps = prop::collection::vec((step, words(&["/", "/", "//"])), 1..4);
        let compare = words(&["=", "!=", "<", "<=", ">", ">="]);
        let two = |left: &BoxedStrategy<String>, right: &BoxedStrategy<String>| (left.clone(), right.clone());
        let string_of = prop_oneof![text.clone(), set.clone(), number.clone()].boxed();
        let path = (words(&["", "", "/", "//", ".//"]), steps.clone())
            .prop_map(|(start, steps)| joined(&start, &steps));
        Kinds {
            set: prop_oneof![
                6 => path,
                1 => two(&set, &set).prop_map(|(l, r)| format!("{l} | {r}")),
                2 => (set.clone(), predicates).prop_map(|(set, p)| format!("({set}){p}")),
                1 => (set.clone(), steps).prop_map(|(set, steps)| joined(&format!("({set})/"), &steps)),
                1 => string_of.clone().prop_map(|ids| format!("id({ids})")),
            ]
            .boxed(),
            number: prop_oneof![
                2 => number.clone(),
                2 => set.clone().prop_map(|set| format!("count({set})")),
                1 => set.clone().prop_map(|set| format!("sum({set})")),
                1 => string_of.clone().prop_map(|text| format!("string-length({text})")),
                1 => any.clone().prop_map(|any| format!("number({any})")),
                1 => (words(&["floor", "ceiling", "round"]), any.clone()).prop_map(|(f, any)| format!("{f}({any})")),
                1 => (any.clone(), words(&["+", "-", "*", "div", "mod"]), any.clone()).prop_map(|(l, o, r)| format!("(({l}) {o} ({r}))")),
                1 => any.clone().prop_map(|any| format!("(-({any}))")),
            ]
            .boxed(),
            text: prop_oneof![
                1 => text.clone(),
                2 => any.clone().prop_map(|any| format!("string({any})")),
                1 => two(&any, &any).prop_map(|(l, r)| format!("concat({l}, {r})")),
                1 => string_of.clone().prop_map(|text| format!("normalize-space({text})")),
                1 => (words(&["substring-before", "substring-after"]), string_of.clone(), string_of.clone()).prop_map(|(f, l, r)| format!("{f}({l}, {r})")),
                1 => (string_of.clone(), number.clone(), number.clone()).prop_map(|(t, n, m)| format!("substring({t}, {n}, {m})")),
                1 => string_of.clone().prop_map(|text| format!("translate({text}, 'x1 ', 'y2')")),
                1 => (words(&["match({}, '(x)|\\d')", "match({}, concat('[x', '1]+'))", "match({}, '(x)', 'g')",
                    "replace({}, 'X|1', 'gi', '[$&]')", "replace({}, '(x)(y)?', '', name())"]), string_of.clone())
                    .prop_map(|(call, text)| format!("re:{}", call.replace("{}", &text))),
                1 => (words(&["name", "local-name", "namespace-uri"]), set.clone()).prop_map(|(f, set)| format!("{f}({set})")),
            ]
            .boxed(),
            truth: prop_oneof![
                4 => (any.clone(), compare.clone(), any.clone()).prop_map(|(l, o, r)| format!("(({l}) {o} ({r}))")),
                2 => (set.clone(), compare.clone(), set.clone()).prop_map(|(l, o, r)| format!("(({l}) {o} ({r}))")),
                1 => (any.clone(), compare.clone(), any.clone(), compare, any.clone()).prop_map(|(a, p, b, q, c)| format!("({a} {p} ({b}) {q} ({c}))")),
                1 => two(&truth, &any).prop_map(|(l, r)| format!("({l} and {r})")),
                1 => two(&any, &truth).prop_map(|(l, r)| format!("({l} or {r})")),
                1 => any.prop_map(|any| format!("not({any})")),
                1 => (words(&["^x", "\\d$", "[xy]{2}"]), string_of.clone()).prop_map(|(pattern, text)| format!("re:test({text}, '{pattern}')")),
                2 => (words(&["contains", "starts-with"]), string_of.clone(), string_of).prop_map(|(f, l, r)| format!("{f}({l}, {r})")),
            ]
            .boxed(),
        }
    }
}

fn joined(start: &str, steps: &[(String, String)]) -> String {
    let mut path = start.to_owned();
    for (index, (step, slash)) in steps.iter().enumerate() {
        path.push_str(step);
        if index + 1 < steps.len() {
            path.push_str(slash);
        }
    }
    path
}

fn expression() -> BoxedStrategy<String> {
    let shallow = Kinds::leaves().deeper();
    let deep = shallow.deeper();
    prop_oneof![2 => shallow.set, 1 => deep.any(), 1 => deep.set].boxed()
}

/// All places of a document.
fn places(document: &Document) -> Vec<Place> {
    let nodes = (0..document.len() as u32).map(NodeId);
    let of_node =
        |node| (0..=document.attributes(node).len() as u32).map(move |attribute| Place { node, attribute });
    nodes.flat_map(of_node).collect()
}

fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left.to_bits() == right.to_bits() || (left.is_nan() && right.is_nan())
        }
        _ => left == right,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engines_agree(
        (markup, is_html) in page(),
        texts in prop::collection::vec(expression(), 1..5),
        seeds in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let document = if is_html { html_document(&markup) } else { document(&markup) };
        let mut namespaces = Namespaces::new();
        namespaces.declare("p", "urn:p").unwrap();
        // Only what is too large, or looks like CSS, is no expression.
        let parsed = texts.iter().map(|text| (text, XPath::parse(text, &namespaces)));
        let xpaths: Vec<XPath> = parsed
            .filter_map(|(text, parsed)| {
                parsed.inspect_err(|slip| assert!(slip.message.contains("than") || slip.hint.as_ref().is_some_and(|hint| hint.contains("CSS")), "{text}: {slip:?}")).ok()
            })
            .collect();
        let limits = ExtractLimits { time: Duration::from_secs(600), ..ExtractLimits::default() };
        let (native, sxd) = (Programs::new(&xpaths, EngineChoice::Fastest), Programs::new(&xpaths, EngineChoice::Sxd));
        let (native, sxd) = (native.map_err(|_| ()).unwrap(), sxd.map_err(|_| ()).unwrap());
        let (unused, store) = (Store::new(), Store::new());
        let (native_page, sxd_page) =
            (Session::new(&native, &document, &unused, limits), Session::new(&sxd, &document, &store, limits));
        let places = places(&document);
        let contexts = seeds.iter().map(|seed| places[seed.index(places.len())]).chain([Place::ROOT]);
        for at in contexts {
            for (index, xpath) in xpaths.iter().enumerate() {
                let index = Index(index);
                prop_assert_eq!(native.engine(index), Engine::Native, "{}", xpath);
                let (ours, theirs) = (native_page.evaluate(index, at).unwrap(), sxd_page.evaluate(index, at).unwrap());
                prop_assert!(is_same(&ours, &theirs), "{xpath} at {at:?} of {markup}\n  native {ours:?}\n  sxd    {theirs:?}");
                let first = native_page.evaluate_first(index, at).unwrap();
                let first_of_all = match ours {
                    Value::Places(mut places) => {
                        places.truncate(1);
                        Value::Places(places)
                    }
                    other => other,
                };
                prop_assert!(is_same(&first, &first_of_all), "{xpath} at {at:?} of {markup}\n  first {first:?}\n  all   {first_of_all:?}");
            }
        }
    }
}
