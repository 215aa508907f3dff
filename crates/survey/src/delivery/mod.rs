//! The life of one mail: the states it can be in, what can happen to it, and the one function that says what follows.
//!
//! Ledger and sender share this table, so that no two places can disagree about what a mail may become. It knows no
//! database, no relay and no clock; who may report an event, and in which transaction, is the ledger's business.
//!
//! The words follow RFC 5321 (a relay *accepts* a mail with its answer to the final dot and answers for it from then on)
//! and RFC 3464 (what is reported afterwards).

mod retry;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

pub use retry::{RETRY_CAP, RETRY_FIRST, retry_after};

/// Where a mail is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MailState {
    /// Queued, and held back until the first few of its contact (the canary) have proved well.
    Planned,
    /// May be sent.
    Ready,
    /// In the hands of one dispatcher, which has not sent it: not sent, provably.
    Leased,
    /// A dispatcher was about to send the final dot or has sent it.
    Sending,
    /// Refused for now, or not sent because the route failed: may be sent after a moment.
    Deferred,
    /// The relay took it and answers for it.
    Accepted,
    /// The relay refused it for good.
    Rejected,
    /// The final dot may have left and no answer is known. Never sent again by itself unless the policy says so, once.
    Unknown,
    /// The deadline passed before it was sent.
    Expired,
    /// Owed no longer, or overtaken by a later contact.
    Cancelled,
    /// Not sent because the address was refused or bounced before, or its owner complained.
    Suppressed,
    /// There is evidence that it reached the mailbox: a report of success, or the person's answer.
    Delivered,
    /// A later report: it will never arrive.
    BouncedHard,
    /// A later report: it did not arrive, and another mail may.
    BouncedSoft,
    /// The recipient called it unwanted (RFC 5965).
    Complained,
    /// The mailbox answered by itself, so the mail arrived.
    AutoReplied,
}

/// Every state, in the order of a life.
pub const STATES: [MailState; 16] = [
    MailState::Planned,
    MailState::Ready,
    MailState::Leased,
    MailState::Sending,
    MailState::Deferred,
    MailState::Accepted,
    MailState::Rejected,
    MailState::Unknown,
    MailState::Expired,
    MailState::Cancelled,
    MailState::Suppressed,
    MailState::Delivered,
    MailState::BouncedHard,
    MailState::BouncedSoft,
    MailState::Complained,
    MailState::AutoReplied,
];

/// How an attempt ended, as far as its dispatcher knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Settled {
    /// The relay answered the final dot with 2xx.
    Accepted,
    /// The relay refused the mail for good.
    Rejected,
    /// The relay refused the mail for now.
    Deferred,
    /// The exchange ended before the final dot: not sent, provably.
    NotSent,
    /// The final dot has left and no answer came.
    Unknown,
}

/// What is learnt about a mail after it was sent, or perhaps sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Evidence {
    /// The relay's own log names it, or an operator has seen there that it was taken.
    RelayTookIt,
    /// The relay's own log, read by an operator, shows that it never came.
    RelayNeverHadIt,
    /// A report of success, or an answer of the person that no other mail explains.
    Delivered,
    /// A report of failure for good.
    BouncedHard,
    /// A report of failure that another mail may overcome.
    BouncedSoft,
    /// A complaint.
    Complained,
    /// The mailbox answered by itself.
    AutoReplied,
}

/// What happens to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// The canary proved well.
    LetGo,
    /// A dispatcher takes it.
    Leased,
    /// Its dispatcher gives it back untried.
    GivenBack,
    /// Its dispatcher is about to send the final dot.
    DotLeaves,
    /// Its dispatcher tells how the attempt ended.
    Settled(Settled),
    /// A dispatcher whose lease was taken from it tells how its attempt ended after all.
    SettledLate(Settled),
    /// Its dispatcher died, or slept beyond its lease.
    HolderLost,
    /// Nothing is owed to this person any more, or a later contact takes its place.
    OwedNoLonger,
    /// The deadline has passed.
    DeadlinePassed,
    /// Its address was refused, bounced, or its owner complained.
    AddressStopped,
    /// The plan owes it once more.
    QueuedAgain,
    /// An operator orders it sent again, or the policy `resend` does for an unknown one.
    SentAgain,
    /// Something was learnt about it.
    Learnt(Evidence),
}

impl MailState {
    /// The state after an event; `None` where that event cannot happen to such a mail and changes nothing.
    ///
    /// Two rules matter most. A mail that may have left this machine never becomes sendable except by an order, a
    /// policy or proof. And a lost lease makes a mail sendable only if the dispatcher had not reached the final dot.
    #[must_use]
    pub fn after(self, event: Event) -> Option<Self> {
        use MailState::{Cancelled, Deferred, Expired, Leased, Planned, Ready, Rejected, Sending, Suppressed, Unknown};
        match event {
            Event::LetGo => (self == Planned).then_some(Ready),
            Event::Leased => matches!(self, Ready | Deferred).then_some(Leased),
            Event::GivenBack => (self == Leased).then_some(Ready),
            Event::DotLeaves => (self == Leased).then_some(Sending),
            Event::Settled(settled) => self.settled(settled),
            Event::SettledLate(settled) => self.settled_late(settled),
            Event::HolderLost => match self {
                Leased => Some(Ready),
                Sending => Some(Unknown),
                _ => None,
            },
            Event::OwedNoLonger => matches!(self, Planned | Ready | Deferred | Leased).then_some(Cancelled),
            Event::DeadlinePassed => matches!(self, Planned | Ready | Deferred).then_some(Expired),
            Event::AddressStopped => matches!(self, Planned | Ready | Deferred).then_some(Suppressed),
            Event::QueuedAgain => matches!(self, Cancelled | Expired | Suppressed).then_some(Ready),
            Event::SentAgain => matches!(self, Rejected | Unknown).then_some(Ready),
            Event::Learnt(evidence) => self.learnt(evidence),
        }
    }

