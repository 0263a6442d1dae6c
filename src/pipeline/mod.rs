//! One run: the crew, the conductor and its desk, put together from a job and from where its pages come.
//!
//! The hand-over itself ([`threads`], [`conductor`]) knows neither network nor documents; this file plugs them in.
//! What a request is answered with is handed in as [`Pages`]: the network for a crawl, files for saved pages.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use url::Url;

use crate::fetch::{CachePolicy, FetchPolicy, Fetcher, cookies};
use crate::frontier::{
    FAILURES_THAT_END_AN_OPEN_RANGE, FollowPolicy, Frontier, FrontierError, FrontierPolicy, OpenEnd,
    PacePolicy, Requests, Supply,
};
use crate::job::Job;
use crate::memory;
use crate::model::{
    Drawn, Errand, Fetched, FieldTally, PageError, Request, RequestId, SourcePosition, Unmade,
};
use crate::output::{JsonLines, OutputError};
use crate::progress::{Mode, Progress};
use crate::source::{ListRequests, Source};
use crate::summary::{End, LastRun, Summary};
use crate::{check, stop, sync};
use conductor::{Conducted, Conductor, Desk as _, FrontierKept};
use desk::{DeskError, Keeping, RunDesk};
use keeper::{Done, KeepError, Keeper};
use known::{OnTheWay, StoredKeys};
use news::{KnownError, News, Past};
use reader::Reader;
pub use session::{Session, SessionError};
use stop::Stop;
use threads::{CrewError, CrewSize};

