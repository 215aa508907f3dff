//! How a campaign's mails leave: hours, rates, the first few before the rest, and what is done with an unknown mail.
//!
//! Rules only: what is sent, and by whom, is decided elsewhere, and so is what was sent already.

use std::collections::BTreeMap;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::calendar;

/// What `[sending]` of `campaign.toml` says. Nothing set is no limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sending {
    /// The hours of working days in which mails leave; none for any time of any day.
    pub hours: Option<Hours>,
    /// Mails per minute over the route.
    pub per_minute: Option<u32>,
    /// Connections at once, at most.
    pub connections: Option<u32>,
    /// Mails at most on the first day of sending, the second, and so on; later days have no such limit.
    pub warm_up: Vec<u32>,
    /// For every recipient domain that is not named.
    pub every_domain: DomainLimit,
    /// For these recipient domains, in small letters.
    pub domains: BTreeMap<String, DomainLimit>,
    /// The first few, if they go before the rest.
    pub canary: Option<Canary>,
    /// What is done with a mail of which nobody knows whether it left.
    pub unknown: UnknownPolicy,
    /// How long a dispatcher may be silent before its mails are taken from it.
    pub lease_seconds: u32,
    /// Refusals for reasons of policy (5.7, spam) after which the campaign pauses itself.
    pub pause_after: u32,
}

/// Limits towards one recipient domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DomainLimit {
    /// Mails per minute.
    pub per_minute: Option<u32>,
    /// Connections at once.
    pub connections: Option<u32>,
}

/// The first few mails of a contact, before the rest are let go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// Percent of the forms that go first, 1–50.
    pub percent: u32,
    /// Minutes after the last of them was settled before the rest are let go: time for bounces to come back.
    pub wait_minutes: u32,
    /// Percent of the first few that may fail (refused, bounced, unknown) for the rest to be let go by themselves.
    pub failures_percent: u32,
    /// Mailboxes of one's own that get a copy with a dummy link, and that somebody has to have looked at, before anybody
    /// else gets a mail of the contact.
    pub mailboxes: Vec<String>,
}

/// What is done with a mail whose final dot may have left without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnknownPolicy {
    /// Nothing by itself: it stands on the operator's list, and the next reminder covers the person.
    Hold,
    /// It is sent once more with the same bytes.
    Resend,
}

/// The hours of working days in which mails leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<(Time, Time)>);

/// A lease shorter than this would be lost to a busy machine.
pub const LEAST_LEASE_SECONDS: u32 = 2;

impl Default for Sending {
    fn default() -> Self {
        Self {
            hours: None,
            per_minute: None,
            connections: None,
            warm_up: Vec::new(),
            every_domain: DomainLimit::default(),
            domains: BTreeMap::new(),
            canary: None,
            unknown: UnknownPolicy::Hold,
            lease_seconds: 60,
            pause_after: 1,
        }
    }
}

impl Sending {
    /// Mails at most on a day, as the warm-up has it, given the first day of sending; `None` for no limit.
    #[must_use]
    pub fn daily_limit(&self, first: Date, today: Date) -> Option<u32> {
        let days = first.until(today).ok()?.get_days();
        self.warm_up.get(usize::try_from(days).ok()?).copied()
    }
}

impl Canary {
    /// Whether the mail at `place` (from 0) of `of` mails in form order is among the first few. They are spread evenly, so
    /// that every group and unit has its share; there is at least one.
    #[must_use]
    pub fn is_first(&self, place: usize, of: usize) -> bool {
        let (place, of) = (place as u128, (of as u128).max(1));
        let first = (of * u128::from(self.percent)).div_ceil(100).clamp(1, of);
        (place + 1) * first / of != place * first / of
    }

    /// Whether so many failures among so many first mails let the rest go by themselves.
    #[must_use]
    pub fn is_well(&self, failed: u64, all: u64) -> bool {
        failed * 100 <= all * u64::from(self.failures_percent)
    }
}

