//! A campaign (đợt khảo sát) as data: what the folder says after every check has passed.
//!
//! Only [`load()`] makes a [`Campaign`], and only when it finds no fault, so the rest of the program never checks again.
//! Keys, secrets and people's answers are never in the folder.

mod address;
mod auditing;
mod chasing;
mod cross;
mod dates;
mod extremes;
mod groups;
mod head;
mod history;
mod index_file;
mod load;
mod lost_link;
mod notice;
mod place;
mod policy;
mod pressure;
mod questionnaires;
mod rows;
mod schedule;
mod sending;
mod walk;

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use parsurvey_index::code::{
    GroupCode, OptionCode, QuestionCode, QuestionnaireCode, SubCriterionCode, TargetCode, UnitCode,
};
use parsurvey_index::exact::Exact;
use parsurvey_index::policy::Policy;
use parsurvey_index::tree::{History, ImportedPoints, IndexTree, OfficialRanks, Text};

use crate::chase::ChaseMail;
use crate::notice::Notice;
use crate::sending::Sending;

pub use cross::check_group_sizes;
pub use extremes::{Extremes, best_and_worst};
pub use load::{Loaded, load};
pub use lost_link::LostLink;
pub use policy::load_policy;
pub use pressure::PRESSURE;

/// A campaign whose folder has passed every check.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// The id, such as `hanoi-2023`.
    pub id: String,
    /// Whether it is a sample: its results say "synthetic sample" and `--now` may set its clock.
    pub sample: bool,
    /// The year that is rated.
    pub year: i16,
    /// The title.
    pub title: Text,
    /// The bodies that are rated, in printed order.
    pub targets: Vec<Target>,
    /// Who held a post on this day belongs to the frame (ngày chốt).
    pub frame_date: Date,
    /// The zone of every civil time of the campaign.
    pub time_zone: TimeZone,
    /// The zone's IANA name.
    pub time_zone_name: String,
    /// The first moment a form can be answered.
    pub opens: Timestamp,
    /// The deadline as declared; the ledger may hold a later one (`extend`).
    pub closes: Timestamp,
    /// Minutes after the deadline in which a form started before it may still be submitted.
    pub grace_minutes: u32,
    /// Who the mails come from and who helps.
    pub sender: Sender,
    /// Where respondents' links begin, such as `https://khaosat.example`; `serve` and `demo` may override it.
    pub link_base: String,
    /// The contacts in order: prenotice, invitation, reminders.
    pub contacts: Vec<Contact>,
    /// Who chases and how its letters look; without it there are no letters to units.
    pub chasing: Option<Chasing>,
    /// The mail to whoever asks for the link again.
    pub lost_link: LostLink,
    /// Days without contacts, besides Saturdays and Sundays.
    pub holidays: Vec<Date>,
    /// Limits.
    pub limits: Limits,
    /// What a respondent may do with the form.
    pub form: FormRules,
    /// How mails leave; not frozen, because it decides nothing about who is asked what.
    pub sending: Sending,
    /// Whose public keys the ledger will ask for.
    pub key_holders: KeyHolders,
    /// The mailbox that bounces come back to, marked anew for every mail; without one they go to the sender's address
    /// and prove nothing.
    pub return_path: Option<String>,
    /// The address outside that is mailed the head of the log once a day; not frozen, as it decides nothing about people.
    pub anchor_to: Option<String>,
    /// Whether a change of address, of holder or of the frame needs two people once people were invited.
    pub two_people: bool,
    /// What people are told of their data, and how long what is kept; not frozen, because it decides nothing about answers.
    pub notice: Notice,
    /// Respondent groups in printed order.
    pub groups: Vec<Group>,
    /// Units, in file order.
    pub units: Vec<Unit>,
    /// Questionnaires by code.
    pub questionnaires: BTreeMap<QuestionnaireCode, Questionnaire>,
    /// The year's tree; targets without one are scored in percent only.
    pub tree: IndexTree,
    /// The scoring policy.
    pub policy: Policy,
    /// Points from outside, per target.
    pub imported: BTreeMap<TargetCode, ImportedPoints>,
    /// Printed points of earlier years, per target.
    pub history: BTreeMap<TargetCode, History>,
    /// Published ranks.
    pub official_ranks: OfficialRanks,
    /// SHA-256 (hex) of every file that was read, by path within the folder.
    pub files: BTreeMap<String, String>,
}

