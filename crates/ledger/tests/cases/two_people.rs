//! What two people need to be sure of: the rule is kept where the change is written, what is put back is not told as gone,
//! and nothing damaged is read as nothing.

use parsurvey_ledger::{
    Act, ChangedPerson, ChaseState, ClosedBox, Ledger, LedgerError, NewHolder, NewPerson, ProposalState,
    ReplacementKind, RosterChange, ShownProposal,
};
use parsurvey_survey::control::NoticeKind;

use crate::support::{Bench, act, inviting, inviting_by_two, new_person};

on_both!(
    one_person_alone_is_refused_where_the_change_is_written,
    a_list_whose_ground_changes_while_it_is_tried_rests_on_no_other,
    what_is_put_back_is_not_told_as_gone,
    a_notice_is_asked_once_more_before_it_is_claimed,
    what_waits_is_withdrawn_and_erased_by_the_closing,
    a_proposal_shows_the_values_before_and_after,
    a_damaged_entry_is_told_and_not_counted_as_nothing,
);

fn by(actor: &str, minute: i64) -> Act {
    Act { actor: actor.into(), ..act(minute) }
}

fn holder(name: &str, email: &str) -> NewHolder {
    NewHolder { external_id: None, name: name.into(), email: email.into(), position: "Phó phòng".into() }
}

async fn version(ledger: &Ledger) -> i64 {
    ledger.campaign().await.expect("the campaign").roster_version
}

/// What is owed: the kind and the address.
async fn owed(ledger: &Ledger) -> Vec<(NoticeKind, String)> {
    let owed = ledger.owed_notices().await.expect("owed");
    owed.into_iter().map(|notice| (notice.kind, notice.email)).collect()
}

/// Persons beside those who hold a seat of whom anything is left.
async fn waiting(bench: &Bench) -> i64 {
    let mut connection = bench.raw().await;
    sqlx::query_scalar(
        "SELECT COUNT(*) FROM person WHERE (email <> '' OR name <> '' OR position <> '') \
         AND person NOT IN (SELECT person FROM seat)",
    )
    .fetch_one(&mut connection)
    .await
    .expect("counted")
}

async fn one_person_alone_is_refused_where_the_change_is_written(bench: Bench) {
    let ledger = inviting_by_two(&bench, 3).await;
    let kind = ReplacementKind::FrameCorrection;
    let list = RosterChange { basis: version(&ledger).await, removed: vec![3], ..RosterChange::default() };
    for refused in [
        ledger.replace(1, holder("moi", "moi@so.example"), kind, &act(5)).await.err(),
        ledger.correct_address(1, "moi@so.example", &act(5)).await.err(),
        ledger.apply_roster(&list, "aa", &act(5)).await.err(),
    ] {
        let error = refused.expect("it needs two");
        assert!(matches!(error, LedgerError::Meanwhile(why) if why.contains("second person")), "{error:?}");
    }
    assert_eq!((version(&ledger).await, waiting(&bench).await), (list.basis, 0), "nothing was changed");
    for proposed in [
        ledger.propose_address(1, "moi@so.example", &by("an", 6)).await,
        ledger.propose_replacement(2, holder("moi", "moi2@so.example"), kind, &by("an", 6)).await,
    ] {
        let proposal = proposed.expect("proposed").proposal;
        ledger.approve(proposal, &by("binh", 7)).await.expect("by two it is done");
    }
    let list = RosterChange { basis: version(&ledger).await, ..list };
    let proposal = ledger.propose_roster(&list, "aa", &by("an", 8)).await.expect("proposed").proposal;
    ledger.approve(proposal, &by("binh", 9)).await.expect("by two it is done");
    assert!(ledger.seat(3).await.expect("seat").ineligible);
}

async fn a_list_whose_ground_changes_while_it_is_tried_rests_on_no_other(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let other = bench.open_patient().await;
    for turn in 0..12 {
        let basis = version(&ledger).await;
        let change = RosterChange { basis, added: vec![new_person(100 + turn)], ..RosterChange::default() };
        let (email, by_an, by_binh) = (format!("lan{turn}@so.example"), by("an", 6), by("binh", 6));
        let (proposed, corrected) =
            tokio::join!(ledger.propose_roster(&change, "bb", &by_an), other.correct_address(1, &email, &by_binh));
        corrected.expect("corrected");
        let Ok(proposed) = proposed else { continue };
        let mut connection = bench.raw().await;
        let stored: String = sqlx::query_scalar("SELECT basis FROM proposal WHERE proposal = $1")
            .bind(proposed.proposal)
            .fetch_one(&mut connection)
            .await
            .expect("stored");
        assert_eq!(stored, format!("roster {basis}"), "it rests on what the list was compared with");
    }
}

