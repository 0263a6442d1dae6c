//! One request ─▶ one page, a redirect to elsewhere, or why there is neither.
//!
//! [`Fetcher::fetch`] makes one exchange, undoes content encodings and judges the status, under the limits of a
//! [`FetchPolicy`]. It does not retry (but for a kept-alive connection that was dead already), does not look into the
//! body, and knows neither threads nor queues: all crawl threads share one `Fetcher` by reference. A redirect is
//! handed back, so that whoever knows the hosts can ask for its target under the rules of its host.
//!
//! `http` makes the exchange, `redirect` says where one may go, `header` what is sent along, [`decode`] unpacks.

mod address;
mod certificates;
pub mod decode;
mod header;
mod http;
mod policy;
mod proxy;
mod redirect;
mod retry_after;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Instant, SystemTime};

use url::Url;

pub use self::address::GivenAddress;
pub use self::certificates::{Authorities, CertificateError, Identity};
use self::decode::DecodeError;
use self::header::Headers;
pub use self::header::parse_header;
use self::http::{Answer, Client, HeaderSet};
pub use self::policy::{Family, FetchPolicy, NamedHosts};
pub use self::proxy::{ProxyUrl, ProxyUrlError};
use crate::model::{Exchange, Failure, Fetched, Page, PageError, Request};

/// Fetches pages; shared by all crawl threads.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    home: HeaderSet,
    away: HeaderSet,
    policy: FetchPolicy,
    is_aborted: AtomicBool,
}

/// What an exchange came to.
enum Step {
    Page { status: u16, content_type: Option<String>, body: Vec<u8> },
    Elsewhere(Url),
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

    /// Asks once for the target of `request`. It takes at most the policy's `timeout`.
    ///
    /// A page is a reply with status 2xx, or 3xx that is not a redirect to follow.
    pub fn fetch(&self, request: Request) -> Fetched {
        let mut exchange = Exchange::default();
        let step = self.step(&request, &mut exchange);
        // Whatever ended while connections were being shut down may be half a page.
        let step = if self.is_aborted.load(Ordering::SeqCst) { Err(PageError::Aborted) } else { step };
        match step {
            Ok(Step::Page { status, content_type, body }) => {
                let mut final_url = request.target().clone();
                redirect::strip(&mut final_url);
                let fetched_at = SystemTime::now();
                Fetched::Page(Page { request, final_url, status, content_type, body, fetched_at, exchange })
            }
            Ok(Step::Elsewhere(to)) => Fetched::Moved { request, to, exchange },
            Err(error) => Fetched::Failed(Box::new(Failure { request, error, exchange })),
        }
    }

    /// Fetches one page through all its redirects at once, for looking at it, not for a run.
    ///
    /// # Errors
    ///
    /// [`Failure`] with the request and every way a page can fail before it is parsed.
    pub fn fetch_through(&self, mut request: Request) -> Result<Page, Box<Failure>> {
        loop {
            match self.fetch(request) {
                Fetched::Page(page) => return Ok(page),
                Fetched::Moved { request: asked, to, .. } => request = asked.moved_to(to),
                Fetched::Failed(failure) => return Err(failure),
            }
        }
    }

    /// Closes all connections at once; requests under way and later ones end as [`PageError::Aborted`]. Only a TCP
    /// connection that is just being opened is waited for, up to the policy's `connect_timeout`.
    pub fn abort(&self) {
        self.is_aborted.store(true, Ordering::SeqCst);
        self.client.shut_down();
    }

    /// One exchange. Notes in `exchange` how the server behaved.
    fn step(&self, request: &Request, exchange: &mut Exchange) -> Result<Step, PageError> {
        let mut url = request.target().clone();
        redirect::strip(&mut url);
        let authorized;
        let headers = if !redirect::same_origin(&url, &request.url) {
            &self.away
        } else if let Some(value) = header::basic_authorization(&request.url) {
            authorized = self.home.with_authorization(&value);
            &authorized
        } else {
            &self.home
        };
        let asked_at = Instant::now();
        let is_named = self.policy.named_hosts.include(request);
        let answer = self.client.get(&url, headers, is_named, exchange)?;
        exchange.latency = Some(asked_at.elapsed());
        let location = answer.header("location").filter(|_| redirect::is_redirect(answer.status()));
        let Some(location) = location else {
            return self.receive(answer, exchange);
        };
        if request.redirects() >= self.policy.max_redirects {
            return Err(PageError::TooManyRedirects(self.policy.max_redirects));
        }
        let to = redirect::target(&url, location)?;
        answer.discard();
        Ok(Step::Elsewhere(to))
    }

    /// The page in an answer that leads nowhere else.
    fn receive(&self, answer: Answer, exchange: &mut Exchange) -> Result<Step, PageError> {
        let status = answer.status();
        if !matches!(status, 200..=399) {
            exchange.retry_after = answer.header("retry-after").and_then(retry_after::parse);
            answer.discard();
            return Err(PageError::Status(status));
        }
        let content_type =
            answer.header("content-type").map(|value| String::from_utf8_lossy(value).into_owned());
        let encoding = answer.list("content-encoding");
        let limit = self.policy.max_body_bytes;
        let body = decode::decode(answer.read(limit)?, &encoding, limit).map_err(|err| match err {
            DecodeError::TooLarge(limit) => PageError::TooLarge(limit),
            DecodeError::Bomb => PageError::Bomb(encoding),
            err => PageError::ContentEncoding { encoding, reason: err.to_string() },
        })?;
        Ok(Step::Page { status, content_type, body })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A policy for tests of this module's parts.
    pub(super) fn policy() -> FetchPolicy {
        FetchPolicy {
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(30),
            speed_limit: 0,
            speed_time: Duration::from_secs(30),
            max_body_bytes: 1 << 20,
            max_redirects: 10,
            headers: Vec::new(),
            user_agent: "pagemill-test".into(),
            connections: 4,
            allow_private: false,
            named_hosts: NamedHosts::OfEachRequest,
            addresses: Vec::new(),
            family: None,
            insecure: false,
            authorities: None,
            identity: None,
            proxies: Vec::new(),
            no_proxy: None,
            proxies_from_environment: false,
        }
    }

    #[test]
    fn a_fetcher_is_shared_by_threads() {
        fn is_sync<T: Sync>(_: &T) {}
        is_sync(&Fetcher::new(policy()));
    }
}
