//! How fast mails leave: a rate for the route, and a rate and a number at once for each recipient domain.
//!
//! Evenly spaced rather than in bursts, because receivers count within short windows. Time is an argument (the time since
//! the run began), so that every rule is tried without waiting. Each run paces itself; runs do not know of each other.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// The pace of a run. Nothing set is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pace {
    /// Mails per minute over the whole route.
    pub per_minute: Option<u32>,
    /// Mails of this run at most (warm-up: a new sender begins with few a day).
    pub at_most: Option<u64>,
    /// For domains that are not named.
    pub every_domain: DomainPace,
    /// For these domains, in small letters.
    pub domains: BTreeMap<String, DomainPace>,
}

/// The pace towards one recipient domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DomainPace {
    /// Mails per minute.
    pub per_minute: Option<u32>,
    /// Connections at once.
    pub connections: Option<u32>,
}

/// What may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The mail at this place.
    Mail(usize),
    /// None of these before this time; another's domain may be free.
    At(Duration),
    /// None at all before this time.
    RouteAt(Duration),
    /// None before one that is in hand is settled.
    AfterAnother,
    /// None any more in this run.
    NoMore,
}

/// When the next mail may leave, by scope.
#[derive(Debug)]
pub(super) struct Metronome {
    pace: Pace,
    sent: u64,
    route_free: Duration,
    domain_free: HashMap<String, Duration>,
}

impl Pace {
    fn of(&self, domain: &str) -> DomainPace {
        self.domains.get(domain).copied().unwrap_or(self.every_domain)
    }
}

impl Metronome {
    pub(super) fn new(pace: Pace) -> Self {
        Self { pace, sent: 0, route_free: Duration::ZERO, domain_free: HashMap::new() }
    }

    /// Which of the waiting mails, given by their domains in order, may leave at `now`. `in_hand` counts mails in
    /// workers' hands by domain. The first that may goes, so that a slow domain holds nobody else up.
    pub(super) fn next<'a>(
        &self,
        waiting: impl Iterator<Item = &'a str>,
        in_hand: &HashMap<String, u32>,
        now: Duration,
    ) -> Next {
        if self.pace.at_most.is_some_and(|at_most| self.sent >= at_most) {
            return Next::NoMore;
        }
        if self.route_free > now {
            return Next::RouteAt(self.route_free);
        }
        let mut earliest: Option<Duration> = None;
        for (place, domain) in waiting.enumerate() {
            let pace = self.pace.of(domain);
            if pace.connections.is_some_and(|most| in_hand.get(domain).copied().unwrap_or(0) >= most.max(1)) {
                continue;
            }
            match self.domain_free.get(domain).copied().filter(|free| *free > now) {
                None => return Next::Mail(place),
                Some(free) => earliest = Some(earliest.map_or(free, |earliest| earliest.min(free))),
            }
        }
        earliest.map_or(Next::AfterAnother, Next::At)
    }

    /// A mail to this domain leaves at `now`.
    pub(super) fn leaves(&mut self, domain: &str, now: Duration) {
        self.sent += 1;
        if let Some(rate) = self.pace.per_minute {
            self.route_free = now.max(self.route_free) + spacing(rate);
        }
        if let Some(rate) = self.pace.of(domain).per_minute {
            let free = self.domain_free.entry(domain.to_owned()).or_default();
            *free = now.max(*free) + spacing(rate);
        }
    }
}

fn spacing(per_minute: u32) -> Duration {
    Duration::from_secs(60) / per_minute.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(names: &[&str], metronome: &Metronome, in_hand: &[(&str, u32)], now: u64) -> Next {
        let in_hand = in_hand.iter().map(|(name, n)| ((*name).to_owned(), *n)).collect();
        metronome.next(names.iter().copied(), &in_hand, Duration::from_secs(now))
    }

    #[test]
    fn without_limits_the_first_goes_at_once() {
        let mut metronome = Metronome::new(Pace::default());
        for _ in 0..1000 {
            assert_eq!(domains(&["a", "b"], &metronome, &[("a", 99)], 0), Next::Mail(0));
            metronome.leaves("a", Duration::ZERO);
        }
    }

    #[test]
    fn a_slow_domain_holds_nobody_else_up() {
        let slow = DomainPace { per_minute: Some(6), connections: Some(1) };
        let pace = Pace { domains: [("a".to_owned(), slow)].into(), ..Pace::default() };
        let mut metronome = Metronome::new(pace);
        metronome.leaves("a", Duration::ZERO);
        assert_eq!(domains(&["a", "a", "b"], &metronome, &[], 1), Next::Mail(2));
        assert_eq!(domains(&["a", "a"], &metronome, &[], 1), Next::At(Duration::from_secs(10)));
        assert_eq!(domains(&["a"], &metronome, &[], 10), Next::Mail(0));
        assert_eq!(domains(&["a"], &metronome, &[("a", 1)], 10), Next::AfterAnother);
    }

    #[test]
    fn the_route_has_a_rate_that_an_idle_minute_does_not_save_up() {
        let mut metronome = Metronome::new(Pace { per_minute: Some(60), ..Pace::default() });
        metronome.leaves("a", Duration::ZERO);
        assert_eq!(domains(&["b"], &metronome, &[], 0), Next::RouteAt(Duration::from_secs(1)));
        metronome.leaves("b", Duration::from_secs(100));
        assert_eq!(domains(&["b"], &metronome, &[], 100), Next::RouteAt(Duration::from_secs(101)));
    }

    #[test]
    fn a_warm_up_ends_the_run() {
        let mut metronome = Metronome::new(Pace { at_most: Some(2), ..Pace::default() });
        metronome.leaves("a", Duration::ZERO);
        assert_eq!(domains(&["a"], &metronome, &[], 0), Next::Mail(0));
        metronome.leaves("a", Duration::ZERO);
        assert_eq!(domains(&["a"], &metronome, &[], 99), Next::NoMore);
    }
}
