//! Reports: each once, believed only with proof, and the marks of how far a mailbox was read.

use parsurvey_ledger::{
    HeldSecret, Intake, Ledger, LedgerError, MailboxPlace, NewHolder, NewReport, ReplacementKind, ToldOf,
};
use parsurvey_survey::campaign::MailKind::Invitation;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::evidence::{Action, Class, Finding, Kind, Proof, Reason};

use crate::support::{Bench, accepted, act, at, entered, inviting, mail, mark};

on_both!(
    a_report_counts_once_and_proves_with_a_return_path_only,
    a_report_about_a_former_holder_is_kept_from_the_present_one,
    a_bounce_that_is_quicker_than_the_record_of_its_mail_waits_for_it,
    a_bounce_settles_a_mail_of_which_nobody_knew,
    a_mailbox_is_never_set_back,
    reports_are_append_only,
);

/// A report that form 1's or another's address is gone.
fn dead(sha256: &str, proved: Option<i64>, message_id: Option<&str>, address: &str) -> NewReport {
    NewReport {
        sha256: sha256.to_owned(),
        kind: Kind::Bounce,
        proved,
        message_id: message_id.map(str::to_owned),
        told: vec![ToldOf {
            address: Some(address.to_owned()),
            action: Some(Action::Failed),
            status: Some((5, 1, 1)),
            status_source: None,
            class: Some(Class::Hard),
            reason: Some(Reason::UnknownUser),
        }],
    }
}

async fn ledger(bench: &Bench) -> Ledger {
    let ledger = inviting(bench, 3).await;
    let mails = [mail(1, Invitation, 0), mail(2, Invitation, 0), mail(3, Invitation, 0)];
    ledger.enqueue(&mails, &act(5)).await.expect("queued");
    ledger
}

async fn a_report_counts_once_and_proves_with_a_return_path_only(bench: Bench) {
    let ledger = ledger(&bench).await;
    let number = ledger.mails().await.expect("mails")[0].mail;
    let reports = [
        dead("a", Some(number), None, "MAU1@so.example"),
        dead("a", Some(number), None, "mau1@so.example"),
        dead("b", None, Some("2.0@par.example"), "mau2@so.example"),
        dead("c", None, Some("nobody@par.example"), "mau3@so.example"),
        dead("d", Some(number + 1000), None, "mau3@so.example"),
    ];
    let intake = Intake { source: "maildir".into(), place: None };
    let taken = ledger.take_reports(&reports, &intake, &act(6)).await.expect("taken");
    assert_eq!((taken.read, taken.known, taken.unproved, taken.dead), (5, 1, 3, 1));
    assert_eq!(taken.proved.get(&Finding::BouncedHard), Some(&1));
    let events = ledger.events(0, 100).await.expect("events");
    let again = ledger.take_reports(&reports, &intake, &act(7)).await.expect("taken");
    assert_eq!((again.read, again.known, again.kinds.len()), (5, 5, 0));
    assert_eq!(ledger.events(0, 100).await.expect("events"), events);

    let rows = ledger.reports(false).await.expect("reports");
    let told: Vec<_> = rows.iter().map(|row| (row.form, row.proof, row.told[0].is_recipient)).collect();
    let expected = [
        (Some(1), Proof::Verp, Some(true)),
        (Some(2), Proof::MessageId, Some(true)),
        (None, Proof::None, None),
        (None, Proof::Verp, None),
    ];
    assert_eq!(told, expected);
    assert_eq!(ledger.reports(true).await.expect("reports").len(), 3);
    let addresses = ledger.stopped_addresses().await.expect("addresses");
    assert_eq!(addresses.iter().map(|dead| dead.form).collect::<Vec<_>>(), [1]);
    let reason = parsurvey_ledger::Act { reason: "a fault of the server's".into(), ..act(8) };
    ledger.resume_mails(1, &reason).await.expect("resumed");
    assert_eq!(ledger.stopped_addresses().await, Ok(Vec::new()));
    assert!(matches!(ledger.resume_mails(1, &reason).await, Err(LedgerError::Conflict(_))));
}

async fn a_report_about_a_former_holder_is_kept_from_the_present_one(bench: Bench) {
    let ledger = ledger(&bench).await;
    let number = ledger.mails().await.expect("mails")[0].mail;
    let holder =
        NewHolder { external_id: None, name: "Trần".into(), email: "moi@so.example".into(), position: String::new() };
    ledger.replace(1, holder, ReplacementKind::FrameCorrection, &act(6)).await.expect("replaced");
    let reports = [dead("a", Some(number), None, "moi@so.example")];
    let taken = ledger.take_reports(&reports, &Intake::default(), &act(7)).await.expect("taken");
    assert_eq!((taken.proved.get(&Finding::BouncedHard), taken.dead), (Some(&1), 0));
    assert_eq!(ledger.reports(false).await.expect("reports")[0].told[0].is_recipient, None);
}

async fn state(ledger: &Ledger, form: i64) -> MailState {
    ledger.mails_of(form).await.expect("mails")[0].state
}

