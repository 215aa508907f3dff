//! What a page weighs on the line, whom it asks, and how soon the first question stands there on a slow one.
//!
//! Bytes are those the browser counted on the wire, headers included. A real telephone's processor is not imitated.

use std::sync::Mutex;

use parsurvey_tests::chrome::{Chrome, Transfer};
use serde_json::json;

use crate::person::{GO_ON, Person, option};
use crate::tour::Tour;

/// What the first view may weigh, in bytes.
const FIRST_VIEW: u64 = 50_000;
/// A slow line: bytes a second in each direction, and milliseconds there and back.
const LINE: (u64, u64) = (400_000 / 8, 400);
/// How long a person may wait for the first question, from the tap on the link, in ms.
const FIRST_QUESTION: u64 = 2_000;

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    url.split('/').take(3).collect::<Vec<_>>().join("/")
}

fn bytes(transfers: &[Transfer]) -> u64 {
    transfers.iter().map(|transfer| transfer.bytes).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_view_is_light_compressed_and_asks_nobody_else() {
    let person = Person::with_a_phone().await;
    person.chrome.transfers().await;
    person.arrive().await;
    // A browser may ask for the icon late, so it is asked for like a picture as well.
    let icon = "return new Promise(done => { const icon = new Image(); icon.onload = () => done(icon.naturalWidth > 0);
                icon.onerror = () => done(false); icon.src = document.querySelector('link[rel=icon]').href })";
    assert_eq!(person.chrome.ask(icon).await, true, "the icon can be drawn");
    let transfers = person.chrome.transfers().await;
    assert!(transfers.len() >= 3 && transfers[0].kind == "Document" && transfers[1].kind == "Stylesheet");
    assert!(transfers.iter().all(|transfer| transfer.kind != "Font"), "letters are the system's: {transfers:?}");
    let own = person.serving.url("");
    assert!(transfers.iter().all(|transfer| origin(&transfer.url) == own), "{transfers:?}");
    for transfer in &transfers[..2] {
        assert!(transfer.compressed, "{transfer:?}");
    }
    eprintln!("first view: {} bytes on the wire", bytes(&transfers));
    for transfer in &transfers {
        eprintln!("  {:<10} {:>6} bytes", transfer.kind, transfer.bytes);
    }
    assert!(transfers[..2].iter().all(|transfer| transfer.bytes > 0), "it came over the line: {transfers:?}");
    assert!(bytes(&transfers) < FIRST_VIEW, "{transfers:?}");
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_light_and_vietnamese_letters_need_no_download() {
    let mut tour = Tour::in_language("vi").await;
    tour.chrome.devtools("Network.setCacheDisabled", json!({ "cacheDisabled": true })).await;
    let seen: Mutex<Vec<(String, Vec<Transfer>)>> = Mutex::default();
    let titles: Mutex<String> = Mutex::default();
    tour.every_page(async |chrome, name| {
        let transfers = chrome.transfers().await;
        // A page may show another one in a frame; it is the page itself that was asked for.
        let here = chrome.client.current_url().await.unwrap().to_string();
        let here = here.split('#').next().unwrap_or_default();
        let page = |transfer: &Transfer| transfer.kind == "Document" && transfer.url == here;
        let last = transfers.iter().rposition(page).expect("a page came");
        seen.lock().unwrap().push((name.to_owned(), transfers[last..].to_vec()));
        let title = chrome.text("h1").await;
        titles.lock().unwrap().push_str(&format!("{name:<20} {title}\n"));
        let families = "return getComputedStyle(document.body).fontFamily";
        assert!(chrome.ask(families).await.as_str().unwrap().starts_with("system-ui"));
        assert_eq!(chrome.ask("return document.fonts.size").await, 0, "{name} brings a font of its own");
    })
    .await;
    tour.end().await;
    // The pages that were weighed, and every other test of the tour looked at, are those that their names say.
    insta::assert_snapshot!("pages_of_the_tour", titles.into_inner().unwrap());
    eprintln!("{:<20}{:>10}{:>10}", "page, bytes", "page", "all");
    for (name, transfers) in seen.into_inner().unwrap() {
        eprintln!("{name:<20}{:>10}{:>10}", transfers[0].bytes, bytes(&transfers));
        assert!(transfers[0].bytes > 0 && bytes(&transfers) < FIRST_VIEW, "{name}: {transfers:?}");
        assert!(transfers.iter().all(|transfer| transfer.kind != "Font"), "{transfers:?}");
        // The tour goes past more than one server of ours: a page asks the one that it came from.
        let own = origin(&transfers[0].url);
        assert!(own.starts_with("http://127.0.0.1:"), "{name}: {own}");
        assert!(transfers.iter().all(|transfer| origin(&transfer.url) == own), "{name}: {transfers:?}");
    }
}

