//! What each mail says, with a dummy link and a made-up person, before it goes to people: on the page, and in mailboxes of
//! one's own.
//!
//! A mail has styles of its own, which our pages may not have. So it is shown in a frame that may do nothing else: no
//! script, no form, nothing from elsewhere.

use askama::Template;
use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::{Because, DeskError};
use parsurvey_survey::campaign::MailKind;

use super::{Act, Ask, Fact, Given, Input, Kind, Outlook, Sending, mark};
use crate::console::shell::{Place, Shell, problem, unavailable};
use crate::console::{Shared, names};
use crate::guard::POLICY;
use crate::problem::{Problem, Standing, reply};
use crate::words::Lang;

/// Sends one mail to a mailbox of one's own.
pub(in crate::console) struct Copy;
/// Sends a contact's mail to the campaign's own mailboxes.
pub(in crate::console) struct Copies;
/// Records that somebody has looked at it there.
pub(in crate::console) struct LookedAt;

/// The first mail's page.
pub(super) const PATH_OF_FIRST: &str = "/console/preview/1";

/// What the framed mail may do: have its own styles, and nothing else.
const MAIL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox",
);

/// A mail that can be chosen.
struct ChoiceView {
    address: String,
    label: String,
    current: bool,
}

/// A way to an act.
struct WayView {
    address: String,
    label: String,
}

#[derive(Template)]
#[template(path = "console/preview.html")]
struct PreviewPage<'a> {
    c: Shell<'a>,
    choices: Vec<ChoiceView>,
    ways: Vec<WayView>,
    subject: String,
    text: String,
    frame: String,
}

/// The mails of the campaign: the contacts in their order, and last the link that is sent to whoever asks for it.
fn mails(room: &Shared) -> Vec<(MailKind, u32)> {
    let contacts = room.desk.campaign().contacts.iter().map(|contact| (contact.kind, contact.wave));
    contacts.chain([(MailKind::Link, 0)]).collect()
}

/// The mail of a number in an address, from 1.
fn mail_of(room: &Shared, number: i64) -> Option<(MailKind, u32)> {
    let place = usize::try_from(number).ok()?.checked_sub(1)?;
    mails(room).get(place).copied()
}

