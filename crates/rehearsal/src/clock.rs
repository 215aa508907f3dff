//! A campaign clock: time that a rehearsal moves by hand, so that weeks pass in seconds and nothing sleeps.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use parsurvey_web::Clock;

/// A clock that shows what it was last set to. It never runs by itself.
#[derive(Debug)]
pub struct CampaignClock(AtomicI64);

impl CampaignClock {
    /// A clock set to `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(AtomicI64::new(now.as_millisecond()))
    }

    /// Sets the clock.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }
}

impl Clock for CampaignClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).expect("the clock was set from a timestamp")
    }
}
