//! Handing mails out: who may send which, and for how long.
//!
//! Every dispatcher has a row of its own with a lease on the database's clock, which it renews while it lives. Only mails
//! of a dispatcher whose lease is over are taken from it: those it had not begun to send are ready again, and those it may
//! have sent are unknown. Nothing here trusts the clock of a machine.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::FormId;
use sqlx::AnyConnection;
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis, small, to_millis};
use crate::connect::Backend;
use crate::error::Result;
use crate::mail::later_contact_queued;
use crate::sql::{CHUNK, Tx, in_order, members, pieces};

/// A mail that is this dispatcher's to send, and nobody else's.
#[derive(Clone, PartialEq, Eq)]
pub struct LeasedMail {
    /// The mail's number.
    pub mail: i64,
    /// The form.
    pub form: FormId,
    /// The holder number.
    pub holder: u32,
    /// The address version.
    pub address_version: u32,
    /// The version of the link to compose.
    pub link_version: u32,
    /// The kind.
    pub kind: MailKind,
    /// The wave.
    pub wave: u32,
    /// The Message-ID queued with it.
    pub message_id: Option<String>,
    /// The date the mail bears: of its first lease, so that every attempt sends the same bytes.
    pub dated: Timestamp,
    /// The holder's name.
    pub name: String,
    /// The holder's address.
    pub email: String,
    /// The holder's position.
    pub position: String,
    /// The target.
    pub target: TargetCode,
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
}

impl fmt::Debug for LeasedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedMail")
            .field("mail", &self.mail)
            .field("form", &self.form)
            .field("kind", &self.kind)
            .field("wave", &self.wave)
            .finish_non_exhaustive()
    }
}

/// What [`Ledger::take_over`] found in the hands of dispatchers that are gone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Mails that were not sent, provably, and are ready again.
    pub ready: u64,
    /// Mails that may have been sent.
    pub unknown: u64,
}

/// The database's own clock, in milliseconds since the Unix epoch.
const SQLITE_CLOCK: &str = "CAST(unixepoch('subsec') * 1000 AS INTEGER)";
const POSTGRES_CLOCK: &str = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

/// A condition on `mail`: the dispatcher that has it is gone.
macro_rules! holder_gone {
    () => {
        "dispatcher IN (SELECT dispatcher FROM dispatcher WHERE ended IS NOT NULL)"
    };
}

impl Ledger {
    /// Enters a dispatcher, whose mails nobody takes before its lease is over.
    ///
    /// # Errors
    /// The ledger cannot be written, or a dispatcher has this name.
    pub async fn enter_dispatcher(&self, dispatcher: &str, lease: Duration, now: Timestamp) -> Result<()> {
        let mut tx = self.write().await?;
        let sql = format!("INSERT INTO dispatcher (dispatcher, started, until) VALUES ($1, $2, {} + $3)", self.clock());
        sqlx::query(AssertSqlSafe(sql))
            .bind(dispatcher)
            .bind(to_millis(now))
            .bind(millis(lease))
            .execute(&mut *tx)
            .await?;
        Ok(tx.commit().await?)
    }

