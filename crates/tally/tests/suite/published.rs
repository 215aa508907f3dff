//! The printed figures of 2023, from the synthetic answers, at the printed precision.
//!
//! Where the report contradicts itself the test names the figure it holds to and why; it never loosens a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;

use parsurvey_index::area_table::index_points;
use parsurvey_index::code::{GroupCode, QuestionCode, SubCriterionCode};
use parsurvey_index::counts::Tally;
use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::score::{AreaIndex, TargetScore};
use parsurvey_index::scoring::score;
use parsurvey_index::sensitivity::sensitivity;
use parsurvey_tally::answers_csv::{AnswersFile, Orientation, count_answers};
use parsurvey_tally::counter::Frame;

use crate::fixture::{exact, frame, groups, hanoi, imported, path, policy, rows, targets, tree};

/// Delegates are not asked area 5, division heads not area 2.
const BY_FORM: [(&str, &str); 2] = [("council_delegates", "5"), ("division_heads", "2")];

fn count(name: &str, frame: Frame) -> Tally {
    let target = hanoi();
    let tree = tree();
    let file = AnswersFile { name, orientation: Orientation::Oriented, target: &target, tree: &tree };
    count_answers(File::open(path(name)).unwrap(), &file, frame).unwrap()
}

fn all_asked() -> Tally {
    count("answers_all_asked.csv", frame(&[]))
}

fn score_one(tally: &Tally, weights: [u64; 4]) -> TargetScore {
    score(tally, &tree(), &targets(), &policy(weights, BTreeMap::new()), &groups()).unwrap().remove(0)
}

/// Rounded to as many places as `printed` has.
fn as_printed(value: &Quantity, printed: &str) -> String {
    let places = printed.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    value.rounded(places)
}

fn check(what: &str, value: &Quantity, printed: &str) {
    assert_eq!(as_printed(value, printed), printed, "{what} is {value:?}");
}

fn check_survey(score: &TargetScore) {
    for (row, printed) in score.sub_criteria.iter().zip(rows("published/sub_criteria.csv")) {
        assert_eq!(row.code.as_str(), printed["code"]);
        check(&printed["code"], &row.points, &printed["score_2023"]);
    }
    assert_eq!(score.sub_criteria.len(), 22);
    let areas: Vec<_> = score.areas.iter().map(|area| (area.code.as_str(), area.points.rounded(2))).collect();
    // Area 5: the table prints 7.54, the text 7.61, and only 7.61 fits the area's total and the survey's.
    let printed = [("2", "3.45"), ("4", "3.38"), ("5", "7.61"), ("6", "3.24"), ("7", "0.87")];
    assert_eq!(areas, printed.map(|(code, points)| (code, points.to_owned())));
    assert_eq!(score.survey_points.rounded(2), "18.55");
    let percent = score.survey_points.map(|points| points * &exact("100/22"));
    assert_eq!(percent.rounded(2), "84.31");
    for printed in rows("published/groups_2023.csv").iter().filter(|row| !row["index_percent"].is_empty()) {
        let group = score.groups.iter().find(|group| group.code.as_str() == printed["group"]).unwrap();
        assert_eq!(group.ballots.to_string(), printed["respondents"]);
        check(&printed["group"], &group.percent, &printed["index_percent"]);
    }
    assert_eq!(score.groups.iter().map(|group| group.ballots).sum::<u64>(), 816);
}

fn check_area(row: &AreaIndex, printed: &BTreeMap<String, String>) {
    let area = printed["area"].as_str();
    for (part, value, maximum) in [
        ("appraisal", &row.appraisal, &row.appraisal_maximum),
        ("survey", &row.survey, &row.survey_maximum),
        ("sipas", &row.sipas, &row.sipas_maximum),
        ("total", &row.points, &row.maximum),
    ] {
        let score = printed[&format!("{part}_score")].as_str();
        assert_eq!(*maximum, exact(&printed[&format!("{part}_max")]), "maximum of {part} of area {area}");
        match (area, part, score) {
            (_, _, "") => assert_eq!(*value, Quantity::Without(Why::Absent), "{part} of area {area}"),
            ("5", "survey", _) => check("survey of area 5", value, "7.61"),
            (_, _, score) => check(&format!("{part} of area {area}"), value, score),
        }
    }
    check(&format!("percent of area {area}"), &row.percent, &printed["index_percent"]);
}

#[test]
fn every_figure_of_2023_when_all_groups_are_asked_everything() {
    let score = score_one(&all_asked(), [1, 2, 2, 2]);
    assert_eq!(score.survey_points, Quantity::Value(exact("280105927/15101100")));
    check_survey(&score);

    let index = index_points(&score, &tree(), &imported());
    let printed = rows("published/areas_2023.csv");
    for (row, printed) in index.areas.iter().chain([&index.total]).zip(&printed) {
        check_area(row, printed);
    }
    let both = Quantity::sum([&index.total.survey, &index.total.sipas]);
    assert_eq!(both.rounded(2), "26.92");
    // The report took the percent of the rounded points and cut it off: the exact points give 94.87.
    let points = exact(&index.total.appraisal.rounded(2));
    assert_eq!((&points * &exact("100/68")).truncated(2), "94.86");
}

