//! Facts about [`super::evaluate`].

use std::time::{Duration, SystemTime};

use super::*;

fn share(percent: f64) -> Share {
    Share::of_percent(percent).unwrap()
}

/// A run of 50 pages and 120 records, in which all went well.
fn summary() -> Summary {
    let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    summary.pages_done = 50;
    summary.records = 120;
    summary.fields = vec![("title".to_owned(), tally(120, 0, 0)), ("price".to_owned(), tally(120, 0, 0))];
    summary
}

fn tally(filled: u64, empty: u64, wrong_type: u64) -> FieldTally {
    FieldTally { filled, empty, wrong_type }
}

fn bound(field: &str, percent: f64) -> FieldBound {
    FieldBound { field: field.to_owned(), is_nested: false, share: share(percent) }
}

fn last(records: u64) -> LastRun {
    LastRun { records, pages_done: 50, ended_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000) }
}

fn broken(policy: &CheckPolicy, summary: &Summary) -> Vec<String> {
    evaluate(policy, summary, None).iter().map(ToString::to_string).collect()
}

#[test]
fn nothing_is_broken_where_nothing_is_asked_for() {
    assert!(CheckPolicy::default().is_empty());
    let nothing = Summary::starting_at(SystemTime::UNIX_EPOCH);
    assert_eq!(evaluate(&CheckPolicy::default(), &nothing, Some(&last(9))), []);
}

#[test]
fn records_at_the_bound_are_fine_and_one_fewer_is_not() {
    let policy = CheckPolicy { min_records: Some(120), ..CheckPolicy::default() };
    let mut summary = summary();
    assert_eq!(broken(&policy, &summary), [""; 0]);
    summary.records = 119;
    assert_eq!(broken(&policy, &summary), ["min-records: 119 records, at least 120 should be there"]);
    summary.records = 0;
    assert_eq!(broken(&policy, &summary), ["min-records: 0 records, at least 120 should be there"]);
}

#[test]
fn failures_at_the_bound_are_fine_and_one_more_is_not() {
    let policy = CheckPolicy { max_failed: Some(share(2.0)), ..CheckPolicy::default() };
    let mut summary = summary();
    summary.pages_done = 49;
    summary.failed_by_kind = [("timeout".to_owned(), 1)].into();
    assert_eq!(broken(&policy, &summary), [""; 0], "1 of 50 is 2 %");
    summary.pages_done = 48;
    summary.failed_by_kind.insert("status 500".to_owned(), 2);
    assert_eq!(
        broken(&policy, &summary),
        ["max-failed: 3 of 51 pages (5.9 %) failed, at most 2 % may; 2 of them: status 500"]
    );
    // Pages that robots.txt forbids were not asked for.
    summary.failed_by_kind.clear();
    summary.pages_disallowed = 1000;
    assert_eq!(broken(&policy, &summary), [""; 0]);
}

#[test]
fn no_page_at_all_does_not_pass_for_no_failure() {
    let policy = CheckPolicy { max_failed: Some(share(2.0)), ..CheckPolicy::default() };
    let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    assert_eq!(
        broken(&policy, &summary),
        ["max-failed: no page was asked for, at most 2 % of them may fail"]
    );
    summary.pages_disallowed = 5;
    assert_eq!(
        broken(&policy, &summary),
        ["max-failed: no page was asked for: robots.txt forbids them all, at most 2 % of them may fail"]
    );
}

#[test]
fn missing_values_at_the_bound_are_fine_and_one_more_is_not() {
    let policy = CheckPolicy { max_null: vec![bound("price", 10.0)], ..CheckPolicy::default() };
    let mut summary = summary();
    summary.fields[1].1 = tally(108, 12, 0);
    assert_eq!(broken(&policy, &summary), [""; 0], "12 of 120 are 10 %");
    summary.fields[1].1 = tally(83, 37, 0);
    assert_eq!(
        broken(&policy, &summary),
        ["max-null.price: 37 of 120 records (30.8 %) have no price, at most 10 % may; \
          did the site change? `pagemill try URL` shows what the XPath matches"]
    );
}

#[test]
fn what_is_not_of_its_type_counts_as_missing_and_is_told() {
    let policy = CheckPolicy {
        max_null: vec![bound("price", 10.0)],
        min_fill: vec![bound("price", 90.0)],
        ..CheckPolicy::default()
    };
    let mut summary = summary();
    summary.fields[1].1 = tally(108, 11, 1);
    assert_eq!(broken(&policy, &summary), [""; 0]);
    summary.fields[1].1 = tally(107, 1, 12);
    assert_eq!(
        broken(&policy, &summary),
        [
            "min-fill.price: 107 of 120 records (89.2 %) have a price, at least 90 % should \
             (12 values are not of its type); did the site change? `pagemill try URL` shows what the XPath matches",
            "max-null.price: 13 of 120 records (10.8 %) have no price, at most 10 % may \
             (12 values are not of its type); did the site change? `pagemill try URL` shows what the XPath matches",
        ]
    );
}

