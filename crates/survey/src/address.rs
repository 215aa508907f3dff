//! E-mail addresses of respondents: one door, [`RespondentEmail::parse`], and what may be mended before it.
//!
//! An address is personal data: neither `Debug` nor an error prints it, and there is no `Display`.
//! Whether a mailbox exists is not known here; only sending tells.

use std::fmt;

use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

/// A well-formed address that an SMTP relay takes: ASCII, its domain in lower case and, if international, in punycode.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RespondentEmail(String);

/// Why a text is not a respondent's address. The messages never quote the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Nothing stands in the cell.
    #[error("there is no address")]
    Missing,
    /// More than one address stands in the cell.
    #[error("several addresses stand in one cell")]
    Several,
    /// No `@`.
    #[error("the address has no '@'")]
    NoAt,
    /// Nothing before the `@`, or characters that cannot stand there.
    #[error(
        "what stands before '@' is not the name of a mailbox (letters without diacritics, digits, '.', '_', '-', '+')"
    )]
    BadMailbox,
    /// The domain has no dot.
    #[error("the domain after '@' has no dot")]
    NoDot,
    /// The domain is no domain.
    #[error("what stands after '@' is not a domain")]
    BadDomain,
    /// Longer than SMTP allows.
    #[error("the address is longer than 254 characters, or its mailbox than 64")]
    TooLong,
}

impl RespondentEmail {
    /// Parses one address, trimmed, and brings its domain to lower-case ASCII.
    ///
    /// # Errors
    /// Says which part of the text is not an address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(AddressError::Missing);
        }
        let (mailbox, domain) = match (text.matches('@').count(), text.split_once('@')) {
            (1, Some(parts)) => parts,
            (0, _) | (_, None) => return Err(AddressError::NoAt),
            (_, Some(_)) => return Err(AddressError::Several),
        };
        // Quoted mailboxes are lawful and, in a roster, always a slip; so only the plain form passes.
        if mailbox.is_empty()
            || !mailbox.is_ascii()
            || mailbox.contains(['"', '/', ',', ';'])
            || !EmailAddress::is_valid_local_part(mailbox) && mailbox.len() <= 64
        {
            return Err(AddressError::BadMailbox);
        }
        if domain.contains(['/', ',', ';']) {
            return Err(AddressError::BadDomain);
        }
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| AddressError::BadDomain)?;
        if !domain.contains('.') {
            return Err(if domain.is_empty() { AddressError::BadDomain } else { AddressError::NoDot });
        }
        let address = format!("{mailbox}@{domain}");
        if mailbox.len() > 64 || address.len() > 254 {
            return Err(AddressError::TooLong);
        }
        let options = Options::default().without_display_text().without_domain_literal().with_required_tld();
        // A number as top-level domain is an IP address without its brackets.
        let numeric = domain.rsplit('.').next().is_some_and(|top| top.bytes().all(|b| b.is_ascii_digit()));
        if numeric || EmailAddress::parse_with_options(&address, options).is_err() {
            return Err(AddressError::BadDomain);
        }
        Ok(Self(address))
    }

    /// The address, for those who compose, store or show it to the operator.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What two spellings of one mailbox have in common. In practice no relay tells mailboxes apart by case.
    #[must_use]
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl fmt::Debug for RespondentEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RespondentEmail(…)")
    }
}

/// Mends what is certain: full-width signs, invisible characters, spaces around the address, its `@` and the dots of
/// its domain, `mailto:`, angle brackets, trailing dots and semicolons, an upper-case domain.
///
/// What is not certain, such as a missing dot or a space within the mailbox, is left for [`RespondentEmail::parse`] to refuse.
#[must_use]
pub fn mended(text: &str) -> String {
    let plain: String = text.nfc().filter(|c| !is_invisible(*c)).map(narrow).collect();
    let mut rest = plain.trim();
    loop {
        let before = rest;
        rest = rest.trim_end_matches(['.', ';', ',']).trim();
        if rest.get(..7).is_some_and(|head| head.eq_ignore_ascii_case("mailto:")) {
            rest = rest[7..].trim_start();
        }
        if let Some(inner) = rest.strip_prefix('<').and_then(|tail| tail.strip_suffix('>')) {
            rest = inner.trim();
        }
        if rest == before {
            break;
        }
    }
    match rest.split_once('@') {
        Some((mailbox, domain)) if !domain.contains('@') => {
            format!("{}@{}", mailbox.trim_end(), joined_domain(domain.trim_start()))
        }
        Some(_) | None => rest.to_owned(),
    }
}

