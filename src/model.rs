//! The words every layer shares: request, page, records, outcome, and the ways a page can fail.
//!
//! Plain data. Nothing here knows threads, channels, sockets or files.

mod kept;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use url::Url;

use crate::message::Message;
use crate::robots::Robots;
use crate::scope::LeftOut;

pub use kept::{Change, Kept, Place};

/// A request's number in the order of the source, from 0. It names the request for the whole run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// A rule of the job, by its place among the `[extract.NAME]` tables.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(pub u16);

/// Values by name that a page hands down to the pages it leads to.
pub type Carried = serde_json::Map<String, serde_json::Value>;

/// A way from one page to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads: absolute, http or https, without a fragment.
    pub url: Url,
    /// The rule that reads the page there.
    pub rule: RuleId,
    /// Links of a higher priority are followed first, if the order of the job is by priority.
    pub priority: i32,
    /// What is handed down.
    pub carried: Option<Arc<Carried>>,
    /// What it is followed for.
    pub errand: Errand,
    /// What tells it from all others: see [`fingerprint`](crate::scope::fingerprint). 0 until the URL is in its normal
    /// form.
    pub fingerprint: u128,
}

/// One thing to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its number in the order of the source.
    pub id: RequestId,
    /// Where it is, as the source says.
    pub url: Url,
    /// The page number it was made from; `None` for a URL without a range.
    pub page: Option<i64>,
    /// What it says beside its URL; `None` for a GET.
    pub message: Option<Arc<Message>>,
    /// The rule that reads the page.
    pub rule: RuleId,
    /// How many links lead here from the source: 0 for what the source says itself, and for what its sitemaps and feeds
    /// name. Of a sitemap: how many indexes lead to it.
    pub depth: u32,
    /// Whether it was found on the way, and is not the source's own.
    pub is_found: bool,
    /// Where the crawl of this part of the web began, if that matters.
    pub start: Option<Arc<Url>>,
    /// See [`Link::priority`].
    pub priority: i32,
    /// What the page before it hands down.
    pub carried: Option<Arc<Carried>>,
    /// How often it has been tried before: 0 for the first time.
    pub attempt: u32,
    /// Where redirects have led; `None` before the first.
    pub moved: Option<Box<Moved>>,
    /// What it is fetched for.
    pub errand: Errand,
    /// Whether a page led to `url`, and not the job: such a URL names no host as one that the job means.
    pub is_by_page: bool,
}

/// A host and its port: another port is another service. Only 80 and 443 are one, and told as 80, since a host answers at
/// the one to send people to the other.
pub fn host_and_port(url: &Url) -> (&str, u16) {
    let port = match url.port_or_known_default() {
        Some(443) | None => 80,
        Some(port) => port,
    };
    (url.host_str().unwrap_or_default().trim_end_matches('.'), port)
}

/// What something is fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errand {
    /// The records on it.
    Page,
    /// What the site's robots.txt allows. Such a request is not of the source; its number is that of a page that
    /// waits for it.
    Robots,
    /// The address of the host, before anything is asked of it: only the name service is.
    Address,
    /// The pages that a sitemap names.
    Sitemap,
    /// The pages that the entries of a feed lead to.
    Feed,
}

/// Where the redirects of a request have led so far. Each is a request of its own to the host that it leads to, under
/// that host's rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What is asked for next.
    pub to: Url,
    /// How many redirects led there.
    pub redirects: u32,
}

impl Request {
    /// A request that has not been tried.
    pub fn new(id: RequestId, url: Url, page: Option<i64>) -> Request {
        Request {
            id,
            url,
            page,
            message: None,
            rule: RuleId::default(),
            depth: 0,
            is_found: false,
            start: None,
            priority: 0,
            carried: None,
            attempt: 0,
            moved: None,
            errand: Errand::Page,
            is_by_page: false,
        }
    }

