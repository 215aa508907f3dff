//! The response status: counts of seats, never of answers. Every number is cumulative and derived from [`Seat`]s.
//!
//! It is made of counts per group and unit, so that a large frame is counted where it is stored; [`SeatCounts::of`] says
//! what these counts are. Who declined is in none of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, UnitCode};
use serde::Serialize;

use crate::calendar;
use crate::campaign::Campaign;
use crate::seat::Seat;

/// Counts of the seats in the frame that one unit holds of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeatCounts {
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// Seats in the frame.
    pub listed: u64,
    /// Seats with at least one mail carrying a link that a relay accepted, to whichever holder and address.
    pub invited: u64,
    /// Seats whose present holder's last outcome is a permanent refusal.
    pub rejected: u64,
    /// Seats whose present holder has a mail of which nobody knows whether it left.
    pub unknown: u64,
    /// Seats of which the server received a chosen option.
    pub started: u64,
    /// Seats submitted.
    pub completed: u64,
    /// Seats excused; none of them is submitted.
    pub excused: u64,
}

impl SeatCounts {
    /// Counts seats, in the order of group and unit. Seats outside the frame are counted nowhere.
    #[must_use]
    pub fn of(seats: &[Seat]) -> Vec<Self> {
        let mut counts: BTreeMap<(&GroupCode, &UnitCode), Self> = BTreeMap::new();
        for seat in seats.iter().filter(|seat| !seat.ineligible) {
            let cell = counts
                .entry((&seat.group, &seat.unit))
                .or_insert_with(|| Self::none(seat.group.clone(), seat.unit.clone()));
            cell.listed += 1;
            cell.invited += u64::from(seat.mail.invited);
            cell.rejected += u64::from(seat.mail.last_rejected);
            cell.unknown += u64::from(seat.mail.unknown > 0);
            cell.started += u64::from(seat.started.is_some() || seat.completed.is_some());
            cell.completed += u64::from(seat.completed.is_some());
            cell.excused += u64::from(seat.excused.is_some());
        }
        counts.into_values().collect()
    }

    fn none(group: GroupCode, unit: UnitCode) -> Self {
        Self { group, unit, listed: 0, invited: 0, rejected: 0, unknown: 0, started: 0, completed: 0, excused: 0 }
    }
}

/// Counts of seats under one key (a group, a unit, or a day).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The group's, unit's or target's code, or the day as `YYYY-MM-DD`.
    pub key: String,
    /// Seats in the frame.
    pub listed: u64,
    /// Seats with at least one mail carrying a link that a relay accepted, to whichever holder and address.
    pub invited: u64,
    /// Seats whose last outcome is permanent and that no relay accepted since, at the present holder's address.
    pub rejected: u64,
    /// Seats with a mail of which nobody knows whether it left.
    pub unknown: u64,
    /// Seats of which the server received a chosen option.
    pub started: u64,
    /// Seats submitted.
    pub completed: u64,
    /// Seats excused.
    pub excused: u64,
    /// listed − completed − excused. It includes those who declined, so that no unit can tell them apart.
    pub outstanding: u64,
}

/// `completed` of `forms`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Seats submitted.
    pub completed: u64,
    /// Seats in the denominator.
    pub forms: u64,
}

/// The headline and its two companions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Headline {
    /// Seats of counted groups: 816/819.
    pub counted: Share,
    /// The same without the excused: 816/816, an administrative rate of our own.
    pub able: Share,
    /// Seats of every group: 848/851.
    pub all: Share,
}

/// What `status` answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The campaign's id.
    pub campaign: String,
    /// The moment it speaks of, in the campaign's zone, RFC 3339.
    pub as_of: String,
    /// The headline.
    pub headline: Headline,
    /// Rows in the campaign's order; days ascending.
    pub rows: Vec<StatusRow>,
}

/// What the rows of a status are keyed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusBy {
    /// Respondent group.
    Group,
    /// Unit.
    Unit,
    /// Campaign-zone day of completion; only `completed` differs from day to day, cumulated up to its end.
    Day,
}

