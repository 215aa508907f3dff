//! The outbox: each mail once, leased before it is sent, and never again when its outcome is unknown.

use std::collections::BTreeSet;

use parsurvey_ledger::{
    Again, AttemptResult, LeasedMail, Ledger, LedgerError, LinkHash, NewHolder, NewMail, ReplacementKind, TakenOver,
};
use parsurvey_survey::campaign::MailKind::{Invitation, Prenotice, Reminder};
use parsurvey_survey::delivery::{MailState, Settled};
use parsurvey_survey::seat::{ExcuseCategory, MailSummary};
use parsurvey_survey::status::SeatCounts;

use crate::support::{Bench, accepted, act, at, ballot, draft, entered, inviting, mail, outcome, settle};

on_both!(
    a_second_run_queues_nothing,
    two_runs_at_once_queue_each_mail_once,
    two_dispatchers_never_share_a_mail,
    what_a_dead_dispatcher_had_marked_is_unknown_and_never_handed_out_again,
    outcomes_move_a_mail,
    what_is_given_back_is_ready_again,
    what_is_owed_no_longer_is_cancelled,
    a_cancelled_mail_can_be_queued_again,
    only_prenotices_leave_in_draft,
    the_summary_of_a_seat_is_of_its_present_holder_and_address,
    a_later_contact_takes_the_place_of_what_still_waits,
    refused_and_unknown_mails_are_sent_again_only_when_asked,
    the_counts_are_those_of_the_seats,
    links_are_held_to_what_is_stored,
    a_lease_does_not_print_whom_it_is_for,
    a_stopped_address_gets_no_more_mail,
    a_sleeper_that_wakes_is_withheld_and_its_late_outcome_settles,
    nothing_is_handed_out_or_marked_while_paused,
);

fn invitations(n: i64) -> Vec<NewMail> {
    (1..=n).map(|form| mail(form, Invitation, 0)).collect()
}

async fn lease(ledger: &Ledger, dispatcher: &str) -> Vec<LeasedMail> {
    lease_some(ledger, dispatcher, 1000, 50).await
}

