//! One small table per rule of scoring, ranking, the index, history, explaining and merging.
//!
//! Numbers are worked out by hand in the comments; nothing here is copied from a run.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_index::area_table::index_points;
use parsurvey_index::exact::{Exact, Quantity, Why};
use parsurvey_index::explain::{Step, explain};
use parsurvey_index::history::{Change, compare, years};
use parsurvey_index::merging::CountsError;
use parsurvey_index::policy::EmptyGroup;
use parsurvey_index::ranking::rank;
use parsurvey_index::score::TargetScore;
use parsurvey_index::scoring::ScoreError;
use parsurvey_index::sensitivity::sensitivity;
use parsurvey_index::tree::{History, ImportedPoints, PastPoints};

use crate::world::{Row, exact, group, groups, policy, province, tally, tree, try_score, uniform};

const BEST: Row = [4, 0, 0, 0, 0];
const WORST: Row = [0, 0, 4, 0, 0];
const NOBODY: Row = [0, 0, 0, 3, 1];

fn value(text: &str) -> Quantity {
    Quantity::Value(exact(text))
}

fn points(score: &TargetScore) -> Vec<Quantity> {
    score.sub_criteria.iter().map(|row| row.points.clone()).collect()
}

#[test]
fn weights_maxima_and_questions_enter_as_declared() {
    // p: 100, 0, (100 + 3×0)/4 = 25; q: (2×100 + 1×60 + 1×0)/4 = 65 everywhere, no opinion and blank outside the mean.
    let p = group("all", &[("1.a", BEST), ("2.a", WORST), ("2.b1", BEST), ("2.b2", WORST)]);
    let tally = tally(vec![("province", "p", p), ("province", "q", uniform([2, 1, 1, 5, 7]))]);
    let score = province(&tally, &policy(&[("p", "1"), ("q", "3")]));
    // (100 + 195)/4 = 73.75; (0 + 195)/4 = 48.75; (25 + 195)/4 = 55 of a maximum of one half.
    assert_eq!(points(&score), [value("0.7375"), value("0.4875"), value("0.275")]);
    assert_eq!(score.areas.iter().map(|a| a.points.clone()).collect::<Vec<_>>(), [value("0.7375"), value("0.7625")]);
    assert_eq!(score.areas[1].percent, value("305/6"));
    assert_eq!((score.survey_points.clone(), score.survey_maximum.clone()), (value("1.5"), exact("2.5")));
    // p: (1×100 + 1×0 + 0.5×25) / 2.5 = 45.
    assert_eq!(score.groups.iter().map(|g| g.percent.clone()).collect::<Vec<_>>(), [value("45"), value("65")]);
    assert_eq!(score.groups[0].frame, Some(9));
}

#[test]
fn a_group_not_asked_weighs_nothing() {
    let narrow = group("narrow", &[("1.a", WORST)]);
    let tally = tally(vec![("province", "p", uniform(BEST)), ("province", "q", narrow)]);
    let score = province(&tally, &policy(&[]));
    assert_eq!(points(&score), [value("0.5"), value("1"), value("0.5")]);
    let cell = &score.sub_criteria[1].groups[1];
    assert_eq!((&cell.percent, &cell.questions[0].counts), (&Quantity::Without(Why::NotAsked), &None));
    assert_eq!(score.groups[1].percent, value("0"));

    let mut narrowed = policy(&[]);
    narrowed.asked.insert("1.a".parse().unwrap(), BTreeSet::from(["p".parse().unwrap()]));
    assert_eq!(points(&province(&tally, &narrowed))[0], value("1"));
    narrowed.asked.insert("1.a".parse().unwrap(), BTreeSet::new());
    assert_eq!(province(&tally, &narrowed).survey_points, Quantity::Without(Why::NotAsked));
}

