//! What selectors select. Expectations are reasoned by hand from Selectors 4 and agree with parsel where it has them.

use super::Css;
use crate::extract::budget::{Budget, TooMuchWork};
use crate::html::dom::{Document, NodeId, Place};
use crate::html::sample::{document, html_document};

const SHOP: &str = "<html><body id='top'><!-- c --><div class='list x'>\
    <div class='item first' id='i1' data-n='1'>own<a href='/p/1' title='The One'>t<b>bold</b></a><p>p</p></div>\
    <div class='item' id='i2' data-n='2'><h3>H</h3><a href='/p/2.PDF' hreflang='en-GB'>u</a><p class='price'>\
    9<i>.5</i>0</p></div>\
    <div class='Item last' id='i3'><p/><p><!-- only a comment --></p></div></div>\
    <p class='out'>o</p><form><input type='checkbox' checked='' id='c1'/><input type='text' disabled='' id='c2'/>\
    <select><option id='o1'>1</option><option id='o2' selected=''>2</option></select></form></body></html>";

fn steps() -> Budget {
    Budget::new(1_000_000)
}

fn shown(document: &Document, place: Place) -> String {
    if let Some(attribute) = document.attribute_at(place) {
        return format!("@{}", &*attribute.value);
    }
    let Some(name) = document.name(place.node) else { return format!("'{}'", document.text(place.node)) };
    match document.attribute(place.node, "id") {
        Some(id) => format!("#{id}"),
        None => name.local.to_string(),
    }
}

fn select_in(document: &Document, context: NodeId, css: &str) -> String {
    let selector = Css::parse(css).unwrap_or_else(|slip| panic!("{css}: {slip:?}"));
    let places = selector.select(document, Place::of(context), &steps()).unwrap();
    assert!(places.is_sorted(), "{css}");
    places.iter().map(|&place| shown(document, place)).collect::<Vec<_>>().join(" ")
}

fn select(css: &str) -> String {
    select_in(&html_document(SHOP), Document::ROOT, css)
}

fn by_id(document: &Document, id: &str) -> NodeId {
    let mut nodes = (0..document.len() as u32).map(NodeId);
    nodes.find(|&node| document.attribute(node, "id") == Some(id)).unwrap()
}

/// From the element `#i1`, the first item.
fn within(css: &str) -> String {
    let document = html_document(SHOP);
    select_in(&document, by_id(&document, "i1"), css)
}

#[track_caller]
fn all(facts: &[(&str, &str)]) {
    for (css, expected) in facts {
        assert_eq!(select(css), *expected, "{css}");
    }
}

#[test]
fn types_classes_and_ids_select() {
    all(&[
        ("a", "a a"),
        ("h3", "h3"),
        (".item", "#i1 #i2"),
        (".item.first", "#i1"),
        ("div.item", "#i1 #i2"),
        ("p.item", ""),
        ("#i2", "#i2"),
        ("div#i2.item", "#i2"),
        ("*#c1", "#c1"),
        ("nothing", ""),
    ]);
}

#[test]
fn names_have_no_case_in_html_classes_and_ids_have() {
    all(&[
        ("DIV.item", "#i1 #i2"),
        ("A[HREF='/p/1']", "a"),
        (".ITEM", ""),
        (".Item", "#i3"),
        ("#I1", ""),
        ("INPUT[TYPE=TEXT]", "#c2"),
    ]);
}

#[test]
fn combinators_lead_from_element_to_element() {
    all(&[
        (".list a", "a a"),
        (".list > a", ""),
        (".item > a", "a a"),
        ("h3 + a", "a"),
        ("a + h3", ""),
        ("h3 ~ p", "p"),
        ("h3 + p", ""),
        ("div div", "#i1 #i2 #i3"),
        ("div > div > b, body > div b", "b"),
        (".first ~ div p", "p p p"),
        ("#i1 + * + .last", "#i3"),
        ("html > body > p", "p"),
    ]);
}

#[test]
fn attributes_are_tested_in_seven_ways() {
    all(&[
        ("[data-n]", "#i1 #i2"),
        ("[data-n='2']", "#i2"),
        ("[data-n=\"2\"]", "#i2"),
        ("a[href^='/p/']", "a a"),
        ("a[href$='.pdf']", ""),
        ("a[href$='.pdf' i]", "a"),
        ("a[href$='.PDF' s]", "a"),
        ("a[href*='/1']", "a"),
        ("[title~=One]", "a"),
        ("[title~='The One']", ""),
        ("[hreflang|=en]", "a"),
        ("[hreflang|=e]", ""),
        ("[href^='']", ""),
        ("[*|href]", "a a"),
        ("div:not([data-n])", "div #i3"),
    ]);
}

