//! From a tally to points: counts → percents → weights → points, in exact fractions (docs/output.md, `score`).

use serde::Serialize;
use std::collections::BTreeMap;

use crate::code::{AreaCode, GroupCode, OptionCode, QuestionCode, SubCriterionCode, TargetCode};
use crate::exact::{Exact, Quantity};

/// The score of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetScore {
    /// The target.
    pub code: TargetCode,
    /// Every group of the target, in the campaign's order.
    pub groups: Vec<GroupScore>,
    /// Every survey sub-criterion in printed order; empty for a target without a tree.
    pub sub_criteria: Vec<SubCriterionScore>,
    /// Survey points per area, for areas that the survey scores.
    pub areas: Vec<AreaScore>,
    /// The sum over the areas; `Without(Absent)` for a target without a tree.
    pub survey_points: Quantity,
    /// The sum of the sub-criteria's maxima.
    pub survey_maximum: Exact,
}

/// What one group gave one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupScore {
    /// The group.
    pub code: GroupCode,
    /// Seats in the frame, if known.
    pub frame: Option<u64>,
    /// Ballots opened.
    pub ballots: u64,
    /// Whether the group feeds the points.
    pub feeds: bool,
    /// Σ maximum × percent / Σ maximum over the questions it was asked; questions weigh equally without a tree.
    pub percent: Quantity,
}

/// The score of one sub-criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SubCriterionScore {
    /// The sub-criterion.
    pub code: SubCriterionCode,
    /// Its area.
    pub area: AreaCode,
    /// Maximum points.
    pub maximum: Exact,
    /// Maximum × percent / 100.
    pub points: Quantity,
    /// Weighted mean of the percents of the groups asked.
    pub percent: Quantity,
    /// Groups whose weight was left out under `empty_group = renormalise`.
    pub renormalised_without: Vec<GroupCode>,
    /// The feeding groups.
    pub groups: Vec<GroupCell>,
}

/// One group's part of one sub-criterion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupCell {
    /// The group.
    pub code: GroupCode,
    /// Its weight under the policy, before normalising.
    pub weight: Exact,
    /// Mean percent over its questions; `NotAsked` when the group was not asked.
    pub percent: Quantity,
    /// The questions of the sub-criterion, with counts.
    pub questions: Vec<QuestionCell>,
}

/// One group's answers to one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuestionCell {
    /// The question.
    pub code: QuestionCode,
    /// Mean percent of the substantive answers.
    pub percent: Quantity,
    /// Ballots per option; `None` when hidden or not asked.
    pub counts: Option<BTreeMap<OptionCode, u64>>,
    /// Percent each option is worth.
    pub option_percents: BTreeMap<OptionCode, Exact>,
    /// Ballots with "no opinion".
    pub no_opinion: Option<u64>,
    /// Ballots left blank by the respondent.
    pub blank: Option<u64>,
    /// Why the numbers are null.
    pub hidden: Option<String>,
}

/// Survey points of one area.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaScore {
    /// The area.
    pub code: AreaCode,
    /// Maximum survey points.
    pub maximum: Exact,
    /// The sum of its sub-criteria.
    pub points: Quantity,
    /// Points / maximum, in percent.
    pub percent: Quantity,
}

/// The index of one target: appraisal + survey + SIPAS, by area and in all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetIndex {
    /// The target.
    pub code: TargetCode,
    /// Every area in printed order.
    pub areas: Vec<AreaIndex>,
    /// The sums.
    pub total: AreaIndex,
}

/// One row of the eight-area table; in the total row `code` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AreaIndex {
    /// The area, or `None` for the total.
    pub code: Option<AreaCode>,
    /// Appraisal points; `Without(Absent)` where the council gives none (maximum zero) or none were imported.
    pub appraisal: Quantity,
    /// Their maximum.
    pub appraisal_maximum: Exact,
    /// Survey points; `Without(Absent)` where the area has no survey part.
    pub survey: Quantity,
    /// Their maximum.
    pub survey_maximum: Exact,
    /// SIPAS points; `Without(Absent)` where the area has none.
    pub sipas: Quantity,
    /// Their maximum.
    pub sipas_maximum: Exact,
    /// The sum of the parts that exist; not determinable if an existing part has no value.
    pub points: Quantity,
    /// Maximum of all parts.
    pub maximum: Exact,
    /// Points / maximum, in percent.
    pub percent: Quantity,
}
