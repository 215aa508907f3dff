//! Acts that wait for a second person: proposed by one, carried out by another in one transaction, or given up.
//!
//! A proposal holds numbers and codes. What it would make of people waits in `person`, as rows that hold no seat; these
//! become the people, or are erased, when the proposal is decided. Nothing is carried out whose ground has changed since.

mod shown;
mod stored;

use jiff::Timestamp;
use parsurvey_survey::control::is_same_actor;
use parsurvey_survey::seat::{FormId, PersonId};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, to_millis, words};
use crate::acts::{NewHolder, ReplacementKind};
use crate::campaign::{CampaignState, Head};
use crate::error::{LedgerError, Result};
use crate::event::{Backed, Entry};
use crate::notices::erase;
use crate::roster::{ChangedPerson, NewPerson, RosterChange, insert_people};
use crate::seats::seat_row;
use crate::sql::Tx;
pub use shown::{ShownChange, ShownProposal};
use stored::{Plan, Row, Staged, Stored, filled, nameless, open_proposal, proposals_where, values_of, written};

words!(
    /// What is proposed.
    ProposalKind, "kind of proposal", {
        /// Another address for a seat's holder.
        Address = "address",
        /// Another holder for a seat.
        Replacement = "replacement",
        /// A correction of the frame by a list.
        Roster = "roster",
    }
);

words!(
    /// How far a proposal has come.
    ProposalState, "state of a proposal", {
        /// It waits for a second person.
        Open = "open",
        /// A second person has carried it out.
        Approved = "approved",
        /// A second person has refused it.
        Rejected = "rejected",
        /// Its proposer has taken it back, or the survey was closed.
        Withdrawn = "withdrawn",
    }
);

/// A proposal as it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposed {
    /// Its number.
    pub proposal: i64,
    /// Whether it was not proposed before.
    pub is_new: bool,
}

/// A proposal, without what it would make of people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its number.
    pub proposal: i64,
    /// What is proposed.
    pub kind: ProposalKind,
    /// The form it is about; none for a list.
    pub form: Option<FormId>,
    /// How far it has come.
    pub state: ProposalState,
    /// Who proposed it.
    pub proposer: String,
    /// Why.
    pub reason: String,
    /// The document that allows it.
    pub document: String,
    /// When it was proposed.
    pub at: Timestamp,
    /// Who decided.
    pub decided_by: Option<String>,
    /// Why, where it was refused or taken back.
    pub decided_why: Option<String>,
    /// When.
    pub decided: Option<Timestamp>,
    /// People it adds, changes and removes.
    pub people: [u64; 3],
}

/// What a proposal needs to be stored.
struct Draft<'a> {
    form: Option<FormId>,
    basis: String,
    /// What would be staged, in the order in which `plan` takes it.
    values: Vec<NewPerson>,
    plan: &'a (dyn Fn(&[PersonId]) -> Plan + Send + Sync),
}

impl Ledger {
    /// Proposes another address for a seat's holder. The same proposal again, while it is open, changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::correct_address`]; also [`LedgerError::Conflict`] unless inviting.
    pub async fn propose_address(&self, form: FormId, email: &str, act: &Act) -> Result<Proposed> {
        let (tx, head, seat) = self.seat_act(form, &[CampaignState::Inviting]).await?;
        let mut tx = tx;
        let stored = email_of(&mut tx, seat.person).await?;
        if stored == email {
            return Err(LedgerError::conflict(format!("form {form} has this address already")));
        }
        let draft = Draft {
            form: Some(form),
            basis: basis_of_seat(&mut tx, form).await?,
            values: vec![nameless(email)],
            plan: &|staged| Plan::Address { staged: staged[0] },
        };
        store(tx, head, act, draft).await
    }