/// How long the page took from the tap that led to it until it was painted, by the browser's own clock, in ms.
const PAINTED: &str = "return new Promise(done => {
  const paint = () => performance.getEntriesByName('first-contentful-paint')[0];
  const look = () => paint() ? done(Math.round(paint().startTime)) : requestAnimationFrame(look);
  look();
})";

/// Opens the link on the slow line and goes on to the first question; the time both pages took, and what came.
async fn to_the_first_question(person: &Person) -> (u64, Vec<Transfer>) {
    let chrome = &person.chrome;
    chrome.devtools("Network.clearBrowserCache", json!({})).await;
    chrome.open("about:blank").await;
    chrome.transfers().await;
    person.arrive().await;
    let landing = chrome.ask(PAINTED).await.as_u64().unwrap();
    chrome.click_through(GO_ON).await;
    assert_eq!(chrome.count(&option(1, 1)).await, 1, "the first question is there");
    let question = chrome.ask(PAINTED).await.as_u64().unwrap();
    (landing + question, chrome.transfers().await)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_question_is_there_within_two_seconds_on_a_slow_line() {
    let person = Person::with_a_phone().await;
    let (throughput, latency) = LINE;
    let line = json!({ "offline": false, "latency": latency, "downloadThroughput": throughput, "uploadThroughput": throughput });
    person.chrome.devtools("Network.enable", json!({})).await;
    person.chrome.devtools("Network.emulateNetworkConditions", line).await;
    let mut best = u64::MAX;
    // The machine may be busy with other tests, the line is not: the best of a few tries counts.
    for _ in 0..8 {
        let (took, transfers) = to_the_first_question(&person).await;
        // What the line alone costs, whatever the machine: page, style sheet and next page wait for each other.
        let path = |transfer: &&Transfer| ["Document", "Stylesheet"].contains(&transfer.kind.as_str());
        let waits = transfers.iter().filter(path).filter(|transfer| transfer.bytes > 0).count();
        let least = u64::try_from(waits).unwrap() * latency + bytes(&transfers) * 1_000 / throughput;
        eprintln!("first question after {took} ms; {waits} waits, {} bytes, {least} ms of line", bytes(&transfers));
        assert!(waits == 3 && least < FIRST_QUESTION, "{transfers:?}");
        assert!(took >= 2 * latency, "the line was slow");
        best = best.min(took);
        if best < FIRST_QUESTION {
            break;
        }
    }
    assert!(best < FIRST_QUESTION, "the best try took {best} ms");
    person.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_to_another_host_is_noticed() {
    let chrome = Chrome::start(360, 740, true).await;
    let person = Person::with_a_phone().await;
    chrome.transfers().await;
    let page = format!("data:text/html,<script src='{}'></script>", person.serving.url("/healthz"));
    chrome.open(&page).await;
    let transfers = chrome.transfers().await;
    let foreign = |transfer: &&Transfer| transfer.kind == "Script" && origin(&transfer.url) == person.serving.url("");
    assert_eq!(transfers.iter().filter(foreign).count(), 1, "{transfers:?}");
    chrome.close().await;
    person.leave().await;
}
