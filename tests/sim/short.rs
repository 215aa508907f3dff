//! The short form: two plays of a minute, with seeds that are printed and can be set.

use parsurvey_tests::seed;

use crate::judge::Belief;
use crate::play::{Plan, Played};
use crate::relay::Relay;
use crate::sender::Ours;
use crate::tell;

fn arguments(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Faults of this many in a thousand, short enough for a test.
fn faults(seed: u64) -> Vec<String> {
    let mut words = arguments(&["recipients=80", "connections=40", "late_ms=100", "mute_ms=300", "drip_ms=2"]);
    words.push(format!("seed={seed}"));
    words
}

async fn played(mut ours: Ours, kills: u64, pairs: u64, rightly: fn(&Played) -> bool) -> Played {
    let seed = seed();
    tell(&format_args!("PARSURVEY_SEED={seed}"));
    let folder = ours.survey.folder().to_path_buf();
    let mut relay = Relay::start(&folder, &faults(seed)).await;
    let plan = Plan { seed, kills, connections: 8, pairs, closing_runs: 12 };
    let played = plan.play(&mut ours, &mut relay).await;
    tell(&played);
    assert!(rightly(&played), "{played}");
    assert_eq!(played.verdict.believed(Belief::Waiting), 0, "{played}");
    played
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_it_loses_nobody_and_mails_nobody_twice() {
    let played = played(Ours::with(300).await, 40, 25, Played::is_clean).await;
    assert!(played.kills >= 20, "{played}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_again_and_again_on_postgresql_too() {
    let played = played(Ours::on_postgres(150).await, 20, 25, Played::is_clean).await;
    assert!(played.kills >= 10, "{played}");
}

/// Not more than one copy too many, and none without doubt about the first.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_unknown_mails_are_sent_again_it_doubles_none_without_doubt() {
    let ours = Ours::with(200).await.resending();
    let played = played(ours, 30, 25, Played::is_clean_but_for_copies).await;
    assert!(played.kills >= 15, "{played}");
}
