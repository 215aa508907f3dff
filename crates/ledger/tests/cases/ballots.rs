//! From submission to erasure: one ballot per form, none after the closing, and no trace after opening.

use std::collections::BTreeSet;
use std::path::Path;

use parsurvey_ledger::{
    Ballot, CampaignState, ChangedPerson, ClosedBox, Ledger, LedgerError, NewHolder, NewPerson, Refusal,
    ReplacementKind, RosterChange, SubmitResult, box_content,
};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::seat::ExcuseCategory;

use crate::support::{Bench, act, at, ballot, draft, inviting, mail, new_person, place};

on_both!(
    a_form_is_submitted_once,
    submissions_at_the_same_moment_make_one_ballot,
    a_ballot_that_replaces_another_leaves_everything_else_as_it_was,
    what_cannot_be_submitted_is_told_why,
    a_ballot_sealed_for_a_former_group_is_not_stored,
    an_old_link_changes_nothing,
    a_submission_takes_back_a_refusal,
    what_comes_too_late_is_marked_only,
    ballots_have_one_size,
    the_box_holds_every_ballot_without_its_form,
    closing_is_final,
    a_ballot_that_comes_while_the_box_is_written_stops_the_closing,
    a_ballot_that_is_replaced_while_the_box_is_written_stops_the_closing,
    the_tally_takes_the_ballots_place,
    an_interrupted_erasing_is_finished_later,
);

fn closed_box(sha256: &str, ballots: u64) -> ClosedBox {
    ClosedBox { sha256: sha256.into(), ballots, content: None }
}

/// Forms 1 to `submitted` of three are in the box, and the survey is closed.
async fn closed(bench: &Bench, submitted: i64) -> Ledger {
    let ledger = inviting(bench, 3).await;
    for form in 1..=submitted {
        assert_eq!(ledger.submit(form, 1, &ballot(form), at(5)).await, Ok(SubmitResult::Stored));
    }
    ledger.close(&closed_box("box", submitted.unsigned_abs()), &act(9)).await.expect("closed");
    ledger
}

async fn a_form_is_submitted_once(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    assert!(ledger.record_started(1, 1, at(4)).await.expect("started"));
    assert!(!ledger.record_started(1, 1, at(5)).await.expect("told"), "begun once");
    assert_eq!(ledger.submit(1, 1, &ballot(1), at(6)).await, Ok(SubmitResult::Stored));
    assert_eq!(ledger.submit(1, 1, &ballot(2), at(7)).await, Ok(SubmitResult::AlreadySubmitted));
    assert!(!ledger.record_started(1, 1, at(8)).await.expect("told"));
    let seat = ledger.seat(1).await.expect("the seat");
    assert_eq!((seat.started, seat.completed), (Some(at(4)), Some(at(6))));
    let ballots = ledger.ballots().await.expect("ballots");
    assert_eq!((ballots.len(), &ballots[0].ciphertext), (1, &ballot(1).ciphertext));
}

async fn a_ballot_that_replaces_another_leaves_everything_else_as_it_was(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    assert!(matches!(ledger.revise(1, 1, &ballot(2)).await, Err(LedgerError::NotFound(_))), "nothing to replace");
    ledger.submit(1, 1, &ballot(1), at(6)).await.expect("submitted");
    let before = (ledger.seat(1).await, ledger.events(0, 100).await, ledger.completions().await);
    assert_eq!(ledger.revise(1, 1, &ballot(2)).await, Ok(SubmitResult::Stored));
    assert_eq!((ledger.seat(1).await, ledger.events(0, 100).await, ledger.completions().await), before);
    let ballots = ledger.ballots().await.expect("ballots");
    assert_eq!((ballots.len(), &ballots[0].ciphertext), (1, &ballot(2).ciphertext));
    let old = ledger.revise(1, 9, &ballot(1)).await;
    assert_eq!(old, Ok(SubmitResult::Refused(Refusal::OldLink)));
    ledger.close(&closed_box("box", 1), &act(9)).await.expect("closed");
    let late = ledger.revise(1, 1, &ballot(1)).await;
    assert_eq!(late, Ok(SubmitResult::Refused(Refusal::NotInviting(CampaignState::Closed))));
    assert_eq!(ledger.ballots().await.expect("ballots")[0].ciphertext, ballot(2).ciphertext);
}

