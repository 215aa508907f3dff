//! Sending what is owed: one outbox row per person, address, kind and wave; leased, marked before the final dot, settled.
//!
//! Running an act twice, or by two people at once, queues and sends nothing twice. What was refused for good is never sent
//! again by itself, and what is unknown only as the campaign's policy says.

mod alive;
mod canary;
mod clock;
mod control;
mod outbox;
mod room;
mod unmailed;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use parsurvey_dispatch::{RunLimits, Summary, Way};
use parsurvey_ledger::{CampaignState, LinkHash, NewMail, Stage};
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::plan::{self, Pace, Plan, Skip};
use parsurvey_survey::seat::{FormId, Seat};
use parsurvey_survey::{calendar, freeze};

use crate::notices::Notices;
use crate::{Because, Desk, DeskError};

pub use canary::HeldBack;
pub use clock::Clock;
pub use control::SettledByLog;
pub use parsurvey_dispatch::Stop;
pub use unmailed::Unmailed;

/// How mails are sent.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The way: a relay, a provider, or a folder for rehearsals.
    pub way: Way,
    /// Connections, and when to give up.
    pub limits: RunLimits,
    /// Counts the mails settled so far, for whoever shows progress.
    pub settled: Arc<AtomicU64>,
}

/// What an act of sending did.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// Mails newly put into the outbox.
    pub queued: u64,
    /// Seats that were sent nothing, by reason.
    pub skipped: std::collections::BTreeMap<Skip, u64>,
    /// What the relay made of the mails.
    pub accepted: u64,
    /// Refused for good.
    pub rejected: u64,
    /// Refused for now, waiting in the outbox.
    pub deferred: u64,
    /// Perhaps sent, in this run.
    pub unknown: u64,
    /// Given back unsent, waiting in the outbox.
    pub released: u64,
    /// Taken from dispatchers that are gone: not sent, and ready again.
    pub taken_over: u64,
    /// Taken from dispatchers that are gone: perhaps sent.
    pub left_unknown: u64,
    /// In the hands of other dispatchers that are alive, when this run ended.
    pub in_other_hands: u64,
    /// Mails of this contact that are held back behind its first few.
    pub held_back: Option<HeldBack>,
    /// When the next mail that was refused for now may be tried again.
    pub next_try: Option<Timestamp>,
    /// Mails that could not be put together: given back, waiting in the outbox, and nobody else was held up.
    pub unwritten: Vec<Unwritten>,
    /// What the relay said when it last refused a mail for good.
    pub refusal: Option<String>,
    /// Words to addresses that were given up.
    pub notices: Notices,
}

/// A mail that could not be put together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritten {
    /// The form it is about.
    pub form: FormId,
    /// Why, without name or address.
    pub reason: String,
    /// What to do.
    pub remedy: String,
}

impl Desk {
    /// Sends one contact: freezes on the first invitation, queues what is owed, and sends the outbox. Each outcome
    /// carries the time that `clock` tells, and nothing is sent after the deadline.
    ///
    /// # Errors
    /// Keys not proved, too early, too late, the relay absent (what was sent stays recorded), or asked to stop.
    pub async fn contact(
        self: &Arc<Self>,
        kind: MailKind,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        clock: impl Into<Clock>,
    ) -> Result<Sent, DeskError> {
        let clock = clock.into();
        let now = clock.now();
        let contact = self.due_contact(kind, now)?.clone();
        self.field_open("send").await?;
        let deadline = self.deadline().await?;
        if now > deadline {
            return Err(DeskError::refused(
                format!("the deadline has passed ({})", calendar::written(deadline, &self.campaign.time_zone)),
                "extend it with `parsurvey extend`, or close the survey",
            ));
        }
        if kind == MailKind::Reminder && self.state().await? == CampaignState::Draft {
            return Err(DeskError::refused("nobody was invited yet", "run `parsurvey invite` first"));
        }
        self.require_not_paused().await?;
        self.require_looked_at(&contact).await?;
        let seats = self.ledger.seats().await?;
        if seats.is_empty() {
            return Err(DeskError::refused("the roster is empty", "import it with `parsurvey roster import`"));
        }
        // Last, because it freezes what is asked of whom: nothing that is refused may do that.
        if kind == MailKind::Invitation {
            self.begin(because, now).await?;
        }
        let plan = plan::plan(&contact, &seats, Pace::of(&self.campaign), now);
        let mut sent = self.queue(&plan, &seats, because, now).await?;
        // Not needed while mails leave, and with many people not small.
        drop((plan, seats));
        self.require_hours(now)?;
        self.require_way(&relay.way)?;
        sent.notices = self.send_notices(relay, stop, because, &clock, deadline).await;
        loop {
            self.let_go_if_well(&contact, &mut sent, because, clock.now()).await?;
            let had_to_wait = sent.held_back.is_some();
            self.send_outbox(relay, stop, clock.clone(), deadline, because, &mut sent).await?;
            // The first few may have proved well by now, where no wait is asked for.
            if !had_to_wait || !self.let_go_if_well(&contact, &mut sent, because, clock.now()).await? {
                return Ok(sent);
            }
        }
    }

