//! Going on where an earlier run came to: what of a frontier is kept, as plain values and bytes.
//!
//! What is found, settled and put off comes as [`Changes`] from time to time; given back as [`Resumed`], it makes a
//! frontier that hands out what the first one had not settled, and nothing else. Knows no disk.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::links::LinkCounts;
use super::open::{OpenEnd, OpenRange};
use super::seen::Seen;
use super::{Frontier, FrontierError, Waiting};
use crate::model::{Change, Request, RequestId, SourcePosition, Unmade};
use crate::scope::LeftOut;
use crate::wire::{Bytes, put_bytes, put_number};

/// The form of [`Progress`] in bytes.
const FORM: u8 = 1;

/// How far a frontier has come, beside what it keeps for each request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Numbers given to requests.
    numbered: u64,
    /// Pages that count against the bound of the job and are settled.
    pages_settled: u64,
    /// How far the source has been read.
    source: SourcePosition,
    /// A page has said that nothing more of it is wanted.
    source_closed: bool,
    /// Something was not asked for since an earlier run had met a record in front of it.
    is_cut_at_seen: bool,
    open: Option<OpenRange>,
    links: LinkCounts,
    /// In ordered output: all before this are settled and written.
    written: Option<RequestId>,
}

impl Progress {
    /// How many numbers were given to requests.
    pub fn numbered(&self) -> u64 {
        self.numbered
    }

    /// How far the source has been read.
    pub fn source(&self) -> SourcePosition {
        self.source
    }

    /// In ordered output: all requests before this one are settled and written.
    pub fn written(&self) -> Option<RequestId> {
        self.written
    }

    /// As it is when `pages` of a run that is done are to be asked for once more. In ordered output nothing waits for them:
    /// all the others are written.
    pub fn reopened(self, pages: u64) -> Progress {
        let pages_settled = self.pages_settled.saturating_sub(pages);
        Progress { pages_settled, written: Some(RequestId(self.numbered)), ..self }
    }

    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![FORM];
        put_number(self.numbered, &mut out);
        put_number(self.pages_settled, &mut out);
        put_number(self.source.drawn, &mut out);
        put_number(self.source.lines, &mut out);
        out.extend_from_slice(&self.source.hash);
        put_number(self.source_closed.into(), &mut out);
        put_number(self.is_cut_at_seen.into(), &mut out);
        put_number(self.open.is_some().into(), &mut out);
        if let Some(open) = self.open {
            put_number(open.failures_in_a_row.into(), &mut out);
            put_number(
                match open.ended {
                    None => 0,
                    Some(OpenEnd::EmptyPage) => 1,
                    Some(OpenEnd::OnlyFailures) => 2,
                },
                &mut out,
            );
        }
        put_number(self.written.map_or(0, |id| id.0 + 1), &mut out);
        put_number(self.links.followed, &mut out);
        put_number(self.links.known, &mut out);
        put_number(self.links.left_out.len() as u64, &mut out);
        for (reason, count) in &self.links.left_out {
            let at = LeftOut::ALL.iter().position(|known| known == reason);
            put_bytes(&[at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX)], &mut out);
            put_number(*count, &mut out);
        }
        out
    }

    /// From bytes; `None` if they are not what was written.
    pub fn from_bytes(bytes: &[u8]) -> Option<Progress> {
        let mut bytes = Bytes(bytes);
        if bytes.byte()? != FORM {
            return None;
        }
        let (numbered, pages_settled) = (bytes.number()?, bytes.number()?);
        let (drawn, lines) = (bytes.number()?, bytes.number()?);
        let mut hash = [0; 32];
        for byte in &mut hash {
            *byte = bytes.byte()?;
        }
        let source_closed = bytes.number()? == 1;
        let is_cut_at_seen = bytes.number()? == 1;
        let open = match bytes.number()? {
            0 => None,
            _ => Some(OpenRange {
                failures_in_a_row: bytes.number()?.try_into().ok()?,
                ended: match bytes.number()? {
                    0 => None,
                    1 => Some(OpenEnd::EmptyPage),
                    2 => Some(OpenEnd::OnlyFailures),
                    _ => return None,
                },
            }),
        };
        let written = bytes.number()?.checked_sub(1).map(RequestId);
        let mut links =
            LinkCounts { followed: bytes.number()?, known: bytes.number()?, ..LinkCounts::default() };
        for _ in 0..bytes.number()? {
            let &[at] = bytes.bytes()? else { return None };
            links.left_out.insert(*LeftOut::ALL.get(usize::from(at))?, bytes.number()?);
        }
        let source = SourcePosition { drawn, lines, hash };
        Some(Progress {
            numbered,
            pages_settled,
            source,
            source_closed,
            is_cut_at_seen,
            open,
            links,
            written,
        })
    }
}

/// What is to be written down, all of it or nothing.
#[derive(Debug)]
pub struct Changes {
    /// Of requests.
    pub requests: Vec<Change>,
    /// Fingerprints of what was not known before.
    pub found: Vec<u128>,
    /// How far the frontier has come.
    pub progress: Progress,
}

