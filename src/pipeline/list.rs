//! Lists that must be waited for: standard input, pipes. Each is read by a thread of its own, which hands the lines over
//! a bounded channel and knocks at the conductor, so that a crawl begins with the first line and never waits for one.
//!
//! A thread cannot be called back out of a read. So it reads only what is there: it waits for the list and for a second
//! pipe at once, and when the other end of that is dropped with [`Arriving`], it ends. Where the list is full of lines,
//! it ends because nobody receives them. The only user of rustix.

use std::fs::OpenOptions;
use std::io::{self, BufReader, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::OFlags;

use super::threads::CrewError;
use crate::source::{Line, LineError, Lines, ListFile, ListRequests, Polled, Source, SplitLines};
use crate::stop::{Stop, StopOnPanic};
use crate::sync::{self, Receiver, Scope, Sender, bounded};

/// Lines that may wait for the conductor.
const ROOM: usize = 1024;

/// It reads and splits, no more.
const STACK_BYTES: usize = 1 << 18;

/// The requests of the lists of `source`; those that must be waited for are read from now on.
///
/// # Errors
/// The system gives no thread, or no pipe to end it by.
pub(super) fn open<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    source: &Source,
    stop: &'env Stop,
) -> Result<ListRequests, CrewError> {
    let mut failed = None;
    let requests = source.list_requests(|list| {
        if !list.may_wait() {
            return Box::new(list.lines());
        }
        match listen(scope, list.clone(), stop) {
            Ok(lines) => Box::new(lines),
            Err(source) => {
                failed = Some(CrewError::Spawn { name: "list".to_owned(), source });
                Box::new(list.lines())
            }
        }
    });
    failed.map_or(Ok(requests), Err)
}

fn listen<'scope, 'env: 'scope>(
    scope: &'scope Scope<'scope, 'env>,
    list: ListFile,
    stop: &'env Stop,
) -> io::Result<Arriving> {
    let (end, until) = io::pipe().map(|(reader, writer)| (writer, reader))?;
    let (lines, arriving) = bounded(ROOM);
    sync::spawn(scope, "list", STACK_BYTES, move || {
        let _guard = StopOnPanic(stop);
        read(&list, until, &lines, stop);
        // First the end, then the knock: who looks after it must see the end.
        drop(lines);
        stop.knock();
    })?;
    Ok(Arriving { lines: arriving, _end: end })
}

/// Hands over the lines of a list until it ends, or nobody wants them.
fn read(list: &ListFile, until: PipeReader, lines: &Sender<Line>, stop: &Stop) {
    let opened = match list {
        ListFile::Stdin => io::stdin().as_fd().try_clone_to_owned(),
        ListFile::File(path) => open_without_waiting(path),
    };
    let send = |line| {
        let is_wanted = lines.send(line).is_ok();
        stop.knock();
        is_wanted
    };
    match opened {
        Ok(list) => {
            let _ = SplitLines::new(BufReader::new(Waiting { list, until })).all(send);
        }
        Err(error) => {
            send(Line { number: 1, content: Err(LineError::Broken(error.to_string())) });
        }
    }
}

/// Opens a pipe though nobody may write to it yet.
fn open_without_waiting(path: &Path) -> io::Result<OwnedFd> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    Ok(OpenOptions::new().read(true).custom_flags(flags).open(path)?.into())
}

/// Reads when there is something to read, and is at its end when the run is.
struct Waiting {
    list: OwnedFd,
    until: PipeReader,
}

impl Read for Waiting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let mut both = [PollFd::new(&self.list, PollFlags::IN), PollFd::new(&self.until, PollFlags::IN)];
            match poll(&mut both, None) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let [list, until] = both.map(|fd| !fd.revents().is_empty());
            if until {
                return Ok(0);
            }
            if list {
                match rustix::io::read(&self.list, &mut *buffer) {
                    Ok(count) => return Ok(count),
                    // Somebody else took it, or it was a false alarm.
                    Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
}

/// The lines that have arrived. Dropping it ends the thread that reads them.
struct Arriving {
    lines: Receiver<Line>,
    _end: PipeWriter,
}

impl Lines for Arriving {
    fn poll(&mut self) -> Polled {
        match self.lines.try_recv() {
            Ok(line) => Polled::Line(line),
            Err(error) if error.is_empty() => Polled::NotYet,
            Err(_) => Polled::End,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_come_while_the_writer_still_writes_and_dropping_them_ends_the_thread() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        let stop = Stop::new();
        sync::scope(|scope| {
            let list = ListFile::File(path.clone());
            assert!(list.may_wait());
            let mut lines = listen(scope, list, &stop).unwrap();
            assert_eq!(lines.poll(), Polled::NotYet);
            let mut writer = OpenOptions::new().write(true).open(&path).unwrap();
            writer.write_all(b"one\ntwo").unwrap();
            stop.knocks().recv().unwrap();
            assert_eq!(lines.poll(), Polled::Line(Line { number: 1, content: Ok("one".to_owned()) }));
            assert_eq!(lines.poll(), Polled::NotYet);
            // The writer still holds its end: only the drop can end the thread that this scope waits for.
            drop(lines);
        });
    }

    #[test]
    fn a_list_that_ends_says_so_after_its_last_line() {
        let stop = Stop::new();
        sync::scope(|scope| {
            let mut lines = listen(scope, ListFile::named("/dev/null"), &stop).unwrap();
            stop.knocks().recv().unwrap();
            assert_eq!(lines.poll(), Polled::End);
        });
    }
}
