//! One seat with its person, and what became of every mail.

use askama::Template;
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::people::PersonFile;
use parsurvey_ledger::{Attempt, MailRow};
use parsurvey_survey::account::Right;
use parsurvey_survey::delivery::MailState;
use parsurvey_survey::seat::Seat;

use super::shell::{Place, Shell, problem, unavailable};
use super::{Shared, names};
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// A fact.
struct FactView {
    label: String,
    text: String,
}

/// A way to an act on this seat.
struct WayView {
    address: String,
    label: String,
}

/// A mail with its history.
struct MailView {
    title: String,
    state: String,
    queued: String,
    /// To a former holder or address.
    former: bool,
    tries: Vec<TryView>,
}

/// A line of a mail's history.
struct TryView {
    at: String,
    result: String,
    said: String,
}

/// The page.
#[derive(Template)]
#[template(path = "console/person.html")]
struct PersonPage<'a> {
    c: Shell<'a>,
    name: String,
    facts: Vec<FactView>,
    ways: Vec<WayView>,
    mails: Vec<MailView>,
}

/// GET of the page.
pub(super) async fn page(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
    form: Result<Path<i64>, PathRejection>,
) -> Response {
    let file = match form {
        Ok(Path(form)) => room.desk.person_file(&visitor, form).await,
        Err(_) => Ok(None),
    };
    let file = match file {
        Ok(Some(file)) => file,
        Ok(None) => return problem(&room, lang, Some(&visitor), Problem::NoSuchPage),
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let path = format!("/console/people/{}", file.seat.form);
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::People, "c-person-title", &path);
    c.told = room.once.told(&visitor.account.name, uri.query());
    let ways = if visitor.account.role.may(Right::Act) { ways(&c, &file) } else { Vec::new() };
    let facts = facts(&room, lang, &file);
    let mails = file.mails.iter().map(|(mail, attempts)| mail_view(&room, lang, &file.seat, mail, attempts)).collect();
    reply(Standing::Fine, PersonPage { name: file.person.name.clone(), facts, ways, mails, c }.render())
}

/// The acts that this seat's state may allow; each page says what stands in the way.
fn ways(c: &Shell<'_>, file: &PersonFile) -> Vec<WayView> {
    let seat = &file.seat;
    let mut acts = Vec::new();
    if seat.completed.is_none() && !seat.ineligible {
        acts.push(if seat.excused.is_some() {
            ("reinstate", "act-reinstate-title")
        } else {
            ("excuse", "act-excuse-title")
        });
        acts.extend([("replace", "act-replace-title"), ("address", "act-address-title")]);
        if seat.address_stopped {
            acts.push(("resume-mails", "act-resume-mails-title"));
        }
        if !seat.declined {
            acts.push(("decline", "act-decline-title"));
        }
    }
    if file.mails.iter().any(|(mail, _)| mail.state == MailState::Unknown) {
        acts.push(("settle", "act-settle-title"));
    }
    let view = |(word, label): (&str, &str)| WayView {
        address: c.link(&format!("/console/people/{}/{word}", seat.form)),
        label: c.t(label),
    };
    acts.into_iter().map(view).collect()
}

fn moment(room: &Shared, moment: Timestamp) -> String {
    moment.to_zoned(room.desk.campaign().time_zone.clone()).strftime("%d/%m/%Y %H:%M:%S").to_string()
}

fn facts(room: &Shared, lang: Lang, file: &PersonFile) -> Vec<FactView> {
    let (campaign, seat, person) = (room.desk.campaign(), &file.seat, &file.person);
    let group =
        campaign.group(&seat.group).map_or_else(|| seat.group.to_string(), |group| lang.pick(&group.name).to_owned());
    let unit = campaign.unit(&seat.unit).map_or_else(|| seat.unit.to_string(), |unit| unit.name.clone());
    let target = campaign.targets.iter().find(|target| target.code == seat.target);
    let target = target.map_or_else(|| seat.target.to_string(), |target| lang.pick(&target.name).to_owned());
    let mut facts = vec![
        ("c-person-form", seat.form.to_string()),
        ("c-person-position", person.position.clone()),
        ("chase-unit", unit),
        ("status-group", group),
        ("c-account-target", target),
        ("c-person-email", person.email.clone()),
    ];
    if seat.address_stopped {
        facts.push(("c-person-stopped", lang.t("c-seat-suppressed")));
    }
    facts.push(("c-person-state", states(room, lang, seat).join(" · ")));
    facts.into_iter().map(|(label, text)| FactView { label: lang.t(label), text }).collect()
}

/// Everything that is known of where a seat stands.
fn states(room: &Shared, lang: Lang, seat: &Seat) -> Vec<String> {
    let dated = |key: &str, at: Option<Timestamp>| at.map(|at| format!("{} {}", lang.t(key), moment(room, at)));
    let flag = |key: &str, is: bool| is.then(|| lang.t(key));
    let quiet = seat.started.is_none() && seat.completed.is_none() && !seat.declined && seat.excused.is_none();
    [
        dated("c-seat-started", seat.started),
        dated("c-seat-completed", seat.completed),
        flag("c-seat-declined", seat.declined),
        flag("c-seat-excused", seat.excused.is_some()),
        flag("c-person-left", seat.ineligible),
        flag("c-seat-quiet", quiet),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn mail_view(room: &Shared, lang: Lang, seat: &Seat, mail: &MailRow, attempts: &[Attempt]) -> MailView {
    let line = |attempt: &Attempt| {
        let code = attempt.code.map(|code| code.to_string());
        let said: Vec<String> = [code, attempt.enhanced.clone(), Some(attempt.text.clone()), attempt.peer.clone()]
            .into_iter()
            .flatten()
            .filter(|text| !text.is_empty())
            .collect();
        TryView {
            at: moment(room, attempt.at), result: lang.t(names::attempt(attempt.result)), said: said.join(" · ")
        }
    };
    MailView {
        title: names::contact(lang, mail.kind, mail.wave),
        state: lang.t(names::mail_state(mail.state)),
        queued: moment(room, mail.queued),
        former: mail.holder != seat.holder || mail.address_version != seat.address_version,
        tries: attempts.iter().map(line).collect(),
    }
}
