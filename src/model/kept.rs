//! How requests that are not settled are kept from one commit to the next.

use std::time::Instant;

use super::{Request, RequestId, Unmade};

/// Where a request is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Among those that may go out: in the order of this rank, the lowest first, and within it of their numbers.
    Pending(u64),
    /// Among those that failed and are tried again.
    Waiting,
}

/// A request as it is kept from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    /// It may go out. With its rank; see [`Place::Pending`].
    Pending(u64, Request),
    /// It failed, and goes out again at this time.
    Waiting(Instant, Request),
    /// A place of the source without a request, which others wait for in ordered output.
    Unmade(Unmade),
}

/// What changed for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number.
    pub id: RequestId,
    /// Where it was kept; `None` if it is new.
    pub before: Option<Place>,
    /// How it is kept now; `None` if it is settled for good.
    pub now: Option<Kept>,
}
