//! How many requests a host may have in flight, by what its latency says: doubling at first, then one more per round,
//! fewer when answers take longer.
//!
//! A round is a window's worth of answers. The latency is smoothed so that one slow page counts no more than a page
//! that took twice as long as usual, and is compared with the quietest the host was seen at.

use std::time::Duration;

use crate::wire::{Bytes, put_flag, put_float};

/// Growth of the latency that is never held against a host. A busy machine on either end, a garbage collector, a lost
/// packet on a near line or another crawl thread's parsing delay an answer by some tens of milliseconds; a server whose
/// answers queue for less than this is not in trouble.
const SLACK_SECONDS: f64 = 0.050;
/// Beyond this many times the quiet latency, and the slack, the window shrinks. Each answer waits for as long as it takes
/// then, so a queue is as long as what serves it: more in flight gives little more. A lower factor starves on servers
/// that bear more while they get slower: one that takes 20 % longer for each other request in hand gave two thirds of
/// what a window of 8 would at 1.5, and gives five sixths at 2.
const TOO_LONG: f64 = 2.0;
/// Below this many times the quiet latency, and half of the slack, the window may grow.
const FLAT: f64 = 1.5;
/// One slow answer counts as this many times the usual.
const OUTLIER: f64 = 2.0;
/// What is left of the window after a round that took too long.
const SHRINK: f64 = 0.8;

/// No latency is longer: whatever the limits of time are, a year is beyond them.
const LONGEST_SECONDS: f64 = 366.0 * 24.0 * 3600.0;

/// The window of one host.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// Requests in flight, at least 1; only the whole part counts.
    size: f64,
    /// Doubling each round; over with the first sign of trouble.
    doubling: bool,
    /// Answers since the last decision.
    answers: f64,
    /// Smoothed latency in seconds; 0 before the first answer.
    smooth: f64,
    /// The smoothed latency at its quietest.
    quiet: f64,
}

impl Window {
    pub(super) fn new() -> Window {
        Window { size: 1.0, doubling: true, answers: 0.0, smooth: 0.0, quiet: 0.0 }
    }

    pub(super) fn put(&self, out: &mut Vec<u8>) {
        put_float(self.size, out);
        put_flag(self.doubling, out);
        put_float(self.answers, out);
        put_float(self.smooth, out);
        put_float(self.quiet, out);
    }

    /// What [`Window::put`] wrote.
    pub(super) fn take(bytes: &mut Bytes<'_>) -> Option<Window> {
        let (size, doubling, answers) = (bytes.float()?, bytes.flag()?, bytes.float()?);
        let (smooth, quiet) = (bytes.float()?, bytes.float()?);
        // Comparisons that hold for no NaN.
        let is_one = (1.0..=f64::from(u32::MAX)).contains(&size)
            && (0.0..=f64::from(u32::MAX)).contains(&answers)
            && [smooth, quiet].iter().all(|seconds| (0.0..=LONGEST_SECONDS).contains(seconds));
        is_one.then_some(Window { size, doubling, answers, smooth, quiet })
    }

    /// Requests in flight, not capped by any setting but that at the last growth.
    pub(super) fn size(&self) -> f64 {
        self.size
    }

    /// Smoothed latency in seconds; 0 before the first answer.
    pub(super) fn latency(&self) -> f64 {
        self.smooth
    }

    /// An answer came. `measured` is its latency if it says what a page costs.
    pub(super) fn answered(&mut self, measured: Option<Duration>, most: f64) {
        if let Some(latency) = measured {
            self.smooth_in(latency.as_secs_f64());
        }
        self.answers += 1.0;
        if self.doubling && self.is_flat() {
            self.size = (self.size + 1.0).min(most);
        }
        if self.answers >= self.size.floor() {
            self.answers = 0.0;
            self.end_round(most);
        }
    }

