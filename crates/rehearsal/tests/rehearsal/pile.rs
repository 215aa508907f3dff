//! An outbox in memory, which holds the engine to its contract: it panics on whatever no outbox may be asked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use parsurvey_dispatch::{
    Composed, Correspondent, Delivery, Job, JobId, Letter, Outbox, Outcome, Route, RunLimits, StageTimeouts, compose,
    message_id,
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
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Job>,
    claimed: BTreeSet<JobId>,
    outcomes: BTreeMap<JobId, Delivery>,
    released: BTreeSet<JobId>,
}

#[derive(Debug, thiserror::Error)]
#[error("the pile forgets")]
pub(crate) struct Forgets;

impl Pile {
    /// One mail per address, numbered from 1.
    pub(crate) fn of(addresses: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let jobs = (1..).zip(addresses).map(|(id, address)| Job { id, mail: mail(id, address.as_ref()) });
        let state = State { waiting: jobs.collect(), ..State::default() };
        Self { state: Mutex::new(state), forgets: false }
    }

    /// The same pile, unable to record an outcome.
    pub(crate) fn forgetful(self) -> Self {
        Self { forgets: true, ..self }
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

    async fn claim(&self, limit: usize) -> Result<Vec<Job>, Forgets> {
        let mut state = self.state();
        let count = limit.min(state.waiting.len());
        let jobs: Vec<Job> = state.waiting.drain(..count).collect();
        state.claimed.extend(jobs.iter().map(|job| job.id));
        Ok(jobs)
    }

    async fn outcome(&self, id: JobId, delivery: &Delivery) -> Result<(), Forgets> {
        assert_ne!(delivery.outcome, Outcome::RouteFailed);
        if self.forgets {
            return Err(Forgets);
        }
        let mut state = self.state();
        assert!(state.claimed.remove(&id), "an outcome without a claim");
        assert!(state.outcomes.insert(id, delivery.clone()).is_none());
        Ok(())
    }

    async fn release(&self, ids: &[JobId]) -> Result<(), Forgets> {
        let mut state = self.state();
        for id in ids {
            assert!(state.claimed.remove(id), "given back without a claim");
            assert!(state.released.insert(*id));
        }
        Ok(())
    }
}

/// A letter with a link, in the words of a real one.
pub(crate) fn letter(id: i64, to: &str) -> Letter {
    Letter {
        from: Correspondent { name: "Bộ Nội vụ".to_owned(), address: "khaosat@noivu.example".to_owned() },
        return_path: None,
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
