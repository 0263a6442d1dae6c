//! When a host is given up.
//!
//! Each trouble makes the pause before the next request longer, so these counts are minutes of patience. Without an
//! end to it, a list with a thousand pages of a host that is gone would wait for days.

use std::time::{Duration, Instant};

use super::throttle::Verdict;
use crate::memory::Clock;
use crate::model::PageError;
use crate::wire::{Bytes, put_flag, put_number};

/// A host that has answered before is given up after so many troubles in a row: about eight minutes of pauses.
const PATIENCE: u32 = 10;

/// One that has never been reached, after so many.
const PATIENCE_WITH_STRANGERS: u32 = 3;

/// Requests that were under way together and fail together are one trouble.
const TOGETHER: Duration = Duration::from_secs(1);

/// For so long nothing is asked of it; then one request may find out whether it is back.
const GIVEN_UP_FOR: Duration = Duration::from_secs(10 * 60);

/// The troubles with one host since it last answered.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    in_a_row: u32,
    has_answered: bool,
    last_at: Option<Instant>,
    given_up: Option<(Box<PageError>, Instant)>,
}

impl Troubles {
    /// Notes how a request ended.
    pub(super) fn note(&mut self, verdict: Verdict, error: Option<&PageError>, now: Instant) {
        match verdict {
            Verdict::Answered { .. } => *self = Troubles { has_answered: true, ..Troubles::default() },
            Verdict::Broken => {}
            Verdict::Refused { .. } | Verdict::TimedOut => {
                // Whoever refuses is there.
                self.has_answered |= matches!(verdict, Verdict::Refused { .. });
                if self.last_at.is_none_or(|last| now.saturating_duration_since(last) >= TOGETHER) {
                    self.in_a_row += 1;
                }
                self.last_at = Some(now);
                let patience = if self.has_answered { PATIENCE } else { PATIENCE_WITH_STRANGERS };
                if self.in_a_row >= patience
                    && let Some(error) = error
                {
                    self.given_up = Some((Box::new(error.clone()), now + GIVEN_UP_FOR));
                }
            }
        }
    }

    /// Begins to count anew; whether the host has ever answered is still known.
    pub(super) fn forgive(&mut self) {
        *self = Troubles { has_answered: self.has_answered, ..Troubles::default() };
    }

    /// Appends what [`Troubles::take`] reads. Nothing that fails later fails together with what failed before.
    pub(super) fn put(&self, clock: Clock, out: &mut Vec<u8>) {
        put_number(self.in_a_row.into(), out);
        put_flag(self.has_answered, out);
        let given_up = self.given_up.as_ref().filter(|(_, until)| *until > clock.instant);
        put_flag(given_up.is_some(), out);
        if let Some((error, until)) = given_up {
            put_number(clock.to_unix_ms(*until), out);
            error.put(out);
        }
    }

    pub(super) fn take(bytes: &mut Bytes<'_>, clock: Clock) -> Option<Troubles> {
        let (in_a_row, has_answered) = (bytes.number()?.try_into().ok()?, bytes.flag()?);
        let given_up = if bytes.flag()? {
            let until = clock.from_unix_ms(bytes.number()?, GIVEN_UP_FOR);
            Some((Box::new(PageError::take(bytes)?), until))
        } else {
            None
        };
        Some(Troubles { in_a_row, has_answered, last_at: None, given_up })
    }

    /// Why the host is given up at `now`, if it is.
    pub(super) fn given_up(&self, now: Instant) -> Option<&PageError> {
        self.given_up.as_ref().filter(|(_, until)| now < *until).map(|(error, _)| &**error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Verdict = Verdict::Refused { asked: None };

    fn at(seconds: u32) -> Instant {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *START.get_or_init(Instant::now) + seconds * Duration::from_secs(1)
    }

    fn connect() -> PageError {
        PageError::Connect("refused".into())
    }

    #[test]
    fn a_stranger_is_given_up_sooner_than_a_host_that_has_answered() {
        let mut troubles = Troubles::default();
        for second in 0..3 {
            assert_eq!(troubles.given_up(at(second)), None);
            troubles.note(Verdict::TimedOut, Some(&connect()), at(second));
        }
        assert_eq!(troubles.given_up(at(3)), Some(&connect()));

        let mut troubles = Troubles::default();
        troubles.note(Verdict::Answered { status: 404 }, None, at(0));
        for second in 0..10 {
            assert_eq!(troubles.given_up(at(second)), None);
            troubles.note(Verdict::TimedOut, Some(&connect()), at(second));
        }
        assert!(troubles.given_up(at(10)).is_some());
    }

    #[test]
    fn any_answer_forgives_everything() {
        let mut troubles = Troubles::default();
        for second in 0..100 {
            let verdict = if second % 5 == 4 { Verdict::Answered { status: 200 } } else { REFUSED };
            troubles.note(verdict, Some(&PageError::Status(429)), at(second));
        }
        assert_eq!(troubles.given_up(at(100)), None);
    }

    #[test]
    fn one_that_is_forgiven_is_given_up_again_only_after_as_many_troubles() {
        let mut troubles = Troubles::default();
        (0..3).for_each(|second| troubles.note(Verdict::TimedOut, Some(&connect()), at(second)));
        troubles.forgive();
        assert_eq!(troubles.given_up(at(3)), None);
        (4..6).for_each(|second| troubles.note(Verdict::TimedOut, Some(&connect()), at(second)));
        assert_eq!(troubles.given_up(at(6)), None);
    }

    #[test]
    fn what_fails_together_is_one_trouble() {
        let mut troubles = Troubles::default();
        for _ in 0..100 {
            troubles.note(Verdict::TimedOut, Some(&connect()), at(0));
        }
        assert_eq!(troubles.given_up(at(0)), None);
    }

    #[test]
    fn after_a_while_one_request_may_find_out_whether_it_is_back() {
        let mut troubles = Troubles::default();
        for second in 0..3 {
            troubles.note(Verdict::TimedOut, Some(&connect()), at(second));
        }
        assert!(troubles.given_up(at(600)).is_some());
        assert_eq!(troubles.given_up(at(602)), None);
        troubles.note(Verdict::TimedOut, Some(&connect()), at(605));
        assert!(troubles.given_up(at(606)).is_some());
    }
}
