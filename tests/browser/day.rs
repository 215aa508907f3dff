//! An operator's whole day at the console, in a real browser, over the real program: nothing is done in a terminal but
//! looking whether it was done.

use fantoccini::Locator;
use parsurvey_rehearsal::catcher::{Act, At, Script};
use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::{Serving, Survey, moments};

use crate::office::{Clerk, PASSWORD};

/// Fills fields in by their ids, as a person does; a date goes in whole, because each browser has its own way to type it.
pub(crate) async fn fill(chrome: &Chrome, fields: &[(&str, &str)]) {
    for (id, text) in fields {
        let field = chrome.client.find(Locator::Id(id)).await.unwrap_or_else(|_| panic!("no field {id}"));
        match field.attr("type").await.unwrap().as_deref() {
            Some("radio" | "checkbox") => chrome.click(&format!("label[for='{id}']")).await,
            Some("date" | "datetime-local") => {
                chrome.ask(&format!("document.getElementById('{id}').value = '{text}'")).await;
            }
            _ => field.send_keys(text).await.unwrap(),
        }
    }
}

/// Why, by which document, and yes.
const SURE: [(&str, &str); 4] =
    [("reason", "theo văn bản"), ("document", "45/SNV"), ("document-date", "2023-12-21"), ("confirm", "yes")];
/// The same without a document.
const PLAIN: [(&str, &str); 2] = [("reason", "theo lịch"), ("confirm", "yes")];

/// From a page with a way to an act, through its page, to what was done.
async fn act(chrome: &Chrome, way: &str, fields: &[(&str, &str)]) -> String {
    chrome.click_through(&format!("main a[href*='{way}']")).await;
    assert!(chrome.count(".follows li").await > 0, "{way} says what follows");
    fill(chrome, fields).await;
    chrome.click_through("#do").await;
    assert_eq!(chrome.count("#told").await, 1, "{way}: {}", chrome.text("main").await);
    chrome.text("#told").await
}

async fn open(chrome: &Chrome, serving: &Serving, path: &str) {
    chrome.open(&serving.url(&format!("{path}?lang=vi"))).await;
}

/// The first operator pauses, with a button that is pressed twice.
async fn pause(survey: &Survey, chrome: &Chrome) {
    chrome.click_through(".way a[href^='/console/acts']").await;
    chrome.click_through("main a[href^='/console/acts/pause']").await;
    fill(chrome, &PLAIN).await;
    chrome.mark().await;
    chrome.tap_twice("#do").await;
    chrome.next_page().await;
    chrome.until("return document.querySelector('#told') !== null").await;
    assert_eq!(chrome.text("#told").await, "Đã tạm dừng gửi thư.");
    survey.remind().await.done_with(1).says(&["sending is paused", "nva"]);
    let log = survey.run(&["log", "--format", "json"]).await.done().stdout;
    assert_eq!(log.matches("\"paused\"").count(), 1, "once, however often it is pressed");
}

/// A mail as it will be, in a frame that may do nothing, and then in a mailbox of one's own.
async fn see_a_mail(survey: &Survey, chrome: &Chrome, serving: &Serving) {
    open(chrome, serving, "/console/preview/3").await;
    chrome.client.enter_frame(0).await.unwrap();
    let mail = chrome.text("body").await;
    assert!(mail.contains("Nguyễn Văn A"), "the frame shows the mail: {mail}");
    chrome.client.enter_parent_frame().await.unwrap();
    let own = "chinh-minh@sonoivu.example";
    act(chrome, "/copy", &[&[("email", own)], &PLAIN[..]].concat()).await;
    let mails = survey.catcher.mailbox(own);
    assert!(mails.len() == 1 && mails[0].text().contains("Nguyễn Văn A"), "one copy, for nobody who exists");
    let log = survey.run(&["log", "--format", "csv"]).await.done().stdout;
    assert!(log.matches("copy_asked").count() == 1 && !log.contains(own), "who asked is logged, for where is not");
}

/// The first operator excuses one person, proposes another holder for the next, and goes.
async fn excuse_and_propose(chrome: &Chrome, serving: &Serving) {
    open(chrome, serving, "/console/people/1").await;
    let told = act(chrome, "/excuse", &[&[("category-ill", "")], &SURE[..]].concat()).await;
    assert!(told.contains("phiếu số 1"), "{told}");
    assert!(chrome.text(".facts").await.contains("Được miễn"));
    open(chrome, serving, "/console/people/2").await;
    let holder =
        [("name", "Lý Thị Mới"), ("email", "moi@thitranmau.example"), ("position", "Chuyên viên"), ("kind-frame", "")];
    let told = act(chrome, "/replace", &[&holder[..], &SURE].concat()).await;
    assert!(told.contains("đề nghị số 1"), "{told}");
    open(chrome, serving, "/console/proposals/1").await;
    assert_eq!(chrome.count("main a[href*='/approve']").await, 0, "not by the one who proposed it");
    chrome.click_through(".mine button").await;
}

