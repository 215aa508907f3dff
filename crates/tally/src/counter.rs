//! Counts responses per target × group × question × option, in chunks of bounded size that merge by addition.
//!
//! A response carries no person, form, unit or time, and none leaves again: only counts come out.
//! Distinct answer vectors of the whole count are held in memory, for the histogram of copies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use parsurvey_index::code::{GroupCode, QuestionCode, QuestionnaireCode, TargetCode};
use parsurvey_index::counts::{OptionTables, TALLY_FORMAT, Tally};
use parsurvey_index::merging::CountsError;

use crate::joint::GroupCount;

/// Answers held before they are counted: bounds memory, and keeps the engine's work in cache.
pub const ANSWERS_PER_CHUNK: usize = 2_000_000;

/// An answer that was left blank, or was never asked.
pub const BLANK: u8 = 0;

/// The answer "no opinion".
pub const NO_OPINION: u8 = u8::MAX;

/// One opened response.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent's group.
    pub group: GroupCode,
    /// One byte per question of the group's questionnaire, in shown order: [`BLANK`], [`NO_OPINION`], or the option's
    /// place in shown order, from 1.
    pub answers: Vec<u8>,
}

impl fmt::Debug for Response {
    /// Without the answers: a whole vector is a signature.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("target", &self.target).field("group", &self.group).finish_non_exhaustive()
    }
}

/// What a group was given for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Its questionnaire.
    pub questionnaire: QuestionnaireCode,
    /// The questions it was asked; a policy may narrow the questionnaire. The others must be blank.
    pub questions: BTreeSet<QuestionCode>,
}

impl Asked {
    /// Every question of a questionnaire.
    #[must_use]
    pub fn all(questionnaire: QuestionnaireCode, tables: &OptionTables) -> Self {
        let questions = tables.questions.iter().map(|table| table.code.clone()).collect();
        Self { questionnaire, questions }
    }
}

/// What is counted: the campaign's frozen tables and who was asked what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The campaign's id.
    pub campaign: String,
    /// Whether sample inputs are counted.
    pub synthetic: bool,
    /// The smallest group whose counts are released (k).
    pub k: u64,
    /// The option tables, by questionnaire.
    pub questionnaires: BTreeMap<QuestionnaireCode, OptionTables>,
    /// Every group that rates each target; one without a ballot is counted as zero, not left out.
    pub targets: BTreeMap<TargetCode, BTreeMap<GroupCode, Asked>>,
}

