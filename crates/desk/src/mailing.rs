//! Sending what is owed: one outbox row per person, address, kind and wave; claimed before it is sent; outcome kept.
//!
//! Running an act twice, or by two people at once, queues and sends nothing twice. A claim without an outcome is unknown:
//! it is shown, and never sent again by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use parsurvey_dispatch::{
    Composed, Correspondent, Delivery, Dkim, Job, JobId, Letter, Outbox, Outcome, Route, RunError, RunLimits, Stop,
    Summary, compose, message_id,
};
use parsurvey_ledger::{CampaignState, ClaimedMail, LinkHash, NewMail, OutcomeResult, Stage};
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::plan::{self, Owed, Plan, Skip};
use parsurvey_survey::seat::Seat;
use parsurvey_survey::template::{self, Addressee};
use parsurvey_survey::{calendar, freeze};

use crate::{Because, Desk, DeskError};

/// A mail refused for now is not offered again before this has passed; what comes later is the next run's business.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// How to reach the relay.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The route.
    pub route: Route,
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
    /// Claimed without an outcome, in this run.
    pub unknown: u64,
    /// Given back unsent, waiting in the outbox.
    pub released: u64,
}

impl Desk {
    /// Sends one contact: freezes on the first invitation, queues what is owed, and sends the outbox.
    ///
    /// # Errors
    /// Keys not proved, too early, too late, the relay absent (what was sent stays recorded), or asked to stop.
    pub async fn contact(
        self: &Arc<Self>,
        kind: MailKind,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        now: Timestamp,
    ) -> Result<Sent, DeskError> {
        let contact = self.due_contact(kind, now)?.clone();
        self.field_open("send").await?;
        let deadline = self.deadline().await?;
        if now > deadline {
            return Err(DeskError::refused(
                format!("the deadline has passed ({})", calendar::written(deadline, &self.campaign.time_zone)),
                "extend it with `parsurvey extend`, or close the survey",
            ));
        }
        match kind {
            MailKind::Prenotice => {}
            MailKind::Invitation => self.begin(because, now).await?,
            MailKind::Reminder => {
                if self.state().await? == CampaignState::Draft {
                    return Err(DeskError::refused("nobody was invited yet", "run `parsurvey invite` first"));
                }
            }
        }
        let seats = self.ledger.seats().await?;
        if seats.is_empty() {
            return Err(DeskError::refused("the roster is empty", "import it with `parsurvey roster import`"));
        }
        let plan = plan::plan(&contact, &seats);
        let mut sent = self.queue(&plan, &seats, because, now).await?;
        self.send_outbox(relay, stop, now, &mut sent).await?;
        Ok(sent)
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
        now: Timestamp,
    ) -> Result<Vec<(MailKind, Sent)>, DeskError> {
        let is_due = |kind| plan::due(&self.campaign.contacts, kind, now).is_some();
        // The prenotice loses its meaning once the invitation is due.
        let kinds: Vec<MailKind> = if is_due(MailKind::Invitation) {
            [MailKind::Invitation, MailKind::Reminder].into_iter().filter(|kind| is_due(*kind)).collect()
        } else {
            vec![MailKind::Prenotice]
        };
        let mut done = Vec::new();
        for kind in kinds {
            done.push((kind, self.contact(kind, relay, stop, because, now).await?));
        }
        Ok(done)
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
        let links: Vec<LinkHash> = seats
            .iter()
            .map(|seat| {
                let token = self.link_secret.token(&self.campaign.id, seat.form, seat.link_version);
                LinkHash { form: seat.form, link_version: seat.link_version, hash: token.hash() }
            })
            .collect();
        self.ledger.store_links(&links).await?;
        if plan.owed.is_empty() {
            return Ok(sent);
        }
        let mails: Vec<NewMail> = plan
            .owed
            .iter()
            .map(|owed| NewMail {
                form: owed.form,
                holder: owed.holder,
                address_version: owed.address_version,
                kind: owed.kind,
                wave: owed.wave,
                message_id: Some(self.message_id(owed)),
            })
            .collect();
        sent.queued = self.ledger.enqueue(&mails, &because.act(now)).await?;
        Ok(sent)
    }

