//! What a catcher witnessed, on disk: one JSON line for each event, in the order in which they happened.
//!
//! The line about a final dot is on disk before the sender hears anything of it, so that whatever the sender believes can
//! be held against it, however either of them ended. It holds addresses of people: it is for made-up ones only.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A connection was made.
    Open,
    /// Turned away before there was a recipient: at the greeting, at `EHLO` or at `MAIL`.
    Away,
    /// `RCPT TO` was answered.
    Rcpt,
    /// `DATA` was refused.
    Data,
    /// The final dot was read. Nothing was said yet.
    Dot,
    /// The answer to the final dot was handed to the network.
    Told,
    /// The connection ended.
    End,
}

/// One line of the journal. What does not apply is left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The connection, from 1.
    pub connection: u64,
    /// What happened.
    pub step: Step,
    /// The envelope's recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// The mail's Message-ID, where the contents are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// SHA-256 of the contents, doubled dots taken back, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The code that was, or is about to be, answered; nothing where the sender gets no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<u16>,
    /// At [`Step::Dot`]: whether the mail counts as taken, whatever the sender is told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub taken: bool,
    /// At [`Step::Dot`]: whether the mail came under TLS.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secured: bool,
    /// At [`Step::End`]: whether the sender had said `QUIT`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quit: bool,
}

impl Event {
    /// An event of a connection with nothing else to say.
    #[must_use]
    pub fn new(connection: u64, step: Step) -> Self {
        let (recipient, message_id, sha256, code) = (None, None, None, None);
        Self { connection, step, recipient, message_id, sha256, code, taken: false, secured: false, quit: false }
    }
}

/// A journal that is being written. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Journal {
    lines: mpsc::Sender<Line>,
}

#[derive(Debug)]
struct Line {
    text: Vec<u8>,
    /// Told once the line is on disk.
    durable: Option<oneshot::Sender<()>>,
}

impl Journal {
    /// Begins a journal, or goes on with one. `echo` gets each line too, once it has been written.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, echo: impl Write + Send + 'static) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        let (lines, received) = mpsc::channel();
        std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            if let Err(error) = keep(file, echo, &received) {
                tracing::error!(kind = ?error.kind(), "the journal cannot be written");
            }
        })?;
        Ok(Self { lines })
    }

    /// Writes an event down soon.
    ///
    /// # Errors
    /// The journal could not be written before: then nothing more can be witnessed.
    pub fn note(&self, event: &Event) -> io::Result<()> {
        self.send(event, None)
    }

    /// Writes an event down and returns when it is on disk. Many such calls at once cost one write to disk.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn witness(&self, event: &Event) -> io::Result<()> {
        let (durable, is_durable) = oneshot::channel();
        self.send(event, Some(durable))?;
        is_durable.await.map_err(|_| lost())
    }

    fn send(&self, event: &Event, durable: Option<oneshot::Sender<()>>) -> io::Result<()> {
        let mut text = serde_json::to_vec(event)?;
        text.push(b'\n');
        self.lines.send(Line { text, durable }).map_err(|_| lost())
    }
}

fn lost() -> io::Error {
    io::Error::other("the journal cannot be written")
}

/// Writes what has come together since the last write to disk, until every sender is gone.
fn keep(mut file: File, mut echo: impl Write, lines: &mpsc::Receiver<Line>) -> io::Result<()> {
    while let Ok(first) = lines.recv() {
        let mut batch = vec![first];
        batch.extend(lines.try_iter());
        let text: Vec<u8> = batch.iter().flat_map(|line| line.text.iter().copied()).collect();
        file.write_all(&text)?;
        if batch.iter().any(|line| line.durable.is_some()) {
            file.sync_data()?;
        }
        for durable in batch.into_iter().filter_map(|line| line.durable) {
            // A connection that is gone no longer asks.
            let _ = durable.send(());
        }
        echo.write_all(&text)?;
        echo.flush()?;
    }
    Ok(())
}

/// Reads a journal. A last line that a power cut left half is no event.
///
/// # Errors
/// The file cannot be read, or a whole line is none of a journal.
pub fn read_journal(path: &Path) -> io::Result<Vec<Event>> {
    let text = std::fs::read(path)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).map_err(io::Error::from)).collect()
}
