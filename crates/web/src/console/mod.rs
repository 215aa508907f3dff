//! The operator's console: log in, board, people, acts. Every page is a question or an act of the desk, cut to what the
//! account may see and do.
//!
//! [`routes`] is the one table of pages and of who may open them; the router is made from it alone. Here a cookie
//! exists, so what [`crate::guard`] lets pass for the form is not enough: see [`guard`].

mod account;
mod acts;
mod board;
mod caller;
mod guard;
mod login;
mod names;
mod part;
mod people;
mod person;
mod results;
mod routes;
mod shell;
#[cfg(test)]
mod tests;

pub use acts::Sending;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use jiff::Timestamp;
use parsurvey_desk::{Desk, DeskError};
use parsurvey_survey::board::Ground;

use crate::board::Latest;
use crate::seam::Clock;

/// What the console's handlers share.
pub(crate) struct Room {
    pub(crate) desk: Arc<Desk>,
    pub(crate) clock: Arc<dyn Clock>,
    /// What was counted last, for everybody who looks.
    ground: Latest<Ground>,
    /// The same, for whoever comes while a large frame is being counted.
    known: Mutex<Option<(Ground, Timestamp)>>,
    /// Acts that were done, and that one happens at a time.
    once: acts::Once,
    /// Lists that were handed in and not stored yet.
    uploads: acts::Uploads,
    /// How acts send, where this server may.
    post: acts::Post,
}

pub(crate) type Shared = Arc<Room>;

/// How long somebody who looks at the board waits for a new count before getting the last one, which says of when it is.
const PATIENCE: Duration = Duration::from_millis(100);

impl Room {
    /// Everything that is counted, and the moment it speaks of. A count that takes longer than somebody's patience goes
    /// on, and whoever asks next has it; a board that watches asks again in a moment.
    ///
    /// # Errors
    /// The ledger cannot be read.
    async fn counted(self: &Arc<Self>) -> Result<(Ground, Timestamp), DeskError> {
        let room = Arc::clone(self);
        let counting = tokio::spawn(async move {
            let now = room.clock.now();
            let counted = room.ground.get(now, room.desk.board_ground(now)).await?;
            *room.known() = Some(counted.clone());
            Ok(counted)
        });
        let known = self.known().clone();
        let counted = match known {
            None => counting.await,
            Some(known) => match tokio::time::timeout(PATIENCE, counting).await {
                Ok(counted) => counted,
                Err(_elapsed) => return Ok(known),
            },
        };
        counted.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()))
    }

    fn known(&self) -> MutexGuard<'_, Option<(Ground, Timestamp)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The console's pages, made from the table.
pub(crate) fn router<S>(desk: Arc<Desk>, clock: Arc<dyn Clock>, post: Option<Sending>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let (ground, once, uploads) = (Latest::default(), acts::Once::default(), acts::Uploads::default());
    let room = Arc::new(Room { desk, clock, ground, known: Mutex::default(), once, uploads, post });
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        // The first who looks need not wait for the first count.
        let ahead = Arc::clone(&room);
        runtime.spawn(async move {
            if let Err(error) = ahead.counted().await {
                tracing::warn!(%error, "the board could not be counted ahead");
            }
        });
    }
    let mut router = Router::new();
    for route in routes::table() {
        let admitted = from_fn_with_state((Arc::clone(&room), route.access, route.method), guard::admit);
        router = router.route(route.path, route.handler.layer(admitted));
    }
    router.with_state(room)
}
