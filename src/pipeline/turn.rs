//! What became of a request, from the moment it is settled until it is its turn to be written and counted: at once, or in
//! ordered output when all before it have had theirs.
//!
//! Lines, counts and what is written down of them belong together: a run that goes on later must find all of them or none.

use std::time::SystemTime;

use super::desk::DeskError;
use super::keeper::Done;
use super::news::News;
use crate::model::{Errand, PageError, Records, Request, Unmade, display_url};
use crate::output::JsonLines;
use crate::state::{FailedPage, Tally, TallyOf};
use crate::summary::Summary;

/// What became of one request.
#[derive(Debug)]
pub(super) struct Turn {
    records: Records,
    fate: Fate,
    /// Bytes of its body.
    bytes: u64,
    /// What it counts for in the state, if there is one.
    of: Option<TallyOf>,
}

#[derive(Debug)]
enum Fate {
    /// Read, a page or not.
    Done {
        is_page: bool,
    },
    Failed(Box<FailedPage>),
    Disallowed,
    LeftOut,
}

impl Turn {
    /// A page was read, or something else than a page.
    pub(super) fn done(request: &Request, bytes: u64, records: Records) -> Turn {
        let fate = Fate::Done { is_page: request.errand == Errand::Page };
        Turn { records, fate, bytes, of: None }
    }

    /// It failed for good.
    pub(super) fn failed(request: Request, bytes: u64, error: PageError) -> Turn {
        let page = FailedPage {
            id: request.id,
            whom: display_url(&request.url),
            error,
            attempts: request.attempt + 1,
            at: SystemTime::now(),
            request: Some(request),
        };
        Turn { fate: Fate::Failed(Box::new(page)), bytes, ..Turn::empty(Fate::LeftOut) }
    }

    /// The source has none here.
    pub(super) fn unmade(unmade: Unmade) -> Turn {
        let Unmade { id, whom, error } = unmade;
        let page = FailedPage { id, request: None, whom, error, attempts: 1, at: SystemTime::now() };
        Turn::empty(Fate::Failed(Box::new(page)))
    }

    /// robots.txt forbids it.
    pub(super) fn disallowed() -> Turn {
        Turn::empty(Fate::Disallowed)
    }

    /// A redirect led it to what is not followed, or is known.
    pub(super) fn left_out() -> Turn {
        Turn::empty(Fate::LeftOut)
    }

    fn empty(fate: Fate) -> Turn {
        Turn { records: Records::default(), fate, bytes: 0, of: None }
    }

    /// With what it counts for in the state.
    pub(super) fn of(self, request: &Request) -> Turn {
        let host = request.url.host_str().unwrap_or_default().to_owned();
        Turn { of: Some(TallyOf { rule: request.rule, host }), ..self }
    }

    /// How much memory it takes, about.
    pub(super) fn weight(&self) -> u64 {
        let marks: usize =
            self.records.marks.iter().map(|mark| size_of_val(mark) + mark.key_json.len()).sum();
        (self.records.lines.len() + marks) as u64
    }

    /// Whether it is a page that was read, and whether one that failed: for who shows how far the run has come.
    pub(super) fn shown(&self) -> (u64, u64) {
        match self.fate {
            Fate::Done { is_page } => (u64::from(is_page), 0),
            Fate::Failed(_) => (0, 1),
            Fate::Disallowed | Fate::LeftOut => (0, 0),
        }
    }
}

/// What a request's turn is written on, and counted.
pub(super) struct Paper<'d> {
    pub(super) output: &'d mut JsonLines,
    pub(super) news: &'d mut Option<News>,
    pub(super) summary: &'d mut Summary,
    /// What is written down of it, if anything.
    pub(super) done: Option<&'d mut Done>,
    /// So many records in all.
    pub(super) most: Option<u64>,
}

impl Paper<'_> {
    /// Writes and counts what became of a request.
    pub(super) fn take(&mut self, turn: Turn) -> Result<(), DeskError> {
        let Turn { records, fate, bytes, of } = turn;
        self.summary.bytes += bytes;
        let mut tally = Tally::default();
        match fate {
            Fate::Done { is_page } => {
                self.summary.pages_done += u64::from(is_page);
                tally.done = u64::from(is_page);
            }
            Fate::Failed(page) => {
                self.summary.count_failure(page.error.kind());
                if let Some(done) = &mut self.done {
                    done.failed.push(*page);
                }
            }
            Fate::Disallowed => {
                self.summary.pages_disallowed += 1;
                tally.disallowed = 1;
            }
            Fate::LeftOut => tally.left_out = 1,
        }
        let before = self.summary.records;
        self.write(&records)?;
        tally.records = self.summary.records - before;
        if let (Some(done), Some(of)) = (&mut self.done, of)
            && tally != Tally::default()
        {
            done.tallies.entry(of).or_default().add(tally);
        }
        Ok(())
    }

    /// Writes what a page gave, as far as it is wanted.
    fn write(&mut self, records: &Records) -> Result<(), DeskError> {
        let room = self.most.map_or(u64::MAX, |most| most.saturating_sub(self.summary.records));
        if room == 0 {
            return Ok(());
        }
        self.summary.records_dropped += records.dropped;
        self.summary.count_fields(&records.fields);
        if let Some(news) = self.news {
            let mut lines = Vec::with_capacity(records.lines.len());
            let counts = news.pick(records, room, &mut lines)?;
            self.summary.records += counts.written();
            if let Some(all) = &mut self.summary.news {
                all.add(counts);
            }
            return Ok(self.output.write(&lines)?);
        }
        if records.count <= room {
            self.summary.records += records.count;
            return Ok(self.output.write(&records.lines)?);
        }
        self.summary.records += room;
        let ends = records.lines.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let end = ends.take(usize::try_from(room).unwrap_or(usize::MAX)).last().unwrap_or(0);
        Ok(self.output.write(&records.lines[..end])?)
    }
}
