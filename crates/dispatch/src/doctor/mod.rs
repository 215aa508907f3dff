//! What a sender's domain must publish before its first mail: SPF, DKIM, DMARC, MX, reverse names, and the relay's TLS.
//!
//! The rules are pure: [`examine`] reads what is [`Known`] and says what it found; what it lacks it notes, and [`gather`]
//! looks that up and asks again. So every rule can be tried with a table of records, and a record that could not be
//! looked up is never taken for a missing one. Sends no mail and changes nothing; how receivers weigh a mail beyond these
//! records (reputation, contents) cannot be known from here.

mod der;
mod dkim;
mod dmarc;
mod known;
mod mx;
mod names;
mod recipients;
mod relay;
mod resolver;
mod reverse;
mod spf;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::BTreeMap;
use std::net::IpAddr;

use parsurvey_index::tree::Text;

pub use der::certificate_end;
pub use known::{Answer, Known, Question, Rdata, Wanted};
pub use names::{ascii_domain, organisational};
pub use relay::{Protection, RelaySeen, is_public, relay as relay_findings};
pub use resolver::{Lookups, ResolverError};
pub use zone::Zone;

/// What is examined.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// The From address; SPF's macros need all of it, findings show its domain only.
    pub from: String,
    /// The domain of the return path, where bounces go and which SPF speaks of.
    pub return_path: String,
    /// The domain where answers go.
    pub reply_to: String,
    /// The addresses from which the relay sends to the world; empty where they are not known.
    pub sends_from: Vec<IpAddr>,
    /// Who signs, if anybody is known to.
    pub signer: Option<Signer>,
    /// People per domain of the roster; addresses are not needed.
    pub recipients: BTreeMap<String, u64>,
}

/// Under which name mails are signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The selector.
    pub selector: String,
    /// The signature's `d=`.
    pub domain: String,
    /// The public half of the key that signs, where this program holds it; else the record alone is read.
    pub key: Option<SigningKey>,
}

/// The public half of a key as DNS publishes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SigningKey {
    /// RSA: the DER of an `RSAPublicKey` (RFC 8017).
    Rsa(Vec<u8>),
    /// Ed25519: the 32 bytes (RFC 8463).
    Ed25519(Vec<u8>),
}

/// How good a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// It works, and some receivers may mind.
    Warning,
    /// It could not be looked up. Neither fine nor missing.
    Unknown,
    /// Mails will be refused, lost or taken for forged.
    Fault,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked: `relay`, `spf`, `dkim`, `dmarc`, `alignment`, `mx`, `reverse`, `recipient`, `seed`.
    pub check: &'static str,
    /// The domain, host or address it is about.
    pub about: String,
    /// How good it is.
    pub verdict: Verdict,
    /// What was found.
    pub found: Text,
    /// Why that is so good or bad.
    pub reason: Text,
    /// What to do; empty where nothing is to be done.
    pub remedy: Text,
    /// The line to publish in DNS, in the format of zone files.
    pub publish: Option<String>,
}

impl Verdict {
    /// The word printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Warning => "warning",
            Verdict::Unknown => "unknown",
            Verdict::Fault => "fault",
        }
    }
}

impl Finding {
    /// A finding without remedy; add one with [`Finding::remedy()`].
    #[must_use]
    pub fn new(check: &'static str, about: &str, verdict: Verdict, found: Text, reason: Text) -> Self {
        Self { check, about: about.to_owned(), verdict, found, reason, remedy: both("", ""), publish: None }
    }

    /// With what to do.
    #[must_use]
    pub fn remedy(mut self, vi: impl Into<String>, en: impl Into<String>) -> Self {
        self.remedy = both(vi, en);
        self
    }

    /// With the line to publish.
    #[must_use]
    pub fn publish(mut self, line: impl Into<String>) -> Self {
        self.publish = Some(line.into());
        self
    }

    /// Something that could not be looked up.
    pub(crate) fn not_known(check: &'static str, about: &str, name: &str, why: &Text) -> Self {
        let found = both(format!("không tra cứu được {name}"), format!("{name} could not be looked up"));
        Self::new(check, about, Verdict::Unknown, found, why.clone()).remedy(
            "chạy lại lệnh; nếu vẫn vậy, kiểm tra máy chủ DNS hoặc chỉ định máy khác bằng --resolver",
            "run the command again; if it stays so, check the DNS server or name another with --resolver",
        )
    }
}

/// Examines everything that DNS says of the subject, as far as it is known. What is lacking is noted in `known` and
/// found to be [`Verdict::Unknown`] for now.
#[must_use]
pub fn examine(subject: &Subject, known: &Known) -> Vec<Finding> {
    let mut findings = spf::spf(subject, known);
    findings.extend(dkim::dkim(subject, known));
    findings.extend(dmarc::dmarc(subject, known));
    findings.extend(mx::mx(subject, known));
    findings.extend(reverse::reverse(subject, known));
    findings.extend(recipients::recipients(subject, known));
    findings
}

/// Rounds of looking up after which something must be wrong: SPF's limits allow fewer.
const ROUNDS: usize = 60;

/// Looks up whatever [`examine`] asks for until it asks for nothing more.
pub async fn gather(subject: &Subject, lookups: &Lookups) -> Vec<Finding> {
    let mut known = Known::default();
    for _ in 0..ROUNDS {
        let findings = examine(subject, &known);
        let wanted = known.take_wanted();
        if wanted.is_empty() {
            return findings;
        }
        for (question, answer) in lookups.all(wanted).await {
            known.insert(question, answer);
        }
    }
    examine(subject, &known)
}

/// Bytes of a string of a TXT record.
const STRING: usize = 255;

/// The line of a zone file that publishes a text, in as many quoted strings as it needs.
pub(crate) fn txt_line(name: &str, text: &str) -> String {
    let mut strings = vec![String::new()];
    let mut bytes = 0;
    for c in text.chars() {
        if bytes + c.len_utf8() > STRING {
            strings.push(String::new());
            bytes = 0;
        }
        bytes += c.len_utf8();
        let string = strings.last_mut().expect("it began with one");
        if matches!(c, '"' | '\\') {
            string.push('\\');
        }
        string.push(c);
    }
    format!("{name}. IN TXT \"{}\"", strings.join("\" \""))
}

/// A text in both languages.
pub(crate) fn both(vi: impl Into<String>, en: impl Into<String>) -> Text {
    Text { vi: vi.into(), en: en.into() }
}

/// The domain of an address.
pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}
