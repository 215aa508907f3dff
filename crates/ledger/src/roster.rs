//! People and the seats they hold, as a roster brings them. The table of persons is the only one with names and addresses.
//!
//! Comparing a file with what is stored is not done here: a [`RosterChange`] arrives complete, and is applied whole or not at all.
//! Who left the frame after the first invitation keeps the seat beside it, and gets that seat back on returning.
//! Numbers of persons and forms are never used twice, so a link or a log entry can never come to mean somebody else.

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use parsurvey_survey::control::NoticeKind;
use parsurvey_survey::seat::{FormId, PersonId};
use serde_json::Value;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, small};
use crate::campaign::{CampaignState, Head};
use crate::error::{LedgerError, Result};
use crate::event::{Backed, Entry};
use crate::moves::{HeldSeat, change_person, give_up, place_of, seats_of};
use crate::notices::{owe, take_back};
use crate::people::{make_search, search_text};
use crate::sql::{CHUNK, Tx, in_order, rows};

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

/// Somebody whose stored values a roster changes, or who returns after having left the frame.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangedPerson {
    /// Whom.
    pub person: PersonId,
    /// The values from now on, with every seat; seats of other targets are given up, seats that left the frame return.
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
    /// Seats that returned to the frame, by form; each with the link it had, unless its person has another address now.
    pub reinstated: Vec<FormId>,
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
    /// The seats in the frame, by form.
    pub seats: Vec<(FormId, SeatPlace)>,
    /// The seats that left the frame, by form.
    pub left: Vec<(FormId, SeatPlace)>,
}

/// Every person who holds a seat, in the frame or beside it.
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
        f.debug_struct("PersonRow")
            .field("person", &self.person)
            .field("seats", &self.seats)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Applies a roster in one transaction. In draft, who is gone loses the seats; later the seats become ineligible, and
    /// return to the frame with their person.
    ///
    /// # Errors
    /// [`LedgerError::Meanwhile`]: the stored people are no longer those the roster was compared with, or it needs two
    /// people. `Conflict`: a submitted form would move or go; the campaign is closed. `NotFound`: a person that does not
    /// exist.
    pub async fn apply_roster(&self, change: &RosterChange, roster_sha256: &str, act: &Act) -> Result<RosterApplied> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "a change of the roster")?;
        head.require_alone(&mut tx).await?;
        if head.roster_version != change.basis {
            return Err(LedgerError::Meanwhile("the stored roster changed meanwhile; run the import again"));
        }
        let added = insert_people(&mut tx, &change.added).await?;
        let applied = apply_in(&mut tx, &mut head, (change, roster_sha256), (added, &[]), act, None).await?;
        tx.commit().await?;
        Ok(applied)
    }

    /// Everybody who holds a seat, in the frame or beside it.
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
            let (seat, is_left) = (row.seat()?, row.ineligible != 0);
            let person = match people.entry(row.person) {
                btree_map::Entry::Occupied(entry) => entry.into_mut(),
                btree_map::Entry::Vacant(entry) => entry.insert(row.into_person()?),
            };
            if is_left { person.left.push(seat) } else { person.seats.push(seat) }
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
        let (left, seats): (Vec<_>, Vec<_>) =
            seats_of(&mut connection, person).await?.into_iter().partition(|seat| seat.ineligible);
        let places = |seats: Vec<HeldSeat>| seats.into_iter().map(|seat| (seat.form, seat.place)).collect();
        Ok(PersonRow {
            person,
            external_id: row.0,
            name: row.1,
            email: row.2,
            email_version: small(row.3, "person.email_version")?,
            position: row.4,
            seats: places(seats),
            left: places(left),
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

/// Applies a roster whose new people are stored already. Each of `spares` is somebody without a seat, in the order of
/// [`RosterChange::changed`], whose row may keep an address that is given up; there may be none.
pub(crate) async fn apply_in(
    tx: &mut Tx,
    head: &mut Head,
    (change, roster_sha256): (&RosterChange, &str),
    (added, spares): (Vec<PersonId>, &[PersonId]),
    act: &Act,
    backed: Option<&Backed>,
) -> Result<RosterApplied> {
    let mut seats: Vec<(PersonId, &SeatPlace)> = Vec::new();
    let mut reinstated = Vec::new();
    for (person, new) in added.iter().zip(&change.added) {
        seats.extend(new.seats.iter().map(|place| (*person, place)));
    }
    for (place, changed) in change.changed.iter().enumerate() {
        let moved = change_person(tx, head, act, changed, spares.get(place).copied()).await?;
        seats.extend(moved.to_make);
        reinstated.extend(moved.reinstated);
    }
    for person in &change.removed {
        let held = seats_of(tx, *person).await?;
        for seat in held.iter().filter(|seat| !seat.ineligible) {
            give_up(tx, head, seat).await?;
        }
        if let Some(seat) = held.first() {
            owe(tx, head, act, NoticeKind::Left, seat.form, *person).await?;
        }
    }
    insert_seats(tx, &seats).await?;
    take_back(tx).await?;
    make_search(tx).await?;
    head.raise_roster_version(tx).await?;
    for (form, person) in &reinstated {
        let entry = Entry::of("frame_correction").form(*form).person(*person).with("reinstated", true).backed(backed);
        head.append(tx, act, entry).await?;
    }
    let entry = entry_of(head, change, roster_sha256, &added, reinstated.len()).backed(backed);
    head.append(tx, act, entry).await?;
    sqlx::query("INSERT INTO roster_import (event_seq, sha256) VALUES ($1, $2)")
        .bind(head.seq)
        .bind(roster_sha256)
        .execute(&mut **tx)
        .await?;
    let version = head.roster_version;
    Ok(RosterApplied { added, version, reinstated: reinstated.into_iter().map(|(form, _)| form).collect() })
}

const PEOPLE_OF_SEATS: &str = "SELECT s.form, s.target, s.grp, s.unit, s.ineligible, p.person, p.external_id, p.name, p.email, \
     p.email_version, p.position FROM seat s JOIN person p ON p.person = s.person WHERE s.removed = 0 ORDER BY s.form";

#[derive(sqlx::FromRow)]
struct Row {
    form: i64,
    target: String,
    grp: String,
    unit: String,
    ineligible: i64,
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
            // Once names are erased a person is shown by number.
            name: if self.name.is_empty() { format!("#{}", self.person) } else { self.name },
            email: self.email,
            email_version: small(self.email_version, "person.email_version")?,
            position: self.position,
            seats: Vec::new(),
            left: Vec::new(),
        })
    }
}

