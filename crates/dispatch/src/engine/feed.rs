//! Claims mails ahead and hands them to the workers at the pace that is set.

use std::collections::VecDeque;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::pace::{Metronome, Next};
use super::{Carrier, Outbox, Run, Ticket};

/// Claims that may wait for a slow domain before others behind them are looked for, as a multiple of one claim.
const CLAIMS_AHEAD: usize = 8;

impl<O: Outbox, C: Carrier> Run<O, C> {
    /// Feeds the workers until nothing is left, the run is over, or the pace allows no more. Dropping `queue` is what tells
    /// the workers that there is no more.
    pub(super) async fn feed(&self, queue: mpsc::Sender<Ticket<O::Content>>) {
        let began = Instant::now();
        let mut metronome = Metronome::new(self.limits.pace.clone());
        let mut waiting: VecDeque<Ticket<O::Content>> = VecDeque::new();
        let mut is_drained = false;
        let claim = self.limits.claim.max(1);
        let mut low = 0;
        while !self.is_over() {
            if !is_drained && waiting.len() <= low {
                match self.outbox.claim(claim).await {
                    Ok(more) => {
                        is_drained = more.is_empty();
                        waiting.extend(more);
                        if self.outbox.is_shut() {
                            self.ended.ask();
                            break;
                        }
                    }
                    Err(error) => {
                        self.outbox_failed(error, 0);
                        break;
                    }
                }
                low = claim / 2;
            }
            if waiting.is_empty() && is_drained {
                break;
            }
            let settled = self.settled.notified();
            let now = began.elapsed();
            let domains = waiting.iter().map(|ticket| ticket.domain.as_str());
            let next = metronome.next(domains, &self.progress().in_hand, now);
            match next {
                Next::Mail(place) => {
                    let Some(ticket) = waiting.remove(place) else { continue };
                    metronome.leaves(&ticket.domain, now);
                    if let Some(ticket) = self.hand_over(&queue, ticket).await {
                        waiting.push_front(ticket);
                    }
                }
                // All that is claimed has to wait: somebody behind may not.
                Next::At(_) | Next::AfterAnother if !is_drained && waiting.len() < claim * CLAIMS_AHEAD => {
                    low = waiting.len();
                }
                Next::At(time) | Next::RouteAt(time) => tokio::select! {
                    () = tokio::time::sleep_until(began + time) => {}
                    () = settled => {}
                    () = self.over() => {}
                },
                Next::AfterAnother => tokio::select! {
                    () = settled => {}
                    () = self.over() => {}
                },
                Next::NoMore => break,
            }
        }
        self.progress().set_aside.extend(waiting.iter().map(|ticket| ticket.id));
    }

    /// Gives a mail to whichever worker is free; gives it back where the run is over before.
    async fn hand_over(
        &self,
        queue: &mpsc::Sender<Ticket<O::Content>>,
        ticket: Ticket<O::Content>,
    ) -> Option<Ticket<O::Content>> {
        tokio::select! {
            biased;
            () = self.over() => Some(ticket),
            room = queue.reserve() => match room {
                Ok(room) => {
                    *self.progress().in_hand.entry(ticket.domain.clone()).or_default() += 1;
                    room.send(ticket);
                    None
                }
                Err(_) => Some(ticket),
            },
        }
    }
}
