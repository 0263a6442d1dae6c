//! One run: the crew, the conductor and its desk, put together from a job and from where its pages come.
//!
//! The hand-over itself ([`threads`], [`conductor`]) knows neither network nor documents; this file plugs them in.
//! What a request is answered with is handed in as [`Pages`]: the network for a crawl, files for saved pages.

use std::time::{Instant, SystemTime};

use url::Url;

use crate::fetch::{FetchPolicy, Fetcher, cookies};
use crate::frontier::{
    BacklogError, FAILURES_THAT_END_AN_OPEN_RANGE, Frontier, FrontierPolicy, OpenEnd, PacePolicy, Requests,
    Supply,
};
use crate::job::Job;
use crate::model::{Drawn, Errand, Fetched, FieldTally, PageError, Request, RequestId, Unmade};
use crate::output::{JsonLines, OutputError};
use crate::progress::{Mode, Progress};
use crate::source::{ListRequests, Source};
use crate::summary::{End, Summary};
use crate::{stop, sync};
use conductor::{Conducted, Conductor, Desk as _};
use desk::{DeskError, RunDesk};
use news::{KnownError, News, Past};
use reader::Reader;
use stop::Stop;
use threads::{CrewError, CrewSize};

pub mod conductor;
mod desk;
mod leads;
mod list;
#[cfg(test)]
mod modelled;
pub mod news;
mod reader;
#[cfg(test)]
mod run_tests;
pub mod threads;

/// Why a run failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The output broke while the run was under way.
    #[error("{source}")]
    Output {
        /// What happened.
        source: OutputError,
        /// What had been done.
        summary: Box<Summary>,
    },
    /// The run is done, but its cookies could not be saved.
    #[error("{source}")]
    Cookies {
        /// What happened.
        source: cookies::file::SaveError,
        /// What had been done.
        summary: Box<Summary>,
    },
    /// Found links could not be kept.
    #[error("{source}")]
    Links {
        /// What happened.
        source: BacklogError,
        /// What had been done.
        summary: Box<Summary>,
    },
    /// What earlier runs met could not be read.
    #[error("{source}")]
    Known {
        /// What happened.
        source: KnownError,
        /// What had been done.
        summary: Box<Summary>,
    },
    /// A thread could not be started, or panicked.
    #[error("{source}")]
    Crew {
        /// What happened.
        source: CrewError,
        /// What had been done.
        summary: Box<Summary>,
    },
}

/// Where the pages of a run come from.
pub struct Pages<F, A, R> {
    /// What is asked for.
    pub requests: Requests,
    /// How many requests there are, if that is known.
    pub total: Option<u64>,
    /// The pace at which `fetch` may be called for each host.
    pub pace: PacePolicy,
    /// Whether links are followed, and each place is asked for once.
    pub follows: bool,
    /// How many threads call `fetch`.
    pub jobs: usize,
    /// Answers one request.
    pub fetch: F,
    /// Ends what `fetch` is doing, at once.
    pub abort: A,
    /// What is to be told about `fetch` when all is done, if anything.
    pub remark: R,
}

/// Where the records of a run go.
pub struct Outlet {
    /// The lines.
    pub lines: JsonLines,
    /// What earlier runs left, if the job compares with them.
    pub past: Option<Past>,
}

/// Does a crawl: the job's own source, from the network. See [`run`].
///
/// # Errors
/// As [`run`].
pub fn crawl(
    job: &Job,
    source: &Source,
    output: Outlet,
    stop: &Stop,
    progress: Mode,
    interrupted: impl Fn() -> Option<i32>,
) -> Result<Summary, RunError> {
    // Lists that must be waited for are read by threads of their own; they end when the frontier is dropped, which `run`
    // does.
    sync::scope(|scope| {
        let lists = list::open(scope, source, stop)
            .map_err(|source| RunError::Crew { source, summary: Box::new(new_summary(job)) })?;
        crawl_with(job, source, lists, output, stop, progress, interrupted)
    })
}