#[test]
fn a_group_without_a_substantive_answer_is_not_zero() {
    let p = group("all", &[("1.a", NOBODY), ("2.a", BEST), ("2.b1", BEST), ("2.b2", BEST)]);
    let tally = tally(vec![("province", "p", p), ("province", "q", uniform(WORST))]);
    let mut policy = policy(&[]);
    let score = province(&tally, &policy);
    let missing = Quantity::Without(Why::NotDeterminable);
    assert_eq!(points(&score), [missing.clone(), value("0.5"), value("0.25")]);
    assert_eq!(score.areas.iter().map(|a| a.points.clone()).collect::<Vec<_>>(), [missing.clone(), value("0.75")]);
    assert_eq!((&score.survey_points, &score.groups[0].percent), (&missing, &missing));
    let index = index_points(&score, &tree(), &ImportedPoints::default());
    assert_eq!((&index.areas[0].points, &index.areas[1].points), (&missing, &value("0.75")));

    policy.empty_group = EmptyGroup::Renormalise;
    let score = province(&tally, &policy);
    assert_eq!(points(&score)[0], value("0"));
    assert_eq!(score.sub_criteria[0].renormalised_without, ["p".parse().unwrap()]);
    assert_eq!(score.survey_points, value("0.75"));
    assert_eq!(score.groups[0].percent, missing);
}

#[test]
fn a_withheld_group_withholds_what_it_feeds() {
    let mut tally = tally(vec![("province", "p", uniform(BEST)), ("province", "q", uniform([9, 0, 0, 0, 0]))]);
    tally.k = 5;
    tally.withhold_small_groups();
    let mut policy = policy(&[]);
    policy.empty_group = EmptyGroup::Renormalise;
    let score = province(&tally, &policy);
    let hidden = Quantity::Without(Why::Hidden);
    assert_eq!(points(&score), [hidden.clone(), hidden.clone(), hidden.clone()]);
    assert_eq!(score.groups.iter().map(|g| g.percent.clone()).collect::<Vec<_>>(), [hidden.clone(), value("100")]);
    let cell = &score.sub_criteria[0].groups[0].questions[0];
    assert_eq!((cell.hidden.as_deref(), &cell.counts, cell.blank), (Some("fewer than 5 ballots"), &None, None));
    policy.asked.insert("1.a".parse().unwrap(), BTreeSet::from(["q".parse().unwrap()]));
    assert_eq!(points(&province(&tally, &policy))[0], value("1"));
}

#[test]
fn groups_that_do_not_feed_and_targets_without_tree_have_percents_only() {
    let free = group("free", &[("x", BEST), ("y", [1, 1, 2, 0, 0])]);
    let tally = tally(vec![("province", "p", uniform(WORST)), ("province", "n", free.clone()), ("other", "s", free)]);
    let scores = try_score(&tally, &policy(&[])).unwrap();
    assert_eq!(scores.iter().map(|s| s.code.as_str()).collect::<Vec<_>>(), ["province", "other"]);
    assert_eq!(scores[0].survey_points, value("0"));
    assert_eq!(scores[0].sub_criteria[0].groups.len(), 1);
    // (100 + (100 + 60)/4) / 2 = 70.
    assert_eq!((&scores[0].groups[1].percent, scores[0].groups[1].feeds), (&value("70"), false));
    assert_eq!(
        (&scores[1].groups[0].percent, &scores[1].survey_points),
        (&value("70"), &Quantity::Without(Why::Absent))
    );
}

