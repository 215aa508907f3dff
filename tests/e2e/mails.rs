//! What leaves and what does not: every test counts the mails that reached the catcher, per person.
//!
//! The relay misbehaves as scripted, and processes are killed in the middle; nothing waits for a clock.

use std::collections::BTreeSet;
use std::time::Duration;

use parsurvey_rehearsal::catcher::{Act, At, Mail, Reply, Script};
use parsurvey_tests::{Ran, Survey, moments};
use serde_json::Value;

/// Long enough for a busy machine; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// One number of the table that sending prints.
#[track_caller]
fn number(ran: &Ran, key: &str) -> u64 {
    ran.json()[0][key].as_u64().unwrap_or_else(|| panic!("no {key} in {}", ran.stdout))
}

/// A number summed over the rows of a status.
fn sum(status: &Value, key: &str) -> u64 {
    status["rows"].as_array().unwrap().iter().map(|row| row[key].as_u64().unwrap()).sum()
}

fn invite_args<'a>(smtp: &'a str, connections: &'a str) -> [&'a str; 7] {
    ["invite", "--smtp", smtp, "--connections", connections, "--format", "json"]
}

/// The link in a mail.
#[track_caller]
fn link(mail: &Mail) -> String {
    let links: Vec<String> = mail.links().into_iter().filter(|link| link.contains("/f/")).collect();
    assert_eq!(links.len(), 1, "a mail carries one link");
    links.into_iter().next().unwrap()
}

