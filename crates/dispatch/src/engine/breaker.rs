//! The breaker of a route: after a failure of the relay one worker at a time tries again, after a growing pause.
//!
//! Failures of the route never count against a person. While it is open the other workers wait, so that a relay that comes
//! back is not met by all of them at once, and one that is gone is not asked by all of them.
//! What follows from what is decided by [`Fuse`], to which time is an argument; [`Breaker`] only waits.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The longest wait between two attempts at the relay.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Shared by the workers of a run.
#[derive(Debug)]
pub(super) struct Breaker {
    began: Instant,
    fuse: Mutex<Fuse>,
    changed: Notify,
}

/// The state of a route. Times are since the run began.
#[derive(Debug)]
struct Fuse {
    limit: u32,
    pause: Duration,
    /// Failures since a reply last settled a mail.
    in_a_row: u32,
    /// No attempt before this.
    until: Duration,
    /// A worker is trying whether the relay works again.
    probing: bool,
    /// Failures counted so far.
    epoch: Epoch,
}

/// What a try was begun under. When a relay goes, the tries of all workers fail together: that is one failure, so that a
/// try begun before the last counted failure counts no more.
pub(super) type Epoch = u64;

/// Whether the relay may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum May {
    Try(Epoch),
    WaitUntil(Duration),
    WaitForAnother,
}

/// What a failure means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The relay is tried again after a pause.
    Wait,
    /// That was one too many.
    Down(u32),
}

impl Fuse {
    /// After a failure the answer is [`May::Try`] for one caller at a time, who must then tell what came of it.
    fn may_try(&mut self, now: Duration) -> May {
        if self.in_a_row == 0 {
            May::Try(self.epoch)
        } else if self.until > now {
            May::WaitUntil(self.until)
        } else if self.probing {
            May::WaitForAnother
        } else {
            self.probing = true;
            May::Try(self.epoch)
        }
    }

    fn failed(&mut self, begun: Epoch, now: Duration) -> Verdict {
        if begun != self.epoch {
            return Verdict::Wait;
        }
        self.epoch += 1;
        self.in_a_row += 1;
        self.probing = false;
        self.until = now + self.pause.saturating_mul(self.in_a_row).min(LONGEST_PAUSE);
        if self.in_a_row >= self.limit { Verdict::Down(self.in_a_row) } else { Verdict::Wait }
    }

    fn no_answer(&mut self, begun: Epoch) {
        if begun == self.epoch {
            self.probing = false;
        }
    }

    /// Whether anybody has waited for that.
    fn worked(&mut self) -> bool {
        let was_open = self.in_a_row > 0;
        (self.in_a_row, self.probing) = (0, false);
        was_open
    }
}

impl Breaker {
    pub(super) fn new(limit: u32, pause: Duration) -> Self {
        let fuse = Fuse { limit: limit.max(1), pause, in_a_row: 0, until: Duration::ZERO, probing: false, epoch: 0 };
        Self { began: Instant::now(), fuse: Mutex::new(fuse), changed: Notify::new() }
    }

    /// Returns when the relay may be tried, and what the try is begun under; then [`Breaker::worked`], [`Breaker::failed`] or [`Breaker::no_answer`] is owed.
    pub(super) async fn may_try(&self) -> Epoch {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Registered before looking, so that a change between the two is not missed.
            changed.as_mut().enable();
            let may = self.fuse().may_try(self.began.elapsed());
            match may {
                May::Try(epoch) => return epoch,
                May::WaitUntil(time) => tokio::select! {
                    () = tokio::time::sleep_until(self.began + time) => {}
                    () = changed => {}
                },
                May::WaitForAnother => changed.await,
            }
        }
    }

    /// A reply settled a mail: the relay works.
    pub(super) fn worked(&self) {
        if self.fuse().worked() {
            self.changed.notify_waiters();
        }
    }

    /// The relay failed.
    pub(super) fn failed(&self, begun: Epoch) -> Verdict {
        let verdict = self.fuse().failed(begun, self.began.elapsed());
        self.changed.notify_waiters();
        verdict
    }

    /// The try came to nothing that tells of the relay: the mail was withheld, or the run ended.
    pub(super) fn no_answer(&self, begun: Epoch) {
        self.fuse().no_answer(begun);
        self.changed.notify_waiters();
    }

    fn fuse(&self) -> MutexGuard<'_, Fuse> {
        self.fuse.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Fuse, May, Verdict};

    fn fuse(limit: u32, pause: u64) -> Fuse {
        let pause = Duration::from_secs(pause);
        Fuse { limit, pause, in_a_row: 0, until: Duration::ZERO, probing: false, epoch: 0 }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn after_a_failure_one_at_a_time_tries_and_a_reply_lets_all_go_on() {
        let mut fuse = fuse(9, 2);
        assert_eq!([fuse.may_try(at(0)), fuse.may_try(at(0))], [May::Try(0), May::Try(0)], "closed: everybody");
        assert_eq!(fuse.failed(0, at(0)), Verdict::Wait);
        assert_eq!(fuse.may_try(at(1)), May::WaitUntil(at(2)));
        assert_eq!([fuse.may_try(at(2)), fuse.may_try(at(2))], [May::Try(1), May::WaitForAnother], "one probes");
        assert_eq!(fuse.failed(1, at(2)), Verdict::Wait);
        assert_eq!(fuse.may_try(at(5)), May::WaitUntil(at(6)), "the pause grows");
        assert_eq!(fuse.may_try(at(6)), May::Try(2));
        fuse.no_answer(0);
        assert_eq!(fuse.may_try(at(6)), May::WaitForAnother, "an old try says nothing of the probe");
        fuse.no_answer(2);
        assert_eq!(fuse.may_try(at(6)), May::Try(2), "the mail was withheld: another may probe");
        assert!(fuse.worked());
        assert_eq!([fuse.may_try(at(6)), fuse.may_try(at(6))], [May::Try(2), May::Try(2)], "closed again");
        assert!(!fuse.worked());
    }

    #[test]
    fn tries_that_fail_together_are_one_failure() {
        let mut fuse = fuse(3, 0);
        assert_eq!([(); 32].map(|()| fuse.may_try(at(0))), [May::Try(0); 32], "closed: everybody");
        for _ in 0..32 {
            assert_eq!(fuse.failed(0, at(0)), Verdict::Wait);
        }
        assert_eq!(fuse.in_a_row, 1);
    }

    #[test]
    fn one_failure_too_many_ends_it_and_a_reply_in_between_does_not_count() {
        let mut fuse = fuse(3, 0);
        assert_eq!([fuse.failed(0, at(0)), fuse.failed(1, at(0))], [Verdict::Wait, Verdict::Wait]);
        fuse.worked();
        assert_eq!([fuse.failed(2, at(0)), fuse.failed(3, at(0))], [Verdict::Wait, Verdict::Wait]);
        assert_eq!(fuse.failed(4, at(0)), Verdict::Down(3));
    }

    #[test]
    fn the_pause_does_not_grow_for_ever() {
        let mut fuse = fuse(99, 20);
        fuse.failed(0, at(0));
        fuse.failed(1, at(0));
        assert_eq!(fuse.may_try(at(0)), May::WaitUntil(at(30)));
    }
}
