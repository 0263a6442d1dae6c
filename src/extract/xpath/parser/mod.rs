//! Tokens ─▶ syntax tree: the grammar of XPath 1.0 (2 and 3), and all that can be known wrong before a page is seen.
//!
//! Types are static, since there are no variables: an argument that must be a node-set is checked here, and an
//! evaluator need not.

mod call;
mod step;
mod unexpected;

use super::Namespaces;
use super::ast::{Expr, Kind, Operator, Precedence, Start};
use super::hint;
use super::lexer::{Spanned, Token, tokens};
use crate::mistake::Slip;

/// Bytes of an expression; the longest that is written by hand is far below.
pub(super) const MAX_BYTES: usize = 4096;
/// Parentheses, predicates and arguments inside each other.
pub(super) const MAX_NESTING: usize = 64;
/// Operators, calls, paths and predicates inside each other ([`Expr::height`]).
pub(super) const MAX_HEIGHT: usize = 128;

/// The tree of `text`.
pub(super) fn parse(text: &str, namespaces: &Namespaces) -> Result<Expr, Slip> {
    if text.len() > MAX_BYTES {
        return Err(Slip::new(MAX_BYTES, format!("the expression is longer than {MAX_BYTES} bytes")));
    }
    let tokens = tokens(text)?;
    if tokens.len() == 1 {
        return Err(Slip::new(0, "the expression is empty")
            .with_hint("for example `//h1` for the headings, `.//a/@href` for links inside a record"));
    }
    let mut parser = Parser { text, tokens, next: 0, namespaces, open: Vec::new() };
    let expr = parser.or()?;
    if parser.token() != &Token::End {
        return Err(parser.unexpected());
    }
    if expr.height() > MAX_HEIGHT {
        let what = "operators, calls and predicates are inside each other";
        return Err(Slip::new(0, format!("{what} deeper than {MAX_HEIGHT} levels")));
    }
    match hint::is_css(text, &expr) {
        Some(slip) => Err(slip),
        None => Ok(expr),
    }
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Spanned>,
    next: usize,
    namespaces: &'t Namespaces,
    /// Where the parentheses and brackets around the next token were opened.
    open: Vec<usize>,
}

