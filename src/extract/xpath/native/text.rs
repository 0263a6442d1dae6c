//! Strings (4.2), names (4.1) and string-values (5). What stands in the document in one piece is borrowed.

use std::borrow::Cow;
use std::ops::ControlFlow::{Break, Continue};

use super::program::{NamePart, Text};
use super::{Flow, Focus, Page, Stop};
use crate::extract::xpath::engine::{in_one_piece, joined, texts_in};
use crate::extract::xpath::{chars, number};
use crate::html::dom::{Name, NodeKind};
use crate::html::{NodeId, Place};

/// Bytes that `concat()` and `re:replace()` may put together; no other result can be longer than the page.
pub(super) const MAX_TEXT: usize = 64 << 20;

impl<'s> Page<'s> {
    pub(super) fn text(&self, text: &'s Text, focus: Focus) -> Flow<Cow<'s, str>> {
        self.charge(1)?;
        Continue(match text {
            Text::Literal(text) => {
                self.charge(text.len() / 16)?;
                Cow::Borrowed(text)
            }
            Text::Context => self.string_value(focus.place)?,
            Text::First(set) => match self.first(set, focus)? {
                Some(place) => self.string_value(place)?,
                None => Cow::Borrowed(""),
            },
            Text::Number(number) => Cow::Owned(number::format(self.number(number, focus)?)),
            Text::Truth(truth) => Cow::Borrowed(if self.truth(truth, focus)? { "true" } else { "false" }),
            Text::Concat(texts) => Cow::Owned(self.concat(texts, focus)?),
            Text::Before(texts) => {
                let mark = self.text(&texts.1, focus)?;
                part(self.text(&texts.0, focus)?, |whole| chars::before(whole, &mark))
            }
            Text::After(texts) => {
                let mark = self.text(&texts.1, focus)?;
                part(self.text(&texts.0, focus)?, |whole| chars::after(whole, &mark))
            }
            Text::Substring(arguments) => {
                let (whole, from, length) = &**arguments;
                let from = self.number(from, focus)?;
                let length = match length {
                    Some(length) => Some(self.number(length, focus)?),
                    None => None,
                };
                let whole = self.text(whole, focus)?;
                self.charge(whole.len() / 8)?;
                Cow::Owned(chars::substring(&whole, from, length))
            }
            Text::Normalized(text) => {
                // Most are asked of short elements, which need no way round through a text of unknown make.
                if matches!(**text, Text::Context)
                    && let Some(whole) = in_one_piece(self.document, focus.place)
                {
                    self.charge(1 + whole.len() / 8)?;
                    return Continue(normalized(whole));
                }
                let text = self.text(text, focus)?;
                self.charge(text.len() / 16)?;
                match text {
                    Cow::Borrowed(text) => normalized(text),
                    Cow::Owned(text) => Cow::Owned(normalized(&text).into_owned()),
                }
            }
            Text::Translated(texts) => {
                let (whole, from, to) = &**texts;
                let (from, to) = (self.text(from, focus)?, self.text(to, focus)?);
                let whole = self.text(whole, focus)?;
                self.charge(8 + (whole.len() + from.len() + to.len()) / 4)?;
                Cow::Owned(chars::translate(&whole, &from, &to))
            }
            Text::Matched(arguments) => self.matched(&arguments.0, &arguments.1, focus)?,
            Text::Replaced(arguments) => {
                let (whole, pattern, by) = &**arguments;
                Cow::Owned(self.replaced(whole, pattern, by, focus)?)
            }
            Text::Name(part, set) => {
                let place = match set {
                    Some(set) => self.first(set, focus)?,
                    None => Some(focus.place),
                };
                place.map_or(Cow::Borrowed(""), |place| self.name(*part, place))
            }
        })
    }

    fn concat(&self, texts: &'s [Text], focus: Focus) -> Flow<String> {
        let mut all = String::new();
        for text in texts {
            let text = self.text(text, focus)?;
            self.charge(1 + text.len() / 16)?;
            all.push_str(&text);
            if all.len() > MAX_TEXT {
                return Break(Stop::TooLong);
            }
        }
        Continue(all)
    }

    fn name(&self, part: NamePart, place: Place) -> Cow<'s, str> {
        let name: &'s Name = match self.document.attribute_at(place) {
            Some(attribute) => &attribute.name,
            None => match self.document.name(place.node) {
                Some(name) => name,
                None => {
                    let target = self.document.target(place.node);
                    let is_target = !matches!(part, NamePart::Namespace);
                    return Cow::Borrowed(target.filter(|_| is_target).unwrap_or(""));
                }
            },
        };
        match (part, &name.prefix) {
            (NamePart::Namespace, _) => Cow::Borrowed(&*name.namespace),
            (NamePart::Whole, Some(prefix)) => Cow::Owned(format!("{prefix}:{}", name.local)),
            _ => Cow::Borrowed(&*name.local),
        }
    }

    /// The string-value of a node, its length charged: `//*[contains(., "x")]` reads each text once per level.
    pub(super) fn string_value(&self, place: Place) -> Flow<Cow<'s, str>> {
        let text = match in_one_piece(self.document, place) {
            Some(text) => Cow::Borrowed(text),
            None => {
                let ids = place.node.0 + 1..self.end_of(place.node)?;
                self.charge(ids.len())?;
                joined(texts_in(self.document, ids))
            }
        };
        self.charge(1 + text.len() / 16)?;
        Continue(text)
    }

    /// Whether the string-value of a node is `text`, without putting it together.
    pub(super) fn has_value(&self, place: Place, text: &str) -> Flow<bool> {
        if let Some(own) = in_one_piece(self.document, place) {
            self.charge(1 + own.len().min(text.len()) / 16)?;
            return Continue(own == text);
        }
        let mut rest = text;
        for id in place.node.0 + 1..self.end_of(place.node)? {
            self.charge(1)?;
            let id = NodeId(id);
            if self.document.kind(id) == NodeKind::Text {
                match rest.strip_prefix(self.document.text(id)) {
                    Some(behind) => rest = behind,
                    None => return Continue(false),
                }
            }
        }
        Continue(rest.is_empty())
    }

    /// Whether the string-value of a node is not empty.
    pub(super) fn has_text(&self, place: Place) -> Flow<bool> {
        Continue(!self.has_value(place, "")?)
    }
}

