//! What it costs to hand out mails, to mark them and to record what became of them, from a thousand queued to a million.
//!
//! Prints a table and asserts nothing. The rows are made by SQL behind the ledger's back, because importing a million
//! people would measure the import. The argument is the largest number of mails; a second one the URL of an empty database.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use parsurvey_ledger::{Act, Ledger, Mark, Outcome};
use parsurvey_survey::delivery::Settled;
use sqlx::{AnyConnection, AssertSqlSafe, Connection};

type Fault = Box<dyn std::error::Error>;

/// Mails handed out at a time, as 32 connections ask for them.
const BATCH: u32 = 64;

/// Batches whose median is taken: as many as a thousand mails fill.
const BATCHES: usize = 15;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let most: i64 = words.first().map_or(Ok(1_000_000), |word| word.parse())?;
    let folder = tempfile::tempdir()?;
    let file = format!("sqlite://{}", folder.path().join("ledger.sqlite").display());
    let url = words.get(1).unwrap_or(&file);
    let now = Timestamp::from_second(1_700_000_000)?;
    let act = Act { at: now, actor: "bench".into(), reason: String::new(), document: String::new() };
    let ledger = Ledger::create(url, "bench", &act).await?;
    ledger.enter_dispatcher("bench", Duration::from_secs(3600), now).await?;
    println!("mails queued: milliseconds to hand out {BATCH}, to mark them, to record them (medians of {BATCHES})");
    let (mut queued, mut next) = (0, 1000);
    while next <= most {
        fill(url, queued, next).await?;
        queued = next;
        let [handed, marked, recorded] = measure(&ledger, now).await?;
        println!("{queued:>12}: {handed:>8.2} {marked:>8.2} {recorded:>8.2}");
        refill(url).await?;
        next *= 10;
    }
    Ok(())
}

/// Queues mails until there are so many, one for each of as many people.
async fn fill(url: &str, from: i64, until: i64) -> Result<(), Fault> {
    let numbers = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT {} UNION ALL SELECT n + 1 FROM numbers WHERE n < {until})",
        from + 1
    );
    let rows = [
        "INSERT INTO person (person, name, email, position) \
         WITH_NUMBERS SELECT n, 'Nguyễn Văn ' || n, 'p' || n || '@soyte.example', '' FROM numbers",
        "INSERT INTO seat (form, target, grp, unit, person) \
         WITH_NUMBERS SELECT n, 'town', 'staff', 'office', n FROM numbers",
        "INSERT INTO mail (form, holder, address_version, kind, wave, message_id, state, queued) \
         WITH_NUMBERS SELECT n, 1, 1, 'invitation', 1, n || '@bench.example', 'ready', 0 FROM numbers",
    ];
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(url).await?;
    for sql in rows {
        sqlx::raw_sql(AssertSqlSafe(sql.replace("WITH_NUMBERS", &numbers))).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

/// Makes everything ready once more.
async fn refill(url: &str) -> Result<(), Fault> {
    let mut connection = AnyConnection::connect(url).await?;
    sqlx::raw_sql("UPDATE mail SET state = 'ready', dispatcher = NULL WHERE state <> 'ready'")
        .execute(&mut connection)
        .await?;
    Ok(connection.close().await?)
}

/// Medians in milliseconds.
async fn measure(ledger: &Ledger, now: Timestamp) -> Result<[f64; 3], Fault> {
    let mut times = [const { Vec::new() }; 3];
    for _ in 0..BATCHES {
        let began = Instant::now();
        let leased = ledger.lease("bench", BATCH, now).await?;
        times[0].push(began.elapsed());
        let marks: Vec<Mark> = leased.iter().map(|mail| mark(mail.mail, now)).collect();
        let began = Instant::now();
        ledger.mark_sending("bench", &marks).await?;
        times[1].push(began.elapsed());
        let outcomes: Vec<(i64, Outcome)> = leased.iter().map(|mail| (mail.mail, accepted(now))).collect();
        let began = Instant::now();
        ledger.record_outcomes("bench", &outcomes).await?;
        times[2].push(began.elapsed());
    }
    Ok(times.map(|mut times| {
        times.sort();
        times[times.len() / 2].as_secs_f64() * 1000.0
    }))
}

fn mark(mail: i64, at: Timestamp) -> Mark {
    Mark { mail, sha256: "0".repeat(64), peer: "127.0.0.1 without TLS".into(), at }
}

fn accepted(at: Timestamp) -> Outcome {
    Outcome {
        settled: Settled::Accepted,
        stage: "dot".into(),
        code: Some(250),
        enhanced: None,
        text: "2.0.0 ok".into(),
        peer: None,
        at,
        dice: 0,
        stops_address: None,
    }
}
