//! Opens TCP connections: which address of a host is asked first, how long each may take, and which are never asked.
//!
//! The address that is checked is the one that is connected, and it is checked for every connection: a name that means
//! another address a minute later (DNS rebinding) gains nothing by it.

use std::collections::{HashMap, HashSet};
use std::error::Error as StdError;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{ConnectionDetails, Connector, TcpConnector, Transport};
use ureq::{Error, Timeout};

use super::connect::with_addresses;
use super::private::{is_private, is_private_name};
use super::resolve::{Names, NoAddress, some_addresses};

/// How long an address may take while there are others to try. A lost packet is sent again after a second; a route that
/// leads nowhere (IPv6 that is only half set up) costs no more than this.
const MAX_WAIT_WITH_OTHERS: Duration = Duration::from_millis(1500);

/// How long an address that did not answer is asked last.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// Addresses and hosts remembered; with more, all are forgotten.
const MAX_REMEMBERED: usize = 10_000;

/// Which hosts may be at a private address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guard {
    /// All.
    Off,
    /// The job names the host itself: it may be at a private address, but not move to one once it was at a public one.
    Named,
    /// A page led there: only public addresses.
    Unnamed,
}

/// A host that a page led to, and that is at a private address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// Where it is.
    pub(super) address: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "private address {}", self.address)
    }
}

impl StdError for Refused {}

/// What is known of hosts and addresses; shared by all that dial.
#[derive(Debug, Default)]
pub(super) struct Memory {
    // Guards both; held for a look into a map.
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// When an address did not answer while there were others.
    silent: HashMap<IpAddr, Instant>,
    /// Hosts that were at a public address.
    public: HashSet<String>,
}

impl Memory {
    fn with<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.silent.len() > MAX_REMEMBERED {
            known.silent.clear();
        }
        if known.public.len() > MAX_REMEMBERED {
            known.public.clear();
        }
        look(&mut known)
    }
}

/// Connects to hosts under a [`Guard`].
#[derive(Debug)]
pub(super) struct Dial {
    guard: Guard,
    names: Names,
    memory: Arc<Memory>,
    tcp: TcpConnector,
}

impl Dial {
    pub(super) fn new(guard: Guard, names: Names, memory: Arc<Memory>) -> Dial {
        Dial { guard, names, memory, tcp: TcpConnector::default() }
    }

    /// Opens a connection to one of the host's addresses that the guard lets through.
    ///
    /// # Errors
    ///
    /// [`Refused`] in an [`Error::Other`] if it lets none through; the last address's error if none answers.
    pub(super) fn open(
        &self,
        details: &ConnectionDetails,
    ) -> Result<(Box<dyn Transport>, SocketAddr), Error> {
        let allowed = self.allowed(details)?;
        let host = host(details);
        let (connection, address) = self.first_that_answers(details, &allowed)?;
        if self.guard == Guard::Named && !is_private(address.ip()) {
            self.memory.with(|known| {
                if !known.public.contains(host) {
                    known.public.insert(host.to_owned());
                }
            });
        }
        Ok((connection, address))
    }

    /// Opens a connection to a host that the user named: a proxy.
    pub(super) fn open_any(&self, details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
        self.first_that_answers(details, &details.addrs).map(|(connection, _)| connection)
    }

    /// The addresses of the host that the guard lets through.
    pub(super) fn allowed(&self, details: &ConnectionDetails) -> Result<Vec<SocketAddr>, Error> {
        let host = host(details);
        let addresses = details.addrs.iter().copied();
        if !self.is_guarded(details) {
            return Ok(addresses.collect());
        }
        let (allowed, refused): (Vec<_>, Vec<_>) = addresses.partition(|address| !is_private(address.ip()));
        match refused.first() {
            Some(address) if allowed.is_empty() => Err(refuse(host, address.ip())),
            _ => Ok(allowed),
        }
    }

    /// Refuses a host that a proxy is to look up, as far as that can be told from its name.
    pub(super) fn check_name(&self, details: &ConnectionDetails) -> Result<(), Error> {
        let host = host(details);
        match host.parse::<IpAddr>() {
            Ok(address) if self.is_guarded(details) && is_private(address) => Err(refuse(host, address)),
            Err(_) if self.is_guarded(details) && is_private_name(host) => {
                Err(Error::Other(Box::new(Refused { address: host.to_owned() })))
            }
            _ => Ok(()),
        }
    }

