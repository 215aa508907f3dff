//! Postfix's `smtp-sink`, which throws away what it is sent, and what else is sent to it for comparison.
//!
//! It counts mails as they come, which tells when the first and the last arrived. Nothing here sends for us.

use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use std::io::Read;

use parsurvey_tests::root;

/// When mails arrived.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Arrivals {
    /// How many.
    pub(crate) mails: u64,
    /// The first.
    pub(crate) first: Option<Instant>,
    /// The thousandth.
    pub(crate) thousandth: Option<Instant>,
    /// The last.
    pub(crate) last: Option<Instant>,
}

/// A running `smtp-sink`; it ends when it is dropped.
pub(crate) struct Sink {
    /// Its port.
    pub(crate) port: u16,
    arrivals: Arc<Mutex<Arrivals>>,
    child: Child,
}

/// A program of Postfix, wherever it lies.
pub(crate) fn postfix(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect();
    folders.extend(["/usr/sbin".into(), root().join("target/bench-tools/usr/sbin")]);
    let found = folders.into_iter().map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is missing: run tests/bench/tools.sh (Debian: postfix)"))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout.trim_ascii() == b"0"
}

impl Sink {
    /// Starts it on a free port.
    pub(crate) fn start() -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(postfix("smtp-sink"));
        if is_root() {
            // It insists on being nobody of importance.
            command.args(["-u", "nobody"]);
        }
        let mut child = command
            .args(["-c", &format!("127.0.0.1:{port}"), "1024"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let arrivals = Arc::new(Mutex::new(Arrivals::default()));
        let (stdout, seen) = (child.stdout.take().unwrap(), Arc::clone(&arrivals));
        std::thread::spawn(move || count(stdout, &seen));
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "smtp-sink ended");
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { port, arrivals, child }
    }

    /// Forgets what has arrived so far.
    pub(crate) fn begin(&self) {
        *self.arrivals.lock().unwrap() = Arrivals::default();
    }

    /// What has arrived since, once so many mails have.
    pub(crate) fn arrived(&self, mails: u64) -> Arrivals {
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let arrivals = *self.arrivals.lock().unwrap();
            if arrivals.mails >= mails || Instant::now() > end {
                return arrivals;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        // It ends with the bench in any case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads `sess=… quit=… mesg=…`, which the sink writes over and over.
fn count(mut stdout: ChildStdout, seen: &Mutex<Arrivals>) {
    let mut buffer = [0; 65536];
    let mut total = 0;
    while let Ok(length) = stdout.read(&mut buffer) {
        if length == 0 {
            return;
        }
        let now = Instant::now();
        let text = String::from_utf8_lossy(&buffer[..length]);
        // A number that the buffer cut in two comes whole with the next piece.
        let numbers = text.split("mesg=").skip(1).filter(|rest| rest.contains('\r'));
        let Some(latest) = numbers.filter_map(|rest| rest.split('\r').next()?.trim().parse::<u64>().ok()).max() else {
            continue;
        };
        let mut seen = seen.lock().unwrap();
        if latest > total {
            seen.mails += latest - total;
            total = latest;
            seen.first.get_or_insert(now);
            if seen.mails >= 1000 {
                seen.thousandth.get_or_insert(now);
            }
            seen.last = Some(now);
        }
    }
}

/// Sends by `smtp-source`, which composes nothing and keeps nothing: the ceiling. Mails a second.
pub(crate) fn smtp_source(sink: &Sink, mails: u64, connections: usize, bytes: usize) -> f64 {
    let began = Instant::now();
    let ended = Command::new(postfix("smtp-source"))
        .args(["-d", "-s", &connections.to_string(), "-m", &mails.to_string(), "-l", &bytes.to_string()])
        .args(["-f", "khaosat@khaosat.example", "-t", "hoa@soyte.example"])
        .arg(format!("127.0.0.1:{}", sink.port))
        .status()
        .unwrap();
    assert!(ended.success(), "smtp-source failed");
    mails as f64 / began.elapsed().as_secs_f64()
}

/// Sends by nodemailer's pool. Mails a second, as it counts them itself.
pub(crate) fn nodemailer(sink: &Sink, mails: u64, connections: usize, bytes: usize) -> f64 {
    let words = [u64::from(sink.port), mails, connections as u64, bytes as u64].map(|word| word.to_string());
    let script = root().join("tests/bench/nodemailer.mjs");
    let folder = root().join("target/bench-tools/node");
    assert!(folder.join("node_modules/nodemailer").is_dir(), "nodemailer is missing: run tests/bench/tools.sh");
    mails as f64 / seconds(Command::new("node").arg(script).args(words).env("NODE_FOLDER", folder))
}

/// Sends by Python's smtplib over one connection. Mails a second, as it counts them itself.
pub(crate) fn smtplib(sink: &Sink, mails: u64, bytes: usize) -> f64 {
    let words = [u64::from(sink.port), mails, bytes as u64].map(|word| word.to_string());
    let script = root().join("tests/bench/smtplib_send.py");
    mails as f64 / seconds(Command::new("python3").arg(script).args(words))
}

fn seconds(command: &mut Command) -> f64 {
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(output.status.success(), "{command:?} failed");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}
