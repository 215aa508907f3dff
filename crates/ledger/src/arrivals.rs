//! The one writer for what arrives through links: it merges what many people send at once into few commits.
//!
//! A commit that reaches the disk costs the same for one form as for two hundred. So whoever has something to record
//! hands it to one task, which takes whatever has gathered while the last commit was under way, decides on each item by
//! itself ([`crate::respond`]), commits all of them as one transaction, and only then answers everybody. An answer means
//! that it is on the disk. A caller that goes away after handing its item over changes nothing: the item is recorded
//! whole. Where the database fails, nothing of the batch was kept and everybody who waits is told.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::Ledger;
use crate::dispatcher::Commits;
use crate::error::{LedgerError, Result};
use crate::respond::{Arrival, Became, arrive_in};

/// Items that one transaction takes at most.
const BATCH: usize = 256;

/// Items that wait at most; whoever has more waits for room.
const QUEUE: usize = 4096;

/// An item and who waits for what becomes of it.
struct Waiting {
    arrival: Arrival,
    answer: oneshot::Sender<Result<Became>>,
}

/// The way to the writer, which is started with the first arrival and ends with the last clone of its ledger.
#[derive(Default)]
pub(crate) struct Arrivals {
    inbox: Mutex<Option<mpsc::Sender<Waiting>>>,
    commits: Arc<Mutex<Commits>>,
}

impl Ledger {
    /// How many transactions the writer of this process has committed for what came through links, and how many items
    /// were in them.
    #[must_use]
    pub fn arrivals(&self) -> Commits {
        *self.arrivals.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands an item to the writer and waits until it is committed.
    pub(crate) async fn arrive(&self, arrival: Arrival) -> Result<Became> {
        let (answer, answered) = oneshot::channel();
        let gone = || LedgerError::Database("the ledger's writer is gone".into());
        self.inbox().send(Waiting { arrival, answer }).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    fn inbox(&self) -> mpsc::Sender<Waiting> {
        let mut inbox = self.arrivals.inbox.lock().unwrap_or_else(PoisonError::into_inner);
        match &*inbox {
            // One that ended by a fault, or with its runtime, is replaced.
            Some(open) if !open.is_closed() => open.clone(),
            _ => {
                let (sender, receiver) = mpsc::channel(QUEUE);
                // Of the same database, but not of the same way to the writer: holding that, it would never end.
                let ledger = Ledger { arrivals: Arc::default(), ..self.clone() };
                tokio::spawn(work(ledger, Arc::clone(&self.arrivals.commits), receiver));
                inbox.insert(sender).clone()
            }
        }
    }
}

async fn work(ledger: Ledger, commits: Arc<Mutex<Commits>>, mut inbox: mpsc::Receiver<Waiting>) {
    let mut gathered = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut gathered, BATCH).await > 0 {
        let (arrivals, answers): (Vec<Arrival>, Vec<_>) =
            gathered.drain(..).map(|waiting| (waiting.arrival, waiting.answer)).unzip();
        match commit(&ledger, &arrivals).await {
            Ok(became) => {
                let mut commits = commits.lock().unwrap_or_else(PoisonError::into_inner);
                commits.commits += 1;
                commits.records += arrivals.len() as u64;
                drop(commits);
                // Whoever asked may have gone; then nobody is told, and what is committed stays.
                answers.into_iter().zip(became).for_each(|(answer, became)| drop(answer.send(became)));
            }
            Err(error) => answers.into_iter().for_each(|answer| drop(answer.send(Err(error.clone())))),
        }
    }
}

async fn commit(ledger: &Ledger, arrivals: &[Arrival]) -> Result<Vec<Result<Became>>> {
    let (mut tx, mut head) = ledger.change().await?;
    match arrive_in(&mut tx, &mut head, arrivals).await {
        Ok(became) => {
            tx.commit().await?;
            Ok(became)
        }
        Err(error) => {
            // The first error is the one that tells what is wrong.
            drop(tx.rollback().await);
            Err(error)
        }
    }
}
