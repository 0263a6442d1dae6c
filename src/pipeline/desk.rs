//! The conductor's desk in a real run: lines to the output, in order if that is asked for; messages and progress to
//! the screen; counts to the summary.

use std::time::{Duration, Instant};

use super::conductor::{Desk, FrontierKept, Queues};
use super::keeper::{Commit, Done, KeepError, Keeper};
use super::known::OnTheWay;
use super::news::{KnownError, News};
use super::turn::{Paper, Turn};
use crate::frontier::{LinkCounts, NextDue};
use crate::job::Talk;
use crate::memory;
use crate::model::{Errand, Found, Outcome, PageError, Request, RequestId, Unmade, display_url};
use crate::output::{JsonLines, OutputError, Reorder};
use crate::progress::{Progress, Snapshot, clock};
use crate::summary::{LinkSummary, NewsSummary, Summary};

/// How many pages may be ahead of the oldest one that is not settled, in ordered output. One page in retry for a
/// minute at 17 pages a second does not stop the others.
const REORDER_WINDOW: u64 = 1024;

/// With more than this in the window, new pages wait for the oldest one whatever their number.
const MOST_BYTES_HELD: u64 = 64 << 20;

/// A pause of a host that is told to everybody.
const LONG_PAUSE: Duration = Duration::from_secs(5);

/// So many disallowed pages are told one by one: on a site that forbids everything there may be millions.
const MOST_DISALLOWED_TOLD: u64 = 20;

/// Of so many hosts it is told that they are waited for.
const MOST_WAITS_TOLD: usize = 20;

/// Why the desk cannot go on.
#[derive(Debug)]
pub(super) enum DeskError {
    Output(OutputError),
    Known(KnownError),
    Keep(KeepError),
}

/// What a run needs to write down what it does.
pub(super) struct Keeping {
    pub(super) keeper: Keeper,
    /// What became of pages since the last commit.
    pub(super) done: Done,
    pub(super) on_the_way: OnTheWay,
    /// The cookies that have changed since it was asked last.
    pub(super) cookies: Box<dyn FnMut() -> Vec<memory::Change>>,
    /// Whether pages are asked for that had failed, and what they lead to.
    pub(super) is_retry: bool,
}

impl From<OutputError> for DeskError {
    fn from(error: OutputError) -> DeskError {
        DeskError::Output(error)
    }
}

impl From<KeepError> for DeskError {
    fn from(error: KeepError) -> DeskError {
        DeskError::Keep(error)
    }
}

impl From<KnownError> for DeskError {
    fn from(error: KnownError) -> DeskError {
        DeskError::Known(error)
    }
}

pub(super) struct RunDesk {
    output: JsonLines,
    /// `None` when all records are written.
    news: Option<News>,
    /// Whether pages are looked at for what an earlier run has met, before they are settled.
    looks_for_seen: bool,
    /// `None` when lines go out as they come.
    reorder: Option<Reorder<Turn>>,
    /// Pages that were read, and that failed, and that wait for their turn.
    ahead: (u64, u64),
    /// `None` when the run keeps no state.
    keeping: Option<Keeping>,
    progress: Progress,
    summary: Summary,
    /// Disallowed pages, be it their turn or not.
    disallowed: u64,
    /// How long the run took before it was cut off.
    took_before: Duration,
    talk: Talk,
    total: Option<u64>,
    /// Records beyond this are not written.
    most_records: Option<u64>,
    began: Instant,
    /// Nothing goes out before.
    waits_until: Option<Instant>,
    /// The hosts of which it was said that they are waited for.
    waits_told: Vec<String>,
}

impl RunDesk {
    pub(super) fn new(
        output: JsonLines,
        ordered: bool,
        progress: Progress,
        summary: Summary,
        talk: Talk,
        total: Option<u64>,
        most_records: Option<u64>,
    ) -> RunDesk {
        let reorder = ordered.then(|| Reorder::new(RequestId(0)));
        RunDesk {
            output,
            news: None,
            looks_for_seen: false,
            reorder,
            ahead: (0, 0),
            keeping: None,
            progress,
            summary,
            disallowed: 0,
            took_before: Duration::ZERO,
            talk,
            total,
            most_records,
            began: Instant::now(),
            waits_until: None,
            waits_told: Vec::new(),
        }
    }

