//! What went wrong, in the words of [`PageError`].
//!
//! One function over all errors of ureq; where the same error means different things, the [`Stage`] decides. The
//! texts are for people who do not know HTTP by heart: lower case, and what the server did.

use std::error::Error as StdError;
use std::io;

use ureq::{Error, Timeout};
use url::Url;

use super::Clocks;
use super::connect::{NoConnection, ProxyFailed};
use super::dial::Refused;
use super::resolve::NoAddress;
use super::watched::Cut;
use crate::model::PageError;

/// What was being read when it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Status and headers.
    Head,
    /// The body.
    Body,
}

/// The page error for an error of ureq on the way to `url`.
pub(super) fn page_error(error: Error, stage: Stage, url: &Url, clocks: Clocks) -> PageError {
    match error {
        Error::Timeout(timeout) => out_of_time(timeout, clocks),
        Error::HostNotFound => PageError::HostNotFound(host(url)),
        Error::Other(inner) => other(inner, stage, url, clocks),
        // Errors of ours come back from a body wrapped in an I/O error, and from TLS wrapped once more.
        Error::Io(err) if err.get_ref().is_some_and(<dyn StdError + Send + Sync>::is::<Error>) => {
            page_error(err.into(), stage, url, clocks)
        }
        // With TLS 1.3 the server looks at our certificate only after its part of the handshake.
        Error::Io(err)
            if err.kind() == io::ErrorKind::InvalidData && err.to_string().contains("fatal alert") =>
        {
            PageError::Tls(tls_text(&err.to_string()))
        }
        Error::Io(err) => PageError::Broken(broken(&err, stage)),
        // The input ended inside a chunk's size line.
        Error::BodyStalled => PageError::Broken(at_end(stage).into()),
        Error::Tls(reason) => PageError::Tls(reason.into()),
        Error::Rustls(err) => PageError::Tls(tls_text(&err.to_string())),
        Error::Http(err) => PageError::BadUrl(err.to_string()),
        Error::BadUri(reason) => PageError::BadUrl(reason),
        Error::ConnectProxyFailed(reason) => PageError::Connect(reason),
        Error::InvalidProxyUrl => PageError::Connect("the proxy's URL is not valid".into()),
        Error::ConnectionFailed => PageError::Connect("no connection".into()),
        Error::LargeResponseHeader(_, limit) => {
            PageError::Protocol(format!("headers of more than {} KB", limit >> 10))
        }
        Error::Protocol(err) => PageError::Protocol(protocol_text(err.to_string())),
        other => PageError::Protocol(other.to_string()),
    }
}

fn out_of_time(timeout: Timeout, clocks: Clocks) -> PageError {
    let (clock, waited_for, limit) = match timeout {
        Timeout::Resolve | Timeout::Connect => ("connect-timeout", "connection", clocks.connect),
        Timeout::PerRead | Timeout::PerWrite => ("read-timeout", "data", clocks.read),
        _ => ("timeout", "whole response", clocks.whole),
    };
    PageError::Timeout { clock, waited_for, limit }
}

/// The errors that [`connect`](super::connect) and [`resolve`](super::resolve) make.
fn other(inner: Box<dyn StdError + Send + Sync>, stage: Stage, url: &Url, clocks: Clocks) -> PageError {
    let inner = match inner.downcast::<NoConnection>() {
        Ok(failed) => return not_connected(*failed, url, clocks),
        Err(inner) => inner,
    };
    let inner = match inner.downcast::<ProxyFailed>() {
        Ok(failed) => return not_through_proxy(*failed, url, clocks),
        Err(inner) => inner,
    };
    if let Some(refused) = inner.downcast_ref::<Refused>() {
        return PageError::PrivateAddress(refused.address.clone());
    }
    if let Some(cut) = inner.downcast_ref::<Cut>() {
        return match cut {
            Cut::Unreadable | Cut::Interim | Cut::Fruitless => PageError::Protocol(cut.to_string()),
            Cut::Slow => PageError::Timeout {
                clock: "speed-limit",
                waited_for: "data at the least speed",
                limit: clocks.speed,
            },
            Cut::Reset => PageError::Broken(format!("{cut} {}", place(stage))),
            Cut::Stale | Cut::NoReply => PageError::Broken(cut.to_string()),
        };
    }
    match inner.downcast_ref::<NoAddress>() {
        Some(NoAddress::NotFound) => PageError::HostNotFound(host(url)),
        Some(NoAddress::Unsure(reason)) => PageError::Connect(reason.clone()),
        Some(reason @ NoAddress::OtherFamily(_)) => PageError::Connect(reason.to_string()),
        Some(NoAddress::Aborted) => PageError::Aborted,
        None => PageError::Broken(inner.to_string()),
    }
}

