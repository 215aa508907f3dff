//! Adding tallies up, withholding small groups, and checking that a tally's numbers fit each other.
//!
//! Adding is exact for counts and moments. It is not for [`ShapeCounts::copies`]: a vector that stands once in each of
//! two parts is seen as a copy by neither, so a merged histogram of copies is a lower bound.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use crate::code::{GroupCode, QuestionCode, QuestionnaireCode, TargetCode};
use crate::counts::{GroupTally, OptionTables, PairMoments, QuestionCounts, ShapeCounts, Tally};

/// Why two tallies cannot be added, or why one does not hold together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountsError {
    /// The parts differ in something that must be the same.
    #[error("the tallies differ in their {0}; only parts of one count can be added")]
    Different(&'static str),
    /// The parts were counted with different option tables.
    #[error(
        "the tallies were counted with different option tables of questionnaire {0}; count all ballots with one table"
    )]
    DifferentTables(QuestionnaireCode),
    /// A part's counts were withheld, so they cannot be added.
    #[error("the counts of group {group} for {target} are withheld in one part; count its ballots together")]
    WithheldPart {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
    },
    /// A number grew beyond what the format holds.
    #[error("a count is too large for the tally's format")]
    TooLarge,
    /// A group names a questionnaire whose option tables are not there.
    #[error("the tally has no option tables for questionnaire {0}")]
    NoTables(QuestionnaireCode),
    /// An option table is unusable.
    #[error("the option table of question {question} is unusable: {reason}")]
    BadTable {
        /// The question.
        question: QuestionCode,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The numbers of one question do not fit the table or the number of ballots.
    #[error("the counts of question {question} in group {group} for {target} do not hold together: {reason}")]
    BadCounts {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
        /// What is wrong with them.
        reason: &'static str,
    },
    /// A group with fewer ballots than k shows its counts, or a withheld group still carries numbers.
    #[error(
        "group {group} for {target} has {ballots} ballots, k is {k}, and its counts are not withheld as they must be"
    )]
    NotWithheld {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
        /// Its ballots.
        ballots: u64,
        /// The threshold.
        k: u64,
    },
}

impl Tally {
    /// Adds `other` to `self`; `self` is unchanged when it fails.
    ///
    /// # Errors
    /// The parts differ in campaign, k, format, tables or a group's questionnaire, or one part withholds a group's counts.
    pub fn merge(&mut self, other: &Tally) -> Result<(), CountsError> {
        let mut sum = self.clone();
        sum.add(other)?;
        *self = sum;
        Ok(())
    }

    fn add(&mut self, other: &Tally) -> Result<(), CountsError> {
        for (differ, what) in [
            (self.format != other.format, "format"),
            (self.campaign != other.campaign, "campaign"),
            (self.k != other.k, "smallest group (k)"),
            (self.box_sha256 != other.box_sha256, "box"),
        ] {
            if differ {
                return Err(CountsError::Different(what));
            }
        }
        self.synthetic |= other.synthetic;
        grow(&mut self.unreadable, other.unreadable)?;
        for (code, tables) in &other.questionnaires {
            if self.questionnaires.entry(code.clone()).or_insert_with(|| tables.clone()) != tables {
                return Err(CountsError::DifferentTables(code.clone()));
            }
        }
        for (target, groups) in &other.targets {
            let own = self.targets.entry(target.clone()).or_default();
            for (group, tally) in groups {
                match own.get_mut(group) {
                    None => {
                        own.insert(group.clone(), tally.clone());
                    }
                    Some(sum) => add_group(sum, tally).map_err(|error| match error {
                        GroupError::Counts(error) => error,
                        GroupError::Withheld => {
                            CountsError::WithheldPart { target: target.clone(), group: group.clone() }
                        }
                    })?,
                }
            }
        }
        Ok(())
    }

    /// Empties every group with ballots but fewer than k, and says why. A group without ballots has nobody to protect:
    /// its zeros stay, so that a score can tell "nobody answered" from "withheld".
    pub fn withhold_small_groups(&mut self) {
        let k = self.k;
        for group in self.targets.values_mut().flat_map(BTreeMap::values_mut) {
            if (1..k).contains(&group.ballots) && group.hidden.is_none() {
                group.hidden = Some(format!("fewer than {k} ballots"));
                group.questions.clear();
                group.pairs.clear();
                group.shape = ShapeCounts::default();
            }
        }
    }

    /// Checks that tables, counts and ballots fit each other. A tally made elsewhere is checked before it is scored.
    ///
    /// # Errors
    /// The first thing that does not hold together.
    pub fn verify(&self) -> Result<(), CountsError> {
        for tables in self.questionnaires.values() {
            verify_tables(tables)?;
        }
        for (target, groups) in &self.targets {
            for (group, tally) in groups {
                let tables = self
                    .questionnaires
                    .get(&tally.questionnaire)
                    .ok_or_else(|| CountsError::NoTables(tally.questionnaire.clone()))?;
                self.verify_withheld(target, group, tally)?;
                for (question, counts) in &tally.questions {
                    verify_question(tables, tally.ballots, question, counts).map_err(|reason| {
                        CountsError::BadCounts {
                            target: target.clone(),
                            group: group.clone(),
                            question: question.clone(),
                            reason,
                        }
                    })?;
                }
            }
        }
        Ok(())
    }

