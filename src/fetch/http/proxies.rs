//! Which proxy a request goes through: in turn, without those that failed lately.
//!
//! A proxy that fails is left alone for a while, longer each time, and the request goes over another one. Where it may
//! be the server that fails, the proxy is only blamed once another one has reached it.

use std::env;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::{Error, Proxy, ProxyProtocol};
use url::{Host, Url};

use super::super::FetchPolicy;
use super::super::proxy::ProxyUrl;
use super::connect::ProxyFailed;
use crate::model::{PageError, human_duration};

/// How long a proxy is left alone after its first failure; twice as long after each further one in a row.
const FIRST_BENCH: Duration = Duration::from_secs(5);

/// How long at most.
const LONGEST_BENCH: Duration = Duration::from_secs(600);

/// The proxies of a run.
#[derive(Debug)]
pub(super) struct Proxies {
    choice: Choice,
    not_for: Exceptions,
}

#[derive(Debug)]
enum Choice {
    /// None, or one for each scheme, from the environment; or what is wrong with it.
    ByScheme { http: Option<Result<Proxy, String>>, https: Option<Result<Proxy, String>> },
    /// Of the user's list, in turn.
    InTurn { list: Vec<Proxy>, turns: Mutex<Turns> },
}

#[derive(Debug)]
struct Turns {
    next: usize,
    benches: Vec<Bench>,
}

#[derive(Debug, Clone, Default)]
struct Bench {
    failures: u32,
    until: Option<Instant>,
}

/// The proxies that a request has been tried over.
#[derive(Debug, Default)]
pub(super) struct Tried {
    all: Vec<usize>,
    /// Those that may not be at fault themselves.
    suspects: Vec<usize>,
}

/// A proxy that was picked.
#[derive(Debug, Clone)]
pub(super) struct Picked {
    pub(super) proxy: Proxy,
    place: usize,
}

impl Picked {
    /// Whether a status 407 is the proxy's own word: the request for `url` goes to the proxy itself, not through it.
    pub(super) fn speaks_for(&self, url: &Url) -> bool {
        url.scheme() == "http" && matches!(self.proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
    }

    /// The failure that status 407 is.
    pub(super) fn wants_password(&self) -> Error {
        Error::Other(Box::new(ProxyFailed {
            proxy: format!("{}:{}", self.proxy.host(), self.proxy.port()),
            is_its_own: true,
            has_login: self.proxy.username().is_some(),
            cause: Error::ConnectProxyFailed("proxy server responded 407".into()),
        }))
    }
}

impl Proxies {
    pub(super) fn new(policy: &FetchPolicy) -> Proxies {
        let variable = |name: &str| {
            let value = env::var(name).or_else(|_| env::var(name.to_ascii_uppercase())).ok();
            value.filter(|value| policy.proxies_from_environment && !value.trim().is_empty())
        };
        let by_scheme = |name: &str| {
            let name = if variable(name).is_some() { name } else { "all_proxy" };
            variable(name).map(|text| {
                let proxy =
                    ProxyUrl::parse(&text).map_err(|err| format!("{}: {err}", name.to_uppercase()))?;
                read(&proxy).ok_or_else(|| name.to_uppercase())
            })
        };
        let choice = if policy.proxies.is_empty() {
            Choice::ByScheme { http: by_scheme("http_proxy"), https: by_scheme("https_proxy") }
        } else {
            let list: Vec<_> = policy.proxies.iter().filter_map(read).collect();
            let turns = Turns { next: 0, benches: vec![Bench::default(); list.len()] };
            Choice::InTurn { list, turns: Mutex::new(turns) }
        };
        let not_for = policy.no_proxy.clone().or_else(|| variable("no_proxy")).unwrap_or_default();
        Proxies { choice, not_for: Exceptions(not_for) }
    }

    /// The proxy for a request to `url` that has been tried over `tried`; `None` for none.
    ///
    /// # Errors
    ///
    /// All proxies failed lately, or the one of the environment is not written right.
    pub(super) fn pick(&self, url: &Url, tried: &Tried) -> Result<Option<Picked>, PageError> {
        if self.not_for.include(url) {
            return Ok(None);
        }
        match &self.choice {
            Choice::ByScheme { http, https } => {
                let proxy = if url.scheme() == "https" { https } else { http };
                match proxy {
                    Some(Ok(proxy)) => Ok(Some(Picked { proxy: proxy.clone(), place: 0 })),
                    Some(Err(reason)) => Err(PageError::Connect(reason.clone())),
                    None => Ok(None),
                }
            }
            Choice::InTurn { list, turns } => {
                let mut turns = lock(turns);
                let now = Instant::now();
                let place = turns.free(tried, now).ok_or_else(|| turns.all_benched(now))?;
                turns.next = (place + 1) % list.len();
                Ok(Some(Picked { proxy: list[place].clone(), place }))
            }
        }
    }