fn not_connected(failed: NoConnection, url: &Url, clocks: Clocks) -> PageError {
    let NoConnection { address, is_tls, cause } = failed;
    match cause {
        Error::Io(err) if err.get_ref().is_some_and(<dyn StdError + Send + Sync>::is::<Error>) => {
            match Error::from(err) {
                // The watch on a proxy's connection, seen through TLS.
                Error::Other(inner) if inner.is::<Cut>() => hung_up(&address),
                inner => page_error(inner, Stage::Head, url, clocks),
            }
        }
        Error::Io(err) if is_tls && err.kind() == io::ErrorKind::InvalidData => {
            PageError::Tls(tls_text(&err.to_string()))
        }
        Error::Io(err)
            if is_tls
                && matches!(
                    err.kind(),
                    io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
                ) =>
        {
            hung_up(&address)
        }
        Error::Io(err) => PageError::Connect(format!("{} ({address})", io_text(&err))),
        cause => page_error(cause, Stage::Head, url, clocks),
    }
}

fn not_through_proxy(failed: ProxyFailed, url: &Url, clocks: Clocks) -> PageError {
    let ProxyFailed { proxy, has_login, cause, .. } = failed;
    let reason = match cause {
        Error::Io(err) => io_text(&err),
        Error::ConnectProxyFailed(reason) => match reason.split_once("responded ").map(|(_, code)| code) {
            Some(code) if code.starts_with("407") && has_login => {
                "does not accept our user name and password (407)".into()
            }
            Some(code) if code.starts_with("407") => "wants a user name and password (407)".into(),
            Some(code) => format!("refused to connect ({})", code.split('/').next().unwrap_or(code)),
            None => reason,
        },
        Error::HostNotFound => "not found".into(),
        Error::Other(inner) if matches!(inner.downcast_ref(), Some(NoAddress::NotFound)) => {
            "not found".into()
        }
        cause => match page_error(cause, Stage::Head, url, clocks) {
            PageError::Connect(reason) | PageError::Broken(reason) => reason,
            error @ PageError::Aborted => return error,
            error => error.to_string(),
        },
    };
    PageError::Connect(format!("proxy {proxy}: {reason}"))
}

fn hung_up(address: &str) -> PageError {
    PageError::Connect(format!("closed during the TLS handshake ({address})"))
}

fn broken(err: &io::Error, stage: Stage) -> String {
    match err.kind() {
        io::ErrorKind::UnexpectedEof => at_end(stage).into(),
        _ => format!("{} {}", io_text(err), place(stage)),
    }
}

fn at_end(stage: Stage) -> &'static str {
    match stage {
        Stage::Head => "closed inside the response header",
        Stage::Body => "closed before the end of the body",
    }
}

fn place(stage: Stage) -> &'static str {
    match stage {
        Stage::Head => "in the response header",
        Stage::Body => "in the body",
    }
}

