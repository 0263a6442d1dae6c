//! Whether a file is as an interrupted run left it, and how it is cut back.
//!
//! What is behind the position is the run's own only if it is what its note announced: whole writes by their hash, of
//! the last one any beginning, since that is all a kill can leave. Anything else is somebody's, and stays.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::destination::Target;
use super::error::OutputError;
use super::note::{self, Announced, Deed, Noted};
use super::position::{End, Position};
use super::sink::tail_before;

/// An output that is as the run left it.
#[derive(Debug)]
pub(super) struct Verified<'a> {
    target: &'a Target,
    position: &'a Position,
    /// The file that the position is in, and its length.
    path: PathBuf,
    length: u64,
    /// The last part that is the run's.
    last_part: u64,
    /// Where to note that it is being cut.
    note: Option<&'a Path>,
}

/// Finds out whether the output is as the run left it. Nothing is changed. `note` is `None` if the run ended in order.
pub(super) fn verify<'a>(
    target: &'a Target,
    position: &'a Position,
    note: Option<&'a Path>,
) -> Result<Verified<'a>, OutputError> {
    let end = position.end;
    let path = target.path(end.part).expect("a position in a file was made by a target with one");
    let unreadable = |cause: io::Error| match cause.kind() {
        io::ErrorKind::NotFound => OutputError::Missing(path.clone()),
        _ => OutputError::Unreadable { path: path.clone(), cause },
    };
    // Opening a FIFO would wait for its writer.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(OutputError::Missing(path));
    }
    let mut file = File::open(&path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    if length < end.length {
        return Err(OutputError::Shorter { path, length, committed: end.length });
    }
    let tail = tail_before(&mut file, end.length).map_err(unreadable)?;
    if *blake3::hash(&tail).as_bytes() != position.tail {
        return Err(OutputError::Changed(path));
    }
    let last_part = last_part(target, end.part);
    let mut verified = Verified { target, position, path, length, last_part, note: None };
    if length == end.length && last_part == end.part {
        return Ok(verified);
    }
    let bytes = note.and_then(|note| fs::read(note).ok()).unwrap_or_default();
    let is_ours = match note::is_of_another_boot(&bytes) {
        // Of what is behind the position, a power cut may have left anything.
        Some(true) => return Ok(verified),
        Some(false) => note::read(&bytes).is_some_and(|announced| verified.is_announced(&announced)),
        None => false,
    };
    if is_ours {
        verified.note = note;
        return Ok(verified);
    }
    Err(match length > end.length {
        true => OutputError::Longer { path: verified.path, committed: end.length },
        false => OutputError::ForeignPart(part_path(target, end.part + 1)),
    })
}

impl Verified<'_> {
    /// Cuts the output back to the position.
    pub(super) fn cut_back(self) -> Result<(), OutputError> {
        let end = self.position.end;
        if let Some(note) = self.note {
            // Or a kill while this goes on would leave what nobody announced.
            let before = End { part: self.last_part, length: self.length };
            note::announce_cut(note, end, before)
                .map_err(|cause| OutputError::write(&note.display().to_string(), cause))?;
        }
        self.cut_to(end)
    }

    /// Cuts the output back to where the run began.
    pub(super) fn cut_to_beginning(self) -> Result<(), OutputError> {
        self.cut_to(self.position.began)
    }

    fn cut_to(&self, end: End) -> Result<(), OutputError> {
        for part in (end.part + 1..=self.last_part).rev() {
            let path = part_path(self.target, part);
            match fs::remove_file(&path) {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                    return Err(OutputError::open(&path, cause));
                }
                _ => {}
            }
        }
        let path = part_path(self.target, end.part);
        let file = OpenOptions::new().write(true).open(&path);
        file.and_then(|file| file.set_len(end.length)).map_err(|cause| OutputError::open(&path, cause))
    }

    /// Whether what is behind the position is what a run of this boot announced.
    fn is_announced(&self, announced: &Announced) -> bool {
        let end = self.position.end;
        match announced.deed {
            Deed::Cut => {
                announced.marks.first().is_some_and(|mark| mark.end == end)
                    && self.last_part <= announced.before.part
                    && (self.length == end.length || self.length == announced.before.length)
            }
            Deed::Write => self.is_written(announced).unwrap_or(false),
            Deed::Stop => {
                announced.marks.iter().any(|mark| mark.end == end)
                    && self.last_part == announced.before.part
                    && self.is_stopped(announced).unwrap_or(false)
            }
        }
    }

    fn is_stopped(&self, announced: &Announced) -> io::Result<bool> {
        let mut file = File::open(part_path(self.target, self.last_part))?;
        let length = file.metadata()?.len();
        let tail = tail_before(&mut file, length)?;
        Ok(length == announced.before.length && blake3::hash(&tail).as_bytes() == &announced.bytes[..])
    }

    fn is_written(&self, announced: &Announced) -> io::Result<bool> {
        let Some(first) = announced.marks.iter().position(|mark| mark.end == self.position.end) else {
            return Ok(false);
        };
        let before = announced.before;
        // The last part may have been announced and not yet made.
        let is_unmade = before.length == 0 && self.last_part + 1 == before.part;
        if self.last_part != before.part && !is_unmade {
            return Ok(false);
        }
        let marks = &announced.marks[first..];
        let nexts = marks.iter().skip(1).map(|mark| mark.end).chain([before]);
        for (Noted { end, hash }, next) in marks.iter().zip(nexts) {
            if self.hash_between(*end, next)?.as_ref() != Some(hash) {
                return Ok(false);
            }
        }
        if is_unmade {
            return Ok(true);
        }
        let mut file = File::open(part_path(self.target, before.part))?;
        file.seek(SeekFrom::Start(before.length))?;
        let mut rest = Vec::new();
        file.take(announced.bytes.len() as u64 + 1).read_to_end(&mut rest)?;
        Ok(announced.bytes.starts_with(&rest))
    }

    /// The hash of what was written between two ends, as [`note::Note`] makes it; `None` if there is less.
    fn hash_between(&self, from: End, to: End) -> io::Result<Option<[u8; 32]>> {
        let mut hasher = blake3::Hasher::new();
        let mut at = from;
        while at.part < to.part {
            let mut file = File::open(part_path(self.target, at.part))?;
            file.seek(SeekFrom::Start(at.length))?;
            update(&mut hasher, file)?;
            at = End { part: at.part + 1, length: 0 };
            hasher.update(&at.part.to_le_bytes());
        }
        let Some(count) = to.length.checked_sub(at.length).filter(|_| at.part == to.part) else {
            return Ok(None);
        };
        if count > 0 {
            let mut file = File::open(part_path(self.target, at.part))?;
            if file.metadata()?.len() < to.length {
                return Ok(None);
            }
            file.seek(SeekFrom::Start(at.length))?;
            update(&mut hasher, file.take(count))?;
        }
        Ok(Some(*hasher.finalize().as_bytes()))
    }
}

fn update(hasher: &mut blake3::Hasher, mut from: impl Read) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => hasher.update(&buffer[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
    }
}

fn part_path(target: &Target, part: u64) -> PathBuf {
    target.path(part).expect("a position in a file was made by a target with one")
}

/// The last of the parts that follow one another from `part` on. None of those behind it were there when it was made.
fn last_part(target: &Target, part: u64) -> u64 {
    match target {
        Target::Parts(parts) => (part..u64::MAX)
            .take_while(|next| parts.names.path(next + 1).exists())
            .last()
            .map_or(part, |last| last + 1),
        _ => part,
    }
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
