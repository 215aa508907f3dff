//! The part of the board that changes, made into what its template prints. Numbers of forms only, no name and no answer.

use askama::Template;
use jiff::Timestamp;
use parsurvey_survey::account::{Right, Role};
use parsurvey_survey::board::{Board, BoardCounts, BoardDay, ShareOf};
use parsurvey_survey::campaign::{Campaign, MailKind};
use parsurvey_survey::chase::next_contact;

use super::names;
use super::shell::with_lang;
use crate::words::Lang;
use parsurvey_report::chart::{DayBar, days};

/// The part.
#[derive(Template)]
#[template(path = "console/board_part.html")]
pub(super) struct BoardPart<'a> {
    pub(super) lang: Lang,
    pub(super) campaign: &'a Campaign,
    pub(super) board: &'a Board,
    pub(super) names_ordered: bool,
    pub(super) role: Role,
    pub(super) at: Timestamp,
    pub(super) number: u64,
}

/// A rate.
struct ShareView {
    label: String,
    note: String,
    completed: String,
    forms: String,
    percent: String,
}

/// A bar of some whole.
struct BarView {
    label: String,
    count: String,
    percent: String,
    /// Whole percent.
    width: u64,
}

/// A figure of the chase, or of delivery.
struct FigureView {
    label: String,
    count: String,
    note: String,
    /// Where its list is, for whoever may see people.
    list: Option<String>,
}

/// A row of a table.
struct RowView {
    name: String,
    percent: String,
    width: u64,
    counts: Vec<String>,
}

/// A day's row.
struct DayView {
    day: String,
    completed: String,
    cumulated: String,
    percent: String,
    due: String,
}

