//! `[pressure]` of `questionnaire.toml`: the last page, which asks whether anybody wanted to see or steer the answers.
//!
//! Its wording is the campaign's. It says nothing about the body that is rated, so it has no sub-criterion and no percent;
//! it may always be left blank, and "no opinion" would be no answer to it.

use parsurvey_index::code::{OptionCode, QuestionCode};
use parsurvey_index::exact::Exact;

use super::place::Faults;
use super::walk::Table;
use super::{AnswerOption, Question, Section};

/// The code of the question, in ballots and archive.
pub const PRESSURE: &str = "pressure";

/// Reads the table: the page with its one question.
pub(super) fn read(table: Table<'_>, faults: &Faults) -> Section {
    let title = table.bilingual("title");
    let text = table.bilingual("text");
    let mut options: Vec<AnswerOption> = Vec::new();
    for option in table.tables("options") {
        let text = option.bilingual("text");
        let place = option.place_of("code");
        if let Some(code) = option.code::<OptionCode>("code") {
            let same =
                |other: &AnswerOption| other.code == code || other.text.vi == text.vi || other.text.en == text.en;
            if options.iter().any(same) {
                faults.add(place.fault(
                    "duplicate-option",
                    format!("an earlier option has the code or the wording of '{code}'"),
                    "give every option its own code and wording",
                ));
            }
            options.push(AnswerOption { code, text, percent: Exact::zero() });
        }
        option.finish();
    }
    if options.len() < 2 {
        faults.add(table.place_of("options").fault(
            "too-few-options",
            "a question needs two options at least",
            "add options = [{ code, text }, …]",
        ));
    }
    table.finish();
    let question = Question { code: code(), sub_criterion: None, text, required: false, no_opinion: false, options };
    Section { title, questions: vec![question] }
}

/// The question's code.
pub(super) fn code() -> QuestionCode {
    PRESSURE.parse().expect("the word is a code")
}
