//! What the subcommands do: from what was typed to the exit code, with all that people are told on the way.

mod checks;
mod demo;
mod extract;
mod lines;
pub(crate) mod matches;
mod repl;
mod retry;
mod save;
mod saved;
mod status;
mod trial;
mod try_page;

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::{CrawlTyped, Typed};
use crate::config::{self, JobFile};
use crate::job::{Job, Purpose};
use crate::mistake::Mistake;
use crate::output::JsonLines;
use crate::pipeline::{self, Outlet, RunError, Session, SessionError};
use crate::progress::{Mode, Surroundings, printable};
use crate::settings::{self, SETTINGS};
use crate::shell;
use crate::signals::{self, Signals};
use crate::spelling;
use crate::state::StateError;
use crate::stop::Stop;
use crate::summary::{End, Summary, grouped};
use crate::written;

/// Wrong usage or a wrong job.
const WRONG_USAGE: u8 = 2;
/// The run failed.
const FAILED: u8 = 1;
/// EX_TEMPFAIL of sysexits.h: nothing is wrong, but not now.
const RUN_AGAIN: u8 = 75;

/// Does what was typed.
pub fn run(typed: Typed) -> ExitCode {
    hush_workers();
    match typed {
        Typed::Crawl(typed) => crawl(typed),
        Typed::Check(typed) => check(typed),
        Typed::Try(typed) => try_page::run(typed),
        Typed::Extract(typed) => extract::run(typed),
        Typed::Status(typed) => status::run(&typed),
        Typed::Retry(typed) => retry::run(typed),
        Typed::Demo(typed) => demo::run(&typed),
    }
}

/// A panic of a worker thread is reported as what it is, a failed page or a failed run; the default report would
/// only tear the progress bar.
fn hush_workers() {
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let is_worker =
            thread.name().is_some_and(|name| name.starts_with("crawl-") || name.starts_with("parse-"));
        if !is_worker && !crate::state::is_reading() {
            report(panic);
        }
    }));
}

fn crawl(typed: CrawlTyped) -> ExitCode {
    match build_job(Purpose::Crawl, typed) {
        Ok(job) => {
            // From cron, each line said becomes a mail.
            if !job.talk.quiet {
                warn(&job);
            }
            run_job(&job)
        }
        Err(mistakes) => refuse(&mistakes),
    }
}

fn check(typed: CrawlTyped) -> ExitCode {
    match build_job(Purpose::Crawl, typed) {
        Ok(job) => {
            warn(&job);
            // This is what was asked for, so it goes to standard output; a reader that has gone is no fault.
            let _ = writeln!(std::io::stdout(), "{}", printable_lines(&job.to_string()));
            ExitCode::SUCCESS
        }
        Err(mistakes) => refuse(&mistakes),
    }
}

fn warn(job: &Job) {
    warn_of_unknown_variables();
    for warning in job.warnings() {
        say(&format!("warning: {warning}"));
    }
}

/// Makes the job of what was typed, the environment and the job file.
fn build_job(purpose: Purpose, typed: CrawlTyped) -> Result<Job, Vec<Mistake>> {
    let (file, mistakes) = match &typed.config {
        Some(path) => config::read(path),
        None => (JobFile::default(), Vec::new()),
    };
    Job::build(purpose, typed.flags, written::read_environment(environment()), file, mistakes)
}

/// Variables whose name or value is not Unicode cannot be meant for us.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// A misspelt variable would otherwise just do nothing.
fn warn_of_unknown_variables() {
    let known: Vec<String> = SETTINGS.iter().map(settings::Setting::variable).collect();
    for (name, _) in environment().filter(|(name, _)| name.starts_with("PAGEMILL_")) {
        if !known.contains(&name) {
            let names = SETTINGS.iter().map(|setting| setting.name);
            let meant = spelling::nearest(&name["PAGEMILL_".len()..], names)
                .and_then(settings::find)
                .map(|setting| format!("; did you mean {}?", setting.variable()))
                .unwrap_or_default();
            say(&format!("warning: {name} in the environment is not a setting{meant}"));
        }
    }
}

/// Crawls with signals and progress, and tells how it went.
fn run_job(job: &Job) -> ExitCode {
    let source = job.source.as_ref().expect("a job for a crawl has a source");
    conclude(job, begin, |output, stop, mode, interrupted| {
        pipeline::crawl(job, source, output, stop, mode, interrupted)
    })
}

/// Opens the output of a run that keeps no state.
fn open_output(job: &Job) -> Result<Outlet, ExitCode> {
    let lines = JsonLines::open(&job.target).map_err(|error| {
        fail(&error, error.hint());
        ExitCode::from(WRONG_USAGE)
    })?;
    outlet(job, lines, None).map_err(|error| refuse_session(&error.into()))
}

/// What a run writes to, with what the run before it gave.
fn outlet(job: &Job, lines: JsonLines, session: Option<Session>) -> Result<Outlet, StateError> {
    let last_run = checks::last_run(job, session.as_ref())?;
    Ok(Outlet { lines, past: None, session, last_run })
}

/// Opens the output, and takes hold of the state if there is to be one.
fn begin(job: &Job) -> Result<Outlet, ExitCode> {
    let Some(policy) = &job.state else { return open_output(job) };
    let begun = Session::begin(policy, &job.target);
    let outlet = begun.and_then(|(session, lines)| Ok(outlet(job, lines, Some(session))?));
    outlet.map_err(|error| refuse_session(&error))
}

