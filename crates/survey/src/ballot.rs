//! Ballots: what a submission becomes before it touches the disk.
//!
//! A ballot is target, group, questionnaire, version and answers: no form, day, time, language, device or size.
//! All ballots of a campaign have one length, padded to the longest questionnaire, so a length tells nothing.
//! Codes are replaced by positions in a [`Codebook`], which is frozen with the campaign and travels in the box's header.

use std::collections::BTreeMap;

use parsurvey_index::code::{GroupCode, OptionCode, QuestionCode, QuestionnaireCode, TargetCode};
use parsurvey_index::counts::{OptionPercent, OptionTables, QuestionTable};
use parsurvey_index::exact::Exact;
use rand::CryptoRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::campaign::{Campaign, PRESSURE, Questionnaire};
use crate::hex;
use crate::key::{KeyError, PrivateKey, PublicKey, SEAL_OVERHEAD};

/// The answer byte of a question left blank.
pub const BLANK: u8 = 0;
/// The answer byte of "no opinion".
pub const NO_OPINION: u8 = 255;

const FORMAT: u8 = 1;
const HEADER: usize = 11;

/// The tables that turn answers into bytes and back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codebook {
    /// The campaign's id.
    pub campaign: String,
    /// Whether the campaign is a sample.
    pub synthetic: bool,
    /// The smallest group whose counts are released.
    pub k: u64,
    /// Targets, by position.
    pub targets: Vec<TargetCode>,
    /// Groups, by position.
    pub groups: Vec<GroupCode>,
    /// Questionnaires with their frozen option tables, by position in key order.
    pub questionnaires: BTreeMap<QuestionnaireCode, OptionTables>,
    /// Which questionnaire a group is given for a target.
    pub forms: BTreeMap<TargetCode, BTreeMap<GroupCode, QuestionnaireCode>>,
    /// The options of the question on how the form came to be answered, by position; absent where it is not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<Vec<OptionCode>>,
}

/// A ballot in the clear. It exists while a submission is sealed and after opening, never on disk in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    /// The target rated.
    pub target: TargetCode,
    /// The respondent's group.
    pub group: GroupCode,
    /// The questionnaire.
    pub questionnaire: QuestionnaireCode,
    /// Its version.
    pub version: u32,
    /// One byte per question in shown order: [`BLANK`], [`NO_OPINION`], or the option's position from 1.
    pub answers: Vec<u8>,
    /// The byte of the question on how the form came to be answered; [`BLANK`] also where it is not asked.
    pub pressure: u8,
}

/// What a respondent chose for a question.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// A substantive option.
    Option(OptionCode),
    /// "No opinion".
    NoOpinion,
}

/// Why a ballot cannot be made or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BallotError {
    /// The campaign has no such target, group, questionnaire, question or option.
    #[error("the campaign has no {0}")]
    Alien(String),
    /// It does not open, or what it holds is not a ballot of this campaign.
    #[error("a ballot cannot be read")]
    Unreadable,
}

impl From<KeyError> for BallotError {
    fn from(_: KeyError) -> Self {
        BallotError::Unreadable
    }
}

impl Codebook {
    /// The codebook of a campaign.
    #[must_use]
    pub fn of(campaign: &Campaign) -> Self {
        let mut forms: BTreeMap<TargetCode, BTreeMap<GroupCode, QuestionnaireCode>> = BTreeMap::new();
        for group in &campaign.groups {
            for (target, questionnaire) in &group.forms {
                forms.entry(target.clone()).or_default().insert(group.code.clone(), questionnaire.clone());
            }
        }
        Self {
            campaign: campaign.id.clone(),
            synthetic: campaign.sample,
            k: campaign.limits.k,
            targets: campaign.targets.iter().map(|target| target.code.clone()).collect(),
            groups: campaign.groups.iter().map(|group| group.code.clone()).collect(),
            questionnaires: campaign.questionnaires.iter().map(|(code, q)| (code.clone(), option_tables(q))).collect(),
            forms,
            pressure: campaign
                .questionnaires
                .values()
                .find_map(Questionnaire::pressure_question)
                .map(|question| question.options.iter().map(|option| option.code.clone()).collect()),
        }
    }

    /// SHA-256 over the codebook's JSON: what a tally says it was counted with.
    ///
    /// # Panics
    /// Never: the codebook is plain data.
    #[must_use]
    pub fn sha256(&self) -> String {
        hex(&Sha256::digest(serde_json::to_vec(self).expect("a codebook is plain data")))
    }

    /// Bytes of one sealed ballot: the same for every ballot of the campaign.
    #[must_use]
    pub fn sealed_length(&self) -> usize {
        HEADER + self.longest() + SEAL_OVERHEAD
    }