    async fn send_outbox(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        now: Timestamp,
        sent: &mut Sent,
    ) -> Result<(), DeskError> {
        let claimant = format!("{}-{}", std::process::id(), parsurvey_survey::hex(&crate::random_bytes()?[..4]));
        let closes = self.deadline().await?;
        let settled = Arc::clone(&relay.settled);
        let dkim = relay.route.dkim.clone();
        if dkim.as_ref().is_some_and(|dkim| !dkim.signs_for(&self.campaign.sender.address)) {
            return Err(DeskError::refused(
                "the key cannot sign for the sender's domain, which is not in ASCII",
                "write the domain in campaign.toml in its xn-- form",
            ));
        }
        let room = Arc::new(MailRoom { desk: Arc::clone(self), claimant, now, closes, settled, dkim });
        let result = parsurvey_dispatch::run(&relay.route, &relay.limits, room, stop).await;
        let summary = match &result {
            Ok(summary) => *summary,
            Err(RunError::Route { summary, .. } | RunError::Outbox { summary, .. }) => *summary,
        };
        sent.add(&summary);
        match result {
            Ok(summary) if summary.stopped => Err(DeskError::unfinished(
                format!("stopped as asked; {} mails were sent, {} wait", summary.accepted, summary.released),
                "run the command again to send the rest",
            )),
            Ok(_) => Ok(()),
            Err(error @ RunError::Route { .. }) => {
                Err(DeskError::unfinished(error.to_string(), "check --smtp and the relay, then run the command again"))
            }
            Err(RunError::Outbox { source: MailRoomError::Desk(error), .. }) => Err(error),
        }
    }

    /// A mail as a person would get it, with a dummy link and a made-up person.
    ///
    /// # Errors
    /// The campaign has no such contact.
    pub fn preview(&self, kind: MailKind, wave: u32) -> Result<template::Mail, DeskError> {
        let campaign = &self.campaign;
        let contact = campaign
            .contacts
            .iter()
            .find(|contact| contact.kind == kind && (kind != MailKind::Reminder || contact.wave == wave))
            .ok_or_else(|| {
                DeskError::refused("the campaign has no such contact", "look at its contacts in campaign.toml")
            })?;
        let seat = campaign.groups.iter().find_map(|group| {
            let target = group.forms.keys().next()?;
            Some((group, target, campaign.units.first()?))
        });
        let (group, target, unit) =
            seat.ok_or_else(|| DeskError::refused("the campaign has no group with a form", "add one to groups.toml"))?;
        let addressee =
            Addressee { name: "Nguyễn Văn A", group: &group.code, unit: &unit.code, target: &target.clone() };
        let link = (kind != MailKind::Prenotice).then(|| format!("{}/f/{}", self.link_base, "x".repeat(43)));
        let values = template::values(campaign, contact, addressee, link.as_deref(), &self.link_base, campaign.closes);
        template::render_mail(contact, &values)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))
    }

    fn message_id(&self, owed: &Owed) -> String {
        let domain = self.campaign.sender.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        message_id(&self.campaign.id, owed.form, owed.holder, owed.address_version, owed.kind, owed.wave, domain)
    }

    fn write(&self, mail: &ClaimedMail, now: Timestamp, closes: Timestamp) -> Result<Composed, DeskError> {
        let campaign = &self.campaign;
        let contact = campaign
            .contacts
            .iter()
            .find(|contact| contact.kind == mail.kind && contact.wave == mail.wave)
            .ok_or_else(|| {
            DeskError::refused(
                format!(
                    "the outbox holds a {} of wave {}, which the campaign no longer has",
                    mail.kind.as_str(),
                    mail.wave
                ),
                "put the contact back into campaign.toml",
            )
        })?;
        let token = self.link_secret.token(&campaign.id, mail.form, mail.link_version);
        let link = (mail.kind != MailKind::Prenotice).then(|| format!("{}/f/{}", self.link_base, token.expose()));
        let addressee = Addressee { name: &mail.name, group: &mail.group, unit: &mail.unit, target: &mail.target };
        let values = template::values(campaign, contact, addressee, link.as_deref(), &self.link_base, closes);
        let rendered = template::render_mail(contact, &values)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))?;
        let owed = Owed {
            form: mail.form,
            holder: mail.holder,
            address_version: mail.address_version,
            kind: mail.kind,
            wave: mail.wave,
        };
        compose(&Letter {
            from: Correspondent { name: campaign.sender.name.vi.clone(), address: campaign.sender.address.clone() },
            reply_to: campaign.sender.reply_to.clone(),
            to: Correspondent { name: mail.name.clone(), address: mail.email.clone() },
            subject: rendered.subject,
            text: rendered.text,
            html: rendered.html,
            message_id: self.message_id(&owed),
            date: now,
            language: "vi, en".to_owned(),
            link_secret: Some(token.expose().to_owned().into()),
        })
        .map_err(|error| {
            DeskError::refused(
                format!("the mail for form {} cannot be put together: {error}", mail.form),
                "mend what it names; the other mails were not held up",
            )
        })
    }
}

