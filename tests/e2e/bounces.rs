//! What comes back by mail: each report once, believed only with a return path of ours, and what it changes.
//!
//! The reports are written here in the form of real ones; real servers write them in `tests/servers`.

use std::path::{Path, PathBuf};

use parsurvey_tests::{Ran, Survey, moments};
use serde_json::{Value, json};

/// A survey whose invitations went out with return paths of their own.
async fn invited(mut survey: Survey) -> Survey {
    survey.name_return_path("tra-ve@khaosat.example");
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

/// The return path of the newest mail to an address.
fn return_path(survey: &Survey, address: &str) -> String {
    let mails = survey.catcher.mailbox(address);
    let path = mails.last().expect("the person was mailed").from.clone();
    assert!(path.starts_with("tra-ve+b") && path.ends_with("@khaosat.example"), "{path}");
    path
}

/// A report as Postfix writes it, about recipients with action, status and what the server said.
fn report(return_path: &str, recipients: &[(&str, &str, &str, &str)]) -> String {
    let blocks: String = recipients
        .iter()
        .map(|(address, action, status, said)| {
            format!(
                "\nFinal-Recipient: rfc822; {address}\nOriginal-Recipient: rfc822;{address}\nAction: {action}\n\
                 Status: {status}\nDiagnostic-Code: smtp; {said}\n"
            )
        })
        .collect();
    format!(
        "Return-Path: <>\nDelivered-To: {return_path}\nDate: Mon, 18 Dec 2023 08:05:00 +0700\n\
         From: MAILER-DAEMON@relay.example (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
         To: {return_path}\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n\
         Content-Type: text/plain\n\nThis is the mail system.\n\n--b\nContent-Type: message/delivery-status\n\n\
         Reporting-MTA: dns; relay.example\n{blocks}\n--b--\n"
    )
}

/// A report that nobody has this address.
fn unknown_user(survey: &Survey, address: &str) -> String {
    report(&return_path(survey, address), &[(address, "failed", "5.1.1", "550 5.1.1 no such mailbox")])
}

/// A Maildir of a test's own with these mails.
fn maildir(survey: &Survey, name: &str, mails: &[String]) -> PathBuf {
    let folder = survey.folder().join(name);
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    for (number, mail) in mails.iter().enumerate() {
        std::fs::write(folder.join("new").join(format!("17000000{number:05}.M1P{number}.relay")), mail).unwrap();
    }
    folder
}

async fn read(survey: &Survey, place: &Path) -> Ran {
    survey.run(&["bounces", "read", place.to_str().unwrap(), "--format", "json"]).await
}

async fn list(survey: &Survey, more: &[&str]) -> Vec<Value> {
    let ran = survey.run(&[&["bounces", "list", "--format", "json"][..], more].concat()).await;
    ran.done().json().as_array().unwrap().clone()
}

/// The log's chain holds, and nobody's address is in what was said.
async fn whole(survey: &Survey) {
    survey.run(&["log"]).await.done().says(&["is intact"]);
}

/// Makes of each case two tests, on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(parsurvey_tests::Survey::small().await).await; })+
        }
        mod postgresql {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() { super::$name(parsurvey_tests::Survey::small_on_postgres().await).await; })+
        }
    };
}

on_both!(
    the_same_mail_counts_once_however_it_is_handed_in,
    two_readers_at_once_count_each_report_once,
    a_report_without_our_code_changes_nothing,
    several_recipients_are_told_apart,
    an_automatic_reply_is_no_bounce,
    a_reading_killed_half_way_is_finished_by_the_next,
    a_complaint_pauses_and_is_no_refusal,
    a_dead_address_is_asked_of_the_unit_until_it_is_corrected,
);

