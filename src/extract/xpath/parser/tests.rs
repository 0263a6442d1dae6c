//! The grammar, and what is said when it is not kept.

use super::*;
use crate::extract::xpath::function::REGULAR_EXPRESSIONS;

fn canonical(text: &str) -> String {
    let mut namespaces = Namespaces::new();
    namespaces.declare("p", "urn:p").unwrap();
    parse(text, &namespaces).unwrap_or_else(|slip| panic!("{text}: {slip:?}")).to_string()
}

fn slip(text: &str) -> Slip {
    match parse(text, &Namespaces::new()) {
        Ok(expr) => panic!("{text} was taken as {expr}"),
        Err(slip) => slip,
    }
}

#[test]
fn abbreviations_are_expanded_as_in_the_recommendation() {
    // XPath 1.0, 2.5, in its order.
    for (short, full) in [
        ("para", "child::para"),
        ("*", "child::*"),
        ("text()", "child::text()"),
        ("@name", "attribute::name"),
        ("@*", "attribute::*"),
        ("para[1]", "child::para[1]"),
        ("para[last()]", "child::para[last()]"),
        ("*/para", "child::*/child::para"),
        ("/doc/chapter[5]/section[2]", "/child::doc/child::chapter[5]/child::section[2]"),
        ("chapter//para", "child::chapter/descendant-or-self::node()/child::para"),
        ("//para", "/descendant-or-self::node()/child::para"),
        ("//olist/item", "/descendant-or-self::node()/child::olist/child::item"),
        (".", "self::node()"),
        (".//para", "self::node()/descendant-or-self::node()/child::para"),
        ("..", "parent::node()"),
        ("../@lang", "parent::node()/attribute::lang"),
        ("para[@type=\"warning\"]", "child::para[attribute::type = \"warning\"]"),
        ("chapter[title]", "child::chapter[child::title]"),
        ("employee[@a and @b]", "child::employee[attribute::a and attribute::b]"),
        ("p:a/p:*", "child::p:a/child::p:*"),
        ("processing-instruction('x')", "child::processing-instruction(\"x\")"),
    ] {
        assert_eq!(canonical(short), full);
    }
}

#[test]
fn operators_bind_as_the_grammar_says() {
    for (text, grouped) in [
        ("1 or 2 and 3", "1 or 2 and 3"),
        ("(1 or 2) and 3", "(1 or 2) and 3"),
        ("3 > 2 > 1", "3 > 2 > 1"),
        ("3 > (2 > 1)", "3 > (2 > 1)"),
        ("1 = 2 < 3", "1 = 2 < 3"),
        ("(1 = 2) < 3", "(1 = 2) < 3"),
        ("1 - (2 - 3)", "1 - (2 - 3)"),
        ("(1 - 2) - 3", "(1 - 2) - 3"),
        ("-a|b", "-child::a | child::b"),
        ("--1", "--1"),
        ("-(-1)", "-(-1)"),
        ("2*-3", "2 * -3"),
        ("(a)[1]/b", "(child::a)[1]/child::b"),
        ("(a/b)/c", "(child::a/child::b)/child::c"),
        ("(/) * 2", "(/) * 2"),
        ("(/)[a]", "(/)[child::a]"),
        ("id('x')/a", "id(\"x\")/child::a"),
        ("/", "/"),
    ] {
        assert_eq!(canonical(text), grouped);
        assert_eq!(canonical(grouped), grouped);
    }
}

