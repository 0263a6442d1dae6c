//! The checks of a job around its run: what it is compared with before it, and what is broken after it.

use super::say;
use crate::check;
use crate::job::Job;
use crate::summary::{LastRun, Summary};

/// The run that this one is to be compared with, if that is wanted; to be asked for before the run, which replaces the
/// file that knows it.
pub(super) fn last_run(job: &Job) -> Option<LastRun> {
    job.checks.max_drop?;
    // A state that is kept between runs knows its last run better than a file beside the output: ask it here, first.
    of_summary_file(job)
}

fn of_summary_file(job: &Job) -> Option<LastRun> {
    let path = job.summary.as_deref()?;
    match LastRun::read(path) {
        Ok(Some(last)) => Some(last),
        Ok(None) => {
            // The first night is no news to whoever reads the mails of cron.
            if !job.talk.quiet {
                let path = path.display();
                say(&format!(
                    "note: {path} tells of no run to compare with, so max-drop holds from the next one on"
                ));
            }
            None
        }
        Err(error) => {
            // Quiet or not: a check that was asked for is not made.
            say(&format!(
                "warning: max-drop is not checked, since {} does not tell of the last run: {error}",
                path.display()
            ));
            None
        }
    }
}

/// Finds the checks that a run breaks, and notes them in its counts.
pub(super) fn note_broken(job: &Job, summary: &mut Summary, last: Option<LastRun>) {
    let broken = check::evaluate(&job.checks, summary, last.as_ref());
    summary.checks_broken = broken.iter().map(ToString::to_string).collect();
    summary.last_run = last;
}
