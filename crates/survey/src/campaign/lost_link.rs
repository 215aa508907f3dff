//! `[lost_link]` of `campaign.toml`: the mail to whoever asks for the link again, and how often it may be asked for.
//!
//! All of it may be left out; then a built-in mail is sent.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::head::read_templates;
use super::load::composed;
use super::place::Faults;
use super::walk::Table;
use super::{Contact, MailKind};
use crate::template::Part;

/// The mail that carries a person's link again, and the limits that keep anybody from being flooded with it.
#[derive(Debug, Clone)]
pub struct LostLink {
    /// Its templates. The wave is 0 and the date has no meaning: it is sent when it is asked for.
    pub mail: Contact,
    /// Minutes at least between two such mails to one address.
    pub minutes_between: u32,
    /// Such mails to one address within 24 hours at most.
    pub per_day: u32,
    /// Requests from one network address within an hour at most.
    pub per_client_hour: u32,
    /// Requests from everybody within a minute at most.
    pub per_minute: u32,
}

impl Default for LostLink {
    fn default() -> Self {
        let mail = Contact {
            kind: MailKind::Link,
            wave: 0,
            due: Timestamp::UNIX_EPOCH,
            subject: include_str!("../../templates/link.subject.txt").to_owned(),
            text: include_str!("../../templates/link.txt").to_owned(),
            html: include_str!("../../templates/link.html").to_owned(),
        };
        Self { mail, minutes_between: 10, per_day: 3, per_client_hour: 20, per_minute: 60 }
    }
}

/// What the table says, before its templates are taken over.
#[derive(Default)]
pub(super) struct Asked {
    limits: LostLink,
    /// File name and source of subject, text and HTML; empty for the built-in mail.
    pub(super) templates: BTreeMap<Part, (String, String)>,
}

/// Reads the table; the defaults without one.
pub(super) fn read(root: &Table<'_>, files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> Asked {
    let Some(table) = root.optional_table("lost_link") else { return Asked::default() };
    let otherwise = LostLink::default();
    let templates = table
        .optional_text("template")
        .map(|name| read_templates(&name, &table.place_of("template"), files, faults))
        .unwrap_or_default();
    let limits = LostLink {
        minutes_between: number(&table, "minutes_between", otherwise.minutes_between),
        per_day: number(&table, "per_day", otherwise.per_day),
        per_client_hour: number(&table, "per_client_hour", otherwise.per_client_hour),
        per_minute: number(&table, "per_minute", otherwise.per_minute),
        mail: otherwise.mail,
    };
    table.finish();
    Asked { limits, templates }
}

fn number(table: &Table<'_>, key: &str, otherwise: u32) -> u32 {
    let number = table.optional_whole(key).unwrap_or(otherwise);
    if number == 0 {
        table.add(table.place_of(key).fault(
            "out-of-range",
            format!("with {key} = 0 nobody would be held back, or nobody would ever get the link"),
            format!("write 1 or more; {otherwise} is usual"),
        ));
    }
    number
}

impl Asked {
    /// As the rest of the program uses it.
    pub(super) fn settled(self) -> LostLink {
        let mut asked = self.limits;
        for (part, (_, source)) in self.templates {
            let source = composed(&source);
            match part {
                Part::Subject => asked.mail.subject = source,
                Part::Text => asked.mail.text = source,
                Part::Html => asked.mail.html = source,
            }
        }
        asked
    }
}
