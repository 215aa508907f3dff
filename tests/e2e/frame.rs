//! Amending the list after the first invitation: what a second list changes, what it must be asked for, and who returns.
//!
//! Files of other formats and faulty lists are tried elsewhere.

use parsurvey_tests::{Ran, Survey, moments};
use serde_json::Value;

const BECAUSE: [&str; 4] = ["--reason", "as the unit wrote", "--document", "12/BNV"];

/// Imports these lines of the survey's own list, under its header.
async fn amend(survey: &Survey, lines: &[String], options: &[&str]) -> Ran {
    let file = survey.folder().join("amended.csv");
    let header = "name,email,group,unit,position".to_owned();
    std::fs::write(&file, [&[header], lines].concat().join("\n")).unwrap();
    let mut args = vec!["roster", "import", file.to_str().unwrap(), "--amend", "--format", "json"];
    args.extend(options);
    survey.by_two(&args).await
}

/// The lines of the survey's own list.
fn lines(survey: &Survey) -> Vec<String> {
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    text.lines().skip(1).map(str::to_owned).collect()
}

/// How many are added, changed, removed and returned.
#[track_caller]
fn numbers(ran: &Ran) -> [u64; 4] {
    ["added", "changed", "removed", "returned"].map(|key| ran.json()[key].as_u64().unwrap())
}

/// Seats of all groups in the frame.
fn forms(status: &Value) -> u64 {
    status["headline"]["all"]["forms"].as_u64().unwrap()
}

async fn invited_with(mut survey: Survey, people: usize) -> Survey {
    survey.with_people(people);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey
}

async fn who_leaves_and_returns_keeps_the_seat(survey: Survey) {
    let survey = invited_with(survey, 14).await;
    let all = lines(&survey);
    let link = survey.link_path(&survey.addresses()[0]);
    amend(&survey, &all[1..], &[]).await.done_with(1).says(&["--reason, --document"]);
    assert_eq!(numbers(&amend(&survey, &all[1..], &BECAUSE).await.done()), [0, 0, 1, 0]);
    assert_eq!(forms(&survey.status().await), 13);
    let again = amend(&survey, &all[1..], &BECAUSE).await.done().says(&["nothing was changed"]);
    assert_eq!(numbers(&again), [0, 0, 0, 0], "the same list again changes nothing");

    let serving = survey.serve().await;
    let page = parsurvey_rehearsal::browser::Browser::new().unwrap().open(&serving.url(&link)).await.unwrap();
    assert_eq!(page.status, 410, "a seat outside the frame asks nothing");
    assert_eq!(numbers(&amend(&survey, &all, &BECAUSE).await.done()), [0, 0, 0, 1]);
    assert_eq!(numbers(&amend(&survey, &all, &BECAUSE).await.done()), [0, 0, 0, 0]);
    assert_eq!(forms(&survey.status().await), 14);
    survey.invite().await.done();
    assert_eq!(survey.mails_by_person(), vec![1; 14], "the invitation was accepted before, and nobody has left");
    let browser = parsurvey_rehearsal::browser::Browser::new().unwrap();
    let page = browser.answer(&serving.url(&link), &survey.answers(5)).await.unwrap();
    assert_eq!(page.status, 200, "the link of old works again: {}", page.text());

    // Without an id, an address and a name are enough to be known again.
    let renamed = all[2].replace("Người thứ 3", "Người thứ ba");
    let readdressed = all[3].replace("p4@", "p4.moi@");
    let mut others = all.clone();
    others.drain(2..4);
    amend(&survey, &others, &BECAUSE).await.done();
    others.extend([renamed, readdressed]);
    assert_eq!(numbers(&amend(&survey, &others, &BECAUSE).await.done()), [0, 0, 0, 2]);
    assert_eq!(forms(&survey.status().await), 14);

    amend(&survey, &all[1..], &BECAUSE).await.done_with(1).says(&["form 1 was submitted", "put the person back"]);
    let log = survey.run(&["log", "--format", "csv"]).await.done().says(&["intact"]).stdout;
    assert_eq!(log.matches("frame_correction").count(), 2 + 2 + 3, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_frame_and_returns_keeps_the_seat() {
    who_leaves_and_returns_keeps_the_seat(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_the_frame_and_returns_keeps_the_seat_on_postgresql() {
    who_leaves_and_returns_keeps_the_seat(Survey::small_on_postgres().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_lost_a_part_removes_nobody_unless_their_number_is_named() {
    let survey = invited_with(Survey::small().await, 24).await;
    let all = lines(&survey);
    let named = |n: &'static str| [&BECAUSE[..], &["--removes", n]].concat();
    amend(&survey, &all[..18], &BECAUSE).await.done_with(1).says(&["removes 6 of 24 seats", "--removes 6"]);
    amend(&survey, &all[..18], &named("5")).await.done_with(1).says(&["--removes names 5"]);
    assert_eq!(forms(&survey.status().await), 24);
    let dry = amend(&survey, &all[..18], &["--dry-run"]).await.done();
    assert_eq!(numbers(&dry), [0, 0, 6, 0], "looking needs neither number nor reason");
    assert_eq!(numbers(&amend(&survey, &all[..18], &named("6")).await.done()), [0, 0, 6, 0]);
    assert_eq!(numbers(&amend(&survey, &all[..13], &BECAUSE).await.done()), [0, 0, 5, 0], "five are few");
    // Six of those left are staff: with two more gone, four would be.
    let fewer: Vec<String> =
        all[..13].iter().enumerate().filter(|(n, _)| ![1, 3].contains(n)).map(|(_, l)| l.clone()).collect();
    let accepted = [&BECAUSE[..], &["--accept", "group-below-k"]].concat();
    amend(&survey, &fewer, &accepted).await.done_with(1).says(&["'staff' has 4 seats", "fewer than 5", "merge it"]);
    assert_eq!(forms(&survey.status().await), 13);
}
