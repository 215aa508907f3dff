//! Every act and question of an operator, and of a respondent, as one function each.
//!
//! Used alike by command line, form, console and scheduler: read, call something pure, write.
//! Nothing here prints, parses arguments or knows HTTP; `now` is an argument everywhere.

pub mod accounts;
pub mod acts;
pub mod ask;
pub mod audit;
pub mod board;
pub mod bounces;
pub mod chase;
pub mod closing;
pub mod doctor;
pub mod drafts;
pub mod error;
pub mod files;
mod importing;
pub mod independence;
pub mod keys;
mod lost;
pub mod mailing;
pub mod notices;
pub mod opening;
pub mod outlook;
pub mod people;
pub mod proposals;
pub mod purge;
pub mod respond;
pub mod results;
pub mod roster;
pub mod schedule;
mod secrets;
pub mod setup;
mod single;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use jiff::Timestamp;
use parsurvey_dispatch::bounce::verp::ReturnPathSecret;
use parsurvey_ledger::{Act, CampaignState, Ledger, LedgerError, Stage};
use parsurvey_survey::account::{ConsoleSecret, Throttle};
use parsurvey_survey::ballot::Codebook;
use parsurvey_survey::campaign::Campaign;
use parsurvey_survey::draft::DraftSecret;
use parsurvey_survey::fault::Fault;
use parsurvey_survey::freeze;
use parsurvey_survey::key::PublicKey;
use parsurvey_survey::link::LinkSecret;
use rand::TryRng;
use rand::rngs::SysRng;

pub use error::DeskError;
pub use files::DataFolder;

/// An opened data folder with its campaign.
pub struct Desk {
    campaign: Campaign,
    codebook: Codebook,
    ledger: Ledger,
    data: DataFolder,
    link_secret: LinkSecret,
    link_base: String,
    return_path_secret: OnceLock<ReturnPathSecret>,
    draft_secret: OnceLock<DraftSecret>,
    box_key: OnceLock<PublicKey>,
    console_secret: OnceLock<ConsoleSecret>,
    throttle: Mutex<Throttle>,
}

/// Who does something and why; it goes into the log.
#[derive(Debug, Clone, Default)]
pub struct Because {
    /// Who.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// The document that approves it, if one is needed.
    pub document: String,
}

impl Because {
    fn act(&self, now: Timestamp) -> Act {
        Act { at: now, actor: self.actor.clone(), reason: self.reason.clone(), document: self.document.clone() }
    }
}

/// Loads and checks a campaign folder. Warnings are returned beside the campaign.
///
/// # Errors
/// The folder cannot be read, or it has faults: all of them.
pub fn load_campaign(folder: &Path) -> Result<(Campaign, Vec<Fault>), DeskError> {
    let files = files::read_campaign(folder)?;
    match parsurvey_survey::campaign::load(&files) {
        Ok(loaded) => Ok((loaded.campaign, located(folder, loaded.warnings))),
        Err(faults) => Err(DeskError::Faults {
            what: format!("the campaign {}", folder.display()),
            faults: located(folder, faults),
        }),
    }
}

/// An error of a ledger that could not be reached, told by where it was looked for. A database's URL is not quoted: it
/// may hold a password.
fn ledger_error(error: LedgerError, data: &DataFolder, database: Option<&str>) -> DeskError {
    let place =
        database.map_or_else(|| data.ledger().display().to_string(), |_| "the database of --database".to_owned());
    match (&error, database) {
        (LedgerError::NotFound(_), None) => DeskError::refused(
            format!("there is no ledger in the data folder {}", data.root().display()),
            "name the survey's data folder with --data; for a new survey make it with `parsurvey init`",
        ),
        (LedgerError::NotFound(_), Some(_)) => DeskError::refused(
            "the database that --database names does not exist",
            "correct the name, or ask the database's administrator to make it; then run `parsurvey init`",
        ),
        _ => DeskError::from(error).at(&place),
    }
}

fn link_key_missing(data: &DataFolder) -> DeskError {
    DeskError::refused(
        format!("{} is missing", data.link_key().display()),
        "restore it from its separate copy; every link that was mailed is made from it",
    )
}

/// Faults by the path of their file as seen from here, so that the file can be opened and its line shown.
fn located(folder: &Path, faults: Vec<Fault>) -> Vec<Fault> {
    faults.into_iter().map(|fault| Fault { file: folder.join(&fault.file).display().to_string(), ..fault }).collect()
}