    /// Answer bytes of every ballot: those of the longest questionnaire, and one for the question on pressure.
    fn longest(&self) -> usize {
        let scored = self.questionnaires.values().map(|tables| tables.questions.len()).max().unwrap_or(0);
        scored + usize::from(self.pressure.is_some())
    }

    /// The byte of what was answered to the question on how the form came to be answered.
    fn pressure(&self, answers: &BTreeMap<QuestionCode, Choice>) -> Result<u8, BallotError> {
        let alien = || BallotError::Alien(format!("such answer to question {PRESSURE}"));
        match (answers.iter().find(|(code, _)| code.as_str() == PRESSURE), &self.pressure) {
            (None, _) => Ok(BLANK),
            (Some((_, Choice::Option(code))), Some(options)) => options
                .iter()
                .zip(1u8..NO_OPINION)
                .find(|(option, _)| *option == code)
                .map(|(_, at)| at)
                .ok_or_else(alien),
            (Some(_), _) => Err(alien()),
        }
    }

    fn context(&self) -> Vec<u8> {
        [b"parsurvey ballot 1\0", self.campaign.as_bytes()].concat()
    }

    /// The ballot of a submission.
    ///
    /// # Errors
    /// A target, group, question or option that the campaign does not have.
    pub fn ballot(
        &self,
        target: &TargetCode,
        group: &GroupCode,
        answers: &BTreeMap<QuestionCode, Choice>,
    ) -> Result<Ballot, BallotError> {
        let questionnaire = self
            .forms
            .get(target)
            .and_then(|groups| groups.get(group))
            .ok_or_else(|| BallotError::Alien(format!("form for {group} on {target}")))?;
        let tables = &self.questionnaires[questionnaire];
        let known = |code: &QuestionCode| tables.questions.iter().any(|q| q.code == *code) || code.as_str() == PRESSURE;
        if let Some(alien) = answers.keys().find(|code| !known(code)) {
            return Err(BallotError::Alien(format!("question {alien}")));
        }
        let pressure = self.pressure(answers)?;
        let answers = tables
            .questions
            .iter()
            .map(|question| match answers.get(&question.code) {
                None => Ok(BLANK),
                Some(Choice::NoOpinion) => Ok(NO_OPINION),
                Some(Choice::Option(code)) => question
                    .options
                    .iter()
                    .zip(1u8..NO_OPINION)
                    .find(|(option, _)| option.code == *code)
                    .map(|(_, position)| position)
                    .ok_or_else(|| BallotError::Alien(format!("option {code} of question {}", question.code))),
            })
            .collect::<Result<_, _>>()?;
        Ok(Ballot {
            target: target.clone(),
            group: group.clone(),
            questionnaire: questionnaire.clone(),
            version: tables.version,
            answers,
            pressure,
        })
    }

    /// A ballot's answers by question; what was left blank has no entry. `None` where the ballot is not of this campaign.
    #[must_use]
    pub fn answers(&self, ballot: &Ballot) -> Option<BTreeMap<QuestionCode, Choice>> {
        let tables = self.questionnaires.get(&ballot.questionnaire)?;
        let mut answers = BTreeMap::new();
        for (question, &answer) in tables.questions.iter().zip(&ballot.answers) {
            let choice = match answer {
                BLANK => continue,
                NO_OPINION => Choice::NoOpinion,
                position => Choice::Option(question.options.get(usize::from(position) - 1)?.code.clone()),
            };
            answers.insert(question.code.clone(), choice);
        }
        if let (Some(options), 1..) = (&self.pressure, ballot.pressure) {
            let option = options.get(usize::from(ballot.pressure) - 1)?;
            answers.insert(PRESSURE.parse().ok()?, Choice::Option(option.clone()));
        }
        Some(answers)
    }

    /// Seals a ballot to the box's key.
    ///
    /// # Errors
    /// The ballot is not of this campaign.
    pub fn seal(&self, key: &PublicKey, ballot: &Ballot, rng: &mut impl CryptoRng) -> Result<Vec<u8>, BallotError> {
        let text = self.encode(ballot)?;
        Ok(key.seal(&self.context(), &text, rng))
    }

    /// Opens a sealed ballot.
    ///
    /// # Errors
    /// [`BallotError::Unreadable`], whatever the reason: a damaged ballot must not say how it is damaged.
    pub fn open(&self, key: &PrivateKey, sealed: &[u8]) -> Result<Ballot, BallotError> {
        if sealed.len() != self.sealed_length() {
            return Err(BallotError::Unreadable);
        }
        let text = key.open(&self.context(), sealed)?;
        self.decode(&text)
    }

