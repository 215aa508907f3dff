//! Mail templates: files of the campaign, rendered strictly and within a budget.
//!
//! A variable that is not listed for its kind of mail is an error, never an empty place in a letter.
//! Nothing here escapes a subject or a text; HTML is escaped, so a name cannot become markup.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use parsurvey_index::code::{GroupCode, TargetCode, UnitCode};

use crate::campaign::{Campaign, Contact, MailKind};

/// Steps a template may take before it is stopped; the longest sample letter takes under two hundred.
pub const FUEL: u64 = 20_000;

/// The variable that carries the person's link. It exists only in the bodies of invitations and reminders.
pub const LINK: &str = "link";

/// What every body shows, so that nobody is left alone with a doubt or a complaint.
pub(crate) const MUST_SHOW: [&str; 4] = ["helpline_phone", "helpline_email", "complaint_phone", "complaint_email"];

/// Which part of a mail a template makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The subject: one line.
    Subject,
    /// The plain text.
    Text,
    /// The HTML; values are escaped.
    Html,
}

impl Part {
    /// How the part's file name ends, after the template's name.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Part::Subject => ".subject.txt",
            Part::Text => ".txt",
            Part::Html => ".html",
        }
    }
}

/// Why a template gave no mail. Holds no value of any variable, so it may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the template cannot be rendered{}: {reason}", line.map(|line| format!(" (line {line})")).unwrap_or_default())]
pub struct TemplateError {
    /// The line within the template, from 1.
    pub line: Option<usize>,
    /// The byte range within the template, where known.
    pub span: Option<std::ops::Range<usize>>,
    /// What is wrong.
    pub reason: String,
}

impl TemplateError {
    fn of(error: &minijinja::Error) -> Self {
        let reason = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
        Self { line: error.line(), span: error.range(), reason }
    }
}

/// Variables of every mail: name and meaning.
pub const COMMON_VARIABLES: &[(&str, &str)] = &[
    ("campaign_title_vi", "the campaign's title, Vietnamese"),
    ("campaign_title_en", "the campaign's title, English"),
    ("year", "the year that is rated"),
    ("respondent_name", "the person's name"),
    ("group_name_vi", "the respondent group's name, Vietnamese"),
    ("group_name_en", "the respondent group's name, English"),
    ("unit_name", "the unit's name"),
    ("target_name_vi", "the name of the body that is rated, Vietnamese"),
    ("target_name_en", "the name of the body that is rated, English"),
    ("organiser_vi", "the body that runs the survey, Vietnamese"),
    ("organiser_en", "the body that runs the survey, English"),
    ("official_letter_vi", "number and date of the official letter, Vietnamese"),
    ("official_letter_en", "number and date of the official letter, English"),
    ("sender_name_vi", "the sender's name, Vietnamese"),
    ("sender_name_en", "the sender's name, English"),
    ("sender_address", "the address every mail comes from"),
    ("helpline_phone", "the helpline's phone number"),
    ("helpline_email", "the helpline's address"),
    ("complaint_name_vi", "whom to complain to, outside the body that is scored, Vietnamese"),
    ("complaint_name_en", "the same, English"),
    ("complaint_phone", "that office's phone number"),
    ("complaint_email", "that office's address"),
    ("link_domain", "the domain of every true link"),
    ("invitation_date_vi", "the day the invitations begin, such as 18/12/2023"),
    ("invitation_date_en", "the same, such as 18 December 2023"),
    ("opens_vi", "when the survey opens, such as 08:00 ngày 18/12/2023"),
    ("opens_en", "the same, such as 08:00 on 18 December 2023"),
    ("closes_vi", "the deadline in force, such as 23:59 ngày 10/01/2024"),
    ("closes_en", "the same, such as 23:59 on 10 January 2024"),
    ("box_holder_vi", "who can open the ballot box, Vietnamese"),
    ("box_holder_en", "who can open the ballot box, English"),
    ("archive_holder_vi", "who can read the archive, Vietnamese"),
    ("archive_holder_en", "who can read the archive, English"),
    ("k", "the smallest group whose results are shown"),
    ("question_count", "the number of questions of the person's form"),
    ("wave", "0 for prenotice and invitation; reminders count from 1"),
];

