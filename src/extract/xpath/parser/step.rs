//! Steps of a path: axis, node test, predicates (2.1 to 2.5).

use super::Parser;
use crate::extract::xpath::ast::{Axis, Expr, NodeTest, Prefixed, Step};
use crate::extract::xpath::hint;
use crate::extract::xpath::lexer::Token;
use crate::mistake::Slip;

impl Parser<'_> {
    /// `step/step//step`, behind those already there.
    pub(super) fn steps(&mut self, mut steps: Vec<Step>) -> Result<Vec<Step>, Slip> {
        loop {
            steps.push(self.step()?);
            match self.token() {
                Token::Slash => {}
                Token::DoubleSlash => steps.push(any_descendant()),
                _ => return Ok(steps),
            }
            self.advance();
        }
    }

    fn step(&mut self) -> Result<Step, Slip> {
        let axis = match self.token() {
            Token::Dot => return self.abbreviated(Axis::SelfNode),
            Token::DotDot => return self.abbreviated(Axis::Parent),
            Token::At => Axis::Attribute,
            &Token::Axis(axis) => axis,
            _ => {
                let test = self.node_test(Axis::Child)?;
                return Ok(Step { axis: Axis::Child, test, predicates: self.predicates()? });
            }
        };
        self.advance();
        let test = self.node_test(axis)?;
        Ok(Step { axis, test, predicates: self.predicates()? })
    }

    /// `.` and `..`, which take no predicates (2.5).
    fn abbreviated(&mut self, axis: Axis) -> Result<Step, Slip> {
        let shown = if axis == Axis::SelfNode { "." } else { ".." };
        self.advance();
        match self.token() {
            Token::OpenBracket => Err(Slip::new(self.at(), format!("`{shown}` takes no predicate"))
                .with_hint(format!("write `{}::node()[...]` or `{}::*[...]`", axis.word(), axis.word()))),
            _ => Ok(Step { axis, test: NodeTest::Node, predicates: Vec::new() }),
        }
    }

    fn node_test(&mut self, axis: Axis) -> Result<NodeTest, Slip> {
        let at = self.at();
        match self.token().clone() {
            Token::Star => {
                self.advance();
                Ok(NodeTest::AnyName)
            }
            Token::PrefixStar(prefix) => {
                self.advance();
                Ok(NodeTest::AnyOf(self.resolve(prefix, "*", at)?))
            }
            Token::Name(prefix, local) => {
                self.advance();
                let prefixed = prefix.map(|prefix| self.resolve(prefix, &local, at)).transpose()?;
                Ok(NodeTest::Name(prefixed, local))
            }
            Token::NodeType(name) => {
                self.advance();
                self.node_type(name)
            }
            Token::Function(prefix, local) if axis == Axis::Child => {
                let name = prefix.map_or(local.clone(), |prefix| format!("{prefix}:{local}"));
                if name == "has-class" {
                    return Err(Slip::new(at, "`has-class()` cannot be a step of a path")
                        .with_hint("it is a condition: `*[has-class(\"item\")]`"));
                }
                Err(Slip::new(at, format!("`{name}()` cannot be a step of a path")).with_hint(format!(
                    "put the path inside: `{name}(path)`; a step is a name, `@name`, `text()` ..."
                )))
            }
            _ => Err(self.unexpected()),
        }
    }

    fn node_type(&mut self, name: &str) -> Result<NodeTest, Slip> {
        self.open()?;
        let test = match name {
            "node" => NodeTest::Node,
            "text" => NodeTest::Text,
            "comment" => NodeTest::Comment,
            _ => {
                let target = match self.token() {
                    Token::Literal(target) => Some(target.clone()),
                    _ => None,
                };
                if target.is_some() {
                    self.advance();
                }
                NodeTest::ProcessingInstruction(target)
            }
        };
        if self.token() != &Token::CloseParen && self.token() != &Token::End {
            return Err(Slip::new(self.at(), format!("`{name}()` takes nothing here"))
                .with_hint("a condition stands behind it: `text()[contains(., \"x\")]`"));
        }
        self.close(&Token::CloseParen)?;
        Ok(test)
    }

    fn resolve(&self, prefix: String, local: &str, at: usize) -> Result<Prefixed, Slip> {
        match self.namespaces.get(&prefix) {
            Some(namespace) => Ok(Prefixed { namespace: namespace.to_owned(), prefix }),
            None => Err(hint::undeclared_prefix(at, &prefix, local)),
        }
    }

    pub(super) fn predicates(&mut self) -> Result<Vec<Expr>, Slip> {
        let mut predicates = Vec::new();
        while self.token() == &Token::OpenBracket {
            self.open()?;
            predicates.push(self.or()?);
            self.close(&Token::CloseBracket)?;
        }
        Ok(predicates)
    }
}

/// What `//` stands for between two steps (2.5).
pub(super) fn any_descendant() -> Step {
    Step { axis: Axis::DescendantOrSelf, test: NodeTest::Node, predicates: Vec::new() }
}
