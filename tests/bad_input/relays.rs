//! A relay that is absent or turns everybody away, and a port that is taken.
//!
//! Refusals of single recipients are no fault of the operator's and are tried elsewhere.

use parsurvey_rehearsal::catcher::{Catcher, Script};
use parsurvey_tests::{Survey, moments};

use crate::{refused, refused_without_people};

/// A loopback port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn due() -> Survey {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    survey
}

#[tokio::test]
async fn an_absent_relay_keeps_every_mail_for_the_next_run() {
    let survey = due().await;
    let relay = format!("127.0.0.1:{}", free_port());
    let ran = survey.run(&["invite", "--smtp", &relay]).await;
    refused_without_people(ran, 3, &["relay", "0 mails were sent", "0 are unknown", "--smtp", "run the command again"]);
    let status = survey.status().await;
    for key in ["invited", "rejected", "unknown"] {
        assert_eq!(status["rows"][0][key], 0, "{key}");
    }
    survey.invite().await.done();
    assert_eq!(survey.catcher.mails().len(), 12, "everybody once");
    survey.invite().await.done();
    assert_eq!(survey.catcher.mails().len(), 12, "and nobody twice");
}

#[tokio::test]
async fn a_relay_that_turns_us_away_says_why_and_loses_nobody() {
    let survey = due().await;
    let hostile = Catcher::start(Script::new().greeting(554, "5.7.1 this host is not allowed")).await.unwrap();
    let ran = survey.run(&["invite", "--smtp", &hostile.address().to_string()]).await;
    refused_without_people(ran, 3, &["relay", "554", "this host is not allowed", "0 are unknown"]);
    assert_eq!(hostile.counts().taken, 0);
    let status = survey.status().await;
    assert_eq!((&status["rows"][0]["rejected"], &status["rows"][0]["unknown"]), (&0.into(), &0.into()));
    survey.invite().await.done();
    assert_eq!(survey.catcher.mails().len(), 12);
}

#[tokio::test]
async fn a_relay_that_cannot_be_one_is_wrong_usage() {
    let survey = due().await;
    for relay in ["nonsense", "127.0.0.1:smtp", "127.0.0.1:99999", ""] {
        survey.run(&["invite", "--smtp", relay]).await.done_with(2).says(&["--smtp", "HOST:PORT"]);
    }
    assert_eq!(survey.catcher.mails().len(), 0);
}

#[tokio::test]
async fn a_taken_port_is_told_with_its_remedy() {
    let survey = Survey::invited().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = survey.run(&["serve", "--listen", &address]).await;
    refused(ran, 3, &[&address, "taken by another program", "--listen"]);
    for wrong in ["nonsense", "127.0.0.1:99999"] {
        survey.run(&["serve", "--listen", wrong]).await.done_with(2).says(&["--listen", "ADDRESS:PORT"]);
    }
}

#[tokio::test]
async fn nothing_is_sent_too_early_too_late_or_to_nobody() {
    let mut survey = Survey::ready().await;
    refused(survey.invite().await, 1, &["18/12/2023 08:00"]);
    survey.at(moments::REMINDER);
    refused(survey.remind().await, 1, &["nobody was invited"]);
    survey.at(moments::AFTER);
    refused(survey.invite().await, 1, &["deadline has passed", "parsurvey extend"]);
    assert_eq!(survey.catcher.mails().len(), 0);
    let mut empty = Survey::small().await;
    empty.run(&["init", "--self-held"]).await.done();
    empty.at(moments::INVITATION);
    refused(empty.invite().await, 1, &["roster"]);
}
