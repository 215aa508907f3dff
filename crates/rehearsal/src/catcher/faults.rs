//! Faults that nobody wrote down one by one: told by a recipient's address, or drawn from a seed.
//!
//! The words are `STAGE-ACT`, with `xN` for the first N times only: `rcpt-450x3`, `dot-drop`, `contents-silent`. An address
//! carries them behind a plus sign, several joined by dots: `hoa+rcpt-450x3.dot-late@soyte.example`. Each says for one stage
//! what happens; [`At`] and [`Act`] say what the words mean.

use std::time::Duration;

use super::guard::Handshake;
use super::script::{Act, At, Reply, Rule};
use crate::sample::dice::Dice;

/// Where faults come from that no rule names. By default there are none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// What is drawn follows from this alone.
    pub seed: u64,
    /// Of a thousand recipients so many meet a fault.
    pub recipients: usize,
    /// Of a thousand connections so many meet one.
    pub connections: usize,
    /// Whether the words behind a plus sign in an address count.
    pub by_name: bool,
    /// `late`: so much later.
    pub late: Duration,
    /// `mute`: so long without an answer, and then the connection is closed.
    pub mute: Duration,
    /// `drip`: so long between two bytes.
    pub drip: Duration,
}

/// What recipients meet, with weights.
const OF_RECIPIENTS: [(&str, usize); 21] = [
    ("rcpt-450x1", 4),
    ("rcpt-450x3", 4),
    ("rcpt-550", 4),
    ("rcpt-421x1", 2),
    ("rcpt-dropx1", 2),
    ("rcpt-mutex1", 1),
    ("data-421x1", 2),
    ("data-452x1", 4),
    ("data-dropx1", 2),
    ("data-mutex1", 1),
    ("contents-dropx1", 4),
    ("contents-mutex1", 1),
    ("dot-421x1", 2),
    ("dot-451x1", 4),
    ("dot-550", 4),
    ("dot-dropx1", 6),
    ("dot-losex1", 6),
    ("dot-mutex1", 2),
    ("dot-latex1", 6),
    ("dot-dripx1", 2),
    ("dot-lines", 6),
];

/// What connections meet, with weights.
const OF_CONNECTIONS: [(&str, usize); 10] = [
    ("greeting-421", 3),
    ("greeting-drop", 3),
    ("greeting-mute", 1),
    ("hello-421", 2),
    ("hello-drop", 2),
    ("hello-drip", 2),
    ("hello-mute", 1),
    ("mail-421", 3),
    ("mail-drop", 3),
    ("mail-mute", 1),
];

/// What becomes of the TLS of a connection that meets a fault there.
const OF_TLS: [(Option<Handshake>, usize); 5] = [
    (None, 4),
    (Some(Handshake::HangsUp), 2),
    (Some(Handshake::Garbage), 2),
    (Some(Handshake::Refused), 2),
    (Some(Handshake::Injected), 2),
];

impl Faults {
    /// No fault at all.
    #[must_use]
    pub fn none() -> Self {
        Self {
            seed: 0,
            recipients: 0,
            connections: 0,
            by_name: false,
            late: Duration::from_secs(1),
            mute: Duration::from_secs(2),
            drip: Duration::from_secs(1),
        }
    }

    /// What a recipient meets.
    pub(super) fn of_recipient(&self, recipient: &str) -> Vec<Rule> {
        if self.by_name
            && let Some(words) = words(recipient)
        {
            return words.split('.').filter_map(|word| self.rule(word)).collect();
        }
        let mut dice = Dice::new(self.seed, &format!("recipient {recipient}"));
        if dice.below(1000) >= self.recipients {
            return Vec::new();
        }
        let word: &&str = dice.weighted(&OF_RECIPIENTS);
        self.rule(word).into_iter().collect()
    }

    /// What a connection meets before there is a recipient.
    pub(super) fn of_connection(&self, number: u64) -> Vec<Rule> {
        let mut dice = Dice::new(self.seed, &format!("connection {number}"));
        if dice.below(1000) >= self.connections {
            return Vec::new();
        }
        let word: &&str = dice.weighted(&OF_CONNECTIONS);
        self.rule(word).into_iter().collect()
    }

