//! What people write for a CSS selector that is none: XPath, jQuery, states of a browser, typing slips. Each becomes a
//! [`Slip`] that says what to write instead. Knows texts only.

use crate::spelling::nearest_word;
use selectors::parser::SelectorParseErrorKind as Kind;

use super::parser::Problem;
use super::words::PseudoClass;
use crate::mistake::Slip;

const XPATH: &str = "this looks like XPath; CSS writes `div.item > a` for `//div[@class=\"item\"]/a`, `a::attr(href)` \
                     for `//a/@href`, `a::text` for `//a/text()`";

const QUOTE: &str = "quote the value: `a[href=\"/list?page=1\"]`";

/// The pseudo-classes that the grammar itself knows.
const STRUCTURAL: [&str; 18] = [
    "root",
    "empty",
    "scope",
    "first-child",
    "last-child",
    "only-child",
    "first-of-type",
    "last-of-type",
    "only-of-type",
    "nth-child",
    "nth-last-child",
    "nth-of-type",
    "nth-last-of-type",
    "not",
    "is",
    "where",
    "has",
    "contains",
];

/// Those that need an argument.
fn needs_argument(name: &str) -> bool {
    name.starts_with("nth-") || ["not", "is", "where", "has", "contains"].contains(&name)
}

/// The slip of `text`, wrong at byte `at` because of `problem`.
pub(super) fn slip(text: &str, at: usize, problem: &Problem) -> Slip {
    let rest = &text[at..];
    match problem {
        Problem::PseudoClass(name) => pseudo_class(at, &name.to_ascii_lowercase(), rest),
        Problem::PseudoElement(name) => pseudo_element(at, &name.to_ascii_lowercase()),
        Problem::AttributeName => Slip::new(at, "`::attr` wants the name of an attribute")
            .with_hint("write `a::attr(href)`; quote a name of other characters"),
        Problem::ContainedText => {
            Slip::new(at, "`:contains` wants a text").with_hint("write `a:contains(\"next page\")`")
        }
        Problem::Grammar(Kind::ExpectedNamespace) => {
            Slip::new(at, "prefixes of namespaces are not available").with_hint(
                "a name without prefix matches in any namespace; a `:` or `|` in a name is `\\:` or `\\|`",
            )
        }
        Problem::Grammar(_) | Problem::Token => unexpected(text, at),
    }
}

fn unexpected(text: &str, at: usize) -> Slip {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Slip::new(0, "the selector is empty").with_hint("`*` selects every element");
    }
    let before = text[..at].trim_end();
    let Some(first) = text[at..].chars().next() else {
        let slip = Slip::new(at, "the selector ends too early");
        return match before.chars().last() {
            Some(',') => slip.with_hint("a selector is due after the comma"),
            Some(last @ ('>' | '+' | '~')) => slip.with_hint(format!("a selector is due after `{last}`")),
            Some('.') => slip.with_hint("a class is due after `.`"),
            Some('#') => slip.with_hint("an id is due after `#`"),
            _ => slip,
        };
    };
    let slip = match first {
        _ if first.is_control() || first.is_whitespace() => {
            Slip::new(at, format!("unexpected U+{:04X}", u32::from(first)))
        }
        _ => Slip::new(at, format!("unexpected `{first}`")),
    };
    let hint = match first {
        _ if before.ends_with('=') && text[..at].contains('[') => QUOTE,
        _ if is_xpath(text, at) => XPATH,
        ':' | '(' if text[..at].contains("::") => {
            "`::text` and `::attr(name)` end a selector, and stand in no brackets"
        }
        '0'..='9' if before.ends_with(['.', '#']) => {
            "a name does not begin with a digit; write `[class~=\"3d\"]`, `[id=\"3d\"]`"
        }
        '(' => "only pseudo-classes have brackets: `:not(.x)`",
        '=' => "attributes are compared in square brackets: `a[href=\"x\"]`",
        '!' => "write `:not([href=\"x\"])` for `[href!=\"x\"]`",
        '|' | '&' => "a comma between selectors is `or`; conditions side by side are `and`: `a.x[href]`",
        '"' | '\'' => "a text in quotes stands in brackets only: `[title=\"x\"]`, `:contains(\"x\")`",
        '#' => "an id is a name: it does not begin with a digit; write `[id=\"3d\"]`",
        ',' => "a selector is due before the comma",
        '>' | '+' | '~' => "a selector is due between two combinators",
        _ => return slip,
    };
    slip.with_hint(hint)
}