#[test]
fn every_survey_figure_of_2023_when_forms_differ() {
    let tally = count("answers_by_form.csv", frame(&BY_FORM));
    let score = score_one(&tally, [1, 1, 1, 1]);
    assert_eq!(score.survey_points, Quantity::Value(exact("1920598543/103550400")));
    check_survey(&score);
    let not_asked = |area: &str, group: &str| {
        let row = score.sub_criteria.iter().find(|row| row.area.as_str() == area).unwrap();
        row.groups.iter().find(|cell| cell.code.as_str() == group).unwrap().percent.clone()
    };
    assert_eq!(not_asked("5", "council_delegates"), Quantity::Without(Why::NotAsked));
    assert_eq!(not_asked("2", "division_heads"), Quantity::Without(Why::NotAsked));
}

/// A policy may narrow full questionnaires; blanks in ballots are then blanks of nobody asked.
#[test]
fn a_policy_that_narrows_the_questionnaires_gives_the_same_points() {
    let mut asked: BTreeMap<SubCriterionCode, BTreeSet<GroupCode>> = BTreeMap::new();
    for leaf in tree().areas.iter().flat_map(|area| area.sub_criteria.iter()) {
        let groups = groups().into_iter().map(|group| group.code);
        let is_asked = |group: &GroupCode| {
            let starts = |area: &str| leaf.code.as_str().starts_with(&format!("{area}."));
            !BY_FORM.iter().any(|(g, area)| *g == group.as_str() && starts(area))
        };
        asked.insert(leaf.code.clone(), groups.filter(is_asked).collect());
    }
    let tally = count("answers_by_form.csv", frame(&[]));
    let narrowed = policy([1, 1, 1, 1], asked);
    let score = score(&tally, &tree(), &targets(), &narrowed, &groups()).unwrap().remove(0);
    assert_eq!(score.survey_points, Quantity::Value(exact("1920598543/103550400")));
    check_survey(&score);
}

/// Unrounded group percentages, so headcount is not quite the 82.24 that the four printed ones would give.
#[test]
fn other_weights_are_said_beside_the_declared_ones() {
    let declared = policy([1, 2, 2, 2], BTreeMap::new());
    let lines = sensitivity(&all_asked(), &tree(), &hanoi(), &declared, &groups()).unwrap();
    let percents: Vec<_> = lines.iter().map(|line| (line.weighting.as_str(), line.survey_percent.rounded(2))).collect();
    let expected = [("declared", "84.31"), ("equal", "82.94"), ("headcount", "82.25")];
    assert_eq!(percents, expected.map(|(name, percent)| (name, percent.to_owned())));
}

/// One division head says one level less for 5.7.4: 20 percent of 540 people, of a group that weighs 2 of 7.
#[test]
fn one_changed_answer_moves_every_dependent_figure_by_the_exact_fraction_and_nothing_else() {
    let question: QuestionCode = "5.7.4".parse().unwrap();
    let before = all_asked();
    let mut after = before.clone();
    let heads = after.targets.get_mut(&hanoi()).unwrap().get_mut(&"division_heads".parse().unwrap()).unwrap();
    let options = &mut heads.questions.get_mut(&question).unwrap().options;
    *options.get_mut(&"1".parse().unwrap()).unwrap() -= 1;
    *options.get_mut(&"2".parse().unwrap()).unwrap() += 1;
    let (before, after) = (score_one(&before, [1, 2, 2, 2]), score_one(&after, [1, 2, 2, 2]));
    let percent = exact("20/540");
    let points = &(&percent * &exact("2/7")) * &exact("1/100");
    let moved = |a: &Quantity, b: &Quantity| a.value().unwrap() - b.value().unwrap();
    for (a, b) in before.sub_criteria.iter().zip(&after.sub_criteria) {
        let expected = if a.code.as_str() == "5.7.4" { points.clone() } else { Exact::zero() };
        assert_eq!(moved(&a.points, &b.points), expected, "{}", a.code);
    }
    for (a, b) in before.areas.iter().zip(&after.areas) {
        let expected = if a.code.as_str() == "5" { points.clone() } else { Exact::zero() };
        assert_eq!(moved(&a.points, &b.points), expected, "area {}", a.code);
    }
    for (a, b) in before.groups.iter().zip(&after.groups) {
        let expected = if a.code.as_str() == "division_heads" { percent.clone() / 22 } else { Exact::zero() };
        assert_eq!(moved(&a.percent, &b.percent), expected, "{}", a.code);
    }
    assert_eq!(moved(&before.survey_points, &after.survey_points), points);
    let total = |score| index_points(score, &tree(), &imported()).total.points;
    assert_eq!(moved(&total(&before), &total(&after)), points);
}
