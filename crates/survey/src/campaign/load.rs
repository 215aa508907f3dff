//! From the files of a campaign folder to a [`Campaign`], or to every fault at once.
//!
//! Reads no disk: the caller hands in the bytes. A campaign with warnings is returned with them; one with faults is not returned.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use super::groups::PlacedGroup;
use super::head::{Head, Planned, moment};
use super::index_file::{IndexFile, Others};
use super::place::{Document, Faults};
use super::policy::Asked;
use super::questionnaires::PlacedQuestionnaire;
use super::walk::Table;
use super::{
    Campaign, Contact, MailKind, Unit, chasing, cross, groups, head, index_file, notice, policy, questionnaires,
    schedule,
};
use crate::fault::Fault;
use crate::template::{LINK, MUST_SHOW, Part, Values, render, shows_link, used_variables, variables};

/// A campaign and what a person should know about it.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The campaign.
    pub campaign: Campaign,
    /// Warnings: nothing that stops the campaign.
    pub warnings: Vec<Fault>,
}

/// Reads and checks the files of a campaign folder; paths are relative to the folder, with `/`.
///
/// # Errors
/// Every fault that can be told from the folder alone, in file order.
pub fn load(files: &BTreeMap<String, Vec<u8>>) -> Result<Loaded, Vec<Fault>> {
    let faults = Faults::default();
    let campaign = read(files, &faults);
    let (mut faults, warnings) = faults.into_parts();
    match campaign {
        Some(campaign) if faults.is_empty() => Ok(Loaded { campaign, warnings }),
        Some(_) | None => {
            faults.sort_by(|a, b| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
            Err(faults)
        }
    }
}

fn read(files: &BTreeMap<String, Vec<u8>>, faults: &Faults) -> Option<Campaign> {
    let head = toml_file("campaign.toml", files, faults, |root| head::read(root, files, faults));
    let groups = toml_file("groups.toml", files, faults, |root| groups::read_groups(root, faults));
    let forms = toml_file("questionnaire.toml", files, faults, |root| questionnaires::read(root, faults));
    let units = open("units.csv", files, faults).map(|document| groups::read_units(&document));
    if let Some(head) = &head {
        schedule::check(head, faults);
        for contact in &head.contacts {
            check_templates(contact, faults);
        }
        for (part, (file, source)) in &head.lost_link.templates {
            check_template(MailKind::Link, *part, file, source, faults);
        }
        for (part, (file, source)) in head.chasing.iter().flat_map(|chased| &chased.templates) {
            chasing::check_template(*part, &Document { file, text: source, faults });
        }
    }
    let by_code: BTreeMap<_, _> = forms
        .iter()
        .flatten()
        .map(|placed| (placed.questionnaire.code.clone(), placed.questionnaire.clone()))
        .collect();
    let others = match (&head, &groups, &forms) {
        (Some(head), Some(groups), Some(_)) => Some(Others {
            year: head.year,
            targets: &head.targets,
            groups: groups.iter().map(|placed| &placed.group).collect(),
            questionnaires: &by_code,
        }),
        _ => None,
    };
    let index = toml_file("index.toml", files, faults, |root| index_file::read(root, others.as_ref(), files, faults));
    drop(others);
    warn_of_strangers(files, head.as_ref(), index.as_ref(), faults);
    let (head, groups, forms, units, mut index) = (head?, groups?, forms?, units?, index?);
    cross::check(&head.targets, &groups, &forms, &mut index, faults);
    notice::check_outside(&head, &units, faults);
    check_policy_files(files, &head, &groups, &by_code, &index, faults);
    if !faults.is_empty() {
        return None;
    }
    assemble(head, groups, forms, units, index, files)
}

fn open<'d>(name: &'d str, files: &'d BTreeMap<String, Vec<u8>>, faults: &'d Faults) -> Option<Document<'d>> {
    let Some(bytes) = files.get(name) else {
        faults.add(Fault::of_file(
            name,
            "missing-file",
            "the campaign folder has no such file",
            "add it; the sample campaigns show its form",
        ));
        return None;
    };
    Document::new(name, bytes, faults)
}