fn crawl_with(
    job: &Job,
    source: &Source,
    lists: ListRequests,
    output: Outlet,
    stop: &Stop,
    progress: Mode,
    interrupted: impl Fn() -> Option<i32>,
) -> Result<Summary, RunError> {
    let fetcher = Fetcher::new(job.fetch.clone());
    let pages = Pages {
        requests: Box::new(FirstRequests { source: source.clone(), lists }),
        total: source.total().filter(|_| !job.until_empty && job.seeds.is_empty() && !job.follows()),
        pace: job.pace.clone(),
        // Lists say the same place twice; a range does not, and may be endless.
        follows: job.follows() || !job.seeds.is_empty() || !source.lists().is_empty(),
        jobs: job.jobs,
        fetch: |request| fetcher.fetch(request),
        abort: || fetcher.abort(),
        remark: || fetcher.cache_trouble().map(|trouble| format!("warning: {trouble}")),
    };
    let ran = run(job, pages, output, stop, progress, interrupted);
    let saved = match (&job.save_cookies, fetcher.jar()) {
        (Some(path), Some(jar)) => cookies::file::save(&jar, path),
        _ => Ok(()),
    };
    match (ran, saved) {
        (Ok(summary), Err(source)) => Err(RunError::Cookies { source, summary: Box::new(summary) }),
        // What went wrong before is the news.
        (ran, _) => ran,
    }
}

/// Fetches one page by a policy, once: for looking at it, not for a run.
///
/// # Errors
/// Why there is no page.
pub fn fetch_one(policy: &FetchPolicy, request: Request) -> Result<crate::model::Page, PageError> {
    Fetcher::new(policy.clone()).fetch_through(request).map_err(|failure| failure.error)
}

/// Reads `pages` as the job says, on this thread and its crew, and gives the counts.
///
/// `interrupted` is asked, once the run was stopped, for the number of the signal that did it.
///
/// # Errors
/// The output cannot be written, or a thread failed. A reader of our output that goes away is no error.
pub fn run<F, A, R>(
    job: &Job,
    pages: Pages<F, A, R>,
    output: Outlet,
    stop: &Stop,
    progress: Mode,
    interrupted: impl Fn() -> Option<i32>,
) -> Result<Summary, RunError>
where
    F: Fn(Request) -> Fetched + Sync,
    A: Fn(),
    R: Fn() -> Option<String>,
{
    let Pages { requests, total, pace, follows, jobs, fetch, abort, remark } = pages;
    let (seeds, sitemaps_of) = if follows { seeds(job) } else { Default::default() };
    let Outlet { lines, past } = output;
    let ended_mid_line = lines.ended_mid_line();
    let mut desk = RunDesk::new(
        lines,
        job.ordered,
        Progress::new(progress),
        new_summary(job),
        job.talk,
        total,
        job.max_records,
    );
    if let Some(policy) = job.news {
        let Some(past) = past else {
            let source = KnownError("there is no state of earlier runs".into());
            return Err(RunError::Known { source, summary: Box::new(desk.give_up()) });
        };
        desk = desk.only_news(News::new(past, policy.with_op), policy.stop_at_seen);
    }
    if ended_mid_line {
        desk.say("note: the output file ended in the middle of a line; the new records begin on a line of their own");
    }
    let mut frontier = Frontier::new(
        requests,
        FrontierPolicy {
            until_empty: job.until_empty,
            source_ends_at_seen: job.is_one_range && job.news.is_some_and(|news| news.stop_at_seen),
            retry: job.retry.clone(),
            pace,
            follow: follows.then(|| job.follow.clone()),
            max_pages: job.max_pages,
            start: job.start,
            seeds,
            sitemaps_of,
        },
    );
    let deadline = job.max_time.map(|time| Instant::now() + time);

    let make_reader = || {
        let mut reader = Reader::new(job);
        move |page| reader.read(page)
    };
    let conducted = threads::run(CrewSize::new(jobs, job.parsers), stop, fetch, make_reader, |channels| {
        Conductor { frontier: &mut frontier, desk: &mut desk, stop, deadline, abort: &abort }.run(channels)
    });
    let conducted = match conducted {
        Ok(Ok(conducted)) => conducted,
        Ok(Err(error)) => return finish_broken(error, desk.give_up()),
        Err(source) => {
            // What the others wrote stays; if it cannot be flushed now, the fault itself is still the news.
            let (mut summary, _) = desk.finish();
            summary.end = End::InternalError;
            return Err(RunError::Crew { source, summary: Box::new(summary) });
        }
    };
    if frontier.open_end() == Some(OpenEnd::OnlyFailures) {
        desk.say(&format!(
            "{FAILURES_THAT_END_AN_OPEN_RANGE} pages in a row failed: the open range ends here"
        ));
    }
    if let Some(remark) = remark() {
        desk.say(&remark);
    }
    if let Some(counts) = frontier.link_counts() {
        desk.note_links(counts);
    }
    let end = end_of(conducted, &mut frontier, interrupted);
    let why_not = why_nothing_is_gone(end, &frontier, &desk);
    let told = desk.write_rest().and_then(|()| desk.tell_gone(why_not.as_deref()));
    let (mut summary, written) = desk.finish();
    summary.end = end;
    if let Some(source) = frontier.take_trouble() {
        summary.end = End::LinksLost;
        return Err(RunError::Links { source, summary: Box::new(summary) });
    }
    match told.and(written) {
        Ok(()) => Ok(summary),
        Err(error) => finish_broken(error, summary),
    }
}

