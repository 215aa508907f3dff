//! One's own account: what it may see, how many sessions it has, and how they end.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::Response;
use parsurvey_desk::accounts::login::Visitor;

use super::caller::Caller;
use super::shell::{Place, Shell, unavailable, with_lang};
use super::{Shared, names, routes};
use crate::problem::{Standing, reply, see_other};
use crate::words::Lang;

/// GET of the console's address: where the role begins.
pub(super) async fn home(Extension(visitor): Extension<Visitor>, lang: Lang) -> Response {
    see_other(&with_lang(routes::home_of(visitor.account.role), lang))
}

/// The page of one's own account.
#[derive(Template)]
#[template(path = "console/account.html")]
struct AccountPage<'a> {
    c: Shell<'a>,
    name: String,
    role: String,
    /// What the role is for.
    meaning: String,
    units: Vec<String>,
    target: String,
    sessions: String,
}

pub(super) async fn page(State(room): State<Shared>, Extension(visitor): Extension<Visitor>, lang: Lang) -> Response {
    let account = &visitor.account;
    let alive = match room.desk.sessions_alive(&account.name, room.clock.now()).await {
        Ok(alive) => alive,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let campaign = room.desk.campaign();
    let unit = |code| campaign.unit(code).map_or_else(|| code.to_string(), |unit| unit.name.clone());
    let target = account.target.as_ref().map(|code| {
        let known = campaign.targets.iter().find(|target| target.code == *code);
        known.map_or_else(|| code.to_string(), |target| lang.pick(&target.name).to_owned())
    });
    let c = Shell::new(&room, lang, Some(&visitor), Place::Account, "c-account-title", "/console/account");
    let page = AccountPage {
        name: account.name.to_string(),
        role: lang.t(names::role(account.role)),
        meaning: lang.t(names::meaning(account.role)),
        units: account.units.iter().map(unit).collect(),
        target: target.unwrap_or_else(|| lang.t("c-account-every-target")),
        sessions: lang.count(alive),
        c,
    };
    reply(Standing::Fine, page.render())
}

/// Ends this session.
pub(super) async fn log_out(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(caller): Extension<Caller>,
    lang: Lang,
) -> Response {
    leave(&room, &visitor, &caller, lang, false).await
}

/// Ends every session of the account.
pub(super) async fn log_out_everywhere(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    Extension(caller): Extension<Caller>,
    lang: Lang,
) -> Response {
    leave(&room, &visitor, &caller, lang, true).await
}

async fn leave(room: &Shared, visitor: &Visitor, caller: &Caller, lang: Lang, everywhere: bool) -> Response {
    let session = caller.session.as_ref().map_or("", |session| session.as_str());
    if let Err(error) = room.desk.log_out(session, everywhere, room.clock.now()).await {
        return unavailable(room, lang, Some(visitor), &error);
    }
    let mut response = see_other(&with_lang("/console/login", lang));
    response.headers_mut().append(header::SET_COOKIE, caller.no_session_cookie());
    response
}
