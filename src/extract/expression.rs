//! An expression of a field, in one of the languages: which one is said by a prefix (`json:$.items[*]`) or by the key
//! it is written under (`json = "$.items[*]"`). Without either it is an XPath.

use std::borrow::Cow;
use std::fmt;

use super::css::Css;
use super::json::JsonPath;
use super::xpath::ast::Kind;
use super::xpath::{Namespaces, XPath};
use crate::mistake::Slip;

/// The languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// XPath 1.0, on markup.
    XPath,
    /// CSS selectors, on markup.
    Css,
    /// JSONPath, on JSON.
    Json,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 3] = [Language::XPath, Language::Css, Language::Json];

    /// Its prefix without the colon, and its key.
    pub fn name(self) -> &'static str {
        match self {
            Language::XPath => "xpath",
            Language::Css => "css",
            Language::Json => "json",
        }
    }
}

/// What an expression is evaluated on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// HTML or XML.
    Markup,
    /// JSON.
    Json,
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// XPath 1.0.
    XPath(XPath),
    /// CSS selectors.
    Css(Css),
    /// JSONPath.
    Json(JsonPath),
}

impl Expression {
    /// Checks `text`, whose language its prefix says.
    ///
    /// # Errors
    ///
    /// What is wrong at which byte of `text`, the prefix included.
    pub fn parse(text: &str, namespaces: &Namespaces) -> Result<Expression, Slip> {
        let prefixed = Language::ALL.into_iter().find_map(|language| {
            let rest = text.trim_start().strip_prefix(language.name())?.strip_prefix(':')?;
            // `xpath::x` is an axis that does not exist; the parser of XPath has the words for it. `css::is(a)` is CSS.
            (language == Language::Css || !rest.starts_with(':')).then_some((language, rest.trim_start()))
        });
        let (language, rest) = prefixed.unwrap_or((Language::XPath, text));
        let before = text.len() - rest.len();
        Expression::parse_as(language, rest, namespaces).map_err(|slip| Slip { at: slip.at + before, ..slip })
    }

    /// Checks `text`, which is of that language.
    ///
    /// # Errors
    ///
    /// What is wrong at which byte.
    pub fn parse_as(language: Language, text: &str, namespaces: &Namespaces) -> Result<Expression, Slip> {
        match language {
            Language::XPath => XPath::parse(text, namespaces).map(Expression::XPath),
            Language::Json => JsonPath::parse(text).map(Expression::Json),
            Language::Css => Css::parse(text).map(Expression::Css),
        }
    }

    /// As it was written, without its prefix.
    pub fn source(&self) -> &str {
        match self {
            Expression::XPath(xpath) => xpath.source(),
            Expression::Css(css) => css.source(),
            Expression::Json(path) => path.source(),
        }
    }

    /// As it is written where any language may stand: with its prefix, unless it is an XPath.
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Expression::XPath(xpath) => Cow::Borrowed(xpath.source()),
            other => Cow::Owned(other.to_string()),
        }
    }

    /// What it is evaluated on.
    pub fn reads(&self) -> Reads {
        match self {
            Expression::XPath(_) | Expression::Css(_) => Reads::Markup,
            Expression::Json(_) => Reads::Json,
        }
    }

    /// The XPath it is, if it is one.
    pub fn as_xpath(&self) -> Option<&XPath> {
        match self {
            Expression::XPath(xpath) => Some(xpath),
            Expression::Css(_) | Expression::Json(_) => None,
        }
    }

    /// Whether it finds nodes or JSON values, which fields can be seen from.
    ///
    /// # Errors
    ///
    /// It evaluates to a string, a number or a boolean; `role` says what it was to be.
    pub fn check_places(&self, role: &str) -> Result<(), Slip> {
        match self.as_xpath().map(XPath::kind) {
            None | Some(Kind::NodeSet) => Ok(()),
            Some(other) => Err(Slip::new(0, format!("`{role}` must be a set of nodes, not {other}"))
                .with_hint("a path such as `//li[@class=\"item\"]` gives one for each node")),
        }
    }
}

/// With the prefix, where it is needed.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expression::XPath(xpath) => write!(f, "{xpath}"),
            Expression::Css(css) => write!(f, "css:{}", css.source()),
            Expression::Json(path) => write!(f, "json:{}", path.source()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Expression, Slip> {
        Expression::parse(text, &Namespaces::new())
    }

    #[test]
    fn the_prefix_says_the_language() {
        assert_eq!(parse("//a").unwrap().reads(), Reads::Markup);
        assert_eq!(parse("xpath://a").unwrap(), parse("//a").unwrap());
        let json = parse(" json: $.a").unwrap();
        assert_eq!(
            (json.reads(), json.source(), json.to_string().as_str()),
            (Reads::Json, "$.a", "json:$.a")
        );
    }

    #[test]
    fn a_slip_is_at_its_place_behind_the_prefix() {
        assert_eq!(parse("//a[").unwrap_err().at + 6, parse("xpath://a[").unwrap_err().at);
        assert_eq!(parse("json: $.a[").unwrap_err().at, parse("json:$.a[").unwrap_err().at + 1);
        assert_eq!(parse("css: a[").unwrap_err().at, parse("css:a[").unwrap_err().at + 1);
    }

    #[test]
    fn a_selector_may_begin_with_a_colon() {
        assert_eq!(parse("css::is(a, b)").unwrap().source(), ":is(a, b)");
        assert_eq!(parse("css:::text").unwrap().source(), "::text");
        assert!(parse("xpath::a").is_err());
    }

    #[test]
    fn only_places_can_hold_fields() {
        assert!(parse("//li | //dd").unwrap().check_places("each").is_ok());
        assert!(parse("json:$.a").unwrap().check_places("each").is_ok());
        let slip = parse("count(//li)").unwrap().check_places("each").unwrap_err();
        assert_eq!(slip.message, "`each` must be a set of nodes, not a number");
    }
}
