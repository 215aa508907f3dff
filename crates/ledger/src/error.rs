//! What can go wrong with a ledger, as a caller must tell it apart.
//!
//! No variant carries a connection string, a bound value or a row: an error may go to a log, a name or an address may not.

use sqlx::error::DatabaseError;

/// An error of the ledger. The text of each variant names the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// There is no database at that place, or no such form, person or mail in it.
    #[error("{0} was not found; check the data folder or the number")]
    NotFound(&'static str),
    /// Something is there, but it is not a ledger of this program.
    #[error(
        "this is not a parsurvey ledger ({0}); name the data folder of the survey with --data, or its database with --database"
    )]
    NotALedger(&'static str),
    /// The ledger was written by a newer program.
    #[error("the ledger has format {found}, this program knows {known}; use the newer program")]
    Newer {
        /// The newest format found in the ledger.
        found: i64,
        /// The newest format this program knows.
        known: i64,
    },
    /// Another process holds the ledger for longer than the lock timeout.
    #[error("the ledger is in use by another process; try again when it has finished")]
    Locked,
    /// The file, its folder or the database session may only be read.
    #[error("the ledger cannot be written; check the permissions of the data folder or of the database user")]
    ReadOnly,
    /// No room is left for the ledger. Nothing of the failed act was kept.
    #[error("no room is left on the disk of the ledger; nothing was changed; make room and try again")]
    DiskFull,
    /// The database server does not answer or refuses the log-in.
    #[error("the database cannot be reached or refuses the log-in; check that it runs and what --database says")]
    Unreachable,
    /// The ledger changed between the reading and the writing of an act. Nothing was changed; the act can be begun anew.
    #[error("{0}")]
    Meanwhile(&'static str),
    /// What is stored can no longer be read: the file or the database itself is damaged.
    #[error("the ledger is damaged ({0}); keep it as it is and restore the newest backup into another place")]
    Damaged(String),
    /// The act contradicts what the ledger holds. Nothing was changed.
    #[error("{0}")]
    Conflict(String),
    /// Any other failure of the database, without values.
    #[error("the database reported: {0}")]
    Database(String),
}

impl LedgerError {
    /// Whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Locked | Self::Unreachable | Self::Meanwhile(_) => true,
            Self::NotFound(_)
            | Self::NotALedger(_)
            | Self::Newer { .. }
            | Self::ReadOnly
            | Self::DiskFull
            | Self::Damaged(_)
            | Self::Conflict(_)
            | Self::Database(_) => false,
        }
    }

    pub(crate) fn conflict(reason: impl Into<String>) -> Self {
        Self::Conflict(reason.into())
    }

    /// A stored word or number that no version of this program wrote.
    pub(crate) fn damaged(column: &'static str) -> Self {
        Self::Damaged(format!("column {column} holds a value this program never wrote"))
    }
}

/// The result of every call.
pub type Result<T> = std::result::Result<T, LedgerError>;

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::Database(inner) = &error {
            return of_database(inner.as_ref());
        }
        match error {
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed => Self::Unreachable,
            sqlx::Error::PoolTimedOut => Self::Locked,
            sqlx::Error::Configuration(_) => Self::Database("the database URL is not understood".into()),
            sqlx::Error::RowNotFound => Self::NotFound("the row"),
            sqlx::Error::ColumnDecode { index, .. } => Self::Database(format!("column {index} has another type")),
            sqlx::Error::ColumnNotFound(name) => Self::Database(format!("column {name} is missing")),
            sqlx::Error::PoolClosed => Self::Database("the ledger was closed".into()),
            // The enum is open, and the texts of the rest may quote values.
            _ => Self::Database("an unexpected answer of the driver".into()),
        }
    }
}

impl From<sqlx::migrate::MigrateError> for LedgerError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::Execute(inner) | sqlx::migrate::MigrateError::ExecuteMigration(inner, _) => {
                inner.into()
            }
            other => Self::Database(format!("migration: {other}")),
        }
    }
}

fn of_database(error: &dyn DatabaseError) -> LedgerError {
    let code = error.code().unwrap_or_default().into_owned();
    // SQLite reports decimal result codes, PostgreSQL five-character SQLSTATEs.
    if error.as_error().is::<sqlx::sqlite::SqliteError>() {
        of_sqlite(&code, error.message())
    } else {
        of_postgres(&code, error.message())
    }
}

fn of_sqlite(code: &str, message: &str) -> LedgerError {
    let code = code.parse::<i64>().unwrap_or(1);
    // The low byte is the primary result code. 4874: the shared index beside the log could not grow.
    match code & 0xff {
        _ if code == 4874 => LedgerError::DiskFull,
        5 | 6 => LedgerError::Locked,
        3 | 8 | 14 | 23 => LedgerError::ReadOnly,
        13 => LedgerError::DiskFull,
        11 => LedgerError::Damaged(format!("{message}, SQLite {code}")),
        26 => LedgerError::NotALedger("it is not a database file"),
        _ => LedgerError::Database(format!("{message} (SQLite {code})")),
    }
}

fn of_postgres(code: &str, message: &str) -> LedgerError {
    match code {
        "55P03" | "40P01" | "40001" | "57014" => LedgerError::Locked,
        "25006" | "42501" => LedgerError::ReadOnly,
        "53100" => LedgerError::DiskFull,
        "3D000" => LedgerError::NotFound("the database"),
        "XX001" | "XX002" => LedgerError::Damaged(format!("{message}, SQLSTATE {code}")),
        "53300" | "57P01" | "57P02" | "57P03" => LedgerError::Unreachable,
        _ if code.starts_with("08") || code.starts_with("28") => LedgerError::Unreachable,
        // Class 22 quotes the value it could not read.
        _ if code.starts_with("22") => LedgerError::Database(format!("a value of the wrong kind (SQLSTATE {code})")),
        _ => LedgerError::Database(format!("{message} (SQLSTATE {code})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_become_the_variants_callers_tell_apart() {
        let table = [
            (of_sqlite("5", ""), LedgerError::Locked),
            (of_sqlite("517", ""), LedgerError::Locked),
            (of_sqlite("1032", ""), LedgerError::ReadOnly),
            (of_sqlite("13", ""), LedgerError::DiskFull),
            (of_sqlite("4874", ""), LedgerError::DiskFull),
            (of_sqlite("11", "malformed"), LedgerError::Damaged("malformed, SQLite 11".into())),
            (of_sqlite("267", "malformed"), LedgerError::Damaged("malformed, SQLite 267".into())),
            (of_sqlite("26", ""), LedgerError::NotALedger("it is not a database file")),
            (of_postgres("XX001", "bad page"), LedgerError::Damaged("bad page, SQLSTATE XX001".into())),
            (of_postgres("55P03", ""), LedgerError::Locked),
            (of_postgres("40P01", ""), LedgerError::Locked),
            (of_postgres("25006", ""), LedgerError::ReadOnly),
            (of_postgres("53100", ""), LedgerError::DiskFull),
            (of_postgres("3D000", ""), LedgerError::NotFound("the database")),
            (of_postgres("28P01", ""), LedgerError::Unreachable),
        ];
        for (got, expected) in table {
            assert_eq!(got, expected);
        }
    }

    #[test]
    fn a_value_the_database_quotes_is_not_passed_on() {
        let error = of_postgres("22P02", "invalid input syntax: \"an@example.test\"");
        assert!(!error.to_string().contains("an@example.test"), "{error}");
    }
}
