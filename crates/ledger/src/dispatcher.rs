//! A dispatcher's way into the ledger: one writer that merges what many connections have to record into few commits.
//!
//! A commit that reaches the disk costs the same for one mail as for fifty, and every mail needs two of them (the mark
//! before the final dot, and the outcome). So connections hand their records to one task, which takes whatever has
//! gathered while the last commit was under way, commits it as one transaction, and only then answers everybody.
//! It also renews the dispatcher's lease, and takes over from dispatchers that are gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::Ledger;
use crate::error::{LedgerError, Result};
use crate::lease::{LeasedMail, TakenOver, give_back_in};
use crate::settle::{Mark, Odd, Outcome, mark_in};

/// Records that one transaction takes at most.
const BATCH: usize = 128;

/// Records that wait at most; whoever has more waits for room.
const QUEUE: usize = 1024;

/// The waits before outcomes are committed once more after a failure that may pass.
const AGAIN: [Duration; 4] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8)];

type Answer<T> = oneshot::Sender<Result<T>>;

/// One record to be committed.
enum Record {
    Lease(u32, Timestamp, Answer<Vec<LeasedMail>>),
    Mark(Box<Mark>, Answer<bool>),
    Outcome(i64, Box<Outcome>, Answer<()>),
    GiveBack(Vec<i64>, Answer<u64>),
    TakeOver(Timestamp, Answer<TakenOver>),
}

/// What a writer has done, for measurements.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Commits {
    /// Transactions that were committed.
    pub commits: u64,
    /// Marks and outcomes, or what came through links, in them.
    pub records: u64,
}

/// Whether a final dot may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marked {
    /// It may.
    MayLeave,
    /// It may not, and the mail has been seen to.
    Withheld,
    /// It was marked, but so much time has passed since the lease was renewed that another may have taken the mail: it
    /// must not be sent, and that it was not is to be recorded.
    TooLate,
}

/// An entered dispatcher. Dropped without [`Dispatcher::end`] it stays entered until its lease is over, as if it had died.
pub struct Dispatcher {
    records: mpsc::Sender<Record>,
    writer: JoinHandle<()>,
    ledger: Ledger,
    name: String,
    shared: Arc<Shared>,
}

struct Shared {
    lease: Duration,
    /// When the renewal that was last committed began, on this machine's monotonic clock.
    renewed: Mutex<Instant>,
    commits: Mutex<Commits>,
}

impl Dispatcher {
    /// Enters the ledger under a name that no other dispatcher has, and takes over from those that are gone.
    ///
    /// # Errors
    /// The ledger cannot be written, or the name is taken.
    pub async fn enter(ledger: &Ledger, name: &str, lease: Duration, now: Timestamp) -> Result<Self> {
        let began = Instant::now();
        ledger.enter_dispatcher(name, lease, now).await?;
        ledger.take_over(now).await?;
        let (records, inbox) = mpsc::channel(QUEUE);
        let shared = Arc::new(Shared { lease, renewed: Mutex::new(began), commits: Mutex::default() });
        let writer = Writer { ledger: ledger.clone(), name: name.to_owned(), shared: Arc::clone(&shared) };
        let writer = tokio::spawn(writer.work(inbox));
        Ok(Self { records, writer, ledger: ledger.clone(), name: name.to_owned(), shared })
    }

    /// [`Ledger::lease`], in a common commit.
    ///
    /// # Errors
    /// As [`Ledger::lease`]; also where this dispatcher was declared dead meanwhile.
    pub async fn lease(&self, limit: u32, now: Timestamp) -> Result<Vec<LeasedMail>> {
        self.ask(|answer| Record::Lease(limit, now, answer)).await
    }

    /// [`Ledger::mark_sending`] for one mail: whether its final dot may be sent.
    ///
    /// # Errors
    /// As [`Ledger::mark_sending`].
    pub async fn mark(&self, mark: Mark) -> Result<Marked> {
        let permitted = self.ask(|answer| Record::Mark(Box::new(mark), answer)).await?;
        Ok(match (permitted, self.holds_lease()) {
            (true, true) => Marked::MayLeave,
            (true, false) => Marked::TooLate,
            (false, _) => Marked::Withheld,
        })
    }

    /// Whether the lease is certainly still held. A process that slept learns here that it has slept too long.
    #[must_use]
    pub fn holds_lease(&self) -> bool {
        let renewed = *self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        renewed.elapsed() < self.shared.lease
    }

