//! Wrong selectors: where the caret stands, and what is said.

use super::Css;

/// The text before the caret, and the slip in one line.
fn slip(css: &str) -> (String, String) {
    let slip = Css::parse(css).expect_err(css);
    let hint = slip.hint.map_or_else(String::new, |hint| format!("; {hint}"));
    (css[..slip.at].to_owned(), slip.message + &hint)
}

#[track_caller]
fn says(css: &str, before: &str, words: &str) {
    let (start, message) = slip(css);
    assert_eq!(start, before, "{css}: {message}");
    assert!(message.contains(words), "{css}: {message}");
}

#[test]
fn xpath_is_recognised() {
    says("//div/a", "", "looks like XPath");
    says("./a", ".", "looks like XPath");
    says("div/a", "div", "looks like XPath");
    says("div[@class='x']", "div[", "looks like XPath");
    says("a/@href", "a", "looks like XPath");
    says("@href", "", "looks like XPath");
    says("li[1]", "li[", "looks like XPath");
    says("text()", "text", "looks like XPath");
}

#[test]
fn unknown_pseudo_classes_are_named() {
    says("a:fist-child", "a:", "did you mean `:first-child`?");
    says("a:not(b:nth-chid(2))", "a:not(b:", "did you mean `:nth-child`?");
    says("a:qqq", "a:", "unknown pseudo-class `:qqq`");
    says("a:first", "a:", ":first-child");
    says("li:eq(2)", "li:", ":nth-child(3)");
    says("a:text", "a:", "::text");
    says("a:not", "a:not", "`:not` wants something in brackets; write `:not(.x)`");
    says("a:nth-child", "a:nth-child", "write `:nth-child(2n+1)`");
    says("a:root(x)", "a:root", "`:root` takes no brackets");
    says("a, b:hover", "a, b:", "state of a browser");
    says("p:before", "p:", "unknown pseudo-element `::before`");
}

#[test]
fn unknown_pseudo_elements_are_named() {
    says("a::attr", "a::attr", "write `a::attr(href)`");
    says("a::attr()", "a::attr(", "wants the name");
    says("a::attr(2)", "a::attr(", "wants the name");
    says("a::href", "a::", "write `::attr(href)`");
    says("a::before", "a::", "unknown pseudo-element `::before`");
    says("a::text b", "a::text ", "unexpected `b`");
    says("a:not(::text)", "a:not(:", "unexpected `:`");
    says("a::text:first-child", "a::text", "unexpected `:`");
}

#[test]
fn what_is_missing_is_missing_at_the_end() {
    says("", "", "empty");
    says("  ", "", "empty");
    says("a >", "a >", "after `>`");
    says("a, ", "a, ", "after the comma");
    says("a.", "a.", "a class is due");
    says("a#", "a#", "an id is due");
    says("a:", "a:", "too early");
}

#[test]
fn brackets_and_quotes_are_closed() {
    says("a[href", "a", "`[` is not closed");
    says("a:not(.x", "a:not", "`(` is not closed");
    says("a[href='x]", "a[href=", "the text in quotes is not closed");
    says("a]", "a", "no bracket is open");
    says("a[b)]", "a[b", "`]` is due first");
    says("a /* b", "a ", "the comment is not closed");
}

#[test]
fn a_wrong_token_is_pointed_at() {
    says("a,,b", "a,", "before the comma");
    says(", a", "", "before the comma");
    says("a > > b", "a > ", "between two combinators");
    says("a..b", "a.", "unexpected `.`");
    says(".3d", ".", "does not begin with a digit");
    says("a[href=/x]", "a[href=", "quote the value");
    says("a[href!='x']", "a[href", "write `:not([href=\"x\"])`");
    says("a 'x'", "a ", "in brackets only");
    says("a || b", "a |", "a comma");
    says("p:contains(2)", "p:contains(", "wants a text");
    says("svg|a", "svg", "prefixes");
    says("a:has(b:has(c))", "a:has(b:", "in no other `:has`");
    says("div $ x", "div ", "unexpected `$`");
}

#[test]
fn sizes_are_limited() {
    says(&"a".repeat(5000), &"a".repeat(4096), "longer than 4096 bytes");
    let nested = |depth| format!("{}a{}", ":is(".repeat(depth), ")".repeat(depth));
    assert!(Css::parse(&nested(16)).is_ok());
    says(&nested(17), &format!("{}:is", ":is(".repeat(16)), "inside each other");
}
