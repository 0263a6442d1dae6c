//! Text ─▶ tokens, with the disambiguation rules of XPath 1.0 (3.7).
//!
//! A name is told to be an operator, a function, a node type or an axis here, where its neighbours are at hand.
//! Whether the tokens make sense together is the parser's question.

use super::ast::{Axis, Operator};
use super::hint;
use crate::mistake::Slip;

/// A token and the bytes it stands at.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub(super) token: Token,
    pub(super) at: usize,
    pub(super) end: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    OpenParen,
    CloseParen,
    OpenBracket,
    CloseBracket,
    Dot,
    DotDot,
    At,
    Comma,
    Slash,
    DoubleSlash,
    Pipe,
    And,
    Or,
    Operator(Operator),
    Literal(String),
    Number(f64),
    /// `*` as a node test.
    Star,
    /// `p:*`
    PrefixStar(String),
    /// `a`, `p:a`
    Name(Option<String>, String),
    /// A name before `(` that is no node type.
    Function(Option<String>, String),
    /// `node`, `text`, `comment` or `processing-instruction` before `(`.
    NodeType(&'static str),
    /// An axis with its `::`.
    Axis(Axis),
    End,
}

const NODE_TYPES: [&str; 4] = ["comment", "text", "processing-instruction", "node"];

impl Token {
    /// Whether an operand may end with it, so that a name or `*` behind it is an operator (3.7).
    pub(super) fn ends_operand(&self) -> bool {
        matches!(
            self,
            Token::CloseParen
                | Token::CloseBracket
                | Token::Dot
                | Token::DotDot
                | Token::Literal(_)
                | Token::Number(_)
                | Token::Star
                | Token::PrefixStar(_)
                | Token::Name(..)
        )
    }
}

/// All tokens of `text`, with [`Token::End`] as the last.
pub(super) fn tokens(text: &str) -> Result<Vec<Spanned>, Slip> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    loop {
        lexer.skip_space();
        let at = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        lexer.tokens.push(Spanned { token, at, end: lexer.at });
        if is_end {
            return Ok(lexer.tokens);
        }
    }
}

/// White space between tokens (3.7 `ExprWhitespace`).
pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    tokens: Vec<Spanned>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_space).len();
    }

    fn after_operand(&self) -> bool {
        self.tokens.last().is_some_and(|last| last.token.ends_operand())
    }

    fn token(&mut self) -> Result<Token, Slip> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let second = rest.chars().nth(1);
        if is_name_start(first) {
            return self.name();
        }
        if first.is_ascii_digit() || (first == '.' && second.is_some_and(|c| c.is_ascii_digit())) {
            return Ok(self.number());
        }
        if first == '"' || first == '\'' {
            return self.literal(first);
        }
        let (token, length) = match (first, second) {
            ('(', _) => (Token::OpenParen, 1),
            (')', _) => (Token::CloseParen, 1),
            ('[', _) => (Token::OpenBracket, 1),
            (']', _) => (Token::CloseBracket, 1),
            ('.', Some('.')) => (Token::DotDot, 2),
            ('.', _) => (Token::Dot, 1),
            ('@', _) => (Token::At, 1),
            (',', _) => (Token::Comma, 1),
            ('/', Some('/')) => (Token::DoubleSlash, 2),
            ('/', _) => (Token::Slash, 1),
            ('|', Some(c)) if c != '|' => (Token::Pipe, 1),
            ('|', None) => (Token::Pipe, 1),
            ('+', _) => (Token::Operator(Operator::Plus), 1),
            ('-', _) => (Token::Operator(Operator::Minus), 1),
            ('=', Some(c)) if c != '=' => (Token::Operator(Operator::Equal), 1),
            ('=', None) => (Token::Operator(Operator::Equal), 1),
            ('!', Some('=')) => (Token::Operator(Operator::NotEqual), 2),
            ('<', Some('=')) => (Token::Operator(Operator::LessOrEqual), 2),
            ('<', _) => (Token::Operator(Operator::Less), 1),
            ('>', Some('=')) => (Token::Operator(Operator::GreaterOrEqual), 2),
            ('>', _) => (Token::Operator(Operator::Greater), 1),
            ('*', _) if self.after_operand() => (Token::Operator(Operator::Times), 1),
            ('*', _) => (Token::Star, 1),
            _ => return Err(hint::stray_character(self.text, self.at)),
        };
        self.at += length;
        Ok(token)
    }

    fn literal(&mut self, quote: char) -> Result<Token, Slip> {
        let inner = &self.rest()[1..];
        let Some(length) = inner.find(quote) else {
            return Err(Slip::new(self.at, format!("the quote `{quote}` opened here is never closed"))
                .with_hint("a literal ends with the quote it began with; use the other kind inside it"));
        };
        self.at += length + 2;
        Ok(Token::Literal(inner[..length].to_owned()))
    }

    fn number(&mut self) -> Token {
        let rest = self.rest();
        let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let mut length = digits(rest);
        if rest[length..].starts_with('.') {
            length += 1 + digits(&rest[length + 1..]);
        }
        self.at += length;
        Token::Number(rest[..length].parse().expect("digits and one point are a float"))
    }

    fn ncname(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        if !rest.starts_with(is_name_start) {
            return None;
        }
        let length = rest.len() - rest.trim_start_matches(is_name_char).len();
        self.at += length;
        Some(&rest[..length])
    }

    fn name(&mut self) -> Result<Token, Slip> {
        let start = self.at;
        let first = self.ncname().expect("a name starts here");
        if self.after_operand() {
            return operator_name(first).ok_or_else(|| hint::name_after_operand(self.text, start, first));
        }
        let (prefix, local) = if self.rest().starts_with(':') && !self.rest().starts_with("::") {
            self.at += 1;
            if self.rest().starts_with('*') {
                self.at += 1;
                return Ok(Token::PrefixStar(first.to_owned()));
            }
            let local =
                self.ncname().ok_or_else(|| Slip::new(self.at, "a name or `*` must follow the prefix"))?;
            (Some(first), local)
        } else {
            (None, first)
        };
        self.classify(start, prefix, local)
    }

    /// A name is what the next token makes of it: axis, node type, function, or a name test.
    fn classify(&mut self, start: usize, prefix: Option<&str>, local: &str) -> Result<Token, Slip> {
        let next = self.rest().trim_start_matches(is_space);
        if next.starts_with("::") {
            let axis = Axis::ALL.iter().copied().find(|axis| prefix.is_none() && axis.word() == local);
            let axis = axis.ok_or_else(|| hint::unknown_axis(self.text, start, local))?;
            self.at = self.text.len() - next.len() + 2;
            return Ok(Token::Axis(axis));
        }
        let prefix = prefix.map(str::to_owned);
        if !next.starts_with('(') {
            return Ok(Token::Name(prefix, local.to_owned()));
        }
        match NODE_TYPES.iter().find(|&&name| prefix.is_none() && name == local) {
            Some(name) => Ok(Token::NodeType(name)),
            None => Ok(Token::Function(prefix, local.to_owned())),
        }
    }
}

