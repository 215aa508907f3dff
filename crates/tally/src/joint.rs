//! The count of one target × group: distinct answer vectors by the engine, then joint counts of every pair of questions.
//!
//! Everything a tally says of questions and pairs is read off the joint counts, in integers.
//! No mean is formed, and a vector never leaves this module.

use std::collections::{BTreeMap, HashMap};

use parsurvey_index::code::{GroupCode, QuestionnaireCode};
use parsurvey_index::counts::{GroupTally, OptionTables, PairMoments, QuestionCounts, QuestionTable, ShapeCounts};
use parsurvey_index::merging::CountsError;
use polars::prelude::{Column, DataFrame, IdxSize, IntoLazy, PolarsResult, col, len};

use crate::counter::{Asked, BLANK, CountError, NO_OPINION};

/// The name of the engine's column of multiplicities; questions are named by their place.
const BALLOTS: &str = "ballots";

pub(crate) struct GroupCount {
    questionnaire: QuestionnaireCode,
    /// The whole questionnaire in shown order, and whether each question was asked.
    questions: Vec<(QuestionTable, bool)>,
    /// Places of the questions asked.
    asked: Vec<usize>,
    ballots: u64,
    /// Answers to the questions asked that wait for the engine, one column each.
    waiting: Vec<Vec<u8>>,
    /// Ballots per pair of states, for every pair `a ≤ b` of the questions asked, in shown order.
    joint: Vec<Vec<u64>>,
    longest_run: BTreeMap<u32, u64>,
    variance: BTreeMap<(i128, i128), u64>,
    vectors: HashMap<Box<[u8]>, u64>,
    /// The common denominator of all questions asked, for variances.
    common: i128,
}

/// Above this a variance of a hundred questions could leave 128 bits.
const LARGEST_COMMON_DENOMINATOR: i128 = 1_000_000_000_000;

impl GroupCount {
    pub(crate) fn new(tables: &OptionTables, asked: &Asked) -> Result<Self, CountsError> {
        let questions: Vec<_> =
            tables.questions.iter().map(|table| (table.clone(), asked.questions.contains(&table.code))).collect();
        let places: Vec<_> = (0..questions.len()).filter(|place| questions[*place].1).collect();
        let states = |place: usize| questions[place].0.options.len() + 2;
        let joint = pairs(places.len()).map(|(a, b)| vec![0; states(places[a]) * states(places[b])]).collect();
        let common = questions.iter().try_fold(1, |common, (table, _)| {
            let denominator = i128::from(table.denominator);
            let next = common / gcd(common, denominator) * denominator;
            (next <= LARGEST_COMMON_DENOMINATOR).then_some(next).ok_or(CountsError::TooLarge)
        })?;
        Ok(Self {
            questionnaire: asked.questionnaire.clone(),
            ballots: 0,
            waiting: vec![Vec::new(); places.len()],
            joint,
            longest_run: BTreeMap::new(),
            variance: BTreeMap::new(),
            vectors: HashMap::new(),
            asked: places,
            questions,
            common,
        })
    }

    pub(crate) fn push(&mut self, group: &GroupCode, answers: &[u8]) -> Result<(), CountError> {
        if answers.len() != self.questions.len() {
            return Err(CountError::WrongLength {
                group: group.clone(),
                found: answers.len(),
                expected: self.questions.len(),
            });
        }
        for (answer, (table, asked)) in answers.iter().zip(&self.questions) {
            let place = || (group.clone(), table.code.clone());
            if !asked && *answer != BLANK {
                let (group, question) = place();
                return Err(CountError::NotAsked { group, question });
            }
            if *answer != NO_OPINION && usize::from(*answer) > table.options.len() {
                let (group, question) = place();
                return Err(CountError::NoSuchOption { group, question });
            }
        }
        for (column, place) in self.waiting.iter_mut().zip(&self.asked) {
            column.push(answers[*place]);
        }
        self.ballots += 1;
        Ok(())
    }

    /// Hands what waits to the engine, which reduces it to distinct vectors with their multiplicity, and adds those up.
    pub(crate) fn flush(&mut self) -> Result<(), CountError> {
        let columns: Vec<Vec<u8>> = self.waiting.iter_mut().map(std::mem::take).collect();
        if columns.first().is_none_or(Vec::is_empty) {
            return Ok(());
        }
        let (columns, multiplicities) = distinct(columns)?;
        let mut vector = vec![0; columns.len()];
        for (row, n) in multiplicities.into_iter().enumerate() {
            for (answer, column) in vector.iter_mut().zip(&columns) {
                *answer = column[row];
            }
            self.add(&vector, n);
        }
        Ok(())
    }

    fn table(&self, asked: usize) -> &QuestionTable {
        &self.questions[self.asked[asked]].0
    }

    fn add(&mut self, vector: &[u8], n: u64) {
        let states: Vec<(usize, usize)> = vector
            .iter()
            .enumerate()
            .map(|(place, answer)| {
                let options = self.table(place).options.len();
                (if *answer == NO_OPINION { options + 1 } else { usize::from(*answer) }, options + 2)
            })
            .collect();
        for ((a, b), joint) in pairs(states.len()).zip(&mut self.joint) {
            joint[states[a].0 * states[b].1 + states[b].0] += n;
        }
        *self.longest_run.entry(longest_run(vector)).or_default() += n;
        if let Some(variance) = self.variance_of(vector) {
            *self.variance.entry(variance).or_default() += n;
        }
        *self.vectors.entry(vector.into()).or_default() += n;
    }

