//! URL templates: `https://h/list?from={page*25}&n={page:04}`.
//!
//! Owns what stands between and inside the braces. `{{` and `}}` are literal braces; `{expression}` is arithmetic on
//! variables that are numbers, and `:0N` pads it with zeros to a width of N characters, the sign in front and counted, as
//! printf does. `{name}` of a word is encoded for where it stands, unless it is `{name!r}`; `{name:%Y/%m}` is a day in a
//! format of its own. Does not know where the values come from.

use url::Url;

use super::address::{AddressError, parse_address};
use super::arithmetic::{Expression, Fault, skip_spaces};
use super::encoding::Encoding;
use super::names::Names;
use super::variable::{Kind, PAGE, Value};
use crate::mistake::Slip;

/// Longest template in bytes: servers commonly refuse request lines beyond 8 KB.
const LENGTH_MAX: usize = 8 * 1024;

/// Widest zero padding; an `i64` has at most 20 characters, and no site pads much beyond.
const WIDTH_MAX: usize = 64;

/// A checked URL template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
    names: Names,
    encoding: Encoding,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Literal(String),
    Hole {
        /// As written between the braces, for messages.
        written: String,
        expression: Expression,
        /// Characters to pad to; 0 for none.
        width: usize,
    },
    Word {
        variable: usize,
        /// As it is, not encoded.
        is_raw: bool,
    },
    Day {
        variable: usize,
        format: String,
    },
}

impl Piece {
    /// The places of the variables in it.
    pub(super) fn variables(&self) -> Vec<usize> {
        match self {
            Piece::Literal(_) => Vec::new(),
            Piece::Hole { expression, .. } => expression.variables().collect(),
            Piece::Word { variable, .. } | Piece::Day { variable, .. } => vec![*variable],
        }
    }
}

/// Why a template has no text for a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandError {
    /// A step of the arithmetic is beyond 64 bits.
    #[error("`{{{expression}}}` is too large on {place}")]
    Overflow {
        /// What stands between the braces.
        expression: String,
        /// Where: `page 7`, `q=a, page 7`.
        place: String,
    },
    /// `/` or `%` by zero.
    #[error("`{{{expression}}}` divides by zero on {place}")]
    DivisionByZero {
        /// What stands between the braces.
        expression: String,
        /// Where: `page 7`, `q=a, page 7`.
        place: String,
    },
}

/// Why a template gives no URL for a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageUrlError {
    /// The arithmetic failed.
    #[error(transparent)]
    Expand(#[from] ExpandError),
    /// The text that came out cannot be fetched.
    #[error(transparent)]
    Address(#[from] AddressError),
}

impl PageUrlError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            PageUrlError::Expand(_) => None,
            PageUrlError::Address(error) => error.hint(),
        }
    }
}

