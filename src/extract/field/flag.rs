//! How a field is written on the command line: `name=XPATH`, `name[]=XPATH`, `price:float=XPATH`.

use crate::extract::convert::Type;
use crate::mistake::Slip;

/// A field as typed, its expression not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldText<'t> {
    /// The key.
    pub name: &'t str,
    /// Whether `[]` stood behind the name.
    pub many: bool,
    /// The type that stood behind the name.
    pub kind: Option<Type>,
    /// The expression.
    pub expression: &'t str,
    /// Byte offset of the expression in what was typed, to be added to the place of a slip in it.
    pub expression_at: usize,
}

/// Takes `name=XPATH`, `name[]=XPATH` or either with `:TYPE` behind the name apart at the first `=`.
///
/// # Errors
///
/// No `=`, an unknown type, or a name that cannot be a key: empty, with control characters, or beginning with `_`,
/// where the facts of the page stand (`_url`).
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
    let (key, kind) = match key.rsplit_once(':') {
        Some((name, kind)) => (name.trim_end(), Some(parse_kind(kind, text, equals)?)),
        None => (key, None),
    };
    let many = key.ends_with("[]");
    let name = key.strip_suffix("[]").unwrap_or(key).trim_end();
    check_name(name).map_err(|slip| Slip { at: slip.at + leading_space(text), ..slip })?;
    let expression = text[equals + 1..].trim_start();
    let expression_at = text.len() - expression.len();
    if expression.is_empty() {
        return Err(Slip::new(text.len(), format!("the XPath of `{name}` is missing"))
            .with_hint("a field is `NAME=XPATH`, for example `title=.//h3`"));
    }
    Ok(FieldText { name, many, kind, expression, expression_at })
}

/// The type between the last colon before the `=` and the `=`.
fn parse_kind(kind: &str, text: &str, equals: usize) -> Result<Type, Slip> {
    let at = text[..equals].rfind(':').map_or(0, |colon| colon + 1);
    let at = at + leading_space(&text[at..equals]);
    if let Some(plain) = kind.trim().strip_suffix("[]") {
        return Err(Slip::new(at + plain.len(), "`[]` stands before the type")
            .with_hint(format!("like `links[]:{plain}=.//a/@href`")));
    }
    Type::parse(kind.trim()).map_err(|slip| Slip { at: slip.at + at, ..slip })
}

/// Whether what stands before the first `=` is the beginning of an expression, not a name: `//a[@b="c"]`.
fn is_expression(key: &str) -> bool {
    let before_parenthesis = key.split_once('(').and_then(|(before, _)| before.chars().next_back());
    let is_call = before_parenthesis.is_some_and(char::is_alphanumeric);
    let is_path = key.starts_with(['.', '/']) || key.contains("//") || key.contains("::");
    is_path || is_call || key.replacen("[]", "", 1).contains('[')
}

/// Whether `name` can be a key.
///
/// # Errors
///
/// It is empty, has control characters, or begins with `_`.
pub fn check_name(name: &str) -> Result<(), Slip> {
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
        assert_eq!(
            field,
            FieldText {
                name: "title",
                many: false,
                kind: None,
                expression: ".//a[@class=\"x\"]",
                expression_at: 6
            }
        );
        let field = parse_field(" links [] = .//a").unwrap();
        assert_eq!(
            field,
            FieldText { name: "links", many: true, kind: None, expression: ".//a", expression_at: 12 }
        );
        for name in ["书名", "price (EUR)", "km/h", "@id", "a.b", "first name"] {
            assert_eq!(parse_field(&format!("{name}=//a")).unwrap().name, name);
        }
    }

    #[test]
    fn a_type_stands_behind_the_name() {
        let kind = |text| parse_field(text).map(|field| (field.name, field.many, field.kind.map(Type::name)));
        assert_eq!(kind("price:float=./p"), Ok(("price", false, Some("float"))));
        assert_eq!(kind("links[]:url=.//a"), Ok(("links", true, Some("url"))));
        assert_eq!(kind(" a : int = ./p"), Ok(("a", false, Some("int"))));
        assert_eq!(kind("x=self::p"), Ok(("x", false, None)));
        for (text, at, hint) in [
            ("price:flaot=./p", 6, "`float`"),
            ("a : money=./p", 4, "types are"),
            ("links:url[]=.//a", 9, "`links[]:url="),
            (":int=./p", 0, "NAME=XPATH"),
            ("price:=./p", 6, "types are"),
        ] {
            let slip = parse_field(text).unwrap_err();
            assert_eq!(slip.at, at, "{text}: {slip:?}");
            assert!(slip.hint.as_deref().unwrap_or("").contains(hint), "{text}: {slip:?}");
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
