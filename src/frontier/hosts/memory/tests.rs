//! Hosts of one process in the next. Time is a number here, and nothing waits.

use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use url::Url;

use super::*;
use crate::frontier::backlog::Order;
use crate::frontier::hosts::Handed;
use crate::frontier::throttle::{Reply, Verdict};
use crate::frontier::{HostPace, ThrottleMode, ThrottlePolicy};
use crate::memory::tests::{Kept, keep};
use crate::model::{Errand, PageError, Request, RequestId};
use crate::robots::Robots;
use crate::wire::Bytes;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// A process that began some time after the first.
fn clock(after: Duration) -> Clock {
    Clock { instant: Instant::now(), system: SystemTime::UNIX_EPOCH + 1_000_000 * SECOND + after }
}

fn at(clock: Clock, later: Duration) -> Clock {
    Clock { instant: clock.instant + later, system: clock.system + later }
}

fn policy() -> PacePolicy {
    let throttle = ThrottlePolicy {
        mode: ThrottleMode::Off,
        per_host: 9,
        delay: Duration::ZERO,
        max_pause: 1_000 * SECOND,
    };
    let usual = HostPace { throttle, jitter: 0.0, interval: Duration::ZERO, obeys_robots: false };
    PacePolicy { usual, own: Vec::new(), per_ip: None }
}

fn obeying() -> PacePolicy {
    PacePolicy { usual: HostPace { obeys_robots: true, ..policy().usual }, ..policy() }
}

fn with_rate(interval: Duration) -> PacePolicy {
    PacePolicy { usual: HostPace { interval, ..policy().usual }, ..policy() }
}

fn process(policy: &PacePolicy, kept: &Kept, clock: Clock) -> Hosts {
    let mut hosts = Hosts::new(policy.clone(), Order::Breadth);
    hosts.remember(kept, clock).unwrap();
    hosts
}

fn request(id: u64, url: &str) -> Request {
    Request::new(RequestId(id), Url::parse(url).unwrap(), None)
}

fn reply(verdict: Verdict) -> Reply {
    Reply { latency: Duration::from_millis(10), verdict }
}

const GOOD: Verdict = Verdict::Answered { status: 200 };

fn refused(seconds: u32) -> Verdict {
    Verdict::Refused { asked: Some(seconds * SECOND) }
}

/// Asks for a page and hears `verdict`.
fn ask(hosts: &mut Hosts, url: &str, verdict: Verdict, now: Instant) {
    hosts.push(request(0, url), now);
    let Some(Handed::Request(page)) = hosts.take(now) else { panic!("{url} cannot be asked for") };
    let error = (verdict != GOOD).then_some(PageError::Status(503));
    hosts.settle(&page, (reply(verdict), error.as_ref()), None, now);
}

/// Asks for a page whose robots.txt has to be asked for first, and brings it.
fn learn(hosts: &mut Hosts, url: &str, robots: Result<Robots, PageError>, now: Instant) {
    hosts.push(request(0, url), now);
    let asked = std::iter::from_fn(|| hosts.take(now)).find_map(|handed| match handed {
        Handed::Request(asked) => Some(asked).filter(|asked| asked.errand == Errand::Robots),
        _ => None,
    });
    let asked = asked.expect("its robots.txt is asked for");
    hosts.settle(&asked, (reply(GOOD), None), None, now);
    hosts.learn_robots(&asked.url, robots, now);
}

/// When a page of this host may be asked for: how long after `now`.
fn opens_after(hosts: &mut Hosts, url: &str, now: Instant) -> Duration {
    hosts.push(request(0, url), now);
    let due = hosts.due();
    due.map_or(Duration::ZERO, |due| due - now)
}

