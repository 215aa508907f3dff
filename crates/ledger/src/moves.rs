//! What a roster does to the seats of one person: they move, leave the frame, and return to it.
//!
//! Whether somebody is the same person as before is decided above; a submitted form neither moves nor leaves.

use parsurvey_survey::seat::{FormId, PersonId};
use sqlx::any::Any;

use crate::act::{Act, code};
use crate::campaign::{CampaignState, Head};
use crate::error::{LedgerError, Result};
use crate::notices::{erase, kill_links, owe_former_address};
use crate::roster::{ChangedPerson, SeatPlace};
use crate::sql::Tx;

/// What a person's new values mean for the seats.
pub(crate) struct Moved<'a> {
    /// The seats that are still to be made.
    pub(crate) to_make: Vec<(PersonId, &'a SeatPlace)>,
    /// The seats that returned to the frame.
    pub(crate) reinstated: Vec<(FormId, PersonId)>,
}

/// Stores a person's new values and moves the seats. Where the address changes, the former one is owed a last word and
/// links die; `spare` is somebody without a seat whose row may keep the former one until then.
pub(crate) async fn change_person<'a>(
    tx: &mut Tx,
    head: &Head,
    act: &Act,
    changed: &'a ChangedPerson,
    spare: Option<PersonId>,
) -> Result<Moved<'a>> {
    let held = seats_of(tx, changed.person).await?;
    let stored = sqlx::query_scalar::<Any, String>("SELECT email FROM person WHERE person = $1")
        .bind(changed.person)
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(LedgerError::NotFound("the person"))?;
    let is_readdressed = stored != changed.now.email;
    match (held.first(), spare) {
        (Some(seat), _) if is_readdressed => {
            owe_former_address(tx, head, act, seat.form, changed.person, spare).await?;
        }
        (_, Some(spare)) => erase(tx, spare).await?,
        (_, None) => {}
    }
    if is_readdressed {
        kill_links(tx, head, changed.person).await?;
    }
    sqlx::query(
        "UPDATE person SET external_id = $1, name = $2, position = $3, \
         email_version = email_version + CASE WHEN email = $4 THEN 0 ELSE 1 END, email = $4 WHERE person = $5",
    )
    .bind(changed.now.external_id.clone())
    .bind(changed.now.name.as_str())
    .bind(changed.now.position.as_str())
    .bind(changed.now.email.as_str())
    .bind(changed.person)
    .execute(&mut **tx)
    .await?;
    let mut reinstated = Vec::new();
    for seat in &held {
        match changed.now.seats.iter().find(|now| now.target == seat.place.target) {
            None if seat.ineligible => {}
            None => give_up(tx, head, seat).await?,
            Some(now) if *now == seat.place && !seat.ineligible => {}
            Some(_) if seat.completed => {
                return Err(LedgerError::conflict(format!(
                    "form {} was submitted and this list moves its person to another group or unit; a submitted form stays where it is: put the former group and unit into the list",
                    seat.form
                )));
            }
            Some(now) => {
                sqlx::query("UPDATE seat SET grp = $1, unit = $2, ineligible = 0 WHERE form = $3")
                    .bind(now.group.as_str())
                    .bind(now.unit.as_str())
                    .bind(seat.form)
                    .execute(&mut **tx)
                    .await?;
                if seat.ineligible {
                    reinstated.push((seat.form, changed.person));
                }
            }
        }
    }
    let is_new = |place: &&SeatPlace| held.iter().all(|seat| seat.place.target != place.target);
    let to_make = changed.now.seats.iter().filter(is_new).map(|place| (changed.person, place)).collect();
    Ok(Moved { to_make, reinstated })
}

/// Takes a seat out of the frame: without a trace in draft, as a frame correction later.
pub(crate) async fn give_up(tx: &mut Tx, head: &Head, seat: &HeldSeat) -> Result<()> {
    if seat.completed {
        return Err(LedgerError::conflict(format!(
            "form {} was submitted and this list does not have its person any more; a submitted form stays in the frame: put the person back into the list",
            seat.form
        )));
    }
    let sql = match head.state {
        CampaignState::Draft => "UPDATE seat SET removed = 1 WHERE form = $1",
        CampaignState::Inviting | CampaignState::Closed | CampaignState::Opened | CampaignState::Released => {
            "UPDATE seat SET ineligible = 1 WHERE form = $1"
        }
    };
    sqlx::query(sql).bind(seat.form).execute(&mut **tx).await?;
    Ok(())
}

/// A seat as its person holds it.
pub(crate) struct HeldSeat {
    pub(crate) form: FormId,
    pub(crate) place: SeatPlace,
    pub(crate) completed: bool,
    pub(crate) ineligible: bool,
}

pub(crate) async fn seats_of(connection: &mut sqlx::AnyConnection, person: PersonId) -> Result<Vec<HeldSeat>> {
    let rows = sqlx::query_as::<Any, (i64, String, String, String, Option<i64>, i64)>(
        "SELECT form, target, grp, unit, completed, ineligible FROM seat WHERE person = $1 AND removed = 0 ORDER BY form",
    )
    .bind(person)
    .fetch_all(connection)
    .await?;
    rows.into_iter()
        .map(|(form, target, group, unit, completed, ineligible)| {
            let place = place_of(&target, &group, &unit)?;
            Ok(HeldSeat { form, place, completed: completed.is_some(), ineligible: ineligible != 0 })
        })
        .collect()
}

pub(crate) fn place_of(target: &str, group: &str, unit: &str) -> Result<SeatPlace> {
    Ok(SeatPlace {
        target: code(target, "seat.target")?,
        group: code(group, "seat.grp")?,
        unit: code(unit, "seat.unit")?,
    })
}
