//! "I lost my link" as a browser and as a stranger meet it: one reply for all, no address back, and an end to asking.

use axum::http::Method;

use super::Browser;
use crate::fixture::{FakeDesk, NOW};

fn typed(address: &str) -> [(String, String); 1] {
    [("email".to_owned(), address.to_owned())]
}

/// What was asked of the desk, once whatever runs beside the replies had its turn.
async fn asked(browser: &Browser) -> Vec<String> {
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    browser.desk.told().asked
}

#[tokio::test]
async fn every_address_gets_the_same_reply_which_holds_no_address() {
    let browser = Browser::new();
    for lang in ["vi", "en"] {
        let mut replies = Vec::new();
        for address in ["an@thitranmau.example", "nobody@elsewhere.example", "'or'1'='1@x.example"] {
            let page = browser.post(&format!("/lost?lang={lang}"), &typed(address)).await;
            let to = page.headers["location"].to_str().expect("ASCII").to_owned();
            assert!(!page.body.contains(address) && !to.contains("example"), "{lang}");
            replies.push((page.status.as_u16(), to));
        }
        assert_eq!(replies[0], (303, format!("/lost?lang={lang}&asked=yes")));
        assert!(replies.iter().all(|reply| *reply == replies[0]), "{replies:?}");
        let page = browser.get(&replies[0].1).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("thitranmau"));
    }
    assert_eq!(asked(&browser).await.len(), 6);
}

#[tokio::test]
async fn a_desk_that_fails_changes_nothing_of_the_reply() {
    let mut desk = FakeDesk::new();
    desk.broken = true;
    let browser = Browser::with(desk, NOW);
    let page = browser.post("/lost", &typed("an@thitranmau.example")).await;
    assert_eq!(page.status.as_u16(), 303);
    assert_eq!(page.headers["location"], "/lost?lang=vi&asked=yes");
    assert!(asked(&browser).await.is_empty());
}

#[tokio::test]
async fn looking_asks_for_nothing_and_what_is_no_address_is_shown_as_a_fault() {
    let browser = Browser::new();
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(browser.ask(method, "/lost?asked=yes&email=an@x.example").await.status, 200);
    }
    let page = browser.post("/lost", &typed("an")).await;
    assert_eq!(page.status.as_u16(), 422);
    assert_eq!(page.attributes("input#email", "aria-describedby"), ["email-fault"]);
    assert!(page.text("title").starts_with("Cần xem lại"));
    assert_eq!(browser.post("/lost", &[]).await.status.as_u16(), 422);
    assert!(asked(&browser).await.is_empty());
}

#[tokio::test]
async fn asking_comes_to_an_end() {
    let browser = Browser::new();
    let most = browser.desk.told().asked.len() + 20;
    for n in 0..most {
        let page = browser.post("/lost", &typed(&format!("p{n}@x.example"))).await;
        assert_eq!(page.status.as_u16(), 303, "{n}");
    }
    let page = browser.post("/lost?lang=en", &typed("p@x.example")).await;
    assert_eq!(page.status.as_u16(), 429);
    assert!(page.text("h1").contains("Too many requests") && page.body.contains("024 3900 0000"));
    assert_eq!(asked(&browser).await.len(), most);
    // An hour later it goes on.
    let later = browser.at("2023-12-20T11:00:00+07:00");
    assert_eq!(later.post("/lost", &typed("p@x.example")).await.status.as_u16(), 303);
}
