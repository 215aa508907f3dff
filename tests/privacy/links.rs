//! Links: they stand in the bodies of mails and nowhere else. The secret they are made from is a file of its own.

use crate::needles::{Files, found_in, holds};
use crate::open::as_files;
use crate::record::{Database, Record, record};
use crate::rows;

/// Everything but the mails' bodies and the pages of a link's own holder.
pub(crate) fn everything_else(record: &Record) -> Vec<(&'static str, Files)> {
    let strangers = |files: &Files| -> Files {
        files.iter().filter(|(name, _)| name.starts_with("stranger")).map(|(n, b)| (n.clone(), b.clone())).collect()
    };
    let mut all = vec![
        ("logs", record.said.clone()),
        ("output", record.printed.clone()),
        ("mail headers", record.headers.clone()),
        ("pages for strangers", strangers(&record.pages)),
    ];
    for (name, moment) in [("open", &record.open), ("closed", &record.closed), ("opened", &record.opened)] {
        all.push((name, moment.files.clone()));
        all.push((name, as_files(&moment.rows)));
    }
    all.extend(record.backups.iter().map(|files| ("backup", files.clone())));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_stands_in_the_body_of_its_mail_and_nowhere_else() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let tokens: Vec<Vec<u8>> = record.people.iter().map(|person| person.token.clone().into_bytes()).collect();
        assert_eq!(found_in(&record.bodies, &tokens).len(), 12, "the tokens are not those of the mails");
        for (what, files) in everything_else(record) {
            assert_eq!(found_in(&files, &tokens), Vec::<String>::new(), "{database:?}: {what}");
        }
        let hashes: Vec<String> = rows::of(&record.open.rows, "link").iter().map(|row| row.text("hash")).collect();
        for person in &record.people {
            assert!(hashes.contains(&parsurvey_survey::link::token_hash(&person.token)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_secret_is_in_its_own_file_only() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let secret = record.link_key.trim().as_bytes().to_vec();
        let bytes = parsurvey_survey::unhex(record.link_key.trim()).unwrap();
        for (what, files) in everything_else(record) {
            let found = found_in(&files, &[secret.clone(), bytes.clone()]);
            assert!(found.iter().all(|name| name == "data/link.key"), "{database:?}: {what}: {found:?}");
        }
        let bodies: Vec<u8> = record.bodies.values().flatten().copied().collect();
        assert!(!holds(&bodies, &secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_ledger_and_secrets_belong_to_their_owner_alone() {
    let modes = &record(Database::Sqlite).await.modes;
    for name in [".", "out", "ledger.sqlite", "link.key", "lock", "out/archive.sealed", "out/tally.json"] {
        assert!(modes.contains_key(name), "{name} is missing: {modes:?}");
    }
    for (name, mode) in modes {
        assert_eq!(mode & 0o077, 0, "{name} has mode {mode:o}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_relay_quotes_is_kept_without_address_and_link() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let attempts = rows::of(&record.opened.rows, "attempt");
        let put_off: Vec<String> =
            attempts.iter().filter(|row| row.text("result") == "deferred").map(|row| row.text("text")).collect();
        assert_eq!(put_off.len(), 2);
        assert!(put_off.iter().any(|text| text.contains("greylisted") && text.contains("[address]")), "{put_off:?}");
        assert!(put_off.iter().any(|text| text.contains("listed") && text.contains("[link]")), "{put_off:?}");
    }
}