#[test]
fn what_does_not_fit_is_an_error() {
    let good = tally(vec![("province", "p", uniform(BEST)), ("province", "q", uniform(BEST))]);
    let refuse = |policy| try_score(&good, &policy).unwrap_err();
    assert_eq!(refuse(policy(&[("p", "-1")])), ScoreError::NegativeWeight("p".parse().unwrap()));
    assert_eq!(refuse(policy(&[("nobody", "1")])), ScoreError::UnknownPolicyGroup("nobody".parse().unwrap()));
    assert_eq!(refuse(policy(&[("p", "0"), ("q", "0")])), ScoreError::WeightsOfNobody("1.a".parse().unwrap()));
    let mut alien = policy(&[]);
    alien.asked.insert("9.9".parse().unwrap(), BTreeSet::new());
    assert_eq!(refuse(alien), ScoreError::UnknownPolicySubCriterion("9.9".parse().unwrap()));

    let outside = tally(vec![("province", "p", group("free", &[("x", BEST), ("y", BEST)]))]);
    let error = try_score(&outside, &policy(&[])).unwrap_err();
    assert!(matches!(error, ScoreError::QuestionOutsideTree { .. }), "{error}");
    let elsewhere = tally(vec![("moon", "p", uniform(BEST))]);
    assert_eq!(try_score(&elsewhere, &policy(&[])).unwrap_err(), ScoreError::UnknownTarget("moon".parse().unwrap()));

    let mut missing = good.clone();
    missing.targets.values_mut().for_each(|groups| groups.retain(|code, _| code.as_str() == "p"));
    let with = |part: &_| {
        parsurvey_index::scoring::score(part, &tree(), &crate::world::targets(), &policy(&[]), &groups(&good))
    };
    assert!(matches!(with(&missing), Err(ScoreError::MissingGroup { .. })));
    let mut contradictory = good.clone();
    contradictory.targets.values_mut().flat_map(BTreeMap::values_mut).for_each(|group| group.ballots += 1);
    assert!(matches!(with(&contradictory), Err(ScoreError::Counts(CountsError::BadCounts { .. }))));
}

#[test]
fn parts_are_added_only_where_they_are_of_one_count() {
    let part = || tally(vec![("province", "p", uniform([1, 2, 3, 4, 5]))]);
    let mut sum = part();
    sum.merge(&part()).unwrap();
    assert_eq!(sum, tally(vec![("province", "p", uniform([2, 4, 6, 8, 10]))]));

    let mut other = part();
    other.questionnaires.values_mut().for_each(|tables| tables.version = 2);
    let before = sum.clone();
    assert!(matches!(sum.merge(&other), Err(CountsError::DifferentTables(_))));
    assert_eq!(sum, before);
    let refused = |change: fn(&mut parsurvey_index::counts::Tally)| {
        let mut other = part();
        change(&mut other);
        part().merge(&other).unwrap_err()
    };
    assert_eq!(refused(|t| t.campaign.push('x')), CountsError::Different("campaign"));
    assert_eq!(refused(|t| t.k = 99), CountsError::Different("smallest group (k)"));
    let withheld = refused(|t| {
        t.targets.values_mut().flat_map(BTreeMap::values_mut).for_each(|group| group.hidden = Some("few".to_owned()));
    });
    assert!(matches!(withheld, CountsError::WithheldPart { .. }));
}

#[test]
fn ranks_are_made_on_exact_values() {
    let entries = [("a", value("0.804")), ("b", value("0.9")), ("c", value("0.8")), ("d", value("0.9"))];
    let mut entries = entries.to_vec();
    entries.push(("e", Quantity::Without(Why::Hidden)));
    entries.push(("f", value("0.1")));
    let ranked: Vec<_> =
        rank(&entries, 2).into_iter().map(|row| (row.key, row.rank, row.same_print_other_rank)).collect();
    assert_eq!(
        ranked,
        [
            ("b", Some(1), false),
            ("d", Some(1), false),
            ("a", Some(3), true),
            ("c", Some(4), true),
            ("f", Some(5), false),
            ("e", None, false),
        ]
    );
}

#[test]
fn the_index_adds_the_parts_that_exist() {
    let score = province(&tally(vec![("province", "p", uniform(BEST))]), &policy(&[]));
    let mut imported = ImportedPoints {
        appraisal: [("1", "1.5"), ("3", "3")].map(|(area, points)| (area.parse().unwrap(), exact(points))).into(),
        sipas: BTreeMap::from([("3".parse().unwrap(), exact("8"))]),
        synthetic: true,
    };
    let index = index_points(&score, &tree(), &imported);
    let absent = Quantity::Without(Why::Absent);
    assert_eq!((&index.areas[1].appraisal, &index.areas[2].survey), (&absent, &absent));
    let sums: Vec<_> = index.areas.iter().chain([&index.total]).map(|row| row.points.clone()).collect();
    assert_eq!(sums, [value("2.5"), value("1.5"), value("11"), value("15")]);
    assert_eq!((&index.total.maximum, &index.total.percent), (&exact("18.5"), &value("3000/37")));

    imported.sipas.clear();
    let index = index_points(&score, &tree(), &imported);
    let missing = Quantity::Without(Why::NotDeterminable);
    assert_eq!((&index.areas[2].sipas, &index.areas[2].points, &index.total.points), (&absent, &missing, &missing));
    assert_eq!(index.total.appraisal, value("4.5"));
}

