//! A tally comes in, the box goes: checked against what the ledger knows, stored in one transaction, then everything that
//! deletion leaves behind is erased. Run again, it finishes what was begun and changes nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_index::counts::Tally;
use parsurvey_ledger::{CampaignState, ClosedBox, Stage};
use parsurvey_survey::ballot_box::read_archive;
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::{freeze, hex};
use sha2::{Digest, Sha256};

use crate::files::{read_bounded, remove_with_parts};
use crate::opening::BOX_BYTES;
use crate::{Because, Desk, DeskError};

const TALLY_BYTES: u64 = 1_000_000_000;

/// Ballots per target and group.
type Numbers = BTreeMap<(TargetCode, GroupCode), u64>;

impl Desk {
    /// Stores a tally with its archive's hash and destroys the box it came from.
    ///
    /// `restored` is for a ledger that was restored from a backup older than the closing: the survey's own tally is stored
    /// although the numbers differ, and the difference goes into the log.
    ///
    /// # Errors
    /// Another campaign's or box's tally, other thresholds or numbers, or another tally was stored before.
    pub async fn import_tally(
        &self,
        file: &Path,
        archive: &Path,
        restored: bool,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let bytes = read_bounded(file, TALLY_BYTES)?;
        let tally = read_tally(&file.display().to_string(), &bytes)?;
        self.check_tally(file, &tally)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let archive_sha256 = self.check_archive(archive, &tally).await?;
        if self.ledger.tally().await?.is_none_or(|stored| stored.tally_sha256 != sha256) {
            let mut because = because.clone();
            if restored {
                self.adopt_box(&tally, &mut because, now).await?;
            } else {
                self.check_numbers(file, &tally).await?;
            }
            if tally.unreadable > 0 {
                because.reason =
                    format!("{}; {} unreadable ballots accepted as lost", because.reason, tally.unreadable);
            }
            let text = String::from_utf8(bytes).map_err(|_| not_a_tally(file))?;
            self.ledger.import_tally(&text, &sha256, &archive_sha256, &because.act(now)).await?;
        }
        // Closing did so, unless it was killed before, or the closing was that of a ledger since restored.
        self.destroy_drafts()?;
        self.destroy_box().await
    }

    /// Erases what deleting the ballots left: in the database's files, and the box file with its halves.
    pub(crate) async fn destroy_box(&self) -> Result<(), DeskError> {
        self.ledger.erase_deleted().await?;
        remove_with_parts(&self.data.sealed_box())
    }

    /// The stored tally.
    ///
    /// # Errors
    /// The box was not opened yet.
    pub async fn stored_tally(&self) -> Result<Tally, DeskError> {
        let stored = self.ledger.tally().await?.ok_or_else(|| {
            DeskError::refused(
                "the ballot box has not been opened; there are no results yet",
                "after `parsurvey close` the key holder runs `parsurvey open`",
            )
        })?;
        read_tally("the ledger's tally", stored.json.as_bytes())
    }

    /// The archive must be this survey's, sealed to the registered key, with as many responses as the tally has ballots:
    /// once the box is gone nothing else holds the single responses. Returns its SHA-256.
    async fn check_archive(&self, file: &Path, tally: &Tally) -> Result<String, DeskError> {
        let bytes = read_bounded(file, BOX_BYTES)?;
        let refused = |why: String| {
            DeskError::refused(
                format!("{}: {why}", file.display()),
                "name the archive.sealed that was written together with this tally; nothing was destroyed",
            )
        };
        let (header, _) = read_archive(&bytes).map_err(|error| refused(error.to_string()))?;
        let ballots: u64 = tally.targets.values().flat_map(BTreeMap::values).map(|group| group.ballots).sum();
        let key = self.proved_key(KeyRole::Archive).await?;
        if header.campaign != tally.campaign || header.key_fingerprint != key.fingerprint() {
            return Err(refused(format!("it is of {} for the key {}", header.campaign, header.key_fingerprint)));
        }
        if header.responses != ballots {
            return Err(refused(format!("it holds {} responses, the tally {ballots} ballots", header.responses)));
        }
        Ok(hex(&Sha256::digest(&bytes)))
    }

