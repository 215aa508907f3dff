//! Scores a tally: counts → percents → weights → points, in exact fractions, nothing rounded.
//!
//! Who is asked what comes from the tally's questionnaires, narrowed by the policy, and never from blank answers.
//! Ranks, the index and comparisons with earlier years are made elsewhere, from what this returns.

use std::collections::{BTreeMap, BTreeSet};

use crate::cells::{percent_of, question_cell, quotient};
use crate::code::{AreaCode, GroupCode, TargetCode};
use crate::counts::{GroupTally, QuestionTable, Tally};
use crate::exact::{Exact, Quantity, Why};
pub use crate::fit::ScoreError;
use crate::fit::{Member, check_policy, check_tree, leaves, members};
use crate::policy::{EmptyGroup, Policy};
use crate::score::{AreaScore, GroupCell, GroupScore, SubCriterionScore, TargetScore};
use crate::tree::{IndexTree, SubCriterion};

/// A target as the campaign declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredTarget {
    /// The code.
    pub code: TargetCode,
    /// Whether the tree applies to it; without one it is scored in percent only.
    pub has_tree: bool,
}

/// A respondent group as the campaign declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScoredGroup {
    /// The code.
    pub code: GroupCode,
    /// Whether its answers make points.
    pub feeds: bool,
    /// The targets its members rate, each with the seats in the frame where that number is known.
    pub frame: BTreeMap<TargetCode, Option<u64>>,
}

/// The scores of every target of the tally, in the order of `targets`.
///
/// `targets` and `groups` are the campaign's, in printed order; a target of which the tally holds nothing is left out.
///
/// # Errors
/// The tally does not hold together, or tally, tree, policy and campaign do not fit each other.
pub fn score(
    tally: &Tally,
    tree: &IndexTree,
    targets: &[ScoredTarget],
    policy: &Policy,
    groups: &[ScoredGroup],
) -> Result<Vec<TargetScore>, ScoreError> {
    tally.verify()?;
    check_tree(tree)?;
    check_policy(tree, policy, groups)?;
    if let Some(unknown) = tally.targets.keys().find(|code| !targets.iter().any(|target| target.code == **code)) {
        return Err(ScoreError::UnknownTarget(unknown.clone()));
    }
    let scene = Scene { tally, tree, policy };
    targets
        .iter()
        .filter_map(|target| Some((target, tally.targets.get(&target.code)?)))
        .map(|(target, tallies)| {
            let members = members(&target.code, tallies, groups)?;
            if target.has_tree {
                scene.with_tree(&target.code, &members)
            } else {
                Ok(scene.percent_only(&target.code, &members))
            }
        })
        .collect()
}

struct Scene<'a> {
    tally: &'a Tally,
    tree: &'a IndexTree,
    policy: &'a Policy,
}

impl<'a> Scene<'a> {
    fn with_tree(&self, target: &TargetCode, members: &[Member<'a>]) -> Result<TargetScore, ScoreError> {
        let in_tree: BTreeSet<_> = leaves(self.tree).flat_map(|leaf| &leaf.questions).map(|(code, _)| code).collect();
        for (group, tally) in members.iter().filter(|(group, _)| group.feeds) {
            if let Some(outside) = self.asked(tally).find(|table| !in_tree.contains(&table.code)) {
                return Err(ScoreError::QuestionOutsideTree {
                    group: group.code.clone(),
                    question: outside.code.clone(),
                });
            }
        }
        let mut sub_criteria = Vec::new();
        let mut areas = Vec::new();
        for area in self.tree.areas.iter().filter(|area| !area.sub_criteria.is_empty()) {
            let from = sub_criteria.len();
            for leaf in &area.sub_criteria {
                let fed = members.iter().filter(|(group, _)| group.feeds);
                let cells = fed.map(|member| self.group_cell(leaf, member)).collect();
                sub_criteria.push(self.sub_criterion(leaf, &area.code, cells)?);
            }
            let points = Quantity::sum(sub_criteria[from..].iter().map(|row: &SubCriterionScore| &row.points));
            let maximum = area.survey_maximum();
            let percent = percent_of(&points, &maximum);
            areas.push(AreaScore { code: area.code.clone(), maximum, points, percent });
        }
        let percent_in_tree = |member: &Member<'a>| {
            if self.asked(member.1).all(|table| in_tree.contains(&table.code)) {
                self.percent_by_maxima(member)
            } else {
                self.percent_by_questions(member.1)
            }
        };
        Ok(TargetScore {
            code: target.clone(),
            groups: members.iter().map(|member| group_score(target, member, percent_in_tree(member))).collect(),
            survey_points: Quantity::sum(areas.iter().map(|area| &area.points)),
            survey_maximum: areas.iter().map(|area| &area.maximum).sum(),
            sub_criteria,
            areas,
        })
    }

