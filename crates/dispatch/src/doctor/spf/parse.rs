//! An SPF record as terms (RFC 7208, sections 4.6.1 and 12). Nothing is looked up or expanded here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use parsurvey_index::tree::Text;

use super::macros::is_macro_text;
use crate::doctor::both;

/// A record in its parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record {
    /// Mechanisms with their qualifiers, in order.
    pub(crate) directives: Vec<(Qualifier, Mechanism)>,
    /// Where else to look if nothing matches.
    pub(crate) redirect: Option<String>,
}

/// What a match means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    Pass,
    Fail,
    SoftFail,
    Neutral,
}

/// What can match. A `None` domain is the one that is being checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mechanism {
    All,
    Include(String),
    A(Option<String>, Prefixes),
    Mx(Option<String>, Prefixes),
    Ptr(Option<String>),
    Ip(IpAddr, u8),
    Exists(String),
}

/// Lengths of the networks around the addresses of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefixes {
    pub(crate) four: u8,
    pub(crate) six: u8,
}

/// Whether a TXT record is meant to be SPF.
pub(crate) fn is_spf(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower == "v=spf1" || lower.starts_with("v=spf1 ")
}

/// Reads a record that [`is_spf`].
///
/// # Errors
/// The first term that is none, and why.
pub(crate) fn parse(text: &str) -> Result<Record, Text> {
    let mut record = Record::default();
    let mut explained = false;
    for term in text.split(' ').skip(1).filter(|term| !term.is_empty()) {
        let wrong = || both(format!("'{term}' không đúng cú pháp"), format!("'{term}' is no term of SPF"));
        if !term.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong());
        }
        if let Some((name, value)) = modifier(term) {
            let twice = || both(format!("'{name}=' có hai lần"), format!("'{name}=' stands twice"));
            match name.to_ascii_lowercase().as_str() {
                "redirect" if record.redirect.is_some() => return Err(twice()),
                "redirect" => record.redirect = Some(domain(value).ok_or_else(wrong)?),
                "exp" if explained => return Err(twice()),
                "exp" => {
                    domain(value).ok_or_else(wrong)?;
                    explained = true;
                }
                _ if is_macro_text(value) => {}
                _ => return Err(wrong()),
            }
            continue;
        }
        let (qualifier, rest) = match term.split_at(1) {
            ("+", rest) => (Qualifier::Pass, rest),
            ("-", rest) => (Qualifier::Fail, rest),
            ("~", rest) => (Qualifier::SoftFail, rest),
            ("?", rest) => (Qualifier::Neutral, rest),
            _ => (Qualifier::Pass, term),
        };
        record.directives.push((qualifier, mechanism(rest).ok_or_else(wrong)?));
    }
    Ok(record)
}

/// `name=value`, where the name is one: `ip4:…` and `a/24` are none.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut bytes = name.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    (begins && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')))
        .then_some((name, value))
}

fn mechanism(text: &str) -> Option<Mechanism> {
    let end = text.find([':', '/']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let argument = rest.strip_prefix(':');
    match name.to_ascii_lowercase().as_str() {
        "all" => rest.is_empty().then_some(Mechanism::All),
        "include" => Some(Mechanism::Include(domain(argument?)?)),
        "exists" => Some(Mechanism::Exists(domain(argument?)?)),
        "ptr" if rest.is_empty() => Some(Mechanism::Ptr(None)),
        "ptr" => Some(Mechanism::Ptr(Some(domain(argument?)?))),
        "ip4" => network(argument?, 32, |text| text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)),
        "ip6" => network(argument?, 128, |text| text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)),
        "a" => hosts(rest).map(|(host, prefixes)| Mechanism::A(host, prefixes)),
        "mx" => hosts(rest).map(|(host, prefixes)| Mechanism::Mx(host, prefixes)),
        _ => None,
    }
}

fn network(text: &str, most: u8, address: impl Fn(&str) -> Option<IpAddr>) -> Option<Mechanism> {
    let (text, length) = match text.split_once('/') {
        Some((text, length)) => (text, prefix(length, most)?),
        None => (text, most),
    };
    Some(Mechanism::Ip(address(text)?, length))
}

