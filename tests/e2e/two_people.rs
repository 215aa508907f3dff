//! Two people: who was invited is changed only when one proposes and another approves; the old link dies, and the old
//! address is told.
//!
//! `tester` proposes, others approve. Form numbers follow the sample roster, from 1.

use parsurvey_rehearsal::browser::Browser;
use parsurvey_rehearsal::catcher::Script;
use parsurvey_tests::{Ran, Serving, Survey, moments};
use serde_json::{Value, json};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const BECAUSE: [&str; 4] = ["--reason", "as the unit wrote", "--document", "12/BNV"];
const NEW: &str = "thu@thitranmau.example";

async fn propose(survey: &Survey, args: &[&str]) -> Ran {
    survey.run(&[args, &BECAUSE].concat()).await
}

fn replace(form: &str) -> [&str; 6] {
    ["replace", form, "--name", "Lý Thị Thu", "--email", NEW]
}

fn readdress<'a>(form: &'a str, email: &'a str) -> [&'a str; 4] {
    ["correct-address", form, "--email", email]
}

async fn status_of(serving: &Serving, path: &str) -> u16 {
    Browser::new().unwrap().open(&serving.url(path)).await.unwrap().status
}

async fn proposals(survey: &Survey) -> Vec<Value> {
    survey.run(&["proposals", "--format", "json"]).await.done().json().as_array().unwrap().clone()
}

/// Name and address of a form's holder.
async fn holder(survey: &Survey, form: &str) -> (String, String) {
    let seats = survey.run(&["roster", "list", "--format", "json"]).await.done().json();
    let seat = seats.as_array().unwrap().iter().find(|seat| seat["form"] == form).unwrap().clone();
    (seat["name"].as_str().unwrap().to_owned(), seat["email"].as_str().unwrap().to_owned())
}