    fn is_guarded(&self, details: &ConnectionDetails) -> bool {
        let host = host(details);
        match self.guard {
            Guard::Off => false,
            // An address that the user gave the host by hand is named, too.
            _ if self.names.is_given(details.uri) => false,
            Guard::Named => self.memory.with(|known| known.public.contains(host)),
            Guard::Unnamed => true,
        }
    }

    fn first_that_answers(
        &self,
        details: &ConnectionDetails,
        addresses: &[SocketAddr],
    ) -> Result<(Box<dyn Transport>, SocketAddr), Error> {
        let addresses = self.in_order(addresses);
        let started = Instant::now();
        let mut last_error = Error::HostNotFound;
        for (place, &address) in addresses.iter().enumerate() {
            if self.names.is_aborted() {
                return Err(Error::Other(Box::new(NoAddress::Aborted)));
            }
            let left = details.timeout.after.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(Error::Timeout(details.timeout.reason));
            }
            let is_last = place + 1 == addresses.len();
            let limit = if is_last { left } else { left.min(MAX_WAIT_WITH_OTHERS) };
            let mut attempt = with_addresses(details, some_addresses(&[address]));
            attempt.now = (details.current_time)();
            if !details.timeout.after.is_not_happening() || !is_last {
                attempt.timeout.after = Limit::Exact(limit);
            }
            match self.tcp.connect(&attempt, None::<()>) {
                Ok(Some(connection)) => return Ok((Box::new(connection), address)),
                Ok(None) => return Err(Error::ConnectionFailed),
                // Whatever is wrong with one address says nothing about the next.
                Err(error @ (Error::Io(_) | Error::Timeout(Timeout::Connect))) => {
                    if !is_last {
                        self.memory.with(|known| known.silent.insert(address.ip(), Instant::now()));
                    }
                    last_error = error;
                }
                Err(error) if is_last => return Err(error),
                Err(error) => last_error = error,
            }
        }
        Err(last_error)
    }

    /// The families in turn, beginning with that of the first address (RFC 8305 4), so that a family without a route
    /// costs one wait; and those that lately did not answer last.
    fn in_order(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let Some(first) = addresses.first() else { return Vec::new() };
        let (mut same, mut other): (Vec<_>, Vec<_>) =
            addresses.iter().copied().partition(|address| address.is_ipv4() == first.is_ipv4());
        let mut order = Vec::with_capacity(addresses.len());
        same.reverse();
        other.reverse();
        while let Some(address) = same.pop() {
            order.push(address);
            order.extend(other.pop());
        }
        other.reverse();
        order.append(&mut other);
        let is_silent = |known: &Known, address: &SocketAddr| {
            known.silent.get(&address.ip()).is_some_and(|since| since.elapsed() < REMEMBERED_FOR)
        };
        self.memory.with(|known| order.sort_by_key(|address| is_silent(known, address)));
        order
    }
}

fn refuse(host: &str, address: IpAddr) -> Error {
    let shown = address.to_string();
    let address = if host == shown { shown } else { format!("{host}, {shown}") };
    Error::Other(Box::new(Refused { address }))
}

