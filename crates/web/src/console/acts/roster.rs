//! The list of respondents from a file: handed in, read, shown with its faults or its difference to what is stored, and
//! stored when somebody decides so.
//!
//! Between the two pages the file is kept in memory, one for each account and few altogether, because it is full of names
//! and addresses: no copy of it lies in any folder.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::Uri;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::proposals::Acted;
use parsurvey_desk::roster::{ImportOptions, Imported};
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::CampaignState;
use parsurvey_survey::account::AccountName;
use parsurvey_survey::fault::Fault;
use parsurvey_survey::roster::WARNINGS;
use tokio::sync::Semaphore;

use super::{Act, Ask, Fact, Given, Input, Kind, Outlook, Table, mark};
use crate::console::Shared;
use crate::console::shell::{Place, Shell, problem, with_lang};
use crate::guard::UPLOAD;
use crate::problem::{Problem, Standing, reply, see_other};
use crate::words::Lang;

/// The largest file, in bytes: twice a list of 50,000 people. A province's list has a hundredth of it.
const FILE_MOST: usize = 16 * 1024 * 1024;
/// How much of a larger one is received and thrown away, so that the browser shows our page instead of a broken line.
const RECEIVED_MOST: usize = 40 * 1024 * 1024;
/// Files that are kept, and files that are received at once.
const KEPT: usize = 6;
/// How long a file may take to arrive.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a file is kept for whoever has to decide.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(30);
/// Rows that a page shows of each kind.
const SHOWN: usize = 200;

/// Stores the list that was handed in.
pub(in crate::console) struct StoreRoster;

/// Lists that were handed in.
pub(in crate::console) struct Uploads {
    files: Mutex<VecDeque<Arc<File>>>,
    places: Semaphore,
}

impl Default for Uploads {
    fn default() -> Self {
        Self { files: Mutex::default(), places: Semaphore::new(KEPT) }
    }
}

/// A list as it was handed in.
struct File {
    account: AccountName,
    at: Timestamp,
    name: String,
    bytes: Bytes,
}

impl Uploads {
    /// Keeps a file in the place of the one that the account handed in before.
    fn keep(&self, file: File) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.retain(|other| other.account != file.account && file.at.duration_since(other.at) < KEPT_FOR);
        if files.len() >= KEPT {
            files.pop_front();
        }
        files.push_back(Arc::new(file));
    }

    fn of(&self, account: &AccountName, now: Timestamp) -> Option<Arc<File>> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().find(|file| file.account == *account && now.duration_since(file.at) < KEPT_FOR).cloned()
    }

    fn drop_of(&self, account: &AccountName) {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).retain(|file| file.account != *account);
    }
}

/// The page where a file is handed in.
#[derive(Template)]
#[template(path = "console/roster.html")]
struct RosterPage<'a> {
    c: Shell<'a>,
    fault: Option<String>,
}

/// GET of the page.
pub(in crate::console) async fn page(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
) -> Response {
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "roster-title", UPLOAD);
    c.told = room.once.told(&visitor.account.name, uri.query());
    reply(Standing::Fine, RosterPage { c, fault: None }.render())
}

/// POST of the page: takes the file, and leads to what is in it.
pub(in crate::console) async fn upload(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    lang: Lang,
    mut request: Request,
) -> Response {
    DefaultBodyLimit::max(RECEIVED_MOST).apply(&mut request);
    let account = visitor.account.name.clone();
    let received = async {
        let _place = room.uploads.places.acquire().await.ok()?;
        Some(file_in(request).await)
    };
    let received = match tokio::time::timeout(PATIENCE, received).await {
        Ok(Some(received)) => received,
        Ok(None) => return problem(&room, lang, Some(&visitor), Problem::Unavailable),
        Err(_elapsed) => return problem(&room, lang, Some(&visitor), Problem::TooSlow),
    };
    let fault = match received {
        Ok((name, bytes)) if !bytes.is_empty() => {
            room.uploads.keep(File { account, at: room.clock.now(), name, bytes });
            return see_other(&with_lang("/console/roster/store", lang));
        }
        Ok(_) => lang.t("roster-no-file"),
        Err(TooLarge) => lang.t1("roster-too-large", "mb", FILE_MOST / 1024 / 1024),
    };
    let c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "roster-title", UPLOAD);
    reply(Standing::Faulty, RosterPage { c, fault: Some(fault) }.render())
}

/// A file beyond the limit.
struct TooLarge;

