//! The pages as data for their templates: everything a template prints is made here, and nothing is decided here.
//!
//! Templates escape what they print. No page names the respondent, and none asks anything of another host.

use askama::Template;
use jiff::Timestamp;
use parsurvey_desk::respond::OpenForm;
use parsurvey_survey::campaign::{Campaign, Question, Questionnaire};

use crate::assets;
use crate::flow::Draft;
use crate::posted::{At, BLANK, NO_OPINION, QUESTION, value_of};
use crate::review::ReviewedSection;
use crate::words::Lang;

/// How the other language is reached from a page.
pub(crate) enum Switch {
    /// By a link: the page holds nothing that could be lost.
    Link(String),
    /// By posting the page's form to this address, answers and all.
    Button(String),
    /// Not at all.
    None,
}

/// What every page has: language, title, survey, helpline.
pub(crate) struct Frame<'a> {
    pub(crate) lang: Lang,
    pub(crate) title: String,
    pub(crate) campaign: &'a Campaign,
    pub(crate) switch: Switch,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(campaign: &'a Campaign, lang: Lang, title: String, switch: Switch) -> Self {
        Self { lang, title, campaign, switch }
    }

    pub(crate) fn t(&self, key: &str) -> String {
        self.lang.t(key)
    }

    pub(crate) fn survey(&self) -> &str {
        self.lang.pick(&self.campaign.title)
    }

    pub(crate) fn organiser(&self) -> &str {
        self.lang.pick(&self.campaign.sender.organiser)
    }

    pub(crate) fn style(&self) -> &'static str {
        assets::style_path()
    }

    pub(crate) fn script(&self) -> &'static str {
        assets::script_path()
    }

    pub(crate) fn icon(&self) -> &'static str {
        assets::icon_path()
    }

    /// A printed number as a telephone takes it.
    pub(crate) fn dial_of(&self, printed: &str) -> String {
        printed.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
    }

    /// A moment in the campaign's zone, written as in the mails.
    pub(crate) fn moment(&self, moment: Timestamp) -> String {
        let format = match self.lang {
            Lang::Vi => "%H:%M ngày %d/%m/%Y",
            Lang::En => "%H:%M on %-d %B %Y",
        };
        moment.to_zoned(self.campaign.time_zone.clone()).strftime(format).to_string()
    }
}

/// The first page of a form that can be answered.
#[derive(Template)]
#[template(path = "landing.html")]
pub(crate) struct Landing<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) token: &'a str,
    pub(crate) form: &'a OpenForm,
    pub(crate) questionnaire: &'a Questionnaire,
    /// Whether answers are saved as they are given.
    pub(crate) saves: bool,
    pub(crate) now: Timestamp,
}

/// Seconds a careful reader takes for one question, as judged from the length of our sample questionnaires.
const SECONDS_PER_QUESTION: usize = 13;

impl Landing<'_> {
    fn target(&self) -> &str {
        let target = self.f.campaign.targets.iter().find(|target| target.code == self.form.target);
        target.map_or(self.form.target.as_str(), |target| self.f.lang.pick(&target.name))
    }

    fn group(&self) -> &str {
        let group = self.f.campaign.group(&self.form.group);
        group.map_or(self.form.group.as_str(), |group| self.f.lang.pick(&group.name))
    }

    fn length(&self) -> String {
        let questions = self.questionnaire.asked().count();
        let minutes = (questions * SECONDS_PER_QUESTION).div_ceil(60).max(2);
        self.f.lang.t2("landing-length", ("questions", questions), ("minutes", minutes))
    }

    /// How far a form is that was begun earlier.
    fn begun(&self) -> Option<String> {
        let draft = self.form.draft.as_ref()?;
        let total = self.questionnaire.asked().count();
        Some(self.f.lang.t2("landing-begun", ("answered", draft.answers.len()), ("total", total)))
    }

    fn deadline(&self) -> String {
        self.f.moment(self.form.closes)
    }

    fn grace(&self) -> Option<String> {
        grace(&self.f, self.form, self.now)
    }

    fn sealed(&self) -> String {
        let holder = self.f.lang.pick(&self.f.campaign.key_holders.ballot_box);
        self.f.lang.t1("anonymity-sealed", "holder", holder)
    }

    fn opened(&self) -> String {
        self.f.lang.t1("anonymity-opened", "k", self.f.campaign.limits.k)
    }
}

