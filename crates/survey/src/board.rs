//! The board: where the whole survey stands, cut to what one account may see. Counts of seats, never an answer.
//!
//! It is made of counts per target, group and unit, so that a large frame is counted where it is stored, once for everybody
//! who looks. Who declined counts as one who has begun, here as everywhere ([`crate::chase`]). Whoever sees some units only
//! sees counts per unit and never per group within them, because a group of one within a unit would be a name.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};

use crate::account::Scope;
use crate::calendar;
use crate::campaign::{Campaign, MailKind};
use crate::status::{Headline, Share};

/// Counts of seats in the frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct BoardCounts {
    /// Seats in the frame.
    pub listed: u64,
    /// Seats of which a relay was tried with a mail that carries a link, to whichever holder and address.
    pub mailed: u64,
    /// Seats whose present holder was reached as far as is known: the latest mail with a link was taken and has not come
    /// back, or the holder has reacted.
    pub reached: u64,
    /// Seats whose holder has begun or been in touch, the submitted ones included.
    pub started: u64,
    /// Seats submitted.
    pub completed: u64,
    /// Seats excused; none of them is submitted.
    pub excused: u64,
    /// Outstanding, and no mail with a link is known to have arrived.
    pub not_delivered: u64,
    /// Outstanding, mailed, and nothing came back.
    pub silent: u64,
    /// Outstanding, begun or in touch.
    pub begun: u64,
    /// Seats with a mail to the present address that a relay refused for good.
    pub rejected: u64,
    /// Seats with a mail to the present address that came back.
    pub bounced: u64,
    /// Seats with a mail to the present address of which nobody knows whether it left.
    pub unknown: u64,
    /// Seats to whose present address nothing is sent any more.
    pub suppressed: u64,
}

impl BoardCounts {
    /// Not delivered, silent and begun together.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.not_delivered + self.silent + self.begun
    }
}

impl AddAssign for BoardCounts {
    fn add_assign(&mut self, other: Self) {
        self.listed += other.listed;
        self.mailed += other.mailed;
        self.reached += other.reached;
        self.started += other.started;
        self.completed += other.completed;
        self.excused += other.excused;
        self.not_delivered += other.not_delivered;
        self.silent += other.silent;
        self.begun += other.begun;
        self.rejected += other.rejected;
        self.bounced += other.bounced;
        self.unknown += other.unknown;
        self.suppressed += other.suppressed;
    }
}

/// The seats that one unit holds of one group for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoardCell {
    /// The target.
    pub target: TargetCode,
    /// The group.
    pub group: GroupCode,
    /// The unit.
    pub unit: UnitCode,
    /// Its counts.
    pub counts: BoardCounts,
}

/// Submissions of one day that one unit made for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayCell {
    /// The target.
    pub target: TargetCode,
    /// The unit.
    pub unit: UnitCode,
    /// The day in the campaign's zone.
    pub day: Date,
    /// Seats submitted on it.
    pub completed: u64,
}

/// Everything that is counted, before it is cut to a scope.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    /// Counts of seats.
    pub cells: Vec<BoardCell>,
    /// Submissions by day.
    pub days: Vec<DayCell>,
    /// The deadline in force.
    pub deadline: Timestamp,
    /// Whether the organiser's order to name people is recorded.
    pub names_ordered: bool,
}

/// What a rate is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareOf {
    /// Groups that count in the headline.
    Counted,
    /// The same without the excused.
    Able,
    /// Every group.
    All,
    /// Every seat of one's own units.
    Own,
    /// The same without the excused.
    OwnAble,
}

/// The counts of one group or unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoardRow {
    /// Its code.
    pub key: String,
    /// Its counts.
    pub counts: BoardCounts,
}

/// One day of the field time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BoardDay {
    /// The day in the campaign's zone.
    pub day: Date,
    /// Submissions on it.
    pub completed: u64,
    /// Submissions up to its end.
    pub cumulated: u64,
    /// The contacts that were due on it.
    pub due: Vec<(MailKind, u32)>,
}

/// What an account sees of the survey.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Board {
    /// The headline and its companions, in the order they are shown.
    pub shares: Vec<(ShareOf, SharePart)>,
    /// Every seat of the scope.
    pub total: BoardCounts,
    /// Groups that hold seats, in the campaign's order; none where the scope is some units.
    pub groups: Vec<BoardRow>,
    /// Units that hold seats, in the campaign's order.
    pub units: Vec<BoardRow>,
    /// From the opening to today or the deadline, whichever is earlier; none before the opening.
    pub days: Vec<BoardDay>,
    /// The deadline in force.
    pub deadline: Timestamp,
}