impl BoardPart<'_> {
    fn t(&self, key: &str) -> String {
        self.lang.t(key)
    }

    fn state(&self) -> String {
        format!("{:016x}", self.number)
    }

    fn moment(&self, moment: Timestamp) -> String {
        let format = match self.lang {
            Lang::Vi => "%H:%M ngày %d/%m/%Y",
            Lang::En => "%H:%M on %d/%m/%Y",
        };
        moment.to_zoned(self.campaign.time_zone.clone()).strftime(format).to_string()
    }

    fn lead(&self) -> String {
        self.lang.t1("c-board-deadline", "time", self.moment(self.board.deadline))
    }

    fn next(&self) -> Option<String> {
        let (kind, wave, due) = next_contact(self.campaign, self.at)?;
        let what = names::contact(self.lang, kind, wave);
        Some(self.lang.t2("c-board-next", ("what", what), ("time", self.moment(due))))
    }

    fn shares(&self) -> Vec<ShareView> {
        let view = |of: ShareOf, completed: u64, forms: u64| {
            let (label, note) = match of {
                ShareOf::Counted => ("status-counted", "status-counted-note"),
                ShareOf::Able => ("status-able", "status-able-note"),
                ShareOf::All => ("status-all", "status-all-note"),
                ShareOf::Own => ("c-share-own", "c-share-own-note"),
                ShareOf::OwnAble => ("c-share-own-able", "c-share-own-able-note"),
            };
            ShareView {
                label: self.t(label),
                note: self.t(note),
                completed: self.lang.count(completed),
                forms: self.lang.count(forms),
                percent: self.lang.percent(completed, forms),
            }
        };
        self.board.shares.iter().map(|(of, share)| view(*of, share.completed, share.forms)).collect()
    }

    fn funnel(&self) -> Vec<BarView> {
        let total = self.board.total;
        [
            ("c-funnel-listed", total.listed),
            ("c-funnel-mailed", total.mailed),
            ("c-funnel-reached", total.reached),
            ("c-funnel-started", total.started),
            ("c-funnel-completed", total.completed),
        ]
        .into_iter()
        .map(|(label, count)| BarView {
            label: self.t(label),
            count: self.lang.count(count),
            percent: self.lang.percent(count, total.listed),
            width: width(count, total.listed),
        })
        .collect()
    }

    fn chase(&self) -> Vec<FigureView> {
        let total = self.board.total;
        let behind = self.board.units.iter().filter(|row| row.counts.outstanding() > 0).count() as u64;
        let of = |label: &str, note: &str, count: u64, of: u64| FigureView {
            label: self.t(label),
            count: self.lang.count(count),
            note: self.lang.t1(note, "n", self.lang.count(of)),
            list: None,
        };
        vec![
            of("chase-outstanding", "chase-outstanding-note", total.outstanding(), total.listed),
            of("chase-not-delivered", "chase-not-delivered-note", total.not_delivered, total.outstanding()),
            of("chase-behind", "chase-behind-note", behind, self.board.units.len() as u64),
        ]
    }

    fn trouble(&self) -> Vec<FigureView> {
        let total = self.board.total;
        [
            ("c-seat-rejected", "c-trouble-rejected", total.rejected, "rejected"),
            ("c-seat-bounced", "c-trouble-bounced", total.bounced, "bounced"),
            ("c-seat-unknown", "c-trouble-unknown", total.unknown, "unknown"),
            ("c-seat-suppressed", "c-trouble-suppressed", total.suppressed, "suppressed"),
        ]
        .into_iter()
        .map(|(label, note, count, word)| FigureView {
            label: self.t(label),
            count: self.lang.count(count),
            note: self.t(note),
            list: (self.role.may(Right::SeeMails) && count > 0)
                .then(|| with_lang(&format!("/console/people?state={word}"), self.lang)),
        })
        .collect()
    }

    fn groups(&self) -> Vec<RowView> {
        let name = |key: &str| {
            let group = key.parse().ok().and_then(|code| self.campaign.group(&code));
            group.map_or_else(|| key.to_owned(), |group| self.lang.pick(&group.name).to_owned())
        };
        self.board.groups.iter().map(|row| self.row(name(&row.key), &row.counts)).collect()
    }

    /// Units with something outstanding first, in the campaign's order, and the sum.
    fn units(&self) -> Vec<RowView> {
        let name = |key: &str| {
            let unit = key.parse().ok().and_then(|code| self.campaign.unit(&code));
            unit.map_or_else(|| key.to_owned(), |unit| unit.name.clone())
        };
        let (behind, done): (Vec<_>, Vec<_>) = self.board.units.iter().partition(|row| row.counts.outstanding() > 0);
        let rows = behind.into_iter().chain(done).map(|row| self.row(name(&row.key), &row.counts));
        rows.chain([self.row(self.t("chase-total"), &self.board.total)]).collect()
    }

    fn row(&self, name: String, counts: &BoardCounts) -> RowView {
        let in_order = [
            counts.outstanding(),
            counts.not_delivered,
            counts.silent,
            counts.begun,
            counts.excused,
            counts.completed,
            counts.listed,
        ];
        RowView {
            name,
            percent: self.lang.percent(counts.completed, counts.listed),
            width: width(counts.completed, counts.listed),
            counts: in_order.map(|count| self.lang.count(count)).into(),
        }
    }

    fn day_rows(&self) -> Vec<DayView> {
        let listed = self.board.total.listed;
        let view = |day: &BoardDay| DayView {
            day: day.day.strftime("%d/%m/%Y").to_string(),
            completed: self.lang.count(day.completed),
            cumulated: self.lang.count(day.cumulated),
            percent: self.lang.percent(day.cumulated, listed),
            due: self.due(day),
        };
        // What is newest is what is asked for.
        self.board.days.iter().rev().map(view).collect()
    }

    fn due(&self, day: &BoardDay) -> String {
        let contacts: Vec<String> =
            day.due.iter().map(|(kind, wave)| names::contact(self.lang, *kind, *wave)).collect();
        contacts.join(", ")
    }

    /// The days as a drawing: columns for each day's forms, a line for their sum, a mark where a mail was due.
    fn chart(&self) -> String {
        let listed = self.board.total.listed;
        let bars: Vec<DayBar> = self
            .board
            .days
            .iter()
            .map(|day| DayBar {
                label: day.day.strftime("%d/%m").to_string(),
                count: day.completed,
                sum: day.cumulated,
                mark: day.due.iter().map(|(kind, wave)| self.mark(*kind, *wave)).collect::<Vec<_>>().join(" "),
            })
            .collect();
        days(&self.t("c-days-title"), &bars, listed)
    }

    fn mark(&self, kind: MailKind, wave: u32) -> String {
        match kind {
            MailKind::Prenotice | MailKind::Invitation | MailKind::Link => names::contact(self.lang, kind, wave),
            MailKind::Reminder => self.lang.t1("c-mark-reminder", "wave", wave),
        }
    }

    fn names_note(&self) -> String {
        self.t(if self.names_ordered { "c-names-ordered" } else { "c-names-not-ordered" })
    }
}

/// Whole percent of a whole, for a bar.
fn width(part: u64, whole: u64) -> u64 {
    (part * 100).checked_div(whole).unwrap_or(0).min(100)
}