/// What to say after the deadline, while a form that was started before it is still accepted.
fn grace(f: &Frame<'_>, form: &OpenForm, now: Timestamp) -> Option<String> {
    (now > form.closes).then(|| f.lang.t1("grace", "time", f.moment(form.accepted_until)))
}

/// Something that stands above the questions, because the page comes again or comes with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alert {
    None,
    /// The post held something that is not of the questionnaire.
    Alien,
    /// The form has no answer at all.
    Empty,
    /// The server could not store or look up.
    NotStored,
    /// The link is used too often.
    TooFast,
}

impl Alert {
    pub(crate) fn keys(self) -> Option<(&'static str, &'static str)> {
        match self {
            Alert::None => None,
            Alert::Alien => Some(("alien-title", "alien-text")),
            Alert::Empty => Some(("empty-title", "empty-text")),
            Alert::NotStored => Some(("not-stored-title", "not-stored-text")),
            Alert::TooFast => Some(("too-fast-title", "too-fast-kept")),
        }
    }
}

/// What section pages and the review share.
pub(crate) struct Paper<'a> {
    pub(crate) token: &'a str,
    pub(crate) questionnaire: &'a Questionnaire,
    pub(crate) draft: &'a Draft,
    /// The form, where the desk could be asked for it.
    pub(crate) form: Option<&'a OpenForm>,
    /// Whether answers are saved as they are given.
    pub(crate) saves: bool,
    pub(crate) now: Timestamp,
    pub(crate) alert: Alert,
}

impl Paper<'_> {
    /// Where pages of the form are posted to.
    ///
    /// The address differs from the page's own: where a post fails because the line is lost, a browser lets its error
    /// page take the place of a page of the same address, and the back button then skips what was chosen there. The
    /// server reads the language only.
    pub(crate) fn action(&self, lang: &Lang) -> String {
        let page = match self.draft.at {
            At::Section(section) => section + 1,
            At::Review => 0,
        };
        let (answers, missing) = (self.draft.answers.len(), self.draft.missing.len());
        format!("/f/{}/page?lang={}&from={page}.{answers}.{missing}", self.token, lang.code())
    }

    /// Where the page's script saves answers as they are chosen.
    pub(crate) fn save(&self) -> String {
        format!("/f/{}/save", self.token)
    }

    pub(crate) fn grace(&self, f: &Frame<'_>) -> Option<String> {
        self.form.and_then(|form| grace(f, form, self.now))
    }

    fn total(&self) -> usize {
        self.questionnaire.asked().count()
    }

    /// Answers as hidden fields, without those of `shown` sections.
    pub(crate) fn hidden(&self, shown: Option<usize>) -> Vec<(String, &str)> {
        let on_page = |question: &Question| {
            shown
                .and_then(|section| self.questionnaire.page(section))
                .is_some_and(|section| section.questions.iter().any(|other| other.code == question.code))
        };
        self.questionnaire
            .asked()
            .filter(|question| !on_page(question))
            .filter_map(|question| {
                let choice = self.draft.answers.get(&question.code)?;
                Some((format!("{QUESTION}{}", question.code), value_of(choice)))
            })
            .collect()
    }
}

/// One section of the questionnaire.
#[derive(Template)]
#[template(path = "section.html")]
pub(crate) struct SectionPage<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) paper: Paper<'a>,
    /// From 0.
    pub(crate) section: usize,
}

/// One question as the template prints it.
pub(crate) struct QuestionView<'a> {
    number: usize,
    name: String,
    text: &'a str,
    required: bool,
    missing: bool,
    options: Vec<OptionView<'a>>,
}

/// One option as the template prints it.
pub(crate) struct OptionView<'a> {
    id: String,
    value: &'a str,
    text: String,
    chosen: bool,
    /// Whether it stands apart from the substantive options.
    apart: bool,
}

