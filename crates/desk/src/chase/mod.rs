//! Chasing: the morning's counts, the letters to units on paper and by mail, the order to name people, the digest.
//!
//! What a unit may be told is decided in [`parsurvey_survey::chase`]. A letter is made or told once, however often and by
//! however many the command is run; what nobody knows is held and shown, never sent again by itself.

mod digest;
mod post;

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use jiff::civil::Date;
use parsurvey_ledger::{CampaignState, ChaseHow, ChaseLetter as ToldLetter, NewChaseLetter};
use parsurvey_report::docx::{self, ChaseLetter, ChaseSummary, NamedPerson, UnitCounts};
use parsurvey_survey::campaign::{Campaign, Chasing};
use parsurvey_survey::chase::{self, Chase, ChaseRow, NamesRefused, UnitLetter};
use parsurvey_survey::seat::Seat;
use parsurvey_survey::template::domain_of;
use parsurvey_survey::{calendar, hex};
use sha2::{Digest as _, Sha256};

use crate::acts::documented;
use crate::files::{private_folder, write_whole};
use crate::{Because, Desk, DeskError};

pub use digest::DigestSent;
pub use post::SentLetters;

/// The table over all units; no unit's code has a space, so that it stands in no letter's place.
const ALL_UNITS: &str = "all units.docx";

/// Letters on paper.
#[derive(Debug)]
pub struct MadeLetters {
    /// Where they lie.
    pub folder: PathBuf,
    /// The units with a letter, and the letter's counts.
    pub letters: Vec<ChaseRow>,
    /// How many were not made before.
    pub new: u64,
}

/// One morning's letters with what they need to be written.
struct Morning<'a> {
    chasing: &'a Chasing,
    letters: Vec<UnitLetter>,
    /// Per letter the people it names; `None` where nobody is named.
    names: Option<Vec<Vec<NamedPerson>>>,
    order: String,
    chase: Chase,
    day: Date,
    closes: Timestamp,
}

