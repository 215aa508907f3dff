//! Pictures of every page, mail and report, for people to look at.
//!
//! `PARSURVEY_SCREENSHOTS=DIR` names the folder; without it they go to one that is thrown away. No picture is compared
//! with an older one.

use std::path::{Path, PathBuf};

use parsurvey_tests::Survey;
use parsurvey_tests::chrome::Chrome;

use crate::tour::Tour;

/// A phone, a tablet, a desk.
const WIDTHS: [u32; 3] = [360, 768, 1440];

/// Where pictures go, and what removes the folder when nobody asked for them.
fn folder() -> (PathBuf, Option<tempfile::TempDir>) {
    match std::env::var_os("PARSURVEY_SCREENSHOTS") {
        Some(folder) => {
            std::fs::create_dir_all(&folder).unwrap();
            (folder.into(), None)
        }
        None => {
            let folder = tempfile::tempdir().unwrap();
            (folder.path().to_owned(), Some(folder))
        }
    }
}

async fn take(chrome: &Chrome, folder: &Path, name: &str) {
    for width in WIDTHS {
        let picture = chrome.picture(width).await;
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 5_000, "{name} at {width} px is empty");
        std::fs::write(folder.join(format!("{name}-{width}.png")), picture).unwrap();
    }
}

/// The same on a phone in the dark.
async fn take_dark(chrome: &Chrome, folder: &Path, name: &str) {
    chrome.dark(true).await;
    let picture = chrome.picture(WIDTHS[0]).await;
    chrome.dark(false).await;
    std::fs::write(folder.join(format!("{name}-{}-dark.png", WIDTHS[0])), picture).unwrap();
}

async fn pages(lang: &'static str) {
    let (folder, _thrown_away) = folder();
    let mut tour = Tour::in_language(lang).await;
    tour.every_page(async |chrome, name| {
        let name = format!("{lang}-{name}");
        take(chrome, &folder, &name).await;
        take_dark(chrome, &folder, &name).await;
        if name.ends_with("thanks") {
            // What a person keeps who prints the receipt, on paper 200 mm wide.
            chrome.printed(true).await;
            std::fs::write(folder.join(format!("{name}-paper.png")), chrome.picture(756).await).unwrap();
            chrome.printed(false).await;
        }
    })
    .await;
    tour.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screenshots_of_vietnamese_pages() {
    pages("vi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screenshots_of_english_pages() {
    pages("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn screenshots_of_mails_and_reports() {
    let (folder, _thrown_away) = folder();
    let mut survey = Survey::invited().await;
    let chrome = Chrome::start(1280, 900, true).await;
    let path = survey.folder().join("page.html");
    let address = format!("file://{}", path.display());
    for mail in ["prenotice", "invitation", "reminder"] {
        let html = survey.run(&["preview", mail, "--html"]).await.done().stdout;
        std::fs::write(&path, html).unwrap();
        chrome.open(&address).await;
        take(&chrome, &folder, &format!("mail-{mail}")).await;
    }
    let serving = survey.serve().await;
    survey.everybody_answers(&serving, &survey.addresses(), 4).await;
    serving.kill().await;
    survey.close_and_open().await;
    for lang in ["vi", "en"] {
        survey.run(&["report", "--lang", lang]).await.done();
        let report = survey.data.join("out").join(format!("report.{lang}.html"));
        chrome.open(&format!("file://{}", report.display())).await;
        take(&chrome, &folder, &format!("{lang}-report")).await;
    }
    chrome.close().await;
}
