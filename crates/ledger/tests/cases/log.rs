//! The event log: what it holds, that nothing in it can be changed, and that a change shows.

use parsurvey_ledger::Chain;
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, act, at, ballot, draft, inviting};

on_both!(
    every_change_has_an_entry_and_the_chain_holds,
    entries_and_attempts_cannot_be_changed_or_deleted,
    tampering_behind_the_triggers_shows,
    the_log_names_nobody_and_nothing_answered,
    a_failed_act_leaves_no_entry,
);

async fn every_change_has_an_entry_and_the_chain_holds(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.record_started(1, 1, at(5)).await.expect("started");
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    ledger.excuse(2, ExcuseCategory::Ill, &act(7)).await.expect("excused");
    let events = ledger.events(0, 100).await.expect("events");
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "created",
            "roster",
            "key_registered",
            "key_confirmed",
            "key_registered",
            "key_confirmed",
            "frozen",
            "started",
            "submitted",
            "excused",
        ]
    );
    let submitted = &events[8];
    assert_eq!((submitted.form, submitted.person, submitted.actor.as_str()), (Some(1), None, "respondent"));
    assert_eq!((submitted.at, submitted.detail.as_str()), (at(6), "{}"));
    let excused = &events[9];
    assert_eq!((excused.reason.as_str(), excused.document.as_str()), ("vì thế", "12/SNV"));
    let Chain::Intact { events: n, head } = ledger.verify_chain().await.expect("verified") else {
        panic!("the chain is broken");
    };
    assert_eq!((n, head.as_str()), (10, events[9].hash.as_str()));
    assert_eq!(ledger.events(8, 1).await.expect("a page"), events[8..9]);
}

async fn entries_and_attempts_cannot_be_changed_or_deleted(bench: Bench) {
    draft(&bench, 1).await.disconnect().await;
    bench
        .run(
            "INSERT INTO mail (form, holder, address_version, kind, wave, state, queued) \
             VALUES (1, 1, 1, 'prenotice', 0, 'ready', 0); \
             INSERT INTO attempt (mail, dispatcher, result, stage, text, at) SELECT mail, '', 'accepted', '', '', 0 FROM mail",
        )
        .await
        .expect("an attempt");
    for sql in ["UPDATE event SET at = 0", "DELETE FROM event", "UPDATE attempt SET at = 1", "DELETE FROM attempt"] {
        let error = bench.run(sql).await.expect_err(sql);
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    if !bench.is_sqlite() {
        bench.run("TRUNCATE event").await.expect_err("TRUNCATE is refused too");
    }
}

async fn tampering_behind_the_triggers_shows(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let (off, on) = if bench.is_sqlite() {
        ("DROP TRIGGER event_no_update; DROP TRIGGER event_no_delete", "")
    } else {
        ("ALTER TABLE event DISABLE TRIGGER USER", "")
    };
    bench.run(off).await.expect("an administrator can do this");
    for (sql, broken) in [
        ("UPDATE event SET reason = 'other' WHERE seq = 3", 3),
        ("UPDATE event SET reason = 'vì thế' WHERE seq = 3; DELETE FROM event WHERE seq = 5", 5),
    ] {
        bench.run(sql).await.expect("tampered");
        assert_eq!(ledger.verify_chain().await.expect("verified"), Chain::Broken { seq: broken }, "{on}");
    }
    bench.run("DELETE FROM event WHERE seq >= 5").await.expect("the tail is cut off");
    assert_eq!(ledger.verify_chain().await.expect("verified"), Chain::Broken { seq: 5 });
}

async fn the_log_names_nobody_and_nothing_answered(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    ledger.correct_address(2, "moi@so.example", &act(7)).await.expect("corrected");
    ledger.set_declined(3, 1, true, at(8)).await.expect("declined");
    for event in ledger.events(0, 100).await.expect("events") {
        let text = format!("{event:?}");
        for secret in ["so.example", "Mẫu", "VC0000", "CIPHERTEXT"] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

async fn a_failed_act_leaves_no_entry(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    let before = ledger.events(0, 100).await.expect("events");
    ledger.excuse(1, ExcuseCategory::Ill, &act(7)).await.expect_err("submitted");
    ledger.excuse(9, ExcuseCategory::Ill, &act(7)).await.expect_err("no such form");
    ledger.submit(1, 1, &ballot(1), at(8)).await.expect("told so");
    assert_eq!(ledger.events(0, 100).await.expect("events"), before);
}
