//! One run of the sending engine over the ledger's outbox.

use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_dispatch::{DomainPace, Pace, RunError, RunLimits, Stop, Way};
use parsurvey_ledger::{Dispatcher, TakenOver};
use parsurvey_survey::calendar;
use parsurvey_survey::sending::{DomainLimit, UnknownPolicy};

use super::alive::{self, Alive};
use super::room::{MailRoom, MailRoomError};
use super::{Clock, Relay, Sent};
use crate::{Because, Desk, DeskError};

impl Desk {
    pub(super) async fn send_outbox(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        clock: Clock,
        closes: Timestamp,
        because: &Because,
        sent: &mut Sent,
    ) -> Result<(), DeskError> {
        let (now, until) = (clock.now(), clock.clone());
        self.ready_return_paths(because, now).await?;
        let taken = self.take_over_from_the_dead(now).await?;
        (sent.taken_over, sent.left_unknown) = (sent.taken_over + taken.ready, sent.left_unknown + taken.unknown);
        self.ledger.settle_by_answers(now).await?;
        if self.campaign.sending.unknown == UnknownPolicy::Resend {
            self.ledger.resend_unknown(&because.act(now)).await?;
        }
        let limits = self.run_limits(relay, now).await?;
        let name = format!("{}-{}", std::process::id(), parsurvey_survey::hex(&crate::random_bytes()?[..4]));
        let lease = std::time::Duration::from_secs(u64::from(self.campaign.sending.lease_seconds));
        let alive = Alive::begin(&self.data, &name)?;
        let dispatcher = Dispatcher::enter(&self.ledger, &name, lease, now).await?;
        let room = Arc::new(MailRoom::new(Arc::clone(self), relay, dispatcher, clock, closes));
        let result = parsurvey_dispatch::run(&relay.way, &limits, Arc::clone(&room), stop).await;
        let (is_past_deadline, is_past_hours) = (room.is_past_deadline(), room.is_past_hours());
        sent.unwritten.extend(room.unwritten());
        sent.refusal = room.refusal().or_else(|| sent.refusal.take());
        // However the run ended: what was never put together was provably not sent.
        let left = match Arc::into_inner(room) {
            Some(room) => room.leave().await,
            // A task of the run is still ending; the lock goes with the process, and the mails with the lock.
            None => Ok(()),
        };
        let summary = match &result {
            Ok(summary) => *summary,
            Err(RunError::Route { summary, .. } | RunError::Outbox { summary, .. }) => *summary,
        };
        sent.add(&summary);
        match result {
            Ok(summary) if summary.stopped => Err(DeskError::unfinished(
                format!("stopped as asked; {} mails were sent, {} wait", summary.accepted, summary.released),
                "run the command again to send the rest",
            )),
            Ok(summary) if is_past_deadline => Err(DeskError::refused(
                format!("the deadline passed while mails were sent; {} were sent, the others wait", summary.accepted),
                "extend it with `parsurvey extend` and run the command again, or close the survey",
            )),
            Ok(_) => {
                left?;
                alive.end()?;
                self.require_not_paused().await?;
                self.field_open("send").await?;
                if is_past_hours {
                    return Err(self.outside_hours(until.now()));
                }
                // Whoever died while this run went on has left mails too: they wait for the next.
                let taken = self.take_over_from_the_dead(until.now()).await?;
                sent.taken_over += taken.ready;
                sent.left_unknown += taken.unknown;
                sent.released += taken.ready;
                sent.in_other_hands = self.ledger.mails_in_hand().await?;
                sent.next_try = self.ledger.next_try().await?;
                Ok(())
            }
            Err(error @ RunError::Route { .. }) => {
                Err(DeskError::unfinished(error.to_string(), "check --smtp and the relay, then run the command again"))
            }
            Err(RunError::Outbox { source: MailRoomError::Desk(error), .. }) => Err(error),
        }
    }

    /// Refuses a way that cannot carry this campaign's mails to the people they are for.
    pub(super) fn require_way(&self, way: &Way) -> Result<(), DeskError> {
        if way.dkim().is_some_and(|dkim| !dkim.signs_for(&self.campaign.sender.address)) {
            return Err(DeskError::refused(
                "the key cannot sign for the sender's domain, which is not in ASCII",
                "write the domain in campaign.toml in its xn-- form",
            ));
        }
        if !way.is_real() && !self.campaign.sample {
            return Err(DeskError::refused(
                "a folder takes mails that nobody gets, and this is no sample campaign",
                "copy the campaign, set sample = true in the copy, and rehearse with it and a data folder of its own",
            ));
        }
        Ok(())
    }

    /// Takes the mails of dispatchers that are dead, or silent beyond their lease.
    pub(crate) async fn take_over_from_the_dead(&self, now: Timestamp) -> Result<TakenOver, DeskError> {
        let dead = alive::dead(&self.data)?;
        for name in &dead {
            self.ledger.end_dispatcher(name).await?;
        }
        let taken = self.ledger.take_over(now).await?;
        for name in &dead {
            alive::forget(&self.data, name)?;
        }
        Ok(taken)
    }

    /// The engine's limits: what the command line asks for, within what the campaign allows.
    pub(crate) async fn run_limits(&self, relay: &Relay, now: Timestamp) -> Result<RunLimits, DeskError> {
        let sending = &self.campaign.sending;
        let most = sending.connections.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        let connections = relay.limits.connections.min(most);
        let domain = |limit: &DomainLimit| DomainPace { per_minute: limit.per_minute, connections: limit.connections };
        let pace = Pace {
            per_minute: sending.per_minute,
            at_most: self.left_of_the_day(now).await?,
            every_domain: domain(&sending.every_domain),
            domains: sending.domains.iter().map(|(name, limit)| (name.clone(), domain(limit))).collect(),
        };
        Ok(RunLimits { connections, claim: (2 * connections).max(relay.limits.claim), pace, ..relay.limits.clone() })
    }

    /// What the warm-up leaves for today; `None` without a limit.
    async fn left_of_the_day(&self, now: Timestamp) -> Result<Option<u64>, DeskError> {
        let zone = &self.campaign.time_zone;
        if self.campaign.sending.warm_up.is_empty() {
            return Ok(None);
        }
        let today = calendar::day(now, zone);
        let first = self.ledger.first_accepted().await?.map_or(today, |first| calendar::day(first, zone));
        let Some(limit) = self.campaign.sending.daily_limit(first, today) else { return Ok(None) };
        let midnight = today.to_zoned(zone.clone()).map_or(now, |midnight| midnight.timestamp());
        let sent = self.ledger.accepted_since(midnight).await? + self.ledger.told_since(midnight).await?;
        Ok(Some(u64::from(limit).saturating_sub(sent)))
    }
}
