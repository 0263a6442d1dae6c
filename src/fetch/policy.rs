//! What the job decides about fetching: limits of time and size, and the headers.
//!
//! Plain data, validated by whoever made it; knows no flags and no defaults.

use std::time::Duration;

use super::cookies::Jar;
use super::credentials::Credentials;
use super::{CachePolicy, Secret};

/// The limits and headers of every request of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchPolicy {
    /// Longest time for looking up the name, and again for connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// Longest silence of the server: while waiting for the reply, and between two pieces of it.
    pub read_timeout: Duration,
    /// Longest time for one exchange: connection, head and body. Each redirect is an exchange of its own.
    pub timeout: Duration,
    /// Largest body in bytes, as sent and after decoding.
    pub max_body_bytes: u64,
    /// How many redirects are followed.
    pub max_redirects: u32,
    /// The user's own headers, each from [`parse_header`](super::parse_header). An empty value removes the default
    /// header of that name.
    pub headers: Vec<(String, Secret)>,
    /// User names, passwords and tokens.
    pub credentials: Credentials,
    /// The cookies to begin with; `None` to keep none and send none but `own_cookies`.
    pub cookies: Option<Jar>,
    /// The user's own cookies, from [`parse_cookies`](super::cookies::parse_cookies), for the origin that a request
    /// names. What its server sets under the same name counts more.
    pub own_cookies: Vec<(String, Secret)>,
    /// The `User-Agent` headers, of which requests take one after the other, unless `headers` has one. None if empty.
    pub user_agents: Vec<String>,
    /// How many requests are made at the same time: so many idle connections are worth keeping.
    pub connections: usize,
    /// Whether `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are obeyed.
    pub proxies_from_environment: bool,
    /// Where answers are kept for the next run, if they are.
    pub cache: Option<CachePolicy>,
}
