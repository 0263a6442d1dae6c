//! Links that were found and wait to be asked for: millions of them, in bounded memory.
//!
//! What is handed out next and what came last are in memory; what lies between is written to one temporary file, a
//! thousand requests at a time (`segments`, `scratch`), and read back when its turn comes. Each request is written and
//! read once at most, unless there are more priorities than fit into the window. Knows neither hosts nor paces, and
//! does not look whether a link was found before.

mod queue;
mod scratch;
mod segments;
mod stack;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use self::queue::Queue;
use self::scratch::Scratch;
use self::segments::Segments;
use self::stack::Stack;
use crate::model::Request;

/// So many requests stay in memory by default: about 5 MB.
const WINDOW: usize = 20_000;

/// In which order found links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// First found, first followed: a queue.
    Breadth,
    /// The links of the page that came last go first, in their order on that page: a stack.
    Depth,
    /// The highest priority first; among equals the first found.
    Priority,
}

/// Where the overflow goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spill {
    /// The folder of the temporary file. The file is made when it is needed, has no name there where the system allows
    /// that, and is gone with the process, however that ends.
    pub folder: PathBuf,
    /// How many requests stay in memory.
    pub window: usize,
}

impl Default for Spill {
    /// The system's temporary folder, and 20,000 requests.
    fn default() -> Spill {
        Spill { folder: std::env::temp_dir(), window: WINDOW }
    }
}

/// What went wrong with the temporary file.
#[derive(Debug, thiserror::Error)]
pub enum BacklogError {
    /// It cannot be made or written: the folder is not there, or the disk is full.
    #[error(
        "cannot keep pending links in a temporary file in `{}`: {reason}; make room there, or name another folder \
         (--spill-dir, TMPDIR)",
        .folder.display()
    )]
    Write {
        /// Where the file is.
        folder: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// It cannot be read.
    #[error(
        "cannot read pending links back from a temporary file in `{}`: {reason}; try it on another disk (--spill-dir, \
         TMPDIR)",
        .folder.display()
    )]
    Read {
        /// Where the file is.
        folder: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// What is in it is not what was written.
    #[error(
        "the temporary file of pending links in `{}` is damaged; try it on another disk (--spill-dir, TMPDIR)",
        .folder.display()
    )]
    Damaged {
        /// Where the file is.
        folder: PathBuf,
    },
}

/// The pending requests of found links, in the order in which they are to be followed.
pub struct Backlog {
    order: Order,
    lanes: Lanes,
    segments: Segments,
    len: u64,
    /// How many requests are in memory.
    held: usize,
    /// Pushing more than this many into memory writes some out.
    limit: usize,
    /// After a fault of the disk, the next try is made with so many in memory.
    retry_at: usize,
}

enum Lanes {
    /// One queue for each priority that there is; in order of breadth they all count as 0.
    Queues(BTreeMap<i32, Queue>),
    Stack(Stack),
}

impl Backlog {
    /// Without any request. Touches no disk.
    pub fn new(order: Order, spill: Spill) -> Backlog {
        Backlog::over(order, spill.window, Scratch::new(spill.folder))
    }

    fn over(order: Order, window: usize, scratch: Scratch) -> Backlog {
        let segments = Segments::new(scratch, window / 8);
        let lanes = match order {
            Order::Breadth | Order::Priority => Lanes::Queues(BTreeMap::new()),
            Order::Depth => Lanes::Stack(Stack::default()),
        };
        // One segment can be read back without going beyond the window.
        let limit = window.saturating_sub(segments.at_most()).max(1);
        Backlog { order, lanes, segments, len: 0, held: 0, limit, retry_at: 0 }
    }

