//! What to say of a token that does not fit.

use super::Parser;
use crate::extract::xpath::ast::Operator;
use crate::extract::xpath::lexer::{Spanned, Token};
use crate::mistake::Slip;

impl Parser<'_> {
    /// The next token does not fit; told by what is open and what it is.
    pub(super) fn unexpected(&self) -> Slip {
        let Spanned { token, at, end } = &self.tokens[self.next];
        let shown = &self.text[*at..*end];
        match (token, self.open.last()) {
            (Token::End, Some(&opened)) => {
                let bracket = &self.text[opened..=opened];
                Slip::new(opened, format!("the `{bracket}` opened here is never closed"))
            }
            (Token::End, None) => {
                Slip::new(*at, "the expression ends too early").with_hint(match self.before() {
                    Some("/" | "//") => "a path does not end with a slash",
                    Some("@") => "the name of an attribute is missing",
                    Some("::") => "a node test is missing: a name, `*`, `text()`, `node()` ...",
                    _ => "an operand is missing",
                })
            }
            (Token::CloseParen | Token::CloseBracket, Some(&opened)) if !self.closes(token, opened) => {
                let (bracket, before) = (&self.text[opened..=opened], &self.text[..opened]);
                let column = before.chars().count() + 1;
                Slip::new(
                    *at,
                    format!("unexpected `{shown}`: the `{bracket}` at column {column} is still open"),
                )
            }
            (Token::CloseParen | Token::CloseBracket, None) => {
                Slip::new(*at, format!("unexpected `{shown}`: nothing is open here"))
            }
            (Token::CloseBracket, Some(_)) if self.before() == Some("[") => {
                Slip::new(*at, "unexpected `]`: a condition is missing")
                    .with_hint("`[1]`, `[@href]`, `[. = \"x\"]`")
            }
            (Token::CloseBracket | Token::CloseParen, Some(_)) => {
                Slip::new(*at, format!("unexpected `{shown}`: an operand is missing before it"))
            }
            (Token::Slash, _) if self.before() == Some("//") || self.before() == Some("/") => {
                Slip::new(*at, "unexpected `/`: a step is missing")
                    .with_hint("`/` for a child, `//` for any depth")
            }
            (Token::Operator(Operator::Equal), _)
                if matches!(self.before(), Some("<" | ">" | "=" | "!=" | "<=" | ">=")) =>
            {
                Slip::new(*at, "unexpected `=`")
                    .with_hint("the comparisons are `=`, `!=`, `<`, `<=`, `>`, `>=`, without a space inside")
            }
            (Token::DoubleSlash | Token::Slash, _) if self.before() == Some("@") => {
                Slip::new(*at, format!("unexpected `{shown}`: the name of an attribute is missing"))
            }
            (Token::Comma, None) => Slip::new(*at, "unexpected `,`")
                .with_hint("`|` unites paths; each field has an expression of its own"),
            (Token::Literal(_), _) if self.before().is_some_and(|before| before.ends_with(['"', '\''])) => {
                Slip::new(*at, format!("unexpected `{shown}`"))
                    .with_hint("a quote inside a literal must be of the other kind: \"it's\"")
            }
            (Token::Literal(_) | Token::Number(_), Some(_)) if self.follows_operand() => {
                Slip::new(*at, format!("unexpected `{shown}`: an operator or `,` is missing before it"))
            }
            (Token::Literal(_) | Token::Number(_), None) if self.follows_operand() => {
                Slip::new(*at, format!("unexpected `{shown}`: an operator is missing before it"))
            }
            _ => Slip::new(*at, format!("unexpected `{shown}`")),
        }
    }

    fn before(&self) -> Option<&str> {
        let Spanned { token, at, end } = self.tokens.get(self.next.checked_sub(1)?)?;
        Some(if matches!(token, Token::Axis(_)) { "::" } else { &self.text[*at..*end] })
    }

    fn follows_operand(&self) -> bool {
        self.next.checked_sub(1).is_some_and(|before| self.tokens[before].token.ends_operand())
    }

    fn closes(&self, token: &Token, opened: usize) -> bool {
        (token == &Token::CloseParen) == self.text[opened..].starts_with('(')
    }
}
