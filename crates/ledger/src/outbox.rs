//! What became of every mail: its row, and its whole history. Nothing here changes anything.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis, from_millis_opt, small, to_millis, words};
use crate::error::Result;

words!(
    /// What one line of a mail's history says.
    AttemptResult, "result of an attempt", {
        /// The mark before the final dot.
        Sending = "sending",
        /// The relay took the mail.
        Accepted = "accepted",
        /// The relay refused it for good.
        Rejected = "rejected",
        /// The relay refused it for now.
        Deferred = "deferred",
        /// The exchange ended before the final dot: not sent, provably.
        RouteFailed = "route_failed",
        /// The final dot may have left, and nobody knows.
        Unknown = "unknown",
        /// Learnt from the relay's log or an operator: it took the mail.
        RelayTookIt = "relay_took_it",
        /// Learnt likewise: it never had it.
        RelayNeverHadIt = "relay_never_had_it",
        /// A report of success, or an answer that nothing else explains.
        Delivered = "delivered",
        /// A report of failure for good.
        BouncedHard = "bounced_hard",
        /// A report of failure that another mail may overcome.
        BouncedSoft = "bounced_soft",
        /// A complaint.
        Complained = "complained",
        /// The mailbox answered by itself.
        AutoReplied = "auto_replied",
    }
);

/// One line of a mail's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What it says.
    pub result: AttemptResult,
    /// Where in the dialogue, such as `rcpt` or `dot`; `later` for what was learnt afterwards.
    pub stage: String,
    /// The reply code.
    pub code: Option<u16>,
    /// The enhanced status code, such as `5.1.1`.
    pub enhanced: Option<String>,
    /// The reply's text, without addresses and links.
    pub text: String,
    /// Who was spoken to, and under which TLS.
    pub peer: Option<String>,
    /// SHA-256 (hex) of the bytes, in the mark before the dot.
    pub sha256: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// A row of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailRow {
    /// The mail's number.
    pub mail: i64,
    /// The form.
    pub form: FormId,
    /// The holder number.
    pub holder: u32,
    /// The address version.
    pub address_version: u32,
    /// The kind.
    pub kind: MailKind,
    /// The wave.
    pub wave: u32,
    /// The Message-ID queued with it.
    pub message_id: Option<String>,
    /// How far it has come.
    pub state: MailState,
    /// Why it was cancelled or suppressed.
    pub why: Option<String>,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it was handed to a dispatcher last.
    pub leased: Option<Timestamp>,
    /// Where it waits: not before this moment.
    pub not_before: Option<Timestamp>,
    /// Refusals for now that counted against it.
    pub tries: u32,
    /// The last outcome, if there was one.
    pub last: Option<Attempt>,
}

/// How the first few mails of one contact stand, and those that wait behind them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryCounts {
    /// Mails by state; states without one are left out.
    pub by_state: BTreeMap<MailState, u64>,
    /// When the last of them had an outcome.
    pub last_settled: Option<Timestamp>,
}

/// The one query over mails, closed by a condition.
macro_rules! mail_rows {
    ($condition:literal) => {
        concat!(
            "SELECT m.mail, m.form, m.holder, m.address_version, m.kind, m.wave, m.message_id, m.state, m.why, m.queued, ",
            "m.leased, m.not_before, m.tries, a.result, a.stage, a.code, a.enhanced, a.text, a.peer, a.sha256, a.at ",
            "FROM mail m LEFT JOIN attempt a ON a.attempt = m.last_attempt ",
            $condition,
            " ORDER BY m.mail"
        )
    };
}

