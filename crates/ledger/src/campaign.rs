//! The campaign's own row: its state, the deadline in force, and the files frozen at each stage.
//!
//! What the campaign says (questionnaires, groups, tree) stays in its folder; here are only the folder's hashes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_survey::freeze::ONE_PERSON;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, from_millis_opt, to_millis, words};
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::sql::Tx;

words!(
    /// How far a campaign has come. It never goes back.
    CampaignState, "state of a campaign", {
        /// Nobody was invited; people may come and go.
        Draft = "draft",
        /// Invitations have begun; forms are accepted.
        Inviting = "inviting",
        /// No form is accepted any more; the box is sealed.
        Closed = "closed",
        /// The tally is stored, the ballots are gone.
        Opened = "opened",
        /// Results were released.
        Released = "released",
    }
);

words!(
    /// When files of the campaign's folder are frozen.
    Stage, "stage", {
        /// With the first invitation: targets, groups, questionnaires, option tables, frame date, thresholds.
        Inviting = "inviting",
        /// With the closing: the index.
        Closed = "closed",
    }
);

/// The campaign's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CampaignRow {
    /// The campaign's id.
    pub id: String,
    /// How far it has come.
    pub state: CampaignState,
    /// A later deadline than the folder's, if one was granted.
    pub deadline: Option<Timestamp>,
    /// When the ledger was made.
    pub created: Timestamp,
    /// Rises with every change of people; a roster is applied only to the version it was compared with.
    pub roster_version: i64,
    /// SHA-256 (hex) of the sealed box, once closed.
    pub box_sha256: Option<String>,
    /// Ballots were deleted and what deletion leaves behind is still to be erased ([`Ledger::erase_deleted`]).
    pub erase_pending: bool,
}

/// The campaign's row as a transaction that holds it knows it.
#[derive(Clone)]
pub(crate) struct Head {
    pub(crate) state: CampaignState,
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) roster_version: i64,
}

impl Head {
    /// Refuses unless the state is one of `allowed`.
    pub(crate) fn require(&self, allowed: &[CampaignState], what: &str) -> Result<()> {
        if allowed.contains(&self.state) {
            return Ok(());
        }
        Err(LedgerError::conflict(format!(
            "the campaign is {}; {what} is not possible any more or not yet",
            self.state
        )))
    }

    /// Refuses a change of people by one person alone once people were invited, unless what was frozen then allows it.
    pub(crate) async fn require_alone(&self, tx: &mut Tx) -> Result<()> {
        if self.state != CampaignState::Inviting || frozen_in(tx, Stage::Inviting).await?.contains_key(ONE_PERSON) {
            return Ok(());
        }
        Err(LedgerError::Meanwhile("people are invited by now, and this change needs a second person; run it again"))
    }

    pub(crate) async fn set_state(&mut self, tx: &mut Tx, state: CampaignState) -> Result<()> {
        sqlx::query("UPDATE campaign SET state = $1").bind(state.as_str()).execute(&mut **tx).await?;
        self.state = state;
        Ok(())
    }

    /// Marks that people or seats changed, so that a roster compared with the former ones is refused.
    pub(crate) async fn raise_roster_version(&mut self, tx: &mut Tx) -> Result<()> {
        self.roster_version += 1;
        sqlx::query("UPDATE campaign SET roster_version = $1").bind(self.roster_version).execute(&mut **tx).await?;
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    state: String,
    deadline: Option<i64>,
    created: i64,
    roster_version: i64,
    box_sha256: Option<String>,
    erase_pending: i64,
}

impl Ledger {
    /// The campaign's row.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn campaign(&self) -> Result<CampaignRow> {
        let row = sqlx::query_as::<Any, Row>(
            "SELECT id, state, deadline, created, roster_version, box_sha256, erase_pending FROM campaign",
        )
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(CampaignRow {
            id: row.id,
            state: code(&row.state, "campaign.state")?,
            deadline: from_millis_opt(row.deadline, "campaign.deadline")?,
            created: from_millis(row.created, "campaign.created")?,
            roster_version: row.roster_version,
            box_sha256: row.box_sha256,
            erase_pending: row.erase_pending != 0,
        })
    }

    /// Freezes files (path to SHA-256 hex) for a stage. [`Stage::Inviting`] also moves the campaign from draft to
    /// inviting, and wants both public keys registered and the box holder's proof. The same files again change nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: other files are frozen already, a key is missing, or the state does not fit.
    pub async fn freeze(&self, stage: Stage, files: &BTreeMap<String, String>, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let stored = frozen_in(&mut tx, stage).await?;
        if !stored.is_empty() {
            return match first_difference(&stored, files) {
                None => Ok(()),
                Some(path) => Err(LedgerError::conflict(format!(
                    "'{path}' is not the file that was frozen; put the former one back"
                ))),
            };
        }
        match stage {
            Stage::Inviting => {
                head.require(&[CampaignState::Draft], "the first invitation")?;
                crate::keys::require_ready(&mut tx).await?;
                head.set_state(&mut tx, CampaignState::Inviting).await?;
            }
            Stage::Closed => head.require(&[CampaignState::Inviting, CampaignState::Closed], "closing")?,
        }
        let mut entry = Entry::of("frozen").with("stage", stage.as_str());
        for (path, sha256) in files {
            sqlx::query("INSERT INTO frozen (stage, path, sha256) VALUES ($1, $2, $3)")
                .bind(stage.as_str())
                .bind(path.as_str())
                .bind(sha256.as_str())
                .execute(&mut *tx)
                .await?;
            entry = entry.with(path, sha256.as_str());
        }
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// The files frozen at a stage, by path; empty before it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn frozen(&self, stage: Stage) -> Result<BTreeMap<String, String>> {
        frozen_in(&mut *self.read().await?, stage).await
    }

    /// Grants a later deadline.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] unless inviting, or if an extension in force is later.
    pub async fn extend(&self, until: Timestamp, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Inviting], "an extension")?;
        let former =
            sqlx::query_scalar::<Any, Option<i64>>("SELECT deadline FROM campaign").fetch_one(&mut *tx).await?;
        if former.is_some_and(|former| former >= to_millis(until)) {
            return Err(LedgerError::conflict("the deadline in force is not earlier; name a later one"));
        }
        sqlx::query("UPDATE campaign SET deadline = $1").bind(to_millis(until)).execute(&mut *tx).await?;
        head.append(&mut tx, act, Entry::of("extended").with("until", until.to_string())).await?;
        Ok(tx.commit().await?)
    }

    /// Marks the results as released. A second time changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] before the box is opened.
    pub async fn release(&self, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        if head.state == CampaignState::Released {
            return Ok(());
        }
        head.require(&[CampaignState::Opened], "a release")?;
        head.set_state(&mut tx, CampaignState::Released).await?;
        head.append(&mut tx, act, Entry::of("released")).await?;
        Ok(tx.commit().await?)
    }
}

async fn frozen_in(connection: &mut sqlx::AnyConnection, stage: Stage) -> Result<BTreeMap<String, String>> {
    let rows = sqlx::query_as::<Any, (String, String)>("SELECT path, sha256 FROM frozen WHERE stage = $1")
        .bind(stage.as_str())
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().collect())
}

fn first_difference<'a>(stored: &'a BTreeMap<String, String>, given: &'a BTreeMap<String, String>) -> Option<&'a str> {
    let missing_or_other = |(path, sha256): &(&'a String, &'a String)| given.get(*path) != Some(sha256);
    let changed = stored.iter().find(missing_or_other).map(|(path, _)| path.as_str());
    changed.or_else(|| given.keys().find(|path| !stored.contains_key(*path)).map(String::as_str))
}