    fn verify_withheld(&self, target: &TargetCode, group: &GroupCode, tally: &GroupTally) -> Result<(), CountsError> {
        let empty = tally.questions.is_empty() && tally.pairs.is_empty() && tally.shape == ShapeCounts::default();
        let small = (1..self.k).contains(&tally.ballots);
        if if tally.hidden.is_some() { empty } else { !small } {
            return Ok(());
        }
        Err(CountsError::NotWithheld {
            target: target.clone(),
            group: group.clone(),
            ballots: tally.ballots,
            k: self.k,
        })
    }
}

fn verify_tables(tables: &OptionTables) -> Result<(), CountsError> {
    for (place, table) in tables.questions.iter().enumerate() {
        let hundred = table.denominator.checked_mul(100);
        let reason = if table.denominator <= 0 {
            Some("its denominator is not above zero")
        } else if table.options.is_empty() {
            Some("it has no options")
        } else if table.options.iter().any(|o| o.percent_numerator < 0 || Some(o.percent_numerator) > hundred) {
            Some("a percent lies outside 0 to 100")
        } else if table.options.iter().enumerate().any(|(i, o)| table.options[..i].iter().any(|p| p.code == o.code)) {
            Some("an option stands twice")
        } else if tables.questions[..place].iter().any(|earlier| earlier.code == table.code) {
            Some("the question stands twice")
        } else {
            None
        };
        if let Some(reason) = reason {
            return Err(CountsError::BadTable { question: table.code.clone(), reason });
        }
    }
    Ok(())
}

fn verify_question(
    tables: &OptionTables,
    ballots: u64,
    question: &QuestionCode,
    counts: &QuestionCounts,
) -> Result<(), &'static str> {
    let table = tables
        .questions
        .iter()
        .find(|table| table.code == *question)
        .ok_or("the questionnaire has no such question")?;
    if counts.options.len() != table.options.len()
        || !table.options.iter().all(|option| counts.options.contains_key(&option.code))
    {
        return Err("its options are not those of the table");
    }
    // Summed wide, because the numbers come from a file and may be anything.
    let wide = |n: &u64| u128::from(*n);
    let total = counts.options.values().map(wide).sum::<u128>() + wide(&counts.no_opinion) + wide(&counts.blank);
    if total == u128::from(ballots) {
        Ok(())
    } else {
        Err("options, no opinion and blank do not add up to the ballots")
    }
}

enum GroupError {
    Counts(CountsError),
    Withheld,
}

impl From<CountsError> for GroupError {
    fn from(error: CountsError) -> Self {
        GroupError::Counts(error)
    }
}

fn add_group(sum: &mut GroupTally, part: &GroupTally) -> Result<(), GroupError> {
    if sum.questionnaire != part.questionnaire {
        return Err(CountsError::Different("groups' questionnaires").into());
    }
    if sum.hidden.is_some() || part.hidden.is_some() {
        return Err(GroupError::Withheld);
    }
    if !sum.questions.keys().eq(part.questions.keys()) || sum.pairs.len() != part.pairs.len() {
        return Err(CountsError::Different("questions asked of a group").into());
    }
    grow(&mut sum.ballots, part.ballots)?;
    for (own, other) in sum.questions.values_mut().zip(part.questions.values()) {
        add_histogram(&mut own.options, &other.options)?;
        grow(&mut own.no_opinion, other.no_opinion)?;
        grow(&mut own.blank, other.blank)?;
    }
    for (own, other) in sum.pairs.iter_mut().zip(&part.pairs) {
        add_pair(own, other)?;
    }
    add_histogram(&mut sum.shape.longest_run, &part.shape.longest_run)?;
    add_histogram(&mut sum.shape.variance, &part.shape.variance)?;
    add_histogram(&mut sum.shape.copies, &part.shape.copies)?;
    Ok(())
}

fn add_pair(sum: &mut PairMoments, part: &PairMoments) -> Result<(), CountsError> {
    if (&sum.a, &sum.b) != (&part.a, &part.b) {
        return Err(CountsError::Different("pairs of questions"));
    }
    grow(&mut sum.answered_both, part.answered_both)?;
    grow(&mut sum.substantive_both, part.substantive_both)?;
    for (own, other) in [
        (&mut sum.sum_x, part.sum_x),
        (&mut sum.sum_y, part.sum_y),
        (&mut sum.sum_xx, part.sum_xx),
        (&mut sum.sum_yy, part.sum_yy),
        (&mut sum.sum_xy, part.sum_xy),
    ] {
        *own = own.checked_add(other).ok_or(CountsError::TooLarge)?;
    }
    Ok(())
}

fn add_histogram<K: Ord + Clone>(sum: &mut BTreeMap<K, u64>, part: &BTreeMap<K, u64>) -> Result<(), CountsError> {
    for (key, count) in part {
        grow(sum.entry(key.clone()).or_default(), *count)?;
    }
    Ok(())
}

fn grow(sum: &mut u64, part: u64) -> Result<(), CountsError> {
    if sum.checked_add(part).is_none() {
        return Err(CountsError::TooLarge);
    }
    sum.add_assign(part);
    Ok(())
}
