//! Chasing as the ledger holds it: letters once, claims before mails, orders before names, refusals never seen.

use jiff::civil::date;
use parsurvey_ledger::{Chain, ChaseClaim, ChaseHow, ChaseState, LedgerError, NewChaseLetter};
use parsurvey_survey::chase::ChaseCounts;
use parsurvey_survey::status::SeatCounts;

use crate::support::{Bench, act, at, ballot, draft, inviting};

on_both!(
    a_letter_is_recorded_once_for_the_same_bytes,
    a_mail_is_claimed_once_a_day_and_again_only_if_it_was_not_sent,
    two_senders_at_once_claim_a_mail_once,
    names_need_an_order_and_orders_a_document,
    a_refusal_taken_back_is_still_seen_as_begun,
    declines_of_an_older_ledger_are_kept,
);

fn letter(how: ChaseHow, sha256: &str) -> NewChaseLetter {
    let counts = ChaseCounts { listed: 5, silent: 3, completed: 2, outstanding: 3, ..ChaseCounts::default() };
    let day = date(2023, 12, 22);
    NewChaseLetter { unit: "so-noi-vu".into(), day, how, named: false, counts, sha256: sha256.into() }
}

async fn a_letter_is_recorded_once_for_the_same_bytes(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let first = letter(ChaseHow::Docx, "aa");
    let (one, other) = (bench.open_patient().await, bench.open_patient().await);
    let (by_one, by_other) = (act(5), act(6));
    let twice = [first.clone(), first.clone()];
    let (one, other) =
        tokio::join!(one.record_chase_letters(&twice, &by_one), other.record_chase_letters(&twice[..1], &by_other));
    assert_eq!(one.expect("recorded") + other.expect("recorded"), 1);
    let next_day = NewChaseLetter { day: date(2023, 12, 25), ..first.clone() };
    let changed = letter(ChaseHow::Docx, "bb");
    let more = [first.clone(), next_day.clone(), changed.clone()];
    assert_eq!(ledger.record_chase_letters(&more, &act(7)).await, Ok(2));
    let stored = ledger.chase_letters().await.expect("letters");
    assert_eq!(stored.iter().map(|row| row.told.clone()).collect::<Vec<_>>(), [first, next_day, changed]);
    assert!(stored.iter().all(|row| row.state == ChaseState::Made && row.document.is_empty()));
    let events = ledger.events(0, 100).await.expect("events");
    assert_eq!(events.iter().filter(|event| event.kind == "chase_letter").count(), 3);
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { .. })));
}

async fn a_mail_is_claimed_once_a_day_and_again_only_if_it_was_not_sent(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let mail = letter(ChaseHow::Mail, "aa");
    let claim = async |sender: &str, mail: &NewChaseLetter| ledger.claim_chase_mail(mail, sender, &act(5)).await;
    let ChaseClaim::Yours(first) = claim("one", &mail).await.expect("claimed") else { panic!("nobody has it") };
    assert_eq!(claim("other", &mail).await, Ok(ChaseClaim::Unknown), "a claim without outcome is never given again");
    let others = ledger.settle_chase_mail(first, "other", ChaseState::Told, "", &act(6)).await;
    assert!(matches!(others, Err(LedgerError::Conflict(_))));
    for state in [ChaseState::Ready, ChaseState::Refused] {
        let ChaseClaim::Yours(number) = (match state {
            ChaseState::Ready => ChaseClaim::Yours(first),
            _ => claim("one", &mail).await.expect("claimed"),
        }) else {
            panic!("a mail that was not sent is claimed anew")
        };
        ledger.settle_chase_mail(number, "one", state, "busy", &act(6)).await.expect("settled");
    }
    let changed = letter(ChaseHow::Mail, "bb");
    let ChaseClaim::Yours(number) = claim("other", &changed).await.expect("claimed") else { panic!("it was refused") };
    ledger.settle_chase_mail(number, "other", ChaseState::Told, "", &act(8)).await.expect("settled");
    assert_eq!(claim("one", &mail).await, Ok(ChaseClaim::Told), "one mail a day, whatever it says");
    let digest = NewChaseLetter { unit: String::new(), how: ChaseHow::Digest, ..mail.clone() };
    assert!(matches!(claim("one", &digest).await, Ok(ChaseClaim::Yours(_))));
    let tomorrow = NewChaseLetter { day: date(2023, 12, 25), ..mail };
    assert!(matches!(claim("one", &tomorrow).await, Ok(ChaseClaim::Yours(_))));
    let stored = ledger.chase_letters().await.expect("letters");
    let states: Vec<_> = stored.iter().map(|row| (row.state, row.told.sha256.as_str(), row.at)).collect();
    let claimed = ChaseState::Claimed;
    assert_eq!(states, [(ChaseState::Told, "bb", at(8)), (claimed, "aa", at(5)), (claimed, "aa", at(5))]);
}

