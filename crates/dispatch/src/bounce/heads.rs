//! Which recipients the words of a bounce speak of, and which lines are about each.
//!
//! Servers name a recipient at the head of a paragraph: in angle brackets, alone on a line, behind a label, before the
//! refusal. Such heads are strong; an address within a sentence is a weak one and counts only where none is strong.
//! Bounces that name only a person's display name have no head.

use std::ops::Range;

use super::RECIPIENT_LIMIT;
use super::address::{Address, places};
use super::fold::fold;

/// A recipient and the words about it.
pub(super) struct Block {
    pub(super) address: Address,
    pub(super) words: String,
}

/// Labels before an address, folded.
const LABELS: [&str; 24] = [
    "failed address",
    "failed recipient",
    "failed recipients",
    "failed addresses",
    "undeliverable address",
    "undeliverable to",
    "recipient",
    "recipients",
    "recipient address",
    "intended recipient",
    "final recipient",
    "user mailbox exceeds allowed size",
    "unknown user",
    "unknown local user",
    "invalid final delivery userid",
    "invalid recipient",
    "could not be delivered to",
    "was not delivered to",
    "delivery to",
    "message recipient",
    "nguoi nhan",
    "dia chi nhan",
    "dia chi",
    "dia chi loi",
];

/// Where the paragraphs about recipients end and a log of the session begins.
const SECTIONS: [&str; 6] = [
    "transcript of session",
    "session transcript",
    "end transcript",
    "original message",
    "reporting-mta",
    "message history",
];

struct Head<'t> {
    address: Address,
    rest: &'t str,
    is_strong: bool,
}

/// The blocks of a text. `is_ours` tells addresses that are no recipient: the report's own sender and receiver.
pub(super) fn blocks(text: &str, is_ours: &dyn Fn(&Address) -> bool) -> Vec<Block> {
    let strong = collect(text, true, is_ours);
    if strong.is_empty() { collect(text, false, is_ours) } else { strong }
}

fn collect(text: &str, strong_only: bool, is_ours: &dyn Fn(&Address) -> bool) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    // The block that takes the next line, and whether its paragraph has begun.
    let mut open: Option<(usize, bool)> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            open = open.filter(|(_, has_words)| !has_words);
            continue;
        }
        if let Some(head) =
            head(line).filter(|head| head.is_strong || !strong_only).filter(|head| !is_ours(&head.address))
        {
            let at = found.iter().position(|block| block.address.is_same(&head.address)).unwrap_or(found.len());
            if at == found.len() {
                if found.len() == RECIPIENT_LIMIT {
                    break;
                }
                found.push(Block { address: head.address, words: String::new() });
            }
            push(&mut found[at].words, head.rest);
            open = Some((at, !head.rest.is_empty()));
            continue;
        }
        let bare = trimmed.trim_matches(|c: char| "-=_*: .".contains(c)).to_ascii_lowercase();
        if trimmed.starts_with("--") && SECTIONS.iter().any(|section| bare.contains(section)) {
            open = None;
        }
        if let Some((at, has_words)) = &mut open {
            *has_words = true;
            if let Some(first) = expanded_from(trimmed).filter(|first| !is_ours(first)) {
                found[*at].address = first;
            }
            push(&mut found[*at].words, trimmed);
        }
    }
    found
}

fn push(words: &mut String, line: &str) {
    words.push_str(line);
    words.push(' ');
}

/// `(expanded from: <a@b>)`, `(generated from a@b)`, `(ultimately generated from a@b)`: the address that was mailed.
fn expanded_from(line: &str) -> Option<Address> {
    let folded = line.to_ascii_lowercase();
    let at = ["expanded from", "generated from"].iter().find_map(|words| folded.find(words))?;
    Address::first_in(line.get(at..)?)
}

