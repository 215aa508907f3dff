//! What waits for a second person: the list, one proposal, and the three ways to decide it.

use askama::Template;
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::{Because, DeskError};
use parsurvey_ledger::{NewPerson, ProposalKind, ProposalRow, ProposalState, ShownProposal};
use parsurvey_survey::control::is_same_actor;

use super::{Act, Ask, Fact, Given, Outlook, Table, mark, written};
use crate::console::Shared;
use crate::console::shell::{Place, Shell, problem, unavailable};
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// Carries a proposal out.
pub(in crate::console) struct Approve;
/// Refuses it.
pub(in crate::console) struct Reject;
/// Takes one's own back.
pub(in crate::console) struct Withdraw;

/// Where the list stands.
pub(super) const PATH: &str = "/console/proposals";

/// A row of the list.
struct RowView {
    address: String,
    number: i64,
    what: String,
    proposer: String,
    at: String,
    state: String,
}

#[derive(Template)]
#[template(path = "console/proposals.html")]
struct ListPage<'a> {
    c: Shell<'a>,
    rows: Vec<RowView>,
}

/// A way to decide.
struct WayView {
    address: String,
    label: String,
}

#[derive(Template)]
#[template(path = "console/proposal.html")]
struct OnePage<'a> {
    c: Shell<'a>,
    facts: Vec<Fact>,
    tables: Vec<Table>,
    ways: Vec<WayView>,
    person: Option<String>,
}

/// The proposals that a visitor may see: an account for one rated body sees those on forms that rate it.
pub(super) async fn seen(room: &Shared, visitor: &Visitor) -> Result<Vec<ProposalRow>, DeskError> {
    let all = room.desk.proposals().await?;
    if visitor.scope.target.is_none() {
        return Ok(all);
    }
    let mut seen = Vec::new();
    for row in all {
        let Some(form) = row.form else { continue };
        if room.desk.person_file(visitor, form).await?.is_some() {
            seen.push(row);
        }
    }
    Ok(seen)
}

/// GET of the list: what is open first, then the newest.
pub(in crate::console) async fn list(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
) -> Response {
    let mut rows = match seen(&room, &visitor).await {
        Ok(rows) => rows,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    rows.sort_by_key(|row| (row.state != ProposalState::Open, std::cmp::Reverse(row.proposal)));
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "proposals-title", PATH);
    c.told = room.once.told(&visitor.account.name, uri.query());
    let view = |row: &ProposalRow| RowView {
        address: c.link(&format!("{PATH}/{}", row.proposal)),
        number: row.proposal,
        what: what(lang, row),
        proposer: row.proposer.clone(),
        at: written(&room, lang, row.at),
        state: lang.t(state(row.state)),
    };
    let rows = rows.iter().map(view).collect();
    reply(Standing::Fine, ListPage { rows, c }.render())
}

/// GET of one proposal.
pub(in crate::console) async fn one(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
    number: Result<Path<i64>, PathRejection>,
) -> Response {
    let rows = match seen(&room, &visitor).await {
        Ok(rows) => rows,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let number = number.map_or(0, |Path(number)| number);
    let Some(row) = rows.iter().find(|row| row.proposal == number) else {
        return problem(&room, lang, Some(&visitor), Problem::NoSuchPage);
    };
    let path = format!("{PATH}/{number}");
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "proposal-title", &path);
    c.told = room.once.told(&visitor.account.name, uri.query());
    let ways: &[(&str, &str)] = match row.state {
        ProposalState::Open if is_same_actor(&row.proposer, visitor.account.name.as_str()) => {
            &[("withdraw", "act-withdraw-title")]
        }
        ProposalState::Open => &[("approve", "act-approve-title"), ("reject", "act-reject-title")],
        ProposalState::Approved | ProposalState::Rejected | ProposalState::Withdrawn => &[],
    };
    let ways =
        ways.iter().map(|(word, label)| WayView { address: c.link(&format!("{path}/{word}")), label: lang.t(label) });
    let ways = ways.collect();
    let person = row.form.map(|form| c.link(&format!("/console/people/{form}")));
    let tables = match room.desk.proposal(number).await {
        Ok(shown) => changes(lang, &shown),
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let facts = facts(&room, lang, row);
    reply(Standing::Fine, OnePage { facts, tables, ways, person, c }.render())
}

/// What a proposal would do, in a few words.
fn what(lang: Lang, row: &ProposalRow) -> String {
    let form = row.form.unwrap_or_default();
    match row.kind {
        ProposalKind::Address => lang.t1("proposal-address", "form", form),
        ProposalKind::Replacement => lang.t1("proposal-replacement", "form", form),
        ProposalKind::Roster => {
            let [added, changed, removed] = row.people.map(|n| lang.count(n));
            lang.tn("proposal-roster", &[("added", &added), ("changed", &changed), ("removed", &removed)])
        }
    }
}

/// Rows of a list's changes that a page shows.
const SHOWN: usize = 600;

/// What a proposal would change, value by value: whoever decides has to see whom and what.
fn changes(lang: Lang, shown: &ShownProposal) -> Vec<Table> {
    let mut rows = Vec::new();
    for change in &shown.changes {
        let what = match (&change.old, &change.new) {
            (None, _) => "roster-added",
            (_, None) => "roster-removed",
            (Some(_), Some(_)) => "roster-changed",
        };
        let (old, new) = (change.old.as_ref().map(values), change.new.as_ref().map(values));
        for (place, (label, always)) in FIELDS.into_iter().enumerate() {
            let of = |values: &Option<[String; 4]>| values.as_ref().map_or("", |values| &values[place]).to_owned();
            let (old, new) = (of(&old), of(&new));
            if always || old != new {
                rows.push(vec![lang.t(what), lang.t(label), old, new]);
            }
        }
    }
    rows.truncate(SHOWN);
    if rows.is_empty() {
        return Vec::new();
    }
    let head = ["roster-change", "roster-fields", "proposal-now", "proposal-new"].map(|key| lang.t(key)).into();
    vec![Table { id: "changes", title: lang.t("proposal-changes"), head, rows, own: 4 }]
}

/// What is shown of a person, and whether also where it stays as it is.
const FIELDS: [(&str, bool); 4] =
    [("c-people-name", true), ("c-person-email", true), ("c-person-position", true), ("proposal-seats", false)];

/// The values in the order of [`FIELDS`].
fn values(person: &NewPerson) -> [String; 4] {
    let seats = person.seats.iter().map(|seat| format!("{}/{}/{}", seat.target, seat.group, seat.unit));
    let seats = seats.collect::<Vec<_>>().join(" ");
    [person.name.clone(), person.email.clone(), person.position.clone(), seats]
}

fn state(state: ProposalState) -> &'static str {
    match state {
        ProposalState::Open => "proposal-open",
        ProposalState::Approved => "proposal-approved",
        ProposalState::Rejected => "proposal-rejected",
        ProposalState::Withdrawn => "proposal-withdrawn",
    }
}

