//! A sender as it is usually written, to hold the harness against: a pool of connections, a batch at a time, a time limit
//! around each send, and a mark in the database once the batch is through, or before it is sent.
//!
//! It is wrong on purpose, and only tests use it. Arguments: the SQLite file with its table `mail`, the relay, the number of
//! connections, and `after` or `before`.

use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::{Error, PoolConfig};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use sqlx::{Connection, SqliteConnection};
use tokio::task::JoinSet;

type Fault = Box<dyn std::error::Error>;
type Pool = AsyncSmtpTransport<Tokio1Executor>;

/// How long a send may take before it is given up. In real life these are seconds, as are the delays of real relays.
const LIMIT: Duration = Duration::from_millis(60);

/// How often a mail is tried.
const TRIES: i64 = 5;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, relay, connections, habit] = words.as_slice() else {
        return Err("FILE HOST:PORT CONNECTIONS after|before".into());
    };
    let connections: u32 = connections.parse()?;
    let (host, port) = relay.rsplit_once(':').ok_or("HOST:PORT")?;
    let pool = Pool::builder_dangerous(host)
        .port(port.parse()?)
        .pool_config(PoolConfig::new().max_size(connections))
        .build::<Tokio1Executor>();
    let mut database = SqliteConnection::connect(&format!("sqlite://{file}")).await?;
    loop {
        let batch: Vec<(i64, String)> = sqlx::query_as(
            "SELECT mail, recipient FROM mail WHERE state = 'waiting' AND tries < ? ORDER BY tries, mail LIMIT ?",
        )
        .bind(TRIES)
        .bind(i64::from(connections))
        .fetch_all(&mut database)
        .await?;
        if batch.is_empty() {
            return Ok(());
        }
        if habit == "before" {
            for (mail, _) in &batch {
                let sql = "UPDATE mail SET state = 'accepted' WHERE mail = ?";
                sqlx::query(sql).bind(mail).execute(&mut database).await?;
            }
        }
        let mut sends = JoinSet::new();
        for (mail, recipient) in batch {
            let pool = pool.clone();
            sends.spawn(async move { (mail, send(&pool, mail, &recipient).await) });
        }
        for (mail, state) in sends.join_all().await {
            sqlx::query("UPDATE mail SET state = ?, tries = tries + 1 WHERE mail = ?")
                .bind(state)
                .bind(mail)
                .execute(&mut database)
                .await?;
        }
    }
}

/// Sends one mail and says how it is marked.
async fn send(pool: &Pool, mail: i64, recipient: &str) -> &'static str {
    let (Ok(from), Ok(to)) = ("khaosat@khaosat.example".parse(), recipient.parse()) else { return "rejected" };
    let Ok(envelope) = Envelope::new(Some(from), vec![to]) else { return "rejected" };
    let text = format!("Message-ID: <{mail}@naive.example>\r\nSubject: Khao sat\r\n\r\nXin moi tra loi.\r\n");
    match tokio::time::timeout(LIMIT, pool.send_raw(&envelope, text.as_bytes())).await {
        Ok(Ok(_)) => "accepted",
        Ok(Err(error)) if Error::is_permanent(&error) => "rejected",
        Ok(Err(_)) | Err(_) => "waiting",
    }
}
