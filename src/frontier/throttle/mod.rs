//! How fast one host is asked: how many requests may be in flight, how far apart they are sent, and when the host is
//! left alone.
//!
//! Pure arithmetic on what came back: the time is handed in, there is no clock, no thread and no randomness here. It
//! knows neither URLs nor queues; whoever keeps the hosts obeys what it says.

mod adaptive;
mod latency;
mod pace;
mod scrapy;
#[cfg(test)]
mod simulation;

use std::time::{Duration, Instant};

use adaptive::Adaptive;
use scrapy::AutoThrottle;

use crate::memory::Clock;
use crate::wire::Bytes;

/// How the pace of each host is set.
#[derive(Debug, Clone, PartialEq)]
pub struct ThrottlePolicy {
    /// Who decides.
    pub mode: ThrottleMode,
    /// Most requests in flight to one host; 0 counts as 1.
    pub per_host: u32,
    /// Least time between the sends of two requests to one host, whatever the mode says.
    pub delay: Duration,
    /// No pause is longer, even if the server asks for it.
    pub max_pause: Duration,
}

/// Who decides about the pace.
#[derive(Debug, Clone, PartialEq)]
pub enum ThrottleMode {
    /// The other settings alone; only a `Retry-After` pauses the host.
    Off,
    /// What the host shows it can bear, by its latency and by what it refuses.
    Adaptive,
    /// Scrapy's `AutoThrottle`, by its formula.
    AutoThrottle {
        /// The delay before anything is known (`AUTOTHROTTLE_START_DELAY`).
        start_delay: Duration,
        /// The longest delay (`AUTOTHROTTLE_MAX_DELAY`).
        max_delay: Duration,
        /// How many requests the host should have in parallel, on average (`AUTOTHROTTLE_TARGET_CONCURRENCY`);
        /// positive.
        target_concurrency: f64,
    },
}

/// What came of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reply {
    /// From the request's departure to the headers of the reply, or to the fault.
    pub(super) latency: Duration,
    /// How it ended.
    pub(super) verdict: Verdict,
}

/// How a request ended, as far as the pace is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server answered and meant it.
    Answered {
        /// The status; 429, 503 and 999 are [`Verdict::Refused`].
        status: u16,
    },
    /// 429, 503 or 999: too much.
    Refused {
        /// What `Retry-After` said, counted from now.
        asked: Option<Duration>,
    },
    /// No connection, or no answer, in time.
    TimedOut,
    /// Any other fault: says nothing about the pace.
    Broken,
}

// Which mode a throttle has learned in, on disk.
const OFF: u8 = 0;
const ADAPTIVE: u8 = 1;
const AUTO_THROTTLE: u8 = 2;

/// One host's throttle. It is small: a hundred thousand are fine.
#[derive(Debug, Clone)]
pub(super) struct Throttle {
    per_host: u32,
    delay: Duration,
    mode: Mode,
}

#[derive(Debug, Clone)]
enum Mode {
    Off,
    Adaptive(Adaptive),
    AutoThrottle(AutoThrottle),
}

impl Throttle {
    /// A throttle for a host of which nothing is known.
    pub(super) fn new(policy: &ThrottlePolicy) -> Throttle {
        let mode = match policy.mode {
            ThrottleMode::Off => Mode::Off,
            ThrottleMode::Adaptive => Mode::Adaptive(Adaptive::new()),
            ThrottleMode::AutoThrottle { start_delay, .. } => {
                Mode::AutoThrottle(AutoThrottle::new(policy.delay, start_delay))
            }
        };
        Throttle { per_host: policy.per_host.max(1), delay: policy.delay, mode }
    }

    /// Appends what it has learned. What is known of requests under way, and what was measured just now, is left out:
    /// that ends with the process. Where it makes a difference, the pace goes on slower than it was, never faster.
    pub(super) fn put(&self, clock: Clock, out: &mut Vec<u8>) {
        match &self.mode {
            Mode::Off => out.push(OFF),
            Mode::Adaptive(adaptive) => {
                out.push(ADAPTIVE);
                adaptive.put(clock, out);
            }
            Mode::AutoThrottle(auto) => {
                out.push(AUTO_THROTTLE);
                auto.put(out);
            }
        }
    }

