//! What can be wrong with the output, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use crate::folders::folder_of;
use crate::shell;

/// Why lines could not be written, or a run not gone on with.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Who read the lines has gone. Not a fault: `pagemill … | head` ends this way.
    #[error("the reader of the output has gone")]
    BrokenPipe,
    /// The path is a folder.
    #[error("cannot write to {}: it is a folder", .0.display())]
    IsFolder(PathBuf),
    /// The folder of the file is missing.
    #[error("cannot write to {}: folder {} does not exist", .path.display(), .folder.display())]
    FolderMissing {
        /// The file.
        path: PathBuf,
        /// Its folder.
        folder: PathBuf,
    },
    /// The file could not be opened, for another reason.
    #[error("cannot write to {}: {cause}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file may be written but not read, so nobody can say how it ends.
    #[error("cannot append to {}: its end cannot be read: {cause}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The name says that the file is compressed, but what it holds is not, or ends in the middle.
    #[error("cannot append to {}: what it holds is no whole {what} file", .path.display())]
    NotCompressed {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        what: &'static str,
    },
    /// Of older parts that are to be replaced one is missing, so that nobody can say whether those behind it belong to
    /// them.
    #[error("cannot replace the parts from {} on: {} is missing", .found.display(), .missing.display())]
    PartsWithGap {
        /// The first part behind the gap.
        found: PathBuf,
        /// The part that is not there.
        missing: PathBuf,
    },
    /// Writing failed; what was written before stays.
    #[error("cannot write to {to}: {cause}")]
    Write {
        /// The file, or `standard output`.
        to: String,
        /// What the system said.
        cause: io::Error,
    },
    /// What was written could not be brought to the disk.
    #[error("cannot bring {} to the disk: {cause}", .path.display())]
    Sync {
        /// The file or its folder.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// During the run, the path stopped leading to the file that is written.
    #[error("{} was removed, renamed or replaced while it was written", .0.display())]
    Removed(PathBuf),
    /// During the run, the file became shorter than what was written.
    #[error("{} was cut from {expected} to {length} bytes while it was written", .path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// The bytes it has.
        length: u64,
        /// The bytes it should have.
        expected: u64,
    },
    /// During the run, the file became longer than what was written.
    #[error("something else wrote to {} too: it has {length} bytes instead of {expected}", .path.display())]
    Shared {
        /// The file.
        path: PathBuf,
        /// The bytes it has.
        length: u64,
        /// The bytes it should have.
        expected: u64,
    },
    /// The file that a run should go on with is not there.
    #[error("cannot go on: {} is not there any more", .0.display())]
    Missing(PathBuf),
    /// The file that a run should go on with lacks what is known to have been in it.
    #[error("cannot go on: {} has {length} bytes, but had at least {committed} when the run ended", .path.display())]
    Shorter {
        /// The file.
        path: PathBuf,
        /// The bytes it has.
        length: u64,
        /// The bytes it had at least.
        committed: u64,
    },
    /// The file that a run should go on with says something else than it did.
    #[error("cannot go on: {} was changed since the run ended", .0.display())]
    Changed(PathBuf),
    /// Behind what the run wrote there is something that it did not write.
    #[error("cannot go on: {} has something behind byte {committed} that the run did not write", .path.display())]
    Longer {
        /// The file.
        path: PathBuf,
        /// Up to here it is known.
        committed: u64,
    },
    /// There is a part that the run did not make, in the place of its next one.
    #[error("cannot go on: {} was made by something else", .0.display())]
    ForeignPart(PathBuf),
}

impl OutputError {
    /// Whether the output is not as an earlier run left it, or cannot be written; if not, it could not be opened, and
    /// another one should be named.
    pub fn is_of_state(&self) -> bool {
        match self {
            OutputError::IsFolder(_)
            | OutputError::FolderMissing { .. }
            | OutputError::Open { .. }
            | OutputError::Unreadable { .. }
            | OutputError::NotCompressed { .. }
            | OutputError::PartsWithGap { .. } => false,
            OutputError::BrokenPipe
            | OutputError::Write { .. }
            | OutputError::Sync { .. }
            | OutputError::Removed(_)
            | OutputError::Cut { .. }
            | OutputError::Shared { .. }
            | OutputError::Missing(_)
            | OutputError::Shorter { .. }
            | OutputError::Changed(_)
            | OutputError::Longer { .. }
            | OutputError::ForeignPart(_) => true,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            OutputError::BrokenPipe => return None,
            OutputError::IsFolder(path) => {
                return Some(format!("name a file in it: {}", path.join("pages.jsonl").display()));
            }
            OutputError::FolderMissing { folder, .. } => {
                return Some(format!("mkdir -p {}", shell::path(&folder.to_string_lossy())));
            }
            OutputError::Unreadable { .. } => "make it readable, or replace it with -O",
            OutputError::NotCompressed { .. } => "name another file, or replace it with -O",
            OutputError::PartsWithGap { .. } => {
                "move away what is not to be replaced, or name the parts otherwise"
            }
            OutputError::Removed(_) | OutputError::Cut { .. } => {
                "put the file back as it was and run the same command again to go on, or start over with --fresh"
            }
            OutputError::Shared { .. } => {
                "let each run write to a file of its own; take out what is not from this run, or start over with --fresh"
            }
            OutputError::Missing(_) | OutputError::Shorter { .. } | OutputError::Changed(_) => {
                "put the file back as it was to go on with the run, or start over with --fresh"
            }
            OutputError::Longer { .. } => {
                "move what was added to another file to go on with the run, or start over with --fresh, behind all of it"
            }
            OutputError::ForeignPart(_) => "move it away to go on with the run, or start over with --fresh",
            OutputError::Open { cause, .. }
            | OutputError::Write { cause, .. }
            | OutputError::Sync { cause, .. } => return hint_of(cause.kind()).map(ToOwned::to_owned),
        };
        Some(hint.into())
    }

    pub(super) fn write(to: &str, cause: io::Error) -> OutputError {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            return OutputError::BrokenPipe;
        }
        OutputError::Write { to: to.to_owned(), cause }
    }

    pub(super) fn open(path: &Path, cause: io::Error) -> OutputError {
        let folder = folder_of(path);
        match cause.kind() {
            io::ErrorKind::IsADirectory => OutputError::IsFolder(path.into()),
            io::ErrorKind::NotFound if !path.as_os_str().is_empty() && !folder.exists() => {
                OutputError::FolderMissing { path: path.into(), folder: folder.into() }
            }
            _ => OutputError::Open { path: path.into(), cause },
        }
    }
}

fn hint_of(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::StorageFull => "make room on the disk",
        io::ErrorKind::QuotaExceeded => "your quota on that disk is used up: make room in it",
        io::ErrorKind::ReadOnlyFilesystem => "that disk is read-only: write to another one",
        io::ErrorKind::PermissionDenied => "choose a place you may write to",
        io::ErrorKind::FileTooLarge => "the file has reached the size limit of the system or of `ulimit -f`",
        io::ErrorKind::AlreadyExists => "something else made this file: move it away",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_reasons_have_hints() {
        let hint = |kind: io::ErrorKind| OutputError::write("x", kind.into()).hint();
        assert!(hint(io::ErrorKind::StorageFull).is_some());
        assert!(hint(io::ErrorKind::ReadOnlyFilesystem).is_some());
        assert!(hint(io::ErrorKind::PermissionDenied).is_some());
        assert_eq!(hint(io::ErrorKind::BrokenPipe), None);
    }
}