/// The entry of a roster: its first readings are plain, after the first invitation it corrects the frame.
fn entry_of(head: &Head, change: &RosterChange, sha256: &str, added: &[PersonId], n_reinstated: usize) -> Entry {
    let numbers = |persons: Vec<PersonId>| Value::from(persons);
    let kind = if head.state == CampaignState::Draft { "roster" } else { "frame_correction" };
    Entry::of(kind)
        .with("sha256", sha256)
        .with("n_added", added.len())
        .with("n_changed", change.changed.len())
        .with("n_removed", change.removed.len())
        .with("n_reinstated", n_reinstated)
        .with("first_added", added.first().copied())
        .with("changed", numbers(change.changed.iter().map(|changed| changed.person).collect()))
        .with("removed", numbers(change.removed.clone()))
}

/// Stores persons under fresh numbers. The campaign's row is held, so nobody else takes the same ones.
pub(crate) async fn insert_people(tx: &mut Tx, people: &[NewPerson]) -> Result<Vec<PersonId>> {
    let last =
        sqlx::query_scalar::<Any, i64>("SELECT COALESCE(MAX(person), 0) FROM person").fetch_one(&mut **tx).await?;
    let mut next = last;
    for chunk in people.chunks(CHUNK) {
        let sql = format!(
            "INSERT INTO person (person, external_id, name, email, position, search) VALUES {}",
            rows(chunk.len(), 6)
        );
        let mut query = sqlx::query(in_order(tx, sql));
        for new in chunk {
            next += 1;
            query = query
                .bind(next)
                .bind(new.external_id.clone())
                .bind(new.name.as_str())
                .bind(new.email.as_str())
                .bind(new.position.as_str())
                .bind(search_text(&new.name, &new.email, &new.position, new.external_id.as_deref()));
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
        let mut query = sqlx::query(in_order(tx, sql));
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

pub(crate) fn submitted(form: FormId) -> LedgerError {
    LedgerError::conflict(format!("form {form} was submitted; nothing about it can be changed"))
}
