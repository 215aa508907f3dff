//! The scoring policy: how group percents become points. Declared by the campaign, never in code.

use std::collections::{BTreeMap, BTreeSet};

use crate::code::{GroupCode, SubCriterionCode};
use crate::exact::Exact;

/// A named, versioned policy. Every result says which one made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The policy's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The weight of each group; a group without an entry weighs 1.
    pub weights: BTreeMap<GroupCode, Exact>,
    /// What happens when a group that was asked has no substantive answer.
    pub empty_group: EmptyGroup,
    /// Which groups are asked each sub-criterion, where the policy narrows what the questionnaires say.
    /// A sub-criterion without an entry is asked of every group whose questionnaire holds its questions.
    pub asked: BTreeMap<SubCriterionCode, BTreeSet<GroupCode>>,
}

impl Policy {
    /// The weight of `group`.
    #[must_use]
    pub fn weight(&self, group: &GroupCode) -> Exact {
        self.weights.get(group).cloned().unwrap_or_else(Exact::one)
    }
}

/// What a group that was asked, and has no substantive answer, does to its sub-criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyGroup {
    /// The sub-criterion and every sum above it have no value.
    NotDeterminable,
    /// The other groups' weights are used alone; the result says so.
    Renormalise,
}
