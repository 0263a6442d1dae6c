//! The names of an output in parts: `books-{part}.jsonl`.
//!
//! Numbers begin with 1. A name counts as a part only if it is written exactly as we would write it, so that
//! `books-007.jsonl` is none of `books-{part}.jsonl`. Knows names and folders, not what is in the files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::mistake::Slip;

/// Names with a number in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartNames {
    folder: PathBuf,
    before: String,
    after: String,
    /// Digits at least.
    width: usize,
}

impl PartNames {
    /// Reads a name: `{part}` stands for the number, `{part:04}` for one with leading zeros, `{{` and `}}` for braces.
    ///
    /// # Errors
    /// Another thing in braces, no `{part}`, or more than one, or one in the name of a folder.
    pub fn parse(text: &str) -> Result<PartNames, Slip> {
        let hint = "{part} stands for the number, {part:04} for one with leading zeros, {{ and }} for braces";
        let (mut before, mut current, mut width) = (None, String::new(), 0);
        let mut at = 0;
        while let Some(letter) = text[at..].chars().next() {
            let rest = &text[at..];
            if rest.starts_with("{{") || rest.starts_with("}}") {
                current.push(letter);
                at += 2;
                continue;
            }
            match letter {
                '{' => {
                    let end = rest
                        .find('}')
                        .ok_or_else(|| Slip::new(text.len(), "a closing brace is missing").with_hint(hint))?;
                    width = width_of(&rest[1..end])
                        .ok_or_else(|| Slip::new(at + 1, "this is not {part}").with_hint(hint))?;
                    if before.is_some() {
                        return Err(Slip::new(at, "the number of the part stands here a second time"));
                    }
                    before = Some(std::mem::take(&mut current));
                    at += end;
                }
                '}' => return Err(Slip::new(at, "this brace closes nothing").with_hint(hint)),
                '/' if before.is_some() => {
                    return Err(Slip::new(at, "{part} has to be in the name of the file, not of a folder"));
                }
                _ => current.push(letter),
            }
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
        let Some(before) = before else {
            return Err(Slip::new(text.len(), "parts need a name with {part} in it")
                .with_hint(format!("like {}", suggestion(text))));
        };
        let (folder, before) = match before.rsplit_once('/') {
            Some((folder, name)) => (PathBuf::from(format!("{folder}/")), name.to_owned()),
            None => (PathBuf::new(), before),
        };
        Ok(PartNames { folder, before, after: current, width })
    }

    /// The file of a part.
    pub fn path(&self, part: u64) -> PathBuf {
        self.folder.join(format!("{}{part:0width$}{}", self.before, self.after, width = self.width))
    }

    /// What stands for all parts together.
    pub fn pattern(&self) -> PathBuf {
        self.folder.join(format!("{}{{part}}{}", self.before, self.after))
    }

    /// The folder of all parts.
    pub fn folder(&self) -> &Path {
        folder_of_names(&self.folder)
    }

    /// The number of the part that a file of this name would be.
    pub fn number_of(&self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let number = digits.parse().ok()?;
        (number > 0 && format!("{number:0width$}", width = self.width) == digits).then_some(number)
    }

    /// The numbers of the parts that are there, in order.
    ///
    /// # Errors
    /// When the folder cannot be read; a missing one has no parts.
    pub fn existing(&self) -> io::Result<Vec<u64>> {
        let entries = match fs::read_dir(self.folder()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut numbers = Vec::new();
        for entry in entries {
            numbers.extend(entry?.file_name().to_str().and_then(|name| self.number_of(name)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// Whether a name looks as if it were one of parts.
pub fn names_parts(text: &str) -> bool {
    text.contains("{part}") || text.contains("{part:")
}

fn folder_of_names(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// The digits that the inside of braces asks for.
fn width_of(inside: &str) -> Option<usize> {
    let format = inside.strip_prefix("part")?;
    if format.is_empty() {
        return Some(0);
    }
    let width = format.strip_prefix(":0")?.parse().ok()?;
    (1..=20).contains(&width).then_some(width)
}

/// The name with `{part}` in front of its endings.
fn suggestion(text: &str) -> String {
    let folder_end = text.rfind('/').map_or(0, |slash| slash + 1);
    let dot = text[folder_end..].find('.').filter(|dot| *dot > 0).map_or(text.len(), |dot| folder_end + dot);
    format!("{}-{{part}}{}", &text[..dot], &text[dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_number_with_or_without_zeros() {
        let path = |text, part| PartNames::parse(text).unwrap().path(part).to_str().unwrap().to_owned();
        assert_eq!(path("books-{part}.jsonl", 12), "books-12.jsonl");
        assert_eq!(path("a/b.c/{part:04}.jsonl.gz", 12), "a/b.c/0012.jsonl.gz");
        assert_eq!(path("/{part:02}", 123), "/123");
        assert_eq!(path("{{x}}é{part}", 1), "{x}é1");
    }

    #[test]
    fn slips_tell_their_place() {
        for (text, at, said) in [
            ("books.jsonl", 11, "parts need a name"),
            ("b-{page}", 3, "this is not {part}"),
            ("b-{part:4}", 3, "this is not {part}"),
            ("é-{part", 8, "a closing brace is missing"),
            ("b-part}", 6, "this brace closes nothing"),
            ("{part}-{part}", 7, "the number of the part stands here a second time"),
            ("{part}/b", 6, "{part} has to be in the name of the file"),
        ] {
            let slip = PartNames::parse(text).unwrap_err();
            assert_eq!(slip.at, at, "{text}: {slip:?}");
            assert!(slip.message.starts_with(said), "{text}: {slip:?}");
        }
        let hint = |text| PartNames::parse(text).unwrap_err().hint.unwrap();
        assert_eq!(hint("out.d/books.jsonl.gz"), "like out.d/books-{part}.jsonl.gz");
        assert_eq!(hint(".books"), "like .books-{part}");
    }

    #[test]
    fn only_names_as_we_write_them_are_parts() {
        let names = PartNames::parse("b-{part}.jsonl").unwrap();
        assert_eq!(names.number_of("b-12.jsonl"), Some(12));
        for other in ["b-012.jsonl", "b-0.jsonl", "b-.jsonl", "b-+1.jsonl", "b-1.json", "c-1.jsonl"] {
            assert_eq!(names.number_of(other), None, "{other}");
        }
        let padded = PartNames::parse("{part:02}").unwrap();
        assert_eq!(
            ["01", "1", "001", "123"].map(|name| padded.number_of(name)),
            [Some(1), None, None, Some(123)]
        );
    }

    #[test]
    fn parts_are_found_in_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b-2", "b-10", "b-x", "b-1"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |text: &str| PartNames::parse(folder.path().join(text).to_str().unwrap()).unwrap();
        assert_eq!(names("b-{part}").existing().unwrap(), [1, 2, 10]);
        assert!(names("none/b-{part}").existing().unwrap().is_empty());
    }
}
