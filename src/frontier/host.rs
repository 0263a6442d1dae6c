//! One host: what waits for it, how much is under way, and when it may be asked again.
//!
//! It decides nothing across hosts; that is [`super::hosts`]. What of it outlives the process is `memory`'s.

pub(super) mod memory;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use url::Url;

use super::backlog::Order;
use super::pace::HostPace;
use super::throttle::{Reply, Throttle};
use super::troubles::Troubles;
use crate::model::{Errand, PageError, Request};
use crate::robots::Robots;

/// How long a robots.txt is good for (RFC 9309 2.4).
const ROBOTS_GOOD_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// After a robots.txt could not be had, tries and all, how long until another request asks for it again. Nothing is
/// asked of the origin until then (RFC 9309 2.3.1.4).
const ROBOTS_MISSED_FOR: Duration = Duration::from_secs(60);

/// A host that is slower than this has gone silent, unless it always is.
const SILENCE: Duration = Duration::from_secs(2);

/// A host and what waits for it.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) name: Box<str>,
    queue: BinaryHeap<Reverse<Queued>>,
    pub(super) in_flight: u32,
    throttle: Throttle,
    /// When the pace lets the next request go.
    next_send: Option<Instant>,
    /// The gap before it, without what the wait for a free thread added.
    gap: Duration,
    paused_until: Option<Instant>,
    troubles: Troubles,
    origins: Vec<Origin>,
    /// When it was heard of last, or asked after it had been left in peace.
    heard_at: Instant,
    /// Its latency, smoothed.
    latency: Duration,
    /// Whether its address is known, as far as it can be.
    pub(super) lookup: LookUp,
    /// The address that answered last.
    pub(super) peer: Option<IpAddr>,
    pub(super) used_at: Instant,
    /// What somebody who keeps it has not been told.
    pub(super) untold: super::hosts::Untold,
    pub(super) place: super::hosts::Place,
}

/// A request and its place in the queue.
#[derive(Debug)]
struct Queued(Rank, Request);

/// What a request is ordered by at its host.
type Rank = (bool, i64, u64);

/// What hosts are ordered by: those that wait for a robots.txt, then those with the fewest requests under way, then
/// the oldest request. So the threads are shared evenly, and a host that hangs takes no more than its share with it.
pub(super) type Turn = (bool, u32, i64, u64);

