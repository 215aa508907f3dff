//! A relay as a person writes it: `HOST:PORT`, or a URL whose scheme says how the connection is protected.
//!
//! A URL never holds a password: the command line can be read by everybody on the machine.

use std::str::FromStr;

use crate::route::{Route, Security};
use crate::trust::{Trust, TrustError};

/// Where a relay is and how it is spoken to; ports that are not given are the usual ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayAddress {
    /// How the connection is protected.
    pub scheme: Scheme,
    /// The name to log in with.
    pub user: Option<String>,
    /// Host name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// How a connection is protected, in words of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `HOST:PORT` without a scheme: nothing, as to a relay on this machine.
    Bare,
    /// `smtp://`: STARTTLS where it is offered. Port 25.
    Smtp,
    /// `smtp+starttls://`: STARTTLS or nothing is sent. Port 587.
    StartTls,
    /// `smtps://`: TLS from the first byte. Port 465.
    Smtps,
}

/// Why this is no relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme.
    #[error("the scheme must be smtp://, smtp+starttls:// or smtps://")]
    Scheme,
    /// A port that is none, or none where one is needed.
    #[error("give HOST:PORT, such as 127.0.0.1:25, or a URL such as smtp+starttls://user@mail.example:587")]
    Port,
    /// No host, or one with characters that no host has.
    #[error("the host is not a host name or an IP address; give HOST:PORT, such as 127.0.0.1:25")]
    Host,
    /// A user that is empty or badly escaped.
    #[error("the user before the @ is empty or badly escaped")]
    User,
    /// A user without a scheme.
    #[error("a user needs a URL, such as smtp+starttls://user@mail.example:587")]
    UserWithoutScheme,
    /// A password.
    #[error("a password has no place in the address; put it into a file")]
    Password,
}

impl RelayAddress {
    /// The way there, not logged in yet. `trust` is asked only where there can be TLS.
    ///
    /// # Errors
    /// Whatever `trust` ends with.
    pub fn route(&self, trust: impl FnOnce() -> Result<Trust, TrustError>) -> Result<Route, TrustError> {
        let security = match self.scheme {
            Scheme::Bare => Security::Off,
            Scheme::Smtp => Security::Opportunistic(trust()?),
            Scheme::StartTls => Security::Required(trust()?),
            Scheme::Smtps => Security::Implicit(trust()?),
        };
        Ok(Route { host: self.host.clone(), ..Route::loopback(self.port) }.secured(security))
    }
}

impl Scheme {
    fn usual_port(self) -> Option<u16> {
        match self {
            Scheme::Bare => None,
            Scheme::Smtp => Some(25),
            Scheme::StartTls => Some(587),
            Scheme::Smtps => Some(465),
        }
    }
}

impl FromStr for RelayAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = match text.split_once("://") {
            None => (Scheme::Bare, text),
            Some((scheme, rest)) => match scheme.to_ascii_lowercase().as_str() {
                "smtp" => (Scheme::Smtp, rest),
                "smtp+starttls" => (Scheme::StartTls, rest),
                "smtps" => (Scheme::Smtps, rest),
                _ => return Err(AddressError::Scheme),
            },
        };
        let rest = if scheme == Scheme::Bare { rest } else { rest.strip_suffix('/').unwrap_or(rest) };
        let (user, place) = match rest.rsplit_once('@') {
            None => (None, rest),
            Some(_) if scheme == Scheme::Bare => return Err(AddressError::UserWithoutScheme),
            Some((user, _)) if user.contains(':') => return Err(AddressError::Password),
            Some((user, place)) => (Some(unescaped(user).ok_or(AddressError::User)?), place),
        };
        let (host, port) = split(place)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0),
            None => scheme.usual_port(),
        };
        let plausible = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(plausible) {
            return Err(AddressError::Host);
        }
        Ok(Self { scheme, user, host: host.to_owned(), port: port.ok_or(AddressError::Port)? })
    }
}

/// Host and port; an IPv6 address stands in brackets where a port may follow.
pub(crate) fn split(place: &str) -> Result<(&str, Option<&str>), AddressError> {
    if let Some(inner) = place.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or(AddressError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(AddressError::Port),
        };
    }
    Ok(place.rsplit_once(':').map_or((place, None), |(host, port)| (host, Some(port))))
}

/// Takes `%40` and its like back; `None` when it is empty, or not what it should be.
pub(crate) fn unescaped(user: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = user.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))?);
            rest = &rest[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok().filter(|user| !user.is_empty() && !user.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::{AddressError, RelayAddress, Scheme};

    #[test]
    fn a_relay_is_read_as_it_is_written() {
        let table: [(&str, Scheme, Option<&str>, &str, u16); 10] = [
            ("127.0.0.1:25", Scheme::Bare, None, "127.0.0.1", 25),
            ("[::1]:2525", Scheme::Bare, None, "::1", 2525),
            ("::1:2525", Scheme::Bare, None, "::1", 2525),
            ("smtp://mail.example", Scheme::Smtp, None, "mail.example", 25),
            ("smtp+starttls://mail.example/", Scheme::StartTls, None, "mail.example", 587),
            ("SMTPS://[::1]", Scheme::Smtps, None, "::1", 465),
            ("smtps://khaosat@mail.example:4650", Scheme::Smtps, Some("khaosat"), "mail.example", 4650),
            ("smtps://a@noivu.example@mail.example", Scheme::Smtps, Some("a@noivu.example"), "mail.example", 465),
            ("smtps://a%40noivu.example@mail.example", Scheme::Smtps, Some("a@noivu.example"), "mail.example", 465),
            ("smtp://kh%E1%BA%A3o@[::1]:25", Scheme::Smtp, Some("khảo"), "::1", 25),
        ];
        for (text, scheme, user, host, port) in table {
            let expected = RelayAddress { scheme, user: user.map(str::to_owned), host: host.to_owned(), port };
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_relay_is_refused() {
        let table = [
            ("", AddressError::Host),
            ("mail.example", AddressError::Port),
            ("mail.example:", AddressError::Port),
            ("mail.example:70000", AddressError::Port),
            ("mail.example:0", AddressError::Port),
            ("[::1]x", AddressError::Port),
            ("[::1", AddressError::Host),
            ("http://mail.example", AddressError::Scheme),
            ("smtp://", AddressError::Host),
            ("smtp://mail.example/path", AddressError::Host),
            ("smtps://user:pass@mail.example", AddressError::Password),
            ("user@mail.example:25", AddressError::UserWithoutScheme),
            ("smtps://@mail.example", AddressError::User),
            ("smtps://a%4@mail.example", AddressError::User),
            ("smtps://a%+1@mail.example", AddressError::User),
            ("smtps://a%0A@mail.example", AddressError::User),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<RelayAddress>(), Err(error), "{text}");
        }
    }
}
