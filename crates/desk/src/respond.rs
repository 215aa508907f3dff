//! What a respondent can do: look at a form, save a draft, submit, decline. Used by `web` and by nothing else.
//!
//! A look changes nothing. The time of receipt decides. Nothing here ever returns an answer that was handed in.

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, QuestionCode, TargetCode};
use parsurvey_ledger::{Ballot, CampaignState, LinkedForm, Refusal, SubmitResult};
use parsurvey_survey::ballot::BallotError;
use parsurvey_survey::campaign::Questionnaire;
use parsurvey_survey::key::{KeyRole, PublicKey};
use parsurvey_survey::link::{looks_like_token, token_hash};

use crate::{Desk, DeskError, random};

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
    Completed {
        /// How it can be answered anew, where the campaign allows that.
        anew: Option<OpenForm>,
    },
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
    /// What was given so far on this or another device, where drafts are saved.
    pub draft: Option<Draft>,
}

pub use parsurvey_survey::ballot::Choice;
pub use parsurvey_survey::draft::{Answers, Changes, Draft};

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

/// What is done with a ballot.
#[derive(Clone, Copy)]
enum Handing {
    /// It completes the form at this moment.
    In(Timestamp),
    /// It takes the place of the one that completed the form.
    Anew,
}

/// How one attempt to submit ended.
enum Attempt {
    Ended(Submission),
    /// What it rested on is no longer so; nothing was stored.
    Outdated,
}

