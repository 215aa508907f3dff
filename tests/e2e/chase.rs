//! Chasing from outside: each coordinator told once, names only on order and at last, no answer and no refusal ever.
//!
//! Form numbers follow the sample roster, from 1: `office` holds 1, 2, 7 and 8, `finance` 3, 4, 9 and 10, `records` 5, 6,
//! 11 and 12. Letters lie uncompressed in their files, so that a search through the bytes finds what they say.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use parsurvey_rehearsal::browser::Browser;
use parsurvey_rehearsal::catcher::{Act, At, Script};
use parsurvey_tests::{Ran, Survey, moments, read_folder};
use serde_json::{Value, json};

use crate::acts::begin;

/// Long enough for a busy machine; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(60);
const OFFICE: &str = "coordinator@thitranmau.example";
const FINANCE: &str = "taichinh@thitranmau.example";
const DAY: &str = "2023-12-20T08:00:00+07:00";

/// Gives `finance` a coordinator of its own; `records` stays below `office`.
fn with_two_coordinators(survey: &Survey) {
    let file = survey.campaign.join("units.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    let own = format!("office,Trần Thị Tài,{FINANCE}");
    std::fs::write(&file, text.replace("To Tai chinh,office,,", &format!("To Tai chinh,{own}"))).unwrap();
}

/// Invitations are out, one of them was refused, one person has answered and one is excused.
async fn in_the_field(mut survey: Survey) -> Survey {
    with_two_coordinators(&survey);
    survey.set_up().await;
    survey.at(moments::INVITATION);
    let addresses = survey.addresses();
    survey.catcher.rescript(Script::new().reject(&addresses[0], 550, "5.1.1 no such mailbox"));
    survey.invite().await;
    survey.catcher.rescript(Script::new());
    let serving = survey.serve().await;
    survey.answer(&serving, &addresses[4], 5).await;
    serving.kill().await;
    survey.excuse(3).await.done();
    survey.at(DAY);
    survey
}

/// Who was told what, as JSON.
async fn told(survey: &Survey) -> Vec<Value> {
    survey.run(&["chase", "told", "--format", "json"]).await.done().json().as_array().unwrap().clone()
}

/// The letters of the day by file name.
fn letters(survey: &Survey) -> BTreeMap<String, Vec<u8>> {
    read_folder(&survey.data.join("out/chase"))
}

fn holds(bytes: &[u8], words: &str) -> bool {
    bytes.windows(words.len()).any(|window| window == words.as_bytes())
}

/// The names of the roster, in file order.
fn people(survey: &Survey) -> Vec<String> {
    let text = std::fs::read_to_string(&survey.roster).unwrap();
    text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
}

fn send_args(smtp: &str) -> [&str; 6] {
    ["chase", "send", "--smtp", smtp, "--format", "json"]
}

/// One number of the table that `chase send` prints.
#[track_caller]
fn number(ran: &Ran, key: &str) -> u64 {
    ran.json()[0][key].as_u64().unwrap_or_else(|| panic!("no {key} in {}", ran.stdout))
}

async fn each_is_told_once(survey: Survey) {
    survey.run(&["chase", "letters"]).await.done_with(1);
    let mut survey = in_the_field(survey).await;
    let chase = survey.run(&["chase", "--format", "json"]).await.done().json();
    let office = json!({"key": "office", "listed": 4, "not_delivered": 1, "silent": 3, "started": 0, "excused": 0, "completed": 0, "outstanding": 4});
    assert_eq!(chase["units"][0], office);
    assert_eq!((&chase["units"][1]["excused"], &chase["units"][2]["completed"]), (&json!(1), &json!(1)));
    assert_eq!((&chase["total"]["outstanding"], &chase["groups"][0]["outstanding"]), (&json!(10), &json!(4)));

    let (one, other) = (survey.begin(&["chase", "letters"]), survey.begin(&["chase", "letters"]));
    one.end().await.done();
    other.end().await.done();
    let first = letters(&survey);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(names, ["2023-12-20/all units.docx", "2023-12-20/finance.docx", "2023-12-20/office.docx"]);
    survey.run(&["chase", "letters"]).await.done().says(&["2 letters", "0 of them new"]);
    assert_eq!(letters(&survey), first, "the same day and counts make the same letter");
    assert_eq!(told(&survey).await.len(), 2, "each is recorded once");
    assert!(
        holds(&first["2023-12-20/office.docx"], "Tổ Tư pháp - Hộ tịch"),
        "a unit without a coordinator is told above"
    );
    assert!(!holds(&first["2023-12-20/office.docx"], "Tổ Tài chính"), "a unit with its own is not");

    let smtp = survey.smtp();
    let args = send_args(&smtp);
    let (one, other) = (survey.begin(&args), survey.begin(&args));
    let (one, other) = (one.end().await.done(), other.end().await.done());
    assert_eq!(number(&one, "told") + number(&other, "told"), 2);
    let again = survey.run(&args).await.done();
    assert_eq!((number(&again, "told"), number(&again, "already")), (0, 2));
    assert_eq!([OFFICE, FINANCE].map(|address| survey.catcher.mailbox(address).len()), [1, 1]);

    // The next morning with the same counts: other letters, since they are dated, and other mails.
    survey.at("2023-12-21T08:00:00+07:00");
    survey.run(&["chase", "letters"]).await.done().says(&["2 of them new"]);
    assert_eq!(number(&survey.run(&args).await.done(), "told"), 2);
    let rows = told(&survey).await;
    let seen: Vec<_> =
        rows.iter().map(|row| [&row["day"], &row["how"], &row["state"]].map(|cell| cell.as_str().unwrap())).collect();
    let of = |day| [[day, "docx", "made"], [day, "docx", "made"], [day, "mail", "told"], [day, "mail", "told"]];
    assert_eq!(seen, [of("2023-12-20"), of("2023-12-21")].concat());
    assert!(rows.iter().all(|row| row["by"] == "tester" && row["named"] == false && row["document"] == ""));
    let hashes: BTreeSet<&str> = rows.iter().map(|row| row["sha256"].as_str().unwrap()).collect();
    assert_eq!(hashes.len(), 8);

    nobody_and_nothing_is_named(&survey).await;
    survey.run(&["log"]).await.done().says(&["is intact"]);
}

/// Neither letters nor mails hold a person, an answer or a link.
async fn nobody_and_nothing_is_named(survey: &Survey) {
    let files = letters(survey);
    let mails = [OFFICE, FINANCE].map(|address| survey.catcher.mailbox(address)).concat();
    let log = survey.run(&["log", "--format", "json"]).await.done().stdout;
    for person in people(survey) {
        assert!(files.values().all(|bytes| !holds(bytes, &person)), "{person} is named");
        assert!(mails.iter().all(|mail| !mail.text().contains(&person) && !mail.html().contains(&person)), "{person}");
        assert!(!log.contains(&person), "{person}");
    }
    let file = survey.campaign.join("questionnaire.toml");
    let options = std::fs::read_to_string(file).unwrap();
    let options: Vec<&str> = options.split("vi = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    for words in options.into_iter().filter(|words| words.len() > 12) {
        assert!(files.values().all(|bytes| !holds(bytes, words)), "'{words}' stands in a letter");
    }
    for mail in &mails {
        assert_eq!(mail.links(), Vec::<String>::new(), "a coordinator gets no link");
        assert_eq!(mail.header("Auto-Submitted").as_deref(), Some("auto-generated"));
    }
    assert!(!log.contains(OFFICE) && !log.contains(FINANCE), "the log names no address");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coordinator_is_told_once() {
    each_is_told_once(Survey::small().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_coordinator_is_told_once_on_postgresql() {
    each_is_told_once(Survey::small_on_postgres().await).await;
}

/// Everything that a unit can see of a survey.
async fn all_that_a_unit_sees(survey: &Survey) -> Vec<String> {
    let smtp = survey.smtp();
    survey.run(&["chase", "letters", "--names"]).await.done();
    survey.run(&["chase", "send", "--names", "--smtp", &smtp]).await.done();
    let mut seen = vec![survey.run(&["chase", "--format", "json"]).await.done().stdout];
    let hex = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    seen.extend(letters(survey).into_iter().map(|(name, bytes)| format!("{name} {}", hex(bytes))));
    for address in [OFFICE, FINANCE] {
        let mails = survey.catcher.mailbox(address).into_iter();
        seen.extend(mails.map(|mail| format!("{}\n{}\n{}", mail.subject(), mail.text(), mail.html())));
    }
    let serving = survey.serve().await;
    for path in ["/chase?live=no", "/status?live=no"] {
        seen.push(Browser::new().unwrap().open(&serving.url(path)).await.unwrap().text());
    }
    serving.kill().await;
    // Shifted by the seconds that the server has run.
    seen.iter().map(|text| text.replace("08:01", "08:00")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_letter_page_or_list_tells_who_declined_from_who_has_begun() {
    let mut surveys = Vec::new();
    for _ in 0..2 {
        let survey = in_the_field(Survey::small().await).await;
        let order = ["chase", "order", "--document", "9/BNV", "--reason", "last wave"];
        survey.run(&order).await.done();
        surveys.push(survey);
    }
    let [declining, beginning] = &mut surveys[..] else { panic!("there are two") };
    let because = ["--reason", "by phone", "--document", "note 3"];
    declining.run(&[&["decline", "4"], &because[..]].concat()).await.done();
    let serving = beginning.serve().await;
    begin(beginning, &serving, &beginning.addresses()[3]).await;
    serving.kill().await;
    for day in [moments::REMINDER, "2023-12-25T08:00:00+07:00"] {
        declining.at(day);
        beginning.at(day);
        let (one, other) = (all_that_a_unit_sees(declining).await, all_that_a_unit_sees(beginning).await);
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(&other) {
            assert!(one == other, "a unit can tell them apart:\n{one}\n{other}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_wait_for_the_order_and_the_last_reminder() {
    let mut survey = in_the_field(Survey::small().await).await;
    let smtp = survey.smtp();
    let named_letters = ["chase", "letters", "--names"];
    let named_mails = ["chase", "send", "--names", "--smtp", &smtp];
    for args in [&named_letters[..], &named_mails] {
        survey.run(args).await.done_with(1).says(&["organiser's order", "chase order"]);
    }
    survey.run(&["chase", "order", "--reason", "last wave"]).await.done_with(1).says(&["--document"]);
    survey.run(&["chase", "order", "--document", "9/BNV-CCHC"]).await.done_with(1).says(&["--reason"]);
    survey.run(&["chase", "order", "--document", "9/BNV-CCHC", "--reason", "last wave"]).await.done();
    for args in [&named_letters[..], &named_mails] {
        survey.run(args).await.done_with(1).says(&["last reminder", "22/12/2023 08:00"]);
    }
    assert!(told(&survey).await.is_empty() && survey.catcher.mailbox(OFFICE).is_empty(), "nothing was told");

    survey.at(moments::REMINDER);
    let because = ["--reason", "by phone", "--document", "note 3"];
    survey.run(&[&["decline", "2"], &because[..]].concat()).await.done();
    let serving = survey.serve().await;
    begin(&survey, &serving, &survey.addresses()[6]).await;
    serving.kill().await;
    // Without being asked for, names stay out although they are allowed.
    survey.run(&["chase", "letters"]).await.done();
    let people = people(&survey);
    let files = letters(&survey);
    assert!(people.iter().all(|person| files.values().all(|bytes| !holds(bytes, person))));

    survey.run(&named_letters).await.done();
    survey.run(&named_mails).await.done();
    let files = letters(&survey);
    let named =
        |text: &dyn Fn(&str) -> bool| -> Vec<usize> { (1..=12).filter(|form| text(&people[form - 1])).collect() };
    // 1 was not reached, 2 declined, 5 answered, 7 has begun.
    let office = &files["2023-12-22/office.docx"];
    assert_eq!(named(&|person| holds(office, person)), [1, 6, 8, 11, 12]);
    assert!(holds(office, "9/BNV-CCHC"));
    // 3 is excused.
    assert_eq!(named(&|person| holds(&files["2023-12-22/finance.docx"], person)), [4, 9, 10]);
    assert_eq!(named(&|person| holds(&files["2023-12-22/all units.docx"], person)), Vec::<usize>::new());
    let mail = survey.catcher.mailbox(OFFICE).pop().unwrap();
    assert_eq!(named(&|person| mail.text().contains(person)), [1, 6, 8, 11, 12]);
    insta::assert_snapshot!("chase_mail_with_names", mail.text().replace("\r\n", "\n"));
    let rows = told(&survey).await;
    let documents: Vec<_> = rows.iter().map(|row| (row["named"] == true, row["document"].as_str().unwrap())).collect();
    let (plain, named) = ((false, ""), (true, "9/BNV-CCHC"));
    assert_eq!(documents, [plain, plain, named, named, named, named]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_of_unknown_outcome_is_held_and_only_the_unsent_go() {
    let survey = in_the_field(Survey::small().await).await;
    let smtp = survey.smtp();
    let args = send_args(&smtp);
    let absent = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    survey.run(&send_args(&absent)).await.done_with(3).says(&["--smtp"]);
    assert!(told(&survey).await.is_empty(), "an absent relay leaves no claim behind");

    survey.catcher.rescript(Script::new().on(OFFICE, At::Dot, Act::Silence));
    let before = survey.catcher.counts().taken;
    let running = survey.begin(&args);
    survey.catcher.taken(before + 1, PATIENCE).await.unwrap();
    running.kill().await;
    let shown: Vec<Value> = told(&survey).await;
    assert_eq!((shown.len(), &shown[0]["unit"], &shown[0]["state"]), (1, &json!("office"), &json!("unknown")));

    survey.catcher.rescript(Script::new().reject(FINANCE, 550, "5.1.1 no such mailbox <taichinh@thitranmau.example>"));
    let ran = survey.run(&args).await.done_with(1).says(&["are held", "550", "units.csv"]);
    assert!(!ran.stderr.contains(FINANCE), "no address in what is said: {}", ran.stderr);
    assert_eq!((number(&ran, "told"), number(&ran, "refused"), number(&ran, "unknown")), (0, 1, 1));
    survey.catcher.rescript(Script::new());
    let ran = survey.run(&args).await.done();
    assert_eq!((number(&ran, "told"), number(&ran, "unknown")), (1, 1));
    assert_eq!([OFFICE, FINANCE].map(|address| survey.catcher.mailbox(address).len()), [1, 1]);
    assert!(!survey.run(&["log", "--format", "json"]).await.done().stdout.contains(FINANCE));
    let digest = survey.run(&["digest", "--format", "json"]).await.done().json();
    assert_eq!((&digest["trouble"]["letters_unknown"], &digest["trouble"]["letters_refused"]), (&json!(1), &json!(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_and_the_mail_read_as_they_should() {
    let survey = in_the_field(Survey::small().await).await;
    let smtp = survey.smtp();
    insta::assert_snapshot!("digest", survey.run(&["digest"]).await.done().stdout);
    let send = ["digest", "--send", "--smtp", &smtp];
    survey.run(&send).await.done().says(&["sent to the operator"]);
    survey.run(&send).await.done().says(&["already"]);
    let digests = survey.catcher.mailbox("hotro@khaosat.example");
    assert_eq!(digests.len(), 1, "the digest goes to reply_to where no operator is named, once a day");
    assert_eq!(
        digests[0].subject(),
        "Bản tin khảo sát: 1/12 phiếu, còn 10 / Survey digest: 1/12 forms, 10 outstanding"
    );
    for person in people(&survey) {
        assert!(!digests[0].text().contains(&person) && !digests[0].html().contains(&person));
    }
    survey.run(&send_args(&smtp)).await.done();
    let mail = survey.catcher.mailbox(OFFICE).pop().unwrap();
    insta::assert_snapshot!(
        "chase_mail",
        format!("Subject: {}\n\n{}", mail.subject(), mail.text().replace("\r\n", "\n"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_without_a_chase_says_what_to_add_and_one_that_is_over_chases_nobody() {
    let mut survey = in_the_field(Survey::small().await).await;
    survey.at(moments::AFTER);
    survey.run(&["chase", "letters"]).await.done_with(1).says(&["deadline has passed", "extend"]);
    survey.at(DAY);
    let file = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("[chase]").unwrap();
    std::fs::write(&file, before).unwrap();
    survey.run(&["chase", "letters"]).await.done_with(1).says(&["does not say who chases", "[chase]"]);
    survey.run(&["chase"]).await.done();
}
