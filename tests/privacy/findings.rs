//! The table that shows what an attacker finds in the open, the closed and the opened ledger.
//!
//! `cargo test -p parsurvey-tests --test privacy findings -- --nocapture` prints it. It searches without any key.

use crate::needles::{Files, found_in};
use crate::open::{as_files, responses, single_answers};
use crate::opened::former_ballots;
use crate::record::{Database, Moment, Record, record};

struct Finding {
    sought: &'static str,
    place: &'static str,
    n_files: usize,
    found: Vec<String>,
    expected: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_attacker_finds() {
    for database in [Database::Sqlite, Database::Postgres] {
        let record = record(database).await;
        println!("\n{database:?}");
        println!("{:<34} {:<46} {:>5}  found", "sought", "in", "files");
        for finding in findings(record, database) {
            let found =
                if finding.found.is_empty() { "no".to_owned() } else { format!("yes: {}", short(&finding.found)) };
            println!("{:<34} {:<46} {:>5}  {found}", finding.sought, finding.place, finding.n_files);
            assert_eq!(!finding.found.is_empty(), finding.expected, "{} in {}", finding.sought, finding.place);
        }
    }
}

/// The places without repetitions; PostgreSQL names its files by numbers.
fn short(names: &[String]) -> String {
    let mut names: Vec<&str> = names
        .iter()
        .map(|name| match name {
            name if name.contains("postgres/base") => "PostgreSQL's tables",
            name if name.contains("postgres/pg_wal") => "PostgreSQL's write-ahead log",
            name => name.as_str(),
        })
        .collect();
    names.dedup();
    names.join(", ")
}

fn findings(record: &Record, database: Database) -> Vec<Finding> {
    let mut answers = single_answers();
    answers.extend(record.people.iter().flat_map(responses));
    let whole: Vec<Vec<u8>> = record.people.iter().flat_map(responses).collect();
    let tokens: Vec<Vec<u8>> = record.people.iter().map(|person| person.token.clone().into_bytes()).collect();
    let names: Vec<Vec<u8>> = record.people.iter().map(|person| person.address.clone().into_bytes()).collect();
    let ballots = former_ballots(record);
    let backups: Files = record
        .backups
        .iter()
        .enumerate()
        .flat_map(|(n, files)| files.iter().map(move |(name, bytes)| (format!("backup {n} {name}"), bytes.clone())))
        .collect();
    let archive = Files::from([("archive".to_owned(), record.archive.join("\n").into_bytes())]);
    let (open, closed, opened) =
        (tables_and_files(&record.open), tables_and_files(&record.closed), tables_and_files(&record.opened));
    let body = Files::from([("box".to_owned(), record.closed.files["data/out/box.sealed"].clone())]);
    let kept = |files: &Files, of: fn(&str) -> bool| -> Files {
        files.iter().filter(|(name, _)| of(name)).map(|(n, b)| (n.clone(), b.clone())).collect()
    };
    let own = kept(&opened, |name| !name.starts_with("postgres/pg_wal"));
    let wal = kept(&opened, |name| name.starts_with("postgres/pg_wal"));
    let mut rows = vec![
        ("an answer (12 people, all forms)", "open: tables, hidden columns, files, WAL", &open, &answers, false),
        ("an answer (12 people, all forms)", "open: three backups taken in between", &backups, &answers, false),
        ("an answer (12 people, all forms)", "logs of all commands at level trace", &record.said, &whole, false),
        ("a link's token", "open: tables, files, WAL", &open, &tokens, false),
        ("a link's token", "logs, at level trace", &record.said, &tokens, false),
        ("a link's token", "headers of mails", &record.headers, &tokens, false),
        ("a link's token", "bodies of mails (where it belongs)", &record.bodies, &tokens, true),
        ("a person's address", "logs, at level trace", &record.said, &names, false),
        ("a person's address", "printed output", &record.printed, &names, false),
        ("a person's address", "open: tables (where it belongs)", &open, &names, true),
        ("a whole response", "closed: tables, files, WAL, box", &closed, &whole, false),
        ("a whole response", "closed: the box file", &body, &whole, false),
        ("a sealed ballot", "closed: tables and files (sealed)", &closed, &ballots, true),
        ("a sealed ballot", "opened: tables, files of the database, out/", &own, &ballots, false),
        ("a sealed ballot", "opened: older backups (sealed)", &backups, &ballots, true),
        ("a whole response", "opened: tables, files, tally, reports", &opened, &whole, false),
        ("a whole response", "the archive, with its holder's key", &archive, &whole, true),
    ];
    if database == Database::Postgres {
        rows.push(("a sealed ballot", "opened: PostgreSQL's write-ahead log (sealed)", &wal, &ballots, true));
    }
    rows.into_iter()
        .map(|(sought, place, files, needles, expected)| Finding {
            sought,
            place,
            n_files: files.len(),
            found: found_in(files, needles),
            expected,
        })
        .collect()
}

fn tables_and_files(moment: &Moment) -> Files {
    let mut files = moment.files.clone();
    files.extend(as_files(&moment.rows));
    files
}
