//! The first few before the rest (a canary): mailboxes of one's own, then a share of the people, then everybody.
//!
//! The rest go by themselves once the first few are settled, time for bounces has passed, and few enough have failed; else a
//! person decides.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use parsurvey_dispatch::{Always, Carrier, Line, Outcome};
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::delivery::MailState;

use super::{Relay, Sent};
use crate::{Because, Desk, DeskError};

/// Mails of a contact from which on it is worth sending a few before the rest.
pub(super) const WORTH_IT: usize = 20;

/// Mails that are held back, and what they wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// How many.
    pub mails: u64,
    /// What they wait for.
    pub waits_for: WaitsFor,
}

/// What the rest of a contact waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WaitsFor {
    /// So many of the first few are not settled yet.
    FirstFew(u64),
    /// A moment, in the campaign's zone.
    Moment(String),
    /// A person: so many of so many first mails failed.
    Person {
        /// Refused, bounced, complained of or unknown.
        failed: u64,
        /// The first few.
        all: u64,
    },
}

impl HeldBack {
    /// Whether somebody has to decide; else running the command again is enough.
    #[must_use]
    pub fn needs_person(&self) -> bool {
        matches!(self.waits_for, WaitsFor::Person { .. })
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} mails are held back behind the first few", self.mails)?;
        match &self.waits_for {
            WaitsFor::FirstFew(open) => write!(f, ", of which {open} are not settled yet; run the command again"),
            WaitsFor::Moment(moment) => write!(f, " until {moment}; run the command again then"),
            WaitsFor::Person { all: 0, .. } => write!(
                f,
                ", of which none was sent in the end; look at `parsurvey mails`, then let them go with `parsurvey let-go --reason TEXT`"
            ),
            WaitsFor::Person { failed, all } => write!(
                f,
                ": {failed} of the first {all} failed; look at `parsurvey mails`, then let them go with `parsurvey let-go --reason TEXT`"
            ),
        }
    }
}

impl Desk {
    /// Lets the rest of a contact go if its first few have proved well; else says in `sent` what it waits for. Whether
    /// anything was let go.
    pub(super) async fn let_go_if_well(
        &self,
        contact: &Contact,
        sent: &mut Sent,
        because: &Because,
        now: Timestamp,
    ) -> Result<bool, DeskError> {
        sent.held_back = None;
        let mails = self.ledger.canary_counts(contact.kind, contact.wave).await?;
        let count = |is: fn(MailState) -> bool| -> u64 {
            mails.by_state.iter().filter(|(state, _)| is(**state)).map(|(_, n)| n).sum()
        };
        let held = count(|state| state == MailState::Planned);
        if held == 0 {
            return Ok(false);
        }
        let open = count(|state| state != MailState::Planned && (state.is_waiting() || state == MailState::Sending));
        let failed = count(|state| state.has_failed() || state == MailState::Unknown || state == MailState::Complained);
        let all = count(|state| state.was_accepted())
            + count(|state| {
                matches!(state, MailState::Rejected | MailState::Unknown | MailState::Suppressed | MailState::Expired)
            });
        // A campaign whose canary was taken out of the file holds nobody back any more.
        let waits_for = self.campaign.sending.canary.as_ref().and_then(|canary| {
            let until = mails
                .last_settled
                .map(|last| last + SignedDuration::from_mins(i64::from(canary.wait_minutes)))
                .filter(|until| *until > now);
            if open > 0 {
                Some(WaitsFor::FirstFew(open))
            } else if all == 0 {
                // All of them were withdrawn before they left: they tell nothing.
                Some(WaitsFor::Person { failed, all })
            } else if let Some(until) = until {
                Some(WaitsFor::Moment(calendar::written(until, &self.campaign.time_zone)))
            } else if !canary.is_well(failed, all) {
                Some(WaitsFor::Person { failed, all })
            } else {
                None
            }
        });
        match waits_for {
            Some(waits_for) => {
                sent.held_back = Some(HeldBack { mails: held, waits_for });
                Ok(false)
            }
            None => Ok(self.ledger.let_go(Some((contact.kind, contact.wave)), &because.act(now)).await? > 0),
        }
    }

