//! The return path of each mail: the campaign's mailbox, with a mark behind its name that only we can make.
//!
//! The secret lies beside `link.key`, outside database and backup, and the ledger knows its fingerprint: with another
//! secret every bounce of an earlier mail would look forged, so that is refused instead.

use jiff::Timestamp;
use parsurvey_dispatch::bounce::verp::{self, ReturnPathSecret};
use parsurvey_ledger::HeldSecret;

use crate::secrets::SecretFile;
use crate::{Because, Desk, DeskError};

impl Desk {
    /// The envelope's sender for a mail of the outbox; `None` where the campaign names no mailbox for bounces, so that
    /// they go to the sender's address.
    ///
    /// # Errors
    /// [`Desk::ready_return_paths`] was not called before.
    pub fn return_path(&self, mail: i64) -> Result<Option<String>, DeskError> {
        let Some((local, domain)) = self.campaign.return_path.as_deref().and_then(|path| path.split_once('@')) else {
            return Ok(None);
        };
        let secret = self.return_path_secret().ok_or_else(|| key_missing(self))?;
        Ok(Some(format!("{local}+{}@{domain}", verp::make(secret, mail))))
    }

    /// The secret, once it was read.
    pub(super) fn return_path_secret(&self) -> Option<&ReturnPathSecret> {
        self.return_path_secret.get()
    }

    /// Reads the secret of the return paths, and makes it where there never was one.
    ///
    /// # Errors
    /// It was lost, it is another one, or it cannot be written.
    pub async fn ready_return_paths(&self, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        if self.return_path_secret().is_some() {
            return Ok(());
        }
        let file = SecretFile {
            which: HeldSecret::ReturnPaths,
            path: &self.data.return_path_key(),
            what: "the secret of return paths",
            otherwise: "with this one every bounce would look forged",
            fresh: |random| ReturnPathSecret::new(random).to_file().to_string(),
            read: ReturnPathSecret::from_file,
            fingerprint: ReturnPathSecret::fingerprint,
        };
        let secret = self.secret(&file, because, now).await?.ok_or_else(|| key_missing(self))?;
        // Whoever came first read the same file.
        self.return_path_secret.get_or_init(|| secret);
        Ok(())
    }
}

fn key_missing(desk: &Desk) -> DeskError {
    DeskError::refused(
        format!("{} is missing", desk.data.return_path_key().display()),
        "restore it from its separate copy; without it no bounce can be told from a forged one",
    )
}
