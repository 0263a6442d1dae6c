//! Facts about what the fields of a job file yield on a page.

use super::fields::FieldReader;
use super::layers::Layers;
use crate::config;
use crate::extract::{Content, Expression, ExtractLimits, Extractor, Namespaces, PageFacts, Rule};
use crate::html::{self, Limits};
use crate::model::{FieldTally, Records};

const FACTS: PageFacts<'static> = PageFacts { page: Some(7), ..PageFacts::of("https://h/dir/page?q=1") };

fn rule(text: &str) -> Rule {
    let (file, found) = config::parse("j", &format!("[extract.a]\n{text}\n"));
    let mut layers = Layers::new(Vec::new(), found);
    let namespaces = Namespaces::new();
    let written = &file.rules[0];
    let each = written.each.as_ref().map(|each| Expression::parse(&each.text, &namespaces).unwrap());
    let mut reads = each.as_ref().map(Expression::reads);
    let fields = FieldReader { layers: &mut layers, namespaces: &namespaces, raw: false }
        .read_all(&written.fields, &mut reads);
    assert_eq!(layers.mistakes, []);
    Rule { name: "a".into(), each, fields, ..Rule::default() }
}

fn records_of(text: &str, content: Content<'_>) -> (Records, Vec<String>) {
    let rule = rule(text);
    let extractor = Extractor::new(&rule, false, ExtractLimits::default()).unwrap();
    (extractor.extract(content, &FACTS).unwrap(), rule.field_names())
}

fn records(text: &str, page: &str) -> (Records, Vec<String>) {
    let page =
        html::read(page.as_bytes(), Some("text/html; charset=utf-8"), None, &Limits::default()).unwrap();
    records_of(text, Content::Markup(&page))
}

fn lines(records: &Records) -> String {
    assert_eq!(records.lines.iter().filter(|&&byte| byte == b'\n').count() as u64, records.count);
    String::from_utf8(records.lines.clone()).unwrap()
}

/// The lines of a page.
fn yields(text: &str, page: &str) -> String {
    lines(&records(text, page).0)
}

/// The value of the only field, `a`, of the only record.
fn value(text: &str, page: &str) -> String {
    let lines = yields(text, page);
    lines.strip_prefix("{\"a\":").and_then(|rest| rest.strip_suffix("}\n")).unwrap().to_owned()
}

/// The counts of the field `a`: filled, empty, wrong type.
fn counts(text: &str, page: &str) -> [u64; 3] {
    let FieldTally { filled, empty, wrong_type } = records(text, page).0.fields[0];
    [filled, empty, wrong_type]
}

