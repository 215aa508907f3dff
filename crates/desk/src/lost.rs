//! "I lost my link": a link is queued for whoever is listed under an address and may still answer. Used by `web` alone.
//!
//! The caller learns nothing, so that no page can tell whether an address is listed. The mail leaves with the ordinary
//! outbox: pauses, the deadline, hours and stopped addresses hold it up like any other.

use jiff::{SignedDuration, Timestamp};
use parsurvey_ledger::{Act, AskingPace, CampaignState, LinkHash, NewMail};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::plan::Owed;

use crate::{Desk, DeskError};

impl Desk {
    /// Queues a link for every form that may still be answered by whoever has this address, within the campaign's limits.
    /// An address that nobody has, a second request too soon, a survey that is not open: nothing is done, and nothing said.
    ///
    /// # Errors
    /// The ledger cannot be read or written.
    pub async fn ask_for_link(&self, address: &str, now: Timestamp) -> Result<(), DeskError> {
        if self.state().await? != CampaignState::Inviting || now < self.campaign.opens || now > self.deadline().await? {
            return Ok(());
        }
        let seats = self.ledger.open_seats_at(address.trim()).await?;
        if seats.is_empty() {
            return Ok(());
        }
        let mut links = Vec::new();
        let mut mails = Vec::new();
        for seat in seats {
            let token = self.link_secret.token(&self.campaign.id, seat.form, seat.link_version);
            links.push(LinkHash { form: seat.form, link_version: seat.link_version, hash: token.hash() });
            let (form, holder, address_version) = (seat.form, seat.holder, seat.address_version);
            let owed = Owed { form, holder, address_version, kind: MailKind::Link, wave: seat.asked + 1 };
            let message_id = Some(self.message_id(&owed));
            mails.push(NewMail {
                form,
                holder,
                address_version,
                kind: owed.kind,
                wave: owed.wave,
                message_id,
                held: false,
            });
        }
        // Before any mail leaves: the person may click within the second.
        self.ledger.store_links(&links).await?;
        let limits = &self.campaign.lost_link;
        let pace = AskingPace {
            between: SignedDuration::from_mins(i64::from(limits.minutes_between)),
            per_day: limits.per_day,
        };
        self.ledger.enqueue_links(&mails, pace, &Act::plain(now, "respondent")).await?;
        Ok(())
    }
}
