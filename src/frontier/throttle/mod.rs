//! TEMPORARY stand-in with the interface of the real module.
use std::time::{Duration, Instant};

/// How the pace of each host is set.
#[derive(Debug, Clone, PartialEq)]
pub struct ThrottlePolicy {
    /// Mode.
    pub mode: ThrottleMode,
    /// Most in flight.
    pub per_host: u32,
    /// Floor of the delay.
    pub delay: Duration,
    /// Longest pause.
    pub max_pause: Duration,
}

/// Mode.
#[derive(Debug, Clone, PartialEq)]
pub enum ThrottleMode {
    /// Off.
    Off,
    /// Adaptive.
    Adaptive,
    /// Scrapy.
    AutoThrottle {
        /// Start.
        start_delay: Duration,
        /// Max.
        max_delay: Duration,
        /// Target.
        target_concurrency: f64,
    },
}

/// Throttle.
#[derive(Debug)]
pub struct Throttle {
    window: u32,
    delay: Duration,
}

/// Reply.
#[derive(Debug, Clone, Copy)]
pub struct Reply {
    /// Latency.
    pub latency: Duration,
    /// Verdict.
    pub verdict: Verdict,
}

/// Verdict.
#[derive(Debug, Clone, Copy)]
pub enum Verdict {
    /// Answered.
    Answered {
        /// Status.
        status: u16,
    },
    /// Refused.
    Refused {
        /// Asked.
        asked: Option<Duration>,
    },
    /// Timed out.
    TimedOut,
    /// Broken.
    Broken,
}

impl Throttle {
    /// New.
    pub fn new(policy: &ThrottlePolicy) -> Throttle {
        Throttle { window: policy.per_host, delay: policy.delay }
    }
    /// Window.
    pub fn window(&self) -> u32 {
        self.window
    }
    /// Spacing.
    pub fn spacing(&self) -> Duration {
        self.delay
    }
    /// Sent.
    pub fn sent(&mut self, _: Instant) {}
    /// Observe.
    pub fn observe(&mut self, policy: &ThrottlePolicy, reply: Reply, _: Instant) -> Option<Duration> {
        match reply.verdict {
            Verdict::Refused { asked } => asked.map(|asked| asked.min(policy.max_pause)),
            _ => None,
        }
    }
}
