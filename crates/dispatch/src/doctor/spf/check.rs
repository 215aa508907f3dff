//! `check_host` (RFC 7208, section 4): what a record says of an address, within the limits of looking up.

use std::net::IpAddr;

use parsurvey_index::tree::Text;

use super::macros::{Scene, expand};
use super::parse::{Mechanism, Prefixes, Qualifier, Record, is_spf, parse};
use crate::doctor::both;
use crate::doctor::known::{Known, Wanted};
use crate::doctor::names::reverse_of;

/// Terms that may look something up (section 4.6.4).
pub(crate) const LOOKUPS: u32 = 10;
/// Of those, how many may find nothing.
pub(crate) const VOID: u32 = 2;
/// Hosts that one `mx` or `ptr` may name.
const HOSTS: usize = 10;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There is no record.
    None,
    /// A term matched, or none did (neutral).
    Said(Qualifier),
    /// The record, or one it refers to, is broken.
    Broken(Text),
    /// Something could not be looked up.
    NotKnown(Text),
}

/// What was used up, and what was met on the way.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) lookups: u32,
    pub(crate) void: u32,
    /// `ptr` was met, which the standard advises against.
    pub(crate) ptr: bool,
}

/// Which address is asked about; `Nobody` matches nothing, so that every term is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Sender(IpAddr),
    Nobody,
}

/// Why the walk ended early.
enum End {
    Broken(Text),
    NotKnown(Text),
}

pub(crate) struct Check<'a> {
    pub(crate) known: &'a Known,
    pub(crate) sender: &'a str,
    pub(crate) who: Who,
    pub(crate) walk: Walk,
}

