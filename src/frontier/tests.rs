//! What the frontier does, step by step in made-up time.

use super::*;

fn requests(count: u64) -> Requests {
    Box::new((0..count).map(|id| Ok(request(id))))
}

fn frontier_of(source: Requests, until_empty: bool, retry: RetryPolicy, pace: PacePolicy) -> Frontier {
    Frontier::new(source, FrontierPolicy { until_empty, retry, pace, ..FrontierPolicy::plain() })
}

fn page(records: u64) -> Gave<'static> {
    Gave::Page { records, links: Vec::new() }
}

fn request(id: u64) -> Request {
    Request::new(RequestId(id), Url::parse("http://h/").unwrap(), i64::try_from(id).ok())
}

fn retry_after(delay: Duration) -> RetryPolicy {
    RetryPolicy {
        retries: 1,
        first_delay: delay,
        longest_delay: delay,
        longest_asked: delay,
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
    let mut frontier = frontier_of(requests(1), false, RetryPolicy::default(), PacePolicy::unbounded());
    let only = take(&mut frontier, now);
    assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
    assert_eq!(frontier.settle(&only, Ok(page(0)), Exchange::default(), now).settled, Settled::Done);
    assert!(matches!(frontier.next(now, None), Next::Done));
    assert!(!frontier.has_work_left());
}

#[test]
fn a_failure_comes_again_when_it_is_due_and_fails_for_good_at_last() {
    let now = Instant::now();
    let later = now + Duration::from_secs(1);
    let mut frontier =
        frontier_of(requests(1), false, retry_after(Duration::from_secs(1)), PacePolicy::unbounded());
    let first = take(&mut frontier, now);
    assert_eq!(frontier.settle(&first, Err(&REFUSED), Exchange::default(), now).settled, Settled::Retry);
    assert!(matches!(frontier.next(now, None), Next::At(due) if due == later));
    let second = take(&mut frontier, later);
    assert_eq!((second.id, second.attempt), (first.id, 1));
    assert_eq!(frontier.settle(&second, Err(&REFUSED), Exchange::default(), later).settled, Settled::Failed);
    assert!(matches!(frontier.next(later, None), Next::Done));
}

#[test]
fn the_longest_pause_of_the_host_bounds_the_wait_of_the_page_that_was_refused_too() {
    let now = Instant::now();
    let mut pace = PacePolicy::unbounded();
    pace.usual.throttle.max_pause = Duration::from_secs(2);
    let retry = RetryPolicy { first_delay: Duration::from_secs(1), ..RetryPolicy::default() };
    let mut frontier = frontier_of(requests(1), false, retry, pace);
    let first = take(&mut frontier, now);
    let exchange = Exchange { retry_after: Some(Duration::from_secs(99_999_999_999)), ..Exchange::default() };
    assert_eq!(frontier.settle(&first, Err(&REFUSED), exchange, now).settled, Settled::Retry);
    assert_eq!(take(&mut frontier, now + Duration::from_secs(2)).attempt, 1);
}

#[test]
fn an_open_range_whose_host_rests_is_not_done() {
    let now = Instant::now();
    let mut pace = PacePolicy::unbounded();
    pace.usual.interval = Duration::from_secs(1);
    let mut frontier = frontier_of(requests(9), true, RetryPolicy::default(), pace);
    let first = take(&mut frontier, now);
    frontier.settle(&first, Ok(page(1)), Exchange::default(), now);
    let later = now + Duration::from_secs(1);
    assert!(matches!(frontier.next(now, None), Next::At(due) if due == later));
    assert_eq!(take(&mut frontier, later).id, RequestId(1));
}

#[test]
fn a_run_that_stands_still_knows_what_it_waits_for() {
    let now = Instant::now();
    let hour = Duration::from_secs(3600);
    for until_empty in [false, true] {
        let mut pace = PacePolicy::unbounded();
        pace.usual.interval = hour;
        let mut frontier = frontier_of(requests(9), until_empty, retry_after(hour / 2), pace);
        let first = take(&mut frontier, now);
        assert_eq!(frontier.next_due(), None, "something is under way");
        frontier.settle(&first, Ok(page(1)), Exchange::default(), now);
        let of_host = NextDue { at: now + hour, host: "h".to_owned(), is_retry: false };
        assert!(matches!(frontier.next(now, None), Next::At(due) if due == of_host.at));
        assert_eq!(frontier.next_due(), Some(of_host));
    }
    let mut frontier = frontier_of(requests(1), false, retry_after(hour), PacePolicy::unbounded());
    let first = take(&mut frontier, now);
    frontier.settle(&first, Err(&REFUSED), Exchange::default(), now);
    assert_eq!(frontier.next_due(), Some(NextDue { at: now + hour, host: "h".to_owned(), is_retry: true }));
}

#[test]
fn a_retry_that_is_due_goes_before_new_pages() {
    let now = Instant::now();
    let mut frontier = frontier_of(requests(9), false, retry_after(Duration::ZERO), PacePolicy::unbounded());
    let first = take(&mut frontier, now);
    frontier.settle(&first, Err(&REFUSED), Exchange::default(), now);
    assert_eq!(take(&mut frontier, now).id, first.id);
}

#[test]
fn the_horizon_holds_back_new_pages_but_not_retries() {
    let now = Instant::now();
    let mut frontier = frontier_of(requests(9), false, retry_after(Duration::ZERO), PacePolicy::unbounded());
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
            frontier_of(requests(5), until_empty, RetryPolicy::default(), PacePolicy::unbounded());
        let first = take(&mut frontier, now);
        frontier.settle(&first, Ok(page(0)), Exchange::default(), now);
        assert_eq!(frontier.open_end(), end);
        assert_eq!(matches!(frontier.next(now, None), Next::Done), until_empty);
    }
}

