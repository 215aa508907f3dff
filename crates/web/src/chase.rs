//! The morning's chase: where every unit stands. Numbers of forms only, no name and no answer.
//!
//! Units that have nothing outstanding stand below the others. Whoever declined is one of those who have begun, here as
//! everywhere; this page can be read by the units themselves.

use askama::Template;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use jiff::Timestamp;
use parsurvey_survey::chase::{Chase, ChaseCounts, ChaseRow};

use crate::app::House;
use crate::pages::{Frame, Switch};
use crate::problem::{Standing, reply};
use crate::respond::unavailable;
use crate::seam::Respond;
use crate::words::Lang;

/// GET of the page.
pub(crate) async fn chase<D: Respond>(
    State(house): State<House<D>>,
    lang: Lang,
    RawQuery(query): RawQuery,
) -> Response {
    let now = house.clock.now();
    let live = !query.unwrap_or_default().split('&').any(|pair| pair == "live=no");
    match house.chased.get(now, house.desk.chase(now)).await {
        Ok((chase, now)) => {
            let switch = Switch::Link(address(lang.other(), live));
            let f = Frame::new(house.desk.campaign(), lang, lang.t("chase-title"), switch);
            let (as_of, deadline) = (f.moment(now), chase.deadline.parse::<Timestamp>().map(|at| f.moment(at)));
            let deadline = deadline.unwrap_or_else(|_| chase.deadline.clone());
            reply(Standing::Fine, Morning { f, chase: &chase, as_of, deadline, live }.render())
        }
        Err(error) => unavailable(&house, lang, &error),
    }
}

fn address(lang: Lang, live: bool) -> String {
    let still = if live { "" } else { "&live=no" };
    format!("/chase?lang={}{still}", lang.code())
}

/// The page.
#[derive(Template)]
#[template(path = "chase.html")]
pub(crate) struct Morning<'a> {
    f: Frame<'a>,
    chase: &'a Chase,
    as_of: String,
    deadline: String,
    live: bool,
}

/// A row as the template prints it.
pub(crate) struct RowView {
    name: String,
    /// The counts in the order of the table's columns.
    counts: [String; 7],
}

/// A number of the headline as the template prints it.
pub(crate) struct FigureView {
    label: String,
    count: String,
    note: String,
}

impl Morning<'_> {
    fn figures(&self) -> [FigureView; 3] {
        let total = self.chase.total;
        let lang = self.f.lang;
        let view = |label: &str, note: &str, count, of: u64| FigureView {
            label: lang.t(label),
            count: lang.count(count),
            note: lang.t1(note, "n", lang.count(of)),
        };
        let behind = self.chase.units.iter().filter(|unit| unit.counts.outstanding > 0).count() as u64;
        [
            view("chase-outstanding", "chase-outstanding-note", total.outstanding, total.listed),
            view("chase-not-delivered", "chase-not-delivered-note", total.not_delivered, total.outstanding),
            view("chase-behind", "chase-behind-note", behind, self.chase.units.len() as u64),
        ]
    }

    /// The units in the campaign's order, those with something outstanding first, and the sum.
    fn units(&self) -> Vec<RowView> {
        let (behind, done): (Vec<_>, Vec<_>) = self.chase.units.iter().partition(|unit| unit.counts.outstanding > 0);
        let rows = behind.into_iter().chain(done).map(|row| self.row(row, self.unit_name(&row.key)));
        let total = self.view(self.f.lang.t("chase-total"), &self.chase.total);
        rows.chain([total]).collect()
    }

    fn groups(&self) -> Vec<RowView> {
        let name = |key: &str| {
            let group = key.parse().ok().and_then(|code| self.f.campaign.group(&code));
            group.map_or_else(|| key.to_owned(), |group| self.f.lang.pick(&group.name).to_owned())
        };
        self.chase.groups.iter().map(|row| self.row(row, name(&row.key))).collect()
    }

    fn unit_name(&self, key: &str) -> String {
        let unit = key.parse().ok().and_then(|code| self.f.campaign.unit(&code));
        unit.map_or_else(|| key.to_owned(), |unit| unit.name.clone())
    }

    fn row(&self, row: &ChaseRow, name: String) -> RowView {
        self.view(name, &row.counts)
    }

    fn view(&self, name: String, counts: &ChaseCounts) -> RowView {
        // What is left stands first: on a phone the other columns are beyond the edge.
        let counts = [
            counts.outstanding,
            counts.not_delivered,
            counts.silent,
            counts.started,
            counts.excused,
            counts.completed,
            counts.listed,
        ];
        RowView { name, counts: counts.map(|count| self.f.lang.count(count)) }
    }

    fn lead(&self) -> String {
        self.f.lang.t2("chase-as-of", ("time", &self.as_of), ("deadline", &self.deadline))
    }

    fn toggle(&self) -> String {
        address(self.f.lang, !self.live)
    }
}
