//! The long form: campaigns until so many processes were killed over so many mails. `just sim` runs it.
//!
//! It is no test of the usual run, because it takes its time.

use std::collections::BTreeMap;

use crate::naive::{self, Habit};
use crate::play::Plan;
use crate::relay::Relay;
use crate::sender::Ours;
use crate::tell;

/// What was asked for, such as `seed=1 mails=20000 kills=5000 connections=32 round=2000`.
struct Asked(BTreeMap<String, u64>);

impl Asked {
    fn read() -> Self {
        let text = std::env::var("PARSURVEY_SIM").unwrap_or_default();
        let mut asked = BTreeMap::from(
            [("seed", 1), ("mails", 20_000), ("kills", 5_000), ("connections", 32), ("round", 2_000), ("pairs", 20)]
                .map(|(key, value)| (key.to_owned(), value)),
        );
        for word in text.split_whitespace() {
            let (key, value) = word.split_once('=').expect("key=number");
            let known = asked.get_mut(key).unwrap_or_else(|| panic!("'{key}' is no option"));
            *known = value.parse().expect("a number");
        }
        Self(asked)
    }

    fn number(&self, key: &str) -> u64 {
        self.0[key]
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes an hour or so: `just sim`"]
async fn many_kills() {
    let asked = Asked::read();
    let (mut mails, mut kills, mut round) = (0, 0, 0);
    let mut unclean = Vec::new();
    while mails < asked.number("mails") || kills < asked.number("kills") {
        let seed = asked.number("seed") + round;
        let mut ours = Ours::with(usize::try_from(asked.number("round")).unwrap()).await;
        let faults = ["recipients=60", "connections=30", "late_ms=200", "mute_ms=500", "drip_ms=2"];
        let mut words = faults.map(str::to_owned).to_vec();
        words.push(format!("seed={seed}"));
        let mut relay = Relay::start(ours.survey.folder(), &words).await;
        let plan = Plan {
            seed,
            kills: asked.number("kills").saturating_sub(kills).max(1),
            connections: usize::try_from(asked.number("connections")).unwrap(),
            pairs: asked.number("pairs"),
            closing_runs: 30,
        };
        let played = plan.play(&mut ours, &mut relay).await;
        tell(&played);
        (mails, kills, round) = (mails + played.verdict.mails, kills + played.kills, round + 1);
        if !played.is_clean() {
            unclean.push(played.to_string());
        }
    }
    tell(&format_args!("{mails} mails, {kills} kills, {round} campaigns"));
    tell(&"\nand the same on a sender as it is usually written:");
    let plan = Plan { seed: asked.number("seed"), kills: 100, connections: 32, pairs: 0, closing_runs: 3 };
    let faults = ["recipients=60", "late_ms=200", "mute_ms=500", "drip_ms=2"].map(str::to_owned);
    let naive = naive::played(usize::try_from(asked.number("round")).unwrap(), Habit::After, &plan, &faults).await;
    tell(&naive);
    assert!(!naive.verdict.is_clean(), "the harness found nothing wrong with a sender that is wrong on purpose");
    assert!(unclean.is_empty(), "{}", unclean.join("\n"));
}