#[test]
fn a_slip_points_at_the_wrong_character_and_says_what_to_write() {
    for (text, at, hint) in [
        ("//a[matches(., 'x')]", 4, "re:test"),
        ("lower-case(a)", 0, "translate"),
        ("a[ends-with(@href, 'x')]", 2, "substring"),
        ("string-join(//a, ',')", 0, "NAME[]"),
        ("replace(a, 'b', 'c')", 0, "re:replace"),
        ("tokenize(a, 'b')", 0, "substring-before"),
        ("div.item > a", 9, "CSS"),
        ("h3 > a", 3, "CSS"),
        ("div.item", 3, "`css:`"),
        ("#id", 0, "CSS"),
        ("div#id", 3, "CSS"),
        ("ul li", 3, "CSS"),
        ("a::text", 0, "/text()"),
        ("a::attr(href)", 0, "/@href"),
        ("//a[@b == 'c']", 7, "single `=`"),
        ("//a[@b && @c]", 7, "`and`"),
        ("//a[@b || @c]", 7, "`or`"),
        ("//a[@b = “c”]", 9, "plain quotes"),
        ("//a[!@b]", 4, "not("),
        ("decendant::a", 0, "`descendant::`"),
        ("contians(a, 'b')", 0, "`contains()`"),
        ("//foo:a", 2, "--namespace foo=URI"),
        ("$x", 0, "write the value"),
        ("p:first-child", 0, "`li[last()]`"),
        ("li:nth-child(2)", 0, "`li[2]`"),
        ("//div[@class='x'] > a", 18, "CSS"),
        ("if (a) then b else c", 7, "no `if`"),
        ("a, b", 1, "`|`"),
        ("'a''b'", 3, "other kind"),
        ("a[b eq 'c']", 4, "`=`"),
        ("count('a')", 6, "path"),
        ("'a'/b", 3, "path"),
        ("a | 'b'", 4, "path"),
        ("'a'[1]", 3, "path"),
        ("sum(1)", 4, "path"),
        ("//a/string()", 4, "inside"),
        (".[a]", 1, "self::node()"),
        ("//a/", 4, "slash"),
        ("//a[]", 4, "[1]"),
        ("ex:test(a, 'b')", 0, "re:test"),
        ("//a[text(), 'x']", 10, ""),
        ("'it's'", 4, "other kind"),
    ] {
        let slip = slip(text);
        assert_eq!(slip.at, at, "{text}: {slip:?}");
        assert!(slip.hint.as_deref().unwrap_or("").contains(hint), "{text}: {slip:?}");
    }
}