async fn the_same_mail_counts_once_however_it_is_handed_in(survey: Survey) {
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    let mail = unknown_user(&survey, &addresses[0]);
    let folder = maildir(&survey, "Maildir", std::slice::from_ref(&mail));
    let told = read(&survey, &folder).await.done().says(&["1 address(es) are dead"]).json();
    assert_eq!((&told["bounce"], &told["bounced_hard"], &told["known"]), (&json!(1), &json!(1), &json!(0)), "{told}");
    let events = survey.run(&["log", "--format", "csv"]).await.done().stdout;

    // Looked at by a mail program, kept in an mbox, with the other end of line.
    let new = std::fs::read_dir(folder.join("new")).unwrap().next().unwrap().unwrap().path();
    let seen = folder.join("cur").join(format!("{}:2,S", new.file_name().unwrap().to_str().unwrap()));
    std::fs::rename(&new, &seen).unwrap();
    let mbox = survey.folder().join("mbox");
    std::fs::write(&mbox, format!("From MAILER-DAEMON Mon Dec 18 08:05:00 2023\n{mail}\n")).unwrap();
    let crlf = survey.folder().join("crlf.eml");
    std::fs::write(&crlf, mail.replace('\n', "\r\n")).unwrap();
    for place in [&folder, &mbox, &crlf] {
        let told = read(&survey, place).await.done().json();
        assert_eq!((&told["read"], &told["known"], &told["bounce"]), (&json!(1), &json!(1), &json!(0)), "{told}");
    }
    assert_eq!(list(&survey, &[]).await.len(), 1);
    assert_eq!(survey.run(&["log", "--format", "csv"]).await.done().stdout, events, "nothing was written again");
    assert!(seen.exists(), "nothing is deleted");
    whole(&survey).await;
}

async fn two_readers_at_once_count_each_report_once(survey: Survey) {
    survey.with_people(300);
    let survey = invited(survey).await;
    let mails: Vec<String> = survey.addresses().iter().map(|address| unknown_user(&survey, address)).collect();
    let folder = maildir(&survey, "Maildir", &mails);
    let args = ["bounces", "read", folder.to_str().unwrap(), "--format", "json"];
    let (one, other) = (survey.begin(&args), survey.begin(&args));
    let told = [one.end().await.done().json(), other.end().await.done().json()];
    for key in ["bounce", "bounced_hard", "dead_addresses"] {
        let sum: u64 = told.iter().map(|told| told[key].as_u64().unwrap()).sum();
        assert_eq!(sum, 300, "{key}: {told:?}");
    }
    assert_eq!(list(&survey, &[]).await.len(), 300);
    whole(&survey).await;
}

async fn a_report_without_our_code_changes_nothing(survey: Survey) {
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    let (own, others) = (return_path(&survey, &addresses[0]), return_path(&survey, &addresses[1]));
    let mail_of = |path: &str| path.split_once("+b").unwrap().1.split_once('-').unwrap().0.to_owned();
    let mac_of = |path: &str| path.split_once('-').unwrap().1.split_once('-').unwrap().1.to_owned();
    let dead = |path: &str| report(path, &[(&addresses[0], "failed", "5.1.1", "550 5.1.1 gone")]);
    let message_id = survey.catcher.mailbox(&addresses[0])[0].header("Message-ID").unwrap();
    let mails = [
        // Another mail's code, one letter changed, one cut short, none at all.
        dead(&format!("tra-ve+b{}-{}", mail_of(&own), mac_of(&others))),
        dead(&own.replacen("+b", "+c", 1)),
        dead(&own.replace("@khaosat", "0@khaosat")),
        dead("tra-ve@khaosat.example"),
        // A mail that whoever wrote it has seen: its Message-ID is right.
        dead("khaosat@khaosat.example")
            .replace("--b--", &format!("--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: {message_id}\n\n--b--")),
    ];
    let folder = maildir(&survey, "Maildir", &mails);
    let told = read(&survey, &folder).await.done().says(&["5 report(s) prove nothing"]).json();
    for (key, expected) in [("bounce", 5), ("unproved", 5), ("bounced_hard", 0), ("dead_addresses", 0)] {
        assert_eq!(told[key], expected, "{key}: {told}");
    }
    let unmatched = list(&survey, &["--unmatched"]).await;
    assert_eq!(unmatched.len(), 5);
    assert!(unmatched.iter().all(|report| report["finding"].is_null()));
    let proofs: Vec<&str> = unmatched.iter().map(|report| report["proof"].as_str().unwrap()).collect();
    assert_eq!(proofs, ["none", "none", "none", "none", "message_id"]);
    assert_eq!(survey.mails(Some("accepted")).await.len(), 12, "no mail is any other than before");
    whole(&survey).await;
}

