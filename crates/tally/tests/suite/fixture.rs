//! The Hà Nội 2023 inputs as the tests need them: tree, groups and option tables made from `sample-data/hanoi-2023`.
//!
//! Not the campaign folder: the arithmetic is tested here without it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use parsurvey_index::code::{GroupCode, OptionCode, QuestionCode, QuestionnaireCode, SubCriterionCode, TargetCode};
use parsurvey_index::counts::{OptionPercent, OptionTables, QuestionTable};
use parsurvey_index::exact::Exact;
use parsurvey_index::policy::{EmptyGroup, Policy};
use parsurvey_index::scoring::{ScoredGroup, ScoredTarget};
use parsurvey_index::tree::{Area, ImportedPoints, IndexTree, SubCriterion, Text};
use parsurvey_tally::counter::{Asked, Frame};

pub(crate) const GROUPS: [&str; 4] = ["council_delegates", "department_leaders", "division_heads", "district_leaders"];

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sample-data/hanoi-2023").join(name)
}

/// The rows of a sample file, each as column → cell.
pub(crate) fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_path(path(name)).unwrap().deserialize().map(Result::unwrap).collect()
}

pub(crate) fn exact(text: &str) -> Exact {
    text.parse().unwrap()
}

pub(crate) fn hanoi() -> TargetCode {
    "hanoi".parse().unwrap()
}

fn text(vi: &str) -> Text {
    Text { vi: vi.to_owned(), en: String::new() }
}

pub(crate) fn tree() -> IndexTree {
    let leaves = rows("published/sub_criteria.csv");
    let leaf = |row: &BTreeMap<String, String>| SubCriterion {
        code: row["code"].parse().unwrap(),
        name: text(&row["name_vi"]),
        maximum: exact(&row["max_2023"]),
        questions: vec![(row["code"].parse().unwrap(), Exact::one())],
        agency: None,
    };
    let areas = rows("published/areas_2023.csv").into_iter().filter(|row| row["area"] != "total").map(|row| Area {
        code: row["area"].parse().unwrap(),
        name: text(&row["name_vi"]),
        appraisal_maximum: exact(&row["appraisal_max"]),
        sipas_maximum: exact(&row["sipas_max"]),
        sub_criteria: leaves.iter().filter(|leaf| leaf["area"] == row["area"]).map(leaf).collect(),
    });
    IndexTree { year: 2023, areas: areas.collect(), goal: None }
}

pub(crate) fn imported() -> ImportedPoints {
    ImportedPoints {
        appraisal: rows("appraisal_2023_calibrated.csv")
            .into_iter()
            .map(|row| (row["area"].parse().unwrap(), exact(&row["appraisal_calibrated"])))
            .collect(),
        sipas: BTreeMap::from([("8".parse().unwrap(), exact("8.3665"))]),
        synthetic: true,
    }
}

/// 22 questions of five levels, best first; the three that state something bad are shown the other way round.
pub(crate) fn tables() -> OptionTables {
    let question = |code: &SubCriterionCode| {
        let bad = ["5.2.4", "5.3.3", "5.7.3"].contains(&code.as_str());
        let option = |shown: i64| OptionPercent {
            code: shown.to_string().parse::<OptionCode>().unwrap(),
            percent_numerator: if bad { 20 * shown } else { 120 - 20 * shown },
        };
        QuestionTable { code: code.as_str().parse().unwrap(), denominator: 1, options: (1..=5).map(option).collect() }
    };
    let codes = tree().areas.into_iter().flat_map(|area| area.sub_criteria).map(|leaf| leaf.code);
    OptionTables { version: 1, questions: codes.map(|code| question(&code)).collect() }
}

/// The frame, with the questions of one area left out for each group named in `not_asked`.
pub(crate) fn frame(not_asked: &[(&str, &str)]) -> Frame {
    let code: QuestionnaireCode = "province".parse().unwrap();
    let tables = tables();
    let asked = |group: &str| {
        let left_out = |question: &QuestionCode| {
            not_asked.iter().any(|(g, area)| *g == group && question.as_str().starts_with(&format!("{area}.")))
        };
        let mut asked = Asked::all(code.clone(), &tables);
        asked.questions.retain(|question| !left_out(question));
        (group.parse().unwrap(), asked)
    };
    Frame {
        campaign: "hanoi-2023".to_owned(),
        synthetic: true,
        k: 5,
        questionnaires: BTreeMap::from([(code.clone(), tables.clone())]),
        targets: BTreeMap::from([(hanoi(), GROUPS.into_iter().map(asked).collect())]),
    }
}

pub(crate) fn targets() -> Vec<ScoredTarget> {
    vec![ScoredTarget { code: hanoi(), has_tree: true }]
}

pub(crate) fn groups() -> Vec<ScoredGroup> {
    let seats = [94, 80, 543, 102];
    let group = |(code, seats): (&str, u64)| ScoredGroup {
        code: code.parse().unwrap(),
        feeds: true,
        frame: BTreeMap::from([(hanoi(), Some(seats))]),
    };
    GROUPS.into_iter().zip(seats).map(group).collect()
}

pub(crate) fn policy(weights: [u64; 4], asked: BTreeMap<SubCriterionCode, BTreeSet<GroupCode>>) -> Policy {
    Policy {
        name: "test".to_owned(),
        version: "1".to_owned(),
        weights: GROUPS.into_iter().zip(weights).map(|(g, w)| (g.parse().unwrap(), Exact::from(w))).collect(),
        empty_group: EmptyGroup::NotDeterminable,
        asked,
    }
}
