//! Sends what an outbox holds, with a few workers, until it is empty, stopped, or the relay is gone.
//!
//! A refused mail stops nobody. A mail that was provably not sent is given back at the end of the run, not during it, so
//! that it cannot be claimed again and again; one of which nobody knows is recorded as unknown and never given back.
//! Whether and when a refused mail is tried again is the outbox's business: there are no retries here, and no pace.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::delivery::{Delivery, Outcome, Stage};
use crate::letter::Composed;
use crate::route::Route;
use crate::session::Session;

/// The outbox's number of a mail.
pub type JobId = i64;

/// A claimed mail, composed and ready.
#[derive(Debug, Clone)]
pub struct Job {
    /// The outbox's number of it.
    pub id: JobId,
    /// The mail.
    pub mail: Composed,
}

/// Where mails come from and where their outcomes go. Several runs may share one, in one process or in many.
pub trait Outbox: Send + Sync + 'static {
    /// Why the outbox could not do it.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Claims at most `limit` mails for this run and composes them; none when nothing is left.
    ///
    /// The claim must be durable before this returns, and no other caller may be given the same mail. A mail that has had
    /// an outcome in this run is not given again.
    fn claim(&self, limit: usize) -> impl Future<Output = Result<Vec<Job>, Self::Error>> + Send;

    /// Records what became of a claimed mail; durable before this returns. Never called with [`Outcome::RouteFailed`].
    fn outcome(&self, id: JobId, delivery: &Delivery) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// Gives back claims on mails that were provably not sent, so that a later run sends them.
    fn release(&self, ids: &[JobId]) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// How a run behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Workers, each with a connection of its own.
    pub connections: usize,
    /// Mails that a worker claims at a time. A killed run leaves up to `connections × claim` mails unknown, hence 1.
    pub claim: usize,
    /// The run ends after so many failures in a row without a reply that settled a mail in between.
    pub failures_in_a_row: u32,
    /// The wait after the first failure in a row; it grows with each.
    pub pause: Duration,
}

/// A request to stop that can be given from anywhere and is never taken back.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

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
    /// Not sent and given back.
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
        summary.accepted, summary.unknown, summary.released
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
        /// Mails whose outcome could not be recorded: they stay claimed, which means unknown.
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
pub async fn run<O: Outbox>(
    route: &Route,
    limits: &RunLimits,
    outbox: Arc<O>,
    stop: &Stop,
) -> Result<Summary, RunError<O::Error>> {
    let run = Arc::new(Run {
        route: route.clone(),
        limits: *limits,
        outbox,
        stop: stop.clone(),
        ended: Stop::new(),
        progress: Mutex::new(Progress::default()),
    });
    let mut workers = JoinSet::new();
    for _ in 0..limits.connections.max(1) {
        let run = Arc::clone(&run);
        workers.spawn(async move { run.work().await });
    }
    while let Some(joined) = workers.join_next().await {
        if let Err(error) = joined
            && error.is_panic()
        {
            std::panic::resume_unwind(error.into_panic());
        }
    }
    run.finish().await
}

