//! How TLS is to be spoken, as ureq wants it.

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use super::super::FetchPolicy;

/// The TLS side of a policy, for connections that say who we are if they are asked, or for those that do not. Its files
/// were checked when they were read.
pub(super) fn config(policy: &FetchPolicy, tells_identity: bool) -> TlsConfig {
    let roots = policy.authorities.as_ref().map(|authorities| certificates(authorities.pem()));
    let identity = policy.identity.as_ref().filter(|_| tells_identity).and_then(|identity| {
        let (chain, key) = identity.pem();
        Some(ClientCert::new_with_certs(&certificates(chain), PrivateKey::from_pem(key).ok()?))
    });
    TlsConfig::builder()
        .root_certs(roots.map_or(RootCerts::WebPki, RootCerts::from))
        .client_cert(identity)
        .disable_verification(policy.insecure)
        .build()
}

fn certificates(pem: &[u8]) -> Vec<Certificate<'static>> {
    let only_certificates = |item| match item {
        Ok(PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    };
    parse_pem(pem).filter_map(only_certificates).collect()
}
