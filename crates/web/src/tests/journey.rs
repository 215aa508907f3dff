//! The way through the form: nothing preselected, nothing lost, one response.
//!
//! Whether the stored response is sealed is the desk's matter and not tried here.

use parsurvey_desk::respond::Choice;

use super::{Browser, Page};
use crate::fixture::FakeDesk;

const FIRST: [(&str, &str); 2] = [("2.3.1", "5"), ("2.3.2", "~no-opinion")];

async fn review(browser: &Browser) -> Page {
    let landing = browser.get("/f/open").await;
    let first = browser.press(&landing, &[], "start").await;
    let second = browser.press(&first, &FIRST, "next").await;
    browser.press(&second, &[("5.7.4", "3")], "next").await
}

#[tokio::test]
async fn a_form_is_answered_from_link_to_thanks() {
    let browser = Browser::new();
    let landing = browser.get("/f/open").await;
    assert_eq!(landing.text("h1"), "Phiếu khảo sát về cải cách hành chính năm 2023");
    assert!(landing.body.contains("17:00 ngày 29/12/2023"));

    let first = browser.press(&landing, &[], "start").await;
    assert_eq!(first.count("fieldset.card"), 2);
    assert_eq!(first.count("input[checked]"), 0, "nothing is preselected");
    assert_eq!(browser.desk.told().savings, 0, "a press of start writes nothing");

    let second = browser.press(&first, &FIRST, "next").await;
    assert_eq!(second.text("h1"), "Chế độ công vụ");
    assert_eq!(second.count("input[checked]"), 0, "nothing is preselected");
    assert_eq!(second.answer("2.3.1").as_deref(), Some("5"), "answers travel in the form");
    assert_eq!(browser.desk.told().savings, 1, "the first chosen option is a start");

    let review = browser.press(&second, &[("5.7.4", "3")], "next").await;
    assert_eq!(review.text("h1"), "Xem lại câu trả lời");
    assert_eq!(review.count("button.edit"), 4);
    assert_eq!(review.headers["cache-control"], "private, no-cache", "the browser's back button finds the page");
    assert!(review.body.contains("Rất tốt") && review.body.contains("Không có ý kiến"));
    assert!(browser.desk.told().stored.is_empty(), "only submit stores");

    let sent = browser.press(&review, &[], "submit").await;
    assert_eq!(sent.status.as_u16(), 303);
    assert_eq!(sent.headers["location"], "/f/open?lang=vi");
    assert_eq!(sent.headers["clear-site-data"], "\"cache\"", "a page handed in is forgotten");
    let told = browser.desk.told();
    assert_eq!(told.stored.len(), 1);
    let choices: Vec<(&str, &Choice)> = told.stored[0].iter().map(|(code, choice)| (code.as_str(), choice)).collect();
    assert_eq!(choices.len(), 3);
    assert_eq!(choices[1], ("2.3.2", &Choice::NoOpinion));

    let thanks = browser.get("/f/open").await;
    assert_eq!(thanks.text("h1"), "Phiếu đã được gửi");
    assert!(!thanks.body.contains("Rất tốt"), "a used link shows no answer");

    let again = browser.press(&review, &[], "submit").await;
    assert_eq!(again.status.as_u16(), 409);
    assert!(again.body.contains("Mỗi phiếu chỉ được ghi nhận một lần"));
    assert_eq!(browser.desk.told().stored.len(), 1);
}

#[tokio::test]
async fn a_form_can_be_answered_anew_from_blank_where_the_campaign_allows_it() {
    let browser = Browser::with(FakeDesk::revisable(), crate::fixture::NOW);
    browser.press(&review(&browser).await, &[], "submit").await;
    let thanks = browser.get("/f/open").await;
    assert!(thanks.body.contains("Trả lời lại từ đầu") && !thanks.body.contains("Rất tốt"));
    let first = browser.press(&thanks, &[], "start").await;
    assert_eq!((first.text("h1").as_str(), first.count("input[checked]")), ("Xây dựng thể chế", 0));
    assert_eq!(first.count("form[data-save]"), 0, "a draft beside a completion would tell of it");
    let savings = browser.desk.told().savings;
    let second = browser.press(&first, &[("2.3.1", "1"), ("2.3.2", "1")], "next").await;
    let again = browser.press(&second, &[("5.7.4", "1")], "next").await;
    assert_eq!(browser.press(&again, &[], "submit").await.status.as_u16(), 303);
    let told = browser.desk.told();
    assert_eq!((told.stored.len(), told.savings), (1, savings));
    assert!(told.stored[0].values().all(|choice| crate::posted::value_of(choice) == "1"));
    assert_eq!(browser.get("/f/open").await.body, thanks.body, "no page tells that it was answered anew");
}

