//! How the body that this thread reads may behave: how long it may be waited for, and how much of it may come to nothing.
//!
//! ureq has no way to tell a connection that is under way something new; but a body is read on the thread that asks
//! for it. So this is kept by thread: whoever reads a body begins a [`Reading`], the connection below
//! ([`watched`](super::watched)) looks at it.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// What may come between two pieces of a body: the lines of a chunk, trailers. Each is read and forgotten, so without a
/// bound they could go on for ever.
const MAX_BETWEEN_PIECES: usize = 64 << 10;

thread_local! {
    static PRESENT: Cell<State> = const { Cell::new(State { is_body: false, until: None, fruitless: 0 }) };
}

#[derive(Clone, Copy)]
struct State {
    is_body: bool,
    until: Option<Instant>,
    /// Bytes that came since there was a piece of the body.
    fruitless: usize,
}

/// A body is read on this thread for as long as this lives.
#[derive(Debug)]
pub(super) struct Reading(());

impl Reading {
    /// Begins it; what has not come by `until` is not waited for.
    pub(super) fn begin(until: Option<Instant>) -> Reading {
        PRESENT.set(State { is_body: true, until, fruitless: 0 });
        Reading(())
    }

    /// A piece of the body has come.
    pub(super) fn has_piece(&self) {
        PRESENT.set(State { fruitless: 0, ..PRESENT.get() });
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        PRESENT.set(State { is_body: false, until: None, fruitless: 0 });
    }
}

/// How much longer may be waited for a piece; `None` without a limit.
pub(super) fn time_left(now: Instant) -> Option<Duration> {
    PRESENT.get().until.map(|until| until.saturating_duration_since(now))
}

/// Bytes came in.
pub(super) fn note(bytes: usize) {
    let present = PRESENT.get();
    PRESENT.set(State { fruitless: present.fruitless.saturating_add(bytes), ..present });
}

/// Whether so much came without a piece of the body that more is not asked for.
pub(super) fn is_fruitless() -> bool {
    let present = PRESENT.get();
    present.is_body && present.fruitless > MAX_BETWEEN_PIECES
}
