//! The two languages have the same keys with the same arguments, and templates and sources use exactly these.
//!
//! Whether a translation is a good one needs a reader.

use std::collections::{BTreeMap, BTreeSet};

use crate::words::{EN, VI};

/// Key → names of its arguments.
fn keys(sources: [&'static str; 3]) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let lines =
        sources.into_iter().flat_map(str::lines).filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut keys = BTreeMap::new();
    for line in lines {
        let (key, text) = line.split_once(" = ").expect("one line, one text");
        let arguments = text.split("{ $").skip(1).filter_map(|part| part.split_once(" }")).map(|(name, _)| name);
        assert!(keys.insert(key, arguments.collect()).is_none(), "'{key}' stands twice");
    }
    keys
}

/// Every quoted string of the templates and of the sources outside tests.
fn quoted() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = ["src", "src/console", "src/console/acts", "templates", "templates/console"];
    let texts = places.into_iter().flat_map(|folder| texts(&root.join(folder)));
    texts.flat_map(|text| text.split('"').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The files of a folder, without those of folders in it.
fn texts(folder: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    entries.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

#[test]
fn both_languages_say_the_same_things() {
    assert_eq!(keys(VI), keys(EN));
}

#[test]
fn every_text_is_used_and_every_used_text_exists() {
    let keys = keys(VI);
    let quoted = quoted();
    for key in keys.keys() {
        assert!(quoted.contains(*key), "'{key}' is never used");
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    for text in texts(&root).into_iter().chain(texts(&root.join("console"))) {
        for call in [".t(\"", "{ t(\"", ".t1(\"", ".t2(\""] {
            for used in text.split(call).skip(1).filter_map(|rest| rest.split('"').next()) {
                assert!(keys.contains_key(used), "'{used}' does not exist");
            }
        }
    }
}

#[tokio::test]
async fn no_page_shows_a_key() {
    let browser = super::Browser::new();
    for path in [
        "/f/open",
        "/f/early",
        "/f/excused",
        "/f/revoked",
        "/f/x",
        "/x",
        "/status",
        "/chase",
        "/f/open/decline",
        "/notice",
        "/lost",
    ] {
        for lang in ["vi", "en"] {
            let page = browser.get(&format!("{path}?lang={lang}")).await;
            for key in keys(VI).keys().filter(|key| key.contains('-')) {
                assert!(!page.text("main").contains(key), "{path} {lang} shows '{key}'");
            }
        }
    }
}

#[test]
fn vietnamese_is_composed() {
    let combining = |c: char| ('\u{300}'..='\u{36f}').contains(&c);
    assert!(!VI.concat().contains(combining), "the texts are stored in composed form (NFC)");
}
