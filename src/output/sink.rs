//! The open file, or one after the other: where it ends, what is noted before each write, what a mark has to sync.
//!
//! Knows bytes and files; which bytes belong together is decided in [`super::jsonl`].

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::destination::{Destination, Parts, Target, open_to_append, take_back};
use super::error::OutputError;
use super::mark::Mark;
use super::note::{Note, WRITE_MOST};
use super::position::{End, Position, TAIL};

/// So many finished parts wait for the next mark to sync them; beyond that they are synced at once, since each holds a
/// handle.
const MOST_UNSYNCED: usize = 16;

/// What is written to.
#[derive(Debug)]
pub(super) struct Sink {
    file: Arc<File>,
    /// `None` for what cannot be cut back: standard output, devices, FIFOs.
    path: Option<PathBuf>,
    /// For messages: what is written, or what could not be.
    name: String,
    parts: Option<Parts>,
    end: End,
    began: End,
    /// The last bytes of the file, [`TAIL`] of them if there are so many, and maybe more.
    tail: Vec<u8>,
    note: Option<Note>,
    /// Bytes were written since the last mark.
    is_dirty: bool,
    /// A file was made since the last mark, or may have been.
    is_made: bool,
    /// Parts that were finished since the last mark.
    finished: Vec<(Arc<File>, PathBuf)>,
}

impl Sink {
    /// Opens the target, empties what is to be replaced.
    pub(super) fn open(target: &Target) -> Result<Sink, OutputError> {
        let (path, part, file) = match target {
            Target::Stdout => return Sink::open_stdout(),
            Target::Append(path) => (path.clone(), 0, open_to_append(path)?),
            Target::Replace(path) => {
                let file = open_to_append(path)?;
                let failed = |cause| OutputError::open(path, cause);
                // Devices and FIFOs have no length.
                if file.metadata().map_err(failed)?.is_file() {
                    file.set_len(0).map_err(failed)?;
                }
                (path.clone(), 0, file)
            }
            Target::Parts(parts) => {
                let (first, old) = parts.first()?;
                // From the last one, so that what is left after a kill is still a beginning.
                for path in old.iter().rev().map(|&part| parts.names.path(part)) {
                    fs::remove_file(&path).map_err(|cause| OutputError::open(&path, cause))?;
                }
                let path = parts.names.path(first);
                let file = make(&path).map_err(|cause| OutputError::open(&path, cause))?;
                (path, first, file)
            }
        };
        let sink = Sink::over(target, &path, file, part)?;
        if let (Some(compression), true) = (target.compression(), sink.end.length > 0) {
            let file =
                File::open(&path).map_err(|cause| OutputError::Unreadable { path: path.clone(), cause })?;
            if !compression.is_whole(file) {
                return Err(OutputError::NotCompressed { path, what: compression.name() });
            }
        }
        Ok(sink)
    }

    /// Opens the target to go on behind `end`, where the file ends now. The run began at `began`.
    pub(super) fn reopen(target: &Target, end: End, began: End) -> Result<Sink, OutputError> {
        let Some(path) = target.path(end.part) else { return Sink::open_stdout() };
        let file = open_to_append(&path)?;
        Ok(Sink { began, ..Sink::over(target, &path, file, end.part)? })
    }

    fn over(target: &Target, path: &Path, file: File, part: u64) -> Result<Sink, OutputError> {
        let is_file = file.metadata().map_err(|cause| OutputError::open(path, cause))?.is_file();
        let (tail, length) = match is_file {
            true => tail_of(&file, path)
                .map_err(|cause| OutputError::Unreadable { path: path.to_owned(), cause })?,
            false => (Vec::new(), 0),
        };
        let end = End { part, length };
        let parts = match target {
            Target::Parts(parts) => Some(parts.clone()),
            _ => None,
        };
        Ok(Sink {
            path: is_file.then(|| path.to_owned()),
            name: path.display().to_string(),
            parts,
            end,
            began: end,
            tail,
            is_made: true,
            ..Sink::new(file)
        })
    }