    /// A request for the address of the host that `page` goes to.
    pub fn for_address(page: &Request) -> Request {
        Request { errand: Errand::Address, ..Request::new(page.id, page.target().clone(), None) }
    }

    /// A request for the robots.txt at `url`, which `page` waits for.
    pub fn for_robots(page: &Request, url: Url) -> Request {
        let is_by_page = !page.is_at_its_own_host();
        Request { errand: Errand::Robots, is_by_page, ..Request::new(page.id, url, None) }
    }

    /// Whether it goes to the host and port that the job names with it, and no page led it there.
    pub fn is_at_its_own_host(&self) -> bool {
        !self.is_by_page && host_and_port(self.target()) == host_and_port(&self.url)
    }

    /// Whether the frontier asks for its own sake, and no page comes of it.
    pub fn is_own(&self) -> bool {
        matches!(self.errand, Errand::Robots | Errand::Address)
    }

    /// What is to be asked for: the URL, or where redirects have led.
    pub fn target(&self) -> &Url {
        self.moved.as_ref().map_or(&self.url, |moved| &moved.to)
    }

    /// How many redirects were followed.
    pub fn redirects(&self) -> u32 {
        self.moved.as_ref().map_or(0, |moved| moved.redirects)
    }

    /// The same request after one more redirect. What failed on the way there does not count against what it leads to.
    pub fn moved_to(self, to: Url) -> Request {
        let redirects = self.redirects() + 1;
        Request { moved: Some(Box::new(Moved { to, redirects })), attempt: 0, ..self }
    }
}

/// How the server behaved when it was asked, whatever it answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exchange {
    /// From sending the request to the head of the reply; `None` if there was no reply.
    pub latency: Option<Duration>,
    /// The address that was asked; `None` if there was no connection, or a proxy between.
    pub peer: Option<IpAddr>,
    /// How long the server asks to be left alone (`Retry-After`, RFC 9110 10.2.3), as it says: whoever obeys must
    /// cap it.
    pub retry_after: Option<Duration>,
    /// The server was not asked: the answer was kept, and this is when it had arrived or was last confirmed.
    pub kept_since: Option<SystemTime>,
}

/// What a crawl thread brings back: exactly one for each request it took.
#[derive(Debug)]
pub enum Fetched {
    /// A page.
    Page(Page),
    /// A redirect to elsewhere.
    Moved {
        /// The request, as it was handed out, but without its message if it goes on as a GET.
        request: Request,
        /// Where it leads.
        to: Url,
        /// How the server behaved.
        exchange: Exchange,
    },
    /// The address of the host, in the exchange; none if it is not known, or not ours to know.
    Address {
        /// The request, as it was handed out.
        request: Request,
        /// With the address as peer.
        exchange: Exchange,
    },
    /// No page.
    Failed(Box<Failure>),
}

/// A request that gave no page.
#[derive(Debug)]
pub struct Failure {
    /// The request, as it was handed out.
    pub request: Request,
    /// Why.
    pub error: PageError,
    /// How the server behaved.
    pub exchange: Exchange,
}

/// A fetched response with its decoded body.
#[derive(Debug, Clone)]
pub struct Page {
    /// What was asked for.
    pub request: Request,
    /// Where it was found, after redirects.
    pub final_url: Url,
    /// HTTP status.
    pub status: u16,
    /// The `Content-Type` header as sent; bytes that are not UTF-8 are replaced.
    pub content_type: Option<String>,
    /// The body after `Content-Encoding` was undone, in the page's own character set.
    pub body: Vec<u8>,
    /// The `X-Robots-Tag` headers as sent; bytes that are not UTF-8 are replaced.
    pub robots_tag: Vec<String>,
    /// When the response had arrived.
    pub fetched_at: SystemTime,
    /// How the server behaved.
    pub exchange: Exchange,
}

/// A place of the source that gives no request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmade {
    /// The number it takes in the order of the source.
    pub id: RequestId,
    /// Which place that is, for people: `page 7`, `line 3 of urls.txt`.
    pub whom: String,
    /// Why there is no request.
    pub error: PageError,
}