#[test]
fn a_value_a_default_or_null() {
    for (spec, page, expected, tally) in [
        ("xpath = '//p', type = 'float'", "<p>£ 5.50</p>", "5.5", [1, 0, 0]),
        ("xpath = '//p', type = 'float'", "<b>", "null", [0, 1, 0]),
        ("xpath = '//p', type = 'float'", "<p> </p>", "null", [0, 1, 0]),
        ("xpath = '//p', type = 'float'", "<p>free</p>", "null", [0, 0, 1]),
        ("xpath = '//p', type = 'float', default = 0", "<b>", "0", [0, 1, 0]),
        ("xpath = '//p', type = 'float', default = 0", "<p> </p>", "0", [0, 1, 0]),
        // A wrong type is not hidden by the default.
        ("xpath = '//p', type = 'float', default = 0", "<p>free</p>", "null", [0, 0, 1]),
        ("xpath = '//p'", "<p> </p>", "\"\"", [0, 1, 0]),
        ("xpath = '//p', default = 'none'", "<p> </p>", "\"none\"", [0, 1, 0]),
        ("xpath = '//p', default = 'none'", "<p>x</p>", "\"x\"", [1, 0, 0]),
        ("xpath = '//p', regex = '\\d+', default = 'none'", "<p>x</p>", "\"none\"", [0, 1, 0]),
        ("xpath = '//p', regex = '\\d+'", "<p>x</p>", "null", [0, 1, 0]),
        // Only the first match counts, whatever the next one would be.
        ("xpath = '//p', type = 'int'", "<p>x</p><p>1</p>", "null", [0, 0, 1]),
        ("xpath = 'count(//p)', type = 'int'", "<p>x</p>", "1", [1, 0, 0]),
        ("xpath = 'count(//p)'", "<b>", "0", [1, 0, 0]),
        ("xpath = 'number(//p)'", "<p>x</p>", "null", [0, 1, 0]),
        ("xpath = 'count(//p)', type = 'string'", "<p>", "\"1\"", [1, 0, 0]),
        ("xpath = 'boolean(//p)'", "<p>", "true", [1, 0, 0]),
        ("xpath = 'boolean(//p)', type = 'string'", "<p>", "\"true\"", [1, 0, 0]),
        ("xpath = 'string(//p)', type = 'int'", "<p>7</p>", "7", [1, 0, 0]),
        ("xpath = '//p', type = 'html'", "<p>a <b>c</b></p>", "\"<p>a <b>c</b></p>\"", [1, 0, 0]),
        ("xpath = '//p/@title', type = 'html'", "<p title='a&amp;b'>", "\"a&b\"", [1, 0, 0]),
        ("xpath = '//p', type = 'json'", "<p>{\"b\": 1, \"a\": [1]}</p>", "{\"b\":1,\"a\":[1]}", [1, 0, 0]),
        ("xpath = '//p', raw = true", "<p> a </p>", "\" a \"", [1, 0, 0]),
    ] {
        let text = format!("fields.a = {{ {spec} }}");
        assert_eq!(value(&text, page), expected, "{spec} on {page}");
        assert_eq!(counts(&text, page), tally, "{spec} on {page}");
    }
}

#[test]
fn lists_keep_what_is_there_and_leave_out_what_is_not() {
    let page = "<p>1</p><p></p><p>x</p><p>4 EUR</p>";
    for (spec, expected, tally) in [
        ("", "[\"1\",\"\",\"x\",\"4 EUR\"]", [1, 0, 0]),
        (", type = 'int'", "[1,null,4]", [0, 0, 1]),
        (", type = 'int', default = 0", "[1,0,null,4]", [0, 0, 1]),
        (", regex = '^\\d'", "[\"1\",\"4\"]", [1, 0, 0]),
        (", regex = '^z'", "[]", [0, 1, 0]),
    ] {
        let text = format!("fields.a = {{ xpath = '//p', all = true{spec} }}");
        assert_eq!(value(&text, page), expected, "{spec}");
        assert_eq!(counts(&text, page), tally, "{spec}");
    }
}

#[test]
fn links_are_resolved_against_the_base_of_the_page() {
    let text = "fields.a = { xpath = '//a/@href', all = true, type = 'url' }";
    let links = "<a href='x'></a><a href='/y'></a><a href='//i/z'></a><a href='http://['></a>";
    assert_eq!(value(text, links), "[\"https://h/dir/x\",\"https://h/y\",\"https://i/z\",null]");
    let based = format!("<base target=_top><base href='/b/'>{links}<base href='/c/'>");
    assert_eq!(value(text, &based), "[\"https://h/b/x\",\"https://h/y\",\"https://i/z\",null]");
    let silly = format!("<base href='data:,x'>{links}");
    assert!(value(text, &silly).starts_with("[\"https://h/dir/x\""));
}

#[test]
fn a_missing_required_field_drops_the_record_and_is_counted() {
    let page = "<li><b>1</b><i>one</i><li><i>two</i><li><b>x</b><i>three</i><li><b>4</b>";
    let text = "each = '//li'\nfields.a = { xpath = './b', type = 'int', required = true }\nfields.t = './i'";
    let (records, names) = records(text, page);
    assert_eq!(lines(&records), "{\"a\":1,\"t\":\"one\"}\n{\"a\":4,\"t\":null}\n");
    assert_eq!((records.count, records.dropped), (2, 2));
    // Fields of dropped records are counted too: they say why.
    assert_eq!(names, ["a", "t"]);
    assert_eq!(records.fields[0], FieldTally { filled: 2, empty: 1, wrong_type: 1 });
    assert_eq!(records.fields[1], FieldTally { filled: 3, empty: 1, wrong_type: 0 });
}

