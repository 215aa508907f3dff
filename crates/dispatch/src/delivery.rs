//! What became of one mail, in words that a ledger can store.
//!
//! The text of a reply is kept only after addresses, links and anything that may be a secret were taken out of it.
//! Says what the relay said, not what the person's mailbox did afterwards: bounces come later and by another way.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The relay took the mail: it answers for it from here on.
    Accepted,
    /// The relay refused this mail for good.
    RejectedPermanent,
    /// The relay refused this mail for now.
    RejectedTransient,
    /// The relay could not be reached, or failed before the mail was complete. The mail was not sent, provably.
    RouteFailed,
    /// The mail was complete on our side and no answer came: it may or may not have been sent. Never sent again by itself.
    Unknown,
}

/// How far the exchange had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Reaching the relay.
    Connect,
    /// Its greeting, and ours.
    Hello,
    /// `STARTTLS` and the TLS handshake.
    Tls,
    /// `AUTH`.
    Auth,
    /// `MAIL FROM`.
    Mail,
    /// `RCPT TO`.
    Rcpt,
    /// `DATA`.
    Data,
    /// The contents.
    Body,
    /// The final dot and its answer.
    Dot,
}

/// An enhanced status code (RFC 3463), such as 5.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Enhanced {
    /// 2 success, 4 transient, 5 permanent.
    pub class: u8,
    /// What it is about: 1 address, 2 mailbox, 3 system, 4 network, 5 protocol, 6 content, 7 policy.
    pub subject: u16,
    /// The detail.
    pub detail: u16,
}

/// What became of one mail, with the relay's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What became of it.
    pub outcome: Outcome,
    /// Where it was decided.
    pub stage: Stage,
    /// The basic reply code, where the relay gave one.
    pub code: Option<u16>,
    /// The enhanced code, where the relay gave one.
    pub enhanced: Option<Enhanced>,
    /// The relay's words without addresses and links, or our own in English; may be empty.
    pub text: String,
    /// Who was spoken to; absent where nothing was tried.
    pub peer: Option<Arc<Peer>>,
}

/// The relay that was spoken to, for the log of attempts. Holds neither names nor passwords of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The host as it was configured.
    pub host: String,
    /// The address that was connected to; absent where none could be.
    pub address: Option<IpAddr>,
    /// How the connection was encrypted; absent where it was not.
    pub tls: Option<TlsSeen>,
}

/// The TLS that two sides agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsSeen {
    /// The version, such as `TLSv1_3`.
    pub version: &'static str,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
}

impl Delivery {
    /// The same outcome, with who was spoken to.
    pub(crate) fn by(self, peer: &Arc<Peer>) -> Self {
        Self { peer: Some(Arc::clone(peer)), ..self }
    }

    /// An outcome that no reply decided.
    pub(crate) fn without_reply(outcome: Outcome, stage: Stage, text: &str) -> Self {
        Self { outcome, stage, code: None, enhanced: None, text: text.to_owned(), peer: None }
    }
}

impl Outcome {
    /// The word to store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::RejectedPermanent => "rejected_permanent",
            Outcome::RejectedTransient => "rejected_transient",
            Outcome::RouteFailed => "route_failed",
            Outcome::Unknown => "unknown",
        }
    }
}

impl Stage {
    /// The word to store.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Connect => "connect",
            Stage::Hello => "hello",
            Stage::Tls => "tls",
            Stage::Auth => "auth",
            Stage::Mail => "mail",
            Stage::Rcpt => "rcpt",
            Stage::Data => "data",
            Stage::Body => "body",
            Stage::Dot => "dot",
        }
    }
}

impl FromStr for Enhanced {
    type Err = ();

    /// Reads `class.subject.detail` and nothing around it. RFC 3463 knows the classes 2, 4 and 5 only.
    fn from_str(text: &str) -> Result<Self, ()> {
        let number = |part: &str| -> Result<u16, ()> {
            let digits = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            if digits { part.parse().map_err(|_| ()) } else { Err(()) }
        };
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(()).and_then(number);
        let (class, subject, detail) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(());
        }
        let class = match class {
            2 => 2,
            4 => 4,
            5 => 5,
            _ => return Err(()),
        };
        Ok(Self { class, subject, detail })
    }
}

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

impl fmt::Display for Peer {
    /// One line for an operator: host, address, TLS.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)?;
        if let Some(address) = self.address {
            write!(f, " [{address}]")?;
        }
        match self.tls {
            Some(tls) => write!(f, " {} {}", tls.version, tls.cipher),
            None => f.write_str(" without TLS"),
        }
    }
}

impl fmt::Display for Delivery {
    /// One line for an operator: outcome, stage, codes and words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.outcome.as_str(), self.stage.as_str())?;
        if let Some(code) = self.code {
            write!(f, " {code}")?;
        }
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text)?;
        }
        Ok(())
    }
}
