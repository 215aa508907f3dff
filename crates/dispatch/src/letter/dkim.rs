//! A signature by the sender's domain (DKIM, RFC 6376 and RFC 8463), relaxed/relaxed, the same for the same letter.
//!
//! Its time is the letter's date rather than the clock's, and both kinds of key sign without randomness, so that a mail
//! that has to be put together again is the same to the last byte. That is why lettre's own signer is not used: it
//! takes the time from the clock. Verifies nothing, publishes no key in DNS, and sets no expiry.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{ComposeError, Composed};
use crate::doctor::{Signer, SigningKey};

/// What is signed, and whether a second field of the name makes the signature false. Those of which a mail may have
/// one only are sealed like that, as a mail program might show the second.
const SIGNED: [(&str, Seal); 11] = [
    ("from", Seal::Alone),
    ("reply-to", Seal::Alone),
    ("to", Seal::Alone),
    ("subject", Seal::Alone),
    ("date", Seal::Alone),
    ("message-id", Seal::Alone),
    ("mime-version", Seal::Alone),
    ("content-type", Seal::Alone),
    ("content-language", Seal::Open),
    ("auto-submitted", Seal::Open),
    ("x-auto-response-suppress", Seal::Open),
];

/// Characters of the signature in a line.
const LINE: usize = 72;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Seal {
    Alone,
    Open,
}

/// A key of the sender's domain, and the name under which it is published. Cheap to clone.
#[derive(Clone)]
pub struct Dkim {
    key: Arc<Key>,
    selector: String,
    domain: Option<String>,
}

enum Key {
    Ed25519(Ed25519KeyPair),
    /// Boxed, as it is many times as large.
    Rsa(Box<RsaKeyPair>),
}

/// Why a key cannot sign. Never quotes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DkimError {
    /// No private key in it.
    #[error("the file holds no private key in PEM (-----BEGIN PRIVATE KEY-----)")]
    NoKey,
    /// A key of another kind, or one that is too short.
    #[error("the key is neither an Ed25519 key nor an RSA key of 2048 to 4096 bits")]
    Kind,
    /// The selector or the domain is not a domain name.
    #[error("the {0} is not a domain name in ASCII")]
    Name(&'static str),
}

impl Dkim {
    /// Reads the private key from PEM (PKCS#8, or PKCS#1 for RSA), published at `<selector>._domainkey.<domain>`.
    ///
    /// The domain is that of the letter's `From`, as DMARC wants it, unless [`Dkim::for_domain`] names another. The text
    /// is wiped when it is dropped; the key that was read from it stays in memory as long as this does.
    ///
    /// # Errors
    /// No key, a key of another kind, or a selector that DNS cannot hold.
    pub fn new(selector: &str, pem: &SecretString) -> Result<Self, DkimError> {
        if !is_domain_name(selector) {
            return Err(DkimError::Name("selector"));
        }
        let der = PrivateKeyDer::from_pem_slice(pem.expose_secret().as_bytes()).map_err(|_| DkimError::NoKey)?;
        let key = match &der {
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    Ok(key) => Key::Ed25519(key),
                    Err(_) => Key::rsa(RsaKeyPair::from_pkcs8(der))?,
                }
            }
            PrivateKeyDer::Pkcs1(der) => Key::rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()))?,
            // Neither a curve of SEC 1 nor what may come later signs mails.
            _ => return Err(DkimError::Kind),
        };
        Ok(Self { key: Arc::new(key), selector: selector.to_owned(), domain: None })
    }

    /// Signs for this domain, which must be that of `From` or one above it.
    ///
    /// # Errors
    /// [`DkimError::Name`], when it is not a domain name in ASCII.
    pub fn for_domain(self, domain: &str) -> Result<Self, DkimError> {
        if !is_domain_name(domain) {
            return Err(DkimError::Name("domain"));
        }
        Ok(Self { domain: Some(domain.to_ascii_lowercase()), ..self })
    }

    /// Whether it can sign what comes from this address: its domain, or the one named instead, must be in ASCII.
    #[must_use]
    pub fn signs_for(&self, address: &str) -> bool {
        let own = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        is_domain_name(self.domain.as_deref().unwrap_or(own))
    }

    /// The name and the public half under which DNS must publish the key, for mails from this address.
    #[must_use]
    pub fn signer(&self, address: &str) -> Signer {
        let own = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
        let key = match &*self.key {
            Key::Ed25519(key) => SigningKey::Ed25519(key.public_key().as_ref().to_vec()),
            Key::Rsa(key) => SigningKey::Rsa(key.public().as_ref().to_vec()),
        };
        Signer { selector: self.selector.clone(), domain: self.domain.clone().unwrap_or(own), key: Some(key) }
    }

    /// `ed25519-sha256` or `rsa-sha256`.
    #[must_use]
    pub fn algorithm(&self) -> &'static str {
        match &*self.key {
            Key::Ed25519(_) => "ed25519-sha256",
            Key::Rsa(_) => "rsa-sha256",
        }
    }
}

impl fmt::Debug for Dkim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dkim").field("selector", &self.selector).field("domain", &self.domain).finish_non_exhaustive()
    }
}

impl Key {
    fn rsa(key: Result<RsaKeyPair, ring::error::KeyRejected>) -> Result<Self, DkimError> {
        key.map(|key| Key::Rsa(Box::new(key))).map_err(|_| DkimError::Kind)
    }

    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ComposeError> {
        match self {
            // RFC 8463, section 3: the hash is what is signed.
            Key::Ed25519(key) => Ok(key.sign(&Sha256::digest(text)).as_ref().to_vec()),
            Key::Rsa(key) => {
                let mut signature = vec![0; key.public().modulus_len()];
                // The randomness hides the key from who measures time; the signature does not depend on it.
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
                    .map_err(|_| ComposeError::Signature)?;
                Ok(signature)
            }
        }
    }
}

