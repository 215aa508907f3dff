//! The public keys of the ballot box and of the archive. Private keys never come here.
//!
//! A key is confirmed when its holder has opened the test ballot; the ledger stores the proof and does not judge it.

use jiff::Timestamp;
use sqlx::AnyConnection;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, from_millis_opt, to_millis, words};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;

words!(
    /// What a key is for.
    KeyRole, "role of a key", {
        /// Ballots are sealed to it.
        Box = "box",
        /// The archive of responses is sealed to it.
        Archive = "archive",
    }
);

/// A registered public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// What it is for.
    pub role: KeyRole,
    /// The public key (hex).
    pub public_hex: String,
    /// Its fingerprint, as printed for the holder to compare.
    pub fingerprint: String,
    /// A test ballot sealed to it.
    pub test_ballot: Vec<u8>,
    /// What the holder found in the test ballot, once done.
    pub proof: Option<String>,
    /// When it was registered.
    pub registered: Timestamp,
    /// When it was confirmed.
    pub confirmed: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct Row {
    role: String,
    public_hex: String,
    fingerprint: String,
    test_ballot: Vec<u8>,
    proof: Option<String>,
    registered: i64,
    confirmed: Option<i64>,
}

impl Ledger {
    /// Registers a public key with a ballot sealed to it as a test. In draft another key replaces it, unconfirmed;
    /// the same key again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: another key after the first invitation.
    pub async fn register_key(
        &self,
        role: KeyRole,
        public_hex: &str,
        fingerprint: &str,
        test_ballot: &[u8],
        act: &Act,
    ) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let stored = sqlx::query_scalar::<Any, String>("SELECT public_hex FROM box_key WHERE role = $1")
            .bind(role.as_str())
            .fetch_optional(&mut *tx)
            .await?;
        if stored.as_deref() == Some(public_hex) {
            return Ok(());
        }
        head.require(&[CampaignState::Draft], "another key")?;
        sqlx::query(
            "INSERT INTO box_key (role, public_hex, fingerprint, test_ballot, registered) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (role) DO UPDATE SET public_hex = excluded.public_hex, fingerprint = excluded.fingerprint, \
             test_ballot = excluded.test_ballot, registered = excluded.registered, proof = NULL, confirmed = NULL",
        )
        .bind(role.as_str())
        .bind(public_hex)
        .bind(fingerprint)
        .bind(test_ballot)
        .bind(to_millis(act.at))
        .execute(&mut *tx)
        .await?;
        let entry = Entry::of("key_registered").with("role", role.as_str()).with("fingerprint", fingerprint);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Records that the holder has opened the test ballot.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where no such key is registered.
    pub async fn confirm_key(&self, role: KeyRole, proof: &str, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let updated = sqlx::query("UPDATE box_key SET proof = $1, confirmed = $2 WHERE role = $3")
            .bind(proof)
            .bind(to_millis(act.at))
            .bind(role.as_str())
            .execute(&mut *tx)
            .await?;
        if updated.rows_affected() == 0 {
            return Err(LedgerError::NotFound("the registered key"));
        }
        head.append(&mut tx, act, Entry::of("key_confirmed").with("role", role.as_str()).with("proof", proof)).await?;
        Ok(tx.commit().await?)
    }

    /// The registered keys, archive before box.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn keys(&self) -> Result<Vec<KeyRow>> {
        let rows = sqlx::query_as::<Any, Row>(
            "SELECT role, public_hex, fingerprint, test_ballot, proof, registered, confirmed FROM box_key ORDER BY role",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        let key = |row: Row| {
            Ok(KeyRow {
                role: code(&row.role, "box_key.role")?,
                public_hex: row.public_hex,
                fingerprint: row.fingerprint,
                test_ballot: row.test_ballot,
                proof: row.proof,
                registered: from_millis(row.registered, "box_key.registered")?,
                confirmed: from_millis_opt(row.confirmed, "box_key.confirmed")?,
            })
        };
        rows.into_iter().map(key).collect()
    }
}

/// Refuses while a key is missing or the box holder has not opened the test ballot.
pub(crate) async fn require_ready(connection: &mut AnyConnection) -> Result<()> {
    let stored = sqlx::query_as::<Any, (String, Option<i64>)>("SELECT role, confirmed FROM box_key")
        .fetch_all(connection)
        .await?;
    for role in [KeyRole::Box, KeyRole::Archive] {
        let Some((_, confirmed)) = stored.iter().find(|(stored_role, _)| stored_role == role.as_str()) else {
            return Err(LedgerError::conflict(format!("the {role} key is not registered; run key register")));
        };
        if role == KeyRole::Box && confirmed.is_none() {
            return Err(LedgerError::conflict("the holder of the box key has not opened the test ballot yet"));
        }
    }
    Ok(())
}