async fn several_recipients_are_told_apart(survey: Survey) {
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    let soft = ("failed", "5.2.2", "552 5.2.2 mailbox full");
    let hard = ("failed", "5.1.1", "550 5.1.1 gone");
    let of = |address, (action, status, said)| (address, action, status, said);
    let mails = [
        // The mail's own recipient counts, whoever else the report speaks of.
        report(&return_path(&survey, &addresses[0]), &[of("x@other.example", hard), of(&addresses[0], soft)]),
        // An alias: the mildest of what is said about those behind it.
        report(&return_path(&survey, &addresses[1]), &[of("x@other.example", hard), of("y@other.example", soft)]),
        report(&return_path(&survey, &addresses[2]), &[of("x@other.example", hard), of("y@other.example", hard)]),
    ];
    let told = read(&survey, &maildir(&survey, "Maildir", &mails)).await.done().json();
    assert_eq!((&told["bounced_soft"], &told["bounced_hard"]), (&json!(2), &json!(1)), "{told}");
    let listed = list(&survey, &[]).await;
    let recipients = |place: usize| {
        let told = listed[place]["recipients"].as_array().unwrap().iter();
        told.map(|told| told["recipient"].as_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!((recipients(0), recipients(1)), (vec!["other", "own"], vec!["other", "other"]));
    assert!(!format!("{listed:?}").contains('@'), "no address is kept");
}

async fn an_automatic_reply_is_no_bounce(survey: Survey) {
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    let path = return_path(&survey, &addresses[0]);
    let away = format!(
        "Delivered-To: {path}\nFrom: {}\nTo: {path}\nSubject: Trả lời tự động: Thư mời\nAuto-Submitted: auto-replied\n\
         X-Autoreply: yes\n\nTôi đi công tác đến hết ngày 22/12.\n",
        addresses[0]
    );
    let told = read(&survey, &maildir(&survey, "Maildir", &[away])).await.done().json();
    for (key, expected) in [("auto_reply", 1), ("auto_replied", 1), ("bounce", 0), ("bounced_soft", 0), ("unproved", 0)]
    {
        assert_eq!(told[key], expected, "{key}: {told}");
    }
    assert_eq!(survey.status().await["rows"][0]["rejected"], 0);
    // The reminder goes to that person as to everybody.
    let mut survey = survey;
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 2);
}

async fn a_reading_killed_half_way_is_finished_by_the_next(survey: Survey) {
    survey.with_people(150);
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    // Twenty reports about each, all different: delays with a number, and at last the failure.
    let mails: Vec<String> = (0..20)
        .flat_map(|round| addresses.iter().map(move |address| (round, address)))
        .map(|(round, address)| {
            let (action, status) = if round == 19 { ("failed", "5.1.1") } else { ("delayed", "4.4.1") };
            report(&return_path(&survey, address), &[(address, action, status, &format!("attempt {round}"))])
        })
        .collect();
    let folder = maildir(&survey, "Maildir", &mails);
    let running = survey.begin(&["bounces", "read", folder.to_str().unwrap()]);
    // As soon as something is stored, it dies.
    while list(&survey, &[]).await.is_empty() {}
    running.kill().await;
    let before = list(&survey, &[]).await.len();
    assert!(before.is_multiple_of(100) || before == 3000, "whole batches only: {before}");
    let told = read(&survey, &folder).await.done().json();
    assert_eq!((&told["read"], &told["known"], &told["bounce"]), (&json!(3000), &json!(before), &json!(3000 - before)));
    assert_eq!(list(&survey, &[]).await.len(), 3000);
    let dead = survey.run(&["bounces", "addresses", "--format", "json"]).await.done().json();
    assert_eq!(dead.as_array().unwrap().len(), 150);
    whole(&survey).await;
}

async fn a_complaint_pauses_and_is_no_refusal(survey: Survey) {
    let mut survey = invited(survey).await;
    let addresses = survey.addresses();
    let path = return_path(&survey, &addresses[0]);
    let complaint = format!(
        "From: fbl@provider.example\nTo: {path}\nSubject: FW\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\n\n--b\nContent-Type: text/plain\n\n\
         complaint\n\n--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\nUser-Agent: x/1\nVersion: 1\n\
         Original-Mail-From: {path}\nOriginal-Rcpt-To: {}\n\n--b--\n",
        addresses[0]
    );
    let told = read(&survey, &maildir(&survey, "Maildir", &[complaint])).await.done().says(&["not declined"]).json();
    assert_eq!((&told["complaint"], &told["complained"], &told["paused"]), (&json!(1), &json!(1), &json!(1)), "{told}");
    let rates = survey.run(&["status", "--explain", "--format", "csv"]).await.done().stdout;
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 1, "nothing more is sent");
    assert_eq!(survey.catcher.mailbox(&addresses[1]).len(), 2, "and the others are reminded");
    assert_eq!(survey.run(&["status", "--explain", "--format", "csv"]).await.done().stdout, rates, "nobody refused");
    // The person agreed on the phone.
    survey.run(&["bounces", "resume", "1", "--reason", "agreed by phone", "--document", "3/KS"]).await.done();
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 2);
    whole(&survey).await;
}

