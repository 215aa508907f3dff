//! Everything a report needs, in one value. The caller computes it; this crate only writes it down.
//!
//! Nothing here is a person: no name, no address, no form number.

use parsurvey_index::code::{AreaCode, GroupCode, SubCriterionCode, TargetCode};
use parsurvey_index::exact::{Quantity, Why};
use parsurvey_index::policy::Policy;
use parsurvey_index::score::{TargetIndex, TargetScore};
use parsurvey_index::sensitivity::Alternative;
use parsurvey_index::tree::{Area, History, IndexTree, OfficialRanks, SubCriterion, Text};
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::status::Status;

use crate::lang::text;
use crate::number;

/// The results of one campaign.
#[derive(Debug, Clone)]
pub struct Results {
    /// The campaign's id.
    pub campaign: String,
    /// Its title.
    pub title: Text,
    /// The body that runs the survey.
    pub organiser: Text,
    /// The year that is rated.
    pub year: i16,
    /// The moment the document speaks of, RFC 3339 in the campaign's zone. Documents of the same results and moment are the same bytes.
    pub generated_at: String,
    /// Whether sample inputs made any of it.
    pub synthetic: bool,
    /// Whether the results have been released.
    pub released: bool,
    /// The policy that made the points.
    pub policy: Policy,
    /// What each target would get under other weights, the declared ones included.
    pub alternatives: Vec<(TargetCode, Alternative)>,
    /// Every input, named by its hash.
    pub inputs: Vec<Input>,
    /// The rated bodies in printed order.
    pub targets: Vec<TargetResults>,
    /// The year's tree: names of areas and sub-criteria, responsible agencies, goal.
    pub tree: IndexTree,
    /// The respondent groups in printed order.
    pub groups: Vec<GroupName>,
    /// Published ranks.
    pub official_ranks: OfficialRanks,
    /// The response status by group; `None` when no ledger was read.
    pub status: Option<Status>,
}

/// The results of one rated body.
#[derive(Debug, Clone)]
pub struct TargetResults {
    /// The code.
    pub code: TargetCode,
    /// The name.
    pub name: Text,
    /// The score.
    pub score: TargetScore,
    /// The index; `None` for a body without a tree, which is shown apart and in percent only.
    pub index: Option<TargetIndex>,
    /// Printed figures of earlier years.
    pub history: History,
}

/// A respondent group as reports name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupName {
    /// The code.
    pub code: GroupCode,
    /// The name.
    pub name: Text,
    /// Whether its seats are in the headline.
    pub counted: bool,
}

/// An input by path and hash.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Input {
    /// The path as the operator gave it, or within the campaign folder.
    pub path: String,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// What the campaign folder does not know: what came out, and when.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The policy that made the points (the campaign's, or another one given by hand).
    pub policy: Policy,
    /// Scores, one per target.
    pub scores: Vec<TargetScore>,
    /// Indices, one per target with a tree.
    pub indices: Vec<TargetIndex>,
    /// What each target would get under other weights, the declared ones included.
    pub alternatives: Vec<(TargetCode, Alternative)>,
    /// Inputs besides the campaign folder: answers file, tally, roster.
    pub inputs: Vec<Input>,
    /// Whether sample inputs made any of it; a sample campaign is synthetic in any case.
    pub synthetic: bool,
    /// Whether the results have been released.
    pub released: bool,
    /// The response status by group.
    pub status: Option<Status>,
    /// The moment, RFC 3339 in the campaign's zone.
    pub generated_at: String,
}

