//! A proposal as whoever is to decide it has to see it: what would become of whom.

use parsurvey_survey::seat::{FormId, PersonId};
use sqlx::any::Any;

use super::stored::{Plan, Row, Stored, filled, proposals_where, values_of};
use super::{ProposalRow, ProposalState, basis_of_roster, basis_of_seat, email_of};
use crate::Ledger;
use crate::act::code;
use crate::acts::ReplacementKind;
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::moves::seats_of;
use crate::roster::NewPerson;
use crate::seats::seat_row;
use crate::sql::Tx;

/// What a proposal would make of one person, or of one form's holder. Its `Debug` shows nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownChange {
    /// The form, where it is about one.
    pub form: Option<FormId>,
    /// The person as stored now; none for somebody a list adds.
    pub person: Option<PersonId>,
    /// The values now, with the seats in the frame; none for somebody a list adds.
    pub old: Option<NewPerson>,
    /// The values that are proposed; none for somebody a list removes.
    pub new: Option<NewPerson>,
}

/// A proposal with what it would make of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownProposal {
    /// The proposal.
    pub row: ProposalRow,
    /// Why another holder is proposed, where one is.
    pub replacement: Option<ReplacementKind>,
    /// Whether it is open and what it rests on is as it was; only then can it be approved.
    pub can_be_approved: bool,
    /// What it would change, as long as it is open: what is decided is not kept.
    pub changes: Vec<ShownChange>,
}

impl Ledger {
    /// A proposal with the values before and after, for whoever is to decide it.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: there is no such proposal.
    pub async fn proposal(&self, proposal: i64) -> Result<ShownProposal> {
        let mut tx = self.snapshot().await?;
        let row = sqlx::query_as::<Any, Row>(proposals_where!("WHERE proposal = $1"))
            .bind(proposal)
            .fetch_optional(&mut *tx)
            .await?
            .ok_or_else(|| {
                LedgerError::conflict(format!("there is no proposal {proposal}; look at `parsurvey proposals`"))
            })?;
        let stored = row.read()?;
        let replacement = match &stored.plan {
            Plan::Replacement { kind, .. } => Some(code(kind, "proposal.plan")?),
            Plan::Address { .. } | Plan::Roster { .. } => None,
        };
        let is_open = stored.row.state == ProposalState::Open;
        let changes = if is_open { changes_of(&mut tx, &stored).await? } else { Vec::new() };
        let can_be_approved = is_open && is_as_it_was(&mut tx, &stored).await?;
        Ok(ShownProposal { row: stored.row, replacement, can_be_approved, changes })
    }
}

/// Whether a proposal rests on what is stored.
async fn is_as_it_was(tx: &mut Tx, stored: &Stored) -> Result<bool> {
    let (state, version) =
        sqlx::query_as::<Any, (String, i64)>("SELECT state, roster_version FROM campaign").fetch_one(&mut **tx).await?;
    let basis = match stored.row.form {
        Some(form) => basis_of_seat(tx, form).await?,
        None => basis_of_roster(version),
    };
    Ok(code::<CampaignState>(&state, "campaign.state")? == CampaignState::Inviting && basis == stored.basis)
}

async fn changes_of(tx: &mut Tx, stored: &Stored) -> Result<Vec<ShownChange>> {
    let change = |person, old, new| ShownChange { form: stored.row.form, person, old, new };
    let form = || stored.row.form.ok_or_else(|| LedgerError::damaged("proposal.form"));
    let mut changes = Vec::new();
    match &stored.plan {
        Plan::Address { staged } => {
            let person = seat_row(tx, form()?).await?.person;
            let old = standing(tx, person, None).await?;
            let new = NewPerson { email: email_of(tx, *staged).await?, ..old.clone() };
            changes.push(change(Some(person), Some(old), Some(new)));
        }
        Plan::Replacement { staged, .. } => {
            let person = seat_row(tx, form()?).await?.person;
            // What else the former holder holds does not pass on.
            let old = standing(tx, person, Some(form()?)).await?;
            let new = NewPerson { seats: old.seats.clone(), ..standing(tx, *staged, None).await? };
            changes.push(change(Some(person), Some(old), Some(new)));
        }
        Plan::Roster { added, changed, removed, .. } => {
            for staged in added {
                changes.push(change(None, None, Some(filled(tx, staged).await?)));
            }
            for (person, staged) in changed {
                let old = standing(tx, *person, None).await?;
                changes.push(change(Some(*person), Some(old), Some(filled(tx, staged).await?)));
            }
            for person in removed {
                changes.push(change(Some(*person), Some(standing(tx, *person, None).await?), None));
            }
        }
    }
    Ok(changes)
}

/// Somebody as stored, with the seats in the frame; `only` one of them where it is named.
async fn standing(tx: &mut Tx, person: PersonId, only: Option<FormId>) -> Result<NewPerson> {
    let values = values_of(tx, &[person]).await?.pop().ok_or(LedgerError::NotFound("the person"))?;
    let held = seats_of(tx, person).await?;
    let shown = held.into_iter().filter(|seat| !seat.ineligible && only.is_none_or(|form| form == seat.form));
    Ok(NewPerson { seats: shown.map(|seat| seat.place).collect(), ..values })
}