/// The names a template of this kind and part may use.
#[must_use]
pub fn variables(kind: MailKind, part: Part) -> Vec<&'static str> {
    let mut names: Vec<_> = COMMON_VARIABLES.iter().map(|(name, _)| *name).collect();
    let linked = match kind {
        MailKind::Prenotice => false,
        MailKind::Invitation | MailKind::Reminder | MailKind::Link => part != Part::Subject,
    };
    if linked {
        names.push(LINK);
    }
    names
}

/// Values by variable name. Its `Debug` prints names only, since a value may be a link or a person.
#[derive(Clone, Default)]
pub struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// Values of another kind of mail, whose templates are checked against its own list.
    pub(crate) fn of(values: BTreeMap<&'static str, String>) -> Self {
        Self(values)
    }

    /// Stand-ins for these variables.
    pub(crate) fn stand_ins_of(names: Vec<&'static str>) -> Self {
        Self(names.into_iter().map(|name| (name, STAND_IN.to_owned())).collect())
    }

    /// Stand-ins for every variable of this kind and part: what a template is tried with before anybody is written to.
    pub(crate) fn stand_ins(kind: MailKind, part: Part) -> Self {
        Self::stand_ins_of(variables(kind, part))
    }
}

/// The stand-in for every value. It is found in a body only where the template put one.
const STAND_IN: &str = "https://stand-in.invalid/x";

/// Whether a body made of [`Values::stand_ins`] shows the link. Tried with all other values empty.
pub(crate) fn shows_link(kind: MailKind, part: Part, source: &str) -> bool {
    let mut values = Values::stand_ins(kind, part);
    for (name, value) in &mut values.0 {
        if *name != LINK {
            value.clear();
        }
    }
    render(part, source, &values).is_ok_and(|body| body.contains(STAND_IN))
}

impl std::fmt::Debug for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// Who a mail is for.
#[derive(Clone, Copy)]
pub struct Addressee<'a> {
    /// The person's name.
    pub name: &'a str,
    /// The respondent group.
    pub group: &'a GroupCode,
    /// The unit.
    pub unit: &'a UnitCode,
    /// The target of the form.
    pub target: &'a TargetCode,
}

/// A rendered mail, without addresses and headers.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

