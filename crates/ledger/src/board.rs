//! Counts for the board, made by the database: one row per target, group and unit, and one per day.
//!
//! They are what [`parsurvey_survey::board`] says of them; no answer and no person is in them.

use jiff::Timestamp;
use jiff::civil::Date;
use parsurvey_survey::board::{BoardCell, BoardCounts, DayCell};
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, small, to_millis};
use crate::error::{LedgerError, Result};

/// Whether a mail is to the present holder at the present address, closed by a condition, as 1 or 0 over a seat's mails.
macro_rules! any_present {
    ($condition:literal) => {
        concat!(
            "MAX(CASE WHEN m.holder = s.holder AND m.address_version = p.email_version AND ",
            $condition,
            " THEN 1 ELSE 0 END)"
        )
    };
}

/// The number of the latest attempt of a mail with a link to the present holder and address, closed by a condition.
macro_rules! latest {
    ($condition:literal) => {
        concat!(
            "MAX(CASE WHEN m.holder = s.holder AND m.address_version = p.email_version AND m.kind <> 'prenotice'",
            $condition,
            " THEN m.last_attempt END)"
        )
    };
}

/// Each seat with its mails, then the seats of a group in a unit. Seats are grouped by their key alone, in whose order both
/// tables are read: nothing is sorted on the way. COUNT rather than SUM, whose type differs between the databases.
const CELLS: &str = concat!(
    "SELECT target, grp, unit, COUNT(*) AS listed, ",
    "COUNT(CASE WHEN tried = 1 OR reacted = 1 THEN 1 END) AS mailed, ",
    "COUNT(CASE WHEN reacted = 1 OR (link_sent = 1 AND returned = 0) THEN 1 END) AS reached, ",
    "COUNT(CASE WHEN reacted = 1 THEN 1 END) AS started, ",
    "COUNT(completed) AS completed, COUNT(excused) AS excused, ",
    "COUNT(CASE WHEN due = 1 AND reacted = 0 AND (link_sent = 0 OR returned = 1) THEN 1 END) AS not_delivered, ",
    "COUNT(CASE WHEN due = 1 AND reacted = 0 AND link_sent = 1 AND returned = 0 THEN 1 END) AS silent, ",
    "COUNT(CASE WHEN due = 1 AND reacted = 1 THEN 1 END) AS begun, ",
    "COUNT(CASE WHEN rejected = 1 THEN 1 END) AS rejected, COUNT(CASE WHEN bounced = 1 THEN 1 END) AS bounced, ",
    "COUNT(CASE WHEN unclear = 1 THEN 1 END) AS unclear, COUNT(CASE WHEN stopped = 1 THEN 1 END) AS suppressed ",
    "FROM (SELECT target, grp, unit, completed, excused, stopped, tried, rejected, bounced, unclear, link_sent, ",
    "CASE WHEN completed IS NULL AND excused IS NULL THEN 1 ELSE 0 END AS due, ",
    "CASE WHEN started IS NOT NULL OR completed IS NOT NULL OR ever_declined = 1 THEN 1 ELSE 0 END AS reacted, ",
    "CASE WHEN latest = latest_returned THEN 1 ELSE 0 END AS returned ",
    "FROM (SELECT s.form, s.target, s.grp, s.unit, s.started, s.completed, s.excused, s.ever_declined, ",
    "MAX(CASE WHEN p.stopped_version = p.email_version THEN 1 ELSE 0 END) AS stopped, ",
    "MAX(CASE WHEN m.kind <> 'prenotice' AND m.last_attempt IS NOT NULL THEN 1 ELSE 0 END) AS tried, ",
    any_present!("m.state = 'rejected'"),
    " AS rejected, ",
    any_present!("m.state IN ('bounced_hard', 'bounced_soft')"),
    " AS bounced, ",
    any_present!("m.state IN ('unknown', 'sending')"),
    " AS unclear, ",
    any_present!(
        "m.kind <> 'prenotice' AND m.state IN ('accepted', 'delivered', 'bounced_hard', 'bounced_soft', 'complained', \
         'auto_replied', 'unknown', 'sending')"
    ),
    " AS link_sent, ",
    latest!(""),
    " AS latest, ",
    latest!(" AND m.last_result IN ('rejected', 'bounced_hard')"),
    " AS latest_returned ",
    "FROM seat s JOIN person p ON p.person = s.person ",
    "LEFT JOIN mail m ON m.form = s.form AND m.state NOT IN ('cancelled', 'suppressed') ",
    "WHERE s.removed = 0 AND s.ineligible = 0 GROUP BY s.form) AS each_seat) AS judged ",
    "GROUP BY target, grp, unit ORDER BY target, grp, unit",
);

