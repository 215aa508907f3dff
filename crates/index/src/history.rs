//! Comparison with earlier years as printed. A row that did not exist is absent, never zero.
//!
//! Points are compared only where the maximum is the same; otherwise percents are. Nothing of earlier years is recomputed.

use std::collections::BTreeSet;

use crate::code::SubCriterionCode;
use crate::exact::{Exact, Quantity, Why};
use crate::score::{SubCriterionScore, TargetScore};
use crate::tree::{History, PastPoints};

/// What changed since an earlier year; positive is better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The maximum is the same: the difference in points.
    Points(Exact),
    /// The maximum changed: the difference in percentage points.
    PercentPoints(Exact),
    /// No comparison: the row is absent that year, or has no value now.
    Without(Why),
}

/// One sub-criterion compared with one earlier year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedRow {
    /// The sub-criterion.
    pub code: SubCriterionCode,
    /// The printed points of the earlier year, if it had the row.
    pub earlier: Option<PastPoints>,
    /// Points in percent of that year's maximum.
    pub earlier_percent: Quantity,
    /// The change since then.
    pub change: Change,
}

/// Every sub-criterion of `score`, in printed order, compared with `year`.
#[must_use]
pub fn compare(score: &TargetScore, history: &History, year: i16) -> Vec<ComparedRow> {
    score
        .sub_criteria
        .iter()
        .map(|row| {
            let earlier = history.rows.get(&row.code).and_then(|years| years.get(&year)).cloned();
            ComparedRow {
                code: row.code.clone(),
                earlier_percent: earlier.as_ref().map_or(Quantity::Without(Why::Absent), past_percent),
                change: change(row, earlier.as_ref()),
                earlier,
            }
        })
        .collect()
}

/// The years of which the history has a row, ascending.
#[must_use]
pub fn years(history: &History) -> BTreeSet<i16> {
    history.rows.values().flat_map(|years| years.keys().copied()).collect()
}

/// What changed between the printed points of an earlier year and the exact points of now.
#[must_use]
pub fn change(now: &SubCriterionScore, earlier: Option<&PastPoints>) -> Change {
    let Some(earlier) = earlier else {
        return Change::Without(Why::Absent);
    };
    let same_maximum = earlier.maximum == now.maximum;
    let (value, before) =
        if same_maximum { (&now.points, earlier.points.clone().into()) } else { (&now.percent, past_percent(earlier)) };
    match (value, before) {
        (Quantity::Value(value), Quantity::Value(before)) if same_maximum => Change::Points(value - &before),
        (Quantity::Value(value), Quantity::Value(before)) => Change::PercentPoints(value - &before),
        (Quantity::Without(why), _) => Change::Without(*why),
        (Quantity::Value(_), Quantity::Without(why)) => Change::Without(why),
    }
}

fn past_percent(earlier: &PastPoints) -> Quantity {
    crate::cells::percent_of(&Quantity::Value(earlier.points.clone()), &earlier.maximum)
}
