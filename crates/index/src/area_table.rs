//! The index of a target: appraisal, survey and SIPAS points by area, and their total.
//!
//! Appraisal and SIPAS points come in as points and are never computed here, nor checked against their maxima:
//! that is the campaign folder's check.

use crate::cells::percent_of;
use crate::code::AreaCode;
use crate::exact::{Exact, Quantity, Why};
use crate::score::{AreaIndex, TargetIndex, TargetScore};
use crate::tree::{Area, ImportedPoints, IndexTree};

/// The table of areas of one target, with its total row.
///
/// A part exists where its maximum is above zero. A part that exists and has no value leaves the row, and the total,
/// without one: for the survey's reason, or as not determinable where nothing was imported.
#[must_use]
pub fn index_points(score: &TargetScore, tree: &IndexTree, imported: &ImportedPoints) -> TargetIndex {
    let areas: Vec<_> = tree.areas.iter().map(|area| row(area, score, imported)).collect();
    let total = total(&areas);
    TargetIndex { code: score.code.clone(), areas, total }
}

fn row(area: &Area, score: &TargetScore, imported: &ImportedPoints) -> AreaIndex {
    let survey = score.areas.iter().find(|row| row.code == area.code).map(|row| row.points.clone());
    let parts = [
        (imported.appraisal.get(&area.code).cloned().map(Quantity::Value), area.appraisal_maximum.clone()),
        (survey, area.survey_maximum()),
        (imported.sipas.get(&area.code).cloned().map(Quantity::Value), area.sipas_maximum.clone()),
    ]
    .map(|(points, maximum)| Part {
        points: points.filter(|_| !maximum.is_zero()).unwrap_or(Quantity::Without(Why::Absent)),
        maximum,
    });
    from_parts(Some(area.code.clone()), parts)
}

/// The total row: each part is the sum over the areas in which it exists.
fn total(areas: &[AreaIndex]) -> AreaIndex {
    let column = |points: fn(&AreaIndex) -> &Quantity, maximum: fn(&AreaIndex) -> &Exact| {
        let rows = || areas.iter().filter(|row| !maximum(row).is_zero());
        let sum = Quantity::sum(rows().map(points));
        Part {
            points: if rows().next().is_none() { Quantity::Without(Why::Absent) } else { sum },
            maximum: rows().map(maximum).sum(),
        }
    };
    from_parts(
        None,
        [
            column(|row| &row.appraisal, |row| &row.appraisal_maximum),
            column(|row| &row.survey, |row| &row.survey_maximum),
            column(|row| &row.sipas, |row| &row.sipas_maximum),
        ],
    )
}

struct Part {
    points: Quantity,
    maximum: Exact,
}

fn from_parts(code: Option<AreaCode>, parts: [Part; 3]) -> AreaIndex {
    let existing = parts.iter().filter(|part| !part.maximum.is_zero()).map(|part| &part.points);
    let points = match Quantity::sum(existing) {
        Quantity::Without(Why::Absent) => Quantity::Without(Why::NotDeterminable),
        sum @ (Quantity::Value(_) | Quantity::Without(Why::NotAsked | Why::NotDeterminable | Why::Hidden)) => sum,
    };
    let maximum: Exact = parts.iter().map(|part| &part.maximum).sum();
    let percent = percent_of(&points, &maximum);
    let [appraisal, survey, sipas] = parts;
    AreaIndex {
        code,
        appraisal: appraisal.points,
        appraisal_maximum: appraisal.maximum,
        survey: survey.points,
        survey_maximum: survey.maximum,
        sipas: sipas.points,
        sipas_maximum: sipas.maximum,
        points,
        maximum,
        percent,
    }
}
