//! Seats with their people, a page at a time: searched, filtered and counted by the database.
//!
//! The text that is searched has neither marks nor signs, so that "nguyen" finds "Nguyễn"; it stands in the table of
//! persons and is derived. Whoever changes a person without making it anew finds it forgotten by a trigger.

use std::fmt;

use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use parsurvey_survey::account::Scope;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::roster::bare;
use parsurvey_survey::seat::{FormId, PersonId};
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, words};
use crate::error::Result;
use crate::sql::Tx;

words!(
    /// Where the listed seats stand. The conditions are those of the counts of the same names.
    SeatFilter, "state of a seat", {
        /// Submitted.
        Completed = "completed",
        /// Not submitted and not excused.
        Outstanding = "outstanding",
        /// Outstanding, and an option was received.
        Started = "started",
        /// Outstanding, and nothing came back, be it mailed or not. Who declined is not among them.
        Quiet = "quiet",
        /// Outstanding and declined.
        Declined = "declined",
        /// Excused.
        Excused = "excused",
        /// A mail to the present address was refused for good.
        Rejected = "rejected",
        /// A mail to the present address came back.
        Bounced = "bounced",
        /// Nobody knows whether a mail to the present address left.
        Unknown = "unknown",
        /// Nothing is sent to the present address any more.
        Suppressed = "suppressed",
    }
);

/// Every state that can be asked for.
pub const SEAT_FILTERS: [SeatFilter; 10] = [
    SeatFilter::Completed,
    SeatFilter::Outstanding,
    SeatFilter::Started,
    SeatFilter::Quiet,
    SeatFilter::Declined,
    SeatFilter::Excused,
    SeatFilter::Rejected,
    SeatFilter::Bounced,
    SeatFilter::Unknown,
    SeatFilter::Suppressed,
];

/// Where one seat stands, as the console shows it to whoever may see people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeatStanding {
    /// Submitted.
    Completed,
    /// Excused.
    Excused,
    /// Declined.
    Declined,
    /// An option was received.
    Started,
    /// Nothing came back.
    Quiet,
}

/// Which seats are asked for.
#[derive(Clone, Default)]
pub struct PeopleQuery {
    /// Words that must all occur in name, address, position or id, in any order and without marks.
    pub text: String,
    /// Only this group.
    pub group: Option<GroupCode>,
    /// Only this unit.
    pub unit: Option<UnitCode>,
    /// Only seats that stand so.
    pub state: Option<SeatFilter>,
    /// What the asking account may see.
    pub scope: Scope,
    /// Seats passed over.
    pub skip: u32,
    /// Seats given at most.
    pub most: u32,
}

/// A seat with its person. It cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct SeatOfPerson {
    /// The form.
    pub form: FormId,
    /// The target.
    pub target: TargetCode,
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// The person.
    pub person: PersonId,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The position.
    pub position: String,
    /// Where the seat stands.
    pub standing: SeatStanding,
    /// How far the newest mail to the present holder and address has come.
    pub last_mail: Option<MailState>,
}

impl fmt::Debug for SeatOfPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeatOfPerson").field("form", &self.form).finish_non_exhaustive()
    }
}

/// One page of seats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeoplePage {
    /// Seats that fit, on all pages.
    pub total: u64,
    /// Those of this page, by form.
    pub seats: Vec<SeatOfPerson>,
}

/// Words of a search that are looked at; nobody types more to find one person.
const WORDS: usize = 8;

impl Ledger {
    /// One page of the seats in the frame that fit.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn people_page(&self, query: &PeopleQuery) -> Result<PeoplePage> {
        let (condition, values) = condition_of(query);
        let from = "FROM seat s JOIN person p ON p.person = s.person WHERE s.removed = 0 AND s.ineligible = 0";
        let mut connection = self.read().await?;
        let mut count = sqlx::query_scalar::<Any, i64>(AssertSqlSafe(format!("SELECT COUNT(*) {from}{condition}")));
        for value in &values {
            count = count.bind(value.as_str());
        }
        let total = count.fetch_one(&mut *connection).await?.unsigned_abs();
        let next = values.len() + 1;
        let sql = format!(
            "SELECT s.form, s.target, s.grp, s.unit, p.person, p.name, p.email, p.position, s.started, s.completed, \
             s.excused, s.declined, {LAST_MAIL} AS last_mail \
             FROM (SELECT s.form {from}{condition} ORDER BY s.form LIMIT ${next} OFFSET ${}) AS page \
             JOIN seat s ON s.form = page.form JOIN person p ON p.person = s.person ORDER BY s.form",
            next + 1
        );
        let mut page = sqlx::query_as::<Any, Row>(AssertSqlSafe(sql));
        for value in &values {
            page = page.bind(value.as_str());
        }
        let page = page.bind(i64::from(query.most)).bind(i64::from(query.skip));
        let rows = page.fetch_all(&mut *connection).await?;
        Ok(PeoplePage { total, seats: rows.into_iter().map(Row::into_seat).collect::<Result<_>>()? })
    }

    /// Makes the searched text of everybody who has none.
    pub(crate) async fn make_search(&self) -> Result<()> {
        if !lacks_search(&mut *self.read().await?).await? {
            return Ok(());
        }
        let mut tx = self.write().await?;
        make_search(&mut tx).await?;
        Ok(tx.commit().await?)
    }
}

