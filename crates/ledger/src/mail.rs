//! The outbox: one row for each mail ever owed, and the claim that comes before sending.
//!
//! A claim is durable before it is handed out, and a claimed mail without outcome is never handed out again: it is
//! `unknown`. What a mail says is composed elsewhere; no link and no text is stored here.

use std::fmt;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};
use parsurvey_survey::campaign::MailKind;
use parsurvey_survey::seat::FormId;
use sqlx::AssertSqlSafe;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, small, to_millis, words};
use crate::campaign::CampaignState;
use crate::connect::Backend;
use crate::error::Result;
use crate::event::Entry;
use crate::sql::{CHUNK, Tx, members, rows};

words!(
    /// How far a mail has come.
    MailState, "state of a mail", {
        /// To be sent.
        Ready = "ready",
        /// Handed to a sender; without outcome it is unknown whether it left.
        Claimed = "claimed",
        /// The relay took it.
        Accepted = "accepted",
        /// The relay refused it for good.
        Rejected = "rejected",
        /// Not to be sent any more; enqueueing it again makes it ready.
        Cancelled = "cancelled",
    }
);

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
}

/// A mail that is this claimant's to send, and nobody else's.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimedMail {
    /// The mail's number.
    pub mail: i64,
    /// The form.
    pub form: FormId,
    /// The holder number.
    pub holder: u32,
    /// The address version.
    pub address_version: u32,
    /// The version of the link to compose.
    pub link_version: u32,
    /// The kind.
    pub kind: MailKind,
    /// The wave.
    pub wave: u32,
    /// The Message-ID queued with it.
    pub message_id: Option<String>,
    /// The holder's name.
    pub name: String,
    /// The holder's address.
    pub email: String,
    /// The holder's position.
    pub position: String,
    /// The target.
    pub target: TargetCode,
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
}

impl fmt::Debug for ClaimedMail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimedMail")
            .field("mail", &self.mail)
            .field("form", &self.form)
            .field("kind", &self.kind)
            .field("wave", &self.wave)
            .finish_non_exhaustive()
    }
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

    /// Hands out up to `limit` mails, oldest first, each to one claimant only. Mails that are owed no longer
    /// (submitted, excused, declined, out of the frame, another holder or address) are cancelled on the way.
    /// In draft only prenotices are handed out; once closed, nothing. An empty answer means nothing is left to send.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn claim(&self, claimant: &str, limit: u32, now: Timestamp) -> Result<Vec<ClaimedMail>> {
        let mut claimed = Vec::new();
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        // One transaction for all: a claim that fails half-way must not leave mails unknown that nobody was given.
        let mut tx = self.write().await?;
        while claimed.len() < wanted {
            let rest = i64::try_from((wanted - claimed.len()).min(CHUNK)).unwrap_or(1);
            let candidates = self.candidates(&mut tx, rest, now).await?;
            if candidates.is_empty() {
                break;
            }
            let mut take = Vec::new();
            for candidate in candidates {
                match candidate.obsolete() {
                    Some(why) => cancel(&mut tx, candidate.mail, why).await?,
                    None => take.push(candidate.into_claimed()?),
                }
            }
            mark_claimed(&mut tx, &take, claimant, now).await?;
            claimed.append(&mut take);
        }
        // Only what is committed may be sent.
        tx.commit().await?;
        Ok(claimed)
    }

    /// Gives back claims that were provably not sent; they are ready again. Others' claims stay untouched.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn release_claims(&self, claimant: &str, mails: &[i64]) -> Result<u64> {
        let mut tx = self.write().await?;
        let mut released = 0;
        for chunk in mails.chunks(CHUNK) {
            let sql = format!(
                "UPDATE mail SET state = 'ready', claimant = NULL, claimed = NULL \
                 WHERE state = 'claimed' AND claimant = $1 AND mail IN ({})",
                members(2, chunk.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(sql)).bind(claimant);
            for mail in chunk {
                query = query.bind(*mail);
            }
            released += query.execute(&mut *tx).await?.rows_affected();
        }
        tx.commit().await?;
        Ok(released)
    }

    async fn candidates(&self, tx: &mut Tx, limit: i64, now: Timestamp) -> Result<Vec<Candidate>> {
        /// One text but for the locking clause, which SQLite neither has nor needs.
        macro_rules! candidates {
            ($locking:literal) => {
                concat!(
                    "SELECT m.mail, m.form, m.holder, m.address_version, m.kind, m.wave, m.message_id, ",
                    "s.holder AS holder_now, s.link_version, s.removed, s.ineligible, s.excused, s.declined, s.completed, ",
                    "s.target, s.grp, s.unit, p.email_version, p.name, p.email, p.position ",
                    "FROM mail m JOIN seat s ON s.form = m.form JOIN person p ON p.person = s.person ",
                    "JOIN campaign c ON c.state = 'inviting' OR (c.state = 'draft' AND m.kind = 'prenotice') ",
                    "WHERE m.state = 'ready' AND m.not_before <= $1 ORDER BY m.mail LIMIT $2",
                    $locking
                )
            };
        }
        let sql = match self.backend {
            Backend::Sqlite => candidates!(""),
            Backend::Postgres => candidates!(" FOR UPDATE OF m SKIP LOCKED"),
        };
        Ok(sqlx::query_as::<Any, Candidate>(sql).bind(to_millis(now)).bind(limit).fetch_all(&mut **tx).await?)
    }
}

