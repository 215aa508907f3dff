//! The way back for mails that were refused for good or of which nobody knows: only when an operator asks for it.
//!
//! Nothing here decides that a mail be sent again by itself, and nothing is made ready that is owed no longer.

use jiff::{SignedDuration, Timestamp};
use parsurvey_survey::campaign::MailKind;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, to_millis, words};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::mail::later_contact_queued;

words!(
    /// Which mails of a contact are sent once more.
    Again, "state of mails to be sent again", {
        /// Those the relay refused for good.
        Rejected = "rejected",
        /// Those claimed and without an outcome: some people may get the mail twice.
        Unknown = "unknown",
    }
);

/// What asking for mails again did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MadeReady {
    /// Mails that are ready once more.
    pub mails: u64,
    /// Mails that were claimed so recently that a sender may still have them in hand; they stay as they are.
    pub in_hand: u64,
}

/// Longer than any sender keeps a mail: the stages of a dialogue with a relay have shorter limits, all together.
const IN_HAND: SignedDuration = SignedDuration::from_mins(30);

/// Mails of a contact in a state, of people who still owe an answer and had no later contact.
macro_rules! still_owed {
    () => {
        concat!(
            "kind = $1 AND wave = $2 AND state = $3 AND EXISTS (SELECT 1 FROM seat s JOIN person p ON p.person = s.person ",
            "WHERE s.form = mail.form AND s.holder = mail.holder AND p.email_version = mail.address_version ",
            "AND s.removed = 0 AND s.ineligible = 0 AND s.completed IS NULL AND s.excused IS NULL AND s.declined = 0) ",
            "AND NOT ",
            later_contact_queued!()
        )
    };
}

impl Ledger {
    /// Makes the mails of one contact that are in a state ready once more, with the reason in the log. What is owed no
    /// longer, and what a later contact has overtaken, stays as it is.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the act gives no reason, or the campaign is closed.
    pub async fn make_ready_again(&self, kind: MailKind, wave: u32, again: Again, act: &Act) -> Result<MadeReady> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("sending mails again needs a reason; say why"));
        }
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "sending mails again")?;
        let (state, until) = match again {
            Again::Rejected => ("rejected", act.at),
            Again::Unknown => ("claimed", act.at.checked_sub(IN_HAND).unwrap_or(Timestamp::MIN)),
        };
        let update = concat!(
            "UPDATE mail SET state = 'ready', claimant = NULL, claimed = NULL, not_before = 0 WHERE ",
            "($3 = 'rejected' OR claimed <= $4) AND ",
            still_owed!()
        );
        let mails = sqlx::query(update)
            .bind(kind.as_str())
            .bind(i64::from(wave))
            .bind(state)
            .bind(to_millis(until))
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let in_hand = match again {
            Again::Rejected => 0,
            Again::Unknown => {
                sqlx::query_scalar::<Any, i64>(concat!("SELECT COUNT(*) FROM mail WHERE ", still_owed!()))
                    .bind(kind.as_str())
                    .bind(i64::from(wave))
                    .bind(state)
                    .fetch_one(&mut *tx)
                    .await?
                    .unsigned_abs()
            }
        };
        if mails > 0 {
            let entry = Entry::of("again")
                .with("kind", kind.as_str())
                .with("wave", wave)
                .with("state", again.as_str())
                .with("mails", mails);
            head.append(&mut tx, act, entry).await?;
            tx.commit().await?;
        }
        Ok(MadeReady { mails, in_hand })
    }
}
