//! Who was not mailed by a contact, and why: every seat of the frame that no relay took this contact's mail for.

use jiff::Timestamp;
use parsurvey_ledger::MailRow;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::{FormId, Seat};

use crate::{Desk, DeskError};

/// A seat that a contact did not reach, as far as the relay tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmailed {
    /// The form.
    pub form: FormId,
    /// The group's code.
    pub group: String,
    /// The unit's code.
    pub unit: String,
    /// Why, in a word or two.
    pub why: String,
    /// The state of its mail, if it has one.
    pub state: Option<MailState>,
    /// The relay's words, without addresses.
    pub text: String,
    /// When the mail is tried again.
    pub next_try: Option<Timestamp>,
}

impl Desk {
    /// The seats that a contact's mail did not leave for, by form. Who was excused or had answered before is among them,
    /// with that reason; whoever declined too, so the list is the operator's alone.
    ///
    /// # Errors
    /// The ledger cannot be read, or the mail is no contact.
    pub async fn unmailed(&self, kind: MailKind, wave: u32) -> Result<Vec<Unmailed>, DeskError> {
        if kind == MailKind::Link {
            return Err(DeskError::refused(
                "a link is sent to whoever asks for it, and owed to nobody",
                "look at `parsurvey mails`, which shows those that were asked for",
            ));
        }
        let wave = if kind == MailKind::Reminder { wave } else { 0 };
        let mut mails = std::collections::BTreeMap::new();
        for mail in self.ledger.mails().await?.into_iter().filter(|mail| mail.kind == kind && mail.wave == wave) {
            // The newest row of a seat is that of its present holder and address.
            mails.insert(mail.form, mail);
        }
        let seats = self.ledger.seats().await?;
        Ok(seats
            .iter()
            .filter(|seat| !seat.ineligible)
            .filter_map(|seat| unmailed(seat, mails.get(&seat.form)))
            .collect())
    }
}

fn unmailed(seat: &Seat, mail: Option<&MailRow>) -> Option<Unmailed> {
    let mail = mail.filter(|mail| mail.holder == seat.holder && mail.address_version == seat.address_version);
    if mail.is_some_and(|mail| mail.state.was_accepted()) {
        return None;
    }
    let why = match mail {
        None if seat.completed.is_some() => "submitted before",
        None if seat.excused.is_some() => "excused",
        None if seat.declined => "declined",
        None if seat.address_stopped => "address stopped",
        None => "not queued",
        Some(mail) => match mail.state {
            MailState::Planned => "held back behind the first few",
            MailState::Ready | MailState::Leased => "waits to be sent",
            MailState::Deferred => "refused for now, or the route failed",
            MailState::Rejected => "refused by the relay",
            MailState::Sending | MailState::Unknown => "unknown: perhaps sent",
            MailState::Suppressed => "address stopped",
            MailState::Cancelled | MailState::Expired => mail.why.as_deref().unwrap_or("owed no longer"),
            MailState::Accepted
            | MailState::Delivered
            | MailState::BouncedHard
            | MailState::BouncedSoft
            | MailState::Complained
            | MailState::AutoReplied => return None,
        },
    };
    Some(Unmailed {
        form: seat.form,
        group: seat.group.to_string(),
        unit: seat.unit.to_string(),
        why: why.to_owned(),
        state: mail.map(|mail| mail.state),
        text: mail.and_then(|mail| mail.last.as_ref()).map(|last| last.text.clone()).unwrap_or_default(),
        next_try: mail.and_then(|mail| mail.not_before),
    })
}
