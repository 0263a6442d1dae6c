//! The beginning and the end of a run that keeps a state: whether it goes on where an earlier one came to, and what
//! becomes of the state when it ends.

use std::time::SystemTime;

use super::keeper::{COOKIES, HOSTS, TRAPS};
use crate::frontier::{Frontier, Progress, Resumed, RetryPolicy, Seen, is_of_robots};
use crate::job::StatePolicy;
use crate::memory::Clock;
use crate::model::{Errand, RequestId, SourcePosition};
use crate::output::{JsonLines, OutputError, Position, Target};
use crate::state::{Batch, Entries, Folder, Manifest, StateError, Store, Value, failpoint};
use crate::summary::{End, LastRun, Summary};

/// So many failed pages are put among those that wait at a time.
const REOPENED_AT_ONCE: usize = 10_000;

/// Why a run cannot begin or go on with the state that is there.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The state.
    #[error(transparent)]
    State(#[from] StateError),
    /// The output.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The state is of a job that fetches something else.
    #[error(
        "the state in {} is of another job:\n    {}",
        .folder.display(),
        .differences.join("\n    ")
    )]
    OtherJob {
        /// Where.
        folder: std::path::PathBuf,
        /// A line for each thing.
        differences: Vec<String>,
        /// Whether that job has come to its end.
        is_done: bool,
    },
    /// Nobody can say which lines are of the unfinished run.
    #[error("--fresh cannot take the lines of the unfinished run out of the output: {damage}")]
    CannotTakeOut {
        /// Where the state is.
        folder: std::path::PathBuf,
        /// Why.
        damage: StateError,
    },
}

impl SessionError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            SessionError::State(error) => error.hint(),
            SessionError::Output(error) => error.hint(),
            SessionError::CannotTakeOut { folder, .. } => Some(format!(
                "replace the file with -O --fresh, or remove {} to keep all that is in the file and begin behind it",
                folder.display()
            )),
            SessionError::OtherJob { is_done: true, .. } => {
                Some("name another folder with --state, or forget that job with --fresh".into())
            }
            SessionError::OtherJob { .. } => {
                Some("give the command that began it to go on, or start over with --fresh".into())
            }
        }
    }
}

/// A state that is in our hands.
#[derive(Debug)]
pub struct Session {
    folder: Folder,
    store: Store,
    manifest: Manifest,
    /// Where an earlier run came to; `None` if this one begins.
    resumed: Option<Progress>,
    /// Whether that run was done, and pages that had failed are tried again.
    is_retry: bool,
    /// It was started over, and nobody could say which lines of the output were of the unfinished run.
    old_lines_stay: bool,
}

impl Session {
    /// Takes hold of the state of a job, and opens its output: for a run that begins, or where an earlier one came to.
    ///
    /// # Errors
    /// Somebody else is at work, the state is of another job, or it or the output is not as we left it.
    pub fn begin(policy: &StatePolicy, target: &Target) -> Result<(Session, JsonLines), SessionError> {
        let folder = Folder::take(&policy.folder)?;
        if policy.fresh {
            let (output, stays) = start_over(&folder, target)?;
            let (session, output) = Session::new_run(folder, None, 1, policy, target, output)?;
            return Ok((Session { old_lines_stay: stays, ..session }, output));
        }
        let Some(manifest) = folder.manifest()? else {
            // What is left of a state that was being removed, or never came to be one.
            folder.clear()?;
            return Session::new_run(folder, None, 1, policy, target, None);
        };
        let store = folder.open_store()?;
        let is_done = store.value(Value::End)?.is_some();
        let differences = manifest.differences(&policy.parts);
        // A state that was kept for failed pages only is of no more use to another job.
        if !differences.is_empty() && (manifest.keeps || !is_done) {
            let folder = folder.path().to_owned();
            return Err(SessionError::OtherJob { folder, differences, is_done });
        }
        if is_done && manifest.keeps {
            return Session::new_run(folder, Some(store), manifest.run + 1, policy, target, None);
        }
        if store.is_forgotten()? {
            // It died between two runs.
            return Session::new_run(folder, Some(store), manifest.run, policy, target, None);
        }
        if is_done {
            let run = manifest.run;
            drop(store);
            folder.clear()?;
            return Session::new_run(folder, None, run, policy, target, None);
        }
        let progress = progress_of(&store)?;
        let output = resume_output(&folder, &store, target)?;
        let is_retry = store.value(Value::Retry)?.is_some();
        let manifest = Manifest { keeps: policy.keeps, ..manifest };
        let resumed = Some(progress);
        Ok((Session { folder, store, manifest, resumed, is_retry, old_lines_stay: false }, output))
    }