async fn a_dead_address_is_asked_of_the_unit_until_it_is_corrected(survey: Survey) {
    let mut survey = invited(survey).await;
    let addresses = survey.addresses();
    let mail = unknown_user(&survey, &addresses[0]);
    read(&survey, &maildir(&survey, "Maildir", &[mail])).await.done();
    let asked = survey.run(&["bounces", "addresses", "--format", "json"]).await.done().json();
    let row = &asked[0];
    assert_eq!((&row["form"], &row["unit"], &row["status"]), (&json!(1), &json!("office"), &json!("5.1.1")), "{asked}");
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&addresses[0]).len(), 1, "no mail goes to a dead address");
    let correct =
        ["correct-address", "1", "--email", "moi@thitranmau.example", "--reason", "told", "--document", "4/KS"];
    survey.by_two(&correct).await.done();
    assert_eq!(survey.run(&["bounces", "addresses", "--format", "json"]).await.done().json(), json!([]));
    survey.invite().await.done();
    assert_eq!(survey.catcher.mailbox("moi@thitranmau.example").len(), 1, "the new address gets the invitation");
    whole(&survey).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_told_and_the_rest_is_stored() {
    let survey = invited(Survey::small().await).await;
    let mail = unknown_user(&survey, &survey.addresses()[0]);
    let folder = maildir(&survey, "Maildir", &[mail]);
    let missing = survey.folder().join("missing");
    read(&survey, &missing).await.done_with(1).says(&["cannot be read"]);
    survey.run(&["bounces", "read"]).await.done_with(2);
    // Without the secret no report could be proved, and none would be read a second time.
    let key = survey.data.join("return-path.key");
    let secret = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    read(&survey, &folder).await.done_with(1).says(&["return-path.key is missing", "restore it"]);
    std::fs::write(&key, "00".repeat(32)).unwrap();
    read(&survey, &folder).await.done_with(1).says(&["not the secret", "restore"]);
    assert_eq!(list(&survey, &[]).await.len(), 0);
    std::fs::write(&key, secret).unwrap();
    assert_eq!(read(&survey, &folder).await.done().json()["bounced_hard"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_secret_of_return_paths_is_asked_back_before_anything_is_sent() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    std::fs::remove_file(survey.data.join("return-path.key")).unwrap();
    survey.invite().await.done_with(1).says(&["return-path.key is missing"]);
    assert_eq!(survey.catcher.counts().taken, 0);
}
