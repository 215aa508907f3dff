//! The ledger's outbox as the sending engine sees it: claims are put together here, outcomes are recorded.
//!
//! A mail that cannot be put together holds up nobody and is not taken for refused: it is kept aside until the run ends and
//! then given back. After the deadline nothing more is handed out.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use parsurvey_dispatch::{Composed, Delivery, Dkim, Job, JobId, Outbox, Outcome};
use parsurvey_ledger::{ClaimedMail, OutcomeResult};

use super::{Clock, Relay, Unwritten};
use crate::{Desk, DeskError};

/// A mail refused for now is not offered again before this has passed; what comes later is the next run's business.
const RETRY_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// The ledger's outbox for one run.
pub(super) struct MailRoom {
    desk: Arc<Desk>,
    claimant: String,
    clock: Clock,
    closes: Timestamp,
    settled: Arc<AtomicU64>,
    dkim: Option<Dkim>,
    past_deadline: AtomicBool,
    aside: Mutex<Aside>,
}

/// What a run leaves for its report.
#[derive(Default)]
struct Aside {
    claims: Vec<JobId>,
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
    pub(super) fn new(desk: Arc<Desk>, relay: &Relay, claimant: String, clock: Clock, closes: Timestamp) -> Self {
        Self {
            desk,
            claimant,
            clock,
            closes,
            settled: Arc::clone(&relay.settled),
            dkim: relay.route.dkim.clone(),
            past_deadline: AtomicBool::new(false),
            aside: Mutex::default(),
        }
    }

    /// The mail as it leaves: composed, and signed where there is a key.
    fn write(&self, mail: &ClaimedMail, now: Timestamp) -> Result<Composed, DeskError> {
        let composed = self.desk.write(mail, now, self.closes)?;
        match &self.dkim {
            None => Ok(composed),
            Some(dkim) => composed.signed(dkim).map_err(|error| {
                DeskError::refused(error.to_string(), "check the key and the sender's address in campaign.toml")
            }),
        }
    }

    /// Gives back what was claimed and could not be put together.
    pub(super) async fn give_back(&self) -> Result<(), DeskError> {
        let claims = std::mem::take(&mut self.aside().claims);
        if !claims.is_empty() {
            self.desk.ledger.release_claims(&self.claimant, &claims).await?;
        }
        Ok(())
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
        aside.claims.push(mail);
        aside.unwritten.push(Unwritten { form, reason, remedy });
    }
}

impl Outbox for MailRoom {
    type Error = MailRoomError;

    async fn claim(&self, limit: usize) -> Result<Vec<Job>, MailRoomError> {
        let limit = u32::try_from(limit).unwrap_or(u32::MAX);
        loop {
            let now = self.clock.now();
            if now > self.closes {
                self.past_deadline.store(true, Ordering::Relaxed);
                return Ok(Vec::new());
            }
            let claimed = self.desk.ledger.claim(&self.claimant, limit, now).await.map_err(DeskError::from)?;
            if claimed.is_empty() {
                return Ok(Vec::new());
            }
            // From here to the end nothing can fail: a claim is either handed out or kept aside.
            let mut jobs = Vec::new();
            for mail in &claimed {
                match self.write(mail, now) {
                    Ok(composed) => jobs.push(Job { id: mail.mail, mail: composed }),
                    Err(error) => self.set_aside(mail.mail, mail.form, &error),
                }
            }
            if !jobs.is_empty() {
                return Ok(jobs);
            }
        }
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), MailRoomError> {
        self.settled.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        let (result, retry_at) = match delivery.outcome {
            Outcome::Accepted => (OutcomeResult::Accepted, None),
            Outcome::RejectedPermanent => (OutcomeResult::Rejected, None),
            Outcome::RejectedTransient => (OutcomeResult::Deferred, now.checked_add(RETRY_AFTER).ok()),
            Outcome::RouteFailed => (OutcomeResult::RouteFailed, None),
            // A claim without an outcome is what unknown means in the ledger.
            Outcome::Unknown => return Ok(()),
        };
        if result == OutcomeResult::Rejected {
            let code = delivery.code.map(|code| format!("{code} ")).unwrap_or_default();
            self.aside().refusal = Some(format!("{code}{}", delivery.text));
        }
        let outcome = parsurvey_ledger::Outcome {
            result,
            stage: delivery.stage.as_str().to_owned(),
            code: delivery.code,
            enhanced: delivery.enhanced.map(|code| code.to_string()),
            text: delivery.text.clone(),
            at: now,
            retry_at,
        };
        Ok(self.desk.ledger.record_outcome(id, &self.claimant, &outcome).await.map_err(DeskError::from)?)
    }

    async fn release(&self, ids: &[JobId]) -> Result<(), MailRoomError> {
        self.desk.ledger.release_claims(&self.claimant, ids).await.map_err(DeskError::from)?;
        Ok(())
    }
}
