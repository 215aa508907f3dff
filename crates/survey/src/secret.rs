//! Secrets that lie in a file of their own, outside database and backup: 32 random bytes, each for one purpose.
//!
//! The purpose is part of the type, so that the secret of links is never taken for that of drafts.

use std::marker::PhantomData;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hex;

/// A secret for one purpose. It cannot be printed.
pub struct Secret<Purpose> {
    bytes: Zeroizing<[u8; 32]>,
    purpose: PhantomData<fn() -> Purpose>,
}

impl<Purpose> std::fmt::Debug for Secret<Purpose> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a secret")
    }
}

impl<Purpose> Secret<Purpose> {
    /// A secret from 32 random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self { bytes: Zeroizing::new(random), purpose: PhantomData }
    }

    /// Reads the secret's file: 32 bytes in hexadecimal. `None` when it is something else.
    #[must_use]
    pub fn from_file(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(crate::unhex(text.trim())?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// The secret's file.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", hex(self.bytes.as_slice())))
    }

    /// A name for this secret that tells nothing about it: the left 128 bits of an HMAC-SHA-256 (RFC 2104).
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.bytes.as_slice()).expect("HMAC takes a key of any length");
        mac.update(b"parsurvey fingerprint 1\0");
        hex(&mac.finalize().into_bytes()[..16])
    }

    /// The bytes, for the derivations of this crate.
    pub(crate) fn expose(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}
