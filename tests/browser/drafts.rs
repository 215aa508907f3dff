//! What was typed survives: a closed tab, another device, a lost connection, a browser without scripts.
//!
//! That the ledger cannot read it is tried elsewhere.

use parsurvey_tests::chrome::Chrome;
use serde_json::json;

use crate::person::{GO_ON, Person, option};

/// That the page has told the person that answers are in this state.
fn told(state: &str) -> String {
    format!("return document.getElementById('saved').dataset.state === '{state}'")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_tab_loses_nothing() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    assert_eq!(person.chrome.text(GO_ON).await, "Bắt đầu trả lời");
    person.go_on().await;
    assert_eq!(person.chrome.text("#saved").await, "", "nothing was given, so nothing is told");
    person.choose(&[(1, 2), (2, 4)]).await;
    person.chrome.until(&told("saved")).await;
    assert_eq!(person.chrome.text("#saved").await, "Đã lưu tạm các câu trả lời.");
    let first = person.chrome.client.window().await.unwrap();
    let second = person.chrome.client.new_window(true).await.unwrap().handle;
    person.chrome.client.switch_to_window(first).await.unwrap();
    person.chrome.client.close_window().await.unwrap();
    person.chrome.client.switch_to_window(second).await.unwrap();
    person.arrive().await;
    assert_eq!(person.chrome.text(".begun").await, "Ông/Bà đã trả lời 2/5 câu. Các câu trả lời đã được lưu tạm.");
    assert_eq!(person.chrome.text(GO_ON).await, "Trả lời tiếp");
    person.go_on().await;
    assert_eq!(person.chosen().await, ["c1-2", "c2-4"]);
    person.choose(&[(3, 1)]).await;
    person.go_on().await;
    person.choose(&[(4, 1), (5, 1)]).await;
    person.go_on().await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu đã được gửi");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_begun_on_a_phone_is_finished_at_a_desk() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    person.choose(&[(4, 4)]).await;
    person.chrome.until(&told("saved")).await;
    let desk = Chrome::start(1280, 900, true).await;
    desk.open(&person.link()).await;
    desk.tap_through(GO_ON).await;
    assert_eq!(desk.text("h1").await, "Con người và thông tin", "it goes on where the form is not complete");
    desk.tap(&option(5, 5)).await;
    desk.until(&told("saved")).await;
    // The phone's page does not know of the last answer; it is there all the same.
    person.go_on().await;
    let review = ["Rất tốt", "Tốt", "Bình thường", "Hiếm khi", "Rất kém"];
    assert_eq!(person.reviewed().await, review);
    desk.close().await;
    person.go_on().await;
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_given_while_the_server_is_gone_are_saved_when_it_is_back() {
    let mut person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    let address = person.serving.address();
    person.serving.stop().await;
    person.choose(&[(1, 1), (2, 1)]).await;
    person.chrome.until(&told("unsaved")).await;
    assert!(person.chrome.text("#saved").await.contains("tự thử lại"));
    person.serving = person.survey.serve_on(&address).await;
    person.chrome.until(&told("saved")).await;
    person.arrive().await;
    person.go_on().await;
    assert_eq!(person.chosen().await, ["c1-1", "c2-1"]);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_network_the_page_stays_and_a_second_press_goes_through() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 1), (3, 1)]).await;
    let line =
        |offline: bool| json!({ "offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    person.chrome.devtools("Network.enable", json!({})).await;
    person.chrome.devtools("Network.emulateNetworkConditions", line(true)).await;
    person.chrome.tap(GO_ON).await;
    person.chrome.until(&told("offline")).await;
    assert_eq!(person.chosen().await, ["c1-1", "c2-1", "c3-1"]);
    person.chrome.devtools("Network.emulateNetworkConditions", line(false)).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_scripts_every_page_that_is_left_is_saved() {
    let person = Person::at(360, 740, false).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 1), (3, 1)]).await;
    person.go_on().await;
    person.choose(&[(4, 2)]).await;
    // The tab is closed here: what was chosen on this page alone is lost, the page before is not.
    person.arrive().await;
    assert!(person.chrome.text(".begun").await.contains("3/5"));
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
    assert_eq!(person.chosen().await, Vec::<String>::new());
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_handed_in_elsewhere_takes_no_answer_and_says_why() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    person.survey.answer(&person.serving, &person.address, 1).await;
    person.choose(&[(1, 5)]).await;
    person.chrome.until(&told("refused")).await;
    person.choose(&[(2, 5), (3, 5)]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, "Phiếu này đã được gửi trước đó");
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}
