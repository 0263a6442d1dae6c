//! Makes whole connections: dialled, through a proxy if there is one, under TLS if the URL says so, and watched.

use std::error::Error as StdError;
use std::sync::Arc;
use std::{fmt, io};

use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, RustlsConnector, SocksConnector, Transport,
};
use ureq::{Error, Proxy, ProxyProtocol, Timeout};

use super::dial::{Dial, Refused};
use super::forward::Forward;
use super::pace::LeastSpeed;
use super::resolve::some_addresses;
use super::watched::Watched;

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

/// A proxy that did not connect us.
#[derive(Debug)]
pub(super) struct ProxyFailed {
    /// Host and port of the proxy; never its password.
    pub(super) proxy: String,
    /// Whether the proxy itself is at fault; else it may be the server behind it.
    pub(super) is_its_own: bool,
    /// Whether we told it a user name.
    pub(super) has_login: bool,
    /// What went wrong.
    pub(super) cause: Error,
}

impl fmt::Display for ProxyFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "proxy {}: {}", self.proxy, self.cause)
    }
}

impl StdError for ProxyFailed {}

/// Connects as a run does.
#[derive(Debug)]
pub(super) struct Connect(Arc<Parts>);

struct Parts {
    dial: Dial,
    least_speed: Option<LeastSpeed>,
    socks: SocksConnector,
    tunnel: ConnectProxyConnector,
    tls: RustlsConnector,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("dial", &self.dial).finish_non_exhaustive()
    }
}

impl Connect {
    /// Replies slower than `least_speed` end.
    pub(super) fn new(dial: Dial, least_speed: Option<LeastSpeed>) -> Connect {
        Connect(Arc::new(Parts {
            dial,
            least_speed,
            socks: SocksConnector::default(),
            tunnel: ConnectProxyConnector::default(),
            tls: RustlsConnector::default(),
        }))
    }
}

impl Connector for Connect {
    type Out = Watched;

    fn connect(&self, details: &ConnectionDetails, _: Option<()>) -> Result<Option<Watched>, Error> {
        let failed = |cause| match cause {
            // Told by whoever made it, or by the clock.
            Error::Other(_) | Error::Timeout(_) => cause,
            cause => Error::Other(Box::new(NoConnection {
                address: address_of(details),
                is_tls: details.needs_tls(),
                cause,
            })),
        };
        let (connection, peer) = match details.config.proxy() {
            None => {
                let (connection, address) = self.0.dial.open(details).map_err(failed)?;
                (connection, Some(address.ip()))
            }
            Some(proxy) => (self.through(proxy, details)?, None),
        };
        let connection = self.0.under_tls(details, connection).map_err(failed)?;
        Ok(Some(Watched::new(connection, peer, self.0.least_speed)))
    }
}

impl Connect {
    /// A connection through `proxy`, on which TLS with the server is still to come.
    fn through(&self, proxy: &Proxy, details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
        let mut details = with_addresses(details, details.addrs.clone());
        if proxy.resolve_target() {
            details.addrs = some_addresses(&self.0.dial.allowed(&details)?);
        } else {
            self.0.dial.check_name(&details)?;
        }
        let parts = Arc::clone(&self.0);
        details.run_connector = Arc::new(move |details| parts.open_to_proxy(details));
        let connected = match proxy.protocol() {
            ProxyProtocol::Http | ProxyProtocol::Https if !details.needs_tls() => {
                self.forward(proxy, &details).map(Some)
            }
            ProxyProtocol::Http | ProxyProtocol::Https => {
                self.0.tunnel.connect(&details, None::<()>).map(|made| made.map(boxed))
            }
            _ => self.0.socks.connect(&details, None::<()>).map(|made| made.map(boxed)),
        };
        match connected {
            Ok(Some(connection)) => Ok(connection),
            Ok(None) => Err(Error::ConnectionFailed),
            Err(cause) => Err(proxy_failed(proxy, cause)),
        }
    }

    /// Plain HTTP asks the proxy itself for the whole URL (RFC 9112 3.2.2): many allow tunnels to port 443 only.
    fn forward(&self, proxy: &Proxy, details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
        let addresses = details.resolver.resolve(proxy.uri(), details.config, details.timeout)?;
        let mut to_proxy = with_addresses(details, addresses);
        to_proxy.uri = proxy.uri();
        let connection = self.0.open_to_proxy(&to_proxy)?;
        Ok(Box::new(Forward::new(connection, details.uri, proxy)))
    }
}

impl Parts {
    fn open_to_proxy(&self, details: &ConnectionDetails) -> Result<Box<dyn Transport>, Error> {
        let connection = self.dial.open_any(details)?;
        let connection = self.under_tls(details, connection)?;
        Ok(Box::new(Watched::new(connection, None, None)))
    }

    fn under_tls(
        &self,
        details: &ConnectionDetails,
        connection: Box<dyn Transport>,
    ) -> Result<Box<dyn Transport>, Error> {
        let details = with_addresses(details, details.addrs.clone());
        self.tls.connect(&details, Some(connection))?.map(boxed).ok_or(Error::ConnectionFailed)
    }
}

fn boxed(connection: impl Transport) -> Box<dyn Transport> {
    Box::new(connection)
}

/// The same connection to be made, to these addresses.
pub(super) fn with_addresses<'a>(
    details: &ConnectionDetails<'a>,
    addrs: ResolvedSocketAddrs,
) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri: details.uri,
        addrs,
        config: details.config,
        // Our requests differ in their limits of time and their proxy only. Told so, ureq takes the TLS set-up it has
        // instead of reading all root certificates again.
        request_level: false,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

fn address_of(details: &ConnectionDetails) -> String {
    match &*details.addrs {
        [] => details.uri.authority().map(ToString::to_string).unwrap_or_default(),
        [only] => only.to_string(),
        [first, more @ ..] => format!("{first} and {} more", more.len()),
    }
}

fn proxy_failed(proxy: &Proxy, cause: Error) -> Error {
    let is_its_own = match &cause {
        // Refused by our own rules, aborted, or the whole request is out of time.
        Error::Other(inner) if inner.is::<Refused>() => return cause,
        Error::Timeout(timeout) if *timeout != Timeout::Connect => return cause,
        Error::ConnectProxyFailed(reason) => {
            reason.contains("responded 407") || !reason.contains("responded")
        }
        // What the SOCKS handshake makes of a refusal has no number of the system's.
        Error::Io(err) => {
            err.raw_os_error().is_some()
                || matches!(err.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidData)
                || err.to_string().contains("auth method")
        }
        _ => true,
    };
    Error::Other(Box::new(ProxyFailed {
        proxy: format!("{}:{}", proxy.host(), proxy.port()),
        is_its_own,
        has_login: proxy.username().is_some(),
        cause,
    }))
}