    /// [`Ledger::record_outcomes`] for one mail.
    ///
    /// # Errors
    /// As [`Ledger::record_outcomes`].
    pub async fn outcome(&self, mail: i64, outcome: Outcome) -> Result<()> {
        self.ask(|answer| Record::Outcome(mail, Box::new(outcome), answer)).await
    }

    /// [`Ledger::give_back`].
    ///
    /// # Errors
    /// As [`Ledger::give_back`].
    pub async fn give_back(&self, mails: Vec<i64>) -> Result<u64> {
        self.ask(|answer| Record::GiveBack(mails, answer)).await
    }

    /// [`Ledger::take_over`].
    ///
    /// # Errors
    /// As [`Ledger::take_over`].
    pub async fn take_over(&self, now: Timestamp) -> Result<TakenOver> {
        self.ask(|answer| Record::TakeOver(now, answer)).await
    }

    /// What was committed so far.
    #[must_use]
    pub fn commits(&self) -> Commits {
        *self.shared.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves the ledger; what it still had in hand may be taken over at once.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn end(self) -> Result<()> {
        drop(self.records);
        if self.writer.await.is_err() {
            tracing::error!("the ledger's writer ended by a fault");
        }
        self.ledger.end_dispatcher(&self.name).await
    }

    async fn ask<T>(&self, record: impl FnOnce(Answer<T>) -> Record) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let gone = || LedgerError::Database("the ledger's writer is gone".into());
        self.records.send(record(answer)).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

impl std::fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dispatcher").field("name", &self.name).finish_non_exhaustive()
    }
}

struct Writer {
    ledger: Ledger,
    name: String,
    shared: Arc<Shared>,
}

/// What has gathered, by kind.
#[derive(Default)]
struct Batch {
    leases: Vec<(u32, Timestamp, Answer<Vec<LeasedMail>>)>,
    marks: Vec<(Mark, Answer<bool>)>,
    outcomes: Vec<((i64, Outcome), Answer<()>)>,
    returns: Vec<(Vec<i64>, Answer<u64>)>,
    take_overs: Vec<(Timestamp, Answer<TakenOver>)>,
}

/// What a batch gave, to be told once it is committed.
struct Told {
    leases: Vec<Vec<LeasedMail>>,
    permitted: std::collections::BTreeSet<i64>,
    returns: Vec<u64>,
    take_overs: Vec<TakenOver>,
    renewed: bool,
    /// This dispatcher was ended: nothing is handed to it and nothing is marked any more.
    is_dead: bool,
}

impl Writer {
    async fn work(self, mut inbox: mpsc::Receiver<Record>) {
        let mut heartbeat = tokio::time::interval(self.shared.lease / 4);
        heartbeat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut gathered = Vec::new();
            tokio::select! {
                biased;
                count = inbox.recv_many(&mut gathered, BATCH) => if count == 0 { return },
                _ = heartbeat.tick() => {}
            }
            let mut batch = Batch::default();
            for record in gathered {
                batch.add(record);
            }
            match self.commit(&batch, Instant::now()).await {
                Ok(told) => batch.tell(told),
                Err(error) => self.save(batch, &error).await,
            }
        }
    }

    /// After a commit that failed: marks and leases are refused, for what is not on disk may not be sent. What became of
    /// mails is known here and nowhere else, so that it is committed again for a while where that may help.
    async fn save(&self, mut batch: Batch, error: &LedgerError) {
        if batch.is_empty() {
            tracing::warn!(%error, "the lease could not be renewed");
        }
        let mut kept = Batch { outcomes: std::mem::take(&mut batch.outcomes), ..Batch::default() };
        batch.fail(error);
        let mut last = error.clone();
        for wait in AGAIN {
            if kept.is_empty() || !last.is_transient() {
                break;
            }
            tokio::time::sleep(wait).await;
            match self.commit(&kept, Instant::now()).await {
                Ok(told) => {
                    kept.tell(told);
                    kept = Batch::default();
                }
                Err(error) => last = error,
            }
        }
        kept.fail(&last);
    }

    /// Commits a batch; renews the lease in the same transaction when a quarter of it has passed.
    async fn commit(&self, batch: &Batch, began: Instant) -> Result<Told> {
        let due = {
            let renewed = *self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner);
            began.duration_since(renewed) >= self.shared.lease / 4
        };
        if batch.is_empty() && !due {
            return Ok(Told::nothing());
        }
        let mut tx = self.ledger.write().await?;
        let told = match self.write(&mut tx, batch, due).await {
            Ok(told) => told,
            Err(error) => {
                // The first error is the one that tells what is wrong.
                drop(tx.rollback().await);
                return Err(error);
            }
        };
        tx.commit().await?;
        if told.renewed {
            *self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner) = began;
        }
        let mut commits = self.shared.commits.lock().unwrap_or_else(PoisonError::into_inner);
        commits.commits += 1;
        commits.records += (batch.marks.len() + batch.outcomes.len()) as u64;
        Ok(told)
    }

    async fn write(&self, tx: &mut crate::sql::Tx, batch: &Batch, due: bool) -> Result<Told> {
        // What became of mails comes first and is kept even where this dispatcher was declared dead meanwhile.
        if !batch.outcomes.is_empty() {
            let outcomes: Vec<(i64, Outcome)> = batch.outcomes.iter().map(|(outcome, _)| outcome.clone()).collect();
            self.ledger.record_in(tx, &self.name, &outcomes, Odd::PassedOver).await?;
        }
        let mut told = Told::nothing();
        for (mails, _) in &batch.returns {
            told.returns.push(give_back_in(tx, &self.name, mails).await?);
        }
        if due {
            told.renewed = self.ledger.renew_in(tx, &self.name, self.shared.lease).await?;
            told.is_dead = !told.renewed;
        }
        for (now, _) in &batch.take_overs {
            told.take_overs.push(self.ledger.take_over_in(tx, *now).await?);
        }
        if told.is_dead {
            return Ok(told);
        }
        if !batch.marks.is_empty() {
            let marks: Vec<Mark> = batch.marks.iter().map(|(mark, _)| mark.clone()).collect();
            told.permitted = mark_in(tx, &self.name, &marks).await?;
        }
        for (limit, now, _) in &batch.leases {
            told.leases.push(self.ledger.lease_in(tx, &self.name, *limit, *now).await?);
        }
        Ok(told)
    }
}

