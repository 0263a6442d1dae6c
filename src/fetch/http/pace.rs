//! Whether a reply keeps moving: a server that sends a byte now and then is never silent, and never done.

use std::time::{Duration, Instant};

/// The least speed of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LeastSpeed {
    /// Bytes in a second.
    pub(super) bytes_per_second: u64,
    /// What they are an average over.
    pub(super) over: Duration,
}

/// The pace of the reply that is being read.
#[derive(Debug)]
pub(super) struct Pace {
    least: Option<LeastSpeed>,
    /// When the present stretch began; `None` before the first byte, for which the read timeout waits.
    since: Option<Instant>,
    bytes: u64,
}

impl Pace {
    /// Without `least`, any pace will do.
    pub(super) fn new(least: Option<LeastSpeed>) -> Pace {
        Pace { least, since: None, bytes: 0 }
    }

    /// Begins with a new request.
    pub(super) fn restart(&mut self) {
        self.since = None;
    }

    /// Notes that bytes came; whether it is too slow.
    pub(super) fn is_too_slow_after(&mut self, bytes: usize, now: Instant) -> bool {
        let Some(least) = self.least else { return false };
        let Some(since) = self.since else {
            (self.since, self.bytes) = (Some(now), 0);
            return false;
        };
        self.bytes = self.bytes.saturating_add(bytes as u64);
        let elapsed = now.saturating_duration_since(since);
        if elapsed < least.over {
            return false;
        }
        let wanted = least.bytes_per_second as f64 * elapsed.as_secs_f64();
        let is_too_slow = (self.bytes as f64) < wanted;
        (self.since, self.bytes) = (Some(now), 0);
        is_too_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these bytes, each at a second, are too slow for 100 bytes a second over 30 s.
    fn slow(pieces: &[(u64, usize)]) -> Vec<bool> {
        let over = Duration::from_secs(30);
        let mut pace = Pace::new(Some(LeastSpeed { bytes_per_second: 100, over }));
        let start = Instant::now();
        pieces
            .iter()
            .map(|&(at, bytes)| pace.is_too_slow_after(bytes, start + Duration::from_secs(at)))
            .collect()
    }

    #[test]
    fn the_average_over_the_stretch_decides() {
        assert_eq!(slow(&[(0, 1), (29, 1), (30, 1)]), [false, false, true]);
        assert_eq!(slow(&[(0, 1), (1, 3000), (30, 1)]), [false; 3]);
        assert_eq!(slow(&[(0, 1), (30, 2999)]), [false, true]);
        // A stretch longer than asked for needs more.
        assert_eq!(slow(&[(0, 1), (60, 3000)]), [false, true]);
        // Each stretch counts by itself.
        assert_eq!(slow(&[(0, 1), (30, 1_000_000), (60, 1)]), [false, false, true]);
    }

    #[test]
    fn without_a_least_speed_nothing_is_too_slow() {
        let mut pace = Pace::new(None);
        let start = Instant::now();
        assert!(!pace.is_too_slow_after(0, start));
        assert!(!pace.is_too_slow_after(1, start + Duration::from_secs(1000)));
    }
}
