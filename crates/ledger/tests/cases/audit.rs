//! Anchors and the audit of the log: claimed once a day, found again on the chain, and what contradicts the tables.

use std::collections::BTreeSet;

use jiff::civil::{Date, date};
use parsurvey_ledger::{AnchorClaim, ChaseState, Ledger, LedgerError, StateOf};
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, act, at, ballot, inviting};

on_both!(
    an_anchor_is_claimed_once_a_day_and_again_only_if_it_was_not_sent,
    two_senders_at_once_claim_an_anchor_once,
    the_hash_of_an_anchor_is_found_on_the_chain_until_something_changes,
    what_the_tables_say_beside_the_log_shows,
);

const DAY: Date = date(2023, 12, 20);

async fn claimed(ledger: &Ledger, sender: &str, minute: i64) -> (i64, i64, String) {
    match ledger.claim_anchor(DAY, sender, &act(minute)).await.expect("claimed") {
        AnchorClaim::Yours { notice, seq, hash } => (notice, seq, hash),
        other => panic!("{other:?}"),
    }
}

async fn an_anchor_is_claimed_once_a_day_and_again_only_if_it_was_not_sent(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let (first, seq, hash) = claimed(&ledger, "one", 5).await;
    let events = ledger.events(0, 100).await.expect("events");
    assert_eq!(
        (seq, &hash),
        (events[events.len() - 2].seq, &events[events.len() - 2].hash),
        "the head before the claim"
    );
    assert_eq!(ledger.claim_anchor(DAY, "other", &act(5)).await, Ok(AnchorClaim::Unknown), "it may have left");
    let others = ledger.settle_notice(first, "other", ChaseState::Told, "", &act(6)).await;
    assert!(matches!(others, Err(LedgerError::Conflict(_))));
    ledger.settle_notice(first, "one", ChaseState::Ready, "451 busy", &act(6)).await.expect("settled");
    let (again, later, _) = claimed(&ledger, "other", 7).await;
    assert!(again == first && later > seq, "the day's row, with the head of then");
    ledger.settle_notice(again, "other", ChaseState::Told, "", &act(8)).await.expect("settled");
    assert_eq!(ledger.claim_anchor(DAY, "one", &act(9)).await, Ok(AnchorClaim::Told));
    let tomorrow = ledger.claim_anchor(date(2023, 12, 21), "one", &act(9)).await;
    assert!(matches!(tomorrow, Ok(AnchorClaim::Yours { .. })));
    let rows = ledger.anchors().await.expect("anchors");
    let seen: Vec<_> = rows.iter().map(|row| (row.day.day(), row.seq, row.state)).collect();
    assert_eq!(seen[0], (20, later, ChaseState::Told));
    assert_eq!((seen.len(), seen[1].0, seen[1].2), (2, 21, ChaseState::Claimed));
}

async fn two_senders_at_once_claim_an_anchor_once(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let (one, other, by) = (bench.open_patient().await, bench.open_patient().await, act(5));
    let (a, b) = tokio::join!(one.claim_anchor(DAY, "one", &by), other.claim_anchor(DAY, "other", &by));
    let claims = [a.expect("asked"), b.expect("asked")];
    assert_eq!(claims.iter().filter(|claim| matches!(claim, AnchorClaim::Yours { .. })).count(), 1, "{claims:?}");
    assert_eq!(ledger.anchors().await.expect("anchors").len(), 1);
}

async fn the_hash_of_an_anchor_is_found_on_the_chain_until_something_changes(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let (_, seq, hash) = claimed(&ledger, "one", 5).await;
    ledger.excuse(2, ExcuseCategory::Ill, &act(7)).await.expect("excused");
    let asked = BTreeSet::from([seq, 9_999]);
    let log = ledger.audit_log(&asked).await.expect("audited");
    assert_eq!((log.broken_at, log.hashes.get(&seq), log.hashes.len()), (None, Some(&hash), 1));
    assert_eq!(log.intact, log.entries);
    assert!(log.states.iter().all(|check| check.differing == 0), "{:?}", log.states);
    let off = if bench.is_sqlite() { "DROP TRIGGER event_no_update" } else { "ALTER TABLE event DISABLE TRIGGER USER" };
    bench.run(off).await.expect("an administrator can do this");
    bench.run(&format!("UPDATE event SET reason = 'other' WHERE seq = {seq}")).await.expect("tampered");
    let log = ledger.audit_log(&asked).await.expect("audited");
    assert_eq!((log.broken_at, log.intact, log.hashes.len()), (Some(seq), seq - 1, 0));
    bench.run(&format!("UPDATE event SET reason = 'vì thế' WHERE seq = {seq}")).await.expect("mended");
    // Entries that nobody counts, behind the end that the campaign remembers.
    let beyond = format!(
        "INSERT INTO event (seq, at, kind, actor, reason, document, detail, hash) \
         VALUES ({}, 0, 'excused', 'x', '', '', '{{}}', 'aa')",
        log.entries + 1
    );
    bench.run(&beyond).await.expect("tampered");
    assert_eq!(ledger.audit_log(&asked).await.expect("audited").broken_at, Some(log.entries + 1));
}

async fn what_the_tables_say_beside_the_log_shows(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    for form in [1, 2] {
        ledger.submit(form, 1, &ballot(form), at(6)).await.expect("submitted");
    }
    ledger.excuse(3, ExcuseCategory::Ill, &act(7)).await.expect("excused");
    let differing = async || {
        let log = ledger.audit_log(&BTreeSet::new()).await.expect("audited");
        let of = |check: &&parsurvey_ledger::StateCheck| check.differing > 0;
        log.states.iter().filter(of).map(|check| (check.what, check.log, check.tables)).collect::<Vec<_>>()
    };
    assert_eq!(differing().await, []);
    bench.run("DELETE FROM ballot WHERE form = 2").await.expect("tampered");
    assert_eq!(differing().await, [(StateOf::Ballots, 2, 1)]);
    bench.run("UPDATE seat SET completed = NULL WHERE form = 2").await.expect("tampered");
    assert_eq!(differing().await, [(StateOf::Completions, 2, 1), (StateOf::Ballots, 2, 1)]);
    bench.run("UPDATE seat SET excused = NULL, holder = 2 WHERE form = 3").await.expect("tampered");
    bench.run("UPDATE campaign SET state = 'closed'").await.expect("tampered");
    let found: Vec<StateOf> = differing().await.into_iter().map(|(what, ..)| what).collect();
    let all = [StateOf::Completions, StateOf::Ballots, StateOf::Excused, StateOf::Holders, StateOf::Stage];
    assert_eq!(found, all);
}
