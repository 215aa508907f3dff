//! After the opening: the ballots are gone, the tally names nobody, the archive is its holder's.

use std::collections::BTreeSet;

use crate::needles::{Files, found_in};
use crate::open::{as_files, responses};
use crate::record::{Database, Record, record};
use crate::rows;

/// The sealed ballots as they stood before the opening.
pub(crate) fn former_ballots(record: &Record) -> Vec<Vec<u8>> {
    rows::of(&record.closed.rows, "ballot").into_iter().map(|ballot| rows::blob(ballot, "ciphertext")).collect()
}

/// Files of the database itself: not results, and not PostgreSQL's write-ahead log, of which nothing is claimed.
pub(crate) fn of_database(files: &Files) -> Files {
    let own = |name: &str| name.starts_with("data/ledger") || name.starts_with("postgres/base");
    files.iter().filter(|(name, _)| own(name)).map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_leaves_no_ballot_in_tables_or_database_files() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let ballots = former_ballots(record);
        assert_eq!(ballots.len(), 10);
        // Half a ballot would do as well: pages can be cut anywhere.
        let halves: Vec<Vec<u8>> = ballots.iter().flat_map(|b| b.chunks(32).map(<[u8]>::to_vec)).collect();
        assert!(!found_in(&of_database(&record.closed.files), &halves).is_empty());
        assert_eq!(found_in(&of_database(&record.opened.files), &halves), Vec::<String>::new(), "{database:?}");
        assert!(rows::of(&record.opened.rows, "ballot").is_empty());
        assert_eq!(found_in(&as_files(&record.opened.rows), &halves), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_whole_response_stands_anywhere_after_the_opening() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let needles: Vec<Vec<u8>> = record.people.iter().flat_map(responses).collect();
        for files in [&record.opened.files, &as_files(&record.opened.rows), &record.said, &record.printed] {
            assert_eq!(found_in(files, &needles), Vec::<String>::new(), "{database:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tally_has_no_form_person_unit_or_time() {
    let record = record(Database::Sqlite).await;
    let text = String::from_utf8(record.opened.files["data/out/tally.json"].clone()).unwrap();
    let tally: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut names = BTreeSet::new();
    keys(&tally, &mut names);
    for word in ["form", "person", "unit", "time", "at", "day", "date", "lang", "language", "mode", "client", "email"] {
        assert!(!names.contains(word), "the tally has {word}");
    }
    for word in ["office", "finance", "records", "@", "2023-12", "2024-01"] {
        assert!(!text.contains(word), "the tally holds {word}");
    }
    assert!(names.contains("ballots"), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_target_group_questionnaire_and_answers() {
    for database in [Database::Sqlite, Database::Postgres] {
        let archive = &record(database).await.archive;
        assert_eq!(archive.len(), 10);
        for line in archive {
            let response: serde_json::Value = serde_json::from_str(line).unwrap();
            let fields: Vec<&String> = response.as_object().unwrap().keys().collect();
            assert_eq!(fields, ["target", "group", "questionnaire", "answers"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_file_says_how_many_and_for_whom_only() {
    let record = record(Database::Sqlite).await;
    let file = &record.opened.files["data/out/archive.sealed"];
    let header = file.split(|&byte| byte == b'\n').nth(1).unwrap();
    let header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let fields: Vec<&String> = header.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["campaign", "key_fingerprint", "responses"]);
}

fn keys(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                found.insert(key.clone());
                keys(value, found);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}
