//! Reports out: what came back and what it changed, for lists; and the way back for whom nothing is sent any more.
//!
//! No name and no address is among them, because none was stored.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, UnitCode};
use parsurvey_survey::evidence::{Action, Class, Finding, Kind, Proof, Reason};
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, from_millis_opt};
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::seats::seat_row;

/// What a report says of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToldRow {
    /// Whether it is the mail's recipient; `None` where that was not known.
    pub is_recipient: Option<bool>,
    /// What the server did.
    pub action: Option<Action>,
    /// The enhanced status code.
    pub status: Option<String>,
    /// Hard or soft.
    pub class: Option<Class>,
    /// Why.
    pub reason: Option<Reason>,
}

/// A mail that came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Its number.
    pub report: i64,
    /// When it was read.
    pub at: Timestamp,
    /// Where.
    pub source: String,
    /// What it is.
    pub kind: Kind,
    /// The mail it answers, if that is known.
    pub mail: Option<i64>,
    /// The form of that mail.
    pub form: Option<FormId>,
    /// How that is known.
    pub proof: Proof,
    /// What it proves; `None` for nothing.
    pub finding: Option<Finding>,
    /// The recipients it speaks of.
    pub told: Vec<ToldRow>,
}

/// A seat to whose holder nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedAddress {
    /// The form.
    pub form: FormId,
    /// The group.
    pub group: GroupCode,
    /// The unit, which is asked for another address unless a complaint is the reason.
    pub unit: UnitCode,
    /// Why: `refused` by the relay, `bounced` later, or its owner `complained`.
    pub why: String,
    /// Since when, as far as the mails of this seat tell.
    pub since: Option<Timestamp>,
    /// What the server said, as an enhanced code.
    pub status: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    report: i64,
    read_at: i64,
    source: String,
    kind: String,
    mail: Option<i64>,
    form: Option<i64>,
    proof: String,
    finding: Option<String>,
}

#[derive(sqlx::FromRow)]
struct ToldColumns {
    report: i64,
    is_recipient: Option<i64>,
    action: Option<String>,
    status: Option<String>,
    class: Option<String>,
    reason: Option<String>,
}

#[derive(sqlx::FromRow)]
struct StoppedColumns {
    form: i64,
    grp: String,
    unit: String,
    why: String,
    since: Option<i64>,
    refused: Option<String>,
    reported: Option<String>,
}

/// The seats whose present address is stopped and of which an answer is still owed.
const STOPPED: &str = "SELECT s.form, s.grp, s.unit, p.stopped AS why, \
     (SELECT MAX(a.at) FROM attempt a JOIN mail m ON m.mail = a.mail WHERE m.form = s.form AND m.holder = s.holder \
      AND m.address_version = p.email_version AND a.result IN ('rejected', 'bounced_hard', 'complained')) AS since, \
     (SELECT MIN(a.enhanced) FROM attempt a JOIN mail m ON m.mail = a.mail WHERE m.form = s.form \
      AND m.holder = s.holder AND m.address_version = p.email_version AND a.result = 'rejected') AS refused, \
     (SELECT MIN(t.status) FROM report r JOIN mail m ON m.mail = r.mail JOIN report_recipient t ON t.report = r.report \
      WHERE m.form = s.form AND m.holder = s.holder AND m.address_version = p.email_version \
      AND r.finding = 'bounced_hard' AND t.class = 'hard') AS reported \
     FROM person p JOIN seat s ON s.person = p.person \
     WHERE p.stopped_version = p.email_version AND s.removed = 0 AND s.ineligible = 0 AND s.completed IS NULL \
     AND s.excused IS NULL AND s.declined = 0 ORDER BY s.form";

