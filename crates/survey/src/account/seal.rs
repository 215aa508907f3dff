//! The console's secret: a file beside the link secret, outside database and backup.
//!
//! Under it the seeds of authenticators are sealed, so that a database or its backup alone lets nobody make a code; and
//! with it a browser's mark is made that says "this account has logged in from here before".

use chacha20poly1305::aead::{Aead, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::totp::{SEED_BYTES, Seed};
use super::{AccountName, totp};
use crate::secret::Secret;

const NONCE_BYTES: usize = 24;

/// A sealed seed that cannot be opened: another secret, another account, or damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed seed does not open with this secret")]
pub struct SealError;

/// The purpose of the console's secret.
pub enum Console {}

/// The secret. It cannot be printed.
pub type ConsoleSecret = Secret<Console>;

impl Secret<Console> {
    /// Seals an account's seed; 24 random bytes make each sealing another one. It opens for this account only.
    ///
    /// # Panics
    /// Never: a seed is far shorter than what the cipher takes.
    #[must_use]
    pub fn seal(&self, name: &AccountName, seed: &Seed, random: [u8; NONCE_BYTES]) -> Vec<u8> {
        let nonce = XNonce::from(random);
        let payload = Payload { msg: seed.bytes(), aad: name.as_str().as_bytes() };
        let sealed = self.cipher().encrypt(&nonce, payload).expect("a seed is short enough for the cipher");
        [random.as_slice(), &sealed].concat()
    }

    /// Opens a sealed seed.
    ///
    /// # Errors
    /// It was sealed under another secret or for another account.
    pub fn open(&self, name: &AccountName, sealed: &[u8]) -> Result<Seed, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError)?;
        let payload = Payload { msg: rest, aad: name.as_str().as_bytes() };
        let opened = self.cipher().decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError)?;
        let opened = Zeroizing::new(opened);
        let bytes: [u8; SEED_BYTES] = opened.as_slice().try_into().map_err(|_| SealError)?;
        Ok(totp::Seed::new(bytes))
    }

    /// The mark for a browser from which the account has logged in.
    #[must_use]
    pub fn device(&self, name: &AccountName, random: [u8; 16]) -> Device {
        let number = BASE64URL_NOPAD.encode(&random);
        let mark = format!("{number}.{}", BASE64URL_NOPAD.encode(&self.device_mac(name, &number)));
        Device { number, mark }
    }

    /// The device of a mark, if it was made here for this account.
    #[must_use]
    pub fn known_device(&self, name: &AccountName, mark: &str) -> Option<Device> {
        let (number, mac) = mark.split_once('.')?;
        let mac = BASE64URL_NOPAD.decode(mac.as_bytes()).ok()?;
        let equal = subtle::ConstantTimeEq::ct_eq(mac.as_slice(), self.device_mac(name, number).as_slice());
        bool::from(equal).then(|| Device { number: number.to_owned(), mark: mark.to_owned() })
    }

    fn device_mac(&self, name: &AccountName, number: &str) -> [u8; 32] {
        let key = self.derived(b"parsurvey console device 1");
        let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes a key of any length");
        mac.update(name.as_str().as_bytes());
        mac.update(&[0]);
        mac.update(number.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.derived(b"parsurvey console seeds 1")))
    }

    /// A key of its own for each use.
    fn derived(&self, use_: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.expose()).expect("HMAC takes a key of any length");
        mac.update(use_);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }
}

/// A browser that has logged in before. It opens nothing: it only keeps strangers' failures from slowing its owner.
#[derive(Clone, PartialEq, Eq)]
pub struct Device {
    /// What its failures are counted under.
    pub number: String,
    /// What the browser keeps.
    pub mark: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    #[test]
    fn a_seed_opens_with_its_secret_for_its_account_only() {
        let secret = ConsoleSecret::new([1; 32]);
        let seed = Seed::new([9; SEED_BYTES]);
        let sealed = secret.seal(&name("nva"), &seed, [3; 24]);
        assert_eq!(secret.open(&name("nva"), &sealed).expect("opens").code(5), seed.code(5));
        assert!(!sealed.windows(SEED_BYTES).any(|part| part == [9; SEED_BYTES]));
        assert!(secret.open(&name("nvb"), &sealed).is_err());
        assert!(ConsoleSecret::new([2; 32]).open(&name("nva"), &sealed).is_err());
        assert!(secret.open(&name("nva"), &sealed[..20]).is_err());
        let read = ConsoleSecret::from_file(&secret.to_file()).expect("a secret");
        assert_eq!(read.fingerprint(), secret.fingerprint());
        assert_ne!(ConsoleSecret::new([2; 32]).fingerprint(), secret.fingerprint());
    }

    #[test]
    fn a_device_is_known_for_its_account_only() {
        let secret = ConsoleSecret::new([1; 32]);
        let device = secret.device(&name("nva"), [4; 16]);
        let known = secret.known_device(&name("nva"), &device.mark);
        assert_eq!(known.map(|device| device.number), Some(device.number.clone()));
        assert!(secret.known_device(&name("nvb"), &device.mark).is_none());
        assert!(ConsoleSecret::new([2; 32]).known_device(&name("nva"), &device.mark).is_none());
        for wrong in ["", ".", "x.y", &device.mark[1..]] {
            assert!(secret.known_device(&name("nva"), wrong).is_none(), "{wrong}");
        }
    }
}