#[test]
fn filled_values_at_the_bound_are_fine_and_one_fewer_is_not() {
    let policy = CheckPolicy { min_fill: vec![bound("title", 100.0)], ..CheckPolicy::default() };
    let mut summary = summary();
    assert_eq!(broken(&policy, &summary), [""; 0]);
    summary.fields[0].1 = tally(119, 1, 0);
    assert!(broken(&policy, &summary)[0].starts_with(
        "min-fill.title: 119 of 120 records (99.2 %) have a title, at least 100 % should; did the site"
    ));
}

#[test]
fn without_a_record_each_bound_on_a_field_is_broken() {
    let nested = FieldBound { is_nested: true, ..bound("author.name", 95.0) };
    let policy = CheckPolicy {
        max_null: vec![bound("price", 10.0)],
        min_fill: vec![nested],
        ..CheckPolicy::default()
    };
    let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    summary.pages_done = 50;
    let found = broken(&policy, &summary);
    assert!(
        found[0].starts_with(
            "min-fill.author.name: there is no object that could have an author.name, at least 95 % should; "
        ) && found[1]
            .starts_with("max-null.price: there is no record that could have a price, at most 10 % may; "),
        "{found:?}"
    );
}

#[test]
fn a_bound_that_nothing_could_break_is_off() {
    let policy = CheckPolicy {
        min_records: Some(0),
        max_failed: Some(Share::ALL),
        min_fill: vec![bound("title", 0.0)],
        max_null: vec![bound("price", 100.0)],
        max_drop: Some(Share::ALL),
        idle: Vec::new(),
    };
    let nothing = Summary::starting_at(SystemTime::UNIX_EPOCH);
    assert_eq!(evaluate(&policy, &nothing, Some(&last(1000))), []);
}

#[test]
fn a_drop_at_the_bound_is_fine_and_one_more_is_not() {
    let policy = CheckPolicy { max_drop: Some(share(30.0)), ..CheckPolicy::default() };
    let told = |records, last: Option<&LastRun>| {
        let summary = Summary { records, ..summary() };
        evaluate(&policy, &summary, last).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(told(700, Some(&last(1000))), [""; 0]);
    assert_eq!(
        told(699, Some(&last(1000))),
        ["max-drop: 699 records, 30.1 % fewer than the 1,000 of the last run (2023-11-14T22:13:20.000Z), \
          at most 30 % fewer may come"]
    );
    assert_eq!(told(2000, Some(&last(1000))), [""; 0], "more is no drop");
    assert_eq!(told(0, Some(&last(0))), [""; 0], "from nothing, nothing is lost");
    assert_eq!(told(0, None), [""; 0], "the first run has nothing to be measured by");
}

#[test]
fn only_a_run_that_came_to_its_end_is_looked_at() {
    let policy =
        CheckPolicy { min_records: Some(500), max_drop: Some(share(30.0)), ..CheckPolicy::default() };
    let names = |end| {
        let summary = Summary { end, ..summary() };
        let broken = evaluate(&policy, &summary, Some(&last(1000)));
        broken.into_iter().map(|check| check.name).collect::<Vec<_>>()
    };
    for end in [End::Completed, End::UntilEmpty] {
        assert_eq!(names(end), ["min-records", "max-drop"], "{end:?}");
    }
    // How many records there would have been is not known.
    assert_eq!(names(End::MaxRecords), ["min-records"]);
    for end in [
        End::MaxTime,
        End::Interrupted(2),
        End::BrokenPipe,
        End::LinksLost,
        End::SourceChanged,
        End::OutputError,
        End::InternalError,
    ] {
        assert_eq!(names(end), [""; 0], "{end:?}");
    }
}

#[test]
fn a_share_is_told_with_the_decimals_that_tell_it_from_its_bound() {
    assert_eq!(percent(37, 120, share(10.0)), "30.8 %");
    assert_eq!(percent(3, 10, share(10.0)), "30 %");
    assert_eq!(percent(10_001, 100_000, share(10.0)), "10.001 %");
    assert_eq!(percent(1, 1_000_000, share(0.0)), "0.0001 %");
    assert_eq!(percent(999_999, 1_000_000, share(100.0)), "99.9999 %");
}

#[test]
fn shares_are_exact_and_from_nothing_to_all() {
    assert_eq!((Share::of_percent(0.0), Share::of_percent(100.0)), (Some(Share::NONE), Some(Share::ALL)));
    for wrong in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        assert_eq!(Share::of_percent(wrong), None, "{wrong}");
    }
    assert_eq!(share(2.5).to_string(), "2.5 %");
    // Of numbers that no float could tell apart.
    assert!(share(50.0).is_less_than(u64::MAX / 2 + 1, u64::MAX));
    assert!(!share(50.0).is_less_than(u64::MAX / 2, u64::MAX));
}
