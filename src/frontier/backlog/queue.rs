//! First in, first out: the two ends in memory, segments between them.

use std::collections::VecDeque;

use super::BacklogError;
use super::segments::{Segment, Segments};
use crate::model::Request;

/// Requests of one priority.
#[derive(Default)]
pub(super) struct Queue {
    /// The oldest: not more than a segment of them.
    head: VecDeque<Request>,
    /// Older than the tail.
    spilled: VecDeque<Segment>,
    /// The newest, in what will be segments. One long deque would have to be copied whenever it grows, and half of it
    /// would be free.
    tail: VecDeque<Vec<Request>>,
    /// How many requests the tail has.
    tail_len: usize,
}

impl Queue {
    /// Adds a request. A segment has `segment` of them.
    pub(super) fn push(&mut self, request: Request, segment: usize) {
        match self.tail.back_mut() {
            Some(last) if last.len() < segment => last.push(request),
            _ => self.tail.push_back(vec![request]),
        }
        self.tail_len += 1;
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
                self.head = self.tail.pop_front().unwrap_or_default().into();
                self.tail_len -= self.head.len();
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
        self.head.len() + self.tail_len
    }

    /// Whether what would be written out first is a whole segment.
    pub(super) fn fills(&self, segment: usize) -> bool {
        self.tail_len >= segment
    }

    /// Writes out a segment; gives how many requests left memory.
    pub(super) fn spill(&mut self, segments: &mut Segments) -> Result<usize, BacklogError> {
        match self.tail.front_mut() {
            Some(first) if self.tail_len >= self.head.len().min(segments.at_most()) => {
                let segment = segments.write(first.iter())?;
                let written = segment.requests();
                first.drain(..written);
                if first.is_empty() {
                    self.tail.pop_front();
                }
                self.tail_len -= written;
                self.spilled.push_back(segment);
                Ok(written)
            }
            _ => self.spill_head(segments),
        }
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
