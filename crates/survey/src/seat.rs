//! Seats: a form is a seat, held by one person at a time. Every headline counts seats, so a replacement changes none.

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use serde::{Deserialize, Serialize};

use crate::campaign::MailKind;

/// A seat's number within the campaign, from 1. It is not a secret and not the link.
pub type FormId = i64;

/// A person's number within the ledger. Logs hold this, never a name.
pub type PersonId = i64;

/// Why a seat was excused: an administrative flag beside the disposition. Never a medical paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExcuseCategory {
    /// Ill, in hospital.
    Ill,
    /// Away for the whole field time.
    Away,
    /// Dead.
    Dead,
    /// Another reason that the approving document gives.
    Other,
}

/// A seat as the ledger derives it, without names and without answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seat {
    /// The form's number.
    pub form: FormId,
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// The person who holds it now.
    pub person: PersonId,
    /// Counts holders, from 1.
    pub holder: u32,
    /// Version of the present holder's address, from 1.
    pub address_version: u32,
    /// No mail may go to this version of the address any more: it was refused, bounced, or its owner complained.
    pub address_stopped: bool,
    /// Version of the link, from 1; a replacement or revocation raises it.
    pub link_version: u32,
    /// Not in post on the frame date: the seat left the frame by a correction and is counted nowhere.
    pub ineligible: bool,
    /// Substitute for someone in post but unable; counted apart.
    pub substitute: bool,
    /// Excused, with its category.
    pub excused: Option<ExcuseCategory>,
    /// The person declined (AAPOR 2.11). Shown to nobody below the operator.
    pub declined: bool,
    /// The present holder declined at some time, even if that was taken back. For counts that units can see.
    pub ever_declined: bool,
    /// The first option the server received.
    pub started: Option<Timestamp>,
    /// The submission.
    pub completed: Option<Timestamp>,
    /// A submission came too late and was not stored (AAPOR 2.27).
    pub too_late: bool,
    /// What became of the mails to the present holder at the present address, summed up.
    pub mail: MailSummary,
    /// Whom a substitute stands in for; the rates count this person, not the substitute.
    pub original: Option<Former>,
}

/// A former holder, who was in post on the frame date but unable, as far as the disposition needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Former {
    /// Excused, with its category.
    pub excused: Option<ExcuseCategory>,
    /// The person declined.
    pub declined: bool,
    /// The first option the server received.
    pub started: Option<Timestamp>,
    /// A submission came too late.
    pub too_late: bool,
    /// What became of the mails to that person at the last address.
    pub mail: MailSummary,
}

/// What became of the mails of a seat. All but `invited` is of one holder at one address.
///
/// A mail with a link is an invitation or a reminder; a prenotice has none, and is never taken for an invitation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailSummary {
    /// Whether a relay ever accepted a mail with a link for this seat, to whichever holder and address.
    pub invited: bool,
    /// Mails with a link that the relay accepted.
    pub link_accepted: u32,
    /// Mails with a link of which nobody knows whether they left.
    pub link_unknown: u32,
    /// Whether the last outcome of a mail with a link was a permanent refusal or a hard bounce.
    pub last_link_rejected: bool,
    /// When the last mail with a link was accepted, or went where nobody knows whether it left.
    pub last_link_sent: Option<Timestamp>,
    /// Mails of any kind of which nobody knows whether they left.
    pub unknown: u32,
    /// Whether the last outcome of a mail of any kind was a permanent refusal or a hard bounce.
    pub last_rejected: bool,
    /// Mails of any kind that wait to be sent.
    pub waiting: u32,
    /// The kinds and waves that have a row in the outbox.
    pub queued: Vec<(MailKind, u32)>,
}

/// A seat of which nothing has happened yet.
#[cfg(test)]
pub(crate) fn sample(form: FormId) -> Seat {
    let code = "the codes are well-formed";
    Seat {
        form,
        target: "hanoi".parse().expect(code),
        group: "division_heads".parse().expect(code),
        unit: "so-noi-vu".parse().expect(code),
        person: form,
        holder: 1,
        address_version: 1,
        address_stopped: false,
        link_version: 1,
        ineligible: false,
        substitute: false,
        excused: None,
        declined: false,
        ever_declined: false,
        started: None,
        completed: None,
        too_late: false,
        mail: MailSummary::default(),
        original: None,
    }
}