/// Why a response cannot be counted. No message quotes an answer.
#[derive(Debug, thiserror::Error)]
pub enum CountError {
    /// The group does not rate the target.
    #[error("a response is of group {group} for {target}, which the campaign does not have")]
    UnknownGroup {
        /// The target.
        target: TargetCode,
        /// The group.
        group: GroupCode,
    },
    /// The number of answers is not that of the questionnaire.
    #[error("a response of group {group} holds {found} answers, its questionnaire has {expected} questions")]
    WrongLength {
        /// The group.
        group: GroupCode,
        /// Answers found.
        found: usize,
        /// Questions of the questionnaire.
        expected: usize,
    },
    /// A group is said to be asked a question that its questionnaire does not have.
    #[error("group {group} is to be asked question {question}, which its questionnaire does not have")]
    NoSuchQuestion {
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
    },
    /// An answer is no option of its question.
    #[error("a response of group {group} answers question {question} with something that is not among its options")]
    NoSuchOption {
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
    },
    /// A question that the group was not asked has an answer.
    #[error("a response of group {group} answers question {question}, which the group was not asked")]
    NotAsked {
        /// The group.
        group: GroupCode,
        /// The question.
        question: QuestionCode,
    },
    /// A question has more options than an answer can tell apart.
    #[error("question {0} has more than 254 options")]
    TooManyOptions(QuestionCode),
    /// The tables do not hold together, or a sum is too large.
    #[error(transparent)]
    Counts(#[from] CountsError),
    /// The engine failed; this is a fault of the program or of memory, not of the responses.
    #[error("the counting engine failed: {0}")]
    Engine(#[from] polars::error::PolarsError),
}

/// Counts responses.
pub struct Counter {
    frame: Frame,
    groups: BTreeMap<TargetCode, BTreeMap<GroupCode, GroupCount>>,
    waiting: usize,
    chunk: usize,
}

impl Counter {
    /// A counter for one campaign's responses.
    ///
    /// # Errors
    /// The option tables do not hold together, or a group names a questionnaire or question without a table.
    pub fn new(frame: Frame) -> Result<Self, CountError> {
        empty_tally(&frame).verify()?;
        let wide = frame.questionnaires.values().flat_map(|tables| &tables.questions).find(|t| t.options.len() > 254);
        if let Some(table) = wide {
            return Err(CountError::TooManyOptions(table.code.clone()));
        }
        let mut groups: BTreeMap<TargetCode, BTreeMap<GroupCode, GroupCount>> = BTreeMap::new();
        for (target, asked) in &frame.targets {
            for (group, asked) in asked {
                let tables = frame
                    .questionnaires
                    .get(&asked.questionnaire)
                    .ok_or_else(|| CountsError::NoTables(asked.questionnaire.clone()))?;
                let known = |code: &&QuestionCode| tables.questions.iter().any(|table| table.code == **code);
                if let Some(question) = asked.questions.iter().find(|code| !known(code)) {
                    return Err(CountError::NoSuchQuestion { group: group.clone(), question: question.clone() });
                }
                groups.entry(target.clone()).or_default().insert(group.clone(), GroupCount::new(tables, asked)?);
            }
        }
        Ok(Self { frame, groups, waiting: 0, chunk: ANSWERS_PER_CHUNK })
    }

    /// The same with another chunk size, in answers; the result never depends on it.
    #[must_use]
    pub fn with_chunk(self, answers: usize) -> Self {
        Self { chunk: answers.max(1), ..self }
    }

    /// Takes one response.
    ///
    /// # Errors
    /// It does not fit the frame; then it is not counted and the counter is as before. Or the engine failed.
    pub fn push(&mut self, response: &Response) -> Result<(), CountError> {
        self.push_answers(&response.target, &response.group, &response.answers)
    }

    /// As [`Counter::push`], for callers that read millions of rows into one buffer.
    pub(crate) fn push_answers(
        &mut self,
        target: &TargetCode,
        group: &GroupCode,
        answers: &[u8],
    ) -> Result<(), CountError> {
        let count = self
            .groups
            .get_mut(target)
            .and_then(|groups| groups.get_mut(group))
            .ok_or_else(|| CountError::UnknownGroup { target: target.clone(), group: group.clone() })?;
        count.push(group, answers)?;
        self.waiting += answers.len();
        if self.waiting >= self.chunk { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), CountError> {
        for count in self.groups.values_mut().flat_map(BTreeMap::values_mut) {
            count.flush()?;
        }
        self.waiting = 0;
        Ok(())
    }

    /// The tally, with groups below k withheld.
    ///
    /// # Errors
    /// The engine failed, or a sum is too large for the format.
    pub fn finish(mut self) -> Result<Tally, CountError> {
        self.flush()?;
        let mut tally = empty_tally(&self.frame);
        for (target, groups) in &self.groups {
            let rows = tally.targets.entry(target.clone()).or_default();
            for (group, count) in groups {
                rows.insert(group.clone(), count.tally()?);
            }
        }
        tally.withhold_small_groups();
        Ok(tally)
    }
}

fn empty_tally(frame: &Frame) -> Tally {
    Tally {
        format: TALLY_FORMAT,
        campaign: frame.campaign.clone(),
        synthetic: frame.synthetic,
        k: frame.k,
        box_sha256: None,
        unreadable: 0,
        questionnaires: frame.questionnaires.clone(),
        targets: BTreeMap::new(),
    }
}
