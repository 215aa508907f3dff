//! The event log: append-only, each entry hashed together with the one before it.
//!
//! It holds person ids and hashes, never names or addresses, so it outlives their erasure with its chain intact.
//! The chain shows a change to whoever kept an earlier hash; it does not stop somebody who rewrites the whole file.

use jiff::Timestamp;
use parsurvey_survey::seat::{FormId, PersonId};
use serde::Serialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, from_millis, to_millis};
use crate::campaign::Head;
use crate::error::Result;
use crate::sql::{Tx, in_order, pieces, rows};

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its number, from 1, without gaps.
    pub seq: i64,
    /// When it was done.
    pub at: Timestamp,
    /// What was done: `created`, `roster`, `frozen`, `queued`, `started`, `submitted`, `excused`, `closed` …
    pub kind: String,
    /// The form it concerns.
    pub form: Option<FormId>,
    /// The person it concerns.
    pub person: Option<PersonId>,
    /// Who did it; `respondent` for what came through a link.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The document that allows it.
    pub document: String,
    /// Further particulars as a JSON object.
    pub detail: String,
    /// SHA-256 (hex) over the entry before and this one.
    pub hash: String,
}

/// What [`Ledger::verify_chain`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// Every entry follows from the one before, and the last is the one the campaign remembers.
    Intact {
        /// Entries checked.
        events: u64,
        /// Hash of the last one. Kept elsewhere, it proves later that nothing up to here was changed.
        head: String,
    },
    /// The first entry that does not follow, or that is missing.
    Broken {
        /// Its number.
        seq: i64,
    },
}

/// An entry before it has a number.
pub(crate) struct Entry {
    kind: &'static str,
    form: Option<FormId>,
    person: Option<PersonId>,
    detail: Map<String, Value>,
}

/// The proposal that an act carries out.
pub(crate) struct Backed {
    pub(crate) proposal: i64,
    pub(crate) proposer: String,
}

impl Entry {
    /// Notes whose proposal is carried out; the actor of the entry is whoever approved it.
    pub(crate) fn backed(self, backed: Option<&Backed>) -> Self {
        match backed {
            Some(backed) => self.with("proposal", backed.proposal).with("proposer", backed.proposer.as_str()),
            None => self,
        }
    }

    pub(crate) fn of(kind: &'static str) -> Self {
        Self { kind, form: None, person: None, detail: Map::new() }
    }

    pub(crate) fn form(mut self, form: FormId) -> Self {
        self.form = Some(form);
        self
    }

    pub(crate) fn person(mut self, person: PersonId) -> Self {
        self.person = Some(person);
        self
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(key.to_owned(), value.into());
        self
    }
}

/// The hashed part of an entry; the order of the fields is the canonical one.
#[derive(Serialize)]
struct Canonical<'a> {
    seq: i64,
    at: i64,
    kind: &'a str,
    form: Option<i64>,
    person: Option<i64>,
    actor: &'a str,
    reason: &'a str,
    document: &'a str,
    detail: &'a str,
}

