//! Counts of many things in memory that has a limit.

use rustc_hash::FxHashMap;

/// How often each key was added. It is exact until there are more keys than the limit; then the rarer half is forgotten,
/// and counted anew if it comes again. So a count is never too high, and what comes often is kept however much else
/// comes between ("lossy counting", Manku and Motwani 2002).
#[derive(Debug)]
pub(super) struct Tally {
    counts: FxHashMap<u64, u64>,
    limit: usize,
    /// Keys whose count has changed since somebody asked, some more than once; `None` if nobody ever does.
    changed: Option<Vec<u64>>,
}

impl Tally {
    /// Room for `limit` keys, 20 bytes each. Keys are hashes that nobody outside can choose.
    pub(super) fn new(limit: usize) -> Tally {
        Tally { counts: FxHashMap::default(), limit, changed: None }
    }

    /// Counts one more, and says how many there were with it.
    pub(super) fn add(&mut self, key: u64) -> u64 {
        if self.counts.len() >= self.limit && !self.counts.contains_key(&key) {
            self.forget_the_rarer_half();
        }
        if let Some(changed) = &mut self.changed {
            changed.push(key);
        }
        let count = self.counts.entry(key).or_insert(0);
        *count = count.saturating_add(1);
        *count
    }

    /// That costs as much as the counts since the last time did, so what is noted of it does too.
    fn forget_the_rarer_half(&mut self) {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        let middle = counts.len() / 2;
        let (_, &mut median, _) = counts.select_nth_unstable(middle);
        let changed = &mut self.changed;
        self.counts.retain(|&key, count| {
            let stays = *count > median;
            if let Some(changed) = changed.as_mut().filter(|_| !stays) {
                changed.push(key);
            }
            stays
        });
    }

    /// From now on, what changes is noted until it is asked for.
    pub(super) fn note_changes(&mut self) {
        self.changed.get_or_insert_default();
    }

    /// The counts that have changed since the last time, `None` for what was forgotten. Each key comes once.
    pub(super) fn take_changes(&mut self) -> impl Iterator<Item = (u64, Option<u64>)> {
        let mut changed = self.changed.as_mut().map(std::mem::take).unwrap_or_default();
        changed.sort_unstable();
        changed.dedup();
        changed.into_iter().map(|key| (key, self.counts.get(&key).copied()))
    }

    /// Puts back a count as it was once told; `false` if there cannot have been so many.
    pub(super) fn restore(&mut self, key: u64, count: u64) -> bool {
        self.counts.insert(key, count);
        self.counts.len() <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

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

    #[test]
    fn what_nobody_asks_for_is_not_noted() {
        let mut tally = Tally::new(10);
        tally.add(1);
        assert_eq!(tally.take_changes().count(), 0);
        tally.note_changes();
        tally.add(2);
        tally.add(2);
        assert_eq!(tally.take_changes().collect::<Vec<_>>(), [(2, Some(2))]);
        assert_eq!(tally.take_changes().count(), 0);
    }

    proptest! {
        #[test]
        fn whoever_keeps_the_changes_has_the_counts(
            keys in proptest::collection::vec((0..12_u64, any::<bool>()), 0..200),
        ) {
            let mut tally = Tally::new(5);
            tally.note_changes();
            let mut kept = BTreeMap::new();
            for (key, is_asked) in keys {
                tally.add(key);
                if is_asked {
                    for (key, count) in tally.take_changes() {
                        match count {
                            Some(count) => kept.insert(key, count),
                            None => kept.remove(&key),
                        };
                    }
                    prop_assert_eq!(&kept, &tally.counts.iter().map(|(key, count)| (*key, *count)).collect());
                }
            }
        }
    }
}
