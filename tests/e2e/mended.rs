//! What a run of sending must not do although it would be easy: freeze for nothing, remind too soon, or take a
//! look at one contact for a look at another.

use parsurvey_rehearsal::catcher::{Act, At, Script};
use parsurvey_tests::{Survey, moments};

const BECAUSE: [&str; 2] = ["--reason", "looked at and mended"];

fn declare(survey: &Survey, table: &str) {
    let path = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, format!("{text}\n{table}\n")).unwrap();
}

fn log_lines(log: &str, kind: &str) -> usize {
    log.lines().filter(|line| line.contains(&format!(",{kind},"))).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_refused_freezes_nothing() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    survey.run(&[&["pause"], &BECAUSE[..]].concat()).await.done();
    survey.invite().await.done_with(1).says(&["sending is paused"]);
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert_eq!(log_lines(&log, "frozen"), 0, "{log}");
    survey.run(&[&["resume"], &BECAUSE[..]].concat()).await.done();
    survey.invite().await.done();
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert_eq!(log_lines(&log, "frozen"), 1, "{log}");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_look_is_about_the_mail_that_was_sent_to_be_looked_at() {
    let mut survey = Survey::ready().await;
    declare(&survey, "[sending.canary]\nmailboxes = [\"xem@khaosat.example\"]");
    survey.at(moments::INVITATION);
    let seen = [&["canary", "invitation", "--seen"], &BECAUSE[..]].concat();
    survey.run(&seen).await.done_with(1).says(&["no invitation was sent yet to mailboxes of one's own"]);
    let smtp = survey.smtp();
    survey.run(&["canary", "invitation", "--smtp", &smtp]).await.done();
    survey.run(&seen).await.done();
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
    // The invitation was looked at; the reminder was not.
    survey.at(moments::REMINDER);
    survey.remind().await.done_with(1).says(&["nobody has looked yet at the reminder"]);
    survey.run(&[&["canary", "reminder", "--seen"], &BECAUSE[..]].concat()).await.done_with(1);
    assert_eq!(survey.mails_by_person(), vec![1; 12]);
}