    /// Writes only what is news, and with `stops_at_seen` tells when a list comes to what is none.
    pub(super) fn only_news(mut self, news: News, stops_at_seen: bool) -> RunDesk {
        self.summary.news = Some(NewsSummary::default());
        RunDesk { news: Some(news), looks_for_seen: stops_at_seen, ..self }
    }

    /// What was counted so far.
    pub(super) fn counts(&self) -> &Summary {
        &self.summary
    }

    /// How many pages failed for good, and how many robots.txt forbids.
    pub(super) fn unread_pages(&self) -> (u64, u64) {
        (self.summary.pages_failed(), self.summary.pages_disallowed)
    }

    /// Lets everything be written down that is done; goes on with what was counted, and with the first request that was not
    /// written in order.
    pub(super) fn keep(self, keeping: Keeping, counted: Option<Summary>, next: RequestId) -> RunDesk {
        let summary = counted.unwrap_or_else(|| self.summary.clone());
        let news = summary.news.or(self.summary.news);
        RunDesk {
            keeping: Some(keeping),
            reorder: self.reorder.map(|_| Reorder::new(next)),
            took_before: summary.duration,
            summary: Summary { news, ..summary },
            ..self
        }
    }

    fn write(&mut self, id: RequestId, turn: Turn) -> Result<(), DeskError> {
        let is_retry = self.keeping.as_ref().is_some_and(|keeping| keeping.is_retry);
        // What had its turn, failed, and was tried again is not waited for.
        let in_order = |reorder: &&mut Reorder<Turn>| !is_retry || id >= reorder.next_expected();
        let Some(reorder) = self.reorder.as_mut().filter(in_order) else { return self.paper().take(turn) };
        let shown = turn.shown();
        self.ahead = (self.ahead.0 + shown.0, self.ahead.1 + shown.1);
        let weight = turn.weight();
        let ready: Vec<Turn> = reorder.push(id, turn, weight).map(|(_, turn)| turn).collect();
        ready.into_iter().try_for_each(|turn| self.take(turn))
    }

    /// It is the turn of what was held.
    fn take(&mut self, turn: Turn) -> Result<(), DeskError> {
        let shown = turn.shown();
        self.ahead = (self.ahead.0 - shown.0, self.ahead.1 - shown.1);
        self.paper().take(turn)
    }