    /// Refuses while nobody has looked at this contact's mail in the campaign's own mailboxes.
    pub(super) async fn require_looked_at(&self, contact: &Contact) -> Result<(), DeskError> {
        let mailboxes = self.campaign.sending.canary.as_ref().map_or(0, |canary| canary.mailboxes.len());
        if mailboxes == 0 || self.ledger.was_looked_at(contact.kind, contact.wave).await? {
            return Ok(());
        }
        Err(DeskError::refused(
            format!("nobody has looked yet at the {} in the {mailboxes} mailboxes of one's own", contact.kind.as_str()),
            format!(
                "send it there with `parsurvey canary {0}`, look at it, then say so with `parsurvey canary {0} --seen --reason TEXT`",
                contact.kind.as_str()
            ),
        ))
    }

    /// Records that somebody has looked at the contact of this kind that was last sent to one's own mailboxes.
    ///
    /// # Errors
    /// No reason, or no copy was sent.
    pub async fn looked_at(&self, kind: MailKind, because: &Because, now: Timestamp) -> Result<u32, DeskError> {
        if because.reason.trim().is_empty() {
            return Err(DeskError::refused("saying so needs --reason", "say who looked, and in which mail programs"));
        }
        let Some(wave) = self.ledger.last_copied(kind).await? else {
            return Err(DeskError::refused(
                format!("no {} was sent yet to mailboxes of one's own", kind.as_str()),
                format!("send it there with `parsurvey canary {}`, then look at it", kind.as_str()),
            ));
        };
        self.ledger.look_at(kind, wave, &because.act(now)).await?;
        Ok(wave)
    }

    /// Sends a contact's mail, with a dummy link, to the campaign's own mailboxes; gives how many the relay took.
    ///
    /// # Errors
    /// No mailboxes, no such contact, or the relay took not all of them.
    pub async fn send_copies(
        &self,
        kind: MailKind,
        relay: &Relay,
        because: &Because,
        now: Timestamp,
    ) -> Result<usize, DeskError> {
        let mailboxes =
            self.campaign.sending.canary.as_ref().map(|canary| canary.mailboxes.clone()).unwrap_or_default();
        if mailboxes.is_empty() {
            return Err(DeskError::refused(
                "the campaign names no mailboxes of one's own",
                "name some in campaign.toml: [sending.canary] mailboxes = [\"…\"], one at each recipient domain",
            ));
        }
        let contact = self.nearest_contact(kind, now)?;
        let taken = self.carry_copies(contact, &mailboxes, relay, now).await?;
        self.ledger.copies_sent(contact.kind, contact.wave, &because.act(now)).await?;
        Ok(taken)
    }

    /// Sends one mail of the campaign, with a dummy link, to one mailbox of whoever wants to look at it. It stands for no
    /// contact, and nobody is taken to have looked. Who asked for it stands in the log before it leaves, so that no mail in
    /// the survey's name goes to an address unseen; the address does not.
    ///
    /// # Errors
    /// A faulty address, no such contact, or the relay did not take it.
    pub async fn send_copy(
        &self,
        (kind, wave): (MailKind, u32),
        mailbox: &str,
        relay: &Relay,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let mailbox = crate::acts::address(mailbox)?;
        let contact = self.contact_of(kind, wave)?;
        self.ledger.copy_asked(kind, wave, &because.act(now)).await?;
        self.carry_copies(contact, &[mailbox], relay, now).await?;
        Ok(())
    }

    /// Carries a contact's mail with a dummy link to each of the mailboxes; gives how many the relay took.
    async fn carry_copies(
        &self,
        contact: &Contact,
        mailboxes: &[String],
        relay: &Relay,
        now: Timestamp,
    ) -> Result<usize, DeskError> {
        let unfinished = |taken: usize, why: String| {
            DeskError::unfinished(
                format!("{taken} of {} copies were sent: {why}", mailboxes.len()),
                "check --smtp and the relay, then run the command again",
            )
        };
        let mut line = relay.way.open().await.map_err(|delivery| unfinished(0, delivery.to_string()))?;
        let (mut taken, mut refused) = (0, None);
        for (place, mailbox) in mailboxes.iter().enumerate() {
            let mut mail = self.write_copy(contact, mailbox, place, now)?;
            if let Some(dkim) = relay.way.dkim() {
                mail = mail.signed(dkim).map_err(|error| {
                    DeskError::refused(error.to_string(), "check the key and the sender's address in campaign.toml")
                })?;
            }
            if !line.is_usable() {
                line = relay.way.open().await.map_err(|delivery| unfinished(taken, delivery.to_string()))?;
            }
            match line.carry(&mail, Always).await {
                Some(delivery) if delivery.outcome == Outcome::Accepted => taken += 1,
                other => refused = other,
            }
        }
        line.leave().await;
        match refused {
            None => Ok(taken),
            Some(delivery) => Err(unfinished(taken, delivery.to_string())),
        }
    }
}
