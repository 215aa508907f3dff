//! The console's secret in its file, `console.key`: beside `link.key`, outside database and backup.
//!
//! With another secret than the first no authenticator would fit its account any more.

use jiff::Timestamp;
use parsurvey_ledger::HeldSecret;
use parsurvey_survey::account::ConsoleSecret;

use crate::secrets::SecretFile;
use crate::{Because, Desk, DeskError};

impl Desk {
    /// Reads the secret, and makes it where there never was one.
    ///
    /// # Errors
    /// It was lost, it is another one, or it cannot be written.
    pub(super) async fn ready_console_key(
        &self,
        because: &Because,
        now: Timestamp,
    ) -> Result<&ConsoleSecret, DeskError> {
        if let Some(secret) = self.console_secret.get() {
            return Ok(secret);
        }
        let file = SecretFile {
            which: HeldSecret::Console,
            path: &self.data.console_key(),
            what: "the secret of the console",
            otherwise: "without it every account must be reset",
            fresh: |random| ConsoleSecret::new(random).to_file().to_string(),
            read: ConsoleSecret::from_file,
            fingerprint: ConsoleSecret::fingerprint,
        };
        let secret = self.secret(&file, because, now).await?.ok_or_else(|| {
            DeskError::refused(
                format!("{} is missing", file.path.display()),
                "restore it from its separate copy; without it nobody can log in to the console",
            )
        })?;
        Ok(self.console_secret.get_or_init(|| secret))
    }
}