async fn two_invites_at_once(mut survey: Survey) {
    survey.with_people(120);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    // Slow enough that the second has begun long before the first is through.
    survey.catcher.rescript(Script::new().latency(Duration::from_millis(80)));
    let smtp = survey.smtp();
    let args = invite_args(&smtp, "2");
    let (one, other) = (survey.begin(&args), survey.begin(&args));
    let (one, other) = (one.end().await, other.end().await);
    // Whoever ends first may leave mails in the other's hands, and says so; whoever ends last leaves none.
    let mut codes = [one.code, other.code];
    codes.sort_unstable();
    assert!(matches!(codes, [0, 0] | [0, 3]), "{} {}", one.stderr, other.stderr);
    assert_eq!(survey.mails_by_person(), vec![1; 120]);
    assert_eq!(survey.catcher.counts().taken, 120);
    let accepted = [&one, &other].map(|ran| number(ran, "accepted"));
    assert_eq!(accepted.iter().sum::<u64>(), 120);
    assert!(accepted.iter().all(|accepted| *accepted > 0), "they did not run at once: {accepted:?}");
    assert_eq!(number(&one, "queued") + number(&other, "queued"), 120);
    assert_eq!(sum(&survey.status().await, "invited"), 120);

    let again = survey.run(&args).await.done();
    assert_eq!((number(&again, "queued"), number(&again, "accepted")), (0, 0));
    assert_eq!(number(&again, "skipped"), 120);
    assert_eq!(survey.catcher.counts().taken, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invites_at_once_reach_everybody_exactly_once() {
    two_invites_at_once(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_invites_at_once_reach_everybody_exactly_once_on_postgresql() {
    two_invites_at_once(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_stops_nobody_and_is_shown() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let addresses = survey.addresses();
    let full = Act::Say(Reply::new(452, "4.2.2 mailbox full"));
    let script = Script::new().reject(&addresses[0], 550, "5.1.1 no such mailbox").on(&addresses[1], At::Rcpt, full);
    survey.catcher.rescript(script);
    let smtp = survey.smtp();
    let ran = survey.run(&invite_args(&smtp, "1")).await.done_with(3);
    assert_eq!((number(&ran, "accepted"), number(&ran, "rejected"), number(&ran, "deferred")), (10, 1, 1));
    let mut expected = vec![1; 12];
    expected[..2].fill(0);
    assert_eq!(survey.mails_by_person(), expected);

    let status = survey.status().await;
    assert_eq!((sum(&status, "invited"), sum(&status, "rejected"), sum(&status, "unknown")), (10, 1, 0));
    let rejected = survey.mails(Some("rejected")).await;
    assert_eq!(rejected.len(), 1);
    assert_eq!(rejected[0]["form"].to_string().trim_matches('"'), "1");
    assert_eq!(rejected[0]["code"].to_string().trim_matches('"'), "550");
    assert!(rejected[0]["text"].as_str().unwrap().contains("no such mailbox"));
    assert!(!rejected[0].to_string().contains(&addresses[0]), "a list of mails shows no address");
    assert_eq!(survey.mails(Some("waiting")).await.len(), 1);

    // The mailbox has room again: the deferred mail is sent once its wait is over, the refused one never by itself.
    survey.catcher.rescript(Script::new());
    survey.at("2023-12-18T09:00:00+07:00");
    let ran = survey.run(&invite_args(&smtp, "1")).await.done();
    assert_eq!((number(&ran, "queued"), number(&ran, "accepted")), (0, 1));
    expected[1] = 1;
    assert_eq!(survey.mails_by_person(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absent_relay_loses_nothing() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let absent = nobody.local_addr().unwrap().to_string();
    drop(nobody);
    let ran = survey.run(&["invite", "--smtp", &absent]).await.done_with(3).says(&["--smtp", "0 mails were sent"]);
    assert!(ran.stdout.is_empty());
    assert_eq!(survey.mails(Some("waiting")).await.len(), 12);
    let status = survey.status().await;
    assert_eq!((sum(&status, "invited"), sum(&status, "unknown"), sum(&status, "rejected")), (0, 0, 0));

    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

/// Kills a run while the relay keeps silent about the fifth mail, and returns what later runs sent to that person.
async fn killed_in_the_middle(mut survey: Survey, at: At, taken: u64) -> usize {
    survey.set_up().await;
    survey.at(moments::INVITATION);
    let fifth = survey.addresses()[4].clone();
    survey.catcher.rescript(Script::new().on(&fifth, at, Act::Silence));
    let smtp = survey.smtp();
    // One connection, so that everything before the fifth mail has its outcome when the fifth is in the air.
    let running = survey.begin(&invite_args(&smtp, "1"));
    survey.catcher.taken(taken, PATIENCE).await.unwrap();
    if at != At::Dot {
        // The silence before the dot shows only in the mark.
        while survey.mails(Some("unknown")).await.is_empty() {}
    }
    running.kill().await;

    let unknown = survey.mails(Some("unknown")).await;
    assert_eq!(unknown.len(), 1, "{unknown:?}");
    assert_eq!(unknown[0]["form"].to_string().trim_matches('"'), "5");
    assert_eq!(survey.mails(Some("accepted")).await.len(), 4);
    assert_eq!(survey.mails(Some("waiting")).await.len(), 7);

    survey.catcher.rescript(Script::new());
    for sent in [7, 0] {
        let ran = survey.run(&invite_args(&smtp, "4")).await.done();
        assert_eq!((number(&ran, "queued"), number(&ran, "accepted")), (0, sent));
    }
    let mut others = survey.mails_by_person();
    let to_the_fifth = others.remove(4);
    assert_eq!(others, vec![1; 11]);
    let status = survey.status().await;
    assert_eq!((sum(&status, "unknown"), sum(&status, "invited")), (1, 11), "shown as long as nobody knows");
    to_the_fifth
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_killed_after_the_dot_is_unknown_and_not_sent_again() {
    assert_eq!(killed_in_the_middle(Survey::small().await, At::Dot, 5).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_killed_before_the_dot_is_unknown_and_not_sent_by_itself() {
    assert_eq!(killed_in_the_middle(Survey::small().await, At::Contents, 4).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_killed_after_the_dot_is_unknown_on_postgresql_too() {
    assert_eq!(killed_in_the_middle(Survey::small_on_postgres().await, At::Dot, 5).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_had_in_hand_and_not_marked_is_sent_by_the_next_run_at_once() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let fifth = survey.addresses()[4].clone();
    survey.catcher.rescript(Script::new().on(&fifth, At::Rcpt, Act::Silence));
    let smtp = survey.smtp();
    let running = survey.begin(&invite_args(&smtp, "1"));
    // The relay has taken four before the program has heard of the last of them.
    while survey.mails(Some("accepted")).await.len() < 4 {}
    running.kill().await;
    survey.catcher.rescript(Script::new());
    assert_eq!(survey.mails(Some("waiting")).await.len(), 8);
    survey.invite().await.done().says(&["taken over, unsent, from a sender that is gone"]);
    assert_eq!(survey.mails_by_person(), vec![1; 12], "provably unsent, so that nobody has to wait for a reminder");
    assert_eq!(survey.mails(Some("unknown")).await.len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_finishes_the_mail_in_hand_and_the_next_run_sends_the_rest() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let third = survey.addresses()[2].clone();
    survey.catcher.rescript(Script::new().on(&third, At::Dot, Act::Late(Duration::from_secs(2))));
    let smtp = survey.smtp();
    let running = survey.begin(&invite_args(&smtp, "1"));
    survey.catcher.taken(3, PATIENCE).await.unwrap();
    running.interrupt().await;
    running.end().await.done_with(3).says(&["stopping", "3 mails were sent", "run the command again"]);
    assert_eq!(survey.mails(Some("accepted")).await.len(), 3, "the mail in hand has its outcome");
    assert_eq!(survey.mails(Some("unknown")).await.len(), 0);
    assert_eq!(survey.catcher.counts().taken, 3);

    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_mail_goes_to_whom_it_is_owed() {
    let mut survey = Survey::ready().await;
    let addresses = survey.addresses();
    let smtp = survey.smtp();
    survey.run(&["send", "--smtp", &smtp]).await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12], "the prenotice");
    for mail in survey.catcher.mails() {
        assert_eq!(mail.links(), Vec::<String>::new(), "a prenotice carries no link");
        assert!(mail.text().contains("khaosat.example"), "it says which domain the link will have");
    }
    survey.invite().await.done_with(1).says(&["18/12/2023 08:00"]);

    survey.at(moments::INVITATION);
    survey.run(&["send", "--smtp", &smtp]).await.done();
    assert_eq!(survey.mails_by_person(), vec![2; 12], "the invitation");
    survey.remind().await.done_with(1).says(&["22/12/2023 08:00"]);

    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &addresses[..5], 4).await;
    survey.excuse(6).await.done();
    survey.run(&["decline", "7", "--reason", "by phone", "--document", "note 3"]).await.done();
    survey.at(moments::REMINDER);
    let ran = survey.run(&["remind", "--smtp", &smtp, "--format", "json"]).await.done();
    assert_eq!((number(&ran, "accepted"), number(&ran, "skipped")), (5, 7));
    survey.remind().await.done();
    survey.run(&["send", "--smtp", &smtp]).await.done();
    let expected: Vec<usize> = [2; 7].into_iter().chain([3; 5]).collect();
    assert_eq!(survey.mails_by_person(), expected, "only those who are outstanding and have not declined");

    let mut message_ids = BTreeSet::new();
    for address in &addresses {
        let mails = survey.catcher.mailbox(address);
        let links: BTreeSet<String> = mails[1..].iter().map(|mail| link(mail)).collect();
        assert_eq!(links.len(), 1, "the reminder carries the invitation's link");
        let token = links.first().unwrap().rsplit('/').next().unwrap().to_owned();
        assert_eq!(token.len(), 43);
        for mail in mails {
            assert!(!mail.header_part().contains(&token), "no header carries the link");
            message_ids.insert(mail.header("Message-ID").unwrap());
        }
    }
    assert_eq!(message_ids.len(), survey.catcher.mails().len(), "every mail has a Message-ID of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_id_is_the_same_wherever_the_mail_is_composed() {
    let (one, other) = (Survey::invited().await, Survey::invited().await);
    let mut links = BTreeSet::new();
    for address in one.addresses() {
        let mails = [&one, &other].map(|survey| survey.catcher.mailbox(&address)[0].clone());
        assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
        links.extend(mails.iter().map(|mail| link(mail)));
    }
    assert_eq!(links.len(), 24, "a link depends on the data folder's own secret");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mails_read_as_they_should() {
    let mut survey = Survey::ready().await;
    let address = survey.addresses()[0].clone();
    let smtp = survey.smtp();
    for moment in [moments::PRENOTICE, moments::INVITATION, moments::REMINDER] {
        survey.at(moment);
        survey.run(&["send", "--smtp", &smtp]).await.done();
    }
    let mails = survey.catcher.mailbox(&address);
    assert_eq!(mails.len(), 3);
    for (mail, name) in mails.iter().zip(["prenotice", "invitation", "reminder"]) {
        let mut text = format!("Subject: {}\n\n{}", mail.subject(), mail.text().replace("\r\n", "\n"));
        if name != "prenotice" {
            let link = link(mail);
            let token = link.rsplit('/').next().unwrap();
            assert!(mail.html().contains(token), "the HTML part carries the link too");
            text = text.replace(token, "[token]");
        }
        insta::assert_snapshot!(name, text);
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    }

    // A preview looks the same and reveals nobody.
    let preview = survey.run(&["preview", "invitation"]).await.done().stdout;
    assert!(preview.starts_with("Subject: Thư mời"), "{preview}");
    assert!(preview.contains(&"x".repeat(43)) && !preview.contains("Nguyễn Văn An"), "{preview}");
    assert_eq!(survey.catcher.counts().taken, 36, "a preview sends nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_which_nobody_knows_is_not_followed_by_a_reminder_the_next_day() {
    let mut survey = Survey::ready().await;
    survey.at("2023-12-21T08:00:00+07:00");
    let doubtful = survey.addresses()[0].clone();
    survey.catcher.rescript(Script::new().on(&doubtful, At::Dot, Act::HangUp));
    survey.invite().await;
    survey.catcher.rescript(Script::new());
    assert_eq!(survey.catcher.mailbox(&doubtful).len(), 1, "the relay took it and did not say so");
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(
        survey.catcher.mailbox(&doubtful).len(),
        1,
        "a reminder one working day after a mail that may have left"
    );
    survey.at("2023-12-27T08:00:00+07:00");
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&doubtful).len(), 2, "three working days later it covers the person");
}
