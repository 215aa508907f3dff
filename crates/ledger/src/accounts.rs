//! Accounts of the console: made, set up, reset and revoked, each with its entry in the log.
//!
//! Passwords arrive hashed and seeds sealed; nothing here can read either, and no secret goes into the log.
//! A revoked account stays, so that the log's names never come to mean somebody else.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use parsurvey_index::code::{TargetCode, UnitCode};
use parsurvey_survey::account::{AccountName, Role, Step};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, from_millis_opt, to_millis};
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::sql::Tx;

/// What an account is to be.
pub struct NewAccount {
    /// The name.
    pub name: AccountName,
    /// The role.
    pub role: Role,
    /// A coordinator's units.
    pub units: Vec<UnitCode>,
    /// The one target it sees, or every target.
    pub target: Option<TargetCode>,
    /// How it is set up.
    pub setup: NewSetup,
}

/// What a person sets an account up with.
pub struct NewSetup {
    /// The sealed seed of the authenticator.
    pub seed: Vec<u8>,
    /// SHA-256 (hex) of the set-up secret.
    pub secret_sha256: String,
    /// Until when the set-up secret can be used.
    pub until: Timestamp,
}

/// An account. It cannot print its secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The name.
    pub name: AccountName,
    /// The role.
    pub role: Role,
    /// A coordinator's units, by code.
    pub units: Vec<UnitCode>,
    /// The one target it sees, or every target.
    pub target: Option<TargetCode>,
    /// The password's hash, once it was set.
    pub password: Option<String>,
    /// The sealed seed.
    pub seed: Vec<u8>,
    /// The last step whose code was taken.
    pub used_step: Step,
    /// SHA-256 (hex) of the set-up secret, while one is open.
    pub setup: Option<String>,
    /// Until when it can be used.
    pub setup_until: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
}

impl fmt::Debug for AccountRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountRow").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// Accounts, closed by a condition.
macro_rules! accounts_where {
    ($condition:literal) => {
        concat!(
            "SELECT a.name, a.role, a.target, a.password, a.seed, a.used_step, a.setup, a.setup_until, a.created, a.revoked ",
            "FROM account a ",
            $condition
        )
    };
}
pub(crate) use accounts_where;

impl Ledger {
    /// Makes an account that waits to be set up.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the name is or was somebody's.
    pub async fn add_account(&self, new: &NewAccount, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let inserted = sqlx::query(
            "INSERT INTO account (name, role, target, seed, setup, setup_until, created) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING",
        )
        .bind(new.name.as_str())
        .bind(new.role.as_str())
        .bind(new.target.as_ref().map(|target| target.as_str().to_owned()))
        .bind(new.setup.seed.as_slice())
        .bind(new.setup.secret_sha256.as_str())
        .bind(to_millis(new.setup.until))
        .bind(to_millis(act.at))
        .execute(&mut *tx)
        .await?;
        if inserted.rows_affected() == 0 {
            return Err(LedgerError::conflict(format!("the name {} is or was somebody's account", new.name)));
        }
        for unit in &new.units {
            sqlx::query("INSERT INTO account_unit (name, unit) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(new.name.as_str())
                .bind(unit.as_str())
                .execute(&mut *tx)
                .await?;
        }
        let units: Vec<&str> = new.units.iter().map(UnitCode::as_str).collect();
        let entry = Entry::of("account_added")
            .with("account", new.name.as_str())
            .with("role", new.role.as_str())
            .with("units", units)
            .with("target", new.target.as_ref().map(TargetCode::as_str));
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Every account, by name, revoked ones too.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>> {
        let mut connection = self.read().await?;
        let rows = sqlx::query_as::<Any, Row>(accounts_where!("ORDER BY a.name")).fetch_all(&mut *connection).await?;
        let units = sqlx::query_as::<Any, (String, String)>("SELECT name, unit FROM account_unit ORDER BY name, unit")
            .fetch_all(&mut *connection)
            .await?;
        let mut of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, unit) in units {
            of.entry(name).or_default().push(unit);
        }
        rows.into_iter()
            .map(|row| {
                let units = of.remove(&row.name).unwrap_or_default();
                row.into_account(units)
            })
            .collect()
    }

    /// The account of a name, revoked or not.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn account(&self, name: &AccountName) -> Result<Option<AccountRow>> {
        let mut connection = self.read().await?;
        let row = sqlx::query_as::<Any, Row>(accounts_where!("WHERE a.name = $1"))
            .bind(name.as_str())
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let units = units_of(&mut connection, name.as_str()).await?;
        row.into_account(units).map(Some)
    }