impl SectionPage<'_> {
    fn heading(&self) -> &str {
        let section = self.paper.questionnaire.page(self.section);
        section.map_or("", |section| self.f.lang.pick(&section.title))
    }

    /// Who alone is told how often what was chosen here, on the page that scores nothing.
    fn told_alone(&self) -> Option<String> {
        let questionnaire = self.paper.questionnaire;
        let here = questionnaire.pressure.is_some() && self.section == questionnaire.sections.len();
        let holder = self.f.lang.pick(&self.f.campaign.key_holders.ballot_box);
        here.then(|| self.f.lang.t1("pressure-note", "holder", holder))
    }

    fn sections(&self) -> usize {
        self.paper.questionnaire.page_count()
    }

    fn part(&self) -> String {
        self.f.lang.t2("section-part", ("part", self.section + 1), ("parts", self.sections()))
    }

    fn answered(&self) -> String {
        let answered = self.paper.draft.answers.len();
        self.f.lang.t2("section-answered", ("answered", answered), ("total", self.paper.total()))
    }

    fn hidden(&self) -> Vec<(String, &str)> {
        self.paper.hidden(Some(self.section))
    }

    fn is_last(&self) -> bool {
        self.section + 1 == self.sections()
    }

    fn question_of(&self, number: &usize) -> String {
        self.f.lang.t2("question-number", ("number", number), ("total", self.paper.total()))
    }

    fn questions(&self) -> Vec<QuestionView<'_>> {
        let questionnaire = self.paper.questionnaire;
        let before: usize = questionnaire.pages().take(self.section).map(|other| other.questions.len()).sum();
        let Some(section) = questionnaire.page(self.section) else {
            return Vec::new();
        };
        let views = section.questions.iter().enumerate();
        views.map(|(place, question)| self.question(before + place + 1, question)).collect()
    }

    fn question<'q>(&'q self, number: usize, question: &'q Question) -> QuestionView<'q> {
        let lang = self.f.lang;
        let answer = self.paper.draft.answers.get(&question.code);
        let view = |place: usize, value: &'q str, text: String, apart: bool| OptionView {
            id: format!("c{number}-{place}"),
            value,
            text,
            chosen: answer.is_some_and(|choice| value_of(choice) == value),
            apart,
        };
        let mut options: Vec<OptionView<'q>> = question
            .options
            .iter()
            .enumerate()
            .map(|(place, option)| view(place + 1, option.code.as_str(), lang.pick(&option.text).to_owned(), false))
            .collect();
        let count = options.len();
        if question.no_opinion {
            options.push(view(count + 1, NO_OPINION, lang.t("no-opinion"), true));
        }
        if !question.required {
            options.push(view(count + 2, BLANK, lang.t("leave-blank"), true));
        }
        QuestionView {
            number,
            name: format!("{QUESTION}{}", question.code),
            text: lang.pick(&question.text),
            required: question.required,
            missing: self.paper.draft.missing.contains(&question.code),
            options,
        }
    }
}

/// What a message is about, which decides its colour and sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something was done.
    Done,
    /// Something to know.
    Plain,
    /// Something was not done.
    Warning,
}

/// A page that says one thing, and shows answers back where they were not stored.
#[derive(Template)]
#[template(path = "message.html")]
pub(crate) struct Message<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) tone: Tone,
    pub(crate) paragraphs: Vec<String>,
    pub(crate) shown: Vec<ReviewedSection<'a>>,
    pub(crate) anew: Option<Anew<'a>>,
}

/// How a form that was handed in is answered anew.
pub(crate) struct Anew<'a> {
    /// Where that begins.
    pub(crate) action: String,
    /// The questionnaire.
    pub(crate) paper: &'a str,
    /// Until when.
    pub(crate) until: String,
}

impl Message<'_> {
    fn class(&self) -> &'static str {
        match self.tone {
            Tone::Done => "done",
            Tone::Plain => "plain",
            Tone::Warning => "warning",
        }
    }
}

/// The choice not to take part, and to take that back.
#[derive(Template)]
#[template(path = "decline.html")]
pub(crate) struct Decline<'a> {
    pub(crate) f: Frame<'a>,
    pub(crate) token: &'a str,
    /// Whether the page comes again because nothing was chosen.
    pub(crate) missing: bool,
}
