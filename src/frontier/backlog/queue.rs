//! First in, first out: the two ends in memory, segments between them.

use std::collections::VecDeque;

use super::BacklogError;
use super::segments::{Segment, Segments};
use crate::model::Request;

/// Requests of one priority.
#[derive(Default)]
pub(super) struct Queue {
    /// The oldest: not more than a segment of them, so that the others can be written out whole.
    head: VecDeque<Request>,
    /// Older than the tail.
    spilled: VecDeque<Segment>,
    /// The newest.
    tail: VecDeque<Request>,
}

impl Queue {
    pub(super) fn push(&mut self, request: Request) {
        self.tail.push_back(request);
    }

    /// Makes sure that the oldest request is at hand; gives how many came into memory.
    pub(super) fn fill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        if !self.head.is_empty() {
            return Ok(0);
        }
        match self.spilled.front() {
            Some(segment) => {
                self.head = segments.read(segment)?.into();
                self.spilled.pop_front().into_iter().for_each(|segment| segments.free(segment));
                Ok(self.head.len())
            }
            None => {
                let many = segments.at_most().min(self.tail.len());
                self.head.extend(self.tail.drain(..many));
                Ok(0)
            }
        }
    }

    /// The oldest request, after [`fill`](Queue::fill).
    pub(super) fn front(&self) -> Option<&Request> {
        self.head.front()
    }

    /// Takes the oldest request, after [`fill`](Queue::fill).
    pub(super) fn pop(&mut self) -> Option<Request> {
        self.head.pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.head.is_empty() && self.spilled.is_empty() && self.tail.is_empty()
    }

    /// How many requests are in memory.
    pub(super) fn held(&self) -> usize {
        self.head.len() + self.tail.len()
    }

    /// Whether what would be written out first is a whole segment.
    pub(super) fn fills(&self, segment: usize) -> bool {
        self.tail.len() >= segment
    }

    /// Writes out a segment; gives how many requests left memory.
    pub(super) fn spill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        if self.fills(segments.at_most()) || self.tail.len() >= self.head.len() {
            let segment = segments.write(self.tail.iter())?;
            let written = segment.requests();
            self.tail.drain(..written);
            self.spilled.push_back(segment);
            return Ok(written);
        }
        self.spill_head(segments)
    }

    /// Only where there are so many priorities that their heads alone fill the window.
    fn spill_head(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        let mut written = 0;
        let mut parts = vec![];
        while written < self.head.len() {
            match segments.write(self.head.range(written..)) {
                Ok(segment) => {
                    written += segment.requests();
                    parts.push(segment);
                }
                Err(error) => {
                    parts.into_iter().for_each(|part| segments.free(part));
                    return Err(error);
                }
            }
        }
        self.head = VecDeque::new();
        parts.into_iter().rev().for_each(|part| self.spilled.push_front(part));
        Ok(written)
    }
}