impl Stop {
    /// Not asked for yet.
    #[must_use]
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Asks to stop.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked for.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is asked for.
    pub async fn asked(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives in `self`, so that waiting cannot fail.
        if receiver.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for RunLimits {
    fn default() -> Self {
        Self { connections: 4, claim: 1, failures_in_a_row: 5, pause: Duration::from_secs(1) }
    }
}

/// One run, shared by its workers.
struct Run<O: Outbox> {
    route: Route,
    limits: RunLimits,
    outbox: Arc<O>,
    stop: Stop,
    /// Asked for by the run itself, when the relay or the outbox is gone.
    ended: Stop,
    progress: Mutex<Progress<O::Error>>,
}

/// What the workers found so far.
struct Progress<E> {
    summary: Summary,
    /// Failures since a reply last settled a mail.
    in_a_row: u32,
    /// Set when there were too many.
    route_down: Option<Delivery>,
    outbox_down: Option<E>,
    unrecorded: u64,
    /// Claimed and provably not sent.
    set_aside: Vec<JobId>,
}

/// How often a mail is tried within a run when the relay fails over it, so that one mail cannot end a run for all.
const TRIES_PER_MAIL: u32 = 2;

/// The longest wait between two attempts at the relay.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl<O: Outbox> Run<O> {
    async fn work(&self) {
        let mut session = None;
        while !self.is_over() {
            let jobs = match self.outbox.claim(self.limits.claim.max(1)).await {
                Ok(jobs) if jobs.is_empty() => break,
                Ok(jobs) => jobs,
                Err(error) => {
                    self.outbox_failed(error, 0);
                    break;
                }
            };
            for job in jobs {
                if self.is_over() {
                    self.progress().set_aside.push(job.id);
                } else {
                    self.deliver(&job, &mut session).await;
                }
            }
        }
        if let Some(session) = session {
            session.quit().await;
        }
    }

    /// Sees one mail through: to a recorded outcome, or set aside.
    async fn deliver(&self, job: &Job, session: &mut Option<Session>) {
        let mut tries = 0;
        while let Some(delivery) = self.attempt(&job.mail, session).await {
            tracing::debug!(
                job = job.id,
                outcome = delivery.outcome.as_str(),
                stage = delivery.stage.as_str(),
                code = delivery.code,
                "mail"
            );
            if delivery.outcome != Outcome::RouteFailed {
                self.record(job.id, &delivery).await;
                return;
            }
            tries += u32::from(delivery.stage > Stage::Mail);
            let wait = self.relay_failed(&delivery);
            if tries >= TRIES_PER_MAIL || self.is_over() {
                break;
            }
            tokio::select! {
                biased;
                () = self.over() => break,
                () = tokio::time::sleep(wait) => {}
            }
        }
        self.progress().set_aside.push(job.id);
    }

    /// Tries once, over the worker's session or a new one; `None` when the run ended before there was a connection.
    async fn attempt(&self, mail: &Composed, session: &mut Option<Session>) -> Option<Delivery> {
        if let Some(used) = session.as_mut().filter(|session| session.is_usable()) {
            let delivery = used.send(mail).await;
            // A relay may end a session between two mails whenever it likes; that is no failure.
            if delivery.outcome != Outcome::RouteFailed || delivery.stage > Stage::Mail {
                return Some(delivery);
            }
        }
        *session = None;
        let connected = tokio::select! {
            biased;
            () = self.over() => return None,
            connected = Session::connect(&self.route) => connected,
        };
        match connected {
            Ok(fresh) => Some(session.insert(fresh).send(mail).await),
            Err(delivery) => Some(delivery),
        }
    }

    async fn record(&self, id: JobId, delivery: &Delivery) {
        if let Err(error) = self.outbox.outcome(id, delivery).await {
            self.outbox_failed(error, 1);
            return;
        }
        let mut progress = self.progress();
        let summary = &mut progress.summary;
        match delivery.outcome {
            Outcome::Accepted => summary.accepted += 1,
            Outcome::RejectedPermanent => summary.rejected += 1,
            Outcome::RejectedTransient => summary.transient += 1,
            Outcome::Unknown => summary.unknown += 1,
            Outcome::RouteFailed => {}
        }
        if delivery.outcome == Outcome::Unknown {
            // A relay that hangs up after every mail would otherwise turn the whole outbox into unknowns.
            drop(progress);
            self.relay_failed(delivery);
        } else {
            progress.in_a_row = 0;
        }
    }

    /// Counts a failure of the relay, ends the run at the limit, and says how long to wait before the next attempt.
    fn relay_failed(&self, delivery: &Delivery) -> Duration {
        let mut progress = self.progress();
        progress.in_a_row += 1;
        let in_a_row = progress.in_a_row;
        if in_a_row >= self.limits.failures_in_a_row.max(1) && progress.route_down.is_none() {
            progress.route_down = Some(delivery.clone());
            self.ended.ask();
            tracing::warn!(
                in_a_row,
                stage = delivery.stage.as_str(),
                code = delivery.code,
                "the relay does not work; the run ends"
            );
        }
        self.limits.pause.saturating_mul(in_a_row).min(LONGEST_PAUSE)
    }

    fn outbox_failed(&self, error: O::Error, unrecorded: u64) {
        let mut progress = self.progress();
        progress.unrecorded += unrecorded;
        progress.outbox_down.get_or_insert(error);
        self.ended.ask();
    }

    /// Gives back what was set aside, and says how the run went.
    async fn finish(&self) -> Result<Summary, RunError<O::Error>> {
        let set_aside = std::mem::take(&mut self.progress().set_aside);
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
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<E> Default for Progress<E> {
    fn default() -> Self {
        Self {
            summary: Summary::default(),
            in_a_row: 0,
            route_down: None,
            outbox_down: None,
            unrecorded: 0,
            set_aside: Vec::new(),
        }
    }
}
