//! Counts of many things in memory that has a limit.

use rustc_hash::FxHashMap;

/// How often each key was added. It is exact until there are more keys than the limit; then the rarer half is forgotten,
/// and counted anew if it comes again. So a count is never too high, and what comes often is kept however much else
/// comes between ("lossy counting", Manku and Motwani 2002).
#[derive(Debug)]
pub(super) struct Tally {
    counts: FxHashMap<u64, u64>,
    limit: usize,
}

impl Tally {
    /// Room for `limit` keys, 20 bytes each. Keys are hashes that nobody outside can choose.
    pub(super) fn new(limit: usize) -> Tally {
        Tally { counts: FxHashMap::default(), limit }
    }

    /// Counts one more, and says how many there were with it.
    pub(super) fn add(&mut self, key: u64) -> u64 {
        if self.counts.len() >= self.limit && !self.counts.contains_key(&key) {
            self.forget_the_rarer_half();
        }
        let count = self.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    fn forget_the_rarer_half(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, &mut median, _) = counts.select_nth_unstable(middle);
        self.counts.retain(|_, count| *count > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counting_is_exact_up_to_the_limit() {
        let mut tally = Tally::new(3);
        for round in 1..=5 {
            for key in 0..3 {
                assert_eq!(tally.add(key), round);
            }
        }
    }

    #[test]
    fn what_comes_often_is_kept_among_any_number_of_others() {
        let mut tally = Tally::new(10);
        for other in 1..=10_000 {
            assert_eq!(tally.add(0), other);
            assert_eq!(tally.add(other), 1);
            assert!(tally.counts.len() <= 10);
        }
    }
}
