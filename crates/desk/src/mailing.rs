//! Sending what is owed: one outbox row per person, address, kind and wave; claimed before it is sent; outcome kept.
//!
//! Running an act twice, or by two people at once, queues and sends nothing twice. What was refused for good, and a claim
//! without an outcome, which is unknown, is shown and never sent again by itself.

mod clock;
mod room;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use parsurvey_dispatch::{
    Composed, Correspondent, Letter, Route, RunError, RunLimits, Stop, Summary, compose, message_id,
};
use parsurvey_ledger::{Again, CampaignState, ClaimedMail, LinkHash, MadeReady, NewMail, Stage};
use parsurvey_survey::campaign::{Contact, MailKind};
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::plan::{self, Owed, Pace, Plan, Skip};
use parsurvey_survey::seat::{FormId, Seat};
use parsurvey_survey::template::{self, Addressee};
use parsurvey_survey::{calendar, freeze};

use crate::{Because, Desk, DeskError};

pub use clock::Clock;
use room::{MailRoom, MailRoomError};

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
    /// Mails that could not be put together: given back, waiting in the outbox, and nobody else was held up.
    pub unwritten: Vec<Unwritten>,
    /// What the relay said when it last refused a mail for good.
    pub refusal: Option<String>,
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
        let plan = plan::plan(&contact, &seats, Pace::of(&self.campaign), now);
        let mut sent = self.queue(&plan, &seats, because, now).await?;
        self.send_outbox(relay, stop, clock, deadline, because, &mut sent).await?;
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
        clock: impl Into<Clock>,
    ) -> Result<Vec<(MailKind, Sent)>, DeskError> {
        let clock = clock.into();
        let mut done = Vec::new();
        for kind in self.due_kinds(clock.now()) {
            done.push((kind, self.contact(kind, relay, stop, because, clock.clone()).await?));
        }
        Ok(done)
    }

    /// Makes mails of a contact that were refused for good, or are unknown, ready once more; the next sending sends them.
    /// `None` is every contact that is due. People who owe no answer or had a later contact are left alone.
    ///
    /// # Errors
    /// No reason, nothing due, or the survey is closed.
    pub async fn make_ready_again(
        &self,
        kind: Option<MailKind>,
        again: Again,
        because: &Because,
        now: Timestamp,
    ) -> Result<MadeReady, DeskError> {
        if because.reason.trim().is_empty() {
            return Err(DeskError::refused(
                "sending mails again needs --reason",
                "say what has changed since; the log keeps it",
            ));
        }
        let kinds = kind.map_or_else(|| self.due_kinds(now), |kind| vec![kind]);
        let mut made = MadeReady::default();
        for kind in kinds {
            let wave = self.due_contact(kind, now)?.wave;
            let more = self.ledger.make_ready_again(kind, wave, again, &because.act(now)).await?;
            made.mails += more.mails;
            made.in_hand += more.in_hand;
        }
        Ok(made)
    }

    fn due_kinds(&self, now: Timestamp) -> Vec<MailKind> {
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
        clock: Clock,
        closes: Timestamp,
        because: &Because,
        sent: &mut Sent,
    ) -> Result<(), DeskError> {
        let claimant = format!("{}-{}", std::process::id(), parsurvey_survey::hex(&crate::random_bytes()?[..4]));
        if relay.route.dkim.as_ref().is_some_and(|dkim| !dkim.signs_for(&self.campaign.sender.address)) {
            return Err(DeskError::refused(
                "the key cannot sign for the sender's domain, which is not in ASCII",
                "write the domain in campaign.toml in its xn-- form",
            ));
        }
        self.ready_return_paths(because, clock.now()).await?;
        let room = Arc::new(MailRoom::new(Arc::clone(self), relay, claimant, clock, closes));
        let result = parsurvey_dispatch::run(&relay.route, &relay.limits, Arc::clone(&room), stop).await;
        // However the run ended: what was never put together was provably not sent.
        let given_back = room.give_back().await;
        (sent.unwritten, sent.refusal) = (room.unwritten(), room.refusal());
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
            Ok(summary) if room.is_past_deadline() => Err(DeskError::refused(
                format!("the deadline passed while mails were sent; {} were sent, the others wait", summary.accepted),
                "extend it with `parsurvey extend` and run the command again, or close the survey",
            )),
            Ok(_) => given_back,
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
            return_path: self.return_path(mail.mail)?,
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
                format!("the mail cannot be put together: {error}"),
                "mend what it names and run the command again",
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
