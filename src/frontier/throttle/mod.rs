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
    /// What the host shows it can bear: see [`adaptive`].
    Adaptive,
    /// Scrapy's `AutoThrottle`: see [`scrapy`].
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

    #[test]
    fn none_per_host_counts_as_one() {
        for mode in modes() {
            assert_eq!(Throttle::new(&ThrottlePolicy { per_host: 0, ..policy(mode) }).window(), 1);
        }
    }
}