    fn paper(&mut self) -> Paper<'_> {
        Paper {
            output: &mut self.output,
            news: &mut self.news,
            summary: &mut self.summary,
            done: self.keeping.as_mut().map(|keeping| &mut keeping.done),
            most: self.most_records,
        }
    }

    /// Something was settled or put off, which is to be written down.
    fn note(&mut self) {
        if let Some(keeping) = &mut self.keeping {
            keeping.keeper.note();
        }
    }

    /// With what it counts for, if that is kept.
    fn of(&self, turn: Turn, request: &Request) -> Turn {
        if self.keeping.is_some() { turn.of(request) } else { turn }
    }

    /// Writes what waits for those in front, which will not come any more. Where a state is kept and the run `is_over`
    /// only for now, it is asked for again instead.
    ///
    /// # Errors
    /// The output is broken, or what is known cannot be read.
    pub(super) fn write_rest(&mut self, is_over: bool) -> Result<(), DeskError> {
        if self.keeping.is_some() && !is_over {
            return Ok(());
        }
        let Some(reorder) = self.reorder.take() else { return Ok(()) };
        let mut next = reorder.next_expected();
        for (id, turn) in reorder.into_rest() {
            self.take(turn)?;
            next = RequestId(id.0 + 1);
        }
        // What is written down next must say that these are written.
        self.reorder = Some(Reorder::new(next));
        Ok(())
    }

    /// Writes down the last of it, and waits until it is on disk. Nothing is written to the output behind it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn keep_last(&mut self, kept: FrontierKept) -> Result<(), DeskError> {
        if let Some(keeping) = &mut self.keeping {
            keeping.keeper.wait()?;
            keeping.on_the_way.clear();
        }
        self.hand_over(kept, true)?;
        match &mut self.keeping {
            Some(keeping) => Ok(keeping.keeper.wait()?),
            None => Ok(()),
        }
    }

    fn hand_over(&mut self, kept: FrontierKept, is_last: bool) -> Result<(), DeskError> {
        let took = self.took_before + self.began.elapsed();
        let Some(keeping) = &mut self.keeping else { return Ok(()) };
        if is_last {
            // What compressed output holds back would else be written behind the mark.
            self.output.end()?;
        }
        let mark = self.output.mark()?;
        let notes = self.news.as_mut().map(News::take_notes).unwrap_or_default();
        keeping.on_the_way.add(&notes);
        keeping.keeper.hand_over(Commit {
            mark,
            kept,
            done: std::mem::take(&mut keeping.done),
            summary: Summary { duration: took, ..self.summary.clone() }.to_kept(),
            cookies: (keeping.cookies)(),
            notes,
            is_last,
        });
        Ok(())
    }

    /// Tells what is gone, if records are asked to say so; or why that cannot be said, if there is a reason.
    ///
    /// # Errors
    /// The output is broken, or what is known cannot be read.
    pub(super) fn tell_gone(&mut self, why_not: Option<&str>) -> Result<(), DeskError> {
        let Some(news) = self.news.as_mut().filter(|news| news.with_op()) else { return Ok(()) };
        if let Some(reason) = why_not {
            if !self.talk.quiet {
                self.say(&format!("note: nothing is told as gone, since {reason}"));
            }
            return Ok(());
        }
        let mut gone = news.gone();
        let mut all = 0;
        let mut lines = Vec::new();
        while let Some(count) = gone.tell_more(news, &mut lines)? {
            self.output.write(&lines)?;
            lines.clear();
            all += count;
        }
        self.summary.records += all;
        if let Some(counts) = &mut self.summary.news {
            *counts.gone.get_or_insert(0) += all;
        }
        Ok(())
    }

    /// Whether it was not said yet that this host is waited for; from now on it was.
    fn is_wait_news(&mut self, host: String) -> bool {
        let is_news = self.waits_told.len() < MOST_WAITS_TOLD && !self.waits_told.contains(&host);
        if is_news {
            self.waits_told.push(host);
        }
        is_news
    }

    fn tell_failure(&self, whom: &str, error: &PageError, attempts: u32) {
        let tries = if attempts > 1 { format!(" after {attempts} attempts") } else { String::new() };
        self.progress.println(&format!("failed: {whom}: {error}{tries}"));
    }

    /// Notes what became of links.
    pub(super) fn note_links(&mut self, counts: LinkCounts) {
        let mut left_out: Vec<(String, u64)> =
            counts.left_out.iter().map(|(reason, count)| (reason.to_string(), *count)).collect();
        left_out.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        self.summary.links = Some(LinkSummary {
            followed: counts.followed,
            known: counts.known,
            left_out,
            shapes_cut: counts.shapes_cut,
        });
    }

    /// Says something on standard error.
    pub(super) fn say(&self, line: &str) {
        self.progress.println(line);
    }

    /// Writes what is left, wipes the bar, and gives the counts. If the output breaks here, the counts come with the
    /// error.
    pub(super) fn finish(mut self) -> (Summary, Result<(), DeskError>) {
        let written = self.write_rest(false);
        let written = written.and_then(|()| Ok(self.output.finish()?));
        self.progress.finish();
        self.summary.duration = self.took_before + self.began.elapsed();
        (self.summary, written)
    }

    /// Gives the counts of a run whose output is broken.
    pub(super) fn give_up(mut self) -> Summary {
        self.progress.finish();
        self.summary.duration = self.took_before + self.began.elapsed();
        self.summary
    }
}

impl Desk for RunDesk {
    type Error = DeskError;

    fn settle(&mut self, outcome: Outcome) -> Result<(), DeskError> {
        self.note();
        let Outcome { request, body_bytes, result, .. } = outcome;
        let id = request.id;
        let turn = match result {
            // A redirect is not settled: where it leads is asked for first.
            Ok(Found::Moved(_) | Found::Robots(_) | Found::Address) => Turn::left_out(),
            Ok(Found::Records(records)) => {
                if self.talk.verbose {
                    let url = display_url(&request.url);
                    let plural = if records.count == 1 { "" } else { "s" };
                    self.progress.println(&format!(
                        "done: {url}: {} record{plural}, {body_bytes} bytes",
                        records.count
                    ));
                }
                self.of(Turn::done(&request, body_bytes, records), &request)
            }
            Err(error) => {
                self.tell_failure(&display_url(&request.url), &error, request.attempt + 1);
                Turn::failed(request, body_bytes, error)
            }
        };
        self.write(id, turn)
    }

