//! Whether tally, tree, policy and campaign fit each other, checked before anything is divided.
//!
//! The campaign folder's own check finds most of this earlier and says where; this one holds for whoever calls.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{GroupCode, QuestionCode, SubCriterionCode, TargetCode};
use crate::counts::GroupTally;
use crate::exact::Exact;
use crate::merging::CountsError;
use crate::policy::Policy;
use crate::scoring::ScoredGroup;
use crate::tree::{IndexTree, SubCriterion};

/// Why a tally cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScoreError {
    /// The tally does not hold together.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// The tally holds ballots for a target the campaign does not have.
    #[error("the tally holds ballots for target {0}, which the campaign does not have")]
    UnknownTarget(TargetCode),
    /// The tally holds ballots of a group that does not rate the target.
    #[error("the tally holds ballots of group {group} for {target}, which the campaign does not have")]
    UnknownGroup {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
    },
    /// A group rates the target and the tally says nothing of it, not even that nobody answered.
    #[error("the tally says nothing of group {group} for {target}; count every group, also one without ballots")]
    MissingGroup {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
    },
    /// A group that feeds points was asked something no sub-criterion of the tree uses.
    #[error("question {question}, asked of group {group}, belongs to no sub-criterion of the tree")]
    QuestionOutsideTree {
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
    },
    /// A question stands twice in the tree.
    #[error("question {0} stands twice in the tree; a question makes one sub-criterion")]
    RepeatedQuestion(QuestionCode),
    /// A sub-criterion's maximum or the weights of its questions are not above zero.
    #[error("the maximum of sub-criterion {0} and the weights of its questions must be above zero")]
    NotPositive(SubCriterionCode),
    /// The policy names a group the campaign does not have.
    #[error("the policy names group {0}, which the campaign does not have")]
    UnknownPolicyGroup(GroupCode),
    /// The policy names a sub-criterion the tree does not have.
    #[error("the policy names sub-criterion {0}, which the tree does not have")]
    UnknownPolicySubCriterion(SubCriterionCode),
    /// A weight is below zero.
    #[error("the policy gives group {0} a weight below zero")]
    NegativeWeight(GroupCode),
    /// Every group asked a sub-criterion weighs zero.
    #[error("every group asked sub-criterion {0} weighs zero under the policy")]
    WeightsOfNobody(SubCriterionCode),
}

pub(crate) fn check_tree(tree: &IndexTree) -> Result<(), ScoreError> {
    let above_zero = |value: &Exact| !value.is_zero() && !value.is_negative();
    let mut seen = BTreeSet::new();
    for leaf in leaves(tree) {
        if !above_zero(&leaf.maximum)
            || leaf.questions.is_empty()
            || !leaf.questions.iter().all(|(_, weight)| above_zero(weight))
        {
            return Err(ScoreError::NotPositive(leaf.code.clone()));
        }
        if let Some((question, _)) = leaf.questions.iter().find(|(question, _)| !seen.insert(question)) {
            return Err(ScoreError::RepeatedQuestion(question.clone()));
        }
    }
    Ok(())
}

pub(crate) fn check_policy(tree: &IndexTree, policy: &Policy, groups: &[ScoredGroup]) -> Result<(), ScoreError> {
    if let Some((group, _)) = policy.weights.iter().find(|(_, weight)| weight.is_negative()) {
        return Err(ScoreError::NegativeWeight(group.clone()));
    }
    let mut named = policy.weights.keys().chain(policy.asked.values().flatten());
    if let Some(unknown) = named.find(|code| !groups.iter().any(|group| group.code == **code)) {
        return Err(ScoreError::UnknownPolicyGroup(unknown.clone()));
    }
    match policy.asked.keys().find(|code| !leaves(tree).any(|leaf| leaf.code == **code)) {
        Some(unknown) => Err(ScoreError::UnknownPolicySubCriterion(unknown.clone())),
        None => Ok(()),
    }
}

pub(crate) fn leaves(tree: &IndexTree) -> impl Iterator<Item = &SubCriterion> {
    tree.areas.iter().flat_map(|area| &area.sub_criteria)
}

pub(crate) type Member<'a> = (&'a ScoredGroup, &'a GroupTally);

pub(crate) fn members<'a>(
    target: &TargetCode,
    tallies: &'a BTreeMap<GroupCode, GroupTally>,
    groups: &'a [ScoredGroup],
) -> Result<Vec<Member<'a>>, ScoreError> {
    let rates = |group: &&ScoredGroup| group.frame.contains_key(target);
    if let Some(unknown) = tallies.keys().find(|code| !groups.iter().filter(rates).any(|group| group.code == **code)) {
        return Err(ScoreError::UnknownGroup { target: target.clone(), group: unknown.clone() });
    }
    groups
        .iter()
        .filter(rates)
        .map(|group| {
            let tally = tallies
                .get(&group.code)
                .ok_or_else(|| ScoreError::MissingGroup { target: target.clone(), group: group.code.clone() })?;
            Ok((group, tally))
        })
        .collect()
}
