//! A small world to score: two areas, three sub-criteria, two feeding groups, one that does not feed, one target more.
//!
//! Everything is written as text and numbers, so that a test reads as a table.

use std::collections::BTreeMap;

use parsurvey_index::counts::{
    GroupTally, OptionPercent, OptionTables, QuestionCounts, QuestionTable, ShapeCounts, TALLY_FORMAT, Tally,
};
use parsurvey_index::exact::Exact;
use parsurvey_index::policy::{EmptyGroup, Policy};
use parsurvey_index::score::TargetScore;
use parsurvey_index::scoring::{ScoreError, ScoredGroup, ScoredTarget, score};
use parsurvey_index::tree::{Area, IndexTree, SubCriterion, Text};

/// Counts of one question: best to worst of three options, then no opinion, then blank.
pub(crate) type Row = [u64; 5];

/// Percents of the three options.
pub(crate) const PERCENTS: [i64; 3] = [100, 60, 0];

/// The questions in shown order; `2.b` makes its sub-criterion of two.
pub(crate) const QUESTIONS: [&str; 4] = ["1.a", "2.a", "2.b1", "2.b2"];

pub(crate) fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(crate) fn text() -> Text {
    Text { vi: "tên".to_owned(), en: "name".to_owned() }
}

fn leaf(code: &str, maximum: &str, questions: &[(&str, &str)]) -> SubCriterion {
    SubCriterion {
        code: code.parse().unwrap(),
        name: text(),
        maximum: exact(maximum),
        questions: questions.iter().map(|(code, weight)| (code.parse().unwrap(), exact(weight))).collect(),
        agency: None,
    }
}

fn area(code: &str, appraisal: &str, sipas: &str, sub_criteria: Vec<SubCriterion>) -> Area {
    Area {
        code: code.parse().unwrap(),
        name: text(),
        appraisal_maximum: exact(appraisal),
        sipas_maximum: exact(sipas),
        sub_criteria,
    }
}

pub(crate) fn tree() -> IndexTree {
    IndexTree {
        year: 2023,
        areas: vec![
            area("1", "2", "0", vec![leaf("1.a", "1", &[("1.a", "1")])]),
            area(
                "2",
                "0",
                "0",
                vec![leaf("2.a", "1", &[("2.a", "1")]), leaf("2.b", "0.5", &[("2.b1", "1"), ("2.b2", "3")])],
            ),
            area("3", "4", "10", Vec::new()),
        ],
        goal: None,
    }
}

fn tables(questions: &[&str]) -> OptionTables {
    let option = |(place, percent): (i32, &i64)| OptionPercent {
        code: place.to_string().parse().unwrap(),
        percent_numerator: *percent,
    };
    let question = |code: &&str| QuestionTable {
        code: code.parse().unwrap(),
        denominator: 1,
        options: (1..).zip(&PERCENTS).map(option).collect(),
    };
    OptionTables { version: 1, questions: questions.iter().map(question).collect() }
}

fn counts(row: &Row) -> QuestionCounts {
    QuestionCounts {
        options: (1..).zip(&row[..3]).map(|(place, n): (i32, _)| (place.to_string().parse().unwrap(), *n)).collect(),
        no_opinion: row[3],
        blank: row[4],
    }
}

/// A group's tally from its rows; every row must have the same number of ballots.
pub(crate) fn group(questionnaire: &str, rows: &[(&str, Row)]) -> GroupTally {
    GroupTally {
        ballots: rows.first().map_or(0, |(_, row)| row.iter().sum()),
        questionnaire: questionnaire.parse().unwrap(),
        hidden: None,
        questions: rows.iter().map(|(code, row)| (code.parse().unwrap(), counts(row))).collect(),
        pairs: Vec::new(),
        shape: ShapeCounts::default(),
    }
}

/// A tally of `(target, group, tally)`. Questionnaire `all` asks everything, `narrow` only `1.a`, `free` nothing of the tree.
pub(crate) fn tally(groups: Vec<(&str, &str, GroupTally)>) -> Tally {
    let mut targets: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for (target, group, tally) in groups {
        targets.entry(target.parse().unwrap()).or_default().insert(group.parse().unwrap(), tally);
    }
    let questionnaires = [("all", &QUESTIONS[..]), ("narrow", &QUESTIONS[..1]), ("free", &["x", "y"])];
    Tally {
        format: TALLY_FORMAT,
        campaign: "trial".to_owned(),
        synthetic: true,
        k: 1,
        box_sha256: None,
        unreadable: 0,
        questionnaires: questionnaires.iter().map(|(code, q)| (code.parse().unwrap(), tables(q))).collect(),
        targets,
    }
}

/// The same row for every question.
pub(crate) fn uniform(row: Row) -> GroupTally {
    group("all", &QUESTIONS.map(|code| (code, row)))
}

pub(crate) fn policy(weights: &[(&str, &str)]) -> Policy {
    Policy {
        name: "trial".to_owned(),
        version: "1".to_owned(),
        weights: weights.iter().map(|(group, weight)| (group.parse().unwrap(), exact(weight))).collect(),
        empty_group: EmptyGroup::NotDeterminable,
        asked: BTreeMap::new(),
    }
}

/// Groups `p` and `q` feed the province, `n` does not; `s` rates the other target, which has no tree.
pub(crate) fn groups(tally: &Tally) -> Vec<ScoredGroup> {
    let frame = |code: &str| {
        let rated = tally.targets.iter().filter(|(_, groups)| groups.contains_key(&code.parse().unwrap()));
        rated.map(|(target, _)| (target.clone(), Some(9))).collect::<BTreeMap<_, _>>()
    };
    ["p", "q", "n", "s"]
        .map(|code| ScoredGroup { code: code.parse().unwrap(), feeds: "pqs".contains(code), frame: frame(code) })
        .into()
}

pub(crate) fn targets() -> Vec<ScoredTarget> {
    [("province", true), ("other", false)]
        .map(|(code, has_tree)| ScoredTarget { code: code.parse().unwrap(), has_tree })
        .into()
}

pub(crate) fn try_score(tally: &Tally, policy: &Policy) -> Result<Vec<TargetScore>, ScoreError> {
    score(tally, &tree(), &targets(), policy, &groups(tally))
}

/// The province's score.
pub(crate) fn province(tally: &Tally, policy: &Policy) -> TargetScore {
    try_score(tally, policy).unwrap().remove(0)
}
