//! The plan: who is owed which mail now, and who is not and why. It decides; it sends nothing.

use jiff::Timestamp;
use serde::Serialize;

use crate::campaign::{Contact, MailKind};
use crate::seat::{FormId, Seat};

/// A mail that is owed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The seat's form.
    pub form: FormId,
    /// Its holder.
    pub holder: u32,
    /// The version of the holder's address.
    pub address_version: u32,
    /// The kind of mail.
    pub kind: MailKind,
    /// The wave.
    pub wave: u32,
}

/// Why a seat is sent nothing in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// This mail was queued before; it is never queued twice.
    AlreadyQueued,
    /// The form is submitted.
    Completed,
    /// The person is excused.
    Excused,
    /// The person declined. Not told to the unit.
    Declined,
    /// The person was not in post on the frame date.
    NotEligible,
    /// A reminder follows an invitation, and none was accepted.
    NotInvited,
    /// A mail was accepted after this reminder fell due, as for a new holder: the next wave reminds them.
    JustContacted,
}

/// What a wave owes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The mails owed, in form order.
    pub owed: Vec<Owed>,
    /// The seats that are sent nothing, with the reason.
    pub skipped: Vec<(FormId, Skip)>,
}

/// What `contact` owes the seats.
#[must_use]
pub fn plan(contact: &Contact, seats: &[Seat]) -> Plan {
    let mut plan = Plan::default();
    for seat in seats {
        match skip(contact, seat) {
            Some(reason) => plan.skipped.push((seat.form, reason)),
            None => plan.owed.push(Owed {
                form: seat.form,
                holder: seat.holder,
                address_version: seat.address_version,
                kind: contact.kind,
                wave: contact.wave,
            }),
        }
    }
    plan
}

fn skip(contact: &Contact, seat: &Seat) -> Option<Skip> {
    if seat.ineligible {
        return Some(Skip::NotEligible);
    }
    if seat.completed.is_some() {
        return Some(Skip::Completed);
    }
    if seat.excused.is_some() {
        return Some(Skip::Excused);
    }
    if seat.declined {
        return Some(Skip::Declined);
    }
    if seat.mail.queued.iter().any(|(kind, wave)| kind == contact.kind.as_str() && *wave == contact.wave) {
        return Some(Skip::AlreadyQueued);
    }
    // An address corrected, or a person replaced, after the invitation's wave is owed an invitation, not a reminder.
    // An unknown invitation is not sent again, and the reminder covers it.
    let reached = seat.mail.link_accepted > 0 || seat.mail.unknown > 0;
    if contact.kind != MailKind::Reminder {
        return None;
    }
    if !reached {
        return Some(Skip::NotInvited);
    }
    seat.mail.last_accepted.is_some_and(|accepted| accepted >= contact.due).then_some(Skip::JustContacted)
}

/// The latest contact of `kind` that is due at `now`, if any.
#[must_use]
pub fn due<'a>(contacts: &'a [Contact], kind: MailKind, now: Timestamp) -> Option<&'a Contact> {
    contacts.iter().rfind(|contact| contact.kind == kind && contact.due <= now)
}

/// The first contact of `kind` that is not yet due at `now`, if any.
#[must_use]
pub fn next<'a>(contacts: &'a [Contact], kind: MailKind, now: Timestamp) -> Option<&'a Contact> {
    contacts.iter().find(|contact| contact.kind == kind && contact.due > now)
}
