//! Killed at any moment, and the same command again: nothing lost, nothing twice.
//!
//! A *round* is a run that `kill -9` ends, or a fail point inside of a commit, and the same command after it. Several
//! rounds make a *trial*, at whose end the output is held against that of an undisturbed run. Moments are drawn from a
//! seed, which is told when a trial fails; `PAGEMILL_TEST_SEED` and `PAGEMILL_TEST_ROUNDS` set seed and number.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures for whoever runs it by hand, and the seed"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

#[cfg(debug_assertions)]
use pagemill::state::failpoint::STEPS;
use pagemill::state::{Folder, Value};

use crate::support::{Hit, LONG, Reply, Server, TempDir, pagemill, temp_dir};

/// Pages of the site that is crawled by its links.
const PAGES: u64 = 150;

/// Rounds of all jobs together, as long as nobody wants more.
const ROUNDS: u64 = 112;

/// So many rounds make a trial, if it does not end before.
const ROUNDS_OF_A_TRIAL: u64 = 7;

/// What an older run left in the file that is appended to.
const OLDER: &str = "{\"older\":1}\n{\"older\":2}\n";

/// The next of a row of numbers that look random (Lehmer's generator).
pub(crate) struct Luck(pub(crate) u64);

impl Luck {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// A number of the environment.
pub(crate) fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |text| text.parse().expect("a number"))
}

fn seed() -> u64 {
    number("PAGEMILL_TEST_SEED", 20)
}

/// How a page of the site behaves, by its number alone.
enum Manner {
    Fails(u16),
    FailsTwice,
    Works,
}

fn manner(page: u64) -> Manner {
    match page {
        page if page % 29 == 11 => Manner::Fails(500),
        page if page % 31 == 13 => Manner::Fails(404),
        page if page % 11 == 7 => Manner::FailsTwice,
        _ => Manner::Works,
    }
}

/// `links` says what redirects begin with, if there are any links.
fn body(page: u64, links: Option<&str>) -> String {
    let mut body = format!("<h1>Page {page}</h1>");
    for item in 0..=page % 3 {
        let _ =
            write!(body, "<li>item {item} of {page}, with some more text, so that lines differ in length");
    }
    if let Some(moves) = links {
        let own = if moves == "r" { "p" } else { "o" };
        // Each page is reached in several ways, by redirects too.
        for to in [page * 2, page * 2 + 1, page + 3, page / 2].into_iter().filter(|&to| to < PAGES) {
            let _ = write!(body, "<a href='/{own}/{to}'>x</a><a href='/{moves}/{}'>y</a>", (to + 50) % PAGES);
        }
    }
    body
}

fn answer(hit: &Hit) -> Reply {
    let path: Vec<&str> = hit.path.split('/').collect();
    let &["", kind, number] = &path[..] else { return Reply::status(404) };
    let page: u64 = number.parse().expect("a page has a number");
    let links = match kind {
        "r" => return Reply::redirect(302, format!("/p/{page}")),
        // What is found in two ways, one of them a redirect, has no place in the order of links.
        "once" => return Reply::redirect(302, format!("/range/{}", page + 1000)),
        "p" => Some("r"),
        "o" => Some("once"),
        // A range that ends somewhere.
        "range" if !(260..1000).contains(&page) => None,
        _ => return Reply::page("<h1>nothing</h1>"),
    };
    match manner(page) {
        // In a range, 404 would be its end.
        Manner::Fails(404) if kind == "range" => Reply::status(403),
        Manner::Fails(status) => Reply::status(status),
        Manner::FailsTwice if hit.earlier < 2 => Reply::status(500),
        Manner::FailsTwice | Manner::Works => Reply::page(body(page, links)),
    }
}

fn site() -> Server {
    Server::start(|site| {
        let entry = |page: u64| format!("<url><loc>/p/{page}</loc></url>");
        let entries: String =
            (90..PAGES + 30).filter(|page| page % 3 == 0 && *page < PAGES).map(entry).collect();
        let map = format!("<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{entries}</urlset>");
        site.on("/map.xml", Reply::page(map).header("Content-Type", "application/xml"));
        site.handle(answer);
    })
}

/// What is crawled, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    /// Links and a sitemap, unordered, behind what an older run left.
    Links,
    /// Links in order, to a file that is replaced.
    Ordered,
    /// An open range, with its state elsewhere.
    Range,
    /// A list in a file; nothing in it fails, so that its state goes.
    List,
    /// The same list on standard input, given again each time.
    Stdin,
    /// As `Range`, for the second time: the state outlives the first.
    Again,
}

impl Job {
    fn is_ordered(self) -> bool {
        self == Job::Ordered
    }