    /// Ends an account and all its sessions for good. Revoking twice changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where there is none.
    pub async fn revoke_account(&self, name: &AccountName, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        if is_revoked(&mut tx, name).await? {
            return Ok(());
        }
        sqlx::query(
            "UPDATE account SET revoked = $1, password = NULL, setup = NULL, setup_until = NULL WHERE name = $2",
        )
        .bind(to_millis(act.at))
        .bind(name.as_str())
        .execute(&mut *tx)
        .await?;
        let ended = end_all(&mut tx, name).await?;
        let entry = Entry::of("account_revoked").with("account", name.as_str()).with("n_sessions", ended);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Lets the person set the account up anew: the password and the authenticator end, and all sessions.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where there is none, [`LedgerError::Conflict`] where it was revoked.
    pub async fn reset_account(&self, name: &AccountName, setup: &NewSetup, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        if is_revoked(&mut tx, name).await? {
            return Err(LedgerError::conflict(format!("the account {name} was revoked; make another one")));
        }
        sqlx::query(
            "UPDATE account SET password = NULL, seed = $1, used_step = 0, setup = $2, setup_until = $3 WHERE name = $4",
        )
        .bind(setup.seed.as_slice())
        .bind(setup.secret_sha256.as_str())
        .bind(to_millis(setup.until))
        .bind(name.as_str())
        .execute(&mut *tx)
        .await?;
        let ended = end_all(&mut tx, name).await?;
        let entry = Entry::of("account_reset").with("account", name.as_str()).with("n_sessions", ended);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }
}

async fn is_revoked(tx: &mut Tx, name: &AccountName) -> Result<bool> {
    let revoked = sqlx::query_scalar::<Any, Option<i64>>("SELECT revoked FROM account WHERE name = $1")
        .bind(name.as_str())
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(LedgerError::NotFound("the account"))?;
    Ok(revoked.is_some())
}

pub(crate) async fn end_all(tx: &mut Tx, name: &AccountName) -> Result<u64> {
    let ended =
        sqlx::query("DELETE FROM console_session WHERE name = $1").bind(name.as_str()).execute(&mut **tx).await?;
    Ok(ended.rows_affected())
}

pub(crate) async fn units_of(connection: &mut sqlx::AnyConnection, name: &str) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar("SELECT unit FROM account_unit WHERE name = $1 ORDER BY unit")
        .bind(name)
        .fetch_all(connection)
        .await?)
}

#[derive(sqlx::FromRow)]
pub(crate) struct Row {
    pub(crate) name: String,
    role: String,
    target: Option<String>,
    password: Option<String>,
    seed: Vec<u8>,
    used_step: i64,
    setup: Option<String>,
    setup_until: Option<i64>,
    created: i64,
    revoked: Option<i64>,
}

impl Row {
    pub(crate) fn into_account(self, units: Vec<String>) -> Result<AccountRow> {
        Ok(AccountRow {
            name: code(&self.name, "account.name")?,
            role: code(&self.role, "account.role")?,
            units: units.iter().map(|unit| code(unit, "account_unit.unit")).collect::<Result<_>>()?,
            target: self.target.map(|target| code(&target, "account.target")).transpose()?,
            password: self.password,
            seed: self.seed,
            used_step: self.used_step,
            setup: self.setup,
            setup_until: from_millis_opt(self.setup_until, "account.setup_until")?,
            created: from_millis(self.created, "account.created")?,
            revoked: from_millis_opt(self.revoked, "account.revoked")?,
        })
    }
}
