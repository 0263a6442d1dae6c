//! A connection that is watched while it is used: whom it leads to, how it ends, whether it keeps moving.
//!
//! ureq reports a connection that breaks as an I/O error, or, in a body without a length, as its regular end. Which
//! it is, and whether the connection had been idle before, is only known here.

use std::cell::Cell;
use std::error::Error as StdError;
use std::net::IpAddr;
use std::time::Instant;
use std::{fmt, io};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::pace::{LeastSpeed, Pace};
use super::reading;

/// More input than this that nothing could be made of is not the end of a connection but nonsense without end.
const MAX_UNREADABLE_BYTES: usize = 64 << 10;

/// How often new input may begin with one more interim reply (RFC 9110 15.2). Honest servers send a few of them.
const MAX_INTERIM: u32 = 100;

thread_local! {
    /// Whom the request of this thread was sent to. ureq hands no word of a connection on to the reply; but it sends on
    /// the thread that asks.
    static PEER: Cell<Option<IpAddr>> = const { Cell::new(None) };
}

/// The address that the last request of this thread was sent to; forgets it.
pub(super) fn take_peer() -> Option<IpAddr> {
    PEER.take()
}

/// How a connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// A connection that had served before ended before the reply: most likely closed while it was idle.
    Stale,
    /// Closed without a byte of reply.
    NoReply,
    /// Reset, or closed without TLS's goodbye, after some bytes.
    Reset,
    /// More bytes than any line of HTTP has, without an end.
    Unreadable,
    /// Interim replies (1xx) and no end of them.
    Interim,
    /// Between two pieces of a body, or behind it, more than belongs there.
    Fruitless,
    /// Slower than is worth waiting for.
    Slow,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cut::Stale | Cut::NoReply => "closed without a reply",
            Cut::Reset => "reset by the server",
            Cut::Unreadable => "a line without end",
            Cut::Interim => "interim replies (1xx) without end",
            Cut::Fruitless => "chunks or trailers without end",
            Cut::Slow => "too slow",
        })
    }
}

impl StdError for Cut {}

/// Whether the request may be sent again at once: it went to a connection that was already dead.
pub(super) fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Other(inner) if inner.downcast_ref() == Some(&Cut::Stale))
}

/// A connection that knows whether it has served before and whether the present request has had an answer.
#[derive(Debug)]
pub(super) struct Watched {
    connection: Box<dyn Transport>,
    peer: Option<IpAddr>,
    has_served: bool,
    has_answer: bool,
    pace: Pace,
    interim: u32,
}

impl Watched {
    /// `peer` is `None` for a connection to a proxy.
    pub(super) fn new(
        connection: Box<dyn Transport>,
        peer: Option<IpAddr>,
        least_speed: Option<LeastSpeed>,
    ) -> Watched {
        let pace = Pace::new(least_speed);
        Watched { connection, peer, has_served: false, has_answer: false, pace, interim: 0 }
    }

    /// What speaks against going on after input came, where there had been `before` bytes.
    fn objection(&mut self, before: usize) -> Option<Cut> {
        let input = self.connection.buffers().input();
        if is_interim(input) {
            self.interim += 1;
        }
        let came = input.len().saturating_sub(before);
        reading::note(came);
        if self.interim > MAX_INTERIM {
            Some(Cut::Interim)
        } else {
            self.pace.is_too_slow_after(came, Instant::now()).then_some(Cut::Slow)
        }
    }

    fn cut(&self) -> Error {
        Error::Other(Box::new(match (self.has_answer, self.has_served) {
            (false, true) => Cut::Stale,
            (false, false) => Cut::NoReply,
            (true, _) => Cut::Reset,
        }))
    }

    fn or_cut(&self, error: Error) -> Error {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
        match &error {
            Error::Io(err)
                if matches!(
                    err.kind(),
                    BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
                ) =>
            {
                self.cut()
            }
            _ => error,
        }
    }
}

/// Whether this begins with the status line of an interim reply; 101 is the last of its connection.
fn is_interim(input: &[u8]) -> bool {
    input.starts_with(b"HTTP/1.1 1") && !input.starts_with(b"HTTP/1.1 101")
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        PEER.set(self.peer);
        self.pace.restart();
        self.interim = 0;
        if self.has_answer {
            self.has_served = true;
            self.has_answer = false;
        }
        self.connection.transmit_output(amount, timeout).map_err(|err| self.or_cut(err))
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        if reading::is_fruitless() {
            return Err(Error::Other(Box::new(Cut::Fruitless)));
        }
        if let Some(left) = reading::time_left(Instant::now()) {
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            timeout.after = timeout.after.min(left.into());
        }
        let before = self.connection.buffers().input().len();
        match self.connection.await_input(timeout) {
            Ok(true) => {
                self.has_answer = true;
                self.objection(before).map_or(Ok(true), |cut| Err(Error::Other(Box::new(cut))))
            }
            Ok(false) if self.connection.buffers().input().len() > MAX_UNREADABLE_BYTES => {
                Err(Error::Other(Box::new(Cut::Unreadable)))
            }
            Ok(false) if self.has_answer => Ok(false),
            Ok(false) => Err(self.cut()),
            Err(err) => Err(self.or_cut(err)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}
