//! Sends what an outbox holds, over a few connections, until it is empty, stopped, or the relay is gone.
//!
//! One task claims mails ahead and paces them ([`feed`]); one worker owns each connection ([`work`]). A mail is written
//! by the worker that sends it; the outbox is asked once more, durably, right before the final dot.
//! A refused mail stops nobody. When a refused mail is tried again is the outbox's business, not the engine's.

mod breaker;
mod feed;
mod pace;
mod stop;
mod work;

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::delivery::{Delivery, Peer};
use crate::letter::Composed;
use breaker::Breaker;

pub use pace::{DomainPace, Pace};
pub use stop::Stop;

/// The outbox's number of a mail.
pub type JobId = i64;

/// A claimed mail, not yet written.
#[derive(Debug, Clone)]
pub struct Ticket<C> {
    /// The outbox's number of it.
    pub id: JobId,
    /// The domain of its recipient, in small letters, for the pace.
    pub domain: String,
    /// What the outbox needs to write it.
    pub content: C,
}

/// Where mails come from and where their outcomes go. Several runs may share one, in one process or in many.
pub trait Outbox: Send + Sync + 'static {
    /// Why the outbox could not do it.
    type Error: std::error::Error + Send + Sync + 'static;
    /// What it needs to write a claimed mail.
    type Content: Send + Sync + 'static;

    /// Claims at most `limit` mails for this run; none when nothing is left to send now.
    ///
    /// The claim must be durable before this returns, and no other caller may be given the same mail.
    fn claim(&self, limit: usize) -> impl Future<Output = Result<Vec<Ticket<Self::Content>>, Self::Error>> + Send;

    /// Writes a claimed mail; `None` where it cannot be written: the outbox then keeps the claim and sees to it.
    fn write(&self, ticket: &Ticket<Self::Content>) -> Option<Composed>;

    /// Records durably that the final dot of a claimed mail is about to leave. `false` withholds it: the outbox has seen
    /// to the claim, and nothing is told of it any more.
    fn mark(&self, id: JobId, sha256: &str, peer: &Peer) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// Records what became of a claimed mail; durable before this returns.
    fn outcome(&self, id: JobId, delivery: &Delivery) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Whether nothing may leave any more in this run, such as after a pause: the run then ends at once.
    fn is_shut(&self) -> bool {
        false
    }

    /// Gives back claims on mails that were not tried.
    fn release(&self, ids: &[JobId]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// A way to send: an SMTP relay, or whatever else answers for a mail once it has taken it.
pub trait Carrier: Clone + Send + Sync + 'static {
    /// One connection of this way.
    type Line: Line;

    /// Opens a connection, ready for mails.
    ///
    /// # Errors
    /// A [`Delivery`] of [`RouteFailed`](crate::Outcome::RouteFailed): nothing was sent, and it is nobody's fault who was to be mailed.
    fn open(&self) -> impl Future<Output = Result<Self::Line, Delivery>> + Send;
}

/// One connection, owned by one worker and given one mail at a time.
pub trait Line: Send + 'static {
    /// Whether another mail may be given to it.
    fn is_usable(&self) -> bool;

    /// Carries one mail as far as it goes. `permit` is asked right before the step that cannot be taken back (SMTP: the
    /// final dot); where it says no, the mail is not sent and the answer is `None`.
    ///
    /// Dropped half-way, the line is spent.
    fn carry<P: Permit>(&mut self, mail: &Composed, permit: P) -> impl Future<Output = Option<Delivery>> + Send;

    /// Leaves politely.
    fn leave(self) -> impl Future<Output = ()> + Send;
}

/// The last question before a mail leaves.
pub trait Permit: Send {
    /// Whether it may; `peer` is who would take it.
    fn ask(self, peer: &Peer) -> impl Future<Output = bool> + Send;
}

/// A permit that is always given.
#[derive(Debug, Clone, Copy)]
pub struct Always;

impl Permit for Always {
    async fn ask(self, _: &Peer) -> bool {
        true
    }
}

/// How a run behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLimits {
    /// Workers, each with a connection of its own.
    pub connections: usize,
    /// Mails that are claimed ahead at a time.
    pub claim: usize,
    /// Mails after which a connection is left and another opened: relays tire of long ones.
    pub mails_per_connection: u64,
    /// The run ends after so many failures of the relay in a row without a reply that settled a mail in between.
    pub failures_in_a_row: u32,
    /// The wait after the first failure in a row; it grows with each.
    pub pause: Duration,
    /// How fast, and how many at once to one domain.
    pub pace: Pace,
}

/// What a run did, in mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Taken by the relay.
    pub accepted: u64,
    /// Refused for good.
    pub rejected: u64,
    /// Refused for now.
    pub transient: u64,
    /// Perhaps sent.
    pub unknown: u64,
    /// Provably not sent, because the exchange broke off; they wait.
    pub broken_off: u64,
    /// Withheld by the outbox right before the final dot.
    pub withheld: u64,
    /// Not tried, and given back.
    pub released: u64,
    /// Whether the run ended because it was asked to stop.
    pub stopped: bool,
}

