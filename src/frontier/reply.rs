//! What the pace of a host learns from an outcome.

use std::time::Duration;

use super::Gave;
use super::throttle::{Reply, Verdict};
use crate::model::{Exchange, PageError};

/// The reply that an outcome tells of.
pub(super) fn reply_of(result: &Result<Gave<'_>, &PageError>, exchange: Exchange) -> Reply {
    let verdict = match result {
        // How fast our disk is says nothing about the host.
        _ if exchange.kept_since.is_some() => Verdict::Broken,
        Ok(Gave::Moved(_)) => Verdict::Answered { status: 302 },
        Ok(_) => Verdict::Answered { status: 200 },
        Err(error) if pauses_host(error) => Verdict::Refused { asked: exchange.retry_after },
        Err(PageError::Status(status)) => Verdict::Answered { status: *status },
        Err(PageError::Timeout { .. } | PageError::Connect(_)) if exchange.latency.is_none() => {
            Verdict::TimedOut
        }
        // The server did its part; what it sent is another matter.
        Err(_) if exchange.latency.is_some() => Verdict::Answered { status: 200 },
        Err(_) => Verdict::Broken,
    };
    Reply { latency: exchange.latency.unwrap_or(Duration::ZERO), verdict }
}

/// Whether a server that answers so is asked for nothing for a while: what `Retry-After` says there holds for the whole
/// host, and otherwise for the page.
pub(super) fn pauses_host(error: &PageError) -> bool {
    // 999 is what LinkedIn says to crawlers.
    matches!(error, PageError::Status(429 | 503 | 999))
}