    /// Proposes another holder for a seat. The same proposal again, while it is open, changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::replace`]; also [`LedgerError::Conflict`] unless inviting.
    pub async fn propose_replacement(
        &self,
        form: FormId,
        holder: NewHolder,
        kind: ReplacementKind,
        act: &Act,
    ) -> Result<Proposed> {
        let (tx, head, _) = self.seat_act(form, &[CampaignState::Inviting]).await?;
        let mut tx = tx;
        let draft = Draft {
            form: Some(form),
            basis: basis_of_seat(&mut tx, form).await?,
            values: vec![holder.into_person()],
            plan: &|staged| Plan::Replacement { staged: staged[0], kind: kind.as_str().to_owned() },
        };
        store(tx, head, act, draft).await
    }

    /// Proposes a correction of the frame. The same proposal again, while it is open, changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::Meanwhile`]: the stored people are no longer those the roster was compared with. `Conflict` unless
    /// inviting.
    pub async fn propose_roster(&self, change: &RosterChange, sha256: &str, act: &Act) -> Result<Proposed> {
        let (mut tx, head) = self.change().await?;
        head.require(&[CampaignState::Inviting], "a proposal")?;
        if head.roster_version != change.basis {
            return Err(LedgerError::Meanwhile("the stored roster changed meanwhile; run the import again"));
        }
        // Tried and taken back, so that what cannot be done is told to its proposer. One transaction does both: what was
        // tried and what is stored rest on the same ground.
        sqlx::raw_sql("SAVEPOINT trial").execute(&mut *tx).await?;
        let added = insert_people(&mut tx, &change.added).await?;
        crate::roster::apply_in(&mut tx, &mut head.clone(), (change, sha256), (added, &[]), act, None).await?;
        sqlx::raw_sql("ROLLBACK TO SAVEPOINT trial").execute(&mut *tx).await?;
        let people = change.added.iter().chain(change.changed.iter().map(|changed| &changed.now));
        let values = people.map(|person| NewPerson { seats: Vec::new(), ..person.clone() }).collect();
        let plan = |staged: &[PersonId]| {
            let (added, changed) = staged.split_at(change.added.len());
            let of = |person: &PersonId, now: &NewPerson| Staged { person: *person, seats: written(&now.seats) };
            Plan::Roster {
                sha256: sha256.to_owned(),
                added: added.iter().zip(&change.added).map(|(person, now)| of(person, now)).collect(),
                changed: changed
                    .iter()
                    .zip(&change.changed)
                    .map(|(person, changed)| (changed.person, of(person, &changed.now)))
                    .collect(),
                removed: change.removed.clone(),
            }
        };
        let basis = basis_of_roster(head.roster_version);
        store(tx, head, act, Draft { form: None, basis, values, plan: &plan }).await
    }

    /// Carries a proposal out, in one transaction: the act of a second person.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: it is not open, the actor is its proposer, or what it rests on has changed since.
    pub async fn approve(&self, proposal: i64, act: &Act) -> Result<ProposalRow> {
        let (mut tx, mut head) = self.change().await?;
        let stored = open_proposal(&mut tx, proposal).await?;
        if is_same_actor(&stored.row.proposer, &act.actor) {
            return Err(LedgerError::conflict(format!(
                "proposal {proposal} is by the same person, {}; another person has to approve it",
                act.actor
            )));
        }
        let basis = match stored.row.form {
            Some(form) => basis_of_seat(&mut tx, form).await?,
            None => basis_of_roster(head.roster_version),
        };
        if head.state != CampaignState::Inviting || basis != stored.basis {
            return Err(LedgerError::conflict(format!(
                "what proposal {proposal} rests on has changed since it was made; withdraw or reject it, and propose again"
            )));
        }
        let backed = Backed { proposal, proposer: stored.row.proposer.clone() };
        // Why and on what authority is the proposer's; who did it is the approver.
        let carried = Act { reason: stored.row.reason.clone(), document: stored.row.document.clone(), ..act.clone() };
        carry_out(&mut tx, &mut head, &stored, &carried, &backed).await?;
        decide(&mut tx, &mut head, &stored, ProposalState::Approved, act).await?;
        tx.commit().await?;
        Ok(ProposalRow { state: ProposalState::Approved, ..stored.row })
    }

