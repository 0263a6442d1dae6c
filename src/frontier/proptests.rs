//! Whole runs in virtual time, with everything that may happen mixed: no page is lost, none is settled twice, and a run
//! ends.
//!
//! A frontier that says it is done with a page left loses it without a word, so this is tried over random sites, paces
//! and luck. The network is a list of what is in flight, from which any may be answered next.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use url::Url;

use super::{
    FollowPolicy, Frontier, FrontierPolicy, Gave, HostPace, Next, Order, PacePolicy, Requests, RetryPolicy,
    Settled, Spill, Supply, ThrottleMode, ThrottlePolicy,
};
use crate::model::{Drawn, Errand, Exchange, Link, PageError, Request, RequestId, RuleId, SourcePosition};
use crate::robots::Robots;
use crate::scope::{self, ScopePolicy};

/// No run of the sizes tried here takes so many steps.
pub(super) const MOST_STEPS: u32 = 200_000;

/// Which site, at which pace.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) pages: u64,
    hosts: u64,
    per_host: u32,
    per_ip: Option<u32>,
    interval_ms: u64,
    adaptive: bool,
    pub(super) robots: bool,
    pub(super) links: bool,
    order: Order,
    pub(super) ordered: bool,
    /// The page with something that an earlier run has met, if there is one.
    pub(super) seen: Option<u64>,
    pub(super) luck: u64,
}

pub(super) fn worlds() -> impl Strategy<Value = World> {
    let pace = (1..4_u32, prop::option::of(1..3_u32), prop::sample::select(vec![0, 0, 300]), any::<bool>());
    let order = prop::sample::select(vec![Order::Breadth, Order::Depth, Order::Priority]);
    let seen = prop::option::of(0..40_u64);
    (1..40_u64, 1..5_u64, pace, any::<(bool, bool, bool)>(), order, (any::<u64>(), seen)).prop_map(
        |(pages, hosts, pace, (robots, links, ordered), order, (luck, seen))| {
            let (per_host, per_ip, interval_ms, adaptive) = pace;
            World {
                pages,
                hosts,
                per_host,
                per_ip,
                interval_ms,
                adaptive,
                robots,
                links,
                order: if ordered { Order::Breadth } else { order },
                ordered: ordered && links,
                seen,
                luck,
            }
        },
    )
}

impl World {
    fn url(&self, page: u64) -> Url {
        Url::parse(&format!("http://h{}.example/p/{page}", page % self.hosts)).unwrap()
    }

    /// From the first page of the source, or where an earlier run has come to.
    pub(super) fn frontier(&self, drawn: u64) -> Frontier {
        let throttle = ThrottlePolicy {
            mode: if self.adaptive { ThrottleMode::Adaptive } else { ThrottleMode::Off },
            per_host: self.per_host,
            delay: Duration::ZERO,
            max_pause: Duration::from_secs(5),
        };
        let usual = HostPace {
            throttle,
            jitter: 0.0,
            interval: Duration::from_millis(self.interval_ms),
            obeys_robots: self.robots,
        };
        let scope = ScopePolicy { domains: vec!["example".to_owned()], ..ScopePolicy::default() };
        let spill = Spill { window: 4, ..Spill::default() };
        let follow = FollowPolicy { scope, order: self.order, ordered: self.ordered, spill };
        let policy = FrontierPolicy {
            pace: PacePolicy { usual, own: Vec::new(), per_ip: self.per_ip },
            source_ends_at_seen: self.seen.is_some(),
            follow: self.links.then_some(follow),
            retry: RetryPolicy { first_delay: Duration::from_millis(200), ..RetryPolicy::default() },
            ..FrontierPolicy::plain()
        };
        // With links the source names the first page only.
        let named = if self.links && self.seen.is_none() { 1 } else { self.pages };
        let urls: Vec<Url> = (0..named).map(|page| self.url(page)).collect();
        let requests = (0..).map(RequestId).zip(urls).map(|(id, url)| Ok(Request::new(id, url, None)));
        let mut requests = Source { requests: Box::new(requests), drawn: 0 };
        (0..drawn).for_each(|_| drop(requests.draw()));
        Frontier::new(Box::new(requests), policy)
    }

    /// Where a page leads: every page is reached from the first by adding one.
    fn links(&self, page: u64) -> Vec<Link> {
        let to = [(page + 1) % self.pages, (page * 2 + 1) % self.pages, page];
        to.iter()
            .filter(|_| self.links)
            .map(|&to| {
                let url = self.url(to);
                let fingerprint = scope::fingerprint(&url, None).0;
                let priority = (to % 3) as i32;
                let rule = RuleId::default();
                Link { url, rule, priority, carried: None, errand: Errand::Page, fingerprint }
            })
            .collect()
    }

    /// What is known of a host by its name: some share an address.
    fn peer(&self, request: &Request) -> Option<IpAddr> {
        let host = request.target().host_str().unwrap_or_default();
        Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, host.as_bytes()[1] & 1)))
    }
}

/// Knows how far it was read.
struct Source {
    requests: Requests,
    drawn: u64,
}

impl Supply for Source {
    fn draw(&mut self) -> Drawn {
        let drawn = self.requests.draw();
        self.drawn += u64::from(matches!(drawn, Drawn::Next(_)));
        drawn
    }

    fn position(&self, with_last: bool) -> SourcePosition {
        SourcePosition { drawn: self.drawn - u64::from(!with_last), ..SourcePosition::default() }
    }
}

