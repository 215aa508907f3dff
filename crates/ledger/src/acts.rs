//! An operator's acts on one seat: excuse, reinstate, replace, correct an address, decline, mark ineligible.
//!
//! A submitted form can be none of these. Whether a replacement is allowed by the campaign is decided above.

use std::fmt;

use parsurvey_survey::control::NoticeKind;
use parsurvey_survey::seat::{ExcuseCategory, FormId, PersonId};

use crate::Ledger;
use crate::act::{Act, words};
use crate::campaign::{CampaignState, Head};
use crate::drafts::drop_draft;
use crate::error::{LedgerError, Result};
use crate::event::{Backed, Entry};
use crate::notices::{kill_links, owe, owe_former_address, take_back};
use crate::people::make_search;
use crate::roster::{NewPerson, insert_person, submitted};
use crate::seats::{SeatRow, category_word, seat_row};
use crate::sql::Tx;

words!(
    /// Why a seat gets another holder.
    ReplacementKind, "kind of replacement", {
        /// The former holder was not in post on the frame date; the new one was.
        FrameCorrection = "frame_correction",
        /// The former holder was in post but unable; the new one counts apart. Whoever follows a substitute is one too.
        Substitution = "substitution",
    }
);

/// Who takes over a seat.
#[derive(Clone, PartialEq, Eq)]
pub struct NewHolder {
    /// The roster's own id, if known.
    pub external_id: Option<String>,
    /// The name, NFC.
    pub name: String,
    /// The address.
    pub email: String,
    /// The position.
    pub position: String,
}

impl fmt::Debug for NewHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewHolder").finish_non_exhaustive()
    }
}

/// While seats can be judged: until the box is opened.
const BEFORE_OPENING: [CampaignState; 3] = [CampaignState::Draft, CampaignState::Inviting, CampaignState::Closed];
/// While people can still be asked.
const BEFORE_CLOSING: [CampaignState; 2] = [CampaignState::Draft, CampaignState::Inviting];

impl Ledger {
    /// Excuses a seat: an administrative flag; nothing is asked of its holder any more.
    ///
    /// # Errors
    /// [`LedgerError::Conflict`]: submitted, ineligible, or the box is opened. `NotFound`: no such form.
    pub async fn excuse(&self, form: FormId, category: ExcuseCategory, act: &Act) -> Result<()> {
        let (mut tx, mut head, seat) = self.seat_act(form, &BEFORE_OPENING).await?;
        sqlx::query("UPDATE seat SET excused = $1 WHERE form = $2")
            .bind(category_word(category))
            .bind(form)
            .execute(&mut *tx)
            .await?;
        let entry = Entry::of("excused").form(form).person(seat.person).with("category", category_word(category));
        head.append(&mut tx, act, entry).await?;
        Ok(tx.commit().await?)
    }

    /// Takes an excuse back.
    ///
    /// # Errors
    /// As [`Ledger::excuse`], and [`LedgerError::Conflict`] where the seat is not excused.
    pub async fn reinstate(&self, form: FormId, act: &Act) -> Result<()> {
        let (mut tx, mut head, seat) = self.seat_act(form, &BEFORE_OPENING).await?;
        if seat.excused.is_none() {
            return Err(LedgerError::conflict(format!("form {form} is not excused")));
        }
        sqlx::query("UPDATE seat SET excused = NULL WHERE form = $1").bind(form).execute(&mut *tx).await?;
        head.append(&mut tx, act, Entry::of("reinstated").form(form).person(seat.person)).await?;
        Ok(tx.commit().await?)
    }

    /// Gives a seat to another person. The old link stops working, and the former holder is owed a last word; what the
    /// former holder began or declined is not the new one's.
    ///
    /// # Errors
    /// As [`Ledger::excuse`]; also [`LedgerError::Conflict`] once closed, and [`LedgerError::Meanwhile`] where it needs
    /// two people.
    pub async fn replace(&self, form: FormId, holder: NewHolder, kind: ReplacementKind, act: &Act) -> Result<PersonId> {
        let (mut tx, mut head, _) = self.seat_act(form, &BEFORE_CLOSING).await?;
        head.require_alone(&mut tx).await?;
        let person = insert_person(&mut tx, holder.into_person()).await?;
        replace_in(&mut tx, &mut head, form, person, kind, act, None).await?;
        tx.commit().await?;
        Ok(person)
    }

    /// Corrects the address of a seat's holder, for every seat that person holds. Once people were invited the links of
    /// open forms die, because they lie in the former mailbox, and that is owed a last word.
    ///
    /// # Errors
    /// As [`Ledger::excuse`]; also [`LedgerError::Conflict`] once closed, or where the address is the stored one, and
    /// [`LedgerError::Meanwhile`] where it needs two people.
    pub async fn correct_address(&self, form: FormId, email: &str, act: &Act) -> Result<()> {
        let (mut tx, mut head, _) = self.seat_act(form, &BEFORE_CLOSING).await?;
        head.require_alone(&mut tx).await?;
        correct_in(&mut tx, &mut head, (form, email), None, act, None).await?;
        Ok(tx.commit().await?)
    }

