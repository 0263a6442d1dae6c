//! Last in, first out: the top in memory, segments below it.

use std::collections::VecDeque;

use super::BacklogError;
use super::segments::{Segment, Segments};
use crate::model::Request;

/// Requests, the next one last.
#[derive(Default)]
pub(super) struct Stack {
    /// Below the top; the last is read back first.
    spilled: Vec<Segment>,
    /// A deque, since it is written out from below.
    top: VecDeque<Request>,
}

impl Stack {
    pub(super) fn push(&mut self, request: Request) {
        self.top.push_back(request);
    }

    /// Makes sure that the newest request is at hand; gives how many came into memory.
    pub(super) fn fill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        let Some(segment) = self.spilled.last().filter(|_| self.top.is_empty()) else { return Ok(0) };
        self.top = segments.read(segment)?.into();
        self.spilled.pop().into_iter().for_each(|segment| segments.free(segment));
        Ok(self.top.len())
    }

    /// The newest request, after [`fill`](Stack::fill).
    pub(super) fn top(&self) -> Option<&Request> {
        self.top.back()
    }

    /// Takes the newest request, after [`fill`](Stack::fill).
    pub(super) fn pop(&mut self) -> Option<Request> {
        self.top.pop_back()
    }

    /// Writes out a segment from below; gives how many requests left memory.
    pub(super) fn spill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        let segment = segments.write(self.top.iter())?;
        let written = segment.requests();
        self.top.drain(..written);
        self.spilled.push(segment);
        Ok(written)
    }
}
