//! Small pages and the mistakes people make on them; what is said, word by word where the words matter.

use super::*;
use crate::commands::matches;
use crate::extract::xpath::proptests;
use crate::extract::{Namespaces, XPath};
use crate::html::{Limits, read};

fn page(text: &str, content_type: &str) -> Document {
    read(text.as_bytes(), Some(content_type), None, &Limits::default()).unwrap()
}

fn explain_from(document: &Document, context: &str, expression: &str) -> Vec<String> {
    let find = |text: &str, contexts: &[Place]| {
        let expression = matches::Expression::parse(text, &Namespaces::new()).unwrap();
        matches::places(document, &expression, contexts)
    };
    let contexts = find(context, &[Place::ROOT]);
    assert!(find(expression, &contexts).is_empty(), "{expression} finds something");
    let xpath = XPath::parse(expression, &Namespaces::new()).unwrap();
    explain(document, xpath.tree(), &|text| find(text, &contexts)).iter().map(ToString::to_string).collect()
}

const LIST: &str = "<div class=items><ol><li class='item new' id=a1><a href=/x title=T>One</a> <b>1</b>\
                    <li class=item id=a2><h3><span>Two</span></h3></ol><p>end</div>\
                    <table><tr><td>k<td>v</table>";

fn explain_html(expression: &str) -> Vec<String> {
    explain_from(&page(LIST, "text/html"), "/", expression)
}

fn proposes(expression: &str, wanted: &str) {
    let said = explain_html(expression);
    assert!(
        said.iter().any(|line| line.starts_with(&format!("`{wanted}` matches"))),
        "{expression}: {said:#?}"
    );
}

#[test]
fn the_longest_part_that_matches_is_told_with_what_is_there() {
    assert_eq!(
        explain_html("//div[@class=\"items\"]/ul/li")[0],
        "`//div[@class=\"items\"]` matches 1, `/ul` then nothing; children there: ol, p"
    );
    assert_eq!(explain_html("//p/i")[0], "`//p` matches 1, `/i` then nothing; there are no child elements");
    assert_eq!(
        explain_html("//li/a/@src")[0],
        "`//li/a` matches 1, `/@src` then nothing; attributes there: href, title"
    );
    assert_eq!(explain_html("//video")[0], "`//video` finds nothing from the start");
}

#[test]
fn the_tbody_that_html_adds_is_named() {
    let said = explain_html("//table/tr/td");
    assert_eq!(said[0], "`//table` matches 1, `/tr` then nothing; children there: tbody");
    assert!(said[1].starts_with("`//table/tbody/tr/td` matches 2: rows stand in a tbody"), "{said:?}");
    assert_eq!(said[2], "`//table//tr/td` matches 2: deeper down, not a child");
}

#[test]
fn a_class_among_others_is_found_as_a_word() {
    let said = explain_from(&page("<p class='item new'>a", "text/html"), "/", "//p[@class='item']");
    assert_eq!(said[0], "`//p` matches 1, `[@class=\"item\"]` then nothing; @class there: \"item new\"");
    assert_eq!(
        said[1],
        "`//p[contains(concat(\" \", normalize-space(@class), \" \"), \" item \")]` matches 1: `item` is one of \
         several words in class=\"item new\""
    );
}

#[test]
fn a_value_that_differs_by_letters_is_proposed() {
    proposes("//div[@class='item']/ol", "//div[@class=\"items\"]/ol");
    proposes("//div[@class='Items']", "//div[@class=\"items\"]");
    proposes("//li[@id='a3']", "//li[@id=\"a1\"]");
    proposes("//li[a and @id='A1']", "//li[a and @id=\"a1\"]");
    proposes("//div[contains(@class, 'ITEM')]", "//div[contains(@class, \"item\")]");
    assert_eq!(
        explain_html("//li[@data-x='1']"),
        ["`//li` matches 2, `[@data-x=\"1\"]` then nothing; no @data-x there"]
    );
}

#[test]
fn each_side_of_an_or_and_names_in_quotes_are_looked_at() {
    proposes("//div[@class='item' or @id='x']", "//div[@class=\"items\" or @id=\"x\"]");
    proposes("//*[local-name()='tabel']", "//*[local-name()=\"table\"]");
}

