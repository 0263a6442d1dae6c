//! Facts about [`super::Extractor`].

use std::time::Duration;

use super::super::{Expression, Field, Namespaces, parse_field};
use super::*;
use crate::html::sample::{document, html_document};

const FACTS: PageFacts<'static> = PageFacts::of("http://h/");

fn rule(each: Option<&str>, fields: &[&str]) -> Rule {
    let expression = |text: &str| Expression::parse(text, &Namespaces::new()).unwrap();
    let field = |text: &&str| {
        let (raw, text) = (text.starts_with("raw "), text.trim_start_matches("raw "));
        let parsed = parse_field(text).unwrap();
        let mut field = Field::text(parsed.name, parsed.many, expression(parsed.expression));
        if raw {
            field.set_raw(true);
        }
        field
    };
    Rule {
        name: "r".into(),
        each: each.map(expression),
        fields: fields.iter().map(field).collect(),
        ..Rule::default()
    }
}

fn extract(document: &Document, each: Option<&str>, fields: &[&str]) -> String {
    let extractor = Extractor::new(&rule(each, fields), false, ExtractLimits::default()).unwrap();
    let records = extractor.extract(Content::Markup(document), &FACTS).unwrap();
    assert_eq!(records.lines.iter().filter(|&&b| b == b'\n').count() as u64, records.count);
    String::from_utf8(records.lines).unwrap()
}

#[test]
fn each_node_is_a_record_with_the_fields_in_their_order() {
    let list = html_document(
        "<ul><li><a href='/1'>One</a></li><li>none</li><li><a href='/2'>Two <b>and</b> more</a></li></ul>",
    );
    assert_eq!(
        extract(
            &list,
            Some("//li"),
            &["z=a", "a=a/@href", "n=count(a)", "b=boolean(a)", "c=string(a/@href)"]
        ),
        "{\"z\":\"One\",\"a\":\"/1\",\"n\":1,\"b\":true,\"c\":\"/1\"}\n\
         {\"z\":null,\"a\":null,\"n\":0,\"b\":false,\"c\":\"\"}\n\
         {\"z\":\"Two and more\",\"a\":\"/2\",\"n\":1,\"b\":true,\"c\":\"/2\"}\n"
    );
}

#[test]
fn without_each_the_page_is_one_record() {
    let page = html_document("<p>a</p>");
    assert_eq!(extract(&page, None, &["p=//p", "all[]=//p/text()"]), "{\"p\":\"a\",\"all\":[\"a\"]}\n");
    assert_eq!(extract(&page, Some("//li"), &["p=."]), "");
    assert_eq!(extract(&page, Some("//p"), &[]), "{}\n");
}

#[test]
fn white_space_is_collapsed_unless_raw() {
    let page = html_document("<p> a\n\t b&#xA0;&#x3000;c </p>");
    assert_eq!(
        extract(&page, None, &["t=//p", "raw r=//p", "raw m[]=//p"]),
        "{\"t\":\"a b c\",\"r\":\" a\\n\\t b\u{a0}\u{3000}c \",\"m\":[\" a\\n\\t b\u{a0}\u{3000}c \"]}\n"
    );
}

#[test]
fn blank_text_nodes_are_left_out_of_arrays_but_empty_attributes_are_not() {
    let page = html_document("<p a=''> <b c='1'> x </b> <b a=''/>\n</p>");
    assert_eq!(
        extract(
            &page,
            None,
            &["t[]=//p//text()", "raw r[]=//p/text()", "a[]=//@a", "b[]=//b", "f=//p/text()"]
        ),
        "{\"t\":[\"x\"],\"r\":[\" \",\" \",\"\\n\"],\"a\":[\"\",\"\"],\"b\":[\"x\",\"\"],\"f\":\"\"}\n"
    );
}

#[test]
fn numbers_are_json_numbers_and_what_json_lacks_is_null() {
    let page = document("<a>5</a>");
    assert_eq!(
        extract(
            &page,
            None,
            &[
                "i=number(/a)",
                "f=/a div 2",
                "z=-0",
                "n=number('x')",
                "x=1 div 0",
                "in[]=number(/a)",
                "nn[]=number('x')",
                "s[]='t'",
                "b[]=true()",
                "e[]=/b",
            ]
        ),
        "{\"i\":5,\"f\":2.5,\"z\":0,\"n\":null,\"x\":null,\"in\":[5],\"nn\":[],\"s\":[\"t\"],\"b\":[true],\"e\":[]}\n"
    );
}

