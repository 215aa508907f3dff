//! Rosters, seats and the acts on them. What a roster file looks like is not the ledger's.

use std::collections::BTreeMap;

use parsurvey_ledger::{
    CampaignState, ChangedPerson, LedgerError, NewHolder, NewPerson, ReplacementKind, RosterChange, Stage,
};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::disposition::Disposition;
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{
    Bench, accepted, act, at, ballot, confirm_keys, draft, entered, inviting, mail, new_person, place, settle,
};

on_both!(
    a_roster_is_stored_and_read_back,
    a_roster_compared_with_former_people_is_refused,
    changes_and_removals_in_draft,
    changes_after_inviting_keep_what_was_submitted,
    who_left_the_frame_returns_to_the_same_seat,
    a_substitute_leaves_the_original_a_nonrespondent,
    excusing_and_reinstating,
    replacing_kills_the_old_link,
    correcting_an_address_keeps_the_link,
    a_submitted_form_can_be_none_of_these,
    inviting_wants_keys_and_freezes_files,
    extending_goes_forward_only,
    ten_thousand_seats_are_read_at_once,
);

fn conflict(error: &LedgerError) -> &str {
    match error {
        LedgerError::Conflict(reason) => reason,
        other => panic!("not a conflict: {other:?}"),
    }
}

fn holder() -> NewHolder {
    let NewPerson { external_id, name, position, .. } = new_person(99);
    NewHolder { external_id, name, email: "thay@so.example".into(), position }
}

async fn a_roster_is_stored_and_read_back(bench: Bench) {
    let ledger = draft(&bench, 2).await;
    let both =
        NewPerson { external_id: None, seats: vec![place("hanoi", "g", "u"), place("sbv", "g", "u")], ..new_person(3) };
    let basis = ledger.stored_people().await.expect("people").version;
    let change = RosterChange { basis, added: vec![both], ..RosterChange::default() };
    let applied = ledger.apply_roster(&change, "second", &act(2)).await.expect("applied");
    assert_eq!(applied.added, [3]);
    let stored = ledger.stored_people().await.expect("people");
    assert_eq!(stored.version, applied.version);
    assert_eq!(stored.people.iter().map(|person| person.person).collect::<Vec<_>>(), [1, 2, 3]);
    let third = ledger.person(3).await.expect("the person");
    assert_eq!(&third, &stored.people[2]);
    assert_eq!((third.external_id, third.email_version), (None, 1));
    assert_eq!(third.seats, [(3, place("hanoi", "g", "u")), (4, place("sbv", "g", "u"))]);
    assert_eq!(ledger.roster_sha256s().await.expect("hashes"), ["roster-hash", "second"]);
    let seats = ledger.seats().await.expect("seats");
    assert_eq!(seats.iter().map(|seat| (seat.form, seat.person)).collect::<Vec<_>>(), [(1, 1), (2, 2), (3, 3), (4, 3)]);
    assert_eq!(ledger.seat(4).await.expect("the seat"), seats[3]);
    assert_eq!(ledger.person(9).await, Err(LedgerError::NotFound("the person")));
    assert!(!format!("{stored:?} {change:?}").contains("example"), "names and addresses do not print");
}

async fn a_roster_compared_with_former_people_is_refused(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    let stale = RosterChange { basis: 0, added: vec![new_person(2)], ..RosterChange::default() };
    let error = ledger.apply_roster(&stale, "x", &act(2)).await.expect_err("two imports at once");
    assert!(error.is_transient() && error.to_string().contains("import again"), "{error:?}");
    assert_eq!(ledger.stored_people().await.expect("people").people.len(), 1);
}

async fn changes_and_removals_in_draft(bench: Bench) {
    let ledger = draft(&bench, 3).await;
    let moved = NewPerson {
        email: "moi@so.example".into(),
        seats: vec![place("hanoi", "department_leaders", "so-y-te"), place("sbv", "department_leaders", "so-y-te")],
        ..new_person(2)
    };
    let change = RosterChange {
        basis: 1,
        changed: vec![ChangedPerson { person: 2, now: moved.clone() }],
        removed: vec![3],
        ..RosterChange::default()
    };
    ledger.apply_roster(&change, "x", &act(2)).await.expect("applied");
    let seats = ledger.seats().await.expect("seats");
    assert_eq!(seats.iter().map(|seat| seat.form).collect::<Vec<_>>(), [1, 2, 4], "form 3 is never used again");
    assert_eq!((seats[1].group.as_str(), seats[1].address_version), ("department_leaders", 2));
    let narrowed = NewPerson { seats: vec![place("hanoi", "department_leaders", "so-y-te")], ..moved };
    let change = RosterChange {
        basis: 2,
        added: vec![new_person(4)],
        changed: vec![ChangedPerson { person: 2, now: narrowed }],
        ..RosterChange::default()
    };
    assert_eq!(ledger.apply_roster(&change, "y", &act(3)).await.expect("applied").added, [4]);
    let forms: Vec<_> = ledger.seats().await.expect("seats").iter().map(|seat| seat.form).collect();
    assert_eq!(forms, [1, 2, 5]);
    assert_eq!(ledger.seat(2).await.expect("the seat").address_version, 2, "the address is the same");
}