#[test]
fn names_in_capitals_and_misspelt_names_find_the_right_ones() {
    proposes("//DIV/OL", "//div/ol");
    proposes("//div/ol/LI", "//div/ol/li");
    // Two mistakes: the first one is mended.
    proposes("//tabel/tr", "//table");
    proposes("//tabel", "//table");
    proposes("//a/@titel", "//a/@title");
    let feed = page("<Feed><Item/></Feed>", "text/xml");
    assert!(explain_from(&feed, "/", "//item")[1].starts_with("`//Item` matches 1: names in XML keep"));
}

#[test]
fn an_element_in_a_namespace_is_told_with_its_uri() {
    let feed = page("<feed xmlns='urn:a'><entry/></feed>", "text/xml");
    assert_eq!(
        explain_from(&feed, "/", "//entry")[1],
        "`//*[local-name()=\"entry\"]` matches 1: `entry` is in a namespace: declare it with -N p=urn:a and write \
         p:entry, or so"
    );
}

#[test]
fn text_inside_a_child_is_found() {
    assert!(explain_html("//h3/text()").contains(
        &"`//h3` matches 1: its text is inside a child element; an element gives all text in it".to_owned()
    ));
    proposes("//h3[text()='Two']", "//h3[.=\"Two\"]");
    proposes("//h3[contains(text(), 'Tw')]", "//h3[contains(., \"Tw\")]");
    proposes("//p[.='en']", "//p[contains(., \"en\")]");
    let spaced = page("<p> a </p>", "text/html");
    assert!(
        explain_from(&spaced, "/", "//p[.='a']")[1].starts_with("`//p[normalize-space()=\"a\"]` matches 1")
    );
}

#[test]
fn depth_and_context_are_told() {
    proposes("//div/li", "//div//li");
    proposes("h3", ".//h3");
    proposes("/table", "//table");
    let document = page(LIST, "text/html");
    let said = explain_from(&document, "//a", ".//a/@href");
    assert!(said.contains(&"`self::a/@href` matches 1: it is the record itself".to_owned()), "{said:?}");
    let said = explain_from(&document, "//li", ".//td");
    assert!(
        said.contains(&"`//td` matches 2: on the page, but not inside the record".to_owned()),
        "{said:?}"
    );
}

#[test]
fn a_number_counts_within_each_parent() {
    let document = page("<p><i>1</i></p><p><i>2</i></p>", "text/html");
    let said = explain_from(&document, "/", "//i[2]");
    assert_eq!(said[0], "`//i` matches 2, `[2]` then nothing");
    assert!(said[1].starts_with("`(//i)[2]` matches 1: a number counts within each parent"));
    assert_eq!(explain_from(&document, "/", "(//i)[3]"), ["`//i` matches 2, `(//i)[3]` then nothing"]);
}

#[test]
fn parts_of_values_and_predicates_are_looked_into() {
    proposes("normalize-space(//table/tr) = ''", "//table/tbody/tr");
    assert_eq!(explain_html("//li[h3/b]")[1], "`//li/h3` matches 1, `/b` then nothing; children there: span");
    assert_eq!(explain_html("//video | //audio").len(), 2);
}

#[test]
fn an_empty_page_and_odd_steps_are_explained_without_a_panic() {
    let empty = page("", "text/xml");
    for expression in [
        "//a",
        "/",
        "a",
        "@b",
        "//@b",
        "/..",
        "//text()",
        "//a[1]/following::b[2]",
        "(//a)[1]/b",
        "//comment()",
    ] {
        let xpath = XPath::parse(expression, &Namespaces::new()).unwrap();
        explain(&empty, xpath.tree(), &|_| Vec::new());
        explain(&page(LIST, "text/html"), xpath.tree(), &|_| Vec::new());
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, failure_persistence: None, ..proptest::prelude::ProptestConfig::default() })]

    #[test]
    fn whatever_finds_nothing_is_explained_and_what_is_proposed_matches(tree in proptests::expr()) {
        let text = short(&tree);
        proptest::prop_assume!(proptests::fits(&tree, &text));
        let document = page("<a b='c'><b>x</b><a><c d='e'/>y</a></a>", "text/xml");
        let find = |text: &str| match matches::Expression::parse(&format!("({text})"), &proptests::namespaces()) {
            Ok(expression) => matches::places(&document, &expression, &[Place::ROOT]),
            Err(slip) => panic!("{text}: {slip:?}"),
        };
        for nearly in explain(&document, &tree, &find) {
            if let Nearly::Instead { expression, count, .. } = nearly {
                assert!(count > 0 && find(&expression).len() == count);
            }
        }
    }
}
