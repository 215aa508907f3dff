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

/// Where a keyboard stands: what it is, whether it can be seen, and how wide the line around it is.
const STOP: &str = "
const at = document.activeElement;
if (at === document.body) return null;
const ring = [at, at.closest('label')].filter(each => each).map(each => getComputedStyle(each))
  .filter(style => style.outlineStyle !== 'none').map(style => parseFloat(style.outlineWidth));
const box = (at.closest('label') ?? at).getBoundingClientRect();
return {
  what: `${at.type ?? at.tagName.toLowerCase()} ${(at.closest('label') ?? at).innerText.trim()}`,
  seen: box.width > 1 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  ring: Math.max(0, ...ring),
}";

/// Presses Tab and asserts that the eye can follow; what has the focus then, `None` once past the end of the page.
async fn tab(chrome: &Chrome) -> Option<String> {
    chrome.keys(&[TAB]).await;
    let stop = chrome.ask(STOP).await;
    if stop.is_null() {
        return None;
    }
    assert_eq!(stop["seen"], true, "what has the focus is out of sight: {stop}");
    assert!(stop["ring"].as_f64().unwrap() >= 3.0, "what has the focus looks like the rest: {stop}");
    Some(stop["what"].as_str().unwrap().to_owned())
}

/// Presses Tab until the button with these words has the focus.
async fn reach(chrome: &Chrome, words: &str) {
    for _ in 0..40 {
        if focused(chrome).await == words {
            return;
        }
        tab(chrome).await;
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
        tab(chrome).await;
    }
    panic!("Tab never reaches the question at place {place}");
}

/// Every stop of Tab on the page as it stands, from the top to its end.
async fn stops(chrome: &Chrome) -> Vec<String> {
    let mut all = Vec::new();
    while let Some(stop) = tab(chrome).await {
        assert!(all.len() < 60, "Tab is caught: {all:?}");
        all.push(stop);
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_stops_follow_the_page_from_top_to_end_and_each_is_seen() {
    let person = Person::at(1280, 900, true).await;
    person.arrive().await;
    let landing = stops(&person.chrome).await;
    let text = |stop: &str| stop.split_once(' ').expect("a stop has words").1.to_owned();
    let order: Vec<String> = landing.iter().map(|stop| text(stop)).collect();
    let expected = ["Chuyển đến nội dung chính", "English", "Bắt đầu trả lời", "Giới hạn của việc giữ kín"];
    assert_eq!(order[..4], expected);
    person.go_on().await;
    let section = stops(&person.chrome).await;
    eprintln!("keyboard, landing: {landing:#?}\nkeyboard, section: {section:#?}");
    // A group that has no choice yet is one stop, not six.
    let radios = section.iter().filter(|stop| stop.starts_with("radio ")).count();
    assert_eq!(radios, 3, "{section:?}");
    let next = section.iter().position(|stop| stop == "submit Tiếp tục").expect("Tab reaches the button");
    let last = section.iter().rposition(|stop| stop.starts_with("radio ")).unwrap();
    assert_eq!(next, last + 1, "the button follows the last question");
    person.leave().await;
}