async fn changes_after_inviting_keep_what_was_submitted(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    for change in [
        RosterChange { basis: 1, removed: vec![2, 1], ..RosterChange::default() },
        RosterChange {
            basis: 1,
            changed: vec![ChangedPerson {
                person: 1,
                now: NewPerson { seats: vec![place("hanoi", "other", "u")], ..new_person(1) },
            }],
            ..RosterChange::default()
        },
    ] {
        let error = ledger.apply_roster(&change, "x", &act(7)).await.expect_err("form 1 was submitted");
        assert!(conflict(&error).starts_with("form 1 was submitted and this list"), "{error}");
    }
    assert!(!ledger.seat(2).await.expect("the seat").ineligible, "the whole change was refused");
    let renamed = ChangedPerson { person: 1, now: NewPerson { position: "Phó phòng".into(), ..new_person(1) } };
    let change = RosterChange { basis: 1, changed: vec![renamed], removed: vec![2], ..RosterChange::default() };
    ledger.apply_roster(&change, "x", &act(8)).await.expect("applied");
    assert!(ledger.seat(2).await.expect("still there").ineligible, "a frame correction");
    assert_eq!(ledger.seats().await.expect("seats").len(), 3);
}

async fn who_left_the_frame_returns_to_the_same_seat(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let change = RosterChange { basis: 1, removed: vec![2, 3], added: vec![new_person(9)], ..RosterChange::default() };
    let applied = ledger.apply_roster(&change, "x", &act(5)).await.expect("applied");
    let stored = ledger.stored_people().await.expect("people");
    let second = &stored.people[1];
    assert_eq!((second.person, second.seats.len()), (2, 0));
    assert_eq!(second.left, [(2, place("hanoi", "division_heads", "so-noi-vu"))]);
    assert_eq!(&ledger.person(2).await.expect("the person"), second);
    // One returns to another group, with a new address and a second seat; the other stays away.
    let seats = vec![place("hanoi", "department_leaders", "so-y-te"), place("sbv", "department_leaders", "so-y-te")];
    let now = NewPerson { email: "moi@so.example".into(), seats, ..new_person(2) };
    let change = RosterChange {
        basis: applied.version,
        changed: vec![ChangedPerson { person: 2, now }],
        ..RosterChange::default()
    };
    let applied = ledger.apply_roster(&change, "y", &act(6)).await.expect("applied");
    assert_eq!(applied.reinstated, [2]);
    let seats = ledger.seats().await.expect("seats");
    assert_eq!((seats[1].ineligible, seats[2].ineligible), (false, true));
    assert_eq!(
        (seats[1].group.as_str(), seats[1].link_version, seats[1].address_version),
        ("department_leaders", 2, 2)
    );
    assert_eq!((seats.len(), seats[4].person, seats[4].target.as_str()), (5, 2, "sbv"));
    let former = ledger.form_by_link("hash-2-1").await.expect("read").expect("known");
    assert!(!former.current, "the former link lies in the former mailbox");
    let events = ledger.events(0, 100).await.expect("events");
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "roster").count(), 1, "only in draft");
    assert_eq!(&kinds[kinds.len() - 3..], ["frame_correction"; 3]);
    let [removal, reinstated, summary] = &events[events.len() - 3..] else { panic!("three entries") };
    assert!(removal.detail.contains(r#""n_added":1,"n_changed":0,"n_removed":2,"n_reinstated":0"#), "{removal:?}");
    assert_eq!(
        (reinstated.form, reinstated.person, reinstated.detail.as_str()),
        (Some(2), Some(2), r#"{"reinstated":true}"#)
    );
    assert!(summary.detail.contains(r#""n_changed":1,"n_removed":0,"n_reinstated":1"#), "{summary:?}");
}

async fn a_substitute_leaves_the_original_a_nonrespondent(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let invitations: Vec<_> = (1..=3).map(|form| mail(form, MailKind::Invitation, 0)).collect();
    ledger.enqueue(&invitations, &act(5)).await.expect("queued");
    entered(&ledger, "me").await;
    for leased in ledger.lease("me", 9, at(6)).await.expect("leased") {
        settle(&ledger, "me", leased.mail, &accepted(6)).await.expect("recorded");
    }
    ledger.excuse(1, ExcuseCategory::Away, &act(7)).await.expect("excused");
    ledger.record_started(2, 1, at(7)).await.expect("started");
    let substitution = ReplacementKind::Substitution;
    ledger.replace(1, holder(), substitution, &act(8)).await.expect("replaced");
    ledger.decline(1, &act(9)).await.expect("the substitute declines");
    ledger.replace(1, holder(), substitution, &act(10)).await.expect("a second substitute");
    ledger.replace(2, holder(), substitution, &act(10)).await.expect("replaced");
    ledger.replace(2, holder(), ReplacementKind::FrameCorrection, &act(11)).await.expect("the substitute was wrong");
    ledger.replace(3, holder(), ReplacementKind::FrameCorrection, &act(11)).await.expect("the frame was wrong");
    ledger.submit(1, 3, &ballot(1), at(12)).await.expect("submitted");
    let seats = ledger.seats().await.expect("seats");
    let original = seats[0].original.as_ref().expect("the first holder");
    assert_eq!((original.excused, original.declined), (Some(ExcuseCategory::Away), false));
    assert!(original.mail.invited && original.mail.link_accepted == 1);
    assert_eq!((seats[1].substitute, seats[2].substitute, &seats[2].original), (true, false, &None));
    let found: Vec<_> =
        seats.iter().map(|seat| (Disposition::of(seat).code(), Disposition::in_frame(seat).code())).collect();
    assert_eq!(found, [("1.1", "2.26"), ("3.11", "2.12"), ("3.11", "3.11")]);
    assert_eq!(ledger.seat(1).await.expect("the seat"), seats[0]);
    let counts = ledger.seat_counts().await.expect("counted");
    assert_eq!((counts[0].listed, counts[0].completed, counts[0].invited), (3, 1, 3), "the headline counts seats");
}

async fn excusing_and_reinstating(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let categories = [ExcuseCategory::Ill, ExcuseCategory::Away, ExcuseCategory::Dead, ExcuseCategory::Other];
    for category in categories {
        ledger.excuse(1, category, &act(5)).await.expect("excused");
        assert_eq!(ledger.seat(1).await.expect("the seat").excused, Some(category));
    }
    ledger.reinstate(1, &act(6)).await.expect("reinstated");
    assert_eq!(ledger.seat(1).await.expect("the seat").excused, None);
    conflict(&ledger.reinstate(1, &act(7)).await.expect_err("not excused"));
    ledger.mark_ineligible(2, &act(8)).await.expect("out of the frame");
    conflict(&ledger.excuse(2, ExcuseCategory::Ill, &act(9)).await.expect_err("not in the frame"));
    assert_eq!(ledger.decline(7, &act(9)).await, Err(LedgerError::NotFound("the form")));
}

async fn replacing_kills_the_old_link(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.record_started(1, 1, at(5)).await.expect("started");
    ledger.decline(1, &act(6)).await.expect("declined");
    let person = ledger.replace(1, holder(), ReplacementKind::Substitution, &act(7)).await.expect("replaced");
    assert_eq!(person, 3);
    let seat = ledger.seat(1).await.expect("the seat");
    assert_eq!((seat.person, seat.holder, seat.link_version, seat.address_version), (3, 2, 2, 1));
    assert_eq!((seat.substitute, seat.declined, seat.started), (true, false, None));
    let old = ledger.form_by_link("hash-1-1").await.expect("read").expect("known");
    assert_eq!((old.form, old.link_version, old.current), (1, 1, false));
    assert!(!ledger.record_started(1, 1, at(8)).await.expect("told"), "the old link begins nothing");
    assert!(ledger.record_started(1, 2, at(8)).await.expect("told"));
    assert_eq!(ledger.form_by_link("unknown").await, Ok(None));
    let people = ledger.stored_people().await.expect("people").people;
    assert_eq!(
        people.iter().map(|person| person.person).collect::<Vec<_>>(),
        [2, 3],
        "who holds no seat is not listed"
    );
    ledger.replace(1, holder(), ReplacementKind::FrameCorrection, &act(9)).await.expect("replaced again");
    assert!(ledger.seat(1).await.expect("the seat").substitute, "whoever follows a substitute is one too");
}

async fn correcting_an_address_keeps_the_link(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.correct_address(1, "moi@so.example", &act(5)).await.expect("corrected");
    let seat = ledger.seat(1).await.expect("the seat");
    assert_eq!(
        (seat.address_version, seat.link_version, seat.holder),
        (2, 2, 1),
        "the link in the former mailbox is dead"
    );
    assert_eq!(ledger.person(1).await.expect("the person").email, "moi@so.example");
    conflict(&ledger.correct_address(1, "moi@so.example", &act(6)).await.expect_err("the same address"));
}

async fn a_submitted_form_can_be_none_of_these(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.submit(1, 1, &ballot(1), at(5)).await.expect("submitted");
    let before = ledger.seat(1).await.expect("the seat");
    for error in [
        ledger.excuse(1, ExcuseCategory::Ill, &act(6)).await.expect_err("excuse"),
        ledger.reinstate(1, &act(6)).await.expect_err("reinstate"),
        ledger.replace(1, holder(), ReplacementKind::Substitution, &act(6)).await.expect_err("replace"),
        ledger.correct_address(1, "x@so.example", &act(6)).await.expect_err("correct"),
        ledger.decline(1, &act(6)).await.expect_err("decline"),
        ledger.mark_ineligible(1, &act(6)).await.expect_err("ineligible"),
    ] {
        assert!(conflict(&error).contains("was submitted"));
    }
    assert!(!ledger.set_declined(1, 1, true, at(7)).await.expect("told"));
    assert_eq!(ledger.seat(1).await.expect("the seat"), before);
}

async fn inviting_wants_keys_and_freezes_files(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    let files = BTreeMap::from([("a.toml".to_owned(), "1".to_owned()), ("b.toml".to_owned(), "2".to_owned())]);
    let error = ledger.freeze(Stage::Inviting, &files, &act(2)).await.expect_err("no keys");
    assert!(conflict(&error).contains("box key"));
    confirm_keys(&ledger).await;
    ledger.freeze(Stage::Inviting, &files, &act(3)).await.expect("frozen");
    ledger.freeze(Stage::Inviting, &files, &act(4)).await.expect("the same again");
    assert_eq!(ledger.campaign().await.expect("the campaign").state, CampaignState::Inviting);
    assert_eq!(ledger.frozen(Stage::Inviting).await.expect("frozen"), files);
    assert!(ledger.frozen(Stage::Closed).await.expect("frozen").is_empty());
    let mut other = files.clone();
    other.insert("b.toml".into(), "3".into());
    let error = ledger.freeze(Stage::Inviting, &other, &act(5)).await.expect_err("another file");
    assert!(conflict(&error).contains("'b.toml'"));
    let key = parsurvey_ledger::KeyRole::Box;
    ledger.register_key(key, "ab", "ab:cd", b"again", &act(6)).await.expect("the same key");
    conflict(&ledger.register_key(key, "ff", "ff", b"t", &act(6)).await.expect_err("another key"));
    let keys = ledger.keys().await.expect("keys");
    assert_eq!((keys.len(), keys[1].role, keys[1].proof.as_deref()), (2, key, Some("opened")));
    assert_eq!(keys[1].test_ballot, b"sealed test");
}

async fn extending_goes_forward_only(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    conflict(&ledger.extend(at(100), &act(1)).await.expect_err("not inviting"));
    confirm_keys(&ledger).await;
    ledger.freeze(Stage::Inviting, &BTreeMap::from([("a".into(), "1".into())]), &act(3)).await.expect("frozen");
    ledger.extend(at(100), &act(4)).await.expect("extended");
    conflict(&ledger.extend(at(99), &act(5)).await.expect_err("earlier"));
    assert_eq!(ledger.campaign().await.expect("the campaign").deadline, Some(at(100)));
}

async fn ten_thousand_seats_are_read_at_once(bench: Bench) {
    let ledger = draft(&bench, 10_000).await;
    let start = std::time::Instant::now();
    let seats = ledger.seats().await.expect("seats");
    let elapsed = start.elapsed();
    assert_eq!((seats.len(), seats.last().map(|seat| seat.form)), (10_000, Some(10_000)));
    assert!(elapsed.as_secs() < 10, "a query per seat would take longer than {elapsed:?}");
}
