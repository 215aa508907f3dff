//! Machine-readable reports: delivery status (RFC 3464, RFC 6533) and complaints (RFC 5965).
//!
//! Reads what servers write rather than what the RFCs allow: groups without an empty line between them, fields without
//! a type, comments behind values. Fields of the whole report are not kept.

use super::Reason;
use super::address::{Address, typed};
use super::identity::addressee;
use super::mime::{Headers, Mail};
use super::reason::{Judgement, judge};
use super::status::enhanced_in;
use super::{Action, Kind, RECIPIENT_LIMIT, Recipient};
use crate::delivery::Enhanced;

/// The fields of one recipient.
#[derive(Default)]
struct Group {
    original: Option<String>,
    last: Option<String>,
    action: Option<String>,
    status: Option<String>,
    diagnostic: Option<String>,
}

/// The recipients of all delivery-status parts.
pub(super) fn delivery_status(mail: &Mail) -> Vec<Recipient> {
    let mut groups: Vec<Group> = mail.status.iter().flat_map(|fields| groups(fields)).collect();
    groups.truncate(RECIPIENT_LIMIT);
    let is_only = groups.len() == 1;
    let words = &mail.text[..super::words::returned_at(&mail.text)];
    groups.iter().map(|group| recipient(group, words, is_only, mail.returned.as_ref())).collect()
}

fn groups(fields: &str) -> Vec<Group> {
    let mut found: Vec<Group> = Vec::new();
    let mut group = Group::default();
    for (name, value) in unfolded(fields) {
        let slot = match name.as_str() {
            "" => {
                close(&mut group, &mut found);
                continue;
            }
            "original-recipient" => &mut group.original,
            "final-recipient" => &mut group.last,
            "action" => &mut group.action,
            "status" => &mut group.status,
            "diagnostic-code" => &mut group.diagnostic,
            _ => continue,
        };
        // The same field again begins the next recipient, where the empty line between them is missing.
        if slot.is_some() && matches!(name.as_str(), "original-recipient" | "final-recipient") {
            close(&mut group, &mut found);
            if name == "final-recipient" { group.last = Some(value) } else { group.original = Some(value) }
        } else if slot.is_none() {
            *slot = Some(value);
        }
    }
    close(&mut group, &mut found);
    found
}

/// Keeps a group that names a recipient. Fields without one wait: an empty line inside a group happens.
fn close(group: &mut Group, found: &mut Vec<Group>) {
    let is_named = group.original.is_some() || group.last.is_some();
    if is_named && (group.action.is_some() || group.status.is_some() || group.diagnostic.is_some()) {
        found.push(std::mem::take(group));
    }
}

/// The fields with continuation lines joined; an empty line is a field without a name.
fn unfolded(fields: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for line in fields.lines() {
        if line.trim().is_empty() {
            found.push(Default::default());
        } else if line.starts_with([' ', '\t']) && found.last().is_some_and(|(name, _)| !name.is_empty()) {
            if let Some((_, value)) = found.last_mut() {
                value.push(' ');
                value.push_str(line.trim());
            }
        } else if let Some((name, value)) = line.split_once(':') {
            found.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        } else if let Some((_, value)) = found.last_mut().filter(|(name, _)| !name.is_empty()) {
            // A long diagnosis that was wrapped without indentation.
            value.push(' ');
            value.push_str(line.trim());
        }
    }
    found
}

