//! The clock of a run of sending: the caller's, because nothing below the command line reads the system's.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

/// Tells the time as often as it is asked, because a run of many mails lasts: each outcome has a time of its own, and
/// the deadline may pass meanwhile. A [`Timestamp`] makes one that stands still, as for a rehearsal.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks `tell`, such as the system's.
    #[must_use]
    pub fn new(tell: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl From<Timestamp> for Clock {
    fn from(moment: Timestamp) -> Self {
        Self::new(move || moment)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}
