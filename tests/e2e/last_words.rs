//! The last word to an address that was given up: true when it leaves, at the pace of all mails, and in nobody's way.
//!
//! Form numbers follow the sample roster, from 1.

use parsurvey_rehearsal::catcher::{Act, At, Reply, Script};
use parsurvey_tests::{Survey, moments, until};
use serde_json::{Value, json};
use sqlx::any::Any;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

const BECAUSE: [&str; 4] = ["--reason", "as the unit wrote", "--document", "12/BNV"];

async fn invited(survey: Survey, declared: &str) -> Survey {
    let mut survey = survey;
    survey.declare(declared);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

/// Corrects an address, by two people.
async fn readdress(survey: &Survey, form: &str, email: &str) {
    survey.by_two(&[&["correct-address", form, "--email", email][..], &BECAUSE].concat()).await.done();
}

fn new(form: usize) -> String {
    format!("moi{form}@thitranmau.example")
}

/// What came to a mailbox after the first mail, which is the invitation: whether each is a last word.
fn last_words(survey: &Survey, address: &str) -> Vec<bool> {
    survey.catcher.mailbox(address)[1..].iter().map(|mail| mail.links().is_empty()).collect()
}

fn total(survey: &Survey) -> usize {
    survey.catcher.mails().len()
}

async fn database(survey: &Survey) -> AnyConnection {
    sqlx::any::install_default_drivers();
    let file = format!("sqlite:{}", survey.data.join("ledger.sqlite").display());
    AnyConnection::connect(survey.database().unwrap_or(&file)).await.unwrap()
}

async fn put_back(survey: Survey) {
    let survey = invited(survey, "").await;
    let old = survey.addresses();
    readdress(&survey, "2", &new(2)).await;
    readdress(&survey, "2", &old[1]).await;
    let replace = ["replace", "3", "--name", "Lý Thị Thu", "--email", "thu@thitranmau.example"];
    survey.by_two(&[&replace[..], &BECAUSE].concat()).await.done();
    let back = ["replace", "3", "--name", "Người cũ", "--email", &old[2]];
    survey.by_two(&[&back[..], &BECAUSE].concat()).await.done();
    survey.invite().await.done().says(&["2 addresses that were given up"]);
    for address in [&old[1], &old[2]] {
        assert_eq!(last_words(&survey, address), [false], "a new invitation, and no word that it was given up");
    }
    for address in [&*new(2), "thu@thitranmau.example"] {
        let mails = survey.catcher.mailbox(address);
        assert_eq!((mails.len(), mails[0].links().len()), (1, 0), "who was named in between is told");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_put_back_is_not_told_to_be_gone() {
    put_back(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_put_back_on_postgresql_is_not_told_to_be_gone() {
    put_back(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_that_fails_holds_up_neither_mails_nor_other_notices() {
    let survey = invited(Survey::small().await, "").await;
    let old = survey.addresses();
    for form in [2, 3] {
        readdress(&survey, &form.to_string(), &new(form)).await;
    }
    // One that cannot be put together, and a relay that turns the first connection away.
    let mut ledger = database(&survey).await;
    let spoil = format!("UPDATE person SET email = 'no address' WHERE email = '{}'", old[1]);
    sqlx::raw_sql(AssertSqlSafe(spoil)).execute(&mut ledger).await.unwrap();
    let busy = Act::Say(Reply::new(421, "4.3.2 busy"));
    survey.catcher.rescript(Script::new().on_connection(survey.catcher.counts().connections + 1, At::Greeting, busy));
    let ran = survey.invite().await.done_with(3);
    let ran =
        ran.says(&["1 addresses that were given up were told so", "are still to be told", "form 2", "valid mail"]);
    assert!(!ran.stderr.contains("no address") && !ran.stderr.contains(&old[2]), "no address is printed");
    let reached: Vec<usize> = [2, 3].iter().map(|form| survey.catcher.mailbox(&new(*form)).len()).collect();
    assert_eq!((reached, last_words(&survey, &old[2])), (vec![1, 1], vec![true]));
    // Mended, it is told.
    let mend = format!("UPDATE person SET email = '{}' WHERE email = 'no address'", old[1]);
    sqlx::raw_sql(AssertSqlSafe(mend)).execute(&mut ledger).await.unwrap();
    survey.invite().await.done();
    assert_eq!((last_words(&survey, &old[1]), last_words(&survey, &old[2])), (vec![true], vec![true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_are_within_the_days_allowance() {
    let mut survey = invited(Survey::small().await, "[sending]\nwarm_up = [14, 20]").await;
    let old = survey.addresses();
    for form in [2, 3, 4] {
        readdress(&survey, &form.to_string(), &new(form)).await;
    }
    survey.invite().await.done_with(3);
    assert_eq!(total(&survey), 14, "no more than the day allows");
    survey.invite().await.done_with(3);
    assert_eq!(total(&survey), 14);
    survey.at("2023-12-19T08:00:00+07:00");
    survey.invite().await.done();
    assert_eq!(total(&survey), 18);
    assert!(old[1..4].iter().all(|address| last_words(&survey, address) == [true]));
}

#[tokio::test(flavor = "multi_thread")]
async fn notices_leave_at_the_pace_and_stop_when_asked_to() {
    let survey = invited(Survey::small().await, "").await;
    let old = survey.addresses();
    for form in [2, 3, 4] {
        readdress(&survey, &form.to_string(), &new(form)).await;
    }
    // One in two minutes: the second is not awaited.
    survey.declare("[sending.every_domain]\nper_minute = 1");
    let smtp = survey.smtp();
    let running = survey.begin(&["invite", "--smtp", &smtp]);
    until("the first notice", async || total(&survey) == 13).await;
    running.interrupt().await;
    running.end().await.done_with(3).says(&["stopped as asked"]);
    assert_eq!(total(&survey), 13, "the others wait");
    let told: usize = old[1..4].iter().map(|address| last_words(&survey, address).len()).sum();
    assert_eq!(told, 1);
    let mut ledger = database(&survey).await;
    let ready: i64 = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM notice WHERE state = 'ready'")
        .fetch_one(&mut ledger)
        .await
        .unwrap();
    assert_eq!(ready, 2, "nothing is claimed that did not leave");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_names_who_was_not_told_and_leaves_no_proposal_open() {
    let mut survey = invited(Survey::small().await, "").await;
    readdress(&survey, "2", &new(2)).await;
    let propose = ["correct-address", "3", "--email", &new(3)];
    survey.run(&[&propose[..], &BECAUSE].concat()).await.done();
    survey.at(moments::AFTER);
    survey.run(&["close"]).await.done().says(&["warning", "was not told so", "form 2", "by another way"]);
    let rows = survey.run(&["proposals", "--format", "json"]).await.done().json();
    let row = &rows.as_array().unwrap()[1];
    assert_eq!((&row["state"], &row["decided_by"]), (&json!("withdrawn"), &json!("tester")));
    assert_eq!(row["why"], json!("the survey was closed"));
    let left: i64 = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM person WHERE email = $1")
        .bind(new(3))
        .fetch_one(&mut database(&survey).await)
        .await
        .unwrap();
    assert_eq!(left, 0, "what was proposed is erased");
    survey.run_as("second", &["approve", "2"]).await.done_with(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_that_cannot_be_put_together_is_tried_again() {
    let mut survey = Survey::small().await;
    survey.declare("[audit]\nanchor_to = \"luu-giu@kiemtoan.example\"");
    survey.set_up().await;
    // No mail can bear a date before 1970.
    survey.at("1969-12-20T08:00:00+07:00");
    let smtp = survey.smtp();
    let anchor = ["audit", "anchor", "--smtp", &smtp];
    survey.run(&anchor).await.done_with(1).says(&["before 1970"]);
    let rows = survey.run(&["audit", "anchors", "--format", "json"]).await.done().json();
    let states: Vec<&Value> = rows.as_array().unwrap().iter().map(|row| &row["state"]).collect();
    assert_eq!(states, [&json!("waiting")], "it is not held as if it might have left");
    survey.run(&anchor).await.done_with(1).says(&["before 1970"]);
    survey.at(moments::INVITATION);
    survey.run(&anchor).await.done();
    assert_eq!(survey.catcher.mailbox("luu-giu@kiemtoan.example").len(), 1);
}
