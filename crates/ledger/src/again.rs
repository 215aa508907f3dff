//! The ways back: mails sent once more, and unknown ones settled. An operator's order or a declared policy, never a habit.
//!
//! Nothing here is made ready that is owed no longer or that a later contact has overtaken.

use jiff::Timestamp;
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::{Event, Evidence, MailState};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, to_millis, words};
use crate::campaign::CampaignState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::mail::{later_contact_queued, still_owed};
use crate::sql::Tx;

words!(
    /// Which mails of a contact are sent once more.
    Again, "state of mails to be sent again", {
        /// Those the relay refused for good.
        Rejected = "rejected",
        /// Those of which nobody knows whether they left: some people may get the mail twice.
        Unknown = "unknown",
    }
);

/// The condition of the ways back.
macro_rules! owed_again {
    () => {
        concat!(still_owed!(), " AND NOT ", later_contact_queued!())
    };
}

impl Ledger {
    /// Makes the mails of one contact that are in a state ready once more, with the reason in the log; gives their number.
    /// Refused addresses that were stopped for it are let go of, because whoever orders this has looked at them.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: the act gives no reason, or the campaign is closed.
    pub async fn make_ready_again(&self, kind: MailKind, wave: u32, again: Again, act: &Act) -> Result<u64> {
        if act.reason.trim().is_empty() {
            return Err(LedgerError::conflict("sending mails again needs a reason; say why"));
        }
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "sending mails again")?;
        if again == Again::Rejected {
            let released = sqlx::query(
                "UPDATE person SET stopped = NULL, stopped_version = NULL WHERE stopped = 'refused' AND person IN \
                 (SELECT s.person FROM mail m JOIN seat s ON s.form = m.form AND s.holder = m.holder \
                  WHERE m.kind = $1 AND m.wave = $2 AND m.state = 'rejected' AND m.address_version = person.stopped_version)",
            );
            released.bind(kind.as_str()).bind(i64::from(wave)).execute(&mut *tx).await?;
        }
        let update = concat!(
            "UPDATE mail SET state = 'ready', dispatcher = NULL, leased = NULL, not_before = 0, tries = 0 ",
            "WHERE kind = $1 AND wave = $2 AND state = $3 AND ",
            owed_again!()
        );
        let mails = sqlx::query(update)
            .bind(kind.as_str())
            .bind(i64::from(wave))
            .bind(again.as_str())
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if mails > 0 {
            let entry = Entry::of("again")
                .with("kind", kind.as_str())
                .with("wave", wave)
                .with("state", again.as_str())
                .with("mails", mails);
            head.append(&mut tx, act, entry).await?;
            tx.commit().await?;
        }
        Ok(mails)
    }

    /// The policy `resend`: every unknown mail that is still owed is made ready once in its life. Whether it would be the
    /// same bytes is asked when it is marked.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn resend_unknown(&self, act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "sending mails again")?;
        let update = concat!(
            "UPDATE mail SET state = 'ready', dispatcher = NULL, leased = NULL, not_before = 0, resent = resent + 1 ",
            "WHERE state = 'unknown' AND resent = 0 AND ",
            owed_again!()
        );
        let mails = sqlx::query(update).execute(&mut *tx).await?.rows_affected();
        if mails > 0 {
            head.append(&mut tx, act, Entry::of("resent").with("mails", mails)).await?;
            tx.commit().await?;
        }
        Ok(mails)
    }

    /// Settles unknown mails whose person has begun or submitted the form and had no other mail with a link before: the
    /// answer shows that this one arrived.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn settle_by_answers(&self, now: Timestamp) -> Result<u64> {
        let mut tx = self.write().await?;
        let answered = sqlx::query_scalar::<Any, i64>(
            "SELECT m.mail FROM mail m JOIN seat s ON s.form = m.form AND s.holder = m.holder \
             WHERE m.state = 'unknown' AND m.kind <> 'prenotice' AND (s.started >= m.leased OR s.completed >= m.leased) \
             AND NOT EXISTS (SELECT 1 FROM mail other WHERE other.form = m.form AND other.mail <> m.mail \
             AND other.kind <> 'prenotice' AND other.leased IS NOT NULL) ORDER BY m.mail",
        )
        .fetch_all(&mut *tx)
        .await?;
        let mut settled = 0;
        for mail in answered {
            settled += u64::from(learn(&mut tx, mail, Evidence::Delivered, "answer", now).await?);
        }
        tx.commit().await?;
        Ok(settled)
    }

    /// Records what was learnt of one mail from its relay's log or by an operator, in the chained log as well where an
    /// operator says so. `false` where that changes nothing.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`]: no such mail. The ledger cannot be written.
    pub async fn learn_of(&self, mail: i64, evidence: Evidence, source: &str, act: &Act) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        if evidence == Evidence::RelayNeverHadIt {
            head.require(&[CampaignState::Draft, CampaignState::Inviting], "sending mails again")?;
        }
        let learnt = learn(&mut tx, mail, evidence, source, act.at).await?;
        if learnt {
            let entry = Entry::of("mail_settled").with("mail", mail).with("as", evidence.as_str()).with("by", source);
            head.append(&mut tx, act, entry).await?;
            tx.commit().await?;
        }
        Ok(learnt)
    }

    /// Lets go of the mails that were held back behind the canary, of one contact or of all; gives their number.
    ///
    /// # Errors
    /// The ledger cannot be written, or the campaign is closed.
    pub async fn let_go(&self, contact: Option<(MailKind, u32)>, act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        head.require(&[CampaignState::Draft, CampaignState::Inviting], "sending")?;
        let (kind, wave) = contact.map_or(("", 0), |(kind, wave)| (kind.as_str(), i64::from(wave)));
        let mails = sqlx::query(
            "UPDATE mail SET state = 'ready' WHERE state = 'planned' AND ($1 = '' OR (kind = $2 AND wave = $3))",
        )
        .bind(kind)
        .bind(kind)
        .bind(wave)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        if mails > 0 {
            head.append(&mut tx, act, Entry::of("let_go").with("mails", mails)).await?;
            tx.commit().await?;
        }
        Ok(mails)
    }
}

