//! How the survey stands, for whoever is about to act: what an act would meet, and whom it would reach. Questions only.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, Pause};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::plan::{self, Pace, Skip};

use crate::{Desk, DeskError};

/// How the survey stands.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The campaign's state.
    pub state: CampaignState,
    /// The deadline in force.
    pub deadline: Timestamp,
    /// The deadline with its grace: forms that were begun are accepted until then.
    pub accepted_until: Timestamp,
    /// The pause in force.
    pub pause: Option<Pause>,
    /// Mails of the outbox by state.
    pub mails: BTreeMap<MailState, u64>,
    /// Forms that were submitted.
    pub completed: u64,
    /// SHA-256 of the sealed box, once closed.
    pub box_sha256: Option<String>,
}

/// What sending a contact would do now.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The kind of mail.
    pub kind: MailKind,
    /// The wave of a reminder; 0 for other kinds.
    pub wave: u32,
    /// When it was due.
    pub due: Timestamp,
    /// Mails that would be put into the outbox.
    pub owed: u64,
    /// Seats that would be sent nothing, by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Mails of this contact that are in the outbox already, by state.
    pub mails: BTreeMap<MailState, u64>,
}

impl Standing {
    /// Mails of these states.
    pub fn mails_that(&self, is: impl Fn(MailState) -> bool) -> u64 {
        self.mails.iter().filter(|(state, _)| is(**state)).map(|(_, mails)| mails).sum()
    }

    /// Whether the field is over: nothing can be asked of anybody any more.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self.state {
            CampaignState::Draft | CampaignState::Inviting => false,
            CampaignState::Closed | CampaignState::Opened | CampaignState::Released => true,
        }
    }
}

impl Desk {
    /// How the survey stands.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn standing(&self) -> Result<Standing, DeskError> {
        let campaign = self.ledger.campaign().await?;
        let deadline = campaign.deadline.unwrap_or(self.campaign.closes);
        Ok(Standing {
            state: campaign.state,
            deadline,
            accepted_until: self.with_grace(deadline),
            pause: self.ledger.pause_in_force().await?,
            mails: self.ledger.mail_counts().await?,
            completed: self.ledger.completions().await?.into_values().sum(),
            box_sha256: campaign.box_sha256,
        })
    }

    /// What [`Desk::send_due`] would put into the outbox now, contact by contact.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn outgoing(&self, now: Timestamp) -> Result<Vec<Outgoing>, DeskError> {
        let seats = self.ledger.seats().await?;
        let contacts = &self.campaign.contacts;
        let mut outgoing = Vec::new();
        for contact in self.due_kinds(now).into_iter().filter_map(|kind| plan::due(contacts, kind, now)) {
            let plan = plan::plan(contact, &seats, Pace::of(&self.campaign), now);
            let mut skipped = BTreeMap::new();
            for (_, reason) in &plan.skipped {
                *skipped.entry(*reason).or_default() += 1;
            }
            let (kind, wave) = (contact.kind, contact.wave);
            let mails = self.ledger.mail_counts_of(kind, wave).await?;
            outgoing.push(Outgoing { kind, wave, due: contact.due, owed: plan.owed.len() as u64, skipped, mails });
        }
        Ok(outgoing)
    }

    /// When mails may leave, where the campaign names hours and it is outside them; nothing where they may leave now.
    #[must_use]
    pub fn mails_leave_from(&self, now: Timestamp) -> Option<Timestamp> {
        let (campaign, hours) = (&self.campaign, self.campaign.sending.hours.as_ref()?);
        if hours.is_open(now, &campaign.time_zone, &campaign.holidays) {
            return None;
        }
        hours.next_open(now, &campaign.time_zone, &campaign.holidays)
    }
}
