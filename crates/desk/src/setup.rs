//! Setting up: the data folder, the ledger, the link secret, and for trials both keys.

use jiff::Timestamp;
use parsurvey_ledger::Ledger;
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::link::LinkSecret;

use crate::files::write_secret;
use crate::{Because, DataFolder, Desk, DeskError, random_bytes};

impl Desk {
    /// Makes the data folder, or opens it when it was made before.
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
        if !data.link_key().exists() {
            write_secret(&data.link_key(), &LinkSecret::new(random_bytes()?).to_file())?;
        }
        let url = database.map_or_else(|| data.ledger_url(), str::to_owned);
        // Creating twice, or by two people at once, ends in the same ledger: create opens what exists.
        Ledger::create(&url, &campaign.id, &because.act(now)).await?.disconnect().await;
        Self::open(campaign, data, database).await
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
            let files = crate::keys::generate(role, &self.campaign.id, &folder, &crate::keys::Copies::None)?;
            let test = self.register_key(&files.public, because, now).await?;
            let proof = crate::keys::open_test(&files.secrets, &test)?;
            self.confirm_key(&proof, because, now).await?;
        }
        Ok(())
    }
}