#[test]
fn a_pause_goes_on_for_what_is_left_of_it() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, first);
    ask(&mut hosts, "http://a/", refused(60), first.instant);
    ask(&mut hosts, "http://b/", GOOD, first.instant);
    keep(hosts.take_changes(at(first, SECOND)), &mut kept);

    let second = clock(20 * SECOND);
    let mut hosts = process(&policy(), &kept, second);
    assert_eq!(opens_after(&mut hosts, "http://a/", second.instant), 40 * SECOND);
    assert_eq!(
        opens_after(&mut process(&policy(), &kept, second), "http://b/", second.instant),
        Duration::ZERO
    );
    let third = clock(60 * SECOND);
    assert_eq!(
        opens_after(&mut process(&policy(), &kept, third), "http://a/", third.instant),
        Duration::ZERO
    );
}

#[test]
fn a_clock_that_was_set_back_makes_no_pause_longer_than_the_longest() {
    let mut kept = Kept::new();
    let first = clock(24 * HOUR);
    let mut hosts = process(&policy(), &kept, first);
    ask(&mut hosts, "http://a/", refused(60), first.instant);
    keep(hosts.take_changes(first), &mut kept);
    let second = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, second);
    assert_eq!(opens_after(&mut hosts, "http://a/", second.instant), 1_000 * SECOND);
}

#[test]
fn the_distance_to_the_last_request_is_kept_be_it_an_hour() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&with_rate(HOUR), &kept, first);
    hosts.push(request(0, "http://a/"), first.instant);
    assert!(matches!(hosts.take(first.instant), Some(Handed::Request(_))));
    // It has not been answered, and never will be.
    assert_eq!(keep(hosts.take_changes(first), &mut kept), 1);

    let second = clock(10 * SECOND);
    let mut hosts = process(&with_rate(HOUR), &kept, second);
    assert_eq!(opens_after(&mut hosts, "http://a/", second.instant), HOUR - 10 * SECOND);
    let mut hosts = process(&with_rate(60 * SECOND), &kept, second);
    let after = opens_after(&mut hosts, "http://a/", second.instant);
    assert_eq!(after, 50 * SECOND, "the rate that the job asks for now");
    let before = clock(Duration::ZERO);
    let before = Clock { system: before.system - 24 * HOUR, ..before };
    let mut hosts = process(&with_rate(HOUR), &kept, before);
    assert_eq!(opens_after(&mut hosts, "http://a/", before.instant), HOUR, "the clock was set back");
    let mut hosts = process(&with_rate(HOUR), &kept, clock(2 * HOUR));
    assert_eq!(opens_after(&mut hosts, "http://a/", Instant::now()), Duration::ZERO);
}

#[test]
fn a_crawl_delay_is_kept() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&obeying(), &kept, first);
    let rules = Robots::parse(b"User-agent: *\nCrawl-delay: 30\n", "pagemill");
    learn(&mut hosts, "http://a/", Ok(rules), first.instant);
    assert!(matches!(hosts.take(first.instant), Some(Handed::Request(page)) if page.errand == Errand::Page));
    assert_eq!(keep(hosts.take_changes(first), &mut kept), 2, "its pace and its robots.txt");

    let second = clock(10 * SECOND);
    let mut hosts = process(&obeying(), &kept, second);
    assert_eq!(opens_after(&mut hosts, "http://a/", second.instant), 20 * SECOND);
    let later = second.instant + 20 * SECOND;
    assert!(matches!(hosts.take(later), Some(Handed::Request(page)) if page.errand == Errand::Page));
    assert_eq!(opens_after(&mut hosts, "http://a/", later), 30 * SECOND);
}

