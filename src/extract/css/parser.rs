//! Text ─▶ selectors, or the slip that makes it none.
//!
//! The grammar is that of the crate `selectors`, which says what is wrong but not where. The place is found by asking
//! it again: a text can be gone on with until the first wrong token, and not after it. Knows nothing of documents.

use cssparser::{Parser, Token};
use selectors::SelectorList;
use selectors::parser::{self, ParseRelative, Selector, SelectorParseErrorKind};

use super::hint;
use super::words::{PseudoClass, PseudoElement, Words};
use crate::mistake::Slip;

/// Longest text; as long as an XPath may be.
pub(super) const MAX_BYTES: usize = 4096;

/// Deepest nesting of brackets: matching recurses as deep.
pub(super) const MAX_DEPTH: usize = 16;

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Problem {
    Grammar(SelectorParseErrorKind),
    PseudoClass(String),
    PseudoElement(String),
    /// `::attr` without a name, or with something else.
    AttributeName,
    /// `:contains` without a text, or with something else.
    ContainedText,
    /// A token where none of its kind may be.
    Token,
}

impl From<SelectorParseErrorKind> for Problem {
    fn from(kind: SelectorParseErrorKind) -> Problem {
        Problem::Grammar(kind)
    }
}

type ParseError = cssparser::ParseError<Problem>;

struct Grammar;

impl<'i> parser::Parser<'i> for Grammar {
    type Impl = Words;
    type Error = Problem;

    fn parse_nth_child_of(&self) -> bool {
        true
    }

    fn parse_is_and_where(&self) -> bool {
        true
    }

    fn parse_has(&self) -> bool {
        true
    }

    /// `:matches` is what `:is` was called in drafts, and still is in cssselect.
    fn is_is_alias(&self, name: &str) -> bool {
        name.eq_ignore_ascii_case("matches")
    }

    /// Style sheets skip what they do not know; here it is a mistake.
    fn allow_forgiving_selectors(&self) -> bool {
        false
    }

    fn parse_non_ts_pseudo_class(&self, name: &str) -> Result<PseudoClass, ParseError> {
        let known = PseudoClass::PLAIN.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        known.map(|(_, class)| class).ok_or_else(|| ParseError::custom(Problem::PseudoClass(name.into())))
    }

    fn parse_non_ts_functional_pseudo_class(
        &self,
        name: &str,
        parser: &mut Parser<'i>,
        _after_part: bool,
    ) -> Result<PseudoClass, ParseError> {
        if !name.eq_ignore_ascii_case("contains") {
            return Err(ParseError::custom(Problem::PseudoClass(name.into())));
        }
        let text = parser.expect_ident_or_string().map(|text| Box::from(&**text));
        text.map(PseudoClass::Contains).map_err(|_| ParseError::custom(Problem::ContainedText))
    }

    fn parse_pseudo_element(&self, name: &str) -> Result<PseudoElement, ParseError> {
        match name {
            _ if name.eq_ignore_ascii_case("text") => Ok(PseudoElement::Text),
            _ if name.eq_ignore_ascii_case("attr") => Err(ParseError::custom(Problem::AttributeName)),
            _ => Err(ParseError::custom(Problem::PseudoElement(name.into()))),
        }
    }

    fn parse_functional_pseudo_element(
        &self,
        name: &str,
        arguments: &mut Parser<'i>,
    ) -> Result<PseudoElement, ParseError> {
        if !name.eq_ignore_ascii_case("attr") {
            return Err(ParseError::custom(Problem::PseudoElement(name.into())));
        }
        match arguments.expect_ident_or_string() {
            Ok(name) => Ok(PseudoElement::Attribute((&**name).into())),
            Err(_) => Err(ParseError::custom(Problem::AttributeName)),
        }
    }
}

/// The selectors of `text`.
pub(super) fn parse(text: &str) -> Result<Vec<Selector<Words>>, Slip> {
    if text.len() > MAX_BYTES {
        return Err(Slip::new(MAX_BYTES, format!("the selector is longer than {MAX_BYTES} bytes")));
    }
    check_brackets(text)?;
    attempt(text).map_err(|problem| {
        let at = place_of_mistake(text);
        // What is wrong with the text up to the wrong token is what is wrong there.
        let until = boundaries(text).find(|&end| end > at).unwrap_or(text.len());
        let problem =
            if at < text.len() { attempt(&text[..until]).err().unwrap_or(problem) } else { problem };
        hint::slip(text, at, &problem)
    })
}