    /// Ends a dispatcher: it is gone, or known to be dead, and its mails may be taken over at once.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn end_dispatcher(&self, dispatcher: &str) -> Result<()> {
        let mut tx = self.write().await?;
        let sql = format!("UPDATE dispatcher SET ended = {} WHERE dispatcher = $1 AND ended IS NULL", self.clock());
        sqlx::query(AssertSqlSafe(sql)).bind(dispatcher).execute(&mut *tx).await?;
        Ok(tx.commit().await?)
    }

    /// Takes the mails of dispatchers that ended or whose lease is over; the latter are ended by it.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn take_over(&self, now: Timestamp) -> Result<TakenOver> {
        let mut tx = self.write().await?;
        let taken = self.take_over_in(&mut tx, now).await?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Hands out up to `limit` mails to an entered dispatcher, oldest first. Mails that are owed no longer (submitted,
    /// excused, declined, out of the frame, another holder or address) are cancelled on the way, those to a stopped
    /// address are suppressed. Nothing is handed out while sending is paused, and once closed.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn lease(&self, dispatcher: &str, limit: u32, now: Timestamp) -> Result<Vec<LeasedMail>> {
        let mut tx = self.write().await?;
        let leased = self.lease_in(&mut tx, dispatcher, limit, now).await?;
        // Only what is committed may be sent.
        tx.commit().await?;
        Ok(leased)
    }

    /// Gives back mails that were not tried; they are ready again. Others' mails stay untouched.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn give_back(&self, dispatcher: &str, mails: &[i64]) -> Result<u64> {
        let mut tx = self.write().await?;
        let given = give_back_in(&mut tx, dispatcher, mails).await?;
        tx.commit().await?;
        Ok(given)
    }

    /// Mails in the hands of dispatchers that still hold a lease.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn mails_in_hand(&self) -> Result<u64> {
        let sql = format!(
            "SELECT COUNT(*) FROM mail WHERE state IN ('leased', 'sending') AND dispatcher IN \
             (SELECT dispatcher FROM dispatcher WHERE ended IS NULL AND until > {})",
            self.clock()
        );
        let mails = sqlx::query_scalar::<Any, i64>(AssertSqlSafe(sql)).fetch_one(&mut *self.read().await?).await?;
        Ok(mails.unsigned_abs())
    }

    /// Renews a lease; `false` where the dispatcher was ended meanwhile.
    pub(crate) async fn renew_in(&self, tx: &mut Tx, dispatcher: &str, lease: Duration) -> Result<bool> {
        let sql =
            format!("UPDATE dispatcher SET until = {} + $1 WHERE dispatcher = $2 AND ended IS NULL", self.clock());
        let renewed = sqlx::query(AssertSqlSafe(sql)).bind(millis(lease)).bind(dispatcher).execute(&mut **tx).await?;
        Ok(renewed.rows_affected() > 0)
    }

    /// Whether mails may leave: sending is not paused, and the survey is not closed.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn may_send(&self) -> Result<bool> {
        may_send(&mut *self.read().await?).await
    }

    pub(crate) async fn take_over_in(&self, tx: &mut Tx, now: Timestamp) -> Result<TakenOver> {
        // Whoever is found beyond its lease is ended for good, so that a sleeper that wakes is told so by its next renewal.
        let end = format!("UPDATE dispatcher SET ended = {0} WHERE ended IS NULL AND until <= {0}", self.clock());
        sqlx::query(AssertSqlSafe(end)).execute(&mut **tx).await?;
        let ready = sqlx::query(concat!(
            "UPDATE mail SET state = 'ready', not_before = 0, dispatcher = NULL, leased = NULL WHERE state = 'leased' AND ",
            holder_gone!()
        ));
        let ready = ready.execute(&mut **tx).await?.rows_affected();
        let lost = sqlx::query_as::<Any, (i64, String)>(concat!(
            "UPDATE mail SET state = 'unknown' WHERE state = 'sending' AND ",
            holder_gone!(),
            " RETURNING mail, dispatcher"
        ));
        let lost = lost.fetch_all(&mut **tx).await?;
        for (mail, dispatcher) in &lost {
            let attempt = sqlx::query_scalar::<Any, i64>(
                "INSERT INTO attempt (mail, dispatcher, result, stage, text, at) \
                 VALUES ($1, $2, 'unknown', 'dot', 'its dispatcher was gone', $3) RETURNING attempt",
            );
            let attempt =
                attempt.bind(*mail).bind(dispatcher.as_str()).bind(to_millis(now)).fetch_one(&mut **tx).await?;
            sqlx::query("UPDATE mail SET last_result = 'unknown', last_at = $1, last_attempt = $2 WHERE mail = $3")
                .bind(to_millis(now))
                .bind(attempt)
                .bind(*mail)
                .execute(&mut **tx)
                .await?;
        }
        let unknown = lost.len() as u64;
        Ok(TakenOver { ready, unknown })
    }

    pub(crate) async fn lease_in(
        &self,
        tx: &mut Tx,
        dispatcher: &str,
        limit: u32,
        now: Timestamp,
    ) -> Result<Vec<LeasedMail>> {
        let mut leased = Vec::new();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        if !may_send(tx).await? || !is_entered(tx, dispatcher).await? {
            return Ok(leased);
        }
        while leased.len() < wanted {
            let rest = (wanted - leased.len()).min(CHUNK);
            let numbers = self.sendable(tx, rest, now).await?;
            if numbers.is_empty() {
                break;
            }
            let mut take = Vec::new();
            for candidate in candidates(tx, &numbers).await? {
                match candidate.obsolete() {
                    Some((state, why)) => set_aside(tx, candidate.mail, state, why).await?,
                    None => take.push(candidate.into_leased(now)?),
                }
            }
            mark_leased(tx, &take, dispatcher, now).await?;
            leased.append(&mut take);
        }
        Ok(leased)
    }

    /// The oldest mails that may be sent, then those whose wait is over. Two queries, each along an index of its own, so
    /// that handing out costs the same however many mails there are.
    async fn sendable(&self, tx: &mut Tx, limit: usize, now: Timestamp) -> Result<Vec<i64>> {
        let [ready, deferred] = match self.backend {
            Backend::Sqlite => [
                "SELECT mail FROM mail WHERE state = 'ready' ORDER BY mail LIMIT $1",
                "SELECT mail FROM mail WHERE state = 'deferred' AND not_before <= $2 ORDER BY not_before LIMIT $1",
            ],
            Backend::Postgres => [
                "SELECT mail FROM mail WHERE state = 'ready' ORDER BY mail LIMIT $1 FOR UPDATE SKIP LOCKED",
                "SELECT mail FROM mail WHERE state = 'deferred' AND not_before <= $2 ORDER BY not_before LIMIT $1 \
                 FOR UPDATE SKIP LOCKED",
            ],
        };
        let limit = i64::try_from(limit).unwrap_or(1);
        let mut numbers = sqlx::query_scalar::<Any, i64>(ready).bind(limit).fetch_all(&mut **tx).await?;
        let rest = limit - i64::try_from(numbers.len()).unwrap_or(limit);
        if rest > 0 {
            let waited = sqlx::query_scalar::<Any, i64>(deferred).bind(rest).bind(to_millis(now));
            numbers.extend(waited.fetch_all(&mut **tx).await?);
        }
        Ok(numbers)
    }

    fn clock(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => SQLITE_CLOCK,
            Backend::Postgres => POSTGRES_CLOCK,
        }
    }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}