/// The next of a row of numbers that look random (Lehmer's generator).
pub(super) fn next_of(luck: &mut u64, below: u64) -> u64 {
    *luck = luck.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*luck >> 33) % below
}

/// Answers one request that is in flight, and says how that settled it, if it is for good.
pub(super) fn answer(
    world: &World,
    frontier: &mut Frontier,
    request: &Request,
    luck: &mut u64,
    now: Instant,
) -> Option<Settled> {
    let latency = Some(Duration::from_millis(1 + next_of(luck, 50)));
    let mut exchange = Exchange { latency, peer: world.peer(request), ..Exchange::default() };
    let page = request.url.path().strip_prefix("/p/").and_then(|number| number.parse::<u64>().ok());
    let robots = Robots::parse(b"User-agent: *\nDisallow: /p/3\n", "pagemill");
    let elsewhere;
    let error;
    let result = match (request.errand, next_of(luck, 10)) {
        (Errand::Address, _) => Ok(Gave::Address),
        // The last try succeeds, since a page that is lost by failures alone would end the walk over the links.
        (_, 0) if request.attempt < 2 => {
            exchange.retry_after = (next_of(luck, 2) == 0).then(|| Duration::from_secs(1));
            error = PageError::Status(429);
            Err(&error)
        }
        (_, 1) if request.attempt < 2 => {
            exchange = Exchange::default();
            error = PageError::Connect("refused".into());
            Err(&error)
        }
        (Errand::Robots, 2) if request.redirects() < 3 => {
            elsewhere = world.url(next_of(luck, world.hosts)).join("/robots.txt").unwrap();
            Ok(Gave::Moved(&elsewhere))
        }
        (Errand::Robots, _) => Ok(Gave::Robots(&robots)),
        (_, 3) if request.moved.is_none() && !world.links => {
            elsewhere = world.url(next_of(luck, world.pages)).join("/q").unwrap();
            Ok(Gave::Moved(&elsewhere))
        }
        // A place of its own for each page, so that none is known already.
        (Errand::Page, 3) if request.moved.is_none() => {
            elsewhere = request.url.join(&format!("/moved{}", request.url.path())).unwrap();
            Ok(Gave::Moved(&elsewhere))
        }
        _ => {
            let mut links = page.map_or_else(Vec::new, |page| world.links(page));
            if page.is_some() && page == world.seen {
                frontier.end_at_seen(request, &mut links, now);
            }
            Ok(Gave::Page { records: 1, links })
        }
    };
    match frontier.settle(request, result, exchange, now).settled {
        settled @ (Settled::Done | Settled::Failed | Settled::LeftOut) => Some(settled),
        Settled::Retry | Settled::Moved | Settled::Own => None,
    }
}

/// Runs to the end; gives the numbers of the requests in the order in which they were settled.
fn run(world: &World) -> Result<Vec<u64>, TestCaseError> {
    let mut frontier = world.frontier(0);
    let (mut now, mut luck) = (Instant::now(), world.luck);
    let mut in_flight: Vec<Request> = Vec::new();
    let mut settled = Vec::new();
    for _ in 0..MOST_STEPS {
        // As ordered output does it: nothing goes out far ahead of the oldest that is open.
        let oldest = (0..).find(|id| !settled.contains(id)).unwrap_or_default();
        let horizon = world.ordered.then_some(RequestId(oldest + 5));
        let may_answer = match frontier.next(now, horizon) {
            Next::Request(request) if next_of(&mut luck, 8) == 0 => {
                frontier.put_back(request, now);
                true
            }
            Next::Request(request) => {
                frontier.taken(now);
                in_flight.push(request);
                next_of(&mut luck, 3) == 0
            }
            Next::Disallowed(request) | Next::Failed(request, _) | Next::LeftOut(request) => {
                settled.push(request.id.0);
                false
            }
            Next::Unmade(unmade) => {
                settled.push(unmade.id.0);
                false
            }
            Next::At(due) if in_flight.is_empty() || next_of(&mut luck, 2) == 0 => {
                now = now.max(due);
                false
            }
            Next::At(_) => true,
            Next::AfterOutcome => {
                prop_assert!(!in_flight.is_empty(), "it waits for nobody: {:?}", frontier);
                true
            }
            Next::Done => {
                prop_assert!(in_flight.is_empty() && !frontier.has_work_left(), "{:?}", frontier);
                return Ok(settled);
            }
        };
        if may_answer && !in_flight.is_empty() {
            let request = in_flight.swap_remove(next_of(&mut luck, in_flight.len() as u64) as usize);
            now += Duration::from_millis(next_of(&mut luck, 40));
            let how = answer(world, &mut frontier, &request, &mut luck, now);
            settled.extend(how.map(|_| request.id.0));
        }
        prop_assert!(!frontier.has_trouble());
    }
    Err(TestCaseError::fail(format!("no end after {MOST_STEPS} steps: {frontier:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_page_is_settled_once_and_a_run_ends(world in worlds()) {
        let settled = run(&world)?;
        let once: BTreeSet<u64> = settled.iter().copied().collect();
        prop_assert_eq!(once.len(), settled.len(), "one was settled twice: {:?}", settled);
        // Numbers are given without a gap. Where robots.txt forbids pages, links of theirs are not seen.
        prop_assert_eq!(once.iter().copied().collect::<Vec<_>>(), (0..once.len() as u64).collect::<Vec<_>>());
        if world.seen.is_none() && (!world.links || !world.robots) {
            prop_assert_eq!(once.len() as u64, world.pages);
        }
    }
}
