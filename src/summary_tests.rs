//! Facts about [`super::Summary`].

use super::*;

fn summary() -> Summary {
    let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250));
    summary.pages_done = 498;
    summary.count_failure("timeout".into());
    summary.count_failure("status 404".into());
    summary.records = 12_340;
    summary.bytes = 70_100_000;
    summary.duration = Duration::from_millis(4_200);
    summary
}

#[test]
fn people_read_one_line_and_the_failures() {
    assert_eq!(
        summary().to_string(),
        "500 pages (2 failed), 12,340 records, 70.1 MB in 4.2s (119 pages/s)\n  1  status 404\n  1  timeout"
    );
}

#[test]
fn failures_stand_aligned_with_the_most_frequent_first() {
    let mut summary = summary();
    summary.retries = 1;
    summary.end = End::Interrupted(2);
    summary.failed_by_kind = [("connect".into(), 9), ("timeout".into(), 1200)].into();
    assert_eq!(
        summary.to_string(),
        "1,707 pages (1,209 failed, 1 retry), 12,340 records, 70.1 MB in 4.2s (406 pages/s)\n\
         interrupted by SIGINT\n  1,200  timeout\n      9  connect"
    );
}

fn tally(filled: u64, empty: u64, wrong_type: u64) -> FieldTally {
    FieldTally { filled, empty, wrong_type }
}

#[test]
fn fields_are_told_only_when_something_is_off() {
    let mut summary = summary();
    summary.failed_by_kind.clear();
    summary.fields = vec![("title".into(), tally(500, 0, 0)), ("unused".into(), tally(0, 0, 0))];
    assert_eq!(summary.to_string().lines().count(), 1);
    summary.fields.extend([
        ("price".into(), tally(1480, 17, 3)),
        ("author.name".into(), tally(0, 500, 0)),
        ("date".into(), tally(0, 0, 500)),
    ]);
    summary.records_dropped = 1;
    let told = summary.to_string();
    let told: Vec<&str> = told.lines().skip(1).collect();
    assert_eq!(
        told,
        [
            "1 record dropped: a required field was missing",
            "  author.name  never filled",
            "  date         never filled, 500 not of its type",
            "  price        filled 1,480 of 1,500, 3 not of its type",
        ]
    );
}

#[test]
fn many_fields_are_cut_short() {
    let mut summary = summary();
    summary.failed_by_kind.clear();
    summary.fields = (0..15).map(|number| (format!("f{number}"), tally(1, 1, 0))).collect();
    let told = summary.to_string();
    assert_eq!(told.lines().count(), 1 + 12 + 1);
    assert!(told.ends_with("and 3 more fields that were not always filled"));
}

#[test]
fn the_counts_of_pages_add_up_by_field() {
    let mut summary = summary();
    summary.fields = vec![("a".into(), tally(1, 0, 0)), ("b".into(), tally(0, 0, 0))];
    summary.count_fields(&[tally(1, 2, 3), tally(4, 5, 6)]);
    // A page without a record has none.
    summary.count_fields(&[]);
    assert_eq!(
        summary.to_json()["fields"],
        serde_json::json!({
            "a": {"filled": 2, "empty": 2, "wrong_type": 3},
            "b": {"filled": 4, "empty": 5, "wrong_type": 6},
        })
    );
}

#[test]
fn a_run_that_did_nothing_has_no_rate() {
    let summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    assert_eq!(summary.to_string(), "0 pages, 0 records, 0 B in 0.00s");
    assert_eq!(summary.to_json()["pages_per_second"], Value::Null);
}

#[test]
fn numbers_are_rounded_to_what_people_need() {
    assert_eq!(grouped(999), "999");
    assert_eq!(grouped(1_000_000), "1,000,000");
    assert_eq!(decimal_bytes(999), "999 B");
    assert_eq!(decimal_bytes(1_000), "1.0 kB");
    assert_eq!(decimal_bytes(999_960), "1.0 MB");
    assert_eq!(decimal_bytes(3_000_000_000_000), "3.0 TB");
    assert_eq!(rounded_duration(Duration::from_millis(94)), "0.09s");
    assert_eq!(rounded_duration(Duration::from_millis(59_960)), "1m00s");
    assert_eq!(rounded_duration(Duration::from_secs(65)), "1m05s");
    assert_eq!(rounded_duration(Duration::from_millis(3_599_600)), "1h00m");
    assert_eq!(rounded_duration(Duration::from_secs(2 * 3600 + 3 * 60)), "2h03m");
}