#[test]
fn what_was_opened_and_not_closed_is_shown() {
    for (text, at, message) in [
        ("//a[b", 3, "`[` opened here is never closed"),
        ("count(//a", 5, "`(` opened here is never closed"),
        ("//a[. = 'x]", 8, "quote `'` opened here"),
        ("//a[(b]", 6, "`(` at column 5 is still open"),
        ("//a]", 3, "nothing is open"),
        ("//a[b)]", 5, "`[` at column 4 is still open"),
    ] {
        let slip = slip(text);
        assert_eq!((slip.at, slip.message.contains(message)), (at, true), "{text}: {slip:?}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (text, at, missing) in [
        ("//a[@class=]", 11, "an operand is missing"),
        ("count()", 0, "takes 1 argument, not 0"),
        ("concat('a', )", 12, "an operand is missing"),
        ("contains(@b 'c')", 12, "an operator or `,` is missing"),
        ("1 2", 2, "an operator is missing"),
        ("//a[]", 4, "a condition is missing"),
        ("//", 2, "ends too early"),
    ] {
        let slip = slip(text);
        assert_eq!((slip.at, slip.message.contains(missing)), (at, true), "{text}: {slip:?}");
    }
}

#[test]
fn a_wrong_number_of_arguments_says_how_many() {
    assert_eq!(slip("contains(a)").message, "`contains()` takes 2 arguments, not 1");
    assert_eq!(slip("position(1)").message, "`position()` takes no argument, not 1");
    assert_eq!(slip("concat('a')").message, "`concat()` takes at least 2 arguments, not 1");
    assert_eq!(slip("substring('a')").message, "`substring()` takes 2 or 3 arguments, not 1");
}

#[test]
fn regular_expressions_are_asked_for_by_re_or_a_prefix_of_their_namespace() {
    assert_eq!(canonical("re:test(a, 'b')"), "re:test(child::a, \"b\")");
    assert_eq!(canonical("re:match (a, 'b', 'gi')"), "re:match(child::a, \"b\", \"gi\")");
    let mut namespaces = Namespaces::new();
    namespaces.declare("x", REGULAR_EXPRESSIONS).unwrap();
    let expr = parse("x:replace(a, 'b', '', 'c')", &namespaces).unwrap();
    assert_eq!(expr.to_string(), "re:replace(child::a, \"b\", \"\", \"c\")");
    namespaces.declare("re", "urn:other").unwrap();
    let slip = parse("a[re:test(b, 'c')]", &namespaces).unwrap_err();
    assert_eq!((slip.at, slip.message.as_str()), (2, "unknown function `re:test`"));
    assert!(slip.hint.unwrap().contains(REGULAR_EXPRESSIONS));
    assert!(parse("//re:a", &namespaces).is_ok());
}

#[test]
fn re_alone_is_no_prefix_of_elements_or_other_functions() {
    assert_eq!(slip("//re:a").message, "the prefix `re` is not declared");
    assert_eq!(slip("re:count(a)").message, "unknown function `re:count`");
    assert_eq!(slip("re:re(a)").message, "unknown function `re:re`");
}

#[test]
fn a_wrong_pattern_flag_or_class_is_a_slip_at_its_place() {
    for (text, at, message) in [
        ("//a[re:test(., '(b')]", 15, "this pattern cannot be used: unclosed group"),
        ("re:match(a, 'b', 'x')", 17, "unknown flag `x`: `g` and `i` are there"),
        ("re:replace(a, '[', 'g', '')", 14, "this pattern cannot be used: unclosed character class"),
        ("re:replace(a, 'b', 'c')", 0, "`re:replace()` takes 4 arguments, not 3"),
        ("re:test(a)", 0, "`re:test()` takes 2 or 3 arguments, not 1"),
        ("has-class()", 0, "`has-class()` takes at least 1 argument, not 0"),
        ("*[has-class('a', 'b c')]", 17, "this is not the name of one class"),
        ("has-class('')", 10, "this is not the name of one class"),
        ("//a/has-class('b')", 4, "`has-class()` cannot be a step of a path"),
        ("//a/re:test(., 'b')", 4, "`re:test()` cannot be a step of a path"),
    ] {
        let slip = slip(text);
        assert_eq!((slip.at, slip.message.as_str()), (at, message), "{text}");
    }
}

#[test]
fn what_only_looks_like_css_is_taken() {
    for text in ["//item[price > limit]", "./div.item", "a > 1", "count(a) > count(b)", "item.name", "."] {
        parse(text, &Namespaces::new()).unwrap_or_else(|slip| panic!("{text}: {slip:?}"));
    }
}

#[test]
fn size_and_nesting_are_limited() {
    let nested = |n: usize| format!("{}1{}", "(".repeat(n), ")".repeat(n));
    assert!(parse(&nested(64), &Namespaces::new()).is_ok());
    assert_eq!(slip(&nested(65)).at, 64);
    assert_eq!(slip(&format!("{}1", "(".repeat(3000))).at, 64);
    assert!(slip(&" ".repeat(5000)).message.contains("4096"));
    let chain = format!("1{}", "+1".repeat(2000));
    assert!(parse(&chain, &Namespaces::new()).is_ok());
    assert!(parse(&format!("{}1", "-".repeat(4000)), &Namespaces::new()).is_ok());
    let filtered = |n: usize| format!("(a){}", "[1]".repeat(n));
    assert!(parse(&filtered(127), &Namespaces::new()).is_ok());
    assert!(parse(&"//a".repeat(127), &Namespaces::new()).is_ok());
    assert!(slip(&"//a".repeat(1300)).message.contains("deeper than 128 levels"));
    assert!(slip(&filtered(128)).message.contains("deeper than 128 levels"));
}