impl Sent {
    fn add(&mut self, summary: &Summary) {
        self.accepted += summary.accepted;
        self.rejected += summary.rejected;
        self.deferred += summary.transient;
        self.unknown += summary.unknown;
        self.released += summary.released;
    }
}

/// The ledger's outbox as the engine sees it.
struct MailRoom {
    desk: Arc<Desk>,
    claimant: String,
    now: Timestamp,
    closes: Timestamp,
    settled: Arc<AtomicU64>,
    dkim: Option<Dkim>,
}

impl MailRoom {
    /// The mail as it leaves: composed, and signed where there is a key.
    fn write(&self, mail: &ClaimedMail) -> Result<Composed, DeskError> {
        let composed = self.desk.write(mail, self.now, self.closes)?;
        match &self.dkim {
            None => Ok(composed),
            Some(dkim) => composed.signed(dkim).map_err(|error| {
                DeskError::refused(error.to_string(), "check the key and the sender's address in campaign.toml")
            }),
        }
    }
}

/// Why the outbox could not do it.
#[derive(Debug, thiserror::Error)]
enum MailRoomError {
    #[error("{0}")]
    Desk(#[from] DeskError),
}

impl Outbox for MailRoom {
    type Error = MailRoomError;

    async fn claim(&self, limit: usize) -> Result<Vec<Job>, MailRoomError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        loop {
            let claimed = self.desk.ledger.claim(&self.claimant, limit, self.now).await.map_err(DeskError::from)?;
            if claimed.is_empty() {
                return Ok(Vec::new());
            }
            let mut jobs = Vec::new();
            for mail in &claimed {
                match self.write(mail) {
                    Ok(composed) => jobs.push(Job { id: mail.mail, mail: composed }),
                    Err(error) => {
                        // One person's faulty data stops nobody else; the mail is shown as rejected with the reason.
                        let outcome = parsurvey_ledger::Outcome {
                            result: OutcomeResult::Rejected,
                            stage: "compose".to_owned(),
                            code: None,
                            enhanced: None,
                            text: error.to_string(),
                            at: self.now,
                            retry_at: None,
                        };
                        self.desk
                            .ledger
                            .record_outcome(mail.mail, &self.claimant, &outcome)
                            .await
                            .map_err(DeskError::from)?;
                    }
                }
            }
            if !jobs.is_empty() {
                return Ok(jobs);
            }
        }
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), MailRoomError> {
        self.settled.fetch_add(1, Ordering::Relaxed);
        let (result, retry_at) = match delivery.outcome {
            Outcome::Accepted => (OutcomeResult::Accepted, None),
            Outcome::RejectedPermanent => (OutcomeResult::Rejected, None),
            Outcome::RejectedTransient => (OutcomeResult::Deferred, self.now.checked_add(RETRY_AFTER).ok()),
            Outcome::RouteFailed => (OutcomeResult::RouteFailed, None),
            // A claim without an outcome is what unknown means in the ledger.
            Outcome::Unknown => return Ok(()),
        };
        let outcome = parsurvey_ledger::Outcome {
            result,
            stage: delivery.stage.as_str().to_owned(),
            code: delivery.code,
            enhanced: delivery.enhanced.map(|code| code.to_string()),
            text: delivery.text.clone(),
            at: self.now,
            retry_at,
        };
        Ok(self.desk.ledger.record_outcome(id, &self.claimant, &outcome).await.map_err(DeskError::from)?)
    }

    async fn release(&self, ids: &[JobId]) -> Result<(), MailRoomError> {
        self.desk.ledger.release_claims(&self.claimant, ids).await.map_err(DeskError::from)?;
        Ok(())
    }
}
