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
        let id = self.child.id().expect("it has not ended yet").to_string();
        let sent = tokio::process::Command::new("kill").args(["-INT", &id]).status().await;
        assert!(sent.expect("`kill` is missing: install procps").success());
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
