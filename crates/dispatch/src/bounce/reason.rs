//! Why a mail failed, and whether the address is lost: judged from codes first, from words second.
//!
//! A code that says something definite wins over words, an enhanced code over a basic one. The judgement is one
//! server's report about one attempt; it knows nothing of earlier ones, and gives no advice on how often to try again.

use std::borrow::Cow;

use super::address::places;
use super::fold::{fold, has_any};
use super::reason_words::REASONS;
use super::status::{basic_in, enhanced_in, is_general};
use super::{Action, Class, Reason, StatusSource};
use crate::delivery::Enhanced;

/// A judgement on one recipient.
pub(super) struct Judgement {
    pub(super) status: Option<(Enhanced, StatusSource)>,
    pub(super) class: Class,
    pub(super) reason: Reason,
}

/// How far a code alone can be trusted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// It says what it says.
    Definite,
    /// Servers use it for many things; words that say more win.
    Vague,
}

/// Judges a failure or a delay. `field` is the report's own status; `words` is what the server said, most telling first.
pub(super) fn judge(field: Option<Enhanced>, action: Action, words: &[&str]) -> Judgement {
    let said = words.iter().find_map(|text| enhanced_in(text));
    let field = field.filter(|field| field.class != 2);
    let status = match (field, said) {
        (Some(field), Some(said)) if is_general(field) && !is_general(said) => Some(said),
        (Some(field), _) => Some(field),
        (None, said) => said,
    };
    let basic = words.iter().find_map(|text| basic_in(text));
    let of_words = || words.iter().find_map(|text| reason_of_words(text));
    // A code that is the report's own and vague, beside a definite one of the server that refused.
    let of_said = || said.and_then(|said| definite(said, words));
    let reason = match status {
        Some(status) => definite(status, words).or_else(of_said).unwrap_or_else(|| vague(status, of_words())),
        None => of_words().unwrap_or(match basic {
            Some(400..500) => Reason::Temporary,
            Some(_) | None => Reason::Other,
        }),
    };
    let class = class(status, basic, action, reason);
    let status = match status {
        Some(status) => Some((status, StatusSource::Said)),
        None => derived(basic, action, class, reason).map(|status| (status, StatusSource::Derived)),
    };
    Judgement { status, class, reason }
}

/// What is delayed, full or passing is soft; otherwise the code's first digit decides, and a report without codes that
/// says "failed" means it.
fn class(status: Option<Enhanced>, basic: Option<u16>, action: Action, reason: Reason) -> Class {
    let passes = matches!(reason, Reason::MailboxFull | Reason::Temporary);
    let is_four = match status {
        Some(status) => status.class == 4,
        None => basic.is_some_and(|basic| basic < 500),
    };
    if action == Action::Delayed || passes || is_four { Class::Soft } else { Class::Hard }
}

/// The code that stands for a reason when no server wrote one; nothing stands for "the report does not say".
fn derived(basic: Option<u16>, action: Action, class: Class, reason: Reason) -> Option<Enhanced> {
    let (subject, detail) = match reason {
        Reason::UnknownUser => (1, 1),
        Reason::MailboxFull => (2, 2),
        Reason::MailboxDisabled => (2, 1),
        Reason::UnknownDomain => (1, 2),
        Reason::RelayDenied | Reason::SpamOrPolicy => (7, 1),
        Reason::TooLarge => (3, 4),
        Reason::Temporary => (4, 0),
        Reason::Loop => (4, 6),
        Reason::Other => (0, 0),
    };
    // A full mailbox that ended the attempts is a failure all the same.
    let ended = class == Class::Hard || reason == Reason::MailboxFull && action != Action::Delayed;
    let digit = match basic {
        Some(400..500) => 4,
        Some(_) => 5,
        None if reason == Reason::Other => return None,
        None if ended => 5,
        None => 4,
    };
    Some(Enhanced { class: digit, subject, detail })
}

/// The reason of a code that needs no words.
fn definite(status: Enhanced, words: &[&str]) -> Option<Reason> {
    let (reason, weight) = by_code(status);
    if weight == Weight::Vague {
        return None;
    }
    let no_mail_there = (status.subject, status.detail) == (1, 10)
        && words.iter().any(|text| reason_of_words(text) == Some(Reason::UnknownDomain));
    Some(if no_mail_there { Reason::UnknownDomain } else { reason })
}

/// The reason of a code that leaves room for words. A policy's refusal gives way only to words about the recipient:
/// what it says of domains or sizes is often about the sender.
fn vague(status: Enhanced, words: Option<Reason>) -> Reason {
    let (reason, _) = by_code(status);
    let Some(words) = words else { return reason };
    let about_recipient =
        matches!(words, Reason::RelayDenied | Reason::UnknownUser | Reason::MailboxFull | Reason::MailboxDisabled);
    let passes = words == Reason::Temporary && status.class == 4;
    if status.subject == 7 && !about_recipient && !passes { Reason::SpamOrPolicy } else { words }
}

