//! Which requests are pending, in flight, done or failed, and what goes out next.
//!
//! Plain data with one owner, the conductor: no thread, no lock, no clock of its own (the time is handed in). That
//! keeps the interface small enough for a frontier on disk, or a shared one, to stand behind it later.
//!
//! Requests come from the source, wait at their host, and go out when the table of hosts says so: within the
//! pace of the host (`pace`, `throttle`) and the rules of its robots.txt. What pages lead to is taken in by `links`, and
//! waits in the `backlog` while there is enough to do.

mod backlog;
#[cfg(test)]
mod crash_tests;
mod host;
mod hosts;
#[cfg(test)]
mod hosts_tests;
mod ledger;
mod links;
mod memory;
mod open;
mod pace;
#[cfg(test)]
mod proptests;
mod reply;
mod resume;
mod retry;
mod seen;
#[cfg(test)]
mod tests;
mod throttle;
mod troubles;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use url::Url;

use self::hosts::{Handed, Hosts};
use self::ledger::Ledger;
use self::links::Links;
use self::open::OpenRange;
use self::resume::Rest;
use crate::model::{
    Drawn, Errand, Exchange, Link, PageError, Request, RequestId, RuleId, SourcePosition, Unmade,
    is_same_origin,
};
use crate::robots::Robots;
use crate::scope::LeftOut;

pub use self::backlog::{Backlog, BacklogError, Order, Spill};
pub use self::links::{FollowPolicy, LinkCounts};
pub use self::memory::is_of_robots;
pub use self::open::{FAILURES_THAT_END_AN_OPEN_RANGE, OpenEnd};
pub use self::pace::{HostPace, HostPattern, PacePolicy};
pub use self::resume::{Changes, PendingRequests, Progress, Resumed};
pub use self::retry::{RetryPolicy, Statuses};
pub use self::seen::Seen;
pub use self::throttle::{ThrottleMode, ThrottlePolicy};

/// How many requests are read ahead of hosts that must wait, in search of one that need not.
const READ_AHEAD: u64 = 10_000;

/// How many where there is none to be found, since all go to one host: what waits in the source costs nothing.
const READ_AHEAD_OF_ONE: usize = 64;

/// How many wait at hosts before links go to the backlog, whatever the order.
const MOST_AT_HOSTS: u64 = 2 * READ_AHEAD;

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
    /// This page is behind the end of its range; it is not asked for.
    LeftOut(Request),
    /// Nothing now; ask again at this time, or after an outcome.
    At(Instant),
    /// Nothing until an outcome has been settled, or somebody knocks because the source has more.
    AfterOutcome,
    /// Nothing pending, nothing in flight: the run is over.
    Done,
}

/// When the next request may go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NextDue {
    /// When.
    pub at: Instant,
    /// The host that it goes to.
    pub host: String,
    /// Whether it is a page that failed before, and not the pace of the host, that is waited for.
    pub is_retry: bool,
}

