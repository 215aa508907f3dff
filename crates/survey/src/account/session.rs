//! How long a session lasts.

use jiff::{SignedDuration, Timestamp};

/// A session that was not used for so long is over.
pub const IDLE: SignedDuration = SignedDuration::from_mins(30);
/// A session is over so long after the login, however much it is used: a working day.
pub const ABSOLUTE: SignedDuration = SignedDuration::from_hours(10);
/// Use is recorded again only after so long, so that looking at a page is no write.
pub const SEEN_AGAIN: SignedDuration = SignedDuration::from_mins(1);
/// A set-up secret can be used for so long.
pub const SETUP: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Whether a session that began and was last seen at these moments is alive at `now`. A clock that was set back does not
/// lengthen it: a session of the future is over.
#[must_use]
pub fn is_alive(begun: Timestamp, seen: Timestamp, now: Timestamp) -> bool {
    let age = begun.duration_until(now);
    let idle = seen.duration_until(now);
    // A process that serves beside this one may have recorded a use a moment from now.
    age >= SignedDuration::from_mins(-1) && age < ABSOLUTE && idle < IDLE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_idle_or_old() {
        let at = |minute: i64| Timestamp::from_second(1_700_000_000 + minute * 60).expect("a moment");
        for (seen, now, alive) in
            [(0, 0, true), (0, 29, true), (0, 30, false), (590, 599, true), (599, 600, false), (0, -5, false)]
        {
            assert_eq!(is_alive(at(0), at(seen), at(now)), alive, "{seen} {now}");
        }
    }
}
