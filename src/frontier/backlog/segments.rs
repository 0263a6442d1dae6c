//! Requests that are written out and read back together.
//!
//! Brings requests as bytes (`wire`) and the file (`scratch`) together. Does not know the order of segments.

use super::BacklogError;
use super::scratch::{Extent, Scratch};
use crate::model::Request;
use crate::wire::requests;

/// A segment has so many requests at most: enough that a disk is not asked often, few enough that reading one takes no
/// time that anybody would notice.
const MOST: usize = 1024;

/// One in the file.
#[derive(Debug)]
pub(super) struct Segment {
    extent: Extent,
    requests: u32,
}

impl Segment {
    pub(super) fn requests(&self) -> usize {
        self.requests as usize
    }
}

/// The segments in the file.
pub(super) struct Segments {
    scratch: Scratch,
    /// Bytes on their way; kept, since it is needed again and again.
    buffer: Vec<u8>,
    at_most: usize,
}

impl Segments {
    /// Segments of `at_most` requests, within reason.
    pub(super) fn new(scratch: Scratch, at_most: usize) -> Segments {
        Segments { scratch, buffer: vec![], at_most: at_most.clamp(1, MOST) }
    }

    /// How many requests a segment has at most.
    pub(super) fn at_most(&self) -> usize {
        self.at_most
    }

    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.scratch.len()
    }

    /// Writes the first of `requests`: not all, if they are large or many, but one at least.
    pub(super) fn write<'a>(
        &mut self,
        requests: impl Iterator<Item = &'a Request>,
    ) -> Result<Segment, BacklogError> {
        self.buffer.clear();
        let written = requests::encode(requests.take(self.at_most), &mut self.buffer);
        match self.scratch.write(&self.buffer) {
            Ok(extent) => Ok(Segment { extent, requests: u32::try_from(written).expect("at most 1,024") }),
            Err(reason) => Err(BacklogError::Write { folder: self.scratch.folder().to_owned(), reason }),
        }
    }

    /// Reads a segment, which stays where it is.
    pub(super) fn read(&mut self, segment: &Segment) -> Result<Vec<Request>, BacklogError> {
        if let Err(reason) = self.scratch.read(&segment.extent, &mut self.buffer) {
            return Err(BacklogError::Read { folder: self.scratch.folder().to_owned(), reason });
        }
        match requests::decode(&self.buffer) {
            Some(requests) if requests.len() == segment.requests() => Ok(requests),
            _ => Err(BacklogError::Damaged { folder: self.scratch.folder().to_owned() }),
        }
    }

    /// Gives up its place in the file.
    pub(super) fn free(&mut self, segment: Segment) {
        self.scratch.free(segment.extent);
    }
}
