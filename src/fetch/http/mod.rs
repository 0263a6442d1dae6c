//! One HTTP exchange: a request, the head of the reply, its body. The only user of ureq.
//!
//! [`resolve`] looks names up, [`dial`] opens TCP connections, but none to a [`private`] address that nobody named;
//! [`connect`] adds TLS ([`tls`]) and one of the [`proxies`] ([`forward`]), [`watched`] notices how a connection ends or drags on ([`pace`], [`reading`]), [`fault`] says in our
//! words what went wrong. Redirects, decoding and what a status means are the caller's.

mod connect;
mod dial;
mod fault;
mod forward;
mod pace;
mod private;
mod proxies;
mod reading;
mod resolve;
mod tls;
mod watched;

use std::io::{self, Read};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use ureq::{Agent, AsSendBody, Body, Error};
use url::Url;

use self::connect::Connect;
use self::dial::{Dial, Guard, Memory};
use self::fault::Stage;
use self::pace::LeastSpeed;
use self::proxies::{Picked, Proxies, Tried};
use self::reading::Reading;
use super::FetchPolicy;
use super::proxy::ProxyUrl;
use crate::message::Message;
use crate::model::{Exchange, PageError};

/// Largest head of a response. The client library stops at 128 header fields, too.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Idle connections kept however few requests run at once: with many hosts and a pause at each, a connection idles
/// while others are asked.
const MIN_IDLE_CONNECTIONS: usize = 64;

/// What of an unwanted body is read to keep its connection usable; more costs more than a new connection.
const MAX_DRAINED_BYTES: u64 = 64 << 10;

/// How long that may take: about what a new connection costs far away.
const MAX_DRAIN_TIME: Duration = Duration::from_millis(250);

/// Room for a body of unknown length at first.
const FIRST_ROOM: usize = 16 << 10;

/// How often one request is sent again because a kept-alive connection turned out to be closed. The second time
/// goes over a new connection.
const STALE_CONNECTIONS: u32 = 1;

/// The connections of a run and their limits; shared by all threads.
#[derive(Debug)]
pub(super) struct Client {
    /// For hosts that the job names.
    named: Agent,
    /// For hosts that a page led to. It has connections of its own, so that it is never given one that its guard has
    /// not let through, and shows nobody the client certificate.
    unnamed: Agent,
    names: resolve::Names,
    proxies: Proxies,
    clocks: Clocks,
}

/// Whether the client library can make use of a proxy's address.
pub(super) fn can_use_proxy(proxy: &ProxyUrl) -> bool {
    proxies::read(proxy).is_some()
}

/// The limits of time, as an error message needs them.
#[derive(Debug, Clone, Copy)]
struct Clocks {
    connect: Duration,
    read: Duration,
    whole: Duration,
    speed: Duration,
}

/// Request headers, made once for all requests.
#[derive(Debug, Clone)]
pub(super) struct HeaderSet(HeaderMap);

