//! Days as a department counts them: in the campaign's zone, without weekends and holidays.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The campaign-zone day of a moment.
#[must_use]
pub fn day(moment: Timestamp, zone: &TimeZone) -> Date {
    moment.to_zoned(zone.clone()).date()
}

/// A moment as people here write it: `dd/mm/yyyy HH:MM`.
#[must_use]
pub fn written(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%d/%m/%Y %H:%M").to_string()
}

/// A moment in the campaign's zone as RFC 3339, to the second.
#[must_use]
pub fn rfc3339(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// Whether offices work on this day.
#[must_use]
pub fn is_working_day(date: Date, holidays: &[Date]) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday) && !holidays.contains(&date)
}

/// Working days after `from` up to and including `to`; 0 when `to` is not later.
///
/// From a Monday to the Thursday after it are three.
#[must_use]
pub fn working_days_between(from: Date, to: Date, holidays: &[Date]) -> u32 {
    let mut days = 0;
    let mut date = from;
    while date < to {
        let Ok(next) = date.checked_add(1.day()) else {
            break;
        };
        date = next;
        if is_working_day(date, holidays) {
            days += 1;
        }
    }
    days
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn weekends_and_holidays_are_not_working_days() {
        let new_year = [date(2024, 1, 1)];
        for (from, to, days) in [
            (date(2023, 12, 18), date(2023, 12, 21), 3),
            (date(2023, 12, 22), date(2023, 12, 25), 1),
            (date(2023, 12, 28), date(2024, 1, 4), 4),
            (date(2023, 12, 18), date(2023, 12, 18), 0),
            (date(2023, 12, 19), date(2023, 12, 18), 0),
        ] {
            assert_eq!(working_days_between(from, to, &new_year), days, "{from} {to}");
        }
    }

    #[test]
    fn a_moment_is_written_in_the_campaigns_zone() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").expect("the bundled database has it");
        let moment: Timestamp = "2024-01-10T16:59:00Z".parse().expect("a timestamp");
        assert_eq!(written(moment, &zone), "10/01/2024 23:59");
        assert_eq!(rfc3339(moment, &zone), "2024-01-10T23:59:00+07:00");
        assert_eq!(day(moment, &zone), date(2024, 1, 10));
    }
}
