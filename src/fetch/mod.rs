//! One request ─▶ one page, a redirect to elsewhere, or why there is neither.
//!
//! [`Fetcher::fetch`] makes one exchange, undoes content encodings and judges the status, under the limits of a
//! [`FetchPolicy`]. It does not retry (but for a kept-alive connection that was dead already), does not look into the
//! body, and knows neither threads nor queues: all crawl threads share one `Fetcher` by reference. A redirect is
//! handed back, so that whoever knows the hosts can ask for its target under the rules of its host.
//!
//! `http` makes the exchange, or `cache` spares it, and `kept` stands between the two; `redirect` says where one may go,
//! `header` what is sent along, [`credentials`] and [`cookies`] who one is, [`decode`] unpacks. Whatever is a secret is a
//! [`Secret`].

mod address;
mod cache;
mod certificates;
pub mod cookies;
pub mod credentials;
pub mod decode;
mod header;
mod http;
mod kept;
mod policy;
mod proxy;
mod redirect;
mod retry_after;
mod secret;

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Instant, SystemTime};

use url::Url;

pub use self::address::GivenAddress;
use self::cache::Cache;
pub use self::cache::{CacheError, CachePolicy, check_cache_folder};
pub use self::certificates::{Authorities, CertificateError, Identity};
use self::cookies::Jar;
use self::decode::DecodeError;
use self::header::Headers;
pub use self::header::parse_header;
use self::http::{Answer, Client, HeaderSet};
pub use self::policy::{Family, FetchPolicy, NamedHosts};
pub use self::proxy::{ProxyUrl, ProxyUrlError};
use self::redirect::Standing;
pub use self::secret::Secret;
use crate::memory::Change;
use crate::model::{Errand, Exchange, Failure, Fetched, Page, PageError, Request, display_url};

/// How much of a robots.txt is read, whatever the limit for pages: what RFC 9309 2.5 asks of every crawler.
const ROBOTS_BYTES: u64 = 500 << 10;

/// Fetches pages; shared by all crawl threads.
#[derive(Debug)]
pub struct Fetcher {
    client: Client,
    home: HeaderSet,
    away: HeaderSet,
    cache: Option<Cache>,
    /// How many requests have taken a user agent; `None` if there is no choice.
    agents_taken: Option<AtomicUsize>,
    /// The user's own cookies.
    own_cookies: Vec<(String, Secret)>,
    /// What the servers have set; `None` if nothing is kept. Locked for a look in front of each exchange, and to put
    /// in what came; held over neither.
    jar: Option<RwLock<Jar>>,
    policy: FetchPolicy,
    is_aborted: AtomicBool,
}

/// What a sitemap may have.
const SITEMAP_BYTES: u64 = 50 << 20;

/// What an exchange came to.
enum Step {
    Page {
        status: u16,
        content_type: Option<String>,
        robots_tag: Vec<String>,
        body: Vec<u8>,
    },
    Elsewhere {
        to: Url,
        /// Whether the request goes on as a GET.
        as_get: bool,
    },
}

impl Fetcher {
    /// A fetcher without connections yet.
    pub fn new(policy: FetchPolicy) -> Fetcher {
        let headers = Headers::new(&policy);
        let home = HeaderSet::new(&headers.home);
        let mut own_cookies = policy.own_cookies.clone();
        for written in &headers.cookies {
            // What is not written as cookies was not meant to be read; it has no name that another could replace.
            own_cookies.extend(
                cookies::parse_cookies(written)
                    .unwrap_or_else(|_| vec![(String::new(), Secret::new(written))]),
            );
        }
        let names_itself = policy.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent"));
        let takes_turns = policy.user_agents.len() > 1 && !names_itself;
        Fetcher {
            client: Client::new(&policy, &home),
            home,
            away: HeaderSet::new(&headers.away),
            cache: policy.cache.as_ref().map(Cache::new),
            agents_taken: takes_turns.then(AtomicUsize::default),
            own_cookies,
            jar: policy.cookies.clone().map(RwLock::new),
            policy,
            is_aborted: AtomicBool::new(false),
        }
    }

