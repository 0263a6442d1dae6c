//! Where lines go, how it is opened, and what can be wrong with it.
//!
//! A destination is an open file: a regular one, a device, a FIFO, or what standard output is connected to. It is told
//! apart only where half a line must be taken back. Knows nothing of lines or buffers beyond that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Behind what the file holds; it is made if it is missing.
    Append(PathBuf),
    /// Instead of what the file holds; it is made if it is missing.
    Replace(PathBuf),
}

/// Why lines could not be written.
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
    /// The file may be written but not read, so nobody can say whether its last line is whole.
    #[error("cannot append to {}: its last line cannot be read: {cause}", .path.display())]
    LastLine {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// Writing failed; what was written before stays.
    #[error("cannot write to {to}: {cause}")]
    Write {
        /// The file, or `standard output`.
        to: String,
        /// What the system said.
        cause: io::Error,
    },
}

impl OutputError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let cause = match self {
            OutputError::BrokenPipe => return None,
            OutputError::IsFolder(path) => {
                return Some(format!("name a file in it: {}", path.join("pages.jsonl").display()));
            }
            OutputError::FolderMissing { folder, .. } => {
                return Some(format!("mkdir -p {}", quoted(&folder.to_string_lossy())));
            }
            OutputError::LastLine { .. } => return Some("make it readable, or replace it with -O".into()),
            OutputError::Open { cause, .. } | OutputError::Write { cause, .. } => cause,
        };
        let hint = match cause.kind() {
            io::ErrorKind::StorageFull => "make room on the disk",
            io::ErrorKind::QuotaExceeded => "your quota on that disk is used up: make room in it",
            io::ErrorKind::ReadOnlyFilesystem => "that disk is read-only: write to another one",
            io::ErrorKind::PermissionDenied => "choose a place you may write to",
            io::ErrorKind::FileTooLarge => {
                "the file has reached the size limit of the system or of `ulimit -f`"
            }
            _ => return None,
        };
        Some(hint.into())
    }

    pub(super) fn write(to: &str, cause: io::Error) -> OutputError {
        if cause.kind() == io::ErrorKind::BrokenPipe {
            return OutputError::BrokenPipe;
        }
        OutputError::Write { to: to.to_owned(), cause }
    }

    fn open(path: &Path, cause: io::Error) -> OutputError {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        match cause.kind() {
            io::ErrorKind::IsADirectory => OutputError::IsFolder(path.into()),
            io::ErrorKind::NotFound if !path.as_os_str().is_empty() && !folder.exists() => {
                OutputError::FolderMissing { path: path.into(), folder: folder.into() }
            }
            _ => OutputError::Open { path: path.into(), cause },
        }
    }
}

/// A word of a shell command.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+,:@%=".contains(c);
    if word.starts_with(|c| c != '-') && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("-- '{}'", word.replace('\'', r"'\''"))
    }
}

/// Something lines are written to.
pub(super) trait Destination: Write {
    /// Tries to remove the last `bytes` bytes written. Where that is impossible they stay.
    fn take_back(&mut self, bytes: u64);
}

impl Destination for File {
    /// Only a regular file can be cut, and only while our bytes are its last: another writer's are not ours to take.
    fn take_back(&mut self, bytes: u64) {
        let Ok(metadata) = self.metadata() else { return };
        let Ok(position) = self.stream_position() else { return };
        if metadata.is_file() && position == metadata.len() && bytes <= position {
            // Failing leaves the half line, which is what there was without trying.
            let _ = self.set_len(position - bytes);
            let _ = self.seek(SeekFrom::Start(position - bytes));
        }
    }
}

/// An open destination.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    /// For messages.
    pub(super) name: String,
    /// The file ends with half a line, of another writer that died.
    pub(super) ends_mid_line: bool,
}

pub(super) fn open(target: &Target) -> Result<Opened, OutputError> {
    match target {
        Target::Stdout => open_stdout(),
        Target::Append(path) => {
            let file = open_to_append(path)?;
            let ends_mid_line = ends_mid_line(&file, path)
                .map_err(|cause| OutputError::LastLine { path: path.clone(), cause })?;
            Ok(Opened { file, name: path.display().to_string(), ends_mid_line })
        }
        Target::Replace(path) => {
            let file = open_to_append(path)?;
            let failed = |cause| OutputError::open(path, cause);
            // Devices and FIFOs have no length.
            if file.metadata().map_err(failed)?.is_file() {
                file.set_len(0).map_err(failed)?;
            }
            Ok(Opened { file, name: path.display().to_string(), ends_mid_line: false })
        }
    }
}

