//! The state of a run on disk: all that the same command needs to go on where it was cut off, at any moment.
//!
//! A state is a folder with a lock (`folder`), a manifest that says which job it is of (`manifest`), and a store
//! (`store`) whose commits are all or nothing. What is kept and why is the pipeline's affair; here are the forms on disk.

pub mod failpoint;
mod folder;
mod form;
mod manifest;
mod store;

use std::io;
use std::path::{Path, PathBuf};

pub use folder::{Folder, Looked};
pub use form::{FailedPage, Tally, TallyOf};
pub use manifest::{Manifest, Part as JobPart};
pub use store::{Batch, Entries, Store, Value, WaitingRequest, is_reading};

/// The form of everything in the folder. Whoever changes one of the forms so that an older pagemill could misread it
/// counts this up, and reads the older one or leaves it to [`StateError::OtherForm`].
pub const FORM: u64 = 1;

/// What is wrong with a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process is at it.
    #[error("{} of this job is at work: it holds {}", .process.map_or("another process".to_owned(), |id| format!("process {id}")), .folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The number of the process, if it has said so.
        process: Option<u32>,
    },
    /// There is no state.
    #[error("there is no state in {}", .0.display())]
    Missing(
        /// The folder.
        PathBuf,
    ),
    /// The folder holds something else.
    #[error("{} is not a state of pagemill, and not empty: it has `{found}` in it", .folder.display())]
    NotAState {
        /// The folder.
        folder: PathBuf,
        /// What is in it.
        found: String,
    },
    /// Another version of pagemill has written it.
    #[error("the state in {} has form {form}, and this pagemill reads form {FORM} only (it was written by pagemill {by})", .folder.display())]
    OtherForm {
        /// The folder.
        folder: PathBuf,
        /// Its form.
        form: u64,
        /// Who wrote it.
        by: String,
    },
    /// It was there when the run began.
    #[error("the state in {} was removed while the run was under way", .0.display())]
    Removed(
        /// The folder.
        PathBuf,
    ),
    /// What is there is not what was written.
    #[error("the state in {} is damaged: {what}", .folder.display())]
    Damaged {
        /// The folder.
        folder: PathBuf,
        /// What does not fit.
        what: String,
    },
    /// It cannot be written.
    #[error("cannot write the state in {}: {cause}", .folder.display())]
    Write {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
}

impl StateError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            StateError::Held { .. } => None,
            StateError::Missing(_) => Some(
                "a run keeps its state beside its output, as FILE.pagemill, until all of its pages are done"
                    .into(),
            ),
            StateError::NotAState { .. } => Some("name a folder of its own, which need not exist".into()),
            StateError::OtherForm { .. } => {
                Some("finish the run with the pagemill that began it, or start over with --fresh".into())
            }
            StateError::Removed(_) => Some(
                "what was written to the output stays there, and nobody knows which pages it is of: begin again with -O, \
                 or with another output"
                    .into(),
            ),
            StateError::Damaged { .. } => Some(
                "start over with --fresh, which takes the lines of the unfinished run out of the output, or says if it \
                 cannot tell which they are"
                    .into(),
            ),
            StateError::Write { cause, .. } => match cause.kind() {
                io::ErrorKind::StorageFull => {
                    Some("make room on the disk and run the same command again: it goes on".into())
                }
                io::ErrorKind::QuotaExceeded => Some(
                    "your quota on that disk is used up: make room in it and run the same command again"
                        .into(),
                ),
                io::ErrorKind::FileTooLarge => {
                    Some("a file has reached the size limit of the system or of `ulimit -f`: raise it and run the same command again".into())
                }
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Some(
                    "name a folder that you may write to with --state, or do without one: --no-state".into(),
                ),
                _ => None,
            },
        }
    }

    fn write(folder: &Path, cause: io::Error) -> StateError {
        StateError::Write { folder: folder.to_owned(), cause }
    }

    fn damaged(folder: &Path, what: impl Into<String>) -> StateError {
        StateError::Damaged { folder: folder.to_owned(), what: what.into() }
    }
}
