//! The binary as a process: built once, never stale, with nothing of the environment that could change its answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::OnceLock;

use tokio::process::Command;

/// What a command did.
#[derive(Debug, Clone)]
pub struct Ran {
    /// The exit code; −1 when a signal ended it.
    pub code: i32,
    /// Data.
    pub stdout: String,
    /// For people.
    pub stderr: String,
}

impl Ran {
    /// The same, when it ended with this code.
    #[track_caller]
    pub fn done_with(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// The same, when it ended with 0.
    #[track_caller]
    pub fn done(self) -> Self {
        self.done_with(0)
    }

    /// stdout as JSON.
    #[must_use]
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }

    /// Asserts that stderr says all of these.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.stderr.contains(word), "'{word}' is not in:\n{}", self.stderr);
        }
        self
    }
}

/// The project's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The binary. `PARSURVEY_TEST_BINARY` names another build to try.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let other = std::env::var_os("PARSURVEY_TEST_BINARY").map(PathBuf::from);
        let binary = other.unwrap_or_else(|| built().join("parsurvey"));
        assert!(binary.is_file(), "the program was not found");
        binary
    })
}

/// A program that stands among a package's examples, such as a relay of its own process.
#[must_use]
pub fn example(name: &str) -> PathBuf {
    let program = built().join("examples").join(name);
    assert!(program.is_file(), "the example {name} was not found");
    program
}

/// The folder with everything that is built: by the one command shape that everything here is built with, so that it is
/// neither stale nor a reason to build the heavy libraries a second time. Who tries another build has built everything.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        if std::env::var_os("PARSURVEY_TEST_BINARY").is_none() {
            let built = std::process::Command::new(env!("CARGO"))
                .args(["build", "--locked", "--quiet", "--workspace", "--all-targets"])
                .current_dir(root())
                .status()
                .unwrap();
            assert!(built.success(), "the program does not build");
        }
        // A test lies in target/debug/deps, an example in target/debug/examples; the program one folder up.
        let here = std::env::current_exe().unwrap();
        here.parent().unwrap().parent().unwrap().to_path_buf()
    })
}

/// A command that starts from a clean environment.
#[must_use]
pub(crate) fn command(args: &[String]) -> Command {
    let mut command = Command::new(binary());
    command
        .args(args)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub(crate) async fn run(args: Vec<String>) -> Ran {
    read(command(&args)).await
}

/// Runs a command in a folder, with exactly these arguments.
pub async fn run_in(folder: &Path, args: &[&str]) -> Ran {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut command = command(&args);
    command.current_dir(folder);
    read(command).await
}

async fn read(mut command: Command) -> Ran {
    ran(command.output().await.unwrap())
}

/// What a process that has ended did.
pub(crate) fn ran(output: std::process::Output) -> Ran {
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
