//! Sessions of the console: begun with a login, looked up by the hash of what the cookie holds, ended one by one or all.
//!
//! Beginning and ending have their entries in the log. When a session was last used is no change of the campaign and has
//! none; how long it lives is decided in `survey`.

use jiff::Timestamp;
use parsurvey_survey::account::{ABSOLUTE, AccountName, Step};
use sqlx::any::Any;

use crate::Ledger;
use crate::accounts::{AccountRow, Row, accounts_where, end_all, units_of};
use crate::act::{Act, from_millis, to_millis};
use crate::error::Result;
use crate::event::Entry;
use crate::sql::Tx;

/// A session with its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// Whose it is.
    pub account: AccountRow,
    /// When it began.
    pub begun: Timestamp,
    /// When it was last used, to the minute.
    pub seen: Timestamp,
}

impl Ledger {
    /// Sets an account up and begins its first session: stores the password's hash and uses up secret and code. `false`
    /// where the secret is not open any more, or the code was used meanwhile; nothing was changed then.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn set_up_account(
        &self,
        name: &AccountName,
        setup_sha256: &str,
        password: &str,
        step: Step,
        session: &str,
        act: &Act,
    ) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        let updated = sqlx::query(
            "UPDATE account SET password = $1, used_step = $2, setup = NULL, setup_until = NULL \
             WHERE name = $3 AND setup = $4 AND setup_until > $5 AND used_step < $2 AND revoked IS NULL",
        )
        .bind(password)
        .bind(step)
        .bind(name.as_str())
        .bind(setup_sha256)
        .bind(to_millis(act.at))
        .execute(&mut *tx)
        .await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        insert(&mut tx, name, session, act).await?;
        head.append(&mut tx, act, Entry::of("account_set_up").with("account", name.as_str())).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Begins a session and uses up the code. `false` where the code was used, the password changed or the account was
    /// revoked meanwhile; nothing was changed then.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn begin_session(
        &self,
        name: &AccountName,
        password: &str,
        step: Step,
        session: &str,
        act: &Act,
    ) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        let updated = sqlx::query(
            "UPDATE account SET used_step = $1 \
             WHERE name = $2 AND password = $3 AND used_step < $1 AND revoked IS NULL",
        )
        .bind(step)
        .bind(name.as_str())
        .bind(password)
        .execute(&mut *tx)
        .await?;
        if updated.rows_affected() == 0 {
            return Ok(false);
        }
        insert(&mut tx, name, session, act).await?;
        head.append(&mut tx, act, Entry::of("console_login").with("account", name.as_str())).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The session of this hash, alive or not, unless its account was revoked.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn session(&self, hash: &str) -> Result<Option<SessionRow>> {
        let mut connection = self.read().await?;
        let found =
            sqlx::query_as::<Any, (String, i64, i64)>("SELECT name, begun, seen FROM console_session WHERE hash = $1")
                .bind(hash)
                .fetch_optional(&mut *connection)
                .await?;
        let Some((name, begun, seen)) = found else { return Ok(None) };
        let row = sqlx::query_as::<Any, Row>(accounts_where!("WHERE a.name = $1 AND a.revoked IS NULL"))
            .bind(name.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let units = units_of(&mut connection, &name).await?;
        Ok(Some(SessionRow {
            account: row.into_account(units)?,
            begun: from_millis(begun, "console_session.begun")?,
            seen: from_millis(seen, "console_session.seen")?,
        }))
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn session_seen(&self, hash: &str, at: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE console_session SET seen = $1 WHERE hash = $2 AND seen < $1")
            .bind(to_millis(at))
            .bind(hash)
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Ends one session. Ending it twice changes nothing.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn end_session(&self, name: &AccountName, hash: &str, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let ended = sqlx::query("DELETE FROM console_session WHERE hash = $1 AND name = $2")
            .bind(hash)
            .bind(name.as_str())
            .execute(&mut *tx)
            .await?;
        if ended.rows_affected() > 0 {
            head.append(&mut tx, act, Entry::of("console_logout").with("account", name.as_str())).await?;
        }
        Ok(tx.commit().await?)
    }

    /// Ends every session of an account, and says how many there were.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn end_sessions(&self, name: &AccountName, act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        let ended = end_all(&mut tx, name).await?;
        if ended > 0 {
            let entry = Entry::of("console_logout").with("account", name.as_str()).with("n_sessions", ended);
            head.append(&mut tx, act, entry).await?;
        }
        tx.commit().await?;
        Ok(ended)
    }

    /// When the sessions of an account began and were last used, newest first; also those that have run out.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn sessions_of(&self, name: &AccountName) -> Result<Vec<(Timestamp, Timestamp)>> {
        let rows = sqlx::query_as::<Any, (i64, i64)>(
            "SELECT begun, seen FROM console_session WHERE name = $1 ORDER BY begun DESC",
        )
        .bind(name.as_str())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let moment = |(begun, seen)| {
            Ok((from_millis(begun, "console_session.begun")?, from_millis(seen, "console_session.seen")?))
        };
        rows.into_iter().map(moment).collect()
    }
}

/// Begins a session, and forgets those that are over for whatever reason.
async fn insert(tx: &mut Tx, name: &AccountName, session: &str, act: &Act) -> Result<()> {
    let over = act.at.checked_sub(ABSOLUTE).unwrap_or(Timestamp::UNIX_EPOCH);
    sqlx::query("DELETE FROM console_session WHERE begun < $1").bind(to_millis(over)).execute(&mut **tx).await?;
    sqlx::query("INSERT INTO console_session (hash, name, begun, seen) VALUES ($1, $2, $3, $3)")
        .bind(session)
        .bind(name.as_str())
        .bind(to_millis(act.at))
        .execute(&mut **tx)
        .await?;
    Ok(())
}
