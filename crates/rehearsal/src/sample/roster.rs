//! The roster of the Hanoi sample: 851 people who do not exist, in units that do.
//!
//! How many people a single unit has is not published; the numbers per group are, and the units share them out by chance.

use std::collections::BTreeSet;

use parsurvey_survey::campaign::{Campaign, Unit};

use super::dice::Dice;
use super::{SampleError, names, posts};

/// The seed of `sample-data/hanoi-2023/roster.csv`.
pub const ROSTER_SEED: u64 = 2023;

const HEADER: [&str; 6] = ["mã", "họ và tên", "thư điện tử", "nhóm đối tượng", "đơn vị", "chức vụ"];

/// A group of the sample.
struct GroupPlan {
    code: &'static str,
    /// Begins the ids of its members.
    prefix: &'static str,
    /// Everyone in the frame. The three who are excused are division heads: 543 of whom 540 answer.
    people: usize,
    /// The fewest a unit has.
    least: usize,
    has: fn(&Unit) -> bool,
    post: fn(&str, usize) -> String,
}

const GROUPS: [GroupPlan; 5] = [
    GroupPlan {
        code: "council_delegates",
        prefix: "DB",
        people: 94,
        least: 94,
        has: is_council,
        post: |_, place| posts::delegate(place),
    },
    GroupPlan {
        code: "department_leaders",
        prefix: "LS",
        people: 80,
        least: 3,
        has: is_department,
        post: posts::department_leader,
    },
    GroupPlan {
        code: "division_heads",
        prefix: "TP",
        people: 543,
        least: 16,
        has: is_department,
        post: posts::division_head,
    },
    GroupPlan {
        code: "district_leaders",
        prefix: "QH",
        people: 102,
        least: 3,
        has: is_district,
        post: posts::district_leader,
    },
    GroupPlan {
        code: "state_bank_branch",
        prefix: "NH",
        people: 32,
        least: 32,
        has: is_bank,
        post: |_, place| posts::bank(place),
    },
];

fn is_council(unit: &Unit) -> bool {
    unit.code.as_str().starts_with("hdnd")
}

fn is_bank(unit: &Unit) -> bool {
    unit.code.as_str().starts_with("nhnn")
}

fn is_district(unit: &Unit) -> bool {
    ["quan-", "huyen-", "thi-xa-"].iter().any(|kind| unit.code.as_str().starts_with(kind))
}

fn is_department(unit: &Unit) -> bool {
    !is_council(unit) && !is_bank(unit) && !is_district(unit)
}

/// The roster as CSV, in Vietnamese, as an office would hand it in. The same seed gives the same bytes.
///
/// # Errors
/// The campaign lacks a group or the units of the Hanoi sample.
pub fn roster(campaign: &Campaign, seed: u64) -> Result<String, SampleError> {
    let lacks = |what: &str| SampleError::Campaign(what.to_owned());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let write = |writer: &mut csv::Writer<Vec<u8>>, record: &[String]| {
        writer.write_record(record).map_err(|error| SampleError::Campaign(error.to_string()))
    };
    write(&mut writer, &HEADER.map(str::to_owned))?;
    let mut number = 0;
    for plan in &GROUPS {
        let group = campaign
            .groups
            .iter()
            .find(|group| group.code.as_str() == plan.code)
            .ok_or_else(|| lacks(&format!("it has no group {}", plan.code)))?;
        let units: Vec<&Unit> = campaign.units.iter().filter(|unit| (plan.has)(unit)).collect();
        if units.is_empty() {
            return Err(lacks(&format!("it has no unit for the group {}", plan.code)));
        }
        let mut dice = Dice::new(seed, plan.code);
        let shares = shared_out(plan.people, plan.least, units.len(), &mut dice);
        let mut member = 0;
        for (unit, share) in units.into_iter().zip(shares) {
            let spelling = spelling_of(unit, &mut dice);
            let mut taken = BTreeSet::new();
            for place in 0..share {
                number += 1;
                member += 1;
                let name = new_name(&mut taken, &mut dice);
                let address = format!("{}.{number:04}@{}.hanoi.example", names::mailbox(&name), unit.code);
                let id = format!("{}{member:03}", plan.prefix);
                let post = (plan.post)(&unit.name, place);
                write(&mut writer, &[id, name, address, group.name.vi.clone(), spelling.clone(), post])?;
            }
        }
    }
    let bytes = writer.into_inner().map_err(|error| SampleError::Campaign(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| SampleError::Campaign(error.to_string()))
}

/// A unit as its people write it: mostly by name, some by a short form, a few by code.
fn spelling_of(unit: &Unit, dice: &mut Dice) -> String {
    match (dice.below(10), unit.aliases.first()) {
        (7 | 8, Some(alias)) => alias.clone(),
        (9, _) => unit.code.to_string(),
        (_, _) => unit.name.clone(),
    }
}

/// A name that nobody in the unit has yet.
fn new_name(taken: &mut BTreeSet<String>, dice: &mut Dice) -> String {
    loop {
        let name = names::full_name(dice);
        if taken.insert(name.clone()) {
            return name;
        }
    }
}

/// Splits `people` among `units`: each has at least `least`, as far as there are enough, and the rest is drawn by size.
fn shared_out(people: usize, least: usize, units: usize, dice: &mut Dice) -> Vec<usize> {
    let base = least.min(people / units);
    let mut shares = vec![base; units];
    let mut rest = people - base * units;
    let sizes: Vec<(usize, usize)> = (0..units).map(|unit| (unit, 1 + dice.below(6))).collect();
    // No unit swallows the rest: at most two and a half times an even share.
    let most = base + (rest.div_ceil(units) * 5 / 2).max(1);
    while rest > 0 {
        let unit = *dice.weighted(&sizes);
        if shares[unit] < most {
            shares[unit] += 1;
            rest -= 1;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::shared_out;
    use crate::sample::dice::Dice;

    #[test]
    fn shares_add_up() {
        for (people, least, units) in [(94, 94, 1), (80, 3, 22), (543, 16, 22), (102, 3, 30), (7, 3, 5)] {
            let shares = shared_out(people, least, units, &mut Dice::new(1, "test"));
            assert_eq!((shares.iter().sum::<usize>(), shares.len()), (people, units));
            assert!(shares.iter().all(|share| *share >= least.min(people / units)));
        }
    }
}
