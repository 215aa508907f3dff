//! A command that is still running: it can be asked to stop as Ctrl-C does, or killed as a power cut does.
//!
//! Its output is read only when it has ended, so it suits commands that say less than a pipe holds.

use std::time::{Duration, Instant};

use tokio::process::Child;

use crate::program::{Ran, command, ran};

/// A command on its way.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts it.
    #[must_use]
    pub fn start(args: &[String]) -> Self {
        Self { child: command(args).spawn().unwrap() }
    }

    /// Asks it to stop, as Ctrl-C does.
    pub async fn interrupt(&self) {
        interrupt(self.child.id().expect("it has not ended yet")).await;
    }

    /// Ends it at once, in the middle of whatever it does.
    pub async fn kill(mut self) {
        self.child.kill().await.unwrap();
    }

    /// Waits for its end.
    pub async fn end(self) -> Ran {
        ran(self.child.wait_with_output().await.unwrap())
    }
}

/// Asks a process to stop, as Ctrl-C does.
pub(crate) async fn interrupt(id: u32) {
    signal(id, "INT").await;
}

/// Sends a process a signal.
pub(crate) async fn signal(id: u32, name: &str) {
    let sent = tokio::process::Command::new("kill").args([format!("-{name}"), id.to_string()]).status().await;
    assert!(sent.expect("`kill` is missing: install procps").success());
}

/// Long enough for a busy machine; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until something that happens in another process has come true.
pub async fn until(what: &str, mut true_now: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !true_now().await {
        assert!(began.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::task::yield_now().await;
    }
}

/// The seed of a play: `PARSURVEY_SEED`, or one of this moment.
#[must_use]
pub fn seed() -> u64 {
    let of_now = || jiff::Timestamp::now().as_microsecond().unsigned_abs();
    std::env::var("PARSURVEY_SEED").map_or_else(|_| of_now(), |text| text.parse().expect("a seed is a number"))
}

/// A process and all that it has started, ended with this value.
pub(crate) struct Group(pub(crate) u32);

impl Drop for Group {
    fn drop(&mut self) {
        // A group that has ended already is no fault.
        let _ = std::process::Command::new("kill").args(["-KILL", "--", &format!("-{}", self.0)]).status();
    }
}
