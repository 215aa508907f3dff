//! Codes among words: enhanced (RFC 3463) and basic (RFC 5321), and what the two together say.
//!
//! A code is taken only where servers write one: numbers in addresses, versions and dates are not codes.

use crate::delivery::Enhanced;

/// Basic codes that refuse, as servers use them.
const BASIC: [u16; 26] = [
    421, 422, 431, 432, 441, 442, 446, 447, 449, 450, 451, 452, 454, 455, 471, 500, 501, 503, 511, 521, 541, 550, 551,
    552, 553, 554,
];

/// The first enhanced code of class 4 or 5 in a text; one that says something goes before one that does not.
pub(super) fn enhanced_in(text: &str) -> Option<Enhanced> {
    let mut general = None;
    for (at, _) in text.match_indices(['4', '5']) {
        let Some(code) = enhanced_at(text, at) else { continue };
        if !is_general(code) {
            return Some(code);
        }
        general = general.or(Some(code));
    }
    general
}

/// Whether a code says no more than its class.
pub(super) fn is_general(code: Enhanced) -> bool {
    code.detail == 0 || code.subject == 0
}

fn enhanced_at(text: &str, at: usize) -> Option<Enhanced> {
    let before = text[..at].chars().next_back();
    // `v5.0.1` and `Exim-4.9.6` are versions; `1.5.1.1` is an address of a host; `550-5.1.1` is a line of many.
    let is_line_of_many = before == Some('-') && text[..at - 1].ends_with(|c: char| c.is_ascii_digit());
    if !is_line_of_many && before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '/' | '_')) {
        return None;
    }
    let end = text[at..].find(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(text.len(), |length| at + length);
    let number = text[at..end.min(at + 12)].trim_end_matches('.');
    if text[at + number.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '@') {
        return None;
    }
    let before = text[..at].trim_end().as_bytes();
    let is_version = before.len() >= 7 && before[before.len() - 7..].eq_ignore_ascii_case(b"version");
    number.parse().ok().filter(|_| !is_version)
}

/// The first basic code of a refusal in a text.
pub(super) fn basic_in(text: &str) -> Option<u16> {
    text.match_indices(['4', '5']).find_map(|(at, _)| {
        let before = text[..at].chars().next_back();
        let is_start = before.is_none_or(|c| c.is_whitespace() || "('\"#;:<[=".contains(c));
        let digits = text.get(at..at + 3)?;
        let after = text[at + 3..].chars().next();
        let is_end = after.is_none_or(|c| c.is_whitespace() || "-'\":;,.)]#>".contains(c));
        // `:4` of an hour or a port, `450.` of a host's address.
        let is_number = after == Some('.') && text[at + 4..].starts_with(|c: char| c.is_alphanumeric())
            || before == Some(':') && text[..at - 1].ends_with(|c: char| c.is_ascii_digit());
        let code = digits.parse().ok().filter(|code| BASIC.contains(code))?;
        (is_start && is_end && !is_number).then_some(code)
    })
}

#[cfg(test)]
mod tests {
    use super::{basic_in, enhanced_in};

    #[test]
    fn codes_are_found_where_servers_write_them() {
        let table = [
            ("550 5.1.1 user unknown", Some("5.1.1"), Some(550)),
            ("550-5.1.1 The account", Some("5.1.1"), Some(550)),
            ("no mailbox here (#5.1.1)", Some("5.1.1"), None),
            ("#550 5.1.1 RESOLVER.ADR ##", Some("5.1.1"), Some(550)),
            ("said: 550 no such user", None, Some(550)),
            ("smtp;452 4.2.2 full", Some("4.2.2"), Some(452)),
            ("5.0.0 then 5.2.2", Some("5.2.2"), None),
            ("5.0.0 alone", Some("5.0.0"), None),
            ("returned '550 5.1.10 RESOLVER'", Some("5.1.10"), Some(550)),
            ("5.4.316.", Some("5.4.316"), None),
            // Hosts, versions, hours and sums are not codes.
            ("host 5.1.1.2 and 10.5.1.1", None, None),
            ("version 5.0.1 of v4.2.2, Exim-4.9.6", None, None),
            ("at 10:450 on port 25:550", None, None),
            ("450.example, 5501, a550", None, None),
            ("after 400 minutes", None, None),
            ("", None, None),
        ];
        for (text, enhanced, basic) in table {
            assert_eq!(enhanced_in(text).map(|code| code.to_string()).as_deref(), enhanced, "{text}");
            assert_eq!(basic_in(text), basic, "{text}");
        }
    }
}
