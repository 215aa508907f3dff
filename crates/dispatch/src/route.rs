//! The way to a relay: where it is, how the connection is protected, what we call ourselves, and how long answers may take.
//!
//! A password is held in memory only, wiped when dropped, and shown by nothing here. There are no client certificates.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::letter::dkim::Dkim;
use crate::trust::Trust;

/// A relay.
#[derive(Debug, Clone)]
pub struct Route {
    /// Host name or IP address; the relay's certificate must bear it.
    pub host: String,
    /// Port, usually 25, 465 or 587.
    pub port: u16,
    /// The name we give in `EHLO`: a domain name, or an address in square brackets.
    pub hello_name: String,
    /// How long to wait at each stage.
    pub timeouts: StageTimeouts,
    /// How the connection is protected.
    pub security: Security,
    /// How we log in, if at all.
    pub login: Option<Login>,
    /// With what mails that go this way are to be signed before, by whoever composes them; nothing here signs.
    pub dkim: Option<Dkim>,
}

/// How a connection is protected. Wherever there is TLS the certificate is verified.
#[derive(Debug, Clone)]
pub enum Security {
    /// Not at all: for a relay on this machine.
    Off,
    /// STARTTLS if the relay offers it, else nothing. An offer is held to: a handshake that fails is a failed route.
    /// Who can change the traffic can strip the offer, so this protects against listeners only.
    Opportunistic(Trust),
    /// STARTTLS; a relay that does not offer it is a failed route.
    Required(Trust),
    /// TLS from the first byte, as on port 465.
    Implicit(Trust),
}

/// A name and a password for the relay (AUTH PLAIN or LOGIN).
#[derive(Clone)]
pub struct Login {
    user: String,
    password: SecretString,
    plain_on_loopback: bool,
}

/// How long an answer may take at each stage before the session is given up.
///
/// The one after the final dot is the dear one: giving up there leaves a mail of which nobody knows whether it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTimeouts {
    /// Name look-up and connection.
    pub connect: Duration,
    /// The relay's greeting and its answer to ours, together; the TLS handshake; each answer to AUTH.
    pub hello: Duration,
    /// `MAIL FROM`, `RSET` and `QUIT`.
    pub mail: Duration,
    /// `RCPT TO`.
    pub rcpt: Duration,
    /// `DATA`.
    pub data: Duration,
    /// Writing the contents.
    pub body: Duration,
    /// The answer to the final dot.
    pub dot: Duration,
}

impl Route {
    /// A relay on this machine, with the usual timeouts, without TLS and login.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            hello_name: "[127.0.0.1]".to_owned(),
            timeouts: StageTimeouts::default(),
            security: Security::Off,
            login: None,
            dkim: None,
        }
    }

    /// The same relay, protected like this.
    #[must_use]
    pub fn secured(self, security: Security) -> Self {
        Self { security, ..self }
    }

    /// The same relay, logged in to.
    #[must_use]
    pub fn logged_in(self, login: Login) -> Self {
        Self { login: Some(login), ..self }
    }

    /// The same relay, for mails signed by this key.
    #[must_use]
    pub fn signed_by(self, dkim: Dkim) -> Self {
        Self { dkim: Some(dkim), ..self }
    }
}

impl Login {
    /// A login that is used over TLS only.
    #[must_use]
    pub fn new(user: &str, password: SecretString) -> Self {
        Self { user: user.to_owned(), password, plain_on_loopback: false }
    }

    /// The same login, also used without TLS where the relay's address is a loopback address, and nowhere else.
    #[must_use]
    pub fn plain_on_loopback(self) -> Self {
        Self { plain_on_loopback: true, ..self }
    }

    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    pub(crate) fn password(&self) -> &SecretString {
        &self.password
    }

    pub(crate) fn may_be_plain_on_loopback(&self) -> bool {
        self.plain_on_loopback
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login { .. }")
    }
}

impl Default for StageTimeouts {
    /// What RFC 5321, section 4.5.3.2, asks for, except that reaching the relay and its greeting may not take minutes.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            hello: Duration::from_secs(60),
            mail: Duration::from_secs(300),
            rcpt: Duration::from_secs(300),
            data: Duration::from_secs(120),
            body: Duration::from_secs(180),
            dot: Duration::from_secs(600),
        }
    }
}

impl StageTimeouts {
    /// The same time for every stage.
    #[must_use]
    pub fn all(time: Duration) -> Self {
        Self { connect: time, hello: time, mail: time, rcpt: time, data: time, body: time, dot: time }
    }
}
