//! Certificates made on the spot, and a server that speaks TLS with them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// A certificate authority of a test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, as PEM.
#[derive(Clone)]
pub(crate) struct Signed {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        // Authorities of one name would be taken for the same one with another key.
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        params.distinguished_name.push(DnType::CommonName, format!("authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key can be made");
        Authority(CertifiedIssuer::self_signed(params, key).expect("a certificate can be made"))
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for a host, good until the year given.
    pub(crate) fn sign(&self, host: &str, until: i32) -> Signed {
        let mut params = CertificateParams::new([host.to_owned()]).expect("a host name");
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key can be made");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate can be made");
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// How the server ends its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goodbye {
    /// As TLS asks for (close_notify).
    Said,
    /// The connection is closed without a word.
    Unsaid,
}

/// A server that answers each connection with one reply under TLS.
pub(crate) struct TlsServer {
    address: SocketAddr,
    acceptor: Option<JoinHandle<Vec<bool>>>,
}

impl TlsServer {
    /// Sends `reply` verbatim; asks clients for a certificate of `clients` if there are any.
    pub(crate) fn start(
        signed: &Signed,
        clients: Option<&Authority>,
        reply: &'static str,
        goodbye: Goodbye,
    ) -> TlsServer {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider speaks TLS");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate(&authority.pem())).expect("an authority");
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.expect("a verifier"))
            }
        };
        let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).expect("a key");
        let config = builder.with_single_cert(vec![certificate(&signed.certificate)], key).expect("a pair");
        let config = Arc::new(config);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let acceptor = thread::spawn(move || {
            let mut served = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().expect("a listener accepts");
                let mut first = [0];
                if stream.peek(&mut first).is_err() || first == *b"q" {
                    return served;
                }
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a checked configuration");
                let mut tls = StreamOwned::new(connection, &mut stream);
                let mut request = [0; 4096];
                let is_served = tls.read(&mut request).is_ok_and(|read| read > 0)
                    && tls.write_all(reply.as_bytes()).and_then(|()| tls.flush()).is_ok();
                if goodbye == Goodbye::Said {
                    tls.conn.send_close_notify();
                    let _ = tls.flush();
                }
                served.push(is_served);
            }
        });
        TlsServer { address, acceptor: Some(acceptor) }
    }

    /// Its URL under a host name or address.
    pub(crate) fn url(&self, host: &str) -> String {
        format!("https://{host}:{}/", self.address.port())
    }

    /// Ends it; how many connections came, and how many of them were answered.
    pub(crate) fn end(mut self) -> (usize, usize) {
        let served = self.stop();
        (served.len(), served.iter().filter(|served| **served).count())
    }

    fn stop(&mut self) -> Vec<bool> {
        let Some(acceptor) = self.acceptor.take() else { return Vec::new() };
        // No handshake begins with this letter.
        let farewell =
            std::net::TcpStream::connect(self.address).and_then(|mut stream| stream.write_all(b"q"));
        farewell.expect("the acceptor still listens");
        acceptor.join().expect("the acceptor does not panic")
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn certificate(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}
