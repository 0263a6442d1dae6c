//! `re:test`, `re:match`, `re:replace` (EXSLT) and `has-class` (parsel); what they mean is in `extract::regular`.

use std::borrow::Cow;
use std::ops::ControlFlow::{Break, Continue};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::program::{Regexp, Text};
use super::text::{MAX_TEXT, part};
use super::{Flow, Focus, Page, Stop};
use crate::extract::regular::{Pattern, has_class};
use crate::model::human_duration;

/// Steps that compiling a computed pattern takes, and one byte of it.
const COMPILING: usize = 1000;
const COMPILING_BYTE: usize = 50;
/// Bytes that are searched in a step.
const SEARCHED: usize = 4;

/// How long `re:replace()` may take on a page. It is the only work whose steps cannot be counted: how far the search for each
/// match looked is not told.
const LONGEST: Duration = Duration::from_secs(5);
/// How many matches are replaced between looks at the clock.
const CLOCK_INTERVAL: usize = 64;

/// A pattern of the program or of the page.
enum Found<'s> {
    Known(&'s Pattern),
    Computed(Rc<Pattern>),
}

impl Found<'_> {
    fn pattern(&self) -> &Pattern {
        match self {
            Found::Known(pattern) => pattern,
            Found::Computed(pattern) => pattern,
        }
    }
}

impl<'s> Page<'s> {
    /// Whether the context node is an element with all these classes.
    pub(super) fn has_classes(&self, names: &'s [Text], focus: Focus) -> Flow<bool> {
        if focus.place.attribute > 0 {
            return Continue(false);
        }
        let node = focus.place.node;
        self.charge(1 + self.document.attributes(node).len() / 4)?;
        let Some(classes) = self.document.attribute(node, "class") else { return Continue(false) };
        for name in names {
            self.charge(1 + classes.len() / 16)?;
            let is_there = match name {
                Text::Literal(name) => has_class(classes, name),
                computed => has_class(classes, &self.text(computed, focus)?),
            };
            if !is_there {
                return Continue(false);
            }
        }
        Continue(true)
    }

    pub(super) fn is_match(&self, text: &'s Text, regexp: &'s Regexp, focus: Focus) -> Flow<bool> {
        let (text, pattern) = self.searched(text, regexp, focus)?;
        Continue(pattern.pattern().test(&text))
    }

    pub(super) fn matched(&self, text: &'s Text, regexp: &'s Regexp, focus: Focus) -> Flow<Cow<'s, str>> {
        let (text, pattern) = self.searched(text, regexp, focus)?;
        Continue(part(text, |text| pattern.pattern().first(text)))
    }

    pub(super) fn replaced(
        &self,
        text: &'s Text,
        regexp: &'s Regexp,
        by: &'s Text,
        focus: Focus,
    ) -> Flow<String> {
        let (text, pattern) = self.searched(text, regexp, focus)?;
        let by = self.text(by, focus)?;
        let (before, start, mut calls) = (self.replacing.get(), Instant::now(), 0);
        let goes_on = |length| {
            calls += 1;
            length <= MAX_TEXT && (calls % CLOCK_INTERVAL != 1 || before + start.elapsed() < LONGEST)
        };
        let replaced = pattern.pattern().replace(&text, &by, goes_on);
        self.replacing.set(before + start.elapsed());
        self.charge(calls)?;
        match replaced {
            Some(replaced) => {
                self.charge(replaced.len() / 16)?;
                Continue(replaced)
            }
            None if self.replacing.get() >= LONGEST => {
                let limit = human_duration(LONGEST);
                self.fault.replace(format!(
                    "`re:replace()` took longer than {limit} on this page; make the pattern narrower"
                ));
                Break(Stop::Fault)
            }
            None => Break(Stop::TooLong),
        }
    }

    /// The text to search and the pattern to search for.
    fn searched(&self, text: &'s Text, regexp: &'s Regexp, focus: Focus) -> Flow<(Cow<'s, str>, Found<'s>)> {
        let pattern = self.pattern(regexp, focus)?;
        let text = self.text(text, focus)?;
        self.charge(4 + text.len() / SEARCHED)?;
        Continue((text, pattern))
    }

    fn pattern(&self, regexp: &'s Regexp, focus: Focus) -> Flow<Found<'s>> {
        let texts = match regexp {
            Regexp::Known(pattern) => return Continue(Found::Known(pattern)),
            Regexp::Computed(texts) => texts,
        };
        let (pattern, flags) = (self.text(&texts.0, focus)?, self.text(&texts.1, focus)?);
        if let Some(kept) = self.patterns.kept(&pattern, &flags) {
            return Continue(Found::Computed(kept));
        }
        self.charge(COMPILING + COMPILING_BYTE * pattern.len())?;
        match self.patterns.compiled(&pattern, &flags) {
            Ok(compiled) => Continue(Found::Computed(compiled)),
            Err(reason) => {
                self.fault.replace(reason);
                Break(Stop::Fault)
            }
        }
    }
}
