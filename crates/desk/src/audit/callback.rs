//! Calling back: whom an outside body asks, what the calls gave, and what that proves.
//!
//! What is shown is what the roster has of a person. Neither an answer nor the time of completion is among it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, UnitCode};
use parsurvey_ledger::NewDraw;
use parsurvey_survey::callback::{self, CallCounts, CallOutcome};
use parsurvey_survey::seat::FormId;

use crate::acts::documented;
use crate::{Because, Desk, DeskError};

/// Somebody to be called back. Its `Debug` shows nobody.
#[derive(Clone, PartialEq, Eq)]
pub struct ToCall {
    /// The form.
    pub form: FormId,
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The position.
    pub position: String,
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
}

impl std::fmt::Debug for ToCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ToCall").field("form", &self.form).finish_non_exhaustive()
    }
}

/// A draw for an auditor.
#[derive(Debug)]
pub struct Drawn {
    /// Its number.
    pub draw: i64,
    /// Whether it was not drawn before.
    pub is_new: bool,
    /// How many completed forms it was drawn from.
    pub population: u64,
    /// The hash of that list.
    pub list_sha256: String,
    /// Whom to call, by form.
    pub people: Vec<ToCall>,
}

/// What the calls of the latest draw gave.
#[derive(Debug)]
pub struct CallbackSummary {
    /// The draw's number.
    pub draw: i64,
    /// The seed it follows from.
    pub seed: String,
    /// The hash of the list it was drawn from.
    pub list_sha256: String,
    /// Per group where each group gave its share; else empty.
    pub groups: Vec<(GroupCode, CallCounts)>,
    /// Over all.
    pub total: CallCounts,
}

impl CallbackSummary {
    /// With 95 % confidence at most so many of all would not confirm: exact for a draw over all. Where each group gave
    /// its share there is no exact bound over all, only one in each group.
    #[must_use]
    pub fn bound_over_all(&self) -> Option<u64> {
        if self.groups.is_empty() { self.total.not_confirmed_at_most() } else { None }
    }
}

impl Desk {
    /// Draws `n` completed forms and shows who holds them; recorded each time, with reason and document.
    ///
    /// # Errors
    /// Reason, document or seed are missing, or fewer forms are completed than are asked for.
    pub async fn callback_draw(
        &self,
        n: usize,
        seed: &str,
        by_group: bool,
        because: &Because,
        now: Timestamp,
    ) -> Result<Drawn, DeskError> {
        documented(because)?;
        let completed = self.ledger.completed_forms().await?;
        if n == 0 || n > completed.len() {
            return Err(DeskError::refused(
                format!("{n} were asked for, and {} forms are completed", completed.len()),
                "ask for at least 1 and at most as many as are completed",
            ));
        }
        if seed.trim().is_empty() {
            return Err(DeskError::refused("the seed is empty", "let the auditor choose one, such as a throw of dice"));
        }
        let new = NewDraw {
            seed: seed.to_owned(),
            by_group,
            population: completed.len() as u64,
            list_sha256: callback::list_sha256(&completed),
            forms: callback::draw(&completed, n, seed, by_group),
        };
        // Read before it is recorded, so that nothing is said to have been shown that could not be.
        let people = self.people_to_call(&new.forms).await?;
        let (draw, is_new) = self.ledger.record_draw(&new, &because.act(now)).await?;
        Ok(Drawn { draw, is_new, population: new.population, list_sha256: new.list_sha256, people })
    }

    async fn people_to_call(&self, forms: &[FormId]) -> Result<Vec<ToCall>, DeskError> {
        let seats = self.ledger.seats().await?;
        let stored = self.ledger.stored_people().await?.people;
        let people: BTreeMap<_, _> = stored.iter().map(|person| (person.person, person)).collect();
        let drawn = seats.into_iter().filter(|seat| forms.binary_search(&seat.form).is_ok());
        let to_call = drawn.filter_map(|seat| {
            let person = people.get(&seat.person)?;
            Some(ToCall {
                form: seat.form,
                name: person.name.clone(),
                email: person.email.clone(),
                position: person.position.clone(),
                group: seat.group,
                unit: seat.unit,
            })
        });
        Ok(to_call.collect())
    }

    /// Records what the call about a form gave.
    ///
    /// # Errors
    /// The latest draw has no such form.
    pub async fn callback_record(
        &self,
        form: FormId,
        outcome: CallOutcome,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        Ok(self.ledger.record_call(form, outcome, &because.act(now)).await?)
    }

    /// What the calls of the latest draw gave.
    ///
    /// # Errors
    /// Nothing was drawn yet.
    pub async fn callback_summary(&self) -> Result<CallbackSummary, DeskError> {
        let Some(draw) = self.ledger.callback().await? else {
            return Err(DeskError::refused(
                "nobody was drawn yet",
                "draw with `parsurvey audit callback --n … --seed …`",
            ));
        };
        let mut total = CallCounts { population: draw.population, ..CallCounts::default() };
        let mut groups: BTreeMap<GroupCode, CallCounts> = BTreeMap::new();
        if draw.by_group {
            let completed = self.ledger.completed_forms().await?;
            // Forms that were completed since belong to no group's list; without that list there is no bound.
            let is_same_list = callback::list_sha256(&completed) == draw.list_sha256;
            for one in completed {
                groups.entry(one.group).or_default().population += u64::from(is_same_list);
            }
        }
        for form in &draw.forms {
            total.add(form.outcome);
            if let Some(counts) = groups.get_mut(&form.group) {
                counts.add(form.outcome);
            }
        }
        let (number, seed, list_sha256) = (draw.draw, draw.seed, draw.list_sha256);
        Ok(CallbackSummary { draw: number, seed, list_sha256, groups: groups.into_iter().collect(), total })
    }
}
