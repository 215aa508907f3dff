//! The criteria tree of one year: areas, sub-criteria, maxima. Data with a year, never constants in code.
//!
//! Maxima change between years and rows appear later, so a history row has its own maximum and may be absent.

use std::collections::BTreeMap;

use crate::code::{AreaCode, GroupCode, QuestionCode, SubCriterionCode, TargetCode};
use crate::exact::Exact;

/// A text in the two languages of the program.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Text {
    /// Vietnamese.
    pub vi: String,
    /// English.
    pub en: String,
}

/// The tree of one year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexTree {
    /// The year that is rated.
    pub year: i16,
    /// The areas in printed order.
    pub areas: Vec<Area>,
    /// The percent each survey sub-criterion is meant to exceed (plan), if a plan names one.
    pub goal: Option<Goal>,
}

/// A plan's target for every survey sub-criterion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Percent, 0–100.
    pub percent: Exact,
    /// The document that sets it, such as `170/KH-UBND`.
    pub source: String,
}

/// One area (lĩnh vực).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// The code, such as `5`.
    pub code: AreaCode,
    /// The name.
    pub name: Text,
    /// Maximum points by the appraisal council; zero where it gives none.
    pub appraisal_maximum: Exact,
    /// Maximum points imported from SIPAS; zero where none.
    pub sipas_maximum: Exact,
    /// The sub-criteria scored by the survey, in printed order.
    pub sub_criteria: Vec<SubCriterion>,
}

impl Area {
    /// Maximum survey points of the area.
    #[must_use]
    pub fn survey_maximum(&self) -> Exact {
        self.sub_criteria.iter().map(|leaf| &leaf.maximum).sum()
    }

    /// Maximum points of the area from every source.
    #[must_use]
    pub fn maximum(&self) -> Exact {
        &(&self.appraisal_maximum + &self.sipas_maximum) + &self.survey_maximum()
    }
}

/// One sub-criterion that the survey scores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubCriterion {
    /// The code, such as `5.7.4`.
    pub code: SubCriterionCode,
    /// The name as printed.
    pub name: Text,
    /// Maximum points this year.
    pub maximum: Exact,
    /// The questions that make it, with their weights within it (equal unless declared).
    pub questions: Vec<(QuestionCode, Exact)>,
    /// The agency answerable for it, if the campaign names one.
    pub agency: Option<Text>,
}

/// Points of earlier years as printed, imported and never recomputed: sub-criterion → year → points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// A missing year is absent, not zero.
    pub rows: BTreeMap<SubCriterionCode, BTreeMap<i16, PastPoints>>,
    /// Figures of earlier years by name, such as `survey_points`: name → year → value as printed.
    pub headline: BTreeMap<String, BTreeMap<i16, Exact>>,
}

/// A printed score of an earlier year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastPoints {
    /// Points as printed.
    pub points: Exact,
    /// The maximum that year.
    pub maximum: Exact,
}

/// Points that come from outside the survey, for one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedPoints {
    /// Appraisal points per area.
    pub appraisal: BTreeMap<AreaCode, Exact>,
    /// SIPAS points per area.
    pub sipas: BTreeMap<AreaCode, Exact>,
    /// Whether any of them are sample values.
    pub synthetic: bool,
}

/// Ranks that were published and are never overwritten: target × group → (rank, of how many).
pub type OfficialRanks = BTreeMap<(TargetCode, GroupCode), (u32, u32)>;