/// `completed` of `forms`, as [`Share`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SharePart {
    /// Seats submitted.
    pub completed: u64,
    /// Seats in the denominator.
    pub forms: u64,
}

impl From<Share> for SharePart {
    fn from(share: Share) -> Self {
        Self { completed: share.completed, forms: share.forms }
    }
}

/// The board at `now`, cut to a scope.
#[must_use]
pub fn board(campaign: &Campaign, ground: &Ground, scope: &Scope, now: Timestamp) -> Board {
    let cells: Vec<&BoardCell> = ground.cells.iter().filter(|cell| scope.holds(&cell.target, &cell.unit)).collect();
    let mut total = BoardCounts::default();
    cells.iter().for_each(|cell| total += cell.counts);
    let whole = scope.units.is_none();
    let shares = if whole {
        let headline = headline(campaign, &cells);
        vec![
            (ShareOf::Counted, headline.counted.into()),
            (ShareOf::Able, headline.able.into()),
            (ShareOf::All, headline.all.into()),
        ]
    } else {
        let share = |forms| SharePart { completed: total.completed, forms };
        vec![(ShareOf::Own, share(total.listed)), (ShareOf::OwnAble, share(total.listed - total.excused))]
    };
    let groups = if whole {
        rows(campaign.groups.iter().map(|group| group.code.as_str()), &cells, |cell| cell.group.as_str())
    } else {
        Vec::new()
    };
    let units = rows(campaign.units.iter().map(|unit| unit.code.as_str()), &cells, |cell| cell.unit.as_str());
    Board { shares, total, groups, units, days: days(campaign, ground, scope, now), deadline: ground.deadline }
}

fn headline(campaign: &Campaign, cells: &[&BoardCell]) -> Headline {
    let mut headline = Headline::default();
    for cell in cells {
        let counts = cell.counts;
        headline.all.forms += counts.listed;
        headline.all.completed += counts.completed;
        if campaign.group(&cell.group).is_some_and(|group| group.counted) {
            headline.counted.forms += counts.listed;
            headline.counted.completed += counts.completed;
            headline.able.forms += counts.listed - counts.excused;
            headline.able.completed += counts.completed;
        }
    }
    headline
}

fn rows<'a>(
    keys: impl Iterator<Item = &'a str>,
    cells: &[&'a BoardCell],
    key: impl Fn(&'a BoardCell) -> &'a str,
) -> Vec<BoardRow> {
    let mut counts: BTreeMap<&str, BoardCounts> = BTreeMap::new();
    for cell in cells {
        *counts.entry(key(cell)).or_default() += cell.counts;
    }
    keys.filter_map(|key| Some(BoardRow { key: key.to_owned(), counts: *counts.get(key)? })).collect()
}

/// The days of the field time up to `now`, as their first moments say; also those on which nothing happened.
#[must_use]
pub fn field_days(campaign: &Campaign, deadline: Timestamp, now: Timestamp) -> Vec<Date> {
    let day = |moment| calendar::day(moment, &campaign.time_zone);
    // The grace after the deadline may reach into another day.
    let grace = jiff::SignedDuration::from_mins(i64::from(campaign.grace_minutes));
    let last = day(now.min(deadline.checked_add(grace).unwrap_or(deadline)));
    let mut days = Vec::new();
    let mut date = day(campaign.opens);
    while date <= last {
        days.push(date);
        match date.checked_add(1.day()) {
            Ok(next) => date = next,
            Err(_) => break,
        }
    }
    days
}

fn days(campaign: &Campaign, ground: &Ground, scope: &Scope, now: Timestamp) -> Vec<BoardDay> {
    let mut completed: BTreeMap<Date, u64> = BTreeMap::new();
    for cell in ground.days.iter().filter(|cell| scope.holds(&cell.target, &cell.unit)) {
        *completed.entry(cell.day).or_default() += cell.completed;
    }
    let mut cumulated = 0;
    field_days(campaign, ground.deadline, now)
        .into_iter()
        .map(|day| {
            let today = completed.get(&day).copied().unwrap_or(0);
            cumulated += today;
            let due = campaign.contacts.iter().filter(|contact| calendar::day(contact.due, &campaign.time_zone) == day);
            let due = due.map(|contact| (contact.kind, contact.wave)).collect();
            BoardDay { day, completed: today, cumulated, due }
        })
        .collect()
}
