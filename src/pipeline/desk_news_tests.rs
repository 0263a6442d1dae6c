//! What the desk writes when only news is wanted, over several runs, against a model that is too simple to be wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use proptest::prelude::*;

use super::*;
use crate::model::Records;
use crate::model::{Exchange, Mark};
use crate::output::Target;
use crate::pipeline::news::memory::Memory;
use crate::progress::Mode;

/// A record: its key, if it has one, and what it says.
type Record = (Option<u8>, u8);

/// One run over some pages.
#[derive(Debug, Clone)]
struct Run {
    pages: Vec<Vec<Record>>,
    /// The order in which the pages come.
    arrival: Vec<usize>,
    ordered: bool,
    most: Option<u64>,
    /// Whether it came to its end by itself.
    is_whole: bool,
    /// After which pages the notes go to the store.
    commits: Vec<bool>,
}

fn runs() -> impl Strategy<Value = Vec<Run>> {
    let record = (prop::option::weighted(0.9, 0..6_u8), 0..3_u8);
    let pages = prop::collection::vec(prop::collection::vec(record, 0..5), 1..5);
    let run = pages.prop_flat_map(|pages| {
        let arrival = Just((0..pages.len()).collect::<Vec<_>>()).prop_shuffle();
        let commits = prop::collection::vec(any::<bool>(), pages.len());
        let most = prop::option::weighted(0.3, 1..6_u64);
        (Just(pages), arrival, any::<bool>(), most, any::<bool>(), commits).prop_map(
            |(pages, arrival, ordered, most, is_whole, commits)| Run {
                pages,
                arrival,
                ordered,
                is_whole: is_whole && most.is_none(),
                most,
                commits,
            },
        )
    });
    prop::collection::vec(run, 1..6)
}

fn records_of(page: &[Record], has_key: bool) -> Records {
    let mut records = Records { count: page.len() as u64, ..Records::default() };
    for &(key, content) in page {
        let key_json = key.map_or("\"k\":null".to_owned(), |key| format!("\"k\":{key}"));
        let line = format!("{{{key_json},\"c\":{content}}}\n");
        records.lines.extend_from_slice(line.as_bytes());
        let key = match has_key {
            true => key.map(u128::from),
            false => Some(u128::from(content) * 100 + key.map_or(99, u128::from)),
        };
        let key_json = if has_key { key_json } else { String::new() };
        records.marks.push(Mark { line_bytes: line.len(), key, content: u128::from(content), key_json });
    }
    records
}

fn outcome(id: u64, records: Records) -> Outcome {
    let request = Request::new(RequestId(id), url::Url::parse("http://h/").unwrap(), None);
    Outcome { request, body_bytes: 0, result: Ok(Found::Records(records)), exchange: Exchange::default() }
}

fn desk(path: &Path, run: &Run, news: News) -> RunDesk {
    let output = JsonLines::open(&Target::Replace(path.to_owned())).unwrap();
    let talk = Talk { quiet: true, verbose: false, no_progress: true };
    let summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
    RunDesk::new(output, run.ordered, Progress::new(Mode::Hidden), summary, talk, None, run.most)
        .only_news(news, false)
}

/// Does a run with the desk; gives its lines and counts.
fn written(run: &Run, memory: &Memory, number: u64, has_key: bool) -> (Vec<String>, Summary) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out");
    let mut desk = desk(&path, run, News::new(memory.past(number), true));
    for (&page, commits) in run.arrival.iter().zip(&run.commits) {
        desk.settle(outcome(page as u64, records_of(&run.pages[page], has_key))).unwrap();
        if *commits {
            memory.keep(desk.news.as_mut().unwrap().take_notes());
        }
    }
    desk.write_rest(true).unwrap();
    desk.tell_gone((!run.is_whole).then_some("it is not whole")).unwrap();
    memory.keep(desk.news.as_mut().unwrap().take_notes());
    let (summary, written) = desk.finish();
    written.unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    (text.lines().map(str::to_owned).collect(), summary)
}

/// What is known of a key, or without keys of a whole record: what it said, and when it was met.
type Model = BTreeMap<(u8, Option<u8>), (u8, u64)>;

