//! What the job decides about the pace at a host.
//!
//! Plain data, validated by whoever made it; knows no flags and no defaults.

use std::time::Duration;

use super::throttle::{ThrottleMode, ThrottlePolicy};

/// The pace at all hosts, and at those that have their own.
#[derive(Debug, Clone, PartialEq)]
pub struct PacePolicy {
    /// At hosts that have no pace of their own.
    pub usual: HostPace,
    /// At hosts by name. The first pattern that fits counts.
    pub own: Vec<(HostPattern, HostPace)>,
    /// Most requests in flight to one address, whatever names it has; `None` for no bound.
    pub per_ip: Option<u32>,
}

/// The pace at one host.
#[derive(Debug, Clone, PartialEq)]
pub struct HostPace {
    /// How many at once, and how the pace follows what the host answers.
    pub throttle: ThrottlePolicy,
    /// Share of the delay that is random, 0 to 1, in both directions.
    pub jitter: f64,
    /// Least time between two requests, from `--rate`: without jitter.
    pub interval: Duration,
    /// Whether robots.txt is asked for and obeyed.
    pub obeys_robots: bool,
}

/// A host name, or `*.example.com` for all names below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern(pub String);

impl HostPattern {
    /// A dot at the end of `host` only says that the name is whole.
    fn fits(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        match self.0.strip_prefix("*.") {
            Some(parent) => host.strip_suffix(parent).is_some_and(|below| below.ends_with('.')),
            None => self.0 == host,
        }
    }
}

impl PacePolicy {
    /// No bounds and no robots.txt: for sources that are no web site.
    pub fn unbounded() -> PacePolicy {
        let throttle = ThrottlePolicy {
            mode: ThrottleMode::Off,
            per_host: u32::MAX,
            delay: Duration::ZERO,
            max_pause: Duration::ZERO,
        };
        let usual = HostPace { throttle, jitter: 0.0, interval: Duration::ZERO, obeys_robots: false };
        PacePolicy { usual, own: Vec::new(), per_ip: None }
    }

    /// The pace at `host`.
    pub fn at(&self, host: &str) -> &HostPace {
        self.own.iter().find(|(pattern, _)| pattern.fits(host)).map_or(&self.usual, |(_, pace)| pace)
    }
}

impl HostPace {
    /// The time from one request to the next, when the throttle wants them `spacing` apart.
    pub(super) fn gap(&self, spacing: Duration) -> Duration {
        let is_random = self.jitter > 0.0
            && (spacing == self.throttle.delay || !matches!(self.throttle.mode, ThrottleMode::Adaptive));
        // What the adaptive throttle has learned of the host is a limit; a delay is a wish, and may be jittered.
        let spacing = if is_random {
            spacing.mul_f64((1.0 + self.jitter * (2.0 * fastrand::f64() - 1.0)).max(0.0))
        } else {
            spacing
        };
        spacing.max(self.interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_all_names_below_one() {
        let fits = |pattern: &str, host| HostPattern(pattern.to_owned()).fits(host);
        assert!(fits("example.com", "example.com"));
        assert!(!fits("example.com", "www.example.com"));
        assert!(fits("*.example.com", "www.example.com"));
        assert!(fits("*.example.com", "a.b.example.com"));
        assert!(!fits("*.example.com", "example.com"));
        assert!(!fits("*.example.com", "badexample.com"));
        assert!(fits("example.com", "example.com.") && fits("*.example.com", "www.example.com."));
    }

    #[test]
    fn the_first_pattern_that_fits_counts() {
        let mut policy = PacePolicy::unbounded();
        for (name, rate) in [("a.h", 1), ("*.h", 2)] {
            let pace = HostPace { interval: Duration::from_secs(rate), ..policy.usual.clone() };
            policy.own.push((HostPattern(name.into()), pace));
        }
        let seconds = |host| policy.at(host).interval.as_secs();
        assert_eq!([seconds("a.h"), seconds("b.h"), seconds("h")], [1, 2, 0]);
    }

    #[test]
    fn jitter_goes_both_ways_but_never_below_the_rate() {
        let mut pace = PacePolicy::unbounded().usual;
        pace.jitter = 0.5;
        pace.throttle.delay = Duration::from_secs(2);
        pace.interval = Duration::from_millis(1500);
        let gaps: Vec<Duration> = (0..1000).map(|_| pace.gap(pace.throttle.delay)).collect();
        assert!(gaps.iter().all(|gap| (1500..=3000).contains(&gap.as_millis())));
        assert!(gaps.iter().any(|gap| gap.as_millis() > 2500));
        assert!(gaps.iter().any(|gap| gap.as_millis() == 1500));
    }

    #[test]
    fn what_the_adaptive_throttle_learned_is_not_jittered() {
        let mut pace = PacePolicy::unbounded().usual;
        pace.jitter = 0.5;
        pace.throttle.mode = ThrottleMode::Adaptive;
        let learned = Duration::from_millis(47);
        assert!((0..100).all(|_| pace.gap(learned) == learned));
    }
}