/// The recipient that a line begins with, or names in passing.
fn head(line: &str) -> Option<Head<'_>> {
    let places = places(line);
    let place = places.first()?.clone();
    let before = line[..place.start].trim_matches(|c: char| c.is_whitespace() || "*-•·<'\"[(>".contains(c));
    let after = &line[place.end..];
    let make = |rest, is_strong| Some(Head { address: Address::first_in(&line[place.clone()])?, rest, is_strong });
    if let Some(first) = after.lines().next().and_then(expanded_from) {
        let rest = after.split_once("):").map_or("", |(_, rest)| rest);
        return Some(Head { address: first, rest, is_strong: true });
    }
    let bare = without_closing(after, line, &place, &places);
    if before.is_empty() || before.eq_ignore_ascii_case("smtp:") || before.eq_ignore_ascii_case("mailto:") {
        let in_brackets = line[..place.start].trim_end().ends_with('<') && line.trim_start().starts_with('<');
        let is_alone = bare.is_empty();
        let then = ["#", "(", ":", " - ", "– ", "..."].iter().any(|sign| bare.starts_with(sign));
        let on_a_day = ["on ", "vào ", "lúc "].iter().any(|word| bare.starts_with(word));
        return make(bare, in_brackets || is_alone || then || on_a_day);
    }
    let label = fold(before);
    let label = label.trim_matches(|c: char| !c.is_alphanumeric());
    if LABELS.contains(&label) {
        return make(bare, true);
    }
    make(bare, false)
}

/// What follows an address, without what only closes it: `>`, quotes, the same address again as a link.
fn without_closing<'t>(after: &'t str, line: &'t str, place: &Range<usize>, places: &[Range<usize>]) -> &'t str {
    let mut rest = after;
    let again = places.get(1).filter(|again| line[(*again).clone()].eq_ignore_ascii_case(&line[place.clone()]));
    if let Some(again) = again {
        let between = &line[place.end..again.start];
        if between.len() <= 12
            && (between.contains("mailto:") || between.trim_matches(|c: char| " <([\"'".contains(c)).is_empty())
        {
            rest = &line[again.end..];
        }
    }
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ">)]'\"\u{201d}".contains(c));
    rest.trim_start_matches([':', ',', ';', '.']).trim()
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn recipients_are_found_where_servers_name_them() {
        let table: &[(&str, &[(&str, &str)])] = &[
            (
                "<a@x.example>:\nNo mailbox.\n\n<b@x.example>:\nFull.\n",
                &[("a@x.example", "No mailbox."), ("b@x.example", "Full.")],
            ),
            ("<a@x.example>: host mx said: 550\n    unknown\n", &[("a@x.example", "host mx said: 550 unknown")]),
            ("  a@x.example\n    SMTP error:\n    550 no\n", &[("a@x.example", "SMTP error: 550 no")]),
            (
                "  a@x.example\n    (generated from b@x.example)\n    gone\n",
                &[("b@x.example", "(generated from b@x.example) gone")],
            ),
            ("<a@x.example> (expanded from <b@x.example>): gone\n", &[("b@x.example", "gone")]),
            (
                "a@x.example<mailto:a@x.example>\nRemote Server returned '550'\n",
                &[("a@x.example", "Remote Server returned '550'")],
            ),
            ("mx #<550 5.1.1>\na@x.example #550 5.1.1 no ##\n", &[("a@x.example", "#550 5.1.1 no ##")]),
            ("'a@x.example' on 18/12/2023 9:01\n  Gone.\n", &[("a@x.example", "on 18/12/2023 9:01 Gone.")]),
            ("Failed address: a@x.example\n\n--- Session Transcript ---\n550 no\n", &[("a@x.example", "")]),
            ("Người nhận: a@x.example\nHộp thư đầy\n", &[("a@x.example", "Hộp thư đầy")]),
            ("Your message to a@x.example was blocked.\n", &[("a@x.example", "was blocked.")]),
            ("Ask me@x.example for help.\n\n<a@x.example>:\nno\n", &[("a@x.example", "no")]),
            ("ours@x.example\nno\n", &[]),
            ("no address\n", &[]),
        ];
        for (text, expected) in table {
            let found = blocks(text, &|address| address.expose().starts_with("ours@"));
            let found: Vec<(&str, &str)> = found.iter().map(|b| (b.address.expose(), b.words.trim())).collect();
            assert_eq!(found, *expected, "{text}");
        }
    }
}