    /// Sends whatever is due by the schedule: the prenotice before the invitation, else invitations, then the reminder wave.
    ///
    /// # Errors
    /// As [`Desk::contact`]; nothing due at all is refused with the date of the next contact.
    pub async fn send_due(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        clock: impl Into<Clock>,
    ) -> Result<Vec<(MailKind, Sent)>, DeskError> {
        let clock = clock.into();
        let mut done = Vec::new();
        for kind in self.due_kinds(clock.now()) {
            done.push((kind, self.contact(kind, relay, stop, because, clock.clone()).await?));
        }
        Ok(done)
    }

    pub(crate) fn due_kinds(&self, now: Timestamp) -> Vec<MailKind> {
        let is_due = |kind| plan::due(&self.campaign.contacts, kind, now).is_some();
        // The prenotice loses its meaning once the invitation is due.
        if is_due(MailKind::Invitation) {
            [MailKind::Invitation, MailKind::Reminder].into_iter().filter(|kind| is_due(*kind)).collect()
        } else {
            vec![MailKind::Prenotice]
        }
    }

    fn due_contact(&self, kind: MailKind, now: Timestamp) -> Result<&Contact, DeskError> {
        let contacts = &self.campaign.contacts;
        plan::due(contacts, kind, now).ok_or_else(|| match plan::next(contacts, kind, now) {
            Some(next) => DeskError::refused(
                format!(
                    "the next {} is due at {}",
                    kind.as_str(),
                    calendar::written(next.due, &self.campaign.time_zone)
                ),
                "run the command then, or change the contact's date in campaign.toml",
            ),
            None => DeskError::refused(
                format!("the campaign has no {}", kind.as_str()),
                "declare it among the contacts in campaign.toml",
            ),
        })
    }

    /// The contact of a kind that is due, else the one that comes next.
    fn nearest_contact(&self, kind: MailKind, now: Timestamp) -> Result<&Contact, DeskError> {
        let next = plan::next(&self.campaign.contacts, kind, now);
        self.due_contact(kind, now).or_else(|error| next.ok_or(error))
    }

    /// The first invitation: keys proved, groups large enough, everything that decides who is asked what frozen.
    async fn begin(&self, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        self.proved_key(KeyRole::Box).await?;
        self.proved_key(KeyRole::Archive).await?;
        if self.state().await? != CampaignState::Draft {
            return Ok(());
        }
        let faults = parsurvey_survey::campaign::check_group_sizes(&self.campaign, &self.sizes_by_group().await?);
        if !faults.is_empty() {
            return Err(DeskError::Faults { what: "the roster".into(), faults });
        }
        let parts = freeze::at_first_invitation(&self.campaign, &self.key_fingerprints().await?);
        Ok(self.ledger.freeze(Stage::Inviting, &parts, &because.act(now)).await?)
    }

    async fn queue(&self, plan: &Plan, seats: &[Seat], because: &Because, now: Timestamp) -> Result<Sent, DeskError> {
        let mut sent = Sent::default();
        for (_, reason) in &plan.skipped {
            *sent.skipped.entry(*reason).or_default() += 1;
        }
        // The links' hashes are stored before any mail leaves: a person may click within the second. Mails that wait
        // from an earlier run are held to them as well: with another link.key they would carry dead links.
        let owed: BTreeSet<FormId> = plan.owed.iter().map(|owed| owed.form).collect();
        let links: Vec<LinkHash> = seats
            .iter()
            .filter(|seat| owed.contains(&seat.form) || seat.mail.waiting > 0)
            .map(|seat| {
                let token = self.link_secret.token(&self.campaign.id, seat.form, seat.link_version);
                LinkHash { form: seat.form, link_version: seat.link_version, hash: token.hash() }
            })
            .collect();
        self.ledger.store_links(&links).await?;
        if plan.owed.is_empty() {
            return Ok(sent);
        }
        let canary = self.campaign.sending.canary.as_ref().filter(|_| plan.owed.len() >= canary::WORTH_IT);
        let mails: Vec<NewMail> = plan
            .owed
            .iter()
            .enumerate()
            .map(|(place, owed)| NewMail {
                form: owed.form,
                holder: owed.holder,
                address_version: owed.address_version,
                kind: owed.kind,
                wave: owed.wave,
                message_id: Some(self.message_id(owed)),
                held: canary.is_some_and(|canary| !canary.is_first(place, plan.owed.len())),
            })
            .collect();
        sent.queued = self.ledger.enqueue(&mails, &because.act(now)).await?;
        Ok(sent)
    }
}

impl Sent {
    fn add(&mut self, summary: &Summary) {
        self.accepted += summary.accepted;
        self.rejected += summary.rejected;
        self.deferred += summary.transient;
        self.unknown += summary.unknown;
        self.released += summary.released + summary.broken_off;
    }
}
