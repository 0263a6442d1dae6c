//! Scrapy's `AutoThrottle` as it is in its source (`scrapy/extensions/throttle.py`, `_adjust_delay`; 2.19).
//!
//! Kept exactly, its known hole included: a refusal that comes fast never slows it down. In seconds as `f64`, as there,
//! in the same order of operations, so that the delays are the same to the last bit.

use std::time::Duration;

use super::{Reply, Verdict};
use crate::wire::{Bytes, put_float};

/// One host's delay.
#[derive(Debug, Clone)]
pub(super) struct AutoThrottle {
    delay_seconds: f64,
}

impl AutoThrottle {
    /// Starts with the longer of the two. The start may exceed the longest delay, as in Scrapy, until the first answer.
    pub(super) fn new(delay: Duration, start_delay: Duration) -> AutoThrottle {
        AutoThrottle { delay_seconds: delay.max(start_delay).as_secs_f64() }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_float(self.delay_seconds, out);
    }

    /// Never below the delay of the policy, which may be another one by now.
    pub(super) fn take(delay: Duration, bytes: &mut Bytes<'_>) -> Option<AutoThrottle> {
        let seconds = bytes.float().filter(|seconds| seconds.is_finite() && *seconds >= 0.0)?;
        Some(AutoThrottle { delay_seconds: seconds.max(delay.as_secs_f64()) })
    }

    /// Time between the sends of two requests.
    pub(super) fn delay(&self) -> Duration {
        Duration::try_from_secs_f64(self.delay_seconds).unwrap_or(Duration::MAX)
    }

    /// Adjusts the delay to the latency of a response. What got no response has no latency, and changes nothing.
    pub(super) fn observe(&mut self, min: Duration, max: Duration, target_concurrency: f64, reply: Reply) {
        let is_200 = match reply.verdict {
            Verdict::Answered { status } => status == 200,
            Verdict::Refused { .. } => false,
            Verdict::TimedOut | Verdict::Broken => return,
        };
        let target = reply.latency.as_secs_f64() / target_concurrency;
        let new = f64::midpoint(self.delay_seconds, target).max(target);
        let new = new.max(min.as_secs_f64()).min(max.as_secs_f64());
        if is_200 || new > self.delay_seconds {
            self.delay_seconds = new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Verdict = Verdict::Answered { status: 200 };
    const MISSING: Verdict = Verdict::Answered { status: 404 };
    const REFUSED: Verdict = Verdict::Refused { asked: None };

    fn run(min: f64, start: f64, max: f64, target: f64, replies: &[(f64, Verdict)]) -> Vec<f64> {
        let seconds = Duration::from_secs_f64;
        let mut auto = AutoThrottle::new(seconds(min), seconds(start));
        let observed = replies.iter().map(|&(latency, verdict)| {
            auto.observe(seconds(min), seconds(max), target, Reply { latency: seconds(latency), verdict });
            auto.delay_seconds
        });
        observed.collect()
    }

    // All numbers are sums of powers of two, so that the expected values are exact.
    #[test]
    fn the_delay_halves_its_distance_to_the_target_on_the_way_down() {
        // (5 + 1) / 2 = 3; (3 + 1) / 2 = 2; (2 + 1) / 2 = 1.5
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &[(1.0, OK); 3]), [3.0, 2.0, 1.5]);
    }

    #[test]
    fn on_the_way_up_it_takes_the_target_at_once() {
        // (2 + 8) / 2 = 5 is less than the target 8.
        assert_eq!(run(0.0, 2.0, 60.0, 1.0, &[(8.0, OK)]), [8.0]);
    }

    #[test]
    fn the_target_is_the_latency_shared_among_the_requests_in_parallel() {
        // 2 / 4 = 0.5; (5 + 0.5) / 2 = 2.75; (2.75 + 0.5) / 2 = 1.625
        assert_eq!(run(0.0, 5.0, 60.0, 4.0, &[(2.0, OK); 2]), [2.75, 1.625]);
        // 0.25 / 0.5 = 0.5: less than one in parallel waits longer than the latency.
        assert_eq!(run(0.0, 1.5, 60.0, 0.5, &[(0.25, OK)]), [1.0]);
    }

    #[test]
    fn it_stays_within_its_bounds() {
        assert_eq!(run(2.0, 3.0, 60.0, 1.0, &[(0.5, OK), (0.5, OK)]), [2.0, 2.0]);
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &[(100.0, OK)]), [60.0]);
        // As min(max(mindelay, new), maxdelay): the longest wins where the bounds cross.
        assert_eq!(run(9.0, 5.0, 4.0, 1.0, &[(1.0, OK)]), [4.0]);
    }

    #[test]
    fn the_start_is_the_longer_of_the_two_even_above_the_longest() {
        let seconds = Duration::from_secs;
        assert_eq!(AutoThrottle::new(seconds(1), seconds(5)).delay(), seconds(5));
        assert_eq!(AutoThrottle::new(seconds(7), seconds(5)).delay(), seconds(7));
        assert_eq!(run(7.0, 90.0, 60.0, 1.0, &[(1.0, MISSING), (1.0, OK)]), [90.0, 45.5]);
    }

    #[test]
    fn other_statuses_than_200_never_shorten_it_but_may_lengthen_it() {
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &[(1.0, MISSING), (1.0, REFUSED)]), [5.0, 5.0]);
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &[(6.0, MISSING), (7.0, REFUSED)]), [6.0, 7.0]);
        let moved = Verdict::Answered { status: 201 };
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &[(1.0, moved)]), [5.0]);
    }

    #[test]
    fn without_a_response_nothing_changes() {
        let faults = [(100.0, Verdict::TimedOut), (100.0, Verdict::Broken)];
        assert_eq!(run(0.0, 5.0, 60.0, 1.0, &faults), [5.0, 5.0]);
    }
}
