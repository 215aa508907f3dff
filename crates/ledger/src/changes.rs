//! The changes to people after the first invitation, as the log tells them, for the page that counts them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use parsurvey_index::code::UnitCode;
use parsurvey_survey::independence::{Change, ChangeKind};
use parsurvey_survey::seat::{FormId, PersonId};
use serde_json::Value;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{code, from_millis};
use crate::error::{LedgerError, Result};

/// The entries that change people, oldest first.
const ENTRIES: &str = "SELECT kind, at, form, actor, detail FROM event \
     WHERE kind IN ('frozen', 'address_corrected', 'replaced', 'frame_correction', 'excused') ORDER BY seq";

#[derive(sqlx::FromRow)]
struct Row {
    kind: String,
    at: i64,
    form: Option<i64>,
    actor: String,
    detail: String,
}

impl Ledger {
    /// Every change of a form after the first invitation, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn changes(&self) -> Result<Vec<Change>> {
        let mut connection = self.read().await?;
        let seats = sqlx::query_as::<Any, (i64, i64, String)>("SELECT form, person, unit FROM seat ORDER BY form")
            .fetch_all(&mut *connection)
            .await?;
        let rows = sqlx::query_as::<Any, Row>(ENTRIES).fetch_all(&mut *connection).await?;
        let mut units: BTreeMap<FormId, UnitCode> = BTreeMap::new();
        let mut forms: BTreeMap<PersonId, BTreeSet<FormId>> = BTreeMap::new();
        for (form, person, unit) in seats {
            units.insert(form, code(&unit, "seat.unit")?);
            forms.entry(person).or_default().insert(form);
        }
        let details = rows
            .iter()
            .map(|row| serde_json::from_str(&row.detail).map_err(|_| damaged()))
            .collect::<Result<Vec<Value>>>()?;
        // Whoever held a form before it passed on is known by it as well.
        for (row, detail) in rows.iter().zip(&details) {
            if let ("replaced", Some(form)) = (&*row.kind, row.form) {
                let former = detail["former"].as_i64().ok_or_else(damaged)?;
                forms.entry(former).or_default().insert(form);
            }
        }
        let mut changes = Vec::new();
        let mut is_inviting = false;
        for (row, detail) in rows.iter().zip(&details) {
            let (kind, changed) = match (row.kind.as_str(), row.form) {
                ("frozen", _) => {
                    is_inviting = true;
                    continue;
                }
                ("address_corrected", Some(form)) => (ChangeKind::Address, BTreeSet::from([form])),
                ("replaced", Some(form)) => (ChangeKind::Replacement, BTreeSet::from([form])),
                ("excused", Some(form)) => (ChangeKind::Excuse, BTreeSet::from([form])),
                // A seat that returned has an entry of its own beside the list's, which names its person as well.
                ("frame_correction", None) => (ChangeKind::Frame, forms_of(detail, &forms)?),
                _ => continue,
            };
            if !is_inviting {
                continue;
            }
            let at = from_millis(row.at, "event.at")?;
            let proposer = detail["proposer"].as_str().map(str::to_owned);
            for form in changed {
                let Some(unit) = units.get(&form).cloned() else { continue };
                changes.push(Change { form, unit, kind, at, by: row.actor.clone(), proposer: proposer.clone() });
            }
        }
        Ok(changes)
    }

    /// When each form was submitted.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn submitted(&self) -> Result<BTreeMap<FormId, Timestamp>> {
        let rows = sqlx::query_as::<Any, (i64, i64)>("SELECT form, completed FROM seat WHERE completed IS NOT NULL")
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.into_iter().map(|(form, at)| Ok((form, from_millis(at, "seat.completed")?))).collect()
    }
}

/// The forms of everybody whom a list added, changed or removed.
fn forms_of(detail: &Value, forms: &BTreeMap<PersonId, BTreeSet<FormId>>) -> Result<BTreeSet<FormId>> {
    let added = detail["n_added"].as_i64().ok_or_else(damaged)?;
    // Where nobody was added there is no first one.
    let first = if added == 0 { 0 } else { detail["first_added"].as_i64().ok_or_else(damaged)? };
    let mut people: Vec<PersonId> = forms.range(first..first.saturating_add(added.max(0))).map(|(id, _)| *id).collect();
    for key in ["changed", "removed"] {
        for person in detail[key].as_array().ok_or_else(damaged)? {
            people.push(person.as_i64().ok_or_else(damaged)?);
        }
    }
    Ok(people.iter().filter_map(|person| forms.get(person)).flatten().copied().collect())
}

fn damaged() -> LedgerError {
    LedgerError::damaged("event.detail")
}
