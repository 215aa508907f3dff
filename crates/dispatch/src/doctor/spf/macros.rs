//! SPF's macros (RFC 7208, section 7): the parts of a domain that depend on the mail.

use std::net::IpAddr;

use crate::doctor::names::nibbles;

/// What the macros stand for.
pub(crate) struct Scene<'a> {
    /// The envelope's sender.
    pub(crate) sender: &'a str,
    /// The domain whose record is read.
    pub(crate) domain: &'a str,
    /// The address that sends.
    pub(crate) ip: IpAddr,
}

/// Whether every macro in a text is one, whatever it stands for.
pub(crate) fn is_macro_text(text: &str) -> bool {
    let scene = Scene { sender: "a@b.example", domain: "b.example", ip: IpAddr::from([0, 0, 0, 0]) };
    text.bytes().all(|byte| byte.is_ascii_graphic()) && expand(text, &scene).is_some()
}

/// The domain with every macro replaced; `None` where one is none.
pub(crate) fn expand(text: &str, scene: &Scene<'_>) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let sign = rest.chars().next()?;
        rest = &rest[sign.len_utf8()..];
        match sign {
            '%' => out.push('%'),
            '_' => out.push(' '),
            '-' => out.push_str("%20"),
            '{' => {
                let (inner, after) = rest.split_once('}')?;
                out.push_str(&value(inner, scene)?);
                rest = after;
            }
            _ => return None,
        }
    }
    out.push_str(rest);
    // Longer than a domain may be: labels are left out from the left (section 7.3).
    while out.len() > 253 {
        out = out.split_once('.')?.1.to_owned();
    }
    Some(out)
}

fn value(inner: &str, scene: &Scene<'_>) -> Option<String> {
    let letter = inner.chars().next()?;
    let (local, domain) = scene.sender.rsplit_once('@').unwrap_or(("postmaster", scene.sender));
    let parts: Vec<String> = match letter.to_ascii_lowercase() {
        's' => vec![scene.sender.to_owned()],
        'l' => vec![local.to_owned()],
        'o' => vec![domain.to_owned()],
        // How the relay greets the world is not known here; it stands for the domain.
        'd' | 'h' => vec![scene.domain.to_owned()],
        'i' => nibbles(scene.ip),
        // The validated name needs look-ups that the standard advises against; this is its word for "none".
        'p' => vec!["unknown".to_owned()],
        'v' => vec![if scene.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned()],
        _ => return None,
    };
    transformed(&parts.join("."), inner.get(letter.len_utf8()..)?)
}

/// Splits, turns round and cuts: `2r-` keeps the right two parts of the reversed list, split at hyphens.
fn transformed(text: &str, how: &str) -> Option<String> {
    let digits = how.len() - how.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (count, rest) = how.split_at(digits);
    let (reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(delimiters) => (true, delimiters),
        None => (false, rest),
    };
    if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
        return None;
    }
    let delimiters = if delimiters.is_empty() { "." } else { delimiters };
    let mut parts: Vec<&str> = text.split(|c| delimiters.contains(c)).collect();
    if reversed {
        parts.reverse();
    }
    if !count.is_empty() {
        let count: usize = count.parse().ok().filter(|count| *count > 0)?;
        parts.drain(..parts.len().saturating_sub(count));
    }
    Some(parts.join("."))
}

#[cfg(test)]
mod tests {
    use super::{Scene, expand};

    #[test]
    fn the_standards_own_examples_come_out() {
        // RFC 7208, section 7.4.
        let four = "192.0.2.3".parse().expect("an address");
        let six = "2001:db8::cb01".parse().expect("an address");
        let scene = |ip| Scene { sender: "strong-bad@email.example.com", domain: "email.example.com", ip };
        for (text, expected) in [
            ("%{s}", "strong-bad@email.example.com"),
            ("%{o}", "email.example.com"),
            ("%{d4}", "email.example.com"),
            ("%{d2}", "example.com"),
            ("%{d1}", "com"),
            ("%{dr}", "com.example.email"),
            ("%{d2r}", "example.email"),
            ("%{l}", "strong-bad"),
            ("%{l-}", "strong.bad"),
            ("%{lr-}", "bad.strong"),
            ("%{l1r-}", "strong"),
            ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
            ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
            ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ] {
            assert_eq!(expand(text, &scene(four)).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(
            expand("%{ir}.%{v}._spf.%{d2}", &scene(six)).as_deref(),
            Some("1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com")
        );
        for wrong in ["%", "%{", "%{x}", "%{d0}", "%{dr!}", "%a", "%{}"] {
            assert_eq!(expand(wrong, &scene(four)), None, "{wrong}");
        }
    }
}