#[test]
fn robots_txt_are_not_asked_for_again_until_they_expire() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&obeying(), &kept, first);
    let rules = Robots::parse(b"User-agent: *\nDisallow: /private/\n", "pagemill");
    learn(&mut hosts, "http://a/", Ok(rules), first.instant);
    learn(&mut hosts, "https://b:81/", Err(PageError::Protocol("x".into())), first.instant);
    keep(hosts.take_changes(first), &mut kept);

    let second = clock(30 * SECOND);
    let mut hosts = process(&obeying(), &kept, second);
    let mut is = |url: &str, expected: fn(&Handed) -> bool| {
        hosts.push(request(0, url), second.instant);
        let handed = hosts.take(second.instant);
        assert!(handed.as_ref().is_some_and(expected), "{url}: {handed:?}");
    };
    is("http://a/x", |handed| matches!(handed, Handed::Request(page) if page.errand == Errand::Page));
    is("http://a/private/x", |handed| matches!(handed, Handed::Disallowed(_)));
    is("https://b:81/", |handed| matches!(handed, Handed::Failed(_, PageError::OfRobots(_))));
    is("https://b/", |handed| matches!(handed, Handed::Request(page) if page.errand == Errand::Robots));

    for (after, url) in [(24 * HOUR, "http://a/x"), (60 * SECOND, "https://b:81/")] {
        let third = clock(after);
        let mut hosts = process(&obeying(), &kept, third);
        hosts.push(request(0, url), third.instant);
        let handed = hosts.take(third.instant);
        assert!(matches!(handed, Some(Handed::Request(page)) if page.errand == Errand::Robots), "{url}");
    }
}

#[test]
fn a_robots_txt_that_was_under_way_is_asked_for_again() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&obeying(), &kept, first);
    hosts.push(request(0, "http://a/"), first.instant);
    assert!(matches!(hosts.take(first.instant), Some(Handed::Request(asked)) if asked.is_own()));
    keep(hosts.take_changes(first), &mut kept);
    let mut hosts = process(&obeying(), &kept, first);
    hosts.push(request(0, "http://a/"), first.instant);
    assert!(matches!(hosts.take(first.instant), Some(Handed::Request(asked)) if asked.is_own()));
}

#[test]
fn one_who_forgives_asks_a_host_that_was_given_up_and_for_its_robots_txt_that_did_not_come() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, first);
    for second in 0..3 {
        ask(&mut hosts, "http://gone/", Verdict::TimedOut, first.instant + second * SECOND);
    }
    keep(hosts.take_changes(at(first, 3 * SECOND)), &mut kept);
    let second = clock(10 * SECOND);
    let mut hosts = process(&policy(), &kept, second);
    hosts.forgive();
    let opens = opens_after(&mut hosts, "http://gone/", second.instant);
    hosts.push(request(1, "http://gone/"), second.instant);
    let taken = hosts.take(second.instant + opens);
    assert!(matches!(taken, Some(Handed::Request(_))), "{taken:?}");

    let mut kept = Kept::new();
    let mut hosts = process(&obeying(), &kept, first);
    learn(&mut hosts, "http://a/", Err(PageError::NoRobots(Box::new(PageError::Status(503)))), first.instant);
    keep(hosts.take_changes(first), &mut kept);
    let mut hosts = process(&obeying(), &kept, first);
    hosts.forgive();
    hosts.push(request(1, "http://a/"), first.instant);
    let taken = hosts.take(first.instant);
    assert!(matches!(&taken, Some(Handed::Request(asked)) if asked.is_own()), "{taken:?}");
}

#[test]
fn a_host_that_was_given_up_stays_so_and_one_that_nearly_was_needs_little() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, first);
    for (url, troubles) in [("http://gone/", 3), ("http://going/", 2)] {
        for second in 0..troubles {
            ask(&mut hosts, url, Verdict::TimedOut, first.instant + second * SECOND);
        }
    }
    keep(hosts.take_changes(at(first, 3 * SECOND)), &mut kept);

    let second = clock(10 * SECOND);
    let mut hosts = process(&policy(), &kept, second);
    ask(&mut hosts, "http://going/", Verdict::TimedOut, second.instant);
    for url in ["http://gone/", "http://going/"] {
        hosts.push(request(1, url), second.instant);
        let Some(Handed::Failed(_, error)) = hosts.take(second.instant) else { panic!("{url} was asked") };
        assert_eq!(error, PageError::GivenUp(Box::new(PageError::Status(503))));
    }
    let third = clock(603 * SECOND);
    let mut hosts = process(&policy(), &kept, third);
    hosts.push(request(1, "http://gone/"), third.instant);
    assert!(matches!(hosts.take(third.instant), Some(Handed::Request(_))), "one may find out");
}

