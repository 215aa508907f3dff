//! The console's secret in its file, `console.key`: beside `link.key`, outside database and backup.
//!
//! The ledger knows its fingerprint: with another secret no authenticator would fit its account any more, so that is
//! refused instead of answered with "wrong code".

use jiff::Timestamp;
use parsurvey_survey::account::ConsoleSecret;

use crate::files::{read_bounded, write_once};
use crate::{Because, Desk, DeskError, random_bytes};

impl Desk {
    /// Reads the secret, and makes it where there never was one.
    pub(super) async fn ready_console_key(
        &self,
        because: &Because,
        now: Timestamp,
    ) -> Result<&ConsoleSecret, DeskError> {
        let path = self.data.console_key();
        let held_to = self.ledger.console_key().await?;
        if !path.exists() {
            if held_to.is_some() {
                return Err(key_missing(self));
            }
            write_once(&path, &ConsoleSecret::new(random_bytes()?).to_file())?;
        }
        // Read back, because somebody else may have written it at the same time.
        let secret = self.console_secret().await?;
        if held_to.is_none() {
            self.ledger.hold_to_console_key(&secret.fingerprint(), &because.act(now)).await?;
        }
        Ok(secret)
    }

    /// The secret of a console that has accounts.
    pub(super) async fn console_secret(&self) -> Result<&ConsoleSecret, DeskError> {
        if let Some(secret) = self.console_secret.get() {
            return Ok(secret);
        }
        let path = self.data.console_key();
        if !path.exists() {
            return Err(key_missing(self));
        }
        let text = read_bounded(&path, 1024)?;
        let secret = std::str::from_utf8(&text).ok().and_then(ConsoleSecret::from_file).ok_or_else(|| {
            DeskError::refused(
                format!("{} is not a secret of the console", path.display()),
                "restore it from its separate copy",
            )
        })?;
        if self.ledger.console_key().await?.is_some_and(|known| known != secret.fingerprint()) {
            return Err(DeskError::refused(
                format!("{} is not the secret that this ledger's accounts are sealed under", path.display()),
                "restore the right one from its separate copy; without it every account must be reset",
            ));
        }
        Ok(self.console_secret.get_or_init(|| secret))
    }
}

fn key_missing(desk: &Desk) -> DeskError {
    DeskError::refused(
        format!("{} is missing", desk.data.console_key().display()),
        "restore it from its separate copy; without it nobody can log in to the console",
    )
}