    fn older(self) -> &'static str {
        if self == Job::Links { OLDER } else { "" }
    }

    fn code(self) -> i32 {
        if matches!(self, Job::List | Job::Stdin) { 0 } else { 3 }
    }

    fn state(self, folder: &Path) -> PathBuf {
        match self {
            Job::Range | Job::Again => folder.join("state"),
            _ => folder.join("out.jsonl.pagemill"),
        }
    }

    fn arguments(self, server: &Server, folder: &Path) -> Vec<String> {
        let mut all: Vec<String> = ["crawl", "-e", "//li", "-f", "page=//h1", "-f", "text=."]
            .iter()
            .chain(&["--retry", "2", "--retry-delay", "1ms", "--throttle", "off", "--no-progress", "-j", "8"])
            .map(ToString::to_string)
            .collect();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        let more = match self {
            Job::Links => vec![
                server.url("/p/1"),
                "--sitemap".into(),
                server.url("/map.xml"),
                "--follow".into(),
                "//a/@href".into(),
            ],
            Job::Ordered => {
                vec![server.url("/o/1"), "--follow".into(), "//a/@href".into(), "--ordered".into()]
            }
            Job::Range | Job::Again => vec![
                server.url("/range/{page}"),
                "-p".into(),
                "0-".into(),
                "--until-empty".into(),
                "--state".into(),
                path("state"),
            ],
            Job::List => vec!["-i".into(), path("list")],
            Job::Stdin => vec!["-i".into(), "-".into()],
        };
        all.extend(more);
        all.extend([if self.is_ordered() { "-O" } else { "-o" }.to_owned(), path("out.jsonl")]);
        all.extend(["--summary".to_owned(), path("summary.json")]);
        all
    }

    /// A list with lines that are there twice.
    fn list(server: &Server) -> String {
        let works = |page: &u64| !matches!(manner(*page), Manner::Fails(_));
        let pages = (0..220).filter(works).flat_map(|page| [page, page / 3]).filter(works);
        pages.fold(String::new(), |list, page| list + &server.url(&format!("/range/{page}")) + "\n")
    }
}

/// One job in a folder of its own, against a server of its own.
struct Trial {
    job: Job,
    server: Server,
    folder: TempDir,
    /// Bytes of the output before the run that is killed.
    before: u64,
}

type Counts = BTreeMap<&'static str, serde_json::Value>;

/// What came of a run that nobody disturbed.
struct Undisturbed {
    lines: Vec<String>,
    /// Counts of the summary that must not depend on kills.
    counts: Counts,
}

