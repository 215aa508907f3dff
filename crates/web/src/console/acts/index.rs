//! The page of all acts: how the survey stands, and what can be done.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use parsurvey_desk::DeskError;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::outlook::Standing as Stands;
use parsurvey_ledger::{CampaignState, ProposalState};
use parsurvey_survey::delivery::MailState;

use super::{INDEX, post, preview, proposals, written};
use crate::console::Shared;
use crate::console::shell::{Place, Shell, unavailable};
use crate::guard::UPLOAD;
use crate::problem::{Standing, reply};
use crate::words::Lang;

/// A way to an act.
struct Way {
    address: String,
    label: String,
    note: String,
}

/// Acts that belong together.
struct Group {
    title: String,
    ways: Vec<Way>,
}

/// The page.
#[derive(Template)]
#[template(path = "console/acts.html")]
struct ActsPage<'a> {
    c: Shell<'a>,
    state: Vec<String>,
    groups: Vec<Group>,
}

/// GET of the page.
pub(in crate::console) async fn page(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
) -> Response {
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "acts-title", INDEX);
    c.told = room.once.told(&visitor.account.name, uri.query());
    match drawn(&room, c).await {
        Ok(page) => reply(Standing::Fine, page),
        Err(error) => unavailable(&room, lang, Some(&visitor), &error),
    }
}

async fn drawn(room: &Shared, c: Shell<'_>) -> Result<Result<String, askama::Error>, DeskError> {
    let standing = room.desk.standing().await?;
    let open = room.desk.proposals().await?.iter().filter(|row| row.state == ProposalState::Open).count() as u64;
    let (lang, state) = (c.f.lang, state(room, c.f.lang, &standing));
    let way = |path: &str, label: &str, note: String| Way { address: c.link(path), label: c.t(label), note };
    let mails = |is: fn(MailState) -> bool| standing.mails_that(is);
    let mut sending = vec![match &standing.pause {
        None => way("/console/acts/pause", "act-pause-title", c.t("act-pause-note")),
        Some(_) => way("/console/acts/resume", "act-resume-title", c.t("act-resume-note")),
    }];
    if !standing.is_over() {
        let note = if post::is_running(&room.post) { "act-send-running" } else { "act-send-note" };
        sending.insert(0, way(post::PATH, "act-send-title", c.t(note)));
    }
    sending.push(way(preview::PATH_OF_FIRST, "preview-title", c.t("preview-note")));
    let held = mails(|state| state == MailState::Planned);
    if held > 0 {
        let note = lang.t1("act-let-go-held", "n", lang.count(held));
        sending.push(way("/console/acts/let-go", "act-let-go-title", note));
    }
    let unknown = mails(|state| state == MailState::Unknown);
    if unknown > 0 {
        let note = lang.t1("act-unknown-note", "n", lang.count(unknown));
        sending.push(way("/console/people?state=unknown", "act-unknown-title", note));
    }
    let mut people = vec![
        way("/console/people", "acts-people-title", c.t("acts-people-note")),
        way(proposals::PATH, "proposals-title", lang.t1("proposals-note", "n", lang.count(open))),
    ];
    if !standing.is_over() {
        people.push(way(UPLOAD, "roster-title", c.t("roster-note")));
    }
    let mut ending = vec![way("/console/acts/close", "act-close-title", c.t("act-close-note"))];
    if !standing.is_over() {
        ending.insert(0, way("/console/acts/extend", "act-extend-title", c.t("act-extend-note")));
    }
    let group = |title: &str, ways: Vec<Way>| Group { title: c.t(title), ways };
    let groups = vec![group("acts-sending", sending), group("acts-people", people), group("acts-ending", ending)];
    Ok(ActsPage { state, groups, c }.render())
}

/// How the survey stands, in sentences.
fn state(room: &Shared, lang: Lang, standing: &Stands) -> Vec<String> {
    let state = match standing.state {
        CampaignState::Draft => "acts-state-draft",
        CampaignState::Inviting => "acts-state-inviting",
        CampaignState::Closed => "acts-state-closed",
        CampaignState::Opened | CampaignState::Released => "acts-state-opened",
    };
    let mut said = vec![lang.t1(state, "time", written(room, lang, standing.deadline))];
    if let Some(pause) = &standing.pause {
        said.push(lang.t2("act-paused-by", ("who", &pause.by), ("why", &pause.why)));
    }
    let mails = |is: fn(MailState) -> bool| lang.count(standing.mails_that(is));
    let (waiting, unclear) = (mails(MailState::is_waiting), mails(MailState::is_unclear));
    said.push(lang.t2("acts-mails", ("waiting", waiting), ("unknown", unclear)));
    said
}
