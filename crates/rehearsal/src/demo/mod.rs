//! The demonstration: a whole campaign on sample data, from roster to index, through real mail, form and ballot box.
//!
//! Every step is an act of `desk`, as a department would take it; only people, relay and calendar are made up.
//! The folder it makes is a real campaign and data folder: every command can be tried on it afterwards.

mod field;
mod folder;
mod small;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use parsurvey_desk::mailing::Relay;
use parsurvey_desk::opening::OpenOptions;
use parsurvey_desk::roster::ImportOptions;
use parsurvey_desk::{Because, DataFolder, Desk, DeskError, load_campaign};
use parsurvey_dispatch::{Route, RunLimits, Stop};
use parsurvey_report::{Lang, Results};
use parsurvey_survey::campaign::{Campaign, MailKind};
use parsurvey_survey::status::{Status, StatusBy};

use crate::browser::BrowserError;
use crate::catcher::Catcher;
use crate::clock::CampaignClock;
use crate::sample::SampleError;

pub use folder::MARKER;
pub use small::{SmallSurvey, open_small};

/// The actor that the log of a demonstration names.
const ACTOR: &str = "demo";

/// Who is told how far it has come.
pub trait Watch: Send + Sync {
    /// A step begins.
    fn step(&self, what: &str);
    /// `done` of `total` respondents have answered.
    fn answered(&self, done: usize, total: usize);
}

/// Why a demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// An act was refused or failed.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The sample does not fit the campaign.
    #[error(transparent)]
    Sample(#[from] SampleError),
    /// A simulated respondent could not finish.
    #[error("a simulated respondent could not finish: {0}")]
    Browser(#[from] BrowserError),
    /// A document could not be written.
    #[error(transparent)]
    Report(#[from] parsurvey_report::ReportError),
    /// The machine refused a port or a file.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// What came out is not what must come out.
    #[error("the demonstration contradicts itself: {0}")]
    Contradiction(String),
}

/// What a demonstration made.
pub struct Demo {
    /// The folder it made.
    pub folder: PathBuf,
    /// The results.
    pub results: Results,
    /// The final status by group.
    pub status: Status,
    /// Mails that the relay took, by kind: prenotice, invitation, reminder.
    pub mails: [u64; 3],
    /// The documents written.
    pub documents: Vec<PathBuf>,
    /// The desk, for a status page that stays up.
    pub desk: Arc<Desk>,
    /// The clock it ran on.
    pub clock: Arc<CampaignClock>,
}

/// Runs the Hanoi sample in `out`, which is replaced only if an earlier demonstration made it.
///
/// # Errors
/// The folder is not ours, the machine refuses, or any step does not do what it must.
pub async fn run(out: &Path, watch: &dyn Watch, stop: &Stop) -> Result<Demo, DemoError> {
    watch.step("making the campaign folder, the ledger and the keys");
    let folder = folder::make(out)?;
    let (campaign, _) = load_campaign(&folder.campaign)?;
    let clock = Arc::new(CampaignClock::new(begin(&campaign)));
    let mut desk =
        Desk::init(campaign, DataFolder::new(&folder.data), None, &because("demonstration"), begin_of(&clock)).await?;
    desk.hold_keys_itself(&because("demonstration: both keys beside the data"), begin_of(&clock)).await?;

    watch.step("importing the roster");
    let roster = import(&desk, &folder.roster, begin_of(&clock)).await?;

    watch.step("starting the mail catcher and the form server on loopback");
    let catcher =
        Catcher::start(crate::catcher::Script::new()).await.map_err(|e| DemoError::Io("the mail catcher".into(), e))?;
    let server = field::Server::bind().await?;
    desk.set_link_base(&server.base);
    let desk = Arc::new(desk);
    let serving = server.start(Arc::clone(&desk), Arc::clone(&clock));

    let mut field = field::Field::new(Arc::clone(&desk), Arc::clone(&clock), catcher, roster, stop.clone())?;
    let mails = field.run(watch).await?;
    serving.stop().await?;

    watch.step("closing, opening the box, scoring");
    let after = after_the_grace(&desk).await?;
    clock.set(after);
    desk.close(&because("the field time is over"), after).await?;
    let keys = vec![folder.data.join("keys").join(format!("{}-box.key", desk.campaign().id))];
    desk.open_here(&keys, &OpenOptions::default(), &because("opened by the key holder"), after).await?;
    let results = desk.results(None, after).await?;
    let status = desk.status(StatusBy::Group, after).await?;
    let documents = write_documents(&results, &desk.data().out())?;
    Ok(Demo { folder: folder.root, results, status, mails, documents, desk, clock })
}

pub(crate) fn because(reason: &str) -> Because {
    Because { actor: ACTOR.into(), reason: reason.into(), document: String::new() }
}

pub(crate) fn relay(catcher: &Catcher) -> Relay {
    let limits = RunLimits { connections: 8, ..RunLimits::default() };
    Relay { way: Route::loopback(catcher.port()).into(), limits, settled: Arc::default() }
}

fn begin(campaign: &Campaign) -> Timestamp {
    // The first contact is the first thing that happens; keys and roster are ready on that day.
    campaign.contacts.first().map_or(campaign.opens, |contact| contact.due)
}

fn begin_of(clock: &CampaignClock) -> Timestamp {
    parsurvey_web::Clock::now(clock)
}

async fn after_the_grace(desk: &Desk) -> Result<Timestamp, DemoError> {
    let grace = jiff::SignedDuration::from_mins(i64::from(desk.campaign().grace_minutes) + 1);
    let deadline = desk.deadline().await?;
    deadline.checked_add(grace).map_err(|error| DemoError::Contradiction(error.to_string()))
}

pub(crate) async fn import(
    desk: &Desk,
    roster: &Path,
    now: Timestamp,
) -> Result<Vec<parsurvey_survey::roster::RosterRow>, DemoError> {
    let imported =
        desk.import_roster(roster, &ImportOptions::default(), &because("the list as handed in"), now).await?;
    if !imported.stored {
        let faults = imported.reading.faults.into_iter().chain(imported.reading.warnings).collect();
        return Err(DeskError::Faults { what: "the sample roster".into(), faults }.into());
    }
    Ok(imported.reading.rows)
}

fn write_documents(results: &Results, out: &Path) -> Result<Vec<PathBuf>, DemoError> {
    let mut written = Vec::new();
    for (name, bytes) in [
        ("report.vi.html", parsurvey_report::html::html(results, Lang::Vi)?.into_bytes()),
        ("report.en.html", parsurvey_report::html::html(results, Lang::En)?.into_bytes()),
        ("report.vi.xlsx", parsurvey_report::xlsx::xlsx(results, Lang::Vi)?),
        ("score.json", format!("{:#}\n", parsurvey_report::score_json::score_json(results)).into_bytes()),
        ("index.json", format!("{:#}\n", parsurvey_report::score_json::index_json(results)).into_bytes()),
    ] {
        let path = out.join(name);
        parsurvey_desk::files::write_whole(&path, &bytes)?;
        written.push(path);
    }
    Ok(written)
}

/// The kinds of mail in the order in which [`Demo::mails`] counts them.
pub const KINDS: [MailKind; 3] = [MailKind::Prenotice, MailKind::Invitation, MailKind::Reminder];
