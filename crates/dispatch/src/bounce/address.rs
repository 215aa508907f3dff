//! Addresses as reports write them: found in words, in angle brackets, in typed fields.
//!
//! Finding is generous and checks no grammar: an address found here is compared with those that were mailed, never
//! mailed itself.

use std::fmt;
use std::ops::Range;

/// Characters of an address at most (RFC 5321: 64 + 1 + 255).
const LONGEST: usize = 320;

/// A mail address. It cannot be printed by accident; [`Address::expose`] names the places where it is used.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

impl Address {
    /// Takes the first address out of a text; `None` when there is none.
    pub(super) fn first_in(text: &str) -> Option<Self> {
        Self::all_in(text).into_iter().next()
    }

    /// All addresses of a text in their order, with repetitions.
    pub(super) fn all_in(text: &str) -> Vec<Self> {
        places(text).into_iter().map(|place| Self(text[place].to_owned())).collect()
    }

    /// The address.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What stands before the last `@`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.rsplit_once('@').map_or(self.0.as_str(), |(local, _)| local)
    }

    /// Whether two addresses reach the same mailbox in practice: no server in use tells case.
    #[must_use]
    pub fn is_same(&self, other: &Address) -> bool {
        // Most addresses are ASCII, and long reports compare them by the thousand.
        self.0.eq_ignore_ascii_case(&other.0)
            || !self.0.is_ascii() && !other.0.is_ascii() && self.0.to_lowercase() == other.0.to_lowercase()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[address]")
    }
}

/// Where the addresses of a text stand.
pub(super) fn places(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for (at, _) in text.match_indices('@') {
        if found.last().is_some_and(|last| at <= last.end) {
            continue;
        }
        if let Some(place) = around(text, at) {
            found.push(place);
        }
    }
    found
}

/// The address around the `@` at byte `at`.
fn around(text: &str, at: usize) -> Option<Range<usize>> {
    let start = if text[..at].ends_with('"') { quoted_start(text, at)? } else { plain_start(text, at) };
    let mut end = at + 1;
    for c in text[at + 1..].chars().take(LONGEST) {
        if !(c.is_alphanumeric() || matches!(c, '-' | '.' | '_')) {
            break;
        }
        end += c.len_utf8();
    }
    let end = at + 1 + text[at + 1..end].trim_end_matches(['.', '-', '_']).len();
    let fits = start < at && end > at + 1 && end - start <= LONGEST;
    fits.then_some(start..end)
}

fn plain_start(text: &str, at: usize) -> usize {
    let mut start = at;
    for c in text[..at].chars().rev().take(LONGEST) {
        if !(c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c)) {
            break;
        }
        start -= c.len_utf8();
    }
    // What may stand in an address but in practice stands before one: quotes, slashes, `to=`.
    let local = &text[start..at];
    at - local.trim_start_matches(['\'', '`', '/', '=', '|', '{', '}', '.', '*', '~', '#', '!']).len()
}

/// `"a b"@host`: back to the quote that opens.
fn quoted_start(text: &str, at: usize) -> Option<usize> {
    let before = &text[..at - 1];
    let from = before.char_indices().rev().nth(LONGEST).map_or(0, |(index, _)| index);
    before[from..].rfind('"').map(|open| from + open)
}

/// The address of a typed field such as `rfc822; a@b` or `utf-8; \x{1EA1}n@b` (RFC 6533).
pub(super) fn typed(field: &str) -> Option<Address> {
    let (kind, value) = field.split_once(';').unwrap_or(("", field));
    let value = value.trim();
    let decoded = if kind.trim().eq_ignore_ascii_case("utf-8") { unescape(value) } else { value.to_owned() };
    // An encoded `@` (RFC 3461) is taken for one only where no other stands: `+40` may belong to a name.
    let decoded = if decoded.contains('@') { decoded } else { decoded.replace("+40", "@") };
    Address::first_in(&decoded)
}

/// Reads `\x{HEX}`, the escape of RFC 6533; an escape that is none stays as it is.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("\\x{") {
        out.push_str(&rest[..at]);
        let inner = &rest[at + 3..];
        let end = inner.find('}').filter(|end| *end <= 6);
        let read = end.and_then(|end| {
            let c = u32::from_str_radix(&inner[..end], 16).ok().and_then(char::from_u32)?;
            Some((c, end))
        });
        match read {
            Some((c, end)) => {
                out.push(c);
                rest = &inner[end + 1..];
            }
            None => {
                out.push_str("\\x{");
                rest = inner;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::{Address, typed};

    #[test]
    fn addresses_are_found_where_they_stand() {
        let table: &[(&str, &[&str])] = &[
            ("<a.b@x.example>: unknown", &["a.b@x.example"]),
            ("'a@x.example' on 18/12/2023", &["a@x.example"]),
            ("A (a@x.example)<mailto:a@x.example>", &["a@x.example", "a@x.example"]),
            ("[SMTP:a+b@x.example].", &["a+b@x.example"]),
            ("to=<a@x.example>, relay=none", &["a@x.example"]),
            ("\"tran thi b\"@x.example", &["\"tran thi b\"@x.example"]),
            ("người@đơnvị.example", &["người@đơnvị.example"]),
            ("a@b@c.example", &["a@b"]),
            ("at 9 @ noon", &[]),
            ("@x.example", &[]),
            ("a@", &[]),
            ("", &[]),
        ];
        for (text, expected) in table {
            let found: Vec<String> = Address::all_in(text).iter().map(|a| a.expose().to_owned()).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }

    #[test]
    fn typed_fields_are_read_with_their_escapes() {
        let table = [
            ("rfc822; a@x.example", Some("a@x.example")),
            ("RFC822;<a@x.example>", Some("a@x.example")),
            ("rfc822;a+40x.example", Some("a@x.example")),
            ("rfc822;a+40b@x.example", Some("a+40b@x.example")),
            ("utf-8; ng\\x{1B0}\\x{1EDD}i@x.example", Some("người@x.example")),
            ("utf-8; \\x{zz}a@x.example", Some("x{zz}a@x.example")),
            ("a@x.example", Some("a@x.example")),
            ("unknown; -", None),
        ];
        for (field, expected) in table {
            assert_eq!(typed(field).as_ref().map(Address::expose), expected, "{field}");
        }
    }

    #[test]
    fn debug_shows_no_address() {
        let address = Address::first_in("a@x.example").expect("it holds one");
        assert_eq!(format!("{address:?}"), "[address]");
    }
}
