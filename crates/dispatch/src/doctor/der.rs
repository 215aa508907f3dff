//! The little of DER (X.690) that is needed here: an RSA key's numbers, and until when a certificate is valid.
//!
//! It verifies nothing: certificates were verified by the TLS library before, and a key that does not parse is no key.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const INTEGER: u8 = 0x02;
const BITS: u8 = 0x03;
const OBJECT_ID: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERAL_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
/// `[0]`, the version of a certificate.
const VERSION: u8 = 0xa0;

/// The identifier of RSA keys, 1.2.840.113549.1.1.1, with the empty parameters that follow it.
const RSA: [u8; 13] = [OBJECT_ID, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
/// The identifier of Ed25519 keys, 1.3.101.112.
const ED25519: [u8; 5] = [OBJECT_ID, 3, 0x2b, 0x65, 0x70];

/// An RSA public key's numbers, without zeros in front.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RsaPublic {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// How a public key was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrapped {
    /// RSA as `SubjectPublicKeyInfo`, as everybody reads it.
    Rsa(RsaPublic),
    /// RSA as bare `RSAPublicKey`, which some verifiers do not read.
    BareRsa(RsaPublic),
    /// Ed25519 in a wrapping that RFC 8463 does not want.
    LongEd25519,
}

impl RsaPublic {
    /// The modulus's length in bits.
    pub(crate) fn bits(&self) -> usize {
        let leading = self.modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        (self.modulus.len() * 8).saturating_sub(leading)
    }

    /// Reads a bare `RSAPublicKey`.
    pub(crate) fn bare(der: &[u8]) -> Option<Self> {
        let mut outer = Reader(der);
        let mut numbers = Reader(outer.take(SEQUENCE)?);
        let key = Self { modulus: numbers.number()?, exponent: numbers.number()? };
        (outer.0.is_empty() && numbers.0.is_empty() && !key.modulus.is_empty()).then_some(key)
    }
}

/// Reads what stands in `p=` of an RSA record.
pub(crate) fn public_key(der: &[u8]) -> Option<Wrapped> {
    if let Some(key) = RsaPublic::bare(der) {
        return Some(Wrapped::BareRsa(key));
    }
    let mut outer = Reader(der);
    let mut info = Reader(outer.take(SEQUENCE)?);
    let algorithm = info.take(SEQUENCE)?;
    let bits = info.take(BITS)?;
    if !outer.0.is_empty() || !info.0.is_empty() {
        return None;
    }
    if algorithm == ED25519 {
        return Some(Wrapped::LongEd25519);
    }
    // The first byte counts unused bits; a key has none.
    let key = bits.strip_prefix(&[0]).filter(|_| algorithm.starts_with(&RSA[..11]))?;
    RsaPublic::bare(key).map(Wrapped::Rsa)
}

/// Wraps a bare `RSAPublicKey` into a `SubjectPublicKeyInfo`, as DKIM records hold it.
pub(crate) fn wrap_rsa(bare: &[u8]) -> Vec<u8> {
    let bits = [&[0], bare].concat();
    let inner = [element(SEQUENCE, &RSA), element(BITS, &bits)].concat();
    element(SEQUENCE, &inner)
}

/// The moment after which a certificate (X.509, DER) is not valid any more; `None` where it cannot be read.
#[must_use]
pub fn certificate_end(certificate: &[u8]) -> Option<Timestamp> {
    let mut outer = Reader(Reader(certificate).take(SEQUENCE)?);
    let mut fields = Reader(outer.take(SEQUENCE)?);
    if fields.0.first() == Some(&VERSION) {
        fields.take(VERSION)?;
    }
    fields.take(INTEGER)?;
    fields.take(SEQUENCE)?;
    fields.take(SEQUENCE)?;
    let mut validity = Reader(fields.take(SEQUENCE)?);
    validity.next()?;
    let (tag, end) = validity.next()?;
    moment(tag, std::str::from_utf8(end).ok()?)
}

/// Times are written as digits and a `Z`; two digits of a year are of 1950 to 2049 (RFC 5280, section 4.1.2.5.1).
fn moment(tag: u8, text: &str) -> Option<Timestamp> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let short: i16 = digits[..2].parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, &digits[2..])
        }
        (GENERAL_TIME, 14) => (digits[..4].parse().ok()?, &digits[4..]),
        _ => return None,
    };
    let part = |at: usize| rest[at..at + 2].parse::<i8>().ok();
    let civil = DateTime::new(year, part(0)?, part(2)?, part(4)?, part(6)?, part(8)?, 0).ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length) if length < 128 => out.push(length),
        Ok(_) | Err(_) => {
            let length = content.len().to_be_bytes();
            let from = length.iter().position(|byte| *byte != 0).unwrap_or(length.len());
            out.push(0x80 | u8::try_from(length.len() - from).expect("a length has at most eight bytes"));
            out.extend_from_slice(&length[from..]);
        }
    }
    out.extend_from_slice(content);
    out
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next element, whatever it is.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let length = if first < 128 {
            usize::from(first)
        } else {
            // More than four bytes of length would be a gigabyte of key.
            let count = usize::from(first & 0x7f);
            let (bytes, after) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
            rest = after;
            bytes.iter().fold(0, |sum, byte| (sum << 8) | usize::from(*byte))
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// The next element, if it is of this kind.
    fn take(&mut self, wanted: u8) -> Option<&'a [u8]> {
        let (tag, content) = self.next()?;
        (tag == wanted).then_some(content)
    }

    /// The next number, without zeros in front.
    fn number(&mut self) -> Option<Vec<u8>> {
        let bytes = self.take(INTEGER)?;
        let from = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        Some(bytes[from..].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::{GENERAL_TIME, RsaPublic, UTC_TIME, Wrapped, element, moment, public_key, wrap_rsa};

    #[test]
    fn a_key_survives_its_wrapping_and_nothing_else_does() {
        let modulus = [vec![0x00], vec![0xc1; 128]].concat();
        let bare = element(0x30, &[element(2, &modulus), element(2, &[1, 0, 1])].concat());
        let key = RsaPublic::bare(&bare).expect("a key");
        assert_eq!(key.bits(), 1024);
        let wrapped = wrap_rsa(&bare);
        assert_eq!(public_key(&wrapped), Some(Wrapped::Rsa(key.clone())));
        assert_eq!(public_key(&bare), Some(Wrapped::BareRsa(key)));
        for end in 0..wrapped.len() {
            assert_eq!(public_key(&wrapped[..end]), None, "cut at {end}");
        }
        assert_eq!(public_key(&[&wrapped[..], b"x"].concat()), None);
        assert_eq!(public_key(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
        let ed25519 = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &[7; 32]].concat();
        assert_eq!(public_key(&ed25519), Some(Wrapped::LongEd25519));
    }

    #[test]
    fn both_ways_of_writing_a_time_are_read() {
        let read = |tag, text| moment(tag, text).map(|moment| moment.to_string());
        assert_eq!(read(UTC_TIME, "231218010203Z").as_deref(), Some("2023-12-18T01:02:03Z"));
        assert_eq!(read(UTC_TIME, "991231235959Z").as_deref(), Some("1999-12-31T23:59:59Z"));
        assert_eq!(read(GENERAL_TIME, "40000101000000Z").as_deref(), Some("4000-01-01T00:00:00Z"));
        for wrong in ["", "Z", "231218010203", "2312180102Z", "23121801020éZ", "231318010203Z"] {
            assert_eq!(read(UTC_TIME, wrong), None, "{wrong}");
        }
    }
}