/// The status at `now`, from the counts of every seat and the moments of every submission in the frame.
#[must_use]
pub fn status(
    campaign: &Campaign,
    counts: &[SeatCounts],
    submissions: &[Timestamp],
    by: StatusBy,
    now: Timestamp,
) -> Status {
    let rows = match by {
        StatusBy::Group => {
            let keys = campaign.groups.iter().map(|group| group.code.to_string());
            keyed(keys, counts, |cell| cell.group.as_str())
        }
        StatusBy::Unit => {
            let keys = campaign.units.iter().map(|unit| unit.code.to_string());
            let mut rows = keyed(keys, counts, |cell| cell.unit.as_str());
            rows.retain(|row| row.listed > 0);
            rows
        }
        StatusBy::Day => days(campaign, counts, submissions),
    };
    Status {
        campaign: campaign.id.clone(),
        as_of: calendar::rfc3339(now, &campaign.time_zone),
        headline: headline(campaign, counts),
        rows,
    }
}

fn headline(campaign: &Campaign, counts: &[SeatCounts]) -> Headline {
    let mut headline = Headline::default();
    for cell in counts {
        let counted = campaign.group(&cell.group).is_some_and(|group| group.counted);
        let able = cell.listed.saturating_sub(cell.excused);
        for (share, applies, forms) in [
            (&mut headline.all, true, cell.listed),
            (&mut headline.counted, counted, cell.listed),
            (&mut headline.able, counted, able),
        ] {
            if applies {
                share.forms += forms;
                share.completed += cell.completed;
            }
        }
    }
    headline
}

fn keyed<'a>(
    keys: impl Iterator<Item = String>,
    counts: &'a [SeatCounts],
    key: impl Fn(&'a SeatCounts) -> &'a str,
) -> Vec<StatusRow> {
    let mut rows: Vec<StatusRow> = keys.map(|key| StatusRow { key, ..StatusRow::default() }).collect();
    let places: BTreeMap<String, usize> = rows.iter().enumerate().map(|(i, row)| (row.key.clone(), i)).collect();
    for cell in counts {
        // Every seat's group and unit was checked against the campaign when the roster was imported.
        if let Some(&place) = places.get(key(cell)) {
            rows[place].add(cell);
        }
    }
    rows
}

fn days(campaign: &Campaign, counts: &[SeatCounts], submissions: &[Timestamp]) -> Vec<StatusRow> {
    let mut completed: BTreeMap<String, u64> = BTreeMap::new();
    for moment in submissions {
        *completed.entry(calendar::day(*moment, &campaign.time_zone).to_string()).or_default() += 1;
    }
    let mut whole = StatusRow::default();
    counts.iter().for_each(|cell| whole.add(cell));
    let mut total = 0;
    completed
        .into_iter()
        .map(|(key, count)| {
            total += count;
            StatusRow {
                key,
                completed: total,
                outstanding: whole.listed.saturating_sub(total + whole.excused),
                ..whole.clone()
            }
        })
        .collect()
}

impl StatusRow {
    fn add(&mut self, cell: &SeatCounts) {
        self.listed += cell.listed;
        self.invited += cell.invited;
        self.rejected += cell.rejected;
        self.unknown += cell.unknown;
        self.started += cell.started;
        self.completed += cell.completed;
        self.excused += cell.excused;
        self.outstanding = self.listed.saturating_sub(self.completed + self.excused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seat::{ExcuseCategory, MailSummary, sample};

    #[test]
    fn a_seat_is_counted_once_and_invited_for_good() {
        let completed = Some(Timestamp::UNIX_EPOCH);
        let unit = "so-y-te".parse::<UnitCode>().expect("a code");
        let mail = MailSummary { invited: true, ..MailSummary::default() };
        let seats = [
            // The present address has not been mailed yet, and the seat stays invited.
            Seat { mail: mail.clone(), ..sample(1) },
            Seat { mail, completed, ..sample(2) },
            Seat { excused: Some(ExcuseCategory::Ill), ..sample(3) },
            Seat { unit: unit.clone(), declined: true, ..sample(4) },
            Seat { ineligible: true, completed, ..sample(5) },
        ];
        let counts = SeatCounts::of(&seats);
        let group = &seats[0].group;
        let none = SeatCounts::none(group.clone(), unit);
        let first = SeatCounts {
            listed: 3,
            invited: 2,
            started: 1,
            completed: 1,
            excused: 1,
            ..SeatCounts::none(group.clone(), seats[0].unit.clone())
        };
        assert_eq!(counts, [first, SeatCounts { listed: 1, ..none }]);
    }
}
