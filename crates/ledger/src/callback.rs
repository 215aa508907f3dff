//! Draws of completed forms to be called back, and what the calls gave.
//!
//! Kept are numbers of forms and words for outcomes: never an answer, never when somebody answered, never a name.

use parsurvey_index::code::{GroupCode, UnitCode};
use parsurvey_survey::callback::{CallOutcome, CompletedForm};
use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, small, to_millis};
use crate::error::{LedgerError, Result};
use crate::event::Entry;

/// A draw to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraw {
    /// The auditor's seed.
    pub seed: String,
    /// Whether each group gave its share.
    pub by_group: bool,
    /// How many completed forms it was drawn from.
    pub population: u64,
    /// The hash of that list.
    pub list_sha256: String,
    /// The forms drawn.
    pub forms: Vec<FormId>,
}

/// The draw that calls are recorded for: the latest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackDraw {
    /// Its number.
    pub draw: i64,
    /// The auditor's seed.
    pub seed: String,
    /// Whether each group gave its share.
    pub by_group: bool,
    /// How many completed forms it was drawn from.
    pub population: u64,
    /// The hash of that list.
    pub list_sha256: String,
    /// The forms drawn, with group, unit and what the call gave.
    pub forms: Vec<CalledForm>,
}

/// A drawn form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalledForm {
    /// The form.
    pub form: FormId,
    /// Its group.
    pub group: GroupCode,
    /// Its unit.
    pub unit: UnitCode,
    /// What the call gave; none yet.
    pub outcome: Option<CallOutcome>,
}

impl Ledger {
    /// The completed forms of the frame, by form.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn completed_forms(&self) -> Result<Vec<CompletedForm>> {
        let rows = sqlx::query_as::<Any, (i64, i64, String)>(
            "SELECT form, holder, grp FROM seat WHERE completed IS NOT NULL AND removed = 0 AND ineligible = 0 ORDER BY form",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(form, holder, group)| {
                Ok(CompletedForm { form, holder: small(holder, "seat.holder")?, group: code(&group, "seat.grp")? })
            })
            .collect()
    }

    /// Records a draw, or that the same one was shown again. Gives its number; `true` where it is new.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`] without reason or document: a list of people leaves the house.
    pub async fn record_draw(&self, new: &NewDraw, act: &Act) -> Result<(i64, bool)> {
        if act.reason.trim().is_empty() || act.document.trim().is_empty() {
            return Err(LedgerError::conflict("a draw shows people to an auditor; it needs a reason and a document"));
        }
        let (mut tx, mut head) = self.change().await?;
        let n = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let inserted = sqlx::query_scalar::<Any, i64>(
            "INSERT INTO callback_draw (seed, by_group, drawn, population, list_sha256, at) VALUES ($1, $2, $3, $4, $5, $6) \
             ON CONFLICT DO NOTHING RETURNING draw",
        )
        .bind(new.seed.as_str())
        .bind(i64::from(new.by_group))
        .bind(n(new.forms.len()))
        .bind(i64::try_from(new.population).unwrap_or(i64::MAX))
        .bind(new.list_sha256.as_str())
        .bind(to_millis(act.at))
        .fetch_optional(&mut *tx)
        .await?;
        let draw = match inserted {
            Some(draw) => {
                for form in &new.forms {
                    sqlx::query("INSERT INTO callback (draw, form) VALUES ($1, $2)")
                        .bind(draw)
                        .bind(*form)
                        .execute(&mut *tx)
                        .await?;
                }
                draw
            }
            None => sqlx::query_scalar::<Any, i64>(
                "SELECT draw FROM callback_draw WHERE seed = $1 AND by_group = $2 AND drawn = $3 AND list_sha256 = $4",
            )
            .bind(new.seed.as_str())
            .bind(i64::from(new.by_group))
            .bind(n(new.forms.len()))
            .bind(new.list_sha256.as_str())
            .fetch_one(&mut *tx)
            .await?,
        };
        let entry = Entry::of(if inserted.is_some() { "callback_drawn" } else { "callback_shown" })
            .with("draw", draw)
            .with("seed", new.seed.as_str())
            .with("by_group", new.by_group)
            .with("n", new.forms.len())
            .with("population", new.population)
            .with("list_sha256", new.list_sha256.as_str());
        head.append(&mut tx, act, entry).await?;
        tx.commit().await?;
        Ok((draw, inserted.is_some()))
    }

    /// Records what the call about a form of the latest draw gave. The same again changes nothing; another outcome takes
    /// its place, and the log keeps both.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the latest draw has no such form, or there is none.
    pub async fn record_call(&self, form: FormId, outcome: CallOutcome, act: &Act) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let stored = sqlx::query_scalar::<Any, Option<String>>(
            "SELECT outcome FROM callback WHERE form = $1 AND draw = (SELECT MAX(draw) FROM callback_draw)",
        )
        .bind(form)
        .fetch_optional(&mut *tx)
        .await?;
        let Some(stored) = stored else {
            return Err(LedgerError::conflict(format!(
                "form {form} is not among those drawn last; look at `parsurvey audit callback summary`"
            )));
        };
        if stored.as_deref() == Some(outcome.as_str()) {
            return Ok(());
        }
        sqlx::query(
            "UPDATE callback SET outcome = $1 WHERE form = $2 AND draw = (SELECT MAX(draw) FROM callback_draw)",
        )
        .bind(outcome.as_str())
        .bind(form)
        .execute(&mut *tx)
        .await?;
        head.append(&mut tx, act, Entry::of("callback").form(form).with("outcome", outcome.as_str())).await?;
        Ok(tx.commit().await?)
    }

    /// The latest draw with what the calls gave.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn callback(&self) -> Result<Option<CallbackDraw>> {
        let mut connection = self.read().await?;
        let row = sqlx::query_as::<Any, (i64, String, i64, i64, String)>(
            "SELECT draw, seed, by_group, population, list_sha256 FROM callback_draw ORDER BY draw DESC LIMIT 1",
        )
        .fetch_optional(&mut *connection)
        .await?;
        let Some((draw, seed, by_group, population, list_sha256)) = row else { return Ok(None) };
        let forms = sqlx::query_as::<Any, (i64, String, String, Option<String>)>(
            "SELECT c.form, s.grp, s.unit, c.outcome FROM callback c JOIN seat s ON s.form = c.form \
             WHERE c.draw = $1 ORDER BY c.form",
        )
        .bind(draw)
        .fetch_all(&mut *connection)
        .await?;
        let called = |(form, group, unit, outcome): (i64, String, String, Option<String>)| {
            Ok(CalledForm {
                form,
                group: code(&group, "seat.grp")?,
                unit: code(&unit, "seat.unit")?,
                outcome: outcome.map(|outcome| code(&outcome, "callback.outcome")).transpose()?,
            })
        };
        Ok(Some(CallbackDraw {
            draw,
            seed,
            by_group: by_group != 0,
            population: small(population, "callback_draw.population")?,
            list_sha256,
            forms: forms.into_iter().map(called).collect::<Result<_>>()?,
        }))
    }
}
