//! Memory for sets of nodes, used again and again.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};

use crate::html::Place;

/// Buffers that nobody uses at the moment.
#[derive(Default)]
pub(super) struct Pool(RefCell<Vec<Vec<Place>>>);

impl Pool {
    /// An empty buffer, which comes back when it is dropped.
    pub(super) fn buffer(&self) -> Buffer<'_> {
        let places = self.0.borrow_mut().pop().unwrap_or_default();
        Buffer { places, pool: self }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.borrow().len()
    }
}

pub(super) struct Buffer<'p> {
    places: Vec<Place>,
    pool: &'p Pool,
}

impl Drop for Buffer<'_> {
    fn drop(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        places.clear();
        self.pool.0.borrow_mut().push(places);
    }
}

impl Deref for Buffer<'_> {
    type Target = Vec<Place>;

    fn deref(&self) -> &Vec<Place> {
        &self.places
    }
}

impl DerefMut for Buffer<'_> {
    fn deref_mut(&mut self) -> &mut Vec<Place> {
        &mut self.places
    }
}
