//! Drafts: one sealed row per form that goes with submission, link or closing, and leaves no entry in the log.

use parsurvey_ledger::{
    ClosedBox, DraftResult, HeldSecret, Ledger, LedgerError, NewHolder, Refusal, ReplacementKind, SubmitResult,
};
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, act, at, ballot, draft, inviting};

on_both!(
    a_draft_is_overwritten_only_by_one_that_was_made_from_it,
    devices_that_save_at_the_same_moment_lose_nothing,
    the_first_saving_is_a_start_and_no_other_is_in_the_log,
    a_draft_goes_with_submission_link_and_closing,
    a_form_that_takes_nothing_takes_no_draft,
    before_the_first_invitation_nothing_is_saved,
    a_ledger_is_held_to_its_draft_secret,
);

async fn save(ledger: &Ledger, before: Option<&[u8]>, draft: &[u8]) -> DraftResult {
    ledger.save_draft((1, 1), before, draft, true, at(5)).await.expect("an answer")
}

async fn a_draft_is_overwritten_only_by_one_that_was_made_from_it(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    assert_eq!(ledger.draft(1).await, Ok(None));
    assert_eq!(save(&ledger, None, b"first").await, DraftResult::Saved);
    assert_eq!(save(&ledger, None, b"other").await, DraftResult::Meanwhile);
    assert_eq!(save(&ledger, Some(b"other"), b"third").await, DraftResult::Meanwhile);
    assert_eq!(ledger.draft(1).await, Ok(Some(b"first".to_vec())));
    assert_eq!(save(&ledger, Some(b"first"), b"second").await, DraftResult::Saved);
    assert_eq!((ledger.draft(1).await, ledger.draft(2).await), (Ok(Some(b"second".to_vec())), Ok(None)));
}

async fn devices_that_save_at_the_same_moment_lose_nothing(bench: Bench) {
    let first = inviting(&bench, 1).await;
    let second = bench.open_patient().await;
    let savings = (0..8_u8).map(|n| {
        let ledger = if n % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move {
            loop {
                let before = ledger.draft(1).await.expect("read");
                let after = [before.clone().unwrap_or_default(), vec![n]].concat();
                match ledger.save_draft((1, 1), before.as_deref(), &after, true, at(5)).await.expect("an answer") {
                    DraftResult::Saved => return,
                    DraftResult::Meanwhile => {}
                    other @ (DraftResult::AlreadySubmitted | DraftResult::Refused(_)) => panic!("{other:?}"),
                }
            }
        })
    });
    for saving in savings.collect::<Vec<_>>() {
        saving.await.expect("a task");
    }
    let mut saved = first.draft(1).await.expect("read").expect("a draft");
    saved.sort_unstable();
    assert_eq!(saved, (0..8).collect::<Vec<u8>>());
}

async fn the_first_saving_is_a_start_and_no_other_is_in_the_log(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let before = ledger.events(0, 100).await.expect("events").len();
    let late = ledger.save_draft((1, 1), None, b"a", false, at(4)).await;
    assert_eq!((late, ledger.seat(1).await.expect("the seat").started), (Ok(DraftResult::Saved), None));
    assert_eq!(save(&ledger, Some(b"a"), b"b").await, DraftResult::Saved);
    assert_eq!(save(&ledger, Some(b"b"), b"c").await, DraftResult::Saved);
    let events = ledger.events(0, 100).await.expect("events");
    let kinds: Vec<&str> = events[before..].iter().map(|event| event.kind.as_str()).collect();
    assert_eq!((kinds, ledger.seat(1).await.expect("the seat").started), (vec!["started"], Some(at(5))));
}

async fn a_draft_goes_with_submission_link_and_closing(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    for form in 1..=3 {
        let saved = ledger.save_draft((form, 1), None, b"x", true, at(5)).await;
        assert_eq!(saved, Ok(DraftResult::Saved));
    }
    assert_eq!(ledger.submit(1, 1, &ballot(1), at(6)).await, Ok(SubmitResult::Stored));
    let holder =
        NewHolder { external_id: None, name: "Mới".into(), email: "moi@x.example".into(), position: String::new() };
    ledger.replace(2, holder, ReplacementKind::FrameCorrection, &act(7)).await.expect("replaced");
    let left = [ledger.draft(1).await, ledger.draft(2).await, ledger.draft(3).await];
    assert_eq!(left, [Ok(None), Ok(None), Ok(Some(b"x".to_vec()))]);
    ledger.close(&ClosedBox { sha256: "box".into(), ballots: 1, content: None }, &act(9)).await.expect("closed");
    assert_eq!(ledger.draft(3).await, Ok(None));
}

async fn a_form_that_takes_nothing_takes_no_draft(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    let old = ledger.save_draft((1, 9), None, b"x", true, at(5)).await;
    assert_eq!(old, Ok(DraftResult::Refused(Refusal::OldLink)));
    ledger.submit(2, 1, &ballot(2), at(5)).await.expect("submitted");
    let submitted = ledger.save_draft((2, 1), None, b"x", true, at(6)).await;
    assert_eq!((submitted, ledger.draft(2).await), (Ok(DraftResult::AlreadySubmitted), Ok(None)));
    ledger.excuse(3, ExcuseCategory::Ill, &act(6)).await.expect("excused");
    let excused = ledger.save_draft((3, 1), None, b"x", true, at(7)).await;
    assert_eq!(excused, Ok(DraftResult::Refused(Refusal::Excused)));
    assert!(matches!(ledger.save_draft((9, 1), None, b"x", true, at(7)).await, Err(LedgerError::NotFound(_))));
}

async fn before_the_first_invitation_nothing_is_saved(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    assert!(matches!(save(&ledger, None, b"x").await, DraftResult::Refused(Refusal::NotInviting(_))));
    assert_eq!(ledger.draft(1).await, Ok(None));
}

async fn a_ledger_is_held_to_its_draft_secret(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    assert_eq!(ledger.held_secret(HeldSecret::Drafts).await, Ok(None));
    for _ in 0..2 {
        ledger.hold_to_secret(HeldSecret::Drafts, "abc", &act(2)).await.expect("held");
    }
    let other = ledger.hold_to_secret(HeldSecret::Drafts, "def", &act(3)).await;
    assert!(matches!(other, Err(LedgerError::Conflict(_))), "{other:?}");
    assert_eq!(ledger.held_secret(HeldSecret::Drafts).await, Ok(Some("abc".into())));
    assert_eq!(ledger.held_secret(HeldSecret::ReturnPaths).await, Ok(None));
}
