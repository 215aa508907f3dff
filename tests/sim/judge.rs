//! The judge: what a relay witnessed against what a sender believes.
//!
//! It knows the journal and a list of beliefs, one for each mail, and nothing of how either came about. So it judges every
//! sender alike, ours and a naive one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use parsurvey_rehearsal::catcher::{Event, Step};

/// What a sender believes of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Belief {
    /// The relay took it.
    Accepted,
    /// The relay refused it for good.
    Rejected,
    /// It has not been sent and waits.
    Waiting,
    /// Nobody knows.
    Unknown,
    /// It will not be sent.
    Cancelled,
}

/// Why a mail may rightly be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Excuse {
    /// The relay read the dot and gave no answer.
    RelaySilent,
    /// The relay's answer found nobody: the sender was gone.
    AnswerLost,
    /// The relay answered the last mail of a connection that then broke off: the answer was not written down any more.
    NotRecorded,
    /// The connection broke off before the relay read the dot.
    BrokenOff,
    /// The last mail of a connection that was ended politely: the sender lived and could not write down what it heard.
    NotWritable,
    /// The relay never heard of it: it was only claimed.
    NeverHeard,
}

/// What the judge found, in mails.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Mails there are.
    pub(crate) mails: u64,
    /// Mails that the relay took at least once.
    pub(crate) taken: u64,
    /// What is believed of how many.
    pub(crate) beliefs: BTreeMap<Belief, u64>,
    /// Mails taken more than once, and how many copies too many.
    pub(crate) duplicates: u64,
    /// Believed accepted, or known to nobody, and never taken.
    pub(crate) lost: u64,
    /// Believed not sent, and taken nevertheless: the next run would send them again, or a person is told wrongly.
    pub(crate) denied: u64,
    /// Refused for good by belief only: the relay never said so.
    pub(crate) slandered: u64,
    /// Unknown with a reason.
    pub(crate) excused: BTreeMap<Excuse, u64>,
    /// Unknown without one.
    pub(crate) unexcused: u64,
    /// Mails of which copies were taken that differ from each other.
    pub(crate) altered: u64,
}

impl Verdict {
    /// Whether nothing was lost, doubled, or believed wrongly.
    pub(crate) fn is_clean(&self) -> bool {
        let Self { duplicates, lost, denied, slandered, unexcused, altered, .. } = self;
        [duplicates, lost, denied, slandered, unexcused, altered].into_iter().all(|count| *count == 0)
    }

    /// How many mails this is believed of.
    pub(crate) fn believed(&self, belief: Belief) -> u64 {
        self.beliefs.get(&belief).copied().unwrap_or_default()
    }

    /// How many unknown mails have this reason.
    pub(crate) fn excused(&self, excuse: Excuse) -> u64 {
        self.excused.get(&excuse).copied().unwrap_or_default()
    }
}

/// What the journal says of one recipient.
#[derive(Default)]
struct Witnessed<'a> {
    copies: u64,
    refused_for_good: bool,
    hashes: Vec<&'a str>,
    /// Where in the journal it was heard of last.
    last_rcpt: Option<usize>,
    last_dot: Option<usize>,
}

/// What the journal says of one connection.
#[derive(Default)]
struct Line {
    /// Where its last recipient was named.
    last_rcpt: usize,
    /// Where its last answer to a dot was given.
    last_told: Option<usize>,
    quit: bool,
}

