//! Counts of seats for the status, made by the database: a frame of any size costs one row per group and unit.
//!
//! They are what [`SeatCounts::of`] makes of [`Ledger::seats`]; no answer and nobody's declining is in them.

use jiff::Timestamp;
use parsurvey_survey::status::SeatCounts;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis, small};
use crate::error::Result;

/// Each seat with its mails, then the seats of a group in a unit. `present`: the mail is to the present holder at the
/// present address. COUNT rather than SUM, whose type differs between the databases; one chain of joins on keys, because
/// PostgreSQL has no statistics of tables that were just filled.
const COUNTS: &str = "SELECT grp, unit, COUNT(*) AS listed, COUNT(CASE WHEN invited = 1 THEN 1 END) AS invited, \
     COUNT(CASE WHEN latest = latest_rejected THEN 1 END) AS rejected, \
     COUNT(CASE WHEN unclear = 1 THEN 1 END) AS unclear, \
     COUNT(CASE WHEN started IS NOT NULL OR completed IS NOT NULL THEN 1 END) AS started, \
     COUNT(completed) AS completed, COUNT(excused) AS excused \
     FROM (SELECT form, grp, unit, started, completed, excused, \
         MAX(CASE WHEN kind <> 'prenotice' AND state IN ('accepted', 'delivered', 'bounced_hard', \
             'bounced_soft', 'complained', 'auto_replied') THEN 1 END) AS invited, \
         MAX(CASE WHEN present = 1 AND state IN ('unknown', 'sending') THEN 1 END) AS unclear, \
         MAX(CASE WHEN present = 1 THEN last_attempt END) AS latest, \
         MAX(CASE WHEN present = 1 AND last_result IN ('rejected', 'bounced_hard') THEN last_attempt END) AS latest_rejected \
         FROM (SELECT s.form, s.grp, s.unit, s.started, s.completed, s.excused, \
             m.kind, m.state, m.last_attempt, m.last_result, \
             CASE WHEN m.holder = s.holder AND m.address_version = p.email_version THEN 1 END AS present \
             FROM seat s JOIN person p ON p.person = s.person \
             LEFT JOIN mail m ON m.form = s.form AND m.state NOT IN ('cancelled', 'suppressed') \
             WHERE s.removed = 0 AND s.ineligible = 0) AS each_mail \
         GROUP BY form, grp, unit, started, completed, excused) AS each_seat \
     GROUP BY grp, unit ORDER BY grp, unit";

#[derive(sqlx::FromRow)]
struct Row {
    grp: String,
    unit: String,
    listed: i64,
    invited: i64,
    rejected: i64,
    unclear: i64,
    started: i64,
    completed: i64,
    excused: i64,
}

impl Ledger {
    /// Counts of the seats in the frame, per group and unit.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn seat_counts(&self) -> Result<Vec<SeatCounts>> {
        let rows = sqlx::query_as::<Any, Row>(COUNTS).fetch_all(&mut *self.read().await?).await?;
        rows.into_iter()
            .map(|row| {
                Ok(SeatCounts {
                    group: code(&row.grp, "seat.grp")?,
                    unit: code(&row.unit, "seat.unit")?,
                    listed: small(row.listed, "seat")?,
                    invited: small(row.invited, "mail.state")?,
                    rejected: small(row.rejected, "mail.last_result")?,
                    unknown: small(row.unclear, "mail.state")?,
                    started: small(row.started, "seat.started")?,
                    completed: small(row.completed, "seat.completed")?,
                    excused: small(row.excused, "seat.excused")?,
                })
            })
            .collect()
    }

    /// The moments of the submissions in the frame, ascending; whose they are is not told.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn submission_moments(&self) -> Result<Vec<Timestamp>> {
        let moments = sqlx::query_scalar::<Any, i64>(
            "SELECT completed FROM seat WHERE removed = 0 AND ineligible = 0 AND completed IS NOT NULL ORDER BY completed",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        moments.into_iter().map(|at| from_millis(at, "seat.completed")).collect()
    }
}