/// Why a frontier cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum FrontierError {
    /// Found links can no longer be kept.
    #[error(transparent)]
    Backlog(#[from] BacklogError),
    /// What an earlier run left cannot be read back.
    #[error("cannot read pending requests back: {0}")]
    Rest(String),
    /// The source is not the one that the run began with.
    #[error(
        "the source has changed since this run began: {0}; put it back as it was, or start over with --fresh"
    )]
    SourceChanged(String),
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
    /// A redirect led to what is not followed or known already; nothing more comes of it.
    LeftOut,
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
#[derive(Debug)]
pub enum Gave<'a> {
    /// A page.
    Page {
        /// How many records were on it.
        records: u64,
        /// Where it leads, within the bounds of the job and in the order of the document.
        links: Vec<Link>,
    },
    /// A redirect to here.
    Moved(&'a Url),
    /// A robots.txt.
    Robots(&'a Robots),
    /// The address of a host, in the exchange.
    Address,
}

/// Where the frontier takes new requests from, in the order of their ids. Drawing never waits for anybody.
pub trait Supply {
    /// The next request, if there is one by now. After [`Drawn::End`] it is not asked again.
    fn draw(&mut self) -> Drawn;

    /// How far it has been read, with what the last draw gave or without.
    fn position(&self, with_last: bool) -> SourcePosition {
        let _ = with_last;
        SourcePosition::default()
    }
}

impl<I: Iterator<Item = Result<Request, Unmade>>> Supply for I {
    fn draw(&mut self) -> Drawn {
        self.next().map_or(Drawn::End, Drawn::Next)
    }
}

/// The supply of a run.
pub type Requests = Box<dyn Supply>;

/// What the job decides about which requests there are and when they go out.
#[derive(Debug, Clone)]
pub struct FrontierPolicy {
    /// Whether the first page of the source without a record closes it.
    pub until_empty: bool,
    /// Whether [`Frontier::end_at_seen`] may end the source, since it is one range and its pages follow each other.
    pub source_ends_at_seen: bool,
    /// Whether all requests of the source go to one host, so that none behind one that waits could go out.
    pub source_has_one_host: bool,
    /// When failed requests go out again.
    pub retry: RetryPolicy,
    /// How fast each host is asked.
    pub pace: PacePolicy,
    /// How links are followed; `None` if none are.
    pub follow: Option<FollowPolicy>,
    /// No more pages than this are asked for.
    pub max_pages: Option<u64>,
    /// The rule that reads the pages of the source.
    pub start: RuleId,
    /// Sitemaps and feeds that name further pages.
    pub seeds: Vec<Request>,
    /// URLs of which the robots.txt is asked for, since the sitemaps that it names count too.
    pub sitemaps_of: Vec<Url>,
}

impl FrontierPolicy {
    /// As fast as may be, one try, no links: for sources that are no web site.
    pub fn plain() -> FrontierPolicy {
        FrontierPolicy {
            until_empty: false,
            source_ends_at_seen: false,
            source_has_one_host: false,
            retry: RetryPolicy::default(),
            pace: PacePolicy::unbounded(),
            follow: None,
            max_pages: None,
            start: RuleId::default(),
            seeds: Vec::new(),
            sitemaps_of: Vec::new(),
        }
    }
}

/// The pending requests of a run.
pub struct Frontier {
    source: Requests,
    /// What was drawn from the source and cannot be handed on yet.
    drawn: Option<Result<Request, Unmade>>,
    /// The rule that reads the pages of the source.
    start: RuleId,
    /// Sitemaps and feeds that have not been asked for, the last first.
    seeds: Vec<Request>,
    /// Whose robots.txt have not been asked for, and whose have.
    sitemaps_of: Vec<Url>,
    sitemaps_asked: Vec<Url>,
    source_has_one_host: bool,
    /// How many of those in flight are requests of the frontier's own.
    own_in_flight: u64,
    open: Option<OpenRange>,
    source_ends_at_seen: bool,
    /// Whether something was not asked for since an earlier run had met a record in front of it.
    is_cut_at_seen: bool,
    /// Requests that were read and are behind the end of their range, the last first.
    dropped: Vec<Request>,
    retry: RetryPolicy,
    links: Option<Links>,
    ledger: Ledger,
    /// What an earlier run left, and has not been read back.
    resumed: Option<Rest>,
    /// Places of the source without a request, of an earlier run that could not write that down.
    unmade: Vec<Unmade>,
    /// Why the run cannot go on.
    trouble: Option<FrontierError>,
    /// Numbers given to requests.
    numbered: u64,
    /// How many more pages may be asked for.
    pages_left: u64,
    hosts: Hosts,
    /// Requests that wait for another try, by the time they are due.
    waiting: BinaryHeap<Reverse<Waiting>>,
    in_flight: u64,
    source_closed: bool,
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

/// What reading the source or the backlog came to.
enum Read {
    /// A request waits at its host now, or was known already.
    Request,
    Unmade(Unmade),
    /// The next request must wait in the source.
    Held,
    End,
}

impl Frontier {
    /// A frontier over `source`.
    pub fn new(source: Requests, policy: FrontierPolicy) -> Frontier {
        Frontier {
            source,
            drawn: None,
            start: policy.start,
            seeds: policy.seeds.into_iter().rev().collect(),
            sitemaps_of: policy.sitemaps_of,
            sitemaps_asked: Vec::new(),
            source_has_one_host: policy.source_has_one_host,
            own_in_flight: 0,
            open: policy.until_empty.then(OpenRange::default),
            source_ends_at_seen: policy.source_ends_at_seen,
            is_cut_at_seen: false,
            dropped: Vec::new(),
            retry: policy.retry,
            hosts: Hosts::new(
                policy.pace,
                policy.follow.as_ref().map_or(Order::Breadth, |follow| follow.order),
            ),
            links: policy.follow.map(Links::new),
            ledger: Ledger::default(),
            resumed: None,
            unmade: Vec::new(),
            trouble: None,
            numbered: 0,
            pages_left: policy.max_pages.unwrap_or(u64::MAX),
            waiting: BinaryHeap::new(),
            in_flight: 0,
            source_closed: false,
        }
    }

    /// The next request that may go out at `now`. New requests are held back from id `horizon` on: that is how
    /// ordered output bounds what it must keep.
    pub fn next(&mut self, now: Instant, horizon: Option<RequestId>) -> Next {
        if let Some(request) = self.dropped.pop() {
            // In ordered output others may wait for its turn.
            self.pass(request.id);
            self.ledger.settled(&request);
            return Next::LeftOut(request);
        }
        while self.waiting.peek().is_some_and(|Reverse(waiting)| waiting.due <= now) {
            if let Some(Reverse(waiting)) = self.waiting.pop() {
                self.hosts.push(waiting.request, now);
            }
        }
        for _ in 0..READ_AT_ONCE {
            match self.hosts.take(now) {
                Some(Handed::Request(request)) => {
                    self.in_flight += 1;
                    self.own_in_flight += u64::from(request.is_own());
                    return Next::Request(request);
                }
                Some(Handed::Disallowed(request)) => {
                    // A range whose rest is forbidden would never end.
                    self.note_page_of_source(&request, Settled::Failed, 0, now);
                    self.pass(request.id);
                    self.ledger.settled(&request);
                    return Next::Disallowed(request);
                }
                Some(Handed::Failed(request, error)) => {
                    self.note_page_of_source(&request, Settled::Failed, 0, now);
                    self.pass(request.id);
                    self.ledger.settled(&request);
                    return Next::Failed(request, error);
                }
                None => {}
            }
            match self.read(now, horizon) {
                Read::Request => {}
                Read::Unmade(unmade) => {
                    self.note_open_range(Settled::Failed, 0, now);
                    self.pass(unmade.id);
                    return Next::Unmade(unmade);
                }
                Read::Held | Read::End => return self.idle(now),
            }
        }
        Next::At(now)
    }

    /// Reads one more request, if there is a use for it: what was found goes before what the source still has, so that
    /// a long source does not pile up links.
    fn read(&mut self, now: Instant, horizon: Option<RequestId>) -> Read {
        if let Some(unmade) = self.unmade.pop() {
            self.ledger.unmade_again(&unmade);
            return Read::Unmade(unmade);
        }
        if let Some(url) = self.sitemaps_of.pop() {
            self.hosts.ask_robots(&url, now);
            self.sitemaps_asked.push(url);
            return Read::Request;
        }
        if let Some(request) = self.seeds.pop() {
            self.push_seed(request, now);
            return Read::Request;
        }
        if self.pages_left == 0 {
            return Read::End;
        }
        let read = match self.is_rest_next() {
            Some(true) => self.read_rest(now, horizon),
            Some(false) => self.read_backlog(now, horizon),
            None => Read::End,
        };
        match read {
            Read::End => self.read_source(now, horizon),
            read => read,
        }
    }

    /// Whether the next request to read is of what an earlier run left, and not of what was found since; `None` if there
    /// is neither.
    fn is_rest_next(&mut self) -> Option<bool> {
        let front = match self.resumed.as_mut().map(Rest::front) {
            Some(Ok(Some(front))) => Some((ledger::rank(front, self.hosts.order()), front.id)),
            Some(Err(error)) => {
                self.trouble = Some(error);
                self.resumed = None;
                None
            }
            Some(Ok(None)) => {
                self.resumed = None;
                None
            }
            None => None,
        };
        let found = self.links.as_mut().map(Links::front).transpose();
        match (front, found) {
            (None, Ok(None | Some(None))) => None,
            (Some(_), Ok(None | Some(None))) => Some(true),
            (Some(rest), Ok(Some(Some(found)))) => Some(rest <= found),
            (None, Ok(Some(Some(_)))) | (_, Err(_)) => Some(false),
        }
    }

    /// Reads one request of those that an earlier run left.
    fn read_rest(&mut self, now: Instant, horizon: Option<RequestId>) -> Read {
        if self.hosts.waiting() >= READ_AHEAD {
            return Read::Held;
        }
        let Some(rest) = &mut self.resumed else { return Read::End };
        match rest.take(horizon) {
            Some(request) => {
                self.charge(&request);
                self.hosts.push(request, now);
                Read::Request
            }
            None => Read::Held,
        }
    }

    /// A page will be asked for.
    fn charge(&mut self, request: &Request) {
        if request.errand == Errand::Page {
            self.pages_left = self.pages_left.saturating_sub(1);
        }
    }

    /// A sitemap or a feed is asked for, if it has not been.
    fn push_seed(&mut self, mut request: Request, now: Instant) {
        request.rule = self.start;
        if self.links.as_mut().is_some_and(|links| links.note_source(&mut request, &mut self.ledger)) {
            request.id = next_number(&mut self.numbered);
            self.ledger.pending(&request);
            self.hosts.push(request, now);
        }
    }

    fn read_backlog(&mut self, now: Instant, horizon: Option<RequestId>) -> Read {
        let Some(links) = &mut self.links else { return Read::End };
        let front = links.front();
        let taken = match front {
            Ok(None) => return Read::End,
            Ok(Some((_, id))) if horizon.is_some_and(|horizon| id >= horizon) => return Read::Held,
            Ok(Some(_)) if self.hosts.waiting() >= READ_AHEAD => return Read::Held,
            Ok(Some(_)) => links.take(),
            Err(error) => Err(error),
        };
        match taken {
            Ok(Some(request)) => {
                self.charge(&request);
                self.hosts.push(request, now);
                Read::Request
            }
            Ok(None) => Read::End,
            Err(error) => {
                self.trouble = Some(error.into());
                Read::End
            }
        }
    }

    fn read_source(&mut self, now: Instant, horizon: Option<RequestId>) -> Read {
        if self.source_closed {
            return Read::End;
        }
        let number = RequestId(self.numbered);
        self.draw();
        let may_be_read = match &self.drawn {
            None if self.source_closed => return Read::End,
            None => false,
            Some(_) if horizon.is_some_and(|horizon| number >= horizon) => false,
            Some(Err(_)) => true,
            // The end of an open range is not known before its pages are: none is read that cannot go out.
            Some(Ok(next)) if self.may_end_early() => self.hosts.is_open(&next.url, now),
            // There is no other host to be found behind one that must wait.
            Some(Ok(next)) if self.source_has_one_host => {
                self.hosts.waiting() < READ_AHEAD && self.hosts.waiting_at(&next.url) < READ_AHEAD_OF_ONE
            }
            Some(Ok(_)) => self.hosts.waiting() < READ_AHEAD,
        };
        if !may_be_read {
            return Read::Held;
        }
        match self.drawn.take() {
            Some(Ok(mut request)) => {
                request.id = number;
                request.rule = self.start;
                if let Some(links) = &mut self.links {
                    let is_new = links.note_source(&mut request, &mut self.ledger);
                    // What a list hands down is for this line of it, be the page known or not.
                    if !is_new && request.carried.is_none() {
                        links.count_known();
                        return Read::Request;
                    }
                }
                self.numbered += 1;
                self.charge(&request);
                self.ledger.pending(&request);
                self.hosts.push(request, now);
                Read::Request
            }
            Some(Err(mut unmade)) => {
                unmade.id = number;
                self.numbered += 1;
                self.ledger.unmade(&unmade);
                Read::Unmade(unmade)
            }
            None => Read::Held,
        }
    }

    /// Whether a page may say that those behind it are not wanted.
    fn may_end_early(&self) -> bool {
        self.open.is_some() || self.source_ends_at_seen
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
            Drawn::Changed(how) => {
                self.trouble = Some(FrontierError::SourceChanged(how));
                self.source_closed = true;
            }
        }
    }

    /// What to wait for when nothing can go out.
    fn idle(&mut self, now: Instant) -> Next {
        let retry = self.waiting.peek().map(|Reverse(waiting)| waiting.due);
        // The next page of an open range waits in the source, where no host has a timer for it.
        let unread = match &self.drawn {
            Some(Ok(next)) if self.may_end_early() && !self.source_closed && self.pages_left > 0 => {
                self.hosts.opens_at(&next.url)
            }
            _ => None,
        };
        match [retry, self.hosts.due(), unread.filter(|&at| at > now)].into_iter().flatten().min() {
            Some(due) => Next::At(due),
            None if self.in_flight > 0 || self.waits_for_source() => Next::AfterOutcome,
            // A run that ends with a page left loses it without a word: better a fault that is seen.
            None if self.trouble.is_none() && self.has_work_left() => {
                panic!("the frontier has come to a standstill with work left: {self:?}")
            }
            None => Next::Done,
        }
    }

    /// Whether the source has not said yet what comes next.
    fn waits_for_source(&self) -> bool {
        self.pages_left > 0 && !self.source_closed && self.drawn.is_none()
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
        self.own_in_flight -= u64::from(request.is_own());
        if request.errand == Errand::Address {
            self.hosts.forget_address(&request, now);
        } else if request.errand == Errand::Robots && request.moved.is_none() && request.attempt == 0 {
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
        self.own_in_flight -= u64::from(request.is_own());
        if request.errand == Errand::Address {
            self.hosts.learn_address(request, exchange.peer, now);
            return Settlement { settled: Settled::Own, pause: None };
        }
        let reply = reply::reply_of(&result, exchange);
        let pause = self.hosts.settle(request, (reply, result.as_ref().err().copied()), exchange.peer, now);
        if exchange.kept_since.is_some() {
            self.hosts.was_not_asked(request, now);
        }
        let settled = if request.errand == Errand::Robots {
            self.settle_robots(request, &result, exchange, now);
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
            Ok(Gave::Page { .. } | Gave::Robots(_) | Gave::Address) => Settled::Done,
            Ok(Gave::Moved(to)) => {
                if self.links.as_mut().is_none_or(|links| links.may_move(request, to, &mut self.ledger)) {
                    let moved = request.clone().moved_to((*to).clone());
                    self.ledger.moved(request, &moved);
                    self.hosts.push(moved, now);
                    Settled::Moved
                } else {
                    Settled::LeftOut
                }
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
        let (records, links) = match result {
            Ok(Gave::Page { records, links }) => (records, links),
            _ => (0, Vec::new()),
        };
        // A page that leads on is not empty.
        self.note_page_of_source(request, settled, records + links.len() as u64, now);
        if matches!(settled, Settled::Done | Settled::Failed | Settled::LeftOut) {
            self.ledger.settled(request);
            self.take_in(request, links, now);
        }
        settled
    }

    /// A request is settled for good; what its page leads to becomes requests.
    fn take_in(&mut self, request: &Request, found: Vec<Link>, now: Instant) {
        let Some(links) = &mut self.links else { return };
        let numbered = &mut self.numbered;
        let taken = links.settle(request, found, &mut self.ledger, &mut || next_number(numbered));
        match taken {
            Ok(requests) => self.make_wait(requests, now),
            Err(error) => self.trouble = Some(error.into()),
        }
    }

    /// A number comes to nothing.
    fn pass(&mut self, id: RequestId) {
        let Some(links) = &mut self.links else { return };
        let numbered = &mut self.numbered;
        if let Err(error) = links.pass(id, &mut self.ledger, &mut || next_number(numbered)) {
            self.trouble = Some(error.into());
        }
    }

    /// Lets the requests that a page leads to wait at their hosts while there is room, where what is newer or more
    /// important goes past the rest; the others in the backlog.
    fn make_wait(&mut self, requests: Vec<Request>, now: Instant) {
        let Some(links) = &mut self.links else { return };
        let is_next = links.waiting() == 0 && self.resumed.is_none();
        let may_go_past = is_next || links.order() != Order::Breadth;
        let mut requests = requests.into_iter();
        while may_go_past && self.pages_left > 0 && self.hosts.waiting() < MOST_AT_HOSTS {
            let Some(request) = requests.next() else { return };
            self.pages_left -= u64::from(request.errand == Errand::Page);
            self.hosts.push(request, now);
        }
        if let Err(error) = links.wait(requests) {
            self.trouble = Some(error.into());
        }
    }

    /// Whether the request will go out again.
    fn retry_later(
        &mut self,
        request: &Request,
        error: &PageError,
        exchange: Exchange,
        now: Instant,
    ) -> bool {
        let asked = exchange.retry_after.filter(|_| !reply::pauses_host(error));
        let Some(delay) = self.retry.delay(request.attempt, error, asked) else {
            return false;
        };
        let again = Request { attempt: request.attempt + 1, ..request.clone() };
        self.ledger.waiting(request, &again, now + delay);
        self.waiting.push(Reverse(Waiting { due: now + delay, request: again }));
        true
    }

    /// RFC 9309 2.3.1: what is there counts; what is not there allows everything; a fault of the server forbids
    /// everything.
    fn settle_robots(
        &mut self,
        request: &Request,
        result: &Result<Gave<'_>, &PageError>,
        exchange: Exchange,
        now: Instant,
    ) {
        let robots = match result {
            Ok(Gave::Robots(robots)) => Ok((*robots).clone()),
            Ok(Gave::Moved(to)) if request.redirects() < ROBOTS_REDIRECTS => {
                self.hosts.push(request.clone().moved_to((*to).clone()), now);
                return;
            }
            Ok(Gave::Moved(_) | Gave::Page { .. } | Gave::Address) => Ok(Robots::allow_all()),
            // 429 is "not now", not "not there".
            Err(error) if self.retry_later(request, error, exchange, now) => return,
            Err(PageError::Status(status @ 400..=499)) if *status != 429 => Ok(Robots::allow_all()),
            Err(PageError::TooManyRedirects(_) | PageError::RedirectRefused { .. }) => {
                Ok(Robots::allow_all())
            }
            Err(error @ PageError::Status(_)) => Err(PageError::NoRobots(Box::new((*error).clone()))),
            Err(error) => Err((*error).clone()),
        };
        if let Ok(robots) = &robots
            && self.sitemaps_asked.iter().any(|url| is_same_origin(url, &request.url))
        {
            let named = robots.sitemaps().iter().filter_map(|text| Url::parse(text).ok());
            let web = named.filter(|url| matches!(url.scheme(), "http" | "https"));
            let seed = |url: Url| Request {
                errand: Errand::Sitemap,
                // robots.txt may name a sitemap anywhere.
                is_by_page: !is_same_origin(&url, &request.url),
                is_found: true,
                ..Request::new(request.id, url, None)
            };
            let seeds: Vec<Request> = web.map(seed).collect();
            seeds.into_iter().for_each(|request| self.push_seed(request, now));
        }
        self.hosts.learn_robots(&request.url, robots, now);
    }

    fn note_page_of_source(&mut self, request: &Request, settled: Settled, records: u64, now: Instant) {
        if !request.is_found {
            self.note_open_range(settled, records, now);
        }
    }

    /// Decides whether an open range has come to its end.
    fn note_open_range(&mut self, settled: Settled, records: u64, now: Instant) {
        let Some(open) = &mut self.open else { return };
        open.note(settled, records);
        if open.ended().is_some() && !self.source_closed {
            self.close_source(now);
        }
    }

    /// Nothing more is read from the source, and what was read and not tried is not asked for. Whether there was
    /// something.
    fn close_source(&mut self, now: Instant) -> bool {
        self.draw();
        let was_open = !self.source_closed || self.drawn.is_some();
        self.source_closed = true;
        let mut dropped = self.hosts.drop_untried_of_source(now);
        dropped.sort_unstable_by_key(|request| Reverse(request.id));
        self.pages_left = self.pages_left.saturating_add(dropped.len() as u64);
        let has_dropped = !dropped.is_empty();
        self.dropped.extend(dropped);
        was_open || has_dropped
    }

    /// The page of this request, which is in flight, has a record that an earlier run has met: in a list with the newest
    /// first, all behind it is known. Nothing more is asked for of the range that it is of; of its links, those that the
    /// same rule reads lead on in the list and are not followed, the others are.
    pub fn end_at_seen(&mut self, request: &Request, found: &mut Vec<Link>, now: Instant) {
        let before = found.len();
        found.retain(|link| link.rule != request.rule || link.errand != Errand::Page);
        let left_out = (before - found.len()) as u64;
        if left_out > 0 {
            self.leave_out(LeftOut::BehindSeen, left_out);
            self.is_cut_at_seen = true;
        }
        if self.source_ends_at_seen && !request.is_found && !self.source_closed {
            self.is_cut_at_seen |= self.close_source(now);
        }
    }

    /// Whether there was something that [`Frontier::end_at_seen`] has kept from being asked for.
    pub fn is_cut_at_seen(&self) -> bool {
        self.is_cut_at_seen
    }

    /// Whether as many pages were asked for as may be, so that there may be more.
    pub fn is_full(&self) -> bool {
        self.pages_left == 0
    }

    /// Why the open range ended, if it has.
    pub fn open_end(&self) -> Option<OpenEnd> {
        self.open.as_ref().and_then(OpenRange::ended)
    }

    /// Whether the run cannot go on: see [`Frontier::take_trouble`].
    pub fn has_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Why the run cannot go on, if so.
    pub fn take_trouble(&mut self) -> Option<FrontierError> {
        self.trouble.take()
    }

    /// Counts links that a page showed and that are not followed.
    pub fn leave_out(&mut self, reason: LeftOut, count: u64) {
        if let Some(links) = &mut self.links {
            links.leave_out(reason, count);
        }
    }

    /// What became of all links; `None` if none are followed.
    pub fn link_counts(&self) -> Option<LinkCounts> {
        self.links.as_ref().map(|links| links.counts(self.pages_left == 0))
    }

    /// How many requests are known that have not gone out.
    pub fn pending(&self) -> u64 {
        self.hosts.waiting() + self.waiting.len() as u64 + self.links.as_ref().map_or(0, Links::waiting)
    }

    /// Whether all that is out is of the frontier's own, so that no page can come of it once nothing more goes out.
    pub fn has_only_own_in_flight(&self) -> bool {
        self.in_flight > 0 && self.in_flight == self.own_in_flight
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
            || !self.seeds.is_empty()
            || !self.sitemaps_of.is_empty()
            || !self.unmade.is_empty()
            || (self.pages_left > 0
                && (self.resumed.as_mut().is_some_and(|rest| !matches!(rest.front(), Ok(None)))
                    || self.links.as_ref().is_some_and(|links| links.waiting() > 0)
                    || (!self.source_closed && {
                        self.draw();
                        self.drawn.is_some() || !self.source_closed
                    })))
    }

    /// What a run waits for that stands still: nothing is under way, and the next request may not go out yet.
    pub fn next_due(&mut self) -> Option<NextDue> {
        if self.in_flight > 0 {
            return None;
        }
        let of = |(at, host, is_retry)| NextDue { at, host, is_retry };
        let host_of = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        let retry = self
            .waiting
            .peek()
            .map(|Reverse(waiting)| (waiting.due, host_of(waiting.request.target()), true));
        let host = self.hosts.next_timed().map(|(at, host)| (at, host, false));
        // As in `idle`: the next page of an open range waits in the source.
        let unread = match &self.drawn {
            Some(Ok(next)) if self.may_end_early() && !self.source_closed => {
                self.hosts.opens_at(&next.url).map(|at| (at, host_of(&next.url), false))
            }
            _ => None,
        };
        [retry, host, unread].into_iter().flatten().min().map(of)
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

fn next_number(numbered: &mut u64) -> RequestId {
    *numbered += 1;
    RequestId(*numbered - 1)
}
