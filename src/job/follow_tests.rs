//! Facts about what the entries of `follow` mean, and what they find on a page.

use std::sync::Arc;

use super::{Job, Purpose};
use crate::config;
use crate::extract::{Content, ExtractLimits, Extractor, LONGEST_LINK, PageFacts};
use crate::html::{self, Limits};
use crate::model::{Carried, Records, RuleId};
use crate::written::{Layer, Place, Written};

fn build(file: &str, flags: &[(&'static str, &str)]) -> Result<Job, Vec<String>> {
    let (file, mistakes) = config::parse("job.toml", file);
    let mut layer = Layer::new();
    for &(name, text) in flags {
        let written = Written { text: text.to_owned(), place: Place::Flag(name) };
        layer.entry(name).or_default().push(written);
    }
    Job::build(Purpose::Saved, layer, Layer::new(), file, mistakes)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn extracted(file: &str, content: Content<'_>, facts: &PageFacts<'_>) -> Records {
    let job = build(file, &[]).unwrap();
    let extractor = Extractor::new(job.rule(), job.start_rule().with_meta, ExtractLimits::default()).unwrap();
    extractor.extract(content, facts).unwrap()
}

fn of_page(file: &str, page: &str, facts: &PageFacts<'_>) -> Records {
    let page = format!("<!DOCTYPE html><meta charset=utf-8>{page}");
    let document = html::read(page.as_bytes(), Some("text/html"), None, &Limits::default()).unwrap();
    extracted(file, Content::Markup(&document), facts)
}

const FACTS: PageFacts<'static> = PageFacts::of("https://h/dir/page?q=1#f");

/// The URLs, each with what it carries.
fn links(records: &Records) -> Vec<String> {
    let shown = |link: &crate::model::Link| match &link.carried {
        Some(carried) => format!("{} {}", link.url, serde_json::to_string(&**carried).unwrap()),
        None => link.url.to_string(),
    };
    records.links.iter().map(shown).collect()
}

fn carried(json: &str) -> Arc<Carried> {
    Arc::new(serde_json::from_str(json).unwrap())
}

#[test]
fn links_are_attributes_elements_texts_and_strings_in_document_order() {
    let page = "<p><a href=1>one</a><a href='/2'>two</a><a>none</a><img src=3></p><i> 4\n</i>";
    for (follow, found) in [
        ("'//a/@href'", vec!["https://h/dir/1", "https://h/2"]),
        ("'//a | //img'", vec!["https://h/dir/1", "https://h/2", "https://h/dir/3"]),
        ("'css:a'", vec!["https://h/dir/1", "https://h/2"]),
        ("'css:a::attr(href)'", vec!["https://h/dir/1", "https://h/2"]),
        ("'//i'", vec!["https://h/dir/4"]),
        ("'//i/text()'", vec!["https://h/dir/4"]),
        ("\"concat('x', //i)\"", vec!["https://h/dir/x%204"]),
        ("['//img', '//a[2]']", vec!["https://h/dir/3", "https://h/2"]),
        (
            "{ css = 'a', regex = '\\d', replace = ['2', 'two'] }",
            vec!["https://h/dir/1", "https://h/dir/two"],
        ),
    ] {
        let records = of_page(&format!("[extract.a]\nfollow = {follow}\n"), page, &FACTS);
        assert_eq!(links(&records), found, "{follow}");
        assert_eq!((records.count, records.lines.len()), (0, 0), "{follow}");
    }
}

#[test]
fn links_are_resolved_as_browsers_do_and_lose_fragment_and_password() {
    let page = format!(
        "<base href='//o/b/'><a href=' ../x\n'></a><a href='?p=2'></a><a href='#top'></a><a href='http://me:pw@o:80/y#z'>\
         </a><a href=''></a><a href='mailto:a@b'></a><a href='javascript:go()'></a><a href='ftp://o/'></a>\
         <a href='http://'></a><a href='/{}'></a><a href='/{}'></a>",
        "x".repeat(LONGEST_LINK),
        "é".repeat(LONGEST_LINK / 4),
    );
    let records = of_page("[extract.a]\nfollow = '//a'\n", &page, &FACTS);
    assert_eq!(links(&records), ["https://o/x", "https://o/b/?p=2", "https://o/b/", "http://o/y"]);
    assert_eq!((records.links_left_out, records.links_forbidden), (6, 0));
}

#[test]
fn each_entry_has_its_rule_and_priority_and_pages_may_give_records_too() {
    let file = "[extract.list]\nfields.h = '//h1'\nfollow = [{ css = 'h3 > a', to = 'book', priority = 2 }, 'css:b > a']\n\
                [extract.book]\nfields.t = '//h1'\n";
    let records = of_page(file, "<h1>H</h1><h3><a href=/1></a></h3><b><a href=/2></a></b>", &FACTS);
    let found: Vec<_> =
        records.links.iter().map(|link| (link.url.path(), link.rule, link.priority)).collect();
    assert_eq!(found, [("/1", RuleId(1), 2), ("/2", RuleId(0), 0)]);
    assert_eq!(String::from_utf8(records.lines).unwrap(), "{\"h\":\"H\"}\n");
}

#[test]
fn what_is_carried_is_seen_from_the_link_or_the_page() {
    let page = "<h2>Shelf</h2><a href=1>A</a><a href=2 title=T>B</a>";
    let file = "[extract.a]\nfollow = { xpath = '//a/@href', carry = { shelf = '//h2', title = '../@title', \
                n = { xpath = 'count(../preceding::a)', type = 'int' }, one = { const = 1 } } }\n";
    let records = of_page(file, page, &FACTS);
    assert_eq!(
        links(&records),
        [
            "https://h/dir/1 {\"shelf\":\"Shelf\",\"one\":1,\"title\":null,\"n\":0}",
            "https://h/dir/2 {\"shelf\":\"Shelf\",\"one\":1,\"title\":\"T\",\"n\":1}",
        ]
    );
    let file = "[extract.a]\nfollow = { xpath = '//a', carry = { shelf = '//h2' } }\n";
    let records = of_page(file, page, &FACTS);
    let [one, two] = &records.links[..] else { panic!("{:?}", records.links) };
    assert!(Arc::ptr_eq(one.carried.as_ref().unwrap(), two.carried.as_ref().unwrap()));
}

#[test]
fn with_each_links_and_what_they_carry_are_seen_from_there() {
    let page = "<li><a href=1></a><a href=2></a><b>x</b></li><li><b>y</b></li><li><a href=3></a></li>";
    let file = "[extract.a]\nfollow = { each = '//li', xpath = './a', carry = { b = './b' } }\n";
    assert_eq!(
        links(&of_page(file, page, &FACTS)),
        ["https://h/dir/1 {\"b\":\"x\"}", "https://h/dir/2 {\"b\":\"x\"}", "https://h/dir/3 {\"b\":null}"]
    );
    let json =
        serde_json::json!({ "items": [{ "url": "/1", "t": "a" }, { "url": null }, { "url": "/2", "t": 3 }] });
    let file = "[extract.a]\nfollow = { each = 'json:$.items[*]', json = '$.url', carry = { t = { json = '$.t' } } }\n";
    assert_eq!(
        links(&extracted(file, Content::Json(&json), &FACTS)),
        ["https://h/1 {\"t\":\"a\"}", "https://h/2 {\"t\":3}"]
    );
    let file = "[extract.a]\nfollow = 'json:$.items[*].url'\n";
    assert_eq!(links(&extracted(file, Content::Json(&json), &FACTS)), ["https://h/1", "https://h/2"]);
}

#[test]
fn links_inside_of_scripts_are_found_by_a_chain() {
    let page = "<script>{\"next\": [\"/2\", \"/3\"]}</script>";
    let file = "[extract.a]\nfollow = { from = '//script', json = '$.next[*]' }\n";
    assert_eq!(links(&of_page(file, page, &FACTS)), ["https://h/2", "https://h/3"]);
}

#[test]
fn what_came_down_goes_further_down_unless_there_is_something_new() {
    let before = carried("{\"shelf\":\"old\",\"city\":\"B\",\"n\":1}");
    let facts = PageFacts { carried: Some(&before), depth: 1, ..FACTS };
    let records = of_page("[extract.a]\nfollow = '//a'\n", "<a href=1></a>", &facts);
    assert!(Arc::ptr_eq(records.links[0].carried.as_ref().unwrap(), &before));
    let file = "[extract.a]\nfollow = { xpath = '//a', carry = { shelf = './text()', city = './b', more = './@x' } }\n";
    assert_eq!(
        links(&of_page(file, "<a href=1>new</a>", &facts)),
        ["https://h/dir/1 {\"shelf\":\"new\",\"city\":\"B\",\"n\":1,\"more\":null}"]
    );
}

#[test]
fn a_link_without_a_required_value_or_with_too_large_a_one_is_left_out() {
    let page = format!("<a href=1></a><a href=2 t=x></a><a href=3 t='{}'></a>", "y".repeat(70 << 10));
    let file =
        "[extract.a]\nfollow = { xpath = '//a', carry = { t = { xpath = './@t', required = true } } }\n";
    let records = of_page(file, &page, &FACTS);
    assert_eq!(links(&records), ["https://h/dir/2 {\"t\":\"x\"}"]);
    assert_eq!(records.links_left_out, 2);
}

#[test]
fn a_carried_value_is_a_field_and_null_without_one() {
    let file = "[extract.a]\nfields.s.carry = 'shelf'\nfields.n = { carry = 'none', default = 'x' }\n\
                fields.o.fields.z = { carry = 'list' }\n";
    let down = carried("{\"shelf\":\"A\",\"list\":[1,{\"b\":2}],\"other\":1}");
    let records = of_page(file, "", &PageFacts { carried: Some(&down), depth: 2, ..FACTS });
    assert_eq!(
        String::from_utf8(records.lines).unwrap(),
        "{\"s\":\"A\",\"n\":\"x\",\"o\":{\"z\":[1,{\"b\":2}]}}\n"
    );
    assert_eq!((records.fields[0].filled, records.fields[1].empty), (1, 1));
    let file = "[extract.a]\nfields.s = { carry = 'shelf', required = true }\n";
    assert_eq!(of_page(file, "", &FACTS).dropped, 1);
}

#[test]
fn what_stands_beside_an_address_goes_into_its_records_after_the_fields() {
    let file = "[extract.a]\nwith-meta = true\nfields.t = '//h1'\nfields.k.carry = 'kind'\n";
    let beside = carried("{\"t\":\"no\",\"kind\":\"K\",\"a b\":[1],\"_url\":\"no\",\"x\":null}");
    let record = |depth| {
        let records = of_page(file, "<h1>T</h1>", &PageFacts { carried: Some(&beside), depth, ..FACTS });
        String::from_utf8(records.lines).unwrap()
    };
    assert!(
        record(0).starts_with("{\"t\":\"T\",\"k\":\"K\",\"a b\":[1],\"x\":null,\"_url\":\"https"),
        "{}",
        record(0)
    );
    assert!(record(1).starts_with("{\"t\":\"T\",\"k\":\"K\",\"_url\":\"https"), "{}", record(1));
}

#[test]
fn links_that_may_not_be_followed_are_counted_and_the_records_stay() {
    let facts = PageFacts { may_follow: false, ..FACTS };
    let records =
        of_page("[extract.a]\nfields.t = '//a'\nfollow = '//a'\n", "<a href=1>A</a><a href=2>", &facts);
    assert_eq!((records.links.len(), records.links_forbidden, records.count), (0, 2, 1));
}

#[test]
fn work_for_links_is_counted_as_any_other() {
    let job = build("[extract.a]\nfollow = { xpath = '//a', carry = { n = 'count(preceding::*)' } }\n", &[])
        .unwrap();
    let page = "<a href=x></a>".repeat(5_000);
    let document = html::read(page.as_bytes(), Some("text/html"), None, &Limits::default()).unwrap();
    let limits = ExtractLimits { steps: 100_000, ..ExtractLimits::default() };
    let error = Extractor::new(job.rule(), false, limits)
        .unwrap()
        .extract(Content::Markup(&document), &FACTS)
        .unwrap_err();
    assert_eq!(error.name, "follow.carry.n");
    assert!(error.reason.starts_with("took more than 100000 steps"), "{error}");
}

#[test]
fn flags_follow_by_the_same_rule_or_by_one_that_they_name() {
    let file = "[extract.list]\nfields.t = '//h1'\nfollow = '//b/a'\n[extract.book]\nfields.t = '//h1'\n";
    let flags =
        [("follow", "//a[@rel=\"next\"]"), ("follow", "book = //h3/a"), ("follow", "css:a[href=\"x\"]")];
    let job = build(file, &flags).unwrap();
    let found: Vec<_> =
        job.rule().follow.iter().map(|follow| (follow.at.expression.source(), follow.to.0)).collect();
    assert_eq!(found, [("//b/a", 0), ("//a[@rel=\"next\"]", 0), ("//h3/a", 1), ("a[href=\"x\"]", 0)]);
    let job = build("", &[("follow", "//a"), ("field", "t=//h1")]).unwrap();
    assert_eq!((job.rules.len(), job.rule().follow[0].to), (1, RuleId(0)));
}

#[test]
fn wrong_entries_are_told_all_at_once_with_what_was_meant() {
    let file = "[extract.list]\nfollow = [\n{ xpath = '//a', to = 'boook' },\n{ to = 'book' },\n{ xpath = '//a[', priority = 'x' },\n\
                'count(//a)',\n{ xpath = '//a', prioritty = 1 },\n{ xpath = '//a', carry = { t = 'json:$.t', _u = '.' } },\n3 ]\n\
                [extract.book]\nfields.t = '//h1'\n";
    let found = build(file, &[("follow", "bok=//a"), ("follow", "book=//a[")]).unwrap_err();
    for wanted in [
        "job.toml:3:23: extract.list.follow.to: there is no rule of this name",
        "did you mean `book`?",
        "job.toml:4:1: extract.list.follow: this does not say where the links are",
        "job.toml:5:11: extract.list.follow.xpath: ",
        "job.toml:5:30: extract.list.follow.priority: this is no priority",
        "job.toml:6:1: extract.list.follow: links are nodes or strings, and this is a number",
        "job.toml:7:18: extract.list.follow.prioritty: unknown key",
        "extract.list.follow.carry.t: this reads JSON",
        "extract.list.follow.carry._u: names that begin with `_`",
        "job.toml:9:1: extract.list.follow: a string is wanted here, not an integer",
        "--follow: there is no rule of this name",
        "--follow: ",
    ] {
        assert!(found.iter().any(|mistake| mistake.contains(wanted)), "{wanted}\n{found:#?}");
    }
}

#[test]
fn a_rule_that_gives_nothing_is_a_mistake_where_links_lead_to_it() {
    let file = "[extract.list]\nfollow = { xpath = '//a', to = 'book' }\n[extract.book]\neach = '//li'\n";
    let found = build(file, &[]).unwrap_err();
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].starts_with("job.toml:3:10: extract.book: links lead to this rule, and it has no fields")
    );
    assert!(build(file, &[("rule", "book"), ("field", "t=.")]).is_ok());
    assert!(
        build("[extract.a]\neach = '//li'\nfollow = '//a'\n", &[]).unwrap_err()[0]
            .contains("nothing to extract")
    );
}

#[test]
fn rules_that_no_link_leads_to_are_warned_about() {
    let file = "[extract.list]\nfollow = ['//a', { xpath = '//b', to = 'book' }]\n[extract.book]\nfields.t = '//h1'\n\
                follow = { xpath = '//a', to = 'author' }\n[extract.author]\nfields.n = 'h1'\n[extract.alone]\nfields.x = '//h1'\n";
    let job = build(file, &[]).unwrap();
    assert_eq!(job.reached(), [RuleId(0), RuleId(1), RuleId(2)]);
    let warnings = job.warnings();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("rule `author`: field `n`: `h1` looks at the top"));
    assert!(warnings[1].starts_with("no link leads from the rule `list` to the rule `alone`"));
    assert!(build(file, &[("rule", "alone")]).unwrap().warnings().is_empty());
    assert_eq!(job.field_names(), ["book.t", "author.n"]);
    assert_eq!(build(file, &[("rule", "author")]).unwrap().field_names(), ["n"]);
}

#[test]
fn check_tells_of_all_rules_that_are_reached() {
    let file = "[extract.list]\nfollow = { css = 'h3 a', to = 'book', priority = 1, carry = { s = '//h2' } }\n\
                [extract.book]\nfields.t = '//h1'\nfields.s = { carry = 's', default = '?' }\n";
    let told = build(file, &[]).unwrap().to_string();
    let wanted = "on pages of the rule list:\nno records\n  on to the rule book by  css:h3 a  (priority 1)\n    carrying\n\
                  \x20     s    //h2\non pages of the rule book:\none record for each page\n  t    //h1\n\
                  \x20 s    what was carried as s  (or \"?\")\n";
    assert!(told.contains(wanted), "{told}");
}
