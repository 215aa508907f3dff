//! Reaching a database: what a URL means, how connections are set up, and whether what is found there is a ledger.
//!
//! sqlx's `Any` driver carries one SQL text to both databases; what differs (locking clauses, pragmas, erasing) is
//! chosen by [`Backend`]. Nothing here creates a PostgreSQL database: that is its administrator's.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sqlx::any::{Any, AnyConnectOptions, AnyPoolOptions};
use sqlx::migrate::Migrator;
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, ConnectOptions, Connection};

use crate::error::{LedgerError, Result};

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Readers beside the one writer, on SQLite.
const SQLITE_READERS: u32 = 4;
/// Connections of one process to PostgreSQL.
const POSTGRES_CONNECTIONS: u32 = 8;
/// How long a call waits for a connection of its own process, beyond the lock timeout.
const ACQUIRE_SECONDS: u64 = 20;

/// How a ledger is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long a write waits for another process before it fails with [`LedgerError::Locked`].
    pub lock_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { lock_timeout: Duration::from_secs(10) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    fn migrations(self) -> &'static Migrator {
        match self {
            Self::Sqlite => &SQLITE_MIGRATIONS,
            Self::Postgres => &POSTGRES_MIGRATIONS,
        }
    }

    /// The newest format this program knows.
    pub(crate) fn known(self) -> i64 {
        self.migrations().iter().map(|migration| migration.version).max().unwrap_or(0)
    }
}

/// A place a ledger can be at.
pub(crate) struct Place {
    pub(crate) backend: Backend,
    path: Option<PathBuf>,
    connect: AnyConnectOptions,
}

/// What stands at a place.
pub(crate) enum Found {
    /// An empty database.
    Empty,
    /// A ledger of this format.
    Ledger(i64),
}

impl Place {
    /// Understands `sqlite:PATH` (also `sqlite://PATH`) and `postgres://…`.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let rest = rest.strip_prefix("//").unwrap_or(rest);
            if rest.is_empty() || rest.starts_with(":memory:") {
                return Err(LedgerError::Database("a ledger needs a file".into()));
            }
            let path = std::path::absolute(rest).map_err(|error| of_io(&error))?;
            let text = path.to_str().ok_or_else(|| LedgerError::Database("the path is not UTF-8".into()))?;
            let connect = AnyConnectOptions::from_str(&format!("sqlite://{}", percent_encoded(text)))?;
            return Ok(Self {
                backend: Backend::Sqlite,
                path: Some(path),
                connect: connect.disable_statement_logging(),
            });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let connect = AnyConnectOptions::from_str(url)?;
            return Ok(Self { backend: Backend::Postgres, path: None, connect: connect.disable_statement_logging() });
        }
        Err(LedgerError::Database("the database URL must begin with sqlite: or postgres:".into()))
    }

    /// Refuses where no file is.
    pub(crate) fn require_file(&self) -> Result<()> {
        match &self.path {
            Some(path) if !path.try_exists().map_err(|error| of_io(&error))? => {
                Err(LedgerError::NotFound("the ledger file"))
            }
            Some(path) => require_writable(path),
            None => Ok(()),
        }
    }

    /// Makes the empty file, readable by its owner only, before SQLite would make it readable by all.
    pub(crate) fn make_file(&self) -> Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(path) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => require_writable(path),
            Err(error) => Err(of_io(&error)),
        }
    }

    /// Looks without changing anything: not even the journal mode of a file that is somebody else's.
    pub(crate) async fn look(&self, options: Options) -> Result<Found> {
        let mut connection = AnyConnection::connect_with(&self.connect).await?;
        let found = self.look_with(&mut connection, options).await;
        connection.close().await?;
        found
    }

    async fn look_with(&self, connection: &mut AnyConnection, options: Options) -> Result<Found> {
        // The list of migrations alone is what a making leaves that was stopped before its first one.
        let (timeout, count, marker) = match self.backend {
            Backend::Sqlite => (
                format!("PRAGMA busy_timeout = {}", options.lock_timeout.as_millis()),
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name <> '_sqlx_migrations'",
                "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'parsurvey_ledger'",
            ),
            Backend::Postgres => (
                format!("SET lock_timeout = {}", options.lock_timeout.as_millis()),
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename <> '_sqlx_migrations'",
                "SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'parsurvey_ledger'",
            ),
        };
        sqlx::query(AssertSqlSafe(timeout)).execute(&mut *connection).await?;
        if sqlx::query_scalar::<Any, i64>(count).fetch_one(&mut *connection).await? == 0 {
            return Ok(Found::Empty);
        }
        if sqlx::query_scalar::<Any, i64>(marker).fetch_one(&mut *connection).await? == 0 {
            return Err(LedgerError::NotALedger("it holds other tables"));
        }
        let found = sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(version), 0) FROM _sqlx_migrations")
            .fetch_one(&mut *connection)
            .await?;
        let known = self.backend.known();
        if found > known { Err(LedgerError::Newer { found, known }) } else { Ok(Found::Ledger(found)) }
    }

    /// The pools (writer, readers). On PostgreSQL both are the same one.
    pub(crate) fn pools(&self, options: Options) -> (AnyPool, AnyPool) {
        match self.backend {
            Backend::Sqlite => (
                self.pool(1, sqlite_setup(options, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")),
                self.pool(SQLITE_READERS, sqlite_setup(options, "PRAGMA query_only = ON")),
            ),
            Backend::Postgres => {
                let setup = format!(
                    "SET lock_timeout = {}; SET synchronous_commit = on; SET client_min_messages = warning",
                    options.lock_timeout.as_millis()
                );
                let pool = self.pool(POSTGRES_CONNECTIONS, setup);
                (pool.clone(), pool)
            }
        }
    }

    fn pool(&self, connections: u32, setup: String) -> AnyPool {
        AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS))
            .after_connect(move |connection, _| {
                let setup = setup.clone();
                Box::pin(async move {
                    sqlx::raw_sql(AssertSqlSafe(setup)).execute(&mut *connection).await?;
                    Ok(())
                })
            })
            .connect_lazy_with(self.connect.clone())
    }

    /// Brings an older or empty database to the format this program knows.
    pub(crate) async fn migrate(&self, pool: &AnyPool) -> Result<()> {
        Ok(self.backend.migrations().run(pool).await?)
    }
}

fn sqlite_setup(options: Options, role: &str) -> String {
    format!(
        "PRAGMA busy_timeout = {}; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; {role}",
        options.lock_timeout.as_millis()
    )
}

fn require_writable(path: &Path) -> Result<()> {
    std::fs::OpenOptions::new().append(true).open(path).map(drop).map_err(|error| of_io(&error))
}

fn of_io(error: &std::io::Error) -> LedgerError {
    match error.kind() {
        std::io::ErrorKind::NotFound => LedgerError::NotFound("the folder of the ledger"),
        std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => LedgerError::ReadOnly,
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => LedgerError::DiskFull,
        std::io::ErrorKind::IsADirectory => LedgerError::NotALedger("it is a folder"),
        kind => LedgerError::Database(format!("the file cannot be opened: {kind}")),
    }
}

/// A path as it stands in a URL; SQLite's driver decodes it again.
fn percent_encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'/' | b'-' | b'_' | b'.' | b'~' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
