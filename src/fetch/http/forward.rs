//! Requests to a proxy of the HTTP kind for plain HTTP: the whole URL in the request line, and who we are to the proxy.
//!
//! ureq writes a request for the server itself; it is changed on its way out.

use ureq::http::Uri;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};
use ureq::{Error, Proxy};

use super::super::header;

/// A connection to a proxy that takes requests for one server.
#[derive(Debug)]
pub(super) struct Forward {
    connection: Box<dyn Transport>,
    /// `http://host:port`, which comes before the path.
    origin: String,
    /// A whole header line, or nothing.
    authorization: Authorization,
    /// Whether what is sent next begins a request.
    is_at_start: bool,
}

/// Kept out of what is printed for debugging.
struct Authorization(String);

impl std::fmt::Debug for Authorization {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Forward {
    pub(super) fn new(connection: Box<dyn Transport>, server: &Uri, proxy: &Proxy) -> Forward {
        let authority = server.authority().map(ToString::to_string).unwrap_or_default();
        let pair = proxy.username().map(|user| (user, proxy.password().unwrap_or_default()));
        let line = pair.map(|(user, password)| {
            format!("Proxy-Authorization: {}\r\n", header::basic(user.as_bytes(), password.as_bytes()))
        });
        Forward {
            connection,
            origin: format!("http://{authority}"),
            authorization: Authorization(line.unwrap_or_default()),
            is_at_start: true,
        }
    }

    /// Puts origin and authorization into the head of the request that lies ready; gives its new length.
    fn rewrite(&mut self, amount: usize) -> Result<usize, Error> {
        let output = self.connection.buffers().output();
        let head = &output[..amount];
        let method_end = head.iter().position(|&byte| byte == b' ');
        let line_end = head.windows(2).position(|two| two == b"\r\n");
        let (Some(method_end), Some(line_end)) = (method_end, line_end) else {
            return Err(Error::BadUri("too long for a request".into()));
        };
        let pieces = [
            &head[..=method_end],
            self.origin.as_bytes(),
            &head[method_end + 1..line_end + 2],
            self.authorization.0.as_bytes(),
            &head[line_end + 2..],
        ];
        let whole = pieces.concat();
        let place =
            output.get_mut(..whole.len()).ok_or_else(|| Error::BadUri("too long for a request".into()))?;
        place.copy_from_slice(&whole);
        Ok(whole.len())
    }
}

impl Transport for Forward {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let amount = if self.is_at_start { self.rewrite(amount)? } else { amount };
        self.is_at_start = false;
        self.connection.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.is_at_start = true;
        self.connection.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.connection.is_open()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}
