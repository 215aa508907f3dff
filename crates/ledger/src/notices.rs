//! The last word to an address that was given up: owed with the act that gave it up, taken back with the act that puts it
//! back, claimed before it is sent, told at most once.
//!
//! The address stands in `person` like every other. Where its person has another one by now, it stands there as somebody
//! who holds no seat, and is erased when it was told.

use jiff::Timestamp;
use parsurvey_survey::control::NoticeKind;
use parsurvey_survey::seat::{FormId, PersonId};
use sqlx::any::Any;

use crate::Ledger;
use crate::act::{Act, code, from_millis, to_millis};
use crate::campaign::{CampaignState, Head};
use crate::chase::ChaseState;
use crate::error::{LedgerError, Result};
use crate::event::Entry;
use crate::lease::may_send;
use crate::people::make_search;
use crate::roster::{NewPerson, insert_person};
use crate::sql::Tx;

/// A notice that is owed. Its `Debug` shows nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct OwedNotice {
    /// Its number.
    pub notice: i64,
    /// What is told.
    pub kind: NoticeKind,
    /// The form it is about.
    pub form: FormId,
    /// The address that is told.
    pub email: String,
}

impl std::fmt::Debug for OwedNotice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwedNotice").field("notice", &self.notice).field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// A notice with what became of it, without its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRow {
    /// Its number.
    pub notice: i64,
    /// What is told.
    pub kind: NoticeKind,
    /// The form it is about.
    pub form: FormId,
    /// How far it has come; [`ChaseState::Claimed`] is shown as unknown.
    pub state: ChaseState,
    /// When it was owed, or what became of it.
    pub at: Timestamp,
}

impl Ledger {
    /// The notices that are owed, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn owed_notices(&self) -> Result<Vec<OwedNotice>> {
        let rows = sqlx::query_as::<Any, (i64, String, i64, String)>(
            "SELECT n.notice, n.kind, n.form, p.email FROM notice n JOIN person p ON p.person = n.person \
             WHERE n.state = 'ready' AND p.email <> '' ORDER BY n.notice",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(notice, kind, form, email)| {
                Ok(OwedNotice { notice, kind: code(&kind, "notice.kind")?, form, email })
            })
            .collect()
    }

    /// Claims a notice, durably, before it is sent; `false` where another sender has it, where it was told or taken back
    /// or is not true any more, and while nothing may be sent.
    ///
    /// # Errors
    /// The ledger cannot be written.
    pub async fn claim_notice(&self, notice: i64, claimant: &str, act: &Act) -> Result<bool> {
        let (mut tx, mut head) = self.change().await?;
        if head.state != CampaignState::Inviting || !may_send(&mut tx).await? {
            return Ok(false);
        }
        take_back(&mut tx).await?;
        let claimed = sqlx::query_as::<Any, (i64, String)>(
            "UPDATE notice SET state = 'claimed', claimant = $1, at = $2 WHERE notice = $3 AND state = 'ready' \
             RETURNING form, kind",
        )
        .bind(claimant)
        .bind(to_millis(act.at))
        .bind(notice)
        .fetch_optional(&mut *tx)
        .await?;
        let is_claimed = claimed.is_some();
        if let Some((form, kind)) = claimed {
            head.append(&mut tx, act, Entry::of("notice").form(form).with("notice", notice).with("kind", kind)).await?;
        }
        tx.commit().await?;
        Ok(is_claimed)
    }

    /// Records what became of a claimed notice or anchor: told, refused for good, or ready again because it was provably
    /// not sent. What nobody knows stays claimed. `text` is the relay's, without addresses.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: it is not this claimant's, or has its outcome.
    pub async fn settle_notice(
        &self,
        notice: i64,
        claimant: &str,
        state: ChaseState,
        text: &str,
        act: &Act,
    ) -> Result<()> {
        let (mut tx, mut head) = self.change().await?;
        let (kind, day, form, person) = sqlx::query_as::<Any, (String, Option<String>, Option<i64>, Option<i64>)>(
            "UPDATE notice SET state = $1, text = $2, at = $3 \
             WHERE notice = $4 AND claimant = $5 AND state = 'claimed' RETURNING kind, day, form, person",
        )
        .bind(state.as_str())
        .bind(text)
        .bind(to_millis(act.at))
        .bind(notice)
        .bind(claimant)
        .fetch_optional(&mut *tx)
        .await?
        .ok_or_else(|| LedgerError::conflict("the notice is not claimed by this sender"))?;
        let is_over = matches!(state, ChaseState::Told | ChaseState::Refused);
        if let Some(person) = person.filter(|_| is_over && kind == NoticeKind::Address.as_str()) {
            erase(&mut tx, person).await?;
        }
        let entry = match (day, form) {
            (Some(day), _) => Entry::of("anchor_outcome").with("day", day),
            (None, Some(form)) => Entry::of("notice_outcome").form(form).with("notice", notice),
            (None, None) => return Err(LedgerError::damaged("notice.form")),
        };
        head.append(&mut tx, act, entry.with("state", state.as_str())).await?;
        Ok(tx.commit().await?)
    }

    /// Notices that were told since a moment.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn told_since(&self, since: Timestamp) -> Result<u64> {
        let told = sqlx::query_scalar::<Any, i64>(
            "SELECT COUNT(*) FROM notice WHERE kind <> 'anchor' AND state = 'told' AND at >= $1",
        )
        .bind(to_millis(since))
        .fetch_one(&mut *self.read().await?)
        .await?;
        Ok(told.unsigned_abs())
    }

    /// Every notice, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn notices(&self) -> Result<Vec<NoticeRow>> {
        let rows = sqlx::query_as::<Any, (i64, String, i64, String, i64)>(
            "SELECT notice, kind, form, state, at FROM notice WHERE kind <> 'anchor' ORDER BY notice",
        )
        .fetch_all(&mut *self.read().await?)
        .await?;
        rows.into_iter()
            .map(|(notice, kind, form, state, at)| {
                Ok(NoticeRow {
                    notice,
                    kind: code(&kind, "notice.kind")?,
                    form,
                    state: code(&state, "notice.state")?,
                    at: from_millis(at, "notice.at")?,
                })
            })
            .collect()
    }
}

