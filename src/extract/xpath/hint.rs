//! What people write for XPath 1.0 that is not: CSS, XPath 2, other languages' operators, typing slips. Each becomes a
//! [`Slip`] that says what to write instead.

use super::ast::{Axis, Expr, NodeTest, Operator, Start, Step};
use super::function::{Function, REGULAR_EXPRESSIONS};
use crate::mistake::Slip;
use crate::spelling::nearest_word;

const CSS: &str = "this looks like CSS, which is taken with `css:` in front; XPath writes \
                   `//div[has-class(\"item\")]/a` for `div.item > a`, `//*[@id=\"x\"]` for `#x`, `//div//a` for \
                   `div a`";

/// A character no token begins with, at byte `at`.
pub(super) fn stray_character(text: &str, at: usize) -> Slip {
    let rest = &text[at..];
    let first = rest.chars().next().expect("called at a character");
    let hint = match first {
        '&' if rest.starts_with("&&") => "write `and`",
        '&' => "write `and`; inside XML or HTML `&amp;` is written, here a plain character",
        '|' => "write `or` for conditions; a single `|` unites sets of nodes",
        '=' => "a single `=` compares",
        '!' => "write `not(...)`, or `!=` to compare",
        '%' => "write `mod`",
        '$' => {
            return Slip::new(at, "variables are not available")
                .with_hint("write the value itself, `\"so\"`");
        }
        '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»' | '`' => "use plain quotes: \" or '",
        '#' | '~' => CSS,
        ':' if at == 0 || text[..at].ends_with(|c: char| c.is_whitespace() || "]()*".contains(c)) => CSS,
        '\u{a0}' | '\u{3000}' | '\u{200b}' | '\u{feff}' => {
            "this is a special space; use a plain one (it is fine inside quotes)"
        }
        '（' | '）' | '［' | '］' | '，' | '／' | '＠' => {
            "this is a full-width character; use the plain one"
        }
        '{' | '}' => "braces mean nothing in XPath 1.0",
        _ => return Slip::new(at, format!("unexpected {}", quoted(first))),
    };
    let length =
        if rest.starts_with("&&") || rest.starts_with("||") || rest.starts_with("==") { 2 } else { 1 };
    let shown: String = rest.chars().take(length).collect();
    Slip::new(at, format!("unexpected {}", quoted_text(&shown))).with_hint(hint)
}

fn quoted(c: char) -> String {
    if c.is_control() || c.is_whitespace() { format!("U+{:04X}", u32::from(c)) } else { format!("`{c}`") }
}

fn quoted_text(text: &str) -> String {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) => quoted(only),
        _ => format!("`{text}`"),
    }
}

/// A name where an operator is due: `div a`, `a eq b`.
pub(super) fn name_after_operand(text: &str, at: usize, name: &str) -> Slip {
    let slip = Slip::new(at, format!("unexpected `{name}`: an operator, `/` or the end is due here"));
    let operator = match name {
        "eq" => "=",
        "ne" => "!=",
        "lt" => "<",
        "le" => "<=",
        "gt" => ">",
        "ge" => ">=",
        "union" => "|",
        "AND" => "and",
        "OR" => "or",
        "idiv" => "floor(a div b)",
        "then" | "else" | "in" | "return" | "satisfies" | "to" | "instance" | "castable" => {
            return slip.with_hint("XPath 1.0 has no `if`, `for`, `some`, `to` or `instance of`");
        }
        _ => {
            let before = text[..at].trim_end();
            let touches_literal = before.len() == at && before.ends_with(['"', '\'']);
            return slip.with_hint(if touches_literal {
                "a quote inside a literal must be of the other kind: \"it's\""
            } else if text.contains('/') {
                "`and`, `or`, `div` and `mod` are the only operators that are words"
            } else {
                CSS
            });
        }
    };
    slip.with_hint(format!("write `{operator}`"))
}