    /// Goes on with a run that is done, to try its failed pages again; or with one where that has begun.
    ///
    /// # Errors
    /// The state or the output is not as we left it, or cannot be written.
    pub fn again(
        folder: Folder,
        store: Store,
        manifest: Manifest,
        target: &Target,
    ) -> Result<(Session, JsonLines), SessionError> {
        let output = resume_output(&folder, &store, target)?;
        if store.value(Value::Retry)?.is_none() {
            reopen(&store)?;
        }
        let progress = progress_of(&store)?;
        let resumed = Some(progress);
        Ok((Session { folder, store, manifest, resumed, is_retry: true, old_lines_stay: false }, output))
    }

    fn new_run(
        folder: Folder,
        old: Option<Store>,
        run: u64,
        policy: &StatePolicy,
        target: &Target,
        output: Option<JsonLines>,
    ) -> Result<(Session, JsonLines), SessionError> {
        let began = jiff::Timestamp::try_from(SystemTime::now()).unwrap_or_default();
        let manifest = Manifest {
            run,
            keeps: policy.keeps,
            began: format!("{began:.0}"),
            folder: std::env::current_dir().unwrap_or_default(),
            settings: policy.settings.clone(),
            secrets: policy.secrets.clone(),
            job_file: policy.job_file.clone(),
            parts: policy.parts.clone(),
            rules: policy.rules.clone(),
        };
        let is_first = old.is_none();
        let store = match old {
            Some(store) => {
                // First the new number: whoever dies in between begins with a higher one.
                folder.write_manifest(&manifest)?;
                store.forget_run()?;
                store
            }
            None => {
                folder.prepare_manifest(&manifest)?;
                folder.open_store()?
            }
        };
        let mut output = match output {
            Some(output) => output,
            None => JsonLines::open(target)?,
        };
        output.keep_note(&folder.note())?;
        let mark = output.mark()?;
        mark.sync()?;
        let mut batch = Batch::default();
        let mut position = Vec::new();
        mark.position().to_bytes(&mut position);
        batch.put(Value::Output, position);
        batch.put(Value::Progress, Progress::default().to_bytes());
        store.commit(batch)?;
        if is_first {
            // From here on it is a state. A store that is empty then has lost what was in it, and is not taken for new.
            folder.write_manifest(&manifest)?;
        }
        Ok((
            Session { folder, store, manifest, resumed: None, is_retry: false, old_lines_stay: false },
            output,
        ))
    }

    /// The store.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// The number of the run.
    pub(super) fn run(&self) -> u64 {
        self.manifest.run
    }

    /// Whether this goes on with an earlier run.
    pub fn is_resumed(&self) -> bool {
        self.resumed.is_some()
    }

    /// Whether lines of an unfinished run that was to be forgotten are still in the output.
    pub(super) fn old_lines_stay(&self) -> bool {
        self.old_lines_stay
    }

    /// Whether pages are asked for that had failed, and what they lead to.
    pub(super) fn is_retry(&self) -> bool {
        self.is_retry
    }

    /// Whether pages come with no gap between their numbers, so that they can be written in order. Those that had failed
    /// do not, nor what an attempt at them that was cut off has left.
    pub(super) fn may_be_ordered(&self) -> bool {
        !self.is_retry()
            && self
                .resumed
                .as_ref()
                .is_none_or(|progress| progress.written().is_some() || progress.numbered() == 0)
    }

    /// Where pages are kept from run to run.
    pub(super) fn pages(&self) -> std::path::PathBuf {
        self.folder.pages()
    }

    /// How far the source was read.
    pub(super) fn source(&self) -> SourcePosition {
        self.resumed.as_ref().map(Progress::source).unwrap_or_default()
    }

    /// In ordered output: the first request that is not written yet.
    pub(super) fn next_in_order(&self) -> RequestId {
        self.resumed.as_ref().and_then(Progress::written).unwrap_or(RequestId(0))
    }

