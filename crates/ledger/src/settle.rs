//! From the mark before the final dot to what became of a mail: append-only attempts, and the state that follows.
//!
//! Every function takes many mails, because one durable commit for many costs what it costs for one.
//! The text of an outcome is stored as given: the caller strips addresses and links from it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use parsurvey_survey::delivery::{Event, MailState, Settled, retry_after};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, to_millis};
use crate::connect::Backend;
use crate::error::{LedgerError, Result};
use crate::lease::{candidates, may_send, set_aside};
use crate::mail::{later_contact_queued, still_owed};
use crate::sql::{Tx, in_order, members, pieces, rows};

/// A mail that failed on its way is not offered again before this has passed: the route's own pauses are elsewhere, this
/// keeps one mail that breaks every connection from being tried over and over.
const AFTER_ROUTE_FAILURE: SignedDuration = SignedDuration::from_secs(60);

/// The mark before the final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The mail.
    pub mail: i64,
    /// SHA-256 (hex) of the bytes that are about to be completed.
    pub sha256: String,
    /// Who is spoken to, and under which TLS; no address of a person.
    pub peer: String,
    /// When.
    pub at: Timestamp,
}

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub settled: Settled,
    /// Where in the dialogue it ended, such as `rcpt` or `dot`.
    pub stage: String,
    /// The reply code.
    pub code: Option<u16>,
    /// The enhanced status code, such as `5.1.1`.
    pub enhanced: Option<String>,
    /// The reply's text, without addresses and links.
    pub text: String,
    /// Who was spoken to, and under which TLS.
    pub peer: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Any byte: spreads the next tries of mails that were refused together.
    pub dice: u8,
    /// Why no mail may go to this address any more, where the refusal says so.
    pub stops_address: Option<&'static str>,
}

/// What is done with an outcome that its dispatcher cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    /// All are refused with it.
    Refused,
    /// It is passed over, because others stand beside it that must not be lost.
    PassedOver,
}

/// What a mail was before its outcome.
#[derive(sqlx::FromRow)]
struct Before {
    mail: i64,
    state: String,
    dispatcher: Option<String>,
    tries: i64,
}

/// What a mail is after it.
struct After {
    mail: i64,
    state: MailState,
    not_before: i64,
    tries: i64,
    attempt: i64,
    settled: Settled,
    at: i64,
}

