//! Programs that open every link of a mail before its reader does: they look at everything and press every button, but
//! choose nothing. The ledger stays as it is, byte for byte.
//!
//! A program that chooses options and hands in cannot be told from a person; the threat model says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use parsurvey_rehearsal::browser::{Browser, Form, Page};
use parsurvey_tests::{Serving, Survey, read_folder};
use reqwest::{Client, Method};

/// Every file of the data folder; the shared memory of the write-ahead log, which readers write as well, is left out.
fn ground(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = read_folder(folder);
    files.retain(|name, _| !name.ends_with("-shm"));
    files
}

/// What an operator can see: counts, log, state of mails.
async fn seen(survey: &Survey) -> Vec<String> {
    let mut all = Vec::new();
    for question in [&["status", "--format", "json"][..], &["log", "--format", "json"], &["mails", "--format", "json"]]
    {
        all.push(survey.run(question).await.done().stdout);
    }
    all
}

/// The addresses that a page names, as paths of the server.
fn addresses(page: &str) -> BTreeSet<String> {
    let document = scraper::Html::parse_document(page);
    let selector = scraper::Selector::parse("[href], [action], [formaction], [src]").unwrap();
    let named = ["href", "action", "formaction", "src"];
    document
        .select(&selector)
        .flat_map(|element| named.iter().filter_map(move |name| element.attr(name)))
        .filter(|address| address.starts_with('/'))
        .map(|address| address.split('#').next().unwrap_or_default().to_owned())
        .collect()
}

/// Opens every address that can be reached from a link, with both methods; the addresses.
async fn looks_at_everything(serving: &Serving, link: &str) -> BTreeSet<String> {
    let client = Client::builder().no_proxy().build().unwrap();
    let start = [link, "/status", "/chase", "/robots.txt", "/healthz", "/favicon.ico"].map(str::to_owned);
    let mut waiting: VecDeque<String> = start.into();
    let mut looked = BTreeSet::new();
    while let Some(path) = waiting.pop_front() {
        if !looked.insert(path.clone()) {
            continue;
        }
        for method in [Method::HEAD, Method::OPTIONS, Method::GET] {
            let reply = client.request(method, serving.url(&path)).send().await.unwrap();
            assert_ne!(reply.status(), 429, "{path} was not looked at: the limit came first");
            waiting.extend(addresses(&reply.text().await.unwrap()));
        }
    }
    looked
}

/// Presses every button of every form that comes, without choosing anything; the titles of the pages it saw.
///
/// A link is good for so many uses at once and gets more by the second: a scanner that is told to wait waits and goes on,
/// so that none of its presses is spent on a page that says "too fast".
async fn presses_everything(serving: &Serving, link: &str) -> BTreeSet<String> {
    let browser = Browser::new().unwrap();
    let mut waiting: VecDeque<Page> = VecDeque::new();
    for path in [link.to_owned(), format!("{link}/decline"), format!("{link}?lang=en")] {
        waiting.push_back(browser.open(&serving.url(&path)).await.unwrap());
    }
    let (mut known, mut titles) = (BTreeSet::new(), BTreeSet::new());
    while let Some(page) = waiting.pop_front() {
        if !known.insert(page.html.clone()) {
            continue;
        }
        titles.insert(title(&page.html));
        let Ok(form) = page.form() else { continue };
        // Whatever a page does not offer is tried as well.
        let offered = ["start", "resume", "next", "back", "stay", "review", "submit", "edit.q1"];
        let offered = offered.map(|go| ("go".to_owned(), go.to_owned()));
        let every: BTreeSet<_> = buttons(&page.html).into_iter().chain(offered).collect();
        for button in every {
            waiting.push_back(pressed(&browser, &form, &button).await);
        }
    }
    titles
}

/// The page behind a button, once the link may be used again.
async fn pressed(browser: &Browser, form: &Form, button: &(String, String)) -> Page {
    loop {
        let page = browser.press(form, button).await.unwrap();
        if page.status != 429 {
            return page;
        }
    }
}

/// What a page is called.
fn title(page: &str) -> String {
    let document = scraper::Html::parse_document(page);
    let selector = scraper::Selector::parse("title, h1").unwrap();
    document.select(&selector).flat_map(|heading| heading.text()).collect()
}

/// Every button of a page by name and value, also those outside its form.
fn buttons(page: &str) -> Vec<(String, String)> {
    let document = scraper::Html::parse_document(page);
    let selector = scraper::Selector::parse("button").unwrap();
    let named = |element: scraper::ElementRef<'_>| {
        let text = |name: &str| element.attr(name).unwrap_or_default().to_owned();
        (text("name"), text("value"))
    };
    document.select(&selector).map(named).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_every_address_and_pressing_every_button_leaves_the_ledger_as_it_is() {
    let survey = Survey::invited().await;
    let serving = survey.serve().await;
    let link = survey.link_path(&survey.addresses()[0]);
    // The first look warms the server up, so that what it writes for itself is written.
    Browser::new().unwrap().open(&serving.url(&link)).await.unwrap();
    let told = seen(&survey).await;
    let before = ground(&survey.data);
    let looked = looks_at_everything(&serving, &link).await;
    for path in [link.clone(), format!("{link}/page?lang=vi"), format!("{link}/decline?lang=vi")] {
        assert!(looked.contains(&path), "a path of the form was not looked at: {looked:?}");
    }
    let pages = presses_everything(&serving, &link).await;
    for met in
        ["Phiếu khảo sát thử", "Trial questionnaire", "Công việc hằng ngày", "Cần xem lại", "Không tham gia khảo sát"]
    {
        assert!(pages.iter().any(|page| page.contains(met)), "no page is called '{met}': {pages:?}");
    }
    let after = ground(&survey.data);
    assert_eq!(before.keys().collect::<Vec<_>>(), after.keys().collect::<Vec<_>>(), "no file came or went");
    for (name, bytes) in &before {
        assert!(bytes == &after[name], "{name} was written to");
    }
    assert_eq!(seen(&survey).await, told);
    // The same comparison finds what one chosen option leaves; another's, because so many presses use a link up for a while.
    let link = survey.link_path(&survey.addresses()[1]);
    let browser = Browser::new().unwrap();
    let landing = browser.open(&serving.url(&link)).await.unwrap();
    let form = landing.form().unwrap();
    let section = browser.press(&form, &form.buttons[0]).await.unwrap();
    let mut form = section.form().unwrap();
    form.fill(&survey.answers(5));
    browser.press(&form, &form.buttons[0].clone()).await.unwrap();
    assert_ne!(ground(&survey.data), before, "a start is written down");
    serving.kill().await;
}
