//! What the user wrote wrong: a slip at one character of a text, and how it is shown.
//!
//! The parsers of templates, ranges and expressions report a [`Slip`]: they know the text, not where it came from.
//! The job, which knows the flag or the line of the file, makes a [`Mistake`] of it. Nothing here ends the program:
//! mistakes are collected, so that all of a job are told at once.

use std::fmt;

/// Something wrong at one place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slip {
    /// Byte offset of the character that is wrong; the text's length if something is missing at its end.
    pub at: usize,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Slip {
    /// A slip at byte `at`, without a hint.
    pub fn new(at: usize, message: impl Into<String>) -> Slip {
        Slip { at, message: message.into(), hint: None }
    }

    /// The same slip with an advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Slip {
        self.hint = Some(hint.into());
        self
    }
}

/// One mistake of a job: where it stands, what is wrong, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where the wrong thing was written: `--pages`, `PAGEMILL_PAGES`, `job.toml:3:9: source.pages`.
    pub place: String,
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The text and the byte offset in it that the caret points to.
    pub excerpt: Option<(String, usize)>,
}

impl Mistake {
    /// A mistake without excerpt or hint.
    pub fn new(place: impl Into<String>, message: impl Into<String>) -> Mistake {
        Mistake { place: place.into(), message: message.into(), hint: None, excerpt: None }
    }

    /// The same mistake with an advice.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Mistake {
        self.hint = Some(hint.into());
        self
    }

    /// A slip in `text`, which was written at `place`.
    pub fn from_slip(place: impl Into<String>, text: &str, slip: Slip) -> Mistake {
        Mistake {
            place: place.into(),
            message: slip.message,
            hint: slip.hint,
            excerpt: Some((text.to_owned(), slip.at)),
        }
    }
}

/// Columns of text shown left and right of the caret; a longer line is cut there.
const EXCERPT_COLUMNS: usize = 60;

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some((text, at)) = &self.excerpt {
            let (line, column) = excerpt(text, *at);
            write!(f, "\n    {line}\n    {:column$}^", "")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n    hint: {hint}")?;
        }
        Ok(())
    }
}

/// The line of `text` that byte `at` is in, cut to a window around it, and the column of the caret in it.
fn excerpt(text: &str, at: usize) -> (String, usize) {
    let at = (0..=at.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    let line_start = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
    let before: Vec<char> = text[line_start..at].chars().collect();
    let after: Vec<char> = text[at..line_end].chars().collect();
    let cut_before = before.len().saturating_sub(EXCERPT_COLUMNS);
    let mut line = String::new();
    if cut_before > 0 {
        line.push('…');
    }
    line.extend(before[cut_before..].iter().map(|&c| shown(c)));
    let column = line.chars().map(columns_of).sum();
    line.extend(after.iter().take(EXCERPT_COLUMNS).map(|&c| shown(c)));
    if after.len() > EXCERPT_COLUMNS {
        line.push('…');
    }
    (line, column)
}

/// A control character would move the caret, or the terminal.
fn shown(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

/// Terminal columns of a character: two for the East Asian wide blocks, which is enough to place a caret.
fn columns_of(c: char) -> usize {
    match u32::from(c) {
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_the_character() {
        let mistake =
            Mistake::from_slip("--pages", "0-9x", Slip::new(3, "unexpected `x`").with_hint("say 0-9"));
        assert_eq!(mistake.to_string(), "--pages: unexpected `x`\n    0-9x\n       ^\n    hint: say 0-9");
    }

    #[test]
    fn wide_characters_move_the_caret_two_columns() {
        assert_eq!(excerpt("书x", 3), ("书x".to_owned(), 2));
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret_and_control_characters_are_blanked() {
        let text = format!("{}\u{1b}!{}", "a".repeat(200), "b".repeat(200));
        let (line, column) = excerpt(&text, 201);
        assert!(line.starts_with('…') && line.ends_with('…'));
        assert_eq!(line.chars().nth(column), Some('!'));
        assert!(!line.contains('\u{1b}'));
    }

    #[test]
    fn an_offset_past_the_end_or_inside_a_character_is_harmless() {
        assert_eq!(excerpt("é", 1), ("é".to_owned(), 0));
        assert_eq!(excerpt("ab", 99), ("ab".to_owned(), 2));
    }
}
