//! Which mail of ours a report answers, and where the report itself was sent.
//!
//! Both are claims of whoever wrote the report; only the return path carries a proof.

use super::address::{Address, typed};
use super::mime::{Headers, Mail};
use super::words;

/// Characters of a Message-ID at most; ours are far shorter.
const ID_LIMIT: usize = 250;
/// Headers that name whom a mail was sent to, as servers write them at delivery.
const DELIVERED: [&str; 7] =
    ["delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "x-rcpt-to", "to"];

/// The Message-ID of the mail that this one answers: from the returned mail, a field, or the header of an answer.
pub(super) fn message_id(mail: &Mail) -> Option<String> {
    let returned = mail.returned.as_ref().and_then(|headers| headers.first("message-id")).and_then(first_id);
    let of_field = || {
        let fields = mail.status.iter().chain(&mail.feedback).chain(&mail.disposition);
        fields.flat_map(|fields| fields.lines()).find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = name.trim().to_ascii_lowercase();
            matches!(name.as_str(), "x-original-message-id" | "original-message-id").then(|| first_id(value))?
        })
    };
    let of_answer = || mail.headers.first("in-reply-to").and_then(first_id);
    let of_references = || mail.headers.first("references").and_then(last_id);
    returned.or_else(of_field).or_else(|| words_id(&mail.text)).or_else(of_answer).or_else(of_references)
}

/// The Message-ID in a returned mail that stands among the words.
fn words_id(text: &str) -> Option<String> {
    text[words::returned_at(text)..].lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let name = name.trim_matches(|c: char| c == '>' || c.is_whitespace());
        name.eq_ignore_ascii_case("message-id").then(|| first_id(value))?
    })
}

/// The addresses this report was sent to, and the return path in the mail that came back; without repetitions.
pub(super) fn sent_to(mail: &Mail) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    let mut push = |address: Address| {
        if found.len() < 16 && !found.iter().any(|known| known.is_same(&address)) {
            found.push(address);
        }
    };
    let own = DELIVERED.iter().flat_map(|name| mail.headers.all(name)).flat_map(Address::all_in);
    own.for_each(&mut push);
    let returned = mail.returned.iter().flat_map(|headers| headers.all("return-path")).flat_map(Address::all_in);
    returned.for_each(&mut push);
    let feedback = mail.feedback.iter().flat_map(|fields| fields.lines()).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("original-mail-from").then(|| typed(value))?
    });
    feedback.for_each(&mut push);
    found
}

/// Whom the returned mail was addressed to.
pub(super) fn addressee(returned: &Headers) -> Option<Address> {
    let names = ["x-hmxmroriginalrecipient", "x-original-to", "to"];
    names.iter().flat_map(|name| returned.all(name)).find_map(Address::first_in)
}

fn first_id(text: &str) -> Option<String> {
    let start = text.find('<')?;
    id_at(&text[start..])
}

fn last_id(text: &str) -> Option<String> {
    let start = text.rfind('<')?;
    id_at(&text[start..])
}

/// `<left@right>` at the start of a text.
fn id_at(text: &str) -> Option<String> {
    let end = text.char_indices().take(ID_LIMIT).find(|(_, c)| *c == '>').map(|(at, _)| at)?;
    let id = &text[..=end];
    let is_one = id.contains('@') && !id.contains(|c: char| c.is_whitespace() || c.is_control());
    is_one.then(|| id.to_owned())
}