/// The file of a post with its name; no bytes where there is none.
async fn file_in(request: Request) -> Result<(String, Bytes), TooLarge> {
    let nothing = || (String::new(), Bytes::new());
    let parts: Result<Multipart, MultipartRejection> = Multipart::from_request(request, &()).await;
    let Ok(mut parts) = parts else { return Ok(nothing()) };
    loop {
        match parts.next_field().await {
            Ok(Some(field)) if field.name() == Some("file") => {
                let name: String = field.file_name().unwrap_or_default().chars().take(200).collect();
                return Ok((name, whole(field).await?));
            }
            Ok(Some(_other)) => {}
            Ok(None) => return Ok(nothing()),
            Err(_cut) => return Err(TooLarge),
        }
    }
}

/// The bytes of a file. What is beyond the limit is not kept.
async fn whole(mut field: Field<'_>) -> Result<Bytes, TooLarge> {
    let (mut kept, mut received) = (Vec::new(), 0);
    while let Some(part) = field.chunk().await.map_err(|_cut| TooLarge)? {
        received += part.len();
        if received <= FILE_MOST {
            kept.extend_from_slice(&part);
        } else {
            kept = Vec::new();
        }
    }
    if received > FILE_MOST { Err(TooLarge) } else { Ok(kept.into()) }
}

impl Act for StoreRoster {
    const NAME: &'static str = "roster";
    const TITLE: &'static str = "act-roster-title";
    const BUTTON: &'static str = "act-roster-button";
    const DOCUMENT: bool = true;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let standing = ask.room.desk.standing().await?;
        let hindrances = ask.field_only(&standing);
        let mut look = Outlook { back: UPLOAD.to_owned(), hindrances, ..Outlook::default() };
        let Some(file) = ask.room.uploads.of(&ask.visitor.account.name, ask.now) else {
            look.hindrances.push(ask.t("roster-no-file"));
            look.consequences.push(ask.t("act-roster-nothing"));
            return Ok(Some(look));
        };
        let options = ImportOptions { accept: every_warning(), dry_run: true, ..ImportOptions::default() };
        let read = imported(ask, &file, options, Because::default()).await?;
        describe(ask, &file, &read, standing.state, &mut look);
        let difference = &read.difference;
        look.mark = mark((
            &read.reading.sha256,
            standing.state as u8,
            (difference.added.len(), difference.changed.len(), difference.removed.len(), difference.returned.len()),
            read.seats_removed,
        ));
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        let account = &ask.visitor.account.name;
        let Some(file) = ask.room.uploads.of(account, ask.now) else {
            return Err(DeskError::refused("the file is kept no longer", "hand it in again"));
        };
        let options = ImportOptions {
            accept: every_warning(),
            amend: ask.room.desk.standing().await?.state != CampaignState::Draft,
            removes: given.get("removes").parse().ok(),
            ..ImportOptions::default()
        };
        let done = imported(ask, &file, options, because.clone()).await?;
        ask.room.uploads.drop_of(account);
        Ok(match done.waits {
            Some(Acted::Waits { proposal, .. }) => ask.lang.t1("act-proposed", "proposal", proposal),
            Some(Acted::Done) | None => ask.lang.t1("act-roster-done", "n", ask.count(done.reading.rows.len() as u64)),
        })
    }
}

/// Hands the file to the desk. Reading a long list takes a whole core for a while, in which respondents are served.
async fn imported(
    ask: &Ask,
    file: &Arc<File>,
    options: ImportOptions,
    because: Because,
) -> Result<Imported, DeskError> {
    let (desk, file, now) = (Arc::clone(&ask.room.desk), Arc::clone(file), ask.now);
    let runtime = tokio::runtime::Handle::current();
    let importing = tokio::task::spawn_blocking(move || {
        runtime.block_on(desk.import_roster_bytes(&file.name, &file.bytes, &options, &because, now))
    });
    importing.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
}

/// Warnings are accepted by a box of their own on the page, all that are shown.
fn every_warning() -> BTreeSet<String> {
    WARNINGS.iter().map(|&code| code.to_owned()).collect()
}