impl Parser<'_> {
    fn token(&self) -> &Token {
        &self.tokens[self.next].token
    }

    fn at(&self) -> usize {
        self.tokens[self.next].at
    }

    /// Takes the next token; the end stays.
    fn advance(&mut self) -> Token {
        let token = self.token().clone();
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.token() == token;
        if found {
            self.advance();
        }
        found
    }

    fn or(&mut self) -> Result<Expr, Slip> {
        self.list(&Token::Or, Parser::and, Expr::Or)
    }

    fn and(&mut self) -> Result<Expr, Slip> {
        self.list(&Token::And, |parser| parser.chain(Precedence::Equality), Expr::And)
    }

    fn list(
        &mut self,
        separator: &Token,
        operand: fn(&mut Self) -> Result<Expr, Slip>,
        unite: fn(Vec<Expr>) -> Expr,
    ) -> Result<Expr, Slip> {
        let first = operand(self)?;
        if self.token() != separator {
            return Ok(first);
        }
        let mut operands = vec![first];
        while self.take(separator) {
            operands.push(operand(self)?);
        }
        Ok(unite(operands))
    }

    /// Operators of one level, left-associative.
    fn chain(&mut self, level: Precedence) -> Result<Expr, Slip> {
        let first = self.operand_of(level)?;
        let mut rest = Vec::new();
        while let &Token::Operator(operator) = self.token()
            && operator.precedence() == level
        {
            self.advance();
            rest.push((operator, self.operand_of(level)?));
        }
        Ok(if rest.is_empty() { first } else { Expr::Chain { first: Box::new(first), rest } })
    }

    fn operand_of(&mut self, level: Precedence) -> Result<Expr, Slip> {
        match level {
            Precedence::Equality => self.chain(Precedence::Relation),
            Precedence::Relation => self.chain(Precedence::Sum),
            Precedence::Sum => self.chain(Precedence::Product),
            _ => self.negation(),
        }
    }

    fn negation(&mut self) -> Result<Expr, Slip> {
        let mut times = 0;
        while self.take(&Token::Operator(Operator::Minus)) {
            times += 1;
        }
        let operand = self.union()?;
        Ok(if times == 0 { operand } else { Expr::Negate { times, operand: Box::new(operand) } })
    }

    fn union(&mut self) -> Result<Expr, Slip> {
        let at = self.at();
        let first = self.path()?;
        if self.token() != &Token::Pipe {
            return Ok(first);
        }
        must_be_nodes(&first, at, "the left side of `|`")?;
        let mut operands = vec![first];
        while self.take(&Token::Pipe) {
            let at = self.at();
            let operand = self.path()?;
            must_be_nodes(&operand, at, "the right side of `|`")?;
            operands.push(operand);
        }
        Ok(Expr::Union(operands))
    }

    fn path(&mut self) -> Result<Expr, Slip> {
        match self.token() {
            Token::Slash => {
                self.advance();
                let steps = if self.starts_step() { self.steps(Vec::new())? } else { Vec::new() };
                Ok(Expr::Path { start: Start::Root, steps })
            }
            Token::DoubleSlash => {
                self.advance();
                let steps = self.steps(vec![step::any_descendant()])?;
                Ok(Expr::Path { start: Start::Root, steps })
            }
            _ if self.starts_step() => {
                let steps = self.steps(Vec::new())?;
                Ok(Expr::Path { start: Start::Context, steps })
            }
            _ => self.filter(),
        }
    }

    fn starts_step(&self) -> bool {
        matches!(
            self.token(),
            Token::Dot
                | Token::DotDot
                | Token::At
                | Token::Star
                | Token::PrefixStar(_)
                | Token::Name(..)
                | Token::NodeType(_)
                | Token::Axis(_)
        )
    }

    /// A primary expression, its predicates, and the steps from there.
    fn filter(&mut self) -> Result<Expr, Slip> {
        let at = self.at();
        let primary = self.primary()?;
        let opened_at = self.at();
        let predicates = self.predicates()?;
        let filtered = if predicates.is_empty() {
            primary
        } else {
            must_be_nodes(&primary, at, "what predicates `[...]` stand behind")
                .map_err(|slip| Slip { at: opened_at, ..slip })?;
            Expr::Filter { subject: Box::new(primary), predicates }
        };
        let slash_at = self.at();
        let steps = match self.token() {
            Token::Slash => Vec::new(),
            Token::DoubleSlash => vec![step::any_descendant()],
            _ => return Ok(filtered),
        };
        must_be_nodes(&filtered, slash_at, "what stands before `/`")?;
        self.advance();
        let steps = self.steps(steps)?;
        Ok(Expr::Path { start: Start::Expr(Box::new(filtered)), steps })
    }

    fn primary(&mut self) -> Result<Expr, Slip> {
        match self.token().clone() {
            Token::Literal(text) => {
                self.advance();
                Ok(Expr::Literal(text))
            }
            Token::Number(number) => {
                self.advance();
                Ok(Expr::Number(number))
            }
            Token::OpenParen => {
                self.open()?;
                let expr = self.or()?;
                self.close(&Token::CloseParen)?;
                Ok(expr)
            }
            Token::Function(prefix, name) => self.call(prefix.as_deref(), &name),
            _ => Err(self.unexpected()),
        }
    }

    /// Takes `(` or `[`.
    fn open(&mut self) -> Result<(), Slip> {
        let at = self.at();
        if self.open.len() == MAX_NESTING {
            return Err(Slip::new(at, format!("nested deeper than {MAX_NESTING} levels")));
        }
        self.open.push(at);
        self.advance();
        Ok(())
    }

    /// Takes the `)` or `]` that ends what was opened last.
    fn close(&mut self, token: &Token) -> Result<(), Slip> {
        if !self.take(token) {
            return Err(self.unexpected());
        }
        self.open.pop();
        Ok(())
    }
}

fn must_be_nodes(expr: &Expr, at: usize, what: &str) -> Result<(), Slip> {
    match expr.kind() {
        Kind::NodeSet => Ok(()),
        other => Err(Slip::new(at, format!("{what} must be a set of nodes, not {other}"))
            .with_hint("a path such as `//a` gives a set of nodes")),
    }
}

#[cfg(test)]
mod tests;
