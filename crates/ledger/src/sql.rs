//! Transactions, locks and placeholders: the few places where the two databases differ while a ledger is in use.
//!
//! A transaction that is dropped is rolled back, so an early return with `?` changes nothing.

use sqlx::AssertSqlSafe;
use sqlx::any::Any;
use sqlx::pool::PoolConnection;

use crate::Ledger;
use crate::act::code;
use crate::campaign::Head;
use crate::connect::Backend;
use crate::error::{LedgerError, Result};

pub(crate) type Tx = sqlx::Transaction<'static, Any>;

/// Rows of one multi-row statement; both databases allow far more parameters than any statement here makes of it.
pub(crate) const CHUNK: usize = 200;

impl Ledger {
    /// A connection that only reads.
    pub(crate) async fn read(&self) -> Result<PoolConnection<Any>> {
        self.reader.acquire().await.map_err(|error| self.of_acquire(error))
    }

    /// A transaction that only reads, all of it at one moment.
    pub(crate) async fn snapshot(&self) -> Result<Tx> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        self.reader.begin_with(begin).await.map_err(|error| self.of_acquire(error))
    }

    /// A transaction that writes. On SQLite it holds the file's one write lock from its first moment, so that it
    /// never fails half-way because another process wrote in between.
    pub(crate) async fn write(&self) -> Result<Tx> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN IMMEDIATE",
            Backend::Postgres => "BEGIN ISOLATION LEVEL READ COMMITTED",
        };
        match self.writer.begin_with(begin).await {
            // A full disk makes SQLite roll back by itself, which the driver does not notice: it believes the
            // connection to be in a transaction for ever. The only writer would be lost until a restart.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await.map_err(|error| self.of_acquire(error))?.close().await?;
                self.writer.begin_with(begin).await.map_err(|error| self.of_acquire(error))
            }
            other => other.map_err(|error| self.of_acquire(error)),
        }
    }

    fn of_acquire(&self, error: sqlx::Error) -> LedgerError {
        match (self.backend, &error) {
            // The pool retries a refused connection until its own patience ends.
            (Backend::Postgres, sqlx::Error::PoolTimedOut) => LedgerError::Unreachable,
            (Backend::Postgres | Backend::Sqlite, _) => error.into(),
        }
    }

    /// A transaction that writes and holds the campaign's row: changes and their log entries are in one line.
    pub(crate) async fn change(&self) -> Result<(Tx, Head)> {
        let mut tx = self.write().await?;
        let head = self.lock_campaign(&mut tx).await?;
        Ok((tx, head))
    }

    pub(crate) async fn lock_campaign(&self, tx: &mut Tx) -> Result<Head> {
        let sql = match self.backend {
            Backend::Sqlite => "SELECT state, event_seq, event_hash, roster_version FROM campaign",
            Backend::Postgres => "SELECT state, event_seq, event_hash, roster_version FROM campaign FOR UPDATE",
        };
        let (state, seq, hash, roster_version) =
            sqlx::query_as::<Any, (String, i64, String, i64)>(sql).fetch_one(&mut **tx).await?;
        Ok(Head { state: code(&state, "campaign.state")?, seq, hash, roster_version })
    }
}

/// Slices of at most [`CHUNK`] items whose lengths are powers of two, so that statements over them come in few lengths:
/// a connection keeps the hundred prepared statements that were used last, and one for each length would crowd out the others.
pub(crate) fn pieces<T>(items: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let length = 1_usize << rest.len().checked_ilog2()?;
        let (piece, more) = rest.split_at(length.min(CHUNK));
        rest = more;
        Some(piece)
    })
}

/// A long statement whose parameters stand in the order in which they are bound, each once.
///
/// SQLite's driver asks for the name of every numbered parameter, and SQLite finds a name by going through all of them: a
/// statement of some hundred parameters spent more time on that than on its work. Unnumbered ones have no name.
pub(crate) fn in_order(tx: &Tx, sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(if tx.backend_name() == "SQLite" { unnumbered(&sql) } else { sql })
}

fn unnumbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    for (number, part) in sql.split('$').enumerate() {
        // What stands before the first parameter has no number.
        let digits = if number == 0 { 0 } else { part.bytes().take_while(u8::is_ascii_digit).count() };
        if number > 0 {
            debug_assert_eq!(part[..digits].parse(), Ok(number), "the parameters stand in order");
            out.push('?');
        }
        out.push_str(&part[digits..]);
    }
    out
}

/// `($1, $2), ($3, $4)`: the rows of a multi-row statement.
pub(crate) fn rows(n_rows: usize, n_columns: usize) -> String {
    let row = |index: usize| {
        let cells: Vec<String> = (1..=n_columns).map(|column| format!("${}", index * n_columns + column)).collect();
        format!("({})", cells.join(", "))
    };
    (0..n_rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$3, $4, $5`: the members of an IN list whose first is number `first`.
pub(crate) fn members(first: usize, n: usize) -> String {
    (first..first + n).map(|index| format!("${index}")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_count_through() {
        assert_eq!(rows(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(members(3, 2), "$3, $4");
        let lengths = |n: usize| pieces(&vec![0; n]).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!([lengths(0), lengths(1), lengths(22)], [vec![], vec![1], vec![16, 4, 2]]);
        assert_eq!(lengths(CHUNK * 2 + 1).iter().sum::<usize>(), CHUNK * 2 + 1);
        assert_eq!(unnumbered("a = $1 AND b IN ($2, $3) LIMIT 1"), "a = ? AND b IN (?, ?) LIMIT 1");
    }
}