impl Composed {
    /// The same mail with a signature in front; a mail that is signed already gets a second one.
    ///
    /// # Errors
    /// [`ComposeError::Signature`], when the sender's domain cannot stand in one or the key fails.
    pub fn signed(self, dkim: &Dkim) -> Result<Self, ComposeError> {
        let domain = dkim.domain.clone().unwrap_or_else(|| self.from_domain.to_ascii_lowercase());
        if !is_domain_name(&domain) {
            return Err(ComposeError::Signature);
        }
        let (head, body) = parts(&self.bytes);
        let fields = fields(head);
        let (mut names, mut text) = (Vec::new(), String::new());
        for (name, seal) in SIGNED {
            // The last first, as section 5.4.2 counts them.
            for (_, value) in fields.iter().rev().filter(|(field, _)| field.eq_ignore_ascii_case(name)) {
                names.push(name);
                text.push_str(&relaxed_field(name, value));
                text.push_str("\r\n");
            }
            if seal == Seal::Alone {
                names.push(name);
            }
        }
        let unsigned = format!(
            "v=1; a={}; c=relaxed/relaxed; d={domain};\r\n s={}; t={};\r\n h={};\r\n bh={};\r\n b=",
            dkim.algorithm(),
            dkim.selector,
            self.date,
            list(&names),
            BASE64.encode(Sha256::digest(relaxed_body(body))),
        );
        text.push_str(&relaxed_field("dkim-signature", &unsigned));
        let signature = BASE64.encode(dkim.key.sign(text.as_bytes())?);
        let mut bytes = format!("DKIM-Signature: {unsigned}").into_bytes();
        for (place, line) in signature.as_bytes().chunks(LINE).enumerate() {
            if place > 0 {
                bytes.extend_from_slice(b"\r\n ");
            }
            bytes.extend_from_slice(line);
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&self.bytes);
        Ok(Self { bytes, ..self })
    }
}

/// Header part and body, without the empty line between.
fn parts(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    end.map_or((bytes, &[]), |end| (&bytes[..end], &bytes[end + 4..]))
}

/// Names and values as they were written, folded values joined.
fn fields(head: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(head).replace("\r\n ", " ").replace("\r\n\t", " ");
    text.split("\r\n")
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim_end().to_owned(), value.to_owned()))
        .collect()
}

/// Section 3.4.2: one space for every run of white space and none at either end, without the line's end.
fn relaxed_field(name: &str, value: &str) -> String {
    let words: Vec<&str> = value.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect();
    format!("{name}:{}", words.join(" "))
}

/// Section 3.4.4: one space for every run of white space, none at a line's end, no empty lines at the end.
fn relaxed_body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let lines: Vec<&[u8]> = body.split(|&byte| byte == b'\n').collect();
    for (place, line) in lines.iter().enumerate() {
        let is_last = place + 1 == lines.len();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if is_last && line.is_empty() {
            break;
        }
        let mut gap = false;
        for &byte in line {
            if matches!(byte, b' ' | b'\t') {
                gap = true;
            } else {
                if std::mem::take(&mut gap) {
                    out.push(b' ');
                }
                out.push(byte);
            }
        }
        out.extend_from_slice(b"\r\n");
    }
    while out.ends_with(b"\r\n\r\n") {
        out.truncate(out.len() - 2);
    }
    if out == b"\r\n" { Vec::new() } else { out }
}

/// The names with colons between, folded: a line break may stand beside a colon.
fn list(names: &[&str]) -> String {
    names.chunks(6).map(|line| line.join(":")).collect::<Vec<_>>().join(":\r\n  ")
}

/// Labels of letters, digits, hyphens and, as some selectors have them, underscores.
fn is_domain_name(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= 253 && text.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::{Dkim, DkimError, list, relaxed_body, relaxed_field};

    #[test]
    fn white_space_is_relaxed_as_the_standard_says() {
        // The examples of RFC 6376, section 3.4.5, and the two ends of what a body can be.
        assert_eq!(relaxed_field("a", " X"), "a:X");
        assert_eq!(relaxed_field("b", " Y\t\r\n\tZ  "), "b:Y Z");
        let table: [(&str, &str); 6] = [
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("", ""),
            ("\r\n\r\n", ""),
            (" \r\n", ""),
            ("no end", "no end\r\n"),
            ("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
        ];
        for (body, relaxed) in table {
            assert_eq!(relaxed_body(body.as_bytes()), relaxed.as_bytes(), "{body:?}");
        }
    }

    #[test]
    fn a_long_list_is_folded_beside_a_colon() {
        assert_eq!(list(&["a"; 7]), "a:a:a:a:a:a:\r\n  a");
    }

    #[test]
    fn what_is_no_key_is_refused_without_being_quoted() {
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let refused = |selector: &str, pem: &str| Dkim::new(selector, &pem.to_owned().into()).map(|_| ());
        assert_eq!(refused("s1", ""), Err(DkimError::NoKey));
        assert_eq!(refused("s1", key), Err(DkimError::Kind));
        assert_eq!(refused("s 1", key), Err(DkimError::Name("selector")));
        assert_eq!(refused("", key), Err(DkimError::Name("selector")));
    }
}
