//! What disturbs sending beside a kill: a full disk, a ledger that is held, a clock set back, a database server that crashes,
//! a process that sleeps and wakes when others have gone on. Afterwards journal and ledger agree.
//!
//! The moment is chosen by what the relay has witnessed, never by a while.

use std::collections::HashMap;
use std::time::Instant;

use parsurvey_tests::{OwnPostgres, Survey, moments, on_a_small_disk};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::process::Child;

use crate::judge::{Belief, Verdict, judge};
use crate::relay::{PATIENCE, Relay};
use crate::sender::{Ours, Sender, beliefs_of, roster, signal, start};
use crate::tell;

/// Connections of every run here.
const CONNECTIONS: usize = 4;

/// Slow enough that a run is met in the middle, without faults.
async fn slow_relay(survey: &Survey) -> Relay {
    Relay::start(survey.folder(), &["latency_ms=20".to_owned()]).await
}

/// Starts a run and returns when the relay has taken so many more mails.
async fn in_the_middle(ours: &Ours, relay: &Relay, mails: u64) -> Child {
    let before = relay.seen().taken;
    let child = start(ours, &relay.address, CONNECTIONS);
    relay.when(|seen| seen.taken >= before + mails).await;
    child
}

pub(crate) async fn to_the_end(child: &mut Child) -> Option<i32> {
    child.wait().await.unwrap().code()
}

async fn verdict_of(relay: &Relay, beliefs: HashMap<String, Belief>) -> Verdict {
    let verdict = judge(&relay.journal().await, &beliefs);
    tell(&verdict);
    assert!(verdict.is_clean(), "{verdict}");
    verdict
}