/// What a source says when it is asked for its next request.
#[derive(Debug)]
pub enum Drawn {
    /// This is next.
    Next(Result<Request, Unmade>),
    /// Nothing yet, as from a pipe that somebody still writes to. Who brings more knocks at [`crate::stop::Stop`].
    NotYet,
    /// Nothing any more.
    End,
    /// The source is not the one that this run began with, and this is how: it cannot go on.
    Changed(String),
}

/// How far a source has been read: all that must be kept to go on there later.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SourcePosition {
    /// How many requests, and places without one, it has given.
    pub drawn: u64,
    /// How many lines of its lists were read for that.
    pub lines: u64,
    /// What those lines were.
    pub hash: [u8; 32],
}

/// What one page gave, serialised where it was parsed, since that runs in parallel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Records {
    /// Whole lines: each a JSON object and a line feed.
    pub lines: Vec<u8>,
    /// How many lines.
    pub count: u64,
    /// Records left out because a required field was missing.
    pub dropped: u64,
    /// How each field fared, in the order of [`Rule::field_names`](crate::extract::Rule::field_names); empty if there
    /// was no record to look at. What a run counts has the order of [`Job::field_names`](crate::job::Job::field_names).
    pub fields: Vec<FieldTally>,
    /// Where the page leads, by the entries of the rule in their order and within each in document order; the same
    /// place as often as the page says it.
    pub links: Vec<Link>,
    /// How many links are not among `links` since the page asks not to follow any.
    pub links_forbidden: u64,
    /// How many are not, since they are no http or https URL, too long or too many, or without a value that must be
    /// handed down.
    pub links_left_out: u64,
    /// How many are not, by the bounds of the job.
    pub left_out: Vec<(LeftOut, u64)>,
    /// What tells the records from each other, line by line; empty if the job does not want to know.
    pub marks: Vec<Mark>,
}

/// What one record is known by from run to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// How long its line is, with the line feed.
    pub line_bytes: usize,
    /// 128 bits of its rule and its key; without a key in the job, of all of its content. `None` if all that its key is
    /// made of is `null`: then nothing tells it from others.
    pub key: Option<u128>,
    /// 128 bits of all that it says, without what only says where and when it was found.
    pub content: u128,
    /// The fields of its key as the members of a JSON object, like `"link":"/a"`; empty without a key in the job.
    pub key_json: String,
}

/// How often a field was found. The three add up to how often it was looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FieldTally {
    /// There was a value on the page.
    pub filled: u64,
    /// There was none, be there a default or not.
    pub empty: u64,
    /// There was one, or in a list at least one, that is not of the field's type.
    pub wrong_type: u64,
}

impl FieldTally {
    /// Adds the counts of another page.
    pub fn add(&mut self, other: FieldTally) {
        self.filled += other.filled;
        self.empty += other.empty;
        self.wrong_type += other.wrong_type;
    }

    /// How often the field was looked for.
    pub fn total(self) -> u64 {
        self.filled + self.empty + self.wrong_type
    }
}

/// What became of one request. There is exactly one for each time a request was handed out.
#[derive(Debug)]
pub struct Outcome {
    /// The request, as it was handed out.
    pub request: Request,
    /// Bytes of the decoded body; 0 if none came.
    pub body_bytes: u64,
    /// What was found, or why nothing was.
    pub result: Result<Found, PageError>,
    /// How the server behaved.
    pub exchange: Exchange,
}

/// What was found where a request led.
#[derive(Debug, Clone)]
pub enum Found {
    /// A page, and these records on it.
    Records(Records),
    /// A redirect to here.
    Moved(Url),
    /// A robots.txt.
    Robots(Robots),
    /// The address of a host, as the peer of the exchange.
    Address,
}