impl Canonical<'_> {
    fn hash(&self, previous: &str) -> String {
        let json = serde_json::to_vec(self).expect("numbers and strings always make JSON");
        let mut hasher = Sha256::new();
        hasher.update(previous.as_bytes());
        hasher.update(&json);
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Head {
    /// Appends an entry; the caller's transaction holds the campaign's row.
    pub(crate) async fn append(&mut self, tx: &mut Tx, act: &Act, entry: Entry) -> Result<()> {
        self.append_all(tx, vec![(act.clone(), entry)]).await
    }

    /// Appends entries in this order; the caller's transaction holds the campaign's row.
    pub(crate) async fn append_all(&mut self, tx: &mut Tx, entries: Vec<(Act, Entry)>) -> Result<()> {
        let mut chained = Vec::with_capacity(entries.len());
        let (mut seq, mut hash) = (self.seq, self.hash.clone());
        for (act, entry) in entries {
            seq += 1;
            let row = Row::of(seq, act, entry, &hash);
            hash.clone_from(&row.hash);
            chained.push(row);
        }
        for piece in pieces(&chained) {
            let sql = format!(
                "INSERT INTO event (seq, at, kind, form, person, actor, reason, document, detail, hash) VALUES {}",
                rows(piece.len(), 10)
            );
            let mut query = sqlx::query(in_order(tx, sql));
            for row in piece {
                query = query
                    .bind(row.seq)
                    .bind(row.at)
                    .bind(row.kind.as_str())
                    .bind(row.form)
                    .bind(row.person)
                    .bind(row.actor.as_str())
                    .bind(row.reason.as_str())
                    .bind(row.document.as_str())
                    .bind(row.detail.as_str())
                    .bind(row.hash.as_str());
            }
            query.execute(&mut **tx).await?;
        }
        if !chained.is_empty() {
            sqlx::query("UPDATE campaign SET event_seq = $1, event_hash = $2")
                .bind(seq)
                .bind(hash.as_str())
                .execute(&mut **tx)
                .await?;
        }
        (self.seq, self.hash) = (seq, hash);
        Ok(())
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: i64,
    kind: String,
    form: Option<i64>,
    person: Option<i64>,
    actor: String,
    reason: String,
    document: String,
    detail: String,
    hash: String,
}

/// Entries read at a time while the chain is verified.
const PAGE: i64 = 1000;

impl Ledger {
    /// Up to `limit` entries after number `after_seq` (0 for the first), in order.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn events(&self, after_seq: i64, limit: u32) -> Result<Vec<Event>> {
        let read = page(&mut *self.read().await?, after_seq, i64::from(limit)).await?;
        let event = |row: Row| {
            Ok(Event {
                seq: row.seq,
                at: from_millis(row.at, "event.at")?,
                kind: row.kind,
                form: row.form,
                person: row.person,
                actor: row.actor,
                reason: row.reason,
                document: row.document,
                detail: row.detail,
                hash: row.hash,
            })
        };
        read.into_iter().map(event).collect()
    }

    /// Recomputes every hash of the log.
    ///
    /// # Errors
    /// The ledger cannot be read. A broken chain is not an error but an answer.
    pub async fn verify_chain(&self) -> Result<Chain> {
        let mut connection = self.read().await?;
        // The end is read first: what other processes append meanwhile is left for the next time.
        let (end, head) = sqlx::query_as::<Any, (i64, String)>("SELECT event_seq, event_hash FROM campaign")
            .fetch_one(&mut *connection)
            .await?;
        let walked = walk(&mut connection, end, |_| {}).await?;
        if let Some(seq) = walked.broken_at {
            return Ok(Chain::Broken { seq });
        }
        if walked.head != head {
            return Ok(Chain::Broken { seq: end });
        }
        Ok(Chain::Intact { events: end.unsigned_abs(), head })
    }
}

/// An entry whose hash follows from all before it.
pub(crate) struct Link {
    pub(crate) seq: i64,
    /// Milliseconds since the epoch.
    pub(crate) at: i64,
    pub(crate) kind: String,
    pub(crate) form: Option<i64>,
    pub(crate) hash: String,
}

/// How far the chain holds.
pub(crate) struct Walked {
    /// Entries that follow, from the first on.
    pub(crate) intact: i64,
    /// The first that does not follow, or is missing.
    pub(crate) broken_at: Option<i64>,
    /// The hash of the last that follows; empty before the first.
    pub(crate) head: String,
}

/// Recomputes the hashes up to entry `end`, and shows every entry that follows.
pub(crate) async fn walk(
    connection: &mut sqlx::AnyConnection,
    end: i64,
    mut show: impl FnMut(&Link),
) -> Result<Walked> {
    let (mut seq, mut head) = (0, String::new());
    while seq < end {
        let rows = page(connection, seq, PAGE.min(end - seq)).await?;
        if rows.is_empty() {
            return Ok(Walked { intact: seq, broken_at: Some(seq + 1), head });
        }
        for row in rows {
            let hash = row.canonical().hash(&head);
            if row.seq != seq + 1 || row.hash != hash {
                return Ok(Walked { intact: seq, broken_at: Some(seq + 1), head });
            }
            (seq, head) = (row.seq, hash);
            show(&Link { seq, at: row.at, kind: row.kind, form: row.form, hash: row.hash });
        }
    }
    Ok(Walked { intact: seq, broken_at: None, head })
}

impl Row {
    /// An entry under its number, chained to the hash of the one before.
    fn of(seq: i64, act: Act, entry: Entry, previous: &str) -> Self {
        let mut row = Self {
            seq,
            at: to_millis(act.at),
            kind: entry.kind.to_owned(),
            form: entry.form,
            person: entry.person,
            actor: act.actor,
            reason: act.reason,
            document: act.document,
            detail: Value::Object(entry.detail).to_string(),
            hash: String::new(),
        };
        row.hash = row.canonical().hash(previous);
        row
    }

    fn canonical(&self) -> Canonical<'_> {
        Canonical {
            seq: self.seq,
            at: self.at,
            kind: &self.kind,
            form: self.form,
            person: self.person,
            actor: &self.actor,
            reason: &self.reason,
            document: &self.document,
            detail: &self.detail,
        }
    }
}

async fn page(connection: &mut sqlx::AnyConnection, after_seq: i64, limit: i64) -> Result<Vec<Row>> {
    Ok(sqlx::query_as::<Any, Row>(
        "SELECT seq, at, kind, form, person, actor, reason, document, detail, hash FROM event \
         WHERE seq > $1 ORDER BY seq LIMIT $2",
    )
    .bind(after_seq)
    .bind(limit)
    .fetch_all(connection)
    .await?)
}
