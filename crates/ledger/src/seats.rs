//! Seats as plan and rates see them: derived from the ground rows in three queries, however many seats there are.
//!
//! No name, no address and no answer is among them. What only counts seats asks [`Ledger::seat_counts`] instead.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::{ExcuseCategory, FormId, Former, MailSummary, Seat};
use sqlx::AnyConnection;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis_opt, small};
use crate::error::{LedgerError, Result};
use crate::sql::{Tx, in_order, members, pieces};

/// The one query over seats, closed by a condition.
macro_rules! seats_where {
    ($condition:literal) => {
        concat!(
            "SELECT s.form, s.target, s.grp, s.unit, s.person, s.holder, p.email_version, p.stopped_version, ",
            "s.link_version, s.ineligible, ",
            "s.substitute, s.excused, s.declined, s.ever_declined, s.started, s.completed, s.too_late ",
            "FROM seat s JOIN person p ON p.person = s.person WHERE s.removed = 0 ",
            $condition
        )
    };
}

/// Mails to every holder and address, closed by a condition.
macro_rules! mails_where {
    ($condition:literal) => {
        concat!(
            "SELECT form, holder, address_version, kind, wave, state, last_attempt, last_result, ",
            "COALESCE(last_at, leased) AS last_at FROM mail ",
            "WHERE state NOT IN ('cancelled', 'suppressed') ",
            $condition
        )
    };
}

