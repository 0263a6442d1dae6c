//! What the job decides about fetching: limits of time and size, and the headers.
//!
//! Plain data, validated by whoever made it; knows no flags and no defaults.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use super::address::GivenAddress;
use super::certificates::{Authorities, Identity};
use super::cookies::Jar;
use super::credentials::Credentials;
use super::proxy::ProxyUrl;
use super::{CachePolicy, Secret};
use crate::model::{Request, host_and_port};

/// The limits and headers of every request of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchPolicy {
    /// Longest time for looking up the name, and again for connecting and the TLS handshake.
    pub connect_timeout: Duration,
    /// Longest silence of the server: while waiting for the reply, and between two pieces of it.
    pub read_timeout: Duration,
    /// Longest time for one exchange: connection, head and body. Each redirect is an exchange of its own.
    pub timeout: Duration,
    /// The least speed of a reply in bytes a second, once it has begun; 0 for any.
    pub speed_limit: u64,
    /// What that speed is an average over.
    pub speed_time: Duration,
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
    /// Whether a page may lead to a private address: loopback, the local network, the metadata of a cloud.
    pub allow_private: bool,
    /// The hosts that may be at a private address all the same.
    pub named_hosts: NamedHosts,
    /// Addresses that hosts have whatever the name service says.
    pub addresses: Vec<GivenAddress>,
    /// The only family of addresses to use; `None` for both.
    pub family: Option<Family>,
    /// Whether any certificate of a server will do.
    pub insecure: bool,
    /// Whose certificates are believed, instead of Mozilla's list.
    pub authorities: Option<Authorities>,
    /// Who we are to servers that ask for a certificate.
    pub identity: Option<Identity>,
    /// Proxies to be used in turn.
    pub proxies: Vec<ProxyUrl>,
    /// Hosts that are asked without a proxy, written as in `NO_PROXY`, and instead of it.
    pub no_proxy: Option<String>,
    /// Whether `NO_PROXY` is obeyed, and without `proxies` also `HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`.
    pub proxies_from_environment: bool,
    /// Where answers are kept for the next run, if they are.
    pub cache: Option<CachePolicy>,
}

/// A family of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// The hosts that the job itself names, each with its port: another port is another service, and one on this machine may
/// well be reached by nobody but this machine. Only 80 and 443 go together, since a host answers at the one to send
/// people to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedHosts {
    /// The one of each request's own URL, before any redirect, unless that URL was found on a page.
    OfEachRequest,
    /// These, wherever a request comes from.
    These(BTreeSet<(String, u16)>),
}

impl NamedHosts {
    /// The hosts of these URLs.
    pub fn of<'u>(urls: impl IntoIterator<Item = &'u Url>) -> NamedHosts {
        let owned = |(host, port): (&str, u16)| (host.to_owned(), port);
        NamedHosts::These(urls.into_iter().map(|url| owned(host_and_port(url))).collect())
    }

    /// Whether the job names the host that `request` goes to.
    pub(super) fn include(&self, request: &Request) -> bool {
        match self {
            NamedHosts::OfEachRequest => request.is_at_its_own_host(),
            NamedHosts::These(hosts) => {
                let (host, port) = host_and_port(request.target());
                hosts.contains(&(host.to_owned(), port))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::RequestId;

    fn names(named: &NamedHosts, request: &str, target: &str) -> bool {
        let request = Request::new(RequestId(0), request.parse().unwrap(), None);
        named.include(&request.moved_to(target.parse().unwrap()))
    }

    #[test]
    fn a_host_is_named_with_its_port_and_the_usual_ports_are_one() {
        let named =
            NamedHosts::of([&Url::parse("http://h:8000/a").unwrap(), &Url::parse("http://i/").unwrap()]);
        for (target, is_named) in [
            ("http://h:8000/b", true),
            ("https://h:8000/b", true),
            ("http://h.:8000/", true),
            ("http://h:8001/", false),
            ("http://h/", false),
            ("http://i/", true),
            ("https://i/", true),
            ("https://i:8443/", false),
            ("http://x.i/", false),
        ] {
            assert_eq!(names(&named, "http://other/", target), is_named, "{target}");
        }
    }

    #[test]
    fn without_a_list_a_request_names_its_own_host_and_no_other() {
        let each = NamedHosts::OfEachRequest;
        assert!(names(&each, "http://h:8000/", "http://h:8000/x"));
        assert!(!names(&each, "http://h:8000/", "http://h:9200/"));
    }

    #[test]
    fn what_is_asked_because_of_a_page_names_no_host() {
        let each = NamedHosts::OfEachRequest;
        let page = Request::new(RequestId(0), "http://h/".parse().unwrap(), None);
        let robots = |page: &Request, url: &str| Request::for_robots(page, url.parse().unwrap());
        assert!(each.include(&robots(&page, "http://h/robots.txt")));
        let moved = page.moved_to("http://10.0.0.1/".parse().unwrap());
        assert!(!each.include(&robots(&moved, "http://10.0.0.1/robots.txt")));
    }
}
