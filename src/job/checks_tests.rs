//! Facts about [`super::build`], through whole jobs.

use super::super::{Job, Purpose};
use super::*;
use crate::config;
use crate::written::{Layer, Place};

const JOB: &str = "[source]\nurl = 'http://h/'\n[extract.book]\nfields.title = '//h1'\nfields.price = '//p'\n\
                   fields.author = { xpath = '//a', fields = { name = '.' } }\n";

/// A second rule with fields, to which the first one leads.
const SECOND: &str = "follow = { xpath = '//a', to = 'shelf' }\n[extract.shelf]\nfields.name = '//h1'\n";

/// A second rule, to which nothing leads.
const APART: &str = "[extract.shelf]\nfields.name = '//h1'\n";

fn built(text: &str, flags: &[(&'static str, &str)]) -> Result<Job, Vec<String>> {
    let mut layer = Layer::new();
    for &(name, text) in flags {
        let written = Written { text: text.to_owned(), place: Place::Flag(name) };
        layer.entry(name).or_default().push(written);
    }
    let (file, found) = config::parse("job.toml", text);
    Job::build(Purpose::Crawl, layer, Layer::new(), file, found)
        .map_err(|mistakes| mistakes.iter().map(ToString::to_string).collect())
}

fn checks(checks: &str, flags: &[(&'static str, &str)]) -> CheckPolicy {
    built(&format!("{JOB}[check]\n{checks}\n"), flags).unwrap().checks
}

/// The only mistake of the job with this line in its table of checks.
fn mistake(check: &str) -> String {
    let mistakes = built(&format!("{JOB}[check]\n{check}\n"), &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    mistakes.into_iter().next().unwrap()
}

fn percent(percent: f64) -> Share {
    Share::of_percent(percent).unwrap()
}

#[test]
fn checks_are_read_as_the_file_spells_them() {
    let found = checks(
        "min_records = 100\nmax_failed = '2%'\nmax_null.price = '10%'\nmin-fill.author.name = 0.5",
        &[],
    );
    assert_eq!((found.min_records, found.max_failed, found.max_drop), (Some(100), Some(percent(2.0)), None));
    let price = FieldBound { field: "price".to_owned(), is_nested: false, share: percent(10.0) };
    let name = FieldBound { field: "author.name".to_owned(), is_nested: true, share: percent(50.0) };
    assert_eq!((found.max_null, found.min_fill), (vec![price], vec![name]));
    assert!(built(JOB, &[]).unwrap().checks.is_empty());
}

#[test]
fn a_flag_wins_over_the_file_field_by_field() {
    let flags = [("max-null", "price=20%"), ("min-records", "0")];
    let found = checks("min-records = 9\nmax-null = { price = '10%', title = '1%' }", &flags);
    assert_eq!(found.min_records, Some(0));
    let bounds: Vec<_> = found.max_null.iter().map(|bound| (bound.field.as_str(), bound.share)).collect();
    assert_eq!(bounds, [("title", percent(1.0)), ("price", percent(20.0))]);
}

#[test]
fn shares_are_percents_or_below_one() {
    for (text, expected) in
        [("2%", 2.0), (" 2.5 % ", 2.5), ("0.02", 2.0), (".5", 50.0), ("0", 0.0), ("0%", 0.0), ("100%", 100.0)]
    {
        assert_eq!(parse_share(text), Ok(percent(expected)), "{text}");
    }
    for (text, at, message) in [
        ("ten", 0, "this is not a share"),
        ("", 0, "this is not a share"),
        ("%", 0, "this is not a share"),
        ("1.2.3%", 0, "this is not a share"),
        ("2%%", 1, "this is not a share"),
        (" 2x", 2, "this is not a share"),
        ("inf%", 0, "this is not a share"),
        ("-5%", 0, "a share is not less than nothing"),
        ("-0.1", 0, "a share is not less than nothing"),
        ("100.1%", 0, "a share is not more than all"),
        ("1", 0, "of a share without a percent sign only what is below 1 has one meaning"),
        ("30", 0, "of a share without a percent sign only what is below 1 has one meaning"),
    ] {
        let slip = parse_share(text).unwrap_err();
        assert_eq!((slip.at, slip.message.as_str()), (at, message), "{text}");
    }
    assert_eq!(parse_share("30").unwrap_err().hint.as_deref(), Some("write 30%, or 100% for all"));
}

#[test]
fn a_wrong_share_is_told_at_its_place() {
    assert_eq!(
        mistake("max_null.price = 'ten'"),
        "job.toml:8:18: check.max_null.price: this is not a share\n    price=ten\n          ^\n    \
         hint: like 2% or 0.02"
    );
    assert!(mistake("max-failed = '120%'").contains("a share is not more than all"));
    assert!(mistake("max-failed = -0.5").contains("a share is not less than nothing"));
    assert!(mistake("max-null = 'price'").contains("a field and a share are wanted"));
    assert!(mistake("max-null = '=3%'").contains("the name of a field is missing"));
    assert!(mistake("min-records = -1").contains("this is not a number"));
}

#[test]
fn an_unknown_field_is_told_with_the_nearest_one() {
    assert_eq!(
        mistake("max_null.prise = '10%'"),
        "job.toml:8:18: check.max_null.prise: there is no field `prise`\n    prise=10%\n    ^\n    \
         hint: did you mean `price`?"
    );
    assert!(
        mistake("min-fill.xyzzy = '1%'").contains("hint: the fields are title, price, author, author.name")
    );
}

#[test]
fn with_several_rules_a_field_is_named_with_its_rule() {
    let job = built(&format!("{JOB}{SECOND}[check]\nmax-null.book.price = '1%'\n"), &[]).unwrap();
    assert_eq!(job.checks.max_null[0].field, "book.price");
    assert!(!job.checks.max_null[0].is_nested);
    assert!(job.field_names().contains(&"book.price".to_owned()));
    let found = built(&format!("{JOB}{SECOND}[check]\nmax-null.price = '1%'\n"), &[]).unwrap_err();
    assert!(found[0].contains("hint: did you mean `book.price`?"), "{found:?}");
}

#[test]
fn the_name_of_the_rule_may_stand_before_a_field_of_the_only_one() {
    let found = checks("max-null.book.price = '1%'", &[("max-null", "price=2%")]);
    let bounds: Vec<_> = found.max_null.iter().map(|bound| (bound.field.as_str(), bound.share)).collect();
    assert_eq!(bounds, [("price", percent(2.0))]);
}

#[test]
fn a_check_of_a_rule_that_reads_no_page_is_left_out_with_a_warning() {
    let job = built(
        &format!("{JOB}{APART}[check]\nmax-null.price = '1%'\nmin-fill.book.title = '1%'\n"),
        &[("rule", "shelf")],
    );
    let job = job.unwrap();
    assert!(job.checks.max_null.is_empty());
    let expected = ["min-fill.book.title", "max-null.price"]
        .map(|name| format!("{name} does not count: no page is read by the rule of this field"));
    assert_eq!(job.warnings(), expected);
}

#[test]
fn of_a_field_that_has_a_mistake_it_is_not_said_that_there_is_none() {
    let job = JOB.replace("'//p'", "'//p['");
    let mistakes = built(&format!("{job}[check]\nmax-null.price = '10%'\n"), &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    let job = JOB.replace("fields.price", "feilds.price");
    let mistakes = built(&format!("{job}[check]\nmax-null.price = '10%'\n"), &[]).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
}

#[test]
fn a_drop_needs_a_last_run_to_compare_with() {
    assert_eq!(
        mistake("max_drop = '30%'"),
        "job.toml:8:12: check.max_drop: there is no last run to compare with\n    30%\n    ^\n    \
         hint: add --summary FILE or --state DIR: each run leaves its counts there for the next one"
    );
    let text = format!("{JOB}[check]\nmax_drop = '30%'\n");
    assert!(built(&text, &[("summary", "/dev/null")]).unwrap_err()[0].contains("nothing can be read later"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("summary.json");
    let job = built(&text, &[("summary", path.to_str().unwrap())]).unwrap();
    assert_eq!(job.checks.max_drop, Some(percent(30.0)));
}

#[test]
fn more_records_than_the_run_may_have_cannot_be_wanted() {
    let text = format!("{JOB}[check]\nmin-records = 10\n");
    assert!(built(&text, &[("max-records", "9")]).unwrap_err()[0].contains("the run ends with 9 records"));
    assert!(built(&text, &[("max-records", "10")]).is_ok());
}

#[test]
fn a_check_of_the_job_tells_what_must_hold() {
    let text = "[check]\nmin-records = 100\nmax-failed = '2%'\nmin-fill.title = '99.5%'\nmax-null.author.name = '10%'\n";
    let told = built(&format!("{JOB}{text}"), &[]).unwrap().to_string();
    let expected = "\nat the end there must be, or the exit code is 4:\n  at least 100 records\n  \
                    at most 2 % of the pages failed\n  title in at least 99.5 % of the records\n  \
                    author.name missing in at most 10 % of the objects it stands in\n";
    assert!(told.contains(expected), "{told}");
    assert!(!built(JOB, &[]).unwrap().to_string().contains("exit code"));
}

#[test]
fn a_look_at_one_page_knows_no_checks() {
    let (file, found) = config::parse("job.toml", &format!("{JOB}[check]\nmax-null.prise = 'ten'\n"));
    let job = Job::build(Purpose::Trial, Layer::new(), Layer::new(), file, found).unwrap();
    assert!(job.checks.is_empty());
}
