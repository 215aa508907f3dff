//! How often somebody may try to log in: per account and per address, and never so that an account is locked for good.
//!
//! Each account, address and known browser has a purse of tries that fills again with time. A try takes from the purse
//! before the password is looked at, and a login that succeeds gives it back. Failures of strangers empty the purse that
//! all strangers share for the account; a browser from which its owner has logged in before has a purse of its own, so
//! and waits for no other: neither for who fails on purpose at the account, nor for who does at the same address. Purses are few: the oldest are forgotten.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

/// Purses kept at most.
const PURSES: usize = 20_000;

/// Who tries.
pub struct Knock<'a> {
    /// The name that was typed, whether there is such an account or not.
    pub name: &'a str,
    /// The address, or the network that shares one; nothing where it counts for no limit.
    pub address: Option<&'a str>,
    /// The number of a browser that is known for this account.
    pub device: Option<&'a str>,
}

/// Tries that a purse holds, and how long one takes to come back.
struct Kind {
    holds: i32,
    refill: SignedDuration,
}

/// For strangers at an account: ten, then one in a minute and a half.
const ACCOUNT: Kind = Kind { holds: 10, refill: SignedDuration::from_secs(90) };
/// For a known browser, likewise.
const DEVICE: Kind = Kind { holds: 10, refill: SignedDuration::from_secs(90) };
/// For an address: a department may sit behind one.
const ADDRESS: Kind = Kind { holds: 40, refill: SignedDuration::from_secs(20) };

/// The purses. They are kept in memory: a restart of the server forgives.
#[derive(Default)]
pub struct Throttle {
    /// By key: when the purse will be full again.
    full_at: HashMap<String, Timestamp>,
}

impl Throttle {
    /// Takes a try from every purse that is concerned.
    ///
    /// # Errors
    /// One is empty: how long until the next try. Nothing was taken then, so that trying in vain makes nothing worse.
    pub fn take(&mut self, knock: &Knock<'_>, now: Timestamp) -> Result<(), SignedDuration> {
        let wait = self.wait(knock, now);
        if wait > SignedDuration::ZERO {
            return Err(wait);
        }
        for (key, kind) in purses(knock) {
            let full_at = now + self.owed(&key, now) + kind.refill;
            self.full_at.insert(key, full_at);
        }
        self.forget(now);
        Ok(())
    }

    /// How long until the next try.
    #[must_use]
    pub fn wait(&self, knock: &Knock<'_>, now: Timestamp) -> SignedDuration {
        let waits = purses(knock).into_iter().map(|(key, kind)| {
            // A purse that owes less than it holds has a try left.
            self.owed(&key, now) + kind.refill - kind.refill * kind.holds
        });
        waits.max().unwrap_or(SignedDuration::ZERO).max(SignedDuration::ZERO)
    }

    /// Gives back what a try took that turned out to be a login.
    pub fn give_back(&mut self, knock: &Knock<'_>, now: Timestamp) {
        for (key, kind) in purses(knock) {
            if let Some(full_at) = self.full_at.get_mut(&key) {
                *full_at = (*full_at - kind.refill).max(now);
            }
        }
    }

    /// How long until the purse is full.
    fn owed(&self, key: &str, now: Timestamp) -> SignedDuration {
        let owed = self.full_at.get(key).map(|full_at| now.duration_until(*full_at));
        owed.unwrap_or(SignedDuration::ZERO).max(SignedDuration::ZERO)
    }

    fn forget(&mut self, now: Timestamp) {
        if self.full_at.len() <= PURSES {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() > PURSES {
            // Those that are nearest to full lose the least by being forgotten.
            let mut moments: Vec<Timestamp> = self.full_at.values().copied().collect();
            let (_, middle, _) = moments.select_nth_unstable(PURSES / 2);
            let middle = *middle;
            self.full_at.retain(|_, full_at| *full_at > middle);
        }
    }
}

fn purses(knock: &Knock<'_>) -> Vec<(String, &'static Kind)> {
    if let Some(device) = knock.device {
        return vec![(format!("device {device}"), &DEVICE)];
    }
    // A name longer than any is cut, so that purses stay small.
    let account = (format!("account {}", knock.name.chars().take(33).collect::<String>()), &ACCOUNT);
    let address = knock.address.map(|address| (format!("address {address}"), &ADDRESS));
    [account].into_iter().chain(address).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("a moment")
    }

    fn knock<'a>(name: &'a str, address: &'a str, device: Option<&'a str>) -> Knock<'a> {
        Knock { name, address: Some(address), device }
    }

    #[test]
    fn strangers_wait_and_the_owner_at_a_known_browser_does_not() {
        let mut throttle = Throttle::default();
        let tries = (0..100).filter(|n| throttle.take(&knock("nva", &format!("10.0.0.{n}"), None), at(0)).is_ok());
        assert_eq!(tries.count(), 10);
        let wait = throttle.take(&knock("nva", "10.0.1.1", None), at(0)).expect_err("strangers wait");
        assert!(wait <= SignedDuration::from_secs(90), "and never longer than one try takes to come back");
        assert!(throttle.take(&knock("nva", "10.0.1.1", Some("d1")), at(0)).is_ok());
        assert!(throttle.take(&knock("nvb", "10.0.1.1", None), at(0)).is_ok());
        assert!(throttle.take(&knock("nva", "10.0.1.1", None), at(90)).is_ok(), "nobody is locked out for good");
        assert!(throttle.take(&knock("nva", "10.0.1.1", None), at(91)).is_err());
    }

    #[test]
    fn an_address_that_tries_many_names_waits() {
        let mut throttle = Throttle::default();
        let tries = (0..200).filter(|n| throttle.take(&knock(&format!("n{n}"), "10.0.0.1", None), at(0)).is_ok());
        assert_eq!(tries.count(), 40);
        assert!(throttle.take(&knock("other", "10.0.0.2", None), at(0)).is_ok());
        let known = knock("owner", "10.0.0.1", Some("d1"));
        assert!(throttle.take(&known, at(0)).is_ok(), "a known browser does not wait for its neighbours");
        let exempt = Knock { name: "owner", address: None, device: None };
        assert!(throttle.take(&exempt, at(0)).is_ok(), "an exempt network is not counted");
    }

    #[test]
    fn a_login_costs_nothing() {
        let mut throttle = Throttle::default();
        for _ in 0..500 {
            let knock = knock("nva", "10.0.0.1", None);
            throttle.take(&knock, at(0)).expect("never waits");
            throttle.give_back(&knock, at(0));
        }
    }

    #[test]
    fn purses_are_bounded() {
        let mut throttle = Throttle::default();
        for n in 0..60_000 {
            let taken = throttle.take(&knock(&format!("n{n}"), &format!("a{n}"), None), at(n / 1000));
            assert!(taken.is_ok());
        }
        assert!(throttle.full_at.len() <= PURSES + 2, "{}", throttle.full_at.len());
    }
}
