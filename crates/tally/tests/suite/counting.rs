//! Rules of counting: what adds up to what, whatever the order and the chunks.
//!
//! Moments are compared with a plain loop over the responses, so the engine is not checked against itself.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parsurvey_index::code::GroupCode;
use parsurvey_index::counts::{GroupTally, OptionPercent, OptionTables, PairMoments, QuestionTable, Tally};
use parsurvey_tally::counter::{Asked, BLANK, CountError, Counter, Frame, NO_OPINION, Response};
use parsurvey_tally::file::{TallyError, read_tally, tally_bytes};
use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest};

use crate::fixture;

/// Three questions of 3, 3 and 2 options, with different denominators and one shown worst first.
fn tables() -> OptionTables {
    let question = |code: &str, denominator, percents: &[i64]| QuestionTable {
        code: code.parse().unwrap(),
        denominator,
        options: percents
            .iter()
            .zip(1..)
            .map(|(n, place)| OptionPercent { code: format!("o{place}").parse().unwrap(), percent_numerator: *n })
            .collect(),
    };
    OptionTables {
        version: 1,
        questions: vec![
            question("a", 1, &[100, 50, 0]),
            question("b", 3, &[0, 100, 300]),
            question("c", 2, &[200, 75]),
        ],
    }
}

fn frame(k: u64) -> Frame {
    let asked = Asked::all("q".parse().unwrap(), &tables());
    let groups = ["one", "two"].map(|group| (group.parse().unwrap(), asked.clone()));
    Frame {
        campaign: "trial".to_owned(),
        synthetic: true,
        k,
        questionnaires: BTreeMap::from([("q".parse().unwrap(), tables())]),
        targets: BTreeMap::from([("t".parse().unwrap(), BTreeMap::from(groups))]),
    }
}

fn response(group: &str, answers: &[u8]) -> Response {
    Response { target: "t".parse().unwrap(), group: group.parse().unwrap(), answers: answers.to_vec() }
}

fn count(k: u64, chunk: usize, responses: &[Response]) -> Tally {
    let mut counter = Counter::new(frame(k)).unwrap().with_chunk(chunk);
    for response in responses {
        counter.push(response).unwrap();
    }
    counter.finish().unwrap()
}

fn group<'a>(tally: &'a Tally, group: &str) -> &'a GroupTally {
    &tally.targets[&"t".parse().unwrap()][&group.parse::<GroupCode>().unwrap()]
}

fn responses() -> impl Strategy<Value = Vec<Response>> {
    let answer = |options: u8| prop_oneof![Just(BLANK), Just(NO_OPINION), 1..=options];
    let one = (0..2_usize, answer(3), answer(3), answer(2))
        .prop_map(|(group, a, b, c)| response(["one", "two"][group], &[a, b, c]));
    proptest::collection::vec(one, 0..40)
}

fn moments_by_hand(responses: &[Response], x: usize, y: usize) -> PairMoments {
    let tables = tables().questions;
    let mut sum = PairMoments {
        a: tables[x].code.clone(),
        b: tables[y].code.clone(),
        answered_both: 0,
        substantive_both: 0,
        sum_x: 0,
        sum_y: 0,
        sum_xx: 0,
        sum_yy: 0,
        sum_xy: 0,
    };
    for response in responses {
        let (a, b) = (response.answers[x], response.answers[y]);
        sum.answered_both += u64::from(a != BLANK && b != BLANK);
        let numerator = |question: usize, answer: u8| {
            tables[question].options.get(usize::from(answer).wrapping_sub(1)).map(|option| option.percent_numerator)
        };
        if let (Some(px), Some(py)) = (numerator(x, a), numerator(y, b)) {
            sum.substantive_both += 1;
            sum.sum_x += px;
            sum.sum_y += py;
            sum.sum_xx += px * px;
            sum.sum_yy += py * py;
            sum.sum_xy += px * py;
        }
    }
    sum
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn order_and_chunks_change_nothing(responses in responses(), chunk in 1..20_usize, turn in 0..40_usize) {
        let mut turned = responses.clone();
        turned.rotate_left(turn.min(responses.len()));
        let whole = count(1, usize::MAX, &responses);
        prop_assert_eq!(tally_bytes(&whole), tally_bytes(&count(1, chunk, &turned)));
        prop_assert_eq!(whole.verify(), Ok(()));
        prop_assert_eq!(read_tally(&tally_bytes(&whole)).unwrap(), whole);
    }

    #[test]
    fn parts_add_up_to_the_whole(responses in responses(), cut in 0..40_usize) {
        let (left, right) = responses.split_at(cut.min(responses.len()));
        let mut sum = count(1, 7, left);
        sum.merge(&count(1, 7, right)).unwrap();
        let mut whole = count(1, 7, &responses);
        // Copies across parts cannot be seen in their histograms; everything else adds up.
        for tally in [&mut sum, &mut whole] {
            for group in tally.targets.values_mut().flat_map(BTreeMap::values_mut) {
                group.shape.copies.clear();
            }
        }
        prop_assert_eq!(sum, whole);
    }

    #[test]
    fn moments_are_those_of_a_plain_loop(responses in responses()) {
        let tally = count(1, 11, &responses);
        for name in ["one", "two"] {
            let own: Vec<_> = responses.iter().filter(|r| r.group.as_str() == name).cloned().collect();
            let by_hand: Vec<_> =
                (0..3).flat_map(|x| (x..3).map(move |y| (x, y))).map(|(x, y)| moments_by_hand(&own, x, y)).collect();
            prop_assert_eq!(&group(&tally, name).pairs, &by_hand);
            let shape = &group(&tally, name).shape;
            prop_assert_eq!(shape.longest_run.values().sum::<u64>(), own.len() as u64);
            prop_assert_eq!(shape.copies.values().sum::<u64>(), own.len() as u64);
        }
    }
}

