//! The rules of the house, read from manifests and sources: floors, lengths, openings, lints, and paths in documents.
//!
//! It reads text and compiles nothing; what a compiler or clippy can hold is left to them.

use std::fs;
use std::path::{Path, PathBuf};

/// Crates by floor; imports go strictly down.
const FLOORS: [(&str, u8); 10] = [
    ("parsurvey-index", 0),
    ("parsurvey-survey", 1),
    ("parsurvey-ledger", 2),
    ("parsurvey-dispatch", 3),
    ("parsurvey-tally", 3),
    ("parsurvey-report", 3),
    ("parsurvey-desk", 4),
    ("parsurvey-web", 5),
    ("parsurvey-rehearsal", 6),
    ("parsurvey", 7),
];

/// Lines of a file at most; a file a little over the 400 of the house style is no reason to cut it in two.
const FILE_LINES: usize = 450;
/// Lines of a function at most.
const FUNCTION_LINES: usize = 75;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join("crates"), root().join("tests")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_path_buf(), text));
            }
        }
    }
    assert!(found.len() > 50, "the sources were not found");
    found
}

fn manifests() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path().join("Cargo.toml")).unwrap();
        let name = text.lines().find_map(|line| line.strip_prefix("name = ")).unwrap().trim_matches('"').to_owned();
        found.push((name, text));
    }
    found
}

fn floor(name: &str) -> u8 {
    FLOORS.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} has no floor")).1
}

#[test]
fn imports_go_strictly_down() {
    let manifests = manifests();
    assert_eq!(manifests.len(), FLOORS.len());
    for (name, text) in manifests {
        for line in text.lines() {
            let Some(other) = line.split(['.', ' ', '=']).next().filter(|word| word.starts_with("parsurvey-")) else {
                continue;
            };
            assert!(floor(other) < floor(&name), "{name} must not import {other}");
        }
    }
}

#[test]
fn every_crate_inherits_the_lints() {
    for (name, text) in manifests() {
        assert!(text.contains("[lints]\nworkspace = true"), "{name} does not inherit the workspace's lints");
    }
}

#[test]
fn only_the_owner_of_a_thing_speaks_to_it() {
    // Library → the crates that may name it, dev-dependencies included.
    let owners = [
        ("sqlx", &["parsurvey-ledger"][..]),
        ("polars", &["parsurvey-tally"][..]),
        ("lettre", &["parsurvey-dispatch"][..]),
        ("hickory-resolver", &["parsurvey-dispatch"][..]),
        ("async-imap", &["parsurvey-dispatch"][..]),
        ("axum", &["parsurvey-web"][..]),
        ("rust_xlsxwriter", &["parsurvey-report", "parsurvey-survey"][..]),
        ("reqwest", &["parsurvey-dispatch", "parsurvey-rehearsal"][..]),
        ("clap", &["parsurvey"][..]),
    ];
    for (name, text) in manifests() {
        for (library, owners) in owners {
            let named = text.lines().any(|line| line.split(['.', ' ']).next() == Some(library));
            assert!(!named || owners.contains(&name.as_str()), "{name} must not use {library}");
        }
    }
}

#[test]
fn pure_crates_touch_nothing_outside() {
    let banned =
        ["std::fs", "std::net", "std::env", "std::process", "tokio", "SystemTime::now", "Timestamp::now", "SysRng"];
    for (path, text) in sources() {
        let pure = path.starts_with("crates/index/src") || path.starts_with("crates/survey/src");
        if !pure {
            continue;
        }
        for word in banned {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn no_float_comes_near_points() {
    for (path, text) in sources().into_iter().filter(|(path, _)| path.starts_with("crates/index/src")) {
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            assert!(!line.contains("f64") && !line.contains("f32"), "{}: {line}", path.display());
        }
    }
}

#[test]
fn every_file_opens_with_what_it_is_and_none_is_too_long() {
    for (path, text) in sources() {
        assert!(text.starts_with("//!"), "{} has no opening", path.display());
        let lines = text.lines().count();
        assert!(lines <= FILE_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_function_is_too_long() {
    for (path, text) in sources() {
        let mut began: Option<(usize, String, usize)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            let head = line.trim_start();
            let starts = [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "pub(super) fn ",
                "async fn ",
                "pub async fn ",
                "pub(crate) async fn ",
            ];
            if starts.iter().any(|start| head.starts_with(start)) {
                began = Some((number, head.to_owned(), indent));
            } else if let Some((start, name, depth)) = &began
                && head == "}"
                && indent == *depth
            {
                let lines = number - start + 1;
                assert!(lines <= FUNCTION_LINES, "{}: {name} has {lines} lines", path.display());
                began = None;
            }
        }
    }
}

#[test]
fn paths_named_in_documents_exist() {
    let mut checked = 0;
    for document in ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "docs/output.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let is_path =
                ["crates/", "pipelines/", "sample-data/", "docs/", "tests/"].iter().any(|p| word.starts_with(p));
            if is_path && !word.contains([' ', '*', '<']) {
                assert!(root().join(word).exists(), "{document} names {word}, which is not there");
                checked += 1;
            }
        }
    }
    assert!(checked >= 5, "the documents name {checked} paths");
}
