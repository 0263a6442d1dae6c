//! What is known of a host, as bytes that outlive the process: its pace, which changes with every answer, and its
//! robots.txt, which rarely does.
//!
//! What waits for it and what is under way is not in them; nor is what is found out anew at no cost, its address.

use std::time::Duration;

use super::{Host, HostPace, Origin, ROBOTS_GOOD_FOR, ROBOTS_MISSED_FOR, Rules, Throttle, Troubles};
use crate::memory::Clock;
use crate::model::PageError;
use crate::robots::Robots;
use crate::wire::{Bytes, put_duration, put_flag, put_number};

/// The form of the bytes.
pub(in crate::frontier) const VERSION: u8 = 1;

// What is known of an origin's robots.txt.
const KNOWN: u8 = 0;
const MISSED: u8 = 1;

impl Host {
    /// Its pace.
    pub(in crate::frontier) fn pace_bytes(&self, clock: Clock) -> Vec<u8> {
        let mut out = vec![VERSION];
        // With the pace of the job that goes on, the next request may be due at another time. Long before, it is now.
        let sent = self.next_send.filter(|&at| at > clock.instant).and_then(|at| at.checked_sub(self.gap));
        put_number(sent.map_or(0, |sent| clock.to_unix_ms(sent)), &mut out);
        let paused = self.paused_until.filter(|&until| until > clock.instant);
        put_number(paused.map_or(0, |until| clock.to_unix_ms(until)), &mut out);
        put_duration(self.latency, &mut out);
        self.troubles.put(clock, &mut out);
        self.throttle.put(clock, &mut out);
        out
    }

    /// What the robots.txt of its origins say, or why they did not come, as long as that holds.
    pub(in crate::frontier) fn robots_bytes(&self, clock: Clock) -> Vec<u8> {
        let mut out = vec![VERSION];
        for origin in &self.origins {
            let (kind, until) = match &origin.rules {
                Rules::Known { until, .. } => (KNOWN, until),
                Rules::Missed { until, .. } => (MISSED, until),
                Rules::Unknown | Rules::Asked => continue,
            };
            if *until <= clock.instant {
                continue;
            }
            put_flag(origin.is_https, &mut out);
            put_number(origin.port.into(), &mut out);
            out.push(kind);
            put_number(clock.to_unix_ms(*until), &mut out);
            match &origin.rules {
                Rules::Known { robots, .. } => robots.put(&mut out),
                Rules::Missed { error, .. } => error.put(&mut out),
                Rules::Unknown | Rules::Asked => {}
            }
        }
        out
    }

    /// Takes in what [`Host::robots_bytes`] gave. `None`, and nothing is known, if it did not give that.
    pub(in crate::frontier) fn recall_robots(&mut self, bytes: &[u8], clock: Clock) -> Option<()> {
        let mut bytes = Bytes(bytes.strip_prefix(&[VERSION])?);
        let mut origins = Vec::new();
        while !bytes.0.is_empty() {
            origins.push(take_origin(&mut bytes, clock)?);
        }
        self.origins = origins;
        Some(())
    }

    /// Takes in what [`Host::pace_bytes`] gave; after the robots.txt, which may ask for a delay. `None`, and the host is
    /// a stranger, if it did not give that.
    ///
    /// The distance to the last request is what the job asks for now, be it another one than then.
    pub(in crate::frontier) fn recall_pace(
        &mut self,
        pace: &HostPace,
        bytes: &[u8],
        clock: Clock,
    ) -> Option<()> {
        let mut bytes = Bytes(bytes.strip_prefix(&[VERSION])?);
        let (sent, paused, latency) = (bytes.number()?, bytes.number()?, bytes.duration()?);
        let troubles = Troubles::take(&mut bytes, clock)?;
        let throttle = Throttle::take(&pace.throttle, &mut bytes, clock)?;
        if !bytes.0.is_empty() {
            return None;
        }
        (self.troubles, self.throttle) = (troubles, throttle);
        // Nobody is patient for longer with a host that does not answer.
        self.latency = latency.min(LONGEST_LATENCY);
        if paused > 0 {
            self.paused_until = Some(clock.from_unix_ms(paused, pace.throttle.max_pause));
        }
        if sent > 0 {
            self.gap = pace.gap(self.throttle.spacing()).max(self.crawl_delay(pace));
            let rest = self.gap.saturating_sub(clock.since_unix_ms(sent));
            self.next_send = clock.instant.checked_add(rest).filter(|_| !rest.is_zero());
        }
        Some(())
    }

    /// Forgets what went wrong. It is still left in peace for as long as it asked to be.
    pub(in crate::frontier) fn forgive(&mut self) {
        self.troubles.forgive();
        self.origins.retain(|origin| !matches!(origin.rules, Rules::Missed { .. }));
    }
}

/// Longer than any answer is waited for.
const LONGEST_LATENCY: Duration = Duration::from_secs(3600);

fn take_origin(bytes: &mut Bytes<'_>, clock: Clock) -> Option<Origin> {
    let (is_https, port) = (bytes.flag()?, bytes.number()?.try_into().ok()?);
    let (kind, until) = (bytes.byte()?, bytes.number()?);
    let rules = match kind {
        KNOWN => {
            Rules::Known { robots: Robots::take(bytes)?, until: clock.from_unix_ms(until, ROBOTS_GOOD_FOR) }
        }
        MISSED => Rules::Missed {
            error: Box::new(PageError::take(bytes)?),
            until: clock.from_unix_ms(until, ROBOTS_MISSED_FOR),
        },
        _ => return None,
    };
    Some(Origin { is_https, port, rules })
}
