//! Which requests are pending, in flight, done or failed, and what goes out next.
//!
//! Plain data with one owner, the conductor: no thread, no lock, no clock of its own (the time is handed in). That
//! keeps the interface small enough for a frontier on disk, or a shared one, to stand behind it later.

mod retry;
mod throttle;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::model::{PageError, Request, RequestId, Unmade};

pub use retry::RetryPolicy;
pub use throttle::{Reply, Throttle, ThrottleMode, ThrottlePolicy, Verdict};

/// An open range on a dead site would never end: so many pages in a row that failed for good end it.
pub const FAILURES_THAT_END_AN_OPEN_RANGE: u32 = 20;

/// What the frontier says when asked for work.
#[derive(Debug)]
pub enum Next {
    /// This may go out now. It counts as in flight from here on.
    Request(Request),
    /// The source has a request that cannot be made; it is a failed page.
    Failed(Unmade),
    /// Nothing now; ask again at this time, or after an outcome.
    At(Instant),
    /// Nothing until an outcome has been settled.
    AfterOutcome,
    /// Nothing pending, nothing in flight: the run is over.
    Done,
}

/// What became of a request that was handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is done.
    Done,
    /// It goes out again.
    Retry,
    /// It failed for good.
    Failed,
}

/// Where the frontier takes new requests from, in the order of their ids.
pub type Requests = Box<dyn Iterator<Item = Result<Request, Unmade>>>;

/// The pending requests of a run.
pub struct Frontier {
    source: std::iter::Peekable<Requests>,
    open: Option<OpenRange>,
    retry: RetryPolicy,
    /// Requests that wait for another try, by the time they are due.
    waiting: BinaryHeap<Reverse<Waiting>>,
    /// Requests that were handed out and came back untouched.
    returned: Vec<Request>,
    in_flight: u64,
    source_closed: bool,
}

/// How a source without an end ends.
#[derive(Debug, Default)]
struct OpenRange {
    failures_in_a_row: u32,
    ended: Option<OpenEnd>,
}

/// Why an open range ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenEnd {
    /// A page gave no record, or was not there.
    EmptyPage,
    /// [`FAILURES_THAT_END_AN_OPEN_RANGE`] pages in a row failed.
    OnlyFailures,
}

#[derive(Debug, PartialEq, Eq)]
struct Waiting {
    due: Instant,
    request: Request,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.due, self.request.id).cmp(&(other.due, other.request.id))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Frontier {
    /// A frontier over `source`. With `until_empty`, the first page without a record closes the source.
    pub fn new(source: Requests, until_empty: bool, retry: RetryPolicy) -> Frontier {
        Frontier {
            source: source.peekable(),
            open: until_empty.then(OpenRange::default),
            retry,
            waiting: BinaryHeap::new(),
            returned: Vec::new(),
            in_flight: 0,
            source_closed: false,
        }
    }

    /// The next request that may go out at `now`. New requests are held back from id `horizon` on: that is how
    /// ordered output bounds what it must keep.
    pub fn next(&mut self, now: Instant, horizon: Option<RequestId>) -> Next {
        if let Some(request) = self.take_pending(now) {
            self.in_flight += 1;
            return Next::Request(request);
        }
        if !self.source_closed {
            match self.source.peek() {
                Some(next) if is_within(next, horizon) => {
                    return match self.source.next().expect("it was peeked at") {
                        Ok(request) => {
                            self.in_flight += 1;
                            Next::Request(request)
                        }
                        Err(unmade) => {
                            self.watch_for_the_end(Settled::Failed, 0);
                            Next::Failed(unmade)
                        }
                    };
                }
                Some(_) => return self.due_or(Next::AfterOutcome),
                None => self.source_closed = true,
            }
        }
        let idle = if self.in_flight > 0 { Next::AfterOutcome } else { Next::Done };
        self.due_or(idle)
    }

    fn take_pending(&mut self, now: Instant) -> Option<Request> {
        if let Some(request) = self.returned.pop() {
            return Some(request);
        }
        let is_due = self.waiting.peek().is_some_and(|Reverse(waiting)| waiting.due <= now);
        is_due.then(|| self.waiting.pop().map(|Reverse(waiting)| waiting.request)).flatten()
    }

    fn due_or(&self, otherwise: Next) -> Next {
        self.waiting.peek().map_or(otherwise, |Reverse(waiting)| Next::At(waiting.due))
    }

    /// Takes back a request that was handed out but never touched.
    pub fn put_back(&mut self, request: Request) {
        self.in_flight -= 1;
        self.returned.push(request);
    }

    /// Settles a request that was handed out: `result` is how many records it gave, or why it failed. `asked` is how
    /// long the server asked to be left alone.
    pub fn settle(
        &mut self,
        request: &Request,
        result: Result<u64, &PageError>,
        asked: Option<Duration>,
        now: Instant,
    ) -> Settled {
        self.in_flight -= 1;
        let settled = match result {
            Ok(_) => Settled::Done,
            // Past the last page, half of all sites say 404; the other half show an empty list.
            Err(PageError::Status(404 | 410)) if self.open.is_some() => Settled::Done,
            Err(error) => match self.retry.delay(request.attempt, error, asked) {
                Some(delay) if !self.source_was_abandoned() => {
                    let request = Request { attempt: request.attempt + 1, ..request.clone() };
                    self.waiting.push(Reverse(Waiting { due: now + delay, request }));
                    Settled::Retry
                }
                _ => Settled::Failed,
            },
        };
        let records = result.unwrap_or(0);
        self.watch_for_the_end(settled, records);
        settled
    }

    /// Decides whether an open range has come to its end.
    fn watch_for_the_end(&mut self, settled: Settled, records: u64) {
        let Some(open) = &mut self.open else { return };
        match settled {
            Settled::Done if records == 0 => {
                open.ended.get_or_insert(OpenEnd::EmptyPage);
                self.source_closed = true;
            }
            Settled::Done => open.failures_in_a_row = 0,
            Settled::Failed => {
                open.failures_in_a_row += 1;
                if open.failures_in_a_row >= FAILURES_THAT_END_AN_OPEN_RANGE {
                    open.ended.get_or_insert(OpenEnd::OnlyFailures);
                    self.source_closed = true;
                }
            }
            Settled::Retry => {}
        }
    }

    /// After an open range was given up as dead, its failures are not tried again either.
    fn source_was_abandoned(&self) -> bool {
        self.open_end() == Some(OpenEnd::OnlyFailures)
    }

    /// Why the open range ended, if it has.
    pub fn open_end(&self) -> Option<OpenEnd> {
        self.open.as_ref().and_then(|open| open.ended)
    }

    /// How many requests are out.
    pub fn in_flight(&self) -> u64 {
        self.in_flight
    }

    /// Whether there is, or may be, a request that was not settled for good.
    pub fn has_work_left(&mut self) -> bool {
        self.in_flight > 0
            || !self.waiting.is_empty()
            || !self.returned.is_empty()
            || (!self.source_closed && self.source.peek().is_some())
    }
}

