//! Two people, the last word to an address, and calls: each done once, and nothing left of what was given up.

use parsurvey_ledger::{
    Act, ChangedPerson, ChaseState, Ledger, LedgerError, NewDraw, NewHolder, NewPerson, ProposalState, ReplacementKind,
    RosterChange,
};
use parsurvey_survey::callback::CallOutcome;
use parsurvey_survey::control::NoticeKind;
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, act, at, ballot, draft, inviting, new_person};

on_both!(
    a_proposal_is_carried_out_by_another_and_once,
    a_proposal_whose_ground_has_changed_is_not_carried_out,
    a_list_is_proposed_tried_and_carried_out,
    an_address_that_was_given_up_is_told_once_and_erased,
    nobody_is_told_before_people_were_invited,
    a_draw_is_recorded_once_and_its_calls_are_kept,
);

fn by(actor: &str, minute: i64) -> Act {
    Act { actor: actor.into(), ..act(minute) }
}

fn holder(name: &str) -> NewHolder {
    let (name, email) = (name.to_owned(), format!("{name}@so.example"));
    NewHolder { external_id: None, name, email, position: "Phó phòng".into() }
}

fn conflict<T: std::fmt::Debug>(result: Result<T, LedgerError>) -> String {
    match result {
        Err(LedgerError::Conflict(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

/// Persons beside those who hold a seat who still have an address.
async fn waiting(bench: &Bench) -> i64 {
    let mut connection = bench.raw().await;
    sqlx::query_scalar("SELECT COUNT(*) FROM person WHERE email <> '' AND person NOT IN (SELECT person FROM seat)")
        .fetch_one(&mut connection)
        .await
        .expect("counted")
}

async fn state(ledger: &Ledger, proposal: i64) -> ProposalState {
    let rows = ledger.proposals().await.expect("proposals");
    rows.into_iter().find(|row| row.proposal == proposal).expect("it is there").state
}

async fn a_proposal_is_carried_out_by_another_and_once(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let kind = ReplacementKind::FrameCorrection;
    let first = ledger.propose_replacement(1, holder("moi"), kind, &by("an", 5)).await.expect("proposed");
    let again = ledger.propose_replacement(1, holder("moi"), kind, &by("an", 6)).await.expect("proposed");
    assert_eq!((first.is_new, again.is_new, again.proposal), (true, false, first.proposal));
    let other = ledger.propose_replacement(1, holder("khac"), kind, &by("an", 6)).await.expect("proposed");
    assert_ne!(other.proposal, first.proposal, "another holder is another proposal");
    assert_eq!((ledger.seat(1).await.expect("seat").holder, waiting(&bench).await), (1, 2));
    conflict(ledger.approve(first.proposal, &by(" AN ", 7)).await);
    let row = ledger.approve(first.proposal, &by("binh", 8)).await.expect("approved");
    assert_eq!((row.state, row.proposer.as_str(), row.form), (ProposalState::Approved, "an", Some(1)));
    let seat = ledger.seat(1).await.expect("seat");
    assert_eq!((seat.holder, seat.link_version), (2, 2));
    assert_eq!(ledger.person(seat.person).await.expect("the holder").name, "moi");
    conflict(ledger.approve(first.proposal, &by("chi", 9)).await);
    conflict(ledger.approve(other.proposal, &by("chi", 9)).await);
    conflict(ledger.give_up_proposal(other.proposal, true, &by("an", 9)).await);
    conflict(ledger.give_up_proposal(other.proposal, false, &by("chi", 9)).await);
    ledger.give_up_proposal(other.proposal, true, &by("chi", 9)).await.expect("rejected");
    assert_eq!(state(&ledger, other.proposal).await, ProposalState::Rejected);
    assert_eq!(waiting(&bench).await, 1, "the former holder alone, who is owed a word");
    let events = ledger.events(0, 100).await.expect("events");
    let replaced = events.iter().find(|event| event.kind == "replaced").expect("it is logged");
    assert_eq!((replaced.actor.as_str(), replaced.reason.as_str()), ("binh", "vì thế"));
    assert!(replaced.detail.contains(r#""proposer":"an""#), "{}", replaced.detail);
}

async fn a_proposal_whose_ground_has_changed_is_not_carried_out(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    let mut proposals = Vec::new();
    for form in 1..=4 {
        let email = format!("moi{form}@so.example");
        proposals.push(ledger.propose_address(form, &email, &by("an", 5)).await.expect("proposed").proposal);
    }
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    ledger.excuse(2, ExcuseCategory::Ill, &act(6)).await.expect("excused");
    ledger.correct_address(3, "khac@so.example", &act(6)).await.expect("corrected");
    for proposal in &proposals[..3] {
        assert!(conflict(ledger.approve(*proposal, &by("binh", 7)).await).contains("has changed since"));
        assert_eq!(state(&ledger, *proposal).await, ProposalState::Open);
    }
    ledger.approve(proposals[3], &by("binh", 7)).await.expect("what others are changed is no matter");
    conflict(ledger.propose_address(4, "moi4@so.example", &by("an", 8)).await);
}

async fn a_list_is_proposed_tried_and_carried_out(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    ledger.submit(4, 1, &ballot(4), at(5)).await.expect("submitted");
    let basis = ledger.campaign().await.expect("campaign").roster_version;
    let changed = NewPerson { email: "moi2@so.example".into(), ..new_person(2) };
    let change = RosterChange {
        basis,
        added: vec![new_person(9)],
        changed: vec![ChangedPerson { person: 2, now: changed }],
        removed: vec![3],
    };
    let impossible = RosterChange { removed: vec![4], ..change.clone() };
    assert!(conflict(ledger.propose_roster(&impossible, "aa", &by("an", 6)).await).contains("was submitted"));
    assert_eq!((ledger.proposals().await, waiting(&bench).await), (Ok(Vec::new()), 0), "what was tried is taken back");
    let proposed = ledger.propose_roster(&change, "bb", &by("an", 6)).await.expect("proposed");
    assert!(!ledger.propose_roster(&change, "bb", &by("an", 6)).await.expect("proposed").is_new);
    assert_eq!(ledger.stored_people().await.expect("people").people.len(), 4);
    ledger.approve(proposed.proposal, &by("binh", 7)).await.expect("approved");
    let people = ledger.stored_people().await.expect("people").people;
    let seen: Vec<_> = people.iter().map(|row| (row.email.as_str(), row.seats.len(), row.left.len())).collect();
    let expected =
        [("mau1@so.example", 1, 0), ("moi2@so.example", 1, 0), ("mau3@so.example", 0, 1), ("mau4@so.example", 1, 0)];
    assert_eq!(seen[..4], expected);
    assert_eq!(seen[4], ("mau9@so.example", 1, 0));
    assert_eq!(ledger.seat(2).await.expect("seat").link_version, 2, "the link in the former mailbox is dead");
    let owed = ledger.owed_notices().await.expect("owed");
    let mut told: Vec<_> = owed.iter().map(|notice| (notice.kind, notice.email.as_str())).collect();
    told.sort_unstable();
    assert_eq!(told, [(NoticeKind::Address, "mau2@so.example"), (NoticeKind::Left, "mau3@so.example")]);
}

async fn an_address_that_was_given_up_is_told_once_and_erased(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.correct_address(1, "moi@so.example", &act(5)).await.expect("corrected");
    let owed = ledger.owed_notices().await.expect("owed");
    assert_eq!((owed.len(), owed[0].kind, owed[0].email.as_str()), (1, NoticeKind::Address, "mau1@so.example"));
    let notice = owed[0].notice;
    let (one, other, act6) = (bench.open_patient().await, bench.open_patient().await, act(6));
    let (a, b) = tokio::join!(one.claim_notice(notice, "one", &act6), other.claim_notice(notice, "one", &act6));
    assert_eq!([a.expect("asked"), b.expect("asked")].iter().filter(|claimed| **claimed).count(), 1);
    assert!(ledger.owed_notices().await.expect("owed").is_empty(), "a claim without outcome is never given again");
    conflict(ledger.settle_notice(notice, "other", ChaseState::Told, "", &act(7)).await);
    ledger.settle_notice(notice, "one", ChaseState::Ready, "451 busy", &act(7)).await.expect("settled");
    assert_eq!(ledger.owed_notices().await.expect("owed"), owed, "what was provably not sent is owed again");
    assert!(ledger.claim_notice(notice, "two", &act(8)).await.expect("claimed"));
    ledger.settle_notice(notice, "two", ChaseState::Told, "", &act(8)).await.expect("settled");
    assert_eq!(waiting(&bench).await, 0, "an address that was told its last word is erased");
    let rows = ledger.notices().await.expect("notices");
    assert_eq!((rows.len(), rows[0].state, rows[0].form), (1, ChaseState::Told, 1));
}

async fn nobody_is_told_before_people_were_invited(bench: Bench) {
    let ledger = draft(&bench, 2).await;
    ledger.correct_address(1, "moi@so.example", &act(5)).await.expect("corrected");
    ledger.replace(2, holder("khac"), ReplacementKind::FrameCorrection, &act(5)).await.expect("replaced");
    assert!(ledger.owed_notices().await.expect("owed").is_empty());
    assert_eq!(ledger.seat(1).await.expect("seat").link_version, 1);
    conflict(ledger.propose_address(1, "x@so.example", &by("an", 6)).await);
}

async fn a_draw_is_recorded_once_and_its_calls_are_kept(bench: Bench) {
    let ledger = inviting(&bench, 5).await;
    for form in [1, 2, 4] {
        ledger.submit(form, 1, &ballot(form), at(5)).await.expect("submitted");
    }
    let completed = ledger.completed_forms().await.expect("completed");
    assert_eq!(completed.iter().map(|one| (one.form, one.holder)).collect::<Vec<_>>(), [(1, 1), (2, 1), (4, 1)]);
    let list_sha256 = parsurvey_survey::callback::list_sha256(&completed);
    let draw = NewDraw { seed: "7".into(), by_group: false, population: 3, list_sha256, forms: vec![1, 4] };
    let bare = Act { document: String::new(), ..act(6) };
    conflict(ledger.record_draw(&draw, &bare).await);
    assert_eq!(ledger.callback().await, Ok(None));
    let (number, is_new) = ledger.record_draw(&draw, &act(6)).await.expect("drawn");
    assert!(is_new);
    assert_eq!(ledger.record_draw(&draw, &act(7)).await, Ok((number, false)));
    conflict(ledger.record_call(2, CallOutcome::Confirmed, &act(8)).await);
    ledger.record_call(1, CallOutcome::NotReached, &act(8)).await.expect("recorded");
    ledger.record_call(1, CallOutcome::Denied, &act(9)).await.expect("recorded");
    ledger.record_call(1, CallOutcome::Denied, &act(9)).await.expect("recorded");
    let stored = ledger.callback().await.expect("read").expect("it is there");
    let outcomes: Vec<_> = stored.forms.iter().map(|called| (called.form, called.outcome)).collect();
    assert_eq!(outcomes, [(1, Some(CallOutcome::Denied)), (4, None)]);
    let events = ledger.events(0, 100).await.expect("events");
    let of = |kind: &str| events.iter().filter(|event| event.kind == kind).count();
    assert_eq!([of("callback_drawn"), of("callback_shown"), of("callback")], [1, 1, 2]);
}