/// The first mail, marked as being sent by a dispatcher called `me`.
async fn marked(ledger: &Ledger) -> i64 {
    entered(ledger, "me").await;
    let mail = ledger.lease("me", 1, at(6)).await.expect("leased")[0].mail;
    ledger.mark_sending("me", &[mark(mail, 6)]).await.expect("marked");
    mail
}

async fn a_bounce_that_is_quicker_than_the_record_of_its_mail_waits_for_it(bench: Bench) {
    let ledger = ledger(&bench).await;
    let number = marked(&ledger).await;
    let reports = [dead("a", Some(number), None, "mau1@so.example")];
    let taken = ledger.take_reports(&reports, &Intake::default(), &act(7)).await.expect("taken");
    assert_eq!((taken.proved.get(&Finding::BouncedHard), taken.dead), (Some(&1), 0));
    assert_eq!(state(&ledger, 1).await, MailState::Sending, "its dispatcher will say more");
    ledger.record_outcomes("me", &[(number, accepted(8))]).await.expect("recorded");
    let later = ledger.take_reports(&[], &Intake::default(), &act(9)).await.expect("taken");
    assert_eq!((later.read, later.dead), (0, 1));
    assert_eq!(state(&ledger, 1).await, MailState::BouncedHard);
    assert!(ledger.seat(1).await.expect("the seat").address_stopped);
    let events = ledger.events(0, 100).await.expect("events");
    ledger.take_reports(&[], &Intake::default(), &act(10)).await.expect("taken");
    assert_eq!(ledger.events(0, 100).await.expect("events"), events, "once");
}

async fn a_bounce_settles_a_mail_of_which_nobody_knew(bench: Bench) {
    let ledger = ledger(&bench).await;
    let number = marked(&ledger).await;
    ledger.end_dispatcher("me").await.expect("known to be dead");
    ledger.take_over(at(7)).await.expect("taken over");
    assert_eq!(state(&ledger, 1).await, MailState::Unknown);
    let mut soft = dead("a", Some(number), None, "mau1@so.example");
    soft.told[0].class = Some(Class::Soft);
    ledger.take_reports(&[soft.clone()], &Intake::default(), &act(8)).await.expect("taken");
    assert_eq!(state(&ledger, 1).await, MailState::BouncedSoft);
    assert!(!ledger.seat(1).await.expect("the seat").address_stopped, "the next wave still goes");
    // Weaker news changes nothing, stronger does.
    let away = NewReport { sha256: "b".into(), kind: Kind::AutoReply, told: Vec::new(), ..soft.clone() };
    let unwanted = NewReport { sha256: "c".into(), kind: Kind::Complaint, told: Vec::new(), ..soft };
    for (report, expected) in [(away, MailState::BouncedSoft), (unwanted, MailState::Complained)] {
        ledger.take_reports(&[report], &Intake::default(), &act(9)).await.expect("taken");
        assert_eq!(state(&ledger, 1).await, expected);
    }
    let seat = ledger.seat(1).await.expect("the seat");
    assert!(seat.address_stopped && !seat.declined, "a complaint is no refusal");
    assert_eq!(ledger.stopped_addresses().await.expect("addresses")[0].why, "complained");
}

async fn a_mailbox_is_never_set_back(bench: Bench) {
    let ledger = ledger(&bench).await;
    let read = async |validity, last_uid| {
        let place = Some(MailboxPlace { mailbox: "key".into(), validity, last_uid });
        ledger.take_reports(&[], &Intake { source: "imap".into(), place }, &act(6)).await.expect("taken");
    };
    assert_eq!(ledger.read_until("key", 7).await, Ok(None));
    read(7, 20).await;
    read(7, 10).await;
    assert_eq!(ledger.read_until("key", 7).await, Ok(Some(20)));
    // The server has made its numbers anew.
    read(8, 3).await;
    assert_eq!((ledger.read_until("key", 7).await, ledger.read_until("key", 8).await), (Ok(None), Ok(Some(3))));
}

async fn reports_are_append_only(bench: Bench) {
    let ledger = ledger(&bench).await;
    let reports = [dead("a", None, None, "mau1@so.example")];
    ledger.take_reports(&reports, &Intake::default(), &act(6)).await.expect("taken");
    for sql in [
        "UPDATE report SET kind = 'other'",
        "DELETE FROM report",
        "UPDATE report_recipient SET class = 'soft'",
        "DELETE FROM report_recipient",
    ] {
        assert!(bench.run(sql).await.is_err(), "{sql}");
    }
    let fingerprint = "ab";
    ledger.hold_to_secret(HeldSecret::ReturnPaths, fingerprint, &act(7)).await.expect("held");
    ledger.hold_to_secret(HeldSecret::ReturnPaths, fingerprint, &act(8)).await.expect("the same again");
    assert!(matches!(
        ledger.hold_to_secret(HeldSecret::ReturnPaths, "cd", &act(9)).await,
        Err(LedgerError::Conflict(_))
    ));
}