/// GET of the page.
pub(in crate::console) async fn page(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
    number: Result<Path<i64>, PathRejection>,
) -> Response {
    let number = number.map_or(0, |Path(number)| number);
    let Some((kind, wave)) = mail_of(&room, number) else {
        return problem(&room, lang, Some(&visitor), Problem::NoSuchPage);
    };
    let mail = match room.desk.preview(kind, wave) {
        Ok(mail) => mail,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let mut c = Shell::new(&room, lang, Some(&visitor), Place::Acts, "preview-title", uri.path());
    c.told = room.once.told(&visitor.account.name, uri.query());
    let choices = (1..).zip(mails(&room)).map(|(other, (kind, wave))| ChoiceView {
        address: c.link(&format!("/console/preview/{other}")),
        label: names::contact(lang, kind, wave),
        current: other == number,
    });
    let choices = choices.collect();
    let mut acts = vec![("copy", "act-copy-title")];
    if kind != MailKind::Link && !mailboxes(&room).is_empty() {
        acts.extend([("copies", "act-copies-title"), ("looked-at", "act-looked-title")]);
    }
    let way = |(word, label)| WayView { address: c.link(&format!("{}/{word}", uri.path())), label: lang.t(label) };
    let ways = acts.into_iter().map(way).collect();
    let frame = c.link(&format!("{}/mail", uri.path()));
    let page = PreviewPage { choices, ways, subject: mail.subject, text: mail.text, frame, c };
    let mut response = reply(Standing::Fine, page.render());
    let policy = format!("{POLICY}; frame-src 'self'");
    let policy = HeaderValue::from_str(&policy).expect("a policy of ours is ASCII");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

/// GET of the framed mail.
pub(in crate::console) async fn mail(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    lang: Lang,
    number: Result<Path<i64>, PathRejection>,
) -> Response {
    let Some((kind, wave)) = mail_of(&room, number.map_or(0, |Path(number)| number)) else {
        return problem(&room, lang, Some(&visitor), Problem::NoSuchPage);
    };
    let mail = match room.desk.preview(kind, wave) {
        Ok(mail) => mail,
        Err(error) => return unavailable(&room, lang, Some(&visitor), &error),
    };
    let framed = HeaderValue::from_static("SAMEORIGIN");
    ([(header::CONTENT_SECURITY_POLICY, MAIL_POLICY), (header::X_FRAME_OPTIONS, framed)], Html(mail.html))
        .into_response()
}

/// The campaign's own mailboxes.
fn mailboxes(room: &Shared) -> &[String] {
    room.desk.campaign().sending.canary.as_ref().map_or(&[], |canary| &canary.mailboxes)
}

/// The beginning of an act on a mail.
fn outlook(ask: &Ask, sends: bool) -> Option<((MailKind, u32), Outlook)> {
    let mail = mail_of(&ask.room, ask.subject)?;
    let mut hindrances = Vec::new();
    if sends && ask.room.post.is_none() {
        hindrances.push(ask.t("act-send-no-relay"));
    }
    let look = Outlook {
        back: format!("/console/preview/{}", ask.subject),
        facts: vec![Fact { label: ask.t("preview-mail"), text: names::contact(ask.lang, mail.0, mail.1) }],
        hindrances,
        mark: mark((mail.0.as_str(), mail.1)),
        ..Outlook::default()
    };
    Some((mail, look))
}

fn sending(ask: &Ask) -> Result<&Sending, DeskError> {
    let none = || DeskError::refused("this server was told no relay", "use `parsurvey canary` in a terminal");
    ask.room.post.as_ref().ok_or_else(none)
}

impl Act for Copy {
    const WAITS_FOR_RELAY: bool = true;
    const NAME: &'static str = "copy";
    const TITLE: &'static str = "act-copy-title";
    const BUTTON: &'static str = "act-copy-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((_, mut look)) = outlook(ask, true) else { return Ok(None) };
        look.consequences = ["act-copy-one", "act-copy-dummy"].map(|key| ask.t(key)).into();
        look.inputs = vec![Input {
            name: "email",
            label: ask.t("act-copy-email"),
            hint: String::new(),
            kind: Kind::Email,
            required: true,
        }];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, given: &Given, because: &Because) -> Result<String, DeskError> {
        let (kind, wave) = mail_of(&ask.room, ask.subject).unwrap_or((MailKind::Link, 0));
        let relay = sending(ask)?.relay();
        ask.room.desk.send_copy((kind, wave), given.get("email"), relay, because, ask.now).await?;
        Ok(ask.t("act-copy-done"))
    }
}

impl Act for Copies {
    const WAITS_FOR_RELAY: bool = true;
    const NAME: &'static str = "copies";
    const TITLE: &'static str = "act-copies-title";
    const BUTTON: &'static str = "act-copies-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((_, mut look)) = outlook(ask, true) else { return Ok(None) };
        let mailboxes = mailboxes(&ask.room);
        if mailboxes.is_empty() {
            look.hindrances.push(ask.t("act-copies-none"));
        }
        look.consequences = vec![
            ask.lang.t1("act-copies-to", "n", ask.count(mailboxes.len() as u64)),
            ask.t("act-copy-dummy"),
            ask.t("act-copies-then"),
        ];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let (kind, _) = mail_of(&ask.room, ask.subject).unwrap_or((MailKind::Link, 0));
        let taken = ask.room.desk.send_copies(kind, sending(ask)?.relay(), because, ask.now).await?;
        Ok(ask.lang.t1("act-copies-done", "n", ask.count(taken as u64)))
    }
}

impl Act for LookedAt {
    const NAME: &'static str = "looked-at";
    const TITLE: &'static str = "act-looked-title";
    const BUTTON: &'static str = "act-looked-button";
    const DOCUMENT: bool = false;
    const WHOLE_SURVEY: bool = true;

    async fn look(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
        let Some((_, mut look)) = outlook(ask, false) else { return Ok(None) };
        if mailboxes(&ask.room).is_empty() {
            look.hindrances.push(ask.t("act-copies-none"));
        }
        look.consequences = vec![ask.t("act-looked-may")];
        Ok(Some(look))
    }

    async fn act(ask: &Ask, _: &Given, because: &Because) -> Result<String, DeskError> {
        let (kind, _) = mail_of(&ask.room, ask.subject).unwrap_or((MailKind::Link, 0));
        let wave = ask.room.desk.looked_at(kind, because, ask.now).await?;
        Ok(ask.lang.t1("act-looked-done", "what", names::contact(ask.lang, kind, wave)))
    }
}
