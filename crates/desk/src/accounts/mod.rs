//! Accounts of the console: an administrator's acts on them. Logging in is in [`login`].
//!
//! The first account is made by command, on the machine that holds the data folder: whoever can do that can do anything.
//! A new account gets a set-up secret and the seed of an authenticator, both shown once and to whoever made it; the
//! person chooses the password at the first login, so that nobody else ever knows it.

pub mod login;
mod password;
mod secret;

use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use parsurvey_index::code::{TargetCode, UnitCode};
use parsurvey_ledger::{AccountRow, LedgerError, NewAccount, NewSetup};
use parsurvey_survey::account::{AccountName, ConsoleSecret, Role, SEED_BYTES, SETUP, Scope, Seed};
use parsurvey_survey::hex;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Because, Desk, DeskError, random_bytes};

/// Bytes of a set-up secret: 100 bits are 20 characters to type.
const SETUP_BYTES: usize = 13;
/// Characters between two hyphens of a set-up secret.
const SETUP_GROUP: usize = 5;

/// What an account is to be.
pub struct Wanted {
    /// The name.
    pub name: AccountName,
    /// The role.
    pub role: Role,
    /// A coordinator's units.
    pub units: Vec<UnitCode>,
    /// The one target it sees, or every target.
    pub target: Option<TargetCode>,
}

/// What the person sets the account up with. It is shown once and cannot be printed by accident.
pub struct SetUp {
    /// The secret that stands for the password until there is one.
    pub secret: Zeroizing<String>,
    /// What the authenticator reads.
    pub uri: Zeroizing<String>,
    /// Until when the secret can be used.
    pub until: Timestamp,
}

/// Which seats an account sees.
#[must_use]
pub fn scope_of(account: &AccountRow) -> Scope {
    let units = (account.role == Role::Coordinator).then(|| account.units.clone());
    Scope { target: account.target.clone(), units }
}

impl Desk {
    /// Makes an account.
    ///
    /// # Errors
    /// The name is or was somebody's; a unit or target is not of this campaign; a coordinator without units, or units
    /// without a coordinator; the console's secret was lost.
    pub async fn add_account(&self, wanted: Wanted, because: &Because, now: Timestamp) -> Result<SetUp, DeskError> {
        self.check_wanted(&wanted)?;
        let secret = self.ready_console_key(because, now).await?;
        let (set_up, setup) = self.make_setup(secret, &wanted.name, now)?;
        let Wanted { name, role, units, target } = wanted;
        self.ledger.add_account(&NewAccount { name, role, units, target, setup }, &because.act(now)).await?;
        Ok(set_up)
    }

    /// Every account, by name.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, DeskError> {
        Ok(self.ledger.accounts().await?)
    }

    /// Ends an account and all its sessions for good.
    ///
    /// # Errors
    /// There is none of this name.
    pub async fn revoke_account(&self, name: &AccountName, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        self.ledger.revoke_account(name, &because.act(now)).await.map_err(|error| no_account(error, name))
    }

    /// Lets the person set the account up anew, as after a lost telephone. Password and sessions end at once.
    ///
    /// # Errors
    /// There is none of this name, or it was revoked.
    pub async fn reset_account(
        &self,
        name: &AccountName,
        because: &Because,
        now: Timestamp,
    ) -> Result<SetUp, DeskError> {
        let secret = self.ready_console_key(because, now).await?;
        let (set_up, setup) = self.make_setup(secret, name, now)?;
        self.ledger.reset_account(name, &setup, &because.act(now)).await.map_err(|error| no_account(error, name))?;
        Ok(set_up)
    }

    fn check_wanted(&self, wanted: &Wanted) -> Result<(), DeskError> {
        if wanted.role == Role::Coordinator && wanted.units.is_empty() {
            return Err(DeskError::refused("a coordinator needs at least one unit", "name it with --unit"));
        }
        if wanted.role != Role::Coordinator && !wanted.units.is_empty() {
            return Err(DeskError::refused(
                format!("the role {} is not bound to units", wanted.role.as_str()),
                "leave --unit out, or make a coordinator",
            ));
        }
        if let Some(unit) = wanted.units.iter().find(|unit| self.campaign.unit(unit).is_none()) {
            return Err(DeskError::refused(
                format!("this campaign has no unit {unit}"),
                "take the code from units.csv of the campaign's folder",
            ));
        }
        let known = |target: &TargetCode| self.campaign.targets.iter().any(|known| known.code == *target);
        if let Some(target) = wanted.target.as_ref().filter(|target| !known(target)) {
            return Err(DeskError::refused(
                format!("this campaign has no target {target}"),
                "take the code from campaign.toml",
            ));
        }
        Ok(())
    }

    fn make_setup(
        &self,
        secret: &ConsoleSecret,
        name: &AccountName,
        now: Timestamp,
    ) -> Result<(SetUp, NewSetup), DeskError> {
        let random = Zeroizing::new(random_bytes()?);
        let seed = Seed::new(first(&random));
        let nonce = first(&random_bytes()?);
        let text = setup_text(&random_bytes()?);
        let until = now + SETUP;
        let stored = NewSetup { seed: secret.seal(name, &seed, nonce), secret_sha256: setup_sha256(&text), until };
        let uri = seed.uri(&format!("parsurvey {}", self.campaign.id), name.as_str());
        Ok((SetUp { secret: text, uri, until }, stored))
    }
}

fn no_account(error: LedgerError, name: &AccountName) -> DeskError {
    match error {
        LedgerError::NotFound(_) => {
            DeskError::refused(format!("there is no account {name}"), "see `parsurvey account list`")
        }
        other => other.into(),
    }
}

/// The first bytes of 32 random ones.
fn first<const N: usize>(random: &[u8; 32]) -> [u8; N] {
    let (bytes, _) = random.split_first_chunk().expect("what is asked for is shorter than 32 bytes");
    *bytes
}

/// A set-up secret as it is typed: groups of five, such as `K3QZ7-…`.
fn setup_text(random: &[u8; 32]) -> Zeroizing<String> {
    let plain = Zeroizing::new(BASE32_NOPAD.encode(&random[..SETUP_BYTES]));
    let groups: Vec<&str> =
        (0..plain.len()).step_by(SETUP_GROUP).filter_map(|at| plain.get(at..at + SETUP_GROUP)).collect();
    Zeroizing::new(groups.join("-"))
}

/// What the ledger keeps of a set-up secret. People type it in small letters, and without hyphens.
pub(crate) fn setup_sha256(text: &str) -> String {
    let typed: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect());
    hex(&Sha256::digest(typed.as_bytes()))
}

const _: () = assert!(SEED_BYTES <= 32 && SETUP_BYTES <= 32, "both are cut from 32 random bytes");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setup_secret_is_twenty_characters_however_it_is_typed() {
        let text = setup_text(&[0xa5; 32]);
        assert_eq!(text.len(), 23, "{}", text.as_str());
        assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
        let typed = text.to_lowercase().replace('-', " ");
        assert_eq!(setup_sha256(&typed), setup_sha256(&text));
        assert_ne!(setup_sha256(&typed[1..]), setup_sha256(&text));
    }
}