/// What a run should write; those that are gone are sorted.
fn expected(run: &Run, model: &mut Model, number: u64, has_key: bool) -> (Vec<String>, Vec<String>) {
    let order = if run.ordered { (0..run.pages.len()).collect() } else { run.arrival.clone() };
    let mut lines = Vec::new();
    for &(key, content) in order.iter().flat_map(|&page| &run.pages[page]) {
        if run.most.is_some_and(|most| lines.len() as u64 == most) {
            break;
        }
        let shown = key.map_or("null".to_owned(), |key| key.to_string());
        let mut line = |op| lines.push(format!("{{\"k\":{shown},\"c\":{content},\"_op\":\"{op}\"}}"));
        let known_by = match (key, has_key) {
            (Some(key), true) => (key, None),
            (None, true) => {
                line("new");
                continue;
            }
            (key, false) => (key.unwrap_or(99), Some(content)),
        };
        match model.insert(known_by, (content, number)) {
            None => line("new"),
            Some((before, met)) if met == number => {
                model.insert(known_by, (before, met));
            }
            Some((before, _)) if before == content => {}
            Some(_) => line("changed"),
        }
    }
    let mut gone = Vec::new();
    if run.is_whole && has_key {
        model.retain(|(key, _), (_, met)| {
            if *met < number {
                gone.push(format!("{{\"k\":{key},\"_op\":\"gone\"}}"));
            }
            *met == number
        });
    }
    (lines, gone)
}

proptest! {
    #[test]
    fn what_is_written_is_what_has_happened_since_the_last_run(runs in runs(), has_key in any::<bool>()) {
        let (memory, mut model) = (Memory::default(), Model::new());
        for (number, run) in (1..).zip(&runs) {
            let (mut lines, summary) = written(run, &memory, number, has_key);
            let (expected_lines, expected_gone) = expected(run, &mut model, number, has_key);
            prop_assert!(lines.len() >= expected_lines.len(), "{:?} {:?}", lines, expected_lines);
            let mut gone = lines.split_off(expected_lines.len());
            gone.sort_unstable();
            prop_assert_eq!(&lines, &expected_lines);
            prop_assert_eq!(&gone, &expected_gone);
            let counts = summary.news.unwrap();
            let ops = |op: &str| lines.iter().filter(|line| line.contains(op)).count() as u64;
            prop_assert_eq!((counts.new, counts.changed), (ops("new"), ops("changed")));
            prop_assert_eq!(counts.gone, run.is_whole.then_some(gone.len() as u64));
            prop_assert_eq!(summary.records, (lines.len() + gone.len()) as u64);
            let looked_at = counts.new + counts.changed + counts.unchanged + counts.same_key;
            let all: usize = run.pages.iter().map(Vec::len).sum();
            prop_assert!(looked_at == all as u64 || run.most == Some(lines.len() as u64));
        }
    }
}

#[test]
fn a_page_is_seen_if_an_earlier_run_has_met_one_of_its_records_and_this_one_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run {
        pages: Vec::new(),
        arrival: Vec::new(),
        ordered: false,
        most: None,
        is_whole: true,
        commits: Vec::new(),
    };
    let memory = Memory::default();
    let page = |keys: &[Option<u8>]| {
        let records: Vec<Record> = keys.iter().map(|&key| (key, 0)).collect();
        outcome(0, records_of(&records, true))
    };
    let desk_of = |number, stops| {
        let news = News::new(memory.past(number), false);
        desk(&folder.path().join("out"), &run, news).only_news(News::new(memory.past(number), false), stops)
    };
    let mut first = desk_of(1, true);
    first.settle(page(&[Some(1)])).unwrap();
    assert!(!first.has_seen(&page(&[Some(1), None])).unwrap(), "noted, and not committed");
    memory.keep(first.news.as_mut().unwrap().take_notes());
    assert!(!first.has_seen(&page(&[Some(1), None])).unwrap(), "committed");
    let mut second = desk_of(2, true);
    assert!(second.has_seen(&page(&[Some(3), Some(1)])).unwrap());
    assert!(!second.has_seen(&page(&[Some(3), None])).unwrap());
    assert!(!desk_of(2, false).has_seen(&page(&[Some(1)])).unwrap(), "nobody asked");
}
