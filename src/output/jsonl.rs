//! JSON Lines: whole lines in, whole lines out.
//!
//! Lines wait in a bounded buffer, and for at most 200 ms. A write call carries whole lines; when it fails half way,
//! the half line is taken back where that is possible, so that a full disk leaves a file that reads. Does not know what
//! the lines say.
//!
//! A file that ends in the middle of a line, of a writer that died, keeps all it has: the first write begins with a line
//! feed, so that no two lines are glued together.
//!
//! Of compressed output, lines wait until there are enough for a piece, or the run ends. Parts end between lines, or
//! between pieces.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant};

use super::compress::{Compression, PIECE};
use super::destination::{Destination, Target};
use super::error::OutputError;
use super::mark::Mark;
use super::position::Position;
use super::resume;
use super::sink::Sink;

/// Lines wait this long for company: unnoticed by who watches, and few enough writes when there is much to say.
const PATIENCE: Duration = Duration::from_millis(200);

/// Bytes that wait at most.
const BUFFER_MAX: usize = 64 * 1024;

/// The output of a run.
#[derive(Debug)]
pub struct JsonLines {
    lines: Lines<Sink>,
    ends_mid_line: bool,
}

impl JsonLines {
    /// Opens the target. `Replace` empties the file here, so open when all else about the job is known to be right.
    /// A FIFO waits here for its reader.
    ///
    /// # Errors
    /// When it cannot be written to; [`OutputError::hint`] says what to do.
    pub fn open(target: &Target) -> Result<JsonLines, OutputError> {
        Ok(JsonLines::over(Sink::open(target)?, target.compression()))
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
        if *target == Target::Stdout || !position.is_in_file() {
            return JsonLines::open(target);
        }
        resume::verify(target, position, note)?.cut_back()?;
        let sink = Sink::reopen(target, position.end, position.began)?;
        let mut output = JsonLines::over(sink, target.compression());
        output.lines.buffer.extend_from_slice(&position.held);
        Ok(output)
    }

    /// Opens the target and takes back what an interrupted run wrote, up to where it began, if that is still as it left
    /// it; if it is not, opens it as [`JsonLines::open`] does. Says whether it was taken back. Whoever keeps `position`
    /// should forget it right afterwards.
    ///
    /// # Errors
    /// As [`JsonLines::open`].
    pub fn restart(
        target: &Target,
        position: &Position,
        note: Option<&Path>,
    ) -> Result<(JsonLines, bool), OutputError> {
        let is_replaced = match target {
            Target::Stdout | Target::Replace(_) => true,
            Target::Append(_) => false,
            Target::Parts(parts) => parts.replaces,
        };
        if is_replaced || !position.is_in_file() {
            return Ok((JsonLines::open(target)?, true));
        }
        let Ok(verified) = resume::verify(target, position, note) else {
            return Ok((JsonLines::open(target)?, false));
        };
        verified.cut_to_beginning()?;
        let sink = Sink::reopen(target, position.began, position.began)?;
        Ok((JsonLines::over(sink, target.compression()), true))
    }

    fn over(sink: Sink, compression: Option<Compression>) -> JsonLines {
        let ends_mid_line = compression.is_none() && sink.ends_mid_line();
        let mut lines = Lines::new(sink);
        lines.compression = compression;
        if ends_mid_line {
            lines.separator = b"\n";
        }
        JsonLines { lines, ends_mid_line }
    }

    /// Whether the file ended in the middle of a line when it was opened; worth a warning.
    pub fn ended_mid_line(&self) -> bool {
        self.ends_mid_line
    }

    /// Whether the output is a file that [`JsonLines::resume`] could cut back: not standard output, a device or a FIFO.
    pub fn is_file(&self) -> bool {
        self.lines.destination.is_file()
    }

    /// From now on announces each write in the file `path`, which is made or emptied: so that after a kill what was
    /// written since the last mark can be told from what others added. Call it before the first mark, after opening,
    /// resuming or restarting alike. Does nothing for what is not a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_note(&mut self, path: &Path) -> Result<(), OutputError> {
        self.lines.destination.keep_note(path)
    }

    /// Writes out what waits, and gives the position behind it. Of compressed output, lines too few for a piece stay in
    /// the position. At most seven marks may be ahead of the one that was kept.
    ///
    /// # Errors
    /// As [`JsonLines::write`], and when somebody else changed the length of the file.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.flush()?;
        let Lines { destination, buffer, .. } = &mut self.lines;
        destination.mark(buffer)
    }

    /// Takes whole lines, each with its line feed.
    ///
    /// # Errors
    /// When the destination refuses lines, these or earlier ones. Nothing can be written afterwards.
    pub fn write(&mut self, lines: &[u8]) -> Result<(), OutputError> {
        let written = self.lines.write(lines, Instant::now());
        self.named(written)
    }

    /// Writes out what waits, but not what compressed output holds back.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn flush(&mut self) -> Result<(), OutputError> {
        let written = self.lines.flush();
        self.named(written)
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

    /// When [`JsonLines::flush_if_due`] wants to be called; `None` if nothing waits for a time.
    pub fn due(&self) -> Option<Instant> {
        self.lines.due
    }

    /// Writes out all, also what compressed output held back. For the last mark of a run.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn end(&mut self) -> Result<(), OutputError> {
        let written = self.lines.end();
        self.named(written)
    }

    /// Writes out all and ends. Without it, dropping tries the same and tells nobody if that fails.
    ///
    /// # Errors
    /// As [`JsonLines::write`].
    pub fn finish(mut self) -> Result<(), OutputError> {
        self.end()
    }

    fn named(&self, result: io::Result<()>) -> Result<(), OutputError> {
        result.map_err(|cause| OutputError::write(self.lines.destination.name(), cause))
    }
}

