//! The log against itself, against heads that were kept elsewhere, and against the tables that follow from it.
//!
//! Everything is read in one snapshot, so that people who answer meanwhile make no contradiction.

use std::collections::{BTreeMap, BTreeSet};

use parsurvey_survey::seat::FormId;
use sqlx::any::Any;

use crate::Ledger;
use crate::act::code;
use crate::campaign::CampaignState;
use crate::connect::Backend;
use crate::error::Result;
use crate::event::{Link, walk};

/// What reading the whole log found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditedLog {
    /// Entries whose hash follows, from the first on without a gap.
    pub intact: i64,
    /// The first entry that does not follow, or is missing.
    pub broken_at: Option<i64>,
    /// Entries the campaign's row remembers.
    pub entries: i64,
    /// The hash at each of the numbers that were asked about, as the log has it now; none beyond its end.
    pub hashes: BTreeMap<i64, String>,
    /// What the log and the tables say of the same thing.
    pub states: Vec<StateCheck>,
}

/// One thing that both the log and the tables tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateCheck {
    /// Which.
    pub what: StateOf,
    /// How many the log tells.
    pub log: u64,
    /// How many the tables have.
    pub tables: u64,
    /// How many of either are not the other's.
    pub differing: u64,
}

/// What both the log and the tables tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateOf {
    /// Forms that were submitted, each at the same moment.
    Completions,
    /// Ballots: one for each completed form until the tally is imported, none afterwards.
    Ballots,
    /// Forms that are excused.
    Excused,
    /// How often forms passed on to another person.
    Holders,
    /// How far the campaign has come.
    Stage,
}

/// The entries that say something about a form or the campaign, summed up.
#[derive(Default)]
struct Told {
    completed: BTreeMap<FormId, i64>,
    excused: BTreeSet<FormId>,
    passed_on: BTreeMap<FormId, i64>,
    stage: Option<CampaignState>,
}

impl Told {
    fn take(&mut self, link: &Link) {
        match (link.kind.as_str(), link.form) {
            ("submitted", Some(form)) => {
                self.completed.insert(form, link.at);
            }
            ("excused", Some(form)) => {
                self.excused.insert(form);
            }
            ("reinstated", Some(form)) => {
                self.excused.remove(&form);
            }
            ("replaced", Some(form)) => {
                self.excused.remove(&form);
                *self.passed_on.entry(form).or_default() += 1;
            }
            ("created", _) => self.stage = Some(CampaignState::Draft),
            ("frozen", _) if self.stage == Some(CampaignState::Draft) => self.stage = Some(CampaignState::Inviting),
            ("closed", _) => self.stage = Some(CampaignState::Closed),
            ("tally_imported", _) => self.stage = Some(CampaignState::Opened),
            ("released", _) => self.stage = Some(CampaignState::Released),
            _ => {}
        }
    }
}

impl Ledger {
    /// Recomputes the whole log, tells its hash at each of `asked`, and compares the tables with what it says.
    ///
    /// # Errors
    /// The ledger cannot be read. A broken chain and a contradiction are no errors but answers.
    pub async fn audit_log(&self, asked: &BTreeSet<i64>) -> Result<AuditedLog> {
        let begin = match self.backend {
            Backend::Sqlite => "BEGIN",
            Backend::Postgres => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        };
        let mut tx = self.reader.begin_with(begin).await?;
        let (entries, head, state) =
            sqlx::query_as::<Any, (i64, String, String)>("SELECT event_seq, event_hash, state FROM campaign")
                .fetch_one(&mut *tx)
                .await?;
        let (mut hashes, mut told) = (BTreeMap::new(), Told::default());
        let walked = walk(&mut tx, entries, |link| {
            if asked.contains(&link.seq) {
                hashes.insert(link.seq, link.hash.clone());
            }
            told.take(link);
        })
        .await?;
        let rows = sqlx::query_scalar::<Any, i64>("SELECT COUNT(*) FROM event").fetch_one(&mut *tx).await?;
        // A log whose last entry is not the one the campaign remembers breaks there, or behind it where it goes on.
        let broken_at = walked
            .broken_at
            .or_else(|| (walked.head != head).then_some(entries))
            .or_else(|| (rows > entries).then_some(entries + 1));
        let states = compare(&mut tx, &told, code(&state, "campaign.state")?).await?;
        Ok(AuditedLog { intact: walked.intact, broken_at, entries, hashes, states })
    }
}

/// The tables beside what the log tells.
async fn compare(tx: &mut sqlx::AnyConnection, told: &Told, state: CampaignState) -> Result<Vec<StateCheck>> {
    let seats = sqlx::query_as::<Any, (i64, Option<i64>, Option<String>, i64)>(
        "SELECT form, completed, excused, holder FROM seat ORDER BY form",
    )
    .fetch_all(&mut *tx)
    .await?;
    let ballots: BTreeSet<i64> =
        sqlx::query_scalar::<Any, i64>("SELECT form FROM ballot").fetch_all(&mut *tx).await?.into_iter().collect();
    let completed: BTreeSet<(i64, i64)> =
        seats.iter().filter_map(|(form, completed, ..)| Some((*form, (*completed)?))).collect();
    let excused: BTreeSet<i64> =
        seats.iter().filter(|(_, _, excused, _)| excused.is_some()).map(|(form, ..)| *form).collect();
    let passed_on: BTreeSet<(i64, i64)> =
        seats.iter().filter(|(_, _, _, holder)| *holder > 1).map(|(form, _, _, holder)| (*form, holder - 1)).collect();
    let has_ballots = matches!(state, CampaignState::Draft | CampaignState::Inviting | CampaignState::Closed);
    let expected: BTreeSet<i64> = if has_ballots { told.completed.keys().copied().collect() } else { BTreeSet::new() };
    let stage = |stage: Option<CampaignState>| stage.map(|stage| stage as u64).into_iter().collect();
    Ok(vec![
        check(StateOf::Completions, &told.completed.iter().map(|(form, at)| (*form, *at)).collect(), &completed),
        check(StateOf::Ballots, &expected, &ballots),
        check(StateOf::Excused, &told.excused, &excused),
        check(StateOf::Holders, &told.passed_on.iter().map(|(form, n)| (*form, *n)).collect(), &passed_on),
        check::<u64>(StateOf::Stage, &stage(told.stage), &stage(Some(state))),
    ])
}

fn check<T: Ord>(what: StateOf, log: &BTreeSet<T>, tables: &BTreeSet<T>) -> StateCheck {
    let differing = log.symmetric_difference(tables).count() as u64;
    StateCheck { what, log: log.len() as u64, tables: tables.len() as u64, differing }
}