    /// Notes that a request did not get through; whether another proxy is to be tried.
    pub(super) fn failed(&self, picked: &Picked, error: &Error, tried: &mut Tried) -> bool {
        let Choice::InTurn { turns, .. } = &self.choice else { return false };
        let Error::Other(inner) = error else { return false };
        let Some(failed) = inner.downcast_ref::<ProxyFailed>() else { return false };
        let mut turns = lock(turns);
        tried.all.push(picked.place);
        if failed.is_its_own {
            turns.bench(picked.place, Instant::now());
        } else {
            tried.suspects.push(picked.place);
        }
        turns.free(tried, Instant::now()).is_some()
    }

    /// Notes that a request got through: whoever did not manage that is at fault.
    pub(super) fn succeeded(&self, picked: &Picked, tried: &Tried) {
        let Choice::InTurn { turns, .. } = &self.choice else { return };
        let mut turns = lock(turns);
        turns.benches[picked.place] = Bench::default();
        for &place in &tried.suspects {
            turns.bench(place, Instant::now());
        }
    }
}

fn lock(turns: &Mutex<Turns>) -> MutexGuard<'_, Turns> {
    turns.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Turns {
    /// The next one that neither failed lately nor was tried.
    fn free(&self, tried: &Tried, now: Instant) -> Option<usize> {
        let count = self.benches.len();
        (0..count).map(|step| (self.next + step) % count).find(|place| {
            !tried.all.contains(place) && self.benches[*place].until.is_none_or(|until| until <= now)
        })
    }

    fn bench(&mut self, place: usize, now: Instant) {
        // There is nobody else: leaving it alone would only lose pages that the next try might get.
        if self.benches.len() == 1 {
            return;
        }
        let bench = &mut self.benches[place];
        let pause = FIRST_BENCH.saturating_mul(1 << bench.failures.min(10)).min(LONGEST_BENCH);
        bench.failures += 1;
        bench.until = now.checked_add(pause);
    }

    fn all_benched(&self, now: Instant) -> PageError {
        let first = self.benches.iter().filter_map(|bench| bench.until).min();
        let wait = first.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let seconds = Duration::from_secs(wait.as_secs() + 1);
        PageError::Connect(format!(
            "all {} proxies failed lately, the first is tried again in {}",
            self.benches.len(),
            human_duration(seconds)
        ))
    }
}

/// The proxy as ureq takes it.
pub(super) fn read(proxy: &ProxyUrl) -> Option<Proxy> {
    Proxy::new(proxy.secret_text()).ok()
}

/// The hosts that are asked without a proxy, as curl reads `NO_PROXY`: names with all below them, addresses, networks
/// (`10.0.0.0/8`), or `*` for all; with commas or blanks between.
#[derive(Debug)]
struct Exceptions(String);

impl Exceptions {
    fn include(&self, url: &Url) -> bool {
        let mut names = self.0.split([',', ' ', '\t']).filter(|name| !name.is_empty());
        match url.host() {
            Some(Host::Domain(host)) => {
                let host = host.trim_end_matches('.');
                names.any(|name| name == "*" || is_below(host, name.trim_matches('.')))
            }
            Some(Host::Ipv4(address)) => names.any(|name| name == "*" || is_in(address.into(), name)),
            Some(Host::Ipv6(address)) => names.any(|name| name == "*" || is_in(address.into(), name)),
            None => false,
        }
    }
}

fn is_below(host: &str, name: &str) -> bool {
    let Some(front) = host.len().checked_sub(name.len()) else { return false };
    let is_end = host.as_bytes()[front..].eq_ignore_ascii_case(name.as_bytes());
    is_end && (front == 0 || host.as_bytes()[front - 1] == b'.')
}

fn is_in(address: IpAddr, network: &str) -> bool {
    let (base, length) = match network.split_once('/') {
        Some((base, length)) => (base, length.parse::<u32>().ok()),
        None => (network, Some(128)),
    };
    let base = base.strip_prefix('[').and_then(|base| base.strip_suffix(']')).unwrap_or(base);
    let (Ok(base), Some(length)) = (base.parse::<IpAddr>(), length) else { return false };
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => {
            (address.to_bits() ^ base.to_bits()).leading_zeros() >= length.min(32)
        }
        (IpAddr::V6(address), IpAddr::V6(base)) => {
            (address.to_bits() ^ base.to_bits()).leading_zeros() >= length.min(128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::policy;
    use super::*;

    fn proxies(texts: &[&str]) -> Proxies {
        let proxies = texts.iter().map(|text| ProxyUrl::parse(text).unwrap()).collect();
        Proxies::new(&FetchPolicy { proxies, ..policy() })
    }

    fn url() -> Url {
        Url::parse("http://example.com/").unwrap()
    }

    fn pick(proxies: &Proxies, tried: &Tried) -> Result<String, String> {
        match proxies.pick(&url(), tried) {
            Ok(picked) => Ok(picked.map_or("direct".into(), |picked| picked.proxy.host().to_owned())),
            Err(error) => Err(error.to_string()),
        }
    }

    fn failure(is_its_own: bool) -> Error {
        Error::Other(Box::new(ProxyFailed {
            proxy: "p:1".into(),
            is_its_own,
            has_login: false,
            cause: Error::ConnectionFailed,
        }))
    }

    #[test]
    fn proxies_take_turns_and_a_failed_one_is_left_out() {
        let proxies = proxies(&["a", "b", "c"]);
        let none = Tried::default();
        for host in ["a", "b", "c", "a"] {
            assert_eq!(pick(&proxies, &none).as_deref(), Ok(host));
        }
        let (picked, mut tried) = (proxies.pick(&url(), &none).unwrap().unwrap(), Tried::default());
        assert_eq!(picked.proxy.host(), "b");
        assert!(proxies.failed(&picked, &failure(true), &mut tried));
        for host in ["c", "a", "c", "a"] {
            assert_eq!(pick(&proxies, &none).as_deref(), Ok(host));
        }
    }

    #[test]
    fn with_all_proxies_benched_the_page_fails_and_says_so() {
        let proxies = proxies(&["a", "b"]);
        let mut tried = Tried::default();
        let first = proxies.pick(&url(), &tried).unwrap().unwrap();
        assert!(proxies.failed(&first, &failure(true), &mut tried));
        let second = proxies.pick(&url(), &tried).unwrap().unwrap();
        assert!(!proxies.failed(&second, &failure(true), &mut tried), "none is left");
        let told = pick(&proxies, &Tried::default()).unwrap_err();
        assert_eq!(told, "cannot connect: all 2 proxies failed lately, the first is tried again in 5s");
    }

    #[test]
    fn a_server_that_no_proxy_reaches_benches_none_and_one_that_another_reaches_does() {
        let proxies = proxies(&["a", "b"]);
        for is_reached in [false, true] {
            let mut tried = Tried::default();
            let first = proxies.pick(&url(), &tried).unwrap().unwrap();
            assert_eq!(first.proxy.host(), "a");
            assert!(proxies.failed(&first, &failure(false), &mut tried));
            let second = proxies.pick(&url(), &tried).unwrap().unwrap();
            if is_reached {
                proxies.succeeded(&second, &tried);
            } else {
                assert!(!proxies.failed(&second, &failure(false), &mut tried));
            }
        }
        assert_eq!(pick(&proxies, &Tried::default()).as_deref(), Ok("b"));
        assert_eq!(pick(&proxies, &Tried::default()).as_deref(), Ok("b"), "`a` is benched");
    }

    #[test]
    fn benches_grow_to_a_limit_and_end_with_the_first_success() {
        let mut turns = Turns { next: 0, benches: vec![Bench::default(); 2] };
        let now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..10 {
            turns.bench(0, now);
            pauses.push((turns.benches[0].until.unwrap() - now).as_secs());
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
        assert_eq!(turns.free(&Tried::default(), now), Some(1));
        assert_eq!(turns.free(&Tried::default(), now + LONGEST_BENCH), Some(0));
    }

    #[test]
    fn a_single_proxy_is_never_benched() {
        let proxies = proxies(&["a"]);
        for _ in 0..3 {
            let mut tried = Tried::default();
            let picked = proxies.pick(&url(), &tried).unwrap().unwrap();
            assert!(!proxies.failed(&picked, &failure(true), &mut tried));
        }
    }

    #[test]
    fn exceptions_are_read_as_curl_reads_them() {
        let exceptions = Exceptions(".example.com, other.org 10.0.0.0/8,127.0.0.1,[::1],fe80::/10".into());
        for (url, is_direct) in [
            ("http://example.com/", true),
            ("http://www.EXAMPLE.com:81/", true),
            ("http://notexample.com/", false),
            ("http://www.other.org./", true),
            ("http://org/", false),
            ("http://10.200.0.1/", true),
            ("http://11.0.0.1/", false),
            ("http://127.0.0.1/", true),
            ("http://127.0.0.2/", false),
            ("http://[::1]/", true),
            ("http://[fe80::5]/", true),
            ("http://[::2]/", false),
        ] {
            assert_eq!(exceptions.include(&Url::parse(url).unwrap()), is_direct, "{url}");
        }
        assert!(Exceptions("*".into()).include(&url()));
        assert!(!Exceptions(String::new()).include(&url()));
    }
}
