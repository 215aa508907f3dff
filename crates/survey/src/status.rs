//! The response status: counts of seats, never of answers. Every number is cumulative and derived from [`Seat`]s.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::calendar;
use crate::campaign::Campaign;
use crate::seat::Seat;

/// Counts of seats under one key (a group, a unit, or a day).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StatusRow {
    /// The group's, unit's or target's code, or the day as `YYYY-MM-DD`.
    pub key: String,
    /// Seats in the frame.
    pub listed: u64,
    /// Seats with at least one mail carrying a link that a relay accepted.
    pub invited: u64,
    /// Seats whose last outcome is permanent and that no relay accepted since.
    pub rejected: u64,
    /// Seats with a mail claimed and without an outcome.
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

/// The status at `now`. Seats outside the frame are counted nowhere.
#[must_use]
pub fn status(campaign: &Campaign, seats: &[Seat], by: StatusBy, now: Timestamp) -> Status {
    let seats: Vec<&Seat> = seats.iter().filter(|seat| !seat.ineligible).collect();
    let rows = match by {
        StatusBy::Group => {
            let keys = campaign.groups.iter().map(|group| group.code.to_string());
            keyed(keys, &seats, |seat| seat.group.to_string())
        }
        StatusBy::Unit => {
            let keys = campaign.units.iter().map(|unit| unit.code.to_string());
            let mut rows = keyed(keys, &seats, |seat| seat.unit.to_string());
            rows.retain(|row| row.listed > 0);
            rows
        }
        StatusBy::Day => days(campaign, &seats),
    };
    Status {
        campaign: campaign.id.clone(),
        as_of: calendar::rfc3339(now, &campaign.time_zone),
        headline: headline(campaign, &seats),
        rows,
    }
}

fn headline(campaign: &Campaign, seats: &[&Seat]) -> Headline {
    let mut headline = Headline::default();
    for seat in seats {
        let counted = campaign.group(&seat.group).is_some_and(|group| group.counted);
        let completed = u64::from(seat.completed.is_some());
        let able = seat.excused.is_none();
        for (share, applies) in
            [(&mut headline.all, true), (&mut headline.counted, counted), (&mut headline.able, counted && able)]
        {
            if applies {
                share.forms += 1;
                share.completed += completed;
            }
        }
    }
    headline
}

fn keyed(keys: impl Iterator<Item = String>, seats: &[&Seat], key: impl Fn(&Seat) -> String) -> Vec<StatusRow> {
    let mut rows: Vec<StatusRow> = keys.map(|key| StatusRow { key, ..StatusRow::default() }).collect();
    let places: BTreeMap<String, usize> = rows.iter().enumerate().map(|(i, row)| (row.key.clone(), i)).collect();
    for seat in seats {
        // Every seat's group and unit was checked against the campaign when the roster was imported.
        if let Some(&place) = places.get(&key(seat)) {
            rows[place].add(seat);
        }
    }
    rows
}

fn days(campaign: &Campaign, seats: &[&Seat]) -> Vec<StatusRow> {
    let mut completed: BTreeMap<String, u64> = BTreeMap::new();
    for moment in seats.iter().filter_map(|seat| seat.completed) {
        *completed.entry(calendar::day(moment, &campaign.time_zone).to_string()).or_default() += 1;
    }
    let mut whole = StatusRow::default();
    seats.iter().for_each(|seat| whole.add(seat));
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
    fn add(&mut self, seat: &Seat) {
        self.listed += 1;
        self.invited += u64::from(seat.mail.link_accepted > 0);
        self.rejected += u64::from(seat.mail.last_rejected);
        self.unknown += u64::from(seat.mail.unknown > 0);
        self.started += u64::from(seat.started.is_some() || seat.completed.is_some());
        self.completed += u64::from(seat.completed.is_some());
        self.excused += u64::from(seat.excused.is_some());
        self.outstanding = self.listed.saturating_sub(self.completed + self.excused);
    }
}
