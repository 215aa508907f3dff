//! Reading a mailbox over IMAP (RFC 3501), always under TLS: which mails are new, and their first bytes.
//!
//! It deletes nothing, sets no `\Seen`, and opens the folder read-only unless it is to mark what was read. It knows no
//! ledger: where reading began and ended is kept by the caller.
//! The library's own streams end in silence where a connection is lost, so that a torn answer would look like a whole
//! one; here every command ends with its own tagged answer or with an error. No text of a server is passed on.

mod address;
mod bounded;
mod open;

use std::time::Duration;

use async_imap::Session;
use async_imap::imap_proto::{AttributeValue, MailboxDatum, Response, ResponseCode, Status};
use secrecy::SecretString;
use tokio::time::timeout;

use crate::bounce::MAIL_LIMIT;
use crate::stream::Stream;
use crate::trust::Trust;

pub use address::{ImapAddress, ImapAddressError, ImapScheme};
use bounded::Bounded;

/// Everything that is needed to open a folder.
#[derive(Debug, Clone)]
pub struct ImapRoute {
    /// Where.
    pub address: ImapAddress,
    /// Whose certificates the server may show.
    pub trust: Trust,
    /// The password of the address's user.
    pub password: SecretString,
    /// How long each answer may take.
    pub patience: Duration,
}

/// Why a mailbox could not be read, or not to its end. None of the texts is the server's own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImapError {
    /// The server was not reached, or not under TLS.
    #[error("the mailbox's server could not be reached safely: {0}")]
    Route(String),
    /// The server refuses the name or the password.
    #[error("the mailbox's server refuses the login")]
    Login,
    /// There is no such folder, or it may not be opened.
    #[error("the mailbox has no folder of this name that may be opened")]
    Folder,
    /// The connection was lost or fell silent; what was read before is whole.
    #[error("the connection to the mailbox's server was lost")]
    Lost,
    /// The server refuses a command, or says what no IMAP server says.
    #[error("the mailbox's server does not do what it was asked")]
    Refused,
}

/// A folder that is open.
pub struct Inbox {
    session: Session<Bounded<Stream>>,
    patience: Duration,
    validity: u32,
}

impl Inbox {
    /// Connects, logs in and opens the folder; read-only unless `writable`, which marking needs.
    ///
    /// # Errors
    /// [`ImapError`].
    pub async fn open(route: &ImapRoute, writable: bool) -> Result<Self, ImapError> {
        let client = open::client(route).await?;
        let session = open::log_in(client, route).await?;
        let mut inbox = Self { session, patience: route.patience, validity: 0 };
        let verb = if writable { "SELECT" } else { "EXAMINE" };
        let mut validity = None;
        let open = format!("{verb} {}", route.address.quoted_folder());
        let opened = inbox.command(&open, |response| {
            if let Response::Data { outcome, .. } = response
                && let Some(ResponseCode::UidValidity(found)) = outcome.code
            {
                validity = Some(found);
            }
        });
        opened.await.map_err(|error| if error == ImapError::Refused { ImapError::Folder } else { error })?;
        inbox.validity = validity.ok_or(ImapError::Refused)?;
        Ok(inbox)
    }

    /// The folder's UIDVALIDITY: while it stays, a UID names the same mail.
    #[must_use]
    pub fn validity(&self) -> u32 {
        self.validity
    }

    /// The UIDs above `last`, ascending.
    ///
    /// # Errors
    /// [`ImapError::Lost`] or [`ImapError::Refused`].
    pub async fn uids_after(&mut self, last: u32) -> Result<Vec<u32>, ImapError> {
        let Some(first) = last.checked_add(1) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        self.command(&format!("UID SEARCH UID {first}:*"), |response| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = response {
                found.extend_from_slice(uids);
            }
        })
        .await?;
        // `*` stands for the last mail even where that lies below the range.
        found.retain(|uid| *uid > last);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Hands the first [`MAIL_LIMIT`] bytes of each mail to `take`. A mail that has gone meanwhile is left out.
    ///
    /// # Errors
    /// [`ImapError::Lost`] or [`ImapError::Refused`]; what was handed over before is whole.
    pub async fn fetch(&mut self, uids: &[u32], mut take: impl FnMut(u32, &[u8])) -> Result<(), ImapError> {
        if uids.is_empty() {
            return Ok(());
        }
        self.command(&format!("UID FETCH {} (UID BODY.PEEK[]<0.{MAIL_LIMIT}>)", listed(uids)), |response| {
            let Response::Fetch(_, attributes) = response else { return };
            let (mut uid, mut body) = (None, None);
            for attribute in attributes {
                match attribute {
                    AttributeValue::Uid(found) => uid = Some(*found),
                    AttributeValue::BodySection { section: None, data, .. } => body = Some(data.as_deref()),
                    _ => {}
                }
            }
            // Without a body it is a change of flags that the server tells unasked.
            if let (Some(uid), Some(body)) = (uid.filter(|uid| uids.contains(uid)), body) {
                let body = body.unwrap_or_default();
                take(uid, body.get(..MAIL_LIMIT).unwrap_or(body));
            }
        })
        .await
    }

    /// Sets a keyword on mails; the folder must be writable.
    ///
    /// # Errors
    /// [`ImapError::Lost`], or [`ImapError::Refused`] where the server keeps no keywords.
    pub async fn mark(&mut self, uids: &[u32], keyword: &Keyword) -> Result<(), ImapError> {
        if uids.is_empty() {
            return Ok(());
        }
        self.command(&format!("UID STORE {} +FLAGS.SILENT ({})", listed(uids), keyword.0), |_| {}).await
    }

    /// Takes leave. Whether the server answers changes nothing any more.
    pub async fn close(mut self) {
        if let Err(error) = self.command("LOGOUT", |_| {}).await {
            tracing::debug!(%error, "the mailbox was closed without an answer");
        }
    }

    /// Sends one command and hands over its answers until the tagged one.
    async fn command(&mut self, text: &str, mut each: impl FnMut(&Response<'_>)) -> Result<(), ImapError> {
        let sent = timeout(self.patience, self.session.run_command(text)).await.map_err(|_| ImapError::Lost)?;
        let tag = sent.map_err(|_| ImapError::Lost)?;
        loop {
            let read = timeout(self.patience, self.session.read_response()).await.map_err(|_| ImapError::Lost)?;
            let response = read.map_err(|error| open::broken(&error))?.ok_or(ImapError::Lost)?;
            match response.parsed() {
                Response::Done { tag: of, status, .. } if *of == tag => {
                    return if *status == Status::Ok { Ok(()) } else { Err(ImapError::Refused) };
                }
                other => each(other),
            }
        }
    }
}

/// A keyword of a mail, such as `parsurvey-read`. Never a system flag: `\Deleted` cannot be written with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyword(String);

impl std::str::FromStr for Keyword {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | '.');
        if (1..=64).contains(&text.len()) && text.chars().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err("a keyword is up to 64 letters, digits, '$', '_', '-' and '.', such as parsurvey-read")
        }
    }
}

/// `3,4,9`, for a command.
fn listed(uids: &[u32]) -> String {
    uids.iter().map(u32::to_string).collect::<Vec<_>>().join(",")
}
