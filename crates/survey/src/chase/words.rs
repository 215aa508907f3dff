//! The mail to a coordinator: what its template may say, and the values of one letter.
//!
//! Like a prenotice it carries no link: a coordinator has no form to open, and must not get used to links.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::{ChaseCounts, UnitLetter};
use crate::calendar;
use crate::campaign::{Campaign, Chasing};
use crate::template::{self, Mail, Part, TemplateError, Values, domain_of};

/// The templates of the mail to coordinators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChaseMail {
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
}

/// Variables of the mail to a coordinator: name and meaning.
pub const CHASE_VARIABLES: &[(&str, &str)] = &[
    ("campaign_title_vi", "the campaign's title, Vietnamese"),
    ("campaign_title_en", "the campaign's title, English"),
    ("year", "the year that is rated"),
    ("coordinator_name", "the coordinator's name"),
    ("unit_name", "the unit that is written to"),
    ("agency", "the body that chases"),
    ("organiser_vi", "the body that runs the survey, Vietnamese"),
    ("organiser_en", "the body that runs the survey, English"),
    ("official_letter_vi", "number and date of the official letter, Vietnamese"),
    ("official_letter_en", "number and date of the official letter, English"),
    ("sender_address", "the address every mail comes from"),
    ("helpline_phone", "the helpline's phone number"),
    ("helpline_email", "the helpline's address"),
    ("complaint_name_vi", "whom to complain to, outside the body that is scored, Vietnamese"),
    ("complaint_name_en", "the same, English"),
    ("complaint_phone", "that office's phone number"),
    ("complaint_email", "that office's address"),
    ("link_domain", "the domain of every true link"),
    ("day_vi", "the day of the counts, such as 22/12/2023"),
    ("day_en", "the same, such as 22 December 2023"),
    ("closes_vi", "the deadline in force, such as 23:59 ngày 10/01/2024"),
    ("closes_en", "the same, such as 23:59 on 10 January 2024"),
    ("listed", "seats in the list"),
    ("not_delivered", "of these: no mail is known to have arrived"),
    ("silent", "of these: nothing came back"),
    ("started", "of these: begun or in touch, not submitted"),
    ("excused", "of these: excused"),
    ("completed", "of these: submitted"),
    ("outstanding", "not delivered, silent and started together"),
    ("units_vi", "one line per unit where the letter is about several, else empty"),
    ("units_en", "the same, English"),
    ("names", "one line per person where names are allowed, else empty"),
    ("order", "the document that allows names, else empty"),
];

/// The names a template of the mail to coordinators may use.
#[must_use]
pub fn variables() -> Vec<&'static str> {
    CHASE_VARIABLES.iter().map(|(name, _)| *name).collect()
}

/// What a letter says beside its counts.
#[derive(Clone, Copy)]
pub struct Particulars<'a> {
    /// The coordinator's name.
    pub coordinator: &'a str,
    /// One line per person; empty where nobody is named.
    pub names: &'a [String],
    /// The document that allows names; empty where nobody is named.
    pub order: &'a str,
    /// The day of the counts.
    pub day: Date,
    /// The deadline in force.
    pub closes: Timestamp,
}

