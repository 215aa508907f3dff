//! Which letters a morning owes: one per coordinator, over the units that the coordinator answers for.
//!
//! It decides; it writes no letter. Names are handed out as form numbers, never as texts.

use std::collections::BTreeSet;

use parsurvey_index::code::UnitCode;

use super::{ChaseCounts, ChaseRow, Standing, rows, standing};
use crate::campaign::{Campaign, Unit};
use crate::seat::{FormId, PersonId, Seat};

/// One letter: to whom, and about which units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitLetter {
    /// The unit it is addressed to.
    pub to: UnitCode,
    /// The counts of each unit it is about, in the campaign's order. Units that are done stand among them.
    pub rows: Vec<ChaseRow>,
    /// Their sum.
    pub total: ChaseCounts,
}

/// Somebody a letter may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The form.
    pub form: FormId,
    /// The person.
    pub person: PersonId,
    /// The person's unit.
    pub unit: UnitCode,
}

/// The unit whose coordinator is told about `unit`: itself, or the nearest above it that has one. A unit with a
/// coordinator of its own is not told to the unit above it as well: one person is asked about a seat, not two. Where nobody
/// above has a coordinator either, the unit itself is written to on paper, and no mail can go.
#[must_use]
pub fn addressee<'a>(campaign: &'a Campaign, unit: &'a UnitCode) -> &'a UnitCode {
    let mut above = campaign.unit(unit);
    // A circle of parents is a fault of the folder; the bound keeps this from depending on that.
    for _ in 0..campaign.units.len() {
        match above {
            Some(Unit { coordinator: Some(_), code, .. }) => return code,
            Some(Unit { parent: Some(parent), .. }) => above = campaign.unit(parent),
            Some(Unit { parent: None, .. }) | None => break,
        }
    }
    unit
}

/// The letters of one morning, in the campaign's order of units. Where nothing is outstanding there is none.
#[must_use]
pub fn letters(campaign: &Campaign, seats: &[Seat]) -> Vec<UnitLetter> {
    let mut letters: Vec<UnitLetter> = Vec::new();
    let counted = rows(campaign.units.iter().map(|unit| unit.code.as_str()), seats, |seat| seat.unit.as_str());
    for (unit, row) in campaign.units.iter().zip(counted).filter(|(_, row)| row.counts.listed > 0) {
        let to = addressee(campaign, &unit.code);
        let counts = row.counts;
        match letters.iter_mut().find(|letter| letter.to == *to) {
            Some(letter) => {
                letter.rows.push(row);
                letter.total += counts;
            }
            None => letters.push(UnitLetter { to: to.clone(), rows: vec![row], total: counts }),
        }
    }
    letters.retain(|letter| letter.total.outstanding > 0);
    letters
}

/// Whom `letter` may name once names are allowed: who is silent or was not reached, each person once, by unit in the
/// letter's order and then by form.
///
/// Whoever has begun or declined is not among them, and neither is somebody who holds two seats and has begun or declined
/// one of them: nobody is named for whom a refusal may stand anywhere.
#[must_use]
pub fn names(letter: &UnitLetter, seats: &[Seat]) -> Vec<Named> {
    let in_frame = || seats.iter().filter(|seat| !seat.ineligible);
    let spared: BTreeSet<PersonId> =
        in_frame().filter(|seat| standing(seat) == Standing::Started).map(|seat| seat.person).collect();
    let mut told = BTreeSet::new();
    let mut named = Vec::new();
    for row in &letter.rows {
        for seat in in_frame().filter(|seat| seat.unit.as_str() == row.key && is_unheard(seat)) {
            if !spared.contains(&seat.person) && told.insert(seat.person) {
                named.push(Named { form: seat.form, person: seat.person, unit: seat.unit.clone() });
            }
        }
    }
    named
}

fn is_unheard(seat: &Seat) -> bool {
    match standing(seat) {
        Standing::NotDelivered | Standing::Silent => true,
        Standing::Started | Standing::Excused | Standing::Completed => false,
    }
}
