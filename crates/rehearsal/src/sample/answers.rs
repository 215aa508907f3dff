//! What the people of the sample answer: levels from 1 (worst) to 5 (best), turned into the options of the form.
//!
//! Where the calibrated answers have a level it is used; elsewhere a seeded one. The levels are oriented, the options are
//! as shown, so a question about a bad thing gets the option that is worth the same, whatever its place or wording.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, OptionCode, QuestionCode, SubCriterionCode, TargetCode};
use parsurvey_survey::campaign::{AnswerOption, Campaign};

use super::SampleError;
use super::dice::Dice;

/// The calibrated answers of the Hanoi sample; `sample-data/hanoi-2023/PROVENANCE.md` says what they are.
const HANOI_ANSWERS: &str = include_str!("../../../../sample-data/hanoi-2023/answers_all_asked.csv");

/// Seed of the answers that no file gives.
const ANSWER_SEED: u64 = 32;

/// How often each level is drawn where no file gives one.
const LEVELS: [(usize, usize); 5] = [(1, 2), (2, 5), (3, 18), (4, 45), (5, 30)];

/// Oriented levels per group, respondent by respondent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleAnswers {
    groups: BTreeMap<GroupCode, Vec<BTreeMap<SubCriterionCode, usize>>>,
}

impl SampleAnswers {
    /// Reads `group,respondent,<sub-criterion>…` with levels 1 to 5; an empty cell is a question that is not asked.
    ///
    /// # Errors
    /// Names the row and cell that is something else.
    pub fn parse(text: &str) -> Result<Self, SampleError> {
        let fault = |what: String| SampleError::Answers(what);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let codes: Vec<SubCriterionCode> = reader
            .headers()
            .map_err(|e| fault(e.to_string()))?
            .iter()
            .skip(2)
            .map(|code| code.parse().map_err(|e| fault(format!("{e}"))))
            .collect::<Result<_, _>>()?;
        let mut groups: BTreeMap<GroupCode, Vec<_>> = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| fault(e.to_string()))?;
            let group: GroupCode = record[0].parse().map_err(|e| fault(format!("{e}")))?;
            let mut levels = BTreeMap::new();
            for (code, cell) in codes.iter().zip(record.iter().skip(2)).filter(|(_, cell)| !cell.is_empty()) {
                let level = cell.parse().ok().filter(|level| (1..=5).contains(level));
                let level = level.ok_or_else(|| fault(format!("{group} {}: '{cell}' is no level", &record[1])))?;
                levels.insert(code.clone(), level);
            }
            groups.entry(group).or_default().push(levels);
        }
        Ok(Self { groups })
    }

    /// What the seat answers: an option for each question, in shown order.
    ///
    /// `seat` counts from 0 among the seats of the group that answer: one that is excused takes no number.
    ///
    /// # Errors
    /// The target has no questionnaire for the group, or the group has fewer answers than seats.
    pub fn plan(
        &self,
        campaign: &Campaign,
        target: &TargetCode,
        group: &GroupCode,
        seat: usize,
    ) -> Result<Vec<(QuestionCode, OptionCode)>, SampleError> {
        let questionnaire = campaign
            .questionnaire(target, group)
            .ok_or_else(|| SampleError::Campaign(format!("the group {group} has no form for {target}")))?;
        // Levels of a file belong to the body its sub-criteria rate; other targets share codes by chance only.
        let rated = campaign.targets.iter().any(|known| known.code == *target && known.has_tree);
        let given = match self.groups.get(group).filter(|_| rated) {
            Some(rows) => Some(rows.get(seat).ok_or_else(|| SampleError::NoMoreAnswers {
                group: group.to_string(),
                rows: rows.len(),
                seat,
            })?),
            None => None,
        };
        let mut dice = Dice::new(ANSWER_SEED, &format!("{}/{target}/{group}/{seat}", campaign.id));
        let mut plan = Vec::new();
        for question in questionnaire.questions() {
            let drawn = *dice.weighted(&LEVELS);
            let level = match (given, &question.sub_criterion) {
                (Some(levels), Some(code)) => levels.get(code).copied(),
                (Some(_), None) | (None, _) => Some(drawn),
            };
            if let Some(option) = level.and_then(|level| option_of_level(&question.options, level)) {
                plan.push((question.code.clone(), option.code.clone()));
            }
        }
        Ok(plan)
    }
}

/// The option whose percent ranks as the level does among five.
fn option_of_level(options: &[AnswerOption], level: usize) -> Option<&AnswerOption> {
    let mut ascending: Vec<&AnswerOption> = options.iter().collect();
    ascending.sort_by(|a, b| a.percent.cmp(&b.percent));
    let highest = ascending.len().checked_sub(1)?;
    // With five options the rank is the level; with fewer or more, the nearest.
    ascending.get(((level.saturating_sub(1)) * highest + 2) / 4).copied()
}

/// The plan of a seat from the answers that the project carries.
///
/// # Errors
/// See [`SampleAnswers::plan`].
pub fn answer_plan(
    campaign: &Campaign,
    target: &TargetCode,
    group: &GroupCode,
    seat: usize,
) -> Result<Vec<(QuestionCode, OptionCode)>, SampleError> {
    use std::sync::OnceLock;
    static ANSWERS: OnceLock<Result<SampleAnswers, SampleError>> = OnceLock::new();
    match ANSWERS.get_or_init(|| SampleAnswers::parse(HANOI_ANSWERS)) {
        Ok(answers) => answers.plan(campaign, target, group, seat),
        Err(error) => Err(error.clone()),
    }
}