impl Results {
    /// The results of `campaign`. A target without a score is left out.
    #[must_use]
    pub fn new(campaign: &Campaign, outcome: Outcome) -> Self {
        let folder = campaign.files.iter().map(|(path, sha256)| Input { path: path.clone(), sha256: sha256.clone() });
        let inputs = folder.chain(outcome.inputs).collect();
        let imported_synthetic = campaign.imported.values().any(|points| points.synthetic);
        let targets = campaign.targets.iter().filter_map(|target| {
            Some(TargetResults {
                code: target.code.clone(),
                name: target.name.clone(),
                score: outcome.scores.iter().find(|score| score.code == target.code)?.clone(),
                index: outcome.indices.iter().find(|index| index.code == target.code).cloned(),
                history: campaign.history.get(&target.code).cloned().unwrap_or_default(),
            })
        });
        Self {
            campaign: campaign.id.clone(),
            title: campaign.title.clone(),
            organiser: campaign.sender.organiser.clone(),
            year: campaign.year,
            generated_at: outcome.generated_at,
            synthetic: outcome.synthetic || campaign.sample || imported_synthetic,
            released: outcome.released,
            policy: outcome.policy,
            alternatives: outcome.alternatives,
            inputs,
            targets: targets.collect(),
            tree: campaign.tree.clone(),
            groups: campaign
                .groups
                .iter()
                .map(|group| GroupName { code: group.code.clone(), name: group.name.clone(), counted: group.counted })
                .collect(),
            official_ranks: campaign.official_ranks.clone(),
            status: outcome.status,
        }
    }

    /// What must stand on whatever shows these results: that they are a synthetic sample, that they are not released.
    /// Commands print it above their tables.
    #[must_use]
    pub fn marks(&self) -> Vec<Text> {
        let synthetic = self.synthetic.then(|| text("SỐ LIỆU GIẢ ĐỊNH", "SYNTHETIC SAMPLE"));
        let unreleased = (!self.released).then(|| text("CHƯA CÔNG BỐ", "NOT RELEASED"));
        synthetic.into_iter().chain(unreleased).collect()
    }

    /// The targets that have an index.
    pub fn indexed(&self) -> impl Iterator<Item = &TargetResults> {
        self.targets.iter().filter(|target| target.index.is_some())
    }

    /// The targets that are scored in percent only.
    pub fn others(&self) -> impl Iterator<Item = &TargetResults> {
        self.targets.iter().filter(|target| target.index.is_none())
    }

    /// The name of a group; its code where the campaign does not know it.
    #[must_use]
    pub fn group_name(&self, code: &GroupCode) -> Text {
        let known = self.groups.iter().find(|group| group.code == *code);
        known.map_or_else(|| text(code.as_str(), code.as_str()), |group| group.name.clone())
    }

    /// The area with this code.
    #[must_use]
    pub fn area(&self, code: &AreaCode) -> Option<&Area> {
        self.tree.areas.iter().find(|area| area.code == *code)
    }

    /// The sub-criterion with this code.
    #[must_use]
    pub fn sub_criterion(&self, code: &SubCriterionCode) -> Option<&SubCriterion> {
        self.tree.areas.iter().flat_map(|area| &area.sub_criteria).find(|leaf| leaf.code == *code)
    }

    /// Whether a percent misses the goal. The plan asks for more than its percent, so the percent itself misses it;
    /// the exact value decides, not the printed one.
    #[must_use]
    pub fn misses_goal(&self, percent: &Quantity) -> bool {
        match (&self.tree.goal, percent) {
            (Some(goal), Quantity::Value(value)) => *value <= goal.percent,
            (None, Quantity::Value(_) | Quantity::Without(_)) | (Some(_), Quantity::Without(_)) => false,
        }
    }
}

impl TargetResults {
    /// Survey points in percent of their maximum.
    #[must_use]
    pub fn survey_percent(&self) -> Quantity {
        number::percent_of(&self.score.survey_points, &self.score.survey_maximum)
    }

    /// A printed figure of an earlier year by its name in the history.
    #[must_use]
    pub fn past(&self, figure: &str, year: i16) -> Quantity {
        let printed = self.history.headline.get(figure).and_then(|years| years.get(&year));
        printed.map_or(Quantity::Without(Why::Absent), |value| Quantity::Value(value.clone()))
    }
}

/// `now − before`; without a value as soon as one of them is, for that one's reason.
#[must_use]
pub fn change(now: &Quantity, before: &Quantity) -> Quantity {
    match (now, before) {
        (Quantity::Value(now), Quantity::Value(before)) => Quantity::Value(now - before),
        (Quantity::Without(why), Quantity::Value(_) | Quantity::Without(_))
        | (Quantity::Value(_), Quantity::Without(why)) => Quantity::Without(*why),
    }
}