/// Pending requests that an earlier run left, by their ranks and then by their numbers. They are read when their turn
/// comes: there may be millions.
pub type PendingRequests = Box<dyn Iterator<Item = Result<Request, String>>>;

/// What an earlier run left.
pub struct Resumed {
    /// How far it had come.
    pub progress: Progress,
    /// What it knew.
    pub seen: Seen,
    /// What it had not settled.
    pub pending: PendingRequests,
    /// What it would have tried again, and in what time.
    pub waiting: Vec<(Duration, Request)>,
    /// Places of the source without a request that could not be written down.
    pub unmade: Vec<Unmade>,
}

/// The pending requests of an earlier run, one of them at hand.
pub(super) struct Rest {
    front: Option<Request>,
    behind: PendingRequests,
}

impl Rest {
    /// The next one; `None` at the end.
    pub(super) fn front(&mut self) -> Result<Option<&Request>, FrontierError> {
        if self.front.is_none() {
            self.front = self.behind.next().transpose().map_err(FrontierError::Rest)?;
        }
        Ok(self.front.as_ref())
    }

    /// Takes the next one, unless it must wait.
    pub(super) fn take(&mut self, horizon: Option<RequestId>) -> Option<Request> {
        self.front.take_if(|request| horizon.is_none_or(|horizon| request.id < horizon))
    }
}

impl Frontier {
    /// Notes all changes from now on; `is_ordered` if records are written in order.
    pub fn keep_changes(&mut self, is_ordered: bool) {
        self.ledger.begin(self.hosts.order(), is_ordered);
    }

    /// How much there is to write down: requests and what was found.
    pub fn count_changes(&self) -> usize {
        self.ledger.len()
    }

    /// Takes what has changed since the last time. `written` is the first request that is not written yet, in ordered
    /// output; `None` if all are.
    pub fn take_changes(&mut self, written: Option<RequestId>) -> Changes {
        let (requests, found) = self.ledger.take(written);
        let progress = Progress {
            numbered: self.numbered,
            pages_settled: self.ledger.pages_settled(),
            source: self.source.position(self.drawn.is_none()),
            // Any other end of the source is found again.
            source_closed: self.open_end().is_some() || (self.is_cut_at_seen && self.source_ends_at_seen),
            is_cut_at_seen: self.is_cut_at_seen,
            open: self.open,
            links: self.links.as_ref().map(|links| links.counts_so_far().clone()).unwrap_or_default(),
            written,
        };
        Changes { requests, found, progress }
    }

    /// Goes on where an earlier run came to, with a source that goes on there too.
    pub fn resume(&mut self, resumed: Resumed, now: Instant) {
        let Resumed { progress, seen, pending, waiting, unmade } = resumed;
        self.numbered = progress.numbered;
        self.ledger.resume(progress.pages_settled);
        self.pages_left = self.pages_left.saturating_sub(progress.pages_settled);
        if let (Some(open), Some(kept)) = (&mut self.open, progress.open) {
            *open = kept;
        }
        (self.source_closed, self.is_cut_at_seen) = (progress.source_closed, progress.is_cut_at_seen);
        if let Some(links) = &mut self.links {
            links.resume(seen, progress.links, progress.written);
        }
        for (delay, request) in waiting {
            self.charge(&request);
            self.ledger.was_waiting(&request);
            self.waiting.push(Reverse(Waiting { due: now + delay, request }));
        }
        self.unmade = unmade;
        self.resumed = Some(Rest { front: None, behind: pending });
    }

    /// As [`Frontier::resume`], but nothing is asked for that neither these nor what they lead to are: the source had come
    /// to its end. Hosts that were given up are asked again.
    pub fn resume_only(&mut self, resumed: Resumed, now: Instant) {
        self.resume(resumed, now);
        self.hosts.forgive();
        self.source_closed = true;
        self.seeds.clear();
        self.sitemaps_of.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_back() {
        let links = LinkCounts {
            followed: 7,
            known: 300,
            left_out: LeftOut::ALL.iter().map(|&reason| (reason, 5)).collect(),
            shapes_cut: Vec::new(),
        };
        for (open, written) in [
            (None, None),
            (
                Some(OpenRange { failures_in_a_row: 3, ended: Some(OpenEnd::OnlyFailures) }),
                Some(RequestId(0)),
            ),
            (Some(OpenRange::default()), Some(RequestId(900))),
        ] {
            let source = SourcePosition { drawn: 9, lines: 1 << 40, hash: [7; 32] };
            let progress = Progress {
                numbered: u64::MAX,
                pages_settled: 1,
                source,
                source_closed: true,
                is_cut_at_seen: true,
                open,
                links: links.clone(),
                written,
            };
            let bytes = progress.to_bytes();
            assert_eq!(Progress::from_bytes(&bytes), Some(progress));
            assert_eq!(Progress::from_bytes(&bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(Progress::from_bytes(b"\x02"), None);
    }
}
