//! Links: the ledger knows their hashes only. Whoever reads the whole database still holds no link.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_survey::seat::FormId;
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis_opt, small};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::sql::{CHUNK, in_order, members, rows};

/// The hash of a link's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkHash {
    /// The form it leads to.
    pub form: FormId,
    /// The version it was made for.
    pub link_version: u32,
    /// SHA-256 (hex) of the token.
    pub hash: String,
}

/// Where a link leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkRow {
    /// The form.
    pub form: FormId,
    /// The version the link was made for.
    pub link_version: u32,
    /// Whether that is the version in force; otherwise the link was replaced or revoked.
    pub current: bool,
}

/// The form a link leads to, with everything that decides what its holder is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedForm {
    /// The form.
    pub form: FormId,
    /// The version the link was made for.
    pub link_version: u32,
    /// Whether that is the version in force; otherwise the link was replaced or revoked.
    pub current: bool,
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent group.
    pub group: GroupCode,
    /// The seat left the frame.
    pub ineligible: bool,
    /// The seat is excused.
    pub excused: bool,
    /// The holder declined.
    pub declined: bool,
    /// When a chosen option first arrived.
    pub started: Option<Timestamp>,
    /// When the form was submitted.
    pub completed: Option<Timestamp>,
    /// How far the campaign has come.
    pub state: CampaignState,
    /// A later deadline than the folder's, if one was granted.
    pub deadline: Option<Timestamp>,
    /// The draft, sealed.
    pub draft: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct Linked {
    form: i64,
    link_version: i64,
    in_force: i64,
    removed: i64,
    target: String,
    grp: String,
    ineligible: i64,
    excused: Option<String>,
    declined: i64,
    started: Option<i64>,
    completed: Option<i64>,
    state: String,
    deadline: Option<i64>,
    draft: Option<Vec<u8>>,
}

impl Ledger {
    /// The form behind the link with this hash, read at one moment; `None` for a hash that was never stored.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn linked_form(&self, hash: &str) -> Result<Option<LinkedForm>> {
        let row = sqlx::query_as::<Any, Linked>(
            "SELECT l.form, l.link_version, s.link_version AS in_force, s.removed, s.target, s.grp, s.ineligible, \
             s.excused, s.declined, s.started, s.completed, c.state, c.deadline, d.ciphertext AS draft \
             FROM link l JOIN seat s ON s.form = l.form CROSS JOIN campaign c LEFT JOIN draft d ON d.form = l.form \
             WHERE l.hash = $1",
        )
        .bind(hash)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|row| {
            Ok(LinkedForm {
                form: row.form,
                link_version: small(row.link_version, "link.link_version")?,
                current: row.link_version == row.in_force && row.removed == 0,
                target: code(&row.target, "seat.target")?,
                group: code(&row.grp, "seat.grp")?,
                ineligible: row.ineligible != 0,
                excused: row.excused.is_some(),
                declined: row.declined != 0,
                started: from_millis_opt(row.started, "seat.started")?,
                completed: from_millis_opt(row.completed, "seat.completed")?,
                state: code(&row.state, "campaign.state")?,
                deadline: from_millis_opt(row.deadline, "campaign.deadline")?,
                draft: row.draft,
            })
        })
        .transpose()
    }

    /// Stores the hashes of links. Links stored before stay as they are.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where another hash is stored for the same form and version: the link secret changed.
    pub async fn store_links(&self, links: &[LinkHash]) -> Result<()> {
        let mut tx = self.write().await?;
        for chunk in links.chunks(CHUNK) {
            let sql = format!(
                "INSERT INTO link (form, link_version, hash) VALUES {} ON CONFLICT (form, link_version) DO NOTHING",
                rows(chunk.len(), 3)
            );
            let mut query = sqlx::query(in_order(&tx, sql));
            for link in chunk {
                query = query.bind(link.form).bind(i64::from(link.link_version)).bind(link.hash.as_str());
            }
            let inserted = query.execute(&mut *tx).await?.rows_affected();
            if inserted < u64::try_from(chunk.len()).unwrap_or(u64::MAX) {
                require_same(&mut tx, chunk).await?;
            }
        }
        Ok(tx.commit().await?)
    }

    /// Where the link with this hash leads; `None` for a hash that was never stored.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn form_by_link(&self, hash: &str) -> Result<Option<LinkRow>> {
        let row = sqlx::query_as::<Any, (i64, i64, i64, i64)>(
            "SELECT l.form, l.link_version, s.link_version, s.removed FROM link l JOIN seat s ON s.form = l.form \
             WHERE l.hash = $1",
        )
        .bind(hash)
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|(form, version, in_force, removed)| {
            Ok(LinkRow {
                form,
                link_version: small(version, "link.link_version")?,
                current: version == in_force && removed == 0,
            })
        })
        .transpose()
    }
}

/// Compares links with what is stored, all in one query.
async fn require_same(connection: &mut sqlx::AnyConnection, links: &[LinkHash]) -> Result<()> {
    let sql = format!("SELECT form, link_version, hash FROM link WHERE form IN ({})", members(1, links.len()));
    let mut query = sqlx::query_as::<Any, (i64, i64, String)>(AssertSqlSafe(sql));
    for link in links {
        query = query.bind(link.form);
    }
    let stored: BTreeMap<(i64, i64), String> = query
        .fetch_all(connection)
        .await?
        .into_iter()
        .map(|(form, link_version, hash)| ((form, link_version), hash))
        .collect();
    match links.iter().find(|link| stored.get(&(link.form, i64::from(link.link_version))) != Some(&link.hash)) {
        None => Ok(()),
        Some(other) => Err(LedgerError::conflict(format!(
            "form {} has another link: link.key is not the key its link was made with; restore link.key from its separate copy",
            other.form
        ))),
    }
}
