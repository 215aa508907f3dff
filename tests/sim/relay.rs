//! The relay that fails on purpose, as a process of its own, and what it has witnessed so far.
//!
//! Progress is read from what the relay prints, so that a moment can be chosen by what has happened and not by the clock.
//! What counts in the end is the journal on disk.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use parsurvey_rehearsal::catcher::{Event, Step, read_journal};
use parsurvey_tests::example;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;

/// Long enough for a busy machine; who needs it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// What has been witnessed so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Seen {
    /// Lines of the journal.
    pub(crate) events: u64,
    /// Connections that are open.
    pub(crate) open: i64,
    /// Mails taken, each time they were.
    pub(crate) taken: u64,
    /// Final dots read.
    pub(crate) dots: u64,
}

/// A running fault relay; it ends when it is dropped.
pub(crate) struct Relay {
    /// Where it listens, as `--smtp` takes it.
    pub(crate) address: String,
    journal: PathBuf,
    seen: watch::Receiver<Seen>,
    words: ChildStdin,
    _child: Child,
}

impl Relay {
    /// Starts it with a journal in this folder and these further arguments.
    pub(crate) async fn start(folder: &Path, arguments: &[String]) -> Self {
        let journal = folder.join("journal.jsonl");
        let mut child = Command::new(example("fault_relay"))
            .arg(format!("journal={}", journal.display()))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let words = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().expect("the relay says where it listens");
        let address = first.strip_prefix("listening ").expect("it begins with its address").to_owned();
        let (sender, seen) = watch::channel(Seen::default());
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let event: Event = serde_json::from_str(&line).expect("a line of the journal");
                sender.send_modify(|seen| seen.add(&event));
            }
        });
        Self { address, journal, seen, words, _child: child }
    }

    /// What has been witnessed so far.
    pub(crate) fn seen(&self) -> Seen {
        *self.seen.borrow()
    }

    /// Returns once it is as asked.
    pub(crate) async fn when(&self, mut asked: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        let waited = tokio::time::timeout(PATIENCE, seen.wait_for(|seen| asked(seen))).await;
        waited.expect("the relay sees it in time").expect("the relay goes on");
    }

    /// The same without an end to the patience: for a moment that may never come.
    pub(crate) async fn whenever(&self, mut asked: impl FnMut(&Seen) -> bool) {
        let mut seen = self.seen.clone();
        seen.wait_for(|seen| asked(seen)).await.expect("the relay goes on");
    }

    /// Ends the faults.
    pub(crate) async fn calm(&mut self) {
        self.words.write_all(b"calm\n").await.unwrap();
        self.words.flush().await.unwrap();
    }

    /// The whole journal, once every connection has ended.
    pub(crate) async fn journal(&self) -> Vec<Event> {
        self.when(|seen| seen.open == 0).await;
        read_journal(&self.journal).unwrap()
    }
}

impl Seen {
    fn add(&mut self, event: &Event) {
        self.events += 1;
        self.taken += u64::from(event.taken);
        match event.step {
            Step::Open => self.open += 1,
            Step::End => self.open -= 1,
            Step::Dot => self.dots += 1,
            Step::Away | Step::Rcpt | Step::Data | Step::Told => {}
        }
    }
}
