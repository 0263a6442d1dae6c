//! One field of a record, and how it is written on the command line: `name=XPATH`, `name[]=XPATH`.

use super::xpath::XPath;
use crate::mistake::Slip;

/// What one key of a record holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The key.
    pub name: String,
    /// All matches as an array, not the first.
    pub many: bool,
    /// Text as it stands in the page: not stripped, white space not collapsed.
    pub raw: bool,
    /// Where the value is found, seen from the record's node.
    pub xpath: XPath,
}

/// A field as typed, its expression not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldText<'t> {
    /// The key.
    pub name: &'t str,
    /// Whether `[]` stood behind the name.
    pub many: bool,
    /// The expression.
    pub xpath: &'t str,
    /// Byte offset of the expression in what was typed, to be added to the place of a slip in it.
    pub xpath_at: usize,
}

/// Takes `name=XPATH` or `name[]=XPATH` apart at the first `=`.
///
/// # Errors
///
/// No `=`, or a name that cannot be a key: empty, with control characters, or beginning with `_`, where the facts of
/// the page stand (`_url`).
pub fn parse_field(text: &str) -> Result<FieldText<'_>, Slip> {
    let Some(equals) = text.find('=') else {
        return Err(Slip::new(text.len(), "`=` is missing")
            .with_hint("a field is `NAME=XPATH`, for example `title=.//h3` or `links[]=.//a/@href`"));
    };
    let key = text[..equals].trim();
    if is_expression(key) {
        return Err(Slip::new(0, "the name of the field is missing")
            .with_hint(format!("a field is `NAME=XPATH`: `title={text}`")));
    }
    let many = key.ends_with("[]");
    let name = key.strip_suffix("[]").unwrap_or(key).trim_end();
    check_name(name).map_err(|slip| Slip { at: slip.at + leading_space(text), ..slip })?;
    let xpath = text[equals + 1..].trim_start();
    let xpath_at = text.len() - xpath.len();
    if xpath.is_empty() {
        return Err(Slip::new(text.len(), format!("the XPath of `{name}` is missing"))
            .with_hint("a field is `NAME=XPATH`, for example `title=.//h3`"));
    }
    Ok(FieldText { name, many, xpath, xpath_at })
}

/// Whether what stands before the first `=` is the beginning of an expression, not a name: `//a[@b="c"]`.
fn is_expression(key: &str) -> bool {
    let before_parenthesis = key.split_once('(').and_then(|(before, _)| before.chars().next_back());
    let is_call = before_parenthesis.is_some_and(char::is_alphanumeric);
    let is_path = key.starts_with(['.', '/']) || key.contains("//") || key.contains("::");
    is_path || is_call || key.strip_suffix("[]").unwrap_or(key).contains('[')
}

fn check_name(name: &str) -> Result<(), Slip> {
    if name.is_empty() {
        return Err(Slip::new(0, "the name of the field is missing")
            .with_hint("a field is `NAME=XPATH`, for example `title=.//h3`"));
    }
    if name.starts_with('_') {
        return Err(Slip::new(0, "names that begin with `_` are kept for `_url`, `_page` and the like")
            .with_hint(format!("call it `{}`", name.trim_start_matches('_'))));
    }
    match name.find(char::is_control) {
        Some(at) => Err(Slip::new(at, "a control character in the name of the field")),
        None => Ok(()),
    }
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_divides() {
        let field = parse_field("title=.//a[@class=\"x\"]").unwrap();
        assert_eq!(field, FieldText { name: "title", many: false, xpath: ".//a[@class=\"x\"]", xpath_at: 6 });
        let field = parse_field(" links [] = .//a").unwrap();
        assert_eq!(field, FieldText { name: "links", many: true, xpath: ".//a", xpath_at: 12 });
        for name in ["书名", "price (EUR)", "km/h", "@id", "a.b", "first name"] {
            assert_eq!(parse_field(&format!("{name}=//a")).unwrap().name, name);
        }
    }

    #[test]
    fn what_is_no_field_is_told_with_an_example() {
        for (text, at, hint) in [
            ("title", 5, "NAME=XPATH"),
            ("//a[@class=\"x\"]", 0, "title=//a"),
            ("a[@href=\"x\"]", 0, "title=a["),
            ("contains(., \"=\")", 0, "title=contains"),
            ("./self::a[. = 1]", 0, "title=./"),
            ("=//a", 0, "NAME=XPATH"),
            ("[]=//a", 0, "NAME=XPATH"),
            ("title=", 6, "title=.//h3"),
            ("_url=//a", 0, "`url`"),
            (" _url=//a", 1, "`url`"),
        ] {
            let slip = parse_field(text).unwrap_err();
            assert_eq!(slip.at, at, "{text}: {slip:?}");
            assert!(slip.hint.as_deref().unwrap_or("").contains(hint), "{text}: {slip:?}");
        }
        assert_eq!(parse_field("a\u{1}b=//a").unwrap_err().at, 1);
    }
}
