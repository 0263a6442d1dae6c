//! What is true or false (3.4, 4.3).

use std::ops::ControlFlow::Continue;

use super::program::{Text, Truth};
use super::{Flow, Focus, Page};
use crate::extract::xpath::{XML_NAMESPACE, chars};
use crate::html::NodeId;

impl<'s> Page<'s> {
    pub(super) fn truth(&self, truth: &'s Truth, focus: Focus) -> Flow<bool> {
        self.charge(1)?;
        Continue(match truth {
            Truth::Constant(truth) => *truth,
            Truth::Or(operands) => self.find(operands, focus, true)?,
            Truth::And(operands) => !self.find(operands, focus, false)?,
            Truth::Not(operand) => !self.truth(operand, focus)?,
            Truth::Exists(set) => self.exists(set, focus)?,
            Truth::NotEmpty(text) => match &**text {
                Text::Context => self.has_text(focus.place)?,
                Text::Normalized(text) => self.text(text, focus)?.contains(|c| !chars::is_space(c)),
                text => !self.text(text, focus)?.is_empty(),
            },
            Truth::NotZero(number) => {
                let number = self.number(number, focus)?;
                number != 0.0 && !number.is_nan()
            }
            Truth::StartsWith(texts) => {
                self.text(&texts.0, focus)?.starts_with(&*self.text(&texts.1, focus)?)
            }
            Truth::Contains(texts) => self.text(&texts.0, focus)?.contains(&*self.text(&texts.1, focus)?),
            Truth::Lang(wanted) => {
                let wanted = self.text(wanted, focus)?;
                self.is_in_language(focus.place.node, &wanted)?
            }
            Truth::HasClasses(names) => self.has_classes(names, focus)?,
            Truth::Matches(arguments) => self.is_match(&arguments.0, &arguments.1, focus)?,
            Truth::Chain(first, rest) => self.compared(first, rest, focus)?,
        })
    }

    /// Whether an operand is `wanted`; those behind it are not looked at.
    fn find(&self, operands: &'s [Truth], focus: Focus, wanted: bool) -> Flow<bool> {
        for operand in operands {
            if self.truth(operand, focus)? == wanted {
                return Continue(true);
            }
        }
        Continue(false)
    }

    /// `lang()`: the nearest `xml:lang`, in HTML also `lang`, is the language asked for or a kind of it.
    fn is_in_language(&self, node: NodeId, wanted: &str) -> Flow<bool> {
        let mut next = Some(node);
        while let Some(node) = next {
            self.charge(1 + self.document.attributes(node).len() / 4)?;
            let in_xml = self.document.attributes(node).iter().find(|attribute| {
                &*attribute.name.local == "lang" && &*attribute.name.namespace == XML_NAMESPACE
            });
            let in_html = || {
                self.document.attribute(node, "lang").or_else(|| self.document.attribute(node, "xml:lang"))
            };
            let declared = match in_xml {
                Some(attribute) => Some(&*attribute.value),
                None if self.document.is_html() => in_html(),
                None => None,
            };
            if let Some(declared) = declared {
                let (head, tail) = declared.split_at_checked(wanted.len()).unwrap_or((declared, ""));
                let is_it = head.eq_ignore_ascii_case(wanted) && (tail.is_empty() || tail.starts_with('-'));
                return Continue(is_it);
            }
            next = self.document.parent(node);
        }
        Continue(false)
    }
}