/// Why a run ended before the outbox was empty.
#[derive(Debug, thiserror::Error)]
pub enum RunError<E: std::error::Error + Send + Sync + 'static> {
    /// The relay failed too often in a row. Every mail in hand was given back or is counted as unknown.
    #[error(
        "the relay does not work ({last}); {} mails were sent before, {} are unknown, {} were given back and wait for the next run",
        summary.accepted, summary.unknown, summary.released + summary.broken_off
    )]
    Route {
        /// What was done until then.
        summary: Summary,
        /// The last failure.
        last: Delivery,
    },
    /// The outbox failed; nothing was sent after that.
    #[error(
        "the outbox failed; {} mails were sent before and recorded, {unrecorded} outcomes could not be recorded and show as unknown",
        summary.accepted
    )]
    Outbox {
        /// What was done and recorded until then.
        summary: Summary,
        /// Mails whose outcome could not be recorded: they stay marked, which means unknown.
        unrecorded: u64,
        /// Why.
        source: E,
    },
}

/// Sends what the outbox gives until it gives nothing.
///
/// When `stop` is asked for, each worker finishes the mail in hand, records it, and gives the rest back. Dropping the
/// future instead is like killing the process: mails in hand stay claimed.
///
/// # Errors
/// [`RunError::Route`] when the relay fails `failures_in_a_row` times, [`RunError::Outbox`] when the outbox fails.
pub async fn run<O: Outbox, C: Carrier>(
    carrier: &C,
    limits: &RunLimits,
    outbox: Arc<O>,
    stop: &Stop,
) -> Result<Summary, RunError<O::Error>> {
    let connections = limits.connections.max(1);
    let (queue, queued) = mpsc::channel(connections);
    let run = Arc::new(Run {
        carrier: carrier.clone(),
        limits: limits.clone(),
        outbox,
        stop: stop.clone(),
        ended: Stop::new(),
        breaker: Breaker::new(limits.failures_in_a_row, limits.pause),
        queued: tokio::sync::Mutex::new(queued),
        settled: Notify::new(),
        progress: Mutex::new(Progress::default()),
    });
    let mut tasks = JoinSet::new();
    let feeding = Arc::clone(&run);
    tasks.spawn(async move { feeding.feed(queue).await });
    for _ in 0..connections {
        let run = Arc::clone(&run);
        tasks.spawn(async move { run.work().await });
    }
    while let Some(joined) = tasks.join_next().await {
        if let Err(error) = joined
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    run.finish().await
}

impl Default for RunLimits {
    fn default() -> Self {
        Self {
            connections: 4,
            claim: 16,
            mails_per_connection: 200,
            failures_in_a_row: 5,
            pause: Duration::from_secs(1),
            pace: Pace::default(),
        }
    }
}

/// One run, shared by its tasks.
struct Run<O: Outbox, C> {
    carrier: C,
    limits: RunLimits,
    outbox: Arc<O>,
    stop: Stop,
    /// Asked for by the run itself, when the relay or the outbox is gone.
    ended: Stop,
    breaker: Breaker,
    queued: tokio::sync::Mutex<mpsc::Receiver<Ticket<O::Content>>>,
    /// A mail left a worker's hands: its domain may have another.
    settled: Notify,
    progress: Mutex<Progress<O::Error>>,
}

/// What the tasks found so far.
struct Progress<E> {
    summary: Summary,
    /// Set when there were too many failures in a row.
    route_down: Option<Delivery>,
    outbox_down: Option<E>,
    unrecorded: u64,
    /// Claimed and not tried.
    set_aside: Vec<JobId>,
    /// Mails in workers' hands, by domain.
    in_hand: std::collections::HashMap<String, u32>,
}

impl<O: Outbox, C: Carrier> Run<O, C> {
    fn outbox_failed(&self, error: O::Error, unrecorded: u64) {
        let mut progress = self.progress();
        progress.unrecorded += unrecorded;
        progress.outbox_down.get_or_insert(error);
        drop(progress);
        self.ended.ask();
    }

    /// Gives back what was set aside, and says how the run went.
    async fn finish(&self) -> Result<Summary, RunError<O::Error>> {
        let mut set_aside = std::mem::take(&mut self.progress().set_aside);
        let mut queued = self.queued.lock().await;
        while let Ok(ticket) = queued.try_recv() {
            set_aside.push(ticket.id);
        }
        if !set_aside.is_empty() {
            match self.outbox.release(&set_aside).await {
                Ok(()) => self.progress().summary.released += set_aside.len() as u64,
                Err(error) => self.outbox_failed(error, 0),
            }
        }
        let Progress { mut summary, route_down, outbox_down, unrecorded, .. } = std::mem::take(&mut *self.progress());
        if let Some(source) = outbox_down {
            return Err(RunError::Outbox { summary, unrecorded, source });
        }
        if let Some(last) = route_down {
            return Err(RunError::Route { summary, last });
        }
        summary.stopped = self.stop.is_asked();
        Ok(summary)
    }

    fn is_over(&self) -> bool {
        self.stop.is_asked() || self.ended.is_asked()
    }

    async fn over(&self) {
        tokio::select! {
            () = self.stop.asked() => {}
            () = self.ended.asked() => {}
        }
    }

    fn progress(&self) -> MutexGuard<'_, Progress<O::Error>> {
        // Every hold is a plain assignment, so that a panic elsewhere leaves it whole.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Default for Progress<E> {
    fn default() -> Self {
        Self {
            summary: Summary::default(),
            route_down: None,
            outbox_down: None,
            unrecorded: 0,
            set_aside: Vec::new(),
            in_hand: std::collections::HashMap::new(),
        }
    }
}