fn attempt(text: &str) -> Result<Vec<Selector<Words>>, Problem> {
    let parsed = Parser::new(text).parse_comma_separated(parse_one);
    parsed.map_err(|error| match error.kind {
        cssparser::ParseErrorKind::Custom(problem) => problem,
        cssparser::ParseErrorKind::Basic(_) => Problem::Token,
    })
}

/// One selector of the list. Only one that begins with a combinator is relative: the crate would let any other begin
/// inside the scope.
fn parse_one(input: &mut Parser<'_>) -> Result<Selector<Words>, ParseError> {
    let start = input.state();
    let relative = match input.next() {
        Ok(Token::Delim('>' | '+' | '~')) => ParseRelative::ForScope,
        _ => ParseRelative::No,
    };
    input.reset(&start);
    let list = SelectorList::parse(&Grammar, input, relative)?;
    Ok(list.slice()[0].clone())
}

/// Where the first token begins that no selector goes on with; the text's length if it only ends too early.
fn place_of_mistake(text: &str) -> usize {
    let ends: Vec<usize> = boundaries(text).collect();
    let good = ends.partition_point(|&end| can_go_on(&text[..end]));
    match (good.checked_sub(1).map(|last| ends[last]), ends.get(good)) {
        (_, None) => text.len(),
        (last_good, Some(&end)) => {
            let start = last_good.unwrap_or(0);
            let blank = text[start..end].len() - text[start..end].trim_start().len();
            start + blank
        }
    }
}

/// Where a text may be cut without cutting a word or a comment: between its tokens, mostly.
fn boundaries(text: &str) -> impl Iterator<Item = usize> + '_ {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '\\') || !c.is_ascii();
    let mut comment_end = 0;
    let ends = text.char_indices().map(|(start, c)| (start, start + c.len_utf8(), c));
    let is_boundary = move |&(start, end, c): &(usize, usize, char)| {
        if start >= comment_end && text[start..].starts_with("/*") {
            comment_end = text[start + 2..].find("*/").map_or(text.len(), |length| start + length + 4);
        }
        end >= comment_end && !(is_word(c) && text[end..].starts_with(is_word))
    };
    ends.filter(is_boundary).map(|(_, end, _)| end)
}

/// Whether a selector can begin with that. Open brackets and strings are closed by the end of a text (CSS Syntax 3,
/// 5.4.8), so one more word is enough; which, depends on where one stands.
fn can_go_on(start: &str) -> bool {
    let words = ["", "a", " a", "1", ":root", "root", ":text", "text", "=a", "(a)", "(1)"];
    words.iter().any(|word| attempt(&format!("{start}{word}")).is_ok())
}

/// Refuses brackets, strings and comments that are not closed, which CSS itself forgives, and nesting too deep.
fn check_brackets(text: &str) -> Result<(), Slip> {
    let not_closed = |at: usize, what: &str| Err(Slip::new(at, format!("{what} is not closed")));
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '\\' => {
                characters.next();
            }
            '"' | '\'' => {
                let mut is_escaped = false;
                let is_end = |&(_, inner): &(usize, char)| {
                    let ends = inner == c && !is_escaped;
                    is_escaped = inner == '\\' && !is_escaped;
                    ends
                };
                if characters.by_ref().find(is_end).is_none() {
                    return not_closed(at, "the text in quotes");
                }
            }
            '/' if text[at..].starts_with("/*") => {
                let Some(length) = text[at + 2..].find("*/") else { return not_closed(at, "the comment") };
                while characters.offset() < at + length + 4 {
                    characters.next();
                }
            }
            '(' | '[' | '{' if open.len() == MAX_DEPTH => {
                return Err(Slip::new(at, format!("more than {MAX_DEPTH} brackets inside each other")));
            }
            '(' => open.push((at, ')')),
            '[' => open.push((at, ']')),
            '{' => open.push((at, '}')),
            ')' | ']' | '}' => match open.pop() {
                Some((_, closing)) if closing == c => {}
                Some((_, closing)) => {
                    let slip = Slip::new(at, format!("unexpected `{c}`"));
                    return Err(slip.with_hint(format!("`{closing}` is due first")));
                }
                None => return Err(Slip::new(at, format!("unexpected `{c}`: no bracket is open"))),
            },
            _ => {}
        }
    }
    match open.last() {
        Some(&(at, _)) => not_closed(at, &format!("`{}`", &text[at..=at])),
        None => Ok(()),
    }
}
