//! The list of people: searched without marks, filtered, fifty to a page. The server searches; nothing is kept in the page.
//!
//! A coordinator sees what a letter to the unit may name, and only when a letter may: no address, no mail, no state.

use askama::Template;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::people::PeopleList;
use parsurvey_ledger::{PeopleQuery, SEAT_FILTERS, SeatFilter, SeatOfPerson};
use parsurvey_survey::account::Right;
use parsurvey_survey::chase::NamesRefused;
use serde::Deserialize;

use super::shell::{Place, Shell, problem, said, unavailable};
use super::{Shared, names};
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// Seats of a page.
const PAGE: u32 = 50;
/// Pages that can be asked for; a frame of millions of seats is searched and not leafed through.
const PAGES: u32 = 100_000;

/// What is asked for. What cannot be understood is left out, as if it had not been asked.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    q: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    page: String,
}

/// A choice of a list.
struct ChoiceView {
    value: String,
    label: String,
    chosen: bool,
}

/// A seat's row.
struct RowView {
    form: String,
    file: Option<String>,
    name: String,
    position: String,
    email: String,
    unit: String,
    group: String,
    standing: String,
    mail: String,
}

/// The page.
#[derive(Template)]
#[template(path = "console/people.html")]
struct PeoplePageView<'a> {
    c: Shell<'a>,
    q: &'a str,
    groups: Vec<ChoiceView>,
    units: Vec<ChoiceView>,
    states: Vec<ChoiceView>,
    found: String,
    rows: Vec<RowView>,
    /// Whether addresses, mails and states are shown.
    whole: bool,
    before: Option<String>,
    after: Option<String>,
}

