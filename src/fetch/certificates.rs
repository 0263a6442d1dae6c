//! Certificates and keys of the user, checked before the first request.
//!
//! The only user of rustls by name, and only to look: the connections are the client library's, which leaves out
//! certificates it cannot read without a word, and panics on a key that does not fit.

use std::fmt;

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Why a file of certificates or keys is of no use. Repeats nothing of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not PEM, or without a certificate.
    #[error("there is no certificate in it (PEM: -----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// A certificate that cannot be read.
    #[error("certificate {0} in it cannot be read: {1}")]
    BadCertificate(usize, String),
    /// Not PEM, or without a key.
    #[error("there is no private key in it (PEM, without a password)")]
    NoKey,
    /// The key is of an unknown kind or not the certificate's.
    #[error("the private key does not go with the certificate: {0}")]
    WrongKey(String),
}

/// The certificate authorities to believe, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Authorities {
    pem: Vec<u8>,
}

impl Authorities {
    /// Reads one or more certificates.
    ///
    /// # Errors
    ///
    /// None in it, or one that is not an authority's.
    pub fn from_pem(pem: Vec<u8>) -> Result<Authorities, CertificateError> {
        let mut store = RootCertStore::empty();
        for (number, certificate) in certificates(&pem)?.into_iter().enumerate() {
            store
                .add(certificate)
                .map_err(|err| CertificateError::BadCertificate(number + 1, err.to_string()))?;
        }
        Ok(Authorities { pem })
    }

    pub(super) fn pem(&self) -> &[u8] {
        &self.pem
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities").finish_non_exhaustive()
    }
}

/// Who we are to servers that ask: a certificate with its chain, and its private key, as PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    certificates: Vec<u8>,
    key: Vec<u8>,
}

impl Identity {
    /// Reads a chain of certificates, our own first, and a private key (PKCS#8, SEC1 or PKCS#1).
    ///
    /// # Errors
    ///
    /// One of them is not there, or they do not go together.
    pub fn from_pem(chain: Vec<u8>, key: Vec<u8>) -> Result<Identity, CertificateError> {
        let certificates = certificates(&chain)?;
        let read = PrivateKeyDer::from_pem_slice(&key).map_err(|_| CertificateError::NoKey)?;
        CertifiedKey::from_der(certificates, read, &ring::default_provider()).map_err(|err| match err {
            rustls::Error::InvalidCertificate(reason) => {
                let hint = "X.509 version 3 is wanted, which openssl makes with -extfile or -addext";
                CertificateError::BadCertificate(1, format!("{reason:?} ({hint})"))
            }
            err => CertificateError::WrongKey(err.to_string()),
        })?;
        Ok(Identity { certificates: chain, key })
    }

    /// The certificates and the key.
    pub(super) fn pem(&self) -> (&[u8], &[u8]) {
        (&self.certificates, &self.key)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let mut found = Vec::new();
    for (number, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
        found.push(certificate.map_err(|err| CertificateError::BadCertificate(number + 1, err.to_string()))?);
    }
    if found.is_empty() { Err(CertificateError::NoCertificate) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_used_is_taken() {
        let made = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        let (chain, key) = (made.cert.pem().into_bytes(), made.signing_key.serialize_pem().into_bytes());
        assert!(Authorities::from_pem(chain.clone()).is_ok());
        assert!(Identity::from_pem(chain.clone(), key.clone()).is_ok());
        assert_eq!(Authorities::from_pem(key.clone()), Err(CertificateError::NoCertificate));
        assert_eq!(Authorities::from_pem(b"x".to_vec()), Err(CertificateError::NoCertificate));
        assert_eq!(Identity::from_pem(chain.clone(), chain.clone()), Err(CertificateError::NoKey));
        assert_eq!(Identity::from_pem(key.clone(), key), Err(CertificateError::NoCertificate));
        let wrong = Identity::from_pem(chain, other.signing_key.serialize_pem().into_bytes());
        assert!(matches!(wrong, Err(CertificateError::WrongKey(_))), "{wrong:?}");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
        assert!(matches!(Authorities::from_pem(broken), Err(CertificateError::BadCertificate(1, _))));
    }

    /// Made by openssl without extensions, for no crate makes such old ones. The key is another, but that is seen later.
    #[test]
    fn a_certificate_of_an_old_version_is_not_taken_for_a_wrong_key() {
        let made = rcgen::generate_simple_self_signed(["h".to_owned()]).unwrap();
        let key = made.signing_key.serialize_pem();
        let certificate = "-----BEGIN CERTIFICATE-----\n\
                   MIIBFzCBvQIUATzuWeR1mYEXkXFQz4ntLzc7v8owCgYIKoZIzj0EAwIwDTELMAkG\n\
                   A1UEAwwCbWUwIBcNMjYxMTIxMDMzMzM4WhgPMjEyNjEwMjgwMzMzMzhaMA0xCzAJ\n\
                   BgNVBAMMAm1lMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaM8gnuRCaXABK6Ae\n\
                   Qm39smxaYsIUKgzHl8wFXOmMNxnguO6k5KqszNUKFOx/BNGMRanTIbNgehcUtPh0\n\
                   INWMRDAKBggqhkjOPQQDAgNJADBGAiEA5Yx1sM1bm2Pgw2lIGxLKFcW1YxWvE5YO\n\
                   xr9R1UQglQYCIQDRmIwthyxAmtptW25AD7dAobeoNPTzUsvBNFPcaSaGjg==\n\
                   -----END CERTIFICATE-----";
        let told = Identity::from_pem(certificate.into(), key.into()).unwrap_err();
        assert!(
            matches!(&told, CertificateError::BadCertificate(1, why) if why.contains("version 3")),
            "{told}"
        );
    }
}