    /// How the TLS of a connection ends; `None` where it is not even offered.
    pub(super) fn of_tls(&self, number: u64, usual: Handshake) -> Option<Handshake> {
        let mut dice = Dice::new(self.seed, &format!("tls {number}"));
        if dice.below(1000) >= self.connections { Some(usual) } else { *dice.weighted(&OF_TLS) }
    }

    fn rule(&self, word: &str) -> Option<Rule> {
        let (at, act) = word.split_once('-')?;
        let at = match at {
            "greeting" => At::Greeting,
            "hello" => At::Hello,
            "mail" => At::Mail,
            "rcpt" => At::Rcpt,
            "data" => At::Data,
            "contents" => At::Contents,
            "dot" => At::Dot,
            _ => return None,
        };
        let (act, left) = match act.rsplit_once('x') {
            Some((act, times)) => (act, Some(times.parse().ok()?)),
            None => (act, None),
        };
        let act = match act {
            "drop" => Act::HangUp,
            "lose" => Act::Lose,
            "silent" => Act::Silence,
            "mute" => Act::Mute(self.mute),
            "late" => Act::Late(self.late),
            "drip" => Act::Drip(self.drip),
            "lines" => Act::Say(Reply::new(250, "2.0.0 taken\n2.0.0 in several lines\n2.0.0 and here is the last")),
            code => Act::Say(refusal(code.parse().ok()?)),
        };
        Some(Rule { at, act, left })
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self::none()
    }
}

/// The words that an address carries.
fn words(recipient: &str) -> Option<&str> {
    let (local, _) = recipient.rsplit_once('@')?;
    local.split_once('+').map(|(_, words)| words)
}

/// A refusal as relays word it.
fn refusal(code: u16) -> Reply {
    let text = match code {
        421 => "4.3.2 closing the connection",
        450 => "4.2.1 mailbox busy, try again later",
        451 => "4.3.0 local error, try again later",
        452 => "4.3.1 no room, try again later",
        550 => "5.1.1 no such mailbox",
        552 => "5.2.2 mailbox full",
        554 => "5.7.1 refused",
        _ if code < 400 => "2.0.0 ok",
        _ if code < 500 => "4.0.0 not now",
        _ => "5.0.0 no",
    };
    Reply::new(code, text)
}

#[cfg(test)]
mod tests {
    use super::{At, Faults, OF_CONNECTIONS, OF_RECIPIENTS};

    #[test]
    fn every_word_that_may_be_drawn_is_understood() {
        for (word, _) in OF_RECIPIENTS.iter().chain(&OF_CONNECTIONS) {
            assert!(Faults::none().rule(word).is_some(), "{word}");
        }
    }

    #[test]
    fn an_address_says_what_it_meets() {
        let faults = Faults { by_name: true, ..Faults::none() };
        let rules = faults.of_recipient("hoa+rcpt-450x3.dot-drop@soyte.example");
        assert_eq!(
            rules.iter().map(|rule| (rule.at, rule.left)).collect::<Vec<_>>(),
            [(At::Rcpt, Some(3)), (At::Dot, None)]
        );
        assert!(faults.of_recipient("hoa@soyte.example").is_empty());
        assert!(faults.of_recipient("hoa+rcpt-gone@soyte.example").is_empty());
    }

    #[test]
    fn a_seed_draws_the_same_for_ever_and_about_as_often_as_asked() {
        let faults = Faults { seed: 7, recipients: 100, connections: 100, ..Faults::none() };
        let met = |seed| {
            let faults = Faults { seed, ..faults.clone() };
            (0..1000).filter(|n| !faults.of_recipient(&format!("p{n}@a.example")).is_empty()).collect::<Vec<u32>>()
        };
        assert_eq!(met(7), met(7));
        assert_ne!(met(7), met(8));
        assert!((60..140).contains(&met(7).len()), "{}", met(7).len());
    }
}
