//! What a browser posted: field names and values, read into what they mean.
//!
//! Names and values come from whoever holds the link, so nothing is trusted: a field that is not ours is set aside as
//! strange, and whether a question or an option exists is decided against the questionnaire in [`Posted::changes`].

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_desk::respond::{Answers, Changes, Choice};
use parsurvey_index::code::{OptionCode, QuestionCode, QuestionnaireCode};
use parsurvey_survey::campaign::{Question, Questionnaire};

/// The field that says which page the post comes from: a section's number from 1, or `review`.
pub(crate) const AT: &str = "at";
/// The field of the pressed button.
pub(crate) const GO: &str = "go";
/// The field that says the page was opened from the review.
pub(crate) const EDITING: &str = "editing";
/// The field that says that a form which was handed in is answered anew.
pub(crate) const ANEW: &str = "anew";
/// The field that names the questionnaire, so that answers can be shown back after the form has closed.
pub(crate) const PAPER: &str = "paper";
/// What the field of a question begins with; its code follows.
pub(crate) const QUESTION: &str = "q.";
/// The value of "no opinion". It is not a well-formed option code, so no option can have it.
pub(crate) const NO_OPINION: &str = "~no-opinion";
/// The value of "leave this question blank".
pub(crate) const BLANK: &str = "";

/// Which page a post comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// A section, from 0.
    Section(usize),
    /// The review.
    Review,
}

/// What the pressed button asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Go {
    /// The same page again, as when the language is changed.
    Stay,
    /// The first section.
    Start,
    /// Where a form that was begun earlier is not complete yet.
    Resume,
    /// The next section, or the review after the last.
    Next,
    /// The section before.
    Back,
    /// The review.
    Review,
    /// The section that holds this question, and back to the review afterwards.
    Edit(QuestionCode),
    /// Hand the form in.
    Submit,
}

/// A post, before it is held against a questionnaire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) at: At,
    pub(crate) go: Go,
    pub(crate) editing: bool,
    pub(crate) anew: bool,
    pub(crate) paper: Option<QuestionnaireCode>,
    /// Question code → value, as posted; blanks are left out.
    given: BTreeMap<String, String>,
    /// Questions that were left blank on purpose.
    blank: BTreeSet<String>,
    /// Whether a field is not ours, or is given twice with different values.
    strange: bool,
}

impl Posted {
    /// Reads the fields of a post. Never fails: what is not understood is marked as strange.
    pub(crate) fn read(fields: Vec<(String, String)>) -> Self {
        let mut posted = Self {
            at: At::Section(0),
            go: Go::Stay,
            editing: false,
            anew: false,
            paper: None,
            given: BTreeMap::new(),
            blank: BTreeSet::new(),
            strange: false,
        };
        for (name, value) in fields {
            let understood = match name.as_str() {
                AT => at(&value).map(|at| posted.at = at),
                GO => go(&value).map(|go| posted.go = go),
                EDITING => {
                    posted.editing = true;
                    Some(())
                }
                ANEW => {
                    posted.anew = true;
                    Some(())
                }
                PAPER => value.parse().ok().map(|paper| posted.paper = Some(paper)),
                question => question.strip_prefix(QUESTION).and_then(|code| posted.give(code, value)),
            };
            posted.strange |= understood.is_none();
        }
        posted
    }

    /// Keeps one value; `None` where the question already has another.
    fn give(&mut self, code: &str, value: String) -> Option<()> {
        if value == BLANK {
            self.blank.insert(code.to_owned());
            return Some(());
        }
        match self.given.insert(code.to_owned(), value.clone()) {
            Some(earlier) if earlier != value => None,
            Some(_) | None => Some(()),
        }
    }

    /// The same post asking for its own page again.
    pub(crate) fn standing_still(&self) -> Self {
        let mut same = self.clone();
        same.go = Go::Stay;
        same
    }

    /// Whether an answer came along.
    pub(crate) fn has_answers(&self) -> bool {
        !self.given.is_empty()
    }

    /// What the post says of the questionnaire, and whether it holds anything that the questionnaire does not know.
    /// Questions for which `shown` were before the person's eyes; the others the page brought along.
    pub(crate) fn changes(&self, questionnaire: &Questionnaire, shown: impl Fn(&Question) -> bool) -> (Changes, bool) {
        let questions: BTreeMap<&str, &Question> =
            questionnaire.asked().map(|question| (question.code.as_str(), question)).collect();
        let mut changes = Changes::default();
        let mut strange = self.strange;
        for (code, value) in &self.given {
            let known = questions.get(code.as_str()).and_then(|question| Some((question, choice(question, value)?)));
            match known {
                Some((question, choice)) => {
                    let kept = if shown(question) { &mut changes.given } else { &mut changes.brought };
                    kept.insert(question.code.clone(), choice);
                }
                None => strange = true,
            }
        }
        for code in &self.blank {
            match questions.get(code.as_str()) {
                Some(question) if shown(question) && !question.required => changes.cleared.push(question.code.clone()),
                Some(_) | None => {}
            }
        }
        (changes, strange)
    }

    /// The answers by their form alone, for a link whose questionnaire is no longer told.
    pub(crate) fn loose_answers(&self) -> Answers {
        self.given
            .iter()
            .filter_map(|(code, value)| {
                let choice = match value.as_str() {
                    NO_OPINION => Choice::NoOpinion,
                    option => Choice::Option(option.parse::<OptionCode>().ok()?),
                };
                Some((code.parse().ok()?, choice))
            })
            .collect()
    }
}

/// The value a choice has in a form.
pub(crate) fn value_of(choice: &Choice) -> &str {
    match choice {
        Choice::Option(code) => code.as_str(),
        Choice::NoOpinion => NO_OPINION,
    }
}

fn choice(question: &Question, value: &str) -> Option<Choice> {
    if value == NO_OPINION {
        return question.no_opinion.then_some(Choice::NoOpinion);
    }
    question
        .options
        .iter()
        .find(|option| option.code.as_str() == value)
        .map(|option| Choice::Option(option.code.clone()))
}

fn at(value: &str) -> Option<At> {
    if value == "review" {
        return Some(At::Review);
    }
    value.parse::<usize>().ok()?.checked_sub(1).map(At::Section)
}

fn go(value: &str) -> Option<Go> {
    match value {
        "stay" => Some(Go::Stay),
        "start" => Some(Go::Start),
        "resume" => Some(Go::Resume),
        "next" => Some(Go::Next),
        "back" => Some(Go::Back),
        "review" => Some(Go::Review),
        "submit" => Some(Go::Submit),
        other => Some(Go::Edit(other.strip_prefix("edit.")?.parse().ok()?)),
    }
}
