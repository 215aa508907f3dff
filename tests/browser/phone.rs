//! One question a screen on a phone, and what becomes of a page with large letters, a small screen and long words.
//!
//! Everything is measured by the browser. A system's magnifier and bold letters are not tried.

use parsurvey_tests::chrome::Chrome;
use parsurvey_tests::device::Device;
use parsurvey_tests::{Survey, moments};
use serde_json::Value;

use crate::look::faults;
use crate::person::{GO_ON, Person, option};
use crate::tour::Tour;

/// Where a question and its last option stand on the screen, in px from its top.
async fn place(chrome: &Chrome, question: usize) -> (f64, f64, f64) {
    let script = format!(
        "const card = document.getElementById('c{question}'); const box = card.getBoundingClientRect();
         const options = card.querySelectorAll('.option');
         return [box.top, box.bottom, options[options.length - 1].getBoundingClientRect().bottom]"
    );
    let numbers = chrome.ask(&script).await;
    let number = |at: usize| numbers[at].as_f64().unwrap();
    (number(0), number(1), number(2))
}

async fn height(chrome: &Chrome) -> f64 {
    chrome.ask("return document.documentElement.clientHeight").await.as_f64().unwrap()
}

/// Asserts that this question, and no other, can be read and answered without scrolling.
async fn fills_the_screen(chrome: &Chrome, question: usize) {
    let (top, bottom, last) = place(chrome, question).await;
    let screen = height(chrome).await;
    assert!((-1.0..30.0).contains(&top), "question {question} begins at {top} px");
    assert!(last <= screen, "the last option of question {question} ends at {last} px of {screen}");
    assert!(bottom > screen - 60.0 || chrome.count(&format!("#c{question} .onward")).await == 0);
    for other in ["previousElementSibling", "nextElementSibling"] {
        let script = format!(
            "const other = document.getElementById('c{question}').{other};
             if (!other || !other.matches('.card')) return false;
             const box = other.getBoundingClientRect(); return box.bottom > 30 && box.top < innerHeight - 30"
        );
        assert_eq!(chrome.ask(&script).await, false, "question {question} shares its screen");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_phone_each_question_has_a_screen_of_its_own_without_scripts() {
    for (width, tall) in [(360, 640), (360, 740), (390, 844), (412, 915)] {
        let person = Person::at(width, tall, false).await;
        person.arrive().await;
        person.go_on().await;
        person.choose(&[(1, 2)]).await;
        let (_, _, last) = place(&person.chrome, 1).await;
        let screen = height(&person.chrome).await;
        // Only the smallest phones have to be pushed a little for the first question, which shares its screen.
        assert!(last <= screen + 120.0 && (tall < 700 || last <= screen), "the first ends at {last} px of {screen}");
        for question in [2, 3] {
            person.chrome.tap(&format!("#c{} .onward a", question - 1)).await;
            fills_the_screen(&person.chrome, question).await;
            let focused = person.chrome.ask("return document.activeElement.id").await;
            assert_eq!(focused, format!("c{question}"), "a screen reader goes along");
            person.choose(&[(question, 3)]).await;
        }
        // The phone's back button goes back one question, not out of the form.
        person.chrome.client.back().await.unwrap();
        fills_the_screen(&person.chrome, 2).await;
        assert_eq!(person.chosen().await, ["c1-2", "c2-3", "c3-3"]);
        person.go_on().await;
        assert_eq!(person.chrome.text("h1").await, "Con người và thông tin");
        person.leave().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_changes_one_answer_goes_back_to_the_review_from_that_screen() {
    let person = Person::at(360, 740, false).await;
    person.answer_up_to_the_review([1, 1, 1, 1, 1]).await;
    person.chrome.tap_through("button[value='edit.q2']").await;
    fills_the_screen(&person.chrome, 2).await;
    person.choose(&[(2, 5)]).await;
    person.chrome.tap_through("#c2 .onward button").await;
    assert_eq!(person.reviewed().await, ["Rất tốt", "Rất kém", "Rất tốt", "Rất phổ biến", "Rất tốt"]);
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_desk_a_section_stays_on_one_page() {
    let person = Person::at(1280, 900, false).await;
    person.arrive().await;
    person.go_on().await;
    assert_eq!(person.chrome.count("fieldset").await, 3);
    let shown = "return [...document.querySelectorAll('.onward')].filter(each => each.checkVisibility()).length";
    assert_eq!(person.chrome.ask(shown).await, 0, "no link to a question that is in view anyway");
    let snap = "return getComputedStyle(document.documentElement).scrollSnapType";
    assert_eq!(person.chrome.ask(snap).await, "none");
    for question in 1..=3 {
        let (top, bottom, last) = place(&person.chrome, question).await;
        assert!(bottom - last < 60.0 && bottom - top < 700.0, "question {question} is as tall as it must be");
    }
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_asks_for_a_matrix_or_ticks_all() {
    let person = Person::with_a_phone().await;
    person.arrive().await;
    person.go_on().await;
    for never in ["main table", "input[type=checkbox]", "select", "input:checked"] {
        assert_eq!(person.chrome.count(never).await, 0, "{never}");
    }
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_bears_letters_of_twice_the_size_on_the_smallest_screen() {
    let device = Device::with_window(320, 640).with_text_of(32);
    for lang in ["vi", "en"] {
        let mut tour = Tour::on(&device, lang).await;
        let seen = std::sync::Mutex::new(Vec::new());
        tour.every_page(async |chrome, name| {
            let least =
                "return Math.min(...[...document.querySelectorAll('main p, main span, main dd, main li, .survey span')]
                .filter(each => each.checkVisibility()).map(each => parseFloat(getComputedStyle(each).fontSize)))";
            let size = chrome.ask(least).await.as_f64().unwrap();
            let found = faults(chrome).await;
            let mut seen = seen.lock().unwrap();
            if size < 32.0 {
                seen.push(format!("{name}: a text has {size} px, so it does not follow the reader's own size"));
            }
            seen.extend(found.into_iter().map(|fault| format!("{lang} {name}: {fault}")));
        })
        .await;
        tour.end().await;
        let faults = seen.into_inner().unwrap();
        assert!(faults.is_empty(), "{}", faults.join("\n"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_longer_than_the_screen_breaks() {
    let word = "Nghiêngnghiêngngảngảnghoằnngoèokhúckhuỷuchuệnhchoạngnguệchngoạc".repeat(2);
    let mut survey = Survey::small().await;
    for (file, texts) in [
        ("questionnaire.toml", &["Rất tốt", "Công việc hằng ngày", "Ông/Bà đánh giá thế nào về sự"][..]),
        ("campaign.toml", &["Khảo sát thử", "Tổ khảo sát cải cách hành chính", "Văn phòng thị trấn Mẫu"][..]),
    ] {
        let path = survey.campaign.join(file);
        let mut text = std::fs::read_to_string(&path).unwrap();
        for each in texts {
            assert!(text.contains(each), "{each}");
            text = text.replace(each, &word);
        }
        std::fs::write(path, text).unwrap();
    }
    survey.set_up().await;
    survey.at(moments::INVITATION);
    survey.invite().await.done();
    let serving = survey.serve().await;
    let chrome = Chrome::start(320, 640, false).await;
    chrome.open(&serving.url(&survey.link_path(&survey.addresses()[0]))).await;
    let mut found = faults(&chrome).await;
    for questions in [&[1, 2, 3][..], &[4, 5], &[]] {
        chrome.tap_through(GO_ON).await;
        let long = chrome.ask("return document.body.innerText").await;
        assert!(long.as_str().unwrap().contains(&word), "the word stands on the page");
        found.extend(faults(&chrome).await);
        for &question in questions {
            chrome.tap(&option(question, 1)).await;
        }
    }
    chrome.close().await;
    serving.kill().await;
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reader_s_own_text_size_is_followed_everywhere() {
    let mut sizes = Vec::new();
    for text in [16, 32] {
        let person = Person::on(&Device::with_window(360, 740).with_text_of(text)).await;
        person.arrive().await;
        person.go_on().await;
        let script = "return [...document.querySelectorAll('body *')]
            .filter(each => each.checkVisibility() && each.innerText?.trim())
            .map(each => parseFloat(getComputedStyle(each).fontSize))";
        let Value::Array(found) = person.chrome.ask(script).await else { panic!("sizes are a list") };
        sizes.push(found.iter().map(|size| size.as_f64().unwrap()).collect::<Vec<_>>());
        person.leave().await;
    }
    let (usual, double) = (&sizes[0], &sizes[1]);
    assert_eq!(usual.len(), double.len());
    for (one, two) in usual.iter().zip(double) {
        assert!((two - 2.0 * one).abs() < 0.1, "{one} px became {two} px");
    }
}