/// A domain in lower case, without spaces beside its dots.
fn joined_domain(domain: &str) -> String {
    domain.split('.').map(|label| label.trim().to_lowercase()).collect::<Vec<_>>().join(".")
}

/// Characters that show nothing and only arrive by copying.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{00AD}' | '\u{202A}'..='\u{202E}'
        | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0000}'..='\u{E0FFF}')
}

/// The ASCII twin of a full-width sign or of a space that is not one; other characters stay.
fn narrow(c: char) -> char {
    match c {
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '\u{3002}' | '\u{FF61}' => '.',
        '\u{FE6B}' => '@',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::{AddressError, RespondentEmail, mended};

    fn check(typed: &str, expected: Result<&str, AddressError>) {
        let parsed = RespondentEmail::parse(&mended(typed));
        assert_eq!(parsed.as_ref().map(RespondentEmail::expose).map_err(|e| *e), expected, "{typed:?}");
    }

    #[test]
    fn what_is_certain_is_mended() {
        for typed in [
            "ntlan@snv.hanoi.example",
            "  ntlan@snv.hanoi.example ",
            "ntlan@SNV.Hanoi.example",
            "ntlan @ snv. hanoi .example",
            "ntlan\u{FF20}snv\u{FF0E}hanoi\u{3002}example",
            "mailto:ntlan@snv.hanoi.example;",
            "MAILTO: <ntlan@snv.hanoi.example>. ",
            "\u{200B}ntlan@snv.hanoi.example\u{00A0}",
        ] {
            check(typed, Ok("ntlan@snv.hanoi.example"));
        }
        check("Lan@hànội.example", Ok("Lan@xn--hni-9ka0849a.example"));
    }

    #[test]
    fn what_is_not_certain_is_refused() {
        for (typed, error) in [
            ("", AddressError::Missing),
            (" \u{00A0}", AddressError::Missing),
            ("ntlan", AddressError::NoAt),
            ("ntlan.hanoi.example", AddressError::NoAt),
            ("a@b.example; c@b.example", AddressError::Several),
            ("a@b.example c@b.example", AddressError::Several),
            ("a@@b.example", AddressError::Several),
            ("@b.example", AddressError::BadMailbox),
            ("nt lan@b.example", AddressError::BadMailbox),
            ("lân@b.example", AddressError::BadMailbox),
            ("a..b@b.example", AddressError::BadMailbox),
            (".a@b.example", AddressError::BadMailbox),
            ("\"a b\"@b.example", AddressError::BadMailbox),
            ("a@localhost", AddressError::NoDot),
            ("a@", AddressError::BadDomain),
            ("a@b..example", AddressError::BadDomain),
            ("a@-b.example", AddressError::BadDomain),
            ("a@b_c.example", AddressError::BadDomain),
            ("a@10.0.0.1", AddressError::BadDomain),
            ("a@[10.0.0.1]", AddressError::BadDomain),
            ("a@b.example (Lan)", AddressError::BadDomain),
        ] {
            check(typed, Err(error));
        }
        check(&format!("{}@b.example", "a".repeat(65)), Err(AddressError::TooLong));
    }

    #[test]
    fn nothing_prints_the_address() {
        let email = RespondentEmail::parse("ntlan@snv.hanoi.example").expect("a good address");
        assert!(!format!("{email:?}").contains("ntlan"));
    }

    proptest::proptest! {
        #[test]
        fn parsing_what_was_parsed_changes_nothing(text in "\\PC{0,12}@\\PC{0,16}") {
            if let Ok(email) = RespondentEmail::parse(&mended(&text)) {
                proptest::prop_assert_eq!(mended(email.expose()), email.expose());
                proptest::prop_assert_eq!(RespondentEmail::parse(email.expose()), Ok(email));
            }
        }
    }
}
