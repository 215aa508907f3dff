//! Names and addresses: in one table, in the mails to the person, and in no log, result or page.

use crate::needles::{Files, found_in};
use crate::open::as_files;
use crate::record::{Database, Record, record};
use crate::rows::Row;

/// Name, address and the address without its domain where that is long enough to mean somebody.
fn traces(record: &Record) -> Vec<Vec<u8>> {
    record.people.iter().flat_map(|p| [p.name.clone().into_bytes(), p.address.clone().into_bytes()]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_results_and_pages_name_nobody() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        let traces = traces(record);
        assert_eq!(found_in(&record.headers, &traces).len(), 12, "mails name their recipient");
        // Whoever hands in the roster is shown what it adds; nothing else that is printed names anybody.
        let printed: Files =
            record.printed.iter().filter(|(name, _)| !name.ends_with("roster import")).map(clone).collect();
        assert!(printed.len() + 1 == record.printed.len());
        for (what, files) in [("logs", &record.said), ("output", &printed), ("pages", &record.pages)] {
            assert_eq!(found_in(files, &traces), Vec::<String>::new(), "{database:?}: {what}");
        }
        for moment in [&record.open, &record.closed, &record.opened] {
            let out: Files = moment.files.iter().filter(|(name, _)| is_result(name)).map(clone).collect();
            assert!(!out.is_empty());
            assert_eq!(found_in(&out, &traces), Vec::<String>::new(), "{database:?}: files");
        }
    }
}

/// Files that are not the ledger's own: box, tally, archive, reports, temporary files, the database's log.
fn is_result(name: &str) -> bool {
    name.starts_with("data/out") || name.starts_with("tmp") || name == "postgres/log"
}

fn clone((name, bytes): (&String, &Vec<u8>)) -> (String, Vec<u8>) {
    (name.clone(), bytes.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_table_names_people() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        for moment in [&record.open, &record.closed, &record.opened] {
            let others: Vec<Row> = moment.rows.iter().filter(|row| row.table != "person").cloned().collect();
            assert_eq!(found_in(&as_files(&others), &traces(record)), Vec::<String>::new(), "{database:?}");
            assert_eq!(found_in(&as_files(&moment.rows), &traces(record)), ["table person"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_was_as_talkative_as_it_can_be() {
    for database in [Database::Sqlite, Database::Postgres] {
        let said = &record(database).await.said;
        let text = String::from_utf8_lossy(&said["serve"]);
        assert!(text.contains("/f/{token}/page"), "requests are logged by their template");
        let all: String = said.values().map(|text| String::from_utf8_lossy(text)).collect();
        println!(
            "lines of log: {}, TRACE {}, DEBUG {}",
            all.lines().count(),
            all.matches("TRACE").count(),
            all.matches("DEBUG").count()
        );
        assert!(all.contains("DEBUG"), "the log was not at its most talkative");
    }
}
