//! The elements that the gate of `depth` left out and whose end tags are still to come.
//!
//! They are known by name only. Each question takes the same time however many there are.

use html5ever::{LocalName, local_name};
use rustc_hash::FxHashMap;

/// Names of dropped start tags whose end tags have not come.
#[derive(Default)]
pub(super) struct Dropped {
    names: Vec<LocalName>,
    counts: FxHashMap<LocalName, usize>,
}

impl Dropped {
    pub(super) fn push(&mut self, name: LocalName) {
        *self.counts.entry(name.clone()).or_default() += 1;
        self.names.push(name);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether an end tag of that name belongs to a dropped element; closes it and those in it.
    pub(super) fn close(&mut self, name: &LocalName) -> bool {
        if self.counts.get(name).is_none_or(|&count| count == 0) {
            return false;
        }
        while let Some(closed) = self.names.pop() {
            if let Some(count) = self.counts.get_mut(&closed) {
                *count -= 1;
            }
            if closed == *name {
                break;
            }
        }
        true
    }

    /// Whether one of them is the root of SVG or MathML.
    pub(super) fn is_foreign(&self) -> bool {
        [local_name!("svg"), local_name!("math")]
            .iter()
            .any(|name| self.counts.get(name).is_some_and(|&count| count > 0))
    }

    /// Forgets them all: an element around them was closed.
    pub(super) fn clear(&mut self) {
        if !self.names.is_empty() {
            self.names.clear();
            self.counts.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(names: &[&str]) -> Dropped {
        let mut dropped = Dropped::default();
        names.iter().for_each(|&name| dropped.push(LocalName::from(name)));
        dropped
    }

    #[test]
    fn an_end_tag_closes_the_innermost_of_its_name_and_what_is_in_it() {
        let mut dropped = dropped(&["div", "div", "span", "b"]);
        assert!(dropped.close(&local_name!("div")));
        assert!(!dropped.close(&local_name!("span")), "closed with the div around it");
        assert!(dropped.close(&local_name!("div")));
        assert!(dropped.is_empty());
        assert!(!dropped.close(&local_name!("div")));
    }

    #[test]
    fn a_name_that_is_not_there_closes_nothing() {
        let mut dropped = dropped(&["div"]);
        assert!(!dropped.close(&local_name!("p")));
        assert!(dropped.close(&local_name!("div")));
    }

    #[test]
    fn foreign_roots_are_seen_until_they_are_closed() {
        let mut dropped = dropped(&["svg", "g"]);
        assert!(dropped.is_foreign());
        assert!(dropped.close(&local_name!("svg")));
        assert!(!dropped.is_foreign());
        dropped.push(local_name!("math"));
        dropped.clear();
        assert!(!dropped.is_foreign());
    }
}