fn toml_file<T>(
    name: &str,
    files: &BTreeMap<String, Vec<u8>>,
    faults: &Faults,
    read: impl FnOnce(Table<'_>) -> T,
) -> Option<T> {
    let document = open(name, files, faults)?;
    let table = document.parse()?;
    Some(read(Table::root(&document, &table)))
}

/// Policy files are not part of the campaign, but a folder with a broken one does not pass.
fn check_policy_files(
    files: &BTreeMap<String, Vec<u8>>,
    head: &Head,
    groups: &[PlacedGroup],
    forms: &BTreeMap<super::QuestionnaireCode, super::Questionnaire>,
    index: &IndexFile,
    faults: &Faults,
) {
    let asked = Asked::of(&head.targets, groups.iter().map(|placed| &placed.group), forms, &index.tree);
    for (name, bytes) in files.iter().filter(|(name, _)| is_policy_file(name)) {
        policy::read_file(name, bytes, &asked, faults);
    }
}

fn is_policy_file(name: &str) -> bool {
    name.starts_with("policy-") && name.ends_with(".toml")
}

/// A file that nothing reads is often a file with a slip in its name.
fn warn_of_strangers(
    files: &BTreeMap<String, Vec<u8>>,
    head: Option<&Head>,
    index: Option<&IndexFile>,
    faults: &Faults,
) {
    let (Some(head), Some(_)) = (head, index) else { return };
    let of_contacts = head.contacts.iter().flat_map(|contact| contact.templates.values());
    let of_chase = head.chasing.iter().flat_map(|chased| chased.templates.values());
    let of_link = head.lost_link.templates.values();
    let templates: Vec<_> = of_contacts.chain(of_chase).chain(of_link).map(|(name, _)| name.as_str()).collect();
    for name in files.keys() {
        let known = ["campaign.toml", "groups.toml", "questionnaire.toml", "index.toml", "units.csv"];
        let read = known.contains(&name.as_str()) || templates.contains(&name.as_str()) || is_policy_file(name);
        let document = name.ends_with(".md") || name.ends_with(".csv");
        if !read && !document {
            faults.warn(Fault::of_file(
                name,
                "unused-file",
                "nothing in the campaign reads this file",
                "remove it, or correct its name",
            ));
        }
    }
}

fn check_templates(contact: &Planned, faults: &Faults) {
    for (part, (file, source)) in &contact.templates {
        check_template(contact.kind, *part, file, source, faults);
    }
}

fn check_template(kind: MailKind, part: Part, file: &str, source: &str, faults: &Faults) {
    let document = Document { file, text: source, faults };
    let allowed = variables(kind, part);
    let unknown: Vec<_> = match used_variables(part, source) {
        Ok(names) => names.into_iter().filter(|name| !allowed.contains(&name.as_str())).collect(),
        Err(error) => {
            faults.add(template_place(&document, error.span, error.line).fault(
                "broken-template",
                format!("the template cannot be read: {}", error.reason),
                "close every {{ … }} and {% … %}",
            ));
            return;
        }
    };
    for name in &unknown {
        let span = word(source, name).unwrap_or(0..0);
        let place = document.place(span, name);
        let nearest = allowed.iter().min_by_key(|known| strsim::damerau_levenshtein(known, name));
        faults.add(match (name.as_str() == LINK, part, kind) {
            (true, Part::Subject, _) => place.fault(
                "link-in-subject",
                "a subject stands in lists and previews, where a link would be read by others",
                "put the link into the text",
            ),
            (true, _, MailKind::Prenotice) => place.fault(
                "link-in-prenotice",
                "a prenotice carries no link: that is how people tell it from a forgery",
                "remove it; the invitation carries the link",
            ),
            (_, _, MailKind::Prenotice | MailKind::Invitation | MailKind::Reminder | MailKind::Link) => place.fault(
                "unknown-variable",
                format!("'{name}' is not a variable of this mail"),
                format!("did you mean '{}'?", nearest.copied().unwrap_or_default()),
            ),
        });
    }
    if !unknown.is_empty() {
        return;
    }
    check_rendered(kind, part, source, &document);
}

fn check_rendered(kind: MailKind, part: Part, source: &str, document: &Document<'_>) {
    match render(part, source, &Values::stand_ins(kind, part)) {
        Ok(text) if text.trim().is_empty() => document.faults.add(document.place(0..0, "").fault(
            "empty-text",
            "the template gives an empty text",
            "write the text",
        )),
        Ok(_) => {}
        Err(error) => {
            document.faults.add(template_place(document, error.span, error.line).fault(
                "template-does-not-render",
                format!("the template cannot be rendered: {}", error.reason),
                "use only variables, {% if %} and short loops",
            ));
            return;
        }
    }
    check_contacts(part, source, document);
    let linked = variables(kind, part).contains(&LINK);
    if linked && !shows_link(kind, part, source) {
        document.faults.add(document.place(0..0, "").fault(
            "link-missing",
            format!("the {} would reach people without their link", kind.as_str()),
            "write {{ link }} where the link belongs",
        ));
    }
    // Readers turn anything that begins like an address into a link, so even the text may not spell one out.
    if let Some(at) = source.find("://").filter(|_| kind == MailKind::Prenotice) {
        document.faults.add(document.place(at..at + 3, "").fault(
            "link-in-prenotice",
            "a prenotice carries no link: that is how people tell it from a forgery",
            "name the domain as text instead",
        ));
    }
}

/// Every mail says whom to ask for help, and whom to complain to outside the body that is scored.
pub(super) fn check_contacts(part: Part, source: &str, document: &Document<'_>) {
    let Ok(used) = used_variables(part, source) else { return };
    let missing: Vec<_> =
        MUST_SHOW.into_iter().filter(|name| part != Part::Subject && !used.iter().any(|other| other == name)).collect();
    if !missing.is_empty() {
        document.faults.add(document.place(0..0, "").fault(
            "contact-missing",
            format!("the mail does not show whom to ask and whom to complain to: {}", missing.join(", ")),
            "write the helpline and the complaint contact at its foot, as in the sample campaigns",
        ));
    }
}

pub(super) fn template_place(
    document: &Document<'_>,
    span: Option<std::ops::Range<usize>>,
    line: Option<usize>,
) -> super::place::Place {
    let line_start = |line: usize| document.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let start: usize = line.map_or(0, line_start);
    document.place(span.unwrap_or(start..start), "")
}

/// Where `name` stands as a word of its own.
pub(super) fn word(source: &str, name: &str) -> Option<std::ops::Range<usize>> {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    source
        .match_indices(name)
        .map(|(at, _)| at..at + name.len())
        .find(|span| !source[..span.start].ends_with(part) && !source[span.end..].starts_with(part))
}

fn assemble(
    head: Head,
    groups: Vec<PlacedGroup>,
    forms: Vec<PlacedQuestionnaire>,
    units: Vec<Unit>,
    index: IndexFile,
    files: &BTreeMap<String, Vec<u8>>,
) -> Option<Campaign> {
    let zone = head.zone?;
    let sender = head.sender?;
    let contacts = head.contacts.into_iter().map(|planned| {
        let due = moment(Some(&planned.due), &zone);
        let mut sources: BTreeMap<_, _> =
            planned.templates.into_iter().map(|(part, (_, source))| (part, composed(&source))).collect();
        let mut source = |part| sources.remove(&part).unwrap_or_default();
        Contact {
            kind: planned.kind,
            wave: planned.wave,
            due,
            subject: source(Part::Subject),
            text: source(Part::Text),
            html: source(Part::Html),
        }
    });
    Some(Campaign {
        contacts: contacts.collect(),
        chasing: head.chasing.map(|chased| chased.settled(&sender.reply_to)),
        id: head.id,
        sample: head.sample,
        year: head.year?,
        title: head.title,
        targets: head.targets,
        frame_date: head.frame_date?.value,
        opens: moment(head.opens.as_ref(), &zone),
        closes: moment(head.closes.as_ref(), &zone),
        time_zone: zone,
        time_zone_name: head.zone_name,
        grace_minutes: head.grace_minutes,
        sender,
        link_base: head.link_base,
        lost_link: head.lost_link.settled(),
        holidays: head.holidays,
        limits: head.limits,
        form: head.form,
        sending: head.sending,
        key_holders: head.key_holders?,
        return_path: head.return_path,
        anchor_to: head.anchor_to,
        two_people: head.two_people,
        notice: head.told?.notice,
        groups: groups.into_iter().map(|placed| placed.group).collect(),
        units,
        questionnaires: forms
            .into_iter()
            .map(|placed| (placed.questionnaire.code.clone(), placed.questionnaire))
            .collect(),
        tree: index.tree,
        policy: index.policy,
        imported: index.imported,
        history: index.history,
        official_ranks: index.official_ranks,
        files: files.iter().map(|(name, bytes)| (name.clone(), crate::hex(&Sha256::digest(bytes)))).collect(),
    })
}

/// A template as it is used: in NFC, without a byte-order mark.
pub(super) fn composed(source: &str) -> String {
    source.trim_start_matches('\u{feff}').nfc().collect()
}
