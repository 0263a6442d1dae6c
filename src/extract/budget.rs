//! How much work an expression may still do on a page: steps are counted, not time, so that a page fails the same way
//! on every machine.
//!
//! Knows nothing of expressions; each evaluator says what a step is.

use std::cell::Cell;

/// The steps that are left. Once it is spent it stays spent.
#[derive(Debug, Clone)]
pub struct Budget(Cell<u64>);

/// A page asked for more work than its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("takes too much work on this page")]
pub struct TooMuchWork;

impl Budget {
    /// A budget of `steps`.
    pub fn new(steps: u64) -> Budget {
        // 0 is the mark of a spent budget, so that one number is enough.
        Budget(Cell::new(steps.saturating_add(1)))
    }

    /// Takes `steps` away.
    ///
    /// # Errors
    ///
    /// There are not as many left, now or at an earlier call.
    #[inline]
    pub fn charge(&self, steps: u64) -> Result<(), TooMuchWork> {
        let left = self.0.get().saturating_sub(steps);
        self.0.set(left);
        if left == 0 { Err(TooMuchWork) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_can_be_used_up_exactly() {
        let budget = Budget::new(3);
        assert_eq!(budget.charge(2), Ok(()));
        assert_eq!(budget.charge(1), Ok(()));
        assert_eq!(budget.charge(0), Ok(()));
        assert_eq!(budget.charge(1), Err(TooMuchWork));
    }

    #[test]
    fn a_spent_budget_stays_spent() {
        let budget = Budget::new(3);
        assert_eq!(budget.charge(u64::MAX), Err(TooMuchWork));
        assert_eq!(budget.charge(0), Err(TooMuchWork));
    }
}
