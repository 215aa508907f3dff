//! Domain names: in ASCII, turned round for an address, and cut to the organisation they belong to.
//!
//! The organisation is found by the public suffix list that is built in; a suffix that came later is not known.

use std::net::IpAddr;

/// A domain in small letters and ASCII (IDNA), without its last dot; `None` where it is none.
#[must_use]
pub fn ascii_domain(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_end_matches('.');
    if domain.is_empty() {
        return None;
    }
    // Names such as `_dmarc` and `s1._domainkey` are no host names, so that IDNA is asked only for what is not ASCII.
    let ascii = if domain.is_ascii() { domain.to_ascii_lowercase() } else { idna::domain_to_ascii(domain).ok()? };
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    (ascii.len() <= 253 && ascii.split('.').all(label)).then_some(ascii)
}

/// The organisational domain (RFC 7489, section 3.2): one label more than the public suffix.
#[must_use]
pub fn organisational(domain: &str) -> &str {
    psl::domain_str(domain).unwrap_or(domain)
}

/// The name that holds an address's PTR record.
pub(crate) fn reverse_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(_) => format!("{}.ip6.arpa", nibbles(address).into_iter().rev().collect::<Vec<_>>().join(".")),
    }
}

/// The parts of an address as SPF's `%{i}` has them: bytes of IPv4, nibbles of IPv6.
pub(crate) fn nibbles(address: IpAddr) -> Vec<String> {
    match address {
        IpAddr::V4(address) => address.octets().iter().map(u8::to_string).collect(),
        IpAddr::V6(address) => {
            let halves = |byte: &u8| [byte >> 4, byte & 15];
            address.octets().iter().flat_map(halves).map(|nibble| format!("{nibble:x}")).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ascii_domain, organisational, reverse_of};

    #[test]
    fn organisations_are_cut_at_the_public_suffix() {
        for (domain, organisation) in [
            ("khaosat.parindex.example", "parindex.example"),
            ("parindex.example", "parindex.example"),
            ("mail.sonoivu.hanoi.gov.vn", "hanoi.gov.vn"),
            ("gov.vn", "gov.vn"),
            ("a.b.co.uk", "b.co.uk"),
        ] {
            assert_eq!(organisational(domain), organisation);
        }
    }

    #[test]
    fn addresses_are_turned_round() {
        assert_eq!(reverse_of("192.0.2.5".parse().expect("an address")), "5.2.0.192.in-addr.arpa");
        let six = reverse_of("2001:db8::1".parse().expect("an address"));
        assert!(six.starts_with("1.0.0.0.") && six.ends_with(".8.b.d.0.1.0.0.2.ip6.arpa"), "{six}");
    }

    #[test]
    fn what_is_no_domain_is_told_apart() {
        let punycode = ascii_domain("Nội-Vụ.example.").expect("a domain");
        assert!(punycode.starts_with("xn--") && punycode.is_ascii());
        assert_eq!(ascii_domain("nội-vụ.example").as_deref(), Some(punycode.as_str()));
        assert_eq!(ascii_domain("_dmarc.A.example").as_deref(), Some("_dmarc.a.example"));
        for wrong in ["", ".", "a..b", "a b", &"a".repeat(64)] {
            assert_eq!(ascii_domain(wrong), None, "{wrong}");
        }
    }
}