/// Values for the mail with `letter`. `link_base` is where true links begin.
#[must_use]
pub fn chase_values(
    campaign: &Campaign,
    chasing: &Chasing,
    letter: &UnitLetter,
    particulars: Particulars<'_>,
    link_base: &str,
) -> Values {
    let (sender, complaint) = (&campaign.sender, &campaign.notice.complaint);
    let zone = &campaign.time_zone;
    let closes = |format| particulars.closes.to_zoned(zone.clone()).strftime(format).to_string();
    let day = |format| particulars.day.strftime(format).to_string();
    let counts = letter.total;
    Values::of(BTreeMap::from([
        ("campaign_title_vi", campaign.title.vi.clone()),
        ("campaign_title_en", campaign.title.en.clone()),
        ("year", campaign.year.to_string()),
        ("coordinator_name", particulars.coordinator.to_owned()),
        ("unit_name", super::unit_name(campaign, &letter.to).to_owned()),
        ("agency", chasing.agency.clone()),
        ("organiser_vi", sender.organiser.vi.clone()),
        ("organiser_en", sender.organiser.en.clone()),
        ("official_letter_vi", sender.official_letter.vi.clone()),
        ("official_letter_en", sender.official_letter.en.clone()),
        ("sender_address", sender.address.clone()),
        ("helpline_phone", sender.helpline_phone.clone()),
        ("helpline_email", sender.helpline_email.clone()),
        ("complaint_name_vi", complaint.name.vi.clone()),
        ("complaint_name_en", complaint.name.en.clone()),
        ("complaint_phone", complaint.phone.clone()),
        ("complaint_email", complaint.email.clone()),
        ("link_domain", domain_of(link_base).to_owned()),
        ("day_vi", day("%d/%m/%Y")),
        ("day_en", day("%-d %B %Y")),
        ("closes_vi", closes("%H:%M ngày %d/%m/%Y")),
        ("closes_en", closes("%H:%M on %-d %B %Y")),
        ("listed", counts.listed.to_string()),
        ("not_delivered", counts.not_delivered.to_string()),
        ("silent", counts.silent.to_string()),
        ("started", counts.started.to_string()),
        ("excused", counts.excused.to_string()),
        ("completed", counts.completed.to_string()),
        ("outstanding", counts.outstanding.to_string()),
        ("units_vi", unit_lines(campaign, letter, in_vietnamese)),
        ("units_en", unit_lines(campaign, letter, in_english)),
        ("names", particulars.names.join("\n")),
        ("order", particulars.order.to_owned()),
    ]))
}

fn unit_lines(campaign: &Campaign, letter: &UnitLetter, line: fn(&str, ChaseCounts) -> String) -> String {
    if letter.rows.len() < 2 {
        return String::new();
    }
    let name = |key: &str| {
        let unit = campaign.units.iter().find(|unit| unit.code.as_str() == key);
        unit.map_or_else(|| key.to_owned(), |unit| unit.name.clone())
    };
    letter.rows.iter().map(|row| line(&name(&row.key), row.counts)).collect::<Vec<_>>().join("\n")
}

fn in_vietnamese(name: &str, counts: ChaseCounts) -> String {
    format!(
        "{name}: {} phiếu; đã gửi {}, được miễn {}, còn lại {}",
        counts.listed, counts.completed, counts.excused, counts.outstanding
    )
}

fn in_english(name: &str, counts: ChaseCounts) -> String {
    format!(
        "{name}: {} forms; {} submitted, {} excused, {} outstanding",
        counts.listed, counts.completed, counts.excused, counts.outstanding
    )
}

/// Renders the three parts.
///
/// # Errors
/// As [`template::render`]; the loader has rendered every template once, so this fails only for values it could not foresee.
pub fn render_chase(mail: &ChaseMail, values: &Values) -> Result<Mail, TemplateError> {
    Ok(Mail {
        subject: template::render(Part::Subject, &mail.subject, values)?,
        text: template::render(Part::Text, &mail.text, values)?,
        html: template::render(Part::Html, &mail.html, values)?,
    })
}

/// A day as an official letter dates itself: a zero stands before days below 10 and before the months 1 and 2, where one
/// could be added by hand (Nghị định 30/2020/NĐ-CP, Phụ lục I, II.4).
#[must_use]
pub fn date_in_words(day: Date) -> String {
    let month = if day.month() < 3 { format!("{:02}", day.month()) } else { day.month().to_string() };
    format!("ngày {:02} tháng {month} năm {}", day.day(), day.year())
}

/// The campaign-zone day of a moment.
#[must_use]
pub fn day_of(campaign: &Campaign, now: Timestamp) -> Date {
    calendar::day(now, &campaign.time_zone)
}