    fn percent_only(&self, target: &TargetCode, members: &[Member<'a>]) -> TargetScore {
        TargetScore {
            code: target.clone(),
            groups: members
                .iter()
                .map(|member| group_score(target, member, self.percent_by_questions(member.1)))
                .collect(),
            sub_criteria: Vec::new(),
            areas: Vec::new(),
            survey_points: Quantity::Without(Why::Absent),
            survey_maximum: Exact::zero(),
        }
    }

    /// The questions a group was asked. A withheld group shows none, so its questionnaire speaks for it.
    fn asked(&self, tally: &'a GroupTally) -> impl Iterator<Item = &'a QuestionTable> + use<'a> {
        let tables = self.tally.questionnaires.get(&tally.questionnaire);
        tables
            .into_iter()
            .flat_map(|tables| &tables.questions)
            .filter(|table| tally.hidden.is_some() || tally.questions.contains_key(&table.code))
    }

    fn group_cell(&self, leaf: &SubCriterion, (group, tally): &Member<'a>) -> GroupCell {
        let allowed = self.policy.asked.get(&leaf.code).is_none_or(|groups| groups.contains(&group.code));
        let mut weighted = Exact::zero();
        let mut weights = Exact::zero();
        let mut without = None;
        let mut questions = Vec::new();
        for (code, weight) in &leaf.questions {
            let table = self.asked(tally).find(|table| allowed && table.code == *code);
            let cell = question_cell(code, table, tally);
            match &cell.percent {
                Quantity::Value(percent) => {
                    weighted = &weighted + &(weight * percent);
                    weights = &weights + weight;
                }
                Quantity::Without(Why::NotAsked) => {}
                Quantity::Without(why @ (Why::Absent | Why::NotDeterminable | Why::Hidden)) => {
                    without = without.or(Some(*why));
                }
            }
            questions.push(cell);
        }
        let percent = match without {
            Some(why) => Quantity::Without(why),
            None => quotient(&weighted, &weights, Why::NotAsked),
        };
        GroupCell { code: group.code.clone(), weight: self.policy.weight(&group.code), percent, questions }
    }

    fn sub_criterion(
        &self,
        leaf: &SubCriterion,
        area: &AreaCode,
        groups: Vec<GroupCell>,
    ) -> Result<SubCriterionScore, ScoreError> {
        let mut renormalised_without = Vec::new();
        let percent = self.weighted_mean(leaf, &groups, &mut renormalised_without)?;
        Ok(SubCriterionScore {
            code: leaf.code.clone(),
            area: area.clone(),
            maximum: leaf.maximum.clone(),
            points: percent.map(|percent| &leaf.maximum * percent / 100),
            percent,
            renormalised_without,
            groups,
        })
    }

    fn weighted_mean(
        &self,
        leaf: &SubCriterion,
        cells: &[GroupCell],
        left_out: &mut Vec<GroupCode>,
    ) -> Result<Quantity, ScoreError> {
        let asked: Vec<_> = cells.iter().filter(|cell| cell.percent != Quantity::Without(Why::NotAsked)).collect();
        if asked.is_empty() {
            return Ok(Quantity::Without(Why::NotAsked));
        }
        // A group that weighs nothing cannot make a mean undeterminable.
        let weighing: Vec<_> = asked.into_iter().filter(|cell| !cell.weight.is_zero()).collect();
        if weighing.is_empty() {
            return Err(ScoreError::WeightsOfNobody(leaf.code.clone()));
        }
        let mut weighted = Exact::zero();
        let mut weights = Exact::zero();
        for cell in weighing {
            match (&cell.percent, self.policy.empty_group) {
                (Quantity::Value(percent), EmptyGroup::NotDeterminable | EmptyGroup::Renormalise) => {
                    weighted = &weighted + &(&cell.weight * percent);
                    weights = &weights + &cell.weight;
                }
                (Quantity::Without(Why::NotDeterminable), EmptyGroup::Renormalise) => left_out.push(cell.code.clone()),
                (Quantity::Without(why), EmptyGroup::NotDeterminable | EmptyGroup::Renormalise) => {
                    left_out.clear();
                    return Ok(Quantity::Without(*why));
                }
            }
        }
        Ok(quotient(&weighted, &weights, Why::NotDeterminable))
    }

    /// Σ maximum × percent / Σ maximum over the sub-criteria the group was asked.
    fn percent_by_maxima(&self, member: &Member<'a>) -> Quantity {
        let mut weighted = Exact::zero();
        let mut maxima = Exact::zero();
        for leaf in leaves(self.tree) {
            match self.group_cell(leaf, member).percent {
                Quantity::Value(percent) => {
                    weighted = &weighted + &(&leaf.maximum * &percent);
                    maxima = &maxima + &leaf.maximum;
                }
                Quantity::Without(Why::NotAsked) => {}
                Quantity::Without(why @ (Why::Absent | Why::NotDeterminable | Why::Hidden)) => {
                    return Quantity::Without(why);
                }
            }
        }
        quotient(&weighted, &maxima, Why::NotAsked)
    }

    fn percent_by_questions(&self, tally: &'a GroupTally) -> Quantity {
        let percents: Vec<_> =
            self.asked(tally).map(|table| question_cell(&table.code, Some(table), tally).percent).collect();
        match Quantity::sum(&percents) {
            Quantity::Value(sum) => quotient(&sum, &Exact::from(percents.len() as u64), Why::NotAsked),
            Quantity::Without(why) => Quantity::Without(why),
        }
    }
}

fn group_score(target: &TargetCode, (group, tally): &Member<'_>, percent: Quantity) -> GroupScore {
    GroupScore {
        code: group.code.clone(),
        frame: group.frame.get(target).copied().flatten(),
        ballots: tally.ballots,
        feeds: group.feeds,
        percent,
    }
}
