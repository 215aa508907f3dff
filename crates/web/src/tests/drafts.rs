//! Drafts as the pages use them: gone on with from another tab, device or day, and never handed in unseen.

use super::Browser;
use crate::fixture::FakeDesk;

/// What the page's script sends when an option is chosen in a section.
async fn choose(browser: &Browser, section: &str, code: &str, value: &str) -> u16 {
    let fields = [("paper", "form-a"), ("at", section), (&format!("q.{code}"), value)];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    browser.post("/f/open/save", &fields).await.status.as_u16()
}

#[tokio::test]
async fn a_form_that_was_begun_is_gone_on_with_where_it_is_not_complete() {
    let browser = Browser::new();
    assert_eq!(choose(&browser, "1", "2.3.1", "4").await, 204);
    let landing = browser.get("/f/open").await;
    assert_eq!(landing.attributes("main form button", "value"), ["resume"]);
    assert!(landing.body.contains("Ông/Bà đã trả lời 1/4 câu"), "it says how far the form is");
    assert!(!landing.body.contains("q.2.3.1"), "it does not say what was chosen");
    let first = browser.press(&landing, &[], "resume").await;
    assert_eq!(first.text("h1"), "Xây dựng thể chế");
    assert_eq!(first.count(".notice.error"), 0, "nothing was done wrong");
    assert_eq!(first.answer("2.3.1").as_deref(), Some("4"));

    assert_eq!(choose(&browser, "1", "2.3.2", "~no-opinion").await, 204);
    let second = browser.press(&browser.get("/f/open").await, &[], "resume").await;
    assert_eq!(second.text("h1"), "Chế độ công vụ");
    assert_eq!(choose(&browser, "2", "5.7.4", "1").await, 204);
    let review = browser.press(&browser.get("/f/open").await, &[], "resume").await;
    assert_eq!(review.text("h1"), "Xem lại câu trả lời");
    assert_eq!(browser.press(&review, &[], "submit").await.status.as_u16(), 303);
    assert_eq!(browser.desk.told().stored[0].len(), 3);
}

#[tokio::test]
async fn of_two_tabs_each_adds_to_the_other() {
    let browser = Browser::new();
    let left = browser.press(&browser.get("/f/open").await, &[], "start").await;
    let right = browser.press(&browser.get("/f/open").await, &[], "start").await;
    browser.press(&left, &[("2.3.1", "5"), ("2.3.2", "5")], "next").await;
    let second = browser.press(&right, &[("2.3.2", "2")], "next").await;
    assert_eq!(second.text("h1"), "Chế độ công vụ", "the other tab's answer is not missing here");
    assert_eq!(second.answer("2.3.1").as_deref(), Some("5"));
    assert_eq!(second.answer("2.3.2").as_deref(), Some("2"), "what was chosen last is what counts");
    choose(&browser, "1", "2.3.2", "3").await;
    let review = browser.press(&second, &[("5.7.4", "1")], "next").await;
    assert_eq!(review.answer("2.3.2").as_deref(), Some("3"), "a choice made meanwhile is not undone by an older page");
}

#[tokio::test]
async fn what_is_handed_in_is_what_the_review_showed() {
    let browser = Browser::new();
    let first = browser.press(&browser.get("/f/open").await, &[], "start").await;
    let second = browser.press(&first, &[("2.3.1", "5"), ("2.3.2", "5")], "next").await;
    let review = browser.press(&second, &[("5.7.4", "5")], "next").await;
    choose(&browser, "2", "5.7.4", "1").await;
    choose(&browser, "2", "5.7.5", "1").await;
    browser.press(&review, &[], "submit").await;
    let told = browser.desk.told();
    assert_eq!(told.stored[0].len(), 3, "an answer that the review did not show is not handed in");
    assert!(told.stored[0].values().all(|choice| crate::posted::value_of(choice) == "5"));
}

#[tokio::test]
async fn the_script_is_told_what_became_of_an_answer() {
    let browser = Browser::new();
    assert_eq!(choose(&browser, "1", "2.3.1", "4").await, 204);
    assert_eq!(choose(&browser, "1", "9.9.9", "4").await, 409, "no such question");
    assert_eq!(choose(&browser, "1", "2.3.1", "9").await, 409, "no such option");
    assert_eq!(browser.desk.told().savings, 1);
    assert_eq!(browser.post("/f/unheard/save", &[]).await.status.as_u16(), 409);
    assert_eq!(browser.get("/f/open/save").await.status.as_u16(), 405);
    browser.desk.hand_in();
    assert_eq!(choose(&browser, "1", "2.3.1", "5").await, 409, "handed in");
    let mut full = FakeDesk::new();
    full.full = true;
    assert_eq!(choose(&Browser::with(full, crate::fixture::NOW), "1", "2.3.1", "4").await, 503);
}

#[tokio::test]
async fn a_survey_that_saves_no_drafts_says_so_and_works() {
    let mut desk = FakeDesk::new();
    desk.forgetful = true;
    let browser = Browser::with(desk, crate::fixture::NOW);
    assert_eq!(choose(&browser, "1", "2.3.1", "4").await, 202);
    let landing = browser.get("/f/open").await;
    assert!(landing.body.contains("câu trả lời chỉ nằm trên trang Ông/Bà đang mở"));
    let first = browser.press(&landing, &[], "start").await;
    assert_eq!((first.count("script"), first.count("#saved"), first.count("form[data-save]")), (0, 0, 0));
}