/// Which limits of time there are, and what is waited for within each: the words of [`PageError::Timeout`]. New ones go
/// to the end, since their places are what is kept on disk.
pub const TIMEOUTS: [(&str, &str); 4] = [
    ("timeout", "whole response"),
    ("connect-timeout", "connection"),
    ("read-timeout", "data"),
    ("speed-limit", "data at the least speed"),
];

/// Why a page failed. The variants are what a user could do something about; each says when it happens.
///
/// [`PageError::is_worth_a_retry`] is the rule for all of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The template gives no URL for this page number.
    #[error("no URL for this page: {0}")]
    NoUrl(String),
    /// The URL cannot be put into a request: too long, or a host that is none.
    #[error("cannot ask for this URL: {0}")]
    BadUrl(String),
    /// The host name has no address.
    #[error("host `{0}` not found")]
    HostNotFound(String),
    /// No connection: refused, unreachable, reset before the request was sent, or no answer from the name service.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// A limit of time ran out; `clock` names the flag that sets it. The two words are a pair of [`TIMEOUTS`].
    #[error("no {waited_for} within {} (--{clock})", human_duration(*.limit))]
    Timeout {
        /// The long flag of the limit: `connect-timeout`, `read-timeout` or `timeout`.
        clock: &'static str,
        /// What was waited for: `connection`, `data`, `whole response`.
        waited_for: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Certificate or handshake.
    #[error("TLS: {0}")]
    Tls(String),
    /// The connection broke before the response was complete.
    #[error("connection broke: {0}")]
    Broken(String),
    /// The server's answer is not HTTP/1.1: headers, chunks, lengths.
    #[error("not a valid HTTP response: {0}")]
    Protocol(String),
    /// A status that is not a success.
    #[error("status {0}")]
    Status(u16),
    /// It was not asked for: its host has been given up, since this came of request after request.
    #[error("not asked for, its host is given up: {0}, again and again")]
    GivenUp(Box<PageError>),
    /// robots.txt cannot be had because the server is at fault; RFC 9309 2.3.1.4 forbids all requests then.
    #[error("robots.txt cannot be read ({0}), so nothing may be asked for; --no-robots asks all the same")]
    NoRobots(Box<PageError>),
    /// The page was not asked for, since its host's robots.txt did not come, and this is why; not a status. The page would
    /// most likely have fared no better.
    #[error("robots.txt: {0}")]
    OfRobots(Box<PageError>),
    /// Redirects went in a circle or did not end.
    #[error("more than {0} redirects (--max-redirs)")]
    TooManyRedirects(u32),
    /// A redirect that must not be followed, or to something that is not a URL.
    #[error("redirect to `{to}` refused: {reason}")]
    RedirectRefused {
        /// The `Location` as sent.
        to: String,
        /// Why.
        reason: String,
    },
    /// A page led to a host with an address that is not of the open internet.
    #[error("{0} is a private address, and a page led there (--allow-private, or name the host in the job)")]
    PrivateAddress(
        /// Host and address.
        String,
    ),
    /// The body is larger than the limit in bytes, as sent or decoded.
    #[error("body larger than {} (--max-body)", human_bytes(*.0))]
    TooLarge(u64),
    /// The body unpacks to so many times its size that it is not meant to be read; with its `Content-Encoding`.
    #[error("content encoding `{0}`: a decompression bomb")]
    Bomb(String),
    /// The body does not decode as its `Content-Encoding` says.
    #[error("content encoding `{encoding}`: {reason}")]
    ContentEncoding {
        /// The header as sent.
        encoding: String,
        /// What the decoder said.
        reason: String,
    },
    /// A saved page cannot be read: not there, not allowed, a directory.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// The response is neither HTML nor XML.
    #[error("not HTML or XML but {0}")]
    NotMarkup(String),
    /// The rule reads JSON, and the response is none.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The document is beyond a limit of the parser.
    #[error("document too complex: {0}")]
    TooComplex(String),
    /// An expression failed on this page.
    #[error("{name}: {reason}")]
    Extract {
        /// `each`, or the field.
        name: String,
        /// What went wrong.
        reason: String,
    },
    /// A fault of pagemill itself, caught at this page.
    #[error("internal error: {0}")]
    Panicked(String),
    /// The run was aborted while the request was under way.
    #[error("aborted")]
    Aborted,
}