impl Ledger {
    /// Marks mails as being sent, durably; what comes back may have its final dot sent, and nothing else. A mail is
    /// withheld when it is owed no longer, sending was paused, the campaign closed, the dispatcher lost its lease, or a
    /// mail that is sent again would not be the same bytes.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn mark_sending(&self, dispatcher: &str, marks: &[Mark]) -> Result<BTreeSet<i64>> {
        let mut tx = self.write().await?;
        let permitted = mark_in(&mut tx, dispatcher, marks).await?;
        tx.commit().await?;
        Ok(permitted)
    }

    /// Records what became of mails: all or none. Of a mail that was taken from this dispatcher the attempt is appended,
    /// and settles what is unknown.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such mail. [`LedgerError::Conflict`]: the mail was never this dispatcher's. The
    /// ledger cannot be written.
    pub async fn record_outcomes(&self, dispatcher: &str, outcomes: &[(i64, Outcome)]) -> Result<()> {
        let mut tx = self.write().await?;
        if let Err(error) = self.record_in(&mut tx, dispatcher, outcomes, Odd::Refused).await {
            // A transaction that is merely dropped ends some time later, and until then others pass over its rows.
            drop(tx.rollback().await);
            return Err(error);
        }
        Ok(tx.commit().await?)
    }

    pub(crate) async fn record_in(
        &self,
        tx: &mut Tx,
        dispatcher: &str,
        outcomes: &[(i64, Outcome)],
        odd: Odd,
    ) -> Result<()> {
        for chunk in pieces(outcomes) {
            let before = self.before(tx, chunk).await?;
            let mut own = Vec::new();
            for one in chunk {
                let row = before.get(&one.0).ok_or(LedgerError::NotFound("the mail"))?;
                let is_own =
                    row.dispatcher.as_deref() == Some(dispatcher) || was_marked_by(tx, one.0, dispatcher).await?;
                match (is_own, odd) {
                    (true, _) => own.push(one.clone()),
                    // Taken from it before it had marked the mail: nothing was sent, so that nothing is to be settled.
                    (false, Odd::PassedOver) => {
                        tracing::warn!(mail = one.0, "an outcome of a mail that was taken over")
                    }
                    (false, Odd::Refused) => {
                        return Err(LedgerError::conflict(format!("mail {} was never this dispatcher's", one.0)));
                    }
                }
            }
            if own.is_empty() {
                continue;
            }
            let attempts = insert_outcomes(tx, dispatcher, &own).await?;
            let mut after = Vec::new();
            for (mail, outcome) in &own {
                after.extend(follow(&before[mail], dispatcher, outcome, attempts[mail], odd)?);
            }
            update(tx, &after).await?;
            stop_addresses(tx, &own).await?;
            expire_if_closed(tx, &after).await?;
        }
        Ok(())
    }

    async fn before(&self, tx: &mut Tx, chunk: &[(i64, Outcome)]) -> Result<BTreeMap<i64, Before>> {
        let lock = match self.backend {
            Backend::Sqlite => "",
            Backend::Postgres => " ORDER BY mail FOR UPDATE",
        };
        let sql = format!(
            "SELECT mail, state, dispatcher, tries FROM mail WHERE mail IN ({}){lock}",
            members(1, chunk.len())
        );
        let mut query = sqlx::query_as::<Any, Before>(in_order(tx, sql));
        for (mail, _) in chunk {
            query = query.bind(*mail);
        }
        let found = query.fetch_all(&mut **tx).await?;
        Ok(found.into_iter().map(|row| (row.mail, row)).collect())
    }
}

pub(crate) async fn mark_in(tx: &mut Tx, dispatcher: &str, marks: &[Mark]) -> Result<BTreeSet<i64>> {
    let mut permitted = BTreeSet::new();
    for chunk in pieces(marks) {
        let marked = if may_send(tx).await? { set_sending(tx, dispatcher, chunk).await? } else { BTreeSet::new() };
        let (kept, withheld): (Vec<&Mark>, Vec<&Mark>) = chunk.iter().partition(|mark| marked.contains(&mark.mail));
        insert_marks(tx, dispatcher, &kept).await?;
        explain_withheld(tx, dispatcher, &withheld).await?;
        permitted.extend(marked);
    }
    Ok(permitted)
}

/// Moves what is still leased by this dispatcher and still owed. A mail that the policy sends again must be the one that
/// was sent before, byte for byte: a relay that has it already can then recognise it.
async fn set_sending(tx: &mut Tx, dispatcher: &str, marks: &[Mark]) -> Result<BTreeSet<i64>> {
    let sql = format!(
        concat!(
            "WITH mark (number, bytes) AS (VALUES {}) UPDATE mail SET state = 'sending' FROM mark ",
            "WHERE mail.mail = mark.number AND mail.state = 'leased' AND mail.dispatcher = ${} AND ",
            still_owed!(),
            " AND NOT ",
            later_contact_queued!(),
            " AND EXISTS (SELECT 1 FROM dispatcher d WHERE d.dispatcher = mail.dispatcher AND d.ended IS NULL)",
            " AND (mail.resent = 0 OR NOT EXISTS (SELECT 1 FROM attempt a WHERE a.mail = mail.mail ",
            "AND a.result = 'sending' AND a.sha256 <> mark.bytes)) RETURNING mail.mail"
        ),
        rows(marks.len(), 2),
        marks.len() * 2 + 1
    );
    let mut query = sqlx::query_scalar::<Any, i64>(in_order(tx, sql));
    for mark in marks {
        query = query.bind(mark.mail).bind(mark.sha256.as_str());
    }
    Ok(query.bind(dispatcher).fetch_all(&mut **tx).await?.into_iter().collect())
}

