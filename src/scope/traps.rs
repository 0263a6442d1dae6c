//! Places that make ever new URLs, found by counting over the whole run. What of it outlives the process is `memory`'s.

mod memory;

use std::hash::{BuildHasher, Hasher, RandomState};

use rustc_hash::FxHashMap;
use siphasher::sip::SipHasher13;
use url::{Position, Url};

use super::shape::Shaper;
use super::tally::Tally;
use super::{LeftOut, ScopePolicy};

/// As many shapes, and as many queries, are counted at the same time: 4 MB each.
const COUNTED: usize = 200_000;

/// As many shapes that were cut are named and never forgotten.
const NAMED: usize = 1000;

/// As many orders of one query are fetched: one, and two others. Links that people write have one; a page that adds its
/// own filters to the query it was asked with makes them all.
const ORDERS: u64 = 3;

/// Counts pages per shape and orders per query. One per run.
///
/// A shape is host and path with numbers as `N`, hexadecimal and what looks random as `H`, and the names in the query,
/// sorted. So a calendar is one shape, and so are all values of a filter or session id.
///
/// Memory ends at about 10 MB whatever a site makes up: beyond 200,000 shapes the rarer half is counted anew. That errs
/// on the side of fetching. A site that makes up words no one can count; there `--max-pages` and `--level` are the limit.
#[derive(Debug)]
pub struct Traps {
    max_per_shape: u64,
    shaper: Shaper,
    /// Its key is drawn by chance, so that no page can make two shapes one.
    hash: SipHasher13,
    shapes: Tally,
    queries: Tally,
    /// Shapes of which enough has been fetched, by their hash: their places in `cut`.
    full: FxHashMap<u64, usize>,
    cut: Vec<(String, u64)>,
    /// What of `cut` and the key has changed since somebody asked; `None` if nobody ever does.
    changes: Option<memory::Changes>,
}

impl Traps {
    /// Nothing counted yet.
    pub fn new(policy: &ScopePolicy) -> Traps {
        Traps {
            max_per_shape: policy.max_per_shape,
            shaper: Shaper::default(),
            hash: SipHasher13::new_with_keys(by_chance(), by_chance()),
            shapes: Tally::new(COUNTED),
            queries: Tally::new(COUNTED),
            full: FxHashMap::default(),
            cut: Vec::new(),
            changes: None,
        }
    }

    /// Counts a normalised URL, and says whether it is to be fetched. Every URL is to come once only: after it has been
    /// found to be new.
    ///
    /// # Errors
    /// [`LeftOut::QueryPermutation`] or [`LeftOut::TooManyOfShape`].
    pub fn admit(&mut self, url: &Url) -> Result<(), LeftOut> {
        if let Some(query) = self.query_in_any_order(url)
            && self.queries.add(query) > ORDERS
        {
            return Err(LeftOut::QueryPermutation);
        }
        let shape = self.shaper.shape(url);
        let key = self.hash.hash(shape.as_bytes());
        if let Some(&at) = self.full.get(&key) {
            self.cut[at].1 += 1;
            if let Some(changes) = &mut self.changes {
                changes.note_cut(at, key);
            }
            return Err(LeftOut::TooManyOfShape);
        }
        if self.shapes.add(key) <= self.max_per_shape {
            return Ok(());
        }
        if self.cut.len() < NAMED {
            if let Some(changes) = &mut self.changes {
                changes.note_cut(self.cut.len(), key);
            }
            self.full.insert(key, self.cut.len());
            self.cut.push((shape.to_owned(), 1));
        }
        Err(LeftOut::TooManyOfShape)
    }

    /// The shapes of which pages were left out, like `http://h/cal/N/N?month`, and how many; in the order in which they
    /// were first cut, at most 1,000. Percent-encoded as URLs are, so safe on a terminal.
    pub fn shapes_cut(&self) -> impl Iterator<Item = (&str, u64)> {
        self.cut.iter().map(|(shape, count)| (&**shape, *count))
    }

    /// A hash of the URL that is the same for every order of its query; `None` if there is only one. A sum of keyed
    /// hashes: it needs no sorting, and without the key nobody can make two that agree.
    fn query_in_any_order(&self, url: &Url) -> Option<u64> {
        let query = url.query().filter(|query| query.contains('&'))?;
        let hash = |text: &str| self.hash.hash(text.as_bytes());
        let page = hash(&url[..Position::AfterPath]);
        Some(query.split('&').fold(page, |sum, part| sum.wrapping_add(hash(part))))
    }
}

/// 64 bits that nobody outside can guess.
fn by_chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traps(max_per_shape: u64) -> Traps {
        Traps::new(&ScopePolicy { max_per_shape, ..ScopePolicy::default() })
    }

    fn admit(traps: &mut Traps, url: &str) -> Result<(), LeftOut> {
        traps.admit(&Url::parse(url).unwrap())
    }

    #[test]
    fn a_calendar_ends() {
        let mut traps = traps(3);
        for day in 1..=5 {
            let expected = if day <= 3 { Ok(()) } else { Err(LeftOut::TooManyOfShape) };
            assert_eq!(admit(&mut traps, &format!("http://h/cal/2026/{day}?month={day}")), expected);
        }
        assert_eq!(admit(&mut traps, "http://h/cal/2026"), Ok(()));
        assert_eq!(admit(&mut traps, "http://other/cal/2026/1?month=1"), Ok(()));
        assert_eq!(traps.shapes_cut().collect::<Vec<_>>(), [("http://h/cal/N/N?month", 2)]);
    }

    #[test]
    fn a_query_is_fetched_in_three_orders() {
        let mut traps = traps(100);
        for (order, query) in ["a=1&b=2&c", "b=2&a=1&c", "c&a=1&b=2", "c&b=2&a=1"].iter().enumerate() {
            let expected = if order < 3 { Ok(()) } else { Err(LeftOut::QueryPermutation) };
            assert_eq!(admit(&mut traps, &format!("http://h/?{query}")), expected);
        }
        // Other values, another page, and a part twice are other queries.
        for url in ["http://h/?a=2&b=1&c", "http://h/x?c&b=2&a=1", "http://h/?c&c&b=2&a=1"] {
            assert_eq!(admit(&mut traps, url), Ok(()), "{url}");
        }
        assert_eq!(traps.shapes_cut().count(), 0);
    }

    #[test]
    fn session_ids_make_no_new_pages_for_ever() {
        let mut traps = traps(2);
        let ids = ["0A1B2C3D4E5F6071", "9F8E7D6C5B4A3928", "11AA22BB33CC44DD"];
        for (at, id) in ids.iter().enumerate() {
            let expected = if at < 2 { Ok(()) } else { Err(LeftOut::TooManyOfShape) };
            assert_eq!(admit(&mut traps, &format!("http://h/a;jsessionid={id}")), expected);
            assert_eq!(admit(&mut traps, &format!("http://h/a?PHPSESSID={id}")), expected);
        }
    }

    #[test]
    fn the_names_of_cut_shapes_are_bounded() {
        let mut traps = traps(0);
        for at in 0..NAMED + 10 {
            let word: String = format!("{at}").bytes().map(|digit| char::from(digit + b'q' - b'0')).collect();
            assert_eq!(admit(&mut traps, &format!("http://h/{word}")), Err(LeftOut::TooManyOfShape));
        }
        assert_eq!(traps.shapes_cut().count(), NAMED);
    }
}
