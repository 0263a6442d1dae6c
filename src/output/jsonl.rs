//! JSON Lines: whole lines in, whole lines out.
//!
//! Lines wait in a bounded buffer, and for at most 200 ms. A write call carries whole lines; when it fails half way,
//! the half line is taken back where that is possible, so that a full disk leaves a file that reads. Does not know what
//! the lines say.
//!
//! A file that ends in the middle of a line, of a writer that died, keeps all it has: the first write begins with a line
//! feed, so that no two lines are glued together.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::destination::{Destination, OutputError, Target, open};
use super::mark::Mark;
use super::position::Position;

/// Lines wait this long for company: unnoticed by who watches, and few enough writes when there is much to say.
const PATIENCE: Duration = Duration::from_millis(200);

/// Bytes that wait at most.
const BUFFER_MAX: usize = 64 * 1024;

/// The output of a run.
#[derive(Debug)]
pub struct JsonLines {
    lines: Lines<File>,
    /// For messages: the path, or `standard output`.
    name: String,
    ends_mid_line: bool,
}

impl JsonLines {
    /// Opens the target. `Replace` empties the file here, so open when all else about the job is known to be right.
    /// A FIFO waits here for its reader.
    ///
    /// # Errors
    /// When it cannot be written to; [`OutputError::hint`] says what to do.
    pub fn open(target: &Target) -> Result<JsonLines, OutputError> {
        let opened = open(target)?;
        let mut lines = Lines::new(opened.file);
        if opened.ends_mid_line {
            lines.separator = b"\n";
        }
        Ok(JsonLines { lines, name: opened.name, ends_mid_line: opened.ends_mid_line })
    }

    /// Whether the file ended in the middle of a line when it was opened; worth a warning.
    pub fn ended_mid_line(&self) -> bool {
        self.ends_mid_line
    }

    /// Takes whole lines, each with its line feed.
    ///
    /// # Errors
    /// When the destination refuses lines, these or earlier ones. Nothing can be written afterwards.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        self.lines.write(lines, Instant::now()).map_err(|cause| OutputError::write(&self.name, cause))
    }

    /// Writes out what waits.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn flush(&mut self) -> Result<(), OutputError> {
        self.lines.flush().map_err(|cause| OutputError::write(&self.name, cause))
    }

    /// Writes out what waits, if it has waited long enough.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn flush_if_due(&mut self, now: Instant) -> Result<(), OutputError> {
        match self.due() {
            Some(due) if due <= now => self.flush(),
            _ => Ok(()),
        }
    }

    /// When [`JsonLines::flush_if_due`] wants to be called; `None` if nothing waits.
    pub fn due(&self) -> Option<Instant> {
        self.lines.due
    }

    /// Whether the output is a file that [`JsonLines::resume`] could cut back: not standard output, a device or a FIFO.
    pub fn is_file(&self) -> bool {
        true
    }

    /// From now on announces each write in the file `path`, which is made or emptied: so that after a kill what was
    /// written since the last mark can be told from what others added. Call it before the first mark, after opening,
    /// resuming or restarting alike.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_note(&mut self, path: &Path) -> Result<(), OutputError> {
        let _ = path;
        Ok(())
    }

    /// Writes out what waits, and gives the position behind it. Of compressed output, lines too few for a member stay in
    /// the position. At most seven marks may be ahead of the one that was kept.
    ///
    /// # Errors
    /// As [`JsonLines::write`], and when somebody else changed the length of the file.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.flush()?;
        Ok(Mark::default())
    }

    /// Opens the target and goes on behind `position`, after cutting off what our killed run had written behind it.
    /// `note` is what that run announced ([`JsonLines::keep_note`]); `None` if it ended in order, at this position, so
    /// that whatever is behind it is not ours.
    ///
    /// # Errors
    /// When the file is not as we left it; nothing was changed then. [`OutputError::hint`] says what to do.
    pub fn resume(
        target: &Target,
        position: &Position,
        note: Option<&Path>,
    ) -> Result<JsonLines, OutputError> {
        let _ = (position, note);
        JsonLines::open(target)
    }

    /// Opens the target and takes back what an interrupted run wrote, up to where it began, if that is still as it left
    /// it; if it is not, opens it as [`JsonLines::open`] does. Says whether it was taken back.
    ///
    /// # Errors
    /// As [`JsonLines::open`].
    pub fn restart(
        target: &Target,
        position: &Position,
        note: Option<&Path>,
    ) -> Result<(JsonLines, bool), OutputError> {
        let _ = (position, note);
        Ok((JsonLines::open(target)?, false))
    }

    /// Writes out all, also what compressed output held back. For the last mark of a run.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn end(&mut self) -> Result<(), OutputError> {
        self.flush()
    }

    /// Writes out what waits and ends. Without it, dropping tries the same and tells nobody if that fails.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn finish(mut self) -> Result<(), OutputError> {
        self.flush()
    }
}

/// Lines waiting for a destination.
#[derive(Debug)]
struct Lines<D: Destination> {
    destination: D,
    buffer: Vec<u8>,
    /// When the buffer is to be written at the latest; `None` while it is empty.
    due: Option<Instant>,
    /// Goes in front of the first line.
    separator: &'static [u8],
    /// Writing failed: what follows would leave a gap.
    has_failed: bool,
}

impl<D: Destination> Lines<D> {
    fn new(destination: D) -> Lines<D> {
        let buffer = Vec::with_capacity(BUFFER_MAX);
        Lines { destination, buffer, due: None, separator: b"", has_failed: false }
    }

    fn write(&mut self, lines: &[u8], now: Instant) -> io::Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "whole lines only");
        self.check()?;
        if lines.is_empty() {
            return Ok(());
        }
        if self.buffer.len() + self.separator.len() + lines.len() > BUFFER_MAX {
            self.flush()?;
        }
        self.buffer.extend_from_slice(std::mem::take(&mut self.separator));
        if self.buffer.len() + lines.len() > BUFFER_MAX {
            // More than the buffer holds: written as it is, behind the separator if there is one.
            self.flush()?;
            return self.write_out(lines);
        }
        self.buffer.extend_from_slice(lines);
        // A busy caller may never come to wait, so that it would not call `flush_if_due` either.
        if *self.due.get_or_insert(now + PATIENCE) <= now { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.due = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = self.write_out(&buffer);
        buffer.clear();
        self.buffer = buffer;
        result
    }

    fn check(&self) -> io::Result<()> {
        if self.has_failed { Err(io::Error::other("an earlier write failed")) } else { Ok(()) }
    }

    /// `write_all`, but it knows how far it came.
    fn write_out(&mut self, lines: &[u8]) -> io::Result<()> {
        self.check()?;
        let mut written = 0;
        while written < lines.len() {
            let cause = match self.destination.write(&lines[written..]) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            self.has_failed = true;
            let whole = lines[..written].iter().rposition(|&b| b == b'\n').map_or(0, |feed| feed + 1);
            if whole < written {
                self.destination.take_back((written - whole) as u64);
            }
            return Err(cause);
        }
        Ok(())
    }
}

impl<D: Destination> Drop for Lines<D> {
    /// A panic of the caller must not cost the lines that were ready.
    fn drop(&mut self) {
        let _ = self.flush();
    }
}

#[cfg(test)]
#[path = "jsonl_tests.rs"]
mod tests;