/// How a run ended whose output is whole.
fn end_of(conducted: Conducted, frontier: &mut Frontier, interrupted: impl Fn() -> Option<i32>) -> End {
    match conducted {
        Conducted::Completed if frontier.is_cut_at_seen() => End::AtSeen,
        Conducted::Completed if frontier.open_end() == Some(OpenEnd::EmptyPage) => End::UntilEmpty,
        Conducted::Completed => End::Completed,
        Conducted::OutOfTime if frontier.has_work_left() => End::MaxTime,
        Conducted::OutOfTime => End::Completed,
        Conducted::Satisfied => End::MaxRecords,
        Conducted::Overflowed => End::LinksLost,
        Conducted::Stopped => match interrupted().and_then(|signal| u8::try_from(signal).ok()) {
            Some(signal) => End::Interrupted(signal),
            None => End::InternalError,
        },
    }
}

/// Why nobody can say whether what was not met is gone: there are pages that were not read.
fn why_nothing_is_gone(end: End, frontier: &Frontier, desk: &RunDesk) -> Option<String> {
    let pages = |count: u64, what: &str| format!("{count} page{} {what}", if count == 1 { "" } else { "s" });
    let (failed, disallowed) = desk.unread_pages();
    match end {
        End::Completed | End::UntilEmpty if failed > 0 => Some(pages(failed, "failed")),
        End::Completed | End::UntilEmpty if disallowed > 0 => {
            Some(pages(disallowed, "must not be asked for (robots.txt)"))
        }
        End::Completed | End::UntilEmpty if frontier.is_full() => {
            Some("there may be pages beyond --max-pages".to_owned())
        }
        End::MaxRecords | End::Completed | End::UntilEmpty if desk.is_satisfied() => {
            Some("there may be records beyond --max-records".to_owned())
        }
        End::Completed | End::UntilEmpty => None,
        End::AtSeen => Some("--stop-at-seen ended the run early".to_owned()),
        _ => Some("the run was cut short".to_owned()),
    }
}

/// The requests for sitemaps and feeds, and whose robots.txt name further ones.
fn seeds(job: &Job) -> (Vec<Request>, Vec<Url>) {
    let request =
        |errand| move |url: &Url| Request { errand, ..Request::new(RequestId(0), url.clone(), None) };
    let sitemaps = job.seeds.sitemaps.iter().map(request(Errand::Sitemap));
    let feeds = job.seeds.feeds.iter().map(request(Errand::Feed));
    let hosts = job.source.as_ref().filter(|_| job.seeds.sitemaps_of_robots).and_then(Source::fixed_hosts);
    (sitemaps.chain(feeds).collect(), hosts.unwrap_or_default())
}

fn new_summary(job: &Job) -> Summary {
    let mut summary = Summary::starting_at(SystemTime::now());
    summary.fields = job.field_names().into_iter().map(|name| (name, FieldTally::default())).collect();
    summary
}

/// The requests that the job itself names.
struct FirstRequests {
    source: Source,
    lists: ListRequests,
}

impl Supply for FirstRequests {
    fn draw(&mut self) -> Drawn {
        match self.source.next() {
            Some(made) => Drawn::Next(made.map_err(|error| Unmade {
                id: error.id,
                error: PageError::NoUrl(error.to_string()),
                whom: error.whom,
            })),
            None => self.lists.draw(),
        }
    }
}

fn finish_broken(error: DeskError, mut summary: Summary) -> Result<Summary, RunError> {
    match error {
        DeskError::Output(OutputError::BrokenPipe) => {
            summary.end = End::BrokenPipe;
            Ok(summary)
        }
        DeskError::Output(source) => {
            summary.end = End::OutputError;
            Err(RunError::Output { source, summary: Box::new(summary) })
        }
        DeskError::Known(source) => {
            summary.end = End::StateError;
            Err(RunError::Known { source, summary: Box::new(summary) })
        }
    }
}