    /// A ballot's text: one length for all ballots of the campaign.
    pub(crate) fn encode(&self, ballot: &Ballot) -> Result<Vec<u8>, BallotError> {
        let position = |found: Option<usize>, what: &str| {
            found.and_then(|i| u16::try_from(i).ok()).ok_or_else(|| BallotError::Alien(what.to_owned()))
        };
        let target = position(self.targets.iter().position(|code| *code == ballot.target), "such target")?;
        let group = position(self.groups.iter().position(|code| *code == ballot.group), "such group")?;
        let questionnaire =
            position(self.questionnaires.keys().position(|code| *code == ballot.questionnaire), "such questionnaire")?;
        let version = u16::try_from(ballot.version).map_err(|_| BallotError::Alien("such version".into()))?;
        let count = u16::try_from(ballot.answers.len()).map_err(|_| BallotError::Alien("such length".into()))?;
        let mut text = vec![FORMAT];
        for number in [target, group, questionnaire, version, count] {
            text.extend_from_slice(&number.to_be_bytes());
        }
        text.extend_from_slice(&ballot.answers);
        text.resize(HEADER + self.longest(), 0);
        if let (Some(_), Some(last)) = (&self.pressure, text.last_mut()) {
            *last = ballot.pressure;
        }
        Ok(text)
    }

    pub(crate) fn decode(&self, text: &[u8]) -> Result<Ballot, BallotError> {
        let unreadable = BallotError::Unreadable;
        if text.len() != HEADER + self.longest() || text[0] != FORMAT {
            return Err(unreadable);
        }
        let number = |i: usize| usize::from(u16::from_be_bytes([text[1 + 2 * i], text[2 + 2 * i]]));
        let target = self.targets.get(number(0)).ok_or(BallotError::Unreadable)?;
        let group = self.groups.get(number(1)).ok_or(BallotError::Unreadable)?;
        let (questionnaire, tables) = self.questionnaires.iter().nth(number(2)).ok_or(BallotError::Unreadable)?;
        let answers = text.get(HEADER..HEADER + number(4)).ok_or(BallotError::Unreadable)?.to_vec();
        let fits = self.forms.get(target).and_then(|groups| groups.get(group)) == Some(questionnaire)
            && u32::try_from(number(3)) == Ok(tables.version)
            && answers.len() == tables.questions.len()
            && answers
                .iter()
                .zip(&tables.questions)
                .all(|(&a, q)| a == BLANK || a == NO_OPINION || usize::from(a) <= q.options.len());
        let pressure = match (&self.pressure, text.last()) {
            (Some(options), Some(&last)) if usize::from(last) <= options.len() => last,
            (Some(_), _) => return Err(unreadable),
            (None, _) => BLANK,
        };
        if !fits {
            return Err(unreadable);
        }
        Ok(Ballot {
            target: target.clone(),
            group: group.clone(),
            questionnaire: questionnaire.clone(),
            version: tables.version,
            answers,
            pressure,
        })
    }
}

/// The option tables of a questionnaire: percents as integers over the question's common denominator.
#[must_use]
pub fn option_tables(questionnaire: &Questionnaire) -> OptionTables {
    let questions = questionnaire
        .questions()
        .map(|question| {
            let denominator = common_denominator(question.options.iter().map(|option| &option.percent));
            let options = question
                .options
                .iter()
                .map(|option| OptionPercent {
                    code: option.code.clone(),
                    percent_numerator: numerator_over(&option.percent, denominator),
                })
                .collect();
            QuestionTable { code: question.code.clone(), denominator, options }
        })
        .collect();
    OptionTables { version: questionnaire.version, questions }
}

fn common_denominator<'a>(percents: impl Iterator<Item = &'a Exact>) -> i64 {
    // Percents are decimals of at most 28 places, checked when the campaign was loaded to have few; powers of ten
    // are tried because they are what a reader expects to see in the tally.
    let percents: Vec<&Exact> = percents.collect();
    let mut denominator = 1i64;
    while percents.iter().any(|percent| i64::try_from(numerator(percent, denominator)).is_err()) {
        denominator *= 10;
    }
    denominator
}

fn numerator(percent: &Exact, denominator: i64) -> i128 {
    let scaled = percent * &Exact::from(denominator);
    if scaled.denominator() == Exact::one().denominator() {
        scaled.numerator().try_into().unwrap_or(i128::MAX)
    } else {
        i128::MAX
    }
}

fn numerator_over(percent: &Exact, denominator: i64) -> i64 {
    i64::try_from(numerator(percent, denominator)).expect("the denominator was chosen so that every percent fits")
}