impl HeaderSet {
    /// `headers` as they came from [`parse_header`](super::parse_header); one that HTTP cannot carry is left out.
    pub(super) fn new(headers: &[(String, String)]) -> HeaderSet {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let (Ok(name), Ok(mut value)) =
                (HeaderName::try_from(name), HeaderValue::from_bytes(value.as_bytes()))
            else {
                continue;
            };
            // Not shown for debugging.
            value.set_sensitive(true);
            // Two `Host` would be refused by every server.
            if name == "host" {
                map.insert(name, value);
            } else {
                map.append(name, value);
            }
        }
        HeaderSet(map)
    }

    /// Adds a header, unless there is one of its name; a value that HTTP cannot carry is left out.
    pub(super) fn add(&mut self, name: &'static str, value: &str) {
        if let Ok(mut value) = HeaderValue::from_bytes(value.as_bytes()) {
            // Not shown for debugging.
            value.set_sensitive(true);
            self.0.entry(name).or_insert(value);
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The same headers and some more.
    pub(super) fn with(&self, more: HeaderMap) -> HeaderSet {
        let mut map = self.0.clone();
        map.extend(more);
        HeaderSet(map)
    }

    /// The request that they make for `url`; `None` if there is none.
    pub(super) fn request(&self, url: &Url) -> Option<Request<()>> {
        let mut request = Request::new(());
        *request.uri_mut() = Uri::try_from(url.as_str()).ok()?;
        *request.headers_mut() = self.0.clone();
        Some(request)
    }
}

impl Client {
    /// Tells proxies the user agent in `headers`.
    pub(super) fn new(policy: &FetchPolicy, headers: &HeaderSet) -> Client {
        let names = resolve::Names::new(policy.connect_timeout, &policy.addresses, policy.family);
        let user_agent = headers.0.get("user-agent").and_then(|value| value.to_str().ok());
        let config = |tells_identity| {
            Agent::config_builder()
                .proxy(None)
                .tls_config(tls::config(policy, tells_identity))
                .http_status_as_error(false)
                .max_redirects(0)
                .allow_non_standard_methods(true)
                .user_agent(user_agent.unwrap_or_default())
                .accept("")
                .accept_encoding("")
                .timeout_global(Some(policy.timeout))
                .timeout_resolve(Some(policy.connect_timeout))
                .timeout_connect(Some(policy.connect_timeout))
                .timeout_per_read(Some(policy.read_timeout))
                // Not only a limit: with it, the socket's timeout stays the same from one request to the next and need
                // not be set again by a system call.
                .timeout_per_write(Some(policy.read_timeout))
                .max_response_header_size(MAX_HEAD_BYTES)
                .max_idle_connections(policy.connections.max(MIN_IDLE_CONNECTIONS))
                .max_idle_connections_per_host(policy.connections.max(1))
                .no_delay(true)
                .build()
        };
        let memory = Arc::new(Memory::default());
        let least_speed = (policy.speed_limit > 0)
            .then_some(LeastSpeed { bytes_per_second: policy.speed_limit, over: policy.speed_time });
        let agent = |guard, tells_identity| {
            let guard = if policy.allow_private { Guard::Off } else { guard };
            let connect = Connect::new(Dial::new(guard, names.clone(), Arc::clone(&memory)), least_speed);
            Agent::with_parts(config(tells_identity), connect, names.clone())
        };
        let (named, unnamed) = (agent(Guard::Named, true), agent(Guard::Unnamed, false));
        let clocks = Clocks {
            connect: policy.connect_timeout,
            read: policy.read_timeout,
            whole: policy.timeout,
            speed: policy.speed_time,
        };
        Client { named, unnamed, names, proxies: Proxies::new(policy), clocks }
    }

    /// Asks for `url`, which has no user name in it, with a GET or as `message` says, and waits for the head of the
    /// reply. Notes in `exchange` who was asked. Only a host that the job names may be at a private address.
    ///
    /// # Errors
    ///
    /// Whatever keeps the head from arriving; a status is not an error.
    pub(super) fn send(
        &self,
        url: &Url,
        headers: &HeaderSet,
        message: Option<&Message>,
        is_named: bool,
        exchange: &mut Exchange,
    ) -> Result<Answer, PageError> {
        let agent = if is_named { &self.named } else { &self.unnamed };
        let mut send_with = |method: &Method, body: Option<&[u8]>| match body {
            Some(body) => self.exchange(agent, url, headers, (method, body), exchange),
            None => self.exchange(agent, url, headers, (method, ()), exchange),
        };
        let Some(message) = message else { return send_with(&Method::GET, None) };
        let method = Method::from_bytes(message.method.name().as_bytes())
            .map_err(|err| PageError::BadUrl(err.to_string()))?;
        match &message.body {
            Some(body) => send_with(&method, Some(body)),
            None if message.method.expects_body() => send_with(&method, Some(&[])),
            None => send_with(&method, None),
        }
    }

    /// Sends one request through the proxies that there are, if any. One goes out again only if no server can have seen
    /// it.
    fn exchange(
        &self,
        agent: &Agent,
        url: &Url,
        headers: &HeaderSet,
        sent: (&Method, impl AsSendBody + Copy),
        exchange: &mut Exchange,
    ) -> Result<Answer, PageError> {
        let uri = Uri::try_from(url.as_str()).map_err(|err| PageError::BadUrl(err.to_string()))?;
        let started = Instant::now();
        let mut tried = Tried::default();
        loop {
            let picked = self.proxies.pick(url, &tried)?;
            let mut replied = self.ask(agent, &uri, headers, sent, picked.as_ref(), started);
            exchange.peer = watched::take_peer();
            if let (Ok(response), Some(picked)) = (&replied, &picked)
                && response.status() == 407
                && picked.speaks_for(url)
            {
                replied = Err(picked.wants_password());
            }
            match (replied, picked) {
                (Ok(response), picked) => {
                    if let Some(picked) = picked {
                        self.proxies.succeeded(&picked, &tried);
                    }
                    return Ok(Answer { response, url: url.clone(), clocks: self.clocks });
                }
                (Err(error), Some(picked)) if self.proxies.failed(&picked, &error, &mut tried) => {}
                (Err(error), _) => return Err(fault::page_error(error, Stage::Head, url, self.clocks)),
            }
        }
    }

    /// Asks once, and once more if that went to a connection that was dead already.
    fn ask(
        &self,
        agent: &Agent,
        uri: &Uri,
        headers: &HeaderSet,
        (method, body): (&Method, impl AsSendBody + Copy),
        picked: Option<&Picked>,
        started: Instant,
    ) -> Result<Response<Body>, Error> {
        for resent in 0.. {
            let mut request = Request::new(body);
            *request.method_mut() = method.clone();
            *request.uri_mut() = uri.clone();
            *request.headers_mut() = headers.0.clone();
            // A configuration of its own costs a request copies, so the usual one goes without.
            if resent > 0 || picked.is_some() {
                let left = self.clocks.whole.saturating_sub(started.elapsed());
                let mut config = agent.configure_request(request).timeout_global(Some(left));
                if let Some(picked) = picked {
                    config = config.proxy(Some(picked.proxy.clone()));
                }
                if resent > 0 {
                    // No idle connection is young enough: a new one is made.
                    config = config.max_idle_age(Duration::ZERO);
                }
                request = config.build();
            }
            match agent.run(request) {
                Err(err) if resent < STALE_CONNECTIONS && watched::is_stale(&err) => {}
                replied => return replied,
            }
        }
        unreachable!("the last try returns")
    }

    /// An answer that did not come over a connection just now.
    pub(super) fn replay(&self, url: &Url, status: u16, headers: HeaderMap, body: Vec<u8>) -> Answer {
        let mut response = Response::new(Body::builder().data(body));
        *response.status_mut() =
            StatusCode::from_u16(status).expect("it was that of an answer, or of one that was kept");
        *response.headers_mut() = headers;
        Answer { response, url: url.clone(), clocks: self.clocks }
    }

    /// The address that a request to `url` would most likely go to; `None` if a proxy looks it up, or nobody can tell.
    pub(super) fn address_of(&self, url: &Url) -> Option<IpAddr> {
        if !matches!(self.proxies.pick(url, &Tried::default()), Ok(None)) {
            return None;
        }
        let uri = Uri::try_from(url.as_str()).ok()?;
        self.names.first_address(&uri)
    }

    /// Closes all connections at once and makes no more.
    pub(super) fn shut_down(&self) {
        self.names.abort();
        self.named.clone().shutdown();
        self.unnamed.clone().shutdown();
    }
}

/// The head of a reply; the body is still to come.
pub(super) struct Answer {
    response: Response<Body>,
    url: Url,
    clocks: Clocks,
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// All headers, as sent.
    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The first header of this name, as sent.
    pub(super) fn header(&self, name: &str) -> Option<&[u8]> {
        self.response.headers().get(name).map(HeaderValue::as_bytes)
    }

    /// Each header of this name, as sent.
    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.response.headers().get_all(name).iter().map(HeaderValue::as_bytes)
    }

    /// All headers of this name as one list (RFC 9110 5.3); bytes that are not UTF-8 are replaced.
    pub(super) fn list(&self, name: &str) -> String {
        let values = self.response.headers().get_all(name).iter();
        let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        values.join(", ")
    }

    /// The body as it came over the wire.
    ///
    /// # Errors
    ///
    /// [`PageError::TooLarge`] for more than `limit` bytes, at once if the server says so before; whatever keeps
    /// the body from arriving whole.
    pub(super) fn read(mut self, limit: u64) -> Result<Vec<u8>, PageError> {
        let announced = self.response.body().content_length();
        if announced.is_some_and(|length| length > limit) {
            return Err(PageError::TooLarge(limit));
        }
        let room = announced.and_then(|length| usize::try_from(length).ok());
        match self.read_up_to(limit, room.unwrap_or(FIRST_ROOM)) {
            Ok(body) if body.len() as u64 > limit => Err(PageError::TooLarge(limit)),
            read => read,
        }
    }

    /// The beginning of the body as it came over the wire: at most one byte more than `limit`, which tells that it was
    /// cut.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from arriving.
    pub(super) fn read_beginning(mut self, limit: u64) -> Result<Vec<u8>, PageError> {
        self.read_up_to(limit, FIRST_ROOM)
    }

    fn read_up_to(&mut self, limit: u64, room: usize) -> Result<Vec<u8>, PageError> {
        let mut body = Vec::with_capacity(room);
        let pieces = Pieces { reading: Reading::begin(None), body: self.response.body_mut().as_reader() };
        match pieces.take(limit.saturating_add(1)).read_to_end(&mut body) {
            Ok(_) => Ok(body),
            Err(err) => Err(fault::page_error(err.into(), Stage::Body, &self.url, self.clocks)),
        }
    }

    /// Reads a small unwanted body to its end, so that the connection can be used again. Anything else about it does
    /// not matter: a large, endless, slow or broken one ends with its connection.
    pub(super) fn discard(mut self) {
        let is_chunked = self.response.headers().contains_key("transfer-encoding");
        let ends_soon = match self.response.body().content_length() {
            Some(length) => length <= MAX_DRAINED_BYTES,
            None => is_chunked,
        };
        if !ends_soon {
            return;
        }
        let until = Instant::now() + MAX_DRAIN_TIME;
        let reading = Reading::begin(Some(until));
        let mut pieces = Pieces { reading, body: self.response.body_mut().as_reader() };
        let mut left = MAX_DRAINED_BYTES;
        let mut piece = [0; 4096];
        while Instant::now() < until {
            match pieces.read(&mut piece) {
                Ok(read) if read > 0 && read as u64 <= left => left -= read as u64,
                _ => return,
            }
        }
    }
}

/// A body, of which each piece is noted.
struct Pieces<R> {
    reading: Reading,
    body: R,
}

impl<R: Read> Read for Pieces<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.body.read(into)?;
        self.reading.has_piece();
        Ok(read)
    }
}
