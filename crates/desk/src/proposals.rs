//! Acts that need two people: what waits, and the second person's hand on it.
//!
//! Whether the two are different people is told by their names alone; that a name is somebody is the business of whoever
//! lets people log in.

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, ProposalRow, Proposed, ShownProposal};

use crate::{Because, Desk, DeskError};

/// What became of an act that may need two people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acted {
    /// It is done.
    Done,
    /// It waits for a second person.
    Waits {
        /// The proposal's number.
        proposal: i64,
        /// Whether it was not proposed before.
        is_new: bool,
    },
}

impl From<Proposed> for Acted {
    fn from(proposed: Proposed) -> Self {
        Self::Waits { proposal: proposed.proposal, is_new: proposed.is_new }
    }
}

impl Desk {
    /// Whether a change of address, of holder or of the frame needs two people now.
    #[must_use]
    pub fn needs_two(&self, state: CampaignState) -> bool {
        self.campaign.two_people && state == CampaignState::Inviting
    }

    /// Every proposal, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn proposals(&self) -> Result<Vec<ProposalRow>, DeskError> {
        Ok(self.ledger.proposals().await?)
    }

    /// A proposal with the values before and after, for whoever is to decide it.
    ///
    /// # Errors
    /// There is no such proposal.
    pub async fn proposal(&self, proposal: i64) -> Result<ShownProposal, DeskError> {
        Ok(self.ledger.proposal(proposal).await?)
    }

    /// Carries a proposal out, as a second person.
    ///
    /// # Errors
    /// It is not open, the actor is its proposer, or what it rests on has changed since.
    pub async fn approve(&self, proposal: i64, because: &Because, now: Timestamp) -> Result<ProposalRow, DeskError> {
        named(because)?;
        self.field_open("approve a proposal").await?;
        Ok(self.ledger.approve(proposal, &because.act(now)).await?)
    }

    /// Refuses a proposal, as a second person.
    ///
    /// # Errors
    /// No reason, it is not open, or the actor is its proposer.
    pub async fn reject(&self, proposal: i64, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        named(because)?;
        Ok(self.ledger.give_up_proposal(proposal, true, &because.act(now)).await?)
    }

    /// Takes one's own proposal back.
    ///
    /// # Errors
    /// No reason, it is not open, or the actor is not its proposer.
    pub async fn withdraw(&self, proposal: i64, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        named(because)?;
        Ok(self.ledger.give_up_proposal(proposal, false, &because.act(now)).await?)
    }
}

fn named(because: &Because) -> Result<(), DeskError> {
    if because.actor.trim().is_empty() {
        return Err(DeskError::refused("this act needs --actor", "say who decides; two people are told apart by it"));
    }
    Ok(())
}
