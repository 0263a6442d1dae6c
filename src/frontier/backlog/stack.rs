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
    /// In what will be segments if it is written out, which is done from below. None is empty.
    top: VecDeque<Vec<Request>>,
}

impl Stack {
    /// Adds a request. A segment has `segment` of them.
    pub(super) fn push(&mut self, request: Request, segment: usize) {
        match self.top.back_mut() {
            Some(last) if last.len() < segment => last.push(request),
            _ => self.top.push_back(vec![request]),
        }
    }

    /// Makes sure that the newest request is at hand; gives how many came into memory.
    pub(super) fn fill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        let Some(segment) = self.spilled.last().filter(|_| self.top.is_empty()) else { return Ok(0) };
        let requests = segments.read(segment)?;
        let read = requests.len();
        self.top.push_back(requests);
        self.spilled.pop().into_iter().for_each(|segment| segments.free(segment));
        Ok(read)
    }

    /// The newest request, after [`fill`](Stack::fill).
    pub(super) fn top(&self) -> Option<&Request> {
        self.top.back()?.last()
    }

    /// Takes the newest request, after [`fill`](Stack::fill).
    pub(super) fn pop(&mut self) -> Option<Request> {
        let last = self.top.back_mut()?;
        let popped = last.pop();
        if last.is_empty() {
            self.top.pop_back();
        }
        popped
    }

    /// Writes out a segment from below; gives how many requests left memory.
    pub(super) fn spill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        let Some(first) = self.top.front_mut() else { return Ok(0) };
        let segment = segments.write(first.iter())?;
        let written = segment.requests();
        first.drain(..written);
        if first.is_empty() {
            self.top.pop_front();
        }
        self.spilled.push(segment);
        Ok(written)
    }
}
