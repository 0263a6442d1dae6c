//! The cookie jar: what servers want to be sent back, and to whom (RFC 6265).
//!
//! A plain value without lock, clock of its own or file; the fetcher shares one among all threads. Reading a
//! `Set-Cookie`, and whom a cookie matches, is `cookie_store`'s business, whose home is here; which domains nobody may
//! speak for, `psl`'s. Ours are the limits, and that a `Secure` cookie never goes over plain http, loopback included.
//!
//! [`netscape`] reads and writes the jar as `cookies.txt`, [`mod@file`] keeps that on disk; `memory` tells the jar as
//! entries, of which nothing is lost.

pub mod file;
mod memory;
pub mod netscape;

use std::collections::HashMap;
use std::fmt;

use cookie_store::{Cookie, CookieDomain};
use url::Url;

use super::Secret;
use crate::mistake::Slip;

/// Most cookies of one domain, as RFC 6265 6.1 asks for at least.
pub const MOST_OF_A_DOMAIN: usize = 50;

/// Most cookies in all, as RFC 6265 6.1 asks for at least.
pub const MOST_IN_ALL: usize = 3000;

/// Largest cookie in bytes: name, value and attributes together (RFC 6265 6.1).
pub const MOST_BYTES: usize = 4096;

/// The cookies of a run.
#[derive(Clone, Default)]
pub struct Jar {
    /// By the domain that somebody can register: cookies of `a.b.example.co.uk` and `example.co.uk` lie together, so
    /// that one look finds all that could match a host.
    sites: HashMap<String, Vec<Kept>>,
    /// How many there are in all sites.
    count: usize,
    /// What the next new cookie gets as its `order`.
    next: u64,
    /// Which of them have changed.
    changes: memory::Changes,
}

impl PartialEq for Jar {
    fn eq(&self, other: &Jar) -> bool {
        self.sites == other.sites && self.next == other.next
    }
}

// A jar is compared in tests only; no part of it is unequal to itself.
impl Eq for Jar {}

#[derive(Clone, PartialEq)]
struct Kept {
    cookie: Cookie<'static>,
    /// Counts up with each new cookie; a changed one keeps its own.
    order: u64,
}

impl Kept {
    fn domain(&self) -> &str {
        match &self.cookie.domain {
            CookieDomain::HostOnly(domain) | CookieDomain::Suffix(domain) => domain,
            CookieDomain::NotPresent | CookieDomain::Empty => "",
        }
    }

    fn is_same_as(&self, other: &Cookie<'_>) -> bool {
        self.cookie.name() == other.name()
            && self.cookie.domain == other.domain
            // Given or not, a path is a path.
            && *self.cookie.path == *other.path
    }
}

impl Jar {
    /// An empty jar.
    pub fn new() -> Jar {
        Jar::default()
    }

    /// How many cookies are in it, expired ones included until somebody looks.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Obeys one `Set-Cookie` of a reply from `url`. What may not be set, is too large, or is none, is ignored, as
    /// browsers do: a page does not fail of it.
    pub fn store(&mut self, set_cookie: &[u8], url: &Url) {
        let Ok(text) = std::str::from_utf8(set_cookie) else { return };
        if set_cookie.len() > MOST_BYTES || text.chars().any(char::is_control) {
            return;
        }
        let Ok(cookie) = Cookie::parse(text.to_owned(), url) else { return };
        if let Some(cookie) = allowed(cookie, url) {
            self.keep(cookie, url.scheme() == "https");
        }
    }

    /// The cookies that go to `url`, as names and values: those of longer paths first, then older ones (RFC 6265
    /// 5.4).
    pub fn cookies_for(&self, url: &Url) -> Vec<(&str, &str)> {
        let Some(site) = url.host_str().and_then(|host| self.sites.get(site_of(host))) else {
            return Vec::new();
        };
        let is_https = url.scheme() == "https";
        let is_sent = |kept: &&Kept| {
            let cookie = &kept.cookie;
            cookie.matches(url) && !cookie.is_expired() && (is_https || cookie.secure() != Some(true))
        };
        let mut sent: Vec<&Kept> = site.iter().filter(is_sent).collect();
        sent.sort_by_key(|kept| (std::cmp::Reverse(kept.cookie.path.len()), kept.order));
        sent.into_iter().map(|kept| (kept.cookie.name(), kept.cookie.value())).collect()
    }

    /// Puts a cookie in, in place of its former self; an expired one only takes that away.
    fn keep(&mut self, cookie: Cookie<'static>, from_https: bool) {
        let name = site_of(domain_of(&cookie)).to_owned();
        let site = self.sites.entry(name.clone()).or_default();
        // Plain http is written by everybody on the way: it must not overwrite what https has set.
        let is_taken = |kept: &Kept| {
            kept.cookie.secure() == Some(true)
                && kept.cookie.name() == cookie.name()
                && !kept.cookie.is_expired()
        };
        if from_https || !site.iter().any(is_taken) {
            let before = site.len();
            let changes = &mut self.changes;
            let former = site.iter().position(|kept| kept.is_same_as(&cookie)).map(|at| site.remove(at));
            if let Some(former) = former.as_ref().filter(|former| former.cookie != cookie) {
                changes.note(former.order);
            }
            remove(site, changes, |kept| kept.cookie.is_expired());
            if !cookie.is_expired() {
                let order = former.map_or_else(
                    || {
                        self.next += 1;
                        changes.note(self.next);
                        self.next
                    },
                    |former| former.order,
                );
                let kept = Kept { cookie, order };
                make_room(site, kept.domain(), changes);
                site.push(kept);
            }
            self.count = self.count + site.len() - before;
        }
        if site.is_empty() {
            self.sites.remove(&name);
        }
        if self.count > MOST_IN_ALL {
            self.drop_oldest();
        }
    }

