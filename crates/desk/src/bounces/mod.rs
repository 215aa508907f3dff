//! What came back: mails from files, folders, standard input and mailboxes elsewhere, taken into the ledger.
//!
//! Each mail is classified as it is read and let go at once; only codes and words of our own are kept. Nothing is
//! deleted anywhere, and a mail that was read before changes nothing, so every reading can be ended and begun again.

mod places;
mod return_path;

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use jiff::Timestamp;
use parsurvey_dispatch::bounce::{Mailbox, Recipient, classify, fingerprint, verp};
use parsurvey_dispatch::imap::{ImapError, ImapRoute, Inbox, Keyword};
use parsurvey_ledger::{Intake, MailboxPlace, NewReport, ReportRow, StoppedAddress, Taken, ToldOf};
use parsurvey_survey::seat::FormId;

use crate::{Because, Desk, DeskError};

pub use places::mail_files;

/// Reports that are stored at once.
const BATCH: usize = 100;
/// Recipients that are stored at once: a report may speak of hundreds.
const BATCH_TOLD: usize = 5_000;
/// Mails that a mailbox is asked for at once.
const FETCH: usize = 25;

/// A reading of mails that came back. What was read is stored in batches; [`Reading::finish`] stores the last.
pub struct Reading<'d> {
    desk: &'d Desk,
    because: Because,
    now: Timestamp,
    source: String,
    waiting: Vec<NewReport>,
    taken: Taken,
}

/// Why a mailbox elsewhere was not read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The mailbox.
    #[error("{0}")]
    Imap(#[from] ImapError),
    /// The ledger.
    #[error("{0}")]
    Desk(#[from] DeskError),
}

impl Desk {
    /// Begins a reading.
    ///
    /// # Errors
    /// The secret that return paths were made with is missing or another: no report could be proved, and none would be
    /// read a second time.
    pub async fn reading(&self, because: &Because, now: Timestamp) -> Result<Reading<'_>, DeskError> {
        self.ready_return_paths(because, now).await?;
        Ok(Reading {
            desk: self,
            because: because.clone(),
            now,
            source: String::new(),
            waiting: Vec::new(),
            taken: Taken::default(),
        })
    }

    /// The reports, oldest first; `unmatched` are those that prove nothing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn reports(&self, unmatched: bool) -> Result<Vec<ReportRow>, DeskError> {
        Ok(self.ledger.reports(unmatched).await?)
    }

    /// The seats to whose holder nothing is sent, because the address is dead or its owner complained.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn stopped_addresses(&self) -> Result<Vec<StoppedAddress>, DeskError> {
        Ok(self.ledger.stopped_addresses().await?)
    }

    /// Lets mails go to the holder of a seat again.
    ///
    /// # Errors
    /// Nothing is held back, or the act has no reason or document.
    pub async fn resume_mails(&self, form: FormId, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        crate::acts::documented(because)?;
        Ok(self.ledger.resume_mails(form, &because.act(now)).await?)
    }

    /// What one mail says, ready to be stored.
    fn report_of(&self, mail: &[u8]) -> NewReport {
        let report = classify(mail);
        let secret = self.return_path_secret();
        NewReport {
            sha256: fingerprint(mail),
            kind: report.kind,
            proved: secret.and_then(|secret| report.sent_to.iter().find_map(|to| verp::read(secret, to.local_part()))),
            message_id: report.message_id,
            told: report.recipients.iter().map(told).collect(),
        }
    }
}

fn told(recipient: &Recipient) -> ToldOf {
    ToldOf {
        address: recipient.address.as_ref().map(|address| address.expose().to_owned()),
        action: recipient.action,
        status: recipient.status.map(|code| (code.class, code.subject, code.detail)),
        status_source: recipient.status_source,
        class: recipient.class,
        reason: recipient.reason,
    }
}

impl Reading<'_> {
    /// Reads every mail of a file or a stream: one mail or an mbox.
    ///
    /// # Errors
    /// It cannot be read to its end, which is told apart from the ledger's own errors; what was read before is kept.
    pub async fn mails(&mut self, source: &str, reader: impl BufRead) -> Result<io::Result<()>, DeskError> {
        self.come_from(source).await?;
        for mail in Mailbox::new(reader) {
            match mail {
                Ok(mail) => self.add(&mail),
                Err(error) => return Ok(Err(error)),
            }
            self.store_if_full().await?;
        }
        Ok(Ok(()))
    }

    /// Reads every mail of a file. A mail that a mail program has filed meanwhile is found where it lies now.
    ///
    /// # Errors
    /// As [`Reading::mails`].
    pub async fn file(&mut self, path: &Path) -> Result<io::Result<()>, DeskError> {
        match File::open(path).or_else(|error| places::moved(path).ok_or(error).and_then(File::open)) {
            Ok(file) => self.mails(&places::label(path), BufReader::new(file)).await,
            Err(error) => Ok(Err(error)),
        }
    }

    /// Reads what is new in a mailbox elsewhere, and marks it with a keyword where one is given.
    ///
    /// # Errors
    /// [`MailboxError`]; what was read before is stored, and the next reading goes on from there.
    pub async fn mailbox(&mut self, route: &ImapRoute, mark: Option<&Keyword>) -> Result<(), MailboxError> {
        self.come_from(&route.address.label()).await?;
        let mut inbox = Inbox::open(route, mark.is_some()).await?;
        let (mailbox, validity) = (route.address.key(), inbox.validity());
        let last = self.desk.ledger.read_until(&mailbox, validity).await.map_err(DeskError::from)?;
        let uids = inbox.uids_after(last.unwrap_or_default()).await?;
        for batch in uids.chunks(FETCH) {
            let fetched = inbox.fetch(batch, |_, mail| self.add(mail)).await;
            // The mark of how far the mailbox was read is set last: ended in between, these mails are read again and
            // known by their hash, and none is left out.
            self.store(None).await?;
            fetched?;
            if let Some(keyword) = mark {
                inbox.mark(batch, keyword).await?;
            }
            let last_uid = *batch.last().expect("a chunk is never empty");
            self.store(Some(MailboxPlace { mailbox: mailbox.clone(), validity, last_uid })).await?;
        }
        inbox.close().await;
        Ok(())
    }

    /// Stores what is left and tells what all of it was.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn finish(mut self) -> Result<Taken, DeskError> {
        self.store(None).await?;
        Ok(self.taken)
    }

    fn add(&mut self, mail: &[u8]) {
        let report = self.desk.report_of(mail);
        self.waiting.push(report);
    }

    /// Reports of one batch have one source.
    async fn come_from(&mut self, source: &str) -> Result<(), DeskError> {
        if self.source != source {
            self.store(None).await?;
            source.clone_into(&mut self.source);
        }
        Ok(())
    }

    async fn store_if_full(&mut self) -> Result<(), DeskError> {
        let told: usize = self.waiting.iter().map(|report| report.told.len()).sum();
        if self.waiting.len() >= BATCH || told >= BATCH_TOLD { self.store(None).await } else { Ok(()) }
    }

    async fn store(&mut self, place: Option<MailboxPlace>) -> Result<(), DeskError> {
        if self.waiting.is_empty() && place.is_none() {
            return Ok(());
        }
        let intake = Intake { source: self.source.clone(), place };
        let act = self.because.act(self.now);
        let taken = self.desk.ledger.take_reports(&self.waiting, &intake, &act).await?;
        self.waiting.clear();
        self.taken.add(&taken);
        Ok(())
    }
}
