//! Chasing (đôn đốc): how far each unit has come, and what its coordinator may be told. Counts of seats, never an answer.
//!
//! Every seat of the frame stands in exactly one of five places, so that the places of a unit sum to its seats.
//!
//! # Who declined is not told to the unit
//! A refusal (AAPOR 2.11) ends the reminders and is the person's own business. Here **who declined stands where somebody
//! stands who has begun to answer**, from that moment on, and even after taking the refusal back ([`has_reacted`]). The
//! two are not told apart by any count, letter, list or page, on any day:
//! - Shown as *silent*, a person who declined would be missing from a list of names that counts him, and would stay
//!   "silent" on the day when a dead mail server turns every other silent colleague into "not delivered".
//! - Shown as *completed*, he would make the unit's count differ from the published one, and one who declines and then
//!   thinks again would be a submission taken back, which does not exist.
//! - Whoever has begun may or may not go on, is mailed or not, is excused or replaced like anybody else. What a person
//!   who declined can do next, a person who has begun can do as well.
//!
//! So lists of names leave out everybody who has reacted, and are as long as the counts beside them say. The words that
//! people read are true of both: "begun, or has been in touch".
//!
//! # Small units
//! A unit may know which of its people are done; the employer certified the list. What it may not know is an answer, and
//! there is none here. Counts are per unit and never per group within a unit, because a group of one within a unit would
//! be a name.

mod digest;
mod letters;
mod words;

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::Timestamp;
use parsurvey_index::code::UnitCode;
use serde::Serialize;

use crate::calendar;
use crate::campaign::{Campaign, MailKind};
use crate::plan;
use crate::seat::{MailSummary, Seat};

pub use digest::{Behind, Digest, Due, Trouble, digest};
pub use letters::{Named, UnitLetter, addressee, letters, names};
pub use words::{
    CHASE_VARIABLES, ChaseMail, Particulars, chase_values, date_in_words, day_of, render_chase, variables,
};

/// Where a seat stands for whoever chases it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// No mail with the link is known to have reached the present holder at the present address.
    NotDelivered,
    /// Mailed, and nothing came back.
    Silent,
    /// Has begun to answer or has been in touch, and has not submitted.
    Started,
    /// Excused.
    Excused,
    /// Submitted.
    Completed,
}

/// Where a seat of the frame stands.
///
/// What a person does outweighs what became of the mail: who has opened the form was reached.
#[must_use]
pub fn standing(seat: &Seat) -> Standing {
    if seat.completed.is_some() {
        Standing::Completed
    } else if seat.excused.is_some() {
        Standing::Excused
    } else if has_reacted(seat) {
        Standing::Started
    } else if is_undelivered(&seat.mail) {
        Standing::NotDelivered
    } else {
        Standing::Silent
    }
}

/// Whether the present holder has begun, submitted, or declined, be it taken back or not: the three are one for every
/// count that a unit can see.
#[must_use]
pub fn has_reacted(seat: &Seat) -> bool {
    seat.started.is_some() || seat.completed.is_some() || seat.declined || seat.ever_declined
}

/// Whether no mail with the link is known to have reached the holder: the latest was refused for good, or none was ever
/// accepted. A mail of which nobody knows counts as sent, as it does for reminders.
fn is_undelivered(mail: &MailSummary) -> bool {
    mail.last_link_rejected || (mail.link_accepted == 0 && mail.link_unknown == 0)
}

/// Seats by where they stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ChaseCounts {
    /// Seats in the frame: the sum of the five below.
    pub listed: u64,
    /// No mail with the link is known to have arrived.
    pub not_delivered: u64,
    /// Mailed, and nothing came back.
    pub silent: u64,
    /// Begun or in touch, and not submitted. It includes who declined.
    pub started: u64,
    /// Excused.
    pub excused: u64,
    /// Submitted.
    pub completed: u64,
    /// Not delivered, silent and started together.
    pub outstanding: u64,
}

impl ChaseCounts {
    /// Counts seats; those outside the frame are counted nowhere.
    #[must_use]
    pub fn of<'a>(seats: impl IntoIterator<Item = &'a Seat>) -> Self {
        let mut counts = Self::default();
        seats.into_iter().for_each(|seat| counts.add(seat));
        counts
    }

    fn add(&mut self, seat: &Seat) {
        if seat.ineligible {
            return;
        }
        self.listed += 1;
        let (place, outstanding) = match standing(seat) {
            Standing::NotDelivered => (&mut self.not_delivered, 1),
            Standing::Silent => (&mut self.silent, 1),
            Standing::Started => (&mut self.started, 1),
            Standing::Excused => (&mut self.excused, 0),
            Standing::Completed => (&mut self.completed, 0),
        };
        *place += 1;
        self.outstanding += outstanding;
    }
}

