//! TLS with the operator's own certificate: reading it, holding it to its key and to the calendar, renewing it in place.
//!
//! TLS 1.2 and 1.3 by rustls with ring. Who sends plain HTTP to an encrypted port is cut off.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rustls::ServerConfig;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be served. The text names the file and ends with what to do.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{0} cannot be read ({1}); check the path and who may read it")]
    Unreadable(PathBuf, std::io::ErrorKind),
    /// The certificate's file holds none.
    #[error(
        "{0} holds no certificate; name the PEM file that begins with BEGIN CERTIFICATE, your own certificate first"
    )]
    NoCertificate(PathBuf),
    /// The key's file holds none.
    #[error("{0} holds no private key; name the PEM file that begins with BEGIN PRIVATE KEY, without a password")]
    NoKey(PathBuf),
    /// Certificate and key are of two pairs.
    #[error(
        "the key in {key} does not belong to the certificate in {cert}; name the two files of one pair, the server's own certificate first"
    )]
    Mismatch {
        /// The certificate's file.
        cert: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// The certificate is not valid at this moment.
    #[error(
        "the certificate in {cert} is valid from {from} to {until} and not now ({now}); renew it, or set the clock"
    )]
    NotNow {
        /// The certificate's file.
        cert: PathBuf,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// The present moment.
        now: Timestamp,
    },
    /// It is a certificate that cannot be used.
    #[error("the certificate in {0} cannot be used ({1}); have it issued anew")]
    Unusable(PathBuf, String),
}

/// A certificate with its key, as two PEM files that can be renewed while the server runs.
pub struct Tls {
    cert: PathBuf,
    key: PathBuf,
    current: RwLock<Served>,
}

#[derive(Clone)]
struct Served {
    config: Arc<ServerConfig>,
    until: Timestamp,
}

impl Tls {
    /// Reads a certificate chain, the server's own first, and its private key.
    ///
    /// # Errors
    /// They cannot be read, do not belong together, or the certificate is not valid at `now`.
    pub fn load(cert: &Path, key: &Path, now: Timestamp) -> Result<Self, TlsError> {
        let current = RwLock::new(read(cert, key, now)?);
        Ok(Self { cert: cert.to_owned(), key: key.to_owned(), current })
    }

    /// Reads both files again; connections from now on get the new certificate.
    ///
    /// # Errors
    /// As [`Tls::load`]; the former certificate stays.
    pub fn reload(&self, now: Timestamp) -> Result<(), TlsError> {
        let fresh = read(&self.cert, &self.key, now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Until when the certificate is valid.
    #[must_use]
    pub fn valid_until(&self) -> Timestamp {
        self.current.read().unwrap_or_else(PoisonError::into_inner).until
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner).config).into()
    }
}

fn read(cert: &Path, key: &Path, now: Timestamp) -> Result<Served, TlsError> {
    let bytes = |path: &Path| std::fs::read(path).map_err(|error| TlsError::Unreadable(path.to_owned(), error.kind()));
    let (cert_bytes, key_bytes) = (bytes(cert)?, bytes(key)?);
    let unusable = |what: String| TlsError::Unusable(cert.to_owned(), what);
    let chain: Result<Vec<CertificateDer<'static>>, pem::Error> = CertificateDer::pem_slice_iter(&cert_bytes).collect();
    let chain = chain.map_err(|error| unusable(error.to_string()))?;
    let own = chain.first().ok_or_else(|| TlsError::NoCertificate(cert.to_owned()))?;
    let until = valid(cert, own, now)?;
    // What stands there instead of a key is not quoted.
    let private = PrivateKeyDer::from_pem_slice(&key_bytes).map_err(|_| TlsError::NoKey(key.to_owned()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { cert: cert.to_owned(), key: key.to_owned() },
            other => unusable(other.to_string()),
        })?;
    Ok(Served { config: Arc::new(config), until })
}

/// Until when a certificate is valid that is so now.
fn valid(cert: &Path, own: &CertificateDer<'_>, now: Timestamp) -> Result<Timestamp, TlsError> {
    let unusable = |what: &str| TlsError::Unusable(cert.to_owned(), what.to_owned());
    let (_, parsed) =
        x509_parser::parse_x509_certificate(own).map_err(|_| unusable("it is not an X.509 certificate"))?;
    let moment = |time: x509_parser::time::ASN1Time| {
        Timestamp::from_second(time.timestamp()).map_err(|_| unusable("its dates are out of every calendar"))
    };
    let (from, until) = (moment(parsed.validity().not_before)?, moment(parsed.validity().not_after)?);
    if now < from || until < now {
        return Err(TlsError::NotNow { cert: cert.to_owned(), from, until, now });
    }
    Ok(until)
}