    /// Refuses a proposal as a second person, or takes one's own back; what it would have made of people is erased.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: no reason, it is not open, or it is another's to decide.
    pub async fn give_up_proposal(&self, proposal: i64, rejected: bool, act: &Act) -> Result<()> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("to give a proposal up needs a reason; say why"));
        }
        let (mut tx, mut head) = self.change().await?;
        let stored = open_proposal(&mut tx, proposal).await?;
        let is_own = is_same_actor(&stored.row.proposer, &act.actor);
        if is_own == rejected {
            return Err(LedgerError::conflict(if rejected {
                format!(
                    "proposal {proposal} is by the same person; its proposer withdraws it, another person rejects it"
                )
            } else {
                format!(
                    "proposal {proposal} is by another person; its proposer withdraws it, another person rejects it"
                )
            }));
        }
        for person in stored.plan.staged() {
            erase(&mut tx, person).await?;
        }
        let state = if rejected { ProposalState::Rejected } else { ProposalState::Withdrawn };
        decide(&mut tx, &mut head, &stored, state, act).await?;
        Ok(tx.commit().await?)
    }

    /// Every proposal, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn proposals(&self) -> Result<Vec<ProposalRow>> {
        let rows = sqlx::query_as::<Any, Row>(proposals_where!("ORDER BY proposal"))
            .fetch_all(&mut *self.read().await?)
            .await?;
        rows.into_iter().map(|row| Ok(row.read()?.row)).collect()
    }
}

/// Withdraws every open proposal because the survey is closed, and erases what they would have made of people.
pub(crate) async fn withdraw_all(tx: &mut Tx, head: &mut Head, act: &Act) -> Result<()> {
    let rows = sqlx::query_as::<Any, Row>(proposals_where!("WHERE state = 'open' ORDER BY proposal"))
        .fetch_all(&mut **tx)
        .await?;
    let act = Act { reason: "the survey was closed".to_owned(), ..act.clone() };
    for row in rows {
        let stored = row.read()?;
        for person in stored.plan.staged() {
            erase(tx, person).await?;
        }
        decide(tx, head, &stored, ProposalState::Withdrawn, &act).await?;
    }
    Ok(())
}

/// What an act on a seat rests on: who holds it, at which address, and that it is open.
async fn basis_of_seat(tx: &mut Tx, form: FormId) -> Result<String> {
    let seat = seat_row(tx, form).await?;
    let open = seat.completed.is_none() && seat.ineligible == 0;
    Ok(format!(
        "person {} holder {} address {} excused {} open {open}",
        seat.person,
        seat.holder,
        seat.email_version,
        seat.excused.as_deref().unwrap_or("-"),
    ))
}

fn basis_of_roster(version: i64) -> String {
    format!("roster {version}")
}

async fn email_of(tx: &mut Tx, person: PersonId) -> Result<String> {
    Ok(sqlx::query_scalar("SELECT email FROM person WHERE person = $1").bind(person).fetch_one(&mut **tx).await?)
}