/// Whether anything may be sent at all: sending is not paused, and the campaign is not closed.
pub(crate) async fn may_send(connection: &mut AnyConnection) -> Result<bool> {
    let open = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM campaign, sending WHERE campaign.state IN ('draft', 'inviting') AND sending.paused = 0",
    );
    Ok(open.fetch_one(connection).await? > 0)
}

/// Whether the dispatcher is entered and was not ended, as one that slept too long is.
async fn is_entered(tx: &mut Tx, dispatcher: &str) -> Result<bool> {
    let entered = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM dispatcher WHERE dispatcher.dispatcher = $1 AND ended IS NULL",
    );
    Ok(entered.bind(dispatcher).fetch_one(&mut **tx).await? > 0)
}

pub(crate) async fn give_back_in(tx: &mut Tx, dispatcher: &str, mails: &[i64]) -> Result<u64> {
    let mut given = 0;
    for chunk in pieces(mails) {
        let sql = format!(
            "UPDATE mail SET state = 'ready', not_before = 0, dispatcher = NULL, leased = NULL \
             WHERE state = 'leased' AND dispatcher = $1 AND mail IN ({})",
            members(2, chunk.len())
        );
        let mut query = sqlx::query(in_order(tx, sql)).bind(dispatcher);
        for mail in chunk {
            query = query.bind(*mail);
        }
        given += query.execute(&mut **tx).await?.rows_affected();
    }
    Ok(given)
}