/// `name::` where `name` is no axis.
pub(super) fn unknown_axis(text: &str, at: usize, name: &str) -> Slip {
    let after = text[at..].split_once("::").map_or("", |(_, after)| after.trim_start());
    if after.starts_with("attr(") || (after.starts_with("text") && !after.starts_with("text(")) {
        return Slip::new(at, format!("unknown axis `{name}`"))
            .with_hint("`::text` and `::attr(href)` belong to CSS; XPath writes `/text()` and `/@href`");
    }
    let words = Axis::ALL.iter().map(|axis| axis.word());
    let slip = Slip::new(at, format!("unknown axis `{name}`"));
    match nearest_word(name, words.clone()) {
        Some(word) => slip.with_hint(format!("did you mean `{word}::`?")),
        None => slip.with_hint(format!("the axes are {}", words.collect::<Vec<_>>().join(", "))),
    }
}

/// A call of something that is no function. `is_re_taken` says that its prefix `re` was declared for something else.
pub(super) fn unknown_function(at: usize, prefix: Option<&str>, name: &str, is_re_taken: bool) -> Slip {
    let full = prefix.map_or_else(|| name.to_owned(), |prefix| format!("{prefix}:{name}"));
    let slip = Slip::new(at, format!("unknown function `{full}`"));
    if is_re_taken {
        return slip.with_hint(format!(
            "`re` is declared for something else; for regular expressions declare another prefix: \
             `--namespace regexp={REGULAR_EXPRESSIONS}`"
        ));
    }
    if let Some(instead) = later_function(name) {
        return slip.with_hint(instead);
    }
    if is_pseudo_class(name) {
        return slip.with_hint(PSEUDO_CLASSES);
    }
    if prefix.is_some() {
        return slip.with_hint(
            "the functions of XPath 1.0 have no prefix; beside them are `re:test`, `re:match`, `re:replace`",
        );
    }
    match nearest_word(name, Function::ALL.iter().map(|function| function.name())) {
        Some(near) => slip.with_hint(format!("did you mean `{near}()`?")),
        None => slip.with_hint(
            "the functions are those of XPath 1.0, `has-class`, `re:test`, `re:match`, `re:replace`",
        ),
    }
}

/// A prefix that is not declared, before `local`.
pub(super) fn undeclared_prefix(at: usize, prefix: &str, local: &str) -> Slip {
    let slip = Slip::new(at, format!("the prefix `{prefix}` is not declared"));
    if is_pseudo_class(local) {
        return slip.with_hint(PSEUDO_CLASSES);
    }
    let how = format!("declare it with `--namespace {prefix}=URI` or under `namespaces` in the job file");
    slip.with_hint(format!("{how}; in HTML pages names have no prefix"))
}

const PSEUDO_CLASSES: &str = "this looks like CSS, which is taken with `css:` in front; XPath writes `li[1]` for the \
                              first, `li[2]`, `li[last()]`, `li[not(@class)]`, `li[.//a]`";

fn is_pseudo_class(name: &str) -> bool {
    let positions = ["first", "last", "nth-child", "nth-of-type", "nth-last-child", "only-child", "eq"];
    let of_kind = ["first-child", "last-child", "first-of-type", "last-of-type", "hover", "not", "has", "is"];
    positions.contains(&name) || of_kind.contains(&name)
}

