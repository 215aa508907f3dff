//! The operator's console: log in, board, people. Every page is a question of the desk, cut to what the account may see.
//!
//! [`routes`] is the one table of pages and of who may open them; the router is made from it alone. Here a cookie
//! exists, so what [`crate::guard`] lets pass for the form is not enough: see [`guard`].

mod account;
mod board;
mod caller;
mod guard;
mod login;
mod names;
mod part;
mod people;
mod person;
mod routes;
mod shell;
#[cfg(test)]
mod tests;

pub(crate) use caller::Peer;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use parsurvey_desk::Desk;
use parsurvey_survey::board::Ground;

use crate::board::Latest;
use crate::seam::Clock;

/// What the console's handlers share.
pub(crate) struct Room {
    pub(crate) desk: Arc<Desk>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What was counted last, for everybody who looks.
    pub(crate) ground: Latest<Ground>,
}

pub(crate) type Shared = Arc<Room>;

/// The console's pages, made from the table.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(desk: Arc<Desk>, clock: Arc<dyn Clock>) -> Router<S> {
    let room = Arc::new(Room { desk, clock, ground: Latest::default() });
    let mut router = Router::new();
    for route in routes::table() {
        let admitted = from_fn_with_state((Arc::clone(&room), route.access, route.method), guard::admit);
        router = router.route(route.path, route.handler.layer(admitted));
    }
    router.with_state(room)
}
