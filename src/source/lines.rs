//! Lines of a list, one at a time: whatever ends them, however long they are.
//!
//! Owns what a line is. Does not know what stands in it, nor whether reading blocks: who reads from a pipe does so on
//! a thread of its own and hands the lines in through [`Lines`].

use std::io::{self, BufRead};

/// Longest line in bytes: a URL has a few thousand at most, values that are carried along some more. What is longer is
/// a file of another kind, and must not fill the memory.
const LENGTH_MAX: usize = 1 << 20;

/// What stands in one line, or why nothing does.
type Content = Result<String, LineError>;

/// A line and its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// Without its end.
    pub content: Result<String, LineError>,
}

/// Why a line cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// It is longer than a line of a list can be.
    #[error("longer than {LENGTH_MAX} bytes")]
    TooLong,
    /// Its bytes are no text.
    #[error("not UTF-8")]
    NotText,
    /// Reading failed; no line follows.
    #[error("cannot be read: {0}")]
    Broken(String),
}

/// What there is when a line is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Polled {
    /// A line.
    Line(Line),
    /// None yet.
    NotYet,
    /// None any more.
    End,
}

/// Where lines come from. Asking for one never waits for anybody.
pub trait Lines {
    /// The next line, if there is one by now.
    fn poll(&mut self) -> Polled;
}

/// The lines of a reader. A byte order mark is left out, and a line feed may have a carriage return in front.
#[derive(Debug)]
pub struct SplitLines<R> {
    reader: R,
    buffer: Vec<u8>,
    number: u64,
    is_broken: bool,
}

impl<R: BufRead> SplitLines<R> {
    /// The lines that `reader` gives.
    pub fn new(reader: R) -> SplitLines<R> {
        SplitLines { reader, buffer: Vec::new(), number: 0, is_broken: false }
    }

    /// Reads up to a line feed or the end; `None` at the end. Of a line that is too long the rest is passed over.
    fn read(&mut self) -> io::Result<Option<Content>> {
        self.buffer.clear();
        let mut is_too_long = false;
        let mut is_at_end = true;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                break;
            }
            is_at_end = false;
            let (part, used, ends) = match memchr::memchr(b'\n', chunk) {
                Some(end) => (&chunk[..end], end + 1, true),
                None => (chunk, chunk.len(), false),
            };
            if self.buffer.len() + part.len() > LENGTH_MAX {
                is_too_long = true;
                self.buffer.clear();
            } else if !is_too_long {
                self.buffer.extend_from_slice(part);
            }
            self.reader.consume(used);
            if ends {
                break;
            }
        }
        if is_at_end {
            return Ok(None);
        }
        if is_too_long {
            return Ok(Some(Err(LineError::TooLong)));
        }
        let bytes = self.buffer.strip_suffix(b"\r").unwrap_or(&self.buffer);
        let text = std::str::from_utf8(bytes).map_err(|_| LineError::NotText);
        let first = self.number == 0;
        let without_mark = |text: &str| match first {
            true => text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(),
            false => text.to_owned(),
        };
        Ok(Some(text.map(without_mark)))
    }
}

impl<R: BufRead> Iterator for SplitLines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.is_broken {
            return None;
        }
        let content = self.read().unwrap_or_else(|error| {
            self.is_broken = true;
            Some(Err(LineError::Broken(error.to_string())))
        })?;
        self.number += 1;
        Some(Line { number: self.number, content })
    }
}

impl<R: BufRead> Lines for SplitLines<R> {
    fn poll(&mut self) -> Polled {
        self.next().map_or(Polled::End, Polled::Line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(bytes: &[u8]) -> Vec<Content> {
        SplitLines::new(bytes).map(|line| line.content).collect()
    }

    fn texts(bytes: &[u8]) -> Vec<String> {
        lines(bytes).into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn lines_end_as_on_any_system_and_the_last_one_need_not() {
        assert_eq!(texts(b"a\nb\r\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(texts(b"a\n"), ["a"]);
        assert_eq!(texts(b""), Vec::<String>::new());
    }

    #[test]
    fn a_byte_order_mark_is_left_out_at_the_beginning_only() {
        assert_eq!(texts("\u{feff}a\n\u{feff}b".as_bytes()), ["a", "\u{feff}b"]);
    }

    #[test]
    fn what_is_no_text_fails_alone() {
        assert_eq!(lines(b"\xff\nb"), [Err(LineError::NotText), Ok("b".to_owned())]);
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over() {
        let mut bytes = vec![b'x'; 3 * LENGTH_MAX];
        bytes.extend_from_slice(b"\nb\n");
        assert_eq!(lines(&bytes), [Err(LineError::TooLong), Ok("b".to_owned())]);
        let longest = vec![b'x'; LENGTH_MAX];
        assert_eq!(texts(&longest)[0].len(), LENGTH_MAX);
    }

    #[test]
    fn a_fault_ends_the_lines() {
        struct Broken;
        impl io::Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("gone"))
            }
        }
        let mut lines = SplitLines::new(io::BufReader::new(io::Read::chain(&b"a\n"[..], Broken)));
        assert_eq!(lines.next().unwrap().content, Ok("a".to_owned()));
        assert_eq!(lines.next().unwrap().content, Err(LineError::Broken("gone".to_owned())));
        assert_eq!(lines.next(), None);
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_standard_library(text in "[a\r\n\u{e9}]{0,40}") {
            let expected: Vec<&str> = text.lines().collect();
            let mut found = texts(text.as_bytes());
            // The standard library keeps a carriage return that no line feed follows.
            if text.ends_with('\r') && let Some(last) = found.last_mut() {
                last.push('\r');
            }
            prop_assert_eq!(found, expected);
        }
    }
}
