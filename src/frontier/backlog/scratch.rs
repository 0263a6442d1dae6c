//! The temporary file: bytes are put into it and taken out again by their place.
//!
//! Keeps account of which parts of the file are in use, and knows nothing of what is in them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Places are multiples of this, so that a part that came free fits the next one that is about as large.
const GRAIN: u64 = 512;

/// What the bytes are written to.
pub(super) trait Medium: Send {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()>;
    /// Forgets all that was written.
    fn clear(&mut self) -> io::Result<()>;
}

impl Medium for File {
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.write_all(bytes)
    }

    fn read_at(&mut self, at: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(at))?;
        self.read_exact(bytes)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.set_len(0)
    }
}

/// A part of the file that is in use.
#[derive(Debug)]
pub(super) struct Extent {
    at: u64,
    bytes: usize,
}

impl Extent {
    fn room(&self) -> u64 {
        room(self.bytes)
    }
}

fn room(bytes: usize) -> u64 {
    (bytes as u64).next_multiple_of(GRAIN)
}

/// The file, made when it is first written to.
pub(super) struct Scratch {
    folder: PathBuf,
    medium: Option<Box<dyn Medium>>,
    /// Parts that are free, with their length; no two of them touch, and none is at the end.
    free: BTreeMap<u64, u64>,
    end: u64,
}

impl Scratch {
    /// A file in `folder`.
    pub(super) fn new(folder: PathBuf) -> Scratch {
        Scratch { folder, medium: None, free: BTreeMap::new(), end: 0 }
    }

    /// Something else in place of a file.
    #[cfg(test)]
    pub(super) fn on(medium: Box<dyn Medium>) -> Scratch {
        Scratch { medium: Some(medium), ..Scratch::new(PathBuf::from("nowhere")) }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many bytes it reaches over.
    pub(super) fn len(&self) -> u64 {
        self.end
    }

    /// Writes `bytes` to a place of their own.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<Extent> {
        let medium = match &mut self.medium {
            Some(medium) => medium,
            None => self.medium.insert(Box::new(tempfile::tempfile_in(&self.folder)?)),
        };
        let found = self.free.iter().find(|(_, free)| **free >= room(bytes.len()));
        let extent = Extent { at: found.map_or(self.end, |(at, _)| *at), bytes: bytes.len() };
        // The place is taken after it was written, so that a fault leaves the account as it was.
        medium.write_at(extent.at, bytes)?;
        match self.free.remove(&extent.at) {
            Some(free) if free > extent.room() => {
                self.free.insert(extent.at + extent.room(), free - extent.room());
            }
            Some(_) => {}
            None => self.end += extent.room(),
        }
        Ok(extent)
    }

    /// Puts the bytes of `extent` into `bytes`, in place of what is in there.
    pub(super) fn read(&mut self, extent: &Extent, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        bytes.resize(extent.bytes, 0);
        match &mut self.medium {
            Some(medium) => medium.read_at(extent.at, bytes),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Makes a part free again.
    #[expect(clippy::needless_pass_by_value, reason = "nobody is to read it any more")]
    pub(super) fn free(&mut self, extent: Extent) {
        let (mut at, mut room) = (extent.at, extent.room());
        if let Some(after) = self.free.remove(&(at + room)) {
            room += after;
        }
        if let Some((&before, &length)) = self.free.range(..at).next_back()
            && before + length == at
        {
            self.free.remove(&before);
            at = before;
            room += length;
        }
        if at + room < self.end {
            self.free.insert(at, room);
            return;
        }
        self.end = at;
        if self.end == 0
            && let Some(medium) = &mut self.medium
        {
            // It only costs room on the disk if the system does not want to.
            let _ = medium.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_free_is_used_again() {
        let mut scratch = Scratch::new(std::env::temp_dir());
        let [a, b, c, d] = [1, 2, 3, 4].map(|part: u8| scratch.write(&[part; 1000]).unwrap());
        assert_eq!((a.at, b.at, c.at, d.at, scratch.len()), (0, 1024, 2048, 3072, 4096));
        scratch.free(b);
        scratch.free(c);
        // The two lie side by side, and are one part of 2,048 bytes now.
        let e = scratch.write(&[5; 1500]).unwrap();
        assert_eq!((e.at, scratch.len()), (1024, 4096));
        let f = scratch.write(&[6; 512]).unwrap();
        assert_eq!((f.at, scratch.len()), (2560, 4096));
        let mut bytes = vec![];
        for (extent, part) in [(&a, 1), (&d, 4), (&e, 5), (&f, 6)] {
            scratch.read(extent, &mut bytes).unwrap();
            assert_eq!(bytes, vec![part; extent.bytes]);
        }
        scratch.free(d);
        assert_eq!(scratch.len(), 3072);
        [a, f, e].into_iter().for_each(|extent| scratch.free(extent));
        assert_eq!((scratch.len(), scratch.free.len()), (0, 0));
    }
}
