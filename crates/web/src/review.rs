//! The questionnaire with its answers in words: the review before handing in, and answers shown back.
//!
//! It shows what the page brought along, never what was stored.

use askama::Template;
use parsurvey_desk::respond::{Answers, Choice};
use parsurvey_survey::campaign::{Question, Questionnaire};

use crate::pages::{Frame, Paper};
use crate::words::Lang;

/// All answers before they are handed in.
#[derive(Template)]
#[template(path = "review.html")]
pub(crate) struct Review<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) paper: Paper<'a>,
}

/// A section of the review.
pub(crate) struct ReviewedSection<'a> {
    pub(crate) title: &'a str,
    pub(crate) rows: Vec<ReviewedRow<'a>>,
}

/// A question with its answer in words.
pub(crate) struct ReviewedRow<'a> {
    pub(crate) number: usize,
    pub(crate) code: &'a str,
    pub(crate) text: &'a str,
    pub(crate) answer: Option<String>,
}

impl Review<'_> {
    fn hidden(&self) -> Vec<(String, &str)> {
        self.paper.hidden(None)
    }

    /// What handing in means, which differs where a form can be answered anew.
    fn note(&self) -> String {
        match self.paper.form {
            Some(form) if self.f.campaign.form.revise_until_close => {
                self.f.lang.t1("submit-note-anew", "time", self.f.moment(form.closes))
            }
            Some(_) | None => self.f.t("submit-note"),
        }
    }

    fn sections(&self) -> Vec<ReviewedSection<'_>> {
        reviewed(self.paper.questionnaire, &self.paper.draft.answers, self.f.lang)
    }
}

/// The questionnaire with its answers in words.
pub(crate) fn reviewed<'a>(
    questionnaire: &'a Questionnaire,
    answers: &Answers,
    lang: Lang,
) -> Vec<ReviewedSection<'a>> {
    let mut number = 0;
    let sections = questionnaire.pages();
    sections
        .map(|section| ReviewedSection {
            title: lang.pick(&section.title),
            rows: section
                .questions
                .iter()
                .map(|question| {
                    number += 1;
                    let answer = answers.get(&question.code);
                    ReviewedRow {
                        number,
                        code: question.code.as_str(),
                        text: lang.pick(&question.text),
                        answer: answer.map(|choice| in_words(question, choice, lang)),
                    }
                })
                .collect(),
        })
        .collect()
}

fn in_words(question: &Question, choice: &Choice, lang: Lang) -> String {
    match choice {
        Choice::NoOpinion => lang.t("no-opinion"),
        Choice::Option(code) => question
            .options
            .iter()
            .find(|option| option.code == *code)
            .map_or_else(|| code.to_string(), |option| lang.pick(&option.text).to_owned()),
    }
}