impl Desk {
    /// What the link leads to. Changes nothing.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn visit(&self, token: &str, now: Timestamp) -> Result<Visit, DeskError> {
        Ok(self.look_up(token, now).await?.1)
    }

    /// Checks, seals and stores a submission, in one transaction with its completion.
    ///
    /// A ballot is sealed for the seat's target and group. Where an amended roster moved the seat meanwhile, it is
    /// sealed once more for the new place, if the answers fit its questionnaire.
    ///
    /// # Errors
    /// The ledger cannot be written; the respondent is told to try again and keeps the answers on the page.
    pub async fn submit(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        let (seat, visit) = self.look_up(token, now).await?;
        let (seat, form) = match (seat, visit) {
            (Some(seat), Visit::Open(form)) => (seat, form),
            (_, Visit::Completed { .. }) => return Ok(Submission::AlreadySubmitted),
            (Some(seat), Visit::Closed) => {
                self.ledger.record_too_late(seat.form, seat.link_version, now).await?;
                return Ok(Submission::TooLate);
            }
            (_, visit) => return Ok(Submission::Refused(visit)),
        };
        if let Attempt::Ended(submission) = self.submit_open(&seat, &form, answers, Handing::In(now)).await? {
            return Ok(submission);
        }
        let (seat, visit) = self.look_up(token, now).await?;
        match (seat, visit) {
            (_, Visit::Completed { .. }) => Ok(Submission::AlreadySubmitted),
            (Some(seat), Visit::Open(form)) => match self.submit_open(&seat, &form, answers, Handing::In(now)).await? {
                // Answers that do not fit the new questionnaire are no fault of the person: the form begins anew.
                Attempt::Ended(Submission::Faulty(_)) | Attempt::Outdated => {
                    Ok(Submission::Refused(self.visit(token, now).await?))
                }
                Attempt::Ended(submission) => Ok(submission),
            },
            (_, visit) => Ok(Submission::Refused(visit)),
        }
    }

    /// Puts answers in the place of those that a form was handed in with, where the campaign allows that. Nothing that
    /// anybody is shown tells that it happened.
    ///
    /// # Errors
    /// As [`Desk::submit`].
    pub async fn revise(&self, token: &str, answers: &Answers, now: Timestamp) -> Result<Submission, DeskError> {
        let (seat, visit) = self.look_up(token, now).await?;
        let (Some(seat), Visit::Completed { anew: Some(form) }) = (seat, &visit) else {
            return Ok(Submission::Refused(visit));
        };
        match self.submit_open(&seat, form, answers, Handing::Anew).await? {
            Attempt::Ended(submission) => Ok(submission),
            Attempt::Outdated => Ok(Submission::Refused(self.visit(token, now).await?)),
        }
    }

    async fn submit_open(
        &self,
        seat: &LinkedForm,
        form: &OpenForm,
        answers: &Answers,
        handing: Handing,
    ) -> Result<Attempt, DeskError> {
        let ended = |submission| Ok(Attempt::Ended(submission));
        let Some(questionnaire) = self.campaign.questionnaire(&form.target, &form.group) else {
            return ended(Submission::Refused(Visit::Unknown));
        };
        let faults = answer_faults(questionnaire, answers);
        if !faults.is_empty() {
            return ended(Submission::Faulty(faults));
        }
        let ballot = match self.codebook.ballot(&form.target, &form.group, answers) {
            Ok(ballot) => ballot,
            Err(BallotError::Alien(what)) => return ended(Submission::Faulty(vec![AnswerFault::Alien(what)])),
            Err(BallotError::Unreadable) => return ended(Submission::Refused(Visit::Unknown)),
        };
        let ciphertext = self
            .codebook
            .seal(self.box_key().await?, &ballot, &mut random()?)
            .map_err(|error| DeskError::unfinished(format!("the ballot could not be sealed: {error}"), "try again"))?;
        let sealed = Ballot { target: form.target.clone(), group: form.group.clone(), ciphertext };
        let stored = match handing {
            Handing::In(now) => self.ledger.submit(seat.form, seat.link_version, &sealed, now).await?,
            Handing::Anew => self.ledger.revise(seat.form, seat.link_version, &sealed).await?,
        };
        match stored {
            SubmitResult::Stored => ended(Submission::Stored),
            SubmitResult::AlreadySubmitted => ended(Submission::AlreadySubmitted),
            // Something changed between the look and the write: closing, excuse, replacement, another group.
            SubmitResult::Refused(
                Refusal::NotInviting(_) | Refusal::OldLink | Refusal::Moved | Refusal::Excused | Refusal::Ineligible,
            ) => Ok(Attempt::Outdated),
        }
    }

    /// Records a refusal, or takes it back. Does nothing when the form is not open.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn set_declined(&self, token: &str, declined: bool, now: Timestamp) -> Result<Visit, DeskError> {
        if let (Some(seat), Visit::Open(form)) = self.look_up(token, now).await?
            && form.declined != declined
        {
            self.ledger.set_declined(seat.form, seat.link_version, declined, now).await?;
        }
        self.visit(token, now).await
    }

    /// The key that ballots are sealed to, read once: after the first invitation no other can be registered, and a form
    /// is open only after it.
    async fn box_key(&self) -> Result<&PublicKey, DeskError> {
        if let Some(key) = self.box_key.get() {
            return Ok(key);
        }
        let key = self.proved_key(KeyRole::Box).await?;
        Ok(self.box_key.get_or_init(|| key))
    }

    pub(crate) async fn look_up(&self, token: &str, now: Timestamp) -> Result<(Option<LinkedForm>, Visit), DeskError> {
        if !looks_like_token(token) {
            return Ok((None, Visit::Unknown));
        }
        let Some(seat) = self.ledger.linked_form(&token_hash(token)).await? else {
            return Ok((None, Visit::Unknown));
        };
        if !seat.current {
            return Ok((None, Visit::Revoked));
        }
        let mut visit = self.visit_of(&seat, now);
        if let Visit::Open(form) = &mut visit {
            form.draft = self.opened_draft(&seat, token);
        }
        Ok((Some(seat), visit))
    }

    /// How a form that was handed in can be answered from blank: until the deadline, without the grace for late answers.
    fn anew(&self, seat: &LinkedForm, now: Timestamp) -> Option<OpenForm> {
        if !self.campaign.form.revise_until_close || seat.ineligible || seat.excused {
            return None;
        }
        let closes = seat.deadline.unwrap_or(self.campaign.closes);
        let open = seat.state == CampaignState::Inviting && now <= closes;
        let (target, group) = (seat.target.clone(), seat.group.clone());
        open.then_some(OpenForm { target, group, closes, accepted_until: closes, declined: false, draft: None })
    }

    fn visit_of(&self, seat: &LinkedForm, now: Timestamp) -> Visit {
        if seat.completed.is_some() {
            return Visit::Completed { anew: self.anew(seat, now) };
        }
        if seat.ineligible {
            return Visit::Revoked;
        }
        if seat.excused {
            return Visit::Excused;
        }
        if now < self.campaign.opens {
            return Visit::NotYetOpen { opens: self.campaign.opens };
        }
        let closes = seat.deadline.unwrap_or(self.campaign.closes);
        // The grace is for what was started before the deadline: someone who writes a last answer is not cut off.
        let accepted_until =
            if seat.started.is_some_and(|started| started <= closes) { self.with_grace(closes) } else { closes };
        if seat.state != CampaignState::Inviting || now > accepted_until {
            return Visit::Closed;
        }
        Visit::Open(OpenForm {
            target: seat.target.clone(),
            group: seat.group.clone(),
            closes,
            accepted_until: self.with_grace(closes),
            declined: seat.declined,
            draft: None,
        })
    }
}

fn answer_faults(questionnaire: &Questionnaire, answers: &Answers) -> Vec<AnswerFault> {
    let mut faults = Vec::new();
    for question in questionnaire.asked() {
        let known = match answers.get(&question.code) {
            None if question.required => {
                faults.push(AnswerFault::Missing(question.code.clone()));
                continue;
            }
            None => true,
            Some(Choice::NoOpinion) => question.no_opinion,
            Some(Choice::Option(code)) => question.options.iter().any(|option| option.code == *code),
        };
        if !known {
            faults.push(AnswerFault::Alien(format!("answer to question {}", question.code)));
        }
    }
    for code in answers.keys() {
        if !questionnaire.asked().any(|question| question.code == *code) {
            faults.push(AnswerFault::Alien(format!("question {code}")));
        }
    }
    faults
}