/// Finds out whether the target could be opened, and leaves everything as it was: so that a job's wrong output is told
/// with its other mistakes, before anything is emptied.
///
/// # Errors
/// As for opening.
pub fn check_target(target: &Target) -> Result<(), OutputError> {
    let (Target::Append(path) | Target::Replace(path)) = target else { return Ok(()) };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => Err(OutputError::IsFolder(path.clone())),
        // Opening a FIFO would wait for its reader.
        Ok(metadata) if !metadata.is_file() => Ok(()),
        Ok(_) => match OpenOptions::new().append(true).open(path) {
            Ok(_) => Ok(()),
            Err(cause) => Err(OutputError::open(path, cause)),
        },
        Err(_) => match OpenOptions::new().append(true).create_new(true).open(path) {
            // Made a moment ago by us, and empty.
            Ok(_) => fs::remove_file(path).map_err(|cause| OutputError::open(path, cause)),
            // A link to nowhere, which opening would make.
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(cause) => Err(OutputError::open(path, cause)),
        },
    }
}

/// Every write goes to the end, so that two runs into one file do not write over each other.
fn open_to_append(path: &Path) -> Result<File, OutputError> {
    OpenOptions::new().append(true).create(true).open(path).map_err(|cause| OutputError::open(path, cause))
}

/// Our own handle instead of [`io::Stdout`]: its line buffer would hide how much of a chunk was written.
fn open_stdout() -> Result<Opened, OutputError> {
    let name = "standard output".to_owned();
    match io::stdout().as_fd().try_clone_to_owned() {
        Ok(handle) => Ok(Opened { file: File::from(handle), name, ends_mid_line: false }),
        Err(cause) => Err(OutputError::write(&name, cause)),
    }
}

fn ends_mid_line(file: &File, path: &Path) -> io::Result<bool> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    // A second handle, since opening a FIFO for reading too would not wait for its reader.
    let mut reading = File::open(path)?;
    let mut last = [0];
    reading.seek(SeekFrom::End(-1))?;
    reading.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(target: &Target) -> OutputError {
        open(target).expect_err("this target cannot be opened")
    }

    #[test]
    fn a_missing_folder_is_named_with_the_command_that_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my out/pages.jsonl");
        let error = error(&Target::Append(path));
        let missing = folder.path().join("my out");
        assert!(matches!(&error, OutputError::FolderMissing { folder, .. } if *folder == missing));
        assert_eq!(error.hint().unwrap(), format!("mkdir -p -- '{}'", missing.display()));
    }

    #[test]
    fn a_check_finds_what_opening_would_and_touches_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        assert!(check_target(&Target::Append(path.clone())).is_ok());
        assert!(!path.exists());
        fs::write(&path, "kept").unwrap();
        assert!(check_target(&Target::Replace(path.clone())).is_ok());
        assert_eq!(fs::read(&path).unwrap(), b"kept");
        let folder_target = Target::Replace(folder.path().into());
        assert!(matches!(check_target(&folder_target), Err(OutputError::IsFolder(_))));
        let missing = Target::Append(folder.path().join("none/out.jsonl"));
        assert!(matches!(check_target(&missing), Err(OutputError::FolderMissing { .. })));
        assert!(check_target(&Target::Append("/dev/null".into())).is_ok());
    }

    #[test]
    fn words_of_commands_are_quoted_only_if_they_must_be() {
        assert_eq!(quoted("out/a-b.c"), "out/a-b.c");
        assert_eq!(quoted("it's"), r"-- 'it'\''s'");
        assert_eq!(quoted("-x"), "-- '-x'");
    }

    #[test]
    fn a_folder_is_no_target() {
        let folder = tempfile::tempdir().unwrap();
        for target in [Target::Append(folder.path().into()), Target::Replace(folder.path().into())] {
            assert!(matches!(error(&target), OutputError::IsFolder(_)));
        }
    }

    #[test]
    fn a_file_in_the_place_of_the_folder_is_said_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = error(&Target::Append(folder.path().join("file/pages.jsonl")));
        assert!(
            matches!(error, OutputError::Open { cause, .. } if cause.kind() == io::ErrorKind::NotADirectory)
        );
    }

    #[test]
    fn an_empty_path_is_an_error() {
        assert!(matches!(error(&Target::Append("".into())), OutputError::Open { .. }));
    }

    #[test]
    fn the_system_s_reasons_have_hints() {
        let hint = |kind: io::ErrorKind| OutputError::write("x", kind.into()).hint();
        assert!(hint(io::ErrorKind::StorageFull).is_some());
        assert!(hint(io::ErrorKind::ReadOnlyFilesystem).is_some());
        assert!(hint(io::ErrorKind::PermissionDenied).is_some());
        assert_eq!(hint(io::ErrorKind::BrokenPipe), None);
    }

    #[test]
    fn what_another_writer_added_is_not_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let mut ours = open(&Target::Append(path.clone())).unwrap().file;
        ours.write_all(b"whole\nha").unwrap();
        open(&Target::Append(path.clone())).unwrap().file.write_all(b"other\n").unwrap();
        ours.take_back(2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhaother\n");
    }

    #[test]
    fn the_end_of_a_regular_file_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own");
        fs::write(&path, "old\n").unwrap();
        let mut file = open(&Target::Append(path.clone())).unwrap().file;
        file.write_all(b"new\nha").unwrap();
        file.take_back(2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\nnew\n");
    }
}