impl Trial {
    fn new(job: Job) -> Trial {
        let mut trial = Trial { job, server: site(), folder: temp_dir(), before: 0 };
        fs::write(trial.path("out.jsonl"), job.older()).unwrap();
        fs::write(trial.path("list"), Job::list(&trial.server)).unwrap();
        if job == Job::Again {
            let ended = trial.finish();
            assert_eq!(ended.code(), Some(3), "{}", trial.said());
        }
        trial.before = trial.length();
        trial
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What the last run said.
    fn said(&self) -> String {
        fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    fn start(&self, die_at: Option<&str>) -> Child {
        let mut command = pagemill(self.job.arguments(&self.server, self.folder.path()));
        if let Some(step) = die_at {
            // So slow that there are several commits; how fast it is may change when it goes on.
            command.env("PAGEMILL_DIE_AT", step).args(["--rate", "300/s"]);
        }
        let input = match self.job {
            Job::Stdin => File::open(self.path("list")).unwrap().into(),
            _ => Stdio::null(),
        };
        let said = File::create(self.path("stderr")).unwrap();
        command.stdin(input).stdout(Stdio::null()).stderr(said).spawn().unwrap()
    }

    fn finish(&self) -> ExitStatus {
        wait(&mut self.start(None), LONG).unwrap_or_else(|| panic!("it hangs: {}", self.said()))
    }

    /// Whether the run is done, though it may have been killed before it could say so.
    fn is_done(&self) -> bool {
        let state = self.job.state(self.folder.path());
        // A copy: what another thread starts in this moment would inherit the lock for a while.
        let copy = self.path("copy");
        let _ = fs::remove_dir_all(&copy);
        if state.exists() {
            copy_folder(&state, &copy);
        }
        let Ok(folder) = Folder::take_existing(&copy) else {
            return self.length() > self.before;
        };
        // A state that is kept says so of the run before, too, as long as this one has not begun.
        let has_ended = folder.open_store().unwrap().value(Value::End).unwrap().is_some();
        has_ended && self.length() > self.before
    }

    fn length(&self) -> u64 {
        fs::metadata(self.path("out.jsonl")).unwrap().len()
    }

    fn lines(&self) -> Vec<String> {
        let text = fs::read_to_string(self.path("out.jsonl")).unwrap();
        assert!(text.ends_with('\n'), "it ends in half a line");
        let rest = text.strip_prefix(self.job.older()).expect("what was there before is still there");
        let mut lines: Vec<String> = rest.lines().map(str::to_owned).collect();
        if !self.job.is_ordered() {
            lines.sort_unstable();
        }
        lines
    }

    /// Only a run that was not killed has a summary.
    fn counts(&self) -> Counts {
        let summary: serde_json::Value =
            serde_json::from_slice(&fs::read(self.path("summary.json")).unwrap()).unwrap();
        let names = ["records", "pages_failed", "failed_by_kind", "end", "exit_code", "pages_done"];
        // How many empty pages are under way when an open range ends hangs on the order of answers.
        let names = &names[..if summary["end"] == "until_empty" { 5 } else { 6 }];
        names.iter().map(|&name| (name, summary[name].clone())).collect()
    }

    /// The output is as of an undisturbed run.
    fn check_lines(&self, undisturbed: &Undisturbed, how: &str) {
        let lines = self.lines();
        let mut counts: BTreeMap<&str, i64> = BTreeMap::new();
        undisturbed.lines.iter().for_each(|line| *counts.entry(line).or_default() -= 1);
        lines.iter().for_each(|line| *counts.entry(line).or_default() += 1);
        counts.retain(|_, count| *count != 0);
        assert!(counts.is_empty(), "{:?} {how}: lost (-) or twice (+): {counts:#?}", self.job);
        let first = lines.iter().zip(&undisturbed.lines).find(|(is, should)| is != should);
        assert_eq!(first, None, "{:?} {how}: the order", self.job);
    }

    /// After a run that came to its end: all is as of an undisturbed one.
    fn check_end(&self, ended: ExitStatus, undisturbed: &Undisturbed, how: &str) {
        assert_eq!(ended.code(), Some(self.job.code()), "{:?} {how}: {}", self.job, self.said());
        self.check_lines(undisturbed, how);
        assert_eq!(self.counts(), undisturbed.counts, "{:?} {how}", self.job);
        let state = self.job.state(self.folder.path());
        let is_wanted = self.job.code() == 3;
        assert_eq!(state.exists(), is_wanted, "{:?} {how}: state", self.job);
        if is_wanted {
            let folder = Folder::take_existing(&state).unwrap();
            let failed = folder.open_store().unwrap().failed().count() as u64;
            assert_eq!(Some(failed), undisturbed.counts["pages_failed"].as_u64(), "{:?} {how}", self.job);
        }
    }
}

/// Waits for a child; `None` if it takes too long: then it is killed.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let end = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            return None;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &place),
            false => drop(fs::copy(entry.path(), place).unwrap()),
        }
    }
}

fn undisturbed(job: Job) -> (Undisturbed, Duration) {
    let trial = Trial::new(job);
    let began = Instant::now();
    let ended = trial.finish();
    let took = began.elapsed();
    assert_eq!(ended.code(), Some(job.code()), "{}", trial.said());
    let result = Undisturbed { lines: trial.lines(), counts: trial.counts() };
    let mut once = result.lines.clone();
    once.sort_unstable();
    once.dedup();
    assert!(once.len() > 150, "{job:?}: only {} lines", once.len());
    if !matches!(job, Job::Again | Job::List | Job::Stdin) {
        assert_eq!(once.len(), result.lines.len(), "{job:?}: twice in an undisturbed run");
    }
    (result, took)
}

/// Kills at random moments; gives the number of rounds.
fn kill_at_random(job: Job, undisturbed: &(Undisturbed, Duration), luck: &mut Luck) -> u64 {
    let trial = Trial::new(job);
    let mut how = String::new();
    let mut rounds = 0;
    while rounds < ROUNDS_OF_A_TRIAL {
        let mut child = trial.start(None);
        let hits = trial.server.hits().len();
        // By the clock, or when so many more requests have come.
        let (time, requests) = match luck.below(2) {
            0 => (luck.below(undisturbed.1.as_micros() as u64 * 5 / 4), u64::MAX),
            _ => (u64::MAX, 1 + luck.below(250)),
        };
        let began = Instant::now();
        let is_time = || {
            began.elapsed().as_micros() >= u128::from(time)
                || (trial.server.hits().len() - hits) as u64 >= requests
        };
        while !is_time() && child.try_wait().unwrap().is_none() {
            assert!(began.elapsed() < LONG, "it hangs: {}", trial.said());
            thread::sleep(Duration::from_micros(200));
        }
        let _ = write!(
            how,
            "[{} us, {} requests] ",
            began.elapsed().as_micros(),
            trial.server.hits().len() - hits
        );
        let _ = child.kill();
        let ended = child.wait().unwrap();
        if ended.signal().is_none() {
            trial.check_end(ended, &undisturbed.0, &how);
            return rounds;
        }
        rounds += 1;
        if trial.is_done() {
            trial.check_lines(&undisturbed.0, &how);
            return rounds;
        }
    }
    trial.check_end(trial.finish(), &undisturbed.0, &how);
    rounds
}

