//! What people are told of their data: law, basis, who processes what and why, who receives it, how long it is kept, and
//! what a person can do about it.
//!
//! Everything that differs between surveys comes from `[notice]` of the campaign; the rest says what the program does. The
//! wording is a draft for a lawyer (`docs/law`), which the page itself does not say.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use parsurvey_survey::notice::{Notice, Retention, Then};

use crate::app::House;
use crate::pages::{Frame, Switch};
use crate::problem::{Standing, reply};
use crate::seam::Respond;
use crate::words::Lang;

/// GET of the notice. It looks at nothing but the campaign.
pub(crate) async fn notice<D: Respond>(State(house): State<House<D>>, lang: Lang) -> Response {
    let campaign = house.desk.campaign();
    let switch = Switch::Link(format!("/notice?lang={}", lang.other().code()));
    let f = Frame::new(campaign, lang, lang.t("notice-title"), switch);
    reply(Standing::Fine, NoticePage { f, notice: &campaign.notice }.render())
}

/// The notice.
#[derive(Template)]
#[template(path = "notice.html")]
struct NoticePage<'a> {
    f: Frame<'a>,
    notice: &'a Notice,
}

/// A row of the retention table as the template prints it.
struct RetentionView {
    what: &'static str,
    long: String,
    then: String,
}

impl NoticePage<'_> {
    fn controller(&self) -> String {
        self.f.lang.t1("notice-controller", "name", self.f.lang.pick(&self.notice.controller))
    }

    fn processor(&self) -> String {
        self.f.lang.t1("notice-processor", "name", self.f.lang.pick(&self.notice.processor))
    }

    fn box_holder(&self) -> String {
        let holder = self.f.lang.pick(&self.f.campaign.key_holders.ballot_box);
        self.f.lang.t1("notice-to-box-holder", "holder", holder)
    }

    fn archive_holder(&self) -> String {
        let holder = self.f.lang.pick(&self.f.campaign.key_holders.archive);
        self.f.lang.t1("notice-to-archive-holder", "holder", holder)
    }

    fn units(&self) -> String {
        self.f.lang.t1("notice-to-results", "k", self.f.campaign.limits.k)
    }

    fn rights_contact(&self) -> String {
        let sender = &self.f.campaign.sender;
        self.f.lang.t2("notice-rights-how", ("phone", &sender.helpline_phone), ("email", &sender.helpline_email))
    }

    fn complaint(&self) -> String {
        let (lang, complaint) = (self.f.lang, &self.notice.complaint);
        let where_to = format!("{}, {}, {}", lang.pick(&complaint.name), complaint.phone, complaint.email);
        lang.t1("notice-rights-complain", "office", where_to)
    }

    fn retention(&self) -> Vec<RetentionView> {
        self.notice.retention.iter().map(|row| self.row(row)).collect()
    }

    fn row(&self, row: &Retention) -> RetentionView {
        let lang = self.f.lang;
        let (vi, en) = row.what.names();
        let long = match row.then.days() {
            Some(days) => lang.t1("notice-keep-days", "days", days),
            None => lang.t("notice-keep-on"),
        };
        let then = match row.then {
            Then::Erase(_) => lang.t("notice-then-erase"),
            Then::ByHand(_) => lang.t("notice-then-by-hand"),
            Then::Keep => lang.t("notice-then-keep"),
        };
        let what = match lang {
            Lang::Vi => vi,
            Lang::En => en,
        };
        RetentionView { what, long, then }
    }
}