impl AddAssign for ChaseCounts {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.not_delivered += other.not_delivered;
        self.silent += other.silent;
        self.started += other.started;
        self.excused += other.excused;
        self.completed += other.completed;
        self.outstanding += other.outstanding;
    }
}

/// The counts of one unit or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChaseRow {
    /// The unit's or group's code.
    pub key: String,
    /// Its seats.
    #[serde(flatten)]
    pub counts: ChaseCounts,
}

/// The morning's chase.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chase {
    /// The campaign's id.
    pub campaign: String,
    /// The moment it speaks of, in the campaign's zone, RFC 3339.
    pub as_of: String,
    /// The deadline in force, likewise.
    pub deadline: String,
    /// Every seat.
    pub total: ChaseCounts,
    /// Units that hold seats, in the campaign's order.
    pub units: Vec<ChaseRow>,
    /// Groups, in the campaign's order.
    pub groups: Vec<ChaseRow>,
}

/// The chase at `now`, from every seat.
#[must_use]
pub fn chase(campaign: &Campaign, seats: &[Seat], deadline: Timestamp, now: Timestamp) -> Chase {
    let units = campaign.units.iter().map(|unit| unit.code.as_str());
    let groups = campaign.groups.iter().map(|group| group.code.as_str());
    let mut units = rows(units, seats, |seat| seat.unit.as_str());
    units.retain(|row| row.counts.listed > 0);
    Chase {
        campaign: campaign.id.clone(),
        as_of: calendar::rfc3339(now, &campaign.time_zone),
        deadline: calendar::rfc3339(deadline, &campaign.time_zone),
        total: ChaseCounts::of(seats),
        units,
        groups: rows(groups, seats, |seat| seat.group.as_str()),
    }
}

fn rows<'a>(
    keys: impl Iterator<Item = &'a str>,
    seats: &'a [Seat],
    key: impl Fn(&'a Seat) -> &'a str,
) -> Vec<ChaseRow> {
    let mut counts: BTreeMap<&str, ChaseCounts> = BTreeMap::new();
    for seat in seats {
        counts.entry(key(seat)).or_default().add(seat);
    }
    keys.map(|key| ChaseRow { key: key.to_owned(), counts: counts.get(key).copied().unwrap_or_default() }).collect()
}

/// Why names may not be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamesRefused {
    /// No order of the organiser is recorded.
    NoOrder,
    /// The last declared reminder is not due yet; it is at this moment.
    TooEarly(Timestamp),
    /// The campaign declares no reminder, so that there is no last one.
    NoReminder,
}

/// Whether letters may name people at `now`: on a recorded order, and once the last declared reminder is due.
///
/// # Errors
/// Why not. The order is asked for first: it is what takes longest to get.
pub fn may_name(campaign: &Campaign, ordered: bool, now: Timestamp) -> Result<(), NamesRefused> {
    if !ordered {
        return Err(NamesRefused::NoOrder);
    }
    let last = campaign.contacts.iter().rfind(|contact| contact.kind == MailKind::Reminder);
    match last {
        None => Err(NamesRefused::NoReminder),
        Some(last) if last.due > now => Err(NamesRefused::TooEarly(last.due)),
        Some(_) => Ok(()),
    }
}

/// The next contact that is due after `now`, of any kind.
#[must_use]
pub fn next_contact(campaign: &Campaign, now: Timestamp) -> Option<(MailKind, u32, Timestamp)> {
    [MailKind::Prenotice, MailKind::Invitation, MailKind::Reminder]
        .into_iter()
        .filter_map(|kind| plan::next(&campaign.contacts, kind, now))
        .min_by_key(|contact| contact.due)
        .map(|contact| (contact.kind, contact.wave, contact.due))
}

/// A unit's name, or its code where the campaign does not know it.
#[must_use]
pub fn unit_name<'a>(campaign: &'a Campaign, unit: &'a UnitCode) -> &'a str {
    campaign.unit(unit).map_or(unit.as_str(), |unit| &unit.name)
}

#[cfg(test)]
mod tests;
