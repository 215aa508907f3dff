//! Secrets that lie outside the database: the ledger keeps a fingerprint of each, so that another one is noticed.

use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::Act;
use crate::error::{LedgerError, Result};
use crate::event::Entry;

/// A secret that this ledger is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeldSecret {
    /// What return paths are made with.
    ReturnPaths,
    /// What drafts are sealed with.
    Drafts,
    /// What the seeds of authenticators are sealed under.
    Console,
}

impl HeldSecret {
    /// The table, and the kind of its event.
    fn table(self) -> &'static str {
        match self {
            Self::ReturnPaths => "return_path_key",
            Self::Drafts => "draft_key",
            Self::Console => "console_key",
        }
    }
}

impl Ledger {
    /// The fingerprint of the secret that this ledger is held to; `None` before the first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn held_secret(&self, which: HeldSecret) -> Result<Option<String>> {
        let sql = AssertSqlSafe(format!("SELECT fingerprint FROM {}", which.table()));
        Ok(sqlx::query_scalar::<Any, String>(sql).fetch_optional(&mut *self.read().await?).await?)
    }

    /// Holds this ledger to a secret. The same one again changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where it is held to another.
    pub async fn hold_to_secret(&self, which: HeldSecret, fingerprint: &str, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let sql = AssertSqlSafe(format!("SELECT fingerprint FROM {}", which.table()));
        match sqlx::query_scalar::<Any, String>(sql).fetch_optional(&mut *tx).await? {
            Some(stored) if stored == fingerprint => return Ok(()),
            Some(_) => return Err(LedgerError::conflict("this ledger is held to another secret of this purpose")),
            None => {}
        }
        let sql = AssertSqlSafe(format!("INSERT INTO {} (one, fingerprint) VALUES (1, $1)", which.table()));
        sqlx::query(sql).bind(fingerprint).execute(&mut *tx).await?;
        head.append(&mut tx, act, Entry::of(which.table()).with("fingerprint", fingerprint)).await?;
        Ok(tx.commit().await?)
    }
}
