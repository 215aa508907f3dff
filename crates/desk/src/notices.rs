//! The last word to addresses that were given up: sent before the next mails, each at most once, at the pace of all mails.
//!
//! The same engine sends them as the outbox, so that pace, the day's allowance, a stop, a pause, the hours and the deadline
//! hold for them too. Whatever goes wrong with them holds up no mail behind them.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use parsurvey_dispatch::{Composed, Delivery, JobId, Outbox, Peer, RunError, Stop, Ticket, Way};
use parsurvey_ledger::{ChaseState, OwedNotice};
use parsurvey_report::notice::notice_mail;

use crate::mailing::{Clock, Relay};
use crate::single::{self, To};
use crate::{Because, Desk, DeskError};

/// What sending notices did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notices {
    /// Addresses that were told; the relay took the mail.
    pub told: u64,
    /// Notices that wait for another run.
    pub wait: u64,
    /// What went wrong, if anything did; without addresses.
    pub trouble: Option<String>,
}

impl Notices {
    /// Whether another run has something to do.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        self.wait > 0 || self.trouble.is_some()
    }
}

impl Desk {
    /// Tells every address that is owed a last word. One that is refused for good is not tried again: an address that does
    /// not exist needs no word. Nothing that goes wrong is an error: it is told, and tried again with the next mails.
    pub(crate) async fn send_notices(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        clock: &Clock,
        closes: Timestamp,
    ) -> Notices {
        let mut sent = Notices::default();
        if let Err(error) = self.try_notices(relay, stop, because, clock, closes, &mut sent).await {
            sent.trouble = Some(error.to_string());
        }
        sent
    }

    async fn try_notices(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        clock: &Clock,
        closes: Timestamp,
        sent: &mut Notices,
    ) -> Result<(), DeskError> {
        let owed = self.ledger.owed_notices().await?;
        if owed.is_empty() {
            return Ok(());
        }
        let limits = self.run_limits(relay, clock.now()).await?;
        let room = Arc::new(NoticeRoom {
            desk: Arc::clone(self),
            way: relay.way.clone(),
            because: because.clone(),
            claimant: single::claimant("notice")?,
            clock: clock.clone(),
            closes,
            left: Mutex::new(owed.into()),
            marked: Mutex::default(),
            trouble: Mutex::default(),
            is_shut: AtomicBool::new(false),
        });
        let result = parsurvey_dispatch::run(&relay.way, &limits, Arc::clone(&room), stop).await;
        sent.trouble = locked(&room.trouble).take();
        let summary = match result {
            Ok(summary) => summary,
            Err(error) => {
                sent.trouble = Some(match &error {
                    RunError::Route { .. } => error.to_string(),
                    RunError::Outbox { source, .. } => source.to_string(),
                });
                match error {
                    RunError::Route { summary, .. } | RunError::Outbox { summary, .. } => summary,
                }
            }
        };
        sent.told = summary.accepted;
        sent.wait = self.ledger.owed_notices().await?.len() as u64;
        Ok(())
    }
}

/// The notices that are owed, for one run. Two runs may be handed the same notice: the claim right before the final dot is
/// one run's alone, and nothing leaves without it.
struct NoticeRoom {
    desk: Arc<Desk>,
    way: Way,
    because: Because,
    claimant: String,
    clock: Clock,
    closes: Timestamp,
    /// Not handed out yet.
    left: Mutex<VecDeque<OwedNotice>>,
    /// Claimed by this run.
    marked: Mutex<BTreeSet<JobId>>,
    /// Why a notice could not be put together.
    trouble: Mutex<Option<String>>,
    is_shut: AtomicBool,
}

impl NoticeRoom {
    /// Whether notices may leave now; where not, the run ends.
    async fn may_leave(&self, now: Timestamp) -> Result<bool, DeskError> {
        let may = now <= self.closes && self.desk.require_hours(now).is_ok() && self.desk.ledger.may_send().await?;
        self.is_shut.fetch_or(!may, Ordering::Relaxed);
        Ok(may)
    }

    /// Claims a notice for this run, durably.
    async fn claim_one(&self, id: JobId, now: Timestamp) -> Result<bool, DeskError> {
        let claimed = self.desk.ledger.claim_notice(id, &self.claimant, &self.because.act(now)).await?;
        if claimed {
            locked(&self.marked).insert(id);
        }
        Ok(claimed)
    }
}

impl Outbox for NoticeRoom {
    type Error = DeskError;
    type Content = OwedNotice;

    async fn claim(&self, limit: usize) -> Result<Vec<Ticket<OwedNotice>>, DeskError> {
        if !self.may_leave(self.clock.now()).await? {
            return Ok(Vec::new());
        }
        let mut left = locked(&self.left);
        let limit = limit.min(left.len());
        let ticket = |notice: OwedNotice| {
            let domain = notice.email.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
            Ticket { id: notice.notice, domain, content: notice }
        };
        Ok(left.drain(..limit).map(ticket).collect())
    }

    fn write(&self, ticket: &Ticket<OwedNotice>) -> Option<Composed> {
        let notice = &ticket.content;
        let to = To { name: "", address: &notice.email };
        let mail = notice_mail(notice.kind, &self.desk.campaign);
        let mark = format!("notice {}", notice.notice);
        match self.desk.single(&to, &mail, &mark, &self.way, self.clock.now()) {
            Ok(composed) => Some(composed),
            Err(error) => {
                *locked(&self.trouble) = Some(format!("form {}: {error}", notice.form));
                None
            }
        }
    }

    async fn mark(&self, id: JobId, _: &str, _: &Peer) -> Result<bool, DeskError> {
        let now = self.clock.now();
        Ok(self.may_leave(now).await? && self.claim_one(id, now).await?)
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), DeskError> {
        let now = self.clock.now();
        // A claim without an outcome is what unknown means in the ledger: it is never sent again by itself.
        let Some((state, said)) = single::came_to(delivery) else { return Ok(()) };
        let is_marked = locked(&self.marked).contains(&id);
        // What ended before the final dot is ready as it was; only what is refused for good has to be recorded.
        if !is_marked && (state != ChaseState::Refused || !self.claim_one(id, now).await?) {
            return Ok(());
        }
        Ok(self.desk.ledger.settle_notice(id, &self.claimant, state, &said, &self.because.act(now)).await?)
    }

    fn is_shut(&self) -> bool {
        self.is_shut.load(Ordering::Relaxed)
    }

    /// Nothing is claimed before it leaves, so that there is nothing to give back.
    async fn release(&self, _: &[JobId]) -> Result<(), DeskError> {
        Ok(())
    }
}

fn locked<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    // Every hold is a plain assignment, so that a panic elsewhere leaves it whole.
    value.lock().unwrap_or_else(PoisonError::into_inner)
}
