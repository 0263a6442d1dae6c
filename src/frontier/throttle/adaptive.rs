//! The pace that a host shows it can bear.
//!
//! Two controllers, each for what the other cannot see. The window ([`Window`]) follows the latency, which grows when
//! requests queue. The pace ([`Pace`]) follows refusals, which come from servers that count requests. This file
//! puts them together, tells one trouble from many replies about it, and decides on pauses.

use std::time::{Duration, Instant};

use super::latency::Window;
use super::pace::Pace;
use super::{Reply, ThrottlePolicy, Verdict};
use crate::memory::Clock;
use crate::wire::Bytes;

/// Pause after a refusal that names none. It doubles with each further one, until something is answered.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The window holds so many times what the pace needs in flight, and one more: if answers come late, requests do not
/// pile up.
const WINDOW_PER_PACE: f64 = 1.5;

/// Whatever is allowed and asked for, so that no moment is beyond what the machine can count to.
const LONGEST_PAUSE: Duration = Duration::from_secs(366 * 24 * 3600);
/// A window's worth of requests is sent in the latency over this.
const SPREAD: f64 = 2.0;
/// Shorter distances are not worth waking up for.
const SHORTEST_SPREAD_SECONDS: f64 = 0.001;

/// One host's controller.
#[derive(Debug, Clone)]
pub(super) struct Adaptive {
    window: Window,
    pace: Pace,
    /// Until when the host is left alone. What left before this belongs to the trouble that it is left alone for.
    resume: Option<Instant>,
    /// Troubles since the last good answer.
    in_a_row: u8,
}

impl Adaptive {
    pub(super) fn new() -> Adaptive {
        Adaptive { window: Window::new(), pace: Pace::new(), resume: None, in_a_row: 0 }
    }

    pub(super) fn put(&self, clock: Clock, out: &mut Vec<u8>) {
        out.push(self.in_a_row);
        self.window.put(out);
        self.pace.put(clock, out);
    }

    pub(super) fn take(max_pause: Duration, bytes: &mut Bytes<'_>, clock: Clock) -> Option<Adaptive> {
        let in_a_row = bytes.byte()?;
        let (window, pace) = (Window::take(bytes)?, Pace::take(max_pause, bytes, clock)?);
        // Nothing is under way that could belong to an earlier trouble.
        Some(Adaptive { window, pace, resume: None, in_a_row })
    }

    pub(super) fn window(&self, most: u32) -> u32 {
        let needed = WINDOW_PER_PACE * self.pace.per_second() * self.window.latency() + 1.0;
        // An infinite pace with no latency known is not a number, and `min` gives the other one.
        let size = self.window.size().min(needed.ceil()).min(f64::from(most));
        (size as u32).max(1)
    }

    pub(super) fn spacing(&self) -> Duration {
        // What the window holds is spread over the time of an answer: servers that count strictly refuse two at once.
        let spread = self.window.latency() / (SPREAD * self.window.size());
        let spread = if spread < SHORTEST_SPREAD_SECONDS { 0.0 } else { spread };
        // An infinite pace gives zero.
        Duration::from_secs_f64(spread.max(1.0 / self.pace.per_second()))
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.pace.sent(now);
    }

    pub(super) fn observe(
        &mut self,
        policy: &ThrottlePolicy,
        reply: Reply,
        now: Instant,
    ) -> Option<Duration> {
        match reply.verdict {
            Verdict::Answered { status } => {
                // A server that fails is not one that asks for more.
                if status < 500 {
                    self.answered(status, reply.latency, now, f64::from(policy.per_host.max(1)));
                }
                None
            }
            Verdict::Refused { asked } => self.trouble(policy, reply, asked, now),
            Verdict::TimedOut => self.trouble(policy, reply, None, now),
            Verdict::Broken => None,
        }
    }

    fn answered(&mut self, status: u16, latency: Duration, now: Instant, most: f64) {
        self.in_a_row = 0;
        // Redirects and error pages are cheap; measured by them, a page would look slow.
        let measured = (200..300).contains(&status).then_some(latency);
        self.window.answered(measured, most);
        let bearable = most / self.window.latency().max(1e-6);
        self.pace.answered(now, bearable);
    }

