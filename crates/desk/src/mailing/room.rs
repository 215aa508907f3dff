//! The ledger's outbox as the sending engine sees it: leases are handed out here, mails written, marked and settled.
//!
//! A mail that cannot be put together holds up nobody and is not taken for refused: it is kept aside until the run ends and
//! then given back. After the deadline, and outside the hours of sending, nothing more is handed out.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use parsurvey_dispatch::{Composed, Consequence, Delivery, Dkim, JobId, Outbox, Outcome, Peer, Ticket};
use parsurvey_ledger::{Act, Dispatcher, LeasedMail, Mark, Marked};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::Settled;
use parsurvey_survey::template::Templates;

use super::{Clock, Relay, Unwritten};
use crate::{Desk, DeskError};

/// The ledger's outbox for one run.
pub(super) struct MailRoom {
    desk: Arc<Desk>,
    dispatcher: Dispatcher,
    clock: Clock,
    closes: Timestamp,
    settled: Arc<AtomicU64>,
    dkim: Option<Dkim>,
    past_deadline: AtomicBool,
    past_hours: AtomicBool,
    /// Sending was paused, or the survey closed, since the run began.
    halted: AtomicBool,
    /// Refusals for reasons of policy so far.
    policy_refusals: AtomicU32,
    aside: Mutex<Aside>,
    /// Those that were read so far, by kind and wave.
    templates: Mutex<BTreeMap<(MailKind, u32), Arc<Templates>>>,
}

/// What a run leaves for its report.
#[derive(Default)]
struct Aside {
    leased: Vec<JobId>,
    unwritten: Vec<Unwritten>,
    refusal: Option<String>,
}

/// Why the outbox could not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum MailRoomError {
    #[error("{0}")]
    Desk(#[from] DeskError),
}

impl MailRoom {
    pub(super) fn new(desk: Arc<Desk>, relay: &Relay, dispatcher: Dispatcher, clock: Clock, closes: Timestamp) -> Self {
        Self {
            desk,
            dispatcher,
            clock,
            closes,
            settled: Arc::clone(&relay.settled),
            dkim: relay.way.dkim().cloned(),
            past_deadline: AtomicBool::new(false),
            past_hours: AtomicBool::new(false),
            halted: AtomicBool::new(false),
            policy_refusals: AtomicU32::new(0),
            aside: Mutex::default(),
            templates: Mutex::default(),
        }
    }

    /// Gives back what was leased and could not be put together, and leaves the ledger.
    pub(super) async fn leave(self) -> Result<(), DeskError> {
        let leased = std::mem::take(&mut self.aside().leased);
        if !leased.is_empty() {
            self.dispatcher.give_back(leased).await?;
        }
        let commits = self.dispatcher.commits();
        tracing::info!(commits = commits.commits, records = commits.records, "the ledger's writer");
        Ok(self.dispatcher.end().await?)
    }

    pub(super) fn unwritten(&self) -> Vec<Unwritten> {
        self.aside().unwritten.clone()
    }

    pub(super) fn refusal(&self) -> Option<String> {
        self.aside().refusal.clone()
    }

    /// Whether the run ended because the deadline passed.
    pub(super) fn is_past_deadline(&self) -> bool {
        self.past_deadline.load(Ordering::Relaxed)
    }

    /// Whether the run ended because the hours of sending were over.
    pub(super) fn is_past_hours(&self) -> bool {
        self.past_hours.load(Ordering::Relaxed)
    }

    fn aside(&self) -> MutexGuard<'_, Aside> {
        // Every hold is a plain assignment, so that a panic elsewhere leaves it whole.
        self.aside.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_aside(&self, mail: JobId, form: i64, error: &DeskError) {
        let (reason, remedy) = match error {
            DeskError::Refused { reason, remedy } | DeskError::Unfinished { reason, remedy } => {
                (reason.clone(), remedy.clone())
            }
            DeskError::Faults { .. } => (error.to_string(), "run `parsurvey check`".to_owned()),
        };
        let mut aside = self.aside();
        aside.leased.push(mail);
        aside.unwritten.push(Unwritten { form, reason, remedy });
    }

    /// The mail as it leaves: composed, and signed where there is a key.
    fn compose(&self, mail: &LeasedMail) -> Result<Composed, DeskError> {
        let templates = self.templates(mail.kind, mail.wave)?;
        let composed = self.desk.write(mail, &templates, self.closes)?;
        match &self.dkim {
            None => Ok(composed),
            Some(dkim) => composed.signed(dkim).map_err(|error| {
                DeskError::refused(error.to_string(), "check the key and the sender's address in campaign.toml")
            }),
        }
    }

    fn templates(&self, kind: MailKind, wave: u32) -> Result<Arc<Templates>, DeskError> {
        let mut read = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(templates) = read.get(&(kind, wave)) {
            return Ok(Arc::clone(templates));
        }
        let templates = Arc::new(self.desk.templates(kind, wave)?);
        read.insert((kind, wave), Arc::clone(&templates));
        Ok(templates)
    }

    /// Whether mails may leave now, by the deadline and by the hours.
    fn may_leave(&self, now: Timestamp) -> bool {
        let campaign = &self.desk.campaign;
        if now > self.closes {
            self.past_deadline.store(true, Ordering::Relaxed);
            return false;
        }
        let hours = campaign.sending.hours.as_ref();
        let is_open = hours.is_none_or(|hours| hours.is_open(now, &campaign.time_zone, &campaign.holidays));
        if !is_open {
            self.past_hours.store(true, Ordering::Relaxed);
        }
        is_open
    }

