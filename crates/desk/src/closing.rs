//! The end of a survey on the server: closing writes the sealed box, and beside the ledger one command opens it.
//!
//! Killed at any point, every step can be run again. A box that is not on record is never overwritten by a smaller one:
//! a restored older ledger must not take the place of the survey's own box.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use parsurvey_ledger::{CampaignState, ChaseState, ClosedBox, Stage, box_content};
use parsurvey_survey::ballot_box::{self, BallotCounts};
use parsurvey_survey::key::KeyRole;
use parsurvey_survey::seat::FormId;
use parsurvey_survey::{calendar, freeze, hex};
use sha2::{Digest, Sha256};

use crate::files::{read_bounded, write_whole};
use crate::opening::{self, BOX_BYTES, OpenOptions, Opened, box_refused};
use crate::{Because, Desk, DeskError, random};

/// What closing did.
#[derive(Debug)]
pub struct Closed {
    /// The box file.
    pub file: PathBuf,
    /// Its SHA-256: what the key holder is told by another way than the file comes.
    pub sha256: String,
    /// Ballots in it.
    pub ballots: BallotCounts,
    /// Forms whose former address was not told that it was given up, or perhaps was not; no mail tells it any more.
    pub untold: BTreeSet<FormId>,
}

impl Desk {
    /// Ends the survey and writes `out/box.sealed`; proposals that are open are withdrawn. Cannot be undone; run again it changes nothing.
    ///
    /// # Errors
    /// The deadline and its grace have not passed, nobody was invited, or the box was opened before.
    pub async fn close(&self, because: &Because, now: Timestamp) -> Result<Closed, DeskError> {
        let _alone = self.data.lock()?;
        let closed = self.close_alone(because, now).await?;
        self.destroy_drafts()?;
        let is_owed = |state| matches!(state, ChaseState::Ready | ChaseState::Claimed);
        let notices = self.ledger.notices().await?.into_iter();
        let untold = notices.filter(|notice| is_owed(notice.state)).map(|notice| notice.form).collect();
        Ok(Closed { untold, ..closed })
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
        self.refuse_restored_ledger(&file).await?;
        self.ledger.freeze(Stage::Closed, &freeze::at_closing(&self.campaign), &because.act(now)).await?;
        self.write_box(file, because, now).await
    }

    /// A tally, or a box with other numbers of ballots, that lies here already was made by a later state of this survey.
    async fn refuse_restored_ledger(&self, file: &Path) -> Result<(), DeskError> {
        let restored = |what: String| {
            DeskError::refused(
                what,
                "if this ledger was restored from a backup, store the survey's own tally with `parsurvey tally import --restored`; otherwise move the file away",
            )
        };
        if self.data.tally().exists() {
            return Err(restored(format!(
                "{} exists: this survey's box was opened before",
                self.data.tally().display()
            )));
        }
        if !file.exists() {
            return Ok(());
        }
        let bytes = read_bounded(file, BOX_BYTES)?;
        let held: BallotCounts = match ballot_box::read_box(&bytes) {
            Ok((header, _)) => header.ballots,
            // Damage is what a box is written anew for.
            Err(_) => return Ok(()),
        };
        let completions = self.ledger.completions().await?;
        let more = held.iter().any(|(target, groups)| {
            groups
                .iter()
                .any(|(group, n)| completions.get(&(target.clone(), group.clone())).is_none_or(|here| here < n))
        });
        if more {
            return Err(restored(format!("{} holds more ballots than this ledger", file.display())));
        }
        Ok(())
    }

    /// Writes the box file, then puts it on record: killed in between, the next run writes it anew.
    async fn write_box(&self, file: PathBuf, because: &Because, now: Timestamp) -> Result<Closed, DeskError> {
        let key = self.proved_key(KeyRole::Box).await?;
        let archive = self.proved_key(KeyRole::Archive).await?;
        let ballots = self.ledger.ballots().await?;
        let number = ballots.len() as u64;
        let content = box_content(ballots.iter().map(|ballot| ballot.ciphertext.as_slice()));
        let mut counts = BallotCounts::new();
        for ballot in &ballots {
            *counts.entry(ballot.target.clone()).or_default().entry(ballot.group.clone()).or_default() += 1;
        }
        let ciphertexts = ballots.into_iter().map(|ballot| ballot.ciphertext).collect();
        let bytes = ballot_box::write_box(&self.codebook, &key, &archive, counts.clone(), ciphertexts, &mut random()?);
        let sha256 = hex(&Sha256::digest(&bytes));
        write_whole(&self.data.out().join("archive.pub"), archive.to_file().as_bytes())?;
        write_whole(&file, &bytes)?;
        let closed = ClosedBox { sha256: sha256.clone(), ballots: number, content: Some(content) };
        self.ledger.close(&closed, &because.act(now)).await?;
        Ok(Closed { file, sha256, ballots: counts, untold: BTreeSet::new() })
    }

    /// Opens the box beside the ledger: tally and archive are written, the tally is imported, the ballots are destroyed.
    ///
    /// # Errors
    /// Not closed yet, another key, unreadable ballots, or the ledger cannot be written.
    pub async fn open_here(
        &self,
        keys: &[PathBuf],
        options: &OpenOptions,
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
                self.destroy_box().await?;
                let stored = self.stored_tally().await?;
                let groups = stored.targets.values().flat_map(|groups| groups.values());
                let ballots = groups.map(|group| group.ballots).sum();
                let (tally, archive) = (self.data.tally(), self.data.archive());
                return Ok(Opened { tally, archive, ballots, unreadable: stored.unreadable, pressure: None });
            }
            CampaignState::Closed => {}
        }
        let closed = self.close_alone(because, now).await?;
        self.destroy_drafts()?;
        let archive_key = self.proved_key(KeyRole::Archive).await?;
        let options = OpenOptions { box_sha256: closed.sha256, ..options.clone() };
        let opened = opening::open_box_file(&closed.file, keys, &archive_key, &options, &self.data.out())?;
        self.import_tally(&opened.tally, &opened.archive, false, because, now).await?;
        Ok(opened)
    }
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
    Ok(Some(Closed { file: file.to_path_buf(), sha256, ballots: header.ballots, untold: BTreeSet::new() }))
}
