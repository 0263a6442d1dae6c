//! The host table: who may be asked when. Time is a number here, and nothing waits.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use url::Url;

use super::backlog::Order;
use super::hosts::{Handed, Hosts};
use super::throttle::{Reply, Verdict};
use super::{HostPace, PacePolicy, ThrottleMode, ThrottlePolicy};
use crate::model::{Errand, PageError, Request, RequestId};
use crate::robots::Robots;

const SECOND: Duration = Duration::from_secs(1);

fn breadth(policy: PacePolicy) -> Hosts {
    Hosts::new(policy, Order::Breadth)
}

fn pace(per_host: u32) -> PacePolicy {
    let throttle = ThrottlePolicy {
        mode: ThrottleMode::Off,
        per_host,
        delay: Duration::ZERO,
        max_pause: Duration::from_secs(100),
    };
    let usual = HostPace { throttle, jitter: 0.0, interval: Duration::ZERO, obeys_robots: false };
    PacePolicy { usual, own: Vec::new(), per_ip: None }
}

fn with_robots(policy: PacePolicy) -> PacePolicy {
    PacePolicy { usual: HostPace { obeys_robots: true, ..policy.usual.clone() }, ..policy }
}

fn request(id: u64, url: &str) -> Request {
    Request::new(RequestId(id), Url::parse(url).unwrap(), None)
}

fn good() -> Reply {
    Reply { latency: Duration::from_millis(10), verdict: Verdict::Answered { status: 200 } }
}

fn refused(asked: Option<u64>) -> Reply {
    let verdict = Verdict::Refused { asked: asked.map(Duration::from_secs) };
    Reply { latency: Duration::from_millis(10), verdict }
}

/// The ids that go out at `now`, until there is no more.
fn drain(hosts: &mut Hosts, now: Instant) -> Vec<u64> {
    std::iter::from_fn(|| match hosts.take(now) {
        Some(Handed::Request(request)) => Some(request.id.0),
        Some(other) => panic!("not a request: {other:?}"),
        None => None,
    })
    .collect()
}

#[test]
fn each_host_has_its_share_and_the_least_busy_one_goes_first() {
    let now = Instant::now();
    let mut hosts = breadth(pace(2));
    for (id, url) in
        [(0, "http://a/"), (1, "http://a/"), (2, "http://a/"), (3, "http://b/"), (4, "http://a:81/")]
    {
        hosts.push(request(id, url), now);
    }
    assert_eq!(drain(&mut hosts, now), [0, 3, 1], "a has two, and its other port is the same machine");
    assert_eq!(hosts.waiting(), 2);
    assert_eq!(hosts.due(), None, "only an outcome opens it");
    hosts.settle(&request(0, "http://a/"), (good(), None), None, now);
    assert_eq!(drain(&mut hosts, now), [2]);
}

#[test]
fn a_rate_spaces_the_requests_of_a_host_and_of_no_other() {
    let now = Instant::now();
    let mut policy = pace(9);
    policy.usual.interval = SECOND;
    let mut hosts = breadth(policy);
    for id in 0..6 {
        let name = if id % 2 == 0 { "http://a/" } else { "http://b/" };
        hosts.push(request(id, name), now);
    }
    assert_eq!(drain(&mut hosts, now), [0, 1]);
    assert_eq!(hosts.due(), Some(now + SECOND));
    assert!(drain(&mut hosts, now + SECOND / 2).is_empty());
    assert_eq!(drain(&mut hosts, now + SECOND), [2, 3]);
    assert_eq!(drain(&mut hosts, now + 2 * SECOND), [4, 5]);
}

#[test]
fn a_host_that_was_not_asked_need_not_rest() {
    let now = Instant::now();
    let mut policy = pace(9);
    policy.usual.interval = SECOND;
    let mut hosts = breadth(policy);
    for id in 0..3 {
        hosts.push(request(id, "http://a/"), now);
    }
    assert_eq!(drain(&mut hosts, now), [0]);
    let unasked = Reply { verdict: Verdict::Broken, ..good() };
    hosts.settle(&request(0, "http://a/"), (unasked, None), None, now);
    hosts.was_not_asked(&request(0, "http://a/"), now);
    assert_eq!(drain(&mut hosts, now), [1], "the first answer had been kept");
    hosts.settle(&request(1, "http://a/"), (good(), None), None, now);
    assert!(drain(&mut hosts, now).is_empty(), "the second had not");
    assert_eq!(hosts.due(), Some(now + SECOND));
}

