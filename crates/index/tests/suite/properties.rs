//! What is true of every tally: bounds, order, addition, and that one answer moves only what depends on it.
//!
//! Tallies are made from ballots drawn at random, so that counts and ballots always fit each other.

use parsurvey_index::counts::Tally;
use parsurvey_index::exact::{Exact, Quantity};
use parsurvey_index::policy::Policy;
use parsurvey_index::score::TargetScore;
use proptest::prelude::{ProptestConfig, Strategy, prop_assert, prop_assert_eq, proptest};

use crate::world::{PERCENTS, QUESTIONS, Row, exact, group, policy, province, tally};

/// One ballot: for each question 0–2 an option, 3 no opinion, 4 blank.
type Ballot = [usize; 4];

fn ballots() -> impl Strategy<Value = Vec<Ballot>> {
    proptest::collection::vec([0..5_usize, 0..5, 0..5, 0..5], 1..30)
}

fn weights() -> impl Strategy<Value = Policy> {
    (1..9_u64, 1..9_u64).prop_map(|(p, q)| policy(&[("p", &p.to_string()), ("q", &q.to_string())]))
}

fn of(ballots: &[Ballot]) -> parsurvey_index::counts::GroupTally {
    let rows: Vec<(&str, Row)> = QUESTIONS
        .iter()
        .enumerate()
        .map(|(place, code)| {
            let mut row = [0; 5];
            ballots.iter().for_each(|ballot| row[ballot[place]] += 1);
            (*code, row)
        })
        .collect();
    group("all", &rows)
}

fn counted(p: &[Ballot], q: &[Ballot]) -> Tally {
    tally(vec![("province", "p", of(p)), ("province", "q", of(q))])
}

fn every_value(score: &TargetScore) -> Vec<(Quantity, Exact)> {
    let rows = score.sub_criteria.iter().map(|row| (row.points.clone(), row.maximum.clone()));
    let areas = score.areas.iter().map(|area| (area.points.clone(), area.maximum.clone()));
    let percents = score.groups.iter().map(|group| (group.percent.clone(), exact("100")));
    rows.chain(areas).chain(percents).chain([(score.survey_points.clone(), score.survey_maximum.clone())]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn points_lie_between_zero_and_the_maximum(p in ballots(), q in ballots(), policy in weights()) {
        for (value, maximum) in every_value(&province(&counted(&p, &q), &policy)) {
            if let Quantity::Value(value) = value {
                prop_assert!(!value.is_negative() && value <= maximum, "{value} of {maximum}");
            }
        }
    }

    #[test]
    fn the_order_of_ballots_changes_nothing(p in ballots(), q in ballots(), policy in weights(), turn in 0..30_usize) {
        let mut turned = p.clone();
        turned.rotate_left(turn % p.len());
        turned.reverse();
        prop_assert_eq!(province(&counted(&p, &q), &policy), province(&counted(&turned, &q), &policy));
    }

    #[test]
    fn parts_add_up_to_the_whole(p in ballots(), q in ballots(), cut in 0..30_usize) {
        let (left, right) = p.split_at(cut.min(p.len()));
        let mut sum = counted(left, &q);
        sum.merge(&counted(right, &[])).unwrap();
        prop_assert_eq!(sum, counted(&p, &q));
    }

    /// Scaling every weight by the same factor is the same policy.
    #[test]
    fn only_ratios_of_weights_matter(p in ballots(), q in ballots(), policy in weights(), factor in 1..50_u64) {
        let mut scaled = policy.clone();
        scaled.weights.values_mut().for_each(|weight| *weight = &*weight * &Exact::from(factor));
        let points = |policy| province(&counted(&p, &q), policy).survey_points;
        prop_assert_eq!(points(&policy), points(&scaled));
    }

    /// Moving one substantive answer of `p` to 2.a moves that row by Δpercent / n × w / Σw / 100, its sums as much, and nothing else.
    #[test]
    fn one_answer_moves_points_by_the_exact_fraction(
        p in ballots(), q in ballots(), policy in weights(), who in 0..30_usize, from in 0..3_usize, to in 0..3_usize,
    ) {
        let mut p = p;
        // Everyone has an opinion, so that every sum has a value.
        p.iter_mut().for_each(|ballot| ballot.iter_mut().for_each(|answer| *answer %= 3));
        let mut q = q;
        q.iter_mut().for_each(|ballot| ballot.iter_mut().for_each(|answer| *answer %= 3));
        let who = who % p.len();
        p[who][1] = from;
        let before = province(&counted(&p, &q), &policy);
        p[who][1] = to;
        let after = province(&counted(&p, &q), &policy);
        let (wp, wq) = (policy.weight(&"p".parse().unwrap()), policy.weight(&"q".parse().unwrap()));
        let percent = Exact::ratio(PERCENTS[to] - PERCENTS[from], p.len()).unwrap();
        let moved = (&percent * &wp).checked_div(&(&wp + &wq)).unwrap() / 100;
        // Rows 1.a, 2.a, 2.b; areas 1, 2; groups p, q, whose maxima sum to 2.5; the survey.
        let zero = Exact::zero;
        let expected =
            [zero(), moved.clone(), zero(), zero(), moved.clone(), &percent * &exact("2/5"), zero(), moved.clone()];
        let differences: Vec<_> = every_value(&after)
            .iter()
            .zip(every_value(&before))
            .map(|((after, _), (before, _))| after.value().unwrap() - before.value().unwrap())
            .collect();
        prop_assert_eq!(differences, expected);
    }
}