#[tokio::test]
async fn nothing_is_answered_anew_where_the_campaign_does_not_allow_it_or_no_longer() {
    let late = "2023-12-29T17:30:00+07:00";
    for (desk, now) in [(FakeDesk::new(), crate::fixture::NOW), (FakeDesk::revisable(), late)] {
        let browser = Browser::with(desk, now);
        browser.desk.hand_in();
        let fields = [("paper", "form-a"), ("anew", "yes"), ("at", "review"), ("q.2.3.1", "1"), ("go", "submit")];
        let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let refused = browser.post("/f/open/page", &fields).await;
        assert_eq!((refused.status.as_u16(), refused.text("h1").as_str()), (409, "Phiếu này đã được gửi trước đó"));
        assert!(browser.desk.told().stored[0].is_empty());
        assert_eq!(browser.get("/f/open").await.count("main form"), 0);
    }
}

#[tokio::test]
async fn missing_answers_are_told_at_the_question_and_the_others_kept() {
    let browser = Browser::new();
    let first = browser.press(&browser.get("/f/open").await, &[], "start").await;
    let same = browser.press(&first, &FIRST[..1], "next").await;
    assert_eq!(same.status.as_u16(), 422);
    assert_eq!(same.attributes(".notice.error a", "href"), ["#c2"]);
    assert_eq!(same.attributes("fieldset[aria-invalid]", "id"), ["c2"]);
    assert_eq!(same.attributes("fieldset[aria-invalid]", "aria-describedby"), ["e2"]);
    assert_eq!(same.count("#e2"), 1);
    assert_eq!(same.answer("2.3.1").as_deref(), Some("5"));
    assert!(same.text("title").starts_with("Cần xem lại:"));
}

#[tokio::test]
async fn back_language_and_edit_keep_everything() {
    let browser = Browser::new();
    let first = browser.press(&browser.get("/f/open").await, &[], "start").await;
    let second = browser.press(&first, &FIRST, "next").await;
    let back = browser.press(&second, &[("5.7.4", "1")], "back").await;
    assert_eq!(back.text("h1"), "Xây dựng thể chế");
    for (code, value) in [("2.3.1", "5"), ("2.3.2", "~no-opinion"), ("5.7.4", "1")] {
        assert_eq!(back.answer(code).as_deref(), Some(value), "{code}");
    }

    let address = back.attributes("button.lang", "formaction").remove(0);
    let mut fields = back.fields();
    fields.push(("go".to_owned(), "stay".to_owned()));
    let english = browser.post(&address, &fields).await;
    assert_eq!(english.text("h1"), "Institutions");
    assert_eq!(english.attributes("html", "lang"), ["en"]);
    assert_eq!(english.answer("5.7.4").as_deref(), Some("1"));
    assert!(english.action().starts_with("/f/open/page?lang=en&"), "{}", english.action());

    let review = review(&browser).await;
    let edited = browser.press(&review, &[], "edit.2.3.2").await;
    assert_eq!(edited.text("h1"), "Xây dựng thể chế");
    assert_eq!(edited.answer("2.3.2").as_deref(), Some("~no-opinion"));
    let after = browser.press(&edited, &[("2.3.2", "2")], "review").await;
    assert_eq!(after.text("h1"), "Xem lại câu trả lời");
    assert_eq!(after.answer("2.3.2").as_deref(), Some("2"));
}

#[tokio::test]
async fn an_optional_answer_can_be_taken_back() {
    let browser = Browser::new();
    let review = review(&browser).await;
    let edited = browser.press(&review, &[], "edit.5.7.5").await;
    let chosen = browser.press(&edited, &[("5.7.5", "4")], "review").await;
    assert_eq!(chosen.answer("5.7.5").as_deref(), Some("4"));
    let edited = browser.press(&chosen, &[], "edit.5.7.5").await;
    let blank = browser.press(&edited, &[("5.7.5", "")], "review").await;
    assert_eq!(blank.answer("5.7.5"), None);
    assert!(blank.body.contains("Bỏ trống"));
}

