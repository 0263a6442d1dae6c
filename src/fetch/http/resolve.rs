//! Looks host names up, and remembers the answers for a while.
//!
//! ureq asks for the address of every request, even one that goes over a kept connection, and starts a thread for
//! each question. Here an address that is written in the URL costs nothing, a known name costs a look into a map, and
//! all who wait for the same name wait for one question.
//!
//! The operating system's look-up cannot be interrupted. It runs on a thread of its own which, if nobody waits any
//! longer, ends by itself when the system gives up.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{fmt, io, thread};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ArrayVec, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;
use ureq::{Error, Timeout};

use super::super::address::GivenAddress;
use super::super::policy::Family;

/// How long an answer is used. The system does not tell how long it is good for; browsers use a minute.
const GOOD_FOR: Duration = Duration::from_secs(60);

/// How long a failure stands: a list of many pages of a missing host asks once a second instead of for each.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// Names remembered; with more, all answers are forgotten.
const MAX_NAMES: usize = 10_000;

/// ureq carries up to this many addresses.
const MAX_ADDRESSES: usize = 16;

/// Why a name has no address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoAddress {
    /// The name does not exist.
    NotFound,
    /// The name service could not say.
    Unsure(String),
    /// All addresses are of the family that is not to be used.
    OtherFamily(Family),
    /// The run was aborted while waiting.
    Aborted,
}

impl fmt::Display for NoAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAddress::NotFound => f.write_str("host not found"),
            NoAddress::Unsure(reason) => f.write_str(reason),
            NoAddress::OtherFamily(Family::V4) => f.write_str("the host has no IPv4 address (--ipv4)"),
            NoAddress::OtherFamily(Family::V6) => f.write_str("the host has no IPv6 address (--ipv6)"),
            NoAddress::Aborted => f.write_str("aborted"),
        }
    }
}

impl StdError for NoAddress {}

type LookUp = fn(&str) -> Result<Vec<IpAddr>, NoAddress>;

/// The names of a run; clones share what they know.
#[derive(Debug, Clone)]
pub(super) struct Names {
    shared: Arc<Shared>,
    limit: Duration,
    given: Arc<[GivenAddress]>,
    family: Option<Family>,
    look_up: LookUp,
}

#[derive(Debug, Default)]
struct Shared {
    // Guards the answers; held for a look into a map, never while asking the system.
    book: Mutex<Book>,
    answered: Condvar,
}

#[derive(Debug, Default)]
struct Book {
    names: HashMap<String, Name>,
    is_aborted: bool,
}

#[derive(Debug)]
struct Name {
    /// The last answer and when it came; `None` before the first.
    answer: Option<(Result<Vec<IpAddr>, NoAddress>, Instant)>,
    /// Whether the system is being asked now.
    is_asked: bool,
}

impl Name {
    /// The last answer and whether it still stands.
    fn answer(&self) -> Option<(&Result<Vec<IpAddr>, NoAddress>, bool)> {
        let (answer, since) = self.answer.as_ref()?;
        let good_for = if answer.is_ok() { GOOD_FOR } else { FAILED_FOR };
        Some((answer, since.elapsed() < good_for))
    }
}

impl Shared {
    fn book(&self) -> MutexGuard<'_, Book> {
        // Nothing that could panic happens under the lock, so a poisoned book is still right.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    /// Waits for an answer no longer than `limit`; knows the addresses `given`, and tells those of `family` only.
    pub(super) fn new(limit: Duration, given: &[GivenAddress], family: Option<Family>) -> Names {
        Names { shared: Arc::default(), limit, given: given.into(), family, look_up: ask_system }
    }

    /// Whether all waiting was ended.
    pub(super) fn is_aborted(&self) -> bool {
        self.shared.book().is_aborted
    }

    /// Whether the user gave this host its addresses.
    pub(super) fn is_given(&self, uri: &Uri) -> bool {
        self.given(uri).is_some()
    }

    /// The first that fits, but those for a host before those for all.
    fn given(&self, uri: &Uri) -> Option<&[IpAddr]> {
        let (host, port) = (uri.host().unwrap_or_default(), port(uri));
        self.given
            .iter()
            .filter(|given| !given.is_for_all_hosts())
            .chain(self.given.iter())
            .find_map(|given| given.of(host, port))
    }

    /// The addresses of the right family, with the port.
    fn of_family(&self, addresses: &[IpAddr], port: u16) -> Result<ResolvedSocketAddrs, Error> {
        let Some(family) = self.family else { return Ok(socket_addresses(addresses, port)) };
        let fits = |address: &IpAddr| address.is_ipv4() == (family == Family::V4);
        let fitting: Vec<_> = addresses.iter().copied().filter(fits).collect();
        if fitting.is_empty() {
            return Err(Error::Other(Box::new(NoAddress::OtherFamily(family))));
        }
        Ok(socket_addresses(&fitting, port))
    }