    fn smooth_in(&mut self, seconds: f64) {
        if self.smooth == 0.0 {
            (self.smooth, self.quiet) = (seconds, seconds);
            return;
        }
        // Few in flight are few answers to smooth over, and a decision is due sooner.
        let gain = if self.size < 4.0 { 0.25 } else { 0.125 };
        self.smooth += gain * (seconds.min(OUTLIER * self.smooth) - self.smooth);
        // The smoothed latency may still be that of a larger window.
        let alone = seconds.min(self.smooth);
        if self.smooth < self.quiet {
            // Not at once, or the quietest would be the luckiest.
            self.quiet += 0.25 * (self.smooth - self.quiet);
        } else if self.size < 2.0 && alone > self.quiet {
            // Alone it is as slow as this: the host has changed, not the load that we are.
            self.quiet += 0.125 * (alone - self.quiet);
        }
    }

    fn is_flat(&self) -> bool {
        self.smooth <= self.quiet * FLAT + SLACK_SECONDS / 2.0
    }

    fn end_round(&mut self, most: f64) {
        if self.smooth > self.quiet * TOO_LONG + SLACK_SECONDS {
            self.doubling = false;
            self.size = (self.size * SHRINK).max(1.0);
        } else if self.is_flat() && !self.doubling {
            self.size = (self.size + 1.0).min(most);
        }
    }

    /// Too much was in flight.
    pub(super) fn halve(&mut self) {
        self.doubling = false;
        self.answers = 0.0;
        self.size = (self.size / 2.0).max(1.0);
    }

    /// Nothing goes: one request finds out whether anything does.
    pub(super) fn close(&mut self) {
        self.halve();
        self.size = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: f64 = 8.0;

    fn answers(window: &mut Window, latencies: impl IntoIterator<Item = u64>) {
        for milliseconds in latencies {
            window.answered(Some(Duration::from_millis(milliseconds)), MOST);
        }
    }

    #[test]
    fn it_doubles_with_each_round_up_to_the_most() {
        let mut window = Window::new();
        let mut sizes = Vec::new();
        for round in [1, 2, 4, 8] {
            answers(&mut window, vec![100; round]);
            sizes.push(window.size());
        }
        assert_eq!(sizes, [2.0, 4.0, 8.0, 8.0]);
    }

    #[test]
    fn jitter_below_the_slack_is_flat() {
        let mut window = Window::new();
        // A third of a millisecond alone, up to 30 times as much on a busy machine.
        answers(&mut window, (0..200).map(|n| if n % 3 == 0 { 0 } else { 9 }));
        assert_eq!(window.size(), MOST);
    }

    #[test]
    fn one_slow_page_among_fast_ones_changes_nothing() {
        let mut window = Window::new();
        answers(&mut window, [100; 30]);
        answers(&mut window, [5_000]);
        answers(&mut window, [100; 8]);
        assert_eq!(window.size(), MOST);
    }

    #[test]
    fn a_latency_that_lasts_shrinks_it_to_one_where_it_becomes_the_usual_one() {
        let mut window = Window::new();
        answers(&mut window, [100; 30]);
        answers(&mut window, [600; 34]);
        assert!(window.size() < 2.0, "{}", window.size());
        answers(&mut window, [600; 60]);
        assert_eq!(window.size(), MOST);
    }

    #[test]
    fn a_first_page_from_a_cold_cache_does_not_set_the_measure() {
        let mut window = Window::new();
        answers(&mut window, [4_000]);
        answers(&mut window, [100; 60]);
        assert!(window.quiet < 0.15, "{}", window.quiet);
    }

    #[test]
    fn answers_that_say_nothing_about_pages_leave_the_latency_alone() {
        let mut window = Window::new();
        answers(&mut window, [100; 10]);
        let before = (window.smooth, window.quiet);
        for _ in 0..50 {
            window.answered(None, MOST);
        }
        assert_eq!((window.smooth, window.quiet), before);
    }
}
