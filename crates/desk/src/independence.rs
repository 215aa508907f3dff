//! The independence page: changes to people by unit, who made them, what followed, and what the calls gave.

use std::collections::BTreeMap;

use parsurvey_index::code::UnitCode;
use parsurvey_survey::callback::CallCounts;
use parsurvey_survey::independence::{Independence, independence};

use crate::{Desk, DeskError};

/// The page.
#[derive(Debug)]
pub struct IndependencePage {
    /// What was changed, and by whom.
    pub changes: Independence,
    /// What the calls of the latest draw gave, by unit; no population, as nothing was drawn by unit.
    pub calls: BTreeMap<UnitCode, CallCounts>,
}

impl Desk {
    /// The independence page. Counts only.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn independence(&self) -> Result<IndependencePage, DeskError> {
        let changes = self.ledger.changes().await?;
        let submitted = self.ledger.submitted().await?;
        let mut calls: BTreeMap<UnitCode, CallCounts> = BTreeMap::new();
        for called in self.ledger.callback().await?.into_iter().flat_map(|draw| draw.forms) {
            calls.entry(called.unit).or_default().add(called.outcome);
        }
        Ok(IndependencePage { changes: independence(&changes, &submitted), calls })
    }
}