impl Batch {
    fn add(&mut self, record: Record) {
        match record {
            Record::Lease(limit, now, answer) => self.leases.push((limit, now, answer)),
            Record::Mark(mark, answer) => self.marks.push((*mark, answer)),
            Record::Outcome(mail, outcome, answer) => self.outcomes.push(((mail, *outcome), answer)),
            Record::GiveBack(mails, answer) => self.returns.push((mails, answer)),
            Record::TakeOver(now, answer) => self.take_overs.push((now, answer)),
        }
    }

    fn is_empty(&self) -> bool {
        self.leases.is_empty()
            && self.marks.is_empty()
            && self.outcomes.is_empty()
            && self.returns.is_empty()
            && self.take_overs.is_empty()
    }

    fn tell(self, told: Told) {
        let mut leased = told.leases.into_iter();
        for (_, _, answer) in self.leases {
            let dead = || LedgerError::Meanwhile("this sender was declared dead while it slept; run the command again");
            tell(answer, leased.next().ok_or_else(dead));
        }
        for (mark, answer) in self.marks {
            tell(answer, Ok(told.permitted.contains(&mark.mail)));
        }
        for (_, answer) in self.outcomes {
            tell(answer, Ok(()));
        }
        for ((_, answer), given) in self.returns.into_iter().zip(told.returns) {
            tell(answer, Ok(given));
        }
        for ((_, answer), taken) in self.take_overs.into_iter().zip(told.take_overs) {
            tell(answer, Ok(taken));
        }
    }

    fn fail(self, error: &LedgerError) {
        let error = || error.clone();
        self.leases.into_iter().for_each(|(_, _, answer)| tell(answer, Err(error())));
        self.marks.into_iter().for_each(|(_, answer)| tell(answer, Err(error())));
        self.outcomes.into_iter().for_each(|(_, answer)| tell(answer, Err(error())));
        self.returns.into_iter().for_each(|(_, answer)| tell(answer, Err(error())));
        self.take_overs.into_iter().for_each(|(_, answer)| tell(answer, Err(error())));
    }
}

impl Told {
    fn nothing() -> Self {
        Self {
            leases: Vec::new(),
            permitted: std::collections::BTreeSet::new(),
            returns: Vec::new(),
            take_overs: Vec::new(),
            renewed: false,
            is_dead: false,
        }
    }
}

/// Whoever asked may have gone; then nobody is told, and what is committed stays.
fn tell<T>(answer: Answer<T>, result: Result<T>) {
    drop(answer.send(result));
}
