//! Which pages the console has, and who may open each. A page that is not here does not exist.
//!
//! What a role may is the table of [`parsurvey_survey::account::Role::may`]; here stands what a page asks for.

use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use parsurvey_survey::account::{Right, Role};

use crate::guard::UPLOAD;

use super::{Shared, account, acts, board, login, people, person, results};

/// Who may open a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Whoever comes: the way in.
    Anyone,
    /// Whoever is logged in and has this right.
    Needs(Right),
    /// The same, for what a page asks for by itself: it does not count as a use of the session.
    Watches(Right),
}

impl Access {
    /// The right that is asked for.
    pub(crate) fn right(self) -> Option<Right> {
        match self {
            Access::Anyone => None,
            Access::Needs(right) | Access::Watches(right) => Some(right),
        }
    }
}

/// A page: how it is asked for, where it stands, who may, and what answers.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    pub(crate) handler: MethodRouter<Shared>,
}

/// A page to look at.
fn see<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Shared>) -> Route {
    Route { method: "GET", path, access, handler: get(handler) }
}

/// An act.
fn act<T: 'static>(path: &'static str, access: Access, handler: impl Handler<T, Shared>) -> Route {
    Route { method: "POST", path, access, handler: post(handler) }
}

/// The two routes of an act: its page, and the post that does it.
fn act_with_page<A: acts::Act>(path: &'static str) -> [Route; 2] {
    [see(path, Access::Needs(Right::Act), acts::page::<A>), act(path, Access::Needs(Right::Act), acts::post::<A>)]
}

/// Every page of the console.
pub(crate) fn table() -> Vec<Route> {
    let mut table = looks();
    table.push(see("/console/acts", Access::Needs(Right::Act), acts::index_page));
    table.extend(act_with_page::<acts::Pause>("/console/acts/pause"));
    table.extend(act_with_page::<acts::Resume>("/console/acts/resume"));
    table.extend(act_with_page::<acts::LetGo>("/console/acts/let-go"));
    table.extend(act_with_page::<acts::SendDue>("/console/acts/send"));
    table.extend(act_with_page::<acts::Extend>("/console/acts/extend"));
    table.extend(act_with_page::<acts::Close>("/console/acts/close"));
    table.extend(act_with_page::<acts::Excuse>("/console/people/{form}/excuse"));
    table.extend(act_with_page::<acts::Reinstate>("/console/people/{form}/reinstate"));
    table.extend(act_with_page::<acts::Decline>("/console/people/{form}/decline"));
    table.extend(act_with_page::<acts::ResumeMails>("/console/people/{form}/resume-mails"));
    table.extend(act_with_page::<acts::Replace>("/console/people/{form}/replace"));
    table.extend(act_with_page::<acts::CorrectAddress>("/console/people/{form}/address"));
    table.extend(act_with_page::<acts::Settle>("/console/people/{form}/settle"));
    table.push(see("/console/preview/{contact}", Access::Needs(Right::Act), acts::preview));
    table.push(see("/console/preview/{contact}/mail", Access::Needs(Right::Act), acts::preview_mail));
    table.extend(act_with_page::<acts::Copy>("/console/preview/{contact}/copy"));
    table.extend(act_with_page::<acts::Copies>("/console/preview/{contact}/copies"));
    table.extend(act_with_page::<acts::LookedAt>("/console/preview/{contact}/looked-at"));
    table.push(see(UPLOAD, Access::Needs(Right::Act), acts::roster_page));
    table.push(act(UPLOAD, Access::Needs(Right::Act), acts::roster_upload));
    table.extend(act_with_page::<acts::StoreRoster>("/console/roster/store"));
    table.push(see("/console/proposals", Access::Needs(Right::Act), acts::proposals));
    table.push(see("/console/proposals/{proposal}", Access::Needs(Right::Act), acts::proposal));
    table.extend(act_with_page::<acts::Approve>("/console/proposals/{proposal}/approve"));
    table.extend(act_with_page::<acts::Reject>("/console/proposals/{proposal}/reject"));
    table.extend(act_with_page::<acts::Withdraw>("/console/proposals/{proposal}/withdraw"));
    table
}

/// Pages to look at, and one's own account.
fn looks() -> Vec<Route> {
    vec![
        see("/console", Access::Needs(Right::OwnAccount), account::home),
        see("/console/login", Access::Anyone, login::page),
        act("/console/login", Access::Anyone, login::log_in),
        see("/console/setup", Access::Anyone, login::setup_page),
        act("/console/setup", Access::Anyone, login::set_up),
        see("/console/account", Access::Needs(Right::OwnAccount), account::page),
        act("/console/logout", Access::Needs(Right::OwnAccount), account::log_out),
        act("/console/logout-everywhere", Access::Needs(Right::OwnAccount), account::log_out_everywhere),
        see("/console/board", Access::Needs(Right::SeeCounts), board::page),
        see("/console/board/still", Access::Watches(Right::SeeCounts), board::page),
        see("/console/board/part", Access::Watches(Right::SeeCounts), board::part),
        see("/console/board/events", Access::Watches(Right::SeeCounts), board::events),
        see("/console/people", Access::Needs(Right::SeePeople), people::page),
        see("/console/people/{form}", Access::Needs(Right::SeeMails), person::page),
        see("/console/results", Access::Needs(Right::SeeResults), results::page),
        see("/console/results/explain/{code}", Access::Needs(Right::SeeResults), results::explained),
        see("/console/results/files/{name}", Access::Needs(Right::SeeResults), results::file),
    ]
}

/// Where a role begins: the first of these that it may open.
pub(crate) fn home_of(role: Role) -> &'static str {
    if role.may(Right::SeeCounts) { "/console/board" } else { "/console/account" }
}
