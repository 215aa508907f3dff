//! The roster: read, compare with what is stored, store. Nothing is stored while a fault is left.
//!
//! After the first invitation a list only amends the frame: with a reason and a document, and it removes many seats only
//! for who names their number. Who left the frame and stands on the list again gets the former seat and link back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;
use parsurvey_index::code::{GroupCode, TargetCode};
use parsurvey_ledger::{CampaignState, ChangedPerson, NewPerson, PersonRow, RosterChange, SeatPlace};
use parsurvey_survey::campaign::check_group_sizes;
use parsurvey_survey::roster::{self, Difference, MAX_ROSTER_BYTES, ReadOptions, Reading, RosterRow, StoredPerson};
use parsurvey_survey::seat::{FormId, PersonId};

use crate::acts::documented;
use crate::files::read_bounded;
use crate::proposals::Acted;
use crate::{Because, Desk, DeskError};

/// Seats by target and group.
type Sizes = BTreeMap<(TargetCode, GroupCode), u64>;

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
    /// How many seats the amendment removes; needed where they are many.
    pub removes: Option<u64>,
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
    /// Where it waits for a second person instead.
    pub waits: Option<Acted>,
    /// Seats that the difference takes out of the frame.
    pub seats_removed: u64,
}

impl Desk {
    /// Reads a roster and, unless it has faults or `dry_run` is set, stores the difference. Once people were invited it is
    /// proposed only, and waits for a second person.
    ///
    /// # Errors
    /// The file cannot be read, or the ledger cannot be written. After the first invitation also: `amend` is not set,
    /// there is no reason or document, the removals are many and not named by number, or a group would fall below k.
    /// Faults of the list itself are in the result, not an error: the caller shows all of them.
    pub async fn import_roster(
        &self,
        file: &Path,
        options: &ImportOptions,
        because: &Because,
        now: Timestamp,
    ) -> Result<Imported, DeskError> {
        let bytes = read_bounded(file, MAX_ROSTER_BYTES as u64)?;
        self.import_roster_bytes(&file.display().to_string(), &bytes, options, because, now).await
    }

    /// [`Desk::import_roster`] of a file that was handed in as bytes, under the name that its faults tell.
    ///
    /// # Errors
    /// As [`Desk::import_roster`].
    pub async fn import_roster_bytes(
        &self,
        name: &str,
        bytes: &[u8],
        options: &ImportOptions,
        because: &Because,
        now: Timestamp,
    ) -> Result<Imported, DeskError> {
        let read = ReadOptions { sheet: options.sheet.clone(), accept: options.accept.clone() };
        let reading = roster::read(name, bytes, &self.campaign, &read);
        let (stored, waits, seats_removed) = (false, None, 0);
        if !reading.is_clean() {
            return Ok(Imported { reading, difference: Difference::default(), stored, waits, seats_removed });
        }
        let known = self.ledger.stored_people().await?;
        let difference = compare(&known.people, &reading.rows);
        let change = self.change_of(&difference, known.version);
        let seats_removed = Effect::of(&known.people, &change).removed;
        if options.dry_run || difference.is_empty() {
            return Ok(Imported { reading, difference, stored, waits, seats_removed });
        }
        let state = self.field_open("change the roster").await?;
        if state != CampaignState::Draft {
            self.may_amend(&known.people, &change, options, because)?;
        }
        let act = because.act(now);
        if self.needs_two(state) {
            let waits = Some(self.ledger.propose_roster(&change, &reading.sha256, &act).await?.into());
            return Ok(Imported { reading, difference, stored, waits, seats_removed });
        }
        self.ledger.apply_roster(&change, &reading.sha256, &act).await?;
        Ok(Imported { reading, difference, stored: true, waits, seats_removed })
    }

    /// Whether people who were invited may be changed like this.
    fn may_amend(
        &self,
        stored: &[PersonRow],
        change: &RosterChange,
        options: &ImportOptions,
        because: &Because,
    ) -> Result<(), DeskError> {
        let effect = Effect::of(stored, change);
        let RosterChange { added, changed, .. } = change;
        let in_words = format!(
            "this list adds {} people, changes {} and removes {} of {} seats",
            added.len(),
            changed.len(),
            effect.removed,
            effect.seats
        );
        if !options.amend {
            return Err(DeskError::refused(
                format!("people were invited already; {in_words}"),
                "look at it with --dry-run; import it with --amend, a reason and a document, as a frame correction",
            ));
        }
        documented(because)?;
        match options.removes {
            Some(named) if named != effect.removed => {
                return Err(DeskError::refused(
                    format!("--removes names {named}, but {in_words}"),
                    "look at it with --dry-run; give the number only when every removal is meant",
                ));
            }
            None if effect.removed > effect.removals_allowed() => {
                return Err(DeskError::refused(
                    format!("a whole part of the list may be missing: {in_words}"),
                    format!("look at it with --dry-run; if every removal is meant, add --removes {}", effect.removed),
                ));
            }
            Some(_) | None => {}
        }
        let faults = check_group_sizes(&self.campaign, &by_group(effect.sizes));
        if faults.is_empty() {
            return Ok(());
        }
        Err(DeskError::Faults { what: "the amended roster".into(), faults })
    }