/// Whoever a substitute stands in for, closed by a condition: of several former holders the first.
macro_rules! formers_where {
    ($condition:literal) => {
        concat!(
            "SELECT f.form, f.holder, p.email_version, f.excused, f.declined, f.started, f.too_late ",
            "FROM seat_former f JOIN person p ON p.person = f.person ",
            "WHERE f.holder = (SELECT MIN(first.holder) FROM seat_former first WHERE first.form = f.form) ",
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
            sqlx::query_as::<Any, MailOfSeat>(mails_where!("ORDER BY mail")).fetch_all(&mut *connection).await?;
        let formers = sqlx::query_as::<Any, FormerRow>(formers_where!("")).fetch_all(&mut *connection).await?;
        let mut post = Post::of(mails, formers)?;
        seats.into_iter().map(|row| row.into_seat(&mut post)).collect()
    }

    /// One seat.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where there is none.
    pub async fn seat(&self, form: FormId) -> Result<Seat> {
        let mut connection = self.read().await?;
        let row = seat_row(&mut connection, form).await?;
        let mails = sqlx::query_as::<Any, MailOfSeat>(mails_where!("AND form = $1 ORDER BY mail"))
            .bind(form)
            .fetch_all(&mut *connection)
            .await?;
        let formers = sqlx::query_as::<Any, FormerRow>(formers_where!("AND f.form = $1"))
            .bind(form)
            .fetch_all(&mut *connection)
            .await?;
        row.into_seat(&mut Post::of(mails, formers)?)
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
    pub(crate) email_version: i64,
    stopped_version: Option<i64>,
    link_version: i64,
    pub(crate) ineligible: i64,
    substitute: i64,
    pub(crate) excused: Option<String>,
    pub(crate) declined: i64,
    ever_declined: i64,
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

/// The seats of these forms; one that does not exist is left out.
pub(crate) async fn seat_rows(tx: &mut Tx, forms: &[FormId]) -> Result<BTreeMap<FormId, SeatRow>> {
    let mut found = BTreeMap::new();
    for piece in pieces(forms) {
        let sql = format!("{}{})", seats_where!("AND s.form IN ("), members(1, piece.len()));
        let mut query = sqlx::query_as::<Any, SeatRow>(in_order(tx, sql));
        for form in piece {
            query = query.bind(*form);
        }
        found.extend(query.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.form, row)));
    }
    Ok(found)
}

#[derive(sqlx::FromRow)]
struct MailOfSeat {
    form: i64,
    holder: i64,
    address_version: i64,
    kind: String,
    wave: i64,
    state: String,
    last_attempt: Option<i64>,
    last_result: Option<String>,
    last_at: Option<i64>,
}

#[derive(sqlx::FromRow)]
struct FormerRow {
    form: i64,
    holder: i64,
    email_version: i64,
    excused: Option<String>,
    declined: i64,
    started: Option<i64>,
    too_late: i64,
}

impl SeatRow {
    /// Whether a link of this version was replaced or revoked.
    pub(crate) fn is_past(&self, link_version: u32) -> bool {
        self.link_version != i64::from(link_version)
    }

    pub(crate) fn is_of(&self, target: &TargetCode, group: &GroupCode) -> bool {
        self.target == target.as_str() && self.grp == group.as_str()
    }

    fn into_seat(self, post: &mut Post) -> Result<Seat> {
        let mut mail = post.take(self.form, self.holder, self.email_version);
        mail.invited = post.invited.contains(&self.form);
        Ok(Seat {
            form: self.form,
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
            person: self.person,
            holder: small(self.holder, "seat.holder")?,
            address_version: small(self.email_version, "person.email_version")?,
            address_stopped: self.stopped_version == Some(self.email_version),
            link_version: small(self.link_version, "seat.link_version")?,
            ineligible: self.ineligible != 0,
            substitute: self.substitute != 0,
            excused: self.excused.as_deref().map(category_of).transpose()?,
            declined: self.declined != 0,
            ever_declined: self.ever_declined != 0,
            started: from_millis_opt(self.started, "seat.started")?,
            completed: from_millis_opt(self.completed, "seat.completed")?,
            too_late: self.too_late != 0,
            mail,
            original: post.originals.remove(&self.form),
        })
    }
}

/// What became of mails, by form, holder and address.
struct Post {
    summaries: BTreeMap<(i64, i64, i64), Summing>,
    /// Forms of which a relay ever accepted a link.
    invited: BTreeSet<FormId>,
    originals: BTreeMap<FormId, Former>,
}

/// A summary with the numbers of the latest attempts seen so far: the last outcome is the one that counts.
#[derive(Default)]
struct Summing {
    latest: i64,
    latest_link: i64,
    summary: MailSummary,
}

impl Post {
    fn of(mails: Vec<MailOfSeat>, formers: Vec<FormerRow>) -> Result<Self> {
        let mut post = Self { summaries: BTreeMap::new(), invited: BTreeSet::new(), originals: BTreeMap::new() };
        for mail in mails {
            let summing = post.summaries.entry((mail.form, mail.holder, mail.address_version)).or_default();
            if summing.add(&mail)? {
                post.invited.insert(mail.form);
            }
        }
        for row in formers {
            let mut mail = post.take(row.form, row.holder, row.email_version);
            mail.invited = mail.link_accepted > 0;
            let former = Former {
                excused: row.excused.as_deref().map(category_of).transpose()?,
                declined: row.declined != 0,
                started: from_millis_opt(row.started, "seat_former.started")?,
                too_late: row.too_late != 0,
                mail,
            };
            post.originals.insert(row.form, former);
        }
        Ok(post)
    }

    fn take(&mut self, form: i64, holder: i64, address_version: i64) -> MailSummary {
        self.summaries.remove(&(form, holder, address_version)).unwrap_or_default().summary
    }
}

impl Summing {
    /// Adds a mail; `true` where it is an accepted link.
    fn add(&mut self, mail: &MailOfSeat) -> Result<bool> {
        let kind = code::<MailKind>(&mail.kind, "mail.kind")?;
        let state = code::<MailState>(&mail.state, "mail.state")?;
        let has_link = kind != MailKind::Prenotice;
        let summary = &mut self.summary;
        if has_link && state.was_accepted() {
            summary.link_accepted += 1;
        }
        // A link that was asked for is no contact: no plan knows it, and no reminder keeps a distance from it.
        let is_contact = kind != MailKind::Link;
        if has_link && is_contact && (state.was_accepted() || state.is_unclear()) {
            summary.last_link_sent = summary.last_link_sent.max(from_millis_opt(mail.last_at, "mail.last_at")?);
        }
        if state.is_unclear() {
            summary.unknown += 1;
            summary.link_unknown += u32::from(has_link);
        }
        summary.waiting += u32::from(state.is_waiting());
        let rejected = matches!(mail.last_result.as_deref(), Some("rejected" | "bounced_hard"));
        let attempt = mail.last_attempt.unwrap_or_default();
        if attempt > self.latest {
            (self.latest, summary.last_rejected) = (attempt, rejected);
        }
        if has_link && attempt > self.latest_link {
            (self.latest_link, summary.last_link_rejected) = (attempt, rejected);
        }
        if is_contact {
            summary.queued.push((kind, small(mail.wave, "mail.wave")?));
        }
        Ok(has_link && state.was_accepted())
    }
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
