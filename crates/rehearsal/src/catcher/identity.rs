//! Certificates for a catcher: a root, an authority under it, and the catcher's own, as a real relay shows them.
//!
//! They are made anew each time, live in memory, and are trusted by nobody who was not given the root.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

/// A catcher's certificate with its key and chain. Cheap to clone.
#[derive(Clone)]
pub struct Identity {
    config: Arc<ServerConfig>,
    root: Arc<str>,
}

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The certificate library refused, such as a name that is none.
    #[error("the certificate cannot be made: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused what was made.
    #[error("the certificate cannot be used: {0}")]
    Tls(#[from] rustls::Error),
}

impl Identity {
    /// A certificate for these host names and IP addresses, valid today.
    ///
    /// # Errors
    /// A name that no certificate can bear.
    pub fn of(names: &[&str]) -> Result<Self, IdentityError> {
        Self::until(names, 4000)
    }

    /// A certificate that has expired long ago.
    ///
    /// # Errors
    /// As [`Identity::of`].
    pub fn expired(names: &[&str]) -> Result<Self, IdentityError> {
        Self::until(names, 2001)
    }

    fn until(names: &[&str], year: i32) -> Result<Self, IdentityError> {
        let root = CertifiedIssuer::self_signed(authority("Rehearsal root"), KeyPair::generate()?)?;
        let middle = CertifiedIssuer::signed_by(authority("Rehearsal authority"), KeyPair::generate()?, &root)?;
        let mut own = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        own.not_before = date_time_ymd(2000, 1, 1);
        own.not_after = date_time_ymd(year, 1, 1);
        own.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        own.distinguished_name.push(DnType::CommonName, "catcher");
        let key = KeyPair::generate()?;
        let chain: Vec<CertificateDer<'static>> =
            vec![own.signed_by(&key, &middle)?.der().clone(), middle.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self { config: Arc::new(config), root: root.pem().into() })
    }

    /// The root's certificate as PEM, for who is to trust the catcher.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity { .. }")
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