impl PageError {
    /// Whether another try may end better. Certificates, wrong URLs, sizes and contents do not mend themselves
    /// within seconds; connections, time limits, cut bodies and busy servers do.
    ///
    /// The statuses are those of Scrapy's `RETRY_HTTP_CODES` plus 425 (RFC 8470).
    pub fn is_worth_a_retry(&self) -> bool {
        match self {
            PageError::Connect(_)
            | PageError::Timeout { .. }
            | PageError::Broken(_)
            | PageError::ContentEncoding { .. } => true,
            PageError::Status(status) => {
                matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504 | 522 | 524)
            }
            PageError::OfRobots(error) => error.is_worth_a_retry(),
            PageError::NoUrl(_)
            | PageError::BadUrl(_)
            | PageError::HostNotFound(_)
            | PageError::Tls(_)
            | PageError::Protocol(_)
            | PageError::NoRobots(_)
            | PageError::GivenUp(_)
            | PageError::TooManyRedirects(_)
            | PageError::RedirectRefused { .. }
            | PageError::PrivateAddress(_)
            | PageError::TooLarge(_)
            | PageError::Bomb(_)
            | PageError::Unreadable(_)
            | PageError::NotMarkup(_)
            | PageError::NotJson(_)
            | PageError::TooComplex(_)
            | PageError::Extract { .. }
            | PageError::Panicked(_)
            | PageError::Aborted => false,
        }
    }

    /// A short name for counting failures by kind: `status 404`, `timeout`.
    pub fn kind(&self) -> String {
        match self {
            PageError::NoUrl(_) => "no URL".into(),
            PageError::BadUrl(_) => "bad URL".into(),
            PageError::HostNotFound(_) => "host not found".into(),
            PageError::Connect(_) => "connect".into(),
            PageError::Timeout { .. } => "timeout".into(),
            PageError::Tls(_) => "tls".into(),
            PageError::Broken(_) => "broken connection".into(),
            PageError::Protocol(_) => "protocol".into(),
            PageError::Status(status) => format!("status {status}"),
            PageError::NoRobots(_) => "no robots.txt".into(),
            PageError::GivenUp(error) | PageError::OfRobots(error) => error.kind(),
            PageError::TooManyRedirects(_) => "too many redirects".into(),
            PageError::RedirectRefused { .. } => "redirect refused".into(),
            PageError::PrivateAddress(_) => "private address".into(),
            PageError::TooLarge(_) => "too large".into(),
            PageError::Bomb(_) => "decompression bomb".into(),
            PageError::ContentEncoding { .. } => "content encoding".into(),
            PageError::Unreadable(_) => "unreadable".into(),
            PageError::NotMarkup(_) => "not markup".into(),
            PageError::NotJson(_) => "not JSON".into(),
            PageError::TooComplex(_) => "too complex".into(),
            PageError::Extract { .. } => "extract".into(),
            PageError::Panicked(_) => "internal error".into(),
            PageError::Aborted => "aborted".into(),
        }
    }
}

/// The same scheme, host and port.
pub fn is_same_origin(a: &Url, b: &Url) -> bool {
    a.scheme() == b.scheme()
        && a.host_str() == b.host_str()
        && a.port_or_known_default() == b.port_or_known_default()
}

/// A URL for people and logs: user name and password are left out.
pub fn display_url(url: &Url) -> String {
    if url.username().is_empty() && url.password().is_none() {
        return url.to_string();
    }
    let mut shown = url.clone();
    // Only URLs without a host refuse both, and those have no user either.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.to_string()
}