    /// The throttle that had learned what [`Throttle::put`] wrote, under a policy that may have changed since. What was
    /// learned in another mode says nothing in this one, which begins anew.
    pub(super) fn take(policy: &ThrottlePolicy, bytes: &mut Bytes<'_>, clock: Clock) -> Option<Throttle> {
        let mut throttle = Throttle::new(policy);
        let learned = match bytes.byte()? {
            OFF => Mode::Off,
            ADAPTIVE => Mode::Adaptive(Adaptive::take(policy.max_pause, bytes, clock)?),
            AUTO_THROTTLE => Mode::AutoThrottle(AutoThrottle::take(policy.delay, bytes)?),
            _ => return None,
        };
        if std::mem::discriminant(&learned) == std::mem::discriminant(&throttle.mode) {
            throttle.mode = learned;
        }
        Some(throttle)
    }

    /// How many requests may be in flight now; at least 1.
    pub(super) fn window(&self) -> u32 {
        match &self.mode {
            Mode::Off | Mode::AutoThrottle(_) => self.per_host,
            Mode::Adaptive(adaptive) => adaptive.window(self.per_host),
        }
    }

    /// Least time between the sends of two requests, before jitter.
    pub(super) fn spacing(&self) -> Duration {
        match &self.mode {
            Mode::Off => self.delay,
            Mode::Adaptive(adaptive) => adaptive.spacing().max(self.delay),
            Mode::AutoThrottle(auto) => auto.delay(),
        }
    }

    /// A request went out.
    pub(super) fn sent(&mut self, now: Instant) {
        if let Mode::Adaptive(adaptive) = &mut self.mode {
            adaptive.sent(now);
        }
    }

    /// What came of a request. Gives how long the whole host must be left alone from `now`, if it must.
    pub(super) fn observe(
        &mut self,
        policy: &ThrottlePolicy,
        reply: Reply,
        now: Instant,
    ) -> Option<Duration> {
        match &mut self.mode {
            Mode::Off => asked_pause(policy, reply),
            Mode::Adaptive(adaptive) => adaptive.observe(policy, reply, now),
            Mode::AutoThrottle(auto) => {
                if let ThrottleMode::AutoThrottle { max_delay, target_concurrency, .. } = policy.mode {
                    auto.observe(policy.delay, max_delay, target_concurrency, reply);
                }
                asked_pause(policy, reply)
            }
        }
    }
}

