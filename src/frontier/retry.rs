//! When a failed page is tried again: exponential back-off with jitter.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::model::PageError;

/// A list of HTTP statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statuses(Vec<RangeInclusive<u16>>);

impl Statuses {
    /// The statuses in any of `ranges`.
    pub fn new(ranges: Vec<RangeInclusive<u16>>) -> Statuses {
        Statuses(ranges)
    }

    /// Whether this status is in the list.
    pub fn contains(&self, status: u16) -> bool {
        self.0.iter().any(|range| range.contains(&status))
    }
}

/// How often and how soon a failed page goes out again, and which.
#[derive(Debug, Clone, PartialEq)]
pub struct RetryPolicy {
    /// The statuses that are tried again; `None` for those of [`PageError::is_worth_a_retry`].
    pub statuses: Option<Statuses>,
    /// Whether every other failure is tried again, too.
    pub all_errors: bool,
    /// Tries after the first one.
    pub retries: u32,
    /// Delay before the first retry; each further one waits twice as long.
    pub first_delay: Duration,
    /// No delay of ours is longer.
    pub longest_delay: Duration,
    /// No delay that a server asks for is longer.
    pub longest_asked: Duration,
    /// Share of the delay that is random, 0 to 1: pages that failed together do not come back together.
    pub jitter: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy {
            statuses: None,
            all_errors: false,
            retries: 2,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(60),
            longest_asked: Duration::from_secs(60),
            jitter: 0.5,
        }
    }
}

impl RetryPolicy {
    /// How long to wait after the try number `attempt` (from 0) failed with `error`; `None` if that was the last. If
    /// the server `asked` for a longer delay of this page it gets it, within a bound of its own. A pause of the whole
    /// host is not to be asked for here again: the page waits at its host as long as that lasts.
    pub fn delay(&self, attempt: u32, error: &PageError, asked: Option<Duration>) -> Option<Duration> {
        if attempt >= self.retries || !self.wants_again(error) {
            return None;
        }
        let doubled = self.first_delay.saturating_mul(1_u32.checked_shl(attempt).unwrap_or(u32::MAX));
        let delay = doubled.min(self.longest_delay);
        // Between (1 - jitter) and 1 times the delay, so that the longest delay stays the longest.
        let delay = delay.mul_f64(1.0 - self.jitter * fastrand::f64());
        Some(delay.max(asked.unwrap_or_default().min(self.longest_asked)))
    }

    /// Whether a page that failed with `error` is tried again.
    fn wants_again(&self, error: &PageError) -> bool {
        match (error, &self.statuses) {
            // There is no request, or there must be none any more.
            (PageError::NoUrl(_) | PageError::Aborted, _) => false,
            _ if self.all_errors => true,
            (PageError::Status(status), Some(statuses)) => statuses.contains(*status),
            _ => error.is_worth_a_retry(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let policy = RetryPolicy {
            retries: 40,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(10),
            jitter: 0.0,
            ..RetryPolicy::default()
        };
        let delays: Vec<u64> = [0, 1, 2, 3, 4, 35]
            .iter()
            .map(|&attempt| policy.delay(attempt, &PageError::Status(503), None).unwrap().as_secs())
            .collect();
        assert_eq!(delays, [1, 2, 4, 8, 10, 10]);
    }

    #[test]
    fn jitter_only_shortens() {
        let policy = RetryPolicy { jitter: 0.5, ..RetryPolicy::default() };
        for _ in 0..1000 {
            let delay = policy.delay(0, &PageError::Status(500), None).unwrap();
            assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&delay), "{delay:?}");
        }
    }

    #[test]
    fn a_pause_the_server_asks_for_is_kept_within_its_own_bound() {
        let longest_asked = Duration::from_secs(9);
        let policy = RetryPolicy { jitter: 0.0, longest_asked, ..RetryPolicy::default() };
        let delay = |seconds| policy.delay(0, &PageError::Status(502), Some(Duration::from_secs(seconds)));
        assert_eq!(delay(0), Some(Duration::from_secs(1)));
        assert_eq!(delay(7), Some(Duration::from_secs(7)));
        assert_eq!(delay(1_000_000_000), Some(longest_asked));
    }

    #[test]
    fn the_last_try_and_hopeless_errors_are_not_repeated() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay(2, &PageError::Status(503), None), None);
        assert_eq!(policy.delay(0, &PageError::Status(404), None), None);
    }

    #[test]
    fn a_list_of_statuses_replaces_the_usual_ones_and_nothing_else() {
        let policy = RetryPolicy {
            statuses: Some(Statuses::new(vec![404..=404, 510..=599])),
            ..RetryPolicy::default()
        };
        let again = |error: PageError| policy.delay(0, &error, None).is_some();
        assert!(again(PageError::Status(404)) && again(PageError::Status(520)));
        assert!(!again(PageError::Status(503)));
        assert!(again(PageError::Broken("x".into())));
        assert!(!again(PageError::Tls("x".into())));
    }

    #[test]
    fn every_failure_of_a_page_is_tried_again_if_that_is_asked_for() {
        let policy = RetryPolicy { all_errors: true, ..RetryPolicy::default() };
        let again = |error: PageError| policy.delay(0, &error, None).is_some();
        assert!(again(PageError::Status(404)) && again(PageError::Tls("x".into())));
        assert!(again(PageError::NotJson("x".into())));
        assert!(!again(PageError::Aborted) && !again(PageError::NoUrl("x".into())));
    }
}