/// `connection refused` for `Connection refused (os error 111)`.
fn io_text(err: &io::Error) -> String {
    let text = err.to_string();
    let mut letters = text.split(" (os error").next().unwrap_or(&text).chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// What the parser of HTTP says; but for what servers do that work otherwise, in its own words.
fn protocol_text(text: String) -> String {
    if text.contains("too many headers") { "too many header fields".into() } else { text }
}

/// What rustls says, for people. Its error type is not ours to name, so its text is read.
fn tls_text(text: &str) -> String {
    let known = [
        ("alert: CertificateRequired", "the server wants a client certificate (--cert)"),
        ("alert: UnknownCA", "the server does not know who made our client certificate (--cert)"),
        ("alert: CertificateExpired", "our client certificate has expired (--cert)"),
        ("UnknownIssuer", "the certificate is not from a known authority (self-signed?)"),
        ("BadSignature", "the certificate is not signed by whom it names"),
        (
            "CaUsedAsEndEntity",
            "the certificate is that of an authority, not of a server (self-signed? --cacert takes the authority that \
             made a server's certificate; --insecure asks all the same)",
        ),
        ("NotValidForName", "the certificate is for another host"),
        ("certificate not valid for name", "the certificate is for another host"),
        ("NotValidYet", "the certificate is not valid yet (is the clock right?)"),
        ("not valid yet", "the certificate is not valid yet (is the clock right?)"),
        ("Expired", "the certificate has expired"),
        ("certificate expired", "the certificate has expired"),
        ("Revoked", "the certificate was revoked"),
        ("InvalidContentType", "the server does not speak TLS on this port (http:// instead of https://?)"),
        ("ProtocolVersion", "the server is too old: it speaks neither TLS 1.2 nor 1.3"),
        ("HandshakeFailure", "no common way to encrypt"),
    ];
    match known.iter().find(|(word, _)| text.contains(word)) {
        Some((_, meaning)) => (*meaning).to_owned(),
        None => text.to_owned(),
    }
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const CLOCKS: Clocks = Clocks {
        connect: Duration::from_secs(1),
        read: Duration::from_secs(2),
        whole: Duration::from_secs(3),
        speed: Duration::from_secs(4),
    };

    fn told(error: Error, stage: Stage) -> PageError {
        page_error(error, stage, &Url::parse("http://h/").unwrap(), CLOCKS)
    }

    #[test]
    fn every_clock_is_named_with_its_own_limit() {
        for (timeout, message) in [
            (Timeout::Resolve, "no connection within 1s (--connect-timeout)"),
            (Timeout::Connect, "no connection within 1s (--connect-timeout)"),
            (Timeout::PerRead, "no data within 2s (--read-timeout)"),
            (Timeout::PerWrite, "no data within 2s (--read-timeout)"),
            (Timeout::Global, "no whole response within 3s (--timeout)"),
        ] {
            assert_eq!(told(Error::Timeout(timeout), Stage::Body).to_string(), message);
        }
    }

    #[test]
    fn the_words_of_every_limit_of_time_can_be_kept() {
        let clocks = [Timeout::Connect, Timeout::PerRead, Timeout::Global].map(Error::Timeout);
        for error in clocks.into_iter().chain([Error::Other(Box::new(Cut::Slow))]) {
            let PageError::Timeout { clock, waited_for, .. } = told(error, Stage::Body) else {
                panic!("not one")
            };
            assert!(crate::model::TIMEOUTS.contains(&(clock, waited_for)), "{clock}");
        }
    }

    #[test]
    fn errors_wrapped_in_io_errors_are_found() {
        let cut = Error::Other(Box::new(Cut::Reset));
        let wrapped = Error::Io(io::Error::other(Error::Io(cut.into_io())));
        assert_eq!(told(wrapped, Stage::Body), PageError::Broken("reset by the server in the body".into()));
        let timeout = Error::Timeout(Timeout::Global).into_io();
        assert!(matches!(told(Error::Io(timeout), Stage::Body), PageError::Timeout { clock: "timeout", .. }));
    }

    #[test]
    fn a_refused_connection_tells_the_address() {
        let cause = Error::Io(io::Error::from_raw_os_error(111));
        let failed = NoConnection { address: "127.0.0.1:1".into(), is_tls: false, cause };
        let told = told(Error::Other(Box::new(failed)), Stage::Head);
        assert_eq!(told.to_string(), "cannot connect: connection refused (127.0.0.1:1)");
    }

    #[test]
    fn faults_of_certificates_are_told_apart_and_not_retried() {
        for (text, meaning) in [
            ("invalid peer certificate: UnknownIssuer", "known authority"),
            ("invalid peer certificate: certificate not valid for name \"h\"", "another host"),
            ("invalid peer certificate: certificate expired: verification time 2", "expired"),
            ("received fatal alert: ProtocolVersion", "too old"),
            ("received fatal alert: AccessDenied", "AccessDenied"),
        ] {
            let cause = Error::Io(io::Error::new(io::ErrorKind::InvalidData, text));
            let failed = NoConnection { address: "h:443".into(), is_tls: true, cause };
            let told = told(Error::Other(Box::new(failed)), Stage::Head);
            assert!(matches!(&told, PageError::Tls(said) if said.contains(meaning)), "{told}");
            assert!(!told.is_worth_a_retry());
        }
    }

    #[test]
    fn a_certificate_of_an_authority_as_a_server_s_own_comes_with_advice() {
        let told = tls_text("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))");
        assert!(told.contains("--cacert takes the authority") && told.contains("--insecure"), "{told}");
    }

    #[test]
    fn a_proxy_that_knows_a_login_and_wants_another_is_told_from_one_that_wants_any() {
        let told = |has_login| {
            let cause = Error::ConnectProxyFailed("proxy server responded 407/x".into());
            let failed = ProxyFailed { proxy: "p:1".into(), is_its_own: true, has_login, cause };
            told(Error::Other(Box::new(failed)), Stage::Head).to_string()
        };
        assert!(told(false).ends_with("wants a user name and password (407)"), "{}", told(false));
        assert!(told(true).ends_with("does not accept our user name and password (407)"), "{}", told(true));
    }

    #[test]
    fn a_handshake_cut_off_is_worth_a_retry() {
        let cause = Error::Io(io::ErrorKind::UnexpectedEof.into());
        let failed = NoConnection { address: "h:443".into(), is_tls: true, cause };
        let told = told(Error::Other(Box::new(failed)), Stage::Head);
        assert!(matches!(told, PageError::Connect(_)) && told.is_worth_a_retry());
    }

    #[test]
    fn a_busy_name_service_is_worth_a_retry_and_a_missing_name_is_not() {
        let busy = told(Error::Other(Box::new(NoAddress::Unsure("busy".into()))), Stage::Head);
        let missing = told(Error::Other(Box::new(NoAddress::NotFound)), Stage::Head);
        assert!(busy.is_worth_a_retry() && !missing.is_worth_a_retry());
        assert_eq!(missing.to_string(), "host `h` not found");
    }
}