#[test]
fn the_distance_counts_from_when_a_thread_took_the_request() {
    let now = Instant::now();
    let mut policy = pace(9);
    policy.usual.interval = SECOND;
    let mut hosts = breadth(policy);
    hosts.push(request(0, "http://a/"), now);
    hosts.push(request(1, "http://a/"), now);
    assert_eq!(drain(&mut hosts, now), [0]);
    let later = now + SECOND * 3 / 2;
    hosts.taken(later);
    assert!(drain(&mut hosts, later).is_empty());
    assert!(drain(&mut hosts, later + SECOND / 2).is_empty());
    hosts.settle(&request(0, "http://a/"), (good(), None), None, later + SECOND / 2);
    assert_eq!(drain(&mut hosts, later + SECOND), [1]);
}

#[test]
fn a_refusal_pauses_the_whole_host_up_to_the_longest_pause() {
    let now = Instant::now();
    let mut hosts = breadth(pace(2));
    for id in 0..4 {
        hosts.push(request(id, "http://a/"), now);
    }
    hosts.push(request(9, "http://b/"), now);
    assert_eq!(drain(&mut hosts, now), [0, 9, 1]);
    let pause = hosts.settle(&request(0, "http://a/"), (refused(Some(7)), None), None, now);
    assert_eq!(pause, Some(Duration::from_secs(7)));
    assert!(
        hosts.is_paused(&request(5, "http://a/"), now) && !hosts.is_paused(&request(5, "http://b/"), now)
    );
    assert!(drain(&mut hosts, now + 6 * SECOND).is_empty());
    hosts.settle(&request(1, "http://a/"), (refused(Some(1_000_000)), None), None, now + 6 * SECOND);
    assert!(drain(&mut hosts, now + 7 * SECOND).is_empty(), "it was asked for more in the meantime");
    assert_eq!(hosts.due(), Some(now + 106 * SECOND));
    assert_eq!(drain(&mut hosts, now + 106 * SECOND), [2, 3]);
}

#[test]
fn an_address_has_its_bound_whatever_names_it_has() {
    let now = Instant::now();
    let one = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut hosts = breadth(PacePolicy { per_ip: Some(2), ..pace(8) });
    for id in 0..9 {
        hosts.push(request(id, ["http://a/", "http://b/", "http://c/"][id as usize % 3]), now);
    }
    let asked: Vec<Request> = std::iter::from_fn(|| match hosts.take(now) {
        Some(Handed::Request(request)) => Some(request),
        _ => None,
    })
    .collect();
    assert!(asked.len() == 3 && asked.iter().all(|request| request.errand == Errand::Address));
    for request in asked {
        hosts.learn_address(&request, one, now);
    }
    assert_eq!(drain(&mut hosts, now), [0, 1], "two at the address");
    for (id, url) in [(0, "http://a/"), (1, "http://b/")] {
        hosts.settle(&request(id, url), (good(), None), one, now);
    }
    assert_eq!(drain(&mut hosts, now), [2, 3]);
    for (id, url) in [(2, "http://c/"), (3, "http://a/")] {
        hosts.settle(&request(id, url), (good(), None), one, now);
    }
    assert_eq!(drain(&mut hosts, now), [4, 5]);
    hosts.settle(&request(4, "http://b/"), (good(), None), one, now);
    hosts.settle(&request(5, "http://c/"), (good(), None), one, now);
    assert_eq!(drain(&mut hosts, now), [6, 7]);
    hosts.settle(&request(6, "http://a/"), (good(), None), one, now);
    hosts.settle(&request(7, "http://b/"), (good(), None), one, now);
    assert_eq!(drain(&mut hosts, now), [8], "none is forgotten");
}