impl std::fmt::Debug for Mail {
    /// The subject only: the bodies carry the link.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mail").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// The domain of `link_base`: what a person compares a link with.
#[must_use]
pub fn domain_of(link_base: &str) -> &str {
    let after = link_base.split_once("://").map_or(link_base, |(_, rest)| rest);
    after.split(['/', '?', '#']).next().unwrap_or(after)
}

/// Values for a mail of `contact` to `addressee`.
///
/// `link` is `None` for a prenotice. `link_base` may differ from the campaign's (`serve --link-base`, `demo`), and
/// `closes` is the deadline in force, which an extension moves.
#[must_use]
pub fn values(
    campaign: &Campaign,
    contact: &Contact,
    addressee: Addressee<'_>,
    link: Option<&str>,
    link_base: &str,
    closes: Timestamp,
) -> Values {
    let group = campaign.group(addressee.group).map(|group| &group.name);
    let target = campaign.targets.iter().find(|target| target.code == *addressee.target).map(|target| &target.name);
    let questions = campaign
        .questionnaire(addressee.target, addressee.group)
        .map_or(0, |questionnaire| questionnaire.asked().count());
    let invitation = campaign.contacts.iter().find(|other| other.kind == MailKind::Invitation).unwrap_or(contact);
    let zone = &campaign.time_zone;
    let unit = campaign.unit(addressee.unit).map_or(addressee.unit.as_str(), |unit| &unit.name);
    let sender = &campaign.sender;
    let mut values = BTreeMap::new();
    let mut pair = |vi, en, text: Option<&parsurvey_index::tree::Text>, code: &str| {
        values.insert(vi, text.map_or_else(|| code.to_owned(), |text| text.vi.clone()));
        values.insert(en, text.map_or_else(|| code.to_owned(), |text| text.en.clone()));
    };
    pair("campaign_title_vi", "campaign_title_en", Some(&campaign.title), "");
    pair("group_name_vi", "group_name_en", group, addressee.group.as_str());
    pair("target_name_vi", "target_name_en", target, addressee.target.as_str());
    pair("organiser_vi", "organiser_en", Some(&sender.organiser), "");
    pair("official_letter_vi", "official_letter_en", Some(&sender.official_letter), "");
    pair("sender_name_vi", "sender_name_en", Some(&sender.name), "");
    pair("box_holder_vi", "box_holder_en", Some(&campaign.key_holders.ballot_box), "");
    pair("archive_holder_vi", "archive_holder_en", Some(&campaign.key_holders.archive), "");
    let complaint = &campaign.notice.complaint;
    pair("complaint_name_vi", "complaint_name_en", Some(&complaint.name), "");
    for (name, value) in [
        ("year", campaign.year.to_string()),
        ("respondent_name", addressee.name.to_owned()),
        ("unit_name", unit.to_owned()),
        ("sender_address", sender.address.clone()),
        ("helpline_phone", sender.helpline_phone.clone()),
        ("helpline_email", sender.helpline_email.clone()),
        ("complaint_phone", complaint.phone.clone()),
        ("complaint_email", complaint.email.clone()),
        ("link_domain", domain_of(link_base).to_owned()),
        ("k", campaign.limits.k.to_string()),
        ("question_count", questions.to_string()),
        ("wave", contact.wave.to_string()),
    ] {
        values.insert(name, value);
    }
    for (vi, en, moment) in [("opens_vi", "opens_en", campaign.opens), ("closes_vi", "closes_en", closes)] {
        values.insert(vi, printed(moment, zone, "%H:%M ngày %d/%m/%Y"));
        values.insert(en, printed(moment, zone, "%H:%M on %-d %B %Y"));
    }
    values.insert("invitation_date_vi", printed(invitation.due, zone, "%d/%m/%Y"));
    values.insert("invitation_date_en", printed(invitation.due, zone, "%-d %B %Y"));
    if let Some(link) = link {
        values.insert(LINK, link.to_owned());
    }
    Values(values)
}

fn printed(moment: Timestamp, zone: &TimeZone, format: &str) -> String {
    moment.to_zoned(zone.clone()).strftime(format).to_string()
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_debug(true);
    environment
        .set_auto_escape_callback(|name| if name == Part::Html.suffix() { AutoEscape::Html } else { AutoEscape::None });
    environment
}

/// The names `source` uses without defining them.
///
/// # Errors
/// The template's syntax is broken.
pub fn used_variables(part: Part, source: &str) -> Result<Vec<String>, TemplateError> {
    let environment = environment();
    let template =
        environment.template_from_named_str(part.suffix(), source).map_err(|error| TemplateError::of(&error))?;
    let mut names: Vec<_> = template.undeclared_variables(false).into_iter().collect();
    names.sort();
    Ok(names)
}

/// Renders one template. A subject comes out as one line, whatever its values hold.
///
/// # Errors
/// Broken syntax, a variable without a value, or more than [`FUEL`] steps.
pub fn render(part: Part, source: &str, values: &Values) -> Result<String, TemplateError> {
    let mut environment = environment();
    environment.add_template(part.suffix(), source).map_err(|error| TemplateError::of(&error))?;
    rendered(&environment, part, values.0.iter())
}

fn rendered<'v>(
    environment: &Environment<'_>,
    part: Part,
    values: impl Iterator<Item = (&'v &'static str, &'v String)>,
) -> Result<String, TemplateError> {
    let context: BTreeMap<&str, Value> = values.map(|(name, value)| (*name, prepared(part, value))).collect();
    let rendered = environment
        .get_template(part.suffix())
        .and_then(|template| template.render(context))
        .map_err(|error| TemplateError::of(&error))?;
    Ok(match part {
        Part::Subject => rendered.split_whitespace().collect::<Vec<_>>().join(" "),
        Part::Text | Part::Html => rendered,
    })
}

/// Values are escaped here rather than by the engine, which would also write every slash of a link as an entity.
fn prepared(part: Part, value: &str) -> Value {
    match part {
        Part::Subject | Part::Text => Value::from(value),
        Part::Html => {
            let escaped = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            Value::from_safe_string(escaped.replace('"', "&quot;").replace('\'', "&#39;"))
        }
    }
}

/// The three templates of a contact, read once for however many mails.
pub struct Templates {
    environment: Environment<'static>,
    /// The variables that each part uses.
    used: [(Part, BTreeSet<String>); 3],
}

impl Templates {
    /// Reads them.
    ///
    /// # Errors
    /// Broken syntax; the loader has read every template once, so that this does not fail for a loaded contact.
    pub fn of(contact: &Contact) -> Result<Self, TemplateError> {
        let mut environment = environment();
        let mut used = [Part::Subject, Part::Text, Part::Html].map(|part| (part, BTreeSet::new()));
        for (part, used) in &mut used {
            let source = match part {
                Part::Subject => &contact.subject,
                Part::Text => &contact.text,
                Part::Html => &contact.html,
            };
            used.extend(used_variables(*part, source)?);
            let added = environment.add_template_owned(part.suffix(), source.clone());
            added.map_err(|error| TemplateError::of(&error))?;
        }
        Ok(Self { environment, used })
    }