fn leads_to(rules: &[u16]) -> Vec<Link> {
    let link = |(number, &rule): (usize, &u16)| Link {
        url: Url::parse(&format!("http://h/{number}")).unwrap(),
        rule: RuleId(rule),
        priority: 0,
        carried: None,
        errand: Errand::Page,
        fingerprint: number as u128,
    };
    rules.iter().enumerate().map(link).collect()
}

#[test]
fn a_page_that_was_seen_ends_a_range_and_what_is_under_way_still_comes() {
    let now = Instant::now();
    let retry = retry_after(Duration::ZERO);
    let policy = FrontierPolicy { source_ends_at_seen: true, retry, ..FrontierPolicy::plain() };
    let mut frontier = Frontier::new(requests(9), policy);
    let [first, second, third] = [0; 3].map(|_| take(&mut frontier, now));
    frontier.end_at_seen(&second, &mut Vec::new(), now);
    assert_eq!(frontier.settle(&second, Ok(page(1)), Exchange::default(), now).settled, Settled::Done);
    assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
    assert_eq!(frontier.settle(&third, Ok(page(1)), Exchange::default(), now).settled, Settled::Done);
    assert_eq!(frontier.settle(&first, Err(&REFUSED), Exchange::default(), now).settled, Settled::Retry);
    assert_eq!(take(&mut frontier, now).id, first.id);
    assert!(frontier.is_cut_at_seen() && frontier.open_end().is_none());
}

#[test]
fn what_was_read_behind_a_page_that_was_seen_is_left_out_by_name_and_counts_as_not_asked_for() {
    let now = Instant::now();
    let policy = FrontierPolicy { source_ends_at_seen: true, max_pages: Some(3), ..FrontierPolicy::plain() };
    let mut frontier = Frontier::new(requests(9), policy);
    let [first, second, third] = [0; 3].map(|_| take(&mut frontier, now));
    frontier.put_back(third, now);
    frontier.put_back(second, now);
    frontier.end_at_seen(&first, &mut Vec::new(), now);
    frontier.settle(&first, Ok(page(1)), Exchange::default(), now);
    for id in [1, 2] {
        assert!(matches!(frontier.next(now, None), Next::LeftOut(request) if request.id.0 == id));
    }
    assert!(matches!(frontier.next(now, None), Next::Done));
    assert!(!frontier.is_full());
}

