//! What became of claimed mails: outcomes in, rows out.
//!
//! Attempts are append-only. The text of an outcome is stored as given: the caller strips addresses and links from it.

use jiff::Timestamp;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis, from_millis_opt, small, to_millis, words};
use crate::connect::Backend;
use crate::error::{LedgerError, Result};
use crate::mail::MailState;
use crate::sql::Tx;

words!(
    /// How an attempt ended.
    OutcomeResult, "result of an attempt", {
        /// The relay took the mail.
        Accepted = "accepted",
        /// The relay refused it for good (5xx).
        Rejected = "rejected",
        /// The relay refused it for now (4xx): the mail is ready again.
        Deferred = "deferred",
        /// The relay was never reached or refused us, not the mail: the mail is ready again.
        RouteFailed = "route_failed",
    }
);

/// The outcome of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub result: OutcomeResult,
    /// Where in the dialogue it ended, such as `rcpt` or `final_dot`.
    pub stage: String,
    /// The reply code.
    pub code: Option<u16>,
    /// The enhanced status code, such as `5.1.1`.
    pub enhanced: Option<String>,
    /// The reply's text, without addresses and links.
    pub text: String,
    /// When.
    pub at: Timestamp,
    /// Where the mail is ready again: not before this moment; `None` for at once.
    pub retry_at: Option<Timestamp>,
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
    /// How far it has come; [`MailState::Claimed`] is shown as unknown.
    pub state: MailState,
    /// Why it was cancelled.
    pub why: Option<String>,
    /// When it was queued.
    pub queued: Timestamp,
    /// When it was claimed last.
    pub claimed: Option<Timestamp>,
    /// The last attempt, if there was one.
    pub last: Option<Outcome>,
}

/// The one query over mails, closed by a condition.
macro_rules! mail_rows {
    ($condition:literal) => {
        concat!(
            "SELECT m.mail, m.form, m.holder, m.address_version, m.kind, m.wave, m.message_id, m.state, m.why, m.queued, ",
            "m.claimed, m.not_before, a.result, a.stage, a.code, a.enhanced, a.text, a.at ",
            "FROM mail m LEFT JOIN attempt a ON a.attempt = m.last_attempt ",
            $condition,
            " ORDER BY m.mail"
        )
    };
}

impl Ledger {
    /// Records the outcome of a claimed mail.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the mail is not this claimant's, or has its outcome. `NotFound`: no such mail.
    pub async fn record_outcome(&self, mail: i64, claimant: &str, outcome: &Outcome) -> Result<()> {
        self.record_outcomes(claimant, &[(mail, outcome.clone())]).await
    }

    /// Records the outcomes of several claimed mails in one transaction: all or none.
    ///
    /// # Errors
    /// As [`Ledger::record_outcome`].
    pub async fn record_outcomes(&self, claimant: &str, outcomes: &[(i64, Outcome)]) -> Result<()> {
        let mut tx = self.write().await?;
        if let Err(error) = self.store_all(&mut tx, claimant, outcomes).await {
            // A transaction that is merely dropped ends some time later, and until then a claim elsewhere passes over
            // the rows it has locked.
            tx.rollback().await?;
            return Err(error);
        }
        Ok(tx.commit().await?)
    }

    async fn store_all(&self, tx: &mut Tx, claimant: &str, outcomes: &[(i64, Outcome)]) -> Result<()> {
        for (mail, outcome) in outcomes {
            self.require_claim(tx, *mail, claimant).await?;
            store(tx, *mail, claimant, outcome).await?;
        }
        Ok(())
    }

    async fn require_claim(&self, tx: &mut Tx, mail: i64, claimant: &str) -> Result<()> {
        let sql = match self.backend {
            Backend::Sqlite => "SELECT state, claimant FROM mail WHERE mail = $1",
            Backend::Postgres => "SELECT state, claimant FROM mail WHERE mail = $1 FOR UPDATE",
        };
        let (state, owner) = sqlx::query_as::<Any, (String, Option<String>)>(sql)
            .bind(mail)
            .fetch_optional(&mut **tx)
            .await?
            .ok_or(LedgerError::NotFound("the mail"))?;
        if code::<MailState>(&state, "mail.state")? == MailState::Claimed && owner.as_deref() == Some(claimant) {
            return Ok(());
        }
        Err(LedgerError::conflict(format!("mail {mail} is not claimed by this sender")))
    }

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
}

async fn store(tx: &mut Tx, mail: i64, claimant: &str, outcome: &Outcome) -> Result<()> {
    let attempt = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO attempt (mail, claimant, result, stage, code, enhanced, text, at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING attempt",
    )
    .bind(mail)
    .bind(claimant)
    .bind(outcome.result.as_str())
    .bind(outcome.stage.as_str())
    .bind(outcome.code.map(i64::from))
    .bind(outcome.enhanced.clone())
    .bind(outcome.text.as_str())
    .bind(to_millis(outcome.at))
    .fetch_one(&mut **tx)
    .await?;
    let state = match outcome.result {
        OutcomeResult::Accepted => MailState::Accepted,
        OutcomeResult::Rejected => MailState::Rejected,
        OutcomeResult::Deferred | OutcomeResult::RouteFailed => MailState::Ready,
    };
    sqlx::query(
        "UPDATE mail SET state = $1, not_before = $2, last_attempt = $3, last_result = $4, last_at = $5 WHERE mail = $6",
    )
    .bind(state.as_str())
    .bind(outcome.retry_at.map_or(0, to_millis))
    .bind(attempt)
    .bind(outcome.result.as_str())
    .bind(to_millis(outcome.at))
    .bind(mail)
    .execute(&mut **tx)
    .await?;
    Ok(())
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
    claimed: Option<i64>,
    not_before: i64,
    result: Option<String>,
    stage: Option<String>,
    code: Option<i64>,
    enhanced: Option<String>,
    text: Option<String>,
    at: Option<i64>,
}

impl Row {
    fn into_mail(self) -> Result<MailRow> {
        let last = self.last()?;
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
            claimed: from_millis_opt(self.claimed, "mail.claimed")?,
            last,
        })
    }

    fn last(&self) -> Result<Option<Outcome>> {
        let (Some(result), Some(at)) = (&self.result, self.at) else { return Ok(None) };
        Ok(Some(Outcome {
            result: code(result, "attempt.result")?,
            stage: self.stage.clone().unwrap_or_default(),
            code: self.code.map(|code| small(code, "attempt.code")).transpose()?,
            enhanced: self.enhanced.clone(),
            text: self.text.clone().unwrap_or_default(),
            at: from_millis(at, "attempt.at")?,
            retry_at: if self.not_before == 0 { None } else { Some(from_millis(self.not_before, "mail.not_before")?) },
        }))
    }
}
