//! Setting up: the data folder, the ledger, the link secret, and for trials both keys.

use jiff::Timestamp;
use parsurvey_ledger::{Ledger, LedgerError};
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::link::LinkSecret;

use crate::files::{write_secret, write_whole};
use crate::keys::{Copies, generate, open_test, read_private};
use crate::{Because, DataFolder, Desk, DeskError, ledger_error, link_key_missing, random_bytes};

impl Desk {
    /// Makes the data folder, or opens it when it was made before. Killed half-way, the same call finishes it.
    ///
    /// # Errors
    /// The folder holds another campaign's ledger, or cannot be written.
    pub async fn init(
        campaign: Campaign,
        data: DataFolder,
        database: Option<&str>,
        because: &Because,
        now: Timestamp,
    ) -> Result<Self, DeskError> {
        data.create()?;
        let url = database.map_or_else(|| data.ledger_url(), str::to_owned);
        let made = match Ledger::create(&url, &campaign.id, &because.act(now)).await {
            // Made before, or by somebody else at once: opening it tells whether it is this campaign's.
            Err(LedgerError::Conflict(_)) => Ledger::open(&url).await,
            made => made,
        };
        let ledger = made.map_err(|error| ledger_error(error, &data, database))?;
        if !data.link_key().exists() {
            if !ledger.mails().await?.is_empty() {
                return Err(link_key_missing(&data));
            }
            write_secret(&data.link_key(), &LinkSecret::new(random_bytes()?).to_file())?;
        }
        ledger.disconnect().await;
        let desk = Self::open(campaign, data, database).await?;
        desk.ready_return_paths(because, now).await?;
        desk.ready_drafts(because, now).await?;
        Ok(desk)
    }

    /// Makes both keys beside the data, registers and confirms them: for trials and small surveys.
    ///
    /// Whoever holds the data folder can then open the box, at any time: this gives up what the box is for.
    ///
    /// # Errors
    /// Keys are registered already, or files cannot be written.
    pub async fn hold_keys_itself(&self, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        let folder = self.data.root().join("keys");
        for role in [KeyRole::Box, KeyRole::Archive] {
            if self.ledger.keys().await?.iter().any(|key| crate::keys::role(key) == role && key.confirmed.is_some()) {
                continue;
            }
            let name = format!("{}-{}", self.campaign.id, role.as_str());
            let (private, public) = (folder.join(format!("{name}.key")), folder.join(format!("{name}.pub")));
            if private.exists() {
                // A run that was killed left it unproved.
                let key = read_private(std::slice::from_ref(&private))?;
                write_whole(&public, key.public().to_file().as_bytes())?;
            } else {
                generate(role, &self.campaign.id, &folder, &Copies::None)?;
            }
            let test = self.register_key(&public, because, now).await?;
            let proof = open_test(&[private], &test)?;
            self.confirm_key(&proof, because, now).await?;
        }
        Ok(())
    }
}