pub mod conductor;
mod desk;
mod keeper;
mod known;
mod leads;
mod list;
#[cfg(test)]
mod modelled;
pub mod news;
mod reader;
#[cfg(test)]
mod run_tests;
mod session;
pub mod standing;
pub mod threads;
mod turn;

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
    /// Found links could not be kept, or the requests of an earlier run or of the source not be gone on with.
    #[error("{source}")]
    Links {
        /// What happened.
        source: FrontierError,
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
    /// What was done could not be written down.
    #[error("{source}")]
    Keep {
        /// What happened.
        source: KeepError,
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
    /// What earlier runs left, if the job compares with them; a state has that, too.
    pub past: Option<Past>,
    /// Where it is written down what was done, if it is.
    pub session: Option<Session>,
    /// The run that this one is to be measured by.
    pub last_run: Option<LastRun>,
}

/// What a run has beside its pages that is written down.
struct Keeps {
    session: Session,
    keeper: Keeper,
    cookies: Box<dyn FnMut() -> Vec<memory::Change>>,
}

/// What a run writes to, and what it is compared with.
struct Ends {
    lines: JsonLines,
    past: Option<Past>,
    keeps: Option<Keeps>,
    last_run: Option<LastRun>,
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
    let Outlet { lines, past, session, last_run } = output;
    let failed = |source: KeepError| {
        let summary = Summary { end: End::StateError, ..new_summary(job) };
        RunError::Keep { source, summary: Box::new(summary) }
    };
    let mut source = source.clone();
    let mut fetch = job.fetch.clone();
    let mut cookies = Vec::new();
    if let Some(session) = &session {
        source.resume_at(session.source().drawn);
        cookies = session.cookies().map_err(|error| failed(error.into()))?;
        // What has not changed since the last run is not sent again.
        if job.news.is_some() && fetch.cache.is_none() {
            fetch.cache = Some(CachePolicy { folder: session.pages(), max_age: None });
        }
    }
    let fetcher = Arc::new(Fetcher::new(fetch));
    if let Some(session) = &session {
        let damaged = || failed(session.store().damaged("the cookies").into());
        fetcher.remember_cookies(cookies).ok_or_else(damaged)?;
    }
    // Lists that must be waited for are read by threads of their own; they end when the frontier is dropped, which `run`
    // does.
    sync::scope(|scope| {
        let crew_failed = |source| RunError::Crew { source, summary: Box::new(new_summary(job)) };
        let mut lists = list::open(scope, &source, stop).map_err(crew_failed)?;
        let keeps = match session {
            None => None,
            Some(session) => {
                lists.resume_at(session.source());
                let keeper = Keeper::start(scope, session.store().clone(), stop)
                    .map_err(|source| crew_failed(CrewError::Spawn { name: "keep".to_owned(), source }))?;
                let of_cookies = Arc::clone(&fetcher);
                let cookies = Box::new(move || of_cookies.take_cookie_changes());
                Some(Keeps { session, keeper, cookies })
            }
        };
        let requests = FirstRequests { source, lists, is_at_lists: false };
        let ends = Ends { lines, past, keeps, last_run };
        crawl_with(job, &fetcher, requests, ends, stop, progress, interrupted)
    })
}

fn crawl_with(
    job: &Job,
    fetcher: &Fetcher,
    requests: FirstRequests,
    ends: Ends,
    stop: &Stop,
    progress: Mode,
    interrupted: impl Fn() -> Option<i32>,
) -> Result<Summary, RunError> {
    let source = &requests.source;
    let pages = Pages {
        total: source.total().filter(|_| !job.until_empty && job.seeds.is_empty() && !job.follows()),
        pace: job.pace.clone(),
        // Lists say the same place twice; a range does not, and may be endless.
        follows: job.follows() || !job.seeds.is_empty() || !source.lists().is_empty(),
        requests: Box::new(requests),
        jobs: job.jobs,
        fetch: |request| fetcher.fetch(request),
        abort: || fetcher.abort(),
        remark: || fetcher.cache_trouble().map(|trouble| format!("warning: {trouble}")),
    };
    let ran = run_with(job, pages, ends, stop, progress, interrupted);
    let saved = match (&job.save_cookies, fetcher.jar()) {
        (Some(path), Some(jar)) => cookies::file::save(&jar, path),
        _ => Ok(()),
    };
    // What went wrong before is the news.
    let (mut summary, session) = ran?;
    if let Err(source) = saved {
        // The state says that the run is not done, so that the same command may save them.
        return Err(RunError::Cookies { source, summary: Box::new(summary) });
    }
    if let Some(session) = session.filter(|_| summary.end.is_done())
        && let Err(error) = session.end(&summary)
    {
        summary.end = End::StateError;
        return Err(RunError::Keep { source: error.into(), summary: Box::new(summary) });
    }
    Ok(summary)
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
    let Outlet { lines, past, last_run, .. } = output;
    run_with(job, pages, Ends { lines, past, keeps: None, last_run }, stop, progress, interrupted)
        .map(|(summary, _)| summary)
}

fn run_with<F, A, R>(
    job: &Job,
    pages: Pages<F, A, R>,
    ends: Ends,
    stop: &Stop,
    progress: Mode,
    interrupted: impl Fn() -> Option<i32>,
) -> Result<(Summary, Option<Session>), RunError>
where
    F: Fn(Request) -> Fetched + Sync,
    A: Fn(),
    R: Fn() -> Option<String>,
{
    let Pages { requests, total, pace, follows, jobs, fetch, abort, remark } = pages;
    let (seeds, sitemaps_of) = if follows { seeds(job) } else { Default::default() };
    let Ends { lines, past, keeps, last_run } = ends;
    let ended_mid_line = lines.ended_mid_line();
    let empty = Summary { last_run, ..new_summary(job) };
    let is_ordered = job.ordered && keeps.as_ref().is_none_or(|keeps| keeps.session.may_be_ordered());
    let mut desk = RunDesk::new(
        lines,
        is_ordered,
        Progress::new(progress),
        empty.clone(),
        job.talk,
        total,
        job.max_records,
    );
    let on_the_way = OnTheWay::default();
    let of_state = keeps.as_ref().map(|keeps| Past {
        known: Box::new(StoredKeys::new(keeps.session.store().clone(), on_the_way.clone())),
        run: keeps.session.run(),
    });
    if let Some(policy) = job.news {
        let Some(past) = past.or(of_state) else {
            let source = KnownError("there is no state of earlier runs".into());
            return Err(RunError::Known { source, summary: Box::new(desk.give_up()) });
        };
        desk = desk.only_news(News::new(past, policy.with_op), policy.stop_at_seen);
    }
    if keeps.as_ref().is_some_and(|keeps| keeps.session.old_lines_stay()) {
        desk.say("note: the output has changed since the unfinished run; what that run wrote stays in it");
    }
    if ended_mid_line {
        desk.say("note: the output file ended in the middle of a line; the new records begin on a line of their own");
    }
    let mut frontier = Frontier::new(
        requests,
        FrontierPolicy {
            until_empty: job.until_empty,
            source_ends_at_seen: job.is_one_range && job.news.is_some_and(|news| news.stop_at_seen),
            source_has_one_host: job.source.as_ref().is_some_and(has_one_host),
            retry: job.retry.clone(),
            pace,
            follow: follows
                .then(|| FollowPolicy { ordered: job.follow.ordered && is_ordered, ..job.follow.clone() }),
            max_pages: job.max_pages,
            start: job.start,
            seeds,
            sitemaps_of,
        },
    );
    let mut session = None;
    if let Some(Keeps { session: mut begun, keeper, cookies }) = keeps {
        let resumed = begun.summary(&empty).and_then(|summary| {
            begun.resume(&mut frontier, is_ordered, &job.retry, &job.agents)?;
            Ok(summary)
        });
        let counted = match resumed {
            Ok(counted) => counted,
            Err(error) => {
                let summary = Summary { end: End::StateError, ..desk.give_up() };
                return Err(RunError::Keep { source: error.into(), summary: Box::new(summary) });
            }
        };
        if let Some(counted) = counted.as_ref().filter(|_| !job.talk.quiet) {
            desk.say(&told_of_resumed(counted, begun.is_retry()));
        }
        let done = Done::default();
        let keeping = Keeping { keeper, done, on_the_way, cookies, is_retry: begun.is_retry() };
        desk = desk.keep(keeping, counted, begun.next_in_order());
        session = Some(begun);
    }
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
    // A site that has changed shows nothing of what it has.
    let broken = checked(job, desk.counts(), end).checks_broken.into_iter().next();
    let why_not = why_nothing_is_gone(end, &frontier, &desk)
        .or(broken.map(|check| format!("a check is broken ({check})")));
    let trouble = frontier.take_trouble();
    let kept =
        desk.write_rest(end.is_done()).and_then(|()| desk.tell_gone(why_not.as_deref())).and_then(|()| {
            if session.is_none() {
                return Ok(());
            }
            let kept = FrontierKept::of(&mut frontier, desk.first_unwritten());
            desk.keep_last(kept)
        });
    // Its hold on the source, on lists that somebody waits for, and on the store.
    drop(frontier);
    let (summary, written) = desk.finish();
    let mut summary = checked(job, &summary, end);
    if let Some(source) = trouble {
        summary.end = match source {
            FrontierError::Backlog(_) => End::LinksLost,
            FrontierError::Rest(_) => End::StateError,
            FrontierError::SourceChanged(_) => End::SourceChanged,
        };
        return Err(RunError::Links { source, summary: Box::new(summary) });
    }
    if let Err(error) = kept.and(written) {
        return finish_broken(error, summary);
    }
    Ok((summary, session))
}

/// The counts of a run that ended like this, with the checks that it breaks.
fn checked(job: &Job, counts: &Summary, end: End) -> Summary {
    let mut summary = Summary { end, ..counts.clone() };
    let broken = check::evaluate(&job.checks, &summary, summary.last_run.as_ref());
    summary.checks_broken = broken.iter().map(ToString::to_string).collect();
    summary
}

/// That this is not the beginning.
fn told_of_resumed(counted: &Summary, is_retry: bool) -> String {
    let (pages, records) = (counted.pages_done, counted.records);
    match is_retry {
        true => format!(
            "retry: failed pages are tried again; {pages} pages are done and {records} records written"
        ),
        false => format!("resumed: {pages} pages are done and {records} records written"),
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

/// Whether all requests of a source go to one host.
fn has_one_host(source: &Source) -> bool {
    let hosts = source.fixed_hosts().unwrap_or_default();
    hosts.first().is_some_and(|first| hosts.iter().all(|host| host.host_str() == first.host_str()))
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
    /// Whether the last was of the lists.
    is_at_lists: bool,
}

impl Supply for FirstRequests {
    fn draw(&mut self) -> Drawn {
        match self.source.next() {
            Some(made) => Drawn::Next(made.map_err(|error| Unmade {
                id: error.id,
                error: PageError::NoUrl(error.to_string()),
                whom: error.whom,
            })),
            None => {
                self.is_at_lists = true;
                self.lists.draw()
            }
        }
    }

    fn position(&self, with_last: bool) -> SourcePosition {
        match self.is_at_lists {
            true => self.lists.position(with_last),
            false => {
                let drawn = self.source.position() - u64::from(!with_last);
                SourcePosition { drawn, ..self.lists.position(true) }
            }
        }
    }
}

fn finish_broken(error: DeskError, mut summary: Summary) -> Result<(Summary, Option<Session>), RunError> {
    match error {
        DeskError::Output(OutputError::BrokenPipe) => {
            summary.end = End::BrokenPipe;
            Ok((summary, None))
        }
        DeskError::Output(source) => {
            summary.end = End::OutputError;
            Err(RunError::Output { source, summary: Box::new(summary) })
        }
        DeskError::Keep(source) => {
            summary.end = match source {
                KeepError::Output(_) => End::OutputError,
                KeepError::State(_) | KeepError::Died => End::StateError,
            };
            Err(RunError::Keep { source, summary: Box::new(summary) })
        }
        DeskError::Known(source) => {
            summary.end = End::StateError;
            Err(RunError::Known { source, summary: Box::new(summary) })
        }
    }
}