    /// What was counted before, if this goes on with an earlier run.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn summary(&self, empty: &Summary) -> Result<Option<Summary>, StateError> {
        let Some(bytes) = self.store.value(Value::Summary)?.filter(|_| self.is_resumed()) else {
            return Ok(None);
        };
        let kept = Summary::from_kept(&bytes, empty);
        let mut summary = kept.ok_or_else(|| self.store.damaged("what was counted"))?;
        for page in self.store.failed() {
            summary.count_failure(page?.error.kind());
        }
        Ok(Some(summary))
    }

    /// The run that this one is to be measured by, if it is known.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn last_run(&self) -> Result<Option<LastRun>, StateError> {
        let Some(bytes) = self.store.value(Value::LastRun)? else { return Ok(None) };
        let json = serde_json::from_slice(&bytes).ok().and_then(|json| LastRun::from_json(&json).ok());
        json.map(Some).ok_or_else(|| self.store.damaged("what the last run gave"))
    }

    /// The cookies that there were.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn cookies(&self) -> Result<Entries, StateError> {
        if self.is_resumed() { self.store.table(COOKIES) } else { Ok(Vec::new()) }
    }

    /// Brings a frontier to where the earlier run came to, and lets it note changes from here on.
    ///
    /// # Errors
    /// Something cannot be read.
    pub(super) fn resume(
        &mut self,
        frontier: &mut Frontier,
        is_ordered: bool,
        retry: &RetryPolicy,
        agents: &[String],
    ) -> Result<(), StateError> {
        let clock = Clock::now();
        frontier.keep_changes(is_ordered);
        let damaged = |what: &str| self.store.damaged(what);
        let mut hosts = if self.is_resumed() { self.store.table(HOSTS)? } else { Vec::new() };
        let agents = agents.join("\n").into_bytes();
        if self.store.value(Value::Agents)?.as_ref() != Some(&agents) {
            // What robots.txt says to others is not for us.
            let mut batch = Batch::default();
            for (key, _) in hosts.extract_if(.., |(key, _)| is_of_robots(key)) {
                batch.entry([&[HOSTS][..], &key].concat(), None);
            }
            batch.put(Value::Agents, agents);
            self.store.commit(batch)?;
        }
        frontier.remember_hosts(hosts, clock).ok_or_else(|| damaged("what is known of a host"))?;
        // Without entries too: from here on it notes what it counts.
        let traps = if self.is_resumed() { self.store.table(TRAPS)? } else { Vec::new() };
        frontier.remember_traps(traps).ok_or_else(|| damaged("counts of links"))?;
        let Some(progress) = self.resumed.clone() else { return Ok(()) };
        let mut seen = Seen::new();
        seen.reserve(progress.numbered());
        for some in self.store.seen() {
            seen.insert_all(&some?);
        }
        let (waiting, unmade) = self.store.waiting()?;
        let longest = retry.longest_delay.max(retry.longest_asked);
        let waiting = waiting.into_iter().map(|(due, request)| {
            let delay = clock.from_unix_ms(due, longest).saturating_duration_since(clock.instant);
            (delay, request)
        });
        let pending = self.store.pending(RequestId(progress.numbered()));
        let resumed = Resumed {
            seen,
            pending: Box::new(pending.map(|read| read.map_err(|error| error.to_string()))),
            waiting: waiting.collect(),
            unmade,
            progress,
        };
        match self.is_retry {
            false => frontier.resume(resumed, clock.instant),
            true => frontier.resume_only(resumed, clock.instant),
        }
        Ok(())
    }

    /// The run is done, with this `summary`, and all of it written down: says so in the state, or removes that if nobody
    /// needs it any more.
    ///
    /// Nothing of the run is done on disk after it, but for its summary. Before it, the same command finds a run in which nothing is left to do, and
    /// ends as this one would have; from it on, the same command begins anew.
    ///
    /// # Errors
    /// It cannot be written, or removed.
    pub(super) fn end(self, summary: &Summary) -> Result<(), StateError> {
        let Session { folder, store, manifest, .. } = self;
        failpoint::pass("run finished");
        // With all records that were asked for, failed pages are of no use any more.
        if !manifest.keeps && (summary.pages_failed() == 0 || summary.end == End::MaxRecords) {
            drop(store);
            return folder.remove();
        }
        let mut batch = Batch::default();
        batch.remove(Value::Retry);
        batch.put(Value::End, summary.end.name().as_bytes().to_vec());
        if let Some(last_run) = LastRun::after(summary) {
            batch.put(Value::LastRun, last_run.to_json().to_string().into_bytes());
        }
        store.commit(batch)
    }
}