/// Runs until nothing waits any more.
pub(crate) async fn finished(ours: &mut Ours, relay: &Relay) -> Verdict {
    for _ in 0..20 {
        ours.later(15);
        let ended = to_the_end(&mut start(ours, &relay.address, CONNECTIONS)).await;
        if ended == Some(0) && !ours.beliefs().await.values().any(|belief| *belief == Belief::Waiting) {
            return verdict_of(relay, ours.beliefs().await).await;
        }
    }
    panic!("mails still wait after many runs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_fills_up_while_mails_are_sent_hides_none() {
    let mut survey = Survey::small().await;
    std::fs::write(&survey.roster, roster(400)).unwrap();
    survey.at(moments::INVITATION);
    let relay = Relay::start(survey.folder(), &[]).await;
    let script = format!(
        "run init --self-held 2>/dev/null || exit 1
         run roster import '{}' > /dev/null || exit 1
         invite() {{ run invite --smtp {} --connections {CONNECTIONS} > /dev/null; echo \"invite $?\"; }}
         for room in 0 100000 200000 300000 400000; do
             fill $room; invite; rm \"$SMALL/fill\"
         done
         invite
         run roster list --format json > \"$SMALL/roster\"; tr -d '\\n' < \"$SMALL/roster\"; echo
         run mails --format json > \"$SMALL/mails\"; tr -d '\\n' < \"$SMALL/mails\"; echo",
        survey.roster.display(),
        relay.address
    );
    let told = on_a_small_disk(&survey, &script).await;
    assert!(told.lines.len() >= 8, "{:?}\n{}", told.lines, told.stderr);
    let (runs, lists) = told.lines.split_at(6);
    assert!(runs.iter().filter(|run| *run == "invite 3").count() >= 2, "{runs:?}\n{}", told.stderr);
    assert_eq!(runs[5], "invite 0", "{runs:?}\n{}", told.stderr);
    let [roster, mails] = [0, 1].map(|place| serde_json::from_str(&lists[place]).unwrap());
    let verdict = verdict_of(&relay, beliefs_of(&roster, &mails)).await;
    assert_eq!((verdict.mails, verdict.believed(Belief::Waiting)), (400, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_is_held_while_mails_are_sent_hides_none() {
    let mut ours = Ours::with(120).await;
    let relay = slow_relay(&ours.survey).await;
    let mut running = in_the_middle(&ours, &relay, 20).await;
    let file = ours.survey.data.join("ledger.sqlite");
    let mut other: SqliteConnection = SqliteConnectOptions::new().filename(file).connect().await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    assert_eq!(to_the_end(&mut running).await, Some(3), "it gives up, and can be run again");
    let held = relay.seen().taken;
    assert!(held < 120, "it was held in the middle");
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    let verdict = finished(&mut ours, &relay).await;
    assert!(verdict.believed(Belief::Unknown) <= CONNECTIONS as u64, "{verdict}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_sends_nothing_twice() {
    let mut ours = Ours::with(120).await;
    let relay = slow_relay(&ours.survey).await;
    for minutes in [120, -90, -20] {
        ours.later(minutes);
        let mut running = in_the_middle(&ours, &relay, 20).await;
        running.kill().await.unwrap();
    }
    ours.later(-5);
    finished(&mut ours, &relay).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_server_that_crashes_while_mails_are_sent_hides_none() {
    let mut server = OwnPostgres::start();
    let mut ours = Ours::on(Survey::small_at(server.url()).await, 120).await;
    let relay = slow_relay(&ours.survey).await;
    for _ in 0..2 {
        let mut running = in_the_middle(&ours, &relay, 20).await;
        server.crash();
        assert_eq!(to_the_end(&mut running).await, Some(3), "it gives up, and can be run again");
        server.start_again();
    }
    let verdict = finished(&mut ours, &relay).await;
    assert!(verdict.believed(Belief::Unknown) <= 2 * CONNECTIONS as u64, "{verdict}");
}

/// Mails of a trial with a sleeper.
const MAILS: usize = 120;
/// Trials until the sleeper is met where others can go on.
const TRIALS: usize = 5;

/// Whether others bring it to an end while one sleeps: they have to wait until its lease is over. Where a whole run of
/// another ended without being done and without a mail that the relay took, the sleeper holds the whole ledger.
async fn others_finish(ours: &Ours, relay: &Relay) -> bool {
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "others go on without an end while one sleeps");
        let before = relay.seen().taken;
        let ended = to_the_end(&mut start(ours, &relay.address, CONNECTIONS)).await;
        // The connections of the sleeper alone are left, so everything that the other one did has been seen.
        relay.when(|seen| seen.open <= CONNECTIONS as i64).await;
        match ended {
            Some(0) if !ours.beliefs().await.values().any(|belief| *belief == Belief::Waiting) => return true,
            Some(0) => {}
            _ if relay.seen().taken == before => return false,
            _ => {}
        }
    }
}

/// Puts a run to sleep until others have sent everything else; what the relay had taken by then. `None` where the run came
/// to its end by itself, or had so much in hand that others had nothing to do: then nothing was tried.
async fn asleep_while_others_finish(ours: &Ours, relay: &Relay, sleeper: &mut Child) -> Option<u64> {
    loop {
        signal(sleeper, "STOP").await;
        // What the sleeper has sent already may still be taken: so much of what comes is not the others'.
        let fell = relay.seen().taken + CONNECTIONS as u64;
        if fell >= MAILS as u64 || sleeper.try_wait().unwrap().is_some() {
            return None;
        }
        if others_finish(ours, relay).await {
            assert!(sleeper.try_wait().unwrap().is_none(), "it sleeps and has not ended");
            let asleep = relay.seen().taken;
            assert!(asleep > fell, "others went on while it slept: {asleep} mails after {fell}");
            return Some(asleep);
        }
        // It fell asleep while it held the whole ledger: then nobody can go on, and it has to sleep elsewhere.
        signal(sleeper, "CONT").await;
        let before = relay.seen().taken;
        tokio::select! {
            () = relay.when(|seen| seen.taken >= before + 5) => {}
            _ = sleeper.wait() => return None,
        }
    }
}

/// Puts a run to sleep in the middle, lets another one go on, and wakes the first.
async fn slept_and_woke(fresh: impl AsyncFn() -> Ours) {
    for _ in 0..TRIALS {
        let mut ours = fresh().await;
        // So slow that a run mostly waits for replies: who sleeps then holds no ledger that others would wait for.
        let relay = Relay::start(ours.survey.folder(), &["latency_ms=300".to_owned()]).await;
        let mut sleeper = in_the_middle(&ours, &relay, 20).await;
        let Some(asleep) = asleep_while_others_finish(&ours, &relay, &mut sleeper).await else {
            // A sleeper does not even hear that it is to end.
            sleeper.kill().await.unwrap();
            continue;
        };
        signal(&sleeper, "CONT").await;
        to_the_end(&mut sleeper).await;
        let awake = relay.seen().taken;
        assert!(awake <= asleep + CONNECTIONS as u64, "what it had in hand when it fell asleep, and no more");
        finished(&mut ours, &relay).await;
        return;
    }
    panic!("in {TRIALS} trials others had never anything to do while one slept");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_slept_while_another_went_on_does_no_harm_when_it_wakes() {
    slept_and_woke(async || Ours::with(MAILS).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_slept_does_no_harm_on_postgresql_either() {
    slept_and_woke(async || Ours::on_postgres(MAILS).await).await;
}
