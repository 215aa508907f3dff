//! The way to a relay: where it is, what we call ourselves, and how long each answer may take.
//!
//! Plain SMTP only. Holds no credentials.

use std::time::Duration;

/// A relay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Host name or IP address.
    pub host: String,
    /// Port, usually 25.
    pub port: u16,
    /// The name we give in `EHLO`: a domain name, or an address in square brackets.
    pub hello_name: String,
    /// How long to wait at each stage.
    pub timeouts: StageTimeouts,
}

/// How long an answer may take at each stage before the session is given up.
///
/// The one after the final dot is the dear one: giving up there leaves a mail of which nobody knows whether it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageTimeouts {
    /// Name look-up and connection.
    pub connect: Duration,
    /// The relay's greeting and its answer to ours, together.
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
    /// A relay on this machine, with the usual timeouts.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port,
            hello_name: "[127.0.0.1]".to_owned(),
            timeouts: StageTimeouts::default(),
        }
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