/// The pause that the server itself asked for.
fn asked_pause(policy: &ThrottlePolicy, reply: Reply) -> Option<Duration> {
    match reply.verdict {
        Verdict::Refused { asked } => asked.map(|asked| asked.min(policy.max_pause)).filter(|p| !p.is_zero()),
        Verdict::Answered { .. } | Verdict::TimedOut | Verdict::Broken => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use proptest::prelude::*;

    use super::*;

    fn policy(mode: ThrottleMode) -> ThrottlePolicy {
        ThrottlePolicy {
            mode,
            per_host: 8,
            delay: Duration::from_millis(300),
            max_pause: Duration::from_secs(60),
        }
    }

    fn refused(asked: Option<u64>) -> Reply {
        let asked = asked.map(Duration::from_secs);
        Reply { latency: Duration::from_millis(10), verdict: Verdict::Refused { asked } }
    }

    fn modes() -> [ThrottleMode; 3] {
        let auto = ThrottleMode::AutoThrottle {
            start_delay: Duration::from_secs(5),
            max_delay: Duration::from_secs(60),
            target_concurrency: 1.0,
        };
        [ThrottleMode::Off, ThrottleMode::Adaptive, auto]
    }

    #[test]
    fn a_hundred_thousand_hosts_are_twenty_megabytes() {
        assert!(size_of::<Throttle>() <= 200, "{}", size_of::<Throttle>());
    }

    #[test]
    fn off_trusts_the_settings() {
        let policy = policy(ThrottleMode::Off);
        let mut throttle = Throttle::new(&policy);
        assert_eq!((throttle.window(), throttle.spacing()), (8, Duration::from_millis(300)));
        assert_eq!(throttle.observe(&policy, refused(None), Instant::now()), None);
        assert_eq!((throttle.window(), throttle.spacing()), (8, Duration::from_millis(300)));
    }

    #[test]
    fn a_pause_the_server_asks_for_is_kept_in_every_mode_up_to_the_longest() {
        for mode in modes() {
            let policy = policy(mode);
            for (asked, pause) in [(7, 7), (60, 60), (1_000_000_000, 60)] {
                let mut throttle = Throttle::new(&policy);
                let given = throttle.observe(&policy, refused(Some(asked)), Instant::now());
                assert_eq!(given, Some(Duration::from_secs(pause)), "{:?}", policy.mode);
            }
        }
    }

    #[test]
    fn no_mode_goes_below_the_delay_or_above_the_number_per_host() {
        for mode in modes() {
            let policy = policy(mode);
            let mut throttle = Throttle::new(&policy);
            let mut now = Instant::now();
            for _ in 0..200 {
                throttle.sent(now);
                now += Duration::from_millis(1);
                let verdict = Verdict::Answered { status: 200 };
                throttle.observe(&policy, Reply { latency: Duration::from_millis(1), verdict }, now);
                assert!(throttle.spacing() >= policy.delay && (1..=8).contains(&throttle.window()));
            }
        }
    }

    const LATENCY: Duration = Duration::from_millis(100);

    fn kept(throttle: &Throttle, clock: Clock) -> Vec<u8> {
        let mut bytes = vec![];
        throttle.put(clock, &mut bytes);
        bytes
    }

    proptest! {
        #[test]
        fn what_was_learned_is_kept_and_no_more_is_dared(
            mode in 0..3_usize,
            replies in proptest::collection::vec((0..5_u8, 1..2_000_u64), 0..80),
            pause in 0..100_u32,
        ) {
            let policy = policy(modes()[mode].clone());
            let mut throttle = Throttle::new(&policy);
            let mut now = Instant::now();
            for (verdict, millis) in replies {
                throttle.sent(now);
                now += Duration::from_millis(millis);
                let verdict = match verdict {
                    0 => Verdict::Refused { asked: None },
                    1 => Verdict::TimedOut,
                    _ => Verdict::Answered { status: 200 },
                };
                let reply = Reply { latency: Duration::from_millis(millis), verdict };
                now += throttle.observe(&policy, reply, now).unwrap_or_default();
            }
            let clock = Clock { instant: now, system: SystemTime::UNIX_EPOCH + 50 * LATENCY };
            let bytes = kept(&throttle, clock);
            let later = Clock { system: clock.system + pause * LATENCY, ..clock };
            let mut read = Bytes(&bytes);
            let mut restored = Throttle::take(&policy, &mut read, later).unwrap();
            prop_assert!(read.0.is_empty());
            prop_assert_eq!(restored.window(), throttle.window());
            prop_assert_eq!(restored.spacing(), throttle.spacing());
            // From here on, the same happens to both.
            for _ in 0..20 {
                for throttle in [&mut throttle, &mut restored] {
                    throttle.sent(now);
                    let verdict = Verdict::Answered { status: 200 };
                    throttle.observe(&policy, Reply { latency: LATENCY, verdict }, now + LATENCY);
                }
                now += LATENCY;
                prop_assert!(restored.window() <= throttle.window());
                prop_assert!(restored.spacing() >= throttle.spacing());
            }
        }

        #[test]
        fn any_bytes_can_be_read_without_a_panic(
            mode in 0..3_u8,
            bytes in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            let bytes = [vec![mode], bytes].concat();
            let policy = policy(modes()[usize::from(mode)].clone());
            if let Some(mut throttle) = Throttle::take(&policy, &mut Bytes(&bytes), Clock::now()) {
                prop_assert!((1..=8).contains(&throttle.window()));
                let verdict = Verdict::Answered { status: 200 };
                throttle.observe(&policy, Reply { latency: LATENCY, verdict }, Instant::now());
                let _ = throttle.spacing();
            }
        }
    }

    #[test]
    fn another_mode_begins_anew() {
        let [off, adaptive, auto] = modes().map(policy);
        for (policy, other) in [(&off, &adaptive), (&adaptive, &auto), (&auto, &off)] {
            let bytes = kept(&Throttle::new(policy), Clock::now());
            let mut bytes = Bytes(&bytes);
            let throttle = Throttle::take(other, &mut bytes, Clock::now()).unwrap();
            assert!(bytes.0.is_empty(), "all that the other mode wrote is read");
            assert_eq!(throttle.spacing(), Throttle::new(other).spacing());
        }
    }

    #[test]
    fn none_per_host_counts_as_one() {
        for mode in modes() {
            assert_eq!(Throttle::new(&ThrottlePolicy { per_host: 0, ..policy(mode) }).window(), 1);
        }
    }
}