async fn lease_some(ledger: &Ledger, dispatcher: &str, limit: u32, minute: i64) -> Vec<LeasedMail> {
    entered(ledger, dispatcher).await;
    ledger.lease(dispatcher, limit, at(minute)).await.expect("leased")
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

async fn two_dispatchers_never_share_a_mail(bench: Bench) {
    const N: i64 = 300;
    let first = inviting(&bench, 300).await;
    let second = bench.open_patient().await;
    first.enqueue(&invitations(N), &act(5)).await.expect("queued");
    let take_all = |ledger: Ledger, name: &'static str| async move {
        let mut taken = Vec::new();
        loop {
            let batch = lease_some(&ledger, name, 7, 50).await;
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
    let rest = lease(&first, "third").await;
    assert_eq!(all.len() + rest.len(), usize::try_from(N).expect("few"));
}

async fn what_a_dead_dispatcher_had_marked_is_unknown_and_never_handed_out_again(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.enqueue(&invitations(3), &act(5)).await.expect("queued");
    let lost = lease_some(&ledger, "killed", 2, 6).await;
    assert_eq!(lost.len(), 2);
    let marked = ledger.mark_sending("killed", &[crate::support::mark(lost[0].mail, 6)]).await.expect("marked");
    assert_eq!(marked, BTreeSet::from([lost[0].mail]));
    drop(ledger);
    let ledger = bench.open_patient().await;
    assert_eq!(lease(&ledger, "next").await.len(), 1, "the others are in the hands of one that may live");
    assert_eq!(ledger.take_over(at(7)).await, Ok(TakenOver::default()));
    assert_eq!(ledger.mails_in_hand().await, Ok(3));
    ledger.end_dispatcher("killed").await.expect("known to be dead");
    assert_eq!(ledger.take_over(at(7)).await, Ok(TakenOver { ready: 1, unknown: 1 }));
    assert_eq!(ledger.take_over(at(8)).await, Ok(TakenOver::default()));
    assert_eq!(lease(&ledger, "next").await.len(), 1, "what was not marked is sent");
    assert!(lease(&ledger, "next").await.is_empty());
    assert_eq!(ledger.enqueue(&invitations(3), &act(7)).await, Ok(0));
    let seat = ledger.seat(lost[0].form).await.expect("the seat");
    assert_eq!((seat.mail.unknown, seat.mail.link_unknown, seat.mail.link_accepted), (1, 1, 0));
    let history = ledger.attempts(lost[0].mail).await.expect("attempts");
    let said: Vec<_> = history.iter().map(|attempt| attempt.result).collect();
    assert_eq!(said, [AttemptResult::Sending, AttemptResult::Unknown]);
    ledger.submit(1, 1, &ballot(1), at(8)).await.expect("a link still works");
}

async fn outcomes_move_a_mail(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    ledger.enqueue(&invitations(4), &act(5)).await.expect("queued");
    let mails = lease(&ledger, "me").await;
    let results = [
        (Settled::Accepted, MailState::Accepted, AttemptResult::Accepted),
        (Settled::Rejected, MailState::Rejected, AttemptResult::Rejected),
        (Settled::Deferred, MailState::Deferred, AttemptResult::Deferred),
        (Settled::NotSent, MailState::Deferred, AttemptResult::RouteFailed),
    ];
    for (leased, (settled, _, _)) in mails.iter().zip(results) {
        let stage = if settled == Settled::Accepted { "dot" } else { "rcpt" };
        let outcome = parsurvey_ledger::Outcome { stage: stage.into(), ..outcome(settled, 60) };
        settle(&ledger, "me", leased.mail, &outcome).await.expect("recorded");
    }
    let rows = ledger.mails().await.expect("mails");
    for (row, (_, state, result)) in rows.iter().zip(results) {
        let last = row.last.as_ref().expect("an attempt");
        assert_eq!((row.state, last.result, last.code), (state, result, Some(550)));
        assert_eq!((last.enhanced.as_deref(), last.at), (Some("5.1.1"), at(60)));
    }
    assert_eq!(ledger.next_try().await, Ok(Some(at(61))));
    let forms = |leased: Vec<LeasedMail>| leased.iter().map(|mail| mail.form).collect::<Vec<_>>();
    assert_eq!(forms(lease_some(&ledger, "me", 9, 64).await), [4], "the refused one waits five minutes");
    assert_eq!(forms(lease_some(&ledger, "me", 9, 65).await), [3]);
    // Refused for now a second time: ten minutes.
    settle(&ledger, "me", mails[2].mail, &outcome(Settled::Deferred, 65)).await.expect("recorded");
    assert_eq!(ledger.mails().await.expect("mails")[2].not_before, Some(at(75)));
    let error = settle(&ledger, "me", mails[0].mail, &accepted(61)).await;
    assert_eq!(error, Ok(()), "a second outcome of its own dispatcher is kept, and changes nothing");
    assert_eq!(ledger.mails().await.expect("mails")[0].state, MailState::Accepted);
    for (mail, dispatcher) in [(mails[3].mail, "you"), (mails[1].mail, "you")] {
        let error =
            settle(&ledger, dispatcher, mail, &outcome(Settled::Rejected, 61)).await.expect_err("never its own");
        assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    }
    assert_eq!(settle(&ledger, "me", 99, &accepted(61)).await, Err(LedgerError::NotFound("the mail")));
    assert_eq!(ledger.mails_of(2).await.expect("mails"), rows[1..2]);
    assert!(ledger.seat(2).await.expect("the seat").mail.last_rejected);
}

async fn what_is_given_back_is_ready_again(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    let mails: Vec<i64> = lease(&ledger, "me").await.iter().map(|mail| mail.mail).collect();
    assert_eq!(ledger.give_back("you", &mails).await, Ok(0), "others' mails stay");
    settle(&ledger, "me", mails[0], &accepted(6)).await.expect("recorded");
    assert_eq!(ledger.give_back("me", &mails).await, Ok(1), "what was sent stays sent");
    assert_eq!(lease(&ledger, "you").await.len(), 1);
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
    ledger.set_declined(3, 1, true, at(6)).await.expect("declined");
    ledger.mark_ineligible(4, &act(6)).await.expect("ineligible");
    ledger.replace(5, holder, ReplacementKind::FrameCorrection, &act(6)).await.expect("replaced");
    ledger.correct_address(6, "moi6@so.example", &act(6)).await.expect("corrected");
    let forms: Vec<_> = lease(&ledger, "me").await.iter().map(|mail| mail.form).collect();
    assert_eq!(forms, [7]);
    let why: Vec<_> = states(&ledger).await.into_iter().filter_map(|(_, _, why)| why).collect();
    assert_eq!(why, ["submitted", "excused", "declined", "ineligible", "replaced", "address corrected"]);
}

async fn a_cancelled_mail_can_be_queued_again(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&invitations(1), &act(5)).await.expect("queued");
    ledger.excuse(1, ExcuseCategory::Away, &act(6)).await.expect("excused");
    assert!(lease(&ledger, "me").await.is_empty());
    ledger.reinstate(1, &act(7)).await.expect("reinstated");
    assert!(ledger.seat(1).await.expect("the seat").mail.queued.is_empty(), "the plan sees it is owed again");
    assert_eq!(ledger.enqueue(&invitations(1), &act(8)).await, Ok(1));
    assert_eq!(lease(&ledger, "me").await.len(), 1);
}

async fn only_prenotices_leave_in_draft(bench: Bench) {
    let ledger = draft(&bench, 2).await;
    let error = ledger.enqueue(&invitations(1), &act(2)).await.expect_err("not inviting yet");
    assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    assert_eq!(ledger.enqueue(&[mail(1, Prenotice, 0)], &act(2)).await, Ok(1));
    let leased = lease(&ledger, "me").await;
    assert_eq!((leased.len(), leased[0].kind), (1, Prenotice));
    settle(&ledger, "me", leased[0].mail, &accepted(6)).await.expect("recorded");
    let summary = ledger.seat(1).await.expect("the seat").mail;
    assert_eq!((summary.invited, summary.link_accepted), (false, 0), "a prenotice carries no link");
}

async fn the_summary_of_a_seat_is_of_its_present_holder_and_address(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let mut mails = Vec::new();
    for (mail, result) in [
        (mail(1, Prenotice, 0), outcome(Settled::Rejected, 5)),
        (mail(1, Invitation, 0), outcome(Settled::Rejected, 6)),
        (mail(1, Reminder, 1), accepted(7)),
    ] {
        ledger.enqueue(&[mail], &act(5)).await.expect("queued");
        mails.push((lease(&ledger, "me").await[0].mail, result));
        let seat = ledger.seat(1).await.expect("the seat");
        assert_eq!((seat.mail.waiting, seat.mail.unknown), (u32::try_from(mails.len()).expect("few"), 0));
    }
    for (mail, result) in &mails {
        settle(&ledger, "me", *mail, result).await.expect("recorded");
        let summary = ledger.seat(1).await.expect("the seat").mail;
        assert_eq!(summary.last_rejected, result.settled == Settled::Rejected);
        assert_eq!(summary.last_link_rejected, *mail == mails[1].0, "a prenotice carries no link");
    }
    let summary = ledger.seat(1).await.expect("the seat").mail;
    assert_eq!((summary.link_accepted, summary.unknown, summary.waiting), (1, 0, 0));
    assert_eq!(
        (summary.queued, summary.last_link_sent),
        (vec![(Prenotice, 0), (Invitation, 0), (Reminder, 1)], Some(at(7)))
    );
    ledger.correct_address(1, "moi@so.example", &act(8)).await.expect("corrected");
    let seats = ledger.seats().await.expect("seats");
    let invited = MailSummary { invited: true, ..MailSummary::default() };
    assert_eq!(seats[0].mail, invited, "of the new address only that the seat was invited before");
    let again = NewMail { address_version: 2, ..mail(1, Invitation, 0) };
    assert_eq!(ledger.enqueue(&[again], &act(9)).await, Ok(1));
    assert_eq!(lease(&ledger, "me").await[0].email, "moi@so.example");
    assert_eq!(ledger.mails_of(1).await.expect("mails").len(), 4);
}

async fn a_later_contact_takes_the_place_of_what_still_waits(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    ledger.enqueue(&[mail(1, Prenotice, 0), mail(2, Prenotice, 0)], &act(5)).await.expect("queued");
    ledger.enqueue(&invitations(3), &act(6)).await.expect("queued");
    let held: Vec<_> = lease(&ledger, "me").await.iter().map(|mail| (mail.form, mail.kind)).collect();
    assert_eq!(held, [(1, Invitation), (2, Invitation), (3, Invitation)]);
    ledger.enqueue(&[mail(4, Reminder, 1)], &act(7)).await.expect("queued");
    ledger.enqueue(&[mail(4, Reminder, 2), mail(1, Reminder, 2)], &act(8)).await.expect("queued");
    // The seat's new address was invited only: what the old one was queued does not count.
    ledger.correct_address(4, "moi@so.example", &act(9)).await.expect("corrected");
    let invitation = NewMail { address_version: 2, ..mail(4, Invitation, 0) };
    ledger.enqueue(&[invitation], &act(10)).await.expect("queued");
    let why: Vec<_> = ledger.mails().await.expect("mails").into_iter().map(|mail| (mail.state, mail.why)).collect();
    let superseded = (MailState::Cancelled, Some("superseded".to_owned()));
    let (leased, ready) = ((MailState::Leased, None), (MailState::Ready, None));
    let expected = [
        superseded.clone(),
        superseded.clone(),
        leased.clone(),
        leased.clone(),
        leased,
        superseded,
        ready.clone(),
        ready.clone(),
        ready,
    ];
    assert_eq!(why, expected, "a leased mail stays with its dispatcher");
    let forms: Vec<_> = lease(&ledger, "next").await.iter().map(|mail| (mail.form, mail.kind, mail.wave)).collect();
    assert_eq!(forms, [(1, Reminder, 2), (4, Invitation, 0)]);
}

async fn refused_and_unknown_mails_are_sent_again_only_when_asked(bench: Bench) {
    let ledger = inviting(&bench, 6).await;
    ledger.enqueue(&invitations(6), &act(5)).await.expect("queued");
    let mails = lease_some(&ledger, "killed", 9, 10).await;
    for leased in &mails[..4] {
        settle(&ledger, "killed", leased.mail, &outcome(Settled::Rejected, 11)).await.expect("recorded");
    }
    let marks: Vec<_> = mails[4..].iter().map(|leased| crate::support::mark(leased.mail, 11)).collect();
    assert_eq!(ledger.mark_sending("killed", &marks).await.expect("marked").len(), 2);
    ledger.submit(1, 1, &ballot(1), at(12)).await.expect("submitted");
    ledger.enqueue(&[mail(2, Reminder, 1)], &act(12)).await.expect("queued");
    assert_eq!(lease(&ledger, "me").await.len(), 1, "only the reminder");
    let again = async |which, minute| ledger.make_ready_again(Invitation, 0, which, &act(minute)).await;
    assert_eq!(again(Again::Rejected, 13).await, Ok(2), "neither the submitted nor the reminded");
    assert_eq!(again(Again::Rejected, 13).await, Ok(0));
    assert_eq!(again(Again::Unknown, 20).await, Ok(0), "still being sent");
    ledger.end_dispatcher("killed").await.expect("dead");
    ledger.take_over(at(21)).await.expect("taken");
    assert_eq!(again(Again::Unknown, 60).await, Ok(2));
    let forms: Vec<_> = lease(&ledger, "me").await.iter().map(|mail| mail.form).collect();
    assert_eq!(forms, [3, 4, 5, 6]);
    let events = ledger.events(0, 100).await.expect("events");
    let logged: Vec<_> = events.iter().filter(|event| event.kind == "again").map(|event| &event.detail).collect();
    assert_eq!(logged.len(), 2);
    assert!(logged[1].contains(r#""state":"unknown","mails":2"#), "{logged:?}");
    let silent = parsurvey_ledger::Act { reason: " ".into(), ..act(62) };
    let error = ledger.make_ready_again(Invitation, 0, Again::Rejected, &silent).await.expect_err("no reason");
    assert!(error.to_string().contains("reason"));
}

/// The database counts what the seats say, whatever happened to them.
async fn the_counts_are_those_of_the_seats(bench: Bench) {
    let ledger = inviting(&bench, 9).await;
    ledger.enqueue(&invitations(7), &act(5)).await.expect("queued");
    let mails = lease(&ledger, "me").await;
    let refused = |settled| outcome(settled, 6);
    let outcomes = [accepted(6), accepted(6), refused(Settled::Rejected), refused(Settled::Deferred), accepted(6)];
    for (mail, outcome) in mails.iter().zip(&outcomes) {
        settle(&ledger, "me", mail.mail, outcome).await.expect("recorded");
    }
    let marks: Vec<_> = mails[5..].iter().map(|leased| crate::support::mark(leased.mail, 6)).collect();
    ledger.mark_sending("me", &marks).await.expect("marked");
    ledger.enqueue(&[mail(2, Reminder, 1)], &act(7)).await.expect("queued");
    let reminder = lease(&ledger, "me").await.iter().find(|mail| mail.kind == Reminder).expect("leased").mail;
    settle(&ledger, "me", reminder, &outcome(Settled::Rejected, 8)).await.expect("recorded");
    ledger.correct_address(5, "moi@so.example", &act(9)).await.expect("corrected");
    ledger.record_started(6, 1, at(9)).await.expect("started");
    ledger.submit(1, 1, &ballot(1), at(9)).await.expect("submitted");
    ledger.excuse(7, ExcuseCategory::Ill, &act(9)).await.expect("excused");
    ledger.mark_ineligible(8, &act(9)).await.expect("ineligible");
    let counts = ledger.seat_counts().await.expect("counted");
    assert_eq!(counts, SeatCounts::of(&ledger.seats().await.expect("seats")));
    let cell = &counts[0];
    assert_eq!((counts.len(), cell.listed, cell.invited, cell.rejected), (1, 8, 3, 2));
    assert_eq!(
        (cell.unknown, cell.started, cell.completed, cell.excused),
        (2, 2, 1, 1),
        "a deferred one was leased again, which is no unknown"
    );
    assert_eq!(ledger.submission_moments().await, Ok(vec![at(9)]));
}

async fn links_are_held_to_what_is_stored(bench: Bench) {
    let ledger = inviting(&bench, 450).await;
    let link = |form: i64| LinkHash { form, link_version: 1, hash: format!("hash-{form}-1") };
    let mut links: Vec<_> = (1..=450).map(link).collect();
    ledger.store_links(&links).await.expect("the same again");
    links[440].hash = "other".into();
    let error = ledger.store_links(&links).await.expect_err("another link secret");
    assert!(error.to_string().starts_with("form 441 has another link"), "{error}");
    links[440] = LinkHash { link_version: 2, ..link(441) };
    links[440].hash = "hash-441-2".into();
    ledger.store_links(&links).await.expect("a new version beside the old one");
    assert!(!ledger.form_by_link("hash-441-2").await.expect("read").expect("known").current);
}

async fn a_lease_does_not_print_whom_it_is_for(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.enqueue(&invitations(1), &act(5)).await.expect("queued");
    let leased = lease(&ledger, "me").await;
    assert_eq!((leased[0].name.as_str(), leased[0].email.as_str()), ("Nguyễn Thị Mẫu 1", "mau1@so.example"));
    assert_eq!((leased[0].link_version, leased[0].message_id.as_deref()), (1, Some("1.0@par.example")));
    let text = format!("{leased:?} {ledger:?}");
    assert!(!text.contains("Mẫu") && !text.contains("example"), "{text}");
}

async fn a_stopped_address_gets_no_more_mail(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    let mails = lease(&ledger, "me").await;
    let refused = parsurvey_ledger::Outcome { stops_address: Some("refused"), ..outcome(Settled::Rejected, 6) };
    settle(&ledger, "me", mails[0].mail, &refused).await.expect("recorded");
    settle(&ledger, "me", mails[1].mail, &accepted(6)).await.expect("recorded");
    assert!(ledger.seat(1).await.expect("the seat").address_stopped);
    assert!(!ledger.seat(2).await.expect("the seat").address_stopped);
    ledger.enqueue(&[mail(1, Reminder, 1), mail(2, Reminder, 1)], &act(7)).await.expect("queued");
    let forms: Vec<_> = lease(&ledger, "me").await.iter().map(|mail| mail.form).collect();
    assert_eq!(forms, [2]);
    let suppressed = &ledger.mails_of(1).await.expect("mails")[1];
    assert_eq!((suppressed.state, suppressed.why.as_deref()), (MailState::Suppressed, Some("address stopped")));
    ledger.correct_address(1, "moi@so.example", &act(8)).await.expect("corrected");
    assert!(!ledger.seat(1).await.expect("the seat").address_stopped, "another address is not stopped");
    let again = NewMail { address_version: 2, ..mail(1, Reminder, 1) };
    ledger.enqueue(&[again], &act(9)).await.expect("queued");
    assert_eq!(lease(&ledger, "me").await[0].email, "moi@so.example");
}

async fn a_sleeper_that_wakes_is_withheld_and_its_late_outcome_settles(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    // Its lease is over as soon as it has begun, as if it had slept since.
    ledger.enter_dispatcher("sleeper", std::time::Duration::ZERO, at(5)).await.expect("entered");
    let mails = ledger.lease("sleeper", 9, at(6)).await.expect("leased");
    let marks = |place: usize| [crate::support::mark(mails[place].mail, 6)];
    assert_eq!(ledger.mark_sending("sleeper", &marks(0)).await.expect("marked").len(), 1);
    assert_eq!(ledger.mails_in_hand().await, Ok(0), "nobody waits for it");
    assert_eq!(ledger.take_over(at(7)).await, Ok(TakenOver { ready: 1, unknown: 1 }));
    assert!(ledger.mark_sending("sleeper", &marks(1)).await.expect("asked").is_empty(), "withheld");
    settle(&ledger, "sleeper", mails[0].mail, &accepted(8)).await.expect("told late");
    let rows = ledger.mails().await.expect("mails");
    assert_eq!([rows[0].state, rows[1].state], [MailState::Accepted, MailState::Ready]);
    let forms: Vec<_> = lease(&ledger, "next").await.iter().map(|mail| mail.form).collect();
    assert_eq!(forms, [2], "what was accepted late is sent by nobody else");
}

async fn nothing_is_handed_out_or_marked_while_paused(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&invitations(2), &act(5)).await.expect("queued");
    let in_hand = lease_some(&ledger, "me", 1, 6).await;
    assert_eq!(ledger.pause(&act(7)).await, Ok(true));
    assert_eq!(ledger.pause(&act(8)).await, Ok(false));
    assert!(lease(&ledger, "me").await.is_empty());
    let mark = crate::support::mark(in_hand[0].mail, 8);
    assert!(ledger.mark_sending("me", &[mark]).await.expect("asked").is_empty());
    assert!(ledger.mails().await.expect("mails").iter().all(|mail| mail.state == MailState::Ready));
    assert_eq!(ledger.pause_in_force().await.expect("read").expect("paused").since, Some(at(7)));
    assert_eq!(ledger.resume(&act(9)).await, Ok(true));
    assert_eq!(lease(&ledger, "me").await.len(), 2);
}