fn operator_name(name: &str) -> Option<Token> {
    match name {
        "and" => Some(Token::And),
        "or" => Some(Token::Or),
        "div" => Some(Token::Operator(Operator::Divide)),
        "mod" => Some(Token::Operator(Operator::Remainder)),
        _ => None,
    }
}

/// Namespaces in XML `NCNameStartChar` (XML 1.0, fifth edition, `NameStartChar` without the colon).
pub(super) fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Namespaces in XML `NCNameChar`.
pub(super) fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<Token> {
        tokens(text).unwrap().into_iter().map(|spanned| spanned.token).collect()
    }

    fn name(text: &str) -> Token {
        Token::Name(None, text.to_owned())
    }

    #[test]
    fn a_star_is_a_product_only_after_an_operand() {
        let times = Token::Operator(Operator::Times);
        assert_eq!(kinds("* * *"), [Token::Star, times.clone(), Token::Star, Token::End]);
        assert_eq!(kinds("2*3"), [Token::Number(2.0), times, Token::Number(3.0), Token::End]);
        assert_eq!(kinds("@*"), [Token::At, Token::Star, Token::End]);
    }

    #[test]
    fn operator_names_are_names_where_an_operand_is_due() {
        assert_eq!(kinds("and and or"), [name("and"), Token::And, name("or"), Token::End]);
        let div = Token::Operator(Operator::Divide);
        assert_eq!(kinds("div div div"), [name("div"), div, name("div"), Token::End]);
        assert_eq!(kinds("/or"), [Token::Slash, name("or"), Token::End]);
    }

    #[test]
    fn a_hyphen_belongs_to_the_name_it_touches() {
        assert_eq!(kinds("a-b"), [name("a-b"), Token::End]);
        let minus = Token::Operator(Operator::Minus);
        assert_eq!(kinds("a -b"), [name("a"), minus, name("b"), Token::End]);
    }

    #[test]
    fn names_before_parentheses_and_colons_are_functions_types_and_axes() {
        assert_eq!(kinds("text ()")[0], Token::NodeType("text"));
        assert_eq!(kinds("text")[0], name("text"));
        assert_eq!(kinds("f (")[0], Token::Function(None, "f".to_owned()));
        assert_eq!(
            kinds("self :: p:a")[..2],
            [Token::Axis(Axis::SelfNode), Token::Name(Some("p".to_owned()), "a".to_owned()),]
        );
        assert_eq!(kinds("p:*")[0], Token::PrefixStar("p".to_owned()));
    }

    #[test]
    fn numbers_may_lack_either_side_of_the_point() {
        assert_eq!(kinds(".5"), [Token::Number(0.5), Token::End]);
        assert_eq!(kinds("5."), [Token::Number(5.0), Token::End]);
        assert_eq!(kinds("1..2")[..1], [Token::Number(1.0)]);
    }
}