/// A body that is rated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The code.
    pub code: TargetCode,
    /// The name.
    pub name: Text,
    /// Whether the tree applies to it; without one it is scored in percent only and shown apart.
    pub has_tree: bool,
}

/// What a respondent may do with the form before and after handing it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormRules {
    /// Whether answers are saved as they are given, sealed, until the form is handed in.
    pub drafts: bool,
    /// Whether a form that was handed in can be answered anew from blank until the deadline, so that an answer given
    /// under pressure can be undone. The later one takes the earlier one's place.
    pub revise_until_close: bool,
}

impl Default for FormRules {
    fn default() -> Self {
        Self { drafts: true, revise_until_close: false }
    }
}

/// The sender as respondents see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// The display name.
    pub name: Text,
    /// The From address.
    pub address: String,
    /// The Reply-To address.
    pub reply_to: String,
    /// Helpline phone number, as printed.
    pub helpline_phone: String,
    /// Helpline address, outside the body that is scored.
    pub helpline_email: String,
    /// The official letter that announces the survey, such as `6251/BNV-CCHC, 14/11/2023`.
    pub official_letter: Text,
    /// The body that runs the survey.
    pub organiser: Text,
}

/// What kind of mail a contact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MailKind {
    /// Announces the survey; carries no link.
    Prenotice,
    /// Carries the person's link.
    Invitation,
    /// Carries the same link again.
    Reminder,
    /// Carries the same link again, because the person asked for it. It is no contact: no plan owes it.
    Link,
}

impl MailKind {
    /// The word stored and printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            MailKind::Prenotice => "prenotice",
            MailKind::Invitation => "invitation",
            MailKind::Reminder => "reminder",
            MailKind::Link => "link",
        }
    }
}

impl std::str::FromStr for MailKind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "prenotice" => Ok(MailKind::Prenotice),
            "invitation" => Ok(MailKind::Invitation),
            "reminder" => Ok(MailKind::Reminder),
            "link" => Ok(MailKind::Link),
            other => Err(format!("'{other}' is not a kind of mail")),
        }
    }
}

/// One scheduled contact.
#[derive(Debug, Clone)]
pub struct Contact {
    /// Its kind.
    pub kind: MailKind,
    /// 0 for the prenotice and the invitation; reminders count from 1.
    pub wave: u32,
    /// The earliest moment it may be sent.
    pub due: Timestamp,
    /// The subject, Vietnamese first: a template.
    pub subject: String,
    /// The plain text: a template.
    pub text: String,
    /// The HTML: a template.
    pub html: String,
}

/// Who chases the units, as its official letters and mails say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chasing {
    /// The body above the one that chases, on top of a letter.
    pub superior: Option<String>,
    /// The body that chases.
    pub agency: String,
    /// The place before the date.
    pub place: String,
    /// What follows the slash of a letter's number, such as `SNV-CCHC`.
    pub symbol: String,
    /// The post of who signs.
    pub signer: String,
    /// Who gets the digest.
    pub operator: String,
    /// The mail to coordinators: templates.
    pub mail: ChaseMail,
}

/// Limits of the campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The smallest group whose counts are released (k).
    pub k: u64,
    /// Reminders at most.
    pub reminders: u32,
    /// Working days between contacts at least.
    pub working_days_between: u32,
    /// Whether a replacement of someone in post on the frame date is allowed (substitution).
    pub substitution: bool,
}