#[tokio::test]
async fn submit_insists_on_every_required_answer() {
    let browser = Browser::new();
    let first = browser.press(&browser.get("/f/open").await, &[], "start").await;
    let sent = browser.press(&first, &FIRST, "submit").await;
    assert_eq!(sent.status.as_u16(), 422);
    assert_eq!(sent.text("h1"), "Chế độ công vụ");
    assert_eq!(sent.attributes("fieldset[aria-invalid]", "id"), ["c3"]);
    assert!(browser.desk.told().stored.is_empty());
}

#[tokio::test]
async fn what_cannot_be_stored_stays_on_the_page() {
    let mut desk = FakeDesk::new();
    desk.full = true;
    let browser = Browser::with(desk, crate::fixture::NOW);
    let review = review(&browser).await;
    let kept = browser.press(&review, &[], "submit").await;
    assert_eq!(kept.status.as_u16(), 503);
    assert_eq!(kept.headers["retry-after"], "30");
    assert!(kept.body.contains("Chưa lưu được"));
    assert_eq!(kept.answer("2.3.1").as_deref(), Some("5"));
    assert_eq!(kept.count("button[value=submit]"), 1);
}

#[tokio::test]
async fn a_desk_that_cannot_be_asked_loses_nothing_either() {
    let before = Browser::new();
    let review = review(&before).await;
    let mut desk = FakeDesk::new();
    desk.broken = true;
    let browser = Browser::with(desk, crate::fixture::NOW);
    let kept = browser.press(&review, &[], "submit").await;
    assert_eq!(kept.status.as_u16(), 503);
    assert_eq!(kept.fields(), review.fields());
    assert_eq!(browser.get("/f/open").await.status.as_u16(), 503);
}

#[tokio::test]
async fn a_late_form_is_shown_back_and_not_stored() {
    let browser = Browser::new();
    let review = review(&browser).await;
    let late = browser.at("2023-12-29T19:00:00+07:00");
    let shown = late.press(&review, &[], "submit").await;
    assert_eq!(shown.status.as_u16(), 403);
    assert_eq!(shown.text("h1"), "Đã hết hạn, phiếu không được lưu");
    assert!(shown.body.contains("Rất tốt"));
    let told = browser.desk.told();
    assert!(told.stored.is_empty());
    assert_eq!(told.late, 1);
    assert_eq!(late.get("/f/open").await.text("h1"), "Khảo sát đã kết thúc");
}

#[tokio::test]
async fn declining_needs_a_choice_and_can_be_taken_back() {
    let browser = Browser::new();
    let page = browser.get("/f/open/decline").await;
    assert_eq!(page.count("input[checked]"), 0);
    let pressed = browser.post(&page.action(), &[]).await;
    assert_eq!(pressed.status.as_u16(), 422);
    assert!(!browser.desk.told().declined, "a press without a choice changes nothing");

    for (value, declined) in [("yes", true), ("no", false)] {
        let done = browser.post(&page.action(), &[("declined".to_owned(), value.to_owned())]).await;
        assert_eq!(done.status.as_u16(), 303);
        assert_eq!(browser.desk.told().declined, declined);
        assert_eq!(browser.get("/f/open").await.body.contains("đã báo không tham gia"), declined);
    }
}

#[tokio::test]
async fn looking_and_pressing_without_a_choice_changes_nothing() {
    let browser = Browser::new();
    let untouched = browser.desk.told();
    for path in ["/f/open", "/f/open/page", "/f/open/decline", "/status", "/chase", "/f/open?lang=en"] {
        for method in [axum::http::Method::GET, axum::http::Method::HEAD] {
            browser.ask(method, path).await;
        }
    }
    let landing = browser.get("/f/open").await;
    let mut page = browser.press(&landing, &[], "start").await;
    for go in ["next", "back", "review", "stay", "submit", "edit.2.3.1"] {
        page = browser.press(&page, &[], go).await;
    }
    assert_eq!(browser.desk.told(), untouched);
}