fn progress_of(store: &Store) -> Result<Progress, StateError> {
    let bytes = store.value(Value::Progress)?;
    bytes.and_then(|bytes| Progress::from_bytes(&bytes)).ok_or_else(|| store.damaged("how far it has come"))
}

/// Makes a run that is done one that is not: its failed pages wait, each as if it had not been tried. Whoever dies in the
/// middle has given that chance to some of them.
fn reopen(store: &Store) -> Result<(), StateError> {
    let mut last = None;
    loop {
        let mut batch = Batch::default();
        let (mut looked_at, mut pages) = (0, 0);
        for page in store.failed_after(last).take(REOPENED_AT_ONCE) {
            let page = page?;
            (looked_at, last) = (looked_at + 1, Some(page.id));
            let is_page = page.request.as_ref().is_some_and(|request| request.errand == Errand::Page);
            pages += u64::from(is_page);
            batch.reopen(page);
        }
        batch.remove(Value::End);
        batch.put(Value::Retry, Vec::new());
        batch.put(Value::Progress, progress_of(store)?.reopened(pages).to_bytes());
        store.commit(batch)?;
        if looked_at < REOPENED_AT_ONCE {
            return Ok(());
        }
    }
}

fn resume_output(folder: &Folder, store: &Store, target: &Target) -> Result<JsonLines, SessionError> {
    let position = position_of(store)?;
    let note = folder.note();
    let is_clean = store.value(Value::Clean)?.is_some();
    let mut output = JsonLines::resume(target, &position, (!is_clean).then_some(&*note))?;
    if is_clean {
        // From here on, what stands behind the position may be ours.
        let mut batch = Batch::default();
        batch.remove(Value::Clean);
        store.commit(batch)?;
    }
    output.keep_note(&note)?;
    Ok(output)
}

fn position_of(store: &Store) -> Result<Position, StateError> {
    let bytes = store.value(Value::Output)?;
    let position = bytes.and_then(|bytes| Position::from_bytes(&bytes));
    position.ok_or_else(|| store.damaged("how far the output has come"))
}

/// Forgets what the folder holds, and takes the lines of an unfinished run out of the output, if that is still as we left
/// it: then it is open, where that run began. Says whether lines of that run stay.
fn start_over(folder: &Folder, target: &Target) -> Result<(Option<JsonLines>, bool), SessionError> {
    let (mut output, mut stays) = (None, false);
    match unfinished(folder) {
        Ok(Some((position, is_clean))) => {
            let note = folder.note();
            let (lines, is_taken_out) = JsonLines::restart(target, &position, (!is_clean).then_some(&*note))?;
            (output, stays) = (Some(lines), !is_taken_out);
        }
        Ok(None) => {}
        Err(damage) => {
            let is_empty = match target {
                // All that is there goes anyway.
                Target::Replace(_) | Target::Stdout => true,
                Target::Append(path) => {
                    path.metadata().is_ok_and(|metadata| metadata.len() == 0) || !path.exists()
                }
                Target::Parts(parts) => parts.replaces,
            };
            if !is_empty {
                return Err(SessionError::CannotTakeOut { folder: folder.path().to_owned(), damage });
            }
        }
    }
    folder.clear()?;
    Ok((output, stays))
}

/// How far the output of a run came that has not ended; `None` if there is none.
/// Says, too, whether that run ended in good order.
fn unfinished(folder: &Folder) -> Result<Option<(Position, bool)>, StateError> {
    if folder.manifest()?.is_none() {
        return Ok(None);
    }
    let store = folder.open_store()?;
    if store.value(Value::End)?.is_some() || store.is_forgotten()? {
        return Ok(None);
    }
    Ok(Some((position_of(&store)?, store.value(Value::Clean)?.is_some())))
}