/// Appends what was learnt and moves the mail; `false`, and nothing is written, where `survey::delivery` knows no step.
pub(crate) async fn learn(tx: &mut Tx, mail: i64, evidence: Evidence, source: &str, at: Timestamp) -> Result<bool> {
    let state = sqlx::query_scalar::<Any, String>("SELECT state FROM mail WHERE mail = $1")
        .bind(mail)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(LedgerError::NotFound("the mail"))?;
    let Some(next) = code::<MailState>(&state, "mail.state")?.after(Event::Learnt(evidence)) else {
        return Ok(false);
    };
    // Whoever moved the mail since it was read knows more; what was learnt is then weighed anew, by whoever asks again.
    let moved = sqlx::query(
        "UPDATE mail SET state = $1, last_result = $2, not_before = 0, \
         last_at = CASE WHEN $2 IN ('delivered', 'auto_replied', 'relay_took_it') THEN COALESCE(last_at, $3) ELSE $3 END \
         WHERE mail = $4 AND state = $5",
    )
    .bind(next.as_str())
    .bind(evidence.as_str())
    .bind(to_millis(at))
    .bind(mail)
    .bind(state.as_str())
    .execute(&mut **tx)
    .await?;
    if moved.rows_affected() == 0 {
        return Ok(false);
    }
    let attempt = sqlx::query_scalar::<Any, i64>(
        "INSERT INTO attempt (mail, dispatcher, result, stage, text, at) VALUES ($1, $2, $3, 'later', '', $4) \
         RETURNING attempt",
    )
    .bind(mail)
    .bind(source)
    .bind(evidence.as_str())
    .bind(to_millis(at))
    .fetch_one(&mut **tx)
    .await?;
    sqlx::query("UPDATE mail SET last_attempt = $1 WHERE mail = $2")
        .bind(attempt)
        .bind(mail)
        .execute(&mut **tx)
        .await?;
    Ok(true)
}
