//! What a respondent can do: look at a form, begin, submit, decline. Used by `web` and by nothing else.
//!
//! A look changes nothing. The time of receipt decides. Nothing here ever returns a stored answer.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, OptionCode, QuestionCode, TargetCode};

use crate::{Desk, DeskError};

/// What a link leads to at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// No such link: altered, or of another campaign.
    Unknown,
    /// The link was replaced or revoked.
    Revoked,
    /// The survey has not opened.
    NotYetOpen {
        /// When it opens.
        opens: Timestamp,
    },
    /// The survey has ended and this form was not submitted.
    Closed,
    /// The person was excused; nothing is asked of them.
    Excused,
    /// The form was submitted.
    Completed,
    /// The form can be answered.
    Open(OpenForm),
}

/// A form that can be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenForm {
    /// The target it rates.
    pub target: TargetCode,
    /// The respondent's group.
    pub group: GroupCode,
    /// The deadline in force.
    pub closes: Timestamp,
    /// The last moment a form started before the deadline is accepted (deadline plus grace).
    pub accepted_until: Timestamp,
    /// Whether the person declined earlier; answering takes that back.
    pub declined: bool,
}

/// What a respondent chose for a question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// A substantive option.
    Option(OptionCode),
    /// "No opinion".
    NoOpinion,
}

/// Answers by question; a question without an entry was left blank.
pub type Answers = BTreeMap<QuestionCode, Choice>;

/// Something wrong with one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerFault {
    /// A required question has no answer.
    Missing(QuestionCode),
    /// The questionnaire has no such question or the question no such option: the page was altered.
    Alien(String),
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// Stored, sealed, once.
    Stored,
    /// The form had been submitted before; this one was not stored.
    AlreadySubmitted,
    /// Received after the deadline and its grace; not stored.
    TooLate,
    /// Not stored, because of these faults.
    Faulty(Vec<AnswerFault>),
    /// The link cannot submit now; the visit says why.
    Refused(Visit),
}

impl Desk {
    /// What the link leads to. Changes nothing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn visit(&self, token: &str, now: Timestamp) -> Result<Visit, DeskError> {
        let _ = (token, now);
        unimplemented!()
    }

    /// Records that a chosen option has arrived (AAPOR "started"). Does nothing when already started or not open.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn start(&self, token: &str, now: Timestamp) -> Result<(), DeskError> {
        let _ = (token, now);
        unimplemented!()
    }

    /// Checks, seals and stores a submission, in one transaction with its completion.
    ///
    /// # Errors
    /// The ledger cannot be written; the respondent is told to try again and keeps the answers on the page.
    pub async fn submit(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        let _ = (token, answers, now);
        unimplemented!()
    }

    /// Records a refusal, or takes it back. Does nothing when the form is not open.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn set_declined(&self, token: &str, declined: bool, now: Timestamp) -> Result<Visit, DeskError> {
        let _ = (token, declined, now);
        unimplemented!()
    }
}
