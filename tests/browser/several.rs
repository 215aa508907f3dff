//! One link in several hands: forwarded, on two devices, pressed twice. One response, and nobody is shown another's.
//!
//! Each device is a browser with a profile of its own.

use parsurvey_rehearsal::browser::Browser;
use parsurvey_tests::chrome::Chrome;

use crate::person::{GO_ON, Person, option, up_to_the_review};

const THANKS: &str = "Phiếu đã được gửi";
const BEFORE: &str = "Phiếu này đã được gửi trước đó";

/// Asserts that a page holds no answer of anybody.
async fn shows_no_answer(chrome: &Chrome) {
    let source = chrome.client.source().await.unwrap();
    for answer in ["Rất tốt", "Rất kém", "Rất phổ biến", "name=\"q."] {
        assert!(!source.contains(answer), "the page holds '{answer}'");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forwarded_link_makes_one_form_and_whoever_comes_second_is_told() {
    let person = Person::with_a_phone().await;
    let colleague = Chrome::start(1280, 900, true).await;
    person.arrive().await;
    person.go_on().await;
    person.choose(&[(1, 1), (2, 2), (3, 3)]).await;
    person.go_on().await;
    colleague.open(&person.link()).await;
    let text = colleague.text("main").await;
    assert!(text.contains("Nếu liên kết được chuyển tiếp cho Ông/Bà, xin không trả lời thay."), "{text}");
    // Whoever holds the link holds the form, also what was saved of it, as another device of the same person does.
    up_to_the_review(&colleague, &person.link(), [5, 5, 5, 5, 5]).await;
    colleague.tap_through(GO_ON).await;
    assert_eq!(colleague.text("h1").await, THANKS);
    // The first person goes on without a warning on the way, and is told at the next step.
    person.choose(&[(4, 1), (5, 1)]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, BEFORE);
    let text = person.chrome.text("main").await;
    assert!(text.contains("Nếu Ông/Bà chưa từng gửi phiếu, xin liên hệ bộ phận hỗ trợ"), "{text}");
    shows_no_answer(&person.chrome).await;
    assert_eq!(person.recorded().await, (1, 1, 0));
    colleague.close().await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_begun_on_a_phone_is_finished_on_a_computer_once() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    let computer = Chrome::start(1280, 900, true).await;
    up_to_the_review(&computer, &person.link(), [2, 2, 2, 2, 2]).await;
    computer.click_through(GO_ON).await;
    assert_eq!(computer.text("h1").await, THANKS);
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, BEFORE);
    shows_no_answer(&person.chrome).await;
    for chrome in [&person.chrome, &computer] {
        chrome.open(&person.link()).await;
        assert_eq!(chrome.text("h1").await, THANKS);
        shows_no_answer(chrome).await;
    }
    assert_eq!(person.recorded().await, (1, 1, 0));
    computer.close().await;
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_posts_in_flight_store_one_form_and_both_get_a_page_that_makes_sense() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    // The page's own fields, sent twelve times at the same moment as a nervous finger on a bad line does.
    let page = person.chrome.client.source().await.unwrap();
    let link = person.link();
    let read = parsurvey_rehearsal::browser::Page { url: link.parse().unwrap(), status: 200, html: page };
    let form = read.form().unwrap();
    let button = form.buttons.iter().find(|button| button.1 == "submit").expect("the review hands in").clone();
    let mut presses = tokio::task::JoinSet::new();
    for _ in 0..12 {
        let (form, button) = (form.clone(), button.clone());
        presses.spawn(async move { Browser::new().unwrap().press(&form, &button).await.unwrap() });
    }
    let pages = presses.join_all().await;
    let titled = |title: &str| pages.iter().filter(|page| page.text().contains(title)).count();
    assert_eq!((titled(THANKS), titled(BEFORE)), (1, 11));
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, BEFORE);
    assert_eq!(person.recorded().await, (1, 1, 0));
    assert_eq!(person.completed().await, 1);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_fast_taps_of_a_finger_hand_in_one_form() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.chrome.mark().await;
    person.chrome.tap_twice(GO_ON).await;
    person.chrome.next_page().await;
    let title = person.chrome.text("h1").await;
    assert!([THANKS, BEFORE].contains(&title.as_str()), "{title}");
    assert_eq!(person.recorded().await, (1, 1, 0));
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_of_one_office_at_one_computer_keep_their_forms_apart() {
    let person = Person::at(1280, 900, true).await;
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    person.go_on().await;
    let other = person.serving.url(&person.survey.link_path(&person.survey.addresses()[1]));
    person.chrome.open(&other).await;
    person.go_on().await;
    assert_eq!(person.chosen().await, [""; 0], "the browser fills in nothing of the person before");
    person.chrome.click(&option(1, 5)).await;
    up_to_the_review(&person.chrome, &other, [5, 5, 5, 5, 5]).await;
    person.go_on().await;
    assert_eq!(person.chrome.text("h1").await, THANKS);
    assert_eq!(person.recorded().await, (2, 2, 0));
    person.leave().await;
}