    /// Our own handle instead of [`io::Stdout`]: its line buffer would hide how much of a chunk was written.
    fn open_stdout() -> Result<Sink, OutputError> {
        let name = "standard output".to_owned();
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(handle) => Ok(Sink { name, ..Sink::new(File::from(handle)) }),
            Err(cause) => Err(OutputError::write(&name, cause)),
        }
    }

    fn new(file: File) -> Sink {
        Sink {
            file: Arc::new(file),
            path: None,
            name: String::new(),
            parts: None,
            end: End::default(),
            began: End::default(),
            tail: Vec::new(),
            note: None,
            is_dirty: false,
            is_made: false,
            finished: Vec::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn is_file(&self) -> bool {
        self.path.is_some()
    }

    pub(super) fn ends_mid_line(&self) -> bool {
        self.tail.last().is_some_and(|last| *last != b'\n')
    }

    pub(super) fn keep_note(&mut self, path: &Path) -> Result<(), OutputError> {
        if self.is_file() {
            let note = Note::begin(path, self.end);
            self.note = Some(note.map_err(|cause| OutputError::write(&path.display().to_string(), cause))?);
        }
        Ok(())
    }

    /// The position at the end of the file, with what is not in it yet.
    pub(super) fn mark(&mut self, held: &[u8]) -> Result<Mark, OutputError> {
        let Some(path) = &self.path else { return Ok(Mark::default()) };
        let metadata = self.file.metadata().map_err(|cause| OutputError::write(&self.name, cause))?;
        let (path, length, expected) = (path.clone(), metadata.len(), self.end.length);
        if length < expected {
            return Err(OutputError::Cut { path, length, expected });
        }
        if length > expected {
            return Err(OutputError::Shared { path, length, expected });
        }
        if let Some(note) = &mut self.note {
            note.mark(self.end);
        }
        let tail = &self.tail[self.tail.len().saturating_sub(TAIL)..];
        let position = Position {
            end: self.end,
            tail: *blake3::hash(tail).as_bytes(),
            held: held.to_vec(),
            began: self.began,
        };
        Ok(Mark {
            position,
            finished: std::mem::take(&mut self.finished),
            current: Some((Arc::clone(&self.file), path)),
            is_dirty: std::mem::take(&mut self.is_dirty),
            is_made: std::mem::take(&mut self.is_made),
        })
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
        if self.tail.len() > 4 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }
}

impl Write for Sink {
    /// While a note is kept, as much of `bytes` as it has room for.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut bytes = bytes;
        if let Some(note) = &mut self.note {
            bytes = &bytes[..bytes.len().min(WRITE_MOST)];
            note.announce(self.end, bytes).map_err(|cause| not_noted(&cause))?;
        }
        let count = (&*self.file).write(bytes)?;
        if self.path.is_some() {
            let written = &bytes[..count];
            self.end.length += count as u64;
            self.is_dirty = true;
            self.remember(written);
            if let Some(note) = &mut self.note {
                note.wrote(written);
            }
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Destination for Sink {
    /// Nothing is written afterwards, and no mark is made.
    fn take_back(&mut self, bytes: u64) {
        if let (Some(note), Some(path), Some(length)) =
            (&mut self.note, &self.path, self.end.length.checked_sub(bytes))
        {
            let tail = File::open(path).and_then(|mut file| tail_before(&mut file, length));
            // As the note is, it knows nothing of so short a file: then rather a half line, which going on cuts off.
            if tail.and_then(|tail| note.announce_stop(End { length, ..self.end }, &tail)).is_err() {
                return;
            }
        }
        take_back(&self.file, bytes);
    }

    fn room(&self) -> Option<u64> {
        // A part that holds nothing has no better one behind it.
        let parts = self.parts.as_ref().filter(|_| self.end.length > 0)?;
        Some(parts.most_bytes.saturating_sub(self.end.length))
    }

    fn most(&self) -> u64 {
        self.parts.as_ref().map_or(u64::MAX, |parts| parts.most_bytes)
    }

    fn next_part(&mut self) -> io::Result<()> {
        let Some(parts) = &self.parts else { return Ok(()) };
        let part = self.end.part + 1;
        let path = parts.names.path(part);
        if let Some(note) = &mut self.note {
            note.announce_part(part).map_err(|cause| not_noted(&cause))?;
        }
        if self.is_dirty && self.note.is_some() {
            if self.finished.len() >= MOST_UNSYNCED {
                self.file.sync_data()?;
            } else if let Some(path) = self.path.take() {
                self.finished.push((Arc::clone(&self.file), path));
            }
        }
        self.name = path.display().to_string();
        self.file = Arc::new(make(&path)?);
        self.path = Some(path);
        self.end = End { part, length: 0 };
        self.tail.clear();
        (self.is_dirty, self.is_made) = (true, true);
        Ok(())
    }
}

/// The message names the output, but the note may be on another disk.
fn not_noted(cause: &io::Error) -> io::Error {
    io::Error::new(cause.kind(), format!("the note of it in the state folder cannot be written: {cause}"))
}

/// Makes a file that must not be there.
fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create_new(true).open(path)
}

/// The last [`TAIL`] bytes, or all there are, and the length.
fn tail_of(file: &File, path: &Path) -> io::Result<(Vec<u8>, u64)> {
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok((Vec::new(), 0));
    }
    // A second handle, since opening a FIFO for reading too would not wait for its reader.
    Ok((tail_before(&mut File::open(path)?, length)?, length))
}

/// The last [`TAIL`] bytes before `end`, or all there are.
pub(super) fn tail_before(file: &mut File, end: u64) -> io::Result<Vec<u8>> {
    let count = end.min(TAIL as u64);
    let mut tail = Vec::new();
    file.seek(SeekFrom::Start(end - count))?;
    file.take(count).read_to_end(&mut tail)?;
    Ok(tail)
}