/// A text with user name and password taken out of the first URL in it, and where byte `at` has come to. For texts
/// that are no URL, or not yet: what stands between `://` and an `@` may be a password.
pub fn without_userinfo(text: &str, at: usize) -> (String, usize) {
    const MASK: &str = "(redacted)";
    let Some(start) = text.find("://").map(|scheme| scheme + 3) else { return (text.to_owned(), at) };
    let rest = &text[start..];
    let authority = &rest[..rest.find(['/', '?', '#', ' ', '\n']).unwrap_or(rest.len())];
    // A `/` in a password ends what reads as host and port; but no port has letters.
    let is_cut =
        || authority.split_once(':').is_some_and(|(_, port)| !port.bytes().all(|b| b.is_ascii_digit()));
    let end = match authority.rfind('@') {
        Some(end) => end,
        None if is_cut() => match rest.split([' ', '\n']).next().and_then(|url| url.rfind('@')) {
            Some(end) => end,
            None => return (text.to_owned(), at),
        },
        None => return (text.to_owned(), at),
    };
    let moved = match at.checked_sub(start) {
        Some(behind) if behind >= end => start + MASK.len() + behind - end,
        Some(_) => start,
        None => at,
    };
    (format!("{}{MASK}{}", &text[..start], &rest[end..]), moved)
}

/// `1500ms`, `30s`, `2m`: the way durations are written on the command line.
pub fn human_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if !millis.is_multiple_of(1000) {
        format!("{millis}ms")
    } else if millis != 0 && millis.is_multiple_of(3_600_000) {
        format!("{}h", millis / 3_600_000)
    } else if millis != 0 && millis.is_multiple_of(60_000) {
        format!("{}m", millis / 60_000)
    } else {
        format!("{}s", millis / 1000)
    }
}

/// `512`, `64K`, `10M`: the way sizes are written on the command line (K is 1024).
pub fn human_bytes(bytes: u64) -> String {
    for (unit, size) in [("G", 1 << 30), ("M", 1 << 20), ("K", 1 << 10)] {
        if bytes != 0 && bytes.is_multiple_of(size) {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_read_as_sentences() {
        let timeout =
            PageError::Timeout { clock: "read-timeout", waited_for: "data", limit: Duration::from_secs(30) };
        assert_eq!(timeout.to_string(), "no data within 30s (--read-timeout)");
        assert_eq!(PageError::TooLarge(10 << 20).to_string(), "body larger than 10M (--max-body)");
    }

    #[test]
    fn a_password_is_not_shown() {
        let url = Url::parse("http://me:secret@h/p?q=1").unwrap();
        assert_eq!(display_url(&url), "http://h/p?q=1");
    }

    #[test]
    fn what_may_be_a_password_is_taken_out_of_any_text() {
        let shown = |text: &str| without_userinfo(text, 0).0;
        assert_eq!(shown("x http://me:pw@h:8o/p?a@b"), "x http://(redacted)@h:8o/p?a@b");
        assert_eq!(shown("http://me:p/w@h/"), "http://(redacted)@h/");
        for plain in ["http://h:80/@me", "http://h/", "me@h", "//a[@b='http://h/'][@c]"] {
            assert_eq!(shown(plain), plain);
        }
        let at = |at| without_userinfo("http://me:pw@h", at).1;
        assert_eq!([at(3), at(8), at(13)], [3, 7, 18]);
    }

    #[test]
    fn durations_and_sizes_read_back_as_written() {
        assert_eq!(human_duration(Duration::from_millis(1500)), "1500ms");
        assert_eq!(human_duration(Duration::from_secs(90)), "90s");
        assert_eq!(human_duration(Duration::from_secs(7200)), "2h");
        assert_eq!(human_duration(Duration::ZERO), "0s");
        assert_eq!(human_bytes(1536), "1536");
        assert_eq!(human_bytes(64 << 10), "64K");
        assert_eq!(human_bytes(0), "0");
    }
}
