//! What became of mails to one's own mailboxes at the recipients' domains (seeds), as somebody saw and recorded it.
//!
//! Only the log holds it: an entry per look, with the domain and never the mailbox. Which mailboxes there are is not here.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, words};
use crate::error::{LedgerError, Result};
use crate::event::Entry;

words!(
    /// Where a mail to a seed mailbox was found.
    SeedResult, "result of a seed", {
        /// Among the mails.
        Inbox = "inbox",
        /// In the folder for spam.
        Spam = "spam",
        /// Nowhere.
        Missing = "missing",
    }
);

/// The kind of its entries in the log.
const KIND: &str = "seed";

/// One look into a seed mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeedLook {
    /// The mailbox's domain.
    pub domain: String,
    /// Where the mail was.
    pub result: SeedResult,
    /// When it was recorded.
    pub at: Timestamp,
    /// Who recorded it.
    pub actor: String,
}

impl Ledger {
    /// Records where a mail to a mailbox of this domain was found. A look is a fact of its own: recorded twice, it
    /// stands twice, and the last counts.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] where an address is given instead of a domain.
    pub async fn record_seed(&self, domain: &str, result: SeedResult, act: &Act) -> Result<()> {
        if domain.is_empty() || domain.contains('@') {
            return Err(LedgerError::conflict("a seed is recorded by its domain; give it without mailbox and @"));
        }
        let (mut tx, mut head) = self.change().await?;
        head.append(&mut tx, act, Entry::of(KIND).with("domain", domain).with("result", result.as_str())).await?;
        Ok(tx.commit().await?)
    }

    /// Every look that was recorded, in order.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn seed_looks(&self) -> Result<Vec<SeedLook>> {
        let rows = sqlx::query_as::<Any, (i64, String, String)>(
            "SELECT at, actor, detail FROM event WHERE kind = $1 ORDER BY seq",
        )
        .bind(KIND)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(|(at, actor, detail)| look(at, actor, &detail)).collect()
    }
}

fn look(at: i64, actor: String, detail: &str) -> Result<SeedLook> {
    let damaged = || LedgerError::damaged("event.detail");
    let detail: Value = serde_json::from_str(detail).map_err(|_| damaged())?;
    let word = |key: &str| detail.get(key).and_then(Value::as_str).ok_or_else(damaged);
    Ok(SeedLook {
        domain: word("domain")?.to_owned(),
        result: code(word("result")?, "event.detail")?,
        at: from_millis(at, "event.at")?,
        actor,
    })
}
