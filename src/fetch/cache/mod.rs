//! Answers kept on disk, so that working on selectors does not load a site again: a private cache as RFC 9111 has it.
//!
//! What may be kept, and for how long it is fresh, is decided by `http-cache-semantics`, of which this is the only user;
//! `entry` is the format of a file, `folder` where it lies and how it gets there whole. Nothing here makes requests or
//! ends a page: a file that cannot be read is a miss, and one that cannot be written is told of once.

mod entry;
mod folder;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use http_cache_semantics::{AfterResponse, BeforeRequest, CacheOptions, CachePolicy as Semantics};
use ureq::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ureq::http::{Method, Request, Response, StatusCode};

pub(super) use self::entry::Stored;
use self::folder::Folder;

/// Where answers are kept, and which are good without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachePolicy {
    /// The folder. It is made when the first answer is kept.
    pub folder: PathBuf,
    /// How old an answer may be and still be taken without asking, whatever the site says of keeping it; `None` obeys
    /// the site alone.
    pub max_age: Option<Duration>,
}

/// Why a folder cannot hold a cache.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// There is a file of this name, or one above it.
    #[error("cannot keep pages in `{}`: `{}` is not a folder", .folder.display(), .file.display())]
    NotAFolder {
        /// What was asked for.
        folder: PathBuf,
        /// What is in the way.
        file: PathBuf,
    },
}

/// Finds out whether a folder could hold a cache, without making it.
///
/// # Errors
///
/// [`CacheError::NotAFolder`].
pub fn check_cache_folder(folder: &Path) -> Result<(), CacheError> {
    match folder.ancestors().find(|above| above.exists()) {
        Some(file) if !file.is_dir() => {
            Err(CacheError::NotAFolder { folder: folder.to_owned(), file: file.to_owned() })
        }
        _ => Ok(()),
    }
}

/// What is known of an answer before the request is sent.
#[derive(Debug)]
pub(super) enum LookUp {
    /// It need not be sent: this is the answer.
    Fresh(Stored),
    /// It is to be sent with these headers. A 304 means this answer, made good by [`Cache::freshen`].
    Stale { conditions: HeaderMap, stored: Stored },
    /// Nothing.
    Miss,
}

/// What a request says of us and our wishes, not of the user. Only these are kept, for `Vary`; what varies by another
/// header that was sent, as by `Cookie`, is not kept, since then the secret would have to be.
const HARMLESS: [HeaderName; 5] =
    [header::USER_AGENT, header::ACCEPT, header::ACCEPT_ENCODING, header::ACCEPT_LANGUAGE, header::HOST];

/// Requests with these are the user's own dealings with a cache, or for a part of a page.
const BYPASSING: [HeaderName; 6] = [
    header::RANGE,
    header::IF_RANGE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
];

/// About one connection, not about the answer (RFC 9111 3.1), or about the user.
const NOT_KEPT: [&str; 12] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "set-cookie",
    "set-cookie2",
];

/// What a 304 says of these is about the body that it does not have (RFC 9111 3.2).
const OF_THE_BODY: [HeaderName; 4] =
    [header::CONTENT_LENGTH, header::CONTENT_ENCODING, header::CONTENT_RANGE, header::CONTENT_TYPE];

/// An `Age` above ten years is capped: the sum of ages must not overflow.
const LONGEST_AGE: u64 = 10 * 365 * 24 * 3600;

/// The answers of a folder, for all threads; other processes may use it at the same time.
#[derive(Debug)]
pub(super) struct Cache {
    folder: Folder,
    max_age: Option<Duration>,
    trouble: OnceLock<String>,
}

impl Cache {
    /// Touches no file yet.
    pub(super) fn new(policy: &CachePolicy) -> Cache {
        Cache {
            folder: Folder::new(policy.folder.clone()),
            max_age: policy.max_age,
            trouble: OnceLock::new(),
        }
    }

    /// Whether answers to this request are any business of a cache.
    pub(super) fn covers(&self, request: &Request<()>) -> bool {
        request.method() == Method::GET && !BYPASSING.iter().any(|name| request.headers().contains_key(name))
    }

    /// What is known of the answer to `request`.
    pub(super) fn look_up(&self, request: &Request<()>, now: SystemTime) -> LookUp {
        let Some(stored) = self.folder.read(request.method().as_str(), &request.uri().to_string()) else {
            return LookUp::Miss;
        };
        let asked = request_of(request, stored.asked.clone());
        match semantics(&asked, stored.status, &stored.headers, stored.received).before_request(request, now)
        {
            BeforeRequest::Fresh(_) => LookUp::Fresh(stored),
            BeforeRequest::Stale { matches: false, .. } => LookUp::Miss,
            BeforeRequest::Stale { .. } if self.is_young(&stored, request, now) => LookUp::Fresh(stored),
            BeforeRequest::Stale { request, .. } => {
                let mut conditions = HeaderMap::new();
                for name in [header::IF_NONE_MATCH, header::IF_MODIFIED_SINCE] {
                    if let Some(value) = request.headers.get(&name) {
                        conditions.insert(name, value.clone());
                    }
                }
                if conditions.is_empty() { LookUp::Miss } else { LookUp::Stale { conditions, stored } }
            }
        }
    }

    /// Whether the user takes it as it is, unless this very request says otherwise.
    fn is_young(&self, stored: &Stored, request: &Request<()>, now: SystemTime) -> bool {
        let age = now.duration_since(stored.received).ok();
        self.max_age.is_some_and(|limit| age.is_some_and(|age| age < limit))
            && !says(request.headers(), &["no-cache"])
    }

