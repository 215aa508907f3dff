//! The respondent's pages over HTTP: a link, a post, and what comes back.
//!
//! A look changes nothing, and a press of a button without a chosen option changes nothing either, so a mail scanner
//! leaves no trace. The first chosen option is told to the desk as a start. Answers are held by the page the person has
//! open, and beside it as a sealed draft, so that they survive a closed tab and meet the person on another device.

use askama::Template;
use axum::Form;
use axum::extract::rejection::{FormRejection, PathRejection};
use axum::extract::{FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use jiff::Timestamp;
use parsurvey_desk::DeskError;
use parsurvey_desk::drafts::Saving;
use parsurvey_desk::respond::{AnswerFault, Answers, OpenForm, Submission, Visit};
use parsurvey_survey::campaign::{Campaign, Questionnaire};

use crate::app::House;
use crate::flow::{Draft, Step, changes, review, step};
use crate::pages::{Alert, Anew, Frame, Landing, Message, Paper, SectionPage, Switch, Tone};
use crate::posted::{At, Go, Posted};
use crate::problem::{Problem, SavedAs, Standing, reply, saved, see_other};
use crate::review::{Review, reviewed};
use crate::seam::Respond;
use crate::words::Lang;

impl<S: Send + Sync> FromRequestParts<S> for Lang {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(Lang::of_query(parts.uri.query()))
    }
}

/// The secret of a link as it stands in the address. It has no `Debug`, so it cannot be printed by accident.
pub(crate) struct Token(pub(crate) String);

impl Token {
    /// The token, if it could be one of ours at all.
    pub(crate) fn of(path: Result<Path<String>, PathRejection>) -> Option<Self> {
        let Ok(Path(text)) = path else { return None };
        let plausible = (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        plausible.then_some(Self(text))
    }
}

pub(crate) type TokenPath = Result<Path<String>, PathRejection>;
pub(crate) type Fields = Result<Form<Vec<(String, String)>>, FormRejection>;

/// GET of a link: the landing page, or what became of the form.
pub(crate) async fn landing<D: Respond>(State(house): State<House<D>>, lang: Lang, path: TokenPath) -> Response {
    let Some(token) = Token::of(path) else {
        return problem_page(&house, lang, Problem::UnknownLink);
    };
    let now = house.clock.now();
    match house.desk.visit(&token.0, now).await {
        Ok(visit) => visited(&house, lang, &token, &visit, now),
        Err(error) => unavailable(&house, lang, &error),
    }
}

/// GET of a page of the form, as when an in-app browser is opened again: the answers are gone, the link is not.
pub(crate) async fn page_by_get(lang: Lang, path: TokenPath) -> Response {
    match Token::of(path) {
        Some(token) => see_other(&landing_address(&token, lang)),
        None => see_other("/f/-"),
    }
}

/// POST of a page of the form.
pub(crate) async fn page<D: Respond>(
    State(house): State<House<D>>,
    lang: Lang,
    path: TokenPath,
    fields: Fields,
) -> Response {
    let Some(token) = Token::of(path) else {
        return problem_page(&house, lang, Problem::UnknownLink);
    };
    let Ok(Form(fields)) = fields else {
        return problem_page(&house, lang, Problem::NotAForm);
    };
    let posted = Posted::read(fields);
    let now = house.clock.now();
    let asked = Asked { house: &house, lang, token: &token, now };
    match house.desk.visit(&token.0, now).await {
        Ok(Visit::Open(form)) => asked.open(&posted, &form).await,
        Ok(Visit::Completed { anew: Some(form) }) if posted.anew => asked.open(&posted, &form).await,
        Ok(Visit::Completed { .. }) if posted.has_answers() => asked.submitted_before(),
        Ok(Visit::Closed) if posted.has_answers() => asked.closed(&posted).await,
        Ok(visit) => visited(&house, lang, &token, &visit, now),
        Err(error) => asked.not_looked_up(&posted, &error),
    }
}

/// POST of the page's script: answers as they are chosen. The reply is for the script alone.
pub(crate) async fn save<D: Respond>(State(house): State<House<D>>, path: TokenPath, fields: Fields) -> Response {
    let (Some(token), Ok(Form(fields))) = (Token::of(path), fields) else { return saved(SavedAs::Refused) };
    let (posted, now) = (Posted::read(fields), house.clock.now());
    let asked = match house.desk.visit(&token.0, now).await {
        Ok(Visit::Open(form)) => form,
        Ok(_) => return saved(SavedAs::Refused),
        Err(error) => {
            tracing::error!(%error, "a link could not be looked up");
            return saved(SavedAs::NotStored);
        }
    };
    let Some(questionnaire) = house.desk.campaign().questionnaire(&asked.target, &asked.group) else {
        return saved(SavedAs::Refused);
    };
    // The script sends what was chosen just now and nothing else.
    let (changes, strange) = posted.changes(questionnaire, |_| true);
    if strange {
        return saved(SavedAs::Refused);
    }
    saved(match house.desk.save_draft(&token.0, &changes, now).await {
        Ok(Saving::Saved) => SavedAs::Saved,
        Ok(Saving::Noted) => SavedAs::Noted,
        Ok(Saving::Refused(_)) => SavedAs::Refused,
        Err(error) => {
            tracing::warn!(%error, "a draft could not be saved");
            SavedAs::NotStored
        }
    })
}

/// A request that came too soon after too many others: what was posted stays on the page, and the desk is not asked.
pub(crate) fn too_fast<D: Respond>(house: &House<D>, lang: Lang, token: &str, body: &[u8]) -> Response {
    let Some(token) = Token::of(Ok(Path(token.to_owned()))) else {
        return problem_page(house, lang, Problem::TooFast);
    };
    let fields = form_urlencoded::parse(body).into_owned().collect();
    let asked = Asked { house, lang, token: &token, now: house.clock.now() };
    asked.same_page(&Posted::read(fields), Alert::TooFast, Problem::TooFast)
}

/// Any address that leads nowhere.
pub(crate) async fn no_such_page<D: Respond>(State(house): State<House<D>>, lang: Lang) -> Response {
    problem_page(&house, lang, Problem::NoSuchPage)
}

/// A method that the address does not take.
pub(crate) async fn wrong_method<D: Respond>(State(house): State<House<D>>, lang: Lang) -> Response {
    problem_page(&house, lang, Problem::WrongMethod)
}

/// A post to a link at one moment.
struct Asked<'a, D> {
    house: &'a House<D>,
    lang: Lang,
    token: &'a Token,
    now: Timestamp,
}