/// Takes back what is owed and is not true any more: the change was put back, so that the address is again that of the
/// form's holder, or of somebody in the frame; or nothing may go to it since.
pub(crate) async fn take_back(tx: &mut Tx) -> Result<()> {
    let untrue = sqlx::query_as::<Any, (i64, String, i64)>(
        "SELECT n.notice, n.kind, k.person FROM notice n JOIN person k ON k.person = n.person \
         WHERE n.state = 'ready' AND (k.stopped_version = k.email_version \
         OR (n.kind = 'left' AND LOWER(k.email) IN (SELECT LOWER(p.email) FROM seat s JOIN person p ON p.person = s.person \
             WHERE s.ineligible = 0 AND s.removed = 0)) \
         OR (n.kind <> 'left' AND EXISTS (SELECT 1 FROM seat s JOIN person p ON p.person = s.person \
             WHERE s.form = n.form AND s.ineligible = 0 AND s.removed = 0 AND LOWER(p.email) = LOWER(k.email))))",
    )
    .fetch_all(&mut **tx)
    .await?;
    for (notice, kind, person) in untrue {
        sqlx::query("DELETE FROM notice WHERE notice = $1").bind(notice).execute(&mut **tx).await?;
        if kind == NoticeKind::Address.as_str() {
            erase(tx, person).await?;
        }
    }
    Ok(())
}

/// Erases somebody who holds no seat: what was proposed, or an address that was told its last word.
pub(crate) async fn erase(tx: &mut Tx, person: PersonId) -> Result<()> {
    sqlx::query(
        "UPDATE person SET external_id = NULL, name = '', email = '', position = '' \
         WHERE person = $1 AND NOT EXISTS (SELECT 1 FROM seat WHERE seat.person = $1)",
    )
    .bind(person)
    .execute(&mut **tx)
    .await?;
    // What people are searched by is made of the same values.
    make_search(tx).await
}

/// Owes a notice to a person's present address: once, and only while people are asked. An address to which nothing may go
/// is told nothing.
pub(crate) async fn owe(
    tx: &mut Tx,
    head: &Head,
    act: &Act,
    kind: NoticeKind,
    form: FormId,
    person: PersonId,
) -> Result<()> {
    if head.state != CampaignState::Inviting {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO notice (kind, form, person, state, at) \
         SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), person, 'ready', CAST($3 AS BIGINT) FROM person \
         WHERE person = $4 AND email <> '' AND (stopped_version IS NULL OR stopped_version <> email_version) \
         AND NOT EXISTS (SELECT 1 FROM notice WHERE notice.person = $4 AND notice.state = 'ready')",
    )
    .bind(kind.as_str())
    .bind(form)
    .bind(to_millis(act.at))
    .bind(person)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Owes a notice to the address that a person is about to give up, which it keeps until it was told. `spare` is somebody
/// without a seat whose row may keep it.
pub(crate) async fn owe_former_address(
    tx: &mut Tx,
    head: &Head,
    act: &Act,
    form: FormId,
    person: PersonId,
    spare: Option<PersonId>,
) -> Result<()> {
    let (email, stopped) = sqlx::query_as::<Any, (String, i64)>(
        "SELECT email, CASE WHEN stopped_version = email_version THEN 1 ELSE 0 END FROM person WHERE person = $1",
    )
    .bind(person)
    .fetch_one(&mut **tx)
    .await?;
    if head.state != CampaignState::Inviting || stopped != 0 {
        return match spare {
            Some(spare) => erase(tx, spare).await,
            None => Ok(()),
        };
    }
    let keeper = match spare {
        Some(spare) => {
            erase(tx, spare).await?;
            sqlx::query("UPDATE person SET email = $1 WHERE person = $2")
                .bind(email)
                .bind(spare)
                .execute(&mut **tx)
                .await?;
            spare
        }
        None => {
            let (name, position) = (String::new(), String::new());
            insert_person(tx, NewPerson { external_id: None, name, email, position, seats: Vec::new() }).await?
        }
    };
    owe(tx, head, act, NoticeKind::Address, form, keeper).await
}

/// Lets the links of a person's open forms die, and with them the drafts that only they can open.
pub(crate) async fn kill_links(tx: &mut Tx, head: &Head, person: PersonId) -> Result<()> {
    if head.state == CampaignState::Inviting {
        sqlx::query("DELETE FROM draft WHERE form IN (SELECT form FROM seat WHERE person = $1 AND completed IS NULL)")
            .bind(person)
            .execute(&mut **tx)
            .await?;
        sqlx::query("UPDATE seat SET link_version = link_version + 1 WHERE person = $1 AND completed IS NULL")
            .bind(person)
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}