/// Names of those who hold the private keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolders {
    /// Who can open the ballot box.
    pub ballot_box: Text,
    /// Who can read the archive of responses.
    pub archive: Text,
}

/// A respondent group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The code.
    pub code: GroupCode,
    /// The name.
    pub name: Text,
    /// Other spellings a roster may use.
    pub aliases: Vec<String>,
    /// Whether its seats are in the headline 816/819.
    pub counted: bool,
    /// Whether its answers feed the target's points.
    pub feeds: bool,
    /// The questionnaire its members get, per target. A member holds one form for each target named here.
    pub forms: BTreeMap<TargetCode, QuestionnaireCode>,
}

/// A unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The code.
    pub code: UnitCode,
    /// The name in Vietnamese.
    pub name: String,
    /// Other spellings a roster may use.
    pub aliases: Vec<String>,
    /// The unit above it, if any.
    pub parent: Option<UnitCode>,
    /// The coordinator who chases it.
    pub coordinator: Option<Coordinator>,
}

/// A unit coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinator {
    /// Name.
    pub name: String,
    /// Address.
    pub email: String,
}

/// A questionnaire (phiếu).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Questionnaire {
    /// The code.
    pub code: QuestionnaireCode,
    /// The version, from 1.
    pub version: u32,
    /// The title shown above the form.
    pub title: Text,
    /// What the respondent reads before starting.
    pub intro: Text,
    /// Sections, each a page of the form.
    pub sections: Vec<Section>,
    /// The last page, where the campaign has one: a single question on how the form came to be answered. It scores
    /// nothing, may be left blank, and is counted apart for the holder of the box's key alone.
    pub pressure: Option<Section>,
}

impl Questionnaire {
    /// Every question that is scored, in shown order.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.sections.iter().flat_map(|section| &section.questions)
    }

    /// Every question that is asked, in shown order.
    pub fn asked(&self) -> impl Iterator<Item = &Question> {
        self.pages().flat_map(|section| &section.questions)
    }

    /// The pages of the form in shown order.
    pub fn pages(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().chain(&self.pressure)
    }

    /// A page by its number from 0.
    #[must_use]
    pub fn page(&self, number: usize) -> Option<&Section> {
        self.pages().nth(number)
    }

    /// How many pages the form has.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.sections.len() + usize::from(self.pressure.is_some())
    }

    /// The question on how the form came to be answered.
    #[must_use]
    pub fn pressure_question(&self) -> Option<&Question> {
        self.pressure.as_ref().and_then(|page| page.questions.first())
    }
}

/// A section of a questionnaire: one page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: Text,
    /// Its questions.
    pub questions: Vec<Question>,
}

/// A question (câu hỏi).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The code.
    pub code: QuestionCode,
    /// The sub-criterion it scores; `None` for a target without a tree.
    pub sub_criterion: Option<SubCriterionCode>,
    /// The wording.
    pub text: Text,
    /// Whether the form insists on an answer ("no opinion" is one).
    pub required: bool,
    /// Whether "no opinion" is offered.
    pub no_opinion: bool,
    /// The substantive options in shown order.
    pub options: Vec<AnswerOption>,
}

/// One option (phương án) of a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerOption {
    /// The code, such as `5`.
    pub code: OptionCode,
    /// The wording.
    pub text: Text,
    /// Percent of the maximum, 0–100.
    pub percent: Exact,
}

impl Campaign {
    /// The group with this code.
    #[must_use]
    pub fn group(&self, code: &GroupCode) -> Option<&Group> {
        self.groups.iter().find(|group| group.code == *code)
    }

    /// The unit with this code.
    #[must_use]
    pub fn unit(&self, code: &UnitCode) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.code == *code)
    }

    /// The questionnaire a seat of `group` for `target` is given.
    #[must_use]
    pub fn questionnaire(&self, target: &TargetCode, group: &GroupCode) -> Option<&Questionnaire> {
        self.questionnaires.get(self.group(group)?.forms.get(target)?)
    }
}
