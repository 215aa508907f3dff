//! A mailbox as a person writes it: `imaps://USER@HOST[:PORT]/FOLDER`.
//!
//! There is no way to write one without TLS, and none to write a password: the command line can be read by everybody on
//! the machine.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use sha2::{Digest, Sha256};

use crate::address::{split, unescaped};

/// Where a mailbox is and how it is reached.
#[derive(Clone, PartialEq, Eq)]
pub struct ImapAddress {
    /// How the connection is protected.
    pub scheme: ImapScheme,
    /// The name to log in with; often a mail address.
    pub user: String,
    /// Host name or IP address, without brackets; the server's certificate must bear it.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The folder as people write it.
    pub folder: String,
}

/// How a connection is protected, in words of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImapScheme {
    /// `imaps://`: TLS from the first byte. Port 993.
    Imaps,
    /// `imap+starttls://`: STARTTLS or nothing. Port 143.
    StartTls,
}

/// Why this is no mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImapAddressError {
    /// Another scheme.
    #[error("the scheme must be imaps:// or imap+starttls://; a mailbox is never read without TLS")]
    Scheme,
    /// No user, or one that is badly escaped.
    #[error("give the user, such as imaps://tra-ve@mail.example/INBOX; an @ within the user is written %40")]
    User,
    /// A password.
    #[error("a password has no place in the address; put it into a file")]
    Password,
    /// No host, or one with characters that no host has.
    #[error("the host is not a host name or an IP address")]
    Host,
    /// A port that is none.
    #[error("the port is not a number between 1 and 65535")]
    Port,
    /// A folder with control characters, or badly escaped.
    #[error("the folder is badly escaped or holds control characters")]
    Folder,
}

impl ImapAddress {
    /// The folder for a command: in quotes, and in the encoding of mailbox names (RFC 3501, section 5.1.3).
    pub(super) fn quoted_folder(&self) -> String {
        format!("\"{}\"", modified_utf7(&self.folder).replace('\\', "\\\\").replace('"', "\\\""))
    }

    /// What to call this mailbox in a list: without its user.
    #[must_use]
    pub fn label(&self) -> String {
        format!("imap {}/{}", self.host, self.folder)
    }

    /// A name for this mailbox that is the same each time and tells neither user nor host.
    #[must_use]
    pub fn key(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"parsurvey mailbox 1\n");
        for part in [&self.user, &self.host, &self.port.to_string(), &self.folder] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for ImapAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImapAddress").field("scheme", &self.scheme).field("host", &self.host).finish_non_exhaustive()
    }
}

impl FromStr for ImapAddress {
    type Err = ImapAddressError;

    fn from_str(text: &str) -> Result<Self, ImapAddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(ImapAddressError::Scheme)?;
        let (scheme, usual) = match scheme.to_ascii_lowercase().as_str() {
            "imaps" => (ImapScheme::Imaps, 993),
            "imap+starttls" => (ImapScheme::StartTls, 143),
            _ => return Err(ImapAddressError::Scheme),
        };
        let (place, folder) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, place) = place.rsplit_once('@').ok_or(ImapAddressError::User)?;
        if user.contains(':') {
            return Err(ImapAddressError::Password);
        }
        let user = unescaped(user).ok_or(ImapAddressError::User)?;
        let (host, port) = split(place).map_err(|_| ImapAddressError::Host)?;
        let plausible = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(plausible) {
            return Err(ImapAddressError::Host);
        }
        let port = port.map_or(Some(usual), |port| port.parse().ok().filter(|port| *port != 0));
        let folder = if folder.is_empty() { "INBOX" } else { folder };
        Ok(Self {
            scheme,
            user,
            host: host.to_owned(),
            port: port.ok_or(ImapAddressError::Port)?,
            folder: unescaped(folder).ok_or(ImapAddressError::Folder)?,
        })
    }
}

/// The encoding of mailbox names: ASCII as it is, `&` as `&-`, everything else as UTF-16 in a base64 of its own.
fn modified_utf7(name: &str) -> String {
    let mut out = String::new();
    let mut foreign: Vec<u8> = Vec::new();
    let flush = |foreign: &mut Vec<u8>, out: &mut String| {
        if !foreign.is_empty() {
            out.push_str(&format!("&{}-", STANDARD_NO_PAD.encode(&*foreign).replace('/', ",")));
            foreign.clear();
        }
    };
    for c in name.chars() {
        if matches!(c, ' '..='~') {
            flush(&mut foreign, &mut out);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0; 2];
            foreign.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut foreign, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::{ImapAddress, ImapAddressError, ImapScheme, modified_utf7};

    #[test]
    fn a_mailbox_is_read_as_it_is_written() {
        let table = [
            ("imaps://tra-ve@mail.example", ImapScheme::Imaps, "tra-ve", "mail.example", 993, "INBOX"),
            ("IMAPS://tra-ve@mail.example/", ImapScheme::Imaps, "tra-ve", "mail.example", 993, "INBOX"),
            ("imap+starttls://a%40b.example@[::1]:1143/Sent", ImapScheme::StartTls, "a@b.example", "::1", 1143, "Sent"),
            ("imaps://a@b.example@mail.example/x", ImapScheme::Imaps, "a@b.example", "mail.example", 993, "x"),
            ("imaps://a@h.example/Th%C6%B0/b%2Fc", ImapScheme::Imaps, "a", "h.example", 993, "Thư/b/c"),
        ];
        for (text, scheme, user, host, port, folder) in table {
            let (user, host, folder) = (user.to_owned(), host.to_owned(), folder.to_owned());
            assert_eq!(text.parse(), Ok(ImapAddress { scheme, user, host, port, folder }), "{text}");
        }
    }

    #[test]
    fn what_is_no_mailbox_is_refused() {
        let table = [
            ("mail.example", ImapAddressError::Scheme),
            ("imap://a@mail.example", ImapAddressError::Scheme),
            ("imaps://mail.example", ImapAddressError::User),
            ("imaps://@mail.example", ImapAddressError::User),
            ("imaps://a:b@mail.example", ImapAddressError::Password),
            ("imaps://a@", ImapAddressError::Host),
            ("imaps://a@x y", ImapAddressError::Host),
            ("imaps://a@h.example:0", ImapAddressError::Port),
            ("imaps://a@h.example/a%0D%0Ab", ImapAddressError::Folder),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<ImapAddress>(), Err(error), "{text}");
        }
    }

    #[test]
    fn a_folder_is_named_as_the_protocol_names_it() {
        for (name, expected) in [
            ("INBOX", "INBOX"),
            ("A & B", "A &- B"),
            ("Thư trả lại", "Th&AbA- tr&HqM- l&HqE-i"),
            ("台北", "&U,BTFw-"),
            ("\u{1f600}", "&2D3eAA-"),
        ] {
            assert_eq!(modified_utf7(name), expected);
        }
        let address: ImapAddress = "imaps://a@h.example/a%22b%5C".parse().expect("a mailbox");
        assert_eq!(address.quoted_folder(), r#""a\"b\\""#);
    }

    #[test]
    fn a_mailbox_shows_its_user_to_nobody() {
        let address: ImapAddress = "imaps://hoa%40soyte.example@mail.example/INBOX".parse().expect("a mailbox");
        let shown = format!("{address:?} {} {}", address.label(), address.key());
        assert!(!shown.contains("hoa") && !shown.contains('@'), "{shown}");
        let other: ImapAddress = "imaps://hoa%40soyte.example@mail.example/Sent".parse().expect("a mailbox");
        assert_ne!(address.key(), other.key());
    }
}
