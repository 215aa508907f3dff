//! The board's question: everything that is counted, at once. Cutting it to an account is pure (`survey::board`).

use jiff::Timestamp;
use parsurvey_survey::board::{Ground, field_days};

use crate::{Desk, DeskError};

impl Desk {
    /// Everything the board counts.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn board_ground(&self, now: Timestamp) -> Result<Ground, DeskError> {
        let deadline = self.deadline().await?;
        let zone = &self.campaign.time_zone;
        let days: Vec<_> = field_days(&self.campaign, deadline, now)
            .into_iter()
            // A day whose midnight the zone skipped begins a little later.
            .filter_map(|day| Some((day, day.to_zoned(zone.clone()).ok()?.timestamp())))
            .collect();
        Ok(Ground {
            cells: self.ledger.board_cells().await?,
            days: self.ledger.submissions_by_day(&days).await?,
            deadline,
            names_ordered: !self.ledger.chase_orders().await?.is_empty(),
        })
    }
}