async fn insert(tx: &mut Tx, mails: &[NewMail], now: i64) -> Result<u64> {
    let sql = format!(
        "INSERT INTO mail (form, holder, address_version, kind, wave, message_id, state, queued) VALUES {} \
         ON CONFLICT (form, holder, address_version, kind, wave) \
         DO UPDATE SET state = 'ready', why = NULL WHERE mail.state = 'cancelled'",
        rows(mails.len(), 8)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for mail in mails {
        query = query
            .bind(mail.form)
            .bind(i64::from(mail.holder))
            .bind(i64::from(mail.address_version))
            .bind(mail.kind.as_str())
            .bind(i64::from(mail.wave))
            .bind(mail.message_id.clone())
            .bind(MailState::Ready.as_str())
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
            "AND later.address_version = mail.address_version AND later.state <> 'cancelled' AND ",
            $crate::mail::contact_order!("later"),
            " > ",
            $crate::mail::contact_order!("mail"),
            ")"
        )
    };
}
pub(crate) use later_contact_queued;

/// Cancels what waits of earlier contacts: nobody wants yesterday's mail after today's.
async fn supersede(tx: &mut Tx) -> Result<u64> {
    let sql = concat!(
        "UPDATE mail SET state = 'cancelled', why = 'superseded' WHERE state = 'ready' AND ",
        later_contact_queued!()
    );
    Ok(sqlx::query(sql).execute(&mut **tx).await?.rows_affected())
}

async fn cancel(tx: &mut Tx, mail: i64, why: &'static str) -> Result<()> {
    sqlx::query("UPDATE mail SET state = 'cancelled', why = $1 WHERE mail = $2")
        .bind(why)
        .bind(mail)
        .execute(&mut **tx)
        .await?;
    Ok(())
}

async fn mark_claimed(tx: &mut Tx, mails: &[ClaimedMail], claimant: &str, now: Timestamp) -> Result<()> {
    if mails.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE mail SET state = 'claimed', claimant = $1, claimed = $2 WHERE mail IN ({})",
        members(3, mails.len())
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(claimant).bind(to_millis(now));
    for mail in mails {
        query = query.bind(mail.mail);
    }
    query.execute(&mut **tx).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Candidate {
    mail: i64,
    form: i64,
    holder: i64,
    address_version: i64,
    kind: String,
    wave: i64,
    message_id: Option<String>,
    holder_now: i64,
    link_version: i64,
    removed: i64,
    ineligible: i64,
    excused: Option<String>,
    declined: i64,
    completed: Option<i64>,
    target: String,
    grp: String,
    unit: String,
    email_version: i64,
    name: String,
    email: String,
    position: String,
}

impl Candidate {
    /// Why the mail is owed no longer.
    fn obsolete(&self) -> Option<&'static str> {
        let reasons = [
            (self.removed != 0 || self.ineligible != 0, "ineligible"),
            (self.holder != self.holder_now, "replaced"),
            (self.address_version != self.email_version, "address corrected"),
            (self.completed.is_some(), "submitted"),
            (self.excused.is_some(), "excused"),
            (self.declined != 0, "declined"),
        ];
        reasons.into_iter().find(|(applies, _)| *applies).map(|(_, why)| why)
    }

    fn into_claimed(self) -> Result<ClaimedMail> {
        Ok(ClaimedMail {
            mail: self.mail,
            form: self.form,
            holder: small(self.holder, "mail.holder")?,
            address_version: small(self.address_version, "mail.address_version")?,
            link_version: small(self.link_version, "seat.link_version")?,
            kind: code(&self.kind, "mail.kind")?,
            wave: small(self.wave, "mail.wave")?,
            message_id: self.message_id,
            name: self.name,
            email: self.email,
            position: self.position,
            target: code(&self.target, "seat.target")?,
            group: code(&self.grp, "seat.grp")?,
            unit: code(&self.unit, "seat.unit")?,
        })
    }
}