    /// The mail that they make of these values. A subject never has the link.
    ///
    /// # Errors
    /// As [`render`]; the loader has rendered every template once, so this fails only for values it could not foresee.
    pub fn render(&self, values: &Values) -> Result<Mail, TemplateError> {
        let [subject, text, html] = &self.used;
        let part = |(part, used): &(Part, BTreeSet<String>)| {
            let may_have = |name: &str| used.contains(name) && !(*part == Part::Subject && name == LINK);
            rendered(&self.environment, *part, values.0.iter().filter(|(name, _)| may_have(name)))
        };
        Ok(Mail { subject: part(subject)?, text: part(text)?, html: part(html)? })
    }
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Templates").field("used", &self.used).finish_non_exhaustive()
    }
}

/// Renders the three parts of a contact, for one mail.
///
/// # Errors
/// As [`Templates::of`] and [`Templates::render`].
pub fn render_mail(contact: &Contact, values: &Values) -> Result<Mail, TemplateError> {
    Templates::of(contact)?.render(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(part: Part, source: &str, expected: Result<&str, &str>) {
        let values =
            Values(BTreeMap::from([("respondent_name", "A\r\nB & C".to_owned()), (LINK, "https://x/t".to_owned())]));
        match (render(part, source, &values), expected) {
            (Ok(text), Ok(wanted)) => assert_eq!(text, wanted, "{source}"),
            (Err(error), Err(wanted)) => assert!(error.to_string().contains(wanted), "{source}: {error}"),
            (result, _) => panic!("{source}: {result:?}"),
        }
    }

    #[test]
    fn templates_are_strict_escaped_and_bounded() {
        check(Part::Text, "x {{ respondent_name }}", Ok("x A\r\nB & C"));
        check(Part::Html, "x {{ respondent_name }}", Ok("x A\r\nB &amp; C"));
        check(Part::Subject, "x {{ respondent_name }}\n", Ok("x A B & C"));
        check(Part::Text, "{{ nobody }}", Err("undefined"));
        check(Part::Text, "{{ respondent_name", Err("line 1"));
        check(
            Part::Text,
            "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
            Err("fuel"),
        );
    }

    #[test]
    fn a_link_exists_only_where_it_may_stand() {
        for (kind, part, allowed) in [
            (MailKind::Prenotice, Part::Text, false),
            (MailKind::Prenotice, Part::Subject, false),
            (MailKind::Invitation, Part::Subject, false),
            (MailKind::Invitation, Part::Html, true),
            (MailKind::Reminder, Part::Text, true),
        ] {
            assert_eq!(variables(kind, part).contains(&LINK), allowed, "{kind:?} {part:?}");
        }
    }

    #[test]
    fn a_domain_is_what_stands_between_the_slashes() {
        for (base, domain) in
            [("https://a.example", "a.example"), ("http://127.0.0.1:8080/x", "127.0.0.1:8080"), ("a", "a")]
        {
            assert_eq!(domain_of(base), domain);
        }
    }

    #[test]
    fn debug_output_shows_neither_link_nor_name() {
        let values = Values(BTreeMap::from([(LINK, "secret".to_owned())]));
        assert_eq!(format!("{values:?}"), "[\"link\"]");
    }
}