impl<D: Respond> Asked<'_, D> {
    fn campaign(&self) -> &Campaign {
        self.house.desk.campaign()
    }

    /// A post to a form that can be answered.
    async fn open(&self, posted: &Posted, form: &OpenForm) -> Response {
        let Some(questionnaire) = self.campaign().questionnaire(&form.target, &form.group) else {
            tracing::error!(group = %form.group, target_code = %form.target, "an open form has no questionnaire");
            return problem_page(self.house, self.lang, Problem::Defect);
        };
        match step(questionnaire, posted, form.draft.as_ref()) {
            Step::Alien(draft) => self.show(questionnaire, Some(form), &draft, Alert::Alien),
            Step::Submit(draft) => self.submit(questionnaire, form, draft).await,
            Step::Show(draft) => {
                let (changes, _) = changes(questionnaire, posted);
                // What is answered anew is held by the page alone: a draft beside a completion would tell that it is.
                if !changes.is_empty() && !draft.anew {
                    // The answers are on the page whether or not they are saved, and the next post saves them again.
                    if let Err(error) = self.house.desk.save_draft(&self.token.0, &changes, self.now).await {
                        tracing::warn!(%error, "a draft could not be saved");
                    }
                }
                let alert = if draft.empty { Alert::Empty } else { Alert::None };
                self.show(questionnaire, Some(form), &draft, alert)
            }
        }
    }

    async fn submit(&self, questionnaire: &Questionnaire, form: &OpenForm, draft: Draft) -> Response {
        let submission = if draft.anew {
            self.house.desk.revise(&self.token.0, &draft.answers, self.now).await
        } else {
            self.house.desk.submit(&self.token.0, &draft.answers, self.now).await
        };
        match submission {
            Ok(Submission::Stored) => forgotten(see_other(&landing_address(self.token, self.lang))),
            Ok(Submission::AlreadySubmitted | Submission::Refused(Visit::Completed { .. })) => self.submitted_before(),
            Ok(Submission::TooLate | Submission::Refused(Visit::Closed)) => {
                self.too_late(Some(questionnaire), &draft.answers)
            }
            Ok(Submission::Refused(visit)) => visited(self.house, self.lang, self.token, &visit, self.now),
            Ok(Submission::Faulty(faults)) => {
                let alien = faults.iter().any(|fault| matches!(fault, AnswerFault::Alien(_)));
                let alert = if alien { Alert::Alien } else { Alert::None };
                match review(questionnaire, draft) {
                    Step::Show(draft) | Step::Submit(draft) | Step::Alien(draft) => {
                        self.show(questionnaire, Some(form), &draft, alert)
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "a submission could not be stored");
                self.show(questionnaire, Some(form), &draft, Alert::NotStored)
            }
        }
    }

    /// A post after the survey ended: nothing is stored, and the person sees what they chose.
    async fn closed(&self, posted: &Posted) -> Response {
        let answers = posted.loose_answers();
        if posted.go == Go::Submit {
            // The desk notes that the form came too late; it stores no answer.
            match self.house.desk.submit(&self.token.0, &answers, self.now).await {
                Ok(Submission::AlreadySubmitted) => return self.submitted_before(),
                Ok(Submission::Stored | Submission::TooLate | Submission::Faulty(_) | Submission::Refused(_)) => {}
                Err(error) => tracing::warn!(%error, "a late submission could not be noted"),
            }
        }
        let questionnaire = posted.paper.as_ref().and_then(|code| self.campaign().questionnaires.get(code));
        self.too_late(questionnaire, &answers)
    }

    /// The desk could not be asked: the page comes again with everything on it.
    fn not_looked_up(&self, posted: &Posted, error: &DeskError) -> Response {
        tracing::error!(%error, "a link could not be looked up");
        self.same_page(posted, Alert::NotStored, Problem::Unavailable)
    }

    /// The posted page with everything on it and no word of the desk's; where that is no page of a form, the problem.
    fn same_page(&self, posted: &Posted, alert: Alert, problem: Problem) -> Response {
        let questionnaire = posted.paper.as_ref().and_then(|code| self.campaign().questionnaires.get(code));
        let Some(questionnaire) = questionnaire else {
            return problem_page(self.house, self.lang, problem);
        };
        match step(questionnaire, &posted.standing_still(), None) {
            Step::Show(draft) | Step::Submit(draft) | Step::Alien(draft) => {
                self.show(questionnaire, None, &draft, alert)
            }
        }
    }

    fn submitted_before(&self) -> Response {
        let lang = self.lang;
        message(
            self.campaign(),
            lang,
            Standing::SubmittedBefore,
            Words {
                title: lang.t("submitted-before-title"),
                tone: Tone::Plain,
                paragraphs: vec![lang.t("submitted-before-text"), lang.t("submitted-before-why")],
                link: None,
            },
        )
    }

    fn too_late(&self, questionnaire: Option<&Questionnaire>, answers: &Answers) -> Response {
        let lang = self.lang;
        let shown = questionnaire.map(|questionnaire| reviewed(questionnaire, answers, lang));
        let page = Message {
            f: Frame::new(self.campaign(), lang, lang.t("too-late-title"), Switch::None),
            tone: Tone::Warning,
            paragraphs: vec![lang.t("too-late-text"), lang.t("too-late-shown")],
            shown: shown.unwrap_or_default(),
            anew: None,
        };
        reply(Standing::TooLate, page.render())
    }

    /// A page of the form.
    fn show(&self, questionnaire: &Questionnaire, form: Option<&OpenForm>, draft: &Draft, alert: Alert) -> Response {
        let standing = match alert {
            Alert::NotStored => Standing::NotStored,
            Alert::TooFast => Standing::TooFast,
            Alert::Alien | Alert::Empty => Standing::Faulty,
            Alert::None if draft.missing.is_empty() => Standing::Fine,
            Alert::None => Standing::Faulty,
        };
        let saves = self.house.desk.saves_drafts() && !draft.anew;
        let paper = Paper { token: &self.token.0, questionnaire, draft, form, saves, now: self.now, alert };
        let page = paper_page(self.campaign(), self.lang, paper, standing != Standing::Fine);
        kept_for_back(reply(standing, page))
    }
}