/// A part of a text, borrowed if the text is.
pub(super) fn part<'t>(whole: Cow<'t, str>, cut: impl Fn(&str) -> &str) -> Cow<'t, str> {
    match whole {
        Cow::Borrowed(whole) => Cow::Borrowed(cut(whole)),
        Cow::Owned(whole) => Cow::Owned(cut(&whole).to_owned()),
    }
}

fn normalized(text: &str) -> Cow<'_, str> {
    if is_normal(text) { Cow::Borrowed(text) } else { Cow::Owned(chars::normalize_space(text)) }
}

/// Whether `normalize-space()` leaves a text as it is.
fn is_normal(text: &str) -> bool {
    let (mut last, mut is_normal) = (b' ', true);
    // Without a way out of the loop this is a few instructions for many bytes.
    for &byte in text.as_bytes() {
        is_normal &= !matches!(byte, b'\t' | b'\r' | b'\n') & !((byte == b' ') & (last == b' '));
        last = byte;
    }
    text.is_empty() || (is_normal && last != b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_normal_if_normalizing_leaves_it_as_it_is() {
        for text in
            ["", "a", "a b", "é b c", " ", " a", "a ", "a  b", "a\tb", "\n", "a\rb", "\u{a0}a", "a \u{a0} b"]
        {
            assert_eq!(is_normal(text), chars::normalize_space(text) == text, "{text:?}");
        }
    }
}