#[test]
fn a_window_and_a_pace_that_were_learned_are_kept() {
    let mut policy = policy();
    policy.usual.throttle.mode = ThrottleMode::Adaptive;
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy, &kept, first);
    let mut now = first.instant;
    for page in 0..40 {
        hosts.push(request(page, "http://a/"), now);
        let Some(Handed::Request(page)) = hosts.take(now) else { panic!("it is not time") };
        now += SECOND / 100;
        let verdict = if page.id.0 % 20 == 19 { refused(2) } else { GOOD };
        hosts.settle(&page, (reply(verdict), None), None, now);
        hosts.push(request(100, "http://a/"), now);
        now = hosts.due().unwrap_or(now);
        hosts.drop_untried_of_source(now);
    }
    let then = at(first, now - first.instant);
    keep(hosts.take_changes(then), &mut kept);
    let goes = |hosts: &mut Hosts, now: Instant| {
        (0..20).for_each(|id| hosts.push(request(id, "http://a/"), now));
        std::iter::from_fn(|| hosts.take(now)).count()
    };
    let second = Clock { instant: Instant::now(), system: then.system };
    let mut other = process(&policy, &kept, second);
    let (was, is) = (goes(&mut hosts, now), goes(&mut other, second.instant));
    assert!(is >= 1 && is <= was, "{is} of {was}");
    assert_eq!(other.due().map(|due| due - second.instant), hosts.due().map(|due| due - now));
}

#[test]
fn of_a_hundred_thousand_hosts_only_the_one_that_changed_is_told() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, first);
    for id in 0..100_000 {
        ask(&mut hosts, &format!("http://h{id}/"), GOOD, first.instant);
    }
    assert_eq!(keep(hosts.take_changes(first), &mut kept), 100_000);
    assert_eq!(hosts.take_changes(first), []);
    ask(&mut hosts, "http://h7/", GOOD, first.instant);
    let changes = hosts.take_changes(first);
    assert_eq!(changes.iter().map(|change| &change.key[..]).collect::<Vec<_>>(), [b"ph7"]);

    let mut hosts = process(&policy(), &kept, first);
    ask(&mut hosts, "http://h7/", GOOD, first.instant);
    assert_eq!(hosts.known(), 1, "the others are not even read");
    assert_eq!(hosts.take_changes(first).len(), 1);
}

#[test]
fn hosts_that_are_forgotten_are_told_as_gone_met_or_not() {
    let mut kept = Kept::new();
    let first = clock(Duration::ZERO);
    let mut hosts = process(&policy(), &kept, first);
    for id in 0..10_000 {
        ask(&mut hosts, &format!("http://old{id}/"), GOOD, first.instant);
    }
    ask(&mut hosts, "http://paused/", refused(500), first.instant);
    keep(hosts.take_changes(first), &mut kept);
    let mut hosts = process(&policy(), &kept, first);
    for (id, later) in [(0, 0), (1, 130), (2, 130)] {
        ask(&mut hosts, &format!("http://old{id}/"), GOOD, first.instant + later * SECOND);
    }
    // The table is full: there were some 10,000, and there are as many more.
    for id in 0..11_000 {
        ask(&mut hosts, &format!("http://new{id}/"), GOOD, first.instant + 130 * SECOND);
    }
    keep(hosts.take_changes(at(first, 130 * SECOND)), &mut kept);
    let is_kept = |name: &str| kept.contains_key(name.as_bytes());
    assert!(!is_kept("pold0") && !is_kept("pold9999"));
    assert!(is_kept("pold1") && is_kept("pold2") && is_kept("pnew0"));
    assert!(is_kept("ppaused"), "its pause is not over");
    assert!(kept.len() < 12_000);
}