async fn insert_marks(tx: &mut Tx, dispatcher: &str, marks: &[&Mark]) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO attempt (mail, dispatcher, result, stage, text, peer, sha256, at) VALUES {}",
        rows(marks.len(), 8)
    );
    let mut query = sqlx::query(in_order(tx, sql));
    for mark in marks {
        query = query
            .bind(mark.mail)
            .bind(dispatcher)
            .bind("sending")
            .bind("body")
            .bind("")
            .bind(mark.peer.as_str())
            .bind(mark.sha256.as_str())
            .bind(to_millis(mark.at));
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// What is withheld and still this dispatcher's becomes what it would have become when it was handed out; what merely
/// has to wait (sending is paused) is ready again; what would not be the same mail stays unknown.
async fn explain_withheld(tx: &mut Tx, dispatcher: &str, marks: &[&Mark]) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let numbers: Vec<i64> = marks.iter().map(|mark| mark.mail).collect();
    let sql = format!(
        "SELECT mail, resent FROM mail WHERE state = 'leased' AND dispatcher = $1 AND mail IN ({})",
        members(2, numbers.len())
    );
    let mut query = sqlx::query_as::<Any, (i64, i64)>(in_order(tx, sql)).bind(dispatcher);
    for number in &numbers {
        query = query.bind(*number);
    }
    let mine: BTreeMap<i64, bool> =
        query.fetch_all(&mut **tx).await?.into_iter().map(|(mail, resent)| (mail, resent > 0)).collect();
    let is_open = may_send(tx).await?;
    for candidate in candidates(tx, &numbers).await? {
        let Some(resent) = mine.get(&candidate.mail) else { continue };
        match candidate.obsolete() {
            Some((state, why)) => set_aside(tx, candidate.mail, state, why).await?,
            None if *resent && is_open => {
                set_aside(tx, candidate.mail, MailState::Unknown, "would not be the same mail").await?;
            }
            None => {
                crate::lease::give_back_in(tx, dispatcher, &[candidate.mail]).await?;
            }
        }
    }
    Ok(())
}

async fn was_marked_by(tx: &mut Tx, mail: i64, dispatcher: &str) -> Result<bool> {
    let marks = sqlx::query_scalar::<Any, i64>(
        "SELECT COUNT(*) FROM attempt WHERE mail = $1 AND dispatcher = $2 AND result = 'sending'",
    );
    Ok(marks.bind(mail).bind(dispatcher).fetch_one(&mut **tx).await? > 0)
}

/// Appends the attempts; gives their numbers by mail.
async fn insert_outcomes(tx: &mut Tx, dispatcher: &str, chunk: &[(i64, Outcome)]) -> Result<BTreeMap<i64, i64>> {
    let sql = format!(
        "INSERT INTO attempt (mail, dispatcher, result, stage, code, enhanced, text, peer, at) VALUES {} \
         RETURNING mail, attempt",
        rows(chunk.len(), 9)
    );
    let mut query = sqlx::query_as::<Any, (i64, i64)>(in_order(tx, sql));
    for (mail, outcome) in chunk {
        query = query
            .bind(*mail)
            .bind(dispatcher)
            .bind(outcome.settled.as_str())
            .bind(outcome.stage.as_str())
            .bind(outcome.code.map(i64::from))
            .bind(outcome.enhanced.clone())
            .bind(outcome.text.as_str())
            .bind(outcome.peer.clone())
            .bind(to_millis(outcome.at));
    }
    Ok(query.fetch_all(&mut **tx).await?.into_iter().collect())
}

