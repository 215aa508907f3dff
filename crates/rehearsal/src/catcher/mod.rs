//! An SMTP server that catches mails, for rehearsals and tests: it takes whatever it is sent and delivers nothing.
//!
//! It listens on loopback only, keeps mails in memory, and misbehaves as scripted per recipient ([`Script`]) or as drawn
//! from a seed ([`Faults`]). What it witnesses can be kept on disk ([`Journal`]); the mails themselves never are.
//! It guards its door with TLS and AUTH if it is told to ([`Identity`]), and checks no more of the protocol than a sender
//! under test could get wrong.

mod exchange;
mod faults;
mod guard;
mod identity;
mod journal;
mod mail;
mod script;

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use faults::Faults;
pub use guard::Handshake;
pub use identity::{Identity, IdentityError};
pub use journal::{Event, Journal, Step, read_journal};
pub use mail::Mail;
pub use script::{Act, At, Reply, Script};

/// What a catcher keeps of the mails it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Mails at most; the ones beyond are taken and counted, and then forgotten.
    pub at_most: usize,
    /// Whether of each mail only its header and its links are kept.
    pub links_only: bool,
}

/// What happened so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections made.
    pub connections: u64,
    /// Connections that are open now.
    pub open: u64,
    /// Mails whose final dot was read and that were not refused there.
    pub taken: u64,
    /// Refusals, of any stage.
    pub refused: u64,
    /// Of the mails taken, those that were not kept.
    pub forgotten: u64,
    /// TLS handshakes that were made.
    pub secured: u64,
    /// Passwords that came in without TLS, whatever was answered.
    pub told_in_plain: u64,
}

/// A running catcher; it stops, and closes every connection, when it is dropped.
#[derive(Debug)]
pub struct Catcher {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

/// What the catcher and its connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    keep: Keep,
    journal: Option<Journal>,
    caught: Mutex<Caught>,
    counts: watch::Sender<Counts>,
}

#[derive(Debug, Default)]
struct Caught {
    script: Script,
    mails: Vec<Arc<Mail>>,
    /// Places in `mails` by recipient, in small letters.
    by_recipient: HashMap<String, Vec<usize>>,
}

impl Catcher {
    /// Starts on a free loopback port and keeps everything.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(script: Script) -> io::Result<Self> {
        Self::start_on(0, script, Keep::default()).await
    }

    /// Starts on a loopback port, 0 for a free one.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_on(port: u16, script: Script, keep: Keep) -> io::Result<Self> {
        Self::start_with(port, script, keep, None).await
    }

    /// The same, and what happens is written down in a journal.
    ///
    /// # Errors
    /// When the port cannot be had.
    pub async fn start_with(port: u16, script: Script, keep: Keep, journal: Option<Journal>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            keep,
            journal,
            caught: Mutex::new(Caught { script, ..Caught::default() }),
            counts: watch::Sender::new(Counts::default()),
        });
        let listener = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, listener })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What happened so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *self.shared.counts.borrow()
    }

    /// Every mail that was kept, in the order in which they were taken.
    #[must_use]
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.shared.caught().mails.clone()
    }

    /// The mails to one recipient, oldest first; the case of letters does not matter.
    #[must_use]
    pub fn mailbox(&self, address: &str) -> Vec<Arc<Mail>> {
        let caught = self.shared.caught();
        let places = caught.by_recipient.get(&address.to_lowercase());
        places.into_iter().flatten().map(|place| Arc::clone(&caught.mails[*place])).collect()
    }

    /// Forgets every mail; the counts stay.
    pub fn empty(&self) {
        let mut caught = self.shared.caught();
        caught.mails.clear();
        caught.by_recipient.clear();
    }

    /// Changes the script from the next command on.
    pub fn rescript(&self, script: Script) {
        self.shared.caught().script = script;
    }

    /// Waits until at least `mails` were taken in all.
    ///
    /// # Errors
    /// The counts as they are when the time is over.
    pub async fn taken(&self, mails: u64, within: Duration) -> Result<Counts, Counts> {
        self.counts_when(within, |counts| counts.taken >= mails).await
    }

    /// Waits until the counts are as asked.
    ///
    /// # Errors
    /// The counts as they are when the time is over.
    pub async fn counts_when(&self, within: Duration, asked: impl FnMut(&Counts) -> bool) -> Result<Counts, Counts> {
        let mut receiver = self.shared.counts.subscribe();
        match tokio::time::timeout(within, receiver.wait_for(asked)).await {
            Ok(Ok(counts)) => Ok(*counts),
            Ok(Err(_)) | Err(_) => Err(self.counts()),
        }
    }
}

impl Drop for Catcher {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl Default for Keep {
    /// Everything, up to a hundred thousand mails.
    fn default() -> Self {
        Self { at_most: 100_000, links_only: false }
    }
}

impl Shared {
    fn caught(&self) -> MutexGuard<'_, Caught> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(change);
    }

    /// What the script says about a recipient at a stage; an act that is limited in number is used up by this.
    pub(crate) fn act(&self, recipient: &str, at: At) -> Option<Act> {
        self.caught().script.act(recipient, at)
    }

    /// The same about a connection.
    pub(crate) fn act_on_connection(&self, number: u64, at: At) -> Option<Act> {
        self.caught().script.act_on_connection(number, at)
    }

    /// Writes an event into the journal, if one is kept.
    pub(crate) fn note(&self, event: impl FnOnce() -> Event) -> io::Result<()> {
        self.journal.as_ref().map_or(Ok(()), |journal| journal.note(&event()))
    }

    /// The same, and it is on disk when this returns.
    pub(crate) async fn witness(&self, event: impl FnOnce() -> Event) -> io::Result<()> {
        match &self.journal {
            Some(journal) => journal.witness(&event()).await,
            None => Ok(()),
        }
    }

    /// A property of the script that is not about a recipient.
    pub(crate) fn ask_script<T>(&self, question: impl FnOnce(&Script) -> T) -> T {
        question(&self.caught().script)
    }

    /// Keeps a mail, or what is to be kept of it, and counts it.
    pub(crate) fn take(&self, mail: Mail) {
        let mut caught = self.caught();
        let kept = caught.mails.len() < self.keep.at_most;
        if kept {
            let mail = if self.keep.links_only { mail.with_links_only() } else { mail };
            let place = caught.mails.len();
            for recipient in &mail.recipients {
                caught.by_recipient.entry(recipient.to_lowercase()).or_default().push(place);
            }
            caught.mails.push(Arc::new(mail));
        }
        drop(caught);
        self.count(|counts| {
            counts.taken += 1;
            counts.forgotten += u64::from(!kept);
        });
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Owned here, so that aborting this task ends every connection too.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    shared.count(|counts| {
                        counts.connections += 1;
                        counts.open += 1;
                    });
                    let number = shared.counts.borrow().connections;
                    let shared = Arc::clone(&shared);
                    connections.spawn(async move {
                        if let Err(error) = exchange::serve(stream, &shared, number).await {
                            tracing::debug!(kind = ?error.kind(), "a sender went away");
                        }
                        shared.count(|counts| counts.open -= 1);
                    });
                }
                // Out of file descriptors, most likely: the next connection that ends frees one.
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "the catcher cannot accept");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}