    /// Asks once for the target of `request`. It takes at most the policy's `timeout`.
    ///
    /// A page is a reply with status 2xx, or 3xx that is not a redirect to follow.
    pub fn fetch(&self, mut request: Request) -> Fetched {
        let mut exchange = Exchange::default();
        if request.errand == Errand::Address {
            exchange.peer = self.client.address_of(request.target());
            return Fetched::Address { request, exchange };
        }
        let step = self.step(&request, &mut exchange);
        // Whatever ended while connections were being shut down may be half a page.
        let step = if self.is_aborted.load(Ordering::SeqCst) { Err(PageError::Aborted) } else { step };
        match step {
            Ok(Step::Page { status, content_type, robots_tag, body }) => {
                let mut final_url = request.target().clone();
                redirect::strip(&mut final_url);
                let fetched_at = exchange.kept_since.unwrap_or_else(SystemTime::now);
                Fetched::Page(Page {
                    request,
                    final_url,
                    status,
                    content_type,
                    body,
                    robots_tag,
                    fetched_at,
                    exchange,
                })
            }
            Ok(Step::Elsewhere { to, as_get }) => {
                if as_get {
                    request.message = None;
                }
                Fetched::Moved { request, to, exchange }
            }
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
                Fetched::Address { request: asked, .. } => {
                    request = Request { errand: Errand::Page, ..asked };
                }
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
        let standing = match redirect::standing(&request.url, &url) {
            // It says the same to everybody, and whoever led to its host may have led from https down to http.
            _ if request.errand == Errand::Robots => Standing::Bare,
            // A page wrote that URL. Its host is nobody's home.
            Standing::Home if request.is_by_page => Standing::Away,
            standing => standing,
        };
        let headers = self.headers(request, &url, standing);
        let answer = self.answer(&url, &headers, request, exchange)?;
        let location = answer.header("location").filter(|_| redirect::is_redirect(answer.status()));
        let Some(location) = location else {
            return self.receive(answer, request.errand, exchange);
        };
        if request.redirects() >= self.policy.max_redirects {
            return Err(PageError::TooManyRedirects(self.policy.max_redirects));
        }
        let to = redirect::target(&url, location)?;
        let as_get = match request.message.as_deref() {
            None => true,
            Some(message) if redirect::becomes_get(answer.status(), &message.method) => true,
            Some(_) if redirect::standing(&request.url, &to) == Standing::Home => false,
            Some(message) => {
                let method = &message.method;
                return Err(PageError::RedirectRefused {
                    to: display_url(&to),
                    reason: format!(
                        "the {method} would go with it, which was meant for the origin of the URL"
                    ),
                });
            }
        };
        answer.discard();
        Ok(Step::Elsewhere { to, as_get })
    }

    /// What is sent to `url` beside the request line.
    fn headers(&self, request: &Request, url: &Url, standing: Standing) -> Cow<'_, HeaderSet> {
        let mut headers = Cow::Borrowed(if standing == Standing::Home { &self.home } else { &self.away });
        if let Some(taken) = &self.agents_taken {
            let agents = &self.policy.user_agents;
            headers.to_mut().remove("user-agent");
            headers.to_mut().add("user-agent", &agents[taken.fetch_add(1, Ordering::Relaxed) % agents.len()]);
        }
        if let Some(value) = self.policy.credentials.authorization(&request.url, url, standing) {
            headers.to_mut().add("authorization", value.reveal());
        }
        match &request.message {
            Some(message) => {
                if let Some(content_type) = message.content_type {
                    headers.to_mut().add("content-type", content_type);
                }
            }
            // The body stayed behind, and what was said of it with it.
            None if request.moved.is_some() && headers.has("content-type") => {
                headers.to_mut().remove("content-type");
            }
            None => {}
        }
        if let Some(cookies) = self.cookies(url, standing) {
            headers.to_mut().add("cookie", &cookies);
        }
        headers
    }

    /// The `Cookie` header for `url`.
    fn cookies(&self, url: &Url, standing: Standing) -> Option<String> {
        let jar = self.jar.as_ref().map(|jar| jar.read().unwrap_or_else(PoisonError::into_inner));
        let kept = match &jar {
            Some(jar) if standing != Standing::Bare && !jar.is_empty() => jar.cookies_for(url),
            _ => Vec::new(),
        };
        let own: &[_] = if standing == Standing::Home { &self.own_cookies } else { &[] };
        let own = own.iter().map(|(name, value)| (name.as_str(), value.reveal()));
        let own = own.filter(|(name, _)| name.is_empty() || kept.iter().all(|(other, _)| other != name));
        let pairs: Vec<String> = own
            .chain(kept.iter().copied())
            .map(|(name, value)| if name.is_empty() { value.to_owned() } else { format!("{name}={value}") })
            .collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }

    fn keep_cookies(&self, answer: &Answer, url: &Url) {
        let Some(jar) = &self.jar else { return };
        let mut set = answer.all("set-cookie").peekable();
        if set.peek().is_some() {
            let mut jar = jar.write().unwrap_or_else(PoisonError::into_inner);
            set.for_each(|cookie| jar.store(cookie, url));
        }
    }

