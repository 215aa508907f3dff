//! The board: rates, funnel, days, units, delivery. It renews itself as forms come in.
//!
//! The stream tells only that something has changed, by a number made of what the account sees; the page then asks for its
//! part again. So a page that was cut off is right again with the first word it hears. A stream ends by itself after a
//! while, is begun anew by the browser, and is judged anew each time; it counts as no use of the session.

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use parsurvey_desk::DeskError;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_survey::board::{Board, board};

use super::Shared;
use super::caller::Caller;
use super::part::BoardPart;
use super::shell::{Place, Shell, unavailable};
use crate::assets;
use crate::problem::{Standing, reply};
use crate::serve::Stopping;
use crate::words::Lang;

/// How often the counts are looked at while somebody watches. They are counted once for all who do.
const LOOK: Duration = Duration::from_secs(2);
/// Looks of one stream; then the browser begins another one.
const LOOKS: u32 = 12;
/// How soon the browser begins another stream.
const AGAIN: Duration = Duration::from_secs(1);

/// What nginx reads.
const UNBUFFERED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));

/// The page.
#[derive(Template)]
#[template(path = "console/board.html")]
struct BoardPage<'a> {
    c: Shell<'a>,
    part: String,
    script: &'static str,
}

/// What an account sees now, and the number of it.
pub(super) async fn seen(room: &Shared, visitor: &Visitor) -> Result<(Board, bool, Timestamp, u64), DeskError> {
    let (ground, at) = room.counted().await?;
    let board = board(room.desk.campaign(), &ground, &visitor.scope, at);
    let mut hasher = DefaultHasher::new();
    (&board, ground.names_ordered).hash(&mut hasher);
    Ok((board, ground.names_ordered, at, hasher.finish()))
}

/// GET of the page.
pub(super) async fn page(State(room): State<Shared>, Extension(visitor): Extension<Visitor>, lang: Lang) -> Response {
    let part = match drawn(&room, &visitor, lang).await {
        Ok(part) => part,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let c = Shell::new(&room, lang, Some(&visitor), Place::Board, "c-board-title", "/console/board");
    match part {
        Ok(part) => reply(Standing::Fine, BoardPage { c, part, script: assets::console_script_path() }.render()),
        Err(error) => reply(Standing::Fine, Err(error)),
    }
}

/// GET of the part that changes.
pub(super) async fn part(State(room): State<Shared>, Extension(visitor): Extension<Visitor>, lang: Lang) -> Response {
    match drawn(&room, &visitor, lang).await {
        Ok(part) => reply(Standing::Fine, part),
        Err(error) => unavailable(&room, lang, Some(&visitor), &error),
    }
}

async fn drawn(room: &Shared, visitor: &Visitor, lang: Lang) -> Result<Result<String, askama::Error>, DeskError> {
    let (board, names_ordered, at, number) = seen(room, visitor).await?;
    let role = visitor.account.role;
    Ok(BoardPart { lang, campaign: room.desk.campaign(), board: &board, names_ordered, role, at, number }.render())
}

/// How a rest between two looks ends.
#[derive(PartialEq, Eq)]
enum Rest {
    Over,
    Stopped,
}

/// What a stream remembers.
struct Watch {
    room: Shared,
    session: zeroize::Zeroizing<String>,
    /// Whether the server was told to stop; a router that is tried without a server is never told.
    stopping: Option<Stopping>,
    told: Option<u64>,
    looks: u32,
}

/// GET of the stream.
pub(super) async fn events(
    State(room): State<Shared>,
    Extension(caller): Extension<Caller>,
    stopping: Option<Extension<Stopping>>,
) -> Response {
    let session = caller.session.unwrap_or_default();
    let stopping = stopping.map(|Extension(stopping)| stopping);
    let watch = Watch { room, session, stopping, told: None, looks: 0 };
    // A proxy that gathers a page before it passes it on would pass on each word at the stream's end.
    ([UNBUFFERED], Sse::new(futures_util::stream::unfold(watch, Watch::next))).into_response()
}

impl Watch {
    /// The next word of the stream, as soon as there is something to say; nothing at its end.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.looks >= LOOKS {
                return None;
            }
            if self.looks > 0 && self.rest().await == Rest::Stopped {
                return None;
            }
            self.looks += 1;
            let number = self.look().await?;
            if self.told != Some(number) {
                let first = self.told.is_none();
                self.told = Some(number);
                let event = Event::default().event("board").data(format!("{number:016x}"));
                return Some((Ok(if first { event.retry(AGAIN) } else { event }), self));
            }
            if self.looks.is_multiple_of(5) {
                // A word without meaning, so that a line that is dead is noticed.
                return Some((Ok(Event::default().comment("")), self));
            }
        }
    }

    /// Waits for the next look. Other processes change the ledger too, so that nothing here is told of a change.
    async fn rest(&mut self) -> Rest {
        let Some(stopping) = &mut self.stopping else {
            tokio::time::sleep(LOOK).await;
            return Rest::Over;
        };
        tokio::select! {
            () = tokio::time::sleep(LOOK) => Rest::Over,
            () = stopping.told() => Rest::Stopped,
        }
    }

    /// The number of what the account sees now; nothing where it sees nothing any more, or the ledger cannot be read.
    async fn look(&self) -> Option<u64> {
        let visitor = self.room.desk.visitor(&self.session, false, self.room.clock.now()).await.ok()??;
        let (_, _, _, number) = seen(&self.room, &visitor).await.ok()?;
        Some(number)
    }
}
