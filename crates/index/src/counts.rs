//! The tally: integer counts of opened ballots, the only form in which answers leave a box.
//!
//! A tally names no person, form, unit or time. It carries the option tables it was counted with, so that a
//! score needs nothing else. Counts and second moments merge by addition: chunks and machines can each count a part.
//! The producer is the `tally` crate; this module only says what the numbers mean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::{GroupCode, OptionCode, QuestionCode, QuestionnaireCode, TargetCode};

/// The version of the tally file this program writes and reads.
pub const TALLY_FORMAT: u32 = 1;

/// Counts of all opened ballots of one campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// [`TALLY_FORMAT`].
    pub format: u32,
    /// The campaign's id.
    pub campaign: String,
    /// Whether sample inputs made it.
    pub synthetic: bool,
    /// The smallest group whose counts are released (k).
    pub k: u64,
    /// SHA-256 (hex) of the box file that was opened; `None` when a file of answers was counted.
    pub box_sha256: Option<String>,
    /// Ballots of that box that could not be read and were accepted as lost.
    pub unreadable: u64,
    /// The questionnaires the ballots were given on, by code.
    pub questionnaires: BTreeMap<QuestionnaireCode, OptionTables>,
    /// Counts, target × group.
    pub targets: BTreeMap<TargetCode, BTreeMap<GroupCode, GroupTally>>,
}

/// The frozen option tables of one questionnaire version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionTables {
    /// The version, counted from 1; a correction after the first invitation makes the next one.
    pub version: u32,
    /// The questions in shown order.
    pub questions: Vec<QuestionTable>,
}

/// The options of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionTable {
    /// The question.
    pub code: QuestionCode,
    /// The common denominator of this question's percents: an option's percent is `percent_numerator / denominator`.
    pub denominator: i64,
    /// The substantive options in shown order. "No opinion" is not among them.
    pub options: Vec<OptionPercent>,
}

/// What one option is worth.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionPercent {
    /// The option.
    pub code: OptionCode,
    /// Percent of the maximum (0–100) times the question's denominator.
    pub percent_numerator: i64,
}

/// The ballots of one target × group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupTally {
    /// Ballots opened, of every questionnaire version.
    pub ballots: u64,
    /// The questionnaire the group was given.
    pub questionnaire: QuestionnaireCode,
    /// Why the counts are not shown (fewer than k ballots), or `None`; then `questions`, `pairs` and `shape` are empty.
    pub hidden: Option<String>,
    /// Counts per question asked, keyed by question. A question not asked of the group is not a key.
    pub questions: BTreeMap<QuestionCode, QuestionCounts>,
    /// Second moments per unordered pair of questions, in shown order, `a` before `b`; `a = b` is included.
    pub pairs: Vec<PairMoments>,
    /// Histograms that moments cannot give.
    pub shape: ShapeCounts,
}

/// Counts of one question in one target × group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuestionCounts {
    /// Ballots per substantive option; every option of the table is a key.
    pub options: BTreeMap<OptionCode, u64>,
    /// Ballots that chose "no opinion".
    pub no_opinion: u64,
    /// Ballots on which the respondent left the question blank.
    pub blank: u64,
}

impl QuestionCounts {
    /// Ballots with a substantive option.
    #[must_use]
    pub fn substantive(&self) -> u64 {
        self.options.values().sum()
    }
}

/// Second moments of two questions over ballots substantive in both; x and y are percent numerators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairMoments {
    /// The first question, x.
    pub a: QuestionCode,
    /// The second question, y.
    pub b: QuestionCode,
    /// Ballots that answered both, "no opinion" included.
    pub answered_both: u64,
    /// Ballots with a substantive option in both: the n of the sums below.
    pub substantive_both: u64,
    /// Σx.
    pub sum_x: i64,
    /// Σy.
    pub sum_y: i64,
    /// Σx².
    pub sum_xx: i64,
    /// Σy².
    pub sum_yy: i64,
    /// Σxy.
    pub sum_xy: i64,
}

/// How whole ballots look, as histograms: `value → ballots`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShapeCounts {
    /// Longest run of the same option in shown order → ballots.
    pub longest_run: BTreeMap<u32, u64>,
    /// Within-person variance of the option percents, as an exact fraction `n/d` → ballots.
    pub variance: BTreeMap<String, u64>,
    /// Number of ballots that share one answer vector → number of ballots in such sets.
    pub copies: BTreeMap<u64, u64>,
}
