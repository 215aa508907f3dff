//! People and the seats they hold, as a roster brings them. The table of persons is the only one with names and addresses.
//!
//! Comparing a file with what is stored is not done here: a [`RosterChange`] arrives complete, and is applied whole or not at all.
//! Numbers of persons and forms are never used twice, so a link or a log entry can never come to mean somebody else.

use std::collections::BTreeMap;
use std::fmt;

use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use parsurvey_survey::seat::{FormId, PersonId};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, small};
use crate::campaign::{CampaignState, Head};
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::sql::{CHUNK, Tx, rows};

/// Where a seat stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatPlace {
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
}

/// Somebody a roster adds.
#[derive(Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The roster's own id, if it has one.
    pub external_id: Option<String>,
    /// The name, NFC.
    pub name: String,
    /// The address.
    pub email: String,
    /// The position as written.
    pub position: String,
    /// One seat per target.
    pub seats: Vec<SeatPlace>,
}

/// Somebody whose stored values a roster changes.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangedPerson {
    /// Whom.
    pub person: PersonId,
    /// The values from now on, with every seat; seats of other targets are given up.
    pub now: NewPerson,
}

/// Everything one roster changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RosterChange {
    /// [`StoredRoster::version`] of what the roster was compared with.
    pub basis: i64,
    /// Who is new.
    pub added: Vec<NewPerson>,
    /// Whose values changed.
    pub changed: Vec<ChangedPerson>,
    /// Who is gone.
    pub removed: Vec<PersonId>,
}

/// What applying a roster did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RosterApplied {
    /// The new persons' numbers, in the order of [`RosterChange::added`].
    pub added: Vec<PersonId>,
    /// The campaign's roster version afterwards.
    pub version: i64,
}

/// A person with the seats held. Derived, never the other way round.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonRow {
    /// The number.
    pub person: PersonId,
    /// The roster's own id.
    pub external_id: Option<String>,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// Counts addresses, from 1.
    pub email_version: u32,
    /// The position.
    pub position: String,
    /// The seats, by form.
    pub seats: Vec<(FormId, SeatPlace)>,
}

/// Every person who holds a seat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRoster {
    /// Goes into [`RosterChange::basis`].
    pub version: i64,
    /// By number, ascending.
    pub people: Vec<PersonRow>,
}

impl fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewPerson").field("seats", &self.seats).finish_non_exhaustive()
    }
}

impl fmt::Debug for ChangedPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChangedPerson").field("person", &self.person).field("now", &self.now).finish()
    }
}

