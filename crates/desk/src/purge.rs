//! Carrying out the retention table: what is due by the campaign's own table is erased, and what stays is said with its reason.
//!
//! Run twice, by two at once, or killed anywhere, it erases nothing twice and leaves nothing half erased for good.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use parsurvey_ledger::CampaignState;
use parsurvey_survey::calendar;
use parsurvey_survey::notice::{Kept, Then};

use crate::acts::documented;
use crate::{Because, Desk, DeskError};

/// How one row of the retention table stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurgeRow {
    /// What is kept.
    pub what: Kept,
    /// What the table says of it.
    pub then: Then,
    /// From when it is due; `None` for what stays.
    pub due: Option<Timestamp>,
    /// Where it stands.
    pub standing: Standing,
    /// Rows or files that were erased or would be; `None` where the program cannot count them.
    pub items: Option<u64>,
}

/// Where a row of the retention table stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Erased at this moment.
    Erased(Timestamp),
    /// Its time has come: `purge` erases it.
    Due,
    /// Its time has not come.
    Early,
    /// Its time has come, and somebody must destroy it where the program cannot reach.
    ByHand,
    /// It stays.
    Stays,
}

impl Standing {
    /// The word that is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Erased(_) => "erased",
            Self::Due => "due",
            Self::Early => "early",
            Self::ByHand => "by_hand",
            Self::Stays => "stays",
        }
    }
}

impl Desk {
    /// The retention table with the standing of each row. Changes nothing.
    ///
    /// # Errors
    /// The box is not opened yet: until then everything is needed.
    pub async fn retention(&self, now: Timestamp) -> Result<Vec<PurgeRow>, DeskError> {
        let opened = self.opened_at().await?;
        let done = self.ledger.purged().await?;
        let mut rows = Vec::new();
        for retention in &self.campaign.notice.retention {
            let (what, then) = (retention.what, retention.then);
            let due = then.due(opened);
            let left = if matches!(then, Then::Erase(_)) { self.items_of(what).await? } else { 0 };
            // What has come since the erasure, such as a late word of a mail server, is due as well.
            let purged = done.iter().find(|purged| purged.what == what && left == 0);
            let standing = match (purged, then) {
                (Some(purged), _) => Standing::Erased(purged.at),
                (None, Then::Keep) => Standing::Stays,
                (None, Then::Erase(_) | Then::ByHand(_)) if due.is_some_and(|due| due > now) => Standing::Early,
                (None, Then::Erase(_)) => Standing::Due,
                (None, Then::ByHand(_)) => Standing::ByHand,
            };
            let items = match (purged, then) {
                (Some(purged), _) => Some(purged.items),
                (None, Then::Erase(_)) => Some(left),
                (None, Then::ByHand(_) | Then::Keep) => None,
            };
            rows.push(PurgeRow { what, then, due, standing, items });
        }
        Ok(rows)
    }

    /// Erases what is due, rewrites the database's files, and gives the table as it stands then. Where nothing is due it only
    /// finishes what an earlier run was stopped in.
    ///
    /// # Errors
    /// The box is not opened yet; reason or document are missing; another command has the survey in hand, or a process reads
    /// the ledger: run it again.
    pub async fn purge(&self, because: &Because, now: Timestamp) -> Result<Vec<PurgeRow>, DeskError> {
        let _alone = self.data.lock()?;
        let before = self.retention(now).await?;
        let due: Vec<Kept> = before.iter().filter(|row| row.standing == Standing::Due).map(|row| row.what).collect();
        if !due.is_empty() {
            documented(because)?;
            // First the files: of these the ledger knows nothing more, so that a kill in between is mended by the next run.
            let mut files = 0;
            if due.contains(&Kept::Letters) {
                files = count_files(&self.letters())?;
                remove_folder(&self.letters())?;
            }
            self.ledger.purge(&due, files, &because.act(now)).await?;
        }
        self.ledger.rewrite_purged().await?;
        self.retention(now).await
    }

    async fn opened_at(&self) -> Result<Timestamp, DeskError> {
        let stored = self.ledger.tally().await?.map(|tally| tally.imported);
        match (self.state().await?, stored) {
            (CampaignState::Opened | CampaignState::Released, Some(opened)) => Ok(opened),
            (CampaignState::Opened | CampaignState::Released, None) | (CampaignState::Closed, _) => {
                Err(DeskError::refused(
                    "the ballot box is not opened yet: the retention table counts from the opening",
                    "open the box first, then run this command when its days have passed",
                ))
            }
            (CampaignState::Draft | CampaignState::Inviting, _) => Err(DeskError::refused(
                format!(
                    "the survey has not ended (deadline {}): names and addresses are still needed",
                    calendar::written(self.deadline().await?, &self.campaign.time_zone)
                ),
                "close the survey and open the box; the retention table counts from the opening",
            )),
        }
    }

    /// Where letters to units lie.
    fn letters(&self) -> std::path::PathBuf {
        self.data.out().join("chase")
    }

    async fn items_of(&self, what: Kept) -> Result<u64, DeskError> {
        match what {
            Kept::Letters => count_files(&self.letters()),
            other => Ok(self.ledger.rows_to_purge(other).await?),
        }
    }
}

fn count_files(folder: &Path) -> Result<u64, DeskError> {
    let mut files = 0;
    let mut open = vec![folder.to_path_buf()];
    while let Some(current) = open.pop() {
        let entries = match fs::read_dir(&current) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(DeskError::io("reading the folder", &current, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| DeskError::io("reading the folder", &current, &error))?;
            let kind = entry.file_type().map_err(|error| DeskError::io("reading", &entry.path(), &error))?;
            if kind.is_dir() {
                open.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    Ok(files)
}

fn remove_folder(folder: &Path) -> Result<(), DeskError> {
    match fs::remove_dir_all(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(DeskError::io("removing", folder, &error)),
    }
    let Some(above) = folder.parent() else { return Ok(()) };
    fs::File::open(above).and_then(|above| above.sync_all()).map_err(|error| DeskError::io("removing", folder, &error))
}
