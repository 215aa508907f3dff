//! The ballot box between submission and opening. The ledger holds ciphertexts only and no key to them.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_survey::hex;
use sha2::{Digest, Sha256};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::sql::Tx;

/// A sealed ballot as it goes into the box: without form, person or time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent group.
    pub group: GroupCode,
    /// The ciphertext.
    pub ciphertext: Vec<u8>,
}

/// The box file that a closing puts on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedBox {
    /// SHA-256 (hex) of the box file.
    pub sha256: String,
    /// How many ballots it holds.
    pub ballots: u64,
    /// The [`box_content`] that it was written from; nothing where the survey's own box was written by a later state of
    /// this ledger than the one that was restored.
    pub content: Option<String>,
}

/// SHA-256 (hex) over ciphertexts in the order that [`Ledger::ballots`] gives: which ballots a box was written from.
#[must_use]
pub fn box_content<'a>(ciphertexts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for ciphertext in ciphertexts {
        // All have one length, but a hash of a list says where each ends.
        hash.update((ciphertext.len() as u64).to_be_bytes());
        hash.update(ciphertext);
    }
    hex(&hash.finalize())
}

impl Ledger {
    /// Every ballot in the order of its ciphertext, which is as good as random and tells nothing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn ballots(&self) -> Result<Vec<Ballot>> {
        let rows = sqlx::query_as::<Any, (String, String, Vec<u8>)>(
            "SELECT s.target, s.grp, b.ciphertext FROM ballot b JOIN seat s ON s.form = b.form",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let ballot = |(target, group, ciphertext): (String, String, Vec<u8>)| {
            Ok(Ballot { target: code(&target, "seat.target")?, group: code(&group, "seat.grp")?, ciphertext })
        };
        let mut ballots = rows.into_iter().map(ballot).collect::<Result<Vec<_>>>()?;
        ballots.sort_by(|left, right| left.ciphertext.cmp(&right.ciphertext));
        Ok(ballots)
    }

    /// Completions per target and group; what the tally's ballots are checked against.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn completions(&self) -> Result<BTreeMap<(TargetCode, GroupCode), u64>> {
        let rows = sqlx::query_as::<Any, (String, String, i64)>(
            "SELECT target, grp, COUNT(*) FROM seat WHERE completed IS NOT NULL GROUP BY target, grp",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(target, group, n)| {
                Ok(((code(&target, "seat.target")?, code(&group, "seat.grp")?), n.unsigned_abs()))
            })
            .collect()
    }

    /// Ends the survey: nothing is accepted, no mail is handed out any more, and proposals that are open are withdrawn. It
    /// cannot be undone. The same box again changes nothing; a box written anew from the same ballots, as after its file
    /// was lost, takes its place.
    ///
    /// # Errors
    /// [`LedgerError::Meanwhile`]: a ballot came in after the box was written; write it anew. `Conflict`: the box was
    /// opened, or nobody was invited yet.
    pub async fn close(&self, closed_box: &ClosedBox, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let stored =
            sqlx::query_scalar::<Any, Option<String>>("SELECT box_sha256 FROM campaign").fetch_one(&mut *tx).await?;
        if stored.as_deref() == Some(closed_box.sha256.as_str()) {
            return Ok(());
        }
        match head.state {
            CampaignState::Inviting | CampaignState::Closed => {}
            CampaignState::Draft => {
                return Err(LedgerError::conflict("nobody was invited yet; there is nothing to close"));
            }
            CampaignState::Opened | CampaignState::Released => {
                return Err(LedgerError::conflict(
                    "the box was opened and its ballots are gone; keep the box on record",
                ));
            }
        }
        let n = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM ballot").fetch_one(&mut *tx).await?;
        if n.unsigned_abs() != closed_box.ballots {
            // Nothing comes in once closed: then it is another survey's box.
            return Err(match head.state {
                CampaignState::Closed => LedgerError::conflict("the box does not hold the ballots of this ledger"),
                CampaignState::Draft | CampaignState::Inviting | CampaignState::Opened | CampaignState::Released => {
                    LedgerError::Meanwhile("a ballot came in while the box was written; write it again")
                }
            });
        }
        if let Some(content) = &closed_box.content
            && *content != content_of(&mut tx).await?
        {
            return Err(match head.state {
                CampaignState::Closed => LedgerError::conflict("the box does not hold the ballots of this ledger"),
                CampaignState::Draft | CampaignState::Inviting | CampaignState::Opened | CampaignState::Released => {
                    LedgerError::Meanwhile("a ballot was replaced while the box was written; write it again")
                }
            });
        }
        sqlx::query("UPDATE campaign SET box_sha256 = $1").bind(closed_box.sha256.as_str()).execute(&mut *tx).await?;
        // What was never handed out expired; what a dispatcher has in hand is taken from it before its final dot.
        sqlx::query(
            "UPDATE mail SET state = CASE WHEN state = 'leased' THEN 'cancelled' ELSE 'expired' END, why = 'closed' \
             WHERE state IN ('planned', 'ready', 'deferred', 'leased')",
        )
        .execute(&mut *tx)
        .await?;
        // What was not handed in by now never will be.
        sqlx::query("DELETE FROM draft").execute(&mut *tx).await?;
        crate::proposals::withdraw_all(&mut tx, &mut head, act).await?;
        let event = if stored.is_some() { "box_rewritten" } else { "closed" };
        head.set_state(&mut tx, CampaignState::Closed).await?;
        let entry = Entry::of(event).with("box_sha256", closed_box.sha256.as_str()).with("ballots", closed_box.ballots);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }
}

async fn content_of(tx: &mut Tx) -> Result<String> {
    let mut ciphertexts =
        sqlx::query_scalar::<Any, Vec<u8>>("SELECT ciphertext FROM ballot").fetch_all(&mut **tx).await?;
    ciphertexts.sort_unstable();
    Ok(box_content(ciphertexts.iter().map(Vec::as_slice)))
}