#[test]
fn a_default_is_enough_for_a_required_field_and_an_empty_text_or_list_is_not() {
    let count = |spec: &str, page: &str| {
        let (records, _) = records(&format!("fields.a = {{ {spec}, required = true }}"), page);
        (records.count, records.dropped)
    };
    assert_eq!(count("xpath = '//b', default = ''", "<p>"), (1, 0));
    assert_eq!(count("xpath = '//p'", "<p> </p>"), (0, 1));
    assert_eq!(count("xpath = '//p', all = true", "<b>"), (0, 1));
    assert_eq!(count("xpath = '//p', all = true", "<p>x"), (1, 0));
    assert_eq!(count("each = '//p', fields = { b = '.' }", "<b>"), (0, 1));
    assert_eq!(count("xpath = '//p', fields = { b = '.' }", "<b>"), (0, 1));
    assert_eq!(count("meta = 'fetched_at'", "<p>"), (0, 1));
}

const REVIEWS: &str = "<div class=book><h3>T</h3><div class=author><a href=/me>Me</a></div>\
    <ul><li data-stars=5><p>good</p><li data-stars=x><p>odd</p><li><p>mute</p></ul></div><div class=book><h3>U</h3></div>";

#[test]
fn objects_and_lists_stand_inside_of_records() {
    let text = r#"
each = "//div[@class='book']"
fields.title = "./h3"
fields.author = { xpath = "./div[@class='author']", fields = { name = "./a", link = { xpath = "./a/@href", type = "url" } } }
fields.reviews = { each = ".//li", fields = { stars = { xpath = "./@data-stars", type = "int" }, text = "./p" } }
fields.more = { fields = { title = "./h3", source = { const = "shop" }, page = { meta = "page" } } }
"#;
    let (records, names) = records(text, REVIEWS);
    assert_eq!(
        lines(&records),
        "{\"title\":\"T\",\"author\":{\"name\":\"Me\",\"link\":\"https://h/me\"},\
         \"reviews\":[{\"stars\":5,\"text\":\"good\"},{\"stars\":null,\"text\":\"odd\"},{\"stars\":null,\"text\":\"mute\"}],\
         \"more\":{\"title\":\"T\",\"source\":\"shop\",\"page\":7}}\n\
         {\"title\":\"U\",\"author\":null,\"reviews\":[],\"more\":{\"title\":\"U\",\"source\":\"shop\",\"page\":7}}\n"
    );
    let tally = |name: &str| {
        let at = names.iter().position(|known| known == name).unwrap();
        let FieldTally { filled, empty, wrong_type } = records.fields[at];
        [filled, empty, wrong_type]
    };
    assert_eq!(tally("title"), [2, 0, 0]);
    assert_eq!(tally("author"), [1, 1, 0]);
    // Looked for where there was an author.
    assert_eq!(tally("author.name"), [1, 0, 0]);
    assert_eq!(tally("reviews"), [1, 1, 0]);
    assert_eq!(tally("reviews.stars"), [1, 1, 1]);
    assert_eq!(tally("more.source"), [2, 0, 0]);
}

#[test]
fn a_required_field_of_a_nested_object_ends_that_object() {
    let text = r#"
each = "//div[@class='book']"
fields.reviews = { each = ".//li", fields = { stars = { xpath = "./@data-stars", type = "int", required = true } } }
fields.author = { xpath = ".", fields = { name = { xpath = "./div/a", required = true } } }
"#;
    assert_eq!(
        yields(text, REVIEWS),
        "{\"reviews\":[{\"stars\":5}],\"author\":{\"name\":\"Me\"}}\n{\"reviews\":[],\"author\":null}\n"
    );
}