#[test]
fn a_page_that_was_seen_leads_on_to_other_rules_only() {
    let now = Instant::now();
    let mut frontier = frontier_of(requests(2), false, RetryPolicy::default(), PacePolicy::unbounded());
    let first = take(&mut frontier, now);
    let mut links = leads_to(&[0, 1, 0, 2]);
    frontier.end_at_seen(&first, &mut links, now);
    assert_eq!(links.iter().map(|link| link.rule.0).collect::<Vec<_>>(), [1, 2]);
    assert!(frontier.is_cut_at_seen());
    // It is not one range: the next request is another list.
    frontier.settle(&first, Ok(page(1)), Exchange::default(), now);
    assert_eq!(take(&mut frontier, now).id, RequestId(1));
}

#[test]
fn a_last_page_that_was_seen_cuts_nothing_off() {
    let now = Instant::now();
    let policy = FrontierPolicy { source_ends_at_seen: true, ..FrontierPolicy::plain() };
    let mut frontier = Frontier::new(requests(1), policy);
    let only = take(&mut frontier, now);
    frontier.end_at_seen(&only, &mut leads_to(&[1]), now);
    frontier.settle(&only, Ok(page(1)), Exchange::default(), now);
    assert!(matches!(frontier.next(now, None), Next::Done));
    assert!(!frontier.is_cut_at_seen());
}

#[test]
fn page_not_found_is_the_end_of_an_open_range_and_no_failure() {
    let now = Instant::now();
    for status in [404, 410] {
        let mut frontier = frontier_of(requests(5), true, RetryPolicy::default(), PacePolicy::unbounded());
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
    let mut frontier = frontier_of(requests(u64::MAX), true, RetryPolicy::default(), PacePolicy::unbounded());
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
    let mut frontier = frontier_of(Box::new(source), true, RetryPolicy::default(), PacePolicy::unbounded());
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
    let mut frontier = frontier_of(requests(u64::MAX), true, RetryPolicy::default(), PacePolicy::unbounded());
    for number in 0..3 * FAILURES_THAT_END_AN_OPEN_RANGE {
        let request = take(&mut frontier, now);
        let result = if number % 2 == 0 { Ok(page(1)) } else { Err(&PageError::Status(403)) };
        frontier.settle(&request, result, Exchange::default(), now);
    }
    assert_eq!(frontier.open_end(), None);
}

#[test]
fn after_a_dead_site_was_given_up_its_failures_are_not_tried_again() {
    let now = Instant::now();
    let mut frontier =
        frontier_of(requests(u64::MAX), true, retry_after(Duration::ZERO), PacePolicy::unbounded());
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
        frontier_of(requests(1), false, retry_after(Duration::from_secs(1)), PacePolicy::unbounded());
    let only = take(&mut frontier, now);
    frontier.settle(&only, Err(&REFUSED), Exchange::default(), now);
    assert!(frontier.has_work_left());
}

#[test]
fn what_was_put_back_goes_out_again() {
    let now = Instant::now();
    let mut frontier = frontier_of(requests(1), false, RetryPolicy::default(), PacePolicy::unbounded());
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
    let mut frontier = frontier_of(Box::new(source), false, RetryPolicy::default(), PacePolicy::unbounded());
    assert!(matches!(frontier.next(now, None), Next::AfterOutcome));
    let only = take(&mut frontier, now);
    frontier.settle(&only, Ok(page(1)), Exchange::default(), now);
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
    let mut frontier = frontier_of(Box::new(source), false, RetryPolicy::default(), PacePolicy::unbounded());
    assert!(matches!(frontier.next(now, None), Next::Unmade(failed) if failed == unmade));
    assert!(matches!(frontier.next(now, None), Next::Done));
}
