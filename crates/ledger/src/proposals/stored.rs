//! How a proposal is kept: its plan as JSON of numbers and codes, and the rows of `person` that wait for it.

use parsurvey_survey::seat::PersonId;
use serde::{Deserialize, Serialize};
use sqlx::any::Any;

use super::{ProposalKind, ProposalRow, ProposalState};
use crate::act::{code, from_millis, from_millis_opt};
use crate::error::{LedgerError, Result};
use crate::moves::place_of;
use crate::roster::{NewPerson, SeatPlace};
use crate::sql::Tx;

/// What a proposal would do. Persons that are named `staged` hold the values and no seat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Plan {
    Address { staged: PersonId },
    Replacement { staged: PersonId, kind: String },
    Roster { sha256: String, added: Vec<Staged>, changed: Vec<(PersonId, Staged)>, removed: Vec<PersonId> },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Staged {
    pub(super) person: PersonId,
    pub(super) seats: Vec<[String; 3]>,
}

impl Plan {
    pub(super) fn staged(&self) -> Vec<PersonId> {
        match self {
            Self::Address { staged } | Self::Replacement { staged, .. } => vec![*staged],
            Self::Roster { added, changed, .. } => {
                added.iter().chain(changed.iter().map(|(_, staged)| staged)).map(|staged| staged.person).collect()
            }
        }
    }

    pub(super) fn kind(&self) -> ProposalKind {
        match self {
            Self::Address { .. } => ProposalKind::Address,
            Self::Replacement { .. } => ProposalKind::Replacement,
            Self::Roster { .. } => ProposalKind::Roster,
        }
    }

    fn people(&self) -> [u64; 3] {
        match self {
            Self::Address { .. } => [0, 1, 0],
            Self::Replacement { .. } => [1, 0, 1],
            Self::Roster { added, changed, removed, .. } => {
                [added.len() as u64, changed.len() as u64, removed.len() as u64]
            }
        }
    }
}

pub(super) fn nameless(email: &str) -> NewPerson {
    let (name, position) = (String::new(), String::new());
    NewPerson { external_id: None, name, email: email.to_owned(), position, seats: Vec::new() }
}

pub(super) fn written(seats: &[SeatPlace]) -> Vec<[String; 3]> {
    seats.iter().map(|seat| [seat.target.to_string(), seat.group.to_string(), seat.unit.to_string()]).collect()
}

pub(super) async fn values_of(tx: &mut Tx, staged: &[PersonId]) -> Result<Vec<NewPerson>> {
    let mut values = Vec::new();
    for person in staged {
        let (external_id, name, email, position) = sqlx::query_as::<Any, (Option<String>, String, String, String)>(
            "SELECT external_id, name, email, position FROM person WHERE person = $1",
        )
        .bind(*person)
        .fetch_one(&mut **tx)
        .await?;
        values.push(NewPerson { external_id, name, email, position, seats: Vec::new() });
    }
    Ok(values)
}

/// A staged person with the seats that the plan gives.
pub(super) async fn filled(tx: &mut Tx, staged: &Staged) -> Result<NewPerson> {
    let mut values = values_of(tx, &[staged.person]).await?;
    let seats =
        staged.seats.iter().map(|[target, group, unit]| place_of(target, group, unit)).collect::<Result<_>>()?;
    let value = values.pop().ok_or(LedgerError::NotFound("the person"))?;
    Ok(NewPerson { seats, ..value })
}

/// The one query over proposals, closed by a condition.
macro_rules! proposals_where {
    ($condition:literal) => {
        concat!(
            "SELECT proposal, kind, form, plan, basis, state, proposer, reason, document, at, decided_by, decided_why, ",
            "decided FROM proposal ",
            $condition
        )
    };
}
pub(super) use proposals_where;

pub(super) struct Stored {
    pub(super) row: ProposalRow,
    pub(super) plan: Plan,
    pub(super) basis: String,
}

pub(super) async fn open_proposal(tx: &mut Tx, proposal: i64) -> Result<Stored> {
    let row = sqlx::query_as::<Any, Row>(proposals_where!("WHERE proposal = $1"))
        .bind(proposal)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or_else(|| {
            LedgerError::conflict(format!("there is no proposal {proposal}; look at `parsurvey proposals`"))
        })?;
    let stored = row.read()?;
    match stored.row.state {
        ProposalState::Open => Ok(stored),
        state => Err(LedgerError::conflict(format!("proposal {proposal} is {state}; it cannot be decided again"))),
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    proposal: i64,
    kind: String,
    form: Option<i64>,
    plan: String,
    basis: String,
    state: String,
    proposer: String,
    reason: String,
    document: String,
    at: i64,
    decided_by: Option<String>,
    decided_why: Option<String>,
    decided: Option<i64>,
}

impl Row {
    pub(super) fn read(self) -> Result<Stored> {
        let plan: Plan = serde_json::from_str(&self.plan).map_err(|_| LedgerError::damaged("proposal.plan"))?;
        let row = ProposalRow {
            proposal: self.proposal,
            kind: code(&self.kind, "proposal.kind")?,
            form: self.form,
            state: code(&self.state, "proposal.state")?,
            proposer: self.proposer,
            reason: self.reason,
            document: self.document,
            at: from_millis(self.at, "proposal.at")?,
            decided_by: self.decided_by,
            decided_why: self.decided_why,
            decided: from_millis_opt(self.decided, "proposal.decided")?,
            people: plan.people(),
        };
        Ok(Stored { row, plan, basis: self.basis })
    }
}
