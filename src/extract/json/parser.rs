//! Text ─▶ path: the grammar of RFC 9535, appendix A, by recursive descent, no deeper than [`MAX_DEPTH`].

mod filter;
mod literal;

use super::ast::{Query, Segment, Selector};
use crate::mistake::Slip;

/// Longest text; as long as an XPath may be.
const MAX_BYTES: usize = 4096;

/// Deepest nesting of brackets.
const MAX_DEPTH: usize = 16;

/// Integers that JSON readers agree on (2.1).
const MAX_INTEGER: i64 = (1 << 53) - 1;

/// The query of `text`. Blanks around it are no part of a path, and are forgiven.
pub(super) fn parse(text: &str) -> Result<Query, Slip> {
    if text.len() > MAX_BYTES {
        return Err(Slip::new(MAX_BYTES, format!("the path is longer than {MAX_BYTES} bytes")));
    }
    let mut parser = Parser { text: text.trim_end(), at: 0, depth: 0 };
    parser.skip_blanks();
    if !parser.take("$") {
        return Err(parser.no_root());
    }
    let segments = parser.segments()?;
    parser.skip_blanks();
    if parser.at < parser.text.len() {
        return Err(parser.unexpected_after_path());
    }
    Ok(Query { is_absolute: true, segments })
}

/// Where the reading stands.
struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, token: &str) -> bool {
        let is_there = self.rest().starts_with(token);
        if is_there {
            self.at += token.len();
        }
        is_there
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn unexpected(&self, due: &str) -> Slip {
        match self.peek() {
            Some(c) if c.is_control() || c.is_whitespace() => {
                Slip::new(self.at, format!("unexpected U+{:04X}: {due} is due here", u32::from(c)))
            }
            Some(c) => Slip::new(self.at, format!("unexpected `{c}`: {due} is due here")),
            None => Slip::new(self.at, format!("the path ends too early: {due} is due")),
        }
    }

    fn no_root(&self) -> Slip {
        let slip = Slip::new(self.at, "a path begins with `$`, the whole page");
        match self.peek() {
            Some('.' | '[') => slip.with_hint(format!("write `${}`", self.rest())),
            Some('/') => slip.with_hint("write `$.items[*].name` for `/items/*/name`"),
            Some('@') => slip.with_hint("`@` stands inside `[?...]`; write `$`"),
            Some(c) if c.is_alphabetic() => slip.with_hint(format!("write `$.{}`", self.rest())),
            _ => slip.with_hint("write `$.items[*].name`"),
        }
    }

    fn unexpected_after_path(&self) -> Slip {
        let slip = self.unexpected("`.`, `[` or the end");
        match self.peek() {
            Some('(') => slip.with_hint("functions stand inside `[?...]` only"),
            Some('-') => slip.with_hint("a name with a `-` is written `['a-b']`"),
            Some('~' | '^') => slip.with_hint("names and parents of values are not selected by RFC 9535"),
            Some('/') => slip.with_hint("write `.name` for `/name`"),
            Some('|') => slip.with_hint("write `[a, b]` for several selectors of one value"),
            _ => slip,
        }
    }

    /// One level of brackets more.
    fn deeper(&mut self) -> Result<(), Slip> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Slip::new(self.at, format!("more than {MAX_DEPTH} brackets inside each other")));
        }
        Ok(())
    }

    fn segments(&mut self) -> Result<Vec<Segment>, Slip> {
        let mut segments = Vec::new();
        loop {
            let start = self.at;
            self.skip_blanks();
            match self.segment()? {
                Some(segment) => segments.push(segment),
                None => {
                    self.at = start;
                    return Ok(segments);
                }
            }
        }
    }

    fn segment(&mut self) -> Result<Option<Segment>, Slip> {
        let is_descendant = self.take("..");
        if self.take("[") {
            return Ok(Some(Segment { is_descendant, selectors: self.bracketed()? }));
        }
        if !is_descendant && !self.take(".") {
            return Ok(None);
        }
        let selector = if self.take("*") { Selector::Wildcard } else { Selector::Name(self.shorthand()?) };
        Ok(Some(Segment { is_descendant, selectors: vec![selector] }))
    }

    /// A name without quotes (2.5.1.1).
    fn shorthand(&mut self) -> Result<String, Slip> {
        let is_first = |c: char| c.is_ascii_alphabetic() || c == '_' || !c.is_ascii();
        if !self.peek().is_some_and(is_first) {
            let slip = self.unexpected("a name or `*`");
            return Err(match self.peek() {
                Some('.') => slip.with_hint("two points at most: `$..name` looks at all levels"),
                Some('\'' | '"' | '0'..='9') => {
                    slip.with_hint("write `['name']` or `[0]`, without the point")
                }
                Some(' ' | '\t' | '\n' | '\r') => slip.with_hint("no blank stands after a point"),
                Some(c) if !c.is_whitespace() => slip.with_hint(format!("write `['{c}...']`")),
                _ => slip,
            });
        }
        let is_name = |c: char| is_first(c) || c.is_ascii_digit();
        let length = self.rest().find(|c| !is_name(c)).unwrap_or(self.rest().len());
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    /// After `[`: selectors up to `]`.
    fn bracketed(&mut self) -> Result<Vec<Selector>, Slip> {
        self.deeper()?;
        let mut selectors = Vec::new();
        loop {
            self.skip_blanks();
            selectors.push(self.selector()?);
            self.skip_blanks();
            if self.take("]") {
                self.depth -= 1;
                return Ok(selectors);
            }
            if !self.take(",") {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, Slip> {
        match self.peek() {
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some('\'' | '"') => self.string().map(Selector::Name),
            Some('?') => {
                self.at += 1;
                self.skip_blanks();
                self.condition().map(Selector::Filter)
            }
            Some('-' | ':' | '0'..='9') => self.index_or_slice(),
            Some('(') => Err(self
                .unexpected("a selector")
                .with_hint("there are no scripts; `[-1]` is the last, `[?@.price < 10]` a filter")),
            Some(']') => Err(self.unexpected("a selector").with_hint("`[*]` selects all")),
            Some('@') => {
                Err(self.unexpected("a selector").with_hint("a filter begins with `?`: `[?@.price < 10]`"))
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                Err(self.unexpected("a selector").with_hint("quote the name: `['name']`"))
            }
            _ => Err(self.unexpected("a selector")),
        }
    }

    fn index_or_slice(&mut self) -> Result<Selector, Slip> {
        let start = self.integer_if_there()?;
        let after_start = self.at;
        self.skip_blanks();
        if !self.take(":") {
            self.at = after_start;
            return start.map(Selector::Index).ok_or_else(|| self.unexpected("a number"));
        }
        self.skip_blanks();
        let end = self.integer_if_there()?;
        let after_end = self.at;
        self.skip_blanks();
        let mut step = None;
        if self.take(":") {
            let after_colon = self.at;
            self.skip_blanks();
            step = self.integer_if_there()?;
            if step.is_none() {
                self.at = after_colon;
            }
        } else {
            self.at = after_end;
        }
        Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
    }
}