const SCRIPTS: &str = r#"<script type="application/ld+json">{"@type": "Crumbs"}</script>
<script type="application/ld+json"> {"@type": "Book", "name": "  T  ", "isbn": 9787020002207,
 "offers": {"price": "51,77", "low": 1.50, "sold": false, "none": null},
 "author": [{"name": "A", "url": "/a"}, {"name": "B"}]} </script><script type=x>var x = {</script><p data-j='{"k":[1,2]}'>"#;

#[test]
fn a_chain_looks_into_json_inside_of_the_page() {
    let from = "from = '//script[@type=\"application/ld+json\"]'";
    for (spec, expected) in [
        ("json = '$.name'", "\"T\""),
        ("json = '$.name', raw = true", "\"  T  \""),
        ("json = '$.offers.price', type = 'float', locale = 'de'", "51.77"),
        ("json = '$.offers.low'", "1.5"),
        ("json = '$.offers.low', type = 'float'", "1.5"),
        ("json = '$.offers.low', type = 'string'", "\"1.5\""),
        ("json = '$.offers.low', type = 'int'", "null"),
        ("json = '$.isbn', type = 'int'", "9787020002207"),
        ("json = '$.isbn', type = 'string'", "\"9787020002207\""),
        ("json = '$.isbn', regex = '^\\d{3}'", "\"978\""),
        ("json = '$.offers.sold'", "false"),
        ("json = '$.offers.none'", "null"),
        ("json = '$.offers.none', default = 1", "1"),
        ("json = '$.offers.nothing'", "null"),
        ("json = '$.author[*].name', all = true", "[\"A\",\"B\"]"),
        ("json = '$.author[0]'", "{\"name\":\"A\",\"url\":\"/a\"}"),
        ("json = '$.author[0].url', type = 'url'", "\"https://h/a\""),
        ("json = '$.author', type = 'float'", "null"),
        ("json = '$[\"@type\"]', all = true", "[\"Crumbs\",\"Book\"]"),
        (
            "each = 'json:$.author[*]', fields = { n = 'json:$.name', u = { json = '$.url', type = 'url' } }",
            "[{\"n\":\"A\",\"u\":\"https://h/a\"},{\"n\":\"B\",\"u\":null}]",
        ),
        ("json = '$.offers', fields = { p = 'json:$.price' }", "{\"p\":\"51,77\"}"),
    ] {
        assert_eq!(value(&format!("fields.a = {{ {from}, {spec} }}"), SCRIPTS), expected, "{spec}");
    }
}

#[test]
fn what_a_chain_cannot_read_is_of_a_wrong_type_unless_something_else_is_found() {
    let count = |spec: &str| counts(&format!("fields.a = {{ {spec} }}"), SCRIPTS);
    assert_eq!(count("from = '//script', json = '$.name'"), [1, 0, 0]);
    assert_eq!(count("from = '//script', json = '$.nothing'"), [0, 0, 1]);
    assert_eq!(count("from = '//script', json = '$.name', all = true"), [1, 0, 0]);
    assert_eq!(count("from = '//style', json = '$.name'"), [0, 1, 0]);
    assert_eq!(
        count("from = '//script[@type=\"x\"]', each = 'json:$.a', fields = { b = 'json:$' }"),
        [0, 0, 1]
    );
    assert_eq!(count("from = '//script[@type=\"x\"]', json = '$', fields = { b = 'json:$' }"), [0, 0, 1]);
}

#[test]
fn a_chain_may_go_through_nodes_strings_and_attributes() {
    let page = "<ul><li><b>1</b><li><i>x</i><li><b>2</b><b>3</b></ul><p data-j='{\"k\":[1,2]}'>";
    assert_eq!(value("fields.a = { from = '//li[i or position() = last()]', xpath = './b' }", page), "\"2\"");
    assert_eq!(value("fields.a = { from = '//li', xpath = './b', all = true }", page), "[\"1\",\"2\",\"3\"]");
    assert_eq!(value("fields.a = { from = '//p/@data-j', json = '$.k[1]' }", page), "2");
    assert_eq!(value("fields.a = { from = 'string(//p/@data-j)', json = '$.k' }", page), "[1,2]");
    assert_eq!(value("fields.a = { from = 'string(//q)', json = '$.k' }", page), "null");
}

#[test]
fn constants_and_facts_need_nothing_on_the_page() {
    let text = "fields.s = { const = \"a\\\"b\" }\nfields.n = { const = 1.50 }\nfields.b = { const = true }\n\
                fields.u = { meta = 'url' }\nfields.p = { meta = 'page' }\nfields.f = { meta = 'fetched_at' }";
    assert_eq!(
        yields(text, ""),
        "{\"s\":\"a\\\"b\",\"n\":1.5,\"b\":true,\"u\":\"https://h/dir/page?q=1\",\"p\":7,\"f\":null}\n"
    );
}

#[test]
fn pages_of_json_give_records_too() {
    let json =
        serde_json::json!({"items": [{"t": " a  b ", "tags": ["x", "y"], "in": {"z": 1}}, {"t": null}]});
    let text = "each = 'json:$.items[*]'\nfields.t = { json = '$.t', required = true }\nfields.'tags[]' = 'json:$.tags[*]'\n\
                fields.in = 'json:$.in'\nfields.z = { json = '$.in', fields = { z = 'json:$.z', one = { const = 1 } } }";
    let (records, _) = records_of(text, Content::Json(&json));
    assert_eq!(
        lines(&records),
        "{\"t\":\"a b\",\"tags\":[\"x\",\"y\"],\"in\":{\"z\":1},\"z\":{\"z\":1,\"one\":1}}\n"
    );
    assert_eq!(records.dropped, 1);
    let rule = rule("fields.a = '//a'");
    let extractor = Extractor::new(&rule, false, ExtractLimits::default()).unwrap();
    let error = extractor.extract(Content::Json(&json), &FACTS).unwrap_err();
    assert_eq!(error.to_string(), "a: this reads markup, and the page is JSON");
}

#[test]
fn a_page_without_records_has_no_counts() {
    let (records, _) = records("each = '//li'\nfields.a = './b'", "<p>");
    assert_eq!((records.count, records.dropped, records.fields.len()), (0, 0, 0));
}

#[test]
fn lists_inside_of_lists_have_a_limit_too() {
    let page = format!("{}x", "<div>".repeat(200));
    let rule =
        rule("fields.a = { each = '//div', fields = { b = { each = '//div', fields = { c = '.' } } } }");
    let limits = ExtractLimits { bytes: 10 << 10, ..ExtractLimits::default() };
    let document = html::read(page.as_bytes(), Some("text/html"), None, &Limits::default()).unwrap();
    let error = Extractor::new(&rule, false, limits)
        .unwrap()
        .extract(Content::Markup(&document), &FACTS)
        .unwrap_err();
    assert_eq!(error.to_string(), "a.b: the records of this page are larger than 10K");
}

#[test]
fn the_time_of_a_page_goes_for_what_is_done_with_its_texts_too() {
    // Each of 400 elements inside each other has the whole text, and the pattern must look through all of it.
    let page = format!("{}{}", "<div>".repeat(400), "x ".repeat(500_000));
    let rule = rule("each = '//div'\nfields.slow = { xpath = '.', regex = '(x x ){9}y' }");
    let limits = ExtractLimits { time: std::time::Duration::from_millis(20), ..ExtractLimits::default() };
    let document = html::read(page.as_bytes(), Some("text/html"), None, &Limits::default()).unwrap();
    let error = Extractor::new(&rule, false, limits)
        .unwrap()
        .extract(Content::Markup(&document), &FACTS)
        .unwrap_err();
    assert!(error.reason.starts_with("took longer than 20ms on this page"), "{error}");
}
