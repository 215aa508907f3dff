//! The end of the ballots: a tally takes their place, and what deletion leaves behind is erased.
//!
//! Erasing reaches the database's own files. It does not reach backups, PostgreSQL's archived write-ahead log or a
//! disk's spare blocks; those become unreadable only when the holder destroys the key.

use jiff::Timestamp;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, from_millis, to_millis};
use crate::campaign::CampaignState;
use crate::connect::Backend;
use crate::error::{LedgerError, Result};
use crate::event::Entry;

/// The stored tally.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTally {
    /// The tally file, byte for byte.
    pub json: String,
    /// Its SHA-256 (hex).
    pub tally_sha256: String,
    /// SHA-256 (hex) of the sealed archive that counts.
    pub archive_sha256: String,
    /// When it was imported.
    pub imported: Timestamp,
}

impl Ledger {
    /// Stores the tally with both hashes and deletes every ballot, in one transaction; then [`Ledger::erase_deleted`]
    /// is due. The same tally again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: not closed, or another tally is stored.
    pub async fn import_tally(&self, json: &str, tally_sha256: &str, archive_sha256: &str, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let stored =
            sqlx::query_scalar::<Any, String>("SELECT tally_sha256 FROM tally").fetch_optional(&mut *tx).await?;
        match stored {
            Some(stored) if stored == tally_sha256 => return Ok(()),
            Some(_) => return Err(LedgerError::conflict("another tally is stored; the box was opened before")),
            None => head.require(&[CampaignState::Closed], "importing a tally")?,
        }
        sqlx::query("INSERT INTO tally (one, json, tally_sha256, archive_sha256, imported) VALUES (1, $1, $2, $3, $4)")
            .bind(json)
            .bind(tally_sha256)
            .bind(archive_sha256)
            .bind(to_millis(act.at))
            .execute(&mut *tx)
            .await?;
        let deleted = sqlx::query("DELETE FROM ballot").execute(&mut *tx).await?.rows_affected();
        sqlx::query("UPDATE campaign SET erase_pending = 1").execute(&mut *tx).await?;
        head.set_state(&mut tx, CampaignState::Opened).await?;
        let entry = Entry::of("tally_imported")
            .with("tally_sha256", tally_sha256)
            .with("archive_sha256", archive_sha256)
            .with("ballots_deleted", deleted);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Erases what deleting the ballots left in the database's files. Does nothing where nothing is pending; killed
    /// half-way, the next call finishes.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] while another process reads or writes the ledger: try again.
    pub async fn erase_deleted(&self) -> Result<()> {
        if !self.campaign().await?.erase_pending {
            return Ok(());
        }
        match self.backend {
            Backend::Sqlite => {
                // The first checkpoint drops the frames that hold ballots, VACUUM rewrites the file without its free
                // pages, the second checkpoint drops the frames of the rewriting.
                self.checkpoint().await?;
                sqlx::query("VACUUM").execute(&mut *self.writer.acquire().await?).await?;
                self.checkpoint().await?;
            }
            // TRUNCATE gives the table a new file and unlinks the old one, so there is nothing left to VACUUM.
            Backend::Postgres => {
                let (mut tx, _head) = self.change().await?;
                sqlx::query("TRUNCATE TABLE ballot").execute(&mut *tx).await?;
                tx.commit().await?;
            }
        }
        let mut tx = self.write().await?;
        sqlx::query("UPDATE campaign SET erase_pending = 0").execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Moves SQLite's write-ahead log into the file and cuts it to nothing.
    pub(crate) async fn checkpoint(&self) -> Result<()> {
        let (busy, _, _) = sqlx::query_as::<Any, (i64, i64, i64)>("PRAGMA wal_checkpoint(TRUNCATE)")
            .fetch_one(&mut *self.writer.acquire().await?)
            .await?;
        if busy == 0 { Ok(()) } else { Err(LedgerError::Locked) }
    }

    /// The tally, once imported.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn tally(&self) -> Result<Option<StoredTally>> {
        let row = sqlx::query_as::<Any, (String, String, String, i64)>(
            "SELECT json, tally_sha256, archive_sha256, imported FROM tally",
        )
        .fetch_optional(&mut *self.read().await?)
        .await?;
        row.map(|(json, tally_sha256, archive_sha256, imported)| {
            Ok(StoredTally { json, tally_sha256, archive_sha256, imported: from_millis(imported, "tally.imported")? })
        })
        .transpose()
    }
}
