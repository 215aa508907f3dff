//! What every page owes its reader, measured by the browser: width, sizes, contrast, quiet.
//!
//! `look.js` holds the measures. Whether a page is understood is for people to say.

use parsurvey_tests::chrome::Chrome;
use serde_json::json;

use crate::person::Person;
use crate::tour::Tour;

/// Faults of the page as it stands.
pub(crate) async fn faults(chrome: &Chrome) -> Vec<String> {
    let faults = chrome.ask(include_str!("look.js")).await;
    faults.as_array().unwrap().iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
}

async fn every_page_is_readable(lang: &'static str) {
    let mut tour = Tour::in_language(lang).await;
    let seen = std::sync::Mutex::new(Vec::new());
    tour.every_page(async |chrome, name| {
        for (width, dark) in [(320, false), (360, true), (1280, false)] {
            chrome.dark(dark).await;
            chrome.resize(width, 740).await;
            let found = faults(chrome).await;
            let place = format!("{name} at {width} px, {}", if dark { "dark" } else { "light" });
            seen.lock().unwrap().extend(found.into_iter().map(|fault| format!("{place}: {fault}")));
        }
    })
    .await;
    let faults = seen.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    let requests = tour.chrome.requests().await;
    assert!(requests.len() > 40, "the requests were seen: {}", requests.len());
    let ours = ["http://127.0.0.1:", "data:", "chrome://", "chrome-extension://"];
    let foreign = |url: &&String| !ours.iter().any(|ours| url.starts_with(ours));
    assert_eq!(requests.iter().filter(foreign).count(), 0, "a page asks something of another host");
    // A browser notes every page whose status is an error; anything else in the console is ours.
    let console = tour.chrome.console().await;
    let ours: Vec<&String> =
        console.iter().filter(|said| !said.contains("the server responded with a status")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    tour.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vietnamese_page_is_readable() {
    every_page_is_readable("vi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_english_page_is_readable() {
    every_page_is_readable("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_measures_find_what_is_wrong() {
    let chrome = Chrome::start(1280, 900, true).await;
    chrome.resize(320, 740).await;
    let page = "<meta name=viewport content=width=device-width><body style='background:white;font-size:18px'>\
                <main><p style='width:900px'>wide</p><p style='font-size:14px'>small</p>\
                <p style='color:%23999'>pale</p><button style='font-size:18px'>tiny</button></main>";
    chrome.open(&format!("data:text/html,{page}")).await;
    let found = faults(&chrome).await.join("\n");
    for fault in ["px wide on", "leaves the screen", "written in 14 px", "has contrast", "px to touch"] {
        assert!(found.contains(fault), "'{fault}' is not in:\n{found}");
    }
    chrome.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_on_paper_is_black_on_white_also_from_a_dark_screen() {
    let person = Person::with_a_phone().await;
    person.answer_up_to_the_review([1, 2, 3, 4, 5]).await;
    person.go_on().await;
    let paper = json!({ "media": "print", "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
    person.chrome.devtools("Emulation.setEmulatedMedia", paper).await;
    let colours = "const body = getComputedStyle(document.body); const box = getComputedStyle(document.querySelector('.message'));
        return [body.backgroundColor, box.backgroundColor, body.color, getComputedStyle(document.querySelector('h1')).color]";
    let (white, black) = ("rgb(255, 255, 255)", "rgb(0, 0, 0)");
    assert_eq!(person.chrome.ask(colours).await, json!([white, white, black, black]));
    let text = person.chrome.ask("return document.body.innerText").await;
    let text = text.as_str().unwrap();
    for said in ["Khảo sát thử về cải cách hành chính", "Phiếu đã được gửi", "024 0000 0000"] {
        assert!(text.contains(said), "{said} is not on the paper");
    }
    assert!(!text.contains("English"), "nothing on paper can be pressed");
    person.leave().await;
}