/// The second operator, who has just logged in, decides, settles what is unknown, and sends.
async fn decide_settle_and_send(chrome: &Chrome, serving: &Serving) {
    open(chrome, serving, "/console/acts").await;
    chrome.click_through("main a[href^='/console/proposals']").await;
    chrome.click_through("tbody th a").await;
    let told = act(chrome, "/approve", &PLAIN).await;
    assert!(told.contains("Đã thực hiện đề nghị số 1"), "{told}");
    open(chrome, serving, "/console/acts").await;
    chrome.click_through("main a[href^='/console/people?state=unknown']").await;
    chrome.click_through("tbody th a").await;
    let told = act(chrome, "/settle", &[&[("said-never", "")], &PLAIN[..]].concat()).await;
    assert!(told.contains("chưa nhận"), "{told}");
    open(chrome, serving, "/console/acts").await;
    assert_eq!(act(chrome, "/console/acts/resume", &PLAIN).await, "Đã cho gửi thư tiếp.");
    let told = act(chrome, "/console/acts/send", &PLAIN).await;
    assert!(told.contains("Đã bắt đầu gửi"), "{told}");
    let page = serving.url("/console/acts/send?lang=vi");
    let ended = async {
        while !chrome.text(".facts").await.contains("Đã xong") {
            chrome.open(&page).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), ended).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_run_a_day_and_the_end_of_a_survey_without_a_terminal() {
    let mut survey = Survey::ready().await;
    survey.at(moments::INVITATION);
    let people = survey.addresses();
    survey.catcher.rescript(Script::new().on(&people[4], At::Dot, Act::HangUp));
    survey.invite().await.done();
    survey.catcher.rescript(Script::new());
    survey.at(moments::REMINDER);
    let relay = survey.smtp();
    let mut serving = survey.serve_with(&["--console-sends", "--smtp", &relay, "--listen", "127.0.0.1:0"]).await;
    survey.answer(&serving, &people[7], 5).await;
    let (mut one, mut other) =
        (Clerk::hired(&survey, "nva", "operator", &[]).await, Clerk::hired(&survey, "nvb", "operator", &[]).await);
    let chrome = Chrome::start(1280, 900, true).await;
    one.arrive(&survey, &serving, &chrome, "vi").await;

    pause(&survey, &chrome).await;
    see_a_mail(&survey, &chrome, &serving).await;
    excuse_and_propose(&chrome, &serving).await;
    open(&chrome, &serving, "/console/setup").await;
    other.set_up(&chrome, serving.now(&survey)).await;
    decide_settle_and_send(&chrome, &serving).await;
    let mails = |who: &str| survey.catcher.mailbox(who).len();
    assert_eq!((mails(&people[0]), mails(&people[7])), (1, 1), "no reminder for the excused and for who has answered");
    assert_eq!(mails("moi@thitranmau.example"), 1, "the new holder's invitation");
    assert!(people[8..].iter().all(|who| mails(who) == 2), "one reminder each");
    chrome.click_through(".mine button").await;

    // After the deadline: close.
    let address = serving.address();
    serving.stop().await;
    survey.at(moments::AFTER);
    serving = survey.serve_on(&address).await;
    open(&chrome, &serving, "/console/login").await;
    one.log_in(&chrome, PASSWORD, serving.now(&survey)).await;
    open(&chrome, &serving, "/console/acts").await;
    let told = act(&chrome, "/console/acts/close", &PLAIN).await;
    assert!(told.contains("Hòm phiếu có 1 phiếu") && told.contains("box.sealed"), "{told}");
    assert!(survey.data.join("out/box.sealed").exists());
    chrome.click_through("main a[href^='/console/acts/close']").await;
    assert_eq!(chrome.count("#do").await, 0, "it is closed once");
    let console = chrome.console().await;
    let ours: Vec<&String> = console.iter().filter(|said| !said.contains("responded with a status")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    chrome.close().await;
    serving.kill().await;
    survey.open().await.done();
}
