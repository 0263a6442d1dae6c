//! What the pace of a host learns from an outcome.

use std::time::Duration;

use super::Gave;
use super::throttle::{Reply, Verdict};
use crate::model::{Exchange, PageError};

/// The reply that an outcome tells of.
pub(super) fn reply_of(result: &Result<Gave<'_>, &PageError>, exchange: Exchange) -> Reply {
    let verdict = match result {
        Ok(Gave::Moved(_)) => Verdict::Answered { status: 302 },
        Ok(_) => Verdict::Answered { status: 200 },
        // 999 is what LinkedIn says to crawlers.
        Err(PageError::Status(429 | 503 | 999)) => Verdict::Refused { asked: exchange.retry_after },
        Err(PageError::Status(status)) => Verdict::Answered { status: *status },
        Err(PageError::Timeout { .. }) if exchange.latency.is_none() => Verdict::TimedOut,
        // The server did its part; what it sent is another matter.
        Err(_) if exchange.latency.is_some() => Verdict::Answered { status: 200 },
        Err(_) => Verdict::Broken,
    };
    Reply { latency: exchange.latency.unwrap_or(Duration::ZERO), verdict }
}
