//! An operator's acts on people and the calendar: what each changes, what it leaves alone, and what it refuses.
//!
//! Form numbers follow the sample roster, from 1. An answer is never looked at here.

use parsurvey_rehearsal::browser::{Browser, Page};
use parsurvey_tests::{Ran, Serving, Survey, moments};
use serde_json::{Value, json};

const BECAUSE: [&str; 4] = ["--reason", "as the unit wrote", "--document", "12/BNV"];
const LATER: &str = "2024-01-12T23:59:00+07:00";

/// Runs an act with reason and document.
async fn act(survey: &Survey, args: &[&str]) -> Ran {
    let all: Vec<&str> = args.iter().chain(&BECAUSE).copied().collect();
    survey.by_two(&all).await
}

fn replace(form: &str) -> [&str; 6] {
    ["replace", form, "--name", "Lý Thị Thu", "--email", "thu@thitranmau.example"]
}

async fn look(serving: &Serving, path: &str) -> Page {
    Browser::new().unwrap().open(&serving.url(path)).await.unwrap()
}

/// One row of a status.
#[track_caller]
fn row<'a>(status: &'a Value, key: &str) -> &'a Value {
    status["rows"].as_array().unwrap().iter().find(|row| row["key"] == key).expect("the row is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_act_needs_a_reason_and_a_document_and_refuses_a_completed_form() {
    let survey = Survey::invited().await;
    let serving = survey.serve().await;
    survey.answer(&serving, &survey.addresses()[0], 5).await;
    let of = |form: &'static str| -> [Vec<&'static str>; 5] {
        [
            vec!["excuse", form, "--category", "ill"],
            vec!["reinstate", form],
            replace(form).to_vec(),
            vec!["correct-address", form, "--email", "an2@thitranmau.example"],
            vec!["decline", form],
        ]
    };
    let before = survey.status().await;
    for args in of("2").into_iter().chain([vec!["extend", "--until", LATER]]) {
        survey.run(&args).await.done_with(1).says(&["--reason", "--document"]);
        let half: Vec<&str> = args.iter().chain(&BECAUSE[..2]).copied().collect();
        survey.run(&half).await.done_with(1).says(&["needs --document"]);
    }
    for args in of("1") {
        act(&survey, &args).await.done_with(1).says(&["form 1 is completed"]);
    }
    for args in of("99") {
        act(&survey, &args).await.done_with(1).says(&["there is no form 99", "roster list"]);
    }
    act(&survey, &["reinstate", "2"]).await.done_with(1).says(&["not excused"]);
    act(&survey, &["correct-address", "2", "--email", "no address"]).await.done_with(1).says(&["address"]);
    let earlier = "2024-01-10T12:00:00+07:00";
    act(&survey, &["extend", "--until", earlier]).await.done_with(1).says(&["never brought forward"]);
    assert_eq!(survey.status().await, before, "a refused act changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_headline_tells_the_excused_apart_and_counts_them_again_when_reinstated() {
    let mut survey = Survey::invited().await;
    let headline = |counted: [u32; 2], able: [u32; 2]| {
        let share = |[completed, forms]: [u32; 2]| json!({"completed": completed, "forms": forms});
        json!({"counted": share(counted), "able": share(able), "all": share(counted)})
    };
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses()[..2], 5).await;
    assert_eq!(survey.status().await["headline"], headline([2, 12], [2, 12]));
    survey.excuse(3).await.done();
    let status = survey.status().await;
    assert_eq!(status["headline"], headline([2, 12], [2, 11]));
    assert_eq!((&row(&status, "leaders")["excused"], &row(&status, "leaders")["outstanding"]), (&json!(1), &json!(3)));
    let link = survey.link_path(&survey.addresses()[2]);
    let page = look(&serving, &link).await;
    assert!(page.form().is_err(), "an excused person is asked nothing: {}", page.text());
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.mails_by_person()[..4], [1, 1, 1, 2], "and is not reminded");

    act(&survey, &["reinstate", "3"]).await.done();
    assert_eq!(survey.status().await["headline"], headline([2, 12], [2, 12]));
    survey.answer(&serving, &survey.addresses()[2], 4).await;
    assert_eq!(survey.status().await["headline"], headline([3, 12], [3, 12]));
}