/// Lets the person's own browser keep a page of an unfinished form, so that its back button shows the page with the
/// answers, not an error. A page that came by POST is kept nowhere else, and nobody else may keep it.
fn kept_for_back(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    response
}

/// Makes the browser forget the pages it kept: once handed in, the back button shows no answer.
fn forgotten(mut response: Response) -> Response {
    response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    response
}

/// Draws a section or the review.
pub(crate) fn paper_page(
    campaign: &Campaign,
    lang: Lang,
    paper: Paper<'_>,
    faulty: bool,
) -> Result<String, askama::Error> {
    let switch = Switch::Button(paper.action(&lang.other()));
    let titled = |title: String| if faulty { lang.t1("title-with-fault", "title", title) } else { title };
    match paper.draft.at {
        At::Section(section) => {
            let heading = paper.questionnaire.page(section).map(|section| lang.pick(&section.title));
            let f = Frame::new(campaign, lang, titled(heading.unwrap_or_default().to_owned()), switch);
            SectionPage { f, paper, section }.render()
        }
        At::Review => {
            let f = Frame::new(campaign, lang, titled(lang.t("review-title")), switch);
            Review { f, paper }.render()
        }
    }
}

/// The page for a link that is only looked at.
pub(crate) fn visited<D: Respond>(
    house: &House<D>,
    lang: Lang,
    token: &Token,
    visit: &Visit,
    now: Timestamp,
) -> Response {
    let campaign = house.desk.campaign();
    let words = match visit {
        Visit::Unknown => return problem_page(house, lang, Problem::UnknownLink),
        Visit::Revoked => return problem_page(house, lang, Problem::RevokedLink),
        Visit::Open(form) => return landing_page(house, lang, token, form, now),
        Visit::NotYetOpen { opens } => {
            let f = Frame::new(campaign, lang, String::new(), Switch::None);
            let text = lang.t1("not-yet-text", "time", f.moment(*opens));
            (lang.t("not-yet-title"), Tone::Plain, vec![text, lang.t("not-yet-keep")])
        }
        Visit::Closed => (lang.t("closed-title"), Tone::Plain, vec![lang.t("closed-text")]),
        Visit::Excused => (lang.t("excused-title"), Tone::Plain, vec![lang.t("excused-text")]),
        Visit::Completed { anew } => return thanks(campaign, lang, token, anew.as_ref()),
    };
    let (title, tone, paragraphs) = words;
    let link = Some(landing_address(token, lang.other()));
    message(campaign, lang, Standing::Fine, Words { title, tone, paragraphs, link })
}

