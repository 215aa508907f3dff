//! When a mail that was refused for now is tried again: 5, 10, 20 minutes … 4 hours, spread a little.
//!
//! The steps are those of the usual mail servers (RFC 5321, section 4.5.4.1, asks for at least half an hour after the
//! first few tries). Randomness is an argument; after the deadline nothing is handed out any more, and closing the survey
//! expires what is left.

use jiff::SignedDuration;

/// The wait after the first refusal.
pub const RETRY_FIRST: SignedDuration = SignedDuration::from_mins(5);

/// The longest wait between two tries.
pub const RETRY_CAP: SignedDuration = SignedDuration::from_hours(4);

/// The wait after the `tries`-th refusal for now (from 1), with a spread of up to a fifth more.
///
/// `dice` is any byte: 0 adds nothing, 255 adds the whole fifth. Greylisted mails of one batch would otherwise all come
/// back in the same second.
#[must_use]
pub fn retry_after(tries: u32, dice: u8) -> SignedDuration {
    let doublings = tries.saturating_sub(1).min(16);
    let wait = RETRY_FIRST.saturating_mul(1 << doublings).min(RETRY_CAP);
    wait + SignedDuration::from_millis(i64::try_from(wait.as_millis() / 5).unwrap_or(0) * i64::from(dice) / 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_four_hours_and_spread_by_a_fifth() {
        for (tries, minutes) in [(0, 5), (1, 5), (2, 10), (3, 20), (4, 40), (5, 80), (6, 160), (7, 240), (99, 240)] {
            assert_eq!(retry_after(tries, 0), SignedDuration::from_mins(minutes), "{tries}");
            assert_eq!(retry_after(tries, 255), SignedDuration::from_secs(minutes * 72), "{tries}");
        }
    }
}
