//! How many requests per second a host is sent, once it has refused some.
//!
//! A window alone cannot hold a host to 20 requests per second that answers in 20 ms: one in flight is 50 per second
//! already. So a refusal is taken as a measurement: what was answered well just before is about what the server bears.
//!
//! - Refused within the first moments, nothing is known but that it was too much: the pace falls to a small share of
//!   what went through, and grows by a share each second until it is refused again ([`Stage::Search`]).
//! - Refused after that, there is a plateau just below what was measured. The pace comes back to it, then grows gently,
//!   later faster ([`Stage::Level`]); the shape is CUBIC's (RFC 9438 4.1).
//! - Refused at the same pace again, the plateau is believed: the pace stays there before it looks for more, twice as
//!   long each time. If it was refused on the plateau itself, the plateau was too high.
//!
//! The first two cost a handful of refusals, the last one or two for each look. It knows nothing of latencies.

use std::time::{Duration, Instant};

use crate::memory::Clock;
use crate::wire::{Bytes, put_flag, put_float, put_number};

/// The meter forgets in steps of this: a measurement covers one to two of them.
const METERED: Duration = Duration::from_millis(500);
/// And of at least so many answers.
const METERED_ANSWERS: u32 = 6;
/// A measurement over fewer seconds, in which the meter never went round, is mostly the burst that servers allow.
const LONG_ENOUGH_SECONDS: f64 = 1.0;
/// Where the search begins after the first refusal, as a share of what was measured. A server that allows 20 at once
/// makes ten times its capacity go through in the first moments.
const SEARCH_FROM: f64 = 0.15;
/// Growth of the search in a second, as an exponent: 0.8 doubles in 0.9 s.
const SEARCH_PER_SECOND: f64 = 0.8;
/// Growth in the first second above the plateau, as an exponent.
const LOOK_PER_SECOND: f64 = 0.02;
/// And at most.
const LOOK_AT_MOST: f64 = 0.5;
/// After so many seconds of looking, growth has doubled; from then on it rises with their cube.
const LOOK_GENTLY_SECONDS: f64 = 4.0;
/// The same while the plateau was found only once, and may be far too low.
const LOOK_SOONER_SECONDS: f64 = 3.0;
/// On no answer does the pace grow by more than this share.
const GROWTH_PER_ANSWER: f64 = 0.3;
/// Below so many requests per second, a second counts as the time of so many requests: on a slow host as on a fast one
/// there is something to learn from before the next step.
const ANSWERS_PER_SECOND: f64 = 5.0;
/// Share of what was measured that is the plateau. The measurement counts some of the burst in, so it errs upwards.
const PLATEAU: f64 = 0.94;
/// Refused on the plateau, it falls at least to the one, at most to the other share.
const LOWERED: (f64, f64) = (0.92, 0.95);
/// But by more if so few answers came before.
const FEW_ANSWERS: f64 = 15.0;
/// See [`FEW_ANSWERS`].
const LOWERED_AFTER_FEW: f64 = 0.75;
/// Where the pace goes on after a refusal, as a share of a plateau found once, and of one found again. The bucket of a
/// server fills during the pause, so there is no need to go far below.
const BACK_TO: (f64, f64) = (0.85, 0.9);
/// Back to the plateau: in so many seconds the distance falls to a third.
const RECOVERY_SECONDS: f64 = 0.8;
/// From here on the plateau counts as reached.
const REACHED: f64 = 0.98;
/// Measurements that differ by less than this share are the same.
const SAME: f64 = 0.2;
/// First stay on a plateau; it doubles each time the plateau is found again.
const FIRST_STAY: Duration = Duration::from_secs(30);
/// Longest stay: a host that has got faster is noticed within it.
const LONGEST_STAY: Duration = Duration::from_secs(600);
/// No host is asked more rarely than this because of refusals; pauses come on top.
const SLOWEST_PER_SECOND: f64 = 0.02;

/// The pace of one host; free until the first refusal.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    /// Requests per second; infinite while free.
    per_second: f64,
    /// Where it stays; where the search began, while searching.
    plateau: f64,
    stage: Stage,
    /// When time last changed it.
    grown: Option<Instant>,
    /// When it leaves the plateau.
    leaves: Option<Instant>,
    /// When the last refused request had left.
    refused: Option<Instant>,
    /// Answers since then.
    answers: u32,
    meter: Meter,
}

/// What is known about the pace that the host bears.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// Nothing that could be trusted.
    Search,
    /// About the plateau, which was found again so many times.
    Level { found_again: u8 },
}

