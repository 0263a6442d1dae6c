//! Channels, threads and the wait on several of them at once: the only user of crossbeam-channel.
//!
//! The hand-over between threads is written against the names of this module, so that the model checker can put
//! its own channels and threads behind the same names (`pipeline/modelled.rs`). Keep it as small as that allows.

use std::time::Instant;

pub(crate) use std::sync::atomic::{AtomicU8, Ordering};
pub(crate) use std::thread::{Scope, ScopedJoinHandle, panicking, scope};

pub(crate) use crossbeam_channel::{Receiver, Sender, bounded};

/// What ended a [`wait`].
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<T> {
    /// The offered message was taken.
    Sent,
    /// A message came.
    Received(T),
    /// Every sender of the incoming channel is gone, and it is empty.
    Closed,
    /// Somebody knocked.
    Woken,
    /// The deadline passed.
    Due,
}

/// Waits for the first of: `offer` is taken from its slot into the channel, a message comes in, a knock, the
/// deadline. An empty slot is not offered.
pub(crate) fn wait<Q, T>(
    outgoing: &Sender<Q>,
    offer: &mut Option<Q>,
    incoming: &Receiver<T>,
    knocks: &Receiver<()>,
    deadline: Option<Instant>,
) -> Event<T> {
    let mut select = crossbeam_channel::Select::new();
    let receive = select.recv(incoming);
    let knock = select.recv(knocks);
    if offer.is_some() {
        select.send(outgoing);
    }
    let operation = match deadline {
        Some(deadline) => match select.select_deadline(deadline) {
            Ok(operation) => operation,
            Err(_) => return Event::Due,
        },
        None => select.select(),
    };
    match operation.index() {
        index if index == receive => operation.recv(incoming).map_or(Event::Closed, Event::Received),
        index if index == knock => {
            // The knocker lives as long as the run; even if it did not, looking at the flag again is harmless.
            let _ = operation.recv(knocks);
            Event::Woken
        }
        _ => {
            let message = offer.take().expect("an empty slot is not offered");
            match operation.send(outgoing, message) {
                Ok(()) => Event::Sent,
                Err(error) => {
                    *offer = Some(error.0);
                    Event::Closed
                }
            }
        }
    }
}

/// Starts a named thread with an explicit stack.
///
/// # Errors
/// The system refuses another thread.
pub(crate) fn spawn<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    name: &str,
    stack_bytes: usize,
    body: impl FnOnce() + Send + 'scope,
) -> std::io::Result<ScopedJoinHandle<'scope, ()>> {
    std::thread::Builder::new().name(name.to_owned()).stack_size(stack_bytes).spawn_scoped(scope, body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn an_empty_slot_is_not_offered_and_the_deadline_ends_the_wait() {
        let (outgoing, taken) = bounded::<u8>(1);
        let (_keep, incoming) = bounded::<u8>(1);
        let (_knocker, knocks) = bounded(1);
        let due = Some(Instant::now() + Duration::from_millis(1));
        assert_eq!(wait(&outgoing, &mut None, &incoming, &knocks, due), Event::Due);
        assert!(taken.is_empty());
    }

    #[test]
    fn an_offer_leaves_its_slot_only_when_it_was_taken() {
        let (outgoing, taken) = bounded(1);
        let (keep, incoming) = bounded::<u8>(1);
        let (_knocker, knocks) = bounded(1);
        let mut offer = Some(7);
        assert_eq!(wait(&outgoing, &mut offer, &incoming, &knocks, None), Event::Sent);
        assert_eq!((offer, taken.try_recv()), (None, Ok(7)));

        outgoing.send(8).unwrap();
        drop(keep);
        let mut offer = Some(9);
        assert_eq!(wait(&outgoing, &mut offer, &incoming, &knocks, None), Event::Closed);
        assert_eq!(offer, Some(9));
    }
}