async fn invited(survey: Survey) -> Survey {
    let mut survey = survey;
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

/// The second person is shown who would become who, before anything is done; the log and the list of proposals name nobody.
async fn sees_what_would_change(survey: &Survey, old: &str, before: &(String, String)) {
    let shown = survey.run(&["proposals", "1", "--format", "json"]).await.done().says(&["parsurvey approve 1"]);
    let shown = shown.json();
    let of = |field: &str| {
        let rows = shown["changes"].as_array().unwrap();
        let row = rows.iter().find(|row| row["field"] == field).unwrap();
        (row["old"].as_str().unwrap().to_owned(), row["new"].as_str().unwrap().to_owned())
    };
    assert_eq!(of("name"), (before.0.clone(), "Lý Thị Thu".to_owned()));
    assert_eq!(of("email"), (old.to_owned(), NEW.to_owned()));
    assert!(!of("position").0.is_empty());
    assert_eq!((&shown["can_be_approved"], &shown["proposal"][0]["proposer"]), (&json!(true), &json!("tester")));
    let csv = survey.run(&["proposals", "1", "--format", "csv"]).await.done();
    assert!(csv.stdout.contains(NEW) && !csv.stderr.contains(NEW) && !csv.stderr.contains("Thu"));
    survey.run(&["proposals", "1"]).await.done().says(&["it waits for a second person"]);
    survey.run(&["proposals", "7"]).await.done_with(1).says(&["there is no proposal 7"]);
    let list = survey.run(&["proposals", "--format", "json"]).await.done().stdout;
    assert!(!list.contains(NEW) && !list.contains("Thu"), "the list of proposals names nobody");
}

async fn a_change_waits(survey: Survey) {
    let survey = invited(survey).await;
    let addresses = survey.addresses();
    let serving = survey.serve().await;
    let old = survey.link_path(&addresses[1]);
    let before = holder(&survey, "2").await;
    propose(&survey, &replace("2")).await.done().says(&["proposal 1: form 2", "waits for a second person", "1 mail"]);
    propose(&survey, &replace("2")).await.done().says(&["proposal 1 (it was proposed before)"]);
    assert_eq!(holder(&survey, "2").await, before, "nothing is changed yet");
    assert_eq!(status_of(&serving, &old).await, 200, "and the old link lives");
    sees_what_would_change(&survey, &addresses[1], &before).await;
    for same in ["tester", " Tester", "TESTER ", "tes\u{200B}ter", "ｔester"] {
        survey.run_as(same, &["approve", "1"]).await.done_with(1).says(&["by the same person"]);
    }
    survey.run_as("second", &["approve", "7"]).await.done_with(1).says(&["there is no proposal 7"]);
    survey.run_as("second", &["withdraw", "1", "--reason", "x"]).await.done_with(1).says(&["by another person"]);
    survey.run(&["reject", "1", "--reason", "x"]).await.done_with(1).says(&["by the same person"]);
    assert_eq!(holder(&survey, "2").await, before);

    survey.run_as("second", &["approve", "1"]).await.done().says(&["carried out", "link is dead"]);
    survey.run_as("third", &["approve", "1"]).await.done_with(1).says(&["proposal 1 is approved"]);
    assert_eq!(holder(&survey, "2").await, ("Lý Thị Thu".to_owned(), NEW.to_owned()));
    assert_eq!(status_of(&serving, &old).await, 410, "the old link is dead at once");
    let smtp = survey.smtp();
    let invite = ["invite", "--smtp", &smtp];
    let (one, other) = (survey.begin(&invite), survey.begin(&invite));
    one.end().await;
    other.end().await;
    survey.invite().await.done();
    let told = survey.catcher.mailbox(&addresses[1]);
    assert_eq!(told.len(), 2, "the former holder is told once");
    let word = &told[1];
    assert!(word.text().contains("đã được chuyển cho người khác") && word.text().contains("passed on to another"));
    assert!(word.links().is_empty() && !word.text().contains("Thu") && !word.html().contains(NEW), "it names nobody");
    assert_eq!(survey.catcher.mailbox(NEW).len(), 1);
    assert_eq!(survey.answer(&serving, NEW, 4).await.status, 200);

    let rows = proposals(&survey).await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (&row["state"], &row["proposer"], &row["decided_by"]),
        (&json!("approved"), &json!("tester"), &json!("second"))
    );
    let log = survey.run(&["log", "--format", "json"]).await.done().json();
    let of = |act: &str| log.as_array().unwrap().iter().find(|row| row["act"] == act).unwrap()["actor"].clone();
    assert_eq!((of("proposed"), of("replaced"), of("approved")), (json!("tester"), json!("second"), json!("second")));
    assert!(!log.to_string().contains(NEW) && !log.to_string().contains("Thu"), "the log names nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_people_waits_for_a_second_person() {
    a_change_waits(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_people_on_postgresql_waits_for_a_second_person() {
    a_change_waits(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_since_is_proposed_again() {
    let survey = invited(Survey::small().await).await;
    let serving = survey.serve().await;
    propose(&survey, &replace("2")).await.done();
    propose(&survey, &readdress("2", "binh2@thitranmau.example")).await.done();
    survey.run_as("second", &["approve", "2"]).await.done();
    survey.run(&["proposals", "1"]).await.done().says(&["cannot be approved any more", "propose again"]);
    let shown = survey.run(&["proposals", "2", "--format", "json"]).await.done().says(&["it is approved"]);
    assert_eq!(shown.json()["changes"], json!([]), "what was decided is not kept");
    survey.run_as("second", &["approve", "1"]).await.done_with(1).says(&["has changed since", "propose again"]);
    survey.run(&["withdraw", "1", "--reason", "another way was found"]).await.done();

    // Somebody answers, or is excused, between the proposal and its approval.
    propose(&survey, &replace("3")).await.done();
    survey.answer(&serving, &survey.addresses()[2], 5).await;
    survey.run_as("second", &["approve", "3"]).await.done_with(1).says(&["has changed since"]);
    survey.run_as("second", &["reject", "3", "--reason", "has answered"]).await.done();
    propose(&survey, &readdress("4", NEW)).await.done();
    survey.excuse(4).await.done();
    survey.run_as("second", &["approve", "4"]).await.done_with(1).says(&["has changed since"]);
    let states: Vec<_> = proposals(&survey).await.iter().map(|row| row["state"].as_str().unwrap().to_owned()).collect();
    assert_eq!(states, ["withdrawn", "approved", "rejected", "open"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_approve_at_once_carry_it_out_once() {
    let survey = invited(Survey::small_on_postgres().await).await;
    propose(&survey, &readdress("2", NEW)).await.done();
    let (one, other) = tokio::join!(survey.run_as("one", &["approve", "1"]), survey.run_as("other", &["approve", "1"]));
    assert_eq!(one.code + other.code, 1, "{} {}", one.stderr, other.stderr);
    survey.invite().await.done();
    assert_eq!(survey.catcher.mailbox(NEW).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_list_waits_too_and_each_given_up_address_is_told() {
    let survey = Survey::small().await;
    // With ids, so that somebody with another address is known to be the same person.
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    let numbered =
        |(place, line): (usize, &str)| if place == 0 { format!("id,{line}") } else { format!("VC{place},{line}") };
    let mut list: Vec<String> = text.lines().enumerate().map(numbered).collect();
    std::fs::write(&survey.roster, list.join("\n")).unwrap();
    let survey = invited(survey).await;
    // The second person has another address, the last but one is gone, and somebody is new in the same place.
    let (second, gone) = (survey.addresses()[1].clone(), survey.addresses()[10].clone());
    list[2] = list[2].replace(&second, "binh2@thitranmau.example");
    let post = list[11].split_once(&gone).unwrap().1.to_owned();
    list[11] = format!("VC99,Lý Thị Thu,{NEW}{post}");
    let file = survey.folder().join("amended.csv");
    std::fs::write(&file, list.join("\n")).unwrap();
    let import = ["roster", "import", file.to_str().unwrap(), "--amend", "--format", "json"];
    let ran =
        propose(&survey, &import).await.done().says(&["proposal 1: the list is corrected", "is told at the old one"]);
    let (added, changed, removed) = (&ran.json()["added"], &ran.json()["changed"], &ran.json()["removed"]);
    assert_eq!((added, changed, removed, &ran.json()["proposal"]), (&json!(1), &json!(1), &json!(1), &json!(1)));
    propose(&survey, &import).await.done().says(&["(it was proposed before)"]);
    survey.run_as("Tester", &["approve", "1"]).await.done_with(1);
    let shown = survey.run(&["proposals", "1", "--format", "json"]).await.done().json();
    let rows = shown["changes"].as_array().unwrap().clone();
    let seen = |change: &str, field: &str| {
        let row = rows.iter().find(|row| row["change"] == change && row["field"] == field).unwrap();
        (row["old"].as_str().unwrap().to_owned(), row["new"].as_str().unwrap().to_owned())
    };
    assert_eq!(seen("added", "email"), (String::new(), NEW.to_owned()));
    assert_eq!(seen("changed", "email"), (second.clone(), "binh2@thitranmau.example".to_owned()));
    assert_eq!(seen("removed", "email"), (gone.clone(), String::new()));
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 12], "nothing leaves before it is approved");
    survey.run_as("second", &["approve", "1"]).await.done().says(&["1 people more, 1 changed, 1 removed"]);
    propose(&survey, &import).await.done().says(&["nothing was changed"]);

    survey.catcher.rescript(Script::new().reject(&gone, 550, "5.1.1 no such mailbox"));
    survey.invite().await.done().says(&["1 addresses that were given up"]);
    survey.catcher.rescript(Script::new());
    survey.invite().await.done();
    assert_eq!(survey.catcher.mailbox(&second).len(), 2);
    assert!(survey.catcher.mailbox(&second)[1].text().contains("đã được đổi sang địa chỉ khác"));
    assert_eq!(survey.catcher.mailbox(&gone).len(), 1, "what is refused for good is not tried again");
    let reached: Vec<usize> =
        ["binh2@thitranmau.example", NEW].iter().map(|address| survey.catcher.mailbox(address).len()).collect();
    assert_eq!(reached, [1, 1]);
    assert_eq!(survey.status().await["headline"]["all"]["forms"], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_up_proposal_leaves_nobody_in_the_ledger() {
    let survey = invited(Survey::small().await).await;
    propose(&survey, &replace("2")).await.done();
    propose(&survey, &readdress("3", "chi2@thitranmau.example")).await.done();
    survey.run(&["withdraw", "1"]).await.done_with(1).says(&["needs a reason"]);
    survey.run(&["withdraw", "1", "--reason", "not needed"]).await.done();
    survey.run_as("second", &["reject", "2", "--reason", "not proved"]).await.done();
    let mut ledger = SqliteConnectOptions::new().filename(survey.data.join("ledger.sqlite")).connect().await.unwrap();
    let left: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM person WHERE email IN ($1, 'chi2@thitranmau.example') OR name LIKE '%Thu'",
    )
    .bind(NEW)
    .fetch_one(&mut ledger)
    .await
    .unwrap();
    assert_eq!(left, 0, "what was proposed is erased");
    ledger.close().await.unwrap();
    let list = survey.run(&["roster", "list", "--format", "csv"]).await.done().stdout;
    assert!(!list.contains(NEW) && !list.contains("chi2@"));
    let roster = survey.roster.to_str().unwrap().to_owned();
    propose(&survey, &["roster", "import", &roster, "--amend"]).await.done().says(&["nothing was changed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_anybody_was_invited_and_where_the_campaign_says_so_one_person_is_enough() {
    let survey = Survey::ready().await;
    propose(&survey, &readdress("2", NEW)).await.done().says(&["address corrected"]);
    assert!(proposals(&survey).await.is_empty());

    let survey = Survey::small().await;
    survey.declare("[control]\ntwo_people = false");
    let mut survey = invited(survey).await;
    let old = survey.link_path(&survey.addresses()[1]);
    propose(&survey, &replace("2")).await.done().says(&["replaced"]);
    assert!(proposals(&survey).await.is_empty());
    survey.invite().await.done();
    assert_eq!(survey.catcher.mailbox(&survey.addresses()[1]).len(), 2, "the old address is told all the same");
    let serving = survey.serve().await;
    assert_eq!(status_of(&serving, &old).await, 410);
    // The rule is frozen with the first invitation.
    survey.at(moments::REMINDER);
    let path = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("two_people = false", "two_people = true")).unwrap();
    survey.run(&["status"]).await.done_with(1).says(&["differs from what was frozen", "control"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_independence_page_counts_changes_and_what_followed() {
    let mut survey = invited(Survey::small().await).await;
    let serving = survey.serve().await;
    survey.by_two(&[&replace("2")[..], &BECAUSE].concat()).await.done();
    let again = [&readdress("3", "chi2@thitranmau.example")[..], &BECAUSE].concat();
    survey.by_two(&again).await.done();
    survey.excuse(7).await.done();
    survey.invite().await.done();
    survey.answer(&serving, NEW, 4).await;
    survey.answer(&serving, &survey.addresses()[4], 4).await;
    serving.kill().await;
    survey.at("2023-12-20T08:00:00+07:00");
    let serving = survey.serve().await;
    survey.answer(&serving, "chi2@thitranmau.example", 4).await;
    let callback = ["audit", "callback", "--n", "3", "--seed", "1"];
    survey.run(&[&callback[..], &BECAUSE].concat()).await.done();
    survey.run(&["audit", "callback", "record", "2", "--outcome", "denied"]).await.done();

    let page = survey.run(&["independence", "--format", "json"]).await.done();
    let unit = |key: &str| {
        let page = page.json();
        page["units"].as_array().unwrap().iter().find(|row| row["unit"] == key).unwrap().clone()
    };
    let counts = |key: &str, fields: &[&str]| -> Vec<u64> {
        fields.iter().map(|field| unit(key)[*field].as_u64().unwrap()).collect()
    };
    let fields = ["addresses", "replacements", "excuses", "alone", "changed_forms", "followed", "drawn", "denied"];
    assert_eq!(counts("office", &fields), [0, 1, 1, 0, 1, 1, 1, 1], "{}", page.stdout);
    assert_eq!(counts("finance", &fields), [1, 0, 0, 0, 1, 0, 1, 0], "an answer two days later does not follow");
    assert_eq!(counts("records", &fields), [0, 0, 0, 0, 0, 0, 1, 0]);
    let people = page.json()["people"].clone();
    let pairs: Vec<_> = people
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["unit"].clone(), row["proposer"].clone(), row["by"].clone()))
        .collect();
    assert!(pairs.contains(&(json!("office"), json!("tester"), json!("second tester"))), "{people}");
    for person in ["Thu", NEW, "@thitranmau"] {
        assert!(!page.stdout.contains(person), "the page names nobody of the list");
    }
}
