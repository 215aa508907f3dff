//! Acts of the campaign from the browser: each is one function of the desk, with a page before it that says what follows.
//!
//! [`Act`] is the pattern of all of them. A page shows the consequences in words with numbers, and a mark of the state that
//! they rest on; the post brings the mark back, and is refused where the state is another by now. So of two operators, or of
//! two presses, one does it. A page's number tells the second press of a button from another wish, and the second press is
//! shown what the first one did ([`once`]).

mod ending;
mod holder;
mod index;
mod once;
mod page;
mod post;
mod preview;
mod proposals;
mod roster;
mod seat;
mod sending;
mod settle;

use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::outlook::Standing;
use parsurvey_desk::{Because, DeskError};

use super::Shared;
use crate::words::Lang;

pub(super) use ending::{Close, Extend};
pub(super) use holder::{CorrectAddress, Replace};
pub(super) use index::page as index_page;
pub(super) use once::Once;
pub(super) use page::{page, post};
pub use post::Sending;
pub(super) use post::{Post, SendDue};
pub(super) use preview::{Copies, Copy, LookedAt, mail as preview_mail, page as preview};
pub(super) use proposals::{Approve, Reject, Withdraw, list as proposals, one as proposal};
pub(super) use roster::{StoreRoster, Uploads, page as roster_page, upload as roster_upload};
pub(super) use seat::{Decline, Excuse, Reinstate, ResumeMails};
pub(super) use sending::{LetGo, Pause, Resume};
pub(super) use settle::Settle;

/// Where acts on the whole survey begin, and where they lead back to.
pub(super) const INDEX: &str = "/console/acts";

/// Who wants to do what.
pub(super) struct Ask {
    pub(super) room: Shared,
    pub(super) visitor: Visitor,
    pub(super) lang: Lang,
    /// The number in the page's address: a form, a mail, a proposal; 0 where the act is on the whole survey.
    pub(super) subject: i64,
    pub(super) now: Timestamp,
}

/// A label and what belongs to it.
pub(super) struct Fact {
    pub(super) label: String,
    pub(super) text: String,
}

/// What kind of field something is typed into.
pub(super) enum Kind {
    Text,
    Email,
    /// A day and a time in the campaign's zone.
    Moment,
    /// One of these: value and label.
    Choice(Vec<(String, String)>),
    /// A box to tick besides the last one.
    Agree,
}

/// A field that an act has besides reason and document.
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// A table that an act's page shows.
pub(super) struct Table {
    pub(super) id: &'static str,
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// How many columns from the left are in the page's language; the others are the program's own words in English.
    pub(super) own: usize,
}

/// What an act would do now, as its page says it.
#[derive(Default)]
pub(super) struct Outlook {
    /// Where the page leads back to, and the outcome is shown.
    pub(super) back: String,
    /// Whom or what it is about.
    pub(super) facts: Vec<Fact>,
    /// What follows, each in a sentence.
    pub(super) consequences: Vec<String>,
    /// What stands in the way; then there is no button.
    pub(super) hindrances: Vec<String>,
    /// What it rests on, in full.
    pub(super) tables: Vec<Table>,
    /// What has to be given.
    pub(super) inputs: Vec<Input>,
    /// A number of the state that all of this rests on.
    pub(super) mark: u64,
}

/// An act of the desk with its page.
pub(super) trait Act: 'static {
    /// The word that tells it from other acts.
    const NAME: &'static str;
    /// The key of the page's title.
    const TITLE: &'static str;
    /// The key of the button's text.
    const BUTTON: &'static str;
    /// Whether the approving document is asked for, besides the reason.
    const DOCUMENT: bool;
    /// Whether it is on the whole survey: then it is not for an account of one rated body, which is told no figure of it.
    const WHOLE_SURVEY: bool = false;
    /// Whether it speaks to a relay before it is done, which may take long.
    const WAITS_FOR_RELAY: bool = false;

    /// What it would do now; nothing where there is no such thing for this visitor.
    fn look(ask: &Ask) -> impl Future<Output = Result<Option<Outlook>, DeskError>> + Send;

    /// Does it, and says what was done.
    fn act(ask: &Ask, given: &Given, because: &Because) -> impl Future<Output = Result<String, DeskError>> + Send;
}

/// What was typed into an act's page.
#[derive(Default)]
pub(super) struct Given(Vec<(String, String)>);

impl Given {
    pub(super) fn new(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }

    /// What stands in a field, without space around it; nothing where the field is not there or stands twice.
    pub(super) fn get(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value.trim());
        match (found.next(), found.next()) {
            (Some(value), None) => value,
            _ => "",
        }
    }
}

impl Ask {
    pub(super) fn t(&self, key: &str) -> String {
        self.lang.t(key)
    }

    /// A number in the page's language.
    pub(super) fn count(&self, number: u64) -> String {
        self.lang.count(number)
    }

    /// A moment in the campaign's zone, as people write it.
    pub(super) fn moment(&self, moment: Timestamp) -> String {
        written(&self.room, self.lang, moment)
    }

    /// What keeps everybody from acts on people: the field is over.
    pub(super) fn field_only(&self, standing: &Standing) -> Vec<String> {
        standing.is_over().then(|| self.t("act-closed")).into_iter().collect()
    }
}

/// A moment in the campaign's zone, as people write it.
pub(super) fn written(room: &Shared, lang: Lang, moment: Timestamp) -> String {
    let format = match lang {
        Lang::Vi => "%H:%M ngày %d/%m/%Y",
        Lang::En => "%H:%M on %d/%m/%Y",
    };
    moment.to_zoned(room.desk.campaign().time_zone.clone()).strftime(format).to_string()
}

/// A number of whatever an act rests on. Two servers of one build make the same.
pub(super) fn mark(of: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}
