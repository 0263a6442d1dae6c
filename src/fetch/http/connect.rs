//! Opens connections, and watches how they end.
//!
//! ureq reports a connection that breaks as an I/O error, or, in a body without a length, as its regular end. Which
//! it is, and whether the connection had been idle before, is only known here; so every connection is wrapped in a
//! [`Watched`], which turns those ends into a [`Cut`].

use std::error::Error as StdError;
use std::{fmt, io};

use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, DefaultConnector, NextTimeout, Transport,
};
use ureq::{Error, Proxy, ProxyProtocol};

/// More input than this that nothing could be made of is not the end of a connection but nonsense without end.
const MAX_UNREADABLE_BYTES: usize = 64 << 10;

/// How a connection broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// A connection that had served before ended before the reply: most likely closed while it was idle.
    Stale,
    /// Closed without a byte of reply.
    NoReply,
    /// Reset, or closed without TLS's goodbye, after some bytes.
    Reset,
    /// More bytes than any line of HTTP has, without an end.
    Unreadable,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Cut::Stale | Cut::NoReply => "closed without a reply",
            Cut::Reset => "reset by the server",
            Cut::Unreadable => "a line without end",
        })
    }
}

impl StdError for Cut {}

/// A connection that could not be opened.
#[derive(Debug)]
pub(super) struct NoConnection {
    /// What was tried: `127.0.0.1:80`.
    pub(super) address: String,
    /// Whether TLS was to be spoken.
    pub(super) is_tls: bool,
    /// What went wrong.
    pub(super) cause: Error,
}

impl fmt::Display for NoConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.cause, self.address)
    }
}

impl StdError for NoConnection {}

/// Whether the request may be sent again at once: it went to a connection that was already dead.
pub(super) fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Other(inner) if inner.downcast_ref() == Some(&Cut::Stale))
}

/// ureq's own way to connect, with watched connections.
#[derive(Debug, Default)]
pub(super) struct Connect {
    usual: DefaultConnector,
}

impl Connector for Connect {
    type Out = Watched;

    fn connect(&self, details: &ConnectionDetails, chained: Option<()>) -> Result<Option<Watched>, Error> {
        let details = ConnectionDetails {
            uri: details.uri,
            addrs: details.addrs.clone(),
            config: details.config,
            // Our requests differ in their limits of time only. Told so, ureq takes the TLS set-up it has instead of
            // reading all root certificates again.
            request_level: false,
            resolver: details.resolver,
            now: details.now,
            timeout: details.timeout,
            current_time: details.current_time.clone(),
            run_connector: details.run_connector.clone(),
            register_shutdown: details.register_shutdown.clone(),
        };
        let connected = match details.config.proxy() {
            // ureq would find no address to connect to, and say that it was refused.
            Some(proxy) if is_socks(proxy) && !proxy.is_no_proxy(details.uri) => {
                Err(io::Error::other("proxies of the SOCKS kind are not supported, unset ALL_PROXY").into())
            }
            _ => self.usual.connect(&details, chained),
        };
        match connected {
            Ok(connection) => Ok(connection.map(Watched::new)),
            // Already told by the connector of a proxy, or by the clock.
            Err(err @ (Error::Other(_) | Error::Timeout(_))) => Err(err),
            Err(cause) => Err(Error::Other(Box::new(NoConnection {
                address: address_of(&details),
                is_tls: details.needs_tls(),
                cause,
            }))),
        }
    }
}

fn is_socks(proxy: &Proxy) -> bool {
    !matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https)
}

fn address_of(details: &ConnectionDetails) -> String {
    match &*details.addrs {
        [] => details.uri.authority().map(ToString::to_string).unwrap_or_default(),
        [only] => only.to_string(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}

/// A connection that knows whether it has served before and whether the present request has had an answer.
#[derive(Debug)]
pub(super) struct Watched {
    connection: Box<dyn Transport>,
    has_served: bool,
    has_answer: bool,
}

impl Watched {
    fn new(connection: Box<dyn Transport>) -> Watched {
        Watched { connection, has_served: false, has_answer: false }
    }

    fn cut(&self) -> Error {
        Error::Other(Box::new(match (self.has_answer, self.has_served) {
            (false, true) => Cut::Stale,
            (false, false) => Cut::NoReply,
            (true, _) => Cut::Reset,
        }))
    }

    fn or_cut(&self, error: Error) -> Error {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};
        match &error {
            Error::Io(err)
                if matches!(
                    err.kind(),
                    BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof
                ) =>
            {
                self.cut()
            }
            _ => error,
        }
    }
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.has_answer {
            self.has_served = true;
            self.has_answer = false;
        }
        self.connection.transmit_output(amount, timeout).map_err(|err| self.or_cut(err))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        match self.connection.await_input(timeout) {
            Ok(true) => {
                self.has_answer = true;
                Ok(true)
            }
            Ok(false) if self.connection.buffers().input().len() > MAX_UNREADABLE_BYTES => {
                Err(Error::Other(Box::new(Cut::Unreadable)))
            }
            Ok(false) if self.has_answer => Ok(false),
            Ok(false) => Err(self.cut()),
            Err(err) => Err(self.or_cut(err)),
        }
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}