/// Whether a text that is wrong at `at` was meant as XPath.
fn is_xpath(text: &str, at: usize) -> bool {
    let trimmed = text.trim_start();
    let is_path = trimmed.starts_with(['/', '@']) || trimmed.starts_with("./") || trimmed.starts_with("(/");
    let call = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
    let calls = ["text", "node", "contains", "starts-with", "normalize-space", "string", "count", "position"];
    is_path
        || text[at..].starts_with(['/', '@'])
        || (text[at..].starts_with('(') && calls.contains(&call) && !text[..at].contains("::"))
        || text[..at].ends_with("[") && text[at..].starts_with(|c: char| c.is_ascii_digit())
}

fn pseudo_class(at: usize, name: &str, rest: &str) -> Slip {
    let has_argument = rest.strip_prefix(name).unwrap_or(rest).starts_with('(');
    if needs_argument(name) && !has_argument {
        let argument = if name.starts_with("nth-") { "2n+1" } else { ".x" };
        return Slip::new(at, format!("`:{name}` wants something in brackets"))
            .with_hint(format!("write `:{name}({argument})`"));
    }
    let interactive = [
        "hover",
        "active",
        "focus",
        "focus-within",
        "focus-visible",
        "visited",
        "target",
        "local-link",
        "playing",
        "paused",
        "fullscreen",
        "modal",
        "popover-open",
    ];
    if interactive.contains(&name) {
        return Slip::new(at, format!("`:{name}` is a state of a browser, which a page alone does not have"));
    }
    let instead = match name {
        "text" | "attr" => Some("write `::text`, `::attr(href)`, with two colons"),
        "first" => Some("write `:first-child` or `:first-of-type`; a field takes the first match anyway"),
        "last" => Some("write `:last-child` or `:last-of-type`"),
        "eq" | "nth" => Some("write `:nth-child(3)` for the third child"),
        "gt" | "lt" => {
            Some("write `:nth-child(n+4)` for all from the fourth, `:nth-child(-n+3)` for the first three")
        }
        "even" | "odd" => Some("write `:nth-child(even)`, `:nth-child(odd)`"),
        "parent" => Some("write `:has(*)` for elements with children"),
        "visible" | "hidden" => {
            Some("what is visible is not known without a browser; look for `[hidden]` or a class")
        }
        "header" => Some("write `:is(h1, h2, h3, h4, h5, h6)`"),
        "button" | "input" | "checkbox" | "radio" | "image" | "submit" | "password" | "file" | "reset" => {
            Some("write `input[type=\"radio\"]`")
        }
        "lang" => Some("write `[lang|=\"en\"]`"),
        "contains-own" | "containsown" | "has-text" | "text-is" | "icontains" => {
            Some("write `:contains(\"x\")`")
        }
        "host" | "host-context" | "slotted" | "part" => {
            Some("there are no shadow trees in a page as it was sent")
        }
        _ => None,
    };
    let slip = Slip::new(at, format!("unknown pseudo-class `:{name}`"));
    if let Some(instead) = instead {
        return slip.with_hint(instead);
    }
    let known = STRUCTURAL.into_iter().chain(PseudoClass::PLAIN.iter().map(|(name, _)| *name));
    match nearest_word(name, known) {
        Some(near) if needs_argument(near) && !has_argument => {
            slip.with_hint(format!("did you mean `:{near}()`?"))
        }
        Some("has") if name == "has" => Slip::new(at, "`:has` stands in no other `:has`"),
        Some(near) if near == name => Slip::new(at, format!("`:{name}` takes no brackets")),
        Some(near) => slip.with_hint(format!("did you mean `:{near}`?")),
        None => slip.with_hint("a `:` in a name is written `\\:`"),
    }
}

fn pseudo_element(at: usize, name: &str) -> Slip {
    let slip = Slip::new(at, format!("unknown pseudo-element `::{name}`"));
    match name {
        "href" | "src" | "id" | "class" | "title" | "alt" | "value" | "content" | "datetime" => {
            slip.with_hint(format!("write `::attr({name})`"))
        }
        "attribute" | "attrib" | "attrs" | "attribs" => slip.with_hint("write `::attr(href)`"),
        _ => slip.with_hint("`::text` and `::attr(name)` are there; pseudo-classes have one colon"),
    }
}
