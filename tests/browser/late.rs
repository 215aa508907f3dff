//! Time and the line: the closing minute, a long pause, a reload, the back button, a server that is gone for a while.
//!
//! Time is the server's and is passed in; the page that the person has open stays as it is. A phone that dies is not
//! tried.

use crate::person::{LANGUAGE, Person};

const LAST_MINUTE: &str = "2024-01-10T23:58:30+07:00";
const GRACE: &str = "2024-01-11T00:10:00+07:00";
const AFTER: &str = "2024-01-11T00:29:01+07:00";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_begun_in_the_closing_minute_is_taken_in_the_grace() {
    let mut person = Person::with_a_phone().await;
    person.wait_until(LAST_MINUTE).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    person.wait_until(GRACE).await;
    person.choose(&[(4, 4), (5, 5)]).await;
    person.go_on().await;
    let text = person.chrome.text("main").await;
    assert!(text.contains("Đã hết hạn trả lời. Phiếu đã bắt đầu trước thời hạn vẫn được nhận đến 00:29"), "{text}");
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_comes_after_the_grace_is_shown_back_and_not_stored() {
    let mut person = Person::with_a_phone().await;
    person.wait_until(LAST_MINUTE).await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.wait_until(AFTER).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Đã hết hạn, phiếu không được lưu");
    let shown = person.reviewed().await;
    assert_eq!(shown, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"], "what was typed is not lost");
    assert_eq!(person.recorded().await, (1, 0, 1));
    assert_eq!(person.completed().await, 0);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_had_not_begun_is_told_in_the_grace_that_the_survey_is_over() {
    let mut person = Person::at(360, 740, false).await;
    person.wait_until(LAST_MINUTE).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    // Chosen without scripts, so nothing of it had reached the server when the survey ended.
    person.wait_until(GRACE).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Đã hết hạn, phiếu không được lưu");
    assert_eq!(person.reviewed().await[..3], ["Rất tốt", "Tốt", "Bình thường"]);
    assert_eq!(person.recorded().await.1, 0);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_s_pause_on_any_page_loses_nothing() {
    let mut person = Person::with_a_phone().await;
    person.arrive().await;
    person.wait_until("2023-12-18T09:05:00+07:00").await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.wait_until("2023-12-18T10:10:00+07:00").await;
    person.go_on().await;
    person.choose(&[(4, 4), (5, 5)]).await;
    person.wait_until("2023-12-18T11:15:00+07:00").await;
    person.go_on().await;
    person.wait_until("2023-12-19T11:20:00+07:00").await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_posted_page_that_is_loaded_again_keeps_what_it_held() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    person.chrome.client.refresh().await.unwrap();
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    person.choose(&[(4, 4), (5, 5)]).await;
    person.go_on().await;
    person.chrome.client.refresh().await.unwrap();
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.go_on().await;
    person.chrome.client.refresh().await.unwrap();
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi", "a reload of the thanks hands in nothing again");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_back_button_on_every_page_leads_back_one_page_with_its_answers() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    let back = async || {
        person.chrome.client.back().await.unwrap();
        person.chrome.text("h1").await
    };
    assert_eq!(back().await, "Con người và thông tin");
    assert_eq!(person.chosen().await, ["c4-4", "c5-5"]);
    assert_eq!(back().await, "Công việc hằng ngày");
    assert_eq!(person.chosen().await, ["c1-1", "c2-2", "c3-3"]);
    assert_eq!(back().await, "Phiếu khảo sát thử");
    for _ in 0..3 {
        person.chrome.client.forward().await.unwrap();
    }
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    // Back to the first page, another answer there, and forward by the form's own button.
    person.chrome.client.back().await.unwrap();
    person.chrome.client.back().await.unwrap();
    person.choose(&[(2, 5)]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    person.choose(&[(4, 4), (5, 5)]).await;
    person.go_on().await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Rất kém", "Bình thường", "Hiếm khi", "Rất kém"]);
    assert_eq!(person.recorded().await, (1, 0, 0), "going back and forth hands in nothing");
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_when_the_button_is_pressed_costs_a_second_press_and_no_answer() {
    let mut person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.lose_the_line_while_going_on().await;
    assert_eq!(person.recorded().await, (1, 0, 0));
    person.chrome.client.back().await.unwrap();
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_lost_on_the_way_to_the_next_page_costs_no_answer_of_the_page_before() {
    let mut person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.go_on().await;
    assert_eq!(person.chrome.count(".fault").await, 3, "the same page came again, which must not matter");
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.lose_the_line_while_going_on().await;
    person.chrome.client.back().await.unwrap();
    assert_eq!(person.chosen().await, ["c1-1", "c2-2", "c3-3"]);
    person.go_on().await;
    person.choose(&[(4, 4), (5, 5)]).await;
    person.lose_the_line_while_going_on().await;
    person.chrome.client.back().await.unwrap();
    assert_eq!(person.chosen().await, ["c4-4", "c5-5"]);
    person.go_on().await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_again_on_the_browser_s_own_page_hands_in_once() {
    let mut person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.lose_the_line_while_going_on().await;
    // The browser's page offers to try again: that repeats the post.
    person.chrome.client.refresh().await.unwrap();
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_changed_on_every_page_keeps_place_and_answers() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.chrome.tap_through(LANGUAGE).await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.chrome.tap_through(LANGUAGE).await;
    person.go_on().await;
    person.chrome.tap_through(LANGUAGE).await;
    person.choose(&[(4, 4), (5, 5)]).await;
    person.go_on().await;
    person.chrome.tap_through(LANGUAGE).await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"]);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    person.chrome.tap_through(LANGUAGE).await;
    assert_eq!(person.chrome.text("h1").await, "Your form has been submitted");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}
