//! What people are told of their data, and whom they can ask or complain to: on every page and in every mail.
//!
//! The walk is over mails that really left and pages that the real server really gave, in both languages.

use parsurvey_rehearsal::browser::Browser;
use parsurvey_tests::{Survey, moments};

const COORDINATOR: &str = "coordinator@thitranmau.example";
/// The helpline and the office outside, as the sample campaign names them.
const CONTACTS: [&str; 4] = ["024 0000 0000", "hotro@khaosat.example", "024 0000 0001", "phananh@thanhtra.example"];

/// Asserts that both languages of a text show every contact.
#[track_caller]
fn shows_contacts(place: &str, vietnamese: &str, english: &str) {
    for (language, text) in [("vi", vietnamese), ("en", english)] {
        for contact in CONTACTS {
            assert!(text.contains(contact), "{place} ({language}) does not show {contact}:\n{text}");
        }
    }
    assert!(vietnamese.contains("Thanh tra huyện Mẫu") && english.contains("Inspectorate of Mau District"), "{place}");
    assert!(vietnamese.contains("notice") && english.contains("notice"), "{place} does not name the notice");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mail_says_whom_to_ask_and_whom_to_complain_to() {
    let mut survey = Survey::small().await;
    survey.set_up().await;
    let smtp = survey.smtp();
    survey.run(&["send", "--smtp", &smtp]).await.done();
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    survey.at(moments::REMINDER);
    survey.remind().await.done();
    survey.run(&["chase", "send", "--smtp", &smtp]).await.done();
    let person = survey.catcher.mailbox(&survey.addresses()[0]);
    assert_eq!(person.len(), 3, "prenotice, invitation, reminder");
    let letters = survey.catcher.mailbox(COORDINATOR);
    assert_eq!(letters.len(), 1);
    for mail in person.iter().chain(&letters) {
        let subject = mail.subject();
        let (text, html) = (mail.text(), mail.html());
        let (vi, en) = text.split_once("----------").expect("the text has two languages");
        shows_contacts(&format!("the text of '{subject}'"), vi, en);
        let (vi, en) = html.split_once("lang=\"en\"").expect("the HTML has two languages");
        shows_contacts(&format!("the HTML of '{subject}'"), vi, en);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_says_whom_to_ask_and_whom_to_complain_to() {
    let mut survey = Survey::invited().await;
    let addresses = survey.addresses();
    let open = survey.link_path(&addresses[0]);
    let declined = survey.link_path(&addresses[1]);
    let excused = survey.link_path(&addresses[2]);
    let browser = Browser::new().unwrap();
    let serving = survey.serve().await;
    survey.excuse(3).await.done();
    survey.answer(&serving, &addresses[3], 4).await;
    let submitted = survey.link_path(&addresses[3]);
    let decline = format!("{declined}/decline");
    let paths = [
        open.as_str(),
        &decline,
        &excused,
        &submitted,
        "/notice",
        "/status",
        "/chase",
        "/f/nobody",
        "/nowhere",
        "/f/x/page",
    ];
    walk(&browser, &serving, &paths).await;
    let first = browser.open(&serving.url(&open)).await.unwrap();
    let mut form = first.form().unwrap();
    let start = form.buttons.first().cloned().expect("a button");
    let section = browser.press(&form, &start).await.unwrap();
    holds_contacts("the first section", &section.html);
    form = section.form().unwrap();
    form.fill(&survey.answers(3));
    let next = form.buttons.iter().find(|(_, value)| value == "next").cloned().expect("a button");
    holds_contacts("the next page", &browser.press(&form, &next).await.unwrap().html);
    serving.kill().await;
    survey.at(moments::AFTER);
    let serving = survey.serve().await;
    walk(&browser, &serving, &[open.as_str(), "/notice"]).await;
    serving.kill().await;
}

/// Opens every path in both languages.
async fn walk(browser: &Browser, serving: &parsurvey_tests::Serving, paths: &[&str]) {
    for path in paths {
        let [vi, en] = [
            browser.open(&serving.url(&format!("{path}?lang=vi"))).await.unwrap().html,
            browser.open(&serving.url(&format!("{path}?lang=en"))).await.unwrap().html,
        ];
        shows_contacts(path, &vi, &en);
    }
}

#[track_caller]
fn holds_contacts(place: &str, html: &str) {
    for contact in CONTACTS {
        assert!(html.contains(contact), "{place} does not show {contact}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_without_a_notice_is_refused_with_the_remedy() {
    let survey = Survey::small().await;
    let file = survey.campaign.join("campaign.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let (before, _) = text.split_once("[notice]").unwrap();
    let (_, after) = text.split_once("[chase]").unwrap();
    std::fs::write(&file, format!("{before}[chase]{after}")).unwrap();
    let ran = survey.run(&["check"]).await.done_with(1);
    assert!(ran.stderr.contains("add 'notice', as [notice]"), "{}", ran.stderr);
}
