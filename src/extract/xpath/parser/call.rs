//! Calls of functions: how many arguments, of which types, and the literals among them that can be wrong.

use super::{Parser, must_be_nodes};
use crate::extract::regular::Pattern;
use crate::extract::xpath::ast::Expr;
use crate::extract::xpath::function::{Function, REGULAR_EXPRESSIONS};
use crate::extract::xpath::hint;
use crate::extract::xpath::lexer::Token;
use crate::mistake::Slip;

impl Parser<'_> {
    pub(super) fn call(&mut self, prefix: Option<&str>, name: &str) -> Result<Expr, Slip> {
        let at = self.at();
        let Some(function) = self.function(prefix, name) else {
            let is_taken =
                prefix == Some("re") && self.namespaces.of_function("re") != Some(REGULAR_EXPRESSIONS);
            return Err(hint::unknown_function(at, prefix, name, is_taken));
        };
        self.advance();
        self.open()?;
        let (signature, name) = (function.signature(), function.name());
        let mut arguments = Vec::new();
        let mut places = Vec::new();
        if self.token() != &Token::CloseParen {
            loop {
                let argument_at = self.at();
                let argument = self.or()?;
                if signature.takes_nodes {
                    must_be_nodes(&argument, argument_at, &format!("the argument of `{name}()`"))?;
                }
                arguments.push(argument);
                places.push(argument_at);
                if !self.take(&Token::Comma) {
                    break;
                }
            }
        }
        self.close(&Token::CloseParen)?;
        if !(signature.least..=signature.most).contains(&arguments.len()) {
            let (needed, given) = (signature.arity(), arguments.len());
            let slip = Slip::new(at, format!("`{name}()` takes {needed}, not {given}"));
            return Err(if function == Function::ReReplace {
                slip.with_hint("text, pattern, flags, replacement: `re:replace(., \"a+\", \"g\", \"b\")`")
            } else {
                slip
            });
        }
        check_literals(function, &arguments, &places)?;
        Ok(Expr::Call { function, arguments })
    }

    fn function(&self, prefix: Option<&str>, name: &str) -> Option<Function> {
        let Some(prefix) = prefix else { return Function::named(name) };
        let is_known = self.namespaces.of_function(prefix) == Some(REGULAR_EXPRESSIONS);
        Function::named(&format!("re:{name}")).filter(|_| is_known)
    }
}

/// Patterns, flags and classes that stand there; computed ones are looked at on the page.
fn check_literals(function: Function, arguments: &[Expr], places: &[usize]) -> Result<(), Slip> {
    let literal = |index: usize| match arguments.get(index) {
        Some(Expr::Literal(text)) => Some(text.as_str()),
        _ => None,
    };
    if function == Function::HasClass {
        for (index, &at) in places.iter().enumerate() {
            if literal(index).is_some_and(|class| class.is_empty() || class.contains(char::is_whitespace)) {
                return Err(Slip::new(at, "this is not the name of one class")
                    .with_hint("each class is an argument of its own: `has-class(\"a\", \"b\")`"));
            }
        }
    }
    if function.takes_pattern() {
        let flags = literal(2).unwrap_or("");
        if let Err(reason) = Pattern::new("", flags) {
            return Err(Slip::new(places[2], reason));
        }
        if let Some(Err(reason)) = literal(1).map(|pattern| Pattern::new(pattern, flags)) {
            return Err(Slip::new(places[1], format!("this pattern cannot be used: {reason}")));
        }
    }
    Ok(())
}
