//! Every row of every table of a ledger, with the columns that a database hides. It reads copies and changes nothing.

use std::path::Path;

use serde_json::{Map, Value};
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

/// A row of a table.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) table: String,
    pub(crate) cells: Map<String, Value>,
}

impl Row {
    /// A cell as text; empty for NULL.
    pub(crate) fn text(&self, column: &str) -> String {
        match &self.cells[column] {
            Value::String(text) => text.clone(),
            Value::Null => String::new(),
            other => other.to_string(),
        }
    }

    /// The form that the row openly names.
    pub(crate) fn form(&self) -> Option<i64> {
        self.cells.get("form").and_then(Value::as_i64)
    }
}

/// The rows of one table.
pub(crate) fn of<'a>(rows: &'a [Row], table: &str) -> Vec<&'a Row> {
    let found: Vec<&Row> = rows.iter().filter(|row| row.table == table).collect();
    assert!(table == "ballot" || !found.is_empty(), "the ledger has no row in {table}");
    found
}

/// A blob that the ledger shows in hexadecimal (PostgreSQL with `\x` in front).
pub(crate) fn blob(row: &Row, column: &str) -> Vec<u8> {
    let text = row.text(column);
    parsurvey_survey::unhex(&text.trim_start_matches("\\x").to_lowercase()).unwrap()
}

/// Rows of an SQLite file, read from a copy so that neither file nor write-ahead log is touched.
pub(crate) async fn of_sqlite(folder: &Path) -> Vec<Row> {
    let copy = tempfile::tempdir().unwrap();
    for name in ["ledger.sqlite", "ledger.sqlite-wal"] {
        if folder.join(name).exists() {
            std::fs::copy(folder.join(name), copy.path().join(name)).unwrap();
        }
    }
    let url = format!("sqlite://{}", copy.path().join("ledger.sqlite").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_master WHERE type = 'table'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info($1)")
            .bind(&table)
            .fetch_all(&mut connection)
            .await
            .unwrap();
        let cells: Vec<String> = columns
            .iter()
            .map(|c| format!("'{c}', CASE typeof(\"{c}\") WHEN 'blob' THEN hex(\"{c}\") ELSE \"{c}\" END"))
            .collect();
        let sql = format!("SELECT json_object('rowid', rowid, {}) FROM \"{table}\"", cells.join(", "));
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        rows.extend(found.iter().map(|text| row(&table, text)));
    }
    connection.close().await.unwrap();
    rows
}

/// Rows of a PostgreSQL database, with the place and the transaction that wrote each.
pub(crate) async fn of_postgres(url: &str) -> Vec<Row> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables: Vec<String> = sqlx::query_scalar("SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    let mut rows = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT (to_jsonb(t) || jsonb_build_object('ctid', t.ctid::text, 'xmin', t.xmin::text::bigint, \
             'xmax', t.xmax::text::bigint))::text FROM \"{table}\" t"
        );
        let found: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        rows.extend(found.iter().map(|text| row(&table, text)));
    }
    connection.close().await.unwrap();
    rows
}

fn row(table: &str, text: &str) -> Row {
    Row { table: table.to_owned(), cells: serde_json::from_str(text).unwrap() }
}