    /// The cookies as they are now; `None` if none are kept.
    pub fn jar(&self) -> Option<Jar> {
        self.jar.as_ref().map(|jar| jar.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Brings back the cookies that [`Fetcher::take_cookie_changes`] told of, of which everything was kept, in any order,
    /// in place of those of the policy; and notes changes from here on. To be called before the first request, and
    /// without entries for a run that begins: then the cookies of the policy stay, and count as changes. Nothing where
    /// none are kept.
    ///
    /// `None`, and all is as it was, if there are entries of another kind or form.
    pub fn remember_cookies<K, V>(&self, entries: impl IntoIterator<Item = (K, V)>) -> Option<()>
    where
        K: AsRef<[u8]>,
        V: AsRef<[u8]>,
    {
        let Some(jar) = &self.jar else { return Some(()) };
        let restored = Jar::restore(entries)?;
        let mut jar = jar.write().unwrap_or_else(PoisonError::into_inner);
        match restored {
            Some(restored) => *jar = restored,
            None => jar.note_changes(),
        }
        Some(())
    }

    /// Which cookies have changed since the last time. All threads wait for a look through the jar, of 3,000 cookies at
    /// most.
    pub fn take_cookie_changes(&self) -> Vec<Change> {
        let Some(jar) = &self.jar else { return Vec::new() };
        if !jar.read().unwrap_or_else(PoisonError::into_inner).has_changes() {
            return Vec::new();
        }
        jar.write().unwrap_or_else(PoisonError::into_inner).take_changes()
    }

    /// Why answers could not be kept in the cache, if so: the first reason.
    pub fn cache_trouble(&self) -> Option<&str> {
        self.cache.as_ref()?.trouble()
    }

    /// The server's answer.
    fn ask(
        &self,
        url: &Url,
        headers: &HeaderSet,
        request: &Request,
        exchange: &mut Exchange,
    ) -> Result<Answer, PageError> {
        let asked_at = Instant::now();
        let is_named = self.policy.named_hosts.include(request);
        let answer = self.client.send(url, headers, request.message.as_deref(), is_named, exchange)?;
        exchange.latency = Some(asked_at.elapsed());
        self.keep_cookies(&answer, url);
        Ok(answer)
    }

    /// The page in an answer that leads nowhere else.
    fn receive(&self, answer: Answer, errand: Errand, exchange: &mut Exchange) -> Result<Step, PageError> {
        let status = answer.status();
        if !matches!(status, 200..=399) {
            exchange.retry_after = answer.header("retry-after").and_then(retry_after::parse);
            answer.discard();
            return Err(PageError::Status(status));
        }
        let content_type =
            answer.header("content-type").map(|value| String::from_utf8_lossy(value).into_owned());
        let robots_tag =
            answer.all("x-robots-tag").map(|value| String::from_utf8_lossy(value).into_owned()).collect();
        let encoding = answer.list("content-encoding");
        let (body, is_cut) = self.body_as_sent(answer, errand)?;
        let decoded = if errand == Errand::Robots {
            decode::decode_beginning(body, is_cut, &encoding, ROBOTS_BYTES)
        } else {
            decode::decode(body, &encoding, self.largest(errand))
        };
        let body = decoded.map_err(|err| match err {
            DecodeError::TooLarge(limit) => PageError::TooLarge(limit),
            DecodeError::Bomb => PageError::Bomb(encoding),
            err => PageError::ContentEncoding { encoding, reason: err.to_string() },
        })?;
        Ok(Step::Page { status, content_type, robots_tag, body })
    }

    /// The most bytes of a body. Sitemaps have a limit of their own, whatever that for pages is (sitemaps.org).
    fn largest(&self, errand: Errand) -> u64 {
        match errand {
            Errand::Sitemap => self.policy.max_body_bytes.max(SITEMAP_BYTES),
            Errand::Page | Errand::Feed | Errand::Robots | Errand::Address => self.policy.max_body_bytes,
        }
    }

    /// The body as it came over the wire, and whether there is more of it: a page comes whole or not at all, a
    /// robots.txt with one byte too many for whoever reads it to see that it is cut.
    fn body_as_sent(&self, answer: Answer, errand: Errand) -> Result<(Vec<u8>, bool), PageError> {
        if errand != Errand::Robots {
            return Ok((answer.read(self.largest(errand))?, false));
        }
        let body = answer.read_beginning(ROBOTS_BYTES)?;
        let is_cut = body.len() as u64 > ROBOTS_BYTES;
        Ok((body, is_cut))
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
            credentials: credentials::Credentials::default(),
            cookies: None,
            own_cookies: Vec::new(),
            user_agents: vec!["pagemill-test".into()],
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
            cache: None,
        }
    }

    #[test]
    fn a_fetcher_is_shared_by_threads() {
        fn is_sync<T: Sync>(_: &T) {}
        is_sync(&Fetcher::new(policy()));
    }
}
