//! The operator's digest: what changed since yesterday, what does not arrive, what is due, who is most behind.
//!
//! For the operator's eyes, and still without a name, an address, an answer or a refusal: mails are passed on.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Chase, ChaseCounts, Standing, chase, letters, next_contact, standing};
use crate::calendar;
use crate::campaign::{Campaign, MailKind};
use crate::seat::Seat;
use crate::status::{self, Headline, SeatCounts, StatusBy};

/// Units that the digest names, most behind first.
const BEHIND: usize = 10;

/// The digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Digest {
    /// The campaign's id.
    pub campaign: String,
    /// The moment it speaks of, in the campaign's zone, RFC 3339.
    pub as_of: String,
    /// The headline of the status.
    pub headline: Headline,
    /// Every seat by where it stands.
    pub total: ChaseCounts,
    /// Submissions of the last 24 hours.
    pub submitted_since_yesterday: u64,
    /// What does not arrive.
    pub trouble: Trouble,
    /// What comes next, soonest first.
    pub due: Vec<Due>,
    /// The units with the most outstanding, at most ten; among equals the one with the larger part outstanding.
    pub behind: Vec<Behind>,
    /// Letters that this morning owes.
    pub letters: u64,
}

/// What does not arrive. Counts of seats, then of letters to coordinators.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Outstanding seats of which no mail with the link is known to have arrived.
    pub not_delivered: u64,
    /// Outstanding seats with a mail of which nobody knows whether it left.
    pub unknown: u64,
    /// Outstanding seats with a mail that waits to be sent.
    pub waiting: u64,
    /// Mails to coordinators of which nobody knows whether they left.
    pub letters_unknown: u64,
    /// Mails to coordinators that the relay refused.
    pub letters_refused: u64,
}

/// Something that comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// `prenotice`, `invitation`, `reminder 2`, `deadline`.
    pub what: String,
    /// When, in the campaign's zone, RFC 3339.
    pub at: String,
}

/// A unit that is behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Behind {
    /// The unit's code.
    pub unit: String,
    /// Its outstanding seats.
    pub outstanding: u64,
    /// Its seats.
    pub listed: u64,
}

/// The digest at `now`. `told` counts the letters to coordinators whose outcome is (unknown, refused); `in_field` says
/// whether invitations were sent and the survey is open, for until then nobody is behind and no mail is missed.
#[must_use]
pub fn digest(
    campaign: &Campaign,
    seats: &[Seat],
    submissions: &[Timestamp],
    told: (u64, u64),
    in_field: bool,
    deadline: Timestamp,
    now: Timestamp,
) -> Digest {
    let Chase { as_of, total, units, .. } = chase(campaign, seats, deadline, now);
    let mut behind: Vec<Behind> = units
        .into_iter()
        .filter(|row| in_field && row.counts.outstanding > 0)
        .map(|row| Behind { unit: row.key, outstanding: row.counts.outstanding, listed: row.counts.listed })
        .collect();
    // A stable sort: among equals in every respect the campaign's order.
    behind.sort_by_key(|unit| (std::cmp::Reverse(unit.outstanding), unit.listed));
    behind.truncate(BEHIND);
    let status = status::status(campaign, &SeatCounts::of(seats), &[], StatusBy::Group, now);
    let yesterday = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(now);
    let recent = submissions.iter().filter(|at| **at > yesterday && **at <= now).count();
    Digest {
        campaign: campaign.id.clone(),
        as_of,
        headline: status.headline,
        total,
        submitted_since_yesterday: recent as u64,
        trouble: trouble(if in_field { seats } else { &[] }, told),
        due: due(campaign, deadline, now),
        behind,
        letters: if in_field && now <= deadline { letters(campaign, seats).len() as u64 } else { 0 },
    }
}

fn trouble(seats: &[Seat], (letters_unknown, letters_refused): (u64, u64)) -> Trouble {
    let mut trouble = Trouble { letters_unknown, letters_refused, ..Trouble::default() };
    for seat in seats.iter().filter(|seat| !seat.ineligible) {
        // Of whom reacted the mails are settled, whatever became of them.
        match standing(seat) {
            Standing::NotDelivered => trouble.not_delivered += 1,
            Standing::Silent => {}
            Standing::Started | Standing::Excused | Standing::Completed => continue,
        }
        trouble.unknown += u64::from(seat.mail.unknown > 0);
        trouble.waiting += u64::from(seat.mail.waiting > 0);
    }
    trouble
}

fn due(campaign: &Campaign, deadline: Timestamp, now: Timestamp) -> Vec<Due> {
    let at = |moment| calendar::rfc3339(moment, &campaign.time_zone);
    let contact = next_contact(campaign, now).map(|(kind, wave, moment)| {
        let what = match kind {
            MailKind::Prenotice | MailKind::Invitation | MailKind::Link => kind.as_str().to_owned(),
            MailKind::Reminder => format!("{} {wave}", kind.as_str()),
        };
        (moment, what)
    });
    let deadline = (deadline > now).then(|| (deadline, "deadline".to_owned()));
    let mut all: Vec<_> = contact.into_iter().chain(deadline).collect();
    all.sort();
    all.into_iter().map(|(moment, what)| Due { what, at: at(moment) }).collect()
}