impl Desk {
    /// Opens a data folder that [`Desk::init`] made. `database` names a ledger elsewhere.
    ///
    /// # Errors
    /// No ledger, another campaign's, a missing link secret, or a campaign folder that differs from what was frozen.
    pub async fn open(campaign: Campaign, data: DataFolder, database: Option<&str>) -> Result<Self, DeskError> {
        let url = database.map_or_else(|| data.ledger_url(), str::to_owned);
        let ledger = Ledger::open(&url).await.map_err(|error| ledger_error(error, &data, database))?;
        let row = ledger.campaign().await?;
        if row.id != campaign.id {
            return Err(DeskError::refused(
                format!("this ledger is of the campaign {}, the folder of {}", row.id, campaign.id),
                "name the campaign's own data folder with --data; one folder holds one campaign",
            ));
        }
        let path = data.link_key();
        if !path.exists() {
            return Err(link_key_missing(&data));
        }
        let text = files::read_bounded(&path, 1024)?;
        let link_secret = std::str::from_utf8(&text).ok().and_then(LinkSecret::from_file).ok_or_else(|| {
            DeskError::refused(
                format!("{} is not a link secret", path.display()),
                "restore it from its separate copy; without it the links already mailed cannot be made again",
            )
        })?;
        let desk = Self::assemble(campaign, ledger, data, link_secret);
        desk.check_frozen().await?;
        Ok(desk)
    }

    pub(crate) fn assemble(campaign: Campaign, ledger: Ledger, data: DataFolder, link_secret: LinkSecret) -> Self {
        let link_base = campaign.link_base.trim_end_matches('/').to_owned();
        Self {
            codebook: Codebook::of(&campaign),
            campaign,
            ledger,
            data,
            link_secret,
            link_base,
            return_path_secret: OnceLock::new(),
            draft_secret: OnceLock::new(),
            box_key: OnceLock::new(),
            console_secret: OnceLock::new(),
            throttle: Mutex::default(),
        }
    }

    /// The campaign.
    #[must_use]
    pub fn campaign(&self) -> &Campaign {
        &self.campaign
    }

    /// The ledger, for questions that need no act.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The data folder.
    #[must_use]
    pub fn data(&self) -> &DataFolder {
        &self.data
    }

    /// Sets where links begin, for a server that stands elsewhere than the campaign says (a rehearsal).
    pub fn set_link_base(&mut self, base: &str) {
        base.trim_end_matches('/').clone_into(&mut self.link_base);
    }

    /// The campaign's state.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn state(&self) -> Result<CampaignState, DeskError> {
        Ok(self.ledger.campaign().await?.state)
    }

    /// The deadline in force: the campaign's, or a later one set by `extend`.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn deadline(&self) -> Result<Timestamp, DeskError> {
        Ok(self.ledger.campaign().await?.deadline.unwrap_or(self.campaign.closes))
    }

    pub(crate) fn with_grace(&self, deadline: Timestamp) -> Timestamp {
        let grace = jiff::SignedDuration::from_mins(i64::from(self.campaign.grace_minutes));
        deadline.checked_add(grace).unwrap_or(deadline)
    }

    async fn check_frozen(&self) -> Result<(), DeskError> {
        let mut differing = Vec::new();
        let frozen = self.ledger.frozen(Stage::Inviting).await?;
        if !frozen.is_empty() {
            let now = freeze::at_first_invitation(&self.campaign, &self.key_fingerprints().await?);
            differing.extend(freeze::differences(&frozen, &now));
        }
        let frozen = self.ledger.frozen(Stage::Closed).await?;
        if !frozen.is_empty() {
            differing.extend(freeze::differences(&frozen, &freeze::at_closing(&self.campaign)));
        }
        if differing.is_empty() {
            return Ok(());
        }
        Err(DeskError::refused(
            format!("the campaign folder differs from what was frozen: {}", differing.join(", ")),
            "put the folder back as it was; what people were asked cannot be changed any more",
        ))
    }

    pub(crate) async fn key_fingerprints(&self) -> Result<BTreeMap<String, String>, DeskError> {
        let keys = self.ledger.keys().await?;
        Ok(keys.into_iter().map(|key| (key.role.as_str().to_owned(), key.fingerprint)).collect())
    }
}

/// 32 bytes from the operating system.
pub(crate) fn random_bytes() -> Result<[u8; 32], DeskError> {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| {
        DeskError::unfinished(format!("the system gives no random bytes ({error})"), "run the command again")
    })?;
    Ok(bytes)
}

/// A generator seeded by the operating system, for sealing and shuffling.
pub(crate) fn random() -> Result<rand_chacha::ChaCha20Rng, DeskError> {
    Ok(rand::SeedableRng::from_seed(random_bytes()?))
}