    fn disallow(&mut self, request: Request) -> Result<(), DeskError> {
        self.note();
        self.disallowed += 1;
        if self.talk.quiet {
            // Nothing failed.
        } else if self.talk.verbose || self.disallowed <= MOST_DISALLOWED_TOLD {
            let url = display_url(request.target());
            self.progress.println(&format!("disallowed by robots.txt: {url}"));
        } else if self.disallowed == MOST_DISALLOWED_TOLD + 1 {
            self.progress.println("more pages are disallowed by robots.txt; --verbose lists them all");
        }
        self.write(request.id, self.of(Turn::disallowed(), &request))
    }

    fn leave_out(&mut self, request: Request) -> Result<(), DeskError> {
        self.note();
        self.write(request.id, self.of(Turn::left_out(), &request))
    }

    fn has_seen(&mut self, outcome: &Outcome) -> Result<bool, DeskError> {
        match (&mut self.news, &outcome.result) {
            (Some(news), Ok(Found::Records(records))) if self.looks_for_seen => Ok(news.has_seen(records)?),
            _ => Ok(false),
        }
    }

    fn is_satisfied(&self) -> bool {
        self.most_records.is_some_and(|most| self.summary.records >= most)
    }

    fn skip(&mut self, unmade: Unmade) -> Result<(), DeskError> {
        self.note();
        self.tell_failure(&unmade.whom, &unmade.error, 1);
        self.write(unmade.id, Turn::unmade(unmade))
    }

    fn pause(&mut self, outcome: &Outcome, pause: Duration) {
        self.summary.pauses += 1;
        // A run that stands still must say why.
        if self.talk.verbose || (pause >= LONG_PAUSE && !self.talk.quiet) {
            let host = outcome.request.target().host_str().unwrap_or_default().to_owned();
            let why = outcome.result.as_ref().err().map(|error| format!(" ({error})")).unwrap_or_default();
            self.progress.println(&format!("pause: nothing goes to {host} for {pause:.1?}{why}"));
            self.is_wait_news(host);
        }
    }

    fn wait(&mut self, next: &NextDue, now: Instant) {
        self.waits_until = Some(next.at);
        let time = next.at.saturating_duration_since(now);
        // Nobody should take a run that keeps to the pace of its host for one that hangs.
        if time < LONG_PAUSE || self.talk.quiet || !self.is_wait_news(next.host.clone()) {
            return;
        }
        let host = &next.host;
        let why = match next.is_retry {
            true => format!("a page of {host} is tried again"),
            false => format!("{host} may be asked again (--rate, --wait, its Crawl-delay or the throttle)"),
        };
        self.progress.println(&format!("waiting: nothing goes out for {}, until {why}", clock(time)));
    }

    fn note_robots(&mut self, outcome: &Outcome) {
        if !self.talk.verbose || outcome.request.errand != Errand::Robots {
            return;
        }
        let what = match &outcome.result {
            Ok(Found::Robots(robots)) => {
                let scope = if robots.blocks_everything() { "forbids everything" } else { "read" };
                let delay = robots.crawl_delay().map(|delay| format!(", Crawl-delay {delay:?}"));
                let sitemaps = robots.sitemaps().iter().map(|sitemap| format!(", sitemap {sitemap}"));
                scope.to_owned() + &delay.into_iter().chain(sitemaps).collect::<String>()
            }
            Ok(Found::Moved(to)) => format!("is at {}", display_url(to)),
            Ok(Found::Records(_) | Found::Address) => return,
            Err(error) => error.to_string(),
        };
        self.progress.println(&format!("robots.txt: {}: {what}", display_url(outcome.request.target())));
    }

    fn retry(&mut self, request: &Request, error: &PageError) {
        self.note();
        self.summary.retries += 1;
        if self.talk.verbose {
            self.progress.println(&format!("retry: {}: {error}", display_url(&request.url)));
        }
    }

    fn horizon(&self) -> Option<RequestId> {
        let reorder = self.reorder.as_ref()?;
        let ahead = if reorder.bytes_held() > MOST_BYTES_HELD { 1 } else { REORDER_WINDOW };
        Some(RequestId(reorder.next_expected().0.saturating_add(ahead)))
    }