impl Pace {
    pub(super) fn new() -> Pace {
        Pace {
            per_second: f64::INFINITY,
            plateau: f64::INFINITY,
            stage: Stage::Search,
            grown: None,
            leaves: None,
            refused: None,
            answers: 0,
            meter: Meter::default(),
        }
    }

    pub(super) fn put(&self, clock: Clock, out: &mut Vec<u8>) {
        put_float(self.per_second, out);
        put_float(self.plateau, out);
        let found_again = match self.stage {
            Stage::Search => None,
            Stage::Level { found_again } => Some(found_again),
        };
        put_flag(found_again.is_some(), out);
        out.extend(found_again);
        let leaves = self.leaves.map(|leaves| leaves.max(clock.instant));
        put_number(leaves.map_or(0, |leaves| clock.to_unix_ms(leaves)), out);
    }

    /// The pace stays where it was until it is time to look for more. The measurement begins anew.
    pub(super) fn take(max_pause: Duration, bytes: &mut Bytes<'_>, clock: Clock) -> Option<Pace> {
        let (per_second, plateau) = (bytes.float()?, bytes.float()?);
        let stage = match bytes.flag()? {
            false => Stage::Search,
            true => Stage::Level { found_again: bytes.byte()? },
        };
        let leaves = Some(bytes.number()?).filter(|&ms| ms > 0);
        let leaves = leaves.map(|ms| clock.from_unix_ms(ms, LONGEST_STAY.saturating_add(max_pause)));
        // It may be a little below the slowest plateau. No NaN is at least anything.
        let is_one = per_second >= SLOWEST_PER_SECOND / 2.0 && plateau >= SLOWEST_PER_SECOND;
        is_one.then(|| Pace { per_second, plateau, stage, leaves, ..Pace::new() })
    }

    /// Requests per second; infinite while nothing was refused.
    pub(super) fn per_second(&self) -> f64 {
        self.per_second
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.meter.from.get_or_insert(now);
    }

    /// The host is left alone for another reason than a refusal.
    pub(super) fn paused(&mut self) {
        self.meter = Meter::default();
    }

    /// A request was answered well. `most_per_second` is what the largest window would send without a pace.
    pub(super) fn answered(&mut self, now: Instant, most_per_second: f64) {
        self.meter.answered(now);
        self.answers = self.answers.saturating_add(1);
        if self.per_second.is_infinite() {
            return;
        }
        let seconds = self.grown.replace(now).map_or(0.0, |grown| seconds_between(grown, now));
        // While there was nothing to send, nothing was learnt.
        let wanted = self.grow(now, seconds.min(2.0 / self.per_second));
        self.per_second = wanted.min(self.per_second * (1.0 + GROWTH_PER_ANSWER));
        if self.per_second > 2.0 * most_per_second {
            // It is the window that holds, far below the pace.
            *self = Pace { meter: self.meter.clone(), ..Pace::new() };
        }
    }

    /// The pace after so many more seconds without refusal.
    fn grow(&self, now: Instant, seconds: f64) -> f64 {
        let Stage::Level { found_again } = self.stage else {
            return self.per_second * (SEARCH_PER_SECOND * seconds).exp();
        };
        let second = self.second();
        if self.per_second < REACHED * self.plateau {
            let rest = (-seconds / second / RECOVERY_SECONDS).exp();
            return self.plateau + (self.per_second - self.plateau) * rest;
        }
        let Some(leaves) = self.leaves.filter(|leaves| *leaves <= now) else { return self.per_second };
        let gently = if found_again == 0 { LOOK_SOONER_SECONDS } else { LOOK_GENTLY_SECONDS };
        let looking = seconds_between(leaves, now) / second / gently;
        let growth = (LOOK_PER_SECOND * (1.0 + looking.powi(3)) / second).min(LOOK_AT_MOST);
        self.per_second * (growth * seconds).exp()
    }

    /// How long a second is for this host, in seconds; see [`ANSWERS_PER_SECOND`].
    fn second(&self) -> f64 {
        (ANSWERS_PER_SECOND / self.per_second).max(1.0)
    }

