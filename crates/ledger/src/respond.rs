//! What arrives through a link: a beginning, a submission, a refusal.
//!
//! A submission writes the completion and the sealed ballot in one transaction and can write no second one.
//! Whether it came in time is decided above: the ledger knows no declared deadline.

use jiff::Timestamp;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, to_millis};
use crate::ballots::Ballot;
use crate::campaign::{CampaignState, Head};
use crate::drafts::drop_draft;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::seats::{SeatRow, seat_row};
use crate::sql::Tx;

/// What became of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitResult {
    /// Stored, once.
    Stored,
    /// The form had been submitted before; this ballot was not stored.
    AlreadySubmitted,
    /// Not stored.
    Refused(Refusal),
}

/// Why nothing is accepted for a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The campaign is in a state in which no form is accepted.
    NotInviting(CampaignState),
    /// The link was replaced or revoked.
    OldLink,
    /// The seat has another target or group than the ballot was sealed for; nothing else stands in its way.
    Moved,
    /// The seat is excused.
    Excused,
    /// The seat left the frame.
    Ineligible,
}

impl Ledger {
    /// Records that a chosen option has arrived. `false` where that was recorded before or the form takes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn record_started(&self, form: FormId, link_version: u32, now: Timestamp) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        if seat.started.is_some() || seat.completed.is_some() || refusal(&head, &seat, link_version).is_some() {
            return Ok(false);
        }
        mark_started(&mut tx, &mut head, form, now).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Stores a submission: the completion, and the ballot sealed for the key holder. A refusal recorded earlier is
    /// taken back by it. The ballot's target and group are compared with the seat's, which a roster may have moved.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. `Conflict`: the ballot has another size than those stored, which
    /// would tell ballots apart. The ledger cannot be written.
    pub async fn submit(
        &self,
        form: FormId,
        link_version: u32,
        ballot: &Ballot,
        now: Timestamp,
    ) -> Result<SubmitResult> {
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        // Asked first: whoever submits twice is told so, also after the closing.
        if seat.completed.is_some() {
            return Ok(SubmitResult::AlreadySubmitted);
        }
        if let Some(refusal) = refusal(&head, &seat, link_version) {
            return Ok(SubmitResult::Refused(refusal));
        }
        if !seat.is_of(&ballot.target, &ballot.group) {
            return Ok(SubmitResult::Refused(Refusal::Moved));
        }
        require_same_size(&mut tx, ballot.ciphertext.len()).await?;
        sqlx::query("UPDATE seat SET completed = $1, declined = 0, too_late = 0 WHERE form = $2")
            .bind(to_millis(now))
            .bind(form)
            .execute(&mut *tx)
            .await?;
        sqlx::query("INSERT INTO ballot (form, ciphertext) VALUES ($1, $2)")
            .bind(form)
            .bind(ballot.ciphertext.as_slice())
            .execute(&mut *tx)
            .await?;
        drop_draft(&mut tx, form).await?;
        head.append(&mut tx, &Act::of_respondent(now), Entry::of("submitted").form(form)).await?;
        tx.commit().await?;
        Ok(SubmitResult::Stored)
    }

    /// Puts a ballot in the place of the one that the form was completed with. The completion, its time, the log and all
    /// counts stay as they were: nothing that anybody is shown tells that this happened.
    ///
    /// # Errors
    /// As [`Ledger::submit`]; [`LedgerError::NotFound`] also where the form has no ballot to replace.
    pub async fn revise(&self, form: FormId, link_version: u32, ballot: &Ballot) -> Result<SubmitResult> {
        let (mut tx, head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        if let Some(refusal) = refusal(&head, &seat, link_version) {
            return Ok(SubmitResult::Refused(refusal));
        }
        if !seat.is_of(&ballot.target, &ballot.group) {
            return Ok(SubmitResult::Refused(Refusal::Moved));
        }
        require_same_size(&mut tx, ballot.ciphertext.len()).await?;
        let replaced = sqlx::query("UPDATE ballot SET ciphertext = $1 WHERE form = $2")
            .bind(ballot.ciphertext.as_slice())
            .bind(form)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if replaced == 0 {
            return Err(LedgerError::NotFound("the ballot to replace"));
        }
        tx.commit().await?;
        Ok(SubmitResult::Stored)
    }

    /// Records that a submission came too late; nothing of it is stored. `false` where there was nothing to record, or
    /// the link is an old one.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn record_too_late(&self, form: FormId, link_version: u32, now: Timestamp) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        let fits = matches!(head.state, CampaignState::Inviting | CampaignState::Closed);
        if !fits || seat.is_past(link_version) || seat.completed.is_some() || seat.too_late != 0 {
            return Ok(false);
        }
        sqlx::query("UPDATE seat SET too_late = 1 WHERE form = $1").bind(form).execute(&mut *tx).await?;
        head.append(&mut tx, &Act::of_respondent(now), Entry::of("too_late").form(form)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Records a refusal through the link, or takes it back. `false` where that changes nothing, the link is an old
    /// one, or the form takes nothing any more.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn set_declined(&self, form: FormId, link_version: u32, declined: bool, now: Timestamp) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        let idle = seat.completed.is_some() || seat.ineligible != 0 || (seat.declined != 0) == declined;
        if idle || seat.is_past(link_version) || head.state != CampaignState::Inviting {
            return Ok(false);
        }
        sqlx::query("UPDATE seat SET declined = $1, ever_declined = 1 WHERE form = $2")
            .bind(i64::from(declined))
            .bind(form)
            .execute(&mut *tx)
            .await?;
        let kind = if declined { "declined" } else { "decline_withdrawn" };
        head.append(&mut tx, &Act::of_respondent(now), Entry::of(kind).form(form)).await?;
        tx.commit().await?;
        Ok(true)
    }
}

pub(crate) async fn mark_started(tx: &mut Tx, head: &mut Head, form: FormId, now: Timestamp) -> Result<()> {
    sqlx::query("UPDATE seat SET started = $1 WHERE form = $2")
        .bind(to_millis(now))
        .bind(form)
        .execute(&mut **tx)
        .await?;
    head.append(tx, &Act::of_respondent(now), Entry::of("started").form(form)).await
}

pub(crate) fn refusal(head: &Head, seat: &SeatRow, link_version: u32) -> Option<Refusal> {
    if head.state != CampaignState::Inviting {
        Some(Refusal::NotInviting(head.state))
    } else if seat.is_past(link_version) {
        Some(Refusal::OldLink)
    } else if seat.ineligible != 0 {
        Some(Refusal::Ineligible)
    } else if seat.excused.is_some() {
        Some(Refusal::Excused)
    } else {
        None
    }
}

async fn require_same_size(tx: &mut Tx, n_bytes: usize) -> Result<()> {
    let stored = sqlx::query_scalar::<Any, i64>("SELECT CAST(LENGTH(ciphertext) AS BIGINT) FROM ballot LIMIT 1")
        .fetch_optional(&mut **tx)
        .await?;
    match stored {
        Some(size) if usize::try_from(size) != Ok(n_bytes) => {
            Err(LedgerError::conflict("the ballot has another size than those in the box"))
        }
        Some(_) | None => Ok(()),
    }
}