    fn tick(&mut self, now: Instant, queues: Queues) -> Result<(), DeskError> {
        if self.output.due().is_some_and(|due| due <= now) {
            self.output.flush_if_due(now)?;
        }
        if self.progress.next_tick().is_some_and(|due| due <= now) {
            self.progress.tick(&Snapshot {
                done: self.summary.pages_done + self.ahead.0,
                failed: self.summary.pages_failed() + self.ahead.1,
                total: self.total,
                records: self.summary.records,
                in_flight: queues.in_flight,
                queued_requests: queues.requests as u64,
                queued_pages: queues.pages as u64,
                elapsed: self.began.elapsed(),
                waiting: self
                    .waits_until
                    .filter(|_| queues.in_flight + queues.requests as u64 == 0)
                    .map(|until| until.saturating_duration_since(now))
                    .filter(|time| *time >= Duration::from_secs(1)),
            });
        }
        Ok(())
    }

    fn due(&self) -> Option<Instant> {
        let commit = self.keeping.as_ref().and_then(|keeping| keeping.keeper.due());
        [self.output.due(), self.progress.next_tick(), commit].into_iter().flatten().min()
    }

    fn keeps(&self) -> bool {
        self.keeping.is_some()
    }

    fn sent(&mut self) {
        if let Some(keeping) = &mut self.keeping {
            keeping.keeper.note_sent();
        }
    }

    fn wants_commit(&mut self, now: Instant, changes: usize) -> Result<bool, DeskError> {
        let Some(keeping) = &mut self.keeping else { return Ok(false) };
        let mut is_kept = false;
        let is_due = keeping.keeper.is_due(now, changes, &mut is_kept)?;
        if is_kept {
            keeping.on_the_way.clear();
        }
        Ok(is_due)
    }

    fn first_unwritten(&self) -> Option<RequestId> {
        self.reorder.as_ref().map(Reorder::next_expected)
    }

    fn commit(&mut self, kept: FrontierKept) -> Result<(), DeskError> {
        self.hand_over(kept, false)
    }
}

#[cfg(test)]
#[path = "desk_news_tests.rs"]
mod news_tests;

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::SystemTime;

    use super::*;
    use crate::model::{Exchange, Records};
    use crate::output::Target;
    use crate::progress::Mode;

    fn ordered_desk(path: &Path) -> RunDesk {
        let output = JsonLines::open(&Target::Replace(path.to_owned())).unwrap();
        let talk = Talk { quiet: true, verbose: false, no_progress: true };
        let summary = Summary::starting_at(SystemTime::UNIX_EPOCH);
        RunDesk::new(output, true, Progress::new(Mode::Hidden), summary, talk, None, None)
    }

    fn outcome(id: u64, lines: Vec<u8>) -> Outcome {
        let url = url::Url::parse("http://h/").unwrap();
        let request = Request::new(RequestId(id), url, None);
        Outcome {
            request,
            body_bytes: 0,
            result: Ok(Found::Records(Records { lines, count: 1, ..Records::default() })),
            exchange: Exchange::default(),
        }
    }

    #[test]
    fn ordered_output_lets_pages_run_ahead_until_too_many_bytes_wait() {
        let folder = tempfile::tempdir().unwrap();
        let mut desk = ordered_desk(&folder.path().join("out"));
        assert_eq!(desk.horizon(), Some(RequestId(1024)));
        let mut long = vec![b'x'; MOST_BYTES_HELD as usize];
        long.push(b'\n');
        desk.settle(outcome(1, long)).unwrap();
        assert_eq!(desk.horizon(), Some(RequestId(1)), "only the page that all wait for");
        desk.settle(outcome(0, b"0\n".to_vec())).unwrap();
        assert_eq!(desk.horizon(), Some(RequestId(2 + 1024)));
    }

    #[test]
    fn what_waited_for_pages_that_never_came_is_written_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out");
        let mut desk = ordered_desk(&path);
        desk.settle(outcome(3, b"3\n".to_vec())).unwrap();
        desk.settle(outcome(1, b"1\n".to_vec())).unwrap();
        let (summary, written) = desk.finish();
        assert!(written.is_ok());
        assert_eq!((std::fs::read_to_string(path).unwrap().as_str(), summary.records), ("1\n3\n", 2));
    }
}
