//! Calling people back: the same seed draws the same people, each look at them is recorded, and no answer is shown.

use parsurvey_tests::{Ran, Survey};
use serde_json::json;

const BECAUSE: [&str; 4] = ["--reason", "audit of 2023", "--document", "7/KTNN"];

async fn draw(survey: &Survey, n: &str, seed: &str, options: &[&str]) -> Ran {
    let args = ["audit", "callback", "--format", "json", "--n", n, "--seed", seed];
    survey.run(&[&args[..], options].concat()).await
}

async fn events(survey: &Survey, kind: &str) -> usize {
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    log.lines().filter(|line| line.contains(&format!(",{kind},"))).count()
}

async fn drawn_and_called(survey: Survey) {
    let mut survey = survey;
    survey.set_up().await;
    survey.at(parsurvey_tests::moments::INVITATION);
    survey.invite().await.done();
    let serving = survey.serve().await;
    let addresses = survey.addresses();
    survey.everybody_answers(&serving, &addresses[..10], 4).await;

    draw(&survey, "5", "4-2-6", &[]).await.done_with(1).says(&["--reason", "--document"]);
    draw(&survey, "11", "4-2-6", &BECAUSE).await.done_with(1).says(&["11 were asked for", "10 forms are completed"]);
    survey.run(&["audit", "callback", "summary"]).await.done_with(1).says(&["nobody was drawn yet"]);
    assert_eq!(events(&survey, "callback_drawn").await, 0, "a refused draw shows and records nobody");

    let first = draw(&survey, "5", "4-2-6", &BECAUSE).await.done().says(&["5 of 10 completed", "never ask what"]);
    let again = draw(&survey, "5", "4-2-6", &BECAUSE).await.done().says(&["shown again"]);
    assert_eq!(first.stdout, again.stdout, "the same seed draws the same people");
    assert_eq!((events(&survey, "callback_drawn").await, events(&survey, "callback_shown").await), (1, 1));
    let people = first.json().as_array().unwrap().clone();
    assert_eq!(people.len(), 5);
    for person in &people {
        assert!(
            addresses[..10].contains(&person["email"].as_str().unwrap().to_owned()),
            "only who has answered is drawn"
        );
        let keys: Vec<_> = person.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["form", "name", "email", "position", "group", "unit"], "neither an answer nor a time");
    }
    for named in people.iter().map(|person| person["name"].as_str().unwrap()) {
        assert!(!first.stderr.contains(named), "people are on stdout alone");
    }

    let form = |place: usize| people[place]["form"].as_str().unwrap().to_owned();
    let record = async |form: &str, outcome: &str| {
        survey.run(&["audit", "callback", "record", form, "--outcome", outcome]).await
    };
    for (place, outcome) in ["confirmed", "confirmed", "denied", "not-reached"].into_iter().enumerate() {
        record(&form(place), outcome).await.done();
        record(&form(place), outcome).await.done();
    }
    assert_eq!(events(&survey, "callback").await, 4, "the same outcome is recorded once");
    record("11", "confirmed").await.done_with(1).says(&["not among those drawn last"]);
    record(&form(0), "perhaps").await.done_with(2);
    let summary = survey.run(&["audit", "callback", "summary", "--format", "json"]).await.done().json();
    // Three of five are not confirmed: of ten, nine with one confirmed… at most 8, since two of the ten confirmed.
    let total = json!({"group": summary[0]["group"], "population": 10, "drawn": 5, "confirmed": 2, "denied": 1,
        "not_reached": 1, "refused": 0, "open": 1, "not_confirmed_at_most": 8});
    assert_eq!(summary[0], total);

    let grouped = draw(&survey, "5", "4-2-6", &[&["--by", "group"], &BECAUSE[..]].concat()).await.done().json();
    let of = |group: &str| grouped.as_array().unwrap().iter().filter(|person| person["group"] == group).count();
    assert_eq!((of("leaders"), of("staff")), (3, 2), "six leaders and four staff have answered");
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert!(!log.contains("@thitranmau") && !log.contains(people[0]["name"].as_str().unwrap()), "the log names nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_draws_people_to_call_back_and_records_what_they_say() {
    drawn_and_called(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_auditor_draws_people_to_call_back_on_postgresql() {
    drawn_and_called(Survey::small_on_postgres().await).await;
}
