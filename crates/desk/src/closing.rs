//! The end of a survey: closing writes the sealed box, opening makes tally and archive, importing destroys the ballots.
//!
//! Opening needs the box file and the private key, on any machine, without a ledger. Beside the ledger one command does both.
//! Killed at any point, every step can be run again; an imported tally is never replaced by another.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parsurvey_index::counts::Tally;
use parsurvey_ledger::{CampaignState, ClosedBox, Stage};
use parsurvey_survey::ballot::{Ballot, Codebook};
use parsurvey_survey::ballot_box::{self, BallotCounts, BoxError};
use parsurvey_survey::key::{KeyRole, PublicKey};
use parsurvey_survey::{calendar, freeze, hex};
use parsurvey_tally::counter::{CountError, Counter, Response};
use sha2::{Digest, Sha256};

use crate::files::{read_bounded, write_whole};
use crate::keys::read_private;
use crate::results::frame_of_box;
use crate::{Because, Desk, DeskError, random};

/// A box of ten million ballots has about a gigabyte and a half; larger ones are cut by target.
const BOX_BYTES: u64 = 4_000_000_000;
const TALLY_BYTES: u64 = 1_000_000_000;

/// What closing did.
#[derive(Debug)]
pub struct Closed {
    /// The box file.
    pub file: PathBuf,
    /// Its SHA-256.
    pub sha256: String,
    /// Ballots in it.
    pub ballots: BallotCounts,
}

/// What opening made.
#[derive(Debug)]
pub struct Opened {
    /// The tally's file.
    pub tally: PathBuf,
    /// The archive's file.
    pub archive: PathBuf,
    /// Ballots opened.
    pub ballots: u64,
}

impl Desk {
    /// Ends the survey and writes `out/box.sealed`. Cannot be undone; run again it changes nothing.
    ///
    /// # Errors
    /// The deadline and its grace have not passed, nobody was invited, or the box was opened before.
    pub async fn close(&self, because: &Because, now: Timestamp) -> Result<Closed, DeskError> {
        let _alone = self.data.lock()?;
        self.close_alone(because, now).await
    }

    async fn close_alone(&self, because: &Because, now: Timestamp) -> Result<Closed, DeskError> {
        let file = self.data.sealed_box();
        let campaign = self.ledger.campaign().await?;
        match campaign.state {
            CampaignState::Draft => {
                return Err(DeskError::refused("nobody was invited yet", "there is nothing to close"));
            }
            CampaignState::Inviting => {
                let ends = self.with_grace(self.deadline().await?);
                if now <= ends {
                    return Err(DeskError::refused(
                        format!("forms are accepted until {}", calendar::written(ends, &self.campaign.time_zone)),
                        "close after that; closing cannot be undone",
                    ));
                }
                let act = because.act(now);
                self.ledger.freeze(Stage::Closed, &freeze::at_closing(&self.campaign), &act).await?;
            }
            CampaignState::Closed => {
                // The box on record is kept; one that was lost or altered is written anew from the same ballots.
                if let Some(closed) = recorded_box(&file, campaign.box_sha256.as_deref())? {
                    return Ok(closed);
                }
            }
            CampaignState::Opened | CampaignState::Released => {
                return Err(DeskError::refused(
                    "the box was opened and its ballots are destroyed",
                    "look at `parsurvey score`",
                ));
            }
        }
        self.write_box(file, because, now).await
    }

