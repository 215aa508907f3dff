//! `campaign.toml`: who is rated, when, who writes, when mails go out, limits, key holders.
//!
//! Reads one file and judges it by itself; what needs the other files is in `cross`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use parsurvey_index::code::TargetCode;
use parsurvey_index::tree::Text;

use super::address::check_address;
use super::chasing::{self, Chased};
use super::lost_link::{self, Asked};
use super::notice::{self, Told};
use super::place::{Faults, Place, Placed};
use super::walk::Table;
use super::{FormRules, KeyHolders, Limits, MailKind, Sender, Target, auditing, sending};
use crate::fault::Fault;
use crate::sending::Sending;
use crate::template::Part;

/// What `campaign.toml` says, with places for later checks.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) sample: bool,
    pub(super) year: Option<i16>,
    pub(super) title: Text,
    pub(super) targets: Vec<Target>,
    pub(super) frame_date: Option<Placed<Date>>,
    pub(super) zone: Option<TimeZone>,
    pub(super) zone_name: String,
    pub(super) opens: Option<Placed<DateTime>>,
    pub(super) closes: Option<Placed<DateTime>>,
    pub(super) grace_minutes: u32,
    pub(super) sender: Option<Sender>,
    pub(super) link_base: String,
    pub(super) contacts: Vec<Planned>,
    pub(super) chasing: Option<Chased>,
    pub(super) lost_link: Asked,
    pub(super) holidays: Vec<Date>,
    pub(super) limits: Limits,
    pub(super) form: FormRules,
    pub(super) sending: Sending,
    pub(super) key_holders: Option<KeyHolders>,
    pub(super) return_path: Option<String>,
    pub(super) anchor_to: Option<String>,
    pub(super) two_people: bool,
    pub(super) told: Option<Told>,
}

/// A contact before its templates are rendered.
pub(super) struct Planned {
    pub(super) kind: MailKind,
    pub(super) wave: u32,
    pub(super) due: Placed<DateTime>,
    pub(super) place: Place,
    /// File name and source, as written, of subject, text and HTML; no entry where the file is missing.
    pub(super) templates: BTreeMap<Part, (String, String)>,
}

/// Reads the file.
pub(super) fn read(root: Table<'_>, files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> Head {
    let zone_name = root.text("time_zone");
    // The bundled database, not the machine's: the same folder means the same moments everywhere.
    let zone = TimeZoneDatabase::bundled().get(&zone_name).ok();
    if zone.is_none() && !zone_name.is_empty() {
        faults.add(root.place_of("time_zone").fault(
            "bad-time-zone",
            format!("'{zone_name}' is not a time zone"),
            "write its IANA name, such as \"Asia/Ho_Chi_Minh\"",
        ));
    }
    let id = root.code::<TargetCode>("id").map(|code| code.as_str().to_owned()).unwrap_or_default();
    let link_base = root.text("link_base");
    if !link_base.is_empty() && !link_base.starts_with("https://") && !link_base.starts_with("http://127.0.0.1") {
        faults.add(root.place_of("link_base").fault(
            "bad-link-base",
            format!("'{link_base}' is not where a safe link can begin"),
            "write https:// and the domain of the form",
        ));
    }
    let (opens, closes, grace_minutes) = read_window(&root);
    let sender = root.table("sender").map(|table| read_sender(table, faults));
    let head = Head {
        id,
        sample: root.boolean("sample", Some(false)),
        year: root.whole("year"),
        title: root.bilingual("title"),
        targets: read_targets(&root, faults),
        frame_date: root.date("frame_date"),
        zone,
        zone_name,
        opens,
        closes,
        grace_minutes,
        anchor_to: auditing::read(&root, sender.as_ref().map(|sender| sender.address.as_str()), faults),
        two_people: auditing::read_two_people(&root),
        sender,
        link_base: link_base.trim_end_matches('/').to_owned(),
        contacts: read_contacts(&root, files, faults),
        chasing: root.optional_table("chase").map(|table| chasing::read(table, files, faults)),
        lost_link: lost_link::read(&root, files, faults),
        holidays: root.dates("holidays"),
        limits: read_limits(&root),
        form: read_form(&root),
        sending: sending::read(&root, faults),
        key_holders: root.table("key_holders").map(|table| {
            let holders = KeyHolders { ballot_box: table.bilingual("ballot_box"), archive: table.bilingual("archive") };
            table.finish();
            holders
        }),
        return_path: root.optional_table("bounces").map(|table| read_return_path(table, faults)),
        told: root.table("notice").map(|table| notice::read(table, faults)),
    };
    root.finish();
    head
}

fn read_window(root: &Table<'_>) -> (Option<Placed<DateTime>>, Option<Placed<DateTime>>, u32) {
    let Some(table) = root.table("window") else { return (None, None, 0) };
    let window = (table.datetime("opens"), table.datetime("closes"), table.whole("grace_minutes").unwrap_or_default());
    table.finish();
    window
}

fn read_form(root: &Table<'_>) -> FormRules {
    let usual = FormRules::default();
    let Some(table) = root.optional_table("form") else { return usual };
    let form = FormRules {
        drafts: table.boolean("drafts", Some(usual.drafts)),
        revise_until_close: table.boolean("revise_until_close", Some(usual.revise_until_close)),
    };
    table.finish();
    form
}

fn read_targets(root: &Table<'_>, faults: &Faults) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for table in root.tables("target") {
        let name = table.bilingual("name");
        let has_tree = table.boolean("tree", None);
        if let Some(code) = table.code::<TargetCode>("code") {
            if targets.iter().any(|target| target.code == code) {
                faults.add(duplicate(&table.place_of("code"), "target", code.as_str()));
            }
            targets.push(Target { code, name, has_tree });
        }
        table.finish();
    }
    if targets.is_empty() {
        faults.add(root.place_of("target").fault(
            "no-target",
            "no body is rated",
            "add a [[target]] with code, name and tree",
        ));
    }
    targets
}