/// The conditions of a query, and the values of their parameters, in order.
fn condition_of(query: &PeopleQuery) -> (String, Vec<String>) {
    let mut sql = String::new();
    let mut values: Vec<String> = Vec::new();
    let mut with = |condition: &str, value: String| {
        values.push(value);
        sql.push_str(&condition.replace('?', &format!("${}", values.len())));
    };
    // A bare word has letters and digits alone, so that it holds no sign of LIKE.
    for word in bare(&query.text).split(' ').filter(|word| !word.is_empty()).take(WORDS) {
        with(" AND p.search LIKE ?", format!("%{word}%"));
    }
    if let Some(group) = &query.group {
        with(" AND s.grp = ?", group.to_string());
    }
    if let Some(unit) = &query.unit {
        with(" AND s.unit = ?", unit.to_string());
    }
    if let Some(target) = &query.scope.target {
        with(" AND s.target = ?", target.to_string());
    }
    if let Some(units) = &query.scope.units {
        for (place, unit) in units.iter().enumerate() {
            with(if place == 0 { " AND (s.unit = ?" } else { " OR s.unit = ?" }, unit.to_string());
        }
        sql.push_str(if units.is_empty() { " AND 1 = 0" } else { ")" });
    }
    if let Some(state) = query.state {
        sql.push_str(condition_of_state(state));
    }
    (sql, values)
}

/// A mail to the present holder at the present address in one of these states. The forms of all mails in these states are
/// found first, by the index of states, because they are few; what is asked of each of them must then go by the form, so
/// the state is kept from an index there.
macro_rules! mail_in {
    ($states:literal) => {
        concat!(
            " AND s.form IN (SELECT m.form FROM mail m WHERE m.state IN (",
            $states,
            ")) AND EXISTS (SELECT 1 FROM mail m WHERE m.form = s.form AND m.holder = s.holder ",
            "AND m.address_version = p.email_version AND COALESCE(m.state, '') IN (",
            $states,
            "))"
        )
    };
}

fn condition_of_state(state: SeatFilter) -> &'static str {
    match state {
        SeatFilter::Completed => " AND s.completed IS NOT NULL",
        SeatFilter::Outstanding => " AND s.completed IS NULL AND s.excused IS NULL",
        SeatFilter::Started => {
            " AND s.completed IS NULL AND s.excused IS NULL AND s.started IS NOT NULL AND s.declined = 0"
        }
        SeatFilter::Quiet => {
            " AND s.completed IS NULL AND s.excused IS NULL AND s.started IS NULL AND s.declined = 0 AND s.ever_declined = 0"
        }
        SeatFilter::Declined => " AND s.completed IS NULL AND s.excused IS NULL AND s.declined = 1",
        SeatFilter::Excused => " AND s.excused IS NOT NULL",
        SeatFilter::Rejected => mail_in!("'rejected'"),
        SeatFilter::Bounced => mail_in!("'bounced_hard', 'bounced_soft'"),
        SeatFilter::Unknown => mail_in!("'unknown', 'sending'"),
        SeatFilter::Suppressed => " AND p.stopped_version = p.email_version",
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    form: i64,
    target: String,
    grp: String,
    unit: String,
    person: i64,
    name: String,
    email: String,
    position: String,
    started: Option<i64>,
    completed: Option<i64>,
    excused: Option<String>,
    declined: i64,
    last_mail: Option<String>,
}

/// The state of the newest mail to the present holder and address.
const LAST_MAIL: &str = "(SELECT m.state FROM mail m WHERE m.form = s.form AND m.holder = s.holder \
     AND m.address_version = p.email_version ORDER BY m.mail DESC LIMIT 1)";

impl Row {
    fn standing(&self) -> SeatStanding {
        if self.completed.is_some() {
            SeatStanding::Completed
        } else if self.excused.is_some() {
            SeatStanding::Excused
        } else if self.declined != 0 {
            SeatStanding::Declined
        } else if self.started.is_some() {
            SeatStanding::Started
        } else {
            SeatStanding::Quiet
        }
    }

    fn into_seat(self) -> Result<SeatOfPerson> {
        Ok(SeatOfPerson {
            standing: self.standing(),
            last_mail: self.last_mail.as_deref().map(|state| code(state, "mail.state")).transpose()?,
            form: self.form,
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
            person: self.person,
            name: self.name,
            email: self.email,
            position: self.position,
        })
    }
}

/// The text that somebody is found by.
pub(crate) fn search_text(name: &str, email: &str, position: &str, external_id: Option<&str>) -> String {
    [bare(name), bare(email), bare(position), bare(external_id.unwrap_or_default())].join(" ")
}

async fn lacks_search(connection: &mut sqlx::AnyConnection) -> Result<bool> {
    let found = sqlx::query_scalar::<Any, i64>("SELECT person FROM person WHERE search IS NULL LIMIT 1")
        .fetch_optional(connection)
        .await?;
    Ok(found.is_some())
}

/// Makes the searched text of everybody who has none, after whatever has changed somebody.
pub(crate) async fn make_search(tx: &mut Tx) -> Result<()> {
    let rows = sqlx::query_as::<Any, (i64, Option<String>, String, String, String)>(
        "SELECT person, external_id, name, email, position FROM person WHERE search IS NULL",
    )
    .fetch_all(&mut **tx)
    .await?;
    for (person, external_id, name, email, position) in rows {
        sqlx::query("UPDATE person SET search = $1 WHERE person = $2")
            .bind(search_text(&name, &email, &position, external_id.as_deref()))
            .bind(person)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