impl fmt::Debug for PersonRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonRow").field("person", &self.person).field("seats", &self.seats).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Applies a roster in one transaction. In draft, who is gone loses the seats; later the seats become ineligible.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the stored people are no longer those the roster was compared with; a submitted form
    /// would move or go; the campaign is closed. `NotFound`: a person that does not exist.
    pub async fn apply_roster(&self, change: &RosterChange, roster_sha256: &str, act: &Act) -> Result<RosterApplied> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "a change of the roster")?;
        if head.roster_version != change.basis {
            return Err(LedgerError::conflict("the stored roster changed meanwhile; run the import again"));
        }
        let mut seats: Vec<(PersonId, &SeatPlace)> = Vec::new();
        let added = insert_people(&mut tx, &change.added).await?;
        for (person, new) in added.iter().zip(&change.added) {
            seats.extend(new.seats.iter().map(|place| (*person, place)));
        }
        for changed in &change.changed {
            seats.extend(change_person(&mut tx, &head, changed).await?);
        }
        for person in &change.removed {
            for (form, _, completed) in seats_of(&mut tx, *person).await? {
                give_up(&mut tx, &head, form, completed).await?;
            }
        }
        insert_seats(&mut tx, &seats).await?;
        head.raise_roster_version(&mut tx).await?;
        let numbers = |persons: Vec<PersonId>| Value::from(persons);
        let entry = Entry::of("roster")
            .with("sha256", roster_sha256)
            .with("n_added", added.len())
            .with("first_added", added.first().copied())
            .with("changed", numbers(change.changed.iter().map(|changed| changed.person).collect()))
            .with("removed", numbers(change.removed.clone()));
        head.append(&mut tx, act, entry).await?;
        sqlx::query("INSERT INTO roster_import (event_seq, sha256) VALUES ($1, $2)")
            .bind(head.seq)
            .bind(roster_sha256)
            .execute(&mut *tx)
            .await?;
        let version = head.roster_version;
        tx.commit().await?;
        Ok(RosterApplied { added, version })
    }

    /// Everybody who holds a seat, ineligible ones included.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn stored_people(&self) -> Result<StoredRoster> {
        let mut connection = self.read().await?;
        let version =
            sqlx::query_scalar::<Any, i64>("SELECT roster_version FROM campaign").fetch_one(&mut *connection).await?;
        let rows = sqlx::query_as::<Any, Row>(PEOPLE_OF_SEATS).fetch_all(&mut *connection).await?;
        let mut people: BTreeMap<PersonId, PersonRow> = BTreeMap::new();
        for row in rows {
            let (form, place) = row.seat()?;
            if let Some(person) = people.get_mut(&row.person) {
                person.seats.push((form, place));
            } else {
                let mut person = row.into_person()?;
                person.seats.push((form, place));
                people.insert(person.person, person);
            }
        }
        Ok(StoredRoster { version, people: people.into_values().collect() })
    }

    /// A person, also one who holds no seat any more.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where there is none.
    pub async fn person(&self, person: PersonId) -> Result<PersonRow> {
        let mut connection = self.read().await?;
        let row = sqlx::query_as::<Any, (Option<String>, String, String, i64, String)>(
            "SELECT external_id, name, email, email_version, position FROM person WHERE person = $1",
        )
        .bind(person)
        .fetch_optional(&mut *connection)
        .await?
        .ok_or(LedgerError::NotFound("the person"))?;
        let seats = seats_of(&mut connection, person).await?;
        Ok(PersonRow {
            person,
            external_id: row.0,
            name: row.1,
            email: row.2,
            email_version: small(row.3, "person.email_version")?,
            position: row.4,
            seats: seats.into_iter().map(|(form, place, _)| (form, place)).collect(),
        })
    }

    /// SHA-256 (hex) of every roster that was applied, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn roster_sha256s(&self) -> Result<Vec<String>> {
        Ok(sqlx::query_scalar("SELECT sha256 FROM roster_import ORDER BY event_seq")
            .fetch_all(&mut *self.read().await?)
            .await?)
    }
}

const PEOPLE_OF_SEATS: &str = "SELECT s.form, s.target, s.grp, s.unit, p.person, p.external_id, p.name, p.email, \
     p.email_version, p.position FROM seat s JOIN person p ON p.person = s.person WHERE s.removed = 0 ORDER BY s.form";

#[derive(sqlx::FromRow)]
struct Row {
    form: i64,
    target: String,
    grp: String,
    unit: String,
    person: i64,
    external_id: Option<String>,
    name: String,
    email: String,
    email_version: i64,
    position: String,
}

impl Row {
    fn seat(&self) -> Result<(FormId, SeatPlace)> {
        Ok((self.form, place_of(&self.target, &self.grp, &self.unit)?))
    }

    fn into_person(self) -> Result<PersonRow> {
        Ok(PersonRow {
            person: self.person,
            external_id: self.external_id,
            name: self.name,
            email: self.email,
            email_version: small(self.email_version, "person.email_version")?,
            position: self.position,
            seats: Vec::new(),
        })
    }
}

fn place_of(target: &str, group: &str, unit: &str) -> Result<SeatPlace> {
    Ok(SeatPlace {
        target: code(target, "seat.target")?,
        group: code(group, "seat.grp")?,
        unit: code(unit, "seat.unit")?,
    })
}

/// The seats of a person and whether each was submitted.
async fn seats_of(connection: &mut sqlx::AnyConnection, person: PersonId) -> Result<Vec<(FormId, SeatPlace, bool)>> {
    let rows = sqlx::query_as::<Any, (i64, String, String, String, Option<i64>)>(
        "SELECT form, target, grp, unit, completed FROM seat WHERE person = $1 AND removed = 0 ORDER BY form",
    )
    .bind(person)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(form, target, group, unit, completed)| {
            Ok((form, place_of(&target, &group, &unit)?, completed.is_some()))
        })
        .collect()
}