impl Desk {
    /// Where every unit stands. Counts only.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn chase(&self, now: Timestamp) -> Result<Chase, DeskError> {
        let seats = self.ledger.seats().await?;
        Ok(chase::chase(&self.campaign, &seats, self.deadline().await?, now))
    }

    /// Records the organiser's order that people may be named: its document number, the reason and who recorded it.
    ///
    /// # Errors
    /// Something of the three is missing, or the survey is closed.
    pub async fn order_names(&self, because: &Because, now: Timestamp) -> Result<(), DeskError> {
        documented(because)?;
        self.field_open("order names").await?;
        Ok(self.ledger.record_chase_order(&because.act(now)).await?)
    }

    /// Writes one letter per coordinator into `out/chase/DAY`, with a table over all units beside them, and records each.
    /// Run again on the same day it writes the same bytes, and records nothing twice.
    ///
    /// # Errors
    /// The campaign declares no `[chase]`, nobody was invited, the deadline has passed, names are not allowed (yet), or a
    /// file cannot be written.
    pub async fn chase_letters(
        &self,
        names: bool,
        because: &Because,
        now: Timestamp,
    ) -> Result<MadeLetters, DeskError> {
        let morning = self.morning(names, now).await?;
        let folder = self.data.out().join("chase").join(morning.day.to_string());
        private_folder(&folder)?;
        let mut recorded = Vec::new();
        for (place, letter) in morning.letters.iter().enumerate() {
            let bytes = docx::chase_letter(&self.on_paper(&morning, place))
                .map_err(|error| DeskError::unfinished(error.to_string(), "run the command again"))?;
            write_whole(&folder.join(format!("{}.docx", letter.to)), &bytes)?;
            recorded.push(morning.record(letter, ChaseHow::Docx, &bytes));
        }
        let summary = docx::chase_summary(&self.summary(&morning))
            .map_err(|error| DeskError::unfinished(error.to_string(), "run the command again"))?;
        write_whole(&folder.join(ALL_UNITS), &summary)?;
        let new = self.ledger.record_chase_letters(&recorded, &morning.because(because).act(now)).await?;
        let row = |letter: &UnitLetter| ChaseRow { key: letter.to.to_string(), counts: letter.total };
        Ok(MadeLetters { folder, letters: morning.letters.iter().map(row).collect(), new })
    }

    /// Who was told what and when, oldest first.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub async fn chase_told(&self) -> Result<Vec<ToldLetter>, DeskError> {
        Ok(self.ledger.chase_letters().await?)
    }

    pub(super) fn chasing(&self) -> Result<&Chasing, DeskError> {
        self.campaign.chasing.as_ref().ok_or_else(|| {
            DeskError::refused(
                "the campaign does not say who chases",
                "add a [chase] table to campaign.toml, as in the sample campaigns, and run `parsurvey check`",
            )
        })
    }

    async fn morning(&self, names: bool, now: Timestamp) -> Result<Morning<'_>, DeskError> {
        let chasing = self.chasing()?;
        if self.field_open("chase").await? == CampaignState::Draft {
            return Err(DeskError::refused("nobody was invited yet", "run `parsurvey invite` first"));
        }
        let closes = self.deadline().await?;
        if now > closes {
            return Err(DeskError::refused(
                format!("the deadline has passed ({})", calendar::written(closes, &self.campaign.time_zone)),
                "extend it with `parsurvey extend`, or close the survey",
            ));
        }
        let order = if names { self.order_in_force(now).await? } else { String::new() };
        let seats = self.ledger.seats().await?;
        let letters = chase::letters(&self.campaign, &seats);
        let names = if names { Some(self.people_of(&letters, &seats).await?) } else { None };
        Ok(Morning {
            chasing,
            letters,
            names,
            order,
            chase: chase::chase(&self.campaign, &seats, closes, now),
            day: chase::day_of(&self.campaign, now),
            closes,
        })
    }

    /// The order that allows names now.
    async fn order_in_force(&self, now: Timestamp) -> Result<String, DeskError> {
        let order = self.ledger.chase_orders().await?.pop();
        let refused = match chase::may_name(&self.campaign, order.is_some(), now) {
            Ok(()) => return Ok(order.map(|order| order.document).unwrap_or_default()),
            Err(refused) => refused,
        };
        Err(match refused {
            NamesRefused::NoOrder => DeskError::refused(
                "names may be told only on the organiser's order, and none is recorded",
                "record it with `parsurvey chase order --document … --reason …`, or leave --names out",
            ),
            NamesRefused::TooEarly(due) => DeskError::refused(
                format!(
                    "names may be told only with the last reminder, which is due at {}",
                    calendar::written(due, &self.campaign.time_zone)
                ),
                "leave --names out until then",
            ),
            NamesRefused::NoReminder => DeskError::refused(
                "names may be told only with the last reminder, and the campaign declares none",
                "leave --names out",
            ),
        })
    }

    async fn people_of(&self, letters: &[UnitLetter], seats: &[Seat]) -> Result<Vec<Vec<NamedPerson>>, DeskError> {
        let stored = self.ledger.stored_people().await?;
        let people: BTreeMap<_, _> = stored.people.iter().map(|person| (person.person, person)).collect();
        let of_letter = |letter| {
            let named = chase::names(letter, seats).into_iter();
            named
                .filter_map(|named| {
                    let person = people.get(&named.person)?;
                    let unit = chase::unit_name(&self.campaign, &named.unit).to_owned();
                    Some(NamedPerson { name: person.name.clone(), position: person.position.clone(), unit })
                })
                .collect()
        };
        Ok(letters.iter().map(of_letter).collect())
    }

    fn on_paper(&self, morning: &Morning<'_>, place: usize) -> ChaseLetter {
        let (campaign, chasing, letter) = (&self.campaign, morning.chasing, &morning.letters[place]);
        let sender = &campaign.sender;
        ChaseLetter {
            superior: chasing.superior.clone(),
            agency: chasing.agency.clone(),
            place: chasing.place.clone(),
            date: chase::date_in_words(morning.day),
            day: morning.day.strftime("%d/%m/%Y").to_string(),
            symbol: chasing.symbol.clone(),
            signer: chasing.signer.clone(),
            title: campaign.title.vi.clone(),
            year: campaign.year,
            organiser: sender.organiser.vi.clone(),
            official_letter: sender.official_letter.vi.clone(),
            to: chase::unit_name(campaign, &letter.to).to_owned(),
            rows: named_rows(campaign, &letter.rows),
            total: letter.total,
            closes: morning.closes_in_words(campaign),
            sender_address: sender.address.clone(),
            link_domain: domain_of(&self.link_base).to_owned(),
            helpline_phone: sender.helpline_phone.clone(),
            helpline_email: sender.helpline_email.clone(),
            names: morning.names.as_ref().map(|names| names[place].clone()),
            order: morning.order.clone(),
            synthetic: campaign.sample,
        }
    }

    fn summary(&self, morning: &Morning<'_>) -> ChaseSummary {
        ChaseSummary {
            title: self.campaign.title.vi.clone(),
            day: morning.day.strftime("%d/%m/%Y").to_string(),
            closes: morning.closes_in_words(&self.campaign),
            rows: named_rows(&self.campaign, &morning.chase.units),
            total: morning.chase.total,
            synthetic: self.campaign.sample,
        }
    }
}

impl Morning<'_> {
    fn record(&self, letter: &UnitLetter, how: ChaseHow, bytes: &[u8]) -> NewChaseLetter {
        NewChaseLetter {
            unit: letter.to.to_string(),
            day: self.day,
            how,
            named: self.names.is_some(),
            counts: letter.total,
            sha256: hex(&Sha256::digest(bytes)),
        }
    }

    /// Who acts, with the order as the document where people are named.
    fn because(&self, because: &Because) -> Because {
        Because { document: self.order.clone(), ..because.clone() }
    }

    fn closes_in_words(&self, campaign: &Campaign) -> String {
        self.closes.to_zoned(campaign.time_zone.clone()).strftime("%H:%M ngày %d/%m/%Y").to_string()
    }
}

fn named_rows(campaign: &Campaign, rows: &[ChaseRow]) -> Vec<UnitCounts> {
    let name = |key: &str| {
        let unit = campaign.units.iter().find(|unit| unit.code.as_str() == key);
        unit.map_or_else(|| key.to_owned(), |unit| unit.name.clone())
    };
    rows.iter().map(|row| UnitCounts { name: name(&row.key), counts: row.counts }).collect()
}