    fn check_tally(&self, file: &Path, tally: &Tally) -> Result<(), DeskError> {
        if tally.campaign != self.campaign.id {
            return Err(DeskError::refused(
                format!("{} is of the campaign {}", file.display(), tally.campaign),
                "name this campaign's tally",
            ));
        }
        let codebook = &self.codebook;
        let same = tally.questionnaires == codebook.questionnaires
            && tally.k == codebook.k
            && tally.synthetic == codebook.synthetic;
        if same && tally.box_sha256.is_some() {
            return Ok(());
        }
        Err(DeskError::refused(
            format!("{} was counted with other option tables or thresholds, or from no box", file.display()),
            "open this survey's own box again with `parsurvey open`",
        ))
    }

    /// The tally must come from the box on record, and its numbers from the ledger's completions.
    async fn check_numbers(&self, file: &Path, tally: &Tally) -> Result<(), DeskError> {
        let campaign = self.ledger.campaign().await?;
        if campaign.state == CampaignState::Closed && tally.box_sha256 != campaign.box_sha256 {
            return Err(DeskError::refused(
                format!("{} was made from another box than the one on record", file.display()),
                "import the tally of this ledger's own box",
            ));
        }
        let (completions, counted) = (self.ledger.completions().await?, numbers(tally));
        let missing: u64 = completions.iter().map(|(key, n)| n.saturating_sub(held(&counted, key))).sum();
        let surplus = counted.iter().any(|(key, n)| *n > held(&completions, key));
        if campaign.state != CampaignState::Closed || (!surplus && missing == tally.unreadable) {
            return Ok(());
        }
        Err(DeskError::refused(
            format!("the tally's ballots are not the ledger's completions: {}", differences(&completions, &counted)),
            "import the tally of this ledger's own box; for a ledger restored from a backup use --restored",
        ))
    }

    /// Puts the tally's box on record in a restored ledger, which never had it.
    async fn adopt_box(&self, tally: &Tally, because: &mut Because, now: Timestamp) -> Result<(), DeskError> {
        if because.reason.trim().is_empty() || because.document.trim().is_empty() {
            return Err(DeskError::refused(
                "a restored ledger needs --reason and --document",
                "say which backup was restored, when, and who decided it",
            ));
        }
        let completions = self.ledger.completions().await?;
        let difference = differences(&completions, &numbers(tally));
        because.reason = format!("{}; restored ledger, difference to the tally: {difference}", because.reason);
        let campaign = self.ledger.campaign().await?;
        let sha256 = tally.box_sha256.clone().unwrap_or_default();
        if campaign.box_sha256.as_deref() != Some(sha256.as_str()) {
            self.ledger.freeze(Stage::Closed, &freeze::at_closing(&self.campaign), &because.act(now)).await?;
            let ballots = completions.values().sum();
            self.ledger.close(&ClosedBox { sha256, ballots, content: None }, &because.act(now)).await?;
        }
        Ok(())
    }
}

fn numbers(tally: &Tally) -> Numbers {
    let groups = tally.targets.iter().flat_map(|(target, groups)| groups.iter().map(move |pair| (target, pair)));
    groups
        .map(|(target, (group, counts))| ((target.clone(), group.clone()), counts.ballots))
        .filter(|(_, ballots)| *ballots > 0)
        .collect()
}

fn held(numbers: &Numbers, key: &(TargetCode, GroupCode)) -> u64 {
    numbers.get(key).copied().unwrap_or(0)
}

fn differences(completions: &Numbers, counted: &Numbers) -> String {
    let keys: std::collections::BTreeSet<_> = completions.keys().chain(counted.keys()).collect();
    let differing: Vec<String> = keys
        .into_iter()
        .filter(|key| held(completions, key) != held(counted, key))
        .map(|key| format!("{}/{}: {} completed, {} counted", key.0, key.1, held(completions, key), held(counted, key)))
        .collect();
    if differing.is_empty() { "none".into() } else { differing.join(", ") }
}

fn read_tally(name: &str, bytes: &[u8]) -> Result<Tally, DeskError> {
    parsurvey_tally::file::read_tally(bytes)
        .map_err(|error| DeskError::refused(format!("{name}: {error}"), "name the tally.json that opening wrote"))
}

fn not_a_tally(file: &Path) -> DeskError {
    DeskError::refused(format!("{} is not text", file.display()), "name the tally.json that opening wrote")
}
