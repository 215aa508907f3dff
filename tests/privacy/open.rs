//! The open ledger: people have answered, nothing is closed. Whoever has all of it, but no key, has no answer.

use crate::needles::{Files, found_in, holds};
use crate::record::{Database, Moment, OPTION, Person, Record, record};
use crate::rows::{self, Row};

/// One person's answers in the ways in which a program could have kept them.
pub(crate) fn responses(person: &Person) -> Vec<Vec<u8>> {
    let joined = |between: &str, with_question: bool| {
        let cell = |(q, o): (&String, &String)| if with_question { format!("q.{q}={o}") } else { o.clone() };
        person.answers.iter().map(cell).collect::<Vec<_>>().join(between).into_bytes()
    };
    let json = serde_json::to_vec(&person.answers).unwrap();
    let levels: Vec<String> = person.ballot[11..].iter().map(u8::to_string).collect();
    // The ballot in the clear, and its end without the codes that a group shares.
    let mut all = vec![person.ballot.clone(), person.ballot[9..].to_vec(), json];
    all.extend([joined(",", false), joined(";", false), joined("&", true), levels.join(",").into_bytes()]);
    all
}

/// Any single answer: the code of any option, and what any option says.
pub(crate) fn single_answers() -> Vec<Vec<u8>> {
    [OPTION, "Rất tốt", "Rất kém", "Very good", "Very poor", "Rất phổ biến", "Very common"].map(Vec::from).to_vec()
}

/// The rows as one text per table, searchable like a file.
pub(crate) fn as_files(rows: &[Row]) -> Files {
    let mut files = Files::new();
    for row in rows {
        let text = serde_json::to_vec(&row.cells).unwrap();
        files.entry(format!("table {}", row.table)).or_default().extend(text);
    }
    files
}

/// What is searched of an open campaign: files at every moment, rows with hidden columns, and everything said.
fn of_open(record: &Record) -> Vec<Files> {
    let mut all = vec![record.open.files.clone(), as_files(&record.open.rows), record.said.clone()];
    all.extend(record.backups.iter().cloned());
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_ledger_backup_or_log_holds_no_answer() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let mut needles = single_answers();
        needles.extend(record.people.iter().flat_map(responses));
        for files in of_open(record) {
            // A server that ends well takes the write-ahead log with it; the backups hold it in any case.
            assert!(files.len() >= 4, "{:?}", files.keys());
            assert_eq!(found_in(&files, &needles), Vec::<String>::new(), "{database:?}");
        }
        // The same search finds answers where they do stand: in the page a person has open, and in the archive.
        assert_eq!(found_in(&record.pages, &single_answers()).len(), 1, "{database:?}");
        let archive = Files::from([("archive".to_owned(), record.archive.join("\n").into_bytes())]);
        for person in record.people.iter().take(11).filter(|person| completed(&record.open, person)) {
            assert_eq!(found_in(&archive, &responses(person)), ["archive"]);
        }
    }
}

fn completed(moment: &Moment, person: &Person) -> bool {
    let seats = rows::of(&moment.rows, "seat");
    seats.iter().any(|seat| seat.form() == Some(person.form) && !seat.text("completed").is_empty())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_an_open_ledger_are_looked_at_where_ballots_stand() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let ballots = rows::of(&record.open.rows, "ballot");
        assert_eq!(ballots.len(), 10);
        let needle = rows::blob(ballots[0], "ciphertext");
        let places = found_in(&record.open.files, std::slice::from_ref(&needle));
        let expected: &[&str] = match database {
            Database::Sqlite => &["data/ledger.sqlite"],
            Database::Postgres => &["postgres/base/", "postgres/pg_wal/"],
        };
        for prefix in expected {
            assert!(places.iter().any(|place| place.starts_with(prefix)), "{places:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_ballot_has_one_length_and_looks_like_no_other() {
    for database in [Database::Sqlite, Database::Postgres] {
        let ballots: Vec<Vec<u8>> = rows::of(&record(database).await.open.rows, "ballot")
            .into_iter()
            .map(|b| rows::blob(b, "ciphertext"))
            .collect();
        // 11 bytes in front, five answers, 48 bytes of sealing.
        assert!(ballots.iter().all(|ballot| ballot.len() == 64));
        for (place, ballot) in ballots.iter().enumerate() {
            for other in &ballots[..place] {
                assert!(ballot.windows(8).all(|part| !holds(other, part)), "two ballots share a part");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_is_recorded_without_an_answer() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let seats = rows::of(&record.open.rows, "seat");
        let begun: Vec<_> = seats
            .iter()
            .filter(|seat| !seat.text("started").is_empty() && seat.text("completed").is_empty())
            .filter_map(|seat| seat.form())
            .collect();
        assert_eq!(begun.len(), 1);
        assert!(rows::of(&record.open.rows, "ballot").iter().all(|ballot| ballot.form() != Some(begun[0])));
        let events: Vec<_> =
            rows::of(&record.open.rows, "event").into_iter().filter(|e| e.form() == Some(begun[0])).collect();
        assert_eq!(events.iter().map(|e| e.text("kind")).collect::<Vec<_>>(), ["started"]);
        assert_eq!(events[0].text("detail"), "{}");
    }
}