/// Stores persons under fresh numbers. The campaign's row is held, so nobody else takes the same ones.
async fn insert_people(tx: &mut Tx, people: &[NewPerson]) -> Result<Vec<PersonId>> {
    let last =
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(person), 0) FROM person").fetch_one(&mut **tx).await?;
    let mut next = last;
    for chunk in people.chunks(CHUNK) {
        let sql =
            format!("INSERT INTO person (person, external_id, name, email, position) VALUES {}", rows(chunk.len(), 5));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for new in chunk {
            next += 1;
            query = query
                .bind(next)
                .bind(new.external_id.clone())
                .bind(new.name.as_str())
                .bind(new.email.as_str())
                .bind(new.position.as_str());
        }
        query.execute(&mut **tx).await?;
    }
    Ok((last + 1..=next).collect())
}

pub(crate) async fn insert_person(tx: &mut Tx, new: NewPerson) -> Result<PersonId> {
    let inserted = insert_people(tx, &[new]).await?;
    inserted.first().copied().ok_or(LedgerError::NotFound("the person"))
}

async fn insert_seats(tx: &mut Tx, seats: &[(PersonId, &SeatPlace)]) -> Result<()> {
    let mut next =
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(form), 0) FROM seat").fetch_one(&mut **tx).await?;
    for chunk in seats.chunks(CHUNK) {
        let sql = format!("INSERT INTO seat (form, target, grp, unit, person) VALUES {}", rows(chunk.len(), 5));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (person, place) in chunk {
            next += 1;
            query = query
                .bind(next)
                .bind(place.target.as_str())
                .bind(place.group.as_str())
                .bind(place.unit.as_str())
                .bind(*person);
        }
        query.execute(&mut **tx).await?;
    }
    Ok(())
}

/// Stores a person's new values and moves the seats; gives back the seats that are still to be made.
async fn change_person<'a>(
    tx: &mut Tx,
    head: &Head,
    changed: &'a ChangedPerson,
) -> Result<Vec<(PersonId, &'a SeatPlace)>> {
    let updated = sqlx::query(
        "UPDATE person SET external_id = $1, name = $2, position = $3, \
         email_version = email_version + CASE WHEN email = $4 THEN 0 ELSE 1 END, email = $4 WHERE person = $5",
    )
    .bind(changed.now.external_id.clone())
    .bind(changed.now.name.as_str())
    .bind(changed.now.position.as_str())
    .bind(changed.now.email.as_str())
    .bind(changed.person)
    .execute(&mut **tx)
    .await?;
    if updated.rows_affected() == 0 {
        return Err(LedgerError::NotFound("the person"));
    }
    let held = seats_of(tx, changed.person).await?;
    for (form, place, completed) in &held {
        match changed.now.seats.iter().find(|now| now.target == place.target) {
            None => give_up(tx, head, *form, *completed).await?,
            Some(now) if now == place => {}
            Some(_) if *completed => return Err(submitted(*form)),
            Some(now) => {
                sqlx::query("UPDATE seat SET grp = $1, unit = $2 WHERE form = $3")
                    .bind(now.group.as_str())
                    .bind(now.unit.as_str())
                    .bind(*form)
                    .execute(&mut **tx)
                    .await?;
            }
        }
    }
    let is_new = |place: &&SeatPlace| held.iter().all(|(_, has, _)| has.target != place.target);
    Ok(changed.now.seats.iter().filter(is_new).map(|place| (changed.person, place)).collect())
}

/// Takes a seat out of the frame: without a trace in draft, as a frame correction later.
async fn give_up(tx: &mut Tx, head: &Head, form: FormId, completed: bool) -> Result<()> {
    if completed {
        return Err(submitted(form));
    }
    let sql = match head.state {
        CampaignState::Draft => "UPDATE seat SET removed = 1 WHERE form = $1",
        CampaignState::Inviting | CampaignState::Closed | CampaignState::Opened | CampaignState::Released => {
            "UPDATE seat SET ineligible = 1 WHERE form = $1"
        }
    };
    sqlx::query(sql).bind(form).execute(&mut **tx).await?;
    Ok(())
}

pub(crate) fn submitted(form: FormId) -> LedgerError {
    LedgerError::conflict(format!("form {form} was submitted; nothing about it can be changed"))
}
