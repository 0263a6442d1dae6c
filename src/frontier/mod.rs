//! Which requests are pending, in flight, done or failed, and what goes out next.
//!
//! Plain data with one owner, the conductor: no thread, no lock, no clock of its own (the time is handed in). That
//! keeps the interface small enough for a frontier on disk, or a shared one, to stand behind it later.
//!
//! Requests come from the source, wait at their host, and go out when the table of hosts says so: within the
//! pace of the host (`pace`, `throttle`) and the rules of its robots.txt.

mod host;
mod hosts;
#[cfg(test)]
mod hosts_tests;
mod pace;
mod reply;
mod retry;
mod throttle;
mod troubles;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use url::Url;

use self::hosts::{Handed, Hosts};
use crate::model::{Drawn, Errand, Exchange, PageError, Request, RequestId, Unmade};
use crate::robots::Robots;

pub use self::pace::{HostPace, HostPattern, PacePolicy};
pub use self::retry::{RetryPolicy, Statuses};
pub use self::throttle::{ThrottleMode, ThrottlePolicy};

/// An open range on a dead site would never end: so many pages in a row that failed for good end it.
pub const FAILURES_THAT_END_AN_OPEN_RANGE: u32 = 20;

/// How many requests are read ahead of hosts that must wait, in search of one that need not.
const READ_AHEAD: u64 = 10_000;

/// How many of them at once: an outcome must be heard between.
const READ_AT_ONCE: u32 = 64;

/// RFC 9309 2.3.1.2: at least five redirects of a robots.txt are followed; after more it counts as not there.
const ROBOTS_REDIRECTS: u32 = 5;

/// What the frontier says when asked for work.
#[derive(Debug)]
pub enum Next {
    /// This may go out now. It counts as in flight from here on.
    Request(Request),
    /// The source has a request that cannot be made; it is a failed page.
    Unmade(Unmade),
    /// robots.txt forbids this page; it is not asked for.
    Disallowed(Request),
    /// This page cannot be asked for.
    Failed(Request, PageError),
    /// Nothing now; ask again at this time, or after an outcome.
    At(Instant),
    /// Nothing until an outcome has been settled, or somebody knocks because the source has more.
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
    /// It goes out again, to where a redirect led.
    Moved,
    /// It failed for good.
    Failed,
    /// It was none of the source's: the frontier itself had asked for a robots.txt.
    Own,
}

/// A request that was taken in, and what that meant for its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// What became of it.
    pub settled: Settled,
    /// How long nothing goes to its host from now on, if it asked to be left alone or does not keep up.
    pub pause: Option<Duration>,
}