    /// Writes the box file, then puts it on record: killed in between, the next run writes it anew.
    async fn write_box(&self, file: PathBuf, because: &Because, now: Timestamp) -> Result<Closed, DeskError> {
        let key = self.proved_key(KeyRole::Box).await?;
        let archive = self.proved_key(KeyRole::Archive).await?;
        let ballots = self.ledger.ballots().await?;
        let number = ballots.len() as u64;
        let mut counts = BallotCounts::new();
        for ballot in &ballots {
            *counts.entry(ballot.target.clone()).or_default().entry(ballot.group.clone()).or_default() += 1;
        }
        let ciphertexts = ballots.into_iter().map(|ballot| ballot.ciphertext).collect();
        let bytes = ballot_box::write_box(&self.codebook, &key, counts.clone(), ciphertexts, &mut random()?);
        let sha256 = hex(&Sha256::digest(&bytes));
        write_whole(&self.data.out().join("archive.pub"), archive.to_file().as_bytes())?;
        write_whole(&file, &bytes)?;
        self.ledger.close(&ClosedBox { sha256: sha256.clone(), ballots: number }, &because.act(now)).await?;
        Ok(Closed { file, sha256, ballots: counts })
    }

    /// Opens the box beside the ledger: tally and archive are written, the tally is imported, the ballots are destroyed.
    ///
    /// # Errors
    /// Not closed yet, another key, unreadable ballots, or the ledger cannot be written.
    pub async fn open_here(
        &self,
        keys: &[PathBuf],
        accept_unreadable: u64,
        because: &Because,
        now: Timestamp,
    ) -> Result<Opened, DeskError> {
        let _alone = self.data.lock()?;
        match self.state().await? {
            CampaignState::Draft | CampaignState::Inviting => {
                return Err(DeskError::refused(
                    "the survey is not closed yet",
                    "run `parsurvey close` after the deadline and its grace",
                ));
            }
            CampaignState::Opened | CampaignState::Released => {
                // A kill between import and erasing is finished here.
                self.ledger.erase_deleted().await?;
                let stored = self.stored_tally().await?;
                let ballots =
                    stored.targets.values().flat_map(|groups| groups.values()).map(|group| group.ballots).sum();
                return Ok(Opened { tally: self.data.tally(), archive: self.data.archive(), ballots });
            }
            CampaignState::Closed => {}
        }
        self.close_alone(because, now).await?;
        let archive_key = self.proved_key(KeyRole::Archive).await?;
        let opened = open_box_file(&self.data.sealed_box(), keys, &archive_key, accept_unreadable, &self.data.out())?;
        self.import_tally(&opened.tally, Some(&opened.archive), because, now).await?;
        Ok(opened)
    }

    /// Stores a tally and destroys the box it came from.
    ///
    /// # Errors
    /// Another campaign's tally, other numbers than completions, or another tally was stored before.
    pub async fn import_tally(
        &self,
        file: &Path,
        archive: Option<&Path>,
        because: &Because,
        now: Timestamp,
    ) -> Result<(), DeskError> {
        let bytes = read_bounded(file, TALLY_BYTES)?;
        let tally = read_tally(file, &bytes)?;
        if tally.campaign != self.campaign.id {
            return Err(DeskError::refused(
                format!("{} is of the campaign {}", file.display(), tally.campaign),
                "name this campaign's tally",
            ));
        }
        if tally.questionnaires != self.codebook.questionnaires {
            return Err(DeskError::refused(
                format!("{} was counted with other option tables", file.display()),
                "open the box again with the campaign's own folder",
            ));
        }
        let completions = self.ledger.completions().await?;
        let counted: std::collections::BTreeMap<_, u64> = tally
            .targets
            .iter()
            .flat_map(|(target, groups)| {
                groups.iter().map(|(group, counts)| ((target.clone(), group.clone()), counts.ballots))
            })
            .filter(|(_, ballots)| *ballots > 0)
            .collect();
        if self.state().await? == CampaignState::Closed && completions != counted {
            let differing: Vec<String> = completions
                .iter()
                .filter(|(key, n)| counted.get(key) != Some(n))
                .map(|((target, group), n)| format!("{target}/{group} ({n} completed)"))
                .collect();
            return Err(DeskError::refused(
                format!("the tally's ballots are not the ledger's completions: {}", differing.join(", ")),
                "import the tally of this ledger's own box",
            ));
        }
        let archive_sha256 = match archive {
            Some(path) => hex(&Sha256::digest(read_bounded(path, BOX_BYTES)?)),
            None => String::new(),
        };
        let text = String::from_utf8(bytes).map_err(|_| {
            DeskError::refused(format!("{} is not text", file.display()), "name the tally.json that opening wrote")
        })?;
        let sha256 = hex(&Sha256::digest(&text));
        self.ledger.import_tally(&text, &sha256, &archive_sha256, &because.act(now)).await?;
        Ok(self.ledger.erase_deleted().await?)
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
        read_tally(Path::new("the ledger's tally"), stored.json.as_bytes())
    }
}

