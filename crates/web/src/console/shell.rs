//! What every page of the console has: the survey, the way around, language, log out; and pages that say one thing.

use askama::Template;
use axum::response::Response;
use parsurvey_desk::DeskError;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_survey::account::Right;

use super::{Shared, names};
use crate::assets;
use crate::pages::{Frame, Switch};
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// Which part of the console a page belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Board,
    People,
    Results,
    Acts,
    Account,
    /// Before the login, or nowhere.
    Outside,
}

/// What every page has.
pub(super) struct Shell<'a> {
    pub(super) f: Frame<'a>,
    pub(super) visitor: Option<&'a Visitor>,
    /// What was just done, told above the page.
    pub(super) told: Option<String>,
    place: Place,
}

/// A link of the way around.
pub(super) struct NavView {
    pub(super) address: String,
    pub(super) label: String,
    pub(super) current: bool,
}

impl<'a> Shell<'a> {
    /// `path` is the page's own address without language: a path, or a path with a query.
    pub(super) fn new(
        room: &'a Shared,
        lang: Lang,
        visitor: Option<&'a Visitor>,
        place: Place,
        title: &str,
        path: &str,
    ) -> Self {
        let switch = Switch::Link(with_lang(path, lang.other()));
        Self { f: Frame::new(room.desk.campaign(), lang, lang.t(title), switch), visitor, told: None, place }
    }

    pub(super) fn t(&self, key: &str) -> String {
        self.f.lang.t(key)
    }

    /// An address of the console in the page's language.
    pub(super) fn link(&self, path: &str) -> String {
        with_lang(path, self.f.lang)
    }

    pub(super) fn style(&self) -> &'static str {
        assets::console_style_path()
    }

    pub(super) fn nav(&self) -> Vec<NavView> {
        let Some(visitor) = self.visitor else { return Vec::new() };
        let places = [
            (Place::Board, Right::SeeCounts, "/console/board", "c-nav-board"),
            (Place::People, Right::SeePeople, "/console/people", "c-nav-people"),
            (Place::Results, Right::SeeResults, "/console/results", "c-nav-results"),
            (Place::Acts, Right::Act, "/console/acts", "c-nav-acts"),
            (Place::Account, Right::OwnAccount, "/console/account", "c-nav-account"),
        ];
        places
            .into_iter()
            .filter(|(_, right, _, _)| visitor.account.role.may(*right))
            .map(|(place, _, path, label)| NavView {
                address: self.link(path),
                label: self.t(label),
                current: place == self.place,
            })
            .collect()
    }

    pub(super) fn who(&self) -> Option<String> {
        let account = &self.visitor?.account;
        Some(self.f.lang.t2("c-who", ("name", &account.name), ("role", self.t(names::role(account.role)))))
    }
}

/// An address with its language.
pub(super) fn with_lang(path: &str, lang: Lang) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}lang={}", lang.code())
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "console/message.html")]
struct Said<'a> {
    c: Shell<'a>,
    paragraphs: Vec<String>,
}

/// A page that says one thing, under the console's own frame.
pub(super) fn said(
    room: &Shared,
    lang: Lang,
    visitor: Option<&Visitor>,
    standing: Standing,
    title: &str,
    paragraphs: Vec<String>,
) -> Response {
    let c = Shell::new(room, lang, visitor, Place::Outside, title, "/console");
    reply(standing, Said { c, paragraphs }.render())
}

/// A problem's page.
pub(super) fn problem(room: &Shared, lang: Lang, visitor: Option<&Visitor>, problem: Problem) -> Response {
    let (title, text) = problem.keys();
    said(room, lang, visitor, Standing::Problem(problem), title, vec![lang.t(text)])
}

/// The page for what the desk could not do. What went wrong is for the log.
pub(super) fn unavailable(room: &Shared, lang: Lang, visitor: Option<&Visitor>, error: &DeskError) -> Response {
    tracing::error!(%error, "the console could not answer");
    problem(room, lang, visitor, Problem::Unavailable)
}
