//! A position that is not on the disk yet, and how it gets there: on whatever thread has time for it.
//!
//! Owns handles of its own, so that writing goes on meanwhile.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::OutputError;
use super::position::Position;
use crate::folders::{folder_of, sync_folder};

/// A position, with handles to the files that were written since the last one.
#[derive(Debug, Default)]
pub struct Mark {
    pub(super) position: Position,
    /// Parts that were finished since the last mark.
    pub(super) finished: Vec<(Arc<File>, PathBuf)>,
    /// The file that the position is in; `None` if it is not one that could be cut back.
    pub(super) current: Option<(Arc<File>, PathBuf)>,
    /// The current file was written since the last mark.
    pub(super) is_dirty: bool,
    /// A file was made since the last mark.
    pub(super) is_made: bool,
}

impl Mark {
    /// What may be kept once [`Mark::sync`] was successful.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Waits until all up to the position is on the disk, and looks whether the path still leads to that file. May be
    /// called on another thread, while writing goes on. For what is no file of ours to cut (standard output, devices,
    /// FIFOs) it does nothing. Every mark has to be synced, or a later position may be ahead of the disk.
    ///
    /// Parts that are finished may have been taken away by whoever waits for them.
    ///
    /// # Errors
    /// When the disk refuses, or the file was removed, renamed or cut by somebody else. Not to be tried again: after a
    /// failed fsync the system may have dropped what it could not write.
    pub fn sync(&self) -> Result<(), OutputError> {
        for (file, path) in &self.finished {
            file.sync_data().map_err(failed(path))?;
        }
        let Some((file, path)) = &self.current else { return Ok(()) };
        if self.is_dirty {
            file.sync_data().map_err(failed(path))?;
        }
        if self.is_made {
            let folder = folder_of(path);
            sync_folder(folder).map_err(failed(folder))?;
        }
        self.check(file, path)
    }

    /// Whether the path leads to the file, and the file holds all up to the position.
    fn check(&self, file: &File, path: &Path) -> Result<(), OutputError> {
        let ours = file.metadata().map_err(failed(path))?;
        let there = match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(OutputError::Removed(path.into()));
            }
            there => there.map_err(failed(path))?,
        };
        if (ours.dev(), ours.ino()) != (there.dev(), there.ino()) {
            return Err(OutputError::Removed(path.into()));
        }
        let (length, expected) = (there.len(), self.position.end.length);
        match length < expected {
            true => Err(OutputError::Cut { path: path.into(), length, expected }),
            false => Ok(()),
        }
    }
}

fn failed(path: &Path) -> impl Fn(io::Error) -> OutputError {
    move |cause| OutputError::Sync { path: path.into(), cause }
}

#[cfg(test)]
#[path = "mark_tests.rs"]
mod tests;