    /// Records a refusal that reached the operator. Declining twice changes nothing.
    ///
    /// # Errors
    /// As [`Ledger::excuse`].
    pub async fn decline(&self, form: FormId, act: &Act) -> Result<()> {
        let (mut tx, mut head, seat) = self.seat_act(form, &BEFORE_OPENING).await?;
        if seat.declined != 0 {
            return Ok(());
        }
        sqlx::query("UPDATE seat SET declined = 1, ever_declined = 1 WHERE form = $1")
            .bind(form)
            .execute(&mut *tx)
            .await?;
        head.append(&mut tx, act, Entry::of("declined").form(form).person(seat.person)).await?;
        Ok(tx.commit().await?)
    }

    /// Takes a seat out of the frame: its holder was not in post on the frame date and nobody takes over.
    ///
    /// # Errors
    /// As [`Ledger::excuse`].
    pub async fn mark_ineligible(&self, form: FormId, act: &Act) -> Result<()> {
        let (mut tx, mut head, seat) = self.seat_act(form, &BEFORE_OPENING).await?;
        sqlx::query("UPDATE seat SET ineligible = 1 WHERE form = $1").bind(form).execute(&mut *tx).await?;
        head.raise_roster_version(&mut tx).await?;
        head.append(&mut tx, act, Entry::of("ineligible").form(form).person(seat.person)).await?;
        Ok(tx.commit().await?)
    }

    pub(crate) async fn seat_act(&self, form: FormId, states: &[CampaignState]) -> Result<(Tx, Head, SeatRow)> {
        let (mut tx, head) = self.change().await?;
        head.require(states, "this act")?;
        let seat = seat_row(&mut tx, form).await?;
        if seat.completed.is_some() {
            return Err(submitted(form));
        }
        if seat.ineligible != 0 {
            return Err(LedgerError::conflict(format!("form {form} left the frame by a correction")));
        }
        Ok((tx, head, seat))
    }
}

impl NewHolder {
    /// As somebody who holds no seat yet.
    pub(crate) fn into_person(self) -> NewPerson {
        let Self { external_id, name, email, position } = self;
        NewPerson { external_id, name, email, position, seats: Vec::new() }
    }
}

/// Gives a seat, which was found open, to somebody who is stored already.
pub(crate) async fn replace_in(
    tx: &mut Tx,
    head: &mut Head,
    form: FormId,
    person: PersonId,
    kind: ReplacementKind,
    act: &Act,
    backed: Option<&Backed>,
) -> Result<()> {
    let seat = seat_row(tx, form).await?;
    if kind == ReplacementKind::Substitution {
        keep_former(tx, form).await?;
    }
    sqlx::query(
        "UPDATE seat SET person = $1, holder = holder + 1, link_version = link_version + 1, \
         substitute = CASE WHEN substitute = 1 THEN 1 ELSE $2 END, \
         excused = NULL, declined = 0, ever_declined = 0, started = NULL, too_late = 0 WHERE form = $3",
    )
    .bind(person)
    .bind(i64::from(kind == ReplacementKind::Substitution))
    .bind(form)
    .execute(&mut **tx)
    .await?;
    drop_draft(tx, form).await?;
    owe(tx, head, act, NoticeKind::Replaced, form, seat.person).await?;
    take_back(tx).await?;
    head.raise_roster_version(tx).await?;
    let entry = Entry::of("replaced")
        .form(form)
        .person(person)
        .with("kind", kind.as_str())
        .with("former", seat.person)
        .with("holder", seat.holder + 1)
        .backed(backed);
    head.append(tx, act, entry).await
}

/// Corrects the address of a seat's holder, whose seat was found open. `spare` is somebody without a seat whose row may
/// keep the former address until it was told.
pub(crate) async fn correct_in(
    tx: &mut Tx,
    head: &mut Head,
    (form, email): (FormId, &str),
    spare: Option<PersonId>,
    act: &Act,
    backed: Option<&Backed>,
) -> Result<()> {
    let person = seat_row(tx, form).await?.person;
    let stored = sqlx::query_scalar::<sqlx::Any, String>("SELECT email FROM person WHERE person = $1")
        .bind(person)
        .fetch_one(&mut **tx)
        .await?;
    if stored == email {
        return Err(LedgerError::conflict(format!("form {form} has this address already")));
    }
    owe_former_address(tx, head, act, form, person, spare).await?;
    sqlx::query("UPDATE person SET email = $1, email_version = email_version + 1 WHERE person = $2")
        .bind(email)
        .bind(person)
        .execute(&mut **tx)
        .await?;
    kill_links(tx, head, person).await?;
    take_back(tx).await?;
    make_search(tx).await?;
    head.raise_roster_version(tx).await?;
    head.append(tx, act, Entry::of("address_corrected").form(form).person(person).backed(backed)).await
}

/// Keeps what is known of the present holder beyond the seat's passing to a substitute.
async fn keep_former(tx: &mut Tx, form: FormId) -> Result<()> {
    sqlx::query(
        "INSERT INTO seat_former (form, holder, person, excused, declined, started, too_late) \
         SELECT form, holder, person, excused, declined, started, too_late FROM seat WHERE form = $1",
    )
    .bind(form)
    .execute(&mut **tx)
    .await?;
    Ok(())
}
