//! When a range without an end ends.

use super::Settled;

/// An open range on a dead site would never end: so many pages in a row that failed for good end it.
pub const FAILURES_THAT_END_AN_OPEN_RANGE: u32 = 20;

/// How a source without an end ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct OpenRange {
    pub(super) failures_in_a_row: u32,
    pub(super) ended: Option<OpenEnd>,
}

/// Why an open range ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenEnd {
    /// A page gave no record, or was not there.
    EmptyPage,
    /// [`FAILURES_THAT_END_AN_OPEN_RANGE`] pages in a row failed.
    OnlyFailures,
}

impl OpenRange {
    /// Notes how a page of the range was settled, and how many records it gave.
    pub(super) fn note(&mut self, settled: Settled, records: u64) {
        match settled {
            Settled::Done if records == 0 => {
                self.ended.get_or_insert(OpenEnd::EmptyPage);
            }
            Settled::Done => self.failures_in_a_row = 0,
            Settled::Failed => {
                self.failures_in_a_row += 1;
                if self.failures_in_a_row >= FAILURES_THAT_END_AN_OPEN_RANGE {
                    self.ended.get_or_insert(OpenEnd::OnlyFailures);
                }
            }
            Settled::Retry | Settled::Moved | Settled::LeftOut | Settled::Own => {}
        }
    }

    /// Why it has ended, if it has.
    pub(super) fn ended(&self) -> Option<OpenEnd> {
        self.ended
    }
}
