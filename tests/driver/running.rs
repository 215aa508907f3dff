//! A command that is still running: it can be asked to stop as Ctrl-C does, or killed as a power cut does.
//!
//! Its output is read only when it has ended, so it suits commands that say less than a pipe holds.

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