    /// A mail is settled by its own dispatcher before the dot (refused, not sent) or after it (anything).
    fn settled(self, settled: Settled) -> Option<Self> {
        match (self, settled) {
            (Self::Leased | Self::Sending, Settled::Rejected) => Some(Self::Rejected),
            (Self::Leased | Self::Sending, Settled::Deferred | Settled::NotSent) => Some(Self::Deferred),
            (Self::Sending, Settled::Accepted) => Some(Self::Accepted),
            (Self::Sending, Settled::Unknown) => Some(Self::Unknown),
            _ => None,
        }
    }

    /// What a late dispatcher knows settles what was unknown. That it was accepted also holds back a mail that was made
    /// ready meanwhile; whatever has gone further keeps its state.
    fn settled_late(self, settled: Settled) -> Option<Self> {
        match (self, settled) {
            (Self::Unknown | Self::Ready | Self::Deferred, Settled::Accepted) => Some(Self::Accepted),
            (Self::Unknown, Settled::Rejected) => Some(Self::Rejected),
            (Self::Unknown, Settled::Deferred | Settled::NotSent) => Some(Self::Deferred),
            _ => None,
        }
    }

    /// Stronger evidence replaces weaker: complaint, hard bounce, soft bounce, delivery, automatic reply.
    fn learnt(self, evidence: Evidence) -> Option<Self> {
        let became = match evidence {
            Evidence::RelayTookIt => return (self == Self::Unknown).then_some(Self::Accepted),
            Evidence::RelayNeverHadIt => return (self == Self::Unknown).then_some(Self::Ready),
            Evidence::Delivered => Self::Delivered,
            Evidence::BouncedHard => Self::BouncedHard,
            Evidence::BouncedSoft => Self::BouncedSoft,
            Evidence::Complained => Self::Complained,
            Evidence::AutoReplied => Self::AutoReplied,
        };
        (self.strength()? < became.strength()?).then_some(became)
    }

    /// How much is known of a mail that left; `None` for one that did not.
    fn strength(self) -> Option<u8> {
        match self {
            Self::Unknown | Self::Accepted => Some(0),
            Self::AutoReplied => Some(1),
            Self::Delivered => Some(2),
            Self::BouncedSoft => Some(3),
            Self::BouncedHard => Some(4),
            Self::Complained => Some(5),
            // A mail still in a dispatcher's hands has an owner who will say more; evidence waits for that.
            Self::Planned
            | Self::Ready
            | Self::Leased
            | Self::Sending
            | Self::Deferred
            | Self::Rejected
            | Self::Expired
            | Self::Cancelled
            | Self::Suppressed => None,
        }
    }

    /// Whether a relay took it, whatever was learnt later.
    #[must_use]
    pub fn was_accepted(self) -> bool {
        self != Self::Unknown && self.strength().is_some()
    }

    /// Whether it may have left without anybody knowing: an operator's list.
    #[must_use]
    pub fn is_unclear(self) -> bool {
        matches!(self, Self::Unknown | Self::Sending)
    }

    /// Whether it is still to be sent.
    #[must_use]
    pub fn is_waiting(self) -> bool {
        matches!(self, Self::Planned | Self::Ready | Self::Leased | Self::Deferred)
    }

    /// Whether the person was not reached by it, as far as is known.
    #[must_use]
    pub fn has_failed(self) -> bool {
        matches!(self, Self::Rejected | Self::BouncedHard | Self::BouncedSoft | Self::Suppressed | Self::Expired)
    }

    /// The word stored and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Sending => "sending",
            Self::Deferred => "deferred",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Suppressed => "suppressed",
            Self::Delivered => "delivered",
            Self::BouncedHard => "bounced_hard",
            Self::BouncedSoft => "bounced_soft",
            Self::Complained => "complained",
            Self::AutoReplied => "auto_replied",
        }
    }
}

impl FromStr for MailState {
    type Err = String;
    fn from_str(word: &str) -> Result<Self, String> {
        STATES
            .into_iter()
            .find(|state| state.as_str() == word)
            .ok_or_else(|| format!("'{word}' is not a state of a mail"))
    }
}

impl fmt::Display for MailState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Settled {
    /// The word stored and printed for an attempt that ended so.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Deferred => "deferred",
            Self::NotSent => "route_failed",
            Self::Unknown => "unknown",
        }
    }
}

impl Evidence {
    /// The word stored for what was learnt.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RelayTookIt => "relay_took_it",
            Self::RelayNeverHadIt => "relay_never_had_it",
            Self::Delivered => "delivered",
            Self::BouncedHard => "bounced_hard",
            Self::BouncedSoft => "bounced_soft",
            Self::Complained => "complained",
            Self::AutoReplied => "auto_replied",
        }
    }
}
