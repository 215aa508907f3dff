//! Whose certificates a relay may show, and what is said when it shows another.
//!
//! A certificate is always verified, name and dates included; nothing here can switch that off.
//! Revocation is not checked: neither OCSP nor lists are asked for.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{CertificateError, ClientConfig, RootCertStore};

/// The authorities by which a relay's certificate must be issued. Cheap to clone.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

/// Why there is nobody to trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// The file holds no certificate.
    #[error("the file holds no PEM certificate (-----BEGIN CERTIFICATE-----)")]
    NoCertificate,
    /// A certificate in the file cannot be read.
    #[error("certificate {0} of the file cannot be read")]
    Unreadable(usize),
    /// The TLS library has no protocol version to speak.
    #[error("the TLS library offers neither TLS 1.2 nor TLS 1.3")]
    NoVersion,
}

impl Trust {
    /// What this machine trusts, or the roots of Mozilla's programme where it keeps none.
    ///
    /// # Errors
    /// [`TrustError::NoVersion`], if the TLS library was built without a protocol.
    pub fn platform() -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::debug!(%error, "a place of this machine's certificates cannot be read");
        }
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        Self::of(roots)
    }

    /// Only the authorities in this PEM file, and nobody else.
    ///
    /// # Errors
    /// No certificate in it, or one that cannot be read.
    pub fn only(pem: &[u8]) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        for (place, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let unreadable = TrustError::Unreadable(place + 1);
            roots.add(certificate.map_err(|_| unreadable)?).map_err(|_| unreadable)?;
        }
        if roots.is_empty() { Err(TrustError::NoCertificate) } else { Self::of(roots) }
    }

    fn of(roots: RootCertStore) -> Result<Self, TrustError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| TrustError::NoVersion)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trust { .. }")
    }
}

/// Plain words for why there is no TLS.
pub(crate) fn words(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return "the relay broke off the TLS handshake";
    };
    match error {
        rustls::Error::InvalidCertificate(fault) => match fault {
            // An authority of the same name and another key is another authority.
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                "the relay's certificate was not issued by an authority that is trusted"
            }
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the relay's certificate is for another name"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the relay's certificate has expired"
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                "the relay's certificate is not valid yet"
            }
            _ => "the relay's certificate is not valid",
        },
        rustls::Error::InvalidMessage(_) => "the relay does not speak TLS where it should",
        rustls::Error::AlertReceived(_) => "the relay refused the TLS handshake",
        rustls::Error::PeerIncompatible(_) => "the relay speaks no TLS version and cipher that are safe",
        _ => "the TLS handshake failed",
    }
}

#[cfg(test)]
mod tests {
    use super::{Trust, TrustError};

    #[test]
    fn a_file_without_a_certificate_is_no_trust() {
        assert_eq!(Trust::only(b"").map(|_| ()), Err(TrustError::NoCertificate));
        let junk = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert_eq!(Trust::only(junk).map(|_| ()), Err(TrustError::Unreadable(1)));
    }

    #[test]
    fn there_is_always_somebody_to_trust_by_default() {
        assert!(Trust::platform().is_ok());
    }
}