    fn trouble(
        &mut self,
        policy: &ThrottlePolicy,
        reply: Reply,
        asked: Option<Duration>,
        now: Instant,
    ) -> Option<Duration> {
        let left = now.checked_sub(reply.latency).unwrap_or(now);
        let longest = policy.max_pause.min(LONGEST_PAUSE);
        let asked = asked.map(|asked| asked.min(longest));
        if self.resume.is_some_and(|resume| left < resume) {
            // Sent before we knew: no new trouble, but it may ask for a longer pause.
            let longer = asked.filter(|asked| self.resume.is_some_and(|resume| now + *asked > resume))?;
            self.resume = Some(now + longer);
            return Some(longer);
        }
        let backing_off = FIRST_PAUSE.saturating_mul(1 << self.in_a_row.min(16)).min(longest);
        let pause = asked.unwrap_or_default().max(backing_off);
        let resume = now + pause;
        self.resume = Some(resume);
        if self.in_a_row == 0 {
            self.window.halve();
        } else {
            self.window.close();
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        match reply.verdict {
            Verdict::Refused { .. } => self.pace.refused(left, resume),
            // It left long ago, so that it measures nothing; but the pause must not count as time to answer in.
            _ => self.pace.paused(),
        }
        Some(pause).filter(|pause| !pause.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontier::throttle::ThrottleMode;

    const OK: Verdict = Verdict::Answered { status: 200 };
    const LATENCY: Duration = Duration::from_millis(100);

    fn policy() -> ThrottlePolicy {
        ThrottlePolicy {
            mode: ThrottleMode::Adaptive,
            per_host: 8,
            delay: Duration::ZERO,
            max_pause: Duration::from_secs(60),
        }
    }

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn refused(asked: Option<u64>) -> Verdict {
        Verdict::Refused { asked: asked.map(seconds) }
    }

    /// A throttle and the moment it is at.
    struct Host(Adaptive, Instant);

    impl Host {
        fn new() -> Host {
            Host(Adaptive::new(), Instant::now())
        }

        /// One request after the other, each 100 ms; gives the last one's pause, after which it goes on.
        fn replies(&mut self, verdicts: impl IntoIterator<Item = Verdict>) -> Option<Duration> {
            let mut pause = None;
            for verdict in verdicts {
                self.1 += pause.unwrap_or_default();
                self.0.sent(self.1);
                self.1 += LATENCY;
                pause = self.reply(verdict, LATENCY);
            }
            self.1 += pause.unwrap_or_default();
            pause
        }

        fn reply(&mut self, verdict: Verdict, latency: Duration) -> Option<Duration> {
            self.0.observe(&policy(), Reply { latency, verdict }, self.1)
        }
    }

    #[test]
    fn pauses_double_with_refusals_in_a_row_and_are_forgotten_with_a_good_answer() {
        let mut host = Host::new();
        for milliseconds in [500, 1_000, 2_000, 4_000] {
            assert_eq!(host.replies([refused(None)]), Some(Duration::from_millis(milliseconds)));
        }
        assert_eq!(host.replies([OK, refused(None)]), Some(Duration::from_millis(500)));
        assert_eq!(host.replies([refused(None); 30]), Some(seconds(60)), "the longest pause");
    }

    #[test]
    fn what_the_server_asks_for_is_the_pause_unless_it_has_not_helped() {
        let mut host = Host::new();
        assert_eq!(host.replies([refused(Some(1))]), Some(seconds(1)));
        assert_eq!(host.replies([refused(Some(1)); 2]), Some(seconds(2)), "0.5, 1, 2 s in a row");
        assert_eq!(host.replies([OK, refused(Some(0))]), Some(Duration::from_millis(500)));
        assert_eq!(host.replies([OK, refused(Some(u64::MAX))]), Some(seconds(60)));
    }

    #[test]
    fn requests_refused_together_are_one_event() {
        let mut one = Host::new();
        one.replies([OK; 20]);
        let mut many = Host(one.0.clone(), one.1);
        let first = one.reply(refused(None), LATENCY);
        assert_eq!(many.reply(refused(None), LATENCY), first);
        for _ in 0..7 {
            many.1 += Duration::from_millis(1);
            assert_eq!(many.reply(refused(None), LATENCY), None);
        }
        assert_eq!((many.0.window(8), many.0.spacing()), (one.0.window(8), one.0.spacing()));
    }

    #[test]
    fn of_those_refused_together_the_longest_pause_counts() {
        let mut host = Host::new();
        host.replies([OK; 20]);
        assert_eq!(host.reply(refused(Some(2)), LATENCY), Some(seconds(2)));
        assert_eq!(host.reply(refused(Some(1)), LATENCY), None);
        assert_eq!(host.reply(refused(Some(5)), LATENCY), Some(seconds(5)));
    }

    #[test]
    fn a_refusal_halves_the_window_and_a_second_one_in_a_row_leaves_one() {
        let mut host = Host::new();
        host.replies([OK; 20]);
        assert_eq!(host.0.window(8), 8);
        host.replies([refused(None)]);
        assert_eq!(host.0.window.size(), 4.0);
        host.replies([refused(None)]);
        assert_eq!(host.0.window(8), 1);
    }

    // Alone, ten per second; the refusal was the 21st request of 2.1 s.
    #[test]
    fn a_refusal_sets_a_pace_below_what_was_answered() {
        let mut host = Host::new();
        host.replies([OK; 20]);
        host.replies([refused(None)]);
        let spacing = host.0.spacing();
        assert!((Duration::from_millis(100)..Duration::from_millis(140)).contains(&spacing), "{spacing:?}");
    }

    #[test]
    fn hosts_that_do_not_answer_are_left_alone_longer_each_time() {
        let mut host = Host::new();
        host.replies([OK; 20]);
        let before = host.0.pace.per_second();
        assert_eq!(host.replies([Verdict::TimedOut]), Some(Duration::from_millis(500)));
        assert_eq!(host.replies([Verdict::TimedOut]), Some(seconds(1)));
        assert_eq!(host.0.window(8), 1);
        assert_eq!(host.0.pace.per_second(), before, "how long it took says nothing about a pace");
    }

    #[test]
    fn other_faults_and_failing_servers_neither_slow_it_down_nor_speed_it_up() {
        let mut host = Host::new();
        host.replies([OK]);
        let before = (host.0.window(8), host.0.spacing());
        for verdict in [Verdict::Broken, Verdict::Answered { status: 500 }] {
            assert_eq!(host.replies([verdict; 20]), None);
            assert_eq!((host.0.window(8), host.0.spacing()), before);
        }
    }

    #[test]
    fn no_pause_is_beyond_what_the_machine_can_count_to() {
        let policy = ThrottlePolicy { max_pause: Duration::MAX, ..policy() };
        let verdict = Verdict::Refused { asked: Some(Duration::MAX) };
        let pause = Adaptive::new().observe(&policy, Reply { latency: LATENCY, verdict }, Instant::now());
        assert_eq!(pause, Some(LONGEST_PAUSE));
    }
}
