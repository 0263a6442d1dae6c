//! Whole runs in which only news is wanted, over pages in memory.

use std::path::Path;

use super::news::memory::Memory;
use super::news::{Entry, Note};
use super::*;
use crate::config;
use crate::job::Purpose;
use crate::model::{Exchange, Failure, Found, Page};
use crate::output::Target;
use crate::written::{Layer, Place, Written};

/// A list of things, newest first; each page has some, and may lead to others.
const JOB: &str = "[source]\nurl = 'http://h/{page}'\npages = '1-8'\n[extract.list]\neach = '//li'\nfields.k = '@id'\n\
                   fields.v = '.'\nkey = 'k'\nwith-meta = true\n\
                   [fetch]\njobs = 1\nparsers = 1\n[output]\nstate = 'kept'\nsince-last = true\nwith-op = true\nquiet = true\n";

fn job(text: &str, flags: &[(&'static str, &str)]) -> Job {
    let (file, mistakes) = config::parse("job.toml", text);
    let written = |&(name, text): &(&'static str, &str)| {
        (name, vec![Written { text: text.to_owned(), place: Place::Flag(name) }])
    };
    Job::build(Purpose::Crawl, flags.iter().map(written).collect(), Layer::new(), file, mistakes).unwrap()
}

fn page(request: Request, body: &str) -> Page {
    Page {
        final_url: request.url.clone(),
        request,
        status: 200,
        content_type: Some("text/html".to_owned()),
        body: body.as_bytes().to_vec(),
        robots_tag: Vec::new(),
        fetched_at: SystemTime::now(),
        exchange: Exchange::default(),
    }
}

/// Runs the job, with `body` for what is at a path; gives what it wrote and the counts.
fn ran(
    job: &Job,
    memory: &Memory,
    number: u64,
    body: impl Fn(&str) -> Option<String> + Sync,
) -> (String, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let lines = JsonLines::open(&Target::Replace(path.clone())).unwrap();
    let source = job.source.clone().unwrap();
    let stop = Stop::new();
    // The next page goes out when the one before has been read, so that it is known which are under way.
    let mut pace = PacePolicy::unbounded();
    pace.usual.throttle.per_host = 1;
    let summary = sync::scope(|scope| {
        let lists = list::open(scope, &source, &stop).unwrap();
        let pages = Pages {
            requests: Box::new(FirstRequests { source: source.clone(), lists, is_at_lists: false }),
            total: None,
            pace: pace.clone(),
            follows: job.follows(),
            jobs: job.jobs,
            fetch: |request: Request| match body(request.url.path()) {
                Some(body) => Fetched::Page(page(request, &body)),
                None => {
                    let (error, exchange) = (PageError::Status(404), Exchange::default());
                    Fetched::Failed(Box::new(Failure { request, error, exchange }))
                }
            },
            abort: || {},
            remark: || None,
        };
        let outlet = Outlet { lines, past: Some(memory.past(number)), session: None, last_run: None };
        run(job, pages, outlet, &stop, Mode::Hidden, || None).unwrap()
    });
    (std::fs::read_to_string(Path::new(&path)).unwrap(), summary)
}

/// What a run of this number remembers of a page.
fn remember(job: &Job, memory: &Memory, run: u64, body: &str) {
    let request = Request::new(RequestId(0), Url::parse("http://h/1").unwrap(), Some(1));
    let outcome = Reader::new(job).read(page(request, body));
    let Ok(Found::Records(records)) = outcome.result else { panic!("{outcome:?}") };
    let entry = |mark: crate::model::Mark| Note {
        key: mark.key.unwrap(),
        entry: Some(Entry { content: mark.content, run, key_json: mark.key_json }),
    };
    memory.keep(records.marks.into_iter().map(entry).collect());
}

/// Page `n` has the records `n` and, from the page before, `n - 1`.
fn list(path: &str) -> Option<String> {
    let number: u32 = path.strip_prefix('/')?.parse().ok()?;
    let item = |number: u32| format!("<li id='{number}'>{}</li>", number * 10);
    Some(format!("<ul>{}{}</ul>", item(number - 1), item(number)))
}

/// Keys and ops of the lines.
fn ops(lines: &str) -> Vec<String> {
    let shown = |line: &str| {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        format!("{} {}", record["k"].as_str().unwrap(), record["_op"].as_str().unwrap())
    };
    lines.lines().map(shown).collect()
}

#[test]
fn a_run_writes_what_is_new_or_changed_and_tells_what_is_gone() {
    let job = job(JOB, &[("ordered", "true"), ("pages", "1-3")]);
    let memory = Memory::default();
    remember(&job, &memory, 1, "<li id=1>10</li><li id=2>old</li><li id=77>x</li>");
    let (lines, summary) = ran(&job, &memory, 2, list);
    assert_eq!(ops(&lines), ["0 new", "2 changed", "3 new", "77 gone"]);
    let first = lines.lines().next().unwrap();
    assert!(first.starts_with("{\"k\":\"0\",\"v\":\"0\",\"_url\":\"http://h/1\",\"_page\":1,"), "{first}");
    assert!(first.ends_with("Z\",\"_op\":\"new\"}"), "{first}");
    assert_eq!(lines.lines().last(), Some("{\"k\":\"77\",\"_op\":\"gone\"}"));
    let news = summary.news.unwrap();
    assert_eq!((news.new, news.changed, news.unchanged, news.same_key), (2, 1, 1, 2));
    assert_eq!((news.gone, summary.records, summary.end), (Some(1), 4, End::Completed));
    // All that were looked at, written or not.
    assert_eq!(summary.fields[0].1.filled, 6);
}

#[test]
fn nothing_is_told_as_gone_by_a_run_that_has_not_read_all() {
    let gone = |flags: &[(&'static str, &str)], body: fn(&str) -> Option<String>| {
        let job = job(JOB, flags);
        let memory = Memory::default();
        remember(&job, &memory, 1, "<li id=77>x</li>");
        let (lines, summary) = ran(&job, &memory, 2, body);
        (lines.contains("gone"), summary.news.unwrap().gone)
    };
    assert_eq!(gone(&[], list), (true, Some(1)));
    assert_eq!(gone(&[], |path| list(path).filter(|_| path != "/5")), (false, None));
    assert_eq!(gone(&[("max-pages", "3")], list), (false, None));
    assert_eq!(gone(&[("max-records", "3")], list), (false, None));
    assert_eq!(gone(&[("with-op", "false")], list), (false, None));
}

#[test]
fn a_range_ends_at_a_record_of_an_earlier_run() {
    for ordered in ["true", "false"] {
        let job = job(JOB, &[("ordered", ordered), ("stop-at-seen", "true")]);
        let memory = Memory::default();
        remember(&job, &memory, 1, "<li id=3>30</li><li id=777>90</li>");
        let (lines, summary) = ran(&job, &memory, 2, list);
        assert_eq!(summary.pages_done, 3);
        assert_eq!(ops(&lines), ["0 new", "1 new", "2 new"]);
        assert_eq!((summary.end, summary.exit_code()), (End::AtSeen, 0));
        assert_eq!(summary.news.unwrap().unchanged, 1);
    }
}

#[test]
fn a_list_that_goes_on_by_links_ends_at_a_record_of_an_earlier_run_and_other_links_are_followed() {
    let text = JOB.replace("'http://h/{page}'\npages = '1-8'", "'http://h/1'").replace(
        "with-meta = true\n",
        "follow = ['//p/a', { xpath = '//b/a', to = 'one' }]\n[extract.one]\nfields.k = '//h1'\nkey = 'k'\n",
    );
    let body = |path: &str| match path.strip_prefix("/one/") {
        Some(number) => Some(format!("<h1>one {number}</h1>")),
        None => {
            let number: u32 = path.strip_prefix('/')?.parse().ok()?;
            let links = format!("<p><a href=/{}></a></p><b><a href=/one/{number}></a></b>", number + 1);
            Some(list(path)? + &links)
        }
    };
    for ordered in ["true", "false"] {
        let job = job(&text, &[("ordered", ordered), ("stop-at-seen", "true")]);
        let memory = Memory::default();
        remember(&job, &memory, 1, "<li id=3>30</li>");
        let (lines, summary) = ran(&job, &memory, 2, body);
        let mut keys = ops(&lines);
        keys.sort_unstable();
        assert_eq!(keys, ["0 new", "1 new", "2 new", "one 1 new", "one 2 new", "one 3 new"]);
        assert_eq!(summary.end, End::AtSeen);
        let left_out = summary.links.unwrap().left_out;
        assert!(left_out.iter().any(|(why, count)| why.contains("--stop-at-seen") && *count == 1));
    }
}
