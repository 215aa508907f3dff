//! Filling in the whole form: by touch without scripts, and by keyboard alone.
//!
//! Voice input and switches are not tried.

use parsurvey_tests::chrome::{Chrome, DOWN, ENTER, SPACE, TAB};

use crate::person::Person;

#[tokio::test(flavor = "multi_thread")]
async fn scripts_off_means_off_and_on_means_on() {
    let page = "data:text/html,<title>quiet</title><script>document.title='loud'</script>";
    for (scripts, title) in [(true, "loud"), (false, "quiet")] {
        let chrome = Chrome::start(360, 740, scripts).await;
        chrome.open(page).await;
        assert_eq!(chrome.client.title().await.unwrap(), title);
        assert_eq!(chrome.ask("return window.innerWidth").await, 980, "a page without a viewport is as on a phone");
        chrome.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_without_scripts_finishes_by_touching_labels_and_buttons() {
    let person = Person::at(360, 740, false).await;
    person.answer_up_to_the_review([2, 1, 6, 4, 5]).await;
    let answers = ["Tốt", "Rất tốt", "Không có ý kiến", "Hiếm khi", "Rất kém"];
    assert_eq!(person.reviewed().await, answers);
    assert_eq!(person.completed().await, 0, "nothing is handed in before the last button");
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_alone_finishes_the_form() {
    let person = Person::at(1280, 900, true).await;
    person.arrive().await;
    reach(&person.chrome, "Bắt đầu trả lời").await;
    person.chrome.key_through(ENTER).await;
    for questions in [3, 2] {
        for place in 0..questions {
            // Space takes the first option of a group, an arrow moves on to the next.
            reach_group(&person.chrome, place).await;
            person.chrome.keys(&[SPACE, DOWN]).await;
        }
        assert_eq!(person.chrome.count("input:checked").await, questions);
        // Enter in an option goes on, it never goes back or changes the language.
        person.chrome.key_through(ENTER).await;
    }
    let answers = ["Tốt", "Tốt", "Tốt", "Phổ biến", "Tốt"];
    assert_eq!(person.reviewed().await, answers);
    reach(&person.chrome, "Gửi phiếu").await;
    person.chrome.key_through(SPACE).await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_sees_where_it_is_and_skips_the_header() {
    let person = Person::at(1280, 900, true).await;
    person.arrive().await;
    person.chrome.keys(&[TAB]).await;
    assert_eq!(focused(&person.chrome).await, "Chuyển đến nội dung chính");
    person.chrome.keys(&[ENTER]).await;
    person.chrome.keys(&[TAB]).await;
    assert_eq!(focused(&person.chrome).await, "Bắt đầu trả lời");
    let outline = person.chrome.ask("return getComputedStyle(document.activeElement).outlineWidth").await;
    assert_eq!(outline, "3px");
    person.leave().await;
}

/// The words on what has the focus.
async fn focused(chrome: &Chrome) -> String {
    let words = chrome.ask("return document.activeElement.innerText || ''").await;
    words.as_str().unwrap().trim().to_owned()
}

/// Presses Tab until the button with these words has the focus.
async fn reach(chrome: &Chrome, words: &str) {
    for _ in 0..40 {
        if focused(chrome).await == words {
            return;
        }
        chrome.keys(&[TAB]).await;
    }
    panic!("Tab never reaches '{words}'");
}

/// Presses Tab until the group of options at this place of the page, from 0, has the focus.
async fn reach_group(chrome: &Chrome, place: usize) {
    let inside = format!("return document.querySelectorAll('fieldset')[{place}].contains(document.activeElement)");
    for _ in 0..40 {
        if chrome.ask(&inside).await == true {
            return;
        }
        chrome.keys(&[TAB]).await;
    }
    panic!("Tab never reaches the question at place {place}");
}
