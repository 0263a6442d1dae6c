//! What a run is about to write, noted before it does: so that after a kill its own bytes behind the last kept position
//! can be told from foreign ones.
//!
//! The note is a small file beside the state. At its beginning is the boot of the system it was made in: this alone goes
//! to the disk at once. Then, in place and never synced, since a killed process loses nothing that was written:
//! the last marks with a hash of what came between each two, and the bytes of the write that is under way. After a power
//! cut nobody can say what of unsynced files there is, so a note of another boot says only that.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::position::End;
use crate::folders::{folder_of, sync_folder};

/// The bytes of one write at most, while a note is kept.
pub(super) const WRITE_MOST: usize = 64 << 10;

/// Marks that are remembered: the position that was kept has to be one of them.
pub(super) const MARKS: usize = 8;

/// Where the record begins: behind the boot.
const RECORD_AT: usize = 512;
/// Where the bytes begin. The record is in the first page with all of it, so that a kill never leaves half of it.
const BYTES_AT: usize = 1024;
const HASH: usize = 32;

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// Bytes are written.
    Write = 1,
    /// The file is cut back to the mark, from the length that the deed begins at, and later parts are removed.
    Cut = 2,
    /// Nothing: a write failed, and the file ends where the deed begins. The bytes are the hash of those before.
    Stop = 3,
}

/// A mark, and the hash of what was written from there to the next one, or to the deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) end: End,
    pub(super) hash: [u8; HASH],
}

/// A note that is read back.
#[derive(Debug)]
pub(super) struct Announced {
    pub(super) deed: Deed,
    pub(super) marks: Vec<Noted>,
    /// The last part, and what its length was before the deed.
    pub(super) before: End,
    /// What was to be written there, or what the deed says of them.
    pub(super) bytes: Vec<u8>,
}

/// A note being kept.
#[derive(Debug)]
pub(super) struct Note {
    file: File,
    marks: VecDeque<Noted>,
    /// Of what was written since the last mark.
    hasher: blake3::Hasher,
    buffer: Vec<u8>,
}

impl Note {
    /// Begins a note, of a file that is at `end`. Whatever was in the note before is gone.
    pub(super) fn begin(path: &Path, end: End) -> io::Result<Note> {
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
        file.write_all_at(&sealed(boot().as_bytes()), 0)?;
        file.sync_data()?;
        sync_folder(folder_of(path))?;
        let first = Noted { end, hash: [0; HASH] };
        let mut note =
            Note { file, marks: VecDeque::from([first]), hasher: blake3::Hasher::new(), buffer: Vec::new() };
        note.announce(end, &[])?;
        Ok(note)
    }

    /// Notes that `bytes`, at most [`WRITE_MOST`], are about to be written behind `before`.
    pub(super) fn announce(&mut self, before: End, bytes: &[u8]) -> io::Result<()> {
        debug_assert!(bytes.len() <= WRITE_MOST);
        if let Some(last) = self.marks.back_mut() {
            last.hash = *self.hasher.finalize().as_bytes();
        }
        record(&mut self.buffer, Deed::Write, before, self.marks.iter().copied(), bytes);
        self.file.write_all_at(&self.buffer, RECORD_AT as u64)
    }

    /// Notes that the file ends at `end`, for `tail` is what it ends with: in front of what was announced before.
    pub(super) fn announce_stop(&mut self, end: End, tail: &[u8]) -> io::Result<()> {
        let marks = self.marks.iter().copied();
        record(&mut self.buffer, Deed::Stop, end, marks, blake3::hash(tail).as_bytes());
        self.file.write_all_at(&self.buffer, RECORD_AT as u64)
    }

