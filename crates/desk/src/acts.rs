//! Acts on seats: excuse, reinstate, replace, correct an address, decline, extend. Each needs a reason, a document, an actor.
//!
//! A completed form can be none of these. Who has declined is told to nobody below the operator.

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, LedgerError, NewHolder, ReplacementKind};
use parsurvey_survey::address::RespondentEmail;
use parsurvey_survey::calendar;
use parsurvey_survey::seat::{ExcuseCategory, FormId, Seat};

use crate::proposals::Acted;
use crate::{Because, Desk, DeskError};

/// Whom a seat passes to.
#[derive(Clone)]
pub struct Successor {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
    /// Position.
    pub position: String,
    /// Whether the predecessor was not in post on the frame date (a frame correction) or was but is unable (a substitution).
    pub substitution: bool,
}

impl Desk {
    /// Excuses a seat: reason, approving document and date go into the log.
    ///
    /// # Errors
    /// The form is completed, or the act has no reason or document.
    pub async fn excuse(
        &self,
        form: FormId,
        category: ExcuseCategory,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        self.actionable(form, because).await?;
        Ok(self.ledger.excuse(form, category, &because.act(now)).await?)
    }

    /// Takes an excuse back.
    ///
    /// # Errors
    /// The seat is not excused.
    pub async fn reinstate(&self, form: FormId, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        let seat = self.actionable(form, because).await?;
        if seat.excused.is_none() {
            return Err(DeskError::refused(format!("form {form} is not excused"), "look at `parsurvey roster list`"));
        }
        Ok(self.ledger.reinstate(form, &because.act(now)).await?)
    }

    /// Passes a seat to another person; the old link dies and the new holder is owed an invitation. Once people were
    /// invited it is proposed only, and waits for a second person.
    ///
    /// # Errors
    /// The form is completed, the address is faulty, or a substitution that the campaign does not allow.
    pub async fn replace(
        &self,
        form: FormId,
        successor: &Successor,
        because: &Because,
        now: Timestamp,
    ) -> Result<Acted, DeskError> {
        self.actionable(form, because).await?;
        if successor.substitution && !self.campaign.limits.substitution {
            return Err(DeskError::refused(
                "this campaign allows no substitution of someone who was in post on the frame date",
                "excuse them instead, or correct the frame if they were not in post",
            ));
        }
        if successor.name.trim().is_empty() {
            return Err(DeskError::refused("the new holder has no name", "give it with --name"));
        }
        let holder = NewHolder {
            external_id: None,
            name: successor.name.trim().to_owned(),
            email: address(&successor.email)?,
            position: successor.position.trim().to_owned(),
        };
        let kind =
            if successor.substitution { ReplacementKind::Substitution } else { ReplacementKind::FrameCorrection };
        let act = because.act(now);
        if self.needs_two(self.state().await?) {
            return Ok(self.ledger.propose_replacement(form, holder, kind, &act).await?.into());
        }
        self.ledger.replace(form, holder, kind, &act).await?;
        Ok(Acted::Done)
    }

    /// Corrects the address of a seat's holder; the old link dies and an invitation is owed to the new address. Once people
    /// were invited it is proposed only, and waits for a second person.
    ///
    /// # Errors
    /// The form is completed or the address is faulty.
    pub async fn correct_address(
        &self,
        form: FormId,
        email: &str,
        because: &Because,
        now: Timestamp,
    ) -> Result<Acted, DeskError> {
        self.actionable(form, because).await?;
        let (email, act) = (address(email)?, because.act(now));
        if self.needs_two(self.state().await?) {
            return Ok(self.ledger.propose_address(form, &email, &act).await?.into());
        }
        self.ledger.correct_address(form, &email, &act).await?;
        Ok(Acted::Done)
    }

    /// Records that the person declines, as told by phone or letter (AAPOR 2.11).
    ///
    /// # Errors
    /// The form is completed.
    pub async fn decline(&self, form: FormId, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        self.actionable(form, because).await?;
        Ok(self.ledger.decline(form, &because.act(now)).await?)
    }

    /// Moves the deadline to a later moment.
    ///
    /// # Errors
    /// The moment is not later than the deadline in force, or the survey is closed.
    pub async fn extend(&self, until: Timestamp, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        documented(because)?;
        let deadline = self.deadline().await?;
        if until <= deadline {
            return Err(DeskError::refused(
                format!(
                    "the deadline in force is {}, which is not earlier",
                    calendar::written(deadline, &self.campaign.time_zone)
                ),
                "give a later moment; a deadline is never brought forward",
            ));
        }
        self.field_open("extend").await?;
        Ok(self.ledger.extend(until, &because.act(now)).await?)
    }

    async fn actionable(&self, form: FormId, because: &Because) -> Result<Seat, DeskError> {
        documented(because)?;
        self.field_open("change a seat").await?;
        let seat = match self.ledger.seat(form).await {
            Err(LedgerError::NotFound(_)) => {
                let remedy = "find the number with `parsurvey roster list`";
                return Err(DeskError::refused(format!("there is no form {form}"), remedy));
            }
            seat => seat?,
        };
        if seat.completed.is_some() {
            return Err(DeskError::refused(
                format!("form {form} is completed"),
                "a completed form cannot be excused, replaced, corrected or declined",
            ));
        }
        Ok(seat)
    }

    pub(crate) async fn field_open(&self, what: &str) -> Result<CampaignState, DeskError> {
        let state = self.state().await?;
        match state {
            CampaignState::Draft | CampaignState::Inviting => Ok(state),
            CampaignState::Closed | CampaignState::Opened | CampaignState::Released => Err(DeskError::refused(
                format!("the survey is {}; it is too late to {what}", state.as_str()),
                "closing cannot be undone",
            )),
        }
    }
}

pub(crate) fn documented(because: &Because) -> Result<(), DeskError> {
    let missing: Vec<&str> =
        [("--reason", &because.reason), ("--document", &because.document), ("--actor", &because.actor)]
            .into_iter()
            .filter(|(_, text)| text.trim().is_empty())
            .map(|(name, _)| name)
            .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(DeskError::refused(
        format!("this act needs {}", missing.join(", ")),
        "say who does it, why, and which document approves it; the log keeps all three",
    ))
}

pub(crate) fn address(text: &str) -> Result<String, DeskError> {
    RespondentEmail::parse(text).map(|email| email.expose().to_owned()).map_err(|error| {
        DeskError::refused(format!("the address is faulty: {error}"), "give one mailbox, such as ten@donvi.example")
    })
}
