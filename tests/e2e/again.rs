//! Mails that did not arrive: which way back there is, who must ask for it, and what stays as it is.
//!
//! The relay refuses as scripted; every test counts the mails that reached the catcher.

use parsurvey_rehearsal::catcher::{Act, At, Reply, Script};
use parsurvey_tests::{Survey, moments};

const BECAUSE: [&str; 2] = ["--reason", "the relay was mended"];

/// Sends with a way back.
async fn again(survey: &Survey, command: &str, state: &str) -> parsurvey_tests::Ran {
    let smtp = survey.smtp();
    survey.run(&[&[command, "--smtp", &smtp, "--again", state][..], &BECAUSE].concat()).await
}

fn refusing(addresses: &[String]) -> Script {
    addresses
        .iter()
        .fold(Script::new(), |script, address| script.reject(address, 550, "5.0.0 sender khaosat not allowed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_refuses_everybody_is_told_in_its_words_and_can_be_asked_again() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    survey.catcher.rescript(refusing(&survey.addresses()));
    survey.invite().await.done_with(1).says(&[
        "refused every mail of this run for good (12)",
        "550",
        "sender khaosat not allowed",
        "--again rejected",
    ]);
    survey.catcher.rescript(Script::new());
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![0; 12], "nothing is sent again by itself");
    let smtp = survey.smtp();
    survey.run(&["invite", "--smtp", &smtp, "--again", "rejected"]).await.done_with(2).says(&["--reason"]);

    survey.excuse(1).await.done();
    again(&survey, "invite", "rejected").await.done().says(&["11 mails that were rejected"]);
    let expected: Vec<usize> = std::iter::once(0).chain([1; 11]).collect();
    assert_eq!(survey.mails_by_person(), expected, "the excused one is owed nothing");
    again(&survey, "invite", "rejected").await.done().says(&["0 mails that were rejected"]);
    again(&survey, "send", "rejected").await.done();
    assert_eq!(survey.mails_by_person(), expected);
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert_eq!(log.lines().filter(|line| line.contains(",again,") && line.contains("mended")).count(), 1, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_among_others_is_no_fault_of_the_run() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    survey.catcher.rescript(refusing(&survey.addresses()[..1]));
    let ran = survey.invite().await.done();
    assert!(!ran.stderr.contains("refused every mail"), "{}", ran.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_mail_is_sent_again_when_asked_and_no_sender_can_have_it_any_more() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let third = survey.addresses()[2].clone();
    survey.catcher.rescript(Script::new().on(&third, At::Dot, Act::HangUp));
    let smtp = survey.smtp();
    survey.run(&["invite", "--smtp", &smtp, "--connections", "1"]).await.done();
    assert_eq!(survey.mails(Some("unknown")).await.len(), 1);
    let before = survey.catcher.mailbox(&third).len();
    survey.catcher.rescript(Script::new());
    again(&survey, "invite", "rejected").await.done().says(&["0 mails"]);
    again(&survey, "invite", "unknown").await.done().says(&["1 mails that were unknown"]);
    assert_eq!(survey.catcher.mailbox(&third).len(), before + 1);
    assert_eq!(survey.mails(Some("accepted")).await.len(), 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_cannot_be_put_together_waits_and_holds_up_nobody() {
    let mut survey = Survey::invited().await;
    survey.at(moments::REMINDER);
    let addresses = survey.addresses();
    let full = Act::Say(Reply::new(452, "4.2.2 mailbox full"));
    let script =
        addresses[..3].iter().fold(Script::new(), |script, address| script.on(address, At::Rcpt, full.clone()));
    survey.catcher.rescript(script);
    survey.remind().await.done_with(3);
    assert_eq!(survey.mails(Some("waiting")).await.len(), 3);

    // The contact whose mails wait is gone from the folder, and somebody new is owed an invitation.
    let file = survey.campaign.join("campaign.toml");
    let whole = std::fs::read_to_string(&file).unwrap();
    let place = whole.rfind("[[contact]]").unwrap();
    let rest = whole[place + 1..].find("\n[").map_or("", |next| &whole[place + 1 + next..]);
    std::fs::write(&file, format!("{}{rest}", &whole[..place])).unwrap();
    survey.catcher.rescript(Script::new());
    survey.at("2023-12-22T09:00:00+07:00");
    let because = ["--reason", "wrong", "--document", "1/KS"];
    let correct = ["correct-address", "12", "--email", "quynh2@thitranmau.example"];
    survey.by_two(&[&correct[..], &because].concat()).await.done();
    let ran = survey.invite().await.done_with(1);
    let ran = ran.says(&["no longer has", "form 1, 2, 3", "nobody else was held up", "put the contact back"]);
    assert!(ran.stdout.contains('1'), "what was sent is shown: {}", ran.stdout);
    assert_eq!(survey.catcher.mailbox("quynh2@thitranmau.example").len(), 1);
    assert_eq!(survey.mails(Some("waiting")).await.len(), 3, "they wait as before");
    assert_eq!(survey.mails(Some("rejected")).await.len() + survey.mails(Some("unknown")).await.len(), 0);

    std::fs::write(&file, whole).unwrap();
    survey.remind().await.done();
    // The last has two mails of before, and the last word.
    assert_eq!(survey.mails_by_person(), [[2; 11].as_slice(), &[3]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_prenotice_is_not_sent_after_the_invitation() {
    let mut survey = Survey::ready().await;
    let first = survey.addresses()[0].clone();
    let full = Act::Say(Reply::new(452, "4.2.2 mailbox full"));
    survey.catcher.rescript(Script::new().on(&first, At::Rcpt, full));
    let smtp = survey.smtp();
    survey.run(&["send", "--smtp", &smtp]).await.done_with(3);
    survey.catcher.rescript(Script::new());
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let expected: Vec<usize> = std::iter::once(1).chain([2; 11]).collect();
    assert_eq!(survey.mails_by_person(), expected);
    let cancelled = survey.mails(Some("cancelled")).await;
    assert_eq!((cancelled.len(), cancelled[0]["kind"].as_str()), (1, Some("prenotice")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_keeps_three_working_days_from_the_invitation() {
    let mut survey = Survey::ready().await;
    survey.at("2023-12-21T08:00:00+07:00");
    survey.invite().await.done();
    survey.at(moments::REMINDER);
    survey.remind().await.done().says(&["12 not sent", "working days"]);
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    // Friday, Monday, Tuesday.
    survey.at("2023-12-26T08:00:00+07:00");
    survey.remind().await.done();
    assert_eq!(survey.mails_by_person(), vec![2; 12]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seat_stays_invited_when_its_address_is_corrected() {
    let survey = Survey::invited().await;
    let invited = |status: serde_json::Value| -> u64 {
        status["rows"].as_array().unwrap().iter().map(|row| row["invited"].as_u64().unwrap()).sum()
    };
    let args = ["correct-address", "2", "--email", "b@thitranmau.example", "--reason", "r", "--document", "d"];
    survey.by_two(&args).await.done();
    assert_eq!(invited(survey.status().await), 12);
}
