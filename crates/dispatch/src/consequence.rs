//! What a refusal asks of the whole campaign, beyond the one mail: stop an address, or pause everything and call a person.
//!
//! Enhanced codes (RFC 3463) win over basic ones, and words count only where there is no enhanced code or it says nothing
//! particular. Words are looked for in English, which is what mail servers speak.

use crate::delivery::{Delivery, Enhanced, Outcome};

/// What follows from an outcome for other mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consequence {
    /// Nothing.
    None,
    /// The address does not exist: no further mail to it, and the unit is asked for another.
    StopAddress,
    /// The relay objects to the sender or takes the mail for spam: whoever goes on sending makes it worse.
    PauseForPolicy,
    /// The mail itself is at fault (5.6), or the sender's address: every further one will be too.
    PauseForOurFault,
}

/// Words of refusals for the sender's reputation. They are looked for as whole words: "rbl" stands in "curbline" too.
const SPAM_WORDS: [&str; 12] = [
    "spam",
    "blacklist",
    "blocklist",
    "block list",
    "blocked",
    "dnsbl",
    "rbl",
    "reputation",
    "unsolicited",
    "dmarc",
    "spf",
    "dkim",
];

/// Words of refusals for an address that is not there.
const NO_SUCH_WORDS: [&str; 8] = [
    "user unknown",
    "unknown user",
    "no such user",
    "no such recipient",
    "no mailbox here",
    "mailbox not found",
    "does not exist",
    "invalid recipient",
];

impl Delivery {
    /// What follows from this outcome for other mails. Only a refusal for good has consequences: whatever else happens
    /// is tried again.
    #[must_use]
    pub fn consequence(&self) -> Consequence {
        if self.outcome != Outcome::RejectedPermanent {
            return Consequence::None;
        }
        let text = self.text.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| has_word(&text, word));
        match self.enhanced {
            // 5.1.7 and 5.1.8 speak of the sender's address.
            Some(Enhanced { class: 5, subject: 1, detail: 7 | 8 }) => Consequence::PauseForOurFault,
            Some(Enhanced { class: 5, subject: 1, .. }) => Consequence::StopAddress,
            // Found on our side: this one address needs SMTPUTF8, which the relay lacks. Others do not.
            Some(Enhanced { class: 5, subject: 6, detail: 7 }) if self.code.is_none() => Consequence::None,
            Some(Enhanced { class: 5, subject: 6, .. }) => Consequence::PauseForOurFault,
            Some(Enhanced { class: 5, subject: 7, .. }) => Consequence::PauseForPolicy,
            // Of the recipient's mailbox, whatever the words: an account that its provider has blocked is not our sender.
            Some(Enhanced { class: 5, subject: 2, .. }) => Consequence::None,
            Some(Enhanced { class: 5, subject: 3..=5, .. }) if !says(&SPAM_WORDS) => Consequence::None,
            _ if says(&SPAM_WORDS) => Consequence::PauseForPolicy,
            None if says(&NO_SUCH_WORDS) => Consequence::StopAddress,
            _ => Consequence::None,
        }
    }
}

/// Whether a word or a row of words stands in a text, with no letter or digit right before or after it.
fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric();
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(is_part)
            && !text[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::Consequence::{self, None as Nothing, PauseForOurFault, PauseForPolicy, StopAddress};
    use crate::delivery::{Delivery, Outcome, Stage};

    fn check(outcome: Outcome, enhanced: &str, text: &str) -> Consequence {
        let delivery = Delivery {
            outcome,
            stage: Stage::Rcpt,
            code: Some(550),
            enhanced: enhanced.parse().ok(),
            text: text.to_owned(),
            peer: None,
        };
        delivery.consequence()
    }

    #[test]
    fn enhanced_codes_win_over_words() {
        let table = [
            ("5.1.1", "user unknown", StopAddress),
            ("5.1.10", "RESOLVER.ADR.RecipientNotFound; not found", StopAddress),
            ("5.1.1", "blocked using a list", StopAddress),
            ("5.1.8", "sender address rejected: domain not found", PauseForOurFault),
            ("5.2.2", "mailbox full", Nothing),
            ("5.2.1", "mailbox disabled", Nothing),
            ("5.2.1", "account blocked by its provider", Nothing),
            ("5.3.0", "no mailbox at curbline", Nothing),
            ("5.3.0", "sender (SPF) not allowed", PauseForPolicy),
            ("5.4.4", "unable to route", Nothing),
            ("5.6.0", "message malformed", PauseForOurFault),
            ("5.7.1", "message refused", PauseForPolicy),
            ("5.7.26", "unauthenticated mail from this domain", PauseForPolicy),
            ("5.3.0", "rejected: listed in an RBL", PauseForPolicy),
            ("5.0.0", "looks like spam", PauseForPolicy),
            ("5.0.0", "user unknown", Nothing),
            ("", "No such user here", StopAddress),
            ("", "message looks like SPAM", PauseForPolicy),
            ("", "not today", Nothing),
        ];
        for (enhanced, text, expected) in table {
            assert_eq!(check(Outcome::RejectedPermanent, enhanced, text), expected, "{enhanced} {text}");
        }
    }

    #[test]
    fn only_a_refusal_for_good_has_consequences() {
        for outcome in [Outcome::Accepted, Outcome::RejectedTransient, Outcome::RouteFailed, Outcome::Unknown] {
            assert_eq!(check(outcome, "5.7.1", "spam"), Nothing);
        }
    }

    #[test]
    fn an_address_the_relay_cannot_write_stops_nobody() {
        let ours = Delivery {
            outcome: Outcome::RejectedPermanent,
            stage: Stage::Mail,
            code: None,
            enhanced: "5.6.7".parse().ok(),
            text: "the relay takes no address beyond ASCII (SMTPUTF8)".into(),
            peer: None,
        };
        assert_eq!(ours.consequence(), Nothing);
    }
}