/// Says why a run cannot begin with the state that is there.
fn refuse_session(error: &SessionError) -> ExitCode {
    let code = match error {
        SessionError::State(StateError::Held { .. } | StateError::LookedAt(_)) => RUN_AGAIN,
        SessionError::State(
            StateError::NotAState { .. } | StateError::NotAFolder(_) | StateError::Missing(_),
        )
        | SessionError::OtherJob { .. } => WRONG_USAGE,
        SessionError::Output(error) if !error.is_of_state() => WRONG_USAGE,
        SessionError::State(_) | SessionError::Output(_) | SessionError::CannotTakeOut { .. } => FAILED,
    };
    fail(error, error.hint());
    ExitCode::from(code)
}

/// Lets `run` do a job under signals, with what `open` opens, and tells how it went.
fn conclude(
    job: &Job,
    open: impl FnOnce(&Job) -> Result<Outlet, ExitCode>,
    run: impl FnOnce(Outlet, &Stop, Mode, &dyn Fn() -> Option<i32>) -> Result<Summary, RunError>,
) -> ExitCode {
    if let Err(error) = signals::survive_file_limit() {
        return fail(format!("cannot listen for signals: {error}"), None);
    }
    // Before the other signals are ours: opening a FIFO waits for its reader, and Ctrl-C must end that.
    let output = match open(job) {
        Ok(output) => output,
        Err(code) => return code,
    };
    let stop = Arc::new(Stop::new());
    let signals = match Signals::listen(Arc::clone(&stop)) {
        Ok(signals) => signals,
        Err(error) => return fail(format!("cannot listen for signals: {error}"), None),
    };
    let (summary, has_failed) = match run(output, &stop, progress_mode(job), &|| signals.received()) {
        Ok(summary) => (summary, false),
        Err(RunError::Output { source, summary }) => {
            fail(&source, source.hint());
            (*summary, true)
        }
        Err(RunError::Cookies { source, summary }) => {
            fail(source, None);
            (*summary, true)
        }
        Err(RunError::Links { source, summary }) => {
            fail(source, None);
            (*summary, true)
        }
        Err(RunError::Keep { source, summary }) => {
            let hint = source.hint();
            fail(source, hint);
            (*summary, true)
        }
        Err(RunError::Known { source, summary }) => {
            fail(source, None);
            (*summary, true)
        }
        Err(RunError::Crew { source, summary }) => {
            fail(source, None);
            (*summary, true)
        }
    };
    if !job.talk.quiet {
        say(&summary.to_string());
    }
    if let Some(line) = how_to_go_on(job, &summary) {
        say(&line);
    }
    for broken in &summary.checks_broken {
        say(&format!("broken check: {broken}"));
    }
    let code = if has_failed { FAILED } else { summary.exit_code() };
    save_summary(job, &summary).unwrap_or(ExitCode::from(code))
}

/// What can be done about a run that is not over, or has pages that failed; where a state is kept.
fn how_to_go_on(job: &Job, summary: &Summary) -> Option<String> {
    let state = job.state.as_ref()?;
    match summary.end {
        End::MaxTime | End::Interrupted(_) => {
            (!job.talk.quiet).then(|| "run the same command again to go on".to_owned())
        }
        End::Completed | End::UntilEmpty | End::AtSeen => {
            // Where there was no URL, there is nothing to ask for.
            let without = summary.failed_by_kind.get(NO_URL).copied().unwrap_or_default();
            let pages = summary.pages_failed() - without;
            let noun = if pages == 1 { "page" } else { "pages" };
            let folder = shell::path(&state.folder.to_string_lossy());
            let count = grouped(pages);
            (pages > 0)
                .then(|| format!("{count} {noun} failed; try them again with: pagemill retry {folder}"))
        }
        _ => None,
    }
}

/// The kind of failures of places of the source without a request.
const NO_URL: &str = "no URL";

/// The exit code of a run whose summary could not be written; `None` if all is well.
fn save_summary(job: &Job, summary: &Summary) -> Option<ExitCode> {
    let error = summary.write_json(job.summary.as_deref()?).err()?;
    Some(fail(error, None))
}

fn progress_mode(job: &Job) -> Mode {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    Mode::choose(Surroundings {
        stderr_is_terminal: std::io::stderr().is_terminal(),
        quiet: job.talk.quiet,
        no_progress: job.talk.no_progress,
        no_color: variable("NO_COLOR").is_some(),
        is_dumb: variable("TERM").is_some_and(|term| term == "dumb"),
    })
}

fn refuse(mistakes: &[Mistake]) -> ExitCode {
    // A misspelt variable may be why something is missing.
    warn_of_unknown_variables();
    for mistake in mistakes {
        say(&format!("error: {mistake}"));
    }
    if mistakes.len() > 1 {
        say(&format!("{} mistakes; nothing was fetched", mistakes.len()));
    }
    ExitCode::from(WRONG_USAGE)
}

pub(crate) fn fail(error: impl Display, hint: Option<String>) -> ExitCode {
    say(&format!("error: {error}"));
    if let Some(hint) = hint {
        say(&format!("    hint: {hint}"));
    }
    ExitCode::from(FAILED)
}

/// Prints lines on standard error. Where that is closed there is nobody to tell.
pub(crate) fn say(lines: &str) {
    let _ = writeln!(std::io::stderr(), "{}", printable_lines(lines));
}

/// `1 record`, `2 records`, `2 matches`.
fn plural(count: usize, noun: &str) -> String {
    let ending = match count {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{count} {noun}{ending}")
}

/// What a terminal would obey is made visible; line feeds stay.
fn printable_lines(lines: &str) -> String {
    lines.split('\n').map(printable).collect::<Vec<_>>().join("\n")
}