pub(crate) async fn candidates(tx: &mut Tx, numbers: &[i64]) -> Result<Vec<Candidate>> {
    let sql = format!(
        "SELECT m.mail, m.form, m.holder, m.address_version, m.kind, m.wave, m.message_id, m.dated, \
         s.holder AS holder_now, s.link_version, s.removed, s.ineligible, s.excused, s.declined, s.completed, \
         s.target, s.grp, s.unit, p.email_version, p.stopped_version, p.name, p.email, p.position, overtaken.mail AS later \
         FROM mail m JOIN seat s ON s.form = m.form JOIN person p ON p.person = s.person \
         LEFT JOIN (SELECT mail.mail FROM mail WHERE mail.mail IN ({}) AND {}) AS overtaken ON overtaken.mail = m.mail \
         WHERE m.mail IN ({}) ORDER BY m.mail",
        members(1, numbers.len()),
        later_contact_queued!(),
        members(numbers.len() + 1, numbers.len())
    );
    let mut query = sqlx::query_as::<Any, Candidate>(in_order(tx, sql));
    for number in numbers.iter().chain(numbers) {
        query = query.bind(*number);
    }
    Ok(query.fetch_all(&mut **tx).await?)
}

pub(crate) async fn set_aside(tx: &mut Tx, mail: i64, state: MailState, why: &'static str) -> Result<()> {
    // Whoever took the mail over meanwhile has moved it on.
    let held = "UPDATE mail SET state = $1, why = $2, dispatcher = NULL, leased = NULL \
                WHERE mail = $3 AND state IN ('planned', 'ready', 'deferred', 'leased')";
    sqlx::query(held).bind(state.as_str()).bind(why).bind(mail).execute(&mut **tx).await?;
    Ok(())
}

async fn mark_leased(tx: &mut Tx, mails: &[LeasedMail], dispatcher: &str, now: Timestamp) -> Result<()> {
    if mails.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE mail SET state = 'leased', dispatcher = $1, leased = $2, dated = COALESCE(dated, $3) WHERE mail IN ({})",
        members(4, mails.len())
    );
    let mut query = sqlx::query(in_order(tx, sql)).bind(dispatcher).bind(to_millis(now)).bind(to_millis(now));
    for mail in mails {
        query = query.bind(mail.mail);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// A mail that might be sent, with what decides whether it is still owed.
#[derive(sqlx::FromRow)]
pub(crate) struct Candidate {
    pub(crate) mail: i64,
    form: i64,
    holder: i64,
    address_version: i64,
    kind: String,
    wave: i64,
    message_id: Option<String>,
    dated: Option<i64>,
    holder_now: i64,
    link_version: i64,
    removed: i64,
    ineligible: i64,
    excused: Option<String>,
    declined: i64,
    completed: Option<i64>,
    target: String,
    grp: String,
    unit: String,
    email_version: i64,
    stopped_version: Option<i64>,
    name: String,
    email: String,
    position: String,
    /// Set where a later contact with the same person stands in the outbox.
    later: Option<i64>,
}

impl Candidate {
    /// Why the mail is not to be sent, and what it becomes.
    pub(crate) fn obsolete(&self) -> Option<(MailState, &'static str)> {
        let reasons = [
            (self.removed != 0 || self.ineligible != 0, "ineligible"),
            (self.holder != self.holder_now, "replaced"),
            (self.address_version != self.email_version, "address corrected"),
            (self.completed.is_some(), "submitted"),
            (self.excused.is_some(), "excused"),
            (self.declined != 0 && self.kind != "link", "declined"),
            (self.later.is_some(), "superseded"),
        ];
        let owed_no_longer = reasons.into_iter().find(|(applies, _)| *applies);
        owed_no_longer.map(|(_, why)| (MailState::Cancelled, why)).or_else(|| {
            (self.stopped_version == Some(self.email_version)).then_some((MailState::Suppressed, "address stopped"))
        })
    }

    fn into_leased(self, now: Timestamp) -> Result<LeasedMail> {
        Ok(LeasedMail {
            mail: self.mail,
            form: self.form,
            holder: small(self.holder, "mail.holder")?,
            address_version: small(self.address_version, "mail.address_version")?,
            link_version: small(self.link_version, "seat.link_version")?,
            kind: code(&self.kind, "mail.kind")?,
            wave: small(self.wave, "mail.wave")?,
            message_id: self.message_id,
            dated: self.dated.map_or(Ok(now), |dated| from_millis(dated, "mail.dated"))?,
            name: self.name,
            email: self.email,
            position: self.position,
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
        })
    }
}