async fn two_senders_at_once_claim_a_mail_once(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let (one, other) = (bench.open_patient().await, bench.open_patient().await);
    let (mail, by) = (letter(ChaseHow::Mail, "aa"), act(5));
    let (a, b) = tokio::join!(one.claim_chase_mail(&mail, "one", &by), other.claim_chase_mail(&mail, "other", &by));
    let claims = [a.expect("asked"), b.expect("asked")];
    assert_eq!(claims.iter().filter(|claim| matches!(claim, ChaseClaim::Yours(_))).count(), 1, "{claims:?}");
    assert_eq!(ledger.chase_letters().await.expect("letters").len(), 1);
}

async fn names_need_an_order_and_orders_a_document(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    let bare = parsurvey_ledger::Act { document: String::new(), ..act(3) };
    ledger.record_chase_order(&bare).await.expect_err("no document");
    assert_eq!(ledger.chase_orders().await, Ok(Vec::new()));
    ledger.record_chase_letters(&[letter(ChaseHow::Docx, "aa")], &act(3)).await.expect_err("nobody was asked yet");
    ledger.record_chase_order(&act(3)).await.expect("recorded");
    let orders = ledger.chase_orders().await.expect("orders");
    assert_eq!((orders.len(), orders[0].document.as_str(), orders[0].at), (1, "12/SNV", at(3)));
    assert!(matches!(ledger.verify_chain().await, Ok(Chain::Intact { .. })));
}

async fn a_refusal_taken_back_is_still_seen_as_begun(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    ledger.record_started(1, 1, at(5)).await.expect("started");
    ledger.set_declined(2, 1, true, at(6)).await.expect("declined");
    let seen = async || {
        let (seats, counts) = (ledger.seats().await.expect("seats"), ledger.seat_counts().await.expect("counts"));
        assert_eq!(counts, SeatCounts::of(&seats), "the database counts as the rules do");
        (ChaseCounts::of(&seats).started, counts.iter().map(|cell| cell.started).sum::<u64>())
    };
    assert_eq!(seen().await, (2, 2));
    ledger.set_declined(2, 1, false, at(7)).await.expect("taken back");
    assert!(!ledger.seat(2).await.expect("the seat").declined);
    assert_eq!(seen().await, (2, 2));
    ledger.submit(2, 1, &ballot(2), at(8)).await.expect("submitted");
    assert_eq!(seen().await, (1, 2), "the status counts who submitted as begun too");
    ledger.decline(3, &act(9)).await.expect("declined");
    assert_eq!(seen().await, (2, 3));
    let holder = parsurvey_ledger::NewHolder {
        external_id: None,
        name: "Người Mới".into(),
        email: "moi@so.example".into(),
        position: String::new(),
    };
    let kind = parsurvey_ledger::ReplacementKind::FrameCorrection;
    ledger.replace(3, holder, kind, &act(10)).await.expect("replaced");
    assert_eq!(seen().await, (1, 2), "what a former holder declined is not the new one's");
}

async fn declines_of_an_older_ledger_are_kept(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.set_declined(2, 1, true, at(6)).await.expect("declined");
    ledger.disconnect().await;
    // The migration of chasing is taken back, and the newest ones, so that the ledger counts as an older program's.
    let undo = "DROP TABLE chase_order; DROP TABLE chase_letter; ALTER TABLE seat DROP COLUMN ever_declined; \
                DROP TABLE callback; DROP TABLE callback_draw; DROP TABLE proposal; DROP TABLE notice; \
                DELETE FROM _sqlx_migrations WHERE version IN (3, 8, 9)";
    bench.run(undo).await.expect("undone");
    let ledger = bench.open_patient().await;
    let seats = ledger.seats().await.expect("seats");
    assert_eq!(seats.iter().map(|seat| seat.ever_declined).collect::<Vec<_>>(), [false, true]);
    assert_eq!(ledger.chase_letters().await, Ok(Vec::new()));
}