/// What XPath 1.0 writes for functions of XPath 2 and 3, `EXSLT`, Selenium or jQuery.
fn later_function(name: &str) -> Option<&'static str> {
    Some(match name {
        "matches" | "test" => {
            "write `re:test(., \"^x[0-9]+$\")`, or `re:test(., \"^x\", \"i\")` if case does not matter"
        }
        "match" => "write `re:match(., \"x([0-9]+)\")`, which gives the first group",
        "lower-case" => {
            "XPath 1.0 writes `translate(., \"ABCDEFGHIJKLMNOPQRSTUVWXYZ\", \"abcdefghijklmnopqrstuvwxyz\")`"
        }
        "upper-case" => {
            "XPath 1.0 writes `translate(., \"abcdefghijklmnopqrstuvwxyz\", \"ABCDEFGHIJKLMNOPQRSTUVWXYZ\")`"
        }
        "ends-with" => {
            "XPath 1.0 writes `substring(@href, string-length(@href) - string-length(\".pdf\") + 1) = \".pdf\"`"
        }
        "string-join" => "name the field `NAME[]` to get all values as an array",
        "replace" => {
            "write `re:replace(., \"[0-9]+\", \"g\", \"n\")`: text, pattern, flags, replacement; or `translate()` for characters"
        }
        "tokenize" => "use `substring-before()`, `substring-after()` or `re:match(., \"^[^,]*\")`",
        "exists" => "write `boolean(...)`, or the path alone inside `[...]`",
        "empty" => "write `not(...)`",
        "avg" => "write `sum(a) div count(a)`",
        "max" => "write `a[not(../a > .)]`",
        "min" => "write `a[not(../a < .)]`",
        "distinct-values" => "write `a[not(. = preceding::a)]`",
        "trim" => "text is trimmed already; inside an expression write `normalize-space(.)`",
        "index-of" => "write `count(a/preceding-sibling::*) + 1`",
        "abs" => "write `a * (1 - 2 * (a < 0))`",
        "hasClass" | "hasclass" => "write `has-class(\"item\")`",
        "length" => "write `string-length(.)` for a text, `count(a)` for nodes",
        "document" | "doc" => "an expression sees one page only",
        "current" => "write `.`",
        "if" => "XPath 1.0 has no `if`",
        _ => return None,
    })
}

/// Whether an expression that reads as XPath was surely meant as CSS; where.
///
/// `h3 > a` and `div.item` are XPath 1.0: a comparison, and a name with a point. Nobody means that for a whole
/// expression. With a `/` or `./` in front they are taken as they are.
pub(super) fn is_css(text: &str, tree: &Expr) -> Option<Slip> {
    if let Some(at) = is_child_of_path(tree).then(|| text.rfind('>')).flatten() {
        return Some(Slip::new(at, "unexpected `>`").with_hint(CSS));
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.> ".contains(c);
    let trimmed = text.trim();
    if !trimmed.starts_with(|c: char| c.is_ascii_alphabetic()) || !trimmed.chars().all(is_plain) {
        return None;
    }
    let start = text.len() - text.trim_start().len();
    let is_child_combinator =
        trimmed.split('>').all(|part| part.trim_start().starts_with(|c: char| c.is_ascii_alphabetic()));
    let at = match (trimmed.find('>'), trimmed.find('.')) {
        (Some(at), _) if is_child_combinator => at,
        (None, Some(at)) if is_html_name(&trimmed[..at]) => at,
        _ => return None,
    };
    Some(Slip::new(start + at, format!("unexpected `{}`", &trimmed[at..=at])).with_hint(CSS))
}

/// `//div[@id] > a`: a comparison of a path and the name of an HTML element.
fn is_child_of_path(tree: &Expr) -> bool {
    let Expr::Chain { first, rest } = tree else { return false };
    let [(Operator::Greater, Expr::Path { start: Start::Context, steps })] = &rest[..] else { return false };
    let [Step { axis: Axis::Child, test: NodeTest::Name(None, name), .. }] = &steps[..] else { return false };
    matches!(**first, Expr::Path { .. }) && is_html_name(name)
}

/// Whether a name is of an element that stands in the body of a page.
pub(super) fn is_html_name(name: &str) -> bool {
    HTML_NAMES.contains(&name)
}

const HTML_NAMES: [&str; 30] = [
    "a", "article", "aside", "b", "body", "button", "dd", "div", "dl", "dt", "em", "footer", "form", "h1",
    "h2", "h3", "h4", "header", "i", "img", "li", "main", "nav", "p", "section", "span", "table", "td", "tr",
    "ul",
];
