//! What goes wrong on the way: a forgotten question, the back button, a double tap, two tabs.
//!
//! A lost connection and a dead telephone are not tried: answers live on the open page only.

use parsurvey_tests::chrome::ENTER;

use crate::person::{LANGUAGE, Person, option};

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_question_is_named_where_it_stands_and_loses_nothing() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 2), (3, 4)]).await;
    person.go_on().await;
    assert_eq!(person.chosen().await, ["c1-2", "c3-4"]);
    assert_eq!(person.chrome.text("#c2 .fault").await, "Xin chọn một phương án.");
    assert_eq!(person.chrome.count(".fault").await, 1);
    assert!(person.chrome.client.title().await.unwrap().starts_with("Cần xem lại:"));
    let alert = "return document.activeElement.getAttribute('role')";
    assert_eq!(person.chrome.ask(alert).await, "alert", "the summary is what a screen reader hears first");
    person.chrome.tap(".notice.error a").await;
    let focused = "return document.activeElement.closest('fieldset')?.id ?? document.activeElement.tagName";
    assert_eq!(person.chrome.ask(focused).await, "c2", "the summary leads to the question");
    person.choose(&[(2, 3)]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_form_s_own_back_button_needs_no_answers_and_keeps_those_there_are() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    person.choose(&[(5, 4)]).await;
    person.chrome.tap_through("main form .secondary").await;
    assert_eq!(person.chosen().await, ["c1-1", "c2-2", "c3-3"]);
    person.go_on().await;
    assert_eq!(person.chosen().await, ["c5-4"]);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_s_back_and_forward_keep_answers_and_hand_in_nothing() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.chrome.client.back().await.unwrap();
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    assert_eq!(person.chosen().await, ["c4-4", "c5-5"]);
    person.chrome.client.forward().await.unwrap();
    assert_eq!(person.reviewed().await.len(), 5);
    assert_eq!(person.completed().await, 0);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    // Back from the thanks: the browser was told to forget, so whoever comes next sees no answer.
    person.chrome.client.back().await.unwrap();
    let source = person.chrome.client.source().await.unwrap();
    assert!(!source.contains("Rất tốt") && !source.contains("name=\"q."), "{source}");
    person.chrome.client.refresh().await.unwrap();
    let source = person.chrome.client.source().await.unwrap();
    assert!(!source.contains("Rất tốt") && !source.contains("name=\"q."), "{source}");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_can_be_changed_from_the_review() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    person.chrome.tap_through("button[value='edit.q2']").await;
    assert_eq!(person.chosen().await, ["c1-1", "c2-1", "c3-1"]);
    let top = "return document.getElementById('c2').getBoundingClientRect().top";
    let top = person.chrome.ask(top).await.as_f64().unwrap();
    assert!((0.0..200.0).contains(&top), "the question stands at {top} px, in view");
    person.choose(&[(2, 5)]).await;
    person.go_on().await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Rất kém", "Rất tốt", "Rất phổ biến", "Rất tốt"]);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_language_keeps_every_answer() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 2), (3, 6)]).await;
    person.chrome.tap_through(LANGUAGE).await;
    assert_eq!(person.chrome.text("h1").await, "Daily work");
    assert_eq!(person.chosen().await, ["c1-2", "c3-6"]);
    assert_eq!(person.chrome.count(".fault").await, 0, "a change of language is no step forward");
    person.choose(&[(2, 1)]).await;
    person.go_on().await;
    person.choose(&[(4, 1), (5, 1)]).await;
    person.go_on().await;
    assert_eq!(person.reviewed().await, ["Good", "Very good", "No opinion", "Very common", "Very good"]);
    person.chrome.tap_through(LANGUAGE).await;
    assert_eq!(person.reviewed().await[2], "Không có ý kiến");
    person.go_on().await;
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_double_tap_hands_in_one_form_and_ends_on_a_page_that_makes_sense() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.chrome.mark().await;
    // Two presses before the first reply can have arrived.
    let script = "const button = document.querySelector('main form .primary'); button.click(); button.click()";
    person.chrome.ask(script).await;
    person.chrome.next_page().await;
    let title = person.chrome.text("h1").await;
    let sensible = ["Phiếu đã được gửi", "Phiếu này đã được gửi trước đó"];
    assert!(sensible.contains(&title.as_str()), "{title}");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_of_one_link_make_one_form() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    let first = person.chrome.client.window().await.unwrap();
    let second = person.chrome.client.new_window(true).await.unwrap().handle;
    person.chrome.client.switch_to_window(second).await.unwrap();
    person.answer_up_to_the_review([5, 5, 5, 5, 5]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    person.chrome.client.switch_to_window(first).await.unwrap();
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu này đã được gửi trước đó");
    let body = person.chrome.text("body").await;
    for answer in ["Rất tốt", "Rất kém", "Rất phổ biến"] {
        assert!(!body.contains(answer), "no page shows an answer after the form was handed in");
    }
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enter_in_an_option_never_changes_the_language() {
    let person = Person::at(1280, 900, true).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1)]).await;
    person.chrome.key_through(ENTER).await;
    assert_eq!(person.chrome.count(&option(1, 1)).await, 1);
    assert_eq!(person.chrome.ask("return document.documentElement.lang").await, "vi");
    assert_eq!(person.chrome.count(".fault").await, 2);
    person.leave().await;
}