#[test]
fn the_exit_code_follows_from_the_end_and_the_failures() {
    let code = |end, failures: u64| {
        let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
        summary.end = end;
        summary.failed_by_kind = (0..failures).map(|i| (i.to_string(), 1)).collect();
        summary.exit_code()
    };
    assert_eq!((code(End::Completed, 0), code(End::Completed, 1)), (0, 3));
    assert_eq!((code(End::UntilEmpty, 0), code(End::UntilEmpty, 1)), (0, 3));
    assert_eq!((code(End::MaxTime, 0), code(End::MaxTime, 1)), (75, 75));
    assert_eq!((code(End::Interrupted(2), 1), code(End::Interrupted(15), 0)), (130, 143));
    assert_eq!((code(End::BrokenPipe, 0), code(End::BrokenPipe, 1)), (0, 0));
    assert_eq!((code(End::OutputError, 1), code(End::InternalError, 0)), (1, 1));
}

#[test]
fn a_broken_check_is_4_if_the_run_came_to_its_end() {
    let mut summary = summary();
    assert_eq!(summary.exit_code(), 3);
    summary.checks_broken = vec!["min-records: 1 record, at least 2 should be there".to_owned()];
    for (end, code) in [
        (End::Completed, 4),
        (End::UntilEmpty, 4),
        (End::MaxRecords, 4),
        (End::MaxTime, 75),
        (End::Interrupted(2), 130),
        (End::OutputError, 1),
        (End::BrokenPipe, 0),
    ] {
        summary.end = end;
        assert_eq!(summary.exit_code(), code, "{end:?}");
    }
    // Shut out, and a check is broken.
    let mut summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    summary.pages_disallowed = 3;
    assert_eq!(summary.exit_code(), 5);
    summary.checks_broken = vec!["min-records: ..".to_owned()];
    assert_eq!(summary.exit_code(), 4);
    assert_eq!(summary.to_json()["checks_broken"], serde_json::json!(["min-records: .."]));
}

#[test]
fn scripts_read_all_of_it() {
    let expected = serde_json::json!({
        "pages_done": 498,
        "pages_failed": 2,
        "pages_disallowed": 0,
        "failed_by_kind": {"status 404": 1, "timeout": 1},
        "retries": 0,
        "pauses": 0,
        "records": 12340,
        "records_dropped": 0,
        "fields": {},
        "bytes": 70_100_000,
        "started_at": "2023-11-14T22:13:20.250Z",
        "ended_at": "2023-11-14T22:13:24.450Z",
        "seconds": 4.2,
        // 500 / 4.2
        "pages_per_second": 119.048,
        "end": "completed",
        "checks_broken": [],
        "exit_code": 3,
    });
    assert_eq!(summary().to_json(), expected);
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_file_is_replaced_and_nothing_is_left_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    fs::write(&path, "much older and longer ".repeat(100)).unwrap();
    summary().write_json(&path).unwrap();
    assert_eq!(read(&path), summary().to_json());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_symbolic_link_stays_one() {
    let folder = tempfile::tempdir().unwrap();
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    fs::write(&real, "").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    summary().write_json(&link).unwrap();
    assert!(link.is_symlink());
    assert_eq!(read(&real), summary().to_json());
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    summary().write_json(Path::new("/dev/null")).unwrap();
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
    assert!(is_written_in_place(Path::new("/dev/stdout")));
    assert!(is_written_in_place(Path::new("/dev/fd/3")));
}

#[test]
fn a_failure_names_the_file_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing/summary.json");
    let error = summary().write_json(&path).unwrap_err();
    assert!(error.to_string().contains("missing/summary.json"));
    // A folder in its place is written in place, which fails.
    assert!(summary().write_json(folder.path()).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