    fn change_of(&self, difference: &Difference, basis: i64) -> RosterChange {
        RosterChange {
            basis,
            added: difference.added.iter().map(|row| self.person(row)).collect(),
            changed: difference
                .changed
                .iter()
                .chain(&difference.returned)
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
        Ok(by_group(self.group_sizes().await?))
    }

    /// Seats in the frame per target × group.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn group_sizes(&self) -> Result<BTreeMap<(TargetCode, GroupCode), u64>, DeskError> {
        let mut sizes = Sizes::new();
        for seat in self.ledger.seats().await?.into_iter().filter(|seat| !seat.ineligible) {
            *sizes.entry((seat.target, seat.group)).or_default() += 1;
        }
        Ok(sizes)
    }
}

/// One person holds one seat for each of a group's targets: the persons are as many as the seats of one target.
fn by_group(sizes: Sizes) -> BTreeMap<GroupCode, u64> {
    let mut by_group = BTreeMap::new();
    for ((_, group), seats) in sizes {
        let size: &mut u64 = by_group.entry(group).or_default();
        *size = (*size).max(seats);
    }
    by_group
}

/// Compares the rows with the people in the frame, then whoever seems new with those who left it.
fn compare(stored: &[PersonRow], rows: &[RosterRow]) -> Difference {
    let in_frame: Vec<StoredPerson> = stored.iter().filter_map(|row| known(row, &row.seats)).collect();
    let mut difference = roster::difference(&in_frame, rows);
    let gone: Vec<StoredPerson> =
        stored.iter().filter(|row| row.seats.is_empty()).filter_map(|row| known(row, &row.left)).collect();
    difference.welcome_back(&gone);
    difference
}

/// A stored person as the comparison sees them; someone without one of these seats is not on that side of the frame.
fn known(row: &PersonRow, seats: &[(FormId, SeatPlace)]) -> Option<StoredPerson> {
    let (_, place) = seats.first()?;
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

/// What a change does to the frame.
struct Effect {
    /// Seats in the frame before.
    seats: u64,
    /// Seats that leave it.
    removed: u64,
    /// Seats per target and group afterwards.
    sizes: Sizes,
}

impl Effect {
    fn of(stored: &[PersonRow], change: &RosterChange) -> Self {
        let mut sizes = Sizes::new();
        let (mut seats, mut removed) = (0, 0);
        let mut add = |place: &SeatPlace| {
            *sizes.entry((place.target.clone(), place.group.clone())).or_default() += 1;
        };
        let now: BTreeMap<PersonId, &NewPerson> =
            change.changed.iter().map(|changed| (changed.person, &changed.now)).collect();
        let gone: BTreeSet<PersonId> = change.removed.iter().copied().collect();
        for row in stored {
            seats += row.seats.len() as u64;
            let changed = now.get(&row.person);
            for (_, place) in &row.seats {
                let stays = match changed {
                    Some(now) => now.seats.iter().any(|now| now.target == place.target),
                    None => !gone.contains(&row.person),
                };
                removed += u64::from(!stays);
                if stays && changed.is_none() {
                    add(place);
                }
            }
        }
        now.values().flat_map(|person| &person.seats).for_each(&mut add);
        change.added.iter().flat_map(|person| &person.seats).for_each(&mut add);
        Self { seats, removed, sizes }
    }

    /// What may go without being named by number: five seats, or two in a hundred.
    fn removals_allowed(&self) -> u64 {
        (self.seats / 50).max(5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(target: &str, group: &str) -> SeatPlace {
        let code = "the codes are well-formed";
        SeatPlace {
            target: target.parse().expect(code),
            group: group.parse().expect(code),
            unit: "so-noi-vu".parse().expect(code),
        }
    }

    fn person(n: i64, seats: &[SeatPlace]) -> NewPerson {
        let text = || n.to_string();
        NewPerson { external_id: None, name: text(), email: text(), position: text(), seats: seats.to_vec() }
    }

    fn row(n: i64, seats: &[SeatPlace]) -> PersonRow {
        let NewPerson { external_id, name, email, position, seats } = person(n, seats);
        let seats = seats.into_iter().map(|place| (n, place)).collect();
        PersonRow { person: n, external_id, name, email, email_version: 1, position, seats, left: Vec::new() }
    }

    #[test]
    fn an_amendment_is_judged_by_the_frame_it_makes() {
        let both = [place("hanoi", "leaders"), place("sbv", "leaders")];
        let head = [place("hanoi", "heads")];
        let mut stored: Vec<PersonRow> = (1..=3).map(|n| row(n, &both)).collect();
        stored.push(PersonRow { seats: Vec::new(), left: vec![(4, head[0].clone())], ..row(4, &[]) });
        let changed = |n, seats: &[SeatPlace]| ChangedPerson { person: n, now: person(n, seats) };
        let change = RosterChange {
            basis: 1,
            added: vec![person(9, &head)],
            changed: vec![changed(1, &head), changed(4, &head)],
            removed: vec![2],
        };
        let effect = Effect::of(&stored, &change);
        // Two seats of the one who is gone, and one of the one who now rates a single target.
        assert_eq!((effect.seats, effect.removed), (6, 3));
        let sizes: Vec<_> = effect.sizes.iter().map(|((t, g), n)| (t.as_str(), g.as_str(), *n)).collect();
        assert_eq!(sizes, [("hanoi", "heads", 3), ("hanoi", "leaders", 1), ("sbv", "leaders", 1)]);
        assert_eq!(by_group(effect.sizes).into_values().collect::<Vec<_>>(), [3, 1]);
    }

    #[test]
    fn few_removals_pass_and_two_in_a_hundred() {
        for (seats, allowed) in [(0, 5), (12, 5), (299, 5), (300, 6), (851, 17), (50_000, 1000)] {
            assert_eq!(Effect { seats, removed: 0, sizes: Sizes::new() }.removals_allowed(), allowed, "{seats}");
        }
    }
}
