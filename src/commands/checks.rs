//! What a run is compared with: the last one, as far as it is known.

use super::say;
use crate::job::Job;
use crate::pipeline::Session;
use crate::state::StateError;
use crate::summary::LastRun;

/// The run that this one is to be compared with, if that is wanted; to be asked for before the run, which replaces the
/// file that knows it. A state that is kept between runs knows it better than that file.
///
/// # Errors
/// The state cannot be read.
pub(super) fn last_run(job: &Job, session: Option<&Session>) -> Result<Option<LastRun>, StateError> {
    // Whoever compares from the next run on needs what this one hands on.
    let of_state = session.map_or(Ok(None), Session::last_run)?;
    Ok(of_state.or_else(|| job.checks.max_drop.and_then(|_| of_summary_file(job))))
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