async fn submissions_at_the_same_moment_make_one_ballot(bench: Bench) {
    let first = inviting(&bench, 1).await;
    let second = bench.open_patient().await;
    let tries = (0..8).map(|n| {
        let ledger = if n % 2 == 0 { first.clone() } else { second.clone() };
        tokio::spawn(async move { ledger.submit(1, 1, &ballot(n), at(5)).await.expect("an answer") })
    });
    let mut stored = 0;
    for result in tries.collect::<Vec<_>>() {
        match result.await.expect("a task") {
            SubmitResult::Stored => stored += 1,
            SubmitResult::AlreadySubmitted => {}
            SubmitResult::Refused(refusal) => panic!("{refusal:?}"),
        }
    }
    assert_eq!((stored, first.ballots().await.expect("ballots").len()), (1, 1));
    let n = first.events(0, 100).await.expect("events").iter().filter(|event| event.kind == "submitted").count();
    assert_eq!(n, 1);
}

async fn what_cannot_be_submitted_is_told_why(bench: Bench) {
    let ledger = draft(&bench, 1).await;
    let refused = ledger.submit(1, 1, &ballot(1), at(5)).await;
    assert_eq!(refused, Ok(SubmitResult::Refused(Refusal::NotInviting(CampaignState::Draft))));
    drop(ledger);
    let ledger = closed(&Bench::sqlite(), 1).await;
    let refused = ledger.submit(2, 1, &ballot(2), at(10)).await;
    assert_eq!(refused, Ok(SubmitResult::Refused(Refusal::NotInviting(CampaignState::Closed))));
    assert_eq!(ledger.submit(1, 1, &ballot(1), at(10)).await, Ok(SubmitResult::AlreadySubmitted));
    let ledger = inviting(&Bench::sqlite(), 3).await;
    ledger.excuse(1, ExcuseCategory::Ill, &act(5)).await.expect("excused");
    ledger.mark_ineligible(2, &act(5)).await.expect("ineligible");
    let holder =
        NewHolder {
            external_id: None, name: "Lê Mẫu".into(), email: "le@so.example".into(), position: String::new()
        };
    ledger.replace(3, holder, ReplacementKind::FrameCorrection, &act(5)).await.expect("replaced");
    for (form, refusal) in [(1, Refusal::Excused), (2, Refusal::Ineligible), (3, Refusal::OldLink)] {
        assert_eq!(ledger.submit(form, 1, &ballot(form), at(6)).await, Ok(SubmitResult::Refused(refusal)));
    }
    assert_eq!(ledger.submit(9, 1, &ballot(9), at(6)).await, Err(LedgerError::NotFound("the form")));
    assert!(ledger.ballots().await.expect("ballots").is_empty());
}

async fn a_ballot_sealed_for_a_former_group_is_not_stored(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    let sealed = ballot(1);
    let basis = ledger.campaign().await.expect("the campaign").roster_version;
    let seats = vec![place("hanoi", "department_leaders", "so-noi-vu")];
    let now = NewPerson { seats, ..new_person(1) };
    let change = RosterChange { basis, changed: vec![ChangedPerson { person: 1, now }], ..RosterChange::default() };
    ledger.apply_roster(&change, "amended", &act(5)).await.expect("the seat moves");
    let before = ledger.events(0, 100).await.expect("events");
    assert_eq!(ledger.submit(1, 1, &sealed, at(6)).await, Ok(SubmitResult::Refused(Refusal::Moved)));
    assert_eq!(ledger.seat(1).await.expect("the seat").completed, None);
    assert_eq!(ledger.events(0, 100).await.expect("events"), before);
    let other_target = Ballot { target: "sbv".parse().expect("a code"), ..ballot(2) };
    assert_eq!(ledger.submit(2, 1, &other_target, at(6)).await, Ok(SubmitResult::Refused(Refusal::Moved)));
    assert!(ledger.ballots().await.expect("ballots").is_empty());
    let anew = Ballot { group: "department_leaders".parse().expect("a code"), ..sealed };
    assert_eq!(ledger.submit(1, 1, &anew, at(7)).await, Ok(SubmitResult::Stored));
    assert_eq!(ledger.ballots().await.expect("ballots"), [anew]);
}