async fn what_is_put_back_is_not_told_as_gone(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.correct_address(1, "moi@so.example", &act(5)).await.expect("corrected");
    assert_eq!(owed(&ledger).await, [(NoticeKind::Address, "mau1@so.example".to_owned())]);
    ledger.correct_address(1, "Mau1@so.example", &act(6)).await.expect("put back");
    assert_eq!(owed(&ledger).await, [(NoticeKind::Address, "moi@so.example".to_owned())]);
    assert_eq!(waiting(&bench).await, 1, "of the other nothing is left");

    let kind = ReplacementKind::FrameCorrection;
    ledger.replace(2, holder("khac", "khac@so.example"), kind, &act(7)).await.expect("replaced");
    assert!(owed(&ledger).await.contains(&(NoticeKind::Replaced, "mau2@so.example".to_owned())));
    ledger.replace(2, holder("Nguyễn Thị Mẫu 2", "mau2@so.example"), kind, &act(8)).await.expect("put back");
    let told = owed(&ledger).await;
    assert_eq!(told[1..], [(NoticeKind::Replaced, "khac@so.example".to_owned())]);

    let gone = RosterChange { basis: version(&ledger).await, removed: vec![3], ..RosterChange::default() };
    ledger.apply_roster(&gone, "aa", &act(9)).await.expect("removed");
    assert_eq!(owed(&ledger).await[2..], [(NoticeKind::Left, "mau3@so.example".to_owned())]);
    let back = ChangedPerson { person: 3, now: new_person(3) };
    let back = RosterChange { basis: version(&ledger).await, changed: vec![back], ..RosterChange::default() };
    ledger.apply_roster(&back, "bb", &act(10)).await.expect("put back");
    assert_eq!(owed(&ledger).await, told, "who stands in the list again is not told to have left");
}

async fn a_notice_is_asked_once_more_before_it_is_claimed(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.correct_address(1, "moi1@so.example", &act(5)).await.expect("corrected");
    ledger.correct_address(2, "moi2@so.example", &act(5)).await.expect("corrected");
    let notices: Vec<i64> = ledger.owed_notices().await.expect("owed").iter().map(|notice| notice.notice).collect();
    // As an act of another program would put it back, which takes nothing back.
    bench.run("UPDATE person SET email = 'mau1@so.example' WHERE person = 1").await.expect("put back");
    assert!(!ledger.claim_notice(notices[0], "one", &act(6)).await.expect("asked"));
    assert_eq!(owed(&ledger).await, [(NoticeKind::Address, "mau2@so.example".to_owned())]);
    ledger.pause(&act(7)).await.expect("paused");
    assert!(!ledger.claim_notice(notices[1], "one", &act(8)).await.expect("asked"), "a pause holds for notices too");
    ledger.resume(&act(9)).await.expect("resumed");
    assert!(ledger.claim_notice(notices[1], "one", &act(10)).await.expect("claimed"));
    ledger.settle_notice(notices[1], "one", ChaseState::Told, "250 ok", &act(10)).await.expect("settled");
    assert_eq!(ledger.told_since(act(10).at).await, Ok(1));
    assert_eq!(ledger.told_since(act(11).at).await, Ok(0));

    ledger.correct_address(3, "moi3@so.example", &act(11)).await.expect("corrected");
    let notice = ledger.owed_notices().await.expect("owed")[0].notice;
    let closed = ClosedBox { sha256: "box".into(), ballots: 0, content: None };
    ledger.close(&closed, &act(12)).await.expect("closed");
    assert!(!ledger.claim_notice(notice, "one", &act(13)).await.expect("asked"), "nothing leaves once closed");
}

async fn what_waits_is_withdrawn_and_erased_by_the_closing(bench: Bench) {
    let ledger = inviting(&bench, 4).await;
    let kind = ReplacementKind::FrameCorrection;
    ledger.propose_address(1, "moi@so.example", &by("an", 5)).await.expect("proposed");
    ledger.propose_replacement(2, holder("moi", "moi2@so.example"), kind, &by("an", 5)).await.expect("proposed");
    let given_up = ledger.propose_address(3, "moi3@so.example", &by("an", 5)).await.expect("proposed").proposal;
    ledger.give_up_proposal(given_up, true, &by("binh", 6)).await.expect("rejected");
    let list = RosterChange { basis: version(&ledger).await, added: vec![new_person(9)], ..RosterChange::default() };
    ledger.propose_roster(&list, "aa", &by("an", 6)).await.expect("proposed");
    assert_eq!(waiting(&bench).await, 3);
    let closed = ClosedBox { sha256: "box".into(), ballots: 0, content: None };
    ledger.close(&closed, &by("chi", 9)).await.expect("closed");
    assert_eq!(waiting(&bench).await, 0, "what was proposed is erased");
    let rows = ledger.proposals().await.expect("proposals");
    let states: Vec<_> = rows.iter().map(|row| row.state).collect();
    use ProposalState::{Rejected, Withdrawn};
    assert_eq!(states, [Withdrawn, Withdrawn, Rejected, Withdrawn]);
    assert_eq!(rows[0].decided_by.as_deref(), Some("chi"));
    assert!(rows[0].decided_why.as_deref().is_some_and(|why| why.contains("closed")));
    let events = ledger.events(0, 100).await.expect("events");
    assert_eq!(events.iter().filter(|event| event.kind == "withdrawn").count(), 3);
}

/// Name, address and number of seats.
type Values<'a> = Option<(&'a str, &'a str, usize)>;