/// What follows for the mail; `None` where the attempt is worth keeping and changes nothing.
fn follow(before: &Before, dispatcher: &str, outcome: &Outcome, attempt: i64, odd: Odd) -> Result<Option<After>> {
    let state: MailState = code(&before.state, "mail.state")?;
    let is_mine =
        before.dispatcher.as_deref() == Some(dispatcher) && matches!(state, MailState::Leased | MailState::Sending);
    // What is unknown is another dispatcher's attempt: that this one's came to nothing proves nothing about that.
    let is_anothers = before.dispatcher.as_deref().is_some_and(|other| other != dispatcher);
    if state == MailState::Unknown && is_anothers && outcome.settled != Settled::Accepted {
        return Ok(None);
    }
    let event = if is_mine { Event::Settled(outcome.settled) } else { Event::SettledLate(outcome.settled) };
    let Some(next) = state.after(event) else {
        return if is_mine && odd == Odd::Refused {
            Err(LedgerError::conflict(format!("mail {} cannot have this outcome: it was not marked", before.mail)))
        } else {
            Ok(None)
        };
    };
    let counts = outcome.settled == Settled::Deferred;
    let tries = before.tries + i64::from(counts);
    let wait =
        if counts { retry_after(u32::try_from(tries).unwrap_or(u32::MAX), outcome.dice) } else { AFTER_ROUTE_FAILURE };
    let not_before =
        if next == MailState::Deferred { to_millis(outcome.at.checked_add(wait).unwrap_or(Timestamp::MAX)) } else { 0 };
    let at = to_millis(outcome.at);
    Ok(Some(After { mail: before.mail, state: next, not_before, tries, attempt, settled: outcome.settled, at }))
}

async fn update(tx: &mut Tx, after: &[After]) -> Result<()> {
    if after.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "WITH done (number, state, not_before, tries, attempt, result, at) AS (VALUES {}) \
         UPDATE mail SET state = done.state, not_before = done.not_before, tries = done.tries, \
         last_attempt = done.attempt, last_result = done.result, last_at = done.at, why = NULL \
         FROM done WHERE mail.mail = done.number",
        rows(after.len(), 7)
    );
    let mut query = sqlx::query(in_order(tx, sql));
    for mail in after {
        query = query
            .bind(mail.mail)
            .bind(mail.state.as_str())
            .bind(mail.not_before)
            .bind(mail.tries)
            .bind(mail.attempt)
            .bind(mail.settled.as_str())
            .bind(mail.at);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// What would wait in a campaign that was closed meanwhile never leaves.
async fn expire_if_closed(tx: &mut Tx, after: &[After]) -> Result<()> {
    let waiting: Vec<i64> = after.iter().filter(|mail| mail.state.is_waiting()).map(|mail| mail.mail).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE mail SET state = 'expired', why = 'closed' WHERE mail IN ({}) AND state = 'deferred' \
         AND EXISTS (SELECT 1 FROM campaign WHERE campaign.state NOT IN ('draft', 'inviting'))",
        members(1, waiting.len())
    );
    let mut query = sqlx::query(in_order(tx, sql));
    for mail in waiting {
        query = query.bind(mail);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

/// Stops addresses that a refusal has shown to be wrong, in the version that was mailed.
async fn stop_addresses(tx: &mut Tx, chunk: &[(i64, Outcome)]) -> Result<()> {
    for (mail, outcome) in chunk {
        if let Some(why) = outcome.stops_address {
            stop_address(tx, *mail, why).await?;
        }
    }
    Ok(())
}

/// Stops the address that a mail went to, unless it was corrected or its holder replaced since.
pub(crate) async fn stop_address(tx: &mut Tx, mail: i64, why: &str) -> Result<bool> {
    let stopped = sqlx::query(
        "UPDATE person SET stopped_version = email_version, stopped = $1 WHERE EXISTS (SELECT 1 FROM mail m \
         JOIN seat s ON s.form = m.form AND s.holder = m.holder \
         WHERE m.mail = $2 AND s.person = person.person AND m.address_version = person.email_version)",
    );
    Ok(stopped.bind(why).bind(mail).execute(&mut **tx).await?.rows_affected() > 0)
}