    /// Whether an answer with this status and these headers is worth keeping, and may be kept.
    ///
    /// An answer to a request with `Authorization` is kept only if it is `public`. A private cache might keep more
    /// (RFC 9111 3.5), but the next run may be another user's.
    pub(super) fn keeps(
        &self,
        request: &Request<()>,
        status: u16,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> bool {
        let is_authorized = request.headers().contains_key(header::AUTHORIZATION);
        if (is_authorized && !says(headers, &["public"])) || varies_by_the_user(request.headers(), headers) {
            return false;
        }
        if self.max_age.is_some() {
            // What lasts, that is: a temporary redirect is often to a login.
            return matches!(status, 200 | 203 | 300 | 301 | 308 | 404 | 410)
                && !says(request.headers(), &["no-store"]);
        }
        let semantics = semantics(request, status, headers, now);
        let is_any_use = !semantics.is_stale(now)
            || headers.contains_key(header::ETAG)
            || headers.contains_key(header::LAST_MODIFIED);
        semantics.is_storable() && is_any_use
    }

    /// Keeps an answer that it [`keeps`](Cache::keeps); `body` as it came over the wire. Trouble is noted, no more.
    pub(super) fn store(
        &self,
        request: &Request<()>,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) {
        let mut asked = HeaderMap::new();
        for name in HARMLESS {
            for value in request.headers().get_all(&name) {
                asked.append(&name, value.clone());
            }
        }
        let head = Stored { status, headers: kept(headers), received: now, asked, body: Vec::new() };
        let written = self.folder.write(request.method().as_str(), &request.uri().to_string(), &head, body);
        if let Err(error) = written {
            let folder = self.folder.path().display();
            let _ = self.trouble.set(format!("pages could not be kept in `{folder}`: {error}"));
        }
    }

    /// The stored answer after a 304 with these headers, which is kept as well (RFC 9111 4.3.4). `None` if the 304
    /// means another answer; then the request must be sent without conditions.
    pub(super) fn freshen(
        &self,
        stored: Stored,
        request: &Request<()>,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Option<Stored> {
        let asked = request_of(request, stored.asked.clone());
        let mut answer = Response::new(());
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.headers_mut() = headers.clone();
        let before = semantics(&asked, stored.status, &stored.headers, stored.received);
        let AfterResponse::NotModified(..) = before.after_response(request, &answer, now) else {
            return None;
        };
        let mut renewed = stored;
        // They count from the answer that they came with.
        renewed.headers.remove(header::AGE);
        renewed.headers.remove(header::DATE);
        for name in headers.keys().filter(|name| !OF_THE_BODY.contains(name)) {
            renewed.headers.remove(name);
            for value in headers.get_all(name) {
                renewed.headers.append(name, value.clone());
            }
        }
        renewed.received = now;
        if self.keeps(request, renewed.status, &renewed.headers, now) {
            self.store(request, renewed.status, &renewed.headers, &renewed.body, now);
        }
        Some(renewed)
    }

    /// Why answers could not be kept, if so: the first reason.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.get().map(String::as_str)
    }
}

/// A private cache's view of an answer.
fn semantics(request: &Request<()>, status: u16, headers: &HeaderMap, received: SystemTime) -> Semantics {
    let mut answer = Response::new(());
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *answer.headers_mut() = headers.clone();
    if let Some(age) = answer.headers().get(header::AGE) {
        let seconds = age.to_str().ok().and_then(|age| age.trim().parse().ok()).unwrap_or(0u64);
        answer.headers_mut().insert(header::AGE, HeaderValue::from(seconds.min(LONGEST_AGE)));
    }
    let options = CacheOptions { shared: false, ..CacheOptions::default() };
    Semantics::new_options(request, &answer, received, options)
}

/// The same request as it was when the answer was kept.
fn request_of(request: &Request<()>, headers: HeaderMap) -> Request<()> {
    let mut asked = Request::new(());
    *asked.method_mut() = request.method().clone();
    *asked.uri_mut() = request.uri().clone();
    *asked.headers_mut() = headers;
    asked
}

/// Whether `Cache-Control` has one of these directives.
fn says(headers: &HeaderMap, directives: &[&str]) -> bool {
    listed(headers, header::CACHE_CONTROL)
        .any(|part| directives.iter().any(|directive| part.eq_ignore_ascii_case(directive)))
}

/// Whether the answer depends on something of the user's that was sent, or on everything.
fn varies_by_the_user(asked: &HeaderMap, headers: &HeaderMap) -> bool {
    listed(headers, header::VARY).any(|name| {
        let is_harmless = HARMLESS.iter().any(|known| known.as_str().eq_ignore_ascii_case(name));
        name == "*" || (!is_harmless && asked.contains_key(name))
    })
}

/// The members of all headers of this name (RFC 9110 5.6.1).
fn listed(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',').map(str::trim))
}

/// The headers without what is not kept.
fn kept(headers: &HeaderMap) -> HeaderMap {
    let of_the_connection: Vec<&str> = listed(headers, header::CONNECTION).collect();
    let is_kept = |name: &HeaderName| {
        !NOT_KEPT.contains(&name.as_str())
            && !of_the_connection.iter().any(|named| name.as_str().eq_ignore_ascii_case(named))
    };
    let kept = headers.iter().filter(|(name, _)| is_kept(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
