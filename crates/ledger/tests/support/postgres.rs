//! A throw-away PostgreSQL server: no port, a socket in its own folder, gone when this process is.
//!
//! It is never skipped: where PostgreSQL is missing, `start` says what to install. As root it runs as user postgres,
//! because the server refuses root. Nothing is awaited by sleeping: the server's own tool reports when it is ready.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// A running server. It stops when the pipe to its keeper closes: on drop, or when this process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// Its folder: socket, log, and the tables under `data/base`.
    pub(crate) folder: PathBuf,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    keeper: Child,
}

/// Starts the server, obeys the words `crash` and `start` until the pipe closes, stops the server by the pid it wrote,
/// removes the folder.
const KEEPER: &str = r#"
trap : INT TERM HUP
folder=$1
binaries=$2
start() {
    "$binaries/pg_ctl" -w -D "$folder/data" -l "$folder/log" \
        -o "-F -k '$folder' -c listen_addresses= -c max_connections=200" start >>"$folder/log" 2>&1 && echo ready
}
mkdir -m 700 "$1" || exit 1
"$2/initdb" -D "$1/data" -U postgres -A trust -E UTF8 --no-sync >"$1/log" 2>&1 &&
start &&
while read -r word; do
    case "$word" in
    crash) "$2/pg_ctl" -w -D "$1/data" -m immediate stop >>"$1/log" 2>&1 && echo ready ;;
    start) start ;;
    esac
done
[ -f "$1/data/postmaster.pid" ] && "$2/pg_ctl" -w -D "$1/data" -m immediate stop >/dev/null 2>&1
[ -f "$1/log" ] && tail -n 5 "$1/log"
rm -rf "$1"
"#;

/// Starts a server.
///
/// # Errors
/// A text that says what is missing.
pub(crate) fn start() -> Result<Postgres, String> {
    let binaries = binaries().ok_or("PostgreSQL is missing: install it (Debian: apt-get install postgresql)")?;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    let folder = std::env::temp_dir().join(format!("parsurvey-postgres-{}-{number}", std::process::id()));
    let mut command = if is_root()? {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--", "sh"]);
        command
    } else {
        Command::new("sh")
    };
    let mut keeper = command
        .args(["-c", KEEPER, "keeper"])
        .arg(&folder)
        .arg(&binaries)
        .current_dir("/")
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("PostgreSQL cannot be started: {error}"))?;
    let stdin = keeper.stdin.take();
    let stdout = BufReader::new(keeper.stdout.take().ok_or("no output of PostgreSQL's keeper")?);
    let mut server = Postgres { folder, stdin, stdout, keeper };
    server.is_ready()?;
    Ok(server)
}

impl Postgres {
    fn is_ready(&mut self) -> Result<(), String> {
        let mut line = String::new();
        self.stdout.read_line(&mut line).map_err(|error| error.to_string())?;
        if line.trim() == "ready" { Ok(()) } else { Err(format!("PostgreSQL did not start: {line}")) }
    }

    fn tell(&mut self, word: &str) -> Result<(), String> {
        let stdin = self.stdin.as_mut().ok_or("PostgreSQL's keeper is gone")?;
        writeln!(stdin, "{word}").map_err(|error| error.to_string())?;
        self.is_ready()
    }

    /// Stops the server as a power cut would: it recovers when it starts again.
    ///
    /// # Errors
    /// A text that says what the server's own tool said.
    #[allow(dead_code, reason = "the ledger's own tests crash no server; tests of the whole program do")]
    pub(crate) fn crash(&mut self) -> Result<(), String> {
        self.tell("crash")
    }

    /// Starts the server again.
    ///
    /// # Errors
    /// As [`Postgres::crash`].
    #[allow(dead_code, reason = "the ledger's own tests crash no server; tests of the whole program do")]
    pub(crate) fn start_again(&mut self) -> Result<(), String> {
        self.tell("start")
    }

    /// The URL of a database of this server; `postgres` stands there from the beginning.
    #[must_use]
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.display())
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("PostgreSQL's keeper cannot be awaited: {error}");
        }
    }
}

fn binaries() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    found.sort();
    found.reverse();
    let path = std::env::var_os("PATH").unwrap_or_default();
    found.extend(std::env::split_paths(&path));
    found.into_iter().find(|folder| holds(folder, "initdb") && holds(folder, "pg_ctl"))
}

fn holds(folder: &Path, program: &str) -> bool {
    folder.join(program).is_file()
}

fn is_root() -> Result<bool, String> {
    let output = Command::new("id").arg("-u").output().map_err(|error| error.to_string())?;
    Ok(output.stdout.trim_ascii() == b"0")
}