    /// The first address of a host, as far as it is found within the limit.
    pub(super) fn first_address(&self, uri: &Uri) -> Option<IpAddr> {
        let bare = uri.host()?.trim_start_matches('[').trim_end_matches(']');
        let of_family =
            |address: &IpAddr| self.family.is_none_or(|family| address.is_ipv4() == (family == Family::V4));
        if let Some(given) = self.given(uri) {
            return given.iter().copied().find(of_family);
        }
        if let Ok(address) = bare.parse() {
            return Some(address);
        }
        self.addresses(uri.host()?, self.limit)?.ok()?.into_iter().find(of_family)
    }

    /// Ends all waiting, now and later.
    pub(super) fn abort(&self) {
        self.shared.book().is_aborted = true;
        self.shared.answered.notify_all();
    }

    /// The addresses of `host`; `None` if there is no answer within `limit`.
    fn addresses(&self, host: &str, limit: Duration) -> Option<Result<Vec<IpAddr>, NoAddress>> {
        let deadline = Instant::now().checked_add(limit);
        let mut book = self.shared.book();
        loop {
            if book.is_aborted {
                return Some(Err(NoAddress::Aborted));
            }
            if !book.names.contains_key(host) {
                if book.names.len() >= MAX_NAMES {
                    book.names.retain(|_, name| name.is_asked);
                }
                book.names.insert(host.to_owned(), Name { answer: None, is_asked: false });
            }
            let name = book.names.get_mut(host)?;
            let known = name.answer().map(|(answer, stands)| (answer.clone(), stands));
            if let Some((answer, true)) = known {
                return Some(answer);
            }
            if !name.is_asked {
                if let Err(err) = self.ask(host) {
                    return Some(Err(NoAddress::Unsure(format!("no thread to look it up: {err}"))));
                }
                name.is_asked = true;
            }
            // An old answer serves while the new one is on its way.
            if let Some((Ok(addresses), false)) = known {
                return Some(Ok(addresses));
            }
            let left = match deadline {
                Some(deadline) => deadline.checked_duration_since(Instant::now())?,
                None => limit,
            };
            book = self.shared.answered.wait_timeout(book, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks the system on a thread, which writes the answer into the book.
    fn ask(&self, host: &str) -> io::Result<()> {
        let (names, asked) = (self.clone(), host.to_owned());
        thread::Builder::new().name("resolve".into()).spawn(move || {
            let answer = (names.look_up)(&asked);
            names.write(&asked, answer);
        })?;
        Ok(())
    }

    fn write(&self, host: &str, answer: Result<Vec<IpAddr>, NoAddress>) {
        let mut book = self.shared.book();
        if let Some(name) = book.names.get_mut(host) {
            name.is_asked = false;
            let had_addresses = matches!(name.answer, Some((Ok(_), _)));
            // An address that was good a minute ago is a better guess than a failure of the name service.
            let keeps_old = had_addresses && matches!(answer, Err(NoAddress::Unsure(_)));
            match &mut name.answer {
                Some((_, since)) if keeps_old => *since = Instant::now(),
                place => *place = Some((answer, Instant::now())),
            }
        }
        drop(book);
        self.shared.answered.notify_all();
    }
}

impl Resolver for Names {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().unwrap_or_default();
        let port = port(uri);
        if let Some(addresses) = self.given(uri) {
            return self.of_family(addresses, port);
        }
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse() {
            return self.of_family(&[address], port);
        }
        let limit = self.limit.min(*timeout.after);
        match self.addresses(host, limit) {
            Some(Ok(addresses)) => self.of_family(&addresses, port),
            Some(Err(reason)) => Err(Error::Other(Box::new(reason))),
            None if limit < self.limit => Err(Error::Timeout(timeout.reason)),
            None => Err(Error::Timeout(Timeout::Resolve)),
        }
    }
}

fn port(uri: &Uri) -> u16 {
    uri.port_u16().unwrap_or(if uri.scheme_str() == Some("https") { 443 } else { 80 })
}

fn socket_addresses(addresses: &[IpAddr], port: u16) -> ResolvedSocketAddrs {
    let addresses: Vec<_> = addresses.iter().map(|&address| SocketAddr::new(address, port)).collect();
    some_addresses(&addresses)
}

/// As ureq wants them, as many as it can carry.
pub(super) fn some_addresses(addresses: &[SocketAddr]) -> ResolvedSocketAddrs {
    let mut list = ArrayVec::from_fn(|_| SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)));
    for &address in addresses.iter().take(MAX_ADDRESSES) {
        list.push(address);
    }
    list
}

