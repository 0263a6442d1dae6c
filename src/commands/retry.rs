//! `pagemill retry`: the failed pages of a run that is done, once more, by the job that its state tells of.

use std::path::Path;
use std::process::ExitCode;

use super::{WRONG_USAGE, conclude, environment, fail, outlet, plural, refuse, refuse_session, say, status};
use crate::cli::RetryTyped;
use crate::config::{self, JobFile};
use crate::job::{self, Job, Purpose};
use crate::pipeline::{self, Session, SessionError, standing};
use crate::settings;
use crate::state::{Folder, Manifest, StateError, Store, Value};
use crate::summary::{End, PAGES_FAILED};
use crate::written::{self, Layer};

pub(super) fn run(mut typed: RetryTyped) -> ExitCode {
    let path = status::find(&typed.path);
    let path = std::path::absolute(&path).unwrap_or(path);
    let (folder, manifest) = match take(&path) {
        Ok(taken) => taken,
        Err(code) => return code,
    };
    // What is typed now is said from here; the job was said from there.
    let mut environment = written::read_environment(environment());
    job::anchor(&mut typed.flags);
    job::anchor(&mut environment);
    if let Err(error) = std::env::set_current_dir(&manifest.folder) {
        let there = manifest.folder.display();
        let hint = "the names of files in the job are said from there";
        fail(format!("cannot go to {there}, where this run began: {error}"), Some(hint.into()));
        return ExitCode::from(WRONG_USAGE);
    }
    if let Some(code) = refuse_without_secrets(&manifest, &typed.flags, &environment) {
        return code;
    }
    let job = match build(&path, &manifest, typed.flags, environment) {
        Ok(job) => job,
        Err(code) => return code,
    };
    let store = match folder.open_store() {
        Ok(store) => store,
        Err(error) => return refuse_session(&error.into()),
    };
    match answer_at_once(&store, &path) {
        Ok(Answer::GoOn) => {}
        Ok(Answer::End(code)) => return ExitCode::from(code),
        Ok(Answer::AllDone) => {
            say("nothing to try again: no page of this run has failed");
            drop(store);
            // Its process may have died before it could do that.
            let removed = if manifest.keeps { Ok(()) } else { folder.remove() };
            return removed.map_or_else(|error| refuse_session(&error.into()), |()| ExitCode::SUCCESS);
        }
        Err(error) => return refuse_session(&error.into()),
    }
    let source = job.source.as_ref().expect("a job for a crawl has a source");
    let begin = |job: &Job| {
        let begun = Session::again(folder, store, manifest, &job.target);
        let outlet = begun.and_then(|(session, lines)| Ok(outlet(job, lines, Some(session))?));
        outlet.map_err(|error: SessionError| refuse_session(&error))
    };
    conclude(&job, begin, |output, stop, mode, interrupted| {
        pipeline::crawl(&job, source, output, stop, mode, interrupted)
    })
}

/// Takes hold of the state.
fn take(path: &Path) -> Result<(Folder, Manifest), ExitCode> {
    let taken = Folder::take_existing(path).and_then(|folder| {
        let manifest = folder.manifest()?.ok_or_else(|| StateError::Missing(path.to_owned()))?;
        Ok((folder, manifest))
    });
    taken.map_err(|error| refuse_session(&error.into()))
}

/// Says which secrets are missing that the job was given.
fn refuse_without_secrets(manifest: &Manifest, flags: &Layer, environment: &Layer) -> Option<ExitCode> {
    let is_missing =
        |name: &&String| !flags.contains_key(name.as_str()) && !environment.contains_key(name.as_str());
    let missing: Vec<&settings::Setting> =
        manifest.secrets.iter().filter(is_missing).filter_map(|name| settings::find(name)).collect();
    for setting in &missing {
        let (name, variable) = (setting.name, setting.variable());
        fail(
            match name {
                // The argument of this subcommand is another one.
                "url" => format!(
                    "the job was given a URL with a log-in, which is not kept; give it again as {variable}"
                ),
                _ => {
                    format!("the job was given --{name}, which is not kept; give it again, or as {variable}")
                }
            },
            None,
        );
    }
    (!missing.is_empty()).then(|| ExitCode::from(WRONG_USAGE))
}

/// The job of the state, with what is said now.
fn build(path: &Path, manifest: &Manifest, flags: Layer, environment: Layer) -> Result<Job, ExitCode> {
    let (file, mistakes) = match &manifest.job_file {
        Some(file) => config::read(file),
        None => (JobFile::default(), Vec::new()),
    };
    let mut settings = manifest.settings.clone();
    if manifest.keeps {
        settings.push(("state".into(), vec![path.to_string_lossy().into_owned()]));
    }
    let given = job::again(flags, environment, &settings);
    let mut job =
        Job::build_of(Purpose::Crawl, given, file, mistakes).map_err(|mistakes| refuse(&mistakes))?;
    let parts = job.state.as_ref().map(|state| state.parts.as_slice()).unwrap_or_default();
    let differences = manifest.differences(parts);
    if !differences.is_empty() {
        let lines = differences.join("\n    ");
        fail(
            format!("the job is another one than that of the run in {}:\n    {lines}", path.display()),
            Some("put it back as it was to try its pages again, or crawl anew".into()),
        );
        return Err(ExitCode::from(WRONG_USAGE));
    }
    if let Some(state) = &mut job.state {
        path.clone_into(&mut state.folder);
    }
    Ok(job)
}

/// What is to be done, by what the state has.
enum Answer {
    /// Failed pages can be tried again.
    GoOn,
    /// No page has failed.
    AllDone,
    /// It was said why not.
    End(u8),
}

fn answer_at_once(store: &Store, path: &Path) -> Result<Answer, StateError> {
    // It has begun, and goes on.
    if store.value(Value::Retry)?.is_some() {
        return Ok(Answer::GoOn);
    }
    let Some(end) = store.value(Value::End)? else {
        let message = format!("the run in {} is not done", path.display());
        let hint = "run its command again first; the pages that failed can be tried again then";
        fail(message, Some(hint.into()));
        return Ok(Answer::End(WRONG_USAGE));
    };
    if end == End::MaxRecords.name().as_bytes() {
        say("nothing to try again: the run has all records that were asked for (--max-records)");
        return Ok(Answer::End(0));
    }
    let (pages, without_request) = standing::count_failed(store)?;
    if without_request > 0 {
        let places = plural(usize::try_from(without_request).unwrap_or(usize::MAX), "place");
        say(&format!("note: {places} of the source gave no request; that cannot be tried again"));
    }
    Ok(match (pages, without_request) {
        (0, 0) => Answer::AllDone,
        (0, _) => Answer::End(PAGES_FAILED),
        _ => Answer::GoOn,
    })
}
