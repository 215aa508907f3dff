//! The counts of the question on how the form came to be answered, apart from every other count.
//!
//! They are made for the holder of the box's key alone. They are no part of the tally, so nothing that goes back to the
//! department holds them, and they are per target only: beside a group or an answer they could point at people.

use std::collections::BTreeMap;

use parsurvey_index::code::{OptionCode, TargetCode};
use parsurvey_survey::ballot::{BLANK, Ballot, Codebook};
use serde::Serialize;

/// Counts of one box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PressureCounts {
    /// The version of this shape.
    pub format: u32,
    /// The campaign's id.
    pub campaign: String,
    /// SHA-256 (hex) of the box.
    pub box_sha256: String,
    /// The smallest number of ballots of a target whose counts are told.
    pub k: u64,
    /// Per target; `None` where fewer than `k` ballots came.
    pub targets: BTreeMap<TargetCode, Option<TargetPressure>>,
}

/// Counts of one target, in ballots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetPressure {
    /// Ballots in the box.
    pub ballots: u64,
    /// Of these, without an answer to the question.
    pub blank: u64,
    /// How often each option was chosen.
    pub chosen: BTreeMap<OptionCode, u64>,
}

/// Counts the opened ballots of a box; `None` where the campaign did not ask.
#[must_use]
pub fn count_pressure(codebook: &Codebook, box_sha256: &str, ballots: &[Ballot]) -> Option<PressureCounts> {
    let options = codebook.pressure.as_ref()?;
    let none =
        || TargetPressure { ballots: 0, blank: 0, chosen: options.iter().map(|option| (option.clone(), 0)).collect() };
    let mut counts: BTreeMap<TargetCode, TargetPressure> =
        codebook.targets.iter().map(|target| (target.clone(), none())).collect();
    for ballot in ballots {
        let of_target = counts.entry(ballot.target.clone()).or_insert_with(none);
        of_target.ballots += 1;
        match options.get(usize::from(ballot.pressure).wrapping_sub(1)) {
            Some(option) => *of_target.chosen.entry(option.clone()).or_default() += 1,
            None => of_target.blank += u64::from(ballot.pressure == BLANK),
        }
    }
    let told = |counts: TargetPressure| (counts.ballots >= codebook.k).then_some(counts);
    Some(PressureCounts {
        format: 1,
        campaign: codebook.campaign.clone(),
        box_sha256: box_sha256.to_owned(),
        k: codebook.k,
        targets: counts.into_iter().map(|(target, counts)| (target, told(counts))).collect(),
    })
}
