//! A process that a test starts and ends, with its log to wait for.
//!
//! It ends when the pipe to its keeper closes: on drop, or when the test's own process ends in whatever way.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long servers on a busy machine may take; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(90);

/// Starts `$2…` and waits for the pipe to close, then ends it: by the pid in the file `$1`, or its own.
const KEEPER: &str = r#"
trap : INT TERM HUP
file=$1; shift
"$@" </dev/null 2>&1 &
pid=$!
read -r _
[ -s "$file" ] && kill $(cat "$file") 2>/dev/null || kill $pid 2>/dev/null
wait $pid
"#;

/// A process with its log.
pub(crate) struct Daemon {
    name: String,
    stdin: Option<ChildStdin>,
    keeper: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Daemon {
    /// Starts a program; `pid_file` names the process to end where that is not the program itself.
    pub(crate) fn start(program: &str, arguments: &[&str], pid_file: &str) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "keeper", pid_file, program])
            .args(arguments)
            .current_dir("/")
            .env("LC_ALL", "C")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (says, lines) = channel();
        let out = BufReader::new(keeper.stdout.take().unwrap());
        // The thread ends with the process, whose last words close the pipe.
        std::thread::spawn(move || {
            for line in out.split(b'\n').map_while(Result::ok) {
                if says.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { name: program.to_owned(), stdin: keeper.stdin.take(), keeper, lines, seen: Vec::new() }
    }

    /// Waits until so many lines of the log have satisfied `is_it`, lines of before included.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, count: usize, is_it: impl Fn(&str) -> bool) {
        let began = Instant::now();
        while self.seen.iter().filter(|line| is_it(line)).count() < count {
            match self.lines.recv_timeout(PATIENCE.saturating_sub(began.elapsed())) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("{} never said {what}; its log:\n{}", self.name, self.seen.join("\n"))
                }
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.stdin.take());
        if let Err(error) = self.keeper.wait() {
            eprintln!("the keeper of {} cannot be awaited: {error}", self.name);
        }
    }
}

/// The path of a program, or what to install.
#[track_caller]
pub(crate) fn program(name: &str, package: &str) -> String {
    let folders = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(std::path::PathBuf::from);
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    let path = found.unwrap_or_else(|| panic!("{name} is missing: install it (Debian: apt-get install {package})"));
    path.to_str().unwrap().to_owned()
}

/// Runs a tool with an input; gives whether it succeeded and what it said.
#[track_caller]
pub(crate) fn tool(name: &str, package: &str, arguments: &[&str], input: &[u8]) -> (bool, Vec<u8>) {
    use std::io::Write;
    let mut child = Command::new(program(name, package))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), [output.stdout, output.stderr].concat())
}
