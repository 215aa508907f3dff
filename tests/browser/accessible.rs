//! Every page held against axe-core, in both languages, light and dark, on a phone and on a desk.
//!
//! What axe cannot decide is printed, never taken for right or wrong. Whether a page is understood is for people to say.

use std::sync::Mutex;

use parsurvey_tests::axe::Findings;
use parsurvey_tests::chrome::Chrome;

use crate::tour::Tour;

/// How a page is looked at: heading of the column, width in px, dark.
const MODES: [(&str, u32, bool); 4] =
    [("phone light", 360, false), ("phone dark", 360, true), ("desk light", 1280, false), ("desk dark", 1280, true)];
/// Pages on the way, so that a tour that ends early is no success.
const PAGES: usize = 55;

async fn every_page_keeps_the_rules(lang: &'static str) {
    let mut tour = Tour::in_language(lang).await;
    let seen: Mutex<Vec<(String, Vec<Findings>)>> = Mutex::default();
    tour.every_page(async |chrome, name| {
        let mut found = Vec::new();
        for (_, width, dark) in MODES {
            chrome.dark(dark).await;
            chrome.resize(width, 740).await;
            found.push(chrome.axe().await);
        }
        seen.lock().unwrap().push((name.to_owned(), found));
    })
    .await;
    tour.end().await;
    let seen = seen.into_inner().unwrap();
    eprintln!("{}", table(lang, &seen));
    assert!(seen.len() >= PAGES, "only {} pages were seen", seen.len());
    let faults: Vec<String> = lines(&seen, |found| &found.violations).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen.iter().flat_map(|(_, found)| found).all(|found| found.passes > 10), "axe looked at something");
}

/// Violations/rules passed of every page in every mode; below it what axe left open.
fn table(lang: &str, seen: &[(String, Vec<Findings>)]) -> String {
    let mut text = format!("{:<20}", format!("axe, {lang}"));
    for (mode, _, _) in MODES {
        text.push_str(&format!("{mode:>14}"));
    }
    for (name, found) in seen {
        text.push_str(&format!("\n{name:<20}"));
        for each in found {
            text.push_str(&format!("{:>14}", format!("{}/{}", each.violations.len(), each.passes)));
        }
    }
    for line in lines(seen, |found| &found.undecided) {
        text.push_str(&format!("\nundecided: {line}"));
    }
    text
}

fn lines<'a>(
    seen: &'a [(String, Vec<Findings>)],
    of: fn(&Findings) -> &Vec<String>,
) -> impl Iterator<Item = String> + 'a {
    seen.iter().flat_map(move |(name, found)| {
        found
            .iter()
            .zip(MODES)
            .flat_map(move |(each, (mode, _, _))| of(each).iter().map(move |line| format!("{name}, {mode}: {line}")))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_vietnamese_page_keeps_axe_s_rules() {
    every_page_keeps_the_rules("vi").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_english_page_keeps_axe_s_rules() {
    every_page_keeps_the_rules("en").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_what_is_planted_even_where_a_page_forbids_scripts() {
    let chrome = Chrome::start(1280, 900, true).await;
    let fault = "<input type=radio name=q><p style='color:%23aaa;background:white'>pale</p><h4>deep</h4>";
    let policy =
        "<meta http-equiv='content-security-policy' content=\"default-src 'none'; style-src 'unsafe-inline'\">";
    let page =
        format!("<html lang=vi><title>t</title>{policy}<main><h1>x</h1>{fault}<script>document.title='run'</script>");
    chrome.open(&format!("data:text/html,{page}")).await;
    assert_eq!(chrome.client.title().await.unwrap(), "t", "the policy stops the page's own script");
    let found = chrome.axe().await;
    assert_eq!(chrome.axe_version().await, "4.14.1");
    for rule in ["label", "color-contrast", "heading-order"] {
        assert!(found.violations.iter().any(|line| line.starts_with(rule)), "{rule} is not in {:?}", found.violations);
    }
    chrome.close().await;
}
