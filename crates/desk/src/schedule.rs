//! Whatever is due: one call that does it and says what comes next, for a timer, a scheduler, or a campaign played in a test.
//!
//! It decides nothing that an operator has to decide: it closes nothing, excuses nobody and lets nothing go that failed.
//! Called twice at the same moment, or by two at once, it does nothing twice.

use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_dispatch::Stop;
use parsurvey_ledger::CampaignState;
use parsurvey_survey::calendar;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::plan;

use crate::mailing::{Clock, Relay, Sent};
use crate::{Because, Desk, DeskError};

/// What was due and what comes of it.
#[derive(Debug, Default)]
pub struct WasDue {
    /// The contacts that were due, with what their sending did.
    pub sent: Vec<(MailKind, u32, Sent)>,
    /// What went wrong with the day's anchor; nothing else waits for it.
    pub anchor: Option<String>,
    /// What keeps mails from leaving now, and whether a person must act on it.
    pub stands_still: Option<Stand>,
    /// When there is something to do next, and what, as far as is known.
    pub next: Option<Next>,
}

/// What keeps mails from leaving.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Why.
    pub reason: String,
    /// What to do.
    pub remedy: String,
    /// Whether a person must act; else time alone will do.
    pub needs_person: bool,
}

/// The next thing that will be due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Next {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: String,
}

impl Desk {
    /// Does whatever is due at the moment the clock tells.
    ///
    /// # Errors
    /// The ledger or the data folder fail, the relay is absent, or it was asked to stop; run it again.
    pub async fn run_due(
        self: &Arc<Self>,
        relay: &Relay,
        stop: &Stop,
        because: &Because,
        clock: impl Into<Clock>,
    ) -> Result<WasDue, DeskError> {
        let clock = clock.into();
        let now = clock.now();
        let anchor = self.anchor_if_due(&relay.way, because, now).await;
        let mut done = WasDue { anchor, ..WasDue::default() };
        match self.state().await? {
            CampaignState::Draft | CampaignState::Inviting => {}
            CampaignState::Closed | CampaignState::Opened | CampaignState::Released => {
                done.stands_still = Some(Stand::waits("the survey is closed", "open the box, and score"));
                return Ok(done);
            }
        }
        self.take_over_from_the_dead(now).await?;
        self.ledger.settle_by_answers(now).await?;
        let deadline = self.deadline().await?;
        if now > deadline {
            done.stands_still = Some(Stand {
                reason: format!("the deadline has passed ({})", calendar::written(deadline, &self.campaign.time_zone)),
                remedy: "close the survey with `parsurvey close`, or extend it with `parsurvey extend`".to_owned(),
                needs_person: true,
            });
            return Ok(done);
        }
        for kind in self.due_kinds(now) {
            let Some(contact) = plan::due(&self.campaign.contacts, kind, now) else { continue };
            match self.contact(kind, relay, stop, because, clock.clone()).await {
                Ok(sent) => done.sent.push((kind, contact.wave, sent)),
                Err(DeskError::Unfinished { reason, remedy }) if self.require_hours(clock.now()).is_err() => {
                    done.stands_still = Some(Stand::waits(&reason, &remedy));
                }
                Err(error @ (DeskError::Unfinished { .. } | DeskError::Faults { .. })) => return Err(error),
                Err(DeskError::Refused { reason, remedy }) => {
                    done.stands_still = Some(Stand { reason, remedy, needs_person: true });
                }
            }
            if done.stands_still.is_some() {
                break;
            }
        }
        done.next = self.next_due(clock.now()).await?;
        Ok(done)
    }

    /// The next moment at which there will be something to do.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn next_due(&self, now: Timestamp) -> Result<Option<Next>, DeskError> {
        let campaign = &self.campaign;
        let contacts = campaign.contacts.iter().filter(|contact| contact.due > now).map(|contact| Next {
            at: contact.due,
            what: match contact.kind {
                MailKind::Prenotice | MailKind::Invitation | MailKind::Link => contact.kind.as_str().to_owned(),
                MailKind::Reminder => format!("reminder {}", contact.wave),
            },
        });
        let retry =
            self.ledger.next_try().await?.map(|at| Next { at: at.max(now), what: "mails to be tried again".into() });
        let hours = campaign.sending.hours.as_ref().filter(|_| self.require_hours(now).is_err()).and_then(|hours| {
            let at = hours.next_open(now, &campaign.time_zone, &campaign.holidays)?;
            Some(Next { at, what: "the hours of sending begin".into() })
        });
        let deadline = self.deadline().await?;
        let deadline = (deadline > now).then(|| Next { at: deadline, what: "the deadline".into() });
        Ok(contacts.chain(retry).chain(hours).chain(deadline).min_by_key(|next| next.at))
    }
}

impl Stand {
    fn waits(reason: &str, remedy: &str) -> Self {
        Self { reason: reason.to_owned(), remedy: remedy.to_owned(), needs_person: false }
    }
}
