//! Every act and question of an operator, and of a respondent, as one function each.
//!
//! Used alike by command line, form, console and scheduler. An act reads, calls something pure, and writes.

pub mod respond;

use parsurvey_survey::campaign::Campaign;

/// An opened data folder with its campaign.
pub struct Desk {
    campaign: Campaign,
}

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Placeholder.
    #[error("{0}")]
    Other(String),
}

impl Desk {
    /// The campaign.
    #[must_use]
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }
}