/// The form was handed in. It looks the same however often it was answered anew.
fn thanks(campaign: &Campaign, lang: Lang, token: &Token, anew: Option<&OpenForm>) -> Response {
    let switch = Switch::Link(landing_address(token, lang.other()));
    let f = Frame::new(campaign, lang, lang.t("thanks-title"), switch);
    let anew = anew.and_then(|form| {
        let paper = &campaign.questionnaire(&form.target, &form.group)?.code;
        let action = format!("/f/{}/page?lang={}", token.0, lang.code());
        Some(Anew { action, paper: paper.as_str(), until: f.moment(form.closes) })
    });
    let sealed = if anew.is_some() { "thanks-sealed-anew" } else { "thanks-sealed" };
    let paragraphs = vec![lang.t("thanks-text"), lang.t(sealed)];
    reply(Standing::Fine, Message { f, tone: Tone::Done, paragraphs, shown: Vec::new(), anew }.render())
}

fn landing_page<D: Respond>(house: &House<D>, lang: Lang, token: &Token, form: &OpenForm, now: Timestamp) -> Response {
    let campaign = house.desk.campaign();
    let Some(questionnaire) = campaign.questionnaire(&form.target, &form.group) else {
        tracing::error!(group = %form.group, target_code = %form.target, "an open form has no questionnaire");
        return problem_page(house, lang, Problem::Defect);
    };
    let switch = Switch::Link(landing_address(token, lang.other()));
    let f = Frame::new(campaign, lang, lang.t("landing-title"), switch);
    let saves = house.desk.saves_drafts();
    let page = Landing { f, token: &token.0, form, questionnaire, saves, now };
    reply(Standing::Fine, page.render())
}

/// A problem in the person's language.
pub(crate) fn problem_page<D: Respond>(house: &House<D>, lang: Lang, problem: Problem) -> Response {
    let (title, text) = problem.keys();
    message(
        house.desk.campaign(),
        lang,
        Standing::Problem(problem),
        Words { title: lang.t(title), tone: Tone::Warning, paragraphs: vec![lang.t(text)], link: None },
    )
}

/// The desk could not be asked, and the page held nothing that could be lost.
pub(crate) fn unavailable<D: Respond>(house: &House<D>, lang: Lang, error: &DeskError) -> Response {
    tracing::error!(%error, "the desk could not be asked");
    problem_page(house, lang, Problem::Unavailable)
}

/// What a page of one message says.
struct Words {
    title: String,
    tone: Tone,
    paragraphs: Vec<String>,
    /// Where the same page stands in the other language.
    link: Option<String>,
}

fn message(campaign: &Campaign, lang: Lang, standing: Standing, words: Words) -> Response {
    let switch = words.link.map_or(Switch::None, Switch::Link);
    let page = Message {
        f: Frame::new(campaign, lang, words.title, switch),
        tone: words.tone,
        paragraphs: words.paragraphs,
        shown: Vec::new(),
        anew: None,
    };
    reply(standing, page.render())
}

pub(crate) fn landing_address(token: &Token, lang: Lang) -> String {
    format!("/f/{}?lang={}", token.0, lang.code())
}
