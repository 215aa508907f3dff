//! A return path of its own for every mail: a bounce names the mail it answers, and nobody else can name one.
//!
//! The local part is `b<mail>-<mac>` in hexadecimal; the MAC is HMAC-SHA-256 (RFC 2104), its left 128 bits.
//! It proves which mail is meant, not that the mail bounced: whoever once received a mail knows its return path.
//! Servers that answer to the header's sender instead of the return path bring no such proof.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};
use sha2::Sha256;

/// Bytes of the MAC that are kept.
const MAC_BYTES: usize = 16;

/// The secret that return paths are made with. It cannot be printed.
pub struct ReturnPathSecret(SecretBox<[u8; 32]>);

impl ReturnPathSecret {
    /// A secret from 32 random bytes.
    #[must_use]
    pub fn new(random: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(random)))
    }

    /// Reads the secret's file: 32 bytes in hexadecimal. `None` when it is something else.
    #[must_use]
    pub fn from_file(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(parsurvey_survey::unhex(text.trim())?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }

    /// The secret's file.
    #[must_use]
    pub fn to_file(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}\n", parsurvey_survey::hex(self.0.expose_secret())))
    }

    /// A name for this secret that tells nothing about it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut mac = self.keyed();
        mac.update(b"parsurvey return path fingerprint 1\0");
        parsurvey_survey::hex(&mac.finalize().into_bytes()[..16])
    }

    fn keyed(&self) -> Hmac<Sha256> {
        Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes a key of any length")
    }

    fn mac(&self, mail: i64) -> Hmac<Sha256> {
        let mut mac = self.keyed();
        mac.update(b"parsurvey return path 1\0");
        mac.update(&mail.to_be_bytes());
        mac
    }
}

impl fmt::Debug for ReturnPathSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReturnPathSecret")
    }
}

/// The local part of the return path of the mail with this id, at most 50 characters.
///
/// It may follow a name and a plus, as in `survey+b1f-…@domain`; SMTP allows 64 characters in all.
#[must_use]
pub fn make(secret: &ReturnPathSecret, mail: i64) -> String {
    let mac = secret.mac(mail).finalize().into_bytes();
    let hex: String = mac[..MAC_BYTES].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("b{mail:x}-{hex}")
}

/// The id of the mail whose return path has this local part; `None` when [`make`] did not make it with this secret.
///
/// Letters may be of either case, because servers change it. The MAC is compared in constant time.
#[must_use]
pub fn read(secret: &ReturnPathSecret, local_part: &str) -> Option<i64> {
    let tag = local_part.rsplit_once('+').map_or(local_part, |(_, tag)| tag);
    let (mail, mac) = tag.strip_prefix(['b', 'B'])?.split_once('-')?;
    // One mail has one name: a sign or a zero in front would be a second.
    if !mail.bytes().all(|byte| byte.is_ascii_hexdigit()) || (mail.starts_with('0') && mail != "0") {
        return None;
    }
    let mail = u64::from_str_radix(mail, 16).ok()?.cast_signed();
    let mac = unhex(mac)?;
    secret.mac(mail).verify_truncated_left(&mac).ok()?;
    Some(mail)
}

/// Reads exactly [`MAC_BYTES`] bytes: a shorter MAC would be easier to guess.
fn unhex(text: &str) -> Option<[u8; MAC_BYTES]> {
    let digits: Vec<u8> =
        text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    if digits.len() != 2 * MAC_BYTES {
        return None;
    }
    let mut bytes = [0; MAC_BYTES];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = pair[0] << 4 | pair[1];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, prop_assume, proptest};

    use super::{ReturnPathSecret, make, read};

    #[test]
    fn the_same_secret_and_mail_always_give_the_same_return_path() {
        let secret = ReturnPathSecret::new([7; 32]);
        assert_eq!(make(&secret, 31), make(&secret, 31));
        assert!(make(&secret, 31).starts_with("b1f-"));
        assert_eq!(format!("{secret:?}"), "ReturnPathSecret");
        let again = ReturnPathSecret::from_file(&secret.to_file()).expect("its own file is read");
        assert_eq!(make(&again, 31), make(&secret, 31));
        assert_eq!(again.fingerprint(), secret.fingerprint());
        assert_ne!(ReturnPathSecret::new([8; 32]).fingerprint(), secret.fingerprint());
        assert!(ReturnPathSecret::from_file("07").is_none());
    }

    #[test]
    fn what_was_not_made_with_the_secret_is_nothing() {
        let secret = ReturnPathSecret::new([7; 32]);
        let good = make(&secret, 31);
        let mac = good.split_once('-').map(|(_, mac)| mac.to_owned()).unwrap_or_default();
        let forged = [
            String::new(),
            "b".into(),
            "b1f".into(),
            "b1f-".into(),
            format!("b20-{mac}"),
            format!("b01f-{mac}"),
            format!("b+1f-{mac}"),
            format!("b1f-{}", &mac[..30]),
            format!("b1f-{mac}00"),
            format!("1f-{mac}"),
            format!("{good}@x.example"),
            make(&ReturnPathSecret::new([8; 32]), 31),
        ];
        for local_part in forged {
            assert_eq!(read(&secret, &local_part), None, "{local_part}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_is_read_and_every_other_character_forges(
            key in any::<[u8; 32]>(), mail in any::<i64>(), at in 0usize..50, digit in 0u32..16,
        ) {
            let secret = ReturnPathSecret::new(key);
            let local_part = make(&secret, mail);
            prop_assert!(local_part.len() <= 50);
            prop_assert_eq!(read(&secret, &local_part), Some(mail));
            prop_assert_eq!(read(&secret, &format!("survey+{}", local_part.to_uppercase())), Some(mail));
            let at = at % local_part.len();
            let other = char::from_digit(digit, 16).unwrap_or('0');
            prop_assume!(local_part.as_bytes()[at] != other as u8);
            let mut forged = local_part;
            forged.replace_range(at..=at, &other.to_string());
            prop_assert_eq!(read(&secret, &forged), None);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let secret = ReturnPathSecret::new([1; 32]);
            prop_assert_eq!(read(&secret, &text), None);
        }
    }
}
