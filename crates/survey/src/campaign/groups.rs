//! `groups.toml` and `units.csv`: who answers, and where they work.
//!
//! Names and aliases are how a roster names a group or unit, so no two may share one; case does not tell them apart.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, QuestionnaireCode, TargetCode, UnitCode};
use unicode_normalization::UnicodeNormalization;

use super::address::check_address;
use super::head::duplicate;
use super::place::{Document, Faults, Place, bad_code};
use super::rows::rows;
use super::walk::Table;
use super::{Coordinator, Group, Unit};

/// A group and where its parts stand.
pub(super) struct PlacedGroup {
    pub(super) group: Group,
    pub(super) place: Place,
    /// Where each entry of `forms` stands.
    pub(super) form_places: BTreeMap<TargetCode, Place>,
}

/// The spelling by which two names are compared.
fn spelling(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Remembers who answers to which spelling.
#[derive(Default)]
struct Spellings(BTreeMap<String, String>);

impl Spellings {
    fn claim(&mut self, name: &str, owner: &str, place: &Place, faults: &Faults) {
        let earlier = self.0.insert(spelling(name), owner.to_owned());
        if let Some(earlier) = earlier.filter(|earlier| earlier != owner) {
            faults.add(place.fault(
                "ambiguous-name",
                format!("'{name}' means both '{earlier}' and '{owner}'"),
                "keep it at one of the two",
            ));
        }
    }
}

/// Reads `groups.toml`.
pub(super) fn read_groups(root: Table<'_>, faults: &Faults) -> Vec<PlacedGroup> {
    let mut groups: Vec<PlacedGroup> = Vec::new();
    let mut spellings = Spellings::default();
    for table in root.tables("group") {
        let name = table.bilingual("name");
        let aliases = table.texts("aliases");
        let counted = table.boolean("counted", None);
        let feeds = table.boolean("feeds", None);
        let (forms, form_places) = table.table("forms").map(read_forms).unwrap_or_default();
        if let Some(code) = table.code::<GroupCode>("code") {
            let known = groups.iter().any(|other| other.group.code == code);
            if known {
                faults.add(duplicate(&table.place_of("code"), "group", code.as_str()));
            } else {
                spellings.claim(code.as_str(), code.as_str(), &table.place_of("code"), faults);
                spellings.claim(&name.vi, code.as_str(), &table.place_of("name"), faults);
                spellings.claim(&name.en, code.as_str(), &table.place_of("name"), faults);
                for alias in &aliases {
                    spellings.claim(&alias.value, code.as_str(), &alias.place, faults);
                }
            }
            let aliases = aliases.into_iter().map(|alias| alias.value).collect();
            let group = Group { code, name, aliases, counted, feeds, forms };
            groups.push(PlacedGroup { group, place: table.place(), form_places });
        }
        table.finish();
    }
    if groups.is_empty() {
        faults.add(root.place_of("group").fault("no-group", "nobody is asked", "add a [[group]]"));
    }
    root.finish();
    groups
}

type Forms = (BTreeMap<TargetCode, QuestionnaireCode>, BTreeMap<TargetCode, Place>);

fn read_forms(table: Table<'_>) -> Forms {
    let mut forms = BTreeMap::new();
    let mut places = BTreeMap::new();
    for key in table.keys() {
        let questionnaire = table.code::<QuestionnaireCode>(key.value);
        match key.value.parse::<TargetCode>() {
            Ok(target) => {
                places.insert(target.clone(), table.place_of(key.value));
                if let Some(questionnaire) = questionnaire {
                    forms.insert(target, questionnaire);
                }
            }
            Err(error) => table.add(bad_code(&key.place, &error)),
        }
    }
    if forms.is_empty() {
        table.add(table.place().fault(
            "no-form",
            "the group is given no questionnaire",
            "write target = \"questionnaire\" for each target the group rates",
        ));
    }
    table.finish();
    (forms, places)
}

/// The columns of `units.csv`.
const COLUMNS: [&str; 6] = ["code", "name", "aliases", "parent", "coordinator_name", "coordinator_email"];

/// Reads `units.csv`; aliases are separated by `|`.
pub(super) fn read_units(document: &Document<'_>) -> Vec<Unit> {
    let faults = document.faults;
    let mut units: Vec<(Unit, Place)> = Vec::new();
    let mut spellings = Spellings::default();
    for (record, span) in rows(document, &COLUMNS) {
        let place = |field: &str| document.place(span.clone(), field);
        if let Some(unit) = read_unit(&record, &place, faults) {
            if units.iter().any(|(other, _)| other.code == unit.code) {
                faults.add(duplicate(&place("code"), "unit", unit.code.as_str()));
            } else {
                for name in [unit.code.as_str(), unit.name.as_str()] {
                    spellings.claim(name, unit.code.as_str(), &place("name"), faults);
                }
                for alias in &unit.aliases {
                    spellings.claim(alias, unit.code.as_str(), &place("aliases"), faults);
                }
            }
            units.push((unit, place("parent")));
        }
    }
    check_parents(&units, faults);
    units.into_iter().map(|(unit, _)| unit).collect()
}

fn read_unit(record: &csv::StringRecord, place: &dyn Fn(&str) -> Place, faults: &Faults) -> Option<Unit> {
    let cell = |at: usize| record.get(at).unwrap_or_default().nfc().collect::<String>();
    let code = cell(0).parse::<UnitCode>().map_err(|error| faults.add(bad_code(&place("code"), &error))).ok();
    let name = cell(1);
    if name.is_empty() {
        faults.add(place("name").fault("empty-text", "the unit has no name", "write its official name"));
    }
    let parent = match cell(3) {
        text if text.is_empty() => None,
        text => text.parse::<UnitCode>().map_err(|error| faults.add(bad_code(&place("parent"), &error))).ok(),
    };
    let coordinator = Coordinator { name: cell(4), email: cell(5) };
    check_address(&coordinator.email, &place("coordinator_email"), faults);
    if coordinator.name.is_empty() != coordinator.email.is_empty() {
        faults.add(place("coordinator_email").fault(
            "half-coordinator",
            "a coordinator needs a name and an address",
            "write both, or neither",
        ));
    }
    let aliases = cell(2).split('|').map(str::trim).filter(|alias| !alias.is_empty()).map(str::to_owned).collect();
    let coordinator = (!coordinator.name.is_empty()).then_some(coordinator);
    Some(Unit { code: code?, name, aliases, parent, coordinator })
}

fn check_parents(units: &[(Unit, Place)], faults: &Faults) {
    let parents: BTreeMap<_, _> = units.iter().map(|(unit, _)| (&unit.code, unit.parent.as_ref())).collect();
    for (unit, place) in units {
        let Some(parent) = &unit.parent else { continue };
        if !parents.contains_key(parent) {
            faults.add(place.fault(
                "unknown-parent",
                format!("there is no unit '{parent}' above '{}'", unit.code),
                "write the code of a unit of this file, or leave the cell empty",
            ));
            continue;
        }
        let mut above = Some(parent);
        for _ in 0..units.len() {
            above = above.and_then(|code| parents.get(code).copied().flatten());
        }
        if above.is_some() {
            faults.add(place.fault(
                "circular-parent",
                format!("the units above '{}' run in a circle", unit.code),
                "leave the highest unit's parent empty",
            ));
        }
    }
}
