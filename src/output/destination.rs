//! Where lines go: the target as a job names it, and what a place for bytes must be able to do.
//!
//! A destination is an open file: a regular one, a device, a FIFO, or what standard output is connected to
//! ([`super::sink`]); in tests, a disk that is full after some bytes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::compress::Compression;
use super::error::OutputError;
use super::parts::PartNames;

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Standard output.
    Stdout,
    /// Behind what the file holds; it is made if it is missing.
    Append(PathBuf),
    /// Instead of what the file holds; it is made if it is missing.
    Replace(PathBuf),
    /// Into one file after the other.
    Parts(Parts),
}

/// An output in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// What the files are called.
    pub names: PartNames,
    /// No file gets longer than this, unless a single line is.
    pub most_bytes: u64,
    /// Begin with the first part and remove those that are there; if not, begin behind all that are there.
    pub replaces: bool,
}

impl Target {
    /// How the name says that the output is compressed.
    pub fn compression(&self) -> Option<Compression> {
        match self {
            Target::Stdout => None,
            Target::Append(path) | Target::Replace(path) => Compression::of(path),
            Target::Parts(parts) => Compression::of(&parts.names.path(1)),
        }
    }

    /// The file, or what stands for all its parts; `None` for standard output.
    pub fn place(&self) -> Option<PathBuf> {
        match self {
            Target::Stdout => None,
            Target::Append(path) | Target::Replace(path) => Some(path.clone()),
            Target::Parts(parts) => Some(parts.names.pattern()),
        }
    }

    /// The file of a part; `None` for standard output.
    pub(super) fn path(&self, part: u64) -> Option<PathBuf> {
        match self {
            Target::Stdout => None,
            Target::Append(path) | Target::Replace(path) => Some(path.clone()),
            Target::Parts(parts) => Some(parts.names.path(part)),
        }
    }
}

impl Parts {
    /// The number of the part that a run begins with, and those that are to be removed before.
    pub(super) fn first(&self) -> Result<(u64, Vec<u64>), OutputError> {
        let folder = self.names.folder();
        let existing = self.names.existing().map_err(|cause| OutputError::open(folder, cause))?;
        if !self.replaces {
            return Ok((existing.last().map_or(1, |last| last.saturating_add(1)), Vec::new()));
        }
        match (1..).zip(&existing).find(|(expected, found)| expected != *found) {
            Some((missing, &found)) => Err(OutputError::PartsWithGap {
                found: self.names.path(found),
                missing: self.names.path(missing),
            }),
            None => Ok((1, existing)),
        }
    }
}

/// Something lines are written to.
pub(super) trait Destination: Write {
    /// Tries to remove the last `bytes` bytes written. Where that is impossible they stay.
    fn take_back(&mut self, bytes: u64);

    /// So many bytes have room before [`Destination::next_part`]; `None` if nothing else could have more.
    fn room(&self) -> Option<u64> {
        None
    }

    /// So many bytes have room in a part of their own.
    fn most(&self) -> u64 {
        u64::MAX
    }

    /// Begins a part, if there are any.
    fn next_part(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Only a regular file can be cut, and only while our bytes are its last: another writer's are not ours to take.
pub(super) fn take_back(mut file: &File, bytes: u64) {
    let Ok(metadata) = file.metadata() else { return };
    let Ok(position) = file.stream_position() else { return };
    if metadata.is_file() && position == metadata.len() && bytes <= position {
        // Failing leaves the half line, which is what there was without trying.
        let _ = file.set_len(position - bytes);
        let _ = file.seek(SeekFrom::Start(position - bytes));
    }
}

/// Every write goes to the end, so that two runs into one file do not write over each other.
pub(super) fn open_to_append(path: &Path) -> Result<File, OutputError> {
    OpenOptions::new().append(true).create(true).open(path).map_err(|cause| OutputError::open(path, cause))
}

/// Finds out whether the target could be opened, and leaves everything as it was: so that a job's wrong output is told
/// with its other mistakes, before anything is emptied.
///
/// # Errors
/// As for opening.
pub fn check_target(target: &Target) -> Result<(), OutputError> {
    let path = match target {
        Target::Stdout => return Ok(()),
        Target::Append(path) | Target::Replace(path) => path,
        Target::Parts(parts) => &parts.names.path(parts.first()?.0),
    };
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

#[cfg(test)]
mod tests {
    use super::super::sink::Sink;
    use super::*;

    fn error(target: &Target) -> OutputError {
        Sink::open(target).expect_err("this target cannot be opened")
    }

    #[test]
    fn a_missing_folder_is_named_with_the_command_that_makes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("my out/pages.jsonl");
        let error = error(&Target::Append(path));
        let missing = folder.path().join("my out");
        assert!(matches!(&error, OutputError::FolderMissing { folder, .. } if *folder == missing));
        assert_eq!(error.hint().unwrap(), format!("mkdir -p '{}'", missing.display()));
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
    fn what_another_writer_added_is_not_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let mut ours = open_to_append(&path).unwrap();
        ours.write_all(b"whole\nha").unwrap();
        open_to_append(&path).unwrap().write_all(b"other\n").unwrap();
        take_back(&ours, 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "whole\nhaother\n");
    }

    #[test]
    fn the_end_of_a_regular_file_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("own");
        fs::write(&path, "old\n").unwrap();
        let mut file = open_to_append(&path).unwrap();
        file.write_all(b"new\nha").unwrap();
        take_back(&file, 2);
        assert_eq!(fs::read_to_string(&path).unwrap(), "old\nnew\n");
    }
}
