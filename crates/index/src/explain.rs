//! One sub-criterion step by step: counts → percents → weights → points, exact and rounded side by side.
//!
//! Steps carry numbers and their arithmetic as text without words; names and headings in a language are the caller's.

use serde::Serialize;

use crate::code::{GroupCode, OptionCode, QuestionCode, SubCriterionCode, TargetCode};
use crate::exact::{Exact, Quantity};
use crate::score::{GroupCell, QuestionCell, SubCriterionScore, TargetScore};
use crate::tree::IndexTree;

/// The walk through one sub-criterion of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The target.
    pub target: TargetCode,
    /// The sub-criterion.
    pub sub_criterion: SubCriterionCode,
    /// The steps in order: each group's questions, the group, the weighted mean, the points.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Counts of one question in one group, and their mean percent.
    Question {
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
        /// Option, ballots, percent the option is worth; best first. Empty when hidden or not asked.
        options: Vec<(OptionCode, u64, Exact)>,
        /// Ballots with a substantive option: the divisor.
        substantive: Option<u64>,
        /// Ballots with "no opinion".
        no_opinion: Option<u64>,
        /// Ballots left blank.
        blank: Option<u64>,
        /// Why the numbers are withheld.
        hidden: Option<String>,
        /// The mean percent.
        percent: Quantity,
    },
    /// A group's percent for the sub-criterion from its questions.
    Group {
        /// The group.
        group: GroupCode,
        /// Question, weight within the sub-criterion, percent.
        questions: Vec<(QuestionCode, Exact, Quantity)>,
        /// The weighted mean over the questions asked.
        percent: Quantity,
    },
    /// The weighted mean over the groups asked.
    Weights {
        /// Group, weight, percent; `NotAsked` groups stand here with their reason and weigh nothing.
        groups: Vec<(GroupCode, Exact, Quantity)>,
        /// Groups left out because they have no substantive answer and the policy renormalises.
        left_out: Vec<GroupCode>,
        /// The mean.
        percent: Quantity,
    },
    /// Maximum × percent / 100.
    Points {
        /// The maximum.
        maximum: Exact,
        /// The percent.
        percent: Quantity,
        /// The points.
        points: Quantity,
    },
}

/// Walks through one sub-criterion; `None` when the target's score or the tree has no such sub-criterion.
#[must_use]
pub fn explain(score: &TargetScore, tree: &IndexTree, code: &SubCriterionCode) -> Option<Explanation> {
    let row = score.sub_criteria.iter().find(|row| row.code == *code)?;
    let leaf = tree.areas.iter().flat_map(|area| &area.sub_criteria).find(|leaf| leaf.code == *code)?;
    let mut steps = Vec::new();
    for group in &row.groups {
        steps.extend(group.questions.iter().map(|question| question_step(group, question)));
        steps.push(Step::Group {
            group: group.code.clone(),
            questions: group
                .questions
                .iter()
                .zip(&leaf.questions)
                .map(|(cell, (_, weight))| (cell.code.clone(), weight.clone(), cell.percent.clone()))
                .collect(),
            percent: group.percent.clone(),
        });
    }
    steps.push(weights_step(row));
    steps.push(Step::Points { maximum: row.maximum.clone(), percent: row.percent.clone(), points: row.points.clone() });
    Some(Explanation { target: score.code.clone(), sub_criterion: code.clone(), steps })
}

fn question_step(group: &GroupCell, cell: &QuestionCell) -> Step {
    let mut options: Vec<_> = cell
        .counts
        .iter()
        .flatten()
        .filter_map(|(option, n)| Some((option.clone(), *n, cell.option_percents.get(option)?.clone())))
        .collect();
    options.sort_by(|(_, _, a), (_, _, b)| b.cmp(a));
    Step::Question {
        group: group.code.clone(),
        question: cell.code.clone(),
        options,
        substantive: cell.counts.as_ref().map(|counts| counts.values().sum()),
        no_opinion: cell.no_opinion,
        blank: cell.blank,
        hidden: cell.hidden.clone(),
        percent: cell.percent.clone(),
    }
}

fn weights_step(row: &SubCriterionScore) -> Step {
    Step::Weights {
        groups: row
            .groups
            .iter()
            .map(|group| (group.code.clone(), group.weight.clone(), group.percent.clone()))
            .collect(),
        left_out: row.renormalised_without.clone(),
        percent: row.percent.clone(),
    }
}

impl Step {
    /// The arithmetic of the step as one line, such as `(12×100 + 30×80) / 42 = 600/7 ≈ 85.714… ≈ 85.71`.
    /// Without a value the line ends in the contract's word for the reason.
    #[must_use]
    pub fn formula(&self) -> String {
        match self {
            Step::Question { options, substantive, percent, .. } => {
                let terms: Vec<_> = options.iter().map(|(_, n, percent)| format!("{n}×{}", plain(percent))).collect();
                fraction_line(&terms, &substantive.unwrap_or_default().to_string(), percent)
            }
            Step::Group { questions, percent, .. } => mean_line(questions, &[], percent),
            Step::Weights { groups, left_out, percent } => mean_line(groups, left_out, percent),
            Step::Points { maximum, percent, points } => match percent {
                Quantity::Value(percent) => {
                    format!("{} × {percent} / 100 = {}", plain(maximum), shown(points))
                }
                Quantity::Without(_) => shown(points),
            },
        }
    }
}

fn mean_line<K: PartialEq>(parts: &[(K, Exact, Quantity)], left_out: &[K], mean: &Quantity) -> String {
    let used = || {
        let entering = parts.iter().filter(|(key, weight, _)| !left_out.contains(key) && !weight.is_zero());
        entering.filter_map(|(_, weight, value)| Some((weight, value.value()?)))
    };
    let terms: Vec<_> = used().map(|(weight, value)| format!("{}×{value}", plain(weight))).collect();
    let total: Exact = used().map(|(weight, _)| weight).sum();
    fraction_line(&terms, &plain(&total), mean)
}

fn fraction_line(terms: &[String], divisor: &str, result: &Quantity) -> String {
    match result {
        Quantity::Value(_) => format!("({}) / {divisor} = {}", terms.join(" + "), shown(result)),
        Quantity::Without(_) => shown(result),
    }
}

/// A fraction with denominator 1 without its denominator, another one in parentheses: it stands inside a product.
fn plain(value: &Exact) -> String {
    let text = value.to_string();
    text.strip_suffix("/1").map_or_else(|| format!("({text})"), str::to_owned)
}

/// Fraction, decimal, rounded; "=" before the decimal only where it is the whole value.
fn shown(quantity: &Quantity) -> String {
    match quantity {
        Quantity::Value(value) => {
            let decimal = value.decimal();
            let whole = decimal.parse::<Exact>().is_ok_and(|read| read == *value);
            format!("{value} {} {decimal} ≈ {}", if whole { "=" } else { "≈" }, value.rounded(2))
        }
        Quantity::Without(why) => why.as_str().to_owned(),
    }
}