/// Requests for robots.txt first: whole queues wait for them. Then by the order of the job.
fn rank(request: &Request, order: Order) -> Rank {
    let is_page = request.errand != Errand::Robots;
    let number = request.id.0;
    match order {
        Order::Breadth => (is_page, 0, number),
        // The pages that the newest page leads to, in its order: those share a depth, and are numbered one by one.
        Order::Depth => (is_page, -i64::from(request.depth), number),
        Order::Priority => (is_page, -i64::from(request.priority), number),
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Queued {}

/// One scheme and port of a host: robots.txt is theirs, not the host's (RFC 9309 2.3).
#[derive(Debug)]
struct Origin {
    is_https: bool,
    port: u16,
    rules: Rules,
}

/// What is known of an origin's robots.txt.
#[derive(Debug)]
enum Rules {
    Unknown,
    /// It is being fetched.
    Asked,
    Known {
        robots: Robots,
        until: Instant,
    },
    /// It could not be had.
    Missed {
        error: Box<PageError>,
        until: Instant,
    },
}

/// How far the look-up of an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LookUp {
    None,
    UnderWay,
    Done,
}

/// What the rules say about the request at the head of the queue.
#[derive(Debug)]
pub(super) enum Verdict {
    Go,
    /// robots.txt must be asked for first.
    Ask(Request),
    /// It is being asked for.
    Wait,
    Disallowed,
    /// It cannot be had, and so nothing may be asked for; or the host is given up.
    Missed(PageError),
}

impl Host {
    pub(super) fn new(name: &str, pace: &HostPace, now: Instant) -> Host {
        Host {
            name: name.into(),
            queue: BinaryHeap::new(),
            in_flight: 0,
            throttle: Throttle::new(&pace.throttle),
            next_send: None,
            gap: Duration::ZERO,
            paused_until: None,
            troubles: Troubles::default(),
            origins: Vec::new(),
            heard_at: now,
            latency: Duration::ZERO,
            lookup: LookUp::None,
            peer: None,
            used_at: now,
            untold: super::hosts::Untold::default(),
            place: super::hosts::Place::Idle,
        }
    }

    pub(super) fn push(&mut self, request: Request, order: Order) {
        self.queue.push(Reverse(Queued(rank(&request, order), request)));
    }

    pub(super) fn head(&self) -> Option<&Request> {
        self.queue.peek().map(|Reverse(Queued(_, request))| request)
    }

    /// How many requests wait.
    pub(super) fn waiting(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn pop(&mut self) -> Option<Request> {
        self.queue.pop().map(|Reverse(Queued(_, request))| request)
    }

    /// Takes out all requests of the source that have never been tried.
    pub(super) fn drop_untried_of_source(&mut self) -> Vec<Request> {
        let is_tried = |request: &Request| request.attempt > 0 || request.moved.is_some();
        let stays =
            |request: &Request| request.is_found || is_tried(request) || request.errand != Errand::Page;
        let queue = std::mem::take(&mut self.queue).into_vec();
        let (staying, dropped): (Vec<_>, Vec<_>) =
            queue.into_iter().partition(|Reverse(Queued(_, request))| stays(request));
        self.queue = staying.into();
        dropped.into_iter().map(|Reverse(Queued(_, request))| request).collect()
    }

    /// Whether as many requests are under way as may be.
    pub(super) fn is_full(&self) -> bool {
        self.in_flight >= self.throttle.window().max(1)
    }

    /// When its turn is, among the hosts that may be asked; `None` if nothing waits for it.
    pub(super) fn turn(&self) -> Option<Turn> {
        let &(is_page, first, then) = self.queue.peek().map(|Reverse(Queued(rank, _))| rank)?;
        Some((is_page, self.in_flight, first, then))
    }

    /// Whether it owes an answer for longer than it usually takes. Then it gets no further request before it is heard
    /// of, be it that the time is up: each would take a thread from hosts that are alive.
    pub(super) fn is_silent(&self, now: Instant) -> bool {
        let patience = SILENCE.max(3 * self.latency);
        self.in_flight > 0 && now.saturating_duration_since(self.heard_at) > patience
    }

    /// When the next request may go; `None` for at once.
    pub(super) fn opens_at(&self) -> Option<Instant> {
        self.next_send.max(self.paused_until)
    }

    pub(super) fn is_paused(&self, now: Instant) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// A request goes out at `now`.
    pub(super) fn send(&mut self, pace: &HostPace, now: Instant) {
        if self.in_flight == 0 {
            self.heard_at = now;
        }
        self.in_flight += 1;
        self.used_at = now;
        self.throttle.sent(now);
        self.gap = pace.gap(self.throttle.spacing()).max(self.crawl_delay(pace));
        self.stamp(now);
    }

    /// The name service is asked for the host, which itself hears nothing of it.
    pub(super) fn look_up(&mut self, now: Instant) {
        self.in_flight += 1;
        self.heard_at = now;
        self.used_at = now;
        self.lookup = LookUp::UnderWay;
    }

    /// The last request really went out only at `now`: it had waited for a free thread.
    pub(super) fn stamp(&mut self, now: Instant) {
        self.next_send = (!self.gap.is_zero()).then(|| now + self.gap);
    }

    /// The last request did not go out.
    pub(super) fn unstamp(&mut self) {
        self.next_send = None;
    }

    /// The longest that an origin asks for, up to the longest pause.
    fn crawl_delay(&self, pace: &HostPace) -> Duration {
        let asked = self.origins.iter().filter_map(|origin| match &origin.rules {
            Rules::Known { robots, .. } => robots.crawl_delay(),
            _ => None,
        });
        asked.max().unwrap_or_default().min(pace.throttle.max_pause)
    }

    /// Takes in what became of a request; `error` is why it gave no page. Gives the pause that follows for the whole
    /// host.
    pub(super) fn observe(
        &mut self,
        pace: &HostPace,
        reply: Reply,
        error: Option<&PageError>,
        now: Instant,
    ) -> Option<Duration> {
        self.troubles.note(reply.verdict, error, now);
        self.heard_at = now;
        self.latency = (self.latency * 7 + reply.latency) / 8;
        let pause = self.throttle.observe(&pace.throttle, reply, now)?;
        self.paused_until = self.paused_until.max(Some(now + pause));
        Some(pause)
    }

    /// What robots.txt says about the request at the head.
    pub(super) fn verdict(&mut self, pace: &HostPace, now: Instant) -> Verdict {
        let Some(Reverse(Queued(_, head))) = self.queue.peek() else { return Verdict::Wait };
        if let Some(error) = self.troubles.given_up(now) {
            return Verdict::Missed(PageError::GivenUp(Box::new(error.clone())));
        }
        if !pace.obeys_robots || head.errand == Errand::Robots {
            return Verdict::Go;
        }
        let url = head.target();
        let ask = || Verdict::Ask(Request::for_robots(head, crate::robots::robots_url(url)));
        match &find(&mut self.origins, url).rules {
            Rules::Known { robots, until } if now < *until => {
                if robots.allows(url) {
                    Verdict::Go
                } else {
                    Verdict::Disallowed
                }
            }
            Rules::Missed { error, until } if now < *until => Verdict::Missed((**error).clone()),
            Rules::Asked => Verdict::Wait,
            Rules::Unknown | Rules::Known { .. } | Rules::Missed { .. } => ask(),
        }
    }

    /// Whether the request at the head waits for a robots.txt that is under way.
    pub(super) fn waits_for_robots(&self) -> bool {
        let Some(head) = self.head().filter(|head| head.errand != Errand::Robots) else { return false };
        let (is_https, port) = key(head.target());
        let origin = self.origins.iter().find(|origin| origin.is_https == is_https && origin.port == port);
        origin.is_some_and(|origin| matches!(origin.rules, Rules::Asked))
    }

    /// Whether the robots.txt of the origin of `url` has been asked for.
    pub(super) fn knows_robots(&mut self, url: &Url) -> bool {
        !matches!(find(&mut self.origins, url).rules, Rules::Unknown)
    }

    /// The robots.txt of the origin of `url` is being fetched.
    pub(super) fn ask_robots(&mut self, url: &Url) {
        find(&mut self.origins, url).rules = Rules::Asked;
    }

    /// The robots.txt of the origin of `url` is not being fetched after all.
    pub(super) fn forget_robots(&mut self, url: &Url) {
        find(&mut self.origins, url).rules = Rules::Unknown;
    }

    /// The robots.txt of the origin of `url` has come, or cannot be had.
    pub(super) fn learn_robots(&mut self, url: &Url, robots: Result<Robots, PageError>, now: Instant) {
        find(&mut self.origins, url).rules = match robots {
            Ok(robots) => Rules::Known { robots, until: now + ROBOTS_GOOD_FOR },
            Err(error) => Rules::Missed { error: Box::new(of_robots(error)), until: now + ROBOTS_MISSED_FOR },
        };
    }

    /// Whether forgetting it loses nothing but what can be learned again.
    pub(super) fn is_forgettable(&self, now: Instant) -> bool {
        self.in_flight == 0
            && self.queue.is_empty()
            && self.opens_at().is_none_or(|at| at <= now)
            && !self.origins.iter().any(|origin| matches!(origin.rules, Rules::Asked))
    }
}

/// Why a page is not asked for, when this is why its robots.txt did not come.
fn of_robots(error: PageError) -> PageError {
    match error {
        PageError::NoRobots(_) | PageError::GivenUp(_) | PageError::Panicked(_) | PageError::Aborted => error,
        error => PageError::OfRobots(Box::new(error)),
    }
}

fn key(url: &Url) -> (bool, u16) {
    (url.scheme() == "https", url.port_or_known_default().unwrap_or_default())
}

fn find<'o>(origins: &'o mut Vec<Origin>, url: &Url) -> &'o mut Origin {
    let (is_https, port) = key(url);
    let found = origins.iter().position(|origin| origin.is_https == is_https && origin.port == port);
    let at = found.unwrap_or_else(|| {
        origins.push(Origin { is_https, port, rules: Rules::Unknown });
        origins.len() - 1
    });
    &mut origins[at]
}