/// `:host/24//64`, of which each part may be left out.
fn hosts(rest: &str) -> Option<(Option<String>, Prefixes)> {
    let mut prefixes = Prefixes { four: 32, six: 128 };
    let (mut rest, six) = match rest.split_once("//") {
        Some((rest, six)) => (rest, Some(six)),
        None => (rest, None),
    };
    if let Some(six) = six {
        prefixes.six = prefix(six, 128)?;
    }
    // A slash may stand in a macro too; the length is what follows the last one.
    if let Some((before, four)) = rest.rsplit_once('/')
        && !four.is_empty()
        && four.bytes().all(|byte| byte.is_ascii_digit())
    {
        prefixes.four = prefix(four, 32)?;
        rest = before;
    }
    match rest.strip_prefix(':') {
        Some(host) => Some((Some(domain(host)?), prefixes)),
        None if rest.is_empty() => Some((None, prefixes)),
        None => None,
    }
}

fn prefix(text: &str, most: u8) -> Option<u8> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|length| plain && *length <= most)
}

/// A domain with macros still in it: it must end in a label that can be a top one, or in a macro (section 7.1).
fn domain(text: &str) -> Option<String> {
    if !is_macro_text(text) {
        return None;
    }
    let plain = text.strip_suffix('.').unwrap_or(text);
    let top = plain.rsplit_once('.').map_or("", |(_, top)| top);
    let is_top = top.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && top.bytes().any(|byte| !byte.is_ascii_digit())
        && !top.starts_with('-')
        && !top.ends_with('-');
    let ends_in_macro = ["}", "%%", "%_", "%-"].iter().any(|end| text.ends_with(end));
    (is_top || ends_in_macro).then(|| plain.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Mechanism, Prefixes, Qualifier, is_spf, parse};

    #[test]
    fn terms_are_read() {
        let record = parse("v=spf1  ip4:192.0.2.0/24 ip6:2001:db8::/32 A/28//64 mx:m.example ~include:i.example exists:%{i}.e.example ?ptr -all redirect=r.example exp=e.example x-y=1").expect("a record");
        assert_eq!(record.directives.len(), 8);
        assert_eq!(record.directives[0], (Qualifier::Pass, Mechanism::Ip("192.0.2.0".parse().expect("ip"), 24)));
        assert_eq!(record.directives[2].1, Mechanism::A(None, Prefixes { four: 28, six: 64 }));
        assert_eq!(record.directives[3].1, Mechanism::Mx(Some("m.example".into()), Prefixes { four: 32, six: 128 }));
        assert_eq!(record.directives[4], (Qualifier::SoftFail, Mechanism::Include("i.example".into())));
        assert_eq!(record.directives[5].1, Mechanism::Exists("%{i}.e.example".into()));
        assert_eq!(record.redirect.as_deref(), Some("r.example"));
    }

    #[test]
    fn what_is_no_term_is_refused() {
        for term in [
            "ip4:192.0.2.256",
            "ip4:192.0.2.1/33",
            "ip4:192.0.2.1/08",
            "ip4",
            "ip4:2001:db8::1",
            "ip6:192.0.2.1",
            "ip6:2001:db8::/129",
            "include",
            "include:",
            "include:a b",
            "all:x",
            "mx:",
            "a/33",
            "a//129",
            "ptr:",
            "exists",
            "ipv4:192.0.2.1",
            "--all",
            "192.0.2.1",
            "include:localhost",
            "redirect=",
            "a:x.example/x",
            "redirect=a.example redirect=b.example",
            "exp=",
            "x=%",
            "a:b.-c",
            "a:b.123",
            "include:b.example/%{z}",
            "exp=a.example exp=b.example",
            "mx:đ.example",
        ] {
            assert!(parse(&format!("v=spf1 {term}")).is_err(), "{term}");
        }
        assert!(is_spf("v=spf1") && is_spf("V=SPF1 -all") && !is_spf("v=spf10 -all") && !is_spf("spf2.0/pra"));
    }
}
