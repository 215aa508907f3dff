//! The independence page: how often the list of people was changed after they were invited, by whom, and how often an
//! answer followed at once. Counts only; what was answered is never among them.
//!
//! Many changes in one unit, always by the same two people, each followed by an answer within a day, are no proof of
//! anything; they are where an auditor asks first.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use parsurvey_index::code::UnitCode;
use serde::Serialize;

use crate::seat::FormId;

/// How soon an answer counts as following a change.
const SOON: SignedDuration = SignedDuration::from_hours(24);

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// Another address.
    Address,
    /// Another holder.
    Replacement,
    /// Added, moved, changed or removed by a list.
    Frame,
    /// Excused.
    Excuse,
}

/// One change of one form after people were invited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The form.
    pub form: FormId,
    /// Its unit.
    pub unit: UnitCode,
    /// What was changed.
    pub kind: ChangeKind,
    /// When.
    pub at: Timestamp,
    /// Who carried it out.
    pub by: String,
    /// Who proposed it, where two people were needed.
    pub proposer: Option<String>,
}

/// What was changed in a unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnitChanges {
    /// Changes of an address.
    pub addresses: u64,
    /// Changes of a holder.
    pub replacements: u64,
    /// Forms that a list added, moved, changed or removed.
    pub frame: u64,
    /// Excuses.
    pub excuses: u64,
    /// Of the first three: carried out by one person alone.
    pub alone: u64,
    /// Forms with one of the first three.
    pub changed_forms: u64,
    /// Of these forms: submitted within 24 hours after a change.
    pub followed: u64,
}

/// What two people changed in a unit together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PairChanges {
    /// The unit.
    pub unit: String,
    /// Who proposed; empty where nobody had to.
    pub proposer: String,
    /// Who carried it out.
    pub by: String,
    /// How many changes, excuses among them.
    pub changes: u64,
}

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Independence {
    /// By unit; units without a change have no entry.
    pub units: BTreeMap<UnitCode, UnitChanges>,
    /// By unit, proposer and whoever carried it out.
    pub pairs: Vec<PairChanges>,
}

/// Counts the changes; `submitted` is when each form was submitted.
#[must_use]
pub fn independence(changes: &[Change], submitted: &BTreeMap<FormId, Timestamp>) -> Independence {
    let mut units: BTreeMap<UnitCode, UnitChanges> = BTreeMap::new();
    let mut pairs: BTreeMap<(String, String, String), u64> = BTreeMap::new();
    let (mut changed, mut followed) = (BTreeSet::new(), BTreeSet::new());
    for change in changes {
        let unit = units.entry(change.unit.clone()).or_default();
        match change.kind {
            ChangeKind::Address => unit.addresses += 1,
            ChangeKind::Replacement => unit.replacements += 1,
            ChangeKind::Frame => unit.frame += 1,
            ChangeKind::Excuse => unit.excuses += 1,
        }
        let proposer = change.proposer.clone().unwrap_or_default();
        *pairs.entry((change.unit.to_string(), proposer, change.by.clone())).or_default() += 1;
        if change.kind == ChangeKind::Excuse {
            continue;
        }
        unit.alone += u64::from(change.proposer.is_none());
        unit.changed_forms += u64::from(changed.insert(change.form));
        let soon = submitted.get(&change.form).is_some_and(|at| {
            let after = change.at.duration_until(*at);
            !after.is_negative() && after <= SOON
        });
        unit.followed += u64::from(soon && followed.insert(change.form));
    }
    let pair = |((unit, proposer, by), changes)| PairChanges { unit, proposer, by, changes };
    Independence { units, pairs: pairs.into_iter().map(pair).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + hours * 3600).expect("a moment")
    }

    fn change(form: FormId, unit: &str, kind: ChangeKind, hours: i64, proposer: Option<&str>) -> Change {
        let unit = unit.parse().expect("a code");
        Change { form, unit, kind, at: at(hours), by: "binh".into(), proposer: proposer.map(str::to_owned) }
    }

    #[test]
    fn forms_are_counted_once_and_only_answers_that_follow_soon() {
        let changes = [
            change(1, "office", ChangeKind::Address, 0, Some("an")),
            change(1, "office", ChangeKind::Replacement, 10, Some("an")),
            change(2, "office", ChangeKind::Frame, 0, None),
            change(3, "office", ChangeKind::Address, 30, Some("an")),
            change(4, "finance", ChangeKind::Excuse, 0, None),
            change(5, "finance", ChangeKind::Address, 0, Some("an")),
        ];
        // Form 1 within a day after both changes, 2 after 25 hours, 3 before its change, 4 was excused only, 5 to the second.
        let submitted = BTreeMap::from([(1, at(11)), (2, at(25)), (3, at(29)), (4, at(1)), (5, at(24))]);
        let page = independence(&changes, &submitted);
        let office = &page.units[&"office".parse().expect("a code")];
        assert_eq!((office.addresses, office.replacements, office.frame, office.excuses), (2, 1, 1, 0));
        assert_eq!((office.alone, office.changed_forms, office.followed), (1, 3, 1));
        let finance = &page.units[&"finance".parse().expect("a code")];
        assert_eq!((finance.excuses, finance.changed_forms, finance.followed, finance.alone), (1, 1, 1, 0));
        let pairs: Vec<_> = page.pairs.iter().map(|pair| (&*pair.unit, &*pair.proposer, pair.changes)).collect();
        assert_eq!(pairs, [("finance", "", 1), ("finance", "an", 1), ("office", "", 1), ("office", "an", 3)]);
    }
}
