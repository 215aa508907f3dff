//! One worker: it owns one connection and sees one mail at a time through.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};

use super::breaker::{Epoch, Verdict};
use super::{Carrier, JobId, Line, Outbox, Permit, Run, Ticket};
use crate::delivery::{Delivery, Outcome, Peer, Stage};
use crate::letter::Composed;

/// How often a mail is tried within a run when the relay fails over it, so that one mail cannot end a run for all.
const TRIES_PER_MAIL: u32 = 2;

/// A worker's connection, and the mails it carried.
struct Held<L> {
    line: L,
    mails: u64,
}

/// How one try ended.
enum Tried {
    /// The run was over before there was a connection.
    Over,
    /// No connection could be had; the mail was not touched.
    NoLine(Delivery),
    /// The outbox withheld the mail, or could not mark it.
    Withheld,
    /// The mail went as far as this.
    Told(Delivery),
}

/// Asks the outbox right before the final dot.
struct Mark<'a, O: Outbox, C> {
    run: &'a Run<O, C>,
    id: JobId,
    sha256: String,
    marked: Arc<AtomicBool>,
}

impl<O: Outbox, C: Carrier> Permit for Mark<'_, O, C> {
    async fn ask(self, peer: &Peer) -> bool {
        match self.run.outbox.mark(self.id, &self.sha256, peer).await {
            Ok(may_leave) => {
                self.marked.store(may_leave, Ordering::Release);
                may_leave
            }
            Err(error) => {
                self.run.outbox_failed(error, 0);
                false
            }
        }
    }
}

impl<O: Outbox, C: Carrier> Run<O, C> {
    pub(super) async fn work(&self) {
        let mut held = None;
        loop {
            let ticket = {
                let mut queued = self.queued.lock().await;
                tokio::select! {
                    biased;
                    () = self.over() => None,
                    ticket = queued.recv() => ticket,
                }
            };
            let Some(ticket) = ticket else { break };
            self.deliver(&ticket, &mut held).await;
            if let Some(in_hand) = self.progress().in_hand.get_mut(&ticket.domain) {
                *in_hand = in_hand.saturating_sub(1);
            }
            self.settled.notify_one();
            if self.outbox.is_shut() {
                self.ended.ask();
            }
        }
        if let Some(held) = held {
            held.line.leave().await;
        }
    }

    /// Sees one mail through: to a recorded outcome, or given back.
    async fn deliver(&self, ticket: &Ticket<O::Content>, held: &mut Option<Held<C::Line>>) {
        let Some(mail) = self.outbox.write(ticket) else { return };
        let sha256 = parsurvey_survey::hex(&Sha256::digest(mail.bytes()));
        let mut tries = 0;
        loop {
            let begun = tokio::select! {
                biased;
                () = self.over() => break,
                begun = self.breaker.may_try() => begun,
            };
            let marked = Arc::new(AtomicBool::new(false));
            let permit = Mark { run: self, id: ticket.id, sha256: sha256.clone(), marked: Arc::clone(&marked) };
            match self.attempt(&mail, permit, held).await {
                Tried::Over => {
                    self.breaker.no_answer(begun);
                    break;
                }
                Tried::Withheld => {
                    self.breaker.no_answer(begun);
                    self.progress().summary.withheld += 1;
                    return;
                }
                Tried::NoLine(delivery) => self.relay_failed(begun, &delivery),
                Tried::Told(delivery) => {
                    log(ticket.id, &delivery);
                    tries += u32::from(delivery.stage > Stage::Mail);
                    let is_route = delivery.outcome == Outcome::RouteFailed;
                    if is_route && !marked.load(Ordering::Acquire) && tries < TRIES_PER_MAIL {
                        self.relay_failed(begun, &delivery);
                    } else {
                        self.record(ticket.id, begun, &delivery).await;
                        return;
                    }
                }
            }
        }
        self.progress().set_aside.push(ticket.id);
    }

    /// Tries once, over the worker's connection or a new one.
    async fn attempt(&self, mail: &Composed, permit: Mark<'_, O, C>, held: &mut Option<Held<C::Line>>) -> Tried {
        let again =
            Mark { run: self, id: permit.id, sha256: permit.sha256.clone(), marked: Arc::clone(&permit.marked) };
        if held.as_ref().is_some_and(|held| held.mails >= self.limits.mails_per_connection.max(1))
            && let Some(tired) = held.take()
        {
            tired.line.leave().await;
        }
        if let Some(used) = held.as_mut().filter(|held| held.line.is_usable()) {
            used.mails += 1;
            let marked = Arc::clone(&permit.marked);
            match used.line.carry(mail, permit).await {
                None => return Tried::Withheld,
                Some(delivery)
                    if delivery.outcome != Outcome::RouteFailed
                        || delivery.stage > Stage::Mail
                        || marked.load(Ordering::Acquire) =>
                {
                    return Tried::Told(delivery);
                }
                // A relay may end a session between two mails whenever it likes; that is no failure.
                Some(_) => {}
            }
        }
        *held = None;
        let opened = tokio::select! {
            biased;
            () = self.over() => return Tried::Over,
            opened = self.carrier.open() => opened,
        };
        match opened {
            Ok(line) => {
                let held = held.insert(Held { line, mails: 1 });
                held.line.carry(mail, again).await.map_or(Tried::Withheld, Tried::Told)
            }
            Err(delivery) => Tried::NoLine(delivery),
        }
    }

    async fn record(&self, id: JobId, begun: Epoch, delivery: &Delivery) {
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
            Outcome::RouteFailed => summary.broken_off += 1,
        }
        drop(progress);
        match delivery.outcome {
            Outcome::Accepted | Outcome::RejectedPermanent | Outcome::RejectedTransient => self.breaker.worked(),
            // A relay that hangs up after every mail would otherwise turn the whole outbox into unknowns.
            Outcome::Unknown | Outcome::RouteFailed => self.relay_failed(begun, delivery),
        }
    }

    /// Counts a failure of the relay, and ends the run at the limit.
    fn relay_failed(&self, begun: Epoch, delivery: &Delivery) {
        let Verdict::Down(in_a_row) = self.breaker.failed(begun) else { return };
        let mut progress = self.progress();
        if progress.route_down.is_none() {
            progress.route_down = Some(delivery.clone());
            drop(progress);
            self.ended.ask();
            tracing::warn!(
                in_a_row,
                stage = delivery.stage.as_str(),
                code = delivery.code,
                "the relay does not work; the run ends"
            );
        }
    }
}

fn log(id: JobId, delivery: &Delivery) {
    tracing::debug!(
        job = id,
        outcome = delivery.outcome.as_str(),
        stage = delivery.stage.as_str(),
        code = delivery.code,
        "mail"
    );
}