    /// The variance of one ballot's substantive percents as a reduced fraction: (nΣx² − (Σx)²) / n².
    fn variance_of(&self, vector: &[u8]) -> Option<(i128, i128)> {
        let common = self.common;
        let (mut n, mut sum, mut squares) = (0_i128, 0_i128, 0_i128);
        for (place, answer) in vector.iter().enumerate() {
            if !matches!(*answer, BLANK | NO_OPINION) {
                let table = self.table(place);
                let numerator = table.options[usize::from(*answer) - 1].percent_numerator;
                let x = i128::from(numerator) * (common / i128::from(table.denominator));
                n += 1;
                sum += x;
                squares += x * x;
            }
        }
        let (numerator, denominator) = (n * squares - sum * sum, n * n * common * common);
        let divisor = gcd(numerator, denominator);
        (n > 0).then(|| (numerator / divisor, denominator / divisor))
    }

    pub(crate) fn tally(&self) -> Result<GroupTally, CountsError> {
        let mut tally = GroupTally {
            ballots: self.ballots,
            questionnaire: self.questionnaire.clone(),
            hidden: None,
            questions: BTreeMap::new(),
            pairs: Vec::with_capacity(self.joint.len()),
            shape: self.shape(),
        };
        for ((a, b), joint) in pairs(self.asked.len()).zip(&self.joint) {
            let (x, y) = (self.table(a), self.table(b));
            if a == b {
                tally.questions.insert(x.code.clone(), question_counts(x, joint));
            }
            tally.pairs.push(moments(x, y, joint)?);
        }
        Ok(tally)
    }

    fn shape(&self) -> ShapeCounts {
        let mut copies = BTreeMap::new();
        for same in self.vectors.values() {
            *copies.entry(*same).or_default() += same;
        }
        ShapeCounts {
            longest_run: self.longest_run.clone(),
            variance: self.variance.iter().map(|((n, d), ballots)| (format!("{n}/{d}"), *ballots)).collect(),
            copies,
        }
    }
}

/// The distinct rows of equally long columns, each with the number of times it stands there. A vector may come back in
/// several chunks, never twice in one.
fn distinct(columns: Vec<Vec<u8>>) -> PolarsResult<(Vec<Vec<u8>>, Vec<u64>)> {
    let height = columns.first().map_or(0, Vec::len);
    let names: Vec<String> = (0..columns.len()).map(|place| place.to_string()).collect();
    let columns = names.iter().zip(columns).map(|(name, answers)| Column::new(name.as_str().into(), answers)).collect();
    let keys: Vec<_> = names.iter().map(|name| col(name.as_str())).collect();
    let frame = DataFrame::new(height, columns)?.lazy().group_by(keys).agg([len().alias(BALLOTS)]).collect()?;
    let column =
        |name: &String| -> PolarsResult<Vec<u8>> { Ok(frame.column(name)?.u8()?.into_no_null_iter().collect()) };
    let vectors = names.iter().map(column).collect::<PolarsResult<_>>()?;
    let multiplicities: Vec<IdxSize> = frame.column(BALLOTS)?.idx()?.into_no_null_iter().collect();
    Ok((vectors, multiplicities.into_iter().map(u64::from).collect()))
}

/// Unordered pairs of `0..n` with each member paired with itself, in shown order.
fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |a| (a..n).map(move |b| (a, b)))
}

/// Of a question's joint counts with itself, only the diagonal is not zero.
fn question_counts(table: &QuestionTable, joint: &[u64]) -> QuestionCounts {
    let width = table.options.len() + 2;
    let state = |state: usize| joint[state * width + state];
    QuestionCounts {
        options: table.options.iter().zip(1..).map(|(option, place)| (option.code.clone(), state(place))).collect(),
        no_opinion: state(width - 1),
        blank: state(0),
    }
}

fn moments(x: &QuestionTable, y: &QuestionTable, joint: &[u64]) -> Result<PairMoments, CountsError> {
    let (rows, width) = (x.options.len() + 2, y.options.len() + 2);
    let answered_both = (1..rows).flat_map(|a| &joint[a * width + 1..(a + 1) * width]).sum();
    let mut substantive_both = 0;
    let mut sums = [0_i128; 5];
    for (option_x, a) in x.options.iter().zip(1..) {
        for (option_y, b) in y.options.iter().zip(1..) {
            let n = joint[a * width + b];
            let (px, py) = (i128::from(option_x.percent_numerator), i128::from(option_y.percent_numerator));
            substantive_both += n;
            for (sum, term) in sums.iter_mut().zip([px, py, px * px, py * py, px * py]) {
                let grown = i128::from(n).checked_mul(term).and_then(|part| sum.checked_add(part));
                *sum = grown.ok_or(CountsError::TooLarge)?;
            }
        }
    }
    let narrow = |sum: i128| i64::try_from(sum).map_err(|_| CountsError::TooLarge);
    Ok(PairMoments {
        a: x.code.clone(),
        b: y.code.clone(),
        answered_both,
        substantive_both,
        sum_x: narrow(sums[0])?,
        sum_y: narrow(sums[1])?,
        sum_xx: narrow(sums[2])?,
        sum_yy: narrow(sums[3])?,
        sum_xy: narrow(sums[4])?,
    })
}

/// The longest run of one option's place; a blank or "no opinion" ends a run and is none itself.
fn longest_run(vector: &[u8]) -> u32 {
    let (mut longest, mut run, mut before) = (0, 0, BLANK);
    for answer in vector {
        run = match *answer {
            BLANK | NO_OPINION => 0,
            same if same == before => run + 1,
            _ => 1,
        };
        before = *answer;
        longest = longest.max(run);
    }
    longest
}

fn gcd(a: i128, b: i128) -> i128 {
    if b == 0 { a.abs().max(1) } else { gcd(b, a % b) }
}
