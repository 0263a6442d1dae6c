//! Going on behind broken XML: where the next good place is.
//!
//! Knows the text and quick-xml's errors, not the tree.

use quick_xml::Reader;
use quick_xml::errors::{Error, SyntaxError};
use quick_xml::events::Event;

/// How often reading goes on behind a tag that never ends. Each time the rest of the text is looked through.
const MOST_RESTARTS: usize = 32;

/// The reader, which can be set to another place.
pub(super) struct Recovering<'a> {
    text: &'a str,
    reader: Reader<&'a [u8]>,
    /// Where in the text the reader began.
    base: usize,
    restarts: usize,
}

impl<'a> Recovering<'a> {
    pub(super) fn new(text: &'a str) -> Recovering<'a> {
        Recovering { text, reader: lenient_reader(text), base: 0, restarts: 0 }
    }

    pub(super) fn read(&mut self) -> Result<Event<'a>, Error> {
        self.reader.read_event()
    }

    /// Where in the text the next event begins.
    pub(super) fn position(&self) -> usize {
        self.base + self.reader.buffer_position() as usize
    }

    /// Reads on from `at`.
    pub(super) fn restart(&mut self, at: usize) {
        self.reader = lenient_reader(&self.text[at..]);
        self.base = at;
    }

    /// Where to go on after an error in the markup at `start`; `None` if there is nothing to hope for.
    pub(super) fn place_to_go_on(&mut self, start: usize, error: &Error) -> Option<usize> {
        match error {
            // It has been skipped already.
            Error::IllFormed(_) => Some(self.position()),
            Error::Syntax(SyntaxError::InvalidBangMarkup) => {
                self.text[start..].find('>').map(|length| start + length + 1)
            }
            // The `<` is taken as text.
            Error::Syntax(
                SyntaxError::UnclosedTag
                | SyntaxError::UnclosedSingleQuotedAttributeValue
                | SyntaxError::UnclosedDoubleQuotedAttributeValue,
            ) if self.restarts < MOST_RESTARTS => {
                self.restarts += 1;
                Some(start + 1)
            }
            _ => None,
        }
    }
}

fn lenient_reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    // The builder has its own idea of which end tag closes what.
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    reader
}

/// Where a `<` outside quotes stands in a tag.
pub(super) fn end_before_markup(tag: &str) -> Option<usize> {
    if !tag.contains('<') {
        return None;
    }
    let mut quote = None;
    tag.bytes().position(|byte| match (quote, byte) {
        (None, b'<') => true,
        (None, b'"' | b'\'') => {
            quote = Some(byte);
            false
        }
        (Some(open), _) if open == byte => {
            quote = None;
            false
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_markup_outside_quotes_ends_a_tag() {
        assert_eq!(end_before_markup("a x='<' y=\"<\""), None);
        assert_eq!(end_before_markup("a x='<'<b"), Some(7));
        assert_eq!(end_before_markup("a x"), None);
    }

    #[test]
    fn positions_are_those_of_the_whole_text() {
        let mut reader = Recovering::new("<a>1</a>");
        assert!(matches!(reader.read(), Ok(Event::Start(_))));
        assert_eq!(reader.position(), 3);
        reader.restart(4);
        assert!(matches!(reader.read(), Ok(Event::End(_))));
        assert_eq!(reader.position(), 8);
    }

    #[test]
    fn tags_without_an_end_are_not_searched_for_ever() {
        let mut reader = Recovering::new("<a");
        let error = reader.read().unwrap_err();
        for _ in 0..MOST_RESTARTS {
            assert_eq!(reader.place_to_go_on(0, &error), Some(1));
        }
        assert_eq!(reader.place_to_go_on(0, &error), None);
    }
}