    /// Takes in a request that was not moved, for a page. Several links of one page go through
    /// [`push_page`](Backlog::push_page).
    ///
    /// # Errors
    /// The disk, if requests had to be written out. `request` and all others are in the backlog even so: they stay in
    /// memory, and writing is tried again when a good number more has come.
    pub fn push(&mut self, request: Request) -> Result<(), BacklogError> {
        let segment = self.segments.at_most();
        match &mut self.lanes {
            Lanes::Queues(queues) => {
                let level = if self.order == Order::Priority { request.priority } else { 0 };
                queues.entry(level).or_default().push(request, segment);
            }
            Lanes::Stack(stack) => stack.push(request, segment),
        }
        self.len += 1;
        self.held += 1;
        self.make_room()
    }

    /// Takes in the links of one page, in their order on the page.
    ///
    /// # Errors
    /// As [`push`](Backlog::push), and all links are in the backlog even so.
    pub fn push_page<I>(&mut self, links: I) -> Result<(), BacklogError>
    where
        I: IntoIterator<Item = Request, IntoIter: DoubleEndedIterator>,
    {
        let is_stack = self.order == Order::Depth;
        let mut end = Ok(());
        // No `?`: the links after the one that met the fault have to get in too.
        let push = |link| {
            let pushed = self.push(link);
            if end.is_ok() {
                end = pushed;
            }
        };
        let links = links.into_iter();
        if is_stack {
            links.rev().for_each(push);
        } else {
            links.for_each(push);
        }
        end
    }

    /// What [`pop`](Backlog::pop) would take; `None` if nothing is pending.
    ///
    /// # Errors
    /// The disk, if requests had to be read back. They are where they were, and may be asked for again.
    pub fn peek(&mut self) -> Result<Option<&Request>, BacklogError> {
        match &mut self.lanes {
            Lanes::Queues(queues) => match queues.last_entry() {
                Some(entry) => {
                    let queue = entry.into_mut();
                    self.held += queue.fill(&mut self.segments)?;
                    Ok(queue.front())
                }
                None => Ok(None),
            },
            Lanes::Stack(stack) => {
                self.held += stack.fill(&mut self.segments)?;
                Ok(stack.top())
            }
        }
    }

    /// Takes the request that is next; `None` if nothing is pending.
    ///
    /// # Errors
    /// As [`peek`](Backlog::peek).
    pub fn pop(&mut self) -> Result<Option<Request>, BacklogError> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        let popped = match &mut self.lanes {
            Lanes::Queues(queues) => queues.last_entry().and_then(|mut entry| {
                let popped = entry.get_mut().pop();
                if entry.get().is_empty() {
                    entry.remove();
                }
                popped
            }),
            Lanes::Stack(stack) => stack.pop(),
        };
        if popped.is_some() {
            self.len -= 1;
            self.held -= 1;
        }
        if self.held <= self.limit {
            self.retry_at = 0;
        }
        Ok(popped)
    }

    /// How many requests are pending.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many bytes the temporary file takes; it keeps what it once took until all of it has been read.
    pub fn bytes_on_disk(&self) -> u64 {
        self.segments.bytes_on_disk()
    }

    fn make_room(&mut self) -> Result<(), BacklogError> {
        while self.held > self.limit.max(self.retry_at) {
            let written = match &mut self.lanes {
                Lanes::Queues(queues) => match most_dispensable(queues, self.segments.at_most()) {
                    Some(queue) => queue.spill(&mut self.segments),
                    None => Ok(0),
                },
                Lanes::Stack(stack) => stack.spill(&mut self.segments),
            };
            match written {
                Ok(0) => break,
                Ok(written) => {
                    self.held -= written;
                    self.retry_at = 0;
                }
                Err(error) => {
                    // Not at each push: to find the disk full again costs a whole segment.
                    self.retry_at = self.held + self.segments.at_most();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// The queue that is written out: the one of the lowest priority that fills a segment, or else the one with the most
/// requests in memory.
fn most_dispensable(queues: &mut BTreeMap<i32, Queue>, segment: usize) -> Option<&mut Queue> {
    let level = queues.iter().find(|(_, queue)| queue.fills(segment));
    let level = level.or_else(|| queues.iter().max_by_key(|(_, queue)| queue.held()))?;
    let level = *level.0;
    queues.get_mut(&level)
}