#[test]
fn shape_of_a_few_ballots() {
    let ballots = [[1, 1, 1], [1, 1, 1], [2, NO_OPINION, 2], [BLANK, BLANK, BLANK]];
    let ballots: Vec<_> = ballots.iter().map(|answers| response("one", answers)).collect();
    let tally = count(1, 4, &ballots);
    let shape = &group(&tally, "one").shape;
    assert_eq!(shape.longest_run, BTreeMap::from([(0, 1), (1, 1), (3, 2)]));
    // 100, 0, 100 twice: 20000/9; 50 and 37.5: (12.5/2)² = 625/16. An empty ballot has no variance.
    assert_eq!(shape.variance, BTreeMap::from([("20000/9".to_owned(), 2), ("625/16".to_owned(), 1)]));
    assert_eq!(shape.copies, BTreeMap::from([(1, 2), (2, 2)]));
}

#[test]
fn a_group_below_k_keeps_only_its_ballots_and_an_empty_one_its_zeros() {
    let tally = count(3, 100, &[response("one", &[1, 2, 1]), response("one", &[3, 3, 2])]);
    let (small, empty) = (group(&tally, "one"), group(&tally, "two"));
    assert_eq!((small.ballots, small.hidden.as_deref()), (2, Some("fewer than 3 ballots")));
    assert!(small.questions.is_empty() && small.pairs.is_empty() && small.shape.longest_run.is_empty());
    assert_eq!((empty.ballots, &empty.hidden, empty.questions.len()), (0, &None, 3));
}

#[test]
fn a_response_that_does_not_fit_is_refused_and_not_counted() {
    let mut counter = Counter::new(frame(1)).unwrap();
    let mut refuse = |group: &str, answers: &[u8]| counter.push(&response(group, answers)).unwrap_err();
    assert!(matches!(refuse("three", &[1, 1, 1]), CountError::UnknownGroup { .. }));
    assert!(matches!(refuse("one", &[1, 1]), CountError::WrongLength { found: 2, expected: 3, .. }));
    assert!(matches!(refuse("one", &[1, 1, 3]), CountError::NoSuchOption { .. }));
    assert_eq!(group(&counter.finish().unwrap(), "one").ballots, 0);

    let mut narrowed = frame(1);
    let asked = narrowed.targets.get_mut(&"t".parse().unwrap()).unwrap().get_mut(&"one".parse().unwrap()).unwrap();
    asked.questions.remove(&"b".parse().unwrap());
    let mut counter = Counter::new(narrowed).unwrap();
    assert!(matches!(counter.push(&response("one", &[1, 2, 1])), Err(CountError::NotAsked { .. })));
    counter.push(&response("one", &[1, BLANK, 1])).unwrap();
    let tally = counter.finish().unwrap();
    assert_eq!(group(&tally, "one").questions.len(), 2);
    assert_eq!(group(&tally, "one").pairs.len(), 3);
}

#[test]
fn a_tally_file_says_what_is_wrong_with_it() {
    let good = String::from_utf8(tally_bytes(&count(1, 9, &[response("one", &[1, 1, 1])]))).unwrap();
    let read = |text: &str| read_tally(text.as_bytes()).unwrap_err();
    assert!(matches!(read("PK"), TallyError::NotATally(_)));
    assert!(matches!(read("{}"), TallyError::NotATally(_)));
    let newer = read("{\"format\":2,\"what\":\"ever\"}");
    assert!(newer.to_string().contains("use a newer version"), "{newer}");
    assert!(matches!(read("{\"format\":1}"), TallyError::Malformed(_)));
    let wrong = good.replacen("\"ballots\":1", "\"ballots\":2", 1);
    assert!(matches!(read(&wrong), TallyError::Inconsistent(_)));
    read_tally(good.as_bytes()).unwrap();
}

/// 851 ballots of 22 questions are 253 pairs: well under a second, unoptimised.
#[test]
fn a_province_is_counted_at_once() {
    let mut counter = Counter::new(fixture::frame(&[])).unwrap();
    let responses: Vec<_> = (0..851_u32)
        .map(|n| Response {
            target: fixture::hanoi(),
            group: fixture::GROUPS[n as usize % 4].parse().unwrap(),
            answers: (0..22).map(|q| u8::try_from((n * 7 + n / 5 * q + q * q) % 5 + 1).unwrap()).collect(),
        })
        .collect();
    let start = Instant::now();
    for response in &responses {
        counter.push(response).unwrap();
    }
    counter.finish().unwrap();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}
