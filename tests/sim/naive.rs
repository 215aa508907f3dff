//! The same harness on a sender as it is usually written: it has to find what is wrong, or it would find nothing in ours.

use std::collections::HashMap;
use std::path::PathBuf;

use parsurvey_rehearsal::catcher::Event;
use parsurvey_tests::example;
use sqlx::{Connection, SqliteConnection};
use tempfile::TempDir;
use tokio::process::Command;

use crate::audit::Audit;
use crate::judge::Belief;
use crate::play::{Plan, Played};
use crate::relay::Relay;
use crate::sender::Sender;
use crate::tell;

/// When it marks a mail as sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Habit {
    /// Once it was sent: what was sent and not yet marked is sent again.
    After,
    /// Before it is sent: what was marked and not yet sent never is.
    Before,
}

/// A pool of connections, marked after sending or before.
struct Naive {
    habit: Habit,
    folder: TempDir,
    file: PathBuf,
}

impl Naive {
    /// So many people who are to be mailed.
    async fn with(people: usize, habit: Habit) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("naive.sqlite");
        let mut database = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display())).await.unwrap();
        let table = "CREATE TABLE mail (mail INTEGER PRIMARY KEY, recipient TEXT NOT NULL, \
                     state TEXT NOT NULL DEFAULT 'waiting', tries INTEGER NOT NULL DEFAULT 0)";
        sqlx::query(table).execute(&mut database).await.unwrap();
        for person in 1..=people {
            let address = format!("p{person}@soyte.example");
            sqlx::query("INSERT INTO mail (recipient) VALUES (?)").bind(address).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
        Self { habit, folder, file }
    }
}

impl Sender for Naive {
    fn name(&self) -> &'static str {
        "naive sender"
    }

    fn command(&self, relay: &str, connections: usize) -> Command {
        let mut command = Command::new(example("naive_sender"));
        command.arg(&self.file).arg(relay).arg(connections.to_string());
        command.arg(match self.habit {
            Habit::After => "after",
            Habit::Before => "before",
        });
        command
    }

    fn later(&mut self, _minutes: i64) {}

    async fn beliefs(&self) -> HashMap<String, Belief> {
        let mut database = SqliteConnection::connect(&format!("sqlite://{}", self.file.display())).await.unwrap();
        let rows: Vec<(String, String)> =
            sqlx::query_as("SELECT recipient, state FROM mail").fetch_all(&mut database).await.unwrap();
        let belief = |state: &str| match state {
            "accepted" => Belief::Accepted,
            "rejected" => Belief::Rejected,
            _ => Belief::Waiting,
        };
        rows.into_iter().map(|(recipient, state)| (recipient, belief(&state))).collect()
    }

    async fn audited(&self, _journal: &[Event]) -> Option<Audit> {
        None
    }
}

/// Plays it as ours is played.
pub(crate) async fn played(people: usize, habit: Habit, plan: &Plan, faults: &[String]) -> Played {
    let mut naive = Naive::with(people, habit).await;
    let mut relay = Relay::start(naive.folder.path(), faults).await;
    plan.play(&mut naive, &mut relay).await
}

/// Plays one seed after the other until it is found: what a kill meets depends on the machine, so that one seed need not
/// show it; a harness that is blind never does.
async fn finds(habit: Habit, what: fn(&Played) -> u64) {
    for seed in 5..15 {
        let plan = Plan { seed, kills: 20, connections: 8, pairs: 0, closing_runs: 3 };
        let faults = ["recipients=150", "late_ms=100", "mute_ms=300", "drip_ms=2"].map(str::to_owned);
        let faults: Vec<String> = faults.into_iter().chain([format!("seed={seed}")]).collect();
        let played = played(400, habit, &plan, &faults).await;
        tell(&played);
        assert!(!played.verdict.is_clean(), "{played}");
        if what(&played) > 0 {
            return;
        }
    }
    panic!("{habit:?}: the harness does not see it");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_harness_finds_what_a_usual_sender_doubles() {
    finds(Habit::After, |played| played.verdict.duplicates).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_harness_finds_what_a_usual_sender_loses() {
    finds(Habit::Before, |played| played.verdict.lost).await;
}
