//! The play: a sender is started, killed at a moment that a seed draws, started again, and so on until it is done.
//!
//! Moments are drawn by what the relay has witnessed or by the time since the start, so that every stage is met: the
//! opening of the ledger, the queueing, the claim, and each line of the dialogue. Which moment the system really gives is
//! chance, and so is no part of what a seed repeats.

use std::fmt;
use std::time::{Duration, Instant};

use parsurvey_rehearsal::catcher::{Event, Step};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use tokio::process::Child;

use crate::audit::Audit;
use crate::judge::{Belief, Verdict, judge};
use crate::relay::Relay;
use crate::sender::{Sender, start};

/// What is played.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// What every draw follows from.
    pub(crate) seed: u64,
    /// Processes killed at most; the play ends before when nothing is left to send.
    pub(crate) kills: u64,
    /// Connections of each run.
    pub(crate) connections: usize,
    /// Of a hundred runs so many are two at once.
    pub(crate) pairs: u64,
    /// Runs to the end at most, after the last kill.
    pub(crate) closing_runs: u32,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Played {
    /// Which sender.
    pub(crate) name: &'static str,
    /// The seed, to play it again.
    pub(crate) seed: u64,
    /// Runs begun.
    pub(crate) runs: u64,
    /// Processes killed.
    pub(crate) kills: u64,
    /// Of them before the relay had heard of their run.
    pub(crate) early: u64,
    /// Runs in which two were at work at once.
    pub(crate) pairs: u64,
    /// Runs that ended by themselves before they could be killed.
    pub(crate) ended: u64,
    /// Faults that the relay let the sender meet: refusals, and questions without an answer.
    pub(crate) faults: u64,
    /// Connections that the relay saw.
    pub(crate) connections: u64,
    /// How long it took.
    pub(crate) time: Duration,
    /// What the judge found.
    pub(crate) verdict: Verdict,
    /// What the audit found, where there is a history.
    pub(crate) audit: Option<Audit>,
}

/// When a run is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// After so many more events at the relay.
    Events(u64),
    /// So long after its start.
    Time(Duration),
}

/// Draws from a seed.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    /// The draws of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound.max(1)
    }

    /// Half by time, from the start to a little after the first mail; half by events, few more often than many.
    fn moment(&mut self, startup: Duration, connections: usize) -> Moment {
        if self.below(2) == 0 {
            let micros = u64::try_from(startup.as_micros()).unwrap_or(u64::MAX);
            Moment::Time(Duration::from_micros(self.below(micros + micros / 4)))
        } else {
            let most = 1 + self.below(connections as u64 * 6);
            Moment::Events(1 + self.below(most))
        }
    }
}

impl Plan {
    /// Plays it.
    pub(crate) async fn play(&self, sender: &mut impl Sender, relay: &mut Relay) -> Played {
        let began = Instant::now();
        let mut draws = Draws::of(self.seed);
        let mut played = Played::new(sender.name(), self.seed);
        let mut startup = Duration::from_secs(2);
        let mut first = true;
        while played.kills < self.kills && played.runs < 4 * self.kills + 10 {
            let pair = !first && draws.below(100) < self.pairs;
            let moment = if first { Moment::Events(1) } else { draws.moment(startup, self.connections) };
            let run = Instant::now();
            let before = relay.seen().events;
            let mut children = vec![start(sender, &relay.address, self.connections)];
            if pair {
                played.pairs += 1;
                children.push(start(sender, &relay.address, self.connections));
            }
            played.runs += 1;
            let ended = wait(&mut children, relay, moment, before).await;
            first = false;
            played.ended += u64::from(ended.is_some());
            let heard = relay.seen().events > before;
            if heard {
                // How soon the first mail may come: the shortest run that was heard of tells it best.
                startup = startup.min(run.elapsed());
            }
            for child in &mut children {
                let was_running = child.try_wait().unwrap().is_none();
                child.kill().await.unwrap();
                played.kills += u64::from(was_running);
                played.early += u64::from(was_running && !heard);
            }
            sender.later(1);
            if ended == Some(0) {
                break;
            }
        }
        self.finish(sender, relay, &mut played).await;
        played.time = began.elapsed();
        played
    }

    /// Lets the sender come to its end, once more with faults and then in peace, and judges.
    async fn finish(&self, sender: &mut impl Sender, relay: &mut Relay, played: &mut Played) {
        for run in 0..self.closing_runs {
            if run == 1 {
                relay.calm().await;
            }
            sender.later(30);
            let mut child = start(sender, &relay.address, self.connections);
            let ended = child.wait().await.unwrap();
            played.runs += 1;
            if ended.success() && !sender.beliefs().await.values().any(|belief| *belief == Belief::Waiting) {
                break;
            }
        }
        let journal = relay.journal().await;
        let beliefs = sender.beliefs().await;
        let asked = |event: &&Event| !matches!(event.step, Step::Open | Step::Told | Step::End);
        let faulty = |event: &&Event| event.code.is_none_or(|code| code >= 400);
        played.faults = journal.iter().filter(asked).filter(faulty).count() as u64;
        played.connections = journal.iter().map(|event| event.connection).max().unwrap_or_default();
        played.verdict = judge(&journal, &beliefs);
        played.audit = sender.audited(&journal).await;
    }
}

/// Waits for the moment, or until the first process ends by itself; then its exit code.
async fn wait(children: &mut [Child], relay: &Relay, moment: Moment, before: u64) -> Option<i32> {
    let moment = async {
        match moment {
            Moment::Events(events) => relay.whenever(|seen| seen.events >= before + events).await,
            Moment::Time(time) => tokio::time::sleep(time).await,
        }
    };
    let (one, other) = children.split_at_mut(1);
    let other = async {
        match other.first_mut() {
            Some(child) => child.wait().await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = moment => None,
        ended = one[0].wait() => Some(ended.unwrap().code().unwrap_or(-1)),
        ended = other => Some(ended.unwrap().code().unwrap_or(-1)),
    }
}

impl Played {
    /// Whether nothing was lost, doubled or believed wrongly, and all of it was come by rightly.
    pub(crate) fn is_clean(&self) -> bool {
        self.verdict.is_clean() && self.audit.as_ref().is_none_or(Audit::is_clean)
    }

    /// The same under the policy `resend`, where copies of an unknown mail may be taken too.
    pub(crate) fn is_clean_but_for_copies(&self) -> bool {
        let verdict = Verdict { duplicates: 0, ..self.verdict.clone() };
        verdict.is_clean()
            && self.audit.as_ref().is_some_and(|audit| audit.is_clean() && self.verdict.duplicates <= audit.resent)
    }

    fn new(name: &'static str, seed: u64) -> Self {
        let (runs, kills, early, pairs, ended, faults, connections) = (0, 0, 0, 0, 0, 0, 0);
        let (time, verdict, audit) = (Duration::ZERO, Verdict::default(), None);
        Self { name, seed, runs, kills, early, pairs, ended, faults, connections, time, verdict, audit }
    }
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{}: seed {}, {} runs, {} kills ({} before the relay heard of the run), {} pairs, {} ended by themselves, {} faults, {} connections, {:.0} s",
            self.name,
            self.seed,
            self.runs,
            self.kills,
            self.early,
            self.pairs,
            self.ended,
            self.faults,
            self.connections,
            self.time.as_secs_f64()
        )?;
        write!(f, "{}", self.verdict)?;
        match &self.audit {
            Some(audit) => write!(f, "\n{audit}"),
            None => Ok(()),
        }
    }
}
