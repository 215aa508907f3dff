//! What a link shows when there is nothing to answer: before, after, excused, replaced, handed in.
//!
//! What the ledger holds is not looked at; only what a person sees.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::{Survey, moments};

use crate::person::{GO_ON, Person};

/// Opens a path at a moment and returns title and page.
async fn opened(survey: &Survey, chrome: &Chrome, path: &str) -> (String, String) {
    let serving = survey.serve().await;
    chrome.open(&serving.url(path)).await;
    let page = (chrome.text("h1").await, chrome.text("main").await);
    assert_eq!(chrome.count("input, main form").await, 0, "there is nothing to fill in");
    serving.kill().await;
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_handed_in_says_so_and_shows_no_answer() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    person.go_on().await;
    for path in ["", "?lang=vi"] {
        person.chrome.open(&format!("{}{path}", person.link())).await;
        assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
        assert_eq!(person.chrome.count(GO_ON).await, 0);
        let source = person.chrome.client.source().await.unwrap();
        for answer in ["Rất tốt", "Rất phổ biến", "q1", "q5"] {
            assert!(!source.contains(answer), "the page holds '{answer}'");
        }
    }
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn before_and_after_the_window_a_page_says_when() {
    let mut survey = Survey::invited().await;
    let chrome = Chrome::start(360, 740, true).await;
    let path = survey.link_path(&survey.addresses()[0]);
    survey.at(moments::PRENOTICE);
    let (title, text) = opened(&survey, &chrome, &path).await;
    assert_eq!(title, "Khảo sát chưa bắt đầu");
    assert!(text.contains("18/12/2023"), "{text}");
    survey.at(moments::AFTER);
    let (title, _) = opened(&survey, &chrome, &path).await;
    assert_eq!(title, "Khảo sát đã kết thúc");
    survey.run(&["close"]).await.done();
    let (title, _) = opened(&survey, &chrome, &path).await;
    assert_eq!(title, "Khảo sát đã kết thúc");
    chrome.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_excused_form_and_a_replaced_link_say_what_to_do() {
    let survey = Survey::invited().await;
    let chrome = Chrome::start(360, 740, true).await;
    let addresses = survey.addresses();
    survey.excuse(1).await.done();
    let (title, _) = opened(&survey, &chrome, &survey.link_path(&addresses[0])).await;
    assert_eq!(title, "Ông/Bà được miễn trả lời");
    let replaced = ["replace", "2", "--name", "Lý Thị Mới", "--email", "moi@thitranmau.example"];
    let why = ["--substitution", "--reason", "moved", "--document", "13/BNV"];
    // The sample does not allow substitution: an office holder who was missed is a correction of the frame.
    survey.by_two(&[&replaced[..], &why[..]].concat()).await.done_with(1);
    survey.by_two(&[&replaced[..], &why[1..]].concat()).await.done();
    let (title, text) = opened(&survey, &chrome, &survey.link_path(&addresses[1])).await;
    assert_eq!(title, "Liên kết không còn hiệu lực");
    assert!(!text.contains("Mới"), "the page names nobody");
    chrome.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_link_and_a_lost_path_say_what_to_do() {
    let survey = Survey::invited().await;
    let chrome = Chrome::start(360, 740, true).await;
    let path = survey.link_path(&survey.addresses()[0]);
    let (title, _) = opened(&survey, &chrome, &path[..path.len() - 4]).await;
    assert_eq!(title, "Liên kết không đúng");
    let (title, _) = opened(&survey, &chrome, "/nowhere").await;
    assert_eq!(title, "Không có trang này");
    chrome.close().await;
}