#[tokio::test(flavor = "multi_thread")]
async fn replacing_kills_the_old_link_and_invites_the_new_holder() {
    let mut survey = Survey::invited().await;
    let serving = survey.serve().await;
    let old = survey.link_path(&survey.addresses()[1]);
    assert_eq!(look(&serving, &old).await.status, 200);
    act(&survey, &replace("2")).await.done().says(&["invite"]);
    let page = look(&serving, &old).await;
    assert_eq!(page.status, 410, "{}", page.text());
    assert!(page.form().is_err());
    assert_eq!(survey.catcher.counts().taken, 12, "an act sends nothing by itself");

    survey.invite().await.done();
    survey.invite().await.done();
    let mut with_last_word = vec![1; 12];
    with_last_word[1] = 2;
    assert_eq!(survey.mails_by_person(), with_last_word, "the former holder is told so, once, and gets nothing more");
    assert_eq!(survey.catcher.mailbox("thu@thitranmau.example").len(), 1);
    assert_ne!(survey.link_path("thu@thitranmau.example"), old);
    assert_eq!(survey.answer(&serving, "thu@thitranmau.example", 5).await.status, 200);
    let status = survey.status().await;
    assert_eq!(status["headline"]["counted"], json!({"completed": 1, "forms": 12}), "a seat stays one seat");
    assert_eq!(look(&serving, &old).await.status, 410, "the old link does not tell that the form is completed");

    let substitute: Vec<&str> = replace("3").into_iter().chain(["--substitution"]).collect();
    act(&survey, &substitute).await.done_with(1).says(&["no substitution"]);
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.mails_by_person(), vec![2; 12], "the former holder is not reminded");
    assert_eq!(survey.catcher.mailbox("thu@thitranmau.example").len(), 1, "nor is one who has answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_address_gets_the_mails_and_the_wrong_one_no_more() {
    let mut survey = Survey::invited().await;
    let wrong = survey.addresses()[1].clone();
    let right = "binh.tt@thitranmau.example";
    let link = survey.link_path(&wrong);
    act(&survey, &["correct-address", "2", "--email", right]).await.done();
    survey.invite().await.done();
    assert_ne!(survey.link_path(right), link);
    let serving = survey.serve().await;
    assert_eq!(look(&serving, &link).await.status, 410, "the link that lies in the wrong mailbox is dead");
    serving.kill().await;
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    assert_eq!(survey.catcher.mailbox(&wrong).len(), 2, "a last word to the wrong address, and nothing more");
    assert_eq!(survey.catcher.mailbox(right).len(), 2);
    assert_eq!(survey.status().await["headline"]["all"]["forms"], 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_declines_is_reminded_no_more_and_no_status_shows_it() {
    let mut survey = Survey::invited().await;
    let views: [&[&str]; 4] = [
        &["status", "--format", "json"],
        &["status", "--by", "unit", "--format", "csv"],
        &["status", "--by", "group"],
        &["status", "--by", "day", "--format", "json"],
    ];
    act(&survey, &["decline", "4"]).await.done();
    let begun = Survey::invited().await;
    let other = begun.serve().await;
    begin(&begun, &other, &begun.addresses()[3]).await;
    for view in views {
        let (seen, others) = (survey.run(view).await.done().stdout, begun.run(view).await.done().stdout);
        assert_eq!(seen, others, "who declined is seen as one who has begun: {view:?}");
    }
    other.kill().await;
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    let mut expected = vec![2; 12];
    expected[3] = 1;
    assert_eq!(survey.mails_by_person(), expected);
    // The person may think again: the link still works.
    let serving = survey.serve().await;
    assert_eq!(survey.answer(&serving, &survey.addresses()[3], 5).await.status, 200);
    assert_eq!(row(&survey.status().await, "leaders")["completed"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_extended_deadline_keeps_forms_open_and_is_what_mails_say() {
    let mut survey = Survey::invited().await;
    let late = "2024-01-11T12:00:00+07:00";
    survey.at(late);
    let serving = survey.serve().await;
    let link = survey.link_path(&survey.addresses()[0]);
    assert!(look(&serving, &link).await.form().is_err(), "the window has ended");
    survey.remind().await.done_with(1).says(&["deadline has passed", "extend"]);
    act(&survey, &["extend", "--until", LATER]).await.done().says(&["12/01/2024"]);
    assert_eq!(survey.answer(&serving, &survey.addresses()[0], 5).await.status, 200);
    survey.run(&["close"]).await.done_with(1).says(&["13/01/2024 00:29"]);
    survey.remind().await.done();
    let mail = survey.catcher.mailbox(&survey.addresses()[1]).pop().unwrap();
    assert!(mail.text().contains("12/01/2024") && !mail.text().contains("10/01/2024"), "the new deadline is told");
    survey.at("2024-01-13T00:30:00+07:00");
    survey.run(&["close"]).await.done();
    act(&survey, &["extend", "--until", "2024-02-01T00:00:00+07:00"]).await.done_with(1).says(&["too late"]);
    act(&survey, &["decline", "5"]).await.done_with(1).says(&["too late"]);
}

/// Fills in the first page and goes on: the server has received a chosen option.
pub(crate) async fn begin(survey: &Survey, serving: &Serving, address: &str) -> Page {
    let browser = Browser::new().unwrap();
    let landing = browser.open(&serving.url(&survey.link_path(address))).await.unwrap();
    let start = landing.form().unwrap();
    let page = browser.press(&start, &start.buttons[0]).await.unwrap();
    let mut form = page.form().unwrap();
    form.fill(&survey.answers(5));
    browser.press(&form, &form.buttons[0]).await.unwrap()
}

/// Goes on from a page to the end, as a person whose browser stayed open.
async fn finish(survey: &Survey, mut page: Page) -> Page {
    let browser = Browser::new().unwrap();
    loop {
        let mut form = page.form().unwrap();
        form.fill(&survey.answers(5));
        let button = form.buttons[0].clone();
        page = browser.press(&form, &button).await.unwrap();
        if button.1 == "submit" || page.status != 200 {
            return page;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_in_time_may_be_submitted_within_the_grace_and_not_later() {
    let mut survey = Survey::invited().await;
    let addresses = survey.addresses();
    survey.at("2024-01-10T23:50:00+07:00");
    let serving = survey.serve().await;
    let mut pages = Vec::new();
    for address in &addresses[..2] {
        pages.push(begin(&survey, &serving, address).await);
    }
    assert_eq!(row(&survey.status().await, "leaders")["started"], 2);
    let listen = serving.address();
    serving.kill().await;

    survey.at("2024-01-11T00:20:00+07:00");
    let serving = survey.serve_on(&listen).await;
    let landing = look(&serving, &survey.link_path(&addresses[2])).await;
    assert!(landing.form().is_err(), "nobody begins after the deadline: {}", landing.text());
    assert_eq!(finish(&survey, pages.remove(0)).await.status, 200);
    assert_eq!(survey.status().await["headline"]["all"]["completed"], 1);
    survey.run(&["close"]).await.done_with(1).says(&["11/01/2024 00:29"]);
    serving.kill().await;

    survey.at(moments::AFTER);
    let serving = survey.serve_on(&listen).await;
    let page = finish(&survey, pages.remove(0)).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(page.text().contains("Rất tốt"), "what was chosen is shown back: {}", page.text());
    assert_eq!(survey.status().await["headline"]["all"]["completed"], 1, "and not stored");
    serving.kill().await;
    let closed = survey.run(&["close", "--format", "json"]).await.done().json();
    assert_eq!(closed, json!([{"target": "town", "group": "leaders", "ballots": 1}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn status_has_one_contract_by_group_by_unit_and_by_day() {
    let mut survey = Survey::invited().await;
    let addresses = survey.addresses();
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &addresses[..2], 5).await;
    serving.kill().await;
    // Half past midnight in Hà Nội is the day before in UTC.
    survey.at("2023-12-20T00:30:00+07:00");
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &addresses[6..7], 5).await;
    survey.excuse(12).await.done();

    let names = |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    let row_names =
        ["key", "listed", "invited", "rejected", "unknown", "started", "completed", "excused", "outstanding"];
    let numbers = |row: &Value| -> Vec<u64> { row_names[1..].iter().map(|name| row[name].as_u64().unwrap()).collect() };
    for (by, expected) in [
        ("group", [("leaders", [6, 6, 0, 0, 2, 2, 0, 4]), ("staff", [6, 6, 0, 0, 1, 1, 1, 4])].to_vec()),
        (
            "unit",
            [
                ("office", [4, 4, 0, 0, 3, 3, 0, 1]),
                ("finance", [4, 4, 0, 0, 0, 0, 0, 4]),
                ("records", [4, 4, 0, 0, 0, 0, 1, 3]),
            ]
            .to_vec(),
        ),
        ("day", [("2023-12-18", [12, 12, 0, 0, 3, 2, 1, 9]), ("2023-12-20", [12, 12, 0, 0, 3, 3, 1, 8])].to_vec()),
    ] {
        let status = survey.run(&["status", "--by", by, "--format", "json"]).await.done().json();
        assert_eq!(names(&status), ["campaign", "as_of", "headline", "rows"]);
        assert_eq!(status["campaign"], "example-small");
        assert_eq!(status["as_of"], "2023-12-20T00:30:00+07:00");
        assert_eq!(names(&status["headline"]), ["counted", "able", "all"]);
        assert_eq!(names(&status["headline"]["able"]), ["completed", "forms"]);
        assert_eq!(status["headline"]["able"], json!({"completed": 3, "forms": 11}));
        let rows = status["rows"].as_array().unwrap();
        assert!(rows.iter().all(|row| names(row) == row_names), "{status}");
        let found: Vec<(&str, Vec<u64>)> =
            rows.iter().map(|row| (row["key"].as_str().unwrap(), numbers(row))).collect();
        let expected: Vec<(&str, Vec<u64>)> = expected.iter().map(|(key, row)| (*key, row.to_vec())).collect();
        assert_eq!(found, expected, "by {by}");
    }

    let csv = survey.run(&["status", "--by", "group", "--format", "csv"]).await.done().stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3, "one table, one header: {csv}");
    assert_eq!(lines[0], "key,name,listed,invited,rejected,unknown,started,completed,excused,outstanding,percent");
    assert_eq!(lines[1], "leaders,Lãnh đạo,6,6,0,0,2,2,0,4,33.33");

    let rates = survey.run(&["status", "--explain", "--format", "json"]).await.done().stdout;
    for name in ["RR1", "RR6", "COOP1", "REF1", "CON1"] {
        assert!(rates.contains(name), "{name} is not in {rates}");
    }
}
