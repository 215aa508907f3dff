//! A scoring policy as a file or as part of `index.toml`, checked against who is really asked.
//!
//! A policy can narrow what the questionnaires say (`asked`), never widen it.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_index::code::{AreaCode, GroupCode, QuestionnaireCode, SubCriterionCode};
use parsurvey_index::policy::{EmptyGroup, Policy};
use parsurvey_index::tree::IndexTree;

use super::place::{Document, Faults, Place};
use super::walk::Table;
use super::{Campaign, Group, Questionnaire, Target};
use crate::fault::Fault;

/// Who is asked what, as far as points are concerned.
#[derive(Default)]
pub(super) struct Asked {
    groups: BTreeSet<GroupCode>,
    feeding: BTreeSet<GroupCode>,
    areas: BTreeMap<AreaCode, Vec<SubCriterionCode>>,
    by_questionnaire: BTreeMap<SubCriterionCode, BTreeSet<GroupCode>>,
}

impl Asked {
    pub(super) fn of<'a>(
        targets: &[Target],
        groups: impl IntoIterator<Item = &'a Group>,
        questionnaires: &BTreeMap<QuestionnaireCode, Questionnaire>,
        tree: &IndexTree,
    ) -> Self {
        let mut asked = Self::default();
        for area in &tree.areas {
            asked.areas.insert(area.code.clone(), area.sub_criteria.iter().map(|leaf| leaf.code.clone()).collect());
        }
        for group in groups {
            asked.groups.insert(group.code.clone());
            for target in targets.iter().filter(|target| target.has_tree && group.feeds) {
                let Some(questionnaire) = group.forms.get(&target.code) else { continue };
                asked.feeding.insert(group.code.clone());
                for question in questionnaires.get(questionnaire).into_iter().flat_map(Questionnaire::questions) {
                    if let Some(leaf) = &question.sub_criterion {
                        asked.by_questionnaire.entry(leaf.clone()).or_default().insert(group.code.clone());
                    }
                }
            }
        }
        asked
    }

    fn leaves(&self, key: &str) -> Option<Vec<SubCriterionCode>> {
        let leaf = key.parse::<SubCriterionCode>().ok();
        if let Some(leaf) = leaf.filter(|leaf| self.areas.values().flatten().any(|other| other == leaf)) {
            return Some(vec![leaf]);
        }
        self.areas.get(&key.parse::<AreaCode>().ok()?).cloned()
    }
}

/// Reads a policy file such as `policy-by-form.toml` against a loaded campaign.
///
/// # Errors
/// Every fault of the file.
pub fn load_policy(file: &str, bytes: &[u8], campaign: &Campaign) -> Result<Policy, Vec<Fault>> {
    let faults = Faults::default();
    let asked = Asked::of(&campaign.targets, &campaign.groups, &campaign.questionnaires, &campaign.tree);
    let policy = read_file(file, bytes, &asked, &faults);
    let (faults, _) = faults.into_parts();
    policy.filter(|_| faults.is_empty()).ok_or(faults)
}

/// Reads a policy file, recording its faults.
pub(super) fn read_file(file: &str, bytes: &[u8], asked: &Asked, faults: &Faults) -> Option<Policy> {
    let document = Document::new(file, bytes, faults)?;
    let table = document.parse()?;
    Some(read(Table::root(&document, &table), Some(asked)))
}

/// Reads a policy table; without `asked` (another file is broken) it is judged by itself only.
pub(super) fn read(table: Table<'_>, asked: Option<&Asked>) -> Policy {
    let mut policy = Policy {
        name: table.text("name"),
        version: table.text("version"),
        weights: BTreeMap::new(),
        empty_group: read_empty_group(&table),
        asked: BTreeMap::new(),
    };
    if let Some(weights) = table.optional_table("weights") {
        read_weights(&weights, asked, &mut policy);
        weights.finish();
    }
    if let Some(narrowed) = table.optional_table("asked") {
        for key in narrowed.keys() {
            read_asked(&narrowed, key.value, &key.place, asked, &mut policy);
        }
        narrowed.finish();
    }
    table.finish();
    policy
}

fn read_empty_group(table: &Table<'_>) -> EmptyGroup {
    match table.text("empty_group").as_str() {
        "renormalise" => EmptyGroup::Renormalise,
        "not_determinable" | "" => EmptyGroup::NotDeterminable,
        other => {
            table.add(table.place_of("empty_group").fault(
                "unknown-choice",
                format!("'{other}' is not something an empty group can do"),
                "write not_determinable or renormalise",
            ));
            EmptyGroup::NotDeterminable
        }
    }
}

fn read_weights(weights: &Table<'_>, asked: Option<&Asked>, policy: &mut Policy) {
    for key in weights.keys() {
        let weight = weights.exact(key.value);
        let group = key.value.parse::<GroupCode>().ok();
        if let Some(asked) = asked
            && !group.as_ref().is_some_and(|group| asked.feeding.contains(group))
        {
            let known = group.as_ref().is_some_and(|group| asked.groups.contains(group));
            let why = if known { "a group that feeds no points" } else { "a group that does not exist" };
            weights.add(key.place.fault(
                "weight-of-nobody",
                format!("'{}' is {why}", key.value),
                format!("remove it; the groups that feed points are {}", list(&asked.feeding)),
            ));
        }
        let (Some(group), Some(weight)) = (group, weight) else { continue };
        if weight.value.is_zero() || weight.value.is_negative() {
            weights.add(weight.place.fault(
                "bad-weight",
                "a weight is greater than zero",
                "write a positive weight; a group that shall not count is feeds = false in groups.toml",
            ));
        }
        policy.weights.insert(group, weight.value);
    }
}

fn read_asked(narrowed: &Table<'_>, key: &str, place: &Place, asked: Option<&Asked>, policy: &mut Policy) {
    let names = narrowed.texts(key);
    let Some(asked) = asked else { return };
    let Some(leaves) = asked.leaves(key) else {
        narrowed.add(place.fault(
            "unknown-sub-criterion",
            format!("'{key}' is neither a sub-criterion nor an area of index.toml"),
            "write a code of index.toml",
        ));
        return;
    };
    let mut groups = BTreeSet::new();
    for name in &names {
        match name.value.parse::<GroupCode>().ok().filter(|group| asked.feeding.contains(group)) {
            Some(group) => {
                groups.insert(group);
            }
            None => narrowed.add(name.place.fault(
                "unknown-group",
                format!("'{}' is not a group that feeds points", name.value),
                format!("write one of {}", list(&asked.feeding)),
            )),
        }
    }
    if names.is_empty() {
        narrowed.add(place.fault(
            "asked-of-nobody",
            format!("'{key}' would be asked of nobody, so it could have no points"),
            "name the groups asked, or remove the line",
        ));
    }
    for leaf in leaves {
        let really = asked.by_questionnaire.get(&leaf).cloned().unwrap_or_default();
        for group in groups.difference(&really) {
            narrowed.add(place.fault(
                "asked-without-question",
                format!("the questionnaire of '{group}' has no question for {leaf}"),
                "leave the group out here, or put the question into its questionnaire",
            ));
        }
        policy.asked.insert(leaf, groups.clone());
    }
}

fn list(groups: &BTreeSet<GroupCode>) -> String {
    groups.iter().map(GroupCode::as_str).collect::<Vec<_>>().join(", ")
}
