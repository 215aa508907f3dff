//! The outbox: one row for each mail ever owed.
//!
//! What a mail may become is told by `survey::delivery` and nowhere else. What a mail says is composed elsewhere: no
//! link and no text is stored here. Handing mails out is in `lease`, what became of them in `settle`.

use crate::Ledger;
use crate::act::{Act, to_millis};
use crate::campaign::CampaignState;
use crate::error::Result;
use crate::event::Entry;
use crate::sql::{CHUNK, Tx, in_order, rows};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::FormId;

/// A mail to be queued. The first five fields are its identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// The form it is about.
    pub form: FormId,
    /// The holder it is for.
    pub holder: u32,
    /// The version of the holder's address.
    pub address_version: u32,
    /// Its kind.
    pub kind: MailKind,
    /// Its wave; 0 for prenotice and invitation.
    pub wave: u32,
    /// The Message-ID it will carry, if known. Not a secret.
    pub message_id: Option<String>,
    /// Whether it is held back until the first few of its contact have proved well ([`MailState::Planned`]).
    pub held: bool,
}

impl Ledger {
    /// Queues mails and gives back how many are new. A mail that has a row stays as it is; a cancelled one is ready
    /// again. What still waits of an earlier contact with the same person at the same address is cancelled.
    ///
    /// # Errors
    /// [`Conflict`](crate::LedgerError::Conflict) once closed; links (invitations, reminders) also before inviting.
    pub async fn enqueue(&self, mails: &[NewMail], act: &Act) -> Result<u64> {
        let (mut tx, mut head) = self.change().await?;
        if mails.iter().all(|mail| mail.kind == MailKind::Prenotice) {
            head.require(&[CampaignState::Draft, CampaignState::Inviting], "a prenotice")?;
        } else {
            head.require(&[CampaignState::Inviting], "an invitation")?;
        }
        let mut queued = 0;
        for chunk in mails.chunks(CHUNK) {
            queued += insert(&mut tx, chunk, to_millis(act.at)).await?;
        }
        if queued == 0 {
            return Ok(0);
        }
        let superseded = supersede(&mut tx).await?;
        let entry = Entry::of("queued").with("mails", queued).with("superseded", superseded);
        head.append(&mut tx, act, entry).await?;
        tx.commit().await?;
        Ok(queued)
    }
}

async fn insert(tx: &mut Tx, mails: &[NewMail], now: i64) -> Result<u64> {
    let sql = format!(
        "INSERT INTO mail (form, holder, address_version, kind, wave, message_id, state, queued) VALUES {} \
         ON CONFLICT (form, holder, address_version, kind, wave) \
         DO UPDATE SET state = excluded.state, queued = excluded.queued, why = NULL, not_before = 0, tries = 0, \
         dated = CASE WHEN mail.resent = 0 THEN NULL ELSE mail.dated END WHERE mail.state IN ('cancelled', 'suppressed')",
        rows(mails.len(), 8)
    );
    let mut query = sqlx::query(in_order(tx, sql));
    for mail in mails {
        let state = if mail.held { MailState::Planned } else { MailState::Ready };
        query = query
            .bind(mail.form)
            .bind(i64::from(mail.holder))
            .bind(i64::from(mail.address_version))
            .bind(mail.kind.as_str())
            .bind(i64::from(mail.wave))
            .bind(mail.message_id.clone())
            .bind(state.as_str())
            .bind(now);
    }
    Ok(query.execute(&mut **tx).await?.rows_affected())
}

/// The order of contacts: prenotice, invitation, reminders by wave.
macro_rules! contact_order {
    ($mail:literal) => {
        concat!("CASE ", $mail, ".kind WHEN 'prenotice' THEN 0 WHEN 'invitation' THEN 1 ELSE 1 + ", $mail, ".wave END")
    };
}
pub(crate) use contact_order;

/// A condition on `mail`: a later contact with the same person at the same address stands in the outbox.
macro_rules! later_contact_queued {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM mail later WHERE later.form = mail.form AND later.holder = mail.holder ",
            "AND later.address_version = mail.address_version AND later.state <> 'cancelled' ",
            // A link that was asked for is no contact: it overtakes none, and none overtakes it.
            "AND later.kind <> 'link' AND mail.kind <> 'link' AND ",
            $crate::mail::contact_order!("later"),
            " > ",
            $crate::mail::contact_order!("mail"),
            ")"
        )
    };
}
pub(crate) use later_contact_queued;

/// A condition on `mail`: it is still owed to the present holder of the seat, at an address that is not stopped. Whoever
/// declined may take that back, and is sent the link that was asked for.
macro_rules! still_owed {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM seat s JOIN person p ON p.person = s.person ",
            "WHERE s.form = mail.form AND s.holder = mail.holder AND p.email_version = mail.address_version ",
            "AND (p.stopped_version IS NULL OR p.stopped_version <> p.email_version) AND s.removed = 0 ",
            "AND s.ineligible = 0 AND s.completed IS NULL AND s.excused IS NULL AND (s.declined = 0 OR mail.kind = 'link'))"
        )
    };
}
pub(crate) use still_owed;

/// Cancels what waits of earlier contacts: nobody wants yesterday's mail after today's.
async fn supersede(tx: &mut Tx) -> Result<u64> {
    let sql = concat!(
        "UPDATE mail SET state = 'cancelled', why = 'superseded' WHERE state IN ('planned', 'ready', 'deferred') AND ",
        later_contact_queued!()
    );
    Ok(sqlx::query(sql).execute(&mut **tx).await?.rows_affected())
}