/// The fault of a code that was used before.
pub(super) fn duplicate(place: &Place, what: &str, code: &str) -> Fault {
    place.fault(
        "duplicate-code",
        format!("the {what} '{code}' was declared before"),
        "give each its own code, or remove one of the two",
    )
}

fn read_sender(table: Table<'_>, faults: &Faults) -> Sender {
    let sender = Sender {
        name: table.bilingual("name"),
        address: table.text("address"),
        reply_to: table.text("reply_to"),
        helpline_phone: table.text("helpline_phone"),
        helpline_email: table.text("helpline_email"),
        official_letter: table.bilingual("official_letter"),
        organiser: table.bilingual("organiser"),
    };
    for (key, address) in
        [("address", &sender.address), ("reply_to", &sender.reply_to), ("helpline_email", &sender.helpline_email)]
    {
        check_address(address, &table.place_of(key), faults);
    }
    table.finish();
    sender
}

/// Characters that the local part of the return path may have: a mail's own mark, of at most 43, is set behind it, and
/// SMTP allows 64 in all.
const RETURN_PATH_ROOM: usize = 20;

fn read_return_path(table: Table<'_>, faults: &Faults) -> String {
    let address = table.text("return_path");
    let place = table.place_of("return_path");
    check_address(&address, &place, faults);
    let local = address.split('@').next().unwrap_or_default();
    if local.len() > RETURN_PATH_ROOM || local.contains('+') {
        faults.add(place.fault(
            "bad-return-path",
            format!("'{local}' leaves no room for the mark that every mail's return path gets"),
            format!("take a mailbox with a name of at most {RETURN_PATH_ROOM} characters and without '+'"),
        ));
    }
    table.finish();
    address
}

/// Reminders that a campaign sends without having to say why.
const USUAL_REMINDERS: u32 = 4;

fn read_limits(root: &Table<'_>) -> Limits {
    let Some(table) = root.table("limits") else {
        return Limits { k: 0, reminders: 0, working_days_between: 0, substitution: false };
    };
    // The stand-ins for missing limits are those that bring no further fault.
    let limits = Limits {
        k: table.whole::<u32>("k").unwrap_or(u32::MAX).into(),
        reminders: table.whole("reminders").unwrap_or(u32::MAX),
        working_days_between: table.whole("working_days_between").unwrap_or_default(),
        substitution: table.boolean("substitution", Some(false)),
    };
    let reason = table.optional_text("reminders_reason");
    if limits.reminders > USUAL_REMINDERS && limits.reminders != u32::MAX && reason.is_none() {
        table.add(table.place_of("reminders").fault(
            "too-many-reminders",
            format!("more than {USUAL_REMINDERS} reminders are asked of people without saying why"),
            format!("lower it to {USUAL_REMINDERS}, or give the reason in reminders_reason"),
        ));
    }
    if limits.k < 2 {
        table.add(table.place_of("k").fault(
            "out-of-range",
            "results of a single person would be shown",
            "set k to 2 at least; 5 is usual",
        ));
    }
    table.finish();
    limits
}

fn read_contacts(root: &Table<'_>, files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> Vec<Planned> {
    let mut contacts = Vec::new();
    let mut reminders = 0;
    for table in root.tables("contact") {
        let kind_text = table.text("kind");
        let template = table.text("template");
        let due = table.datetime("due");
        let kind = match kind_text.parse::<MailKind>() {
            Ok(kind) if kind != MailKind::Link => Some(kind),
            other => {
                let reason =
                    other.err().unwrap_or_else(|| "a link is sent when it is asked for, never by a date".into());
                if !kind_text.is_empty() {
                    faults.add(table.place_of("kind").fault(
                        "unknown-kind",
                        reason,
                        "write prenotice, invitation or reminder",
                    ));
                }
                None
            }
        };
        let templates = read_templates(&template, &table.place_of("template"), files, faults);
        if let (Some(kind), Some(due)) = (kind, due) {
            let wave = match kind {
                MailKind::Prenotice | MailKind::Invitation | MailKind::Link => 0,
                MailKind::Reminder => {
                    reminders += 1;
                    reminders
                }
            };
            contacts.push(Planned { kind, wave, due, place: table.place(), templates });
        }
        table.finish();
    }
    contacts
}

pub(super) fn read_templates(
    name: &str,
    place: &Place,
    files: &BTreeMap<String, Vec<u8>>,
    faults: &Faults,
) -> BTreeMap<Part, (String, String)> {
    let mut templates = BTreeMap::new();
    if name.is_empty() {
        return templates;
    }
    for part in [Part::Subject, Part::Text, Part::Html] {
        let path = format!("templates/{name}{}", part.suffix());
        match files.get(&path).map(|bytes| std::str::from_utf8(bytes)) {
            Some(Ok(source)) => {
                templates.insert(part, (path, source.to_owned()));
            }
            Some(Err(_)) => faults.add(Fault::of_file(
                path,
                "not-utf8",
                "the file is not UTF-8 text",
                "save it as UTF-8 in your editor",
            )),
            None => faults.add(place.fault(
                "missing-template",
                format!("there is no file {path}"),
                "write it, or name another template here",
            )),
        }
    }
    templates
}

/// The moments of the campaign once its zone is known; stand-ins where a fault was recorded.
pub(super) fn moment(civil: Option<&Placed<DateTime>>, zone: &TimeZone) -> Timestamp {
    civil
        .and_then(|placed| placed.value.to_zoned(zone.clone()).ok())
        .map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
}