impl Template {
    /// Reads a template of URLs. Whether it gives any is another question: see `Template::url`.
    ///
    /// # Errors
    /// The first slip: braces that do not match, an unknown name, a missing operand, a width that is none.
    pub fn parse(text: &str, names: &Names) -> Result<Template, Slip> {
        if text.len() > LENGTH_MAX {
            return Err(Slip::new(LENGTH_MAX, format!("longer than {LENGTH_MAX} bytes")));
        }
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(found) = text[at..].find(['{', '}']) {
            let brace = at + found;
            literal.push_str(&text[at..brace]);
            let sign = &text[brace..=brace];
            if text[brace + 1..].starts_with(sign) {
                literal.push_str(sign);
                at = brace + 2;
            } else if sign == "}" {
                return Err(Slip::new(brace, "`}` without a `{`").with_hint("write `}}` for a literal brace"));
            } else {
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                let (hole, end) = hole(text, brace, names)?;
                pieces.push(hole);
                at = end;
            }
        }
        literal.push_str(&text[at..]);
        if !literal.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Template::of(text, pieces, names, Encoding::Url))
    }

    /// A template that another reader has taken apart.
    pub(super) fn of(text: &str, pieces: Vec<Piece>, names: &Names, encoding: Encoding) -> Template {
        Template { text: text.to_owned(), pieces, names: names.clone(), encoding }
    }

    /// The text where the variables have these values.
    ///
    /// # Errors
    /// When an expression has no value there.
    pub(super) fn expand(&self, values: &[Value<'_>]) -> Result<String, ExpandError> {
        let mut out = String::with_capacity(self.text.len() + 8);
        for piece in &self.pieces {
            match piece {
                Piece::Literal(literal) => out.push_str(literal),
                Piece::Hole { written, expression, width } => {
                    let value = expression.evaluate(values).map_err(|fault| {
                        let (expression, place) = (written.clone(), self.place(values));
                        match fault {
                            Fault::Overflow => ExpandError::Overflow { expression, place },
                            Fault::DivisionByZero => ExpandError::DivisionByZero { expression, place },
                        }
                    })?;
                    out.push_str(&format!("{value:0width$}"));
                }
                Piece::Word { variable, is_raw } => match values.get(*variable) {
                    Some(Value::Word(word)) if *is_raw => out.push_str(word),
                    Some(Value::Word(word)) => self.encoding.add(&mut out, word),
                    _ => {}
                },
                Piece::Day { variable, format } => {
                    if let Some(Value::Day(day)) = values.get(*variable) {
                        out.push_str(&day.strftime(format).to_string());
                    }
                }
            }
        }
        Ok(out)
    }

    /// The text for values of no meaning, to see what kind of text it is.
    pub fn sample(&self) -> String {
        let value = |kind| match kind {
            Kind::Number => Value::Number(1),
            Kind::Word => Value::Word("x".into()),
            Kind::Day => Value::Day(jiff::civil::date(2024, 1, 1)),
        };
        let values: Vec<Value<'_>> = self.names.iter().map(|(_, kind)| value(kind)).collect();
        self.expand(&values).unwrap_or_default()
    }

    /// The URL where the variables have these values: http or https, with a host.
    ///
    /// # Errors
    /// When the template has no text there, or the text is no such URL.
    pub(super) fn url(&self, values: &[Value<'_>]) -> Result<Url, PageUrlError> {
        Ok(parse_address(&self.expand(values)?)?)
    }

    /// Which values these are, of the variables in it, for people.
    pub(super) fn place(&self, values: &[Value<'_>]) -> String {
        place_of(&self.names, &self.variables(), values)
    }

    /// The places of the variables in it, each once, in order.
    pub(super) fn variables(&self) -> Vec<usize> {
        let mut places: Vec<usize> = self.pieces.iter().flat_map(Piece::variables).collect();
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Whether pages differ: a `{…}` that names `page` is in it.
    pub fn uses_page(&self) -> bool {
        let page = self.names.find(PAGE).map(|(place, _)| place);
        self.variables().into_iter().any(|place| Some(place) == page)
    }

    /// The names of the variables in it.
    pub fn used_names(&self) -> impl Iterator<Item = &str> {
        self.variables().into_iter().map(|place| self.names.name(place))
    }

    /// A URL with the host of all pages; `None` if the host is calculated, too.
    pub fn fixed_host(&self) -> Option<Url> {
        let Some(Piece::Literal(front)) = self.pieces.first() else { return None };
        let host_at = front.find("://")? + 3;
        match front[host_at..].find(['/', '\\', '?', '#']) {
            Some(length) => parse_address(&front[..host_at + length]).ok(),
            None if self.pieces.len() == 1 => parse_address(front).ok(),
            None => None,
        }
    }

    /// The template as written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Reads `{expression:0N}` whose brace is at `open`. Gives it and where it ended.
pub(super) fn hole(text: &str, open: usize, names: &Names) -> Result<(Piece, usize), Slip> {
    let inside = skip_spaces(text, open + 1);
    let unclosed = || {
        Slip::new(open, "`{` is never closed")
            .with_hint("close it with `}`, or write `{{` for a literal brace")
    };
    if !text[open..].contains('}') {
        return Err(unclosed());
    }
    if text[inside..].starts_with('}') {
        return Err(Slip::new(inside, "nothing between the braces")
            .with_hint("write `{page}` for the page number, or `{{}}` for literal braces"));
    }
    if let Some(found) = word_or_day(text, inside, names)? {
        return Ok(found);
    }
    let (expression, end) = Expression::parse(text, inside, names)?;
    let mut at = skip_spaces(text, end);
    let written = text[inside..at].trim_end_matches(' ').to_owned();
    let mut width = 0;
    if text[at..].starts_with(':') {
        (width, at) = padding(text, at)?;
    }
    match text[at..].chars().next() {
        Some('}') => Ok((Piece::Hole { written, expression, width }, at + 1)),
        Some(')') => Err(Slip::new(at, "`)` without a `(`")),
        Some(c) => Err(Slip::new(at, format!("unexpected `{}` after an expression", c.escape_debug()))
            .with_hint("an operator (+ - * / %), `:0N` for zero padding, or `}` may follow")),
        None => Err(unclosed()),
    }
}

/// Reads `{word}`, `{word!r}`, `{day}` and `{day:format}` whose name may be at `start`; `None` if it is something else.
fn word_or_day(text: &str, start: usize, names: &Names) -> Result<Option<(Piece, usize)>, Slip> {
    let rest = &text[start..];
    let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    let name = &rest[..length];
    let Some((variable, kind)) = names.find(name).filter(|(_, kind)| *kind != Kind::Number) else {
        return Ok(None);
    };
    let at = skip_spaces(text, start + length);
    let is_raw = text[at..].starts_with("!r");
    let at = skip_spaces(text, if is_raw { at + 2 } else { at });
    let after = &text[at..];
    if after.starts_with('}') {
        let piece = match kind {
            Kind::Day => Piece::Day { variable, format: "%Y-%m-%d".to_owned() },
            _ => Piece::Word { variable, is_raw },
        };
        return Ok(Some((piece, at + 1)));
    }
    if kind == Kind::Day && after.starts_with(':') {
        let end = after.find('}').ok_or_else(|| Slip::new(at, "`{` is never closed"))?;
        let format = &after[1..end];
        let sample = jiff::civil::date(2024, 1, 1);
        if let Err(error) = jiff::fmt::strtime::format(format, sample) {
            return Err(Slip::new(at + 1, format!("this is no format of a day: {error}"))
                .with_hint("as in `{d:%Y/%m/%d}`"));
        }
        return Ok(Some((Piece::Day { variable, format: format.to_owned() }, at + end + 1)));
    }
    let sign = after.chars().next().map(|c| c.escape_debug().to_string()).unwrap_or_default();
    let hint = match kind {
        Kind::Day => format!("write `{{{name}}}` or `{{{name}:%Y/%m/%d}}`"),
        _ => format!("write `{{{name}}}`, or `{{{name}!r}}` for the word as it is"),
    };
    Err(Slip::new(at, format!("unexpected `{sign}` after `{name}`, which is not a number")).with_hint(hint))
}

/// `page 7`, `q=a, page 7`.
pub(super) fn place_of(names: &Names, variables: &[usize], values: &[Value<'_>]) -> String {
    let shown = |place: &usize| {
        let name = names.name(*place);
        Some(match values.get(*place)? {
            Value::Number(number) if name == PAGE => format!("page {number}"),
            Value::Number(number) => format!("{name}={number}"),
            Value::Word(word) => format!("{name}={word}"),
            Value::Day(day) => format!("{name}={day}"),
        })
    };
    let all: Vec<String> = variables.iter().filter_map(shown).collect();
    if all.is_empty() { "the URL".to_owned() } else { all.join(", ") }
}

/// Reads `:0N` at byte `colon`. Gives N and where the padding ended.
fn padding(text: &str, colon: usize) -> Result<(usize, usize), Slip> {
    let start = skip_spaces(text, colon + 1);
    let digits = &text[start..start + text[start..].bytes().take_while(u8::is_ascii_digit).count()];
    let hint = "write `:04` to pad with zeros to 4 characters";
    let Some(width) = digits.strip_prefix('0') else {
        return Err(Slip::new(start, "the padding after `:` must begin with 0").with_hint(hint));
    };
    match width.parse() {
        Ok(width) if (1..=WIDTH_MAX).contains(&width) => Ok((width, skip_spaces(text, start + digits.len()))),
        Ok(0) | Err(_) if width.len() < 3 => {
            Err(Slip::new(start, "the padding has no width").with_hint(hint))
        }
        _ => Err(Slip::new(start, format!("a padding wider than {WIDTH_MAX} characters"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Template, Slip> {
        Template::parse(text, &Names::default())
    }

    fn expand(text: &str, page: i64) -> String {
        parse(text).expect("a valid template").expand(&[Value::Number(page)]).expect("a value")
    }

    fn slip(text: &str) -> (usize, String) {
        let slip = parse(text).expect_err(text);
        (slip.at, slip.message)
    }

    #[test]
    fn a_host_is_fixed_if_nothing_in_it_is_calculated() {
        let host = |text: &str| {
            let url = parse(text).unwrap().fixed_host()?;
            Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?))
        };
        assert_eq!(host("http://h/"), Some("h:80".into()));
        assert_eq!(host("https://h:8443"), Some("h:8443".into()));
        assert_eq!(host("https://h?p={page}"), Some("h:443".into()));
        assert_eq!(host("http://me:p@h:81/{page}"), Some("h:81".into()));
        for text in
            ["http://h{page}/", "http://h:8{page}/", "http://h:80{page}", "{page}://h/", "http://{page}.h/"]
        {
            assert_eq!(host(text), None, "{text}");
        }
    }

    #[test]
    fn expressions_are_replaced_and_doubled_braces_are_literal() {
        assert_eq!(expand("http://h/{page}", 7), "http://h/7");
        assert_eq!(expand("http://h/?a={page*25}&b={ (page-1)*25+1 }", 3), "http://h/?a=75&b=51");
        assert_eq!(expand("{{page}}={{{page}}}", 2), "{page}={2}");
        assert_eq!(expand("no hole", 2), "no hole");
        assert_eq!(expand("", 2), "");
        assert_eq!(expand("é{page}書", 2), "é2書");
    }

    #[test]
    fn padding_counts_the_sign_as_printf_does() {
        assert_eq!(expand("{page:04}", 7), "0007");
        assert_eq!(expand("{page:04}", -7), "-007");
        assert_eq!(expand("{page:04}", 12345), "12345");
        assert_eq!(expand("{page*25 : 05 }", 3), "00075");
        assert_eq!(expand("{page:012}", 1), "000000000001");
    }

    #[test]
    fn uses_page_looks_into_the_expressions() {
        let uses = |text: &str| parse(text).unwrap().uses_page();
        assert!(uses("http://h/{1+page}"));
        assert!(!uses("http://h/page"));
        assert!(!uses("http://h/{{page}}"));
        assert!(!uses("http://h/{2*3}"));
    }

    #[test]
    fn slips_point_at_the_character() {
        assert_eq!(slip("h/{pages}"), (3, "unknown name `pages`".into()));
        assert_eq!(slip("h/{page"), (2, "`{` is never closed".into()));
        assert_eq!(slip("h/{page}/{page"), (9, "`{` is never closed".into()));
        assert_eq!(slip("h/page}"), (6, "`}` without a `{`".into()));
        assert_eq!(slip("h/{ }"), (4, "nothing between the braces".into()));
        assert_eq!(slip("{page+}"), (6, "a number or `page` is missing here".into()));
        assert_eq!(slip("{*page}"), (1, "unexpected `*` in an expression".into()));
        assert_eq!(slip("{page 2}"), (6, "unexpected `2` after an expression".into()));
        assert_eq!(slip("{(page}"), (1, "`(` is never closed".into()));
        assert_eq!(slip("{page)}"), (5, "`)` without a `(`".into()));
        assert_eq!(slip("é{x{page}}"), (3, "unknown name `x`".into()));
        assert_eq!(slip("{99999999999999999999}"), (1, "number too large".into()));
        assert_eq!(slip("{page:4}"), (6, "the padding after `:` must begin with 0".into()));
        assert_eq!(slip("{page:}"), (6, "the padding after `:` must begin with 0".into()));
        assert_eq!(slip("{page:0}"), (6, "the padding has no width".into()));
        assert_eq!(slip("{page:0999}"), (6, "a padding wider than 64 characters".into()));
        assert_eq!(slip("{page:04x}"), (8, "unexpected `x` after an expression".into()));
        assert_eq!(slip(&"a".repeat(LENGTH_MAX + 1)), (LENGTH_MAX, "longer than 8192 bytes".into()));
    }

    #[test]
    fn hints_say_what_to_write() {
        let hint = |text: &str| parse(text).unwrap_err().hint.unwrap();
        assert!(hint("{pages}").contains("the only variable is `page`"));
        assert!(hint("a}").contains("write `}}`"));
        assert!(hint("{\"a\":1}").contains("`{{` is a literal brace"));
        assert!(hint("{}").contains("`{page}`"));
    }

    #[test]
    fn what_has_no_value_names_the_expression_and_the_page() {
        let error =
            |text: &str, page| parse(text).unwrap().expand(&[Value::Number(page)]).unwrap_err().to_string();
        assert_eq!(error("x{100/page}", 0), "`{100/page}` divides by zero on page 0");
        assert_eq!(
            error("{page * 25 :04}", i64::MAX),
            "`{page * 25}` is too large on page 9223372036854775807"
        );
    }

    #[test]
    fn a_url_is_checked_after_expansion() {
        let template = parse("http://h:{page*1000}/").unwrap();
        assert_eq!(template.url(&[Value::Number(8)]).unwrap().as_str(), "http://h:8000/");
        assert_eq!(
            template.url(&[Value::Number(70)]).unwrap_err().to_string(),
            "not a valid URL: invalid port number"
        );
        let bare = parse("h.example/{page}").unwrap().url(&[Value::Number(1)]).unwrap_err();
        assert_eq!(bare.hint().unwrap(), "did you mean https://h.example/1?");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_with_a_place_in_it(text in "([{}()+*/%:0-9 -]|page|\\PC){0,30}") {
            match parse(&text) {
                Ok(template) => drop(template.expand(&[Value::Number(3)])),
                Err(slip) => prop_assert!(slip.at <= text.len() && text.is_char_boundary(slip.at)),
            }
        }

        #[test]
        fn literal_text_survives_with_its_braces_doubled(text in "\\PC{0,40}") {
            let doubled = text.replace('{', "{{").replace('}', "}}");
            prop_assert_eq!(expand(&doubled, 1), text);
        }

        #[test]
        fn padding_agrees_with_its_definition(page: i64, width in 1..=64_usize) {
            let text = expand(&format!("{{page:0{width}}}"), page);
            prop_assert_eq!(text.len(), width.max(page.to_string().len()));
            prop_assert_eq!(text.parse::<i64>(), Ok(page));
        }
    }
}