    /// A request that left at `left` was refused; the host is left alone until `resume`.
    pub(super) fn refused(&mut self, left: Instant, resume: Instant) {
        let meter = std::mem::take(&mut self.meter);
        let answers = f64::from(std::mem::take(&mut self.answers));
        let since = self.refused.replace(left).map(|refused| seconds_between(refused, left));
        self.grown = None;
        self.leaves = Some(resume);
        let Some((seconds, measured)) = meter.reading(left) else {
            // Nothing went through: nothing was measured but that it is too much.
            self.per_second = (self.per_second / 2.0).max(SLOWEST_PER_SECOND);
            return;
        };
        let measured = measured.min(self.per_second);
        // What went through from one refusal to the next, the pause included, it surely bears; and no more than that if
        // its bucket did not overflow during the pause.
        let borne = since.filter(|since| *since > 0.0).map(|since| (answers / since).min(measured));
        if seconds < LONG_ENOUGH_SECONDS && !meter.went_round() {
            self.search_from(borne.unwrap_or(SEARCH_FROM * measured));
        } else {
            self.level(measured, borne.unwrap_or(0.0), answers, resume);
        }
    }

    fn search_from(&mut self, start: f64) {
        self.stage = Stage::Search;
        self.per_second = start.max(SLOWEST_PER_SECOND);
        self.plateau = self.per_second;
    }

    fn level(&mut self, measured: f64, borne: f64, answers: f64, resume: Instant) {
        let is_same = (PLATEAU * measured / self.plateau - 1.0).abs() < SAME;
        let was_above = self.per_second > 1.02 * self.plateau;
        let back_to = match self.stage {
            Stage::Level { found_again } if is_same => {
                let stay = FIRST_STAY.mul_f64(self.second()) * (1 << found_again.min(8));
                self.leaves = Some(resume + stay.min(LONGEST_STAY));
                self.stage = Stage::Level { found_again: found_again.saturating_add(1) };
                self.plateau = if was_above {
                    // The pace rose gently, so that the mean before lags a little behind what it bears.
                    self.plateau.max(PLATEAU * f64::midpoint(measured, self.per_second))
                } else {
                    let lowest = if answers < FEW_ANSWERS { LOWERED_AFTER_FEW } else { LOWERED.0 };
                    let lower = PLATEAU * f64::midpoint(measured, borne);
                    lower.clamp(lowest * self.plateau, LOWERED.1 * self.plateau)
                };
                BACK_TO.1
            }
            Stage::Level { found_again } => {
                self.stage = Stage::Level { found_again: found_again / 2 };
                self.plateau = if found_again > 0 && was_above {
                    // It may bear more than it used to, or it had saved up for a burst.
                    (PLATEAU * f64::midpoint(measured, self.plateau)).max(self.plateau)
                } else {
                    // It grew while it was measured: it bears more than the mean.
                    PLATEAU * (measured + (self.per_second - measured) / 3.0)
                };
                BACK_TO.0
            }
            Stage::Search => {
                self.stage = Stage::Level { found_again: 0 };
                self.plateau = PLATEAU * measured;
                BACK_TO.0
            }
        };
        self.plateau = self.plateau.max(SLOWEST_PER_SECOND);
        self.per_second = back_to * self.plateau;
    }
}

/// Counts what was answered well in the last moments.
#[derive(Debug, Clone, Default)]
struct Meter {
    /// When this step began: with the first request after a pause, or where the step before it ended.
    from: Option<Instant>,
    answers: u32,
    earlier_answers: u32,
    earlier_seconds: f64,
}

impl Meter {
    fn answered(&mut self, now: Instant) {
        self.answers = self.answers.saturating_add(1);
        let Some(from) = self.from else { return };
        let passed = now.saturating_duration_since(from);
        if passed >= METERED && self.answers >= METERED_ANSWERS {
            let (earlier_answers, earlier_seconds) = (self.answers, passed.as_secs_f64());
            *self = Meter { from: Some(now), answers: 0, earlier_answers, earlier_seconds };
        }
    }

    fn went_round(&self) -> bool {
        self.earlier_answers > 0
    }

    /// The seconds measured and the answers per second in them, up to the departure of a refused request; `None` if
    /// there were none.
    fn reading(&self, until: Instant) -> Option<(f64, f64)> {
        let seconds = self.from.map_or(0.0, |from| seconds_between(from, until)) + self.earlier_seconds;
        let answers = self.answers.saturating_add(self.earlier_answers);
        // The refused one would have been one more, and its time is counted: half of it is fair.
        (answers > 0 && seconds > 0.0).then(|| (seconds, (f64::from(answers) + 0.5) / seconds))
    }
}

fn seconds_between(earlier: Instant, later: Instant) -> f64 {
    later.saturating_duration_since(earlier).as_secs_f64()
}
