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
    match drawn(&room, &visitor, c).await {
        Ok(page) => reply(Standing::Fine, page),
        Err(error) => unavailable(&room, lang, Some(&visitor), &error),
    }
}

async fn drawn(room: &Shared, visitor: &Visitor, c: Shell<'_>) -> Result<Result<String, askama::Error>, DeskError> {
    let standing = room.desk.standing().await?;
    let proposals = proposals::seen(room, visitor).await?;
    let open = proposals.iter().filter(|row| row.state == ProposalState::Open).count() as u64;
    // An account for one rated body is told no figure of the whole survey, and does nothing with it.
    let whole = visitor.scope.target.is_none();
    let group = |title: &str, ways: Vec<Way>| Group { title: c.t(title), ways };
    let preview = way(&c, preview::PATH_OF_FIRST, "preview-title", c.t("preview-note"));
    let mut people = vec![
        way(&c, "/console/people", "acts-people-title", c.t("acts-people-note")),
        way(&c, proposals::PATH, "proposals-title", c.f.lang.t1("proposals-note", "n", c.f.lang.count(open))),
    ];
    let groups = if whole {
        if !standing.is_over() {
            people.push(way(&c, UPLOAD, "roster-title", c.t("roster-note")));
        }
        let mut sending = sending(room, &c, &standing);
        sending.push(preview);
        vec![group("acts-sending", sending), group("acts-people", people), group("acts-ending", ending(&c, &standing))]
    } else {
        people.push(preview);
        vec![group("acts-people", people)]
    };
    let state = state(room, c.f.lang, &standing, whole);
    Ok(ActsPage { state, groups, c }.render())
}

fn way(c: &Shell<'_>, path: &str, label: &str, note: String) -> Way {
    Way { address: c.link(path), label: c.t(label), note }
}

fn sending(room: &Shared, c: &Shell<'_>, standing: &Stands) -> Vec<Way> {
    let (lang, mut ways) = (c.f.lang, Vec::new());
    if !standing.is_over() {
        let note = if post::is_running(&room.post) { "act-send-running" } else { "act-send-note" };
        ways.push(way(c, post::PATH, "act-send-title", c.t(note)));
    }
    ways.push(match &standing.pause {
        None => way(c, "/console/acts/pause", "act-pause-title", c.t("act-pause-note")),
        Some(_) => way(c, "/console/acts/resume", "act-resume-title", c.t("act-resume-note")),
    });
    let held = standing.mails_that(|state| state == MailState::Planned);
    if held > 0 {
        let note = lang.t1("act-let-go-held", "n", lang.count(held));
        ways.push(way(c, "/console/acts/let-go", "act-let-go-title", note));
    }
    let unknown = standing.mails_that(|state| state == MailState::Unknown);
    if unknown > 0 {
        let note = lang.t1("act-unknown-note", "n", lang.count(unknown));
        ways.push(way(c, "/console/people?state=unknown", "act-unknown-title", note));
    }
    ways
}

fn ending(c: &Shell<'_>, standing: &Stands) -> Vec<Way> {
    let close = way(c, "/console/acts/close", "act-close-title", c.t("act-close-note"));
    if standing.is_over() {
        return vec![close];
    }
    vec![way(c, "/console/acts/extend", "act-extend-title", c.t("act-extend-note")), close]
}

/// How the survey stands, in sentences.
fn state(room: &Shared, lang: Lang, standing: &Stands, whole: bool) -> Vec<String> {
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
    if !whole {
        return said;
    }
    let mails = |is: fn(MailState) -> bool| lang.count(standing.mails_that(is));
    let (waiting, unclear) = (mails(MailState::is_waiting), mails(MailState::is_unclear));
    said.push(lang.t2("acts-mails", ("waiting", waiting), ("unknown", unclear)));
    said
}
