//! One request ─▶ one page, or why there is none.
//!
//! [`Fetcher::fetch`] follows redirects, undoes content encodings and judges the status, under the limits of a
//! [`FetchPolicy`]. It does not retry (but for a kept-alive connection that was dead already), does not look into the
//! body, and knows neither threads nor queues: all crawl threads share one `Fetcher` by reference.
//!
//! `http` makes one exchange, `redirect` says where one may go, `header` what is sent along, [`decode`] unpacks.

pub mod decode;
mod header;
mod http;
mod policy;
mod redirect;
mod retry_after;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use url::Url;

use self::decode::DecodeError;
use self::header::Headers;
pub use self::header::parse_header;
use self::http::{Answer, Client, HeaderSet};
pub use self::policy::FetchPolicy;
use crate::model::{Page, PageError, Request};

/// Fetches pages; shared by all crawl threads.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    home: HeaderSet,
    away: HeaderSet,
    policy: FetchPolicy,
    is_aborted: AtomicBool,
}

/// A request that gave no page.
#[derive(Debug)]
pub struct Failure {
    /// The request, as it came in.
    pub request: Request,
    /// Why.
    pub error: PageError,
    /// How long the server asks to be left alone (`Retry-After`, RFC 9110 10.2.3), as it says: the caller must cap
    /// it.
    pub retry_after: Option<Duration>,
}

/// An error and what the server said about trying again.
struct Refusal(PageError, Option<Duration>);

impl From<PageError> for Refusal {
    fn from(error: PageError) -> Refusal {
        Refusal(error, None)
    }
}

/// A page without its request.
struct Found {
    url: Url,
    status: u16,
    content_type: Option<String>,
    body: Vec<u8>,
}

impl Fetcher {
    /// A fetcher without connections yet.
    pub fn new(policy: FetchPolicy) -> Fetcher {
        let headers = Headers::new(&policy);
        let home = HeaderSet::new(&headers.home);
        Fetcher {
            client: Client::new(&policy, &home),
            home,
            away: HeaderSet::new(&headers.away),
            policy,
            is_aborted: AtomicBool::new(false),
        }
    }

    /// Fetches one page by GET, following redirects. It takes at most the policy's `timeout`.
    ///
    /// A page is a reply with status 2xx, or 3xx that is not a redirect to follow.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the request and every way a page can fail before it is parsed.
    pub fn fetch(&self, request: Request) -> Result<Page, Box<Failure>> {
        match self.follow(&request.url) {
            // Whatever ended while connections were being shut down may be half a page.
            _ if self.is_aborted.load(Ordering::SeqCst) => {
                Err(Box::new(Failure { request, error: PageError::Aborted, retry_after: None }))
            }
            Ok(Found { url, status, content_type, body }) => {
                let fetched_at = SystemTime::now();
                Ok(Page { request, final_url: url, status, content_type, body, fetched_at })
            }
            Err(Refusal(error, retry_after)) => Err(Box::new(Failure { request, error, retry_after })),
        }
    }

    /// Closes all connections at once; requests under way and later ones end as [`PageError::Aborted`]. Only a TCP
    /// connection that is just being opened is waited for, up to the policy's `connect_timeout`.
    pub fn abort(&self) {
        self.is_aborted.store(true, Ordering::SeqCst);
        self.client.shut_down();
    }

    /// The page that `start` leads to.
    fn follow(&self, start: &Url) -> Result<Found, Refusal> {
        let begun = Instant::now();
        let authorized = header::basic_authorization(start).map(|value| self.home.with_authorization(&value));
        let home = authorized.as_ref().unwrap_or(&self.home);
        let mut url = start.clone();
        redirect::strip(&mut url);
        let mut deadline = None;
        for redirects in 0.. {
            let headers = if redirect::same_origin(&url, start) { home } else { &self.away };
            let answer = self.client.get(&url, headers, deadline)?;
            let location = answer.header("location").filter(|_| redirect::is_redirect(answer.status()));
            let Some(location) = location else {
                return self.receive(url, answer);
            };
            if redirects == self.policy.max_redirects {
                return Err(PageError::TooManyRedirects(self.policy.max_redirects).into());
            }
            url = redirect::target(&url, location)?;
            answer.discard();
            deadline = begun.checked_add(self.policy.timeout);
        }
        unreachable!("the count of redirects reaches its limit")
    }

    /// The page in an answer that leads nowhere else.
    fn receive(&self, url: Url, answer: Answer) -> Result<Found, Refusal> {
        let status = answer.status();
        if !matches!(status, 200..=399) {
            let retry_after = answer.header("retry-after").and_then(retry_after::parse);
            answer.discard();
            return Err(Refusal(PageError::Status(status), retry_after));
        }
        let content_type =
            answer.header("content-type").map(|value| String::from_utf8_lossy(value).into_owned());
        let encoding = answer.list("content-encoding");
        let limit = self.policy.max_body_bytes;
        let body = decode::decode(answer.read(limit)?, &encoding, limit).map_err(|err| match err {
            DecodeError::TooLarge(limit) => PageError::TooLarge(limit),
            err => PageError::ContentEncoding { encoding, reason: err.to_string() },
        })?;
        Ok(Found { url, status, content_type, body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy for tests of this module's parts.
    pub(super) fn policy() -> FetchPolicy {
        FetchPolicy {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            max_body_bytes: 1 << 20,
            max_redirects: 10,
            headers: Vec::new(),
            user_agent: "pagemill-test".into(),
            connections: 4,
            proxies_from_environment: false,
        }
    }

    #[test]
    fn a_fetcher_is_shared_by_threads() {
        fn is_sync<T: Sync>(_: &T) {}
        is_sync(&Fetcher::new(policy()));
    }
}