#[test]
fn without_anybody_to_tell_nothing_is_noted() {
    let mut hosts = Hosts::new(policy(), Order::Breadth);
    ask(&mut hosts, "http://a/", GOOD, Instant::now());
    assert_eq!(hosts.take_changes(Clock::now()), []);
}

#[test]
fn entries_of_another_kind_or_form_are_refused_and_damaged_ones_are_of_strangers() {
    let refused = |key: &[u8], value: &[u8]| {
        let mut hosts = Hosts::new(policy(), Order::Breadth);
        hosts.remember([(key, value)], Clock::now()).is_none()
    };
    for (key, value) in
        [(&b""[..], &[VERSION][..]), (b"xh", &[VERSION]), (b"ph", &[VERSION + 1]), (b"ph", &[])]
    {
        assert!(refused(key, value), "{key:?}");
    }
    assert!(refused(b"p\xff", &[VERSION]));
    let kept = Kept::from([(b"ph".to_vec(), vec![VERSION]), (b"rh".to_vec(), vec![VERSION, 7])]);
    let now = Instant::now();
    ask(&mut process(&policy(), &kept, Clock::now()), "http://h/", GOOD, now);
    let mut hosts = process(&obeying(), &kept, Clock::now());
    learn(&mut hosts, "http://h/", Ok(Robots::allow_all()), now);
}

/// But for when the last request went, which is told only while another has to wait for it. That may have come to its
/// end, if the distance has become shorter since.
fn but_for_the_last(pace: &[u8]) -> &[u8] {
    let mut bytes = Bytes(&pace[1..]);
    bytes.number().unwrap();
    bytes.0
}

proptest! {
    #[test]
    fn any_bytes_can_be_read_without_a_panic(
        pace in proptest::collection::vec(any::<u8>(), 0..80),
        robots in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let mut host = Host::new("h", &policy().usual, Instant::now());
        let versioned = |bytes: Vec<u8>| [vec![VERSION], bytes].concat();
        let _ = host.recall_robots(&versioned(robots), Clock::now());
        let _ = host.recall_pace(&policy().usual, &versioned(pace), Clock::now());
    }

    #[test]
    fn what_is_brought_back_is_what_would_be_told(
        visits in proptest::collection::vec((0..3_u8, 0..5_u8, 0..40_u32), 1..40),
        mode in 0..3_u8,
    ) {
        let mut policy = policy();
        policy.usual.throttle.mode = match mode {
            0 => ThrottleMode::Off,
            1 => ThrottleMode::Adaptive,
            _ => ThrottleMode::AutoThrottle {
                start_delay: SECOND,
                max_delay: 60 * SECOND,
                target_concurrency: 1.0,
            },
        };
        let mut kept = Kept::new();
        let first = clock(Duration::ZERO);
        let mut hosts = process(&policy, &kept, first);
        let mut now = first;
        for (host, verdict, passed) in visits {
            let verdict = match verdict {
                0 => refused(5),
                1 => Verdict::TimedOut,
                _ => GOOD,
            };
            let url = format!("http://h{host}/");
            hosts.push(request(0, &url), now.instant);
            if let Some(Handed::Request(page)) = hosts.take(now.instant) {
                let error = PageError::Status(429);
                let error = (verdict != GOOD).then_some(&error);
                hosts.settle(&page, (reply(verdict), error), None, now.instant);
            }
            now = at(now, passed * SECOND);
        }
        keep(hosts.take_changes(now), &mut kept);
        let mut again = process(&policy, &kept, now);
        for host in 0..3 {
            let name = format!("h{host}");
            if again.is_unmet(&name) {
                let host = again.meet(&name, now.instant);
                let told = host.pace_bytes(now);
                prop_assert_eq!(but_for_the_last(&told), but_for_the_last(&kept[&key(PACE, &name)]));
            }
        }
    }
}