#[derive(sqlx::FromRow)]
struct Row {
    target: String,
    grp: String,
    unit: String,
    listed: i64,
    mailed: i64,
    reached: i64,
    started: i64,
    completed: i64,
    excused: i64,
    not_delivered: i64,
    silent: i64,
    begun: i64,
    rejected: i64,
    bounced: i64,
    unclear: i64,
    suppressed: i64,
}

impl Ledger {
    /// Counts of the seats in the frame per target, group and unit.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn board_cells(&self) -> Result<Vec<BoardCell>> {
        let rows = sqlx::query_as::<Any, Row>(CELLS).fetch_all(&mut *self.read().await?).await?;
        rows.into_iter().map(Row::into_cell).collect()
    }

    /// Submissions per target, unit and day. `days` are days and their first moments, ascending; what was submitted before
    /// the second is counted to the first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn submissions_by_day(&self, days: &[(Date, Timestamp)]) -> Result<Vec<DayCell>> {
        if days.is_empty() {
            return Ok(Vec::new());
        }
        // Numbers of our own making, so that the statement needs no parameters.
        let mut cases = String::new();
        for (place, (_, next)) in days.iter().enumerate().skip(1) {
            cases.push_str(&format!("WHEN completed < {} THEN {} ", to_millis(*next), place - 1));
        }
        let last = days.len() - 1;
        let day = if cases.is_empty() { "0".to_owned() } else { format!("CASE {cases}ELSE {last} END") };
        let sql = format!(
            "SELECT target, unit, day, COUNT(*) FROM (SELECT target, unit, {day} AS day FROM seat \
             WHERE removed = 0 AND ineligible = 0 AND completed IS NOT NULL) AS submitted \
             GROUP BY target, unit, day ORDER BY day, target, unit"
        );
        let rows = sqlx::query_as::<Any, (String, String, i64, i64)>(AssertSqlSafe(sql))
            .fetch_all(&mut *self.read().await?)
            .await?;
        let cell = |(target, unit, place, completed): (String, String, i64, i64)| {
            let place: usize = small(place, "seat.completed")?;
            let (day, _) = days.get(place).ok_or_else(|| LedgerError::damaged("seat.completed"))?;
            let completed = small(completed, "seat.completed")?;
            Ok(DayCell { target: code(&target, "seat.target")?, unit: code(&unit, "seat.unit")?, day: *day, completed })
        };
        rows.into_iter().map(cell).collect()
    }
}

impl Row {
    fn into_cell(self) -> Result<BoardCell> {
        let count = |value: i64| small::<u64>(value, "seat");
        Ok(BoardCell {
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
            counts: BoardCounts {
                listed: count(self.listed)?,
                mailed: count(self.mailed)?,
                reached: count(self.reached)?,
                started: count(self.started)?,
                completed: count(self.completed)?,
                excused: count(self.excused)?,
                not_delivered: count(self.not_delivered)?,
                silent: count(self.silent)?,
                begun: count(self.begun)?,
                rejected: count(self.rejected)?,
                bounced: count(self.bounced)?,
                unknown: count(self.unclear)?,
                suppressed: count(self.suppressed)?,
            },
        })
    }
}