    /// The bytes were written.
    pub(super) fn wrote(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Notes that a part is about to be made.
    pub(super) fn announce_part(&mut self, part: u64) -> io::Result<()> {
        self.wrote(&part.to_le_bytes());
        self.announce(End { part, length: 0 }, &[])
    }

    /// A mark is made.
    pub(super) fn mark(&mut self, end: End) {
        let Some(last) = self.marks.back_mut().filter(|last| last.end != end) else { return };
        last.hash = *self.hasher.finalize().as_bytes();
        self.hasher.reset();
        self.marks.push_back(Noted { end, hash: [0; HASH] });
        if self.marks.len() > MARKS {
            self.marks.pop_front();
        }
    }
}

/// Notes that the file is about to be cut to `to`, from `before`, the last part of which the length is `before.length`.
pub(super) fn announce_cut(path: &Path, to: End, before: End) -> io::Result<()> {
    let mut buffer = Vec::new();
    record(&mut buffer, Deed::Cut, before, std::iter::once(Noted { end: to, hash: [0; HASH] }), &[]);
    OpenOptions::new().write(true).open(path)?.write_all_at(&buffer, RECORD_AT as u64)
}

/// Whether the note says that the system has been started again since; `None` if it says nothing, being missing or
/// damaged.
pub(super) fn is_of_another_boot(note: &[u8]) -> Option<bool> {
    Some(unsealed(note.get(..RECORD_AT)?)? != *blake3::hash(boot().as_bytes()).as_bytes())
}

/// What was announced last; `None` if the note is damaged.
pub(super) fn read(note: &[u8]) -> Option<Announced> {
    let record = note.get(RECORD_AT..BYTES_AT)?;
    let (body, rest) = record.split_at(BODY);
    if *blake3::hash(body).as_bytes() != rest[..HASH] {
        return None;
    }
    let number = |at: usize| Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
    let end = |at: usize| Some(End { part: number(at)?, length: number(at + 8)? });
    let deed = match body[0] {
        1 => Deed::Write,
        2 => Deed::Cut,
        3 => Deed::Stop,
        _ => return None,
    };
    let marks = (0..usize::from(body[1]))
        .map(|index| {
            let at = MARKS_AT + index * MARK;
            Some(Noted { end: end(at)?, hash: body.get(at + 16..at + MARK)?.try_into().ok()? })
        })
        .collect::<Option<Vec<_>>>()?;
    let count = usize::try_from(number(18)?).ok()?;
    // A kill may have come before the bytes were noted; then none of them are in the file.
    let bytes = note[BYTES_AT..].iter().copied().take(count).collect();
    Some(Announced { deed, marks, before: end(2)?, bytes })
}

// Of a record: deed, number of marks, the end before, number of bytes, marks.
const MARKS_AT: usize = 2 + 16 + 8;
const MARK: usize = 16 + HASH;
const BODY: usize = MARKS_AT + MARKS * MARK;

fn record(
    out: &mut Vec<u8>,
    deed: Deed,
    before: End,
    marks: impl ExactSizeIterator<Item = Noted>,
    bytes: &[u8],
) {
    out.clear();
    out.extend([deed as u8, marks.len() as u8]);
    for number in [before.part, before.length, bytes.len() as u64] {
        out.extend(number.to_le_bytes());
    }
    for mark in marks {
        out.extend(mark.end.part.to_le_bytes());
        out.extend(mark.end.length.to_le_bytes());
        out.extend(mark.hash);
    }
    out.resize(BODY, 0);
    out.extend(blake3::hash(out).as_bytes());
    out.resize(BYTES_AT - RECORD_AT, 0);
    out.extend(bytes);
}

/// Which start of the system this is, in words of the system; nothing where it has none.
fn boot() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
}

/// The hash of a text with its own hash behind it.
fn sealed(text: &[u8]) -> Vec<u8> {
    let hash = blake3::hash(text);
    let mut out = hash.as_bytes().to_vec();
    out.extend(blake3::hash(hash.as_bytes()).as_bytes());
    out.resize(RECORD_AT, 0);
    out
}

fn unsealed(block: &[u8]) -> Option<[u8; HASH]> {
    let hash: [u8; HASH] = block[..HASH].try_into().ok()?;
    (*blake3::hash(&hash).as_bytes() == block[HASH..2 * HASH]).then_some(hash)
}

/// Changes a note so that it is one of another start of the system.
#[cfg(test)]
pub(super) fn make_foreign(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&sealed(b"another boot"), 0).unwrap();
}