async fn an_old_link_changes_nothing(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    let holder =
        NewHolder {
            external_id: None, name: "Lê Mẫu".into(), email: "le@so.example".into(), position: String::new()
        };
    ledger.replace(1, holder, ReplacementKind::FrameCorrection, &act(5)).await.expect("replaced");
    let before = ledger.seat(1).await.expect("the seat");
    assert!(!ledger.set_declined(1, 1, true, at(6)).await.expect("told"));
    assert!(!ledger.record_too_late(1, 1, at(6)).await.expect("told"));
    assert!(!ledger.record_started(1, 1, at(6)).await.expect("told"));
    assert_eq!(ledger.seat(1).await.expect("the seat"), before);
    assert!(ledger.set_declined(1, 2, true, at(7)).await.expect("the present link may"));
    assert!(ledger.record_too_late(1, 2, at(8)).await.expect("the present link may"));
}

async fn a_submission_takes_back_a_refusal(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    assert!(ledger.set_declined(1, 1, true, at(5)).await.expect("declined"));
    assert!(!ledger.set_declined(1, 1, true, at(5)).await.expect("told"), "once is enough");
    assert!(ledger.set_declined(1, 1, false, at(6)).await.expect("taken back"));
    assert!(ledger.set_declined(1, 1, true, at(7)).await.expect("declined"));
    assert_eq!(ledger.submit(1, 1, &ballot(1), at(8)).await, Ok(SubmitResult::Stored));
    assert!(!ledger.seat(1).await.expect("the seat").declined);
}

async fn what_comes_too_late_is_marked_only(bench: Bench) {
    let ledger = closed(&bench, 1).await;
    assert!(ledger.record_too_late(2, 1, at(20)).await.expect("marked"));
    assert!(!ledger.record_too_late(2, 1, at(21)).await.expect("told"));
    assert!(!ledger.record_too_late(1, 1, at(21)).await.expect("told"), "form 1 came in time");
    let seat = ledger.seat(2).await.expect("the seat");
    assert_eq!((seat.too_late, seat.completed), (true, None));
    assert_eq!(ledger.ballots().await.expect("ballots").len(), 1);
}

async fn ballots_have_one_size(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.submit(1, 1, &ballot(1), at(5)).await.expect("submitted");
    let short = Ballot { ciphertext: b"short".to_vec(), ..ballot(2) };
    let error = ledger.submit(2, 1, &short, at(6)).await.expect_err("another size");
    assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    assert_eq!(ledger.seat(2).await.expect("the seat").completed, None);
}

async fn the_box_holds_every_ballot_without_its_form(bench: Bench) {
    let ledger = inviting(&bench, 3).await;
    for form in [3, 1, 2] {
        ledger.submit(form, 1, &ballot(4 - form), at(5)).await.expect("submitted");
    }
    let ballots = ledger.ballots().await.expect("ballots");
    assert_eq!(ballots, [ballot(1), ballot(2), ballot(3)], "neither by form nor by time");
    let completions = ledger.completions().await.expect("completions");
    let key = (ballots[0].target.clone(), ballots[0].group.clone());
    assert_eq!(completions, [(key, 3)].into());
}