/// Opens a box file with the private key and writes tally and archive into `out`: needs no ledger.
///
/// # Errors
/// Another key, a damaged box, unreadable ballots that were not accepted by number, or files that cannot be written.
pub fn open_box_file(
    file: &Path,
    keys: &[PathBuf],
    archive_key: &PublicKey,
    accept_unreadable: u64,
    out: &Path,
) -> Result<Opened, DeskError> {
    let key = read_private(keys)?;
    let bytes = read_bounded(file, BOX_BYTES)?;
    let (header, sealed) = ballot_box::read_box(&bytes).map_err(|error| box_refused(file, &error))?;
    let mut rng = random()?;
    let ballots = ballot_box::open_box(&header, &sealed, &key, accept_unreadable, &mut rng)
        .map_err(|error| box_refused(file, &error))?;
    let codebook = &header.codebook;
    let tally = count(codebook, &ballots)
        .map_err(|error| DeskError::unfinished(format!("counting failed: {error}"), "run the command again"))?;
    let archive = ballot_box::write_archive(codebook, archive_key, &ballots, &mut rng);
    std::fs::create_dir_all(out).map_err(|error| DeskError::io("making the folder", out, &error))?;
    let opened =
        Opened { tally: out.join("tally.json"), archive: out.join("archive.sealed"), ballots: ballots.len() as u64 };
    write_whole(&opened.archive, &archive)?;
    write_whole(&opened.tally, &parsurvey_tally::file::tally_bytes(&tally))?;
    Ok(opened)
}

/// The box file, when it is the one on record.
fn recorded_box(file: &Path, on_record: Option<&str>) -> Result<Option<Closed>, DeskError> {
    if !file.exists() {
        return Ok(None);
    }
    let bytes = read_bounded(file, BOX_BYTES)?;
    let sha256 = hex(&Sha256::digest(&bytes));
    if Some(sha256.as_str()) != on_record {
        return Ok(None);
    }
    let (header, _) = ballot_box::read_box(&bytes).map_err(|error| box_refused(file, &error))?;
    Ok(Some(Closed { file: file.to_path_buf(), sha256, ballots: header.ballots }))
}

fn count(codebook: &Codebook, ballots: &[Ballot]) -> Result<Tally, CountError> {
    let mut counter = Counter::new(frame_of_box(codebook))?;
    for ballot in ballots {
        let (target, group) = (ballot.target.clone(), ballot.group.clone());
        counter.push(&Response { target, group, answers: ballot.answers.clone() })?;
    }
    counter.finish()
}

fn read_tally(file: &Path, bytes: &[u8]) -> Result<Tally, DeskError> {
    parsurvey_tally::file::read_tally(bytes).map_err(|error| {
        DeskError::refused(format!("{}: {error}", file.display()), "name the tally.json that opening wrote")
    })
}

fn box_refused(file: &Path, error: &BoxError) -> DeskError {
    let remedy = match error {
        BoxError::Malformed(_) | BoxError::Counts(_) => "name the box.sealed that closing wrote, unaltered",
        BoxError::OtherKey { .. } => "use the key with the fingerprint that the box names",
        BoxError::Unreadable { .. } => {
            "find out why; if the loss is accepted, name the number with --accept-unreadable"
        }
    };
    DeskError::refused(format!("{}: {error}", file.display()), remedy)
}
