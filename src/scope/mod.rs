//! Which links are followed: the form URLs are compared in, where the site ends, and what is a trap.
//!
//! Pure: URLs in, verdicts out. Nothing here fetches, waits, or knows what has been seen; that is the frontier's.
//! [`normalize`], [`fingerprint()`] and [`ScopePolicy::judge`] know nothing of other links, so parser threads ask them at
//! the same time; [`Traps`] counts over the whole run and belongs to one thread.
//!
//! `normal` is the form, `fingerprint` its 128 bits, `repeats` finds paths that go in circles, `shape` what many URLs
//! have in common, `tally` counts in bounded memory.

mod fingerprint;
mod left_out;
mod normal;
mod repeats;
mod shape;
mod tally;
#[cfg(test)]
mod tests;
mod traps;

use regex::Regex;
use url::Url;

pub use self::fingerprint::{Fingerprint, fingerprint};
pub use self::left_out::LeftOut;
pub use self::normal::normalize;
pub use self::traps::Traps;
use crate::mistake::Slip;
use crate::model::host_and_port;

/// The longest URL that is followed, in bytes. Servers refuse longer ones (RFC 9110 4.1 asks for 8,000 octets at
/// least), and only traps make them.
const MAX_URL_BYTES: usize = 8192;

/// What the job decides about which links are followed.
#[derive(Debug, Clone)]
pub struct ScopePolicy {
    /// These hosts and the names below them, whatever the port, as [`domain`] writes them. Empty for the host and port
    /// of the page that the link stands on; 80 and 443 are one.
    pub domains: Vec<String>,
    /// If there are any, one must match somewhere in the URL.
    pub accept: Vec<Regex>,
    /// None may match anywhere in the URL.
    pub reject: Vec<Regex>,
    /// How many links away from the source a page may be; `None` for any number.
    pub max_depth: Option<u32>,
    /// Whether links must stay in the folder of the URL that the crawl began at.
    pub no_parent: bool,
    /// Whether URLs that differ in the order of their query are one, see [`normalize`].
    pub sort_query: bool,
    /// How many pages of one shape are fetched, see [`Traps`].
    pub max_per_shape: u64,
}

/// Follows every link that does not leave the host.
impl Default for ScopePolicy {
    fn default() -> ScopePolicy {
        ScopePolicy {
            domains: Vec::new(),
            accept: Vec::new(),
            reject: Vec::new(),
            max_depth: None,
            no_parent: false,
            sort_query: false,
            max_per_shape: ScopePolicy::MAX_PER_SHAPE,
        }
    }
}

impl ScopePolicy {
    /// The usual `max_per_shape`: more pages than most sites have of a kind, and a calendar ends in the same night.
    pub const MAX_PER_SHAPE: u64 = 100_000;

    /// Whether a link is to be followed, by itself: what is known already and what [`Traps`] counts is not asked.
    ///
    /// `link` is normalised, `page` the final URL of the page that it stands on, `start` the source's URL that the
    /// crawl came from, and `depth` that of the page behind the link: 1 on a page of the source.
    ///
    /// Below `start` is, as in wget, what begins with its path up to the last `/`; a link to another host, which
    /// `domains` has let in, is not above it.
    ///
    /// # Errors
    /// The first reason against it. What lies elsewhere is told before what another setting would let in, so that the
    /// counts say what a change of that setting would bring.
    pub fn judge(&self, link: &Url, page: &Url, start: Option<&Url>, depth: u32) -> Result<(), LeftOut> {
        let reason = if !matches!(link.scheme(), "http" | "https") {
            LeftOut::NotHttp
        } else if link.as_str().len() > MAX_URL_BYTES {
            LeftOut::TooLong
        } else if !self.is_inside(link, page) {
            LeftOut::Outside
        } else if self.no_parent && start.is_some_and(|start| is_above(link, start)) {
            LeftOut::AboveStart
        } else if self.reject.iter().any(|pattern| pattern.is_match(link.as_str())) {
            LeftOut::Rejected
        } else if !self.accept.is_empty()
            && !self.accept.iter().any(|pattern| pattern.is_match(link.as_str()))
        {
            LeftOut::NotAccepted
        } else if repeats::goes_in_circles(link.path()) {
            LeftOut::RepeatsItself
        } else if self.max_depth.is_some_and(|max| depth > max) {
            LeftOut::TooDeep
        } else {
            return Ok(());
        };
        Err(reason)
    }

    fn is_inside(&self, link: &Url, page: &Url) -> bool {
        if self.domains.is_empty() {
            return host_and_port(link) == host_and_port(page);
        }
        let (host, _) = host_and_port(link);
        self.domains.iter().any(|domain| is_below(host, domain))
    }
}

/// Whether a host is the domain or a name below it.
fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn is_above(link: &Url, start: &Url) -> bool {
    let start_path = normal::decoded(start.path());
    let folder = start_path.rfind('/').map_or("", |end| &start_path[..=end]);
    host_and_port(link) == host_and_port(start) && !normal::decoded(link.path()).starts_with(folder)
}

/// A domain of [`ScopePolicy::domains`] as URLs write it: small letters, names beyond ASCII in their IDNA form. A
/// leading `*.` or `.` says nothing new and is dropped.
///
/// # Errors
/// A [`Slip`] for what is no host name or address alone.
pub fn domain(text: &str) -> Result<String, Slip> {
    let name = text.strip_prefix("*.").or_else(|| text.strip_prefix('.')).unwrap_or(text);
    let slip = |message: &str| Slip::new(0, message).with_hint("like example.com");
    if let Some(at) = name.find(['/', '?', '#', '@', '\\']) {
        let at = text.len() - name.len() + at;
        return Err(Slip::new(at, "a domain is a host name without a path").with_hint("like example.com"));
    }
    let url = Url::parse(&format!("http://{name}/")).map_err(|_| slip("this is no host name"))?;
    // A port of 80 is not kept, so it cannot be asked for.
    if !name.starts_with('[') && name.contains(':') || name.contains("]:") {
        return Err(slip("a domain has no port: every port of it is meant"));
    }
    let (host, _) = host_and_port(&url);
    if host.is_empty() { Err(slip("this is no host name")) } else { Ok(host.to_owned()) }
}