#[test]
fn places_among_siblings_are_counted() {
    all(&[
        (".list > :first-child", "#i1"),
        (".list > :last-child", "#i3"),
        (".list > :nth-child(2)", "#i2"),
        (".list > :nth-child(odd)", "#i1 #i3"),
        (".list > :nth-child(-n + 2)", "#i1 #i2"),
        (".list > :nth-last-child(1)", "#i3"),
        (".item p:first-of-type", "p p"),
        ("#i3 p:nth-of-type(2)", "p"),
        ("#i3 p:nth-last-of-type(2)", "p"),
        ("#i3 :only-child", ""),
        ("h3:only-of-type", "h3"),
        ("a b:only-child", "b"),
        (":nth-child(2 of .item)", "#i2"),
        (":nth-last-child(1 of .item)", "#i2"),
    ]);
}

#[test]
fn pseudo_classes_of_the_tree_hold() {
    all(&[
        (":root", "html"),
        (":scope", "html"),
        (":scope > body", "#top"),
        ("#i3 p:empty", "p p"),
        ("b:empty", ""),
        (":is(h3, .price)", "h3 p"),
        (":where(h3, .price)", "h3 p"),
        (":matches(h3)", "h3"),
        ("div:is(.list .item, .last)", "#i1 #i2 #i3"),
        ("p:not(.price, .out)", "p p p"),
        ("p:not(.item p)", "p p p"),
        ("p:not(:not(.out))", "p"),
    ]);
}

#[test]
fn has_looks_ahead() {
    all(&[
        (".item:has(h3)", "#i2"),
        (".item:has(> b)", ""),
        (".item:has(> a > b)", "#i1"),
        (".item:has(b, h3)", "#i1 #i2"),
        ("div:has(+ .last)", "#i2"),
        ("div:has(~ .last)", "#i1 #i2"),
        ("div:not(:has(a))", "#i3"),
        ("h3:has(+ a[href])", "h3"),
        (".item:has(.price:contains('9.50'))", "#i2"),
        ("body:has(.item p) > p", "p"),
    ]);
}

#[test]
fn contains_sees_the_text_of_all_that_is_inside() {
    all(&[
        ("p:contains('9.50')", "p"),
        ("p:contains(\"9.5\")", "p"),
        ("a:contains(bold)", "a"),
        ("a:contains(tbold)", "a"),
        ("a:contains('Bold')", ""),
        ("p:contains('comment')", ""),
        ("b:contains('')", "b"),
    ]);
}

#[test]
fn forms_are_as_the_page_came() {
    all(&[
        (":checked", "#c1 #o2"),
        (":disabled", "#c2"),
        ("input:enabled", "#c1"),
        ("a:link", "a a"),
        ("form :any-link", ""),
    ]);
}

#[test]
fn text_is_what_stands_directly_in_an_element() {
    all(&[
        ("a::text", "'t' 'u'"),
        (".price::text", "'9' '0'"),
        (".price ::text", "'9' '.5' '0'"),
        (".price *::text", "'9' '.5' '0'"),
        (".price > ::text", "'.5'"),
        (".price i::text", "'.5'"),
        (".price, .price *", "p i"),
        ("#i1 ::text", "'own' 't' 'bold' 'p'"),
        ("#i1 :not(b)::text", "'t' 'p'"),
        ("#i3 p::text", ""),
        (".out::TEXT", "'o'"),
    ]);
}

#[test]
fn texts_of_nested_elements_stand_in_document_order() {
    assert_eq!(select("#i2 p.price, #i2 p.price *"), "p i");
    assert_eq!(select("p.price::text, i::text"), "'9' '.5' '0'");
    assert_eq!(select("#i2 ::text"), "'H' 'u' '9' '.5' '0'");
}

#[test]
fn attributes_are_taken_by_name() {
    all(&[
        ("a::attr(href)", "@/p/1 @/p/2.PDF"),
        ("a::attr( HREF )", "@/p/1 @/p/2.PDF"),
        ("a::attr('title')", "@The One"),
        (".list ::attr(data-n)", "@1 @2"),
        (".item ::attr(data-n)", "@1 @2"),
        (".list > .item::attr(data-n)", "@1 @2"),
        ("::attr(hreflang)", "@en-GB"),
        ("p::attr(href)", ""),
    ]);
}

#[test]
fn every_selector_of_a_list_has_its_own_pseudo_element_and_order_is_the_documents() {
    all(&[
        ("p.out, h3", "h3 p"),
        ("h3, h3, .item h3", "h3"),
        ("b::text, a::attr(href), h3", "@/p/1 'bold' h3 @/p/2.PDF"),
    ]);
}

#[test]
fn the_context_itself_may_match_and_what_is_above_is_not_seen() {
    for (css, expected) in [
        ("div", "#i1"),
        (".item", "#i1"),
        ("div a", "a"),
        ("::attr(data-n)", "@1"),
        ("::text", "'own' 't' 'bold' 'p'"),
        (".list a", ""),
        ("body p", ""),
        (".list > .item", ""),
        (":root", ""),
        ("a:is(.list a)", ""),
        (".x:has(a)", ""),
        (":first-child", "#i1 a b"),
        (":nth-child(2)", "p"),
        ("* + .item", ""),
    ] {
        assert_eq!(within(css), expected, "{css}");
    }
}

