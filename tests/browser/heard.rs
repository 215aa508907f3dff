//! The whole form by ear: only what a screen reader says of a page is known, and only what was heard is acted on.
//!
//! The tree is Chromium's; how each reader words it differs and is not tried.

use parsurvey_tests::reader::{Heard, Reading};

use crate::person::Person;

/// A person who hears the form.
struct Listener {
    person: Person,
    /// Everything said on the way.
    said: Vec<String>,
}

impl Listener {
    async fn sits_down() -> Self {
        let person = Person::at(1280, 900, true).await;
        person.arrive().await;
        Self { person, said: Vec::new() }
    }

    async fn read(&mut self) -> Reading {
        let reading = self.person.chrome.read().await;
        self.said.push(reading.transcript());
        reading
    }

    /// Presses the button of this name on the page as it was read last.
    async fn press(&self, reading: &Reading, button: &str) {
        self.person.chrome.activate_through(reading.only("button", button)).await;
    }

    /// Chooses in every group of the page, in reading order, the radio of this name; the groups' names.
    async fn choose_everywhere(&self, reading: &Reading, choices: &[&str]) -> Vec<String> {
        let groups: Vec<&Heard> = reading.all("radiogroup").collect();
        assert_eq!(groups.len(), choices.len(), "{}", reading.transcript());
        for (group, choice) in groups.iter().zip(choices) {
            self.person.chrome.activate(reading.inside(&group.name, "radio", choice)).await;
        }
        groups.into_iter().map(|group| group.name.clone()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_reader_finishes_the_form_by_what_it_hears() {
    let mut listener = Listener::sits_down().await;
    let landing = listener.read().await;
    assert!(landing.place("heading", "Phiếu khảo sát thử") < landing.place("button", "Bắt đầu trả lời"));
    assert!(landing.0.iter().any(|heard| heard.name.contains("5 câu hỏi, khoảng 2 phút")), "the time it takes is said");
    listener.press(&landing, "Bắt đầu trả lời").await;

    let first = listener.read().await;
    let order = [
        first.place("banner", ""),
        first.place("main", ""),
        first.place("progressbar", "Phần 1/2"),
        first.place("heading", "Công việc hằng ngày"),
        first.place("radiogroup", "Câu 1/5"),
        first.place("radiogroup", "Câu 2/5"),
        first.place("radiogroup", "Câu 3/5"),
        first.place("button", "Tiếp tục"),
        first.place("contentinfo", ""),
    ];
    assert!(order.is_sorted(), "{order:?} in:\n{}", first.transcript());
    assert!(first.all("radiogroup").all(|group| group.has("required")));
    assert!(first.all("radio").all(|radio| radio.has("not checked")), "nothing is chosen in advance");
    let groups = listener.choose_everywhere(&first, &["Rất tốt", "Không có ý kiến", "Kém"]).await;
    let chosen = listener.read().await;
    for (group, radio) in groups.iter().zip(["Rất tốt", "Không có ý kiến", "Kém"]) {
        assert!(chosen.inside(group, "radio", radio).has("checked"), "{group}: {radio}");
    }
    assert_eq!(chosen.all("radio").filter(|radio| radio.has("checked")).count(), 3);
    listener.press(&chosen, "Tiếp tục").await;

    let second = listener.read().await;
    let progress = second.all("progressbar").next().expect("progress is said");
    assert!(progress.name.contains("Đã trả lời 3/5 câu") && progress.has("value 3"), "{progress:?}");
    listener.choose_everywhere(&second, &["Hiếm khi", "Bình thường"]).await;
    listener.press(&second, "Xem lại câu trả lời").await;

    let review = listener.read().await;
    let said: Vec<&str> = review.0.iter().map(|heard| heard.name.as_str()).collect();
    for answer in ["Rất tốt", "Không có ý kiến", "Kém", "Hiếm khi", "Bình thường"] {
        assert!(said.contains(&answer), "{answer} is not in:\n{}", review.transcript());
    }
    assert!(review.all("button").any(|button| button.name == "Sửa Câu 2"), "buttons differ by name");
    listener.press(&review, "Gửi phiếu").await;

    let thanks = listener.read().await;
    assert!(thanks.place("heading", "Phiếu đã được gửi") < thanks.place("contentinfo", ""));
    eprintln!("{}", listener.said.join("\n\n"));
    assert_eq!(listener.person.completed().await, 1);
    listener.person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_missing_is_said_first_and_at_the_question() {
    let mut listener = Listener::sits_down().await;
    let landing = listener.read().await;
    listener.press(&landing, "Bắt đầu trả lời").await;
    let first = listener.read().await;
    listener.person.chrome.activate(first.all("radio").next().expect("there is an option")).await;
    listener.press(&first, "Tiếp tục").await;

    let again = listener.read().await;
    assert!(again.0[0].name.starts_with("Cần xem lại:"), "the page's name says that something is wrong");
    let alert = again.all("alert").next().expect("an alert is said");
    assert!(alert.has("focused") && alert.has("live assertive"), "{alert:?}");
    let wrong: Vec<&Heard> = again.all("radiogroup").filter(|group| group.has("invalid")).collect();
    assert_eq!(wrong.len(), 2, "{}", again.transcript());
    assert!(wrong.iter().all(|group| group.has("described as “Xin chọn một phương án.”")), "{wrong:?}");
    // The summary leads to the question.
    listener.person.chrome.activate(again.only("link", "Câu 2: chưa chọn phương án")).await;
    let there = listener.read().await;
    let focused = there.0.iter().rev().find(|heard| heard.has("focused")).expect("something has the focus");
    assert!(focused.role == "radiogroup" && focused.name.starts_with("Câu 2/5"), "{focused:?}");
    insta::assert_snapshot!("a_section_with_missing_answers_as_it_is_heard", again.transcript());
    listener.person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_in_english_is_said_in_english() {
    let mut listener = Listener::sits_down().await;
    let landing = listener.read().await;
    listener.person.chrome.activate_through(landing.only("link", "English")).await;
    let english = listener.read().await;
    listener.press(&english, "Start answering").await;
    let section = listener.read().await;
    assert_eq!(listener.person.chrome.ask("return document.documentElement.lang").await, "en");
    assert!(section.place("radiogroup", "Question 1 of 5") > section.place("heading", "Daily work"));
    let other = listener.person.chrome.ask("return document.querySelector('.lang').lang").await;
    assert_eq!(other, "vi", "the button to the other language is said in that language");
    listener.person.leave().await;
}
