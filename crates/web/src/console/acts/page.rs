//! The page before an act, and the post that does it.

use askama::Template;
use axum::Extension;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{Form, Path, State};
use axum::http::Uri;
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use parsurvey_desk::accounts::login::Visitor;
use parsurvey_desk::{Because, DeskError};

use super::{Act, Ask, Given, INDEX, Input, Kind, Outlook, once};
use crate::console::Shared;
use crate::console::shell::{Place, Shell, problem, unavailable, with_lang};
use crate::problem::{Problem, Standing, reply, see_other};
use crate::words::Lang;

/// The longest text that a field takes, in characters.
const TEXT_MOST: usize = 500;

/// What stands above a page that comes again.
enum Alert {
    /// Nothing: it comes for the first time.
    None,
    /// The state is another than the page showed.
    Meanwhile,
    /// What has to be mended in the fields.
    Faults(Vec<String>),
    /// The desk's own words.
    Refused(String),
}

/// The page.
#[derive(Template)]
#[template(path = "console/act.html")]
struct ActPage<'a> {
    c: Shell<'a>,
    look: Outlook,
    given: &'a Given,
    alert: Alert,
    action: String,
    mark: String,
    number: String,
    button: &'static str,
    document: bool,
}

/// What became of a post.
enum Performed {
    /// It is done, now or by an earlier press; the address shows what.
    Done(String),
    /// The page comes again.
    Again(Standing, Alert, Outlook),
    /// There is no such thing.
    Nothing,
    Failed(DeskError),
}

type Subject = Result<Path<i64>, PathRejection>;

impl Ask {
    fn new(room: Shared, visitor: Visitor, lang: Lang, subject: &Subject) -> Self {
        // No form, mail or proposal has the number 0.
        let subject = subject.as_ref().map_or(0, |Path(subject)| *subject);
        let now = room.clock.now();
        Self { room, visitor, lang, subject, now }
    }

    /// The moment that a field for a day and a time holds, in the campaign's zone.
    pub(super) fn moment_of(&self, text: &str) -> Option<Timestamp> {
        let civil: DateTime = text.parse().ok()?;
        let zone = self.room.desk.campaign().time_zone.clone();
        Some(civil.to_zoned(zone).ok()?.timestamp())
    }
}

/// What an act would do now, asked only where the visitor may know it.
async fn looked<A: Act>(ask: &Ask) -> Result<Option<Outlook>, DeskError> {
    if A::WHOLE_SURVEY && ask.visitor.scope.target.is_some() {
        let hindrances = vec![ask.t("act-every-target")];
        return Ok(Some(Outlook { back: INDEX.to_owned(), hindrances, ..Outlook::default() }));
    }
    A::look(ask).await
}

/// GET of an act's page.
pub(in crate::console) async fn page<A: Act>(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
    subject: Subject,
) -> Response {
    let ask = Ask::new(room, visitor, lang, &subject);
    match looked::<A>(&ask).await {
        Ok(Some(look)) => draw::<A>(&ask, &uri, Standing::Fine, Alert::None, &Given::default(), look),
        Ok(None) => problem(&ask.room, lang, Some(&ask.visitor), Problem::NoSuchPage),
        Err(error) => unavailable(&ask.room, lang, Some(&ask.visitor), &error),
    }
}

/// POST of an act's page.
pub(in crate::console) async fn post<A: Act>(
    State(room): State<Shared>,
    Extension(visitor): Extension<Visitor>,
    uri: Uri,
    lang: Lang,
    subject: Subject,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let ask = Ask::new(room, visitor, lang, &subject);
    let Ok(Form(fields)) = form else {
        return problem(&ask.room, lang, Some(&ask.visitor), Problem::NotAForm);
    };
    let given = Given::new(fields);
    // On a task of its own: a browser that goes away does not end an act half-way.
    let performing = tokio::spawn(async move {
        let performed = perform::<A>(&ask, &given).await;
        (ask, given, performed)
    });
    let performed = performing.await.unwrap_or_else(|panicked| std::panic::resume_unwind(panicked.into_panic()));
    let (ask, given, performed) = performed;
    match performed {
        Performed::Done(address) => see_other(&with_lang(&address, lang)),
        Performed::Again(standing, alert, look) => draw::<A>(&ask, &uri, standing, alert, &given, look),
        Performed::Nothing => problem(&ask.room, lang, Some(&ask.visitor), Problem::NoSuchPage),
        Performed::Failed(error) => unavailable(&ask.room, lang, Some(&ask.visitor), &error),
    }
}