impl Ledger {
    /// Every mail, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn mails(&self) -> Result<Vec<MailRow>> {
        let rows = sqlx::query_as::<Any, Row>(mail_rows!("")).fetch_all(&mut *self.read().await?).await?;
        rows.into_iter().map(Row::into_mail).collect()
    }

    /// The mails of a form, to former holders and addresses too, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn mails_of(&self, form: FormId) -> Result<Vec<MailRow>> {
        let rows = sqlx::query_as::<Any, Row>(mail_rows!("WHERE m.form = $1"))
            .bind(form)
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.into_iter().map(Row::into_mail).collect()
    }

    /// The history of a mail, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn attempts(&self, mail: i64) -> Result<Vec<Attempt>> {
        let rows = sqlx::query_as::<Any, AttemptRow>(
            "SELECT result, stage, code, enhanced, text, peer, sha256, at FROM attempt WHERE mail = $1 ORDER BY attempt",
        )
        .bind(mail)
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(AttemptRow::into_attempt).collect()
    }

    /// Mails by state.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn mail_counts(&self) -> Result<BTreeMap<MailState, u64>> {
        let rows = sqlx::query_as::<Any, (String, i64)>("SELECT state, COUNT(*) FROM mail GROUP BY state")
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.into_iter().map(|(state, n)| Ok((code(&state, "mail.state")?, n.unsigned_abs()))).collect()
    }

    /// How many mails of one contact are in each state; states without one are left out.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn mail_counts_of(&self, kind: MailKind, wave: u32) -> Result<BTreeMap<MailState, u64>> {
        let rows = sqlx::query_as::<Any, (String, i64)>(
            "SELECT state, COUNT(*) FROM mail WHERE kind = $1 AND wave = $2 GROUP BY state",
        )
        .bind(kind.as_str())
        .bind(i64::from(wave))
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter().map(|(state, n)| Ok((code(&state, "mail.state")?, n.unsigned_abs()))).collect()
    }

    /// Mails of one contact by state, and when the last of them was settled: of those only that were queued together with
    /// mails that are held back. Who was added to the roster later had first few of their own.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn canary_counts(&self, kind: MailKind, wave: u32) -> Result<CanaryCounts> {
        let rows = sqlx::query_as::<Any, (String, i64, Option<i64>)>(
            "SELECT state, COUNT(*), MAX(last_at) FROM mail WHERE kind = $1 AND wave = $2 \
             AND queued IN (SELECT queued FROM mail WHERE kind = $3 AND wave = $4 AND state = 'planned') GROUP BY state",
        )
        .bind(kind.as_str())
        .bind(i64::from(wave))
        .bind(kind.as_str())
        .bind(i64::from(wave))
        .fetch_all(&mut *self.read().await?)
        .await?;
        let last_settled = rows.iter().filter_map(|(_, _, at)| *at).max();
        let by_state = rows.iter().map(|(state, n, _)| Ok((code(state, "mail.state")?, n.unsigned_abs())));
        Ok(CanaryCounts {
            by_state: by_state.collect::<Result<_>>()?,
            last_settled: from_millis_opt(last_settled, "mail.last_at")?,
        })
    }

    /// When a relay first accepted a mail of this campaign.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn first_accepted(&self) -> Result<Option<Timestamp>> {
        let first = sqlx::query_scalar::<Any, Option<i64>>("SELECT MIN(at) FROM attempt WHERE result = 'accepted'")
            .fetch_one(&mut *self.read().await?)
            .await?;
        from_millis_opt(first, "attempt.at")
    }

    /// How many mails a relay accepted since a moment.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn accepted_since(&self, since: Timestamp) -> Result<u64> {
        let mails =
            sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM attempt WHERE result = 'accepted' AND at >= $1")
                .bind(to_millis(since))
                .fetch_one(&mut *self.read().await?)
                .await?;
        Ok(mails.unsigned_abs())
    }

    /// When the next mail that waits may be tried again.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn next_try(&self) -> Result<Option<Timestamp>> {
        let next = sqlx::query_scalar::<Any, Option<i64>>("SELECT MIN(not_before) FROM mail WHERE state = 'deferred'")
            .fetch_one(&mut *self.read().await?)
            .await?;
        from_millis_opt(next, "mail.not_before")
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    mail: i64,
    form: i64,
    holder: i64,
    address_version: i64,
    kind: String,
    wave: i64,
    message_id: Option<String>,
    state: String,
    why: Option<String>,
    queued: i64,
    leased: Option<i64>,
    not_before: i64,
    tries: i64,
    result: Option<String>,
    stage: Option<String>,
    code: Option<i64>,
    enhanced: Option<String>,
    text: Option<String>,
    peer: Option<String>,
    sha256: Option<String>,
    at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct AttemptRow {
    result: String,
    stage: String,
    code: Option<i64>,
    enhanced: Option<String>,
    text: String,
    peer: Option<String>,
    sha256: Option<String>,
    at: i64,
}

impl Row {
    fn into_mail(self) -> Result<MailRow> {
        let last = match (self.result, self.stage, self.text, self.at) {
            (Some(result), Some(stage), Some(text), Some(at)) => {
                let (code, enhanced, peer, sha256) = (self.code, self.enhanced, self.peer, self.sha256);
                Some(AttemptRow { result, stage, code, enhanced, text, peer, sha256, at }.into_attempt()?)
            }
            _ => None,
        };
        let not_before = (self.not_before != 0).then_some(self.not_before);
        Ok(MailRow {
            mail: self.mail,
            form: self.form,
            holder: small(self.holder, "mail.holder")?,
            address_version: small(self.address_version, "mail.address_version")?,
            kind: code(&self.kind, "mail.kind")?,
            wave: small(self.wave, "mail.wave")?,
            message_id: self.message_id,
            state: code(&self.state, "mail.state")?,
            why: self.why,
            queued: from_millis(self.queued, "mail.queued")?,
            leased: from_millis_opt(self.leased, "mail.leased")?,
            not_before: from_millis_opt(not_before, "mail.not_before")?,
            tries: small(self.tries, "mail.tries")?,
            last,
        })
    }
}

impl AttemptRow {
    fn into_attempt(self) -> Result<Attempt> {
        Ok(Attempt {
            result: code(&self.result, "attempt.result")?,
            stage: self.stage,
            code: self.code.map(|code| small(code, "attempt.code")).transpose()?,
            enhanced: self.enhanced,
            text: self.text,
            peer: self.peer,
            sha256: self.sha256,
            at: from_millis(self.at, "attempt.at")?,
        })
    }
}
