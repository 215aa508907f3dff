//! The few calls the pages make of the rest of the house, and the clock they run on.
//!
//! The pages are written against [`Respond`], so that they can be tried without a ledger; [`Desk`] is the only
//! implementation outside tests. No call here returns an answer that was handed in.

use std::future::Future;

use jiff::Timestamp;
use parsurvey_desk::drafts::Saving;
use parsurvey_desk::respond::{Answers, Changes, Submission, Visit};
use parsurvey_desk::{Desk, DeskError};
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::chase::Chase;
use parsurvey_survey::status::Status;

/// Where `now` comes from: the system's clock, or a campaign clock in a rehearsal.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// What the pages ask of the desk. The calls mean what the desk's functions of the same names say.
pub(crate) trait Respond: Send + Sync + 'static {
    fn campaign(&self) -> &Campaign;

    fn visit(&self, token: &str, now: Timestamp) -> impl Future<Output = Result<Visit, DeskError>> + Send;

    fn saves_drafts(&self) -> bool;

    fn save_draft(
        &self,
        token: &str,
        changes: &Changes,
        now: Timestamp,
    ) -> impl Future<Output = Result<Saving, DeskError>> + Send;

    fn submit(
        &self,
        token: &str,
        answers: &Answers,
        now: Timestamp,
    ) -> impl Future<Output = Result<Submission, DeskError>> + Send;

    fn revise(
        &self,
        token: &str,
        answers: &Answers,
        now: Timestamp,
    ) -> impl Future<Output = Result<Submission, DeskError>> + Send;

    fn set_declined(
        &self,
        token: &str,
        declined: bool,
        now: Timestamp,
    ) -> impl Future<Output = Result<Visit, DeskError>> + Send;

    /// Queues a link for whoever is listed under the address; says nothing of it.
    fn ask_for_link(&self, address: &str, now: Timestamp) -> impl Future<Output = Result<(), DeskError>> + Send;

    /// Counts of forms by respondent group.
    fn status(&self, now: Timestamp) -> impl Future<Output = Result<Status, DeskError>> + Send;

    /// Counts of forms by unit and group.
    fn chase(&self, now: Timestamp) -> impl Future<Output = Result<Chase, DeskError>> + Send;
}

impl Respond for Desk {
    fn campaign(&self) -> &Campaign {
        Desk::campaign(self)
    }

    async fn visit(&self, token: &str, now: Timestamp) -> Result<Visit, DeskError> {
        Desk::visit(self, token, now).await
    }

    fn saves_drafts(&self) -> bool {
        Desk::saves_drafts(self)
    }

    async fn save_draft(&self, token: &str, changes: &Changes, now: Timestamp) -> Result<Saving, DeskError> {
        Desk::save_draft(self, token, changes, now).await
    }

    async fn submit(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        Desk::submit(self, token, answers, now).await
    }

    async fn revise(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        Desk::revise(self, token, answers, now).await
    }

    async fn set_declined(&self, token: &str, declined: bool, now: Timestamp) -> Result<Visit, DeskError> {
        Desk::set_declined(self, token, declined, now).await
    }

    async fn ask_for_link(&self, address: &str, now: Timestamp) -> Result<(), DeskError> {
        Desk::ask_for_link(self, address, now).await
    }

    async fn status(&self, now: Timestamp) -> Result<Status, DeskError> {
        self.status_by_group(now).await
    }

    async fn chase(&self, now: Timestamp) -> Result<Chase, DeskError> {
        Desk::chase(self, now).await
    }
}