/// Dies at a step, and goes on; gives the number of rounds, 0 or 1.
#[cfg(debug_assertions)]
fn die_at(job: Job, step: &str, time: u32, undisturbed: &(Undisturbed, Duration)) -> u64 {
    let trial = Trial::new(job);
    let at = format!("{step}:{time}");
    let ended = wait(&mut trial.start(Some(&at)), LONG).unwrap_or_else(|| panic!("{at}: it hangs"));
    if ended.signal().is_none() {
        trial.check_end(ended, &undisturbed.0, &at);
        return 0;
    }
    match trial.is_done() {
        // What is left of a state that was being removed goes with the next run.
        true => trial.check_lines(&undisturbed.0, &at),
        false => trial.check_end(trial.finish(), &undisturbed.0, &at),
    }
    1
}

fn many_rounds_of(job: Job, share: u64) {
    let wanted = number("PAGEMILL_TEST_ROUNDS", ROUNDS) / share;
    let undisturbed = undisturbed(job);
    let mut rounds = 0;
    for trial in 0.. {
        let seed = seed() * 1_000_000 + trial;
        let told = Told(format!("PAGEMILL_TEST_SEED={} {job:?}, trial {trial}", self::seed()));
        rounds += kill_at_random(job, &undisturbed, &mut Luck(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        drop(told);
        if rounds >= wanted {
            break;
        }
    }
    println!("{job:?}: {rounds} rounds, an undisturbed run takes {:?}", undisturbed.1);
}

/// Says what was tried when it fails.
pub(crate) struct Told(pub(crate) String);

impl Drop for Told {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!("failed: {}", self.0);
        }
    }
}

#[test]
fn links_that_are_followed_survive_kills_at_random_moments() {
    many_rounds_of(Job::Links, 4);
}

#[test]
fn ordered_output_survives_kills_at_random_moments() {
    many_rounds_of(Job::Ordered, 4);
}

#[test]
fn a_range_until_empty_survives_kills_at_random_moments() {
    many_rounds_of(Job::Range, 8);
}

#[test]
fn lists_survive_kills_at_random_moments() {
    many_rounds_of(Job::List, 8);
    many_rounds_of(Job::Stdin, 8);
}

#[test]
fn a_second_run_over_a_state_that_is_kept_survives_kills_at_random_moments() {
    many_rounds_of(Job::Again, 8);
}

/// Lets each step be the last that is done, the first, second and third time; gives the steps at which it died. Only
/// builds with assertions have fail points.
#[cfg(debug_assertions)]
fn each_step_of(job: Job) -> BTreeMap<&'static str, u64> {
    let mut died = BTreeMap::new();
    let undisturbed = undisturbed(job);
    for step in STEPS {
        for time in 1..=3 {
            let rounds = die_at(job, step, time, &undisturbed);
            // If it is not passed so often, it is not passed more often either.
            if rounds == 0 {
                break;
            }
            *died.entry(step).or_default() += rounds;
        }
    }
    println!("{job:?}: {died:?}");
    died
}

#[cfg(debug_assertions)]
fn assert_steps(died: &BTreeMap<&'static str, u64>, of_what: &[&'static str]) {
    const OF_EACH: [&str; 6] =
        ["handed over", "lines synced", "batch made", "batch written", "run finished", "manifest renamed"];
    let mut steps = [&OF_EACH[..], of_what].concat();
    steps.sort_unstable();
    assert_eq!(died.keys().copied().collect::<Vec<_>>(), steps);
}

#[test]
#[cfg(debug_assertions)]
fn each_step_of_a_commit_may_be_the_last() {
    // A run that begins clears the folder, so each passes the last two.
    assert_steps(&each_step_of(Job::Links), &["manifest removed", "store removed"]);
}

#[test]
#[cfg(debug_assertions)]
fn each_step_of_a_commit_of_ordered_output_may_be_the_last() {
    assert_steps(&each_step_of(Job::Ordered), &["manifest removed", "store removed"]);
}

#[test]
#[cfg(debug_assertions)]
fn each_step_of_removing_a_state_may_be_the_last() {
    let died = each_step_of(Job::List);
    assert_steps(&died, &["manifest removed", "store removed"]);
    assert_eq!((died["manifest removed"], died["store removed"]), (2, 2), "once where the run ends");
}

#[test]
#[cfg(debug_assertions)]
fn each_step_of_forgetting_a_run_may_be_the_last() {
    assert_steps(&each_step_of(Job::Again), &["forgetting", "forgotten"]);
}
