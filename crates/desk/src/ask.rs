//! Questions: status, rates, mails. None of them touches a ballot or a tally.

use jiff::Timestamp;
use parsurvey_survey::disposition::AaporCounts;
use parsurvey_survey::seat::Seat;
use parsurvey_survey::status::{self, Status, StatusBy};

use crate::{Desk, DeskError};

impl Desk {
    /// The status at `now`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn status(&self, by: StatusBy, now: Timestamp) -> Result<Status, DeskError> {
        let counts = self.ledger.seat_counts().await?;
        let submissions = match by {
            StatusBy::Day => self.ledger.submission_moments().await?,
            StatusBy::Group | StatusBy::Unit => Vec::new(),
        };
        Ok(status::status(&self.campaign, &counts, &submissions, by, now))
    }

    /// The status by group, as the status page shows it.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn status_by_group(&self, now: Timestamp) -> Result<Status, DeskError> {
        self.status(StatusBy::Group, now).await
    }

    /// AAPOR counts over the counted groups.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn aapor(&self) -> Result<AaporCounts, DeskError> {
        let seats = self.ledger.seats().await?;
        Ok(AaporCounts::of(seats.iter().filter(|seat| self.is_counted(seat))))
    }

    fn is_counted(&self, seat: &Seat) -> bool {
        self.campaign.group(&seat.group).is_some_and(|group| group.counted)
    }
}
