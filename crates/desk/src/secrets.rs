//! Secrets beside `link.key`, outside database and backup, to whose fingerprint the ledger is held.
//!
//! With another secret than the first, what was made earlier would look forged or could not be opened, so another one is
//! refused instead.

use std::path::Path;

use jiff::Timestamp;
use parsurvey_ledger::HeldSecret;

use crate::files::{read_bounded, write_once};
use crate::{Because, Desk, DeskError, random_bytes};

/// How the file of one kind of secret is written and read.
pub(crate) struct SecretFile<'a, S> {
    /// Which secret the ledger is held to.
    pub(crate) which: HeldSecret,
    /// Where it lies.
    pub(crate) path: &'a Path,
    /// What it is, for errors.
    pub(crate) what: &'a str,
    /// What another secret would do, for errors.
    pub(crate) otherwise: &'a str,
    /// A new one's file.
    pub(crate) fresh: fn([u8; 32]) -> String,
    /// Reads the file.
    pub(crate) read: fn(&str) -> Option<S>,
    /// The secret's fingerprint.
    pub(crate) fingerprint: fn(&S) -> String,
}

impl Desk {
    /// Reads a secret, and makes it where there never was one; `None` where it was lost.
    ///
    /// # Errors
    /// It is another one or no secret at all, or it cannot be read or written.
    pub(crate) async fn secret<S>(
        &self,
        file: &SecretFile<'_, S>,
        because: &Because,
        now: Timestamp,
    ) -> Result<Option<S>, DeskError> {
        let held_to = self.ledger.held_secret(file.which).await?;
        if !file.path.exists() {
            if held_to.is_some() {
                return Ok(None);
            }
            write_once(file.path, &(file.fresh)(random_bytes()?))?;
        }
        // Read back, because somebody else may have written it at the same time.
        let text = read_bounded(file.path, 1024)?;
        let shown = file.path.display();
        let secret = std::str::from_utf8(&text).ok().and_then(file.read).ok_or_else(|| {
            DeskError::refused(format!("{shown} is not {}", file.what), "restore it from its separate copy")
        })?;
        let fingerprint = (file.fingerprint)(&secret);
        match held_to {
            Some(known) if known != fingerprint => {
                return Err(DeskError::refused(
                    format!("{shown} is not {} that this ledger began with", file.what),
                    format!("restore the right one from its separate copy; {}", file.otherwise),
                ));
            }
            Some(_) => {}
            None => self.ledger.hold_to_secret(file.which, &fingerprint, &because.act(now)).await?,
        }
        Ok(Some(secret))
    }
}