#[test]
fn earlier_years_are_compared_in_points_or_percents() {
    let score = province(&tally(vec![("province", "p", uniform([3, 0, 1, 0, 0]))]), &policy(&[]));
    let past = |points: &str, maximum: &str| PastPoints { points: exact(points), maximum: exact(maximum) };
    let mut history = History::default();
    history.rows.entry("1.a".parse().unwrap()).or_default().insert(2022, past("0.9", "1"));
    history.rows.entry("2.a".parse().unwrap()).or_default().insert(2022, past("0.9", "1.5"));
    let rows = compare(&score, &history, 2022);
    assert_eq!(
        rows.iter().map(|row| row.change.clone()).collect::<Vec<_>>(),
        [Change::Points(exact("-0.15")), Change::PercentPoints(exact("15")), Change::Without(Why::Absent),]
    );
    assert_eq!((&rows[1].earlier_percent, &rows[2].earlier), (&value("60"), &None));
    assert_eq!(years(&history), BTreeSet::from([2022]));
}

#[test]
fn other_weights_by_the_same_arithmetic() {
    let tally = tally(vec![("province", "p", uniform(BEST)), ("province", "q", uniform([0, 0, 12, 0, 0]))]);
    let declared = policy(&[("p", "3")]);
    let lines = sensitivity(&tally, &tree(), &"province".parse().unwrap(), &declared, &groups(&tally)).unwrap();
    let percents: Vec<_> = lines.iter().map(|line| (line.weighting.as_str(), line.survey_percent.clone())).collect();
    assert_eq!(percents, [("declared", value("75")), ("equal", value("50")), ("headcount", value("25"))]);
}

#[test]
fn a_walk_says_every_number() {
    let p = group(
        "all",
        &[("1.a", [1, 2, 3, 1, 1]), ("2.a", [8, 0, 0, 0, 0]), ("2.b1", [8, 0, 0, 0, 0]), ("2.b2", [0, 8, 0, 0, 0])],
    );
    let tally = tally(vec![("province", "p", p), ("province", "q", group("narrow", &[("1.a", BEST)]))]);
    let score = province(&tally, &policy(&[("p", "2")]));
    let walk = |code: &str| explain(&score, &tree(), &code.parse().unwrap()).unwrap();
    let formulas: Vec<_> = walk("1.a").steps.iter().map(Step::formula).collect();
    assert_eq!(
        formulas,
        [
            "(1×100 + 2×60 + 3×0) / 6 = 110/3 ≈ 36.66666666666666666666666667 ≈ 36.67",
            "(1×110/3) / 1 = 110/3 ≈ 36.66666666666666666666666667 ≈ 36.67",
            "(4×100 + 0×60 + 0×0) / 4 = 100/1 = 100 ≈ 100.00",
            "(1×100/1) / 1 = 100/1 = 100 ≈ 100.00",
            "(2×110/3 + 1×100/1) / 3 = 520/9 ≈ 57.77777777777777777777777778 ≈ 57.78",
            "1 × 520/9 / 100 = 26/45 ≈ 0.5777777777777777777777777778 ≈ 0.58",
        ]
    );
    let formulas: Vec<_> = walk("2.b").steps.iter().map(Step::formula).collect();
    assert_eq!(formulas[2], "(1×100/1 + 3×60/1) / 4 = 70/1 = 70 ≈ 70.00");
    assert_eq!(formulas[3..6], ["not_asked", "not_asked", "not_asked"]);
    assert_eq!(formulas[7], "(1/2) × 70/1 / 100 = 7/20 = 0.35 ≈ 0.35");
    assert_eq!(explain(&score, &tree(), &"9.9".parse().unwrap()), None);
    assert_eq!(Exact::from(3_u64).to_string(), "3/1");
}