/// Lines waiting for a destination.
#[derive(Debug)]
struct Lines<D: Destination> {
    destination: D,
    buffer: Vec<u8>,
    /// When the buffer is to be written at the latest; `None` while it is empty.
    due: Option<Instant>,
    compression: Option<Compression>,
    /// Goes in front of the first line.
    separator: &'static [u8],
    /// Writing failed: what follows would leave a gap.
    has_failed: bool,
}

impl<D: Destination> Lines<D> {
    fn new(destination: D) -> Lines<D> {
        let buffer = Vec::with_capacity(BUFFER_MAX);
        Lines { destination, buffer, due: None, compression: None, separator: b"", has_failed: false }
    }

    fn write(&mut self, lines: &[u8], now: Instant) -> io::Result<()> {
        debug_assert!(lines.is_empty() || lines.ends_with(b"\n"), "whole lines only");
        self.check()?;
        if lines.is_empty() {
            return Ok(());
        }
        if self.compression.is_some() {
            self.buffer.extend_from_slice(lines);
            return if self.buffer.len() >= PIECE { self.end() } else { Ok(()) };
        }
        if self.buffer.len() + self.separator.len() + lines.len() > BUFFER_MAX {
            self.flush()?;
        }
        self.buffer.extend_from_slice(std::mem::take(&mut self.separator));
        if self.buffer.len() + lines.len() > BUFFER_MAX {
            // More than the buffer holds: written as it is, behind the separator if there is one.
            self.flush()?;
            return self.write_lines(lines);
        }
        self.buffer.extend_from_slice(lines);
        // A busy caller may never come to wait, so that it would not call `flush_if_due` either.
        if *self.due.get_or_insert(now + PATIENCE) <= now { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.compression.is_some() { self.check() } else { self.end() }
    }

    fn end(&mut self) -> io::Result<()> {
        self.due = None;
        let mut buffer = std::mem::take(&mut self.buffer);
        let result = match self.compression {
            None => self.write_lines(&buffer),
            Some(compression) => self.write_pieces(&buffer, compression),
        };
        buffer.clear();
        buffer.shrink_to(BUFFER_MAX);
        self.buffer = buffer;
        result
    }

    /// Writes lines, each part as many as it has room for.
    fn write_lines(&mut self, lines: &[u8]) -> io::Result<()> {
        let mut rest = lines;
        self.check()?;
        while !rest.is_empty() {
            let room = match self.destination.room() {
                None => self.destination.most(),
                Some(room) => room,
            };
            let count = match usize::try_from(room) {
                Ok(room) if room < rest.len() => end_of_last_line(&rest[..room]),
                _ => rest.len(),
            };
            if count == 0 && self.destination.room().is_some() {
                self.next_part()?;
                continue;
            }
            // A line longer than a part may be has one of its own.
            let count = if count == 0 { end_of_first_line(rest) } else { count };
            self.write_out(&rest[..count], true)?;
            rest = &rest[count..];
        }
        Ok(())
    }

    /// Writes lines as compressed pieces: one, if a part has room for it.
    fn write_pieces(&mut self, lines: &[u8], compression: Compression) -> io::Result<()> {
        self.check()?;
        if lines.is_empty() {
            return Ok(());
        }
        let piece = compression.pack(lines).inspect_err(|_| self.has_failed = true)?;
        let length = piece.len() as u64;
        let middle = end_of_first_line(&lines[lines.len() / 2..]) + lines.len() / 2;
        let half = if middle < lines.len() { middle } else { end_of_last_line(&lines[..lines.len() - 1]) };
        if length > self.destination.most() && half > 0 {
            self.write_pieces(&lines[..half], compression)?;
            return self.write_pieces(&lines[half..], compression);
        }
        if self.destination.room().is_some_and(|room| room < length) {
            self.next_part()?;
        }
        self.write_out(&piece, false)
    }

    fn next_part(&mut self) -> io::Result<()> {
        let result = self.destination.next_part();
        self.has_failed |= result.is_err();
        result
    }

    fn check(&self) -> io::Result<()> {
        if self.has_failed { Err(io::Error::other("an earlier write failed")) } else { Ok(()) }
    }

    /// `write_all`, but it knows how far it came, and takes back what is not whole: half a line, or half a piece.
    fn write_out(&mut self, bytes: &[u8], is_lines: bool) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let cause = match self.destination.write(&bytes[written..]) {
                Ok(0) => ErrorKind::WriteZero.into(),
                Ok(count) => {
                    written += count;
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            self.has_failed = true;
            let whole = if is_lines { end_of_last_line(&bytes[..written]) } else { 0 };
            if whole < written {
                self.destination.take_back((written - whole) as u64);
            }
            return Err(cause);
        }
        Ok(())
    }
}

/// Behind the last line feed; 0 if there is none.
fn end_of_last_line(bytes: &[u8]) -> usize {
    memchr::memrchr(b'\n', bytes).map_or(0, |feed| feed + 1)
}

/// Behind the first line feed; the end if there is none.
fn end_of_first_line(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |feed| feed + 1)
}

impl<D: Destination> Drop for Lines<D> {
    /// A panic of the caller must not cost the lines that were ready.
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
#[path = "jsonl_tests.rs"]
mod tests;