async fn closing_is_final(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.enqueue(&[mail(2, MailKind::Invitation, 0)], &act(5)).await.expect("queued");
    ledger.submit(1, 1, &ballot(1), at(5)).await.expect("submitted");
    ledger.close(&closed_box("box", 1), &act(9)).await.expect("closed");
    ledger.close(&closed_box("box", 1), &act(9)).await.expect("the same box again");
    let error = ledger.close(&closed_box("another", 2), &act(9)).await.expect_err("a box of other ballots");
    assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    ledger.close(&closed_box("rewritten", 1), &act(9)).await.expect("the same ballots in another order");
    ledger.close(&closed_box("box", 1), &act(9)).await.expect("and back");
    let campaign = ledger.campaign().await.expect("the campaign");
    assert_eq!((campaign.state, campaign.box_sha256.as_deref()), (CampaignState::Closed, Some("box")));
    assert!(ledger.lease("me", 9, at(10)).await.expect("told").is_empty());
    assert_eq!(ledger.mails().await.expect("mails")[0].why.as_deref(), Some("closed"));
    for error in [
        ledger.enqueue(&[mail(2, MailKind::Reminder, 1)], &act(10)).await.expect_err("no mail"),
        ledger.correct_address(2, "x@so.example", &act(10)).await.expect_err("nobody is asked any more"),
        ledger.release(&act(10)).await.expect_err("not opened"),
    ] {
        assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    }
}

async fn a_ballot_that_comes_while_the_box_is_written_stops_the_closing(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.submit(1, 1, &ballot(1), at(5)).await.expect("submitted");
    let written = ledger.ballots().await.expect("ballots").len() as u64;
    ledger.submit(2, 1, &ballot(2), at(6)).await.expect("meanwhile");
    let error = ledger.close(&closed_box("box", written), &act(9)).await.expect_err("one is missing");
    assert!(error.is_transient() && error.to_string().contains("write it again"), "{error:?}");
    assert_eq!(ledger.campaign().await.expect("the campaign").state, CampaignState::Inviting);
    ledger.close(&closed_box("box", 2), &act(9)).await.expect("closed");
}

async fn a_ballot_that_is_replaced_while_the_box_is_written_stops_the_closing(bench: Bench) {
    let ledger = inviting(&bench, 2).await;
    ledger.submit(1, 1, &ballot(1), at(5)).await.expect("submitted");
    let written = |ballots: &[Ballot]| {
        let content = box_content(ballots.iter().map(|ballot| ballot.ciphertext.as_slice()));
        ClosedBox { content: Some(content), ..closed_box("box", 1) }
    };
    let early = written(&ledger.ballots().await.expect("ballots"));
    ledger.revise(1, 1, &ballot(2)).await.expect("revised");
    assert!(matches!(ledger.close(&early, &act(9)).await, Err(LedgerError::Meanwhile(_))));
    let late = written(&ledger.ballots().await.expect("ballots"));
    ledger.close(&late, &act(9)).await.expect("closed");
    ledger.close(&late, &act(10)).await.expect("closed already");
    let other = ClosedBox { sha256: "other".into(), ..early };
    assert!(matches!(ledger.close(&other, &act(11)).await, Err(LedgerError::Conflict(_))));
}

async fn the_tally_takes_the_ballots_place(bench: Bench) {
    let ledger = inviting(&bench, 1).await;
    ledger.import_tally("{}", "t", "a", &act(9)).await.expect_err("not closed");
    drop(ledger);
    let bench = if bench.is_sqlite() { Bench::sqlite() } else { Bench::postgres().await };
    let ledger = closed(&bench, 3).await;
    assert_eq!(ledger.tally().await, Ok(None));
    ledger.import_tally("{\"format\":1}", "t", "a", &act(9)).await.expect("imported");
    assert!(ledger.campaign().await.expect("the campaign").erase_pending);
    ledger.import_tally("{\"format\":1}", "t", "b", &act(10)).await.expect("the same again");
    let error = ledger.import_tally("{}", "u", "a", &act(10)).await.expect_err("another tally");
    assert!(matches!(error, LedgerError::Conflict(_)), "{error:?}");
    let tally = ledger.tally().await.expect("read").expect("stored");
    assert_eq!((tally.json.as_str(), tally.archive_sha256.as_str(), tally.imported), ("{\"format\":1}", "a", at(9)));
    assert!(ledger.ballots().await.expect("ballots").is_empty());
    ledger.erase_deleted().await.expect("erased");
    ledger.erase_deleted().await.expect("nothing is left to do");
    let campaign = ledger.campaign().await.expect("the campaign");
    assert_eq!((campaign.state, campaign.erase_pending), (CampaignState::Opened, false));
    assert_eq!(ledger.completions().await.expect("completions").into_values().sum::<u64>(), 3);
    ledger.release(&act(11)).await.expect("released");
    ledger.release(&act(12)).await.expect("again");
    assert!(matches!(ledger.verify_chain().await, Ok(parsurvey_ledger::Chain::Intact { .. })));
}

