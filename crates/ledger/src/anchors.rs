//! Anchors as the ledger records them: which head of the log was mailed on which day, and what became of the mail.
//!
//! As a letter to a unit, an anchor is claimed, durably, before it is sent, and a claim without an outcome is unknown: it
//! is never sent again by itself. The next day's anchor covers all that it would have.

use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, to_millis};
use crate::chase::ChaseState;
use crate::error::Result;
use crate::event::Entry;

/// What asking for a day's anchor gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnchorClaim {
    /// It is the caller's to send.
    Yours {
        /// The number of its row.
        notice: i64,
        /// The last entry of the log.
        seq: i64,
        /// The hash of that entry.
        hash: String,
    },
    /// It was told today.
    Told,
    /// Another sender has it, or had it and nobody knows what became of it.
    Unknown,
}

/// An anchor that was mailed, or was to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorRow {
    /// The day.
    pub day: Date,
    /// The last entry of the log at that moment.
    pub seq: i64,
    /// The hash of that entry.
    pub hash: String,
    /// How far the mail has come; [`ChaseState::Claimed`] is shown as unknown.
    pub state: ChaseState,
    /// The relay's words, without addresses; may be empty.
    pub text: String,
    /// When it was taken, or what became of it.
    pub at: Timestamp,
}

impl Ledger {
    /// Claims the day's anchor, durably, before it is sent: the head of the log as it is now. Claimed anew, with the head
    /// of then, only where the mail was provably not sent or was refused. [`Ledger::settle_notice`] records its outcome.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn claim_anchor(&self, day: Date, claimant: &str, act: &Act) -> Result<AnchorClaim> {
        let (mut tx, mut head) = self.change().await?;
        let (seq, hash) = (head.seq, head.hash.clone());
        let found = sqlx::query_as::<Any, (i64, String)>("SELECT notice, state FROM notice WHERE day = $1")
            .bind(day.to_string())
            .fetch_optional(&mut *tx)
            .await?;
        let sql = match &found {
            None => {
                "INSERT INTO notice (kind, state, seq, hash, claimant, at, day) \
                 VALUES ('anchor', 'claimed', $1, $2, $3, $4, $5) RETURNING notice"
            }
            Some((_, state)) => match code::<ChaseState>(state, "notice.state")? {
                ChaseState::Ready | ChaseState::Refused => {
                    "UPDATE notice SET state = 'claimed', seq = $1, hash = $2, claimant = $3, at = $4 \
                     WHERE day = $5 RETURNING notice"
                }
                ChaseState::Claimed => return Ok(AnchorClaim::Unknown),
                ChaseState::Told | ChaseState::Made => return Ok(AnchorClaim::Told),
            },
        };
        let notice = sqlx::query_scalar::<Any, i64>(sql)
            .bind(seq)
            .bind(hash.as_str())
            .bind(claimant)
            .bind(to_millis(act.at))
            .bind(day.to_string())
            .fetch_one(&mut *tx)
            .await?;
        let entry = Entry::of("anchor").with("day", day.to_string()).with("seq", seq).with("hash", hash.as_str());
        head.append(&mut tx, act, entry).await?;
        tx.commit().await?;
        Ok(AnchorClaim::Yours { notice, seq, hash })
    }

    /// Every anchor, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn anchors(&self) -> Result<Vec<AnchorRow>> {
        let rows = sqlx::query_as::<Any, (String, i64, String, String, String, i64)>(
            "SELECT day, seq, hash, state, text, at FROM notice WHERE kind = 'anchor' ORDER BY day",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(day, seq, hash, state, text, at)| {
                Ok(AnchorRow {
                    day: code(&day, "notice.day")?,
                    seq,
                    hash,
                    state: code(&state, "notice.state")?,
                    text,
                    at: from_millis(at, "notice.at")?,
                })
            })
            .collect()
    }
}