/// Stores a proposal, unless the same one is open.
async fn store(mut tx: Tx, mut head: Head, act: &Act, draft: Draft<'_>) -> Result<Proposed> {
    if let Some(proposal) = same_open(&mut tx, &draft).await? {
        return Ok(Proposed { proposal, is_new: false });
    }
    let staged = insert_people(&mut tx, &draft.values).await?;
    let plan = (draft.plan)(&staged);
    let json = serde_json::to_string(&plan).map_err(|_| LedgerError::damaged("proposal.plan"))?;
    let proposal = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO proposal (kind, form, plan, basis, state, proposer, reason, document, at) \
         VALUES ($1, $2, $3, $4, 'open', $5, $6, $7, $8) RETURNING proposal",
    )
    .bind(plan.kind().as_str())
    .bind(draft.form)
    .bind(json)
    .bind(draft.basis.as_str())
    .bind(act.actor.as_str())
    .bind(act.reason.as_str())
    .bind(act.document.as_str())
    .bind(to_millis(act.at))
    .fetch_one(&mut *tx)
    .await?;
    let mut entry = Entry::of("proposed").with("proposal", proposal).with("what", plan.kind().as_str());
    if let Some(form) = draft.form {
        entry = entry.form(form);
    }
    head.append(&mut tx, act, entry).await?;
    tx.commit().await?;
    Ok(Proposed { proposal, is_new: true })
}

/// An open proposal that would do the same on the same ground.
async fn same_open(tx: &mut Tx, draft: &Draft<'_>) -> Result<Option<i64>> {
    let rows = sqlx::query_as::<Any, Row>(proposals_where!("WHERE state = 'open' ORDER BY proposal"))
        .fetch_all(&mut **tx)
        .await?;
    for row in rows {
        let stored = row.read()?;
        let staged = stored.plan.staged();
        if stored.row.form != draft.form || stored.basis != draft.basis || staged.len() != draft.values.len() {
            continue;
        }
        if (draft.plan)(&staged) == stored.plan && values_of(tx, &staged).await? == draft.values {
            return Ok(Some(stored.row.proposal));
        }
    }
    Ok(None)
}

async fn carry_out(tx: &mut Tx, head: &mut Head, stored: &Stored, act: &Act, backed: &Backed) -> Result<()> {
    let form = || stored.row.form.ok_or_else(|| LedgerError::damaged("proposal.form"));
    match &stored.plan {
        Plan::Address { staged } => {
            let email = email_of(tx, *staged).await?;
            crate::acts::correct_in(tx, head, (form()?, &email), Some(*staged), act, Some(backed)).await
        }
        Plan::Replacement { staged, kind } => {
            let kind = code(kind, "proposal.plan")?;
            crate::acts::replace_in(tx, head, form()?, *staged, kind, act, Some(backed)).await
        }
        Plan::Roster { sha256, added, changed, removed } => {
            let mut change =
                RosterChange { basis: head.roster_version, removed: removed.clone(), ..RosterChange::default() };
            for staged in added {
                change.added.push(filled(tx, staged).await?);
            }
            for (person, staged) in changed {
                change.changed.push(ChangedPerson { person: *person, now: filled(tx, staged).await? });
            }
            let people = added.iter().map(|staged| staged.person).collect();
            let spares: Vec<PersonId> = changed.iter().map(|(_, staged)| staged.person).collect();
            crate::roster::apply_in(tx, head, (&change, sha256), (people, &spares), act, Some(backed)).await?;
            Ok(())
        }
    }
}

async fn decide(tx: &mut Tx, head: &mut Head, stored: &Stored, state: ProposalState, act: &Act) -> Result<()> {
    sqlx::query("UPDATE proposal SET state = $1, decided_by = $2, decided_why = $3, decided = $4 WHERE proposal = $5")
        .bind(state.as_str())
        .bind(act.actor.as_str())
        .bind(act.reason.as_str())
        .bind(to_millis(act.at))
        .bind(stored.row.proposal)
        .execute(&mut **tx)
        .await?;
    let mut entry = Entry::of(match state {
        ProposalState::Approved | ProposalState::Open => "approved",
        ProposalState::Rejected => "rejected",
        ProposalState::Withdrawn => "withdrawn",
    })
    .with("proposal", stored.row.proposal)
    .with("what", stored.row.kind.as_str())
    .with("proposer", stored.row.proposer.as_str());
    if let Some(form) = stored.row.form {
        entry = entry.form(form);
    }
    head.append(tx, act, entry).await
}