async fn an_interrupted_erasing_is_finished_later(bench: Bench) {
    let ledger = closed(&bench, 2).await;
    ledger.import_tally("{}", "t", "a", &act(9)).await.expect("imported, and killed here");
    drop(ledger);
    let ledger = bench.open_patient().await;
    assert!(ledger.campaign().await.expect("the campaign").erase_pending);
    ledger.erase_deleted().await.expect("finished");
    assert!(!ledger.campaign().await.expect("the campaign").erase_pending);
}

/// Every byte of every file in a folder.
fn bytes_of(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).expect("the folder").flatten();
    files.flat_map(|file| std::fs::read(file.path()).expect("a file")).collect()
}

fn traces(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let needle = b"CIPHERTEXT-OF-FORM-";
    let hits = bytes.windows(needle.len() + 6).filter(|window| window.starts_with(needle));
    hits.map(<[u8]>::to_vec).collect()
}

#[tokio::test]
async fn sqlite_files_hold_no_ballot_after_erasing() {
    let bench = Bench::sqlite();
    let ledger = inviting(&bench, 300).await;
    for form in 1..=300 {
        ledger.submit(form, 1, &ballot(form), at(5)).await.expect("submitted");
    }
    ledger.close(&closed_box("box", 300), &act(9)).await.expect("closed");
    assert_eq!(traces(&bytes_of(bench.folder.path())).len(), 300, "the search finds what is there");
    ledger.import_tally("{}", "t", "a", &act(10)).await.expect("imported");
    let reader = bench.open_patient().await;
    reader.seats().await.expect("somebody else looks on");
    ledger.erase_deleted().await.expect("erased");
    assert_eq!(traces(&bytes_of(bench.folder.path())), BTreeSet::new());
    assert_eq!(reader.seats().await.expect("seats").len(), 300);
}

#[tokio::test]
async fn sqlite_erasing_waits_for_a_reader_and_says_so() {
    use sqlx::Connection as _;
    let bench = Bench::sqlite();
    closed(&bench, 2).await.disconnect().await;
    let ledger = bench.open().await.expect("opens");
    let mut other = bench.raw().await;
    let mut snapshot = other.begin().await.expect("a transaction");
    sqlx::query("SELECT COUNT(*) FROM ballot").fetch_one(&mut *snapshot).await.expect("a snapshot with ballots");
    ledger.import_tally("{}", "t", "a", &act(9)).await.expect("imported");
    assert_eq!(ledger.erase_deleted().await, Err(LedgerError::Locked));
    assert!(ledger.campaign().await.expect("the campaign").erase_pending);
    snapshot.rollback().await.expect("done reading");
    ledger.erase_deleted().await.expect("erased");
    assert_eq!(traces(&bytes_of(bench.folder.path())), BTreeSet::new());
}

/// Of the tables only: what the write-ahead log keeps, the server recycles in its own time.
#[tokio::test]
async fn postgres_tables_hold_no_ballot_after_erasing() {
    let bench = Bench::postgres().await;
    let ledger = closed(&bench, 3).await;
    let mut raw = bench.raw().await;
    let database: i64 =
        sqlx::query_scalar("SELECT CAST(oid AS BIGINT) FROM pg_database WHERE datname = current_database()")
            .fetch_one(&mut raw)
            .await
            .expect("its number");
    let folder = Bench::postgres_tables().join(database.to_string());
    bench.run("CHECKPOINT").await.expect("everything is in the files");
    assert_eq!(traces(&bytes_of(&folder)).len(), 3, "the search finds what is there");
    ledger.import_tally("{}", "t", "a", &act(10)).await.expect("imported");
    ledger.erase_deleted().await.expect("erased");
    bench.run("CHECKPOINT").await.expect("everything is in the files");
    assert_eq!(traces(&bytes_of(&folder)), BTreeSet::new());
}