async fn perform<A: Act>(ask: &Ask, given: &Given) -> Performed {
    let (room, account) = (&ask.room, &ask.visitor.account.name);
    let _alone = room.once.alone(A::WAITS_FOR_RELAY).await;
    let number = given.get("number");
    if let Some(address) = room.once.again(account, number) {
        return Performed::Done(address);
    }
    let look = match looked::<A>(ask).await {
        Ok(Some(look)) => look,
        Ok(None) => return Performed::Nothing,
        Err(error) => return Performed::Failed(error),
    };
    if given.get("mark") != mark_text::<A>(ask, &look) {
        // Whoever posts without a mark has seen no page: there is nothing that could have changed.
        let standing = if given.get("mark").is_empty() { Standing::Faulty } else { Standing::Meanwhile };
        return Performed::Again(standing, Alert::Meanwhile, look);
    }
    if !look.hindrances.is_empty() {
        return Performed::Again(Standing::Faulty, Alert::None, look);
    }
    let faults = faults::<A>(ask, given, &look);
    if !faults.is_empty() {
        return Performed::Again(Standing::Faulty, Alert::Faults(faults), look);
    }
    let because = Because {
        actor: account.to_string(),
        reason: given.get("reason").to_owned(),
        document: document(given).unwrap_or_default(),
    };
    match A::act(ask, given, &because).await {
        Ok(outcome) => Performed::Done(room.once.note(account, number, &look.back, outcome)),
        Err(error @ DeskError::Unfinished { .. }) => {
            tracing::warn!(%error, act = A::NAME, "an act was not finished");
            Performed::Again(Standing::NotStored, Alert::Refused(error.to_string()), look)
        }
        Err(error) => Performed::Again(Standing::Faulty, Alert::Refused(error.to_string()), look),
    }
}

/// What is missing or wrong in the fields, before the desk is asked.
fn faults<A: Act>(ask: &Ask, given: &Given, look: &Outlook) -> Vec<String> {
    let missing = |label: String| ask.lang.t1("act-missing", "field", label);
    let mut faults = Vec::new();
    for input in &look.inputs {
        let value = given.get(input.name);
        let is_known = match &input.kind {
            Kind::Choice(choices) => choices.iter().any(|(known, _)| *known == value),
            Kind::Text | Kind::Email => !value.is_empty() || !input.required,
            Kind::Moment => ask.moment_of(value).is_some(),
            Kind::Agree => value == "yes",
        };
        if !is_known {
            faults.push(missing(input.label.clone()));
        }
    }
    if given.get("reason").is_empty() {
        faults.push(missing(ask.t("act-reason")));
    }
    if A::DOCUMENT {
        if given.get("document").is_empty() {
            faults.push(missing(ask.t("act-document")));
        }
        if document(given).is_none() {
            faults.push(missing(ask.t("act-document-date")));
        }
    }
    if given.0.iter().any(|(_, value)| value.chars().count() > TEXT_MOST) {
        faults.push(ask.lang.t1("act-long", "most", TEXT_MOST));
    }
    if given.get("confirm") != "yes" {
        faults.push(ask.t("act-unconfirmed"));
    }
    faults
}

/// Number and date of the document, as the log keeps them; nothing without a date.
fn document(given: &Given) -> Option<String> {
    let date: Date = given.get("document-date").parse().ok()?;
    Some(format!("{}, {}", given.get("document"), date.strftime("%d/%m/%Y")))
}

fn mark_text<A: Act>(ask: &Ask, look: &Outlook) -> String {
    format!("{:016x}", super::mark((A::NAME, ask.subject, look.mark, look.hindrances.is_empty())))
}

fn draw<A: Act>(ask: &Ask, uri: &Uri, standing: Standing, alert: Alert, given: &Given, look: Outlook) -> Response {
    let path = uri.path();
    let mut c = Shell::new(&ask.room, ask.lang, Some(&ask.visitor), Place::Acts, A::TITLE, path);
    c.told = ask.room.once.told(&ask.visitor.account.name, uri.query());
    let page = ActPage {
        action: c.link(path),
        mark: mark_text::<A>(ask, &look),
        number: once::number(),
        button: A::BUTTON,
        document: A::DOCUMENT,
        c,
        given,
        alert,
        look,
    };
    reply(standing, page.render())
}

impl ActPage<'_> {
    /// How an input is typed, for the browser.
    fn kind(&self, input: &Input) -> &'static str {
        match input.kind {
            Kind::Text | Kind::Choice(_) => "text",
            Kind::Agree => "checkbox",
            Kind::Email => "email",
            Kind::Moment => "datetime-local",
        }
    }

    /// What can be chosen: value, label, whether it is chosen.
    fn choices<'i>(&self, input: &'i Input) -> Vec<(&'i str, &'i str, bool)> {
        match &input.kind {
            Kind::Choice(choices) => {
                let chosen = self.given.get(input.name);
                let is_chosen = |value: &String| value == chosen || choices.len() == 1;
                choices.iter().map(|(value, label)| (value.as_str(), label.as_str(), is_chosen(value))).collect()
            }
            Kind::Text | Kind::Email | Kind::Moment | Kind::Agree => Vec::new(),
        }
    }
}