#[test]
fn robots_txt_is_asked_for_once_an_origin_before_any_page() {
    let now = Instant::now();
    let mut hosts = breadth(with_robots(pace(8)));
    for (id, url) in [(0, "http://a/x"), (1, "http://a/private/x"), (2, "http://a/y"), (3, "http://a:81/z")] {
        hosts.push(request(id, url), now);
    }
    let Some(Handed::Request(robots)) = hosts.take(now) else { panic!("no request") };
    assert_eq!((robots.errand, robots.url.as_str()), (Errand::Robots, "http://a/robots.txt"));
    assert!(hosts.take(now).is_none(), "everything waits for it");
    hosts.settle(&robots, (good(), None), None, now);
    let rules = Robots::parse(b"User-agent: *\nDisallow: /private/\n", "pagemill");
    hosts.learn_robots(&robots.url, Ok(rules), now);
    assert!(matches!(hosts.take(now), Some(Handed::Request(page)) if page.id.0 == 0));
    assert!(matches!(hosts.take(now), Some(Handed::Disallowed(page)) if page.id.0 == 1));
    assert!(matches!(hosts.take(now), Some(Handed::Request(page)) if page.id.0 == 2));
    let Some(Handed::Request(other)) = hosts.take(now) else { panic!("no request") };
    assert_eq!(other.url.as_str(), "http://a:81/robots.txt", "another port has rules of its own");
    // After a day they are asked for again.
    for (id, url) in [(0, "http://a/x"), (2, "http://a/y")] {
        hosts.settle(&request(id, url), (good(), None), None, now);
    }
    hosts.settle(&other, (good(), None), None, now);
    hosts.learn_robots(&other.url, Ok(Robots::allow_all()), now);
    let tomorrow = now + Duration::from_secs(24 * 60 * 60);
    assert!(
        matches!(hosts.take(tomorrow), Some(Handed::Request(again)) if again.url.as_str() == "http://a:81/robots.txt")
    );
}

#[test]
fn without_robots_txt_for_a_fault_of_the_server_its_pages_fail() {
    let now = Instant::now();
    let mut hosts = breadth(with_robots(pace(8)));
    hosts.push(request(0, "http://a/x"), now);
    let Some(Handed::Request(robots)) = hosts.take(now) else { panic!("no request") };
    hosts.settle(&robots, (good(), None), None, now);
    hosts.learn_robots(&robots.url, Err(PageError::Protocol("x".into())), now);
    let Some(Handed::Failed(page, error)) = hosts.take(now) else { panic!("not failed") };
    assert_eq!((page.id.0, error.to_string().as_str()), (0, "robots.txt: not a valid HTTP response: x"));
    assert_eq!(error.kind(), "protocol");
    hosts.push(request(1, "http://a/x"), now);
    assert!(matches!(hosts.take(now + SECOND), Some(Handed::Failed(..))), "it is not asked for each page");
    hosts.push(request(2, "http://a/x"), now);
    assert!(
        matches!(hosts.take(now + 100 * SECOND), Some(Handed::Request(again)) if again.errand == Errand::Robots)
    );
}

#[test]
fn two_hosts_whose_robots_txt_lead_to_each_other_do_not_wait_for_ever() {
    let now = Instant::now();
    let mut hosts = breadth(with_robots(pace(1)));
    hosts.push(request(0, "http://a/"), now);
    hosts.push(request(1, "http://b/"), now);
    let mut first = Vec::new();
    while let Some(Handed::Request(robots)) = hosts.take(now) {
        first.push(robots);
    }
    for robots in first {
        hosts.settle(&robots, (good(), None), None, now);
        let other = if robots.url.host_str() == Some("a") { "http://b/r" } else { "http://a/r" };
        hosts.push(robots.moved_to(Url::parse(other).unwrap()), now);
    }
    let mut moved = 0;
    while let Some(Handed::Request(robots)) = hosts.take(now) {
        assert_eq!(robots.errand, Errand::Robots);
        moved += 1;
    }
    assert_eq!(moved, 2);
}

