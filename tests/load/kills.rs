//! Two short plays for the usual run, and the long one that `just kills` asks for.

use std::collections::BTreeMap;

use parsurvey_tests::{Survey, seed};

use crate::play::{Plan, Played};
use crate::tell;

async fn played(mut survey: Survey, plan: Plan) -> Played {
    tell(&format_args!("PARSURVEY_SEED={}", plan.seed));
    let played = plan.play(&mut survey).await;
    tell(&played);
    assert!(played.faults.is_empty(), "{played}");
    assert_eq!(played.kills, plan.kills);
    // Whoever is killed between one answer and the next has people waiting.
    assert!(played.unanswered > 0, "no kill fell into a submission: {played}");
    played
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill_and_is_stored_once() {
    played(Survey::small().await, Plan { seed: seed(), kills: 6, crowd: 12, answers: 120 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_on_postgresql() {
    played(Survey::small_on_postgres().await, Plan { seed: seed(), kills: 4, crowd: 12, answers: 120 }).await;
}

/// What was asked for, such as `seed=1 kills=200 crowd=64 answers=600`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes some minutes: `just kills`"]
async fn many_kills() {
    let usual = [("seed", 1), ("kills", 200), ("crowd", 64), ("answers", 600)];
    let mut asked = BTreeMap::from(usual.map(|(key, value)| (key.to_owned(), value)));
    for word in std::env::var("PARSURVEY_KILLS").unwrap_or_default().split_whitespace() {
        let (key, value) = word.split_once('=').expect("key=number");
        *asked.get_mut(key).unwrap_or_else(|| panic!("'{key}' is no option")) = value.parse().expect("a number");
    }
    let crowd = usize::try_from(asked["crowd"]).unwrap();
    let plan = Plan { seed: asked["seed"], kills: asked["kills"], crowd, answers: asked["answers"] };
    let played = played(Survey::small().await, plan).await;
    assert!(played.unanswered_stored + played.told_before > 0, "no commit was cut off from its answer: {played}");
}