fn ask_system(host: &str) -> Result<Vec<IpAddr>, NoAddress> {
    match (host, 0).to_socket_addrs() {
        Ok(found) => {
            let addresses: Vec<IpAddr> = found.map(|address| address.ip()).take(MAX_ADDRESSES).collect();
            if addresses.is_empty() { Err(NoAddress::NotFound) } else { Ok(addresses) }
        }
        Err(err) => Err(reason(&err)),
    }
}

/// The standard library keeps only the system's text. "Temporary failure" (glibc) and "try again" (musl, BSD) are
/// EAI_AGAIN: the name service did not answer. All else means that there is no such name.
fn reason(err: &io::Error) -> NoAddress {
    let text = err.to_string();
    let lower = text.to_ascii_lowercase();
    if lower.contains("temporary") || lower.contains("try again") {
        let detail = text.rsplit(": ").next().unwrap_or(&text);
        NoAddress::Unsure(format!("the name service did not answer: {}", detail.to_lowercase()))
    } else {
        NoAddress::NotFound
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn names(look_up: LookUp) -> Names {
        Names { look_up, ..Names::new(LONG, &[], None) }
    }

    /// Makes the answers of `names` older than any limit.
    fn age(names: &Names) {
        for name in names.shared.book().names.values_mut() {
            if let Some((_, since)) = &mut name.answer {
                *since = since.checked_sub(GOOD_FOR).expect("the machine has run for a minute");
            }
        }
    }

    #[test]
    fn a_name_is_asked_for_once_however_many_wait() {
        static ASKED: AtomicUsize = AtomicUsize::new(0);
        let names = names(|_| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            Ok(vec![HERE])
        });
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert_eq!(names.addresses("h", LONG), Some(Ok(vec![HERE]))));
            }
        });
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn an_address_in_the_url_asks_nobody() {
        let names = names(|_| unreachable!("not a name"));
        for (uri, address) in [
            ("http://127.0.0.1:81/", "127.0.0.1:81"),
            ("https://127.0.0.1/", "127.0.0.1:443"),
            ("http://[::1]/", "[::1]:80"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let found = names.resolve(&uri, &Config::default(), NextTimeout::default()).unwrap();
            assert_eq!(found[..], [address.parse().unwrap()]);
        }
    }

    #[test]
    fn a_silent_name_service_runs_into_the_limit() {
        // Never answers while the test lasts; the thread sleeps on and is not waited for.
        let names = names(|_| {
            loop {
                thread::park();
            }
        });
        assert_eq!(names.addresses("h", Duration::from_millis(20)), None);
    }

    #[test]
    fn an_abort_ends_the_waiting() {
        let names = names(|_| {
            loop {
                thread::park();
            }
        });
        thread::scope(|scope| {
            let waiting = scope.spawn(|| names.addresses("h", LONG));
            names.abort();
            assert_eq!(waiting.join().unwrap(), Some(Err(NoAddress::Aborted)));
        });
    }

    #[test]
    fn an_old_answer_serves_while_it_is_asked_for_again() {
        let names = names(|_| {
            loop {
                thread::park();
            }
        });
        names
            .shared
            .book()
            .names
            .insert("h".into(), Name { answer: Some((Ok(vec![HERE]), Instant::now())), is_asked: false });
        age(&names);
        assert_eq!(names.addresses("h", LONG), Some(Ok(vec![HERE])));
        assert!(names.shared.book().names["h"].is_asked);
    }

    #[test]
    fn a_failure_of_the_service_does_not_replace_an_address_but_a_missing_name_does() {
        let names = names(|_| Ok(vec![HERE]));
        names.addresses("h", LONG);
        names.write("h", Err(NoAddress::Unsure("busy".into())));
        assert_eq!(names.addresses("h", LONG), Some(Ok(vec![HERE])));
        names.write("h", Err(NoAddress::NotFound));
        assert_eq!(names.addresses("h", LONG), Some(Err(NoAddress::NotFound)));
    }

    #[test]
    fn the_book_does_not_grow_without_end() {
        let names = names(|_| Ok(vec![HERE]));
        for number in 0..MAX_NAMES {
            let answer = Some((Ok(vec![HERE]), Instant::now()));
            names.shared.book().names.insert(format!("h{number}"), Name { answer, is_asked: false });
        }
        names.addresses("one-more", LONG);
        assert_eq!(names.shared.book().names.len(), 1);
    }

    #[test]
    fn a_busy_name_service_is_told_from_a_missing_name() {
        let reason = |text: &str| reason(&io::Error::other(text));
        let look_up = "failed to lookup address information";
        assert_eq!(reason(&format!("{look_up}: Name or service not known")), NoAddress::NotFound);
        assert_eq!(
            reason(&format!("{look_up}: Temporary failure in name resolution")),
            NoAddress::Unsure("the name service did not answer: temporary failure in name resolution".into())
        );
    }
}
