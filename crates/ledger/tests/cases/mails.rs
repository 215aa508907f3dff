//! The outbox: each mail once, claimed before it is sent, and never again when its outcome is unknown.

use std::collections::BTreeSet;

use parsurvey_ledger::{
    ClaimedMail, Ledger, LedgerError, MailState, NewHolder, NewMail, OutcomeResult, ReplacementKind,
};
use parsurvey_survey::campaign::MailKind::{Invitation, Prenotice, Reminder};
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, accepted, act, at, ballot, draft, inviting, mail, outcome};

on_both!(
    a_second_run_queues_nothing,
    two_runs_at_once_queue_each_mail_once,
    two_claimants_never_share_a_mail,
    a_lost_claim_is_unknown_and_never_handed_out_again,
    outcomes_move_a_mail,
    a_released_claim_is_ready_again,
    what_is_owed_no_longer_is_cancelled,
    a_cancelled_mail_can_be_queued_again,
    only_prenotices_leave_in_draft,
    the_summary_of_a_seat_is_of_its_present_holder_and_address,
    a_claim_does_not_print_whom_it_is_for,
);

fn invitations(n: i64) -> Vec<NewMail> {
    (1..=n).map(|form| mail(form, Invitation, 0)).collect()
}

async fn claim(ledger: &Ledger, claimant: &str) -> Vec<ClaimedMail> {
    ledger.claim(claimant, 1000, at(50)).await.expect("claimed")
}

async fn states(ledger: &Ledger) -> Vec<(i64, MailState, Option<String>)> {
    let mails = ledger.mails().await.expect("mails");
    mails.into_iter().map(|mail| (mail.form, mail.state, mail.why)).collect()
}

async fn a_second_run_queues_nothing(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    assert_eq!(ledger.enqueue(&invitations(2), &act(5)).await, Ok(2));
    let events = ledger.events(0, 100).await.expect("events").len();
    assert_eq!(ledger.enqueue(&invitations(2), &act(6)).await, Ok(0));
    assert_eq!(ledger.events(0, 100).await.expect("events").len(), events);
    assert_eq!(ledger.enqueue(&invitations(3), &act(7)).await, Ok(1));
    assert_eq!(ledger.mails().await.expect("mails").len(), 3);
}

async fn two_runs_at_once_queue_each_mail_once(bench: Bench) {
    let first = inviting(&bench, 300).await;
    let second = bench.open_patient().await;
    let run = |ledger: Ledger| async move { ledger.enqueue(&invitations(300), &act(5)).await.expect("queued") };
    let (left, right) = tokio::join!(tokio::spawn(run(first.clone())), tokio::spawn(run(second)));
    assert_eq!(left.expect("left") + right.expect("right"), 300);
    assert_eq!(first.mails().await.expect("mails").len(), 300);
}

async fn two_claimants_never_share_a_mail(bench: Bench) {
    const N: i64 = 300;
    let first = inviting(&bench, 300).await;
    let second = bench.open_patient().await;
    first.enqueue(&invitations(N), &act(5)).await.expect("queued");
    let take_all = |ledger: Ledger, name: &'static str| async move {
        let mut taken = Vec::new();
        loop {
            let batch = ledger.claim(name, 7, at(50)).await.expect("claimed");
            if batch.is_empty() {
                return taken;
            }
            taken.extend(batch.into_iter().map(|mail| mail.mail));
        }
    };
    let (left, right) =
        tokio::join!(tokio::spawn(take_all(first.clone(), "left")), tokio::spawn(take_all(second.clone(), "right")));
    let (left, right) = (left.expect("left"), right.expect("right"));
    let all: BTreeSet<i64> = left.iter().chain(&right).copied().collect();
    assert_eq!(left.len() + right.len(), all.len(), "no mail twice");
    // A skipped lock may leave a mail for the next run, never lose it.
    let rest = claim(&first, "third").await;
    assert_eq!(all.len() + rest.len(), usize::try_from(N).expect("few"));
}

