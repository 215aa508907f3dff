//! What other policies would give: the same tally and arithmetic under other weights.
//!
//! Only weights vary; who was asked what and the treatment of empty groups stay as declared.

use std::collections::BTreeMap;

use crate::cells::percent_of;
use crate::code::{GroupCode, TargetCode};
use crate::counts::Tally;
use crate::exact::{Exact, Quantity};
use crate::policy::Policy;
use crate::scoring::{ScoreError, ScoredGroup, ScoredTarget, score};
use crate::tree::IndexTree;

/// How the groups are weighted in one line of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    /// As the policy declares.
    Declared,
    /// Every group weighs the same.
    Equal,
    /// Every group weighs as many as its opened ballots.
    Headcount,
}

impl Weighting {
    /// The word used in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Weighting::Declared => "declared",
            Weighting::Equal => "equal",
            Weighting::Headcount => "headcount",
        }
    }
}

/// What one weighting gives one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// The weighting.
    pub weighting: Weighting,
    /// The weights of the feeding groups, before normalising.
    pub weights: BTreeMap<GroupCode, Exact>,
    /// Survey points.
    pub survey_points: Quantity,
    /// Survey points in percent of their maximum.
    pub survey_percent: Quantity,
}

/// The declared policy and what other weights would give `target`, which has the tree.
///
/// # Errors
/// As [`score`]. A weighting under which every group asked weighs zero is left out instead, unless it is the declared one.
pub fn sensitivity(
    tally: &Tally,
    tree: &IndexTree,
    target: &TargetCode,
    policy: &Policy,
    groups: &[ScoredGroup],
) -> Result<Vec<Alternative>, ScoreError> {
    let Some(tallies) = tally.targets.get(target) else {
        return Err(ScoreError::UnknownTarget(target.clone()));
    };
    let mut alone = tally.clone();
    alone.targets.retain(|code, _| code == target);
    let targets = [ScoredTarget { code: target.clone(), has_tree: true }];
    let mut alternatives = Vec::new();
    for weighting in [Weighting::Declared, Weighting::Equal, Weighting::Headcount] {
        let feeding = groups.iter().filter(|group| group.feeds && group.frame.contains_key(target));
        let weights: BTreeMap<_, _> = feeding
            .map(|group| {
                let ballots = tallies.get(&group.code).map_or(0, |tally| tally.ballots);
                let weight = match weighting {
                    Weighting::Declared => policy.weight(&group.code),
                    Weighting::Equal => Exact::one(),
                    Weighting::Headcount => Exact::from(ballots),
                };
                (group.code.clone(), weight)
            })
            .collect();
        let other = Policy { weights: weights.clone(), ..policy.clone() };
        match (score(&alone, tree, &targets, &other, groups), weighting) {
            (Ok(scores), _) => alternatives.extend(scores.into_iter().map(|score| Alternative {
                weighting,
                weights: weights.clone(),
                survey_percent: percent_of(&score.survey_points, &score.survey_maximum),
                survey_points: score.survey_points,
            })),
            (Err(ScoreError::WeightsOfNobody(_)), Weighting::Equal | Weighting::Headcount) => {}
            (Err(error), _) => return Err(error),
        }
    }
    Ok(alternatives)
}
