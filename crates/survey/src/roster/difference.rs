//! What a roster changes: the rows against the people that are stored.
//!
//! Identity is the id; where one side has none, the address. A person without an id whose address changed cannot be told
//! from a new one, so both are listed and a human decides. The order of rows and of people does not matter.

use std::collections::BTreeMap;
use std::fmt;

use parsurvey_index::code::{GroupCode, UnitCode};

use super::RosterRow;
use super::fold::fold;
use super::header::Column;
use crate::seat::PersonId;

/// A person as the ledger holds them, for one group.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPerson {
    /// The person's number in the ledger.
    pub person: PersonId,
    /// The id of the roster, if it had one.
    pub id: Option<String>,
    /// The name.
    pub name: String,
    /// The address, as [`crate::address::RespondentEmail`] exposed it.
    pub email: String,
    /// The respondent group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// The post held.
    pub position: String,
}

impl fmt::Debug for StoredPerson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredPerson").field("person", &self.person).finish_non_exhaustive()
    }
}

/// A stored person whose row says something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The stored person.
    pub person: PersonId,
    /// The row.
    pub row: RosterRow,
    /// The fields that differ: `id`, `name`, `email`, `group`, `unit`, `position`.
    pub fields: Vec<&'static str>,
}

/// A removed and an added person that may be one, with a new address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PerhapsSame {
    /// The person that would be removed.
    pub removed: PersonId,
    /// The line of the row that would be added.
    pub added: usize,
}

/// What importing the rows would change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Difference {
    /// Rows of people who are not stored, by line.
    pub added: Vec<RosterRow>,
    /// Stored people whose row differs, by number.
    pub changed: Vec<Changed>,
    /// Stored people without a row, by number.
    pub removed: Vec<StoredPerson>,
    /// People who had left the frame and have a row again, by number; filled by [`Difference::welcome_back`].
    pub returned: Vec<Changed>,
    /// Stored people whose row says the same, by number.
    pub unchanged: Vec<PersonId>,
    /// Pairs of removed and added that agree in name, unit and group.
    pub perhaps_same: Vec<PerhapsSame>,
}

impl Difference {
    /// Whether the rows change nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty() && self.returned.is_empty()
    }

    /// Finds whoever left the frame among the added rows: by id, else by address, else by name, unit and group. They get
    /// their former seats back and are new no longer.
    pub fn welcome_back(&mut self, gone: &[StoredPerson]) {
        let rows = std::mem::take(&mut self.added);
        let mut open =
            Open { stored: gone.iter().collect(), rows: rows.iter().collect(), pairs: Vec::with_capacity(gone.len()) };
        open.stored.sort_by_key(|person| person.person);
        open.by_id();
        open.by_address();
        open.by_name();
        let changed = |(person, row): (&StoredPerson, &RosterRow)| Changed {
            person: person.person,
            row: row.clone(),
            fields: changed_fields(person, row),
        };
        self.returned = open.pairs.into_iter().map(changed).collect();
        self.returned.sort_by_key(|returned| returned.person);
        self.added = open.rows.into_iter().cloned().collect();
        self.added.sort_by_key(|row| row.line);
        self.perhaps_same.retain(|pair| self.added.iter().any(|row| row.line == pair.added));
    }
}

/// Compares the rows with the people that are stored.
#[must_use]
pub fn difference(stored: &[StoredPerson], rows: &[RosterRow]) -> Difference {
    let mut open =
        Open { stored: stored.iter().collect(), rows: rows.iter().collect(), pairs: Vec::with_capacity(rows.len()) };
    open.stored.sort_by_key(|person| person.person);
    open.rows.sort_by_key(|row| row.line);
    open.by_id();
    open.by_address();
    let perhaps_same = open.perhaps_same();
    let mut out = Difference {
        added: open.rows.into_iter().cloned().collect(),
        removed: open.stored.into_iter().cloned().collect(),
        perhaps_same,
        ..Difference::default()
    };
    for (person, row) in open.pairs {
        let fields = changed_fields(person, row);
        if fields.is_empty() {
            out.unchanged.push(person.person);
        } else {
            out.changed.push(Changed { person: person.person, row: row.clone(), fields });
        }
    }
    out.unchanged.sort_unstable();
    out.changed.sort_by_key(|changed| changed.person);
    out
}

fn changed_fields(person: &StoredPerson, row: &RosterRow) -> Vec<&'static str> {
    [
        (Column::Id, person.id != row.id),
        (Column::Name, person.name != row.name),
        (Column::Email, person.email != row.email.expose()),
        (Column::Group, person.group != row.group),
        (Column::Unit, person.unit != row.unit),
        (Column::Position, person.position != row.position),
    ]
    .into_iter()
    .filter_map(|(column, differs)| differs.then_some(column.as_str()))
    .collect()
}

