//! Drafts: sealed answers of forms that are not handed in yet. The ledger cannot read them.
//!
//! One row per form, overwritten at every saving, without time or count. A draft goes with the submission, with the link,
//! or with the closing. Savings are no entries of the event log: it would tell how long somebody hesitated over what.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::error::Result;
use crate::respond::{Arrival, Became, Refusal, What};
use crate::sql::{Tx, in_order, members, pieces};

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
        let what = What::Draft { before: before.map(<[u8]>::to_vec), draft: draft.to_vec(), starts };
        Ok(match self.arrive(Arrival { form, link_version, now, what }).await? {
            Became::Stored => DraftResult::Saved,
            Became::Meanwhile => DraftResult::Meanwhile,
            Became::Nothing => DraftResult::AlreadySubmitted,
            Became::Refused(refusal) => DraftResult::Refused(refusal),
        })
    }
}

/// The drafts of these forms, sealed.
pub(crate) async fn drafts_of(tx: &mut Tx, forms: &[FormId]) -> Result<BTreeMap<FormId, Vec<u8>>> {
    let mut found = BTreeMap::new();
    for piece in pieces(forms) {
        let sql = format!("SELECT form, ciphertext FROM draft WHERE form IN ({})", members(1, piece.len()));
        let mut query = sqlx::query_as::<Any, (i64, Vec<u8>)>(in_order(tx, sql));
        for form in piece {
            query = query.bind(*form);
        }
        found.extend(query.fetch_all(&mut **tx).await?);
    }
    Ok(found)
}

pub(crate) async fn drop_draft(tx: &mut Tx, form: FormId) -> Result<()> {
    sqlx::query("DELETE FROM draft WHERE form = $1").bind(form).execute(&mut **tx).await?;
    Ok(())
}
