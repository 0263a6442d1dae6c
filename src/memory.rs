//! The words in which parts of a run say what of them is to outlive it: entries by key, and moments.
//!
//! Plain data. Where entries are kept, and when, is not known here; what they mean is known only to whoever made them.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// An entry that is new or different, or gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is found by. Each part of a run has keys of its own: two parts may have the same.
    pub key: Vec<u8>,
    /// What is to be kept; `None` if nothing is any more.
    pub value: Option<Vec<u8>>,
}

/// A moment by both clocks of a machine: the one that everything waits by, which means nothing to another process, and
/// the one that all agree on, which people set.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// By the first.
    pub instant: Instant,
    /// By the second.
    pub system: SystemTime,
}

impl Clock {
    /// What the clocks say now.
    pub fn now() -> Clock {
        Clock { instant: Instant::now(), system: SystemTime::now() }
    }

    /// Milliseconds from the beginning of 1970 to `at`, rounded up: what waits must not wait less. 0 for anything before.
    pub fn to_unix_ms(&self, at: Instant) -> u64 {
        let system = match at.checked_duration_since(self.instant) {
            Some(ahead) => self.system.checked_add(ahead),
            None => self.system.checked_sub(self.instant.duration_since(at)),
        };
        let since = system.and_then(|system| system.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
        u64::try_from(since.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }

    /// The moment that [`Clock::to_unix_ms`] told as `ms`. What is past is now, and nothing is further ahead than
    /// `longest`: the clock may have been set in the meantime, and nobody shall wait for years because of it.
    pub fn from_unix_ms(&self, ms: u64, longest: Duration) -> Instant {
        let now = self.system.duration_since(UNIX_EPOCH).unwrap_or_default();
        let ahead = Duration::from_millis(ms).saturating_sub(now).min(longest);
        self.instant.checked_add(ahead).unwrap_or(self.instant)
    }

    /// How long before now the moment was that [`Clock::to_unix_ms`] told as `ms`; nothing if it is still to come.
    pub fn since_unix_ms(&self, ms: u64) -> Duration {
        let now = self.system.duration_since(UNIX_EPOCH).unwrap_or_default();
        now.saturating_sub(Duration::from_millis(ms))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Entries, kept as simply as can be.
    pub(crate) type Kept = BTreeMap<Vec<u8>, Vec<u8>>;

    /// Keeps what has changed, and says how much that was.
    pub(crate) fn keep(changes: Vec<Change>, kept: &mut Kept) -> usize {
        let count = changes.len();
        for Change { key, value } in changes {
            match value {
                Some(value) => kept.insert(key, value),
                None => kept.remove(&key),
            };
        }
        count
    }

    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    /// A clock whose second hand is `seconds` behind the beginning of 1970.
    fn clock(seconds: u64) -> Clock {
        Clock { instant: Instant::now(), system: UNIX_EPOCH + Duration::from_secs(seconds) }
    }

    #[test]
    fn a_moment_means_the_same_to_another_process() {
        let (before, after) = (clock(1_000), clock(1_010));
        let told = before.to_unix_ms(before.instant + 30 * SECOND);
        assert_eq!(told, 1_030_000);
        assert_eq!(after.from_unix_ms(told, DAY), after.instant + 20 * SECOND);
        assert_eq!(after.since_unix_ms(before.to_unix_ms(before.instant)), 10 * SECOND);
    }

    #[test]
    fn what_is_past_is_now() {
        let (before, after) = (clock(1_000), clock(1_010));
        let told = before.to_unix_ms(before.instant + SECOND);
        assert_eq!(after.from_unix_ms(told, DAY), after.instant);
        assert_eq!(before.to_unix_ms(before.instant - SECOND), 999_000);
    }

    #[test]
    fn a_wait_is_never_rounded_down() {
        let clock = clock(1_000);
        assert_eq!(clock.to_unix_ms(clock.instant + Duration::from_micros(1)), 1_000_001);
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_for_longer_than_was_sensible() {
        let (before, after) = (clock(100_000_000), clock(0));
        let told = before.to_unix_ms(before.instant + SECOND);
        assert_eq!(after.from_unix_ms(told, 60 * SECOND), after.instant + 60 * SECOND);
        assert_eq!(after.since_unix_ms(told), Duration::ZERO);
        assert_eq!(after.from_unix_ms(u64::MAX, Duration::MAX), after.from_unix_ms(u64::MAX, Duration::MAX));
    }
}