/// People and rows that have not found each other yet.
struct Open<'a> {
    stored: Vec<&'a StoredPerson>,
    rows: Vec<&'a RosterRow>,
    pairs: Vec<(&'a StoredPerson, &'a RosterRow)>,
}

/// The people and rows under one key.
type Bucket<'a> = (Vec<&'a StoredPerson>, Vec<&'a RosterRow>);

impl<'a> Open<'a> {
    /// Pairs equal ids: first within the group, then whoever is left (the person moved to another group).
    fn by_id(&mut self) {
        for (_, (mut people, mut rows)) in self.take(|person| person.id.clone(), |row| row.id.clone()) {
            self.pair(&mut people, &mut rows, |person, row| person.group == row.group);
            self.pair(&mut people, &mut rows, |_, _| true);
            self.put_back(people, rows);
        }
    }

    /// Pairs equal addresses where one side has no id. On a shared address only equal names are paired.
    fn by_address(&mut self) {
        let key = |address: &str| Some(address.to_ascii_lowercase());
        for (_, (mut people, mut rows)) in self.take(|person| key(&person.email), |row| key(row.email.expose())) {
            let may = |person: &StoredPerson, row: &RosterRow| person.id.is_none() || row.id.is_none();
            let named = |person: &StoredPerson, row: &RosterRow| may(person, row) && same_name(person, row);
            self.pair(&mut people, &mut rows, |person, row| named(person, row) && person.group == row.group);
            self.pair(&mut people, &mut rows, named);
            if people.len() == 1 && rows.len() == 1 {
                self.pair(&mut people, &mut rows, may);
            }
            self.put_back(people, rows);
        }
    }

    /// Pairs who agree in name, unit and group, unless both have ids: enough only where nobody else would lose a seat.
    fn by_name(&mut self) {
        for (_, (mut people, mut rows)) in self.take(name_of_person, name_of_row) {
            self.pair(&mut people, &mut rows, |person, row| person.id.is_none() || row.id.is_none());
            self.put_back(people, rows);
        }
    }

    /// Pairs left over that agree in name, unit and group, unless both have ids.
    fn perhaps_same(&mut self) -> Vec<PerhapsSame> {
        let mut out = Vec::new();
        for (_, (people, rows)) in self.take(name_of_person, name_of_row) {
            for (person, row) in people.iter().zip(&rows) {
                if person.id.is_none() || row.id.is_none() {
                    out.push(PerhapsSame { removed: person.person, added: row.line });
                }
            }
            self.put_back(people, rows);
        }
        self.stored.sort_by_key(|person| person.person);
        self.rows.sort_by_key(|row| row.line);
        out.sort_by_key(|pair| (pair.removed, pair.added));
        out
    }

    /// Takes everything that has a key into buckets; whatever has none stays.
    fn take<K: Ord>(
        &mut self,
        person_key: impl Fn(&StoredPerson) -> Option<K>,
        row_key: impl Fn(&RosterRow) -> Option<K>,
    ) -> BTreeMap<K, Bucket<'a>> {
        let mut buckets: BTreeMap<K, Bucket<'a>> = BTreeMap::new();
        self.stored.retain(|person| match person_key(person) {
            Some(key) => {
                buckets.entry(key).or_default().0.push(person);
                false
            }
            None => true,
        });
        self.rows.retain(|row| match row_key(row) {
            Some(key) => {
                buckets.entry(key).or_default().1.push(row);
                false
            }
            None => true,
        });
        buckets
    }

    /// Pairs each person with the first row that fits.
    fn pair(
        &mut self,
        people: &mut Vec<&'a StoredPerson>,
        rows: &mut Vec<&'a RosterRow>,
        fits: impl Fn(&StoredPerson, &RosterRow) -> bool,
    ) {
        people.retain(|person| match rows.iter().position(|row| fits(person, row)) {
            Some(place) => {
                self.pairs.push((person, rows.remove(place)));
                false
            }
            None => true,
        });
    }

    fn put_back(&mut self, people: Vec<&'a StoredPerson>, rows: Vec<&'a RosterRow>) {
        self.stored.extend(people);
        self.rows.extend(rows);
    }
}

type Named = (String, UnitCode, GroupCode);

fn name_of_person(person: &StoredPerson) -> Option<Named> {
    Some((fold(&person.name), person.unit.clone(), person.group.clone()))
}

fn name_of_row(row: &RosterRow) -> Option<Named> {
    Some((fold(&row.name), row.unit.clone(), row.group.clone()))
}

fn same_name(person: &StoredPerson, row: &RosterRow) -> bool {
    fold(&person.name) == fold(&row.name)
}
