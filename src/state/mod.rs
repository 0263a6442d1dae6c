//! The state of a run on disk: all that the same command needs to go on where it was cut off, at any moment.
//!
//! A state is a folder with a lock (`folder`), a manifest that says which job it is of (`manifest`), and a store
//! (`store`) whose commits (`batch`) are all or nothing. What is kept and why is the pipeline's affair; here are the forms on disk.

mod batch;
pub mod failpoint;
mod folder;
mod form;
mod manifest;
mod pending;
mod store;

use std::io;
use std::path::{Path, PathBuf};

pub use batch::Batch;
pub use folder::{Folder, Looked};
pub use form::{FailedPage, Tally, TallyOf};
pub use manifest::{Manifest, Part as JobPart};
pub use store::{Entries, Store, Value, WaitingRequest, is_reading};

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
    /// Somebody reads it, and does not come to an end.
    #[error("another process is reading the state in {}", .0.display())]
    LookedAt(
        /// The folder.
        PathBuf,
    ),
    /// There is no state.
    #[error("there is no state in {}", .0.display())]
    Missing(
        /// The folder.
        PathBuf,
    ),
    /// A file is in its place.
    #[error("{} is not a folder, so it cannot hold a state", .0.display())]
    NotAFolder(
        /// What is not one.
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
    /// The system does not let us read it: nothing is said about what is there.
    #[error("cannot read the state in {}: {cause}", .folder.display())]
    Read {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        cause: io::Error,
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
            StateError::LookedAt(_) => {
                Some("run the same command again when `pagemill status` there has ended".into())
            }
            StateError::NotAFolder(_) | StateError::NotAState { .. } => Some("name a folder of its own, which need not exist".into()),
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
            StateError::Read { cause, .. } => Some(match cause.kind() {
                io::ErrorKind::PermissionDenied => {
                    "run it as the user who began the run, or make what is in that folder yours".into()
                }
                _ => "it may well be whole: see to what the system says and run the same command again".into(),
            }),
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

    /// Of a read: `what` failed with `cause`, which is the system's fault or shows that the state is damaged.
    fn reading(folder: &Path, what: &str, cause: io::Error) -> StateError {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
        match cause.kind() {
            // Who opens the store writes to it.
            StorageFull | QuotaExceeded | ReadOnlyFilesystem | FileTooLarge => {
                StateError::write(folder, cause)
            }
            _ if is_of_the_system(&cause) => StateError::Read { folder: folder.to_owned(), cause },
            _ => StateError::damaged(folder, format!("{what}: {cause}")),
        }
    }

    fn write(folder: &Path, cause: io::Error) -> StateError {
        StateError::Write { folder: folder.to_owned(), cause }
    }

    fn damaged(folder: &Path, what: impl Into<String>) -> StateError {
        StateError::Damaged { folder: folder.to_owned(), what: what.into() }
    }
}

/// Whether it is not what is there that is at fault. Too many open files, a disk that fails, no memory and missing
/// permission are; what was mangled looks like a missing file, a name of the wrong kind or an impossible place in a
/// file, or is found out without the system.
fn is_of_the_system(cause: &io::Error) -> bool {
    use io::ErrorKind::{AlreadyExists, InvalidInput, IsADirectory, NotADirectory, NotFound};
    use io::ErrorKind::{OutOfMemory, PermissionDenied};
    match cause.kind() {
        NotFound | AlreadyExists | InvalidInput | IsADirectory | NotADirectory => false,
        OutOfMemory | PermissionDenied => true,
        _ => cause.raw_os_error().is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_cannot_do_is_no_damage() {
        let told = |cause| StateError::reading(Path::new("s"), "its store cannot be read", cause);
        // EPERM, EIO, ENOMEM, EACCES, ENFILE, EMFILE: the same on every Unix.
        for number in [1, 5, 12, 13, 23, 24] {
            let error = told(io::Error::from_raw_os_error(number));
            assert!(matches!(error, StateError::Read { .. }), "{number}: {error}");
            assert!(error.to_string().starts_with("cannot read the state in s: "), "{error}");
            assert!(!error.hint().unwrap().contains("--fresh"), "{number}");
        }
        // ENOSPC, EROFS.
        for number in [28, 30] {
            assert!(
                matches!(told(io::Error::from_raw_os_error(number)), StateError::Write { .. }),
                "{number}"
            );
        }
        // ENOENT, EEXIST, ENOTDIR, EISDIR, EINVAL, and what the system has no part in.
        let mangled = [2, 17, 20, 21, 22].map(io::Error::from_raw_os_error);
        let unread = [io::ErrorKind::UnexpectedEof, io::ErrorKind::InvalidData].map(io::Error::from);
        for cause in mangled.into_iter().chain(unread) {
            let error = told(cause);
            assert!(matches!(error, StateError::Damaged { .. }), "{error}");
            assert!(error.hint().unwrap().contains("--fresh"));
        }
    }
}