/// What was read, what is wrong with it, and what it would change.
fn describe(ask: &Ask, file: &File, read: &Imported, state: CampaignState, look: &mut Outlook) {
    let (reading, difference) = (&read.reading, &read.difference);
    let count = |n: usize| ask.count(n as u64);
    look.facts = [
        ("roster-file", file.name.clone()),
        ("roster-read", count(reading.read)),
        ("roster-valid", count(reading.rows.len())),
        ("roster-repaired", count(reading.repaired.len())),
        ("roster-faults", count(reading.faults.len())),
        ("roster-warnings", count(reading.warnings.len())),
    ]
    .into_iter()
    .map(|(label, text)| Fact { label: ask.t(label), text })
    .collect();
    look.tables.extend(fault_table(ask, "faults", "roster-faults", &reading.faults));
    look.tables.extend(fault_table(ask, "warnings", "roster-warnings", &reading.warnings));
    if !reading.faults.is_empty() {
        look.hindrances.push(ask.lang.t1("act-roster-faulty", "n", count(reading.faults.len())));
        look.consequences.push(ask.t("act-roster-nothing"));
        return;
    }
    if difference.is_empty() {
        look.hindrances.push(ask.t("act-roster-same"));
        look.consequences.push(ask.t("act-roster-nothing"));
        return;
    }
    look.tables.extend(change_table(ask, read));
    if ask.room.desk.needs_two(state) {
        look.consequences.push(ask.t("act-two-people"));
    }
    let (added, changed) = (count(difference.added.len()), count(difference.changed.len()));
    let (removed, returned) = (count(difference.removed.len()), count(difference.returned.len()));
    look.consequences.push(ask.lang.tn(
        "act-roster-changes",
        &[("added", &added), ("changed", &changed), ("removed", &removed), ("returned", &returned)],
    ));
    if state != CampaignState::Draft {
        look.consequences.extend(["act-roster-told", "act-roster-mail"].map(|key| ask.t(key)));
    }
    let input = |name, label: String, hint: String, kind| Input { name, label, hint, kind, required: true };
    if !reading.warnings.is_empty() {
        let label = ask.lang.t1("act-roster-accept", "n", count(reading.warnings.len()));
        look.inputs.push(input("warnings", label, String::new(), Kind::Agree));
    }
    if state != CampaignState::Draft && read.seats_removed > 0 {
        let hint = ask.lang.t1("act-roster-removes-hint", "n", read.seats_removed);
        look.inputs.push(input("removes", ask.t("act-roster-removes"), hint, Kind::Text));
    }
}

fn fault_table(ask: &Ask, id: &'static str, title: &str, faults: &[Fault]) -> Option<Table> {
    let row = |fault: &Fault| {
        let line = if fault.line == 0 { String::new() } else { fault.line.to_string() };
        vec![line, fault.field.clone(), fault.reason.clone(), fault.remedy.clone()]
    };
    (!faults.is_empty()).then(|| Table {
        id,
        title: ask.t(title),
        head: ["roster-line", "roster-column", "roster-what", "roster-remedy"].map(|key| ask.t(key)).into(),
        rows: faults.iter().take(SHOWN).map(row).collect(),
        own: 2,
    })
}

fn change_table(ask: &Ask, read: &Imported) -> Option<Table> {
    let campaign = ask.room.desk.campaign();
    let unit = |code| campaign.unit(code).map_or_else(|| code.to_string(), |unit| unit.name.clone());
    let fields = |fields: &[&'static str]| {
        let words = fields.iter().map(|field| ask.t(field_key(field)));
        words.collect::<Vec<_>>().join(", ")
    };
    let difference = &read.difference;
    let (added, changed) = (difference.added.iter(), difference.changed.iter());
    let mut rows = Vec::new();
    rows.extend(difference.removed.iter().take(SHOWN).map(|person| {
        vec![ask.t("roster-removed"), String::new(), person.name.clone(), unit(&person.unit), String::new()]
    }));
    for (word, some) in [("roster-changed", changed), ("roster-returned", difference.returned.iter())] {
        rows.extend(some.take(SHOWN).map(|change| {
            let row = &change.row;
            vec![ask.t(word), row.line.to_string(), row.name.clone(), unit(&row.unit), fields(&change.fields)]
        }));
    }
    rows.extend(added.take(SHOWN).map(|row| {
        vec![ask.t("roster-added"), row.line.to_string(), row.name.clone(), unit(&row.unit), String::new()]
    }));
    let head = ["roster-change", "roster-line", "c-people-name", "chase-unit", "roster-fields"];
    let title = ask.lang.t1("roster-changes", "most", SHOWN);
    (!rows.is_empty()).then(|| Table { id: "changes", title, head: head.map(|key| ask.t(key)).into(), rows, own: 5 })
}

/// The word for a field that differs.
fn field_key(field: &str) -> &'static str {
    match field {
        "name" => "c-people-name",
        "email" => "c-person-email",
        "group" => "status-group",
        "unit" => "chase-unit",
        "position" => "c-person-position",
        _ => "roster-id",
    }
}
