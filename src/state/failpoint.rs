//! Places where a test lets the process die, to see that what is on disk then is enough to go on.
//!
//! In a release nothing of this is left.

/// The steps of a commit and of the end of a run, in the order in which they come.
pub const STEPS: [&str; 10] = [
    "handed over",
    "lines synced",
    "batch made",
    "batch written",
    "run finished",
    "manifest removed",
    "store removed",
    "manifest renamed",
    "forgetting",
    "forgotten",
];

/// Dies here without a word, as by kill -9, if `PAGEMILL_DIE_AT` names this step, and its number says so: `STEP:3` is
/// the third time.
#[cfg(debug_assertions)]
pub fn pass(step: &'static str) {
    use std::sync::atomic::{AtomicU32, Ordering};
    static PASSED: AtomicU32 = AtomicU32::new(0);
    debug_assert!(STEPS.contains(&step), "{step} is in the list");
    let Some((name, count)) = std::env::var("PAGEMILL_DIE_AT").ok().and_then(|at| {
        let (name, count) = at.split_once(':')?;
        Some((name.to_owned(), count.parse::<u32>().ok()?))
    }) else {
        return;
    };
    if name == step && PASSED.fetch_add(1, Ordering::SeqCst) + 1 == count {
        std::process::abort();
    }
}

/// Nothing, in a release.
#[cfg(not(debug_assertions))]
pub fn pass(_step: &'static str) {}
