//! That a button pressed twice does its act once, and that what was done is shown once.
//!
//! Kept in memory only: after a restart the mark of a page still tells that the state has changed.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, PoisonError};

use parsurvey_survey::account::AccountName;

/// Acts that are remembered. An act is pressed twice within moments.
const KEPT: usize = 500;

/// What was done, by the number of the page it was done from.
#[derive(Default)]
pub(in crate::console) struct Once {
    /// Held while an act looks and writes: in this process one act happens at a time.
    alone: tokio::sync::Mutex<()>,
    /// The same for acts that wait for a relay, so that nobody who wants to pause waits behind them.
    patient: tokio::sync::Mutex<()>,
    done: Mutex<VecDeque<Done>>,
}

struct Done {
    account: AccountName,
    number: String,
    back: String,
    outcome: String,
    shown: bool,
}

/// A number for a page that is being drawn.
pub(super) fn number() -> String {
    // The generator of hash keys is seeded by the system; a number must differ, and need not be a secret.
    format!("{:016x}", RandomState::new().hash_one(KEPT))
}

impl Once {
    /// Waits until no other act happens.
    pub(super) async fn alone(&self, waits_for_relay: bool) -> tokio::sync::MutexGuard<'_, ()> {
        if waits_for_relay { self.patient.lock().await } else { self.alone.lock().await }
    }

    /// Notes what was done from a page; gives the address that shows it.
    pub(super) fn note(&self, account: &AccountName, number: &str, back: &str, outcome: String) -> String {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= KEPT {
            done.pop_front();
        }
        let (number, back) = (number.to_owned(), back.to_owned());
        let noted = Done { account: account.clone(), number, back, outcome, shown: false };
        let address = noted.address();
        done.push_back(noted);
        address
    }

    /// Where to see what was done from this page before, if anything was.
    pub(super) fn again(&self, account: &AccountName, number: &str) -> Option<String> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let found = done.iter_mut().find(|done| done.is(account, number))?;
        found.shown = false;
        Some(found.address())
    }

    /// What a page that comes after an act says of it, once.
    pub(in crate::console) fn told(&self, account: &AccountName, query: Option<&str>) -> Option<String> {
        let number = query?.split('&').find_map(|pair| pair.strip_prefix("done="))?;
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let found = done.iter_mut().find(|done| done.is(account, number) && !done.shown)?;
        found.shown = true;
        Some(found.outcome.clone())
    }
}

impl Done {
    fn is(&self, account: &AccountName, number: &str) -> bool {
        self.account == *account && self.number == number
    }

    fn address(&self) -> String {
        let sign = if self.back.contains('?') { '&' } else { '?' };
        format!("{}{sign}done={}", self.back, self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_told_once_and_to_nobody_else() {
        let (once, nva, nvb) = (Once::default(), "nva".parse().expect("a name"), "nvb".parse().expect("a name"));
        let number = number();
        assert_eq!(once.again(&nva, &number), None);
        let address = once.note(&nva, &number, "/console/acts", "done".into());
        let query = address.strip_prefix("/console/acts?").map(|query| format!("{query}&lang=vi"));
        let query = query.as_deref();
        assert_eq!(once.told(&nvb, query), None);
        assert_eq!(once.told(&nva, query).as_deref(), Some("done"));
        assert_eq!(once.told(&nva, query), None, "once");
        assert_eq!(once.again(&nva, &number), Some(address), "the second press leads to the same");
        assert_eq!(once.told(&nva, query).as_deref(), Some("done"), "and is told it");
        for n in 0..KEPT {
            once.note(&nvb, &n.to_string(), "/", String::new());
        }
        assert_eq!(once.again(&nva, &number), None, "the oldest is forgotten");
    }

    #[test]
    fn numbers_differ() {
        let numbers: std::collections::BTreeSet<String> = (0..1000).map(|_| number()).collect();
        assert_eq!(numbers.len(), 1000);
    }
}