/// What a request that was handed out gave.
#[derive(Debug, Clone, Copy)]
pub enum Gave<'a> {
    /// A page with so many records.
    Records(u64),
    /// A redirect to here.
    Moved(&'a Url),
    /// A robots.txt.
    Robots(&'a Robots),
}

/// Where the frontier takes new requests from, in the order of their ids. Drawing never waits for anybody.
pub trait Supply {
    /// The next request, if there is one by now. After [`Drawn::End`] it is not asked again.
    fn draw(&mut self) -> Drawn;
}

impl<I: Iterator<Item = Result<Request, Unmade>>> Supply for I {
    fn draw(&mut self) -> Drawn {
        self.next().map_or(Drawn::End, Drawn::Next)
    }
}

/// The supply of a run.
pub type Requests = Box<dyn Supply>;

/// The pending requests of a run.
pub struct Frontier {
    source: Requests,
    /// What was drawn from the source and cannot be handed on yet.
    drawn: Option<Result<Request, Unmade>>,
    open: Option<OpenRange>,
    retry: RetryPolicy,
    hosts: Hosts,
    /// Requests that wait for another try, by the time they are due.
    waiting: BinaryHeap<Reverse<Waiting>>,
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

/// What reading the source came to.
enum Read {
    /// A request waits at its host now.
    Request,
    Unmade(Unmade),
    /// The next request must wait in the source.
    Held,
    End,
}

impl Frontier {
    /// A frontier over `source`. With `until_empty`, the first page without a record closes the source.
    pub fn new(source: Requests, until_empty: bool, retry: RetryPolicy, pace: PacePolicy) -> Frontier {
        Frontier {
            source,
            drawn: None,
            open: until_empty.then(OpenRange::default),
            retry,
            hosts: Hosts::new(pace),
            waiting: BinaryHeap::new(),
            in_flight: 0,
            source_closed: false,
        }
    }

    /// The next request that may go out at `now`. New requests are held back from id `horizon` on: that is how
    /// ordered output bounds what it must keep.
    pub fn next(&mut self, now: Instant, horizon: Option<RequestId>) -> Next {
        while self.waiting.peek().is_some_and(|Reverse(waiting)| waiting.due <= now) {
            if let Some(Reverse(waiting)) = self.waiting.pop() {
                self.hosts.push(waiting.request, now);
            }
        }
        for _ in 0..READ_AT_ONCE {
            match self.hosts.take(now) {
                Some(Handed::Request(request)) => {
                    self.in_flight += 1;
                    return Next::Request(request);
                }
                Some(Handed::Disallowed(request)) => return Next::Disallowed(request),
                Some(Handed::Failed(request, error)) => {
                    self.watch_for_the_end(Settled::Failed, 0);
                    return Next::Failed(request, error);
                }
                None => {}
            }
            match self.read(now, horizon) {
                Read::Request => {}
                Read::Unmade(unmade) => {
                    self.watch_for_the_end(Settled::Failed, 0);
                    return Next::Unmade(unmade);
                }
                Read::Held | Read::End => return self.idle(now),
            }
        }
        Next::At(now)
    }

    /// Reads one more request from the source, if there is a use for it.
    fn read(&mut self, now: Instant, horizon: Option<RequestId>) -> Read {
        if self.source_closed {
            return Read::End;
        }
        self.draw();
        let may_be_read = match &self.drawn {
            None if self.source_closed => return Read::End,
            None => false,
            Some(next) if !is_within(next, horizon) => false,
            Some(Err(_)) => true,
            // The end of an open range is not known before its pages are: none is read that cannot go out.
            Some(Ok(next)) if self.open.is_some() => self.hosts.is_open(&next.url, now),
            Some(Ok(_)) => self.hosts.waiting() < READ_AHEAD,
        };
        if !may_be_read {
            return Read::Held;
        }
        match self.drawn.take() {
            Some(Ok(request)) => {
                self.hosts.push(request, now);
                Read::Request
            }
            Some(Err(unmade)) => Read::Unmade(unmade),
            None => Read::Held,
        }
    }

    /// Draws the next request from the source, unless the last one has not been handed on.
    fn draw(&mut self) {
        if self.drawn.is_some() || self.source_closed {
            return;
        }
        match self.source.draw() {
            Drawn::Next(next) => self.drawn = Some(next),
            Drawn::NotYet => {}
            Drawn::End => self.source_closed = true,
        }
    }

    /// What to wait for when nothing can go out.
    fn idle(&mut self, now: Instant) -> Next {
        let retry = self.waiting.peek().map(|Reverse(waiting)| waiting.due);
        // The next page of an open range waits in the source, where no host has a timer for it.
        let unread = match &self.drawn {
            Some(Ok(next)) if self.open.is_some() && !self.source_closed => self.hosts.opens_at(&next.url),
            _ => None,
        };
        match [retry, self.hosts.due(), unread.filter(|&at| at > now)].into_iter().flatten().min() {
            Some(due) => Next::At(due),
            None if self.in_flight > 0 || (!self.source_closed && self.drawn.is_none()) => Next::AfterOutcome,
            None => {
                debug_assert!(!self.has_work_left(), "{self:?}");
                Next::Done
            }
        }
    }

    /// The request that was handed out last has been taken by a thread only now: the pace of its host counts from
    /// here.
    pub fn taken(&mut self, now: Instant) {
        self.hosts.taken(now);
    }

    /// Whether a request that was handed out, and that no thread has taken yet, must come back: its host asked to be
    /// left alone in the meantime.
    pub fn must_wait(&mut self, request: &Request, now: Instant) -> bool {
        self.hosts.is_paused(request, now)
    }

    /// Takes back a request that was handed out but never touched.
    pub fn put_back(&mut self, request: Request, now: Instant) {
        self.in_flight -= 1;
        if request.errand == Errand::Robots && request.moved.is_none() && request.attempt == 0 {
            // It is asked for again when a page needs it.
            self.hosts.forget_robots(&request, now);
        } else {
            self.hosts.put_back(request, now);
        }
    }

    /// Settles a request that was handed out: `result` is what it gave, or why it failed.
    pub fn settle(
        &mut self,
        request: &Request,
        result: Result<Gave<'_>, &PageError>,
        exchange: Exchange,
        now: Instant,
    ) -> Settlement {
        self.in_flight -= 1;
        let reply = reply::reply_of(&result, exchange);
        let pause = self.hosts.settle(request, (reply, result.as_ref().err().copied()), exchange.peer, now);
        if exchange.kept_since.is_some() {
            self.hosts.was_not_asked(request, now);
        }
        let settled = if request.errand == Errand::Robots {
            self.settle_robots(request, result, exchange, now);
            Settled::Own
        } else {
            self.settle_page(request, result, exchange, now)
        };
        Settlement { settled, pause }
    }

    fn settle_page(
        &mut self,
        request: &Request,
        result: Result<Gave<'_>, &PageError>,
        exchange: Exchange,
        now: Instant,
    ) -> Settled {
        let settled = match &result {
            Ok(Gave::Records(_) | Gave::Robots(_)) => Settled::Done,
            Ok(Gave::Moved(to)) => {
                self.hosts.push(request.clone().moved_to((*to).clone()), now);
                Settled::Moved
            }
            // Past the last page, half of all sites say 404; the other half show an empty list.
            Err(PageError::Status(404 | 410)) if self.open.is_some() => Settled::Done,
            // After an open range was given up as dead, its failures are not tried again either.
            Err(_) if self.open_end() == Some(OpenEnd::OnlyFailures) => Settled::Failed,
            Err(error) => {
                if self.retry_later(request, error, exchange, now) {
                    Settled::Retry
                } else {
                    Settled::Failed
                }
            }
        };
        let records = match result {
            Ok(Gave::Records(records)) => records,
            _ => 0,
        };
        self.watch_for_the_end(settled, records);
        if self.source_closed && self.open_end().is_some() {
            self.hosts.drop_untried(now);
        }
        settled
    }

    /// Whether the request will go out again.
    fn retry_later(
        &mut self,
        request: &Request,
        error: &PageError,
        exchange: Exchange,
        now: Instant,
    ) -> bool {
        let Some(delay) = self.retry.delay(request.attempt, error, exchange.retry_after) else {
            return false;
        };
        let request = Request { attempt: request.attempt + 1, ..request.clone() };
        self.waiting.push(Reverse(Waiting { due: now + delay, request }));
        true
    }

    /// RFC 9309 2.3.1: what is there counts; what is not there allows everything; a fault of the server forbids
    /// everything.
    fn settle_robots(
        &mut self,
        request: &Request,
        result: Result<Gave<'_>, &PageError>,
        exchange: Exchange,
        now: Instant,
    ) {
        let robots = match result {
            Ok(Gave::Robots(robots)) => Ok(robots.clone()),
            Ok(Gave::Moved(to)) if request.redirects() < ROBOTS_REDIRECTS => {
                self.hosts.push(request.clone().moved_to(to.clone()), now);
                return;
            }
            Ok(Gave::Moved(_) | Gave::Records(_)) => Ok(Robots::allow_all()),
            // 429 is "not now", not "not there".
            Err(error) if self.retry_later(request, error, exchange, now) => return,
            Err(PageError::Status(status @ 400..=499)) if *status != 429 => Ok(Robots::allow_all()),
            Err(PageError::TooManyRedirects(_) | PageError::RedirectRefused { .. }) => {
                Ok(Robots::allow_all())
            }
            Err(error @ PageError::Status(_)) => Err(PageError::NoRobots(Box::new(error.clone()))),
            // The page would not have fared better.
            Err(error) => Err(error.clone()),
        };
        self.hosts.learn_robots(&request.url, robots, now);
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
            Settled::Retry | Settled::Moved | Settled::Own => {}
        }
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
            || self.hosts.waiting() > 0
            || (!self.source_closed && {
                self.draw();
                self.drawn.is_some() || !self.source_closed
            })
    }
}

impl std::fmt::Debug for Frontier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frontier")
            .field("waiting", &self.waiting.len())
            .field("at_hosts", &self.hosts.waiting())
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
        Request::new(RequestId(id), Url::parse("http://h/").unwrap(), i64::try_from(id).ok())
    }

    fn retry_after(delay: Duration) -> RetryPolicy {
        RetryPolicy {
            retries: 1,
            first_delay: delay,
            longest_delay: delay,
            jitter: 0.0,
            ..RetryPolicy::default()
        }
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
        let mut frontier = Frontier::new(requests(1), false, RetryPolicy::default(), PacePolicy::unbounded());
        let only = take(&mut frontier, now);
        assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
        assert_eq!(
            frontier.settle(&only, Ok(Gave::Records(0)), Exchange::default(), now).settled,
            Settled::Done
        );
        assert!(matches!(frontier.next(now, None), Next::Done));
        assert!(!frontier.has_work_left());
    }

    #[test]
    fn a_failure_comes_again_when_it_is_due_and_fails_for_good_at_last() {
        let now = Instant::now();
        let later = now + Duration::from_secs(1);
        let mut frontier =
            Frontier::new(requests(1), false, retry_after(Duration::from_secs(1)), PacePolicy::unbounded());
        let first = take(&mut frontier, now);
        assert_eq!(frontier.settle(&first, Err(&REFUSED), Exchange::default(), now).settled, Settled::Retry);
        assert!(matches!(frontier.next(now, None), Next::At(due) if due == later));
        let second = take(&mut frontier, later);
        assert_eq!((second.id, second.attempt), (first.id, 1));
        assert_eq!(
            frontier.settle(&second, Err(&REFUSED), Exchange::default(), later).settled,
            Settled::Failed
        );
        assert!(matches!(frontier.next(later, None), Next::Done));
    }

    #[test]
    fn an_open_range_whose_host_rests_is_not_done() {
        let now = Instant::now();
        let mut pace = PacePolicy::unbounded();
        pace.usual.interval = Duration::from_secs(1);
        let mut frontier = Frontier::new(requests(9), true, RetryPolicy::default(), pace);
        let first = take(&mut frontier, now);
        frontier.settle(&first, Ok(Gave::Records(1)), Exchange::default(), now);
        let later = now + Duration::from_secs(1);
        assert!(matches!(frontier.next(now, None), Next::At(due) if due == later));
        assert_eq!(take(&mut frontier, later).id, RequestId(1));
    }

    #[test]
    fn a_retry_that_is_due_goes_before_new_pages() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(9), false, retry_after(Duration::ZERO), PacePolicy::unbounded());
        let first = take(&mut frontier, now);
        frontier.settle(&first, Err(&REFUSED), Exchange::default(), now);
        assert_eq!(take(&mut frontier, now).id, first.id);
    }

    #[test]
    fn the_horizon_holds_back_new_pages_but_not_retries() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(9), false, retry_after(Duration::ZERO), PacePolicy::unbounded());
        let horizon = Some(RequestId(1));
        let first = take(&mut frontier, now);
        assert!(matches!(frontier.next(now, horizon), Next::AfterOutcome));
        frontier.settle(&first, Err(&REFUSED), Exchange::default(), now);
        assert!(matches!(frontier.next(now, horizon), Next::Request(request) if request.attempt == 1));
    }

    #[test]
    fn an_empty_page_closes_an_open_range_but_not_a_fixed_one() {
        let now = Instant::now();
        for (until_empty, end) in [(true, Some(OpenEnd::EmptyPage)), (false, None)] {
            let mut frontier =
                Frontier::new(requests(5), until_empty, RetryPolicy::default(), PacePolicy::unbounded());
            let first = take(&mut frontier, now);
            frontier.settle(&first, Ok(Gave::Records(0)), Exchange::default(), now);
            assert_eq!(frontier.open_end(), end);
            assert_eq!(matches!(frontier.next(now, None), Next::Done), until_empty);
        }
    }

    #[test]
    fn page_not_found_is_the_end_of_an_open_range_and_no_failure() {
        let now = Instant::now();
        for status in [404, 410] {
            let mut frontier =
                Frontier::new(requests(5), true, RetryPolicy::default(), PacePolicy::unbounded());
            let first = take(&mut frontier, now);
            assert_eq!(
                frontier.settle(&first, Err(&PageError::Status(status)), Exchange::default(), now).settled,
                Settled::Done
            );
            assert_eq!(frontier.open_end(), Some(OpenEnd::EmptyPage));
        }
    }

    #[test]
    fn an_open_range_on_a_dead_site_ends() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(u64::MAX), true, RetryPolicy::default(), PacePolicy::unbounded());
        let mut failed = 0;
        while let Next::Request(request) = frontier.next(now, None) {
            frontier.settle(&request, Err(&PageError::Status(403)), Exchange::default(), now);
            failed += 1;
        }
        assert_eq!(failed, FAILURES_THAT_END_AN_OPEN_RANGE);
        assert_eq!(frontier.open_end(), Some(OpenEnd::OnlyFailures));
    }

    #[test]
    fn an_open_range_that_gives_no_url_any_more_ends() {
        let source = (0..).map(|id| {
            Err(Unmade { id: RequestId(id), whom: String::new(), error: PageError::NoUrl("overflow".into()) })
        });
        let mut frontier =
            Frontier::new(Box::new(source), true, RetryPolicy::default(), PacePolicy::unbounded());
        let mut failed = 0;
        while let Next::Unmade(_) = frontier.next(Instant::now(), None) {
            failed += 1;
        }
        assert_eq!(failed, FAILURES_THAT_END_AN_OPEN_RANGE);
        assert_eq!(frontier.open_end(), Some(OpenEnd::OnlyFailures));
    }

    #[test]
    fn only_failures_in_a_row_end_an_open_range() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(u64::MAX), true, RetryPolicy::default(), PacePolicy::unbounded());
        for number in 0..3 * FAILURES_THAT_END_AN_OPEN_RANGE {
            let request = take(&mut frontier, now);
            let result = if number % 2 == 0 { Ok(Gave::Records(1)) } else { Err(&PageError::Status(403)) };
            frontier.settle(&request, result, Exchange::default(), now);
        }
        assert_eq!(frontier.open_end(), None);
    }

    #[test]
    fn after_a_dead_site_was_given_up_its_failures_are_not_tried_again() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(u64::MAX), true, retry_after(Duration::ZERO), PacePolicy::unbounded());
        let late = take(&mut frontier, now);
        for _ in 0..FAILURES_THAT_END_AN_OPEN_RANGE {
            let request = take(&mut frontier, now);
            frontier.settle(&request, Err(&PageError::Status(403)), Exchange::default(), now);
        }
        assert_eq!(frontier.settle(&late, Err(&REFUSED), Exchange::default(), now).settled, Settled::Failed);
        assert!(matches!(frontier.next(now, None), Next::Done));
    }

    #[test]
    fn a_request_that_waits_for_another_try_is_work_left() {
        let now = Instant::now();
        let mut frontier =
            Frontier::new(requests(1), false, retry_after(Duration::from_secs(1)), PacePolicy::unbounded());
        let only = take(&mut frontier, now);
        frontier.settle(&only, Err(&REFUSED), Exchange::default(), now);
        assert!(frontier.has_work_left());
    }

    #[test]
    fn what_was_put_back_goes_out_again() {
        let now = Instant::now();
        let mut frontier = Frontier::new(requests(1), false, RetryPolicy::default(), PacePolicy::unbounded());
        let first = take(&mut frontier, now);
        frontier.put_back(first.clone(), now);
        assert!(frontier.has_work_left());
        assert_eq!(take(&mut frontier, now), first);
    }

    #[test]
    fn a_source_with_nothing_yet_is_asked_again_and_not_at_its_end() {
        struct Slow(Vec<Drawn>);
        impl Supply for Slow {
            fn draw(&mut self) -> Drawn {
                self.0.pop().unwrap_or(Drawn::End)
            }
        }
        let now = Instant::now();
        let source = Slow(vec![Drawn::NotYet, Drawn::NotYet, Drawn::Next(Ok(request(0))), Drawn::NotYet]);
        let mut frontier =
            Frontier::new(Box::new(source), false, RetryPolicy::default(), PacePolicy::unbounded());
        assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
        let only = take(&mut frontier, now);
        frontier.settle(&only, Ok(Gave::Records(1)), Exchange::default(), now);
        assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
        assert!(frontier.has_work_left());
        assert!(matches!(frontier.next(now, None), Next::Done));
        assert!(!frontier.has_work_left());
    }

    #[test]
    fn a_request_that_cannot_be_made_is_handed_out_as_a_failure() {
        let now = Instant::now();
        let unmade =
            Unmade { id: RequestId(0), whom: "page 7".into(), error: PageError::NoUrl("overflow".into()) };
        let source = std::iter::once(Err(unmade.clone()));
        let mut frontier =
            Frontier::new(Box::new(source), false, RetryPolicy::default(), PacePolicy::unbounded());
        assert!(matches!(frontier.next(now, None), Next::Unmade(failed) if failed == unmade));
        assert!(matches!(frontier.next(now, None), Next::Done));
    }
}
