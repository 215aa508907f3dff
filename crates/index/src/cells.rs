//! The smallest cells of a score: one question of one group, from integer counts to a mean percent.
//!
//! Nothing here knows a weight or a policy.

use std::collections::BTreeMap;

use crate::code::{OptionCode, QuestionCode};
use crate::counts::{GroupTally, QuestionCounts, QuestionTable};
use crate::exact::{Exact, Quantity, Why};
use crate::score::QuestionCell;

/// One question of one group; `table` is `None` when the group was not asked.
pub(crate) fn question_cell(code: &QuestionCode, table: Option<&QuestionTable>, tally: &GroupTally) -> QuestionCell {
    let counts = table.and_then(|_| tally.questions.get(code));
    let percent = match (table, &tally.hidden, counts) {
        (None, _, _) => Quantity::Without(Why::NotAsked),
        (Some(_), Some(_), _) => Quantity::Without(Why::Hidden),
        (Some(_), None, None) => Quantity::Without(Why::NotAsked),
        (Some(table), None, Some(counts)) => mean_percent(table, counts),
    };
    QuestionCell {
        code: code.clone(),
        percent,
        counts: counts.map(|counts| counts.options.clone()),
        option_percents: table.map(option_percents).unwrap_or_default(),
        no_opinion: counts.map(|counts| counts.no_opinion),
        blank: counts.map(|counts| counts.blank),
        hidden: table.and(tally.hidden.clone()),
    }
}

fn option_percents(table: &QuestionTable) -> BTreeMap<OptionCode, Exact> {
    let percent = |numerator| Exact::ratio(numerator, table.denominator).expect("a verified table has a denominator");
    table.options.iter().map(|option| (option.code.clone(), percent(option.percent_numerator))).collect()
}

/// The mean percent of the substantive answers: integers are summed, and divided once.
fn mean_percent(table: &QuestionTable, counts: &QuestionCounts) -> Quantity {
    let mut sum = 0_i128;
    let mut substantive = 0_i128;
    for option in &table.options {
        let n = i128::from(counts.options.get(&option.code).copied().unwrap_or_default());
        sum += n * i128::from(option.percent_numerator);
        substantive += n;
    }
    Exact::ratio(sum, substantive * i128::from(table.denominator))
        .map_or(Quantity::Without(Why::NotDeterminable), Quantity::Value)
}

pub(crate) fn quotient(dividend: &Exact, divisor: &Exact, otherwise: Why) -> Quantity {
    dividend.checked_div(divisor).map_or(Quantity::Without(otherwise), Quantity::Value)
}

/// `points` in percent of `maximum`; a maximum of zero has no percent.
pub(crate) fn percent_of(points: &Quantity, maximum: &Exact) -> Quantity {
    match points {
        Quantity::Value(points) => quotient(&(points * &Exact::from(100_u64)), maximum, Why::Absent),
        Quantity::Without(why) => Quantity::Without(*why),
    }
}