/// RFC 3463 and what Exchange, Office 365 and Gmail added to it.
fn by_code(status: Enhanced) -> (Reason, Weight) {
    use Reason::{
        Loop, MailboxDisabled, MailboxFull, Other, SpamOrPolicy, Temporary, TooLarge, UnknownDomain, UnknownUser,
    };
    use Weight::{Definite, Vague};
    let is_four = status.class == 4;
    match (status.subject, status.detail) {
        (1, 1 | 3 | 4 | 6 | 10) => (UnknownUser, if is_four { Vague } else { Definite }),
        (1, 2) => (UnknownDomain, if is_four { Vague } else { Definite }),
        (1, 0) => (UnknownUser, Vague),
        (1, 7 | 8) => (SpamOrPolicy, Vague),
        (2, 1) if is_four => (Temporary, Vague),
        (2, 1) => (MailboxDisabled, Vague),
        (2, 2) => (MailboxFull, Definite),
        (2, 3) | (3, 4) => (TooLarge, Definite),
        (3, 1 | 2) | (3, 0) if is_four => (Temporary, Vague),
        (4, 4) if !is_four => (UnknownDomain, Vague),
        (4, 6 | 14) => (Loop, Definite),
        (4, 310) => (UnknownDomain, Definite),
        (4, _) => (Temporary, Vague),
        (7, 0 | 1) if is_four => (Temporary, Vague),
        (7, 0 | 1) => (SpamOrPolicy, Vague),
        (7, _) => (SpamOrPolicy, if is_four { Vague } else { Definite }),
        _ if is_four => (Temporary, Vague),
        _ => (Other, Vague),
    }
}

/// The first reason that a text's words give.
pub(super) fn reason_of_words(text: &str) -> Option<Reason> {
    let folded = fold(&without_addresses(text));
    REASONS.iter().find(|(_, phrases)| has_any(&folded, phrases)).map(|(reason, _)| *reason)
}

/// A text without its addresses: `User <a@b> unknown` says "user unknown", and `spam@b` says nothing.
fn without_addresses(text: &str) -> Cow<'_, str> {
    let places = places(text);
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for place in places {
        if place.start >= from {
            out.push_str(text[from..place.start].trim_end_matches(['<', '(', '\'', '"']));
        }
        from = text.len() - text[place.end..].trim_start_matches(['>', ')', '\'', '"', ' ']).len();
        out.push(' ');
    }
    out.push_str(&text[from..]);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::{Action, judge};

    #[test]
    fn code_and_words_are_judged_together() {
        let table = [
            // status field, words → status, class, reason
            ("5.1.1", "", "5.1.1", "hard", "unknown_user"),
            ("5.1.1", "mailbox full", "5.1.1", "hard", "unknown_user"),
            ("5.0.0", "550 5.2.2 whatever", "5.2.2", "soft", "mailbox_full"),
            ("5.2.2", "", "5.2.2", "soft", "mailbox_full"),
            ("4.2.2", "", "4.2.2", "soft", "mailbox_full"),
            ("5.2.1", "", "5.2.1", "hard", "mailbox_disabled"),
            ("5.2.1", "550 5.2.1 no such user", "5.2.1", "hard", "unknown_user"),
            ("5.7.1", "", "5.7.1", "hard", "spam_or_policy"),
            ("5.7.1", "550 5.7.1 Relaying denied", "5.7.1", "hard", "relay_denied"),
            ("5.7.1", "sender domain does not exist", "5.7.1", "hard", "spam_or_policy"),
            ("5.7.26", "unauthenticated; user unknown", "5.7.26", "hard", "spam_or_policy"),
            ("4.7.1", "greylisted", "4.7.1", "soft", "temporary"),
            ("4.7.0", "unusual rate of unsolicited mail", "4.7.0", "soft", "spam_or_policy"),
            ("4.4.7", "delivery time expired; 452 4.2.2 over quota", "4.4.7", "soft", "mailbox_full"),
            ("5.4.7", "message expired", "5.4.7", "soft", "temporary"),
            ("5.4.4", "", "5.4.4", "hard", "unknown_domain"),
            ("5.4.6", "", "5.4.6", "hard", "loop"),
            ("5.3.4", "", "5.3.4", "hard", "too_large"),
            ("5.1.10", "recipient not found", "5.1.10", "hard", "unknown_user"),
            ("5.1.10", "domain has a null MX", "5.1.10", "hard", "unknown_domain"),
            ("5.4.1", "Recipient address rejected: Access denied", "5.4.1", "hard", "unknown_user"),
            ("4.1.1", "unverified address", "4.1.1", "soft", "unknown_user"),
            ("", "550 no such user", "5.1.1", "hard", "unknown_user"),
            ("", "450 mailbox busy", "4.4.0", "soft", "temporary"),
            ("", "550 4.7.1 come back later", "4.7.1", "soft", "temporary"),
            ("", "450 5.1.1 unknown", "5.1.1", "hard", "unknown_user"),
            ("", "554 transaction failed", "5.0.0", "hard", "other"),
            ("", "the mailbox is full", "5.2.2", "soft", "mailbox_full"),
            ("", "Hộp thư của người nhận đã đầy", "5.2.2", "soft", "mailbox_full"),
            ("", "connection timed out", "4.4.0", "soft", "temporary"),
            ("", "sorry", "", "hard", "other"),
            ("5.0.0", "", "5.0.0", "hard", "other"),
        ];
        for (field, words, status, class, reason) in table {
            let found = judge(field.parse().ok(), Action::Failed, &[words]);
            let code = found.status.map(|(code, _)| code.to_string()).unwrap_or_default();
            assert_eq!(
                (&*code, found.class.as_str(), found.reason.as_str()),
                (status, class, reason),
                "{field} {words}"
            );
        }
    }
}
