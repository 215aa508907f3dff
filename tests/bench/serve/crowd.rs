//! A crowd on as many threads as it has people, each with a connection of its own.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parsurvey_tests::{OpenForm, Wire};

/// A crowd before a server.
pub(crate) struct Crowd {
    address: String,
    forms: Vec<OpenForm>,
    next: AtomicUsize,
    acknowledged: AtomicU64,
}

/// How it went.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timed {
    /// Whole rounds of a person a second.
    pub(crate) rate: f64,
    /// Milliseconds of a single request that half of all stayed under.
    pub(crate) p50: f64,
    /// Milliseconds of a single request that 99 of 100 stayed under.
    pub(crate) p99: f64,
}

impl Crowd {
    pub(crate) fn new(address: &str, forms: Vec<OpenForm>) -> Self {
        Self { address: address.to_owned(), forms, next: AtomicUsize::new(0), acknowledged: AtomicU64::new(0) }
    }

    /// Goes on before another server of the same survey.
    pub(crate) fn meet(&mut self, address: &str) {
        address.clone_into(&mut self.address);
    }

    /// Every form.
    pub(crate) fn forms(&self) -> &[OpenForm] {
        &self.forms
    }

    /// How many submissions were acknowledged so far.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::SeqCst)
    }

    /// Asks for the one page that needs nothing.
    pub(crate) fn ask_for_health(&self, people: usize, time: Duration) -> Timed {
        self.busy(people, time, |wire, clock| {
            let reply = clock.time(|| wire.get("/healthz").unwrap());
            assert_eq!(reply.status, 200);
            true
        })
    }

    /// Opens landing pages.
    pub(crate) fn look(&self, people: usize, time: Duration) -> Timed {
        let turn = AtomicUsize::new(0);
        self.busy(people, time, |wire, clock| {
            // A stride without a common factor goes through all forms in no order that a cache would like.
            let form = &self.forms[turn.fetch_add(1, Ordering::Relaxed) * 7919 % self.forms.len()];
            let reply = clock.time(|| form.look(wire).unwrap());
            assert_eq!(reply.status, 200);
            true
        })
    }

    /// Looks, begins, hands in, with forms that nobody used before.
    pub(crate) fn hand_in(&self, people: usize, time: Duration) -> Timed {
        self.busy(people, time, |wire, clock| {
            let Some(form) = self.forms.get(self.next.fetch_add(1, Ordering::Relaxed)) else { return false };
            assert_eq!(clock.time(|| form.look(wire).unwrap()).status, 200);
            assert_eq!(clock.time(|| form.begin(wire).unwrap()).status, 200);
            assert_eq!(clock.time(|| form.hand_in(wire).unwrap()).status, 303);
            self.acknowledged.fetch_add(1, Ordering::SeqCst);
            true
        })
    }

    /// Lets everybody do the same over and over for a time, or until there is nothing left to do.
    fn busy(&self, people: usize, time: Duration, round: impl Fn(&mut Wire, &mut Clock) -> bool + Sync) -> Timed {
        let (all, rounds) = (Mutex::new(Vec::new()), AtomicU64::new(0));
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..people {
                scope.spawn(|| {
                    let (mut wire, mut clock) = (Wire::open(&self.address).unwrap(), Clock(Vec::new()));
                    while began.elapsed() < time && round(&mut wire, &mut clock) {
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                    all.lock().unwrap().append(&mut clock.0);
                });
            }
        });
        let seconds = began.elapsed().as_secs_f64();
        let mut taken = all.into_inner().unwrap();
        taken.sort_unstable();
        let part =
            |percent: usize| taken.get(taken.len() * percent / 100).map_or(f64::NAN, |one| one.as_secs_f64() * 1e3);
        Timed { rate: rounds.into_inner() as f64 / seconds, p50: part(50), p99: part(99) }
    }
}

/// How long each request took.
struct Clock(Vec<Duration>);

impl Clock {
    fn time<T>(&mut self, ask: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let answer = ask();
        self.0.push(began.elapsed());
        answer
    }
}
