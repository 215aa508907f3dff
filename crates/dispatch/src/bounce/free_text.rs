//! Bounces written for people: what a server says when it sends no machine-readable part, or one that says nothing.
//!
//! A mail is a bounce only if something besides its words says so: a header, a program as its sender, or a subject
//! together with a sentence. A person who quotes a bounce in an answer is therefore not taken for a server.

use super::Reason;
use super::address::Address;
use super::fields::{failed, lines_about};
use super::fold::{fold, has_any};
use super::heads::{Block, blocks};
use super::identity::{addressee, sent_to};
use super::mime::Mail;
use super::reason::{Judgement, judge, reason_of_words};
use super::status::{basic_in, enhanced_in};
use super::words::{BOUNCE_SENTENCES, BOUNCE_SUBJECTS, DAEMON_NAMES, DAEMONS, DELAY, SUCCESS, returned_at};
use super::{Action, RECIPIENT_LIMIT, Recipient, auto_reply};

/// Reads a bounce's words; `None` when the mail is no bounce.
pub(super) fn read(mail: &Mail) -> Option<Vec<Recipient>> {
    let words = &mail.text[..returned_at(&mail.text)];
    let subject = mail.headers.decoded("subject");
    let folded_subject = fold(&subject);
    let folded = fold(words);
    let named = failed_recipients(mail);
    if !is_bounce(mail, &folded_subject, &folded, !named.is_empty()) {
        return None;
    }
    let action = action(&folded_subject, &folded);
    let ours = sent_to(mail);
    let sender = mail.headers.first("from").and_then(Address::first_in);
    let is_ours =
        |address: &Address| ours.iter().chain(&sender).any(|known| known.is_same(address)) || is_daemon(address);
    let mut found = blocks(words, &is_ours);
    if !named.is_empty() {
        found = join(named, found);
    } else if found.is_empty() {
        found.extend(mail.returned.as_ref().and_then(addressee).or_else(|| returned_to(mail)).map(without_words));
    }
    if action == Action::Delivered {
        let delivered = |block: Block| Recipient {
            address: Some(block.address),
            action: Some(action),
            status: None,
            status_source: None,
            class: None,
            reason: None,
        };
        return Some(found.into_iter().map(delivered).collect());
    }
    if found.is_empty() {
        let found = judge_words(None, words, &subject, action);
        return Some(vec![failed(None, action, &found)]);
    }
    let is_only = found.len() == 1;
    let judged = found.into_iter().map(|block| {
        let judgement = if is_only {
            judge_words(Some(&block), words, &subject, action)
        } else {
            judge_one_of_many(&block, words, action)
        };
        failed(Some(block.address), action, &judgement)
    });
    Some(judged.collect())
}

/// A single recipient: everything the mail says is about it, the paragraph at its name first.
fn judge_words(block: Option<&Block>, words: &str, subject: &str, action: Action) -> Judgement {
    let own = block.map(|block| block.words.as_str()).unwrap_or_default();
    let mut texts: Vec<&str> = vec![own, words];
    if reason_of_words(own).is_none() && enhanced_in(words).is_none() && basic_in(words).is_none() {
        texts.push(subject);
    }
    let mut found = judge(None, action, &texts);
    if found.reason == Reason::Other && action == Action::Delayed {
        found.reason = Reason::Temporary;
    }
    found
}

/// One of many: its own paragraph, or else the lines that name it anywhere, such as those of a session's log.
fn judge_one_of_many(block: &Block, words: &str, action: Action) -> Judgement {
    let says_nothing = enhanced_in(&block.words).is_none() && reason_of_words(&block.words).is_none();
    let near = if says_nothing { lines_about(&block.address, words) } else { String::new() };
    let mut found = judge(None, action, &[&block.words, &near]);
    if found.reason == Reason::Other && action == Action::Delayed {
        found.reason = Reason::Temporary;
    }
    found
}

fn is_bounce(mail: &Mail, subject: &str, words: &str, is_named: bool) -> bool {
    if is_named {
        return true;
    }
    let by_program = sender_is_program(mail);
    let is_report = mail.headers.first("content-type").is_some_and(|kind| fold(kind).contains("delivery-status"));
    let is_null = mail.headers.first("return-path").is_some_and(|path| path.trim() == "<>");
    let is_subject = has_any(subject, BOUNCE_SUBJECTS) && !is_answer(subject);
    let is_sentence = has_any(words, BOUNCE_SENTENCES);
    // A mailbox that answers by itself may say that it does not exist any more: it has answered all the same.
    if !by_program && auto_reply::is_subject(subject) {
        return false;
    }
    let by_words = || enhanced_in(words).is_some() || basic_in(words).is_some() || reason_of_words(words).is_some();
    if by_program || is_report {
        return is_subject || is_sentence || by_words();
    }
    let is_returned = is_null && !is_answer(subject) && !auto_reply::is_one(mail);
    is_subject && is_sentence || is_returned && (is_subject || is_sentence) && by_words()
}

/// A person's answer to a bounce, or a bounce that a person passes on.
fn is_answer(subject: &str) -> bool {
    ["re:", "fw:", "fwd:", "tr:", "tl:", "chuyen tiep:"].iter().any(|start| subject.trim_start().starts_with(start))
}

fn sender_is_program(mail: &Mail) -> bool {
    let from = mail.headers.decoded("from");
    let name = fold(from.split('<').next().unwrap_or_default());
    let addresses = Address::all_in(mail.headers.first("from").unwrap_or_default());
    // Some servers write no domain behind it.
    let is_bare = addresses.is_empty() && DAEMONS.contains(&name.trim());
    addresses.first().is_some_and(is_daemon) || is_bare || has_any(&name, DAEMON_NAMES)
}

fn is_daemon(address: &Address) -> bool {
    let local = address.local_part().to_ascii_lowercase();
    let is_exchange = local.strip_prefix("microsoftexchange").is_some_and(|id| id.len() == 32);
    is_exchange
        || DAEMONS.iter().any(|name| {
            local.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-', '+']))
        })
}

/// `X-Failed-Recipients`, as Exim and Gmail write it.
fn failed_recipients(mail: &Mail) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    for address in mail.headers.all("x-failed-recipients").flat_map(Address::all_in).take(RECIPIENT_LIMIT) {
        if !found.iter().any(|known| known.is_same(&address)) {
            found.push(address);
        }
    }
    found
}

/// The recipients that a header names, each with its paragraph where there is one.
fn join(named: Vec<Address>, mut found: Vec<Block>) -> Vec<Block> {
    let take = |address: Address| {
        let at = found.iter().position(|block| block.address.is_same(&address));
        at.map_or_else(|| without_words(address), |at| found.swap_remove(at))
    };
    named.into_iter().map(take).collect()
}

fn without_words(address: Address) -> Block {
    Block { address, words: String::new() }
}

/// The `To` of a returned mail that stands among the words.
fn returned_to(mail: &Mail) -> Option<Address> {
    mail.text[returned_at(&mail.text)..].lines().take(200).find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.trim().eq_ignore_ascii_case("to").then(|| Address::first_in(value))?
    })
}

fn action(subject: &str, words: &str) -> Action {
    if has_any(subject, SUCCESS) && !has_any(subject, &["undeliver", "not delivered", "khong"]) {
        Action::Delivered
    } else if has_any(subject, DELAY) || has_any(words, DELAY) {
        Action::Delayed
    } else {
        Action::Failed
    }
}
