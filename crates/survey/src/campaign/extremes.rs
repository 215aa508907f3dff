//! The best and the worst option of each question, for a person to read before anything is sent.
//!
//! A table that runs the wrong way is still monotone, so only a reader of the words can see it.

use parsurvey_index::code::{QuestionCode, QuestionnaireCode};
use parsurvey_index::tree::Text;

use super::{AnswerOption, Campaign};

/// One question and the ends of its option table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extremes {
    /// The questionnaire.
    pub questionnaire: QuestionnaireCode,
    /// The question.
    pub question: QuestionCode,
    /// Its wording.
    pub text: Text,
    /// The option worth most.
    pub best: AnswerOption,
    /// The option worth least.
    pub worst: AnswerOption,
    /// Whether the worst option is shown first, as it is where the question states a bad thing.
    pub worst_first: bool,
}

/// Every question of every questionnaire in shown order.
#[must_use]
pub fn best_and_worst(campaign: &Campaign) -> Vec<Extremes> {
    let mut rows = Vec::new();
    for questionnaire in campaign.questionnaires.values() {
        for question in questionnaire.questions() {
            let [first, .., last] = question.options.as_slice() else { continue };
            let worst_first = first.percent < last.percent;
            let (best, worst) = if worst_first { (last, first) } else { (first, last) };
            rows.push(Extremes {
                questionnaire: questionnaire.code.clone(),
                question: question.code.clone(),
                text: question.text.clone(),
                best: best.clone(),
                worst: worst.clone(),
                worst_first,
            });
        }
    }
    rows
}