fn recipient(group: &Group, words: &str, is_only: bool, returned: Option<&Headers>) -> Recipient {
    let mut address = group.original.as_deref().and_then(typed).or_else(|| group.last.as_deref().and_then(typed));
    if address.is_none() && is_only {
        address = returned.and_then(addressee);
    }
    let status = group.status.as_deref().and_then(code);
    let action = group.action.as_deref().and_then(action).unwrap_or(match status.map(|status| status.class) {
        Some(2) => Action::Delivered,
        Some(4) => Action::Delayed,
        Some(_) | None => Action::Failed,
    });
    if !matches!(action, Action::Failed | Action::Delayed) {
        let source = status.map(|_| super::StatusSource::Said);
        return Recipient { address, action: Some(action), status, status_source: source, class: None, reason: None };
    }
    let diagnostic = group.diagnostic.as_deref().unwrap_or_default();
    // The words for people say why only where the fields do not, and are about this one only if there is no other.
    let mut texts = vec![diagnostic];
    let near;
    if is_only {
        texts.push(words);
    } else if diagnostic.is_empty() {
        near = address.as_ref().map(|address| lines_about(address, words)).unwrap_or_default();
        texts.push(&near);
    }
    let said = if diagnostic.is_empty() { &texts[..] } else { &texts[..1] };
    let mut found = judge(status, action, said);
    if found.reason == Reason::Other && texts.len() > 1 {
        found = judge(found.status.map(|(status, _)| status).or(status), action, &texts);
    }
    failed(address, action, &found)
}

/// A recipient that was not reached.
pub(super) fn failed(address: Option<Address>, action: Action, found: &Judgement) -> Recipient {
    Recipient {
        address,
        action: Some(action),
        status: found.status.map(|(status, _)| status),
        status_source: found.status.map(|(_, source)| source),
        class: Some(found.class),
        reason: Some(found.reason),
    }
}

/// The lines of a text that name an address, each with the one after it; as many as a session's log has of one.
pub(super) fn lines_about(address: &Address, text: &str) -> String {
    const LIMIT: usize = 2_000;
    let mut out = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next().filter(|_| out.len() < LIMIT) {
        if !line.contains(address.expose()) {
            continue;
        }
        out.push_str(line);
        if let Some(next) = lines.peek().filter(|next| !next.contains('@')) {
            out.push(' ');
            out.push_str(next);
        }
        out.push('\n');
    }
    out
}

fn code(field: &str) -> Option<Enhanced> {
    let word = field.split([' ', ';', '(', ',']).find(|word| !word.is_empty())?;
    word.parse().ok().or_else(|| enhanced_in(field))
}

fn action(field: &str) -> Option<Action> {
    let word: String = field.trim().chars().take_while(char::is_ascii_alphabetic).collect();
    match word.to_ascii_lowercase().as_str() {
        "failed" | "fail" | "failure" | "undeliverable" => Some(Action::Failed),
        "delayed" | "delay" => Some(Action::Delayed),
        "delivered" => Some(Action::Delivered),
        "relayed" => Some(Action::Relayed),
        "expanded" => Some(Action::Expanded),
        _ => None,
    }
}

/// A feedback report: a complaint, or one of the kinds that are none (`not-spam`, `auth-failure`).
pub(super) fn complaint(feedback: &str, mail: &Mail) -> (Kind, Vec<Recipient>) {
    let fields = unfolded(feedback);
    let all = |wanted: &'static str| fields.iter().filter(move |(name, _)| name == wanted).map(|(_, value)| value);
    let kind = all("feedback-type").next().map(|value| value.to_ascii_lowercase()).unwrap_or_default();
    if kind.starts_with("not-spam") || kind.starts_with("auth-failure") || kind.starts_with("dmarc") {
        return (Kind::Other, Vec::new());
    }
    let mut named: Vec<Address> = ["original-rcpt-to", "removal-recipient"]
        .into_iter()
        .flat_map(all)
        .filter_map(|value| typed(value))
        .take(RECIPIENT_LIMIT)
        .collect();
    named.dedup_by(|a, b| a.is_same(b));
    if named.is_empty() {
        named.extend(mail.returned.as_ref().and_then(addressee));
    }
    (Kind::Complaint, named.into_iter().map(complained).collect())
}

/// Outlook.com reports complaints as a forwarded mail that names the recipient in a header of its own.
pub(super) fn foreign_complaint(mail: &Mail) -> Option<Vec<Recipient>> {
    let returned = mail.returned.as_ref()?;
    returned.first("x-hmxmroriginalrecipient")?;
    Some(addressee(returned).map(complained).into_iter().collect())
}

fn complained(address: Address) -> Recipient {
    let reason = Some(Reason::SpamOrPolicy);
    Recipient { address: Some(address), action: None, status: None, status_source: None, class: None, reason }
}
