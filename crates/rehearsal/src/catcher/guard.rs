//! How a catcher guards its door: TLS, and a name with a password. And how each goes wrong when it is told to.
//!
//! Guards nothing of worth: it plays the part of a relay that does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::identity::Identity;

/// How a catcher does TLS.
#[derive(Debug, Clone)]
pub(super) struct Tls {
    pub(super) identity: Identity,
    /// From the first byte, without STARTTLS.
    pub(super) is_implicit: bool,
    pub(super) handshake: Handshake,
}

/// What becomes of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handshake {
    /// It is made.
    Works,
    /// The connection is closed instead.
    HangsUp,
    /// Words in the clear are said instead.
    Garbage,
    /// Nothing is said.
    Silence,
    /// STARTTLS is answered with 454.
    Refused,
    /// Words in the clear are said behind the answer to STARTTLS, as somebody on the way would slip them in.
    Injected,
}

/// The name and the password without which no mail is taken.
#[derive(Clone)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: String,
    /// Mechanisms offered, such as `PLAIN LOGIN`.
    pub(super) mechanisms: String,
    /// Whether they are offered without TLS too.
    pub(super) is_offered_in_plain: bool,
}

impl Account {
    /// Whether this is the initial response of AUTH PLAIN that lets in.
    pub(super) fn takes_plain(&self, response: &str) -> bool {
        response == BASE64.encode(format!("\0{}\0{}", self.user, self.password))
    }

    /// Whether these are the two answers of AUTH LOGIN that let in.
    pub(super) fn takes_login(&self, user: &str, password: &str) -> bool {
        user == BASE64.encode(&self.user) && password == BASE64.encode(&self.password)
    }
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Account { .. }")
    }
}