impl Hours {
    /// Reads `07:30-11:30, 13:30-17:00`.
    ///
    /// # Errors
    /// Why it cannot be read: no time of day, an end before its beginning, ranges out of order.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut ranges: Vec<(Time, Time)> = Vec::new();
        for range in text.split(',').map(str::trim) {
            let (from, to) = range.split_once('-').ok_or_else(|| format!("'{range}' is not FROM-TO"))?;
            let time = |text: &str| {
                Time::strptime("%H:%M", text.trim()).map_err(|_| format!("'{}' is not a time of day", text.trim()))
            };
            let (from, to) = (time(from)?, time(to)?);
            if from >= to {
                return Err(format!("'{range}' ends before it begins"));
            }
            if ranges.last().is_some_and(|(_, before)| *before > from) {
                return Err(format!("'{range}' begins before the one in front of it has ended"));
            }
            ranges.push((from, to));
        }
        Ok(Self(ranges))
    }

    /// Whether mails may leave at a moment.
    #[must_use]
    pub fn is_open(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> bool {
        let local = now.to_zoned(zone.clone()).datetime();
        calendar::is_working_day(local.date(), holidays)
            && self.0.iter().any(|(from, to)| (*from..*to).contains(&local.time()))
    }

    /// The next moment at which mails may leave: `now` itself where they may; `None` where there is none within a year.
    #[must_use]
    pub fn next_open(&self, now: Timestamp, zone: &TimeZone, holidays: &[Date]) -> Option<Timestamp> {
        if self.is_open(now, zone, holidays) {
            return Some(now);
        }
        let mut date = calendar::day(now, zone);
        for _ in 0..366 {
            if calendar::is_working_day(date, holidays) {
                let openings =
                    self.0.iter().filter_map(|(from, _)| date.to_datetime(*from).to_zoned(zone.clone()).ok());
                if let Some(next) = openings.map(|zoned| zoned.timestamp()).find(|opening| *opening > now) {
                    return Some(next);
                }
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    #[test]
    fn mails_leave_in_office_hours_of_working_days() {
        let hours = Hours::read("07:30-11:30, 13:30-17:00").expect("hours");
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("the bundled database has it");
        let holidays = [date(2024, 1, 1)];
        for (now, next) in [
            ("2023-12-18T08:00:00+07:00", "2023-12-18T08:00:00+07:00"),
            ("2023-12-18T07:29:59+07:00", "2023-12-18T07:30:00+07:00"),
            ("2023-12-18T11:30:00+07:00", "2023-12-18T13:30:00+07:00"),
            ("2023-12-18T17:00:00+07:00", "2023-12-19T07:30:00+07:00"),
            // Friday evening; then a weekend with New Year's Day behind it.
            ("2023-12-22T18:00:00+07:00", "2023-12-25T07:30:00+07:00"),
            ("2023-12-29T18:00:00+07:00", "2024-01-02T07:30:00+07:00"),
            // Still Sunday at UTC, Monday in Hanoi.
            ("2023-12-24T23:59:00Z", "2023-12-25T07:30:00+07:00"),
        ] {
            let now = moment(now);
            assert_eq!(hours.next_open(now, &zone, &holidays), Some(moment(next)), "{now}");
            assert_eq!(hours.is_open(now, &zone, &holidays), now == moment(next), "{now}");
        }
        let always_closed: Vec<Date> = Vec::new();
        assert!(hours.next_open(moment("2023-12-18T18:00:00+07:00"), &zone, &always_closed).is_some());
    }

    #[test]
    fn hours_that_make_no_sense_are_told() {
        for (text, words) in [
            ("7h30-11h", "not a time of day"),
            ("07:30", "not FROM-TO"),
            ("11:30-07:30", "ends before"),
            ("07:30-11:30, 11:00-17:00", "begins before"),
        ] {
            assert!(Hours::read(text).expect_err(text).contains(words), "{text}");
        }
    }

    #[test]
    fn the_first_few_are_as_many_as_the_percent_says_and_spread() {
        for percent in [1, 5, 12, 50] {
            let canary = Canary { percent, wait_minutes: 0, failures_percent: 0, mailboxes: Vec::new() };
            let first: Vec<usize> = (0..1000).filter(|place| canary.is_first(*place, 1000)).collect();
            assert_eq!(first.len(), percent as usize * 10);
            let widest = first.windows(2).map(|pair| pair[1] - pair[0]).max();
            assert!(widest <= Some(100 / percent as usize + 1), "{percent}: {widest:?}");
            for of in 1..200 {
                let first = (0..of).filter(|place| canary.is_first(*place, of)).count();
                assert_eq!(first, (of * percent as usize).div_ceil(100), "{percent} % of {of}");
            }
        }
    }

    #[test]
    fn a_warm_up_limits_its_days_only() {
        let sending = Sending { warm_up: vec![50, 200], ..Sending::default() };
        let first = date(2023, 12, 18);
        let limits = [18, 19, 20].map(|day| sending.daily_limit(first, date(2023, 12, day)));
        assert_eq!(limits, [Some(50), Some(200), None]);
        let canary = Canary { percent: 5, wait_minutes: 60, failures_percent: 5, mailboxes: Vec::new() };
        assert!(canary.is_well(2, 40) && !canary.is_well(3, 40) && canary.is_well(0, 0));
    }
}
