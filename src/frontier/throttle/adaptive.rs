//! The pace that a host shows it can bear.
//!
//! Two controllers, each for what the other cannot see. The window ([`Window`]) follows the latency, which grows when
//! requests queue. The pace ([`Pace`]) follows refusals, which come from servers that count requests. This file
//! puts them together, tells one trouble from many replies about it, and decides on pauses.

use std::time::{Duration, Instant};

use super::latency::Window;
use super::pace::Pace;
use super::{Reply, ThrottlePolicy, Verdict};

/// Pause after a refusal that names none. It doubles with each further one, until something is answered.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The window holds so many times what the pace needs in flight, and one more: if answers come late, requests do not
/// pile up.
const WINDOW_PER_PACE: f64 = 1.5;

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
        let asked = asked.map(|asked| asked.min(policy.max_pause));
        if self.resume.is_some_and(|resume| left < resume) {
            // Sent before we knew: no new trouble, but it may ask for a longer pause.
            let longer = asked.filter(|asked| self.resume.is_some_and(|resume| now + *asked > resume))?;
            self.resume = Some(now + longer);
            return Some(longer);
        }
        let backing_off = FIRST_PAUSE.saturating_mul(1 << self.in_a_row.min(16)).min(policy.max_pause);
        let pause = asked.unwrap_or_default().max(backing_off);
        let resume = now + pause;
        self.resume = Some(resume);
        if self.in_a_row == 0 {
            self.window.halve();
        } else {
            self.window.close();
        }
        self.in_a_row = self.in_a_row.saturating_add(1);
        if matches!(reply.verdict, Verdict::Refused { .. }) {
            self.pace.refused(left, resume);
        }
        Some(pause).filter(|pause| !pause.is_zero())
    }
}
