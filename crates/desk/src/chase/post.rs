//! Letters by mail: each claimed in the ledger, sent over one connection, and its outcome recorded, one after the other.
//!
//! A department has some dozens of coordinators, so there is no need for more than one connection. A run that dies leaves
//! at most one letter unknown; it is shown, and the next day's letter covers it.

use jiff::Timestamp;
use parsurvey_dispatch::{Composed, Correspondent, Letter, Outcome, Route, Session, Stop, compose};
use parsurvey_ledger::{ChaseClaim, ChaseHow, ChaseState, NewChaseLetter};
use parsurvey_report::docx::NamedPerson;
use parsurvey_survey::campaign::Coordinator;
use parsurvey_survey::chase::{Particulars, UnitLetter, chase_values, render_chase};
use parsurvey_survey::hex;
use parsurvey_survey::template::Mail;
use sha2::{Digest, Sha256};

use super::Morning;
use crate::{Because, Desk, DeskError};

/// What a run of letters did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SentLetters {
    /// Letters that the relay took.
    pub told: u64,
    /// Letters that were told before, today.
    pub already: u64,
    /// Letters refused for good: the coordinator's address is wrong, or the relay does not want the mail.
    pub refused: u64,
    /// Letters refused for now; the next run sends them.
    pub deferred: u64,
    /// Letters of which nobody knows whether they left, from this run or an earlier one of today. They are held.
    pub unknown: u64,
    /// Units that have no coordinator, and none above them: they get a letter on paper.
    pub on_paper: Vec<String>,
    /// What the relay said when it last refused a letter.
    pub refusal: Option<String>,
}

/// What became of one mail.
pub(super) enum Sent {
    Told,
    Already,
    Refused(String),
    Deferred(String),
    Unknown,
}

/// One connection, made when the first mail needs it.
pub(super) struct Line<'a> {
    route: &'a Route,
    session: Option<Session>,
    claimant: String,
}

impl<'a> Line<'a> {
    pub(super) fn new(route: &'a Route) -> Result<Self, DeskError> {
        let claimant = format!("chase-{}-{}", std::process::id(), hex(&crate::random_bytes()?[..4]));
        Ok(Self { route, session: None, claimant })
    }

    /// Makes sure there is a connection before anything is claimed, so that an absent relay leaves no claim behind.
    async fn ready(&mut self) -> Result<&mut Session, DeskError> {
        let usable = self.session.take().filter(Session::is_usable);
        let session = match usable {
            Some(session) => session,
            None => Session::connect(self.route).await.map_err(|delivery| {
                let remedy = "check --smtp and the relay, then run the command again";
                DeskError::unfinished(format!("the relay does not work ({delivery})"), remedy)
            })?,
        };
        Ok(self.session.insert(session))
    }

    pub(super) async fn end(self) {
        if let Some(session) = self.session {
            session.quit().await;
        }
    }
}

impl Desk {
    /// Sends one letter per coordinator by mail: at most one a day, whoever runs the command and however often.
    ///
    /// # Errors
    /// As [`Desk::chase_letters`]; also where the relay is absent, or `stop` is asked for: the rest goes with the next run.
    pub async fn chase_send(
        &self,
        route: &Route,
        names: bool,
        stop: &Stop,
        because: &Because,
        now: Timestamp,
    ) -> Result<SentLetters, DeskError> {
        let morning = self.morning(names, now).await?;
        let because = morning.because(because);
        let mut sent = SentLetters::default();
        let mut line = Line::new(route)?;
        for (place, letter) in morning.letters.iter().enumerate() {
            let unit = self.campaign.unit(&letter.to);
            let Some(coordinator) = unit.and_then(|unit| unit.coordinator.as_ref()) else {
                sent.on_paper.push(letter.to.to_string());
                continue;
            };
            if stop.is_asked() {
                return Err(DeskError::unfinished(
                    format!("stopped as asked; {} letters were sent", sent.told),
                    "run the command again to send the rest",
                ));
            }
            let mail = self.mail_to(coordinator, &morning, letter, place)?;
            let record = |bytes: &[u8]| morning.record(letter, ChaseHow::Mail, bytes);
            let outcome = self.post(&mut line, coordinator, &mail, record, &because, now).await?;
            sent.add(outcome);
        }
        line.end().await;
        Ok(sent)
    }