    /// Drops the oldest cookie of all. A walk over the jar, which is as long as it ever gets then.
    fn drop_oldest(&mut self) {
        let oldest = |site: &Vec<Kept>| site.iter().map(|kept| kept.order).min();
        let Some((name, order)) = self
            .sites
            .iter()
            .filter_map(|(name, site)| Some((name.clone(), oldest(site)?)))
            .min_by_key(|at| at.1)
        else {
            return;
        };
        let site = self.sites.get_mut(&name).expect("its name was just found");
        remove(site, &mut self.changes, |kept| kept.order == order);
        if site.is_empty() {
            self.sites.remove(&name);
        }
        self.count -= 1;
    }

    /// All cookies that have not expired, the oldest first.
    fn all(&self) -> Vec<&Kept> {
        let mut all: Vec<&Kept> =
            self.sites.values().flatten().filter(|kept| !kept.cookie.is_expired()).collect();
        all.sort_by_key(|kept| kept.order);
        all
    }
}

/// Values are secrets, and so are many names.
impl fmt::Debug for Jar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Jar({} cookies)", self.count)
    }
}

/// Drops the oldest cookies of a domain until one more may come.
fn make_room(site: &mut Vec<Kept>, domain: &str, changes: &mut memory::Changes) {
    while site.iter().filter(|kept| kept.domain() == domain).count() >= MOST_OF_A_DOMAIN {
        let oldest = site.iter().filter(|kept| kept.domain() == domain).map(|kept| kept.order).min();
        remove(site, changes, |kept| Some(kept.order) == oldest);
    }
}

/// Removes the cookies that `is_out`.
fn remove(site: &mut Vec<Kept>, changes: &mut memory::Changes, is_out: impl Fn(&Kept) -> bool) {
    site.retain(|kept| {
        let stays = !is_out(kept);
        if !stays {
            changes.note(kept.order);
        }
        stays
    });
}

/// The cookie as it may be kept, after a look at where it came from (RFC 6265 5.3 and its revision, 6265bis 5.7).
fn allowed(mut cookie: Cookie<'static>, url: &Url) -> Option<Cookie<'static>> {
    let is_https = url.scheme() == "https";
    let is_secure = cookie.secure() == Some(true);
    if is_secure && !is_https {
        return None;
    }
    let has_prefix = |prefix: &str| {
        cookie.name().get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let is_for_others = matches!(cookie.domain, CookieDomain::Suffix(_));
    if has_prefix("__Secure-") && !is_secure
        || has_prefix("__Host-") && !(is_secure && !is_for_others && &*cookie.path == "/")
    {
        return None;
    }
    if let CookieDomain::Suffix(domain) = &cookie.domain
        && belongs_to_nobody(domain)
    {
        // A whole `co.uk` cannot be spoken for; but `github.io` itself has cookies of its own, for itself only.
        if url.host_str() != Some(domain) {
            return None;
        }
        cookie.domain = CookieDomain::HostOnly(domain.clone());
    }
    Some(cookie)
}

/// Whether names below `domain` belong to different people, or it is an address, below which there are no names. What
/// is not in the list counts by its last label, as in browsers.
fn belongs_to_nobody(domain: &str) -> bool {
    is_address(domain) || psl::suffix_str(domain).is_none_or(|suffix| suffix == domain)
}

/// The domain whose cookies lie together with those of `host`.
fn site_of(host: &str) -> &str {
    if is_address(host) { host } else { psl::domain_str(host).unwrap_or(host) }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::IpAddr>().is_ok()
}

fn domain_of<'c>(cookie: &'c Cookie<'_>) -> &'c str {
    match &cookie.domain {
        CookieDomain::HostOnly(domain) | CookieDomain::Suffix(domain) => domain,
        CookieDomain::NotPresent | CookieDomain::Empty => "",
    }
}

/// Reads cookies as the user writes them: `a=1; b=2`.
///
/// # Errors
/// A [`Slip`] at what is no cookie, or cannot be sent.
pub fn parse_cookies(text: &str) -> Result<Vec<(String, Secret)>, Slip> {
    let mut cookies = Vec::new();
    let mut at = 0;
    for part in text.split(';') {
        let start = at + part.len() - part.trim_start().len();
        at += part.len() + 1;
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        if let Some(bad) = part.find(char::is_control) {
            return Err(Slip::new(start + bad, "a cookie cannot have line breaks or control characters"));
        }
        match part.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => {
                cookies.push((name.trim().to_owned(), Secret::new(value.trim())));
            }
            _ => {
                return Err(Slip::new(start, "a cookie is written `name=value`")
                    .with_hint("several as 'a=1; b=2'; a file of cookies is read by --load-cookies"));
            }
        }
    }
    if cookies.is_empty() {
        return Err(Slip::new(0, "there is no cookie here").with_hint("write it as 'name=value'"));
    }
    Ok(cookies)
}

#[cfg(test)]
mod tests;
