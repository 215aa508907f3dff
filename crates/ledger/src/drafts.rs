//! Drafts: sealed answers of forms that are not handed in yet. The ledger cannot read them.
//!
//! One row per form, overwritten at every saving, without time or count. A draft goes with the submission, with the link,
//! or with the closing. Savings are no entries of the event log: it would tell how long somebody hesitated over what.

use jiff::Timestamp;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::error::Result;
use crate::respond::{Refusal, mark_started, refusal};
use crate::seats::seat_row;
use crate::sql::Tx;

/// What became of saving a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DraftResult {
    /// Saved.
    Saved,
    /// Not saved: another draft stands there than the one that this was made from. Look again.
    Meanwhile,
    /// Not saved: the form is handed in.
    AlreadySubmitted,
    /// Not saved.
    Refused(Refusal),
}

impl Ledger {
    /// The form's draft, sealed; `None` where there is none.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn draft(&self, form: FormId) -> Result<Option<Vec<u8>>> {
        let query = sqlx::query_scalar::<Any, Vec<u8>>("SELECT ciphertext FROM draft WHERE form = $1").bind(form);
        Ok(query.fetch_optional(&mut *self.read().await?).await?)
    }

    /// Saves a draft made from the one that stood there `before`, so that of two devices neither overwrites what the
    /// other one saved meanwhile. `starts`: a chosen option has arrived in time, which is recorded when it is the first.
    ///
    /// # Errors
    /// [`crate::LedgerError::NotFound`]: no such form. The ledger cannot be written.
    pub async fn save_draft(
        &self,
        (form, link_version): (FormId, u32),
        before: Option<&[u8]>,
        draft: &[u8],
        starts: bool,
        now: Timestamp,
    ) -> Result<DraftResult> {
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        if seat.completed.is_some() {
            return Ok(DraftResult::AlreadySubmitted);
        }
        if let Some(refusal) = refusal(&head, &seat, link_version) {
            return Ok(DraftResult::Refused(refusal));
        }
        let query = match before {
            None => sqlx::query("INSERT INTO draft (form, ciphertext) VALUES ($1, $2) ON CONFLICT (form) DO NOTHING"),
            Some(_) => sqlx::query("UPDATE draft SET ciphertext = $2 WHERE form = $1 AND ciphertext = $3"),
        };
        let query = query.bind(form).bind(draft);
        let query = if let Some(before) = before { query.bind(before) } else { query };
        if query.execute(&mut *tx).await?.rows_affected() == 0 {
            return Ok(DraftResult::Meanwhile);
        }
        if starts && seat.started.is_none() {
            mark_started(&mut tx, &mut head, form, now).await?;
        }
        tx.commit().await?;
        Ok(DraftResult::Saved)
    }
}

pub(crate) async fn drop_draft(tx: &mut Tx, form: FormId) -> Result<()> {
    sqlx::query("DELETE FROM draft WHERE form = $1").bind(form).execute(&mut **tx).await?;
    Ok(())
}
