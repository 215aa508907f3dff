//! From a post to the next page: which page comes, with which answers and which faults. Pure.
//!
//! Moving forward needs the required answers of the page that is left, handing in needs all of them, moving back needs
//! none. What was saved before joins what is posted. Whether the link may be used at this moment is not decided here.

use parsurvey_desk::respond::{Answers, Changes, Draft as Saved};
use parsurvey_index::code::QuestionCode;
use parsurvey_survey::campaign::{Question, Questionnaire, Section};

use crate::posted::{At, Go, Posted};

/// What comes after a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A page is shown.
    Show(Draft),
    /// The form is complete and wants to be handed in.
    Submit(Draft),
    /// The post holds a question, an option or a field that is not of this questionnaire; what is known is kept.
    Alien(Draft),
}

/// A form on its way: where the person is and what they chose so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    /// The page.
    pub(crate) at: At,
    /// Whether the page was opened from the review.
    pub(crate) editing: bool,
    /// Whether a form that was handed in is answered anew.
    pub(crate) anew: bool,
    /// The answers so far.
    pub(crate) answers: Answers,
    /// Required questions of this page that are to be shown as missing.
    pub(crate) missing: Vec<QuestionCode>,
    /// Whether the form was to be handed in without a single answer.
    pub(crate) empty: bool,
}

/// What a post changes, and whether it holds anything strange. The questions of its section were before the person's eyes.
pub(crate) fn changes(questionnaire: &Questionnaire, posted: &Posted) -> (Changes, bool) {
    let shown = match clamp(questionnaire, posted.at) {
        At::Section(section) => questionnaire.page(section),
        At::Review => None,
    };
    let is_shown = |question: &Question| {
        shown.is_some_and(|section| section.questions.iter().any(|other| other.code == question.code))
    };
    posted.changes(questionnaire, is_shown)
}

/// What a post leads to, where `saved` is what was given on this or another device before.
///
/// What is handed in is what the person saw on the review, and nothing that was saved besides.
pub(crate) fn step(questionnaire: &Questionnaire, posted: &Posted, saved: Option<&Saved>) -> Step {
    let (changes, strange) = changes(questionnaire, posted);
    let answers = changes.onto(saved.filter(|_| posted.go != Go::Submit));
    let from = clamp(questionnaire, posted.at);
    let stay =
        Draft { at: from, editing: posted.editing, anew: posted.anew, answers, missing: Vec::new(), empty: false };
    if strange {
        return Step::Alien(stay);
    }
    let last = questionnaire.page_count().saturating_sub(1);
    match (&posted.go, from) {
        (Go::Stay, _) | (Go::Next | Go::Back, At::Review) => Step::Show(stay),
        (Go::Resume, _) => Step::Show(Draft { at: incomplete(questionnaire, &stay.answers), ..stay }),
        (Go::Start, _) => Step::Show(Draft { at: At::Section(0), ..stay }),
        (Go::Back, At::Section(section)) => Step::Show(Draft { at: At::Section(section.saturating_sub(1)), ..stay }),
        (Go::Next, At::Section(section)) => {
            let page = questionnaire.page(section);
            let missing = page.map_or_else(Vec::new, |page| missing_in(page, &stay.answers));
            if !missing.is_empty() {
                return Step::Show(Draft { missing, ..stay });
            }
            if section == last {
                return review(questionnaire, stay);
            }
            Step::Show(Draft { at: At::Section(section + 1), ..stay })
        }
        (Go::Review, _) => review(questionnaire, stay),
        (Go::Edit(question), _) => match section_of(questionnaire, question) {
            Some(section) => Step::Show(Draft { at: At::Section(section), editing: true, ..stay }),
            None => Step::Alien(stay),
        },
        (Go::Submit, _) => match review(questionnaire, stay) {
            Step::Show(draft) if draft.missing.is_empty() && draft.answers.is_empty() => {
                Step::Show(Draft { empty: true, ..draft })
            }
            Step::Show(draft) if draft.missing.is_empty() => Step::Submit(draft),
            other @ (Step::Show(_) | Step::Submit(_) | Step::Alien(_)) => other,
        },
    }
}

/// Where a form that was begun goes on: the first section that lacks a required answer, or the review.
fn incomplete(questionnaire: &Questionnaire, answers: &Answers) -> At {
    let lacking = questionnaire.pages().position(|section| !missing_in(section, answers).is_empty());
    lacking.map_or(At::Review, At::Section)
}

/// The review, or the first section that lacks a required answer.
pub(crate) fn review(questionnaire: &Questionnaire, draft: Draft) -> Step {
    let lacking = questionnaire.pages().enumerate().find_map(|(number, section)| {
        let missing = missing_in(section, &draft.answers);
        (!missing.is_empty()).then_some((number, missing))
    });
    Step::Show(match lacking {
        Some((section, missing)) => Draft { at: At::Section(section), editing: true, missing, ..draft },
        None => Draft { at: At::Review, editing: false, ..draft },
    })
}

/// The required questions of `section` without an answer, in shown order.
fn missing_in(section: &Section, answers: &Answers) -> Vec<QuestionCode> {
    let lacks = |question: &&Question| question.required && !answers.contains_key(&question.code);
    section.questions.iter().filter(lacks).map(|question| question.code.clone()).collect()
}

fn section_of(questionnaire: &Questionnaire, question: &QuestionCode) -> Option<usize> {
    questionnaire.pages().position(|section| section.questions.iter().any(|other| other.code == *question))
}

/// A page that exists: an altered page number leads to the last section.
fn clamp(questionnaire: &Questionnaire, at: At) -> At {
    match at {
        At::Section(section) => At::Section(section.min(questionnaire.page_count().saturating_sub(1))),
        At::Review => At::Review,
    }
}