async fn a_lost_claim_is_unknown_and_never_handed_out_again(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    let lost = ledger.claim("killed", 1, at(6)).await.expect("claimed");
    assert_eq!(lost.len(), 1);
    drop(ledger);
    let ledger = bench.open_patient().await;
    assert_eq!(claim(&ledger, "next").await.len(), 1);
    assert!(claim(&ledger, "next").await.is_empty());
    assert_eq!(ledger.enqueue(&invitations(2), &act(7)).await, Ok(0));
    let seat = ledger.seat(lost[0].form).await.expect("the seat");
    assert_eq!((seat.mail.unknown, seat.mail.accepted), (1, 0));
    ledger.submit(1, 1, &ballot(1), at(8)).await.expect("a link still works");
}

async fn outcomes_move_a_mail(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    ledger.enqueue(&invitations(4), &act(5)).await.expect("queued");
    let mails = claim(&ledger, "me").await;
    let results = [
        (OutcomeResult::Accepted, MailState::Accepted),
        (OutcomeResult::Rejected, MailState::Rejected),
        (OutcomeResult::Deferred, MailState::Ready),
        (OutcomeResult::RouteFailed, MailState::Ready),
    ];
    for (claimed, (result, _)) in mails.iter().zip(results) {
        let mut outcome = outcome(result, 60);
        outcome.retry_at = (result == OutcomeResult::Deferred).then(|| at(90));
        ledger.record_outcome(claimed.mail, "me", &outcome).await.expect("recorded");
    }
    let rows = ledger.mails().await.expect("mails");
    for (row, (result, state)) in rows.iter().zip(results) {
        let last = row.last.as_ref().expect("an attempt");
        assert_eq!((row.state, last.result, last.code), (state, result, Some(550)));
        assert_eq!((last.enhanced.as_deref(), last.at), (Some("5.1.1"), at(60)));
    }
    let again: Vec<_> = ledger.claim("me", 9, at(70)).await.expect("claimed").iter().map(|mail| mail.form).collect();
    assert_eq!(again, [4], "the deferred one waits");
    let later: Vec<_> = ledger.claim("me", 9, at(90)).await.expect("claimed").iter().map(|mail| mail.form).collect();
    assert_eq!(later, [3]);
    for (mail, claimant) in [(mails[0].mail, "me"), (rows[3].mail, "you")] {
        let error = ledger.record_outcome(mail, claimant, &accepted(61)).await.expect_err("not this one's");
        assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    }
    assert_eq!(ledger.record_outcome(99, "me", &accepted(61)).await, Err(LedgerError::NotFound("the mail")));
    assert_eq!(ledger.mails_of(2).await.expect("mails"), rows[1..2]);
    assert!(ledger.seat(2).await.expect("the seat").mail.last_rejected);
}

async fn a_released_claim_is_ready_again(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    let mails: Vec<i64> = claim(&ledger, "me").await.iter().map(|mail| mail.mail).collect();
    assert_eq!(ledger.release_claims("you", &mails).await, Ok(0), "others' claims stay");
    ledger.record_outcome(mails[0], "me", &accepted(6)).await.expect("recorded");
    assert_eq!(ledger.release_claims("me", &mails).await, Ok(1), "what was sent stays sent");
    assert_eq!(claim(&ledger, "you").await.len(), 1);
}

async fn what_is_owed_no_longer_is_cancelled(bench: Bench) {
    let ledger = inviting(&bench, 7).await;
    ledger.enqueue(&invitations(7), &act(5)).await.expect("queued");
    let holder =
        NewHolder {
            external_id: None, name: "Trần Mẫu".into(), email: "m@so.example".into(), position: String::new()
        };
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    ledger.excuse(2, ExcuseCategory::Away, &act(6)).await.expect("excused");
    ledger.set_declined(3, true, at(6)).await.expect("declined");
    ledger.mark_ineligible(4, &act(6)).await.expect("ineligible");
    ledger.replace(5, holder, ReplacementKind::FrameCorrection, &act(6)).await.expect("replaced");
    ledger.correct_address(6, "moi6@so.example", &act(6)).await.expect("corrected");
    let forms: Vec<_> = claim(&ledger, "me").await.iter().map(|mail| mail.form).collect();
    assert_eq!(forms, [7]);
    let why: Vec<_> = states(&ledger).await.into_iter().filter_map(|(_, _, why)| why).collect();
    assert_eq!(why, ["submitted", "excused", "declined", "ineligible", "replaced", "address corrected"]);
}

