//! What only shows when the files are laid side by side: forms, questions and sub-criteria that must fit.
//!
//! Runs only after every file could be read, so that one broken file does not make a hundred faults.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_index::code::{GroupCode, QuestionCode, SubCriterionCode};
use parsurvey_index::exact::Exact;

use super::groups::PlacedGroup;
use super::index_file::{IndexFile, unknown_target};
use super::place::{Faults, Place};
use super::questionnaires::PlacedQuestionnaire;
use super::{Campaign, Target};
use crate::fault::Fault;

/// Checks the files against each other and tells each sub-criterion its questions.
pub(super) fn check(
    targets: &[Target],
    groups: &[PlacedGroup],
    questionnaires: &[PlacedQuestionnaire],
    index: &mut IndexFile,
    faults: &Faults,
) {
    check_forms(targets, groups, questionnaires, faults);
    let feeding = feeding_questionnaires(targets, groups, questionnaires);
    check_meanings(questionnaires, index, faults);
    for (placed, feeds) in questionnaires.iter().zip(&feeding) {
        for question in placed.questionnaire.questions() {
            if *feeds && question.sub_criterion.is_none() {
                faults.add(question_place(placed, &question.code).fault(
                    "question-without-sub-criterion",
                    format!("question '{}' is asked of a group that feeds points, and scores nothing", question.code),
                    "name its sub_criterion, or take it out of this questionnaire",
                ));
            }
        }
    }
    let scored: Vec<_> =
        questionnaires.iter().zip(&feeding).filter(|(_, feeds)| **feeds).map(|(placed, _)| placed).collect();
    attach_questions(&scored, index, faults);
}

fn question_place(placed: &PlacedQuestionnaire, code: &QuestionCode) -> Place {
    placed.question_places.get(code).unwrap_or(&placed.place).clone()
}

fn check_forms(targets: &[Target], groups: &[PlacedGroup], questionnaires: &[PlacedQuestionnaire], faults: &Faults) {
    for placed in groups {
        let group = &placed.group;
        for (target, place) in &placed.form_places {
            if !targets.iter().any(|other| other.code == *target) {
                faults.add(unknown_target(place, target));
            }
            if let Some(wanted) = group.forms.get(target)
                && !questionnaires.iter().any(|other| other.questionnaire.code == *wanted)
            {
                faults.add(place.fault(
                    "unknown-questionnaire",
                    format!("there is no questionnaire '{wanted}'"),
                    "write the code of a [[questionnaire]] of questionnaire.toml",
                ));
            }
        }
        let has_tree = |code: &_| targets.iter().any(|target: &Target| target.code == *code && target.has_tree);
        if group.feeds && !group.forms.is_empty() && !group.forms.keys().any(has_tree) {
            faults.add(placed.place.fault(
                "feeds-nothing",
                format!("'{}' feeds points, and rates no target with a tree", group.code),
                "set feeds = false, or give it a form for a target with a tree",
            ));
        }
    }
    for target in targets {
        if !groups.iter().any(|placed| placed.group.forms.contains_key(&target.code)) {
            faults.add(Fault::of_file(
                "groups.toml",
                "target-of-nobody",
                format!("no group rates the target '{}'", target.code),
                "give a group a form for it, or remove the target from campaign.toml",
            ));
        }
    }
    for placed in questionnaires {
        let used = groups.iter().any(|other| other.group.forms.values().any(|code| *code == placed.questionnaire.code));
        if !used {
            faults.warn(placed.place.fault(
                "unused-questionnaire",
                format!("no group is given the questionnaire '{}'", placed.questionnaire.code),
                "remove it, or name it in groups.toml",
            ));
        }
    }
}

/// Per questionnaire: whether a feeding group answers it for a target with a tree.
fn feeding_questionnaires(
    targets: &[Target],
    groups: &[PlacedGroup],
    questionnaires: &[PlacedQuestionnaire],
) -> Vec<bool> {
    let mut feeding = BTreeSet::new();
    for placed in groups.iter().filter(|placed| placed.group.feeds) {
        for target in targets.iter().filter(|target| target.has_tree) {
            feeding.extend(placed.group.forms.get(&target.code));
        }
    }
    questionnaires.iter().map(|placed| feeding.contains(&placed.questionnaire.code)).collect()
}

/// Every sub-criterion named must exist, and a question code means one sub-criterion in all questionnaires.
fn check_meanings(questionnaires: &[PlacedQuestionnaire], index: &IndexFile, faults: &Faults) {
    let mut meanings: BTreeMap<&QuestionCode, Option<&SubCriterionCode>> = BTreeMap::new();
    for placed in questionnaires {
        for question in placed.questionnaire.questions() {
            let place = question_place(placed, &question.code);
            let leaf = question.sub_criterion.as_ref();
            if let Some(leaf) = leaf.filter(|leaf| !index.leaf_places.contains_key(leaf)) {
                faults.add(place.fault(
                    "unknown-sub-criterion",
                    format!("question '{}' scores '{leaf}', which index.toml does not have", question.code),
                    "write a code of index.toml",
                ));
            }
            let earlier = *meanings.entry(&question.code).or_insert(leaf);
            if earlier != leaf {
                faults.add(place.fault(
                    "question-means-two-things",
                    format!("question '{}' scores another sub-criterion in an earlier questionnaire", question.code),
                    "give it another code",
                ));
            }
        }
    }
}

fn attach_questions(scored: &[&PlacedQuestionnaire], index: &mut IndexFile, faults: &Faults) {
    let mut no_weights = BTreeMap::new();
    for leaf in index.tree.areas.iter_mut().flat_map(|area| &mut area.sub_criteria) {
        let declared = index.question_weights.get_mut(&leaf.code).unwrap_or(&mut no_weights);
        let questions = scored.iter().flat_map(|placed| placed.questionnaire.questions());
        for question in questions.filter(|question| question.sub_criterion.as_ref() == Some(&leaf.code)) {
            if leaf.questions.iter().all(|(code, _)| *code != question.code) {
                let weight = declared.remove(&question.code).map_or_else(Exact::one, |placed| placed.value);
                leaf.questions.push((question.code.clone(), weight));
            }
        }
        for (question, weight) in declared.iter() {
            faults.add(weight.place.fault(
                "unknown-question",
                format!("no scored question '{question}' belongs to {}", leaf.code),
                "remove the weight, or write the code of a question of this sub-criterion",
            ));
        }
        if leaf.questions.is_empty()
            && let Some(place) = index.leaf_places.get(&leaf.code)
        {
            faults.add(place.fault(
                "sub-criterion-not-asked",
                format!("no group that feeds points is asked about {}", leaf.code),
                "add a question with this sub_criterion to questionnaire.toml",
            ));
        }
    }
}

/// Scored groups with fewer seats than k: their results could never be shown. Known only with a roster.
///
/// `sizes` counts the seats per group; a group without an entry has none.
#[must_use]
pub fn check_group_sizes(campaign: &Campaign, sizes: &BTreeMap<GroupCode, u64>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for group in &campaign.groups {
        let size = sizes.get(&group.code).copied().unwrap_or_default();
        if size < campaign.limits.k {
            let mut fault = Fault::of_file(
                "groups.toml",
                "group-below-k",
                format!(
                    "the group '{}' has {size} seats, and results of fewer than {} are never shown",
                    group.code, campaign.limits.k
                ),
                "merge it: remove the group, and list its code and names as aliases of the group it joins",
            );
            fault.field = format!("group.{}", group.code);
            faults.push(fault);
        }
    }
    faults
}
