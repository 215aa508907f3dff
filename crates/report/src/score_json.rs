//! The JSON contract of `score` and `index` (docs/output.md), format 1.
//!
//! Keys are added only together with a higher format number, except keys that are absent in the ordinary case.
//! Every number is a quantity or an integer; there is no float to parse.

use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::score::{AreaIndex, GroupCell, QuestionCell, SubCriterionScore, TargetIndex, TargetScore};
use serde_json::{Map, Value, json};

use crate::results::Results;
use crate::table::quantity_json as quantity;

/// The version of the contract.
pub const FORMAT: u32 = 1;

/// What `score --format json` prints.
#[must_use]
pub fn score_json(results: &Results) -> Value {
    envelope(results, results.targets.iter().map(|target| target_score(&target.score)).collect())
}

/// What `index --format json` prints: the same envelope around each target's areas and total.
#[must_use]
pub fn index_json(results: &Results) -> Value {
    let indices = results.targets.iter().filter_map(|target| target.index.as_ref());
    envelope(results, indices.map(target_index).collect())
}

fn envelope(results: &Results, targets: Vec<Value>) -> Value {
    json!({
        "format": FORMAT,
        "policy": { "name": results.policy.name, "version": results.policy.version },
        "inputs": results.inputs,
        "synthetic": results.synthetic,
        "released": results.released,
        "targets": targets,
    })
}

fn target_score(score: &TargetScore) -> Value {
    let groups = score.groups.iter().map(|group| {
        json!({ "code": group.code, "frame": group.frame, "ballots": group.ballots, "percent": quantity(&group.percent) })
    });
    let areas = score.areas.iter().map(|area| {
        json!({
            "code": area.code,
            "maximum": exact(&area.maximum),
            "points": quantity(&area.points),
            "percent": quantity(&area.percent),
        })
    });
    json!({
        "code": score.code,
        "groups": groups.collect::<Vec<_>>(),
        "sub_criteria": score.sub_criteria.iter().map(sub_criterion).collect::<Vec<_>>(),
        "areas": areas.collect::<Vec<_>>(),
        "survey_points": quantity(&score.survey_points),
    })
}

fn sub_criterion(score: &SubCriterionScore) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), json!(score.code));
    object.insert("maximum".into(), exact(&score.maximum));
    object.insert("points".into(), quantity(&score.points));
    object.insert("percent".into(), quantity(&score.percent));
    if !score.renormalised_without.is_empty() {
        object.insert("renormalised_without".into(), json!(score.renormalised_without));
    }
    object.insert("groups".into(), score.groups.iter().map(group_cell).collect());
    Value::Object(object)
}

/// Counts of several questions cannot be added, so they stand under `questions` and the group's own are null.
fn group_cell(cell: &GroupCell) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), json!(cell.code));
    object.insert("weight".into(), exact(&cell.weight));
    let reason = cell.questions.iter().find_map(|question| question.hidden.as_ref());
    object.insert("percent".into(), percent(&cell.percent, reason.is_some()));
    let only = match cell.questions.as_slice() {
        [only] => Some(only),
        [] | [_, _, ..] => None,
    };
    counts_into(&mut object, only);
    if cell.questions.len() > 1 {
        object.insert("hidden".into(), json!(reason));
        object.insert("questions".into(), cell.questions.iter().map(question).collect());
    }
    Value::Object(object)
}

fn question(cell: &QuestionCell) -> Value {
    let mut object = Map::new();
    object.insert("code".into(), json!(cell.code));
    object.insert("percent".into(), percent(&cell.percent, cell.hidden.is_some()));
    counts_into(&mut object, Some(cell));
    Value::Object(object)
}

/// A reason and a number never stand side by side, whatever the caller left in the cell.
fn percent(value: &Quantity, hidden: bool) -> Value {
    if hidden { quantity(&Quantity::Without(Why::Hidden)) } else { quantity(value) }
}

fn counts_into(object: &mut Map<String, Value>, cell: Option<&QuestionCell>) {
    let shown = cell.filter(|cell| cell.hidden.is_none());
    object.insert("counts".into(), json!(shown.and_then(|cell| cell.counts.as_ref())));
    object.insert("no_opinion".into(), json!(shown.and_then(|cell| cell.no_opinion)));
    object.insert("blank".into(), json!(shown.and_then(|cell| cell.blank)));
    object.insert("hidden".into(), json!(cell.and_then(|cell| cell.hidden.as_ref())));
}

fn target_index(index: &TargetIndex) -> Value {
    json!({
        "code": index.code,
        "areas": index.areas.iter().map(area_index).collect::<Vec<_>>(),
        "total": area_index(&index.total),
    })
}

fn area_index(area: &AreaIndex) -> Value {
    json!({
        "code": area.code,
        "appraisal": quantity(&area.appraisal),
        "appraisal_maximum": exact(&area.appraisal_maximum),
        "survey": quantity(&area.survey),
        "survey_maximum": exact(&area.survey_maximum),
        "sipas": quantity(&area.sipas),
        "sipas_maximum": exact(&area.sipas_maximum),
        "points": quantity(&area.points),
        "maximum": exact(&area.maximum),
        "percent": quantity(&area.percent),
    })
}

fn exact(value: &Exact) -> Value {
    quantity(&Quantity::Value(value.clone()))
}