    /// Pauses the campaign where a refusal says that going on makes it worse.
    async fn see_to(&self, delivery: &Delivery, now: Timestamp) -> Result<(), DeskError> {
        let what = match delivery.consequence() {
            Consequence::None | Consequence::StopAddress => return Ok(()),
            Consequence::PauseForPolicy => {
                let refusals = self.policy_refusals.fetch_add(1, Ordering::Relaxed) + 1;
                if refusals < self.desk.campaign.sending.pause_after {
                    return Ok(());
                }
                "the relay refused a mail for reasons of policy or as spam"
            }
            Consequence::PauseForOurFault => "the relay says that our mail or sender is at fault",
        };
        let act = Act { reason: format!("{what}: {}", words(delivery)), ..Act::plain(now, "parsurvey") };
        self.desk.ledger.pause(&act).await?;
        self.halted.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Asked where the ledger hands nothing out or withholds a mail, which may be for this one alone.
    async fn look_whether_halted(&self) -> Result<(), DeskError> {
        if !self.desk.ledger.may_send().await? {
            self.halted.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The relay's codes and words.
fn words(delivery: &Delivery) -> String {
    let code = delivery.code.map(|code| format!("{code} ")).unwrap_or_default();
    let enhanced = delivery.enhanced.map(|enhanced| format!("{enhanced} ")).unwrap_or_default();
    format!("{code}{enhanced}{}", delivery.text)
}

impl Outbox for MailRoom {
    type Error = MailRoomError;
    type Content = LeasedMail;

    async fn claim(&self, limit: usize) -> Result<Vec<Ticket<LeasedMail>>, MailRoomError> {
        let now = self.clock.now();
        if !self.may_leave(now) {
            return Ok(Vec::new());
        }
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        let leased = self.dispatcher.lease(limit, now).await.map_err(DeskError::from)?;
        if leased.is_empty() {
            self.look_whether_halted().await?;
        }
        let ticket = |mail: LeasedMail| {
            let domain = mail.email.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
            Ticket { id: mail.mail, domain, content: mail }
        };
        Ok(leased.into_iter().map(ticket).collect())
    }

    fn write(&self, ticket: &Ticket<LeasedMail>) -> Option<Composed> {
        match self.compose(&ticket.content) {
            Ok(composed) => Some(composed),
            Err(error) => {
                self.set_aside(ticket.id, ticket.content.form, &error);
                None
            }
        }
    }

    async fn mark(&self, id: JobId, sha256: &str, peer: &Peer) -> Result<bool, MailRoomError> {
        let at = self.clock.now();
        let mark = Mark { mail: id, sha256: sha256.to_owned(), peer: peer.to_string(), at };
        if !self.may_leave(at) {
            self.dispatcher.give_back(vec![id]).await.map_err(DeskError::from)?;
            return Ok(false);
        }
        match self.dispatcher.mark(mark).await.map_err(DeskError::from)? {
            Marked::MayLeave => Ok(true),
            Marked::Withheld => {
                self.look_whether_halted().await?;
                Ok(false)
            }
            Marked::TooLate => {
                let unsent = parsurvey_ledger::Outcome {
                    settled: Settled::NotSent,
                    stage: "data".to_owned(),
                    code: None,
                    enhanced: None,
                    text: "this dispatcher slept beyond its lease".to_owned(),
                    peer: None,
                    at: self.clock.now(),
                    dice: 0,
                    stops_address: None,
                };
                self.dispatcher.outcome(id, unsent).await.map_err(DeskError::from)?;
                Ok(false)
            }
        }
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), MailRoomError> {
        self.settled.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let settled = match delivery.outcome {
            Outcome::Accepted => Settled::Accepted,
            Outcome::RejectedPermanent => Settled::Rejected,
            Outcome::RejectedTransient => Settled::Deferred,
            Outcome::RouteFailed => Settled::NotSent,
            Outcome::Unknown => Settled::Unknown,
        };
        if settled == Settled::Rejected {
            self.aside().refusal = Some(words(delivery));
        }
        let outcome = parsurvey_ledger::Outcome {
            settled,
            stage: delivery.stage.as_str().to_owned(),
            code: delivery.code,
            enhanced: delivery.enhanced.map(|code| code.to_string()),
            text: delivery.text.clone(),
            peer: delivery.peer.as_deref().map(ToString::to_string),
            at: now,
            dice: dice(id, now),
            stops_address: (delivery.consequence() == Consequence::StopAddress).then_some("refused"),
        };
        self.dispatcher.outcome(id, outcome).await.map_err(DeskError::from)?;
        Ok(self.see_to(delivery, now).await?)
    }

    fn is_shut(&self) -> bool {
        self.is_past_deadline() || self.is_past_hours() || self.halted.load(Ordering::Relaxed)
    }

    async fn release(&self, ids: &[JobId]) -> Result<(), MailRoomError> {
        self.dispatcher.give_back(ids.to_vec()).await.map_err(DeskError::from)?;
        Ok(())
    }
}

/// A byte that differs from mail to mail and from try to try. It spreads the next tries and protects nothing.
fn dice(id: JobId, now: Timestamp) -> u8 {
    let mixed = id.wrapping_mul(0x9E37_79B9_7F4A_7C15_u64.cast_signed()).wrapping_add(now.as_millisecond());
    mixed.wrapping_mul(0x2545_F491_4F6C_DD1D).to_be_bytes()[0]
}
