//! Pausing and resuming: one switch for all dispatchers of a campaign, thrown from any terminal; and the record that
//! somebody has looked at a contact's mail before it goes to people.
//!
//! Leases and the mark before the final dot look at it in their own transactions, so that after a pause has been committed
//! at most the one mail per connection leaves that was marked before.

use jiff::Timestamp;
use parsurvey_survey::campaign::MailKind;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, from_millis_opt, to_millis};
use crate::error::{LedgerError, Result};
use crate::event::Entry;

/// A pause in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Who paused: an operator, or the program itself.
    pub by: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl Ledger {
    /// The pause in force, if any.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn pause_in_force(&self) -> Result<Option<Pause>> {
        let row = sqlx::query_as::<Any, (i64, String, String, Option<i64>)>(
            "SELECT paused, paused_by, paused_why, paused_at FROM sending",
        )
        .fetch_one(&mut *self.read().await?)
        .await?;
        let (paused, by, why, since) = row;
        Ok((paused != 0).then_some(Pause { by, why, since: from_millis_opt(since, "sending.paused_at")? }))
    }

    /// Pauses all sending. `false` where it is paused already; the first reason stays.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: no reason. The ledger cannot be written.
    pub async fn pause(&self, act: &Act) -> Result<bool> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("a pause needs a reason; say why"));
        }
        let (mut tx, mut head) = self.change().await?;
        let paused = sqlx::query(
            "UPDATE sending SET paused = 1, paused_by = $1, paused_why = $2, paused_at = $3 WHERE paused = 0",
        )
        .bind(act.actor.as_str())
        .bind(act.reason.as_str())
        .bind(to_millis(act.at))
        .execute(&mut *tx)
        .await?
        .rows_affected()
            > 0;
        if paused {
            head.append(&mut tx, act, Entry::of("paused")).await?;
            tx.commit().await?;
        }
        Ok(paused)
    }

    /// Lets sending go on. `false` where it was not paused.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: no reason. The ledger cannot be written.
    pub async fn resume(&self, act: &Act) -> Result<bool> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("to resume needs a reason; say what has been mended"));
        }
        let (mut tx, mut head) = self.change().await?;
        let resumed = sqlx::query("UPDATE sending SET paused = 0 WHERE paused = 1").execute(&mut *tx).await?;
        let resumed = resumed.rows_affected() > 0;
        if resumed {
            head.append(&mut tx, act, Entry::of("resumed")).await?;
            tx.commit().await?;
        }
        Ok(resumed)
    }

    /// Records that a contact's mail was sent to the campaign's own mailboxes.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn copies_sent(&self, kind: MailKind, wave: u32, act: &Act) -> Result<()> {
        self.note_of_contact("copies_sent", kind, wave, act).await
    }

    /// An entry of the log on a contact's mail, which changes nothing else.
    async fn note_of_contact(&self, what: &'static str, kind: MailKind, wave: u32, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let entry = Entry::of(what).with("kind", kind.as_str()).with("wave", wave);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Records that somebody asked for a contact's mail in a mailbox of one's own; where that is stands nowhere.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn copy_asked(&self, kind: MailKind, wave: u32, act: &Act) -> Result<()> {
        self.note_of_contact("copy_asked", kind, wave, act).await
    }

    /// The wave of the contact of a kind whose mail was last sent to the campaign's own mailboxes.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn last_copied(&self, kind: MailKind) -> Result<Option<u32>> {
        let copies = self.contacts_of("copies_sent").await?;
        Ok(copies.iter().rev().find(|(of, _)| of == kind.as_str()).map(|(_, wave)| *wave))
    }

    /// Records that somebody has looked at the mail of a contact.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: no reason. The ledger cannot be written.
    pub async fn look_at(&self, kind: MailKind, wave: u32, act: &Act) -> Result<()> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("say who looked, and how"));
        }
        self.note_of_contact("looked_at", kind, wave, act).await
    }

    /// Whether somebody has looked at the mail of a contact.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn was_looked_at(&self, kind: MailKind, wave: u32) -> Result<bool> {
        let looked_at = self.contacts_of("looked_at").await?;
        Ok(looked_at.iter().any(|(of, at)| (of.as_str(), *at) == (kind.as_str(), wave)))
    }

    /// Kind and wave in the log's entries of a kind, oldest first.
    async fn contacts_of(&self, entry: &str) -> Result<Vec<(String, u32)>> {
        let details = sqlx::query_scalar::<Any, String>("SELECT detail FROM event WHERE kind = $1 ORDER BY seq")
            .bind(entry)
            .fetch_all(&mut *self.read().await?)
            .await?;
        let contact = |detail: &String| {
            let detail: serde_json::Value = serde_json::from_str(detail).ok()?;
            Some((detail["kind"].as_str()?.to_owned(), u32::try_from(detail["wave"].as_u64()?).ok()?))
        };
        details.iter().map(|detail| contact(detail).ok_or_else(|| LedgerError::damaged("event.detail"))).collect()
    }
}
