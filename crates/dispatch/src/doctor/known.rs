//! What DNS is known to say, and the list of what else an examination would like to know.
//!
//! Answers are kept as records in the sense of RFC 1035, with aliases followed. Nothing here looks anything up.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use parsurvey_index::tree::Text;

use super::both;

/// The kinds of records that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Mail exchangers.
    Mx,
    /// Texts.
    Txt,
    /// The name of an address.
    Ptr,
}

/// A question to DNS: a name in small letters without its last dot, and a kind.
pub type Question = (String, Wanted);

/// One record's contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rdata {
    /// A or AAAA.
    Address(IpAddr),
    /// MX: preference and host; the host of a null MX (RFC 7505) is empty.
    Mx(u16, String),
    /// TXT: its strings joined, as SPF and DKIM read them; bytes beyond UTF-8 become U+FFFD.
    Txt(String),
    /// PTR.
    Name(String),
}

/// What DNS answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Records, at least one.
    Found(Vec<Rdata>),
    /// The name exists and has none of the kind.
    None,
    /// The name does not exist.
    NoSuchName,
    /// It could not be found out, and why.
    NotKnown(Text),
}

/// Everything that is known.
#[derive(Debug, Default)]
pub struct Known {
    answers: BTreeMap<Question, Answer>,
    wanted: RefCell<BTreeSet<Question>>,
}

impl Known {
    /// Adds an answer.
    pub fn insert(&mut self, question: Question, answer: Answer) {
        self.answers.insert(question, answer);
    }

    /// What was asked and is not known, since the last call.
    pub fn take_wanted(&mut self) -> BTreeSet<Question> {
        std::mem::take(self.wanted.get_mut())
    }

    /// The answer; what was not asked yet is noted, and not known so far.
    pub(crate) fn ask(&self, name: &str, wanted: Wanted) -> Answer {
        let question = (name.trim_end_matches('.').to_ascii_lowercase(), wanted);
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        self.wanted.borrow_mut().insert(question);
        Answer::NotKnown(both("chưa tra cứu", "not looked up yet"))
    }

    /// The texts of a name; a name without any has none.
    pub(crate) fn texts(&self, name: &str) -> Result<Vec<String>, Text> {
        let text = |data| match data {
            Rdata::Txt(text) => Some(text),
            Rdata::Address(_) | Rdata::Mx(..) | Rdata::Name(_) => None,
        };
        Ok(self.records(name, Wanted::Txt)?.into_iter().filter_map(text).collect())
    }

    /// The addresses of a host, of both families.
    pub(crate) fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Text> {
        // Both are asked before either is judged, so that they are looked up in one round.
        let both = [self.addresses_of(host, Wanted::A), self.addresses_of(host, Wanted::Aaaa)];
        let mut found = Vec::new();
        let mut unknown = None;
        for family in both {
            match family {
                Ok(addresses) => found.extend(addresses),
                Err(why) => unknown = Some(why),
            }
        }
        match unknown {
            Some(why) if found.is_empty() => Err(why),
            Some(_) | None => Ok(found),
        }
    }

    /// The addresses of a host, of one family.
    pub(crate) fn addresses_of(&self, host: &str, family: Wanted) -> Result<Vec<IpAddr>, Text> {
        let address = |data| match data {
            Rdata::Address(address) => Some(address),
            Rdata::Mx(..) | Rdata::Txt(_) | Rdata::Name(_) => None,
        };
        Ok(self.records(host, family)?.into_iter().filter_map(address).collect())
    }

    /// The exchangers of a domain by preference; empty where there are none.
    pub(crate) fn exchangers(&self, domain: &str) -> Result<Vec<(u16, String)>, Text> {
        let exchanger = |data| match data {
            Rdata::Mx(preference, host) => Some((preference, host)),
            Rdata::Address(_) | Rdata::Txt(_) | Rdata::Name(_) => None,
        };
        let mut found: Vec<_> = self.records(domain, Wanted::Mx)?.into_iter().filter_map(exchanger).collect();
        found.sort();
        Ok(found)
    }

    /// The names of an address.
    pub(crate) fn pointers(&self, reverse: &str) -> Result<Vec<String>, Text> {
        let name = |data| match data {
            Rdata::Name(name) => Some(name),
            Rdata::Address(_) | Rdata::Mx(..) | Rdata::Txt(_) => None,
        };
        Ok(self.records(reverse, Wanted::Ptr)?.into_iter().filter_map(name).collect())
    }

    fn records(&self, name: &str, wanted: Wanted) -> Result<Vec<Rdata>, Text> {
        match self.ask(name, wanted) {
            Answer::Found(records) => Ok(records),
            Answer::None | Answer::NoSuchName => Ok(Vec::new()),
            Answer::NotKnown(why) => Err(why),
        }
    }
}
