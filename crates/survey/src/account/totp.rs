//! Codes of an authenticator: TOTP by RFC 6238 with what every authenticator takes (SHA-1, six digits, thirty seconds).
//!
//! Written over the HMAC that is here anyhow: the check must say *which* step a code was of, so that a code is taken once,
//! and libraries for this answer yes or no. SHA-1 is sound in HMAC; authenticators that silently ignore another hash are common.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes of a seed, as RFC 4226 recommends.
pub const SEED_BYTES: usize = 20;
/// Seconds of a step.
const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are taken, for clocks that differ and for slow fingers.
const DRIFT: i64 = 1;

/// Number of a step of thirty seconds since the epoch.
pub type Step = i64;

/// What an authenticator makes codes from. It cannot be printed.
#[derive(Clone)]
pub struct Seed(Zeroizing<[u8; SEED_BYTES]>);

impl Seed {
    /// A seed from random bytes.
    #[must_use]
    pub fn new(random: [u8; SEED_BYTES]) -> Self {
        Self(Zeroizing::new(random))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The six digits of a step.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn code(&self, step: Step) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.bytes()).expect("HMAC takes a key of any length");
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        // RFC 4226, 5.3: the last half-byte says where the four bytes stand.
        let at = usize::from(hash[19] & 0x0f);
        let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
        format!("{:06}", number % 1_000_000)
    }

    /// The step that `code` belongs to, if it is one of those taken at `now` and later than `used`, the last one taken.
    #[must_use]
    pub fn step_of_code(&self, code: &str, used: Step, now: Timestamp) -> Option<Step> {
        // People type the gap that their authenticator shows.
        let typed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
        let present = step_of(now);
        let mut found = None;
        for step in present - DRIFT..=present + DRIFT {
            // Every step is looked at, so that the time taken does not tell which one matched.
            let equal = bool::from(self.code(step).as_bytes().ct_eq(typed.as_bytes()));
            if equal && step > used {
                found = Some(step);
            }
        }
        found
    }

    /// What an authenticator reads: `otpauth://totp/…`. It contains the seed.
    #[must_use]
    pub fn uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let issuer = percent_encoded(issuer);
        let secret = Zeroizing::new(BASE32_NOPAD.encode(self.bytes()));
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period={STEP_SECONDS}",
            percent_encoded(account),
            secret.as_str(),
        ))
    }

    /// The seed of such an address; `None` when it is something else.
    #[must_use]
    pub fn from_uri(uri: &str) -> Option<Self> {
        let (_, after) = uri.strip_prefix("otpauth://totp/")?.split_once("secret=")?;
        let text = after.split('&').next()?;
        let bytes = Zeroizing::new(BASE32_NOPAD.decode(text.as_bytes()).ok()?);
        Some(Self::new(bytes.as_slice().try_into().ok()?))
    }
}

/// The step of a moment.
#[must_use]
pub fn step_of(now: Timestamp) -> Step {
    now.as_second().div_euclid(STEP_SECONDS)
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a moment")
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, cut to six digits.
        let seed = Seed::new(*b"12345678901234567890");
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(seed.code(step_of(at(second))), code, "{second}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_within_one_step() {
        let seed = Seed::new([7; SEED_BYTES]);
        let now = at(1_000_000_020);
        let present = step_of(now);
        for (drift, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let step = seed.step_of_code(&seed.code(present + drift), 0, now);
            assert_eq!(step, taken.then_some(present + drift), "{drift}");
        }
        let code = seed.code(present);
        assert_eq!(seed.step_of_code(&code, present, now), None, "it was used");
        assert_eq!(seed.step_of_code(&code, present - 1, now), Some(present));
        assert_eq!(seed.step_of_code(&seed.code(present - 1), present, now), None, "an older one is used up with it");
        let gap = format!("{} {}", &code[..3], &code[3..]);
        assert_eq!(seed.step_of_code(&gap, 0, now), Some(present));
        for wrong in ["", "000", "abcdef", "1234567"] {
            assert_eq!(seed.step_of_code(wrong, 0, now), None, "{wrong}");
        }
    }

    #[test]
    fn an_authenticator_gets_the_seed_by_its_address() {
        let seed = Seed::new(*b"12345678901234567890");
        let uri = seed.uri("Khảo sát", "nva");
        assert!(uri.starts_with("otpauth://totp/Kh%E1%BA%A3o%20s%C3%A1t:nva?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&"));
        let read = Seed::from_uri(&uri).expect("a seed");
        assert_eq!(read.code(1), seed.code(1));
        assert!(Seed::from_uri("otpauth://hotp/x?secret=GEZD").is_none());
    }
}