    fn mail_to(
        &self,
        coordinator: &Coordinator,
        morning: &Morning<'_>,
        letter: &UnitLetter,
        place: usize,
    ) -> Result<Mail, DeskError> {
        let names = morning.names.as_ref().map(|names| lines(&names[place], letter.rows.len() > 1)).unwrap_or_default();
        let particulars = Particulars {
            coordinator: &coordinator.name,
            names: &names,
            order: &morning.order,
            day: morning.day,
            closes: morning.closes,
        };
        let values = chase_values(&self.campaign, morning.chasing, letter, particulars, &self.link_base);
        render_chase(&morning.chasing.mail, &values)
            .map_err(|error| DeskError::refused(error.to_string(), "mend the template and run `parsurvey check`"))
    }

    /// Claims one mail, sends it, and records what became of it.
    pub(super) async fn post(
        &self,
        line: &mut Line<'_>,
        to: &Coordinator,
        mail: &Mail,
        record: impl Fn(&[u8]) -> NewChaseLetter,
        because: &Because,
        now: Timestamp,
    ) -> Result<Sent, DeskError> {
        let composed = self.put_together(to, mail, &record(b""), line.route, now)?;
        line.ready().await?;
        let letter = record(composed.bytes());
        let act = because.act(now);
        let number = match self.ledger.claim_chase_mail(&letter, &line.claimant, &act).await? {
            ChaseClaim::Yours(number) => number,
            ChaseClaim::Told => return Ok(Sent::Already),
            ChaseClaim::Unknown => return Ok(Sent::Unknown),
        };
        let delivery = line.ready().await?.send(&composed).await;
        let said = delivery.code.map(|code| format!("{code} {}", delivery.text)).unwrap_or(delivery.text.clone());
        let (state, sent) = match delivery.outcome {
            Outcome::Accepted => (ChaseState::Told, Sent::Told),
            Outcome::RejectedPermanent => (ChaseState::Refused, Sent::Refused(said.clone())),
            Outcome::RejectedTransient | Outcome::RouteFailed => (ChaseState::Ready, Sent::Deferred(said.clone())),
            // A claim without an outcome is what unknown means in the ledger.
            Outcome::Unknown => return Ok(Sent::Unknown),
        };
        self.ledger.settle_chase_mail(number, &line.claimant, state, &said, &act).await?;
        Ok(sent)
    }

    fn put_together(
        &self,
        to: &Coordinator,
        mail: &Mail,
        letter: &NewChaseLetter,
        route: &Route,
        now: Timestamp,
    ) -> Result<Composed, DeskError> {
        let sender = &self.campaign.sender;
        let refused = |error: String| {
            DeskError::refused(
                format!("the mail to the unit {:?} cannot be put together: {error}", letter.unit),
                "mend what it names and run the command again",
            )
        };
        let composed = compose(&Letter {
            from: Correspondent { name: sender.name.vi.clone(), address: sender.address.clone() },
            return_path: self.campaign.return_path.clone(),
            reply_to: sender.reply_to.clone(),
            to: Correspondent { name: to.name.clone(), address: to.email.clone() },
            subject: mail.subject.clone(),
            text: mail.text.clone(),
            html: mail.html.clone(),
            message_id: self.chase_message_id(letter),
            date: now,
            language: "vi, en".to_owned(),
            link_secret: None,
        })
        .map_err(|error| refused(error.to_string()))?;
        match &route.dkim {
            None => Ok(composed),
            Some(dkim) => composed.signed(dkim).map_err(|error| refused(error.to_string())),
        }
    }

    /// The same for the same unit, day and way of telling, and says nothing to who reads it.
    fn chase_message_id(&self, letter: &NewChaseLetter) -> String {
        let domain = self.campaign.sender.address.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let mut hash = Sha256::new();
        hash.update(b"parsurvey chase message-id 1\n");
        for part in [self.campaign.id.as_str(), &letter.unit, &letter.day.to_string(), letter.how.as_str()] {
            // None of the parts has a line break.
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        format!("<{}@{domain}>", hex(&hash.finalize()[..16]))
    }
}

impl SentLetters {
    fn add(&mut self, sent: Sent) {
        match sent {
            Sent::Told => self.told += 1,
            Sent::Already => self.already += 1,
            Sent::Refused(said) => {
                self.refused += 1;
                self.refusal = Some(said);
            }
            Sent::Deferred(said) => {
                self.deferred += 1;
                self.refusal = Some(said);
            }
            Sent::Unknown => self.unknown += 1,
        }
    }
}

/// One line per person; the unit stands there where the letter is about several.
fn lines(names: &[NamedPerson], with_unit: bool) -> Vec<String> {
    let line = |(place, person): (usize, &NamedPerson)| {
        let mut parts = vec![person.name.as_str()];
        parts.extend((!person.position.is_empty()).then_some(person.position.as_str()));
        parts.extend(with_unit.then_some(person.unit.as_str()));
        format!("{}. {}", place + 1, parts.join(", "))
    };
    names.iter().enumerate().map(line).collect()
}
