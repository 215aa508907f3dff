//! The walk through one sub-criterion in words: what each step is, and its arithmetic.

use parsurvey_index::code::GroupCode;
use parsurvey_index::exact::Quantity;
use parsurvey_index::explain::{Explanation, Step};

use crate::lang::{Lang, text};
use crate::number;

/// One step as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkStep {
    /// What the step makes.
    pub heading: String,
    /// How, exact and rounded side by side; or why there is no figure.
    pub formula: String,
}

/// The steps in order. `name` says how a respondent group is called.
#[must_use]
pub fn walk_steps(walk: &Explanation, lang: Lang, name: impl Fn(&GroupCode) -> String) -> Vec<WalkStep> {
    let word = |vi: &str, en: &str| lang.of(&text(vi, en)).to_owned();
    let count = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), |number| number.to_string());
    let heading = |step: &Step| match step {
        Step::Question { group, question, no_opinion, blank, .. } => format!(
            "{}, {question} ({}: {}, {}: {})",
            name(group),
            word("không có ý kiến", "no opinion"),
            count(*no_opinion),
            word("để trống", "blank"),
            count(*blank),
        ),
        Step::Group { group, .. } => format!("{}: {}", name(group), word("phần trăm của nhóm", "percent of the group")),
        Step::Weights { .. } => word("bình quân có trọng số các nhóm được hỏi", "weighted mean over the groups asked"),
        Step::Points { .. } => word("điểm = điểm tối đa × phần trăm", "points = maximum × percent"),
    };
    walk.steps.iter().map(|step| WalkStep { heading: heading(step), formula: formula(step, lang) }).collect()
}

/// The step's arithmetic, or in words why it has none.
fn formula(step: &Step, lang: Lang) -> String {
    let (Step::Question { percent: made, .. }
    | Step::Group { percent: made, .. }
    | Step::Weights { percent: made, .. }
    | Step::Points { points: made, .. }) = step;
    match made {
        Quantity::Value(_) => step.formula(),
        Quantity::Without(why) => number::without(*why, lang),
    }
}
