//! The roster: read, compare with what is stored, store. Nothing is stored while a fault is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_ledger::{CampaignState, ChangedPerson, NewPerson, PersonRow, RosterChange, SeatPlace};
use parsurvey_survey::roster::{self, Difference, MAX_ROSTER_BYTES, ReadOptions, Reading, RosterRow, StoredPerson};

use crate::files::read_bounded;
use crate::{Because, Desk, DeskError};

/// How a roster is imported.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The workbook's sheet.
    pub sheet: Option<String>,
    /// Codes of warnings that are accepted.
    pub accept: BTreeSet<String>,
    /// Show the difference and change nothing.
    pub dry_run: bool,
    /// Change the list after the first invitation.
    pub amend: bool,
}

/// What an import found and did.
#[derive(Debug)]
pub struct Imported {
    /// What reading the file found: rows, repairs, faults, warnings.
    pub reading: Reading,
    /// The difference to what was stored before; empty when the file has faults.
    pub difference: Difference,
    /// Whether the difference was stored.
    pub stored: bool,
}

impl Desk {
    /// Reads a roster and, unless it has faults or `dry_run` is set, stores the difference.
    ///
    /// # Errors
    /// The file cannot be read, people were invited and `amend` is not set, or the ledger cannot be written.
    /// Faults of the list itself are in the result, not an error: the caller shows all of them.
    pub async fn import_roster(
        &self,
        file: &Path,
        options: &ImportOptions,
        because: &Because,
        now: Timestamp,
    ) -> Result<Imported, DeskError> {
        let bytes = read_bounded(file, MAX_ROSTER_BYTES as u64)?;
        let read = ReadOptions { sheet: options.sheet.clone(), accept: options.accept.clone() };
        let reading = roster::read(&file.display().to_string(), &bytes, &self.campaign, &read);
        if !reading.is_clean() {
            return Ok(Imported { reading, difference: Difference::default(), stored: false });
        }
        let stored = self.ledger.stored_people().await?;
        let people: Vec<StoredPerson> = stored.people.iter().filter_map(known).collect();
        let difference = roster::difference(&people, &reading.rows);
        if options.dry_run || difference.is_empty() {
            return Ok(Imported { reading, difference, stored: false });
        }
        let state = self.field_open("change the roster").await?;
        if state != CampaignState::Draft && !options.amend {
            return Err(DeskError::refused(
                format!(
                    "people were invited already; this list adds {}, changes {} and removes {}",
                    difference.added.len(),
                    difference.changed.len(),
                    difference.removed.len()
                ),
                "look at it with --dry-run; import it with --amend and a reason, as a frame correction",
            ));
        }
        if state != CampaignState::Draft && because.reason.trim().is_empty() {
            return Err(DeskError::refused("an amendment needs --reason", "say why the frame is corrected"));
        }
        let change = self.change_of(&difference, stored.version);
        self.ledger.apply_roster(&change, &reading.sha256, &because.act(now)).await?;
        Ok(Imported { reading, difference, stored: true })
    }

    fn change_of(&self, difference: &Difference, basis: i64) -> RosterChange {
        RosterChange {
            basis,
            added: difference.added.iter().map(|row| self.person(row)).collect(),
            changed: difference
                .changed
                .iter()
                .map(|change| ChangedPerson { person: change.person, now: self.person(&change.row) })
                .collect(),
            removed: difference.removed.iter().map(|person| person.person).collect(),
        }
    }

    fn person(&self, row: &RosterRow) -> NewPerson {
        let targets: Vec<TargetCode> =
            self.campaign.group(&row.group).map(|group| group.forms.keys().cloned().collect()).unwrap_or_default();
        NewPerson {
            external_id: row.id.clone(),
            name: row.name.clone(),
            email: row.email.expose().to_owned(),
            position: row.position.clone(),
            seats: targets
                .into_iter()
                .map(|target| SeatPlace { target, group: row.group.clone(), unit: row.unit.clone() })
                .collect(),
        }
    }

    pub(crate) async fn sizes_by_group(&self) -> Result<BTreeMap<GroupCode, u64>, DeskError> {
        let mut sizes = BTreeMap::new();
        for ((_, group), seats) in self.group_sizes().await? {
            // One person holds one seat for each of a group's targets: the persons are as many as the seats of one target.
            let size: &mut u64 = sizes.entry(group).or_default();
            *size = (*size).max(seats);
        }
        Ok(sizes)
    }

    /// Seats in the frame per target × group.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn group_sizes(&self) -> Result<BTreeMap<(TargetCode, GroupCode), u64>, DeskError> {
        let mut sizes = BTreeMap::new();
        for seat in self.ledger.seats().await?.into_iter().filter(|seat| !seat.ineligible) {
            *sizes.entry((seat.target, seat.group)).or_default() += 1;
        }
        Ok(sizes)
    }
}

/// A stored person as the comparison sees them; someone without a seat is not on the list any more.
fn known(row: &PersonRow) -> Option<StoredPerson> {
    let (_, place) = row.seats.first()?;
    Some(StoredPerson {
        person: row.person,
        id: row.external_id.clone(),
        name: row.name.clone(),
        email: row.email.clone(),
        group: place.group.clone(),
        unit: place.unit.clone(),
        position: row.position.clone(),
    })
}
