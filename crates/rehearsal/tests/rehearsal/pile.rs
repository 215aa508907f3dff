//! An outbox in memory, which holds the engine to its contract: it panics on whatever no outbox may be asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use parsurvey_dispatch::{
    Composed, Correspondent, Delivery, JobId, Letter, Outbox, Outcome, Peer, Route, RunLimits, StageTimeouts, Ticket,
    compose, message_id,
};
use parsurvey_survey::campaign::MailKind;

/// The token in the link of every mail made here.
pub(crate) const TOKEN: &str = "Zm9vYmFyYmF6cXV4LTEyMzQ1Ng";

/// Mails waiting, claimed, and done.
#[derive(Debug, Default)]
pub(crate) struct Pile {
    state: Mutex<State>,
    /// Whether recording an outcome fails.
    forgets: bool,
    /// Mails that are withheld right before their final dot.
    withholds: BTreeSet<JobId>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Ticket<Composed>>,
    claimed: BTreeSet<JobId>,
    marked: BTreeSet<JobId>,
    outcomes: BTreeMap<JobId, Delivery>,
    released: BTreeSet<JobId>,
}

#[derive(Debug, thiserror::Error)]
#[error("the pile forgets")]
pub(crate) struct Forgets;

impl Pile {
    /// One mail per address, numbered from 1.
    pub(crate) fn of<A: AsRef<str>>(addresses: impl IntoIterator<Item = A>) -> Self {
        let ticket = |(id, address): (JobId, A)| {
            let address = address.as_ref();
            let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_owned();
            Ticket { id, domain, content: mail(id, address) }
        };
        let state = State { waiting: (1..).zip(addresses).map(ticket).collect(), ..State::default() };
        Self { state: Mutex::new(state), ..Self::default() }
    }

    /// The same pile, unable to record an outcome.
    pub(crate) fn forgetful(self) -> Self {
        Self { forgets: true, ..self }
    }

    /// The same pile, which withholds a mail right before its final dot.
    pub(crate) fn withholding(self, id: JobId) -> Self {
        Self { withholds: BTreeSet::from([id]), ..self }
    }

    pub(crate) fn outcome(&self, id: JobId) -> Delivery {
        self.state().outcomes[&id].clone()
    }

    /// How many mails had this outcome.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        let state = self.state();
        state.outcomes.values().filter(|delivery| delivery.outcome == outcome).count()
    }

    /// Mails given back.
    pub(crate) fn released(&self) -> Vec<JobId> {
        self.state().released.iter().copied().collect()
    }

    /// Mails that wait, mails that are claimed, mails with an outcome, mails given back: they add up to all.
    pub(crate) fn sizes(&self) -> [usize; 4] {
        let state = self.state();
        [state.waiting.len(), state.claimed.len(), state.outcomes.len(), state.released.len()]
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

impl Outbox for Pile {
    type Error = Forgets;
    type Content = Composed;

    async fn claim(&self, limit: usize) -> Result<Vec<Ticket<Composed>>, Forgets> {
        let mut state = self.state();
        let count = limit.min(state.waiting.len());
        let tickets: Vec<Ticket<Composed>> = state.waiting.drain(..count).collect();
        state.claimed.extend(tickets.iter().map(|ticket| ticket.id));
        Ok(tickets)
    }

    fn write(&self, ticket: &Ticket<Composed>) -> Option<Composed> {
        Some(ticket.content.clone())
    }

    async fn mark(&self, id: JobId, sha256: &str, peer: &Peer) -> Result<bool, Forgets> {
        let mut state = self.state();
        assert!(state.claimed.contains(&id), "a mark without a claim");
        assert!(sha256.len() == 64 && !peer.host.is_empty());
        if self.withholds.contains(&id) {
            state.claimed.remove(&id);
            return Ok(false);
        }
        assert!(state.marked.insert(id), "marked twice");
        Ok(true)
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), Forgets> {
        if self.forgets {
            return Err(Forgets);
        }
        let mut state = self.state();
        assert!(state.claimed.remove(&id), "an outcome without a claim");
        let after_dot = matches!(delivery.outcome, Outcome::Accepted | Outcome::Unknown);
        assert!(!after_dot || state.marked.contains(&id), "a final dot without a mark");
        assert!(state.outcomes.insert(id, delivery.clone()).is_none());
        Ok(())
    }

    async fn release(&self, ids: &[JobId]) -> Result<(), Forgets> {
        let mut state = self.state();
        for id in ids {
            assert!(state.claimed.remove(id), "given back without a claim");
            assert!(!state.marked.contains(id), "given back although marked");
            assert!(state.released.insert(*id));
        }
        Ok(())
    }
}

/// A letter with a link, in the words of a real one.
pub(crate) fn letter(id: i64, to: &str) -> Letter {
    Letter {
        from: Correspondent { name: "Bộ Nội vụ".to_owned(), address: "khaosat@noivu.example".to_owned() },
        reply_to: "hotro@noivu.example".to_owned(),
        to: Correspondent { name: "Nguyễn Thị Hòa".to_owned(), address: to.to_owned() },
        subject: "Thư mời tham gia khảo sát Chỉ số cải cách hành chính năm 2023".to_owned(),
        text: format!("Kính gửi Bà,\n.\n..hai chấm\nhttps://k.example/f/{TOKEN}\n"),
        html: format!("<p>Kính gửi Bà, mời mở <a href=\"https://k.example/f/{TOKEN}\">phiếu</a>.</p>\n"),
        message_id: message_id("hanoi-2023", id, 1, 1, MailKind::Invitation, 0, "noivu.example"),
        date: "2023-12-04T01:00:00Z".parse().unwrap(),
        language: "vi, en".to_owned(),
        link_secret: Some(TOKEN.to_owned().into()),
    }
}

pub(crate) fn mail(id: i64, to: &str) -> Composed {
    compose(&letter(id, to)).unwrap()
}

/// A relay on this machine that may take its time: far longer than a test, so that only what a test sets runs out.
pub(crate) fn route(port: u16) -> Route {
    Route { timeouts: StageTimeouts::all(Duration::from_secs(60)), ..Route::loopback(port) }
}

/// So many connections, and no pauses.
pub(crate) fn limits(connections: usize) -> RunLimits {
    RunLimits { connections, pause: Duration::ZERO, ..RunLimits::default() }
}

/// So many addresses of people who do not exist.
pub(crate) fn people(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("p{number}@soyte.example")).collect()
}

pub(crate) fn shared(pile: Pile) -> Arc<Pile> {
    Arc::new(pile)
}
