//! Databases and fixtures for the cases. Nothing here asserts.

mod fixtures;
pub(crate) mod postgres;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use parsurvey_ledger::{Ledger, LedgerError, Options};
use sqlx::{AnyConnection, AssertSqlSafe, Connection as _};

pub(crate) use fixtures::{
    LEASE, accepted, act, add, at, ballot, confirm_keys, draft, entered, inviting, inviting_by_two, mail, mark,
    new_person, outcome, place, settle,
};

static POSTGRES: OnceLock<Result<postgres::Postgres, String>> = OnceLock::new();
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A lock timeout short enough to wait for in a test.
pub(crate) const IMPATIENT: Options = Options { lock_timeout: Duration::from_millis(60) };

/// An empty place for a ledger.
pub(crate) struct Bench {
    pub(crate) url: String,
    pub(crate) folder: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A name that a URL would read otherwise.
        let url = format!("sqlite:{}/sổ 100%?#.sqlite", folder.path().display());
        Self { url, folder }
    }

    pub(crate) async fn postgres() -> Self {
        let server = tokio::task::spawn_blocking(|| POSTGRES.get_or_init(postgres::start)).await.expect("a thread");
        let server = server.as_ref().expect("the suite needs PostgreSQL");
        let database = format!("bench_{}", COUNTER.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut admin = AnyConnection::connect(&server.url("postgres")).await.expect("the server answers");
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {database}")))
            .execute(&mut admin)
            .await
            .expect("a database");
        Self { url: server.url(&database), folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// Where the PostgreSQL server keeps the tables of all benches.
    pub(crate) fn postgres_tables() -> std::path::PathBuf {
        let server = POSTGRES.get_or_init(postgres::start).as_ref().expect("the suite needs PostgreSQL");
        server.folder.join("data/base")
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }

    /// The SQLite file.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.url.strip_prefix("sqlite:").expect("only asked of SQLite").into()
    }

    /// A connection behind the ledger's back.
    pub(crate) async fn raw(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        let url = self.url.replace('%', "%25").replace(' ', "%20").replace("?#", "%3F%23");
        let url = if self.is_sqlite() { format!("{url}?mode=rwc") } else { self.url.clone() };
        AnyConnection::connect(&url).await.expect("a connection")
    }

    /// Runs statements behind the ledger's back.
    pub(crate) async fn run(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.raw().await;
        let result = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await;
        connection.close().await.expect("closing");
        result.map(drop)
    }

    pub(crate) async fn create(&self) -> Result<Ledger, LedgerError> {
        Ledger::create_with(&self.url, "hanoi-2023", &act(0), IMPATIENT).await
    }

    pub(crate) async fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open_with(&self.url, IMPATIENT).await
    }

    /// A ledger that waits long enough for tests that write from several sides.
    pub(crate) async fn open_patient(&self) -> Ledger {
        Ledger::open(&self.url).await.expect("the ledger opens")
    }
}