fn facts(room: &Shared, lang: Lang, row: &ProposalRow) -> Vec<Fact> {
    let mut facts = vec![
        ("proposal-number", row.proposal.to_string()),
        ("proposal-what", what(lang, row)),
        ("proposal-state", lang.t(state(row.state))),
        ("proposal-proposer", row.proposer.clone()),
        ("proposal-at", written(room, lang, row.at)),
        ("act-reason", row.reason.clone()),
        ("act-document", row.document.clone()),
    ];
    facts.extend(row.decided_by.clone().map(|by| ("proposal-decided-by", by)));
    facts.extend(row.decided.map(|at| ("proposal-decided", written(room, lang, at))));
    facts.extend(row.decided_why.clone().map(|why| ("proposal-why", why)));
    facts.into_iter().map(|(label, text)| Fact { label: lang.t(label), text }).collect()
}

/// The page of a decision; `own` is whether it is the proposer's to take.
async fn outlook(ask: &Ask, own: bool) -> Result<Option<(ShownProposal, Outlook)>, DeskError> {
    let rows = seen(&ask.room, &ask.visitor).await?;
    let Some(row) = rows.into_iter().find(|row| row.proposal == ask.subject) else { return Ok(None) };
    let mut hindrances = Vec::new();
    if row.state != ProposalState::Open {
        hindrances.push(ask.t("proposal-not-open"));
    }
    let is_own = is_same_actor(&row.proposer, ask.visitor.account.name.as_str());
    if is_own != own {
        hindrances.push(ask.t(if own { "proposal-not-own" } else { "proposal-own" }));
    }
    let shown = ask.room.desk.proposal(row.proposal).await?;
    let look = Outlook {
        back: format!("{PATH}/{}", row.proposal),
        tables: changes(ask.lang, &shown),
        facts: facts(&ask.room, ask.lang, &row),
        hindrances,
        mark: mark((row.proposal, row.state as u8, shown.can_be_approved)),
        ..Outlook::default()
    };
    Ok(Some((shown, look)))
}

impl Act for Approve {
    const NAME: &'static str = "approve";
    const TITLE: &'static str = "act-approve-title";
    const BUTTON: &'static str = "act-approve-button";
    const DOCUMENT: bool = false;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((shown, mut look)) = outlook(ask, false).await? else { return Ok(None) };
        let row = shown.row;
        if row.state == ProposalState::Open && !shown.can_be_approved {
            look.hindrances.push(ask.t("proposal-stale"));
        }
        let standing = ask.room.desk.standing().await?;
        look.hindrances.extend(ask.field_only(&standing));
        let keys: &[&str] = match row.kind {
            ProposalKind::Address => &["act-address-told", "act-address-mail", "act-holder-link"],
            ProposalKind::Replacement => &["act-replace-told", "act-replace-mail", "act-holder-link"],
            ProposalKind::Roster => &["act-roster-told", "act-roster-mail"],
        };
        look.consequences = vec![what(ask.lang, &row)];
        look.consequences.extend(keys.iter().map(|key| ask.t(key)));
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.approve(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-approve-done", "proposal", ask.subject))
    }
}

impl Act for Reject {
    const NAME: &'static str = "reject";
    const TITLE: &'static str = "act-reject-title";
    const BUTTON: &'static str = "act-reject-button";
    const DOCUMENT: bool = false;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((_, mut look)) = outlook(ask, false).await? else { return Ok(None) };
        look.consequences = vec![ask.t("act-given-up"), ask.t("act-given-up-again")];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.reject(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-reject-done", "proposal", ask.subject))
    }
}

impl Act for Withdraw {
    const NAME: &'static str = "withdraw";
    const TITLE: &'static str = "act-withdraw-title";
    const BUTTON: &'static str = "act-withdraw-button";
    const DOCUMENT: bool = false;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((_, mut look)) = outlook(ask, true).await? else { return Ok(None) };
        look.consequences = vec![ask.t("act-given-up"), ask.t("act-given-up-again")];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        ask.room.desk.withdraw(ask.subject, because, ask.now).await?;
        Ok(ask.lang.t1("act-withdraw-done", "proposal", ask.subject))
    }
}