#[test]
fn text_is_utf8_and_only_what_json_requires_and_what_terminals_obey_is_escaped() {
    let page = document("<a>书\"\\/é😀\u{9b}2J&#x7F;</a>");
    assert_eq!(extract(&page, None, &["书=/a"]), "{\"书\":\"书\\\"\\\\/é😀\\u009b2J\\u007f\"}\n");
}

#[test]
fn the_facts_of_the_page_come_last() {
    let page = document("<a>x</a>");
    let extractor = Extractor::new(&rule(None, &["a=/a"]), true, ExtractLimits::default()).unwrap();
    let fetched_at = SystemTime::UNIX_EPOCH + Duration::from_millis(1_234_567_890_123);
    let facts = PageFacts { page: Some(-3), fetched_at: Some(fetched_at), ..PageFacts::of("http://h/?q=\"") };
    assert_eq!(
        String::from_utf8(extractor.extract(Content::Markup(&page), &facts).unwrap().lines).unwrap(),
        "{\"a\":\"x\",\"_url\":\"http://h/?q=\\\"\",\"_page\":-3,\"_fetched_at\":\"2009-02-13T23:31:30.123Z\"}\n"
    );
    let extractor = Extractor::new(&rule(None, &[]), true, ExtractLimits::default()).unwrap();
    assert_eq!(
        String::from_utf8(extractor.extract(Content::Markup(&page), &FACTS).unwrap().lines).unwrap(),
        "{\"_url\":\"http://h/\",\"_page\":null,\"_fetched_at\":null}\n"
    );
}

#[test]
fn an_endless_expression_is_ended_and_named() {
    let page = document(&format!("<a>{}</a>", "<b><c/></b>".repeat(2000)));
    let limits = ExtractLimits { steps: 100_000, ..ExtractLimits::default() };
    let rule = rule(None, &["quick=count(//b)", "slow=count(//*[//*[//*[. = 'x']]])"]);
    let error =
        Extractor::new(&rule, false, limits).unwrap().extract(Content::Markup(&page), &FACTS).unwrap_err();
    assert_eq!(error.name, "slow");
    assert_eq!(error.reason, "took more than 100000 steps on this page; make the expression narrower");
}

#[test]
fn records_that_repeat_the_page_over_and_over_are_an_error() {
    let page = document(&format!("{}{}{}", "<a>".repeat(50), "x".repeat(1000), "</a>".repeat(50)));
    let limits = ExtractLimits { bytes: 10 << 10, ..ExtractLimits::default() };
    let extractor = Extractor::new(&rule(Some("//a"), &["t=."]), false, limits).unwrap();
    let error = extractor.extract(Content::Markup(&page), &FACTS).unwrap_err();
    assert_eq!(error.to_string(), "each: the records of this page are larger than 10K");
}

#[test]
fn one_list_of_overlapping_things_ends_at_the_limit_and_is_named() {
    let limits = ExtractLimits { bytes: 10_000, ..ExtractLimits::default() };
    let page = html_document(&"<div>0123456789".repeat(100));
    let json: serde_json::Value =
        serde_json::from_str(&format!("{}\"0123456789\"{}", "[".repeat(100), "]".repeat(100))).unwrap();
    for (fields, content) in
        [("texts[]=//div", Content::Markup(&page)), ("values[]=json:$..*..*", Content::Json(&json))]
    {
        let extractor = Extractor::new(&rule(None, &[fields]), false, limits).unwrap();
        let error = extractor.extract(content, &FACTS).unwrap_err();
        assert_eq!(error.name, fields.split("[]").next().unwrap());
        assert!(error.reason.contains("larger than"), "{error}");
    }
}

#[test]
fn one_record_of_many_large_fields_ends_at_the_limit() {
    let limits = ExtractLimits { bytes: 10_000, ..ExtractLimits::default() };
    let page = html_document(&format!("<p>{}</p>", "x".repeat(4_000)));
    let extractor =
        Extractor::new(&rule(None, &["a=//p", "b=//p", "c=//p", "d=//p"]), false, limits).unwrap();
    assert_eq!(extractor.extract(Content::Markup(&page), &FACTS).unwrap_err().name, "c");
}