async fn a_cancelled_mail_can_be_queued_again(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&invitations(1), &act(5)).await.expect("queued");
    ledger.excuse(1, ExcuseCategory::Away, &act(6)).await.expect("excused");
    assert!(claim(&ledger, "me").await.is_empty());
    ledger.reinstate(1, &act(7)).await.expect("reinstated");
    assert!(ledger.seat(1).await.expect("the seat").mail.queued.is_empty(), "the plan sees it is owed again");
    assert_eq!(ledger.enqueue(&invitations(1), &act(8)).await, Ok(1));
    assert_eq!(claim(&ledger, "me").await.len(), 1);
}

async fn only_prenotices_leave_in_draft(bench: Bench) {
    let ledger = draft(&bench, 2).await;
    let error = ledger.enqueue(&invitations(1), &act(2)).await.expect_err("not inviting yet");
    assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    assert_eq!(ledger.enqueue(&[mail(1, Prenotice, 0)], &act(2)).await, Ok(1));
    let claimed = claim(&ledger, "me").await;
    assert_eq!((claimed.len(), claimed[0].kind), (1, Prenotice));
    ledger.record_outcome(claimed[0].mail, "me", &accepted(6)).await.expect("recorded");
    let summary = ledger.seat(1).await.expect("the seat").mail;
    assert_eq!((summary.accepted, summary.link_accepted), (1, 0), "a prenotice carries no link");
}

async fn the_summary_of_a_seat_is_of_its_present_holder_and_address(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&[mail(1, Invitation, 0), mail(1, Reminder, 1)], &act(5)).await.expect("queued");
    let mails = claim(&ledger, "me").await;
    ledger
        .record_outcomes("me", &[(mails[0].mail, outcome(OutcomeResult::Rejected, 6)), (mails[1].mail, accepted(7))])
        .await
        .expect("recorded");
    let summary = ledger.seat(1).await.expect("the seat").mail;
    assert_eq!((summary.accepted, summary.link_accepted, summary.last_rejected), (1, 1, false));
    assert_eq!(
        (summary.queued, summary.last_accepted),
        (vec![("invitation".into(), 0), ("reminder".into(), 1)], Some(at(7)))
    );
    ledger.correct_address(1, "moi@so.example", &act(8)).await.expect("corrected");
    let seats = ledger.seats().await.expect("seats");
    assert_eq!(seats[0].mail, parsurvey_survey::seat::MailSummary::default());
    let again = NewMail { address_version: 2, ..mail(1, Invitation, 0) };
    assert_eq!(ledger.enqueue(&[again], &act(9)).await, Ok(1));
    assert_eq!(claim(&ledger, "me").await[0].email, "moi@so.example");
    assert_eq!(ledger.mails_of(1).await.expect("mails").len(), 3);
}

async fn a_claim_does_not_print_whom_it_is_for(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&invitations(1), &act(5)).await.expect("queued");
    let claimed = claim(&ledger, "me").await;
    assert_eq!((claimed[0].name.as_str(), claimed[0].email.as_str()), ("Nguyễn Thị Mẫu 1", "mau1@so.example"));
    assert_eq!((claimed[0].link_version, claimed[0].message_id.as_deref()), (1, Some("1.0@par.example")));
    let text = format!("{claimed:?} {ledger:?}");
    assert!(!text.contains("Mẫu") && !text.contains("example"), "{text}");
}