impl Ledger {
    /// The reports, oldest first; `unmatched` are bounces, complaints and automatic replies that prove nothing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn reports(&self, unmatched: bool) -> Result<Vec<ReportRow>> {
        /// The condition of what is unmatched.
        macro_rules! of {
            ($select:literal, $order:literal) => {
                concat!(
                    $select,
                    " WHERE $1 = 0 OR (r.kind <> 'other' AND (r.proof <> 'verp' OR r.mail IS NULL)) ",
                    $order
                )
            };
        }
        let mut connection = self.read().await?;
        let reports = of!(
            "SELECT r.report, r.read_at, r.source, r.kind, r.mail, m.form, r.proof, r.finding FROM report r \
             LEFT JOIN mail m ON m.mail = r.mail",
            "ORDER BY r.report"
        );
        let told = of!(
            "SELECT r.report, t.is_recipient, t.action, t.status, t.class, t.reason FROM report r \
             JOIN report_recipient t ON t.report = r.report",
            "ORDER BY r.report, t.place"
        );
        let reports: Vec<Row> =
            sqlx::query_as::<Any, _>(reports).bind(i64::from(unmatched)).fetch_all(&mut *connection).await?;
        let told: Vec<ToldColumns> =
            sqlx::query_as::<Any, _>(told).bind(i64::from(unmatched)).fetch_all(&mut *connection).await?;
        let mut by_report: BTreeMap<i64, Vec<ToldRow>> = BTreeMap::new();
        for columns in told {
            by_report.entry(columns.report).or_default().push(columns.into_row()?);
        }
        reports.into_iter().map(|row| row.into_report(&mut by_report)).collect()
    }

    /// The seats to whose holder nothing is sent although an answer is owed, by form.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn stopped_addresses(&self) -> Result<Vec<StoppedAddress>> {
        let rows = sqlx::query_as::<Any, StoppedColumns>(STOPPED).fetch_all(&mut *self.read().await?).await?;
        rows.into_iter()
            .map(|row| {
                Ok(StoppedAddress {
                    form: row.form,
                    group: code(&row.grp, "seat.grp")?,
                    unit: code(&row.unit, "seat.unit")?,
                    why: row.why,
                    since: from_millis_opt(row.since, "attempt.at")?,
                    status: row.reported.or(row.refused),
                })
            })
            .collect()
    }

    /// Lets mails go to the holder of a seat again: the address is not dead after all, or the person agreed.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: nothing is held back, or no reason. `NotFound`: no such form.
    pub async fn resume_mails(&self, form: FormId, act: &Act) -> Result<()> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("sending mails again needs a reason; say why"));
        }
        let (mut tx, mut head) = self.change().await?;
        let seat = seat_row(&mut tx, form).await?;
        let why = sqlx::query_scalar::<Any, String>(
            "SELECT stopped FROM person WHERE person = $1 AND stopped_version = email_version",
        )
        .bind(seat.person)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(why) = why else {
            return Err(LedgerError::conflict(format!("no mail to form {form} is held back")));
        };
        sqlx::query("UPDATE person SET stopped = NULL, stopped_version = NULL WHERE person = $1")
            .bind(seat.person)
            .execute(&mut *tx)
            .await?;
        let entry = Entry::of("mails_resumed").form(form).person(seat.person).with("stopped", why);
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }
}

impl Row {
    fn into_report(self, told: &mut BTreeMap<i64, Vec<ToldRow>>) -> Result<ReportRow> {
        Ok(ReportRow {
            report: self.report,
            at: from_millis(self.read_at, "report.read_at")?,
            source: self.source,
            kind: self.kind.parse().map_err(|()| LedgerError::damaged("report.kind"))?,
            mail: self.mail,
            form: self.form,
            proof: self.proof.parse().map_err(|()| LedgerError::damaged("report.proof"))?,
            finding: word(self.finding.as_deref(), "report.finding")?,
            told: told.remove(&self.report).unwrap_or_default(),
        })
    }
}

impl ToldColumns {
    fn into_row(self) -> Result<ToldRow> {
        Ok(ToldRow {
            is_recipient: self.is_recipient.map(|is| is != 0),
            action: word(self.action.as_deref(), "report_recipient.action")?,
            status: self.status,
            class: word(self.class.as_deref(), "report_recipient.class")?,
            reason: word(self.reason.as_deref(), "report_recipient.reason")?,
        })
    }
}

fn word<T: std::str::FromStr>(word: Option<&str>, column: &'static str) -> Result<Option<T>> {
    word.map(|word| word.parse().map_err(|_| LedgerError::damaged(column))).transpose()
}
