//! What many people send at the same moment: few commits, each item for itself, and nothing half recorded.

use parsurvey_ledger::{Ballot, Chain, Ledger, LedgerError, Refusal, SubmitResult};
use parsurvey_survey::seat::ExcuseCategory;
use sqlx::Connection as _;

use crate::support::{Bench, act, at, ballot, inviting};

on_both!(
    many_people_share_few_commits,
    an_item_that_fails_does_not_disturb_those_beside_it,
    a_caller_that_gives_up_leaves_its_item_whole,
    where_the_ledger_is_held_everybody_is_told_and_nothing_is_kept,
    one_form_in_one_batch_goes_step_by_step,
);

async fn many_people_share_few_commits(bench: Bench) {
    let ledger = inviting(&bench, 64).await;
    let mut tasks = tokio::task::JoinSet::new();
    for form in 1..=64 {
        let ledger = ledger.clone();
        tasks.spawn(async move {
            assert_eq!(ledger.record_started(form, 1, at(5)).await, Ok(true));
            assert_eq!(ledger.submit(form, 1, &ballot(form), at(6)).await, Ok(SubmitResult::Stored));
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task fails");
    }
    let commits = ledger.arrivals();
    assert_eq!(commits.records, 128);
    assert!(commits.commits < 64, "{commits:?}");
    assert_eq!(ledger.ballots().await.expect("ballots").len(), 64);
    let events = ledger.events(0, 1000).await.expect("events");
    for kind in ["started", "submitted"] {
        assert_eq!(events.iter().filter(|event| event.kind == kind).count(), 64, "{kind}");
    }
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { .. })));
}

/// Everything of the list at once. Single-threaded polling hands them to the writer in this order, as one batch.
async fn all_at_once(ledger: &Ledger, items: Vec<(i64, Ballot)>) -> Vec<Result<SubmitResult, LedgerError>> {
    let mut waiting = Vec::new();
    for (form, ballot) in items {
        let ledger = ledger.clone();
        waiting.push(Box::pin(async move { ledger.submit(form, 1, &ballot, at(6)).await }));
    }
    // Each is polled once, which hands its item over.
    for future in &mut waiting {
        tokio::select! {
            biased;
            _ = future => unreachable!("a commit takes longer than a poll"),
            () = std::future::ready(()) => {}
        }
    }
    let mut results = Vec::new();
    for future in waiting {
        results.push(future.await);
    }
    results
}

async fn an_item_that_fails_does_not_disturb_those_beside_it(bench: Bench) {
    let ledger = inviting(&bench, 5).await;
    ledger.excuse(4, ExcuseCategory::Ill, &act(5)).await.expect("excused");
    let short = Ballot { ciphertext: b"short".to_vec(), ..ballot(2) };
    let items = vec![
        (1, ballot(1)),
        (2, short),
        (99, ballot(9)),
        (4, ballot(4)),
        (1, ballot(7)),
        (5, ballot(5)),
        (3, ballot(3)),
    ];
    let results = all_at_once(&ledger, items).await;
    assert_eq!(results[0], Ok(SubmitResult::Stored));
    assert!(matches!(results[1], Err(LedgerError::Conflict(_))), "{:?}", results[1]);
    assert_eq!(results[2], Err(LedgerError::NotFound("the form")));
    assert_eq!(results[3], Ok(SubmitResult::Refused(Refusal::Excused)));
    assert_eq!(results[4], Ok(SubmitResult::AlreadySubmitted));
    assert_eq!([&results[5], &results[6]], [&Ok(SubmitResult::Stored), &Ok(SubmitResult::Stored)]);
    let ballots = ledger.ballots().await.expect("ballots");
    let kept: Vec<_> = ballots.iter().map(|ballot| ballot.ciphertext.clone()).collect();
    assert_eq!(kept, [1, 3, 5].map(|form| ballot(form).ciphertext));
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { .. })));
}

async fn a_caller_that_gives_up_leaves_its_item_whole(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let (first, again) = (ballot(1), ballot(2));
    tokio::select! {
        biased;
        _ = ledger.submit(1, 1, &first, at(6)) => unreachable!("a commit takes longer than a poll"),
        () = std::future::ready(()) => {}
    }
    assert_eq!(ledger.submit(1, 1, &again, at(7)).await, Ok(SubmitResult::AlreadySubmitted));
    let ballots = ledger.ballots().await.expect("ballots");
    assert_eq!((ballots.len(), &ballots[0].ciphertext), (1, &first.ciphertext));
    assert_eq!(ledger.seat(1).await.expect("the seat").completed, Some(at(6)));
}

async fn where_the_ledger_is_held_everybody_is_told_and_nothing_is_kept(bench: Bench) {
    inviting(&bench, 3).await.disconnect().await;
    let ledger = bench.open().await.expect("an impatient one");
    let mut other = bench.raw().await;
    let begin = if bench.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut held = other.begin_with(begin).await.expect("a transaction");
    sqlx::query("UPDATE campaign SET deadline = NULL").execute(&mut *held).await.expect("the lock");
    let items = || (1..=3).map(|form| (form, ballot(form))).collect();
    let results = all_at_once(&ledger, items()).await;
    assert!(results.iter().all(|result| *result == Err(LedgerError::Locked)), "{results:?}");
    held.rollback().await.expect("released");
    assert_eq!(ledger.ballots().await, Ok(Vec::new()));
    let results = all_at_once(&ledger, items()).await;
    assert!(results.iter().all(|result| *result == Ok(SubmitResult::Stored)), "{results:?}");
}

async fn one_form_in_one_batch_goes_step_by_step(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let answers = ballot(1);
    let (declined, started, submitted, after) = tokio::join!(
        ledger.set_declined(1, 1, true, at(5)),
        ledger.record_started(1, 1, at(6)),
        ledger.submit(1, 1, &answers, at(7)),
        ledger.set_declined(1, 1, true, at(8)),
    );
    assert_eq!((declined, started), (Ok(true), Ok(true)));
    assert_eq!((submitted, after), (Ok(SubmitResult::Stored), Ok(false)));
    let seat = ledger.seat(1).await.expect("the seat");
    assert_eq!((seat.started, seat.completed), (Some(at(6)), Some(at(7))));
    assert_eq!((seat.declined, seat.ever_declined), (false, true), "answering took it back");
    let (late, again) = tokio::join!(ledger.record_too_late(2, 1, at(9)), ledger.record_too_late(2, 1, at(9)));
    assert_eq!((late, again), (Ok(true), Ok(false)));
    assert!(ledger.seat(2).await.expect("the seat").too_late);
}
