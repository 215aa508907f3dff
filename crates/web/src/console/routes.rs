//! Which pages the console has, and who may open each. A page that is not here does not exist.
//!
//! What a role may is the table of [`parsurvey_survey::account::Role::may`]; here stands what a page asks for.

use axum::handler::Handler;
use axum::routing::{MethodRouter, get, post};
use parsurvey_survey::account::{Right, Role};

use super::{Shared, account, board, login, people, person};

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

/// Every page of the console.
pub(crate) fn table() -> Vec<Route> {
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
    ]
}

/// Where a role begins: the first of these that it may open.
pub(crate) fn home_of(role: Role) -> &'static str {
    if role.may(Right::SeeCounts) { "/console/board" } else { "/console/account" }
}