#[test]
fn scope_is_the_context() {
    for (css, expected) in [
        (":scope", "#i1"),
        (":scope > a", "a"),
        (":scope a b", "b"),
        ("> a", "a"),
        ("> b", ""),
        ("> a > b::text", "'bold'"),
        ("> a, > p", "a p"),
        (":not(:scope)", "a b p"),
        ("b:not(:scope > b)", "b"),
        ("> ::attr(href)", "@/p/1"),
    ] {
        assert_eq!(within(css), expected, "{css}");
    }
}

#[test]
fn siblings_of_the_context_are_selected_on_demand() {
    for (css, expected) in [
        ("+ div", "#i2"),
        ("+ p", ""),
        ("~ div", "#i2 #i3"),
        ("~ div > h3", "h3"),
        (":scope + div a::attr(href)", "@/p/2.PDF"),
        ("~ .last, > a", "a #i3"),
    ] {
        assert_eq!(within(css), expected, "{css}");
    }
}

#[test]
fn only_elements_and_the_document_have_something_in_them() {
    let document = html_document("<a b='c'>t</a>");
    let any = Css::parse("*").unwrap();
    let places = |place| any.select(&document, place, &steps()).unwrap();
    assert_eq!(places(Place::ROOT), [Place::of(NodeId(1))]);
    assert_eq!(places(Place { node: NodeId(1), attribute: 1 }), []);
    assert_eq!(places(Place::of(NodeId(2))), []);
}

#[test]
fn in_xml_case_counts_and_namespaces_do_not() {
    let feed = document(
        "<rss xmlns:a='urn:a' xmlns='urn:d'><Item a:id='x' Id='7'><a:link href='1'/><link>t</link></Item></rss>",
    );
    for (css, expected) in [
        ("Item", "Item"),
        ("item", ""),
        ("link", "link link"),
        ("link[href]::attr(href)", "@1"),
        ("link[HREF]", ""),
        ("Item::attr(Id)", "@7"),
        ("Item::attr(id)", "@x"),
        ("Item::attr('a:id')", "@x"),
        ("Item > link:last-child::text", "'t'"),
        ("*|link", "link link"),
        (":root > Item", "Item"),
    ] {
        assert_eq!(select_in(&feed, Document::ROOT, css), expected, "{css}");
    }
}

#[test]
fn names_with_colons_and_capitals_are_found_in_html() {
    let page = html_document("<html><svg viewBox='0 0'><linearGradient xlink:href='#g'/></svg></html>");
    for (css, expected) in [
        ("linearGradient", "linearGradient"),
        ("lineargradient::attr('xlink:href')", "@#g"),
        ("[xlink\\:href]", "linearGradient"),
        ("[viewBox]::attr(viewbox)", "@0 0"),
    ] {
        assert_eq!(select_in(&page, Document::ROOT, css), expected, "{css}");
    }
}

#[test]
fn escapes_and_comments_are_read() {
    let page = html_document("<a class='1x w:2'><b id='é'/></a>");
    for (css, expected) in [
        (".\\31 x", "a"),
        (".w\\:2", "a"),
        ("#é", "#é"),
        ("[id='\\e9']", "#é"),
        ("a/* c */>/**/b", "#é"),
        (" a \n b ", "#é"),
    ] {
        assert_eq!(select_in(&page, Document::ROOT, css), expected, "{css}");
    }
}

#[test]
fn a_selector_may_cross_threads() {
    fn is_send_and_sync<T: Send + Sync + Clone>() {}
    is_send_and_sync::<Css>();
}

#[test]
fn a_selector_knows_whether_it_selects_elements() {
    assert!(Css::parse("a, b").unwrap().selects_elements());
    assert!(!Css::parse("a, b::text").unwrap().selects_elements());
}

#[test]
fn work_beyond_the_budget_is_an_error() {
    let document = html_document(SHOP);
    for css in
        ["*", "div ~ * p", "p:not(.x *)", "div:has(:not(x) i)", "*:nth-last-child(7)", "*:contains('x')"]
    {
        let selector = Css::parse(css).unwrap();
        let result = |limit| selector.select(&document, Place::ROOT, &Budget::new(limit));
        let needed = (1..10_000).find(|&limit| result(limit).is_ok()).unwrap();
        assert!(needed > 30, "{css}: {needed}");
        // Whatever the step at which it ends: never a wrong answer.
        for limit in 0..needed {
            assert_eq!(result(limit), Err(TooMuchWork), "{css}");
        }
    }
}

#[test]
fn an_exploding_selector_on_many_siblings_ends_by_its_budget() {
    let page = html_document(&format!("<a>{}</a>", "<b/>".repeat(20_000)));
    for css in ["x ~ b", "b:has(~ x)", "b:not(x ~ b ~ b)", "b:contains('z') ~ b"] {
        let selector = Css::parse(css).unwrap();
        assert_eq!(selector.select(&page, Place::ROOT, &steps()), Err(TooMuchWork), "{css}");
    }
    // Counting children is linear: indexes are remembered.
    let odd = Css::parse("b:nth-child(odd):nth-last-child(even)").unwrap();
    assert_eq!(odd.select(&page, Place::ROOT, &steps()).unwrap().len(), 10_000);
}