#[test]
fn a_crawl_delay_is_kept_up_to_the_longest_pause() {
    let now = Instant::now();
    for (line, expected) in [("3", 3), ("86400", 100)] {
        let mut hosts = breadth(with_robots(pace(8)));
        hosts.push(request(0, "http://a/"), now);
        hosts.push(request(1, "http://a/"), now);
        let Some(Handed::Request(robots)) = hosts.take(now) else { panic!("no request") };
        hosts.settle(&robots, (good(), None), None, now);
        let rules = Robots::parse(format!("User-agent: *\nCrawl-delay: {line}\n").as_bytes(), "pagemill");
        hosts.learn_robots(&robots.url, Ok(rules), now);
        assert_eq!(drain(&mut hosts, now), [0]);
        assert_eq!(hosts.due(), Some(now + expected * SECOND));
    }
}

#[test]
fn idle_hosts_are_forgotten_and_busy_ones_are_not() {
    let now = Instant::now();
    let mut hosts = breadth(pace(1));
    hosts.push(request(0, "http://busy/"), now);
    assert_eq!(drain(&mut hosts, now), [0]);
    for id in 1..100_000 {
        let url = format!("http://h{id}/");
        hosts.push(request(id, &url), now);
        assert_eq!(drain(&mut hosts, now), [id]);
        hosts.settle(&request(id, &url), (good(), None), None, now);
    }
    assert_eq!(hosts.known(), 100_000);
    let later = now + Duration::from_secs(3600);
    for id in 100_000..300_000 {
        let url = format!("http://h{id}/");
        hosts.push(request(id, &url), later);
        assert_eq!(drain(&mut hosts, later), [id]);
        hosts.settle(&request(id, &url), (good(), None), None, later);
    }
    assert!(hosts.known() < 250_000, "{}", hosts.known());
    hosts.push(request(300_000, "http://busy/"), later);
    assert!(drain(&mut hosts, later).is_empty(), "its request is still under way");
}

#[test]
fn a_timer_is_kept_once_however_often_its_host_is_touched() {
    let now = Instant::now();
    let mut policy = pace(9);
    policy.usual.interval = SECOND;
    let mut hosts = breadth(policy);
    for id in 0..1000 {
        hosts.push(request(id, "http://a/"), now);
        drain(&mut hosts, now);
    }
    assert_eq!(hosts.timers(), 1);
}

#[test]
fn a_host_that_hangs_takes_its_share_of_the_threads_and_no_more() {
    let now = Instant::now();
    let mut hosts = breadth(pace(8));
    // Four hosts in turn; h0 never answers. Eight threads.
    let url = |id: u64| format!("http://h{}/", id % 4);
    for id in 0..400 {
        hosts.push(request(id, &url(id)), now);
    }
    let mut under_way: Vec<u64> = Vec::new();
    let mut at_h0 = 0;
    for tenth in 0..60 {
        let now = now + Duration::from_millis(100 * tenth);
        while under_way.len() + at_h0 < 8
            && let Some(Handed::Request(request)) = hosts.take(now)
        {
            if request.id.0 % 4 == 0 {
                at_h0 += 1;
            } else {
                under_way.push(request.id.0);
            }
        }
        for id in under_way.drain(..) {
            hosts.settle(&request(id, &url(id)), (good(), None), None, now);
        }
    }
    assert_eq!(at_h0, 2, "a quarter");
}

#[test]
fn a_host_that_has_gone_silent_is_asked_again_once_it_is_heard_of() {
    let now = Instant::now();
    let mut policy = pace(8);
    policy.usual.interval = SECOND;
    let mut hosts = breadth(policy);
    for id in 0..9 {
        hosts.push(request(id, "http://a/"), now);
    }
    assert_eq!(drain(&mut hosts, now), [0]);
    assert_eq!(drain(&mut hosts, now + SECOND), [1]);
    assert!(drain(&mut hosts, now + 10 * SECOND).is_empty());
    hosts.settle(&request(0, "http://a/"), (good(), None), None, now + 11 * SECOND);
    assert_eq!(drain(&mut hosts, now + 11 * SECOND), [2]);
}
