//! The router: which address leads to which page, and what every request passes on its way.
//!
//! GET and HEAD change nothing of the survey, anywhere. A respondent has no cookie and no session: a link is all a person has. The
//! console's pages are another matter ([`crate::console`]).

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use parsurvey_desk::Desk;
use parsurvey_survey::chase::Chase;
use parsurvey_survey::status::Status;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

use crate::console::Sending;
use crate::limit::Limits;
use crate::problem::{Problem, see_other};
use crate::respond::problem_page;
use crate::seam::{Clock, Respond};
use crate::words::Lang;
use crate::{assets, board, chase, console, decline, guard, limit, lost, notice, respond};

/// Who is shown counts without logging in: `/status` and `/chase`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenCounts {
    /// Everybody who can reach the server, as in a rehearsal or behind a proxy that keeps strangers out.
    Everybody,
    /// Nobody: the two addresses lead to the console's board.
    Nobody,
}

/// The respondent's form and the console over `desk`, on the time that `clock` tells.
///
/// Routes: `/f/{token}` (the landing page, or what became of the form), `/f/{token}/page` (a page of the form, by POST),
/// `/f/{token}/save` (answers as they are chosen, by the page's script), `/f/{token}/decline`, `/notice`, `/lost`,
/// `/status`, `/chase`, `/console/…`, `/healthz`, `/assets/…`.
pub fn app(desk: Arc<Desk>, clock: Arc<dyn Clock>, counts: OpenCounts) -> Router {
    app_that_sends(desk, clock, counts, None)
}

/// [`app`], whose console sends mails when an operator decides so, where it is told how.
pub fn app_that_sends(desk: Arc<Desk>, clock: Arc<dyn Clock>, counts: OpenCounts, post: Option<Sending>) -> Router {
    let console = console::router(Arc::clone(&desk), Arc::clone(&clock), post);
    let (latest, chased, limits, asked) = (Arc::default(), Arc::default(), Arc::default(), Arc::default());
    router(House { desk, clock, latest, chased, limits, asked }, counts, console)
}

/// What the handlers share.
pub(crate) struct House<D> {
    pub(crate) desk: Arc<D>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) latest: Arc<board::Latest<Status>>,
    pub(crate) chased: Arc<board::Latest<Chase>>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) asked: Arc<lost::Asked>,
}

impl<D> Clone for House<D> {
    fn clone(&self) -> Self {
        Self {
            desk: Arc::clone(&self.desk),
            clock: Arc::clone(&self.clock),
            latest: Arc::clone(&self.latest),
            chased: Arc::clone(&self.chased),
            limits: Arc::clone(&self.limits),
            asked: Arc::clone(&self.asked),
        }
    }
}

/// The pages over `house`, with those of the console beside them.
pub(crate) fn router<D: Respond>(house: House<D>, counts: OpenCounts, console: Router<House<D>>) -> Router {
    // Pages that carry answers are never compressed: their compressed size would tell something about what was chosen.
    let plain = Router::new()
        .route("/f/{token}/page", get(respond::page_by_get).post(respond::page::<D>))
        .route("/f/{token}/save", post(respond::save::<D>));
    let compressed = Router::new()
        .route("/f/{token}", get(respond::landing::<D>))
        .route("/f/{token}/decline", get(decline::decline::<D>).post(decline::set_declined::<D>))
        .route("/notice", get(notice::notice::<D>))
        .route("/lost", get(lost::lost::<D>).post(lost::ask::<D>))
        .merge(counted(counts))
        .route("/healthz", get(|| async { "ok" }))
        .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /\n" }))
        .route(assets::style_path(), get(style))
        .route(assets::icon_path(), get(icon))
        .route(assets::script_path(), get(script))
        .route(assets::console_style_path(), get(console_style))
        .route(assets::console_script_path(), get(console_script))
        .merge(console)
        .layer(CompressionLayer::new());
    let panicked = house.clone();
    plain
        .merge(compressed)
        .fallback(respond::no_such_page::<D>)
        .method_not_allowed_fallback(respond::wrong_method::<D>)
        .layer(from_fn_with_state(house.clone(), limit::links::<D>))
        .layer(from_fn_with_state(house.clone(), guard::size::<D>))
        .layer(from_fn_with_state(house.clone(), guard::origin::<D>))
        .layer(CatchPanicLayer::custom(move |_panic: Box<dyn Any + Send + 'static>| {
            // What the panic said went to standard error already; it is not repeated to the person.
            problem_page(&panicked, Lang::default(), Problem::Defect)
        }))
        .layer(from_fn(guard::headers))
        .layer(from_fn(guard::log))
        .with_state(house)
}

/// The two pages of counts, or the way to the console in their place.
fn counted<D: Respond>(counts: OpenCounts) -> Router<House<D>> {
    match counts {
        OpenCounts::Everybody => {
            Router::new().route("/status", get(board::status::<D>)).route("/chase", get(chase::chase::<D>))
        }
        OpenCounts::Nobody => {
            let board = |lang: Lang| async move { see_other(&format!("/console/board?lang={}", lang.code())) };
            Router::new().route("/status", get(board)).route("/chase", get(board))
        }
    }
}

/// Assets are addressed by their content, so a copy never goes stale.
const FOR_EVER: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));

async fn style() -> Response {
    asset("text/css; charset=utf-8", assets::STYLE)
}

async fn console_style() -> Response {
    asset("text/css; charset=utf-8", assets::CONSOLE_STYLE)
}

async fn console_script() -> Response {
    asset("text/javascript; charset=utf-8", assets::CONSOLE_SCRIPT)
}

async fn icon() -> Response {
    asset("image/svg+xml", assets::ICON)
}

async fn script() -> Response {
    asset("text/javascript; charset=utf-8", assets::SCRIPT)
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, HeaderValue::from_static(kind)), FOR_EVER], text).into_response()
}