impl Check<'_> {
    /// What the domain's record says.
    pub(crate) fn host(&mut self, domain: &str) -> Outcome {
        match self.record(domain) {
            Ok(None) => Outcome::None,
            Ok(Some(record)) => match self.evaluate(domain, &record) {
                Ok(outcome) => outcome,
                Err(End::Broken(why)) => Outcome::Broken(why),
                Err(End::NotKnown(why)) => Outcome::NotKnown(why),
            },
            Err(End::Broken(why)) => Outcome::Broken(why),
            Err(End::NotKnown(why)) => Outcome::NotKnown(why),
        }
    }

    fn record(&self, domain: &str) -> Result<Option<Record>, End> {
        let texts = self.known.texts(domain).map_err(End::NotKnown)?;
        let mut records = texts.iter().filter(|text| is_spf(text));
        let Some(text) = records.next() else { return Ok(None) };
        if records.next().is_some() {
            return Err(broken(format!("{domain} có nhiều bản ghi SPF"), format!("{domain} has several SPF records")));
        }
        let located = |why: Text| End::Broken(both(format!("{domain}: {}", why.vi), format!("{domain}: {}", why.en)));
        parse(text).map(Some).map_err(located)
    }

    fn evaluate(&mut self, domain: &str, record: &Record) -> Result<Outcome, End> {
        let mut all = false;
        for (qualifier, mechanism) in &record.directives {
            all |= *mechanism == Mechanism::All;
            if self.matches(domain, mechanism)? {
                return Ok(Outcome::Said(*qualifier));
            }
        }
        // Section 6.1: beside `all` a redirect is not looked at.
        let Some(target) = record.redirect.as_ref().filter(|_| !all) else {
            return Ok(Outcome::Said(Qualifier::Neutral));
        };
        self.count(domain)?;
        let target = self.expanded(target, domain)?;
        match self.host(&target) {
            Outcome::None => Err(broken(
                format!("redirect={target}: tên miền đó không có bản ghi SPF"),
                format!("redirect={target}: that domain has no SPF record"),
            )),
            other => Ok(other),
        }
    }

    fn matches(&mut self, domain: &str, mechanism: &Mechanism) -> Result<bool, End> {
        match mechanism {
            Mechanism::All => Ok(self.who != Who::Nobody),
            Mechanism::Ip(network, length) => Ok(self.is_in(*network, *length)),
            Mechanism::Include(target) => {
                self.count(domain)?;
                let target = self.expanded(target, domain)?;
                self.include(&target)
            }
            Mechanism::A(host, prefixes) => {
                self.count(domain)?;
                let host = self.target(host.as_deref(), domain)?;
                let addresses = self.addresses(&host)?;
                self.count_void(addresses.is_empty(), &host)?;
                Ok(self.is_among(&addresses, *prefixes))
            }
            Mechanism::Mx(host, prefixes) => {
                self.count(domain)?;
                let host = self.target(host.as_deref(), domain)?;
                self.mx(&host, *prefixes)
            }
            Mechanism::Ptr(host) => {
                self.count(domain)?;
                self.walk.ptr = true;
                let host = self.target(host.as_deref(), domain)?;
                self.ptr(&host)
            }
            Mechanism::Exists(target) => {
                self.count(domain)?;
                if self.who == Who::Nobody && target.contains('%') {
                    return Ok(false);
                }
                let target = self.expanded(target, domain)?;
                // Section 5.7: an A record is asked for whatever the address's family.
                let found = self.known.addresses_of(&target, Wanted::A).map_err(End::NotKnown)?;
                self.count_void(found.is_empty(), &target)?;
                Ok(!found.is_empty() && self.who != Who::Nobody)
            }
        }
    }

    fn include(&mut self, target: &str) -> Result<bool, End> {
        match self.host(target) {
            Outcome::Said(Qualifier::Pass) => Ok(self.who != Who::Nobody),
            Outcome::Said(Qualifier::Fail | Qualifier::SoftFail | Qualifier::Neutral) => Ok(false),
            Outcome::None => Err(broken(
                format!("include:{target}: tên miền đó không có bản ghi SPF"),
                format!("include:{target}: that domain has no SPF record"),
            )),
            Outcome::Broken(why) => Err(End::Broken(why)),
            Outcome::NotKnown(why) => Err(End::NotKnown(why)),
        }
    }

    fn mx(&mut self, domain: &str, prefixes: Prefixes) -> Result<bool, End> {
        let exchangers = self.known.exchangers(domain).map_err(End::NotKnown)?;
        self.count_void(exchangers.is_empty(), domain)?;
        if exchangers.len() > HOSTS {
            return Err(broken(
                format!("mx:{domain} có hơn {HOSTS} máy chủ"),
                format!("mx:{domain} names more than {HOSTS} hosts"),
            ));
        }
        if self.who == Who::Nobody {
            return Ok(false);
        }
        for (_, host) in exchangers.iter().filter(|(_, host)| !host.is_empty()) {
            let addresses = self.addresses(host)?;
            if self.is_among(&addresses, prefixes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Section 5.5: the address's name must lead back to it and be of the domain.
    fn ptr(&mut self, domain: &str) -> Result<bool, End> {
        let Who::Sender(ip) = self.who else { return Ok(false) };
        let names = self.known.pointers(&reverse_of(ip)).map_err(End::NotKnown)?;
        self.count_void(names.is_empty(), domain)?;
        let domain = domain.to_ascii_lowercase();
        for name in names.iter().take(HOSTS) {
            let of_domain = *name == domain || name.ends_with(&format!(".{domain}"));
            if of_domain && self.addresses(name)?.contains(&ip) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn count(&mut self, domain: &str) -> Result<(), End> {
        self.walk.lookups += 1;
        if self.walk.lookups > LOOKUPS {
            return Err(broken(
                format!("quá {LOOKUPS} lần tra cứu DNS (tới {domain})"),
                format!("more than {LOOKUPS} look-ups are needed (at {domain})"),
            ));
        }
        Ok(())
    }

    fn count_void(&mut self, is_void: bool, name: &str) -> Result<(), End> {
        self.walk.void += u32::from(is_void);
        if self.walk.void > VOID {
            return Err(broken(
                format!("hơn {VOID} lần tra cứu không có kết quả (tới {name})"),
                format!("more than {VOID} look-ups find nothing (at {name})"),
            ));
        }
        Ok(())
    }

    fn target(&self, host: Option<&str>, domain: &str) -> Result<String, End> {
        host.map_or_else(|| Ok(domain.to_owned()), |host| self.expanded(host, domain))
    }

    fn expanded(&self, text: &str, domain: &str) -> Result<String, End> {
        let ip = match self.who {
            Who::Sender(ip) => ip,
            // TEST-NET-1: a stand-in where a walk meets a macro of the address.
            Who::Nobody => IpAddr::from([192, 0, 2, 0]),
        };
        let expanded = expand(text, &Scene { sender: self.sender, domain, ip });
        expanded
            .ok_or_else(|| broken(format!("macro sai trong '{text}'"), format!("'{text}' holds a macro that is none")))
    }

    /// Addresses of the asking address's family; of both for nobody.
    fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, End> {
        let found = match self.who {
            Who::Sender(IpAddr::V4(_)) => self.known.addresses_of(host, Wanted::A),
            Who::Sender(IpAddr::V6(_)) => self.known.addresses_of(host, Wanted::Aaaa),
            Who::Nobody => self.known.addresses(host),
        };
        found.map_err(End::NotKnown)
    }

    fn is_among(&self, addresses: &[IpAddr], prefixes: Prefixes) -> bool {
        addresses
            .iter()
            .any(|address| self.is_in(*address, if address.is_ipv4() { prefixes.four } else { prefixes.six }))
    }

    fn is_in(&self, network: IpAddr, length: u8) -> bool {
        match (self.who, network) {
            (Who::Sender(IpAddr::V4(ip)), IpAddr::V4(network)) => {
                let shift = 32 - u32::from(length);
                ip.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
            }
            (Who::Sender(IpAddr::V6(ip)), IpAddr::V6(network)) => {
                let shift = 128 - u32::from(length);
                ip.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
            }
            (Who::Sender(_), _) | (Who::Nobody, _) => false,
        }
    }
}

fn broken(vi: impl Into<String>, en: impl Into<String>) -> End {
    End::Broken(both(vi, en))
}
