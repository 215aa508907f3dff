//! The sealed box: what its file says in the clear, who opens it, and what its order tells.

use serde_json::Value;

use crate::needles::holds;
use crate::play::{Played, campaigns, played};
use crate::record::{Database, Record, record};
use crate::rows;

/// The header of the box file and its sealed ballots.
pub(crate) fn read_box(file: &[u8]) -> (Value, Vec<Vec<u8>>) {
    let mut lines = file.splitn(3, |&byte| byte == b'\n');
    assert_eq!(lines.next().unwrap(), b"parsurvey ballot box 1");
    let header: Value = serde_json::from_slice(lines.next().unwrap()).unwrap();
    let length = usize::try_from(header["ballot_bytes"].as_u64().unwrap()).unwrap();
    (header, lines.next().unwrap().chunks(length).map(<[u8]>::to_vec).collect())
}

fn boxed(record: &Record) -> (Value, Vec<Vec<u8>>) {
    read_box(&record.closed.files["data/out/box.sealed"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_box_file_names_no_form_person_unit_or_time() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let (header, ballots) = boxed(record);
        let fields: Vec<&String> = header.as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            [
                "campaign",
                "key_fingerprint",
                "archive_fingerprint",
                "ballots",
                "ballot_bytes",
                "body_sha256",
                "codebook"
            ]
        );
        assert_eq!(ballots.len(), 10);
        let file = &record.closed.files["data/out/box.sealed"];
        // The units' codes and names, and the year in which everything happened.
        for word in ["office", "finance", "records", "Văn phòng", "2023-1", "2024-0"] {
            assert!(!holds(file, word.as_bytes()), "the box names {word}");
        }
        let text = header.to_string();
        for word in ["form\"", "person", "unit", "time", "day", "lang"] {
            assert!(!text.contains(word), "the box's header has {word}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_key_opens_box_and_archive() {
    for database in [Database::Sqlite, Database::Postgres] {
        let refused = &record(database).await.wrong_keys;
        assert!(refused[0].contains("does not open this box"), "{}", refused[0]);
        assert!(refused[1].contains("does not open with this key"), "{}", refused[1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_box_holds_the_ballots_in_an_order_of_its_own() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let (_, ballots) = boxed(record);
        let stored: Vec<Vec<u8>> =
            rows::of(&record.closed.rows, "ballot").into_iter().map(|b| rows::blob(b, "ciphertext")).collect();
        assert_eq!(stored.len(), ballots.len());
        assert!(stored.iter().all(|ballot| ballots.contains(ballot)));
        let mut sorted = ballots.clone();
        sorted.sort();
        // By chance once in 3.6 million.
        assert_ne!(ballots, sorted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn order_of_box_and_archive_follow_neither_submission_nor_form() {
    let played = played().await;
    let order_of: [(&str, fn(&Played) -> Vec<f64>); 4] = [
        ("box by submission", |played| played.box_order.iter().map(|form| played.submitted_as(*form)).collect()),
        ("box by form", |played| played.box_order.iter().map(|form| place(*form)).collect()),
        ("archive by submission", |played| {
            played.archive_order.iter().map(|form| played.submitted_as(*form)).collect()
        }),
        ("archive by form", |played| played.archive_order.iter().map(|form| place(*form)).collect()),
    ];
    for (what, order) in order_of {
        let mean = played.iter().map(|one| rank_correlation(&order(one))).sum::<f64>() / f64::from(campaigns());
        // The rank correlation of 12 in random order has variance 1/11; five standard deviations of the mean.
        let limit = 5.0 / (11.0 * f64::from(campaigns())).sqrt();
        assert!(mean.abs() < limit, "{what}: mean rank correlation {mean:.2}");
    }
    assert!((rank_correlation(&[1.0, 2.0, 3.0]) - 1.0).abs() < 1e-9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_box_that_is_written_again_is_shuffled_again() {
    for played in played().await {
        assert_eq!(played.box_order.len(), played.rewritten_order.len());
    }
    let equal = played().await.iter().filter(|played| played.box_order == played.rewritten_order).count();
    assert_eq!(equal, 0, "by chance once in 479 million");
}

fn place(form: i64) -> f64 {
    f64::from(i32::try_from(form).unwrap())
}

/// Spearman's correlation of distinct values with their positions.
fn rank_correlation(values: &[f64]) -> f64 {
    let n = f64::from(u32::try_from(values.len()).unwrap());
    let rank = |value: f64| values.iter().filter(|other| **other < value).fold(0.0, |sum, _| sum + 1.0);
    let squares = values.iter().enumerate().map(|(i, v)| (f64::from(u32::try_from(i).unwrap()) - rank(*v)).powi(2));
    1.0 - 6.0 * squares.sum::<f64>() / (n * (n * n - 1.0))
}