/// Holds beliefs, by recipient, against a journal.
pub(crate) fn judge(journal: &[Event], beliefs: &HashMap<String, Belief>) -> Verdict {
    let mut mails: HashMap<&str, Witnessed<'_>> = HashMap::new();
    let mut lines: HashMap<u64, Line> = HashMap::new();
    for (place, event) in journal.iter().enumerate() {
        let line = lines.entry(event.connection).or_default();
        match event.step {
            Step::Rcpt => line.last_rcpt = place,
            Step::Told => line.last_told = Some(place),
            Step::End => line.quit = event.quit,
            Step::Open | Step::Away | Step::Data | Step::Dot => {}
        }
        let Some(recipient) = event.recipient.as_deref() else { continue };
        let mail = mails.entry(recipient).or_default();
        mail.refused_for_good |= event.code.is_some_and(|code| code >= 500);
        if event.step == Step::Rcpt {
            mail.last_rcpt = Some(place);
        }
        if event.step == Step::Dot {
            mail.last_dot = Some(place);
            mail.copies += u64::from(event.taken);
            // What was refused may be composed anew.
            mail.hashes.extend(event.sha256.as_deref().filter(|_| event.taken));
        }
    }
    let mut verdict = Verdict { mails: beliefs.len() as u64, ..Verdict::default() };
    let nothing = Witnessed::default();
    for (recipient, belief) in beliefs {
        let mail = mails.get(recipient.as_str()).unwrap_or(&nothing);
        verdict.add(*belief, mail, excuse(journal, mail, &lines));
    }
    // Whom nobody believes to have been mailed at all.
    let strangers = mails.iter().filter(|(recipient, mail)| mail.copies > 0 && !beliefs.contains_key(**recipient));
    verdict.denied += strangers.count() as u64;
    verdict
}

impl Verdict {
    fn add(&mut self, belief: Belief, mail: &Witnessed<'_>, excuse: Option<Excuse>) {
        *self.beliefs.entry(belief).or_default() += 1;
        self.taken += u64::from(mail.copies > 0);
        self.duplicates += mail.copies.saturating_sub(1);
        self.altered += u64::from(mail.hashes.iter().any(|hash| *hash != mail.hashes[0]));
        match belief {
            Belief::Accepted => self.lost += u64::from(mail.copies == 0),
            Belief::Rejected => {
                self.denied += u64::from(mail.copies > 0);
                self.slandered += u64::from(!mail.refused_for_good);
            }
            Belief::Waiting | Belief::Cancelled => self.denied += u64::from(mail.copies > 0),
            Belief::Unknown => match excuse {
                Some(excuse) => *self.excused.entry(excuse).or_default() += 1,
                None => self.unexcused += 1,
            },
        }
    }
}

/// Why a mail may be unknown; `None` where the sender could have known.
fn excuse(journal: &[Event], mail: &Witnessed<'_>, lines: &HashMap<u64, Line>) -> Option<Excuse> {
    let Some(rcpt) = mail.last_rcpt else { return Some(Excuse::NeverHeard) };
    let line = &lines[&journal[rcpt].connection];
    // A sender writes down what it heard before it goes on: only the last mail of a connection can be in doubt.
    let was_last = line.last_rcpt == rcpt;
    if was_last && line.quit {
        return Some(Excuse::NotWritable);
    }
    match mail.last_dot.filter(|dot| *dot > rcpt) {
        None => was_last.then_some(Excuse::BrokenOff),
        Some(dot) if journal[dot].code.is_none() => Some(Excuse::RelaySilent),
        Some(dot) => match line.last_told {
            Some(told) if told > dot => was_last.then_some(Excuse::NotRecorded),
            Some(_) | None => was_last.then_some(Excuse::AnswerLost),
        },
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let believed = |belief| self.believed(belief);
        writeln!(
            f,
            "  mails {}, taken {}; accepted {}, rejected {}, waiting {}, unknown {}",
            self.mails,
            self.taken,
            believed(Belief::Accepted),
            believed(Belief::Rejected),
            believed(Belief::Waiting),
            believed(Belief::Unknown)
        )?;
        let excused = |excuse| self.excused(excuse);
        writeln!(
            f,
            "  unknown because: no answer {}, answer lost {}, not recorded {}, broken off {}, not writable {}, never heard {}, WITHOUT REASON {}",
            excused(Excuse::RelaySilent),
            excused(Excuse::AnswerLost),
            excused(Excuse::NotRecorded),
            excused(Excuse::BrokenOff),
            excused(Excuse::NotWritable),
            excused(Excuse::NeverHeard),
            self.unexcused
        )?;
        write!(
            f,
            "  duplicates {}, lost {}, taken though believed unsent {}, refused by belief only {}, copies that differ {}",
            self.duplicates, self.lost, self.denied, self.slandered, self.altered
        )
    }
}