impl std::fmt::Debug for Frontier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frontier")
            .field("waiting", &self.waiting.len())
            .field("returned", &self.returned.len())
            .field("in_flight", &self.in_flight)
            .field("source_closed", &self.source_closed)
            .finish_non_exhaustive()
    }
}

fn is_within(next: &Result<Request, Unmade>, horizon: Option<RequestId>) -> bool {
    let id = next.as_ref().map_or_else(|unmade| unmade.id, |request| request.id);
    horizon.is_none_or(|horizon| id < horizon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requests(count: u64) -> Requests {
        Box::new((0..count).map(|id| Ok(request(id))))
    }

    fn request(id: u64) -> Request {
        Request {
            id: RequestId(id),
            url: url::Url::parse("http://h/").unwrap(),
            page: i64::try_from(id).ok(),
            attempt: 0,
        }
    }

    fn retry_after(delay: Duration) -> RetryPolicy {
        RetryPolicy { retries: 1, first_delay: delay, longest_delay: delay, jitter: 0.0 }
    }

    fn take(frontier: &mut Frontier, now: Instant) -> Request {
        match frontier.next(now, None) {
            Next::Request(request) => request,
            other => panic!("no request but {other:?}"),
        }
    }

    const REFUSED: PageError = PageError::Status(503);

    #[test]
    fn it_is_done_only_when_nothing_is_in_flight() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(1), false, RetryPolicy::default());
        let only = take(&mut frontier, now);
        assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
        assert_eq!(frontier.settle(&only, Ok(0), None, now), Settled::Done);
        assert!(matches!(frontier.next(now, None), Next::Done));
        assert!(!frontier.has_work_left());
    }

    #[test]
    fn a_failure_comes_again_when_it_is_due_and_fails_for_good_at_last() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut frontier = Frontier::new(requests(1), false, retry_after(Duration::from_secs(1)));
        let first = take(&mut frontier, now);
        assert_eq!(frontier.settle(&first, Err(&REFUSED), None, now), Settled::Retry);
        assert!(matches!(frontier.next(now, None), Next::At(due) if due == later));
        let second = take(&mut frontier, later);
        assert_eq!((second.id, second.attempt), (first.id, 1));
        assert_eq!(frontier.settle(&second, Err(&REFUSED), None, later), Settled::Failed);
        assert!(matches!(frontier.next(later, None), Next::Done));
    }

    #[test]
    fn a_retry_that_is_due_goes_before_new_pages() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(9), false, retry_after(Duration::ZERO));
        let first = take(&mut frontier, now);
        frontier.settle(&first, Err(&REFUSED), None, now);
        assert_eq!(take(&mut frontier, now).id, first.id);
    }

    #[test]
    fn the_horizon_holds_back_new_pages_but_not_retries() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(9), false, retry_after(Duration::ZERO));
        let horizon = Some(RequestId(1));
        let first = take(&mut frontier, now);
        assert!(matches!(frontier.next(now, horizon), Next::AfterOutcome));
        frontier.settle(&first, Err(&REFUSED), None, now);
        assert!(matches!(frontier.next(now, horizon), Next::Request(request) if request.attempt == 1));
    }

    #[test]
    fn an_empty_page_closes_an_open_range_but_not_a_fixed_one() {
        let now = Instant::now();
        for (until_empty, end) in [(true, Some(OpenEnd::EmptyPage)), (false, None)] {
            let mut frontier = Frontier::new(requests(5), until_empty, RetryPolicy::default());
            let first = take(&mut frontier, now);
            frontier.settle(&first, Ok(0), None, now);
            assert_eq!(frontier.open_end(), end);
            assert_eq!(matches!(frontier.next(now, None), Next::Done), until_empty);
        }
    }

    #[test]
    fn page_not_found_is_the_end_of_an_open_range_and_no_failure() {
        let now = Instant::now();
        for status in [404, 410] {
            let mut frontier = Frontier::new(requests(5), true, RetryPolicy::default());
            let first = take(&mut frontier, now);
            assert_eq!(frontier.settle(&first, Err(&PageError::Status(status)), None, now), Settled::Done);
            assert_eq!(frontier.open_end(), Some(OpenEnd::EmptyPage));
        }
    }

    #[test]
    fn an_open_range_on_a_dead_site_ends() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(u64::MAX), true, RetryPolicy::default());
        let mut failed = 0;
        while let Next::Request(request) = frontier.next(now, None) {
            frontier.settle(&request, Err(&PageError::Status(403)), None, now);
            failed += 1;
        }
        assert_eq!(failed, FAILURES_THAT_END_AN_OPEN_RANGE);
        assert_eq!(frontier.open_end(), Some(OpenEnd::OnlyFailures));
    }

    #[test]
    fn an_open_range_that_gives_no_url_any_more_ends() {
        let source = (0..).map(|id| {
            Err(Unmade { id: RequestId(id), page: None, error: PageError::NoUrl("overflow".into()) })
        });
        let mut frontier = Frontier::new(Box::new(source), true, RetryPolicy::default());
        let mut failed = 0;
        while let Next::Failed(_) = frontier.next(Instant::now(), None) {
            failed += 1;
        }
        assert_eq!(failed, FAILURES_THAT_END_AN_OPEN_RANGE);
        assert_eq!(frontier.open_end(), Some(OpenEnd::OnlyFailures));
    }

    #[test]
    fn only_failures_in_a_row_end_an_open_range() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(u64::MAX), true, RetryPolicy::default());
        for number in 0..3 * FAILURES_THAT_END_AN_OPEN_RANGE {
            let request = take(&mut frontier, now);
            let result = if number % 2 == 0 { Ok(1) } else { Err(&PageError::Status(403)) };
            frontier.settle(&request, result, None, now);
        }
        assert_eq!(frontier.open_end(), None);
    }

    #[test]
    fn after_a_dead_site_was_given_up_its_failures_are_not_tried_again() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(u64::MAX), true, retry_after(Duration::ZERO));
        let late = take(&mut frontier, now);
        for _ in 0..FAILURES_THAT_END_AN_OPEN_RANGE {
            let request = take(&mut frontier, now);
            frontier.settle(&request, Err(&PageError::Status(403)), None, now);
        }
        assert_eq!(frontier.settle(&late, Err(&REFUSED), None, now), Settled::Failed);
        assert!(matches!(frontier.next(now, None), Next::Done));
    }

    #[test]
    fn a_request_that_waits_for_another_try_is_work_left() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(1), false, retry_after(Duration::from_secs(1)));
        let only = take(&mut frontier, now);
        frontier.settle(&only, Err(&REFUSED), None, now);
        assert!(frontier.has_work_left());
    }

    #[test]
    fn what_was_put_back_goes_out_again() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(1), false, RetryPolicy::default());
        let first = take(&mut frontier, now);
        frontier.put_back(first.clone());
        assert!(frontier.has_work_left());
        assert_eq!(take(&mut frontier, now), first);
    }

    #[test]
    fn a_request_that_cannot_be_made_is_handed_out_as_a_failure() {
        let now = Instant::now();
        let unmade = Unmade { id: RequestId(0), page: Some(7), error: PageError::NoUrl("overflow".into()) };
        let source = std::iter::once(Err(unmade.clone()));
        let mut frontier = Frontier::new(Box::new(source), false, RetryPolicy::default());
        assert!(matches!(frontier.next(now, None), Next::Failed(failed) if failed == unmade));
        assert!(matches!(frontier.next(now, None), Next::Done));
    }
}