/// GET of the list.
pub(super) async fn page(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    lang: Lang,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let number = asked.page.parse::<u32>().unwrap_or(1).clamp(1, PAGES);
    let query = PeopleQuery {
        text: asked.q.chars().take(200).collect(),
        group: asked.group.parse().ok(),
        unit: asked.unit.parse().ok(),
        state: asked.state.parse().ok(),
        skip: (number - 1) * PAGE,
        most: PAGE,
        ..PeopleQuery::default()
    };
    let found = match room.desk.people(&visitor, query.clone(), room.clock.now()).await {
        Ok(PeopleList::Page(found)) => found,
        Ok(PeopleList::NotNow(refused)) => return not_now(&room, lang, &visitor, refused),
        Ok(PeopleList::Never) => return problem(&room, lang, Some(&visitor), Problem::NotAllowed),
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let whole = visitor.account.role.may(Right::SeeMails);
    let last = u32::try_from(found.total.div_ceil(u64::from(PAGE))).unwrap_or(PAGES).max(1);
    let c = Shell::new(&room, lang, Some(&visitor), Place::People, "c-people-title", &address(&asked, &query, number));
    let beside = |other: u32| c.link(&address(&asked, &query, other));
    let from = if found.seats.is_empty() { 0 } else { u64::from(query.skip) + 1 };
    let range = format!("{}–{}", lang.count(from), lang.count(u64::from(query.skip) + found.seats.len() as u64));
    let page = PeoplePageView {
        q: &asked.q,
        groups: group_choices(&room, lang, &query),
        units: unit_choices(&room, &visitor, &query),
        states: if whole { state_choices(lang, query.state) } else { Vec::new() },
        found: lang.t2("c-people-found", ("range", range), ("total", lang.count(found.total))),
        rows: found.seats.into_iter().map(|seat| row(&room, &c, whole, seat)).collect(),
        whole,
        before: (number > 1).then(|| beside(number - 1)),
        after: (number < last).then(|| beside(number + 1)),
        c,
    };
    reply(Standing::Fine, page.render())
}

/// The page's own address without language: only what was understood.
fn address(asked: &Asked, query: &PeopleQuery, number: u32) -> String {
    let mut pairs = Vec::new();
    if !asked.q.is_empty() {
        pairs.push(format!("q={}", coded(&query.text)));
    }
    pairs.extend(query.group.as_ref().map(|group| format!("group={group}")));
    pairs.extend(query.unit.as_ref().map(|unit| format!("unit={unit}")));
    pairs.extend(query.state.map(|state| format!("state={state}")));
    if number > 1 {
        pairs.push(format!("page={number}"));
    }
    if pairs.is_empty() { "/console/people".to_owned() } else { format!("/console/people?{}", pairs.join("&")) }
}

fn coded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

fn not_now(room: &Shared, lang: Lang, visitor: &Visitor, refused: NamesRefused) -> Response {
    let why = match refused {
        NamesRefused::NoOrder => lang.t("c-names-no-order"),
        NamesRefused::TooEarly(due) => {
            let day = due.to_zoned(room.desk.campaign().time_zone.clone()).strftime("%d/%m/%Y").to_string();
            lang.t1("c-names-too-early", "day", day)
        }
        NamesRefused::NoReminder => lang.t("c-names-no-reminder"),
    };
    said(room, lang, Some(visitor), Standing::Problem(Problem::NotAllowed), "c-names-not-now", vec![why])
}

fn group_choices(room: &Shared, lang: Lang, query: &PeopleQuery) -> Vec<ChoiceView> {
    let groups = room.desk.campaign().groups.iter().map(|group| ChoiceView {
        value: group.code.to_string(),
        label: lang.pick(&group.name).to_owned(),
        chosen: query.group.as_ref() == Some(&group.code),
    });
    groups.collect()
}

fn unit_choices(room: &Shared, visitor: &Visitor, query: &PeopleQuery) -> Vec<ChoiceView> {
    let own = |unit: &&parsurvey_survey::campaign::Unit| {
        visitor.scope.units.as_ref().is_none_or(|units| units.contains(&unit.code))
    };
    let units = room.desk.campaign().units.iter().filter(own).map(|unit| ChoiceView {
        value: unit.code.to_string(),
        label: unit.name.clone(),
        chosen: query.unit.as_ref() == Some(&unit.code),
    });
    units.collect()
}

fn state_choices(lang: Lang, chosen: Option<SeatFilter>) -> Vec<ChoiceView> {
    let states = SEAT_FILTERS.into_iter().map(|state| ChoiceView {
        value: state.as_str().to_owned(),
        label: lang.t(names::filter(state)),
        chosen: chosen == Some(state),
    });
    states.collect()
}

fn row(room: &Shared, c: &Shell<'_>, whole: bool, seat: SeatOfPerson) -> RowView {
    let (campaign, lang) = (room.desk.campaign(), c.f.lang);
    let only = |text: String| if whole { text } else { String::new() };
    RowView {
        form: seat.form.to_string(),
        file: whole.then(|| c.link(&format!("/console/people/{}", seat.form))),
        unit: campaign.unit(&seat.unit).map_or_else(|| seat.unit.to_string(), |unit| unit.name.clone()),
        group: campaign
            .group(&seat.group)
            .map_or_else(|| seat.group.to_string(), |group| lang.pick(&group.name).to_owned()),
        standing: only(lang.t(names::standing(seat.standing))),
        mail: only(seat.last_mail.map(|state| lang.t(names::mail_state(state))).unwrap_or_default()),
        email: only(seat.email),
        name: seat.name,
        position: seat.position,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_what_was_understood_and_nothing_raw() {
        let asked = Asked { q: "Nguyễn & \"".into(), ..Asked::default() };
        let query = PeopleQuery {
            text: asked.q.clone(),
            group: "leaders".parse().ok(),
            state: Some(SeatFilter::Bounced),
            ..PeopleQuery::default()
        };
        let path = address(&asked, &query, 3);
        assert_eq!(path, "/console/people?q=Nguy%E1%BB%85n%20%26%20%22&group=leaders&state=bounced&page=3");
        assert_eq!(address(&Asked::default(), &PeopleQuery::default(), 1), "/console/people");
    }
}