/// The values before and after, of every change.
fn values(shown: &ShownProposal) -> Vec<[Values<'_>; 2]> {
    fn of(person: Option<&NewPerson>) -> Values<'_> {
        person.map(|person| (person.name.as_str(), person.email.as_str(), person.seats.len()))
    }
    shown.changes.iter().map(|change| [of(change.old.as_ref()), of(change.new.as_ref())]).collect()
}

async fn a_proposal_shows_the_values_before_and_after(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let address = ledger.propose_address(1, "moi@so.example", &by("an", 5)).await.expect("proposed").proposal;
    let kind = ReplacementKind::Substitution;
    let replacement =
        ledger.propose_replacement(2, holder("moi", "moi2@so.example"), kind, &by("an", 5)).await.expect("proposed");
    let moved = NewPerson { email: "moi1@so.example".into(), ..new_person(1) };
    let list = RosterChange {
        basis: version(&ledger).await,
        added: vec![new_person(9)],
        changed: vec![ChangedPerson { person: 1, now: moved }],
        removed: vec![3],
    };
    let list = ledger.propose_roster(&list, "aa", &by("an", 6)).await.expect("proposed").proposal;

    let shown = ledger.proposal(address).await.expect("shown");
    assert!(shown.can_be_approved);
    let mau = |n: usize| (format!("Nguyễn Thị Mẫu {n}"), format!("mau{n}@so.example"));
    let [(one, one_at), (two, two_at), (three, three_at), (nine, nine_at)] = [mau(1), mau(2), mau(3), mau(9)];
    assert_eq!(values(&shown), [[Some((&*one, &*one_at, 1)), Some((&*one, "moi@so.example", 1))]]);
    let shown = ledger.proposal(replacement.proposal).await.expect("shown");
    assert_eq!(values(&shown), [[Some((&*two, &*two_at, 1)), Some(("moi", "moi2@so.example", 1))]]);
    assert_eq!(shown.replacement, Some(kind));
    let shown = ledger.proposal(list).await.expect("shown");
    let expected = [
        [None, Some((&*nine, &*nine_at, 1))],
        [Some((&*one, &*one_at, 1)), Some((&*one, "moi1@so.example", 1))],
        [Some((&*three, &*three_at, 1)), None],
    ];
    assert_eq!(values(&shown), expected);
    assert!(!format!("{shown:?}").contains("so.example"), "it is printed nowhere by accident");

    ledger.approve(address, &by("binh", 7)).await.expect("approved");
    let decided = ledger.proposal(address).await.expect("shown");
    assert_eq!((decided.can_be_approved, decided.changes.len()), (false, 0));
    let shown = ledger.proposal(list).await.expect("shown");
    assert!(!shown.can_be_approved, "its ground has changed");
    assert!(matches!(ledger.proposal(99).await, Err(LedgerError::Conflict(_))));
}

async fn a_damaged_entry_is_told_and_not_counted_as_nothing(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let kind = ReplacementKind::FrameCorrection;
    ledger.replace(1, holder("moi", "moi@so.example"), kind, &act(5)).await.expect("replaced");
    let list = RosterChange { basis: version(&ledger).await, removed: vec![3], ..RosterChange::default() };
    ledger.apply_roster(&list, "aa", &act(6)).await.expect("removed");
    ledger.correct_address(2, "khac2@so.example", &act(6)).await.expect("corrected");
    assert_eq!(ledger.changes().await.expect("changes").len(), 3);
    let off = if bench.is_sqlite() { "DROP TRIGGER event_no_update" } else { "ALTER TABLE event DISABLE TRIGGER USER" };
    bench.run(off).await.expect("an administrator can do this");
    for (kind, damaged) in [
        ("replaced", "{"),
        ("address_corrected", "{"),
        ("replaced", r#"{"holder":2}"#),
        ("frame_correction", "{}"),
        ("frame_correction", r#"{"n_added":1,"first_added":null,"changed":[],"removed":[]}"#),
        ("frame_correction", r#"{"n_added":0,"changed":[],"removed":["x"]}"#),
    ] {
        let events = ledger.events(0, 100).await.expect("events");
        let detail = &events.iter().find(|event| event.kind == kind).expect("it is logged").detail;
        let put = async |detail: &str| {
            bench.run(&format!("UPDATE event SET detail = '{detail}' WHERE kind = '{kind}'")).await.expect("written");
        };
        put(damaged).await;
        assert!(matches!(ledger.changes().await, Err(LedgerError::Damaged(_))), "{kind} {damaged}");
        put(detail).await;
        assert_eq!(ledger.changes().await.expect("changes").len(), 3);
    }

    let proposal = ledger.propose_address(2, "moi2@so.example", &by("an", 7)).await.expect("proposed").proposal;
    let roster = version(&ledger).await;
    let damage = format!("UPDATE proposal SET form = NULL, basis = 'roster {roster}' WHERE proposal = {proposal}");
    bench.run(&damage).await.expect("damaged");
    assert!(matches!(ledger.approve(proposal, &by("binh", 8)).await, Err(LedgerError::Damaged(_))));
    assert!(matches!(ledger.proposal(proposal).await, Err(LedgerError::Damaged(_))));
}