/// The host without the brackets of an IPv6 address.
fn host<'a>(details: &ConnectionDetails<'a>) -> &'a str {
    let host = details.uri.host().unwrap_or_default();
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use ureq::config::Config;
    use ureq::http::Uri;
    use ureq::unversioned::transport::NextTimeout;
    use ureq::unversioned::transport::time::Instant as Moment;

    use super::super::super::address::GivenAddress;
    use super::*;

    fn dial(guard: Guard) -> Dial {
        let names = Names::new(Duration::ZERO, &[GivenAddress::parse("given:80:127.0.0.1").unwrap()], None);
        Dial::new(guard, names, Arc::default())
    }

    /// Does `look` with what ureq would ask for: a connection to one of `addresses` for `uri`.
    fn with_details<T>(uri: &str, addresses: &[SocketAddr], look: impl FnOnce(&ConnectionDetails) -> T) -> T {
        let (uri, config) = (uri.parse::<Uri>().unwrap(), Config::builder().proxy(None).build());
        let names = Names::new(Duration::from_secs(10), &[], None);
        let timeout =
            NextTimeout { after: Limit::from_secs(60), reason: Timeout::Connect, ..NextTimeout::default() };
        look(&ConnectionDetails {
            uri: &uri,
            addrs: some_addresses(addresses),
            config: &config,
            request_level: false,
            resolver: &names,
            now: Moment::now(),
            timeout,
            current_time: Arc::new(Moment::now),
            run_connector: Arc::new(|_| unreachable!("no proxy")),
            register_shutdown: Arc::new(|_| Ok(())),
        })
    }

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn is_refused<T>(result: &Result<T, Error>) -> bool {
        matches!(result, Err(Error::Other(inner)) if inner.is::<Refused>())
    }

    #[test]
    fn a_page_gets_the_public_addresses_of_a_host_only() {
        let mixed = addresses(&["10.0.0.1:80", "1.1.1.1:80", "[::1]:80"]);
        let allowed =
            |guard, list: &[SocketAddr]| with_details("http://h/", list, |d| dial(guard).allowed(d));
        assert_eq!(allowed(Guard::Unnamed, &mixed).unwrap(), mixed[1..2]);
        assert!(is_refused(&allowed(Guard::Unnamed, &mixed[..1])));
        assert_eq!(allowed(Guard::Named, &mixed).unwrap(), mixed);
        assert_eq!(allowed(Guard::Off, &mixed).unwrap(), mixed);
        // The user says where it is.
        assert!(with_details("http://given/", &mixed[..1], |d| dial(Guard::Unnamed).allowed(d)).is_ok());
    }

    #[test]
    fn a_host_of_the_job_that_was_public_may_not_move_to_a_private_address() {
        let (dial, private) = (dial(Guard::Named), addresses(&["127.0.0.1:80"]));
        assert!(with_details("http://h/", &private, |d| dial.allowed(d)).is_ok());
        dial.memory.with(|known| known.public.insert("h".into()));
        assert!(is_refused(&with_details("http://h/", &private, |d| dial.allowed(d))));
        assert!(with_details("http://other/", &private, |d| dial.allowed(d)).is_ok());
    }

    #[test]
    fn a_name_that_the_proxy_looks_up_is_checked_as_it_is_written() {
        let check = |guard, uri: &str| with_details(uri, &[], |d| dial(guard).check_name(d));
        for uri in
            ["http://10.0.0.1/", "http://[::1]:81/", "http://metadata.google.internal/", "http://localhost/"]
        {
            assert!(is_refused(&check(Guard::Unnamed, uri)), "{uri}");
            assert!(check(Guard::Named, uri).is_ok());
        }
        assert!(check(Guard::Unnamed, "http://example.com/").is_ok());
        assert!(check(Guard::Unnamed, "http://1.1.1.1/").is_ok());
    }

    #[test]
    fn the_families_are_tried_in_turn_and_the_silent_last() {
        let list = addresses(&["[2::1]:80", "[2::2]:80", "[2::3]:80", "2.0.0.1:80", "2.0.0.2:80"]);
        let dial = dial(Guard::Off);
        let expected = ["[2::1]:80", "2.0.0.1:80", "[2::2]:80", "2.0.0.2:80", "[2::3]:80"];
        assert_eq!(dial.in_order(&list), addresses(&expected));
        dial.memory.with(|known| known.silent.insert(list[0].ip(), Instant::now()));
        assert_eq!(dial.in_order(&list)[0], list[3]);
        assert_eq!(dial.in_order(&list)[4], list[0]);
    }

    #[test]
    fn after_an_abort_no_address_is_asked() {
        let dial = dial(Guard::Off);
        dial.names.abort();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let list = [listener.local_addr().unwrap()];
        assert!(with_details("http://h/", &list, |d| dial.open(d)).is_err());
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "somebody called");
    }

    #[test]
    fn an_address_that_does_not_answer_leads_to_the_next_one() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // The network for documentation swallows packets, or there is no way to it at all.
        for bad in ["[2001:db8::1]:80", "192.0.2.1:80", "127.0.0.1:1"] {
            let dial = dial(Guard::Off);
            let list = [bad.parse().unwrap(), good];
            let (_, address) = with_details("http://h/", &list, |d| dial.open(d)).unwrap();
            assert_eq!(address, good);
            assert!(
                dial.memory.with(|known| known.silent.contains_key(&list[0].ip())) || bad.contains("127")
            );
        }
    }
}
