//! A dispatcher's way into the ledger: few commits for many, and what it keeps when the ledger is held or it was declared dead.

use std::collections::BTreeMap;

use parsurvey_ledger::{Dispatcher, Ledger, Marked, NewMail, TakenOver};
use parsurvey_survey::campaign::MailKind::{Invitation, Reminder};
use parsurvey_survey::delivery::MailState;
use sqlx::Connection as _;

use crate::support::{Bench, LEASE, accepted, act, at, inviting, mail, mark};

on_both!(
    many_connections_share_few_commits,
    an_outcome_outlives_a_ledger_that_is_held_for_a_while,
    a_dispatcher_that_was_declared_dead_marks_nothing_and_its_outcomes_are_kept,
    what_is_held_back_is_counted_and_let_go_by_contact_and_batch,
);

fn invitations(n: usize) -> Vec<NewMail> {
    (1_i64..).take(n).map(|form| mail(form, Invitation, 0)).collect()
}

/// A dispatcher beside a ledger in which so many invitations are queued.
async fn dispatching(bench: &Bench, n: usize) -> (Ledger, Dispatcher) {
    let ledger = inviting(bench, n).await;
    ledger.enqueue(&invitations(n), &act(5)).await.expect("queued");
    let dispatcher = Dispatcher::enter(&ledger, "me", LEASE, at(5)).await.expect("entered");
    (ledger, dispatcher)
}

async fn many_connections_share_few_commits(bench: Bench) {
    let (ledger, dispatcher) = dispatching(&bench, 64).await;
    let dispatcher = std::sync::Arc::new(dispatcher);
    let mails = dispatcher.lease(64, at(6)).await.expect("leased");
    let mut tasks = tokio::task::JoinSet::new();
    for mail in mails {
        let dispatcher = std::sync::Arc::clone(&dispatcher);
        tasks.spawn(async move {
            let marked = dispatcher.mark(mark(mail.mail, 6)).await.expect("marked");
            assert_eq!(marked, Marked::MayLeave);
            dispatcher.outcome(mail.mail, accepted(7)).await.expect("recorded");
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no task fails");
    }
    let commits = dispatcher.commits();
    assert_eq!(commits.records, 128);
    assert!(commits.commits < 64, "{commits:?}");
    std::sync::Arc::into_inner(dispatcher).expect("the only one").end().await.expect("left");
    let counts = ledger.mail_counts().await.expect("counted");
    assert_eq!(counts.get(&MailState::Accepted), Some(&64));
    assert_eq!(ledger.attempts(1).await.expect("attempts").len(), 2, "the mark and the outcome");
}

async fn an_outcome_outlives_a_ledger_that_is_held_for_a_while(bench: Bench) {
    let (ledger, dispatcher) = dispatching(&bench, 2).await;
    let mails = dispatcher.lease(9, at(6)).await.expect("leased");
    assert_eq!(dispatcher.mark(mark(mails[0].mail, 6)).await, Ok(Marked::MayLeave));
    let mut other = bench.raw().await;
    let begin = if bench.is_sqlite() { "BEGIN IMMEDIATE" } else { "BEGIN" };
    let mut held = other.begin_with(begin).await.expect("a transaction");
    sqlx::query("UPDATE mail SET why = NULL").execute(&mut *held).await.expect("the lock");
    let release = async {
        // It is held for longer than the dispatcher's writer waits.
        for _ in 0..3 {
            let refused = ledger.give_back("me", &[mails[1].mail]).await.expect_err("locked out");
            assert!(refused.is_transient());
        }
        held.rollback().await.expect("released");
    };
    let (told, ()) = tokio::join!(dispatcher.outcome(mails[0].mail, accepted(7)), release);
    assert_eq!(told, Ok(()));
    assert_eq!(ledger.mail_counts().await.expect("counted").get(&MailState::Accepted), Some(&1));
}

async fn a_dispatcher_that_was_declared_dead_marks_nothing_and_its_outcomes_are_kept(bench: Bench) {
    let (ledger, dispatcher) = dispatching(&bench, 3).await;
    let mails = dispatcher.lease(2, at(6)).await.expect("leased");
    assert_eq!(dispatcher.mark(mark(mails[0].mail, 6)).await, Ok(Marked::MayLeave));
    ledger.end_dispatcher("me").await.expect("declared dead");
    assert_eq!(dispatcher.mark(mark(mails[1].mail, 7)).await, Ok(Marked::Withheld), "not even before it is taken over");
    assert_eq!(ledger.take_over(at(7)).await.map(|taken| taken.unknown), Ok(1));
    assert!(dispatcher.lease(9, at(8)).await.is_ok_and(|mails| mails.is_empty()), "and nothing is handed to it");
    dispatcher.outcome(mails[0].mail, accepted(8)).await.expect("kept");
    let counts = ledger.mail_counts().await.expect("counted");
    assert_eq!(counts, BTreeMap::from([(MailState::Accepted, 1), (MailState::Ready, 2)]));
    assert_eq!(ledger.take_over(at(9)).await, Ok(TakenOver { ready: 0, unknown: 0 }));
}

async fn what_is_held_back_is_counted_and_let_go_by_contact_and_batch(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let mut first = invitations(2);
    first[1].held = true;
    ledger.enqueue(&first, &act(5)).await.expect("queued");
    ledger.enqueue(&invitations(3)[2..], &act(6)).await.expect("queued later");
    let counts = ledger.canary_counts(Invitation, 0).await.expect("counted");
    assert_eq!(counts.by_state, BTreeMap::from([(MailState::Planned, 1), (MailState::Ready, 1)]));
    assert_eq!(ledger.let_go(Some((Reminder, 1)), &act(7)).await, Ok(0), "another contact's");
    assert_eq!(ledger.let_go(Some((Invitation, 0)), &act(8)).await, Ok(1));
    assert_eq!(ledger.let_go(None, &act(9)).await, Ok(0));
}
