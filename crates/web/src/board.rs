//! The plain status page: how many forms are in, by respondent group. Numbers of forms only, no name and no answer.
//!
//! It renews itself every half minute without a script, and stands still when asked to. However many people look, the
//! seats are counted once in a few seconds.

use std::time::{Duration, Instant};

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use parsurvey_desk::DeskError;
use parsurvey_survey::status::{Share, Status, StatusRow};
use tokio::sync::Mutex;

use crate::app::House;
use crate::pages::{Frame, Switch};
use crate::problem::{Standing, reply};
use crate::respond::unavailable;
use crate::seam::Respond;
use crate::words::Lang;

/// GET of the status page.
pub(crate) async fn status<D: Respond>(
    State(house): State<House<D>>,
    lang: Lang,
    RawQuery(query): RawQuery,
) -> Response {
    let now = house.clock.now();
    let live = !query.unwrap_or_default().split('&').any(|pair| pair == "live=no");
    match house.latest.get(now, house.desk.status(now)).await {
        Ok((status, now)) => {
            let switch = Switch::Link(address(lang.other(), live));
            let f = Frame::new(house.desk.campaign(), lang, lang.t("status-title"), switch);
            let as_of = f.moment(now);
            reply(Standing::Fine, Board { f, status: &status, as_of, live }.render())
        }
        Err(error) => unavailable(&house, lang, &error),
    }
}

/// How long a status serves everybody who asks: the page is public, and counting a large frame takes the database a while.
const FRESH: Duration = Duration::from_secs(3);

/// What was counted last. Whoever asks meanwhile waits for the same count.
pub(crate) struct Latest<T>(Mutex<Option<(Instant, Timestamp, T)>>);

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Latest<T> {
    /// The count and the moment it speaks of.
    pub(crate) async fn get(
        &self,
        now: Timestamp,
        count: impl Future<Output = Result<T, DeskError>>,
    ) -> Result<(T, Timestamp), DeskError> {
        let mut latest = self.0.lock().await;
        if let Some((counted, at, known)) = &*latest
            && counted.elapsed() < FRESH
            && now.duration_since(*at).unsigned_abs() < FRESH
        {
            return Ok((known.clone(), *at));
        }
        let fresh = count.await?;
        *latest = Some((Instant::now(), now, fresh.clone()));
        Ok((fresh, now))
    }
}

fn address(lang: Lang, live: bool) -> String {
    let still = if live { "" } else { "&live=no" };
    format!("/status?lang={}{still}", lang.code())
}

/// The status page.
#[derive(Template)]
#[template(path = "status.html")]
pub(crate) struct Board<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) status: &'a Status,
    pub(crate) as_of: String,
    pub(crate) live: bool,
}

/// A headline number as the template prints it.
pub(crate) struct ShareView {
    label: String,
    note: String,
    completed: String,
    forms: String,
    percent: String,
}

/// A group's row as the template prints it.
pub(crate) struct RowView {
    name: String,
    completed: String,
    listed: String,
    percent: String,
    /// The bar's width in whole percent.
    width: u64,
    /// The counts in the order of the table's columns.
    counts: [String; 8],
}

impl Board<'_> {
    fn headline(&self) -> [ShareView; 3] {
        let headline = self.status.headline;
        let lang = self.f.lang;
        let view = |label: &str, note: &str, share: Share| ShareView {
            label: lang.t(label),
            note: lang.t(note),
            completed: lang.count(share.completed),
            forms: lang.count(share.forms),
            percent: lang.percent(share.completed, share.forms),
        };
        [
            view("status-counted", "status-counted-note", headline.counted),
            view("status-able", "status-able-note", headline.able),
            view("status-all", "status-all-note", headline.all),
        ]
    }

    fn rows(&self) -> Vec<RowView> {
        self.status.rows.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &StatusRow) -> RowView {
        let lang = self.f.lang;
        let group = row.key.parse().ok().and_then(|code| self.f.campaign.group(&code));
        let counts = [
            row.listed,
            row.invited,
            row.rejected,
            row.unknown,
            row.started,
            row.completed,
            row.excused,
            row.outstanding,
        ];
        RowView {
            name: group.map_or_else(|| row.key.clone(), |group| lang.pick(&group.name).to_owned()),
            completed: lang.count(row.completed),
            listed: lang.count(row.listed),
            percent: lang.percent(row.completed, row.listed),
            width: (row.completed * 100).checked_div(row.listed).unwrap_or(0).min(100),
            counts: counts.map(|count| lang.count(count)),
        }
    }

    fn toggle(&self) -> String {
        address(self.f.lang, !self.live)
    }
}
