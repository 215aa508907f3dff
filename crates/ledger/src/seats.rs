//! Seats as status, plan and rates see them: derived from the ground rows in two queries, however many seats there are.
//!
//! No name, no address and no answer is among them.

use std::collections::BTreeMap;

use parsurvey_survey::seat::{ExcuseCategory, FormId, MailSummary, Seat};
use sqlx::AnyConnection;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis, from_millis_opt, small};
use crate::error::{LedgerError, Result};
use crate::mail::MailState;

/// The one query over seats, closed by a condition.
macro_rules! seats_where {
    ($condition:literal) => {
        concat!(
            "SELECT s.form, s.target, s.grp, s.unit, s.person, s.holder, p.email_version, s.link_version, s.ineligible, ",
            "s.substitute, s.excused, s.declined, s.started, s.completed, s.too_late ",
            "FROM seat s JOIN person p ON p.person = s.person WHERE s.removed = 0 ",
            $condition
        )
    };
}

/// Mails to the present holder at the present address, closed by a condition.
macro_rules! mails_where {
    ($condition:literal) => {
        concat!(
            "SELECT m.form, m.kind, m.wave, m.state, m.last_attempt, m.last_result, m.last_at FROM mail m ",
            "JOIN seat s ON s.form = m.form AND s.holder = m.holder ",
            "JOIN person p ON p.person = s.person AND p.email_version = m.address_version WHERE m.state <> 'cancelled' ",
            $condition
        )
    };
}

impl Ledger {
    /// Every seat that was not removed in draft, by form.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn seats(&self) -> Result<Vec<Seat>> {
        let mut connection = self.read().await?;
        let seats = sqlx::query_as::<Any, SeatRow>(seats_where!("ORDER BY s.form")).fetch_all(&mut *connection).await?;
        let mails =
            sqlx::query_as::<Any, MailOfSeat>(mails_where!("ORDER BY m.mail")).fetch_all(&mut *connection).await?;
        let mut summaries = summarise(mails)?;
        seats.into_iter().map(|row| row.into_seat(&mut summaries)).collect()
    }

    /// One seat.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where there is none.
    pub async fn seat(&self, form: FormId) -> Result<Seat> {
        let mut connection = self.read().await?;
        let row = seat_row(&mut connection, form).await?;
        let mails = sqlx::query_as::<Any, MailOfSeat>(mails_where!("AND m.form = $1 ORDER BY m.mail"))
            .bind(form)
            .fetch_all(&mut *connection)
            .await?;
        row.into_seat(&mut summarise(mails)?)
    }
}

#[derive(sqlx::FromRow)]
pub(crate) struct SeatRow {
    form: i64,
    target: String,
    grp: String,
    unit: String,
    pub(crate) person: i64,
    pub(crate) holder: i64,
    email_version: i64,
    pub(crate) link_version: i64,
    pub(crate) ineligible: i64,
    substitute: i64,
    pub(crate) excused: Option<String>,
    pub(crate) declined: i64,
    pub(crate) started: Option<i64>,
    pub(crate) completed: Option<i64>,
    pub(crate) too_late: i64,
}

pub(crate) async fn seat_row(connection: &mut AnyConnection, form: FormId) -> Result<SeatRow> {
    sqlx::query_as::<Any, SeatRow>(seats_where!("AND s.form = $1"))
        .bind(form)
        .fetch_optional(connection)
        .await?
        .ok_or(LedgerError::NotFound("the form"))
}

#[derive(sqlx::FromRow)]
struct MailOfSeat {
    form: i64,
    kind: String,
    wave: i64,
    state: String,
    last_attempt: Option<i64>,
    last_result: Option<String>,
    last_at: Option<i64>,
}

impl SeatRow {
    fn into_seat(self, summaries: &mut BTreeMap<FormId, MailSummary>) -> Result<Seat> {
        Ok(Seat {
            form: self.form,
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
            person: self.person,
            holder: small(self.holder, "seat.holder")?,
            address_version: small(self.email_version, "person.email_version")?,
            link_version: small(self.link_version, "seat.link_version")?,
            ineligible: self.ineligible != 0,
            substitute: self.substitute != 0,
            excused: self.excused.as_deref().map(category_of).transpose()?,
            declined: self.declined != 0,
            started: from_millis_opt(self.started, "seat.started")?,
            completed: from_millis_opt(self.completed, "seat.completed")?,
            too_late: self.too_late != 0,
            mail: summaries.remove(&self.form).unwrap_or_default(),
        })
    }
}

fn summarise(mails: Vec<MailOfSeat>) -> Result<BTreeMap<FormId, MailSummary>> {
    // Beside each summary the number of the latest attempt seen so far: the last outcome is the one that counts.
    let mut summaries: BTreeMap<FormId, (i64, MailSummary)> = BTreeMap::new();
    for mail in mails {
        let (latest, summary) = summaries.entry(mail.form).or_default();
        match code::<MailState>(&mail.state, "mail.state")? {
            MailState::Accepted => {
                summary.accepted += 1;
                summary.link_accepted += u32::from(mail.kind != "prenotice");
                if let Some(at) = mail.last_at {
                    summary.last_accepted = summary.last_accepted.max(Some(from_millis(at, "mail.last_at")?));
                }
            }
            MailState::Claimed => summary.unknown += 1,
            MailState::Ready | MailState::Rejected | MailState::Cancelled => {}
        }
        if mail.last_attempt > Some(*latest) {
            *latest = mail.last_attempt.unwrap_or_default();
            summary.last_rejected = mail.last_result.as_deref() == Some("rejected");
        }
        summary.queued.push((mail.kind, small(mail.wave, "mail.wave")?));
    }
    Ok(summaries.into_iter().map(|(form, (_, summary))| (form, summary)).collect())
}

pub(crate) fn category_word(category: ExcuseCategory) -> &'static str {
    match category {
        ExcuseCategory::Ill => "ill",
        ExcuseCategory::Away => "away",
        ExcuseCategory::Dead => "dead",
        ExcuseCategory::Other => "other",
    }
}

fn category_of(word: &str) -> Result<ExcuseCategory> {
    match word {
        "ill" => Ok(ExcuseCategory::Ill),
        "away" => Ok(ExcuseCategory::Away),
        "dead" => Ok(ExcuseCategory::Dead),
        "other" => Ok(ExcuseCategory::Other),
        _ => Err(LedgerError::damaged("seat.excused")),
    }
}
